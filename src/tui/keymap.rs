//! Which key does what in which mode. The help is drawn from the same table.

use super::action::Action;
use super::state::Mode;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// One binding.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Key.
    pub code: KeyCode,
    /// With the control key.
    pub control: bool,
    /// What it does.
    pub action: Action,
    /// Modes it works in.
    pub modes: &'static [Mode],
    /// Words of the help.
    pub help: &'static str,
}

const LIST: &[Mode] = &[Mode::List];
const READ: &[Mode] = &[Mode::List, Mode::Detail];
const DETAIL: &[Mode] = &[Mode::Detail];
const HELP: &[Mode] = &[Mode::Help];
const ANY: &[Mode] = &[Mode::List, Mode::Detail, Mode::Help];
const TYPE: &[Mode] = &[Mode::Filter];

const fn key(code: KeyCode, action: Action, modes: &'static [Mode], help: &'static str) -> Binding {
    Binding {
        code,
        control: false,
        action,
        modes,
        help,
    }
}

const fn control(
    letter: char,
    action: Action,
    modes: &'static [Mode],
    help: &'static str,
) -> Binding {
    Binding {
        code: KeyCode::Char(letter),
        control: true,
        action,
        modes,
        help,
    }
}

/// The bindings, in the order of the help.
pub const BINDINGS: &[Binding] = &[
    key(KeyCode::Char('j'), Action::Down, READ, "down"),
    key(KeyCode::Down, Action::Down, READ, "down"),
    key(KeyCode::Char('k'), Action::Up, READ, "up"),
    key(KeyCode::Up, Action::Up, READ, "up"),
    key(KeyCode::PageDown, Action::PageDown, READ, "a page down"),
    control('d', Action::PageDown, READ, "a page down"),
    key(KeyCode::PageUp, Action::PageUp, READ, "a page up"),
    control('u', Action::PageUp, READ, "a page up"),
    key(KeyCode::Char('g'), Action::First, READ, "to the top"),
    key(KeyCode::Home, Action::First, READ, "to the top"),
    key(KeyCode::Char('G'), Action::Last, READ, "to the end"),
    key(KeyCode::End, Action::Last, READ, "to the end"),
    key(KeyCode::Tab, Action::NextView, LIST, "next view"),
    key(
        KeyCode::BackTab,
        Action::PreviousView,
        LIST,
        "previous view",
    ),
    key(KeyCode::Char('1'), Action::View(1), LIST, "findings"),
    key(KeyCode::Char('2'), Action::View(2), LIST, "identities"),
    key(KeyCode::Char('3'), Action::View(3), LIST, "credentials"),
    key(KeyCode::Char('4'), Action::View(4), LIST, "plan"),
    key(KeyCode::Char('5'), Action::View(5), LIST, "coverage"),
    key(
        KeyCode::Enter,
        Action::Open,
        LIST,
        "explain the selected row",
    ),
    key(
        KeyCode::Char('l'),
        Action::Open,
        LIST,
        "explain the selected row",
    ),
    key(KeyCode::Char('/'), Action::Filter, LIST, "filter by text"),
    key(KeyCode::Enter, Action::Accept, TYPE, "keep the filter"),
    key(KeyCode::Backspace, Action::Erase, TYPE, "erase a letter"),
    key(KeyCode::Esc, Action::Back, TYPE, "clear the filter"),
    key(KeyCode::Esc, Action::Back, LIST, "clear the filter"),
    key(KeyCode::Esc, Action::Back, DETAIL, "back to the list"),
    key(KeyCode::Char('h'), Action::Back, DETAIL, "back to the list"),
    key(KeyCode::Esc, Action::Help, HELP, "close the help"),
    key(KeyCode::Char('?'), Action::Help, ANY, "help"),
    key(KeyCode::Char('q'), Action::Quit, ANY, "leave"),
    control(
        'c',
        Action::Quit,
        &[Mode::List, Mode::Detail, Mode::Help, Mode::Filter],
        "leave",
    ),
];

/// What a key means in a mode.
pub fn action(mode: Mode, key: KeyEvent) -> Option<Action> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let bound = BINDINGS
        .iter()
        .find(|binding| {
            binding.code == key.code && binding.control == control && binding.modes.contains(&mode)
        })
        .map(|binding| binding.action);
    match (bound, key.code) {
        (None, KeyCode::Char(letter)) if mode == Mode::Filter && !control => {
            Some(Action::Type(letter))
        }
        (bound, _) => bound,
    }
}

/// Name of a key as the help shows it.
pub fn name(binding: &Binding) -> String {
    let key = match binding.code {
        KeyCode::Char(letter) => letter.to_string(),
        KeyCode::Enter => "enter".to_owned(),
        KeyCode::Esc => "esc".to_owned(),
        KeyCode::Tab => "tab".to_owned(),
        KeyCode::BackTab => "shift-tab".to_owned(),
        KeyCode::Up => "up".to_owned(),
        KeyCode::Down => "down".to_owned(),
        KeyCode::PageUp => "page-up".to_owned(),
        KeyCode::PageDown => "page-down".to_owned(),
        KeyCode::Home => "home".to_owned(),
        KeyCode::End => "end".to_owned(),
        KeyCode::Backspace => "backspace".to_owned(),
        other => other.to_string(),
    };
    if binding.control {
        format!("ctrl-{key}")
    } else {
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_mode() {
        for (at, one) in BINDINGS.iter().enumerate() {
            for other in &BINDINGS[at + 1..] {
                let clash = one.code == other.code
                    && one.control == other.control
                    && one.modes.iter().any(|mode| other.modes.contains(mode));
                assert!(!clash, "{} is bound twice", name(one));
            }
        }
    }

    #[test]
    fn letters_type_only_while_filtering() {
        let q = KeyEvent::from(KeyCode::Char('q'));
        assert_eq!(action(Mode::Filter, q), Some(Action::Type('q')));
        assert_eq!(action(Mode::List, q), Some(Action::Quit));
    }
}
