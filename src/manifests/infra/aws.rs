//! Resources of the AWS provider as parts of an account.

use super::super::clean::clean;
use super::draft::{Draft, Holder, Principal};
use super::issued::{self, Issued};
use super::item::Item;
use super::names::iam_arn;
use super::value::{Val, open, shown, unmarked};
use crate::model::CredentialStatus;

/// Adds a resource to the account; false when it is none of IAM.
pub(in crate::manifests) fn add(draft: &mut Draft, item: &Item) -> bool {
    let place = &item.declared.location;
    // Whom something is for, or the mark of what nobody tells.
    let text = |name: &str| {
        let open = || open(&format!("{name} of {}", item.declared.address));
        item.text(name).unwrap_or_else(open)
    };
    match item.kind.as_str() {
        "aws_iam_role" => {
            principal(draft, item, Holder::Role);
            let role = item.name();
            for arn in item.texts("managed_policy_arns") {
                draft.attach(Holder::Role, &role, &arn, place);
            }
            for inline in item.get("inline_policy").items().unwrap_or_default() {
                if !inline.get("policy").is_null() {
                    let name = inline.get("name").as_text().unwrap_or_default();
                    draft.inline(Holder::Role, &role, &name, &inline.get("policy"), place);
                }
            }
        }
        "aws_iam_service_linked_role" => {
            let service = text("aws_service_name");
            let trust = serde_json::json!({"Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service},
            }]});
            let mut role = Principal::named(Holder::Role, item.name());
            role.path = Some(format!("/aws-service-role/{service}/"));
            role.trust = Val::from_json(&trust);
            draft.principal(item.declared.clone(), role);
        }
        "aws_iam_user" => principal(draft, item, Holder::User),
        "aws_iam_group" => principal(draft, item, Holder::Group),
        "aws_iam_policy" => {
            let path = item.text("path").unwrap_or_else(|| "/".to_owned());
            let arn = item
                .text("arn")
                .unwrap_or_else(|| iam_arn(&item.account, "policy", &path, &item.name()));
            draft.policy(&arn, &item.name(), &item.get("policy"), place);
        }
        "aws_iam_role_policy" | "aws_iam_user_policy" | "aws_iam_group_policy" => {
            let (holder, field) = holder_of(&item.kind);
            let name = item.name();
            draft.inline(holder, &text(field), &name, &item.get("policy"), place);
        }
        "aws_iam_role_policy_attachment"
        | "aws_iam_user_policy_attachment"
        | "aws_iam_group_policy_attachment" => {
            let (holder, field) = holder_of(&item.kind);
            draft.attach(holder, &text(field), &text("policy_arn"), place);
        }
        "aws_iam_policy_attachment" => {
            for (holder, field) in [
                (Holder::Role, "roles"),
                (Holder::User, "users"),
                (Holder::Group, "groups"),
            ] {
                for target in item.texts(field) {
                    draft.attach(holder, &target, &text("policy_arn"), place);
                }
            }
        }
        "aws_iam_role_policy_attachments_exclusive"
        | "aws_iam_user_policy_attachments_exclusive"
        | "aws_iam_group_policy_attachments_exclusive" => {
            let (holder, field) = holder_of(&item.kind);
            for arn in item.texts("policy_arns") {
                draft.attach(holder, &text(&format!("{field}_name")), &arn, place);
            }
        }
        "aws_iam_user_group_membership" => {
            for group in item.texts("groups") {
                draft.member(&text("user"), &group, place);
            }
        }
        "aws_iam_group_membership" => {
            for user in item.texts("users") {
                draft.member(&user, &text("group"), place);
            }
        }
        "aws_iam_instance_profile" => {
            for field in ["role", "roles"] {
                for role in item.texts(field) {
                    draft.profile(&item.name(), &role, place);
                }
            }
        }
        "aws_iam_access_key" => key(draft, item, "aws-access-key", Some(false)),
        "aws_iam_user_ssh_key" => key(draft, item, "ssh-private-key", Some(false)),
        "aws_iam_service_specific_credential" => {
            key(draft, item, "aws-service-specific-credential", Some(false));
        }
        "aws_iam_user_login_profile" => draft.password(&text("user"), place),
        "aws_iam_openid_connect_provider" => {
            let clients = item.texts("client_id_list");
            let clients = clients.iter().map(|client| clean(&shown(client)));
            draft.provider(&text("url"), clients.collect());
        }
        _ => return false,
    }
    true
}

fn holder_of(kind: &str) -> (Holder, &'static str) {
    if kind.starts_with("aws_iam_user") {
        (Holder::User, "user")
    } else if kind.starts_with("aws_iam_group") {
        (Holder::Group, "group")
    } else {
        (Holder::Role, "role")
    }
}

fn principal(draft: &mut Draft, item: &Item, holder: Holder) {
    let seconds = item.get("max_session_duration").as_number();
    draft.principal(
        item.declared.clone(),
        Principal {
            holder,
            name: item.name(),
            path: item.text("path"),
            trust: item.get("assume_role_policy"),
            description: item
                .get("description")
                .known_text()
                .filter(|text| !text.is_empty())
                .map(|text| clean(&unmarked(&text))),
            // What code leaves out is the provider's default.
            max_session: (holder == Holder::Role)
                .then(|| seconds.map_or(3_600, |seconds| seconds as u64)),
            boundary: item.text("permissions_boundary"),
            tags: item.tags(),
        },
    );
}

fn key(draft: &mut Draft, item: &Item, kind: &str, expires_by_nature: Option<bool>) {
    let inactive = item
        .text("status")
        .is_some_and(|status| status.eq_ignore_ascii_case("inactive"));
    let user = item
        .text("user")
        .or_else(|| item.text("username"))
        .or_else(|| item.text("user_name"))
        .unwrap_or_default();
    let credential = issued::credential(&Issued {
        kind,
        provider: "aws",
        address: &item.declared.address,
        location: &item.declared.location,
        expires_at: None,
        expires_by_nature,
        status: if inactive {
            CredentialStatus::Inactive
        } else {
            CredentialStatus::Unknown
        },
    });
    draft.key(&user, credential, &item.declared.location);
}
