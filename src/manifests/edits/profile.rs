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
    let bound = bindings(rule, &mut wanted, (from, to));
    if wanted.refused.is_some() {
        return wanted;
    }
    let mut before: Option<usize> = None;
    for number in from..=to.min(wanted.change.len()) {
        if wanted.change.removes(number) {
            continue;
        }
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
    if before.is_some() || bound {
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

/// Puts the profile in place of steps that bind nothing but the key; tells whether there was one.
fn bindings(rule: &ProfileEdit, wanted: &mut Wanted<'_>, (from, to): (usize, usize)) -> bool {
    let Some(binds) = &rule.binds else {
        return false;
    };
    let mut any = false;
    let mut number = from;
    while number <= to.min(wanted.change.len()) {
        let line = wanted.change.line(number);
        let Some(open) = opened(line, &binds.step) else {
            number += 1;
            continue;
        };
        let last = (number + MAX_BINDING_LINES)
            .min(to)
            .min(wanted.change.len());
        let text: Vec<&str> = (number..=last).map(|at| wanted.change.line(at)).collect();
        let Some(step) = bound(&text, open) else {
            number += 1;
            continue;
        };
        let ours = |binding: &String| {
            let words = rule.env.iter().chain(&binds.by);
            words
                .into_iter()
                .any(|word| binding.contains(word.as_str()))
        };
        let mine = step.bindings.iter().filter(|binding| ours(binding)).count();
        if mine == step.bindings.len() && mine > 0 {
            let start = line.find(binds.step.as_str()).unwrap_or_default();
            let head = line.get(..start).unwrap_or_default();
            let put = format!("{head}{}{}", binds.put, step.after);
            wanted.change.insert(number, [put]);
            for gone in number..=number + step.more_lines {
                wanted.drop_line(gone);
            }
            any = true;
        } else if mine > 0 {
            wanted.refuse("a step binds the key together with other secrets: give the key's part of it to the profile by hand");
            return any;
        }
        number += step.more_lines + 1;
    }
    any
}

/// Most lines that the list of bindings of one step takes.
const MAX_BINDING_LINES: usize = 40;

/// Where the list of a step begins in a line: behind `step([`.
fn opened(line: &str, step: &str) -> Option<usize> {
    if line.trim_start().starts_with("//") {
        return None;
    }
    let at = line.find(step)?;
    let rest = line.get(at + step.len()..)?;
    let inner = rest.trim_start().strip_prefix('(')?.trim_start();
    let inner = inner.strip_prefix('[')?;
    Some(line.len() - inner.len())
}

/// The bindings of a step.
struct Bound {
    bindings: Vec<String>,
    /// Lines behind the first that the list takes.
    more_lines: usize,
    /// What follows the step's parentheses on its last line.
    after: String,
}

/// Reads the list that begins at a place of the first line, up to its bracket and parenthesis.
fn bound(lines: &[&str], open: usize) -> Option<Bound> {
    let mut bindings = vec![String::new()];
    let mut depth = 0usize;
    let mut quote: Option<char> = None;
    for (more_lines, line) in lines.iter().enumerate() {
        let from = if more_lines == 0 { open } else { 0 };
        let text = line.get(from..)?;
        for (at, c) in text.char_indices() {
            match (quote, c) {
                (Some(open), c) if c == open => quote = None,
                (None, '\'' | '"') => quote = Some(c),
                (None, '[' | '(') => depth += 1,
                (None, ')') => depth = depth.checked_sub(1)?,
                (None, ']') if depth == 0 => {
                    let after = text.get(at + 1..)?.trim_start().strip_prefix(')')?;
                    bindings.retain(|binding| !binding.trim().is_empty());
                    return Some(Bound {
                        bindings,
                        more_lines,
                        after: after.to_owned(),
                    });
                }
                (None, ']') => depth -= 1,
                (None, ',') if depth == 0 => {
                    bindings.push(String::new());
                    continue;
                }
                _ => {}
            }
            bindings.last_mut()?.push(c);
        }
        // A string does not go over lines, and a comment is not read.
        quote = None;
    }
    None
}

/// The name that a line gives a value, alone on it.
fn assigned(line: &str, sign: char) -> Option<&str> {
    let (name, value) = line.trim().split_once(sign)?;
    let name = name.trim_end().trim_matches(['"', '\'']);
    let word = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (word && !value.trim().is_empty()).then_some(name)
}
