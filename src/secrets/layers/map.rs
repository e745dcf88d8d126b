//! Where a place in a decoded text stands in the text it was decoded from.

use std::ops::Range;

/// A decoded text while it is put together, with the way back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::secrets) struct Mapped {
    pub(in crate::secrets) bytes: Vec<u8>,
    /// Offset here, offset there: from one entry to the next both grow alike.
    steps: Vec<(usize, usize)>,
    /// One past the last byte there.
    end: usize,
}

impl Mapped {
    /// Appends what stands for `there`.
    pub(super) fn push(&mut self, bytes: &[u8], there: Range<usize>) {
        let here = self.bytes.len();
        let follows = self.steps.last().is_some_and(|(known, at)| {
            at + (here - known) == there.start && self.end == there.start
        });
        if !follows {
            self.steps.push((here, there.start));
        }
        self.bytes.extend_from_slice(bytes);
        // What is decoded is shorter than it was written: what follows is a step of its own.
        self.end = if bytes.len() == there.len() {
            there.end
        } else {
            self.steps.push((self.bytes.len(), there.end));
            there.end
        };
    }

    /// The offset there of an offset here.
    pub(in crate::secrets) fn there(&self, here: usize) -> usize {
        let after = self.steps.partition_point(|(known, _)| *known <= here);
        match after.checked_sub(1).and_then(|at| self.steps.get(at)) {
            Some((known, at)) => (at + (here - known)).min(self.end),
            None => self.end,
        }
    }

    /// The place there of a place here.
    pub(in crate::secrets) fn place(&self, here: &Range<usize>) -> Range<usize> {
        let start = self.there(here.start);
        start..self.there(here.end).max(start)
    }

    /// From the first to the last byte there.
    pub(in crate::secrets) fn whole(&self) -> Range<usize> {
        self.steps.first().map_or(self.end, |(_, at)| *at)..self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_lead_back() {
        let mut mapped = Mapped::default();
        mapped.push(b"ab", 10..12);
        mapped.push(b":", 12..15);
        mapped.push(b"c", 15..16);
        mapped.push(b"d", 16..17);
        mapped.push(b"e", 30..31);
        assert_eq!(mapped.bytes, b"ab:cde");
        let there: Vec<usize> = (0..=6).map(|at| mapped.there(at)).collect();
        assert_eq!(there, [10, 11, 12, 15, 16, 30, 31]);
        assert_eq!(mapped.place(&(2..4)), 12..16);
        assert_eq!(mapped.whole(), 10..31);
    }
}
