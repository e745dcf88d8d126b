//! `overstay doctor`: what a run would use, and what is wrong with it.

use super::args::{Doctor, Global};
use super::environment;
use super::exit::{CommandResult, Failure, Outcome};
use super::{print, rule_files};
use crate::scan::RuleSet;
use crate::secrets;
use crate::store::decisions::{self, Held, Standing};
use crate::store::key;
use crate::store::lock::{LockError, StateLock};
use crate::store::runs::{self, Runs};
use anyhow::anyhow;
use jiff::tz::TimeZone;
use std::fmt::Write as _;
#[cfg(unix)]
use std::path::{Path, PathBuf};

/// Lines of the decisions that are no events and are named one by one.
const BAD_LINES: usize = 5;

/// Lines of the page, and how many of them are faults.
#[derive(Default)]
struct Page {
    text: String,
    faults: usize,
}

impl Page {
    fn good(&mut self, what: &str, text: impl AsRef<str>) {
        let _ = writeln!(self.text, "  ok    {what:<14} {}", text.as_ref());
    }

    fn note(&mut self, what: &str, text: impl AsRef<str>) {
        let _ = writeln!(self.text, "  note  {what:<14} {}", text.as_ref());
    }

    fn fault(&mut self, what: &str, text: impl AsRef<str>) {
        self.faults += 1;
        let _ = writeln!(self.text, "  FAULT {what:<14} {}", text.as_ref());
    }
}

/// Checks everything and prints a line for each.
pub(super) fn run(args: &Doctor, global: &Global) -> CommandResult {
    let mut page = Page {
        text: format!("overstay {}\n", env!("CARGO_PKG_VERSION")),
        faults: 0,
    };
    let config = match environment::configuration(global.config.as_deref()) {
        Ok(mut config) => {
            // Lists of people are part of what is judged by.
            if let Err(failure) = super::scan::add_people(None, &mut config) {
                page.fault("people", format!("{:#}", failure.error));
            }
            match &config.path {
                Some(path) => page.good("configuration", path.display().to_string()),
                None => page.note(
                    "configuration",
                    "none; overstay.toml here or in a folder above would be read",
                ),
            }
            config
        }
        Err(failure) => {
            page.fault("configuration", format!("{:#}", failure.error));
            environment::LoadedConfig::default()
        }
    };
    check_rules(&mut page, &config);
    check_key(&mut page, args, &config);
    check_state(&mut page, global, &config);
    check_decisions(&mut page, global, &config);

    print(page.text.as_bytes())?;
    if page.faults == 0 {
        return Ok(Outcome::Done);
    }
    Err(Failure::usage(
        anyhow!("{} of the above must be mended before a scan", page.faults),
        "see the lines marked FAULT",
    ))
}

fn check_rules(page: &mut Page, config: &environment::LoadedConfig) {
    let own = match rule_files::own(&[], config) {
        Ok(own) => own,
        Err(failure) => return page.fault("rules", format!("{:#}", failure.error)),
    };
    let loaded = RuleSet::load(config.config.clone(), &own).and_then(|loaded| {
        let rules = loaded.detection.rules()?.clone();
        Ok((loaded, rules))
    });
    match loaded {
        Ok((loaded, rules)) => {
            let problems = secrets::check(&rules);
            for problem in &problems {
                page.fault("rules", problem.to_string());
            }
            if problems.is_empty() {
                page.good(
                    "rules",
                    format!(
                        "{} detection rules, {} checks, {} target mechanisms; digest {}, policy {}",
                        rules.rules().len(),
                        loaded.posture.checks().count(),
                        loaded.measures.targets.entries().len(),
                        loaded.digest,
                        loaded.policy_digest()
                    ),
                );
            }
        }
        Err(error) => page.fault("rules", error.to_string()),
    }
}

fn check_key(page: &mut Page, args: &Doctor, config: &environment::LoadedConfig) {
    let path = match environment::key_file(args.key_file.as_deref(), config) {
        Ok(path) => path,
        Err(failure) => return page.fault("key", format!("{:#}", failure.error)),
    };
    if !path.exists() && args.key_file.is_none() && config.config.fingerprint_key_file.is_none() {
        return page.note(
            "key",
            format!("{} will be made by the first scan", path.display()),
        );
    }
    match key::load(&path) {
        Ok(loaded) => {
            page.good(
                "key",
                format!(
                    "{} is key {}; reports name it as run.fingerprint_key",
                    path.display(),
                    loaded.key.id()
                ),
            );
            if let Some(warning) = loaded.warning {
                page.note("key", warning);
            }
        }
        Err(error) => page.fault("key", error.to_string()),
    }
}

fn check_state(page: &mut Page, global: &Global, config: &environment::LoadedConfig) {
    let state = match environment::state_folder(global.state.as_deref(), config) {
        Ok(state) => state,
        Err(failure) => return page.fault("state", format!("{:#}", failure.error)),
    };
    if !state.exists() {
        return page.note(
            "state",
            format!("{} will be made by the first scan", state.display()),
        );
    }
    let lock = StateLock::open(&state)
        .and_then(|mut lock| lock.acquire(environment::now(None)).map(|_| ()));
    match lock {
        Ok(()) => page.good("state", state.display().to_string()),
        Err(error @ LockError::Held { .. }) => page.note("state", error.to_string()),
        Err(error) => page.fault("state", error.to_string()),
    }
    let runs = Runs::open(&state).and_then(|runs| {
        let list = runs.list()?;
        let latest = runs.latest()?;
        Ok((list.len(), latest, runs.check()?))
    });
    let runs = runs.map(|(count, latest, faults)| {
        for fault in faults {
            page.fault("database", fault);
        }
        (count, latest)
    });
    match runs {
        Ok((count, Some(latest))) => page.good(
            "runs",
            format!("{count} stored; the last is {}", latest.run.id),
        ),
        Ok((_, None)) => page.note("runs", "none stored"),
        Err(error) => page.fault("runs", error.to_string()),
    }
    #[cfg(unix)]
    for path in open_to_others(&state) {
        page.note(
            "mode",
            format!(
                "{} can be read by others than its owner: `chmod go= {}`",
                path.display(),
                path.display()
            ),
        );
    }
}

/// The state folder and the files of the program in it, as far as others than the owner may do anything with them. What
/// people decided is made to be shared.
#[cfg(unix)]
fn open_to_others(state: &Path) -> Vec<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let database = |end: &str| state.join(format!("{}{end}", runs::FILE));
    let all = ["", "-wal", "-shm"].map(database);
    let open = |path: &PathBuf| {
        let about = std::fs::metadata(path);
        about.is_ok_and(|about| about.permissions().mode() & 0o077 != 0)
    };
    all.into_iter().filter(open).collect()
}

fn check_decisions(page: &mut Page, global: &Global, config: &environment::LoadedConfig) {
    let Ok(state) = environment::state_folder(global.state.as_deref(), config) else {
        // Told of already.
        return;
    };
    let path = environment::decisions_file(global, &state);
    if !path.exists() && global.decisions.is_none() {
        return page.note("decisions", "none were made");
    }
    let read = match decisions::read(&path) {
        Ok(read) => read,
        Err(error) => return page.fault("decisions", error.to_string()),
    };
    for bad in read.bad.iter().take(BAD_LINES) {
        page.fault(
            "decisions",
            format!("{}:{}: {}", path.display(), bad.line, bad.reason),
        );
    }
    if let Some(more) = read.bad.len().checked_sub(BAD_LINES + 1) {
        page.fault("decisions", format!("and {} more such lines", more + 1));
    }
    let events = read.events.len();
    let standing = Standing::of(read);
    let today = environment::now(None).to_zoned(TimeZone::UTC).date();
    let conflicts = standing
        .registers()
        .filter(|(_, _, register)| matches!(register.held(today), Some(Held::Conflict(_))));
    match conflicts.count() {
        0 => page.good(
            "decisions",
            format!("{events} events in {}", path.display()),
        ),
        many => page.note(
            "decisions",
            format!("{events} events, {many} conflicts; `overstay decisions` tells of them"),
        ),
    }
}
