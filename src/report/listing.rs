//! Identities as a table for a terminal: one line each, the worst first where that is known.

use super::summary::{COLUMNS, Style};
use super::text::{fit, line, pad, plural, width};
use super::{Index, ReportError, select};
use crate::model::{Identity, Severity, evidence::days_between};
use crate::query::Query;
use std::io::Write;

/// Column headings, and the most each may take.
const HEADINGS: [(&str, usize); 7] = [
    ("TYPE", 16),
    ("NAME", 34),
    ("OWNER", 20),
    ("AGE", 6),
    ("RISK", 4),
    ("DISPOSITION", 18),
    ("FINDINGS", 9),
];

/// Writes the identities that pass a filter.
///
/// # Errors
/// When the output refuses.
pub fn list(
    index: &Index<'_>,
    query: &Query,
    colour: bool,
    out: &mut dyn Write,
) -> Result<(), ReportError> {
    let style = Style(colour);
    let identities = select::identities(index.report, query);
    let rows: Vec<([String; 7], Option<Severity>)> = identities
        .iter()
        .map(|identity| row(index, identity))
        .collect();
    let mut widths = HEADINGS.map(|(name, _)| name.len());
    for (cells, _) in &rows {
        for ((cell, column), (_, most)) in cells.iter().zip(&mut widths).zip(HEADINGS) {
            *column = (*column).max(width(cell)).min(most);
        }
    }
    if !rows.is_empty() {
        let heading: Vec<String> = HEADINGS
            .iter()
            .zip(widths)
            .map(|((name, _), columns)| pad(name, columns))
            .collect();
        writeln!(out, "{}", style.dim(heading.join("  ").trim_end()))?;
    }
    for (cells, severity) in &rows {
        let shown: Vec<String> = cells
            .iter()
            .zip(widths)
            .map(|(cell, columns)| pad(&fit(cell, columns), columns))
            .collect();
        let text = shown.join("  ");
        let text = text.trim_end();
        match severity {
            Some(severity) => writeln!(out, "{}", style.severity(*severity, text))?,
            None => writeln!(out, "{text}")?,
        }
    }
    let total = u64::try_from(index.report.identities.len()).unwrap_or(u64::MAX);
    let count = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    let of = if query.is_empty() {
        String::new()
    } else {
        format!(" of {total}")
    };
    let told = format!("{}{of}", plural(count, "identity", "identities"));
    writeln!(out, "{}", style.dim(&fit(&told, COLUMNS)))?;
    Ok(out.flush()?)
}

fn row(index: &Index<'_>, identity: &Identity) -> ([String; 7], Option<Severity>) {
    let subject = select::of_identity(index, identity);
    let created = subject
        .credentials
        .iter()
        .filter_map(|credential| credential.created_at)
        .min()
        .or(identity.created_at);
    let worst = subject
        .assessments
        .iter()
        .max_by_key(|assessment| assessment.risk.score);
    let severity = subject
        .findings
        .iter()
        .map(|finding| finding.severity)
        .max();
    let cells = [
        identity.kind.as_str().to_owned(),
        line(&identity.name).into_owned(),
        line(identity.owner.as_deref().unwrap_or("-")).into_owned(),
        created.map_or_else(
            || "-".to_owned(),
            |at| format!("{} d", days_between(at, index.report.run.now)),
        ),
        worst.map_or_else(|| "-".to_owned(), |each| each.risk.score.to_string()),
        worst
            .map_or("-", |each| each.disposition.as_str())
            .to_owned(),
        match severity {
            Some(severity) => format!("{} {}", subject.findings.len(), severity.as_str()),
            None => "-".to_owned(),
        },
    ];
    (
        cells,
        severity.filter(|severity| *severity >= Severity::High),
    )
}
