//! What a variable that points into a volume tells of the secret in it.

use super::super::context::Context;
use super::super::names::told_by_variable;
use super::super::node::Node;
use super::workloads::containers;

/// Variables that hold the path of a file with a credential, and the variable that would hold the credential itself.
const FILES: [(&str, &str); 3] = [
    ("AWS_SHARED_CREDENTIALS_FILE", "AWS_ACCESS_KEY_ID"),
    ("AWS_CONFIG_FILE", "AWS_ACCESS_KEY_ID"),
    ("KUBECONFIG", "KUBE_CONFIG"),
];

/// Type and issuer of the secret `name` in a volume, as the variables of the containers that mount it tell.
pub(super) fn told(
    context: &Context<'_>,
    spec: &Node,
    volume: &str,
    name: &str,
) -> Option<((String, String), bool)> {
    containers(spec).find_map(|container| {
        let paths: Vec<&str> = container
            .get("volumeMounts")
            .map_or(&[][..], Node::items)
            .iter()
            .filter(|mount| mount.text_at(&["name"]) == Some(volume))
            .filter_map(|mount| mount.text_at(&["mountPath"]))
            .map(|path| path.trim_end_matches('/'))
            .filter(|path| !path.is_empty())
            .collect();
        let variables = container.get("env").map_or(&[][..], Node::items);
        variables.iter().find_map(|variable| {
            let value = variable.text_at(&["value"])?;
            let inside = paths.iter().any(|path| {
                value
                    .strip_prefix(path)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            });
            let variable = variable.text_at(&["name"]).filter(|_| inside)?;
            let known = FILES.iter().find(|(file, _)| *file == variable);
            told_by_variable(context, known.map_or(variable, |(_, like)| like), name)
        })
    })
}

#[cfg(test)]
mod tests {
    use crate::manifests::testing::declared;

    fn told(variable: &str, value: &str, volume: &str) -> String {
        let text = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: a}}\nspec:\n  template:\n    spec:\n      containers:\n      - name: a\n        env: [{{name: {variable}, value: {value}}}]\n        volumeMounts: [{{name: keys, mountPath: /var/keys/}}]\n      volumes:\n      - {volume}\n"
        );
        let out = declared("k8s/a.yaml", &text);
        let kinds = out.references.iter().map(|one| {
            let kind = one.kind.as_deref().unwrap_or("?");
            format!("{} {kind}", one.name)
        });
        kinds.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn a_path_into_a_volume_tells_what_its_secret_is() {
        let secret = "{name: keys, secret: {secretName: shop-key}}";
        let projected = "{name: keys, projected: {sources: [{secret: {name: shop-key}}]}}";
        for (variable, value, volume, expected) in [
            (
                "GOOGLE_APPLICATION_CREDENTIALS",
                "/var/keys/key.json",
                secret,
                "shop-key gcp-service-account-key",
            ),
            (
                "GOOGLE_APPLICATION_CREDENTIALS",
                "/var/keys/key.json",
                projected,
                "shop-key gcp-service-account-key",
            ),
            (
                "AWS_SHARED_CREDENTIALS_FILE",
                "/var/keys/credentials",
                secret,
                "shop-key aws-access-key",
            ),
            // Another folder says nothing of this one.
            (
                "GOOGLE_APPLICATION_CREDENTIALS",
                "/var/keys-of-others/key.json",
                secret,
                "shop-key ?",
            ),
            ("LOG_FILE", "/var/keys/log", secret, "shop-key ?"),
        ] {
            assert_eq!(
                told(variable, value, volume),
                expected,
                "{variable} {value}"
            );
        }
    }
}
