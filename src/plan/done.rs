//! Proof of completion: whether a later report shows that an item of an earlier one is done, came back, or was overtaken.
//!
//! Pure: two reports in, a judgement out. What is kept of it is the store's business.

use crate::model::{
    Assessment, Credential, CredentialStatus, Disposition, Identity, LastUse, PlanItem,
    PrincipalKind, Report,
};
use std::collections::{BTreeMap, BTreeSet};

/// State of an item as a later report shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// The old access still stands and nothing new is there.
    Open,
    /// The new way is there and the old one still works: the migration is not finished.
    DualPath,
    /// What proves completion holds.
    Done,
    /// It was done, and the old access is back.
    Reopened,
    /// The later report did not look where it would have to.
    NotSeen,
}

impl State {
    /// Lower-case word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::DualPath => "dual-path",
            Self::Done => "done",
            Self::Reopened => "reopened",
            Self::NotSeen => "not-seen",
        }
    }
}

/// The judgement on one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// State.
    pub state: State,
    /// What it rests on.
    pub evidence: Vec<String>,
}

/// Judges one item of an earlier report by a later one; `was_done` says that a report in between showed it done.
pub fn judge(earlier: &Report, item: &PlanItem, later: &Report, was_done: bool) -> Completion {
    let mut evidence = Vec::new();
    let old = item.credential.as_ref();
    let now = old.and_then(|id| later.credentials.iter().find(|each| each.id == *id));
    let identity = item
        .identity
        .as_ref()
        .and_then(|id| later.identities.iter().find(|each| each.id == *id));
    if !looked(earlier, item, later) {
        return Completion {
            state: State::NotSeen,
            evidence: vec![
                "the later scan did not read the account or repositories the access is known from"
                    .to_owned(),
            ],
        };
    }
    let gone = match old {
        Some(_) => credential_gone(now, later, &mut evidence),
        None => identity_settled(earlier, item, identity, later, &mut evidence),
    };
    if gone {
        return Completion {
            state: State::Done,
            evidence,
        };
    }
    if was_done {
        evidence.push("it was done before: the old access is back".to_owned());
        return Completion {
            state: State::Reopened,
            evidence,
        };
    }
    if old.is_some() && new_way(earlier, item, later, &mut evidence) {
        return Completion {
            state: State::DualPath,
            evidence,
        };
    }
    Completion {
        state: State::Open,
        evidence,
    }
}

/// Whether the later report read the inputs that the access is known from.
fn looked(earlier: &Report, item: &PlanItem, later: &Report) -> bool {
    let inputs: BTreeSet<&str> = later.run.inputs.iter().map(String::as_str).collect();
    let mut needed = BTreeSet::new();
    let identity = item
        .identity
        .as_ref()
        .and_then(|id| earlier.identities.iter().find(|each| each.id == *id));
    if let Some(account) = identity
        .filter(|identity| identity.provider == "aws")
        .and_then(|identity| identity.account.as_deref())
    {
        let snapshot = format!("aws/{account}");
        if earlier.run.inputs.contains(&snapshot) {
            needed.insert(snapshot);
        }
    }
    let credential = item
        .credential
        .as_ref()
        .and_then(|id| earlier.credentials.iter().find(|each| each.id == *id));
    for sighting in credential.into_iter().flat_map(|each| &each.sightings) {
        if sighting.at_head && earlier.run.inputs.contains(&sighting.repository) {
            needed.insert(sighting.repository.clone());
        }
    }
    needed.iter().all(|input| inputs.contains(input.as_str()))
}

/// The issuer no longer accepts it, and no current file holds or names it.
fn credential_gone(now: Option<&Credential>, later: &Report, evidence: &mut Vec<String>) -> bool {
    let Some(credential) = now else {
        evidence.push(
            "the credential is no longer in the inventory, and no current file holds it".to_owned(),
        );
        return true;
    };
    let inactive = credential.status == CredentialStatus::Inactive
        || credential.expires_at.is_some_and(|at| at <= later.run.now);
    let held: Vec<String> = credential
        .sightings
        .iter()
        .filter(|sighting| sighting.at_head)
        .map(|sighting| sighting.location().display())
        .collect();
    let named = later
        .consumers
        .iter()
        .filter(|consumer| consumer.uses.credentials.contains(&credential.id))
        .count();
    evidence.push(match credential.status {
        CredentialStatus::Inactive => "the issuer shows it inactive".to_owned(),
        CredentialStatus::Active => "the issuer shows it active".to_owned(),
        CredentialStatus::Unknown => {
            "whether the issuer still accepts it is not in the input".to_owned()
        }
    });
    if let Some(first) = held.first() {
        evidence.push(format!(
            "{} current files hold it, such as {first}",
            held.len()
        ));
    }
    if named > 0 {
        evidence.push(format!("{named} consumers still name it"));
    }
    if credential.status == CredentialStatus::Inactive
        && let LastUse::At(at) = credential.last_use
    {
        evidence.push(format!("its last use stays at {}", at.strftime("%Y-%m-%d")));
    }
    inactive && held.is_empty() && named == 0
}

/// Of an identity without a credential: gone, or judged to be what the plan leads to.
fn identity_settled(
    earlier: &Report,
    item: &PlanItem,
    identity: Option<&Identity>,
    later: &Report,
    evidence: &mut Vec<String>,
) -> bool {
    let Some(identity) = identity else {
        evidence.push("the identity is no longer in the inventory".to_owned());
        return true;
    };
    if item.disposition == Disposition::Decommission {
        evidence.push(format!("{} is still there", identity.name));
        return false;
    }
    let of = |report: &'_ Report| -> Option<(u8, Disposition)> {
        report
            .assessments
            .iter()
            .find(|assessment| assessment.id == item.assessment)
            .map(|assessment: &Assessment| (assessment.risk.score, assessment.disposition))
    };
    let (before, now) = (of(earlier), of(later));
    match now {
        None => {
            evidence.push("nothing of it calls for judgement any more".to_owned());
            true
        }
        Some((risk, disposition)) => {
            let planned = later
                .plan
                .iter()
                .any(|other| other.assessment == item.assessment);
            evidence.push(format!(
                "its risk is {risk} (was {}, planned {}), disposition {}",
                before.map_or(item.risk_before, |(risk, _)| risk),
                item.risk_after,
                disposition.as_str()
            ));
            !planned && risk <= item.risk_after.max(4)
        }
    }
}

/// A way in by which the consumers could do without the old credential.
fn new_way(earlier: &Report, item: &PlanItem, later: &Report, evidence: &mut Vec<String>) -> bool {
    let users: BTreeSet<(&str, Option<&str>)> = earlier
        .consumers
        .iter()
        .filter(|consumer| {
            item.credential
                .as_ref()
                .is_some_and(|id| consumer.uses.credentials.contains(id))
        })
        .map(|consumer| (consumer.name.as_str(), consumer.repository.as_deref()))
        .collect();
    let known: BTreeSet<_> = earlier.identities.iter().map(|each| &each.id).collect();
    let by_consumer = later.consumers.iter().find(|consumer| {
        users.contains(&(consumer.name.as_str(), consumer.repository.as_deref()))
            && consumer.federation == crate::model::Federation::Configured
    });
    if let Some(consumer) = by_consumer {
        evidence.push(format!(
            "{} can prove what it is now, and the old credential still works",
            consumer.name
        ));
        return true;
    }
    let repositories: BTreeSet<&str> = users.iter().filter_map(|(_, name)| *name).collect();
    let role = later.identities.iter().find(|identity| {
        !known.contains(&identity.id)
            && identity.trust.iter().any(|path| {
                path.principal_kind == PrincipalKind::Oidc
                    && path.subjects.iter().any(|subject| {
                        repositories.iter().any(|name| {
                            let last = name.rsplit('/').next().unwrap_or(name);
                            subject.contains(&format!("/{last}:"))
                        })
                    })
            })
    });
    if let Some(role) = role {
        evidence.push(format!(
            "{} trusts the consumer's repository now, and the old credential still works",
            role.name
        ));
        return true;
    }
    false
}

/// Access that stands now and was not there when the plan was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// Name of the subject.
    pub subject: String,
    /// Its assessment.
    pub assessment: crate::model::AssessmentId,
    /// Risk now.
    pub risk: u8,
    /// New, or grown from this risk.
    pub before: Option<u8>,
}

/// New standing access since the plan, and access whose risk grew; highest risk first.
pub fn drift(earlier: &Report, later: &Report) -> Vec<Drift> {
    let before: BTreeMap<_, _> = earlier
        .assessments
        .iter()
        .map(|assessment| (&assessment.id, assessment.risk.score))
        .collect();
    let mut list: Vec<Drift> = later
        .assessments
        .iter()
        .filter(|assessment| {
            let standing = assessment
                .risk
                .factors
                .iter()
                .any(|factor| factor.code == "T" && factor.level >= 2);
            match before.get(&assessment.id) {
                None => standing,
                Some(risk) => assessment.risk.score > *risk,
            }
        })
        .map(|assessment| Drift {
            subject: assessment.subject.clone(),
            assessment: assessment.id.clone(),
            risk: assessment.risk.score,
            before: before.get(&assessment.id).copied(),
        })
        .collect();
    list.sort_by(|a, b| {
        b.risk
            .cmp(&a.risk)
            .then_with(|| a.assessment.cmp(&b.assessment))
    });
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jit::fixtures::{World, access_key, days_ago, job, user, with_privilege};
    use crate::model::{Federation, Run, Storage};
    use crate::report::{ReportParts, assemble};

    fn report_of(world: &World) -> Report {
        assemble(ReportParts {
            tool_version: "0".into(),
            run: Run {
                id: "run".into(),
                now: days_ago(0),
                inputs: vec!["aws/111122223333".into()],
                rules_digest: String::new(),
                policy_digest: String::new(),
                fingerprint_key: String::new(),
                complete: true,
            },
            coverage: Vec::new(),
            inventory: world.inventory.clone(),
            findings: Vec::new(),
            assessments: world.assess(),
            plan: world.plan(),
            long_lived_days: 90,
        })
    }

    fn world(active: CredentialStatus, job_uses: bool, federated: bool) -> World {
        let mut world = World::new("");
        let user = with_privilege(user("deployer"), 3, true);
        let mut key = access_key(&user);
        key.storage = Storage::CiStore;
        key.status = active;
        key.last_use = LastUse::At(days_ago(3));
        let mut job = job("site");
        if federated {
            job.federation = Federation::Configured;
        }
        if job_uses {
            job.uses.credentials = vec![key.id.clone()];
        }
        world.add_identity(user);
        world.add_consumer(job);
        world.add_credential(key);
        world
    }

    #[test]
    fn an_item_closes_reopens_and_shows_both_ways() {
        let earlier = report_of(&world(CredentialStatus::Active, true, false));
        let item = &earlier.plan[0];
        for (active, uses, federated, was_done, state) in [
            (CredentialStatus::Active, true, false, false, State::Open),
            (CredentialStatus::Active, true, true, false, State::DualPath),
            (
                CredentialStatus::Inactive,
                true,
                true,
                false,
                State::DualPath,
            ),
            (CredentialStatus::Inactive, false, true, false, State::Done),
            (CredentialStatus::Active, true, true, true, State::Reopened),
        ] {
            let later = report_of(&world(active, uses, federated));
            let found = judge(&earlier, item, &later, was_done);
            assert_eq!(found.state, state, "{:?}", found.evidence);
            assert!(!found.evidence.is_empty());
        }
        let mut gone = report_of(&world(CredentialStatus::Active, true, false));
        gone.credentials.clear();
        assert_eq!(judge(&earlier, item, &gone, false).state, State::Done);
        gone.run.inputs.clear();
        assert_eq!(judge(&earlier, item, &gone, false).state, State::NotSeen);
    }

    #[test]
    fn new_standing_access_is_drift() {
        let earlier = report_of(&world(CredentialStatus::Active, true, false));
        assert_eq!(drift(&earlier, &earlier), []);
        let mut more = world(CredentialStatus::Active, true, false);
        let second = with_privilege(user("second"), 3, true);
        let mut key = access_key(&second);
        key.id = crate::model::CredentialId::of(&["second"]);
        more.add_identity(second);
        more.add_credential(key);
        let found = drift(&earlier, &report_of(&more));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].before, None);
    }
}
