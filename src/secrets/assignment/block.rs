//! Values in the lines below a name: a default in its declaration, a member of its object, the text of a block.

use super::value::{self, Literal, Quote};
use super::{at, key, part};
use std::ops::Range;

/// Most bytes below the line of a name that are looked at.
pub(super) const BELOW: usize = 600;

/// Names under which a declaration has its value, in lower case.
const VALUES: [&[u8]; 7] = [
    b"value",
    b"val",
    b"content",
    b"default",
    b"defaultvalue",
    b"stringvalue",
    b"default_value",
];

/// Whether what is behind a name on its line leaves its value to the lines below.
pub(super) fn opens(rest: &[u8]) -> bool {
    let rest = rest.trim_ascii_end();
    match rest.last() {
        Some(b'{' | b':') => true,
        Some(b',') => memchr::memchr(b'{', rest).is_some(),
        _ => is_scalar(rest) || memchr::memmem::find(rest, b"<<").is_some(),
    }
}

/// Whether a line ends with the sign of a block of text in YAML: `|`, `>-`, `|2`.
fn is_scalar(rest: &[u8]) -> bool {
    let mut signs = rest;
    while let [before @ .., b'+' | b'-' | b'0'..=b'9'] = signs
        && rest.len() - before.len() <= 2
    {
        signs = before;
    }
    matches!(signs, [.., b' ', b'|' | b'>'])
}

fn limit(text: &[u8], line: &Range<usize>) -> usize {
    text.len().min(line.end + BELOW)
}

/// The value that an object which begins at `index` gives: `{ "value": "…" }`, `{ default = "…" }`. Quoted values of its own
/// members alone, and those below the line where that leaves them there.
pub(super) fn of_object(text: &[u8], index: usize, line: &Range<usize>) -> Option<Literal> {
    let end = if opens(part(text, index..line.end)) {
        limit(text, line)
    } else {
        line.end
    };
    let mut place = index + 1;
    let mut depth = 1;
    while place < end {
        match at(text, place) {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return None;
                }
            }
            b'"' | b'\'' if !begins_member(text, place) => {
                place = value::quoted(text, place, end, None)?.end;
                continue;
            }
            b'"' | b'\'' | b'a'..=b'z' | b'A'..=b'Z'
                if depth == 1 && begins_member(text, place) =>
            {
                let quote = usize::from(value::is_quote(at(text, place)));
                let name = place + quote..key::end_of(text, place + quote);
                let operator = blanks(text, name.end + quote, end);
                if is_value(part(text, name.clone()))
                    && matches!(at(text, operator), b':' | b'=')
                    && at(text, operator + 1) != b'='
                {
                    let from = blanks(text, operator + 1, end);
                    return value::quoted(text, from, end, None);
                }
                place = name.end.max(place) + quote;
                continue;
            }
            _ => {}
        }
        place += 1;
    }
    None
}

/// Whether a member of an object begins at `place`: nothing but blanks behind a brace, a comma or the end of a line.
fn begins_member(text: &[u8], place: usize) -> bool {
    let head = part(text, place.saturating_sub(40)..place);
    let head = head.trim_ascii_end();
    let blanks = place - head.len() - place.saturating_sub(40);
    let between = part(text, place - blanks..place);
    matches!(head.last(), Some(b'{' | b',')) || memchr::memchr(b'\n', between).is_some()
}

/// Whether a name is one under which a declaration has its value.
pub(super) fn is_value(name: &[u8]) -> bool {
    VALUES.iter().any(|value| value.eq_ignore_ascii_case(name))
}

fn blanks(text: &[u8], index: usize, end: usize) -> usize {
    let rest = part(text, index..end.max(index)).iter();
    index + rest.take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// Lines below a line that are indented further, as far as is looked: each without its indent, and whether the last of them
/// ends before that.
fn indented(text: &[u8], line: &Range<usize>) -> (Vec<Range<usize>>, bool) {
    let own = part(text, line.clone());
    let own = own.len() - own.trim_ascii_start().len();
    let end = limit(text, line);
    let mut out = Vec::new();
    let mut from = line.end;
    let mut first = true;
    loop {
        let rest = part(text, from..end);
        let whole = memchr::memchr(b'\n', rest);
        let to = whole.map_or(end, |at| from + at);
        let content = part(text, from..to);
        if !first && !content.trim_ascii().is_empty() {
            let indent = content.len() - content.trim_ascii_start().len();
            if indent <= own {
                return (out, true);
            }
            out.push(from + indent..from + content.trim_ascii_end().len());
        }
        first = false;
        if whole.is_none() {
            return (out, end == text.len());
        }
        from = to + 1;
    }
}

/// The default or value among the keys of a block of YAML below a name.
pub(super) fn of_mapping(text: &[u8], line: &Range<usize>) -> Option<Literal> {
    let (lines, _) = indented(text, line);
    let start_of = |one: &Range<usize>| {
        let before = part(text, line.end..one.start);
        memchr::memrchr(b'\n', before).map_or(0, |at| before.len() - at)
    };
    let indent = start_of(lines.first()?);
    lines
        .iter()
        .filter(|one| start_of(one) == indent)
        .find_map(|one| {
            let name = one.start..key::end_of(text, one.start);
            let is_member = is_value(part(text, name.clone())) && at(text, name.end) == b':';
            if !is_member || at(text, name.end + 1) != b' ' {
                return None;
            }
            let from = blanks(text, name.end + 1, one.end);
            let bare = || value::bare(text, from..one.end);
            Some(value::quoted(text, from, one.end, None).unwrap_or_else(bare))
        })
}

/// The text of a block of YAML whose sign ends the line of a name, where that is one line without blanks.
pub(super) fn of_scalar(text: &[u8], index: usize, line: &Range<usize>) -> Option<Literal> {
    if !is_scalar(part(text, index.saturating_sub(1)..line.end).trim_ascii_end()) {
        return None;
    }
    let (lines, ends) = indented(text, line);
    let [only] = lines.as_slice() else {
        return None;
    };
    let plain = !part(text, only.clone()).iter().any(u8::is_ascii_whitespace);
    (ends && plain).then(|| Literal {
        range: only.clone(),
        quote: Quote::Bare,
        end: only.end,
    })
}

/// The text between the marks of a heredoc that begins at `index` (`<<EOT`, `<<-EOT`, `<<~'EOT'`, PHP's `<<<EOT`), where
/// that is one line without blanks.
pub(super) fn of_heredoc(text: &[u8], index: usize, line: &Range<usize>) -> Option<Literal> {
    let rest = part(text, index..line.end).strip_prefix(b"<<")?;
    let rest = rest.trim_ascii();
    let rest = rest
        .strip_prefix(b"-")
        .or_else(|| rest.strip_prefix(b"~"))
        .or_else(|| rest.strip_prefix(b"<"))
        .unwrap_or(rest);
    let mark = match rest {
        [quote @ (b'"' | b'\''), mark @ .., close] if quote == close => mark,
        mark => mark,
    };
    let is_mark = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    if mark.is_empty() || !mark.iter().all(is_mark) {
        return None;
    }
    let below = line.end + memchr::memchr(b'\n', part(text, line.end..limit(text, line)))? + 1;
    let mut lines = part(text, below..limit(text, line)).split(|byte| *byte == b'\n');
    let only = lines.next()?;
    let closes = lines
        .next()?
        .trim_ascii()
        .strip_prefix(mark)
        .is_some_and(|after| matches!(after, b"" | b";" | b"," | b")" | b");"));
    let start = below + only.len() - only.trim_ascii_start().len();
    let range = start..start + only.trim_ascii().len();
    let plain = !part(text, range.clone())
        .iter()
        .any(u8::is_ascii_whitespace);
    (closes && plain && !range.is_empty()).then_some(Literal {
        end: range.end,
        range,
        quote: Quote::Own,
    })
}

/// The text of an element behind a name: `<key>name</key><string>…</string>`, `name="name"><value>…</value>`. `index` is
/// where the name ends.
pub(super) fn of_element(text: &[u8], index: usize) -> Option<Literal> {
    /// Most bytes from a name to the value.
    const APART: usize = 120;
    let end = text.len().min(index + APART);
    let mut place = index + usize::from(value::is_quote(at(text, index)));
    if at(text, place) == b'<' {
        place += memchr::memchr2(b'>', b'\n', part(text, place..end))?;
    }
    if at(text, place) != b'>' {
        return None;
    }
    let rest = part(text, place + 1..end);
    place += 1 + rest.len() - rest.trim_ascii_start().len();
    if at(text, place) != b'<' {
        return None;
    }
    let name = place + 1..key::end_of(text, place + 1);
    let tag = part(text, name.clone());
    if !(is_value(tag) || tag == b"string") || at(text, name.end) != b'>' {
        return None;
    }
    let line = memchr::memchr(
        b'\n',
        part(text, name.end..text.len().min(name.end + BELOW)),
    );
    let line = line.map_or(text.len().min(name.end + BELOW), |at| name.end + at);
    Some(content(text, name.end + 1, line))
}

/// The text of an element from `index` on, up to the next tag or the end of its line.
pub(super) fn content(text: &[u8], index: usize, line_end: usize) -> Literal {
    const RAW: &[u8] = b"<![CDATA[";
    let (start, stop) = if part(text, index..line_end).starts_with(RAW) {
        (index + RAW.len(), b']')
    } else {
        (index, b'<')
    };
    let end = memchr::memchr3(stop, b'\n', b'\r', part(text, start..line_end));
    value::trimmed(text, start..end.map_or(line_end, |at| start + at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(text: &str) -> Range<usize> {
        0..text.find('\n').unwrap_or(text.len())
    }

    fn shown(text: &str, found: Option<Literal>) -> Option<&str> {
        found.and_then(|found| text.get(found.range))
    }

    #[test]
    fn objects_have_a_value() {
        for text in [
            "{ default = \"x1\" }",
            "{\n  type = string\n  default = \"x1\"\n}",
            "{\"description\": \"a value: {\", \"value\": \"x1\"}",
            "{\n  \"Type\": \"String\",\n  \"Default\": \"x1\"\n}",
            "{\n  validation { default = \"no\" }\n  default = \"x1\" }",
        ] {
            let found = of_object(text.as_bytes(), 0, &line(text));
            assert_eq!(shown(text, found), Some("x1"), "{text}");
        }
        for text in [
            "{}\nvalue = \"x1\"",
            "{ a = { value = \"x1\" } }",
            "{ \"a\": \"value\", \"b\": \"x1\" }",
            "{ value = other }",
            "{ value == \"x1\" }",
        ] {
            assert!(
                of_object(text.as_bytes(), 0, &line(text)).is_none(),
                "{text}"
            );
        }
    }

    #[test]
    fn blocks_of_yaml_have_a_value() {
        for text in [
            "Key:\n  Type: String\n  Default: x1\n",
            "  key:\n    # why\n    default: \"x1\" # y\n  other: 1\n",
        ] {
            let found = of_mapping(text.as_bytes(), &line(text));
            assert_eq!(shown(text, found), Some("x1"), "{text}");
        }
        for text in [
            "key:\ndefault: x1\n",
            "key:\n  a:\n    default: x1\n",
            "key:\n",
        ] {
            assert!(of_mapping(text.as_bytes(), &line(text)).is_none(), "{text}");
        }
        for text in ["key: |\n  x1\nother: y\n", "  key: >-\n    x1"] {
            let index = text.find(['|', '>']).unwrap();
            let found = of_scalar(text.as_bytes(), index, &line(text));
            assert_eq!(shown(text, found), Some("x1"), "{text}");
        }
        for text in [
            "key: |\n  x1\n  y2\n",
            "key: |\n  two words\n",
            "key: |\nx1\n",
        ] {
            let index = text.find('|').unwrap();
            assert!(
                of_scalar(text.as_bytes(), index, &line(text)).is_none(),
                "{text}"
            );
        }
    }

    #[test]
    fn heredocs_of_one_line_have_a_value() {
        for text in [
            "<<EOF\nx1\nEOF\n",
            "<<-EOT\r\n    x1\r\n  EOT\r\n",
            "<<~'KEY'\n  x1\nKEY",
            "<<<EOT\nx1\nEOT;\n",
        ] {
            let found = of_heredoc(text.as_bytes(), 0, &line(text));
            assert_eq!(shown(text, found), Some("x1"), "{text}");
        }
        for text in [
            "<<EOF\nx1\ny2\nEOF\n",
            "<<EOF\ntwo words\nEOF\n",
            "<< 3\nx1\n4\n",
            "<<EOF\nEOF\n",
            "<<EOF",
            "x1",
        ] {
            assert!(
                of_heredoc(text.as_bytes(), 0, &line(text)).is_none(),
                "{text}"
            );
        }
    }

    #[test]
    fn elements_behind_a_name_have_its_value() {
        for text in [
            "</key>\n  <string>x1</string>",
            "</name><value> x1 </value>",
            "\"><value>x1</value>",
            "</name>\n<value><![CDATA[x1]]></value>",
        ] {
            assert_eq!(
                shown(text, of_element(text.as_bytes(), 0)),
                Some("x1"),
                "{text}"
            );
        }
        for text in [
            "</key>\n<integer>x1</integer>",
            "</key>\n",
            " <value>x1</value>",
        ] {
            assert!(of_element(text.as_bytes(), 0).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "[a-z:{}\"'<>/|\n =-]{0,80}(value|default)?[: =]{0,3}[\"{}a-z\n]{0,20}") {
            let bytes = text.as_bytes();
            for index in 0..text.len() {
                let line = line(&text);
                for one in [of_object(bytes, index, &line), of_mapping(bytes, &line), of_scalar(bytes, index, &line), of_heredoc(bytes, index, &line), of_element(bytes, index)].into_iter().flatten() {
                    prop_assert!(one.range.start <= one.range.end && one.range.end <= text.len());
                }
            }
        }
    }
}
