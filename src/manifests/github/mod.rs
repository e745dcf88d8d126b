//! GitHub Actions: workflows and composite actions.

mod expressions;
mod job;
mod permissions;
mod reach;
mod steps;

use super::clean::clean;
use super::context::Context;
use super::node::{Key, Node};
use super::text::saturate;
use crate::model::{
    Consumer, ConsumerClass, ConsumerId, Declarations, Evidence, Federation, Grade, Uses,
};
use job::Workflow;
use steps::Steps;

/// Most jobs of one workflow; the platform's own limit on generated jobs is 256.
const MAX_JOBS: usize = 1_000;

/// Reads a workflow: every job is an identity and a consumer.
pub(super) fn workflow(context: &Context<'_>, root: &Node, out: &mut Declarations) {
    let Some(jobs) = root.get("jobs") else {
        return;
    };
    let workflow = Workflow::of(context, root);
    let all: Vec<(&Key, &Node)> = jobs.entries().collect();
    for (key, job) in context.first(&all, MAX_JOBS, "jobs", &mut out.notices) {
        if job.is_map() {
            job::read(context, &workflow, key, job, out);
        }
    }
}

/// Whether a text may be a workflow: cheap.
pub(super) fn interesting(bytes: &[u8]) -> bool {
    let has = |word: &[u8]| memchr::memmem::find(bytes, word).is_some();
    has(b"jobs") && (has(b"runs-on") || has(b".github/workflows/"))
}

/// A workflow of a place that is not a usual one, by its content.
pub(super) fn by_content(root: &Node) -> bool {
    root.get("on").is_some()
        && root.get("jobs").is_some_and(|jobs| {
            jobs.entries().any(|(_, job)| {
                let called = job
                    .text_at(&["uses"])
                    .is_some_and(|uses| uses.contains(".github/workflows/"));
                called || job.get("runs-on").is_some()
            })
        })
}

/// Reads a workflow that no platform runs from where it is: a template, an example, a copy.
pub(super) fn elsewhere(context: &Context<'_>, root: &Node, out: &mut Declarations) {
    let known = out.identities.len();
    workflow(context, root, out);
    for identity in out.identities.iter_mut().skip(known) {
        identity.notes.push(Evidence::new(
            Grade::B,
            "a workflow outside .github/workflows: a template or a copy, which nothing runs from there",
        ));
    }
}

/// Reads a composite action: a consumer without an identity of its own, and only when it takes credentials.
pub(super) fn composite(context: &Context<'_>, root: &Node, out: &mut Declarations) {
    let Some(list) = root.path(&["runs", "steps"]) else {
        return;
    };
    let steps = Steps::of(context, list, &mut out.notices);
    if steps.native_ids.is_empty() && steps.notes.is_empty() && !steps.federated {
        return;
    }
    let name = root
        .text_at(&["name"])
        .map_or_else(|| context.uri.to_owned(), clean);
    let runtime = "github-actions";
    let (line, column) = root
        .entry("runs")
        .map_or((root.line, root.column), |(key, _)| (key.line, key.column));
    let mut evidence = vec![Evidence::new(
        Grade::B,
        format!(
            "composite action with {} steps",
            saturate(list.items().len())
        ),
    )];
    evidence.extend(steps.notes);
    out.consumers.push(Consumer {
        id: ConsumerId::of(&[runtime, context.repository, context.uri]),
        name,
        class: ConsumerClass::Ci,
        runtime: runtime.to_owned(),
        repository: Some(context.repository.to_owned()),
        identity: None,
        schedule: None,
        timeout_seconds: None,
        evidence,
        federation: if steps.federated {
            Federation::Configured
        } else {
            Federation::Supported
        },
        uses: Uses {
            native_ids: steps.native_ids,
            ..Uses::default()
        },
        risks: steps
            .unpinned
            .into_iter()
            .map(|action| format!("unpinned action {action}"))
            .collect(),
        location: Some(context.location(line, column)),
        environment: None,
    });
}

#[cfg(test)]
mod tests {
    use crate::manifests::read;
    use crate::model::{Declarations, Federation, FingerprintKey};

    fn declared(file: &str) -> Declarations {
        let key = FingerprintKey::new([7; 32]);
        read(
            "shop",
            ".github/workflows/deploy.yml",
            file.as_bytes(),
            &key,
        )
        .unwrap()
    }

    const DEPLOY: &str = "\
name: Deploy
on:
  push: {branches: [main]}
  schedule:
    - cron: '0 3 * * *'
permissions: read-all
env:
  SENTRY: ${{ secrets.SENTRY_AUTH_TOKEN }}
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
  deploy:
    name: Deploy it
    runs-on: [self-hosted, linux]
    environment: {name: production}
    timeout-minutes: 15
    permissions: {contents: read, packages: write}
    steps:
      - uses: aws-actions/configure-aws-credentials@v4
        with:
          aws-access-key-id: ${{ secrets.DEPLOYER }}
          aws-secret-access-key: ${{ secrets.DEPLOYER_PRIVATE }}
          aws-region: eu-west-1
      - run: |
          # ünïcode ${{ secrets.GITHUB_TOKEN }}
          publish --token \"${{ secrets['NPM_TOKEN'] }}\"
";

    #[test]
    fn what_goes_into_a_variable_of_a_cloud_is_of_that_cloud() {
        let out = declared(
            "on: push\njobs:\n  a:\n    env:\n      AWS_ACCESS_KEY_ID: ${{ secrets.APP_DEPLOY_KEY_ID }}\n      AWS_SECRET_ACCESS_KEY: ${{ secrets.APP_DEPLOY_SECRET }}\n      NODE_AUTH_TOKEN: ${{ secrets.GITHUB_PAT }}\n",
        );
        let mut kinds: Vec<_> = out
            .references
            .iter()
            .map(|one| (one.name.as_str(), one.kind.as_deref().unwrap_or_default()))
            .collect();
        kinds.sort_unstable();
        assert_eq!(
            kinds,
            [
                ("APP_DEPLOY_KEY_ID", "aws-access-key"),
                ("GITHUB_PAT", "github-pat")
            ]
        );
    }

    #[test]
    fn called_workflows_are_not_handed_the_variables_of_their_caller() {
        let out = declared(
            "on: push\nenv: {A: '${{ secrets.NPM_TOKEN }}'}\njobs:\n  own:\n    steps: [{run: x}]\n  called:\n    uses: o/r/.github/workflows/w.yml@v1\n",
        );
        let by: Vec<_> = out.references.iter().map(|one| &one.consumer).collect();
        assert_eq!(by, [&Some(out.consumers[0].id.clone())]);
    }

    #[test]
    fn every_job_is_an_identity_and_a_consumer_at_its_line() {
        let out = declared(DEPLOY);
        let shown: Vec<String> = out
            .identities
            .iter()
            .zip(&out.consumers)
            .map(|(identity, consumer)| {
                format!(
                    "{} | {:?} | tier {} | {} | {:?} {:?} | {:?}",
                    identity.locations[0].display(),
                    identity.purpose,
                    identity.privilege.tier,
                    consumer.environment.as_deref().unwrap_or("-"),
                    consumer.timeout_seconds,
                    consumer.schedule,
                    consumer.risks,
                )
            })
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        shop/.github/workflows/deploy.yml:10 | Some("Deploy") | tier 2 | - | None Some("0 3 * * *") | []
        shop/.github/workflows/deploy.yml:14 | Some("Deploy / Deploy it") | tier 4 | production | Some(900) Some("0 3 * * *") | ["self-hosted runner", "unpinned action aws-actions/configure-aws-credentials@v4"]
        "#);
    }

    #[test]
    fn secrets_are_references_one_a_credential_with_their_place() {
        let out = declared(DEPLOY);
        let shown: Vec<String> = out
            .references
            .iter()
            .map(|r| {
                let consumer = out
                    .consumers
                    .iter()
                    .find(|c| Some(&c.id) == r.consumer.as_ref())
                    .map(|c| c.name.as_str());
                format!(
                    "{:?} {} {:?} {}:{}",
                    consumer,
                    r.name,
                    r.kind,
                    r.location.line.unwrap(),
                    r.location.column.unwrap()
                )
            })
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        Some("deploy.yml/build") SENTRY_AUTH_TOKEN Some("sentry-token") 8:15
        Some("deploy.yml/deploy") DEPLOYER Some("aws-access-key") 23:34
        Some("deploy.yml/deploy") NPM_TOKEN Some("npm-token") 28:32
        Some("deploy.yml/deploy") SENTRY_AUTH_TOKEN Some("sentry-token") 8:15
        "#);
    }

    #[test]
    fn halves_and_identifiers_are_no_credentials_of_their_own() {
        let out = declared(
            "on: push\njobs:\n  a:\n    env:\n      A: ${{ secrets.PPA_PRIVATE_KEY }} ${{ secrets.PPA_PRIVATE_KEY_PASSPHRASE }}\n      B: ${{ secrets.NETLIFY_SITE_ID }} ${{ secrets.AWS_SECRET_ACCESS_KEY }}\n",
        );
        let names: Vec<&str> = out.references.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(names, ["AWS_SECRET_ACCESS_KEY", "PPA_PRIVATE_KEY"]);
    }

    #[test]
    fn oidc_is_read_from_permissions_and_from_what_actions_take() {
        let job = |permissions: &str, with: &str| {
            let file = format!(
                "on: push\n{permissions}\njobs:\n  a:\n    steps:\n      - uses: aws-actions/configure-aws-credentials@v4\n        with: {with}\n"
            );
            let out = declared(&file);
            (
                out.consumers[0].federation,
                out.consumers[0].uses.native_ids.clone(),
            )
        };
        let arn = "arn:aws:iam::123456789012:role/deploy";
        let by_role = format!("{{role-to-assume: '{arn}'}}");
        let by_both = format!("{{role-to-assume: '{arn}', aws-access-key-id: x}}");
        assert_eq!(
            job("", &by_role),
            (Federation::Configured, vec![arn.to_owned()])
        );
        assert_eq!(job("", &by_both).0, Federation::Supported);
        assert_eq!(
            job("permissions: {id-token: write}", "{}").0,
            Federation::Configured
        );
        assert_eq!(job("permissions: read-all", "{}").0, Federation::Supported);
    }

    #[test]
    fn reusable_workflows_and_forks_are_told() {
        let out = declared(
            "on: [pull_request_target]\njobs:\n  call:\n    uses: other/repo/.github/workflows/x.yml@main\n    secrets: inherit\n",
        );
        assert_eq!(
            out.consumers[0].risks,
            [
                "pull_request_target",
                "unpinned action other/repo/.github/workflows/x.yml@main"
            ]
        );
        let notes: Vec<&str> = out.consumers[0]
            .evidence
            .iter()
            .map(|e| e.text.as_str())
            .collect();
        assert!(notes.contains(&"calls reusable workflow other/repo/.github/workflows/x.yml@main"));
        assert!(notes.contains(&"passes every secret on (secrets: inherit)"));
    }

    #[test]
    fn a_broken_workflow_is_partial_and_a_template_is_skipped() {
        let status = |file: &str| declared(file).notices[0].status.as_str();
        assert_eq!(status("jobs: [\n"), "partial");
        assert_eq!(status("{% if x %}\njobs: [\n"), "skipped");
    }

    #[test]
    fn a_composite_action_that_takes_credentials_is_a_consumer() {
        let file = "name: Sign in\nruns:\n  using: composite\n  steps:\n    - uses: google-github-actions/auth@v2\n      with:\n        workload_identity_provider: projects/1/x\n        service_account: a@b.iam.gserviceaccount.com\n";
        let key = FingerprintKey::new([7; 32]);
        let out = read("shop", "sign-in/action.yml", file.as_bytes(), &key).unwrap();
        assert_eq!(
            out.consumers[0].uses.native_ids,
            ["a@b.iam.gserviceaccount.com"]
        );
        assert_eq!(out.consumers[0].federation, Federation::Configured);
        assert!(
            read(
                "shop",
                "x/action.yml",
                b"runs: {steps: [{run: make}]}",
                &key
            )
            .is_none()
        );
    }
}
