//! What the three checks of exposed secret material share: how bad the exposure is, and its story.
//!
//! Severity starts at the check's default and moves with what the holder can do, whether the issuer still accepts the
//! credential, how public the place is and how sure the match is. Material whose state nobody knows counts as live.

use super::CheckContext;
use super::rating::Rating;
use super::subject::{
    capitalised, credential_name, date, full_name, last_use, list, may_be_live, name_only, plural,
    power, power_evidence,
};
use crate::model::{
    Confidence, Credential, CredentialStatus, FindingBuilder, Identity, Medium, Reach, Severity,
    Sighting, Storage,
};
use crate::rules::posture::CheckMeta;

/// Whether the check on private keys speaks for this credential, so that the others are silent.
pub(super) fn is_private_key(credential: &Credential) -> bool {
    credential.kind == "private-key" || credential.kind.ends_with("-private-key")
}

/// Whether a place is a state of infrastructure code.
pub(super) fn in_state(sighting: &Sighting) -> bool {
    let uri = sighting
        .uri
        .trim_end_matches(".backup")
        .trim_end_matches(".json");
    uri.ends_with(".tfstate")
}

/// Whether states are the only current files that hold the material.
pub(super) fn only_in_state(credential: &Credential) -> bool {
    let mut current = credential
        .sightings
        .iter()
        .filter(|sighting| sighting.at_head)
        .peekable();
    current.peek().is_some() && current.all(in_state)
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
        "{name} {}. {}{}{}",
        whereabouts(&places),
        past(credential),
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
        let place = match (first.trail.medium, &first.commit) {
            (Medium::CommitMessage, Some(commit)) => {
                format!(
                    "the message of commit {} of {}",
                    short(commit),
                    first.repository
                )
            }
            (Medium::TagMessage, _) => format!(
                "the message of tag {} of {}",
                first.uri.trim_start_matches(".git/tag/"),
                first.repository
            ),
            (Medium::Note, _) => format!("a git note of {}, {}", first.repository, first.uri),
            _ => format!("the history of {}, in {}", first.repository, first.uri),
        };
        format!("is in no current file but in {place} ({when})")
    };
    match i64::try_from(places.len() - 1) {
        Ok(more) if more > 0 => format!("{place}, and in {} more", plural(more, "place")),
        _ => place,
    }
}

/// Which commits brought it in and took it out, and who has them: a sentence and a blank, where git tells.
fn past(credential: &Credential) -> String {
    let Some(trail) = &credential.trail else {
        return String::new();
    };
    let Some(first) = &trail.first_commit else {
        return String::new();
    };
    let mut out = format!("Commit {} brought it in", short(first));
    if let Some(commit) = &trail.removed_in {
        out = format!("{out}, commit {} took it out", short(commit));
        if let Some(at) = trail.removed_at {
            out = format!("{out} on {}", date(at));
        }
    }
    let way = credential
        .sightings
        .iter()
        .filter_map(|seen| seen.trail.reached_by)
        .min();
    match way {
        Some(Reach::Stash) => out.push_str("; only the stash of this clone has it"),
        Some(Reach::Reflog) => out.push_str("; only the reflog of this clone leads to it"),
        Some(Reach::Unreachable) => out.push_str("; nothing leads to it any more"),
        Some(Reach::Branch | Reach::Tag | Reach::Ref) | None => {}
    }
    if !trail.branches.is_empty() {
        let more = (trail.branches_total as usize).saturating_sub(trail.branches.len());
        let mut names = trail.branches.clone();
        names.extend((0..more).map(|_| String::new()));
        out = format!("{out}; the history of {} has it", list(&names));
    }
    if trail.repositories > 1 {
        out = format!("{out}, in {} repositories of this scan", trail.repositories);
    }
    out + ". "
}

/// The beginning of an id, as people write it.
fn short(id: &str) -> String {
    id.chars().take(12).collect()
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
