//! Patterns that people write over names, native ids and places.

use super::config::ConfigError;
use globset::{Glob, GlobBuilder, GlobMatcher};
use serde::Deserialize;
use std::sync::OnceLock;

/// A pattern over names and native ids: `*` and `?`, case-sensitive, crossing `/` and `:`.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    /// Read, and compiled where it is asked for, where it is more than `*`, `?` and characters that stand for themselves.
    glob: Option<Box<(Glob, OnceLock<GlobMatcher>)>>,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// When it is not a glob.
    pub fn new(text: &str) -> Result<Self, ConfigError> {
        let plain = !text.contains(['[', ']', '{', '}', '\\']) && !text.contains("**");
        let glob = || {
            GlobBuilder::new(text)
                .literal_separator(false)
                .backslash_escape(true)
                .build()
                .map(|glob| Box::new((glob, OnceLock::new())))
                .map_err(|_| ConfigError::Pattern(text.to_owned()))
        };
        Ok(Self {
            text: text.to_owned(),
            glob: if plain { None } else { Some(glob()?) },
        })
    }

    /// Whether `named`, an id or a pattern over ids, names `id`.
    pub fn names(named: &str, id: &str) -> bool {
        named == id
            || (named.contains(['*', '?'])
                && Self::new(named).is_ok_and(|pattern| pattern.matches(id)))
    }

    /// Whether it matches the whole text.
    pub fn matches(&self, text: &str) -> bool {
        match &self.glob {
            Some(glob) => {
                let matcher = glob.1.get_or_init(|| glob.0.compile_matcher());
                matcher.is_match(text)
            }
            None => fits(self.text.as_bytes(), text.as_bytes()),
        }
    }

    /// Whether it matches a name, or the end of it that follows a `/`: the name of a repository begins with folders where a
    /// folder above was given to scan. Amazon resource names have slashes of their own and are matched whole.
    pub fn fits_name(&self, name: &str) -> bool {
        // A star in front already stands for whatever comes before.
        self.matches(name)
            || !self.text.starts_with('*')
                && !name.starts_with("arn:")
                && name
                    .match_indices('/')
                    .any(|(at, _)| name.get(at + 1..).is_some_and(|end| self.matches(end)))
    }

    /// Whether it matches `repository/path`, from the repository's name or from one of the folders in that.
    pub fn fits_place(&self, repository: &str, path: &str) -> bool {
        let mut start = 0;
        loop {
            let Some(end) = repository.get(start..) else {
                return false;
            };
            if self.matches(&format!("{end}/{path}")) {
                return true;
            }
            match end.find('/') {
                Some(at) => start += at + 1,
                None => return false,
            }
        }
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Whether a text is what a pattern of `*`, `?` and bytes that stand for themselves says.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut next) = (0, 0);
    // The last star, and the first byte behind what it stands for.
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(at) {
        match pattern.get(next) {
            Some(b'*') => {
                star = Some((next, at));
                next += 1;
            }
            Some(one) if *one == b'?' || one == byte => {
                at += 1;
                next += 1;
            }
            _ => {
                let Some((place, end)) = star else {
                    return false;
                };
                star = Some((place, end + 1));
                next = place + 1;
                at = end + 1;
            }
        }
    }
    pattern.iter().skip(next).all(|one| *one == b'*')
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn plain_patterns_mean_what_globs_mean(pattern in "[ab/*?.é-]{0,8}", text in "[ab/.é-]{0,10}") {
            let glob = GlobBuilder::new(&pattern).literal_separator(false).build().unwrap();
            prop_assert_eq!(
                Pattern::new(&pattern).unwrap().matches(&text),
                glob.compile_matcher().is_match(&text)
            );
        }
    }

    proptest! {
        #[test]
        fn a_star_in_front_stands_for_the_folders(pattern in "[ab/*?]{0,6}", name in "[ab/]{0,10}") {
            let pattern = Pattern::new(&format!("*{pattern}")).unwrap();
            let ends = name.match_indices('/').any(|(at, _)| pattern.matches(&name[at + 1..]));
            prop_assert_eq!(pattern.fits_name(&name), pattern.matches(&name) || ends);
        }
    }

    #[test]
    fn a_name_is_matched_wherever_the_scan_began() {
        let site = Pattern::new("site-*").unwrap();
        assert!(site.fits_name("site-web") && site.fits_name("src/acme/site-web"));
        assert!(
            !site.fits_name("src/website-web") && !site.fits_name("arn:aws:iam::1:user/site-x")
        );
        let vendor = Pattern::new("site-*/vendor/*").unwrap();
        assert!(vendor.fits_place("site-web", "vendor/a.js"));
        assert!(vendor.fits_place("src/acme/site-web", "vendor/a.js"));
        assert!(!vendor.fits_place("src/acme/site-web", "own/vendor.js"));
        // A path is not searched for the name of a repository.
        assert!(!vendor.fits_place("other", "x/site-web/vendor/a.js"));
    }
}
