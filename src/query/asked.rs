//! A filter as it is asked of tens of thousands of subjects: what is looked for in texts is looked for once, in all texts of
//! the report together.

use super::field::Value;
use super::{Expression, Query, Subject, Test, is_word, part_of};
use crate::model::brief::{Brief, Text};
use globset::GlobMatcher;
use memchr::memmem;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// A filter, ready to be asked of the subjects of a report.
#[derive(Debug)]
pub struct Asked<'q> {
    query: &'q Query,
    brief: &'q Brief,
    /// By what is looked for, the texts that have it.
    found: BTreeMap<&'q str, Found>,
}

/// Some of the texts of a report.
#[derive(Debug)]
struct Found(Vec<bool>);

impl Found {
    /// Texts that hold a part, which is in lower case.
    fn holding(part: &str, brief: &Brief) -> Self {
        let lower = brief.lower();
        let mut found = vec![part.is_empty(); lower.len()];
        if part.is_empty() {
            return Self(found);
        }
        let finder = memmem::Finder::new(part);
        let all = lower.all().as_bytes();
        let (mut at, mut place, ends) = (0, 0, lower.ends());
        while let Some(hit) = all.get(at..).and_then(|rest| finder.find(rest)) {
            let from = at + hit;
            place += ends
                .get(place..)
                .map_or(0, |rest| rest.partition_point(|end| *end as usize <= from));
            let Some(end) = ends.get(place).map(|end| *end as usize) else {
                break;
            };
            // One that goes on into the next text is none.
            if from + part.len() <= end {
                if let Some(slot) = found.get_mut(place) {
                    *slot = true;
                }
                at = end;
            } else {
                at = from + 1;
            }
        }
        Self(found)
    }

    /// Texts that a pattern matches. Only those that hold its longest plain part are tried.
    fn matching(pattern: &str, glob: &GlobMatcher, brief: &Brief) -> Self {
        let plain = pattern.split(['*', '?']);
        let longest = plain.max_by_key(|part| part.len()).unwrap_or_default();
        let mut found = Self::holding(longest, brief);
        let lower = brief.lower();
        found.0.par_iter_mut().enumerate().for_each(|(at, slot)| {
            *slot = *slot && glob.is_match(lower.get(Text::at(at)));
        });
        found
    }

    fn has(&self, text: Text) -> bool {
        text.place()
            .and_then(|at| self.0.get(at).copied())
            .unwrap_or_default()
    }
}

impl<'q> Asked<'q> {
    pub(super) fn new(query: &'q Query, brief: &'q Brief) -> Self {
        let mut asked = Self {
            query,
            brief,
            found: BTreeMap::new(),
        };
        if let Some(expression) = &query.0 {
            asked.look(expression);
        }
        asked
    }

    /// Looks for everything that a filter looks for in texts.
    fn look(&mut self, expression: &'q Expression) {
        match expression {
            Expression::All(all) | Expression::Any(all) => {
                for each in all {
                    self.look(each);
                }
            }
            Expression::Not(inner) => self.look(inner),
            Expression::Is(_, tests) | Expression::Tag(_, tests) => {
                for test in tests {
                    match test {
                        Test::Part(part) => self.look_for(part),
                        Test::Glob(pattern, glob) => {
                            let brief = self.brief;
                            let found = || Found::matching(pattern, glob, brief);
                            self.found.entry(pattern).or_insert_with(found);
                        }
                        _ => {}
                    }
                }
            }
            Expression::Word(word) => self.look_for(word),
        }
    }

    fn look_for(&mut self, part: &'q str) {
        let brief = self.brief;
        let found = || Found::holding(part, brief);
        self.found.entry(part).or_insert_with(found);
    }

    /// Whether a subject passes.
    pub fn passes(&self, subject: &Subject<'_>) -> bool {
        let expression = self.query.0.as_ref();
        expression.is_none_or(|expression| self.holds(expression, subject))
    }

    fn holds(&self, expression: &Expression, subject: &Subject<'_>) -> bool {
        match expression {
            Expression::All(all) => all.iter().all(|each| self.holds(each, subject)),
            Expression::Any(any) => any.iter().any(|each| self.holds(each, subject)),
            Expression::Not(inner) => !self.holds(inner, subject),
            Expression::Is(field, tests) => {
                let values = (field.values)(subject);
                tests.iter().any(|test| self.is(test, &values))
            }
            Expression::Tag(key, tests) => {
                let values = subject.tags(key);
                tests.iter().any(|test| self.is(test, &values))
            }
            Expression::Word(word) => self
                .found
                .get(word.as_str())
                .is_some_and(|found| subject.words().any(|text| found.has(text))),
        }
    }

    fn is(&self, test: &Test, values: &[Value]) -> bool {
        match test {
            Test::None => values.is_empty(),
            Test::Some => !values.is_empty(),
            Test::Word(word) => values.iter().any(|value| match value {
                Value::Text(text) => is_word(word, self.brief.text(*text)),
                Value::Word(own) => is_word(word, own),
                Value::Number(number) => number.to_string() == *word,
            }),
            Test::Glob(pattern, glob) => {
                let found = self.found.get(pattern.as_str());
                values.iter().any(|value| match value {
                    Value::Text(text) => found.is_some_and(|found| found.has(*text)),
                    Value::Word(own) => glob.is_match(own),
                    Value::Number(number) => glob.is_match(number.to_string()),
                })
            }
            Test::Part(part) => {
                let found = self.found.get(part.as_str());
                values.iter().any(|value| match value {
                    Value::Text(text) => found.is_some_and(|found| found.has(*text)),
                    Value::Word(own) => part_of(part, own),
                    Value::Number(_) => false,
                })
            }
            Test::Number(comparison, wanted) => values
                .iter()
                .any(|value| matches!(value, Value::Number(number) if comparison.holds(*number, *wanted))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::brief::{Rows, Texts};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn texts_are_found_by_their_parts(
            texts in proptest::collection::btree_set("[a-cA-CÄé]{1,6}", 0..30),
            part in "[a-cäé]{0,3}",
        ) {
            let brief = Brief::new(Rows {
                texts: Texts::of(&texts),
                ..Rows::default()
            });
            let found = Found::holding(&part, &brief);
            let pattern = format!("*{part}?*");
            let query = Query::parse(&format!("name:{pattern}")).unwrap();
            let asked = query.ask(&brief);
            for (at, text) in texts.iter().enumerate() {
                let lower = text.to_lowercase();
                prop_assert_eq!(found.has(Text::at(at)), lower.contains(&part), "{} in {}", part, text);
                let more = lower.char_indices().any(|(at, _)| {
                    let rest = lower[at..].strip_prefix(&part);
                    rest.is_some_and(|rest| !rest.is_empty())
                });
                prop_assert_eq!(asked.found[pattern.as_str()].has(Text::at(at)), more);
            }
        }
    }
}
