//! The command line.

pub use super::aws::options::{Accounts, Aws};
pub use super::kept_args::{
    About, Attest, Decide, DecisionsArgs, Diff, DiffFormat, Filter, History, HistoryFormat, Merge,
    Verdict,
};
pub use super::nightly_args::{Many, Nightly};
use crate::model::Severity;
use crate::report::Format;
use crate::store::runs::Keep;
use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
use std::path::PathBuf;
use std::str::FromStr as _;

/// Finds the machine identities whose access outlasts their task, and plans how each moves to access that expires with
/// the work.
#[derive(Debug, Parser)]
#[command(name = "overstay", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The exit codes, as every help page ends.
pub const EXIT_CODES: &str = "\
Exit codes:
   0  done
   1  findings at or above --fail-on or --fail-on-new
   2  wrong usage, configuration or rules
   3  nothing to scan
   4  finished, but a source could not be read whole
  70  a fault of this program
  75  another run holds the state folder";

/// Options of every command.
#[derive(Args, Clone, Debug)]
pub struct Global {
    /// Configuration file [default: overstay.toml in this folder or one above it]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "OVERSTAY_CONFIG",
        help_heading = "Global options"
    )]
    pub config: Option<PathBuf>,
    /// State folder [default: .overstay beside the configuration, else the user's state folder]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "OVERSTAY_STATE",
        help_heading = "Global options"
    )]
    pub state: Option<PathBuf>,
    /// What people decided, one JSON object a line [default: decisions.jsonl in the state folder]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "OVERSTAY_DECISIONS",
        help_heading = "Global options"
    )]
    pub decisions: Option<PathBuf>,
    /// Less on standard error; twice: errors only
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    pub quiet: u8,
    /// More on standard error; twice: everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    pub verbose: u8,
    /// Shape of the log on standard error
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "text",
        value_name = "FORMAT",
        help_heading = "Global options"
    )]
    pub log_format: LogFormat,
    /// When to use colour
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "auto",
        value_name = "WHEN",
        help_heading = "Global options"
    )]
    pub color: ColorChoice,
}

/// Shape of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One line of text an event.
    Text,
    /// One JSON object an event.
    Json,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Scan repositories and account snapshots; write findings, scores, plan and reports
    Scan(Scan),
    /// Put the parts of a scan together that several programs made with --shard
    Merge(Merge),
    /// Build a small invented organisation, scan it and show what comes out
    Demo(Demo),
    /// Review the last run in the terminal
    Review(Review),
    /// Explain one identity, credential, finding or plan item of the last run
    Explain(Explain),
    /// Show the migration plan of the last run, or write it as Markdown, JSON, CSV or tickets
    Plan(PlanArgs),
    /// Tell what risk and lifetime would be with another mechanism
    Simulate(Simulate),
    /// Read AWS accounts into files
    Aws(Aws),
    /// Ask whether a principal may do something, and which statements decide
    Can(Can),
    /// Ask who may do something
    WhoCan(WhoCan),
    /// List the identities of the last run, those of a filter, or tell the whole story of one
    Inventory(InventoryArgs),
    /// Write a stored run in another format
    Report(ReportArgs),
    /// Compare two stored runs
    Diff(Diff),
    /// Show how risk, identities and credentials went from run to run
    History(History),
    /// Record a decision on findings, credentials or identities
    Decide(Decide),
    /// List the decisions that stand, have run out or contradict each other
    Decisions(DecisionsArgs),
    /// Write the record of a review of a run and its decisions, or verify one
    Attest(Attest),
    /// List, show and check detection rules and checks
    Rules(Rules),
    /// Check the set-up: configuration, rules, key, state folder
    Doctor(Doctor),
    /// Print shell completions
    Completions {
        /// Shell to complete for
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// `overstay scan`.
#[derive(Args, Debug, Default)]
#[command(after_help = EXIT_CODES)]
pub struct Scan {
    /// Folders, repositories or bare clones; a folder is searched for repositories; `-` is standard input
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Scan what is staged for the next commit, in the repository at PATH or here, and exit with 1 on a new credential
    #[arg(long, conflicts_with_all = ["since", "no_history", "aws_snapshot", "cloudtrail", "fail_on_new", "aws", "aws_profile", "aws_role_arn", "aws_role_list", "aws_organization"])]
    pub staged: bool,
    /// Saved IAM JSON of AWS accounts: a file or a folder (repeatable); docs/aws-snapshot.md says how to make one
    #[arg(long, value_name = "PATH")]
    pub aws_snapshot: Vec<PathBuf>,
    /// Saved CloudTrail logs, .json or .json.gz: a file or a folder (repeatable); docs/cloudtrail.md says which forms
    #[arg(long, value_name = "PATH")]
    pub cloudtrail: Vec<PathBuf>,
    /// Most items in a wave of the plan [default: plan.wave_size of the configuration, 10]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub wave_size: Option<u16>,
    /// List of people who have left, or of all with the day they did: CSV, or one a line (docs/configuration.md)
    #[arg(long, value_name = "FILE")]
    pub people: Option<PathBuf>,
    /// Accounts that are read from AWS itself.
    #[command(flatten)]
    pub accounts: Accounts,
    /// Folder for the reports; what it held of an earlier run is replaced [default: overstay-report; none for standard
    /// input and --staged]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// One more output (repeatable), such as sarif=results.sarif
    #[arg(long, value_name = "FORMAT=PATH", value_parser = parse_output)]
    pub output: Vec<Output>,
    /// Write one format to standard output and no folder
    #[arg(long, value_name = "FORMAT", value_parser = parse_format, help = formats("Write one format to standard output and no folder"))]
    pub format: Option<Format>,
    /// Read the current files only, no git history
    #[arg(long, conflicts_with = "since")]
    pub no_history: bool,
    /// Of the history, read only what commits since then brought in: 2026-01-31 or 2026-01-31T12:00:00Z
    #[arg(long, value_name = "DATE", value_parser = parse_time)]
    pub since: Option<Timestamp>,
    /// Also read git objects that no ref and no reflog leads to any more, until git deletes them
    #[arg(long, conflicts_with_all = ["no_history", "since"])]
    pub unreachable: bool,
    /// Read repositories that another user owns
    #[arg(long)]
    pub trust_repo_owner: bool,
    /// Exit with 1 when a finding is at or above this severity
    #[arg(long, value_name = "LEVEL", value_parser = parse_severity)]
    pub fail_on: Option<Severity>,
    /// Exit with 1 when a finding that is new, back or worse is at or above this severity
    #[arg(long, value_name = "LEVEL", value_parser = parse_severity)]
    pub fail_on_new: Option<Severity>,
    /// Detection rules of one's own beside the built-in ones: a file or a folder (repeatable)
    #[arg(long, value_name = "PATH")]
    pub rules: Vec<PathBuf>,
    /// Key of the fingerprints [default: fingerprint.key in the user's configuration folder, made on first use]
    #[arg(long, value_name = "FILE", env = "OVERSTAY_KEY_FILE")]
    pub key_file: Option<PathBuf>,
    /// Time that ages are measured to [default: the clock]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub now: Option<Timestamp>,
    /// Number of threads [default: one a core]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Read everything again, also what an earlier run has read and has not changed since
    #[arg(long)]
    pub full: bool,
    /// Stored runs to keep: a number of runs, or of days as in 90d [default: 400 runs]
    #[arg(long, value_name = "N", value_parser = parse_keep)]
    pub keep: Option<Keep>,
    /// How it runs by itself.
    #[command(flatten)]
    pub nightly: Nightly,
    /// Many repositories.
    #[command(flatten)]
    pub many: Many,
    /// How CSV is written
    #[command(flatten)]
    pub csv: Csv,
}

/// How CSV is written.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Csv {
    /// Start CSV files with a byte order mark, for spreadsheets
    #[arg(long)]
    pub csv_bom: bool,
    /// Write CSV cells without the guard against formulas; for programs only
    #[arg(long)]
    pub csv_raw: bool,
}

/// `overstay demo`.
#[derive(Args, Debug)]
pub struct Demo {
    /// Folder to build in; must be empty or not exist [default: a new temporary folder]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Time the story is told at [default: the clock]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub now: Option<Timestamp>,
}

/// `overstay review`.
#[derive(Args, Debug)]
pub struct Review {
    /// Run to review [default: the last one]
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
    /// Decide nothing
    #[arg(long)]
    pub read_only: bool,
    /// Take clicks and the wheel (the terminal then selects text with shift)
    #[arg(long)]
    pub mouse: bool,
    /// Where a repository is, for the editor: its name in the report and its folder [default: looked for beside and below
    /// the current folder and the configuration]
    #[arg(long, value_name = "NAME=DIR")]
    pub root: Vec<String>,
    /// Who decides [default: the user of this machine]
    #[arg(long, value_name = "NAME")]
    pub actor: Option<String>,
    /// Print the keys as a table and leave
    #[arg(long)]
    pub keys: bool,
}

/// `overstay explain`.
#[derive(Args, Debug)]
pub struct Explain {
    /// Id from a report, ARN, name, or access key id
    pub subject: String,
    /// Run to explain from [default: the last one]
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
}

/// `overstay plan`.
#[derive(Args, Debug)]
pub struct PlanArgs {
    /// What to write: a page for a terminal, plan.md, JSON, one row an item, or one ticket an item
    #[arg(long, value_enum, default_value = "page", value_name = "FORMAT")]
    pub format: PlanFormat,
    /// Only this wave
    #[arg(long, value_name = "N")]
    pub wave: Option<u32>,
    /// Cut the waves anew, with at most so many items in each
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub wave_size: Option<u16>,
    /// Run to show the plan of [default: the last one]
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
    /// Write the files made ready for each item (policies, code, patches, requests, scripts) into this folder
    #[arg(long, value_name = "DIR")]
    pub artefacts: Option<PathBuf>,
    /// How CSV is written
    #[command(flatten)]
    pub csv: Csv,
}

/// What `overstay plan` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// A page for a terminal.
    Page,
    /// plan.md.
    Markdown,
    /// JSON.
    Json,
    /// plan.csv.
    Csv,
    /// tickets.csv, for Jira's importer.
    #[value(alias = "tickets-jira")]
    Tickets,
    /// tickets-github.csv, for importers into GitHub.
    TicketsGithub,
    /// The curve of the standing risk.
    Svg,
}

/// `overstay simulate`.
#[derive(Args, Debug)]
pub struct Simulate {
    /// Id from a report, ARN, name, or access key id
    pub subject: String,
    /// Mechanism to try, by its id in the catalogue [default: the one chosen]
    #[arg(long, value_name = "MECHANISM")]
    pub target: Option<String>,
    /// Lifetime to try, such as 15m, 1h or 30d [default: the proposed one]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub ttl: Option<u64>,
    /// Answer as JSON
    #[arg(long)]
    pub json: bool,
    /// Run to simulate on [default: the last one]
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
}

/// `overstay can`.
#[derive(Args, Debug)]
pub struct Can {
    /// User or role: ARN, name, unique id or access key id; ARN of a session or of the root user; host name of a service;
    /// `*` for anyone
    #[arg(required_unless_present = "requests", conflicts_with = "requests")]
    pub principal: Option<String>,
    /// Action, such as s3:GetObject
    #[arg(required_unless_present = "requests")]
    pub action: Option<String>,
    /// ARN of the resource, or a pattern of several [default: whatever there is]
    pub resource: Option<String>,
    /// Answer every request of a file, one JSON object a line, with one JSON object a line; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub requests: Option<PathBuf>,
    /// What the question is asked of.
    #[command(flatten)]
    pub of: AskedOf,
}

/// `overstay who-can`.
#[derive(Args, Debug)]
pub struct WhoCan {
    /// Action, such as s3:GetObject
    pub action: String,
    /// ARN of the resource, or a pattern of several [default: whatever there is]
    pub resource: Option<String>,
    /// What the question is asked of.
    #[command(flatten)]
    pub of: AskedOf,
}

/// What a question is asked of, and what is known of the request.
#[derive(Args, Debug)]
pub struct AskedOf {
    /// What a condition key is in the request, as KEY=VALUE (repeatable; a key given twice has both values); KEY alone:
    /// the request does not have it
    #[arg(long, value_name = "KEY=VALUE")]
    pub context: Vec<String>,
    /// The request has no condition keys but those given and those of the principal
    #[arg(long)]
    pub context_complete: bool,
    /// Account of the resource, where its ARN does not tell it
    #[arg(long, value_name = "ID")]
    pub resource_account: Option<String>,
    /// The resource's policy, in place of the scan's; `none`: it has none
    #[arg(long, value_name = "FILE")]
    pub resource_policy: Option<PathBuf>,
    /// Session policy of the request (repeatable)
    #[arg(long, value_name = "FILE")]
    pub session_policy: Vec<PathBuf>,
    /// Policy of the network endpoint the request goes through (repeatable)
    #[arg(long, value_name = "FILE")]
    pub endpoint_policy: Vec<PathBuf>,
    /// Grants to the ARN of a session are not limited by its session policies, as AWS documents
    #[arg(long)]
    pub session_grants_unlimited: bool,
    /// Ask for an action that AWS does not list
    #[arg(long)]
    pub unlisted_action: bool,
    /// Ask saved IAM JSON instead of a stored run: a file or a folder (repeatable)
    #[arg(long, value_name = "PATH", conflicts_with = "run")]
    pub aws_snapshot: Vec<PathBuf>,
    /// Run to ask [default: the last one]
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
    /// Answer as JSON
    #[arg(long)]
    pub json: bool,
}

/// `overstay inventory`.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, after_help = FILTERS)]
pub struct InventoryArgs {
    /// Filter, such as owner:none type:iam-user 'age:>365' provider:aws [default: everything]
    #[arg(value_name = "FILTER", allow_hyphen_values = true)]
    pub filter: Vec<String>,
    /// Run to list [default: the last one]
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
    /// The narrowed report as JSON
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// The identities as CSV
    #[arg(long)]
    pub csv: bool,
    /// How CSV is written
    #[command(flatten)]
    pub format: Csv,
    /// One identity.
    #[command(subcommand)]
    pub command: Option<InventoryCommand>,
}

/// How filters are written, as help pages end.
pub const FILTERS: &str = "\
Filters: conditions beside each other all hold; `or`, `not`, `-` and brackets join them otherwise. A condition is
field:value with * and ? in it, field:a,b, field:none, field:any, or field:>90; a word alone is looked for in names.
A wrong field names all there are. docs/inventory.md lists them.";

/// `overstay inventory …`.
#[derive(Debug, Subcommand)]
pub enum InventoryCommand {
    /// The whole story of one identity as a tree: credentials, grants, consumers, sightings, owner, findings, disposition
    Show {
        /// Id from a report, ARN, name, or access key id
        #[arg(value_name = "ID")]
        subject: String,
        /// Run to tell from [default: the last one]
        #[arg(long, value_name = "RUN")]
        run: Option<String>,
    },
    /// Declared roles: Kubernetes, custom roles of clouds
    Roles(Declared),
    /// Declared bindings: what gives roles to service accounts, groups and people
    Bindings(Declared),
}

/// What of a list of declared things is shown.
#[derive(Args, Debug)]
pub struct Declared {
    /// Words that a row holds, such as a name, a member or a path
    #[arg(value_name = "WORD")]
    pub words: Vec<String>,
    /// Run to tell from [default: the last one]
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
}

/// `overstay report`.
#[derive(Args, Debug)]
#[command(after_help = FILTERS)]
pub struct ReportArgs {
    /// Only what passes a filter, such as 'severity:critical,high provider:aws'
    #[arg(long, value_name = "FILTER")]
    pub filter: Option<String>,
    /// Format to standard output
    #[arg(long, default_value = "summary", value_name = "FORMAT", value_parser = parse_format, help = formats("Format to standard output"))]
    pub format: Format,
    /// Write to files instead (repeatable), such as sarif=results.sarif
    #[arg(long, value_name = "FORMAT=PATH", value_parser = parse_output)]
    pub output: Vec<Output>,
    /// Run to report on [default: the last one]
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
    /// How CSV is written
    #[command(flatten)]
    pub csv: Csv,
}

/// `overstay rules`.
#[derive(Args, Debug)]
pub struct Rules {
    /// What to do.
    #[command(subcommand)]
    pub command: RulesCommand,
}

/// `overstay rules …`.
#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// List detection rules and checks
    List,
    /// Show one detection rule or check
    Show {
        /// Its id
        id: String,
    },
    /// Convert the rules of another scanner (gitleaks, TOML) into rules of this one
    Import {
        /// Its configuration
        file: PathBuf,
        /// File to write [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Check that every rule matches its examples and none of its negative examples
    Check {
        /// Rule files or folders to check [default: the built-in rules]
        paths: Vec<PathBuf>,
    },
}

/// `overstay doctor`.
#[derive(Args, Debug)]
pub struct Doctor {
    /// Key of the fingerprints [default: fingerprint.key in the user's configuration folder]
    #[arg(long, value_name = "FILE", env = "OVERSTAY_KEY_FILE")]
    pub key_file: Option<PathBuf>,
}

/// One `--output`.
#[derive(Clone, Debug)]
pub struct Output {
    /// Format.
    pub format: Format,
    /// File.
    pub path: PathBuf,
}

/// Help that names every format.
pub(super) fn formats(text: &str) -> String {
    let names: Vec<&str> = Format::ALL.iter().map(|format| format.as_str()).collect();
    format!("{text}: {}", names.join(", "))
}

pub(super) fn parse_format(text: &str) -> Result<Format, String> {
    Format::from_str(text).map_err(|error| error.to_string())
}

pub(super) fn parse_output(text: &str) -> Result<Output, String> {
    let (format, path) = text
        .split_once('=')
        .filter(|(_, path)| !path.is_empty())
        .ok_or_else(|| "expected FORMAT=PATH, such as sarif=results.sarif".to_owned())?;
    Ok(Output {
        format: parse_format(format)?,
        path: path.into(),
    })
}

pub(super) fn parse_keep(text: &str) -> Result<Keep, String> {
    let keep = match text.strip_suffix('d') {
        Some(days) => days.parse().ok().filter(|days| *days > 0).map(Keep::Days),
        None => text.parse().ok().filter(|runs| *runs > 0).map(Keep::Runs),
    };
    keep.ok_or_else(|| "expected a number of runs such as 400, or of days such as 90d".to_owned())
}

pub(super) fn parse_severity(text: &str) -> Result<Severity, String> {
    Severity::ALL
        .into_iter()
        .find(|severity| severity.as_str() == text)
        .ok_or_else(|| "expected critical, high, medium, low or info".to_owned())
}

/// `15m`, `1h`, `30d`, `900s` or plain seconds.
fn parse_duration(text: &str) -> Result<u64, String> {
    let wrong = || "expected a duration such as 15m, 1h or 30d".to_owned();
    let (number, unit) = match text.char_indices().find(|(_, c)| !c.is_ascii_digit()) {
        Some((at, _)) => text.split_at(at),
        None => (text, "s"),
    };
    let unit = match unit {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit))
        .filter(|seconds| *seconds > 0)
        .ok_or_else(wrong)
}

/// A date (midnight UTC) or a time with its offset.
pub(super) fn parse_time(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    text.parse::<jiff::civil::Date>()
        .ok()
        .and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC).ok())
        .map(|zoned| zoned.timestamp())
        .ok_or_else(|| {
            "expected a date such as 2026-01-31 or a time such as 2026-01-31T12:00:00Z".to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn dates_are_midnight_utc() {
        assert_eq!(
            parse_time("2026-01-31").unwrap().to_string(),
            "2026-01-31T00:00:00Z"
        );
        assert_eq!(
            parse_time("2026-01-31T12:00:00+02:00").unwrap().to_string(),
            "2026-01-31T10:00:00Z"
        );
        assert!(parse_time("yesterday").is_err());
    }
}
