//! The AWS policy language: parse, match, expand, evaluate, trust, escalate. Pure.
//!
//! Two rules above all: missing data never turns into "may not", and a condition is neither ignored nor taken as safe:
//! it is evaluated as far as a scan knows, and kept in words.

mod account;
pub mod arn;
mod block;
pub mod caller;
pub mod compile;
pub mod condition;
pub mod context;
pub mod decide;
pub mod escalation;
pub mod expand;
pub mod exposure;
mod judge;
pub mod layers;
pub mod matcher;
pub mod policy;
pub mod power;
mod principal;
pub mod request;
mod services;
mod subject;
#[cfg(test)]
mod testing;
mod trust;
pub mod usage;
pub mod variables;
pub mod world;

pub use judge::{Court, Judge, Judged};
pub use subject::{Breadth, subject_breadth};
