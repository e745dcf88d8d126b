//! What people decided: an append-only file of one JSON object a line, made to be committed and merged.
//!
//! Nothing is ever changed or removed. An event names those about the same thing that its author knew (`after`) and takes
//! their place; the order of lines means nothing, and the same line twice is one event. Two that do not know of each other
//! and disagree are a conflict, which is shown until somebody decides knowing both.

mod apply;
mod event;
mod fold;
mod log;
mod scope;

pub use apply::{Applied, RuleAt, apply_to_assessments, apply_to_findings, apply_to_inventory};
pub use event::{Decision, Event, Recorded};
pub use fold::{Held, Register, Standing, Topic};
pub use log::{BadLine, DecisionError, Decisions, Log, append, append_all, read};
pub use scope::{Many, RulePath, Scope, Share, Subjects, shares};

/// Name of the decision file in the state folder.
pub const FILE: &str = "decisions.jsonl";

#[cfg(test)]
mod tests;
