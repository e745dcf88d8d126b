//! Which findings, credentials and identities a command means.

use super::args::{About, Filter};
use super::exit::Failure;
use crate::model::{Credential, CredentialId, Finding, FindingId, Identity, IdentityId, Report};
use crate::report::Index;
use crate::report::explain::{self, Found, Subject};
use crate::rules::config::Pattern;
use crate::rules::renames;
use crate::store::decisions::{Scope, Subjects};
use anyhow::{Context as _, anyhow};
use rayon::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;

/// What an id or a name means.
pub(super) fn named(index: &Index<'_>, name: &str) -> Result<Scope, Failure> {
    match explain::find(index, name) {
        Found::One(Subject::Finding(one)) => Ok(Scope::Finding(one.id.clone())),
        Found::One(Subject::Credential(one)) => Ok(Scope::Credential(one.id.clone())),
        Found::One(Subject::Identity(one)) => Ok(Scope::Identity(one.id.clone())),
        Found::One(Subject::Assessment(one)) => {
            let credential = one.credential.clone().map(Scope::Credential);
            let identity = one.identity.clone().map(Scope::Identity);
            credential
                .or(identity)
                .ok_or_else(|| nothing(name, index.report))
        }
        Found::Several(some) => {
            let ids: Vec<_> = some.iter().map(|one| one.id.clone()).collect();
            Err(Failure::usage(
                anyhow!("`{name}` names several things: {}", ids.join(", ")),
                "name one of these by its id",
            ))
        }
        Found::Nothing => Err(nothing(name, index.report)),
    }
}

fn nothing(name: &str, report: &Report) -> Failure {
    Failure::usage(
        anyhow!("the run {} has nothing called `{name}`", report.run.id),
        "take an id from findings.csv or inventory.csv",
    )
}

/// The findings that every filter lets through, in report order.
pub(super) fn filtered<'a>(
    index: &Index<'a>,
    filter: &Filter,
) -> Result<Vec<&'a Finding>, Failure> {
    let pattern = |text: &Option<String>| {
        text.as_deref()
            .map(Pattern::new)
            .transpose()
            .map_err(|error| Failure::usage(error, "`*` stands for any text"))
    };
    let (rule, path) = (pattern(&filter.rule)?, pattern(&filter.path)?);
    let owner = pattern(&filter.owner)?;
    let renames = renames::builtin().context("reading the names of rules")?;
    let keep = |finding: &&Finding| {
        let credential = index.credential(finding.credential.as_ref());
        let of_credential = credential.and_then(|one| one.identity.as_ref());
        let identity = index.identity(finding.identity.as_ref().or(of_credential));
        let places = &finding.locations;
        let at = |pattern: &Pattern| {
            places.iter().any(|place| {
                let whole = place.repository.as_ref();
                let whole = whole.map(|name| format!("{name}/{}", place.uri));
                pattern.matches(&place.uri) || whole.is_some_and(|whole| pattern.matches(&whole))
            })
        };
        let account = identity
            .and_then(|one| one.account.as_deref())
            .or_else(|| credential.and_then(|one| one.account.as_deref()));
        let provider = credential
            .map(|one| one.provider.as_str())
            .or_else(|| identity.map(|one| one.provider.as_str()));
        filter
            .severity
            .is_none_or(|least| finding.severity >= least)
            && rule
                .as_ref()
                .is_none_or(|rule| renames.any(&finding.rule, |name| rule.matches(name)))
            && path.as_ref().is_none_or(at)
            && filter
                .status
                .as_ref()
                .is_none_or(|status| finding.status.as_str() == status)
            && filter
                .account
                .as_deref()
                .is_none_or(|wanted| account == Some(wanted))
            && filter
                .provider
                .as_deref()
                .is_none_or(|wanted| provider == Some(wanted))
            && owner.as_ref().is_none_or(|pattern| {
                pattern.matches(identity.and_then(|one| one.owner.as_deref()).unwrap_or(""))
            })
    };
    Ok(index.report.findings.iter().filter(keep).collect())
}

/// What of a thing is decided on: itself, its credential or its identity.
pub(super) fn about(index: &Index<'_>, scope: Scope, about: About) -> Option<Scope> {
    let finding = |id| index.report.findings.iter().find(|one| one.id == id);
    let holder = |id| {
        index
            .credential(Some(id))
            .and_then(|one| one.identity.clone())
    };
    match (about, scope) {
        (About::Named | About::RulePath, scope)
        | (About::Finding, scope @ Scope::Finding(_))
        | (About::Credential, scope @ (Scope::Credential(_) | Scope::Identity(_)))
        | (About::Identity, scope @ Scope::Identity(_)) => Some(scope),
        (About::Credential, Scope::Finding(id)) => {
            let finding = finding(id)?;
            let credential = finding.credential.clone().map(Scope::Credential);
            credential.or_else(|| finding.identity.clone().map(Scope::Identity))
        }
        (About::Identity, Scope::Finding(id)) => {
            let finding = finding(id)?;
            let own = finding.identity.clone();
            own.or_else(|| holder(finding.credential.as_ref()?))
                .map(Scope::Identity)
        }
        (About::Identity, Scope::Credential(id)) => holder(&id).map(Scope::Identity),
        (About::Finding, _) | (_, Scope::RulePath(_)) => None,
    }
}

/// A digest of what a run tells of what somebody decided on: what they saw. Of many, a digest of the digests of each, one a
/// line.
pub(super) fn evidence(report: &Report, subjects: &Subjects) -> Option<String> {
    let seen = Seen::new(report);
    if let Some(scope) = subjects.one() {
        return seen.digest(scope);
    }
    let scopes: Vec<Scope> = subjects.each().collect();
    let digests: Vec<String> = scopes
        .par_iter()
        .map(|scope| seen.digest(scope).unwrap_or_default())
        .collect();
    Some(digest(digests.join("\n").as_bytes()))
}

/// What a run tells, by id.
struct Seen<'r> {
    findings: BTreeMap<&'r FindingId, &'r Finding>,
    credentials: BTreeMap<&'r CredentialId, &'r Credential>,
    identities: BTreeMap<&'r IdentityId, &'r Identity>,
}

impl<'r> Seen<'r> {
    fn new(report: &'r Report) -> Self {
        Self {
            findings: report.findings.iter().map(|one| (&one.id, one)).collect(),
            credentials: report
                .credentials
                .iter()
                .map(|one| (&one.id, one))
                .collect(),
            identities: report.identities.iter().map(|one| (&one.id, one)).collect(),
        }
    }

    fn digest(&self, scope: &Scope) -> Option<String> {
        let told = match scope {
            Scope::Finding(id) => {
                let finding = self.findings.get(id)?;
                json!({
                    "rule": finding.rule,
                    "severity": finding.severity,
                    "title": finding.title,
                    "message": finding.message,
                    "locations": finding.locations,
                    "evidence": finding.evidence,
                })
            }
            Scope::Credential(id) => json!(self.credentials.get(id)?),
            Scope::Identity(id) => json!(self.identities.get(id)?),
            Scope::RulePath(_) => return None,
        };
        Some(digest(told.to_string().as_bytes()))
    }
}

fn digest(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..32].to_owned()
}
