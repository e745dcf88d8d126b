//! Secrets without a form of their own, known by the name they are assigned to: `password = …`, `api_key: …`,
//! `Authorization: Bearer …`, `--token …`, `<secret>…</secret>`.
//!
//! ```text
//! keyword ─► name ─► operator ─► value ─► what it cannot be ─► features ─► score ─► confidence and reasons
//! ```
//!
//! Names and the weights of the features are data (`rules/assignments.toml`). What is judged depends on a few
//! lines on either side of the keyword.

mod block;
mod features;
mod form;
mod key;
mod known;
mod list;
mod reader;
mod score;
mod shape;
mod statement;
mod surroundings;
mod table;
mod value;
mod vendors;
mod words;

use super::compile::Reach;
use crate::model::Confidence;
use form::Reading;
use key::Key;
use known::Known;
use score::Verdict;
use std::ops::Range;
use table::Column;

/// Most bytes on either side of a keyword that decide of what is made of it: of the line before it and the lines
/// before that; of the line behind it, a value on the next line, and the lines after. [`sees`] tells more exactly.
pub(super) const REACH: Reach = Reach {
    before: 1_300,
    after: 5_000,
};

/// How far beside a keyword [`look`] looks: names, blanks and signs have their lengths. It is more than what is looked at
/// beside the literals of patterns.
pub(super) const LOOKED_AT: Reach = Reach {
    before: key::LONGEST + 1,
    after: key::LONGEST + form::BLANKS + 16,
};

/// Bytes that are looked at beyond a line to see where it ends.
const MARGIN: usize = 16;

/// A secret and the name it is assigned to.
pub(super) struct Assigned {
    /// The secret.
    pub secret: Range<usize>,
    /// How sure it is.
    pub confidence: Confidence,
    /// Why.
    pub reasons: Vec<String>,
}

/// Whether the keyword at `hit` may be the end of a name that something is assigned to. A few comparisons; `false` means
/// that [`judge`] finds nothing there.
pub(super) fn look(text: &[u8], hit: &Range<usize>) -> bool {
    form::plausible(text, key::end(text, hit))
}

/// How far around the keyword at `hit` a text decides whether [`judge`] makes anything of it. It may be beyond the ends of
/// the text: what came to stand there would count.
pub(super) fn reads(text: &[u8], hit: &Range<usize>) -> Reach {
    reach(text, hit, MARGIN)
}

/// How far around the keyword at `hit` a text decides what [`judge`] makes of it, as [`reads`] tells it.
pub(super) fn sees(text: &[u8], hit: &Range<usize>) -> Reach {
    reach(text, hit, surroundings::AROUND + MARGIN)
}

fn reach(text: &[u8], hit: &Range<usize>, margin: usize) -> Reach {
    let name = key::range(text, hit);
    let table = table::look(text, &name).seen;
    decides(text, hit, &name, &table, margin).unwrap_or_else(|| {
        let line = form::line_of(text, &name);
        Reach {
            before: hit.start - line.start.min(table.start) + margin,
            after: REACH.after,
        }
    })
}

/// The lines that decide of the keyword at `hit`, what was seen of a table among them, and `margin` bytes around them; `None`
/// where it cannot be said how far behind it they go.
fn decides(
    text: &[u8],
    hit: &Range<usize>,
    name: &Range<usize>,
    table: &Range<usize>,
    margin: usize,
) -> Option<Reach> {
    let line = form::line_of(text, name);
    let end = form::end_of_reading(text, name, &line)?;
    Some(Reach {
        before: hit.start - line.start.min(table.start) + margin,
        after: end.max(table.end) - hit.end + margin,
    })
}

/// What is made of a keyword.
pub(super) enum Judgement {
    /// Nothing that could be a secret is assigned, whatever stands around: [`reads`] tells what decides.
    Nothing,
    /// What stands around speaks against what is assigned.
    Unlikely,
    /// A secret, or each of those in a list.
    Secrets(Vec<Assigned>),
}

impl Judgement {
    /// The secrets, where there are any.
    pub(super) fn secrets(self) -> Vec<Assigned> {
        match self {
            Self::Secrets(all) => all,
            Self::Nothing | Self::Unlikely => Vec::new(),
        }
    }
}

/// Judges what is assigned to the name around the keyword at `hit`, if that name is of `family`.
pub(super) fn judge(text: &[u8], hit: &Range<usize>, family: &str) -> Judgement {
    let name = key::range(text, hit);
    if !form::plausible(text, name.end) {
        return Judgement::Nothing;
    }
    // Most names are known, and many speak of nothing.
    let Some(key) = key::read(text, name).filter(|key| key.name.family.id == family) else {
        return Judgement::Nothing;
    };
    let name = key.range.clone();
    let table = table::look(text, &name);
    let (key, readings) = readings(text, key, table.column);
    if readings.is_empty() {
        return Judgement::Nothing;
    }
    let Some(decides) = decides(text, hit, &name, &table.seen, MARGIN) else {
        return weigh(text, &key, &readings);
    };
    let start = hit.start.saturating_sub(decides.before);
    let end = text.len().min(hit.end + decides.after);
    let place = hit.start - start..hit.end - start;
    let known = Known::of(part(text, start..end), place, family);
    if known.is_nothing() {
        return Judgement::Nothing;
    }
    let judged = weigh(text, &key, &readings);
    if matches!(judged, Judgement::Nothing) {
        known.note();
    }
    judged
}

/// The ways to read what is assigned to a name, or stands below it, where it is the head of a column; then the whole head is the
/// name.
fn readings(text: &[u8], key: Key, column: Option<Column>) -> (Key, Vec<Reading>) {
    let Some(column) = column else {
        let readings = reader::readings(text, &key);
        return (key, readings);
    };
    let head = key::read(text, column.head.clone());
    match head.filter(|head| head.is_head_of(&key.name.family.id)) {
        Some(head) => (head, column.readings(text)),
        None => (key, Vec::new()),
    }
}

/// What is made of the ways to read what is assigned to a name.
fn weigh(text: &[u8], key: &Key, readings: &[Reading]) -> Judgement {
    let mut best = Judgement::Nothing;
    let mut all = Vec::new();
    for reading in readings {
        match score::judge(text, key, reading) {
            Verdict::Nothing => {}
            Verdict::Unlikely => best = Judgement::Unlikely,
            Verdict::Secret(found) => {
                all.push(found);
                if !reading.listed {
                    break;
                }
            }
        }
    }
    if all.is_empty() {
        best
    } else {
        Judgement::Secrets(all)
    }
}

/// Whether nearly all of a text reads like words.
pub(super) fn reads_like_words(text: &[u8]) -> bool {
    words::wording(text).share > 0.6
}

/// Whether a short text holds another. Nothing is prepared for it, as it is for a search of long ones.
fn contains(text: &[u8], sought: &[u8]) -> bool {
    sought.split_first().is_none_or(|(first, rest)| {
        memchr::memchr_iter(*first, text).any(|at| {
            let behind = text.get(at + 1..).unwrap_or_default();
            behind.starts_with(rest)
        })
    })
}

/// The byte at `index`; 0 beyond both ends.
fn at(text: &[u8], index: usize) -> u8 {
    text.get(index).copied().unwrap_or(0)
}

/// The byte before `index`; 0 at the start.
fn before(text: &[u8], index: usize) -> u8 {
    index
        .checked_sub(1)
        .and_then(|index| text.get(index))
        .copied()
        .unwrap_or(0)
}

/// A part of a text; empty where it is out of bounds.
fn part(text: &[u8], range: Range<usize>) -> &[u8] {
    text.get(range).unwrap_or_default()
}

#[cfg(test)]
mod tests;
