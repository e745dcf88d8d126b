//! What the configuration says of nothing that was seen, or no longer, or not yet: told, so that nobody relies on it.

use crate::model::evidence::days_between;
use crate::model::{Coverage, CoverageStatus, Inventory};
use crate::rules::config::{Annotation, Config};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

/// Where these are told in the coverage.
const SOURCE: &str = "configuration";

/// One entry for each.
pub(super) fn of_nothing(
    config: &Config,
    inventory: &Inventory,
    inputs: &[String],
    most_days: i64,
    now: Timestamp,
) -> Vec<Coverage> {
    let mut out = Vec::new();
    if config.identities.is_empty() && config.repositories.is_empty() && config.account.is_empty() {
        return out;
    }
    let mut note = |unit: String, reason: String| {
        out.push(Coverage::new(SOURCE, &unit, CoverageStatus::Noted, &reason));
    };
    let mut names: BTreeSet<&str> = BTreeSet::new();
    let mut accounts: BTreeSet<&str> = BTreeSet::new();
    for identity in inventory.identities.values() {
        names.extend([
            identity.native_id.as_str(),
            identity.name.as_str(),
            identity.id.as_str(),
        ]);
        accounts.extend(identity.account.as_deref());
        accounts.extend(
            identity
                .trust
                .iter()
                .map(|path| account_of(&path.principal)),
        );
    }
    for credential in inventory.credentials.values() {
        names.insert(credential.id.as_str());
        names.extend(credential.public_id.as_deref());
        names.extend(credential.reference.as_deref());
        accounts.extend(credential.account.as_deref());
    }
    for said in &config.identities {
        let unit = format!("[[identity]] match = \"{}\"", said.matches.as_str());
        if !names.iter().any(|name| said.matches.fits_name(name)) {
            note(
                unit.clone(),
                "it fits no identity and no credential that was seen, so it says nothing"
                    .to_owned(),
            );
        }
        for reason in dated(said, most_days, now) {
            note(unit.clone(), reason);
        }
    }
    let repositories: BTreeSet<&str> = inputs
        .iter()
        .map(String::as_str)
        .chain(inventory.credentials.values().flat_map(|credential| {
            credential
                .sightings
                .iter()
                .map(|seen| seen.repository.as_str())
        }))
        .collect();
    for said in &config.repositories {
        if !repositories.iter().any(|name| said.matches.fits_name(name)) {
            note(
                format!("[[repository]] match = \"{}\"", said.matches.as_str()),
                "it fits no repository that was scanned, so it says nothing".to_owned(),
            );
        }
    }
    for (id, said) in &config.account {
        // That an account is one's own is said before anything of it is seen.
        if !said.own && !accounts.contains(id.as_str()) {
            note(
                format!("[account.{id}]"),
                "nothing that was seen belongs to this account or is trusted by it".to_owned(),
            );
        }
    }
    out
}

/// The account a principal is of, where its name says so.
fn account_of(principal: &str) -> &str {
    principal.split(':').nth(4).unwrap_or(principal)
}

/// Dates that have passed, lie too far ahead, or have not come.
fn dated(said: &Annotation, most_days: i64, now: Timestamp) -> Vec<String> {
    let ahead = |date: Date| {
        let at = date.to_zoned(TimeZone::UTC).ok()?.timestamp();
        Some((at > now, days_between(now, at)))
    };
    let mut out = Vec::new();
    if let Some(date) = said.exception_expires
        && let Some((later, days)) = ahead(date)
    {
        if !later {
            out.push(format!(
                "its exception ran out on {date}: what it accepted is judged like anything else"
            ));
        } else if days > most_days {
            out.push(format!(
                "its exception runs until {date}, more than {most_days} d ahead, and does not count; \
                 thresholds.exception_most_days is the limit"
            ));
        }
    }
    if let Some(date) = said.revoked
        && ahead(date).is_some_and(|(later, _)| later)
    {
        out.push(format!(
            "`revoked = {date}` lies ahead: nothing counts as revoked before that day"
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Grade, Identity, IdentityKind};

    #[test]
    fn what_fits_nothing_or_has_run_out_is_told() {
        let config = Config::parse(
            r#"
            [[identity]]
            match = "site-web/*.yml/deploy"
            purpose = "deploys"
            [[identity]]
            match = "*user/gone"
            owner = "x"
            exception_expires = 2025-01-01
            revoked = 2030-01-01
            [[identity]]
            match = "arn:aws:iam::111122223333:*"
            exception_owner = "x"
            exception_expires = 2099-01-01
            [[repository]]
            match = "site-*"
            public = false
            [[repository]]
            match = "shop-*"
            public = false
            [account.111122223333]
            environment = "production"
            [account.222233334444]
            environment = "production"
            [account.333344445555]
            own = true
            "#,
        )
        .unwrap();
        let mut inventory = Inventory::default();
        for (provider, kind, name, native) in [
            (
                "github",
                IdentityKind::CiJob,
                "d.yml/deploy",
                "src/site-web/d.yml/deploy",
            ),
            (
                "aws",
                IdentityKind::IamUser,
                "bot",
                "arn:aws:iam::111122223333:user/bot",
            ),
        ] {
            let mut identity = Identity::named(provider, kind, name, native, Grade::A);
            identity.account = Some("111122223333".to_owned());
            inventory.identities.insert(identity.id.clone(), identity);
        }
        let told: Vec<String> = of_nothing(
            &config,
            &inventory,
            &["src/site-web".to_owned()],
            366,
            "2026-11-22T00:00:00Z".parse().unwrap(),
        )
        .into_iter()
        .map(|entry| format!("{}: {}", entry.unit, entry.reason))
        .collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        [[identity]] match = "*user/gone": it fits no identity and no credential that was seen, so it says nothing
        [[identity]] match = "*user/gone": its exception ran out on 2025-01-01: what it accepted is judged like anything else
        [[identity]] match = "*user/gone": `revoked = 2030-01-01` lies ahead: nothing counts as revoked before that day
        [[identity]] match = "arn:aws:iam::111122223333:*": its exception runs until 2099-01-01, more than 366 d ahead, and does not count; thresholds.exception_most_days is the limit
        [[repository]] match = "shop-*": it fits no repository that was scanned, so it says nothing
        [account.222233334444]: nothing that was seen belongs to this account or is trusted by it
        "#);
    }
}
