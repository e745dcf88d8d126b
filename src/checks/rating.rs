//! How bad and how sure, step by step: every step away from a check's first severity leaves its reason as evidence.

use super::subject::Power;
use crate::model::{Confidence, Evidence, Grade, Severity};
use crate::rules::posture::CheckMeta;

/// A severity on its way from a check's default to a finding's.
#[derive(Clone, Debug)]
pub(super) struct Rating {
    severity: Severity,
    confidence: Confidence,
    evidence: Vec<Evidence>,
}

impl Rating {
    /// Where the check starts, sure of what it says.
    pub(super) fn of(meta: &CheckMeta) -> Self {
        Self {
            severity: meta.severity,
            confidence: Confidence::High,
            evidence: Vec::new(),
        }
    }

    /// One step up.
    pub(super) fn raise(&mut self, grade: Grade, why: &str) {
        let above = Severity::ALL.into_iter().rev().find(|s| *s > self.severity);
        self.step(above.unwrap_or(self.severity), grade, why);
    }

    /// One step down.
    pub(super) fn lower(&mut self, grade: Grade, why: &str) {
        let below = Severity::ALL.into_iter().find(|s| *s < self.severity);
        self.step(below.unwrap_or(self.severity), grade, why);
    }

    /// One step up where somebody can escalate, reach secret stores or do more than that.
    pub(super) fn raise_for(&mut self, who: &str, power: &Power) {
        if power.tier >= Some(4) {
            self.raise(power.grade, &format!("{who} is {}", power.words));
        }
    }

    /// One step up for who can do much, one step down for who can do little.
    pub(super) fn weigh(&mut self, who: &str, power: &Power) {
        self.raise_for(who, power);
        if matches!(power.tier, Some(0 | 1)) {
            self.lower(power.grade, &format!("{who} is {}", power.words));
        }
    }

    /// No higher than `cap`.
    pub(super) fn at_most(&mut self, cap: Severity, grade: Grade, why: &str) {
        self.step(self.severity.min(cap), grade, why);
    }

    /// No lower than `floor`.
    pub(super) fn at_least(&mut self, floor: Severity, grade: Grade, why: &str) {
        self.step(self.severity.max(floor), grade, why);
    }

    /// No surer than `cap`.
    pub(super) fn no_surer(&mut self, cap: Confidence) {
        self.confidence = self.confidence.min(cap);
    }

    /// Evidence that moves nothing.
    pub(super) fn note(&mut self, grade: Grade, text: impl Into<String>) {
        self.evidence.push(Evidence::new(grade, text));
    }

    /// Evidence taken over from the inventory.
    pub(super) fn cite(&mut self, evidence: &[Evidence]) {
        self.evidence.extend_from_slice(evidence);
    }

    fn step(&mut self, to: Severity, grade: Grade, why: &str) {
        if to != self.severity {
            self.note(grade, format!("severity {} → {to}: {why}", self.severity));
            self.severity = to;
        }
    }

    /// Severity, confidence and the reasons.
    pub(super) fn into_parts(self) -> (Severity, Confidence, Vec<Evidence>) {
        (self.severity, self.confidence, self.evidence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::posture::Posture;

    fn rating(severity: Severity) -> Rating {
        let posture = Posture::builtin().unwrap();
        let mut meta = posture.checks().next().unwrap().clone();
        meta.severity = severity;
        Rating::of(&meta)
    }

    #[test]
    fn steps_stop_at_the_ends_and_say_why() {
        let mut up = rating(Severity::High);
        up.raise(Grade::A, "one");
        up.raise(Grade::A, "two");
        let (severity, _, evidence) = up.into_parts();
        assert_eq!(severity, Severity::Critical);
        assert_eq!(evidence.len(), 1);
        assert_eq!(evidence[0].text, "severity high → critical: one");

        let mut down = rating(Severity::Low);
        down.lower(Grade::D, "one");
        down.lower(Grade::D, "two");
        assert_eq!(down.into_parts().0, Severity::Info);
    }

    #[test]
    fn caps_and_floors_move_only_what_is_beyond_them() {
        let mut rating = rating(Severity::Medium);
        rating.at_most(Severity::High, Grade::A, "x");
        rating.at_least(Severity::Low, Grade::A, "x");
        rating.no_surer(Confidence::Medium);
        rating.no_surer(Confidence::High);
        let (severity, confidence, evidence) = rating.into_parts();
        assert_eq!(
            (severity, confidence),
            (Severity::Medium, Confidence::Medium)
        );
        assert!(evidence.is_empty());
    }
}
