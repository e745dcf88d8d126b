//! JSON as a located tree, with what editors allow on top: comments, trailing commas, several documents in a row.

use super::node::{Key, MAX_DEPTH, Node, Parsed, Problem, Value};
use super::text::Text;

/// Most nodes of one file.
const MAX_NODES: usize = 400_000;

/// Parses a text. What stands before the first problem is kept only as whole documents.
pub(super) fn parse(text: &Text<'_>) -> Parsed {
    let mut reader = Reader {
        text,
        source: text.as_str(),
        at: 0,
        nodes: 0,
    };
    let mut parsed = Parsed::default();
    loop {
        reader.skip();
        if reader.at >= reader.source.len() {
            return parsed;
        }
        match reader.value(0) {
            Ok(node) => parsed.documents.push(node),
            Err(kind) => {
                parsed.problems.push(Problem::at(text, reader.at, kind));
                return parsed;
            }
        }
    }
}

struct Reader<'t> {
    text: &'t Text<'t>,
    source: &'t str,
    at: usize,
    nodes: usize,
}

const BROKEN: &str = "not valid JSON";

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<u8> {
        self.source.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'t str {
        let source = self.source;
        source.get(self.at..).unwrap_or_default()
    }

    /// Moves over white space and comments.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            let length = if trimmed.starts_with("//") {
                trimmed.find(['\n', '\r']).unwrap_or(trimmed.len())
            } else if trimmed.starts_with("/*") {
                trimmed.find("*/").map_or(trimmed.len(), |end| end + 2)
            } else {
                return;
            };
            self.at += length;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, &'static str> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err("too many nodes");
        }
        if depth >= MAX_DEPTH {
            return Err("nested too deeply");
        }
        let start = self.at;
        let value = match self.peek() {
            Some(b'{') => self.map(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => Value::Scalar {
                text: self.string()?,
                plain: false,
            },
            Some(_) => self.word()?,
            None => return Err(BROKEN),
        };
        Ok(Node::at(self.text, (start, self.at), value))
    }

    fn map(&mut self, depth: usize) -> Result<Value, &'static str> {
        self.at += 1;
        let mut entries = Vec::new();
        loop {
            self.skip();
            match self.peek() {
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Value::Map(entries));
                }
                Some(b'"') => {}
                _ => return Err(BROKEN),
            }
            let (line, column) = self.text.position(self.at);
            let text = self.string()?;
            self.skip();
            if self.peek() != Some(b':') {
                return Err(BROKEN);
            }
            self.at += 1;
            self.skip();
            let node = self.value(depth + 1)?;
            entries.push((Key { text, line, column }, node));
            self.separator(b'}')?;
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value, &'static str> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.skip();
            if self.peek() == Some(b']') {
                self.at += 1;
                return Ok(Value::List(items));
            }
            items.push(self.value(depth + 1)?);
            self.separator(b']')?;
        }
    }

    /// Moves over a comma, or stops before the closing bracket.
    fn separator(&mut self, close: u8) -> Result<(), &'static str> {
        self.skip();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(())
            }
            Some(byte) if byte == close => Ok(()),
            _ => Err(BROKEN),
        }
    }

    /// A number or one of the three words.
    fn word(&mut self) -> Result<Value, &'static str> {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')))
            .unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default().to_owned();
        let number = word.starts_with(|c: char| c.is_ascii_digit() || c == '-');
        if !number && !matches!(word.as_str(), "true" | "false" | "null") {
            return Err(BROKEN);
        }
        self.at += end;
        Ok(if word == "null" {
            Value::Null
        } else {
            Value::Scalar {
                text: word,
                plain: true,
            }
        })
    }

    /// A string, escapes resolved; the reader stands on its opening quote.
    fn string(&mut self) -> Result<String, &'static str> {
        let mut out = String::new();
        let mut chars = self
            .source
            .get(self.at + 1..)
            .unwrap_or_default()
            .char_indices();
        let base = self.at + 1;
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.at = base + at + 1;
                    return Ok(out);
                }
                '\n' | '\r' => break,
                '\\' => match chars.next().map(|(_, c)| c) {
                    Some('n') => out.push('\n'),
                    Some('t') => out.push('\t'),
                    Some('r') => out.push('\r'),
                    Some('b') => out.push('\u{8}'),
                    Some('f') => out.push('\u{c}'),
                    Some('u') => {
                        let unit = hex4(&mut chars);
                        let code = match unit {
                            Some(high @ 0xD800..=0xDBFF) => {
                                let mut ahead = chars.clone();
                                let pair = ahead.next().map(|(_, c)| c) == Some('\\')
                                    && ahead.next().map(|(_, c)| c) == Some('u');
                                match hex4(&mut ahead) {
                                    Some(low @ 0xDC00..=0xDFFF) if pair => {
                                        chars = ahead;
                                        Some(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00))
                                    }
                                    _ => None,
                                }
                            }
                            other => other,
                        };
                        let c = code.and_then(char::from_u32);
                        out.push(c.unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    Some(c) => out.push(c),
                    None => break,
                },
                c => out.push(c),
            }
        }
        Err(BROKEN)
    }
}

fn hex4(chars: &mut std::str::CharIndices<'_>) -> Option<u32> {
    let mut code = 0;
    for _ in 0..4 {
        code = code * 16 + chars.next()?.1.to_digit(16)?;
    }
    Some(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn comments_and_trailing_commas_are_allowed() {
        let text =
            Text::new(b"// head\n{\n  \"a\": [1, 2,], /* x */\n  \"b\": {\"c\": true,},\n}\n");
        let parsed = parse(&text);
        assert!(parsed.problems.is_empty());
        let (key, b) = parsed.documents[0].entry("b").unwrap();
        assert_eq!((key.line, key.column), (4, 3));
        assert_eq!(b.get("c").unwrap().as_bool(), Some(true));
    }

    #[test]
    fn escapes_are_resolved() {
        let text = Text::new(br#"["\u0041\ud83d\ude00\/\"\ud83d"]"#);
        let parsed = parse(&text);
        assert_eq!(
            parsed.documents[0].items()[0].as_str(),
            Some("A😀/\"\u{fffd}")
        );
    }

    #[test]
    fn problems_have_a_place() {
        let text = Text::new(b"{\"a\": 1,\n  b}");
        let problem = parse(&text).problems[0];
        assert_eq!((problem.line, problem.column), (2, 3));
        let deep = "[".repeat(5_000);
        assert_eq!(
            parse(&Text::new(deep.as_bytes())).problems[0].kind,
            "nested too deeply"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>(), jsonish in "[{}\\[\\],:\"/*\\\\u0-9ad\n é]{0,60}") {
            let _ = parse(&Text::new(text.as_bytes()));
            let _ = parse(&Text::new(jsonish.as_bytes()));
        }

        #[test]
        fn what_serde_writes_is_read(words in prop::collection::vec(any::<String>(), 0..6)) {
            let json = serde_json::to_string(&words).unwrap();
            let text = Text::new(json.as_bytes());
            let parsed = parse(&text);
            let read: Vec<&str> = parsed.documents[0].items().iter().filter_map(Node::as_str).collect();
            prop_assert_eq!(read, words.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }
}
