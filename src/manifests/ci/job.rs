//! One job of a CI system while it is read: an identity, a consumer, and the credentials it names.

use super::super::clean::clean;
use super::super::context::Context;
use super::super::names::{Names, Use, told_by_variable};
use super::super::node::Node;
use super::System;
use super::shell;
use crate::model::{
    Call, Consumer, ConsumerClass, ConsumerId, Declarations, Evidence, Federation, Grade, Identity,
    IdentityKind, Uses,
};
use std::collections::{BTreeMap, BTreeSet};

/// One job.
pub(super) struct Job {
    system: System,
    name: String,
    line: u32,
    column: u32,
    /// What it is for.
    pub(super) purpose: Option<String>,
    /// Deployment environment it names.
    pub(super) environment: Option<String>,
    /// Schedules, in cron syntax.
    pub(super) schedule: Vec<String>,
    /// Longest run declared, in seconds.
    pub(super) timeout_seconds: Option<u64>,
    /// How things are known.
    pub(super) evidence: Vec<Evidence>,
    /// It can prove what it is.
    pub(super) federated: bool,
    /// Identities it names.
    pub(super) native_ids: Vec<String>,
    /// What weakens the context of its run.
    pub(super) risks: Vec<String>,
    /// Extensions that may change under it: told only if it holds credentials.
    pub(super) unpinned: BTreeSet<String>,
    /// Variables that have a literal value in the file.
    pub(super) defined: BTreeSet<String>,
    /// Files of the repository that it takes in, by path.
    pub(super) takes_in: BTreeSet<String>,
    /// Variables of the system's own store, which may be anything.
    variables: Names,
    /// What is named as a credential, by store.
    named: BTreeMap<String, Names>,
}

impl Job {
    /// A job at a place; `name` is unique in the file.
    pub(super) fn new(system: System, name: &str, line: u32, column: u32) -> Self {
        Self {
            system,
            name: clean(name),
            line,
            column,
            purpose: None,
            environment: None,
            schedule: Vec::new(),
            timeout_seconds: None,
            evidence: Vec::new(),
            federated: false,
            native_ids: Vec::new(),
            risks: Vec::new(),
            unpinned: BTreeSet::new(),
            defined: BTreeSet::new(),
            takes_in: BTreeSet::new(),
            variables: Names::default(),
            named: BTreeMap::new(),
        }
    }

    /// A fact that was read.
    pub(super) fn note(&mut self, text: impl Into<String>) {
        self.evidence.push(Evidence::new(Grade::B, text));
    }

    /// The limit of a run in minutes, under the key that declares it; without one, what holds then.
    pub(super) fn limit(&mut self, context: &Context<'_>, key: &str, node: Option<&Node>) {
        match node {
            None => {
                let default = &self.system.table(context).default_timeout;
                self.evidence
                    .push(Evidence::new(Grade::D, default.as_str()));
            }
            Some(node) => match node.as_u64() {
                Some(minutes) => {
                    self.timeout_seconds = minutes.checked_mul(60).filter(|limit| *limit > 0);
                    self.note(format!("{key}: {minutes}"));
                }
                None => self
                    .evidence
                    .push(Evidence::new(Grade::C, format!("{key} is an expression"))),
            },
        }
    }

    /// Notes the literal values of a mapping of variables.
    pub(super) fn defines(&mut self, variables: Option<&Node>) {
        for (key, value) in variables.into_iter().flat_map(Node::entries) {
            if value.as_str().is_some_and(|text| !text.contains('$')) {
                self.defined.insert(key.text.clone());
            }
        }
    }

    /// A variable that is a secret by what it is used for.
    pub(super) fn variable(
        &mut self,
        name: &str,
        told: Option<(String, String)>,
        (line, column): (u32, u32),
    ) {
        self.variables.add(
            name,
            Use {
                told,
                half: false,
                line,
                column,
            },
        );
    }

    /// A credential it names, in a store.
    pub(super) fn secret(
        &mut self,
        store: &str,
        name: &str,
        told: Option<(String, String)>,
        (line, column): (u32, u32),
    ) {
        self.named.entry(store.to_owned()).or_default().add(
            name,
            Use {
                told,
                half: false,
                line,
                column,
            },
        );
    }

    /// Notes variables and native ids that stand below a node.
    pub(super) fn read(&mut self, context: &Context<'_>, key: &str, node: &Node) {
        node.scalars(key, &mut |key, scalar| {
            let (from, to) = scalar.span;
            let source = context.text.slice(from, to);
            self.text(context, key, source, from);
        });
    }

    /// Notes what a text at a byte offset of the file names; `key` is what it stands under.
    pub(super) fn text(&mut self, context: &Context<'_>, key: &str, source: &str, from: usize) {
        let names = &context.tables.names;
        let system = self.system.table(context);
        for (at, name) in shell::variables(source) {
            if system.proof(name) {
                self.federated = true;
            }
            if system.ephemeral(name) || self.defined.contains(name) {
                continue;
            }
            let into = shell::assigned(source, at).unwrap_or(key);
            let told = told_by_variable(context, into, name);
            let secret = names.secret_like(name) || names.lookup(name).is_some();
            if !secret && told.is_none() {
                continue;
            }
            let (line, column) = context.text.position(from + at);
            self.variables.add(
                name,
                Use {
                    half: told.as_ref().is_some_and(|(_, half)| *half),
                    told: told.map(|(told, _)| told),
                    line,
                    column,
                },
            );
        }
        self.native_ids.extend(shell::native_ids(source));
    }

    /// Adds the job to what the file declares.
    pub(super) fn declare(mut self, context: &Context<'_>, out: &mut Declarations) {
        let short = clean(&format!("{}/{}", context.uri, self.name));
        let native_id = format!("{}/{short}", context.repository);
        let runtime = self.system.runtime();
        let id = ConsumerId::of(&[runtime, context.repository, &short]);
        let location = context
            .location(self.line, self.column)
            .naming(native_id.clone());
        let before = out.references.len();
        out.references
            .extend(self.variables.references(context, runtime, &id));
        for (store, names) in &self.named {
            let already = |reference: &crate::model::SecretReference| {
                out.references
                    .iter()
                    .skip(before)
                    .any(|known| known.store == reference.store && known.name == reference.name)
            };
            let more: Vec<_> = names
                .as_named(context, store, &id)
                .into_iter()
                .filter(|reference| !already(reference))
                .collect();
            out.references.extend(more);
        }
        if out.references.len() > before || self.federated {
            self.risks.append(&mut self.unpinned.into_iter().collect());
        }
        out.calls.extend(self.takes_in.iter().map(|uri| Call {
            consumer: id.clone(),
            repository: context.repository.to_owned(),
            uri: uri.clone(),
            secrets: true,
            given: Vec::new(),
        }));
        self.native_ids.sort();
        self.native_ids.dedup();

        let mut identity = Identity::named(
            self.system.provider(),
            IdentityKind::CiJob,
            &short,
            &native_id,
            Grade::B,
        );
        identity.account = Some(context.repository.to_owned());
        identity.environment = context
            .tables
            .environments
            .of(self.environment.as_deref().unwrap_or_default());
        identity.purpose = self.purpose.or_else(|| Some(self.name.clone()));
        identity.consumer_class = ConsumerClass::Ci;
        identity.consumers = vec![id.clone()];
        identity.locations = vec![location.clone()];
        out.consumers.push(Consumer {
            id,
            name: short,
            class: ConsumerClass::Ci,
            runtime: runtime.to_owned(),
            repository: Some(context.repository.to_owned()),
            identity: Some(identity.id.clone()),
            schedule: (!self.schedule.is_empty()).then(|| self.schedule.join("; ")),
            timeout_seconds: self.timeout_seconds,
            evidence: self.evidence,
            federation: if self.federated {
                Federation::Configured
            } else if self.system == System::Jenkins {
                Federation::Unknown
            } else {
                Federation::Supported
            },
            uses: Uses {
                native_ids: self.native_ids,
                ..Uses::default()
            },
            risks: self.risks,
            location: Some(location),
            environment: self.environment,
        });
        out.identities.push(identity);
    }
}

/// Names that are unique in a file: the second of a name has its number behind it.
#[derive(Default)]
pub(super) struct Unique {
    seen: BTreeMap<String, u32>,
}

impl Unique {
    /// The name, or the name with its number.
    pub(super) fn name(&mut self, name: String) -> String {
        let count = self.seen.entry(name.clone()).or_insert(0);
        *count += 1;
        if *count == 1 {
            name
        } else {
            format!("{name} #{count}")
        }
    }
}
