//! Writes reports: the folder of `--out`, the files of `--output`, one format on standard output.

use super::args::{ColorChoice, Csv, Global, Output};
use super::environment;
use super::exit::Failure;
use crate::model::aws::AwsAccount;
use crate::model::{PlanItem, Report, Written};
use crate::report::{self, Format, Options, text};
use crate::scan::{self, RuleSet};
use crate::sources::Halt;
use crate::store::atomic;
use crate::store::folder::Folder;
use anyhow::Context as _;
use rayon::prelude::*;
use std::fmt::Write as _;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::Path;

/// How reports are written under these flags.
pub(super) fn options(csv: Csv, global: &Global) -> Options {
    Options {
        csv_bom: csv.csv_bom,
        csv_raw: csv.csv_raw,
        colour: color(global.color),
        unkept: false,
    }
}

/// What of the reports is there already.
#[derive(Default)]
pub(super) struct Ready<'a> {
    /// The entries of the long lists.
    pub(super) entries: Option<&'a Written>,
    /// The waves of the plan as Markdown.
    pub(super) waves: Option<Vec<u8>>,
    /// Files that are as they would be written.
    pub(super) files: &'static [Format],
}

/// Writes the report folder.
pub(super) fn folder(
    out: &Path,
    report: &Report,
    ready: &Ready<'_>,
    options: Options,
) -> Result<(), Failure> {
    atomic::sweep(out);
    let staged: Vec<_> = Format::ALL
        .par_iter()
        .filter(|format| !ready.files.contains(format))
        .filter_map(|format| Some((*format, out.join(format.file_name()?))))
        .map(|(format, path)| stage(&Output { format, path }, report, ready, options))
        .collect::<Result<_, _>>()?;
    // All are written by now: a disk that is full leaves the reports of the run before, not some of each.
    staged
        .into_iter()
        .try_for_each(|one| one.commit().map_err(refused))
}

/// Writes one file, replacing it in one step.
pub(super) fn file(output: &Output, report: &Report, options: Options) -> Result<(), Failure> {
    stage(output, report, &Ready::default(), options)?
        .commit()
        .map_err(refused)
}

/// Makes the files of each plan item, lists them in the report, and writes them beside their place, where one is named.
/// Their folders begin with `plan/`, which the place stands for. Once it is late no more are made, which the report tells.
pub(super) fn artefacts(
    place: Option<&Path>,
    report: &mut Report,
    accounts: &[AwsAccount],
    rules: &RuleSet,
    late: &Halt,
) -> Result<Option<Folder>, Failure> {
    let failed = |error: atomic::WriteError| {
        if error.source.kind() == io::ErrorKind::AlreadyExists {
            let hint = "name a place that is empty or of an earlier run";
            return Failure::usage(error, hint);
        }
        refused(error)
    };
    let folder = place.map(Folder::begin).transpose().map_err(failed)?;
    scan::make_artefacts(report, accounts, &rules.measures, late, |item, files| {
        let Some(folder) = &folder else {
            return Ok(());
        };
        let below = below(item);
        files
            .iter()
            .try_for_each(|file| folder.add(&format!("{below}/{}", file.path), &file.text))
    })
    .map_err(failed)?;
    if let Some(folder) = &folder {
        folder
            .add(CONTENTS, &contents(&report.plan))
            .map_err(failed)?;
    }
    Ok(folder)
}

/// File with the table of contents of the plan's folder.
pub(super) const CONTENTS: &str = "README.md";

/// Folder of an item in that of the plan.
pub(super) fn below(item: &PlanItem) -> &str {
    item.folder.strip_prefix("plan/").unwrap_or(&item.folder)
}

/// Table of contents of the plan's folder.
fn contents(plan: &[PlanItem]) -> String {
    let mut text = String::from("# The plan, item by item\n\n");
    for item in plan.iter().filter(|item| !item.artefacts.is_empty()) {
        let (below, title) = (below(item), text::markdown(&item.title));
        // Writing to a String cannot fail.
        let _ = writeln!(text, "- [{below}]({below}/README.md): {title}");
    }
    text
}

/// Puts the files of the plan in their place.
pub(super) fn put(folder: Option<Folder>) -> Result<(), Failure> {
    folder.map_or(Ok(()), Folder::commit).map_err(refused)
}

fn refused(error: atomic::WriteError) -> Failure {
    Failure::usage(
        error,
        "name a place that can be written, with room for the reports, with --out or --output",
    )
}

/// Writes one file beside its place.
fn stage(
    output: &Output,
    report: &Report,
    ready: &Ready<'_>,
    options: Options,
) -> Result<atomic::Staged, Failure> {
    let mut rendered = Ok(());
    let staged = atomic::stage(&output.path, |out| {
        emit(output.format, report, ready, options, out).unwrap_or_else(|failure| {
            rendered = Err(failure);
            Err(io::ErrorKind::Other.into())
        })
    });
    rendered?;
    staged.map_err(refused)
}

/// Writes one format to standard output.
pub(super) fn show(format: Format, report: &Report, options: Options) -> Result<(), Failure> {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    emit(format, report, &Ready::default(), options, &mut out)?
        .and_then(|()| out.flush())
        .context("writing to standard output")?;
    Ok(())
}

/// Writes one format; what the output refuses is apart from what is wrong with the report.
fn emit(
    format: Format,
    report: &Report,
    ready: &Ready<'_>,
    options: Options,
    out: &mut dyn Write,
) -> Result<io::Result<()>, Failure> {
    let mut watched = Watched { out, refused: None };
    let emitted = match (format, ready.entries, &ready.waves) {
        (Format::Json, Some(entries), _) => report::write_json(report, entries, &mut watched),
        (Format::Markdown, _, Some(waves)) => {
            report::write_markdown(report, Some(waves), &mut watched)
        }
        _ => format.emitter(options).emit(report, &mut watched),
    };
    if let Some(error) = watched.refused {
        return Ok(Err(error));
    }
    emitted.with_context(|| format!("rendering {}", format.as_str()))?;
    Ok(Ok(()))
}

/// Remembers why an output refused, which a format may wrap in an error of its own.
struct Watched<'a> {
    out: &'a mut dyn Write,
    refused: Option<io::Error>,
}

impl Watched<'_> {
    fn note<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let kind = error.kind();
            // Whoever writes tries that one again.
            if kind != io::ErrorKind::Interrupted {
                self.refused.get_or_insert(error);
            }
            kind.into()
        })
    }
}

impl Write for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes);
        self.note(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.out.flush();
        self.note(flushed)
    }
}

/// Whether standard output takes colour: `--color`, else a terminal and no NO_COLOR.
pub(super) fn color(choice: ColorChoice) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            io::stdout().is_terminal()
                && environment::variable("NO_COLOR").is_none()
                && environment::variable("TERM").is_none_or(|term| term.as_os_str() != "dumb")
        }
    }
}
