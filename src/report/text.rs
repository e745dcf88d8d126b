//! Neutralises text from outside at the place where it is shown, and measures it.
//!
//! File names, branch names, role names, tags and commit authors are chosen by others. Every output passes them through
//! one of the functions here; nothing else decides what is harmless.

use std::borrow::Cow;
use std::fmt::Write as _;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// What stands in the place of a character that may not be shown.
const SUBSTITUTE: char = '\u{fffd}';

/// What a character becomes in text of one line.
fn shown(c: char) -> char {
    match c {
        // White space that breaks lines or moves the cursor.
        '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
        // Cursor control and escape sequences; characters that reorder, hide or tag their neighbours.
        _ if c.is_control() => SUBSTITUTE,
        '\u{61c}'
        | '\u{ad}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => SUBSTITUTE,
        other => other,
    }
}

/// The text on one line, with nothing in it that a terminal or a viewer would act on.
pub fn line(text: &str) -> Cow<'_, str> {
    if is_shown(text) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().map(shown).collect())
    }
}

/// Whether every character may be shown as it is.
fn is_shown(text: &str) -> bool {
    const TOGETHER: usize = 32;
    // Many bytes at once, without a branch for each.
    let plain = |some: &[u8]| {
        let other = some
            .iter()
            .map(|byte| u8::from(!(b' '..=b'~').contains(byte)));
        other.fold(0, |any, one| any | one) == 0
    };
    let mut pieces = text.as_bytes().chunks(TOGETHER).enumerate();
    pieces.all(|(piece, some)| {
        let from = piece * TOGETHER;
        plain(some)
            || some.iter().enumerate().all(|(at, byte)| match byte {
                b' '..=b'~' | 0x80..=0xbf => true,
                // The first byte of a character that is not ASCII; those that follow belong to it.
                0xc0.. => {
                    let rest = text.get(from + at..);
                    let character = rest.and_then(|rest| rest.chars().next());
                    character.is_some_and(|c| shown(c) == c)
                }
                _ => false,
            })
    })
}

/// The text with its line breaks, and nothing else that a terminal or a viewer would act on.
pub fn lines(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let kept = |c| if c == '\n' { c } else { shown(c) };
    text.chars().map(kept).collect()
}

/// The text as one line of Markdown that renders as itself: no links, images, mentions, HTML, tables or emphasis.
pub fn markdown(text: &str) -> String {
    let text = line(text);
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len() + text.len() / 8 + 8);
    let mut from = 0;
    // Everything that is written otherwise is ASCII, and most of a text is not: the rest is taken over in pieces.
    for (at, byte) in bytes.iter().enumerate() {
        let next = bytes.get(at + 1);
        let before = bytes.get(..at).unwrap_or_default();
        let other = match byte {
            b'\\' => r"\\",
            b'`' => r"\`",
            b'*' => r"\*",
            b'_' => r"\_",
            b'[' => r"\[",
            b']' => r"\]",
            b'|' => r"\|",
            b'~' => r"\~",
            b'$' => r"\$",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'&' => "&amp;",
            // Not escapable with a backslash everywhere: a character reference is text in every dialect.
            b'@' => "&#64;",
            b'#' if at == 0 || next.is_some_and(u8::is_ascii_digit) => "&#35;",
            b'+' if at == 0 => r"\+",
            b'-' if at == 0 => r"\-",
            b'=' if at == 0 => r"\=",
            b'!' if at == 0 => r"\!",
            // `12.` and `12)` at the start would begin a list.
            b'.' if is_number(before) => r"\.",
            b')' if is_number(before) => r"\)",
            // Bare addresses become links without any markup.
            b':' if next == Some(&b'/') => "&#58;",
            b'.' if ends_with_www(before) => "&#46;",
            _ => continue,
        };
        out.push_str(text.get(from..at).unwrap_or_default());
        out.push_str(other);
        from = at + 1;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

fn is_number(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

fn ends_with_www(text: &[u8]) -> bool {
    text.last_chunk::<3>()
        .is_some_and(|last| last.eq_ignore_ascii_case(b"www"))
}

/// The text as a Markdown code span that ends where it should. Not for tables, where a bar ends the cell even in code.
pub fn code(text: &str) -> String {
    let text = line(text);
    let fence = "`".repeat(longest_run(&text, '`') + 1);
    let text = text.trim();
    if text.is_empty() {
        return String::new();
    }
    let space = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{space}{text}{space}{fence}")
}

/// The text as a fenced Markdown code block with every line indented by `indent`, ending in a line break.
pub fn code_block(text: &str, language: &str, indent: &str) -> String {
    let text = lines(text);
    let fence = "`".repeat((longest_run(&text, '`') + 1).max(3));
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{indent}{fence}{language}");
    for each in text.trim_end().split('\n') {
        let _ = writeln!(out, "{indent}{}", each.trim_end());
    }
    let _ = writeln!(out, "{indent}{fence}");
    out
}

fn longest_run(text: &str, of: char) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == of { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// The text as one line for the `message.text` of SARIF, where `[words](target)` would become a link.
pub fn sarif(text: &str) -> String {
    line(text).replace("](", "] (")
}

/// Columns the text takes on a terminal.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The longest start of the text that takes at most `columns` columns; what a reader sees as one character is not cut.
fn head(text: &str, columns: usize) -> &str {
    let mut used = 0;
    for (at, seen) in text.grapheme_indices(true) {
        used += width(seen);
        if used > columns {
            return text.get(..at).unwrap_or_default();
        }
    }
    text
}

/// The text as one line of at most `columns` columns; what is cut off is marked with an ellipsis.
pub fn fit(text: &str, columns: usize) -> String {
    let text = line(text);
    if width(&text) <= columns {
        return text.into_owned();
    }
    let Some(room) = columns.checked_sub(1) else {
        return String::new();
    };
    format!("{}…", head(&text, room).trim_end())
}

/// The text fitted into exactly `columns` columns, padded on the right.
pub fn pad(text: &str, columns: usize) -> String {
    let mut out = fit(text, columns);
    let missing = columns.saturating_sub(width(&out));
    out.extend(std::iter::repeat_n(' ', missing));
    out
}

/// The text broken at spaces into lines of at most `columns` columns; a word that is longer is broken where it must be,
/// and a character that is wider than a whole line gives way to the substitute.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let text = line(text);
    let mut out = Vec::new();
    let mut current = String::new();
    for word in text.split_whitespace() {
        if !current.is_empty() {
            if width(&current) + 1 + width(word) > columns {
                out.push(std::mem::take(&mut current));
            } else {
                current.push(' ');
            }
        }
        let mut rest = word;
        while width(rest) > columns {
            let part = match head(rest, columns) {
                "" => rest.graphemes(true).next().unwrap_or(rest),
                part => part,
            };
            rest = rest.strip_prefix(part).unwrap_or_default();
            out.push(if width(part) > columns {
                SUBSTITUTE.to_string()
            } else {
                part.to_owned()
            });
        }
        current.push_str(rest);
    }
    if !current.is_empty() {
        out.push(current);
    }
    out
}

/// A count with a comma between every three digits.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count with its noun: `1 key`, `2 keys`.
pub fn plural(number: u64, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        thousands(number),
        if number == 1 { one } else { many }
    )
}

/// Seconds in the largest unit that divides them: `15 min`, `12 h`, `90 d`.
pub fn duration(seconds: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "d"), (3_600, "h"), (60, "min")];
    for (size, name) in UNITS {
        if seconds >= size && seconds.is_multiple_of(size) {
            return format!("{} {name}", thousands(seconds / size));
        }
    }
    format!("{} s", thousands(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn control_reordering_and_hidden_characters_are_seen() {
        assert_eq!(line("plain é 漢字 🙂"), "plain é 漢字 🙂");
        assert_eq!(line("a\nb\tc\r\u{2028}d"), "a b c  d");
        assert_eq!(
            line("\u{1b}[31mred\u{9b}0m\u{202e}txt.exe\u{200b}\u{e0041}\u{0}"),
            "\u{fffd}[31mred\u{fffd}0m\u{fffd}txt.exe\u{fffd}\u{fffd}\u{fffd}"
        );
        assert_eq!(lines("a\r\nb\u{1b}c\n"), "a\nb\u{fffd}c\n");
    }

    #[test]
    fn markdown_renders_as_itself() {
        for (hostile, harmless) in [
            ("[x](http://e.example)", r"\[x\](http&#58;//e.example)"),
            ("<img src=x>", "&lt;img src=x&gt;"),
            ("a|b `c` *d* _e_", r"a\|b \`c\` \*d\* \_e\_"),
            ("@team fixes #12", "&#64;team fixes &#35;12"),
            ("- item", r"\- item"),
            ("12. item", r"12\. item"),
            ("# title", "&#35; title"),
            ("1.5 GB, www.e.example", r"1\.5 GB, www&#46;e.example"),
            ("a\n\n# b", "a  # b"),
        ] {
            assert_eq!(markdown(hostile), harmless);
        }
    }

    #[test]
    fn code_ends_where_it_should() {
        assert_eq!(code("aws iam"), "`aws iam`");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`x`"), "`` `x` ``");
        assert_eq!(code("a|b\nc"), "`a|b c`");
        assert_eq!(code(" "), "");
        assert_eq!(
            code_block("one\n```\ntwo\u{1b}\n", "sh", "  "),
            "  ````sh\n  one\n  ```\n  two\u{fffd}\n  ````\n"
        );
    }

    #[test]
    fn numbers_read_easily() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(plural(1, "key", "keys"), "1 key");
        assert_eq!(plural(0, "key", "keys"), "0 keys");
        assert_eq!(duration(900), "15 min");
        assert_eq!(duration(43_200), "12 h");
        assert_eq!(duration(90 * 86_400), "90 d");
        assert_eq!(duration(61), "61 s");
    }

    /// Characters that join with their neighbours, take no column, two or three, or change what another takes.
    const WIDTHS: &str = "[a \u{301}\u{fe0f}\u{2764}\u{17d8}\u{644}\u{627}\u{1100}\u{ac00}\u{2e3b}\u{1f1e9}\u{1f1ea}\u{fdfa}\u{1f44d}\u{1f3fd}\u{200d}]{0,24}";

    #[test]
    fn wide_characters_are_cut_whole() {
        assert_eq!(fit("ab\u{2764}\u{fe0f}cd", 4), "ab…");
        assert_eq!(wrap("\u{17d8}", 2), ["\u{fffd}"]);
        assert_eq!(
            wrap("e\u{301}e\u{301}e\u{301}", 2),
            ["e\u{301}e\u{301}", "e\u{301}"]
        );
    }

    /// What every character of a text becomes in Markdown, told one by one.
    fn one_by_one(text: &str) -> String {
        let text: Vec<char> = text.chars().map(shown).collect();
        let mut out = String::new();
        for (at, c) in text.iter().enumerate() {
            let next = text.get(at + 1);
            let before: String = text[..at].iter().collect();
            let number = !before.is_empty() && before.bytes().all(|byte| byte.is_ascii_digit());
            match c {
                '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => out.extend(['\\', *c]),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '&' => out.push_str("&amp;"),
                '@' => out.push_str("&#64;"),
                '#' if at == 0 || next.is_some_and(char::is_ascii_digit) => out.push_str("&#35;"),
                '+' | '-' | '=' | '!' if at == 0 => out.extend(['\\', *c]),
                '.' | ')' if number => out.extend(['\\', *c]),
                ':' if next == Some(&'/') => out.push_str("&#58;"),
                '.' if before.to_ascii_lowercase().ends_with("www") => out.push_str("&#46;"),
                _ => out.push(*c),
            }
        }
        out
    }

    proptest! {
        #[test]
        fn what_is_shown_is_what_each_character_is(text in prop_oneof![any::<String>(), r"[a-z –…é漢\u{1b}\u{200b}\u{85}]{0,120}"]) {
            prop_assert_eq!(is_shown(&text), text.chars().all(|c| shown(c) == c));
        }

        #[test]
        fn markdown_in_pieces_is_markdown_one_by_one(text in r"[\\\\`*_<&@#+.):/w1é\u{1b}\n -]{0,90}") {
            prop_assert_eq!(markdown(&text), one_by_one(&text));
        }

        #[test]
        fn no_output_holds_what_a_terminal_acts_on(
            text in prop_oneof![any::<String>(), WIDTHS],
            columns in 0_usize..40,
        ) {
            let bad = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
            prop_assert!(!line(&text).chars().any(bad));
            prop_assert!(!markdown(&text).chars().any(bad));
            prop_assert!(!code(&text).chars().any(bad));
            prop_assert!(!lines(&text).chars().any(|c| bad(c) && c != '\n'));
            let fitted = fit(&text, columns);
            prop_assert!(!fitted.chars().any(bad));
            prop_assert!(width(&fitted) <= columns);
            prop_assert_eq!(width(&pad(&text, columns)), columns);
            for each in wrap(&text, columns) {
                prop_assert!(width(&each) <= columns.max(1));
            }
        }

        #[test]
        fn wrapping_keeps_every_word(words in prop::collection::vec("[a-z]{1,12}", 0..20), columns in 12_usize..40) {
            prop_assert_eq!(wrap(&words.join(" "), columns).join(" "), words.join(" "));
        }
    }
}
