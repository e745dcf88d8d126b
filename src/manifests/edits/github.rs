//! Jobs of GitHub Actions: the permission to ask for a token, a step that signs in, and no secret.

use super::super::clean::clean;
use super::super::context::Context;
use super::super::node::{Key, Node};
use super::own_token::swap;
use super::{MAX_JOBS, Wanted, block_end, drop_commands, drop_entries, finish, indent, own_line};
use crate::model::{ConsumerId, Declarations};
use crate::rules::edits::GithubEdit;

const RUNTIME: &str = "github-actions";

/// Adds what can be changed in a workflow to what it declares.
pub(in super::super) fn workflow(context: &Context<'_>, root: &Node, out: &mut Declarations) {
    let Some(jobs) = root.get("jobs") else {
        return;
    };
    let file = context.uri.replacen(".github/workflows/", "", 1);
    for rule in &context.tables.edits.github {
        let mut wanted = Vec::new();
        for (key, node) in jobs.entries().take(MAX_JOBS) {
            let short = clean(&format!("{file}/{}", key.text));
            let consumer = ConsumerId::of(&[RUNTIME, context.repository, &short]);
            let given = out.references.iter().filter(|one| {
                one.consumer.as_ref() == Some(&consumer)
                    && one
                        .kind
                        .as_ref()
                        .is_some_and(|kind| rule.kinds.contains(kind))
            });
            wanted.extend(
                Job {
                    context,
                    rule,
                    root,
                    node,
                    given: given.map(|one| format!("secrets.{}", one.name)).collect(),
                }
                .wanted(consumer),
            );
        }
        out.edits.extend(finish(context, &rule.mechanism, wanted));
    }
}

/// One job, and the mechanism it is to use.
struct Job<'c, 'a, 'n> {
    context: &'c Context<'a>,
    rule: &'c GithubEdit,
    root: &'n Node,
    node: &'n Node,
    /// Secrets whose place is taken by what a step gives, as expressions name them.
    given: Vec<String>,
}

impl<'a> Job<'_, 'a, '_> {
    fn wanted(&self, consumer: ConsumerId) -> Option<Wanted<'a>> {
        let mut wanted = Wanted::new(self.context, consumer);
        if self.node.get("uses").is_some() {
            let names = |node: &Node| {
                let keys = node.entries().map(|(key, _)| key.text.as_str());
                keys.filter(|key| self.rule.env.iter().any(|name| name == key))
                    .count()
                    > 0
            };
            if !self.node.get("secrets").is_some_and(names) {
                return None;
            }
            wanted.refuse("the job calls a reusable workflow, which signs in itself: change that workflow, and take the secrets out of the call");
            return Some(wanted);
        }
        let (steps_key, steps) = self.node.entry("steps")?;
        let mut first_step = self.drop_variables(&mut wanted);
        let mut signs_in = false;
        for (index, step) in steps.items().iter().enumerate() {
            let before = wanted.change_count();
            signs_in |= self.action(&mut wanted, step);
            if let Some(env) = step.entry("env") {
                self.env(&mut wanted, env);
            }
            if let Some((key, run)) = step.entry("run")
                && run.as_str().is_some()
            {
                let end = block_end(&wanted.change, key.line as usize);
                if drop_commands(&mut wanted, (key.line as usize, end), &self.rule.shell) {
                    Self::empty_run(&mut wanted, steps, index, key);
                }
            }
            self.swap(&mut wanted, step);
            if wanted.change_count() > before {
                first_step.get_or_insert(index);
            }
        }
        self.beyond_steps(&mut wanted, steps_key);
        if wanted.change.is_empty() && wanted.refused.is_none() {
            return None;
        }
        if !own_line(&wanted.change, steps_key)
            || steps
                .items()
                .iter()
                .any(|step| !Self::dashed(&wanted, step))
        {
            wanted.refuse("the steps are not written one below the other: change the file by hand");
            return Some(wanted);
        }
        if let Some(index) = first_step.filter(|_| !signs_in && !self.rule.step.is_empty()) {
            self.sign_in(&mut wanted, steps.items(), index);
        }
        self.permissions(&mut wanted, steps_key);
        self.left_over(&mut wanted);
        Some(wanted)
    }

    /// Takes the variables of the workflow and of the job away; the first step then has to sign in.
    fn drop_variables(&self, wanted: &mut Wanted<'_>) -> Option<usize> {
        let before = wanted.change_count();
        for owner in [self.root, self.node] {
            if let Some(env) = owner.entry("env") {
                self.env(wanted, env);
            }
        }
        (wanted.change_count() > before).then_some(0)
    }

    fn env(&self, wanted: &mut Wanted<'_>, env: (&Key, &Node)) {
        let goes = |key: &str, value: &Node| {
            self.rule.env.iter().any(|name| name == key)
                && value.as_str().is_some_and(|text| !text.is_empty())
        };
        drop_entries(self.context, wanted, env, goes, false);
    }

    /// Names what the step that signs in gives, where the step names a secret.
    fn swap(&self, wanted: &mut Wanted<'_>, step: &Node) {
        if self.given.is_empty() {
            return;
        }
        let start = step.line as usize;
        for number in start..=block_end(&wanted.change, start) {
            let line = wanted.change.line(number);
            let mut new = line.to_owned();
            for name in &self.given {
                new = swap(&new, name, &self.rule.swap).unwrap_or(new);
            }
            if new != line && !wanted.change.removes(number) {
                wanted.drop_line(number);
                wanted.change.insert(number, [new]);
            }
        }
    }

    /// What a step gives is not known outside of the steps.
    fn beyond_steps(&self, wanted: &mut Wanted<'_>, steps: &Key) {
        let envs = [self.root, self.node]
            .into_iter()
            .filter_map(|owner| owner.get("env"));
        let held = envs.flat_map(Node::entries).any(|(_, value)| {
            value
                .as_str()
                .is_some_and(|text| self.given.iter().any(|name| swap(text, name, "").is_some()))
        });
        if held {
            wanted.refuse("the secret is set above the steps, where what a step gives is not known: set it in the step that publishes, and make the plan again");
        }
        if !self.given.is_empty() && own_line(&wanted.change, steps) {
            for note in &self.rule.notes {
                wanted.note(note.clone());
            }
        }
    }

    /// Changes the inputs of the action that signs in. Whether the step is one.
    fn action(&self, wanted: &mut Wanted<'_>, step: &Node) -> bool {
        let Some(action) = &self.rule.action else {
            return false;
        };
        let uses = step.text_at(&["uses"]).unwrap_or_default();
        if uses.split('@').next() != Some(action.as_str()) {
            return false;
        }
        let Some(with) = step.entry("with") else {
            return true;
        };
        let has = |names: &[String], key: &str| names.iter().any(|name| name == key);
        if !with
            .1
            .entries()
            .any(|(key, _)| has(&self.rule.drop, &key.text))
        {
            return true;
        }
        let goes = |key: &str, _: &Node| has(&self.rule.drop, key) || has(&self.rule.replace, key);
        let keeps = !self.rule.put.is_empty();
        let replaced = with
            .1
            .entries()
            .find(|(key, _)| has(&self.rule.replace, &key.text));
        if let Some((key, _)) = replaced {
            wanted.note(format!(
                "line {}: {} was set already and is replaced",
                key.line,
                clean(&key.text)
            ));
        }
        if let Some(first) = drop_entries(self.context, wanted, with, goes, keeps) {
            let space = indent(wanted.change.line(first)).to_owned();
            let lines = self.rule.put.iter().map(|line| format!("{space}{line}"));
            wanted.change.insert(first, lines);
        }
        true
    }

    /// A script of which nothing is left takes its step with it.
    fn empty_run(wanted: &mut Wanted<'_>, steps: &Node, index: usize, key: &Key) {
        let from = key.line as usize;
        let end = block_end(&wanted.change, from);
        let left = (from + 1..=end).any(|number| {
            !wanted.change.removes(number) && !wanted.change.line(number).trim().is_empty()
        });
        let inline = wanted.change.removes(from);
        if left && !inline {
            return;
        }
        let Some(step) = steps.items().get(index) else {
            return;
        };
        let start = step.line as usize;
        let end = block_end(&wanted.change, start);
        for number in start..=end {
            wanted.drop_line(number);
        }
    }

    /// Each step begins with a dash on a line of its own.
    fn dashed(wanted: &Wanted<'_>, step: &Node) -> bool {
        let line = wanted.change.line(step.line as usize);
        line.trim_start().starts_with("- ")
    }

    /// Puts a step before the first one that needs it, behind the checkout.
    fn sign_in(&self, wanted: &mut Wanted<'_>, steps: &[Node], index: usize) {
        let checkout = |step: &Node| {
            step.text_at(&["uses"])
                .is_some_and(|uses| uses.starts_with("actions/checkout@"))
        };
        let mut at = index;
        while at == 0 && steps.len() > 1 && steps.first().is_some_and(checkout) {
            at = 1;
        }
        let Some(step) = steps.get(at) else {
            return;
        };
        let line = step.line as usize;
        let space = indent(wanted.change.line(line)).to_owned();
        let region = self.region();
        let lines: Vec<String> = self
            .rule
            .step
            .iter()
            .map(|line| line.replace("⟦region⟧", region.as_deref().unwrap_or("⟦region⟧")))
            .chain(
                self.rule
                    .put
                    .iter()
                    .map(|line| format!("{}{line}", self.rule.put_indent)),
            )
            .map(|line| format!("{space}{line}"))
            .collect();
        wanted.change.insert(line, lines);
        if self.rule.pin {
            wanted.note("pin the action of the new step to a commit that you have read");
        }
    }

    /// The region as the job has it today.
    fn region(&self) -> Option<String> {
        let steps = self.node.get("steps").map_or(&[][..], Node::items);
        let owners = [self.node, self.root].into_iter().chain(steps);
        let found = owners
            .filter_map(|owner| owner.get("env"))
            .flat_map(|env| {
                self.rule
                    .region
                    .iter()
                    .filter_map(|name| env.get(name.as_str()))
            })
            .find(|value| value.as_str().is_some_and(|text| !text.is_empty()))?;
        let (from, to) = found.span;
        let source = self.context.text.slice(from, to).trim();
        let plain = source.chars().all(|c| c.is_ascii_graphic() || c == ' ');
        (plain && source.len() <= 80 && !source.starts_with(['&', '*', '|', '>', '!', '[', '{']))
            .then(|| source.to_owned())
    }

    /// The job may ask for a token.
    fn permissions(&self, wanted: &mut Wanted<'_>, steps: &Key) {
        const TOKEN: &str = "id-token: write";
        let space = indent(wanted.change.line(steps.line as usize)).to_owned();
        let before_steps = steps.line as usize;
        if let Some((key, node)) = self.node.entry("permissions") {
            self.own_permissions(wanted, key, node);
            return;
        }
        let mut lines = vec!["permissions:".to_owned()];
        match self.root.entry("permissions") {
            Some((_, node)) if node.as_str() == Some("write-all") => {
                wanted.note("the workflow has every permission: list the ones this job needs");
                return;
            }
            Some((_, node)) if node.get("id-token").and_then(Node::as_str) == Some("write") => {
                wanted.note("every job of the workflow may ask for a token: move id-token: write into this one");
                return;
            }
            // What stands at a job takes the place of what stands above it.
            Some((_, node)) if node.as_str() == Some("read-all") => {
                lines.push("  contents: read".to_owned());
                wanted.note("the workflow's read-all no longer holds for this job: add the scopes it reads besides contents");
            }
            Some((_, node)) => lines.extend(
                node.entries()
                    .filter(|(key, _)| key.text != "id-token")
                    .filter_map(|(key, level)| {
                        let level = level.as_str()?;
                        let word = |text: &str| {
                            !text.is_empty()
                                && text.chars().all(|c| c.is_ascii_lowercase() || c == '-')
                        };
                        (word(&key.text) && word(level)).then(|| format!("  {}: {level}", key.text))
                    }),
            ),
            None => {
                lines.push("  contents: read".to_owned());
                wanted.note("the job had the repository's default permissions: add what it needs besides reading the code");
            }
        }
        lines.push(format!("  {TOKEN}"));
        let lines = lines.into_iter().map(|line| format!("{space}{line}"));
        wanted.change.insert(before_steps, lines);
    }

    fn own_permissions(&self, wanted: &mut Wanted<'_>, key: &Key, node: &Node) {
        const TOKEN: &str = "id-token: write";
        let number = key.line as usize;
        let line = wanted.change.line(number);
        let space = indent(line).to_owned();
        if node.as_str() == Some("write-all")
            || node.get("id-token").and_then(Node::as_str) == Some("write")
        {
            return;
        }
        let first = node.entries().next().map(|(first, _)| first.line as usize);
        match first {
            Some(first) if first > number => {
                let deeper = indent(wanted.change.line(first)).to_owned();
                if let Some((old, _)) = node.entry("id-token") {
                    wanted.change.remove(old.line as usize);
                }
                wanted.change.insert(first, [format!("{deeper}{TOKEN}")]);
            }
            _ => {
                let (from, to) = node.span;
                let source = self.context.text.slice(from, to);
                let known: Vec<String> = node
                    .entries()
                    .filter(|(key, _)| key.text != "id-token")
                    .filter_map(|(key, level)| Some(format!("{}: {}", key.text, level.as_str()?)))
                    .collect();
                let listed = if node.as_str() == Some("read-all") {
                    wanted.note("read-all is replaced by contents: read: add the scopes the job reads besides");
                    vec!["contents: read".to_owned()]
                } else if node.as_str().is_some() || source.contains('\n') || line.contains('#') {
                    wanted.refuse("its permissions are written in a way that a patch does not change: add id-token: write by hand");
                    return;
                } else {
                    known
                };
                wanted.change.remove(number);
                let mut lines = vec![format!("{space}permissions:")];
                lines.extend(listed.iter().map(|one| format!("{space}  {one}")));
                lines.push(format!("{space}  {TOKEN}"));
                wanted.change.insert(number, lines);
            }
        }
    }

    /// Says where the secrets are named still.
    fn left_over(&self, wanted: &mut Wanted<'_>) {
        let (from, to) = self.node.span;
        let (first, _) = self.context.text.position(from);
        let (last, _) = self.context.text.position(to);
        let names: Vec<String> = wanted
            .secrets
            .iter()
            .map(|name| format!("secrets.{name}"))
            .collect();
        for number in first as usize..=last as usize {
            let line = wanted.change.line(number);
            if !wanted.change.removes(number) && names.iter().any(|name| line.contains(name)) {
                wanted.note(format!("line {number} of the file names the secret still"));
            }
        }
    }
}
