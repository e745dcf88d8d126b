//! Offsets to lines and columns, for ascending offsets and at one pass over the text for all of them.

/// Counts forward through a text.
pub(super) struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: u32,
    column: u32,
}

impl<'a> Lines<'a> {
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            at: 0,
            line: 1,
            column: 1,
        }
    }

    /// 1-based line and column, in code points, of an offset not before the last one asked for. Bytes that are not UTF-8
    /// count as one code point each unless they look like the continuation of one.
    pub(super) fn of(&mut self, offset: usize) -> (u32, u32) {
        let offset = offset.min(self.text.len());
        let between = self.text.get(self.at..offset).unwrap_or_default();
        let newlines = memchr::memchr_iter(b'\n', between).count() as u32;
        let rest = match memchr::memrchr(b'\n', between) {
            Some(last) => {
                self.column = 1;
                between.get(last + 1..).unwrap_or_default()
            }
            None => between,
        };
        self.line = self.line.saturating_add(newlines);
        let starts = rest.iter().filter(|byte| **byte & 0xc0 != 0x80).count() as u32;
        self.column = self.column.saturating_add(starts);
        self.at = self.at.max(offset);
        (self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn columns_count_code_points() {
        let text = "a\nñx😀y\n\nz".as_bytes();
        let mut lines = Lines::new(text);
        let at = |needle: &str| std::str::from_utf8(text).unwrap().find(needle).unwrap();
        assert_eq!(lines.of(0), (1, 1));
        assert_eq!(lines.of(at("x")), (2, 2));
        assert_eq!(lines.of(at("y")), (2, 4));
        assert_eq!(lines.of(at("z")), (4, 1));
        assert_eq!(lines.of(text.len() + 9), (4, 2));
    }

    proptest! {
        #[test]
        fn stepwise_and_direct_counting_agree(text in proptest::collection::vec(any::<u8>(), 0..80), cuts in proptest::collection::vec(0_usize..80, 0..6)) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.sort_unstable();
            let mut lines = Lines::new(&text);
            for cut in cuts {
                prop_assert_eq!(lines.of(cut), Lines::new(&text).of(cut));
            }
        }
    }
}
