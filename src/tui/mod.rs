//! The review in a terminal: a stored run, read and decided about with the keyboard. No scan and no network inside.
//!
//! ```text
//! event ─► keymap ─► Action ─► reduce ─► State ─► view ─► frame
//!                                 └─► Effect ─► terminal.rs, or what the command gave: decisions, files, editor
//! ```
//!
//! [`reduce`] and [`view`] are pure; only `terminal.rs` touches the terminal.

pub mod action;
mod cells;
mod columns;
mod complete;
pub mod data;
mod form;
mod group;
mod history;
pub mod keymap;
mod ledger;
pub mod list;
mod menu;
pub mod mode;
mod page;
mod progress;
pub mod reduce;
pub mod state;
mod terminal;
mod verdict;
pub mod view;
mod whole;

pub use data::{File, Whole};
pub use state::Recording;
pub use terminal::{Outside, run};
pub use verdict::Draft;
