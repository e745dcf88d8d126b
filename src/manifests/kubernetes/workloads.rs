//! Workloads: what runs, for how long, as whom, with which secrets.

use super::super::capabilities::seconds;
use super::super::clean::clean;
use super::super::context::Context;
use super::super::names::{Names, Use, told_by_variable};
use super::super::node::Node;
use super::super::stores;
use super::{Resource, STORE, accounts, is_template, mounted, skip_template};
use crate::model::consumer::MOUNTS_TOKEN;
use crate::model::{
    Capability, CapabilityKind, Consumer, ConsumerClass, ConsumerId, Declarations, Evidence,
    Federation, Grade, Uses,
};
use std::collections::BTreeMap;

/// Name of the runtime.
const RUNTIME: &str = "kubernetes";

/// What a workload says that mounts the token whatever its account says.
pub(in super::super) const POD_MOUNTS: &str = "mounts the service account's token";

/// A service of the same file: namespace and selector.
pub(super) struct Service<'n> {
    namespace: String,
    selector: BTreeMap<&'n str, &'n str>,
}

/// Services of a file, which show that the workloads they select answer requests.
pub(super) fn services<'n>(resources: &[Resource<'n>]) -> Vec<Service<'n>> {
    resources
        .iter()
        .filter(|resource| resource.kind == "Service")
        .filter_map(|resource| {
            let selector = texts(resource.node.path(&["spec", "selector"])?);
            (!selector.is_empty()).then(|| Service {
                namespace: resource.namespace().to_owned(),
                selector,
            })
        })
        .collect()
}

fn texts(node: &Node) -> BTreeMap<&str, &str> {
    node.entries()
        .filter_map(|(key, value)| Some((key.text.as_str(), value.as_str()?)))
        .collect()
}

/// Where a kind keeps its pod, and what limits it.
struct Shape<'n> {
    class: ConsumerClass,
    reason: &'static str,
    /// What holds the containers or the steps, and names the account.
    spec: Option<&'n Node>,
    /// Metadata of the pod.
    metadata: Option<&'n Node>,
    schedule: Option<String>,
    deadline: Option<u64>,
}

impl<'n> Shape<'n> {
    fn of(resource: &Resource<'n>) -> Self {
        let node = resource.node;
        let deadline = |path: &[&str]| node.path(path).and_then(Node::as_u64);
        let lasting = |path: &[&str]| node.text_at(path).and_then(seconds);
        let mut template = node.path(&["spec", "template"]);
        let mut shape = Self {
            class: ConsumerClass::Daemon,
            reason: "runs all the time",
            spec: None,
            metadata: None,
            schedule: None,
            deadline: None,
        };
        let batch = |shape: &mut Self| {
            shape.class = ConsumerClass::Batch;
            shape.reason = "runs to completion";
        };
        match resource.kind {
            "Job" => {
                batch(&mut shape);
                shape.deadline = deadline(&["spec", "activeDeadlineSeconds"]);
            }
            "CronJob" => {
                shape.class = ConsumerClass::Scheduled;
                shape.reason = "runs on a schedule";
                template = node.path(&["spec", "jobTemplate", "spec", "template"]);
                shape.schedule = node.text_at(&["spec", "schedule"]).map(clean);
                shape.deadline =
                    deadline(&["spec", "jobTemplate", "spec", "activeDeadlineSeconds"]);
            }
            "ScaledJob" => {
                batch(&mut shape);
                template = node.path(&["spec", "jobTargetRef", "template"]);
                shape.deadline = deadline(&["spec", "jobTargetRef", "activeDeadlineSeconds"]);
            }
            "Workflow" | "WorkflowTemplate" | "ClusterWorkflowTemplate" => {
                batch(&mut shape);
                template = None;
                shape.spec = node.get("spec");
                shape.metadata = node.path(&["spec", "podMetadata"]);
            }
            "CronWorkflow" => {
                shape.class = ConsumerClass::Scheduled;
                shape.reason = "runs on a schedule";
                template = None;
                shape.spec = node.path(&["spec", "workflowSpec"]);
                shape.metadata = node.path(&["spec", "workflowSpec", "podMetadata"]);
                let schedule = node.path(&["spec", "schedule"]);
                let schedule = schedule.or_else(|| node.path(&["spec", "schedules"]));
                shape.schedule = schedule.and_then(|node| node.texts().next()).map(clean);
            }
            "TaskRun" => {
                batch(&mut shape);
                template = None;
                shape.spec = node.get("spec");
                shape.deadline = lasting(&["spec", "timeout"]);
            }
            "PipelineRun" => {
                batch(&mut shape);
                template = None;
                let run = node.path(&["spec", "taskRunTemplate"]);
                shape.spec = run.or_else(|| node.get("spec"));
                shape.deadline = lasting(&["spec", "timeouts", "pipeline"])
                    .or_else(|| lasting(&["spec", "timeout"]));
            }
            "Service" | "Configuration" => {
                shape.class = ConsumerClass::RequestDriven;
                shape.reason = "is started by requests";
                shape.deadline = deadline(&["spec", "template", "spec", "timeoutSeconds"]);
            }
            "PodTemplate" => template = node.get("template"),
            "Pod" => {
                template = Some(node);
                if matches!(
                    node.text_at(&["spec", "restartPolicy"]),
                    Some("Never" | "OnFailure")
                ) {
                    shape.class = ConsumerClass::Batch;
                    shape.reason = "runs to completion (restartPolicy)";
                }
            }
            _ => {}
        }
        if let Some(template) = template {
            shape.spec = template.get("spec");
            shape.metadata = template.get("metadata");
        }
        shape.deadline = shape.deadline.or_else(|| {
            shape
                .spec?
                .get("activeDeadlineSeconds")
                .and_then(Node::as_u64)
        });
        shape
    }
}

/// Reads a workload into a consumer, the identity it runs as, and references.
pub(super) fn read(
    context: &Context<'_>,
    resource: &Resource<'_>,
    services: &[Service<'_>],
    out: &mut Declarations,
) {
    let mut shape = Shape::of(resource);
    let Some(spec) = shape.spec else {
        return;
    };
    let named = spec
        .get("serviceAccountName")
        .or_else(|| spec.get("serviceAccount"));
    if named.is_some_and(is_template) {
        skip_template(context, out);
        return;
    }
    let account = spec
        .text_at(&["serviceAccountName"])
        .or_else(|| spec.text_at(&["serviceAccount"]))
        .map(str::trim)
        .filter(|name| !name.is_empty());
    let name = format!(
        "{} {}/{}",
        resource.kind,
        resource.namespace(),
        resource.name
    );
    let id = ConsumerId::of(&[RUNTIME, context.repository, context.uri, &name]);

    if shape.class == ConsumerClass::Daemon {
        let labels = shape
            .metadata
            .and_then(|metadata| metadata.get("labels"))
            .map(texts);
        let served = services.iter().any(|service| {
            service.namespace == resource.namespace()
                && labels.as_ref().is_some_and(|labels| {
                    service
                        .selector
                        .iter()
                        .all(|(key, value)| labels.get(key) == Some(value))
                })
        });
        if served {
            shape.class = ConsumerClass::RequestDriven;
            shape.reason = "a Service of the same file sends it requests";
        }
    }
    let mut evidence = vec![Evidence::new(
        Grade::B,
        format!("{} {}", resource.kind, shape.reason),
    )];
    if let Some(deadline) = shape.deadline {
        evidence.push(Evidence::new(
            Grade::B,
            format!("activeDeadlineSeconds: {deadline}"),
        ));
    }
    if account.is_none() {
        evidence.push(Evidence::new(
            Grade::B,
            "names no service account: runs as the namespace's default",
        ));
    }
    let mounts = spec
        .get("automountServiceAccountToken")
        .and_then(Node::as_bool);
    match mounts {
        Some(false) => evidence.push(Evidence::new(
            Grade::B,
            "does not mount the service account's token",
        )),
        Some(true) => evidence.push(Evidence::new(Grade::B, POD_MOUNTS)),
        None => {}
    }
    evidence.extend(projected(spec));
    evidence.extend(stores::of([spec]));
    let proofs = proofs(context, resource.node, shape.metadata, spec);
    let federation = if proofs.is_empty() {
        Federation::Supported
    } else {
        Federation::Configured
    };
    evidence.extend(proofs);
    lasting_tokens(context, resource, spec, out);

    let mut identity = accounts::named(
        resource,
        resource.namespace(),
        &clean(account.unwrap_or("default")),
    );
    identity.consumers = vec![id.clone()];
    identity.consumer_class = shape.class;
    let environment = context.tables.environments.of(resource.namespace());
    identity.environment = environment;

    out.references
        .extend(secrets(context, spec).references(context, STORE, &id));
    out.consumers.push(Consumer {
        id,
        name,
        class: shape.class,
        runtime: RUNTIME.to_owned(),
        repository: Some(context.repository.to_owned()),
        identity: Some(identity.id.clone()),
        schedule: shape.schedule,
        timeout_seconds: shape.deadline,
        evidence,
        federation,
        uses: Uses {
            identities: vec![identity.id.clone()],
            native_ids: vec![identity.native_id.clone()],
            ..Uses::default()
        },
        risks: risks(spec, mounts),
        location: Some(resource.location.clone()),
        environment: Some(resource.namespace().to_owned()),
    });
    out.identities.push(identity);
}

/// Facts about the pod that weaken its isolation.
///
/// A pod mounts its account's token unless it says otherwise; where it says nothing and the account says no, linking takes
/// the risk away.
fn risks(spec: &Node, mounts: Option<bool>) -> Vec<String> {
    let host = ["hostNetwork", "hostPID", "hostIPC"]
        .iter()
        .filter(|key| spec.get(key).and_then(Node::as_bool) == Some(true))
        .map(|key| (*key).to_owned());
    let privileged = containers(spec).any(|container| {
        container
            .path(&["securityContext", "privileged"])
            .and_then(Node::as_bool)
            == Some(true)
    });
    host.chain(privileged.then(|| "privileged container".to_owned()))
        .chain((mounts != Some(false)).then(|| MOUNTS_TOKEN.to_owned()))
        .collect()
}

pub(super) fn containers(spec: &Node) -> impl Iterator<Item = &Node> {
    let pods = [
        "containers",
        "initContainers",
        "ephemeralContainers",
        "steps",
        "sidecars",
    ]
    .into_iter()
    .filter_map(|key| spec.get(key))
    .flat_map(Node::items);
    // The steps of a workflow are templates, each with a container of its own.
    let templates = spec.get("templates").map_or(&[][..], Node::items);
    let steps = templates.iter().flat_map(|step| {
        ["container", "script"]
            .into_iter()
            .filter_map(|key| step.get(key))
    });
    let sets = templates
        .iter()
        .filter_map(|step| step.path(&["containerSet", "containers"]))
        .flat_map(Node::items);
    let task = spec
        .path(&["taskSpec", "steps"])
        .map_or(&[][..], Node::items);
    pods.chain(steps).chain(sets).chain(task)
}

/// What shows that the pod proves its identity to more than the API server.
fn proofs(
    context: &Context<'_>,
    resource: &Node,
    metadata: Option<&Node>,
    spec: &Node,
) -> Vec<Evidence> {
    let table = &context.tables.capabilities;
    let mut out = Vec::new();
    let groups = ["annotations", "labels"];
    for form in &table.workload {
        let value = [metadata, resource.get("metadata")]
            .into_iter()
            .flatten()
            .flat_map(|metadata| groups.iter().filter_map(|group| metadata.get(group)))
            .find_map(|group| group.text_at(&[form.key.as_str()]));
        let shown = match (&form.value, value) {
            (Some(wanted), Some(value)) => wanted == value,
            (None, Some(_)) => true,
            _ => false,
        };
        if shown {
            out.push(Evidence::new(
                Grade::B,
                format!("{} ({})", form.says, form.key),
            ));
        }
    }
    for volume in spec.get("volumes").map_or(&[][..], Node::items) {
        let driver = volume.text_at(&["csi", "driver"]);
        let known = table
            .driver
            .iter()
            .find(|form| Some(form.driver.as_str()) == driver);
        out.extend(
            known.map(|form| Evidence::new(Grade::B, format!("{} ({})", form.says, form.driver))),
        );
    }
    out
}

/// Longest lifetime of a projected token that needs no word, in seconds.
const SHORT_TOKEN: u64 = 86_400;

/// Projected tokens that last longer than a day are issued, and still long-lived.
fn lasting_tokens(
    context: &Context<'_>,
    resource: &Resource<'_>,
    spec: &Node,
    out: &mut Declarations,
) {
    for volume in spec.get("volumes").map_or(&[][..], Node::items) {
        let sources = volume.path(&["projected", "sources"]);
        for source in sources.map_or(&[][..], Node::items) {
            let token = source.path(&["serviceAccountToken", "expirationSeconds"]);
            let Some((token, seconds)) = token
                .and_then(|node| Some((node, node.as_u64()?)))
                .filter(|(_, seconds)| *seconds > SHORT_TOKEN)
            else {
                continue;
            };
            out.capabilities.push(Capability {
                kind: CapabilityKind::RuntimeIdentity,
                product: RUNTIME.to_owned(),
                name: format!("projected token of {} {}", resource.kind, resource.name),
                says: "the kubelet issues a token for the pod".to_owned(),
                repository: context.repository.to_owned(),
                namespace: Some(resource.namespace().to_owned()),
                subjects: Vec::new(),
                ttl_seconds: Some(seconds),
                max_ttl_seconds: None,
                ttl_assumed: false,
                location: context.location(token.line, token.column),
            });
        }
    }
}

/// Tokens that the kubelet issues and renews.
fn projected(spec: &Node) -> Vec<Evidence> {
    let volumes = spec.get("volumes").map_or(&[][..], Node::items);
    volumes
        .iter()
        .filter_map(|volume| volume.path(&["projected", "sources"]))
        .flat_map(Node::items)
        .filter_map(|source| source.get("serviceAccountToken"))
        .map(|token| {
            let audience = token
                .text_at(&["audience"])
                .map_or_else(|| "the API server".to_owned(), clean);
            let seconds = token
                .get("expirationSeconds")
                .and_then(Node::as_u64)
                .unwrap_or(3_600);
            Evidence::new(
                Grade::B,
                format!("projected token for {audience}, {seconds} s"),
            )
        })
        .collect()
}

/// Secrets the pod takes: single keys, whole secrets as variables, volumes.
fn secrets(context: &Context<'_>, spec: &Node) -> Names {
    let mut names = Names::default();
    let mut add = |name: &str, told: Option<((String, String), bool)>, at: &Node| {
        names.add(
            name,
            Use {
                half: told.as_ref().is_some_and(|(_, half)| *half),
                told: told.map(|(told, _)| told),
                line: at.line,
                column: at.column,
            },
        );
    };
    for container in containers(spec) {
        for variable in container.get("env").map_or(&[][..], Node::items) {
            if let Some(source) = variable.path(&["valueFrom", "secretKeyRef"])
                && let (Some(secret), Some(key)) = (source.get("name"), source.text_at(&["key"]))
                && let Some(name) = secret.as_str()
            {
                let name = format!("{name}/{key}");
                let variable = variable.text_at(&["name"]);
                let told = variable.and_then(|of| told_by_variable(context, of, &name));
                add(&name, told, secret);
            }
        }
        for source in container.get("envFrom").map_or(&[][..], Node::items) {
            if let Some(secret) = source.path(&["secretRef", "name"])
                && let Some(name) = secret.as_str()
            {
                add(name, None, secret);
            }
        }
    }
    for secret in spec.get("imagePullSecrets").map_or(&[][..], Node::items) {
        if let Some(secret) = secret.get("name")
            && let Some(name) = secret.as_str()
        {
            add(name, None, secret);
        }
    }
    for volume in spec.get("volumes").map_or(&[][..], Node::items) {
        let sources = volume.path(&["projected", "sources"]);
        let mounted = volume.path(&["secret", "secretName"]).into_iter().chain(
            sources
                .into_iter()
                .flat_map(Node::items)
                .filter_map(|source| source.path(&["secret", "name"])),
        );
        for secret in mounted {
            if let Some(name) = secret.as_str() {
                let volume = volume.text_at(&["name"]).unwrap_or_default();
                add(name, mounted::told(context, spec, volume, name), secret);
            }
        }
    }
    names
}
