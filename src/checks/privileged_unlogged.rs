//! Administrators whose actions nobody records.

use super::rating::Rating;
use super::subject::{
    capitalised, full_name, identity_name, list, places, power, provider_managed,
};
use super::{Check, CheckContext};
use crate::model::aws::AwsTrail;
use crate::model::{FindingBuilder, Grade, Identity};
use crate::rules::posture::CheckMeta;

/// A privileged identity in an account whose trails do not record what it can do.
pub(super) struct PrivilegedUnlogged;

/// What is wrong with the records.
struct Gap {
    text: String,
    /// Only some regions or events are left out.
    part: bool,
    grade: Grade,
}

impl Check for PrivilegedUnlogged {
    fn id(&self) -> &'static str {
        "privileged-unlogged"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for identity in context.inventory.identities.values() {
            let power = power(Some(identity), None);
            if provider_managed(identity) || power.tier < Some(4) || power.grade == Grade::D {
                continue;
            }
            let names = [
                identity.native_id.as_str(),
                identity.name.as_str(),
                identity.id.as_str(),
            ];
            let gap = match context.config.annotated(&names, |note| note.logged) {
                Some(true) => None,
                Some(false) => Some(Gap {
                    text: "the configuration says that its use is not logged".to_owned(),
                    part: false,
                    grade: Grade::B,
                }),
                None => identity
                    .account
                    .as_ref()
                    .and_then(|account| context.inventory.trails.get(account))
                    .and_then(|trails| gap(trails)),
            };
            if let Some(gap) = gap {
                out.push(finding(context, meta, identity, &gap));
            }
        }
    }
}

/// What the trails of an account leave out of management events; `None` where they record all, or it is not known.
fn gap(trails: &[AwsTrail]) -> Option<Gap> {
    let whole = |text: String| {
        Some(Gap {
            text,
            part: false,
            grade: Grade::A,
        })
    };
    let part = |text: String| {
        Some(Gap {
            text,
            part: true,
            grade: Grade::A,
        })
    };
    if trails.is_empty() {
        return whole("the account has no trail".to_owned());
    }
    let names = |trails: &[&AwsTrail]| {
        let names: Vec<&str> = trails
            .iter()
            .map(|trail| trail.arn.rsplit('/').next().unwrap_or(&trail.arn))
            .collect();
        list(&names)
    };
    let all: Vec<&AwsTrail> = trails.iter().collect();
    let on: Vec<&AwsTrail> = trails
        .iter()
        .filter(|trail| trail.logging != Some(false))
        .collect();
    if on.is_empty() {
        return whole(format!(
            "no trail of the account records: {} stopped",
            names(&all)
        ));
    }
    // What a trail records is taken as everything where its selectors were not delivered.
    let records = |trail: &AwsTrail, test: fn(&crate::model::aws::AwsTrailEvents) -> bool| {
        trail.management.as_ref().is_none_or(test)
    };
    let writes: Vec<&AwsTrail> = on
        .iter()
        .copied()
        .filter(|trail| records(trail, |events| events.write))
        .collect();
    if writes.is_empty() {
        return whole(format!(
            "no trail records management events that write: {}",
            names(&on)
        ));
    }
    if !writes.iter().any(|trail| trail.multi_region) {
        let mut regions: Vec<&str> = writes
            .iter()
            .filter_map(|trail| trail.home_region.as_deref())
            .collect();
        regions.sort_unstable();
        regions.dedup();
        return part(format!("trails record only {}", list(&regions)));
    }
    let wide: Vec<&AwsTrail> = writes
        .into_iter()
        .filter(|trail| trail.multi_region)
        .collect();
    if !wide
        .iter()
        .any(|trail| records(trail, |events| events.read))
    {
        return part(format!(
            "no trail of all regions records management events that read, such as the reading of secrets: {}",
            names(&wide)
        ));
    }
    None
}

fn finding(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    identity: &Identity,
    gap: &Gap,
) -> FindingBuilder {
    let mut rating = Rating::of(meta);
    rating.note(gap.grade, gap.text.clone());
    let power = power(Some(identity), None);
    if power.tier >= Some(5) {
        rating.raise(power.grade, &format!("it is {}", power.words));
    }
    if gap.part {
        rating.lower(
            gap.grade,
            "only part of the regions or of the events is left out",
        );
    }
    let title = format!(
        "What {} does is not recorded{}",
        identity_name(identity),
        if gap.part { " everywhere" } else { "" }
    );
    let message = format!(
        "{} is {}, and {}. What it does cannot be reviewed.",
        capitalised(&full_name(identity)),
        power.words,
        gap.text
    );
    context
        .finding(meta, rating, Some(identity), None)
        .text(title, message)
        .locations(places(identity))
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;
    use super::*;
    use crate::model::aws::AwsTrailEvents;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("privileged-unlogged"), @r#"
        fires-no-record
          low (high): What IAM role regional does is not recorded everywhere
            IAM role regional of account 444455556666 is able to escalate or to reach secret stores, and trails record only eu-west-1. What it does cannot be reviewed.
            at aws/111122223333/account-authorization-details.json:7
            A trails record only eu-west-1
            A severity medium → low: only part of the regions or of the events is left out
          medium (high): What IAM role silent does is not recorded
            IAM role silent of account 777788889999 is able to escalate or to reach secret stores, and the configuration says that its use is not logged. What it does cannot be reviewed.
            at aws/111122223333/account-authorization-details.json:7
            B the configuration says that its use is not logged
          high (high): What IAM user admin does is not recorded
            IAM user admin of account 111122223333 is an administrator, and no trail of the account records: main stopped. What it does cannot be reviewed.
            at aws/111122223333/account-authorization-details.json:7
            A no trail of the account records: main stopped
            A severity medium → high: it is an administrator
        "#);
    }

    #[test]
    fn what_trails_leave_out() {
        let trail = |logging, multi_region, management| AwsTrail {
            arn: "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main".into(),
            home_region: Some("eu-west-1".into()),
            multi_region,
            organization: false,
            logging,
            management,
        };
        let events = |read, write| {
            Some(AwsTrailEvents {
                read,
                write,
                partial: false,
            })
        };
        let said = |trails: &[AwsTrail]| gap(trails).map(|gap| (gap.part, gap.text));
        assert!(said(&[]).is_some_and(|(part, _)| !part));
        assert!(said(&[trail(Some(false), true, None)]).is_some_and(|(part, _)| !part));
        assert!(
            said(&[trail(Some(true), true, events(true, false))]).is_some_and(|(part, _)| !part)
        );
        assert!(
            said(&[trail(Some(true), false, events(true, true))]).is_some_and(|(part, _)| part)
        );
        assert!(
            said(&[trail(Some(true), true, events(false, true))]).is_some_and(|(part, _)| part)
        );
        assert_eq!(said(&[trail(Some(true), true, events(true, true))]), None);
        // Not told is not missing.
        assert_eq!(said(&[trail(None, true, None)]), None);
        let two = [
            trail(Some(false), true, None),
            trail(Some(true), true, events(true, true)),
        ];
        assert_eq!(said(&two), None);
    }
}
