//! Roles of Vault and OpenBao: as operators configure them, and as scripts write them.

use super::super::clean::clean;
use super::super::context::Context;
use super::super::node::Node;
use super::durations::seconds;
use super::script::commands;
use crate::model::{Capability, CapabilityKind, Declarations, Location};
use std::collections::BTreeMap;

/// Lifetime of what a mount issues that says nothing, where neither mount nor server says anything.
const DEFAULT_SECONDS: u64 = 2_764_800;
/// Engines that keep secrets rather than issue them.
const STORES: [&str; 4] = ["kv", "kv-v2", "secret", "cubbyhole"];

/// What is known of a role.
struct Role<'a> {
    /// Path below which the engine or method is mounted.
    mount: &'a str,
    auth: bool,
    name: &'a str,
    ttl: Option<u64>,
    max_ttl: Option<u64>,
    subjects: Vec<String>,
    /// Nothing stands in for a lifetime that is not written.
    no_default: bool,
}

fn push(context: &Context<'_>, role: Role<'_>, location: Location, out: &mut Declarations) {
    let path = if role.auth {
        format!("auth/{}/role/{}", role.mount, role.name)
    } else {
        format!("{}/roles/{}", role.mount, role.name)
    };
    let default = (!role.no_default).then(|| {
        role.max_ttl
            .map_or(DEFAULT_SECONDS, |max| max.min(DEFAULT_SECONDS))
    });
    out.capabilities.push(Capability {
        kind: if role.auth && !role.mount.contains("approle") && !role.mount.contains("token") {
            CapabilityKind::RuntimeIdentity
        } else {
            CapabilityKind::DynamicSecrets
        },
        product: "vault".to_owned(),
        name: clean(&path),
        says: if role.auth {
            "workloads sign in and are given a token".to_owned()
        } else {
            "issues credentials on request".to_owned()
        },
        repository: context.repository.to_owned(),
        namespace: None,
        subjects: role.subjects,
        ttl_seconds: role.ttl.or(default),
        max_ttl_seconds: role.max_ttl,
        ttl_assumed: role.ttl.is_none() && role.max_ttl.is_none(),
        location: location.naming(clean(&path)),
    });
}

/// Service accounts of names and namespaces.
pub(super) fn accounts(names: &[&str], namespaces: &[&str]) -> Vec<String> {
    let mut out = Vec::new();
    for namespace in namespaces.iter().take(20) {
        for name in names.iter().take(20) {
            out.push(clean(&format!("system:serviceaccount:{namespace}:{name}")));
        }
    }
    out
}

/// Reads the configuration an operator applies: methods of signing in and secrets engines, each with roles.
pub(super) fn read(context: &Context<'_>, root: &Node, out: &mut Declarations) {
    for (section, auth) in [("auth", true), ("secrets", false)] {
        for mount in root.get(section).map_or(&[][..], Node::items) {
            let Some(kind) = mount.text_at(&["type"]) else {
                continue;
            };
            if STORES.contains(&kind) {
                continue;
            }
            let path = mount.text_at(&["path"]).unwrap_or(kind).trim_matches('/');
            let roles = if auth {
                mount.get("roles")
            } else {
                mount.path(&["configuration", "roles"])
            };
            for role in roles.map_or(&[][..], Node::items) {
                let Some((key, name)) = role.entry("name") else {
                    continue;
                };
                let Some(name) = name.as_str() else {
                    continue;
                };
                let lifetime = |names: &[&str]| {
                    names
                        .iter()
                        .find_map(|name| seconds(role.text_at(&[name])?))
                };
                let words = |name: &str| {
                    role.get(name)
                        .into_iter()
                        .flat_map(Node::texts)
                        .collect::<Vec<_>>()
                };
                push(
                    context,
                    Role {
                        mount: path,
                        auth,
                        name,
                        ttl: lifetime(&[
                            "token_ttl",
                            "default_ttl",
                            "ttl",
                            "default_sts_ttl",
                            "token_period",
                            "period",
                        ]),
                        max_ttl: lifetime(&["token_max_ttl", "max_ttl", "max_sts_ttl"]),
                        subjects: accounts(
                            &words("bound_service_account_names"),
                            &words("bound_service_account_namespaces"),
                        ),
                        no_default: false,
                    },
                    context.location(key.line, key.column),
                    out,
                );
            }
        }
    }
}

/// Reads the lines of a script that write roles: `vault write database/roles/app default_ttl=1h`.
pub(super) fn script(context: &Context<'_>, out: &mut Declarations) {
    for command in commands(context.text.as_str(), &["vault write", "bao write"]) {
        let whole = command.text;
        let mut words = whole
            .split_whitespace()
            .skip(2)
            .filter(|word| !word.starts_with('-'));
        let Some(path) = words.next() else {
            continue;
        };
        let parts: Vec<&str> = path.trim_matches(['"', '\'', '/']).split('/').collect();
        let (auth, mount, name) = match parts.as_slice() {
            ["auth", mount @ .., "role" | "roles", name] if !mount.is_empty() => {
                (true, mount.join("/"), *name)
            }
            [mount @ .., "roles", name] if !mount.is_empty() => (false, mount.join("/"), *name),
            _ => continue,
        };
        let given: BTreeMap<&str, &str> = words
            .filter_map(|word| word.split_once('='))
            .map(|(key, value)| (key, value.trim_matches(['"', '\''])))
            .collect();
        let lifetime = |names: &[&str]| names.iter().find_map(|name| seconds(given.get(name)?));
        let list = |name: &str| {
            given
                .get(name)
                .map_or_else(Vec::new, |text| text.split(',').collect::<Vec<_>>())
        };
        let role = Role {
            mount: &mount,
            auth,
            name,
            ttl: lifetime(&[
                "token_ttl",
                "default_ttl",
                "ttl",
                "default_sts_ttl",
                "token_period",
                "period",
            ]),
            max_ttl: lifetime(&["token_max_ttl", "max_ttl", "max_sts_ttl"]),
            subjects: accounts(
                &list("bound_service_account_names"),
                &list("bound_service_account_namespaces"),
            ),
            // `@file` or standard input may hold it.
            no_default: whole.contains(" @")
                || whole.trim_end().ends_with(" -")
                || whole.contains("<<"),
        };
        let place = context.location(command.line, command.column);
        push(context, role, place, out);
    }
}
