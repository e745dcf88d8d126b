//! Kubernetes Secrets: the values under `data` are base64, and the key beside each says what it is.

use super::base64::decode_value;
use super::prose::is_text;
use memchr::memmem::Finder;
use std::ops::Range;
use std::sync::LazyLock;

/// The word that tells of one.
static KIND: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"Secret"));

/// Longest value that is taken; longer ones are found as runs.
const LONGEST: usize = 64 << 10;

/// One value of a Secret.
pub(super) struct Entry {
    /// `key: "value"`, decoded.
    pub(super) text: Vec<u8>,
    /// The encoded value.
    pub(super) place: Range<usize>,
}

/// The values of each of the Secrets in a text, in YAML or JSON; none where no Secret is declared.
pub(super) fn secrets(text: &[u8]) -> Vec<Vec<Entry>> {
    let mut out = Vec::new();
    if declares(text, 0..text.len()) {
        yaml(text, &mut out);
        json(text, &mut out);
    }
    out.retain(|entries| !entries.is_empty());
    out
}

/// Whether the text declares, within a part of it, an object of kind Secret.
pub(super) fn declares(text: &[u8], part: Range<usize>) -> bool {
    let found = text.get(part.clone()).unwrap_or_default();
    KIND.find_iter(found).any(|at| {
        let at = part.start + at;
        let goes_on = text.get(at + 6).is_some_and(u8::is_ascii_alphanumeric);
        let is_list = text.get(at + 6..at + 10) == Some(b"List");
        let before = text.get(at.saturating_sub(16)..at).unwrap_or_default();
        let before = before.trim_ascii_end();
        let before = before
            .strip_suffix(b"\"")
            .or(before.strip_suffix(b"'"))
            .unwrap_or(before);
        let key = before
            .trim_ascii_end()
            .strip_suffix(b":")
            .unwrap_or_default()
            .trim_ascii_end();
        (!goes_on || is_list) && (key.ends_with(b"kind") || key.ends_with(b"kind\""))
    })
}

/// Lines below `data:` that are indented further.
fn yaml(text: &[u8], out: &mut Vec<Vec<Entry>>) {
    let mut block = None;
    let mut start = 0;
    for line in text.split(|byte| *byte == b'\n') {
        let content = line.trim_ascii();
        let indent = line.iter().take_while(|byte| **byte == b' ').count();
        if content == b"data:" {
            block = Some(indent);
            out.push(Vec::new());
        } else if let Some(of_block) = block
            && !content.is_empty()
            && !content.starts_with(b"#")
        {
            if indent <= of_block {
                block = None;
            } else if let Some(colon) = memchr::memchr(b':', content)
                && let Some(entries) = out.last_mut()
            {
                let offset = start + line.len() - line.trim_ascii_start().len();
                let (key, value) = content.split_at(colon);
                let value_at = offset + colon + 1;
                pair(
                    text,
                    unquoted(key),
                    value_at..value_at + value.len() - 1,
                    entries,
                );
            }
        }
        start += line.len() + 1;
    }
}

/// Members of objects named `data`.
fn json(text: &[u8], out: &mut Vec<Vec<Entry>>) {
    for found in memchr::memmem::find_iter(text, b"\"data\"") {
        let mut at = skip(text, found + 6, b":");
        if text.get(at) != Some(&b'{') {
            continue;
        }
        at += 1;
        let mut entries = Vec::new();
        loop {
            at = skip(text, at, b",");
            let Some(key) = string(text, at) else { break };
            at = skip(text, key.end + 1, b":");
            let Some(value) = string(text, at) else { break };
            at = value.end + 1;
            pair(text, text.get(key).unwrap_or_default(), value, &mut entries);
        }
        out.push(entries);
    }
}

/// Behind white space and one `sign`.
fn skip(text: &[u8], from: usize, sign: &[u8]) -> usize {
    let white = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        from + rest.len() - rest.trim_ascii_start().len()
    };
    let at = white(from);
    if text.get(at..).is_some_and(|rest| rest.starts_with(sign)) {
        white(at + sign.len())
    } else {
        at
    }
}

/// The content of the string that begins at `at`, where it has no escapes.
fn string(text: &[u8], at: usize) -> Option<Range<usize>> {
    let content = text.get(at..)?.strip_prefix(b"\"")?;
    let content = content.get(..LONGEST).unwrap_or(content);
    let end = memchr::memchr2(b'"', b'\\', content)?;
    (content.get(end) == Some(&b'"')).then_some(at + 1..at + 1 + end)
}

fn unquoted(text: &[u8]) -> &[u8] {
    text.trim_ascii()
        .trim_ascii_start()
        .strip_prefix(b"\"")
        .and_then(|text| text.strip_suffix(b"\""))
        .unwrap_or(text.trim_ascii())
}

fn pair(text: &[u8], key: &[u8], value: Range<usize>, out: &mut Vec<Entry>) {
    let raw = text.get(value.clone()).unwrap_or_default();
    let trimmed = raw.trim_ascii_start();
    let start = value.start + raw.len() - trimmed.len();
    let trimmed = trimmed.trim_ascii_end();
    let quote = matches!(trimmed, [b'"', .., b'"'] | [b'\'', .., b'\'']);
    let (start, letters) = if quote {
        (
            start + 1,
            trimmed.get(1..trimmed.len() - 1).unwrap_or_default(),
        )
    } else {
        (start, trimmed)
    };
    let named = !key.is_empty()
        && key
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if !named || letters.len() < 4 || letters.len() > LONGEST {
        return;
    }
    let place = start..start + letters.len();
    let Some(decoded) = decode_value(letters).filter(|decoded| is_text(decoded)) else {
        return;
    };
    let value = decoded.trim_ascii_end();
    let quotable = !value
        .iter()
        .any(|byte| matches!(byte, b'"' | b'\\' | b'\n'));
    let mut line = key.to_vec();
    line.extend_from_slice(if quotable { b": \"" } else { b": " });
    line.extend_from_slice(value);
    line.extend_from_slice(if quotable { b"\"\n" } else { b"\n" });
    out.push(Entry { text: line, place });
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    fn shown(text: &str) -> Vec<String> {
        secrets(text.as_bytes())
            .into_iter()
            .flatten()
            .map(|entry| {
                let raw = &text[entry.place];
                assert_eq!(
                    decode_value(raw.as_bytes()).unwrap().is_empty(),
                    raw.is_empty()
                );
                String::from_utf8(entry.text).unwrap()
            })
            .collect()
    }

    #[test]
    fn keys_name_the_values() {
        let value = STANDARD.encode("hunter2!");
        let lines = STANDARD.encode("a=1\nb=2\n");
        let yaml = format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: x\ndata:\n  # why\n  DB_PASSWORD: {value}\n  \"env\": '{lines}'\n  bin: //79\ntype: Opaque\nother: {value}\n"
        );
        let expected = ["DB_PASSWORD: \"hunter2!\"\n", "env: a=1\nb=2\n"];
        assert_eq!(shown(&yaml), expected);
        assert!(shown(&yaml.replace("kind: Secret", "kind: SecretStore")).is_empty());
        for json in [
            format!(r#"{{"kind":"Secret","data":{{"DB_PASSWORD":"{value}","env":"{lines}"}}}}"#),
            format!(
                "{{\n  \"data\": {{\n    \"DB_PASSWORD\": \"{value}\",\n    \"env\": \"{lines}\"\n  }},\n  \"kind\": \"Secret\"\n}}"
            ),
        ] {
            assert_eq!(shown(&json), expected, "{json}");
        }
    }
}
