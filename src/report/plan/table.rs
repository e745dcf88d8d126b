//! `plan.csv`: one row an item, in the order of work.

use super::super::cells::{Cell, Column, SCHEMA_VERSION, columns, write};
use super::super::{Emitter, Index, Options, ReportError};
use crate::model::{Assessment, ItemProgress, PlanItem, Report};
use std::io::Write;

/// Writes `plan.csv`.
pub(in super::super) struct PlanCsv {
    pub(in super::super) options: Options,
}

/// An item with its assessment.
pub struct Row<'a> {
    item: &'a PlanItem,
    assessment: Option<&'a Assessment>,
    policy: &'a str,
    became: Option<&'a ItemProgress>,
}

impl Row<'_> {
    fn judged(&self, cell: impl FnOnce(&Assessment) -> Cell<'_>) -> Cell<'_> {
        Cell::maybe(self.assessment, cell)
    }
}

columns! {
    /// Every column, in order.
    columns:
    schema_version: "Version of these columns; columns are only added, at the end."
        => |_| Cell::Whole(SCHEMA_VERSION);
    plan_id: "Stable id of the item."
        => |row| Cell::text(row.item.id.as_str());
    wave: "Wave."
        => |row| Cell::Whole(row.item.wave.into());
    position: "Position in the wave."
        => |row| Cell::Whole(row.item.position.into());
    title: "What is done to what."
        => |row| Cell::text(&row.item.title);
    disposition: "Disposition."
        => |row| Cell::text(row.item.disposition.as_str());
    identity_id: "Identity."
        => |row| Cell::maybe(row.item.identity.as_ref(), |id| Cell::text(id.as_str()));
    credential_id: "Credential."
        => |row| Cell::maybe(row.item.credential.as_ref(), |id| Cell::text(id.as_str()));
    assessment_id: "Assessment it settles."
        => |row| Cell::text(row.item.assessment.as_str());
    risk_before: "Risk today, 0–100."
        => |row| Cell::Whole(row.item.risk_before.into());
    risk_after: "Risk when it is done, by the same formula."
        => |row| Cell::Whole(row.item.risk_after.into());
    risk_removed: "The difference."
        => |row| Cell::Whole(row.item.risk_removed.into());
    vector: "Risk vector today."
        => |row| row.judged(|judged| Cell::text(&judged.risk.vector));
    vector_after: "Risk vector when it is done."
        => |row| row.judged(|judged| Cell::text(&judged.risk_after.vector));
    fit: "Fit for just-in-time access, 0–100."
        => |row| row.judged(|judged| Cell::Whole(judged.fit.score.into()));
    blockers: "What stands in the way."
        => |row| row.judged(|judged| Cell::list(judged.blockers.iter().map(|each| &each.id)));
    confidence: "Weakest evidence that decided, A to D."
        => |row| row.judged(|judged| Cell::text(judged.confidence.as_str()));
    effort: "`S`, `M` or `L`."
        => |row| Cell::text(&row.item.effort.size);
    effort_points: "Points behind the size."
        => |row| Cell::Whole(row.item.effort.points.into());
    risk_removed_per_effort: "Risk removed for each point of effort."
        => |row| Cell::Decimal(f64::from(row.item.risk_removed) / f64::from(row.item.effort.points.max(1)));
    mechanism: "Target mechanism, or procedure."
        => |row| Cell::text(&row.item.mechanism);
    catalogue_as_of: "Date of the catalogue's entry."
        => |row| Cell::text(&row.item.catalogue_as_of);
    ttl_seconds: "Proposed lifetime; empty where the platform renews."
        => |row| Cell::seconds(row.item.ttl.seconds);
    ttl_evidence: "What the lifetime was made from."
        => |row| Cell::text(&row.item.ttl.evidence);
    lifetime_ratio: "Age of the credential over the length of its task, to two figures."
        => |row| row.judged(|judged| Cell::maybe(judged.lifetime_ratio, Cell::Decimal));
    exposure_before: "How long a stolen copy is worth something today."
        => |row| row.judged(|judged| Cell::text(&judged.exposure_window.before));
    exposure_after: "The same when it is done."
        => |row| row.judged(|judged| Cell::text(&judged.exposure_window.after));
    task_bounded: "Whether the work ends by itself."
        => |row| row.judged(|judged| Cell::ternary(judged.task.bounded));
    task_rhythm: "Rhythm of its use, where logs show it."
        => |row| row.judged(|judged| Cell::maybe(judged.task.rhythm, |rhythm| Cell::text(rhythm.as_str())));
    stop_provable: "Whether it can be shown that the work stopped using the access."
        => |row| row.judged(|judged| Cell::ternary(judged.task.stop_provable));
    mitigation_claim: "What may be claimed: `full`, `partial`, `none`."
        => |row| Cell::text(row.item.mitigation.as_str());
    ready_issue: "Access can be issued by machines."
        => |row| Cell::ternary(row.item.readiness.issue);
    ready_observe: "Its use can be observed."
        => |row| Cell::ternary(row.item.readiness.observe);
    ready_revoke: "It can be revoked by machines."
        => |row| Cell::ternary(row.item.readiness.revoke);
    revocation_triggers: "What ends the access."
        => |row| Cell::list(row.item.revocation_triggers.iter().map(|each| each.as_str()));
    approval_system: "What access is asked for."
        => |row| Cell::text(&row.item.approval.system);
    approval_reason: "Why."
        => |row| Cell::text(&row.item.approval.reason);
    approval_duration: "For how long."
        => |row| Cell::text(&row.item.approval.duration);
    approval_approver: "Who approves."
        => |row| Cell::text(&row.item.approval.approver);
    approval_tier: "`auto`, `light` or `strict`."
        => |row| Cell::text(row.item.approval.tier.as_str());
    baseline_actions: "Actions seen in use that may stay."
        => |row| Cell::maybe(row.item.permissions.as_ref(), |sets| Cell::list(sets.baseline.iter().flat_map(|line| &line.actions)));
    elevated_actions: "Actions seen in use that are asked for when they are needed."
        => |row| Cell::maybe(row.item.permissions.as_ref(), |sets| Cell::list(sets.elevated.iter().flat_map(|line| &line.actions)));
    permission_gaps: "What the sources of use cannot show."
        => |row| Cell::maybe(row.item.permissions.as_ref(), |sets| Cell::list(&sets.gaps));
    prerequisites: "What must be there first."
        => |row| Cell::list(&row.item.prerequisites);
    open_questions: "Questions only the owner can answer."
        => |row| Cell::list(&row.item.open_questions);
    compensating_controls: "Controls beside or in place of the migration, with their state."
        => |row| Cell::list(row.item.compensating_controls.iter().map(|each| format!("{} ({})", each.control, each.present.as_str())));
    exception_expires: "When accepted standing access runs out."
        => |row| Cell::maybe(row.item.exception_expires, Cell::Time);
    revoke_command: "Copy and paste to revoke."
        => |row| Cell::maybe(row.item.revoke_command.as_deref(), |text| Cell::text(one_line(text)));
    negative_test: "What must fail once the access has ended."
        => |row| Cell::text(&row.item.negative_test);
    acceptance_test: "What must work."
        => |row| Cell::text(&row.item.acceptance_test);
    rollback: "How to go back, and until when."
        => |row| Cell::text(&row.item.rollback);
    detect_done: "How a later scan sees that it is done."
        => |row| Cell::text(&row.item.detect_done);
    policy_digest: "Digest of the thresholds, weights and annotations judged by."
        => |row| Cell::text(row.policy);
    state: "`open`, `dual-path` or `reopened`, as later runs show it; empty of an item that this run planned first."
        => |row| Cell::maybe(row.became, |became| Cell::text(became.state.as_str()));
    state_since: "Time of the run that showed this state first."
        => |row| Cell::maybe(row.became, |became| Cell::Time(became.since));
    state_evidence: "What of `detect_done` holds and what does not."
        => |row| Cell::maybe(row.became, |became| Cell::list(&became.evidence));
    unverified: "Facts of the catalogue's entry that nobody has verified."
        => |row| Cell::list(&row.item.unverified);
    planned_at: "Time of the run that planned it first."
        => |row| Cell::maybe(row.became, |became| Cell::Time(became.planned_at));
    folder: "Folder beside the reports with the files made ready for it."
        => |row| Cell::text(&row.item.folder);
}

impl Emitter for PlanCsv {
    fn emit(&self, report: &Report, out: &mut dyn Write) -> Result<(), ReportError> {
        let index = Index::new(report);
        let judged: std::collections::BTreeMap<_, _> = index
            .report
            .assessments
            .iter()
            .map(|assessment| (&assessment.id, assessment))
            .collect();
        let rows: Vec<Row<'_>> = report
            .plan
            .iter()
            .map(|item| Row {
                item,
                assessment: judged.get(&item.assessment).copied(),
                policy: &report.run.policy_digest,
                became: index.became(&item.id),
            })
            .collect();
        write(&columns(), &rows, self.options, out)
    }
}

/// Commands in one line, as a shell takes them; what is a comment comes last.
fn one_line(commands: &str) -> String {
    let (commands, comment) = match commands.split_once("\n# ") {
        Some((commands, comment)) => (commands, format!(" # {comment}")),
        None => (commands, String::new()),
    };
    let commands: Vec<&str> = commands
        .lines()
        .map(|line| line.trim_end_matches(';'))
        .collect();
    format!("{}{comment}", commands.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_commands_are_one_line_that_a_shell_takes() {
        assert_eq!(one_line("a --b"), "a --b");
        assert_eq!(
            one_line("a --b;\nc\n# By hand besides: d"),
            "a --b; c # By hand besides: d"
        );
        assert_eq!(one_line("# by hand"), "# by hand");
    }
}
