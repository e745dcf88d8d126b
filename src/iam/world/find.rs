//! Finding the caller somebody means.

use super::World;
use crate::iam::caller::{Caller, CallerKind};

/// Why a caller was not found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotFound {
    /// Nobody is called so; names that are near.
    Nobody(Vec<String>),
    /// Several are; their ARNs.
    Several(Vec<String>),
}

/// Names shown that are near to one that is not there.
const MAX_NEAR: usize = 5;

impl World<'_> {
    /// The caller a text means: an ARN, a name, an access key id, a unique id, a service's host name, or `*`.
    ///
    /// # Errors
    /// When nobody or several are meant.
    pub fn find(&self, text: &str) -> Result<Caller, NotFound> {
        if let Some(caller) = Caller::parse(text) {
            return self.known(caller);
        }
        let mut found: Vec<Caller> = self
            .callers()
            .filter(|caller| {
                caller.kind != CallerKind::Root && (caller.name == text || caller.unique_id == text)
            })
            .collect();
        if found.is_empty() {
            found = self.by_key(text);
        }
        if found.len() > 1 {
            return Err(NotFound::Several(
                found.into_iter().map(|caller| caller.arn).collect(),
            ));
        }
        found.pop().ok_or_else(|| NotFound::Nobody(self.near(text)))
    }

    /// Whether the scan knows the caller, where it could: of an account it has, every user and role is known.
    fn known(&self, caller: Caller) -> Result<Caller, NotFound> {
        let Some(place) = self.places.get(caller.account.as_str()) else {
            return Ok(caller);
        };
        let found = match caller.kind {
            CallerKind::User => place
                .users
                .get(caller.name.as_str())
                .is_some_and(|user| user.arn == caller.arn),
            CallerKind::Role => place
                .roles
                .get(caller.name.as_str())
                .is_some_and(|role| role.arn == caller.arn),
            CallerKind::Session => place.roles.contains_key(caller.name.as_str()),
            _ => true,
        };
        if !found {
            return Err(NotFound::Nobody(self.near(&caller.name)));
        }
        Ok(caller)
    }

    fn by_key(&self, text: &str) -> Vec<Caller> {
        self.places
            .values()
            .flat_map(|place| &place.account.users)
            .filter(|user| {
                user.keys
                    .iter()
                    .any(|key| key.key_id.as_deref() == Some(text))
            })
            .filter_map(|user| Caller::parse(&user.arn))
            .collect()
    }

    fn near(&self, text: &str) -> Vec<String> {
        let names = self
            .callers()
            .filter(|caller| caller.kind != CallerKind::Root)
            .map(|caller| (caller.name, caller.arn));
        nearest(text, names)
    }
}

/// The keys of those entries whose name is near to a text, nearest first.
pub fn nearest(text: &str, names: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let wanted = text.to_ascii_lowercase();
    let limit = (wanted.chars().count() / 3).clamp(1, 4);
    let mut near: Vec<(usize, String)> = names
        .filter_map(|(name, key)| {
            let name = name.to_ascii_lowercase();
            let distance =
                if wanted.len() >= 3 && (name.contains(&wanted) || wanted.contains(&name)) {
                    1
                } else {
                    distance(&wanted, &name, limit)?
                };
            Some((distance, key))
        })
        .collect();
    near.sort();
    near.dedup();
    near.into_iter()
        .map(|(_, key)| key)
        .take(MAX_NEAR)
        .collect()
}

/// Number of letters to change, add or leave out; `None` beyond a limit.
fn distance(a: &str, b: &str, limit: usize) -> Option<usize> {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > limit || a.len() > 256 {
        return None;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut last = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (j, y) in b.iter().enumerate() {
            let Some(cell) = row.get_mut(j + 1) else {
                break;
            };
            let best = (last + usize::from(x != y)).min(left + 1).min(*cell + 1);
            last = *cell;
            *cell = best;
            left = best;
        }
    }
    row.last().copied().filter(|distance| *distance <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn distances_count_letters() {
        assert_eq!(distance("deploy", "deply", 3), Some(1));
        assert_eq!(distance("", "ab", 3), Some(2));
        assert_eq!(distance("kitten", "sitting", 3), Some(3));
        assert_eq!(distance("kitten", "sitting", 2), None);
    }

    proptest! {
        #[test]
        fn distances_are_symmetric(a in "[abc]{0,8}", b in "[abc]{0,8}") {
            prop_assert_eq!(distance(&a, &b, 9), distance(&b, &a, 9));
            prop_assert_eq!(distance(&a, &b, 9) == Some(0), a == b);
        }
    }
}
