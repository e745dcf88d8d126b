//! What IAM keeps besides principals and access keys: other credentials of users, server certificates, and the trails
//! that record what is done.

use super::{Graph, ids};
use crate::model::aws::{AwsAccount, AwsUser, AwsUserCredential, AwsUserCredentialKind};
use crate::model::{
    Confidence, Credential, CredentialStatus, Evidence, Grade, Identity, IdentityId, LastUse,
    Storage,
};
use std::collections::BTreeMap;

/// Type of a password or key of a user for one service.
pub(super) const SERVICE_CREDENTIAL: &str = "aws-service-specific-credential";
/// Type of an SSH key of a user.
pub(super) const SSH_KEY: &str = "aws-ssh-public-key";
/// Type of an X.509 certificate of a user.
pub(super) const SIGNING_CERTIFICATE: &str = "aws-signing-certificate";
/// Type of a server certificate.
pub(super) const SERVER_CERTIFICATE: &str = "aws-server-certificate";

/// Adds them for one account.
pub(super) fn add(graph: &mut Graph<'_>, account: &AwsAccount) {
    let users: BTreeMap<&str, &AwsUser> = account
        .users
        .iter()
        .rev()
        .map(|user| (user.name.as_str(), user))
        .collect();
    for held in &account.user_credentials {
        let Some(user) = users.get(held.user.as_str()) else {
            continue;
        };
        let holder = Identity::id_of("aws", &user.arn);
        let (kind, what) = kind_of(held);
        let mut credential = bare(kind, &held.id, account);
        credential.identity = Some(holder.clone());
        credential.join = Some(Evidence::new(
            Grade::A,
            format!("IAM lists this {what} for user {}", held.user),
        ));
        credential.status = match held.active {
            Some(true) => CredentialStatus::Active,
            Some(false) => CredentialStatus::Inactive,
            None => CredentialStatus::Unknown,
        };
        credential.created_at = held.created_at;
        credential.expires_at = held.expires_at;
        credential.last_used_service = held
            .service
            .as_deref()
            .map(|name| name.split('.').next().unwrap_or(name).to_owned());
        credential.expires_by_nature = held.expires_at.is_none().then_some(false);
        insert(graph, credential, Some(&holder));
    }
    for certificate in &account.server_certificates {
        // When it was uploaded says nothing of when it was issued.
        let mut credential = bare(SERVER_CERTIFICATE, &certificate.arn, account);
        credential.public_id = Some(certificate.name.clone());
        credential.reference = Some(certificate.name.clone());
        credential.join = Some(Evidence::new(
            Grade::A,
            format!("IAM keeps it as {}", certificate.arn),
        ));
        credential.expires_at = certificate.expires_at;
        credential.expires_by_nature = Some(true);
        credential.default_tier = Some(1);
        insert(graph, credential, None);
    }
    if account.parts.trails {
        graph
            .inventory
            .trails
            .insert(account.account_id.clone(), account.trails.clone());
    }
}

fn kind_of(held: &AwsUserCredential) -> (&'static str, &'static str) {
    match held.kind {
        AwsUserCredentialKind::ServiceSpecific => {
            (SERVICE_CREDENTIAL, "service-specific credential")
        }
        AwsUserCredentialKind::SshKey => (SSH_KEY, "SSH public key"),
        AwsUserCredentialKind::SigningCertificate => (SIGNING_CERTIFICATE, "signing certificate"),
    }
}

fn insert(graph: &mut Graph<'_>, credential: Credential, holder: Option<&IdentityId>) {
    let id = credential.id.clone();
    if let Some(identity) = holder.and_then(|id| graph.inventory.identities.get_mut(id))
        && !identity.credentials.contains(&id)
    {
        identity.credentials.push(id.clone());
    }
    graph.inventory.credentials.entry(id).or_insert(credential);
}

fn bare(kind: &str, id: &str, account: &AwsAccount) -> Credential {
    Credential {
        id: ids::credential_by_public_id(kind, id),
        provider: "aws".to_owned(),
        kind: kind.to_owned(),
        public_id: Some(id.to_owned()),
        fingerprint: None,
        redacted: None,
        reference: None,
        identity: None,
        join: None,
        account: Some(account.account_id.clone()),
        status: CredentialStatus::Active,
        created_at: None,
        last_use: LastUse::Unknown,
        last_used_at: None,
        last_used_service: None,
        expires_at: None,
        expires_by_nature: None,
        storage: Storage::NotSeen,
        consumers: Vec::new(),
        default_tier: None,
        confidence: Confidence::High,
        confidence_reason: "in the account's own inventory".to_owned(),
        grade: Grade::A,
        sightings: Vec::new(),
        trail: None,
    }
}
