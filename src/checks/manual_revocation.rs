//! Credentials that end only when a person remembers to end them.

use super::exposure::is_private_key;
use super::rating::Rating;
use super::subject::{capitalised, credential_name, full_name, may_be_live, places, power, words};
use super::{Check, CheckContext, consumers, routines};
use crate::model::{
    Confidence, Consumer, Credential, FindingBuilder, Grade, IdentityKind, Routine, RoutineBy,
};
use crate::rules::config::Pattern;
use crate::rules::posture::CheckMeta;

/// A live credential that does not end by itself and that no machine can end: its issuer has no call for it, or its own text
/// or a runbook of its repository says that a person is to remove it.
pub(super) struct ManualRevocation;

impl Check for ManualRevocation {
    fn id(&self) -> &'static str {
        "manual-revocation"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        let by_hand: Vec<Pattern> = meta
            .words("by_hand")
            .iter()
            .filter_map(|text| Pattern::new(text).ok())
            .collect();
        for credential in context.inventory.credentials.values() {
            let ends =
                credential.expires_at.is_some() || credential.expires_by_nature == Some(true);
            // What is hardly real, and what its product is published with, nobody has to revoke.
            let unsure = credential.confidence == Confidence::Low
                || credential
                    .sightings
                    .iter()
                    .any(|seen| meta.words("published").contains(&seen.rule));
            if ends || unsure || !may_be_live(credential, context.now) {
                continue;
            }
            let kind = by_hand.iter().any(|known| known.matches(&credential.kind))
                || is_private_key(credential);
            let promise = promised(meta, credential);
            let identity = context.inventory.identity_of(credential);
            let routine = routines::of(context.inventory, credential, identity);
            let machine = routine.is_some_and(|routine| routine.by == RoutineBy::Machine);
            let person = routine.filter(|_| !machine);
            if machine || (!kind && promise.is_none() && person.is_none()) {
                continue;
            }
            out.extend(finding(context, meta, credential, promise, person));
        }
    }
}

/// The words beside a credential that leave its end to somebody's memory.
fn promised<'m>(meta: &'m CheckMeta, credential: &Credential) -> Option<&'m str> {
    let said: Vec<String> = credential
        .sightings
        .iter()
        .filter(|seen| seen.at_head)
        .filter_map(|seen| seen.context.as_ref())
        .map(|line| line.to_lowercase())
        .collect();
    let of = |list: &'m str| meta.words(list).iter().map(String::as_str);
    said.iter().find_map(|line| {
        let (_, comment) = of("comments")
            .filter_map(|sign| line.split_once(sign))
            .max_by_key(|(_, comment)| comment.len())?;
        of("promises").find(|promise| comment.contains(promise))
    })
}

fn finding(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    credential: &Credential,
    promise: Option<&str>,
    runbook: Option<&Routine>,
) -> Option<FindingBuilder> {
    let identity = context.inventory.identity_of(credential);
    let users: Vec<&Consumer> = context
        .inventory
        .consumers_of(&credential.consumers)
        .collect();
    let mut at = consumers::all_places(credential, &users);
    at.extend(runbook.map(|runbook| runbook.location.clone()));
    if at.is_empty() {
        at = identity
            .filter(|identity| identity.kind != IdentityKind::AwsAccount)
            .map_or_else(Vec::new, places);
    }
    if at.is_empty() {
        return None;
    }
    let mut rating = Rating::of(meta);
    rating.no_surer(credential.confidence);
    rating.note(credential.grade, credential.confidence_reason.as_str());
    let why = if let Some(promise) = promise {
        rating.note(Grade::D, format!("the line says `{promise}`"));
        format!("a comment beside it says `{promise}`, which nothing enforces")
    } else if let Some(runbook) = runbook {
        let place = runbook.location.display();
        rating.note(Grade::D, format!("{place} says `{}`", runbook.words));
        format!(
            "{place} has a person replace or end it (`{}`)",
            runbook.words
        )
    } else {
        rating.note(
            Grade::C,
            format!(
                "{} is revoked by a person, where it was made or wherever it is accepted",
                words(&credential.kind)
            ),
        );
        "it is ended by hand where it was made, or wherever it is accepted".to_owned()
    };
    let power = power(identity, Some(credential));
    rating.weigh("the holder", &power);
    let name = capitalised(&credential_name(credential));
    let whose = identity.map_or_else(String::new, |i| format!(" of {}", full_name(i)));
    let (who, how) = if runbook.is_some() && promise.is_none() {
        ("nothing ends it but a person", "is revoked by hand")
    } else {
        ("no machine can end it", "can only be revoked by hand")
    };
    let message = format!(
        "{name}{whose} has no end, and {who}: {why}. Access that is taken back when somebody thinks of it \
         is standing access.",
    );
    Some(
        context
            .finding(meta, rating, identity, Some(credential))
            .text(format!("{name} {how}"), message)
            .locations(at),
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("manual-revocation"), @"
        fires-by-hand
          low (high): SSH private key DEPLOY_KEY can only be revoked by hand
            SSH private key DEPLOY_KEY has no end, and no machine can end it: it is ended by hand where it was made, or wherever it is accepted. Access that is taken back when somebody thinks of it is standing access.
            at site/.github/workflows/deploy.yml:20
            A the structure is that of the type
            C SSH private key is revoked by a person, where it was made or wherever it is accepted
          medium (high): Stripe secret key sk can only be revoked by hand
            Stripe secret key sk has no end, and no machine can end it: it is ended by hand where it was made, or wherever it is accepted. Access that is taken back when somebody thinks of it is standing access.
            at site/deploy.sh:4
            A the structure is that of the type
            C Stripe secret key is revoked by a person, where it was made or wherever it is accepted
            D severity low → medium: the holder is able to escalate or to reach secret stores
          low (high): AWS access key AKIA-PROMISED can only be revoked by hand
            AWS access key AKIA-PROMISED has no end, and no machine can end it: a comment beside it says `remove after`, which nothing enforces. Access that is taken back when somebody thinks of it is standing access.
            at site/deploy.sh:5
            A the structure is that of the type
            D the line says `remove after`
        fires-runbook
          low (high): AWS access key AKIA-NAMED is revoked by hand
            AWS access key AKIA-NAMED of IAM user ci-deployer of account 111122223333 has no end, and nothing ends it but a person: site/docs/runbook.md:12 has a person replace or end it (`manually`). Access that is taken back when somebody thinks of it is standing access.
            at site/docs/runbook.md:12
            A the structure is that of the type
            D site/docs/runbook.md:12 says `manually`
          low (high): Npm token NPM is revoked by hand
            Npm token NPM has no end, and nothing ends it but a person: site/README.md:40 has a person replace or end it (`log in to`). Access that is taken back when somebody thinks of it is standing access.
            at site/deploy.sh:5, site/README.md:40
            A the structure is that of the type
            D site/README.md:40 says `log in to`
        ");
    }
}
