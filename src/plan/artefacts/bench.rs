//! Proposed policies tried by the evaluator: what was used is allowed, nothing else is, and who must be refused is.

use super::Made;
use super::facts::Facts;
use super::policies::Documents as Policies;
use super::text::tame;
use super::trust::{Documents as Trust, Right, is_principal, named_principals, pretty};
use crate::iam::caller::Caller;
use crate::iam::compile::CompiledPolicy;
use crate::iam::context::Context;
use crate::iam::decide::Answer;
use crate::iam::policy::{Effect, Policy};
use crate::iam::world::{GivenPolicies, Question, World};
use crate::model::aws::{AwsAccount, AwsInlinePolicy, AwsParts, AwsPolicy, AwsRole};
use crate::model::{ArtefactKind, LastUse, Location, Privilege};
use crate::rules::artefacts::Artefacts;
use crate::rules::aws::{AccessLevel, AwsTables};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Stand in for accounts that are not known.
const ACCOUNT: &str = "000000000000";
const VENDOR: &str = "arn:aws:iam::999999999999:role/vendor";
const ROLE: &str = "proposed";
const BOUNDARY: &str = "boundary";

/// What policies are tried with.
pub(super) struct Bench<'b> {
    pub(super) tables: &'b AwsTables,
    pub(super) data: &'b Artefacts,
    pub(super) facts: &'b Facts<'b>,
}

/// One question and its answer.
#[derive(Clone, Serialize)]
pub(super) struct Tried {
    /// What was asked.
    pub(super) what: String,
    /// `allowed` or `denied`; `valid` of what AWS must be able to read.
    expected: &'static str,
    /// Of the evaluator.
    answer: &'static str,
    /// The answer is the expected one; an allow may depend on other policies.
    pub(super) passed: bool,
}

/// All questions of one item.
#[derive(Serialize)]
pub(super) struct Checked {
    /// Every answer was the expected one.
    pub(super) passed: bool,
    /// Actions that the proposed policies allow.
    pub(super) actions_allowed: usize,
    /// Actions that were used.
    pub(super) actions_used: usize,
    /// What was asked.
    pub(super) tried: Vec<Tried>,
    /// Lengths as AWS counts them, and their limits.
    pub(super) sizes: BTreeMap<String, (usize, usize)>,
}

impl Bench<'_> {
    /// Tries everything there is.
    pub(super) fn check(&self, trust: Option<&Trust>, policies: &Policies) -> Checked {
        let mut tried = Vec::new();
        let mut sizes = BTreeMap::new();
        if let Some(trust) = trust {
            self.trust(trust, &mut tried);
            for (name, _, document) in &trust.forms {
                sizes.insert(Trust::path(name), (document.to_string().len(), 2_048));
            }
        }
        let mut allowed = BTreeSet::new();
        for permission in &policies.permissions {
            allowed.extend(self.allowed(&permission.documents));
            for (path, document) in permission.paths().into_iter().zip(&permission.documents) {
                sizes.insert(path, (document.to_string().len(), 6_144));
            }
        }
        self.permissions(policies, &allowed, &mut tried);
        let documents = [
            ("permissions-boundary.json", &policies.boundary, 6_144),
            ("session-policy.json", &policies.session, 2_048),
        ];
        for (path, document, limit) in documents {
            if let Some(document) = document {
                sizes.insert(path.to_owned(), (document.to_string().len(), limit));
            }
        }
        let fit = sizes.values().all(|(size, limit)| size <= limit);
        Checked {
            passed: fit && tried.iter().all(|one| one.passed),
            actions_allowed: allowed.len(),
            actions_used: policies.used.len(),
            tried,
            sizes,
        }
    }

    /// Placeholders that the evaluator reads as names stand for names that nothing else has.
    fn known(text: &str) -> String {
        text.replace("__ACCOUNT__", ACCOUNT)
            .replace(
                "__CALLER_ARN__",
                &format!("arn:aws:iam::{ACCOUNT}:role/caller"),
            )
            .replace("__VENDOR_ARN__", VENDOR)
            .replace("__SERVICE__", "ec2.amazonaws.com")
    }

    fn value(document: &Value) -> Value {
        serde_json::from_str(&Self::known(&document.to_string())).unwrap_or(Value::Null)
    }

    fn account(&self) -> String {
        let known = self.facts.values.get("account");
        known.map_or_else(|| ACCOUNT.to_owned(), Clone::clone)
    }

    /// The account with the proposed role and nothing else.
    fn world(&self, trust: &Value, inline: Vec<Value>, boundary: Option<&Value>) -> AwsAccount {
        let account = self.account();
        let place = Location::file("plan", "artefacts", 1, 1);
        let arn = format!("arn:aws:iam::{account}:policy/{BOUNDARY}");
        AwsAccount {
            account_id: account.clone(),
            parts: AwsParts {
                authorization_details: true,
                ..AwsParts::default()
            },
            policies: boundary
                .map(|document| AwsPolicy {
                    name: BOUNDARY.to_owned(),
                    arn: arn.clone(),
                    document: Self::value(document),
                    versions: 1,
                    updated_at: None,
                    others: Vec::new(),
                    location: place.clone(),
                })
                .into_iter()
                .collect(),
            roles: vec![AwsRole {
                name: ROLE.to_owned(),
                path: "/".to_owned(),
                arn: format!("arn:aws:iam::{account}:role/{ROLE}"),
                unique_id: "AROAPROPOSED".to_owned(),
                description: None,
                created_at: None,
                trust: Self::value(trust),
                inline: inline
                    .into_iter()
                    .enumerate()
                    .map(|(number, document)| AwsInlinePolicy {
                        name: format!("permissions-{number}"),
                        document: Self::value(&document),
                    })
                    .collect(),
                attached: Vec::new(),
                boundary: boundary.map(|_| arn),
                max_session_seconds: None,
                last_use: LastUse::Unknown,
                instance_profiles: Vec::new(),
                tags: BTreeMap::new(),
                services: None,
                location: place,
            }],
            ..AwsAccount::default()
        }
    }

    fn trust(&self, trust: &Trust, tried: &mut Vec<Tried>) {
        for ((name, _, document), rights) in trust.forms.iter().zip(&trust.rights) {
            let form = if name.is_empty() {
                "trust".to_owned()
            } else {
                format!("trust ({name})")
            };
            self.form(trust, (&form, document), rights, tried);
        }
    }

    /// Tries one form of a trust.
    fn form(
        &self,
        trust: &Trust,
        (form, document): (&str, &Value),
        rights: &[Right],
        tried: &mut Vec<Tried>,
    ) {
        let known = Self::value(document);
        let principals = named_principals(&known);
        // The evaluator compares names; AWS takes a trust only whose principals are written as they must be.
        if !principals.is_empty() {
            let distinct: BTreeSet<&&str> = principals.iter().collect();
            let wrong = principals.iter().find(|principal| !is_principal(principal));
            let (what, passed) = match wrong {
                Some(wrong) => (format!("{form}: {} is a principal", tame(wrong)), false),
                None => (
                    format!("{form}: every principal is an ARN or an account, and named once"),
                    distinct.len() == principals.len(),
                ),
            };
            tried.push(Tried {
                what,
                expected: "valid",
                answer: if passed { "valid" } else { "invalid" },
                passed,
            });
        }
        let accounts = [self.world(document, Vec::new(), None)];
        let world = World::new(&accounts, self.tables);
        let role = format!("arn:aws:iam::{}:role/{ROLE}", self.account());
        let Some(first) = rights.first() else {
            return;
        };
        let mut ask =
            |what: &str, principal: &str, keys: &BTreeMap<String, String>, right: bool| {
                let mut context = Context::of_request();
                for (key, value) in keys {
                    if value.is_empty() {
                        context.set_absent(key);
                    } else {
                        context.set(&Self::known(key), Self::known(value));
                    }
                }
                let Some(caller) = Caller::parse(&Self::known(principal)) else {
                    return;
                };
                let given = GivenPolicies::default();
                let answer = world.ask(
                    &caller,
                    &Question {
                        action: &first.action,
                        resource: &role,
                        account: None,
                        context: &context,
                        given: &given,
                    },
                );
                tried.push(one(format!("{form}: {what}"), right, answer.answer));
            };
        for (at, right) in rights.iter().enumerate() {
            let what = match at {
                0 => "the task itself gets in".to_owned(),
                more => format!("the task itself gets in, case {}", more + 1),
            };
            ask(&what, &right.principal, &right.keys, true);
        }
        for wrong in &trust.refuse {
            // A form with keys of its own is not asked about those of another.
            let told = wrong.keys.keys().all(|key| first.keys.contains_key(key));
            if !told && wrong.principal.is_none() {
                continue;
            }
            let mut keys = first.keys.clone();
            keys.extend(wrong.keys.clone());
            // What one form refuses may be what another is for.
            if wrong.principal.is_none() && rights.iter().any(|right| right.keys == keys) {
                continue;
            }
            let principal = wrong.principal.as_deref().unwrap_or(&first.principal);
            ask(&wrong.what, principal, &keys, false);
        }
    }

    /// Actions that today's policies allow on everything and the proposed ones do not: of each service in use one that
    /// changes something.
    pub(super) fn lost(&self, privilege: &Privilege, policies: &Policies) -> Vec<String> {
        let full = |service: &str| {
            let named = &privilege.full_services;
            named.iter().any(|one| one == "*" || one == service)
        };
        let mut granted: BTreeSet<String> = policies.granted().map(str::to_owned).collect();
        for permission in &policies.permissions {
            granted.extend(self.allowed(&permission.documents));
        }
        let granted: BTreeSet<String> = granted
            .iter()
            .map(|action| action.to_ascii_lowercase())
            .collect();
        let services: BTreeSet<&str> = granted
            .iter()
            .filter_map(|action| Some(action.split_once(':')?.0))
            .filter(|service| full(service))
            .collect();
        let table = &self.tables.actions;
        let changes = table.level(AccessLevel::Write);
        services
            .into_iter()
            .take(5)
            .filter_map(|service| {
                let mut names = table
                    .service(service)?
                    .clone()
                    .filter(|at| changes.contains(*at))
                    .filter_map(|at| table.name_of(at))
                    .filter(|name| !granted.contains(&name.to_ascii_lowercase()));
                let first = names.next()?;
                Some(if first.contains(":Delete") {
                    first
                } else {
                    names.find(|name| name.contains(":Delete")).unwrap_or(first)
                })
            })
            .collect()
    }

    /// Actions that documents allow, by name.
    fn allowed(&self, documents: &[Value]) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for document in documents {
            let policy = CompiledPolicy::new(Policy::parse(document), &self.tables.actions);
            for statement in policy.statements {
                if statement.effect == Effect::Allow {
                    let known = statement.actions.iter();
                    names.extend(known.filter_map(|at| self.tables.actions.name_of(at)));
                    names.extend(statement.unknown);
                }
            }
        }
        names
    }

    fn permissions(&self, policies: &Policies, allowed: &BTreeSet<String>, tried: &mut Vec<Tried>) {
        if policies.permissions.is_empty() {
            return;
        }
        let documents: Vec<Value> = policies
            .permissions
            .iter()
            .flat_map(|permission| permission.documents.clone())
            .collect();
        let mut proposed = self.world(&Value::Null, documents, policies.boundary.as_ref());
        self.taken(policies, &mut proposed);
        let accounts = [proposed];
        let world = World::new(&accounts, self.tables);
        let account = self.account();
        let Some(caller) = Caller::parse(&format!("arn:aws:iam::{account}:role/{ROLE}")) else {
            return;
        };
        let asker = world.asker(caller);
        let context = Context::default();
        let ask = |action: &str, resource: &str, given: &GivenPolicies| {
            asker.answer(&Question {
                action,
                resource,
                account: (!resource.starts_with("arn:") || resource.split(':').nth(4) == Some(""))
                    .then_some(account.as_str()),
                context: &context,
                given,
            })
        };
        let none = GivenPolicies::default();
        for (action, resources) in &policies.used {
            let resource = resources.first().map_or("*", String::as_str);
            tried.push(one(
                format!("used: {action} on {resource}"),
                true,
                ask(action, resource, &none),
            ));
            if let Some(other) = resources.first().and_then(|arn| elsewhere(arn))
                && named(policies, action)
            {
                tried.push(one(
                    format!("no more: {action} on {other}"),
                    false,
                    ask(action, &other, &none),
                ));
            }
        }
        // Last-accessed data names services and actions; what policies made of it allow was compared when they were made.
        if !policies.used.is_empty() {
            let used: BTreeSet<String> = policies
                .used
                .keys()
                .map(|action| action.to_ascii_lowercase())
                .collect();
            let more: Vec<&String> = allowed
                .iter()
                .filter(|action| !used.contains(&action.to_ascii_lowercase()))
                .take(20)
                .collect();
            let what = if more.is_empty() {
                "no more: every other action".to_owned()
            } else {
                let names: Vec<&str> = more.iter().map(|name| name.as_str()).collect();
                format!("no more: {}", names.join(", "))
            };
            let answer = if more.is_empty() {
                Answer::Denied
            } else {
                Answer::Allowed
            };
            tried.push(one(what, false, answer));
        }
        for probe in &self.data.boundary.probes {
            if !policies.used.contains_key(probe) && !allowed.contains(probe) {
                tried.push(one(
                    format!("negative test: {probe}"),
                    false,
                    ask(probe, "*", &none),
                ));
            }
        }
        self.baseline(policies, tried);
        if let Some(session) = &policies.session {
            let session = Self::value(session);
            let given = GivenPolicies {
                session: vec![CompiledPolicy::new(
                    Policy::parse(&session),
                    &self.tables.actions,
                )],
                ..GivenPolicies::default()
            };
            let inside = self.allowed(std::slice::from_ref(&session));
            for (action, resources) in policies.used.iter().take(200) {
                let resource = resources.first().map_or("*", String::as_str);
                let right = inside.contains(action);
                tried.push(one(
                    format!("session: {action}"),
                    right,
                    ask(action, resource, &given),
                ));
            }
        }
    }
}

impl Bench<'_> {
    /// Roles of the account that were taken, with trusts that leave it to the account's policies: theirs are not tried here.
    fn taken(&self, policies: &Policies, world: &mut AwsAccount) {
        let account = self.account();
        let Some(model) = world.roles.first().cloned() else {
            return;
        };
        let head = format!("arn:aws:iam::{account}:role/");
        for arn in policies.used.get("sts:AssumeRole").into_iter().flatten() {
            let Some(name) = arn.strip_prefix(&head) else {
                continue;
            };
            world.roles.push(AwsRole {
                name: name.rsplit('/').next().unwrap_or(name).to_owned(),
                arn: arn.clone(),
                unique_id: format!("AROATAKEN{}", world.roles.len()),
                trust: serde_json::json!({
                    "Version": "2012-10-17",
                    "Statement": [{
                        "Effect": "Allow",
                        "Principal": { "AWS": format!("arn:aws:iam::{account}:root") },
                        "Action": "sts:AssumeRole",
                    }],
                }),
                inline: Vec::new(),
                boundary: None,
                ..model.clone()
            });
        }
    }

    /// What is asked for task by task must not be in what stays.
    fn baseline(&self, policies: &Policies, tried: &mut Vec<Tried>) {
        let set = |name: &str| policies.permissions.iter().find(|one| one.set == name);
        let Some(elevated) = set("elevated") else {
            return;
        };
        let documents = set("baseline").map_or_else(Vec::new, |stays| stays.documents.clone());
        let accounts = [self.world(&Value::Null, documents, policies.boundary.as_ref())];
        let world = World::new(&accounts, self.tables);
        let account = self.account();
        let Some(caller) = Caller::parse(&format!("arn:aws:iam::{account}:role/{ROLE}")) else {
            return;
        };
        let asker = world.asker(caller);
        let context = Context::default();
        let given = GivenPolicies::default();
        for action in self.allowed(&elevated.documents) {
            let used = policies.used.get(&action).and_then(|list| list.first());
            let resource = used.map_or("*", String::as_str);
            let answer = asker.answer(&Question {
                action: &action,
                resource,
                account: Some(&account),
                context: &context,
                given: &given,
            });
            tried.push(one(format!("baseline alone: {action}"), false, answer));
        }
    }
}

fn one(what: String, right: bool, answer: Answer) -> Tried {
    Tried {
        what,
        expected: if right { "allowed" } else { "denied" },
        answer: answer.as_str(),
        passed: if right {
            answer != Answer::Denied
        } else {
            answer == Answer::Denied
        },
    }
}

/// Whether every line with an action names resources.
fn named(policies: &Policies, action: &str) -> bool {
    policies
        .permissions
        .iter()
        .flat_map(|permission| &permission.lines)
        .filter(|line| line.actions.iter().any(|name| name == action))
        .all(|line| !line.resources.iter().any(|arn| arn == "*"))
}

/// A resource of the same kind that nothing names.
fn elsewhere(arn: &str) -> Option<String> {
    const OTHER: &str = "overstay-somewhere-else";
    let mut parts: Vec<&str> = arn.splitn(6, ':').collect();
    if parts.len() != 6 || arn.contains(['*', '?']) {
        return None;
    }
    let resource = parts.pop()?;
    let head = parts.join(":");
    let end = match (resource.split_once('/'), resource.split_once(':')) {
        (Some((kind, _)), _) if parts.get(2) != Some(&"s3") => format!("{kind}/{OTHER}"),
        (Some(_), _) => format!("{OTHER}/{OTHER}"),
        (None, Some((kind, _))) => format!("{kind}:{OTHER}"),
        (None, None) => OTHER.to_owned(),
    };
    Some(format!("{head}:{end}"))
}

impl Checked {
    /// The file that tells it.
    pub(super) fn file(&self) -> Made {
        Made::new(
            "validation.json",
            ArtefactKind::Validation,
            if self.passed {
                "what was tried with these policies before they were written: everything came out as it should"
            } else {
                "what was tried with these policies: NOT everything came out as it should"
            },
            pretty(&serde_json::to_value(self).unwrap_or_default()),
        )
    }

    /// Whether something that was used would be refused.
    pub(super) fn refuses_use(&self) -> bool {
        self.failed()
            .any(|one| one.expected == "allowed" && one.what.starts_with("used: "))
    }

    /// What did not come out as it should.
    pub(super) fn failed(&self) -> impl Iterator<Item = &Tried> {
        self.tried.iter().filter(|one| !one.passed)
    }
}
