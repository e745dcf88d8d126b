//! The page: facts first, then what is wrong, then what was judged, from what, and what to do.

mod access;
mod climb;
mod facts;
mod judged;
mod logs;
mod todo;

use super::super::summary::Style;
use super::super::text::{line, plural, wrap};
use super::super::{Index, ReportError};
use super::Subject;
use crate::model::{CredentialId, Evidence, IdentityId, LastUse, evidence::days_between};
use jiff::Timestamp;
use std::cmp::Reverse;
use std::io::Write;

/// Most entries of one list.
const MOST: usize = 25;
/// Least columns a page is wrapped to.
const LEAST: usize = 40;

/// Writes the page about a subject, so many columns wide.
///
/// # Errors
/// When the output refuses.
pub fn page(
    index: &Index<'_>,
    subject: Subject<'_>,
    colour: bool,
    columns: usize,
    out: &mut dyn Write,
) -> Result<(), ReportError> {
    let mut page = Page {
        index,
        style: Style(colour),
        columns: columns.max(LEAST),
        now: index.report.run.now,
        out,
    };
    match subject {
        Subject::Identity(identity) => {
            page.identity(identity)?;
            page.credentials(&index.credentials_of(identity))?;
            let held = index.credentials_held_by(identity);
            page.credentials(&held)?;
            page.access(identity)?;
            page.consumers(&index.consumers(&identity.consumers))?;
            page.logs(
                &index
                    .report
                    .observed
                    .of_identity(&identity.id)
                    .collect::<Vec<_>>(),
            )?;
            let mut findings = index.findings_of_identity(&identity.id).to_vec();
            let mut assessments = index.assessments_of_identity(&identity.id).to_vec();
            for credential in held {
                findings.extend(index.findings_of_credential(&credential.id));
                assessments.extend(index.assessment_of_credential(&credential.id));
            }
            findings.sort_by(|a, b| {
                (Reverse(a.severity), &a.rule, &a.id).cmp(&(Reverse(b.severity), &b.rule, &b.id))
            });
            findings.dedup_by(|a, b| a.id == b.id);
            assessments.sort_by(|a, b| {
                (Reverse(a.risk.score), &a.id).cmp(&(Reverse(b.risk.score), &b.id))
            });
            assessments.dedup_by(|a, b| a.id == b.id);
            page.findings(&findings)?;
            for assessment in assessments {
                page.assessment(assessment)?;
            }
        }
        Subject::Credential(credential) => {
            page.credentials(&[credential])?;
            let identity = index.identity(credential.identity.as_ref());
            if let Some(identity) = identity {
                page.identity(identity)?;
                page.access(identity)?;
            }
            page.consumers(&index.consumers_for(Some(credential), identity))?;
            page.log_of(Some(credential), identity)?;
            page.findings(index.findings_of_credential(&credential.id))?;
            if let Some(assessment) = index.assessment_of_credential(&credential.id) {
                page.assessment(assessment)?;
            }
        }
        Subject::Finding(finding) => {
            page.findings(&[finding])?;
            page.about(finding.credential.as_ref(), finding.identity.as_ref())?;
            if let Some(assessment) = index.assessment_of(finding) {
                page.assessment(assessment)?;
            }
        }
        Subject::Assessment(assessment) => {
            page.about(assessment.credential.as_ref(), assessment.identity.as_ref())?;
            page.assessment(assessment)?;
        }
    }
    Ok(out.flush()?)
}

struct Page<'a, 'o> {
    index: &'a Index<'a>,
    style: Style,
    columns: usize,
    now: Timestamp,
    out: &'o mut dyn Write,
}

impl Page<'_, '_> {
    fn about(
        &mut self,
        credential: Option<&CredentialId>,
        identity: Option<&IdentityId>,
    ) -> Result<(), ReportError> {
        let credential = self.index.credential(credential);
        if let Some(credential) = credential {
            self.credentials(&[credential])?;
        }
        let of_credential = credential.and_then(|each| each.identity.as_ref());
        let identity = self.index.identity(identity.or(of_credential));
        if let Some(identity) = identity {
            self.identity(identity)?;
            self.access(identity)?;
        }
        self.consumers(&self.index.consumers_for(credential, identity))?;
        self.log_of(credential, identity)
    }

    fn heading(&mut self, text: &str) -> Result<(), ReportError> {
        let text = self.style.heading(&line(text));
        Ok(writeln!(self.out, "{text}")?)
    }

    /// A text in lines, with so many columns taken from each.
    fn wrapped(&self, text: &str, taken: usize) -> Vec<String> {
        wrap(text, self.columns.saturating_sub(taken))
    }

    /// A paragraph, wrapped, with a hanging indent.
    fn say(&mut self, indent: usize, text: &str) -> Result<(), ReportError> {
        for (number, each) in self.wrapped(text, indent + 2).iter().enumerate() {
            let hang = if number == 0 { indent } else { indent + 2 };
            writeln!(self.out, "{:hang$}{each}", "")?;
        }
        Ok(())
    }

    fn field(&mut self, name: &str, value: &str) -> Result<(), ReportError> {
        if value.is_empty() {
            return Ok(());
        }
        for (number, each) in wrap(value, self.columns - 18).iter().enumerate() {
            let name = if number == 0 { name } else { "" };
            writeln!(self.out, "  {name:<16}{each}")?;
        }
        Ok(())
    }

    /// A field of several entries, each on lines of its own.
    fn list(&mut self, name: &str, entries: &[String]) -> Result<(), ReportError> {
        for (number, entry) in entries.iter().enumerate() {
            self.field(if number == 0 { name } else { "" }, entry)?;
        }
        Ok(())
    }

    fn maybe(&mut self, name: &str, value: Option<&str>) -> Result<(), ReportError> {
        self.field(name, value.unwrap_or_default())
    }

    fn evidence(&mut self, indent: usize, evidence: &[Evidence]) -> Result<(), ReportError> {
        for each in evidence.iter().take(MOST) {
            self.say(indent, &format!("[{}] {}", each.grade.as_str(), each.text))?;
        }
        self.left_out(indent, evidence.len())
    }

    fn left_out(&mut self, indent: usize, total: usize) -> Result<(), ReportError> {
        if total > MOST {
            self.say(indent, &format!("and {} more in report.json", total - MOST))?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), ReportError> {
        Ok(writeln!(self.out)?)
    }

    fn when(&self, at: Timestamp) -> String {
        let days = days_between(at, self.now);
        let day = at.strftime("%Y-%m-%d");
        match u64::try_from(days) {
            Ok(0) => format!("{day} (today)"),
            Ok(days) => format!("{day} ({} ago)", plural(days, "day", "days")),
            Err(_) => format!("{day} (in {})", plural(days.unsigned_abs(), "day", "days")),
        }
    }

    /// The last use by the issuer's record, else the last one that logs show.
    fn use_of(&self, last_use: LastUse, seen: Option<Timestamp>) -> String {
        match last_use {
            LastUse::Unknown => seen.map_or_else(
                || "unknown: no telemetry".to_owned(),
                |at| format!("{}, in logs", self.when(at)),
            ),
            LastUse::NeverSince(since) => format!("never since {}", self.when(since)),
            LastUse::At(at) => self.when(at),
        }
    }
}
