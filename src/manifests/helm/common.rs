//! What a widely used library chart names, for charts that ask for it and do not bring it along.

use super::eval::{Engine, Fault};
use super::value::Value;

/// Longest name of an object.
const MAX_NAME: usize = 63;

/// What a template of the library `common` gives; `None` when it is none of those known here.
pub(super) fn include(
    engine: &mut Engine<'_>,
    name: &str,
    argument: &Value,
) -> Option<Result<String, Fault>> {
    let values = argument.field("Values");
    let text = match name {
        "common.names.name" => cut(&first(
            &values.field("nameOverride"),
            &argument.field("Chart").field("Name"),
        )),
        "common.names.chart" => format!(
            "{}-{}",
            argument.field("Chart").field("Name").show(),
            argument.field("Chart").field("Version").show()
        ),
        "common.names.fullname" => fullname(argument),
        "common.names.fullname.namespace" => {
            format!("{}-{}", fullname(argument), namespace(argument))
        }
        "common.names.namespace" => namespace(argument),
        "common.tplvalues.render" => {
            let value = argument.field("value");
            let text = match &value {
                Value::Text(text) => text.clone(),
                other => other.yaml(1 << 20),
            };
            return Some(engine.template(&text, &argument.field("context")));
        }
        _ if name.starts_with("common.capabilities.") && name.ends_with(".apiVersion") => {
            "v1".to_owned()
        }
        _ if name.starts_with("common.labels.") || name.starts_with("common.affinities.") => {
            String::new()
        }
        _ => return None,
    };
    Some(Ok(text))
}

fn first(one: &Value, other: &Value) -> String {
    if one.truth() {
        one.show()
    } else {
        other.show()
    }
}

fn cut(name: &str) -> String {
    let name: String = name.chars().take(MAX_NAME).collect();
    name.trim_end_matches('-').to_owned()
}

fn namespace(context: &Value) -> String {
    first(
        &context.field("Values").field("namespaceOverride"),
        &context.field("Release").field("Namespace"),
    )
}

fn fullname(context: &Value) -> String {
    let values = context.field("Values");
    let whole = values.field("fullnameOverride");
    if whole.truth() {
        return cut(&whole.show());
    }
    let name = first(
        &values.field("nameOverride"),
        &context.field("Chart").field("Name"),
    );
    let release = context.field("Release").field("Name").show();
    if release.contains(&name) {
        cut(&release)
    } else {
        cut(&format!("{release}-{name}"))
    }
}
