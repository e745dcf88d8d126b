//! Scripts and queries: revocation, kill switch, negative test, monitoring, rollback.

use super::Made;
use super::facts::Facts;
use super::text::{comment, comments, escape_for, placeholder, shell, whole};
use crate::model::{ArtefactKind, Disposition};
use crate::rules::artefacts::{Artefacts, fits};
use std::fmt::Write as _;

/// Words of the catalogue's commands that a person replaces, and the placeholders they are here.
const WORDS: &[(&str, &str)] = &[
    ("ACCOUNT_ID", "account"),
    ("APPSYNC_API", "appsync_api"),
    ("APP_ID", "client_id"),
    ("ASSOCIATION_ID", "association_id"),
    ("AUDIENCE", "token_audience"),
    ("AZURE_RESOURCE", "azure_resource"),
    ("BINDING", "binding"),
    ("CLUSTER", "cluster"),
    ("CREDENTIAL_ID", "federated_credential_id"),
    ("CREDENTIAL_ID_OF_SERVICE", "service_credential_id"),
    ("DATABASE", "database"),
    ("DATABASE_USER", "database_user"),
    ("DEPLOY_KEY", "deploy_key"),
    ("ENVIRONMENT", "environment"),
    ("FUNCTION", "function"),
    ("GITLAB_HOST", "gitlab_host"),
    ("INSTANCE_ASSOCIATION_ID", "instance_association_id"),
    ("INSTANCE_ID", "instance_id"),
    ("KEY_ID", "key_id"),
    ("KEY_NAME", "key_name"),
    ("NAME", "name"),
    ("NAMESPACE", "namespace"),
    ("NEW_TOKEN_ID", "new_token_id"),
    ("OPENAI_PROJECT", "openai_project"),
    ("OWNER", "owner"),
    ("POD", "pod"),
    ("POOL", "pool"),
    ("PROFILE_ID", "profile_id"),
    ("PROJECT", "gcp_project"),
    ("PROJECT_NUMBER", "gitlab_project_number"),
    ("REPO", "repository"),
    ("RESOURCE_GROUP", "resource_group"),
    ("ROLE_ARN", "role_arn"),
    ("ROLE_NAME", "role"),
    ("ROLE_OF_VAULT", "vault_role"),
    ("RUN_ID", "run_id"),
    ("SECRET_NAME", "secret_name"),
    ("SERVICE_ACCOUNT", "service_account"),
    ("SERVICE_ACCOUNT_EMAIL", "service_account_email"),
    ("TASK", "task"),
    ("TOKEN_ACCESSOR", "token_accessor"),
    ("TOKEN_ID", "token_id"),
    ("TOKEN_NAME", "token_name"),
    ("USER_NAME", "user"),
    ("WORKLOAD", "azure_resource"),
];

/// How every script begins: it does nothing while something is left to be filled in.
pub(super) fn script(what: &str, body: &str) -> String {
    format!(
        "#!/usr/bin/env bash\n{}set -euo pipefail\n# Nothing is done while something has to be filled in.\nif grep -q '__[A-Z][A-Z_]*__' \"$0\"; then\n  echo \"fill in the placeholders first: README.md lists them\" >&2\n  exit 2\nfi\n\n{}\n",
        comments(what),
        body.trim_matches('\n')
    )
}

/// A command of the catalogue; words in capitals become values that are known, or placeholders.
pub(super) fn command(facts: &Facts<'_>, text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    let mut before = ' ';
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        let known = WORDS
            .iter()
            .find(|(name, _)| *name == word)
            .filter(|_| before != '$');
        match known {
            Some((_, name)) => match facts.values.get(name) {
                Some(value) => out.push_str(&shell(value)),
                None => out.push_str(&placeholder(name)),
            },
            None => out.push_str(&word),
        }
        word.clear();
        out.push(c);
        before = c;
    }
    let text = out.trim_end().to_owned();
    let statement = ["ALTER ", "DROP ", "REVOKE ", "GRANT "]
        .iter()
        .any(|verb| text.starts_with(verb));
    if statement {
        return format!(
            "psql \"${{DATABASE_URL:?export the connection string of an administrator}}\" --command {}",
            shell(&text)
        );
    }
    text
}

/// Files of the data that fit the item, the first of each name.
pub(super) fn templates(facts: &Facts<'_>, data: &Artefacts, migrates: bool, made: &mut Vec<Made>) {
    let mut paths: Vec<&str> = Vec::new();
    for file in &data.files {
        let has = |names: &[String]| {
            names
                .iter()
                .all(|name| facts.values.contains_key(name.as_str()))
        };
        let operating = matches!(
            file.kind,
            ArtefactKind::KillSwitch | ArtefactKind::MonitoringQuery
        );
        let fit = fits(&file.targets, &facts.item.mechanism)
            && fits(&file.systems, &facts.system)
            && (file.runtimes.is_empty()
                || facts
                    .values
                    .get("runtime")
                    .is_some_and(|runtime| fits(&file.runtimes, runtime)))
            && has(&file.needs)
            && (migrates || operating)
            && (migrates || file.targets.is_empty());
        if !fit || paths.contains(&file.path.as_str()) {
            continue;
        }
        paths.push(&file.path);
        let text = facts.fill(&file.text, escape_for(&file.path));
        let script_file = file.path.rsplit('.').next() == Some("sh");
        let text = if script_file {
            script(&file.description, &text)
        } else {
            format!("{}\n", text.trim_matches('\n'))
        };
        made.push(Made::new(
            file.path.clone(),
            file.kind,
            file.description.clone(),
            text,
        ));
    }
}

/// Goes back.
pub(super) fn rollback(facts: &Facts<'_>) -> Made {
    let item = facts.item;
    let mut body = comments(&item.rollback);
    let leaked = item.disposition == Disposition::RevokeNow;
    match &facts.reactivate {
        Some(text) if !leaked => {
            body.push_str(&command(facts, &whole(text)));
            body.push('\n');
        }
        _ if leaked => body.push_str(
            "echo \"a credential that others may have is never switched on again: give its consumers a new one\" >&2\n",
        ),
        _ => body.push_str(
            "echo \"put back what was kept before the change: the old trust, policies and files\" >&2\n",
        ),
    }
    if let Some(user) = facts.values.get("user").filter(|_| facts.keeps_credential) {
        let _ = write!(body, "\nuser={}\n{}", shell(user), super::keep::BACK);
    }
    if facts.trust.is_some() {
        let role = facts.fill("⟦role⟧", shell);
        let _ = write!(
            body,
            "\n{}if [ -f trust-before.json ]; then\n  aws iam update-assume-role-policy --role-name {role} --policy-document file://trust-before.json\nfi\n",
            comments(
                "Keep today's trust before anything is changed: aws iam get-role --role-name NAME --query Role.AssumeRolePolicyDocument > trust-before.json"
            ),
        );
        if facts.keeps_role() {
            let _ = write!(
                body,
                "\n{}narrowed={role}\n{}",
                comments("What narrow.sh took off comes back."),
                super::narrow::BACK
            );
        }
        let elevated = facts.values.get("elevated_role");
        let roles = [Some(role), elevated.map(|role| shell(role))];
        let roles: Vec<String> = roles.into_iter().flatten().collect();
        let _ = write!(
            body,
            "{}roles=({})\nfor role in \"${{roles[@]}}\"; do\n  for policy in overstay-kill-switch revoke-older-sessions; do\n    if aws iam get-role-policy --role-name \"$role\" --policy-name \"$policy\" > /dev/null 2>&1; then\n      aws iam delete-role-policy --role-name \"$role\" --policy-name \"$policy\"\n    fi\n  done\ndone\n",
            comments(
                "After the kill switch or revoke.sh: the denials go; the trust of a role that this plan made comes back with `terraform apply`."
            ),
            roles.join(" ")
        );
    }
    if !facts.keeps_credential {
        body.push_str(&comment(
            "Pipelines: git apply --reverse the patches of this folder, or revert the commit.",
        ));
        body.push('\n');
    }
    Made::new(
        "rollback.sh",
        ArtefactKind::Rollback,
        "goes back to the old way, as long as it has not been deleted",
        script("Goes back to the old way.", &body),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_commands_leave_open_can_be_filled_in() {
        let targets = crate::rules::targets::Targets::builtin().unwrap();
        let mut open = std::collections::BTreeSet::new();
        for command in targets.commands() {
            // What the shell fills in is not left open, and what is asked for by `export` says so itself.
            let mut rest = command;
            let mut text = String::new();
            while let Some((before, after)) = rest.split_once("${") {
                text.push_str(before);
                rest = after.split_once('}').map_or("", |(_, rest)| rest);
            }
            text.push_str(rest);
            let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            open.extend(
                words
                    .filter(|word| {
                        let ends = [
                            "_ID",
                            "_NAME",
                            "_KEY",
                            "_USER",
                            "_RESOURCE",
                            "_NUMBER",
                            "_API",
                        ];
                        ends.iter().any(|end| word.ends_with(end))
                            && word.chars().all(|c| c.is_ascii_uppercase() || c == '_')
                    })
                    .map(str::to_owned),
            );
        }
        assert!(open.contains("AZURE_RESOURCE"), "{open:?}");
        open.retain(|word| !WORDS.iter().any(|(name, _)| name == word));
        assert!(open.is_empty(), "{open:?}");
    }

    #[test]
    fn what_is_to_be_filled_in_has_a_meaning() {
        let data = Artefacts::builtin().unwrap();
        // These are always known.
        let known = ["pool", "task"];
        let without: Vec<&str> = WORDS
            .iter()
            .map(|(_, name)| *name)
            .filter(|name| !data.placeholders.contains_key(*name) && !known.contains(name))
            .collect();
        assert_eq!(without, Vec::<&str>::new());
    }
}
