//! `overstay simulate`.

use super::args::{Global, Simulate};
use super::exit::{CommandResult, Failure, Outcome};
use super::{print, rule_files, runs};
use crate::model::{Assessment, AssessmentId, Mitigation};
use crate::report::explain::{self, Found, Subject};
use crate::report::{Index, text};
use crate::scan::{RuleSet, Simulation, Trial, simulate};
use anyhow::{Context as _, anyhow};
use serde::Serialize;
use std::fmt::Write as _;

#[derive(Serialize)]
struct Answer<'a> {
    subject: &'a str,
    planned: &'a Assessment,
    tried: &'a Assessment,
    notes: &'a [String],
}

/// Prints what one subject's risk, fit and lifetime would be.
pub(super) fn run(args: &Simulate, global: &Global) -> CommandResult {
    let (config, report) = runs::load(global, args.run.as_deref())?;
    // Without accounts, what providers they have is not known, and nothing else is missing.
    let accounts = runs::accounts(global, Some(&report.run.id)).unwrap_or_default();
    let own = rule_files::own(&[], &config)?;
    let rules = RuleSet::load(config.config, &own)
        .context("loading the rules")
        .map_err(|error| Failure::usage(error, "`overstay doctor` says more"))?;
    let index = Index::new(&report);
    let id = judged(&index, &args.subject)?;
    let trial = Trial {
        target: args.target.clone(),
        ttl_seconds: args.ttl,
    };
    let simulation = simulate(&report, &accounts, &rules, &id, &trial).map_err(|error| {
        Failure::usage(
            error,
            "`overstay explain ID` shows what is judged and which mechanism was chosen",
        )
    })?;
    if args.json {
        let answer = Answer {
            subject: &simulation.tried.subject,
            planned: &simulation.planned,
            tried: &simulation.tried,
            notes: &simulation.notes,
        };
        let mut out = serde_json::to_vec_pretty(&answer).context("writing the answer")?;
        out.push(b'\n');
        print(&out)?;
    } else {
        print(page(&simulation).as_bytes())?;
    }
    Ok(Outcome::Done)
}

/// The assessment a query means.
fn judged(index: &Index<'_>, query: &str) -> Result<AssessmentId, Failure> {
    let none = || {
        Failure::usage(
            anyhow!("nothing called `{query}` is judged in this run"),
            "take an id from plan.csv, findings.csv or inventory.csv; an ARN, a name or an access key id works too",
        )
    };
    let several = |ids: &[&Assessment]| {
        let lines: Vec<String> = ids
            .iter()
            .map(|one| format!("\n  {}  {}", one.id, text::line(&one.subject)))
            .collect();
        Failure::usage(
            anyhow!("`{query}` stands for several judgements:{}", lines.concat()),
            "simulate one of these by its id",
        )
    };
    let found = match explain::find(index, query) {
        Found::One(subject) => subject,
        Found::Several(candidates) => {
            let lines: Vec<String> = candidates
                .iter()
                .map(|candidate| format!("\n  {}  {}", candidate.id, candidate.what))
                .collect();
            return Err(Failure::usage(
                anyhow!("`{query}` names several things:{}", lines.concat()),
                "simulate one of these by its id",
            ));
        }
        Found::Nothing => return Err(none()),
    };
    let list: Vec<&Assessment> = match found {
        Subject::Assessment(assessment) => vec![assessment],
        Subject::Credential(credential) => index
            .assessment_of_credential(&credential.id)
            .into_iter()
            .collect(),
        Subject::Identity(identity) => index.assessments_of_identity(&identity.id).to_vec(),
        Subject::Finding(finding) => match (&finding.credential, &finding.identity) {
            (Some(id), _) => index.assessment_of_credential(id).into_iter().collect(),
            (None, Some(id)) => index.assessments_of_identity(id).to_vec(),
            (None, None) => Vec::new(),
        },
    };
    match list.as_slice() {
        [] => Err(none()),
        [one] => Ok(one.id.clone()),
        _ => Err(several(&list)),
    }
}

fn page(simulation: &Simulation) -> String {
    let Simulation {
        planned,
        tried,
        notes,
    } = simulation;
    let mut out = String::new();
    let _ = writeln!(out, "{}\n", text::line(&tried.subject));
    let _ = writeln!(
        out,
        "  today      risk {:>3} {:<8} {}",
        planned.risk.score,
        planned.risk.band.as_str(),
        planned.risk.vector
    );
    for (name, one) in [("as planned", planned), ("as tried", tried)] {
        let _ = writeln!(
            out,
            "  {name:<10} risk {:>3} {:<8} {}",
            one.risk_after.score,
            one.risk_after.band.as_str(),
            one.risk_after.vector
        );
        let _ = writeln!(
            out,
            "             {} · {} · fit {} · {} mitigation",
            text::line(one.target.as_deref().unwrap_or("no mechanism")),
            one.ttl
                .seconds
                .map_or_else(|| "no lifetime to set".to_owned(), text::duration),
            one.fit.score,
            match one.mitigation {
                Mitigation::None => "no",
                other => other.as_str(),
            },
        );
        let _ = writeln!(
            out,
            "             disposition {}; a stolen copy is worth something: {}",
            one.disposition.as_str(),
            text::line(&one.exposure_window.after)
        );
        if !one.blockers.is_empty() {
            let ids: Vec<&str> = one
                .blockers
                .iter()
                .map(|blocker| blocker.id.as_str())
                .collect();
            let _ = writeln!(out, "             in the way: {}", ids.join(", "));
        }
    }
    let _ = writeln!(out, "\nWhy, as tried");
    for why in &tried.risk_after.evidence {
        let _ = writeln!(out, "  {}", text::line(why));
    }
    let _ = writeln!(out, "  lifetime: {}", text::line(&tried.ttl.evidence));
    for note in notes {
        let _ = writeln!(out, "  note: {}", text::line(note));
    }
    out
}
