//! Registration entries of SPIRE: as files that its command line reads, and as scripts make them.

use super::super::clean::clean;
use super::super::context::Context;
use super::super::node::{Node, Value};
use super::MAX_FOUND;
use super::durations::seconds;
use super::script::commands;
use crate::model::{Capability, CapabilityKind, Declarations, Location};

/// Lifetime of an identity of which nothing is written, in seconds: the server's own default.
const DEFAULT_SECONDS: u64 = 3_600;

/// One entry.
struct Entry<'e> {
    id: &'e str,
    selectors: &'e [String],
    /// Lifetime as written, in seconds.
    ttl: Option<u64>,
    /// It is for the agents of nodes.
    node: bool,
}

fn push(context: &Context<'_>, entry: &Entry<'_>, location: Location, out: &mut Declarations) {
    let mut subjects: Vec<String> = of_selectors(entry.selectors)
        .into_iter()
        .chain(of_id(entry.id))
        .collect();
    subjects.truncate(1);
    out.capabilities.push(Capability {
        kind: CapabilityKind::RuntimeIdentity,
        product: "spire".to_owned(),
        name: clean(&format!("entry {}", entry.id)),
        says: if entry.node {
            "gives the agents of nodes a SPIFFE identity".to_owned()
        } else {
            "gives a workload a SPIFFE identity".to_owned()
        },
        repository: context.repository.to_owned(),
        namespace: None,
        subjects,
        ttl_seconds: Some(entry.ttl.unwrap_or(DEFAULT_SECONDS)),
        max_ttl_seconds: None,
        ttl_assumed: entry.ttl.is_none(),
        location: location.naming(clean(entry.id)),
    });
}

/// Reads the commands of a script that make entries: `spire-server entry create -spiffeID … -selector …`.
pub(super) fn script(context: &Context<'_>, out: &mut Declarations) {
    for command in commands(context.text.as_str(), &["entry create"]) {
        if out.capabilities.len() >= MAX_FOUND {
            return;
        }
        let (mut id, mut selectors, mut node) = (None, Vec::new(), false);
        let (mut x509, mut any, mut jwt) = (None, None, None);
        let mut words = command.text.split_whitespace();
        while let Some(word) = words.next() {
            let Some(flag) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else {
                continue;
            };
            let (flag, given) = match flag.split_once('=') {
                Some((flag, given)) => (flag, Some(given)),
                None => (flag, None),
            };
            if flag == "node" {
                node = true;
                continue;
            }
            let known = ["spiffeID", "selector", "x509SVIDTTL", "jwtSVIDTTL", "ttl"];
            if !known.contains(&flag) {
                continue;
            }
            let Some(value) = given.or_else(|| words.next()) else {
                break;
            };
            let value = value.trim_matches(['"', '\'']);
            match flag {
                "spiffeID" => id = Some(value.to_owned()),
                "selector" => selectors.push(value.to_owned()),
                "x509SVIDTTL" => x509 = seconds(value),
                "jwtSVIDTTL" => jwt = seconds(value),
                _ => any = seconds(value),
            }
        }
        let Some(id) = id else {
            continue;
        };
        let entry = Entry {
            id: &id,
            selectors: &selectors,
            ttl: x509.or(any).or(jwt).filter(|ttl| *ttl > 0),
            node,
        };
        let place = context.location(command.line, command.column);
        push(context, &entry, place, out);
    }
}

/// Registration entries of SPIRE as its command line reads them.
pub(super) fn entries(context: &Context<'_>, document: &Node, out: &mut Declarations) {
    for entry in document.get("entries").map_or(&[][..], Node::items) {
        let id = match entry.get("spiffe_id") {
            Some(Node {
                value: Value::Map(_),
                ..
            }) => {
                let part = |key: &str| entry.text_at(&["spiffe_id", key]).unwrap_or_default();
                format!("spiffe://{}{}", part("trust_domain"), part("path"))
            }
            Some(node) => node.as_str().unwrap_or_default().to_owned(),
            None => continue,
        };
        if out.capabilities.len() >= MAX_FOUND {
            return;
        }
        let number = |key: &str| {
            entry
                .get(key)
                .and_then(Node::as_u64)
                .filter(|seconds| *seconds > 0)
        };
        let written = number("x509_svid_ttl")
            .or_else(|| number("ttl"))
            .or_else(|| number("jwt_svid_ttl"));
        let selectors: Vec<String> = entry
            .get("selectors")
            .map_or(&[][..], Node::items)
            .iter()
            .filter_map(|selector| {
                Some(match selector.as_str() {
                    Some(text) => text.to_owned(),
                    None => format!(
                        "{}:{}",
                        selector.text_at(&["type"])?,
                        selector.text_at(&["value"])?
                    ),
                })
            })
            .collect();
        let one = Entry {
            id: &id,
            selectors: &selectors,
            ttl: written,
            node: false,
        };
        push(
            context,
            &one,
            context.location(entry.line, entry.column),
            out,
        );
    }
}

/// The service account that the end of a SPIFFE id names: `/ns/shop/sa/web`.
fn of_id(id: &str) -> Option<String> {
    let (_, rest) = id.split_once("/ns/")?;
    let (namespace, name) = rest.split_once("/sa/")?;
    let plain = |text: &str| !text.is_empty() && !text.contains(['$', '{', '/']);
    (plain(namespace) && plain(name))
        .then(|| clean(&format!("system:serviceaccount:{namespace}:{name}")))
}

/// The service account that selectors such as `k8s:ns:shop` and `k8s:sa:web` name.
pub(super) fn of_selectors(selectors: &[String]) -> Option<String> {
    let of = |what: &str| {
        selectors.iter().find_map(|selector| {
            selector
                .strip_prefix(&format!("k8s:{what}:"))
                .map(str::to_owned)
        })
    };
    let (namespace, name) = (of("ns"), of("sa"));
    if namespace.is_none() && name.is_none() {
        return None;
    }
    Some(clean(&format!(
        "system:serviceaccount:{}:{}",
        namespace.as_deref().unwrap_or("*"),
        name.as_deref().unwrap_or("*")
    )))
}

#[cfg(test)]
mod tests {
    use crate::manifests::read;
    use crate::model::FingerprintKey;

    #[test]
    fn scripts_make_entries() {
        let text = "set -e\nkubectl exec -n spire spire-server-0 -- \\\n    /opt/spire/bin/spire-server entry create \\\n    -spiffeID spiffe://example.org/ns/spire/sa/agent \\\n    -selector k8s_psat:cluster:demo \\\n    -node\n./bin/spire-server entry create -parentID x -spiffeID=\"spiffe://example.org/db\" -selector k8s:ns:shop -selector k8s:sa:db -x509SVIDTTL 7200\nregister() { spire-server entry create \"$@\"; }\n";
        let key = FingerprintKey::new([7; 32]);
        let out = read("shop", "register.sh", text.as_bytes(), &key).unwrap();
        let lines: Vec<String> = out
            .capabilities
            .iter()
            .map(|one| {
                format!(
                    "{}:{} {} | {} | {:?} {} | {}",
                    one.location.display(),
                    one.location.column.unwrap_or(0),
                    one.name,
                    one.says,
                    one.ttl_seconds,
                    one.ttl_assumed,
                    one.subjects.join(" ")
                )
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @"
        shop/register.sh:3:33 entry spiffe://example.org/ns/spire/sa/agent | gives the agents of nodes a SPIFFE identity | Some(3600) true | system:serviceaccount:spire:agent
        shop/register.sh:7:20 entry spiffe://example.org/db | gives a workload a SPIFFE identity | Some(7200) false | system:serviceaccount:shop:db
        ");
    }
}
