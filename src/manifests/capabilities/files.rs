//! Files whose format alone shows what they are: policies of OPA and Cedar, configuration of servers and agents in HCL, and
//! scripts.

use super::super::clean::clean;
use super::super::context::Context;
use super::durations::seconds;
use super::{spire, vault};
use crate::model::{Capability, CapabilityKind, Declarations};
use memchr::memmem;

/// Whether a path is one of a file read here.
pub(in super::super) fn is_policy(uri: &str) -> bool {
    let extension = uri.rsplit_once('.').map_or("", |(_, extension)| extension);
    matches!(extension, "rego" | "cedar" | "sh" | "bash" | "hcl" | "conf")
}

/// Whether a text may hold anything read here. Cheap.
pub(in super::super) fn says(bytes: &[u8]) -> bool {
    [
        &b" write "[..],
        b"_ttl",
        b"package ",
        b"permit",
        b"forbid",
        b"entry create",
    ]
    .iter()
    .any(|word| memmem::find(bytes, word).is_some())
}

/// Reads a file for what its lines say; nothing where they say nothing.
pub(in super::super) fn policy(context: &Context<'_>, out: &mut Declarations) {
    let text = context.text.as_str();
    let extension = context
        .uri
        .rsplit_once('.')
        .map_or("", |(_, extension)| extension);
    match extension {
        "rego" => {
            if let Some((line, package)) = line_after(text, "package ") {
                let test = context.uri.ends_with("_test.rego");
                if !test {
                    out.capabilities.push(found(
                        context,
                        "opa",
                        &format!("package {package}"),
                        "decides on requests by policy",
                        line,
                    ));
                }
            }
        }
        "cedar" => {
            let first = text
                .lines()
                .enumerate()
                .find(|(_, line)| line.trim_start().starts_with(['p', 'f', '@']));
            let statements = text.matches("permit").count() + text.matches("forbid").count();
            if let Some((at, _)) = first.filter(|_| statements > 0) {
                let name = context.uri.rsplit('/').next().unwrap_or_default();
                out.capabilities.push(found(
                    context,
                    "cedar",
                    name,
                    "decides on requests by policy",
                    u32::try_from(at + 1).unwrap_or(1),
                ));
            }
        }
        "hcl" | "conf" => servers(context, out),
        _ => {
            if memmem::find(text.as_bytes(), b" write ").is_some() {
                vault::script(context, out);
            }
            if memmem::find(text.as_bytes(), b"entry create").is_some() {
                spire::script(context, out);
            }
        }
    }
}

fn line_after(text: &str, word: &str) -> Option<(u32, String)> {
    text.lines().enumerate().find_map(|(at, line)| {
        Some((
            u32::try_from(at + 1).ok()?,
            clean(line.strip_prefix(word)?.trim()),
        ))
    })
}

fn found(context: &Context<'_>, product: &str, name: &str, says: &str, line: u32) -> Capability {
    Capability {
        kind: CapabilityKind::Policy,
        product: product.to_owned(),
        name: clean(name),
        says: says.to_owned(),
        repository: context.repository.to_owned(),
        namespace: None,
        subjects: Vec::new(),
        ttl_seconds: None,
        max_ttl_seconds: None,
        ttl_assumed: false,
        location: context.location(line, 1),
    }
}

/// Lifetimes that the configuration of a server sets for everything it issues.
fn servers(context: &Context<'_>, out: &mut Declarations) {
    let text = context.text.as_str();
    let spire = text.contains("trust_domain");
    for (at, line) in text.lines().enumerate() {
        let Some((key, value)) = line.split_once('=') else {
            continue;
        };
        let key = key.trim();
        let (kind, product, says) = match key {
            "default_svid_ttl" | "default_x509_svid_ttl" | "default_jwt_svid_ttl" if spire => (
                CapabilityKind::RuntimeIdentity,
                "spire",
                "the server gives workloads a SPIFFE identity",
            ),
            "default_lease_ttl" | "max_lease_ttl" => (
                CapabilityKind::DynamicSecrets,
                "vault",
                "the server sets how long what it issues lasts",
            ),
            _ => continue,
        };
        let value = value
            .split('#')
            .next()
            .unwrap_or_default()
            .trim()
            .trim_matches(['"', '\'']);
        let Some(lifetime) = seconds(value) else {
            continue;
        };
        let longest = key.starts_with("max");
        let column = line.len() - line.trim_start().len() + 1;
        out.capabilities.push(Capability {
            kind,
            product: product.to_owned(),
            name: format!("server {key}"),
            says: says.to_owned(),
            repository: context.repository.to_owned(),
            namespace: None,
            subjects: Vec::new(),
            ttl_seconds: (!longest).then_some(lifetime),
            max_ttl_seconds: longest.then_some(lifetime),
            ttl_assumed: false,
            location: context.location(
                u32::try_from(at + 1).unwrap_or(1),
                u32::try_from(column).unwrap_or(1),
            ),
        });
    }
}
