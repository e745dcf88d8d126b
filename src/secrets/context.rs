//! The line around a sighting, fit to be shown: every secret on it masked, control characters neutralised, cut to size.

use super::echo::Echoes;
use crate::model::Redacted;
use regex::bytes::Regex;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

/// Bytes shown before and after the match.
const AROUND: usize = 90;
/// Further bytes looked at on both sides, so that what the cut divides is still recognised.
const MARGIN: usize = 120;
/// Shortest run of letters and digits together that is masked although no rule claims it.
const OPAQUE_RUN: usize = 16;

/// What people assign secrets to; the value is masked whether or not a rule knows it.
static ASSIGNMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    crate::rules::credentials::compile(
        r#"(?i)(?:pass(?:word|wd|phrase)?|pwd|secret|token|credential|(?:api|access|auth|private|client|account)[_-]?key)[a-z0-9_-]{0,24}["']?\s{0,4}(?:[:=]|=>)\s{0,4}(?:"([^"\n]{3,200})|'([^'\n]{3,200})|([^\s"',;&)}\]]{3,200}))|://[^\s:/@]{0,64}:([^\s/@]{1,200})@"#,
    )
    .ok()
});

/// Renders the line of `focus`. `secrets` are the places of all secrets in the text, sorted; the focus is among them or
/// public. `echoes` are their values, masked wherever they stand.
pub(super) fn render(
    text: &[u8],
    focus: &Range<usize>,
    secrets: &[(Range<usize>, String)],
    echoes: &Echoes,
) -> String {
    let shown = line_around(text, focus);
    let wide = widen(text, &shown);
    let mut masks: Vec<(Range<usize>, &str)> = secrets
        .get(first_reaching(secrets, wide.start)..)
        .unwrap_or_default()
        .iter()
        .take_while(|(range, _)| range.start < wide.end)
        .map(|(range, prefix)| (range.clone(), prefix.as_str()))
        .collect();
    for range in echoes.places(text.get(wide.clone()).unwrap_or_default()) {
        let range = wide.start + range.start..wide.start + range.end;
        let inside = |mask: &Range<usize>| mask.start <= range.start && range.end <= mask.end;
        if !masks.iter().any(|(mask, _)| inside(mask)) {
            masks.push((range, ""));
        }
    }
    for range in unclaimed(text.get(wide.clone()).unwrap_or_default()) {
        let range = wide.start + range.start..wide.start + range.end;
        let is_public = range.start <= focus.start && focus.end <= range.end;
        if !is_public && !masks.iter().any(|(mask, _)| overlap(mask, &range)) {
            masks.push((range, ""));
        }
    }
    masks.sort_by_key(|(range, _)| (range.start, range.end));
    let mut out = String::new();
    if shown.start > 0 && text.get(shown.start - 1) != Some(&b'\n') {
        out.push('…');
    }
    let mut at = shown.start;
    for (range, prefix) in masks {
        if range.end <= at || range.start >= shown.end {
            continue;
        }
        show(
            text.get(at..range.start.max(at)).unwrap_or_default(),
            &mut out,
        );
        out.push_str(Redacted::new(prefix).as_str());
        at = range.end;
    }
    show(text.get(at..shown.end).unwrap_or_default(), &mut out);
    if shown.end < text.len()
        && text
            .get(shown.end)
            .is_some_and(|byte| !matches!(byte, b'\n' | b'\r'))
        && at <= shown.end
    {
        out.push('…');
    }
    out.trim().to_owned()
}

/// Index of the first secret that ends after `from`; they are sorted and do not overlap.
fn first_reaching(secrets: &[(Range<usize>, String)], from: usize) -> usize {
    secrets.partition_point(|(range, _)| range.end <= from)
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

fn line_around(text: &[u8], focus: &Range<usize>) -> Range<usize> {
    let left = focus.start.saturating_sub(AROUND);
    let start = text
        .get(left..focus.start)
        .and_then(|part| memchr::memrchr(b'\n', part))
        .map_or(left, |at| left + at + 1);
    // A secret of several lines ends the shown line with its mask.
    let first_line = text
        .get(focus.clone())
        .and_then(|part| memchr::memchr2(b'\n', b'\r', part))
        .map_or(focus.end, |at| focus.start + at);
    if first_line < focus.end {
        return start..first_line;
    }
    let right = text.len().min(focus.end + AROUND);
    let end = text
        .get(focus.end..right)
        .and_then(|part| memchr::memchr2(b'\n', b'\r', part))
        .map_or(right, |at| focus.end + at);
    start..end
}

fn widen(text: &[u8], shown: &Range<usize>) -> Range<usize> {
    shown.start.saturating_sub(MARGIN)..text.len().min(shown.end + MARGIN)
}

/// Parts of which it is remembered what looks secret in them: versions of a file show the same lines.
const REMEMBERED: usize = 512;

thread_local! {
    /// By their digests: no text is kept.
    static UNCLAIMED: RefCell<BTreeMap<[u8; 32], Vec<Range<usize>>>> = RefCell::default();
}

/// Values that look secret although no rule claims them.
fn unclaimed(part: &[u8]) -> Vec<Range<usize>> {
    let digest = *blake3::hash(part).as_bytes();
    UNCLAIMED.with_borrow_mut(|known| {
        if let Some(known) = known.get(&digest) {
            return known.clone();
        }
        if known.len() >= REMEMBERED {
            known.clear();
        }
        let found = look(part);
        known.insert(digest, found.clone());
        found
    })
}

fn look(part: &[u8]) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    if let Some(pattern) = ASSIGNMENT.as_ref() {
        for captures in pattern.captures_iter(part) {
            out.extend(captures.iter().skip(1).flatten().map(|value| value.range()));
        }
    }
    let mut start = 0;
    for at in 0..=part.len() {
        let inside = part.get(at).is_some_and(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'_' | b'-' | b'=')
        });
        if inside {
            continue;
        }
        let run = part.get(start..at).unwrap_or_default();
        if run.len() >= OPAQUE_RUN
            && super::entropy::letters_and_digits(run)
            && super::entropy::shannon(run) > 3.0
        {
            out.push(start..at);
        }
        start = at + 1;
    }
    out
}

/// Appends text with everything that could steer a terminal replaced.
fn show(bytes: &[u8], out: &mut String) {
    for character in String::from_utf8_lossy(bytes).chars() {
        let steering = matches!(
            character,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        );
        out.push(match character {
            '\t' => ' ',
            other if other.is_control() || steering => char::REPLACEMENT_CHARACTER,
            other => other,
        });
    }
}
