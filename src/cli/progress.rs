//! Progress on a terminal; silence elsewhere.

use super::args::Global;
use super::pages;
use crate::sources::{HISTORY, Progress};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// A bar on standard error, hidden unless that is a terminal and nobody asked for quiet.
#[derive(Debug)]
pub(super) struct Bar {
    drawn: ProgressBar,
    /// The stage that runs, and since when.
    stage: Mutex<Option<(String, Instant)>>,
}

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
        Self {
            drawn: bar,
            stage: Mutex::new(None),
        }
    }

    /// Notes how long the stage took that ends.
    fn next(&self, stage: Option<&str>) {
        let mut known = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((name, since)) = known.take() {
            let milliseconds = since.elapsed().as_millis() as u64;
            tracing::info!(stage = name.as_str(), milliseconds, "stage done");
        }
        *known = stage.map(|name| (name.to_owned(), Instant::now()));
    }

    /// Removes the bar.
    pub(super) fn finish(&self) {
        self.next(None);
        self.drawn.finish_and_clear();
    }
}

impl Progress for Bar {
    fn stage(&self, name: &str) {
        self.next(Some(name));
        if name == HISTORY {
            pages::give_back_later();
        }
        self.drawn.set_message(name.to_owned());
    }

    fn planned(&self, units: u64) {
        self.drawn.inc_length(units);
    }

    fn done(&self, units: u64) {
        self.drawn.inc(units);
    }
}
