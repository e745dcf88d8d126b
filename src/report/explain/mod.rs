//! The whole reasoning about one thing, as one page for a terminal.

mod page;
mod subject;
mod trail;
mod used;

pub use page::page;
pub use subject::{Candidate, Found, Subject, find};
