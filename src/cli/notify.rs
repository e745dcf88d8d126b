//! Telling somebody that something changed.

use super::exit::Failure;
use super::nightly_args::{Nightly, NotifyFormat};
use super::print;
use crate::model::{Changes, Report};
use crate::report::changes;
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a command that is told may take.
const PATIENCE: Duration = Duration::from_mins(1);

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

/// Runs the command that was named, if something changed. That it fails costs nothing but a warning.
pub(super) fn command(nightly: &Nightly, report: &Report) {
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
    match tell(command, report, &text) {
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
    shell
}

/// Hands the text to the command and waits for it; says what went wrong.
fn tell(command: &str, report: &Report, text: &str) -> std::io::Result<Option<String>> {
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
    wait(&mut child)
}

fn wait(child: &mut Child) -> std::io::Result<Option<String>> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((!status.success()).then(|| format!("failed: {status}")));
        }
        if begun.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            return Ok(Some("took too long and was ended".to_owned()));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
