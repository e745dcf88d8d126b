//! Finds the parts of a report that belong together.

use crate::model::{
    Assessment, AssessmentId, Consumer, ConsumerId, Credential, CredentialId, Finding, Grant,
    GrantId, Identity, IdentityId, ItemProgress, PlanItem, PlanItemId, Report,
};
use std::collections::BTreeMap;

/// A report, looked up by id.
pub struct Index<'a> {
    /// The report.
    pub report: &'a Report,
    identities: BTreeMap<&'a IdentityId, &'a Identity>,
    credentials: BTreeMap<&'a CredentialId, &'a Credential>,
    grants: BTreeMap<&'a GrantId, &'a Grant>,
    consumers: BTreeMap<&'a ConsumerId, &'a Consumer>,
    consumers_of_identity: BTreeMap<&'a IdentityId, Vec<&'a Consumer>>,
    of_credential: BTreeMap<&'a CredentialId, &'a Assessment>,
    of_identity: BTreeMap<&'a IdentityId, Vec<&'a Assessment>>,
    plan: BTreeMap<&'a AssessmentId, &'a PlanItem>,
    became: BTreeMap<&'a PlanItemId, &'a ItemProgress>,
    findings_of_identity: BTreeMap<&'a IdentityId, Vec<&'a Finding>>,
    findings_of_credential: BTreeMap<&'a CredentialId, Vec<&'a Finding>>,
}

impl<'a> Index<'a> {
    /// Indexes a report.
    pub fn new(report: &'a Report) -> Self {
        let mut index = Self {
            report,
            identities: report
                .identities
                .iter()
                .map(|each| (&each.id, each))
                .collect(),
            credentials: report
                .credentials
                .iter()
                .map(|each| (&each.id, each))
                .collect(),
            grants: report.grants.iter().map(|each| (&each.id, each)).collect(),
            consumers: report
                .consumers
                .iter()
                .map(|each| (&each.id, each))
                .collect(),
            consumers_of_identity: BTreeMap::new(),
            of_credential: BTreeMap::new(),
            of_identity: BTreeMap::new(),
            plan: report
                .plan
                .iter()
                .map(|each| (&each.assessment, each))
                .collect(),
            became: (report.changes.iter())
                .flat_map(|changes| &changes.plan)
                .map(|each| (&each.item, each))
                .collect(),
            findings_of_identity: BTreeMap::new(),
            findings_of_credential: BTreeMap::new(),
        };
        for consumer in &report.consumers {
            if let Some(id) = &consumer.identity {
                let known = index.consumers_of_identity.entry(id).or_default();
                known.push(consumer);
            }
        }
        for assessment in &report.assessments {
            if let Some(id) = &assessment.credential {
                index.of_credential.entry(id).or_insert(assessment);
            }
            if let Some(id) = &assessment.identity {
                index.of_identity.entry(id).or_default().push(assessment);
            }
        }
        for finding in &report.findings {
            if let Some(id) = &finding.identity {
                index
                    .findings_of_identity
                    .entry(id)
                    .or_default()
                    .push(finding);
            }
            if let Some(id) = &finding.credential {
                index
                    .findings_of_credential
                    .entry(id)
                    .or_default()
                    .push(finding);
            }
        }
        index
    }

    /// Identity of this id.
    pub fn identity(&self, id: Option<&IdentityId>) -> Option<&'a Identity> {
        self.identities.get(id?).copied()
    }

    /// Credential of this id.
    pub fn credential(&self, id: Option<&CredentialId>) -> Option<&'a Credential> {
        self.credentials.get(id?).copied()
    }

    /// Grants of these ids.
    pub fn grants(&self, ids: &[GrantId]) -> Vec<&'a Grant> {
        ids.iter()
            .filter_map(|id| self.grants.get(id).copied())
            .collect()
    }

    /// Consumers of these ids.
    pub fn consumers(&self, ids: &[ConsumerId]) -> Vec<&'a Consumer> {
        ids.iter()
            .filter_map(|id| self.consumers.get(id).copied())
            .collect()
    }

    /// Credentials of an identity.
    pub fn credentials_of(&self, identity: &Identity) -> Vec<&'a Credential> {
        let ids = identity.credentials.iter();
        ids.filter_map(|id| self.credentials.get(id).copied())
            .collect()
    }

    /// The consumers that an identity is itself: the job, the agent, the workload.
    pub fn consumers_that_are(&self, identity: &Identity) -> &[&'a Consumer] {
        self.consumers_of_identity
            .get(&identity.id)
            .map_or(&[], Vec::as_slice)
    }

    /// Credentials of others that an agent, job or service holds, where the inventory has it as an identity.
    pub fn credentials_held_by(&self, identity: &Identity) -> Vec<&'a Credential> {
        let mut ids: Vec<&CredentialId> = self
            .consumers_that_are(identity)
            .iter()
            .flat_map(|consumer| &consumer.uses.credentials)
            .filter(|id| !identity.credentials.contains(id))
            .collect();
        ids.sort();
        ids.dedup();
        ids.into_iter()
            .filter_map(|id| self.credentials.get(id).copied())
            .collect()
    }

    /// Findings about an identity, most severe first; those about its credentials name it too.
    pub fn findings_of_identity(&self, id: &IdentityId) -> &[&'a Finding] {
        self.findings_of_identity.get(id).map_or(&[], Vec::as_slice)
    }

    /// Findings about a credential, most severe first.
    pub fn findings_of_credential(&self, id: &CredentialId) -> &[&'a Finding] {
        self.findings_of_credential
            .get(id)
            .map_or(&[], Vec::as_slice)
    }

    /// Assessment of a credential.
    pub fn assessment_of_credential(&self, id: &CredentialId) -> Option<&'a Assessment> {
        self.of_credential.get(id).copied()
    }

    /// Assessments of an identity and of its credentials, highest risk first.
    pub fn assessments_of_identity(&self, id: &IdentityId) -> &[&'a Assessment] {
        self.of_identity.get(id).map_or(&[], Vec::as_slice)
    }

    /// The assessment that settles a finding: its credential's, else its identity's own, else the highest risk among
    /// those of the identity's credentials.
    pub fn assessment_of(&self, finding: &Finding) -> Option<&'a Assessment> {
        let of_credential = finding.credential.as_ref();
        if let Some(found) = of_credential.and_then(|id| self.assessment_of_credential(id)) {
            return Some(found);
        }
        let all = self.assessments_of_identity(finding.identity.as_ref()?);
        let own = all.iter().find(|each| each.credential.is_none());
        own.or_else(|| all.first()).copied()
    }

    /// The plan item that settles an assessment.
    pub fn plan_of(&self, assessment: &Assessment) -> Option<&'a PlanItem> {
        self.plan.get(&assessment.id).copied()
    }

    /// What became of an item of the plan; `None` of one that this run planned first.
    pub fn became(&self, id: &PlanItemId) -> Option<&'a ItemProgress> {
        self.became.get(id).copied()
    }

    /// Consumers that matter for a credential, else for an identity.
    pub fn consumers_for(
        &self,
        credential: Option<&Credential>,
        identity: Option<&Identity>,
    ) -> Vec<&'a Consumer> {
        let of_credential = credential.map(|each| self.consumers(&each.consumers));
        match of_credential {
            Some(found) if !found.is_empty() => found,
            _ => identity.map_or_else(Vec::new, |each| self.consumers(&each.consumers)),
        }
    }
}
