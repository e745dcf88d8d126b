//! Undo and redo. The file of decisions only grows, so undoing says again what stood before.

use super::verdict::Draft;
use crate::store::decisions::{Decision, Event, Recorded, Scope, Standing, Topic};
use std::collections::BTreeMap;
use std::ops::Range;

/// Decisions that were undone.
#[derive(Clone, Debug)]
struct Undone {
    /// Places of the events that made them.
    made: Range<usize>,
    /// Id of the first event that took them back.
    by: String,
}

/// What can be undone and redone.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Places of events that were made together, in the order in which they were made.
    done: Vec<Range<usize>>,
    undone: Vec<Undone>,
}

impl History {
    /// What this person decided in earlier reviews. Decisions made together have one time.
    pub fn of(standing: &Standing, actor: &str) -> Self {
        let mut history = Self::default();
        let together = |one: &Recorded, other: &Recorded| {
            one.event.at == other.event.at && one.event.actor == other.event.actor
        };
        let mut from = 0;
        for batch in standing.events().chunk_by(together) {
            let to = from + batch.len();
            if batch.first().is_some_and(|one| one.event.actor == actor) {
                history.recorded(standing, from..to);
            }
            from = to;
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
    pub fn undo(&self, standing: &Standing) -> Option<Vec<Draft>> {
        let made = self.done.last()?;
        let first = standing.events().get(made.start)?;
        let mut drafts = Drafts::new(&first.id);
        for one in standing.events().get(made.clone())? {
            let topic = Topic::of(&one.event.decision);
            for scope in one.event.scope.each() {
                let before = standing.before(&scope, topic, made.start);
                let stood = before.and_then(|register| register.heads.last().copied());
                let stood = stood.filter(|stood| !stood.event.decision.takes_back());
                drafts.say(stood, topic, scope);
            }
        }
        Some(drafts.list)
    }

    /// What was undone last.
    pub fn redo(&self, standing: &Standing) -> Option<Vec<Draft>> {
        let undone = self.undone.last()?;
        let mut drafts = Drafts::new(&undone.by);
        for one in standing.events().get(undone.made.clone())? {
            let topic = Topic::of(&one.event.decision);
            for scope in one.event.scope.each() {
                drafts.say(Some(one), topic, scope);
            }
        }
        Some(drafts.list)
    }

    /// Events were recorded together, at these places.
    pub fn recorded(&mut self, standing: &Standing, events: Range<usize>) {
        let id = |at: usize| standing.events().get(at).map(|one| one.id.as_str());
        let Some(first) = standing.events().get(events.start) else {
            return;
        };
        if let Some(undoes) = first.event.undoes.as_deref() {
            let made = self
                .done
                .iter()
                .rposition(|made| id(made.start) == Some(undoes));
            if let Some(at) = made {
                let made = self.done.remove(at);
                self.undone.push(Undone {
                    made,
                    by: first.id.clone(),
                });
                return;
            }
            let undone = self.undone.iter().rposition(|one| one.by == undoes);
            if let Some(at) = undone {
                self.undone.remove(at);
                self.done.push(events);
                return;
            }
        }
        self.undone.clear();
        self.done.push(events);
    }
}

/// Decisions to be said again, each once for all that it is about.
struct Drafts<'a> {
    undoes: &'a str,
    list: Vec<Draft>,
    /// Places in the list, by the event that says it.
    by_event: BTreeMap<(Option<&'a str>, Topic), usize>,
    /// Places in the list, by what is said.
    by_words: BTreeMap<String, usize>,
}

impl<'a> Drafts<'a> {
    const fn new(undoes: &'a str) -> Self {
        Self {
            undoes,
            list: Vec::new(),
            by_event: BTreeMap::new(),
            by_words: BTreeMap::new(),
        }
    }

    /// Says of a thing what an event says; where there is none, takes back what is said.
    fn say(&mut self, event: Option<&'a Recorded>, topic: Topic, scope: Scope) {
        let known = (event.map(|one| one.id.as_str()), topic);
        let known_at = self.by_event.get(&known).copied();
        let at = known_at.unwrap_or_else(|| {
            let draft = event.map_or_else(|| emptied(topic), |one| again(&one.event));
            let words = format!("{draft:?}");
            let at = *self.by_words.entry(words).or_insert(self.list.len());
            if at == self.list.len() {
                self.list.push(Draft {
                    undoes: Some(self.undoes.to_owned()),
                    ..draft
                });
            }
            self.by_event.insert(known, at);
            at
        });
        if let Some(draft) = self.list.get_mut(at) {
            draft.scopes.push(scope);
        }
    }
}

fn again(event: &Event) -> Draft {
    Draft {
        scopes: Vec::new(),
        decision: event.decision.clone(),
        reason: event.reason.clone(),
        expires: event.expires,
        ticket: event.ticket.clone(),
        undoes: None,
    }
}

fn emptied(topic: Topic) -> Draft {
    let decision = match topic {
        Topic::Verdict => Decision::Reopen,
        Topic::Owner => Decision::Owner {
            owner: String::new(),
        },
        Topic::Purpose => Decision::Purpose {
            purpose: String::new(),
        },
    };
    Draft {
        scopes: Vec::new(),
        decision,
        reason: "undone".to_owned(),
        expires: None,
        ticket: None,
        undoes: None,
    }
}
