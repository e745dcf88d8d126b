//! `overstay decide` and `overstay decisions`: what people decide, from scripts.

use super::args::{About, Decide, DecisionsArgs, Global, Verdict};
use super::environment;
use super::exit::{CommandResult, Failure, Outcome};
use super::{print, runs, select};
use crate::model::{Disposition, Report};
use crate::report::{Index, text};
use crate::store::atomic;
use crate::store::decisions::{
    self, Decision, Decisions, Event, Held, RulePath, Scope, Standing, Topic,
};
use anyhow::anyhow;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

/// Days an acceptance holds when nobody says until when.
const DEFAULT_DAYS: i64 = 90;

/// Records a decision about everything that was named or that the filters let through.
pub(super) fn run(args: &Decide, global: &Global) -> CommandResult {
    let config = environment::configuration(global.config.as_deref())?;
    let state = environment::state_folder(global.state.as_deref(), &config)?;
    let path = environment::decisions_file(global, &state);
    if args.reason.trim().is_empty() {
        return Err(Failure::usage(
            anyhow!("a decision needs a reason"),
            "--reason \"why\"",
        ));
    }
    let decision = decision(args)?;
    let now = environment::now(args.now);
    let expires = expires(args, &decision, now.to_zoned(TimeZone::UTC).date())?;
    let actor = args.actor.clone().unwrap_or_else(environment::user);
    let (scopes, report) = scopes(args, global)?;
    if let Some(expected) = args.expect
        && expected != scopes.len()
    {
        return Err(Failure::usage(
            anyhow!(
                "{} are matched and {expected} were expected: nothing was decided",
                scopes.len()
            ),
            "look at them with --dry-run",
        ));
    }
    let standing = Standing::of(read(&path)?);
    let topic = Topic::of(&decision);
    let shares = decisions::shares(scopes, |scope| standing.heads(scope, topic));
    let events: Vec<Event> = shares
        .into_iter()
        .map(|share| Event {
            at: now,
            actor: actor.clone(),
            after: Some(share.after),
            run: report.as_ref().map(|report| report.run.id.clone()),
            evidence: report
                .as_ref()
                .and_then(|report| select::evidence(report, &share.subjects)),
            scope: share.subjects,
            decision: decision.clone(),
            reason: args.reason.clone(),
            expires,
            ticket: args.ticket.clone(),
            undoes: None,
        })
        .collect();
    if !args.dry_run && !events.is_empty() {
        prepare(&path)?;
        decisions::append_all(&path, &events).map_err(|error| {
            Failure::usage(error, "name a file that can be written with --decisions")
        })?;
    }
    let mut out = String::new();
    if args.json {
        for event in &events {
            let line = serde_json::to_string(event).map_err(anyhow::Error::from)?;
            let _ = writeln!(out, "{line}");
        }
    } else {
        let scopes = events.iter().flat_map(|event| event.scope.each());
        let mut count = 0;
        for scope in scopes {
            let _ = writeln!(out, "{} {scope}", decision.as_str());
            count += 1;
        }
        let what = text::plural(count, "decision", "decisions");
        let until = expires.map_or_else(String::new, |day| format!(", until {day}"));
        let _ = if args.dry_run {
            writeln!(out, "{what} would be recorded{until}")
        } else {
            writeln!(out, "{what} recorded in {}{until}", path.display())
        };
    }
    print(out.as_bytes())?;
    Ok(Outcome::Done)
}

fn decision(args: &Decide) -> Result<Decision, Failure> {
    let value = || {
        args.value.clone().ok_or_else(|| {
            Failure::usage(
                anyhow!("this decision needs --value"),
                "overstay decide owner i-… --value TEAM --reason WHY",
            )
        })
    };
    Ok(match args.verdict {
        Verdict::AcceptRisk => Decision::AcceptRisk,
        Verdict::FalsePositive => Decision::FalsePositive,
        Verdict::Remediate => Decision::Remediate,
        Verdict::Defer => Decision::Defer,
        Verdict::Reopen => Decision::Reopen,
        Verdict::Owner => Decision::Owner { owner: value()? },
        Verdict::Purpose => Decision::Purpose { purpose: value()? },
        Verdict::BreakGlass => Decision::BreakGlass {
            confirmed: match args.value.as_deref() {
                None | Some("yes") => true,
                Some("no") => false,
                Some(_) => {
                    return Err(Failure::usage(
                        anyhow!("whether it is emergency access is `yes` or `no`"),
                        "--value yes",
                    ));
                }
            },
        },
        Verdict::Disposition => {
            let word = value()?;
            let disposition = Disposition::ALL
                .into_iter()
                .find(|one| one.as_str() == word)
                .ok_or_else(|| {
                    let all: Vec<&str> = Disposition::ALL.iter().map(|one| one.as_str()).collect();
                    Failure::usage(
                        anyhow!("there is no disposition `{word}`"),
                        format!("one of {}", all.join(", ")),
                    )
                })?;
            Decision::Disposition { disposition }
        }
    })
}

/// Until when it holds. What accepts a risk ends by itself unless somebody says that it does not.
fn expires(args: &Decide, decision: &Decision, today: Date) -> Result<Option<Date>, Failure> {
    let days = |days: i64| {
        let span = jiff::Span::new().try_days(days);
        span.and_then(|span| today.checked_add(span)).map_err(|_| {
            Failure::usage(anyhow!("{days} days are too many"), "--expires 2027-01-31")
        })
    };
    match args.expires.as_deref() {
        Some("never") => Ok(None),
        Some(text) => match text.strip_suffix('d').map(str::parse) {
            Some(Ok(count)) => days(count).map(Some),
            _ => text.parse().map(Some).map_err(|_| {
                Failure::usage(
                    anyhow!(
                        "`{text}` is neither a date, nor a number of days such as 90d, nor never"
                    ),
                    "--expires 2027-01-31",
                )
            }),
        },
        None if matches!(decision, Decision::AcceptRisk | Decision::Defer) => {
            days(DEFAULT_DAYS).map(Some)
        }
        None => Ok(None),
    }
}

/// What is decided on, each once, and the run it was looked at in.
fn scopes(args: &Decide, global: &Global) -> Result<(Vec<Scope>, Option<Report>), Failure> {
    if args.about == Some(About::RulePath) {
        let (Some(rule), Some(path)) = (&args.filter.rule, &args.filter.path) else {
            return Err(Failure::usage(
                anyhow!("a decision on a rule and a path needs both"),
                "--about rule-path --rule leaked-secret --path 'tests/*'",
            ));
        };
        let at = RulePath {
            rule: rule.clone(),
            path: path.clone(),
        };
        return Ok((vec![Scope::RulePath(at)], None));
    }
    if args.subjects.is_empty() && !args.filter.any() {
        return Err(Failure::usage(
            anyhow!("nothing was named to decide on"),
            "name ids or names, or filter with --severity, --rule, --path, --status and the like",
        ));
    }
    let (_, report) = runs::load(global, args.run.as_deref())?;
    let index = Index::new(&report);
    let mut scopes: BTreeSet<Scope> = BTreeSet::new();
    for subject in &args.subjects {
        scopes.insert(select::named(&index, subject)?);
    }
    if args.filter.any() {
        let found = select::filtered(&index, &args.filter)?;
        scopes.extend(
            found
                .into_iter()
                .map(|finding| Scope::Finding(finding.id.clone())),
        );
    }
    let about = args.about.unwrap_or(match args.verdict {
        Verdict::Owner | Verdict::Purpose | Verdict::BreakGlass => About::Identity,
        Verdict::Disposition => About::Credential,
        _ => About::Named,
    });
    let mut meant: BTreeSet<Scope> = BTreeSet::new();
    for scope in scopes {
        match select::about(&index, scope.clone(), about) {
            Some(scope) => {
                meant.insert(scope);
            }
            // What filters let through may be of any kind; what was named is meant.
            None if args.subjects.is_empty() => {}
            None => {
                return Err(Failure::usage(
                    anyhow!(
                        "{scope} has no {} that is known: nothing was decided",
                        if about == About::Identity {
                            "identity"
                        } else {
                            "finding of its own"
                        }
                    ),
                    "`overstay explain ID` tells what it belongs to; --about says what of it is meant",
                ));
            }
        }
    }
    drop(index);
    Ok((meant.into_iter().collect(), Some(report)))
}

pub(super) fn read(path: &Path) -> Result<Decisions, Failure> {
    decisions::read(path)
        .map_err(|error| Failure::usage(error, "name a file that can be read with --decisions"))
}

/// Files beside the decisions that make git merge them, and keep the rest of a state folder out of it.
fn prepare(path: &Path) -> Result<(), Failure> {
    if path.exists() {
        return Ok(());
    }
    let Some(folder) = path.parent() else {
        return Ok(());
    };
    let Some(name) = path.file_name().map(|name| name.to_string_lossy()) else {
        return Ok(());
    };
    let mut beside = vec![(".gitattributes", format!("{name} merge=union\n"))];
    if name == decisions::FILE {
        let ignored = format!("*\n!.gitignore\n!.gitattributes\n!{name}\n");
        beside.push((".gitignore", ignored));
    }
    for (name, text) in beside {
        let path = folder.join(name);
        if !path.exists() {
            atomic::write(&path, text.as_bytes()).map_err(|error| {
                Failure::usage(error, "name a file that can be written with --decisions")
            })?;
        }
    }
    Ok(())
}

/// Lists what stands.
pub(super) fn list(args: &DecisionsArgs, global: &Global) -> CommandResult {
    let config = environment::configuration(global.config.as_deref())?;
    let state = environment::state_folder(global.state.as_deref(), &config)?;
    let known = read(&environment::decisions_file(global, &state))?;
    let bad = known.bad.clone();
    let standing = Standing::of(known);
    let today = environment::now(args.now).to_zoned(TimeZone::UTC).date();
    let mut out = String::new();
    let mut counts = [0_u64; 3];
    for (scope, topic, register) in standing.registers() {
        let Some(held) = register.held(today) else {
            continue;
        };
        let (at, word) = match held {
            Held::InForce(..) => (0, "in force"),
            Held::Expired(_) => (1, "expired"),
            Held::Conflict(_) => (2, "CONFLICT"),
        };
        if let Some(count) = counts.get_mut(at) {
            *count += 1;
        }
        for one in &register.heads {
            let event = &one.event;
            if args.json {
                let event = alone(event, scope, &standing, topic);
                let line = serde_json::json!({"id": one.id, "state": word, "event": event});
                let _ = writeln!(out, "{line}");
                continue;
            }
            let until = event
                .expires
                .map_or_else(String::new, |day| format!(" until {day}"));
            let _ = writeln!(
                out,
                "{word:<9} {} {}{until}  by {} at {}: {}  [{}]",
                event.decision.as_str(),
                text::line(&scope.to_string()),
                text::line(&event.actor),
                event.at,
                text::line(&event.reason),
                one.id,
            );
        }
    }
    if !args.json {
        for line in bad {
            let _ = writeln!(
                out,
                "BAD       line {}: left out: {}",
                line.line, line.reason
            );
        }
        let [held, expired, conflicts] = counts;
        let _ = writeln!(
            out,
            "{held} in force, {expired} expired, {conflicts} in conflict"
        );
    }
    print(out.as_bytes())?;
    Ok(Outcome::Done)
}

/// What an event says of one of the things it is about.
fn alone(event: &Event, scope: &Scope, standing: &Standing, topic: Topic) -> Event {
    let about: BTreeSet<&str> = standing
        .about(scope, topic)
        .iter()
        .filter_map(|place| standing.events().get(*place as usize))
        .map(|one| one.id.as_str())
        .collect();
    let mut after = event.after.clone();
    if let Some(known) = &mut after {
        known.retain(|id| about.contains(id.as_str()));
    }
    Event {
        scope: scope.clone().into(),
        after,
        ..event.clone()
    }
}
