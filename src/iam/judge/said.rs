//! What is said of a principal besides its tier: its grants, the limits of the judgement, what was missing.

use super::Judge;
use super::facts::{self, Facts};
use crate::iam::account::{Control, Source, Subject};
use crate::iam::expand::Effective;
use crate::iam::power;
use crate::model::{
    Coverage, CoverageStatus, Evidence, Grade, Grant, GrantId, Identity, Privilege,
};

impl Judge<'_> {
    /// Adds what the judgement rests on besides documents: assumptions and limits nobody has seen.
    pub(super) fn say_limits(
        subject: &Subject<'_>,
        partly_denied: bool,
        privilege: &mut Privilege,
    ) {
        for source in &subject.sources {
            if source.policy.is_none() {
                let tier = power::assumed_tier(&source.name);
                privilege.assumed = true;
                privilege.tier = privilege.tier.max(tier);
                privilege.admin |= tier == 5;
                privilege.evidence.push(Evidence::new(
                    Grade::D,
                    format!(
                        "{}: document not in the snapshot, privilege unknown; tier {tier} assumed from its name",
                        source.label
                    ),
                ));
            } else if source.published {
                privilege.evidence.push(Evidence::new(
                    Grade::B,
                    format!(
                        "{}: document not in the snapshot; AWS's published version was used",
                        source.label
                    ),
                ));
            }
        }
        for group in &subject.missing_groups {
            privilege.assumed = true;
            privilege.tier = privilege.tier.max(1);
            privilege.evidence.push(Evidence::new(
                Grade::D,
                format!("group `{group}` is not in the snapshot: what it gives is unknown"),
            ));
        }
        if let Some(boundary) = subject.boundary {
            let text = if subject.boundary_policy.is_some() {
                format!("limited by the permission boundary `{boundary}`")
            } else {
                format!(
                    "the permission boundary `{boundary}` is not in the snapshot: it may allow less than this"
                )
            };
            privilege.evidence.push(Evidence::new(Grade::A, text));
        }
        match &subject.control {
            Control::None => {}
            Control::Levels(_) => privilege.evidence.push(Evidence::new(
                Grade::A,
                "limited by the service control policies of the organization",
            )),
            Control::Missing => privilege.evidence.push(Evidence::new(
                Grade::A,
                "a service control policy of the organization is not in the snapshot: it may allow less than this",
            )),
        }
        if partly_denied {
            privilege.evidence.push(Evidence::new(
                Grade::A,
                "a deny takes part of this away, depending on the resource or on conditions",
            ));
        }
    }

    pub(super) fn grant(&self, subject: &Subject<'_>, source: &Source, limited: bool) -> Grant {
        let id = GrantId::of(&["aws", subject.arn, source.kind.as_str(), &source.native_id]);
        let identity = Identity::id_of("aws", subject.arn);
        let unread = Facts {
            actions: Vec::new(),
            actions_total: 0,
            resources: Vec::new(),
            conditions: Vec::new(),
            plain: None,
        };
        let account = &self.account.account_id;
        let own;
        let (facts, tier, evidence) = match &source.policy {
            None => {
                let tier = power::assumed_tier(&source.name);
                let text = format!(
                    "document not in the snapshot, privilege unknown; tier {tier} assumed from its name"
                );
                (&unread, tier, vec![Evidence::new(Grade::D, text)])
            }
            Some(policy) => {
                let facts = if let Some(known) = self.facts.get(&facts::place(policy)) {
                    known
                } else {
                    own = Facts::of(policy, account, self.tables, &self.court.masks);
                    &own
                };
                let (tier, reasons) = match &facts.plain {
                    Some((tier, reasons)) if !limited => (*tier, facts::named(source, reasons)),
                    _ => {
                        let effective =
                            Effective::of(&subject.holder(Some(source)), &self.tables.actions);
                        let power = self.measured(&effective);
                        (power.tier, power.reasons)
                    }
                };
                let grade = if source.published { Grade::B } else { Grade::A };
                let evidence = reasons
                    .into_iter()
                    .map(|reason| Evidence::new(grade, reason))
                    .collect();
                (facts, tier, evidence)
            }
        };
        Grant {
            id,
            identity,
            source: source.kind,
            name: source.name.clone(),
            native_id: source.native_id.clone(),
            actions: facts.actions.clone(),
            actions_total: facts.actions_total,
            resources: facts.resources.clone(),
            conditions: facts.conditions.clone(),
            tier,
            evidence,
            location: Some(source.location.clone()),
        }
    }

    pub(super) fn notices(&self, subject: &Subject<'_>) -> Vec<Coverage> {
        let mut out = Vec::new();
        let account = &self.account.account_id;
        let mut say = |unit: String, status: CoverageStatus, reason: String| {
            out.push(Coverage::new("aws-snapshot", unit, status, reason));
        };
        for source in &subject.sources {
            match (&source.policy, &source.managed) {
                (None, Some(arn)) => say(
                    format!("aws/{account}/{arn}"),
                    CoverageStatus::Absent,
                    "the policy's document is not in the snapshot: its privilege is assumed from its name; collect it \
                     with `aws iam get-policy-version`"
                        .to_owned(),
                ),
                (Some(_), Some(arn)) if source.published => say(
                    format!("aws/{account}/{arn}"),
                    CoverageStatus::Absent,
                    "the policy's document is not in the snapshot: AWS's published version was used".to_owned(),
                ),
                _ => {}
            }
            // What AWS writes is AWS's to correct.
            let own = source
                .managed
                .as_deref()
                .is_none_or(|arn| !arn.contains("::aws:policy/"));
            if let Some(policy) = &source.policy
                && own
            {
                for notice in &policy.notices {
                    let unit = source
                        .managed
                        .clone()
                        .unwrap_or_else(|| format!("{} {}", subject.arn, source.native_id));
                    say(
                        format!("aws/{account}/{unit}"),
                        CoverageStatus::Skipped,
                        notice.clone(),
                    );
                }
            }
        }
        if let (Some(boundary), None) = (subject.boundary, &subject.boundary_policy) {
            say(
                format!("aws/{account}/{boundary}"),
                CoverageStatus::Absent,
                "the permission boundary's document is not in the snapshot: privilege may be less than reported; \
                 collect it with `aws iam get-policy-version`"
                    .to_owned(),
            );
        }
        for group in &subject.missing_groups {
            say(
                format!("aws/{account}/group/{group}"),
                CoverageStatus::Absent,
                "the group is not in the snapshot: what it gives its members is unknown".to_owned(),
            );
        }
        out.sort();
        out.dedup();
        out
    }
}
