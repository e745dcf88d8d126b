//! Access that calls itself temporary and is still there.

use super::naming::{leading_date, words_of};
use super::rating::Rating;
use super::subject::{
    capitalised, date, days, full_name, identity_name, name_only, places, power, provider_managed,
};
use super::{Check, CheckContext};
use crate::model::evidence::days_between;
use crate::model::{Confidence, Environment, FindingBuilder, Grade, Grant, Identity, Severity};
use crate::rules::posture::CheckMeta;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// An identity that names itself temporary and is older than the threshold, or names an end that has passed; a policy
/// that names itself temporary, holds no end, and hangs on an identity older than that.
pub(super) struct TemporaryThatIsnt;

/// What a name or tag says about the end.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Claim {
    /// It ends on a date.
    Ends(Date),
    /// It is temporary, without a date.
    Temporary(String),
}

impl Check for TemporaryThatIsnt {
    fn id(&self) -> &'static str {
        "temporary-that-isnt"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for identity in context.inventory.identities.values() {
            if provider_managed(identity) || name_only(identity) {
                continue;
            }
            out.extend(of_identity(context, meta, identity));
            for grant in context.inventory.grants_of(&identity.grants) {
                out.extend(of_grant(context, meta, identity, grant));
            }
        }
    }
}

fn of_identity(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    identity: &Identity,
) -> Option<FindingBuilder> {
    let mut claims = claims_of_text(meta, identity.environment, "its name", &identity.name);
    if let Some(purpose) = &identity.purpose {
        claims.extend(claims_of_text(
            meta,
            identity.environment,
            "its purpose",
            purpose,
        ));
    }
    for (key, value) in &identity.tags {
        claims.extend(claims_of_tag(meta, key, value));
    }
    let (claim, source) = weightiest(claims)?;
    let mut rating = Rating::of(meta);
    rating.note(Grade::D, source.clone());
    let age = identity.created_at.map(|at| days_between(at, context.now));
    let old = age.filter(|age| *age > context.thresholds.temporary_days);
    let since = match (&claim, old) {
        (Claim::Ends(end), _) if *end < today(context) => {
            rating.at_least(Severity::Medium, Grade::D, "the end it names has passed");
            format!("was to end on {end}")
        }
        (Claim::Temporary(_), Some(age)) => {
            rating.no_surer(Confidence::Medium);
            format!("has existed for {}", days(age))
        }
        _ => return None,
    };
    rate_power(&mut rating, identity);
    let title = format!(
        "{} is temporary no more",
        capitalised(&identity_name(identity))
    );
    let message = format!(
        "{} calls itself temporary ({source}) and {since}; it is {}.",
        capitalised(&full_name(identity)),
        power(Some(identity), None).words
    );
    Some(
        context
            .finding(meta, rating, Some(identity), None)
            .text(title, message)
            .locations(places(identity)),
    )
}

fn of_grant(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    identity: &Identity,
    grant: &Grant,
) -> Option<FindingBuilder> {
    let claims = claims_of_text(meta, identity.environment, "the policy's name", &grant.name);
    let (claim, source) = weightiest(claims)?;
    let dated = grant
        .conditions
        .iter()
        .any(|condition| condition.to_ascii_lowercase().contains("aws:currenttime"));
    let mut rating = Rating::of(meta);
    rating.note(Grade::D, source);
    let since = match claim {
        Claim::Ends(end) if end < today(context) => {
            rating.at_least(Severity::Medium, Grade::D, "the end it names has passed");
            format!("was to end on {end}")
        }
        Claim::Temporary(_) if !dated => {
            let created = identity.created_at?;
            let age = days_between(created, context.now);
            if age <= context.thresholds.temporary_days {
                return None;
            }
            rating.no_surer(Confidence::Medium);
            format!(
                "holds no date at which it ends; its own age is not recorded, its holder is of {}",
                date(created)
            )
        }
        _ => return None,
    };
    rate_power(&mut rating, identity);
    let title = format!(
        "Policy {} of {} is temporary no more",
        grant.name,
        identity_name(identity)
    );
    let message = format!(
        "Policy {} of {} calls itself temporary and {since}.",
        grant.name,
        full_name(identity)
    );
    Some(
        context
            .finding(meta, rating, Some(identity), None)
            .discriminator(format!("{} {}", grant.source.as_str(), grant.native_id))
            .text(title, message)
            .locations(grant.location.clone())
            .locations(places(identity)),
    )
}

fn rate_power(rating: &mut Rating, identity: &Identity) {
    let power = power(Some(identity), None);
    rating.raise_for("the holder", &power);
}

fn today(context: &CheckContext<'_>) -> Date {
    context.now.to_zoned(TimeZone::UTC).date()
}

/// The claim that decides: a date says more than a word, and the earliest date counts.
fn weightiest(claims: Vec<(Claim, String)>) -> Option<(Claim, String)> {
    claims
        .into_iter()
        .min_by_key(|(claim, source)| match claim {
            Claim::Ends(end) => (0, Some(*end), source.clone()),
            Claim::Temporary(_) => (1, None, source.clone()),
        })
}

fn claims_of_text(
    meta: &CheckMeta,
    environment: Environment,
    what: &str,
    text: &str,
) -> Vec<(Claim, String)> {
    let words = words_of(text);
    let mut claims = Vec::new();
    for (at, word) in words.iter().enumerate() {
        if meta.words("ends").contains(word)
            && let Some(end) = words.get(at + 1..).and_then(leading_date)
        {
            claims.push((Claim::Ends(end), format!("{what} says `{word} {end}`")));
        }
        let explained = matches!(environment, Environment::Development | Environment::Staging);
        if meta.words("temporary").contains(word)
            || (meta.words("perhaps").contains(word) && !explained)
        {
            claims.push((
                Claim::Temporary(word.clone()),
                format!("{what} says `{word}`"),
            ));
        }
    }
    claims
}

/// A tag claims an end when its key announces one and its value is a date, is temporary when its key says so and its
/// value does not deny it, and is read as text when its key is one for prose.
fn claims_of_tag(meta: &CheckMeta, key: &str, value: &str) -> Vec<(Claim, String)> {
    let keys = words_of(key);
    let denied = meta
        .words("no")
        .iter()
        .any(|no| no.eq_ignore_ascii_case(value.trim()));
    if keys.iter().any(|word| meta.words("ends").contains(word)) {
        let end = leading_date(&words_of(value));
        return end
            .map(|end| (Claim::Ends(end), format!("its tag {key} says `{end}`")))
            .into_iter()
            .collect();
    }
    if let Some(word) = keys
        .iter()
        .find(|word| meta.words("temporary").contains(word))
    {
        if denied {
            return Vec::new();
        }
        return vec![(
            Claim::Temporary(word.clone()),
            format!("its tag {key} says so"),
        )];
    }
    let prose = keys
        .iter()
        .any(|word| meta.words("prose_tags").contains(word));
    if prose && !denied {
        // In prose `test` is a word like any other.
        let what = format!("its tag {key}");
        return claims_of_text(meta, Environment::Staging, &what, value);
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("temporary-that-isnt"), @r#"
        fires-old
          medium (medium): IAM role tmpMigrationRole is temporary no more
            IAM role tmpMigrationRole of account 111122223333 calls itself temporary (its name says `tmp`) and has existed for 365 days; it is able to escalate or to reach secret stores.
            at aws/111122223333/account-authorization-details.json:7
            D its name says `tmp`
            A severity low → medium: the holder is able to escalate or to reach secret stores
          low (medium): Policy hotfix-s3-write of IAM user steady is temporary no more
            Policy hotfix-s3-write of IAM user steady of account 111122223333 calls itself temporary and holds no date at which it ends; its own age is not recorded, its holder is of 2024-01-01.
            at aws/111122223333/account-authorization-details.json:44, aws/111122223333/account-authorization-details.json:7
            D the policy's name says `hotfix`
          medium (high): IAM user vendor-until-2025-06 is temporary no more
            IAM user vendor-until-2025-06 of account 111122223333 calls itself temporary (its name says `until 2025-06-30`) and was to end on 2025-06-30; it is of unknown privilege.
            at aws/111122223333/account-authorization-details.json:7
            D its name says `until 2025-06-30`
            D severity low → medium: the end it names has passed
          low (medium): IAM user loader is temporary no more
            IAM user loader of account 111122223333 calls itself temporary (its purpose says `temporary`) and has existed for 304 days; it is of unknown privilege.
            at aws/111122223333/account-authorization-details.json:7
            D its purpose says `temporary`
          medium (high): IAM role reports is temporary no more
            IAM role reports of account 111122223333 calls itself temporary (its tag DeleteAfter says `2026-03-31`) and was to end on 2026-03-31; it is able to read or write one resource's data.
            at aws/111122223333/account-authorization-details.json:7
            D its tag DeleteAfter says `2026-03-31`
            D severity low → medium: the end it names has passed
        "#);
    }
}
