//! The request that is approved: system, reason, duration, approver.

use super::Made;
use super::text::{markdown, tame};
use super::trust::pretty;
use crate::model::{ArtefactKind, PlanItem};
use serde_json::json;
use std::fmt::Write as _;

/// The text, with what a trust lets in too widely in words, so that nobody copies it.
fn today(text: &str) -> String {
    let words: Vec<String> = tame(text)
        .split(' ')
        .map(|word| match word.strip_suffix("/*") {
            Some(owner) if word.starts_with("repo:") => {
                format!("{owner} (any repository of it, as the trust has it today)")
            }
            _ => word.to_owned(),
        })
        .collect();
    words.join(" ")
}

/// What an agent's request says beside what everybody's does; whoever starts it fills it in.
const INTENT: &str = "what the agent is going to do, with which tools, on which data";

/// The request for people and for programs.
pub(super) fn files(item: &PlanItem, made: &mut Vec<Made>) {
    let approval = &item.approval;
    let triggers: Vec<&str> = item
        .revocation_triggers
        .iter()
        .map(|trigger| trigger.as_str())
        .collect();
    let request = json!({
        "schema": "overstay.approval/1",
        "plan_item": item.id.as_str(),
        "system": tame(&approval.system),
        "reason": today(&approval.reason),
        "duration": tame(&approval.duration),
        "duration_seconds": item.ttl.seconds,
        "approver": tame(&approval.approver),
        "tier": approval.tier.as_str(),
        "logic": tame(&approval.logic),
        "status": tame(&approval.status),
        "decided_at": approval.decided_at.map(|at| at.to_string()),
        "subject": today(&item.grant.subject),
        "task": today(&item.grant.task),
        "context_proof": tame(&item.grant.context_proof),
        "mechanism": item.mechanism,
        "revocation_triggers": triggers,
        "intent": (!item.agent_requirements.is_empty()).then_some(INTENT),
        "agent_requirements": item.agent_requirements.iter().map(|line| tame(line)).collect::<Vec<_>>(),
        "exception_expires": item.exception_expires.map(|at| at.to_string()),
    });
    made.push(Made::new(
        "approval.json",
        ArtefactKind::ApprovalRequest,
        "the request to be approved, for programs",
        pretty(&request),
    ));
    let mut out = String::from("# Request for access\n\n| | |\n|---|---|\n");
    let rows = [
        ("System", approval.system.as_str()),
        ("Reason", &approval.reason),
        ("Duration", &approval.duration),
        ("Approver", &approval.approver),
        ("Who asks", &item.grant.subject),
        ("Task", &item.grant.task),
        ("What proves it", &item.grant.context_proof),
        ("How", &item.mechanism_title),
        ("Status", &approval.status),
    ];
    for (name, value) in rows {
        let _ = writeln!(out, "| {name} | {} |", markdown(&today(value)));
    }
    if let Some((policy, logs)) = item.agent_requirements.split_first() {
        let _ = writeln!(
            out,
            "| Intent | {INTENT}: |\n| Judged by | {} |\n| Logged | {} |",
            markdown(policy),
            markdown(&logs.join("; "))
        );
    }
    let strict = match approval.tier {
        crate::model::ApprovalTier::Auto => "policy decides alone",
        crate::model::ApprovalTier::Light => "one approver, afterwards if need be",
        crate::model::ApprovalTier::Strict => "one approver, before access is issued",
    };
    let _ = writeln!(
        out,
        "| How strict | {}: {strict} |\n| Kind of request | {} |\n| Ends by | {} |",
        approval.tier.as_str(),
        markdown(&approval.logic),
        if triggers.is_empty() {
            "this item: it is ended, and nothing is issued".to_owned()
        } else {
            markdown(&triggers.join(", "))
        },
    );
    if approval.approver == "unassigned" {
        out.push_str("\nNobody is known who could approve this: name an owner first.\n");
    }
    out.push_str(
        "\nDecision: [ ] approved  [ ] refused\n\nBy, and when:\n\nWhy:\n\nWhat nobody but the approver can see, and no scan has checked: the device and the session of whoever asks are in order [ ]\n",
    );
    made.push(Made::new(
        "approval.md",
        ArtefactKind::ApprovalRequest,
        "the request to be approved, for people",
        out,
    ));
}
