//! What a template would declare by other values: accounts, roles and bindings that the chart's own values switch off. They
//! are declared and not made: the inventory has them with a note, and nothing follows from them.

use super::super::context::Context;
use super::super::text::Text;
use super::super::{kubernetes, yaml};
use super::chart::Job;
use super::eval::{Engine, File, Library};
use super::places::{Places, part};
use crate::model::{Declarations, Evidence, FingerprintKey, Grade, Location};
use crate::rules::manifests::ManifestTables;
use std::collections::BTreeSet;

/// Kinds that are listed.
const KINDS: [&str; 5] = [
    "ServiceAccount",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
];
/// Most of one file.
const MAX_KINDS: usize = 40;

/// Adds what stands in a template and is not among the lines that its values render.
#[expect(
    clippy::too_many_arguments,
    reason = "what one template is rendered with"
)]
pub(super) fn declare(
    tables: &ManifestTables,
    key: &FingerprintKey,
    files: &[File<'_>],
    library: &Library,
    at: usize,
    job: &Job<'_>,
    rendered: &BTreeSet<u32>,
    out: &mut Declarations,
) {
    let text = Text::new(job.text.text.as_bytes());
    let context = Context {
        repository: &job.text.repository,
        uri: &job.text.uri,
        text: &text,
        key,
        tables,
    };
    for (line, place) in sought(text.as_str(), rendered) {
        let mut output = Engine::new(files, library)
            .towards(place)
            .render(at, &job.context);
        part(&mut output);
        let written = Text::new(output.text.as_bytes());
        let places = Places {
            output: &written,
            marks: &output.marks,
            template: &text,
        };
        let mut parsed = yaml::parse(&written);
        for document in &mut parsed.documents {
            places.move_node(document);
        }
        parsed.documents.retain(|document| {
            document
                .entry("kind")
                .is_some_and(|(key, _)| key.line == line)
        });
        parsed.documents.truncate(1);
        let mut found = Declarations::default();
        kubernetes::read(&context, &parsed.documents, &mut found);
        keep(found, line, out);
    }
}

/// Lines that name a kind and are not rendered, with the place of their end.
fn sought(text: &str, rendered: &BTreeSet<u32>) -> Vec<(u32, usize)> {
    let mut out = Vec::new();
    let mut at = 0;
    for (line, content) in (1_u32..).zip(text.split_inclusive('\n')) {
        if let Some(rest) = content.strip_prefix("kind:")
            && !rendered.contains(&line)
            && out.len() < MAX_KINDS
        {
            let word = rest.trim().trim_matches(['"', '\'']);
            if KINDS.contains(&word) || word.starts_with("{{") {
                out.push((line, at));
            }
        }
        at += content.len();
    }
    out
}

fn keep(found: Declarations, line: u32, out: &mut Declarations) {
    let here = |location: &Location| location.line == Some(line);
    for mut identity in found.identities {
        let known = out.identities.iter().any(|known| known.id == identity.id);
        if !known && identity.locations.iter().any(here) && identity.grade < Grade::C {
            identity.notes.push(Evidence::new(
                Grade::B,
                format!("switched off: the values of its chart do not make the one at line {line}"),
            ));
            out.identities.push(identity);
        }
    }
    for mut role in found.roles {
        role.switched_off = true;
        out.roles.push(role);
    }
    for mut binding in found.bindings {
        binding.switched_off = true;
        out.bindings.push(binding);
    }
}
