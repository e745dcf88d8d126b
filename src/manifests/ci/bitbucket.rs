//! Bitbucket Pipelines: every step is a job, located at its `step` key.

use super::super::clean::clean;
use super::super::context::Context;
use super::super::node::{Node, Value};
use super::job::{Job, Unique};
use super::{MAX_JOBS, System};
use crate::model::{CoverageStatus, Declarations};

/// What holds for the steps of one pipeline.
#[derive(Clone, Copy)]
struct Scope<'n> {
    root: &'n Node,
    /// `default`, `branches/main`, …
    pipeline: &'n str,
    /// The stage around the step.
    stage: Option<&'n Node>,
}

/// Steps in the order of the file.
struct Steps<'n> {
    found: Vec<(String, Option<&'n Node>, &'n Node, &'n Node)>,
}

/// Reads a file.
pub(super) fn read(context: &Context<'_>, root: &Node, out: &mut Declarations) {
    let groups = [
        root.get("pipelines"),
        root.path(&["definitions", "pipelines"]),
    ];
    let mut steps = Steps { found: Vec::new() };
    for (kind, node) in groups.into_iter().flatten().flat_map(Node::entries) {
        if let Value::Map(named) = &node.value {
            for (name, list) in named {
                steps.gather(&format!("{}/{}", kind.text, name.text), None, list, 0);
            }
        } else {
            steps.gather(&kind.text, None, node, 0);
        }
    }
    if steps.found.len() > MAX_JOBS {
        out.notices.push(context.notice(
            CoverageStatus::Skipped,
            "more than 2000 steps; those behind were left out",
        ));
        steps.found.truncate(MAX_JOBS);
    }
    let mut unique = Unique::default();
    for (pipeline, stage, item, step) in &steps.found {
        let scope = Scope {
            root,
            pipeline,
            stage: *stage,
        };
        job(context, scope, &mut unique, item, step, out);
    }
}

impl<'n> Steps<'n> {
    fn gather(&mut self, pipeline: &str, stage: Option<&'n Node>, list: &'n Node, depth: usize) {
        // Stages hold parallel groups, and these hold steps.
        if depth > 4 || self.found.len() > MAX_JOBS {
            return;
        }
        for item in list.items() {
            if let Some(step) = item.get("step") {
                self.found.push((pipeline.to_owned(), stage, item, step));
            }
            if let Some(parallel) = item.get("parallel") {
                let steps = parallel.get("steps").unwrap_or(parallel);
                self.gather(pipeline, stage, steps, depth + 1);
            }
            if let Some(stage) = item.get("stage")
                && let Some(steps) = stage.get("steps")
            {
                self.gather(pipeline, Some(stage), steps, depth + 1);
            }
        }
    }
}

fn job(
    context: &Context<'_>,
    scope: Scope<'_>,
    unique: &mut Unique,
    item: &Node,
    step: &Node,
    out: &mut Declarations,
) {
    let Scope { root, stage, .. } = scope;
    let title = step
        .text_at(&["name"])
        .map_or_else(|| "step".to_owned(), clean);
    let name = unique.name(format!("{}/{title}", scope.pipeline));
    let mut job = Job::new(System::Bitbucket, &name, item.line, item.column);
    job.purpose = Some(format!("{title} ({})", clean(scope.pipeline)));
    job.note(format!("step of pipeline {}", clean(scope.pipeline)));
    let of = |key: &str| {
        step.get(key)
            .or_else(|| stage.and_then(|stage| stage.get(key)))
    };
    job.environment = of("deployment").and_then(Node::as_str).map(clean);
    job.limit(
        context,
        "max-time",
        step.get("max-time")
            .or_else(|| root.path(&["options", "max-time"])),
    );
    job.federated = step.get("oidc").and_then(Node::as_bool) == Some(true);
    if job.federated {
        job.note("oidc: true");
    }
    if of("trigger").and_then(Node::as_str) == Some("manual") {
        job.note("started by hand (trigger: manual)");
    }
    if scope.pipeline.starts_with("custom/") {
        job.note(
            "custom pipeline: started by hand or by a schedule kept in the repository's settings",
        );
    }
    if step
        .get("runs-on")
        .is_some_and(|labels| labels.texts().any(|label| label.starts_with("self.hosted")))
    {
        job.risks.push("self-hosted runner".to_owned());
    }
    for list in ["script", "after-script"] {
        for item in step.get(list).map_or(&[][..], Node::items) {
            let Some(pipe) = item.text_at(&["pipe"]) else {
                continue;
            };
            job.note(format!("runs pipe {}", clean(pipe)));
            if unpinned(context, pipe) {
                job.unpinned
                    .insert(format!("unpinned pipe {}", clean(pipe)));
            }
            job.defines(item.get("variables"));
        }
    }
    if step.get("image").is_none()
        && let Some(image) = root.get("image")
    {
        job.read(context, "image", image);
    }
    let services = step.get("services").into_iter().flat_map(Node::texts);
    for service in services {
        if let Some(service) = root.path(&["definitions", "services", service]) {
            job.read(context, "services", service);
        }
    }
    let role = ["image", "aws", "oidc-role"];
    job.federated |= step.path(&role).or_else(|| root.path(&role)).is_some();
    job.read(context, "", step);
    job.declare(context, out);
}

/// A pipe of somebody else's that can change without this file changing.
fn unpinned(context: &Context<'_>, pipe: &str) -> bool {
    let name = pipe.strip_prefix("docker://").unwrap_or(pipe);
    let publisher = name.split('/').next().unwrap_or(name);
    !name.contains("@sha256:") && !context.tables.ci.bitbucket.first_party(publisher)
}

#[cfg(test)]
mod tests {
    use crate::manifests::read;
    use crate::manifests::testing::shown;
    use crate::model::FingerprintKey;

    const FILE: &str = "\
options: {max-time: 30}
definitions:
  services: {db: {variables: {POSTGRES_PASSWORD: $DB_PASSWORD}}}
  steps:
    - step: &build
        name: Build
        script: [make]
pipelines:
  default:
    - step: *build
    - parallel:
        - step: {script: [npm publish --token $NPM_TOKEN], services: [db]}
        - step: *build
  branches:
    main:
      - stage:
          deployment: production
          steps:
            - step:
                name: Deploy
                oidc: true
                max-time: 5
                runs-on: [self.hosted, linux]
                script:
                  - pipe: acme/s3-deploy:1.0
                    variables:
                      AWS_OIDC_ROLE_ARN: arn:aws:iam::123456789012:role/deploy
                      SECRET: $DEPLOY_SECRET
  custom:
    nightly:
      - variables: [{name: X}]
      - step: {trigger: manual, script: ['curl -u $USER:$API_TOKEN x']}
";

    #[test]
    fn steps_are_jobs_wherever_they_stand() {
        let key = FingerprintKey::new([7; 32]);
        let out = read("shop", "bitbucket-pipelines.yml", FILE.as_bytes(), &key).unwrap();
        insta::assert_snapshot!(shown(&out), @r#"
        10:7 bitbucket-pipelines.yml/default/Build | - 1800 s - | supported
            B step of pipeline default
            B max-time: 30
        12:11 bitbucket-pipelines.yml/default/step | - 1800 s - | supported
            3:50 bitbucket-pipelines DB_PASSWORD (database-password)
            12:47 bitbucket-pipelines NPM_TOKEN (npm-token)
            B step of pipeline default
            B max-time: 30
        13:11 bitbucket-pipelines.yml/default/Build #2 | - 1800 s - | supported
            B step of pipeline default
            B max-time: 30
        19:15 bitbucket-pipelines.yml/branches/main/Deploy | production 300 s - | configured
            as arn:aws:iam::123456789012:role/deploy
            28:31 bitbucket-pipelines DEPLOY_SECRET (?)
            risk: self-hosted runner
            risk: unpinned pipe acme/s3-deploy:1.0
            B step of pipeline branches/main
            B max-time: 5
            B oidc: true
            B runs pipe acme/s3-deploy:1.0
        32:9 bitbucket-pipelines.yml/custom/nightly/step | - 1800 s - | supported
            32:57 bitbucket-pipelines API_TOKEN (?)
            B step of pipeline custom/nightly
            B max-time: 30
            B started by hand (trigger: manual)
            B custom pipeline: started by hand or by a schedule kept in the repository's settings
        "#);
    }
}
