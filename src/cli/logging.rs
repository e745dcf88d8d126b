//! What goes to standard error: the log, and panics without their payload.

use super::args::{Global, LogFormat};
use super::exit::{CommandResult, Outcome};
use std::io::{self, Write as _};
use std::panic::{self, AssertUnwindSafe};
use tracing::level_filters::LevelFilter;

/// Starts the log at the level the flags ask for.
pub(super) fn init(global: &Global) {
    let level = match (global.quiet, global.verbose) {
        // Whoever gathers a log by machine wants to know what was done and how long it took.
        (0, 0) if global.log_format == LogFormat::Json => LevelFilter::INFO,
        (0, 0) => LevelFilter::WARN,
        (0, 1) => LevelFilter::INFO,
        (0, 2) => LevelFilter::DEBUG,
        (0, _) => LevelFilter::TRACE,
        (_, _) => LevelFilter::ERROR,
    };
    let targets = tracing_subscriber::filter::Targets::new().with_target("overstay", level);
    use tracing_subscriber::prelude::*;
    let registry = tracing_subscriber::registry().with(targets);
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(false);
    match global.log_format {
        LogFormat::Text => registry
            .with(layer.without_time().with_target(false))
            .init(),
        LogFormat::Json => registry.with(layer.json()).init(),
    }
}

/// Runs a command; a panic becomes exit code 70. The payload of a panic may quote what was being read, so only the place
/// in the program is shown.
pub(super) fn catch_panics(run: impl FnOnce() -> CommandResult) -> CommandResult {
    panic::set_hook(Box::new(|info| {
        let place = info
            .location()
            .map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
        let text = format!(
            "error: a fault of overstay itself{place}\n  try: run again with -vv and report the last lines; what was \
             written before is whole and kept\n"
        );
        let _ = io::stderr().write_all(text.as_bytes());
    }));
    panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or(Ok(Outcome::Internal))
}
