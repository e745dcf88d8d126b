//! Arguments of the commands that work on stored runs and decisions.

use super::args::{
    Accounts, Csv, EXIT_CODES, Output, formats, parse_format, parse_keep, parse_output,
    parse_severity, parse_time,
};
use super::nightly_args::Nightly;
use crate::model::Severity;
use crate::report::Format;
use crate::store::runs::Keep;
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use std::path::PathBuf;

/// `overstay merge`.
#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct Merge {
    /// Report folders of `overstay scan --shard K/N`, or the files `part.overstay` in them
    #[arg(value_name = "RUN", required = true)]
    pub runs: Vec<PathBuf>,
    /// Accounts that are read from AWS itself.
    #[command(flatten)]
    pub accounts: Accounts,
    /// Saved IAM JSON of AWS accounts: a file or a folder (repeatable); read here, not by the parts
    #[arg(long, value_name = "PATH")]
    pub aws_snapshot: Vec<PathBuf>,
    /// Saved CloudTrail logs, .json or .json.gz: a file or a folder (repeatable); read here, not by the parts
    #[arg(long, value_name = "PATH")]
    pub cloudtrail: Vec<PathBuf>,
    /// Folder for the reports [default: overstay-report]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// One more output (repeatable), such as sarif=results.sarif
    #[arg(long, value_name = "FORMAT=PATH", value_parser = parse_output)]
    pub output: Vec<Output>,
    /// Write one format to standard output and no folder
    #[arg(long, value_name = "FORMAT", value_parser = parse_format, help = formats("Write one format to standard output and no folder"))]
    pub format: Option<Format>,
    /// Exit with 1 when a finding is at or above this severity
    #[arg(long, value_name = "LEVEL", value_parser = parse_severity)]
    pub fail_on: Option<Severity>,
    /// Exit with 1 when a finding that is new, back or worse is at or above this severity
    #[arg(long, value_name = "LEVEL", value_parser = parse_severity)]
    pub fail_on_new: Option<Severity>,
    /// Detection rules of one's own that the parts were scanned with (repeatable)
    #[arg(long, value_name = "PATH")]
    pub rules: Vec<PathBuf>,
    /// Key of the fingerprints, the one the parts were scanned with
    #[arg(long, value_name = "FILE", env = "OVERSTAY_KEY_FILE")]
    pub key_file: Option<PathBuf>,
    /// Time that ages are measured to [default: that of the latest part]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub now: Option<Timestamp>,
    /// Number of threads [default: one a core]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Stored runs to keep: a number of runs, or of days as in 90d [default: 400 runs]
    #[arg(long, value_name = "N", value_parser = parse_keep)]
    pub keep: Option<Keep>,
    /// How it runs by itself.
    #[command(flatten)]
    pub nightly: Nightly,
    /// How CSV is written
    #[command(flatten)]
    pub csv: Csv,
}

/// `overstay diff`.
#[derive(Args, Debug)]
pub struct Diff {
    /// The older run [default: the one before the newer]
    pub old: Option<String>,
    /// The newer run [default: the last one]
    pub new: Option<String>,
    /// Format
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub format: DiffFormat,
    /// Exit with 1 when something changed
    #[arg(long)]
    pub exit_code: bool,
}

/// Formats of `overstay diff`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DiffFormat {
    /// A page for people.
    Text,
    /// One JSON object.
    Json,
    /// A row for each change.
    Csv,
}

/// `overstay history`.
#[derive(Args, Debug)]
pub struct History {
    /// Format
    #[arg(long, value_enum, default_value = "chart", value_name = "FORMAT")]
    pub format: HistoryFormat,
    /// Only the last so many runs
    #[arg(long, value_name = "N")]
    pub last: Option<usize>,
}

/// Formats of `overstay history`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HistoryFormat {
    /// A chart for the terminal.
    Chart,
    /// A row for each run.
    Csv,
}

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Verdict {
    /// Leave it as it is, until --expires [default: 90 days].
    AcceptRisk,
    /// It is not what the finding says.
    FalsePositive,
    /// It will be fixed.
    Remediate,
    /// Look again after --expires [default: 90 days].
    Defer,
    /// It is emergency access (--value yes or no).
    BreakGlass,
    /// Who owns it (--value).
    Owner,
    /// What it is for (--value).
    Purpose,
    /// What to do instead of what was worked out (--value).
    Disposition,
    /// Takes back what was decided.
    Reopen,
}

/// What of a subject a decision is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum About {
    /// What was named: for what filters let through, the finding.
    Named,
    /// The finding.
    Finding,
    /// Its credential.
    Credential,
    /// Its identity.
    Identity,
    /// Every finding of --rule below --path, those to come included.
    RulePath,
}

/// Which findings.
#[derive(Args, Clone, Debug, Default)]
pub struct Filter {
    /// Findings at or above this severity
    #[arg(long, value_name = "LEVEL", value_parser = parse_severity)]
    pub severity: Option<Severity>,
    /// Findings of this check; `*` stands for any text
    #[arg(long, value_name = "PATTERN")]
    pub rule: Option<String>,
    /// Findings with a place at this path, or repository/path; `*` stands for any text
    #[arg(long, value_name = "PATTERN")]
    pub path: Option<String>,
    /// Findings of this status
    #[arg(long, value_name = "STATUS")]
    pub status: Option<String>,
    /// Findings in this account
    #[arg(long, value_name = "ID")]
    pub account: Option<String>,
    /// Findings on credentials or identities of this provider
    #[arg(long, value_name = "NAME")]
    pub provider: Option<String>,
    /// Findings on identities of this owner; `*` stands for any text
    #[arg(long, value_name = "PATTERN")]
    pub owner: Option<String>,
}

impl Filter {
    /// Whether any filter was given.
    pub fn any(&self) -> bool {
        self.severity.is_some()
            || [
                &self.rule,
                &self.path,
                &self.status,
                &self.account,
                &self.provider,
                &self.owner,
            ]
            .into_iter()
            .any(Option::is_some)
    }
}

/// `overstay decide`.
#[derive(Args, Debug)]
pub struct Decide {
    /// What is decided
    #[arg(value_enum)]
    pub verdict: Verdict,
    /// On what: ids from a report, ARNs, names or access key ids
    pub subjects: Vec<String>,
    /// Which findings.
    #[command(flatten)]
    pub filter: Filter,
    /// What of each the decision is about [default: what was named; for owner, purpose and break-glass the identity, for
    /// a disposition the credential]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub about: Option<About>,
    /// The owner, the purpose, the disposition, or yes or no
    #[arg(long, value_name = "TEXT")]
    pub value: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Last day it holds: a date, a number of days such as 90d, or never
    #[arg(long, value_name = "DATE")]
    pub expires: Option<String>,
    /// Where it is tracked
    #[arg(long, value_name = "TEXT")]
    pub ticket: Option<String>,
    /// Who decides [default: the user's name]
    #[arg(long, value_name = "NAME", env = "OVERSTAY_ACTOR")]
    pub actor: Option<String>,
    /// Run that is looked at [default: the last one]
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
    /// Record nothing, and say what would be
    #[arg(long)]
    pub dry_run: bool,
    /// Record nothing unless exactly so many are matched
    #[arg(long, value_name = "N")]
    pub expect: Option<usize>,
    /// Time of the decision [default: the clock]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub now: Option<Timestamp>,
    /// Print the events as JSON, one a line
    #[arg(long)]
    pub json: bool,
}

/// `overstay attest`.
#[derive(Args, Debug)]
pub struct Attest {
    /// Verify this record instead: exit with 1 where it or what it covers was altered
    #[arg(long, value_name = "FILE")]
    pub verify: Option<PathBuf>,
    /// Run that was reviewed [default: the last one]
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
    /// Who reviewed [default: the user's name]
    #[arg(long, value_name = "NAME", env = "OVERSTAY_ACTOR")]
    pub reviewer: Option<String>,
    /// In which role they acknowledge that access remains appropriate
    #[arg(long, value_name = "TEXT")]
    pub role: Option<String>,
    /// What period the review is for
    #[arg(long, value_name = "TEXT")]
    pub period: Option<String>,
    /// What they state
    #[arg(long, value_name = "TEXT")]
    pub statement: Option<String>,
    /// File to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Key that the record is sealed with [default: that of the fingerprints]
    #[arg(long, value_name = "FILE", env = "OVERSTAY_KEY_FILE")]
    pub key_file: Option<PathBuf>,
    /// Time of the review [default: the clock]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub now: Option<Timestamp>,
}

/// `overstay decisions`.
#[derive(Args, Debug)]
pub struct DecisionsArgs {
    /// Day that expiry is judged on [default: the clock]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub now: Option<Timestamp>,
    /// Print JSON, one object a line
    #[arg(long)]
    pub json: bool,
}
