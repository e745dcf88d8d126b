//! What would be, with another mechanism or lifetime: the same judgement on the same facts.

use crate::jit::blockers::RUNTIME_MISMATCH;
use crate::jit::{self, JitContext};
use crate::model::{Assessment, AssessmentId, Disposition, Inventory, Report};
use std::collections::BTreeMap;
use thiserror::Error;

/// What is tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trial {
    /// Mechanism, by its id in the catalogue; the one chosen when `None`.
    pub target: Option<String>,
    /// Lifetime in seconds; the proposed one when `None`.
    pub ttl_seconds: Option<u64>,
}

/// Judgement as it stands and as it would be.
#[derive(Clone, Debug, PartialEq)]
pub struct Simulation {
    /// As the catalogue and the evidence have it.
    pub planned: Assessment,
    /// As tried; the same as planned where nothing was.
    pub tried: Assessment,
    /// What of the trial cannot be, and what was taken in its place.
    pub notes: Vec<String>,
}

/// Why nothing can be simulated.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SimulateError {
    /// The run judged no such subject.
    #[error("nothing with this id is judged")]
    NoSubject,
    /// No such mechanism.
    #[error("`{name}` is no mechanism of the catalogue; {hint}")]
    NoTarget {
        /// As given.
        name: String,
        /// Which there are.
        hint: String,
    },
}

/// The inventory a report was made from, as far as it holds it.
pub fn inventory_of(report: &Report, oidc_issuers: BTreeMap<String, Vec<String>>) -> Inventory {
    Inventory {
        identities: report
            .identities
            .iter()
            .map(|each| (each.id.clone(), each.clone()))
            .collect(),
        credentials: report
            .credentials
            .iter()
            .map(|each| (each.id.clone(), each.clone()))
            .collect(),
        grants: report
            .grants
            .iter()
            .map(|each| (each.id.clone(), each.clone()))
            .collect(),
        consumers: report
            .consumers
            .iter()
            .map(|each| (each.id.clone(), each.clone()))
            .collect(),
        oidc_issuers,
        observed: report.observed.clone(),
        edits: report.edits.clone(),
        origins: report.origins.clone(),
        roles: report.roles.clone(),
        bindings: report.bindings.clone(),
        capabilities: report.capabilities.clone(),
        ..Inventory::default()
    }
}

/// Judges one subject as it stands and as tried.
///
/// # Errors
/// When there is no such subject or mechanism.
pub fn simulate(
    context: &JitContext<'_>,
    id: &AssessmentId,
    trial: &Trial,
) -> Result<Simulation, SimulateError> {
    let target = match &trial.target {
        None => None,
        Some(name) => Some(context.targets.get(name).ok_or_else(|| {
            let close: Vec<&str> = context
                .targets
                .entries()
                .iter()
                .map(|target| target.id.as_str())
                .filter(|known| {
                    name.split('-')
                        .any(|part| part.len() > 2 && known.contains(part))
                })
                .take(8)
                .collect();
            SimulateError::NoTarget {
                name: name.clone(),
                hint: if close.is_empty() {
                    let all: Vec<&str> = context
                        .targets
                        .entries()
                        .iter()
                        .map(|target| target.id.as_str())
                        .collect();
                    format!("there are {}", all.join(", "))
                } else {
                    format!("like it: {}", close.join(", "))
                },
            }
        })?),
    };
    let (planned, tried) =
        jit::compare(context, id, target, trial.ttl_seconds).ok_or(SimulateError::NoSubject)?;
    let mut notes = Vec::new();
    let asked_for = target;
    let chosen = tried
        .target
        .as_deref()
        .and_then(|name| context.targets.get(name));
    if let Some(target) = asked_for.filter(|target| tried.target.as_ref() != Some(&target.id)) {
        notes.push(format!(
            "{} was not tried: the disposition is {}, and {}",
            target.id,
            tried.disposition.as_str(),
            match tried.disposition {
                Disposition::BreakGlassIsolate => "emergency access is sealed, not moved",
                _ => "nothing takes its place",
            }
        ));
    } else if !matches!(
        tried.disposition,
        Disposition::MigrateNow | Disposition::Hybrid | Disposition::PlanMigration
    ) && asked_for.is_some()
    {
        notes.push(format!(
            "as things stand the disposition is {}: what is shown is what the move would leave, were it made",
            tried.disposition.as_str()
        ));
    }
    if let (Some(target), Some(asked)) = (chosen, trial.ttl_seconds) {
        match &target.ttl {
            Some(limits) if asked < limits.min || asked > limits.max => notes.push(format!(
                "{} issues between {} and {} ({}): {} was taken",
                target.title,
                jit::ttl::human(limits.min),
                jit::ttl::human(limits.max),
                limits.note,
                jit::ttl::human(asked.clamp(limits.min, limits.max)),
            )),
            None => notes.push(format!(
                "{} has no lifetime to set: the platform renews it, or nothing is issued",
                target.title
            )),
            Some(_) => {}
        }
        let window = tried.task.window_seconds;
        if let Some(window) = window.filter(|window| asked > *window) {
            notes.push(format!(
                "longer than the task ({}): access would outlast the work",
                jit::ttl::human(window)
            ));
        } else if let (Some(window), Some(taken)) = (window, tried.ttl.seconds)
            && taken < window
        {
            notes.push(format!(
                "shorter than the task ({}): the work has to ask again while it runs",
                jit::ttl::human(window)
            ));
        }
    }
    let elsewhere = tried.blockers.iter();
    notes.extend(
        elsewhere
            .filter(|blocker| blocker.id == RUNTIME_MISMATCH)
            .map(|blocker| blocker.evidence.text.clone()),
    );
    Ok(Simulation {
        planned,
        tried,
        notes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jit::fixtures::{World, access_key, admin, consumer, user, with_privilege};
    use crate::model::{ConsumerClass, Storage};

    #[test]
    fn a_mechanism_that_cannot_run_there_is_told_and_claims_nothing() {
        let mut world = World::new("");
        let identity = with_privilege(user("nightly"), 2, true);
        let mut key = access_key(&identity);
        key.storage = Storage::PlainFile;
        let mut one = consumer("export.timer", ConsumerClass::Scheduled, "server", "ops");
        one.timeout_seconds = Some(1800);
        one.uses.credentials = vec![key.id.clone()];
        world.add_consumer(one);
        world.add_identity(identity);
        world.add_credential(key);
        let (context, id) = (world.context(), world.only().id);
        let tried = |target: &str, ttl_seconds| {
            let trial = Trial {
                target: Some(target.into()),
                ttl_seconds,
            };
            simulate(&context, &id, &trial).unwrap()
        };
        let elsewhere = tried("aws-github-oidc", None);
        let note = |one: &Simulation, text: &str| one.notes.iter().any(|n| n.contains(text));
        assert!(
            note(&elsewhere, "github-actions, and it runs in server"),
            "{:?}",
            elsewhere.notes
        );
        assert_ne!(elsewhere.tried.mitigation, crate::model::Mitigation::Full);
        assert_ne!(elsewhere.tried.disposition, Disposition::MigrateNow);
        let points = |one: &Assessment, code: &str| {
            let mut factors = one.fit.factors.iter();
            factors
                .find(|factor| factor.code == code)
                .map(|factor| factor.points)
        };
        assert_eq!(points(&elsewhere.tried, "F1"), Some(0));
        assert_eq!(points(&elsewhere.tried, "F3"), Some(0));
        assert!(elsewhere.tried.fit.score < elsewhere.planned.fit.score);
        let other = tried("slack-token-rotation", None);
        assert!(note(&other, "not for aws-access-key"), "{:?}", other.notes);
        assert_eq!(points(&other.tried, "F1"), Some(0));
        let here = tried("aws-roles-anywhere", Some(60));
        assert!(!note(&here, "runs in"), "{:?}", here.notes);
        assert_eq!(here.tried.mitigation, crate::model::Mitigation::Full);
        assert!(note(&here, "15 min was taken"), "{:?}", here.notes);
        assert!(
            note(&here, "shorter than the task (30 min)"),
            "{:?}",
            here.notes
        );
        assert!(!note(
            &tried("aws-roles-anywhere", Some(1800)),
            "than the task"
        ));
    }

    #[test]
    fn nothing_tried_is_what_is_planned_and_what_is_sealed_or_gone_stays_so() {
        let mut world = World::new("[[identity]]\nmatch = \"*sealed\"\nbreak_glass = true\n");
        let mut add = |identity: crate::model::Identity, id: &str, class: ConsumerClass| {
            let mut key = access_key(&identity);
            key.id = crate::model::CredentialId::of(&[id]);
            key.storage = Storage::CiStore;
            let mut one = consumer(id, class, "github-actions", "site");
            one.uses.credentials = vec![key.id.clone()];
            world.add_consumer(one);
            world.add_identity(identity);
            world.add_credential(key);
        };
        add(admin(user("sealed")), "sealed", ConsumerClass::Human);
        add(with_privilege(user("ci"), 3, true), "ci", ConsumerClass::Ci);
        let mut root = admin(user("root"));
        root.kind = crate::model::IdentityKind::AwsRoot;
        add(root, "root", ConsumerClass::Human);
        let context = world.context();
        let all = world.assess();
        assert_eq!(all.len(), 3);
        for planned in &all {
            let same = simulate(&context, &planned.id, &Trial::default()).unwrap();
            assert_eq!((&same.planned, &same.tried), (planned, planned));
            let trial = Trial {
                target: Some("aws-assumed-role".into()),
                ttl_seconds: Some(7200),
            };
            let tried = simulate(&context, &planned.id, &trial).unwrap();
            let sealed = matches!(
                planned.disposition,
                Disposition::BreakGlassIsolate | Disposition::RevokeNow
            );
            assert_eq!(
                tried.tried.target == planned.target,
                sealed,
                "{}",
                planned.subject
            );
            assert_eq!(
                tried
                    .notes
                    .iter()
                    .any(|note| note.contains("was not tried")),
                sealed
            );
            if !sealed {
                assert_eq!(tried.tried.ttl.seconds, Some(7200));
            }
        }
    }
}
