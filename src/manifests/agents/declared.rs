//! One declared agent: an identity and a consumer, its tool servers, and the credentials its declaration names.

use super::super::clean::clean;
use super::super::context::Context;
use super::super::node::Node;
use super::super::text::saturate;
use super::literals::Findings;
use super::{RUNTIME, Server, system_of_its_own, tool_server};
use crate::model::{
    AgentReach, Consumer, ConsumerClass, ConsumerId, Declarations, Evidence, Federation, Grade,
    Identity, IdentityKind, Uses,
};
use std::collections::BTreeSet;

/// One agent of a file.
pub(super) struct Agent<'n> {
    /// Name of its framework.
    pub(super) framework: &'n str,
    pub(super) name: String,
    pub(super) purpose: Option<String>,
    /// Line and column.
    pub(super) place: (u32, u32),
    /// The declaration, with what it is given.
    pub(super) node: &'n Node,
    /// Whom it runs as.
    pub(super) native_ids: Vec<String>,
    pub(super) reach: Reach<'n>,
}

/// What a declaration lets its agent reach, besides credentials.
#[derive(Default)]
pub(super) struct Reach<'n> {
    pub(super) tools: BTreeSet<String>,
    /// Tool servers that are declared elsewhere, by name.
    pub(super) servers: BTreeSet<String>,
    /// Tool servers that the declaration describes.
    pub(super) described: Vec<Server<'n>>,
    /// Tools that run without asking; `*` for all.
    pub(super) approved: BTreeSet<String>,
    pub(super) providers: BTreeSet<String>,
    pub(super) model: Option<String>,
    /// It may run code that it writes.
    pub(super) runs_code: bool,
}

impl Agent<'_> {
    /// Adds it to what a file declares.
    pub(super) fn declare(&self, context: &Context<'_>, out: &mut Declarations) {
        let short = clean(context.uri);
        let native_id = format!("{}/{short}#{}", context.repository, self.name);
        let id = ConsumerId::of(&[RUNTIME, context.repository, context.uri, &self.name]);
        let (line, column) = self.place;
        let location = context.location(line, column).naming(native_id.clone());
        let mut findings = Findings::default();
        findings.read(context, self.node);
        let references = findings.references(context, &id);

        let mut hosts = BTreeSet::new();
        let mut servers = Vec::new();
        for server in &self.reach.described {
            let mut server = tool_server(context, self.framework, server, &native_id, &mut hosts);
            server.consumers = vec![id.clone()];
            servers.push(server);
        }

        let mut identity = Identity::named(
            "agent",
            IdentityKind::Agent,
            &self.name,
            &native_id,
            Grade::B,
        );
        identity.account = Some(context.repository.to_owned());
        identity.purpose = self.purpose.clone().or_else(|| {
            Some(format!(
                "{} agent of {}",
                self.framework, context.repository
            ))
        });
        identity.consumer_class = ConsumerClass::Agent;
        identity.consumers = vec![id.clone()];
        identity.locations = vec![location.clone()];
        if let Some(model) = &self.reach.model {
            identity
                .notes
                .push(Evidence::new(Grade::B, format!("asks the model {model}")));
        }
        if self.reach.runs_code {
            identity
                .notes
                .push(Evidence::new(Grade::B, "may run code that it writes"));
        }
        identity.agent = Some(self.reached(context, &findings, &references, hosts));

        out.consumers.push(Consumer {
            id,
            name: format!("{} ({short})", self.name),
            class: ConsumerClass::Agent,
            runtime: RUNTIME.to_owned(),
            repository: Some(context.repository.to_owned()),
            identity: Some(identity.id.clone()),
            schedule: None,
            timeout_seconds: None,
            evidence: vec![Evidence::new(
                Grade::B,
                format!("an agent of {}", self.framework),
            )],
            federation: Federation::Unknown,
            uses: Uses {
                identities: servers.iter().map(|server| server.id.clone()).collect(),
                native_ids: self
                    .native_ids
                    .iter()
                    .chain(servers.iter().map(|server| &server.native_id))
                    .cloned()
                    .collect(),
                ..Uses::default()
            },
            risks: Vec::new(),
            location: Some(location),
            environment: None,
        });
        out.references.extend(references);
        out.credentials.extend(findings.into_credentials());
        out.identities.push(identity);
        out.identities.extend(servers);
    }

    fn reached(
        &self,
        context: &Context<'_>,
        findings: &Findings,
        references: &[crate::model::SecretReference],
        hosts: BTreeSet<String>,
    ) -> AgentReach {
        let described = &self.reach.described;
        let mut servers = self.reach.servers.clone();
        servers.extend(described.iter().map(|server| server.name.clone()));
        let mut providers = findings.providers(context);
        providers.extend(hosts);
        providers.extend(self.reach.providers.iter().cloned());
        providers.extend(
            described
                .iter()
                .filter_map(|server| system_of_its_own(context, server)),
        );
        AgentReach {
            servers: servers.into_iter().collect(),
            auto_approved: self.reach.approved.iter().cloned().collect(),
            providers: providers.into_iter().collect(),
            tools: self.reach.tools.iter().cloned().collect(),
            credentials: findings.names(references),
            static_credentials: saturate(findings.distinct()),
            intent_policy: false,
        }
    }
}
