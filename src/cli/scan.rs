//! `overstay scan`.

use super::args::{Global, Scan};
use super::aws::{self, Wanted};
use super::environment::{self, LoadedConfig};
use super::exit::{CommandResult, Failure, Outcome};
use super::handed::{self, Handed};
use super::keeping::Keeping;
use super::listed::{self, Listed};
use super::memory::Remembered;
use super::plan_files::Recalled;
use super::progress::Bar;
use super::stop::{Stage, Stop};
use super::{merge, notify, outputs, pages, print, rule_files};
use crate::model::aws::AwsAccount;
use crate::model::{FindingStatus, FingerprintKey, Report, Severity, Written};
use crate::report::{Format, Options};
use crate::scan::{
    Gathered, PartHead, RuleSet, ScanError, ScanRequest, gather, join, judge, scan, write_part,
};
use crate::sources::{Halt, NoMemory, NoProgress, ReadOptions};
use crate::store::atomic;
use crate::store::decisions::{self, Decisions};
use crate::store::key;
use crate::store::lock::{Held, LockError, StateLock};
use anyhow::{Context as _, anyhow};
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Folder of the reports when none is named.
const DEFAULT_OUT: &str = "overstay-report";

/// What `--fail-on-new` looks at.
const NEWS: [FindingStatus; 3] = [
    FindingStatus::New,
    FindingStatus::Reappeared,
    FindingStatus::Worsened,
];

/// Scans, writes the reports, keeps the run, prints the summary, tests the gates.
pub(super) fn run(args: &Scan, global: &Global) -> CommandResult {
    if let Some(handed) = handed::handed(args)? {
        return run_handed(handed, args, global);
    }
    if args.paths.is_empty()
        && args.many.repos_from.is_none()
        && args.aws_snapshot.is_empty()
        && args.cloudtrail.is_empty()
        && !args.accounts.any()
    {
        return Err(Failure::usage(
            anyhow!("nothing was named to scan"),
            "overstay scan PATH...  or  overstay scan --aws  or  overstay scan --aws-snapshot PATH --cloudtrail PATH  or  overstay demo",
        ));
    }
    let accounts = args.accounts.any() || !args.aws_snapshot.is_empty();
    if args.many.shard.is_some() && (accounts || !args.cloudtrail.is_empty()) {
        return Err(Failure::usage(
            anyhow!("accounts and their logs belong to no part of the repositories"),
            "hand --aws, --aws-snapshot and --cloudtrail to `overstay merge`",
        ));
    }
    check_accounts(args)?;
    let listed = listed::paths(args)?;
    with_state(args, global, |config, keeping, work| {
        scan_paths(args, global, config, keeping, work, listed)
    })
}

/// What is named of accounts must be there.
pub(super) fn check_accounts(args: &Scan) -> Result<(), Failure> {
    for path in &args.aws_snapshot {
        std::fs::metadata(path)
            .with_context(|| format!("the account snapshot {} does not exist", path.display()))
            .map_err(|error| Failure::usage(error, "docs/aws-snapshot.md says how to make one"))?;
    }
    for path in &args.cloudtrail {
        std::fs::metadata(path)
            .with_context(|| format!("the CloudTrail logs {} do not exist", path.display()))
            .map_err(|error| Failure::usage(error, "docs/cloudtrail.md says how to get them"))?;
    }
    Ok(())
}

/// How a run is made.
pub(super) struct Work {
    pub(super) now: Timestamp,
    pub(super) bar: Bar,
    pub(super) stop: Stop,
}

/// Makes a report while holding the state folder, tells how it compares, writes it, keeps it, tests the gates.
pub(super) fn with_state(
    args: &Scan,
    global: &Global,
    make: impl FnOnce(LoadedConfig, &mut Keeping, &Work) -> Result<Judged, Failure>,
) -> CommandResult {
    let begun = Instant::now();
    let mut stop = Stop::default();
    stop.listen(args.nightly.timeout);
    let config = environment::configuration(global.config.as_deref())?;
    let state = environment::state_folder(global.state.as_deref(), &config)?;
    let now = environment::now(args.now);
    let mut lock = match StateLock::open(&state) {
        Ok(lock) => Some(lock),
        // A full disk must not cost the reports; the run itself cannot be kept, which is told in the end.
        Err(LockError::Io { path, source }) => {
            tracing::warn!("cannot lock `{}`: {source}", path.display());
            None
        }
        Err(error) => return Err(lock_failure(error)),
    };
    let held = lock.as_mut().map(|lock| hold(lock, now)).transpose()?;
    let mut keeping = Keeping::open(&state, args);
    if keeping.knows_runs() {
        pages::ask_for_large_ones();
    } else {
        pages::give_back_at_once();
    }
    let work = Work {
        now,
        bar: Bar::new(global),
        stop,
    };
    let made = make(config, &mut keeping, &work);
    work.bar.finish();
    let Judged {
        mut report,
        accounts,
        rules,
    } = made?;
    keeping.compare(&mut report);
    work.stop.check()?;
    let made_with = (&accounts[..], &rules);
    let written = deliver(
        args,
        global,
        &mut report,
        made_with,
        &mut keeping,
        &work.stop,
    )?;
    work.stop.reached(Stage::Reported);
    // Reports come first: what the next run compares with, somebody must have been able to read.
    let kept = keeping.save(&report, &accounts, written.as_ref());
    if kept.is_ok() {
        work.stop.reached(Stage::Kept);
    }
    notify::command(&args.nightly, &report, work.stop.left());
    told(&report, begun);
    kept?;
    drop(held);
    let outcome = outcome(args, &report);
    // The program ends: to take large reports apart costs more than it gives back.
    std::mem::forget((report, accounts, rules, written));
    Ok(outcome)
}

/// What was judged, and what the rest of the run needs of how.
pub(super) struct Judged {
    report: Report,
    accounts: Vec<AwsAccount>,
    rules: RuleSet,
}

/// Makes the files of the plan and writes the reports; hands over what of them the state folder keeps as well.
fn deliver(
    args: &Scan,
    global: &Global,
    report: &mut Report,
    made_with: (&[AwsAccount], &RuleSet),
    keeping: &mut Keeping,
    stop: &Stop,
) -> Result<Option<Written>, Failure> {
    let out = args.out.as_deref().unwrap_or(Path::new(DEFAULT_OUT));
    let options = outputs::options(args.csv, global);
    if let Some(format) = args.format {
        let (accounts, rules) = made_with;
        outputs::artefacts(None, report, accounts, rules, &stop.late())?;
        for output in &args.output {
            outputs::file(output, report, options)?;
        }
        outputs::show(format, report, options)?;
        return Ok(None);
    }
    let plan = Recalled::take(out, report, keeping);
    let mut written = Written::of(report).context("writing the report as JSON")?;
    let mut plan = plan.make(report, written.as_mut(), made_with, options, &stop.late())?;
    for output in &args.output {
        outputs::file(output, report, options)?;
    }
    outputs::folder(out, report, &plan.ready(written.as_ref()), options)?;
    plan.put(report, keeping)?;
    if args.nightly.cron {
        notify::line(report, global.verbose > 0)?;
    } else if global.quiet == 0 {
        outputs::show(Format::Summary, report, options)?;
        print(format!("\nReports: {}\n", out.display()).as_bytes())?;
    }
    Ok(written)
}

/// The run in one event of the log.
fn told(report: &Report, begun: Instant) {
    let of = |word: &str| {
        let changes = report.changes.as_ref();
        changes
            .and_then(|changes| changes.statuses.get(word))
            .copied()
            .unwrap_or_default()
    };
    tracing::info!(
        run = report.run.id.as_str(),
        milliseconds = begun.elapsed().as_millis() as u64,
        inputs = report.run.inputs.len(),
        identities = report.identities.len(),
        credentials = report.credentials.len(),
        findings = report.findings.len(),
        new = of("new"),
        reappeared = of("reappeared"),
        worsened = of("worsened"),
        fixed = of("fixed"),
        plan_items = report.plan.len(),
        standing_risk = report.summary.standing_risk,
        complete = report.run.complete,
        "run finished"
    );
}

/// What the arguments ask to be scanned.
pub(super) fn request(
    args: &Scan,
    global: &Global,
    keeping: &Keeping,
    key: FingerprintKey,
    now: Timestamp,
) -> Result<ScanRequest, Failure> {
    let out = args.out.clone().unwrap_or_else(|| DEFAULT_OUT.into());
    Ok(ScanRequest {
        paths: args.paths.clone(),
        given: Vec::new(),
        known: Vec::new(),
        aws_snapshots: args.aws_snapshot.clone(),
        cloudtrail: args.cloudtrail.clone(),
        own: vec![out, keeping.state().to_owned()],
        shard: args.many.shard.map(|shard| (shard.number, shard.of)),
        told: Vec::new(),
        read: ReadOptions {
            history: !args.no_history,
            unreachable: args.unreachable,
            since: args.since,
            trust_repo_owner: args.trust_repo_owner,
            ..ReadOptions::default()
        },
        decisions: decided(global, keeping.state())?,
        key,
        now,
    })
}

fn scan_paths(
    args: &Scan,
    global: &Global,
    config: LoadedConfig,
    keeping: &mut Keeping,
    work: &Work,
    listed: Listed,
) -> Result<Judged, Failure> {
    let (rules, key) = rules_and_key(args, config)?;
    let mut request = request(args, global, keeping, key, work.now)?;
    request.paths = listed.paths;
    request.read.limits.halt = work.stop.halt();
    request.told = listed.coverage;
    let memory = keeping.lend(args, &rules, &request);
    let wanted = Wanted::of(&args.accounts)?;
    let read = aws::beside(wanted.as_ref(), work, || {
        in_pool(args.jobs, || match &memory {
            Some(memory) => gather(&request, &rules, &work.bar, memory),
            None => gather(&request, &rules, &work.bar, &NoMemory),
        })
    });
    let gathered = || {
        let (gathered, live) = read?;
        work.stop.check()?;
        let mut gathered = gathered?.map_err(scan_failure)?;
        if let Some(live) = live {
            gathered.add(live);
        }
        Ok(gathered)
    };
    let gathered = match gathered() {
        Ok(gathered) => gathered,
        Err(failure) => {
            // What was read is kept, and nothing else is done.
            keeping.take_back(memory);
            return Err(failure);
        }
    };
    if let Some(shard) = args.many.shard {
        let head = PartHead::new(&request, &rules, keeping.scope(), shard.number, shard.of);
        let out = args.out.as_deref().unwrap_or(Path::new(DEFAULT_OUT));
        let sealed = write_part(&head, &gathered, &request.key).context("packing what was read")?;
        atomic::write(&out.join(merge::FILE), &sealed).map_err(|error| {
            Failure::usage(error, "name a place that can be written with --out")
        })?;
    }
    judged(args, &request, rules, work, gathered, keeping, memory)
}

/// What there is to read of accounts alone.
pub(super) fn accounts(
    request: &ScanRequest,
    rules: &RuleSet,
    args: &Scan,
    work: &Work,
) -> Result<Gathered, Failure> {
    let wanted = Wanted::of(&args.accounts)?;
    let (gathered, live) = aws::beside(wanted.as_ref(), work, || {
        in_pool(args.jobs, || gather(request, rules, &work.bar, &NoMemory))
    })?;
    let mut gathered = gathered?.map_err(scan_failure)?;
    if let Some(live) = live {
        gathered.add(live);
    }
    Ok(gathered)
}

/// Joins and judges what was read, and gives back the memory it was read with.
pub(super) fn judged(
    args: &Scan,
    request: &ScanRequest,
    rules: RuleSet,
    work: &Work,
    gathered: Gathered,
    keeping: &mut Keeping,
    memory: Option<Remembered>,
) -> Result<Judged, Failure> {
    let joined = in_pool(args.jobs, || match &memory {
        Some(memory) => join(request, &rules, &work.bar, gathered, memory),
        None => join(request, &rules, &work.bar, gathered, &NoMemory),
    });
    keeping.take_back(memory);
    let (joined, accounts) = joined?.map_err(scan_failure)?;
    let judged = in_pool(args.jobs, || {
        judge(request, &rules, &work.bar, joined, keeping)
    })?;
    let report = judged.map_err(scan_failure)?;
    Ok(Judged {
        report,
        accounts,
        rules,
    })
}

/// What people decided.
fn decided(global: &Global, state: &Path) -> Result<Decisions, Failure> {
    let path = environment::decisions_file(global, state);
    decisions::read(&path).map_err(|error| {
        Failure::usage(
            error,
            "name a file that can be read with --decisions, or leave the option out",
        )
    })
}

/// The rules of this scan and the key of its fingerprints.
pub(super) fn rules_and_key(
    args: &Scan,
    config: LoadedConfig,
) -> Result<(RuleSet, FingerprintKey), Failure> {
    let key = fingerprint_key(args.key_file.as_deref(), &config)?;
    let own = rule_files::own(&args.rules, &config)?;
    let mut config = config;
    add_people(args.people.as_deref(), &mut config)?;
    let mut config = config.config;
    if let Some(size) = args.wave_size {
        let plan = config
            .scoring
            .entry("plan")
            .or_insert_with(|| toml::Value::Table(toml::Table::new()));
        if let toml::Value::Table(plan) = plan {
            plan.insert("wave_size".to_owned(), i64::from(size).into());
        }
    }
    let rules = RuleSet::load(config, &own)
        .context("loading the rules")
        .map_err(|error| {
            Failure::usage(
                error,
                "`overstay rules check` and `overstay doctor` say more",
            )
        })?;
    Ok((rules, key))
}

/// Scans what was handed over. Nothing is kept, and nothing is written that was not asked for.
fn run_handed(handed: Handed, args: &Scan, global: &Global) -> CommandResult {
    if args.staged && handed.given.is_empty() && handed.coverage.is_empty() {
        return Ok(Outcome::Done);
    }
    let config = environment::configuration(global.config.as_deref())?;
    let (rules, key) = rules_and_key(args, config)?;
    let request = ScanRequest {
        paths: Vec::new(),
        given: handed.given,
        known: handed.known,
        aws_snapshots: Vec::new(),
        cloudtrail: Vec::new(),
        own: Vec::new(),
        shard: None,
        told: Vec::new(),
        read: ReadOptions::default(),
        decisions: Decisions::default(),
        key,
        now: environment::now(args.now),
    };
    let scanned = in_pool(args.jobs, || scan(&request, &rules, &NoProgress))?;
    let (mut report, accounts) = scanned.map_err(scan_failure)?;
    for entry in handed.coverage {
        report.tell(entry);
    }

    let options = Options {
        unkept: true,
        ..outputs::options(args.csv, global)
    };
    let place = args.out.as_ref().map(|out| out.join("plan"));
    let plan = outputs::artefacts(
        place.as_deref(),
        &mut report,
        &accounts,
        &rules,
        &Halt::default(),
    )?;
    for output in &args.output {
        outputs::file(output, &report, options)?;
    }
    if let Some(out) = &args.out {
        outputs::folder(out, &report, &outputs::Ready::default(), options)?;
        outputs::put(plan)?;
    }
    if let Some(format) = args.format {
        outputs::show(format, &report, options)?;
    } else if args.staged {
        print(handed::page(&report, args.paths.first().map(PathBuf::as_path)).as_bytes())?;
    } else if global.quiet == 0 {
        print(handed::listing(&report).as_bytes())?;
        outputs::show(Format::Summary, &report, options)?;
    }
    let held = args.staged && args.fail_on.is_none() && !handed::held_back(&report).is_empty();
    Ok(if held {
        Outcome::Gate
    } else {
        outcome(args, &report)
    })
}

/// Runs the work on as many threads as asked for.
fn in_pool<T: Send>(jobs: Option<u16>, work: impl FnOnce() -> T + Send) -> Result<T, Failure> {
    let Some(jobs) = jobs else {
        return Ok(work());
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(jobs.into())
        .build()
        .context("starting the threads")?;
    Ok(pool.install(work))
}

/// Adds the lists of people of the command line and of the configuration.
pub(super) fn add_people(given: Option<&Path>, config: &mut LoadedConfig) -> Result<(), Failure> {
    const HELP: &str = "docs/configuration.md says what a list of people looks like";
    let of_config = config
        .config
        .people_file
        .as_ref()
        .map(|path| config.folder().unwrap_or(Path::new(".")).join(path));
    for path in given.map(Path::to_owned).into_iter().chain(of_config) {
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("reading the list of people {}", path.display()))
            .map_err(|error| Failure::usage(error, HELP))?;
        config
            .config
            .add_people(&text)
            .with_context(|| format!("the list of people {} is not usable", path.display()))
            .map_err(|error| Failure::usage(error, HELP))?;
    }
    Ok(())
}

fn fingerprint_key(given: Option<&Path>, config: &LoadedConfig) -> Result<FingerprintKey, Failure> {
    let path = environment::key_file(given, config)?;
    // A key that was named must exist: making a new one in its place would break every comparison with earlier reports.
    let named = given.is_some() || config.config.fingerprint_key_file.is_some();
    let loaded = if named {
        key::load(&path)
    } else {
        key::load_or_create(&path)
    };
    let loaded = loaded.map_err(|error| {
        Failure::usage(
            error,
            "a key file holds 64 hexadecimal digits: `openssl rand -hex 32 > FILE`",
        )
    })?;
    if let Some(warning) = &loaded.warning {
        tracing::warn!("{warning}");
    }
    Ok(loaded.key)
}

fn hold(lock: &mut StateLock, now: Timestamp) -> Result<Held<'_>, Failure> {
    lock.acquire(now).map_err(lock_failure)
}

fn lock_failure(error: LockError) -> Failure {
    match error {
        LockError::Held { .. } => Failure {
            outcome: Outcome::Busy,
            error: error.into(),
            hint: None,
        },
        LockError::Io { .. } => {
            Failure::usage(error, "name a folder that can be locked with --state DIR")
        }
    }
}

pub(super) fn scan_failure(error: ScanError) -> Failure {
    match error {
        ScanError::Nothing(_) => Failure::new(
            Outcome::Nothing,
            error,
            "name folders that hold files or repositories, or an account snapshot",
        ),
        ScanError::Discover(_) => Failure::usage(
            error,
            "check the spelling; a path that does not exist is not scanned",
        ),
        ScanError::Rules(_) => {
            Failure::usage(error, "`overstay rules check` names the rule at fault")
        }
        ScanError::Check(_) | ScanError::Name => Failure {
            outcome: Outcome::Internal,
            error: error.into(),
            hint: None,
        },
    }
}

/// A tripped gate outranks an incomplete scan: what was found is certain, and neither passes.
fn outcome(args: &Scan, report: &Report) -> Outcome {
    let reaches = |level: Option<Severity>, only_new: bool| {
        level.is_some_and(|level| {
            report.findings.iter().any(|finding| {
                finding.severity >= level
                    && finding.status.open()
                    && (!only_new || NEWS.contains(&finding.status))
            })
        })
    };
    if reaches(args.fail_on, false) || reaches(args.fail_on_new, true) {
        Outcome::Gate
    } else if report.run.complete {
        Outcome::Done
    } else {
        Outcome::Incomplete
    }
}
