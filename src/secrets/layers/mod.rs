//! Texts inside a text: what is written in base64, hexadecimal digits or escapes or with the colours of a terminal, and what
//! is packed in it.
//!
//! One file a layer, pure: bytes in, inner texts out, each with the way it was reached. Finding them costs little where
//! there are none; what is found is decoded only if it plausibly stands for text.

mod base64;
mod escapes;
mod hex;
mod key;
mod kubernetes;
mod letters;
mod map;
mod notebook;
mod prose;
mod runs;
mod terminal;
#[cfg(test)]
mod tests;

use super::text;
use crate::unpack::{self, Caps, Step};
use std::cell::Cell;
use std::ops::Range;

pub(super) use map::Mapped;

/// Most encodings inside one another that are undone.
pub(super) const DEPTH: usize = 5;
/// Longest text that one run is decoded to.
const LONGEST: usize = 16 << 20;

/// A text inside a text.
pub(super) struct Inner {
    /// How it was written, outermost first.
    pub(super) layers: Vec<String>,
    pub(super) text: Vec<u8>,
    pub(super) way: Way,
    /// It says what the encoded text means: what general rules made of that does not count.
    pub(super) settles: bool,
}

/// Where an inner text stands in the outer one.
pub(super) enum Way {
    /// It is written as this stretch, in which no place stands for a place in it.
    Run(Range<usize>),
    /// Parts of it, which begin at these places, are written as such stretches.
    Runs(Vec<(usize, Range<usize>)>),
    /// Every place has a place.
    Places(Mapped),
}

impl Way {
    /// Where what stands at a place of the inner text is written in the outer one.
    pub(super) fn place(&self, inner: &Range<usize>) -> Range<usize> {
        match self {
            Self::Run(run) => run.clone(),
            Self::Runs(parts) => {
                let last = |place: usize| {
                    let behind = parts.partition_point(|(from, _)| *from <= place);
                    parts.get(behind.saturating_sub(1)).map(|(_, run)| run)
                };
                let start = last(inner.start).map_or(0, |run| run.start);
                let end = last(inner.end.saturating_sub(1)).map_or(start, |run| run.end);
                start..end.max(start)
            }
            Self::Places(mapped) => mapped.place(inner),
        }
    }

    /// Everything it is written as.
    pub(super) fn stretches(&self) -> Vec<Range<usize>> {
        match self {
            Self::Run(run) => vec![run.clone()],
            Self::Runs(parts) => parts.iter().map(|(_, run)| run.clone()).collect(),
            Self::Places(mapped) => vec![mapped.whole()],
        }
    }

    /// No place in the inner text has a place of its own.
    pub(super) const fn is_run(&self) -> bool {
        matches!(self, Self::Run(_) | Self::Runs(_))
    }
}

/// What unpacking may still cost in one document.
pub(super) struct Allowance {
    bytes: Cell<u64>,
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            bytes: Cell::new(64 << 20),
        }
    }
}

impl Allowance {
    /// Nothing more is unpacked.
    pub(super) fn is_spent(&self) -> bool {
        self.bytes.get() == 0
    }
}

/// Hands out every text inside `text`.
pub(super) fn each(text: &[u8], allowance: &Allowance, visit: &mut dyn FnMut(Inner)) {
    declared(text, visit);
    written(text, allowance, visit);
}

/// Whether something that touches one of these parts of a text may say that the document is one that [`declared`] reads.
pub(super) fn declares(text: &[u8], parts: &[Range<usize>]) -> bool {
    // Longer than what says so.
    const AROUND: usize = 16;
    parts.iter().any(|part| {
        let start = part.start.saturating_sub(AROUND);
        kubernetes::declares(text, start..text.len().min(part.end + AROUND))
    }) || notebook::declares(text)
}

/// Hands out at least every text inside `text` that touches one of the `dirty` ranges, which are sorted, and all that a
/// document declares where it may be one that does. The places are of no meaning.
pub(super) fn touching(
    text: &[u8],
    dirty: &[Range<usize>],
    declares: bool,
    allowance: &Allowance,
    visit: &mut dyn FnMut(Inner),
) {
    if declares {
        declared(text, visit);
    }
    let mut slices: Vec<Range<usize>> = Vec::with_capacity(dirty.len());
    for range in dirty {
        // Escapes reach over a line at most, runs over the lines they are wrapped in.
        let before = text.get(..range.start).unwrap_or_default();
        let line = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
        let start = base64::block_start(text, line);
        let after = text.get(range.end..).unwrap_or_default();
        let end = memchr::memchr(b'\n', after).map_or(text.len(), |at| range.end + at + 1);
        let end = base64::block_end(text, end).max(start);
        let Range { start, end } = terminal::around(text, start..end);
        match slices.last_mut() {
            Some(last) if start < last.end => {
                last.start = last.start.min(start);
                last.end = last.end.max(end);
            }
            _ => slices.push(start..end),
        }
    }
    for slice in slices {
        written(text.get(slice).unwrap_or_default(), allowance, visit);
    }
}

/// Texts that a document of a certain kind declares, whatever is on which line.
fn declared(text: &[u8], visit: &mut dyn FnMut(Inner)) {
    for secret in kubernetes::secrets(text) {
        // The keys and values of one Secret belong together.
        let mut lines = Vec::new();
        let mut runs = Vec::with_capacity(secret.len());
        for entry in secret {
            runs.push((lines.len(), entry.place));
            lines.extend(entry.text);
        }
        visit(Inner {
            layers: vec!["base64".to_owned()],
            text: lines,
            way: Way::Runs(runs),
            settles: true,
        });
    }
    if notebook::is_notebook(text) {
        for cell in notebook::cells(text) {
            visit(places("notebook", cell));
        }
    }
}

/// Texts that are recognised by how they are written.
fn written(text: &[u8], allowance: &Allowance, visit: &mut dyn FnMut(Inner)) {
    runs::each(text, |run| {
        if let Some((decoded, place)) = hex::read(text, &run, LONGEST) {
            visit(Inner {
                layers: vec!["hex".to_owned()],
                text: decoded,
                way: Way::Run(place),
                settles: false,
            });
            return run.end;
        }
        let Some(encoded) = base64::read(text, &run) else {
            return run.end;
        };
        let is_packed = |head: &[u8]| unpack::recognise(head).is_some() || key::begins(head);
        if let Some(decoded) = base64::decode(&encoded.letters, LONGEST, is_packed) {
            if let Some(armored) = key::armored(&decoded, text, &encoded) {
                visit(Inner {
                    layers: vec!["base64".to_owned(), "der".to_owned()],
                    text: armored,
                    way: Way::Run(encoded.place.clone()),
                    settles: false,
                });
            } else {
                opened(decoded, &encoded.place, allowance, visit);
            }
        }
        encoded.place.end
    });
    escapes::each(text, |kind, mapped| visit(places(kind.name(), mapped)));
    terminal::each(text, |mapped| visit(places("ansi", mapped)));
}

fn places(layer: &str, mut mapped: Mapped) -> Inner {
    Inner {
        layers: vec![layer.to_owned()],
        text: std::mem::take(&mut mapped.bytes),
        way: Way::Places(mapped),
        settles: false,
    }
}

/// What was base64: text, wide text, or something packed.
fn opened(
    decoded: Vec<u8>,
    place: &Range<usize>,
    allowance: &Allowance,
    visit: &mut dyn FnMut(Inner),
) {
    let inner = |further: Vec<String>, text: Vec<u8>| Inner {
        layers: std::iter::once("base64".to_owned())
            .chain(further)
            .collect(),
        text,
        way: Way::Run(place.clone()),
        settles: false,
    };
    if let Some(format) = unpack::recognise(&decoded) {
        let caps = Caps {
            member_bytes: LONGEST as u64,
            total_bytes: allowance.bytes.get().min(LONGEST as u64),
            members: 1_000,
            ..Caps::default()
        };
        let mut used = 0;
        unpack::unpack(&decoded, &caps, &mut |steps, bytes| {
            used += bytes.len() as u64;
            let bytes = text::read(bytes);
            if !bytes.binary {
                visit(inner(
                    names(format.as_str(), steps),
                    bytes.bytes.into_owned(),
                ));
            }
        });
        // What was read and could not be used costs as well.
        let left = allowance.bytes.get().saturating_sub(used.max(4096));
        allowance.bytes.set(left);
    } else if let Some(wide) = text::wide(&decoded) {
        visit(inner(vec![wide.name().to_owned()], wide.decode(&decoded)));
    } else if prose::is_text(&decoded) {
        visit(inner(Vec::new(), decoded));
    }
}

/// The steps into an archive: `gzip`, `zip!/conf/app.env`.
fn names(format: &str, steps: &[Step]) -> Vec<String> {
    let inner = steps.iter().skip_while(|step| **step == Step::Content);
    let inner: Vec<Step> = inner.cloned().collect();
    vec![unpack::address(format, &inner)]
}

/// Whether bytes are text in UTF-16 or UTF-32.
fn is_wide(bytes: &[u8]) -> bool {
    text::wide(bytes).is_some()
}
