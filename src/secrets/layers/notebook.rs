//! Jupyter notebooks: the lines of a cell, which the file holds as a list of strings, put together as they were written.

use super::escapes;
use super::map::Mapped;
use memchr::memmem::Finder;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::LazyLock;

/// The word that tells of one.
static FORMAT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"nbformat\""));

/// Whether the text may be a notebook.
pub(super) fn is_notebook(text: &[u8]) -> bool {
    declares(text) && memchr::memmem::find(text, b"\"cells\"").is_some()
}

/// Whether the text says so. What is no object costs a look at its beginning.
pub(super) fn declares(text: &[u8]) -> bool {
    let begins = text.iter().find(|byte| !byte.is_ascii_whitespace());
    begins == Some(&b'{') && FORMAT.find(text).is_some()
}

#[derive(Deserialize)]
struct Notebook<'a> {
    #[serde(borrow, default)]
    cells: Vec<Cell<'a>>,
}

#[derive(Deserialize)]
struct Cell<'a> {
    #[serde(borrow, default)]
    source: Option<&'a RawValue>,
    #[serde(borrow, default)]
    outputs: Vec<Output<'a>>,
}

#[derive(Deserialize)]
struct Output<'a> {
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data: Option<Data<'a>>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow, default, rename = "text/plain")]
    plain: Option<&'a RawValue>,
}

/// What the cells hold and printed: one text each.
pub(super) fn cells(text: &[u8]) -> Vec<Mapped> {
    let Ok(notebook) = std::str::from_utf8(text)
        .map_err(drop)
        .and_then(|text| serde_json::from_str::<Notebook<'_>>(text).map_err(drop))
    else {
        return Vec::new();
    };
    let mut out = Vec::new();
    for cell in notebook.cells {
        let printed = cell
            .outputs
            .into_iter()
            .flat_map(|output| [output.text, output.data.and_then(|data| data.plain)]);
        for raw in std::iter::once(cell.source).chain(printed).flatten() {
            out.extend(joined(text, raw));
        }
    }
    out
}

/// The strings of one value, put together.
fn joined(text: &[u8], raw: &RawValue) -> Option<Mapped> {
    // A raw value borrows from the text it was read from.
    let start = (raw.get().as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let raw = raw.get().as_bytes();
    let mut mapped = Mapped::default();
    let mut at = 0;
    while let Some(open) = raw.get(at..).and_then(|rest| memchr::memchr(b'"', rest)) {
        let open = at + open + 1;
        let mut close = open;
        while let Some(byte) = raw.get(close).filter(|byte| **byte != b'"') {
            close += if *byte == b'\\' { 2 } else { 1 };
        }
        escapes::unescape(text, start + open..start + close, &mut mapped)?;
        at = close + 1;
    }
    (!mapped.bytes.is_empty()).then_some(mapped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_put_together_and_lead_back() {
        let text = r#"{"cells": [
 {"cell_type": "code", "source": ["k = [\n", "  \"v\\n\"\n", "]"],
  "outputs": [{"text": "printed\n"}, {"data": {"text/plain": ["'x'"], "image/png": "iVBO"}}]},
 {"cell_type": "markdown", "source": "one string"}
], "nbformat": 4}"#;
        assert!(is_notebook(text.as_bytes()));
        let cells = cells(text.as_bytes());
        let texts: Vec<_> = cells
            .iter()
            .map(|cell| String::from_utf8_lossy(&cell.bytes).into_owned())
            .collect();
        assert_eq!(
            texts,
            ["k = [\n  \"v\\n\"\n]", "printed\n", "'x'", "one string"]
        );
        let at = cells[0]
            .bytes
            .iter()
            .position(|byte| *byte == b'v')
            .unwrap();
        assert_eq!(cells[0].there(at), text.find("v\\").unwrap());
        assert!(super::cells(b"{\"cells\": 5, \"nbformat\": 4}").is_empty());
    }
}
