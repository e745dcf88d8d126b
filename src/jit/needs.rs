//! What consumers do with a credential that not every mechanism can do.

use super::subject::Subject;
use crate::model::consumer::{ONLY_INSTALLS, OTHER_STORE, REACHES_BEYOND};
use crate::model::{Grade, IdentityKind};

impl<'a> Subject<'a> {
    /// The name that consumers know its credential by.
    fn called(&self) -> Option<&'a str> {
        let reference = self.credential?.reference.as_deref()?;
        Some(reference.rsplit('.').next().unwrap_or(reference))
    }

    /// What a consumer reaches with it outside its own repository.
    pub(super) fn beyond(&self) -> Option<String> {
        let name = self.called()?;
        let start = format!("{REACHES_BEYOND}{name}: ");
        let all = self.consumers.iter().flat_map(|one| &one.evidence);
        all.filter_map(|evidence| evidence.text.strip_prefix(&start))
            .min()
            .map(|what| format!("reaches beyond its own repository: {what}"))
    }

    /// The store where a key of AWS's form is none of AWS: its address stands beside the key, or every consumer names it.
    /// A key that an account of AWS lists is one of AWS, whatever is called with it.
    pub(super) fn other_store(&self) -> Option<&'a str> {
        let credential = self
            .credential
            .filter(|one| one.kind.starts_with("aws-") && one.grade > Grade::A)?;
        let holder = self.identity.filter(|one| one.provider == "aws");
        if holder.is_some_and(|one| one.kind != IdentityKind::AwsAccount) {
            return None;
        }
        let mut reasons = credential.confidence_reason.split("; ");
        if let Some(host) = reasons.find_map(|one| one.strip_prefix(OTHER_STORE)) {
            return Some(host);
        }
        if credential.public_id.is_some() || credential.account.is_some() || holder.is_some() {
            return None;
        }
        let stores: Option<Vec<&str>> = self
            .consumers
            .iter()
            .map(|consumer| {
                let mut told = consumer.evidence.iter();
                told.find_map(|evidence| evidence.text.strip_prefix(OTHER_STORE))
            })
            .collect();
        stores?.first().copied()
    }

    /// Every consumer installs packages with it and publishes none.
    pub(super) fn only_installs(&self) -> bool {
        let Some(name) = self.called() else {
            return false;
        };
        !self.consumers.is_empty()
            && self.consumers.iter().all(|consumer| {
                consumer.evidence.iter().any(|evidence| {
                    evidence
                        .text
                        .strip_prefix(ONLY_INSTALLS)
                        .is_some_and(|names| names.split(", ").any(|one| one == name))
                })
            })
    }
}
