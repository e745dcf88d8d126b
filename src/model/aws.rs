//! One AWS account as its inventory describes it, whichever way it was collected.
//!
//! Every source of AWS facts converts into these types; nothing behind them knows whether an account was read live or
//! from files. Policy documents are decoded JSON, not yet interpreted: that is the work of `iam/`.

use super::{LastUse, Location};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Begins the label of a part of a policy's resource that has one value which nobody told: a variable of the code.
pub const HOLE: char = '\u{F0000}';
/// Ends such a label.
pub const HOLE_END: char = '\u{F0001}';

/// Which parts of an account the source delivered. What is absent is unknown, not empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwsParts {
    /// Account authorization details (always, else there is no account).
    pub authorization_details: bool,
    /// Credential report.
    pub credential_report: bool,
    /// Access key ids and states.
    pub access_keys: bool,
    /// Last use of access keys.
    pub key_last_used: bool,
    /// `list-roles` or `get-role`: the only source of `MaxSessionDuration`.
    pub roles: bool,
    /// Service-last-accessed details.
    pub service_last_accessed: bool,
    /// OIDC providers.
    pub oidc_providers: bool,
    /// SAML providers.
    #[serde(default)]
    pub saml_providers: bool,
    /// MFA devices of users, or virtual MFA devices.
    #[serde(default)]
    pub mfa_devices: bool,
    /// Service-specific credentials.
    #[serde(default)]
    pub service_credentials: bool,
    /// SSH public keys.
    #[serde(default)]
    pub ssh_keys: bool,
    /// Signing certificates.
    #[serde(default)]
    pub signing_certificates: bool,
    /// Server certificates.
    #[serde(default)]
    pub server_certificates: bool,
    /// Trails of CloudTrail, by listing.
    #[serde(default)]
    pub trails: bool,
}

/// One account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AwsAccount {
    /// 12-digit account id.
    pub account_id: String,
    /// Account alias, if known.
    pub alias: Option<String>,
    /// Which parts were delivered.
    pub parts: AwsParts,
    /// When the credential report was generated, else when the snapshot says it was taken.
    pub collected_at: Option<Timestamp>,
    /// Users.
    pub users: Vec<AwsUser>,
    /// Groups.
    pub groups: Vec<AwsGroup>,
    /// Roles.
    pub roles: Vec<AwsRole>,
    /// Managed policies, of AWS and of the customer.
    pub policies: Vec<AwsPolicy>,
    /// OIDC providers.
    pub oidc_providers: Vec<AwsOidcProvider>,
    /// The root user, as the credential report shows it.
    pub root: Option<AwsRoot>,
    /// Policies of resources (buckets, keys, queues, functions …), by ARN.
    pub resources: Vec<AwsResource>,
    /// Where the account stands in its organization, where that was delivered.
    pub membership: Option<AwsMembership>,
    /// ARN of whoever read the account.
    #[serde(default)]
    pub caller: Option<String>,
    /// Credentials of users beside access keys and passwords, sorted by user, kind and id.
    #[serde(default)]
    pub user_credentials: Vec<AwsUserCredential>,
    /// Server certificates, by ARN.
    #[serde(default)]
    pub server_certificates: Vec<AwsServerCertificate>,
    /// SAML providers, by ARN.
    #[serde(default)]
    pub saml_providers: Vec<AwsSamlProvider>,
    /// MFA devices, by serial number.
    #[serde(default)]
    pub mfa_devices: Vec<AwsMfaDevice>,
    /// Counts and quotas of the account summary.
    #[serde(default)]
    pub summary: BTreeMap<String, i64>,
    /// Rules for console passwords; `None` when not delivered.
    #[serde(default)]
    pub password_policy: Option<AwsPasswordPolicy>,
    /// Trails that record what is done in the account.
    #[serde(default)]
    pub trails: Vec<AwsTrail>,
    /// Blocks of public access to buckets: the account's own first, then by bucket.
    #[serde(default)]
    pub public_access_blocks: Vec<AwsPublicAccessBlock>,
    /// What is given at resources by something besides their policies, by ARN.
    #[serde(default)]
    pub resource_grants: Vec<AwsResourceGrant>,
}

/// What of public access to buckets is blocked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AwsPublicAccessBlock {
    /// The bucket; `None`: every bucket of the account.
    pub bucket: Option<String>,
    /// Access lists that let in everybody have no effect.
    pub ignore_acls: bool,
    /// Policies that let in everybody let in nobody from outside.
    pub restrict: bool,
}

/// What a key's grant or a bucket's access list gives, as a statement of a policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AwsResourceGrant {
    /// ARN of the resource.
    pub arn: String,
    /// The statement.
    pub statement: Value,
    /// Where it is described.
    pub location: Location,
}

/// Kind of a credential that is neither an access key nor a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AwsUserCredentialKind {
    /// User name and password, or API key, for one service: CodeCommit, Keyspaces, Bedrock.
    ServiceSpecific,
    /// SSH public key for CodeCommit.
    SshKey,
    /// X.509 certificate that signs requests of old SOAP interfaces.
    SigningCertificate,
}

/// A credential of a user that is neither an access key nor a password.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AwsUserCredential {
    /// Name of the user.
    pub user: String,
    /// Kind.
    pub kind: AwsUserCredentialKind,
    /// Id (`ACCA…`, `APKA…`).
    pub id: String,
    /// Active, if known.
    pub active: Option<bool>,
    /// Creation or upload.
    pub created_at: Option<Timestamp>,
    /// When it stops working by itself, if it does.
    pub expires_at: Option<Timestamp>,
    /// Service it is for, such as `codecommit.amazonaws.com`.
    pub service: Option<String>,
    /// Public key or certificate, as text.
    pub public: Option<String>,
    /// Where it is described.
    pub location: Location,
}

/// A TLS certificate that IAM keeps with its private key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AwsServerCertificate {
    /// ARN.
    pub arn: String,
    /// Name.
    pub name: String,
    /// Upload.
    pub created_at: Option<Timestamp>,
    /// Expiry.
    pub expires_at: Option<Timestamp>,
    /// The certificate as PEM, where it was delivered.
    pub public: Option<String>,
    /// Where it is described.
    pub location: Location,
}

/// SAML provider.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AwsSamlProvider {
    /// ARN.
    pub arn: String,
    /// Creation.
    pub created_at: Option<Timestamp>,
    /// When its metadata, and with it every sign-in, expires.
    pub expires_at: Option<Timestamp>,
    /// Entity id of the identity provider, where the metadata was delivered.
    pub issuer: Option<String>,
    /// Where it is described.
    pub location: Location,
}

/// MFA device.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AwsMfaDevice {
    /// Serial number or ARN.
    pub serial: String,
    /// User it is of; `None`: of nobody, or of the root user.
    pub user: Option<String>,
    /// Since when.
    pub enabled_at: Option<Timestamp>,
}

/// Rules for console passwords.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwsPasswordPolicy {
    /// The account has rules of its own; otherwise all else here is AWS's default.
    pub set: bool,
    /// Fewest characters.
    pub minimum_length: Option<u64>,
    /// Days after which a password expires.
    pub max_age_days: Option<u64>,
    /// Number of earlier passwords that may not be used again.
    pub reuse_prevention: Option<u64>,
}

/// A trail: what of the account's events is recorded, and whether it is at the moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwsTrail {
    /// ARN.
    pub arn: String,
    /// Region it is kept in.
    pub home_region: Option<String>,
    /// Records every region.
    pub multi_region: bool,
    /// Records every account of the organization.
    pub organization: bool,
    /// Records at the moment (`get-trail-status`); `None` when not delivered.
    pub logging: Option<bool>,
    /// What it records of management events (`get-event-selectors`); `None` when not delivered.
    pub management: Option<AwsTrailEvents>,
}

/// Which management events a trail records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwsTrailEvents {
    /// Those that read.
    pub read: bool,
    /// Those that write.
    pub write: bool,
    /// Some services are left out.
    pub partial: bool,
}

/// A resource and its own policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AwsResource {
    /// ARN.
    pub arn: String,
    /// Decoded document; `null` where the export says that the resource has none.
    pub policy: Value,
    /// Where it is described.
    pub location: Location,
}

/// An account's place in an organization: what the organization lets it do at most.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AwsMembership {
    /// Organization id (`o-…`); empty when not delivered.
    pub organization: String,
    /// The account manages the organization: control policies do not reach it.
    pub management: bool,
    /// Ids from the root down to the account itself.
    pub path: Vec<String>,
    /// Service control policies, level by level from the root down to the account; `None` when not delivered.
    pub service_control: Option<Vec<AwsControlLevel>>,
    /// Resource control policies, level by level; `None` when not delivered.
    pub resource_control: Option<Vec<AwsControlLevel>>,
}

/// The control policies attached to one root, unit or account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AwsControlLevel {
    /// Id of the root, unit or account.
    pub target: String,
    /// What is attached to it.
    pub policies: Vec<AwsControlPolicy>,
}

/// A service or resource control policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AwsControlPolicy {
    /// Id (`p-…`).
    pub id: String,
    /// Name.
    pub name: String,
    /// Decoded document; `null` where it was not delivered.
    pub document: Value,
}

/// Reference to a managed policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AwsAttached {
    /// Policy name.
    pub name: String,
    /// Policy ARN.
    pub arn: String,
}

/// Policy written into a principal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AwsInlinePolicy {
    /// Policy name.
    pub name: String,
    /// Decoded document.
    pub document: Value,
}

/// IAM user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AwsUser {
    /// User name.
    pub name: String,
    /// Path, `/` by default.
    pub path: String,
    /// ARN.
    pub arn: String,
    /// Unique id (`AIDA…`).
    pub unique_id: String,
    /// Creation.
    pub created_at: Option<Timestamp>,
    /// Names of its groups.
    pub groups: Vec<String>,
    /// Inline policies.
    pub inline: Vec<AwsInlinePolicy>,
    /// Attached managed policies.
    pub attached: Vec<AwsAttached>,
    /// ARN of the permission boundary.
    pub boundary: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Access keys; from the credential report alone they have no id.
    pub keys: Vec<AwsAccessKey>,
    /// Console password, if known.
    pub password: Option<bool>,
    /// Last use of the password.
    pub password_last_use: LastUse,
    /// MFA device active, if known.
    pub mfa: Option<bool>,
    /// Services granted and used, where last-accessed details were delivered.
    pub services: Option<AwsServiceUse>,
    /// Where the account details describe it.
    pub location: Location,
}

/// IAM group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AwsGroup {
    /// Group name.
    pub name: String,
    /// ARN.
    pub arn: String,
    /// Inline policies.
    pub inline: Vec<AwsInlinePolicy>,
    /// Attached managed policies.
    pub attached: Vec<AwsAttached>,
    /// Where the account details describe it.
    pub location: Location,
}

/// IAM role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AwsRole {
    /// Role name.
    pub name: String,
    /// Path; `/aws-service-role/…` and `/aws-reserved/…` belong to AWS.
    pub path: String,
    /// ARN.
    pub arn: String,
    /// Unique id (`AROA…`).
    pub unique_id: String,
    /// Description.
    pub description: Option<String>,
    /// Creation.
    pub created_at: Option<Timestamp>,
    /// Trust policy.
    pub trust: Value,
    /// Inline policies.
    pub inline: Vec<AwsInlinePolicy>,
    /// Attached managed policies.
    pub attached: Vec<AwsAttached>,
    /// ARN of the permission boundary.
    pub boundary: Option<String>,
    /// Longest session in seconds; only `list-roles` and `get-role` tell it.
    pub max_session_seconds: Option<u64>,
    /// Last use within AWS's tracking period.
    pub last_use: LastUse,
    /// Names of instance profiles that carry it.
    pub instance_profiles: Vec<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Services granted and used, where last-accessed details were delivered.
    pub services: Option<AwsServiceUse>,
    /// Where the account details describe it.
    pub location: Location,
}

/// Managed policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AwsPolicy {
    /// Policy name.
    pub name: String,
    /// ARN.
    pub arn: String,
    /// Document of the default version.
    pub document: Value,
    /// Number of versions listed.
    pub versions: u32,
    /// When the default version was made, else when the policy was last changed.
    pub updated_at: Option<Timestamp>,
    /// Versions that are not the default: they count only once somebody makes them the default.
    pub others: Vec<AwsPolicyVersion>,
    /// Where the account details describe it.
    pub location: Location,
}

/// A version of a managed policy that is not its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AwsPolicyVersion {
    /// Version (`v1`).
    pub id: String,
    /// Decoded document.
    pub document: Value,
}

/// Access key of a user or of root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwsAccessKey {
    /// Key id; `None` when only the credential report knows the key.
    pub key_id: Option<String>,
    /// Active, if known.
    pub active: Option<bool>,
    /// Creation or last rotation.
    pub created_at: Option<Timestamp>,
    /// Last use.
    pub last_use: LastUse,
    /// Service of the last use.
    pub last_used_service: Option<String>,
    /// Where it is described.
    pub location: Location,
}

/// Services a principal was granted and used in the tracking period.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwsServiceUse {
    /// Service namespaces granted.
    pub granted: Vec<String>,
    /// Service namespaces used, with the last time.
    pub used: BTreeMap<String, Timestamp>,
    /// Actions used (`service:Action`), where the report was made at action level.
    pub actions: Vec<String>,
    /// Actions the report tells of, used or not. Of an action that is not among them nothing is known but its service.
    #[serde(default)]
    pub tracked: Vec<String>,
    /// When the report was made.
    #[serde(default)]
    pub asked_at: Option<Timestamp>,
    /// The report stops before its last service: one that is not in it says nothing.
    #[serde(default)]
    pub truncated: bool,
}

/// OIDC provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwsOidcProvider {
    /// ARN.
    pub arn: String,
    /// Issuer host and path, without the scheme.
    pub url: String,
    /// Accepted audiences; empty when not delivered.
    pub client_ids: Vec<String>,
}

/// The root user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwsRoot {
    /// ARN.
    pub arn: String,
    /// Access keys.
    pub keys: Vec<AwsAccessKey>,
    /// MFA device active, if known.
    pub mfa: Option<bool>,
    /// Console password, if known: an organization may have taken it away.
    #[serde(default)]
    pub password: Option<bool>,
    /// Last use of the password.
    pub password_last_use: LastUse,
    /// Where the credential report describes it.
    pub location: Location,
}
