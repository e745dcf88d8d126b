//! `overstay demo`: builds a small invented organisation, scans it with the ordinary command, shows what comes out.

mod fill;
mod organisation;

use super::args::{Cli, Command, Demo, Global};
use super::exit::{CommandResult, Failure};
use super::{environment, print, runs, scan};
use crate::model::Report;
use anyhow::{Context as _, anyhow};
use clap::Parser as _;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Builds, scans and points to the reports.
pub(super) fn run(args: &Demo, global: &Global) -> CommandResult {
    let now = environment::now(args.now);
    let folder = folder(args.out.as_deref())?;
    organisation::build(&folder, now)
        .with_context(|| format!("building the demo in {}", folder.display()))?;

    let arguments = arguments(&folder, &now.to_string());
    let cli = Cli::try_parse_from(&arguments).context("the demo's own command line")?;
    let Command::Scan(scan_args) = &cli.command else {
        return Err(anyhow!("the demo's own command line is not a scan").into());
    };
    let global = Global {
        config: cli.global.config.clone(),
        state: cli.global.state.clone(),
        ..global.clone()
    };
    let outcome = scan::run(scan_args, &global)?;
    let (_, report) = runs::load(&global, None)?;
    print(story(&report).as_bytes())?;
    print(closing(&folder).as_bytes())?;
    Ok(outcome)
}

/// The scan as a user would type it.
fn arguments(folder: &Path, now: &str) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec!["overstay".into()];
    let mut option = |name: &str, value: OsString| arguments.extend([OsString::from(name), value]);
    option("--config", folder.join(environment::CONFIG_FILE).into());
    option("--state", folder.join(environment::STATE_FOLDER).into());
    arguments.extend([
        "scan".into(),
        folder.join("organisation/repositories").into(),
    ]);
    let mut option = |name: &str, value: OsString| arguments.extend([OsString::from(name), value]);
    option("--aws-snapshot", folder.join("organisation/aws").into());
    option("--out", folder.join("overstay-report").into());
    option("--now", now.into());
    arguments
}

/// The folder to build in: the one given, if it is empty or not there, else a new temporary one.
fn folder(given: Option<&Path>) -> Result<PathBuf, Failure> {
    let Some(path) = given else {
        let folder = tempfile::Builder::new()
            .prefix("overstay-demo-")
            .disable_cleanup(true)
            .tempdir()
            .context("making a temporary folder")?;
        return Ok(folder.path().to_owned());
    };
    std::fs::create_dir_all(path)
        .with_context(|| format!("making the folder {}", path.display()))
        .map_err(|error| Failure::usage(error, "name a folder that can be made with --out DIR"))?;
    let mut entries =
        std::fs::read_dir(path).with_context(|| format!("listing {}", path.display()))?;
    if entries.next().is_some() {
        return Err(Failure::usage(
            anyhow!("{} is not empty", path.display()),
            "name a new folder with --out DIR; the demo replaces nothing",
        ));
    }
    path.canonicalize()
        .with_context(|| format!("finding {}", path.display()))
        .map_err(Failure::from)
}

/// What to look at, by the end of a native id, and what it shows.
const STORY: [(&str, &str); 5] = [
    (
        ":user/deploy-bot",
        "a key deleted from a repository still opens an administrator",
    ),
    (
        ":user/web-deployer",
        "a CI job's static key that the job's own identity can replace",
    ),
    (
        "/.mcp.json",
        "an agent with a standing key and tools that nobody has to approve",
    ),
    (
        ":role/github-platform",
        "short sessions for anyone in the organisation: only a timer",
    ),
    (
        ":status:status-reader",
        "a reader that may keep its standing access, until a date",
    ),
];

/// The judgement of this run on each of them.
fn story(report: &Report) -> String {
    let mut text = "\nFive things to look at\n".to_owned();
    for (native_id, lesson) in STORY {
        let Some(identity) = report
            .identities
            .iter()
            .find(|identity| identity.native_id.ends_with(native_id))
        else {
            continue;
        };
        // An agent uses credentials that let in as someone else.
        let used: Vec<_> = report
            .consumers
            .iter()
            .filter(|consumer| identity.consumers.contains(&consumer.id))
            .flat_map(|consumer| &consumer.uses.credentials)
            .collect();
        let judged = report.assessments.iter().find(|assessment| {
            assessment.identity.as_ref() == Some(&identity.id)
                || assessment
                    .credential
                    .as_ref()
                    .is_some_and(|id| used.contains(&id))
        });
        let disposition = judged.map_or("not judged", |assessment| assessment.disposition.title());
        let _ = writeln!(text, "  {:<26} {:<18} {lesson}", disposition, identity.name);
    }
    text
}

fn closing(folder: &Path) -> String {
    format!(
        "\nEverything above was found by scanning {0}/organisation.\n  \
         cd {0}\n  \
         overstay review            go through it in the terminal\n  \
         overstay explain deploy-bot\n  \
         less overstay-report/plan.md\n",
        folder.display()
    )
}

#[cfg(test)]
mod tests {
    use super::super::exit::Outcome;
    use super::*;

    #[test]
    fn the_demo_is_an_ordinary_scan() {
        let cli = Cli::try_parse_from(arguments(Path::new("/d"), "2026-11-01T00:00:00Z")).unwrap();
        let Command::Scan(scan) = cli.command else {
            panic!("not a scan")
        };
        assert_eq!(scan.out.as_deref(), Some(Path::new("/d/overstay-report")));
        assert_eq!(cli.global.state.as_deref(), Some(Path::new("/d/.overstay")));
    }

    #[test]
    fn a_folder_in_use_is_left_alone() {
        let used = tempfile::tempdir().unwrap();
        crate::store::atomic::write(&used.path().join("file"), b"x").unwrap();
        let failure = folder(Some(used.path())).unwrap_err();
        assert_eq!(failure.outcome, Outcome::Usage);
    }
}
