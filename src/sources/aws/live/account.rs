//! Everything that is asked of one account.

use super::answers::file_name;
use super::asker::{Asker, Problem};
use super::call::Call;
use super::convert;
use super::trouble::Trouble;
use super::{jobs, listings};
use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use futures_util::stream;
use serde_json::Value;
use std::collections::BTreeMap;

/// Questions under way at once; most of them wait for a job or for their turn.
const UNDER_WAY: usize = 512;

/// A principal.
struct Principal {
    name: String,
    arn: String,
}

/// Asks for everything.
pub(super) async fn collect(asker: &Asker<'_>) {
    let (principals, (), ()) = tokio::join!(
        principals(asker),
        jobs::credential_report(asker),
        settings(asker)
    );
    let (users, roles) = principals;
    // The first of each kind shows what the server does not have, so that the rest need not ask for it.
    let first = users
        .iter()
        .take(1)
        .flat_map(|user| of_user(asker, user))
        .chain(roles.iter().take(1).map(|role| usage(asker, "roles", role)));
    all(first.collect()).await;
    let rest = users
        .iter()
        .skip(1)
        .flat_map(|user| of_user(asker, user))
        .chain(roles.iter().skip(1).map(|role| usage(asker, "roles", role)));
    all(rest.collect()).await;
}

async fn all(questions: Vec<LocalBoxFuture<'_, ()>>) {
    stream::iter(questions)
        .for_each_concurrent(UNDER_WAY, |question| question)
        .await;
}

/// The account's principals and policies, and the users and roles there are.
async fn principals(asker: &Asker<'_>) -> (Vec<Principal>, Vec<Principal>) {
    let (details, roles) = tokio::join!(
        asker.answer(
            "account-authorization-details.json",
            listings::details(asker)
        ),
        asker.answer("list-roles.json", listings::roles(asker)),
    );
    // Without the details, users are at least known by name.
    let users = match details {
        Some(_) => None,
        None => {
            asker
                .answer("list-users.json", listings::users(asker))
                .await
        }
    };
    let of = |value: Option<&Value>, list: &str, name: &str| -> BTreeMap<String, String> {
        let entries = value.and_then(|value| value.get(list)?.as_array());
        entries
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                let text = |key: &str| Some(entry.get(key)?.as_str()?.to_owned());
                Some((text("Arn")?, text(name)?))
            })
            .collect()
    };
    let mut of_users = of(details.as_ref(), "UserDetailList", "UserName");
    of_users.extend(of(users.as_ref(), "Users", "UserName"));
    let mut of_roles = of(details.as_ref(), "RoleDetailList", "RoleName");
    of_roles.extend(of(roles.as_ref(), "Roles", "RoleName"));
    let list = |map: BTreeMap<String, String>| {
        map.into_iter()
            .map(|(arn, name)| Principal { name, arn })
            .collect()
    };
    (list(of_users), list(of_roles))
}

/// What is asked of every user.
fn of_user<'q>(asker: &'q Asker<'_>, user: &'q Principal) -> Vec<LocalBoxFuture<'q, ()>> {
    let name = user.name.as_str();
    let file = |folder: &str| format!("{folder}/{}.json", file_name(name));
    let mut questions: Vec<LocalBoxFuture<'q, ()>> = vec![
        Box::pin(access_keys(asker, name)),
        Box::pin(ssh_keys(asker, name)),
        usage(asker, "users", user),
    ];
    let path = file("login-profiles");
    questions.push(Box::pin(async move {
        asker.answer(&path, login_profile(asker, name)).await;
    }));
    let path = file("mfa-devices");
    questions.push(Box::pin(async move {
        asker
            .answer(&path, listings::mfa_devices(asker, name))
            .await;
    }));
    let path = file("service-specific-credentials");
    questions.push(Box::pin(async move {
        let make = listings::service_credentials(asker, name);
        asker.answer(&path, Box::pin(make)).await;
    }));
    let path = file("signing-certificates");
    questions.push(Box::pin(async move {
        let make = listings::signing_certificates(asker, name);
        asker.answer(&path, Box::pin(make)).await;
    }));
    questions
}

/// What a principal used.
fn usage<'q>(
    asker: &'q Asker<'_>,
    folder: &'static str,
    of: &'q Principal,
) -> LocalBoxFuture<'q, ()> {
    let path = format!(
        "service-last-accessed/{folder}/{}.json",
        file_name(&of.name)
    );
    Box::pin(async move {
        asker
            .answer(&path, Box::pin(jobs::last_accessed(asker, &of.arn)))
            .await;
    })
}

/// The texts under a key of every entry of a list.
fn texts(value: Option<&Value>, list: &str, key: &str) -> Vec<String> {
    value
        .and_then(|value| value.get(list)?.as_array())
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.get(key)?.as_str()?.to_owned()))
        .collect()
}

async fn access_keys(asker: &Asker<'_>, user: &str) {
    let path = format!("access-keys/{}.json", file_name(user));
    let keys = asker
        .answer(&path, listings::access_keys(asker, user))
        .await;
    for key in texts(keys.as_ref(), "AccessKeyMetadata", "AccessKeyId") {
        let path = format!("access-key-last-used/{}.json", file_name(&key));
        let make = async {
            let used = asker
                .ask(Call::GetAccessKeyLastUsed, || {
                    asker
                        .iam
                        .get_access_key_last_used()
                        .access_key_id(&key)
                        .send()
                })
                .await?;
            Ok(convert::key_last_used(
                &key,
                user,
                used.access_key_last_used(),
            ))
        };
        asker.answer(&path, Box::pin(make)).await;
    }
}

async fn ssh_keys(asker: &Asker<'_>, user: &str) {
    let path = format!("ssh-public-keys/{}.json", file_name(user));
    let keys = asker.answer(&path, listings::ssh_keys(asker, user)).await;
    for key in texts(keys.as_ref(), "SSHPublicKeys", "SSHPublicKeyId") {
        let path = format!("ssh-public-key/{}.json", file_name(&key));
        let make = async {
            let call = Call::GetSshPublicKey;
            let one = asker
                .ask(call, || {
                    asker
                        .iam
                        .get_ssh_public_key()
                        .user_name(user)
                        .ssh_public_key_id(&key)
                        .encoding(aws_sdk_iam::types::EncodingType::Ssh)
                        .send()
                })
                .await?;
            one.ssh_public_key()
                .map(|one| convert::ssh_key(user, one))
                .ok_or((call, Trouble::Missing))
        };
        asker.answer(&path, Box::pin(make)).await;
    }
}

async fn login_profile(asker: &Asker<'_>, user: &str) -> Result<Value, Problem> {
    let asked = asker
        .ask(Call::GetLoginProfile, || {
            asker.iam.get_login_profile().user_name(user).send()
        })
        .await;
    match asked {
        Ok(profile) => Ok(convert::login_profile(user, profile.login_profile())),
        Err((_, Trouble::Missing)) => Ok(convert::login_profile(user, None)),
        Err(problem) => Err(problem),
    }
}

/// What is asked once of an account.
async fn settings(asker: &Asker<'_>) {
    let summary = async {
        let answer = asker
            .ask(Call::GetAccountSummary, || {
                asker.iam.get_account_summary().send()
            })
            .await?;
        Ok(convert::summary(answer.summary_map().into_iter().flatten()))
    };
    let rules = async {
        let asked = asker
            .ask(Call::GetAccountPasswordPolicy, || {
                asker.iam.get_account_password_policy().send()
            })
            .await;
        match asked {
            Ok(answer) => Ok(convert::password_policy(answer.password_policy())),
            Err((_, Trouble::Missing)) => Ok(convert::password_policy(None)),
            Err(problem) => Err(problem),
        }
    };
    tokio::join!(
        asker.answer("account-summary.json", summary),
        asker.answer("password-policy.json", rules),
        asker.answer("account-aliases.json", listings::aliases(asker)),
        asker.answer("virtual-mfa-devices.json", listings::virtual_devices(asker)),
        oidc(asker),
        saml(asker),
        certificates(asker),
    );
}

async fn oidc(asker: &Asker<'_>) {
    let make = async {
        let list = asker
            .ask(Call::ListOpenIdConnectProviders, || {
                asker.iam.list_open_id_connect_providers().send()
            })
            .await?;
        Ok(convert::oidc_providers(
            list.open_id_connect_provider_list(),
        ))
    };
    let list = asker.answer("oidc-providers.json", make).await;
    for arn in texts(list.as_ref(), "OpenIDConnectProviderList", "Arn") {
        let name = arn
            .split_once(":oidc-provider/")
            .map_or(arn.as_str(), |(_, name)| name);
        let path = format!("oidc-providers/{}.json", file_name(name));
        let make = async {
            let one = asker
                .ask(Call::GetOpenIdConnectProvider, || {
                    asker
                        .iam
                        .get_open_id_connect_provider()
                        .open_id_connect_provider_arn(&arn)
                        .send()
                })
                .await?;
            Ok(convert::oidc_provider(&one))
        };
        asker.answer(&path, Box::pin(make)).await;
    }
}

async fn saml(asker: &Asker<'_>) {
    let make = async {
        let list = asker
            .ask(Call::ListSamlProviders, || {
                asker.iam.list_saml_providers().send()
            })
            .await?;
        Ok(convert::saml_providers(list.saml_provider_list()))
    };
    let list = asker.answer("saml-providers.json", make).await;
    for arn in texts(list.as_ref(), "SAMLProviderList", "Arn") {
        let name = arn.rsplit('/').next().unwrap_or(&arn);
        let path = format!("saml-providers/{}.json", file_name(name));
        let make = async {
            let one = asker
                .ask(Call::GetSamlProvider, || {
                    asker.iam.get_saml_provider().saml_provider_arn(&arn).send()
                })
                .await?;
            Ok(convert::saml_provider(&arn, &one))
        };
        asker.answer(&path, Box::pin(make)).await;
    }
}

async fn certificates(asker: &Asker<'_>) {
    let list = asker
        .answer(
            "server-certificates.json",
            listings::server_certificates(asker),
        )
        .await;
    let names = texts(
        list.as_ref(),
        "ServerCertificateMetadataList",
        "ServerCertificateName",
    );
    for name in names {
        let path = format!("server-certificates/{}.json", file_name(&name));
        let make = async {
            let call = Call::GetServerCertificate;
            let one = asker
                .ask(call, || {
                    asker
                        .iam
                        .get_server_certificate()
                        .server_certificate_name(&name)
                        .send()
                })
                .await?;
            one.server_certificate()
                .map(convert::server_certificate)
                .ok_or((call, Trouble::Missing))
        };
        asker.answer(&path, Box::pin(make)).await;
    }
}
