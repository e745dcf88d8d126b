//! Secrets in an agent's configuration: literal values, and references to values kept elsewhere.

use super::super::context::Context;
use super::super::names::{Names, Use, told_by_variable};
use super::super::node::{Node, Value};
use super::super::tokens::{self, Told};
use crate::model::{Confidence, ConsumerId, Fingerprint, SecretReference, SeenCredential};
use std::collections::{BTreeMap, BTreeSet};

/// Credential type of a literal whose form tells nothing.
pub(in crate::manifests) const STATIC_TOKEN: &str = "mcp-static-token";
/// Issuer of what has no known one.
const UNKNOWN: &str = "generic";
/// Id under which sightings of this reader are known.
const RULE: &str = "agent-config-literal";
/// Most sightings of one file.
const MAX_FOUND: usize = 1_000;
/// Least length of a literal outside `env` and `headers` that its name alone makes a secret.
const LONG: usize = 16;

/// Keys whose entries go to a process or a server as they are.
const CARRIERS: [&str; 8] = [
    "env",
    "environment",
    "envs",
    "headers",
    "http_headers",
    "httpHeaders",
    "requestHeaders",
    "env_http_headers",
];
/// Keys of argument lists.
const ARGUMENTS: [&str; 3] = ["args", "command", "cmd"];

/// What a file holds.
#[derive(Default)]
pub(super) struct Findings {
    credentials: Vec<SeenCredential>,
    references: BTreeMap<String, Names>,
    providers: BTreeSet<String>,
}

impl Findings {
    /// Reads everything below a node.
    pub(super) fn read(&mut self, context: &Context<'_>, root: &Node) {
        self.walk(context, "", root, false);
    }

    /// Literals, as sightings.
    pub(super) fn into_credentials(self) -> Vec<SeenCredential> {
        self.credentials
    }

    /// Number of different literals.
    pub(super) fn distinct(&self) -> usize {
        let distinct: BTreeSet<(&str, &Option<Fingerprint>)> = self
            .credentials
            .iter()
            .map(|seen| (seen.kind.as_str(), &seen.fingerprint))
            .collect();
        distinct.len()
    }

    /// What it holds, by names that stay the same between scans.
    pub(super) fn names(&self, references: &[SecretReference]) -> Vec<String> {
        let named = references
            .iter()
            .map(|reference| format!("{} {}", reference.store, reference.name));
        let seen = self
            .credentials
            .iter()
            .map(|seen| format!("{} as a value", seen.kind));
        let names: BTreeSet<String> = named.chain(seen).collect();
        names.into_iter().collect()
    }

    /// References, each store for itself.
    pub(super) fn references(
        &self,
        context: &Context<'_>,
        consumer: &ConsumerId,
    ) -> Vec<SecretReference> {
        self.references
            .iter()
            .flat_map(|(store, names)| names.references(context, store, consumer))
            .collect()
    }

    /// Issuers of what was found.
    pub(super) fn providers(&self, context: &Context<'_>) -> BTreeSet<String> {
        let consumer = ConsumerId::of(&[]);
        let mut providers = self.providers.clone();
        providers.extend(
            self.references(context, &consumer)
                .into_iter()
                .filter_map(|reference| reference.provider)
                .filter(|provider| provider != UNKNOWN),
        );
        providers
    }

    fn walk(&mut self, context: &Context<'_>, key: &str, node: &Node, carried: bool) {
        match &node.value {
            Value::Null => {}
            Value::Scalar { text, .. } => self.value(context, key, text, node, carried),
            Value::List(items) if ARGUMENTS.contains(&key) => self.arguments(context, items),
            Value::List(items) => {
                for item in items {
                    self.walk(context, key, item, carried);
                }
            }
            Value::Map(entries) => {
                for (inner, node) in entries {
                    let carried = carried || CARRIERS.contains(&inner.text.as_str());
                    self.walk(context, &inner.text, node, carried);
                }
            }
        }
    }

    /// A value under a name.
    fn value(&mut self, context: &Context<'_>, name: &str, text: &str, node: &Node, carried: bool) {
        let table = &context.tables.names;
        let secret = table.secret_like(name) && !table.identifies(name);
        if let Some((store, reference)) = reference(context, text) {
            let known = table.secret_like(&reference) || table.lookup(&reference).is_some();
            if secret || (known && !table.identifies(&reference)) {
                self.refer(context, store, &reference, name, node);
            }
            return;
        }
        let token = tokens::bare(text);
        if let Some(told) = tokens::recognise(
            context,
            token,
            "form of the token, in an agent's configuration",
        ) {
            self.found(context, node, token, &told);
        } else if secret && variable_name(token) {
            self.refer(context, "environment", token, name, node);
        } else if secret
            && tokens::plausible(token)
            && (carried || tokenlike(token))
            && !login_in_address(token)
        {
            let provider = table
                .lookup(name)
                .map_or(UNKNOWN, |rule| rule.provider.as_str());
            let told = Told {
                rule: RULE,
                kind: STATIC_TOKEN,
                provider,
                prefix: "",
                default_tier: None,
                expires_by_nature: None,
                confidence: Confidence::Medium,
                reason: "name of the setting, in an agent's configuration",
            };
            self.found(context, node, token, &told);
        }
    }

    /// Arguments of a program: `--token x`, `--token=x`, `-e NAME=x`, `--header "Name: x"`.
    fn arguments(&mut self, context: &Context<'_>, items: &[Node]) {
        let mut flag: Option<&str> = None;
        for item in items {
            let Some(text) = item.as_str() else {
                self.walk(context, "", item, false);
                continue;
            };
            let named = text
                .split_once('=')
                .or_else(|| text.split_once(": "))
                .filter(|(name, _)| {
                    !name.is_empty()
                        && name
                            .chars()
                            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
                });
            if let Some((name, value)) = named {
                self.value(
                    context,
                    name.trim_start_matches('-'),
                    value.trim(),
                    item,
                    true,
                );
                flag = None;
            } else if text.starts_with('-') {
                flag = Some(text.trim_start_matches('-'));
            } else if matches!(flag, Some("e" | "env")) && variable_name(text) {
                // `docker run -e NAME` passes the variable of the host on.
                let table = &context.tables.names;
                if table.secret_like(text) && !table.identifies(text) {
                    self.refer(context, "environment", text, text, item);
                }
                flag = None;
            } else {
                self.value(context, flag.unwrap_or_default(), text, item, true);
                flag = None;
            }
        }
    }

    fn found(&mut self, context: &Context<'_>, node: &Node, value: &str, told: &Told<'_>) {
        if self.credentials.len() < MAX_FOUND {
            if told.provider != UNKNOWN {
                self.providers.insert(told.provider.to_owned());
            }
            self.credentials
                .push(tokens::seen(context, node, value, told));
        }
    }

    fn refer(&mut self, context: &Context<'_>, store: &str, name: &str, key: &str, node: &Node) {
        let told = told_by_variable(context, key, name);
        self.references.entry(store.to_owned()).or_default().add(
            name,
            Use {
                half: told.as_ref().is_some_and(|(_, half)| *half),
                told: told.map(|(told, _)| told),
                line: node.line,
                column: node.column,
            },
        );
    }
}

/// Store and name of a value that is kept elsewhere.
fn reference<'t>(context: &Context<'t>, text: &str) -> Option<(&'t str, String)> {
    let text = tokens::bare(text);
    let form = context
        .tables
        .agents
        .reference
        .iter()
        .find(|form| text.starts_with(&form.prefix))?;
    if !form.prefix.contains(['$', '{']) {
        return Some((&form.store, text.to_owned()));
    }
    let rest = text.get(form.prefix.len()..)?;
    // `${NAME:-literal}` carries a default of its own: the name is what is referred to.
    let name: String = rest
        .trim_start()
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'))
        .collect();
    let name = name.trim_end_matches('-');
    (!name.is_empty()).then(|| (form.store.as_str(), name.to_owned()))
}

/// The value is itself the name of a variable: `bearer_token_env_var = "GITHUB_TOKEN"`.
fn variable_name(value: &str) -> bool {
    value.contains('_')
        && value
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// An address with a login in it: the text engine has rules for what is secret of it.
fn login_in_address(value: &str) -> bool {
    value
        .split_once("://")
        .is_some_and(|(_, rest)| rest.contains('@'))
}

/// Letters and digits mixed, and long: what a setting's name alone would not prove.
fn tokenlike(value: &str) -> bool {
    value.len() >= LONG
        && value.bytes().any(|b| b.is_ascii_digit())
        && value.bytes().any(|b| b.is_ascii_alphabetic())
        && !value.contains("://")
}
