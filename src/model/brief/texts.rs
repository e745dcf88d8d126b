//! Texts, each of them once.

use serde::{Deserialize, Serialize};

/// The number of a text. Numbers have the order of the texts.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Text(u32);

impl Text {
    /// No text.
    pub const NONE: Self = Self(0);

    /// The text at a place among all, from 0.
    pub fn at(place: usize) -> Self {
        Self(u32::try_from(place + 1).unwrap_or(0))
    }

    /// Its place among all texts; `None` for no text.
    pub fn place(self) -> Option<usize> {
        usize::try_from(self.0).ok()?.checked_sub(1)
    }
}

/// Texts behind each other, in order and each of them once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    all: String,
    ends: Vec<u32>,
}

impl Texts {
    /// Puts texts in order.
    pub fn of<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        let mut made = Self::default();
        for text in texts {
            made.push(text.as_ref());
        }
        made
    }

    fn push(&mut self, text: &str) {
        self.all.push_str(text);
        self.ends
            .push(u32::try_from(self.all.len()).unwrap_or(u32::MAX));
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All of them without anything between them.
    pub fn all(&self) -> &str {
        &self.all
    }

    /// Where each ends.
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    fn nth(&self, place: usize) -> &str {
        let end = |at: usize| self.ends.get(at).map_or(0, |end| *end as usize);
        let from = place.checked_sub(1).map_or(0, end);
        self.all.get(from..end(place)).unwrap_or_default()
    }

    /// The text of a number; nothing where there is none.
    pub fn get(&self, text: Text) -> &str {
        text.place().map_or("", |place| self.nth(place))
    }

    /// The number of a text.
    pub fn find(&self, wanted: &str) -> Option<Text> {
        let (mut from, mut to) = (0, self.len());
        while from < to {
            let middle = usize::midpoint(from, to);
            match self.nth(middle).cmp(wanted) {
                std::cmp::Ordering::Less => from = middle + 1,
                std::cmp::Ordering::Equal => return Some(Text::at(middle)),
                std::cmp::Ordering::Greater => to = middle,
            }
        }
        None
    }

    /// The same texts in lower case, by the same numbers.
    pub(super) fn lower(&self) -> Self {
        let mut made = Self {
            all: String::with_capacity(self.all.len()),
            ends: Vec::with_capacity(self.len()),
        };
        for text in (0..self.len()).map(|place| self.nth(place)) {
            if text.is_ascii() {
                let from = made.all.len();
                made.push(text);
                if let Some(added) = made.all.get_mut(from..) {
                    added.make_ascii_lowercase();
                }
            } else {
                made.push(&text.to_lowercase());
            }
        }
        made
    }

    /// So many of them from a place on: how long each is, and all of them.
    pub fn piece(&self, from: usize, count: usize) -> (Vec<u32>, &str) {
        let to = (from + count).min(self.len());
        let lengths = (from..to).map(|at| self.nth(at).len() as u32).collect();
        let end = |at: usize| {
            let last = at.checked_sub(1).and_then(|at| self.ends.get(at));
            last.map_or(0, |end| *end as usize)
        };
        (
            lengths,
            self.all.get(end(from)..end(to)).unwrap_or_default(),
        )
    }

    /// Adds such a piece; says whether it holds together.
    pub fn add(&mut self, lengths: &[u32], all: &str) -> bool {
        let mut end = self.all.len();
        for length in lengths {
            end += *length as usize;
            self.ends.push(u32::try_from(end).unwrap_or(u32::MAX));
        }
        self.all.push_str(all);
        end == self.all.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn texts_are_found_and_come_back_in_pieces(
            known in proptest::collection::btree_set("[a-cÄé\\x00]{0,4}", 0..40),
            other in "[a-cÄé]{0,4}",
            piece in 1_usize..9,
        ) {
            let texts = Texts::of(&known);
            for (at, text) in known.iter().enumerate() {
                prop_assert_eq!(texts.find(text), Some(Text::at(at)));
                prop_assert_eq!(texts.get(Text::at(at)), text);
            }
            prop_assert_eq!(texts.find(&other).is_some(), known.contains(&other));
            prop_assert_eq!(texts.get(Text::NONE), "");
            let mut again = Texts::default();
            for from in (0..texts.len()).step_by(piece) {
                let (lengths, all) = texts.piece(from, piece);
                prop_assert!(again.add(&lengths, all));
            }
            prop_assert_eq!(&again, &texts);
            let lower: Vec<String> = known.iter().map(|text| text.to_lowercase()).collect();
            let made = texts.lower();
            for (at, text) in lower.iter().enumerate() {
                prop_assert_eq!(made.get(Text::at(at)), text);
            }
        }
    }

    #[test]
    fn a_piece_that_does_not_hold_together_is_told_of() {
        let mut texts = Texts::of(BTreeSet::from(["a"]));
        assert!(!texts.add(&[9], "b"));
        assert_eq!(texts.get(Text::at(1)), "");
    }
}
