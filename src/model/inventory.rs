//! The one inventory everything is judged on.

use super::aws::AwsTrail;
use super::{
    Consumer, ConsumerId, Credential, CredentialId, Grant, GrantId, Identity, IdentityId, Location,
    SeenCredential,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A credential named but not seen: a secret of a CI store, an environment variable, an entry of a secrets manager.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretReference {
    /// Name as written: `AWS_ACCESS_KEY_ID`.
    pub name: String,
    /// Where it is kept: `github-actions`, `gitlab-ci`, `kubernetes-secret`, `vault`, `environment`.
    pub store: String,
    /// Credential type the name or its use tells, such as `aws-access-key`; `None` when neither does.
    pub kind: Option<String>,
    /// Issuer the name or its use tells.
    pub provider: Option<String>,
    /// Repository that refers to it.
    pub repository: String,
    /// The consumer that uses it.
    pub consumer: Option<ConsumerId>,
    /// Where.
    pub location: Location,
}

/// Begins the store of a [`SecretReference`] that says where the value of a name of that store stands: no use of it, and
/// no credential of its own. Without a line, it is somewhere in the file.
pub const DEFINED: &str = "defined:";

/// That a secret of a store is filled from elsewhere: who uses it by its name uses what fills it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FilledSecret {
    /// Repository that declares it; names are those of this repository.
    pub repository: String,
    /// Store of the secret that is filled.
    pub store: String,
    /// Its name there.
    pub secret: String,
    /// Namespace it is written to, where one is declared.
    pub namespace: Option<String>,
    /// Its entry; `None` for every one.
    pub key: Option<String>,
    /// Store and name of the reference that stands for what fills it.
    pub source: (String, String),
    /// What fills it has entries of the same names, each a credential of its own.
    pub by_entry: bool,
    /// What it is filled with never expires, whatever others of its type do.
    pub endless: bool,
}

/// That code puts a credential it issues into a store: who uses it by its name there uses the credential.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlacedSecret {
    /// Repository or project whose secret it is, by any part of its path that ends it; `None`: of every one.
    pub target: Option<String>,
    /// Store, as references call it.
    pub store: String,
    /// Its name there.
    pub name: String,
    /// The credential as code issues it.
    pub credential: CredentialId,
    /// Native id of whose it is.
    pub holder: Option<String>,
    /// Where code puts it there.
    pub location: Location,
}

/// That a consumer runs what another file of its repository declares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Who runs it.
    pub consumer: ConsumerId,
    /// Repository of the file, as the caller names it.
    pub repository: String,
    /// The file.
    pub uri: String,
    /// What the file uses by name it uses of the caller.
    pub secrets: bool,
    /// Names of secrets as the file calls them, each with the caller's name of what it is given.
    #[serde(default)]
    pub given: Vec<(String, String)>,
}

/// What one declaring file says, before the join.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Declarations {
    /// Identities it declares.
    pub identities: Vec<Identity>,
    /// Grants it declares.
    pub grants: Vec<Grant>,
    /// Consumers it declares.
    pub consumers: Vec<Consumer>,
    /// Credentials it names without their value.
    pub references: Vec<SecretReference>,
    /// Secrets that are filled from elsewhere.
    #[serde(default)]
    pub filled: Vec<FilledSecret>,
    /// Credentials that it issues and puts into stores.
    #[serde(default)]
    pub placed: Vec<PlacedSecret>,
    /// Credentials whose value stands in it and which the text engine cannot know as such.
    pub credentials: Vec<SeenCredential>,
    /// Kubernetes roles, resolved by `manifests::link` once every file was read.
    pub roles: Vec<super::RbacRole>,
    /// Kubernetes bindings, likewise.
    pub bindings: Vec<super::RbacBinding>,
    /// Runtime identity, policy and brokered access that it sets up.
    pub capabilities: Vec<super::Capability>,
    /// How its texts say that credentials are replaced or taken back.
    pub routines: Vec<super::Routine>,
    /// AWS accounts in the words of infrastructure code.
    pub stacks: Vec<super::DeclaredStack>,
    /// Credentials that infrastructure code issues, each with the native id of its holder.
    pub issued: Vec<(Credential, Option<String>)>,
    /// Text that `manifests::link` reads together with that of other files, and takes away.
    pub kept: Vec<super::KeptText>,
    /// Files its consumers run.
    pub calls: Vec<Call>,
    /// How jobs it declares get access without a stored secret.
    pub edits: Vec<super::PipelineEdit>,
    /// What could not be read of it.
    pub notices: Vec<super::Coverage>,
}

/// The joined inventory: maps from id, so that every order is total.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Inventory {
    /// Identities.
    pub identities: BTreeMap<IdentityId, Identity>,
    /// Credentials.
    pub credentials: BTreeMap<CredentialId, Credential>,
    /// Grants.
    pub grants: BTreeMap<GrantId, Grant>,
    /// Consumers.
    pub consumers: BTreeMap<ConsumerId, Consumer>,
    /// Issuers of OIDC providers configured, per account.
    pub oidc_issuers: BTreeMap<String, Vec<String>>,
    /// Kubernetes roles as declared, whether anything is bound to them or not; sorted.
    pub roles: Vec<super::RbacRole>,
    /// Kubernetes bindings as declared, whomever they name; sorted.
    pub bindings: Vec<super::RbacBinding>,
    /// Runtime identity, policy and brokered access that is set up; sorted.
    pub capabilities: Vec<super::Capability>,
    /// How texts say that credentials are replaced or taken back; sorted.
    pub routines: Vec<super::Routine>,
    /// Trails that record what is done, per account of which it is known.
    pub trails: BTreeMap<String, Vec<AwsTrail>>,
    /// What policies of resources leave open to others than the account; sorted.
    pub exposures: Vec<super::ResourceExposure>,
    /// What logs showed of their use.
    pub observed: super::Observed,
    /// How jobs get access without a stored secret, sorted.
    pub edits: Vec<super::PipelineEdit>,
    /// Host and path that repositories were cloned from, by their name in this scan, and after `#` the default branch.
    pub origins: BTreeMap<String, String>,
}

impl Inventory {
    /// The identity a credential lets in as.
    pub fn identity_of(&self, credential: &Credential) -> Option<&Identity> {
        self.identities.get(credential.identity.as_ref()?)
    }

    /// Consumers by id, skipping ids that are not in the inventory.
    pub fn consumers_of<'a>(&'a self, ids: &'a [ConsumerId]) -> impl Iterator<Item = &'a Consumer> {
        ids.iter().filter_map(|id| self.consumers.get(id))
    }

    /// Credentials by id, skipping ids that are not in the inventory.
    pub fn credentials_of<'a>(
        &'a self,
        ids: &'a [CredentialId],
    ) -> impl Iterator<Item = &'a Credential> {
        ids.iter().filter_map(|id| self.credentials.get(id))
    }

    /// Grants by id, skipping ids that are not in the inventory.
    pub fn grants_of<'a>(&'a self, ids: &'a [GrantId]) -> impl Iterator<Item = &'a Grant> {
        ids.iter().filter_map(|id| self.grants.get(id))
    }
}
