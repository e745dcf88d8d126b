//! The steps of an item: one template for every move, in the order its disposition asks for.

use super::PlanContext;
use super::commands::Values;
use crate::jit::after::carried_out;
use crate::jit::subject::Subject;
use crate::model::{Assessment, Disposition, LastUse, PlanStep, Unfinished};
use crate::rules::targets::{Disabling, StepText, Target};

/// What the steps of one item are made from.
pub struct Steps<'s, 'a> {
    /// Inventory, rules and time.
    pub context: &'s PlanContext<'a>,
    /// What is moved.
    pub subject: &'s Subject<'a>,
    /// The judgement that is carried out.
    pub assessment: &'s Assessment,
    /// How its credential is switched off.
    pub disabling: Option<&'s Disabling>,
    /// Values of placeholders.
    pub values: &'s Values,
    /// What an earlier plan has left of it.
    pub unfinished: Option<&'s Unfinished>,
}

impl Steps<'_, '_> {
    /// The steps, numbered in the order in which they are taken.
    pub fn list(&self) -> Vec<PlanStep> {
        let mut steps = self.ordered();
        if let Some(unfinished) = self.unfinished {
            // What was done is not done again.
            if unfinished.new_way {
                steps.retain(|step| !matches!(step.number, 1..=4));
            }
            for (number, name) in [(2, "create"), (3, "grant"), (4, "switch")] {
                if unfinished.settled.iter().any(|done| done == name) {
                    steps.retain(|step| step.number != number);
                }
            }
            steps.insert(1.min(steps.len()), self.left(unfinished));
        }
        for (step, number) in steps.iter_mut().zip(1..) {
            step.number = number;
        }
        steps
    }

    fn ordered(&self) -> Vec<PlanStep> {
        let next = carried_out(self.assessment.disposition, self.assessment.follow_up);
        match self.assessment.disposition {
            Disposition::RevokeNow => self.leaked(next),
            Disposition::Decommission => {
                vec![
                    self.confirm(),
                    self.record(),
                    self.deactivate(),
                    self.negative(),
                    self.delete(),
                    self.close(),
                ]
            }
            Disposition::BreakGlassIsolate => {
                let mut steps = vec![self.confirm()];
                steps.extend(self.target_steps());
                steps.extend([self.negative(), self.close()]);
                steps
            }
            Disposition::MigrateNow | Disposition::PlanMigration => self.migration(),
            Disposition::Hybrid => self.hybrid(),
            Disposition::ShortenAndCompensate => self.shorten(),
            Disposition::SplitFirst => self.split(),
            Disposition::KeepStanding => self.keep(),
            Disposition::Review => self.review(),
        }
    }

    fn step(
        &self,
        number: u8,
        title: &str,
        detail: impl Into<String>,
        command: Option<&str>,
    ) -> PlanStep {
        PlanStep {
            number,
            title: title.to_owned(),
            detail: detail.into(),
            command: command.map(|command| self.values.command(command)),
        }
    }

    fn catalogue_step(&self, number: u8, title: &str, text: &StepText) -> PlanStep {
        let detail = self.values.text(&text.text);
        self.step(number, title, detail, text.command.as_deref())
    }

    fn target(&self) -> Option<&Target> {
        self.subject.choice.target
    }

    fn users(&self) -> String {
        let names: Vec<&str> = self
            .subject
            .consumers
            .iter()
            .take(10)
            .map(|consumer| consumer.name.as_str())
            .collect();
        if names.is_empty() {
            "no consumer was found".to_owned()
        } else {
            names.join(", ")
        }
    }

    fn left(&self, unfinished: &Unfinished) -> PlanStep {
        self.step(
            0,
            "See what is left",
            format!(
                "The plan of {} is not finished. Left of it: {}.",
                unfinished.planned_at.strftime("%Y-%m-%d"),
                unfinished.left.join("; ")
            ),
            None,
        )
    }

    fn confirm(&self) -> PlanStep {
        let owner = self
            .subject
            .owner
            .as_deref()
            .unwrap_or("nobody yet: name one");
        self.step(
            0,
            "Confirm owner, purpose and consumers",
            format!("Owner: {owner}. Consumers: {}. Whoever uses it and is not listed breaks when the old way is switched off.", self.users()),
            None,
        )
    }

    fn record(&self) -> PlanStep {
        let command = self.disabling.and_then(|entry| entry.last_used.as_deref());
        let known = match crate::jit::factors::last_use(self.subject) {
            LastUse::At(at) => format!("Last use: {}.", at.strftime("%Y-%m-%d")),
            LastUse::NeverSince(at) => format!("No use since {}.", at.strftime("%Y-%m-%d")),
            LastUse::Unknown => {
                "No last-used data was in the input: get it from the issuer's log.".to_owned()
            }
        };
        self.step(
            1,
            "Record what it does today",
            format!("{known} List the actions and resources of one full schedule period from the issuer's log; the new grant is made from that list."),
            command,
        )
    }

    fn target_steps(&self) -> Vec<PlanStep> {
        let Some(target) = self.target() else {
            return Vec::new();
        };
        vec![
            self.catalogue_step(2, "Create the new way beside the old one", &target.create),
            self.catalogue_step(3, "Grant the minimum", &target.grant),
            self.catalogue_step(4, "Switch one consumer at a time", &target.switch),
        ]
    }

    fn verify(&self) -> PlanStep {
        let command = self.disabling.and_then(|entry| entry.last_used.as_deref());
        let detail = if self.subject.credential.is_some() {
            "The consumer's next run succeeds, and the last use of the old credential stops moving."
        } else {
            "The consumer's next run succeeds, and no call is denied that the work needs."
        };
        self.step(5, "Verify", detail, command)
    }

    /// Quiet days: the setting, and never less than a month where a consumer runs once a month.
    fn quiet_days(&self) -> i64 {
        let monthly = self.subject.consumers.iter().any(|consumer| {
            consumer.schedule.as_deref().is_some_and(|cron| {
                cron.split_whitespace()
                    .nth(2)
                    .is_some_and(|day| day != "*" && day != "?")
            })
        });
        let days = self.context.scoring.thresholds.quiet_days;
        if monthly { days.max(32) } else { days }
    }

    fn deactivate(&self) -> PlanStep {
        let days = self.quiet_days();
        if self.subject.credential.is_none() && self.retires() {
            return self.step(
                6,
                "Take everything from it, keep it restorable",
                format!("Refuse it every call, keep its policies and trust on file, wait {days} days, at least one full schedule period, and watch for denied calls."),
                retiring(self.subject.kind()).map(|(off, _)| off),
            );
        }
        if self.subject.credential.is_none() {
            return self.step(
                6,
                "Take the old way off, keep it restorable",
                format!("Keep the old trust and policies on file, apply the new ones, and wait {days} days, at least one full schedule period."),
                None,
            );
        }
        let entry = self.disabling;
        let detail = match entry.and_then(|entry| entry.deactivate.as_ref()) {
            Some(_) => format!(
                "Deactivate, do not delete. Wait {days} days, at least one full schedule period, and watch for denied calls."
            ),
            None => format!(
                "The issuer cannot deactivate it: take it out of every store first, wait {days} days, and watch for calls with it before it is deleted."
            ),
        };
        self.step(
            6,
            "Deactivate and wait",
            detail,
            entry.and_then(|entry| entry.deactivate.as_deref()),
        )
    }

    fn retires(&self) -> bool {
        self.assessment.disposition == Disposition::Decommission
    }

    fn negative(&self) -> PlanStep {
        self.step(
            7,
            "Prove that it no longer works",
            self.negative_text(),
            None,
        )
    }

    /// What is there today goes on: only what is renewed, too wide or out of place goes.
    fn keeps(&self) -> bool {
        self.assessment.disposition != Disposition::RevokeNow && self.subject.keeps_credential()
    }

    fn old_must_fail(&self) -> Option<String> {
        if self.keeps() {
            return None;
        }
        self.disabling.map(|entry| self.values.text(&entry.test))
    }

    fn new_must_fail(&self) -> Option<String> {
        let gone =
            self.assessment.disposition == Disposition::Decommission || self.subject.root_key();
        // A target that this item does not carry out has no bounds to try.
        let applies = super::item::applies(self.assessment) || self.subject.root_key();
        self.target()
            .filter(|_| !gone && applies)
            .map(|target| self.values.text(&target.negative_test))
    }

    /// What must fail: the old credential, and the new way out of bounds.
    pub fn negative_text(&self) -> String {
        match (self.old_must_fail(), self.new_must_fail()) {
            (Some(old), Some(new)) => format!("{old} {new}"),
            (Some(text), None) | (None, Some(text)) => text,
            (None, None) if self.retires() => {
                "Refused every call first, it must not be found once it is deleted.".to_owned()
            }
            (None, None) => "A call with the old access must be refused.".to_owned(),
        }
    }

    fn delete(&self) -> PlanStep {
        if self.subject.credential.is_none() && self.retires() {
            return self.step(
                8,
                "Delete it",
                "Delete the identity with its policies, its memberships and every binding that names it.",
                retiring(self.subject.kind()).map(|(_, delete)| delete),
            );
        }
        let Some(credential) = self.subject.credential else {
            return self.step(
                8,
                "Delete what is left of the old way",
                "Delete the replaced policies and trust statements: where the item's folder has narrow.sh, it takes every policy off the role that is not one of the new ones.",
                None,
            );
        };
        let entry = self.disabling;
        let mut places: Vec<String> = credential
            .sightings
            .iter()
            .filter(|sighting| sighting.at_head)
            .map(|sighting| sighting.location().display())
            .collect();
        places.extend(credential.reference.clone());
        places.dedup();
        let total = places.len();
        places.truncate(5);
        let copies = match total {
            0 => "No stored copy is known at head.".to_owned(),
            n if n > 5 => format!("Stored copies: {} and {} more.", places.join(", "), n - 5),
            _ => format!("Stored copies: {}.", places.join(", ")),
        };
        let how = entry.and_then(|entry| entry.delete.as_deref()).map_or_else(
            || "Delete it at the issuer.".to_owned(),
            |text| self.values.text(text),
        );
        self.step(
            8,
            "Delete it and every stored copy",
            format!(
                "{how} {copies} Rewrite git history only now, after the credential no longer works."
            ),
            entry.and_then(|entry| entry.delete_command.as_deref()),
        )
    }

    fn close(&self) -> PlanStep {
        let done = self
            .target()
            .map_or("The access is gone from the inventory.", |target| {
                &target.detect_done
            });
        self.step(
            9,
            "Close",
            format!(
                "Scan again. Done when: {} Log the decision.",
                self.values.text(done)
            ),
            None,
        )
    }

    fn migration(&self) -> Vec<PlanStep> {
        let mut steps = vec![self.confirm(), self.record()];
        steps.extend(self.target_steps());
        steps.extend([
            self.verify(),
            self.deactivate(),
            self.negative(),
            self.delete(),
            self.close(),
        ]);
        steps
    }

    fn hybrid(&self) -> Vec<PlanStep> {
        let mut steps = self.migration();
        let split = "Make two permission sets: a baseline of reads that the stable identity keeps, and an elevated set with the privileged verbs that is requested for one task at a time, whenever the work crosses into a privileged interface, payments or production. ";
        let sets = super::permissions::sets(self.context, self.subject).map(|sets| {
            let named = |lines: &[crate::model::PermissionLine]| {
                let actions: Vec<&str> = lines
                    .iter()
                    .flat_map(|line| line.actions.iter().map(String::as_str))
                    .collect();
                match actions.len() {
                    0 => "nothing".to_owned(),
                    n if n > 8 => {
                        let first: Vec<&str> = actions.into_iter().take(8).collect();
                        format!("{} and {} more", first.join(", "), n - 8)
                    }
                    _ => actions.join(", "),
                }
            };
            format!(
                "By {}: baseline {}; elevated {}. ",
                sets.source,
                named(&sets.baseline),
                named(&sets.elevated)
            )
        });
        for step in &mut steps {
            if step.number == 3 {
                step.detail
                    .insert_str(0, sets.as_deref().unwrap_or_default());
                step.detail.insert_str(0, split);
            }
        }
        steps
    }

    fn leaked(&self, next: Disposition) -> Vec<PlanStep> {
        let since = self
            .subject
            .credential
            .and_then(|credential| {
                credential
                    .sightings
                    .iter()
                    .filter_map(|s| s.first_seen)
                    .min()
            })
            .map_or_else(
                || "its creation".to_owned(),
                |at| at.strftime("%Y-%m-%d").to_string(),
            );
        let entry = self.disabling;
        let off = entry.and_then(|entry| {
            entry
                .deactivate
                .as_deref()
                .or(entry.delete_command.as_deref())
        });
        let how = match entry {
            Some(entry) if entry.deactivate.is_none() => {
                let text = entry.delete.as_deref().unwrap_or_default();
                self.values.text(text)
            }
            _ => String::new(),
        };
        let revoke = self.step(
            6,
            "Switch it off now",
            format!(
                "Assume that it is in other hands. Consumers that stop: {}. {how}",
                self.users()
            )
            .trim_end()
            .to_owned(),
            off,
        );
        let abuse = self.step(
            1,
            "Look for use by others",
            format!("Read the issuer's log from {since} on: unknown addresses, unusual actions, new principals and keys. End sessions made with it."),
            entry.and_then(|entry| entry.last_used.as_deref()),
        );
        // The new way is tried out of bounds once there is one.
        let dead = self
            .old_must_fail()
            .unwrap_or_else(|| "A call with it must be refused.".to_owned());
        let mut steps = vec![
            revoke,
            self.step(7, "Prove that it no longer works", dead, None),
            abuse,
            self.confirm(),
            self.delete(),
        ];
        match next {
            Disposition::MigrateNow | Disposition::PlanMigration | Disposition::Hybrid => {
                steps.extend(self.target_steps());
                steps.push(self.verify());
                if let Some(text) = self.new_must_fail() {
                    steps.push(self.step(7, "Prove that the new way ends", text, None));
                }
            }
            _ if self.subject.root_key() => {}
            _ => steps.push(self.step(
                4,
                "Replace it only where a consumer needs it",
                "Give each consumer that asks a new credential of its own from a secrets manager, with the least scope and an expiry; never the same one for two.",
                None,
            )),
        }
        steps.push(self.close());
        steps
    }

    fn shorten(&self) -> Vec<PlanStep> {
        let mut steps = vec![self.confirm(), self.record()];
        steps.extend(self.shared());
        steps.extend(self.target_steps());
        if self.keeps()
            && let [.., create, grant, switch] = steps.as_mut_slice()
        {
            "Keep it where nobody reads it by chance".clone_into(&mut create.title);
            "Narrow it".clone_into(&mut grant.title);
            "Renew it".clone_into(&mut switch.title);
        }
        let lasts = self.assessment.exposure_window.after.clone();
        steps.push(self.step(
            5,
            "Shorten and watch",
            if self.subject.credential.is_some() {
                format!("Renew it on a schedule (at most every {lasts}), alert on use from unknown addresses and at unknown hours, and allow it from known networks only.")
            } else {
                format!("Limit its sessions ({lasts}), alert on use from unknown addresses and at unknown hours, and allow it from known networks only.")
            },
            None,
        ));
        if self.keeps() {
            steps.push(self.step(
                7,
                "Rehearse the fallback",
                format!(
                    "Whoever is on call ends a key within minutes by revoke.sh: try it on the one that the first renewal leaves behind, never on the one in use. {}",
                    self.negative_text()
                ),
                None,
            ));
        } else {
            steps.push(self.deactivate());
            steps.push(self.step(
                7,
                "Rehearse the fallback",
                format!(
                    "Revoke it once by the command of this item, on purpose and within minutes. {}",
                    self.negative_text()
                ),
                None,
            ));
        }
        let instead = if self.keeps() {
            let reason = &self.assessment.target_reason;
            let once = reason.strip_prefix("it stays for now; once");
            let when = reason.split_once("; when that changes:");
            match (once, when) {
                (Some(then), _) => format!(" Once{then}."),
                (None, Some((_, then))) => format!(" When that changes:{then}."),
                (None, None) => String::new(),
            }
        } else {
            String::new()
        };
        steps.push(self.step(
            9,
            "Close",
            format!("Judge again before the exception runs out: what stands in the way may be gone by then.{instead}"),
            None,
        ));
        steps
    }

    /// Whoever shares an administrator gets an access of their own before anything else is of use.
    fn shared(&self) -> Option<PlanStep> {
        let found = self.assessment.blockers.iter();
        let shared = found.clone().find(|one| one.id == "shared_admin")?;
        Some(self.step(
            2,
            "Give each who shares it an access of their own",
            format!("{}: people by single sign-on, machines by an identity each. Only then does its log say who did something, and only then can it be narrowed.", shared.evidence.text),
            None,
        ))
    }

    fn split(&self) -> Vec<PlanStep> {
        let paths: Vec<String> = self.subject.paths().into_iter().take(10).collect();
        vec![
            self.confirm(),
            self.record(),
            self.step(
                2,
                "One access for each path",
                format!("Create one identity each for: {}.", paths.join("; ")),
                None,
            ),
            self.step(
                3,
                "Grant the minimum",
                "Give each identity what its own path uses, not what all of them use together.",
                None,
            ),
            self.step(
                4,
                "Switch one path at a time",
                "Start with the least critical path. The shared access ends once the last path has its own, and not before.",
                None,
            ),
            self.verify(),
            self.deactivate(),
            self.negative(),
            self.delete(),
            self.step(
                9,
                "Close",
                "Scan again: each path is then judged by itself, and most of them can migrate.",
                None,
            ),
        ]
    }

    fn keep(&self) -> Vec<PlanStep> {
        let days = self.context.scoring.thresholds.rotation_days;
        let shorten = if self.subject.credential.is_some() {
            format!(
                "Set an expiry, or renew it at least every {days} days, from a secrets manager."
            )
        } else {
            "Limit its sessions to 1 h.".to_owned()
        };
        let command = match self.subject.credential {
            Some(_) => self.disabling.and_then(|entry| entry.last_used.as_deref()),
            None if self.subject.kind() == "iam-role" => {
                Some("aws iam update-role --role-name {role} --max-session-duration 3600")
            }
            None => None,
        };
        vec![
            self.confirm(),
            self.step(3, "Scope", "Remove every permission it was not seen using, and name the resources of the rest.", None),
            self.step(6, "Shorten", shorten, command),
            self.step(9, "Review before the exception runs out", "Keep it only if it still reads only, reaches nothing sensitive, serves one consumer and has an owner.", None),
        ]
    }

    fn review(&self) -> Vec<PlanStep> {
        let missing: Vec<String> = self
            .assessment
            .blockers
            .iter()
            .map(|blocker| blocker.evidence.text.clone())
            .collect();
        let why = if missing.is_empty() {
            "Too little is known to decide.".to_owned()
        } else {
            missing.join(". ") + "."
        };
        vec![
            self.confirm(),
            self.record(),
            self.step(
                9,
                "Declare what was found and scan again",
                format!("{why} Put owner, purpose and consumer into overstay.toml or into tags; if nobody claims it, switch it off, wait, and remove it."),
                None,
            ),
        ]
    }
}

/// How an identity is switched off and deleted, by its kind.
pub(super) fn retiring(kind: &str) -> Option<(&'static str, &'static str)> {
    match kind {
        "iam-user" => Some((
            "aws iam put-user-permissions-boundary --user-name {user} --permissions-boundary arn:aws:iam::aws:policy/AWSDenyAll",
            "aws iam delete-user --user-name {user}",
        )),
        "iam-role" => Some((
            "aws iam put-role-permissions-boundary --role-name {role} --permissions-boundary arn:aws:iam::aws:policy/AWSDenyAll",
            "aws iam delete-role --role-name {role}",
        )),
        "gcp-service-account" => Some((
            "gcloud iam service-accounts disable {service_account_email}",
            "gcloud iam service-accounts delete {service_account_email}",
        )),
        "azure-service-principal" => Some((
            "az ad sp update --id {name} --set accountEnabled=false",
            "az ad sp delete --id {name}",
        )),
        "kubernetes-service-account" => Some((
            "kubectl patch serviceaccount {service_account} --namespace {namespace} -p '{\"automountServiceAccountToken\":false}'",
            "kubectl delete serviceaccount {service_account} --namespace {namespace}",
        )),
        _ => None,
    }
}
