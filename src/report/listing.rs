//! Identities as a table for a terminal: one line each, the worst first where that is known.

use super::summary::{COLUMNS, Style};
use super::text::{fit, line, pad, plural, width};
use super::{Index, ReportError, select};
use crate::model::{Identity, Location, Report, Severity, evidence::days_between};
use crate::query::Query;
use std::io::Write;

/// Column headings, and the most each may take; the last takes what it needs, since places are for tools to open.
type Heading = (&'static str, usize);

const HEADINGS: [Heading; 8] = [
    ("TYPE", 26),
    ("NAME", 34),
    ("OWNER", 20),
    ("AGE", 6),
    ("RISK", 4),
    ("DISPOSITION", 18),
    ("FINDINGS", 9),
    ("WHERE", usize::MAX),
];

const ROLES: [Heading; 6] = [
    ("PROVIDER", 10),
    ("TIER", 4),
    ("NAME", 40),
    ("SCOPE", 24),
    ("RULES", 5),
    ("WHERE", usize::MAX),
];

const BINDINGS: [Heading; 6] = [
    ("PROVIDER", 10),
    ("TIER", 4),
    ("NAME", 34),
    ("ROLE", 28),
    ("MEMBERS", 34),
    ("WHERE", usize::MAX),
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
    let rows: Vec<(Vec<String>, Option<Severity>)> = identities
        .iter()
        .map(|identity| row(index, identity))
        .collect();
    table(style, &HEADINGS, &rows, out)?;
    let count = number(rows.len());
    let of = if query.is_empty() {
        String::new()
    } else {
        format!(" of {}", index.report.identities.len())
    };
    let told = format!("{}{of}", plural(count, "identity", "identities"));
    writeln!(out, "{}", style.dim(&fit(&told, COLUMNS)))?;
    let (roles, bindings) = (&index.report.roles, &index.report.bindings);
    if query.is_empty() && !(roles.is_empty() && bindings.is_empty()) {
        let told = format!(
            "beside them {} and {}: `overstay inventory roles`, `overstay inventory bindings`",
            plural(number(roles.len()), "role", "roles"),
            plural(number(bindings.len()), "binding", "bindings"),
        );
        writeln!(out, "{}", style.dim(&fit(&told, COLUMNS)))?;
    }
    Ok(out.flush()?)
}

/// Writes the declared roles of which a name or a place holds every word.
///
/// # Errors
/// When the output refuses.
pub fn roles(
    report: &Report,
    words: &[String],
    colour: bool,
    out: &mut dyn Write,
) -> Result<(), ReportError> {
    let rows: Vec<(Vec<String>, Option<Severity>)> = report
        .roles
        .iter()
        .map(|role| {
            let cells = vec![
                line(&role.provider).into_owned(),
                role.tier.to_string(),
                line(&role.name).into_owned(),
                line(role.namespace.as_deref().unwrap_or("-")).into_owned(),
                role.rules.len().to_string(),
                place(&role.location, role.switched_off),
            ];
            (cells, severe(role.tier, role.switched_off))
        })
        .filter(|(cells, _)| holds(cells, words))
        .collect();
    let style = Style(colour);
    table(style, &ROLES, &rows, out)?;
    let told = plural(number(rows.len()), "role", "roles");
    writeln!(out, "{}", style.dim(&told))?;
    Ok(out.flush()?)
}

/// Writes the declared bindings of which a name, a role, a member or a place holds every word.
///
/// # Errors
/// When the output refuses.
pub fn bindings(
    report: &Report,
    words: &[String],
    colour: bool,
    out: &mut dyn Write,
) -> Result<(), ReportError> {
    let rows: Vec<(Vec<String>, Option<Severity>)> = report
        .bindings
        .iter()
        .map(|binding| {
            let members: Vec<&str> = binding
                .subjects
                .iter()
                .chain(&binding.people)
                .map(String::as_str)
                .collect();
            let cells = vec![
                line(&binding.provider).into_owned(),
                binding.tier.to_string(),
                line(&binding.name).into_owned(),
                line(&binding.role).into_owned(),
                line(&members.join(", ")).into_owned(),
                place(&binding.location, binding.switched_off),
            ];
            (cells, severe(binding.tier, binding.switched_off))
        })
        .filter(|(cells, _)| holds(cells, words))
        .collect();
    let style = Style(colour);
    table(style, &BINDINGS, &rows, out)?;
    let told = plural(number(rows.len()), "binding", "bindings");
    writeln!(out, "{}", style.dim(&told))?;
    Ok(out.flush()?)
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// What gives secrets, escalation or everything stands out.
fn severe(tier: u8, off: bool) -> Option<Severity> {
    (tier >= 5 && !off).then_some(Severity::High)
}

fn place(location: &Location, off: bool) -> String {
    let off = if off { " (switched off)" } else { "" };
    format!("{}{off}", line(&location.display()))
}

fn holds(cells: &[String], words: &[String]) -> bool {
    words.iter().all(|word| {
        let word = word.to_lowercase();
        cells.iter().any(|cell| cell.to_lowercase().contains(&word))
    })
}

/// Writes rows under their headings, as wide as they need within their bounds.
fn table(
    style: Style,
    headings: &[Heading],
    rows: &[(Vec<String>, Option<Severity>)],
    out: &mut dyn Write,
) -> Result<(), ReportError> {
    let mut widths: Vec<usize> = headings.iter().map(|(name, _)| name.len()).collect();
    for (cells, _) in rows {
        for ((cell, column), (_, most)) in cells.iter().zip(&mut widths).zip(headings) {
            *column = (*column).max(width(cell)).min(*most);
        }
    }
    if !rows.is_empty() {
        let heading: Vec<String> = headings
            .iter()
            .zip(&widths)
            .map(|((name, _), columns)| pad(name, *columns))
            .collect();
        writeln!(out, "{}", style.dim(heading.join("  ").trim_end()))?;
    }
    for (cells, severity) in rows {
        let shown: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, columns)| pad(&fit(cell, *columns), *columns))
            .collect();
        let text = shown.join("  ");
        let text = text.trim_end();
        match severity {
            Some(severity) => writeln!(out, "{}", style.severity(*severity, text))?,
            None => writeln!(out, "{text}")?,
        }
    }
    Ok(())
}

/// Where an identity was found: the first place, and how many more there are.
fn found(identity: &Identity) -> String {
    let Some(first) = identity.locations.first() else {
        return "-".to_owned();
    };
    let more = match identity.locations.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", line(&first.display()))
}

fn row(index: &Index<'_>, identity: &Identity) -> (Vec<String>, Option<Severity>) {
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
    let cells = vec![
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
        found(identity),
    ];
    (
        cells,
        severity.filter(|severity| *severity >= Severity::High),
    )
}
