//! `inventory.csv`: one row an identity, every one of them: machines, people, and what only the provider can change.

use super::cells::{Cell, Column, SCHEMA_VERSION, columns, write};
use super::findings_csv::{consumer_class, environment};
use super::{Emitter, Index, Options, ReportError};
use crate::model::{
    Assessment, BreakGlass, ConditionCoverage, Consumer, Credential, CredentialStatus, Finding,
    Identity, PermissionUse, PlanItem, Report, evidence::days_between,
};
use std::io::Write;

/// Writes `inventory.csv`.
pub(super) struct InventoryCsv {
    pub(super) options: Options,
}

/// An identity with everything that belongs to it.
pub struct Row<'a> {
    report: &'a Report,
    identity: &'a Identity,
    credentials: Vec<&'a Credential>,
    consumers: Vec<&'a Consumer>,
    findings: &'a [&'a Finding],
    assessment: Option<&'a Assessment>,
    plan: Option<&'a PlanItem>,
}

impl Row<'_> {
    fn of_assessment(&self, cell: impl FnOnce(&Assessment) -> Cell<'_>) -> Cell<'_> {
        Cell::maybe(self.assessment, cell)
    }

    fn of_plan(&self, cell: impl FnOnce(&PlanItem) -> Cell<'_>) -> Cell<'_> {
        Cell::maybe(self.plan, cell)
    }

    fn of_use(&self, cell: impl FnOnce(&PermissionUse) -> Cell<'_>) -> Cell<'_> {
        Cell::maybe(self.identity.privilege.usage.as_ref(), cell)
    }

    fn of_trust(&self, answered: impl FnOnce(&ConditionCoverage) -> bool) -> Cell<'_> {
        if self.identity.trust.is_empty() {
            Cell::Empty
        } else {
            Cell::Truth(answered(&self.identity.condition_coverage()))
        }
    }

    fn age(&self, at: Option<jiff::Timestamp>) -> Cell<'_> {
        Cell::maybe(at, |at| Cell::Whole(days_between(at, self.report.run.now)))
    }
}

columns! {
    /// Every column, in order.
    columns:
    schema_version: "Version of these columns; columns are only added, at the end."
        => |_| Cell::Whole(SCHEMA_VERSION);
    identity_id: "Stable id."
        => |row| Cell::text(row.identity.id.as_str());
    provider: "`aws`, `kubernetes`, `github`, `gcp`, `azure`, `agent`, …"
        => |row| Cell::text(&row.identity.provider);
    identity_type: "`iam-user`, `iam-role`, `service-linked-role`, `ci-job`, `agent`, …"
        => |row| Cell::text(row.identity.kind.as_str());
    name: "Short name."
        => |row| Cell::text(&row.identity.name);
    native_id: "What the provider calls it, such as the ARN."
        => |row| Cell::text(&row.identity.native_id);
    account: "Account, project, cluster or repository."
        => |row| Cell::maybe(row.identity.account.as_deref(), Cell::text);
    environment: "`development`, `staging`, `production`; empty when unknown."
        => |row| environment(row.identity);
    human: "A person uses it to sign in."
        => |row| Cell::Truth(row.identity.human);
    human_evidence: "Why it is judged human or machine."
        => |row| Cell::maybe(row.identity.human_evidence.as_deref(), Cell::text);
    owner: "Owner."
        => |row| Cell::maybe(row.identity.owner.as_deref(), Cell::text);
    owner_source: "How the owner is known: `annotation`, `tag`, `codeowners`, `catalog`, `iac-author`, `creator`, `none`."
        => |row| Cell::text(row.identity.owner_source.as_str());
    purpose: "What it is for."
        => |row| Cell::maybe(row.identity.purpose.as_deref(), Cell::text);
    consumer_class: "Class of its consumers, the least bounded of them; empty when unknown."
        => |row| consumer_class(row.identity.consumer_class);
    consumers: "Names of what uses it."
        => |row| Cell::list(row.consumers.iter().map(|each| &each.name));
    tier: "Privilege, 0–5: none, metadata, one resource, service, escalation or secrets, administrator."
        => |row| Cell::Whole(row.identity.privilege.tier.into());
    admin: "Full control of the account, cluster or organisation."
        => |row| Cell::Truth(row.identity.privilege.admin);
    tier_assumed: "The tier is that of the type, not seen in grants."
        => |row| Cell::Truth(row.identity.privilege.assumed);
    jit_required: "It can write, administer, read secrets or reach other accounts: what must not stand for ever."
        => |row| Cell::Truth(row.identity.privilege.jit_required());
    write: "Can change resources."
        => |row| Cell::Truth(row.identity.privilege.write);
    permissions_management: "Can change permissions."
        => |row| Cell::Truth(row.identity.privilege.permissions_management);
    secret_read: "Can read secrets."
        => |row| Cell::Truth(row.identity.privilege.secret_read);
    cross_account: "Can become roles of other accounts."
        => |row| Cell::Truth(row.identity.privilege.cross_account);
    full_services: "Services with every action on every resource, where that changes anything; `*` for all."
        => |row| Cell::list(&row.identity.privilege.full_services);
    blanket_policies: "Blanket managed policies held."
        => |row| Cell::list(&row.identity.privilege.blanket_policies);
    escalation_paths: "Ways to higher privilege, by id."
        => |row| Cell::list(row.identity.privilege.escalation.iter().map(|path| &path.id));
    services_granted: "Number of services its grants reach."
        => |row| Cell::count(row.identity.privilege.services.len());
    services_used: "Number of them used in the tracking period; empty when nobody tells."
        => |row| Cell::maybe(row.identity.privilege.services_used, |count| Cell::Whole(count.into()));
    grants: "Number of grants."
        => |row| Cell::count(row.identity.grants.len());
    boundary: "Permission boundary."
        => |row| Cell::maybe(row.identity.boundary.as_deref(), Cell::text);
    trusts: "Number of ways to become it."
        => |row| Cell::count(row.identity.trust.len());
    external_trusts: "Number of them from outside every account of the scan."
        => |row| Cell::count(row.identity.trust.iter().filter(|path| path.external).count());
    condition_coverage: "How many of subject, origin, session and resource every way in covers, 0–4; empty without a trust."
        => |row| if row.identity.trust.is_empty() {
            Cell::Empty
        } else {
            Cell::Whole(row.identity.condition_coverage().count().into())
        };
    session_max: "Longest session it allows, in seconds."
        => |row| Cell::seconds(row.identity.max_session_seconds);
    credentials: "Number of credentials known."
        => |row| Cell::count(row.credentials.len());
    credentials_live: "Number of them not known to be inactive."
        => |row| Cell::count(
            row.credentials.iter().filter(|each| each.status != CredentialStatus::Inactive).count(),
        );
    credentials_seen: "Number of them whose secret lies in a file or commit that was scanned."
        => |row| Cell::count(row.credentials.iter().filter(|each| each.material_seen()).count());
    credential_ids: "Public ids of its credentials, else their report ids."
        => |row| Cell::list(
            row.credentials.iter().map(|each| each.public_id.as_deref().unwrap_or(each.id.as_str())),
        );
    oldest_credential_days: "Age of the oldest credential not known to be inactive, in days."
        => |row| row.age(
            row.credentials
                .iter()
                .filter(|each| each.status != CredentialStatus::Inactive)
                .filter_map(|each| each.created_at)
                .min(),
        );
    console_password: "It has a console password; empty when unknown."
        => |row| Cell::maybe(row.identity.console_password, Cell::Truth);
    mfa: "It has an MFA device; empty when unknown."
        => |row| Cell::maybe(row.identity.mfa, Cell::Truth);
    created_at: "When it was created."
        => |row| Cell::maybe(row.identity.created_at, Cell::Time);
    age_days: "Whole days from then to the time of the run."
        => |row| row.age(row.identity.created_at);
    last_used_at: "Last use; `never since <date>` where the provider tracked it and saw none; empty when unknown."
        => |row| Cell::last_use(row.identity.last_use);
    idle_days: "Whole days without use, only where telemetry proves it."
        => |row| Cell::maybe(row.identity.last_use.idle_days(row.report.run.now), Cell::Whole);
    break_glass: "Emergency access: `declared` or `suspected`."
        => |row| Cell::maybe(row.identity.break_glass, |each| Cell::text(match each {
            BreakGlass::Declared => "declared",
            BreakGlass::Suspected => "suspected",
        }));
    findings: "Number of findings about it and its credentials."
        => |row| Cell::count(row.findings.len());
    worst_severity: "Highest severity among them."
        => |row| Cell::maybe(
            row.findings.iter().map(|each| each.severity).max(),
            |severity| Cell::text(severity.as_str()),
        );
    risk: "Highest risk among its assessments, 0–100; the columns that follow are of that assessment."
        => |row| row.of_assessment(|each| Cell::Whole(each.risk.score.into()));
    band: "Band of the risk."
        => |row| row.of_assessment(|each| Cell::text(each.risk.band.as_str()));
    vector: "Risk vector."
        => |row| row.of_assessment(|each| Cell::text(&each.risk.vector));
    fit: "How well just-in-time access would fit, 0–100."
        => |row| row.of_assessment(|each| Cell::Whole(each.fit.score.into()));
    blockers: "What stands in the way."
        => |row| row.of_assessment(|each| Cell::list(each.blockers.iter().map(|blocker| &blocker.id)));
    disposition: "What to do."
        => |row| row.of_assessment(|each| Cell::text(each.disposition.as_str()));
    target_mechanism: "Id of the mechanism to move to."
        => |row| match (row.plan, row.assessment.and_then(|each| each.target.as_deref())) {
            (Some(plan), _) => Cell::text(&plan.mechanism),
            (None, target) => Cell::maybe(target, Cell::text),
        };
    ttl_recommended: "Lifetime proposed, in seconds."
        => |row| row.of_assessment(|each| Cell::seconds(each.ttl.seconds));
    wave: "Wave of the plan, from 1."
        => |row| row.of_plan(|each| Cell::Whole(each.wave.into()));
    risk_after: "Risk after the plan."
        => |row| row.of_assessment(|each| Cell::Whole(each.risk_after.score.into()));
    evidence_grade: "Strength of the evidence the identity rests on: A issuer, B declared, C reference, D heuristic."
        => |row| Cell::text(row.identity.grade.as_str());
    declared_at: "Where it is declared: `repository/path:line`."
        => |row| Cell::list(row.identity.locations.iter().map(crate::model::Location::display));
    tags: "Tags, labels and annotations as `key=value`."
        => |row| Cell::list(row.identity.tags.iter().map(|(key, value)| format!("{key}={value}")));
    policy_digest: "Digest of thresholds, weights and annotations the run was made with."
        => |row| Cell::text(&row.report.run.policy_digest);
    granted_actions: "Number of actions granted after denies and boundaries, where the provider records their use."
        => |row| row.of_use(|each| Cell::Whole(each.actions_granted.into()));
    used_actions: "Number of them used in the tracking period."
        => |row| row.of_use(|each| Cell::Whole(each.actions_used.into()));
    unused_actions: "Number of them not used in the tracking period."
        => |row| row.of_use(|each| Cell::Whole(each.actions_unused.into()));
    unknown_actions: "Number of them of whose use nobody keeps a record."
        => |row| row.of_use(|each| Cell::Whole(each.actions_unknown.into()));
    unused_share: "Unused in hundredths of those granted, what nobody records counted as used; empty when nothing is known."
        => |row| row.of_use(|each| Cell::maybe(each.unused_share(), |share| Cell::Whole(share.into())));
    unused_services: "Services granted and not used in the tracking period."
        => |row| row.of_use(|each| Cell::list(&each.services_unused));
    use_recorded_since: "From when on a use would have been recorded."
        => |row| row.of_use(|each| Cell::Time(each.since));
    smaller_policies: "Number of policy documents that would keep what is used; they are in `report.json`."
        => |row| row.of_use(|each| Cell::count(each.smaller.iter().map(|policy| policy.documents.len()).sum()));
    session_limit: "Longest session anybody can have, in seconds: an hour where only roles may become it."
        => |row| Cell::seconds(row.identity.session_limit());
    trust_until: "Every way in ends at a time; empty without a trust."
        => |row| row.of_trust(|each| each.time);
    trust_environment: "Every way in asks for an environment; empty without a trust."
        => |row| row.of_trust(|each| each.environment);
}

impl Emitter for InventoryCsv {
    fn emit(&self, report: &Report, out: &mut dyn Write) -> Result<(), ReportError> {
        let index = Index::new(report);
        let rows: Vec<_> = report
            .identities
            .iter()
            .map(|identity| {
                let assessment = index.assessments_of_identity(&identity.id).first().copied();
                Row {
                    report,
                    identity,
                    credentials: index.credentials_of(identity),
                    consumers: index.consumers(&identity.consumers),
                    findings: index.findings_of_identity(&identity.id),
                    assessment,
                    plan: assessment.and_then(|each| index.plan_of(each)),
                }
            })
            .collect();
        write(&columns(), &rows, self.options, out)
    }
}
