//! CODEOWNERS of GitHub and GitLab: who owns a path.
//!
//! The last pattern that matches decides, and one without owners takes ownership away. Patterns are those of gitignore
//! without negation and character classes, except that `docs/*` reaches only what lies directly in `docs`
//! (<https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners>,
//! <https://docs.gitlab.com/user/project/codeowners/reference/>, read 2026-11).

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

/// Largest file read; hosts ignore larger ones.
const MAX_BYTES: usize = 3 << 20;
/// Most patterns kept.
const MAX_RULES: usize = 20_000;
/// Most segments of a path or pattern compared.
const MAX_SEGMENTS: usize = 256;

/// Places of the file, most binding first.
const PLACES: [&str; 4] = [
    ".github/CODEOWNERS",
    ".gitlab/CODEOWNERS",
    "CODEOWNERS",
    "docs/CODEOWNERS",
];

/// How binding a file is where a repository has several, 0 first; `None` when it is not a CODEOWNERS file.
pub fn precedence(uri: &str) -> Option<usize> {
    PLACES.iter().position(|place| *place == uri)
}

/// Whether hosts read this path as CODEOWNERS.
pub fn is_codeowners(uri: &str) -> bool {
    precedence(uri).is_some()
}

/// One CODEOWNERS file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Codeowners {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Rule {
    pattern: Pattern,
    /// Owners as written, joined by one space; empty takes ownership away.
    owners: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Pattern {
    segments: Vec<String>,
    /// Matches below a matched folder too.
    descends: bool,
    /// Matches only what lies below it.
    folder: bool,
}

impl Codeowners {
    /// Reads a file; lines that are no rules are left out.
    pub fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes.get(..MAX_BYTES).unwrap_or(bytes));
        let mut rules = Vec::new();
        let mut section_owners = String::new();
        for line in text.trim_start_matches('\u{feff}').lines() {
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', '!']) {
                continue;
            }
            if let Some(owners) = section(line) {
                section_owners = owners;
                continue;
            }
            let (pattern, rest) = split_pattern(line);
            let mut owners = owners(rest);
            if owners.is_empty() {
                owners.clone_from(&section_owners);
            }
            if let Some(pattern) = Pattern::new(&pattern)
                && rules.len() < MAX_RULES
            {
                rules.push(Rule { pattern, owners });
            }
        }
        Self { rules }
    }

    /// Owners of a path (relative to the repository's root, percent-encoded or not), separated by one space.
    pub fn owner_of(&self, uri: &str) -> Option<&str> {
        let path = percent_decode_str(uri).decode_utf8_lossy();
        let segments: Vec<&str> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .collect();
        self.rules
            .iter()
            .rev()
            .find(|rule| rule.pattern.matches(&segments))
            .map(|rule| rule.owners.as_str())
            .filter(|owners| !owners.is_empty())
    }
}

/// Default owners of a GitLab section header such as `^[Docs][2] @docs`.
fn section(line: &str) -> Option<String> {
    let rest = line.strip_prefix('^').unwrap_or(line).strip_prefix('[')?;
    let (name, mut rest) = rest.split_once(']')?;
    if name.is_empty() {
        return None;
    }
    if let Some((count, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'))
        && count.bytes().all(|b| b.is_ascii_digit())
    {
        rest = after;
    }
    // Text glued to the bracket makes it a pattern.
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then(|| owners(rest))
}

/// The pattern, spaces unescaped, and what follows it.
fn split_pattern(line: &str) -> (String, &str) {
    let mut pattern = String::new();
    let mut chars = line.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some((_, next @ (' ' | '#'))) => pattern.push(next),
                Some((_, next)) => pattern.extend(['\\', next]),
                None => {}
            },
            c if c.is_whitespace() => return (pattern, line.get(at..).unwrap_or_default()),
            c => pattern.push(c),
        }
    }
    (pattern, "")
}

/// Owners up to a comment.
fn owners(text: &str) -> String {
    let words: Vec<&str> = text
        .split_whitespace()
        .take_while(|word| !word.starts_with('#'))
        .filter(|word| word.contains('@'))
        .collect();
    words.join(" ")
}

impl Pattern {
    fn new(text: &str) -> Option<Self> {
        let folder = text.ends_with('/');
        let body = text.trim_matches('/');
        if body.is_empty() && text != "/" {
            return None;
        }
        let anchored = text.trim_end_matches('/').contains('/');
        let mut segments: Vec<String> = if anchored {
            Vec::new()
        } else {
            vec!["**".to_owned()]
        };
        segments.extend(
            body.split('/')
                .filter(|segment| !segment.is_empty())
                .map(str::to_owned),
        );
        (segments.len() <= MAX_SEGMENTS).then_some(Self {
            descends: !(anchored && body.ends_with("/*")),
            folder,
            segments,
        })
    }

    fn matches(&self, path: &[&str]) -> bool {
        if path.is_empty() || path.len() > MAX_SEGMENTS {
            return false;
        }
        // reach[i]: the pattern read so far can end after i segments of the path.
        let mut reach = vec![false; path.len() + 1];
        reach[0] = true;
        for segment in &self.segments {
            let mut next = vec![false; path.len() + 1];
            if segment == "**" {
                let mut open = false;
                for (to, from) in next.iter_mut().zip(&reach) {
                    open |= *from;
                    *to = open;
                }
            } else {
                for ((from, name), to) in reach.iter().zip(path).zip(next.iter_mut().skip(1)) {
                    *to = *from && glob(segment, name);
                }
            }
            reach = next;
        }
        let whole = reach.last().copied().unwrap_or(false);
        let above = reach.iter().take(path.len()).any(|end| *end);
        (whole && !self.folder) || (above && (self.descends || self.folder))
    }
}

/// `*` and `?` within one segment, `\` before a character that stands for itself.
fn glob(pattern: &str, name: &str) -> bool {
    let pattern: Vec<(char, bool)> = {
        let mut chars = pattern.chars();
        std::iter::from_fn(|| match chars.next()? {
            '\\' => Some((chars.next().unwrap_or('\\'), false)),
            c => Some((c, matches!(c, '*' | '?'))),
        })
        .collect()
    };
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(c) = name.get(n) {
        match pattern.get(p) {
            Some(('*', true)) => {
                star = Some((p, n));
                p += 1;
            }
            Some((want, special)) if (*special && *want == '?') || want == c => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    p = at + 1;
                    n = from + 1;
                    star = Some((at, n));
                }
                None => return false,
            },
        }
    }
    pattern
        .get(p..)
        .is_some_and(|rest| rest.iter().all(|part| *part == ('*', true)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn owner(file: &str, path: &str) -> Option<String> {
        Codeowners::parse(file.as_bytes())
            .owner_of(path)
            .map(str::to_owned)
    }

    #[test]
    fn patterns_reach_what_hosts_say_they_reach() {
        for (pattern, path, reached) in [
            ("*", "a/b/c.rs", true),
            ("*.js", "src/deep/x.js", true),
            ("*.js", "src/x.jsx", false),
            ("/build/logs/", "build/logs/a/b.txt", true),
            ("/build/logs/", "x/build/logs/a.txt", false),
            ("/build/logs/", "build/logs", false),
            ("docs/*", "docs/getting-started.md", true),
            ("docs/*", "docs/build-app/x.md", false),
            ("docs/**", "docs/build-app/x.md", true),
            ("docs/**/*.md", "docs/a/b/x.md", true),
            ("docs/**/*.md", "docs/x.md", true),
            ("apps/", "x/apps/y/z", true),
            ("/apps/github", "apps/github", true),
            ("/apps/github", "apps/github/x", true),
            ("**/logs", "deep/logs/x", true),
            ("src/main", "x/src/main", false),
            ("a?c", "abc", true),
            ("path\\ with\\ spaces/", "path%20with%20spaces/x", true),
            ("/", "anything", true),
            ("\\#odd", "#odd", true),
        ] {
            let file = format!("{pattern} @team # note");
            assert_eq!(owner(&file, path).is_some(), reached, "{pattern} {path}");
        }
    }

    #[test]
    fn the_last_match_wins_and_may_take_ownership_away() {
        let file = "* @all\n/ci/ @ci @ops\n/ci/open\n";
        assert_eq!(owner(file, "x").as_deref(), Some("@all"));
        assert_eq!(owner(file, "ci/x").as_deref(), Some("@ci @ops"));
        assert_eq!(owner(file, "ci/open/x"), None);
    }

    #[test]
    fn sections_give_default_owners_only() {
        let file = "* @all\n[Docs][2] @docs\ndocs/\nREADME.md a@b.example\n^[Other]\n";
        assert_eq!(owner(file, "docs/x").as_deref(), Some("@docs"));
        assert_eq!(owner(file, "README.md").as_deref(), Some("a@b.example"));
        assert_eq!(owner(file, "[Docs][2]").as_deref(), Some("@all"));
    }

    proptest! {
        #[test]
        fn any_bytes_and_any_path_are_survived(bytes in any::<Vec<u8>>(), path in any::<String>()) {
            let _ = Codeowners::parse(&bytes).owner_of(&path);
        }

        #[test]
        fn a_literal_path_owns_itself_and_what_is_below(
            segments in prop::collection::vec("[a-z]{1,6}", 1..5),
            below in "[a-z]{1,6}",
        ) {
            let path = segments.join("/");
            let file = format!("/{path} @owner\n");
            prop_assert_eq!(owner(&file, &path), Some("@owner".to_owned()));
            prop_assert_eq!(owner(&file, &format!("{path}/{below}")), Some("@owner".to_owned()));
            prop_assert_eq!(owner(&file, &format!("{below}0/{path}")), None);
        }

        #[test]
        fn stars_do_not_run_away(stars in "[*a]{0,60}", name in "a{0,200}") {
            let _ = owner(&format!("/{stars} @o\n"), &name);
        }
    }
}
