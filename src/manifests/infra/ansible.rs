//! Ansible playbooks and task files: the cloud identities tasks make, schedules they set, secrets they ask for by name.

use super::super::clean::clean;
use super::super::context::Context;
use super::super::names::{Names, Use};
use super::super::node::{Node, Value};
use super::cloud::Unit;
use super::draft::{Declared, Draft, Holder, Principal};
use super::names::iam_arn;
use super::value::{Val, open, unmarked};
use crate::model::{
    Consumer, ConsumerClass, ConsumerId, Declarations, Evidence, Federation, Grade,
    UNKNOWN_ACCOUNT, Uses,
};

/// Most tasks of one file.
const MAX_TASKS: usize = 5_000;
/// Deepest nesting of blocks.
const MAX_DEPTH: usize = 12;

/// Whether a document is a playbook: a list of plays.
pub(in super::super) fn is_playbook(root: &Node) -> bool {
    root.items().iter().any(|play| {
        play.get("hosts").is_some()
            && [
                "tasks",
                "roles",
                "pre_tasks",
                "post_tasks",
                "handlers",
                "vars",
            ]
            .iter()
            .any(|part| play.get(part).is_some())
    })
}

/// Whether a path is that of tasks of a role.
pub(in super::super) fn is_tasks(uri: &str) -> bool {
    ["/tasks/", "/handlers/"]
        .iter()
        .any(|part| uri.contains(part))
        || uri.starts_with("tasks/")
        || uri.starts_with("handlers/")
}

/// Whether a text may be a playbook or tasks.
pub(in super::super) fn interesting(uri: &str, bytes: &[u8]) -> bool {
    let has = |what: &str| memchr::memmem::find(bytes, what.as_bytes()).is_some();
    (has("hosts:") && (has("tasks:") || has("roles:"))) || (is_tasks(uri) && has("name:"))
}

/// Reads a playbook or a file of tasks.
pub(in super::super) fn read(context: &Context<'_>, root: &Node, out: &mut Declarations) {
    let unit = Unit {
        repository: context.repository,
        tool: "ansible",
        name: context.uri,
    };
    let mut book = Book {
        context,
        draft: Draft::new(UNKNOWN_ACCOUNT),
        left: MAX_TASKS,
    };
    if is_playbook(root) {
        for play in root
            .items()
            .iter()
            .filter(|play| play.get("hosts").is_some())
        {
            book.play(play, out);
        }
    } else {
        for task in root.items() {
            book.task(task, 0);
        }
    }
    if !book.draft.is_empty() {
        let (stack, issued) = book.draft.finish(unit.repository, unit.tool, unit.name);
        out.stacks.push(stack);
        out.issued.extend(issued);
    }
}

struct Book<'c, 'a> {
    context: &'c Context<'a>,
    draft: Draft,
    left: usize,
}

impl Book<'_, '_> {
    fn play(&mut self, play: &Node, out: &mut Declarations) {
        let mut schedules = Vec::new();
        for part in ["pre_tasks", "tasks", "post_tasks", "handlers"] {
            for task in play.get(part).map(Node::items).unwrap_or_default() {
                self.task(task, 0);
                schedules.extend(schedule(task));
            }
        }
        let context = self.context;
        let hosts: Vec<&str> = play
            .get("hosts")
            .into_iter()
            .flat_map(Node::texts)
            .collect();
        let name = match play.text_at(&["name"]) {
            Some(name) => clean(name),
            None => format!("play on {}", clean(&hosts.join(", "))),
        };
        let id = ConsumerId::of(&["ansible", context.repository, context.uri, &name]);
        let mut names = Names::default();
        play.scalars("", &mut |key, node| {
            if let Some(text) = node.as_str() {
                named_secrets(context, key, text, node, &mut names);
            }
        });
        out.references
            .extend(names.references(context, "ansible-variables", &id));
        let mut evidence = vec![Evidence::new(Grade::B, "a play runs to completion")];
        for schedule in schedules {
            evidence.push(Evidence::new(
                Grade::B,
                format!("sets a cron job: {schedule}"),
            ));
        }
        out.consumers.push(Consumer {
            id,
            name,
            class: ConsumerClass::Batch,
            runtime: "ansible".to_owned(),
            repository: Some(context.repository.to_owned()),
            identity: None,
            schedule: None,
            timeout_seconds: None,
            evidence,
            federation: Federation::Unknown,
            uses: Uses::default(),
            risks: Vec::new(),
            location: Some(context.location(play.line, play.column)),
            environment: None,
        });
    }

    fn task(&mut self, task: &Node, depth: usize) {
        if self.left == 0 || depth > MAX_DEPTH {
            return;
        }
        self.left -= 1;
        for part in ["block", "rescue", "always"] {
            for inner in task.get(part).map(Node::items).unwrap_or_default() {
                self.task(inner, depth + 1);
            }
        }
        for (key, arguments) in task.entries() {
            let module = key.text.rsplit('.').next().unwrap_or(&key.text);
            if arguments.text_at(&["state"]) == Some("absent") {
                continue;
            }
            match module {
                "iam_role" => self.principal(Holder::Role, task, arguments),
                "iam_user" => self.principal(Holder::User, task, arguments),
                "iam_group" => self.principal(Holder::Group, task, arguments),
                "iam"
                    if matches!(
                        arguments.text_at(&["iam_type"]),
                        Some("user" | "role" | "group")
                    ) =>
                {
                    let holder = match arguments.text_at(&["iam_type"]) {
                        Some("user") => Holder::User,
                        Some("group") => Holder::Group,
                        _ => Holder::Role,
                    };
                    self.principal(holder, task, arguments);
                }
                "iam_policy" => self.policy(task, arguments),
                "iam_managed_policy" => self.managed(task, arguments),
                _ => {}
            }
        }
    }

    fn declared(&self, task: &Node, name: &str) -> Declared {
        Declared {
            address: format!(
                "task {}",
                task.text_at(&["name"])
                    .map_or_else(|| name.to_owned(), clean)
            ),
            location: self.context.location(task.line, task.column),
            open: None,
        }
    }

    fn principal(&mut self, holder: Holder, task: &Node, arguments: &Node) {
        let text = |name: &str| {
            arguments
                .get(name)
                .map(value)
                .and_then(|value| value.as_text())
        };
        let name = text("name")
            .or_else(|| text("role_name"))
            .unwrap_or_else(|| open("a name"));
        let mut principal = Principal::named(holder, name.clone());
        principal.path = text("path").or_else(|| text("path_prefix"));
        principal.boundary = text("boundary");
        principal.description = arguments.text_at(&["description"]).map(clean);
        if let Some(trust) = arguments
            .get("assume_role_policy_document")
            .or_else(|| arguments.get("trust_policy"))
        {
            principal.trust = value(trust);
        } else {
            principal.trust = Val::open("assume_role_policy_document");
        }
        let declared = self.declared(task, &name);
        let place = declared.location.clone();
        self.draft.principal(declared, principal);
        for list in ["managed_policies", "managed_policy", "managed_policy_arns"] {
            for policy in arguments.get(list).into_iter().flat_map(Node::texts) {
                let policy = templated(policy);
                let arn = if policy.starts_with("arn:") {
                    policy
                } else {
                    iam_arn("aws", "policy", "/", &policy)
                };
                self.draft.attach(holder, &name, &arn, &place);
            }
        }
    }

    fn policy(&mut self, task: &Node, arguments: &Node) {
        let holder = match arguments.text_at(&["iam_type"]) {
            Some("user") => Holder::User,
            Some("group") => Holder::Group,
            _ => Holder::Role,
        };
        let text = |name: &str| {
            arguments
                .get(name)
                .map(value)
                .and_then(|value| value.as_text())
        };
        let (Some(target), Some(document)) = (text("iam_name"), arguments.get("policy_json"))
        else {
            return;
        };
        let name = text("policy_name").unwrap_or_default();
        let place = self.declared(task, &name).location;
        self.draft
            .inline(holder, &target, &name, &value(document), &place);
    }

    fn managed(&mut self, task: &Node, arguments: &Node) {
        let text = |name: &str| {
            arguments
                .get(name)
                .map(value)
                .and_then(|value| value.as_text())
        };
        let name = text("name").or_else(|| text("policy_name"));
        if let (Some(name), Some(document)) = (name, arguments.get("policy")) {
            let place = self.declared(task, &name).location;
            let arn = iam_arn(UNKNOWN_ACCOUNT, "policy", "/", &name);
            self.draft.policy(&arn, &name, &value(document), &place);
        }
    }
}

/// When a cron task runs what it sets up.
fn schedule(task: &Node) -> Option<String> {
    let (_, cron) = task
        .entries()
        .find(|(key, _)| key.text.rsplit('.').next() == Some("cron"))?;
    if let Some(special) = cron.text_at(&["special_time"]) {
        return Some(format!("@{}", clean(special)));
    }
    let field = |name: &str| cron.text_at(&[name]).map_or_else(|| "*".to_owned(), clean);
    cron.is_map().then(|| {
        ["minute", "hour", "day", "month", "weekday"]
            .map(field)
            .join(" ")
    })
}

/// A value whose templates are open.
fn value(node: &Node) -> Val {
    match &node.value {
        Value::Null => Val::Null,
        Value::Scalar { text, .. } => Val::Text(templated(text)),
        Value::List(items) => Val::list(items.iter().map(value).collect()),
        Value::Map(entries) => Val::map(
            entries
                .iter()
                .map(|(key, inner)| (unmarked(&key.text), value(inner)))
                .collect(),
        ),
    }
}

/// A text with `{{ … }}` marked as open.
fn templated(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(&unmarked(before));
        let (expression, tail) = after.split_once("}}").unwrap_or((after, ""));
        out.push_str(&open(expression.trim()));
        rest = tail;
    }
    out.push_str(&unmarked(rest));
    out
}

/// Names of secrets in `{{ … }}`: variables and `lookup('env', 'NAME')`. What is encrypted by a vault is left alone.
fn named_secrets(context: &Context<'_>, key: &str, text: &str, node: &Node, names: &mut Names) {
    let table = &context.tables.names;
    let mut add = |name: &str| {
        if !table.secret_like(name) {
            return;
        }
        names.add(
            name,
            Use {
                told: None,
                half: false,
                line: node.line,
                column: node.column,
            },
        );
    };
    if node.tag.as_deref() == Some("vault") || text.starts_with("$ANSIBLE_VAULT") {
        add(key);
        return;
    }
    for (at, _) in text.match_indices("{{") {
        let expression = text.get(at + 2..).unwrap_or_default();
        let expression = expression.split("}}").next().unwrap_or_default();
        for word in expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            add(word);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{declared, shown};

    #[test]
    fn plays_are_consumers_and_tasks_make_identities() {
        let vault = ["$ANSIBLE_", "VAULT;1.1;AES256"].concat();
        let out = declared(
            "site.yml",
            &format!(
                "- name: Deploy\n  hosts: web\n  vars:\n    db_password: !vault |\n      {vault}\n      3061\n  tasks:\n    - name: Role\n      community.aws.iam_role:\n        name: deploy-{{{{ env }}}}\n        assume_role_policy_document: {{Version: '2012-10-17', Statement: [{{Effect: Allow, Action: 'sts:AssumeRole', Principal: {{Service: ec2.amazonaws.com}}}}]}}\n        managed_policies: [AdministratorAccess]\n    - shell: deploy --token {{{{ lookup('env', 'API_TOKEN') }}}}\n"
            ),
        );
        let role = &out.stacks[0].account.roles[0];
        assert_eq!(
            (role.name.as_str(), role.location.line),
            ("deploy-<env>", Some(8))
        );
        assert_eq!(
            role.attached[0].arn,
            "arn:aws:iam::aws:policy/AdministratorAccess"
        );
        assert!(out.credentials.is_empty());
        insta::assert_snapshot!(shown(&out), @"
        1:3 Deploy | - - - | unknown
            13:14 ansible-variables API_TOKEN (?)
            5:7 ansible-variables db_password (database-password)
            B a play runs to completion
        ");
    }
}
