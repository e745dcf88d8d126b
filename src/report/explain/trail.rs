//! What git tells of a credential and of each of its places, in words.

use super::super::text::plural;
use crate::model::{Credential, CredentialTrail, Medium, Reach, Sighting, Trail};
use jiff::Timestamp;

/// The beginning of an id, as people write it.
fn short(id: &str) -> String {
    id.chars().take(12).collect()
}

/// Fields about the whole credential: name and value.
pub(super) fn fields(
    credential: &Credential,
    when: impl Fn(Timestamp) -> String,
) -> Vec<(&'static str, String)> {
    let Some(trail) = &credential.trail else {
        return Vec::new();
    };
    let mut out = vec![("brought in", introduced(trail, &when))];
    let gone = match (&trail.removed_in, trail.removed_at) {
        _ if trail.at_head => "no: a current file has it".to_owned(),
        (Some(commit), Some(at)) => format!("since {}, by commit {}", when(at), short(commit)),
        (Some(commit), None) => format!("by commit {}", short(commit)),
        (None, _) => "it never was in a file of HEAD".to_owned(),
    };
    out.push(("gone", gone));
    if let Some(last) = &trail.last_commit {
        out.push(("last commit", short(last)));
    }
    if !trail.branches.is_empty() {
        let list = names(&trail.branches, trail.branches_total);
        out.push(("on branches", list));
    }
    out.push((
        "in",
        format!(
            "{}, {}",
            plural(u64::from(trail.sightings), "place", "places"),
            plural(
                u64::from(trail.repositories),
                "repository or clone",
                "repositories and clones"
            ),
        ),
    ));
    out
}

fn introduced(trail: &CredentialTrail, when: &impl Fn(Timestamp) -> String) -> String {
    let commit = trail
        .first_commit
        .as_deref()
        .map_or_else(String::new, short);
    let mut out = format!("commit {commit} of {}", trail.repository);
    if let Some(at) = trail.introduced_at {
        out = format!("{out}, {}", when(at));
    }
    if let Some(author) = &trail.introduced_by {
        out = format!("{out}, by {author}");
    }
    out
}

fn names(list: &[String], total: u32) -> String {
    let more = (total as usize).saturating_sub(list.len());
    let list = list.join(", ");
    if more > 0 {
        format!("{list} and {more} more")
    } else {
        list
    }
}

/// What follows the place of a sighting: what it stands in, whether it is still there, until when, where.
pub(super) fn whereabouts(seen: &Sighting, when: impl Fn(Timestamp) -> String) -> String {
    let trail = &seen.trail;
    let mut out = match trail.medium {
        Medium::File if seen.at_head => ", still there".to_owned(),
        Medium::File | Medium::Blob => ", in history only".to_owned(),
        Medium::CommitMessage => ", in the message of a commit".to_owned(),
        Medium::TagMessage => ", in the message of a tag".to_owned(),
        Medium::Note => ", in a git note".to_owned(),
    };
    if let (Some(commit), false) = (&trail.removed_in, seen.at_head) {
        let at = trail
            .removed_at
            .map_or_else(String::new, |at| format!(" on {}", when(at)));
        out = format!("{out}, removed by commit {}{at}", short(commit));
    }
    if let Some(way) = reached(trail) {
        out = format!("{out}, {way}");
    }
    if !seen.at_head && !trail.branches.is_empty() {
        out = format!("{out}, on {}", names(&trail.branches, trail.branches_total));
    }
    if trail.clones_total > 1 {
        out = format!(
            "{out}, in the clones {}",
            names(&trail.clones, trail.clones_total)
        );
    }
    out
}

fn reached(trail: &Trail) -> Option<&'static str> {
    match trail.reached_by? {
        Reach::Branch | Reach::Tag | Reach::Ref => None,
        Reach::Stash => Some("only in the stash of this clone"),
        Reach::Reflog => Some("only the reflog of this clone leads to it"),
        Reach::Unreachable => Some("nothing leads to it"),
    }
}
