//! Values of infrastructure code, some of which nobody knows before it is applied.
//!
//! What is unknown within a text is marked in the text, so that joining, formatting and comparing texts keeps it. Two
//! kinds are told apart: *open* is anything (a variable without a value), *later* is one certain thing that only gets its
//! name when it is made (the ARN of a declared resource).

use crate::model::aws::{HOLE as OPEN, HOLE_END as END};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Begins the label of a part that is known later.
const LATER: char = '\u{F0002}';
/// Longest text a value may become, in bytes.
const MAX_TEXT: usize = 1 << 20;

/// Something whose attributes are evaluated when they are asked for: a resource, a module.
pub(in crate::manifests) trait Attributes {
    /// One attribute.
    fn attribute(&self, name: &str) -> Val;
    /// What it is called in the code.
    fn label(&self) -> String;
}

/// A value.
#[derive(Clone)]
pub(in crate::manifests) enum Val {
    Null,
    Bool(bool),
    Number(f64),
    /// May hold marks of unknown parts.
    Text(String),
    /// Shared: what a large module hands on is looked at far more often than it is made.
    List(Rc<Vec<Val>>),
    /// Shared likewise.
    Map(Rc<BTreeMap<String, Val>>),
    Object(Rc<dyn Attributes>),
    /// Anything; the label says what it hangs on.
    Unknown(String),
}

impl Val {
    /// An unknown of which the code tells only its name.
    pub(in crate::manifests) fn open(label: impl Into<String>) -> Self {
        Self::Unknown(label.into())
    }

    /// One certain thing that gets its name later.
    pub(in crate::manifests) fn later(label: &str) -> Self {
        Self::Text(later(label))
    }

    /// A list.
    pub(in crate::manifests) fn list(items: Vec<Self>) -> Self {
        Self::List(Rc::new(items))
    }

    /// A mapping.
    pub(in crate::manifests) fn map(entries: BTreeMap<String, Self>) -> Self {
        Self::Map(Rc::new(entries))
    }

    /// A text.
    pub(in crate::manifests) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// The text of a scalar, unknown parts marked; nothing for collections.
    pub(in crate::manifests) fn as_text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Bool(flag) => Some(flag.to_string()),
            Self::Number(number) => Some(number_text(*number)),
            Self::Unknown(label) => Some(open(label)),
            Self::Object(object) => Some(open(&object.label())),
            Self::Null | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// The text when it is wholly known.
    pub(in crate::manifests) fn known_text(&self) -> Option<String> {
        self.as_text().filter(|text| !marked(text))
    }

    pub(in crate::manifests) fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(flag) => Some(*flag),
            Self::Text(text) if text == "true" => Some(true),
            Self::Text(text) if text == "false" => Some(false),
            _ => None,
        }
    }

    pub(in crate::manifests) fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        }
    }

    /// The items of a list; a single value counts as a list of one, nothing as none. `None` when unknown.
    pub(in crate::manifests) fn items(&self) -> Option<Vec<Self>> {
        match self {
            Self::List(items) => Some(items.as_ref().clone()),
            Self::Null => Some(Vec::new()),
            Self::Unknown(_) => None,
            other => Some(vec![other.clone()]),
        }
    }

    /// One attribute of a mapping or object.
    pub(in crate::manifests) fn get(&self, name: &str) -> Self {
        match self {
            Self::Map(entries) => entries.get(name).cloned().unwrap_or_else(|| {
                // A mapping over keys nobody knows has one entry that stands for all.
                match entries.iter().next() {
                    Some((key, only)) if entries.len() == 1 && marked(key) => only.clone(),
                    _ => Self::Null,
                }
            }),
            Self::Object(object) => object.attribute(name),
            Self::Unknown(label) => Self::Unknown(format!("{label}.{name}")),
            Self::Text(text) if wholly_marked(text) => match labels(text).first() {
                Some(label) => Self::Unknown(format!("{label}.{name}")),
                None => Self::Null,
            },
            Self::List(items) if name.parse::<usize>().is_ok() => {
                let at = name.parse::<usize>().unwrap_or(0);
                items.get(at).cloned().unwrap_or(Self::Null)
            }
            _ => Self::Null,
        }
    }

    /// Whether nothing of it is unknown.
    pub(in crate::manifests) fn known(&self) -> bool {
        match self {
            Self::Unknown(_) | Self::Object(_) => false,
            Self::Text(text) => !marked(text),
            Self::List(items) => items.iter().all(Self::known),
            Self::Map(entries) => entries
                .iter()
                .all(|(key, value)| !marked(key) && value.known()),
            Self::Null | Self::Bool(_) | Self::Number(_) => true,
        }
    }

    pub(in crate::manifests) const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether two values are the same; `None` when that is unknown.
    pub(in crate::manifests) fn same(&self, other: &Self) -> Option<bool> {
        if matches!(
            (self, other),
            (Self::Null, Self::Unknown(_)) | (Self::Unknown(_), Self::Null)
        ) {
            return None;
        }
        // What is declared exists, whatever it will be called.
        if let (Self::Null, Self::Object(_)) | (Self::Object(_), Self::Null) = (self, other) {
            return Some(false);
        }
        if let (Self::Null, Self::Text(_)) | (Self::Text(_), Self::Null) = (self, other) {
            return Some(false);
        }
        if !self.known() || !other.known() {
            return None;
        }
        if let (Some(left), Some(right)) = (self.as_text(), other.as_text()) {
            return Some(left == right);
        }
        Some(self.to_json() == other.to_json())
    }

    /// The value as JSON; unknown values are marked texts.
    pub(in crate::manifests) fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(flag) => Json::Bool(*flag),
            Self::Number(number) => number_json(*number),
            Self::Text(text) => Json::String(text.clone()),
            Self::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Self::Map(entries) => Json::Object(
                entries
                    .iter()
                    .map(|(key, value)| (key.clone(), value.to_json()))
                    .collect(),
            ),
            Self::Object(object) => Json::String(open(&object.label())),
            Self::Unknown(label) => Json::String(open(label)),
        }
    }

    /// A value from JSON.
    pub(in crate::manifests) fn from_json(json: &Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(flag) => Self::Bool(*flag),
            Json::Number(number) => Self::Number(number.as_f64().unwrap_or(0.0)),
            Json::String(text) => Self::Text(text.clone()),
            Json::Array(items) => Self::list(items.iter().map(Self::from_json).collect()),
            Json::Object(entries) => Self::map(
                entries
                    .iter()
                    .map(|(key, value)| (key.clone(), Self::from_json(value)))
                    .collect(),
            ),
        }
    }
}

fn number_text(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        format!("{}", number as i64)
    } else {
        number.to_string()
    }
}

fn number_json(number: f64) -> Json {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        Json::from(number as i64)
    } else {
        Json::from(number)
    }
}

/// The mark of an open part.
pub(in crate::manifests) fn open(label: &str) -> String {
    mark(OPEN, label)
}

/// The mark of a part that is known later.
pub(in crate::manifests) fn later(label: &str) -> String {
    mark(LATER, label)
}

fn mark(kind: char, label: &str) -> String {
    let plain: String = label
        .chars()
        .filter(|c| !matches!(*c, OPEN | LATER | END))
        .take(200)
        .collect();
    format!("{kind}{plain}{END}")
}

/// A text of the input, without anything that looks like a mark.
pub(in crate::manifests) fn unmarked(text: &str) -> String {
    if marked(text) {
        text.chars()
            .filter(|c| !matches!(*c, OPEN | LATER | END))
            .collect()
    } else {
        text.to_owned()
    }
}

/// Whether a part of a text is unknown.
pub(in crate::manifests) fn marked(text: &str) -> bool {
    text.contains([OPEN, LATER, END])
}

/// Whether a part of a text is open.
pub(in crate::manifests) fn is_open(text: &str) -> bool {
    text.contains(OPEN)
}

/// Whether a text is nothing but one mark.
pub(in crate::manifests) fn wholly_marked(text: &str) -> bool {
    text.starts_with([OPEN, LATER]) && text.ends_with(END) && text.matches(END).count() == 1
}

/// Labels of the unknown parts of a text.
pub(in crate::manifests) fn labels(text: &str) -> Vec<String> {
    text.split([OPEN, LATER])
        .skip(1)
        .filter_map(|rest| rest.split_once(END))
        .map(|(label, _)| label.to_owned())
        .collect()
}

/// The text for people: unknown parts as `<label>`.
pub(in crate::manifests) fn shown(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            OPEN | LATER => '<',
            END => '>',
            c => c,
        })
        .collect()
}

/// The text as a policy's resource: open parts stay marked as they are, what is known later is `<label>`.
pub(in crate::manifests) fn holed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        match c {
            LATER => out.push('<'),
            OPEN => {
                inside = true;
                out.push(c);
            }
            END if std::mem::take(&mut inside) => out.push(c),
            END => out.push('>'),
            c => out.push(c),
        }
    }
    out
}

/// JSON text in which marks that stand outside of strings are put into quotes, as what they stand for may be any value.
pub(in crate::manifests) fn quoted_marks(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let (mut inside, mut escaped, mut bare) = (false, false, false);
    for c in text.chars() {
        if bare {
            out.push(if c == '"' || c == '\\' { '\'' } else { c });
            if c == END {
                out.push('"');
                bare = false;
            }
            continue;
        }
        if !inside && matches!(c, OPEN | LATER) {
            out.push('"');
            out.push(c);
            bare = true;
            continue;
        }
        if inside {
            if escaped {
                escaped = false;
            } else if c == '\\' {
                escaped = true;
            } else if c == '"' {
                inside = false;
            }
        } else if c == '"' {
            inside = true;
        }
        out.push(c);
    }
    out
}

/// Appends to a text unless that makes it too long.
pub(in crate::manifests) fn append(text: &mut String, more: &str) -> bool {
    if text.len() + more.len() > MAX_TEXT {
        return false;
    }
    text.push_str(more);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_parts_stay_marked_and_are_shown_as_labels() {
        let text = format!("arn:aws:s3:::{}/x-{}", open("var.bucket"), later("aws_x.y"));
        assert!(marked(&text) && is_open(&text) && !wholly_marked(&text));
        assert_eq!(shown(&text), "arn:aws:s3:::<var.bucket>/x-<aws_x.y>");
        assert_eq!(
            holed(&text),
            format!("arn:aws:s3:::{}/x-<aws_x.y>", open("var.bucket"))
        );
        assert_eq!(labels(&text), ["var.bucket", "aws_x.y"]);
    }

    #[test]
    fn nobody_can_compare_with_the_unknown() {
        let unknown = Val::open("var.x");
        assert_eq!(unknown.same(&Val::Null), None);
        assert_eq!(Val::text(open("x")).same(&Val::text("a")), None);
        assert_eq!(Val::Number(1.0).same(&Val::text("1")), Some(true));
        assert_eq!(Val::later("aws_x.y").same(&Val::Null), Some(false));
    }

    #[test]
    fn marks_outside_of_strings_become_values() {
        let text = format!(r#"{{"a": {}, "b": "x{}"}}"#, open("var.a"), open("var.b"));
        let json: Json = serde_json::from_str(&quoted_marks(&text)).unwrap();
        assert_eq!(json["a"], Json::String(open("var.a")));
        assert!(json["b"].as_str().unwrap().starts_with('x'));
    }

    #[test]
    fn the_input_cannot_forge_a_mark() {
        assert_eq!(unmarked(&open("x")), "x");
        assert!(!marked(&unmarked("\u{F0000}a\u{F0002}")));
    }
}
