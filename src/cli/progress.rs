//! Progress on a terminal; silence elsewhere.

use super::args::Global;
use crate::sources::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal as _;

/// A bar on standard error, hidden unless that is a terminal and nobody asked for quiet.
#[derive(Debug)]
pub(super) struct Bar(ProgressBar);

impl Bar {
    /// A bar for one command.
    pub(super) fn new(global: &Global) -> Self {
        let visible = std::io::stderr().is_terminal() && global.quiet == 0 && global.verbose == 0;
        let target = if visible {
            ProgressDrawTarget::stderr_with_hz(10)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) = ProgressStyle::with_template(
            "{spinner} {msg} [{bar:30}] {human_pos}/{human_len} {elapsed}",
        ) {
            bar.set_style(style.progress_chars("=> "));
        }
        Self(bar)
    }

    /// Removes the bar.
    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Bar {
    fn stage(&self, name: &str) {
        self.0.set_message(name.to_owned());
    }

    fn planned(&self, units: u64) {
        self.0.inc_length(units);
    }

    fn done(&self, units: u64) {
        self.0.inc(units);
    }
}
