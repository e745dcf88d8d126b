//! Two descriptions of one identity or consumer become one.

use crate::model::{
    BreakGlass, Consumer, ConsumerClass, Environment, Federation, Identity, IdentityKind, LastUse,
    OwnerSource, Privilege,
};

/// Something is known of what the identity can do.
pub(super) fn privilege_known(privilege: &Privilege) -> bool {
    privilege.tier > 0 || !privilege.evidence.is_empty()
}

/// Adds to an identity what another description of it tells. Of two that disagree the better graded is right: what is
/// deployed wins over what is declared.
pub(super) fn identity(into: &mut Identity, mut from: Identity) {
    if from.grade < into.grade {
        std::mem::swap(into, &mut from);
    }
    if into.kind == IdentityKind::Unresolved {
        into.kind = from.kind;
    }
    into.account = into.account.take().or(from.account);
    if into.environment == Environment::Unknown {
        into.environment = from.environment;
    }
    if into.owner.is_none() && from.owner.is_some() {
        into.owner = from.owner;
        into.owner_source = from.owner_source;
    }
    if into.owner.is_none() {
        into.owner_source = OwnerSource::None;
    }
    into.purpose = into.purpose.take().or(from.purpose);
    into.declared = into.declared.or(from.declared);
    if into.human_evidence.is_none() {
        into.human |= from.human;
        into.human_evidence = from.human_evidence;
    }
    if into.consumer_class == ConsumerClass::Unknown {
        into.consumer_class = from.consumer_class;
    }
    if !privilege_known(&into.privilege) && privilege_known(&from.privilege) {
        into.privilege = from.privilege;
    }
    if into.trust.is_empty() {
        into.trust = from.trust;
    }
    into.max_session_seconds = into.max_session_seconds.or(from.max_session_seconds);
    into.created_at = into.created_at.or(from.created_at);
    if into.last_use == LastUse::Unknown {
        into.last_use = from.last_use;
    }
    into.console_password = into.console_password.or(from.console_password);
    into.mfa = into.mfa.or(from.mfa);
    into.boundary = into.boundary.take().or(from.boundary);
    for (key, value) in from.tags {
        into.tags.entry(key).or_insert(value);
    }
    into.break_glass = match (into.break_glass, from.break_glass) {
        (Some(BreakGlass::Declared), _) | (_, Some(BreakGlass::Declared)) => {
            Some(BreakGlass::Declared)
        }
        (one, other) => one.or(other),
    };
    into.agent = into.agent.take().or(from.agent);
    into.credentials.extend(from.credentials);
    into.grants.extend(from.grants);
    into.consumers.extend(from.consumers);
    into.locations.extend(from.locations);
    into.notes.extend(from.notes);
}

/// Adds to a consumer what another description of it tells.
pub(super) fn consumer(into: &mut Consumer, from: Consumer) {
    if into.class == ConsumerClass::Unknown {
        into.class = from.class;
    }
    if matches!(into.federation, Federation::Unknown) {
        into.federation = from.federation;
    }
    into.repository = into.repository.take().or(from.repository);
    into.identity = into.identity.take().or(from.identity);
    into.schedule = into.schedule.take().or(from.schedule);
    into.timeout_seconds = into.timeout_seconds.or(from.timeout_seconds);
    into.location = into.location.take().or(from.location);
    into.environment = into.environment.take().or(from.environment);
    into.evidence.extend(from.evidence);
    into.risks.extend(from.risks);
    into.uses.credentials.extend(from.uses.credentials);
    into.uses.identities.extend(from.uses.identities);
    into.uses.native_ids.extend(from.uses.native_ids);
}
