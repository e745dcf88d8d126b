//! Jobs whose agents hold a profile that signs with a certificate: Jenkins and Azure Pipelines. The profile's name comes in
//! place of the key's variables.

use super::super::context::Context;
use super::{MAX_JOBS, Wanted, finish, indent};
use crate::model::{Consumer, Declarations};
use crate::rules::edits::ProfileEdit;

/// Adds what can be changed in a pipeline to what it declares.
pub(in super::super) fn profiles(context: &Context<'_>, runtime: &str, out: &mut Declarations) {
    let rules = context.tables.edits.profile.iter();
    for rule in rules.filter(|rule| rule.system == runtime) {
        let mut starts: Vec<usize> = out.consumers.iter().filter_map(line).collect();
        starts.sort_unstable();
        let users: Vec<&Consumer> = out
            .consumers
            .iter()
            .filter(|consumer| consumer.runtime == runtime)
            .take(MAX_JOBS)
            .collect();
        let wanted = users
            .iter()
            .map(|consumer| {
                // One job has the whole file; of several each has the lines up to the next.
                let from = line(consumer).filter(|_| users.len() > 1).unwrap_or(1);
                let to = starts.iter().find(|start| **start > from);
                let to = to
                    .filter(|_| users.len() > 1)
                    .map_or(usize::MAX, |to| to - 1);
                one(context, rule, consumer, (from, to))
            })
            .collect();
        out.edits.extend(finish(context, &rule.mechanism, wanted));
    }
}

fn line(consumer: &Consumer) -> Option<usize> {
    Some(consumer.location.as_ref()?.line? as usize)
}

fn one<'t>(
    context: &Context<'t>,
    rule: &ProfileEdit,
    consumer: &Consumer,
    (from, to): (usize, usize),
) -> Wanted<'t> {
    let mut wanted = Wanted::new(context, consumer.id.clone());
    let mut before: Option<usize> = None;
    for number in from..=to.min(wanted.change.len()) {
        let text = wanted.change.line(number);
        let Some(name) = assigned(text, rule.sign) else {
            continue;
        };
        if !rule.env.iter().any(|known| known == name) {
            continue;
        }
        if text.trim_end().ends_with(['\\', '|', '>', '(', ',']) {
            wanted.refuse("a variable of the key goes over several lines: change the file by hand");
            return wanted;
        }
        // The profile comes once for each group of variables.
        if before.is_none_or(|last| last + 1 != number) {
            let line = format!("{}{}", indent(text), rule.put);
            wanted.change.insert(number, [line]);
        }
        before = Some(number);
        wanted.drop_line(number);
    }
    if before.is_some() {
        for note in &rule.notes {
            wanted.note(note.as_str());
        }
        let rest = (from..=to.min(wanted.change.len())).any(|number| {
            let line = wanted.change.line(number);
            !wanted.change.removes(number)
                && rule.env.iter().any(|name| line.contains(name.as_str()))
        });
        if rest {
            wanted.note("other lines of the file still speak of the key's variables: look through them before it runs");
        }
    }
    wanted
}

/// The name that a line gives a value, alone on it.
fn assigned(line: &str, sign: char) -> Option<&str> {
    let (name, value) = line.trim().split_once(sign)?;
    let name = name.trim_end().trim_matches(['"', '\'']);
    let word = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (word && !value.trim().is_empty()).then_some(name)
}
