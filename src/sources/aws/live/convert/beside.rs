//! Access keys and everything else beside principals: devices, credentials, certificates, providers, settings.
//!
//! Answers about one user name it, which the command line's do not when there is nothing to list.

use super::{Fields, sorted};
use aws_sdk_iam::operation::get_open_id_connect_provider::GetOpenIdConnectProviderOutput;
use aws_sdk_iam::operation::get_saml_provider::GetSamlProviderOutput;
use aws_sdk_iam::types::{
    AccessKeyMetadata, LoginProfile, MfaDevice, OpenIdConnectProviderListEntry, PasswordPolicy,
    SamlProviderListEntry, ServerCertificate, ServerCertificateMetadata,
    ServiceSpecificCredentialMetadata, SigningCertificate, SshPublicKey, SshPublicKeyMetadata,
    StatusType, SummaryKeyType, VirtualMfaDevice,
};
use serde_json::{Map, Value};

/// `list-access-keys`.
pub(in super::super) fn access_keys(user: &str, keys: &[AccessKeyMetadata]) -> Value {
    let keys: Vec<Value> = keys
        .iter()
        .map(|key| {
            Fields::default()
                .text("UserName", key.user_name().unwrap_or(user))
                .maybe("AccessKeyId", key.access_key_id())
                .maybe("Status", key.status().map(StatusType::as_str))
                .time("CreateDate", key.create_date())
                .done()
        })
        .collect();
    Fields::default()
        .value("AccessKeyMetadata", sorted(keys, "AccessKeyId"))
        .text("UserName", user)
        .done()
}

/// `get-login-profile`; `None`: the user has no password.
pub(in super::super) fn login_profile(user: &str, profile: Option<&LoginProfile>) -> Value {
    let profile = profile.map(|profile| {
        Fields::default()
            .text("UserName", user)
            .time("CreateDate", Some(profile.create_date()))
            .value("PasswordResetRequired", profile.password_reset_required())
            .done()
    });
    Fields::default()
        .value("LoginProfile", profile.unwrap_or(Value::Null))
        .text("UserName", user)
        .done()
}

/// `list-mfa-devices`.
pub(in super::super) fn mfa_devices(user: &str, devices: &[MfaDevice]) -> Value {
    let devices: Vec<Value> = devices
        .iter()
        .map(|device| {
            Fields::default()
                .text("UserName", user)
                .text("SerialNumber", device.serial_number())
                .time("EnableDate", Some(device.enable_date()))
                .done()
        })
        .collect();
    Fields::default()
        .value("MFADevices", sorted(devices, "SerialNumber"))
        .text("UserName", user)
        .done()
}

/// `list-virtual-mfa-devices`, without seeds.
pub(in super::super) fn virtual_devices(devices: &[VirtualMfaDevice]) -> Value {
    let devices: Vec<Value> = devices
        .iter()
        .map(|device| {
            let fields = Fields::default()
                .text("SerialNumber", device.serial_number())
                .time("EnableDate", device.enable_date());
            match device.user() {
                Some(user) if !user.user_name().is_empty() => fields
                    .value(
                        "User",
                        Fields::default().text("UserName", user.user_name()).done(),
                    )
                    .done(),
                _ => fields.done(),
            }
        })
        .collect();
    Fields::default()
        .value("VirtualMFADevices", sorted(devices, "SerialNumber"))
        .done()
}

/// `list-service-specific-credentials`.
pub(in super::super) fn service_credentials(
    user: &str,
    credentials: &[ServiceSpecificCredentialMetadata],
) -> Value {
    let credentials: Vec<Value> = credentials
        .iter()
        .map(|one| {
            Fields::default()
                .text("UserName", user)
                .text("Status", one.status().as_str())
                .text("ServiceUserName", one.service_user_name())
                .maybe("ServiceCredentialAlias", one.service_credential_alias())
                .time("CreateDate", Some(one.create_date()))
                .time("ExpirationDate", one.expiration_date())
                .text(
                    "ServiceSpecificCredentialId",
                    one.service_specific_credential_id(),
                )
                .text("ServiceName", one.service_name())
                .done()
        })
        .collect();
    Fields::default()
        .value(
            "ServiceSpecificCredentials",
            sorted(credentials, "ServiceSpecificCredentialId"),
        )
        .text("UserName", user)
        .done()
}

/// `list-ssh-public-keys`.
pub(in super::super) fn ssh_keys(user: &str, keys: &[SshPublicKeyMetadata]) -> Value {
    let keys: Vec<Value> = keys
        .iter()
        .map(|key| {
            Fields::default()
                .text("UserName", user)
                .text("SSHPublicKeyId", key.ssh_public_key_id())
                .text("Status", key.status().as_str())
                .time("UploadDate", Some(key.upload_date()))
                .done()
        })
        .collect();
    Fields::default()
        .value("SSHPublicKeys", sorted(keys, "SSHPublicKeyId"))
        .text("UserName", user)
        .done()
}

/// `get-ssh-public-key`.
pub(in super::super) fn ssh_key(user: &str, key: &SshPublicKey) -> Value {
    let key = Fields::default()
        .text("UserName", user)
        .text("SSHPublicKeyId", key.ssh_public_key_id())
        .text("Fingerprint", key.fingerprint())
        .text("SSHPublicKeyBody", key.ssh_public_key_body())
        .text("Status", key.status().as_str())
        .time("UploadDate", key.upload_date());
    Fields::default().value("SSHPublicKey", key.done()).done()
}

/// `list-signing-certificates`.
pub(in super::super) fn signing_certificates(
    user: &str,
    certificates: &[SigningCertificate],
) -> Value {
    let certificates: Vec<Value> = certificates
        .iter()
        .map(|one| {
            Fields::default()
                .text("UserName", user)
                .text("CertificateId", one.certificate_id())
                .text("CertificateBody", one.certificate_body())
                .text("Status", one.status().as_str())
                .time("UploadDate", one.upload_date())
                .done()
        })
        .collect();
    Fields::default()
        .value("Certificates", sorted(certificates, "CertificateId"))
        .text("UserName", user)
        .done()
}

fn certificate(metadata: &ServerCertificateMetadata) -> Value {
    Fields::default()
        .text("Path", metadata.path())
        .text("ServerCertificateName", metadata.server_certificate_name())
        .text("ServerCertificateId", metadata.server_certificate_id())
        .text("Arn", metadata.arn())
        .time("UploadDate", metadata.upload_date())
        .time("Expiration", metadata.expiration())
        .done()
}

/// `list-server-certificates`.
pub(in super::super) fn server_certificates(list: &[ServerCertificateMetadata]) -> Value {
    Fields::default()
        .value(
            "ServerCertificateMetadataList",
            sorted(list.iter().map(certificate).collect(), "Arn"),
        )
        .done()
}

/// `get-server-certificate`.
pub(in super::super) fn server_certificate(one: &ServerCertificate) -> Value {
    let mut fields = Fields::default()
        .text("CertificateBody", one.certificate_body())
        .maybe("CertificateChain", one.certificate_chain())
        .tags(one.tags.as_deref());
    if let Some(metadata) = one.server_certificate_metadata() {
        fields = fields.value("ServerCertificateMetadata", certificate(metadata));
    }
    Fields::default()
        .value("ServerCertificate", fields.done())
        .done()
}

/// `list-open-id-connect-providers`.
pub(in super::super) fn oidc_providers(list: &[OpenIdConnectProviderListEntry]) -> Value {
    let list = list
        .iter()
        .map(|one| Fields::default().maybe("Arn", one.arn()).done())
        .collect();
    Fields::default()
        .value("OpenIDConnectProviderList", sorted(list, "Arn"))
        .done()
}

/// `get-open-id-connect-provider`.
pub(in super::super) fn oidc_provider(one: &GetOpenIdConnectProviderOutput) -> Value {
    Fields::default()
        .maybe("Url", one.url())
        .list("ClientIDList", one.client_id_list(), |id| id.clone().into())
        .list("ThumbprintList", one.thumbprint_list(), |print| {
            print.clone().into()
        })
        .time("CreateDate", one.create_date())
        .tags(one.tags.as_deref())
        .done()
}

/// `list-saml-providers`.
pub(in super::super) fn saml_providers(list: &[SamlProviderListEntry]) -> Value {
    let list = list
        .iter()
        .map(|one| {
            Fields::default()
                .maybe("Arn", one.arn())
                .time("ValidUntil", one.valid_until())
                .time("CreateDate", one.create_date())
                .done()
        })
        .collect();
    Fields::default()
        .value("SAMLProviderList", sorted(list, "Arn"))
        .done()
}

/// `get-saml-provider`, which does not name its provider.
pub(in super::super) fn saml_provider(arn: &str, one: &GetSamlProviderOutput) -> Value {
    Fields::default()
        .text("SAMLProviderArn", arn)
        .maybe("SAMLProviderUUID", one.saml_provider_uuid())
        .maybe("SAMLMetadataDocument", one.saml_metadata_document())
        .time("CreateDate", one.create_date())
        .time("ValidUntil", one.valid_until())
        .tags(one.tags.as_deref())
        .done()
}

/// `list-account-aliases`.
pub(in super::super) fn aliases(aliases: &[String]) -> Value {
    Fields::default()
        .list("AccountAliases", aliases, |alias| alias.clone().into())
        .done()
}

/// `get-account-summary`.
pub(in super::super) fn summary<'a>(
    counts: impl Iterator<Item = (&'a SummaryKeyType, &'a i32)>,
) -> Value {
    let counts: Map<String, Value> = counts
        .map(|(name, count)| (name.as_str().to_owned(), Value::from(*count)))
        .collect();
    Fields::default().value("SummaryMap", counts).done()
}

/// `get-account-password-policy`; `None`: the account has no rules of its own.
pub(in super::super) fn password_policy(policy: Option<&PasswordPolicy>) -> Value {
    let rules = policy.map(|rules| {
        let fields = Fields::default()
            .number("MinimumPasswordLength", rules.minimum_password_length())
            .value("RequireSymbols", rules.require_symbols())
            .value("RequireNumbers", rules.require_numbers())
            .value(
                "RequireUppercaseCharacters",
                rules.require_uppercase_characters(),
            )
            .value(
                "RequireLowercaseCharacters",
                rules.require_lowercase_characters(),
            )
            .value(
                "AllowUsersToChangePassword",
                rules.allow_users_to_change_password(),
            )
            .value("ExpirePasswords", rules.expire_passwords())
            .number("MaxPasswordAge", rules.max_password_age())
            .number("PasswordReusePrevention", rules.password_reuse_prevention());
        match rules.hard_expiry() {
            Some(hard) => fields.value("HardExpiry", hard).done(),
            None => fields.done(),
        }
    });
    Fields::default()
        .value("PasswordPolicy", rules.unwrap_or(Value::Null))
        .done()
}
