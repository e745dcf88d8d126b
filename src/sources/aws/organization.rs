//! Organizations: who stands below whom, and which control policies are attached where.
//!
//! The answers of `describe-organization`, `list-roots`, `list-organizational-units-for-parent`, `list-accounts`,
//! `list-accounts-for-parent`, `list-children`, `list-parents`, `list-policies`, `describe-policy`,
//! `list-targets-for-policy` and `list-policies-for-target`, one file each or joined in one object.

use super::fields::{Object, is_account, take_objects, take_text, text};
use super::{SOURCE, policy};
use crate::model::aws::{AwsAccount, AwsControlLevel, AwsControlPolicy, AwsMembership};
use crate::model::{Coverage, CoverageStatus};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Levels followed upwards; AWS allows five units below a root.
const MAX_LEVELS: usize = 16;

/// Which kind of control policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Limits principals.
    Service,
    /// Limits what is done to resources.
    Resource,
}

impl Kind {
    fn of(text: &str) -> Option<Self> {
        match text {
            "SERVICE_CONTROL_POLICY" => Some(Self::Service),
            "RESOURCE_CONTROL_POLICY" => Some(Self::Resource),
            _ => None,
        }
    }
}

/// One fact of an organization.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fact {
    /// An id belongs to this organization, managed by this account.
    Belongs {
        organization: String,
        management: Option<String>,
        id: Option<String>,
    },
    /// A root, unit or account stands below another.
    Below { child: String, parent: String },
    /// A control policy.
    Policy {
        id: String,
        name: String,
        kind: Option<Kind>,
        document: Option<Value>,
    },
    /// A control policy is attached.
    Attached { policy: String, target: String },
}

/// Takes the facts of an organization out of an object; `around` holds names around it that may be ids, nearest first.
pub(super) fn take(object: &mut Object, around: &[String]) -> Vec<Fact> {
    let mut facts = Vec::new();
    let parent = around.iter().find_map(|name| id_in(name, Id::is_parent));
    if let Some(Value::Object(organization)) = object.get("Organization")
        && let Some(id) = text(organization, "Id").filter(|id| id.starts_with("o-"))
    {
        let management = ["MasterAccountId", "ManagementAccountId"]
            .iter()
            .find_map(|key| text(organization, key));
        facts.push(Fact::Belongs {
            organization: id.to_owned(),
            management: management.map(str::to_owned),
            id: None,
        });
        object.remove("Organization");
    }
    for key in ["Roots", "OrganizationalUnits", "Accounts"] {
        let ours = first(object, key).is_some_and(|entry| {
            text(entry, "Id").is_some_and(|id| Id::is_parent(id) || is_account(id))
        });
        if !ours {
            continue;
        }
        for entry in take_objects(object, key) {
            let Some(id) = text(&entry, "Id") else {
                continue;
            };
            facts.extend(text(&entry, "Arn").and_then(|arn| belongs(arn, id)));
            let above = text(&entry, "ParentId")
                .map(str::to_owned)
                .or_else(|| parent.clone());
            if let Some(above) = above.filter(|above| key != "Roots" && above != id) {
                facts.push(Fact::Below {
                    child: id.to_owned(),
                    parent: above,
                });
            }
        }
    }
    if first(object, "Children").is_some_and(|entry| text(entry, "Id").is_some())
        && let Some(parent) = &parent
    {
        for mut entry in take_objects(object, "Children") {
            if let Some(child) = take_text(&mut entry, "Id") {
                facts.push(Fact::Below {
                    child,
                    parent: parent.clone(),
                });
            }
        }
    }
    if first(object, "Parents")
        .and_then(|entry| text(entry, "Id"))
        .is_some_and(Id::is_parent)
    {
        let child = around.iter().find_map(|name| id_in(name, Id::is_child));
        for mut entry in take_objects(object, "Parents") {
            if let (Some(parent), Some(child)) = (take_text(&mut entry, "Id"), &child) {
                facts.push(Fact::Below {
                    child: child.clone(),
                    parent,
                });
            }
        }
    }
    facts.extend(policies(object, around));
    facts
}

/// Control policies and what they are attached to.
fn policies(object: &mut Object, around: &[String]) -> Vec<Fact> {
    let mut facts = Vec::new();
    let summary = |entry: &Object| {
        entry
            .get("PolicySummary")
            .and_then(Value::as_object)
            .unwrap_or(entry)
            .clone()
    };
    let ours = |entry: &Object| {
        let summary = summary(entry);
        text(&summary, "Id").is_some_and(|id| id.starts_with("p-")) && summary.contains_key("Type")
    };
    let target = around.iter().find_map(|name| id_in(name, Id::is_target));
    for key in ["Policies", "Policy"] {
        if !first(object, key).is_some_and(ours) {
            continue;
        }
        for mut entry in take_objects(object, key) {
            let summary = summary(&entry);
            let Some(id) = text(&summary, "Id") else {
                continue;
            };
            facts.push(Fact::Policy {
                id: id.to_owned(),
                name: text(&summary, "Name").unwrap_or(id).to_owned(),
                kind: text(&summary, "Type").and_then(Kind::of),
                document: entry.remove("Content").and_then(policy::decode),
            });
            facts.extend(text(&summary, "Arn").and_then(|arn| belongs(arn, "")));
            for mut place in take_objects(&mut entry, "Targets") {
                if let Some(target) = take_text(&mut place, "TargetId") {
                    facts.push(Fact::Attached {
                        policy: id.to_owned(),
                        target,
                    });
                }
            }
            if let Some(target) = &target {
                facts.push(Fact::Attached {
                    policy: id.to_owned(),
                    target: target.clone(),
                });
            }
        }
    }
    if first(object, "Targets").is_some_and(|entry| entry.contains_key("TargetId")) {
        let policy = text(object, "PolicyId").map(str::to_owned).or_else(|| {
            around
                .iter()
                .find_map(|name| id_in(name, |id| id.starts_with("p-")))
        });
        for mut entry in take_objects(object, "Targets") {
            if let (Some(target), Some(policy)) = (take_text(&mut entry, "TargetId"), &policy) {
                facts.push(Fact::Attached {
                    policy: policy.clone(),
                    target,
                });
            }
        }
    }
    facts
}

/// The first object under a key.
fn first<'o>(object: &'o Object, key: &str) -> Option<&'o Object> {
    match object.get(key)? {
        Value::Array(items) => items.first()?.as_object(),
        Value::Object(item) => Some(item),
        _ => None,
    }
}

/// `arn:aws:organizations::<management>:<kind>/<organization>/…`.
fn belongs(arn: &str, id: &str) -> Option<Fact> {
    let mut parts = arn.split(':').skip(2);
    (parts.next()? == "organizations").then_some(())?;
    let management = parts.nth(1)?;
    let organization = parts
        .next()?
        .split('/')
        .find(|part| part.starts_with("o-"))?;
    Some(Fact::Belongs {
        organization: organization.to_owned(),
        management: is_account(management).then(|| management.to_owned()),
        id: (!id.is_empty()).then(|| id.to_owned()),
    })
}

struct Id;

impl Id {
    fn is_parent(id: &str) -> bool {
        id.starts_with("r-") || id.starts_with("ou-")
    }

    fn is_child(id: &str) -> bool {
        id.starts_with("ou-") || is_account(id)
    }

    fn is_target(id: &str) -> bool {
        Self::is_parent(id) || is_account(id)
    }
}

/// An id that is, or ends, a name: `ou-ab12-11111111`, `list-targets-for-policy.p-12345678`.
fn id_in(name: &str, wanted: impl Fn(&str) -> bool) -> Option<String> {
    let mut starts = vec![0];
    starts.extend(
        name.char_indices()
            .filter(|(_, c)| !c.is_ascii_alphanumeric())
            .map(|(at, c)| at + c.len_utf8()),
    );
    starts.into_iter().find_map(|at| {
        let id = name
            .get(at..)?
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .next()?;
        wanted(id).then(|| id.to_owned())
    })
}

/// Everything known of the organizations of a snapshot.
#[derive(Debug, Default)]
pub(super) struct Organizations {
    /// Organization and management account of an id.
    belongs: BTreeMap<String, String>,
    management: BTreeMap<String, String>,
    parents: BTreeMap<String, String>,
    policies: BTreeMap<String, (String, Option<Kind>, Option<Value>)>,
    attached: BTreeMap<String, BTreeSet<String>>,
}

impl Organizations {
    /// Takes up a fact.
    pub(super) fn add(&mut self, fact: Fact) {
        match fact {
            Fact::Belongs {
                organization,
                management,
                id,
            } => {
                if let Some(management) = management {
                    self.belongs
                        .insert(management.clone(), organization.clone());
                    self.management.insert(organization.clone(), management);
                }
                if let Some(id) = id {
                    self.belongs.insert(id, organization);
                }
            }
            Fact::Below { child, parent } => {
                self.parents.insert(child, parent);
            }
            Fact::Policy {
                id,
                name,
                kind,
                document,
            } => {
                let known = self
                    .policies
                    .entry(id)
                    .or_insert_with(|| (name, None, None));
                known.1 = known.1.or(kind);
                known.2 = known.2.take().or(document);
            }
            Fact::Attached { policy, target } => {
                self.attached.entry(target).or_default().insert(policy);
            }
        }
    }

    /// Says of an account where it stands, if anything tells.
    pub(super) fn place(&self, account: &mut AwsAccount, coverage: &mut Vec<Coverage>) {
        let id = account.account_id.as_str();
        let told = self.parents.contains_key(id)
            || self.belongs.contains_key(id)
            || self.attached.contains_key(id);
        if !told {
            return;
        }
        let mut path = vec![id.to_owned()];
        while let Some(parent) = path.last().and_then(|last| self.parents.get(last)) {
            if path.len() >= MAX_LEVELS || path.contains(parent) {
                break;
            }
            path.push(parent.clone());
        }
        path.reverse();
        let organization = path
            .iter()
            .find_map(|id| self.belongs.get(id))
            .cloned()
            .unwrap_or_default();
        let management = self.management.get(&organization).map(String::as_str) == Some(id);
        let rooted = path.first().is_some_and(|top| top.starts_with("r-"));
        let mut say = |status, reason: String| {
            coverage.push(Coverage::new(SOURCE, format!("aws/{id}"), status, reason));
        };
        let service = self.levels(&path, Kind::Service);
        let resource = self.levels(&path, Kind::Resource);
        if !management && !rooted && (service.is_some() || resource.is_some()) {
            say(
                CoverageStatus::Absent,
                "the snapshot does not tell every level of the organization above the account: add \
                 `aws organizations list-parents` of the account and of each unit; control policies of the levels \
                 that are missing may allow less"
                    .to_owned(),
            );
        }
        if !management {
            for level in service
                .iter()
                .flatten()
                .filter(|level| level.policies.is_empty())
            {
                say(
                    CoverageStatus::Absent,
                    format!(
                        "no service control policy is attached to {}, so it lets nothing through: if that is not so, \
                         add `aws organizations list-targets-for-policy` of every policy",
                        level.target
                    ),
                );
            }
        }
        account.membership = Some(AwsMembership {
            organization,
            management,
            path,
            service_control: service,
            resource_control: resource,
        });
    }

    /// The policies of one kind at each level of a path; `None` when the snapshot tells of none of that kind attached
    /// anywhere.
    fn levels(&self, path: &[String], kind: Kind) -> Option<Vec<AwsControlLevel>> {
        let of_kind = |id: &String| {
            let told = self.policies.get(id).and_then(|(_, kind, _)| *kind);
            // Where its summary is missing, only what AWS attaches itself has a telling id.
            let telling = match id.as_str() {
                "p-FullAWSAccess" => Some(Kind::Service),
                "p-RCPFullAWSAccess" => Some(Kind::Resource),
                _ => None,
            };
            told.or(telling) == Some(kind)
        };
        if !self.attached.values().flatten().any(of_kind) {
            return None;
        }
        let level = |target: &String| AwsControlLevel {
            target: target.clone(),
            policies: self
                .attached
                .get(target)
                .into_iter()
                .flatten()
                .filter(|id| of_kind(id))
                .map(|id| self.policy(id))
                .collect(),
        };
        Some(path.iter().map(level).collect())
    }

    fn policy(&self, id: &str) -> AwsControlPolicy {
        let (name, document) = match self.policies.get(id) {
            Some((name, _, document)) => (name.clone(), document.clone()),
            None => (id.to_owned(), None),
        };
        let full = || match id {
            "p-FullAWSAccess" => json!({"Version": "2012-10-17", "Statement":
                [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}),
            "p-RCPFullAWSAccess" => json!({"Version": "2012-10-17", "Statement":
                [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}),
            _ => Value::Null,
        };
        AwsControlPolicy {
            id: id.to_owned(),
            name,
            document: document.unwrap_or_else(full),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(value: Value, around: &[&str]) -> Vec<Fact> {
        let Value::Object(mut object) = value else {
            panic!()
        };
        let around: Vec<String> = around.iter().map(ToString::to_string).collect();
        take(&mut object, &around)
    }

    fn placed(facts: Vec<Fact>) -> AwsMembership {
        let mut organizations = Organizations::default();
        for fact in facts {
            organizations.add(fact);
        }
        let mut account = AwsAccount {
            account_id: "111122223333".into(),
            ..AwsAccount::default()
        };
        organizations.place(&mut account, &mut Vec::new());
        account.membership.unwrap()
    }

    fn names(levels: Option<Vec<AwsControlLevel>>) -> Vec<(String, Vec<String>)> {
        levels
            .unwrap()
            .into_iter()
            .map(|level| {
                let names = level.policies.into_iter().map(|policy| policy.name);
                (level.target, names.collect())
            })
            .collect()
    }

    #[test]
    fn one_answer_a_file_named_by_what_it_is_about() {
        let scp = json!({"PolicySummary": {"Id": "p-12345678", "Name": "no-iam", "Type": "SERVICE_CONTROL_POLICY"},
            "Content": "{\"Version\":\"2012-10-17\",\"Statement\":[]}"});
        let mut all = facts(
            json!({"Organization": {"Id": "o-abc", "MasterAccountId": "999988887777"}}),
            &["describe-organization"],
        );
        all.extend(facts(
            json!({"Roots": [{"Id": "r-ab12", "Arn": "arn:aws:organizations::999988887777:root/o-abc/r-ab12",
                "Name": "Root", "PolicyTypes": []}]}),
            &["list-roots"],
        ));
        all.extend(facts(
            json!({"OrganizationalUnits": [{"Id": "ou-ab12-11111111", "Name": "Prod"}]}),
            &["units-of-r-ab12"],
        ));
        all.extend(facts(
            json!({"Accounts": [{"Id": "111122223333", "Name": "shop"}]}),
            &["ou-ab12-11111111"],
        ));
        all.extend(facts(json!({"Policy": scp}), &["describe-policy"]));
        all.extend(facts(
            json!({"Targets": [{"TargetId": "ou-ab12-11111111", "Type": "ORGANIZATIONAL_UNIT"}]}),
            &["targets-p-12345678"],
        ));
        all.extend(facts(
            json!({"Policies": [{"Id": "p-FullAWSAccess", "Name": "FullAWSAccess", "Type": "SERVICE_CONTROL_POLICY",
                "AwsManaged": true}]}),
            &["policies-for-target", "111122223333"],
        ));
        let place = placed(all);
        assert_eq!(place.organization, "o-abc");
        assert!(!place.management && place.resource_control.is_none());
        assert_eq!(place.path, ["r-ab12", "ou-ab12-11111111", "111122223333"]);
        assert_eq!(
            names(place.service_control),
            [
                ("r-ab12".to_owned(), vec![]),
                ("ou-ab12-11111111".to_owned(), vec!["no-iam".to_owned()]),
                ("111122223333".to_owned(), vec!["FullAWSAccess".to_owned()]),
            ]
        );
    }

    #[test]
    fn everything_in_one_object() {
        let place = placed(facts(
            json!({"Organization": {"Id": "o-abc", "ManagementAccountId": "111122223333"},
                "Roots": [{"Id": "r-ab12"}],
                "Accounts": [{"Id": "111122223333", "ParentId": "r-ab12"}],
                "Policies": [{"PolicySummary": {"Id": "p-1", "Name": "perimeter", "Type": "RESOURCE_CONTROL_POLICY"},
                    "Content": {"Statement": []}, "Targets": [{"TargetId": "r-ab12"}]}]}),
            &["organizations"],
        ));
        assert!(place.management && place.service_control.is_none());
        assert_eq!(
            names(place.resource_control),
            [
                ("r-ab12".to_owned(), vec!["perimeter".to_owned()]),
                ("111122223333".to_owned(), vec![])
            ]
        );
    }

    #[test]
    fn circles_end() {
        let below = |child: &str, parent: &str| Fact::Below {
            child: child.into(),
            parent: parent.into(),
        };
        let place = placed(vec![
            below("111122223333", "ou-a"),
            below("ou-a", "ou-b"),
            below("ou-b", "ou-a"),
        ]);
        assert_eq!(place.path, ["ou-b", "ou-a", "111122223333"]);
    }
}
