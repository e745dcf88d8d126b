//! From options to settings of the SDK: this is where profiles, regions, endpoints and proxies are read.

use super::options::Accounts;
use crate::cli::environment;
use crate::cli::exit::Failure;
use crate::sources::aws::live::{Identity, LoginError, Target, assume, organization_accounts};
use anyhow::Context as _;
use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::meta::region::ProvideRegion as _;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::os_shim_internal::{Env, Fs};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// Where nothing names a region.
const DEFAULT_REGION: &str = "us-east-1";
/// Attempts of one call; the pauses between them grow, and with AWS's adaptive mode the rate of all calls follows what the
/// server bears.
const ATTEMPTS: u32 = 7;
/// First and longest pause between attempts.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);
/// Longest for a connection, for an answer to begin, and for a call with all its attempts.
const CONNECT: Duration = Duration::from_secs(10);
const READ: Duration = Duration::from_mins(1);
const CALL: Duration = Duration::from_mins(5);

/// Accounts that can be read, and those that cannot.
#[derive(Default)]
pub(super) struct Sessions {
    pub(super) targets: Vec<(Target, Result<Identity, LoginError>)>,
    pub(super) failed: Vec<(String, LoginError)>,
}

/// Roles named on the command line and in the list.
pub(super) fn roles(accounts: &Accounts) -> Result<Vec<String>, Failure> {
    let mut roles = accounts.aws_role_arn.clone();
    if let Some(path) = &accounts.aws_role_list {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("reading the list of roles {}", path.display()))
            .map_err(|error| Failure::usage(error, "a text file with one role ARN a line"))?;
        let lines = text
            .lines()
            .map(|line| line.split('#').next().unwrap_or_default().trim())
            .filter(|line| !line.is_empty());
        roles.extend(lines.map(str::to_owned));
    }
    if accounts.roles() && accounts.aws_profile.len() > 1 {
        return Err(Failure::usage(
            anyhow::anyhow!(
                "roles are assumed with the credentials of one profile, and several were named"
            ),
            "run once for each --aws-profile, or read the profiles' own accounts without roles",
        ));
    }
    Ok(roles)
}

/// Signs in everywhere; what does not work is told of each account on its own.
pub(super) async fn sessions(accounts: &Accounts, roles: &[String]) -> Sessions {
    let mut sessions = Sessions::default();
    let http = client();
    let base_only = accounts.roles() && !accounts.aws && accounts.aws_organization.is_none();
    let mut base = None;
    if accounts.aws_profile.is_empty() {
        let config = config(None, accounts, &http).await;
        base = Some(("the usual AWS credentials".to_owned(), config));
    }
    for profile in unique(&accounts.aws_profile) {
        let name = format!("profile {profile}");
        if let Err(error) = known(profile).await {
            sessions.failed.push((name, error));
            continue;
        }
        let config = config(Some(profile), accounts, &http).await;
        if accounts.roles() {
            base = Some((name, config));
        } else {
            let identity = Identity::of(&name, &config).await;
            sessions.targets.push((Target { name, config }, identity));
        }
    }
    // Named beside profiles, the usual credentials are one more account.
    if accounts.aws && base.is_none() && !accounts.roles() {
        let config = config(None, accounts, &http).await;
        base = Some(("the usual AWS credentials".to_owned(), config));
    }
    let Some((name, config)) = base else {
        return sessions;
    };
    let identity = Identity::of(&name, &config).await;
    if accounts.roles() {
        let own = match &identity {
            Ok(identity) => identity.clone(),
            Err(error) => {
                // Without them no role can be assumed.
                sessions.failed.push((name, error.clone()));
                return sessions;
            }
        };
        if !base_only {
            let target = Target {
                name: name.clone(),
                config: config.clone(),
            };
            sessions.targets.push((target, identity));
        }
        let mut roles = roles.to_vec();
        if let Some(role) = &accounts.aws_organization {
            match organization_accounts(&config, &name).await {
                Ok((active, _)) => {
                    let partition = own.arn.split(':').nth(1).unwrap_or("aws").to_owned();
                    let role = role.trim_start_matches('/');
                    let others = active.into_iter().filter(|id| *id != own.account);
                    roles.extend(others.map(|id| format!("arn:{partition}:iam::{id}:role/{role}")));
                }
                Err(error) => sessions.failed.push(("organization".to_owned(), error)),
            }
        }
        for role in unique(&roles) {
            let external = accounts.aws_external_id.as_deref();
            match assume(&config, &name, role, external).await {
                Ok((config, identity)) => {
                    let name = format!("role {role}");
                    sessions
                        .targets
                        .push((Target { name, config }, Ok(identity)));
                }
                Err(error) => sessions.failed.push((format!("role {role}"), error)),
            }
        }
    } else {
        sessions.targets.push((Target { name, config }, identity));
    }
    sessions
}

fn unique(names: &[String]) -> impl Iterator<Item = &String> {
    let mut seen = BTreeSet::new();
    names.iter().filter(move |name| seen.insert(name.as_str()))
}

/// Whether a profile exists.
async fn known(profile: &str) -> Result<(), LoginError> {
    let files = aws_config::profile::load(&Fs::real(), &Env::real(), &<_>::default(), None)
        .await
        .map_err(|_| LoginError::Files)?;
    if files.get_profile(profile).is_some() {
        return Ok(());
    }
    let mut known: Vec<String> = files.profiles().map(str::to_owned).collect();
    known.sort();
    Err(LoginError::NoProfile {
        name: profile.to_owned(),
        known,
    })
}

/// Settings for one set of credentials.
async fn config(profile: Option<&str>, accounts: &Accounts, http: &SharedHttpClient) -> SdkConfig {
    // The instance metadata service is not asked for a region: off AWS that costs seconds.
    let mut region = EnvironmentVariableRegionProvider::new().region().await;
    if region.is_none() {
        let mut builder = ProfileFileRegionProvider::builder();
        if let Some(profile) = profile {
            builder = builder.profile_name(profile);
        }
        region = builder.build().region().await;
    }
    let region = region.unwrap_or_else(|| Region::from_static(DEFAULT_REGION));
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http.clone())
        .region(region.clone())
        .retry_config(
            RetryConfig::adaptive()
                .with_max_attempts(ATTEMPTS)
                .with_initial_backoff(FIRST_PAUSE)
                .with_max_backoff(LONGEST_PAUSE),
        )
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT)
                .read_timeout(READ)
                .operation_timeout(CALL)
                .build(),
        );
    if let Ok(name) = AppName::new("overstay") {
        loader = loader.app_name(name);
    }
    if let Some(url) = &accounts.aws_endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(profile) = profile {
        // A profile that was named comes before credentials of the environment.
        let settings = ProviderConfig::default()
            .with_http_client(http.clone())
            .with_region(Some(region));
        let provider = ProfileFileCredentialsProvider::builder()
            .configure(&settings)
            .profile_name(profile)
            .build();
        loader = loader.profile_name(profile).credentials_provider(provider);
    }
    loader.load().await
}

/// The client for HTTP: through the proxy of the environment, trusting what the system trusts and AWS_CA_BUNDLE.
fn client() -> SharedHttpClient {
    let mut trust = TrustStore::default();
    let bundle = environment::variable("AWS_CA_BUNDLE");
    if let Some(pem) = bundle
        .as_deref()
        .and_then(|path: &Path| std::fs::read(path).ok())
    {
        trust = trust.with_pem_certificate(pem);
    }
    let context = TlsContext::builder().with_trust_store(trust).build().ok();
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut builder = Connector::builder()
            .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
            .proxy_config(ProxyConfig::from_env());
        if let Some(context) = &context {
            builder = builder.tls_context(context.clone());
        }
        if let Some(settings) = settings {
            builder.set_connector_settings(Some(settings.clone()));
        }
        if let Some(components) = components {
            builder.set_sleep_impl(components.sleep_impl());
        }
        builder.build()
    })
}
