//! The plan alone: a page for a terminal, JSON, CSV, tickets, and the curve of what it removes.

pub mod curve;
mod json;
pub mod page;
pub mod table;
pub mod tickets;

pub(super) use json::PlanJson;
pub(super) use page::PlanPage;
pub(super) use table::PlanCsv;
pub(super) use tickets::{Importer, Tickets};
