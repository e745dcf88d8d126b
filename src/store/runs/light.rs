//! What the lists of a review need of every entry; what only its page tells is left out and read when the page is opened.

use crate::model::{Assessment, Consumer, Credential, Finding, Grant, Identity, PlanItem, Trail};

/// An entry of one of the long lists of a report.
pub(super) trait Entry: Clone {
    /// Name of the list.
    const LIST: &'static str;

    /// Leaves out what neither a row nor a filter needs.
    fn lighten(&mut self);
}

impl Entry for Finding {
    const LIST: &'static str = "findings";

    fn lighten(&mut self) {
        self.message = String::new();
        self.evidence = Vec::new();
        self.changes = Vec::new();
    }
}

impl Entry for Identity {
    const LIST: &'static str = "identities";

    fn lighten(&mut self) {
        self.human_evidence = None;
        self.trust = Vec::new();
        self.boundary = None;
        let privilege = &mut self.privilege;
        privilege.full_services = Vec::new();
        privilege.services = Vec::new();
        privilege.blanket_policies = Vec::new();
        privilege.escalation = Vec::new();
        privilege.evidence = Vec::new();
        privilege.usage = None;
    }
}

impl Entry for Credential {
    const LIST: &'static str = "credentials";

    fn lighten(&mut self) {
        self.join = None;
        self.confidence_reason = String::new();
        if let Some(trail) = &mut self.trail {
            trail.repository = String::new();
            trail.first_commit = None;
            trail.introduced_by = None;
            trail.last_commit = None;
            trail.removed_in = None;
            trail.branches = Vec::new();
        }
        for sighting in &mut self.sightings {
            sighting.commit = None;
            sighting.author = None;
            sighting.context = None;
            sighting.layers = Vec::new();
            sighting.trail = Trail::default();
        }
    }
}

impl Entry for Grant {
    const LIST: &'static str = "grants";

    fn lighten(&mut self) {
        self.name = String::new();
        self.native_id = String::new();
        self.actions = Vec::new();
        self.resources = Vec::new();
        self.conditions = Vec::new();
        self.evidence = Vec::new();
        self.location = None;
    }
}

impl Entry for Consumer {
    const LIST: &'static str = "consumers";

    fn lighten(&mut self) {
        self.evidence = Vec::new();
    }
}

impl Entry for Assessment {
    const LIST: &'static str = "assessments";

    fn lighten(&mut self) {
        self.subject = String::new();
        self.risk.vector = String::new();
        self.risk.factors = Vec::new();
        self.risk.floors = Vec::new();
        self.fit.factors = Vec::new();
        self.blockers = Vec::new();
        self.trace = Vec::new();
        self.exposure_window.before = String::new();
        self.exposure_window.after = String::new();
        self.task.evidence = Vec::new();
        self.ttl.evidence = String::new();
        self.target_reason = String::new();
        self.risk_after.vector = String::new();
        self.risk_after.evidence = Vec::new();
    }
}

impl Entry for PlanItem {
    const LIST: &'static str = "plan";

    fn lighten(&mut self) {
        self.mechanism_title = String::new();
        self.catalogue_as_of = String::new();
        self.unverified = Vec::new();
        self.ttl.evidence = String::new();
        let grant = &mut self.grant;
        grant.subject = String::new();
        grant.task = String::new();
        grant.context_proof = String::new();
        grant.resources = Vec::new();
        grant.actions = Vec::new();
        let approval = &mut self.approval;
        approval.system = String::new();
        approval.reason = String::new();
        approval.duration = String::new();
        approval.approver = String::new();
        approval.logic = String::new();
        approval.status = String::new();
        self.revocation_triggers = Vec::new();
        self.prerequisites = Vec::new();
        self.open_questions = Vec::new();
        self.steps = Vec::new();
        self.negative_test = String::new();
        self.acceptance_test = String::new();
        self.rollback = String::new();
        self.revoke_command = None;
        self.compensating_controls = Vec::new();
        self.detect_done = String::new();
        self.agent_requirements = Vec::new();
        self.permissions = None;
        self.artefacts = Vec::new();
    }
}
