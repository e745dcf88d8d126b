//! What the review has done for it: decisions on the disk, the editor, files, the shell.

use super::super::args::Review;
use super::super::environment::{self, LoadedConfig};
use super::super::exit::Failure;
use super::super::select;
use super::memory::Memory;
use crate::model::Report;
use crate::report::rows;
use crate::store::atomic;
use crate::store::decisions::{
    self, DecisionError, Decisions, Event, Log, Recorded, Scope, Standing, Subjects, Topic,
};
use crate::store::runs::{Runs, Wanted};
use crate::tui::data::{Data, Item};
use crate::tui::state::SavedView;
use crate::tui::{Draft, Outside, Recording};
use anyhow::anyhow;
use percent_encoding::percent_decode_str;
use std::path::{Component, Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The place the review is held at.
pub(super) struct Desk {
    state: PathBuf,
    log: Log,
    actor: String,
    runs: Option<Runs>,
    roots: Vec<(String, PathBuf)>,
    /// Folders in which repositories are looked for.
    around: Vec<PathBuf>,
    ended: Arc<AtomicBool>,
    /// The report that whole entries were read into last.
    page: Option<Report>,
}

impl Desk {
    pub(super) fn new(
        args: &Review,
        config: &LoadedConfig,
        state: &Path,
        log: Log,
    ) -> Result<Self, Failure> {
        let mut roots = Vec::new();
        for root in &args.root {
            let (name, folder) = root.split_once('=').ok_or_else(|| {
                Failure::usage(
                    anyhow!("`--root {root}` names no folder"),
                    "write --root NAME=DIR, with the repository's name as the report has it",
                )
            })?;
            roots.push((name.to_owned(), PathBuf::from(folder)));
        }
        let ended = Arc::new(AtomicBool::new(false));
        #[cfg(unix)]
        {
            // Without it the program ends at once, which loses nothing but the look of the terminal. When the terminal is
            // gone, nothing is left to put in order, and reading from it would never end: SIGHUP ends the program.
            let _ = signal_hook::flag::register(signal_hook::consts::SIGTERM, Arc::clone(&ended));
        }
        let around = std::env::current_dir()
            .into_iter()
            .chain(config.folder().map(Path::to_owned))
            .collect();
        Ok(Self {
            state: state.to_owned(),
            log,
            actor: args.actor.clone().unwrap_or_else(environment::user),
            runs: Runs::open(state).ok(),
            roots,
            around,
            ended,
            page: None,
        })
    }

    /// Reads the decisions again.
    pub(super) fn decided(&mut self) -> Result<Decisions, DecisionError> {
        self.log.read()
    }

    /// Who decides.
    pub(super) fn actor(&self) -> &str {
        &self.actor
    }

    /// The standing risk of the runs so far.
    pub(super) fn trend(&self) -> Vec<u32> {
        let figures = self.runs.as_ref().and_then(|runs| runs.trend().ok());
        figures
            .unwrap_or_default()
            .iter()
            .map(|figure| u32::try_from(figure.standing_risk).unwrap_or(0))
            .collect()
    }

    /// A digest of what the run tells of what is decided about.
    fn evidence(&mut self, data: &Data<'_>, subjects: &Subjects) -> Result<Option<String>, String> {
        let (Some(runs), Some(_)) = (&self.runs, data.whole) else {
            return Ok(select::evidence(data.report, subjects));
        };
        let mut wanted = Wanted::default();
        for scope in subjects.each() {
            match data.find(scope.id()) {
                Some(Item::Finding(at)) => wanted.findings.insert(at),
                Some(Item::Credential(at)) => wanted.credentials.insert(at),
                Some(Item::Identity(at)) => wanted.identities.insert(at),
                _ => false,
            };
        }
        let kept = self.page.take();
        let kept = kept.filter(|page| page.run.id == data.report.run.id);
        let mut whole = kept.unwrap_or_else(|| data.report.clone());
        let picked = runs.pick(&wanted, &mut whole);
        picked.map_err(|error| format!("not recorded: {error}"))?;
        let evidence = select::evidence(&whole, subjects);
        self.page = Some(Report {
            findings: Vec::new(),
            credentials: Vec::new(),
            identities: Vec::new(),
            ..whole
        });
        Ok(evidence)
    }

    /// The file of a place: in a folder that was named, else beside or below the folders around.
    fn file(&self, repository: Option<&str>, uri: &str) -> Option<PathBuf> {
        let path = PathBuf::from(percent_decode_str(uri).decode_utf8_lossy().into_owned());
        // A report may come from elsewhere: its paths must not lead out of the folder.
        if !path
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
        {
            return None;
        }
        let name = repository.unwrap_or_default();
        let last = name.rsplit('/').next().unwrap_or_default();
        let named = self
            .roots
            .iter()
            .filter(|(known, _)| known == name)
            .map(|(_, folder)| folder.join(&path));
        let found = self.around.iter().flat_map(|folder| {
            let own = folder.file_name().is_some_and(|own| own == last);
            let below = [folder.join(name), folder.join(last)];
            let mut places: Vec<PathBuf> = below.iter().map(|base| base.join(&path)).collect();
            if own || name.is_empty() {
                places.push(folder.join(&path));
            }
            if let Some(parent) = folder.parent() {
                places.push(parent.join(last).join(&path));
            }
            places
        });
        named.chain(found).find(|path| path.is_file())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the review opens the user's own editor"
)]
fn command(program: &str) -> Command {
    Command::new(program)
}

/// In the order in which the run has them, so that what is stored together is read together.
fn in_order(data: &Data<'_>, scopes: Vec<Scope>) -> Vec<Scope> {
    let mut placed: Vec<(Option<Item>, Scope)> = scopes
        .into_iter()
        .map(|scope| (data.find(scope.id()), scope))
        .collect();
    placed.sort();
    placed.into_iter().map(|(_, scope)| scope).collect()
}

impl Outside for Desk {
    fn record(&mut self, data: &Data<'_>, drafts: Vec<Draft>) -> Result<Recording, String> {
        let at = environment::now(None);
        let refused = |error| format!("not recorded: {error}");
        // Another review may have written meanwhile.
        let anew = self.log.changed().map_err(refused)?.map(Standing::of);
        let known = anew.as_ref().unwrap_or(data.ledger.standing());
        let mut events = Vec::new();
        for draft in drafts {
            let topic = Topic::of(&draft.decision);
            let scopes = in_order(data, draft.scopes);
            for share in decisions::shares(scopes, |scope| known.heads(scope, topic)) {
                // Who undoes looks at what was decided and not at what it was about.
                let evidence = match draft.undoes {
                    None => self.evidence(data, &share.subjects)?,
                    Some(_) => None,
                };
                events.push(Event {
                    at,
                    actor: self.actor.clone(),
                    after: Some(share.after),
                    run: Some(data.report.run.id.clone()),
                    evidence,
                    scope: share.subjects,
                    decision: draft.decision.clone(),
                    reason: draft.reason.clone(),
                    expires: draft.expires,
                    ticket: draft.ticket.clone(),
                    undoes: draft.undoes.clone(),
                });
            }
        }
        self.log.append(&events).map_err(refused)?;
        Ok(Recording {
            anew,
            made: events.into_iter().map(Recorded::of).collect(),
        })
    }

    fn editor(&mut self, repository: Option<&str>, uri: &str, line: u32) -> Result<(), String> {
        let file = self.file(repository, uri).ok_or_else(|| {
            format!("{uri} is not here; start the review where the repository is, or give --root NAME=DIR")
        })?;
        let editor = ["VISUAL", "EDITOR"]
            .into_iter()
            .find_map(environment::variable)
            .ok_or("no editor: set VISUAL or EDITOR")?;
        // As git and others do, the variable may hold arguments.
        let words = editor.to_string_lossy().into_owned();
        let mut words = words.split_whitespace();
        let program = words.next().ok_or("no editor: VISUAL or EDITOR is empty")?;
        let status = command(program)
            .args(words)
            .arg(format!("+{line}"))
            .arg(&file)
            .status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("{program} ended with {status}")),
            Err(error) => Err(format!("cannot start {program}: {error}")),
        }
    }

    fn export(
        &mut self,
        file: &str,
        titles: &[String],
        cells: &[Vec<String>],
    ) -> Result<String, String> {
        let path = Path::new(file);
        let markdown = path.extension().is_some_and(|extension| extension == "md");
        let mut bytes = Vec::new();
        let written = if markdown {
            rows::markdown(titles, cells, &mut bytes)
        } else {
            rows::csv(titles, cells, &mut bytes)
        };
        written.map_err(|error| error.to_string())?;
        atomic::write(path, &bytes).map_err(|error| error.to_string())?;
        Ok(format!("wrote {} rows to {file}", cells.len()))
    }

    fn keep_views(&mut self, views: &[SavedView]) -> Result<(), String> {
        let mut memory = Memory::read(&self.state);
        memory.views = views.to_vec();
        memory
            .write(&self.state)
            .map_err(|failure| failure.error.to_string())
    }

    fn suspend(&mut self) {
        #[cfg(unix)]
        // What cannot be stopped goes on.
        let _ = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP);
    }

    fn ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    fn newest(&mut self) -> Option<String> {
        let list = self.runs.as_ref()?.list().ok()?;
        list.first().map(|entry| entry.id.clone())
    }
}
