//! What an action does to the state. Pure: no terminal, no files, no clock; what has to be done outside is returned.

mod deciding;
mod finding;
mod jumping;
mod menus;
mod moving;

use super::action::Action;
use super::mode::{Mode, View};
use super::page::Page;
use super::state::{Effect, End, State};

/// Applies one action.
pub fn reduce(state: &mut State<'_>, action: Action) -> Vec<Effect> {
    state.notice = None;
    let mut effects = Vec::new();
    match action {
        Action::Down => moving::by(state, 1),
        Action::Up => moving::by(state, -1),
        Action::PageDown => moving::by(state, moving::page(state)),
        Action::PageUp => moving::by(state, -moving::page(state)),
        Action::First => moving::by(state, isize::MIN),
        Action::Last => moving::by(state, isize::MAX),
        Action::NextView => moving::turn(state, 1),
        Action::PreviousView => moving::turn(state, View::ALL.len() - 1),
        Action::View(number) => {
            if let Some(view) = View::ALL.get(usize::from(number)) {
                jumping::view(state, *view);
            }
        }
        Action::Click(column, row) => moving::click(state, column, row),
        Action::Wheel(down) => moving::by(state, if down { 3 } else { -3 }),
        Action::Open => open(state),
        Action::Back => back(state),
        Action::Return => jumping::back(state),
        Action::Related => menus::related(state),
        Action::Jump(at) => jumping::related(state, usize::from(at)),
        Action::NextUndecided => moving::undecided(state, true),
        Action::PreviousUndecided => moving::undecided(state, false),
        Action::Filter => finding::begin_filter(state),
        Action::Find => finding::begin_find(state),
        Action::FindNext => finding::next(state, true),
        Action::FindPrevious => finding::next(state, false),
        Action::Facets => menus::facets(state),
        Action::Facet(at) => finding::add_facet(state, usize::from(at)),
        Action::Views => menus::views(state),
        Action::SavedView(at) => finding::saved(state, usize::from(at)),
        Action::Sort => menus::sort(state),
        Action::SortBy(column) => {
            state.mode = Mode::List;
            state.with_list(|list, data| list.sort_by(data, usize::from(column)));
        }
        Action::Reverse => {
            state.with_list(|list, data| list.reverse(data));
        }
        Action::Group => menus::group(state),
        Action::GroupBy(at) => menus::group_by(state, usize::from(at)),
        Action::FoldAll => {
            state.with_list(|list, _| list.fold_all());
        }
        Action::Mark => moving::mark(state),
        Action::Range => moving::range(state),
        Action::MarkAll => moving::mark_all(state),
        Action::Unmark => moving::unmark(state),
        Action::Copy => effects.extend(finding::copy(state, false)),
        Action::CopyPath => effects.extend(finding::copy(state, true)),
        Action::Edit => effects.extend(finding::edit(state)),
        Action::Export => menus::export(state),
        Action::Wide => state.wide = !state.wide,
        Action::Palette => menus::palette(state),
        Action::Help => help(state),
        Action::Reload => {
            if state.newer.is_some() {
                state.end = Some(End::Reload);
            } else {
                state.notice = Some("this is the newest run".to_owned());
            }
        }
        Action::Suspend => effects.push(Effect::Suspend),
        Action::Quit => state.end = Some(End::Quit),
        Action::Type(letter) => finding::letter(state, letter),
        Action::Erase => finding::erase(state, false),
        Action::EraseWord => finding::erase(state, true),
        Action::Complete => finding::complete(state),
        Action::NextField => finding::step(state, true),
        Action::PreviousField => finding::step(state, false),
        Action::Accept => effects.extend(accept(state)),
        Action::Cancel => cancel(state),
        action if action.decides() => effects.extend(deciding::begin(state, action)),
        _ => {}
    }
    effects
}

fn open(state: &mut State<'_>) {
    if state.view == View::Start {
        jumping::view(state, View::Findings);
        return;
    }
    if state.with_list(|list, _| list.fold()) == Some(true) {
        return;
    }
    let item = state.list().and_then(super::list::List::item);
    if let Some(item) = item {
        state.page = Some(Page::new(&state.data, item, state.columns));
        state.mode = Mode::Detail;
    }
}

/// From a page to the list; in a list first the range and the marks go, then the filter.
fn back(state: &mut State<'_>) {
    if state.mode == Mode::Detail {
        state.page = None;
        state.mode = Mode::List;
        return;
    }
    state.with_list(|list, data| {
        if list.range.take().is_none() {
            if list.marks.is_empty() {
                list.set_filter(data, "");
            } else {
                list.marks.clear();
            }
        }
    });
}

fn help(state: &mut State<'_>) {
    if state.mode == Mode::Help {
        state.mode = state.from;
    } else {
        state.from = state.beneath();
        state.help = 0;
        state.mode = Mode::Help;
    }
}

fn accept(state: &mut State<'_>) -> Vec<Effect> {
    match state.mode {
        Mode::Filter => {
            finding::keep_filter(state);
            Vec::new()
        }
        Mode::Find => {
            finding::keep_find(state);
            Vec::new()
        }
        Mode::Menu => menus::choose(state),
        Mode::Prompt => deciding::submit(state),
        Mode::Confirm => deciding::confirm(state),
        _ => Vec::new(),
    }
}

fn cancel(state: &mut State<'_>) {
    match state.mode {
        Mode::Filter => finding::drop_filter(state),
        Mode::Find => state.mode = Mode::Detail,
        Mode::Menu | Mode::Prompt => {
            state.form = None;
            state.mode = state.from;
        }
        Mode::Confirm => {
            let from = state.question.take().map_or(Mode::List, |asked| asked.from);
            state.mode = from;
            state.notice = Some("nothing was recorded".to_owned());
        }
        _ => {}
    }
}
