//! What a scan takes from the state folder and leaves there. A state that cannot be used costs neither the scan nor its
//! reports.

use super::args::Scan;
use super::environment;
use super::exit::Failure;
use super::memory::Remembered;
use crate::model::aws::AwsAccount;
use crate::model::{
    Coverage, CoverageStatus, Finding, FingerprintKey, Inventory, PlanMemory, Report, Run, Written,
};
use crate::scan::{KnownIds, RuleSet, ScanRequest, done, follow_plans};
use crate::store::change::{self, Asked, Kept, Left, Past, Reading};
use crate::store::runs::{Keep, Runs, RunsError, ScannedRow};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Runs that are kept when nobody says how many.
const KEPT: Keep = Keep::Runs(400);
/// The kind of what is kept of the files of a plan.
const PLAN: &str = "plan";
/// The kind of what is kept of texts in which no name holds a token.
const PLAIN: &str = "plain";

/// The database of a state folder while a scan runs.
pub(super) struct Keeping {
    state: PathBuf,
    asked: Asked,
    keep: Keep,
    /// The time was given: earlier runs are those of earlier times.
    by_time: bool,
    /// The database, unless it is lent out or cannot be used.
    runs: Option<Runs>,
    failed: Option<RunsError>,
    /// What was known before this run, once it was looked up.
    past: Option<Past>,
    left: Left,
    /// What was remembered of plans before this run, once it was looked up.
    earlier_plans: Option<EarlierPlans>,
    plans: PlanMemory,
    /// Seals what is kept of the files of the plan; none where the run keeps nothing of them.
    key: Option<FingerprintKey>,
    /// Nothing that is kept is handed out.
    full: bool,
    /// What else is to be kept with the run.
    rows: Vec<ScannedRow>,
}

/// What is remembered of plans; nothing where no run was stored, or by an older version.
struct EarlierPlans(Option<PlanMemory>);

impl KnownIds for Keeping {
    fn in_inventory(&mut self, run: &Run, inventory: &mut Inventory) {
        self.past = self.past(run);
        let Some(kept) = self.keep_declared(run, inventory) else {
            return;
        };
        change::rename(inventory, &kept.ids);
        self.left.aliases = kept.aliases;
        if let Some(past) = &mut self.past {
            past.renamed = kept.repositories;
        }
    }

    fn in_findings(&mut self, run: &Run, findings: &mut [Finding]) {
        if let Some(past) = self.past.take() {
            self.past = self.told(past, findings);
        }
        if let Some(past) = &self.past {
            let aliases = change::keep_ids(findings, &run.inputs, past);
            self.left.aliases.extend(aliases);
        }
    }

    fn is_plain(&mut self, digest: &str) -> bool {
        let Some(runs) = self.runs.as_ref().filter(|_| !self.full) else {
            return false;
        };
        let known = runs.scanned(PLAIN, &self.asked.scope, &by_program(digest));
        known.is_ok_and(|row| row.is_some())
    }

    fn note_plain(&mut self, digest: String) {
        self.rows.push(ScannedRow {
            kind: PLAIN,
            place: self.asked.scope.clone(),
            digest: by_program(&digest),
            documents: 0,
            of_interest: 0,
            commits: 0,
            packed: Vec::new(),
        });
    }

    fn plans(&mut self, run: &Run) -> Option<(&PlanMemory, done::Asked)> {
        self.earlier_plans = self.plans_before(run);
        let memory = self.earlier_plans.as_ref()?.0.as_ref()?;
        Some((memory, plan_asked(&self.asked)))
    }
}

impl Keeping {
    /// Opens the database.
    pub(super) fn open(state: &Path, args: &Scan) -> Self {
        let (runs, failed) = match Runs::open(state) {
            Ok(runs) => (Some(runs), None),
            Err(error) => (None, Some(error)),
        };
        Self {
            state: state.to_owned(),
            asked: asked(args),
            keep: args.keep.unwrap_or(KEPT),
            by_time: args.now.is_some(),
            runs,
            failed,
            past: None,
            left: Left::default(),
            earlier_plans: None,
            plans: PlanMemory::default(),
            key: None,
            full: args.full,
            rows: Vec::new(),
        }
    }

    /// There are earlier runs, and what they read is handed out.
    pub(super) fn knows_runs(&self) -> bool {
        let runs = self.runs.as_ref().filter(|_| !self.full);
        runs.is_some_and(|runs| runs.any().unwrap_or_default())
    }

    /// Says what the run is asked, where the arguments do not.
    pub(super) fn ask(&mut self, scope: String, reading: Reading, by_time: bool) {
        self.asked = Asked { scope, reading };
        self.by_time = by_time;
    }

    /// What the whole scan is asked, whatever part of it this is.
    pub(super) fn scope(&self) -> &str {
        let scope = self.asked.scope.as_str();
        scope.split(' ').next().unwrap_or(scope)
    }

    /// The state folder.
    pub(super) fn state(&self) -> &Path {
        &self.state
    }

    /// Looks up what was known before a run.
    fn past(&mut self, run: &Run) -> Option<Past> {
        match self.runs.as_ref()?.past(run, self.by_time) {
            Ok(past) => Some(past),
            Err(error) => {
                self.fail(error);
                None
            }
        }
    }

    /// Looks up how findings were told that the run does not have.
    fn told(&mut self, mut past: Past, findings: &[Finding]) -> Option<Past> {
        match self.runs.as_ref()?.tell(&mut past, findings) {
            Ok(()) => Some(past),
            Err(error) => {
                self.fail(error);
                None
            }
        }
    }

    /// Looks up what is remembered of plans before a run.
    fn plans_before(&mut self, run: &Run) -> Option<EarlierPlans> {
        match self.runs.as_ref()?.plans_before(run, self.by_time) {
            Ok(memory) => Some(EarlierPlans(memory)),
            Err(error) => {
                self.fail(error);
                None
            }
        }
    }

    /// The ids that what a run declares is known by.
    fn keep_declared(&mut self, run: &Run, inventory: &Inventory) -> Option<Kept> {
        let (identities, credentials) = (&inventory.identities, &inventory.credentials);
        let declared = change::declared(
            identities.values(),
            credentials.values(),
            inventory.consumers.values(),
        );
        if declared.is_empty() {
            return None;
        }
        let taken = identities.keys().map(ToString::to_string);
        let taken = taken.chain(credentials.keys().map(ToString::to_string));
        let taken: BTreeSet<String> = taken.collect();
        let sources = (run.inputs.as_slice(), &inventory.origins);
        let past = self.past.as_ref()?;
        let known = change::keep(&declared, sources, &taken, past, None).ids;
        let ids = declared.iter().map(|one| &one.id);
        let ids = ids.map(|id| known.get(id).unwrap_or(id).as_str()).collect();
        let runs = self.runs.as_ref()?;
        match runs.declared_before(run, &self.asked.scope, self.by_time, &ids) {
            Ok(before) => Some(change::keep(
                &declared,
                sources,
                &taken,
                past,
                before.as_ref(),
            )),
            Err(error) => {
                self.fail(error);
                None
            }
        }
    }

    /// Tells of every finding how it compares with what is known.
    pub(super) fn compare(&mut self, report: &mut Report) {
        let looked_up = |keeping: &mut Self| {
            let past = keeping.past(&report.run)?;
            keeping.told(past, &report.findings)
        };
        let Some(past) = self.past.take().or_else(|| looked_up(self)) else {
            return;
        };
        if !self.by_time
            && let Some((id, time)) = &past.run
            && *time > report.run.now
        {
            tracing::warn!(
                "the clock is behind the run before ({id}, {time}): ages are measured to the clock"
            );
        }
        self.left.reach = change::mark(report, &past, &self.asked);
        let memory = self.earlier_plans.take();
        let Some(EarlierPlans(memory)) = memory.or_else(|| self.plans_before(&report.run)) else {
            return;
        };
        if memory.is_none() && past.run.is_some() {
            report.tell(Coverage::new(
                "plan",
                "earlier plans",
                CoverageStatus::Noted,
                "the runs so far were kept by an older version that did not note when an item was planned first: all of \
                 them count as planned by this run",
            ));
        }
        match follow_plans(report, memory.unwrap_or_default(), &plan_asked(&self.asked)) {
            Ok(memory) => self.plans = memory,
            Err(error) => tracing::warn!("plans cannot be followed: {error}"),
        }
    }

    fn fail(&mut self, error: RunsError) {
        self.runs = None;
        self.failed.get_or_insert(error);
    }

    /// Hands what earlier runs have read to the scan.
    pub(super) fn lend(
        &mut self,
        args: &Scan,
        rules: &RuleSet,
        request: &ScanRequest,
    ) -> Option<Remembered> {
        let program = environment::program();
        let alone = !args.accounts.any();
        let how = (program.as_str(), environment::clock(), args.full, alone);
        self.key = Some(request.key.clone());
        let runs = self.runs.take()?;
        let memory = Remembered::new(runs, rules, &request.key, &request.read, how);
        Some(memory)
    }

    /// Takes it back with what this run has read.
    pub(super) fn take_back(&mut self, memory: Option<Remembered>) {
        let Some(memory) = memory else { return };
        let (runs, saved) = memory.save();
        self.runs = Some(runs);
        if let Err(error) = saved {
            self.failed.get_or_insert(error);
        }
    }

    /// What is kept of the files of a plan that were made in this place.
    pub(super) fn plan_files(&self, place: &Path) -> Option<Vec<u8>> {
        let (runs, key) = (self.runs.as_ref()?, self.key.as_ref()?);
        if self.full {
            return None;
        }
        let sealed = runs.scanned(PLAN, &named(key, place), &environment::program());
        let sealed = sealed.ok()??;
        key.unseal(&sealed)
    }

    /// Keeps that of them with the run.
    pub(super) fn keep_plan_files(&mut self, place: &Path, files: Vec<u8>, many: usize) {
        self.rows.extend(self.key.as_ref().map(|key| ScannedRow {
            kind: PLAN,
            place: named(key, place),
            digest: environment::program(),
            documents: many as u64,
            of_interest: 0,
            commits: 0,
            packed: key.seal(files),
        }));
    }

    /// Stores the run and lets go of old ones.
    pub(super) fn save(
        self,
        report: &Report,
        accounts: &[AwsAccount],
        written: Option<&Written>,
    ) -> Result<(), Failure> {
        let Self {
            state,
            asked,
            keep,
            runs,
            failed,
            left,
            plans,
            rows,
            ..
        } = self;
        let save = || -> Result<(), RunsError> {
            let Some(mut runs) = runs else {
                return failed.map_or(Ok(()), Err);
            };
            runs.save_whole(report, &asked, &left, &plans, accounts, written)?;
            if !rows.is_empty() {
                runs.keep_scanned(&rows, &[], environment::clock())?;
            }
            let removed = runs.keep(keep, report.run.now)?;
            if removed > 0 {
                tracing::info!(removed, "old runs were removed");
            }
            failed.map_or(Ok(()), Err)
        };
        save().map_err(|error| {
            let hint = error.hint();
            Failure::usage(
                anyhow::Error::new(error).context(format!(
                    "keeping the run in {}; its reports were written",
                    state.display()
                )),
                hint,
            )
        })
    }
}

/// A digest that holds for this program only: another one may know more tokens.
fn by_program(digest: &str) -> String {
    format!("{digest} {}", environment::program())
}

/// What stands for a place.
fn named(key: &FingerprintKey, place: &Path) -> String {
    let whole = std::fs::canonicalize(place).unwrap_or_else(|_| place.to_owned());
    key.name(&[PLAN.as_bytes(), whole.as_os_str().as_encoded_bytes()].concat())
}

/// What of it decides which plans can be told of.
pub(super) fn plan_asked(asked: &Asked) -> done::Asked {
    done::Asked {
        scope: asked.scope.clone(),
        history: matches!(asked.reading, Reading::History | Reading::Unreachable),
    }
}

/// What the arguments ask for.
fn asked(args: &Scan) -> Asked {
    let mut places: Vec<String> = Vec::new();
    for (kind, paths) in [
        ("path", &args.paths),
        ("aws", &args.aws_snapshot),
        ("cloudtrail", &args.cloudtrail),
    ] {
        for path in paths {
            let whole = std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
            places.push(format!("{kind}\0{}", whole.display()));
        }
    }
    let live = &args.accounts;
    places.extend(live.aws.then(|| "live\0".to_owned()));
    let named = [
        ("profile", &live.aws_profile[..]),
        ("role", &live.aws_role_arn[..]),
        ("organization", live.aws_organization.as_slice()),
    ];
    for (kind, names) in named {
        places.extend(names.iter().map(|name| format!("{kind}\0{name}")));
    }
    if let Some(list) = &live.aws_role_list {
        places.push(format!("roles\0{}", list.display()));
    }
    if let Some(list) = &args.many.repos_from {
        let whole = std::fs::canonicalize(list).unwrap_or_else(|_| list.clone());
        places.push(format!("list\0{}", whole.display()));
    }
    places.sort();
    places.dedup();
    let mut scope = blake3::hash(places.join("\n").as_bytes()).to_hex()[..16].to_owned();
    if let Some(shard) = args.many.shard {
        scope = format!("{scope} {}/{}", shard.number, shard.of);
    }
    let reading = match (args.no_history, args.since, args.unreachable) {
        (true, ..) => Reading::Current,
        (_, Some(since), _) => Reading::Since(since),
        (.., true) => Reading::Unreachable,
        _ => Reading::History,
    };
    Asked { scope, reading }
}
