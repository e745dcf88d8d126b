//! One declared agent: an identity and a consumer, its tool servers, and the credentials its declaration names.

use super::super::clean::clean;
use super::super::context::Context;
use super::super::node::Node;
use super::super::text::saturate;
use super::entry::Entry;
use super::literals::Findings;
use super::{RUNTIME, Server, system_of_its_own, tool_server};
use crate::model::{AgentReach, ConsumerId, Declarations, Evidence, Grade};
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
        let native_id = format!(
            "{}/{}#{}",
            context.repository,
            clean(context.uri),
            self.name
        );
        let id = ConsumerId::of(&[RUNTIME, context.repository, context.uri, &self.name]);
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
        let entry = Entry {
            name: &self.name,
            native_id,
            id,
            purpose: self
                .purpose
                .clone()
                .unwrap_or_else(|| format!("{} agent of {}", self.framework, context.repository)),
            place: self.place,
            shown_by: format!("an agent of {}", self.framework),
        };
        let (mut identity, consumer) = entry.build(context, &servers, &self.native_ids);
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
        out.consumers.push(consumer);
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
