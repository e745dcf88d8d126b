//! Expressions of a program as located trees: calls with their arguments, mappings, lists, texts. What cannot be known without
//! running it is nothing.

use super::super::super::clean::clean;
use super::super::super::node::{Key, Node, Value};
use super::super::super::text::Text;
use super::source::Source;
use super::token::{Kind, Language, said};
use std::collections::BTreeMap;
use std::ops::Range;

/// Key of a call's tree under which the called name stands.
pub(super) const CALL: &str = "type";
/// Deepest nesting followed, names of variables included.
const MAX_DEPTH: usize = 24;
/// Most entries of one mapping, list or call.
const MAX_ENTRIES: usize = 500;
/// Most values of one file.
const MAX_VALUES: usize = 100_000;

/// Reads expressions of one program.
pub(super) struct Values<'s, 't> {
    pub(super) source: &'s Source<'t>,
    pub(super) text: &'s Text<'s>,
    read: usize,
}

impl<'s, 't> Values<'s, 't> {
    pub(super) const fn new(source: &'s Source<'t>, text: &'s Text<'s>) -> Self {
        Self {
            source,
            text,
            read: 0,
        }
    }

    pub(super) fn node(&self, at: usize, value: Value) -> Node {
        let span = self
            .source
            .token(at)
            .map_or((0, 0), |token| (token.start, token.end));
        Node::at(self.text, span, value)
    }

    pub(super) fn scalar(&self, at: usize, text: String, plain: bool) -> Node {
        self.node(at, Value::Scalar { text, plain })
    }

    pub(super) fn key(&self, at: usize, text: String) -> Key {
        let (line, column) = self
            .text
            .position(self.source.token(at).map_or(0, |token| token.start));
        Key { text, line, column }
    }

    /// The arguments of a call, by name; those without one by their number. The only mapping given is the arguments itself, as
    /// is usual in JavaScript.
    pub(super) fn arguments(&mut self, open: usize, depth: usize) -> Vec<(Key, Node)> {
        let end = self.source.behind(open);
        let mut entries = Vec::new();
        let mut at = open + 1;
        let mut position = 0;
        while at + 1 < end && entries.len() < MAX_ENTRIES {
            let named = self
                .source
                .name(at)
                .filter(|_| self.source.is(at + 1, b'=') && !self.source.is(at + 2, b'='));
            let (key, value) = match named {
                Some(name) => (self.key(at, name.to_owned()), at + 2),
                None => (self.key(at, position.to_string()), at),
            };
            let (node, next) = self.value(value, end, depth + 1);
            if named.is_none() {
                position += 1;
                if self.source.language == Language::Script
                    && let Value::Map(inner) = node.value
                {
                    entries.extend(inner);
                    at = next;
                    continue;
                }
            }
            entries.push((key, node));
            at = next;
        }
        entries
    }

    /// The value that begins at a token, and where the next one does: behind the comma, at the latest at `end`.
    pub(super) fn value(&mut self, at: usize, end: usize, depth: usize) -> (Node, usize) {
        self.read += 1;
        if depth > MAX_DEPTH || self.read > MAX_VALUES {
            return (self.node(at, Value::Null), self.skip(at, end));
        }
        let (mut node, mut next) = self.primary(at, end, depth);
        // `a or b`, `a ?? b`: the first that is known.
        while matches!(node.value, Value::Null) && next < end {
            let word = self.source.word(next);
            let width = match word {
                "or" | "as" => 1,
                "|" | "?" if self.source.word(next + 1) == word => 2,
                _ => break,
            };
            (node, next) = self.primary(next + width, end, depth);
        }
        let behind = self.skip(next, end);
        // Of what cannot be read, such as a function, it counts what it asks of the environment.
        let function = self.source.is(next, b'=') && self.source.is(next + 1, b'>');
        if function || matches!(node.value, Value::Null) {
            let given = self.environment(at..behind);
            let named = self.key(at, "env".to_owned());
            node.value = if given.is_empty() {
                Value::Null
            } else {
                Value::Map(vec![(named, self.node(at, Value::Map(given)))])
            };
        }
        (node, behind)
    }

    /// Behind the next comma of this depth, or the end.
    fn skip(&self, mut at: usize, end: usize) -> usize {
        while at < end {
            match self.source.kind(at) {
                Some(Kind::Mark(b',')) => return at + 1,
                Some(Kind::Mark(b'(' | b'[' | b'{')) => at = self.source.behind(at),
                Some(Kind::Mark(b')' | b']' | b'}')) | None => return end,
                _ => at += 1,
            }
        }
        end
    }

    fn primary(&mut self, mut at: usize, end: usize, depth: usize) -> (Node, usize) {
        while at < end
            && (matches!(self.source.word(at), "await" | "new" | "not" | "async")
                || matches!(self.source.kind(at), Some(Kind::Mark(b'*' | b'.' | b'!'))))
        {
            at += 1;
        }
        match self.source.kind(at) {
            Some(Kind::Text) => {
                let start = at;
                let mut text = String::new();
                while self.source.kind(at) == Some(Kind::Text) && at < end {
                    text.push_str(&self.interpolated(at));
                    at += 1;
                }
                (self.scalar(start, text, false), at)
            }
            Some(Kind::Number) => {
                let text = self.source.word(at).to_owned();
                (self.scalar(at, text, true), at + 1)
            }
            Some(Kind::Mark(b'{')) => (self.mapping(at, depth), self.source.behind(at)),
            Some(Kind::Mark(b'[')) => (self.list(at, depth), self.source.behind(at)),
            Some(Kind::Mark(b'(')) => {
                let behind = self.source.behind(at);
                let mut node = self.list(at, depth);
                if let Value::List(items) = &mut node.value
                    && items.len() == 1
                    && !self.source.is(behind.saturating_sub(2), b',')
                    && let Some(only) = items.pop()
                {
                    node = only;
                }
                (node, behind)
            }
            Some(Kind::Name) => self.named(at, end, depth),
            _ => (self.node(at, Value::Null), at),
        }
    }

    fn list(&mut self, open: usize, depth: usize) -> Node {
        let end = self.source.behind(open) - 1;
        let mut items = Vec::new();
        let mut at = open + 1;
        while at < end && items.len() < MAX_ENTRIES {
            let (node, next) = self.item(at, end, depth);
            items.push(node);
            at = next;
        }
        self.node(open, Value::List(items))
    }

    /// An item of a list: a bare name keeps it, with what the value or function of that name is given.
    fn item(&mut self, at: usize, end: usize, depth: usize) -> (Node, usize) {
        let bare = self.source.name(at).filter(|_| {
            let next = at + 1;
            next >= end || self.source.is(next, b',')
        });
        let (node, next) = self.value(at, end, depth + 1);
        let Some(name) = bare else {
            // `toolbox.search`, `search.as_tool()`: by its last name.
            if matches!(node.value, Value::Null)
                && let Some((name, _)) = self.path(at, end).split_last()
            {
                return (self.scalar(at, clean(name), true), next);
            }
            return (node, next);
        };
        let named = (
            self.key(at, "name".to_owned()),
            self.scalar(at, clean(name), true),
        );
        let node = match node.value {
            Value::Map(mut entries) => {
                if !entries.iter().any(|(key, _)| key.text == "name") {
                    entries.push(named);
                }
                self.node(at, Value::Map(entries))
            }
            _ => match self.source.function(name) {
                Some(body) => {
                    let given = self.environment(body);
                    let environment = (
                        self.key(at, "env".to_owned()),
                        self.node(at, Value::Map(given)),
                    );
                    self.node(at, Value::Map(vec![named, environment]))
                }
                None => self.scalar(at, clean(name), true),
            },
        };
        (node, next)
    }

    fn mapping(&mut self, open: usize, depth: usize) -> Node {
        let end = self.source.behind(open) - 1;
        let mut entries = Vec::new();
        let mut at = open + 1;
        while at < end && entries.len() < MAX_ENTRIES {
            let key = match self.source.kind(at) {
                Some(Kind::Text) => Some(said(self.source.word(at))),
                Some(Kind::Name) => self.source.name(at).map(str::to_owned),
                _ => None,
            };
            let Some(key) = key.map(|key| self.key(at, key)) else {
                let (spread, next) = self.value(at, end, depth + 1);
                if let Value::Map(inner) = spread.value {
                    entries.extend(inner);
                }
                at = next;
                continue;
            };
            if self.source.is(at + 1, b':') {
                let (node, next) = self.value(at + 2, end, depth + 1);
                entries.push((key, node));
                at = next;
            } else {
                // `{ search }`: a name that is its own key; anything else says nothing.
                let short = at + 1 >= end || self.source.is(at + 1, b',');
                let (node, next) = self.value(at, end, depth + 1);
                if short {
                    entries.push((key, node));
                }
                at = next;
            }
        }
        self.node(open, Value::Map(entries))
    }

    /// The parts of a dotted name that begins here, and nothing else before the comma.
    fn path(&self, mut at: usize, end: usize) -> Vec<&'t str> {
        let mut parts = Vec::new();
        while at < end {
            match self.source.name(at) {
                Some(name) => parts.push(name),
                None if self.source.is(at, b'.') || self.source.is(at, b'?') => {}
                None => break,
            }
            at += 1;
        }
        parts
    }

    /// A name and what follows it: a call, a value of the environment, a variable.
    fn named(&mut self, start: usize, end: usize, depth: usize) -> (Node, usize) {
        if let Some((name, next)) = environment(self.source, start) {
            return (self.scalar(start, format!("${{{name}}}"), false), next);
        }
        let mut at = start;
        let mut parts: Vec<&str> = Vec::new();
        let mut node = Value::Null;
        loop {
            match self.source.kind(at) {
                Some(Kind::Name)
                    if at < end && (parts.is_empty() || self.source.is(at - 1, b'.')) =>
                {
                    parts.push(self.source.word(at));
                    at += 1;
                }
                Some(Kind::Mark(b'.' | b'!')) if at < end => at += 1,
                Some(Kind::Mark(b'?')) if self.source.is(at + 1, b'.') => at += 1,
                Some(Kind::Mark(b'[')) if at < end => at = self.source.behind(at),
                Some(Kind::Mark(b'(')) if at < end => {
                    if matches!(node, Value::Null)
                        && let Some(called) = parts.last()
                    {
                        // By its own name, whatever it is called here.
                        let imported = self.source.imported(&parts);
                        let called =
                            imported.map_or_else(|| clean(called), |(_, name)| clean(&name));
                        let mut entries = vec![(
                            self.key(start, CALL.to_owned()),
                            self.scalar(start, called, true),
                        )];
                        entries.extend(self.arguments(at, depth + 1));
                        // `client.get_tools()`: with what the client is.
                        if let [base, _, ..] = parts.as_slice()
                            && let Some(of) = self.assigned(base, depth)
                        {
                            entries.push((self.key(start, "of".to_owned()), of));
                        }
                        node = Value::Map(entries);
                    }
                    at = self.source.behind(at);
                }
                _ => break,
            }
        }
        if let ([name], Value::Null) = (parts.as_slice(), &node) {
            match *name {
                "True" | "true" => return (self.scalar(start, "true".into(), true), at),
                "False" | "false" => return (self.scalar(start, "false".into(), true), at),
                "lambda" | "function" => return (self.node(start, node), at),
                _ => {}
            }
            if let Some(known) = self.assigned(name, depth) {
                return (known, at);
            }
        }
        (self.node(start, node), at)
    }

    /// The value that is assigned to a name.
    fn assigned(&mut self, name: &str, depth: usize) -> Option<Node> {
        // A name may stand for itself in the end.
        self.read += 1;
        if depth > MAX_DEPTH || self.read > MAX_VALUES {
            return None;
        }
        let value = self.source.value_of(name)?;
        Some(self.primary(value, self.source.len(), depth + 4).0)
    }

    /// A text in which values of the environment stand by their names.
    fn interpolated(&self, at: usize) -> String {
        let text = said(self.source.word(at));
        if !text.contains("env") {
            return text;
        }
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some(open) = rest.find('{') {
            let inner = rest.get(open + 1..).unwrap_or_default();
            let Some(close) = inner.find('}') else {
                break;
            };
            let expression = inner.get(..close).unwrap_or_default();
            let program = Source::read(expression, self.source.language);
            let (before, behind) = (
                rest.get(..open).unwrap_or_default(),
                inner.get(close + 1..).unwrap_or_default(),
            );
            if let Some((name, _)) = environment(&program, 0) {
                out.push_str(before.strip_suffix('$').unwrap_or(before));
                out.push_str("${");
                out.push_str(&name);
                out.push('}');
            } else {
                out.push_str(before);
                out.push('{');
                out.push_str(expression);
                out.push('}');
            }
            rest = behind;
        }
        out.push_str(rest);
        out
    }

    /// Variables of the environment that stand within a text.
    fn asked_in(&self, at: usize) -> Vec<String> {
        let text = said(self.source.word(at));
        if !text.contains("env") {
            return Vec::new();
        }
        let expressions = text
            .split('{')
            .skip(1)
            .filter_map(|part| part.split_once('}'));
        expressions
            .filter_map(|(expression, _)| {
                let program = Source::read(expression, self.source.language);
                environment(&program, 0).map(|(name, _)| name)
            })
            .collect()
    }

    /// Values of the environment that tokens ask for, by name.
    pub(super) fn environment(&self, tokens: Range<usize>) -> Vec<(Key, Node)> {
        let mut found = BTreeMap::new();
        for at in tokens {
            if let Some((name, _)) = environment(self.source, at) {
                found.entry(name).or_insert(at);
            }
            if self.source.kind(at) == Some(Kind::Text) {
                for name in self.asked_in(at) {
                    found.entry(name).or_insert(at);
                }
            }
        }
        found
            .into_iter()
            .take(MAX_ENTRIES)
            .map(|(name, at)| {
                let value = self.scalar(at, format!("${{{name}}}"), false);
                (self.key(at, name), value)
            })
            .collect()
    }
}

/// The variable of the environment that is asked for at a token, and where the expression ends.
fn environment(source: &Source<'_>, at: usize) -> Option<(String, usize)> {
    if at > 0 && source.is(at - 1, b'.') {
        return None;
    }
    let words = |parts: &[&str]| {
        parts
            .iter()
            .enumerate()
            .all(|(index, part)| source.word(at + index) == *part)
    };
    // `open` is where the bracket or the name behind the dot stands.
    let bracketed = |open: usize| {
        let name = said(source.word(open + 1));
        (source.kind(open + 1) == Some(Kind::Text) && is_variable(&name))
            .then(|| (name, source.behind(open)))
    };
    let calls: [&[&str]; 8] = [
        &["os", ".", "getenv", "("],
        &["os", ".", "environ", ".", "get", "("],
        &["os", ".", "environ", "["],
        &["environ", ".", "get", "("],
        &["environ", "["],
        &["getenv", "("],
        &["process", ".", "env", "["],
        &["Deno", ".", "env", ".", "get", "("],
    ];
    if let Some(call) = calls.iter().find(|call| words(call)) {
        return bracketed(at + call.len() - 1);
    }
    let members: [&[&str]; 3] = [
        &["process", ".", "env", "."],
        &["Bun", ".", "env", "."],
        &["import", ".", "meta", ".", "env", "."],
    ];
    let member = members.iter().find(|member| words(member))?;
    let name = source.name(at + member.len())?;
    let next = at + member.len() + 1;
    // `process.env.NAME!`
    Some((name.to_owned(), next + usize::from(source.is(next, b'!'))))
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
