//! Which findings, credentials and identities a command means.

use super::args::{About, Filter};
use super::exit::Failure;
use crate::model::{Finding, Report};
use crate::report::Index;
use crate::report::explain::{self, Found, Subject};
use crate::rules::config::Pattern;
use crate::store::decisions::Scope;
use anyhow::anyhow;
use serde_json::{Value, json};
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
            && rule.as_ref().is_none_or(|rule| rule.matches(&finding.rule))
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

/// Digests of what a run tells of each of these: what somebody saw who decided on it.
pub(super) fn evidence(report: &Report, scopes: &[Scope]) -> Vec<Option<String>> {
    let findings: BTreeMap<_, _> = report.findings.iter().map(|one| (&one.id, one)).collect();
    let credentials: BTreeMap<_, _> = report
        .credentials
        .iter()
        .map(|one| (&one.id, one))
        .collect();
    let identities: BTreeMap<_, _> = report.identities.iter().map(|one| (&one.id, one)).collect();
    let told = |scope: &Scope| -> Option<Value> {
        Some(match scope {
            Scope::Finding(id) => {
                let finding = findings.get(id)?;
                json!({
                    "rule": finding.rule,
                    "severity": finding.severity,
                    "title": finding.title,
                    "message": finding.message,
                    "locations": finding.locations,
                    "evidence": finding.evidence,
                })
            }
            Scope::Credential(id) => json!(credentials.get(id)?),
            Scope::Identity(id) => json!(identities.get(id)?),
            Scope::RulePath(_) => return None,
        })
    };
    let digest = |value: Value| {
        let digest = blake3::hash(value.to_string().as_bytes());
        digest.to_hex()[..32].to_owned()
    };
    scopes.iter().map(|scope| told(scope).map(digest)).collect()
}
