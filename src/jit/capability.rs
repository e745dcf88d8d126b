//! What is set up already that proves, issues or brokers: for this subject by name, or beside it in its repository.

use super::JitContext;
use super::subject::Subject;
use crate::model::{Capability, CapabilityKind, IdentityKind};

/// The capability that proves who the consumers are; `true` where it names them. The nearest comes first, and what lies in
/// the same repository only shows that the platform has it.
pub(super) fn of<'c>(
    context: &JitContext<'c>,
    subject: &Subject<'_>,
) -> Option<(&'c Capability, bool)> {
    let all = &context.inventory.capabilities;
    if all.is_empty() {
        return None;
    }
    let proves = |capability: &&Capability| {
        matches!(
            capability.kind,
            CapabilityKind::RuntimeIdentity
                | CapabilityKind::MeshIdentity
                | CapabilityKind::DynamicSecrets
        ) && capability.product != "kubernetes"
    };
    let accounts: Vec<&str> = subject
        .consumers
        .iter()
        .filter_map(|consumer| {
            context
                .inventory
                .identities
                .get(consumer.identity.as_ref()?)
        })
        .chain(subject.identity)
        .filter(|identity| identity.kind == IdentityKind::KubernetesServiceAccount)
        .map(|identity| identity.native_id.as_str())
        .collect();
    let names = |capability: &&Capability| {
        capability
            .subjects
            .iter()
            .any(|pattern| accounts.iter().any(|account| matches(pattern, account)))
    };
    if !accounts.is_empty()
        && let Some(capability) = all.iter().filter(proves).find(names)
    {
        return Some((capability, true));
    }
    let beside = |capability: &&Capability| {
        let repository = Some(&capability.repository);
        subject
            .consumers
            .iter()
            .any(|consumer| consumer.repository.as_ref() == repository)
    };
    all.iter()
        .filter(proves)
        .find(beside)
        .map(|capability| (capability, false))
}

/// Whether a text is that of a pattern in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut left) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = left.find(part) else {
            return false;
        };
        left = left.get(at + part.len()..).unwrap_or_default();
    }
    left.ends_with(last)
}

/// What a capability is evidence of.
pub(super) fn words(capability: &Capability, named: bool) -> String {
    let place = capability.location.display();
    if named {
        format!(
            "{} {} names its service account: {} ({place})",
            capability.product, capability.name, capability.says
        )
    } else {
        format!(
            "{} is set up in its repository: {}, {} ({place})",
            capability.product, capability.name, capability.says
        )
    }
}

/// Access can be issued, and is revoked with its lease or session, by something that is set up beside the subject.
pub(super) fn issues(context: &JitContext<'_>, subject: &Subject<'_>) -> bool {
    context.inventory.capabilities.iter().any(|capability| {
        matches!(
            capability.kind,
            CapabilityKind::DynamicSecrets | CapabilityKind::Broker
        ) && subject
            .consumers
            .iter()
            .any(|consumer| consumer.repository.as_ref() == Some(&capability.repository))
    })
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, met) in [
            ("a:b", "a:b", true),
            ("a:b", "a:c", false),
            ("a:*", "a:b:c", true),
            ("a:*:c", "a:b:c", true),
            ("a:*:c", "a:b:d", false),
            ("*", "", true),
            ("a*a", "a", false),
        ] {
            assert_eq!(matches(pattern, text), met, "{pattern} {text}");
        }
    }
}
