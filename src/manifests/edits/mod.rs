//! Changes of pipelines: how a job gets access without a stored secret.
//!
//! What is known of mechanisms and their inputs stands in `rules/manifests/pipeline-edits.toml`. A change touches whole
//! lines of block-style YAML and nothing else; where that is not enough, it says what is left to do, or why there is none.

mod change;
mod github;
mod own_token;
mod profile;
mod script;
#[cfg(test)]
mod tests;

use super::context::Context;
use super::node::{Key, Node};
use crate::model::{ConsumerId, PipelineEdit};
use change::{Change, Diff, decoded};
use std::collections::BTreeSet;

pub(super) use github::workflow;
pub(super) use own_token::own_tokens;
pub(super) use profile::profiles;
pub(super) use script::{System, pipeline};

/// Most jobs of one file that changes are made for.
const MAX_JOBS: usize = 200;

/// Lines after the first that a key in a file may go on for.
const KEY_LINES: u32 = 150;

/// Takes back the patches that would show a secret: those with one of these lines among theirs. The flag is for secrets that
/// go over many lines.
pub fn withhold(edits: &mut [PipelineEdit], secrets: &[(u32, bool)]) {
    for edit in edits {
        let shown = edit.patch.as_deref().is_some_and(|patch| {
            patch.lines().filter_map(old_lines).any(|(from, to)| {
                secrets.iter().any(|&(line, long)| {
                    line <= to && line + if long { KEY_LINES } else { 0 } >= from
                })
            })
        });
        if shown {
            edit.patch = None;
            edit.notes = vec![change::NoDiff::Secret.as_str().to_owned()];
        }
    }
}

/// First and last old line of a hunk, from its header.
fn old_lines(header: &str) -> Option<(u32, u32)> {
    let (from, rest) = header.strip_prefix("@@ -")?.split_once(',')?;
    let (from, count): (u32, u32) = (from.parse().ok()?, rest.split(' ').next()?.parse().ok()?);
    Some((from, from + count.saturating_sub(1)))
}

/// What one job needs.
struct Wanted<'t> {
    consumer: ConsumerId,
    change: Change<'t>,
    /// Secrets that it no longer names.
    secrets: BTreeSet<String>,
    notes: Vec<String>,
    /// Why there is no change.
    refused: Option<String>,
}

impl<'t> Wanted<'t> {
    fn new(context: &Context<'t>, consumer: ConsumerId) -> Self {
        Self {
            consumer,
            change: Change::new(context.text.as_str()),
            secrets: BTreeSet::new(),
            notes: Vec::new(),
            refused: None,
        }
    }

    fn refuse(&mut self, why: &str) {
        self.refused.get_or_insert_with(|| why.to_owned());
    }

    fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }

    /// Lines that go so far.
    fn change_count(&self) -> usize {
        self.change.gone()
    }

    /// Takes a line away, and remembers which secrets it named.
    fn drop_line(&mut self, number: usize) {
        self.secrets.extend(named(self.change.line(number)));
        self.change.remove(number);
    }
}

/// Names of secrets and variables that a line takes.
fn named(line: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        text.chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect()
    };
    let mut names: Vec<String> = line
        .match_indices("secrets.")
        .map(|(at, found)| word(line.get(at + found.len()..).unwrap_or_default()))
        .collect();
    names.extend(line.match_indices('$').map(|(at, _)| {
        let rest = line.get(at + 1..).unwrap_or_default();
        // Azure writes a variable as a shell writes a command.
        let macro_of = rest.strip_prefix('(').filter(|rest| {
            let after = rest.get(word(rest).len()..);
            after.is_some_and(|after| after.starts_with(')'))
        });
        word(macro_of.or_else(|| rest.strip_prefix('{')).unwrap_or(rest))
    }));
    names.retain(|name| !name.is_empty());
    names
}

/// Whether a change may be made under these lines: each of a mapping's entries on a line of its own.
fn own_line(change: &Change<'_>, key: &Key) -> bool {
    let line = change.line(key.line as usize);
    let text = line.trim_start();
    text.trim_start_matches(['"', '\'']).starts_with(&key.text) && !key.text.is_empty()
}

/// The value ends on the line of its key.
fn one_line(context: &Context<'_>, key: &Key, value: &Node) -> bool {
    if value.as_str().is_none() {
        return false;
    }
    let (from, to) = value.span;
    let source = context.text.slice(from, to);
    key.line == value.line && !source.trim_end().contains('\n') && !source.starts_with(['|', '>'])
}

/// Spaces before the text of a line.
fn indent(line: &str) -> &str {
    let text = line.trim_start_matches(' ');
    line.get(..line.len() - text.len()).unwrap_or_default()
}

/// Last line that belongs to what begins at a line: all that is indented deeper, without blank lines and comments behind it.
fn block_end(change: &Change<'_>, start: usize) -> usize {
    let depth = indent(change.line(start)).len();
    let mut end = start;
    for number in start + 1..=change.len() {
        let line = change.line(number);
        let text = line.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if indent(line).len() <= depth {
            break;
        }
        end = number;
    }
    end
}

/// Takes entries of a mapping away, and the mapping's own key with the last of them. Returns the first line that goes.
fn drop_entries(
    context: &Context<'_>,
    wanted: &mut Wanted<'_>,
    (owner, mapping): (&Key, &Node),
    goes: impl Fn(&str, &Node) -> bool,
    keeps_key: bool,
) -> Option<usize> {
    let hits: Vec<(&Key, &Node)> = mapping
        .entries()
        .filter(|(key, value)| goes(&key.text, value))
        .collect();
    if hits.is_empty() {
        return None;
    }
    let alone = hits.iter().all(|(key, value)| {
        key.line != owner.line && own_line(&wanted.change, key) && one_line(context, key, value)
    });
    if !alone {
        wanted.refuse("the secrets are not written on lines of their own: change the file by hand");
        return None;
    }
    if hits.len() == mapping.entries().count() && !keeps_key {
        let (start, end) = (
            owner.line as usize,
            block_end(&wanted.change, owner.line as usize),
        );
        // Comments between go with what they speak of.
        for number in start..=end {
            wanted.drop_line(number);
        }
    }
    let first = hits.iter().map(|(key, _)| key.line as usize).min();
    for (key, _) in hits {
        wanted.drop_line(key.line as usize);
    }
    first
}

/// Takes commands away that store a key, from the lines of a script.
fn drop_commands(wanted: &mut Wanted<'_>, (from, to): (usize, usize), commands: &[String]) -> bool {
    let mut any = false;
    for number in from..=to {
        let line = wanted.change.line(number);
        if !commands
            .iter()
            .any(|command| line.contains(command.as_str()))
        {
            continue;
        }
        // What a command gives is no stored key: a role that is assumed on the way, as often as not.
        if line.contains("$(") || line.contains('`') {
            wanted.note(format!(
                "line {number} takes a key from a command: see whether it is still needed"
            ));
            continue;
        }
        let before = wanted.change.line(number.saturating_sub(1));
        if line.trim_end().ends_with('\\') || before.trim_end().ends_with('\\') {
            wanted.refuse(
                "a command that stores the key goes over several lines: change the file by hand",
            );
            return any;
        }
        wanted.drop_line(number);
        any = true;
    }
    any
}

/// Jobs that give up the same secrets: these, the change for all of them, who they are, and what there is to know.
type Group<'t> = (BTreeSet<String>, Change<'t>, Vec<ConsumerId>, Vec<String>);

/// The edits of one file for one mechanism: one change for all jobs that give up the same secrets.
fn finish(context: &Context<'_>, mechanism: &str, wanted: Vec<Wanted<'_>>) -> Vec<PipelineEdit> {
    let path = decoded(context.uri);
    let mut edits = Vec::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    let edit = |consumer: ConsumerId, diff: Option<&Diff>, notes: Vec<String>| PipelineEdit {
        consumer,
        mechanism: mechanism.to_owned(),
        repository: context.repository.to_owned(),
        path: path.clone(),
        from: diff.map_or(0, |diff| super::text::saturate(diff.from)),
        to: diff.map_or(0, |diff| super::text::saturate(diff.to)),
        patch: diff.map(|diff| diff.text.clone()),
        notes,
    };
    for one in wanted {
        if let Some(why) = one.refused {
            edits.push(edit(one.consumer, None, vec![why]));
            continue;
        }
        if one.change.is_empty() {
            continue;
        }
        match groups.iter_mut().find(|group| group.0 == one.secrets) {
            Some(group) => {
                group.1.join(one.change);
                group.2.push(one.consumer);
                for note in one.notes {
                    if !group.3.contains(&note) {
                        group.3.push(note);
                    }
                }
            }
            None => groups.push((one.secrets, one.change, vec![one.consumer], one.notes)),
        }
    }
    for (_, change, consumers, notes) in groups {
        match change.diff(&path) {
            Ok(diff) => edits.extend(
                consumers
                    .into_iter()
                    .map(|consumer| edit(consumer, Some(&diff), notes.clone())),
            ),
            Err(why) => edits.extend(
                consumers
                    .into_iter()
                    .map(|consumer| edit(consumer, None, vec![why.as_str().to_owned()])),
            ),
        }
    }
    edits
}
