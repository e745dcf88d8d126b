//! Reads one value out of JSON text that may itself stand inside a string, without parsing the whole.

use std::ops::Range;

/// Place of the first string value of `key` in `text`, where the quotes may be escaped, all alike.
pub(super) fn string_value(text: &[u8], key: &str) -> Option<Range<usize>> {
    memchr::memmem::find_iter(text, key.as_bytes())
        .find_map(|at| value_after(text, at, at + key.len()))
}

fn value_after(text: &[u8], start: usize, end: usize) -> Option<Range<usize>> {
    if text.get(start.checked_sub(1)?) != Some(&b'"') {
        return None;
    }
    let quote = skip(text, end, |byte| byte == b'\\');
    let escapes = quote - end;
    let mut at = expect(text, quote, b'"')?;
    at = skip(text, at, |byte| byte.is_ascii_whitespace());
    at = expect(text, at, b':')?;
    at = skip(text, at, |byte| byte.is_ascii_whitespace());
    let value = expect(text, at + escapes, b'"')?;
    let close = value + memchr::memchr(b'"', text.get(value..)?)?;
    let slashes = text
        .get(value..close)?
        .iter()
        .rev()
        .take_while(|byte| **byte == b'\\')
        .count();
    (slashes == escapes).then_some(value..close - slashes)
}

fn skip(text: &[u8], from: usize, over: impl Fn(u8) -> bool) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|byte| over(**byte)).count()
}

fn expect(text: &[u8], at: usize, byte: u8) -> Option<usize> {
    (text.get(at) == Some(&byte)).then_some(at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_and_escaped_values_are_read() {
        let value =
            |text: &str| string_value(text.as_bytes(), "key").map(|range| text[range].to_owned());
        assert_eq!(
            value(r#"{"key_id": "a", "key" : "b c"}"#).as_deref(),
            Some("b c")
        );
        assert_eq!(
            value(r#"{\"key\":\"b\nc\",\"x\":1}"#).as_deref(),
            Some(r"b\nc")
        );
        assert_eq!(value(r#"{"key": 1}"#), None);
        assert_eq!(value(r#"key": "x""#), None);
        assert_eq!(value(r#"{"key": "unfinished"#), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(text in "[\"\\\\key: ]{0,60}") {
            let _ = string_value(text.as_bytes(), "key");
        }
    }
}
