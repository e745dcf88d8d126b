//! What needs no migration: it is short-lived, asks for more than time, and may do little.

use super::decide::Facts;
use crate::model::{IdentityKind, PrincipalKind};
use crate::rules::targets::{MechanismClass, Situation};

/// It already is what a migration would lead to.
pub(super) fn already_just_in_time(facts: &Facts<'_, '_>) -> bool {
    let Some(identity) = facts.subject.identity else {
        return false;
    };
    let by_nature = matches!(
        identity.kind,
        IdentityKind::CiJob | IdentityKind::KubernetesServiceAccount
    );
    let services_only = identity
        .trust
        .iter()
        .all(|path| path.principal_kind == PrincipalKind::Service);
    let context = identity.condition_coverage().count()
        >= facts.context.scoring.gates.full_condition_coverage;
    // A service that starts the work and ends with it asks for no more than who it is: then what it may do has to be narrow.
    let narrow = facts.factors.privilege.level <= facts.context.scoring.gates.keep_max_privilege
        || by_nature && facts.factors.privilege.level <= 3;
    // Privilege that opens more is held for named resources only.
    let wide = facts.factors.privilege.level > 3 && !identity.condition_coverage().resource;
    let asked = context && !wide || narrow && (services_only || by_nature);
    let kind = facts.subject.choice.target.is_some_and(|t| {
        matches!(
            t.class,
            MechanismClass::Ambient | MechanismClass::Federation
        )
    });
    // A vendor's role is as good as it gets where the vendor's own account stays out of sight.
    let exposure = match facts.subject.choice.target {
        Some(target) if facts.subject.situation == Situation::Vendor => target.exposure_after,
        _ => 1,
    };
    facts.subject.credential.is_none()
        && kind
        && facts.factors.exposure.level <= exposure
        && (by_nature || !facts.factors.exposure.assumed)
        && facts.factors.standing.level <= 1
        && facts.factors.privilege.level <= 4
        && !identity.privilege.admin
        && !identity.privilege.permissions_management
        && asked
}
