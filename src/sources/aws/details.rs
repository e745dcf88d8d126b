//! Entities of account authorization details, `list-roles` and `list-users`, one JSON object to one entity.
//!
//! An entity is never lost: a missing name is taken from its ARN, a missing ARN is left empty for the assembly to make
//! once the account is known.

use super::fields::{
    Object, take_list, take_objects, take_tags, take_text, take_texts, text, time,
};
use super::lines::Index;
use super::{SOURCE, policy};
use crate::model::aws::{
    AwsAttached, AwsGroup, AwsInlinePolicy, AwsPolicy, AwsPolicyVersion, AwsRole, AwsUser,
};
use crate::model::{Coverage, CoverageStatus, LastUse, Location};
use jiff::Timestamp;
use serde_json::Value;

/// The file entities are read from.
pub(super) struct Page<'a> {
    /// Path of the file, as locations show it.
    pub(super) uri: &'a str,
    /// Where its entities stand.
    pub(super) index: &'a Index,
    /// What could not be read of it.
    pub(super) notices: Vec<Coverage>,
}

/// How much the source of an entity tells of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Telling {
    /// Authorization details: its policies are known.
    Policies,
    /// A listing: the entity exists, its policies are not told. The unique id is left out, which marks the entity until
    /// authorization details describe it.
    Existence,
}

impl Page<'_> {
    /// The entities of a list, each made by `entity`, which gets the number of its entry.
    pub(super) fn entities<T>(
        &mut self,
        list: Vec<Value>,
        what: &str,
        entity: impl Fn(&mut Self, usize, Object) -> T,
    ) -> Vec<T> {
        list.into_iter()
            .enumerate()
            .filter_map(|(at, item)| {
                let number = at + 1;
                let Value::Object(object) = item else {
                    self.partial(format!(
                        "entry {number} of {what} is not an object; it was left out"
                    ));
                    return None;
                };
                Some(entity(self, number, object))
            })
            .collect()
    }

    /// The file's name without its last extension, and its folders, nearest first: ids may stand in them.
    pub(super) fn names(&self) -> Vec<String> {
        let mut parts: Vec<String> = self.uri.rsplit('/').map(str::to_owned).collect();
        if let Some(file) = parts.first_mut()
            && let Some((stem, _)) = file.rsplit_once('.')
        {
            *file = stem.to_owned();
        }
        parts
    }

    /// Notes that something of the file could not be used.
    pub(super) fn partial(&mut self, reason: String) {
        self.notices.push(Coverage::new(
            SOURCE,
            self.uri,
            CoverageStatus::Partial,
            reason,
        ));
    }

    fn place(&self, arn: &str) -> Location {
        let spot = self.index.find(arn);
        Location {
            repository: None,
            uri: self.uri.to_owned(),
            line: spot.map(|(line, _)| line),
            column: spot.map(|(_, column)| column),
            logical: None,
        }
    }

    /// Reads one policy document; one that cannot be read is kept as `null`, and said.
    fn document(&mut self, document: Option<Value>, whose: &str) -> Value {
        match document {
            None | Some(Value::Null) => {
                self.partial(format!("{whose} has no document: its permissions are unknown"));
                Value::Null
            }
            Some(document) => policy::decode(document).unwrap_or_else(|| {
                self.partial(format!(
                    "the document of {whose} is neither JSON nor URL-encoded JSON: its permissions are unknown"
                ));
                Value::Null
            }),
        }
    }

    fn inline(&mut self, object: &mut Object, key: &str, whose: &str) -> Vec<AwsInlinePolicy> {
        take_objects(object, key)
            .into_iter()
            .map(|mut policy| {
                let name = take_text(&mut policy, "PolicyName").unwrap_or_default();
                let document = self.document(
                    policy.remove("PolicyDocument"),
                    &format!("inline policy `{name}` of {whose}"),
                );
                AwsInlinePolicy { name, document }
            })
            .collect()
    }

    /// A user of `UserDetailList` or of `list-users`.
    pub(super) fn user(&mut self, telling: Telling, number: usize, mut object: Object) -> AwsUser {
        let named = Named::take(&mut object, "UserName", "UserId", number);
        let whose = format!("user `{}`", named.name);
        AwsUser {
            path: take_text(&mut object, "Path").unwrap_or_else(|| "/".to_owned()),
            unique_id: named.told(telling),
            created_at: time(&object, "CreateDate"),
            groups: take_texts(&mut object, "GroupList"),
            inline: self.inline(&mut object, "UserPolicyList", &whose),
            attached: attached(&mut object),
            boundary: boundary(&mut object),
            tags: take_tags(&mut object),
            keys: Vec::new(),
            password: None,
            password_last_use: time(&object, "PasswordLastUsed")
                .map_or(LastUse::Unknown, LastUse::At),
            mfa: None,
            services: None,
            location: self.place(&named.arn),
            name: named.name,
            arn: named.arn,
        }
    }

    /// A group of `GroupDetailList`.
    pub(super) fn group(&mut self, number: usize, mut object: Object) -> AwsGroup {
        let named = Named::take(&mut object, "GroupName", "GroupId", number);
        let whose = format!("group `{}`", named.name);
        AwsGroup {
            inline: self.inline(&mut object, "GroupPolicyList", &whose),
            attached: attached(&mut object),
            location: self.place(&named.arn),
            name: named.name,
            arn: named.arn,
        }
    }

    /// A role of `RoleDetailList`, `list-roles` or `get-role`.
    pub(super) fn role(&mut self, telling: Telling, number: usize, mut object: Object) -> AwsRole {
        let named = Named::take(&mut object, "RoleName", "RoleId", number);
        let whose = format!("role `{}`", named.name);
        let created_at = time(&object, "CreateDate");
        AwsRole {
            path: take_text(&mut object, "Path").unwrap_or_else(|| "/".to_owned()),
            unique_id: named.told(telling),
            description: take_text(&mut object, "Description"),
            created_at,
            trust: self.document(
                object.remove("AssumeRolePolicyDocument"),
                &format!("the trust policy of {whose}"),
            ),
            inline: self.inline(&mut object, "RolePolicyList", &whose),
            attached: attached(&mut object),
            boundary: boundary(&mut object),
            max_session_seconds: object.get("MaxSessionDuration").and_then(Value::as_u64),
            last_use: role_last_use(&object, created_at),
            instance_profiles: take_objects(&mut object, "InstanceProfileList")
                .into_iter()
                .filter_map(|mut profile| take_text(&mut profile, "InstanceProfileName"))
                .collect(),
            tags: take_tags(&mut object),
            services: None,
            location: self.place(&named.arn),
            name: named.name,
            arn: named.arn,
        }
    }

    /// A managed policy of `Policies`.
    pub(super) fn policy(&mut self, number: usize, mut object: Object) -> AwsPolicy {
        let named = Named::take(&mut object, "PolicyName", "PolicyId", number);
        let default = take_text(&mut object, "DefaultVersionId");
        let versions = take_objects(&mut object, "PolicyVersionList");
        let count = u32::try_from(versions.len()).unwrap_or(u32::MAX);
        let is_default = |version: &Object| {
            version.get("IsDefaultVersion") == Some(&Value::Bool(true))
                || (default.is_some() && text(version, "VersionId") == default.as_deref())
        };
        let changed = time(&object, "UpdateDate").or_else(|| time(&object, "CreateDate"));
        let chosen = versions
            .iter()
            .position(is_default)
            .or_else(|| (count == 1).then_some(0));
        let mut document = None;
        let mut updated_at = changed;
        let mut others = Vec::new();
        for (at, mut version) in versions.into_iter().enumerate() {
            let id = take_text(&mut version, "VersionId").unwrap_or_default();
            let text = version.remove("Document");
            if Some(at) == chosen {
                document = text;
                updated_at = time(&version, "CreateDate").or(changed);
            } else if let Some(text) = text {
                let whose = format!("version {id} of managed policy `{}`", named.name);
                others.push(AwsPolicyVersion {
                    document: self.document(Some(text), &whose),
                    id,
                });
            }
        }
        AwsPolicy {
            document: self.document(document, &format!("managed policy `{}`", named.name)),
            versions: count,
            updated_at,
            others,
            location: self.place(&named.arn),
            name: named.name,
            arn: named.arn,
        }
    }
}

/// What an entity is called.
struct Named {
    name: String,
    arn: String,
    unique_id: String,
}

impl Named {
    fn take(object: &mut Object, name_key: &str, id_key: &str, number: usize) -> Self {
        let arn = take_text(object, "Arn").unwrap_or_default();
        let unique_id = take_text(object, id_key).unwrap_or_default();
        let name = take_text(object, name_key)
            .or_else(|| arn.rsplit('/').next().map(str::to_owned))
            .filter(|name| !name.is_empty())
            .or_else(|| Some(unique_id.clone()).filter(|id| !id.is_empty()))
            .unwrap_or_else(|| format!("unnamed-{number}"));
        Self {
            name,
            arn,
            unique_id,
        }
    }

    fn told(&self, telling: Telling) -> String {
        match telling {
            Telling::Policies => self.unique_id.clone(),
            Telling::Existence => String::new(),
        }
    }
}

fn attached(object: &mut Object) -> Vec<AwsAttached> {
    take_objects(object, "AttachedManagedPolicies")
        .into_iter()
        .filter_map(|mut policy| {
            let arn = take_text(&mut policy, "PolicyArn")?;
            let name = take_text(&mut policy, "PolicyName")
                .unwrap_or_else(|| arn.rsplit('/').next().unwrap_or_default().to_owned());
            Some(AwsAttached { name, arn })
        })
        .collect()
}

fn boundary(object: &mut Object) -> Option<String> {
    take_list(object, "PermissionsBoundary")
        .into_iter()
        .find_map(|boundary| match boundary {
            Value::Object(mut boundary) => take_text(&mut boundary, "PermissionsBoundaryArn"),
            Value::String(arn) => Some(arn),
            _ => None,
        })
}

/// `RoleLastUsed` with a date is a use; empty, AWS tracked the role and saw none; missing, the exporter does not tell.
///
/// The assembly moves the start of tracking up to the 400 days AWS keeps, once it knows when the snapshot was taken.
fn role_last_use(object: &Object, created_at: Option<Timestamp>) -> LastUse {
    match object.get("RoleLastUsed") {
        Some(Value::Object(used)) => time(used, "LastUsedDate").map_or_else(
            || LastUse::NeverSince(created_at.unwrap_or(Timestamp::UNIX_EPOCH)),
            LastUse::At,
        ),
        _ => LastUse::Unknown,
    }
}
