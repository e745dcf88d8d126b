//! Who made a call, and who asked for a session.

use super::event::text;
use serde::Deserialize;

/// `userIdentity`, as far as it is needed.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct UserIdentity {
    #[serde(rename = "type", deserialize_with = "text")]
    pub(super) kind: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) principal_id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) arn: Option<String>,
    #[serde(rename = "accountId", deserialize_with = "text")]
    pub(super) account: Option<String>,
    #[serde(rename = "accessKeyId", deserialize_with = "text")]
    pub(super) key: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) user_name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) invoked_by: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) identity_provider: Option<String>,
    pub(super) session_context: Option<SessionContext>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SessionContext {
    session_issuer: Option<Issuer>,
    #[serde(deserialize_with = "text")]
    source_identity: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Issuer {
    #[serde(deserialize_with = "text")]
    arn: Option<String>,
}

/// A principal of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Who {
    /// ARN of the user, role or root user.
    pub(super) arn: String,
    pub(super) account: Option<String>,
    /// Long-lived key.
    pub(super) key: Option<String>,
    /// Temporary key.
    pub(super) session: Option<String>,
    /// Name of a role's session.
    pub(super) session_name: Option<String>,
    pub(super) source_identity: Option<String>,
}

/// Twelve digits.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_key(text: &str, prefix: &str) -> bool {
    (16..=128).contains(&text.len())
        && text.starts_with(prefix)
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// An ARN of IAM, short and without characters that no name has.
fn is_principal(arn: &str) -> bool {
    arn.starts_with("arn:")
        && arn.len() <= 700
        && !arn.contains(|c: char| c.is_control() || c == ' ')
}

/// The principal behind a call; `None` for AWS itself, other accounts, and people of a directory.
pub(super) fn of(identity: &UserIdentity) -> Option<Who> {
    let context = identity.session_context.as_ref();
    let issuer = context
        .and_then(|context| context.session_issuer.as_ref())
        .and_then(|issuer| issuer.arn.clone());
    let own = identity.arn.clone();
    let arn = match identity.kind.as_deref()? {
        "IAMUser" | "Root" => own?,
        "AssumedRole" => issuer.or_else(|| role_of(own.as_deref()?))?,
        "FederatedUser" => issuer?,
        _ => return None,
    };
    if !is_principal(&arn) {
        return None;
    }
    let key = identity.key.as_deref().unwrap_or_default();
    let session_name = (identity.kind.as_deref() == Some("AssumedRole"))
        .then(|| {
            let id = identity.principal_id.as_deref()?;
            Some(short(id.split_once(':')?.1))
        })
        .flatten();
    Some(Who {
        account: account_of(&arn)
            .map(str::to_owned)
            .or_else(|| identity.account.clone())
            .filter(|account| is_account(account)),
        key: is_key(key, "AKIA").then(|| key.to_owned()),
        session: is_key(key, "ASIA").then(|| key.to_owned()),
        session_name,
        source_identity: context
            .and_then(|context| context.source_identity.clone())
            .map(|name| short(&name)),
        arn,
    })
}

/// Account an ARN names.
pub(super) fn account_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|account| is_account(account))
}

/// The role of a session's ARN. Its path is not in it.
fn role_of(session: &str) -> Option<String> {
    let mut parts = session.splitn(6, ':');
    let (arn, partition) = (parts.next()?, parts.next()?);
    let account = parts.nth(2)?;
    let name = parts
        .next()?
        .strip_prefix("assumed-role/")?
        .split('/')
        .next()?;
    Some(format!("{arn}:{partition}:iam::{account}:role/{name}"))
}

/// A federated subject with its issuer.
pub(super) fn subject(issuer: &str, subject: &str) -> String {
    let issuer = issuer
        .rsplit_once("oidc-provider/")
        .map_or(issuer, |(_, host)| host);
    let (issuer, subject) = (short(issuer), short(subject));
    if issuer.is_empty() {
        subject
    } else {
        format!("{subject} of {issuer}")
    }
}

/// Kind and name of who asked for a session.
pub(super) fn caller(identity: &UserIdentity) -> Option<(String, String)> {
    let named = |kind: &str, name: String| Some((kind.to_owned(), name));
    match identity.kind.as_deref()? {
        "WebIdentityUser" => named(
            "oidc",
            subject(
                identity.identity_provider.as_deref().unwrap_or_default(),
                identity.user_name.as_deref().unwrap_or_default(),
            ),
        ),
        "SAMLUser" => named(
            "saml",
            subject(
                identity.identity_provider.as_deref().unwrap_or_default(),
                identity.user_name.as_deref().unwrap_or_default(),
            ),
        ),
        "AWSService" => named("service", short(identity.invoked_by.as_deref()?)),
        "AWSAccount" => named("account", short(identity.account.as_deref()?)),
        _ => {
            let who = of(identity)?;
            let arn = who.arn;
            named(
                "principal",
                who.key
                    .map_or_else(|| arn.clone(), |key| format!("{arn} with {key}")),
            )
        }
    }
}

/// Text of an event as it may stand in a report: short, without control characters.
pub(super) fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(160).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(json: &serde_json::Value) -> UserIdentity {
        serde_json::from_value(json.clone()).unwrap_or_default()
    }

    fn parse(json: &str) -> UserIdentity {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn sessions_are_their_roles() {
        let with = parse(
            r#"{"type":"AssumedRole","principalId":"AROA1:run-7","arn":"arn:aws:sts::111122223333:assumed-role/deploy/run-7","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE123456","sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::111122223333:role/ci/deploy"},"sourceIdentity":"ann"}}"#,
        );
        let who = of(&with).unwrap();
        assert_eq!(who.arn, "arn:aws:iam::111122223333:role/ci/deploy");
        assert_eq!(who.session_name.as_deref(), Some("run-7"));
        assert_eq!(who.source_identity.as_deref(), Some("ann"));
        assert_eq!(
            (who.key, who.session.as_deref()),
            (None, Some("ASIAEXAMPLE123456"))
        );
        let without = parse(
            r#"{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/deploy/run-7"}"#,
        );
        assert_eq!(
            of(&without).unwrap().arn,
            "arn:aws:iam::111122223333:role/deploy"
        );
    }

    #[test]
    fn others_are_no_principals_but_callers() {
        for (json, caller_is) in [
            (
                r#"{"type":"AWSService","invokedBy":"lambda.amazonaws.com"}"#,
                ("service", "lambda.amazonaws.com"),
            ),
            (
                r#"{"type":"AWSAccount","accountId":"444455556666","principalId":"AROA2:x"}"#,
                ("account", "444455556666"),
            ),
            (
                r#"{"type":"WebIdentityUser","userName":"repo:acme/site:ref:refs/heads/main","identityProvider":"arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com"}"#,
                (
                    "oidc",
                    "repo:acme/site:ref:refs/heads/main of token.actions.githubusercontent.com",
                ),
            ),
        ] {
            let identity = parse(json);
            assert_eq!(of(&identity), None);
            let (kind, name) = caller(&identity).unwrap();
            assert_eq!((kind.as_str(), name.as_str()), caller_is);
        }
        assert_eq!(
            of(&identity(&serde_json::json!({"type": 3, "arn": []}))),
            None
        );
    }
}
