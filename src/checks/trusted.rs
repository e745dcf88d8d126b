//! What the checks of trust share: which statements of a trust policy let somebody in.

use crate::model::{Identity, PrincipalKind, TrustPath};
use std::collections::BTreeMap;

/// Trust statements by which someone becomes the identity; those that only allow tags or a source identity do not.
pub(super) fn ways_in(identity: &Identity) -> impl Iterator<Item = &TrustPath> {
    identity.trust.iter().filter(|path| {
        !["sts:TagSession", "sts:SetSourceIdentity", "sts:SetContext"]
            .iter()
            .any(|action| path.action.eq_ignore_ascii_case(action))
    })
}

/// The ways in that a service of the provider does not take.
pub(super) fn ways_in_for_callers(identity: &Identity) -> impl Iterator<Item = &TrustPath> {
    ways_in(identity).filter(|path| path.principal_kind != PrincipalKind::Service)
}

/// Groups paths by a key, so that each key has one finding however many statements name it.
pub(super) fn grouped<'a>(
    paths: impl Iterator<Item = &'a TrustPath>,
    key: impl Fn(&TrustPath) -> String,
) -> BTreeMap<String, Vec<&'a TrustPath>> {
    let mut groups: BTreeMap<String, Vec<&TrustPath>> = BTreeMap::new();
    for path in paths {
        groups.entry(key(path)).or_default().push(path);
    }
    groups
}

/// A path without any condition at all.
pub(super) fn unconditional(path: &TrustPath) -> bool {
    path.conditions.is_empty() && !path.external_id && !path.mfa
}
