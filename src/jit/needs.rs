//! What consumers do with a credential that not every mechanism can do.

use super::subject::Subject;
use crate::model::consumer::{ONLY_INSTALLS, REACHES_BEYOND};

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
