//! From one subject to another, and back.

use super::super::data::Item;
use super::super::mode::{Mode, View};
use super::super::page::{self, Page};
use super::super::state::State;
use std::collections::BTreeMap;

/// Most jumps that are remembered.
const MOST: usize = 100;

/// Changes the view; what was selected, or what is nearest to it there, is selected again.
pub(super) fn view(state: &mut State<'_>, view: View) {
    let item = state.item();
    state.page = None;
    state.show(view);
    let Some(item) = item else { return };
    let near: Vec<Item> = std::iter::once(item)
        .chain(page::related(&state.data, item))
        .filter(|other| other.view() == view)
        .collect();
    if near.is_empty()
        || state
            .list()
            .and_then(super::super::list::List::item)
            .is_some_and(|known| near.contains(&known))
    {
        return;
    }
    let nearness: BTreeMap<Item, usize> = near.into_iter().zip(0..).collect();
    state.with_list(|list, _| {
        let passing = list.passing().0.iter();
        let known = passing.filter_map(|item| Some((nearness.get(item)?, *item)));
        if let Some((_, nearest)) = known.min() {
            list.select(nearest);
        }
    });
}

/// Goes to a related subject: its row is selected and its page is open.
pub(super) fn related(state: &mut State<'_>, at: usize) {
    let Some(item) = state.related.get(at).copied() else {
        return;
    };
    let from = (state.from, state.view, state.item());
    state.trail.push(from);
    if state.trail.len() > MOST {
        state.trail.remove(0);
    }
    go(state, item, Mode::Detail);
}

/// Goes back to where the last jump came from.
pub(super) fn back(state: &mut State<'_>) {
    match state.trail.pop() {
        None => state.notice = Some("nothing to go back to".to_owned()),
        Some((_, view, None)) => {
            state.page = None;
            state.show(view);
        }
        Some((mode, _, Some(item))) => go(state, item, mode),
    }
}

fn go(state: &mut State<'_>, item: Item, mode: Mode) {
    state.page = None;
    state.show(item.view());
    let shown = state.with_list(|list, data| {
        list.select(item) || {
            // What is jumped to is seen, whatever was filtered before.
            list.set_filter(data, "");
            list.select(item)
        }
    });
    if shown == Some(true) && mode == Mode::Detail {
        state.page = Some(Page::new(&state.data, item, state.columns));
        state.mode = Mode::Detail;
    }
}
