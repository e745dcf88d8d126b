//! GitLab CI: every job is an identity and a consumer.

mod files;
mod registries;

use super::ci::shell;
use super::clean::clean;
use super::context::Context;
use super::is_below;
use super::names::{Names, Use, told_by_variable};
use super::node::{Key, Node};
use super::stores;
use super::text::Text;
use crate::model::{
    Consumer, ConsumerClass, ConsumerId, Declarations, Evidence, Federation, Grade, Identity,
    IdentityKind, Uses,
};
pub(super) use files::{assemble, worth_keeping};
use std::collections::BTreeMap;

/// Name of the runtime and of the store of variables.
const RUNTIME: &str = "gitlab-ci";
/// Top-level keys that are no jobs (<https://docs.gitlab.com/ci/yaml/>, 2026-11). `pages` is a job.
const KEYWORDS: [&str; 12] = [
    "default",
    "include",
    "stages",
    "variables",
    "workflow",
    "image",
    "services",
    "before_script",
    "after_script",
    "cache",
    "spec",
    "types",
];
/// Variables the platform makes for each job, which end with it.
const EPHEMERAL: &str = "CI_";
/// Tier of a job's own token: it reads the project, and ends with the job.
const DEFAULT_TIER: u8 = 2;
/// The same where the job publishes with it.
const PUSHING_TIER: u8 = 3;
/// Deepest chain of `extends` the platform follows.
const MAX_EXTENDS: usize = 11;
/// Most jobs of one file.
const MAX_JOBS: usize = 2_000;
/// Most parts that are put together for one job.
const MAX_PARTS: usize = 200;

/// Whether a path is one that GitLab reads by default, or the usual place of included files.
pub(super) fn is_pipeline(folder: &str, name: &str) -> bool {
    let stem = name
        .strip_suffix(".yml")
        .or_else(|| name.strip_suffix(".yaml"));
    stem.is_some_and(|stem| stem.ends_with(".gitlab-ci"))
        || (stem.is_some()
            && [".gitlab/ci", ".gitlab-ci"]
                .iter()
                .any(|place| is_below(folder, place)))
}

/// Keys that only jobs have, beside their script.
const OF_JOBS: [&str; 14] = [
    "stage",
    "rules",
    "only",
    "except",
    "tags",
    "extends",
    "needs",
    "artifacts",
    "variables",
    "cache",
    "before_script",
    "allow_failure",
    "environment",
    "image",
];

/// Whether a text may be a pipeline that another file includes: cheap.
pub(super) fn interesting(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, b"script:").is_some()
}

/// A pipeline that is included from a place of its own, by its content: an entry of the root has a script and what only
/// jobs have.
pub(super) fn by_content(root: &Node) -> bool {
    ["on", "jobs", "steps", "apiVersion", "pipelines", "language"]
        .iter()
        .all(|other| root.get(other).is_none())
        && root.entries().any(|(_, node)| {
            node.get("script").is_some() && OF_JOBS.iter().any(|key| node.get(key).is_some())
        })
}

/// One file of a pipeline.
#[derive(Clone, Copy)]
struct Source<'n> {
    uri: &'n str,
    text: &'n Text<'n>,
    root: &'n Node,
}

/// The file whose jobs are read, first, and those that are put together with it.
struct Pipeline<'n>(Vec<Source<'n>>);

impl<'n> Pipeline<'n> {
    /// An entry of the root: of the file itself, else of another one.
    fn entry(&self, name: &str) -> Option<Part<'n>> {
        self.everywhere(name).next()
    }

    /// An entry of the root in every file that has it.
    fn everywhere(&self, name: &str) -> impl Iterator<Item = Part<'n>> {
        self.0.iter().enumerate().filter_map(move |(file, source)| {
            let node = source.root.get(name)?;
            Some(Part { file, node })
        })
    }
}

/// A part of a pipeline, and the file it stands in.
#[derive(Clone, Copy)]
struct Part<'n> {
    file: usize,
    node: &'n Node,
}

impl Part<'_> {
    fn get(self, key: &str) -> Option<Self> {
        let node = self.node.get(key)?;
        Some(Self { node, ..self })
    }
}

/// A job with the jobs it extends, nearest first.
struct Job<'n, 'p> {
    chain: Vec<Part<'n>>,
    pipeline: &'p Pipeline<'n>,
}

impl<'n, 'p> Job<'n, 'p> {
    fn of(pipeline: &'p Pipeline<'n>, job: &'n Node) -> Self {
        let mut chain = vec![Part { file: 0, node: job }];
        let mut next = 0;
        while let Some(current) = chain.get(next).copied() {
            next += 1;
            // Later entries of the list win.
            let parents: Vec<&str> = current
                .node
                .get("extends")
                .into_iter()
                .flat_map(Node::texts)
                .collect();
            for parent in parents.into_iter().rev() {
                if let Some(part) = pipeline.entry(parent)
                    && chain.len() < MAX_EXTENDS
                    && !chain
                        .iter()
                        .any(|known| std::ptr::eq(known.node, part.node))
                {
                    chain.push(part);
                }
            }
        }
        Self { chain, pipeline }
    }

    /// A key of the job, of what it extends, or of the defaults.
    fn get(&self, key: &str) -> Option<&'n Node> {
        let own = self.chain.iter().find_map(|part| part.node.get(key));
        own.or_else(|| {
            let mut defaults = self.pipeline.everywhere("default");
            defaults.find_map(|part| part.node.get(key))
        })
    }

    /// Everything that holds for the job: its own text, the defaults it does not replace, and what it refers to.
    fn parts(&self) -> Vec<Part<'n>> {
        let mut parts = self.chain.clone();
        for key in ["before_script", "after_script", "services", "image"] {
            if self.chain.iter().all(|part| part.node.get(key).is_none()) {
                let mut defaults = self.pipeline.everywhere("default");
                let default = defaults.find_map(|part| part.get(key));
                parts.extend(default.or_else(|| self.pipeline.entry(key)));
            }
        }
        parts.extend(self.pipeline.everywhere("variables"));
        let mut next = 0;
        while let Some(part) = parts.get(next).copied() {
            next += 1;
            let mut named = Vec::new();
            referred(part.node, &mut named);
            for path in named {
                let found = path.split_first().and_then(|(job, keys)| {
                    let part = self.pipeline.entry(job)?;
                    let node = part.node.path(keys)?;
                    Some(Part { node, ..part })
                });
                if let Some(found) = found
                    && parts.len() < MAX_PARTS
                    && !parts
                        .iter()
                        .any(|known| std::ptr::eq(known.node, found.node))
                {
                    parts.push(found);
                }
            }
        }
        parts
    }

    /// Whether a variable has a literal value in the files.
    fn defines(&self, name: &str) -> bool {
        let roots = self.pipeline.0.iter().map(|source| source.root);
        self.chain
            .iter()
            .map(|part| part.node)
            .chain(roots)
            .filter_map(|node| node.path(&["variables", name]))
            .any(|value| {
                let text = value.as_str().or_else(|| value.text_at(&["value"]));
                text.is_some_and(|text| !text.is_empty() && !text.contains('$'))
            })
    }
}

/// What `!reference [job, key]` below a node names.
fn referred<'n>(node: &'n Node, out: &mut Vec<Vec<&'n str>>) {
    if node.tag.as_deref() == Some("reference") {
        out.push(node.texts().collect());
        return;
    }
    node.items().iter().for_each(|item| referred(item, out));
    node.entries().for_each(|(_, node)| referred(node, out));
}

/// Reads a pipeline of one file.
pub(super) fn read(context: &Context<'_>, root: &Node, out: &mut Declarations) {
    let source = Source {
        uri: context.uri,
        text: context.text,
        root,
    };
    jobs(context, &Pipeline(vec![source]), out);
}

/// Reads the jobs of the first file of a pipeline.
fn jobs(context: &Context<'_>, pipeline: &Pipeline<'_>, out: &mut Declarations) {
    let Some(Source { root, .. }) = pipeline.0.first().copied() else {
        return;
    };
    let jobs = root
        .entries()
        .filter(|(key, node)| {
            node.is_map() && !key.text.starts_with('.') && !KEYWORDS.contains(&key.text.as_str())
        })
        .filter(|(_, node)| {
            [
                "script",
                "trigger",
                "extends",
                "run",
                "stage",
                "environment",
            ]
            .iter()
            .any(|wanted| node.get(wanted).is_some())
        });
    let jobs: Vec<(&Key, &Node)> = jobs.collect();
    for (key, node) in context.first(&jobs, MAX_JOBS, "jobs", &mut out.notices) {
        job(context, pipeline, key, node, out);
    }
}

fn job<'n>(
    context: &Context<'_>,
    pipeline: &Pipeline<'n>,
    key: &Key,
    node: &'n Node,
    out: &mut Declarations,
) {
    let job = Job::of(pipeline, node);
    let short = clean(&format!("{}/{}", context.uri, key.text));
    let native_id = format!("{}/{short}", context.repository);
    let consumer_id = ConsumerId::of(&[RUNTIME, context.repository, &short]);
    let location = context
        .location(key.line, key.column)
        .naming(native_id.clone());
    let environment = job
        .get("environment")
        .and_then(|node| node.as_str().or_else(|| node.text_at(&["name"])).map(clean));

    let mut identity = Identity::named("gitlab", IdentityKind::CiJob, &short, &native_id, Grade::B);
    identity.account = Some(context.repository.to_owned());
    identity.environment = context
        .tables
        .environments
        .of(environment.as_deref().unwrap_or_default());
    identity.purpose = Some(match job.get("stage").and_then(Node::as_str) {
        Some(stage) => clean(&format!("{stage} / {}", key.text)),
        None => clean(&key.text),
    });
    identity.consumer_class = ConsumerClass::Ci;
    identity.consumers = vec![consumer_id.clone()];
    identity.locations = vec![location.clone()];
    identity.privilege.assumed = true;
    identity.privilege.tier = DEFAULT_TIER;
    identity.privilege.data_read = true;
    identity.privilege.evidence = vec![Evidence::new(
        Grade::D,
        "CI_JOB_TOKEN reads the project and its packages; what it may reach beyond is kept in the settings",
    )];

    let (timeout_seconds, limit) = match job.get("timeout").and_then(Node::as_str) {
        None => (
            None,
            Evidence::new(
                Grade::D,
                "no timeout declared: the project's limit, 60 min by default",
            ),
        ),
        Some(text) => (
            duration(text),
            Evidence::new(Grade::B, format!("timeout: {}", clean(text))),
        ),
    };
    let mut evidence = vec![Evidence::new(Grade::B, "job of a GitLab pipeline"), limit];
    for parent in node.get("extends").into_iter().flat_map(Node::texts) {
        if pipeline.entry(parent).is_none() {
            evidence.push(Evidence::new(
                Grade::C,
                format!(
                    "extends {}, which another file declares: what that adds is not known",
                    clean(parent)
                ),
            ));
        }
    }
    if scheduled(&job) {
        evidence.push(Evidence::new(
            Grade::B,
            "its rules name pipeline schedules; when they run is kept in the project's settings",
        ));
    }
    let tokens: Vec<String> = job
        .get("id_tokens")
        .into_iter()
        .flat_map(Node::entries)
        .map(|(key, token)| {
            let audience: Vec<String> = token
                .get("aud")
                .into_iter()
                .flat_map(Node::texts)
                .map(clean)
                .collect();
            format!("id_tokens {} for {}", clean(&key.text), audience.join(", "))
        })
        .collect();
    let federation = if tokens.is_empty() {
        Federation::Supported
    } else {
        Federation::Configured
    };
    evidence.extend(tokens.into_iter().map(|text| Evidence::new(Grade::B, text)));
    if let Some(trigger) = job.get("trigger") {
        let target = trigger
            .as_str()
            .or_else(|| trigger.text_at(&["project"]))
            .map_or_else(|| "a child pipeline".to_owned(), clean);
        evidence.push(Evidence::new(Grade::B, format!("triggers {target}")));
    }

    let parts = job.parts();
    let mut own = registries::Registries::default();
    for part in &parts {
        part.node.scalars("", &mut |_, scalar| {
            own.note(scalar.as_str().unwrap_or_default());
        });
    }
    if own.own_pushes() {
        identity.privilege.tier = PUSHING_TIER;
        identity.privilege.write = true;
        identity.privilege.evidence = vec![Evidence::new(
            Grade::B,
            "CI_JOB_TOKEN publishes images or packages of its own GitLab, and ends with the job",
        )];
    }
    let mut named: BTreeMap<usize, (Names, Names)> = BTreeMap::new();
    let mut native_ids = Vec::new();
    for part in &parts {
        let Some(source) = pipeline.0.get(part.file) else {
            continue;
        };
        let (names, vault) = named.entry(part.file).or_default();
        part.node.scalars("", &mut |key, scalar| {
            variables(context, source, (&job, &own), (key, scalar), names);
            native_ids.extend(shell::native_ids(scalar.as_str().unwrap_or_default()));
        });
        let secrets = part.node.get("secrets");
        for (key, secret) in secrets.into_iter().flat_map(Node::entries) {
            if secret.is_map() {
                vault.add(
                    &key.text,
                    Use {
                        told: None,
                        half: false,
                        line: key.line,
                        column: key.column,
                    },
                );
            }
        }
    }
    native_ids.sort();
    native_ids.dedup();
    evidence.extend(stores::of(parts.iter().map(|part| part.node)));

    for (file, (names, vault)) in &named {
        let Some(source) = pipeline.0.get(*file) else {
            continue;
        };
        let place = Context {
            uri: source.uri,
            text: source.text,
            ..*context
        };
        let variables = names.references(&place, RUNTIME, &consumer_id);
        let kept = vault.references(&place, "vault", &consumer_id);
        for reference in variables.into_iter().chain(kept) {
            let known = out.references.iter().any(|known| {
                known.consumer.as_ref() == Some(&consumer_id)
                    && (&known.store, &known.name) == (&reference.store, &reference.name)
            });
            if !known {
                out.references.push(reference);
            }
        }
    }
    out.consumers.push(Consumer {
        id: consumer_id,
        name: short,
        class: ConsumerClass::Ci,
        runtime: RUNTIME.to_owned(),
        repository: Some(context.repository.to_owned()),
        identity: Some(identity.id.clone()),
        schedule: None,
        timeout_seconds,
        evidence,
        federation,
        uses: Uses {
            native_ids,
            ..Uses::default()
        },
        risks: Vec::new(),
        location: Some(location),
        environment,
    });
    out.identities.push(identity);
}

/// Notes variables that a scalar names and that must be secrets kept by the platform: their name says so, and no literal
/// in the file gives them a value.
fn variables(
    context: &Context<'_>,
    place: &Source<'_>,
    (job, own): (&Job<'_, '_>, &registries::Registries),
    (key, scalar): (&str, &Node),
    names: &mut Names,
) {
    let (from, to) = scalar.span;
    let source = place.text.slice(from, to);
    let table = &context.tables.names;
    for (at, name) in shell::variables(source) {
        let into = shell::assigned(source, at).unwrap_or(key);
        let told = told_by_variable(context, into, name);
        let suggested = told
            .as_ref()
            .map(|((kind, _), _)| kind.as_str())
            .or_else(|| table.lookup(name).map(|rule| rule.kind.as_str()));
        let told = match own.told(source, at, suggested) {
            Some(gitlab) if table.secret_like(name) => Some((gitlab, false)),
            _ => told,
        };
        let secret = told.is_some() || table.secret_like(name) || table.lookup(name).is_some();
        if name.starts_with(EPHEMERAL) || !secret || job.defines(name) {
            continue;
        }
        if job
            .get("id_tokens")
            .is_some_and(|tokens| tokens.get(name).is_some())
        {
            continue;
        }
        let (line, column) = place.text.position(from + at);
        names.add(
            name,
            Use {
                half: told.as_ref().is_some_and(|(_, half)| *half),
                told: told.map(|(told, _)| told),
                line,
                column,
            },
        );
    }
}

/// The job's rules name pipeline schedules.
fn scheduled(job: &Job<'_, '_>) -> bool {
    let by_rule = job.get("rules").is_some_and(|rules| {
        rules.items().iter().any(|rule| {
            rule.text_at(&["if"]).is_some_and(|condition| {
                condition.contains("CI_PIPELINE_SOURCE")
                    && condition.contains("schedule")
                    && !condition.contains("!=")
                    && rule.text_at(&["when"]) != Some("never")
            })
        })
    });
    let by_only = job.get("only").is_some_and(|only| {
        only.texts()
            .chain(only.get("refs").into_iter().flat_map(Node::texts))
            .any(|word| word == "schedules")
    });
    by_rule || by_only
}

/// Seconds of `1h 30m`, `90 minutes`, `3600`.
fn duration(text: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let count: u64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?.trim_start();
        let letters = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let seconds: u64 = match rest.get(..letters)? {
            "" | "s" | "sec" | "secs" | "second" | "seconds" => 1,
            "m" | "min" | "mins" | "minute" | "minutes" => 60,
            "h" | "hr" | "hrs" | "hour" | "hours" => 3_600,
            "d" | "day" | "days" => 86_400,
            "w" | "week" | "weeks" => 604_800,
            _ => return None,
        };
        total = total.checked_add(count.checked_mul(seconds)?)?;
        rest = rest.get(letters..)?.trim_start_matches([' ', ',']);
        rest = rest.strip_prefix("and ").unwrap_or(rest).trim_start();
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifests;
    use crate::model::FingerprintKey;
    use proptest::prelude::*;

    const PIPELINE: &str = "\
stages: [build, deploy]
variables: {API_TOKEN: literal-in-file}
default:
  timeout: 30 minutes
.base: &base
  before_script:
    - login $REGISTRY_TOKEN $API_TOKEN $CI_JOB_TOKEN
  environment: staging
build:
  stage: build
  script: make
deploy:
  extends: .base
  stage: deploy
  timeout: 1h 30m
  id_tokens: {AWS_JWT: {aud: sts.amazonaws.com}}
  variables: {ROLE: 'arn:aws:iam::123456789012:role/deploy'}
  environment: {name: production}
  rules: [{if: '$CI_PIPELINE_SOURCE == \"schedule\"'}]
  secrets: {DB_PASSWORD: {vault: ops/db/password}}
  script:
    - aws --web-identity-token \"$AWS_JWT\" --x ${AWS_SECRET_ACCESS_KEY} $AWS_ACCESS_KEY_ID
pages: {script: [true]}
";

    fn declared(file: &str) -> Declarations {
        let key = FingerprintKey::new([7; 32]);
        manifests::read("shop", ".gitlab-ci.yml", file.as_bytes(), &key).unwrap()
    }

    #[test]
    fn jobs_are_identities_and_consumers_at_their_line() {
        let out = declared(PIPELINE);
        let shown: Vec<String> = out
            .identities
            .iter()
            .zip(&out.consumers)
            .map(|(identity, consumer)| {
                format!(
                    "{} | {:?} | {:?} | {:?} | {:?} | {:?}",
                    identity.locations[0].display(),
                    identity.purpose,
                    identity.environment,
                    consumer.timeout_seconds,
                    consumer.federation,
                    consumer.uses.native_ids,
                )
            })
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        shop/.gitlab-ci.yml:9 | Some("build / build") | Unknown | Some(1800) | Supported | []
        shop/.gitlab-ci.yml:12 | Some("deploy / deploy") | Production | Some(5400) | Configured | ["arn:aws:iam::123456789012:role/deploy"]
        shop/.gitlab-ci.yml:23 | Some("pages") | Unknown | Some(1800) | Supported | []
        "#);
    }

    #[test]
    fn variables_that_must_be_stored_secrets_are_references() {
        let shown: Vec<String> = declared(PIPELINE)
            .references
            .iter()
            .map(|r| {
                format!(
                    "{} {} {:?} {}",
                    r.store,
                    r.name,
                    r.kind,
                    r.location.display()
                )
            })
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        gitlab-ci AWS_ACCESS_KEY_ID Some("aws-access-key") shop/.gitlab-ci.yml:22
        gitlab-ci REGISTRY_TOKEN None shop/.gitlab-ci.yml:7
        vault DB_PASSWORD Some("database-password") shop/.gitlab-ci.yml:20
        "#);
    }

    #[test]
    fn durations_are_seconds() {
        assert_eq!(duration("1h 30m"), Some(5_400));
        assert_eq!(duration("90 minutes"), Some(5_400));
        assert_eq!(duration("1 day and 2 hours"), Some(93_600));
        assert_eq!(duration("3600"), Some(3_600));
        assert_eq!(duration("$LIMIT"), None);
    }

    #[test]
    fn included_files_are_known_by_their_place() {
        assert!(is_pipeline("", ".gitlab-ci.yml"));
        assert!(is_pipeline("ci", "deploy.gitlab-ci.yml"));
        assert!(is_pipeline("x/.gitlab/ci/jobs", "a.yml"));
        assert!(!is_pipeline("ci", "deploy.yml"));
    }

    proptest! {
        #[test]
        fn any_duration_is_survived(text in "[0-9a-z ,é]{0,30}") {
            let _ = duration(&text);
        }
    }
}
