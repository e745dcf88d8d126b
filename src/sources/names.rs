//! Names of roots: stable, never absolute, the same whatever the order of the arguments.

use std::collections::BTreeMap;
use std::path::{Component, Path};

/// A root on its way to a name.
#[derive(Debug)]
pub(super) struct Candidate<'a> {
    /// Canonical path of the argument it was found under.
    pub(super) argument: &'a Path,
    /// Canonical path of the root.
    pub(super) path: &'a Path,
    /// A `.git` at its end is a bare clone's and not part of the name.
    pub(super) bare: bool,
}

/// One name per candidate. Where two would get the same, the `.git` of bare clones is kept, and then parent folders are
/// put in front, one more at a time, until all differ.
pub(super) fn assign(candidates: &[Candidate<'_>]) -> Vec<String> {
    let mut shapes: Vec<Shape> = candidates.iter().map(Shape::of).collect();
    loop {
        let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, shape) in shapes.iter().enumerate() {
            groups.entry(shape.name()).or_default().push(index);
        }
        let mut changed = false;
        for members in groups.values().filter(|members| members.len() > 1) {
            // All of a group change together: which of them came first must not show.
            let suffixed = members.iter().any(|&m| shapes[m].can_keep_suffix());
            for &member in members {
                changed |= if suffixed {
                    shapes[member].keep_suffix()
                } else {
                    shapes[member].lengthen()
                };
            }
        }
        if !changed {
            return shapes.iter().map(Shape::name).collect();
        }
    }
}

/// The name each candidate would have without the others.
pub(super) fn plain(candidates: &[Candidate<'_>]) -> Vec<String> {
    candidates.iter().map(|one| Shape::of(one).name()).collect()
}

struct Shape {
    /// Every component of the canonical path, as text.
    parts: Vec<String>,
    /// First part that is shown.
    start: usize,
    strip: bool,
}

impl Shape {
    fn of(candidate: &Candidate<'_>) -> Self {
        let mut parts = parts_of(candidate.path);
        let start = parts_of(candidate.argument).len().saturating_sub(1);
        if parts.is_empty() {
            parts.push("root".to_owned());
        }
        let strip = candidate.bare
            && parts
                .last()
                .and_then(|last| last.strip_suffix(".git"))
                .is_some_and(|stem| !stem.is_empty());
        let start = start.min(parts.len() - 1);
        Self {
            parts,
            start,
            strip,
        }
    }

    fn name(&self) -> String {
        let name = self.parts[self.start..].join("/");
        match name.strip_suffix(".git") {
            Some(stem) if self.strip => stem.to_owned(),
            _ => name,
        }
    }

    fn can_keep_suffix(&self) -> bool {
        self.strip
    }

    fn keep_suffix(&mut self) -> bool {
        std::mem::take(&mut self.strip)
    }

    fn lengthen(&mut self) -> bool {
        let longer = self.start > 0;
        self.start = self.start.saturating_sub(1);
        longer
    }
}

/// The normal components of a path, readable: valid text stays, anything else is percent-encoded.
fn parts_of(path: &Path) -> Vec<String> {
    path.components()
        .filter_map(|component| match component {
            Component::Normal(part) => Some(readable(part.as_encoded_bytes())),
            _ => None,
        })
        .collect()
}

fn readable(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    let escape = |out: &mut String, bytes: &[u8]| {
        for byte in bytes {
            out.push_str(percent_encoding::percent_encode_byte(*byte));
        }
    };
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() || c == '%' {
                escape(&mut out, c.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                out.push(c);
            }
        }
        escape(&mut out, chunk.invalid());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(of: &[(&str, &str, bool)]) -> Vec<String> {
        let candidates: Vec<_> = of
            .iter()
            .map(|&(argument, path, bare)| Candidate {
                argument: Path::new(argument),
                path: Path::new(path),
                bare,
            })
            .collect();
        assign(&candidates)
    }

    #[test]
    fn argument_and_below() {
        assert_eq!(
            names(&[
                ("/w/src", "/w/src", false),
                ("/w/src", "/w/src/team/app", false),
                ("/w/x.git", "/w/x.git", true),
                ("/", "/", false),
            ]),
            ["src", "src/team/app", "x", "root"]
        );
    }

    #[test]
    fn collisions_take_parents_until_they_differ() {
        assert_eq!(
            names(&[
                ("/a/x/app", "/a/x/app", false),
                ("/b/x/app", "/b/x/app", false)
            ]),
            ["a/x/app", "b/x/app"]
        );
        assert_eq!(
            names(&[
                ("/b/x/app", "/b/x/app", false),
                ("/a/x/app", "/a/x/app", false)
            ]),
            ["b/x/app", "a/x/app"]
        );
    }

    #[test]
    fn bare_clone_beside_its_work_tree_keeps_its_suffix() {
        assert_eq!(
            names(&[("/w", "/w/app", false), ("/w", "/w/app.git", true)]),
            ["w/app", "w/app.git"]
        );
    }

    #[test]
    fn a_lengthened_name_does_not_meet_another() {
        let found = names(&[
            ("/a/x/app", "/a/x/app", false),
            ("/b/app", "/b/app", false),
            ("/c/x", "/c/x/app", false),
        ]);
        let distinct: std::collections::BTreeSet<_> = found.iter().collect();
        assert_eq!(distinct.len(), 3, "{found:?}");
    }

    #[test]
    fn unprintable_names_are_escaped() {
        assert_eq!(readable(b"a\xff%\nb"), "a%FF%25%0Ab");
        assert_eq!(readable("é b".as_bytes()), "é b");
    }
}
