//! Menus: what opens them, and what a choice does.

use super::super::action::Action;
use super::super::columns;
use super::super::complete::quoted;
use super::super::form::{Form, Input, Purpose};
use super::super::group::Grouping;
use super::super::list::label;
use super::super::menu::{Entry, Menu};
use super::super::mode::{Mode, View};
use super::super::page;
use super::super::state::{Effect, State};
use super::super::verdict::Field;
use crate::query;

/// Most entries of a menu of subjects.
const MOST: u16 = 300;

fn show(state: &mut State<'_>, title: impl Into<String>, entries: Vec<Entry>) {
    if entries.is_empty() {
        state.notice = Some("there is nothing to choose from".to_owned());
        return;
    }
    state.menu = Menu::new(title, entries);
    state.from = state.beneath();
    state.mode = Mode::Menu;
}

/// Does what is chosen.
pub(super) fn choose(state: &mut State<'_>) -> Vec<Effect> {
    let Some(action) = state.menu.chosen().map(|entry| entry.action) else {
        return Vec::new();
    };
    state.mode = state.from;
    super::reduce(state, action)
}

/// Everything that can be done here.
pub(super) fn palette(state: &mut State<'_>) {
    let keys = state.settings.keymap.help(state.beneath());
    let entries = keys
        .into_iter()
        .filter(|(action, ..)| *action != Action::Palette && state.offers(*action))
        .map(|(action, help, keys)| Entry {
            label: help.to_owned(),
            note: keys
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" "),
            action,
        });
    let entries = entries.collect();
    show(state, "What to do", entries);
}

/// What is related to the subject.
pub(super) fn related(state: &mut State<'_>) {
    let Some(item) = state.item() else { return };
    let related: Vec<_> = page::related(&state.data, item);
    let entries = (0..MOST)
        .zip(&related)
        .map(|(at, other)| Entry {
            label: format!("{} {}", singular(other.view()), label(&state.data, *other)),
            note: columns::level(&state.data, *other).to_owned(),
            action: Action::Jump(at),
        })
        .collect();
    state.related = related;
    show(state, "Related", entries);
}

const fn singular(view: View) -> &'static str {
    match view {
        View::Start => "start",
        View::Findings => "finding",
        View::Identities => "identity",
        View::Credentials => "credential",
        View::Plan => "plan",
        View::Coverage => "coverage",
        View::Decisions => "decision",
    }
}

/// Conditions that hold for the selected row.
pub(super) fn facets(state: &mut State<'_>) {
    const FIELDS: [&str; 14] = [
        "severity",
        "finding",
        "owner",
        "repository",
        "account",
        "provider",
        "type",
        "environment",
        "credential",
        "class",
        "disposition",
        "status",
        "tier",
        "wave",
    ];
    let Some(item) = state.item() else { return };
    let Some(subject) = state.data.subject(item) else {
        state.notice = Some("type / to filter these rows by their words".to_owned());
        return;
    };
    let mut facets = Vec::new();
    for field in FIELDS {
        let values = query::values(field, &subject);
        if values.is_empty() {
            facets.push(format!("{field}:none"));
        }
        for value in values {
            let facet = format!("{field}:{}", quoted(&value));
            if !facets.contains(&facet) {
                facets.push(facet);
            }
        }
    }
    let entries = (0..MOST)
        .zip(&facets)
        .map(|(at, facet)| Entry {
            label: facet.clone(),
            note: String::new(),
            action: Action::Facet(at),
        })
        .collect();
    state.facets = facets;
    show(state, "Only rows with", entries);
}

pub(super) fn sort(state: &mut State<'_>) {
    let columns = columns::of(state.view);
    let entries = (0_u8..)
        .zip(columns)
        .map(|(at, column)| Entry {
            label: column.title.to_owned(),
            note: String::new(),
            action: Action::SortBy(at),
        })
        .collect();
    show(state, "Sort by", entries);
}

pub(super) fn group(state: &mut State<'_>) {
    let mut entries = vec![Entry {
        label: "nothing".to_owned(),
        note: String::new(),
        action: Action::GroupBy(0),
    }];
    entries.extend(
        (1_u8..)
            .zip(Grouping::of(state.view))
            .map(|(at, grouping)| Entry {
                label: grouping.title().to_owned(),
                note: String::new(),
                action: Action::GroupBy(at),
            }),
    );
    show(state, "Group by", entries);
}

pub(super) fn group_by(state: &mut State<'_>, at: usize) {
    let grouping = at
        .checked_sub(1)
        .and_then(|at| Grouping::of(state.view).get(at))
        .copied();
    state.mode = Mode::List;
    state.with_list(|list, data| list.group_by(data, grouping));
}

/// Saved filters, and saving this one.
pub(super) fn views(state: &mut State<'_>) {
    let mut entries: Vec<Entry> = (0_u16..)
        .zip(&state.settings.views)
        .map(|(at, view)| Entry {
            label: view.name.clone(),
            note: view.filter.clone(),
            action: Action::SavedView(at),
        })
        .collect();
    let filter = state.list().map_or("", |list| list.filter.as_str());
    if !filter.is_empty() {
        entries.push(Entry {
            label: "save this filter".to_owned(),
            note: filter.to_owned(),
            action: Action::SavedView(u16::MAX),
        });
    }
    if entries.is_empty() {
        state.notice = Some("no filter is saved; type / to filter, then save it here".to_owned());
        return;
    }
    show(state, "Saved filters", entries);
}

/// Asks for the name of the filter.
pub(super) fn save_view(state: &mut State<'_>) {
    let filter = state
        .list()
        .map_or_else(String::new, |list| list.filter.clone());
    state.form = Some(Form {
        purpose: Purpose::SaveView,
        title: format!("Save the filter {filter}"),
        fields: vec![(Field::Name, true, Input::default())],
        at: 0,
        error: None,
    });
    state.from = Mode::List;
    state.mode = Mode::Prompt;
}

/// Asks where to write the rows.
pub(super) fn export(state: &mut State<'_>) {
    let Some(count) = state.list().map(|list| list.passing().0.len()) else {
        return;
    };
    let name = state.view.title().to_lowercase();
    let files = vec![format!("{name}.csv"), format!("{name}.md")];
    state.form = Some(Form {
        purpose: Purpose::Export,
        title: format!("Write {count} rows to a file, as CSV or Markdown"),
        fields: vec![(Field::File, true, Input::new(format!("{name}.csv"), files))],
        at: 0,
        error: None,
    });
    state.from = Mode::List;
    state.mode = Mode::Prompt;
}

/// Owners that are known, the most frequent first.
pub(super) fn owners(state: &State<'_>) -> Vec<String> {
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    let data = &state.data;
    for identity in &data.brief.rows().identities {
        let said = data.ledger.owner(&data.brief, identity.id);
        let owner = said.unwrap_or_else(|| data.text(identity.owner));
        match counts.get_mut(owner) {
            Some(count) => *count += 1,
            None => {
                counts.insert(owner.to_owned(), 1);
            }
        }
    }
    let mut owners: Vec<(String, usize)> = counts
        .into_iter()
        .filter(|(name, _)| !name.is_empty())
        .collect();
    owners.sort_by(|one, other| (other.1, &one.0).cmp(&(one.1, &other.0)));
    owners
        .into_iter()
        .map(|(owner, _)| owner)
        .take(50)
        .collect()
}
