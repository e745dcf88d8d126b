//! Writes reports: the folder of `--out`, the files of `--output`, one format on standard output.

use super::args::{ColorChoice, Csv, Global, Output};
use super::environment;
use super::exit::Failure;
use crate::model::Report;
use crate::report::{Format, Options};
use crate::store::atomic;
use anyhow::Context as _;
use std::io::IsTerminal as _;
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

/// Writes the report folder.
pub(super) fn folder(out: &Path, report: &Report, options: Options) -> Result<(), Failure> {
    for format in Format::ALL {
        if let Some(name) = format.file_name() {
            file(
                &Output {
                    format,
                    path: out.join(name),
                },
                report,
                options,
            )?;
        }
    }
    Ok(())
}

/// Writes one file, replacing it in one step.
pub(super) fn file(output: &Output, report: &Report, options: Options) -> Result<(), Failure> {
    let text = render(output.format, report, options)?;
    atomic::write(&output.path, &text).map_err(|error| {
        Failure::usage(
            error,
            "name a place that can be written with --out or --output",
        )
    })
}

/// One format as bytes.
pub(super) fn render(
    format: Format,
    report: &Report,
    options: Options,
) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    format
        .emitter(options)
        .emit(report, &mut text)
        .with_context(|| format!("rendering {}", format.as_str()))?;
    Ok(text)
}

/// Whether standard output takes colour: `--color`, else a terminal and no NO_COLOR.
pub(super) fn color(choice: ColorChoice) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            std::io::stdout().is_terminal()
                && environment::variable("NO_COLOR").is_none()
                && environment::variable("TERM").is_none_or(|term| term.as_os_str() != "dumb")
        }
    }
}
