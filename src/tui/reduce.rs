//! What an action does to the state. Pure: no terminal, no files.

use super::action::Action;
use super::rows;
use super::state::{Mode, State, View};

/// Applies one action.
pub fn reduce(state: &mut State, action: &Action) {
    match action {
        Action::Down => move_by(state, 1),
        Action::Up => move_by(state, -1),
        Action::PageDown => move_by(state, page(state)),
        Action::PageUp => move_by(state, -page(state)),
        Action::First => move_by(state, isize::MIN),
        Action::Last => move_by(state, isize::MAX),
        Action::NextView => turn(state, 1),
        Action::PreviousView => turn(state, View::ALL.len() - 1),
        Action::View(number) => {
            if let Some(view) = usize::from(*number)
                .checked_sub(1)
                .and_then(|index| View::ALL.get(index))
            {
                state.show(*view);
            }
        }
        Action::Open => open(state),
        Action::Back => back(state),
        Action::Filter => state.mode = Mode::Filter,
        Action::Type(letter) => {
            if state.mode == Mode::Filter {
                state.filter.push(*letter);
                state.refilter();
            }
        }
        Action::Erase => {
            state.filter.pop();
            state.refilter();
        }
        Action::Accept => state.mode = Mode::List,
        Action::Help => {
            state.mode = if state.mode == Mode::Help {
                Mode::List
            } else {
                Mode::Help
            }
        }
        Action::Quit => state.quit = true,
    }
}

fn page(state: &State) -> isize {
    isize::try_from(state.page.max(1)).unwrap_or(isize::MAX)
}

fn move_by(state: &mut State, by: isize) {
    let (at, count) = match state.mode {
        Mode::Detail => (
            &mut state.scroll,
            state.detail.len().saturating_sub(state.page / 2),
        ),
        _ => (&mut state.selected, state.visible.len()),
    };
    *at = at.saturating_add_signed(by).min(count.saturating_sub(1));
}

fn turn(state: &mut State, by: usize) {
    let at = View::ALL
        .iter()
        .position(|view| *view == state.view)
        .unwrap_or(0);
    if let Some(view) = View::ALL.get((at + by) % View::ALL.len()) {
        state.show(*view);
    }
}

fn open(state: &mut State) {
    let Some(row) = state.row() else { return };
    state.detail = rows::detail(&state.report, row);
    state.scroll = 0;
    state.mode = Mode::Detail;
}

fn back(state: &mut State) {
    if matches!(state.mode, Mode::Filter | Mode::List) {
        state.filter.clear();
        state.refilter();
    }
    state.mode = Mode::List;
}
