//! Runs templates, and keeps for everything written where in its file it comes from.

use super::functions;
use super::scope::{Scope, holds};
use super::syntax::{Head, Parsed, Piece, Pipe, Term, parse};
use super::value::Value;
use std::collections::BTreeMap;

/// Most bytes one file writes.
const MAX_OUTPUT: usize = 4 << 20;
/// Most steps of one file.
const MAX_STEPS: usize = 400_000;
/// Most rounds of a loop over a number.
const MAX_ITEMS: i64 = 10_000;
/// Deepest chain of pieces within pieces, over templates that include each other.
const MAX_DEPTH: usize = 150;
/// Stands in the output for what could not be rendered.
pub(in super::super) const UNRENDERED: char = '\u{E000}';

/// Why something could not be rendered.
pub(super) type Fault = String;

/// A file of templates.
pub(super) struct File<'s> {
    /// Its text.
    pub(super) source: &'s str,
    /// Its pieces.
    pub(super) parsed: Parsed,
}

/// The templates a chart can name: file, and which of those it defines; `None` for the file as a whole.
pub(super) type Library = BTreeMap<String, (usize, Option<usize>)>;

/// A stretch of output: where it begins there, and where in the file it comes from.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    /// Offset in the output.
    pub(super) out: usize,
    /// Offset in the file.
    pub(super) source: usize,
    /// Text of the file itself, so that what follows comes from what follows.
    pub(super) literal: bool,
}

/// What one file becomes.
#[derive(Default)]
pub(super) struct Output {
    /// The text.
    pub(super) text: String,
    /// Where it comes from.
    pub(super) marks: Vec<Mark>,
    /// What could not be rendered: where in the file, and why.
    pub(super) faults: Vec<(usize, Fault)>,
}

/// How a list of pieces ended.
enum Flow {
    Next,
    Break,
    Continue,
}

/// Runs the templates of one chart.
pub(super) struct Engine<'e> {
    /// Files.
    pub(super) files: &'e [File<'e>],
    /// Templates by name.
    pub(super) library: &'e Library,
    steps: usize,
    depth: usize,
    written: usize,
    /// Where in the file that is rendered a fault happens.
    place: usize,
    faults: Vec<(usize, Fault)>,
    /// A place that is to be written whatever the values say.
    sought: Option<usize>,
}

impl<'e> Engine<'e> {
    /// An engine over the files of a chart.
    pub(super) fn new(files: &'e [File<'e>], library: &'e Library) -> Self {
        Self {
            files,
            library,
            steps: 0,
            depth: 0,
            written: 0,
            place: 0,
            faults: Vec::new(),
            sought: None,
        }
    }

    /// An engine that takes every way to one place of the file.
    pub(super) fn towards(mut self, place: usize) -> Self {
        self.sought = Some(place);
        self
    }

    /// Whether these pieces lead to the place that is sought.
    fn leads(&self, pieces: &[Piece], top: bool) -> bool {
        top && self.sought.is_some_and(|place| holds(pieces, place))
    }

    /// Renders one file.
    pub(super) fn render(mut self, file: usize, root: &Value) -> Output {
        let mut out = Output::default();
        let files = self.files;
        if let Some(file) = files.get(file) {
            let mut scope = Scope::new(root);
            let (body, source) = (&file.parsed.body, file.source);
            if let Err(fault) = self.run(body, source, root, &mut scope, &mut out, true) {
                self.faults.push((self.place, fault));
            }
        }
        out.faults = self.faults;
        out
    }

    fn step(&mut self) -> Result<(), Fault> {
        self.steps += 1;
        if self.steps > MAX_STEPS || self.written > MAX_OUTPUT {
            return Err("it grows beyond all bounds".to_owned());
        }
        Ok(())
    }

    fn run(
        &mut self,
        pieces: &[Piece],
        source: &str,
        dot: &Value,
        scope: &mut Scope,
        out: &mut Output,
        top: bool,
    ) -> Result<Flow, Fault> {
        self.depth += 1;
        let flow = if self.depth > MAX_DEPTH {
            Err("its templates include each other without end".to_owned())
        } else {
            self.run_all(pieces, source, dot, scope, out, top)
        };
        self.depth -= 1;
        flow
    }

    fn run_all(
        &mut self,
        pieces: &[Piece],
        source: &str,
        dot: &Value,
        scope: &mut Scope,
        out: &mut Output,
        top: bool,
    ) -> Result<Flow, Fault> {
        let known = scope.variables.len();
        for piece in pieces {
            self.step()?;
            let flow = match piece {
                Piece::Text(range) => {
                    let text = source.get(range.clone()).unwrap_or_default();
                    self.write(out, text, range.start, true, top);
                    Flow::Next
                }
                Piece::Emit(at, pipe) => {
                    if top {
                        self.place = *at;
                    }
                    self.emit(*at, pipe, source, dot, scope, out, top)?;
                    Flow::Next
                }
                Piece::Template(at, name, argument) => {
                    if top {
                        self.place = *at;
                    }
                    let argument = match argument {
                        Some(pipe) => self.pipe(pipe, dot, scope),
                        None => Ok(Value::Nil),
                    };
                    let text = argument.and_then(|argument| self.include(name, &argument));
                    match text {
                        Ok(text) => self.write(out, &text, *at, false, top),
                        Err(fault) => self.faults.push((self.place, fault)),
                    }
                    Flow::Next
                }
                Piece::If(arms, otherwise) => {
                    let mut chosen = otherwise;
                    let height = scope.variables.len();
                    let way = arms.iter().find(|(_, body)| self.leads(body, top));
                    for (pipe, body) in arms {
                        if let Some((_, way)) = way {
                            chosen = way;
                            break;
                        }
                        if self.leads(otherwise, top) {
                            break;
                        }
                        // What cannot be decided is taken to hold: rather too much than too little.
                        if self.decide(pipe, dot, scope).truth() {
                            chosen = body;
                            break;
                        }
                    }
                    let flow = self.run(chosen, source, dot, scope, out, top)?;
                    scope.variables.truncate(height);
                    flow
                }
                Piece::With(pipe, body, otherwise) => {
                    let height = scope.variables.len();
                    let value = match self.pipe(pipe, dot, scope) {
                        Ok(value) => value,
                        Err(fault) => {
                            self.faults.push((self.place, fault));
                            Value::Nil
                        }
                    };
                    let taken =
                        self.leads(body, top) || (value.truth() && !self.leads(otherwise, top));
                    let flow = if taken {
                        self.run(body, source, &value, scope, out, top)?
                    } else {
                        self.run(otherwise, source, dot, scope, out, top)?
                    };
                    scope.variables.truncate(height);
                    flow
                }
                Piece::Range(pipe, body, otherwise) => {
                    self.range(pipe, body, otherwise, source, dot, scope, out, top)?
                }
                Piece::Break => Flow::Break,
                Piece::Continue => Flow::Continue,
            };
            if !matches!(flow, Flow::Next) {
                scope.variables.truncate(known);
                return Ok(flow);
            }
        }
        scope.variables.truncate(known.max(1));
        Ok(Flow::Next)
    }

    fn decide(&mut self, pipe: &Pipe, dot: &Value, scope: &mut Scope) -> Value {
        match self.pipe(pipe, dot, scope) {
            Ok(value) => value,
            Err(fault) => {
                self.faults.push((self.place, fault));
                Value::Bool(true)
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the state of one loop")]
    fn range(
        &mut self,
        pipe: &Pipe,
        body: &[Piece],
        otherwise: &[Piece],
        source: &str,
        dot: &Value,
        scope: &mut Scope,
        out: &mut Output,
        top: bool,
    ) -> Result<Flow, Fault> {
        let height = scope.variables.len();
        let value = match self.commands(pipe, dot, scope) {
            Ok(value) => value,
            Err(fault) => {
                self.faults.push((self.place, fault));
                Value::Nil
            }
        };
        let items: Vec<(Value, Value)> = match &value {
            Value::List(items) => items
                .iter()
                .enumerate()
                .map(|(at, item)| (Value::Int(at as i64), item.clone()))
                .collect(),
            Value::Map(map) => map
                .0
                .borrow()
                .iter()
                .map(|(key, value)| (Value::text(key.as_str()), value.clone()))
                .collect(),
            Value::Int(count) => (0..(*count).clamp(0, MAX_ITEMS))
                .map(|at| (Value::Int(at), Value::Int(at)))
                .collect(),
            _ => Vec::new(),
        };
        if items.is_empty() && self.leads(body, top) {
            let flow = self.run(body, source, &Value::Nil, scope, out, top)?;
            scope.variables.truncate(height);
            return Ok(flow);
        }
        if items.is_empty() {
            let flow = self.run(otherwise, source, dot, scope, out, top)?;
            scope.variables.truncate(height);
            return Ok(flow);
        }
        for (key, item) in items {
            self.step()?;
            match pipe.variables.as_slice() {
                [one] => scope.variables.push((one.clone(), item.clone())),
                [first, second, ..] => {
                    scope.variables.push((first.clone(), key));
                    scope.variables.push((second.clone(), item.clone()));
                }
                [] => {}
            }
            let flow = self.run(body, source, &item, scope, out, top)?;
            scope.variables.truncate(height);
            if matches!(flow, Flow::Break) {
                break;
            }
        }
        Ok(Flow::Next)
    }

    #[expect(clippy::too_many_arguments, reason = "the state of one action")]
    fn emit(
        &mut self,
        at: usize,
        pipe: &Pipe,
        source: &str,
        dot: &Value,
        scope: &mut Scope,
        out: &mut Output,
        top: bool,
    ) -> Result<(), Fault> {
        match self.pipe(pipe, dot, scope) {
            Ok(value) => {
                if pipe.variables.is_empty() {
                    let text = value.show();
                    self.write(out, &text, at, false, top);
                }
            }
            Err(fault) => {
                if self.steps > MAX_STEPS || self.written > MAX_OUTPUT {
                    return Err(fault);
                }
                self.faults.push((self.place, fault));
                // Alone on its line it would have been a block of its own; within one it is part of a value.
                let before = source.get(..at).unwrap_or_default();
                let line = before.rsplit('\n').next().unwrap_or_default();
                if !line.trim().is_empty() {
                    let mark = UNRENDERED.to_string();
                    self.write(out, &mark, at, false, top);
                }
            }
        }
        Ok(())
    }

    fn write(&mut self, out: &mut Output, text: &str, source: usize, literal: bool, top: bool) {
        if text.is_empty() {
            return;
        }
        self.written += text.len();
        if top {
            out.marks.push(Mark {
                out: out.text.len(),
                source,
                literal,
            });
        }
        out.text.push_str(text);
    }

    /// Runs a named template.
    pub(super) fn include(&mut self, name: &str, argument: &Value) -> Result<String, Fault> {
        let Some((file, index)) = self.library.get(name).copied() else {
            if let Some(text) = super::common::include(self, name, argument) {
                return text;
            }
            return Err(format!(
                "template `{}` is not in the repository",
                super::super::clean::clean(name)
            ));
        };
        let files = self.files;
        let Some((source, body)) = files.get(file).and_then(|file| {
            let body = match index {
                Some(index) => file.parsed.defines.get(index).map(|(_, body)| body),
                None => Some(&file.parsed.body),
            };
            Some((file.source, body?))
        }) else {
            return Ok(String::new());
        };
        self.nested(body, source, argument)
    }

    /// Runs a text as a template.
    pub(super) fn template(&mut self, text: &str, argument: &Value) -> Result<String, Fault> {
        if !text.contains("{{") {
            return Ok(text.to_owned());
        }
        let Ok(parsed) = parse(text) else {
            return Err("a value that is run as a template is none".to_owned());
        };
        self.nested(&parsed.body, text, argument)
    }

    fn nested(&mut self, body: &[Piece], source: &str, argument: &Value) -> Result<String, Fault> {
        let mut out = Output::default();
        let mut scope = Scope::new(argument);
        let faults = self.faults.len();
        self.run(body, source, argument, &mut scope, &mut out, false)?;
        if let Some((_, first)) = self.faults.get(faults) {
            // A value made of something that is missing is missing.
            let fault = first.clone();
            self.faults.truncate(faults);
            return Err(fault);
        }
        Ok(out.text)
    }

    fn pipe(&mut self, pipe: &Pipe, dot: &Value, scope: &mut Scope) -> Result<Value, Fault> {
        let value = self.commands(pipe, dot, scope)?;
        if let Some(name) = pipe.variables.last() {
            if pipe.declares {
                scope.variables.push((name.clone(), value.clone()));
            } else {
                scope.set(name, value.clone());
            }
        }
        Ok(value)
    }

    fn commands(&mut self, pipe: &Pipe, dot: &Value, scope: &mut Scope) -> Result<Value, Fault> {
        let mut value = None;
        for command in &pipe.commands {
            value = Some(self.command(command, value, dot, scope)?);
        }
        Ok(value.unwrap_or(Value::Nil))
    }

    /// One command; `piped` is the value of the one before, its last argument.
    fn command(
        &mut self,
        command: &[Term],
        piped: Option<Value>,
        dot: &Value,
        scope: &mut Scope,
    ) -> Result<Value, Fault> {
        self.step()?;
        let Some((first, rest)) = command.split_first() else {
            return Ok(Value::Nil);
        };
        if let Head::Name(name) = &first.head {
            // These look at no more than they have to.
            if matches!(name.as_str(), "and" | "or") {
                return self.shortcut(name == "or", rest, piped, dot, scope);
            }
            let mut arguments = Vec::with_capacity(rest.len() + 1);
            for term in rest {
                arguments.push(self.term(term, dot, scope)?);
            }
            arguments.extend(piped);
            let value = self.call(name, &arguments)?;
            return Ok(first
                .fields
                .iter()
                .fold(value, |value, name| value.field(name)));
        }
        let value = self.term(first, dot, scope)?;
        let Value::Method(method) = value else {
            return Ok(value);
        };
        let mut arguments = Vec::with_capacity(rest.len() + 1);
        for term in rest {
            arguments.push(self.term(term, dot, scope)?);
        }
        arguments.extend(piped);
        Ok(functions::method(method, &arguments))
    }

    fn shortcut(
        &mut self,
        stops_at: bool,
        terms: &[Term],
        piped: Option<Value>,
        dot: &Value,
        scope: &mut Scope,
    ) -> Result<Value, Fault> {
        let mut last = Value::Nil;
        for term in terms {
            last = self.term(term, dot, scope)?;
            if last.truth() == stops_at {
                return Ok(last);
            }
        }
        Ok(piped.unwrap_or(last))
    }

    fn term(&mut self, term: &Term, dot: &Value, scope: &mut Scope) -> Result<Value, Fault> {
        let value = match &term.head {
            Head::Dot => dot.clone(),
            Head::Variable(name) => scope.get(name).cloned().unwrap_or(Value::Nil),
            Head::Name(name) => self.call(name, &[])?,
            Head::Text(text) => Value::text(text.as_str()),
            Head::Int(value) => Value::Int(*value),
            Head::Float(value) => Value::Float(*value),
            Head::Bool(value) => Value::Bool(*value),
            Head::Nil => Value::Nil,
            Head::Pipe(pipe) => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    self.depth -= 1;
                    return Err("it nests too deeply".to_owned());
                }
                let value = self.pipe(pipe, dot, scope);
                self.depth -= 1;
                value?
            }
        };
        Ok(term
            .fields
            .iter()
            .fold(value, |value, name| value.field(name)))
    }

    fn call(&mut self, name: &str, arguments: &[Value]) -> Result<Value, Fault> {
        match (name, arguments) {
            ("include", [Value::Text(name), argument]) => {
                self.include(name, argument).map(Value::Text)
            }
            ("include", [Value::Text(name)]) => self.include(name, &Value::Nil).map(Value::Text),
            ("tpl", [text, argument]) => self.template(&text.show(), argument).map(Value::Text),
            _ => {
                let value = functions::call(name, arguments)?;
                if let Value::Text(text) = &value {
                    self.written += text.len() / 8;
                }
                Ok(value)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a template writes, with a context of `.a = 1`, `.b = "x"`, `.l = [1, 2]`, `.m = {k: v}`.
    fn rendered(source: &str) -> (String, Vec<String>) {
        let files = [File {
            source,
            parsed: parse(source).unwrap(),
        }];
        let library: Library = files[0]
            .parsed
            .defines
            .iter()
            .enumerate()
            .map(|(index, (name, _))| (name.clone(), (0, Some(index))))
            .collect();
        let root = Value::map([
            ("a".to_owned(), Value::Int(1)),
            ("b".to_owned(), Value::text("x")),
            ("l".to_owned(), Value::list([Value::Int(1), Value::Int(2)])),
            (
                "m".to_owned(),
                Value::map([("k".to_owned(), Value::text("v"))]),
            ),
        ]);
        let out = Engine::new(&files, &library).render(0, &root);
        let faults = out.faults.into_iter().map(|(_, fault)| fault).collect();
        (out.text, faults)
    }

    #[test]
    fn templates_do_what_those_of_go_do() {
        for (source, expected) in [
            ("{{ .a }}-{{ .b | quote }}", "1-\"x\""),
            ("{{ if eq .b \"x\" }}y{{ else }}n{{ end }}", "y"),
            ("{{ if and .a (not .none) }}y{{ end }}", "y"),
            (
                "{{ range $i, $v := .l }}{{ $i }}={{ $v }},{{ end }}",
                "0=1,1=2,",
            ),
            ("{{ range .none }}x{{ else }}empty{{ end }}", "empty"),
            ("{{ with .m }}{{ .k }}{{ $.b }}{{ end }}", "vx"),
            (
                "{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}",
                "2",
            ),
            (
                "{{ define \"t\" }}[{{ .k }}]{{ end }}{{ include \"t\" .m | nindent 2 }}",
                "\n  [v]",
            ),
            ("{{ .none.deeper | default \"d\" }}", "d"),
            ("{{ tpl \"{{ .b }}\" . }}", "x"),
            (
                "{{ printf \"%s-%d %q %v\" .b 3 .b true }}",
                "x-3 \"x\" true",
            ),
            ("a\n{{- /* note */ -}}\nb", "ab"),
            ("{{ toYaml .m }}|{{ .l | toJson }}", "k: v|[1,2]"),
            (
                "{{ $d := dict \"a\" 1 }}{{ $_ := set $d \"b\" 2 }}{{ $d.b }}",
                "2",
            ),
            (
                "{{ ternary \"y\" \"n\" (gt 2 1) }}{{ \"YQ==\" | b64dec }}",
                "ya",
            ),
            (
                "{{ range until 5 }}{{ if eq . 3 }}{{ break }}{{ end }}{{ . }}{{ end }}",
                "012",
            ),
        ] {
            assert_eq!(
                rendered(source),
                (expected.to_owned(), Vec::new()),
                "{source}"
            );
        }
    }

    #[test]
    fn what_cannot_be_rendered_is_marked_and_told() {
        let (text, faults) = rendered("name: {{ include \"gone\" . }}\n{{ nonsense 1 }}\nx: 1");
        assert_eq!(text, format!("name: {UNRENDERED}\n\nx: 1"));
        insta::assert_snapshot!(faults.join("\n"), @r"
        template `gone` is not in the repository
        function `nonsense` is not one this program knows
        ");
    }

    #[test]
    fn endless_templates_end() {
        let (_, faults) =
            rendered("{{ define \"t\" }}{{ include \"t\" . }}{{ end }}{{ include \"t\" . }}");
        assert_eq!(faults.len(), 1);
        let (text, _) =
            rendered("{{ range until 9999 }}{{ range until 9999 }}xxxxxxxxxx{{ end }}{{ end }}");
        assert!(text.len() <= MAX_OUTPUT + 100);
    }

    #[test]
    fn output_knows_where_it_comes_from() {
        let source = "kind: {{ .b }}\nname: y\n";
        let files = [File {
            source,
            parsed: parse(source).unwrap(),
        }];
        let root = Value::map([("b".to_owned(), Value::text("long value"))]);
        let out = Engine::new(&files, &BTreeMap::new()).render(0, &root);
        let at = out.text.find("name").unwrap();
        let mark = out.marks.iter().rfind(|mark| mark.out <= at).unwrap();
        assert!(mark.literal);
        assert_eq!(mark.source + at - mark.out, source.find("name").unwrap());
    }

    #[test]
    fn what_holds_itself_ends() {
        let grow = "{{ $a := dict \"k\" 1 }}{{ range until 60 }}{{ $a = dict \"x\" $a \"y\" $a }}{{ end }}";
        let knot = "{{ $b := dict }}{{ $c := dict \"b\" $b }}{{ $_ := set $b \"c\" $c }}{{ $_ := set $b $b 1 }}{{ $_ := merge $b (dict \"z\" $c) }}";
        for source in [
            format!(
                "{grow}{{{{ toJson $a | len }}}}{{{{ toYaml $a | len }}}}{{{{ eq $a (deepCopy $a) }}}}"
            ),
            "{{ $a := list 1 }}{{ range until 9999 }}{{ $a = list $a }}{{ end }}{{ range until 9999 }}{{ $a = list $a }}{{ end }}{{ len $a }}".to_owned(),
            format!("{knot}{{{{ toJson $b | len }}}}{{{{ $b }}}}"),
        ] {
            let (_, faults) = rendered(&source);
            assert_eq!(faults, Vec::<String>::new());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_template_ends(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "{{ ", " }}", "{{- ", " -}}", "{{ if .a }}", "{{ end }}", "{{ else }}", "{{ range .l }}", "{{ with .m }}", "text é",
                "{{ define \"t\" }}", "include \"t\" . ", "tpl .b . ", "(", ")", " | ", ".m", ".l ", "$", "$x", " := ", " = ", "dict \"a\" ",
                "list ", "set .m \"k\" ", "merge .m ", "toYaml ", "index .l ", "printf \"%05d%s\" ", "nindent 4", "trunc -3 ", "substr 1 9 ",
                "splitList \"\" ", "until 9 ", "semverCompare \">1\" ", "regexMatch \"(\" ", "repeat 9 ", "1 ", "-1 ", "\"x\" ",
            ]), 0..24)
        ) {
            let source = pieces.concat();
            if parse(&source).is_ok() {
                let _ = rendered(&source);
            }
        }
    }
}
