//! Answers with their reasons, free of what they were made from.

use crate::iam::caller::Caller;
use crate::iam::decide::{Answer, Verdict};
use crate::iam::layers::{Deciding, Layer};
use crate::iam::policy::Effect;
use serde::Serialize;

/// One statement behind an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Kind of policy: `identity`, `resource`, `boundary`, `session`, `scp`, `rcp` or `endpoint`.
    pub layer: &'static str,
    /// The kind in words.
    #[serde(skip)]
    pub kind: &'static str,
    /// `Allow` or `Deny`.
    pub effect: &'static str,
    /// The policy, and the group it comes through.
    pub policy: String,
    /// The statement: its `Sid`, else its position from 1.
    pub statement: String,
    /// `Sid`, where it has one.
    pub sid: Option<String>,
    /// Position in the document, from 0.
    pub index: usize,
    /// What it hangs on, in words; empty when it certainly applies.
    pub depends_on: Vec<String>,
}

/// The answer to one question about one caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reply {
    /// ARN of the caller.
    pub principal: String,
    /// `service:Action`.
    pub action: String,
    /// Resource asked for.
    pub resource: String,
    /// Account of the resource.
    pub resource_account: String,
    /// `allowed`, `denied` or `depends-on`.
    pub answer: Answer,
    /// Denied by a statement, not for want of one.
    pub explicit: bool,
    /// Statements that decided: of a denial its denies, else its allows.
    pub because: Vec<Reason>,
    /// Denies that may apply.
    pub unless: Vec<Reason>,
    /// Kinds of policies that stop what is granted otherwise.
    pub blocked_by: Vec<&'static str>,
    /// What was not seen and may change the answer, and what else is to be said.
    pub notes: Vec<String>,
}

impl Reply {
    /// Puts an answer into words.
    pub fn of(
        caller: &Caller,
        action: &str,
        resource: &str,
        account: &str,
        verdict: &Verdict<'_>,
    ) -> Self {
        let principal = if caller.arn.is_empty() {
            "*".to_owned()
        } else {
            caller.arn.clone()
        };
        let mut notes: Vec<String> = verdict.unseen.clone();
        notes.extend(verdict.because.map(str::to_owned));
        Self {
            principal,
            action: action.to_owned(),
            resource: resource.to_owned(),
            resource_account: account.to_owned(),
            answer: verdict.answer,
            explicit: verdict.explicit,
            because: verdict.deciding.iter().map(reason).collect(),
            unless: verdict.unless.iter().map(reason).collect(),
            blocked_by: verdict.blocked_by.iter().map(|layer| layer.key()).collect(),
            notes,
        }
    }

    /// Whether anything is left of what was asked.
    pub fn permits(&self) -> bool {
        self.answer != Answer::Denied
    }

    /// Layers that stop it, in words.
    pub fn blockers(&self) -> Vec<&'static str> {
        [
            Layer::ServiceControl,
            Layer::ResourceControl,
            Layer::Endpoint,
            Layer::Boundary,
            Layer::Session,
            Layer::Identity,
            Layer::Resource,
        ]
        .into_iter()
        .filter(|layer| self.blocked_by.contains(&layer.key()))
        .map(Layer::as_str)
        .collect()
    }
}

fn reason(deciding: &Deciding<'_>) -> Reason {
    Reason {
        layer: deciding.layer.key(),
        kind: deciding.layer.as_str(),
        effect: match deciding.statement.effect {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        },
        policy: deciding.policy.clone().into_owned(),
        statement: deciding.statement.label.clone(),
        sid: deciding.statement.sid.clone(),
        index: deciding.statement.index,
        depends_on: deciding.depends_on.clone(),
    }
}
