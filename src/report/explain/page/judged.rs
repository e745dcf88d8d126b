//! What is wrong, and what was judged from what.

use super::{MOST, Page};
use crate::model::{Assessment, Finding, Mitigation};
use crate::report::text::duration;
use crate::report::{ReportError, permissions};

impl Page<'_, '_> {
    pub(super) fn findings(&mut self, findings: &[&Finding]) -> Result<(), ReportError> {
        if findings.is_empty() {
            return Ok(());
        }
        self.heading("Findings")?;
        for finding in findings.iter().take(MOST) {
            let severity = self
                .style
                .severity(finding.severity, finding.severity.as_str());
            writeln!(
                self.out,
                "  {severity} {} {}",
                finding.rule,
                self.style.dim(finding.id.as_str())
            )?;
            self.say(4, &finding.message)?;
            self.evidence(6, &finding.evidence)?;
            for location in finding.locations.iter().take(5) {
                let named = location
                    .logical
                    .as_deref()
                    .map_or_else(String::new, |name| format!(" {name}"));
                self.say(6, &format!("at {}{named}", location.display()))?;
            }
            let frameworks: Vec<_> = finding
                .frameworks
                .iter()
                .map(|(name, ids)| format!("{name} {}", ids.join(", ")))
                .collect();
            if !frameworks.is_empty() {
                self.say(6, &frameworks.join("; "))?;
            }
        }
        self.left_out(2, findings.len())?;
        self.end()
    }

    pub(super) fn assessment(&mut self, assessment: &Assessment) -> Result<(), ReportError> {
        let risk = &assessment.risk;
        self.heading(&format!(
            "Risk of {}: {} {} ({}; likelihood {} × impact {})",
            assessment.subject,
            risk.score,
            risk.band.as_str(),
            risk.vector,
            risk.likelihood,
            risk.impact
        ))?;
        for factor in &risk.factors {
            let star = if factor.assumed { "*" } else { "" };
            self.say(
                2,
                &format!("{}{}{star} {}", factor.code, factor.level, factor.name),
            )?;
            self.evidence(6, &factor.evidence)?;
        }
        for floor in &risk.floors {
            self.say(2, &format!("raised: {floor}"))?;
        }
        self.end()?;
        self.heading(&format!(
            "Fit for just-in-time access: {} of 100",
            assessment.fit.score
        ))?;
        for factor in &assessment.fit.factors {
            self.say(
                2,
                &format!(
                    "{} {} of {} {}",
                    factor.code, factor.points, factor.max, factor.name
                ),
            )?;
            self.evidence(6, &factor.evidence)?;
        }
        for blocker in &assessment.blockers {
            let grade = blocker.evidence.grade.as_str();
            self.say(
                2,
                &format!(
                    "blocked by {}: [{grade}] {}",
                    blocker.id, blocker.evidence.text
                ),
            )?;
        }
        self.end()?;
        self.decision(assessment)?;
        if let Some(item) = self.index.plan_of(assessment) {
            self.plan(item)?;
        }
        Ok(())
    }

    fn decision(&mut self, assessment: &Assessment) -> Result<(), ReportError> {
        self.heading(&format!(
            "Disposition: {} (weakest evidence: {})",
            assessment.disposition.title(),
            assessment.confidence.as_str()
        ))?;
        for row in &assessment.trace {
            let mark = if row.matched { "yes" } else { "no " };
            self.say(2, &format!("{mark} {}", row.disposition.title()))?;
            for condition in &row.conditions {
                self.say(
                    8,
                    &format!("{:<7} {}", condition.held.as_str(), condition.text),
                )?;
            }
        }
        if let Some(next) = assessment.follow_up {
            self.field("then", next.title())?;
        }
        self.field("target", assessment.target.as_deref().unwrap_or("none"))?;
        self.field("because", &assessment.target_reason)?;
        let lifetime = assessment.ttl.seconds.map_or_else(
            || "set by the platform, or nothing to issue".to_owned(),
            duration,
        );
        self.field(
            "lifetime",
            &format!("{lifetime}: {}", assessment.ttl.evidence),
        )?;
        for (name, value) in permissions::task(assessment) {
            self.field(name, &value)?;
        }
        let window = &assessment.exposure_window;
        self.field(
            "a stolen copy",
            &format!("works today: {}; after: {}", window.before, window.after),
        )?;
        if let Some(ratio) = assessment.lifetime_ratio {
            self.field("outlives task", &format!("{ratio:.0} times"))?;
        }
        let ready = assessment.readiness;
        self.field(
            "by machines",
            &format!(
                "issued {}, observed {}, revoked {}",
                ready.issue.as_str(),
                ready.observe.as_str(),
                ready.revoke.as_str()
            ),
        )?;
        self.field(
            "may be claimed",
            match assessment.mitigation {
                Mitigation::Full => "full mitigation",
                Mitigation::Partial => "partial mitigation",
                Mitigation::None => "no mitigation",
            },
        )?;
        let after = &assessment.risk_after;
        self.field(
            "risk after",
            &format!("{} {} ({})", after.score, after.band.as_str(), after.vector),
        )?;
        for text in &after.evidence {
            self.say(6, text)?;
        }
        self.end()
    }
}
