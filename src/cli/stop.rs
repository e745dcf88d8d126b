//! Ending a scan before it is done: a signal, or the time that was given to it. Reading ends at the next file, blob or
//! repository; if that takes too long, the program ends without waiting. Nothing half-written is left either way.

use super::exit::{Failure, Outcome};
use crate::sources::Halt;
use crate::store::atomic;
use anyhow::anyhow;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

/// How long a scan that was told to stop may take to do so.
const GRACE: Duration = Duration::from_secs(20);
/// Stands for the time that was given.
const TIMEOUT: i32 = -1;

/// Whether the scan is to end.
#[derive(Clone, Debug, Default)]
pub(super) struct Stop {
    why: Arc<AtomicI32>,
    halt: Halt,
}

impl Stop {
    /// What ends the reading.
    pub(super) fn halt(&self) -> Halt {
        self.halt.clone()
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
    pub(super) fn listen(&self, timeout: Option<Duration>) {
        #[cfg(unix)]
        self.listen_for_signals();
        if let Some(timeout) = timeout {
            let stop = self.clone();
            std::thread::spawn(move || {
                std::thread::sleep(timeout);
                stop.tell(TIMEOUT);
                // What was read is still to be judged and written.
                std::thread::sleep(GRACE.max(timeout / 4));
                end(
                    "the time is over and the scan has not come to an end: no report was written",
                    Outcome::Incomplete,
                );
            });
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
                let words = "stopped by a signal: no report was written";
                if count > 0 {
                    end(words, Outcome::Interrupted(signal));
                }
                std::thread::spawn(move || {
                    std::thread::sleep(GRACE);
                    end(words, Outcome::Interrupted(signal));
                });
            }
        });
    }
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
