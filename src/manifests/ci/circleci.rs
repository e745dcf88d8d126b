//! CircleCI: every job of the configuration, and every job of an orb that a workflow runs.

use super::super::clean::clean;
use super::super::context::Context;
use super::super::node::{Key, Node};
use super::job::{Job, Unique};
use super::{MAX_JOBS, System};
use crate::model::Declarations;
use std::collections::BTreeSet;

/// Store of what a context holds.
const CONTEXT: &str = "circleci-context";
/// Deepest chain of commands followed.
const MAX_DEPTH: usize = 10;

/// One run of a job in a workflow.
struct Run<'n> {
    workflow: &'n str,
    job: &'n str,
    parameters: Option<&'n Node>,
    line: u32,
    column: u32,
    crons: Vec<String>,
}

/// Reads a file.
pub(super) fn read(context: &Context<'_>, root: &Node, out: &mut Declarations) {
    let runs = runs(root);
    let declared: Vec<(&Key, &Node)> = root
        .get("jobs")
        .into_iter()
        .flat_map(Node::entries)
        .filter(|(_, job)| job.is_map())
        .collect();
    for (key, node) in context.first(&declared, MAX_JOBS, "jobs", &mut out.notices) {
        let mut job = Job::new(System::CircleCi, &key.text, key.line, key.column);
        job.purpose = node
            .text_at(&["description"])
            .map(clean)
            .or_else(|| Some(clean(&key.text)));
        job.note("job of a CircleCI configuration");
        let of_it: Vec<&Run<'_>> = runs.iter().filter(|run| run.job == key.text).collect();
        if of_it.is_empty() {
            job.note("no workflow of this file runs it");
        }
        for run in of_it {
            started(context, &mut job, run);
        }
        whole(context, root, &mut job, node);
        job.declare(context, out);
    }
    // Jobs of orbs are declared elsewhere: where a workflow runs them is all this repository says.
    let mut unique = Unique::default();
    let foreign: Vec<&Run<'_>> = runs
        .iter()
        .filter(|run| !declared.iter().any(|(key, _)| key.text == run.job))
        .filter(|run| {
            let kind = run.parameters.and_then(|node| node.text_at(&["type"]));
            !matches!(kind, Some("approval" | "no-op"))
        })
        .collect();
    for run in context.first(&foreign, MAX_JOBS, "jobs of orbs", &mut out.notices) {
        let title = run
            .parameters
            .and_then(|node| node.text_at(&["name"]))
            .unwrap_or(run.job);
        let name = unique.name(format!("{}/{title}", run.workflow));
        let mut job = Job::new(System::CircleCi, &name, run.line, run.column);
        job.note(format!(
            "job {} in workflow {}; what it does is declared elsewhere",
            clean(run.job),
            clean(run.workflow)
        ));
        started(context, &mut job, run);
        job.limit(context, "timeout", None);
        if let Some(parameters) = run.parameters {
            job.read(context, "", parameters);
            named_variables(context, &mut job, parameters);
        }
        orb(
            context,
            root,
            &mut job,
            run.job,
            run.parameters,
            (run.line, run.column),
        );
        job.declare(context, out);
    }
}

fn runs(root: &Node) -> Vec<Run<'_>> {
    let mut runs = Vec::new();
    for (key, workflow) in root.get("workflows").into_iter().flat_map(Node::entries) {
        let crons: Vec<String> = workflow
            .get("triggers")
            .map_or(&[][..], Node::items)
            .iter()
            .filter_map(|trigger| trigger.text_at(&["schedule", "cron"]).map(clean))
            .collect();
        for item in workflow.get("jobs").map_or(&[][..], Node::items) {
            if let Some(job) = item.as_str() {
                runs.push(Run {
                    workflow: &key.text,
                    job,
                    parameters: None,
                    line: item.line,
                    column: item.column,
                    crons: crons.clone(),
                });
            }
            for (job, parameters) in item.entries() {
                runs.push(Run {
                    workflow: &key.text,
                    job: &job.text,
                    parameters: Some(parameters),
                    line: job.line,
                    column: job.column,
                    crons: crons.clone(),
                });
            }
        }
    }
    runs
}

/// What a workflow gives a job it runs.
fn started(context: &Context<'_>, job: &mut Job, run: &Run<'_>) {
    for cron in &run.crons {
        if !job.schedule.contains(cron) {
            job.schedule.push(cron.clone());
        }
    }
    let Some(parameters) = run.parameters else {
        return;
    };
    let Some(contexts) = parameters.get("context") else {
        return;
    };
    for item in contexts.items().iter().chain([contexts]) {
        let Some(name) = item.as_str().filter(|name| !name.contains("<<")) else {
            continue;
        };
        job.note(format!("gets the variables of context {}", clean(name)));
        job.secret(CONTEXT, name, None, (item.line, item.column));
        let told = context.tables.environments.of(name);
        if job.environment.is_none() && told != crate::model::Environment::Unknown {
            job.environment = Some(clean(name));
        }
    }
}

/// Reads a job of the file with its executor and the commands it calls.
fn whole(context: &Context<'_>, root: &Node, job: &mut Job, node: &Node) {
    job.limit(context, "timeout", None);
    job.defines(node.get("environment"));
    let executor = node
        .get("executor")
        .and_then(|executor| executor.as_str().or_else(|| executor.text_at(&["name"])))
        .and_then(|name| root.path(&["executors", name]));
    let mut seen = BTreeSet::new();
    for part in [Some(node), executor].into_iter().flatten() {
        job.defines(part.get("environment"));
        let class = part.text_at(&["resource_class"]);
        if class.is_some_and(|class| class.contains('/')) {
            job.risks.push("self-hosted runner".to_owned());
        }
        follow(context, root, job, part, 0, &mut seen);
    }
    job.risks.dedup();
}

fn follow<'n>(
    context: &Context<'_>,
    root: &'n Node,
    job: &mut Job,
    part: &'n Node,
    depth: usize,
    seen: &mut BTreeSet<&'n str>,
) {
    job.read(context, "", part);
    named_variables(context, job, part);
    let steps = ["steps", "pre-steps", "post-steps"];
    let steps = steps.iter().filter_map(|key| part.get(key));
    for step in steps.flat_map(Node::items) {
        let (name, parameters, at) = match step.as_str() {
            Some(name) => (name, None, (step.line, step.column)),
            None => match step.entries().next() {
                Some((key, node)) => (key.text.as_str(), Some(node), (key.line, key.column)),
                None => continue,
            },
        };
        if let Some(command) = root.path(&["commands", name]) {
            if depth < MAX_DEPTH && seen.insert(name) {
                follow(context, root, job, command, depth + 1, seen);
            }
        } else if name == "when" || name == "unless" {
            if let Some(node) = parameters.filter(|_| depth < MAX_DEPTH) {
                follow(context, root, job, node, depth + 1, seen);
            }
        } else {
            orb(context, root, job, name, parameters, at);
        }
    }
}

/// What the command or job of an orb brings with it.
fn orb(
    context: &Context<'_>,
    root: &Node,
    job: &mut Job,
    name: &str,
    parameters: Option<&Node>,
    at: (u32, u32),
) {
    let Some((alias, command)) = name.split_once('/') else {
        return;
    };
    let Some(source) = root.text_at(&["orbs", alias]) else {
        return;
    };
    let (orb, version) = source.split_once('@').unwrap_or((source, ""));
    job.note(format!("runs {} of orb {}", clean(command), clean(source)));
    let publisher = orb.split('/').next().unwrap_or(orb);
    let exact = version.split('.').count() == 3
        && version.split('.').all(|part| part.parse::<u32>().is_ok());
    if !exact && !context.tables.ci.circleci.first_party(publisher) {
        job.unpinned
            .insert(format!("unpinned orb {}", clean(source)));
    }
    for implied in context.tables.ci.implied(orb) {
        let given =
            |wanted: &String| parameters.is_some_and(|parameters| parameters.get(wanted).is_some());
        if implied.unless.iter().any(given) {
            job.federated = true;
        } else if !job.defined.contains(&implied.name) {
            job.variable(&implied.name, None, at);
        }
    }
}

/// Parameters of orbs take the names of variables: `aws-access-key-id: AWS_ACCESS_KEY_ID_PROD`.
fn named_variables(context: &Context<'_>, job: &mut Job, node: &Node) {
    let names = &context.tables.names;
    node.scalars("", &mut |key, scalar| {
        let Some(value) = scalar.as_str() else {
            return;
        };
        if matches!(
            key,
            "role_arn" | "role-arn" | "aws_role_arn" | "oidc_role_arn"
        ) {
            job.federated = true;
        }
        let variable = value.contains('_')
            && value
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        let secret = names.secret_like(key) || names.lookup(key).is_some();
        if variable && secret && !job.defined.contains(value) && !names.identifies(key) {
            let told = super::super::names::told_by_variable(context, key, value);
            job.variable(
                value,
                told.map(|(told, _)| told),
                (scalar.line, scalar.column),
            );
        }
    });
}

#[cfg(test)]
mod tests {
    use crate::manifests::read;
    use crate::manifests::testing::shown;
    use crate::model::FingerprintKey;

    const FILE: &str = "\
version: 2.1
orbs:
  aws-cli: circleci/aws-cli@4.1
  ship: acme/ship@volatile
executors:
  own: {machine: true, resource_class: acme/runner}
commands:
  publish:
    steps:
      - run: npm publish --token \"$NPM_TOKEN\"
jobs:
  build:
    docker: [{image: x, auth: {username: u, password: $DOCKERHUB_PASSWORD}}]
    environment: {API_TOKEN: literal}
    steps:
      - checkout
      - publish
      - run: {command: 'curl $API_TOKEN $CIRCLE_OIDC_TOKEN'}
  deploy:
    executor: own
    steps:
      - aws-cli/setup: {role_arn: 'arn:aws:iam::123456789012:role/deploy'}
      - aws-cli/setup: {aws-access-key-id: PROD_AWS_ACCESS_KEY_ID}
  idle: {docker: [], steps: []}
workflows:
  version: 2
  nightly:
    triggers: [{schedule: {cron: '0 3 * * *', filters: {}}}]
    jobs:
      - build
      - hold: {type: approval}
      - deploy:
          context: [aws-production, slack]
      - ship/now:
          name: ship it
          context: ship
          requires: [hold]
";

    #[test]
    fn jobs_know_what_workflows_and_commands_give_them() {
        let key = FingerprintKey::new([7; 32]);
        let out = read("shop", ".circleci/config.yml", FILE.as_bytes(), &key).unwrap();
        insta::assert_snapshot!(shown(&out), @r#"
        12:3 .circleci/config.yml/build | - - 0 3 * * * | configured
            13:55 circleci DOCKERHUB_PASSWORD (docker-hub-token)
            10:35 circleci NPM_TOKEN (npm-token)
            B job of a CircleCI configuration
            D no limit of a job can be declared: the plan's, 1 to 5 h
        19:3 .circleci/config.yml/deploy | aws-production - 0 3 * * * | configured
            as arn:aws:iam::123456789012:role/deploy
            23:9 circleci AWS_ACCESS_KEY_ID (aws-access-key)
            23:44 circleci PROD_AWS_ACCESS_KEY_ID (aws-access-key)
            33:21 circleci-context aws-production (?)
            33:37 circleci-context slack (slack-bot-token)
            risk: self-hosted runner
            B job of a CircleCI configuration
            B gets the variables of context aws-production
            B gets the variables of context slack
            D no limit of a job can be declared: the plan's, 1 to 5 h
            B runs setup of orb circleci/aws-cli@4.1
            B runs setup of orb circleci/aws-cli@4.1
        24:3 .circleci/config.yml/idle | - - - | supported
            B job of a CircleCI configuration
            B no workflow of this file runs it
            D no limit of a job can be declared: the plan's, 1 to 5 h
        34:9 .circleci/config.yml/nightly/ship it | - - 0 3 * * * | supported
            36:20 circleci-context ship (?)
            risk: unpinned orb acme/ship@volatile
            B job ship/now in workflow nightly; what it does is declared elsewhere
            B gets the variables of context ship
            D no limit of a job can be declared: the plan's, 1 to 5 h
            B runs now of orb acme/ship@volatile
        "#);
    }
}
