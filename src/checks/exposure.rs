//! What the three checks of exposed secret material share: how bad the exposure is, and its story.
//!
//! Severity starts at the check's default and moves with what the holder can do, whether the issuer still accepts the
//! credential, how public the place is and how sure the match is. Material whose state nobody knows counts as live.

use super::CheckContext;
use super::rating::Rating;
use super::subject::{
    capitalised, credential_name, date, full_name, last_use, may_be_live, name_only, plural, power,
    power_evidence,
};
use crate::model::{
    Confidence, Credential, CredentialStatus, FindingBuilder, Identity, Severity, Sighting, Storage,
};
use crate::rules::posture::CheckMeta;

/// Whether the check on private keys speaks for this credential, so that the others are silent.
pub(super) fn is_private_key(credential: &Credential) -> bool {
    credential.kind == "private-key" || credential.kind.ends_with("-private-key")
}

/// Whether any current file holds the material.
pub(super) fn is_current(credential: &Credential) -> bool {
    credential.sightings.iter().any(|sighting| sighting.at_head)
}

/// The finding that `credential` is exposed. Current places come first, each group in the order of places.
pub(super) fn finding(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    credential: &Credential,
    lowered_because: Option<&str>,
) -> FindingBuilder {
    let identity = context.inventory.identity_of(credential);
    let mut rating = Rating::of(meta);
    rate(&mut rating, context, identity, credential);
    if let Some(why) = lowered_because {
        rating.lower(credential.grade, why);
    }

    let mut places: Vec<&Sighting> = credential.sightings.iter().collect();
    // Current before past, dated before undated, earliest first: the first place tells the story.
    places.sort_by(|a, b| {
        let key = |place: &Sighting| (!place.at_head, place.first_seen.is_none(), place.first_seen);
        (key(a), *a).cmp(&(key(b), *b))
    });

    let name = capitalised(&credential_name(credential));
    let title = places.first().map_or_else(String::new, |first| {
        let place = if first.at_head {
            "in a current file of"
        } else {
            "in the history of"
        };
        format!("{name} {place} {}", first.repository)
    });
    let message = format!(
        "{name} {}. {}{}",
        whereabouts(&places),
        holder(context, identity, credential),
        if may_be_live(credential, context.now) && credential.confidence > Confidence::Low {
            " Assume that it is compromised."
        } else {
            ""
        },
    );
    context
        .finding(meta, rating, identity, Some(credential))
        .text(title, message)
        .locations(places.into_iter().map(Sighting::location))
}

fn rate(
    rating: &mut Rating,
    context: &CheckContext<'_>,
    identity: Option<&Identity>,
    credential: &Credential,
) {
    rating.note(credential.grade, credential.confidence_reason.clone());
    if let Some(join) = &credential.join {
        rating.cite(std::slice::from_ref(join));
    }
    rating.cite(power_evidence(identity));

    let power = power(identity, Some(credential));
    match power.tier {
        Some(4..) => rating.raise(power.grade, &format!("the holder is {}", power.words)),
        Some(1) => rating.lower(power.grade, &format!("the holder is {}", power.words)),
        Some(0) => rating.at_most(
            Severity::Low,
            power.grade,
            &format!("the holder is {}", power.words),
        ),
        Some(2 | 3) | None => {}
    }
    let public = credential.storage == Storage::Public
        || credential.sightings.iter().any(|sighting| sighting.public);
    if public {
        rating.raise(credential.grade, "the place is public");
    } else if is_current(credential) && credential.sightings.iter().all(|s| s.commit.is_none()) {
        rating.lower(credential.grade, "no commit that was read holds it");
    }
    if !may_be_live(credential, context.now) {
        rating.at_most(
            Severity::Low,
            credential.grade,
            "the issuer no longer accepts it",
        );
    }
    rating.no_surer(credential.confidence);
    let reason = &credential.confidence_reason;
    match credential.confidence {
        Confidence::High => {}
        Confidence::Medium => {
            let why = format!("medium confidence: {reason}");
            rating.at_most(Severity::High, credential.grade, &why);
        }
        Confidence::Low => {
            let why = format!("low confidence: {reason}");
            rating.at_most(Severity::Low, credential.grade, &why);
        }
    }
}

/// Where it stands, since when, by whom: follows the credential's name.
fn whereabouts(places: &[&Sighting]) -> String {
    let Some(first) = places.first() else {
        return "was seen".to_owned();
    };
    let since = first.first_seen.map(date);
    let until = first.last_seen.map(date);
    let author = first
        .author
        .as_deref()
        .map(|author| author.split('<').next().unwrap_or(author).trim())
        .filter(|author| !author.is_empty());
    let mut when = match (first.at_head, since, until) {
        (true, Some(since), _) => format!("since {since}"),
        (false, Some(since), Some(until)) if until != since => format!("{since} to {until}"),
        (false, Some(since), _) => format!("from {since}"),
        (_, None, _) if first.commit.is_none() => "in no commit that was read".to_owned(),
        (_, None, _) => "undated".to_owned(),
    };
    if let Some(author) = author {
        when = format!("{when}, by {author}");
    }
    let place = if first.at_head {
        format!("stands in {} ({when})", first.location().display())
    } else {
        format!(
            "is in no current file but in the history of {}, in {} ({when})",
            first.repository, first.uri
        )
    };
    match i64::try_from(places.len() - 1) {
        Ok(more) if more > 0 => format!("{place}, and in {} more", plural(more, "place")),
        _ => place,
    }
}

/// Whom it lets in as and whether it works: one sentence or two.
fn holder(
    context: &CheckContext<'_>,
    identity: Option<&Identity>,
    credential: &Credential,
) -> String {
    let belongs = match identity {
        Some(identity) if !name_only(identity) => format!(
            "It lets in as {}, {}",
            full_name(identity),
            power(Some(identity), Some(credential)).words
        ),
        _ => match &credential.account {
            Some(account) => {
                format!(
                    "It belongs to account {account}; no inventory of this scan says to whom there"
                )
            }
            None => "No inventory of this scan says whom it lets in as".to_owned(),
        },
    };
    let expired = credential
        .expires_at
        .filter(|expiry| *expiry <= context.now);
    let state = match (credential.status, expired) {
        (_, Some(expiry)) => format!("it expired on {}", date(expiry)),
        (CredentialStatus::Active, None) => format!(
            "it is active and {}",
            last_use(credential.last_use, context.now)
        ),
        (CredentialStatus::Inactive, None) => "it is inactive".to_owned(),
        (CredentialStatus::Unknown, None) => "nobody has said whether it still works".to_owned(),
    };
    format!("{belongs}; {state}.")
}

#[cfg(test)]
mod tests {
    use super::super::testing::findings;
    use crate::model::{CredentialId, Severity};
    use std::collections::BTreeMap;
    use std::fmt::Write as _;

    const STATES: [&str; 3] = ["inactive", "unknown", "active"];
    const CONFIDENCES: [&str; 3] = ["low", "medium", "high"];

    #[test]
    fn worse_facts_never_lower_the_severity() {
        let mut text = String::from("about = \"every combination\"\n");
        let mut facts: Vec<[usize; 4]> = Vec::new();
        for tier in 0..6 {
            for (state, word) in STATES.iter().enumerate() {
                for (sure, confidence) in CONFIDENCES.iter().enumerate() {
                    for public in [false, true] {
                        let _ = writeln!(
                            text,
                            "[[credential]]\ndefault_tier = {tier}\nstatus = \"{word}\"\nmaterial = true\n\
                             confidence = \"{confidence}\"\nsightings = [{{ public = {public} }}]"
                        );
                        // Whether it works matters as far as the issuer refuses it.
                        facts.push([tier, usize::from(state > 0), sure, usize::from(public)]);
                    }
                }
            }
        }
        let severity: BTreeMap<CredentialId, Severity> = findings("leaked-secret", &text)
            .into_iter()
            .map(|finding| (finding.credential.unwrap(), finding.severity))
            .collect();
        assert_eq!(severity.len(), facts.len());
        let of = |number: usize| severity[&CredentialId::of(&["case", &number.to_string()])];
        for (a, less) in facts.iter().enumerate() {
            for (b, more) in facts.iter().enumerate() {
                if less.iter().zip(more).all(|(less, more)| less <= more) {
                    assert!(of(a) <= of(b), "{less:?} {} {more:?} {}", of(a), of(b));
                }
            }
        }
    }
}
