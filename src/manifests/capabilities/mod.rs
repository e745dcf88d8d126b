//! Runtime identity, policy and brokered access that is set up already: SPIFFE, meshes, secrets engines, certificates,
//! admission policies, brokers.

mod durations;
mod files;
mod script;
mod spire;
mod terraform;
mod vault;

pub(super) use durations::seconds;
pub(super) use files::{is_policy, policy, says};
pub(super) use terraform::{
    add as of_resources, interesting as resource_says, mentioned as resource_mentioned,
};

use super::clean::clean;
use super::context::Context;
use super::node::Node;
use super::words::Words;
use crate::model::{Capability, Declarations, Location};
use crate::rules::capabilities::ResourceForm;
use crate::rules::manifests::ManifestTables;
use std::sync::LazyLock;

/// Most resources of one file.
const MAX_FOUND: usize = 2_000;
/// Most subjects of one resource.
const MAX_SUBJECTS: usize = 50;

/// Words that none of the files read here is without.
static WORDS: LazyLock<Option<Words>> = LazyLock::new(|| {
    let tables = ManifestTables::builtin().ok()?;
    let words = tables.capabilities.groups().chain([
        "spiffe_id",
        "max_session_ttl",
        "join_method",
        "token_ttl",
        "default_ttl",
        "bound_service_account",
    ]);
    Words::new(words)
});

/// Whether a text may hold anything read here. Cheap.
pub(super) fn interesting(bytes: &[u8]) -> bool {
    WORDS.as_ref().is_some_and(|words| words.any_in(bytes))
}

/// Reads the documents of a file.
pub(super) fn read(context: &Context<'_>, documents: &[Node], out: &mut Declarations) {
    for document in documents {
        one(context, document, 0, out);
    }
}

fn one(context: &Context<'_>, document: &Node, depth: usize, out: &mut Declarations) {
    if out.capabilities.len() >= MAX_FOUND {
        return;
    }
    if document.get("kind").is_none() {
        spire::entries(context, document, out);
        vault::read(context, document, out);
        return;
    }
    let Some((key, kind)) = document.entry("kind") else {
        return;
    };
    let Some(kind) = kind.as_str() else {
        return;
    };
    if kind.ends_with("List") && depth < 2 {
        for item in document.get("items").map_or(&[][..], Node::items) {
            one(context, item, depth + 1, out);
        }
        return;
    }
    let table = &context.tables.capabilities;
    let form = match document.text_at(&["apiVersion"]) {
        Some(version) => table.resource(
            version.rsplit_once('/').map_or("", |(group, _)| group),
            kind,
        ),
        None => document
            .text_at(&["version"])
            .filter(|version| version.starts_with('v'))
            .and_then(|_| table.teleport(kind)),
    };
    let Some(form) = form else {
        if let Some(config) = document.path(&["spec", "externalConfig"]) {
            vault::read(context, config, out);
        }
        return;
    };
    let Some(name) = document
        .text_at(&["metadata", "name"])
        .filter(|name| !name.is_empty() && !super::context::templated(name))
    else {
        return;
    };
    let place = context.location(key.line, key.column);
    out.capabilities
        .push(resource(context, document, kind, &clean(name), form, place));
}

fn first<'n>(document: &'n Node, paths: &[String]) -> Option<&'n Node> {
    paths
        .iter()
        .find_map(|path| document.dotted(path).into_iter().next())
}

fn resource(
    context: &Context<'_>,
    document: &Node,
    kind: &str,
    name: &str,
    form: &ResourceForm,
    location: Location,
) -> Capability {
    let written = first(document, &form.ttl).and_then(|node| seconds(node.as_str()?));
    let longest = first(document, &form.max_ttl).and_then(|node| seconds(node.as_str()?));
    // What is written as the longest bounds what the product has by default.
    let assumed = form
        .default_seconds
        .filter(|_| written.is_none())
        .map(|default| longest.map_or(default, |longest| default.min(longest)));
    let namespace = document.text_at(&["metadata", "namespace"]).map(clean);
    let mut says = form.says.clone();
    if let Some(more) = detail(document, kind) {
        says = format!("{says}: {more}");
    }
    Capability {
        kind: form.capability,
        product: form.product.clone(),
        name: clean(&format!("{kind}/{name}")),
        says,
        repository: context.repository.to_owned(),
        subjects: subjects(document, namespace.as_deref()),
        namespace,
        ttl_seconds: written.or(assumed),
        max_ttl_seconds: longest,
        ttl_assumed: written.is_none() && longest.is_none() && assumed.is_some(),
        location: location.naming(format!("{kind}/{name}")),
    }
}

/// What is worth telling of a resource beyond its kind.
fn detail(document: &Node, kind: &str) -> Option<String> {
    let spec = document.get("spec")?;
    let text = match kind {
        "ClusterSPIFFEID" => spec.text_at(&["spiffeIDTemplate"])?.to_owned(),
        "ClusterStaticEntry" | "SpiffeID" => spec
            .text_at(&["spiffeID"])
            .or_else(|| spec.text_at(&["spiffeId"]))?
            .to_owned(),
        "PeerAuthentication" => format!("mode {}", spec.text_at(&["mtls", "mode"])?),
        "Issuer" | "ClusterIssuer" => {
            let (key, _) = spec.entries().next()?;
            key.text.clone()
        }
        "SecretStore" | "ClusterSecretStore" => {
            let (key, _) = spec.get("provider")?.entries().next()?;
            key.text.clone()
        }
        "TeleportProvisionToken" | "token" => {
            format!("join method {}", spec.text_at(&["join_method"])?)
        }
        "VaultAuth" => format!("method {}", spec.text_at(&["method"])?),
        _ => spec
            .text_at(&["validationFailureAction"])
            .or_else(|| spec.text_at(&["enforcementAction"]))?
            .to_owned(),
    };
    Some(clean(&text))
}

/// Service accounts a resource names, as Kubernetes calls them.
fn subjects(document: &Node, namespace: Option<&str>) -> Vec<String> {
    let mut out = Vec::new();
    let account =
        |namespace: &str, name: &str| clean(&format!("system:serviceaccount:{namespace}:{name}"));
    document.scalars("", &mut |key, scalar| {
        if out.len() >= MAX_SUBJECTS {
            return;
        }
        let Some(text) = scalar.as_str() else {
            return;
        };
        // `cluster.local/ns/shop/sa/web`, the end of a SPIFFE id of Istio and of SPIRE.
        if let Some((_, rest)) = text.split_once("/ns/")
            && let Some((namespace, name)) = rest.split_once("/sa/")
            && !super::context::templated(text)
        {
            out.push(account(namespace, name));
        } else if key == "service_account"
            && let Some((namespace, name)) = text.split_once(':')
        {
            out.push(account(namespace, name));
        } else if matches!(key, "serviceAccount" | "serviceAccountName")
            && let Some(namespace) = namespace
        {
            out.push(account(namespace, text));
        }
    });
    if let Some(selectors) = document.path(&["spec", "selectors"]) {
        out.extend(spire::of_selectors(
            &selectors.texts().map(str::to_owned).collect::<Vec<_>>(),
        ));
    }
    let names = document.path(&["spec", "targetServiceAccounts"]);
    let spaces = document.path(&["spec", "targetNamespaces", "targetNamespaces"]);
    for name in names.into_iter().flat_map(Node::texts) {
        for space in spaces.into_iter().flat_map(Node::texts) {
            out.push(account(space, name));
        }
    }
    out.sort();
    out.dedup();
    out
}

#[cfg(test)]
mod tests {
    use crate::manifests::{assemble, link, read};
    use crate::model::{Declarations, FingerprintKey};

    fn shown(files: &[(&str, &str)]) -> String {
        let key = FingerprintKey::new([7; 32]);
        let mut all: Vec<Declarations> = files
            .iter()
            .filter_map(|(uri, text)| read("shop", uri, text.as_bytes(), &key))
            .collect();
        assemble(&mut all, &key);
        link(&mut all);
        all.iter()
            .flat_map(|file| &file.capabilities)
            .map(|one| {
                format!(
                    "{} {} | {} | {} | {:?} {:?}{} | {} | {}:{}",
                    one.kind.as_str(),
                    one.product,
                    one.name,
                    one.says,
                    one.ttl_seconds,
                    one.max_ttl_seconds,
                    if one.ttl_assumed { " assumed" } else { "" },
                    one.subjects.join(" "),
                    one.location.display(),
                    one.location.column.unwrap_or(0),
                )
            })
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn resources_that_prove_decide_and_issue_are_known() {
        insta::assert_snapshot!(shown(&[
            (
                "spire.yaml",
                "apiVersion: spire.spiffe.io/v1alpha1\nkind: ClusterSPIFFEID\nmetadata: {name: backend}\nspec: {spiffeIDTemplate: 'spiffe://example.org/ns/shop/sa/web', ttl: 168h}\n---\napiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: web, namespace: shop}\nspec: {duration: 8760h}\n---\napiVersion: constraints.gatekeeper.sh/v1beta1\nkind: K8sRequiredLabels\nmetadata: {name: owner}\nspec: {enforcementAction: deny}\n",
            ),
            (
                "istio.yaml",
                "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: web, namespace: shop}\nspec:\n  rules: [{from: [{source: {principals: [cluster.local/ns/shop/sa/front]}}]}]\n",
            ),
            (
                "entries.json",
                "{\"entries\": [{\"spiffe_id\": \"spiffe://example.org/db\", \"selectors\": [{\"type\": \"k8s\", \"value\": \"ns:shop\"}, {\"type\": \"k8s\", \"value\": \"sa:db\"}], \"x509_svid_ttl\": 600}]}",
            ),
            (
                "teleport/role.yaml",
                "kind: role\nversion: v7\nmetadata: {name: admin}\nspec: {options: {max_session_ttl: 720h}}\n",
            ),
            (
                "vault.yml",
                "auth:\n  - type: kubernetes\n    roles:\n      - name: app\n        bound_service_account_names: [app]\n        bound_service_account_namespaces: [shop]\n        ttl: 1h\nsecrets:\n  - type: database\n    configuration: {roles: [{name: ro, default_ttl: 768h, max_ttl: 768h}]}\n  - type: kv\n    configuration: {roles: [{name: no}]}\n",
            ),
        ]), @r#"
        runtime-identity spire | ClusterSPIFFEID/backend | gives the pods it selects a SPIFFE identity: spiffe://example.org/ns/shop/sa/web | Some(604800) None | system:serviceaccount:shop:web | shop/spire.yaml:2:1
        certificate cert-manager | Certificate/web | a certificate that is issued and renewed by machines | Some(31536000) None |  | shop/spire.yaml:7:1
        policy gatekeeper | K8sRequiredLabels/owner | decides by policy what may be created: deny | None None |  | shop/spire.yaml:12:1
        policy istio | AuthorizationPolicy/web | decides by the identity of the workload who may call | None None | system:serviceaccount:shop:front | shop/istio.yaml:2:1
        runtime-identity spire | entry spiffe://example.org/db | gives a workload a SPIFFE identity | Some(600) None | system:serviceaccount:shop:db | shop/entries.json:1:14
        broker teleport | role/admin | grants access for a while | Some(2592000) None |  | shop/teleport/role.yaml:1:1
        runtime-identity vault | auth/kubernetes/role/app | workloads sign in and are given a token | Some(3600) None | system:serviceaccount:shop:app | shop/vault.yml:4:9
        dynamic-secrets vault | database/roles/ro | issues credentials on request | Some(2764800) Some(2764800) |  | shop/vault.yml:10:30
        "#);
    }

    #[test]
    fn lines_and_terraform_say_how_long_what_is_issued_lasts() {
        insta::assert_snapshot!(shown(&[
            (
                "setup.sh",
                "vault write auth/kubernetes/role/app \\\n  bound_service_account_names=app bound_service_account_namespaces=shop,ops \\\n  ttl=24h\n  vault write -f aws/roles/deploy credential_type=iam_user\nvault write database/roles/x @x.json\n",
            ),
            ("vault.hcl", "default_lease_ttl = \"768h\"\n  max_lease_ttl = \"8760h\" # a year\n"),
            ("policy/authz.rego", "# x\npackage http.authz\n\nallow := true\n"),
            ("policy/a.cedar", "// who\npermit (principal, action, resource);\n"),
            (
                "main.tf",
                "resource \"vault_database_secret_backend_role\" \"ro\" {\n  name = \"ro\"\n  default_ttl = 2764800\n  max_ttl = var.max\n}\nresource \"boundary_target\" \"db\" {}\nresource \"teleport_role\" \"admin\" {\n  spec = { options = { max_session_ttl = \"8h\" } }\n}\n",
            ),
        ]), @r#"
        runtime-identity vault | auth/kubernetes/role/app | workloads sign in and are given a token | Some(86400) None | system:serviceaccount:shop:app system:serviceaccount:ops:app | shop/setup.sh:1:1
        dynamic-secrets vault | aws/roles/deploy | issues credentials on request | Some(2764800) None assumed |  | shop/setup.sh:4:3
        dynamic-secrets vault | database/roles/x | issues credentials on request | None None assumed |  | shop/setup.sh:5:1
        broker boundary | boundary_target.db | grants sessions to a target | Some(28800) None assumed |  | shop/main.tf:6:1
        broker teleport | teleport_role.admin | grants access for a while | Some(28800) None |  | shop/main.tf:7:1
        dynamic-secrets vault | vault_database_secret_backend_role.ro | issues database logins on request | Some(2764800) None |  | shop/main.tf:1:1
        dynamic-secrets vault | server default_lease_ttl | the server sets how long what it issues lasts | Some(2764800) None |  | shop/vault.hcl:1:1
        dynamic-secrets vault | server max_lease_ttl | the server sets how long what it issues lasts | None Some(31536000) |  | shop/vault.hcl:2:3
        policy opa | package http.authz | decides on requests by policy | None None |  | shop/policy/authz.rego:2:1
        policy cedar | a.cedar | decides on requests by policy | None None |  | shop/policy/a.cedar:2:1
        "#);
    }
}
