//! A foreign condition on the path as the globs of a rule: in lower case, over the whole path where they have a `/`.

use crate::rules::credentials::parsed;
use regex_syntax::hir::{Class, Hir, HirKind, Look};
use std::collections::BTreeSet;

/// Most globs made of one pattern.
const MOST: usize = 64;
/// Characters of a class that are written out.
const WRITTEN_OUT: usize = 12;
/// The start of a path, while a pattern is taken apart.
const START: char = '\u{2}';
/// The end of a path.
const END: char = '\u{3}';

/// The globs of a pattern.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Globs {
    /// In order, none twice.
    pub globs: Vec<String>,
    /// They hold at the paths that the pattern matches and at no others, but for the letter case.
    pub exact: bool,
}

/// The globs that hold where `pattern` matches somewhere in a path; `None` where globs cannot say it.
pub(super) fn globs(pattern: &str) -> Option<Globs> {
    let mut exact = true;
    let texts = texts(&parsed(pattern)?, &mut exact)?;
    let mut all = BTreeSet::new();
    let mut roots = Vec::new();
    for text in texts {
        let (start, text) = strip(&text, |text| text.strip_prefix(START));
        let (end, text) = strip(text, |text| text.strip_suffix(END));
        if text.contains([START, END]) || text.is_empty() {
            return None;
        }
        let tail = if end { "" } else { "*" };
        let glob = join(if start { "" } else { "*" }, text, tail);
        if start && !glob.contains('/') {
            // By itself it would hold in every folder.
            roots.push(glob);
        } else {
            all.insert(glob);
        }
    }
    for root in roots {
        if !all.remove(&format!("*/{root}")) {
            return None;
        }
        all.insert(root);
    }
    (!all.is_empty()).then(|| Globs {
        globs: all.into_iter().collect(),
        exact,
    })
}

fn strip<'t>(text: &'t str, by: impl Fn(&'t str) -> Option<&'t str>) -> (bool, &'t str) {
    by(text).map_or((false, text), |rest| (true, rest))
}

/// The parts one after the other, stars that meet as one.
fn join(head: &str, text: &str, tail: &str) -> String {
    let mut out = String::new();
    for character in head.chars().chain(text.chars()).chain(tail.chars()) {
        if !(character == '*' && out.ends_with('*')) {
            out.push(character);
        }
    }
    out
}

/// The texts a pattern stands for, with `*` for any text.
fn texts(pattern: &Hir, exact: &mut bool) -> Option<Vec<String>> {
    match pattern.kind() {
        HirKind::Empty => Some(vec![String::new()]),
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).ok()?;
            let plain = !text.contains(['*', '?', '[', ']', '{', '}', '\\', START, END]);
            plain.then(|| vec![text.to_lowercase()])
        }
        HirKind::Look(Look::Start) => Some(vec![START.to_string()]),
        HirKind::Look(Look::End) => Some(vec![END.to_string()]),
        HirKind::Look(_) => None,
        HirKind::Capture(capture) => texts(&capture.sub, exact),
        HirKind::Class(class) => Some(if let Some(characters) = characters(class) {
            characters.into_iter().map(String::from).collect()
        } else {
            *exact &= is_any(class);
            vec!["?".to_owned()]
        }),
        HirKind::Repetition(repetition) => match (repetition.min, repetition.max) {
            (0, Some(1)) => {
                let mut all = texts(&repetition.sub, exact)?;
                all.push(String::new());
                Some(all)
            }
            (least, None) => {
                let any = matches!(repetition.sub.kind(), HirKind::Class(class) if is_any(class));
                *exact &= any;
                Some(vec![join("", &"?".repeat(least.min(4) as usize), "*")])
            }
            (least, Some(most)) if least == most && most <= 8 => {
                let one = texts(&repetition.sub, exact)?;
                (0..most).try_fold(vec![String::new()], |all, _| product(&all, &one))
            }
            _ => None,
        },
        HirKind::Concat(parts) => parts.iter().try_fold(vec![String::new()], |all, part| {
            product(&all, &texts(part, exact)?)
        }),
        HirKind::Alternation(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(texts(part, exact)?);
            }
            (all.len() <= MOST).then_some(all)
        }
    }
}

fn product(heads: &[String], tails: &[String]) -> Option<Vec<String>> {
    let both = || {
        heads
            .iter()
            .flat_map(|head| tails.iter().map(move |tail| (head, tail)))
    };
    (heads.len() * tails.len() <= MOST)
        .then(|| both().map(|(head, tail)| join("", head, tail)).collect())
}

/// The characters of a small class in lower case.
fn characters(class: &Class) -> Option<BTreeSet<char>> {
    let ranges: Vec<(u32, u32)> = ranges(class);
    let size: u32 = ranges.iter().map(|(from, to)| to - from + 1).sum();
    let all: BTreeSet<char> = ranges
        .into_iter()
        .filter(|_| size as usize <= 2 * WRITTEN_OUT)
        .flat_map(|(from, to)| from..=to)
        .filter_map(char::from_u32)
        .map(|character| character.to_ascii_lowercase())
        .collect();
    let plain = |character: &char| {
        character.is_ascii_alphanumeric() || matches!(character, '/' | '.' | '_' | '-' | ' ')
    };
    ((1..=WRITTEN_OUT).contains(&all.len()) && all.iter().all(plain)).then_some(all)
}

/// Whether a class holds every character but the end of a line.
fn is_any(class: &Class) -> bool {
    let holds = |byte: u32| {
        ranges(class)
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&byte))
    };
    (0x20..0x7f).all(holds)
}

fn ranges(class: &Class) -> Vec<(u32, u32)> {
    match class {
        Class::Bytes(class) => class
            .iter()
            .map(|range| (range.start().into(), range.end().into()))
            .collect(),
        Class::Unicode(class) => class
            .iter()
            .map(|range| (range.start().into(), range.end().into()))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_conditions_are_globs() {
        for (pattern, expected) in [
            (r"\.py$", "*.py"),
            (r"(?i)\.(?:tf|hcl)$", "*.hcl *.tf"),
            (r"(?i)\.ya?ml$", "*.yaml *.yml"),
            (r"(?i)nuget\.config$", "*nuget.config"),
            (r"(?:^|/)\.npmrc$", ".npmrc"),
            (r"^deploy/.*\.sh$", "deploy/*.sh"),
            (r"src/main/", "*src/main/*"),
            (r"\.p(?:12|fx)$", "*.p12 *.pfx"),
        ] {
            let globs = globs(pattern).unwrap();
            assert_eq!(
                (globs.globs.join(" ").as_str(), globs.exact),
                (expected, true),
                "{pattern}"
            );
        }
        let wider = globs(r"(?i)(?:^|\/)[^\/]+\.pem$").unwrap();
        assert!(!wider.exact && wider.globs.iter().all(|glob| glob.ends_with("*.pem")));
    }

    #[test]
    fn what_globs_cannot_say_is_left() {
        for pattern in [r"^Makefile$", r"a\bc", r"[", r"^$", r"(a|b|c|d){9}x"] {
            assert_eq!(globs(pattern), None, "{pattern}");
        }
    }
}
