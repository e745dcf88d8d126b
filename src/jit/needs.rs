//! What consumers do with a credential that not every mechanism can do.

use super::subject::Subject;
use crate::model::consumer::{ONLY_INSTALLS, OTHER_STORE, REACHES_BEYOND};

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

    /// The store its consumers call where a key of AWS's form is none of AWS: every one of them names another address.
    pub(super) fn other_store(&self) -> Option<&'a str> {
        let credential = self
            .credential
            .filter(|one| one.kind.starts_with("aws-") && one.public_id.is_none())?;
        if credential.account.is_some() || self.identity.is_some_and(|one| one.provider == "aws") {
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
