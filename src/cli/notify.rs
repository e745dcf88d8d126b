//! Telling somebody that something changed.

use super::exit::Failure;
use super::nightly_args::{Nightly, NotifyFormat};
use super::print;
use crate::model::{Changes, Report};
use crate::report::changes;
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a command that is told may take,
const PATIENCE: Duration = Duration::from_mins(1);
/// and how long even if less of the run's time is left.
const LEAST: Duration = Duration::from_secs(10);

/// Whether a run is worth telling.
fn news(report: &Report) -> bool {
    !report.run.complete || report.changes.as_ref().is_none_or(Changes::any)
}

/// What is printed for cron: nothing where nothing changed.
pub(super) fn line(report: &Report, verbose: bool) -> Result<(), Failure> {
    if !news(report) {
        return Ok(());
    }
    if verbose {
        print(changes::page(report).as_bytes())
    } else {
        print(format!("{}\n", changes::line(report)).as_bytes())
    }
}

/// Runs the command that was named, if something changed, within what is left of the run's time. That it fails costs
/// nothing but a warning.
pub(super) fn command(nightly: &Nightly, report: &Report, left: Option<Duration>) {
    let Some(command) = &nightly.notify_command else {
        return;
    };
    if !news(report) {
        return;
    }
    let text = match nightly.notify_format {
        NotifyFormat::Text => changes::page(report),
        NotifyFormat::Json => format!("{:#}\n", changes::value(report)),
    };
    let patience = left.map_or(PATIENCE, |left| left.clamp(LEAST, PATIENCE));
    match tell(command, report, &text, patience) {
        Ok(None) => {}
        Ok(Some(how)) => tracing::warn!("the notify command {how}"),
        Err(error) => tracing::warn!("the notify command could not be run: {error}"),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the user names a command that is to be run"
)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new(if cfg!(windows) { "cmd" } else { "sh" });
    shell.arg(if cfg!(windows) { "/C" } else { "-c" });
    shell.arg(command);
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        // A group of its own, so that all it starts can be ended with it.
        shell.process_group(0);
    }
    shell
}

/// Ends a command that takes too long, and what it started: whoever waits for the output of the scan would wait for them.
fn end(child: &mut Child) -> std::io::Result<()> {
    #[cfg(unix)]
    if let Ok(group) = i32::try_from(child.id()) {
        #[expect(unsafe_code, reason = "the only way to end a group of processes")]
        // SAFETY: kill takes any number; the child has not been waited for, so that its group is no other's.
        let _ = unsafe { libc::kill(-group, libc::SIGKILL) };
    }
    child.kill()
}

/// Hands the text to the command and waits for it; says what went wrong.
fn tell(
    command: &str,
    report: &Report,
    text: &str,
    patience: Duration,
) -> std::io::Result<Option<String>> {
    let mut child = shell(command)
        .env("OVERSTAY_RUN", &report.run.id)
        .env("OVERSTAY_SUMMARY", changes::line(report))
        .stdin(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        let text = text.to_owned();
        // A command that does not read must not hold the scan up.
        std::thread::spawn(move || {
            let _ = stdin.write_all(text.as_bytes());
        });
    }
    wait(&mut child, patience)
}

fn wait(child: &mut Child, patience: Duration) -> std::io::Result<Option<String>> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((!status.success()).then(|| format!("failed: {status}")));
        }
        if begun.elapsed() > patience {
            end(child)?;
            child.wait()?;
            return Ok(Some("took too long and was ended".to_owned()));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
