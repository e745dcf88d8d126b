//! Deploy keys that code puts into repositories: GitHub, GitLab.

use super::issued::{self, Issued};
use super::item::Item;
use crate::model::{CredentialStatus, Declarations};

/// A resource that is a deploy key: its type, the credential's type and issuer, and the attribute that tells whether it may
/// push, and how. Neither may where nothing is said.
struct DeployKey {
    resource: &'static str,
    kind: &'static str,
    provider: &'static str,
    attribute: &'static str,
    pushes_when: bool,
}

const KEYS: [DeployKey; 2] = [
    DeployKey {
        resource: "github_repository_deploy_key",
        kind: "github-deploy-key",
        provider: "github",
        attribute: "read_only",
        pushes_when: false,
    },
    DeployKey {
        resource: "gitlab_deploy_key",
        kind: "gitlab-deploy-key",
        provider: "gitlab",
        attribute: "can_push",
        pushes_when: true,
    },
];
/// Tiers of a key that reads and of one that pushes.
const TIERS: [u8; 2] = [2, 3];

/// Whether a resource is read here.
pub(super) fn interesting(kind: &str) -> bool {
    KEYS.iter().any(|key| key.resource == kind)
}

/// Adds the deploy keys of one unit.
pub(super) fn add(items: &[Item], out: &mut Declarations) {
    for item in items {
        let Some(key) = KEYS.iter().find(|key| key.resource == item.kind) else {
            continue;
        };
        let mut credential = issued::credential(&Issued {
            kind: key.kind,
            provider: key.provider,
            address: &item.declared.address,
            location: &item.declared.location,
            expires_at: None,
            expires_by_nature: Some(false),
            status: CredentialStatus::Unknown,
        });
        let pushes = item
            .get(key.attribute)
            .as_bool()
            .is_some_and(|set| set == key.pushes_when);
        credential.default_tier = TIERS.get(usize::from(pushes)).copied();
        out.issued.push((credential, None));
    }
}

#[cfg(test)]
mod tests {
    use crate::manifests::terraform::link;
    use crate::model::KeptText;

    #[test]
    fn a_deploy_key_is_a_credential_that_may_push_or_not() {
        let code = "resource \"github_repository_deploy_key\" \"ci\" {\n  title = \"ci\"\n  repository = \"site\"\n  key = tls_private_key.ci.public_key_openssh\n  read_only = false\n}\nresource \"gitlab_deploy_key\" \"pull\" {\n  project = \"x/y\"\n  title = \"pull\"\n  key = \"ssh-ed25519 AAAA\"\n}\n";
        let kept = KeptText {
            repository: "shop".to_owned(),
            uri: "keys/main.tf".to_owned(),
            text: code.into(),
        };
        let shown: Vec<String> = link(&[kept])
            .iter()
            .flat_map(|one| &one.issued)
            .map(|(one, _)| format!("{} {:?} {:?}", one.kind, one.reference, one.default_tier))
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        github-deploy-key Some("github_repository_deploy_key.ci") Some(3)
        gitlab-deploy-key Some("gitlab_deploy_key.pull") Some(2)
        "#);
    }
}
