//! Undo and redo. The file of decisions only grows, so undoing says again what stood before.

use super::ledger::Ledger;
use super::verdict::Draft;
use crate::model::brief::{Brief, Rows};
use crate::store::decisions::{Decision, Decisions, Event, Recorded, Scope, Topic};
use jiff::civil::Date;

/// Decisions that were made together.
#[derive(Clone, Debug)]
struct Batch {
    /// What was said.
    made: Vec<Draft>,
    /// What undoes it.
    undo: Vec<Draft>,
}

/// What is being recorded.
#[derive(Clone, Debug)]
enum Pending {
    Undo(Batch),
    Redo(Batch),
}

/// What can be undone and redone.
#[derive(Clone, Debug, Default)]
pub struct History {
    done: Vec<Batch>,
    undone: Vec<Batch>,
    pending: Option<Pending>,
}

impl History {
    /// What this person decided in earlier reviews. Decisions made together have one time.
    pub fn of(events: &[Recorded], actor: &str, today: Date) -> Self {
        let mut history = Self::default();
        // What stood before a decision does not depend on what the report has.
        let nothing = Brief::new(Rows::default());
        let mut ledger = Ledger::new(Decisions::default(), today, &nothing);
        let together = |one: &Recorded, other: &Recorded| {
            one.event.at == other.event.at && one.event.actor == other.event.actor
        };
        for batch in events.chunk_by(together) {
            if batch.first().is_some_and(|one| one.event.actor == actor) {
                history.recorded(&ledger, batch);
            }
            ledger.add(batch.to_vec(), &nothing);
        }
        history
    }

    /// Whether there is something to undo.
    pub const fn can_undo(&self) -> bool {
        !self.done.is_empty()
    }

    /// Whether there is something to redo.
    pub const fn can_redo(&self) -> bool {
        !self.undone.is_empty()
    }

    /// What undoes the last decisions.
    pub fn undo(&mut self) -> Option<Vec<Draft>> {
        let batch = self.done.pop()?;
        let drafts = batch.undo.clone();
        self.pending = Some(Pending::Undo(batch));
        Some(drafts)
    }

    /// What was undone last.
    pub fn redo(&mut self) -> Option<Vec<Draft>> {
        let batch = self.undone.pop()?;
        let drafts = batch.made.clone();
        self.pending = Some(Pending::Redo(batch));
        Some(drafts)
    }

    /// Events were recorded; `before` is without them.
    pub fn recorded(&mut self, before: &Ledger, events: &[Recorded]) {
        match self.pending.take() {
            Some(Pending::Undo(batch)) => self.undone.push(batch),
            Some(Pending::Redo(batch)) => self.done.push(batch),
            None => {
                self.undone.clear();
                self.done.push(Batch {
                    made: events.iter().map(|one| draft(&one.event)).collect(),
                    undo: events
                        .iter()
                        .map(|one| inverse(before, &one.event))
                        .collect(),
                });
            }
        }
    }

    /// They were not.
    pub fn refused(&mut self) {
        match self.pending.take() {
            Some(Pending::Undo(batch)) => self.done.push(batch),
            Some(Pending::Redo(batch)) => self.undone.push(batch),
            None => {}
        }
    }
}

fn draft(event: &Event) -> Draft {
    Draft {
        scope: event.scope.clone(),
        decision: event.decision.clone(),
        reason: event.reason.clone(),
        expires: event.expires,
        ticket: event.ticket.clone(),
    }
}

/// What says again what stood before an event.
fn inverse(before: &Ledger, event: &Event) -> Draft {
    let stood = before.stands(&event.scope, Topic::of(&event.decision));
    match (stood, &event.decision) {
        (Some(stood), _) => draft(stood),
        (None, Decision::Owner { .. }) => emptied(
            &event.scope,
            Decision::Owner {
                owner: String::new(),
            },
        ),
        (None, Decision::Purpose { .. }) => emptied(
            &event.scope,
            Decision::Purpose {
                purpose: String::new(),
            },
        ),
        (None, _) => emptied(&event.scope, Decision::Reopen),
    }
}

fn emptied(scope: &Scope, decision: Decision) -> Draft {
    Draft {
        scope: scope.clone(),
        decision,
        reason: "undone".to_owned(),
        expires: None,
        ticket: None,
    }
}
