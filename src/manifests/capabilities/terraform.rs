//! Resources of the Terraform providers of secrets engines and brokers.

use super::super::clean::clean;
use super::super::context::Context;
use super::super::terraform::relax::relax;
use super::durations::seconds;
use super::vault::accounts;
use crate::model::{Capability, Declarations};
use crate::rules::capabilities::TerraformForm;
use hcl_edit::Span;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, Body};

/// Whether a path is one of Terraform's.
pub(in super::super) fn is_source(uri: &str) -> bool {
    let extension = uri.rsplit_once('.').map_or("", |(_, extension)| extension);
    matches!(extension, "tf" | "tofu")
}

/// Reads the resources of a file that issue, broker or prove; a file that is not whole says nothing here.
pub(in super::super) fn read(context: &Context<'_>, out: &mut Declarations) {
    let text = context.text.as_str();
    if !text.contains("resource") {
        return;
    }
    let parsed =
        hcl_edit::parser::parse_body(text).or_else(|_| hcl_edit::parser::parse_body(&relax(text)));
    let Ok(body) = parsed else {
        return;
    };
    for block in body.blocks() {
        if block.ident.as_str() != "resource" {
            continue;
        }
        let mut labels = block
            .labels
            .iter()
            .map(hcl_edit::structure::BlockLabel::as_str);
        let (Some(kind), Some(name)) = (labels.next(), labels.next()) else {
            continue;
        };
        if let Some(form) = context.tables.capabilities.terraform(kind) {
            out.capabilities
                .push(capability(context, block, kind, name, form));
        }
    }
}

fn capability(
    context: &Context<'_>,
    block: &Block,
    kind: &str,
    name: &str,
    form: &TerraformForm,
) -> Capability {
    let (line, column) = block
        .span()
        .map_or((1, 1), |span| context.text.position(span.start));
    let lifetime = |paths: &[String]| {
        paths
            .iter()
            .find_map(|path| at(&block.body, path))
            .map(|value| number(&value, form.minutes))
    };
    let (ttl, longest) = (lifetime(&form.ttl), lifetime(&form.max_ttl));
    let address = clean(&format!("{kind}.{name}"));
    let words = |name: &str| list(&block.body, name);
    let written = ttl.is_some() || longest.is_some();
    let (ttl, longest) = (ttl.flatten(), longest.flatten());
    // An expression that is not evaluated here is a lifetime that is not known, not one that is not written.
    let default = form.default_seconds.filter(|_| !written);
    let names = words("bound_service_account_names");
    let spaces = words("bound_service_account_namespaces");
    let borrowed = |list: &'_ [String]| {
        list.iter()
            .map(String::as_str)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let (names, spaces) = (borrowed(&names), borrowed(&spaces));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let spaces: Vec<&str> = spaces.iter().map(String::as_str).collect();
    Capability {
        kind: form.capability,
        product: form.product.clone(),
        says: form.says.clone(),
        repository: context.repository.to_owned(),
        namespace: None,
        subjects: accounts(&names, &spaces),
        ttl_seconds: ttl.or(default),
        max_ttl_seconds: longest,
        ttl_assumed: default.is_some(),
        location: context.location(line, column).naming(address.clone()),
        name: address,
    }
}

/// A literal at a dotted path of attributes, blocks and objects.
fn at(body: &Body, path: &str) -> Option<Expression> {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    if let Some(attribute) = body.get_attribute(first) {
        return within(&attribute.value, rest);
    }
    let block = body.get_blocks(first).next()?;
    at(&block.body, rest)
}

fn within(value: &Expression, path: &str) -> Option<Expression> {
    if path.is_empty() {
        return Some(value.clone());
    }
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let object = value.as_object()?;
    let (_, value) = object.iter().find(|(key, _)| {
        let name = key
            .as_ident()
            .map(|ident| ident.as_str().to_owned())
            .or_else(|| {
                key.as_expr()
                    .and_then(Expression::as_str)
                    .map(str::to_owned)
            });
        name.as_deref() == Some(first)
    })?;
    within(value.expr(), rest)
}

/// Seconds of a literal; `None` for an expression.
fn number(value: &Expression, minutes: bool) -> Option<u64> {
    let unit = if minutes { 60 } else { 1 };
    if let Some(number) = value.as_number() {
        return number.as_u64().map(|number| number.saturating_mul(unit));
    }
    seconds(value.as_str()?)
}

fn list(body: &Body, name: &str) -> Vec<String> {
    body.get_attribute(name)
        .and_then(|attribute| attribute.value.as_array())
        .into_iter()
        .flat_map(hcl_edit::expr::Array::iter)
        .filter_map(Expression::as_str)
        .map(str::to_owned)
        .collect()
}
