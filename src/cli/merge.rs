//! `overstay merge`: the parts of one scan, read by several programs, become one run.

use super::args::{Global, Merge, Scan};
use super::environment::LoadedConfig;
use super::exit::{CommandResult, Failure, Outcome};
use super::keeping::Keeping;
use super::scan::{self, Work};
use crate::model::{Coverage, CoverageStatus, FingerprintKey};
use crate::scan::{Gathered, PartHead, read_part};
use crate::store::change::Reading;
use anyhow::{Context as _, anyhow};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Name of a part in the report folder of its scan.
pub(super) const FILE: &str = "part.overstay";
/// Largest part that is read, in bytes.
const LARGEST: u64 = 8 << 30;

/// Puts the parts together, joins and judges them as one scan would have, and writes its reports.
pub(super) fn run(args: &Merge, global: &Global) -> CommandResult {
    let scan = Scan {
        accounts: args.accounts.clone(),
        aws_snapshot: args.aws_snapshot.clone(),
        cloudtrail: args.cloudtrail.clone(),
        out: args.out.clone(),
        output: args.output.clone(),
        format: args.format,
        fail_on: args.fail_on,
        fail_on_new: args.fail_on_new,
        rules: args.rules.clone(),
        key_file: args.key_file.clone(),
        now: args.now,
        jobs: args.jobs,
        keep: args.keep,
        nightly: args.nightly.clone(),
        csv: args.csv,
        ..Scan::default()
    };
    scan::check_accounts(&scan)?;
    scan::with_state(&scan, global, |config, keeping, work| {
        merged(args, &scan, global, config, keeping, work)
    })
}

/// A part and where it came from.
struct Part {
    path: PathBuf,
    head: PartHead,
    gathered: Gathered,
}

fn merged(
    args: &Merge,
    scan: &Scan,
    global: &Global,
    config: LoadedConfig,
    keeping: &mut Keeping,
    work: &Work,
) -> Result<scan::Judged, Failure> {
    let (rules, key) = scan::rules_and_key(scan, config)?;
    let mut parts: BTreeMap<u32, Part> = BTreeMap::new();
    for path in &args.runs {
        let part = read(path, &key)?;
        if let Some(first) = parts.values().next() {
            agree(first, &part)?;
        }
        // A part that was made again takes the place of the one before it.
        parts.insert(part.head.number, part);
    }
    let Some(first) = parts.values().next() else {
        return Err(Failure::usage(
            anyhow!("no part was named"),
            "overstay merge RUN...  with the report folders of `overstay scan --shard K/N`",
        ));
    };
    let head = first.head.clone();
    if head.rules != rules.digest || head.disabled != rules.measures.config.rules.disable {
        return Err(Failure::usage(
            anyhow!(
                "the parts were read with other rules ({}) than these ({})",
                head.rules,
                rules.digest
            ),
            "merge with the same program, --rules and configuration as the scans",
        ));
    }
    let now = args
        .now
        .or_else(|| parts.values().map(|part| part.head.now).max())
        .unwrap_or(work.now);
    keeping.ask(head.scope.clone(), reading(&head), args.now.is_some());
    let mut request = scan::request(scan, global, keeping, key, now)?;
    request.read = head.options();
    request.read.limits.halt = work.stop.halt();
    let mut gathered = scan::accounts(&request, &rules, scan, work)?;
    for number in 1..=head.of {
        match parts.remove(&number) {
            Some(part) => gathered.merge(part.gathered),
            None => gathered.tell(Coverage::new(
                "files",
                format!("part {number}/{}", head.of),
                CoverageStatus::Failed,
                "the part was not handed to merge: scan it again with --shard, and merge again",
            )),
        }
    }
    scan::judged(scan, &request, rules, work, gathered, keeping, None)
}

fn reading(head: &PartHead) -> Reading {
    match (head.history, head.since, head.unreachable) {
        (false, ..) => Reading::Current,
        (_, Some(since), _) => Reading::Since(since),
        (.., true) => Reading::Unreachable,
        _ => Reading::History,
    }
}

fn read(path: &Path, key: &FingerprintKey) -> Result<Part, Failure> {
    let file = if path.is_dir() {
        path.join(FILE)
    } else {
        path.to_owned()
    };
    let mut sealed = Vec::new();
    std::fs::File::open(&file)
        .and_then(|file| file.take(LARGEST).read_to_end(&mut sealed))
        .with_context(|| format!("reading the part {}", file.display()))
        .map_err(|error| {
            Failure::usage(
                error,
                "name the report folders of `overstay scan --shard K/N`",
            )
        })?;
    let Some((head, gathered)) = read_part(&sealed, key) else {
        return Err(Failure::new(
            Outcome::Usage,
            anyhow!(
                "{} is no part that this program and this key ({}) can read, or not whole",
                file.display(),
                key.id()
            ),
            "workers and merge share one program and one --key-file; scan the part again",
        ));
    };
    Ok(Part {
        path: file,
        head,
        gathered,
    })
}

/// Parts of different scans are not put together.
fn agree(one: &Part, other: &Part) -> Result<(), Failure> {
    let same = |head: &PartHead| PartHead {
        number: 0,
        now: one.head.now,
        ..head.clone()
    };
    if same(&one.head) == same(&other.head) {
        return Ok(());
    }
    Err(Failure::usage(
        anyhow!(
            "{} and {} are parts of different scans: their rules, their number of parts, what they were to scan or what \
             of the history differs",
            one.path.display(),
            other.path.display()
        ),
        "give every worker the same arguments but --shard, --state and --out",
    ))
}
