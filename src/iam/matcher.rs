//! Matching of AWS wildcards: `*` any text, `?` one character.
//!
//! Patterns are matched against texts and against other patterns, without regular expressions and without recursion.

/// Whether the pattern matches the whole text. Case-sensitive.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    glide(
        pattern,
        text,
        |symbol, byte| symbol == b'?' || symbol == byte,
        |p| pattern.get(p) == Some(&b'*'),
    )
}

/// Whether the pattern matches the whole text, ASCII letters compared without case.
pub fn matches_ignoring_case(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    glide(
        pattern,
        text,
        |symbol, byte| symbol == b'?' || symbol.eq_ignore_ascii_case(&byte),
        |p| pattern.get(p) == Some(&b'*'),
    )
}

/// Whether every text that `narrow` matches is matched by `wide` too.
///
/// Never says yes wrongly; it can say no for exotic pairs that mix `*` and `?` in the middle.
pub fn covers(wide: &str, narrow: &str) -> bool {
    if wide == "*" || wide == narrow {
        return true;
    }
    let wide = normalized(wide);
    let narrow = normalized(narrow);
    // The narrow pattern is read as a text whose `*` only a `*` can take and whose `?` only a `?` or a `*` can.
    glide(
        &wide,
        &narrow,
        |symbol, byte| byte != b'*' && (symbol == b'?' || symbol == byte),
        |p| wide.get(p) == Some(&b'*'),
    )
}

/// Whether some text is matched by both patterns.
pub fn intersects(one: &str, other: &str) -> bool {
    if one == "*" || other == "*" || one == other {
        return true;
    }
    if !has_wildcard(one) {
        return matches(other, one);
    }
    if !has_wildcard(other) {
        return matches(one, other);
    }
    let (one, other) = (one.as_bytes(), other.as_bytes());
    // row[j]: the rest of `one` from i and the rest of `other` from j have a text in common.
    let mut row = vec![false; other.len() + 1];
    for i in (0..=one.len()).rev() {
        let mut next = vec![false; other.len() + 1];
        for j in (0..=other.len()).rev() {
            let a = one.get(i).copied();
            let b = other.get(j).copied();
            let below = row.get(j).copied().unwrap_or(false);
            let right = next.get(j + 1).copied().unwrap_or(false);
            let diagonal = row.get(j + 1).copied().unwrap_or(false);
            let meet = match (a, b) {
                (None, None) => true,
                (Some(b'*'), None) => below,
                (None, Some(b'*')) => right,
                (Some(b'*'), Some(_)) | (Some(_), Some(b'*')) => below || right,
                (Some(x), Some(y)) => (x == y || x == b'?' || y == b'?') && diagonal,
                _ => false,
            };
            if let Some(cell) = next.get_mut(j) {
                *cell = meet;
            }
        }
        row = next;
    }
    row.first().copied().unwrap_or(false)
}

/// Whether the text holds a wildcard.
pub fn has_wildcard(pattern: &str) -> bool {
    pattern.bytes().any(|byte| byte == b'*' || byte == b'?')
}

/// Runs of wildcards in one order: all `?`, then at most one `*`.
fn normalized(pattern: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(pattern.len());
    let mut star = false;
    for byte in pattern.bytes() {
        match byte {
            b'*' => star = true,
            b'?' => out.push(b'?'),
            other => {
                if std::mem::take(&mut star) {
                    out.push(b'*');
                }
                out.push(other);
            }
        }
    }
    if star {
        out.push(b'*');
    }
    out
}

/// Greedy wildcard matching: on a mismatch only the last star is tried again, one symbol further.
fn glide(
    pattern: &[u8],
    text: &[u8],
    fits: impl Fn(u8, u8) -> bool,
    is_star: impl Fn(usize) -> bool,
) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while let Some(&byte) = text.get(t) {
        if is_star(p) {
            retry = Some((p + 1, t));
            p += 1;
        } else if pattern.get(p).is_some_and(|&symbol| fits(symbol, byte)) {
            p += 1;
            t += 1;
        } else if let Some((after_star, taken)) = retry {
            retry = Some((after_star, taken + 1));
            p = after_star;
            t = taken + 1;
        } else {
            return false;
        }
    }
    while is_star(p) {
        p += 1;
    }
    p == pattern.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The plainest possible definition, exponential.
    fn oracle(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.first(), text.first()) {
            (None, None) => true,
            (Some(b'*'), _) => {
                oracle(&pattern[1..], text) || (!text.is_empty() && oracle(pattern, &text[1..]))
            }
            (Some(b'?'), Some(_)) => oracle(&pattern[1..], &text[1..]),
            (Some(a), Some(b)) if a == b => oracle(&pattern[1..], &text[1..]),
            _ => false,
        }
    }

    #[test]
    fn stars_and_question_marks() {
        assert!(matches("s3:Get*", "s3:GetObject"));
        assert!(!matches("s3:Get*", "s3:getObject"));
        assert!(matches_ignoring_case("s3:GET*", "s3:getObject"));
        assert!(matches("a?c", "abc"));
        assert!(!matches("a?c", "ac"));
        assert!(matches("*", ""));
        assert!(covers("Get*", "GetObject*"));
        assert!(!covers("GetObject*", "Get*"));
        assert!(covers("?*", "*?"));
        assert!(!covers("?*", "*"));
        assert!(intersects("a*c", "*bc"));
        assert!(!intersects("a*", "b*"));
    }

    #[test]
    fn many_stars_stay_fast() {
        let pattern = "*a".repeat(400);
        let text = "a".repeat(4_000) + "b";
        assert!(!matches(&pattern, &text));
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in "[ab*?]{0,8}", text in "[ab]{0,10}") {
            prop_assert_eq!(matches(&pattern, &text), oracle(pattern.as_bytes(), text.as_bytes()));
        }

        #[test]
        fn covering_is_sound(wide in "[ab*?]{0,6}", narrow in "[ab*?]{0,6}", text in "[ab]{0,8}") {
            if covers(&wide, &narrow) && matches(&narrow, &text) {
                prop_assert!(matches(&wide, &text));
            }
        }

        #[test]
        fn common_texts_are_noticed(one in "[ab*?]{0,6}", other in "[ab*?]{0,6}", text in "[ab]{0,8}") {
            if matches(&one, &text) && matches(&other, &text) {
                prop_assert!(intersects(&one, &other));
            }
        }

        #[test]
        fn disjoint_patterns_have_no_common_text(one in "[ab*?]{0,4}", other in "[ab*?]{0,4}") {
            if intersects(&one, &other) {
                // Two patterns of four symbols that meet have a common text of at most eight letters.
                let found = (0..=8u32).flat_map(|len| (0..1u32 << len).map(move |bits| (len, bits))).any(|(len, bits)| {
                    let text: String = (0..len).map(|i| if bits >> i & 1 == 1 { 'a' } else { 'b' }).collect();
                    matches(&one, &text) && matches(&other, &text)
                });
                prop_assert!(found);
            }
        }
    }
}
