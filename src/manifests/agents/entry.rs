//! What every agent is in the inventory, wherever it is declared: an identity, and the consumer of what it uses.

use super::super::clean::clean;
use super::super::context::Context;
use super::RUNTIME;
use crate::model::{
    Consumer, ConsumerClass, ConsumerId, Evidence, Federation, Grade, Identity, IdentityKind, Uses,
};

/// One agent.
pub(super) struct Entry<'e> {
    pub(super) name: &'e str,
    pub(super) native_id: String,
    /// The consumer's id.
    pub(super) id: ConsumerId,
    pub(super) purpose: String,
    /// Line and column.
    pub(super) place: (u32, u32),
    /// What shows that it is one.
    pub(super) shown_by: String,
}

impl Entry<'_> {
    /// The identity and its consumer. `servers`: its tool servers, which it uses; `native_ids`: whom else it runs as.
    pub(super) fn build(
        self,
        context: &Context<'_>,
        servers: &[Identity],
        native_ids: &[String],
    ) -> (Identity, Consumer) {
        let (line, column) = self.place;
        let location = context
            .location(line, column)
            .naming(self.native_id.clone());
        let mut identity = Identity::named(
            "agent",
            IdentityKind::Agent,
            self.name,
            &self.native_id,
            Grade::B,
        );
        identity.account = Some(context.repository.to_owned());
        identity.purpose = Some(self.purpose);
        identity.consumer_class = ConsumerClass::Agent;
        identity.consumers = vec![self.id.clone()];
        identity.locations = vec![location.clone()];
        let served = servers.iter().map(|server| &server.native_id);
        let consumer = Consumer {
            id: self.id,
            name: format!("{} ({})", self.name, clean(context.uri)),
            class: ConsumerClass::Agent,
            runtime: RUNTIME.to_owned(),
            repository: Some(context.repository.to_owned()),
            identity: Some(identity.id.clone()),
            schedule: None,
            timeout_seconds: None,
            evidence: vec![Evidence::new(Grade::B, self.shown_by)],
            federation: Federation::Unknown,
            uses: Uses {
                identities: servers.iter().map(|server| server.id.clone()).collect(),
                native_ids: native_ids.iter().chain(served).cloned().collect(),
                ..Uses::default()
            },
            risks: Vec::new(),
            location: Some(location),
            environment: None,
        };
        (identity, consumer)
    }
}
