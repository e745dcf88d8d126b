//! The review in a terminal: a stored run, read with the keyboard. No scan and no network inside.
//!
//! Events become [`Action`]s through the keymap, [`reduce`] changes the [`State`], [`view`] draws it. Only this file
//! touches the terminal.

pub mod action;
pub mod keymap;
pub mod reduce;
pub mod rows;
pub mod state;
pub mod view;

use crate::model::Report;
use action::Action;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use state::State;
use std::io;

/// Opens the review and returns when the user leaves it. The terminal is restored whatever happens.
///
/// # Errors
/// When the terminal cannot be used.
pub fn run(report: Report) -> io::Result<()> {
    let mut state = State::new(report);
    ratatui::run(|terminal| {
        while !state.quit {
            terminal.draw(|frame| view::draw(&mut state, frame))?;
            for action in next_actions(&state)? {
                reduce::reduce(&mut state, &action);
            }
        }
        Ok(())
    })
}

/// Waits for an event; what it means depends on the mode.
fn next_actions(state: &State) -> io::Result<Vec<Action>> {
    Ok(match event::read()? {
        Event::Key(key) if key.kind != KeyEventKind::Release => {
            keymap::action(state.mode, key).into_iter().collect()
        }
        Event::Paste(text) => text
            .chars()
            .filter(|letter| !letter.is_control())
            .map(Action::Type)
            .collect(),
        _ => Vec::new(),
    })
}
