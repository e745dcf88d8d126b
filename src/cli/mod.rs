//! One file per command: arguments in, exit code out. The only room that reads the environment and the clock.

pub mod args;
mod ask;
mod attest;
mod aws;
mod completions;
mod decide;
mod demo;
mod diff;
mod doctor;
mod environment;
mod exit;
mod explain;
mod handed;
mod history;
mod inventory;
mod keeping;
pub mod kept_args;
mod listed;
mod logging;
mod memory;
mod merge;
pub mod nightly_args;
mod notify;
mod outputs;
mod pages;
mod plan;
mod plan_files;
mod progress;
mod report;
mod review;
mod rule_files;
mod rules;
mod runs;
mod scan;
mod select;
mod simulate;
mod stop;
mod tables;

use args::{Cli, Command, LogFormat};
use clap::Parser as _;
use exit::{CommandResult, Failure, Outcome};
use std::io::{self, Write as _};
use std::process::ExitCode;

/// Runs the program: parses the arguments, runs the command, shows a failure, gives the exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, not failures; clap prints each to the right stream. A closed pipe is fine.
            let _ = error.print();
            return if error.use_stderr() {
                Outcome::Usage.into()
            } else {
                Outcome::Done.into()
            };
        }
    };
    logging::init(&cli.global);
    stop::survive_limits();
    logging::catch_panics(|| run(&cli))
        .unwrap_or_else(|failure| show(&failure, cli.global.log_format))
        .into()
}

fn run(cli: &Cli) -> CommandResult {
    match &cli.command {
        Command::Scan(args) => scan::run(args, &cli.global),
        Command::Merge(args) => merge::run(args, &cli.global),
        Command::Demo(args) => demo::run(args, &cli.global),
        Command::Review(args) => review::run(args, &cli.global),
        Command::Explain(args) => explain::run(args, &cli.global),
        Command::Plan(args) => plan::run(args, &cli.global),
        Command::Simulate(args) => simulate::run(args, &cli.global),
        Command::Aws(args) => aws::run(args, &cli.global),
        Command::Can(args) => ask::can(args, &cli.global),
        Command::WhoCan(args) => ask::who_can(args, &cli.global),
        Command::Inventory(args) => inventory::run(args, &cli.global),
        Command::Report(args) => report::run(args, &cli.global),
        Command::Diff(args) => diff::run(args, &cli.global),
        Command::History(args) => history::run(args, &cli.global),
        Command::Decide(args) => decide::run(args, &cli.global),
        Command::Decisions(args) => decide::list(args, &cli.global),
        Command::Attest(args) => attest::run(args, &cli.global),
        Command::Rules(args) => rules::run(args),
        Command::Doctor(args) => doctor::run(args, &cli.global),
        Command::Completions { shell } => completions::shell(*shell),
        Command::Man => completions::man(),
    }
}

/// Shows a failure on standard error and gives its outcome.
fn show(failure: &Failure, log: LogFormat) -> Outcome {
    if is_broken_pipe(&failure.error) {
        return Outcome::Done;
    }
    if log == LogFormat::Json {
        let error = causes(&failure.error);
        let hint = failure.hint.as_deref().unwrap_or_default();
        tracing::error!(exit = failure.outcome.code(), hint, "{error}");
        return failure.outcome;
    }
    let hint = failure
        .hint
        .as_ref()
        .map_or_else(String::new, |hint| format!("  try: {hint}\n"));
    let text = format!("error: {}\n{hint}", causes(&failure.error));
    // Nothing is left to tell anyone when standard error itself is closed.
    let _ = io::stderr().write_all(text.as_bytes());
    failure.outcome
}

/// An error and its causes, without those that the error before them has told already.
fn causes(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if text.contains(&cause) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause);
    }
    text
}

/// The reader of our output went away, as `head` does: not a failure.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// Writes to standard output.
fn print(text: &[u8]) -> Result<(), Failure> {
    use anyhow::Context as _;
    let mut out = io::stdout().lock();
    out.write_all(text)
        .and_then(|()| out.flush())
        .context("writing to standard output")?;
    Ok(())
}
