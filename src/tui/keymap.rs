//! Which key does what in which mode. The help, the line of keys and the table of the documentation are made from it.

use super::action::Action;
use super::mode::Mode;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A key, with or without the control key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key.
    pub code: KeyCode,
    /// With the control key.
    pub control: bool,
}

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Self {
        Self {
            code: event.code,
            control: event.modifiers.contains(KeyModifiers::CONTROL),
        }
    }
}

const NAMED: [(&str, KeyCode); 15] = [
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("shift-tab", KeyCode::BackTab),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("page-up", KeyCode::PageUp),
    ("page-down", KeyCode::PageDown),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("space", KeyCode::Char(' ')),
];

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.control {
            f.write_str("ctrl-")?;
        }
        match (NAMED.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => f.write_str(name),
            (None, KeyCode::Char(letter)) => write!(f, "{letter}"),
            (None, KeyCode::F(number)) => write!(f, "f{number}"),
            (None, other) => write!(f, "{other}"),
        }
    }
}

impl FromStr for Key {
    type Err = KeymapError;

    fn from_str(text: &str) -> Result<Self, KeymapError> {
        let (control, name) = match text.strip_prefix("ctrl-") {
            Some(name) => (true, name),
            None => (false, text),
        };
        let mut letters = name.chars();
        let code = match (letters.next(), letters.next()) {
            (Some(letter), None) if !letter.is_control() => Some(KeyCode::Char(letter)),
            _ => NAMED
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, code)| *code)
                .or_else(|| {
                    let number = name.strip_prefix('f')?.parse().ok()?;
                    (1..=12).contains(&number).then_some(KeyCode::F(number))
                }),
        };
        code.map(|code| Self { code, control })
            .ok_or_else(|| KeymapError::Key(text.to_owned()))
    }
}

/// One binding.
#[derive(Clone, Debug)]
pub struct Binding {
    /// Key.
    pub key: Key,
    /// What it does.
    pub action: Action,
    /// Modes it works in.
    pub modes: &'static [Mode],
    /// Words of the help.
    pub help: &'static str,
}

/// Why key bindings of one's own cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeymapError {
    /// No such key.
    #[error(
        "`{0}` is no key; keys are letters, `enter`, `esc`, `tab`, `space`, `page-up`, `f1`, `ctrl-x` and the like"
    )]
    Key(String),
    /// No such action.
    #[error("`{0}` is nothing the review can do; `overstay review --keys` lists what there is")]
    Action(String),
    /// One key for two things.
    #[error("`{key}` would both {one} and {other}")]
    Clash {
        /// The key.
        key: String,
        /// The one.
        one: &'static str,
        /// The other.
        other: &'static str,
    },
}

const LIST: &[Mode] = &[Mode::List];
const READ: &[Mode] = &[Mode::List, Mode::Detail];
const SCROLL: &[Mode] = &[Mode::List, Mode::Detail, Mode::Help];
const DETAIL: &[Mode] = &[Mode::Detail];
const HELP: &[Mode] = &[Mode::Help];
const LINE: &[Mode] = &[Mode::Filter, Mode::Find];
const TYPING: &[Mode] = &[Mode::Filter, Mode::Find, Mode::Prompt, Mode::Menu];
const FIELDS: &[Mode] = &[Mode::Prompt];
const MENU: &[Mode] = &[Mode::Menu];
const ASKED: &[Mode] = &[Mode::Confirm];
const EVERY: &[Mode] = &[
    Mode::List,
    Mode::Detail,
    Mode::Filter,
    Mode::Find,
    Mode::Prompt,
    Mode::Menu,
    Mode::Confirm,
    Mode::Help,
];

/// One row of the table of bindings: keys, what they do, where, words of the help.
type Row = (
    &'static [&'static str],
    Action,
    &'static [Mode],
    &'static str,
);

/// The bindings, in the order of the help.
const TABLE: &[Row] = &[
    (&["j", "down"], Action::Down, SCROLL, "down"),
    (&["k", "up"], Action::Up, SCROLL, "up"),
    (
        &["page-down", "ctrl-d"],
        Action::PageDown,
        SCROLL,
        "a page down",
    ),
    (&["page-up", "ctrl-u"], Action::PageUp, SCROLL, "a page up"),
    (&["g", "home"], Action::First, SCROLL, "to the top"),
    (&["G", "end"], Action::Last, SCROLL, "to the end"),
    (&["1"], Action::View(0), READ, "where things stand"),
    (&["2"], Action::View(1), READ, "findings"),
    (&["3"], Action::View(2), READ, "identities"),
    (&["4"], Action::View(3), READ, "credentials"),
    (&["5"], Action::View(4), READ, "plan"),
    (&["6"], Action::View(5), READ, "coverage"),
    (&["7"], Action::View(6), READ, "decisions"),
    (&["tab"], Action::NextView, READ, "next view"),
    (&["shift-tab"], Action::PreviousView, READ, "previous view"),
    (&["enter", "l", "right"], Action::Open, LIST, "open"),
    (
        &["esc", "h", "left"],
        Action::Back,
        DETAIL,
        "back to the list",
    ),
    (
        &["esc"],
        Action::Back,
        LIST,
        "clear the filter and the marks",
    ),
    (&["i"], Action::Related, READ, "jump to what is related"),
    (
        &["ctrl-o", "backspace"],
        Action::Return,
        READ,
        "back from the jump",
    ),
    (&["]"], Action::NextUndecided, READ, "next undecided"),
    (
        &["["],
        Action::PreviousUndecided,
        READ,
        "previous undecided",
    ),
    (&["/"], Action::Filter, LIST, "filter"),
    (&["f"], Action::Facets, LIST, "filter by what this row has"),
    (&["V"], Action::Views, LIST, "saved filters"),
    (&["o"], Action::Group, LIST, "group"),
    (&["F"], Action::FoldAll, LIST, "fold or unfold all groups"),
    (&["s"], Action::Sort, LIST, "sort"),
    (&["S"], Action::Reverse, LIST, "turn the order round"),
    (&["w"], Action::Wide, LIST, "more columns"),
    (&["space"], Action::Mark, LIST, "mark"),
    (&["v"], Action::Range, LIST, "mark a range"),
    (&["*"], Action::MarkAll, LIST, "mark all of the filter"),
    (&["u"], Action::Unmark, LIST, "unmark all"),
    (&["a"], Action::AcceptRisk, READ, "accept the risk"),
    (&["x"], Action::FalsePositive, READ, "false positive"),
    (&["r"], Action::Remediate, READ, "will be fixed"),
    (&["d"], Action::Defer, READ, "defer"),
    (&["t"], Action::Owner, READ, "say who owns it"),
    (&["p"], Action::Purpose, READ, "say what it is for"),
    (&["b"], Action::BreakGlass, READ, "emergency access"),
    (&["D"], Action::Disposition, READ, "another disposition"),
    (&["0"], Action::Reopen, READ, "take back what was decided"),
    (&["."], Action::Repeat, READ, "decide the same again"),
    (&["z"], Action::Undo, READ, "undo"),
    (&["Z"], Action::Redo, READ, "redo"),
    (&["/"], Action::Find, DETAIL, "look for a text"),
    (&["n"], Action::FindNext, DETAIL, "next place"),
    (&["N"], Action::FindPrevious, DETAIL, "previous place"),
    (&["y"], Action::Copy, READ, "copy the id"),
    (&["Y"], Action::CopyPath, READ, "copy the path or name"),
    (&["e"], Action::Edit, READ, "open in the editor"),
    (&["E"], Action::Export, LIST, "write these rows to a file"),
    (&["ctrl-r"], Action::Reload, READ, "read the newer run"),
    (&[":"], Action::Palette, READ, "all commands"),
    (&["?"], Action::Help, READ, "help"),
    (&["?", "esc", "q"], Action::Help, HELP, "close the help"),
    (
        &["ctrl-z"],
        Action::Suspend,
        READ,
        "to the shell; `fg` returns",
    ),
    (&["q"], Action::Quit, READ, "leave"),
    (&["enter"], Action::Accept, TYPING, "take it"),
    (&["esc"], Action::Cancel, TYPING, "leave it"),
    (&["backspace"], Action::Erase, TYPING, "erase a letter"),
    (
        &["ctrl-w", "ctrl-u"],
        Action::EraseWord,
        TYPING,
        "erase a word",
    ),
    (&["tab"], Action::Complete, LINE, "complete"),
    (&["down"], Action::NextField, LINE, "next suggestion"),
    (&["up"], Action::PreviousField, LINE, "previous suggestion"),
    (&["tab", "down"], Action::NextField, FIELDS, "next field"),
    (
        &["shift-tab", "up"],
        Action::PreviousField,
        FIELDS,
        "previous field",
    ),
    (&["right"], Action::Complete, FIELDS, "next suggestion"),
    (&["down", "tab"], Action::NextField, MENU, "next"),
    (
        &["up", "shift-tab"],
        Action::PreviousField,
        MENU,
        "previous",
    ),
    (&["y", "enter"], Action::Accept, ASKED, "yes"),
    (&["n", "esc", "q"], Action::Cancel, ASKED, "no"),
    (&["ctrl-c"], Action::Quit, EVERY, "leave"),
];

/// The keys of a review.
#[derive(Clone, Debug)]
pub struct Keymap {
    /// The bindings, in the order of the help.
    pub bindings: Vec<Binding>,
}

impl Default for Keymap {
    fn default() -> Self {
        let bindings = TABLE.iter().flat_map(|(keys, action, modes, help)| {
            keys.iter().filter_map(|key| {
                Some(Binding {
                    key: key.parse().ok()?,
                    action: *action,
                    modes,
                    help,
                })
            })
        });
        Self {
            bindings: bindings.collect(),
        }
    }
}

impl Keymap {
    /// The keys with some of one's own: action to keys. An action that is named has these keys and no other.
    ///
    /// # Errors
    /// An unknown key or action, or one key for two things in one mode.
    pub fn with(own: &BTreeMap<String, Vec<String>>) -> Result<Self, KeymapError> {
        let mut keymap = Self::default();
        for (name, keys) in own {
            let (at, template) = keymap
                .bindings
                .iter()
                .enumerate()
                .find(|(_, binding)| command(binding.action) == *name)
                .map(|(at, binding)| (at, binding.clone()))
                .ok_or_else(|| KeymapError::Action(name.clone()))?;
            let modes = template.modes;
            keymap
                .bindings
                .retain(|binding| binding.action != template.action || binding.modes != modes);
            for (more, key) in keys.iter().enumerate() {
                let key: Key = key.parse()?;
                let binding = Binding {
                    key,
                    ..template.clone()
                };
                let at = (at + more).min(keymap.bindings.len());
                keymap.bindings.insert(at, binding);
            }
        }
        keymap.check()?;
        Ok(keymap)
    }

    fn check(&self) -> Result<(), KeymapError> {
        for (at, one) in self.bindings.iter().enumerate() {
            let clash = self.bindings.iter().skip(at + 1).find(|other| {
                one.key == other.key
                    && one.action != other.action
                    && one.modes.iter().any(|mode| other.modes.contains(mode))
            });
            if let Some(other) = clash {
                return Err(KeymapError::Clash {
                    key: one.key.to_string(),
                    one: one.help,
                    other: other.help,
                });
            }
        }
        Ok(())
    }

    /// What a key means in a mode.
    pub fn action(&self, mode: Mode, event: KeyEvent) -> Option<Action> {
        let key = Key::from(event);
        let bound = self
            .bindings
            .iter()
            .find(|binding| binding.key == key && binding.modes.contains(&mode))
            .map(|binding| binding.action);
        let types = matches!(mode, Mode::Filter | Mode::Find | Mode::Prompt | Mode::Menu);
        match (bound, key) {
            (
                None,
                Key {
                    code: KeyCode::Char(letter),
                    control: false,
                },
            ) if types => Some(Action::Type(letter)),
            (bound, _) => bound,
        }
    }

    /// What can be done in a mode: action, words of the help and all keys, in order.
    pub fn help(&self, mode: Mode) -> Vec<(Action, &'static str, Vec<Key>)> {
        let mut lines: Vec<(Action, &'static str, Vec<Key>)> = Vec::new();
        for binding in &self.bindings {
            if !binding.modes.contains(&mode) {
                continue;
            }
            match lines
                .iter_mut()
                .find(|(action, _, _)| *action == binding.action)
            {
                Some((_, _, keys)) => keys.push(binding.key),
                None => lines.push((binding.action, binding.help, vec![binding.key])),
            }
        }
        lines
    }

    /// The whole table in Markdown, as the documentation has it.
    pub fn markdown(&self) -> String {
        let mut rows: Vec<(String, &str, String, String)> = Vec::new();
        for binding in &self.bindings {
            let modes: Vec<String> = binding.modes.iter().map(word).collect();
            let modes = match modes.len() {
                8 => "everywhere".to_owned(),
                _ => modes.join(", "),
            };
            let name = command(binding.action);
            let key = match binding.key {
                Key {
                    code: KeyCode::Char('|'),
                    ..
                } => "`\\|`".to_owned(),
                key => format!("`{key}`"),
            };
            match rows.iter_mut().find(|(known, help, places, _)| {
                *known == name && *help == binding.help && *places == modes
            }) {
                Some((_, _, _, keys)) => {
                    keys.push(' ');
                    keys.push_str(&key);
                }
                None => rows.push((name, binding.help, modes, key)),
            }
        }
        let mut out = String::from("| keys | what they do | where | action |\n|---|---|---|---|\n");
        for (name, help, modes, keys) in rows {
            out.extend([
                "| ", &keys, " | ", help, " | ", &modes, " | `", &name, "` |\n",
            ]);
        }
        out
    }
}

/// Name of an action as configuration has it: `next-undecided`, `view-2`.
pub fn command(action: Action) -> String {
    match action {
        Action::View(number) => format!("view-{}", number + 1),
        other => word(&other),
    }
}

/// The word that stands for a value in JSON.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_table_is_one_and_means_one_thing() {
        let keys: usize = TABLE.iter().map(|(keys, ..)| keys.len()).sum();
        assert_eq!(Keymap::default().bindings.len(), keys);
        assert_eq!(Keymap::default().check(), Ok(()));
    }

    #[test]
    fn keys_come_back_from_their_names() {
        for binding in Keymap::default().bindings {
            assert_eq!(binding.key.to_string().parse(), Ok(binding.key));
        }
        assert_eq!("f5".parse::<Key>().unwrap().to_string(), "f5");
        assert!("nonsense".parse::<Key>().is_err());
    }

    #[test]
    fn letters_type_only_while_typing() {
        let q = KeyEvent::from(KeyCode::Char('q'));
        let keymap = Keymap::default();
        assert_eq!(keymap.action(Mode::Filter, q), Some(Action::Type('q')));
        assert_eq!(keymap.action(Mode::List, q), Some(Action::Quit));
    }

    #[test]
    fn own_keys_take_the_place_of_the_shipped_ones() {
        let own = |name: &str, keys: &[&str]| {
            let keys = keys.iter().map(|key| (*key).to_owned()).collect();
            Keymap::with(&BTreeMap::from([(name.to_owned(), keys)]))
        };
        let keymap = own("remediate", &["f2", "R"]).unwrap();
        let f2 = KeyEvent::from(KeyCode::F(2));
        assert_eq!(keymap.action(Mode::List, f2), Some(Action::Remediate));
        let r = KeyEvent::from(KeyCode::Char('r'));
        assert_eq!(keymap.action(Mode::List, r), None);
        insta::assert_snapshot!(own("remediate", &["a"]).unwrap_err(), @"`a` would both accept the risk and will be fixed");
        insta::assert_snapshot!(own("dance", &["a"]).unwrap_err(), @"`dance` is nothing the review can do; `overstay review --keys` lists what there is");
        insta::assert_snapshot!(own("quit", &["hyper-x"]).unwrap_err(), @"`hyper-x` is no key; keys are letters, `enter`, `esc`, `tab`, `space`, `page-up`, `f1`, `ctrl-x` and the like");
    }
}
