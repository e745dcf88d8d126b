//! Deciding: what it is about, what it asks for, what is recorded.

use super::super::action::Action;
use super::super::columns;
use super::super::data::Item;
use super::super::form::{Form, Input, Purpose};
use super::super::list::{self, scope};
use super::super::mode::{Mode, View};
use super::super::state::{Effect, Question, SavedView, State};
use super::super::verdict::{DEFAULT_DAYS, Draft, Field, Verdict, day, disposition};
use super::menus;
use crate::model::{Disposition, IdentityId};
use crate::report::text::plural;
use crate::store::decisions::{Decision, Scope};
use std::collections::BTreeSet;

const fn verdict(action: Action) -> Option<Verdict> {
    Some(match action {
        Action::AcceptRisk => Verdict::AcceptRisk,
        Action::FalsePositive => Verdict::FalsePositive,
        Action::Remediate => Verdict::Remediate,
        Action::Defer => Verdict::Defer,
        Action::Owner => Verdict::Owner,
        Action::Purpose => Verdict::Purpose,
        Action::BreakGlass => Verdict::BreakGlass,
        Action::Disposition => Verdict::Disposition,
        Action::Reopen => Verdict::Reopen,
        _ => return None,
    })
}

/// Begins what a key asks for.
pub(super) fn begin(state: &mut State<'_>, action: Action) -> Vec<Effect> {
    if state.settings.read_only {
        state.notice = Some("this review is only read; leave out --read-only to decide".to_owned());
        return Vec::new();
    }
    match action {
        Action::Undo => record_known(state, true),
        Action::Redo => record_known(state, false),
        Action::Repeat => repeat(state),
        _ => {
            if let Some(verdict) = verdict(action) {
                ask(state, verdict);
            }
            Vec::new()
        }
    }
}

fn record_known(state: &mut State<'_>, undo: bool) -> Vec<Effect> {
    let standing = state.data.ledger.standing();
    let drafts = if undo {
        state.history.undo(standing)
    } else {
        state.history.redo(standing)
    };
    match drafts {
        None => {
            let what = if undo { "undo" } else { "redo" };
            state.notice = Some(format!("nothing to {what}"));
            Vec::new()
        }
        Some(drafts) => {
            let what = if undo { "undone" } else { "decided again" };
            state.notice = Some(format!(
                "{what}: {}",
                plural(told(&drafts), "decision", "decisions")
            ));
            vec![Effect::Record(drafts)]
        }
    }
}

/// The subjects of a decision, each once.
fn scopes(state: &State<'_>, verdict: Verdict, items: &[Item]) -> Vec<Scope> {
    let data = &state.data;
    let mut scopes: Vec<Scope> = Vec::with_capacity(items.len());
    for item in items {
        if verdict.of_identities() {
            let id = data.identity(*item).map(|row| data.text(row.id));
            scopes.extend(id.map(|id| Scope::Identity(IdentityId::named(id))));
        } else if let Some(event) = data.event(*item) {
            scopes.extend(event.scope.each());
        } else {
            scopes.extend(scope(data, *item));
        }
    }
    let mut seen = BTreeSet::new();
    let kept: Vec<bool> = scopes.iter().map(|scope| seen.insert(scope)).collect();
    let scopes = scopes.into_iter().zip(kept);
    scopes
        .filter_map(|(scope, kept)| kept.then_some(scope))
        .collect()
}

/// How many of what: `37 findings`, `one credential`.
fn counted(scopes: &[Scope]) -> String {
    let count = |is: fn(&Scope) -> bool| scopes.iter().filter(|scope| is(scope)).count() as u64;
    let parts = [
        (
            count(|scope| matches!(scope, Scope::Finding(_))),
            "finding",
            "findings",
        ),
        (
            count(|scope| matches!(scope, Scope::Credential(_))),
            "credential",
            "credentials",
        ),
        (
            count(|scope| matches!(scope, Scope::Identity(_))),
            "identity",
            "identities",
        ),
    ];
    let told: Vec<String> = parts
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, more)| plural(count, one, more))
        .collect();
    told.join(" and ")
}

fn ask(state: &mut State<'_>, verdict: Verdict) {
    let items = state.chosen();
    let scopes = scopes(state, verdict, &items);
    if scopes.is_empty() {
        state.notice = Some(if verdict.of_identities() && !items.is_empty() {
            "no identity is known here".to_owned()
        } else {
            "there is nothing to decide about here".to_owned()
        });
        return;
    }
    let fields = verdict
        .fields()
        .iter()
        .map(|(field, needed)| (*field, *needed, input(state, verdict, *field)))
        .collect();
    let about = match (scopes.as_slice(), items.as_slice()) {
        ([_], [item, ..]) => list::label(&state.data, *item),
        _ => counted(&scopes),
    };
    state.form = Some(Form {
        purpose: Purpose::Decide(verdict),
        title: format!("{} {about}", verdict.title()),
        fields,
        at: 0,
        error: None,
    });
    state.from = state.beneath();
    state.mode = Mode::Prompt;
}

fn input(state: &State<'_>, verdict: Verdict, field: Field) -> Input {
    match field {
        Field::Reason => {
            let reasons = state.settings.reasons.get(verdict.word());
            Input::new("", reasons.cloned().unwrap_or_default())
        }
        Field::Until => {
            let days = format!("{DEFAULT_DAYS}d");
            let first = match verdict {
                Verdict::AcceptRisk => days.clone(),
                Verdict::Defer => "30d".to_owned(),
                _ => String::new(),
            };
            Input::new(
                first,
                ["30d", days.as_str(), "6m", "1y"].map(str::to_owned).into(),
            )
        }
        Field::Owner => Input::new("", menus::owners(state)),
        Field::Disposition => Input::new(
            "",
            Disposition::ALL.map(|each| each.as_str().to_owned()).into(),
        ),
        Field::Ticket | Field::Purpose | Field::Name | Field::File => Input::default(),
    }
}

/// Takes a form that is filled in; what is missing or wrong is said in it.
pub(super) fn submit(state: &mut State<'_>) -> Vec<Effect> {
    let Some(mut form) = state.form.take() else {
        return Vec::new();
    };
    if let Some((at, field)) = form.missing() {
        // Enter goes on to what is missing, and complains only where it stands already.
        if form.at == at {
            form.error = Some(format!("{} is needed", field.title()));
        }
        form.at = at;
        state.form = Some(form);
        return Vec::new();
    }
    match form.purpose.clone() {
        Purpose::Decide(verdict) => match drafted(state, verdict, &form) {
            Err((field, error)) => {
                form.at = form
                    .fields
                    .iter()
                    .position(|(known, ..)| *known == field)
                    .unwrap_or(0);
                form.error = Some(error);
                state.form = Some(form);
                Vec::new()
            }
            Ok(template) => {
                state.mode = state.from;
                let scopes = scopes(state, verdict, &state.chosen());
                state.last = Some((verdict, template.clone()));
                settle(state, verdict, scopes, &template)
            }
        },
        Purpose::SaveView => {
            state.mode = Mode::List;
            save_view(state, form.text(Field::Name))
        }
        Purpose::Export => {
            state.mode = Mode::List;
            export(state, form.text(Field::File)).into_iter().collect()
        }
    }
}

/// The decision that a form stands for, about nothing yet.
fn drafted(state: &State<'_>, verdict: Verdict, form: &Form) -> Result<Draft, (Field, String)> {
    let until = form.text(Field::Until);
    let expires = if until.is_empty() {
        None
    } else {
        Some(day(until, state.settings.today).map_err(|error| (Field::Until, error))?)
    };
    let decision = match verdict {
        Verdict::AcceptRisk => Decision::AcceptRisk,
        Verdict::FalsePositive => Decision::FalsePositive,
        Verdict::Remediate => Decision::Remediate,
        Verdict::Defer => Decision::Defer,
        Verdict::Owner => Decision::Owner {
            owner: form.text(Field::Owner).to_owned(),
        },
        Verdict::Purpose => Decision::Purpose {
            purpose: form.text(Field::Purpose).to_owned(),
        },
        Verdict::BreakGlass => Decision::BreakGlass { confirmed: true },
        Verdict::Disposition => Decision::Disposition {
            disposition: disposition(form.text(Field::Disposition)).ok_or_else(|| {
                let words = Disposition::ALL.map(Disposition::as_str).join(", ");
                (Field::Disposition, format!("one of {words}"))
            })?,
        },
        Verdict::Reopen => Decision::Reopen,
    };
    let ticket = form.text(Field::Ticket);
    Ok(Draft {
        scopes: Vec::new(),
        decision,
        reason: form.text(Field::Reason).to_owned(),
        expires,
        ticket: (!ticket.is_empty()).then(|| ticket.to_owned()),
        undoes: None,
    })
}

fn repeat(state: &mut State<'_>) -> Vec<Effect> {
    let Some((verdict, template)) = state.last.clone() else {
        state.notice = Some("nothing was decided in this review yet".to_owned());
        return Vec::new();
    };
    let scopes = scopes(state, verdict, &state.chosen());
    if scopes.is_empty() {
        state.notice = Some("there is nothing to decide about here".to_owned());
        return Vec::new();
    }
    state.from = state.beneath();
    settle(state, verdict, scopes, &template)
}

/// Records a decision about one subject at once and goes on to the next; about many it asks first.
fn settle(
    state: &mut State<'_>,
    verdict: Verdict,
    scopes: Vec<Scope>,
    template: &Draft,
) -> Vec<Effect> {
    let many = (scopes.len() > 1).then(|| counted(&scopes));
    let draft = Draft {
        scopes,
        ..template.clone()
    };
    if let Some(many) = many {
        state.question = Some(Question {
            text: format!("{} {many}?", verdict.title()),
            drafts: vec![draft],
            from: state.beneath(),
        });
        state.mode = Mode::Confirm;
        return Vec::new();
    }
    finish(state, vec![draft])
}

/// How many things are decided about.
fn told(drafts: &[Draft]) -> u64 {
    drafts.iter().map(|draft| draft.scopes.len() as u64).sum()
}

/// Records what was asked about.
pub(super) fn confirm(state: &mut State<'_>) -> Vec<Effect> {
    let Some(question) = state.question.take() else {
        state.mode = Mode::List;
        return Vec::new();
    };
    state.mode = question.from;
    finish(state, question.drafts)
}

fn finish(state: &mut State<'_>, drafts: Vec<Draft>) -> Vec<Effect> {
    let count = told(&drafts);
    state.with_list(|list, _| {
        list.marks.clear();
        list.range = None;
        if count == 1 {
            list.move_by(1);
        }
    });
    state.notice = Some(format!(
        "recorded {}",
        plural(count, "decision", "decisions")
    ));
    vec![Effect::Record(drafts)]
}

fn save_view(state: &mut State<'_>, name: &str) -> Vec<Effect> {
    let filter = state
        .list()
        .map_or_else(String::new, |list| list.filter.clone());
    let saved = SavedView {
        name: name.to_owned(),
        view: u8::try_from(state.view.number() + 1).unwrap_or(1),
        filter,
    };
    state.settings.views.retain(|view| view.name != saved.name);
    state.settings.views.push(saved);
    state.notice = Some(format!("saved as {name}"));
    vec![Effect::KeepViews(state.settings.views.clone())]
}

fn export(state: &State<'_>, file: &str) -> Option<Effect> {
    let list = state.list()?;
    let columns = columns::of(state.view);
    let titles = std::iter::once("id").chain(columns.iter().map(|column| column.title));
    let rows = list.passing().0.iter().map(|item| {
        let cells = columns
            .iter()
            .map(|column| (column.cell)(&state.data, *item));
        std::iter::once(state.data.id(*item)).chain(cells).collect()
    });
    (state.view != View::Start).then(|| Effect::Export {
        file: file.to_owned(),
        titles: titles.map(str::to_owned).collect(),
        rows: rows.collect(),
    })
}
