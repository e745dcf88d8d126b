//! Kubernetes manifests: service accounts, their tokens, RBAC and the workloads that run as them.
//!
//! A resource is located at its `kind` key.

mod accounts;
mod mounted;
pub(super) mod rbac;
mod workloads;

pub(super) use accounts::{ACCOUNT_MOUNTS_NOT, federations_of};
pub(super) use workloads::POD_MOUNTS;

use super::clean::clean;
use super::context::{Context, templated};
use super::helm::UNRENDERED;
use super::node::Node;
use crate::model::{CoverageStatus, Declarations, Location};
use memchr::memmem;

/// Kinds read here.
const KINDS: [&str; 30] = [
    "ServiceAccount",
    "Secret",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "ReplicationController",
    "Rollout",
    "Job",
    "CronJob",
    "Pod",
    "Service",
    "DeploymentConfig",
    "ScaledJob",
    "Workflow",
    "CronWorkflow",
    "WorkflowTemplate",
    "ClusterWorkflowTemplate",
    "TaskRun",
    "PipelineRun",
    "ExternalSecret",
    "ClusterExternalSecret",
    "PodIdentityAssociation",
    "ClusterConfig",
    "Configuration",
    "PodTemplate",
];

/// Kinds whose names others refer to.
const NAMED: [&str; 5] = [
    "ServiceAccount",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
];

/// Store of secrets, as references name it.
const STORE: &str = "kubernetes-secret";

/// Whether a text may hold a resource of interest: it names a version and one of the kinds. Cheap, and never wrong about a
/// resource written in the usual way.
pub(super) fn interesting(bytes: &[u8]) -> bool {
    memmem::find(bytes, b"apiVersion").is_some()
        && memmem::find_iter(bytes, b"kind").any(|at| {
            let rest = bytes.get(at + 4..).unwrap_or_default();
            let skip =
                |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b':');
            let start = rest.iter().take_while(|byte| skip(byte)).count();
            let word = rest.get(start..).unwrap_or_default();
            let end = word
                .iter()
                .take_while(|byte| byte.is_ascii_alphanumeric())
                .count();
            let word = word.get(..end).unwrap_or_default();
            // A plain Service is only read beside a workload.
            (word != b"Service" || memmem::find(bytes, b"serving.knative.dev").is_some())
                && (word.ends_with(b"List") || KINDS.iter().any(|kind| kind.as_bytes() == word))
        })
}

/// Whether a broken text is a manifest beyond doubt: both keys stand at the left margin.
pub(super) fn unmistakable(text: &str) -> bool {
    let at_margin = |key: &str| text.lines().any(|line| line.starts_with(key));
    at_margin("apiVersion:") && at_margin("kind:")
}

/// One resource.
struct Resource<'n> {
    node: &'n Node,
    kind: &'n str,
    name: String,
    namespace: Option<String>,
    location: Location,
}

impl Resource<'_> {
    /// Whether it is of this API group.
    fn of(&self, group: &str) -> bool {
        self.node
            .text_at(&["apiVersion"])
            .and_then(|version| version.strip_prefix(group))
            .is_some_and(|rest| rest.starts_with('/'))
    }

    /// Namespace, with the one that holds when none is written.
    fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or("default")
    }
}

/// Reads the documents of a file.
pub(super) fn read(context: &Context<'_>, documents: &[Node], out: &mut Declarations) {
    let mut resources = Vec::new();
    let mut left = Left::default();
    for document in documents {
        collect(context, document, 0, &mut resources, &mut left);
    }
    let services = workloads::services(&resources);
    for resource in &resources {
        match resource.kind {
            "ServiceAccount" => accounts::service_account(context, resource, out),
            "Secret" => accounts::secret(context, resource, out),
            "Role" | "ClusterRole" => rbac::role(context, resource, out),
            "RoleBinding" | "ClusterRoleBinding" => rbac::binding(context, resource, out),
            "Service" if !resource.of("serving.knative.dev") => {}
            "ExternalSecret" | "ClusterExternalSecret" => {
                accounts::external_secret(context, resource, out);
            }
            "PodIdentityAssociation" => accounts::association(context, resource, out),
            "ClusterConfig" => accounts::cluster(context, resource, out),
            _ => workloads::read(context, resource, &services, out),
        }
    }
    if left.templates {
        skip_template(context, out);
    } else if !left.nameless.is_empty() && out.notices.is_empty() {
        let shown: Vec<String> = left.nameless.iter().take(5).map(u32::to_string).collect();
        let reason = format!(
            "{} without a name: left out (line {})",
            if left.nameless.len() == 1 {
                "a resource".to_owned()
            } else {
                format!("{} resources", left.nameless.len())
            },
            shown.join(", ")
        );
        out.notices
            .push(context.notice(CoverageStatus::Skipped, &reason));
    }
}

/// What of a file is left out.
#[derive(Default)]
struct Left {
    /// Something is a template.
    templates: bool,
    /// Lines of accounts, roles and bindings without a name.
    nameless: Vec<u32>,
}

/// Tells once that something of the file is a template.
fn skip_template(context: &Context<'_>, out: &mut Declarations) {
    if out.notices.is_empty() {
        out.notices
            .push(context.notice(CoverageStatus::Skipped, "templated, read as text only"));
    }
}

/// A value that a template fills in: `{{ … }}` without quotes parses as a mapping, with quotes as a text.
fn is_template(value: &Node) -> bool {
    value.is_map()
        || value
            .as_str()
            .is_some_and(|text| templated(text) || text.contains(UNRENDERED))
}

/// Gathers the resources of a document; lists are opened.
fn collect<'n>(
    context: &Context<'_>,
    node: &'n Node,
    depth: usize,
    resources: &mut Vec<Resource<'n>>,
    left: &mut Left,
) {
    let (Some((key, kind)), Some(_)) = (node.entry("kind"), node.get("apiVersion")) else {
        return;
    };
    let Some(kind) = kind.as_str() else {
        return;
    };
    if kind.ends_with("List") && depth < 2 {
        for item in node.get("items").map_or(&[][..], Node::items) {
            collect(context, item, depth + 1, resources, left);
        }
        return;
    }
    if !KINDS.contains(&kind) {
        return;
    }
    let text = |path: &[&str]| node.text_at(path).map(str::trim);
    if [&["metadata", "name"][..], &["metadata", "namespace"]]
        .iter()
        .any(|path| node.path(path).is_some_and(is_template))
    {
        left.templates = true;
        return;
    }
    let Some(name) = text(&["metadata", "name"])
        .or_else(|| text(&["metadata", "generateName"]))
        .filter(|name| !name.is_empty())
    else {
        if NAMED.contains(&kind) {
            left.nameless.push(key.line);
        }
        return;
    };
    let namespace = text(&["metadata", "namespace"])
        .filter(|namespace| !namespace.is_empty())
        .map(clean);
    let name = clean(name);
    let scope = namespace.as_deref().unwrap_or("default");
    let logical = if kind.starts_with("Cluster") {
        format!("{kind}/{name}")
    } else {
        format!("{scope}/{kind}/{name}")
    };
    resources.push(Resource {
        node,
        kind,
        location: context.location(key.line, key.column).naming(logical),
        name,
        namespace,
    });
}

#[cfg(test)]
mod tests {
    use crate::manifests::{link, read};
    use crate::model::{ConsumerClass, Declarations, Federation, FingerprintKey, Identity};

    fn declared(uri: &str, file: &str) -> Declarations {
        read("shop", uri, file.as_bytes(), &FingerprintKey::new([7; 32])).unwrap()
    }

    const ACCOUNT: &str = "\
apiVersion: v1
kind: ServiceAccount
metadata:
  name: payments
  namespace: prod
  labels: {team: ledger}
  annotations:
    eks.amazonaws.com/role-arn: arn:aws:iam::123456789012:role/payments
    kubectl.kubernetes.io/last-applied-configuration: '{\"password\":\"hunter2x\"}'
automountServiceAccountToken: false
---
# a comment
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules:
  - {apiGroups: [''], resources: [secrets], verbs: [get, list]}
";
    const BINDINGS: &str = "\
apiVersion: v1
kind: List
items:
  - kind: ClusterRoleBinding
    apiVersion: rbac.authorization.k8s.io/v1
    metadata: {name: payments-reads}
    roleRef: {kind: ClusterRole, name: reader, apiGroup: rbac.authorization.k8s.io}
    subjects: [{kind: ServiceAccount, name: payments, namespace: prod}]
  - kind: ClusterRoleBinding
    apiVersion: rbac.authorization.k8s.io/v1
    metadata: {name: everyone-admin}
    roleRef: {kind: ClusterRole, name: cluster-admin}
    subjects: [{kind: Group, name: 'system:serviceaccounts:ops'}, {kind: User, name: jane}]
  - kind: RoleBinding
    apiVersion: rbac.authorization.k8s.io/v1
    metadata: {name: elsewhere, namespace: prod}
    roleRef: {kind: Role, name: not-here}
    subjects: [{kind: ServiceAccount, name: payments}]
";
    const WORKLOADS: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: prod}
spec:
  template:
    metadata: {labels: {app: api, tier: web}}
    spec:
      serviceAccountName: payments
      containers:
        - name: api
          env:
            - name: AWS_ACCESS_KEY_ID
              valueFrom: {secretKeyRef: {name: aws, key: id}}
            - name: AWS_SECRET_ACCESS_KEY
              valueFrom: {secretKeyRef: {name: aws, key: private}}
          envFrom:
            - secretRef: {name: app-settings}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: prod}
spec: {selector: {app: api}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: ops}
spec:
  schedule: '0 1 * * *'
  jobTemplate:
    spec:
      activeDeadlineSeconds: 600
      template: {spec: {containers: []}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec: {template: {spec: {activeDeadlineSeconds: 60}}}
---
apiVersion: v1
kind: Pod
metadata: {name: bare}
spec: {hostNetwork: true}
";

    fn linked() -> Vec<Declarations> {
        let mut files = vec![
            declared("a.yaml", ACCOUNT),
            declared("b.yaml", BINDINGS),
            declared("c.yaml", WORKLOADS),
        ];
        link(&mut files);
        files
    }

    fn identity<'f>(files: &'f [Declarations], native_id: &str) -> &'f Identity {
        let mut all = files.iter().flat_map(|file| &file.identities);
        let found = all.find(|identity| identity.native_id == native_id);
        assert!(!all.any(|identity| identity.native_id == native_id));
        found.unwrap()
    }

    #[test]
    fn an_account_is_where_it_is_declared_with_its_tags() {
        let files = linked();
        let account = identity(&files, "system:serviceaccount:prod:payments");
        assert_eq!(account.locations.len(), 1);
        assert_eq!(account.locations[0].display(), "shop/a.yaml:2");
        assert_eq!(account.tags.get("team").map(String::as_str), Some("ledger"));
        assert!(!format!("{account:?}").contains("hunter2x"));
        let notes: Vec<&str> = account
            .notes
            .iter()
            .map(|note| note.text.as_str())
            .collect();
        assert_eq!(
            notes,
            [
                "becomes arn:aws:iam::123456789012:role/payments by IRSA",
                "does not automount its token"
            ]
        );
    }

    #[test]
    fn bindings_become_grants_across_files() {
        let files = linked();
        let account = identity(&files, "system:serviceaccount:prod:payments");
        assert_eq!((account.privilege.tier, account.grants.len()), (4, 2));
        assert!(account.privilege.secret_read && !account.privilege.admin);
        let ops = identity(&files, "system:serviceaccount:ops:default");
        assert_eq!(ops.privilege.tier, 5);
        assert!(ops.privilege.admin);
        let shown: Vec<String> = files[1]
            .grants
            .iter()
            .map(|grant| {
                format!(
                    "{} | tier {} | {:?} | {:?} | {} | {}",
                    grant.native_id,
                    grant.tier,
                    grant.actions,
                    grant.resources,
                    grant.evidence[0].text,
                    grant.location.as_ref().unwrap().display()
                )
            })
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        ClusterRoleBinding/payments-reads → ClusterRole/reader | tier 4 | ["get secrets", "list secrets"] | ["*"] | get secrets: reading every secret in reach | shop/b.yaml:4
        ClusterRoleBinding/everyone-admin → ClusterRole/cluster-admin | tier 5 | [] | ["*"] | cluster-admin is a role of every cluster | shop/b.yaml:9
        prod/RoleBinding/elsewhere → Role/not-here | tier 0 | [] | ["prod"] | role not-here is not declared in this repository: what it allows is unknown | shop/b.yaml:14
        "#);
    }

    #[test]
    fn workloads_are_consumers_with_class_limits_and_cloud_identity() {
        let files = linked();
        let shown: Vec<String> = files[2]
            .consumers
            .iter()
            .map(|consumer| {
                format!(
                    "{} | {} | {:?} {:?} | {:?} | {:?} | {:?}",
                    consumer.location.as_ref().unwrap().display(),
                    consumer.name,
                    consumer.class,
                    consumer.schedule,
                    consumer.timeout_seconds,
                    consumer.uses.native_ids,
                    consumer.risks,
                )
            })
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        shop/c.yaml:2 | Deployment prod/api | RequestDriven None | None | ["system:serviceaccount:prod:payments", "arn:aws:iam::123456789012:role/payments"] | []
        shop/c.yaml:25 | CronJob ops/nightly | Scheduled Some("0 1 * * *") | Some(600) | ["system:serviceaccount:ops:default"] | ["mounts its service account's token"]
        shop/c.yaml:35 | Job default/once | Batch None | Some(60) | ["system:serviceaccount:default:default"] | ["mounts its service account's token"]
        shop/c.yaml:40 | Pod default/bare | Daemon None | None | ["system:serviceaccount:default:default"] | ["hostNetwork", "mounts its service account's token"]
        "#);
        assert_eq!(files[2].consumers[0].federation, Federation::Configured);
        let account = identity(&files, "system:serviceaccount:prod:payments");
        assert_eq!(account.consumer_class, ConsumerClass::RequestDriven);
    }

    /// No name is used, some are said to stand here.
    fn only_defined(out: &Declarations) -> bool {
        let mut stores = out.references.iter().map(|reference| &reference.store);
        stores.all(|store| store.starts_with(crate::model::DEFINED))
    }

    #[test]
    fn secrets_a_workload_takes_are_references() {
        let files = linked();
        let shown: Vec<String> = files[2]
            .references
            .iter()
            .map(|r| format!("{} {:?} {}", r.name, r.kind, r.location.display()))
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        app-settings None shop/c.yaml:17
        aws/id Some("aws-access-key") shop/c.yaml:13
        "#);
    }

    #[test]
    fn a_stored_token_is_a_credential_of_its_account_or_a_reference() {
        let head = "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/service-account-token\nmetadata:\n  name: t\n  namespace: prod\n  annotations: {kubernetes.io/service-account.name: payments}\n";
        let empty = declared("s.yaml", head);
        assert_eq!(
            empty.references[0].kind.as_deref(),
            Some("kubernetes-service-account-token")
        );
        assert_eq!(
            empty.identities[0].native_id,
            "system:serviceaccount:prod:payments"
        );

        let token = ["ey", "Jhbg.ey", "Jzdg.c2ln"].concat();
        let held = declared("s.yaml", &format!("{head}stringData:\n  token: {token}\n"));
        assert!(only_defined(&held));
        let seen = &held.credentials[0];
        assert_eq!((seen.sighting.line, seen.sighting.column), (9, 10));
        assert_eq!(
            seen.subject.as_deref(),
            Some("system:serviceaccount:prod:payments")
        );
        assert_eq!(seen.expires_by_nature, Some(false));
        assert!(!format!("{held:?}").contains(&token));
    }

    #[test]
    fn an_encoded_token_is_the_same_credential_as_a_plain_one() {
        use base64::Engine;
        let token = ["gh", "p_", "16C7e42F292c6912E7710c838347Ae178B4a"].concat();
        let encoded = base64::engine::general_purpose::STANDARD.encode(&token);
        let file = format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\ndata:\n  a: {encoded}\nstringData:\n  b: {token}\n"
        );
        let out = declared("s.yaml", &file);
        assert_eq!(out.credentials.len(), 2);
        assert_eq!(
            out.credentials[0].fingerprint,
            out.credentials[1].fingerprint
        );
        assert_eq!(out.credentials[0].kind, "github-pat");
        assert!(only_defined(&out));
    }

    #[test]
    fn templates_and_broken_files_are_told_apart() {
        let status = |uri: &str, file: &str| declared(uri, file).notices[0].status.as_str();
        let quoted = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: '{{ .Values.x }}'}\n";
        let helm = "apiVersion: v1\nkind: ServiceAccount\n{{- if .x }}\nmetadata: {name: x\n";
        let broken = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: x\n";
        let other = "doc: |\n  apiVersion: v1\n  kind: Pod\n]\n";
        assert_eq!(status("t.yaml", quoted), "skipped");
        assert_eq!(status("t.yaml", helm), "skipped");
        assert_eq!(status("t.yaml", broken), "partial");
        assert_eq!(status("t.yaml", other), "skipped");
        assert!(declared("t.yaml", quoted).identities.is_empty());
    }

    #[test]
    fn an_account_that_a_template_fills_in_is_no_default_account() {
        let out = declared(
            "t.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  serviceAccountName: {{ .Values.account }}\n",
        );
        assert!(out.identities.is_empty() && out.consumers.is_empty());
        assert_eq!(out.notices[0].status.as_str(), "skipped");
        let out = declared(
            "t.yaml",
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: x}\nroleRef: {kind: Role, name: r}\nsubjects:\n  - {kind: ServiceAccount, name: '{{ .Values.account }}'}\n  - {kind: ServiceAccount, name: real}\n",
        );
        assert_eq!(out.identities.len(), 1);
        assert_eq!(out.notices.len(), 1);
    }

    #[test]
    fn json_is_read_like_yaml() {
        let file = "{\n \"apiVersion\": \"v1\",\n \"kind\": \"ServiceAccount\",\n \"metadata\": {\"name\": \"x\"}\n}";
        let out = declared("x.json", file);
        assert_eq!(
            out.identities[0].native_id,
            "system:serviceaccount:default:x"
        );
        assert_eq!(out.identities[0].locations[0].line, Some(3));
        assert_eq!(out.identities[0].locations[0].column, Some(2));
    }

    #[test]
    fn files_without_resources_are_not_parsed() {
        let key = FingerprintKey::new([7; 32]);
        let crd = b"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n: : [";
        assert!(read("shop", "crd.yaml", crd, &key).is_none());
        assert!(read("shop", "settings.yaml", b"a: 1\n", &key).is_none());
    }
}
