//! Azure Pipelines: every job and deployment, located at its `job` or `deployment` key. Files that are templates of other
//! pipelines are read the same way.

use super::super::clean::clean;
use super::super::context::Context;
use super::super::node::Node;
use super::job::{Job, Unique};
use super::{MAX_JOBS, System};
use crate::model::{ConsumerClass, CoverageStatus, Declarations};

/// Store of the variables of a group.
const GROUP: &str = "azure-variable-group";
/// Store of service connections.
const CONNECTION: &str = "azure-service-connection";
/// Deepest nesting of stages, jobs and template expressions.
const MAX_DEPTH: usize = 12;

/// What holds around a job.
#[derive(Clone, Copy)]
struct Scope<'n> {
    root: &'n Node,
    stage: Option<&'n Node>,
}

/// One job: the item of the list, and the stage around it.
struct Found<'n> {
    scope: Scope<'n>,
    node: &'n Node,
}

/// Whether a document is a pipeline or a template of one beyond doubt, whatever its path.
pub(super) fn unmistakable(root: &Node) -> bool {
    let known = |list: &str, keys: &[&str]| {
        root.get(list)
            .map_or(&[][..], Node::items)
            .iter()
            .any(|item| keys.iter().any(|key| item.get(key).is_some()))
    };
    known("stages", &["stage"])
        || known("jobs", &["job", "deployment"])
        || (known(
            "steps",
            &["task", "bash", "pwsh", "powershell", "checkout", "script"],
        ) && [
            "pool",
            "trigger",
            "pr",
            "parameters",
            "resources",
            "variables",
            "strategy",
        ]
        .iter()
        .any(|key| root.get(key).is_some())
            && root.get("on").is_none())
}

/// Reads a file.
pub(super) fn read(context: &Context<'_>, root: &Node, out: &mut Declarations) {
    let mut found = Vec::new();
    let scope = Scope { root, stage: None };
    for list in ["stages", "jobs"] {
        if let Some(list) = root.get(list) {
            gather(scope, list, 0, &mut found);
        }
    }
    // Templates are called with whole stages and jobs as parameters.
    if let Some(parameters) = root.path(&["extends", "parameters"]) {
        for (_, list) in parameters.entries() {
            gather(scope, list, 0, &mut found);
        }
    }
    if found.is_empty() && root.get("steps").is_some() {
        alone(context, root, out);
        return;
    }
    if found.len() > MAX_JOBS {
        found.truncate(MAX_JOBS);
        out.notices.push(context.notice(
            CoverageStatus::Skipped,
            "more than 2000 jobs; those behind were left out",
        ));
    }
    let mut unique = Unique::default();
    for Found { scope, node } in &found {
        let entry = node.entry("job").or_else(|| node.entry("deployment"));
        let Some((key, value)) = entry else { continue };
        let stage = scope.stage.and_then(|stage| stage.text_at(&["stage"]));
        let title = value
            .as_str()
            .filter(|title| !title.is_empty())
            .unwrap_or("job");
        let name =
            unique.name(stage.map_or_else(|| title.to_owned(), |stage| format!("{stage}/{title}")));
        let mut job = Job::new(System::Azure, &name, key.line, key.column);
        job.purpose = ["displayName"]
            .iter()
            .find_map(|key| node.text_at(&[key]))
            .or(Some(title))
            .map(clean);
        job.note(if key.text == "deployment" {
            "deployment job of an Azure pipeline"
        } else {
            "job of an Azure pipeline"
        });
        fill(context, *scope, &mut job, node);
        job.declare(context, out);
    }
}

/// A pipeline that is one job, or a template of steps, which is a consumer without an identity of its own.
fn alone(context: &Context<'_>, root: &Node, out: &mut Declarations) {
    let pipeline = ["trigger", "pr", "pool", "schedules", "resources", "extends"]
        .iter()
        .any(|key| root.get(key).is_some());
    let Some((key, _)) = root.entry("steps") else {
        return;
    };
    let mut job = Job::new(System::Azure, "steps", key.line, key.column);
    let scope = Scope { root, stage: None };
    job.purpose = root.text_at(&["name"]).map(clean);
    job.note(if pipeline {
        "pipeline of one job"
    } else {
        "template of steps; jobs of other files run it"
    });
    fill(context, scope, &mut job, root);
    if pipeline {
        job.declare(context, out);
        return;
    }
    let (identities, references) = (out.identities.len(), out.references.len());
    job.declare(context, out);
    out.identities.truncate(identities);
    if let Some(consumer) = out.consumers.last_mut() {
        consumer.identity = None;
        debug_assert_eq!(consumer.class, ConsumerClass::Ci);
        if out.references.len() == references && consumer.uses.native_ids.is_empty() {
            out.consumers.pop();
        }
    }
}

fn gather<'n>(scope: Scope<'n>, list: &'n Node, depth: usize, out: &mut Vec<Found<'n>>) {
    if depth > MAX_DEPTH || out.len() > MAX_JOBS {
        return;
    }
    for item in list.items() {
        if item.get("job").is_some() || item.get("deployment").is_some() {
            out.push(Found { scope, node: item });
            continue;
        }
        let stage = item.get("stage").map(|_| item).or(scope.stage);
        let inner = Scope {
            root: scope.root,
            stage,
        };
        if let Some(jobs) = item.get("jobs") {
            gather(inner, jobs, depth + 1, out);
        }
        for (key, node) in item.entries() {
            // `${{ if … }}:` and `${{ each … }}:` hold lists of the same kind; templates take them as parameters.
            if key.text.starts_with("${{") {
                gather(inner, node, depth + 1, out);
            } else if key.text == "parameters" {
                for (_, list) in node.entries() {
                    gather(inner, list, depth + 1, out);
                }
            }
        }
    }
}

fn fill(context: &Context<'_>, scope: Scope<'_>, job: &mut Job, node: &Node) {
    let Scope { root, stage } = scope;
    job.limit(context, "timeoutInMinutes", node.get("timeoutInMinutes"));
    job.environment = node
        .get("environment")
        .and_then(|environment| {
            environment
                .as_str()
                .or_else(|| environment.text_at(&["name"]))
        })
        .map(|name| clean(name.split('.').next().unwrap_or(name)));
    for cron in root.get("schedules").map_or(&[][..], Node::items) {
        job.schedule.extend(cron.text_at(&["cron"]).map(clean));
    }
    let pool = node
        .get("pool")
        .or_else(|| stage.and_then(|stage| stage.get("pool")))
        .or_else(|| root.get("pool"));
    if let Some(pool) = pool {
        let own = pool.as_str().or_else(|| pool.text_at(&["name"]));
        if let Some(name) = own.filter(|name| {
            !name.eq_ignore_ascii_case("azure pipelines")
                && !name.contains('$')
                && !name.eq_ignore_ascii_case("server")
        }) {
            job.risks
                .push(format!("self-hosted runner (pool {})", clean(name)));
        }
    }
    if stage
        .and_then(|stage| stage.text_at(&["lockBehavior"]))
        .is_some()
    {
        job.note("stage takes a lock");
    }
    let levels = [Some(root), stage, Some(node)];
    let mut variables: Vec<&Node> = Vec::new();
    for level in levels.into_iter().flatten() {
        if let Some(node) = level.get("variables")
            && !variables.iter().any(|known| std::ptr::eq(*known, node))
        {
            variables.push(node);
        }
    }
    for node in &variables {
        job.defines(Some(node));
        groups(job, node, 0);
        job.read(context, "variables", node);
    }
    job.read(context, "", node);
    if !std::ptr::eq(root, node)
        && let Some(containers) = root.path(&["resources", "containers"])
    {
        connections(context, job, containers);
    }
    connections(context, job, node);
    templates(context, job, node);
    if node_text(context, node).contains("addSpnToEnvironment")
        || node_text(context, node).contains("SYSTEM_OIDCREQUESTURI")
    {
        job.note("asks for the identity behind its service connection");
    }
}

fn node_text<'t>(context: &'t Context<'_>, node: &Node) -> &'t str {
    context.text.slice(node.span.0, node.span.1)
}

/// Groups of variables, and variables with a literal value, in the list form.
fn groups(job: &mut Job, list: &Node, depth: usize) {
    for item in list.items() {
        if let Some(group) = item.get("group")
            && let Some(name) = group.as_str()
        {
            job.note(format!("gets the variables of group {}", clean(name)));
            job.secret(GROUP, name, None, (group.line, group.column));
        }
        if let (Some(name), Some(value)) = (item.text_at(&["name"]), item.text_at(&["value"]))
            && !value.contains('$')
        {
            job.defined.insert(name.to_owned());
        }
        for (key, node) in item.entries() {
            if key.text.starts_with("${{") && depth < MAX_DEPTH {
                groups(job, node, depth + 1);
            }
        }
    }
    for (key, node) in list.entries() {
        if key.text.starts_with("${{") && depth < MAX_DEPTH {
            groups(job, node, depth + 1);
        }
    }
}

/// Service connections that inputs of tasks name.
fn connections(context: &Context<'_>, job: &mut Job, node: &Node) {
    let table = &context.tables.ci;
    let mut found = Vec::new();
    node.scalars("", &mut |key, scalar| {
        let Some(provider) = table.service_connection(key) else {
            return;
        };
        for name in scalar.as_str().unwrap_or_default().split(',') {
            let name = name.trim();
            if !name.is_empty() {
                found.push((name.to_owned(), provider, scalar.line, scalar.column));
            }
        }
    });
    for (name, provider, line, column) in found {
        job.note(format!("signs in by service connection {}", clean(&name)));
        let told =
            (provider != "unknown").then(|| ("service-connection".to_owned(), provider.to_owned()));
        job.secret(CONNECTION, &name, told, (line, column));
    }
}

/// Templates a job takes in, for people.
fn templates(context: &Context<'_>, job: &mut Job, node: &Node) {
    let mut names = Vec::new();
    node.scalars("", &mut |key, scalar| {
        if key == "template"
            && let Some(name) = scalar.as_str()
        {
            names.push(clean(name));
        }
    });
    names.sort();
    names.dedup();
    for name in names {
        job.note(format!("takes in template {name}"));
        let local = name.strip_suffix("@self").unwrap_or(&name);
        if !local.contains(['@', '$']) {
            job.takes_in.insert(beside(context.uri, local));
        }
    }
}

/// A path as written in a file, from the repository's root.
fn beside(uri: &str, path: &str) -> String {
    if let Some(absolute) = path.strip_prefix('/') {
        return absolute.to_owned();
    }
    let folder = uri.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use crate::manifests::read;
    use crate::manifests::testing::shown;
    use crate::model::FingerprintKey;

    const FILE: &str = "\
trigger: [main]
schedules:
  - cron: '0 3 * * *'
    branches: {include: [main]}
variables:
  - group: shop-secrets
  - {name: API_KEY, value: literal}
pool: {vmImage: ubuntu-latest}
stages:
  - stage: Build
    jobs:
      - job: compile
        timeoutInMinutes: 20
        steps:
          - bash: curl $(API_KEY) $(NPM_TOKEN) $(System.AccessToken)
      - ${{ if eq(parameters.x, true) }}:
          - job: extra
            pool: Own
            steps: [{script: 'true'}]
  - stage: Ship
    jobs:
      - deployment: ship
        displayName: Ship it
        environment: production.cluster
        strategy:
          runOnce:
            deploy:
              steps:
                - task: AzureCLI@2
                  inputs: {azureSubscription: prod-connection, scriptType: bash}
                - template: steps/notify.yml
";

    #[test]
    fn jobs_of_stages_and_conditions_are_read() {
        let key = FingerprintKey::new([7; 32]);
        let out = read("shop", "azure-pipelines.yml", FILE.as_bytes(), &key).unwrap();
        insta::assert_snapshot!(shown(&out), @r#"
        12:9 azure-pipelines.yml/Build/compile | - 1200 s 0 3 * * * | supported
            15:35 azure-pipelines NPM_TOKEN (npm-token)
            6:12 azure-variable-group shop-secrets (?)
            B job of an Azure pipeline
            B timeoutInMinutes: 20
            B gets the variables of group shop-secrets
        17:13 azure-pipelines.yml/Build/extra | - - 0 3 * * * | supported
            6:12 azure-variable-group shop-secrets (?)
            risk: self-hosted runner (pool Own)
            B job of an Azure pipeline
            D no timeoutInMinutes declared: 60 min on hosted agents, 360 in public projects, none on one's own
            B gets the variables of group shop-secrets
        22:9 azure-pipelines.yml/Ship/ship | production - 0 3 * * * | supported
            30:47 azure-service-connection prod-connection (service-connection)
            6:12 azure-variable-group shop-secrets (?)
            B deployment job of an Azure pipeline
            D no timeoutInMinutes declared: 60 min on hosted agents, 360 in public projects, none on one's own
            B gets the variables of group shop-secrets
            B signs in by service connection prod-connection
            B takes in template steps/notify.yml
        "#);
    }

    #[test]
    fn a_pipeline_may_be_one_job_and_a_template_none() {
        let key = FingerprintKey::new([7; 32]);
        let one = b"pool: {vmImage: x}\nsteps:\n- task: A@1\n  inputs: {awsCredentials: aws}\n";
        let out = read("shop", "build/ci.yml", one, &key).unwrap();
        assert_eq!((out.identities.len(), out.references.len()), (1, 1));
        let template = b"parameters: []\nsteps:\n- task: A@1\n  inputs: {awsCredentials: aws}\n";
        let out = read("shop", "build/steps.yml", template, &key).unwrap();
        assert_eq!((out.identities.len(), out.consumers.len()), (0, 1));
    }
}
