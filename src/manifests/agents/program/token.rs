//! Program text as tokens: what Python and JavaScript have in common, as far as imports and calls need it.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or keyword.
    Name,
    /// A text in quotes; templates and formatted texts too.
    Text,
    /// A number.
    Number,
    /// One other character.
    Mark(u8),
}

/// One token: its bytes in the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
    /// It is the first of its line.
    pub(super) first: bool,
}

/// Which of the two languages a text is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Python,
    Script,
}

/// Most tokens of one file.
const MAX_TOKENS: usize = 400_000;

/// The tokens of a text, comments left out. Never fails: what is no token of the language is passed over.
pub(super) fn tokens(text: &str, language: Language) -> Vec<Token> {
    let mut reader = Reader {
        bytes: text.as_bytes(),
        at: 0,
        language,
        first: true,
        out: Vec::new(),
    };
    while reader.at < reader.bytes.len() && reader.out.len() < MAX_TOKENS {
        reader.step();
    }
    reader.out
}

struct Reader<'t> {
    bytes: &'t [u8],
    at: usize,
    language: Language,
    first: bool,
    out: Vec<Token>,
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn step(&mut self) {
        let python = self.language == Language::Python;
        match self.peek(0) {
            b'\n' => {
                self.first = true;
                self.at += 1;
            }
            b if b.is_ascii_whitespace() => self.at += 1,
            b'#' if python => self.line(),
            b'/' if !python && self.peek(1) == b'/' => self.line(),
            b'/' if !python && self.peek(1) == b'*' => {
                let rest = self.bytes.get(self.at + 2..).unwrap_or_default();
                let length = memchr::memmem::find(rest, b"*/").map_or(rest.len(), |end| end + 2);
                self.at += 2 + length;
            }
            b'/' if !python && self.begins_pattern() => self.pattern(),
            b'"' | b'\'' => self.text(self.at),
            b'`' if !python => self.text(self.at),
            b if is_name(b) && !b.is_ascii_digit() => self.name(),
            b if b.is_ascii_digit() => {
                let start = self.at;
                while is_name(self.peek(0)) || self.peek(0) == b'.' {
                    self.at += 1;
                }
                self.push(Kind::Number, start);
            }
            b => {
                let start = self.at;
                self.at += 1;
                self.push(Kind::Mark(b), start);
            }
        }
    }

    fn push(&mut self, kind: Kind, start: usize) {
        self.out.push(Token {
            kind,
            start,
            end: self.at,
            first: std::mem::take(&mut self.first),
        });
    }

    fn line(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    }

    fn name(&mut self) {
        let start = self.at;
        while is_name(self.peek(0)) {
            self.at += 1;
        }
        let name = self.bytes.get(start..self.at).unwrap_or_default();
        let prefix = self.language == Language::Python
            && name.len() <= 2
            && name.iter().all(|b| b"rbfuRBFU".contains(b));
        if prefix && matches!(self.peek(0), b'"' | b'\'') {
            self.text(start);
        } else {
            self.push(Kind::Name, start);
        }
    }

    /// A text that opens here; ends at its line's end where it should, and nothing closes it.
    fn text(&mut self, start: usize) {
        let quote = self.peek(0);
        let triple =
            self.language == Language::Python && self.peek(1) == quote && self.peek(2) == quote;
        self.at += if triple { 3 } else { 1 };
        loop {
            match self.peek(0) {
                _ if self.at >= self.bytes.len() => break,
                b'\\' => self.at += 2,
                b'\n' if !triple && quote != b'`' => break,
                b if b == quote && !triple => {
                    self.at += 1;
                    break;
                }
                b if b == quote && self.peek(1) == quote && self.peek(2) == quote => {
                    self.at += 3;
                    break;
                }
                _ => self.at += 1,
            }
        }
        self.at = self.at.min(self.bytes.len());
        self.push(Kind::Text, start);
    }

    /// A slash here opens a regular expression: it stands where a value is expected.
    fn begins_pattern(&self) -> bool {
        self.out.last().is_none_or(|before| match before.kind {
            Kind::Mark(mark) => !matches!(mark, b')' | b']' | b'}' | b'<'),
            Kind::Name => self
                .bytes
                .get(before.start..before.end)
                .is_some_and(|name| name == b"return"),
            Kind::Text | Kind::Number => false,
        })
    }

    fn pattern(&mut self) {
        let start = self.at;
        let mut class = false;
        self.at += 1;
        loop {
            match self.peek(0) {
                _ if self.at >= self.bytes.len() => break,
                b'\n' => break,
                b'\\' => self.at += 1,
                b'[' => class = true,
                b']' => class = false,
                b'/' if !class => {
                    self.at += 1;
                    break;
                }
                _ => {}
            }
            self.at += 1;
        }
        self.at = self.at.min(self.bytes.len());
        self.push(Kind::Number, start);
    }
}

const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

/// What a token of a text says, without its prefix and quotes; escapes of quotes and line ends undone.
pub(super) fn said(source: &str) -> String {
    let open = source.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let quotes = if open.starts_with("\"\"\"") || open.starts_with("'''") {
        3
    } else {
        1
    };
    let inner = open.get(quotes..).unwrap_or_default();
    let quote = open.chars().next().unwrap_or('"');
    let inner = inner
        .strip_suffix(quote.to_string().repeat(quotes).as_str())
        .unwrap_or(inner);
    if !inner.contains('\\') {
        return inner.to_owned();
    }
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some(c @ ('"' | '\'' | '`' | '\\')) => out.push(c),
            Some('\n') | None => {}
            Some(c) => {
                out.push('\\');
                out.push(c);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str, language: Language) -> Vec<&str> {
        tokens(text, language)
            .iter()
            .map(|token| &text[token.start..token.end])
            .collect()
    }

    #[test]
    fn comments_and_patterns_hide_no_quotes() {
        assert_eq!(
            shown("a = f('x') # it's\nb\"\"\"y\n'z\"\"\"", Language::Python),
            ["a", "=", "f", "(", "'x'", ")", "b\"\"\"y\n'z\"\"\""]
        );
        assert_eq!(
            shown(
                "x.replace(/[\"'/]/g, `a\n`) // don't\n/* \" */ y / 2",
                Language::Script
            ),
            [
                "x", ".", "replace", "(", "/[\"'/]/", "g", ",", "`a\n`", ")", "y", "/", "2"
            ]
        );
    }

    #[test]
    fn a_text_is_what_stands_between_its_quotes() {
        for (source, expected) in [
            ("'a'", "a"),
            ("f\"b {c}\"", "b {c}"),
            ("r'''d'''", "d"),
            (r#""e\"\n""#, "e\"\n"),
            ("'open", "open"),
            ("\"", ""),
        ] {
            assert_eq!(said(source), expected, "{source}");
        }
    }

    proptest! {
        #[test]
        fn tokens_lie_in_order_within_any_text(text in "[ a-z\"'`/\\\\\\[\\]#*\n\u{e9}(){}=.]{0,80}", python: bool) {
            let language = if python { Language::Python } else { Language::Script };
            let mut end = 0;
            for token in tokens(&text, language) {
                prop_assert!(end <= token.start && token.start < token.end);
                prop_assert!(text.get(token.start..token.end).is_some());
                said(&text[token.start..token.end]);
                end = token.end;
            }
        }
    }
}
