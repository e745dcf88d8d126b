//! What decisions are about: one thing, or many that were decided about together.

use crate::model::{CredentialId, FindingId, IdentityId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// What a decision is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// One finding.
    Finding(FindingId),
    /// One credential and all its findings.
    Credential(CredentialId),
    /// One identity and all its findings.
    Identity(IdentityId),
    /// All findings of a rule below a path.
    RulePath(RulePath),
}

/// A rule and where it is spoken of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RulePath {
    /// Id of a check; `*` and `?` stand for any text and any character.
    pub rule: String,
    /// The same over `repository/path`, or the path alone.
    pub path: String,
}

impl Scope {
    /// Its id; nothing for a rule and a path.
    pub fn id(&self) -> &str {
        match self {
            Self::Finding(id) => id.as_str(),
            Self::Credential(id) => id.as_str(),
            Self::Identity(id) => id.as_str(),
            Self::RulePath(_) => "",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finding(id) => write!(f, "finding {id}"),
            Self::Credential(id) => write!(f, "credential {id}"),
            Self::Identity(id) => write!(f, "identity {id}"),
            Self::RulePath(at) => write!(f, "rule {} at {}", at.rule, at.path),
        }
    }
}

/// What an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Subjects {
    /// One thing.
    One(Scope),
    /// Many that were decided about together, each as if it had been alone.
    Many(Many),
}

/// Many things of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Many {
    /// Findings.
    Findings(Vec<FindingId>),
    /// Credentials, each with all its findings.
    Credentials(Vec<CredentialId>),
    /// Identities, each with all its findings.
    Identities(Vec<IdentityId>),
}

impl Subjects {
    /// Each of them.
    pub fn each(&self) -> Box<dyn Iterator<Item = Scope> + '_> {
        match self {
            Self::One(scope) => Box::new(std::iter::once(scope.clone())),
            Self::Many(Many::Findings(ids)) => Box::new(ids.iter().cloned().map(Scope::Finding)),
            Self::Many(Many::Credentials(ids)) => {
                Box::new(ids.iter().cloned().map(Scope::Credential))
            }
            Self::Many(Many::Identities(ids)) => Box::new(ids.iter().cloned().map(Scope::Identity)),
        }
    }

    /// The one thing it is about, if it is about one.
    pub const fn one(&self) -> Option<&Scope> {
        match self {
            Self::One(scope) => Some(scope),
            Self::Many(_) => None,
        }
    }

    /// How many things it is about.
    pub const fn count(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(Many::Findings(ids)) => ids.len(),
            Self::Many(Many::Credentials(ids)) => ids.len(),
            Self::Many(Many::Identities(ids)) => ids.len(),
        }
    }
}

impl From<Scope> for Subjects {
    fn from(scope: Scope) -> Self {
        Self::One(scope)
    }
}

impl fmt::Display for Subjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(scope) => scope.fmt(f),
            Self::Many(Many::Findings(ids)) => write!(f, "{} findings", ids.len()),
            Self::Many(Many::Credentials(ids)) => write!(f, "{} credentials", ids.len()),
            Self::Many(Many::Identities(ids)) => write!(f, "{} identities", ids.len()),
        }
    }
}

/// Most bytes of ids in one event: a line stays one that can be read, compared and merged.
const MOST_BYTES: usize = 40 * 1024;
/// Bytes of an id beside its letters: two quotes and a comma.
const AROUND: usize = 3;

/// Some of the subjects of a decision, and what was known about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// What an event is about.
    pub subjects: Subjects,
    /// Ids of the events that it takes the place of.
    pub after: Vec<String>,
}

/// Shares things that are decided about together out to as few events as hold them. `heads` knows the events about a thing
/// that a new one takes the place of.
pub fn shares(scopes: Vec<Scope>, heads: impl Fn(&Scope) -> Vec<String>) -> Vec<Share> {
    let mut shares = Vec::new();
    let mut open: Vec<Scope> = Vec::new();
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut bytes = 0;
    for scope in scopes {
        let heads = heads(&scope);
        let more: usize = heads.iter().map(|id| id.len() + AROUND).sum();
        let more = more + scope.id().len() + AROUND;
        let alike = open.last().is_none_or(|last| alike(last, &scope));
        if !open.is_empty() && (!alike || bytes + more > MOST_BYTES) {
            shares.extend(share(&mut open, &mut known));
            bytes = 0;
        }
        bytes += more;
        known.extend(heads);
        open.push(scope);
    }
    shares.extend(share(&mut open, &mut known));
    shares
}

/// Whether an event can be about both.
const fn alike(one: &Scope, other: &Scope) -> bool {
    matches!(
        (one, other),
        (Scope::Finding(_), Scope::Finding(_))
            | (Scope::Credential(_), Scope::Credential(_))
            | (Scope::Identity(_), Scope::Identity(_))
    )
}

fn share(open: &mut Vec<Scope>, known: &mut BTreeSet<String>) -> Option<Share> {
    let scopes = std::mem::take(open);
    let after = std::mem::take(known).into_iter().collect();
    let subjects = if scopes.len() == 1 {
        Subjects::One(scopes.into_iter().next()?)
    } else {
        Subjects::Many(many(scopes)?)
    };
    Some(Share { subjects, after })
}

fn many(scopes: Vec<Scope>) -> Option<Many> {
    let (mut findings, mut credentials, mut identities) = (Vec::new(), Vec::new(), Vec::new());
    for scope in scopes {
        match scope {
            Scope::Finding(id) => findings.push(id),
            Scope::Credential(id) => credentials.push(id),
            Scope::Identity(id) => identities.push(id),
            Scope::RulePath(_) => {}
        }
    }
    match (
        findings.is_empty(),
        credentials.is_empty(),
        identities.is_empty(),
    ) {
        (false, ..) => Some(Many::Findings(findings)),
        (_, false, _) => Some(Many::Credentials(credentials)),
        (_, _, false) => Some(Many::Identities(identities)),
        _ => None,
    }
}
