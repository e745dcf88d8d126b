//! Names that announce a secret without a form of its own: `acme_key = …`. They are words like others, and there are many of
//! them; so they are looked for only where a row of letters follows that may be the secret.

use super::engine::{Engine, Known};
use super::prefilter::{Literal, Prefilter};
use super::rows;
use std::ops::Range;
use std::sync::OnceLock;

/// What has to follow a name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Follows {
    /// Most bytes between the name and the row of letters.
    pub gap: usize,
    /// Bytes behind the name that are looked at.
    pub after: usize,
}

/// Most bytes between a name and the row that is waited for; a name whose secret may be farther away is a literal as any other.
const FARTHEST: usize = 72;

impl Follows {
    /// What follows a name that has several uses.
    pub(super) fn either(self, other: Self) -> Self {
        Self {
            gap: self.gap.max(other.gap),
            after: self.after.max(other.after),
        }
    }

    /// Whether it is near enough to be waited for.
    pub(super) const fn is_near(&self) -> bool {
        self.gap <= FARTHEST
    }
}

/// The names. They are the last of all literals.
pub(super) struct Names {
    /// All literals, compiled when a text is first looked at as a whole; nothing where names are looked for before rows there too.
    together: OnceLock<Option<Prefilter>>,
    literals: Vec<Literal>,
    /// Compiled when a text first has such a row.
    prefilter: OnceLock<Option<Prefilter>>,
    /// The first of them.
    first: usize,
    /// Length of the longest.
    longest: usize,
    /// The most that has to follow one of them.
    follows: Follows,
}

impl Names {
    /// Those that are known from `first` on.
    pub(super) fn new(literals: Vec<Literal>, first: usize, known: &[Known]) -> Self {
        let names = known.get(first..).unwrap_or_default();
        let most = |of: fn(&Follows) -> usize| {
            let all = names.iter().filter_map(|name| name.follows.as_ref());
            all.map(of).max().unwrap_or(0)
        };
        Self {
            together: OnceLock::new(),
            literals,
            prefilter: OnceLock::new(),
            first,
            longest: names.iter().map(|name| name.length).max().unwrap_or(0),
            follows: Follows {
                gap: most(|follows| follows.gap),
                after: most(|follows| follows.after),
            },
        }
    }

    /// The part of a text whose rows decide of names that begin before `to`, but for the rows that end before `from`.
    pub(super) fn deciding(&self, text: &[u8], from: usize, to: usize) -> Range<usize> {
        let to = text.len().min(to + self.longest + self.follows.gap);
        rows::around(text, from..to, self.follows.after)
    }

    fn prefilter(&self) -> Option<&Prefilter> {
        let compiled = || Prefilter::of_few_places(self.literals.clone()).ok();
        self.prefilter.get_or_init(compiled).as_ref()
    }

    /// Calls `on_hit(literal, start)` for every name in a text that a row follows which may be a secret, as far as the row is in
    /// a part of the text.
    pub(super) fn find(
        &self,
        text: &[u8],
        part: Range<usize>,
        literals: &[Known],
        mut on_hit: impl FnMut(usize, usize),
    ) {
        let mut look = |region: &Range<usize>| {
            let part = text.get(region.clone()).filter(|part| !part.is_empty());
            let Some((part, prefilter)) = part.and_then(|part| Some((part, self.prefilter()?)))
            else {
                return;
            };
            prefilter.find(part, |literal, start| {
                let (literal, start) = (self.first + literal, region.start + start);
                let known = literals.get(literal);
                if known.is_some_and(|known| known.stands_at(text, start)) {
                    on_hit(literal, start);
                }
            });
        };
        let mut region = 0..0;
        rows::each(text, part, |row| {
            let from = row.start.saturating_sub(self.follows.gap + self.longest);
            if from > region.end {
                look(&region);
                region.start = from;
            }
            region.end = row.end;
        });
        look(&region);
    }
}

impl Engine {
    /// Calls `on_hit(literal, start)` for every literal in a text that is to be minded there, in no particular order.
    pub(super) fn literals_in(&self, text: &[u8], mut on_hit: impl FnMut(usize, usize)) {
        let together = || self.prefilter.together(&self.names.literals);
        if let Some(all) = self.names.together.get_or_init(together) {
            all.find(text, |literal, start| {
                let known = self.literals.get(literal);
                if known.is_some_and(|known| known.stands_at(text, start)) {
                    on_hit(literal, start);
                }
            });
        } else {
            self.prefilter.find(text, &mut on_hit);
            let names = &self.names;
            names.find(text, 0..text.len(), &self.literals, on_hit);
        }
    }
}

impl Known {
    /// Whether the literal, which is written at `start`, is to be minded there: of a name, what has to follow it does.
    pub(super) fn stands_at(&self, text: &[u8], start: usize) -> bool {
        self.follows.is_none_or(|Follows { gap, after }| {
            rows::follows(text, start + self.length, gap, after)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::credentials::CredentialRules;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static RULES: LazyLock<CredentialRules> = LazyLock::new(|| CredentialRules::builtin().unwrap());
    static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(&RULES).unwrap());
    /// Which literals they are, and their texts.
    static NAMES: LazyLock<Vec<(usize, String)>> = LazyLock::new(|| {
        let rules = RULES.rules().iter().filter(|rule| rule.gap.is_some());
        let texts = rules.flat_map(|rule| rule.literals.iter().cloned());
        let which = |text: &String| {
            let mut which = None;
            ENGINE
                .names
                .prefilter()
                .unwrap()
                .find(text.as_bytes(), |literal, _| {
                    let literal = ENGINE.names.first + literal;
                    if ENGINE.literals[literal].length == text.len() {
                        which = Some(literal);
                    }
                });
            which
        };
        texts
            .filter_map(|text| Some((which(&text)?, text)))
            .collect()
    });

    #[test]
    fn most_names_wait_for_what_follows() {
        let names = ENGINE.literals.len() - ENGINE.names.first;
        assert!(2 * names > ENGINE.literals.len(), "{names}");
    }

    /// An engine that looks for all literals together.
    static TOGETHER: LazyLock<Engine> = LazyLock::new(|| {
        let mut engine = Engine::new(&RULES).unwrap();
        let all = [ENGINE.prefilter.literals(), &ENGINE.names.literals].concat();
        engine.names.together = Some(Prefilter::of_few_places(all).unwrap()).into();
        engine
    });

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]
        #[test]
        fn names_are_those_before_rows(
            parts in proptest::collection::vec((any::<prop::sample::Index>(), "[ =:\"\n]{1,5}|(_key|Token)[=: \"_]{0,3}|[a-z ]{0,60}", "[a-z]{4,20}|[a-z0-9]{12,40}|"), 0..8),
            from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>(),
        ) {
            let mut text = Vec::new();
            for (pick, between, row) in parts {
                text.extend_from_slice(pick.get(&NAMES).1.as_bytes());
                text.extend_from_slice(between.as_bytes());
                text.extend_from_slice(row.as_bytes());
            }
            let lower = text.to_ascii_lowercase();
            let mut expected = Vec::new();
            for (literal, name) in NAMES.iter() {
                for start in memchr::memmem::find_iter(&lower, name.as_bytes()) {
                    if ENGINE.literals[*literal].stands_at(&text, start) {
                        expected.push((start, *literal));
                    }
                }
            }
            expected.sort_unstable();
            expected.dedup();
            let found_in = |part| {
                let mut found = Vec::new();
                ENGINE.names.find(&text, part, &ENGINE.literals, |literal, start| found.push((start, literal)));
                found.sort_unstable();
                found
            };
            prop_assert_eq!(&found_in(0..text.len()), &expected);
            let literals_of = |engine: &Engine| {
                let mut found = Vec::new();
                engine.literals_in(&text, |literal, start| found.push((start, literal)));
                found.sort_unstable();
                found
            };
            prop_assert_eq!(literals_of(&ENGINE), literals_of(&TOGETHER));
            // Of the names before `to`, those of which no row before `from` decides.
            let from = from.index(text.len() + 1);
            let to = to.index(text.len() + 1);
            let found = found_in(ENGINE.names.deciding(&text, from, to));
            prop_assert!(found.iter().all(|one| expected.contains(one)));
            for (start, literal) in expected {
                let known = &ENGINE.literals[literal];
                let decided = start + known.length <= from && known.stands_at(&text[..from], start);
                prop_assert!(start >= to || decided || found.contains(&(start, literal)));
            }
        }
    }
}
