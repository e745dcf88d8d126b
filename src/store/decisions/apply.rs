//! What decisions do to an inventory, to judgements and to findings.

use super::fold::{Held, Register, Standing, Topic};
use super::{Decision, Decisions, Recorded, RulePath, Scope};
use crate::model::inventory::Inventory;
use crate::model::{
    Assessment, BreakGlass, ConditionResult, Coverage, CoverageStatus, CredentialId, Decided,
    DispositionTrace, Finding, FindingStatus, IdentityId, OwnerSource, Renames, Ternary,
};
use globset::{GlobBuilder, GlobMatcher};
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// Source word of what is told of decisions.
const SOURCE: &str = "decisions";

/// What stands, on a day, and which of it was about something.
pub struct Applied<'a> {
    standing: &'a Standing,
    today: Date,
    renames: &'a Renames,
    /// What was about something of this run.
    used: BTreeSet<(&'a Scope, Topic)>,
}

impl<'a> Applied<'a> {
    /// Before anything was applied.
    pub const fn new(standing: &'a Standing, today: Date, renames: &'a Renames) -> Self {
        Self {
            standing,
            today,
            renames,
            used: BTreeSet::new(),
        }
    }

    /// The registers of a topic, each with what holds of it.
    fn of(&self, topic: Topic) -> Vec<(&'a Scope, Held<'a>)> {
        let registers = self.standing.registers();
        registers
            .filter(|(_, of, _)| *of == topic)
            .filter_map(|(scope, _, register)| Some((scope, register.held(self.today)?)))
            .collect()
    }
}

/// Owners, purposes and emergency use that people told.
pub fn apply_to_inventory(applied: &mut Applied<'_>, inventory: &mut Inventory) {
    for topic in [Topic::Owner, Topic::Purpose, Topic::Verdict] {
        for (scope, held) in applied.of(topic) {
            let id = match scope {
                Scope::Identity(id) => Some(id.clone()),
                Scope::Credential(id) => inventory
                    .credentials
                    .get(id)
                    .and_then(|credential| credential.identity.clone()),
                Scope::Finding(_) | Scope::RulePath(_) => None,
            };
            let Some(identity) = id.and_then(|id| inventory.identities.get_mut(&id)) else {
                continue;
            };
            applied.used.insert((scope, topic));
            let Held::InForce(one, _) = held else {
                continue;
            };
            match &one.event.decision {
                // An empty one takes back what was said.
                Decision::Owner { owner } if owner.is_empty() => {}
                Decision::Purpose { purpose } if purpose.is_empty() => {}
                Decision::Owner { owner } => {
                    identity.owner = Some(owner.clone());
                    identity.owner_source = OwnerSource::Annotation;
                }
                Decision::Purpose { purpose } => identity.purpose = Some(purpose.clone()),
                Decision::BreakGlass { confirmed } => {
                    identity.break_glass = confirmed.then_some(BreakGlass::Declared);
                }
                _ => {}
            }
        }
    }
}

/// Dispositions that people put in the place of the computed ones.
pub fn apply_to_assessments(applied: &mut Applied<'_>, assessments: &mut [Assessment]) {
    let verdicts: BTreeMap<&Scope, Held<'_>> = applied.of(Topic::Verdict).into_iter().collect();
    for assessment in assessments {
        let scopes = [
            assessment.credential.clone().map(Scope::Credential),
            assessment.identity.clone().map(Scope::Identity),
        ];
        for scope in scopes.into_iter().flatten() {
            let Some(Held::InForce(one, _)) = verdicts.get(&scope) else {
                continue;
            };
            if let Decision::Disposition { disposition } = one.event.decision {
                assessment.disposition = disposition;
                assessment.trace.push(DispositionTrace {
                    disposition,
                    conditions: vec![ConditionResult {
                        text: format!("{} decided so: {}", one.event.actor, one.event.reason),
                        held: Ternary::Yes,
                    }],
                    matched: true,
                });
            }
        }
    }
}

/// A rule and a path, compiled.
#[derive(Clone, Debug)]
pub struct RuleAt {
    rule: GlobMatcher,
    /// Other names of the rules that it means.
    also: Vec<String>,
    path: GlobMatcher,
}

impl RuleAt {
    /// Compiles them; `None` where one is no pattern.
    pub fn new(at: &RulePath, renames: &Renames) -> Option<Self> {
        let rule = glob(&at.rule)?;
        let also = renames.meant(|name| rule.is_match(name));
        Some(Self {
            also: also.into_iter().map(str::to_owned).collect(),
            rule,
            path: glob(&at.path)?,
        })
    }

    /// Whether it speaks of every place of a finding.
    pub fn covers(&self, finding: &Finding) -> bool {
        let places = finding.locations.iter();
        let places = places.map(|place| (place.repository.as_deref(), place.uri.as_str()));
        self.covers_all(&finding.rule, places)
    }

    /// Whether it speaks of every place that a rule found, each a path in a repository.
    pub fn covers_all<'a>(
        &self,
        rule: &str,
        mut places: impl Iterator<Item = (Option<&'a str>, &'a str)>,
    ) -> bool {
        (self.rule.is_match(rule) || self.also.iter().any(|name| name == rule))
            && places.all(|(repository, uri)| {
                let whole = repository.map(|name| format!("{name}/{uri}"));
                self.path.is_match(uri) || whole.is_some_and(|whole| self.path.is_match(whole))
            })
    }
}

fn glob(text: &str) -> Option<GlobMatcher> {
    let glob = GlobBuilder::new(text)
        .literal_separator(false)
        .backslash_escape(true)
        .build();
    glob.ok().map(|glob| glob.compile_matcher())
}

/// Gives every finding the decision that speaks of it most closely: one on the finding before one on its credential,
/// before one on its identity, before one on a rule and a path. `identity_of` knows whose a credential is.
pub fn apply_to_findings(
    applied: &mut Applied<'_>,
    findings: &mut [Finding],
    identity_of: &BTreeMap<CredentialId, IdentityId>,
) {
    let verdicts: BTreeMap<&Scope, Held<'_>> = applied.of(Topic::Verdict).into_iter().collect();
    let rules: Vec<(&Scope, RuleAt)> = verdicts
        .keys()
        .filter_map(|scope| match scope {
            Scope::RulePath(at) => Some((*scope, RuleAt::new(at, applied.renames)?)),
            _ => None,
        })
        .collect();
    for finding in findings {
        let credential = finding.credential.clone();
        let identity = finding
            .identity
            .clone()
            .or_else(|| identity_of.get(credential.as_ref()?).cloned());
        let mut scopes: Vec<&Scope> = Vec::new();
        let own = [
            Some(Scope::Finding(finding.id.clone())),
            credential.map(Scope::Credential),
            identity.map(Scope::Identity),
        ];
        scopes.extend(
            own.iter()
                .flatten()
                .filter_map(|scope| verdicts.get_key_value(scope))
                .map(|(scope, _)| *scope),
        );
        let at = rules.iter().filter(|(_, at)| at.covers(finding));
        scopes.extend(at.map(|(scope, _)| *scope));
        applied
            .used
            .extend(scopes.iter().map(|scope| (*scope, Topic::Verdict)));
        let Some(scope) = scopes.first() else {
            continue;
        };
        if let Some(held) = verdicts.get(scope) {
            decide(finding, scope, held);
        }
    }
}

fn decide(finding: &mut Finding, scope: &Scope, held: &Held<'_>) {
    let status = match held {
        Held::InForce(one, _) => match one.event.decision {
            Decision::Reopen => return,
            Decision::AcceptRisk | Decision::FalsePositive => Some(FindingStatus::Accepted),
            _ => None,
        },
        Held::Expired(one) => match one.event.decision {
            Decision::AcceptRisk | Decision::FalsePositive => Some(FindingStatus::AcceptedExpired),
            Decision::Reopen => return,
            _ => None,
        },
        Held::Conflict(_) => None,
    };
    finding.decision = Some(told(scope, held));
    if let Some(status) = status.filter(|_| finding.status != FindingStatus::Ignored) {
        finding.status = status;
    }
}

fn told(scope: &Scope, held: &Held<'_>) -> Decided {
    let of = |one: &Recorded, verdict: &str, expires| Decided {
        verdict: verdict.to_owned(),
        scope: scope.to_string(),
        actor: one.event.actor.clone(),
        at: one.event.at,
        reason: one.event.reason.clone(),
        expires,
        ticket: one.event.ticket.clone(),
    };
    match held {
        Held::InForce(one, expires) => of(one, one.event.decision.as_str(), *expires),
        Held::Expired(one) => of(one, one.event.decision.as_str(), one.event.expires),
        Held::Conflict(heads) => Decided {
            verdict: "conflict".to_owned(),
            scope: scope.to_string(),
            actor: who(heads),
            at: heads
                .last()
                .map_or(Timestamp::UNIX_EPOCH, |last| last.event.at),
            reason: disagreement(heads),
            expires: None,
            ticket: None,
        },
    }
}

fn who(heads: &[&Recorded]) -> String {
    let actors: BTreeSet<&str> = heads.iter().map(|one| one.event.actor.as_str()).collect();
    actors.into_iter().collect::<Vec<_>>().join(", ")
}

fn disagreement(heads: &[&Recorded]) -> String {
    let sides: Vec<String> = heads
        .iter()
        .map(|one| {
            let event = &one.event;
            format!(
                "{}: {} ({})",
                event.actor,
                event.decision.as_str(),
                event.reason
            )
        })
        .collect();
    sides.join("; ")
}

impl Applied<'_> {
    /// What has to be told of the decisions: conflicts, what has run out, what is about nothing any more, bad lines.
    pub fn coverage(&self, decisions: &Decisions) -> Vec<Coverage> {
        let noted = |unit: String, reason: String| {
            Coverage::new(SOURCE, unit, CoverageStatus::Noted, reason)
        };
        let mut notes = Notes::default();
        for (scope, topic, register) in self.standing.registers() {
            let held = register.held(self.today);
            match &held {
                Some(Held::Conflict(heads)) => notes.add(
                    scope,
                    &register,
                    format!(
                        "people decided differently without knowing of each other: {}; neither is in force until one \
                         of them decides again",
                        disagreement(heads)
                    ),
                ),
                Some(Held::Expired(one)) => notes.add(
                    scope,
                    &register,
                    format!(
                        "{} of {} ran out{}: decide again",
                        one.event.decision.as_str(),
                        one.event.actor,
                        register
                            .ends()
                            .map_or_else(String::new, |day| format!(" after {day}"))
                    ),
                ),
                _ => {}
            }
            let reopened = matches!(
                held,
                Some(Held::InForce(one, _)) if one.event.decision.takes_back()
            );
            if !reopened && !self.used.contains(&(scope, topic)) {
                let last = register.heads.last();
                let words = last.map_or_else(String::new, |one| {
                    format!("{} of {}: ", one.event.decision.as_str(), one.event.actor)
                });
                notes.add(
                    scope,
                    &register,
                    format!("{words}it matches nothing of this run; `overstay decide reopen` takes it back"),
                );
            }
        }
        let mut out: Vec<Coverage> = notes
            .list
            .into_iter()
            .map(|note| match note.more {
                0 => noted(note.unit, note.reason),
                more => noted(format!("{} and {more} more", note.unit), note.reason),
            })
            .collect();
        out.extend(decisions.bad.iter().map(|bad| {
            noted(
                format!("line {}", bad.line),
                format!("left out: {}", bad.reason),
            )
        }));
        out
    }
}

/// What has to be told; the same of many that were decided about together is told once.
#[derive(Default)]
struct Notes<'a> {
    list: Vec<Note>,
    together: BTreeMap<(Vec<&'a str>, String), usize>,
}

struct Note {
    unit: String,
    /// How many others it is told of.
    more: usize,
    reason: String,
}

impl<'a> Notes<'a> {
    fn add(&mut self, scope: &Scope, register: &Register<'a>, reason: String) {
        let heads = &register.heads;
        if heads.iter().any(|one| one.event.scope.count() > 1) {
            let ids = heads.iter().map(|one| one.id.as_str()).collect();
            let at = *self
                .together
                .entry((ids, reason.clone()))
                .or_insert(self.list.len());
            if let Some(note) = self.list.get_mut(at) {
                note.more += 1;
                return;
            }
        }
        self.list.push(Note {
            unit: scope.to_string(),
            more: 0,
            reason,
        });
    }
}
