//! Account authorization details, users and roles.

use super::{Fields, sorted};
use aws_sdk_iam::types::{
    AttachedPermissionsBoundary, AttachedPolicy, GroupDetail, InstanceProfile, ManagedPolicyDetail,
    PermissionsBoundaryAttachmentType, PolicyDetail, PolicyVersion, Role, RoleDetail, RoleLastUsed,
    User, UserDetail,
};
use serde_json::Value;

/// All pages of the details as one answer.
#[derive(Default)]
pub(in super::super) struct Details {
    users: Vec<Value>,
    groups: Vec<Value>,
    roles: Vec<Value>,
    policies: Vec<Value>,
}

impl Details {
    /// Adds the entities of a page.
    pub(in super::super) fn add(
        &mut self,
        users: &[UserDetail],
        groups: &[GroupDetail],
        roles: &[RoleDetail],
        policies: &[ManagedPolicyDetail],
    ) {
        self.users.extend(users.iter().map(user));
        self.groups.extend(groups.iter().map(group));
        self.roles.extend(roles.iter().map(role));
        self.policies.extend(policies.iter().map(policy));
    }

    /// The answer.
    pub(in super::super) fn done(self) -> Value {
        Fields::default()
            .value("UserDetailList", sorted(self.users, "Arn"))
            .value("GroupDetailList", sorted(self.groups, "Arn"))
            .value("RoleDetailList", sorted(self.roles, "Arn"))
            .value("Policies", sorted(self.policies, "Arn"))
            .value("IsTruncated", false)
            .done()
    }
}

fn user(user: &UserDetail) -> Value {
    Fields::default()
        .maybe("Path", user.path())
        .maybe("UserName", user.user_name())
        .maybe("UserId", user.user_id())
        .maybe("Arn", user.arn())
        .time("CreateDate", user.create_date())
        .list("UserPolicyList", user.user_policy_list(), inline)
        .list("GroupList", user.group_list(), |name| name.clone().into())
        .list(
            "AttachedManagedPolicies",
            user.attached_managed_policies(),
            attached,
        )
        .boundary(user.permissions_boundary())
        .tags(user.tags.as_deref())
        .done()
}

fn group(group: &GroupDetail) -> Value {
    Fields::default()
        .maybe("Path", group.path())
        .maybe("GroupName", group.group_name())
        .maybe("GroupId", group.group_id())
        .maybe("Arn", group.arn())
        .time("CreateDate", group.create_date())
        .list("GroupPolicyList", group.group_policy_list(), inline)
        .list(
            "AttachedManagedPolicies",
            group.attached_managed_policies(),
            attached,
        )
        .done()
}

fn role(role: &RoleDetail) -> Value {
    Fields::default()
        .maybe("Path", role.path())
        .maybe("RoleName", role.role_name())
        .maybe("RoleId", role.role_id())
        .maybe("Arn", role.arn())
        .time("CreateDate", role.create_date())
        .document(
            "AssumeRolePolicyDocument",
            role.assume_role_policy_document(),
        )
        .list(
            "InstanceProfileList",
            role.instance_profile_list(),
            instance_profile,
        )
        .list("RolePolicyList", role.role_policy_list(), inline)
        .list(
            "AttachedManagedPolicies",
            role.attached_managed_policies(),
            attached,
        )
        .boundary(role.permissions_boundary())
        .tags(role.tags.as_deref())
        .last_used(role.role_last_used())
        .done()
}

fn policy(policy: &ManagedPolicyDetail) -> Value {
    Fields::default()
        .maybe("PolicyName", policy.policy_name())
        .maybe("PolicyId", policy.policy_id())
        .maybe("Arn", policy.arn())
        .maybe("Path", policy.path())
        .maybe("DefaultVersionId", policy.default_version_id())
        .number("AttachmentCount", policy.attachment_count())
        .number(
            "PermissionsBoundaryUsageCount",
            policy.permissions_boundary_usage_count(),
        )
        .value("IsAttachable", policy.is_attachable())
        .maybe("Description", policy.description())
        .time("CreateDate", policy.create_date())
        .time("UpdateDate", policy.update_date())
        .list("PolicyVersionList", policy.policy_version_list(), version)
        .done()
}

fn version(version: &PolicyVersion) -> Value {
    Fields::default()
        .document("Document", version.document())
        .maybe("VersionId", version.version_id())
        .value("IsDefaultVersion", version.is_default_version())
        .time("CreateDate", version.create_date())
        .done()
}

fn inline(policy: &PolicyDetail) -> Value {
    Fields::default()
        .maybe("PolicyName", policy.policy_name())
        .document("PolicyDocument", policy.policy_document())
        .done()
}

fn attached(policy: &AttachedPolicy) -> Value {
    Fields::default()
        .maybe("PolicyName", policy.policy_name())
        .maybe("PolicyArn", policy.policy_arn())
        .done()
}

fn instance_profile(profile: &InstanceProfile) -> Value {
    Fields::default()
        .text("Path", profile.path())
        .text("InstanceProfileName", profile.instance_profile_name())
        .text("InstanceProfileId", profile.instance_profile_id())
        .text("Arn", profile.arn())
        .time("CreateDate", Some(profile.create_date()))
        .done()
}

impl Fields {
    fn boundary(self, boundary: Option<&AttachedPermissionsBoundary>) -> Self {
        let Some(boundary) = boundary else {
            return self;
        };
        let inside = Fields::default()
            .maybe(
                "PermissionsBoundaryType",
                boundary
                    .permissions_boundary_type()
                    .map(PermissionsBoundaryAttachmentType::as_str),
            )
            .maybe(
                "PermissionsBoundaryArn",
                boundary.permissions_boundary_arn(),
            );
        self.value("PermissionsBoundary", inside.done())
    }

    fn last_used(self, used: Option<&RoleLastUsed>) -> Self {
        let Some(used) = used else {
            return self;
        };
        let inside = Fields::default()
            .time("LastUsedDate", used.last_used_date())
            .maybe("Region", used.region());
        self.value("RoleLastUsed", inside.done())
    }
}

/// `list-roles`.
pub(in super::super) fn roles(roles: &[Role]) -> Value {
    let roles: Vec<Value> = roles
        .iter()
        .map(|role| {
            Fields::default()
                .text("Path", role.path())
                .text("RoleName", role.role_name())
                .text("RoleId", role.role_id())
                .text("Arn", role.arn())
                .time("CreateDate", Some(role.create_date()))
                .document(
                    "AssumeRolePolicyDocument",
                    role.assume_role_policy_document(),
                )
                .maybe("Description", role.description())
                .number("MaxSessionDuration", role.max_session_duration())
                .done()
        })
        .collect();
    Fields::default()
        .value("Roles", sorted(roles, "Arn"))
        .done()
}

/// `list-users`.
pub(in super::super) fn users(users: &[User]) -> Value {
    let users: Vec<Value> = users
        .iter()
        .map(|user| {
            Fields::default()
                .text("Path", user.path())
                .text("UserName", user.user_name())
                .text("UserId", user.user_id())
                .text("Arn", user.arn())
                .time("CreateDate", Some(user.create_date()))
                .time("PasswordLastUsed", user.password_last_used())
                .done()
        })
        .collect();
    Fields::default()
        .value("Users", sorted(users, "Arn"))
        .done()
}
