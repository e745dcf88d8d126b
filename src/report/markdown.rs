//! `plan.md`: the migration plan as a checklist for people, with headings that stay the same from run to run.

use super::plan::curve;
use super::text::{code, code_block, duration, markdown, thousands};
use super::{Emitter, Index, ReportError, permissions, progress};
use crate::model::{
    Assessment, Coverage, CoverageStatus, Disposition, ItemState, PlanItem, PlanStep, Report,
    Severity,
};
use std::io::{BufWriter, Write};

/// Writes `plan.md`.
pub(super) struct Markdown;

type Out<'a> = BufWriter<&'a mut dyn Write>;

impl Emitter for Markdown {
    fn emit(&self, report: &Report, out: &mut dyn Write) -> Result<(), ReportError> {
        write_with(report, None, out)
    }
}

/// How the first wave begins. No text from outside begins a line so.
const WAVES: &[u8] = b"\n## Wave ";

/// The waves of a plan in `plan.md`: what in it says nothing of the run. `None` where there are none.
pub fn waves(text: &[u8]) -> Option<&[u8]> {
    text.get(memchr::memmem::find(text, WAVES)? + 1..)
}

/// Writes `plan.md`; its waves are not made where they are there already.
///
/// # Errors
/// When the output refuses.
pub fn write_with(
    report: &Report,
    waves: Option<&[u8]>,
    out: &mut dyn Write,
) -> Result<(), ReportError> {
    let mut out = BufWriter::new(out);
    head(&mut out, report)?;
    since(&mut out, report)?;
    gaps(&mut out, report)?;
    if let Some(waves) = waves {
        out.write_all(waves)?;
    } else {
        let index = Index::new(report);
        let mut wave = None;
        for item in &report.plan {
            if wave != Some(item.wave) {
                wave = Some(item.wave);
                overview(&mut out, report, item.wave)?;
            }
            entry(&mut out, &index, item)?;
        }
        unplanned(&mut out, &index)?;
    }
    Ok(out.flush()?)
}

fn head(out: &mut Out<'_>, report: &Report) -> Result<(), ReportError> {
    let run = &report.run;
    let summary = &report.summary;
    writeln!(out, "# Migration plan\n")?;
    writeln!(
        out,
        "Run {}, ages measured to {}. Made by overstay {} with rules {} and policy {}.\n",
        code(&run.id),
        run.now,
        markdown(&report.tool.version),
        code(&run.rules_digest),
        code(&run.policy_digest),
    )?;
    writeln!(out, "## Summary\n")?;
    writeln!(out, "| | |\n|---|---|")?;
    let mut row = |name: &str, value: String| writeln!(out, "| {name} | {value} |");
    row(
        "Machine identities",
        thousands(summary.machine_identities.into()),
    )?;
    row("People", thousands(summary.human_identities.into()))?;
    row(
        "Credentials",
        format!(
            "{}, {} of them long-lived",
            thousands(summary.credentials.into()),
            thousands(summary.long_lived_credentials.into())
        ),
    )?;
    let severities = Severity::ALL.into_iter().filter_map(|severity| {
        let count = summary.findings_by_severity.get(severity.as_str())?;
        Some(format!("{} {severity}", thousands((*count).into())))
    });
    row("Findings", none_if_empty(&severities.collect::<Vec<_>>()))?;
    let dispositions = Disposition::ALL.into_iter().filter_map(|disposition| {
        let count = summary.dispositions.get(disposition.as_str())?;
        Some(format!(
            "{} {}",
            thousands((*count).into()),
            disposition.title().to_lowercase()
        ))
    });
    row(
        "Dispositions",
        none_if_empty(&dispositions.collect::<Vec<_>>()),
    )?;
    row(
        "Standing risk",
        format!(
            "{} today, {} after the plan",
            thousands(summary.standing_risk.into()),
            thousands(summary.standing_risk_after.into())
        ),
    )?;
    row(
        "Mechanisms to operate",
        thousands(summary.mechanisms.into()),
    )?;
    writeln!(out)?;
    let bars = curve::bars(summary);
    if !bars.is_empty() {
        writeln!(out, "## Standing risk by wave\n")?;
        out.write_all(code_block(&bars.join("\n"), "text", "").as_bytes())?;
        writeln!(out)?;
        writeln!(out, "![Standing risk by wave](plan-risk.svg)\n")?;
    }
    Ok(())
}

fn none_if_empty(parts: &[String]) -> String {
    if parts.is_empty() {
        "none".to_owned()
    } else {
        parts.join(", ")
    }
}

/// What became of the items of earlier plans, and standing access that came after them.
fn since(out: &mut Out<'_>, report: &Report) -> Result<(), ReportError> {
    let Some((changes, tally)) = report
        .changes
        .as_ref()
        .and_then(|changes| Some((changes, progress::tally(changes)?)))
    else {
        return Ok(());
    };
    writeln!(out, "## Since earlier plans\n\n{tally}.\n")?;
    let moved: Vec<_> = progress::STATES
        .into_iter()
        .filter(|(state, _)| *state != ItemState::Open)
        .flat_map(|(state, _)| changes.planned(state))
        .collect();
    if !moved.is_empty() {
        writeln!(
            out,
            "| Item | State | Planned | What was seen |\n|---|---|---|---|"
        )?;
        for one in moved {
            writeln!(
                out,
                "| {} ({}) | {} | {} | {} |",
                markdown(&one.title),
                code(one.item.as_str()),
                progress::state(one),
                one.planned_at.strftime("%Y-%m-%d"),
                markdown(&one.evidence.join("; ")),
            )?;
        }
        writeln!(out)?;
    }
    if !changes.standing.is_empty() {
        writeln!(out, "**Standing access that came since the plan**\n")?;
        for one in &changes.standing {
            writeln!(
                out,
                "- {}: {}",
                markdown(&one.subject),
                progress::standing(one)
            )?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn gaps(out: &mut Out<'_>, report: &Report) -> Result<(), ReportError> {
    let gap = |entry: &&Coverage| {
        entry.status.incomplete()
            || matches!(entry.status, CoverageStatus::Absent | CoverageStatus::Noted)
    };
    let gaps: Vec<_> = report.coverage.iter().filter(gap).collect();
    if gaps.is_empty() {
        return Ok(());
    }
    writeln!(out, "## What this plan does not know\n")?;
    for entry in gaps {
        writeln!(
            out,
            "- {} ({}, {}): {}",
            markdown(&entry.unit),
            markdown(&entry.source),
            entry.status.as_str(),
            markdown(&entry.reason)
        )?;
    }
    writeln!(out)?;
    Ok(())
}

fn overview(out: &mut Out<'_>, report: &Report, wave: u32) -> Result<(), ReportError> {
    writeln!(out, "## Wave {wave}\n")?;
    writeln!(
        out,
        "| # | What | Disposition | Mechanism | Owner | Effort | Risk |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|")?;
    for item in report.plan.iter().filter(|item| item.wave == wave) {
        writeln!(
            out,
            "| {}.{} | {} | {} | {} | {} | {} | {} → {} |",
            item.wave,
            item.position,
            markdown(&item.title),
            item.disposition.title(),
            markdown(&item.mechanism_title),
            markdown(&item.approval.approver),
            markdown(&item.effort.size),
            item.risk_before,
            item.risk_after,
        )?;
    }
    writeln!(out)?;
    Ok(())
}

fn entry(out: &mut Out<'_>, index: &Index<'_>, item: &PlanItem) -> Result<(), ReportError> {
    writeln!(
        out,
        "### {}.{} {}\n",
        item.wave,
        item.position,
        markdown(&item.title)
    )?;
    facts(out, index, item)?;
    list(out, "Before it starts", &item.prerequisites)?;
    list(
        out,
        "Questions only the owner can answer",
        &item.open_questions,
    )?;
    let controls: Vec<_> = item
        .compensating_controls
        .iter()
        .map(|each| format!("{} (present: {})", each.control, each.present.as_str()))
        .collect();
    list(out, "Compensating controls", &controls)?;
    list(out, "For an agent", &item.agent_requirements)?;
    if let Some(sets) = &item.permissions {
        for (heading, lines) in permissions::sets(sets) {
            list(out, &markdown(&heading), &lines)?;
        }
    }
    writeln!(out, "**Steps**\n")?;
    for step in &item.steps {
        checkbox(out, item, step)?;
    }
    proof(out, "Verify", "must work", &item.acceptance_test)?;
    proof(out, "Prove the end", "must fail", &item.negative_test)?;
    proof(
        out,
        "Roll back if needed",
        "until the old access is gone",
        &item.rollback,
    )?;
    writeln!(out)?;
    if let Some(command) = &item.revoke_command {
        writeln!(out, "To revoke at once:\n")?;
        out.write_all(code_block(command, "sh", "").as_bytes())?;
        writeln!(out)?;
    }
    if !item.artefacts.is_empty() {
        let files: Vec<_> = item
            .artefacts
            .iter()
            .map(|each| format!("{} ({})", code(&each.path), markdown(&each.description)))
            .collect();
        writeln!(
            out,
            "**Made ready in {}**\n",
            code(&format!("{}/", item.folder))
        )?;
        for file in files {
            writeln!(out, "- {file}")?;
        }
        writeln!(out)?;
    }
    writeln!(out, "Done when: {}\n", markdown(&item.detect_done))?;
    list(
        out,
        "Facts of the catalogue nobody has verified",
        &item.unverified,
    )?;
    Ok(())
}

fn facts(out: &mut Out<'_>, index: &Index<'_>, item: &PlanItem) -> Result<(), ReportError> {
    let mut fact = |name: &str, value: String| -> Result<(), ReportError> {
        if !value.is_empty() {
            writeln!(out, "- {name}: {value}")?;
        }
        Ok(())
    };
    fact("Plan item", code(item.id.as_str()))?;
    if let Some(one) = index.became(&item.id) {
        fact(
            "State",
            format!(
                "{}, planned on {}: {}",
                progress::state(one),
                one.planned_at.strftime("%Y-%m-%d"),
                markdown(&one.evidence.join("; "))
            ),
        )?;
    }
    if let Some(identity) = index.identity(item.identity.as_ref()) {
        fact("Identity", code(&identity.native_id))?;
        let owner = identity.owner.as_deref().map_or_else(
            || "nobody is named".to_owned(),
            |owner| {
                format!(
                    "{} (from {})",
                    markdown(owner),
                    identity.owner_source.as_str()
                )
            },
        );
        fact("Owner", owner)?;
    }
    if let Some(credential) = index.credential(item.credential.as_ref()) {
        let name = credential
            .public_id
            .as_deref()
            .or(credential.reference.as_deref())
            .unwrap_or(credential.id.as_str());
        fact(
            "Credential",
            format!("{} {}", markdown(&credential.kind), code(name)),
        )?;
    }
    fact("Disposition", item.disposition.title().to_owned())?;
    fact(
        "Mechanism",
        format!(
            "{} ({}, catalogue of {})",
            markdown(&item.mechanism_title),
            code(&item.mechanism),
            markdown(&item.catalogue_as_of)
        ),
    )?;
    let lifetime = item
        .ttl
        .seconds
        .map_or_else(|| "set by the platform".to_owned(), duration);
    fact(
        "Lifetime",
        format!("{lifetime}: {}", markdown(&item.ttl.evidence)),
    )?;
    fact("Subject", markdown(&item.grant.subject))?;
    fact("Task", markdown(&item.grant.task))?;
    fact(
        "Proof it is needed now",
        markdown(&item.grant.context_proof),
    )?;
    fact("Resources", codes(&item.grant.resources))?;
    fact("Actions", codes(&item.grant.actions))?;
    let approval = &item.approval;
    fact(
        "Approval",
        format!(
            "system {}; reason {}; duration {}; approver {}; {}, {}",
            markdown(&approval.system),
            markdown(&approval.reason),
            markdown(&approval.duration),
            markdown(&approval.approver),
            approval.tier.as_str(),
            markdown(&approval.status)
        ),
    )?;
    let triggers: Vec<_> = item
        .revocation_triggers
        .iter()
        .map(|trigger| trigger.as_str().to_owned())
        .collect();
    let ends = if triggers.is_empty() {
        "nothing is issued".to_owned()
    } else {
        codes(&triggers)
    };
    fact("Ends on", ends)?;
    fact(
        "Issued, observed, revoked by machines",
        format!(
            "{}, {}, {}",
            item.readiness.issue.as_str(),
            item.readiness.observe.as_str(),
            item.readiness.revoke.as_str()
        ),
    )?;
    fact(
        "Risk",
        format!(
            "{} → {} (removes {}; mitigation claimed: {})",
            item.risk_before,
            item.risk_after,
            item.risk_removed,
            item.mitigation.as_str()
        ),
    )?;
    fact(
        "Effort",
        format!(
            "{}: {}",
            markdown(&item.effort.size),
            markdown(&item.effort.reason)
        ),
    )?;
    if let Some(expires) = item.exception_expires {
        fact("Exception ends", expires.to_string())?;
    }
    writeln!(out)?;
    Ok(())
}

fn codes(entries: &[String]) -> String {
    let entries: Vec<_> = entries.iter().map(|entry| code(entry)).collect();
    entries.join(", ")
}

fn list(out: &mut Out<'_>, title: &str, entries: &[String]) -> Result<(), ReportError> {
    if entries.is_empty() {
        return Ok(());
    }
    writeln!(out, "**{title}**\n")?;
    for entry in entries {
        writeln!(out, "- {}", markdown(entry))?;
    }
    writeln!(out)?;
    Ok(())
}

fn checkbox(out: &mut Out<'_>, item: &PlanItem, step: &PlanStep) -> Result<(), ReportError> {
    writeln!(
        out,
        "- [ ] {}. **{}** (owner: {}). {}",
        step.number,
        markdown(&step.title),
        markdown(&item.approval.approver),
        markdown(&step.detail)
    )?;
    if let Some(command) = &step.command {
        writeln!(out)?;
        out.write_all(code_block(command, "sh", "  ").as_bytes())?;
        writeln!(out)?;
    }
    Ok(())
}

fn proof(out: &mut Out<'_>, title: &str, which: &str, what: &str) -> Result<(), ReportError> {
    if !what.is_empty() {
        writeln!(out, "- [ ] **{title}** ({which}): {}", markdown(what))?;
    }
    Ok(())
}

/// Assessments that have no plan item: what stays as it is, and what needs evidence first.
fn unplanned(out: &mut Out<'_>, index: &Index<'_>) -> Result<(), ReportError> {
    let left: Vec<&Assessment> = index
        .report
        .assessments
        .iter()
        .filter(|each| index.plan_of(each).is_none())
        .collect();
    if left.is_empty() {
        return Ok(());
    }
    writeln!(out, "## Not in the plan\n")?;
    writeln!(
        out,
        "| Subject | Disposition | Risk | Why |\n|---|---|---|---|"
    )?;
    for assessment in left {
        writeln!(
            out,
            "| {} | {} | {} | {} |",
            markdown(&assessment.subject),
            assessment.disposition.title(),
            assessment.risk.score,
            markdown(&assessment.target_reason)
        )?;
    }
    writeln!(out)?;
    Ok(())
}
