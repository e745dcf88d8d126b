//! What runs on hosts and in containers: compose files, image recipes, systemd units and timers, crontabs.

pub(super) mod compose;
pub(super) mod cron;
pub(super) mod dockerfile;
pub(super) mod systemd;

use super::clean::clean;
use super::context::Context;
use super::names::{Names, Use, told_by_variable};
use super::stores;
use crate::model::{
    Consumer, ConsumerClass, ConsumerId, Declarations, Evidence, Federation, Grade, Identity,
    IdentityKind, Uses,
};
use std::collections::BTreeMap;

/// Something that runs, while its file is read.
pub(super) struct Runs {
    name: String,
    runtime: &'static str,
    class: ConsumerClass,
    why: String,
    place: (u32, u32),
    schedule: Option<String>,
    timeout: Option<u64>,
    risks: Vec<String>,
    stores: BTreeMap<&'static str, Names>,
    native_ids: Vec<String>,
    /// Files that it starts, each with its repository.
    starts: Vec<String>,
    purpose: Option<String>,
    store: Option<String>,
}

impl Runs {
    /// Something of one class.
    pub(super) fn new(
        runtime: &'static str,
        name: &str,
        class: ConsumerClass,
        why: impl Into<String>,
        place: (u32, u32),
    ) -> Self {
        Self {
            name: clean(name),
            runtime,
            class,
            why: why.into(),
            place,
            schedule: None,
            timeout: None,
            risks: Vec::new(),
            stores: BTreeMap::new(),
            native_ids: Vec::new(),
            starts: Vec::new(),
            purpose: None,
            store: None,
        }
    }

    /// Notes that a name is used which is kept in a store.
    fn uses(
        &mut self,
        store: &'static str,
        name: &str,
        told: Option<(String, String)>,
        half: bool,
        place: (u32, u32),
    ) {
        let use_ = Use {
            told,
            half,
            line: place.0,
            column: place.1,
        };
        self.stores.entry(store).or_default().add(name, use_);
    }

    /// Reads a variable of the environment: without a value, or with one that only refers to another variable, it is a
    /// reference when either name is that of a secret.
    fn variable(
        &mut self,
        context: &Context<'_>,
        name: &str,
        value: Option<&str>,
        place: (u32, u32),
    ) {
        let names = &context.tables.names;
        let secret = |name: &str| names.secret_like(name) || names.lookup(name).is_some();
        let value = value.map(str::trim).unwrap_or_default();
        self.store = self.store.take().or_else(|| stores::named(name, value));
        if name.to_ascii_uppercase().ends_with("ROLE_ARN") && value.starts_with("arn:") {
            self.native_ids.push(clean(value));
            return;
        }
        match variable_in(value) {
            Some(inner) if secret(inner) || secret(name) => {
                let told = told_by_variable(context, name, inner);
                let half = told.as_ref().is_some_and(|(_, half)| *half);
                self.uses(
                    "environment",
                    inner,
                    told.map(|(told, _)| told),
                    half,
                    place,
                );
            }
            None if value.is_empty() && secret(name) => {
                self.uses("environment", name, None, false, place);
            }
            _ => {}
        }
    }

    /// Whether it uses anything.
    fn uses_something(&self) -> bool {
        !self.stores.is_empty() || !self.native_ids.is_empty()
    }

    /// Declares it, with the workload it is.
    fn declare(self, context: &Context<'_>, grade: Grade, out: &mut Declarations) {
        let native = format!("{}/{}/{}", context.repository, context.uri, self.name);
        let id = ConsumerId::of(&[self.runtime, context.repository, context.uri, &self.name]);
        let location = context.location(self.place.0, self.place.1);
        let mut identity = Identity::named(
            self.runtime,
            IdentityKind::Workload,
            &self.name,
            &native,
            Grade::B,
        );
        identity.locations.push(location.clone());
        identity.consumers.push(id.clone());
        identity.consumer_class = self.class;
        identity.purpose = self.purpose;
        identity.account = Some(context.repository.to_owned());
        identity.environment = context.tables.environments.of(context.uri);
        for (store, names) in &self.stores {
            out.references.extend(names.references(context, store, &id));
        }
        out.consumers.push(Consumer {
            id,
            name: self.name,
            class: self.class,
            runtime: self.runtime.to_owned(),
            repository: Some(context.repository.to_owned()),
            identity: Some(identity.id.clone()),
            schedule: self.schedule,
            timeout_seconds: self.timeout,
            evidence: [Evidence::new(grade, self.why)]
                .into_iter()
                .chain(self.store.as_deref().map(stores::says))
                .collect(),
            federation: Federation::Unknown,
            uses: Uses {
                native_ids: self.native_ids,
                runs: self.starts,
                ..Uses::default()
            },
            risks: self.risks,
            location: Some(location),
            environment: None,
        });
        out.identities.push(identity);
    }
}

/// The variable that a value is nothing but: `$X`, `${X}`, `${X:-default}`.
fn variable_in(value: &str) -> Option<&str> {
    let inner = value.trim_matches('"').strip_prefix('$')?;
    let (inner, braced) = match inner.strip_prefix('{') {
        Some(inner) => (inner.strip_suffix('}')?, true),
        None => (inner, false),
    };
    let end = inner
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(inner.len());
    let (name, rest) = inner.split_at_checked(end)?;
    let whole = rest.is_empty() || (braced && rest.starts_with([':', '-', '?', '+']));
    (whole && !name.is_empty()).then_some(name)
}

/// Every variable a command names.
fn variables_in(command: &str) -> impl Iterator<Item = &str> {
    command.match_indices('$').filter_map(|(at, _)| {
        let rest = command.get(at + 1..)?;
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        rest.get(..end)
            .filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))
    })
}

/// Lines with their number and column offset, comments and empty ones left out.
fn lines(text: &str) -> impl Iterator<Item = (u32, &str)> {
    text.lines()
        .enumerate()
        .map(|(at, line)| (super::text::saturate(at + 1), line.trim_end()))
}

/// Column of the first character that is no space.
fn column(line: &str) -> u32 {
    super::text::saturate(line.chars().take_while(|c| c.is_whitespace()).count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_a_variable_names_it() {
        assert_eq!(variable_in("${DB_PASSWORD:-x}"), Some("DB_PASSWORD"));
        assert_eq!(variable_in("$TOKEN"), Some("TOKEN"));
        assert_eq!(variable_in("postgres://${USER}"), None);
        assert_eq!(variable_in("${A}${B}"), None);
        let all: Vec<&str> = variables_in("curl -H $TOKEN ${OTHER:-x} $1").collect();
        assert_eq!(all, ["TOKEN", "OTHER"]);
    }
}
