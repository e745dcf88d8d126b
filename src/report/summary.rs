//! The page at the end of a scan: what was found, the worst of it in one sentence each, and what to do next.
//!
//! At most [`COLUMNS`] columns wide and about one screen high, so that a newcomer can read it whole.

use super::text::{fit, line, plural, thousands, wrap};
use super::{Emitter, Index, ReportError};
use crate::model::{
    Assessment, Coverage, CoverageStatus, Credential, CredentialId, CredentialStatus, Declared,
    Disposition, Identity, Redacted, Report, RiskBand, Severity, Storage,
};
use std::collections::BTreeSet;
use std::io::Write;

/// Widest line.
pub const COLUMNS: usize = 100;
/// Most stories told.
const STORIES: usize = 8;
/// Most lines of one story.
const STORY_LINES: usize = 3;
/// Most coverage gaps named.
const GAPS: usize = 4;

/// Writes the summary page.
pub struct SummaryPage {
    /// Use colours.
    pub colour: bool,
    /// No run is kept, so no other command can be pointed to.
    pub unkept: bool,
}

impl Emitter for SummaryPage {
    fn emit(&self, report: &Report, out: &mut dyn Write) -> Result<(), ReportError> {
        let index = Index::new(report);
        let mut page = Page {
            out,
            style: Style(self.colour),
        };
        page.counts(report)?;
        page.stories(&index)?;
        page.coverage(report)?;
        if self.unkept {
            page.next_format()?;
        } else {
            page.next(&index)?;
        }
        Ok(out.flush()?)
    }
}

/// Colours, or none.
#[derive(Clone, Copy)]
pub(super) struct Style(pub(super) bool);

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if self.0 {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// A heading.
    pub(super) fn heading(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Something less important.
    pub(super) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// A word in the colour of its severity.
    pub(super) fn severity(self, severity: Severity, text: &str) -> String {
        match severity {
            Severity::Critical => self.paint("1;31", text),
            Severity::High => self.paint("31", text),
            Severity::Medium => self.paint("33", text),
            Severity::Low | Severity::Info => text.to_owned(),
        }
    }

    fn risk(self, band: RiskBand, text: &str) -> String {
        match band {
            RiskBand::Critical => self.paint("1;31", text),
            RiskBand::High => self.paint("31", text),
            RiskBand::Medium => self.paint("33", text),
            RiskBand::Low | RiskBand::Info => text.to_owned(),
        }
    }
}

struct Page<'a> {
    out: &'a mut dyn Write,
    style: Style,
}

impl Page<'_> {
    fn counts(&mut self, report: &Report) -> Result<(), ReportError> {
        let summary = &report.summary;
        let ratio = summary
            .machine_to_human_ratio
            .map(|ratio| format!(" ({ratio:.1} machines a person)"));
        writeln!(
            self.out,
            "{}, {}{}; {}, {} long-lived.",
            plural(
                summary.machine_identities.into(),
                "machine identity",
                "machine identities"
            ),
            plural(summary.human_identities.into(), "person", "people"),
            ratio.unwrap_or_default(),
            plural(summary.credentials.into(), "credential", "credentials"),
            thousands(summary.long_lived_credentials.into()),
        )?;
        if summary.without_owner > 0 {
            writeln!(
                self.out,
                "{} of the machine identities {} no owner.",
                thousands(summary.without_owner.into()),
                if summary.without_owner == 1 {
                    "has"
                } else {
                    "have"
                }
            )?;
        }
        let found = |wanted: Declared| {
            let all = report.identities.iter();
            all.filter(|identity| identity.declared == Some(wanted))
                .count() as u64
        };
        let (both, code, account) = (
            found(Declared::Both),
            found(Declared::CodeOnly),
            found(Declared::AccountOnly),
        );
        if both + code + account > 0 {
            writeln!(
                self.out,
                "Code and account: {} in both, {} in code only, {} in the account only (`declared:any`).",
                thousands(both),
                thousands(code),
                thousands(account)
            )?;
        }
        let ignored = |severity: Option<Severity>| {
            let all = report.findings.iter();
            all.filter(|finding| {
                finding.ignored.is_some() && severity.is_none_or(|one| finding.severity == one)
            })
            .count() as u64
        };
        let mut severities: Vec<_> = Severity::ALL
            .into_iter()
            .filter_map(|severity| {
                let all = *summary.findings_by_severity.get(severity.as_str())?;
                let count = u64::from(all).saturating_sub(ignored(Some(severity)));
                let text = format!("{} {severity}", thousands(count));
                (count > 0).then(|| self.style.severity(severity, &text))
            })
            .collect();
        let apart = ignored(None);
        if apart > 0 {
            let text = format!("{} ignored", thousands(apart));
            severities.push(self.style.dim(&text));
        }
        let severities = if severities.is_empty() {
            "none".to_owned()
        } else {
            severities.join(" · ")
        };
        writeln!(
            self.out,
            "\n{}  {severities}",
            self.style.heading("Findings     ")
        )?;
        let dispositions: Vec<_> = Disposition::ALL
            .into_iter()
            .filter_map(|disposition| {
                let count = summary.dispositions.get(disposition.as_str())?;
                let words = disposition.title().to_lowercase();
                Some(format!("{} {words}", thousands((*count).into())))
            })
            .collect();
        if !dispositions.is_empty() {
            let heading = self.style.heading("What to do   ");
            let lines = wrap_parts(&dispositions, " · ", COLUMNS - 15);
            for (number, text) in lines.iter().enumerate() {
                let label = if number == 0 {
                    heading.as_str()
                } else {
                    "             "
                };
                writeln!(self.out, "{label}  {text}")?;
            }
            writeln!(
                self.out,
                "{}  {} today, {} after the plan",
                self.style.heading("Standing risk"),
                thousands(summary.standing_risk.into()),
                thousands(summary.standing_risk_after.into()),
            )?;
        }
        Ok(())
    }

    fn stories(&mut self, index: &Index<'_>) -> Result<(), ReportError> {
        let chosen = choose(index.report);
        if chosen.is_empty() {
            return Ok(());
        }
        writeln!(self.out, "\n{}", self.style.heading("Start here"))?;
        for assessment in chosen {
            let score = format!("{:>4}", assessment.risk.score);
            let what = assessment.disposition.title();
            let text = format!("{what}: {}", story(index, assessment));
            let mut lines = wrap(&text, COLUMNS - 6);
            if lines.len() > STORY_LINES {
                let rest = lines.split_off(STORY_LINES - 1).join(" ");
                lines.push(fit(&rest, COLUMNS - 6));
            }
            for (number, text) in lines.iter().enumerate() {
                let painted = self.style.risk(assessment.risk.band, &score);
                let lead = if number == 0 {
                    painted
                } else {
                    "    ".to_owned()
                };
                writeln!(self.out, "{lead}  {text}")?;
            }
        }
        Ok(())
    }

    fn coverage(&mut self, report: &Report) -> Result<(), ReportError> {
        let of = |wanted: fn(&Coverage) -> bool| -> Vec<_> {
            report
                .coverage
                .iter()
                .filter(|entry| wanted(entry))
                .collect()
        };
        let failed = of(|entry| entry.status.incomplete());
        let absent = of(|entry| entry.status == CoverageStatus::Absent);
        self.gaps("Not read whole (the scan is incomplete)", &failed)?;
        self.gaps("Not given (unknown stays unknown)", &absent)?;
        let skipped = of(|entry| entry.status == CoverageStatus::Skipped);
        self.gaps("Left out", &skipped)?;
        let noted = of(|entry| entry.status == CoverageStatus::Noted);
        self.gaps("Said of nothing, or no longer", &noted)
    }

    fn gaps(&mut self, heading: &str, entries: &[&Coverage]) -> Result<(), ReportError> {
        if entries.is_empty() {
            return Ok(());
        }
        writeln!(self.out, "\n{}", self.style.heading(heading))?;
        for entry in entries.iter().take(GAPS) {
            let text = format!("{}: {}", entry.unit, entry.reason);
            for (number, text) in wrap(&text, COLUMNS - 4)
                .iter()
                .take(STORY_LINES)
                .enumerate()
            {
                writeln!(
                    self.out,
                    "{}{text}",
                    if number == 0 { "  " } else { "    " }
                )?;
            }
        }
        if entries.len() > GAPS {
            let more = format!("  and {} more in report.json", entries.len() - GAPS);
            writeln!(self.out, "{}", self.style.dim(&more))?;
        }
        Ok(())
    }

    fn next_format(&mut self) -> Result<(), ReportError> {
        writeln!(self.out, "\n{}", self.style.heading("Next"))?;
        let formats = "this scan is not kept; again with it, for every reason and the plan";
        writeln!(
            self.out,
            "  --format markdown   {}",
            self.style.dim(formats)
        )?;
        Ok(())
    }

    fn next(&mut self, index: &Index<'_>) -> Result<(), ReportError> {
        writeln!(self.out, "\n{}", self.style.heading("Next"))?;
        if let Some(first) = choose(index.report).first() {
            let id = subject_id(first);
            writeln!(
                self.out,
                "  overstay explain {id}   {}",
                self.style.dim("every reason behind the first line")
            )?;
        } else if let Some(first) = index.report.findings.first() {
            writeln!(
                self.out,
                "  overstay explain {}   {}",
                first.id,
                self.style.dim("every reason behind the first finding")
            )?;
        }
        let review = self.style.dim("go through all of it and decide");
        writeln!(self.out, "  overstay review                       {review}")?;
        Ok(())
    }
}

/// Parts joined by a separator, on lines of at most `columns` columns.
fn wrap_parts(parts: &[String], separator: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(last) if last.chars().count() + separator.len() + part.len() <= columns => {
                last.push_str(separator);
                last.push_str(part);
            }
            _ => lines.push(part.clone()),
        }
    }
    lines
}

/// What `overstay explain` takes for an assessment.
fn subject_id(assessment: &Assessment) -> &str {
    match (&assessment.credential, &assessment.identity) {
        (Some(credential), _) => credential.as_str(),
        (None, Some(identity)) => identity.as_str(),
        (None, None) => assessment.id.as_str(),
    }
}

/// The highest risks, and the highest of every disposition that is not among them: what is to be done is told in all its
/// kinds. Sorted by risk.
fn choose(report: &Report) -> Vec<&Assessment> {
    // What is only told of where it is to be ignored is nothing to start with.
    let told = |ignored: bool| -> BTreeSet<&CredentialId> {
        let all = report.findings.iter();
        all.filter(|finding| finding.ignored.is_some() == ignored)
            .filter_map(|finding| finding.credential.as_ref())
            .collect()
    };
    let (ignored, open) = (told(true), told(false));
    let assessments: Vec<&Assessment> = report
        .assessments
        .iter()
        .filter(|one| {
            let credential = one.credential.as_ref();
            !credential.is_some_and(|id| ignored.contains(id) && !open.contains(id))
        })
        .collect();
    let mut kinds = BTreeSet::new();
    // The first three in any case, then the first of each kind, then what is left, up to the limit.
    let mut rank: Vec<(u8, usize)> = Vec::new();
    for (position, assessment) in assessments.iter().enumerate() {
        let first_of_kind = kinds.insert(assessment.disposition);
        let class = match (position, first_of_kind) {
            (0..=2, _) => 0,
            (_, true) => 1,
            _ => 2,
        };
        rank.push((class, position));
    }
    rank.sort_unstable();
    let mut positions: Vec<_> = rank.into_iter().take(STORIES).map(|(_, at)| at).collect();
    positions.sort_unstable();
    positions
        .into_iter()
        .filter_map(|position| assessments.get(position).copied())
        .collect()
}

/// One line: what it is, where its secret was seen, what it opens, who uses it, where it goes.
fn story(index: &Index<'_>, assessment: &Assessment) -> String {
    let credential = index.credential(assessment.credential.as_ref());
    let identity = index.identity(assessment.identity.as_ref());
    let mut parts = Vec::new();
    match (credential, identity) {
        (Some(credential), identity) => {
            parts.push(credential_words(credential));
            if let Some(identity) = identity {
                parts.push(format!("opens {}", identity_words(identity)));
            }
        }
        (None, Some(identity)) => parts.push(identity_words(identity)),
        (None, None) => parts.push(assessment.subject.clone()),
    }
    let consumers = index.consumers_for(credential, identity);
    if let Some(first) = consumers.first() {
        let more = consumers.len() - 1;
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        parts.push(format!("used by {}{more}", first.name));
    }
    let mut out = parts.join(", ");
    if let Some(item) = index.plan_of(assessment) {
        out.push_str(" → ");
        out.push_str(&item.mechanism_title);
    }
    line(&out).into_owned()
}

fn credential_words(credential: &Credential) -> String {
    let name = credential
        .public_id
        .as_deref()
        .or(credential.reference.as_deref())
        .or(credential.redacted.as_ref().map(Redacted::as_str));
    let live = match credential.status {
        CredentialStatus::Active => Some("live"),
        CredentialStatus::Inactive => Some("inactive"),
        CredentialStatus::Unknown => None,
    };
    let place = match credential.storage {
        Storage::Public => Some("public in"),
        Storage::Committed => Some("committed in"),
        Storage::History => Some("in the history of"),
        Storage::PlainFile => Some("in a plain file of"),
        Storage::CiStore | Storage::Environment | Storage::Vault | Storage::NotSeen => None,
    };
    let mut words: Vec<_> = live
        .into_iter()
        .chain([credential.kind.as_str()])
        .chain(name)
        .map(str::to_owned)
        .collect();
    let repositories: BTreeSet<_> = credential
        .sightings
        .iter()
        .map(|seen| seen.repository.as_str())
        .collect();
    if let (Some(place), Some(first)) = (place, repositories.first()) {
        words.push(format!("{place} {first}"));
        match repositories.len() {
            0 | 1 => {}
            more => words.push(format!("and {} more", more - 1)),
        }
    }
    words.join(" ")
}

fn identity_words(identity: &Identity) -> String {
    let what = match (identity.privilege.admin, identity.privilege.tier) {
        (true, _) => "administrator ",
        (false, 5) => "administrator-like ",
        (false, 4) => "privileged ",
        _ => "",
    };
    format!("{what}{} {}", identity.kind.as_str(), identity.name)
}
