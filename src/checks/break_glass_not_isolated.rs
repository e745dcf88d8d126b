//! Emergency access that is not kept apart.

use super::rating::Rating;
use super::subject::{
    capitalised, duration, full_name, identity_name, last_use, list, may_be_live, places,
    provider_managed,
};
use super::trusted::ways_in_for_callers;
use super::{Check, CheckContext};
use crate::model::{
    BreakGlass, Confidence, ConsumerClass, CredentialStatus, FindingBuilder, Grade, Identity,
    IdentityKind, PrincipalKind, Severity,
};
use crate::rules::posture::CheckMeta;

/// Emergency access with any of the faults that make it a back door.
pub(super) struct BreakGlassNotIsolated;

/// One fault.
struct Fault {
    grade: Grade,
    text: String,
    /// Makes declared emergency access as good as standing.
    grave: bool,
}

impl Check for BreakGlassNotIsolated {
    fn id(&self) -> &'static str {
        "break-glass-not-isolated"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for identity in context.inventory.identities.values() {
            let Some(known) = identity.break_glass else {
                continue;
            };
            if provider_managed(identity) || identity.kind == IdentityKind::AwsRoot {
                continue;
            }
            let faults = faults(context, meta, identity);
            if !faults.is_empty() {
                out.push(finding(context, meta, identity, known, faults));
            }
        }
    }
}

fn faults(context: &CheckContext<'_>, meta: &CheckMeta, identity: &Identity) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut add = |grade, text: String, grave| faults.push(Fault { grade, text, grave });
    let routine = meta.number("routine_days").unwrap_or_default();
    let live: Vec<_> = context
        .inventory
        .credentials_of(&identity.credentials)
        .filter(|credential| may_be_live(credential, context.now))
        .collect();
    let latest = std::iter::once(identity.last_use)
        .chain(live.iter().map(|credential| credential.last_use))
        .filter(|used| used.at().is_some())
        .max_by_key(|used| used.at());
    if let Some(used) = latest
        && used
            .idle_days(context.now)
            .is_some_and(|idle| idle <= routine)
    {
        add(
            identity.grade,
            format!("it {}", last_use(used, context.now)),
            false,
        );
    }
    let mut machines: Vec<&str> = context
        .inventory
        .consumers_of(&identity.consumers)
        .chain(
            live.iter()
                .flat_map(|credential| context.inventory.consumers_of(&credential.consumers)),
        )
        .filter(|consumer| {
            !matches!(
                consumer.class,
                ConsumerClass::Human | ConsumerClass::IncidentResponse | ConsumerClass::Unknown
            )
        })
        .map(|consumer| consumer.name.as_str())
        .collect();
    machines.sort_unstable();
    machines.dedup();
    if !machines.is_empty() {
        add(
            Grade::B,
            format!("machines use it: {}", list(&machines)),
            true,
        );
    }
    if identity.kind == IdentityKind::IamUser && identity.mfa == Some(false) {
        add(identity.grade, "it has no second factor".to_owned(), false);
    }
    let keys = live
        .iter()
        .filter(|credential| {
            credential.status == CredentialStatus::Active
                && credential.expires_by_nature == Some(false)
        })
        .count();
    if keys > 0 {
        add(
            identity.grade,
            "it has an active key, which asks for no second factor".to_owned(),
            false,
        );
    }
    let direct = |kind: PrincipalKind| {
        matches!(
            kind,
            PrincipalKind::Anyone | PrincipalKind::Account | PrincipalKind::Principal
        )
    };
    let mut open: Vec<String> = Vec::new();
    let mut single = false;
    for path in ways_in_for_callers(identity) {
        if matches!(
            path.principal_kind,
            PrincipalKind::Anyone | PrincipalKind::Account
        ) && !path.coverage.subject
        {
            open.push(path.principal.clone());
        }
        single |= direct(path.principal_kind) && !path.mfa;
    }
    open.sort();
    open.dedup();
    if !open.is_empty() {
        add(
            identity.grade,
            format!("its trust names nobody in particular: {}", list(&open)),
            true,
        );
    }
    if single {
        add(
            identity.grade,
            "its trust asks for no second factor".to_owned(),
            false,
        );
    }
    let limit = context.thresholds.break_glass_max_session_seconds;
    if let Some(longest) = identity.session_limit()
        && longest > limit
    {
        add(
            identity.grade,
            format!("its sessions last up to {}", duration(longest)),
            false,
        );
    }
    let names = [
        identity.native_id.as_str(),
        identity.name.as_str(),
        identity.id.as_str(),
    ];
    if context.config.annotated(&names, |note| note.logged) == Some(false) {
        add(
            Grade::B,
            "its use is declared as not logged".to_owned(),
            false,
        );
    }
    faults
}

fn finding(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    identity: &Identity,
    known: BreakGlass,
    faults: Vec<Fault>,
) -> FindingBuilder {
    let mut rating = Rating::of(meta);
    match known {
        BreakGlass::Declared => {
            if faults.iter().any(|fault| fault.grave) {
                rating.at_least(
                    Severity::High,
                    Grade::B,
                    "declared emergency access that machines or a whole account can take",
                );
            }
        }
        BreakGlass::Suspected => {
            rating.at_most(
                Severity::Low,
                Grade::D,
                "only its name suggests emergency access",
            );
            rating.no_surer(Confidence::Medium);
        }
    }
    let texts: Vec<String> = faults.iter().map(|fault| fault.text.clone()).collect();
    for fault in faults {
        rating.note(fault.grade, fault.text);
    }
    let title = format!("{} is not set apart", capitalised(&identity_name(identity)));
    let message = format!(
        "{} is emergency access{}, but {}.",
        capitalised(&full_name(identity)),
        match known {
            BreakGlass::Declared => "",
            BreakGlass::Suspected => " by its name",
        },
        texts.join("; ")
    );
    context
        .finding(meta, rating, Some(identity), None)
        .text(title, message)
        .locations(places(identity))
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("break-glass-not-isolated"), @r#"
        fires-open-and-used
          high (high): IAM role emergency is not set apart
            IAM role emergency of account 111122223333 is emergency access, but machines use it: deploy.yml/deploy; its trust names nobody in particular: arn:aws:iam::111122223333:root; its trust asks for no second factor; its sessions last up to 12 h.
            at aws/111122223333/account-authorization-details.json:7
            B severity medium → high: declared emergency access that machines or a whole account can take
            B machines use it: deploy.yml/deploy
            A its trust names nobody in particular: arn:aws:iam::111122223333:root
            A its trust asks for no second factor
            A its sessions last up to 12 h
          low (medium): IAM user break-glass-admin is not set apart
            IAM user break-glass-admin of account 111122223333 is emergency access by its name, but it was last used 1 day ago; it has no second factor; it has an active key, which asks for no second factor.
            at aws/111122223333/account-authorization-details.json:7
            D severity medium → low: only its name suggests emergency access
            A it was last used 1 day ago
            A it has no second factor
            A it has an active key, which asks for no second factor
        "#);
    }
}
