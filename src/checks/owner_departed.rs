//! Identities of people who have left.

use super::rating::Rating;
use super::subject::{
    capitalised, date, full_name, identity_name, places, power, provider_managed,
};
use super::{Check, CheckContext};
use crate::model::{
    Confidence, Coverage, CoverageStatus, FindingBuilder, Grade, Identity, IdentityKind,
    OwnerSource,
};
use crate::rules::people::Standing;
use crate::rules::posture::CheckMeta;

/// An owner, or a person behind a sign-in, who has left.
pub(super) struct OwnerDeparted;

impl Check for OwnerDeparted {
    fn id(&self) -> &'static str {
        "owner-departed"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        let people = &context.config.people;
        if people.is_empty() {
            return;
        }
        for identity in context.inventory.identities.values() {
            if provider_managed(identity) || identity.kind == IdentityKind::AwsRoot {
                continue;
            }
            let owner = identity
                .owner
                .as_deref()
                .filter(|_| identity.owner_source != OwnerSource::Creator)
                .map(|owner| (owner, people.standing(owner, context.now), "its owner"));
            let own = identity.human.then(|| {
                let name = identity.name.as_str();
                (
                    name,
                    people.standing(name, context.now),
                    "the person it is of",
                )
            });
            for (who, standing, what) in owner.into_iter().chain(own) {
                let gone = matches!(standing, Standing::Left(_) | Standing::Unlisted);
                // Names of sign-ins follow no rule: one that is not on the list says nothing.
                if gone && !(what != "its owner" && standing == Standing::Unlisted) {
                    out.push(finding(context, meta, identity, who, standing, what));
                    break;
                }
            }
        }
    }
}

/// What could not be judged without a list of people.
pub(super) fn not_judged(context: &CheckContext<'_>) -> Option<Coverage> {
    let owned = context
        .inventory
        .identities
        .values()
        .any(|identity| identity.owner.is_some());
    (context.config.people.is_empty() && owned).then(|| {
        Coverage::new(
            "checks",
            "owner-departed",
            CoverageStatus::Absent,
            "no list of people: whether an owner has left could not be judged; give `--people FILE`, or `[[person]]` in the configuration",
        )
    })
}

fn finding(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    identity: &Identity,
    who: &str,
    standing: Standing,
    what: &str,
) -> FindingBuilder {
    let mut rating = Rating::of(meta);
    let how = match standing {
        Standing::Left(Some(at)) => format!("left on {}", date(at)),
        Standing::Left(None) => "has left".to_owned(),
        _ => "is on no list of the people who are here".to_owned(),
    };
    rating.note(Grade::B, format!("{what}, {who}, {how}"));
    if standing == Standing::Unlisted {
        rating.lower(
            Grade::B,
            "the list does not name the owner, it only says that it is complete",
        );
        rating.no_surer(Confidence::Medium);
    }
    let power = power(Some(identity), None);
    rating.raise_for("it", &power);
    let title = format!(
        "{} belongs to somebody who {}",
        capitalised(&identity_name(identity)),
        if standing == Standing::Unlisted {
            "is not on the list of people"
        } else {
            "has left"
        }
    );
    let message = format!(
        "{} of {} {how}. Nobody answers for it, and what {who} could read of it may still be known to them.",
        capitalised(what)
            .replace("Its owner", "The owner")
            .replace("The person it is of", "The person"),
        full_name(identity)
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
        insta::assert_snapshot!(report("owner-departed"), @r#"
        fires-left-and-unlisted
          medium (high): IAM user bob@example.org belongs to somebody who has left
            The person of IAM user bob@example.org of account 111122223333 left on 2026-05-31. Nobody answers for it, and what bob@example.org could read of it may still be known to them.
            at aws/111122223333/account-authorization-details.json:7
            B the person it is of, bob@example.org, left on 2026-05-31
          high (high): IAM user exporter belongs to somebody who has left
            The owner of IAM user exporter of account 111122223333 left on 2026-03-31. Nobody answers for it, and what ann@example.org could read of it may still be known to them.
            at aws/111122223333/account-authorization-details.json:7
            B its owner, ann@example.org, left on 2026-03-31
            A severity medium → high: it is able to escalate or to reach secret stores
          low (medium): IAM role importer belongs to somebody who is not on the list of people
            The owner of IAM role importer of account 111122223333 is on no list of the people who are here. Nobody answers for it, and what eve@example.org could read of it may still be known to them.
            at aws/111122223333/account-authorization-details.json:7
            B its owner, eve@example.org, is on no list of the people who are here
            B severity medium → low: the list does not name the owner, it only says that it is complete
        "#);
    }
}
