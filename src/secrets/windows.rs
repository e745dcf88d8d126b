//! The parts of a text that a rule's pattern is tried on.

use std::cell::Cell;

/// Bytes of context a pattern may look at beyond its window, so that a word boundary is judged by the text, not by the cut.
pub(super) const MARGIN: usize = 1;

/// Most windows that room is kept for.
const KEPT: usize = 1 << 14;

/// One rule's window in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    /// Index of the rule.
    pub rule: usize,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

thread_local! {
    /// Room for windows, one text after the other.
    static ROOM: Cell<Windows> = const {
        Cell::new(Windows {
            spans: Vec::new(),
            newest: Vec::new(),
            texts: 0,
        })
    };
}

/// Windows as they are found, in roughly ascending order.
#[derive(Default)]
pub(super) struct Windows {
    spans: Vec<Span>,
    /// Of each rule, the index of its newest window, and the text it was in.
    newest: Vec<(u32, u32)>,
    /// Texts so far.
    texts: u32,
}

impl Windows {
    /// For one text, with room that this thread used for others; [`Windows::rest`] gives it back.
    pub(super) fn begin() -> Self {
        let mut windows = ROOM.take();
        windows.spans.clear();
        match windows.texts.checked_add(1) {
            Some(texts) => windows.texts = texts,
            None => windows = Self::default(),
        }
        windows
    }

    /// Lets others use the room.
    pub(super) fn rest(self) {
        // Not of the largest texts.
        if self.spans.capacity() <= KEPT {
            ROOM.set(self);
        }
    }

    /// Adds a window; one that touches the newest of its rule extends it, so that repeated literals take no memory.
    pub(super) fn add(&mut self, window: Span) {
        if self.newest.len() <= window.rule {
            self.newest.resize(window.rule + 1, (0, u32::MAX));
        }
        let Some(newest) = self.newest.get_mut(window.rule) else {
            return;
        };
        let last = match newest {
            (at, text) if *text == self.texts => self.spans.get_mut(*at as usize),
            _ => None,
        };
        match last {
            Some(last) if window.start <= last.end && last.start <= window.end => {
                last.start = last.start.min(window.start);
                last.end = last.end.max(window.end);
            }
            _ => {
                *newest = (self.spans.len() as u32, self.texts);
                self.spans.push(window);
            }
        }
    }

    /// All windows, in the order in which they began; those of one rule do not touch if they were added in ascending order.
    pub(super) fn unsorted(&self) -> &[Span] {
        &self.spans
    }

    /// All windows, sorted; those of one rule do not touch.
    pub(super) fn merged(mut self) -> Vec<Span> {
        let merged = merge(&mut self.spans);
        self.rest();
        merged
    }
}

fn merge(windows: &mut [Span]) -> Vec<Span> {
    windows.sort_unstable();
    let mut merged: Vec<Span> = Vec::with_capacity(windows.len());
    for &window in &*windows {
        match merged.last_mut() {
            Some(last) if last.rule == window.rule && window.start <= last.end => {
                last.end = last.end.max(window.end);
            }
            _ => merged.push(window),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_of_one_rule_merge_and_others_do_not() {
        let span = |rule, start, end| Span { rule, start, end };
        let merged = |spans: Vec<Span>| {
            let mut windows = Windows::begin();
            for span in spans {
                windows.add(span);
            }
            windows.merged()
        };
        assert_eq!(
            merged(vec![
                span(1, 5, 9),
                span(0, 8, 20),
                span(0, 0, 8),
                span(0, 30, 31),
                span(0, 2, 4)
            ]),
            [span(0, 0, 20), span(0, 30, 31), span(1, 5, 9)]
        );
    }

    #[test]
    fn the_windows_of_one_text_are_not_those_of_the_next() {
        let span = |start, end| Span {
            rule: 3,
            start,
            end,
        };
        for _ in 0..2 {
            let mut windows = Windows::begin();
            windows.add(span(4, 6));
            windows.add(span(5, 9));
            assert_eq!(windows.unsorted(), [span(4, 9)]);
            windows.rest();
        }
    }
}
