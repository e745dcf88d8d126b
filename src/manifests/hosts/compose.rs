//! Compose files: services, the variables and secrets they take, and whether they end.

use super::super::context::Context;
use super::super::node::{Node, Value};
use super::Runs;
use crate::model::{ConsumerClass, Declarations, Grade};

/// Where secrets of a compose file are kept.
const STORE: &str = "docker-secrets";
/// Most services of one file.
const MAX_SERVICES: usize = 500;

/// Whether a name is that of a compose file.
pub(in super::super) fn is_compose(name: &str) -> bool {
    let stem = name
        .strip_suffix(".yml")
        .or_else(|| name.strip_suffix(".yaml"));
    stem.is_some_and(|stem| {
        ["compose", "docker-compose"].iter().any(|known| {
            stem == *known
                || stem.starts_with(&format!("{known}."))
                || stem.starts_with(&format!("{known}-"))
        }) || stem.ends_with(".compose")
            || stem.ends_with(".docker-compose")
            || stem == "docker-stack"
    })
}

/// Reads a compose file.
pub(in super::super) fn read(context: &Context<'_>, root: &Node, out: &mut Declarations) {
    let services: Vec<_> = root
        .get("services")
        .into_iter()
        .flat_map(Node::entries)
        .collect();
    for (key, service) in context.first(&services, MAX_SERVICES, "services", &mut out.notices) {
        if !service.is_map() {
            continue;
        }
        let restart = service
            .text_at(&["restart"])
            .or_else(|| service.text_at(&["deploy", "restart_policy", "condition"]));
        let ports = ["ports", "expose"].iter().any(|list| {
            service
                .get(list)
                .is_some_and(|list| !list.items().is_empty())
        });
        let (class, why) = match restart {
            _ if ports => (ConsumerClass::RequestDriven, "publishes ports"),
            Some("no" | "none" | "on-failure") => {
                (ConsumerClass::Batch, "is not started again once it ends")
            }
            _ => (ConsumerClass::Daemon, "runs until it is stopped"),
        };
        let mut runs = Runs::new(
            "docker-compose",
            &key.text,
            class,
            why,
            (key.line, key.column),
        );
        if service.get("privileged").and_then(Node::as_bool) == Some(true) {
            runs.risks.push("privileged".to_owned());
        }
        if service.get("network_mode").and_then(Node::as_str) == Some("host") {
            runs.risks.push("hostNetwork".to_owned());
        }
        environment(context, service.get("environment"), &mut runs);
        environment(context, service.path(&["build", "args"]), &mut runs);
        for secret in service.get("secrets").map(Node::items).unwrap_or_default() {
            let name = secret.as_str().or_else(|| secret.text_at(&["source"]));
            if let Some(name) = name {
                runs.uses(STORE, name, None, false, (secret.line, secret.column));
            }
        }
        runs.declare(context, Grade::B, out);
    }
}

/// Variables as a mapping, or as a list of `NAME=value`.
pub(in super::super) fn environment(context: &Context<'_>, node: Option<&Node>, runs: &mut Runs) {
    let Some(node) = node else {
        return;
    };
    match &node.value {
        Value::Map(entries) => {
            for (key, value) in entries {
                runs.variable(context, &key.text, value.as_str(), (key.line, key.column));
            }
        }
        Value::List(items) => {
            for item in items {
                let Some(text) = item.as_str() else {
                    continue;
                };
                let (name, value) = match text.split_once('=') {
                    Some((name, value)) => (name, Some(value)),
                    None => (text, None),
                };
                runs.variable(context, name.trim(), value, (item.line, item.column));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{declared, shown};

    #[test]
    fn services_are_consumers_with_what_they_take() {
        let out = declared(
            "deploy/docker-compose.prod.yml",
            "services:\n  api:\n    ports: ['80:80']\n    environment:\n      STRIPE_KEY: ${STRIPE_SECRET_KEY}\n      LOG: debug\n  migrate:\n    restart: 'no'\n    environment: [DATABASE_URL, 'X=1']\n    secrets: [db_password]\n  worker: {image: x}\n",
        );
        insta::assert_snapshot!(shown(&out), @"
        2:3 api | - - - | unknown
            5:7 environment STRIPE_SECRET_KEY (stripe-secret-key)
            B publishes ports
        7:3 migrate | - - - | unknown
            10:15 docker-secrets db_password (database-password)
            9:19 environment DATABASE_URL (database-password)
            B is not started again once it ends
        11:3 worker | - - - | unknown
            B runs until it is stopped
        ");
        let classes: Vec<&str> = out.consumers.iter().map(|one| one.class.as_str()).collect();
        assert_eq!(classes, ["request-driven", "batch", "daemon"]);
        assert_eq!(out.identities.len(), 3);
    }
}
