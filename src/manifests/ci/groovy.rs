//! Groovy as far as a Jenkinsfile needs it: what is code, what is text, and which calls hold which texts.

/// A text of the program: its bytes' place, without quotes.
#[derive(Clone, Copy)]
pub(super) struct Literal {
    /// First byte of the content.
    pub(super) from: usize,
    /// Behind the last byte of the content.
    pub(super) to: usize,
}

/// A program with its comments and texts told apart.
pub(super) struct Program {
    /// The code: same length, comments and texts blanked.
    pub(super) code: String,
    /// Texts in order.
    pub(super) literals: Vec<Literal>,
}

/// Reads a program; never fails, an unfinished text ends with the file.
pub(super) fn read(source: &str) -> Program {
    let bytes = source.as_bytes();
    let mut code = bytes.to_vec();
    let mut literals = Vec::new();
    let mut at = 0;
    // The last byte of code that is no blank: decides whether `/` begins a text.
    let mut last = b'\n';
    while let Some(&byte) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        let end = if rest.starts_with(b"//") || (at == 0 && rest.starts_with(b"#!")) {
            Some((at, line_end(bytes, at), None))
        } else if rest.starts_with(b"/*") {
            let end = find(bytes, at + 2, b"*/").map_or(bytes.len(), |end| end + 2);
            Some((at, end, None))
        } else if rest.starts_with(b"'''") || rest.starts_with(b"\"\"\"") {
            let quote = rest.get(..3).unwrap_or_default();
            let close = closing(bytes, at + 3, quote);
            Some((at, (close + 3).min(bytes.len()), Some((at + 3, close))))
        } else if matches!(byte, b'\'' | b'"') {
            let close = closing(bytes, at + 1, &[byte]);
            Some((at, (close + 1).min(bytes.len()), Some((at + 1, close))))
        } else if byte == b'/' && matches!(last, b'~' | b'(' | b'=' | b',' | b'[') {
            let close = closing(bytes, at + 1, b"/");
            (close < line_end(bytes, at)).then_some((at, close + 1, Some((at + 1, close))))
        } else {
            None
        };
        let Some((from, to, content)) = end else {
            if !byte.is_ascii_whitespace() {
                last = byte;
            }
            at += 1;
            continue;
        };
        for byte in code.get_mut(from..to).unwrap_or_default() {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        if let Some((from, to)) = content {
            literals.push(Literal { from, to });
            last = b'"';
        }
        at = to.max(at + 1);
    }
    // Only whole texts and comments were blanked, and those end where characters end.
    let code = String::from_utf8_lossy(&code).into_owned();
    Program { code, literals }
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    memchr::memchr(b'\n', rest).map_or(bytes.len(), |at| from + at)
}

fn find(bytes: &[u8], from: usize, what: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes.get(from..)?, what).map(|at| from + at)
}

/// Where a text ends: at its quote, not at an escaped one; a text in single quotes ends with its line.
fn closing(bytes: &[u8], from: usize, quote: &[u8]) -> usize {
    let mut at = from;
    while at < bytes.len() {
        let rest = bytes.get(at..).unwrap_or_default();
        if rest.starts_with(quote) || (quote.len() == 1 && rest.starts_with(b"\n")) {
            return at;
        }
        at += if rest.starts_with(b"\\") { 2 } else { 1 };
    }
    bytes.len()
}

impl Program {
    /// The first text at or behind an offset and before another.
    pub(super) fn literal(&self, from: usize, to: usize) -> Option<Literal> {
        let next = self.literals.partition_point(|literal| literal.from < from);
        self.literals
            .get(next)
            .copied()
            .filter(|literal| literal.from < to)
    }

    /// Calls and blocks of a name: the offset of the name, and of what stands in its brackets or up to its line's end.
    pub(super) fn calls<'p>(
        &'p self,
        name: &'p str,
    ) -> impl Iterator<Item = (usize, usize, usize)> + 'p {
        self.code.match_indices(name).filter_map(move |(at, _)| {
            let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
            let before = self.code.get(..at)?.chars().next_back();
            let from = at + name.len();
            let after = self.code.get(from..)?;
            if before.is_some_and(word) || after.starts_with(word) {
                return None;
            }
            Some((at, from, from + extent(after)))
        })
    }

    /// The body of the block that opens behind an offset.
    pub(super) fn block(&self, from: usize) -> Option<(usize, usize)> {
        let rest = self.code.get(from..)?;
        let open = rest.find('{')?;
        // Between a name and its block there is nothing but brackets.
        if rest.get(..open)?.contains([';', '}']) {
            return None;
        }
        let length = balanced(rest.get(open..)?);
        Some((from + open + 1, from + open + length))
    }
}

/// How far the arguments of a call go: its brackets, or its line.
fn extent(after: &str) -> usize {
    let skipped = after.len() - after.trim_start_matches([' ', '\t']).len();
    match after.as_bytes().get(skipped) {
        Some(b'(' | b'[') => skipped + balanced(after.get(skipped..).unwrap_or_default()),
        _ => after.find('\n').unwrap_or(after.len()),
    }
}

/// Length of a bracketed text that begins with its bracket.
fn balanced(text: &str) -> usize {
    let mut depth = 0usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(source: &str) -> Vec<&str> {
        read(source)
            .literals
            .iter()
            .map(|literal| &source[literal.from..literal.to])
            .collect()
    }

    #[test]
    fn texts_and_comments_are_told_apart_from_code() {
        let source = "a('x') // 'no'\n/* \"no\" */ b \"y\\\"z\" + '''l\nm''' =~ /it's/ c / d 'e'";
        assert_eq!(texts(source), ["x", "y\\\"z", "l\nm", "it's", "e"]);
        let program = read("cron('* 1')\n  timeout(time: 1, unit: 'HOURS') { x }\nmycron('2')");
        let (_, from, to) = program.calls("cron").next().unwrap();
        assert_eq!(program.calls("cron").count(), 1);
        assert!(program.literal(from, to).is_some());
        let (_, from, _) = program.calls("timeout").next().unwrap();
        let (open, close) = program.block(from).unwrap();
        assert_eq!(program.code[open..close].trim_end_matches('}').trim(), "x");
    }

    proptest! {
        #[test]
        fn any_text_is_survived(source in "('|\"|'''|/|\\*|//|\\\\|[a-zé(){}\\[\\]\n =~]){0,60}") {
            let program = read(&source);
            prop_assert_eq!(program.code.len(), source.len());
            for literal in &program.literals {
                prop_assert!(source.get(literal.from..literal.to).is_some());
            }
            for name in ["a", "é"] {
                for (_, from, to) in program.calls(name) {
                    prop_assert!(program.code.get(from..to).is_some());
                    let _ = program.block(from);
                }
            }
        }
    }
}
