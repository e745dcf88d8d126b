//! Colours of the files of a plan item: enough to tell keys, texts and remarks apart, line by line.

use super::theme;
use crate::tui::page::Language;
use ratatui::style::Style;
use ratatui::text::Span;

/// A line of a file in parts, each in its colour; put together they are the line.
pub(super) fn spans(language: Language, text: &str) -> Vec<Span<'_>> {
    match language {
        Language::Plain => vec![Span::raw(text)],
        Language::Patch => vec![Span::styled(text, patch(text))],
        Language::Markdown => vec![Span::styled(text, markdown(text))],
        Language::Code => code(text),
    }
}

fn patch(text: &str) -> Style {
    match text.chars().next() {
        Some('+') => theme::added(),
        Some('-') => theme::removed(),
        Some('@') => theme::key(),
        _ => Style::new(),
    }
}

fn markdown(text: &str) -> Style {
    let text = text.trim_start();
    if text.starts_with('#') {
        theme::heading()
    } else if text.starts_with("```") {
        theme::settled()
    } else {
        Style::new()
    }
}

/// JSON, YAML, HCL and shell alike: texts in quotation marks, keys before a colon or an equals sign, remarks, words that
/// stand for themselves.
fn code(text: &str) -> Vec<Span<'_>> {
    let mut spans = Vec::new();
    let mut from = 0;
    while let Some(rest) = text.get(from..).filter(|rest| !rest.is_empty()) {
        let (length, style) = token(rest, from == 0 || text[..from].ends_with(' '));
        spans.push(Span::styled(&rest[..length], style));
        from += length;
    }
    spans
}

/// The first token of a text: its length in bytes and its style.
fn token(text: &str, after_blank: bool) -> (usize, Style) {
    let first = text.chars().next().unwrap_or(' ');
    let until = |ends: &dyn Fn(char) -> bool| text.find(ends).unwrap_or(text.len());
    let is_key = |rest: &str| {
        let rest = rest.trim_start();
        rest.starts_with(':') || rest.starts_with('=') && !rest.starts_with("==")
    };
    match first {
        '#' if after_blank => (text.len(), theme::settled()),
        '"' => {
            let end = end_of_text(text);
            let style = if is_key(&text[end..]) {
                theme::key()
            } else {
                theme::text()
            };
            (end, style)
        }
        _ if first.is_alphanumeric() || first == '_' => {
            let end =
                until(&|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/')));
            let word = &text[..end];
            let style = if word.starts_with("__") && word.ends_with("__") {
                theme::warning()
            } else if is_key(&text[end..]) {
                theme::key()
            } else if matches!(word, "true" | "false" | "null")
                || word.chars().all(|c| c.is_ascii_digit())
            {
                theme::literal()
            } else {
                Style::new()
            };
            (end, style)
        }
        _ => {
            let plain = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | '"' | '#'));
            let end = first.len_utf8();
            let more = text[end..].find(|c| !plain(c)).unwrap_or(text.len() - end);
            (end + more, Style::new())
        }
    }
}

/// Where a text in quotation marks ends, after its closing mark.
fn end_of_text(text: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn styled(text: &str) -> Vec<(String, Style)> {
        spans(Language::Code, text)
            .into_iter()
            .filter(|span| span.style != Style::new())
            .map(|span| (span.content.into_owned(), span.style))
            .collect()
    }

    #[test]
    fn keys_texts_and_remarks_are_told_apart() {
        assert_eq!(
            styled(r#"  "Effect": "Allow", # why"#),
            [
                ("\"Effect\"".to_owned(), theme::key()),
                ("\"Allow\"".to_owned(), theme::text()),
                ("# why".to_owned(), theme::settled())
            ]
        );
        assert_eq!(
            styled("max_session_duration = 3600"),
            [
                ("max_session_duration".to_owned(), theme::key()),
                ("3600".to_owned(), theme::literal())
            ]
        );
        assert_eq!(
            styled("runs-on: __RUNNER__"),
            [
                ("runs-on".to_owned(), theme::key()),
                ("__RUNNER__".to_owned(), theme::warning())
            ]
        );
    }

    proptest! {
        #[test]
        fn nothing_is_lost(text in "([a-z_]{1,4}|\"|\\\\|#|:|=| |é|[0-9]){0,24}") {
            for language in [Language::Plain, Language::Patch, Language::Markdown, Language::Code] {
                let parts: String = spans(language, &text).iter().map(|span| span.content.as_ref()).collect();
                prop_assert_eq!(&parts, &text);
            }
        }
    }
}
