//! Questions put to the evaluation for one step, and what their answers hang on.

use super::field::Node;
use crate::iam::context::Context;
use crate::iam::decide::Answer;
use crate::iam::world::{GivenPolicies, Question, Reply};
use std::collections::BTreeSet;

/// How sure a step or a path is, from most to least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// Allowed, and everything it needs is there.
    #[default]
    Open,
    /// It hangs on a condition, or on something small the account's description does not show.
    Conditional,
    /// It needs something to exist that the account's description does not show.
    Unseen,
}

/// Gathers the answers behind one step.
#[derive(Clone, Debug, Default)]
pub(super) struct Probe {
    /// Reasons are wanted, not only the answer.
    pub told: bool,
    pub class: Class,
    pub because: Vec<String>,
    pub depends_on: BTreeSet<String>,
    pub unknown: Vec<String>,
}

impl Probe {
    pub(super) fn telling() -> Self {
        Self {
            told: true,
            ..Self::default()
        }
    }

    /// Whether the node may do an action on a resource; what the answer hangs on is kept.
    pub(super) fn may(
        &mut self,
        node: &Node<'_, '_>,
        action: &str,
        resource: &str,
        context: &Context,
        given: &GivenPolicies,
    ) -> bool {
        let question = Question {
            action,
            resource,
            // What has no account in its name is the caller's own.
            account: resource.ends_with('*').then_some(node.account),
            context,
            given,
        };
        if !self.told {
            let answer = node.asker.answer(&question);
            self.note(answer);
            return answer != Answer::Denied;
        }
        let reply = node.asker.ask(&question);
        self.note(reply.answer);
        if !reply.permits() {
            return false;
        }
        for reason in &reply.because {
            // Boundaries and control policies only let through; what gives is worth telling.
            if reason.effect == "Allow" && matches!(reason.layer, "identity" | "resource") {
                let text = if reason.layer == "identity" {
                    format!(
                        "{}, {} allows {action} on {resource}",
                        reason.policy, reason.statement
                    )
                } else {
                    format!("{}, {} lets it in", reason.policy, reason.statement)
                };
                if !self.because.contains(&text) {
                    self.because.push(text);
                }
            }
        }
        if reply.answer == Answer::DependsOn {
            self.depends_on.extend(conditions(&reply));
        }
        true
    }

    /// It is no surer than this.
    pub(super) fn at_best(&mut self, class: Class) {
        self.class = self.class.max(class);
    }

    fn note(&mut self, answer: Answer) {
        if answer == Answer::DependsOn {
            self.at_best(Class::Conditional);
        }
    }
}

/// What an answer hangs on, in words.
pub(super) fn conditions(reply: &Reply) -> Vec<String> {
    let mut out: BTreeSet<String> = reply
        .because
        .iter()
        .flat_map(|reason| reason.depends_on.iter().cloned())
        .collect();
    for reason in &reply.unless {
        out.insert(format!("not ({})", reason.depends_on.join(" and ")));
    }
    if out.is_empty() {
        out.extend(
            reply
                .notes
                .iter()
                .filter(|note| !note.ends_with("taken as silent"))
                .cloned(),
        );
    }
    out.into_iter().collect()
}
