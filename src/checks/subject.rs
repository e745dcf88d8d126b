//! What findings call the things they are about, and what several checks ask of them.

use crate::model::evidence::days_between;
use crate::model::{
    Credential, CredentialStatus, Evidence, Grade, Identity, IdentityKind, LastUse, Location,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Names written in capitals or in a way of their own.
const SPELLINGS: [(&str, &str); 33] = [
    ("ai", "AI"),
    ("api", "API"),
    ("aws", "AWS"),
    ("ci", "CI"),
    ("circleci", "CircleCI"),
    ("digitalocean", "DigitalOcean"),
    ("gcp", "GCP"),
    ("github", "GitHub"),
    ("gitlab", "GitLab"),
    ("huggingface", "Hugging Face"),
    ("iam", "IAM"),
    ("hubspot", "HubSpot"),
    ("jwt", "JWT"),
    ("launchdarkly", "LaunchDarkly"),
    ("mcp", "MCP"),
    ("npm", "npm"),
    ("oauth", "OAuth"),
    ("openai", "OpenAI"),
    ("openrouter", "OpenRouter"),
    ("openssh", "OpenSSH"),
    ("pagerduty", "PagerDuty"),
    ("pat", "personal access token"),
    ("pgp", "PGP"),
    ("pypi", "PyPI"),
    ("rsa", "RSA"),
    ("rubygems", "RubyGems"),
    ("sendgrid", "SendGrid"),
    ("sonarqube", "SonarQube"),
    ("tls", "TLS"),
    ("ssh", "SSH"),
    ("url", "URL"),
    ("uri", "URI"),
    ("xai", "xAI"),
];

/// Providers whose names begin with a capital wherever they stand.
const PROPER: [&str; 8] = [
    "anthropic",
    "azure",
    "google",
    "kubernetes",
    "postgres",
    "slack",
    "stripe",
    "vault",
];

/// A kebab-case type in words: `aws-access-key` → `AWS access key`.
pub(super) fn words(kebab: &str) -> String {
    let word = |word: &str| {
        if let Some((_, spelled)) = SPELLINGS.iter().find(|(plain, _)| *plain == word) {
            (*spelled).to_owned()
        } else if PROPER.contains(&word) {
            capitalised(word)
        } else {
            word.to_owned()
        }
    };
    kebab.split('-').map(word).collect::<Vec<_>>().join(" ")
}

/// The text with its first letter in upper case.
pub(super) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// A credential by its type and public part: `AWS access key AKIA…`.
pub(super) fn credential_name(credential: &Credential) -> String {
    let kind = words(&credential.kind);
    let shown = credential
        .public_id
        .as_deref()
        .or(credential.reference.as_deref())
        .or(credential
            .redacted
            .as_ref()
            .map(crate::model::Redacted::as_str)
            .filter(|mask| !mask.starts_with('*')));
    shown.map_or_else(|| kind.clone(), |shown| format!("{kind} {shown}"))
}

/// An identity by its kind and name: `IAM user deployer`.
pub(super) fn identity_name(identity: &Identity) -> String {
    match identity.kind {
        IdentityKind::AwsRoot => "root user".to_owned(),
        IdentityKind::AwsAccount => format!("AWS account {}", identity.name),
        kind => format!("{} {}", words(kind.as_str()), identity.name),
    }
}

/// An identity by kind, name and account: `IAM user deployer of account 111122223333`.
pub(super) fn full_name(identity: &Identity) -> String {
    let name = identity_name(identity);
    match (&identity.account, identity.kind) {
        (Some(account), kind) if kind != IdentityKind::AwsAccount => {
            format!("{name} of account {account}")
        }
        _ => name,
    }
}

/// Belongs to the cloud provider: nobody in the account can change it.
pub(super) fn provider_managed(identity: &Identity) -> bool {
    identity.kind == IdentityKind::ServiceLinkedRole
        || identity.native_id.contains(":role/aws-service-role/")
        || identity.native_id.contains(":role/aws-reserved/")
}

/// A name only, of whose permissions nothing is known.
pub(super) fn name_only(identity: &Identity) -> bool {
    matches!(
        identity.kind,
        IdentityKind::AwsAccount | IdentityKind::Unresolved
    )
}

/// What a holder can do, where anything is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Power {
    /// Tier 0–5; `None` when nothing tells.
    pub(super) tier: Option<u8>,
    /// In words, to follow "it is" or "the holder is".
    pub(super) words: &'static str,
    /// How good the evidence is.
    pub(super) grade: Grade,
}

/// What the identity can do; else what a credential of this type can do by default.
pub(super) fn power(identity: Option<&Identity>, credential: Option<&Credential>) -> Power {
    let judged = identity
        .filter(|identity| !name_only(identity))
        .and_then(|identity| {
            let privilege = &identity.privilege;
            let known =
                privilege.tier > 0 || !privilege.evidence.is_empty() || !identity.grants.is_empty();
            match identity.kind {
                IdentityKind::AwsRoot => Some((5, identity.grade)),
                _ if known && privilege.assumed => Some((privilege.tier, Grade::D)),
                _ if known => Some((privilege.tier, identity.grade)),
                _ => None,
            }
        });
    let by_type =
        || credential.and_then(|credential| credential.default_tier.map(|tier| (tier, Grade::D)));
    let (tier, grade) = judged
        .or_else(by_type)
        .map_or((None, Grade::D), |(tier, grade)| (Some(tier), grade));
    Power {
        tier,
        words: match tier {
            None => "of unknown privilege",
            Some(0) => "without any permission",
            Some(1) => "able to list and to read metadata",
            Some(2) => "able to read or write one resource's data",
            Some(3) => "able to write at service level",
            Some(4) => "able to escalate or to reach secret stores",
            Some(_) => "an administrator",
        },
        grade,
    }
}

/// Where an identity is declared; where no file is known, the account or provider it lives in.
pub(super) fn places(identity: &Identity) -> Vec<Location> {
    if !identity.locations.is_empty() {
        return identity.locations.clone();
    }
    let uri = identity
        .account
        .as_deref()
        .filter(|account| {
            account
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
        .map_or_else(
            || identity.provider.clone(),
            |account| format!("{}/{account}", identity.provider),
        );
    vec![Location {
        repository: None,
        uri,
        line: None,
        column: None,
        logical: Some(identity.native_id.clone()),
    }]
}

/// The issuer would still accept it, as far as is known.
pub(super) fn may_be_live(credential: &Credential, now: Timestamp) -> bool {
    credential.status != CredentialStatus::Inactive
        && credential.expires_at.is_none_or(|expiry| expiry > now)
}

/// Calendar date in UTC.
pub(super) fn date(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).date().to_string()
}

/// `1 day`, `412 days`.
pub(super) fn days(count: i64) -> String {
    plural(count, "day")
}

/// `1 place`, `3 places`.
pub(super) fn plural(count: i64, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

/// `15 min`, `1 h`, `90 s`.
pub(super) fn duration(seconds: u64) -> String {
    match seconds {
        s if s % 3600 == 0 && s > 0 => format!("{} h", s / 3600),
        s if s % 60 == 0 && s > 0 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

/// Last use in words, to follow "it".
pub(super) fn last_use(last: LastUse, now: Timestamp) -> String {
    match last {
        LastUse::Unknown => "has no usage record".to_owned(),
        LastUse::NeverSince(since) => format!("has never been used since {}", date(since)),
        LastUse::At(at) => match days_between(at, now) {
            ..=0 => "was used today".to_owned(),
            ago => format!("was last used {} ago", days(ago)),
        },
    }
}

/// `a`, `a and b`, `a, b and c`; after the first few, how many more.
pub(super) fn list<S: AsRef<str>>(items: &[S]) -> String {
    const SHOWN: usize = 4;
    let mut shown: Vec<String> = items
        .iter()
        .take(SHOWN)
        .map(|item| item.as_ref().to_owned())
        .collect();
    if items.len() > SHOWN {
        shown.push(format!("{} more", items.len() - SHOWN));
    }
    match shown.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// Evidence about the holder's privilege, for findings whose severity hangs on it.
pub(super) fn power_evidence(identity: Option<&Identity>) -> &[Evidence] {
    identity.map_or(&[], |identity| identity.privilege.evidence.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_read_as_people_write_them() {
        assert_eq!(words("aws-access-key"), "AWS access key");
        assert_eq!(words("github-pat"), "GitHub personal access token");
        assert_eq!(
            words("kubernetes-service-account"),
            "Kubernetes service account"
        );
        assert_eq!(capitalised(&words("private-key")), "Private key");
        assert_eq!(capitalised(""), "");
    }

    #[test]
    fn counts_and_lists_read_well() {
        assert_eq!(days(1), "1 day");
        assert_eq!(duration(5400), "90 min");
        assert_eq!(duration(43_200), "12 h");
        assert_eq!(duration(0), "0 s");
        assert_eq!(list::<&str>(&[]), "");
        assert_eq!(list(&["a", "b"]), "a and b");
        assert_eq!(
            list(&["a", "b", "c", "d", "e", "f"]),
            "a, b, c, d and 2 more"
        );
    }

    #[test]
    fn nothing_known_is_not_powerless() {
        let bare = Identity::named("aws", IdentityKind::IamUser, "u", "arn:u", Grade::A);
        assert_eq!(power(Some(&bare), None).tier, None);
        let mut empty = bare.clone();
        empty.privilege.evidence = vec![Evidence::new(Grade::A, "no policy")];
        assert_eq!(power(Some(&empty), None).tier, Some(0));
        let root = Identity::named("aws", IdentityKind::AwsRoot, "root", "arn:root", Grade::A);
        assert_eq!(power(Some(&root), None).tier, Some(5));
    }
}
