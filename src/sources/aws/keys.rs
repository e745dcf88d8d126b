//! Access keys of one user, from the list that has their ids and the credential report that has their use.

use super::merge;
use super::report::{Slot, keys_tracked_since, never_since};
use super::shape::{KeyUse, ListedKey};
use crate::model::aws::AwsAccessKey;
use crate::model::{LastUse, Location};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Largest difference in seconds between the two sources' creation of one key.
const SAME_SECONDS: u64 = 2;

/// Joins the keys of one user: first by creation, then, what is left, in order of creation. A slot of the report that
/// no listed key answers becomes a key without an id.
pub(super) fn join(
    mut listed: Vec<ListedKey>,
    mut slots: Vec<Slot>,
    report: &Location,
    uses: &BTreeMap<String, KeyUse>,
) -> Vec<AwsAccessKey> {
    listed.sort_by(|a, b| (a.created_at, &a.key_id).cmp(&(b.created_at, &b.key_id)));
    slots.sort_by_key(|slot| slot.created_at);
    let mut partners: Vec<Option<Slot>> = listed
        .iter()
        .map(|key| {
            slots
                .iter()
                .position(|slot| same_time(key.created_at, slot.created_at))
                .map(|at| slots.remove(at))
        })
        .collect();
    for partner in &mut partners {
        if partner.is_none() && !slots.is_empty() {
            *partner = Some(slots.remove(0));
        }
    }
    listed
        .into_iter()
        .zip(partners)
        .map(|(key, slot)| with_id(key, slot, report, uses))
        .chain(slots.into_iter().map(|slot| AwsAccessKey {
            key_id: None,
            active: slot.active,
            created_at: slot.created_at,
            last_use: slot.last_use,
            last_used_service: slot.service,
            location: report.clone(),
        }))
        .collect()
}

fn with_id(
    key: ListedKey,
    slot: Option<Slot>,
    report: &Location,
    uses: &BTreeMap<String, KeyUse>,
) -> AwsAccessKey {
    let created_at = key
        .created_at
        .or_else(|| slot.as_ref().and_then(|slot| slot.created_at));
    let told = uses.get(&key.key_id);
    let direct = told.map_or(LastUse::Unknown, |used| {
        used.at.map_or_else(
            || never_since(created_at, keys_tracked_since()),
            LastUse::At,
        )
    });
    let reported = slot.as_ref().map_or(LastUse::Unknown, |slot| slot.last_use);
    AwsAccessKey {
        active: key
            .active
            .or_else(|| slot.as_ref().and_then(|slot| slot.active)),
        created_at,
        last_use: merge::last_use(direct, reported),
        last_used_service: told
            .and_then(|used| used.service.clone())
            .or_else(|| slot.and_then(|slot| slot.service)),
        location: if key.location.uri.is_empty() {
            report.clone()
        } else {
            key.location
        },
        key_id: Some(key.key_id),
    }
}

fn same_time(a: Option<Timestamp>, b: Option<Timestamp>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.as_second().abs_diff(b.as_second()) <= SAME_SECONDS,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn place() -> Location {
        Location::file("aws/x", "report.csv", 2, 1)
    }

    fn listed(id: &str, created: &str) -> ListedKey {
        ListedKey {
            user: Some("ann".into()),
            key_id: id.into(),
            active: Some(true),
            created_at: Some(at(created)),
            location: place(),
        }
    }

    fn slot(created: Option<&str>, used: Option<&str>) -> Slot {
        Slot {
            active: Some(true),
            created_at: created.map(at),
            last_use: used.map_or(LastUse::Unknown, |used| LastUse::At(at(used))),
            service: used.map(|_| "s3".into()),
        }
    }

    #[test]
    fn keys_join_by_creation_whatever_their_order() {
        let keys = join(
            vec![
                listed("NEW", "2025-01-01T00:00:00Z"),
                listed("OLD", "2020-01-01T00:00:00Z"),
            ],
            vec![
                slot(Some("2025-01-01T00:00:01Z"), Some("2026-01-01T00:00:00Z")),
                slot(Some("2020-01-01T00:00:00Z"), None),
            ],
            &place(),
            &BTreeMap::new(),
        );
        assert_eq!(keys.len(), 2);
        assert_eq!(keys[0].key_id.as_deref(), Some("OLD"));
        assert_eq!(keys[0].last_use, LastUse::Unknown);
        assert_eq!(keys[1].last_use, LastUse::At(at("2026-01-01T00:00:00Z")));
    }

    #[test]
    fn what_the_list_lacks_stays_without_an_id() {
        let keys = join(
            vec![listed("OLD", "2020-01-01T00:00:00Z")],
            vec![
                slot(Some("2020-01-01T00:00:00Z"), None),
                slot(None, Some("2026-01-01T00:00:00Z")),
            ],
            &place(),
            &BTreeMap::new(),
        );
        assert_eq!(keys.len(), 2);
        assert_eq!(keys[1].key_id, None);
        assert_eq!(keys[1].last_used_service.as_deref(), Some("s3"));
    }

    #[test]
    fn an_answer_without_a_date_means_not_used_since_creation() {
        let uses = BTreeMap::from([(
            "OLD".to_owned(),
            KeyUse {
                names: Vec::new(),
                user: None,
                at: None,
                service: None,
            },
        )]);
        let keys = join(
            vec![listed("OLD", "2020-01-01T00:00:00Z")],
            Vec::new(),
            &place(),
            &uses,
        );
        assert_eq!(
            keys[0].last_use,
            LastUse::NeverSince(at("2020-01-01T00:00:00Z"))
        );
    }
}
