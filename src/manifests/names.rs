//! References to secrets by name, gathered per consumer: one entry a credential, halves joined.

use super::clean::clean;
use super::context::Context;
use crate::model::{ConsumerId, SecretReference};
use crate::rules::manifests::SecretNames;
use std::collections::BTreeMap;

/// One use of a name.
#[derive(Clone, Debug)]
pub(super) struct Use {
    /// Credential type and issuer its use tells: the input of an action, the variable it is put into.
    pub(super) told: Option<(String, String)>,
    /// The use is the half of a credential that needs another name to be whole.
    pub(super) half: bool,
    /// Where.
    pub(super) line: u32,
    /// Where.
    pub(super) column: u32,
}

/// Issuers whose own tools read their variables, so that what is put into one is theirs whatever it is called.
const CLOUDS: [&str; 3] = ["aws", "azure", "gcp"];

/// What the variable a secret is put into tells of it, when its own name tells nothing or less: type and issuer, and
/// whether it is only half of the credential.
pub(super) fn told_by_variable(
    context: &Context<'_>,
    variable: &str,
    name: &str,
) -> Option<((String, String), bool)> {
    let table = &context.tables.names;
    if table.identifies(variable) {
        return None;
    }
    let rule = table.lookup(variable)?;
    let own = table.lookup(name).filter(|own| !own.weak);
    if own.is_some_and(|own| own.kind == rule.kind) {
        return None;
    }
    let certain = CLOUDS.contains(&rule.provider.as_str());
    if !certain && (own.is_some() || table.identifies(name)) {
        return None;
    }
    let half = !table.other_halves(variable).is_empty();
    Some(((rule.kind.clone(), rule.provider.clone()), half))
}

/// Names a consumer uses, each with its first place.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    uses: BTreeMap<String, Use>,
}

impl Names {
    /// Notes a use. The first place stands; what a later use tells completes it.
    pub(super) fn add(&mut self, name: &str, mut use_: Use) {
        match self.uses.get_mut(name) {
            None => {
                self.uses.insert(name.to_owned(), use_);
            }
            Some(known) => {
                known.half &= use_.half;
                if known.told.is_none() {
                    known.told = use_.told.take();
                }
                if (use_.line, use_.column) < (known.line, known.column) {
                    (known.line, known.column) = (use_.line, use_.column);
                }
            }
        }
    }

    /// The references where every name is certain to be that of a credential.
    pub(super) fn as_named(
        &self,
        context: &Context<'_>,
        store: &str,
        consumer: &ConsumerId,
    ) -> Vec<SecretReference> {
        let of = |(name, use_): (&String, &Use)| {
            let by_name = || {
                let rule = context.tables.names.lookup(name)?;
                Some((rule.kind.clone(), rule.provider.clone()))
            };
            let (kind, provider) = use_.told.clone().or_else(by_name).unzip();
            SecretReference {
                name: clean(name),
                store: store.to_owned(),
                kind,
                provider,
                repository: context.repository.to_owned(),
                consumer: Some(consumer.clone()),
                location: context.location(use_.line, use_.column),
            }
        };
        self.uses.iter().map(of).collect()
    }

    /// The references, one a credential: a half whose other half is there is left out, and so are names that only
    /// identify.
    pub(super) fn references(
        &self,
        context: &Context<'_>,
        store: &str,
        consumer: &ConsumerId,
    ) -> Vec<SecretReference> {
        let table = &context.tables.names;
        let mut out = Vec::new();
        for (name, use_) in &self.uses {
            let other = table.other_halves(name).into_iter().any(|half| {
                self.uses
                    .keys()
                    .any(|known| known != name && SecretNames::same(known, &half))
            });
            let told_elsewhere = use_.half
                && use_.told.as_ref().is_some_and(|told| {
                    self.uses.iter().any(|(known, use_)| {
                        known != name && !use_.half && use_.told.as_ref() == Some(told)
                    })
                });
            if other
                || told_elsewhere
                || ((use_.half || use_.told.is_none()) && table.identifies(name))
            {
                continue;
            }
            let (kind, provider) = match &use_.told {
                Some((kind, provider)) => (Some(kind.clone()), Some(provider.clone())),
                None => table.lookup(name).map_or((None, None), |rule| {
                    (Some(rule.kind.clone()), Some(rule.provider.clone()))
                }),
            };
            out.push(SecretReference {
                name: clean(name),
                store: store.to_owned(),
                kind,
                provider,
                repository: context.repository.to_owned(),
                consumer: Some(consumer.clone()),
                location: context.location(use_.line, use_.column),
            });
        }
        out
    }
}
