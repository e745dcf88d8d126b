//! Findings about what is known by its place keep their ids when a file is moved or a repository is renamed: a finding that
//! is gone and one that is new, and that differ in nothing but the place, are one.

use super::Past;
use super::namesakes::settle;
use super::repositories::by_content;
use crate::model::{Finding, FindingId};
use crate::store::reach::{Reach, ReachMap};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// What a finding says, its place left out.
type Shape = (String, String, usize);

/// Gives the findings of a run over these inputs the ids they had before their places changed, before anything that people
/// said of those ids is looked up. Returns the ids that are new names of older ones, for the runs to come.
pub fn keep_ids(
    findings: &mut [Finding],
    inputs: &[String],
    past: &Past,
) -> BTreeMap<String, String> {
    let mut taken: BTreeSet<String> = findings
        .iter()
        .map(|finding| finding.id.to_string())
        .collect();
    let mut aliases = settled(findings, inputs, &mut taken, past);
    let fresh: Vec<usize> = findings
        .iter()
        .enumerate()
        .filter(|(_, finding)| !past.findings.contains_key(finding.id.as_str()))
        .map(|(at, _)| at)
        .collect();
    if fresh.is_empty() {
        return aliases;
    }
    let gone: Vec<(String, Finding)> = past
        .findings
        .iter()
        .filter(|(id, known)| known.standing && !taken.contains(*id))
        .filter_map(|(id, known)| Some((id.clone(), serde_json::from_str(&known.told).ok()?)))
        .collect();
    let moved = moved(findings, inputs, &fresh, &gone, past);
    for (at, id) in moved {
        if let Some(finding) = findings.get_mut(at) {
            aliases.insert(finding.id.to_string(), id.clone());
            rename(finding, &id);
        }
    }
    aliases
}

/// Gives findings the ids that earlier runs gave them, and those of repositories that took over the name of another one
/// ids of their own. Returns what no run before knew of that.
fn settled(
    findings: &mut [Finding],
    inputs: &[String],
    taken: &mut BTreeSet<String>,
    past: &Past,
) -> BTreeMap<String, String> {
    let own: Vec<String> = findings.iter().map(|one| one.id.to_string()).collect();
    let places: BTreeMap<&str, &Finding> = own
        .iter()
        .zip(findings.iter())
        .map(|(id, one)| (id.as_str(), one))
        .collect();
    let told =
        |id: &str| -> Option<Finding> { serde_json::from_str(&past.findings.get(id)?.told).ok() };
    let moved = |id: &str, known: &str| {
        let (Some(one), Some(newcomer)) = (places.get(id), places.get(known)) else {
            return false;
        };
        told(known).is_some_and(|last| {
            let file = |it: &Finding| it.locations.first().map(|place| place.uri.clone());
            let at = |it: &Finding| home(it) == home(&last) && file(it) == file(&last);
            at(one) && !at(newcomer)
        })
    };
    let known: BTreeMap<String, String> = own
        .iter()
        .filter_map(|id| Some((id.clone(), past.aliases.get(id)?.clone())))
        .filter(|(_, known)| past.findings.contains_key(known))
        .collect();
    let ids: Vec<&str> = own.iter().map(String::as_str).collect();
    let mut settled = settle(&ids, taken, &known, moved);
    let left: BTreeSet<&str> = past
        .renamed
        .values()
        .map(String::as_str)
        .filter(|old| inputs.iter().any(|input| input == old))
        .collect();
    for (id, one) in places.iter().filter(|(_, one)| left.contains(home(one))) {
        let known = settled.ids.get(*id).map_or(*id, String::as_str).to_owned();
        if told(&known).is_some_and(|last| home(&last) == home(one)) {
            taken.remove(&known);
            settled.part(id, taken);
        }
    }
    drop(places);
    for (id, finding) in own.iter().zip(findings) {
        if let Some(known) = settled.ids.get(id) {
            rename(finding, known);
        }
    }
    settled.fresh
}

fn rename(finding: &mut Finding, id: &str) {
    if let Ok(id) = serde_json::from_value::<FindingId>(serde_json::Value::from(id)) {
        finding.id = id;
    }
}

/// What identities reached, said with the names that repositories have now: a name is no reach.
pub(super) fn reach<'a>(
    before: &'a ReachMap,
    names: &BTreeMap<String, String>,
) -> Cow<'a, ReachMap> {
    if names.is_empty() {
        return Cow::Borrowed(before);
    }
    // The name of a repository may begin with that of a folder which is one of the inputs itself.
    let mut names: Vec<(&String, &String)> = names.iter().collect();
    names.sort_by_key(|(_, old)| std::cmp::Reverse(old.len()));
    let now = |line: &String| {
        let mut said = names.iter().map(|(new, old)| without(line, old, new));
        said.find(|said| said != line)
            .unwrap_or_else(|| line.clone())
    };
    let renamed = before.iter().map(|(id, reach)| {
        let lines = reach.lines.iter().map(now).collect();
        let name = reach.name.clone();
        (id.clone(), Reach { name, lines })
    });
    Cow::Owned(renamed.collect())
}

/// The repository of a finding's primary place.
fn home(finding: &Finding) -> &str {
    let place = finding.locations.first();
    place
        .and_then(|place| place.repository.as_deref())
        .unwrap_or_default()
}

/// The finding without its repository, and with `path` without its path.
fn shape(finding: &Finding, path: bool) -> Shape {
    let mut title = finding.title.clone();
    if let Some(place) = finding.locations.first() {
        if path && !place.uri.is_empty() {
            title = without(&title, &place.uri, "\u{2}");
        }
        if let Some(repository) = place.repository.as_deref().filter(|name| !name.is_empty()) {
            title = without(&title, repository, "\u{1}");
        }
    }
    let place = finding.locations.first();
    let kept = if path {
        String::new()
    } else {
        place.map_or_else(String::new, |place| place.uri.clone())
    };
    (
        finding.rule.clone(),
        format!("{title}\n{kept}"),
        finding.locations.len(),
    )
}

/// A text with a sign in the place of a name, where it stands for itself and is not part of another word.
pub(super) fn without(text: &str, name: &str, sign: &str) -> String {
    let part = |next: Option<char>| {
        next.is_some_and(|next| next.is_alphanumeric() || matches!(next, '_' | '-' | '.'))
    };
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (at, found) in text.match_indices(name) {
        let end = at + found.len();
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text.get(end..).and_then(|text| text.chars().next());
        if part(before) || part(after) {
            continue;
        }
        out.push_str(text.get(from..at).unwrap_or_default());
        out.push_str(sign);
        from = end;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

/// Positions of new findings with the ids of what they were. A pair is one only where nothing else could be meant.
fn moved(
    findings: &[Finding],
    inputs: &[String],
    fresh: &[usize],
    gone: &[(String, Finding)],
    past: &Past,
) -> Vec<(usize, String)> {
    let inputs: BTreeSet<&str> = inputs.iter().map(String::as_str).collect();
    let known: BTreeSet<&str> = past.homes.iter().map(String::as_str).collect();
    let new = |at: &usize| findings.get(*at);
    let mut out = Vec::new();
    // Files that moved within a repository.
    let own: Vec<(usize, &Finding)> = fresh
        .iter()
        .filter_map(|at| Some((*at, new(at)?)))
        .collect();
    let left: BTreeSet<&str> = past.renamed.values().map(String::as_str).collect();
    let within =
        (own.iter()).filter(|(_, one)| known.contains(home(one)) && !left.contains(home(one)));
    pairs(
        within.map(|(at, one)| ((home(one), shape(one, true)), *at)),
        gone.iter()
            .filter(|(_, one)| inputs.contains(home(one)) && !left.contains(home(one)))
            .map(|(id, one)| ((home(one), shape(one, true)), id)),
        &mut out,
    );
    // Repositories that are no longer there, and those that were not there before.
    let appeared: Vec<&(usize, &Finding)> = own
        .iter()
        .filter(|(_, one)| !known.contains(home(one)) && !home(one).is_empty())
        .collect();
    let vanished: Vec<&(String, Finding)> = gone
        .iter()
        .filter(|(_, one)| !inputs.contains(home(one)) || left.contains(home(one)))
        .filter(|(_, one)| !home(one).is_empty())
        .collect();
    let mut names = past.renamed.clone();
    by_content(
        vanished
            .iter()
            .map(|(_, one)| (shape(one, false), home(one))),
        appeared
            .iter()
            .map(|(_, one)| (shape(one, false), home(one))),
        &mut names,
    );
    let of: BTreeMap<&str, &str> = names
        .iter()
        .map(|(new, old)| (old.as_str(), new.as_str()))
        .collect();
    pairs(
        (appeared
            .iter()
            .filter(|(_, one)| names.contains_key(home(one))))
        .map(|(at, one)| ((home(one), shape(one, false)), *at)),
        vanished
            .iter()
            .filter_map(|(id, one)| Some(((*of.get(home(one))?, shape(one, false)), id))),
        &mut out,
    );
    out
}

/// Pairs that one key has one of on each side.
pub(super) fn pairs<'a, K: Ord>(
    new: impl Iterator<Item = (K, usize)>,
    old: impl Iterator<Item = (K, &'a String)>,
    out: &mut Vec<(usize, String)>,
) {
    let mut by_key: BTreeMap<K, (Vec<usize>, Vec<&String>)> = BTreeMap::new();
    for (key, at) in new {
        by_key.entry(key).or_default().0.push(at);
    }
    for (key, id) in old {
        by_key.entry(key).or_default().1.push(id);
    }
    for (new, old) in by_key.into_values() {
        if let ([at], [id]) = (new.as_slice(), old.as_slice()) {
            out.push((*at, (*id).clone()));
        }
    }
}
