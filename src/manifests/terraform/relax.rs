//! Line breaks that mean nothing to HCL: within parentheses, brackets and loops. The parser takes some of them amiss, so
//! that a text it refuses is tried again without them. Every byte keeps its place.

/// What the scanner is inside of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum In {
    /// A block or an object, where line breaks end what stands before them.
    Body,
    /// Parentheses, brackets, a loop in braces, an interpolation.
    Loose,
    /// A quoted text.
    Text,
}

/// The text with a blank for every line break and comment that means nothing.
pub(in crate::manifests) fn relax(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut inside: Vec<In> = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        let next = bytes.get(at + 1).copied();
        let here = inside.last().copied().unwrap_or(In::Body);
        let mut step = 1;
        match (here, byte) {
            (In::Text, b'\\') => step = 2,
            (In::Text, b'"') => drop(inside.pop()),
            (In::Text, b'$' | b'%') if next == Some(byte) => step = 2,
            (In::Text, b'$' | b'%') if next == Some(b'{') => {
                inside.push(In::Loose);
                step = 2;
            }
            (In::Text, _) => {}
            (_, b'"') => inside.push(In::Text),
            (_, b'(' | b'[') => inside.push(In::Loose),
            (_, b'{') => inside.push(if is_loop(bytes, at + 1) {
                In::Loose
            } else {
                In::Body
            }),
            (_, b')' | b']' | b'}') => drop(inside.pop()),
            (_, b'#') => step = blank(bytes, at, line_end(bytes, at), here, &mut out),
            (_, b'/') if next == Some(b'/') => {
                step = blank(bytes, at, line_end(bytes, at), here, &mut out);
            }
            (_, b'/') if next == Some(b'*') => {
                let rest = bytes.get(at..).unwrap_or_default();
                let end = memchr::memmem::find(rest, b"*/").map_or(bytes.len(), |end| at + end + 2);
                step = blank(bytes, at, end, here, &mut out);
            }
            (_, b'<') if next == Some(b'<') => step = heredoc(bytes, at),
            (In::Loose, b'\n' | b'\r') => {
                if let Some(place) = out.get_mut(at) {
                    *place = b' ';
                }
            }
            _ => {}
        }
        at += step;
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

/// Whether what a brace opens is a loop.
fn is_loop(bytes: &[u8], from: usize) -> bool {
    let rest = bytes.get(from..).unwrap_or_default().trim_ascii_start();
    rest.strip_prefix(b"for")
        .is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_whitespace))
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    memchr::memchr(b'\n', rest).map_or(bytes.len(), |end| from + end)
}

/// Skips a comment, which would swallow what follows once its line has no end.
fn blank(bytes: &[u8], from: usize, to: usize, here: In, out: &mut [u8]) -> usize {
    if here == In::Loose
        && let Some(comment) = out.get_mut(from..to)
    {
        comment.fill(b' ');
    }
    to.min(bytes.len()) - from
}

/// Length of a text up to its closing word, 1 where none begins here.
fn heredoc(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from + 2..).unwrap_or_default();
    let rest = rest.strip_prefix(b"-").unwrap_or(rest);
    let length = rest
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        .count();
    let word = rest.get(..length).unwrap_or_default();
    if word.is_empty() {
        return 1;
    }
    let mut at = line_end(bytes, from) + 1;
    while at < bytes.len() {
        let end = line_end(bytes, at);
        if bytes.get(at..end).unwrap_or_default().trim_ascii() == word {
            return end - from;
        }
        at = end + 1;
    }
    1
}

#[cfg(test)]
mod tests {
    use super::relax;
    use proptest::prelude::*;

    fn parsed(text: &str) -> bool {
        hcl_edit::parser::parse_body(text).is_ok()
    }

    #[test]
    fn loops_may_be_broken_anywhere() {
        let text = "\
locals {
  on = {
    for place in local.places :
    place => # why
    local.enabled &&
    anytrue([
      a, // first
      b,
    ])
  }
  users = {
    for k, v in var.users : k =>
    local.mysql
    ? {
      name = \"${
        k
      }\"
      # kept
      host = null
    }
    : {
      name = <<-EOT
        {for
      EOT
    }
  }
}
resource \"a\" \"b\" {
  c = \"(\\\"[\"
}
";
        assert!(!parsed(text));
        let relaxed = relax(text);
        assert!(parsed(&relaxed), "{relaxed}");
        assert_eq!(relaxed.len(), text.len());
        assert_eq!(relaxed.find("resource"), text.find("resource"));
        assert!(relaxed.contains("# kept") && !relaxed.contains("# why"));
    }

    proptest! {
        #[test]
        fn every_byte_keeps_its_place(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "{", "}", "[", "]", "(", ")", "\"", "${", "$${", "for ", "\n", "\r\n", "#", "//", "/*", "*/", "<<EOT\n", "EOT", "é",
                "a = 1", "\\", "<<-", " ",
            ]), 0..40)
        ) {
            let text = pieces.concat();
            let relaxed = relax(&text);
            prop_assert_eq!(relaxed.len(), text.len());
            if parsed(&text) {
                prop_assert!(relaxed.lines().count() <= text.lines().count());
            }
        }
    }
}
