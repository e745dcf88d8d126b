//! `overstay review`.

mod memory;
mod outside;
mod stored;

use super::args::{Global, Review};
use super::environment;
use super::exit::{CommandResult, Failure, Outcome};
use crate::rules::renames;
use crate::store::decisions::Log;
use crate::tui::Whole;
use crate::tui::keymap::Keymap;
use crate::tui::state::{End, Settings, State};
use anyhow::{Context as _, anyhow};
use memory::Memory;
use outside::Desk;
use std::io::{IsTerminal as _, Write as _};
use stored::Stored;

/// Opens a stored run in the terminal.
pub(super) fn run(args: &Review, global: &Global) -> CommandResult {
    let config = environment::configuration(global.config.as_deref())?;
    let keymap = Keymap::with(&config.config.review.keys)
        .context("the keys of the review in the configuration")
        .map_err(|error| {
            Failure::usage(
                error,
                "`overstay review --keys` prints the keys as they ship",
            )
        })?;
    if args.keys {
        write!(std::io::stdout(), "{}", keymap.markdown()).context("printing the keys")?;
        return Ok(Outcome::Done);
    }
    let mut stored = Stored::open(global, &config.config, args.run.as_deref())?;
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(Failure::usage(
            anyhow!("the review needs a terminal"),
            "`overstay report` prints the same run; `overstay explain ID` prints one subject",
        ));
    }
    let folder = environment::state_folder(global.state.as_deref(), &config)?;
    let file = environment::decisions_file(global, &folder);
    let memory = Memory::read(&folder);
    let unread = |error| {
        Failure::usage(
            anyhow::Error::new(error).context("reading the decisions"),
            "make the file readable, or move it away",
        )
    };
    let (log, decided) = Log::open(&file).map_err(unread)?;
    let mut decided = Some(decided);
    let mut desk = Desk::new(args, &config, &folder, log)?;
    let mut settings = Settings {
        keymap,
        read_only: args.read_only,
        actor: desk.actor().to_owned(),
        today: environment::today(),
        reasons: config.config.review.reasons.clone(),
        views: memory.views.clone(),
        trend: desk.trend(),
        renames: renames::builtin().context("reading the names of rules")?,
        reviewed: memory.reviewed,
    };
    loop {
        let decided = match decided.take() {
            Some(decided) => decided,
            None => desk.decided().map_err(unread)?,
        };
        let bad = decided.bad.len();
        let mut state = State::new(
            &stored.report,
            stored.rest.as_ref().map(|rest| rest as &dyn Whole),
            decided,
            settings.clone(),
        );
        if bad > 0 {
            state.notice = Some(format!(
                "{bad} lines of {} are no decisions and are left out",
                file.display()
            ));
        }
        let end = std::thread::scope(|scope| {
            // The first letter of a filter would wait for it.
            if let Some(rest) = &stored.rest {
                scope.spawn(|| rest.brief().lower());
            }
            crate::tui::run(&mut state, &mut desk, args.mouse)
        });
        let end = end.context("the review")?;
        settings = state.settings.clone();
        let memory = Memory {
            views: settings.views.clone(),
            reviewed: Some(stored.report.run.now).max(memory.reviewed),
        };
        match end {
            End::Quit => {
                if !args.read_only {
                    memory.write(&folder)?;
                }
                return Ok(Outcome::Done);
            }
            End::Reload => {
                drop(state);
                stored = Stored::open(global, &config.config, None)?;
            }
        }
    }
}
