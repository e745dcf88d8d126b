//! Integration tests: one binary, one module per area.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed; tests write files and run programs as they please"
)]

mod artefacts;
mod aws;
mod canary;
mod checks;
mod checks_end_to_end;
mod command_line;
mod demo;
mod determinism;
mod everyday;
mod failures;
mod formats;
mod infrastructure;
mod joins;
mod layering;
mod linters;
mod nightly;
mod panel;
mod picture;
mod plans;
mod renamed;
mod requirements;
mod review;
mod review_stored;
mod sample;
mod sample_seen;
mod samples;
mod sarif;
mod support;
mod used;
