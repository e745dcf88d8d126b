//! What can go wrong with a call, told apart by what somebody can do about it. Texts of servers are not passed on.

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// Why a call gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trouble {
    /// The caller may not.
    Denied {
        /// Account of the caller, where the refusal names it.
        account: Option<String>,
    },
    /// The thing asked for does not exist.
    Missing,
    /// The server does not have the call, or always fails on it.
    Unavailable(String),
    /// Still told to slow down after every attempt.
    Throttled,
    /// The credentials are not, or no longer, valid.
    Credentials(String),
    /// No answer.
    Unreachable(String),
    /// The account is not part of an organization.
    NoOrganization,
    /// The collection was stopped.
    Stopped,
}

impl Trouble {
    /// Nothing else that is asked of this account will be answered either.
    pub(super) fn ends(&self) -> bool {
        matches!(
            self,
            Self::Credentials(_) | Self::Unreachable(_) | Self::Stopped
        )
    }
}

/// Codes by which AWS refuses.
const DENIED: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "AccessDeniedForDependencyException",
    "UnauthorizedOperation",
    "NotAuthorized",
    "AuthorizationError",
];
/// Codes that say the credentials are at fault.
const CREDENTIALS: &[(&str, &str)] = &[
    ("ExpiredToken", "they have expired"),
    ("ExpiredTokenException", "they have expired"),
    (
        "RequestExpired",
        "they have expired, or this machine's clock is wrong",
    ),
    ("InvalidClientTokenId", "AWS does not know them"),
    ("UnrecognizedClientException", "AWS does not know them"),
    ("InvalidAccessKeyId", "AWS does not know them"),
    ("InvalidToken", "their session token is not valid"),
    (
        "SignatureDoesNotMatch",
        "the secret key does not belong to the key id",
    ),
    (
        "InvalidSignatureException",
        "the secret key does not belong to the key id",
    ),
    (
        "IncompleteSignature",
        "the secret key does not belong to the key id",
    ),
    ("AuthFailure", "AWS does not accept them"),
    ("MissingAuthenticationToken", "AWS does not accept them"),
    ("OptInRequired", "the account is not active"),
];
/// Codes of servers that are asked too often.
const THROTTLED: &[&str] = &[
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "SlowDown",
    "PriorRequestNotComplete",
    "LimitExceededException",
];

/// Tells an error of the SDK.
pub(super) fn of<E>(error: &SdkError<E, HttpResponse>) -> Trouble
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match error {
        SdkError::ServiceError(answer) => {
            let status = answer.raw().status().as_u16();
            of_answer(
                status,
                answer.err().code().unwrap_or_default(),
                answer.err().message().unwrap_or_default(),
            )
        }
        SdkError::ResponseError(answer) => {
            let status = answer.raw().status().as_u16();
            // Some servers write the error in another language than the service's, and its code into a header.
            let code = answer.raw().headers().get("x-amzn-errortype");
            match (status, code) {
                (_, Some(code)) => of_answer(status, code.split(':').next().unwrap_or(code), ""),
                (403 | 401, None) => Trouble::Denied { account: None },
                (404, None) => Trouble::Unavailable("answered 404".to_owned()),
                (429, None) => Trouble::Throttled,
                (500.., None) => Trouble::Unavailable(format!("answered {status}")),
                _ => broken(&DisplayErrorContext(error).to_string()),
            }
        }
        SdkError::TimeoutError(_) => Trouble::Unreachable("no answer in time".to_owned()),
        other => of_chain(&DisplayErrorContext(other).to_string()),
    }
}

fn of_answer(status: u16, code: &str, message: &str) -> Trouble {
    if DENIED.contains(&code) {
        return Trouble::Denied {
            account: account_in(message),
        };
    }
    if let Some((_, why)) = CREDENTIALS.iter().find(|(known, _)| *known == code) {
        return Trouble::Credentials((*why).to_owned());
    }
    if THROTTLED.contains(&code) || status == 429 {
        return Trouble::Throttled;
    }
    match (code, status) {
        (
            "NoSuchEntity"
            | "NoSuchEntityException"
            | "ParentNotFoundException"
            | "PolicyNotFoundException",
            _,
        ) => Trouble::Missing,
        ("AWSOrganizationsNotInUseException", _) => Trouble::NoOrganization,
        ("", 401 | 403) => Trouble::Denied { account: None },
        ("", _) => Trouble::Unavailable(format!("answered {status}")),
        (code, _) => Trouble::Unavailable(format!("answered {status} {}", plain(code))),
    }
}

/// Tells an error that came before any answer by the words of its causes.
fn of_chain(text: &str) -> Trouble {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if let Some((_, why)) = CREDENTIALS.iter().find(|(code, _)| text.contains(code)) {
        return Trouble::Credentials((*why).to_owned());
    }
    if has(&[
        "the credential provider was not enabled",
        "no providers in chain",
        "CredentialsNotLoaded",
    ]) {
        return Trouble::Credentials("there are none".to_owned());
    }
    if has(&[
        "CredentialsProvider",
        "ProviderError",
        "CredentialsError",
        "credentials",
    ]) && has(&["ProviderError", "InvalidConfiguration"])
    {
        return Trouble::Credentials("they could not be renewed".to_owned());
    }
    Trouble::Unreachable(reach(text).to_owned())
}

/// An answer that could not be read: cut off, or not of AWS.
fn broken(text: &str) -> Trouble {
    match reach(text) {
        NO_CONNECTION => Trouble::Unavailable("gave an answer that is not AWS's".to_owned()),
        why => Trouble::Unreachable(why.to_owned()),
    }
}

/// What is said when nothing tells more.
const NO_CONNECTION: &str = "no connection";

/// Why nothing was reached, in words.
fn reach(text: &str) -> &'static str {
    let has = |word: &str| text.contains(word);
    if has("onnection refused") || has("ConnectionRefused") {
        "the connection was refused"
    } else if has("dns error") || has("failed to lookup") || has("resolve") || has("Resolve") {
        "the name of the server is not known"
    } else if has("ertificate") {
        "the certificate of the server is not trusted"
    } else if has("imed out") || has("timeout") || has("Timeout") {
        "no answer in time"
    } else if has("reset")
        || has("closed")
        || has("incomplete")
        || has("Incomplete")
        || has("eof")
        || has("end of file")
    {
        "the connection was lost"
    } else {
        NO_CONNECTION
    }
}

/// Why credentials could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoCredentials {
    /// Nothing gives any.
    Absent,
    /// They, or those they are made of, have expired.
    Expired,
    /// The role may not be assumed.
    Refused,
    /// The profile is not complete or leads nowhere.
    Profile,
    /// Those the role is assumed with are not valid.
    Invalid(&'static str),
    /// The server that gives them cannot be reached.
    Unreachable(&'static str),
    /// Anything else.
    Other,
}

/// Tells an error of a provider of credentials.
pub(super) fn of_credentials(error: &CredentialsError) -> NoCredentials {
    let text = DisplayErrorContext(error).to_string();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if DENIED.iter().any(|code| text.contains(code)) {
        return NoCredentials::Refused;
    }
    if has(&["ExpiredToken", "SSO token", "expired", "Expired"]) {
        return NoCredentials::Expired;
    }
    if let Some((_, why)) = CREDENTIALS.iter().find(|(code, _)| text.contains(code)) {
        return NoCredentials::Invalid(why);
    }
    match error {
        CredentialsError::CredentialsNotLoaded(_) => NoCredentials::Absent,
        CredentialsError::InvalidConfiguration(_) => NoCredentials::Profile,
        CredentialsError::ProviderTimedOut(_) => NoCredentials::Unreachable("no answer in time"),
        // The last of the usual places is the machine's own metadata, which nothing but a machine of AWS has.
        _ if has(&["Ec2InstanceMetadata", "ImdsError", "imds", "IMDS"]) => NoCredentials::Absent,
        _ if has(&["DispatchFailure", "ConnectorError", "dispatch failure"]) => {
            NoCredentials::Unreachable(reach(&text))
        }
        _ if has(&["ProfileFile", "profile"]) => NoCredentials::Profile,
        _ => NoCredentials::Other,
    }
}

/// The account in the ARN a refusal names its caller by.
fn account_in(message: &str) -> Option<String> {
    message
        .split_whitespace()
        .filter(|word| word.starts_with("arn:"))
        .find_map(|arn| {
            let account = arn.split(':').nth(4)?;
            (account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| account.to_owned())
        })
}

/// A code as it may be shown.
fn plain(code: &str) -> String {
    code.chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
        .take(64)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_by_their_code() {
        let denied =
            "User: arn:aws:iam::111122223333:user/ann is not authorized to perform: iam:ListUsers";
        assert_eq!(
            of_answer(403, "AccessDenied", denied),
            Trouble::Denied {
                account: Some("111122223333".into())
            }
        );
        assert_eq!(of_answer(400, "Throttling", ""), Trouble::Throttled);
        assert_eq!(of_answer(404, "NoSuchEntity", ""), Trouble::Missing);
        assert_eq!(of_answer(403, "", ""), Trouble::Denied { account: None });
        assert!(of_answer(403, "ExpiredToken", "").ends());
        assert_eq!(
            of_answer(500, "Internal<script>", ""),
            Trouble::Unavailable("answered 500 Internalscript".into())
        );
    }

    #[test]
    fn what_was_not_reached_is_told_by_its_cause() {
        for (text, why) in [
            (
                "tcp connect error: Connection refused (os error 111)",
                "the connection was refused",
            ),
            (
                "dns error: failed to lookup address information",
                "the name of the server is not known",
            ),
            (
                "invalid peer certificate: UnknownIssuer",
                "the certificate of the server is not trusted",
            ),
            (
                "connection closed before message completed",
                "the connection was lost",
            ),
        ] {
            assert_eq!(of_chain(text), Trouble::Unreachable(why.into()));
        }
    }
}
