//! What a user or an account has beside principals and access keys: passwords, MFA devices, other credentials,
//! certificates, SAML providers, counts and password rules.

use super::details::Page;
use super::draft::Draft;
use super::fields::{Object, take_list, take_objects, take_text, text, time};
use crate::model::Location;
use crate::model::aws::{
    AwsMfaDevice, AwsPasswordPolicy, AwsSamlProvider, AwsServerCertificate, AwsUserCredential,
    AwsUserCredentialKind,
};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

/// One fact.
#[derive(Debug, PartialEq)]
pub(super) enum Beside {
    /// `get-login-profile`: a user has a console password, or has none.
    Password {
        user: Option<String>,
        exists: bool,
        created_at: Option<Timestamp>,
    },
    /// `list-mfa-devices`: those of one user, who is not named when there are none.
    UserDevices {
        user: Option<String>,
        devices: Vec<AwsMfaDevice>,
    },
    /// `list-virtual-mfa-devices`.
    Devices(Vec<AwsMfaDevice>),
    /// `list-service-specific-credentials`, `list-ssh-public-keys`, `list-signing-certificates`.
    Credentials(AwsUserCredentialKind, Vec<AwsUserCredential>),
    /// `list-server-certificates` or `get-server-certificate`.
    Certificates(Vec<AwsServerCertificate>),
    /// `list-saml-providers`.
    Saml(Vec<AwsSamlProvider>),
    /// `get-saml-provider`, which does not name its provider.
    SamlDetails {
        created_at: Option<Timestamp>,
        expires_at: Option<Timestamp>,
        issuer: Option<String>,
        named: Option<String>,
    },
    /// `get-account-summary`.
    Summary(BTreeMap<String, i64>),
    /// `get-account-password-policy`.
    PasswordPolicy(AwsPasswordPolicy),
}

impl Beside {
    /// What it is, in words for the coverage.
    pub(super) fn what(&self) -> &'static str {
        match self {
            Self::Password { .. } => "login profile",
            Self::UserDevices { .. } | Self::Devices(_) => "MFA devices",
            Self::Credentials(AwsUserCredentialKind::ServiceSpecific, _) => {
                "service-specific credentials"
            }
            Self::Credentials(AwsUserCredentialKind::SshKey, _) => "SSH public keys",
            Self::Credentials(AwsUserCredentialKind::SigningCertificate, _) => {
                "signing certificates"
            }
            Self::Certificates(_) => "server certificates",
            Self::Saml(_) | Self::SamlDetails { .. } => "SAML providers",
            Self::Summary(_) => "account summary",
            Self::PasswordPolicy(_) => "password policy",
        }
    }
}

/// Takes these facts out of an object.
pub(super) fn take(object: &mut Object, page: &Page<'_>) -> Vec<Beside> {
    let mut facts = Vec::new();
    if let Some(profile) = object.remove("LoginProfile") {
        let around = take_text(object, "UserName");
        facts.push(match profile {
            Value::Object(mut profile) => Beside::Password {
                created_at: time(&profile, "CreateDate"),
                user: take_text(&mut profile, "UserName").or(around),
                exists: true,
            },
            _ => Beside::Password {
                user: around,
                exists: false,
                created_at: None,
            },
        });
    }
    if object.contains_key("MFADevices") {
        let devices: Vec<_> = take_objects(object, "MFADevices")
            .into_iter()
            .filter_map(device)
            .collect();
        let user = devices.iter().find_map(|device| device.user.clone());
        facts.push(Beside::UserDevices {
            user: user.or_else(|| take_text(object, "UserName")),
            devices,
        });
    }
    if object.contains_key("VirtualMFADevices") {
        facts.push(Beside::Devices(
            take_objects(object, "VirtualMFADevices")
                .into_iter()
                .filter_map(device)
                .collect(),
        ));
    }
    facts.extend(credentials(object, page));
    if object.contains_key("ServerCertificateMetadataList") {
        let list = take_objects(object, "ServerCertificateMetadataList");
        facts.push(Beside::Certificates(
            list.iter()
                .filter_map(|one| certificate(one, None, page))
                .collect(),
        ));
    }
    if let Some(Value::Object(one)) = object.get("ServerCertificate")
        && let Some(Value::Object(metadata)) = one.get("ServerCertificateMetadata")
    {
        let body = text(one, "CertificateBody").map(str::to_owned);
        facts.push(Beside::Certificates(
            certificate(metadata, body, page).into_iter().collect(),
        ));
        object.remove("ServerCertificate");
    }
    if object.contains_key("SAMLProviderList") {
        let list = take_objects(object, "SAMLProviderList");
        facts.push(Beside::Saml(
            list.iter()
                .filter_map(|one| {
                    let arn = text(one, "Arn")?;
                    Some(AwsSamlProvider {
                        arn: arn.to_owned(),
                        created_at: time(one, "CreateDate"),
                        expires_at: time(one, "ValidUntil"),
                        issuer: None,
                        location: place(page, arn),
                    })
                })
                .collect(),
        ));
    }
    if let Some(metadata) = take_text(object, "SAMLMetadataDocument") {
        facts.push(Beside::SamlDetails {
            created_at: time(object, "CreateDate"),
            expires_at: time(object, "ValidUntil"),
            issuer: entity_id(&metadata),
            named: ["Arn", "SAMLProviderArn"]
                .iter()
                .find_map(|key| text(object, key))
                .map(str::to_owned),
        });
    }
    if let Some(Value::Object(summary)) = object.remove("SummaryMap") {
        let counts = summary
            .into_iter()
            .filter_map(|(name, count)| Some((name, count.as_i64()?)));
        facts.push(Beside::Summary(counts.collect()));
    }
    match object.remove("PasswordPolicy") {
        Some(Value::Object(rules)) => {
            let number = |key: &str| rules.get(key).and_then(Value::as_u64);
            facts.push(Beside::PasswordPolicy(AwsPasswordPolicy {
                set: true,
                minimum_length: number("MinimumPasswordLength"),
                max_age_days: number("MaxPasswordAge").filter(|days| *days > 0),
                reuse_prevention: number("PasswordReusePrevention").filter(|many| *many > 0),
            }));
        }
        Some(Value::Null) => facts.push(Beside::PasswordPolicy(AwsPasswordPolicy::default())),
        _ => {}
    }
    facts
}

fn device(mut device: Object) -> Option<AwsMfaDevice> {
    let user = take_text(&mut device, "UserName").or_else(|| match device.get("User") {
        Some(Value::Object(user)) => text(user, "UserName").map(str::to_owned),
        _ => None,
    });
    Some(AwsMfaDevice {
        serial: take_text(&mut device, "SerialNumber")?,
        user,
        enabled_at: time(&device, "EnableDate"),
    })
}

/// Credentials of users, in lists or one by one.
fn credentials(object: &mut Object, page: &Page<'_>) -> Vec<Beside> {
    use AwsUserCredentialKind::{ServiceSpecific, SigningCertificate, SshKey};
    let kinds = [
        (
            ServiceSpecific,
            "ServiceSpecificCredentials",
            "ServiceSpecificCredentialId",
        ),
        (SshKey, "SSHPublicKeys", "SSHPublicKeyId"),
        (SshKey, "SSHPublicKey", "SSHPublicKeyId"),
        (SigningCertificate, "Certificates", "CertificateId"),
    ];
    let mut facts = Vec::new();
    for (kind, key, id) in kinds {
        let ours = match object.get(key) {
            Some(Value::Array(items)) => items.iter().all(|item| item.get(id).is_some()),
            Some(item) => item.get(id).is_some(),
            None => false,
        };
        if !ours {
            continue;
        }
        let around = text(object, "UserName").map(str::to_owned);
        let list = take_list(object, key);
        let list = list.into_iter().filter_map(|item| match item {
            Value::Object(item) => credential(kind, id, item, around.clone(), page),
            _ => None,
        });
        facts.push(Beside::Credentials(kind, list.collect()));
    }
    facts
}

fn credential(
    kind: AwsUserCredentialKind,
    id: &str,
    mut item: Object,
    around: Option<String>,
    page: &Page<'_>,
) -> Option<AwsUserCredential> {
    let id = take_text(&mut item, id)?;
    let created_at = time(&item, "CreateDate").or_else(|| time(&item, "UploadDate"));
    Some(AwsUserCredential {
        user: take_text(&mut item, "UserName").or(around)?,
        kind,
        active: text(&item, "Status").map(|status| status.eq_ignore_ascii_case("active")),
        created_at,
        expires_at: time(&item, "ExpirationDate"),
        service: take_text(&mut item, "ServiceName"),
        public: take_text(&mut item, "SSHPublicKeyBody")
            .or_else(|| take_text(&mut item, "CertificateBody")),
        location: place(page, &id),
        id,
    })
}

fn certificate(
    metadata: &Object,
    body: Option<String>,
    page: &Page<'_>,
) -> Option<AwsServerCertificate> {
    let arn = text(metadata, "Arn")?;
    Some(AwsServerCertificate {
        arn: arn.to_owned(),
        name: text(metadata, "ServerCertificateName")?.to_owned(),
        created_at: time(metadata, "UploadDate"),
        expires_at: time(metadata, "Expiration"),
        public: body,
        location: place(page, arn),
    })
}

fn place(page: &Page<'_>, what: &str) -> Location {
    let spot = page.index.find(what);
    Location {
        repository: None,
        uri: page.uri.to_owned(),
        line: spot.map(|(line, _)| line),
        column: spot.map(|(_, column)| column),
        logical: Some(what.to_owned()),
    }
}

/// The entity id in SAML metadata; nothing else of the document is of use here.
fn entity_id(metadata: &str) -> Option<String> {
    let (_, rest) = metadata.split_once("entityID=")?;
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let id = rest.get(1..)?.split(quote).next()?;
    (!id.is_empty() && id.len() <= 1024).then(|| id.to_owned())
}

impl Draft {
    /// Takes up a fact; `stem` is the name of its file, which names the user or provider where the answer does not.
    pub(super) fn add_beside(&mut self, fact: Beside, stem: &str) {
        let account = &mut self.account;
        match fact {
            Beside::Password {
                user,
                exists,
                created_at: _,
            } => {
                let user = user.unwrap_or_else(|| stem.to_owned());
                self.passwords.insert(user, exists);
            }
            Beside::UserDevices { user, devices } => {
                account.parts.mfa_devices = true;
                let user = user.unwrap_or_else(|| stem.to_owned());
                let any = self.devices.entry(user).or_default();
                *any |= !devices.is_empty();
                account.mfa_devices.extend(devices);
            }
            Beside::Devices(devices) => {
                account.parts.mfa_devices = true;
                account.mfa_devices.extend(devices);
            }
            Beside::Credentials(kind, credentials) => {
                let part = match kind {
                    AwsUserCredentialKind::ServiceSpecific => {
                        &mut account.parts.service_credentials
                    }
                    AwsUserCredentialKind::SshKey => &mut account.parts.ssh_keys,
                    AwsUserCredentialKind::SigningCertificate => {
                        &mut account.parts.signing_certificates
                    }
                };
                *part = true;
                account.user_credentials.extend(credentials);
            }
            Beside::Certificates(certificates) => {
                account.parts.server_certificates = true;
                account.server_certificates.extend(certificates);
            }
            Beside::Saml(providers) => {
                account.parts.saml_providers = true;
                account.saml_providers.extend(providers);
            }
            Beside::SamlDetails {
                created_at,
                expires_at,
                issuer,
                named,
            } => self.saml.push((
                named.unwrap_or_else(|| stem.to_owned()),
                created_at,
                expires_at,
                issuer,
            )),
            Beside::Summary(summary) => account.summary.extend(summary),
            Beside::PasswordPolicy(rules) => account.password_policy = Some(rules),
        }
    }

    /// Joins what several answers say of one thing, and puts everything in order.
    pub(super) fn settle_beside(&mut self) {
        let account = &mut self.account;
        let repository = format!("aws/{}", account.account_id);
        for (named, created_at, expires_at, issuer) in std::mem::take(&mut self.saml) {
            let of = |arn: &str| {
                arn == named || arn.rsplit('/').next() == Some(&named) || flat(arn) == flat(&named)
            };
            if let Some(provider) = account
                .saml_providers
                .iter_mut()
                .find(|provider| of(&provider.arn))
            {
                provider.created_at = provider.created_at.or(created_at);
                provider.expires_at = provider.expires_at.or(expires_at);
                provider.issuer = provider.issuer.take().or(issuer);
            }
        }
        account.saml_providers.sort();
        account.saml_providers.dedup_by(|a, b| a.arn == b.arn);
        // The fuller of two descriptions of one thing stands first and stays.
        account
            .server_certificates
            .sort_by(|a, b| a.arn.cmp(&b.arn).then(b.public.cmp(&a.public)));
        account.server_certificates.dedup_by(|a, b| a.arn == b.arn);
        account.user_credentials.sort_by(|a, b| {
            (&a.user, a.kind, &a.id)
                .cmp(&(&b.user, b.kind, &b.id))
                .then(b.public.cmp(&a.public))
                .then_with(|| a.cmp(b))
        });
        account
            .user_credentials
            .dedup_by(|a, b| (&a.user, a.kind, &a.id) == (&b.user, b.kind, &b.id));
        // A device of somebody before the same one of nobody.
        account.mfa_devices.sort_by(|a, b| {
            (&a.serial, a.user.is_none(), &a.user, a.enabled_at).cmp(&(
                &b.serial,
                b.user.is_none(),
                &b.user,
                b.enabled_at,
            ))
        });
        account.mfa_devices.dedup_by(|a, b| a.serial == b.serial);
        let locations = account
            .user_credentials
            .iter_mut()
            .map(|one| &mut one.location)
            .chain(
                account
                    .server_certificates
                    .iter_mut()
                    .map(|one| &mut one.location),
            )
            .chain(
                account
                    .saml_providers
                    .iter_mut()
                    .map(|one| &mut one.location),
            );
        for location in locations {
            location.repository = Some(repository.clone());
        }
    }
}

/// Letters and digits kept, everything else one dash: the form a name takes in a file name.
fn flat(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::read_snapshot;
    use crate::model::aws::{AwsAccount, AwsUserCredentialKind};
    use serde_json::{Value, json};
    use std::io::Write as _;

    const ACCOUNT: &str = "111122223333";

    fn read(files: &[(&str, Value)]) -> AwsAccount {
        let folder = tempfile::tempdir().unwrap();
        let arn = format!("arn:aws:iam::{ACCOUNT}:user/ann");
        let details = json!({"UserDetailList": [{"UserName": "ann", "UserId": "AIDAANN", "Arn": arn}],
            "GroupDetailList": [], "RoleDetailList": [], "Policies": []});
        let details = ("details.json", details);
        for (name, value) in files.iter().chain([&details]) {
            let path = folder.path().join(ACCOUNT).join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let mut file = tempfile::NamedTempFile::new_in(folder.path()).unwrap();
            file.write_all(value.to_string().as_bytes()).unwrap();
            file.persist(path).unwrap();
        }
        let mut snapshot = read_snapshot(folder.path());
        assert_eq!(snapshot.accounts.len(), 1, "{:?}", snapshot.coverage);
        snapshot.accounts.remove(0)
    }

    #[test]
    fn passwords_and_devices_say_more_than_the_report() {
        let account = read(&[
            (
                "login-profiles/ann.json",
                json!({"UserName": "ann", "LoginProfile": null}),
            ),
            ("mfa-devices/ann.json", json!({"MFADevices": []})),
        ]);
        assert_eq!(account.users[0].password, Some(false));
        assert_eq!(account.users[0].mfa, Some(false));
        let account = read(&[
            (
                "login-profiles/ann.json",
                json!({"LoginProfile": {"UserName": "ann", "CreateDate": "2020-01-01T00:00:00Z"}}),
            ),
            (
                "mfa-devices/ann.json",
                json!({"MFADevices": [{"UserName": "ann", "SerialNumber": "arn:aws:iam::111122223333:mfa/a"}]}),
            ),
            (
                "virtual.json",
                json!({"VirtualMFADevices": [{"SerialNumber": "arn:aws:iam::111122223333:mfa/a"},
                                             {"SerialNumber": "arn:aws:iam::111122223333:mfa/b"}]}),
            ),
        ]);
        assert_eq!(account.users[0].password, Some(true));
        assert_eq!(account.users[0].mfa, Some(true));
        let devices: Vec<_> = account
            .mfa_devices
            .iter()
            .map(|device| (device.serial.as_str(), device.user.as_deref()))
            .collect();
        assert_eq!(
            devices,
            [
                ("arn:aws:iam::111122223333:mfa/a", Some("ann")),
                ("arn:aws:iam::111122223333:mfa/b", None),
            ]
        );
    }

    #[test]
    fn credentials_of_every_kind_are_read_and_joined_with_their_bodies() {
        let account = read(&[
            (
                "service.json",
                json!({"ServiceSpecificCredentials": [{"UserName": "ann", "Status": "Active",
                    "ServiceUserName": "ann-at-1", "CreateDate": "2020-01-01T00:00:00Z", "ExpirationDate": "2027-01-01T00:00:00Z",
                    "ServiceSpecificCredentialId": "ACCAEXAMPLE", "ServiceName": "codecommit.amazonaws.com"}]}),
            ),
            (
                "ssh.json",
                json!({"SSHPublicKeys": [{"UserName": "ann", "SSHPublicKeyId": "APKAEXAMPLE", "Status": "Inactive",
                    "UploadDate": "2020-01-01T00:00:00Z"}]}),
            ),
            (
                "ssh-key.json",
                json!({"SSHPublicKey": {"UserName": "ann", "SSHPublicKeyId": "APKAEXAMPLE", "Status": "Inactive",
                    "Fingerprint": "aa:bb", "SSHPublicKeyBody": "ssh-rsa AAAA", "UploadDate": "2020-01-01T00:00:00Z"}}),
            ),
            ("signing.json", json!({"Certificates": []})),
        ]);
        let found: Vec<_> = account
            .user_credentials
            .iter()
            .map(|one| (one.kind, one.id.as_str(), one.active, one.public.is_some()))
            .collect();
        assert_eq!(
            found,
            [
                (
                    AwsUserCredentialKind::ServiceSpecific,
                    "ACCAEXAMPLE",
                    Some(true),
                    false
                ),
                (
                    AwsUserCredentialKind::SshKey,
                    "APKAEXAMPLE",
                    Some(false),
                    true
                ),
            ]
        );
        assert!(account.parts.signing_certificates && account.parts.ssh_keys);
        assert!(!account.parts.server_certificates);
        let location = &account.user_credentials[0].location;
        assert_eq!(location.repository.as_deref(), Some("aws/111122223333"));
        assert_eq!(
            (location.line, location.uri.ends_with("service.json")),
            (Some(1), true)
        );
    }

    #[test]
    fn a_session_named_by_the_time_is_told_by_its_role() {
        let caller = |session: &str| {
            let arn = format!("arn:aws:sts::{ACCOUNT}:assumed-role/audit/{session}");
            let answer = json!({"UserId": "AROA", "Account": ACCOUNT, "Arn": arn});
            read(&[("caller-identity.json", answer)]).caller.unwrap()
        };
        assert!(caller("assume-role-from-profile-1763800000000").ends_with("/audit"));
        assert!(caller("overstay").ends_with("/audit/overstay"));
        assert!(caller("ann@example.com").ends_with("/ann@example.com"));
    }

    #[test]
    fn certificates_providers_counts_and_rules_are_read() {
        let saml = "arn:aws:iam::111122223333:saml-provider/idp";
        let server = "arn:aws:iam::111122223333:server-certificate/web";
        let metadata = json!({"Arn": server, "ServerCertificateName": "web", "Expiration": "2026-01-01T00:00:00Z"});
        let account = read(&[
            (
                "saml.json",
                json!({"SAMLProviderList": [{"Arn": saml, "ValidUntil": "2030-01-01T00:00:00Z"}]}),
            ),
            (
                "saml-providers/idp.json",
                json!({"SAMLMetadataDocument": "<EntityDescriptor entityID=\"https://idp.example/x\">", "Tags": []}),
            ),
            (
                "server.json",
                json!({"ServerCertificateMetadataList": [metadata]}),
            ),
            (
                "server-certificates/web.json",
                json!({"ServerCertificate": {"ServerCertificateMetadata": metadata, "CertificateBody": "PEM"}}),
            ),
            (
                "summary.json",
                json!({"SummaryMap": {"Users": 3, "AccountMFAEnabled": 1}}),
            ),
            ("rules.json", json!({"PasswordPolicy": null})),
            (
                "caller-identity.json",
                json!({"UserId": "AIDA", "Account": ACCOUNT, "Arn": "arn:aws:iam::111122223333:user/ann"}),
            ),
        ]);
        assert_eq!(account.saml_providers.len(), 1);
        assert_eq!(
            account.saml_providers[0].issuer.as_deref(),
            Some("https://idp.example/x")
        );
        assert_eq!(account.server_certificates.len(), 1);
        assert_eq!(
            account.server_certificates[0].public.as_deref(),
            Some("PEM")
        );
        assert_eq!(account.summary.get("Users"), Some(&3));
        assert_eq!(account.password_policy.map(|rules| rules.set), Some(false));
        assert_eq!(
            account.caller.as_deref(),
            Some("arn:aws:iam::111122223333:user/ann")
        );
    }
}
