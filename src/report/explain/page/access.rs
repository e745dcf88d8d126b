//! What it can do, how it could do more, and who can become it.

use super::super::used;
use super::{MOST, Page};
use crate::model::{Grant, Identity, TrustPath};
use crate::report::ReportError;

impl Page<'_, '_> {
    pub(super) fn access(&mut self, identity: &Identity) -> Result<(), ReportError> {
        let privilege = &identity.privilege;
        let assumed = if privilege.assumed { ", assumed" } else { "" };
        let admin = if privilege.admin {
            ", administrator"
        } else {
            ""
        };
        let unknown =
            privilege.tier == 0 && privilege.evidence.is_empty() && identity.grants.is_empty();
        let tier = if unknown {
            "not known".to_owned()
        } else {
            format!("tier {} of 5{admin}{assumed}", privilege.tier)
        };
        self.heading(&format!("What it can do: {tier}"))?;
        self.evidence(2, &privilege.evidence)?;
        if privilege.upper_bound {
            self.say(
                2,
                "An upper bound: rules outside this scan may take some of it away.",
            )?;
        }
        self.climb(&privilege.escalation)?;
        if let Some(usage) = &privilege.usage {
            for line in used::bars(usage) {
                writeln!(self.out, "  {line}")?;
            }
            for (indent, line) in used::lines(usage) {
                self.say(indent, &line)?;
            }
        }
        let grants = self.index.grants(&identity.grants);
        for grant in grants.iter().take(MOST) {
            self.grant(grant)?;
        }
        self.left_out(2, grants.len())?;
        self.end()?;
        if identity.trust.is_empty() {
            return Ok(());
        }
        let coverage = identity.condition_coverage();
        self.heading(&format!(
            "Who can become it (conditions cover {} of 4)",
            coverage.count()
        ))?;
        for path in identity.trust.iter().take(MOST) {
            self.trust(path)?;
        }
        self.left_out(2, identity.trust.len())?;
        self.end()
    }

    fn grant(&mut self, grant: &Grant) -> Result<(), ReportError> {
        self.say(
            2,
            &format!(
                "{} grant {} (tier {}): {} on {}",
                grant.source.as_str(),
                grant.name,
                grant.tier,
                match (grant.actions.is_empty(), grant.tier) {
                    (true, 5..) => "everything".to_owned(),
                    (true, 1..) => "what it allows is not in the input".to_owned(),
                    _ => some(&grant.actions, grant.actions_total as usize),
                },
                some(&grant.resources, grant.resources.len()),
            ),
        )?;
        if !grant.conditions.is_empty() {
            self.say(6, &format!("if {}", grant.conditions.join(" and ")))?;
        }
        Ok(())
    }

    fn trust(&mut self, path: &TrustPath) -> Result<(), ReportError> {
        let mut text = vec![format!("{} by {}", path.principal, path.action)];
        if path.external {
            text.push(", from outside this scan".to_owned());
        }
        if let Some(vendor) = &path.vendor {
            text.push(format!(", account of {vendor}"));
        }
        self.say(2, &text.concat())?;
        let covered = [
            ("subject", path.coverage.subject),
            ("origin", path.coverage.origin),
            ("session", path.coverage.session),
            ("resource", path.coverage.resource),
        ];
        let words = |wanted: bool| {
            let chosen = covered.iter().filter(|(_, held)| *held == wanted);
            chosen.map(|(word, _)| *word).collect::<Vec<_>>().join(", ")
        };
        self.say(
            6,
            &format!(
                "asks for: {}; does not ask for: {}",
                or_none(&words(true)),
                or_none(&words(false))
            ),
        )?;
        for (text, asked) in [
            ("ends at a time", path.coverage.time),
            ("asks for an environment", path.coverage.environment),
        ] {
            if asked {
                self.say(6, text)?;
            }
        }
        for condition in &path.conditions {
            self.say(6, condition)?;
        }
        Ok(())
    }
}

fn some(entries: &[String], total: usize) -> String {
    let shown: Vec<_> = entries.iter().take(4).map(String::as_str).collect();
    match total.saturating_sub(shown.len()) {
        0 if shown.is_empty() => "nothing".to_owned(),
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "nothing" } else { text }
}
