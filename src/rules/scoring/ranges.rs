//! What each number may be.

use super::{RuleError, Scoring};
use std::collections::BTreeMap;

impl Scoring {
    /// Names the first number that lies outside of its range.
    pub(super) fn check(&self, file: &str) -> Result<(), RuleError> {
        let t = &self.thresholds;
        let day = 86_400;
        let ranges: [(&str, i128, i128, i128); 54] = [
            ("shared.networks", self.shared.networks as i128, 2, 1000),
            ("shared.programs", self.shared.programs as i128, 1, 1000),
            (
                "shared.network_percent",
                self.shared.network_percent.into(),
                1,
                100,
            ),
            (
                "shared.overlap_hours",
                self.shared.overlap_hours.into(),
                1,
                400,
            ),
            (
                "task.session_gap_seconds",
                self.task.session_gap_seconds.into(),
                60,
                day,
            ),
            ("task.pause_jump", self.task.pause_jump.into(), 2, 100),
            (
                "task.continuous_percent",
                self.task.continuous_percent.into(),
                1,
                100,
            ),
            (
                "task.least_sessions",
                self.task.least_sessions as i128,
                2,
                1000,
            ),
            (
                "task.window_sessions",
                self.task.window_sessions.into(),
                1,
                1000,
            ),
            (
                "task.bursty_seconds",
                self.task.bursty_seconds.into(),
                60,
                7 * day,
            ),
            (
                "task.narrow_after_days",
                self.task.narrow_after_days.into(),
                1,
                3650,
            ),
            (
                "thresholds.long_lived_days",
                t.long_lived_days.into(),
                1,
                3650,
            ),
            ("thresholds.unused_days", t.unused_days.into(), 1, 3650),
            ("thresholds.idle_days", t.idle_days.into(), 1, 3650),
            (
                "thresholds.temporary_days",
                t.temporary_days.into(),
                1,
                3650,
            ),
            ("thresholds.rotation_days", t.rotation_days.into(), 1, 3650),
            (
                "thresholds.long_session_seconds",
                t.long_session_seconds.into(),
                900,
                day,
            ),
            (
                "thresholds.short_session_seconds",
                t.short_session_seconds.into(),
                60,
                day,
            ),
            (
                "thresholds.medium_session_seconds",
                t.medium_session_seconds.into(),
                60,
                7 * day,
            ),
            (
                "thresholds.break_glass_max_session_seconds",
                t.break_glass_max_session_seconds.into(),
                900,
                day,
            ),
            ("thresholds.quiet_days", t.quiet_days.into(), 1, 365),
            (
                "thresholds.shared_consumers",
                t.shared_consumers as i128,
                2,
                1000,
            ),
            (
                "thresholds.disconnected_providers",
                t.disconnected_providers as i128,
                2,
                1000,
            ),
            ("thresholds.exception_days", t.exception_days.into(), 1, 730),
            (
                "thresholds.exception_most_days",
                t.exception_most_days.into(),
                1,
                3_650,
            ),
            ("thresholds.rollback_days", t.rollback_days.into(), 1, 365),
            ("bands.low", self.bands.low.into(), 1, 100),
            (
                "bands.medium",
                self.bands.medium.into(),
                i128::from(self.bands.low) + 1,
                100,
            ),
            (
                "bands.high",
                self.bands.high.into(),
                i128::from(self.bands.medium) + 1,
                100,
            ),
            (
                "bands.critical",
                self.bands.critical.into(),
                i128::from(self.bands.high) + 1,
                100,
            ),
            ("floors.root_key", self.floors.root_key.into(), 0, 100),
            (
                "floors.exposed_privileged",
                self.floors.exposed_privileged.into(),
                0,
                100,
            ),
            (
                "floors.public_usable",
                self.floors.public_usable.into(),
                0,
                100,
            ),
            (
                "floors.exposed_usable",
                self.floors.exposed_usable.into(),
                0,
                100,
            ),
            ("gates.migrate_fit", self.gates.migrate_fit.into(), 0, 100),
            (
                "gates.plan_fit",
                self.gates.plan_fit.into(),
                0,
                self.gates.migrate_fit.into(),
            ),
            (
                "gates.hybrid_mechanism_points",
                self.gates.hybrid_mechanism_points.into(),
                0,
                25,
            ),
            ("gates.migrate_risk", self.gates.migrate_risk.into(), 0, 100),
            (
                "gates.keep_max_privilege",
                self.gates.keep_max_privilege.into(),
                0,
                5,
            ),
            (
                "gates.keep_max_sensitivity",
                self.gates.keep_max_sensitivity.into(),
                0,
                3,
            ),
            (
                "gates.keep_max_blast",
                self.gates.keep_max_blast.into(),
                0,
                2,
            ),
            (
                "gates.full_condition_coverage",
                self.gates.full_condition_coverage.into(),
                0,
                4,
            ),
            (
                "gates.residual_exposure",
                self.gates.residual_exposure.into(),
                0,
                5,
            ),
            (
                "ttl.default_window_seconds",
                self.ttl.default_window_seconds.into(),
                60,
                day,
            ),
            (
                "ttl.agent_window_seconds",
                self.ttl.agent_window_seconds.into(),
                60,
                day,
            ),
            (
                "ttl.human_window_seconds",
                self.ttl.human_window_seconds.into(),
                60,
                day,
            ),
            (
                "ttl.service_window_seconds",
                self.ttl.service_window_seconds.into(),
                60,
                day,
            ),
            ("plan.wave_size", self.plan.wave_size as i128, 1, 100_000),
            (
                "plan.narrow_target_sensitivity",
                self.plan.narrow_target_sensitivity.into(),
                0,
                3,
            ),
            (
                "plan.narrow_target_privilege",
                self.plan.narrow_target_privilege.into(),
                0,
                5,
            ),
            (
                "plan.review_from_risk",
                self.plan.review_from_risk.into(),
                0,
                100,
            ),
            (
                "approval.strict_from",
                self.approval.strict_from.into(),
                0,
                15,
            ),
            (
                "approval.light_from",
                self.approval.light_from.into(),
                0,
                self.approval.strict_from.into(),
            ),
            (
                "approval.strict_privilege",
                self.approval.strict_privilege.into(),
                0,
                6,
            ),
        ];
        for (key, value, least, most) in ranges {
            in_range(file, key, value, least, most)?;
        }
        for (key, levels, most) in self.fit_tables() {
            for (level, value) in levels {
                in_range(
                    file,
                    &format!("fit.{key}.{level}"),
                    (*value).into(),
                    0,
                    most,
                )?;
            }
        }
        for (name, value) in &self.nature.tiers {
            in_range(file, &format!("nature.tiers.{name}"), (*value).into(), 0, 5)?;
        }
        for (size, value) in &self.plan.effort_points {
            let key = format!("plan.effort_points.{size}");
            in_range(file, &key, (*value).into(), 1, 100)?;
        }
        let levels = self.sensitivity.types.iter().map(|entry| ("types", entry));
        let levels = levels.chain(
            self.sensitivity
                .tag_levels
                .iter()
                .map(|entry| ("tag_levels", entry)),
        );
        for (key, (name, value)) in levels {
            in_range(
                file,
                &format!("sensitivity.{key}.{name}"),
                (*value).into(),
                0,
                3,
            )?;
        }
        let allowed = &self.ttl.allowed_seconds;
        let ascending = allowed.windows(2).all(|pair| pair[0] < pair[1]);
        if allowed.is_empty() || !ascending || allowed[0] < 60 {
            return Err(RuleError::invalid(
                file,
                "`ttl.allowed_seconds` must be a list of seconds, each at least 60, in ascending order",
            ));
        }
        Ok(())
    }

    /// The seven fit tables with the most each may give; the maxima add up to 100.
    pub(super) fn fit_tables(&self) -> [(&'static str, &BTreeMap<String, u8>, i128); 7] {
        [
            ("mechanism", &self.fit.mechanism, 25),
            ("boundedness", &self.fit.boundedness, 20),
            ("revocation", &self.fit.revocation, 15),
            ("federation", &self.fit.federation, 15),
            ("ownership", &self.fit.ownership, 10),
            ("instrumentation", &self.fit.instrumentation, 10),
            ("renewal", &self.fit.renewal, 5),
        ]
    }
}

fn in_range(file: &str, key: &str, value: i128, least: i128, most: i128) -> Result<(), RuleError> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(RuleError::invalid(
            file,
            format!("`{key}` is {value}; it must lie between {least} and {most}"),
        ))
    }
}
