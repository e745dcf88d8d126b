//! One job of a workflow.

use super::super::clean::clean;
use super::super::context::Context;
use super::super::names::{Names, Use, told_by_variable};
use super::super::node::{Key, Node};
use super::super::stores;
use super::expressions::{Reference, references};
use super::permissions::Permissions;
use super::reach;
use super::steps::{Steps, unpinned};
use crate::model::{
    Call, Consumer, ConsumerClass, ConsumerId, Declarations, Evidence, Federation, Grade, Identity,
    IdentityKind, Uses,
};
use std::collections::BTreeSet;

/// The platform's own token, which ends with the job.
const EPHEMERAL: &str = "GITHUB_TOKEN";
/// Who runs workflows of this form.
struct Host {
    /// The provider of its jobs' identities.
    provider: &'static str,
    /// Name of the runtime and of its store of secrets.
    runtime: &'static str,
    /// Whether every job can prove what it is.
    federates: bool,
}

/// By the folder of the workflow.
fn host(uri: &str) -> Host {
    let (provider, runtime) = if uri.contains(".forgejo/") {
        ("forgejo", "forgejo-actions")
    } else if uri.contains(".gitea/") {
        ("gitea", "gitea-actions")
    } else {
        ("github", "github-actions")
    };
    Host {
        provider,
        runtime,
        federates: provider == "github",
    }
}

/// What all jobs of a workflow share.
pub(super) struct Workflow<'n> {
    /// Path below `.github/workflows/`, with the folder above where there is one.
    file: String,
    /// `name:`.
    name: Option<String>,
    triggers: BTreeSet<&'n str>,
    schedule: Option<String>,
    /// Refs that its triggers name; `HEAD` is the default branch.
    refs: Vec<String>,
    permissions: Option<Permissions>,
    env: Option<&'n Node>,
    /// Workflows whose end starts it.
    after: Vec<String>,
}

impl<'n> Workflow<'n> {
    /// Reads what stands above the jobs.
    pub(super) fn of(context: &Context<'_>, root: &'n Node) -> Self {
        let on = root.get("on");
        let mut triggers: BTreeSet<&str> = on.into_iter().flat_map(Node::texts).collect();
        triggers.extend(
            on.into_iter()
                .flat_map(Node::entries)
                .map(|(key, _)| key.text.as_str()),
        );
        let crons: Vec<String> = on
            .and_then(|on| on.get("schedule"))
            .map_or(&[][..], Node::items)
            .iter()
            .filter_map(|entry| entry.text_at(&["cron"]).map(clean))
            .collect();
        Self {
            file: context.uri.replacen(".github/workflows/", "", 1),
            name: root.text_at(&["name"]).map(clean),
            refs: refs(on, &triggers),
            triggers,
            schedule: (!crons.is_empty()).then(|| crons.join("; ")),
            permissions: Permissions::of(root),
            env: root.get("env"),
            after: on
                .and_then(|on| on.path(&["workflow_run", "workflows"]))
                .into_iter()
                .flat_map(Node::texts)
                .take(10)
                .map(clean)
                .collect(),
        }
    }
}

/// The refs for which a workflow runs, as far as its triggers say. Requests to merge are none: what has access runs for
/// what was merged.
fn refs(on: Option<&Node>, triggers: &BTreeSet<&str>) -> Vec<String> {
    let mut refs = BTreeSet::new();
    for trigger in triggers {
        match *trigger {
            "push" => {
                let push = on.and_then(|on| on.get("push"));
                let named = |key: &str, kind: &str| -> Vec<String> {
                    push.and_then(|push| push.get(key))
                        .into_iter()
                        .flat_map(Node::texts)
                        .filter(|name| !name.starts_with('!'))
                        .take(20)
                        .map(|name| format!("refs/{kind}/{}", clean(name)))
                        .collect()
                };
                let (branches, tags) = (named("branches", "heads"), named("tags", "tags"));
                if branches.is_empty() && tags.is_empty() {
                    refs.insert("HEAD".to_owned());
                }
                refs.extend(branches);
                refs.extend(tags);
            }
            "release" | "create" => {
                refs.insert("refs/tags/*".to_owned());
            }
            "schedule" | "workflow_dispatch" | "repository_dispatch" | "workflow_run" => {
                refs.insert("HEAD".to_owned());
            }
            _ => {}
        }
    }
    refs.into_iter().collect()
}

/// Secrets a job can use, and what it does with them as a whole.
#[derive(Default)]
struct Secrets {
    names: Names,
    any: bool,
    all: bool,
    computed: bool,
}

impl Secrets {
    /// Reads every expression below a node. `told` is what actions tell of names.
    fn read(&mut self, context: &Context<'_>, key: &str, node: &Node, steps: &Steps) {
        node.scalars(key, &mut |key, scalar| {
            let (from, to) = scalar.span;
            let source = context.text.slice(from, to);
            for (at, reference) in references(source, key == "if") {
                match reference {
                    Reference::All => self.all = true,
                    Reference::Computed => self.computed = true,
                    Reference::Named(name) if name.eq_ignore_ascii_case(EPHEMERAL) => {}
                    Reference::Named(name) => {
                        self.any = true;
                        let (line, column) = context.text.position(from + at);
                        let used = told(context, key, name, steps);
                        self.names.add(
                            name,
                            Use {
                                half: used.as_ref().is_some_and(|(_, half)| *half),
                                told: used.map(|(told, _)| told),
                                line,
                                column,
                            },
                        );
                    }
                }
            }
        });
    }
}

/// What the use of a name tells: the input of a well-known action, else the variable it goes into when the name itself
/// tells nothing.
fn told(
    context: &Context<'_>,
    key: &str,
    name: &str,
    steps: &Steps,
) -> Option<((String, String), bool)> {
    if let Some((kind, provider, half)) = steps.told.get(name) {
        return Some(((kind.clone(), provider.clone()), *half));
    }
    told_by_variable(context, key, name)
}

/// Reads one job into an identity, a consumer, a grant and references.
pub(super) fn read(
    context: &Context<'_>,
    workflow: &Workflow<'_>,
    key: &Key,
    job: &Node,
    out: &mut Declarations,
) {
    let host = host(context.uri);
    let short = clean(&format!("{}/{}", workflow.file, key.text));
    let native_id = format!("{}/{short}", context.repository);
    let consumer_id = ConsumerId::of(&[host.runtime, context.repository, &short]);
    let location = context
        .location(key.line, key.column)
        .naming(native_id.clone());

    let steps = job.get("steps").map_or_else(Steps::default, |list| {
        Steps::of(context, list, &mut out.notices)
    });
    let mut secrets = Secrets::default();
    // Variables of the workflow are not handed to workflows that it calls.
    let shared = workflow.env.filter(|_| job.get("uses").is_none());
    if let Some(env) = shared {
        secrets.read(context, "env", env, &steps);
    }
    secrets.read(context, "", job, &steps);
    let inherits = job.get("secrets").and_then(Node::as_str) == Some("inherit");
    let holds = secrets.any || secrets.all || secrets.computed || inherits;

    let own = Permissions::of(job);
    let permissions = own.as_ref().or(workflow.permissions.as_ref());
    let id_token = permissions.is_some_and(Permissions::id_token);

    let mut identity = Identity::named(
        host.provider,
        IdentityKind::CiJob,
        &short,
        &native_id,
        Grade::B,
    );
    let grant = permissions.and_then(|permissions| permissions.grant(context, &identity.id));
    let environment = job
        .get("environment")
        .and_then(|node| node.as_str().or_else(|| node.text_at(&["name"])).map(clean));
    let job_name = job.text_at(&["name"]).map(clean);
    identity.account = Some(context.repository.to_owned());
    identity.environment = context
        .tables
        .environments
        .of(environment.as_deref().unwrap_or_default());
    identity.purpose = match (workflow.name.clone(), job_name) {
        (Some(workflow), Some(job)) => Some(format!("{workflow} / {job}")),
        (Some(name), None) | (None, Some(name)) => Some(name),
        (None, None) => Some(clean(&key.text)),
    };
    identity.consumer_class = ConsumerClass::Ci;
    identity.consumers = vec![consumer_id.clone()];
    identity.locations = vec![location.clone()];
    if let Some(grant) = &grant {
        identity.grants = vec![grant.id.clone()];
        identity.privilege.tier = grant.tier;
        identity.privilege.write = grant
            .actions
            .iter()
            .any(|action| action.ends_with(":write"));
        identity.privilege.evidence.clone_from(&grant.evidence);
    }
    if permissions.is_none() {
        let told = Evidence::new(
            Grade::D,
            "no permissions declared: GITHUB_TOKEN has the repository's default, which reads at least",
        );
        identity.privilege.assumed = true;
        identity.privilege.tier = context.tables.github.default_tier;
        identity.privilege.data_read = true;
        identity.privilege.evidence = vec![told.clone()];
        identity.notes.push(told);
    }

    let (timeout_seconds, limit) = timeout(context, job);
    let mut evidence = vec![
        Evidence::new(
            Grade::B,
            format!(
                "job of a workflow that runs on {}",
                triggers(&workflow.triggers)
            ),
        ),
        limit,
    ];
    if !workflow.after.is_empty() {
        evidence.push(Evidence::new(
            Grade::B,
            format!(
                "runs after {}, with the rights of the default branch whoever started that",
                workflow.after.join(", ")
            ),
        ));
    }
    evidence.extend(notes(job, inherits, &secrets));
    evidence.extend(steps.notes);
    evidence.extend(reach::of(context, shared, job));
    evidence.extend(stores::of(shared.into_iter().chain([job])));

    out.consumers.push(Consumer {
        id: consumer_id.clone(),
        name: short,
        class: ConsumerClass::Ci,
        runtime: host.runtime.to_owned(),
        repository: Some(context.repository.to_owned()),
        identity: Some(identity.id.clone()),
        schedule: workflow.schedule.clone(),
        timeout_seconds,
        evidence,
        federation: if id_token || steps.federated {
            Federation::Configured
        } else if host.federates {
            Federation::Supported
        } else {
            Federation::Unknown
        },
        uses: Uses {
            native_ids: steps.native_ids,
            refs: workflow.refs.clone(),
            ..Uses::default()
        },
        risks: risks(context, workflow, job, holds || id_token, steps.unpinned),
        location: Some(location),
        environment,
    });
    out.references.extend(
        secrets
            .names
            .references(context, host.runtime, &consumer_id),
    );
    let passed = passed(job);
    if let Some((repository, uri)) = job
        .text_at(&["uses"])
        .and_then(|uses| called(context.repository, uses))
    {
        out.calls.push(Call {
            consumer: consumer_id.clone(),
            repository,
            uri,
            secrets: inherits,
            given: passed,
        });
    }
    for path in steps
        .local
        .iter()
        .filter_map(|uses| uses.strip_prefix("./"))
    {
        let path = path.trim_end_matches('/');
        out.calls
            .extend(["action.yml", "action.yaml"].iter().map(|name| Call {
                consumer: consumer_id.clone(),
                repository: context.repository.to_owned(),
                uri: format!("{path}/{name}").trim_start_matches('/').to_owned(),
                secrets: false,
                given: Vec::new(),
            }));
    }
    out.grants.extend(grant);
    out.identities.push(identity);
}

/// Repository and file of a workflow that a job calls: `./.github/workflows/x.yml`, `owner/name/.github/workflows/x.yml@v1`.
fn called(own: &str, uses: &str) -> Option<(String, String)> {
    if let Some(path) = uses.strip_prefix("./") {
        return Some((own.to_owned(), path.trim_end_matches('/').to_owned()));
    }
    let path = uses.split('@').next().unwrap_or(uses);
    let at = path.find("/.")?;
    let (repository, uri) = path.split_at_checked(at)?;
    Some((
        repository.to_owned(),
        uri.trim_start_matches('/').to_owned(),
    ))
}

/// Secrets that a call passes on by name: as they are called there, and as they are called here.
fn passed(job: &Node) -> Vec<(String, String)> {
    let secrets = job.get("secrets").into_iter().flat_map(Node::entries);
    secrets
        .filter_map(|(key, value)| {
            let found = references(value.as_str()?, false);
            found
                .into_iter()
                .find_map(|(_, reference)| match reference {
                    Reference::Named(name) => Some((clean(&key.text), clean(name))),
                    _ => None,
                })
        })
        .collect()
}

fn triggers(triggers: &BTreeSet<&str>) -> String {
    let words: Vec<String> = triggers.iter().take(10).map(|word| clean(word)).collect();
    if words.is_empty() {
        "no event it names".to_owned()
    } else {
        words.join(", ")
    }
}

/// The limit in seconds, and how it is known.
fn timeout(context: &Context<'_>, job: &Node) -> (Option<u64>, Evidence) {
    let default = context.tables.github.default_timeout_minutes;
    match job.get("timeout-minutes") {
        None => (
            None,
            Evidence::new(
                Grade::D,
                format!("no timeout-minutes declared: default {default} min"),
            ),
        ),
        Some(node) => match node.as_u64() {
            Some(minutes) => (
                minutes.checked_mul(60),
                Evidence::new(Grade::B, format!("timeout-minutes: {minutes}")),
            ),
            None => (
                None,
                Evidence::new(Grade::C, "timeout-minutes is an expression"),
            ),
        },
    }
}

/// Facts about the run that are no risk by themselves.
fn notes(job: &Node, inherits: bool, secrets: &Secrets) -> Vec<Evidence> {
    let mut notes = Vec::new();
    if let Some(matrix) = job.path(&["strategy", "matrix"]) {
        let axes: Vec<String> = matrix
            .entries()
            .filter(|(key, _)| !matches!(key.text.as_str(), "include" | "exclude"))
            .map(|(key, _)| clean(&key.text))
            .collect();
        notes.push(Evidence::new(
            Grade::B,
            if axes.is_empty() {
                "runs as a matrix".to_owned()
            } else {
                format!("runs as a matrix over {}", axes.join(", "))
            },
        ));
    }
    if let Some(uses) = job.text_at(&["uses"]) {
        notes.push(Evidence::new(
            Grade::B,
            format!("calls reusable workflow {}", clean(uses)),
        ));
    }
    if inherits {
        notes.push(Evidence::new(
            Grade::B,
            "passes every secret on (secrets: inherit)",
        ));
    }
    if secrets.all {
        notes.push(Evidence::new(
            Grade::B,
            "an expression takes all secrets at once",
        ));
    }
    if secrets.computed {
        notes.push(Evidence::new(
            Grade::B,
            "an expression chooses a secret at run time",
        ));
    }
    notes
}

/// Facts about the run that weaken its context.
fn risks(
    context: &Context<'_>,
    workflow: &Workflow<'_>,
    job: &Node,
    privileged: bool,
    mut actions: Vec<String>,
) -> Vec<String> {
    let mut risks = Vec::new();
    if workflow.triggers.contains("pull_request_target") {
        risks.push("pull_request_target".to_owned());
    }
    let self_hosted = job.get("runs-on").is_some_and(|node| {
        node.texts()
            .chain(node.get("labels").into_iter().flat_map(Node::texts))
            .any(|label| label.eq_ignore_ascii_case("self-hosted"))
    });
    if self_hosted {
        risks.push("self-hosted runner".to_owned());
    }
    if privileged {
        if let Some(uses) = job.text_at(&["uses"])
            && unpinned(context, uses)
        {
            actions.push(clean(uses));
        }
        risks.extend(
            actions
                .into_iter()
                .map(|action| format!("unpinned action {action}")),
        );
    }
    risks
}
