//! Templates as a tree: what of Go's text templates charts use.

use std::ops::Range;

/// Deepest nesting of blocks and parentheses.
const MAX_NESTING: usize = 60;
/// Most nodes of one file.
const MAX_NODES: usize = 50_000;

/// One piece of a template.
pub(super) enum Piece {
    /// Text, by its place in the source.
    Text(Range<usize>),
    /// An action whose value is written out.
    Emit(usize, Pipe),
    /// `if` and its `else if`s.
    If(Vec<(Pipe, Vec<Piece>)>, Vec<Piece>),
    /// `with`.
    With(Pipe, Vec<Piece>, Vec<Piece>),
    /// `range`.
    Range(Pipe, Vec<Piece>, Vec<Piece>),
    /// `template`, and `block` where it is defined.
    Template(usize, String, Option<Pipe>),
    /// `break`.
    Break,
    /// `continue`.
    Continue,
}

/// Commands, each given the value of the one before; what is declared or assigned with it.
pub(super) struct Pipe {
    /// Variables and whether they are new.
    pub(super) variables: Vec<String>,
    /// `:=` rather than `=`.
    pub(super) declares: bool,
    /// Commands.
    pub(super) commands: Vec<Vec<Term>>,
}

/// An operand and the fields taken from it.
pub(super) struct Term {
    /// What it starts with.
    pub(super) head: Head,
    /// Names of fields, in order.
    pub(super) fields: Vec<String>,
}

/// What an operand starts with.
pub(super) enum Head {
    /// `.`
    Dot,
    /// `$name`
    Variable(String),
    /// A function.
    Name(String),
    /// A text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// Another number.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// Nothing.
    Nil,
    /// A pipeline in parentheses.
    Pipe(Box<Pipe>),
}

/// What a file holds.
#[derive(Default)]
pub(super) struct Parsed {
    /// What it writes itself.
    pub(super) body: Vec<Piece>,
    /// What it defines.
    pub(super) defines: Vec<(String, Vec<Piece>)>,
}

/// A text that is no template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    /// Byte offset.
    pub(super) at: usize,
}

/// Parses a file.
pub(super) fn parse(source: &str) -> Result<Parsed, Malformed> {
    let mut parser = Parser {
        source,
        at: 0,
        trims: false,
        nodes: 0,
        parsed: Parsed::default(),
    };
    let (body, end) = parser.block(0)?;
    match end {
        End::File => {
            parser.parsed.body = body;
            Ok(parser.parsed)
        }
        _ => Err(Malformed { at: parser.at }),
    }
}

/// What ended a block.
enum End {
    File,
    Block,
    Else,
    ElseIf(Pipe),
    ElseWith(Pipe),
}

struct Parser<'s> {
    source: &'s str,
    at: usize,
    /// The action before ended in `-}}`.
    trims: bool,
    nodes: usize,
    parsed: Parsed,
}

impl<'s> Parser<'s> {
    fn fault<T>(&self) -> Result<T, Malformed> {
        Err(Malformed { at: self.at })
    }

    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// Pieces up to an `end`, an `else` or the end of the file.
    fn block(&mut self, depth: usize) -> Result<(Vec<Piece>, End), Malformed> {
        if depth > MAX_NESTING {
            return self.fault();
        }
        let mut pieces = Vec::new();
        loop {
            self.nodes += 1;
            if self.nodes > MAX_NODES {
                return self.fault();
            }
            let start = self.at;
            let rest = self.rest();
            let open = rest.find("{{");
            let text = rest.get(..open.unwrap_or(rest.len())).unwrap_or_default();
            let before = open.is_some_and(|open| {
                let after = rest.get(open + 2..).unwrap_or_default();
                after.starts_with('-') && after[1..].starts_with(char::is_whitespace)
            });
            let mut from = start;
            let mut to = start + text.len();
            if self.trims {
                from = to - text.trim_start().len();
            }
            if before {
                let kept = self.source.get(from..to).unwrap_or_default();
                to = from + kept.trim_end().len();
            }
            if from < to {
                pieces.push(Piece::Text(from..to));
            }
            let Some(open) = open else {
                self.at = self.source.len();
                return Ok((pieces, End::File));
            };
            let action = start + open;
            self.at = action + 2 + usize::from(before);
            self.space();
            if let Some(end) = self.action(action, depth, &mut pieces)? {
                return Ok((pieces, end));
            }
        }
    }

    /// One action; what it ends, if it ends a block.
    fn action(
        &mut self,
        action: usize,
        depth: usize,
        pieces: &mut Vec<Piece>,
    ) -> Result<Option<End>, Malformed> {
        if self.rest().starts_with("/*") {
            let Some(close) = self.rest().find("*/") else {
                return self.fault();
            };
            self.at += close + 2;
            self.close()?;
            return Ok(None);
        }
        let word = self.word();
        let known = self.at;
        match word {
            "end" => {
                self.at += word.len();
                self.close()?;
                return Ok(Some(End::Block));
            }
            "else" => {
                self.at += word.len();
                self.space();
                let end = match self.word() {
                    "if" => {
                        self.at += 2;
                        End::ElseIf(self.pipe(depth)?)
                    }
                    "with" => {
                        self.at += 4;
                        End::ElseWith(self.pipe(depth)?)
                    }
                    _ => End::Else,
                };
                self.close()?;
                return Ok(Some(end));
            }
            "if" | "with" | "range" => {
                self.at += word.len();
                let pipe = self.pipe(depth)?;
                self.close()?;
                pieces.push(self.control(word, pipe, depth)?);
            }
            "define" | "block" => {
                self.at += word.len();
                self.space();
                let Some(name) = self.string()? else {
                    return self.fault();
                };
                let argument = if word == "block" {
                    Some(self.pipe(depth)?)
                } else {
                    None
                };
                self.close()?;
                let (body, end) = self.block(depth + 1)?;
                if !matches!(end, End::Block) {
                    return self.fault();
                }
                self.parsed.defines.push((name.clone(), body));
                if word == "block" {
                    pieces.push(Piece::Template(action, name, argument));
                }
            }
            "template" => {
                self.at += word.len();
                self.space();
                let Some(name) = self.string()? else {
                    return self.fault();
                };
                self.space();
                let argument = if self.closing() {
                    None
                } else {
                    Some(self.pipe(depth)?)
                };
                self.close()?;
                pieces.push(Piece::Template(action, name, argument));
            }
            "break" | "continue" => {
                self.at += word.len();
                self.close()?;
                pieces.push(if word == "break" {
                    Piece::Break
                } else {
                    Piece::Continue
                });
            }
            _ => {
                self.at = known;
                let pipe = self.pipe(depth)?;
                self.close()?;
                pieces.push(Piece::Emit(action, pipe));
            }
        }
        Ok(None)
    }

    /// The blocks of `if`, `with` and `range`.
    fn control(&mut self, word: &str, pipe: Pipe, depth: usize) -> Result<Piece, Malformed> {
        let mut arms = Vec::new();
        let mut otherwise = Vec::new();
        let mut pipe = pipe;
        loop {
            let (body, end) = self.block(depth + 1)?;
            match end {
                End::Block => {
                    arms.push((pipe, body));
                    break;
                }
                End::Else => {
                    arms.push((pipe, body));
                    let (rest, end) = self.block(depth + 1)?;
                    if !matches!(end, End::Block) {
                        return self.fault();
                    }
                    otherwise = rest;
                    break;
                }
                End::ElseIf(next) if word == "if" => {
                    arms.push((pipe, body));
                    pipe = next;
                    if arms.len() > MAX_NODES {
                        return self.fault();
                    }
                }
                End::ElseIf(next) => {
                    arms.push((pipe, body));
                    otherwise.push(self.control("if", next, depth + 1)?);
                    break;
                }
                End::ElseWith(next) => {
                    arms.push((pipe, body));
                    otherwise.push(self.control("with", next, depth + 1)?);
                    break;
                }
                End::File => return self.fault(),
            }
            if depth > MAX_NESTING {
                return self.fault();
            }
        }
        if word == "if" {
            return Ok(Piece::If(arms, otherwise));
        }
        let Some((pipe, body)) = arms.pop() else {
            return self.fault();
        };
        Ok(if word == "with" {
            Piece::With(pipe, body, otherwise)
        } else {
            Piece::Range(pipe, body, otherwise)
        })
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// The identifier here; empty when there is none.
    fn word(&self) -> &'s str {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    fn closing(&self) -> bool {
        let rest = self.rest();
        rest.starts_with("}}") || rest.starts_with("-}}")
    }

    fn close(&mut self) -> Result<(), Malformed> {
        self.space();
        let rest = self.rest();
        if rest.starts_with("-}}") {
            self.at += 3;
            self.trims = true;
        } else if rest.starts_with("}}") {
            self.at += 2;
            self.trims = false;
        } else {
            return self.fault();
        }
        Ok(())
    }

    fn pipe(&mut self, depth: usize) -> Result<Pipe, Malformed> {
        if depth > MAX_NESTING {
            return self.fault();
        }
        self.space();
        let mut pipe = Pipe {
            variables: Vec::new(),
            declares: false,
            commands: Vec::new(),
        };
        let start = self.at;
        loop {
            if !self.rest().starts_with('$') {
                break;
            }
            self.at += 1;
            let name = self.word();
            self.at += name.len();
            self.space();
            let rest = self.rest();
            if rest.starts_with(',') {
                pipe.variables.push(name.to_owned());
                self.at += 1;
                self.space();
                continue;
            }
            if rest.starts_with(":=") || (rest.starts_with('=') && !rest.starts_with("==")) {
                pipe.variables.push(name.to_owned());
                pipe.declares = rest.starts_with(':');
                self.at += if pipe.declares { 2 } else { 1 };
                self.space();
            } else {
                pipe.variables.clear();
                self.at = start;
            }
            break;
        }
        loop {
            let mut terms = Vec::new();
            loop {
                self.space();
                let rest = self.rest();
                if rest.is_empty() {
                    return self.fault();
                }
                if self.closing() || rest.starts_with(['|', ')']) {
                    break;
                }
                self.nodes += 1;
                if self.nodes > MAX_NODES {
                    return self.fault();
                }
                terms.push(self.term(depth)?);
            }
            if terms.is_empty() {
                // Go lets a pipeline end in `|`.
                if pipe.commands.is_empty() || self.rest().starts_with('|') {
                    return self.fault();
                }
                return Ok(pipe);
            }
            pipe.commands.push(terms);
            if !self.rest().starts_with('|') {
                return Ok(pipe);
            }
            self.at += 1;
        }
    }

    fn term(&mut self, depth: usize) -> Result<Term, Malformed> {
        let rest = self.rest();
        let head = if rest.starts_with('(') {
            self.at += 1;
            let pipe = self.pipe(depth + 1)?;
            if !self.rest().starts_with(')') {
                return self.fault();
            }
            self.at += 1;
            Head::Pipe(Box::new(pipe))
        } else if rest.starts_with('$') {
            self.at += 1;
            let name = self.word();
            self.at += name.len();
            Head::Variable(name.to_owned())
        } else if rest.starts_with(['"', '`', '\'']) {
            match self.string()? {
                Some(text) => Head::Text(text),
                None => return self.fault(),
            }
        } else if let Some(after) = rest.strip_prefix('.') {
            if !after.starts_with(|c: char| c.is_alphabetic() || c == '_') {
                self.at += 1;
                return Ok(Term {
                    head: Head::Dot,
                    fields: Vec::new(),
                });
            }
            Head::Dot
        } else if rest.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+') {
            self.number()?
        } else {
            let name = self.word();
            if name.is_empty() {
                return self.fault();
            }
            self.at += name.len();
            match name {
                "true" => Head::Bool(true),
                "false" => Head::Bool(false),
                "nil" => Head::Nil,
                _ => Head::Name(name.to_owned()),
            }
        };
        let mut fields = Vec::new();
        while self.rest().starts_with('.') {
            self.at += 1;
            let name = self.word();
            if name.is_empty() || fields.len() > MAX_NESTING {
                return self.fault();
            }
            self.at += name.len();
            fields.push(name.to_owned());
        }
        Ok(Term { head, fields })
    }

    fn number(&mut self) -> Result<Head, Malformed> {
        let rest = self.rest();
        let end = rest
            .char_indices()
            .find(|(at, c)| !(c.is_alphanumeric() || *c == '.' || *c == '_' || (*at == 0)))
            .map_or(rest.len(), |(at, _)| at);
        let text = rest.get(..end).unwrap_or_default();
        self.at += end;
        if let Ok(int) = text.parse() {
            return Ok(Head::Int(int));
        }
        if let Some(octal) = text.strip_prefix("0o").or_else(|| text.strip_prefix('0'))
            && let Ok(int) = i64::from_str_radix(octal, 8)
        {
            return Ok(Head::Int(int));
        }
        match text.parse() {
            Ok(float) => Ok(Head::Float(float)),
            Err(_) => self.fault(),
        }
    }

    /// A quoted text, if one starts here.
    fn string(&mut self) -> Result<Option<String>, Malformed> {
        let mut chars = self.rest().char_indices();
        let Some((_, quote)) = chars.next().filter(|(_, c)| matches!(c, '"' | '`' | '\'')) else {
            return Ok(None);
        };
        let mut text = String::new();
        while let Some((at, c)) = chars.next() {
            if c == quote {
                self.at += at + 1;
                return Ok(Some(text));
            }
            if c != '\\' || quote == '`' {
                text.push(c);
                continue;
            }
            match chars.next().map(|(_, c)| c) {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('r') => text.push('\r'),
                Some(c) => text.push(c),
                None => break,
            }
        }
        self.fault()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn blocks_nest_and_dashes_trim() {
        let source = "a {{- if .x }} b {{ else if eq .y 1 -}} c {{ end }}\n{{ define \"n\" }}{{ . }}{{ end }}d";
        let parsed = parse(source).unwrap();
        let Some(Piece::If(arms, _)) = parsed.body.get(1) else {
            panic!("no if");
        };
        assert_eq!(arms.len(), 2);
        let Some(Piece::Text(text)) = parsed.body.first() else {
            panic!("no text");
        };
        assert_eq!(&source[text.clone()], "a");
        let Some(Piece::Text(text)) = arms[1].1.first() else {
            panic!("no text");
        };
        assert_eq!(&source[text.clone()], "c ");
        assert_eq!(parsed.defines[0].0, "n");
    }

    #[test]
    fn a_pipeline_may_end_in_a_pipe() {
        assert!(parse("{{ $list = append $list (printf \"%s\" .) | }}{{ (.a | ) }}").is_ok());
    }

    #[test]
    fn what_is_not_closed_is_no_template() {
        for source in [
            "{{ | }}",
            "{{ .a || .b }}",
            "{{ if .x }}",
            "{{ .x",
            "{{ end }}",
            "{{ \"a }}",
            "{{ (a }}",
        ] {
            assert!(parse(source).is_err(), "{source}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_template_or_not(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "{{", "}}", "{{-", " -}}", "if ", "end", "else ", "range ", "define ", "\"a\"", "(", ")", "|", ".", ".a", "$", "$x",
                ":=", "=", ",", " ", "é", "1", "/*", "*/", "`", "with ", "template ", "block ", "-",
            ]), 0..40)
        ) {
            let _ = parse(&pieces.concat());
        }
    }
}
