//! Jobs that are lists of commands: GitLab, Bitbucket, CircleCI, Buildkite.

use super::super::context::Context;
use super::super::node::{Key, Node};
use super::{MAX_JOBS, Wanted, block_end, drop_commands, drop_entries, finish, indent, own_line};
use crate::model::{Consumer, Declarations};
use crate::rules::edits::ScriptEdit;

/// What is particular to a system.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum System {
    /// GitLab.
    Gitlab,
    /// Bitbucket Pipelines.
    Bitbucket,
    /// CircleCI.
    Circleci,
    /// Buildkite.
    Buildkite,
}

impl System {
    const fn runtime(self) -> &'static str {
        match self {
            Self::Gitlab => "gitlab-ci",
            Self::Bitbucket => "bitbucket-pipelines",
            Self::Circleci => "circleci",
            Self::Buildkite => "buildkite",
        }
    }

    /// Keys of the commands, of which the first one there counts.
    const fn commands(self) -> &'static [&'static str] {
        match self {
            Self::Gitlab | Self::Bitbucket => &["script"],
            Self::Circleci => &["steps"],
            Self::Buildkite => &["commands", "command"],
        }
    }

    /// Key of a job's variables.
    const fn variables(self) -> &'static str {
        match self {
            Self::Gitlab | Self::Bitbucket => "variables",
            Self::Circleci => "environment",
            Self::Buildkite => "env",
        }
    }
}

/// Adds what can be changed in a pipeline to what it declares.
pub(in super::super) fn pipeline(
    context: &Context<'_>,
    root: &Node,
    system: System,
    out: &mut Declarations,
) {
    let rules = context.tables.edits.script.iter();
    for rule in rules.filter(|rule| rule.system == system.runtime()) {
        let wanted = out
            .consumers
            .iter()
            .filter(|consumer| uses(rule, consumer, out))
            .take(MAX_JOBS)
            .filter_map(|consumer| {
                let at = consumer.location.as_ref()?;
                let node = find(root, (at.line?, at.column?), 0)?;
                let node = node.get("step").unwrap_or(node);
                let job = Job {
                    context,
                    rule,
                    system,
                    node,
                };
                Some(job.wanted(consumer))
            })
            .collect();
        out.edits.extend(finish(context, &rule.mechanism, wanted));
    }
}

/// Whether a job uses credentials that the mechanism takes the place of.
fn uses(rule: &ScriptEdit, consumer: &Consumer, out: &Declarations) -> bool {
    out.references.iter().any(|reference| {
        reference.consumer.as_ref() == Some(&consumer.id)
            && (reference.provider.as_deref() == Some("aws") || rule.env.contains(&reference.name))
    })
}

/// The mapping that a job's place in the file stands for.
fn find(node: &Node, place: (u32, u32), depth: usize) -> Option<&Node> {
    if depth > 12 {
        return None;
    }
    for (key, value) in node.entries() {
        if (key.line, key.column) == place && value.is_map() && depth < 3 {
            return Some(value);
        }
        if let Some(found) = find(value, place, depth + 1) {
            return Some(found);
        }
    }
    for item in node.items() {
        if (item.line, item.column) == place && item.is_map() {
            return Some(item);
        }
        if let Some(found) = find(item, place, depth + 1) {
            return Some(found);
        }
    }
    None
}

struct Job<'c, 'a, 'n> {
    context: &'c Context<'a>,
    rule: &'c ScriptEdit,
    system: System,
    node: &'n Node,
}

impl<'a> Job<'_, 'a, '_> {
    fn wanted(&self, consumer: &Consumer) -> Wanted<'a> {
        let mut wanted = Wanted::new(self.context, consumer.id.clone());
        let commands = self
            .system
            .commands()
            .iter()
            .find_map(|key| self.node.entry(key));
        let Some((key, commands)) = commands else {
            wanted.refuse(
                "its commands stand in another place, which it takes them from: change that one",
            );
            return wanted;
        };
        if !own_line(&wanted.change, key) {
            wanted.refuse(
                "its commands are not written one below the other: change the file by hand",
            );
            return wanted;
        }
        let names = &self.rule.env;
        if let Some(variables) = self.node.entry(self.system.variables()) {
            let goes = |name: &str, _: &Node| names.iter().any(|known| known == name);
            drop_entries(self.context, &mut wanted, variables, goes, false);
        }
        let end = block_end(&wanted.change, key.line as usize).max(last_line(commands));
        drop_commands(&mut wanted, (key.line as usize + 1, end), &self.rule.shell);
        let pipes = self.pipes(&mut wanted, commands);
        if !pipes {
            self.first_commands(&mut wanted, key, commands);
        }
        self.declare(&mut wanted, key);
        if wanted.secrets.is_empty() {
            wanted.note("the key comes from the settings of the project or workspace: remove it there once every job has moved");
        }
        wanted
    }

    /// Prepared commands take the role in place of the key. Whether all that is done is done by them.
    fn pipes(&self, wanted: &mut Wanted<'_>, commands: &Node) -> bool {
        if self.rule.pipe.is_empty() {
            return false;
        }
        let mut all = !commands.items().is_empty();
        for item in commands.items() {
            let Some(variables) = item.get("pipe").and_then(|_| item.entry("variables")) else {
                all = false;
                continue;
            };
            let goes = |name: &str, _: &Node| self.rule.env.iter().any(|known| known == name);
            if let Some(first) = drop_entries(self.context, wanted, variables, goes, true) {
                let space = indent(wanted.change.line(first)).to_owned();
                let lines = self.rule.pipe.iter().map(|line| format!("{space}{line}"));
                wanted.change.insert(first, lines);
            }
        }
        all
    }

    fn first_commands(&self, wanted: &mut Wanted<'_>, key: &Key, commands: &Node) {
        let number = key.line as usize;
        let Some(first) = commands.items().first() else {
            let written = wanted.change.line(number).trim_end();
            if commands.as_str().is_some() && written.ends_with(['|', '>', '-', '+']) {
                if !written.contains('|') {
                    wanted.refuse("its commands are one folded text: change the file by hand");
                    return;
                }
                let space = indent(wanted.change.line(number + 1)).to_owned();
                let lines = self.rule.script.iter().map(|line| format!("{space}{line}"));
                wanted.change.insert(number + 1, lines);
            } else {
                wanted.refuse("its command is one text on one line: write it as a list, and put the commands of the README before it");
            }
            return;
        };
        let mut at = first;
        if self.system == System::Circleci
            && first.as_str() == Some("checkout")
            && let Some(second) = commands.items().get(1)
        {
            at = second;
        }
        let line = wanted.change.line(at.line as usize);
        if !line.trim_start().starts_with('-') {
            wanted.refuse(
                "its commands are not written one below the other: change the file by hand",
            );
            return;
        }
        let space = indent(line).to_owned();
        let lines: Vec<String> = if self.system == System::Circleci {
            let head = ["- run:", "    name: Become the AWS role", "    command: |"];
            head.into_iter()
                .map(|line| format!("{space}{line}"))
                .chain(
                    self.rule
                        .script
                        .iter()
                        .map(|line| format!("{space}      {line}")),
                )
                .collect()
        } else {
            self.rule
                .script
                .iter()
                .map(|line| format!("{space}- {line}"))
                .collect()
        };
        wanted.change.insert(at.line as usize, lines);
    }

    fn declare(&self, wanted: &mut Wanted<'_>, key: &Key) {
        let Some(name) = &self.rule.declares else {
            return;
        };
        let space = indent(wanted.change.line(key.line as usize)).to_owned();
        if let Some((old, value)) = self.node.entry(name) {
            if value.as_bool() == Some(true) {
                return;
            }
            // Another token may be asked for already: ours comes below the same key.
            let inner = value.entries().next().map(|(first, _)| first.line as usize);
            match inner {
                Some(first) if first > old.line as usize => {
                    let deeper = indent(wanted.change.line(first)).to_owned();
                    let lines = self.rule.declare.iter().skip(1).map(|line| {
                        let text = line.strip_prefix("  ").unwrap_or(line);
                        format!("{deeper}{text}")
                    });
                    wanted.change.insert(first, lines);
                }
                _ => wanted.refuse("it asks for a token in a way that a patch does not change: change the file by hand"),
            }
            return;
        }
        let lines = self
            .rule
            .declare
            .iter()
            .map(|line| format!("{space}{line}"));
        wanted.change.insert(key.line as usize, lines);
    }
}

/// Line on which the last part of a list begins.
fn last_line(list: &Node) -> usize {
    list.items().last().map_or(0, |item| item.line as usize)
}
