//! Ready-to-apply artefacts of a plan item: policies, code, patches, manifests, requests, scripts and queries.
//!
//! Everything is made from the judged inventory and the item, so a stored report gives the same bytes as the scan it came
//! from. What nothing tells is a placeholder (`__NAME__`), listed at the top of the item's README. Policies are tried by the
//! evaluator before they are handed out, and what came out is told.

mod approval;
mod bench;
mod facts;
mod keep;
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
        let planned = self
            .context
            .targets
            .get(&item.mechanism)
            .map(|target| subject.clone().with(target, ""));
        let subject = planned.as_ref().unwrap_or(subject);
        let facts = Facts::of(&self.context, subject, item, self.data);
        let mut remarks = Remarks::default();
        remarks.assumed.extend(facts.assumed.iter().cloned());
        let mut made = Vec::new();
        // What an earlier plan set up is not set up again.
        let there = item.unfinished.as_ref().is_some_and(|left| left.new_way);
        let migrates = !there
            && self.context.targets.get(&item.mechanism).is_some()
            && item.disposition != Disposition::Decommission;
        let mut checked = None;
        let mut proposed = None;
        let mut lost = Vec::new();
        if migrates {
            let trust = trust::documents(&facts);
            let mut policies = policies::documents(subject, item, &facts, self.data);
            if facts.keeps_credential {
                // A key signs its calls itself: no session is asked for.
                policies.session = None;
                policies
                    .missing
                    .retain(|(what, _)| what != "session policy");
            }
            let roles = trust.is_some() || facts.system == "aws" && policies.any();
            // Large, and of use for roles only.
            if let Some(tables) = roles.then(|| self.tables()).flatten() {
                let bench = Bench {
                    tables,
                    data: self.data,
                    facts: &facts,
                };
                checked = Some(tried(&bench, trust.as_ref(), &mut policies));
                if let Some(identity) = subject.identity {
                    lost = bench.lost(&identity.privilege, &policies);
                }
            }
            if let Some(trust) = &trust {
                made.extend(trust.files());
                made.extend(terraform::role(&facts, trust, &policies));
            } else if !facts.keeps_credential {
                remarks.miss("trust policy", &trust::why_none(&facts));
            }
            made.extend(policies.files());
            remarks.missing.extend(policies.missing.iter().cloned());
            remarks.notes.extend(policies.notes.iter().cloned());
            if facts.keeps_credential {
                made.extend(keep::boundary(subject, &facts, &mut remarks));
            } else {
                made.extend(rbac::manifest(&self.context, &facts));
                patch::files(&self.context, subject, &facts, &mut made, &mut remarks);
                workload::files(subject, &facts, &mut made, &mut remarks);
            }
            proposed = Some(policies);
        }
        scripts::templates(&facts, self.data, migrates, &mut made);
        if !made.iter().any(|one| one.kind == ArtefactKind::Revocation) {
            made.push(revoke::file(&facts));
        }
        made.extend(proposed.as_ref().and_then(|policies| {
            if facts.keeps_credential {
                keep::narrow(subject, &facts, policies)
            } else {
                narrow::file(subject, &facts, policies)
            }
        }));
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
        if there {
            remarks.miss(
                "trust policy, permission policies, Terraform and patches",
                "the new way is there: what is left is to end the old one",
            );
        } else if facts.keeps_credential {
            remarks.miss(
                "trust policy, Terraform and pipeline patch",
                "the access stays with who has it, and no consumer moves",
            );
        } else if !made.iter().any(|one| one.kind == ArtefactKind::Terraform) && migrates {
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

/// The policies as they came out when they were tried. A boundary that would stop the work is not handed out.
fn tried(
    bench: &Bench<'_>,
    trust: Option<&trust::Documents>,
    policies: &mut policies::Documents,
) -> bench::Checked {
    let answers = bench.check(trust, policies);
    if !answers.refuses_use() || policies.boundary.take().is_none() {
        return answers;
    }
    policies.missing.push((
        "permissions boundary".to_owned(),
        "the one made of what was used refused a part of it when it was tried".to_owned(),
    ));
    bench.check(trust, policies)
}

impl Remarks {
    fn miss(&mut self, what: &str, why: &str) {
        self.missing.push((what.to_owned(), why.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jit::fixtures::{World, access_key, consumer, logged, seen, user, with_privilege};
    use crate::model::{ConsumerClass, Rhythm, Storage};

    /// The files of a nightly job, made with this data.
    fn nightly(data: &'static Artefacts) -> Vec<Made> {
        let mut world = World::new("");
        let worker = with_privilege(user("nightly"), 3, true);
        let mut key = access_key(&worker);
        key.storage = Storage::CiStore;
        let mut job = consumer(
            "nightly.yml/export",
            ConsumerClass::Ci,
            "github-actions",
            "site",
        );
        job.uses.credentials = vec![key.id.clone()];
        world.add_consumer(job);
        world.add_identity(worker.clone());
        world.add_credential(key.clone());
        logged(
            &mut world,
            seen(&worker, Some(&key), Rhythm::CronLike, [600, 900, 1200]),
        );
        let item = world.plan().remove(0);
        let context = world.context();
        let mut maker = Maker::new(&context).unwrap();
        maker.data = data;
        maker.item(&item)
    }

    #[test]
    fn a_boundary_that_would_stop_the_work_is_not_handed_out() {
        let has = |made: &[Made]| {
            made.iter()
                .any(|one| one.path == "permissions-boundary.json")
        };
        let text = |made: &[Made], path: &str| {
            let found = made.iter().find(|one| one.path == path);
            found.map(|one| one.text.clone()).unwrap()
        };
        let right = nightly(Artefacts::builtin().unwrap());
        assert!(has(&right));
        // Data that forbids by pattern what was used.
        let mut data = Artefacts::builtin().unwrap().clone();
        data.boundary.never.push("s3:*".into());
        let wrong = nightly(Box::leak(Box::new(data)));
        assert!(!has(&wrong));
        let readme = text(&wrong, "README.md");
        assert!(
            readme.contains("refused a part of it when it was tried"),
            "{readme}"
        );
        assert!(!readme.contains("AND NOT EVERY ANSWER"), "{readme}");
        assert!(!text(&wrong, "main.tf").contains("permissions_boundary"));
        assert!(text(&wrong, "validation.json").contains("\"passed\": true"));
    }
}
