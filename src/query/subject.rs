//! What a filter is asked of.

use super::field::Value;
use crate::model::{
    Assessment, Consumer, Credential, CredentialStatus, Finding, FindingStatus, Identity, PlanItem,
};
use jiff::Timestamp;

/// An identity, a credential, a finding or a plan item, with what belongs to it.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// The identity.
    pub identity: Option<&'a Identity>,
    /// Its credentials, or the one in question.
    pub credentials: Vec<&'a Credential>,
    /// What uses it.
    pub consumers: Vec<&'a Consumer>,
    /// Findings about it.
    pub findings: Vec<&'a Finding>,
    /// Judgements of it.
    pub assessments: Vec<&'a Assessment>,
    /// What the plan has for it.
    pub plan: Vec<&'a PlanItem>,
    /// What people said of it since the report was made, in words; it takes the place of the findings' own status.
    pub said: Vec<&'a str>,
    /// The time ages are measured to.
    pub now: Timestamp,
}

impl<'a> Subject<'a> {
    pub(super) fn names(&self) -> Vec<&'a str> {
        let mut names = Vec::new();
        if let Some(identity) = self.identity {
            names.extend([identity.name.as_str(), identity.native_id.as_str()]);
        }
        for credential in &self.credentials {
            names.extend(credential.public_id.as_deref());
            names.extend(credential.reference.as_deref());
        }
        names
    }

    /// Everything a word alone is looked for in.
    pub(super) fn words(&self) -> Vec<&'a str> {
        let mut words = self.names();
        for finding in &self.findings {
            words.extend([finding.title.as_str(), finding.rule.as_str()]);
        }
        words.extend(self.plan.iter().map(|item| item.title.as_str()));
        words.extend(self.repositories());
        words.extend(self.paths());
        words
    }

    /// Where its findings and credentials stand.
    pub(super) fn states(&self) -> Vec<&'a str> {
        let mut states: Vec<&str> = self
            .credentials
            .iter()
            .map(|each| each.status.as_str())
            .collect();
        if self.said.is_empty() {
            for finding in &self.findings {
                let settled = matches!(
                    finding.status,
                    FindingStatus::Accepted | FindingStatus::Ignored
                );
                states.push(finding.status.as_str());
                states.push(if settled { "decided" } else { "undecided" });
            }
        } else {
            states.extend(&self.said);
        }
        states
    }

    pub(super) fn ids(&self) -> Vec<&'a str> {
        let mut ids = Vec::new();
        ids.extend(self.identity.map(|identity| identity.id.as_str()));
        ids.extend(self.credentials.iter().map(|each| each.id.as_str()));
        ids.extend(self.findings.iter().map(|each| each.id.as_str()));
        ids.extend(self.assessments.iter().map(|each| each.id.as_str()));
        ids.extend(self.plan.iter().map(|each| each.id.as_str()));
        ids
    }

    /// Values of a tag, whose key is given in lower case.
    pub(super) fn tags(&self, key: &str) -> Vec<Value<'a>> {
        let Some(identity) = self.identity else {
            return Vec::new();
        };
        identity
            .tags
            .iter()
            .filter(|(known, _)| known.to_lowercase() == key)
            .map(|(_, value)| Value::Text(value))
            .collect()
    }

    pub(super) fn repositories(&self) -> Vec<&'a str> {
        let declared = self
            .identity
            .into_iter()
            .flat_map(|identity| &identity.locations)
            .filter_map(|at| at.repository.as_deref());
        let used = self
            .consumers
            .iter()
            .filter_map(|consumer| consumer.repository.as_deref());
        let seen = self
            .credentials
            .iter()
            .flat_map(|credential| &credential.sightings)
            .map(|sighting| sighting.repository.as_str());
        declared.chain(used).chain(seen).collect()
    }

    pub(super) fn paths(&self) -> Vec<&'a str> {
        let declared = self
            .identity
            .into_iter()
            .flat_map(|identity| &identity.locations)
            .map(|at| at.uri.as_str());
        let used = self
            .consumers
            .iter()
            .filter_map(|consumer| consumer.location.as_ref())
            .map(|at| at.uri.as_str());
        let seen = self
            .credentials
            .iter()
            .flat_map(|credential| &credential.sightings)
            .map(|sighting| sighting.uri.as_str());
        let found = self
            .findings
            .iter()
            .flat_map(|finding| &finding.locations)
            .map(|at| at.uri.as_str());
        declared.chain(used).chain(seen).chain(found).collect()
    }

    fn live(&self) -> impl Iterator<Item = &'a Credential> + '_ {
        self.credentials
            .iter()
            .copied()
            .filter(|credential| credential.status != CredentialStatus::Inactive)
    }

    /// When the oldest live credential was made, else the identity.
    pub(super) fn created(&self) -> Option<Timestamp> {
        self.live()
            .filter_map(|credential| credential.created_at)
            .min()
            .or_else(|| self.identity?.created_at)
    }

    /// Days since the last use of anything, where all of it is tracked.
    pub(super) fn idle_days(&self) -> Option<i64> {
        let of_credentials = self
            .credentials
            .iter()
            .filter_map(|credential| credential.last_use.idle_days(self.now))
            .min();
        let of_identity = self
            .identity
            .and_then(|identity| identity.last_use.idle_days(self.now));
        match (of_credentials, of_identity) {
            (Some(left), Some(right)) => Some(left.min(right)),
            (left, right) => left.or(right),
        }
    }

    /// When the last live credential stops working; `None` if one never does or nobody says.
    pub(super) fn expires(&self) -> Option<Timestamp> {
        self.live()
            .map(|credential| credential.expires_at)
            .max_by_key(|end| end.map_or(i64::MAX, Timestamp::as_second))
            .flatten()
    }
}
