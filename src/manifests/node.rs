//! A located tree: what YAML, JSON with comments and TOML have in common.
//!
//! No `Debug` and no `Serialize`: values may be secrets.

use super::text::{Text, saturate};

/// Deepest nesting read, aliases expanded.
pub(super) const MAX_DEPTH: usize = 100;

/// One value and where it begins.
#[derive(Clone)]
pub(super) struct Node {
    /// What it is.
    pub(super) value: Value,
    /// 1-based line.
    pub(super) line: u32,
    /// 1-based column in code points.
    pub(super) column: u32,
    /// Byte offsets of its source text.
    pub(super) span: (usize, usize),
    /// Its tag, such as `Ref` of `!Ref`; only YAML has them.
    pub(super) tag: Option<Box<str>>,
}

/// What a node is.
#[derive(Clone)]
pub(super) enum Value {
    /// Nothing.
    Null,
    /// A string, number or boolean as written.
    Scalar {
        /// Text after unescaping.
        text: String,
        /// Without quotes, so `true` is a boolean and `5` a number.
        plain: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// A mapping in the order of the file.
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping and where it stands.
#[derive(Clone)]
pub(super) struct Key {
    /// Text; empty for a key that is itself a list or mapping.
    pub(super) text: String,
    /// 1-based line.
    pub(super) line: u32,
    /// 1-based column in code points.
    pub(super) column: u32,
}

impl Node {
    /// A node at a byte span of a text.
    pub(super) fn at(text: &Text<'_>, span: (usize, usize), value: Value) -> Self {
        let (line, column) = text.position(span.0);
        Self {
            value,
            line,
            column,
            span,
            tag: None,
        }
    }

    /// Value of a key; the last one when a key is repeated.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|(_, node)| node)
    }

    /// Key and value; the last one when a key is repeated.
    pub(super) fn entry(&self, key: &str) -> Option<(&Key, &Self)> {
        self.entries().rev().find(|(k, _)| k.text == key)
    }

    /// Value at a path of keys.
    pub(super) fn path(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Every value at a dotted path; `*` stands for any key, and a key may itself hold dots (`"mcp.servers"`).
    pub(super) fn dotted(&self, path: &str) -> Vec<&Self> {
        if let Some(found) = self.get(path) {
            return vec![found];
        }
        let Some((first, rest)) = path.split_once('.') else {
            return Vec::new();
        };
        if first == "*" {
            let below = self.entries().flat_map(|(_, node)| node.dotted(rest));
            return below.collect();
        }
        self.get(first)
            .map_or_else(Vec::new, |node| node.dotted(rest))
    }

    /// Text at a path of keys.
    pub(super) fn text_at(&self, keys: &[&str]) -> Option<&str> {
        self.path(keys)?.as_str()
    }

    /// Entries of a mapping; none for anything else.
    pub(super) fn entries(&self) -> impl DoubleEndedIterator<Item = (&Key, &Self)> {
        let entries: &[(Key, Self)] = match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        };
        entries.iter().map(|(key, node)| (key, node))
    }

    /// Items of a list; none for anything else.
    pub(super) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The texts of a scalar or of a list of scalars: many formats allow either.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.as_str()
            .into_iter()
            .chain(self.items().iter().filter_map(Self::as_str))
    }

    /// Text of a scalar.
    pub(super) fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// A boolean written without quotes.
    pub(super) fn as_bool(&self) -> Option<bool> {
        match &self.value {
            Value::Scalar { text, plain: true } => match text.as_str() {
                "true" | "True" | "TRUE" => Some(true),
                "false" | "False" | "FALSE" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// A whole number, quoted or not.
    pub(super) fn as_u64(&self) -> Option<u64> {
        self.as_str()?.trim().parse().ok()
    }

    /// Whether it is a mapping.
    pub(super) const fn is_map(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }

    /// Calls `visit` for every scalar below, with the nearest key above it.
    pub(super) fn scalars<'n>(&'n self, key: &'n str, visit: &mut dyn FnMut(&'n str, &'n Self)) {
        match &self.value {
            Value::Null => {}
            Value::Scalar { .. } => visit(key, self),
            Value::List(items) => items.iter().for_each(|item| item.scalars(key, visit)),
            Value::Map(entries) => entries
                .iter()
                .for_each(|(key, node)| node.scalars(&key.text, visit)),
        }
    }
}

/// Why a text is not a tree. Never the parser's words: they may quote content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// 1-based line.
    pub(super) line: u32,
    /// 1-based column.
    pub(super) column: u32,
    /// What is wrong.
    pub(super) kind: &'static str,
}

impl Problem {
    /// A problem at a byte offset.
    pub(super) fn at(text: &Text<'_>, offset: usize, kind: &'static str) -> Self {
        let (line, column) = text.position(offset);
        Self { line, column, kind }
    }

    /// A problem at a parser's 1-based line and 0-based column.
    pub(super) fn marked(line: usize, column: usize, kind: &'static str) -> Self {
        Self {
            line: saturate(line),
            column: saturate(column + 1),
            kind,
        }
    }
}

/// What could be read of a file: every whole document, and what stood in the way of the others.
#[derive(Default)]
pub(super) struct Parsed {
    /// Documents that are whole.
    pub(super) documents: Vec<Node>,
    /// What was read of those that are not, up to the problem.
    pub(super) broken: Vec<Node>,
    /// What is wrong with the others.
    pub(super) problems: Vec<Problem>,
}
