//! A report looked up by what earlier plans name, so that following them costs a look each however many there are.

use crate::model::{
    Assessment, AssessmentId, Consumer, Coverage, Credential, CredentialId, Federation, Identity,
    IdentityId, Inventory, PlanItem, PrincipalKind, Report, Run, Unread,
};
use std::collections::{BTreeMap, BTreeSet};

/// Name of a consumer and its repository.
type Called<'r> = (&'r str, Option<&'r str>);

/// What a run shows, before or after its report is put together.
pub struct View<'r> {
    /// The run.
    pub run: &'r Run,
    identities: Vec<&'r Identity>,
    credentials: Vec<&'r Credential>,
    consumers: Vec<&'r Consumer>,
    assessments: &'r [Assessment],
    coverage: &'r [Coverage],
}

impl<'r> View<'r> {
    /// What was joined and judged.
    pub fn new(
        run: &'r Run,
        inventory: &'r Inventory,
        assessments: &'r [Assessment],
        coverage: &'r [Coverage],
    ) -> Self {
        Self {
            run,
            identities: inventory.identities.values().collect(),
            credentials: inventory.credentials.values().collect(),
            consumers: inventory.consumers.values().collect(),
            assessments,
            coverage,
        }
    }
}

impl<'r> From<&'r Report> for View<'r> {
    fn from(report: &'r Report) -> Self {
        Self {
            run: &report.run,
            identities: report.identities.iter().collect(),
            credentials: report.credentials.iter().collect(),
            consumers: report.consumers.iter().collect(),
            assessments: &report.assessments,
            coverage: &report.coverage,
        }
    }
}

/// A run looked up by what earlier plans name.
pub(super) struct Later<'r> {
    pub(super) view: View<'r>,
    inputs: BTreeSet<&'r str>,
    identities: BTreeMap<&'r IdentityId, &'r Identity>,
    credentials: BTreeMap<&'r CredentialId, &'r Credential>,
    credentials_of: BTreeMap<&'r IdentityId, Vec<&'r Credential>>,
    assessments: BTreeMap<&'r AssessmentId, &'r Assessment>,
    /// Places of consumers in the report: of each credential those that use it,
    using_credential: BTreeMap<&'r CredentialId, Vec<usize>>,
    /// of each identity those that use it,
    using_identity: BTreeMap<&'r IdentityId, Vec<usize>>,
    /// of each identity those that run as it,
    running_as: BTreeMap<&'r IdentityId, Vec<usize>>,
    /// of each name the first,
    called: BTreeMap<Called<'r>, usize>,
    /// and the first that can prove what it is.
    configured: BTreeMap<Called<'r>, usize>,
    /// Places of the identities that trust jobs of a repository, by its last name: the first.
    trusting: BTreeMap<&'r str, usize>,
    unread: Unread<'r>,
}

impl<'r> Later<'r> {
    pub(super) fn new(view: impl Into<View<'r>>) -> Self {
        let view = view.into();
        let mut later = Self {
            inputs: view.run.inputs.iter().map(String::as_str).collect(),
            identities: BTreeMap::new(),
            credentials: BTreeMap::new(),
            credentials_of: BTreeMap::new(),
            assessments: BTreeMap::new(),
            using_credential: BTreeMap::new(),
            using_identity: BTreeMap::new(),
            running_as: BTreeMap::new(),
            called: BTreeMap::new(),
            configured: BTreeMap::new(),
            trusting: BTreeMap::new(),
            unread: Unread::of_run(&view.run.inputs, view.coverage),
            view,
        };
        for (place, identity) in later.view.identities.iter().copied().enumerate() {
            later.identities.entry(&identity.id).or_insert(identity);
            let tokens = identity.trust.iter();
            let tokens = tokens.filter(|way| way.principal_kind == PrincipalKind::Oidc);
            for name in tokens
                .flat_map(|way| &way.subjects)
                .flat_map(|subject| repositories(subject))
            {
                later.trusting.entry(name).or_insert(place);
            }
        }
        for credential in later.view.credentials.iter().copied() {
            later
                .credentials
                .entry(&credential.id)
                .or_insert(credential);
            if let Some(id) = &credential.identity {
                later.credentials_of.entry(id).or_default().push(credential);
            }
        }
        for assessment in later.view.assessments {
            later
                .assessments
                .entry(&assessment.id)
                .or_insert(assessment);
        }
        for (place, consumer) in later.view.consumers.clone().into_iter().enumerate() {
            later.take(place, consumer);
        }
        later
    }

    fn take(&mut self, place: usize, consumer: &'r Consumer) {
        let called = called(consumer);
        self.called.entry(called).or_insert(place);
        if consumer.federation == Federation::Configured {
            self.configured.entry(called).or_insert(place);
        }
        for id in consumer.uses.credentials.iter().collect::<BTreeSet<_>>() {
            self.using_credential.entry(id).or_default().push(place);
        }
        for id in consumer.uses.identities.iter().collect::<BTreeSet<_>>() {
            self.using_identity.entry(id).or_default().push(place);
        }
        if let Some(id) = &consumer.identity {
            self.running_as.entry(id).or_default().push(place);
        }
    }

    /// Whether the report is of this source.
    pub(super) fn has(&self, input: &str) -> bool {
        self.inputs.contains(input)
    }

    pub(super) fn identity(&self, id: Option<&IdentityId>) -> Option<&'r Identity> {
        self.identities.get(id?).copied()
    }

    pub(super) fn credential(&self, id: Option<&CredentialId>) -> Option<&'r Credential> {
        self.credentials.get(id?).copied()
    }

    pub(super) fn assessment(&self, id: &AssessmentId) -> Option<&'r Assessment> {
        self.assessments.get(id).copied()
    }

    /// The credentials of an identity.
    pub(super) fn credentials_of(&self, id: &IdentityId) -> &[&'r Credential] {
        self.credentials_of.get(id).map_or(&[], Vec::as_slice)
    }

    /// The consumers that use a credential, in their order.
    pub(super) fn using_credential(&self, id: &CredentialId) -> impl Iterator<Item = &'r Consumer> {
        let places = self.using_credential.get(id).into_iter().flatten();
        self.consumers(places.copied())
    }

    /// The consumers that use an identity, in their order.
    pub(super) fn using_identity(&self, id: &IdentityId) -> impl Iterator<Item = &'r Consumer> {
        let places = self.using_identity.get(id).into_iter().flatten();
        self.consumers(places.copied())
    }

    /// The consumers of what an item is about: of its credential, else those that use its identity or run as it.
    pub(super) fn consumers_of(&self, item: &PlanItem) -> Vec<&'r Consumer> {
        if let Some(id) = &item.credential {
            return self.using_credential(id).collect();
        }
        let Some(id) = &item.identity else {
            return Vec::new();
        };
        let lists = [self.using_identity.get(id), self.running_as.get(id)];
        let places: BTreeSet<usize> = lists.into_iter().flatten().flatten().copied().collect();
        self.consumers(places.into_iter()).collect()
    }

    /// The consumer of this name.
    pub(super) fn called(&self, name: &str, repository: Option<&str>) -> Option<&'r Consumer> {
        self.consumer(*self.called.get(&(name, repository))?)
    }

    /// The first of these consumers that can prove what it is.
    pub(super) fn configured(&self, names: &[(String, Option<String>)]) -> Option<&'r Consumer> {
        let places = names.iter().filter_map(|(name, repository)| {
            let called = (name.as_str(), repository.as_deref());
            self.configured.get(&called).copied()
        });
        self.consumer(places.min()?)
    }

    /// The first identity that trusts jobs of one of these repositories.
    pub(super) fn trusting<'n>(
        &self,
        repositories: impl Iterator<Item = &'n str>,
    ) -> Option<&'r Identity> {
        let places = repositories.filter_map(|name| self.trusting.get(name).copied());
        self.view.identities.get(places.min()?).copied()
    }

    /// The first thing that could not be read whole and because of which something of these sources may be missing.
    pub(super) fn unread(&self, sources: &[String]) -> Option<&'r Coverage> {
        let entries = sources.iter().filter_map(|source| self.unread.of(source));
        entries.min()
    }

    fn consumer(&self, place: usize) -> Option<&'r Consumer> {
        self.view.consumers.get(place).copied()
    }

    fn consumers(&self, places: impl Iterator<Item = usize>) -> impl Iterator<Item = &'r Consumer> {
        let all = &self.view.consumers;
        places.filter_map(move |place| all.get(place).copied())
    }
}

fn called(consumer: &Consumer) -> Called<'_> {
    (consumer.name.as_str(), consumer.repository.as_deref())
}

/// What may be the last name of a repository in a subject: whatever stands between a `/` and a `:`.
fn repositories(subject: &str) -> impl Iterator<Item = &str> {
    subject.split('/').skip(1).flat_map(|part| {
        let ends = part.match_indices(':');
        ends.filter_map(|(end, _)| part.get(..end))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CoverageStatus, Grade, IdentityKind, TrustPath};
    use crate::report::{ReportParts, assemble};
    use jiff::Timestamp;
    use proptest::prelude::*;

    fn report(subjects: &[String], units: &[String], inputs: &[String]) -> Report {
        let mut inventory = Inventory::default();
        for (at, subject) in subjects.iter().enumerate() {
            let name = format!("role{at}");
            let mut role = Identity::named("aws", IdentityKind::IamRole, &name, &name, Grade::A);
            role.trust = vec![TrustPath {
                principal_kind: PrincipalKind::Oidc,
                subjects: vec![subject.clone()],
                ..TrustPath::default()
            }];
            inventory.identities.insert(role.id.clone(), role);
        }
        let unread = |unit: &String| Coverage {
            source: "file".into(),
            unit: unit.clone(),
            status: CoverageStatus::Failed,
            reason: String::new(),
        };
        assemble(ReportParts {
            tool_version: "0".into(),
            run: Run {
                id: "run".into(),
                now: Timestamp::UNIX_EPOCH,
                inputs: inputs.to_vec(),
                rules_digest: String::new(),
                policy_digest: String::new(),
                fingerprint_key: String::new(),
                complete: true,
            },
            coverage: units.iter().map(unread).collect(),
            inventory,
            findings: Vec::new(),
            assessments: Vec::new(),
            plan: Vec::new(),
            long_lived_days: 90,
        })
    }

    proptest! {
        #[test]
        fn what_is_looked_up_is_what_a_search_finds(
            subjects in prop::collection::vec("[ab:/]{0,12}", 0..8),
            units in prop::collection::vec("[ab/]{0,6}", 0..8),
            names in prop::collection::vec("[ab:]{0,3}", 0..4),
            needs in prop::collection::vec("[ab/]{1,3}", 0..4),
            inputs in prop::collection::vec("[ab]{1,3}", 0..4),
        ) {
            let report = report(&subjects, &units, &inputs);
            let later = Later::new(&report);
            let trusts = |one: &&Identity| {
                let mut subjects = one.trust.iter().flat_map(|way| &way.subjects);
                subjects.any(|subject| names.iter().any(|name| subject.contains(&format!("/{name}:"))))
            };
            let searched = report.identities.iter().find(trusts).map(|one| &one.id);
            let found = later.trusting(names.iter().map(String::as_str)).map(|one| &one.id);
            prop_assert_eq!(found, searched);
            let of = |unit: &str, source: &String| {
                unit == source || unit.strip_prefix(source.as_str()).is_some_and(|rest| rest.starts_with('/'))
            };
            let missing = needs.iter().any(|need| !inputs.contains(need));
            let searched = report.coverage.iter().find(|one| {
                needs.iter().any(|need| of(&one.unit, need))
                    || missing && !inputs.iter().any(|input| of(&one.unit, input))
            });
            prop_assert_eq!(later.unread(&needs), searched);
        }
    }
}
