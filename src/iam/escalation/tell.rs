//! Ways in words: each step with the statements that allow it and what it hangs on.

use super::MAX_STEPS;
use super::best::Found;
use super::field::{Field, Node};
use super::probe::{Class, Probe};
use super::search::{Change, Edge, End, Ranks, changes};
use crate::iam::power::Kinds;
use crate::model::{EscalationCertainty, EscalationPath, EscalationStep};
use crate::rules::aws::{EscalationKind, EscalationRule};

/// Statements told of one step.
const MAX_BECAUSE: usize = 6;

/// A way that was found, with its steps.
pub(super) fn path<'w, 'a>(
    field: &Field<'w, 'a>,
    node: &Node<'w, 'a>,
    found: &Found,
    ranks: &Ranks,
    keep_steps: bool,
) -> EscalationPath {
    let mut teller = Teller {
        field,
        ranks,
        start: node,
        steps: Vec::new(),
    };
    let end = teller.walk(node, &found.edge, &found.onward);
    let steps = teller.steps;
    let mut note = String::new();
    for (position, step) in steps.iter().enumerate() {
        if position > 0 {
            let who = field
                .by_arn
                .get(step.from.as_str())
                .and_then(|i| field.nodes.get(*i));
            let who = who.map_or(step.from.as_str(), |who| who.name);
            note.push_str(if step.from == node.arn {
                "; then "
            } else {
                "; then as "
            });
            if step.from != node.arn {
                note.push('`');
                note.push_str(who);
                note.push_str("` ");
            }
        }
        note.push_str(&step.text);
    }
    let all = |list: fn(&EscalationStep) -> &Vec<String>| {
        let mut out: Vec<String> = steps.iter().flat_map(list).cloned().collect();
        out.sort();
        out.dedup();
        out
    };
    EscalationPath {
        id: steps
            .first()
            .map(|step| step.id.clone())
            .unwrap_or_default(),
        actions: steps
            .first()
            .map(|step| step.actions.clone())
            .unwrap_or_default(),
        note,
        depends_on: all(|step| &step.depends_on),
        reaches: found.goal,
        certainty: match found.class {
            Class::Open => EscalationCertainty::Open,
            Class::Conditional => EscalationCertainty::Conditional,
            Class::Unseen => EscalationCertainty::Unseen,
        },
        target: end.filter(|arn| arn != node.arn),
        unknown: all(|step| &step.unknown),
        steps: if keep_steps { steps } else { Vec::new() },
    }
}

struct Teller<'f, 'w, 'a> {
    field: &'f Field<'w, 'a>,
    ranks: &'f Ranks,
    start: &'f Node<'w, 'a>,
    steps: Vec<EscalationStep>,
}

impl<'w, 'a> Teller<'_, 'w, 'a> {
    /// Tells an edge and all that follow; returns the ARN at the end.
    fn walk(&mut self, node: &Node<'w, 'a>, edge: &Edge, onward: &[Edge]) -> Option<String> {
        if self.steps.len() > 2 * MAX_STEPS as usize {
            return None;
        }
        let field = self.field;
        let rule = field.tables.escalation.get(edge.rule)?;
        let mut probe = Probe::telling();
        match &edge.end {
            End::Itself => {
                let text = field.itself(node, rule, &mut probe)?;
                self.step(rule, node.arn, node.arn, text, probe);
                Some(node.arn.to_owned())
            }
            End::Account => {
                field.prepared(node, rule, &mut probe);
                self.step(rule, node.arn, node.arn, rule.what.to_owned(), probe);
                Some(node.arn.to_owned())
            }
            End::Become(target) | End::Everything(target) => {
                let other = field.nodes.get(*target)?;
                field.prepared(node, rule, &mut probe);
                field.reaches(node, rule, other, &mut probe);
                let everything = matches!(edge.end, End::Everything(_));
                let who = if everything {
                    format!("`{}`", other.name)
                } else {
                    self.describe(*target, onward.is_empty())
                };
                self.step(rule, node.arn, other.arn, text(rule, &who), probe);
                let next = self.ranks.get(*target).and_then(Option::as_ref);
                match (next.and_then(|rank| rank.edge.as_ref()), onward) {
                    (Some(next), _) if !everything => self.walk(other, next, &[]),
                    (None, [next, onward @ ..]) => self.walk(other, next, onward),
                    _ => Some(other.arn.to_owned()),
                }
            }
            End::Changed(change, next) => {
                let (after, text) = self.change(node, edge.rule, rule, change, &mut probe)?;
                self.step(rule, node.arn, after.arn, text, probe);
                match next {
                    Some(next) => self.walk(&after, next, &[]),
                    None => Some(after.arn.to_owned()),
                }
            }
        }
    }

    fn change(
        &self,
        node: &Node<'w, 'a>,
        index: usize,
        rule: &EscalationRule,
        change: &Change,
        probe: &mut Probe,
    ) -> Option<(Node<'w, 'a>, String)> {
        let field = self.field;
        let (_, after, _) = changes(field, node, index)
            .into_iter()
            .find(|(known, ..)| known == change)?;
        let text = match change {
            Change::Freed => {
                field.itself(node, rule, probe);
                rule.what.to_owned()
            }
            Change::FreedRole(role) => {
                field.reaches(node, rule, field.nodes.get(*role)?, probe);
                format!("{}: {}", rule.what, strength(&after))
            }
            Change::Version { policy, version } => {
                field.all_on(node, rule, policy, probe);
                let name = policy.rsplit('/').next().unwrap_or(policy);
                format!("{} ({name} {version})", rule.what)
            }
            Change::Joined(group) => {
                let group = field.nodes.get(*group)?;
                field.reaches(node, rule, group, probe);
                format!("{}: {}", rule.what, strength(group))
            }
        };
        Some((after, text))
    }

    fn step(&mut self, rule: &EscalationRule, from: &str, to: &str, text: String, probe: Probe) {
        let mut because = probe.because;
        because.truncate(MAX_BECAUSE);
        self.steps.push(EscalationStep {
            id: rule.id.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
            actions: rule.actions.iter().map(ToString::to_string).collect(),
            text,
            because,
            depends_on: probe.depends_on.into_iter().collect(),
            unknown: probe.unknown,
        });
    }

    fn describe(&self, target: usize, last: bool) -> String {
        let Some(node) = self.field.nodes.get(target) else {
            return String::new();
        };
        let rank = self.ranks.get(target).and_then(Option::as_ref);
        match rank {
            Some(rank) if rank.steps == 1 && rank.edge.as_ref().is_some_and(is_own) => {
                format!("`{}` (can make itself administrator)", node.name)
            }
            Some(rank) if rank.steps > 0 => {
                format!("`{}` (on the way to administrator)", node.name)
            }
            None if !last => format!("`{}` (on the way)", node.name),
            None if node.strength.tier <= self.start.strength.tier => {
                let more = Kinds::of(&node.power).beyond(Kinds::of(&self.start.power));
                let mut told = format!("tier {}", node.strength.tier);
                for what in more.words() {
                    told.push_str(", ");
                    told.push_str(what);
                }
                format!("`{}` ({told})", node.name)
            }
            _ => strength(node),
        }
    }
}

fn text(rule: &EscalationRule, who: &str) -> String {
    match rule.kind {
        EscalationKind::PassRole => format!("passes {who} to {}", rule.what),
        EscalationKind::Workload => format!(
            "runs as the role of {}; {who} could be it, the account details do not show whether it is",
            rule.what
        ),
        _ => format!("{}: {who}", rule.what),
    }
}

fn is_own(edge: &Edge) -> bool {
    matches!(edge.end, End::Itself | End::Changed(..) | End::Account)
}

fn strength(node: &Node<'_, '_>) -> String {
    if node.strength.admin {
        format!("`{}` (administrator)", node.name)
    } else {
        format!("`{}` (tier {})", node.name, node.strength.tier)
    }
}
