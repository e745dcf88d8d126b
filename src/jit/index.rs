//! Who uses what, looked up once for the whole inventory.

use super::JitContext;
use crate::model::{
    Activity, Consumer, Credential, CredentialId, CredentialStatus, Grade, Identity, IdentityId,
    PrincipalKind, TrustPath,
};
use std::collections::{BTreeMap, BTreeSet};

/// Who uses what and lets whom in.
pub(super) struct Index<'a> {
    pub(super) by_identity: BTreeMap<&'a IdentityId, Vec<&'a Consumer>>,
    pub(super) by_credential: BTreeMap<&'a CredentialId, Vec<&'a Consumer>>,
    pub(super) activity: BTreeMap<&'a IdentityId, Vec<&'a Activity>>,
    pub(super) with_credentials: BTreeSet<&'a IdentityId>,
    /// By principal or account, the first identity of another account whose trust lets it in.
    pub(super) lets_in: BTreeMap<&'a str, &'a Identity>,
}

impl<'a> Index<'a> {
    pub(super) fn new(context: &JitContext<'a>) -> Self {
        let inventory = context.inventory;
        let mut index = Self {
            by_identity: BTreeMap::new(),
            by_credential: BTreeMap::new(),
            activity: BTreeMap::new(),
            with_credentials: BTreeSet::new(),
            lets_in: BTreeMap::new(),
        };
        for activity in &inventory.observed.activity {
            if let Some(id) = &activity.identity {
                index.activity.entry(id).or_default().push(activity);
            }
        }
        let mut identities = BTreeSet::new();
        let mut credentials = BTreeSet::new();
        for consumer in inventory.consumers.values() {
            let own = consumer.identity.iter();
            identities.extend(
                own.chain(&consumer.uses.identities)
                    .map(|id| (id, &consumer.id)),
            );
            credentials.extend(
                consumer
                    .uses
                    .credentials
                    .iter()
                    .map(|id| (id, &consumer.id)),
            );
        }
        for identity in inventory.identities.values() {
            identities.extend(identity.consumers.iter().map(|id| (&identity.id, id)));
            for path in &identity.trust {
                let (who, account) = trusted(path);
                if identity
                    .account
                    .as_deref()
                    .is_some_and(|own| own != account)
                {
                    index.lets_in.entry(who).or_insert(identity);
                }
            }
            if !identity.credentials.is_empty() {
                index.with_credentials.insert(&identity.id);
            }
        }
        for credential in inventory.credentials.values() {
            credentials.extend(credential.consumers.iter().map(|id| (&credential.id, id)));
            // A key that its account no longer lists stands for nobody.
            if !unlisted(credential) {
                index.with_credentials.extend(&credential.identity);
            }
        }
        for (identity, id) in identities {
            if let Some(consumer) = inventory.consumers.get(id) {
                index
                    .by_identity
                    .entry(identity)
                    .or_default()
                    .push(consumer);
            }
        }
        for (credential, id) in credentials {
            if let Some(consumer) = inventory.consumers.get(id) {
                index
                    .by_credential
                    .entry(credential)
                    .or_default()
                    .push(consumer);
            }
        }
        index
    }

    /// An identity of another account that lets this one in.
    pub(super) fn lets_in(&self, identity: &Identity) -> Option<&'a Identity> {
        let account = identity.account.as_deref()?;
        let own = self.lets_in.get(identity.native_id.as_str());
        own.or_else(|| self.lets_in.get(account)).copied()
    }

    pub(super) fn of_identity(&self, id: &IdentityId) -> &[&'a Consumer] {
        self.by_identity.get(id).map_or(&[], Vec::as_slice)
    }

    /// Use of an identity, of all of it or of that with one of its credentials.
    pub(super) fn used(
        &self,
        credential: Option<&Credential>,
        identity: Option<&Identity>,
    ) -> Vec<&'a Activity> {
        let Some(identity) = identity else {
            return Vec::new();
        };
        let all = self
            .activity
            .get(&identity.id)
            .map_or(&[][..], Vec::as_slice);
        let Some(credential) = credential else {
            return all.to_vec();
        };
        let known = credential.public_id.is_some() || identity.credentials.len() > 1;
        all.iter()
            .copied()
            .filter(|activity| match &activity.credential {
                Some(id) => *id == credential.id,
                // Temporary credentials of a user were issued to its one key, as far as anyone can tell.
                None => !known && activity.access_key.is_some(),
            })
            .collect()
    }

    pub(super) fn of_credential(&self, id: &CredentialId) -> &[&'a Consumer] {
        self.by_credential.get(id).map_or(&[], Vec::as_slice)
    }
}

/// Whom a trust lets in, as it is looked up by, and the account that is of: an account by its number, others by name.
fn trusted(path: &TrustPath) -> (&str, &str) {
    let who = path.principal.as_str();
    let account = who.split(':').nth(4).unwrap_or(who);
    match path.principal_kind {
        PrincipalKind::Account => (account, account),
        _ => (who, account),
    }
}

/// Its account lists its keys, and this one is not among them.
pub(super) fn unlisted(credential: &Credential) -> bool {
    credential.status == CredentialStatus::Inactive && credential.grade > Grade::A
}
