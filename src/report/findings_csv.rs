//! `findings.csv`: one row a finding, with what is known of its identity and credential, its assessment and its plan.

use super::cells::{Cell, Column, SCHEMA_VERSION, columns, write};
use super::{Emitter, Index, Options, ReportError};
use crate::model::{
    Assessment, Consumer, Credential, CredentialTrail, Decided, Finding, FindingStatus, Frameworks,
    Identity, Location, PlanItem, Report, Sighting, evidence::days_between,
};
use std::io::Write;

/// Writes `findings.csv`.
pub(super) struct FindingsCsv {
    pub(super) options: Options,
}

/// A finding with everything that belongs to it.
pub struct Row<'a> {
    report: &'a Report,
    pub(super) finding: &'a Finding,
    pub(super) identity: Option<&'a Identity>,
    credential: Option<&'a Credential>,
    consumers: Vec<&'a Consumer>,
    pub(super) assessment: Option<&'a Assessment>,
    plan: Option<&'a PlanItem>,
}

impl<'a> Row<'a> {
    fn place(&self) -> Option<&Location> {
        self.finding.locations.first()
    }

    /// Whether it was compared with earlier runs.
    pub(super) fn compared(&self) -> bool {
        self.report.changes.is_some()
    }

    /// Whether this run is the first to have it.
    pub(super) fn first_seen_now(&self) -> bool {
        self.finding.first_seen == Some(self.report.run.now)
    }

    /// The sighting at the finding's primary place.
    fn sighting(&self) -> Option<&Sighting> {
        let place = self.place()?;
        let sightings = &self.credential?.sightings;
        let exact = sightings.iter().find(|seen| seen.is_at(place));
        exact.or_else(|| {
            sightings.iter().find(|seen| {
                Some(&seen.repository) == place.repository.as_ref() && seen.uri == place.uri
            })
        })
    }

    fn of_trail(&self, cell: impl FnOnce(&'a CredentialTrail) -> Cell<'a>) -> Cell<'a> {
        Cell::maybe(self.credential.and_then(|each| each.trail.as_ref()), cell)
    }

    fn of_decision(&self, cell: impl FnOnce(&'a Decided) -> Cell<'a>) -> Cell<'a> {
        Cell::maybe(self.finding.decision.as_ref(), cell)
    }

    fn of_assessment(&self, cell: impl FnOnce(&'a Assessment) -> Cell<'a>) -> Cell<'a> {
        Cell::maybe(self.assessment, cell)
    }

    fn of_plan(&self, cell: impl FnOnce(&'a PlanItem) -> Cell<'a>) -> Cell<'a> {
        Cell::maybe(self.plan, cell)
    }

    fn framework(&self, id: &str) -> Cell<'a> {
        ids(&self.finding.frameworks, |name| name == id)
    }

    fn created(&self) -> Option<jiff::Timestamp> {
        match self.credential {
            Some(credential) => credential.created_at,
            None => self.identity.and_then(|identity| identity.created_at),
        }
    }

    /// Lifetime the access has today, in seconds, or `never` for what does not expire.
    fn lifetime(&self) -> Cell<'a> {
        let Some(credential) = self.credential else {
            return Cell::seconds(self.identity.and_then(|each| each.max_session_seconds));
        };
        match (credential.created_at, credential.expires_at) {
            (Some(created), Some(expires)) => Cell::Whole(
                expires
                    .as_second()
                    .saturating_sub(created.as_second())
                    .max(0),
            ),
            (_, None) if credential.expires_by_nature == Some(false) => Cell::text("never"),
            _ => Cell::Empty,
        }
    }
}

fn ids(frameworks: &Frameworks, wanted: impl Fn(&str) -> bool) -> Cell<'_> {
    let found = frameworks.iter().filter(|(name, _)| wanted(name));
    Cell::list(found.flat_map(|(_, ids)| ids))
}

columns! {
    /// Every column, in order.
    columns:
    schema_version: "Version of these columns; columns are only added, at the end."
        => |_| Cell::Whole(SCHEMA_VERSION);
    finding_id: "Stable id of the finding."
        => |row| Cell::text(row.finding.id.as_str());
    class: "Id of the check: `leaked-secret`, `long-lived-key`, …"
        => |row| Cell::text(&row.finding.rule);
    severity: "`critical`, `high`, `medium`, `low`, `info`."
        => |row| Cell::text(row.finding.severity.as_str());
    severity_rank: "The same for sorting: 4 critical to 0 info."
        => |row| Cell::Whole(row.finding.severity as i64);
    finding_status: "`new`, `unchanged`, `worsened`, `improved`, `fixed` (since the run before), `reappeared`, `accepted`, `accepted-expired` or `ignored`."
        => |row| Cell::text(row.finding.status.as_str());
    title: "The fault in a few words."
        => |row| Cell::text(&row.finding.title);
    identity_id: "Id of the identity in `report.json` and `inventory.csv`."
        => |row| Cell::maybe(row.finding.identity.as_ref(), |id| Cell::text(id.as_str()));
    identity_name: "Its short name."
        => |row| Cell::maybe(row.identity, |each| Cell::text(&each.name));
    identity_type: "`iam-user`, `iam-role`, `ci-job`, `agent`, …"
        => |row| Cell::maybe(row.identity, |each| Cell::text(each.kind.as_str()));
    provider: "Issuer of the credential, else of the identity: `aws`, `github`, …"
        => |row| match (row.credential, row.identity) {
            (Some(credential), _) => Cell::text(&credential.provider),
            (None, Some(identity)) => Cell::text(&identity.provider),
            (None, None) => Cell::Empty,
        };
    account: "Account, project, cluster or repository."
        => |row| {
            let of_credential = row.credential.and_then(|each| each.account.as_deref());
            let of_identity = row.identity.and_then(|each| each.account.as_deref());
            Cell::maybe(of_identity.or(of_credential), Cell::text)
        };
    environment: "`development`, `staging`, `production`; empty when unknown."
        => |row| Cell::maybe(row.identity, environment);
    consumer: "Names of what uses the credential, else of what uses the identity."
        => |row| Cell::list(row.consumers.iter().map(|each| &each.name));
    consumer_class: "Class the assessment was made on: `ci`, `scheduled`, `batch`, `function`, `agent`, `request-driven`, `daemon`, `human`, `vendor`, `incident-response`; empty when unknown."
        => |row| row.of_assessment(|each| consumer_class(each.consumer_class));
    owner: "Owner of the identity."
        => |row| Cell::maybe(row.identity.and_then(|each| each.owner.as_deref()), Cell::text);
    owner_source: "How the owner is known: `annotation`, `tag`, `codeowners`, `iac-author`, `creator`, `none`."
        => |row| Cell::maybe(row.identity, |each| Cell::text(each.owner_source.as_str()));
    purpose: "What the identity is for."
        => |row| Cell::maybe(row.identity.and_then(|each| each.purpose.as_deref()), Cell::text);
    credential_id: "Id of the credential in `report.json`."
        => |row| Cell::maybe(row.finding.credential.as_ref(), |id| Cell::text(id.as_str()));
    credential_type: "`aws-access-key`, `github-pat`, `private-key`, …"
        => |row| Cell::maybe(row.credential, |each| Cell::text(&each.kind));
    credential_public_id: "The part of the credential that is not secret, such as an access key id."
        => |row| Cell::maybe(row.credential.and_then(|each| each.public_id.as_deref()), Cell::text);
    fingerprint: "Keyed fingerprint of the secret; the same secret has the same under the same key."
        => |row| Cell::maybe(
            row.credential.and_then(|each| each.fingerprint.as_ref()),
            |print| Cell::text(print.as_str()),
        );
    credential_status: "`active` or `inactive` as the issuer says; empty when unknown, which is treated as live."
        => |row| Cell::maybe(row.credential, |each| match each.status {
            crate::model::CredentialStatus::Unknown => Cell::Empty,
            known => Cell::text(known.as_str()),
        });
    storage: "Most exposed place the secret was seen in: `public`, `committed`, `history`, `plain-file`, `environment`, `ci-store`, `vault`, `not-seen`."
        => |row| Cell::maybe(row.credential, |each| Cell::text(each.storage.as_str()));
    created_at: "When the credential was issued, else when the identity was created."
        => |row| Cell::maybe(row.created(), Cell::Time);
    age_days: "Whole days from `created_at` to the time of the run."
        => |row| Cell::maybe(row.created(), |at| Cell::Whole(days_between(at, row.report.run.now)));
    last_used_at: "Last use of the credential, else of the identity; `never since <date>` where the issuer tracked it and saw none; empty when unknown."
        => |row| match (row.credential, row.identity) {
            (Some(credential), _) => Cell::last_use(credential.last_use),
            (None, Some(identity)) => Cell::last_use(identity.last_use),
            (None, None) => Cell::Empty,
        };
    expires_at: "When the credential stops working by itself."
        => |row| Cell::maybe(row.credential.and_then(|each| each.expires_at), Cell::Time);
    lifetime_ratio: "Age of the credential over the duration of its task, to two figures."
        => |row| row.of_assessment(|each| Cell::maybe(each.lifetime_ratio, Cell::Decimal));
    session_max: "Longest session the identity allows, in seconds."
        => |row| Cell::seconds(row.identity.and_then(|each| each.max_session_seconds));
    risk: "Risk today, 0–100."
        => |row| row.of_assessment(|each| Cell::Whole(each.risk.score.into()));
    band: "Band of the risk."
        => |row| row.of_assessment(|each| Cell::text(each.risk.band.as_str()));
    vector: "Risk vector `NHI:1/E…/T…/H…/P…/S…/B…`; assumed levels are starred."
        => |row| row.of_assessment(|each| Cell::text(&each.risk.vector));
    likelihood: "Likelihood, 1–10."
        => |row| row.of_assessment(|each| Cell::Whole(each.risk.likelihood.into()));
    impact: "Impact, 0–10."
        => |row| row.of_assessment(|each| Cell::Whole(each.risk.impact.into()));
    fit: "How well just-in-time access would fit, 0–100."
        => |row| row.of_assessment(|each| Cell::Whole(each.fit.score.into()));
    priority: "Risk × fit / 100."
        => |row| row.of_assessment(|each| Cell::Whole(each.priority.into()));
    blockers: "What stands in the way."
        => |row| row.of_assessment(|each| Cell::list(each.blockers.iter().map(|blocker| &blocker.id)));
    disposition: "What to do: `revoke-now`, `break-glass-isolate`, `decommission`, `migrate-now`, `hybrid`, `shorten-and-compensate`, `split-first`, `keep-standing`, `plan-migration`, `review`."
        => |row| row.of_assessment(|each| Cell::text(each.disposition.as_str()));
    follow_up: "What to do about the replacement, after a revocation."
        => |row| row.of_assessment(|each| Cell::maybe(each.follow_up, |next| Cell::text(next.as_str())));
    mitigation_claim: "What the migration may claim: `none`, `partial`, `full`."
        => |row| row.of_assessment(|each| Cell::text(each.mitigation.as_str()));
    confidence: "How sure the finding is: `low`, `medium`, `high`."
        => |row| Cell::text(row.finding.confidence.as_str());
    evidence_grade: "Weakest grade among the factors that decided: A issuer, B declared, C reference, D heuristic."
        => |row| row.of_assessment(|each| Cell::text(each.confidence.as_str()));
    target_mechanism: "Id of the mechanism to move to."
        => |row| match (row.plan, row.assessment.and_then(|each| each.target.as_deref())) {
            (Some(plan), _) => Cell::text(&plan.mechanism),
            (None, target) => Cell::maybe(target, Cell::text),
        };
    ttl_before: "Lifetime today in seconds; `never` for what does not expire by itself; for an identity without a credential, its longest session."
        => |row| row.lifetime();
    ttl_recommended: "Lifetime proposed, in seconds; empty when the platform issues and renews by itself or there is nothing to issue."
        => |row| row.of_assessment(|each| Cell::seconds(each.ttl.seconds));
    ttl_evidence: "What the proposed lifetime was made from."
        => |row| row.of_assessment(|each| Cell::text(&each.ttl.evidence));
    exposure_before: "How long a stolen copy is worth something today, in words."
        => |row| row.of_assessment(|each| Cell::text(&each.exposure_window.before));
    exposure_after: "The same after the plan."
        => |row| row.of_assessment(|each| Cell::text(&each.exposure_window.after));
    revocation_triggers: "What ends the new access."
        => |row| row.of_plan(|each| Cell::list(each.revocation_triggers.iter().map(|trigger| trigger.as_str())));
    condition_coverage: "How many of subject, origin, session and resource the trust conditions cover, 0–4."
        => |row| row.of_assessment(|each| Cell::maybe(each.condition_coverage, |count| Cell::Whole(count.into())));
    readiness_issue: "Access can be issued by machines: `yes`, `no`; empty when unknown."
        => |row| row.of_assessment(|each| Cell::ternary(each.readiness.issue));
    readiness_observe: "Its use can be observed."
        => |row| row.of_assessment(|each| Cell::ternary(each.readiness.observe));
    readiness_revoke: "It can be revoked by machines."
        => |row| row.of_assessment(|each| Cell::ternary(each.readiness.revoke));
    prerequisites: "What must be there first."
        => |row| row.of_plan(|each| Cell::list(&each.prerequisites));
    open_questions: "What only the owner can answer."
        => |row| row.of_plan(|each| Cell::list(&each.open_questions));
    effort: "`S`, `M` or `L`."
        => |row| row.of_plan(|each| Cell::text(&each.effort.size));
    risk_after: "Risk after the plan, 0–100."
        => |row| row.of_assessment(|each| Cell::Whole(each.risk_after.score.into()));
    risk_removed: "Risk the plan removes."
        => |row| row.of_plan(|each| Cell::Whole(each.risk_removed.into()));
    wave: "Wave of the plan, from 1."
        => |row| row.of_plan(|each| Cell::Whole(each.wave.into()));
    plan_item_id: "Id of the plan item."
        => |row| row.of_plan(|each| Cell::text(each.id.as_str()));
    approval_system: "Approval: what access is asked for."
        => |row| row.of_plan(|each| Cell::text(&each.approval.system));
    approval_reason: "Approval: why."
        => |row| row.of_plan(|each| Cell::text(&each.approval.reason));
    approval_duration: "Approval: for how long, in words."
        => |row| row.of_plan(|each| Cell::text(&each.approval.duration));
    approval_approver: "Approval: who approves."
        => |row| row.of_plan(|each| Cell::text(&each.approval.approver));
    review_status: "Where the approval stands: `pending` until someone decides."
        => |row| row.of_plan(|each| Cell::text(&each.approval.status));
    reviewer: "Who decided; empty while nobody has."
        => |row| row.of_plan(|each| Cell::maybe(each.approval.decided_at, |_| Cell::text(&each.approval.approver)));
    reviewed_at: "When it was decided."
        => |row| row.of_plan(|each| Cell::maybe(each.approval.decided_at, Cell::Time));
    exception_expires: "When a justified exception runs out."
        => |row| row.of_plan(|each| Cell::maybe(each.exception_expires, Cell::Time));
    compensating_controls: "Controls in place of, or beside, the migration, each with whether it is there."
        => |row| row.of_plan(|each| Cell::list(
            each.compensating_controls
                .iter()
                .map(|control| format!("{} ({})", control.control, control.present.as_str())),
        ));
    nhi_ids: "OWASP Non-Human Identities Top 10."
        => |row| row.framework("owasp-nhi");
    asi_ids: "OWASP Top 10 for Agentic Applications."
        => |row| row.framework("owasp-asi");
    cwe: "Common Weakness Enumeration."
        => |row| row.framework("cwe");
    attack: "MITRE ATT&CK techniques."
        => |row| row.framework("mitre-attack");
    nist_800_53: "NIST SP 800-53 controls."
        => |row| row.framework("nist-800-53");
    csf: "NIST Cybersecurity Framework."
        => |row| row.framework("nist-csf");
    cis: "CIS benchmark of the provider."
        => |row| ids(&row.finding.frameworks, |name| name.starts_with("cis-"));
    pci: "PCI DSS."
        => |row| row.framework("pci-dss");
    soc2: "SOC 2 criteria."
        => |row| row.framework("soc2");
    iso: "ISO/IEC 27001 Annex A."
        => |row| row.framework("iso-27001");
    zero_trust: "NIST SP 800-207 tenets."
        => |row| row.framework("nist-800-207");
    ai_rmf: "NIST AI Risk Management Framework."
        => |row| row.framework("nist-ai-rmf");
    maestro: "CSA MAESTRO layers."
        => |row| row.framework("maestro");
    catalogue_as_of: "Date of the entry of the target catalogue."
        => |row| row.of_plan(|each| Cell::text(&each.catalogue_as_of));
    rules_digest: "Digest of the rule data the run was made with."
        => |row| Cell::text(&row.report.run.rules_digest);
    policy_digest: "Digest of thresholds, weights and annotations the run was made with."
        => |row| Cell::text(&row.report.run.policy_digest);
    message: "The fault in one or two sentences."
        => |row| Cell::text(&row.finding.message);
    repository: "Repository, folder or `aws/<account>` of the primary place."
        => |row| Cell::maybe(row.place().and_then(|place| place.repository.as_deref()), Cell::text);
    uri: "Path of the primary place, percent-encoded."
        => |row| Cell::maybe(row.place(), |place| Cell::text(&place.uri));
    line: "Its line, from 1."
        => |row| Cell::maybe(row.place().and_then(|place| place.line), |line| Cell::Whole(line.into()));
    column: "Its column in Unicode code points, from 1."
        => |row| Cell::maybe(row.place().and_then(|place| place.column), |column| Cell::Whole(column.into()));
    resource: "Name of the resource there, such as an ARN; else what the provider calls the identity."
        => |row| {
            let named = row.place().and_then(|place| place.logical.as_deref());
            let native = row.identity.map(|each| each.native_id.as_str());
            Cell::maybe(named.or(native), Cell::text)
        };
    places: "Number of places."
        => |row| Cell::count(row.finding.locations.len());
    commit: "Commit that introduced the secret at the primary place."
        => |row| Cell::maybe(row.sighting().and_then(|seen| seen.commit.as_deref()), Cell::text);
    first_seen: "When it was introduced there."
        => |row| Cell::maybe(row.sighting().and_then(|seen| seen.first_seen), Cell::Time);
    last_seen: "Last time a commit is known to have held it there."
        => |row| Cell::maybe(row.sighting().and_then(|seen| seen.last_seen), Cell::Time);
    at_head: "It is still there."
        => |row| Cell::maybe(row.sighting(), |seen| Cell::Truth(seen.at_head));
    layers: "Encodings the secret stands in there, outermost first: `base64 > gzip`."
        => |row| Cell::maybe(
            row.sighting().filter(|seen| !seen.layers.is_empty()),
            |seen| Cell::text(seen.layers.join(" > ")),
        );
    reached_by: "The most public thing in git that leads to the primary place: `branch`, `tag`, `ref`, `stash`, `reflog`, `unreachable`."
        => |row| Cell::maybe(
            row.sighting().and_then(|seen| seen.trail.reached_by),
            |reach| Cell::text(reach.as_str()),
        );
    introduced_in: "Earliest commit that holds the credential, at any of its places."
        => |row| row.of_trail(|each| Cell::maybe(each.first_commit.as_deref(), Cell::text));
    introduced_by: "Author of that commit."
        => |row| row.of_trail(|each| Cell::maybe(each.introduced_by.as_deref(), Cell::text));
    introduced_at: "Time of that commit."
        => |row| row.of_trail(|each| Cell::maybe(each.introduced_at, Cell::Time));
    last_commit: "Latest commit known to hold the credential."
        => |row| row.of_trail(|each| Cell::maybe(each.last_commit.as_deref(), Cell::text));
    held_today: "A file of today holds the credential, at any of its places."
        => |row| row.of_trail(|each| Cell::Truth(each.at_head));
    removed_in: "Commit that took the last of it out of HEAD's line; empty while a file of today holds it, and where HEAD never did."
        => |row| row.of_trail(|each| Cell::maybe(each.removed_in.as_deref(), Cell::text));
    removed_at: "Time of that commit."
        => |row| row.of_trail(|each| Cell::maybe(each.removed_at, Cell::Time));
    branches: "Branches whose history holds the credential, at most ten."
        => |row| row.of_trail(|each| Cell::list(&each.branches));
    branches_total: "Number of those branches."
        => |row| row.of_trail(|each| Cell::Whole(each.branches_total.into()));
    clones_total: "Number of repositories and clones that hold the credential."
        => |row| row.of_trail(|each| Cell::Whole(each.repositories.into()));
    sightings: "Number of places of the credential."
        => |row| row.of_trail(|each| Cell::Whole(each.sightings.into()));
    finding_first_seen: "Time of the first run that had the finding."
        => |row| Cell::maybe(row.finding.first_seen, Cell::Time);
    finding_last_seen: "Time of the last run that had it."
        => |row| Cell::maybe(row.finding.last_seen, Cell::Time);
    finding_changes: "What made it worsen, improve, reappear or be fixed."
        => |row| Cell::list(&row.finding.changes);
    decision: "What people decided: `accept-risk`, `false-positive`, `remediate`, `defer`, `break-glass`, or `conflict` where they disagree."
        => |row| row.of_decision(|each| Cell::text(&each.verdict));
    decided_by: "Who."
        => |row| row.of_decision(|each| Cell::text(&each.actor));
    decided_at: "When."
        => |row| row.of_decision(|each| Cell::Time(each.at));
    decision_reason: "Why."
        => |row| row.of_decision(|each| Cell::text(&each.reason));
    decision_expires: "Last day the decision holds."
        => |row| row.of_decision(|each| Cell::maybe(each.expires, |day| Cell::text(day.to_string())));
    decision_ticket: "Where it is tracked."
        => |row| row.of_decision(|each| Cell::maybe(each.ticket.as_deref(), Cell::text));
}

pub(super) fn environment(identity: &Identity) -> Cell<'_> {
    match identity.environment {
        crate::model::Environment::Unknown => Cell::Empty,
        known => Cell::text(known.as_str()),
    }
}

pub(super) fn consumer_class(class: crate::model::ConsumerClass) -> Cell<'static> {
    match class {
        crate::model::ConsumerClass::Unknown => Cell::Empty,
        known => Cell::text(known.as_str()),
    }
}

/// Rows sorted by severity, risk, account, identity, check, place and id; those that were fixed since the run before come
/// last.
pub(super) fn rows(report: &Report) -> Vec<Row<'_>> {
    let index = Index::new(report);
    let fixed = report.changes.iter().flat_map(|changes| &changes.fixed);
    let mut rows: Vec<_> = report
        .findings
        .iter()
        .chain(fixed)
        .map(|finding| {
            let credential = index.credential(finding.credential.as_ref());
            let of_credential = credential.and_then(|each| each.identity.as_ref());
            let identity = index.identity(finding.identity.as_ref().or(of_credential));
            let assessment = index.assessment_of(finding);
            Row {
                report,
                finding,
                identity,
                credential,
                consumers: index.consumers_for(credential, identity),
                assessment,
                plan: assessment.and_then(|each| index.plan_of(each)),
            }
        })
        .collect();
    rows.sort_by(|a, b| key(a).cmp(&key(b)));
    rows
}

fn key<'a>(row: &'a Row<'a>) -> impl Ord + 'a {
    let identity = row.identity;
    (
        row.finding.status == FindingStatus::Fixed,
        std::cmp::Reverse(row.finding.severity),
        std::cmp::Reverse(row.assessment.map(|each| each.risk.score)),
        identity.and_then(|each| each.account.as_deref()),
        identity.map(|each| each.native_id.as_str()),
        row.finding.rule.as_str(),
        row.place(),
        &row.finding.id,
    )
}

impl Emitter for FindingsCsv {
    fn emit(&self, report: &Report, out: &mut dyn Write) -> Result<(), ReportError> {
        write(&columns(), &rows(report), self.options, out)
    }
}
