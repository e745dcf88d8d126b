//! Finds the machine identities whose access outlasts their task, and plans how each moves to access that expires with
//! the work.
//!
//! ```text
//! sources ──► secrets ──┐
//!    │                  ├─► graph ──► checks ──► jit ──► plan ──► report / tui
//!    └─────► manifests ─┘     ▲          ▲                          ▲
//!            aws snapshot ────┘         iam                       store
//! ```
//!
//! What always holds:
//!
//! 1. A secret's bytes never leave [`secrets`] and [`manifests`]. Outside, a credential is its public identifier, a mask
//!    and a keyed fingerprint.
//! 2. Read-only and offline. Found secrets are never used.
//! 3. Same input, same `--now`, same bytes out, whatever `--jobs`: clocks are injected, every order is total.
//! 4. Unknown is a value: missing telemetry is neither risk nor proof of disuse.
//! 5. Partial failure is first-class: what could not be read is in the coverage with its reason; the rest stands.
//! 6. Thresholds, weights, mechanisms, mappings and paths are data under `rules/`.
//! 7. Everything from outside is hostile: sizes, depths and ratios are capped, text is neutralised where it is shown.

pub mod ask;
pub mod checks;
pub mod cli;
pub mod graph;
pub mod iam;
pub mod jit;
pub mod manifests;
pub mod model;
pub mod plan;
pub mod query;
pub mod report;
pub mod rules;
pub mod scan;
pub mod secrets;
pub mod sources;
pub mod store;
pub mod tui;
pub mod unpack;
