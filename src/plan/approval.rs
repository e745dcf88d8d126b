//! Who approves what, and what ends the access.

use super::PlanContext;
use crate::jit::subject::Subject;
use crate::jit::ttl;
use crate::model::{
    Approval, ApprovalTier, Assessment, BreakGlass, ConsumerClass, Disposition, GrantSource,
    GrantSpec, RevocationTrigger,
};
use crate::rules::targets::{MechanismClass, Refresh};
use std::collections::BTreeSet;

/// Level of one factor of an assessment.
pub fn level(assessment: &Assessment, code: &str) -> u8 {
    assessment
        .risk
        .factors
        .iter()
        .find(|factor| factor.code == code)
        .map_or(0, |factor| factor.level)
}

/// The approval of an item: four fixed fields, how strict, and which logic.
pub fn approval(
    context: &PlanContext<'_>,
    subject: &Subject<'_>,
    assessment: &Assessment,
) -> Approval {
    let rules = &context.scoring.approval;
    let privilege = level(assessment, "P");
    let weight = level(assessment, "S") * privilege;
    let tier = if weight >= rules.strict_from || privilege >= rules.strict_privilege {
        ApprovalTier::Strict
    } else if weight >= rules.light_from {
        ApprovalTier::Light
    } else {
        ApprovalTier::Auto
    };
    let logic = match subject.class {
        _ if subject.break_glass() == Some(BreakGlass::Declared) => "incident-response",
        ConsumerClass::IncidentResponse => "incident-response",
        ConsumerClass::Vendor => "vendor",
        ConsumerClass::Human => "human",
        ConsumerClass::RequestDriven | ConsumerClass::Daemon => "service",
        _ if subject.agent() => "agent",
        _ => "automation",
    };
    Approval {
        system: system(subject),
        reason: reason(subject, assessment),
        duration: duration(subject, assessment),
        approver: subject
            .owner
            .clone()
            .unwrap_or_else(|| "unassigned".to_owned()),
        tier,
        logic: logic.to_owned(),
        status: "pending".to_owned(),
        decided_at: None,
    }
}

fn system(subject: &Subject<'_>) -> String {
    let provider = subject
        .credential
        .map(|credential| credential.provider.as_str())
        .or_else(|| subject.identity.map(|identity| identity.provider.as_str()))
        .unwrap_or("unknown");
    let mut out = provider.to_owned();
    if let Some(account) = subject.account() {
        out.push(' ');
        out.push_str(account);
    }
    if let Some(identity) = subject.identity {
        out.push_str(": ");
        out.push_str(&identity.name);
    }
    out
}

/// Why: the purpose, and of access that is let stand the exception it stands by.
fn reason(subject: &Subject<'_>, assessment: &Assessment) -> String {
    let purpose = purpose(subject);
    let stands = matches!(
        assessment.disposition,
        Disposition::KeepStanding | Disposition::ShortenAndCompensate
    );
    let until = subject.annotated(|note| note.exception_expires);
    let Some(until) = until.filter(|_| stands) else {
        return purpose;
    };
    let who = subject
        .annotated(|note| note.exception_owner.clone())
        .or_else(|| subject.owner.clone())
        .unwrap_or_else(|| "nobody named".to_owned());
    let why = subject
        .annotated(|note| note.exception_reason.clone())
        .map_or_else(String::new, |why| format!(": {why}"));
    format!("{purpose}; exception until {until}, answered for by {who}{why}")
}

fn purpose(subject: &Subject<'_>) -> String {
    subject
        .annotated(|note| note.purpose.clone())
        .or_else(|| {
            subject
                .identity
                .and_then(|identity| identity.purpose.clone())
        })
        .or_else(|| {
            let consumer = subject.consumers.first()?;
            let place = consumer.repository.as_deref().unwrap_or(&consumer.runtime);
            Some(format!("{} in {place}", consumer.name))
        })
        .unwrap_or_else(|| "purpose not known: to be stated by the owner".to_owned())
}

fn duration(subject: &Subject<'_>, assessment: &Assessment) -> String {
    match assessment.ttl.seconds {
        Some(seconds) => ttl::human(seconds),
        None if subject
            .choice
            .target
            .is_some_and(|target| target.refresh == Refresh::Platform) =>
        {
            "as long as the workload runs".to_owned()
        }
        None => "none: nothing is issued".to_owned(),
    }
}

/// Who asks, for what, with which proof, on what.
pub fn grant(context: &PlanContext<'_>, subject: &Subject<'_>) -> GrantSpec {
    let who = match (subject.consumers.as_slice(), subject.identity) {
        ([only], _) => format!("{} ({})", only.name, only.runtime),
        ([], Some(identity)) => identity.name.clone(),
        ([], None) => "not known: nothing was seen that uses it".to_owned(),
        (several, _) => {
            let names: Vec<&str> = several.iter().take(5).map(|c| c.name.as_str()).collect();
            format!("one of: {}", names.join(", "))
        }
    };
    let proof = match subject.choice.target.map(|target| target.class) {
        Some(MechanismClass::Ambient) => "the platform vouches for the workload it started",
        Some(MechanismClass::Federation) => {
            "a signed token of the runtime with exact subject and audience"
        }
        Some(MechanismClass::Broker) => {
            "the broker checks the consumer's identity and the task at each request"
        }
        Some(MechanismClass::ExpiringToken) => {
            "the vendor's token, renewed only while policy allows it"
        }
        Some(MechanismClass::RotateOnly) => {
            "none at request time: network boundary and monitoring stand in"
        }
        Some(MechanismClass::None) | None => "none: nothing is issued",
    };
    let mut resources = BTreeSet::new();
    let mut actions = BTreeSet::new();
    if let Some(identity) = subject.identity {
        for grant in context.inventory.grants_of(&identity.grants) {
            if grant.source != GrantSource::Trust {
                resources.extend(grant.resources.iter().cloned());
                actions.extend(grant.actions.iter().cloned());
            }
        }
    }
    let named: BTreeSet<String> = actions
        .iter()
        .filter(|action| *action != "*" && *action != "*:*")
        .cloned()
        .collect();
    let actions: Vec<String> = if named.is_empty() && !actions.is_empty() {
        vec!["the actions seen in use, once recorded; today everything is allowed".to_owned()]
    } else {
        named.into_iter().take(50).collect()
    };
    GrantSpec {
        subject: who,
        task: purpose(subject),
        context_proof: proof.to_owned(),
        resources: resources.into_iter().take(20).collect(),
        actions,
    }
}

/// Whether nothing is issued: the access goes, and nothing takes its place.
fn ends_now(subject: &Subject<'_>, assessment: &Assessment) -> bool {
    let taken = matches!(
        assessment.disposition,
        Disposition::RevokeNow | Disposition::Decommission
    );
    taken && (subject.root_key() || !super::item::migrates(assessment))
}

/// What ends the access: never nothing, never a person alone, and never the clock alone for high privilege. An item that
/// only takes access away waits for no event.
pub fn triggers(subject: &Subject<'_>, assessment: &Assessment) -> Vec<RevocationTrigger> {
    if ends_now(subject, assessment) {
        return Vec::new();
    }
    // What stays does not end with a task: it ends when it is renewed, or when something is wrong.
    if subject.keeps_credential() {
        return vec![
            RevocationTrigger::TtlExpiry,
            RevocationTrigger::ContextChange,
            RevocationTrigger::ManualFallback,
        ];
    }
    let mut triggers = BTreeSet::new();
    let platform = subject
        .choice
        .target
        .is_some_and(|target| target.refresh == Refresh::Platform);
    if assessment.ttl.seconds.is_some() {
        triggers.insert(RevocationTrigger::TtlExpiry);
    }
    match subject.class {
        ConsumerClass::Ci => {
            triggers.extend([
                RevocationTrigger::PipelineEnd,
                RevocationTrigger::CrashDetected,
            ]);
        }
        class if class.bounded() || subject.agent() => {
            triggers.extend([
                RevocationTrigger::TaskComplete,
                RevocationTrigger::CrashDetected,
            ]);
        }
        ConsumerClass::RequestDriven | ConsumerClass::Daemon => {
            triggers.insert(RevocationTrigger::OrchestrationEvent);
        }
        _ => {
            triggers.insert(RevocationTrigger::ManualFallback);
        }
    }
    if platform {
        triggers.insert(RevocationTrigger::OrchestrationEvent);
    }
    let alone = triggers.iter().all(|trigger| {
        matches!(
            trigger,
            RevocationTrigger::ManualFallback | RevocationTrigger::TtlExpiry
        )
    });
    if alone || level(assessment, "P") >= 4 || subject.agent() {
        triggers.insert(RevocationTrigger::ContextChange);
    }
    triggers.into_iter().collect()
}
