//! A program's text with what its names stand for: imports, assignments, functions.

use super::token::{Kind, Language, Token, tokens};
use std::collections::BTreeMap;
use std::ops::Range;

/// A program, read once.
pub(super) struct Source<'t> {
    text: &'t str,
    pub(super) language: Language,
    tokens: Vec<Token>,
    /// What a name was imported from: module, and name there; empty for the module itself.
    imports: BTreeMap<&'t str, (String, String)>,
    /// Where the value of a name begins that is assigned once.
    values: BTreeMap<&'t str, Option<usize>>,
    /// Tokens of a function's parameters and body.
    functions: BTreeMap<&'t str, Range<usize>>,
    classes: Vec<Class<'t>>,
}

/// A class that extends others.
pub(super) struct Class<'t> {
    pub(super) name: &'t str,
    /// Where the word `class` stands.
    pub(super) start: usize,
    /// What it extends, each as its dotted name.
    pub(super) bases: Vec<Vec<&'t str>>,
    /// Tokens of its body.
    pub(super) body: Range<usize>,
}

impl<'t> Source<'t> {
    pub(super) fn read(text: &'t str, language: Language) -> Self {
        let mut source = Self {
            text,
            language,
            tokens: tokens(text, language),
            imports: BTreeMap::new(),
            values: BTreeMap::new(),
            functions: BTreeMap::new(),
            classes: Vec::new(),
        };
        for at in 0..source.tokens.len() {
            match language {
                Language::Python => source.python(at),
                Language::Script => source.script(at),
            }
            source.assigned(at);
        }
        source
    }

    /// Number of tokens.
    pub(super) fn len(&self) -> usize {
        self.tokens.len()
    }

    pub(super) fn token(&self, at: usize) -> Option<Token> {
        self.tokens.get(at).copied()
    }

    pub(super) fn kind(&self, at: usize) -> Option<Kind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    /// A token as written; empty behind the end.
    pub(super) fn word(&self, at: usize) -> &'t str {
        self.tokens
            .get(at)
            .and_then(|token| self.text.get(token.start..token.end))
            .unwrap_or_default()
    }

    /// The name at a token.
    pub(super) fn name(&self, at: usize) -> Option<&'t str> {
        (self.kind(at) == Some(Kind::Name)).then(|| self.word(at))
    }

    pub(super) fn is(&self, at: usize, mark: u8) -> bool {
        self.kind(at) == Some(Kind::Mark(mark))
    }

    /// Where the only value that is assigned to a name begins.
    pub(super) fn value_of(&self, name: &str) -> Option<usize> {
        self.values.get(name).copied().flatten()
    }

    /// Tokens of a function's parameters and body.
    pub(super) fn function(&self, name: &str) -> Option<Range<usize>> {
        self.functions.get(name).cloned()
    }

    /// Classes that extend others, in the order of the text.
    pub(super) fn classes(&self) -> &[Class<'t>] {
        &self.classes
    }

    /// Module and name of what a dotted name stands for, when its first part was imported.
    pub(super) fn imported(&self, parts: &[&str]) -> Option<(String, String)> {
        let (first, rest) = parts.split_first()?;
        // `import a.b` makes `a.b.C` known by its whole name.
        let (module, name) = self.imports.get(first)?;
        let mut whole: Vec<&str> = Vec::new();
        if !name.is_empty() {
            whole.push(name);
        }
        whole.extend(rest);
        let (call, between) = whole.split_last()?;
        let module = match self.language {
            Language::Python => between.iter().fold(module.clone(), |mut module, part| {
                module.push('.');
                module.push_str(part);
                module
            }),
            Language::Script => module.clone(),
        };
        Some((module, (*call).to_owned()))
    }

    /// Behind the bracket that closes what opens at a token; the end where nothing does.
    pub(super) fn behind(&self, open: usize) -> usize {
        let mut depth = 0usize;
        for at in open..self.tokens.len() {
            match self.kind(at) {
                Some(Kind::Mark(b'(' | b'[' | b'{')) => depth += 1,
                Some(Kind::Mark(b')' | b']' | b'}')) => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return at + 1;
                    }
                }
                _ => {}
            }
        }
        self.tokens.len()
    }

    /// The name of the function, method or variable that a token stands in the making of.
    pub(super) fn around(&self, at: usize) -> Option<&'t str> {
        (0..at.min(self.tokens.len()))
            .rev()
            .take(4_000)
            .find_map(|at| {
                let next = self.name(at + 1)?;
                matches!(self.word(at), "def" | "function" | "class").then_some(next)
            })
    }

    fn dotted(&self, mut at: usize) -> (String, usize) {
        let mut whole = String::new();
        while self.kind(at) == Some(Kind::Name) || self.is(at, b'.') {
            if self.kind(at) == Some(Kind::Name) && !whole.is_empty() && !whole.ends_with('.') {
                break;
            }
            whole.push_str(self.word(at));
            at += 1;
        }
        (whole, at)
    }

    fn python(&mut self, at: usize) {
        let first = self.token(at).is_some_and(|token| token.first);
        match self.word(at) {
            "from" if first => {
                let (module, next) = self.dotted(at + 1);
                if self.word(next) != "import" {
                    return;
                }
                let bracket = self.is(next + 1, b'(');
                let mut at = next + 1 + usize::from(bracket);
                while let Some(name) = self.name(at) {
                    if !bracket && self.token(at).is_some_and(|token| token.first) {
                        break;
                    }
                    let renamed = (self.word(at + 1) == "as").then(|| self.word(at + 2));
                    self.imports
                        .insert(renamed.unwrap_or(name), (module.clone(), name.to_owned()));
                    at += if renamed.is_some() { 3 } else { 1 };
                    if !self.is(at, b',') {
                        break;
                    }
                    at += 1;
                }
            }
            "import" if first => {
                let mut at = at + 1;
                loop {
                    let (module, next) = self.dotted(at);
                    if module.is_empty() {
                        return;
                    }
                    let renamed = (self.word(next) == "as").then(|| self.word(next + 1));
                    if let Some(name) = renamed {
                        self.imports.insert(name, (module, String::new()));
                    } else if let Some(name) = self.name(at) {
                        self.imports.insert(name, (name.to_owned(), String::new()));
                    }
                    at = next + if renamed.is_some() { 2 } else { 0 };
                    if !self.is(at, b',') {
                        return;
                    }
                    at += 1;
                }
            }
            "def" => {
                let Some(name) = self.name(at + 1) else {
                    return;
                };
                let end = self.end_of_block(at, self.behind(at + 2));
                self.functions.insert(name, at..end);
            }
            "class" if first => {
                let Some(name) = self.name(at + 1) else {
                    return;
                };
                let mut open = at + 2;
                if self.is(open, b'[') {
                    open = self.behind(open);
                }
                if !self.is(open, b'(') {
                    return;
                }
                let close = self.behind(open);
                // Behind the bracket stands a colon.
                let body = close + 1..self.end_of_block(at, close);
                let bases = self.bases(open + 1, close.saturating_sub(1));
                self.class(name, at, bases, body);
            }
            _ => {}
        }
    }

    fn class(&mut self, name: &'t str, start: usize, bases: Vec<Vec<&'t str>>, body: Range<usize>) {
        if !bases.is_empty() {
            self.classes.push(Class {
                name,
                start,
                bases,
                body,
            });
        }
    }

    /// Dotted names between commas; what is given by name, such as a metaclass, is none.
    fn bases(&self, from: usize, to: usize) -> Vec<Vec<&'t str>> {
        let mut out = Vec::new();
        let mut at = from;
        while at < to {
            let (parts, next) = self.parts(at);
            if !parts.is_empty() && !self.is(next, b'=') {
                out.push(parts);
            }
            at = next.max(at + 1);
            while at < to && !self.is(at, b',') {
                let bracket = matches!(self.kind(at), Some(Kind::Mark(b'(' | b'[' | b'{')));
                at = if bracket { self.behind(at) } else { at + 1 };
            }
            at += 1;
        }
        out
    }

    /// The dotted name that begins at a token, and where it ends.
    fn parts(&self, mut at: usize) -> (Vec<&'t str>, usize) {
        let mut parts = Vec::new();
        while let Some(name) = self.name(at) {
            parts.push(name);
            at += 1;
            if !self.is(at, b'.') {
                break;
            }
            at += 1;
        }
        (parts, at)
    }

    /// Where an indented block ends whose head begins at a token.
    fn end_of_block(&self, head: usize, from: usize) -> usize {
        let column = self.column(head);
        (from..self.tokens.len())
            .find(|inner| {
                self.token(*inner).is_some_and(|token| token.first) && self.column(*inner) <= column
            })
            .unwrap_or(self.tokens.len())
    }

    /// Bytes between the line's start and the first of its words that is not `async`.
    pub(super) fn column(&self, at: usize) -> usize {
        let start = self.token(at).map_or(0, |token| token.start);
        let line = self.text.get(..start).map_or(0, |before| {
            before.rfind('\n').map_or(0, |newline| newline + 1)
        });
        let before = self.text.get(line..start).unwrap_or_default();
        before.len() - before.trim_start().len()
    }

    fn script(&mut self, at: usize) {
        match self.word(at) {
            "import" => self.imported_script(at),
            "require" if self.is(at + 1, b'(') && self.kind(at + 2) == Some(Kind::Text) => {
                let module = super::token::said(self.word(at + 2));
                // `const { A: B } = require("m")`, `const m = require("m")`.
                let equals = at - usize::from(at > 0);
                let before = equals - usize::from(equals > 0);
                if !self.is(equals, b'=') {
                    return;
                }
                if let Some(name) = self.name(before) {
                    self.imports.insert(name, (module, String::new()));
                } else if self.is(before, b'}') {
                    let open = (0..before).rev().find(|at| self.is(*at, b'{'));
                    self.names_in(open.unwrap_or(before), &module, b':');
                }
            }
            "function" => {
                let Some(name) = self.name(at + 1) else {
                    return;
                };
                let parameters = self.behind(at + 2);
                let body = (parameters..self.tokens.len())
                    .take(200)
                    .find(|at| self.is(*at, b'{'));
                if let Some(body) = body {
                    self.functions.insert(name, at..self.behind(body));
                }
            }
            "class" => {
                let Some(name) = self.name(at + 1) else {
                    return;
                };
                let head = at + 2..(at + 80).min(self.tokens.len());
                let extends = head.clone().find(|at| self.word(*at) == "extends");
                let body = head.clone().find(|at| self.is(*at, b'{'));
                if let (Some(extends), Some(body)) = (extends, body)
                    && extends < body
                {
                    let (parts, _) = self.parts(extends + 1);
                    let bases = if parts.is_empty() {
                        Vec::new()
                    } else {
                        vec![parts]
                    };
                    self.class(
                        name,
                        at,
                        bases,
                        body + 1..self.behind(body).saturating_sub(1),
                    );
                }
            }
            _ => {}
        }
    }

    fn imported_script(&mut self, at: usize) {
        let Some(from) = (at + 1..self.tokens.len())
            .take(400)
            .take_while(|at| !self.is(*at, b';') && !self.is(*at, b'('))
            .find(|at| self.word(*at) == "from" && self.kind(at + 1) == Some(Kind::Text))
        else {
            return;
        };
        let module = super::token::said(self.word(from + 1));
        let mut inner = at + 1;
        while inner < from {
            if self.is(inner, b'{') {
                self.names_in(inner, &module, 0);
                inner = self.behind(inner);
            } else if self.is(inner, b'*') && self.word(inner + 1) == "as" {
                self.imports
                    .insert(self.word(inner + 2), (module.clone(), String::new()));
                inner += 3;
            } else {
                if let Some(name) = self.name(inner) {
                    self.imports.insert(name, (module.clone(), name.to_owned()));
                }
                inner += 1;
            }
        }
    }

    /// Names between braces, each perhaps renamed by `as` or a mark.
    fn names_in(&mut self, open: usize, module: &str, renames: u8) {
        let end = self.behind(open);
        let mut at = open + 1;
        while at < end {
            let Some(name) = self.name(at).filter(|name| *name != "type") else {
                at += 1;
                continue;
            };
            let renamed = self.word(at + 1) == "as" || (renames != 0 && self.is(at + 1, renames));
            let local = if renamed { self.word(at + 2) } else { name };
            self.imports
                .insert(local, (module.to_owned(), name.to_owned()));
            at += if renamed { 3 } else { 1 };
        }
    }

    /// Where the call begins of which this bracket is the last.
    fn called_before(&self, close: usize) -> Option<usize> {
        let mut depth = 0usize;
        let open = (0..=close).rev().find(|at| {
            match self.kind(*at) {
                Some(Kind::Mark(b')' | b']' | b'}')) => depth += 1,
                Some(Kind::Mark(b'(' | b'[' | b'{')) => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        })?;
        let mut start = open;
        while let Some(before) = start.checked_sub(1) {
            let keyword = matches!(self.word(before), "with" | "await" | "async");
            if keyword || !(self.kind(before) == Some(Kind::Name) || self.is(before, b'.')) {
                break;
            }
            start = before;
        }
        (start < open).then_some(start)
    }

    /// `name = value`, `name: Type = value`, `const name = value`.
    fn assigned(&mut self, at: usize) {
        let Some(name) = self.name(at) else {
            return;
        };
        // `with make(…) as name`
        if let [Some(word), Some(close)] = [at.checked_sub(1), at.checked_sub(2)]
            && self.language == Language::Python
            && self.word(word) == "as"
            && self.is(close, b')')
        {
            let value = self.called_before(close);
            self.values.entry(name).or_insert(value);
            return;
        }
        let keyword = matches!(
            at.checked_sub(1).map(|before| self.word(before)),
            Some("const" | "let" | "var")
        );
        let begins = keyword
            || (self.language == Language::Python
                && self.token(at).is_some_and(|token| token.first));
        if !begins {
            return;
        }
        let mut equals = at + 1;
        if self.is(equals, b':') {
            // A type: up to the sign on the same line.
            equals = (equals..equals + 40)
                .take_while(|at| !self.token(*at).is_some_and(|token| token.first))
                .find(|at| self.is(*at, b'='))
                .unwrap_or(equals);
        }
        let next = self.word(equals + 1);
        if !self.is(equals, b'=') || next == "=" || next == ">" {
            return;
        }
        let value = Some(equals + 1);
        self.values
            .entry(name)
            .and_modify(|known| *known = None)
            .or_insert(value);
    }
}
