//! Credentials that history shows unchanged for longer than they may be.

use super::rating::Rating;
use super::subject::{capitalised, credential_name, date, days, may_be_live, power};
use super::{Check, CheckContext, consumers, routines};
use crate::model::evidence::days_between;
use crate::model::{Consumer, CredentialStatus, FindingBuilder, Grade, RoutineBy, Sighting};
use crate::rules::posture::CheckMeta;

/// A credential that stands unchanged in a current file since longer than the threshold, and of whose age nothing else
/// tells. Where the issuer says when it was made, `long-lived-key` reports.
pub(super) struct NoRotationEvidence;

impl Check for NoRotationEvidence {
    fn id(&self) -> &'static str {
        "no-rotation-evidence"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        let limit = context.thresholds.long_lived_days;
        for credential in context.inventory.credentials.values() {
            if credential.created_at.is_some()
                || credential.expires_at.is_some()
                || !credential.material_seen()
                || !may_be_live(credential, context.now)
            {
                continue;
            }
            let current: Vec<&Sighting> = credential
                .sightings
                .iter()
                .filter(|sighting| sighting.at_head)
                .collect();
            let since = credential
                .sightings
                .iter()
                .filter_map(|sighting| sighting.first_seen)
                .min();
            let (Some(since), false) = (since, current.is_empty()) else {
                continue;
            };
            if days_between(since, context.now) <= limit {
                continue;
            }
            let identity = context.inventory.identity_of(credential);
            let routine = routines::of(context.inventory, credential, identity);
            // What is rotated by a machine is: the value here is one that nobody took out.
            if routine.is_some_and(|routine| routine.by == RoutineBy::Machine) {
                continue;
            }
            let mut rating = Rating::of(meta);
            rating.no_surer(credential.confidence);
            rating.note(
                credential.grade,
                format!("in the history unchanged since {}", date(since)),
            );
            if credential.status == CredentialStatus::Unknown {
                rating.note(credential.grade, "nobody has said whether it still works");
            }
            if let Some(routine) = routine {
                let place = routine.location.display();
                let text = format!(
                    "{place} leaves its rotation to a person (`{}`)",
                    routine.words
                );
                rating.note(Grade::D, text);
            }
            let power = power(identity, Some(credential));
            rating.weigh("the holder", &power);
            let name = capitalised(&credential_name(credential));
            let message = format!(
                "{name} was brought in on {} and still stands there; {} is the limit. No later version of it, \
                 no expiry and no date of issue was seen.",
                date(since),
                days(limit),
            );
            let users: Vec<&Consumer> = Vec::new();
            out.push(
                context
                    .finding(meta, rating, identity, Some(credential))
                    .text(format!("{name} unchanged since {}", date(since)), message)
                    .locations(consumers::all_places(credential, &users)),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("no-rotation-evidence"), @"
        fires-old
          high (high): Stripe secret key sk unchanged since 2025-10-01
            Stripe secret key sk was brought in on 2025-10-01 and still stands there; 90 days is the limit. No later version of it, no expiry and no date of issue was seen.
            at site/deploy.sh:3
            B in the history unchanged since 2025-10-01
            B nobody has said whether it still works
            D severity medium → high: the holder is able to escalate or to reach secret stores
        ");
    }
}
