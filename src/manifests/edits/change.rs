//! A change of a text by whole lines, shown as a unified diff.
//!
//! The text is left as it is but for the lines that go and come, so comments, indentation and line ends stay. A line
//! that looks like a secret is never shown: context is cut short at it, and where it would have to go, there is no diff.

use super::super::clean::secretive;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Lines of context around a change.
const CONTEXT: usize = 3;
/// Longest line that is shown, in bytes.
const MAX_LINE: usize = 1_000;
/// Most lines of a diff.
const MAX_LINES: usize = 400;

/// A text and the lines of it that go and come; lines count from 1.
pub(super) struct Change<'t> {
    lines: Vec<&'t str>,
    gone: BTreeSet<usize>,
    /// Lines that come before a line.
    before: BTreeMap<usize, Vec<String>>,
}

/// Why there is no diff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoDiff {
    /// A line that goes holds a secret.
    Secret,
    /// Lines around the change hold secrets.
    Surrounded,
    /// It is too large.
    Large,
}

impl NoDiff {
    /// What people are told.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Secret => {
                "a line that has to go seems to hold a secret in clear text, which a patch would repeat: change the file by hand"
            }
            Self::Surrounded => {
                "the lines around the change seem to hold secrets in clear text, which a patch would repeat: change the file by hand"
            }
            Self::Large => {
                "the change is too large to be shown as a patch: change the file by hand"
            }
        }
    }
}

/// A diff and the lines of the text that it shows.
pub(super) struct Diff {
    /// Unified diff.
    pub(super) text: String,
    /// First line shown.
    pub(super) from: usize,
    /// Last line shown.
    pub(super) to: usize,
}

impl<'t> Change<'t> {
    /// No change yet.
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            lines: text.split_inclusive('\n').collect(),
            gone: BTreeSet::new(),
            before: BTreeMap::new(),
        }
    }

    /// A line without its end; empty behind the last.
    pub(super) fn line(&self, number: usize) -> &'t str {
        let line = number.checked_sub(1).and_then(|at| self.lines.get(at));
        line.map_or("", |line| line.trim_end_matches(['\n', '\r']))
    }

    /// Number of lines.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Takes a line away.
    pub(super) fn remove(&mut self, number: usize) {
        self.gone.insert(number);
    }

    /// How many lines go.
    pub(super) fn gone(&self) -> usize {
        self.gone.len()
    }

    /// Whether a line goes.
    pub(super) fn removes(&self, number: usize) -> bool {
        self.gone.contains(&number)
    }

    /// Puts lines before a line, behind those that were put there already.
    pub(super) fn insert(&mut self, number: usize, lines: impl IntoIterator<Item = String>) {
        self.before.entry(number).or_default().extend(lines);
    }

    /// Puts another change of the same text beside this one.
    pub(super) fn join(&mut self, other: Self) {
        self.gone.extend(other.gone);
        for (number, lines) in other.before {
            let known = self.before.entry(number).or_default();
            if *known != lines {
                known.extend(lines);
            }
        }
    }

    /// Whether nothing changes.
    pub(super) fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.before.is_empty()
    }

    /// The change of the file at a path.
    pub(super) fn diff(&self, path: &str) -> Result<Diff, NoDiff> {
        let shown = |number: usize| {
            let line = self.line(number);
            line.len() <= MAX_LINE && !secretive(&without_ids(line))
        };
        if !self.gone.iter().all(|number| shown(*number)) {
            return Err(NoDiff::Secret);
        }
        let open = self.lines.last().is_some_and(|line| !line.ends_with('\n'));
        if open && self.before.contains_key(&(self.len() + 1)) {
            return Err(NoDiff::Surrounded);
        }
        let ranges = self.ranges(&shown)?;
        let mut out = String::new();
        let (old, new) = (quoted("a/", path), quoted("b/", path));
        let tab = if path.contains(' ') { "\t" } else { "" };
        let _ = writeln!(
            out,
            "diff --git {old} {new}\n--- {old}{tab}\n+++ {new}{tab}"
        );
        let mut shift = 0_i64;
        for &(from, to) in &ranges {
            self.hunk(from, to, &mut shift, &mut out);
        }
        if out.lines().count() > MAX_LINES {
            return Err(NoDiff::Large);
        }
        Ok(Diff {
            text: out,
            from: ranges.first().map_or(1, |range| range.0),
            to: ranges.last().map_or(1, |range| range.1),
        })
    }

    /// First and last old line of each hunk.
    fn ranges(&self, shown: &impl Fn(usize) -> bool) -> Result<Vec<(usize, usize)>, NoDiff> {
        let touched: BTreeSet<usize> = self
            .gone
            .iter()
            .chain(self.before.keys())
            .copied()
            .collect();
        let mut ranges: Vec<(usize, usize)> = Vec::new();
        for number in touched {
            let goes = self.gone.contains(&number);
            let mut from = number;
            while from > 1 && number - from < CONTEXT && shown(from - 1) {
                from -= 1;
            }
            // What comes before a line needs that line behind it.
            let mut to = if goes { number } else { number - 1 };
            let last = (number + CONTEXT - usize::from(!goes)).min(self.len());
            while to < last && (shown(to + 1) || self.gone.contains(&(to + 1))) {
                to += 1;
            }
            match ranges.last_mut() {
                Some(before) if from <= before.1 + 1 => before.1 = before.1.max(to),
                _ => ranges.push((from, to)),
            }
        }
        // A hunk needs a line of context behind it, unless the file ends there.
        let bare = ranges.iter().any(|&(from, to)| {
            let changed = |line: usize| self.gone.contains(&line);
            (to < self.len() && (changed(to) || to < from || self.before.contains_key(&(to + 1))))
                || (from > 1 && (changed(from) || self.before.contains_key(&from)))
        });
        if bare {
            return Err(NoDiff::Surrounded);
        }
        Ok(ranges)
    }

    fn hunk(&self, from: usize, to: usize, shift: &mut i64, out: &mut String) {
        let end = if self
            .lines
            .first()
            .is_some_and(|line| line.ends_with("\r\n"))
        {
            "\r\n"
        } else {
            "\n"
        };
        let mut body = String::new();
        let (mut old, mut new) = (0_i64, 0_i64);
        let last = if to == self.len() { to + 1 } else { to };
        for number in from..=last {
            let added = self.before.get(&number).map_or(&[][..], Vec::as_slice);
            for line in added {
                body.push('+');
                body.push_str(line);
                body.push_str(end);
                new += 1;
            }
            let Some(line) = number.checked_sub(1).and_then(|at| self.lines.get(at)) else {
                continue;
            };
            if number > to {
                continue;
            }
            let goes = self.gone.contains(&number);
            body.push(if goes { '-' } else { ' ' });
            body.push_str(line);
            old += 1;
            new += i64::from(!goes);
            if !line.ends_with('\n') {
                body.push_str("\n\\ No newline at end of file\n");
            }
        }
        let start = i64::try_from(from).unwrap_or(i64::MAX);
        let _ = writeln!(out, "@@ -{start},{old} +{},{new} @@", start + *shift);
        out.push_str(&body);
        *shift += new - old;
    }
}

/// A path as git writes it in a diff.
/// A line without the ids of AWS keys: an id names a key as a user name does, and is no secret.
fn without_ids(line: &str) -> Cow<'_, str> {
    const LENGTH: usize = 20;
    let inside = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'/' | b'+' | b'=');
    let id = line.match_indices("AKIA").find(|(at, _)| {
        let bytes = line.as_bytes();
        let whole = bytes.get(*at..at + LENGTH).is_some_and(|id| {
            id.iter()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        });
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        let apart = |c: Option<&u8>| c.is_none_or(|c| !inside(*c) || *c == b'=');
        whole && apart(before) && !bytes.get(at + LENGTH).is_some_and(|c| inside(*c))
    });
    match id {
        Some((at, _)) => {
            let (before, rest) = line.split_at(at);
            let (_, after) = rest.split_at(LENGTH);
            Cow::Owned(format!("{before}{after}"))
        }
        None => Cow::Borrowed(line),
    }
}

fn quoted(side: &str, path: &str) -> String {
    let plain = |c: char| !c.is_control() && c != '"' && c != '\\';
    if path.chars().all(plain) {
        return format!("{side}{path}");
    }
    let mut out = format!("\"{side}");
    for byte in path.bytes() {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            0x20..=0x7e => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "\\{byte:03o}");
            }
        }
    }
    out.push('"');
    out
}

/// A path without its percent-encoding.
pub(super) fn decoded(uri: &str) -> String {
    let mut out = Vec::with_capacity(uri.len());
    let mut rest = uri.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = (byte == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(code) = code {
            out.push(code);
            rest = after.get(2..).unwrap_or_default();
        } else {
            out.push(byte);
            rest = after;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\n";

    #[test]
    fn lines_go_and_come_with_their_neighbours() {
        let mut change = Change::new(TEXT);
        change.remove(2);
        change.insert(2, ["B".to_owned()]);
        change.insert(12, ["K+".to_owned()]);
        let diff = change.diff("x y").ok().unwrap();
        insta::assert_snapshot!(diff.text, @r"
        diff --git a/x y b/x y
        --- a/x y	
        +++ b/x y	
        @@ -1,5 +1,5 @@
         a
        +B
        -b
         c
         d
         e
        @@ -9,4 +9,5 @@
         i
         j
         k
        +K+
         l
        ");
        assert_eq!((diff.from, diff.to), (1, 12));
    }

    #[test]
    fn a_secret_is_not_shown() {
        let word = ["hunter", "2hunter2"].concat();
        let text = format!("a\nb\npassword: {word}\nc\nd\n");
        let mut near = Change::new(&text);
        near.insert(5, ["x".to_owned()]);
        let shown = near.diff("f").ok().unwrap().text;
        assert!(!shown.contains(&word) && shown.contains("+x"));
        let mut gone = Change::new(&text);
        gone.remove(3);
        assert_eq!(gone.diff("f").err(), Some(NoDiff::Secret));
        let mut tight = Change::new(&text);
        tight.insert(3, ["x".to_owned()]);
        assert_eq!(tight.diff("f").err(), Some(NoDiff::Surrounded));
    }

    #[test]
    fn the_id_of_a_key_is_no_secret() {
        let id = ["AKIA", "IOSFODNN7", "ABCDEFG"].concat();
        for line in [
            format!("AWS_ACCESS_KEY_ID: {id}"),
            format!("  - export AWS_ACCESS_KEY_ID={id}"),
            format!("aws-access-key-id: \"{id}\""),
        ] {
            assert!(!without_ids(&line).contains("AKIA"), "{line}");
            let text = format!("a\n{line}\nb\nc\n");
            let mut gone = Change::new(&text);
            gone.remove(2);
            assert!(gone.diff("f").is_ok(), "{line}");
        }
        for line in [format!("x{id}"), format!("{id}x"), "AKIA short".to_owned()] {
            assert_eq!(without_ids(&line), line);
        }
    }

    #[test]
    fn paths_are_written_as_git_does() {
        assert_eq!(decoded("a%20b/%2e.yml"), "a b/..yml");
        assert_eq!(quoted("a/", "x\ny\"z"), "\"a/x\\012y\\\"z\"");
    }
}
