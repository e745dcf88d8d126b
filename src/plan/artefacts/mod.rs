//! Ready-to-apply artefacts of a plan item: policies, code, patches, manifests, requests, scripts and queries.
//!
//! Everything is made from the judged inventory and the item, so a stored report gives the same bytes as the scan it came
//! from. What nothing tells is a placeholder (`__NAME__`), listed at the top of the item's README. Policies are tried by the
//! evaluator before they are handed out, and what came out is told.

mod approval;
mod bench;
mod facts;
mod narrow;
mod negative;
mod patch;
mod policies;
mod rbac;
mod readme;
mod revoke;
mod scripts;
mod terraform;
mod text;
mod trust;
mod workload;

use super::PlanContext;
use crate::jit::id_of;
use crate::jit::subject::{Subject, subjects};
use crate::model::{Artefact, ArtefactKind, AssessmentId, Disposition, PlanItem};
use crate::rules::artefacts::Artefacts;
use crate::rules::aws::AwsTables;
use bench::Bench;
use facts::Facts;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// One file of an item, with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Name in the item's folder.
    pub path: String,
    /// What it is.
    pub kind: ArtefactKind,
    /// What it is for.
    pub description: String,
    /// Its text.
    pub text: String,
}

impl Made {
    fn new(
        path: impl Into<String>,
        kind: ArtefactKind,
        description: impl Into<String>,
        text: String,
    ) -> Self {
        Self {
            path: path.into(),
            kind,
            description: description.into(),
            text,
        }
    }

    /// As a plan lists it.
    pub fn listed(&self) -> Artefact {
        Artefact {
            path: self.path.clone(),
            kind: self.kind,
            description: self.description.clone(),
        }
    }
}

/// Makes the artefacts of the items of one plan.
pub struct Maker<'a> {
    context: PlanContext<'a>,
    subjects: BTreeMap<AssessmentId, Subject<'a>>,
    data: &'static Artefacts,
    tables: OnceLock<Option<AwsTables>>,
}

/// What is said of an item besides its files.
#[derive(Default)]
struct Remarks {
    /// Kinds that are not made, and why.
    missing: Vec<(String, String)>,
    /// What was taken for granted.
    assumed: Vec<String>,
    /// What to know of single files.
    notes: Vec<String>,
}

impl<'a> Maker<'a> {
    /// Looks up the subjects once; `None` when the data cannot be read.
    pub fn new(context: &PlanContext<'a>) -> Option<Self> {
        Some(Self {
            context: *context,
            subjects: subjects(context)
                .into_iter()
                .map(|subject| (id_of(&subject), subject))
                .collect(),
            data: Artefacts::builtin().ok()?,
            tables: OnceLock::new(),
        })
    }

    fn tables(&self) -> Option<&AwsTables> {
        self.tables
            .get_or_init(|| AwsTables::builtin().ok())
            .as_ref()
    }

    /// The files of one item, by name; none when its subject is not in the inventory.
    pub fn item(&self, item: &PlanItem) -> Vec<Made> {
        let Some(subject) = self.subjects.get(&item.assessment) else {
            return Vec::new();
        };
        let facts = Facts::of(&self.context, subject, item, self.data);
        let mut remarks = Remarks::default();
        remarks.assumed.extend(facts.assumed.iter().cloned());
        let mut made = Vec::new();
        let migrates = self.context.targets.get(&item.mechanism).is_some()
            && item.disposition != Disposition::Decommission;
        let mut checked = None;
        let mut proposed = None;
        let mut lost = Vec::new();
        if migrates {
            let trust = trust::documents(&facts);
            let mut policies = policies::documents(subject, item, &facts, self.data);
            let roles = trust.is_some() || facts.system == "aws" && policies.any();
            // Large, and of use for roles only.
            if let Some(tables) = roles.then(|| self.tables()).flatten() {
                let bench = Bench {
                    tables,
                    data: self.data,
                    facts: &facts,
                };
                let mut answers = bench.check(trust.as_ref(), &policies);
                // A boundary that would stop the work is not handed out.
                if answers.refuses_use() && policies.boundary.take().is_some() {
                    policies.missing.push((
                        "permissions boundary".to_owned(),
                        "the one made of what was used refused a part of it when it was tried"
                            .to_owned(),
                    ));
                    answers = bench.check(trust.as_ref(), &policies);
                }
                checked = Some(answers);
                if let Some(identity) = subject.identity {
                    lost = bench.lost(&identity.privilege, &policies);
                }
            }
            if let Some(trust) = &trust {
                made.extend(trust.files());
                made.extend(terraform::role(&facts, trust, &policies));
            } else {
                remarks.miss("trust policy", &trust::why_none(&facts));
            }
            made.extend(policies.files());
            remarks.missing.extend(policies.missing.iter().cloned());
            made.extend(rbac::manifest(&self.context, &facts));
            patch::files(&self.context, subject, &facts, &mut made, &mut remarks);
            workload::files(subject, &facts, &mut made, &mut remarks);
            proposed = Some(policies);
        }
        scripts::templates(&facts, self.data, migrates, &mut made);
        if !made.iter().any(|one| one.kind == ArtefactKind::Revocation) {
            made.push(revoke::file(&facts));
        }
        made.extend(
            proposed
                .as_ref()
                .and_then(|policies| narrow::file(subject, &facts, policies)),
        );
        made.push(negative::file(
            &facts,
            self.data,
            migrates,
            proposed.as_ref(),
            &lost,
        ));
        made.push(scripts::rollback(&facts));
        approval::files(item, &mut made);
        if let Some(checked) = &checked {
            made.push(checked.file());
        }
        if !made.iter().any(|one| one.kind == ArtefactKind::Terraform) && migrates {
            remarks.miss(
                "Terraform",
                "the mechanism is set up in the vendor's console, in a broker or in the workload's own declaration, not by resources of its own; the steps say how",
            );
        }
        if !made
            .iter()
            .any(|one| one.kind == ArtefactKind::MonitoringQuery)
        {
            remarks.miss(
                "monitoring query",
                "no query is known for this issuer: have its usage log or usage alerts watched for the old credential",
            );
        }
        if !made.iter().any(|one| one.kind == ArtefactKind::KillSwitch) {
            remarks.miss(
                "kill switch",
                "no command is known for this issuer: revoke.sh says what ends the access",
            );
        }
        made.push(readme::file(
            &facts,
            &made,
            &remarks,
            checked.as_ref(),
            self.data,
        ));
        made.sort_by(|a, b| a.path.cmp(&b.path));
        made
    }
}

impl Remarks {
    fn miss(&mut self, what: &str, why: &str) {
        self.missing.push((what.to_owned(), why.to_owned()));
    }
}
