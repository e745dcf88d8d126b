//! `overstay aws`, and the accounts a scan reads from AWS itself.

mod folder;
mod login;
pub(super) mod options;

use super::args::Global;
use super::environment;
use super::exit::{CommandResult, Failure, Outcome};
use super::print;
use super::progress::Bar;
use super::scan::Work;
use crate::model::CoverageStatus;
use crate::sources::aws::AwsSnapshot;
use crate::sources::aws::live::{self, Answers, Collected, LoginError, Memory, Options};
use crate::sources::aws::read_answers;
use crate::sources::{Halt, Progress};
use anyhow::{Context as _, anyhow};
use folder::{Folder, Unusable};
use jiff::Timestamp;
use login::Sessions;
use options::{Accounts, Aws, AwsCommand, Snapshot};
use std::fmt::Write as _;
use std::thread;
use std::time::Duration;
use tokio::sync::watch;

/// How often a collection looks whether it is to end.
const LOOK: Duration = Duration::from_millis(200);
/// Stack of the thread that asks AWS: states of many calls at once are large.
const STACK: usize = 16 * 1024 * 1024;

/// Runs `overstay aws …`.
pub(super) fn run(args: &Aws, global: &Global) -> CommandResult {
    match &args.command {
        AwsCommand::Snapshot(args) => snapshot(args, global),
    }
}

/// A collection that a scan asked for, checked as far as it can be before anybody is asked.
pub(super) struct Wanted<'a> {
    accounts: &'a Accounts,
    roles: Vec<String>,
}

impl<'a> Wanted<'a> {
    /// What the options ask for; `None`: nothing.
    pub(super) fn of(accounts: &'a Accounts) -> Result<Option<Self>, Failure> {
        if !accounts.any() {
            return Ok(None);
        }
        let roles = login::roles(accounts)?;
        Ok(Some(Self { accounts, roles }))
    }

    /// Reads the accounts, as a snapshot of them would be read.
    pub(super) fn read(&self, work: &Work) -> anyhow::Result<AwsSnapshot> {
        let answers = Memory::default();
        let halt = work.stop.halt();
        let (collected, _) = self.collect(&answers, work.now, &work.bar, &halt)?;
        for missing in &collected.missing {
            if missing.status == CoverageStatus::Failed {
                tracing::warn!("{}: {}", missing.unit, missing.reason);
            }
        }
        tracing::info!("{} requests to AWS", collected.requests);
        Ok(read_answers(answers.into_files()))
    }

    /// Signs in and collects; what was collected until an interrupt, or until somebody says that no more is to be read,
    /// stays.
    fn collect(
        &self,
        answers: &dyn Answers,
        now: Timestamp,
        progress: &dyn Progress,
        halt: &Halt,
    ) -> anyhow::Result<(Collected, Vec<LoginError>)> {
        // Everything waits for servers: one thread does it.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("starting the requests to AWS")?;
        let (tell, stop) = watch::channel(false);
        runtime.block_on(async {
            let work = async {
                let Sessions { targets, failed } =
                    login::sessions(self.accounts, &self.roles).await;
                let errors: Vec<LoginError> = failed
                    .iter()
                    .map(|(_, error)| error)
                    .chain(
                        targets
                            .iter()
                            .filter_map(|(_, identity)| identity.as_ref().err()),
                    )
                    .cloned()
                    .collect();
                let options = Options {
                    answers,
                    progress,
                    concurrency: self.accounts.aws_concurrency.into(),
                    now,
                    stop,
                };
                let collected = live::collect(targets, failed, options)
                    .await
                    .context("keeping the answers of AWS")?;
                Ok((collected, errors))
            };
            let mut work = Box::pin(work);
            let mut interrupts = 0;
            loop {
                tokio::select! {
                    done = &mut work => return done,
                    Ok(()) = tokio::signal::ctrl_c() => {
                        interrupts += 1;
                        if interrupts > 1 {
                            anyhow::bail!("stopped");
                        }
                        // Nobody listens any more once the work is done.
                        let _ = tell.send(true);
                    }
                    () = tokio::time::sleep(LOOK), if !*tell.borrow() => {
                        if halt.called() {
                            let _ = tell.send(true);
                        }
                    }
                }
            }
        })
    }
}

/// Reads accounts while `work` reads files: the one waits for servers, the other for the processor.
pub(super) fn beside<T>(
    wanted: Option<&Wanted<'_>>,
    how: &Work,
    work: impl FnOnce() -> T,
) -> anyhow::Result<(T, Option<AwsSnapshot>)> {
    let Some(wanted) = wanted else {
        return Ok((work(), None));
    };
    thread::scope(|scope| {
        let live = thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, || wanted.read(how))
            .context("starting a thread")?;
        let done = work();
        let live = live
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok((done, Some(live)))
    })
}

fn snapshot(args: &Snapshot, global: &Global) -> CommandResult {
    let wanted = Wanted {
        accounts: &args.accounts,
        roles: login::roles(&args.accounts)?,
    };
    let out = args.out.display();
    let folder = Folder::open(&args.out, args.fresh).map_err(|unusable| match unusable {
        Unusable::File => Failure::usage(
            anyhow!("{out} is a file, and a snapshot is a folder"),
            "name a new folder with --out DIR",
        ),
        Unusable::Other => Failure::usage(
            anyhow!("{out} holds files that are of no snapshot of `overstay aws snapshot`"),
            "name a new or empty folder with --out DIR",
        ),
        Unusable::Io(error) => Failure::usage(
            anyhow::Error::new(error).context(format!("opening the folder {out}")),
            "name a folder that can be written with --out DIR",
        ),
    })?;
    let bar = Bar::new(global);
    bar.stage("reading AWS");
    let collected = wanted.collect(&folder, environment::now(None), &bar, &Halt::default());
    bar.finish();
    let (collected, errors) = collected.map_err(|error| {
        Failure::usage(
            error.context(format!("writing the snapshot {out}")),
            "make room, or name another folder; the same command goes on where it stopped",
        )
    })?;
    if collected.accounts.is_empty() {
        return Err(nothing_read(&errors));
    }
    if global.quiet == 0 {
        print(told(&collected, &args.out.display().to_string()).as_bytes())?;
    }
    let incomplete = collected.stopped
        || collected
            .missing
            .iter()
            .any(|entry| entry.status.incomplete());
    Ok(if incomplete {
        Outcome::Incomplete
    } else {
        Outcome::Done
    })
}

/// Why no account was read: the first reason is the error, the others stand before it.
fn nothing_read(errors: &[LoginError]) -> Failure {
    let usage = errors
        .iter()
        .all(|error| matches!(error, LoginError::NoProfile { .. } | LoginError::NoRole(_)));
    let outcome = if usage && !errors.is_empty() {
        Outcome::Usage
    } else {
        Outcome::Incomplete
    };
    let all: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let error = if all.is_empty() {
        anyhow!("no AWS account was read: the collection was stopped")
    } else {
        anyhow!("no AWS account was read: {}", all.join("\n       "))
    };
    Failure {
        outcome,
        error,
        hint: None,
    }
}

/// What a collection came to, as a page.
fn told(collected: &Collected, out: &str) -> String {
    let mut page = String::new();
    for read in &collected.accounts {
        let by = if read.caller.is_empty() {
            String::new()
        } else {
            format!(", read by {}", read.caller)
        };
        let whole = read.whole_since.as_ref().map_or_else(String::new, |since| {
            format!(": whole since {since}; --fresh reads it again")
        });
        // Writing to a String cannot fail.
        let _ = writeln!(page, "Account {}{by}{whole}", read.account);
    }
    for missing in &collected.missing {
        let _ = writeln!(
            page,
            "  {} {}: {}",
            missing.status.as_str(),
            missing.unit,
            missing.reason
        );
    }
    let _ = writeln!(
        page,
        "{} requests, {} answers of an earlier run used",
        collected.requests, collected.kept
    );
    if collected.stopped {
        let _ = writeln!(
            page,
            "Interrupted: the same command goes on where it stopped."
        );
    }
    let _ = writeln!(page, "\nNext: overstay scan --aws-snapshot {out}");
    page
}
