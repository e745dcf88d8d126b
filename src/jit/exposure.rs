//! E: where the secret is, and who can obtain the grant.

use super::risk::Level;
use super::subject::Subject;
use crate::model::{
    Confidence, Credential, Evidence, Grade, Identity, IdentityKind, PrincipalKind, Storage,
    TrustPath,
};

/// Most principals listed by name.
const LISTED: usize = 5;

/// The worse of where the secret lies and who can become the identity.
pub fn exposure(subject: &Subject<'_>) -> Level {
    let secret = subject.credential.map(of_secret);
    let trust = subject.identity.and_then(of_trust);
    let level = match (secret, trust) {
        (Some(secret), Some(trust)) if trust.level > secret.level => trust,
        (Some(secret), _) => secret,
        (None, Some(trust)) => trust,
        (None, None) => without_trust(subject),
    };
    raised_by_runs(subject, level)
}

fn of_secret(credential: &Credential) -> Level {
    let grade = if credential.confidence == Confidence::Low {
        Grade::D
    } else {
        credential.grade
    };
    let seen = |level, text: String| Level::seen(level, Evidence::new(grade, text));
    let place = credential
        .sightings
        .iter()
        .max_by_key(|sighting| (sighting.public, sighting.at_head))
        .map(|sighting| sighting.location().display());
    let public = credential.sightings.iter().any(|sighting| sighting.public);
    let at = place.as_deref().unwrap_or("a file");
    let committed = matches!(
        credential.storage,
        Storage::Public | Storage::Committed | Storage::History
    );
    if committed && credential.fingerprint.is_none() {
        return seen(
            1,
            format!("only the public part stands in {at}, not the secret"),
        );
    }
    match credential.storage {
        Storage::Public => seen(5, format!("the secret is open to the public in {at}")),
        Storage::Committed | Storage::History if public => seen(
            5,
            format!("the secret is committed in a public repository, {at}"),
        ),
        Storage::Committed => seen(4, format!("the secret is committed in {at}")),
        Storage::History => seen(4, format!("the secret is in the git history of {at}")),
        Storage::PlainFile => seen(3, format!("the secret lies in the plain file {at}")),
        Storage::Environment => seen(
            2,
            "the secret is injected as an environment variable".into(),
        ),
        Storage::CiStore => seen(
            2,
            match credential.reference {
                Some(_) => format!(
                    "the static secret is held in a platform's own store: {}",
                    credential.confidence_reason
                ),
                None => "the static secret is held in a platform's own secret store".to_owned(),
            },
        ),
        Storage::Vault => seen(1, "only a reference into a secrets manager was seen".into()),
        Storage::NotSeen => Level::assumed(
            1,
            Evidence::new(
                Grade::D,
                "no copy was seen; it has to be kept somewhere this scan did not read",
            ),
        ),
    }
}

fn of_trust(identity: &Identity) -> Option<Level> {
    identity
        .trust
        .iter()
        .map(|path| {
            let (level, text) = of_path(path);
            Level::seen(level, Evidence::new(identity.grade, text))
        })
        .max_by_key(|level| level.level)
        .map(|level| all_named(identity, level))
}

/// Several exact principals are all named: none of them is the only one.
fn all_named(identity: &Identity, level: Level) -> Level {
    let names: std::collections::BTreeSet<String> =
        identity.trust.iter().filter_map(exact).collect();
    if level.level > 0 || names.len() < 2 {
        return level;
    }
    let more = names.len().saturating_sub(LISTED);
    let mut list: Vec<String> = names.into_iter().take(LISTED).collect();
    let last = if more > 0 {
        format!("{more} more")
    } else {
        list.pop().unwrap_or_default()
    };
    let text = format!("only {} and {last} may become it", list.join(", "));
    Level::seen(0, Evidence::new(identity.grade, text))
}

/// Whom a trust lets in that names them exactly.
fn exact(path: &TrustPath) -> Option<String> {
    let (level, text) = of_path(path);
    let who = text.strip_prefix("only ")?;
    let who = who.strip_suffix(" may become it")?;
    (level == 0).then(|| who.to_owned())
}

fn of_path(path: &TrustPath) -> (u8, String) {
    let who = &path.principal;
    match path.principal_kind {
        PrincipalKind::Anyone if path.coverage.subject => (
            3,
            "anyone who meets a condition on the caller may become it".to_owned(),
        ),
        PrincipalKind::Anyone => (5, "anyone may become it".to_owned()),
        PrincipalKind::Oidc => of_oidc(path),
        PrincipalKind::Saml => (
            1,
            format!("anyone whom the identity provider {who} sends may become it"),
        ),
        PrincipalKind::Service => (0, format!("only the service {who} may become it")),
        PrincipalKind::Dangling => (0, format!("it trusts {who}, which no longer exists")),
        PrincipalKind::Account | PrincipalKind::Principal if path.external => {
            if path.external_id && path.principal_kind == PrincipalKind::Principal {
                (
                    2,
                    format!("{who} of another account may become it, with an external id"),
                )
            } else if path.external_id {
                (
                    2,
                    format!(
                        "the account {who} of another account may become it, with an external id"
                    ),
                )
            } else if path.coverage.subject
                && path.principal_kind == PrincipalKind::Principal
                && path.mfa
            {
                (
                    2,
                    format!("{who} of another account may become it, with MFA"),
                )
            } else {
                (
                    3,
                    format!("{who} of another account may become it without an external id"),
                )
            }
        }
        PrincipalKind::Account if path.coverage.subject => (
            1,
            format!("named principals of the account {who} may become it"),
        ),
        PrincipalKind::Account => (
            3,
            format!("every principal of the account {who} that its policies let may become it"),
        ),
        PrincipalKind::Principal => (0, format!("only {who} may become it")),
    }
}

fn of_oidc(path: &TrustPath) -> (u8, String) {
    let issuer = path.issuer.as_deref().unwrap_or(&path.principal);
    let cluster = issuer.contains("oidc.eks.");
    let Some((level, pattern)) = path
        .subjects
        .iter()
        .map(|pattern| (breadth(pattern), pattern))
        .max()
    else {
        return if cluster {
            (
                3,
                format!(
                    "every service account of the cluster behind {issuer} may become it: no subject is required"
                ),
            )
        } else {
            (
                5,
                format!("every tenant of {issuer} may become it: no subject is required"),
            )
        };
    };
    let text = match level {
        0 => format!("only the exact subject {pattern} of {issuer} may become it"),
        1 => format!(
            "the subject {pattern} of {issuer} leaves part of one repository or workload open"
        ),
        3 => format!("the subject {pattern} of {issuer} lets a whole organisation or namespace in"),
        _ => format!("the subject {pattern} of {issuer} lets other tenants in"),
    };
    (level, text)
}

/// Whether an OIDC trust lets a whole organisation or more in.
pub fn open_to_many(path: &TrustPath) -> bool {
    path.principal_kind == PrincipalKind::Oidc && of_oidc(path).0 >= 3
}

/// How many others than the one meant a subject pattern lets in: 0 none, 1 others of one repository or workload, 3 a
/// whole organisation, 5 other tenants of the issuer.
fn breadth(pattern: &str) -> u8 {
    let Some(wildcard) = pattern.find(['*', '?']) else {
        return u8::from(pattern.ends_with(":pull_request"));
    };
    let head = pattern.get(..wildcard).unwrap_or_default();
    if let Some(rest) = head.strip_prefix("system:serviceaccount:") {
        return if rest.contains(':') { 1 } else { 3 };
    }
    if pattern.starts_with("system:") {
        return 3;
    }
    let (tail, one_unit) = if let Some(rest) = head.strip_prefix("organization:") {
        (rest, rest.contains(":workspace:"))
    } else if let Some(rest) = head.strip_prefix("org/") {
        (
            rest,
            rest.split_once("/project/")
                .is_some_and(|(_, id)| id.contains('/')),
        )
    } else {
        let rest = head.split_once(':').map_or(head, |(_, rest)| rest);
        (rest, rest.contains(':'))
    };
    if one_unit {
        1
    } else if tail.contains(['/', ':']) {
        3
    } else {
        5
    }
}

/// No credential and no trust that was seen: the kind's nature.
fn without_trust(subject: &Subject<'_>) -> Level {
    let Some(identity) = subject.identity else {
        return Level::default();
    };
    let nature = |level, text: &str| Level::assumed(level, Evidence::new(Grade::D, text));
    match identity.kind {
        IdentityKind::KubernetesServiceAccount => {
            nature(1, "its token is mounted into pods unless switched off")
        }
        IdentityKind::CiJob => nature(0, "its token is issued to the job alone"),
        IdentityKind::IamUser => nature(0, "it has no credential that was seen"),
        _ => nature(1, "who may become it was not seen"),
    }
}

/// Runs that execute what outsiders propose give them the grant.
fn raised_by_runs(subject: &Subject<'_>, level: Level) -> Level {
    let open = subject.consumers.iter().find_map(|consumer| {
        let risk = consumer
            .risks
            .iter()
            .find(|risk| risk.contains("pull_request_target"))?;
        Some(format!(
            "{}: {risk}, so whoever opens a pull request may obtain it",
            consumer.name
        ))
    });
    match open {
        Some(text) if level.level < 3 => Level::seen(3, Evidence::new(Grade::B, text)),
        _ => level,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_as_broad_as_what_they_let_in() {
        for (pattern, level) in [
            ("repo:acme/site:environment:production", 0),
            ("repo:acme@1/site@2:ref:refs/heads/main", 0),
            ("repo:acme/site:pull_request", 1),
            ("repo:acme/site:*", 1),
            ("repo:acme/site*", 3),
            ("repo:acme/*", 3),
            ("repo:acme*", 5),
            ("repo:*", 5),
            ("*", 5),
            ("project_path:acme/site:ref_type:branch:ref:*", 1),
            ("project_path:acme/*", 3),
            ("system:serviceaccount:payments:api", 0),
            ("system:serviceaccount:payments:*", 1),
            ("system:serviceaccount:*:api", 3),
            ("organization:acme:project:*", 3),
            ("organization:acme:project:p:workspace:w:run_phase:*", 1),
            ("organization:*", 5),
            ("org/1/project/2/user/*", 1),
            ("org/1/project/*", 3),
        ] {
            assert_eq!(breadth(pattern), level, "{pattern}");
        }
    }
}
