//! Answers of the SDK as the AWS command line prints them, so that one reader serves both.

mod beside;
mod details;
mod organization;
mod usage;

pub(super) use beside::*;
pub(super) use details::*;
pub(super) use organization::*;
pub(super) use usage::*;

use aws_sdk_iam::types::Tag;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// An object under construction: what is absent is left out.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn text(mut self, key: &str, text: impl Into<String>) -> Self {
        self.0.insert(key.to_owned(), Value::String(text.into()));
        self
    }

    fn maybe(self, key: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(key, text),
            None => self,
        }
    }

    fn value(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    fn number(self, key: &str, number: Option<i32>) -> Self {
        match number {
            Some(number) => self.value(key, number),
            None => self,
        }
    }

    /// A time. The SDK has the beginning of 1970 for one that the answer lacks.
    fn time(self, key: &str, at: Option<&DateTime>) -> Self {
        let text = at
            .filter(|at| at.secs() > 0)
            .and_then(|at| DateTime::from_secs(at.secs()).fmt(Format::DateTime).ok());
        match text {
            Some(text) => self.text(key, text),
            None => self,
        }
    }

    fn list<T>(self, key: &str, items: &[T], convert: impl Fn(&T) -> Value) -> Self {
        let items: Vec<Value> = items.iter().map(convert).collect();
        self.value(key, items)
    }

    fn tags(self, tags: Option<&[Tag]>) -> Self {
        match tags {
            Some(tags) if !tags.is_empty() => self.list("Tags", tags, |tag| {
                Self::default()
                    .text("Key", tag.key())
                    .text("Value", tag.value())
                    .done()
            }),
            _ => self,
        }
    }

    /// A policy document, which the API delivers URL-encoded.
    fn document(self, key: &str, text: Option<&str>) -> Self {
        let Some(text) = text else {
            return self;
        };
        let decoded = percent_decode_str(text).decode_utf8_lossy();
        let document = serde_json::from_str(&decoded)
            .or_else(|_| serde_json::from_str(text))
            .ok()
            .filter(Value::is_object);
        self.value(key, document.unwrap_or_else(|| text.into()))
    }

    fn done(self) -> Value {
        Value::Object(self.0)
    }
}

/// Sorts entities by a field, so that the order a server answers in does not matter.
fn sorted(mut items: Vec<Value>, key: &str) -> Vec<Value> {
    items.sort_by(|a, b| {
        let text = |value: &Value| value.get(key).and_then(Value::as_str).map(str::to_owned);
        text(a).cmp(&text(b))
    });
    items
}
