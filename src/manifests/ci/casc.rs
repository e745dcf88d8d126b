//! Credentials that Jenkins is configured with as code: what stands behind the ids that pipelines name.

use super::super::clean::clean;
use super::super::context::Context;
use super::super::node::Node;
use super::System;
use crate::model::{DEFINED, Declarations, SecretReference};

/// Most credentials of one file.
const MAX_FOUND: usize = 2_000;
/// Keys that do not hold what is secret.
const OPEN: [&str; 6] = [
    "id",
    "scope",
    "description",
    "username",
    "fileName",
    "domain",
];

/// Whether a text may configure credentials: cheap.
pub(in crate::manifests) fn interesting(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, b"domainCredentials").is_some()
}

/// Whether a document is a configuration of Jenkins with credentials.
pub(in crate::manifests) fn by_content(root: &Node) -> bool {
    domains(root).next().is_some()
}

fn domains(root: &Node) -> impl Iterator<Item = &Node> {
    root.path(&["credentials", "system", "domainCredentials"])
        .map_or(&[][..], Node::items)
        .iter()
}

/// Tells where the value of every id stands.
pub(in crate::manifests) fn read(context: &Context<'_>, root: &Node, out: &mut Declarations) {
    let credentials = domains(root)
        .filter_map(|domain| domain.get("credentials"))
        .flat_map(Node::items)
        .flat_map(Node::entries)
        .take(MAX_FOUND);
    for (kind, credential) in credentials {
        let Some((id, node)) = credential
            .entry("id")
            .and_then(|(_, node)| Some((node.as_str()?, node)))
        else {
            continue;
        };
        let mut add = |name: String, line: u32, column: u32| {
            out.references.push(SecretReference {
                name,
                store: format!("{DEFINED}{}", System::Jenkins.runtime()),
                kind: None,
                provider: None,
                repository: context.repository.to_owned(),
                consumer: None,
                location: context.location(line, column),
            });
        };
        let id = clean(id);
        if id.is_empty() || id.contains('/') {
            continue;
        }
        // The declaration itself, then every place a value of it may stand.
        add(
            format!("{id}/{}", clean(&kind.text)),
            node.line,
            node.column,
        );
        credential.scalars("", &mut |key, value| {
            let text = value.as_str().unwrap_or_default();
            if !OPEN.contains(&key) && !text.is_empty() && !text.starts_with("${") {
                add(format!("{id}/{}", clean(key)), value.line, value.column);
                // A text of several lines begins below its key.
                if text.contains('\n') {
                    add(format!("{id}/{}", clean(key)), value.line + 1, 1);
                }
            }
        });
    }
}
