//! Commands and texts of the catalogue, filled with what the inventory knows.

use crate::jit::subject::{Subject, words};
use crate::jit::ttl;
use crate::model::{IdentityKind, Redacted, Ttl};
use std::collections::BTreeMap;

/// Values for the placeholders of one subject.
#[derive(Clone, Debug)]
pub struct Values(BTreeMap<&'static str, String>);

impl Values {
    /// Collects what is known of a subject; what is not stays a word in capitals that a person replaces.
    pub fn of(subject: &Subject<'_>, lifetime: &Ttl) -> Self {
        let mut values = BTreeMap::new();
        let mut put = |key: &'static str, value: Option<&str>, missing: &str| {
            values.insert(key, value.map_or_else(|| missing.to_owned(), clean));
        };
        let identity = subject.identity;
        let kind = |wanted| identity.filter(|identity| identity.kind == wanted);
        put(
            "user",
            kind(IdentityKind::IamUser).map(|i| i.name.as_str()),
            "USER_NAME",
        );
        put(
            "key_id",
            subject.credential.and_then(|c| c.public_id.as_deref()),
            "KEY_ID",
        );
        let role = kind(IdentityKind::IamRole);
        put("role", role.map(|i| i.name.as_str()), "ROLE_NAME");
        put("role_arn", role.map(|i| i.native_id.as_str()), "ROLE_ARN");
        put("account", subject.account(), "ACCOUNT_ID");
        let repositories = subject.repositories();
        let repository = match repositories.len() {
            1 => repositories.first().copied(),
            _ => None,
        };
        // A scan names repositories by their path below its root; the forge knows the last part.
        let repository =
            repository.map(|path| path.rsplit_once('/').map_or(path, |(_, name)| name));
        put("repository", repository, "REPO");
        let service_account = kind(IdentityKind::KubernetesServiceAccount);
        put(
            "service_account",
            service_account
                .map(|i| i.name.as_str())
                .or_else(|| stored_account(subject)),
            "SERVICE_ACCOUNT",
        );
        // A Secret is named by its own place, which is not that of the account whose token it holds.
        let stored = stored_secret(subject);
        let namespace = stored
            .map(|(namespace, _)| namespace)
            .or_else(|| service_account.and_then(|i| i.native_id.split(':').nth_back(1)));
        put("namespace", namespace, "NAMESPACE");
        put("secret_name", stored.map(|(_, name)| name), "SECRET_NAME");
        put("name", identity.map(|i| i.name.as_str()), "NAME");
        let address = kind(IdentityKind::GcpServiceAccount).and_then(|account| {
            let mut names = [&account.name, &account.native_id].into_iter();
            let address = names.find(|name| name.contains('@'))?;
            address.rsplit('/').next()
        });
        put("service_account_email", address, "SERVICE_ACCOUNT_EMAIL");
        if let Some(credential) = subject.credential {
            let known = Some(credential.provider.as_str())
                .filter(|issuer| !matches!(*issuer, "" | "generic" | "unknown"));
            put("issuer", known, "its issuer");
            put("type", Some(&credential.kind.replace('-', " ")), "");
            let shown = credential
                .public_id
                .as_deref()
                .or(credential.reference.as_deref())
                .or(credential.redacted.as_ref().map(Redacted::as_str));
            put("shown", shown, "the one that was found");
        }
        let task = subject
            .consumers
            .first()
            .map(|consumer| consumer.name.as_str())
            .or_else(|| identity.map(|identity| identity.name.as_str()));
        put("task", task.map(slug).as_deref(), "TASK");
        let lasts = lifetime
            .seconds
            .map_or_else(|| "the session has ended".to_owned(), ttl::human);
        put("ttl", Some(&lasts), "");
        let seconds = lifetime.seconds.unwrap_or(3600).to_string();
        put("ttl_seconds", Some(&seconds), "");
        Self(values)
    }

    /// Fills a command; values are quoted for a POSIX shell where they need it.
    pub fn command(&self, template: &str) -> String {
        self.fill(template, quote)
    }

    /// Fills a text for people.
    pub fn text(&self, template: &str) -> String {
        self.fill(template, str::to_owned)
    }

    /// One pass, so that a value that looks like a placeholder is left as it is.
    fn fill(&self, template: &str, show: impl Fn(&str) -> String) -> String {
        let mut out = String::with_capacity(template.len());
        let mut rest = template;
        while let Some(open) = rest.find('{') {
            let (before, from) = rest.split_at(open);
            out.push_str(before);
            let value = from
                .find('}')
                .and_then(|close| Some((from.get(1..close)?, from.get(close + 1..)?)))
                .and_then(|(key, after)| Some((self.0.get(key)?, after)));
            if let Some((value, after)) = value {
                out.push_str(&show(value));
                rest = after;
            } else {
                out.push('{');
                rest = from.get(1..).unwrap_or_default();
            }
        }
        out.push_str(rest);
        out
    }
}

/// Namespace and name of the Secret that holds a token: its reference reads `namespace/secret (token of account)`.
fn stored_secret<'a>(subject: &Subject<'a>) -> Option<(&'a str, &'a str)> {
    let credential = subject.credential?;
    let reference = credential.reference.as_deref()?;
    let (place, _) = reference.split_once(" (token of ")?;
    place
        .split_once('/')
        .filter(|_| credential.provider == "kubernetes")
}

/// The account whose token such a Secret holds.
fn stored_account<'a>(subject: &Subject<'a>) -> Option<&'a str> {
    stored_secret(subject)?;
    let reference = subject.credential?.reference.as_deref()?;
    let (_, account) = reference.split_once(" (token of ")?;
    account.strip_suffix(')')
}

/// Without control characters, which have no place in a command.
fn clean(value: &str) -> String {
    value
        .chars()
        .filter(|c| !c.is_control())
        .take(512)
        .collect()
}

fn quote(value: &str) -> String {
    let plain = !value.is_empty()
        && value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-./:@+=,%".contains(c))
        && !value.starts_with('-');
    if plain {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', r"'\''"))
    }
}

/// A name that every provider accepts: lower-case letters, digits and hyphens.
fn slug(name: &str) -> String {
    let stem = name.replace(".yml", "").replace(".yaml", "");
    let ordered: Vec<String> = stem
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let joined: String = ordered.join("-").chars().take(48).collect();
    if words(&joined).is_empty() {
        "task".to_owned()
    } else {
        joined
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(user: &str) -> Values {
        Values(BTreeMap::from([
            ("user", user.to_owned()),
            ("key_id", "K1".to_owned()),
        ]))
    }

    #[test]
    fn values_cannot_break_out_of_a_command() {
        let template = "aws iam x --user-name {user} --key {key_id} '{\"A\":{}}'";
        assert_eq!(
            values("deployer").command(template),
            "aws iam x --user-name deployer --key K1 '{\"A\":{}}'"
        );
        assert_eq!(
            values("a'; rm -rf /").command("x {user}"),
            r"x 'a'\''; rm -rf /'"
        );
        assert_eq!(values("--all").command("x {user}"), "x '--all'");
        assert_eq!(values("{key_id}").command("x {user}"), "x '{key_id}'");
        assert_eq!(values("é{").text("{user}{nothing} {"), "é{{nothing} {");
    }

    #[test]
    fn slugs_are_plain() {
        assert_eq!(slug("deploy.yml/Deploy to prod"), "deploy-deploy-to-prod");
        assert_eq!(slug("///"), "task");
    }
}
