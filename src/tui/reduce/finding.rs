//! Finding one's way: filters, looking for a text, typing, copying, opening, writing.

use super::super::columns;
use super::super::complete;
use super::super::form::Input;
use super::super::mode::{Mode, View};
use super::super::state::{Effect, State};
use super::menus;

pub(super) fn begin_filter(state: &mut State<'_>) {
    if state.view == View::Start {
        super::jumping::view(state, View::Findings);
    }
    let text = state
        .list()
        .map_or_else(String::new, |list| list.filter.clone());
    state.line = Input::new(text, Vec::new());
    state.mode = Mode::Filter;
}

pub(super) fn begin_find(state: &mut State<'_>) {
    state.line = Input::default();
    state.mode = Mode::Find;
}

pub(super) fn keep_filter(state: &mut State<'_>) {
    let wrong = state.list().is_some_and(|list| list.error.is_some());
    if !wrong {
        state.mode = Mode::List;
    }
}

pub(super) fn drop_filter(state: &mut State<'_>) {
    state.mode = Mode::List;
    state.with_list(|list, data| list.set_filter(data, ""));
}

pub(super) fn keep_find(state: &mut State<'_>) {
    state.mode = Mode::Detail;
    let find = state.line.text.to_lowercase();
    if let Some(page) = &mut state.page {
        page.find = find;
    }
    next(state, true);
}

pub(super) fn next(state: &mut State<'_>, forward: bool) {
    let Some(page) = &mut state.page else { return };
    let told = match page.find_next(forward) {
        Some((at, count)) => format!("{at} of {count}"),
        None if page.find.is_empty() => "type / and what to look for".to_owned(),
        None => "not on this page".to_owned(),
    };
    state.notice = Some(told);
}

/// Applies the filter as it is typed, and looks for what could be meant.
fn typed(state: &mut State<'_>) {
    if state.mode == Mode::Filter {
        let text = state.line.text.clone();
        state.with_list(|list, data| list.set_filter(data, &text));
        state.line.suggestions = complete::suggestions(&state.data, state.view, &text);
    }
}

pub(super) fn letter(state: &mut State<'_>, letter: char) {
    match state.mode {
        Mode::Filter | Mode::Find => {
            state.line.push(letter);
            typed(state);
        }
        Mode::Prompt => {
            if let Some(input) = state.form.as_mut().and_then(|form| form.input()) {
                input.push(letter);
            }
        }
        Mode::Menu => state.menu.push(letter),
        _ => {}
    }
}

pub(super) fn erase(state: &mut State<'_>, word: bool) {
    let erase = |input: &mut Input| {
        if word {
            input.erase_word();
        } else {
            input.erase();
        }
    };
    match state.mode {
        Mode::Filter | Mode::Find => {
            erase(&mut state.line);
            typed(state);
        }
        Mode::Prompt => {
            if let Some(input) = state.form.as_mut().and_then(|form| form.input()) {
                erase(input);
            }
        }
        Mode::Menu => state.menu.erase(word),
        _ => {}
    }
}

pub(super) fn complete(state: &mut State<'_>) {
    match state.mode {
        Mode::Filter => {
            let one = state.line.suggestions.len() == 1;
            state.line.suggest();
            let text = state.line.text.clone();
            state.with_list(|list, data| list.set_filter(data, &text));
            if one {
                typed(state);
            }
        }
        Mode::Prompt => {
            if let Some(input) = state.form.as_mut().and_then(|form| form.input()) {
                input.suggest();
            }
        }
        _ => {}
    }
}

pub(super) fn step(state: &mut State<'_>, forward: bool) {
    match state.mode {
        Mode::Filter => complete(state),
        Mode::Prompt => {
            if let Some(form) = &mut state.form {
                form.step(forward);
            }
        }
        Mode::Menu => state.menu.step(forward),
        _ => {}
    }
}

pub(super) fn add_facet(state: &mut State<'_>, at: usize) {
    let Some(facet) = state.facets.get(at).cloned() else {
        return;
    };
    state.mode = Mode::List;
    state.with_list(|list, data| {
        let filter = match list.filter.trim() {
            "" => facet,
            known => format!("{known} {facet}"),
        };
        list.set_filter(data, &filter);
    });
}

pub(super) fn saved(state: &mut State<'_>, at: usize) {
    if at == usize::from(u16::MAX) {
        menus::save_view(state);
        return;
    }
    let Some(saved) = state.settings.views.get(at).cloned() else {
        return;
    };
    let number = usize::from(saved.view).saturating_sub(1);
    state.show(View::ALL.get(number).copied().unwrap_or(View::Findings));
    state.with_list(|list, data| list.set_filter(data, &saved.filter));
}

pub(super) fn copy(state: &mut State<'_>, path: bool) -> Option<Effect> {
    let item = state.item()?;
    let text = if path {
        let native = state.data.identity(item);
        let native = native.map(|each| state.data.text(each.native_id).to_owned());
        let place = columns::place(&state.data, item);
        if place.is_empty() { native? } else { place }
    } else {
        state.data.id(item)
    };
    let text = crate::report::text::line(&text).into_owned();
    state.notice = Some(format!("copied {text}"));
    Some(Effect::Copy(text))
}

pub(super) fn edit(state: &mut State<'_>) -> Option<Effect> {
    let item = state.item()?;
    let data = &state.data;
    let place = columns::first_place(data, item).or_else(|| {
        let identity = data.identity(item)?;
        data.brief.places(identity.places).first()
    });
    match place {
        Some(at) if at.line.is_some() => {
            let repository = data.brief.maybe(at.repository).map(str::to_owned);
            let uri = data.text(at.uri).to_owned();
            Some(Effect::Edit(repository, uri, at.line.unwrap_or(1)))
        }
        _ => {
            state.notice = Some("this is in no file".to_owned());
            None
        }
    }
}
