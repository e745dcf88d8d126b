//! Moving and marking.

use super::super::list::Row;
use super::super::mode::{Mode, View};
use super::super::page::Page;
use super::super::state::State;
use super::jumping;

/// Rows of a screen.
pub(super) fn page(state: &State<'_>) -> isize {
    isize::try_from(state.height.max(2) - 1).unwrap_or(isize::MAX)
}

pub(super) fn by(state: &mut State<'_>, by: isize) {
    let height = state.height;
    match state.mode {
        Mode::Detail => {
            if let Some(page) = &mut state.page {
                page.move_by(by, height);
            }
        }
        Mode::Help => {
            let lines = state.settings.keymap.help(state.from).len() + 12;
            state.help = state
                .help
                .saturating_add_signed(by)
                .min(lines.saturating_sub(height));
        }
        _ => {
            state.with_list(|list, _| list.move_by(by));
        }
    }
}

pub(super) fn turn(state: &mut State<'_>, by: usize) {
    let next = (state.view.number() + by) % View::ALL.len();
    if let Some(view) = View::ALL.get(next) {
        jumping::view(state, *view);
    }
}

/// A click on the line of views changes the view, one on a row selects it, and opens it where it is selected.
pub(super) fn click(state: &mut State<'_>, column: u16, row: u16) {
    if row == 1 {
        let mut from = 0;
        for view in View::ALL {
            let to = from + view.title().len() + 3;
            if (from..to).contains(&usize::from(column)) {
                jumping::view(state, view);
                return;
            }
            from = to;
        }
    }
    let Some(line) = usize::from(row).checked_sub(3) else {
        return;
    };
    if state.mode != Mode::List {
        return;
    }
    let at = state.top + line;
    let selected = state
        .list()
        .map(|list| (list.selected(), list.rows().len()));
    match selected {
        Some((selected, count)) if at < count && line < state.height => {
            if at == selected {
                super::open(state);
            } else {
                let by = isize::try_from(at).unwrap_or(0) - isize::try_from(selected).unwrap_or(0);
                state.with_list(|list, _| list.move_by(by));
            }
        }
        _ => {}
    }
}

pub(super) fn mark(state: &mut State<'_>) {
    state.with_list(|list, _| {
        let items = match list.row() {
            Some(Row::Item(item)) => vec![item],
            Some(Row::Group(at)) => list
                .group(at)
                .map_or_else(Vec::new, |group| group.items.clone()),
            None => return,
        };
        if items.iter().all(|item| list.marks.contains(item)) {
            for item in items {
                list.marks.remove(&item);
            }
        } else {
            list.marks.extend(items);
        }
        list.move_by(1);
    });
}

/// Begins a range; where one began, marks it.
pub(super) fn range(state: &mut State<'_>) {
    state.with_list(|list, _| {
        if list.range.is_some() {
            let kept = std::mem::take(&mut list.marks);
            let ranged = list.chosen();
            list.marks = kept;
            list.marks.extend(ranged);
            list.range = None;
        } else {
            list.range = Some(list.selected());
        }
    });
}

pub(super) fn mark_all(state: &mut State<'_>) {
    let count = state.with_list(|list, _| {
        let all: Vec<_> = list.passing().0.to_vec();
        list.marks.extend(all);
        list.marks.len()
    });
    if let Some(count) = count {
        state.notice = Some(format!("{count} marked"));
    }
}

pub(super) fn unmark(state: &mut State<'_>) {
    state.with_list(|list, _| {
        list.marks.clear();
        list.range = None;
    });
}

/// Goes to the next or the previous row that nobody decided about; on a page, to its page.
pub(super) fn undecided(state: &mut State<'_>, forward: bool) {
    if state.view == View::Start {
        jumping::view(state, View::Findings);
    }
    let reading = state.mode == Mode::Detail;
    let next = state
        .with_list(|list, data| {
            let next = list.undecided(data, forward)?;
            list.select(next);
            Some(next)
        })
        .flatten();
    match next {
        None => state.notice = Some("nothing in these rows is undecided".to_owned()),
        Some(item) if reading => state.page = Some(Page::new(&state.data, item, state.columns)),
        Some(_) => {}
    }
}
