//! Ending a scan before it is done: a signal, or the time that was given to it. Reading ends at the next file, blob or
//! repository; if that takes too long, the program ends without waiting. Nothing half-written is left either way.
//!
//! The time is for the whole run: reading ends some time before it is over, so that what was read can be judged and its
//! reports written in the rest; once it is over, what reports can do without is left out.

use super::exit::{Failure, Outcome};
use crate::sources::Halt;
use crate::store::atomic;
use anyhow::anyhow;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU8, Ordering};
use std::time::{Duration, Instant};

/// How long a scan that was told to stop may take to do so.
const GRACE: Duration = Duration::from_secs(20);
/// One part in so many of the time is for judging and writing what was read,
const REST: u32 = 8;
/// but no more than this.
const MOST_REST: Duration = Duration::from_mins(15);
/// One part in so many of the time may be added to it, where that is more than [`GRACE`].
const MORE: u32 = 20;
/// Stands for the time that was given.
const TIMEOUT: i32 = -1;

/// Whether the scan is to end.
#[derive(Clone, Debug, Default)]
pub(super) struct Stop {
    why: Arc<AtomicI32>,
    halt: Halt,
    late: Halt,
    stage: Arc<AtomicU8>,
    until: Option<Instant>,
}

/// How far the run has come, as far as it matters to what is said of its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Stage {
    /// The reports are in their place.
    Reported = 1,
    /// The run is kept as well: nothing of it is lost any more.
    Kept = 2,
}

impl Stop {
    /// What ends the reading.
    pub(super) fn halt(&self) -> Halt {
        self.halt.clone()
    }

    /// Says that the whole time is over.
    pub(super) fn late(&self) -> Halt {
        self.late.clone()
    }

    /// What is left of the time; `None` where none was given.
    pub(super) fn left(&self) -> Option<Duration> {
        self.until
            .map(|until| until.saturating_duration_since(Instant::now()))
    }

    /// Notes how far the run has come.
    pub(super) fn reached(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::Relaxed);
    }

    fn is(&self, stage: Stage) -> bool {
        self.stage.load(Ordering::Relaxed) >= stage as u8
    }

    /// Says so; the first reason stands.
    fn tell(&self, reason: i32) {
        let _ = self
            .why
            .compare_exchange(0, reason, Ordering::Relaxed, Ordering::Relaxed);
        self.halt.call();
    }

    /// Ends the scan where a signal said so.
    pub(super) fn check(&self) -> Result<(), Failure> {
        match self.why.load(Ordering::Relaxed) {
            signal if signal > 0 => Err(Failure {
                outcome: Outcome::Interrupted(signal),
                error: anyhow!("stopped by signal {signal}: no report was written"),
                hint: None,
            }),
            _ => Ok(()),
        }
    }

    /// Listens for signals, and for the end of the time that was given.
    pub(super) fn listen(&mut self, timeout: Option<Duration>) {
        let begun = Instant::now();
        self.until = timeout.map(|timeout| begun + timeout);
        #[cfg(unix)]
        self.listen_for_signals();
        if let Some(timeout) = timeout {
            let stop = self.clone();
            std::thread::spawn(move || {
                let until = |end: Duration| std::thread::sleep(end.saturating_sub(begun.elapsed()));
                until(reading(timeout));
                stop.tell(TIMEOUT);
                until(timeout);
                stop.late.call();
                until(timeout + grace(timeout));
                if !stop.is(Stage::Kept) {
                    let what = stop.written();
                    end(
                        &format!("the time is over and the run has not come to an end: {what}"),
                        Outcome::Incomplete,
                    );
                }
            });
        }
    }

    /// What there is of a run that ends here.
    fn written(&self) -> &'static str {
        if self.is(Stage::Reported) {
            "its reports were written, the run was not kept"
        } else {
            "no report was written"
        }
    }

    #[cfg(unix)]
    fn listen_for_signals(&self) {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP]) else {
            return;
        };
        let stop = self.clone();
        std::thread::spawn(move || {
            for (count, signal) in signals.forever().enumerate() {
                stop.tell(signal);
                let now = stop.clone();
                let end_now = move || {
                    let words = if now.is(Stage::Kept) {
                        "the reports were written and the run was kept"
                    } else {
                        now.written()
                    };
                    let words = format!("stopped by a signal: {words}");
                    end(&words, Outcome::Interrupted(signal));
                };
                if count > 0 {
                    end_now();
                } else {
                    std::thread::spawn(move || {
                        std::thread::sleep(GRACE);
                        end_now();
                    });
                }
            }
        });
    }
}

/// How much of the time is for reading.
fn reading(timeout: Duration) -> Duration {
    timeout.saturating_sub((timeout / REST).min(MOST_REST))
}

/// By how much a run may exceed its time.
fn grace(timeout: Duration) -> Duration {
    GRACE.max(timeout / MORE)
}

/// Ends the program at once.
#[expect(
    clippy::exit,
    reason = "the thread that reads does not answer; what is half-written is removed first"
)]
fn end(words: &str, outcome: Outcome) {
    atomic::discard();
    let _ = writeln!(std::io::stderr(), "error: {words}");
    std::process::exit(outcome.code().into());
}

/// A file that grows beyond a limit of the system fails to be written, as on a full disk, and does not end the program.
#[cfg(unix)]
pub(super) fn survive_limits() {
    #[expect(
        unsafe_code,
        reason = "the only way to say that a signal is to be ignored"
    )]
    // SAFETY: SIG_IGN is a valid disposition, and no other thread runs yet.
    let _ = unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

/// There are no such limits here.
#[cfg(not(unix))]
pub(super) fn survive_limits() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_leaves_time_for_the_rest() {
        let minutes = Duration::from_mins;
        assert_eq!(reading(minutes(8)), minutes(7));
        assert_eq!(reading(minutes(240)), minutes(225));
        assert_eq!(grace(minutes(1)), GRACE);
        assert_eq!(grace(minutes(120)), minutes(6));
    }
}
