//! What is scanned without being looked for: standard input and what is staged. Nothing is kept of it.

use super::args::Scan;
use super::environment;
use super::exit::Failure;
use crate::model::{Confidence, Coverage, CoverageStatus, Credential, Report};
use crate::sources::{Given, Limits, StagedError, staged};
use anyhow::{Context as _, anyhow};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Argument that stands for standard input.
const STDIN: &str = "-";

/// Documents that are handed to a scan.
pub(super) struct Handed {
    /// What is scanned.
    pub given: Vec<Given>,
    /// What is known already.
    pub known: Vec<Given>,
    /// What could not be read.
    pub coverage: Vec<Coverage>,
}

/// What the arguments hand over; `None` where they name paths.
pub(super) fn handed(args: &Scan) -> Result<Option<Handed>, Failure> {
    if args.staged {
        return of_index(args).map(Some);
    }
    if !args.paths.iter().any(|path| path.as_os_str() == STDIN) {
        return Ok(None);
    }
    if args.paths.len() > 1 || !args.aws_snapshot.is_empty() || args.accounts.any() {
        return Err(Failure::usage(
            anyhow!("standard input cannot be scanned together with anything else"),
            "overstay scan -   and the paths in a scan of their own",
        ));
    }
    let (given, coverage) = standard_input()?;
    Ok(Some(Handed {
        given: vec![given],
        known: Vec::new(),
        coverage,
    }))
}

/// Standard input up to the cap of one file, and what tells that there was more.
fn standard_input() -> Result<(Given, Vec<Coverage>), Failure> {
    let cap = Limits::default().max_file_bytes;
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take(cap + 1)
        .read_to_end(&mut bytes)
        .context("reading standard input")?;
    let mut coverage = Vec::new();
    if bytes.len() as u64 > cap {
        bytes.truncate(cap as usize);
        coverage.push(Coverage::new(
            "files",
            "stdin",
            CoverageStatus::Skipped,
            format!("larger than {} MiB: the rest was not read", cap >> 20),
        ));
    }
    let given = Given {
        repository: "stdin".to_owned(),
        uri: "stdin".to_owned(),
        bytes,
    };
    Ok((given, coverage))
}

fn of_index(args: &Scan) -> Result<Handed, Failure> {
    let here = PathBuf::from(".");
    let path = match args.paths.as_slice() {
        [] => &here,
        [path] => path,
        _ => {
            return Err(Failure::usage(
                anyhow!("--staged takes one repository"),
                "overstay scan --staged PATH",
            ));
        }
    };
    let index = environment::variable("GIT_INDEX_FILE").filter(|_| args.paths.is_empty());
    let found = staged(
        path,
        index.as_deref(),
        args.trust_repo_owner,
        &Limits::default(),
    );
    let found = found.map_err(|error| match error {
        StagedError::NoRepository(_) => {
            Failure::usage(error, "run it inside a repository, or name one")
        }
        StagedError::Refused { .. } | StagedError::Index(_) => {
            Failure::usage(error, "`git status` says more")
        }
    })?;
    Ok(Handed {
        given: found.after,
        known: found.before,
        coverage: found.coverage,
    })
}

/// The check that tells of a secret at a place; what others say of the credential here, they say because of that.
const LEAKED: &str = "leaked-secret";

/// The credentials that keep a commit back, in the order of the findings about them: at least moderately sure, at some place
/// that nobody said to ignore, and not all that is told of them as leaked is to be ignored.
pub(super) fn held_back(report: &Report) -> Vec<&Credential> {
    let leaked = |open: bool| {
        let of_check = report.findings.iter().filter(|one| one.rule == LEAKED);
        of_check
            .filter(move |finding| finding.status.open() == open)
            .filter_map(|finding| finding.credential.as_ref())
            .collect::<BTreeSet<_>>()
    };
    let excused: BTreeSet<_> = leaked(false).difference(&leaked(true)).copied().collect();
    let mut seen = excused;
    let findings = report
        .findings
        .iter()
        .filter(|finding| finding.confidence >= Confidence::Medium && finding.status.open());
    findings
        .filter_map(|finding| finding.credential.as_ref())
        .filter(|id| seen.insert(*id))
        .filter_map(|id| report.credentials.iter().find(|one| one.id == *id))
        .filter(|credential| credential.sightings.iter().any(|one| one.ignored.is_none()))
        .collect()
}

/// One credential at one place, as a page prints it.
fn lines<'r>(credentials: impl IntoIterator<Item = &'r Credential>) -> Vec<String> {
    let mut places = Vec::new();
    for credential in credentials {
        for sighting in credential
            .sightings
            .iter()
            .filter(|one| one.ignored.is_none())
        {
            let mut line = format!(
                "{}:{}:{}  {}  ({} confidence: {})\n",
                sighting.uri,
                sighting.line,
                sighting.column,
                sighting.rule,
                credential.confidence.as_str(),
                credential.confidence_reason
            );
            if !sighting.layers.is_empty() {
                let _ = writeln!(line, "    in {}", sighting.layers.join(" > "));
            }
            if let Some(context) = &sighting.context {
                let _ = writeln!(line, "    {context}");
            }
            places.push((&sighting.uri, sighting.line, sighting.column, line));
        }
    }
    places.sort();
    places.into_iter().map(|(.., line)| line).collect()
}

/// The credentials of standard input, line by line; empty where there is none.
pub(super) fn listing(report: &Report) -> String {
    let told: BTreeSet<_> = report
        .findings
        .iter()
        .filter(|finding| finding.status.open())
        .filter_map(|finding| finding.credential.as_ref())
        .collect();
    let mut out = lines(
        report
            .credentials
            .iter()
            .filter(|one| told.contains(&one.id)),
    )
    .concat();
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

/// The staged credentials as a hook prints them; empty where there is none.
pub(super) fn page(report: &Report, path: Option<&Path>) -> String {
    let credentials = held_back(report);
    let count = credentials.len();
    let mut out = lines(credentials).concat();
    if count > 0 {
        let (what, them) = if count == 1 {
            ("credential is", "it")
        } else {
            ("credentials are", "them")
        };
        let place = path.map_or_else(String::new, |path| format!(" -C {}", path.display()));
        let _ = writeln!(
            out,
            "\n{count} new {what} staged. Take {them} out of the commit: git{place} restore --staged FILE\n\
             What is none, or may stay, takes a comment with the reason: overstay:ignore[RULE] REASON"
        );
    }
    out
}
