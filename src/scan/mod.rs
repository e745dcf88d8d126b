//! The pipeline as one readable function: what `overstay scan` runs and what library tests call.

mod detection;
mod documents;
mod joined;
mod logs;
mod masks;
mod part;
mod plan_key;
mod rule_set;
mod said;
mod stored;

pub use detection::Detection;
pub use joined::Joined;
pub use part::{PartHead, read_part, write_part};
pub use plan_key::{plan_key, tables_key, tickets_key};
pub use rule_set::{Measures, RuleSet};
pub use stored::{follow_plans, make_artefacts, simulate};

use documents::{Inspected, Owners, Worth, attribute, inspect, more_in, put};
use joined::Before;
use logs::logs;
use masks::without_tokens;

use crate::checks::{self, CheckContext};
use crate::graph::{self, JoinInput};
use crate::jit;
use crate::jit::subject::subjects;
use crate::manifests;
use crate::manifests::catalog::{self, Descriptor};
use crate::model::aws::AwsAccount;
use crate::model::{
    Coverage, Finding, FindingError, Fingerprint, FingerprintKey, Inventory, Moment, Observed,
    OwnerSource, PlanMemory, Report, Run, SeenCredential,
};
use crate::plan;
pub use crate::plan::artefacts::Made;
pub use crate::plan::done;
pub use crate::plan::simulate::{SimulateError, Simulation, Trial};
pub use crate::plan::waves::recut;
use crate::report::{self, ReportParts};
use crate::rules::RuleError;
use crate::rules::aws::AwsTables;
use crate::secrets::{self, Engine};
use crate::sources::aws::AwsSnapshot;
use crate::sources::{
    self, DiscoverError, Document, Given, Memory, NoMemory, Parts, Progress, ReadOptions,
};
use crate::store::decisions::{self, Applied, Decisions, Standing};
use crate::unpack;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use thiserror::Error;

/// Documents after which the memory that searching them took is worth more than the time to compile the rules once more for
/// the names in the report.
const MANY: u64 = 10_000;

/// What to scan.
#[derive(Debug)]
pub struct ScanRequest {
    /// Folders, repositories, bare clones.
    pub paths: Vec<PathBuf>,
    /// Documents that are handed over.
    pub given: Vec<Given>,
    /// Documents whose credentials are known, so that they are no news in those handed over.
    pub known: Vec<Given>,
    /// Account snapshots: files or folders.
    pub aws_snapshots: Vec<PathBuf>,
    /// CloudTrail logs: files or folders.
    pub cloudtrail: Vec<PathBuf>,
    /// Folders of this program itself, left out of the paths: where the reports and the state go.
    pub own: Vec<PathBuf>,
    /// Only this part of so many of the repositories.
    pub shard: Option<(u32, u32)>,
    /// What is known already not to be read.
    pub told: Vec<Coverage>,
    /// What of the paths is read.
    pub read: ReadOptions,
    /// What people decided.
    pub decisions: Decisions,
    /// Key of the fingerprints.
    pub key: FingerprintKey,
    /// Time that ages are measured to.
    pub now: Timestamp,
}

/// Why a scan could not be made at all. What goes wrong with a single source is in the report's coverage instead.
#[derive(Debug, Error)]
pub enum ScanError {
    /// A path does not exist.
    #[error(transparent)]
    Discover(#[from] DiscoverError),
    /// The rules cannot be used.
    #[error(transparent)]
    Rules(#[from] RuleError),
    /// A check built an invalid finding: a fault of this program.
    #[error(transparent)]
    Check(#[from] FindingError),
    /// The inputs hold nothing to scan.
    #[error("there is nothing to scan in {}", .0.join(", "))]
    Nothing(Vec<String>),
    /// A name in the report holds a token that could not be masked: a fault of this program.
    #[error("a name that was read holds a token and could not be masked")]
    Name,
}

/// Scans: reads every source, joins what was found, judges it, plans; hands over the accounts that were read beside the
/// report. The plan's files are made, and listed in the report, by [`make_artefacts`].
///
/// # Errors
/// Only when no scan can be made; see [`ScanError`].
pub fn scan(
    request: &ScanRequest,
    rules: &RuleSet,
    progress: &dyn Progress,
) -> Result<(Report, Vec<AwsAccount>), ScanError> {
    let gathered = gather(request, rules, progress, &NoMemory)?;
    let (joined, accounts) = join(request, rules, progress, gathered, &NoMemory)?;
    let report = judge(request, rules, progress, joined, &mut NothingKnown)?;
    Ok((report, accounts))
}

/// Everything a scan reads, before it is joined.
#[derive(Default)]
pub struct Gathered {
    parts: Parts<Inspected>,
    /// What an earlier run joined of the same, instead of parts.
    joined: Option<Joined>,
    /// The state of the disk that the parts were read in.
    state: Option<String>,
    coverage: Vec<Coverage>,
    accounts: Vec<AwsAccount>,
    origins: BTreeMap<String, String>,
}

impl Gathered {
    /// Adds accounts that were read beside.
    pub fn add(&mut self, snapshot: AwsSnapshot) {
        self.accounts.extend(snapshot.accounts);
        self.coverage.extend(snapshot.coverage);
    }
}

/// Reads every source, except what `memory` has kept of an earlier run and has not changed since.
///
/// # Errors
/// When a path does not exist, or the rules cannot be used.
pub fn gather(
    request: &ScanRequest,
    rules: &RuleSet,
    progress: &dyn Progress,
    memory: &dyn Memory,
) -> Result<Gathered, ScanError> {
    let discovery = sources::discover_except(&request.paths, &request.own, &request.read.limits)?;
    let mut coverage = discovery.coverage;
    coverage.extend(request.told.iter().cloned());

    progress.stage("reading");
    let mut roots = discovery.roots;
    let origins = sources::origins(&roots);
    if let Some((number, of)) = request.shard {
        roots = sources::shard(roots, number, of);
    }
    let alone = request.shard.is_none()
        && request.given.is_empty()
        && request.known.is_empty()
        && request.aws_snapshots.is_empty()
        && request.cloudtrail.is_empty()
        && request.read.since.is_none();
    let kept = (alone && memory.joins())
        .then(|| Before::recall(memory, &request.paths, rules, request.now));
    let looked = kept
        .as_ref()
        .map(|kept| sources::look(&roots, &request.read, memory, kept.any()));
    let before = kept
        .zip(looked.as_ref().and_then(sources::Looked::state))
        .and_then(|(kept, state)| kept.of(state));
    let (parts, state) = if before.is_some() {
        (None, None)
    } else {
        let engine = rules.detection.engine()?;
        let visit = |document: &Document<'_>| inspect(document, &engine, &request.key);
        let worth = Worth(&engine);
        let (parts, state) = if let Some(looked) = looked {
            looked.collect(progress, &worth, visit, memory)
        } else {
            let read = &request.read;
            let parts = sources::collect(&roots, read, progress, &worth, visit, memory);
            (parts, None)
        };
        if parts.documents() > MANY {
            rules.detection.let_go();
        }
        (Some(parts), state)
    };

    progress.stage("accounts");
    let snapshots: Vec<_> = request
        .aws_snapshots
        .par_iter()
        .map(|path| {
            if request.read.limits.halt.called() {
                sources::aws::unread_snapshot(path)
            } else {
                sources::aws::read_snapshot(path)
            }
        })
        .collect();
    let mut accounts = Vec::new();
    for snapshot in snapshots {
        accounts.extend(snapshot.accounts);
        coverage.extend(snapshot.coverage);
    }
    Ok(Gathered {
        parts: parts.unwrap_or_default(),
        joined: before,
        state,
        coverage,
        accounts,
        origins,
    })
}

/// Gives what is found, before anybody's word on it is looked up, the ids it is known by.
pub trait KnownIds: Send {
    /// What an inventory has is known by these ids.
    fn in_inventory(&mut self, run: &Run, inventory: &mut Inventory);
    /// Findings are known by these ids.
    fn in_findings(&mut self, run: &Run, findings: &mut [Finding]);
    /// Whether an earlier run found no token in what has this digest.
    fn is_plain(&mut self, _: &str) -> bool {
        false
    }
    /// There is no token in what has this digest.
    fn note_plain(&mut self, _: String) {}
    /// What earlier plans left, and what this run was asked of them.
    fn plans(&mut self, _: &Run) -> Option<(&PlanMemory, done::Asked)> {
        None
    }
}

/// Nothing is known.
#[derive(Debug)]
pub struct NothingKnown;

impl KnownIds for NothingKnown {
    fn in_inventory(&mut self, _: &Run, _: &mut Inventory) {}
    fn in_findings(&mut self, _: &Run, _: &mut [Finding]) {}
}

/// Joins what was read into one inventory; hands over the accounts beside it. What `memory` has kept of an earlier run
/// that read the same is not joined again, and the result is the same.
///
/// # Errors
/// Only when no scan can be made; see [`ScanError`].
pub fn join(
    request: &ScanRequest,
    rules: &RuleSet,
    progress: &dyn Progress,
    gathered: Gathered,
    memory: &dyn Memory,
) -> Result<(Joined, Vec<AwsAccount>), ScanError> {
    let Gathered {
        parts,
        joined: before,
        state,
        coverage: beside,
        accounts,
        origins,
    } = gathered;
    progress.stage("joining");
    if let Some(mut joined) = before {
        joined.coverage.extend(beside);
        joined.inventory.origins = origins;
        return Ok((joined, accounts));
    }
    let engine = rules.detection.engine()?;
    let mut coverage = Vec::new();
    let names: Vec<String> = parts.names().map(ToOwned::to_owned).collect();
    let mut read = sources::combine(parts, &request.read);
    coverage.extend(read.coverage);
    let given = sources::read_given(&request.given, &request.read.limits, |document| {
        inspect(document, &engine, &request.key)
    });
    let known = known(request, &engine);
    read.documents += given.documents;
    read.items.extend(given.items);
    coverage.extend(given.coverage);
    // Large, and of use for accounts and their logs only.
    let tables = (!accounts.is_empty() || !request.cloudtrail.is_empty())
        .then(AwsTables::builtin)
        .transpose()?;
    let observed = match &tables {
        Some(tables) if !request.cloudtrail.is_empty() => {
            progress.stage("logs");
            let (observed, gaps) = logs(request, rules, tables)?;
            coverage.extend(gaps);
            observed
        }
        _ => Observed::default(),
    };
    if accounts.is_empty()
        && observed.is_empty()
        && read.documents == 0
        && request.shard.is_none()
        && !(coverage.iter().chain(&beside)).any(|entry| entry.status.incomplete())
    {
        let names = request
            .paths
            .iter()
            .chain(&request.aws_snapshots)
            .chain(&request.cloudtrail)
            .map(|path| path.display().to_string());
        return Err(ScanError::Nothing(names.collect()));
    }

    let moment = Moment::new(request.now);
    let told =
        |credential: &SeenCredential| known.is_empty() || !known.contains(&identity_of(credential));
    let seen: Vec<SeenCredential> = read
        .items
        .par_iter()
        .flat_map_iter(|item| {
            let mut here = Vec::new();
            for place in &item.places {
                let found = item.value.seen.iter().filter(|credential| told(credential));
                let found = found.filter(|one| engine.stands_at(&one.rule, &place.uri));
                here.extend(found.map(|credential| put(credential, place, rules)));
            }
            here
        })
        .collect();
    let seen = seen
        .into_iter()
        .map(|credential| secrets::expire(credential, &moment));
    let seen: Vec<SeenCredential> = seen.collect();
    let mut declarations = Vec::new();
    let mut owners: BTreeMap<String, Box<Owners>> = BTreeMap::new();
    let mut catalogs: BTreeMap<String, Vec<(String, Descriptor)>> = BTreeMap::new();
    let mut comments = Vec::new();
    for item in read.items {
        let Inspected {
            seen: _,
            declarations: declared,
            codeowners,
            catalog: described,
            comments: said,
            more,
        } = item.value;
        comments.extend(said);
        coverage.extend(item.places.first().filter(|_| more).map(more_in));
        declarations
            .extend(declared.map(|declared| attribute(*declared, &item.places, rules, &moment)));
        if let Some((repository, folder, descriptor)) = described.map(|described| *described) {
            catalogs
                .entry(repository)
                .or_default()
                .push((folder, descriptor));
        }
        // Of several files in one repository, hosts read the most binding one.
        if let Some(file) = codeowners
            && owners
                .get(&file.repository)
                .is_none_or(|known| file.rank < known.rank)
        {
            owners.insert(file.repository.clone(), file);
        }
    }
    manifests::assemble(&mut declarations, &request.key);
    // Of a value that only its name makes a secret, the text engine's word goes first.
    let places: BTreeSet<(&str, &str, u32, u32)> = seen.iter().map(place_of).collect();
    for declared in &mut declarations {
        declared.credentials.retain(|credential| {
            credential.kind != manifests::STATIC_TOKEN || !places.contains(&place_of(credential))
        });
    }
    manifests::link(&mut declarations);
    coverage.extend(
        declarations
            .iter_mut()
            .flat_map(|declared| std::mem::take(&mut declared.notices)),
    );
    for descriptors in catalogs.values_mut() {
        descriptors.sort();
    }
    let owner_of = |repository: &str, uri: &str| {
        // An archive belongs to whom its file does.
        let uri = uri.split(unpack::SEPARATOR).next().unwrap_or(uri);
        let by_path = owners
            .get(repository)
            .and_then(|owners| owners.file.owner_of(uri))
            .map(|owner| (owner.to_owned(), OwnerSource::Codeowners));
        by_path.or_else(|| {
            let known = catalogs.get(repository)?;
            let owner = catalog::nearest(known, uri, |one| one.owner.as_ref())?;
            Some((owner.to_owned(), OwnerSource::Catalog))
        })
    };
    let purpose_of = |repository: &str, uri: &str| {
        let uri = uri.split(unpack::SEPARATOR).next().unwrap_or(uri);
        let known = catalogs.get(repository)?;
        catalog::nearest(known, uri, |one| one.purpose.as_ref()).map(str::to_owned)
    };
    let names = inputs(names, &accounts, &observed);
    // Accounts that code declares need the tables as well.
    let declared = declarations.iter().any(|file| !file.stacks.is_empty());
    let tables = match tables {
        None if declared => Some(AwsTables::builtin()?),
        tables => tables,
    };
    let joined = graph::join(JoinInput {
        accounts: &accounts,
        declarations,
        seen,
        observed,
        config: &rules.measures.config,
        tables: tables.as_ref(),
        owner_of: &owner_of,
        purpose_of: &purpose_of,
        now: &moment,
    });
    coverage.extend(joined.coverage);
    let joined = Joined {
        inventory: joined.inventory,
        coverage,
        comments,
        names,
        documents: read.documents,
        plain: false,
    };
    let mut joined = joined.mask(&engine, &request.key)?;
    if let Some(state) = state {
        joined::keep(&mut joined, &state, &request.paths, rules, &moment, memory);
    }
    joined.coverage.extend(beside);
    joined.inventory.origins = origins;
    Ok((joined, accounts))
}

/// Judges what was joined, plans.
///
/// # Errors
/// Only when no scan can be made; see [`ScanError`].
pub fn judge(
    request: &ScanRequest,
    rules: &RuleSet,
    progress: &dyn Progress,
    joined: Joined,
    known_ids: &mut dyn KnownIds,
) -> Result<Report, ScanError> {
    let Joined {
        mut inventory,
        mut coverage,
        comments,
        names: inputs,
        plain,
        ..
    } = joined;
    let origins = format!("{:?}", inventory.origins);
    let standing = Standing::of(request.decisions.clone());
    let run = run(request, rules, inputs);
    known_ids.in_inventory(&run, &mut inventory);
    let today = request.now.to_zoned(TimeZone::UTC).date();
    let mut applied = Applied::new(&standing, today, rules.posture.renames());
    decisions::apply_to_inventory(&mut applied, &mut inventory);

    progress.stage("judging");
    let judging = CheckContext {
        inventory: &inventory,
        posture: &rules.posture,
        thresholds: &rules.measures.scoring.thresholds,
        config: &rules.measures.config,
        now: request.now,
    };
    let mut findings = checks::run(&judging)?;
    known_ids.in_findings(&run, &mut findings);
    coverage.extend(checks::not_judged(&judging));
    // Of what is handed over nobody expects that it holds all that the configuration speaks of.
    let given_whole = request.given.is_empty();
    coverage.extend(checks::ignores::apply(
        &mut findings,
        &mut inventory,
        &rules.measures.config.ignores,
        given_whole,
        &comments,
        rules.posture.renames(),
        request.now,
    ));
    let holders = inventory.credentials.iter();
    let holders = holders.filter_map(|(id, one)| Some((id.clone(), one.identity.clone()?)));
    decisions::apply_to_findings(&mut applied, &mut findings, &holders.collect());
    let judgement = rules.measures.judging(&inventory, request.now);
    let subjects = subjects(&judgement);
    let mut assessments = jit::assess(&judgement, &subjects);
    decisions::apply_to_assessments(&mut applied, &mut assessments);
    coverage.extend(applied.coverage(&request.decisions));
    if given_whole {
        coverage.extend(said::of_nothing(
            &rules.measures.config,
            &inventory,
            &run.inputs,
            rules.measures.scoring.thresholds.exception_most_days,
            request.now,
        ));
    }
    let unfinished = match known_ids.plans(&run) {
        Some((memory, asked)) => {
            let view = done::View::new(&run, &inventory, &assessments, &coverage);
            done::unfinished(view, memory, &asked, judgement.targets)
        }
        None => done::Unfinished::default(),
    };
    let plan = plan::build(&judgement, &subjects, &assessments, &unfinished);

    let report = report::assemble(ReportParts {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        run,
        coverage,
        inventory,
        findings,
        assessments,
        plan,
        long_lived_days: rules.measures.scoring.thresholds.long_lived_days,
    });
    // What no name holds that it was made of, none of it holds.
    let beside = (
        format!("{:?}", request.decisions),
        format!("{:?}", rules.measures.config),
        &report.coverage,
        &report.run.inputs,
        origins,
    );
    let mut hasher = blake3::Hasher::new_derive_key("overstay 2026 what stands beside");
    serde_json::to_writer(&mut hasher, &(&rules.digest, &beside)).map_err(|_| ScanError::Name)?;
    let digest = request.key.name(hasher.finalize().as_bytes());
    if plain && known_ids.is_plain(&digest) {
        return Ok(report);
    }
    let engine = rules.detection.engine()?;
    let any = engine.names_a_token(&beside).map_err(|_| ScanError::Name)?;
    if !any {
        known_ids.note_plain(digest);
    }
    if plain && !any {
        return Ok(report);
    }
    without_tokens(report, &engine, &request.key)
}

/// Where a credential was seen.
fn place_of(seen: &SeenCredential) -> (&str, &str, u32, u32) {
    let at = &seen.sighting;
    (&at.repository, &at.uri, at.line, at.column)
}

/// What makes two credentials that were seen the same one.
fn identity_of(seen: &SeenCredential) -> (String, Option<String>, Option<Fingerprint>) {
    (
        seen.kind.clone(),
        seen.public_id.clone(),
        seen.fingerprint.clone(),
    )
}

/// The credentials of the documents that are known.
fn known(
    request: &ScanRequest,
    engine: &Engine,
) -> BTreeSet<(String, Option<String>, Option<Fingerprint>)> {
    let scanned = request.known.par_iter().flat_map_iter(|document| {
        let seen = engine.scan(&document.bytes, &request.key);
        seen.into_iter()
            .map(|one| identity_of(&one))
            .collect::<Vec<_>>()
    });
    scanned.collect()
}

/// Names of the inputs as the report has them.
fn inputs(mut names: Vec<String>, accounts: &[AwsAccount], observed: &Observed) -> Vec<String> {
    let windows = observed.windows.iter();
    names.extend(windows.map(|window| format!("cloudtrail/{}", window.account)));
    names.extend(
        accounts
            .iter()
            .map(|account| format!("aws/{}", account.account_id)),
    );
    names.sort_unstable();
    names.dedup();
    names
}

/// The run: its id follows from everything that decides its content but the inputs' bytes.
fn run(request: &ScanRequest, rules: &RuleSet, inputs: Vec<String>) -> Run {
    let rules_digest = rules.digest.clone();
    let policy_digest = rules.policy_digest();
    let mut hasher = blake3::Hasher::new_derive_key("overstay 2026 run id");
    for part in [
        &request.now.to_string(),
        &rules_digest,
        &policy_digest,
        &request.key.id(),
        &inputs.join("\n"),
    ] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    Run {
        id: format!(
            "{}-{}",
            request.now.strftime("%Y%m%dT%H%M%SZ"),
            &hasher.finalize().to_hex()[..8]
        ),
        now: request.now,
        inputs,
        rules_digest,
        policy_digest,
        fingerprint_key: request.key.id(),
        complete: true,
    }
}
