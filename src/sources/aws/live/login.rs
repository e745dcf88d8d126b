//! Who reads an account: credentials that work, and the roles they become.

use super::call::Call;
use super::convert;
use super::trouble::{self, NoCredentials, Trouble};
use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority,
};
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use thiserror::Error;

/// Attempts of the first call, which shows whether there is anybody at all.
const FIRST_ATTEMPTS: u32 = 3;
/// Name of the sessions of assumed roles, as CloudTrail shows them.
const SESSION: &str = "overstay";

/// Who reads an account.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// Account id.
    pub account: String,
    /// ARN of the user or session.
    pub arn: String,
    /// The answer that said so.
    pub(super) answer: Value,
}

/// Why an account could not be read at all: what was tried, why it failed, what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LoginError {
    /// Nothing gives credentials.
    #[error(
        "no AWS credentials were found, looking for {0}: sign in (`aws sso login`, `aws configure`), set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with --aws-profile"
    )]
    Absent(String),
    /// The credentials have expired.
    #[error(
        "the credentials of {0} have expired: sign in again (`aws sso login`, or new session credentials), then repeat"
    )]
    Expired(String),
    /// The profile does not exist.
    #[error("the AWS profile {name} does not exist: {}", named(.known))]
    NoProfile {
        /// The profile named.
        name: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// The profile gives no credentials.
    #[error("the profile of {0} gives no credentials: `aws configure list` shows what it lacks")]
    Profile(String),
    /// The files with the profiles cannot be read.
    #[error(
        "the AWS configuration files cannot be read or are not valid: check ~/.aws/config and ~/.aws/credentials, or AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE"
    )]
    Files,
    /// The credentials are not valid.
    #[error(
        "AWS refused the credentials of {name}: {why}; check the key and its secret, and the region"
    )]
    Invalid {
        /// What was to be read.
        name: String,
        /// Why.
        why: String,
    },
    /// The role may not be assumed.
    #[error(
        "{role} may not be assumed with {by}: its trust policy has to name them, with the external id it asks for (--aws-external-id), and they need sts:AssumeRole on it (docs/aws-permissions.md)"
    )]
    Refused {
        /// The role.
        role: String,
        /// Whose credentials.
        by: String,
    },
    /// Not the ARN of a role.
    #[error("{0} is not the ARN of a role, such as arn:aws:iam::111122223333:role/overstay")]
    NoRole(String),
    /// There is no answer.
    #[error(
        "AWS was not reached at {endpoint} for {name}: {why}; check the network, the proxy (HTTPS_PROXY) and the endpoint (AWS_ENDPOINT_URL, endpoint_url)"
    )]
    Unreachable {
        /// What was to be read.
        name: String,
        /// Where.
        endpoint: String,
        /// Why.
        why: String,
    },
    /// Who reads may not even ask who it is, and nothing else tells.
    #[error("the account of {name} is unknown: sts:GetCallerIdentity {why}")]
    Unknown {
        /// What was to be read.
        name: String,
        /// Why.
        why: String,
    },
    /// The accounts of the organization are not told.
    #[error("the accounts of the organization cannot be listed with {name}: {why}")]
    Organization {
        /// Whose credentials.
        name: String,
        /// Why.
        why: String,
    },
    /// Anything else.
    #[error(
        "the credentials of {0} could not be had: `aws sts get-caller-identity` with the same settings shows why"
    )]
    Other(String),
}

fn named(names: &[String]) -> String {
    if names.is_empty() {
        return "there is none in ~/.aws/config or ~/.aws/credentials; `aws configure --profile NAME` makes one".to_owned();
    }
    let mut shown = names
        .iter()
        .take(20)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > 20 {
        shown.push_str(", …");
    }
    format!("there are {shown}")
}

/// Where the calls go, as messages say it.
fn endpoint(config: &SdkConfig) -> String {
    match (config.endpoint_url(), config.region()) {
        (Some(url), _) => url.to_owned(),
        (None, Some(region)) => format!("the endpoints of {region}"),
        (None, None) => "AWS".to_owned(),
    }
}

impl Identity {
    /// Asks who the credentials belong to.
    ///
    /// # Errors
    /// When there are none, or they do not work.
    pub async fn of(name: &str, config: &SdkConfig) -> Result<Self, LoginError> {
        let name = name.to_owned();
        let provider = config
            .credentials_provider()
            .ok_or_else(|| LoginError::Absent(name.clone()))?;
        if let Err(error) = provider.provide_credentials().await {
            return Err(match trouble::of_credentials(&error) {
                NoCredentials::Absent => LoginError::Absent(name),
                NoCredentials::Expired => LoginError::Expired(name),
                NoCredentials::Refused => LoginError::Refused {
                    role: "the role of the profile".to_owned(),
                    by: format!("the credentials of {name}"),
                },
                NoCredentials::Profile => LoginError::Profile(name),
                NoCredentials::Invalid(why) => LoginError::Invalid {
                    name,
                    why: why.to_owned(),
                },
                NoCredentials::Unreachable(why) => LoginError::Unreachable {
                    endpoint: endpoint(config),
                    name,
                    why: why.to_owned(),
                },
                NoCredentials::Other => LoginError::Other(name),
            });
        }
        Self::ask(&name, config, None).await
    }

    /// Asks AWS; `account` is known beforehand for a role.
    async fn ask(
        name: &str,
        config: &SdkConfig,
        account: Option<&str>,
    ) -> Result<Self, LoginError> {
        let client = aws_sdk_sts::Client::from_conf(
            aws_sdk_sts::config::Builder::from(config)
                .retry_config(RetryConfig::standard().with_max_attempts(FIRST_ATTEMPTS))
                .retry_classifier(PagesAreNoAnswers)
                .build(),
        );
        let name = name.to_owned();
        let trouble = match client.get_caller_identity().send().await {
            Ok(answer) => {
                let told = convert::caller(&answer);
                match (answer.account(), answer.arn()) {
                    (Some(account), Some(arn)) if account.len() == 12 => {
                        return Ok(Self {
                            account: account.to_owned(),
                            arn: arn.to_owned(),
                            answer: told,
                        });
                    }
                    _ => {
                        return Err(LoginError::Unknown {
                            name,
                            why: "did not tell it".to_owned(),
                        });
                    }
                }
            }
            Err(error) => trouble::of(&error),
        };
        match trouble {
            // Refusals name the caller; that is enough.
            Trouble::Denied { account: told } => {
                match told.or_else(|| account.map(str::to_owned)) {
                    Some(account) => Ok(Self {
                        answer: json!({"Account": account}),
                        arn: String::new(),
                        account,
                    }),
                    None => Err(LoginError::Unknown {
                        name,
                        why: format!(
                            "is not permitted: allow {}",
                            Call::GetCallerIdentity.permission()
                        ),
                    }),
                }
            }
            Trouble::Credentials(why) if why.contains("expired") => Err(LoginError::Expired(name)),
            Trouble::Credentials(why) => Err(LoginError::Invalid { name, why }),
            Trouble::Unreachable(why) => Err(LoginError::Unreachable {
                endpoint: endpoint(config),
                name,
                why,
            }),
            Trouble::Unavailable(why) => Err(LoginError::Unknown { name, why }),
            Trouble::Throttled => Err(LoginError::Unknown {
                name,
                why: "was asked too often; try again".to_owned(),
            }),
            Trouble::Missing | Trouble::NoOrganization | Trouble::Stopped => {
                Err(LoginError::Other(name))
            }
        }
    }
}

/// The settings of a session as `role`, assumed with the credentials of `base`.
///
/// # Errors
/// When the text is not the ARN of a role, or the role may not be assumed.
pub async fn assume(
    base: &SdkConfig,
    by: &str,
    role: &str,
    external_id: Option<&str>,
) -> Result<(SdkConfig, Identity), LoginError> {
    let (partition, account) = role_of(role).ok_or_else(|| LoginError::NoRole(role.to_owned()))?;
    let mut base = base.clone();
    // Each partition has endpoints, and credentials, of its own.
    if base
        .region()
        .is_none_or(|region| partition_of(region.as_ref()) != partition)
    {
        base = base
            .into_builder()
            .region(Region::new(home_of(partition)))
            .build();
    }
    let mut provider = AssumeRoleProvider::builder(role)
        .session_name(SESSION)
        .configure(&base);
    if let Some(id) = external_id {
        provider = provider.external_id(id);
    }
    let provider = provider.build().await;
    if let Err(error) = provider.provide_credentials().await {
        let name = format!("role {role}");
        return Err(match trouble::of_credentials(&error) {
            NoCredentials::Absent => LoginError::Absent(by.to_owned()),
            NoCredentials::Expired => LoginError::Expired(by.to_owned()),
            NoCredentials::Refused => LoginError::Refused {
                role: role.to_owned(),
                by: by.to_owned(),
            },
            NoCredentials::Invalid(why) => LoginError::Invalid {
                name: by.to_owned(),
                why: why.to_owned(),
            },
            NoCredentials::Unreachable(why) => LoginError::Unreachable {
                endpoint: endpoint(&base),
                name,
                why: why.to_owned(),
            },
            NoCredentials::Profile | NoCredentials::Other => LoginError::Other(name),
        });
    }
    let config = base
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(provider))
        .build();
    let identity = Identity::ask(&format!("role {role}"), &config, Some(account)).await?;
    Ok((config, identity))
}

/// Partition and account of a role's ARN.
fn role_of(arn: &str) -> Option<(&str, &str)> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [prefix, partition, "iam", "", account, name] = parts.as_slice() else {
        return None;
    };
    let valid = *prefix == "arn"
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && name
            .strip_prefix("role/")
            .is_some_and(|name| !name.is_empty());
    valid.then_some((*partition, *account))
}

/// The partition a region belongs to, by its name.
pub(super) fn partition_of(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        region if region.starts_with("us-isob-") => "aws-iso-b",
        region if region.starts_with("us-isof-") => "aws-iso-f",
        region if region.starts_with("us-iso-") => "aws-iso",
        region if region.starts_with("eu-isoe-") => "aws-iso-e",
        region if region.starts_with("eusc-") => "aws-eusc",
        _ => "aws",
    }
}

/// The region where a partition keeps IAM.
fn home_of(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "cn-north-1",
        "aws-us-gov" => "us-gov-west-1",
        "aws-iso" => "us-iso-east-1",
        "aws-iso-b" => "us-isob-east-1",
        "aws-iso-e" => "eu-isoe-west-1",
        "aws-iso-f" => "us-isof-south-1",
        "aws-eusc" => "eusc-de-east-1",
        _ => "us-east-1",
    }
}

/// The accounts of the organization of `base` that are in use, and those that are not.
///
/// # Errors
/// When they cannot be listed.
pub async fn organization_accounts(
    base: &SdkConfig,
    name: &str,
) -> Result<(BTreeSet<String>, BTreeSet<String>), LoginError> {
    let client = aws_sdk_organizations::Client::new(base);
    let mut active = BTreeSet::new();
    let mut others = BTreeSet::new();
    let mut pages = client.list_accounts().into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| LoginError::Organization {
            name: name.to_owned(),
            why: match trouble::of(&error) {
                Trouble::Denied { .. } => format!(
                    "allow {} to them; only the management account and delegated administrators have it",
                    Call::ListAccounts.permission()
                ),
                Trouble::NoOrganization => {
                    "the account belongs to no organization".to_owned()
                }
                Trouble::Credentials(why) | Trouble::Unreachable(why) => why,
                Trouble::Unavailable(why) => format!("the server {why}"),
                _ => "AWS asked for fewer calls; try again".to_owned(),
            },
        })?;
        for account in page.accounts() {
            if let Some(id) = account.id() {
                let list = if super::organization::in_use(account) {
                    &mut active
                } else {
                    &mut others
                };
                list.insert(id.to_owned());
            }
        }
    }
    Ok((active, others))
}

/// A page of HTML with a status of 500 comes from a server that does not have the call: asking again is in vain.
#[derive(Debug)]
pub(super) struct PagesAreNoAnswers;

impl ClassifyRetry for PagesAreNoAnswers {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let page = context.response().is_some_and(|response| {
            matches!(response.status().as_u16(), 500 | 501)
                && response
                    .headers()
                    .get("content-type")
                    .is_some_and(|kind| kind.starts_with("text/html"))
        });
        if page {
            RetryAction::RetryForbidden
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "pages are no answers"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_told_by_their_arn() {
        assert_eq!(
            role_of("arn:aws-cn:iam::111122223333:role/audit/overstay"),
            Some(("aws-cn", "111122223333"))
        );
        for other in [
            "overstay",
            "arn:aws:iam::111122223333:user/ann",
            "arn:aws:iam::1111:role/x",
            "arn:aws:iam::111122223333:role/",
            "arn:aws:sts::111122223333:assumed-role/x/y",
        ] {
            assert_eq!(role_of(other), None, "{other}");
        }
    }

    #[test]
    fn every_partition_has_its_home() {
        for partition in [
            "aws",
            "aws-cn",
            "aws-us-gov",
            "aws-iso",
            "aws-iso-b",
            "aws-eusc",
        ] {
            assert_eq!(partition_of(home_of(partition)), partition);
        }
    }
}
