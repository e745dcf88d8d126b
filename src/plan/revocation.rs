//! How the access of an item is ended: the credential of today, and what takes its place.

use super::PlanContext;
use super::commands::Values;
use crate::jit::subject::Subject;
use crate::rules::targets::{Disabling, Target};

/// One way to end an access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// A command of a shell or a statement of a database.
    Command(String),
    /// No command is known: what a person does.
    ByHand(String),
}

/// What of an item can be ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revocation {
    /// The credential of today.
    pub old: Option<Way>,
    /// Deletes it for good, where `old` only switches it off.
    pub delete: Option<String>,
    /// What the item sets up, or the access itself where there is no credential.
    pub new: Option<Way>,
}

/// How the credential of a subject is switched off. Root's keys are none of a user's.
pub fn disabling<'c>(context: &'c PlanContext<'_>, subject: &Subject<'_>) -> Option<&'c Disabling> {
    let credential = subject.credential?;
    let kind = if subject.root_key() {
        "aws-root-access-key"
    } else {
        subject.kind()
    };
    context.targets.disabling(kind, &credential.provider)
}

/// How the access of an item is ended; `issues` says whether something takes the place of the credential.
pub fn of(
    context: &PlanContext<'_>,
    subject: &Subject<'_>,
    issues: bool,
    values: &Values,
) -> Revocation {
    let entry = disabling(context, subject);
    let old =
        entry.map(
            |entry| match entry.deactivate.as_ref().or(entry.delete_command.as_ref()) {
                Some(command) => Way::Command(values.command(command)),
                None => Way::ByHand(values.text(entry.delete.as_deref().unwrap_or_default())),
            },
        );
    let delete = entry
        .filter(|entry| entry.deactivate.is_some())
        .and_then(|entry| entry.delete_command.as_deref())
        .map(|command| values.command(command));
    let issues = subject.credential.is_none() || issues && !subject.root_key();
    let new =
        subject
            .choice
            .target
            .filter(|_| issues)
            .map(|target| match command(target, subject) {
                Some(command) => Way::Command(values.command(command)),
                None => Way::ByHand(values.text(&target.revoke)),
            });
    // What ends both is run once.
    let new = new.filter(|new| old.as_ref() != Some(new));
    Revocation { old, delete, new }
}

/// The command of a target, for the one runtime where all consumers run.
fn command<'t>(target: &'t Target, subject: &Subject<'_>) -> Option<&'t String> {
    let mut runtimes = subject.consumers.iter().map(|one| one.runtime.as_str());
    let first = runtimes.next();
    first
        .filter(|first| runtimes.all(|other| other == *first))
        .and_then(|runtime| target.revoke_for.get(runtime))
        .or(target.revoke_command.as_ref())
}

impl Revocation {
    /// Everything as text that a shell takes: commands first, then what is done by hand as a comment.
    pub fn text(&self) -> Option<String> {
        let ways: Vec<&Way> = self.old.iter().chain(&self.new).collect();
        let mut commands: Vec<&str> = Vec::new();
        let mut by_hand: Vec<&str> = Vec::new();
        for way in ways {
            let (list, text) = match way {
                Way::Command(text) => (&mut commands, text.as_str()),
                Way::ByHand(text) => (&mut by_hand, text.as_str()),
            };
            if !text.is_empty() && !list.contains(&text) {
                list.push(text);
            }
        }
        let hand = match (commands.is_empty(), by_hand.is_empty()) {
            (_, true) => String::new(),
            (true, false) => format!("# No command ends it; by hand: {}", by_hand.join(" ")),
            (false, false) => format!("# By hand besides: {}", by_hand.join(" ")),
        };
        let text = [commands.join("\n"), hand];
        let text: Vec<&str> = text
            .iter()
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        (!text.is_empty()).then(|| text.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use crate::jit::fixtures::*;
    use crate::model::{ConsumerClass, IdentityKind, Storage};
    use crate::plan::artefacts::{Made, Maker};
    use crate::rules::credentials::CredentialRules;
    use std::collections::BTreeMap;

    /// The files of the only item of a credential that a job of `runtime` uses.
    fn files(kind: &str, provider: &str, runtime: &str) -> Vec<Made> {
        let mut world = World::new("");
        let found = credential(kind, provider);
        let mut job = consumer("deploy", ConsumerClass::Ci, runtime, "app");
        job.uses.credentials = vec![found.id.clone()];
        world.add_consumer(job);
        world.add_credential(found);
        let item = world.plan().remove(0);
        let context = world.context();
        Maker::new(&context).unwrap().item(&item)
    }

    fn text<'m>(made: &'m [Made], path: &str) -> &'m str {
        &made.iter().find(|file| file.path == path).unwrap().text
    }

    /// Lines of a script that do something about the credential of today.
    fn ends_old(script: &str) -> &str {
        let from = script.split_once("\nold() {\n");
        let part = from.and_then(|(_, rest)| rest.split_once("\n}\n"));
        part.map_or(script, |(part, _)| part)
    }

    #[test]
    fn whatever_is_found_wherever_it_is_used_the_script_ends_the_old_credential() {
        let rules = CredentialRules::builtin().unwrap();
        let kinds: BTreeMap<&str, &str> = rules
            .rules()
            .iter()
            .map(|rule| (rule.credential_type.as_str(), rule.provider.as_str()))
            .collect();
        let tool = [
            "atlas ",
            "aws ",
            "az ",
            "curl ",
            "databricks ",
            "docker ",
            "doctl ",
            "fly ",
            "gcloud ",
            "gh ",
            "heroku ",
            "kubeadm ",
            "kubectl ",
            "linode-cli ",
            "mongosh ",
            "mysql ",
            "npm ",
            "psql ",
            "pscale ",
            "rabbitmqctl ",
            "redis-cli ",
            "snow ",
            "sqlcmd ",
            "twilio ",
            "vault ",
            "GH_TOKEN=",
            "VAULT_TOKEN=",
            "echo 'by hand: ",
        ];
        for runtime in ["github-actions", "unknown"] {
            let mut world = World::new("");
            for (kind, provider) in &kinds {
                let found = credential(kind, provider);
                let mut job = consumer(&format!("use {kind}"), ConsumerClass::Ci, runtime, "app");
                job.uses.credentials = vec![found.id.clone()];
                world.add_consumer(job);
                world.add_credential(found);
            }
            let plan = world.plan();
            assert!(plan.len() > kinds.len() / 2, "{}", plan.len());
            let context = world.context();
            let maker = Maker::new(&context).unwrap();
            for item in &plan {
                let made = maker.item(item);
                let old = ends_old(text(&made, "revoke.sh"));
                let acts = old.lines().any(|line| {
                    let line = line.trim_start();
                    tool.iter().any(|tool| line.starts_with(tool)) && line.len() > 20
                });
                assert!(acts, "{} in {runtime}: {old}", item.title);
            }
        }
    }

    #[test]
    fn what_takes_its_place_ends_apart_from_the_old_credential() {
        for (kind, provider, runtime, old, new) in [
            (
                "azure-client-secret",
                "azure",
                "github-actions",
                "az ad app credential delete",
                "az ad app federated-credential delete",
            ),
            (
                "github-pat",
                "github",
                "github-actions",
                "credentials/revoke",
                "gh run cancel",
            ),
            (
                "npm-token",
                "npm",
                "github-actions",
                "npm token revoke",
                "by hand: Remove the publisher",
            ),
            (
                "aws-access-key",
                "aws",
                "circleci",
                "aws iam update-access-key",
                "revoke-older-sessions",
            ),
        ] {
            let made = files(kind, provider, runtime);
            let script = text(&made, "revoke.sh");
            let part = ends_old(script);
            assert!(
                part.contains(old) && !part.contains(new),
                "{kind}: {script}"
            );
            assert!(script.contains(new), "{kind}: {script}");
        }
        let made = files("database-password", "mysql", "unknown");
        assert!(text(&made, "revoke.sh").contains("ACCOUNT LOCK"));
    }

    #[test]
    fn root_gets_what_reaches_root() {
        let mut world = World::new("");
        let mut root = admin(crate::model::Identity::named(
            "aws",
            IdentityKind::AwsRoot,
            "root",
            "arn:aws:iam::111122223333:root",
            crate::model::Grade::A,
        ));
        root.account = Some("111122223333".to_owned());
        let mut key = access_key(&root);
        key.storage = Storage::NotSeen;
        world.add_identity(root);
        world.add_credential(key);
        let item = world.plan().remove(0);
        assert!(item.revocation_triggers.is_empty(), "{item:?}");
        let commands: Vec<&str> = item
            .steps
            .iter()
            .filter_map(|step| step.command.as_deref())
            .chain(item.revoke_command.as_deref())
            .collect();
        assert!(
            commands.iter().all(|text| !text.contains("--user-name")),
            "{commands:?}"
        );
        let context = world.context();
        let made = Maker::new(&context).unwrap().item(&item);
        for file in &made {
            for wrong in ["--user-name", "put-user-policy", "__ROLE__", "__USER__"] {
                assert!(!file.text.contains(wrong), "{}: {}", file.path, file.text);
            }
        }
        assert!(text(&made, "revoke.sh").contains("sts assume-root"));
        assert!(text(&made, "kill-switch.sh").contains("SERVICE_CONTROL_POLICY"));
        assert!(text(&made, "monitoring.sql").contains("userIdentity.type = 'Root'"));
    }
}
