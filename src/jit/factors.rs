//! T, H, P, S and B: how long, how well kept, how much, to what, how far.

use super::JitContext;
use super::exposure::exposure;
use super::risk::{Factors, Level};
use super::subject::{Subject, words};
use crate::model::evidence::{day, days_between};
use crate::model::{
    ConsumerClass, Credential, CredentialStatus, Environment, Evidence, Grade, Identity,
    IdentityKind, LastUse, PrincipalKind, Storage,
};
use crate::rules::targets::{lookup, matches};
use jiff::Timestamp;

/// All six factors of a subject as it stands.
pub fn factors(context: &JitContext<'_>, subject: &Subject<'_>) -> Factors {
    let privilege = privilege(context, subject);
    Factors {
        exposure: exposure(subject),
        standing: standing(context, subject),
        hygiene: hygiene(context, subject),
        sensitivity: sensitivity(context, subject, &privilege),
        blast: blast(context, subject),
        privilege,
        root_key: subject.root_key() && !inactive(subject),
    }
}

/// The issuer no longer accepts it.
pub fn inactive(subject: &Subject<'_>) -> bool {
    subject
        .credential
        .is_some_and(|credential| credential.status == CredentialStatus::Inactive)
}

/// Oldest time the subject is known to exist.
pub fn born(subject: &Subject<'_>) -> Option<Timestamp> {
    match subject.credential {
        Some(credential) => credential.created_at.or_else(|| {
            credential
                .sightings
                .iter()
                .filter_map(|sighting| sighting.first_seen)
                .chain(subject.activity.iter().map(|activity| activity.first))
                .min()
        }),
        None => subject.identity.and_then(|identity| identity.created_at),
    }
}

/// What is known of its last use: the credential's own, else the identity's when it has no other credential.
pub fn last_use(subject: &Subject<'_>) -> LastUse {
    match (subject.credential, subject.identity) {
        (Some(credential), Some(identity))
            if credential.last_use == LastUse::Unknown && identity.credentials.len() <= 1 =>
        {
            identity.last_use
        }
        (Some(credential), _) => credential.last_use,
        (None, Some(identity)) => identity.last_use,
        (None, None) => LastUse::Unknown,
    }
}

fn standing(context: &JitContext<'_>, subject: &Subject<'_>) -> Level {
    match (subject.credential, subject.identity) {
        (Some(credential), identity) => of_credential(context, credential, identity),
        (None, Some(identity)) => of_sessions(context, subject, identity),
        (None, None) => Level::default(),
    }
}

fn of_credential(
    context: &JitContext<'_>,
    credential: &Credential,
    identity: Option<&Identity>,
) -> Level {
    let t = &context.scoring.thresholds;
    let grade = credential.grade;
    let seen = |level, text: String| Level::seen(level, Evidence::new(grade, text));
    let age = credential
        .created_at
        .map(|at| (at, days_between(at, context.now)));
    if let Some(expires) = credential.expires_at {
        let from = credential.created_at.unwrap_or(context.now);
        let seconds = expires.as_second().saturating_sub(from.as_second()).max(0);
        let seconds = u64::try_from(seconds).unwrap_or_default();
        return if expires <= context.now {
            seen(0, format!("it expired on {}", day(expires)))
        } else if seconds <= t.medium_session_seconds {
            seen(1, format!("it lasts {}", super::ttl::human(seconds)))
        } else if seconds <= u64::try_from(t.rotation_days).unwrap_or_default() * 86_400 {
            seen(2, format!("it expires on {}", day(expires)))
        } else {
            seen(3, format!("it lasts until {}", day(expires)))
        };
    }
    let young = age.filter(|(_, age)| *age <= t.rotation_days && *age >= 0);
    if let (Some((made, _)), Some(true)) = (
        young,
        identity
            .and_then(|identity| identity.created_at)
            .map(|at| days_between(at, context.now) > t.rotation_days),
    ) {
        return seen(
            2,
            format!(
                "it was made on {} and its identity is older: it has been renewed",
                day(made)
            ),
        );
    }
    if let Some((made, _)) = young
        && credential.storage == Storage::Vault
    {
        return seen(
            2,
            format!("it is kept in a secrets manager, there since {}", day(made)),
        );
    }
    if let Some((made, _)) = age.filter(|(_, age)| *age > t.rotation_days) {
        return seen(3, format!("there since {}, no expiry", day(made)));
    }
    let first = credential
        .sightings
        .iter()
        .filter_map(|s| s.first_seen)
        .min();
    if let Some(at) = first
        && days_between(at, context.now) > t.rotation_days
        && credential.expires_by_nature != Some(true)
    {
        return seen(
            3,
            format!("in git since {} or longer, no expiry known", day(at)),
        );
    }
    let nature = |level, text: &str| {
        Level::assumed(
            level,
            Evidence::new(Grade::D, format!("{} {text}", credential.kind)),
        )
    };
    let listed = &context.scoring.nature.never_expire;
    let expires = credential.expires_by_nature.or_else(|| {
        let never = listed.iter().any(|name| matches(name, &credential.kind));
        never.then_some(false)
    });
    match expires {
        Some(false) => nature(3, "never expires by nature"),
        Some(true) => nature(2, "expires by nature, when is not known"),
        None => nature(2, "may or may not expire; nothing tells"),
    }
}

fn of_sessions(context: &JitContext<'_>, subject: &Subject<'_>, identity: &Identity) -> Level {
    let t = &context.scoring.thresholds;
    let conditioned = identity.condition_coverage().subject
        && !identity
            .trust
            .iter()
            .all(|path| path.principal_kind == PrincipalKind::Service);
    match identity.kind {
        IdentityKind::CiJob => {
            let longest = subject
                .consumers
                .iter()
                .filter_map(|c| c.timeout_seconds)
                .max();
            match longest {
                Some(seconds) if seconds <= t.short_session_seconds => Level::seen(
                    0,
                    Evidence::new(
                        Grade::B,
                        format!(
                            "its token ends with the job, at most {}",
                            super::ttl::human(seconds)
                        ),
                    ),
                ),
                _ => Level::assumed(1, Evidence::new(Grade::D, "its token ends with the job")),
            }
        }
        IdentityKind::IamUser => Level::assumed(
            0,
            Evidence::new(Grade::D, "it has no credential that was seen"),
        ),
        IdentityKind::Agent | IdentityKind::McpServer
            if identity
                .agent
                .as_ref()
                .is_some_and(|agent| agent.static_credentials > 0) =>
        {
            Level::seen(
                3,
                Evidence::new(identity.grade, "the agent holds a static credential"),
            )
        }
        IdentityKind::IamRole => {
            let session = identity.session_limit();
            let seconds = session.unwrap_or(3600);
            let level = if seconds <= t.short_session_seconds && conditioned {
                0
            } else if seconds <= t.medium_session_seconds {
                1
            } else {
                2
            };
            let how = if conditioned {
                "for an exact subject"
            } else {
                "without conditions on the task"
            };
            let text = format!("sessions of at most {}, {how}", super::ttl::human(seconds));
            if session.is_some() {
                Level::seen(level, Evidence::new(identity.grade, text))
            } else {
                Level::assumed(
                    level,
                    Evidence::new(
                        Grade::D,
                        format!("{text} (the default: its own limit is not in the input)"),
                    ),
                )
            }
        }
        _ => Level::assumed(
            1,
            Evidence::new(
                Grade::D,
                "the platform issues and renews its tokens for as long as it runs",
            ),
        ),
    }
}

fn hygiene(context: &JitContext<'_>, subject: &Subject<'_>) -> Level {
    let t = &context.scoring.thresholds;
    let mut level = Level::default();
    let mut raise = |evidence: Evidence| {
        level.level += 1;
        level.evidence.push(evidence);
    };
    let grade = subject.identity.map_or(Grade::B, |identity| identity.grade);
    if subject.owner.is_none() {
        raise(Evidence::new(
            grade,
            "no owner: no annotation, tag, CODEOWNERS entry or author names one",
        ));
    }
    let used = last_use(subject);
    let idle = used
        .idle_days(context.now)
        .filter(|days| *days >= t.idle_days)
        .and(used.idle_since());
    let person = subject.identity.is_some_and(|identity| {
        !subject.human() && subject.credential.is_some() && identity.console_password == Some(true)
    });
    let by_people = !subject.human()
        && subject
            .consumers
            .iter()
            .any(|c| c.class == ConsumerClass::Human);
    if let Some(since) = idle {
        let text = format!("not used since {}", day(since));
        raise(Evidence::new(Grade::A, text));
    } else if subject.paths().len() >= t.shared_consumers {
        raise(Evidence::new(
            Grade::B,
            format!("shared by {} paths", subject.paths().len()),
        ));
    } else if person || by_people {
        raise(Evidence::new(
            grade,
            "people use it too: the machine's user can sign in to the console",
        ));
    } else if let Some(sign) = super::shared::people_in_logs(subject) {
        raise(Evidence::new(
            sign.grade,
            format!("people use it too: {}", sign.text),
        ));
    }
    if level.level == 0 {
        let owner = subject.owner.as_deref().unwrap_or_default();
        level
            .evidence
            .push(Evidence::new(grade, format!("owned by {owner}")));
    }
    level
}

fn privilege(context: &JitContext<'_>, subject: &Subject<'_>) -> Level {
    if inactive(subject) {
        return Level::seen(
            0,
            Evidence::new(Grade::A, "inactive: the issuer no longer accepts it"),
        );
    }
    if subject
        .identity
        .is_some_and(|identity| identity.kind == IdentityKind::AwsRoot)
    {
        return Level::seen(5, Evidence::new(Grade::A, "root of the account"));
    }
    if let Some(identity) = subject
        .identity
        .filter(|identity| privilege_known(identity))
    {
        let privilege = &identity.privilege;
        let tier = privilege.tier.min(5);
        let mut evidence = privilege.evidence.clone();
        if evidence.is_empty() {
            let text = if tier == 0 {
                format!("{} holds no permissions", identity.name)
            } else {
                format!("grants of {} give tier {tier}", identity.name)
            };
            evidence.push(Evidence::new(identity.grade, text));
        }
        return Level {
            level: if privilege.admin { 5 } else { tier },
            assumed: privilege.assumed,
            evidence,
        };
    }
    let kind = subject.kind();
    let tier = subject.credential.and_then(|credential| {
        credential
            .default_tier
            .or_else(|| lookup(&context.scoring.nature.tiers, &credential.kind))
    });
    match tier {
        Some(tier) => Level::assumed(
            tier.min(5),
            // The catalogue's word for a type that is known; only the type's own recognition can be a guess.
            Evidence::new(
                Grade::C,
                format!("usual privilege of {kind}; its grants are not in the input"),
            ),
        ),
        None => Level::assumed(
            2,
            Evidence::new(
                Grade::D,
                format!("nothing tells what {kind} may do; data access is assumed"),
            ),
        ),
    }
}

/// Whether what the identity may do was seen, and not merely left empty.
fn privilege_known(identity: &Identity) -> bool {
    let privilege = &identity.privilege;
    privilege.tier > 0
        || privilege.admin
        || !privilege.evidence.is_empty()
        || !identity.grants.is_empty()
        || (identity.grade == Grade::A
            && matches!(identity.kind, IdentityKind::IamUser | IdentityKind::IamRole))
}

fn sensitivity(context: &JitContext<'_>, subject: &Subject<'_>, privilege: &Level) -> Level {
    let rules = &context.scoring.sensitivity;
    let seen =
        |level: u8, grade, text: String| Level::seen(level.min(3), Evidence::new(grade, text));
    if let Some(level) = subject.annotated(|note| note.sensitivity) {
        return seen(level, Grade::B, "declared in the configuration".into());
    }
    if let Some((level, why)) = noted_sensitivity(context, subject) {
        return seen(level, Grade::B, why);
    }
    if let Some(identity) = subject.identity {
        for name in &rules.tags {
            let found = identity
                .tags
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name));
            let Some((key, value)) = found else { continue };
            let level = value
                .parse::<u8>()
                .ok()
                .filter(|level| *level <= 3)
                .or_else(|| rules.tag_levels.get(&value.to_lowercase()).copied());
            if let Some(level) = level {
                return seen(level, identity.grade, format!("tag {key} = {value}"));
            }
        }
    }
    let environment = subject.environment;
    if let Some(level) = subject
        .credential
        .and_then(|c| lookup(&rules.types, &c.kind))
        && !matches!(environment, Environment::Development | Environment::Staging)
    {
        return Level::assumed(
            level,
            Evidence::new(
                Grade::D,
                format!("{} reaches a crown jewel by nature", subject.kind()),
            ),
        );
    }
    if subject.agent()
        && !privilege.assumed
        && privilege.level >= 3
        && environment == Environment::Production
    {
        return seen(
            3,
            Grade::B,
            "an agent with tools that write in production".into(),
        );
    }
    let base = match environment {
        Environment::Development => 0,
        Environment::Staging | Environment::Unknown => 1,
        Environment::Production => 2,
    };
    let mut level = match &subject.environment_evidence {
        Some(evidence) => Level::seen(base, evidence.clone()),
        None => Level::assumed(
            base,
            Evidence::new(Grade::D, "environment unknown; internal is assumed"),
        ),
    };
    if environment >= Environment::Unknown
        && let Some(word) = crown_word(context, subject)
    {
        level.level += 1;
        level
            .evidence
            .push(Evidence::new(Grade::D, format!("its name says {word}")));
    }
    level
}

/// What the configuration says of its tags, account, namespace or places.
fn noted_sensitivity(context: &JitContext<'_>, subject: &Subject<'_>) -> Option<(u8, String)> {
    let identity = subject.identity;
    let namespace = identity
        .filter(|identity| identity.provider == "kubernetes")
        .and_then(|identity| identity.native_id.split(':').nth_back(1));
    let places: Vec<(Option<String>, String)> = identity
        .into_iter()
        .flat_map(|identity| &identity.locations)
        .map(|place| (place.repository.clone(), place.uri.clone()))
        .chain(
            subject
                .credential
                .into_iter()
                .flat_map(|credential| &credential.sightings)
                .map(|seen| (Some(seen.repository.clone()), seen.uri.clone())),
        )
        .collect();
    context.config.sensitivities.iter().rev().find_map(|note| {
        let mut said = Vec::new();
        if let Some((key, pattern)) = &note.tag {
            let (name, value) = identity?
                .tags
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(key))?;
            if !pattern.matches(value) {
                return None;
            }
            said.push(format!("tag {name} = {value}"));
        }
        if let Some(pattern) = &note.account {
            let account = subject
                .account()
                .filter(|account| pattern.matches(account))?;
            said.push(format!("account {account}"));
        }
        if let Some(pattern) = &note.namespace {
            let namespace = namespace.filter(|name| pattern.matches(name))?;
            said.push(format!("namespace {namespace}"));
        }
        if let Some(pattern) = &note.path {
            let (repository, uri) = places.iter().find(|(repository, uri)| {
                repository.as_ref().map_or_else(
                    || pattern.matches(uri),
                    |repository| pattern.fits_place(repository, uri),
                )
            })?;
            let place = repository
                .as_ref()
                .map_or_else(|| uri.clone(), |repository| format!("{repository}/{uri}"));
            said.push(format!("it stands at {place}"));
        }
        Some((
            note.level,
            format!("the configuration rates it: {}", said.join(", ")),
        ))
    })
}

/// A word in its names that marks a crown jewel. ARNs are left out: their fixed parts are words too.
fn crown_word(context: &JitContext<'_>, subject: &Subject<'_>) -> Option<String> {
    let mut texts: Vec<&str> = subject.consumers.iter().map(|c| c.name.as_str()).collect();
    if let Some(identity) = subject.identity {
        texts.push(&identity.name);
        texts.extend(identity.purpose.as_deref());
        if identity.kind == IdentityKind::KubernetesServiceAccount {
            texts.push(&identity.native_id);
        }
    }
    texts.extend(subject.credential.and_then(|c| c.reference.as_deref()));
    let found: std::collections::BTreeSet<String> = texts.into_iter().flat_map(words).collect();
    context
        .scoring
        .sensitivity
        .crown_words
        .iter()
        .find(|word| found.contains(*word))
        .cloned()
}

/// Its reach beyond its own account. Who may do everything may also ask for roles elsewhere, which says nothing of whether
/// one of them lets it in.
fn beyond_account(subject: &Subject<'_>, identity: &Identity, grade: Grade) -> Option<Level> {
    if !identity.privilege.cross_account {
        return None;
    }
    let unlimited = identity.privilege.admin
        || identity
            .privilege
            .full_services
            .iter()
            .any(|one| one == "*");
    let text = match subject.lets_in {
        Some(other) => format!("{} of another account lets it in", other.native_id),
        None if unlimited => return None,
        None => "may become roles of other accounts".to_owned(),
    };
    Some(Level::seen(2, Evidence::new(grade, text)))
}

fn blast(context: &JitContext<'_>, subject: &Subject<'_>) -> Level {
    let rules = &context.scoring.sensitivity;
    let seen = |level, grade, text: String| Level::seen(level, Evidence::new(grade, text));
    let grade = subject.identity.map_or(Grade::B, |identity| identity.grade);
    if inactive(subject) {
        return seen(0, Grade::A, "inactive".into());
    }
    let environments = subject.consumer_environments(context);
    if environments.len() >= 2 {
        let list: Vec<&str> = environments.iter().map(|e| e.as_str()).collect();
        return seen(
            2,
            Grade::B,
            format!("used across environments: {}", list.join(", ")),
        );
    }
    if let Some(identity) = subject.identity {
        if let Some(level) = beyond_account(subject, identity, grade) {
            return level;
        }
        if identity.privilege.admin && identity.kind == IdentityKind::KubernetesServiceAccount {
            return seen(2, grade, "administers the whole cluster".into());
        }
        if identity.kind == IdentityKind::AwsRoot {
            return seen(2, grade, "reaches the whole account".into());
        }
    }
    if let Some(credential) = subject.credential
        && rules
            .publish_types
            .iter()
            .any(|name| matches(name, &credential.kind))
    {
        return Level::assumed(
            2,
            Evidence::new(Grade::D, "whoever installs what it publishes is reached"),
        );
    }
    let wide = subject
        .identity
        .into_iter()
        .flat_map(|identity| &identity.trust)
        .find(|path| super::exposure::open_to_many(path));
    if let Some(path) = wide {
        return seen(
            2,
            grade,
            format!(
                "an organisation or more may become it through {}",
                path.principal
            ),
        );
    }
    let paths = subject.paths().len();
    let unlimited = subject
        .identity
        .is_some_and(|identity| identity.privilege.admin);
    if unlimited && paths >= context.scoring.thresholds.shared_consumers {
        return seen(
            2,
            Grade::B,
            format!("{paths} paths hold an administrator of the whole account"),
        );
    }
    let public = subject.credential.is_some_and(|credential| {
        credential.material_seen() && credential.storage == Storage::Public
    });
    if unlimited && public {
        return seen(
            2,
            Grade::B,
            "whoever reads the public copy administers the whole account".into(),
        );
    }
    if paths >= context.scoring.thresholds.shared_consumers {
        return seen(1, Grade::B, format!("{paths} paths use it or hold a copy"));
    }
    if let Some(identity) = subject.identity {
        let privilege = &identity.privilege;
        if privilege.admin || privilege.full_services.iter().any(|name| name == "*") {
            return seen(1, grade, "reaches every service of the account".into());
        }
        if privilege.services.len() >= 2 {
            return seen(
                1,
                grade,
                format!("reaches {} services", privilege.services.len()),
            );
        }
        if identity.trust.iter().any(|path| path.external) {
            return seen(1, grade, "another organisation uses it".into());
        }
    }
    if subject.consumers.is_empty() && subject.identity.is_none_or(|i| !privilege_known(i)) {
        return Level::assumed(
            0,
            Evidence::new(Grade::D, "nothing seen beyond one consumer and one account"),
        );
    }
    seen(0, grade, "one consumer, one account".into())
}
