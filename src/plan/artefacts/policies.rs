//! Permission policies, boundary and session policy, from what was used.

use super::Made;
use super::facts::Facts;
use super::trust::pretty;
use crate::iam::matcher::matches_ignoring_case;
use crate::jit::subject::Subject;
use crate::model::{ArtefactKind, Disposition, PermissionLine, PlanItem};
use crate::rules::artefacts::Artefacts;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Longest managed policy, without white space.
const MANAGED: usize = 6_144;
/// Longest session policy, without white space.
const SESSION: usize = 2_048;

/// One permission policy.
pub(super) struct Permission {
    /// `baseline`, `elevated`, or nothing for all of it.
    pub(super) set: &'static str,
    /// Documents: several where one would be too large.
    pub(super) documents: Vec<Value>,
    /// What it is made from.
    pub(super) lines: Vec<PermissionLine>,
    /// What it is for.
    description: String,
}

/// Everything of one item.
#[derive(Default)]
pub(super) struct Documents {
    pub(super) permissions: Vec<Permission>,
    pub(super) boundary: Option<Value>,
    pub(super) session: Option<Value>,
    /// Actions that were used, with resources that events name.
    pub(super) used: BTreeMap<String, Vec<String>>,
    /// Kinds that are not there, and why.
    pub(super) missing: Vec<(String, String)>,
    /// What to know of them.
    pub(super) notes: Vec<String>,
}

/// What of an AWS principal's use becomes policy.
pub(super) fn documents(
    subject: &Subject<'_>,
    item: &PlanItem,
    facts: &Facts<'_>,
    data: &Artefacts,
) -> Documents {
    let mut out = Documents::default();
    let aws = subject
        .identity
        .is_some_and(|identity| identity.provider == "aws");
    let miss = |out: &mut Documents, what: &str, why: &str| {
        out.missing.push((what.to_owned(), why.to_owned()));
    };
    let Some(sets) = item.permissions.as_ref().filter(|_| aws) else {
        let why = if aws || item.mechanism.starts_with("aws-") {
            "nothing shows what it uses: scan with --cloudtrail or with last-accessed data, and make the plan again"
        } else {
            "what it may do is not written in policies of AWS: the steps name the scopes"
        };
        miss(
            &mut out,
            "permission policies, boundary and session policy",
            why,
        );
        return out;
    };
    for activity in &subject.activity {
        for action in activity.succeeded() {
            let held = out.used.entry(action.action.clone()).or_default();
            held.extend(action.resources.iter().take(3).cloned());
            held.sort();
            held.dedup();
        }
    }
    let hybrid = item.disposition == Disposition::Hybrid;
    let mut add = |set: &'static str, lines: Vec<PermissionLine>, description: &str| {
        if !lines.is_empty() {
            out.permissions.push(Permission {
                set,
                documents: split(&lines),
                lines,
                description: description.to_owned(),
            });
        }
    };
    if hybrid {
        add(
            "baseline",
            sets.baseline.clone(),
            "what the stable identity keeps: reads, its own logs and metrics",
        );
        add(
            "elevated",
            sets.elevated.clone(),
            "what is asked for task by task: writes, administration, secrets, other accounts",
        );
    } else {
        let all = sets
            .baseline
            .iter()
            .chain(&sets.elevated)
            .cloned()
            .collect();
        add("", all, "what it was seen using, and no more");
    }
    let usage = subject
        .identity
        .and_then(|identity| identity.privilege.usage.as_ref());
    if out.permissions.is_empty() {
        let smaller: Vec<Value> = usage
            .filter(|usage| usage.too_early.is_none())
            .into_iter()
            .flat_map(|usage| &usage.smaller)
            .flat_map(|policy| policy.documents.iter().cloned())
            .collect();
        if smaller.is_empty() {
            miss(
                &mut out,
                "permission policies",
                "no log names an action that it used, and last-accessed data gives no smaller policy yet",
            );
        } else {
            out.permissions.push(Permission {
                set: "",
                documents: smaller,
                lines: Vec::new(),
                description: "today's policies without what last-accessed data shows to be unused"
                    .to_owned(),
            });
        }
    }
    let mut services: BTreeSet<String> = out
        .used
        .keys()
        .filter_map(|action| Some(action.split_once(':')?.0.to_owned()))
        .collect();
    services.extend(
        usage
            .into_iter()
            .flat_map(|usage| usage.services_used.iter().cloned()),
    );
    let early = usage.and_then(|usage| usage.too_early.as_ref());
    // What nobody tracks may be in use.
    services.extend(
        usage
            .filter(|_| early.is_none())
            .into_iter()
            .flat_map(|usage| usage.services_untracked.iter().cloned()),
    );
    if let Some(early) = early.filter(|_| out.used.is_empty()) {
        let why = format!("nothing can be called unused yet: {early}");
        miss(&mut out, "permissions boundary", &why);
    } else if services.is_empty() {
        miss(
            &mut out,
            "permissions boundary",
            "no service is known to be used",
        );
    } else {
        let elevated = out
            .permissions
            .iter()
            .any(|one| one.set == "elevated")
            .then(|| format!("{}-elevated", facts.fill("⟦role_arn⟧", str::to_owned)));
        let kept: BTreeSet<String> = usage
            .filter(|usage| usage.too_early.is_none())
            .into_iter()
            .flat_map(|usage| &usage.smaller)
            .flat_map(|policy| &policy.documents)
            .flat_map(allowed_actions)
            .collect();
        let silent: Vec<&String> = (data.boundary.never.iter())
            .filter(|action| untold(action, &out.used, &kept))
            .collect();
        if !silent.is_empty() {
            let list: Vec<&str> = silent.into_iter().map(String::as_str).collect();
            out.notes.push(format!(
                "permissions-boundary.json does not refuse {}: today's policies grant that, and no record says whether it is used. Only logs can tell",
                list.join(", ")
            ));
        }
        let document = boundary(&services, &out.used, &kept, elevated.as_deref(), data);
        if document.to_string().len() <= MANAGED {
            out.boundary = Some(document);
        } else {
            miss(
                &mut out,
                "permissions boundary",
                "what is used is longer than the 6,144 characters AWS takes of one policy: the permission policies alone bound the role",
            );
        }
    }
    let task: Vec<PermissionLine> = if hybrid && !sets.elevated.is_empty() {
        sets.elevated.clone()
    } else {
        sets.baseline
            .iter()
            .chain(&sets.elevated)
            .cloned()
            .collect()
    };
    if task.is_empty() {
        miss(
            &mut out,
            "session policy",
            "no log names the actions of one task",
        );
    } else {
        let document = document(&task);
        if document.to_string().len() <= SESSION {
            out.session = Some(document);
        } else {
            miss(
                &mut out,
                "session policy",
                "what one task uses is longer than the 2,048 characters AWS takes: give parts of the task sessions of their own",
            );
        }
    }
    out
}

/// What an identity can never be given: actions that it does not use, and ways to more than was granted. `elevated` is the role it may ask
/// for, where there is one.
fn boundary(
    services: &BTreeSet<String>,
    used: &BTreeMap<String, Vec<String>>,
    kept: &BTreeSet<String>,
    elevated: Option<&str>,
    data: &Artefacts,
) -> Value {
    let never: Vec<&String> = data
        .boundary
        .never
        .iter()
        .filter(|action| !used.contains_key(*action))
        .filter(|action| elevated.is_none() || *action != "sts:AssumeRole")
        .filter(|action| !untold(action, used, kept))
        .collect();
    let mut actions: BTreeSet<String> = used.keys().cloned().collect();
    for service in services {
        // Of the service that hands out sessions, only what was used. A service whose calls no log names keeps what its smaller
        // policy has of it, or all of itself where nothing tells.
        let own = |action: &&String| action.split_once(':').map(|(head, _)| head) == Some(service);
        if service == "sts" && !used.is_empty() || used.keys().any(|action| own(&action)) {
            continue;
        }
        let kept: Vec<&String> = kept.iter().filter(own).collect();
        if kept.is_empty() {
            actions.insert(format!("{service}:*"));
        }
        actions.extend(kept.into_iter().cloned());
    }
    let mut statements = vec![
        json!({ "Sid": "ActionsOfTheTask", "Effect": "Allow", "Action": actions, "Resource": "*" }),
    ];
    if let Some(role) = elevated {
        statements.push(json!({
            "Sid": "AskForElevation",
            "Effect": "Allow",
            "Action": ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"],
            "Resource": role,
        }));
    }
    statements
        .push(json!({ "Sid": "NoWayToMore", "Effect": "Deny", "Action": never, "Resource": "*" }));
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// Whether an action may be in use and no record tells: it is left in the smaller policy, and no log names a call of its
/// service.
fn untold(action: &str, used: &BTreeMap<String, Vec<String>>, kept: &BTreeSet<String>) -> bool {
    let service = |action: &str| action.split(':').next().map(str::to_owned);
    kept.iter()
        .any(|pattern| matches_ignoring_case(pattern, action))
        && !used.keys().any(|call| service(call) == service(action))
}

/// Actions that the statements of a document allow, as they are written.
fn allowed_actions(document: &Value) -> Vec<String> {
    let statements = document.get("Statement").and_then(Value::as_array);
    statements
        .into_iter()
        .flatten()
        .filter(|statement| statement.get("Effect").and_then(Value::as_str) == Some("Allow"))
        .flat_map(|statement| match statement.get("Action") {
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            Some(one) => one.as_str().into_iter().collect(),
            // Everything but what is named.
            None => vec!["*"],
        })
        .map(str::to_owned)
        .collect()
}

fn statement(number: usize, line: &PermissionLine) -> Value {
    json!({
        "Sid": format!("Used{number}"),
        "Effect": "Allow",
        "Action": line.actions,
        "Resource": line.resources,
    })
}

fn document(lines: &[PermissionLine]) -> Value {
    let statements: Vec<Value> = lines
        .iter()
        .enumerate()
        .map(|(at, line)| statement(at + 1, line))
        .collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// As few documents as the limit allows.
fn split(lines: &[PermissionLine]) -> Vec<Value> {
    let whole = document(lines);
    if whole.to_string().len() <= MANAGED {
        return vec![whole];
    }
    let mut documents = Vec::new();
    let mut part: Vec<PermissionLine> = Vec::new();
    for line in lines.iter().flat_map(pieces) {
        part.push(line);
        if document(&part).to_string().len() > MANAGED && part.len() > 1 {
            let last = part.pop();
            documents.push(document(&part));
            part = last.into_iter().collect();
        }
    }
    if !part.is_empty() {
        documents.push(document(&part));
    }
    documents
}

/// A line in parts, each of which has room in one document.
fn pieces(line: &PermissionLine) -> Vec<PermissionLine> {
    line.actions
        .chunks(60)
        .map(|actions| PermissionLine {
            actions: actions.to_vec(),
            resources: line.resources.clone(),
        })
        .collect()
}

impl Permission {
    /// Names of its files, in the order of its documents.
    pub(super) fn paths(&self) -> Vec<String> {
        let stem = if self.set.is_empty() {
            "permissions".to_owned()
        } else {
            format!("permissions-{}", self.set)
        };
        match self.documents.len() {
            1 => vec![format!("{stem}.json")],
            several => (1..=several)
                .map(|number| format!("{stem}-{number}.json"))
                .collect(),
        }
    }
}

impl Documents {
    /// Actions that were used or that the permission policies name.
    pub(super) fn granted(&self) -> impl Iterator<Item = &str> {
        let lines = self.permissions.iter().flat_map(|one| &one.lines);
        let named = lines.flat_map(|line| line.actions.iter().map(String::as_str));
        self.used.keys().map(String::as_str).chain(named)
    }

    /// Whether there is any policy.
    pub(super) fn any(&self) -> bool {
        !self.permissions.is_empty() || self.boundary.is_some()
    }

    /// The files.
    pub(super) fn files(&self) -> Vec<Made> {
        let mut made = Vec::new();
        for permission in &self.permissions {
            for (path, document) in permission.paths().into_iter().zip(&permission.documents) {
                made.push(Made::new(
                    path,
                    ArtefactKind::PermissionPolicy,
                    permission.description.clone(),
                    pretty(document),
                ));
            }
        }
        if let Some(boundary) = &self.boundary {
            made.push(Made::new(
                "permissions-boundary.json",
                ArtefactKind::PermissionsBoundary,
                "what the role can never be given, whatever is attached to it later",
                pretty(boundary),
            ));
        }
        if let Some(session) = &self.session {
            made.push(Made::new(
                "session-policy.json",
                ArtefactKind::SessionPolicy,
                "what one session may do: hand it over when the role is taken",
                pretty(session),
            ));
        }
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_is_what_was_used_and_forbids_none_of_it() {
        let data = Artefacts::builtin().unwrap();
        let text = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
        let used = ["ecs:UpdateService", "sts:AssumeRole", "iam:PassRole"];
        let used = used.map(|action| (action.to_owned(), Vec::new())).into();
        let document = boundary(
            &text(&["ecs", "sts", "iam", "sqs", "sns"]),
            &used,
            &text(&["sqs:SendMessage", "ecs:*"]),
            None,
            data,
        );
        assert_eq!(
            document["Statement"][0]["Action"],
            json!([
                "ecs:UpdateService",
                "iam:PassRole",
                "sns:*",
                "sqs:SendMessage",
                "sts:AssumeRole"
            ])
        );
        let never = document["Statement"][1]["Action"].as_array().unwrap();
        assert!(never.contains(&json!("iam:CreateUser")));
        for action in used.keys() {
            assert!(!never.contains(&json!(action)), "{action}");
        }
        let smaller = json!({"Statement": [
            {"Effect": "Allow", "Action": ["a:B", "a:C"]},
            {"Effect": "Deny", "Action": "a:D"},
            {"Effect": "Allow", "Action": "a:E"},
        ]});
        assert_eq!(allowed_actions(&smaller), ["a:B", "a:C", "a:E"]);
        let but = json!({"Statement": [{"Effect": "Allow", "NotAction": "iam:*"}]});
        assert_eq!(allowed_actions(&but), ["*"]);
    }

    #[test]
    fn a_boundary_refuses_nothing_that_the_record_is_silent_of() {
        let data = Artefacts::builtin().unwrap();
        let text = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
        let services = text(&["iam", "s3"]);
        let never = |used: &[&str], kept: &[&str]| {
            let used = used.iter().map(|one| ((*one).to_owned(), Vec::new()));
            let document = boundary(&services, &used.collect(), &text(kept), None, data);
            document["Statement"][1]["Action"].clone()
        };
        let refused =
            |list: &Value, action: &str| list.as_array().unwrap().contains(&json!(action));
        // Last-accessed data knows of the service only: the smaller policy keeps what is granted of it.
        let open = never(&[], &["iam:Pass*", "s3:*"]);
        assert!(
            !refused(&open, "iam:PassRole") && refused(&open, "iam:CreateUser"),
            "{open}"
        );
        let open = never(&[], &["*"]);
        assert!(!refused(&open, "iam:CreateUser"), "{open}");
        // It tracks the actions, and this one was not used.
        assert!(refused(&never(&[], &["iam:GetRole"]), "iam:PassRole"));
        // Logs name every call of the service.
        assert!(refused(
            &never(&["iam:GetRole"], &["iam:*"]),
            "iam:PassRole"
        ));
    }
}
