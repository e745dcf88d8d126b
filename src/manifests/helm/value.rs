//! Values of templates.

use super::super::node::{Node, Value as Tree};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Deref;
use std::rc::Rc;

/// Deepest nesting that is written, copied or compared.
pub(super) const MAX_DEPTH: usize = 64;

/// Most values that one copy, comparison or conversion goes through: what templates nest in itself has no end.
const MAX_VALUES: usize = 200_000;

/// Entries of a mapping. Templates change mappings in place, so they are shared.
pub(super) type Entries = RefCell<BTreeMap<String, Value>>;

/// One value.
#[derive(Clone)]
pub(super) enum Value {
    /// Nothing.
    Nil,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Another number.
    Float(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Rc<Items>),
    /// A mapping.
    Map(Rc<Mapping>),
    /// A method of the context, such as `.Files.Get`.
    Method(&'static str),
}

/// A mapping; dropped without recursion, however deep templates nest it.
#[derive(Default)]
pub(super) struct Mapping(pub(super) Entries);

/// Items of a list; dropped likewise.
#[derive(Default)]
pub(super) struct Items(Vec<Value>);

impl Deref for Items {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.0
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        let entries = std::mem::take(&mut *self.0.borrow_mut());
        dismantle(entries.into_values().collect());
    }
}

impl Drop for Items {
    fn drop(&mut self) {
        dismantle(std::mem::take(&mut self.0));
    }
}

/// Drops values one after the other, those inside them included.
fn dismantle(mut waiting: Vec<Value>) {
    while let Some(value) = waiting.pop() {
        match value {
            Value::Map(map) => {
                if let Ok(map) = Rc::try_unwrap(map) {
                    let entries = std::mem::take(&mut *map.0.borrow_mut());
                    waiting.extend(entries.into_values());
                }
            }
            Value::List(list) => {
                if let Ok(mut list) = Rc::try_unwrap(list) {
                    waiting.append(&mut list.0);
                }
            }
            _ => {}
        }
    }
}

impl Value {
    /// A mapping of these entries.
    pub(super) fn map(entries: impl IntoIterator<Item = (String, Self)>) -> Self {
        Self::Map(Rc::new(Mapping(RefCell::new(
            entries.into_iter().collect(),
        ))))
    }

    /// A list of these items.
    pub(super) fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(Rc::new(Items(items.into_iter().collect())))
    }

    /// A text.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// The value of a YAML tree.
    pub(super) fn of(node: &Node) -> Self {
        match &node.value {
            Tree::Null => Self::Nil,
            Tree::Scalar { text, plain: true } => scalar(text),
            Tree::Scalar { text, plain: false } => Self::text(text.as_str()),
            Tree::List(items) => Self::list(items.iter().map(Self::of)),
            Tree::Map(entries) => Self::map(
                entries
                    .iter()
                    .map(|(key, node)| (key.text.clone(), Self::of(node))),
            ),
        }
    }

    /// Value of a field; nothing where there is none.
    pub(super) fn field(&self, name: &str) -> Self {
        match self {
            Self::Map(map) => map.0.borrow().get(name).cloned().unwrap_or(Self::Nil),
            _ => Self::Nil,
        }
    }

    /// What `if` asks.
    pub(super) fn truth(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Text(value) => !value.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Map(map) => !map.0.borrow().is_empty(),
            Self::Method(_) => true,
        }
    }

    /// As an action writes it.
    pub(super) fn show(&self) -> String {
        match self {
            Self::Nil | Self::Method(_) => String::new(),
            Self::Text(text) => text.clone(),
            Self::Bool(_) | Self::Int(_) | Self::Float(_) => self.plain(),
            Self::List(items) => {
                let shown: Vec<String> = items.iter().take(1_000).map(Self::brief).collect();
                format!("[{}]", shown.join(" "))
            }
            Self::Map(_) => self.brief(),
        }
    }

    fn brief(&self) -> String {
        match self {
            Self::Map(map) => {
                let map = map.0.borrow();
                let shown: Vec<String> = map
                    .iter()
                    .take(1_000)
                    .map(|(key, value)| match value {
                        Self::Map(_) | Self::List(_) => format!("{key}:…"),
                        value => format!("{key}:{}", value.show()),
                    })
                    .collect();
                format!("map[{}]", shown.join(" "))
            }
            Self::List(_) => "[…]".to_owned(),
            value => value.show(),
        }
    }

    fn plain(&self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            _ => String::new(),
        }
    }

    /// As a whole number, the way conversions read it.
    pub(super) fn int(&self) -> i64 {
        match self {
            Self::Bool(value) => i64::from(*value),
            Self::Int(value) => *value,
            Self::Float(value) => *value as i64,
            Self::Text(text) => text
                .trim()
                .parse()
                .or_else(|_| text.trim().parse::<f64>().map(|float| float as i64))
                .unwrap_or(0),
            _ => 0,
        }
    }

    /// As a number.
    pub(super) fn float(&self) -> f64 {
        match self {
            Self::Float(value) => *value,
            Self::Text(text) => text.trim().parse().unwrap_or(0.0),
            value => value.int() as f64,
        }
    }

    /// Go's name of its kind.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "invalid",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int64",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::List(_) => "slice",
            Self::Map(_) => "map",
            Self::Method(_) => "func",
        }
    }

    /// Both are the same.
    pub(super) fn same(&self, other: &Self) -> bool {
        self.same_to(other, 0, &mut 0)
    }

    fn same_to(&self, other: &Self, depth: usize, seen: &mut usize) -> bool {
        *seen += 1;
        if depth > MAX_DEPTH || *seen > MAX_VALUES {
            return false;
        }
        match (self, other) {
            (Self::Nil, Self::Nil) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Int(_) | Self::Float(_), Self::Int(_) | Self::Float(_)) => {
                (self.float() - other.float()).abs() < f64::EPSILON
            }
            (Self::List(a), Self::List(b)) => {
                a.len() == b.len()
                    && a.iter()
                        .zip(b.iter())
                        .all(|(a, b)| a.same_to(b, depth + 1, seen))
            }
            (Self::Map(a), Self::Map(b)) => {
                Rc::ptr_eq(a, b) || {
                    let (a, b) = (a.0.borrow(), b.0.borrow());
                    a.len() == b.len()
                        && a.iter()
                            .zip(b.iter())
                            .all(|((k, v), (l, w))| k == l && v.same_to(w, depth + 1, seen))
                }
            }
            _ => false,
        }
    }

    /// A copy that shares no mapping.
    pub(super) fn copy(&self) -> Self {
        self.copy_at(0, &mut 0)
    }

    fn copy_at(&self, depth: usize, seen: &mut usize) -> Self {
        *seen += 1;
        if depth > MAX_DEPTH || *seen > MAX_VALUES {
            return Self::Nil;
        }
        match self {
            Self::List(items) => Self::list(items.iter().map(|item| item.copy_at(depth + 1, seen))),
            Self::Map(map) => Self::map(
                map.0
                    .borrow()
                    .iter()
                    .map(|(key, value)| (key.clone(), value.copy_at(depth + 1, seen))),
            ),
            value => value.clone(),
        }
    }

    /// As YAML, without a line break at the end.
    pub(super) fn yaml(&self, limit: usize) -> String {
        let mut out = String::new();
        self.write_yaml(&mut out, 0, false, 0, limit);
        out.trim_end_matches('\n').to_owned()
    }

    fn write_yaml(
        &self,
        out: &mut String,
        indent: usize,
        inline: bool,
        depth: usize,
        limit: usize,
    ) {
        if depth > MAX_DEPTH || out.len() > limit {
            out.push_str("null\n");
            return;
        }
        let pad = " ".repeat(indent);
        match self {
            Self::Map(map) if !map.0.borrow().is_empty() => {
                for (at, (key, value)) in map.0.borrow().iter().enumerate() {
                    if at > 0 || !inline {
                        out.push_str(&pad);
                    }
                    out.push_str(&quoted(key));
                    out.push(':');
                    match value {
                        Self::Map(map) if !map.0.borrow().is_empty() => {
                            out.push('\n');
                            value.write_yaml(out, indent + 2, false, depth + 1, limit);
                        }
                        Self::List(items) if !items.is_empty() => {
                            out.push('\n');
                            value.write_yaml(out, indent, false, depth + 1, limit);
                        }
                        value => {
                            out.push(' ');
                            value.write_yaml(out, indent + 2, true, depth + 1, limit);
                        }
                    }
                }
            }
            Self::List(items) if !items.is_empty() => {
                for (at, item) in items.iter().enumerate() {
                    if at > 0 || !inline {
                        out.push_str(&pad);
                    }
                    out.push_str("- ");
                    item.write_yaml(out, indent + 2, true, depth + 1, limit);
                }
            }
            Self::Map(_) => out.push_str("{}\n"),
            Self::List(_) => out.push_str("[]\n"),
            Self::Nil | Self::Method(_) => out.push_str("null\n"),
            Self::Text(text) if is_block(text) => block(out, text, indent.max(2)),
            Self::Text(text) => {
                out.push_str(&quoted(text));
                out.push('\n');
            }
            value => {
                out.push_str(&value.plain());
                out.push('\n');
            }
        }
    }

    /// As JSON.
    pub(super) fn json(&self) -> serde_json::Value {
        self.json_at(0, &mut 0)
    }

    fn json_at(&self, depth: usize, seen: &mut usize) -> serde_json::Value {
        use serde_json::Value as Json;
        *seen += 1;
        if depth > MAX_DEPTH || *seen > MAX_VALUES {
            return Json::Null;
        }
        match self {
            Self::Nil | Self::Method(_) => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Int(value) => Json::from(*value),
            Self::Float(value) => Json::from(*value),
            Self::Text(text) => Json::String(text.clone()),
            Self::List(items) => items
                .iter()
                .map(|item| item.json_at(depth + 1, seen))
                .collect(),
            Self::Map(map) => Json::Object(
                map.0
                    .borrow()
                    .iter()
                    .map(|(key, value)| (key.clone(), value.json_at(depth + 1, seen)))
                    .collect(),
            ),
        }
    }
}

/// A scalar without quotes, as YAML types it.
fn scalar(text: &str) -> Value {
    match text {
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => {
            if let Ok(int) = text.parse() {
                return Value::Int(int);
            }
            let number = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '.'))
                && text.contains(|c: char| c.is_ascii_digit());
            match text.parse() {
                Ok(float) if number => Value::Float(float),
                _ => Value::text(text),
            }
        }
    }
}

/// A text as a YAML scalar: without quotes where that reads back as the same text.
fn quoted(text: &str) -> String {
    let plain = !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ' ' | ':' | '+'))
        && !text.contains(": ")
        && !text.ends_with(':')
        && !text.starts_with(['-', ' ', '.', ':', '+'])
        && !text.ends_with(' ')
        && matches!(scalar(text), Value::Text(_))
        && !matches!(
            text,
            "null" | "Null" | "NULL" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if plain {
        return text.to_owned();
    }
    // Templates inside of values keep their own quotes, so that they can be run.
    if !text.contains(char::is_control) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    double_quoted(text)
}

/// Whether a text of several lines can stand as it is.
fn is_block(text: &str) -> bool {
    text.contains('\n')
        && !text.starts_with([' ', '\n'])
        && !text.contains(" \n")
        && !text.ends_with(' ')
        && !text.ends_with("\n\n")
        && !text.contains(|c: char| c.is_control() && c != '\n')
}

/// A text of several lines, each on its own.
fn block(out: &mut String, text: &str, indent: usize) {
    let body = text.strip_suffix('\n');
    out.push_str(if body.is_some() { "|\n" } else { "|-\n" });
    let pad = " ".repeat(indent);
    for line in body.unwrap_or(text).split('\n') {
        if !line.is_empty() {
            out.push_str(&pad);
            out.push_str(line);
        }
        out.push('\n');
    }
}

/// A text in double quotes.
pub(super) fn double_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::super::super::{text::Text, yaml};
    use super::Value;
    use proptest::prelude::*;

    fn read(text: &str) -> Value {
        let parsed = yaml::parse(&Text::new(text.as_bytes()));
        Value::of(&parsed.documents[0])
    }

    #[test]
    fn templates_in_values_keep_their_quotes() {
        let value = Value::map([
            ("a".to_owned(), Value::text("{{ template \"x\" . }}")),
            (
                "b".to_owned(),
                Value::list([Value::text("one\n{{ \"two\" }}\n")]),
            ),
            ("c".to_owned(), Value::text("it's: {}")),
        ]);
        insta::assert_snapshot!(value.yaml(10_000), @r#"
        a: '{{ template "x" . }}'
        b:
        - |
          one
          {{ "two" }}
        c: 'it''s: {}'
        "#);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(text in "[a{}\"': \n#|-]{0,12}") {
            for value in [
                Value::map([("k".to_owned(), Value::text(text.clone()))]),
                Value::list([Value::list([Value::text(text.clone())]), Value::text("z")]),
            ] {
                let written = value.yaml(10_000);
                prop_assert!(read(&written).same(&value), "{written:?}");
            }
        }
    }
}
