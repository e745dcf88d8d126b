//! CloudFormation, SAM and what the CDK writes: templates evaluated with the defaults of their parameters.

mod intrinsics;
mod resources;
mod sam;

use super::context::Context;
use super::infra::cloud::Unit;
use super::infra::draft::{Declared, Draft};
use super::infra::value::Val;
use super::node::{Key, Node};
use crate::model::{Declarations, UNKNOWN_ACCOUNT};
use intrinsics::Template;

/// Most resources of one template.
const MAX_RESOURCES: usize = 2_000;

/// One resource of a template.
struct Resource<'t> {
    name: &'t str,
    kind: &'t str,
    properties: Val,
    declared: Declared,
}

/// Whether a text may be a template.
pub(super) fn interesting(bytes: &[u8]) -> bool {
    let has = |what: &str| memchr::memmem::find(bytes, what.as_bytes()).is_some();
    has("Resources") && (has("AWS::") || has("Type")) && has("AWS::")
}

/// Whether a document is a template: resources whose types are of AWS.
pub(super) fn is_template(root: &Node) -> bool {
    root.get("Resources").is_some_and(|resources| {
        resources.entries().any(|(_, resource)| {
            resource
                .text_at(&["Type"])
                .is_some_and(|kind| kind.starts_with("AWS::"))
        })
    })
}

/// Reads a template; `prefix` is put before the addresses of its resources.
pub(super) fn read(context: &Context<'_>, root: &Node, tool: &str, out: &mut Declarations) {
    let template = Template::new(root);
    let unit = Unit {
        repository: context.repository,
        tool,
        name: context.uri,
    };
    let resources = resources(context, root, &template, out);
    let mut draft = Draft::new(UNKNOWN_ACCOUNT);
    for resource in &resources {
        if resource.kind.starts_with("AWS::Serverless::") {
            sam::add(context, &unit, &template, resource, &mut draft, out);
        } else {
            resources::add(&mut draft, resource);
            resources::consumer(context, &unit, resource, out);
        }
    }
    if !draft.is_empty() {
        let (stack, issued) = draft.finish(unit.repository, unit.tool, unit.name);
        out.stacks.push(stack);
        out.issued.extend(issued);
    }
}

fn resources<'n>(
    context: &Context<'_>,
    root: &'n Node,
    template: &Template<'n>,
    out: &mut Declarations,
) -> Vec<Resource<'n>> {
    let all: Vec<(&Key, &Node)> = root
        .get("Resources")
        .into_iter()
        .flat_map(Node::entries)
        .collect();
    let all = context.first(&all, MAX_RESOURCES, "resources", &mut out.notices);
    let mut made = Vec::new();
    for (key, node) in all {
        let Some(kind) = node.text_at(&["Type"]) else {
            continue;
        };
        if !resources::interesting(kind) {
            continue;
        }
        let condition = node
            .text_at(&["Condition"])
            .map(|name| template.condition(name));
        let open = match condition {
            Some(Some(false)) => {
                Some("a condition that is false with the template's defaults".to_owned())
            }
            Some(None) => Some(format!(
                "the condition {}",
                node.text_at(&["Condition"]).unwrap_or_default()
            )),
            _ => None,
        };
        made.push(Resource {
            name: &key.text,
            kind,
            properties: node
                .get("Properties")
                .map_or(Val::Null, |properties| template.value(properties)),
            declared: Declared {
                address: key.text.clone(),
                location: context.location(key.line, key.column),
                open,
            },
        });
    }
    made
}
