//! The AWS policy language: parse, match, expand, evaluate, trust, escalate. Pure.
//!
//! Two rules above all: missing data never turns into "may not", and a condition is neither ignored nor taken as safe:
//! it is evaluated as far as a scan knows, and kept in words.

pub mod arn;
pub mod compile;
pub mod condition;
pub mod context;
pub mod escalation;
pub mod evaluate;
pub mod expand;
mod judge;
pub mod matcher;
pub mod policy;
pub mod power;
mod principal;
mod subject;
mod trust;
pub mod variables;

pub use judge::{Judge, Judged};
pub use subject::{Breadth, subject_breadth};
