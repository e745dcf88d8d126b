//! Quoted texts of YAML whose further lines begin too far left. The specification wants them deeper than what they belong
//! to; the readers of clouds and clusters do not mind. They are moved right before the text is read again.

/// Most lines before a fault in which the text it lies in is looked for.
const MAX_BACK: usize = 3_000;

/// A text in which lines were moved, and by how much.
pub(super) struct Moved {
    pub(super) text: String,
    /// Offsets in this text where blanks end that were put in, and how many there are up to there, in order.
    added: Vec<(usize, usize)>,
}

impl Moved {
    /// Offset in the text as written of an offset in this one.
    pub(super) fn source(&self, offset: usize) -> usize {
        let before = self.added.partition_point(|(end, _)| *end <= offset);
        let blanks = before.checked_sub(1).and_then(|at| self.added.get(at));
        offset - blanks.map_or(0, |(_, blanks)| *blanks)
    }
}

/// The text with the quoted text moved right in which a line lies; `None` where none is found. `line` is 1-based.
pub(super) fn moved(text: &str, line: usize) -> Option<Moved> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let fault = line.checked_sub(1)?;
    let (start, opening) = (fault.saturating_sub(MAX_BACK)..fault)
        .rev()
        .find_map(|at| Some((at, opening(lines.get(at)?)?)))?;
    let mut out = Moved {
        text: String::with_capacity(text.len() + 1_024),
        added: Vec::new(),
    };
    let mut inside = false;
    for (at, line) in lines.iter().enumerate() {
        if inside && !line.trim().is_empty() {
            let margin = line.len() - line.trim_start_matches(' ').len();
            let blanks = opening.deeper_than.saturating_add(1).saturating_sub(margin);
            if blanks > 0 {
                out.text.extend(std::iter::repeat_n(' ', blanks));
                let so_far = out.added.last().map_or(0, |(_, blanks)| *blanks);
                out.added.push((out.text.len(), so_far + blanks));
            }
            inside = !closes(line, opening.quote);
            // The fault lies in no text that is open there.
            if !inside && at < fault {
                return None;
            }
        }
        if at == start {
            inside = true;
        }
        out.text.push_str(line);
    }
    (!out.added.is_empty()).then_some(out)
}

/// A quoted text that a line opens and does not close.
struct Opening {
    quote: char,
    /// Column of what it belongs to, from 0.
    deeper_than: usize,
}

fn opening(line: &str) -> Option<Opening> {
    let mut rest = line.trim_start_matches(' ');
    let mut column = line.len() - rest.len();
    while let Some(item) = rest.strip_prefix("- ") {
        let inner = item.trim_start_matches(' ');
        // A text that is itself an item belongs to the list.
        if !inner.starts_with(['\'', '"']) {
            column += rest.len() - inner.len();
        }
        rest = inner;
    }
    if !rest.starts_with(['\'', '"']) {
        rest = rest.split_once(": ")?.1.trim_start();
    }
    while rest.starts_with(['!', '&']) {
        rest = rest.split_once(' ')?.1.trim_start();
    }
    let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let inner = rest.get(1..)?;
    (!closes(inner, quote)).then_some(Opening {
        quote,
        deeper_than: column,
    })
}

/// Whether a line of a quoted text ends it.
fn closes(line: &str, quote: char) -> bool {
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\\' && quote == '"' {
            chars.next();
        } else if c == quote {
            if quote == '\'' && chars.peek() == Some(&'\'') {
                chars.next();
            } else {
                return true;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn offsets_are_those_of_the_text_as_written() {
        let text = "a:\n  b: !Sub '{\n  x\n y'\n  c: 1\n";
        let moved = moved(text, 3).unwrap();
        assert_eq!(moved.text, "a:\n  b: !Sub '{\n   x\n   y'\n  c: 1\n");
        for what in ["b:", "x", "y", "c:"] {
            let at = moved.text.find(what).unwrap();
            assert_eq!(moved.source(at), text.find(what).unwrap(), "{what}");
        }
    }

    #[test]
    fn items_of_lists_and_escapes_are_seen() {
        let item = "- \"a \\\" b\n  c\"\n- d\n";
        assert!(moved(item, 2).is_none());
        let item = "  - n: 'it''s\n  open'\n";
        assert_eq!(moved(item, 2).unwrap().text, "  - n: 'it''s\n     open'\n");
        assert!(moved("a: 'closed'\nb\n", 2).is_none());
    }

    proptest! {
        #[test]
        fn moving_adds_nothing_but_blanks(text in "[-a:'\" \n!é]{0,80}", line in 0_usize..12) {
            if let Some(moved) = moved(&text, line) {
                let bare = |text: &str| text.replace(' ', "");
                prop_assert_eq!(bare(&moved.text), bare(&text));
                prop_assert_eq!(moved.source(moved.text.len()), text.len());
            }
        }
    }
}
