//! Buildkite: every command step is a job.

use super::super::clean::clean;
use super::super::context::Context;
use super::super::node::{Key, Node};
use super::job::{Job, Unique};
use super::{MAX_JOBS, System};
use crate::model::Declarations;

/// Deepest nesting of groups and matrices of steps.
const MAX_DEPTH: usize = 5;

/// Reads a file: steps under `steps`, or a bare list of them.
pub(super) fn read(context: &Context<'_>, root: &Node, out: &mut Declarations) {
    let mut steps: Vec<&Node> = Vec::new();
    gather(root.get("steps").unwrap_or(root), 0, &mut steps);
    let mut unique = Unique::default();
    for step in context.first(&steps, MAX_JOBS, "steps", &mut out.notices) {
        job(context, root, &mut unique, step, out);
    }
}

fn gather<'n>(list: &'n Node, depth: usize, out: &mut Vec<&'n Node>) {
    for item in list.items() {
        if let Some(inner) = item.get("steps").filter(|_| depth < MAX_DEPTH) {
            gather(inner, depth + 1, out);
        } else if ["command", "commands", "plugins", "script"]
            .iter()
            .any(|key| item.get(key).is_some())
            || item
                .text_at(&["type"])
                .is_some_and(|kind| matches!(kind, "command" | "script"))
        {
            out.push(item);
        }
    }
}

fn job(
    context: &Context<'_>,
    root: &Node,
    unique: &mut Unique,
    step: &Node,
    out: &mut Declarations,
) {
    let title = ["label", "name", "key", "id", "identifier"]
        .iter()
        .find_map(|key| step.text_at(&[key]))
        .map_or_else(|| "step".to_owned(), clean);
    let name = unique.name(title.clone());
    let mut job = Job::new(System::Buildkite, &name, step.line, step.column);
    job.purpose = Some(title);
    job.note("command step of a Buildkite pipeline");
    job.limit(
        context,
        "timeout_in_minutes",
        step.get("timeout_in_minutes"),
    );
    job.defines(root.get("env"));
    job.defines(step.get("env"));
    if let Some(group) = step.text_at(&["concurrency_group"]) {
        job.note(format!("one at a time within {}", clean(group)));
    }
    let queue = step
        .path(&["agents", "queue"])
        .or_else(|| root.path(&["agents", "queue"]));
    if let Some(queue) = queue.and_then(Node::as_str) {
        job.note(format!("runs on queue {}", clean(queue)));
    }
    // A list of names, or a mapping of variables to names.
    if let Some(secrets) = step.get("secrets").or_else(|| root.get("secrets")) {
        let named = secrets
            .items()
            .iter()
            .chain(secrets.entries().map(|(_, node)| node));
        for node in named {
            if let Some(name) = node.as_str() {
                job.secret(
                    System::Buildkite.runtime(),
                    name,
                    None,
                    (node.line, node.column),
                );
            }
        }
    }
    let plugins = step.get("plugins");
    for item in plugins.map_or(&[][..], Node::items) {
        match item.as_str() {
            Some(name) => plugin(context, &mut job, name, None),
            None => {
                for (key, node) in item.entries() {
                    plugin(context, &mut job, &key.text, Some((key, node)));
                }
            }
        }
    }
    for (key, node) in plugins.into_iter().flat_map(Node::entries) {
        plugin(context, &mut job, &key.text, Some((key, node)));
    }
    if let Some(env) = root.get("env") {
        job.read(context, "env", env);
    }
    job.read(context, "", step);
    job.declare(context, out);
}

/// Reads one plugin: where it comes from, and the variables and secrets its configuration names.
fn plugin(context: &Context<'_>, job: &mut Job, source: &str, given: Option<(&Key, &Node)>) {
    let (path, version) = source.split_once('#').unwrap_or((source, ""));
    let bare = path.rsplit('/').next().unwrap_or(path);
    let bare = bare
        .trim_end_matches(".git")
        .trim_end_matches("-buildkite-plugin");
    if path.starts_with('.') {
        return;
    }
    let commit = version.len() == 40 && version.bytes().all(|b| b.is_ascii_hexdigit());
    let publisher = if path.contains("://") || path.contains('@') {
        ""
    } else {
        path.split_once('/')
            .map_or("buildkite-plugins", |(publisher, _)| publisher)
    };
    if !commit && !context.tables.ci.buildkite.first_party(publisher) {
        job.unpinned
            .insert(format!("unpinned plugin {}", clean(source)));
    }
    if context.tables.ci.federates(bare) {
        job.federated = true;
        job.note(format!("plugin {bare} exchanges the job's own identity"));
    }
    let Some((_, node)) = given else {
        return;
    };
    let names = &context.tables.names;
    // `password-env: NAME`, and `environment: [NAME]` or `propagate` lists that pass variables on.
    node.scalars("", &mut |key, scalar| {
        let Some(value) = scalar.as_str() else {
            return;
        };
        let variable = !value.is_empty()
            && value
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        let secret = names.secret_like(value)
            || names.lookup(value).is_some()
            || key.ends_with("password-env");
        let place = (scalar.line, scalar.column);
        if variable && secret && !job.defined.contains(value) && !names.identifies(value) {
            job.variable(value, None, place);
        }
    });
    let vault =
        bare.contains("vault") || matches!(bare, "aws-sm" | "aws-ssm" | "gcp-secret-manager");
    if vault || bare == "secrets" || bare == "cluster-secrets" {
        let store = if vault {
            bare
        } else {
            System::Buildkite.runtime()
        };
        let groups = ["env", "variables", "parameters", "secrets", "file"];
        for group in groups.iter().filter_map(|key| node.get(key)) {
            for (key, _) in group.entries() {
                let at = (key.line, key.column);
                job.secret(store, &key.text, None, at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::manifests::read;
    use crate::manifests::testing::shown;
    use crate::model::FingerprintKey;

    const FILE: &str = "\
env: {LOG: x}
steps:
  - label: ':hammer: build'
    command: make $$NPM_TOKEN
    timeout_in_minutes: 10
  - wait
  - block: sure?
  - group: ship
    steps:
      - key: ship
        commands: [\"./ship\"]
        secrets: {SHIP: prod_ship_token}
        plugins:
          - aws-assume-role-with-web-identity#v1.1.0:
              role-arn: arn:aws:iam::123456789012:role/ship
          - docker-login#v3.0.0: {username: u, password-env: REGISTRY_PASSWORD}
          - acme/notify#v1: ~
          - seek-oss/aws-sm#v2.3.2:
              env: {DB_PASSWORD: prod/db}
  - trigger: other
";

    #[test]
    fn command_steps_are_jobs() {
        let key = FingerprintKey::new([7; 32]);
        let out = read("shop", ".buildkite/pipeline.yml", FILE.as_bytes(), &key).unwrap();
        insta::assert_snapshot!(shown(&out), @r#"
        3:5 .buildkite/pipeline.yml/:hammer: build | - 600 s - | supported
            4:20 buildkite NPM_TOKEN (npm-token)
            B command step of a Buildkite pipeline
            B timeout_in_minutes: 10
        10:9 .buildkite/pipeline.yml/ship | - - - | configured
            as arn:aws:iam::123456789012:role/ship
            16:62 buildkite REGISTRY_PASSWORD (?)
            19:21 aws-sm DB_PASSWORD (database-password)
            12:25 buildkite prod_ship_token (?)
            risk: unpinned plugin acme/notify#v1
            risk: unpinned plugin seek-oss/aws-sm#v2.3.2
            B command step of a Buildkite pipeline
            D no timeout_in_minutes declared: the organisation's or pipeline's default, else none
            B plugin aws-assume-role-with-web-identity exchanges the job's own identity
        "#);
    }
}
