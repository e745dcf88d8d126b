//! The parts of a text that a rule's pattern is tried on.

/// Bytes of context a pattern may look at beyond its window, so that a word boundary is judged by the text, not by the cut.
pub(super) const MARGIN: usize = 1;

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

/// Windows as they are found, in roughly ascending order.
#[derive(Default)]
pub(super) struct Windows {
    spans: Vec<Span>,
    /// Of each rule, the index of its newest window.
    newest: Vec<usize>,
}

impl Windows {
    /// Adds a window; one that touches the newest of its rule extends it, so that repeated literals take no memory.
    pub(super) fn add(&mut self, window: Span) {
        if self.newest.len() <= window.rule {
            self.newest.resize(window.rule + 1, usize::MAX);
        }
        let Some(newest) = self.newest.get_mut(window.rule) else {
            return;
        };
        match self.spans.get_mut(*newest) {
            Some(last) if window.start <= last.end && last.start <= window.end => {
                last.start = last.start.min(window.start);
                last.end = last.end.max(window.end);
            }
            _ => {
                *newest = self.spans.len();
                self.spans.push(window);
            }
        }
    }

    /// All windows, in the order in which they began; those of one rule do not touch if they were added in ascending order.
    pub(super) fn unsorted(&self) -> &[Span] {
        &self.spans
    }

    /// All windows, sorted; those of one rule do not touch.
    pub(super) fn merged(self) -> Vec<Span> {
        merge(self.spans)
    }
}

fn merge(mut windows: Vec<Span>) -> Vec<Span> {
    windows.sort_unstable();
    let mut merged: Vec<Span> = Vec::with_capacity(windows.len());
    for window in windows {
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
            let mut windows = Windows::default();
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
}
