//! Service accounts of Google Cloud, their keys, and who may do what.

use super::super::clean::clean;
use super::cloud::{Gathered, Right, Unit, identity, named};
use super::issued::{self, Issued};
use super::item::Item;
use super::value::{Val, shown};
use crate::model::{
    ConditionCoverage, CredentialStatus, Declarations, Evidence, Grade, IdentityKind,
    PrincipalKind, TrustPath,
};
use crate::rules::manifests::ManifestTables;

/// Whether a type is read here.
pub(super) fn interesting(kind: &str) -> bool {
    kind.starts_with("google_service_account") || is_binding(kind)
}

/// Whether a type gives roles to members.
pub(super) fn is_binding(kind: &str) -> bool {
    kind.starts_with("google_")
        && ["_iam_member", "_iam_binding", "_iam_policy"]
            .iter()
            .any(|part| kind.contains(part))
}

/// Reads them.
pub(super) fn add(
    unit: &Unit<'_>,
    tables: &ManifestTables,
    items: &[Item],
    out: &mut Declarations,
) {
    let mut all = Gathered::default();
    for item in items
        .iter()
        .filter(|item| item.kind == "google_service_account")
    {
        let email = item.text("email").unwrap_or_default();
        let name = item.text("account_id").unwrap_or_else(|| email.clone());
        let mut account = identity(
            unit,
            "gcp",
            IdentityKind::GcpServiceAccount,
            item,
            &name,
            &email,
        );
        account.account = email
            .split_once('@')
            .and_then(|(_, domain)| domain.strip_suffix(".iam.gserviceaccount.com"))
            .map(|project| clean(&shown(project)));
        account.purpose = item
            .shown("description")
            .or_else(|| item.shown("display_name"));
        all.entry(&email, || account);
    }
    for item in items.iter().filter(|item| item.kind.starts_with("google_")) {
        let iam = is_binding(&item.kind);
        if item.kind == "google_service_account_key" {
            key(unit, item, &mut all, out);
        } else if iam {
            bindings(unit, tables, item, &mut all);
        }
    }
    all.finish(out);
}

/// The address of an account in a reference: `projects/-/serviceAccounts/x@y`.
fn email(reference: &str) -> &str {
    let last = reference.rsplit('/').next().unwrap_or(reference);
    last.strip_prefix("serviceAccount:").unwrap_or(last)
}

fn key(unit: &Unit<'_>, item: &Item, all: &mut Gathered, out: &mut Declarations) {
    let reference = item.text("service_account_id").unwrap_or_default();
    let account = email(&reference);
    let holder = all.entry(account, || {
        named(unit, "gcp", IdentityKind::GcpServiceAccount, item, account)
    });
    let credential = issued::credential(&Issued {
        kind: "gcp-service-account-key",
        provider: "gcp",
        address: &item.declared.address,
        location: &item.declared.location,
        expires_at: None,
        expires_by_nature: Some(false),
        status: CredentialStatus::Unknown,
    });
    out.issued
        .push((credential, Some(holder.native_id.clone())));
}

fn bindings(unit: &Unit<'_>, tables: &ManifestTables, item: &Item, all: &mut Gathered) {
    if item.kind.ends_with("_iam_policy") {
        let Some(policy) = item
            .text("policy_data")
            .and_then(|text| serde_json::from_str(&super::value::quoted_marks(&text)).ok())
        else {
            return;
        };
        for binding in Val::from_json(&policy)
            .get("bindings")
            .items()
            .unwrap_or_default()
        {
            let role = binding.get("role").as_text().unwrap_or_default();
            let members = binding.get("members");
            let members: Vec<String> = members
                .items()
                .unwrap_or_default()
                .iter()
                .filter_map(Val::as_text)
                .collect();
            bind(unit, tables, item, &role, &members, all);
        }
        return;
    }
    let role = item.text("role").unwrap_or_default();
    let mut members = item.texts("members");
    members.extend(item.text("member"));
    bind(unit, tables, item, &role, &members, all);
}

fn bind(
    unit: &Unit<'_>,
    tables: &ManifestTables,
    item: &Item,
    role: &str,
    members: &[String],
    all: &mut Gathered,
) {
    if item.kind.starts_with("google_service_account_iam") {
        let reference = item.text("service_account_id").unwrap_or_default();
        let account = email(&reference);
        all.entry(account, || {
            named(unit, "gcp", IdentityKind::GcpServiceAccount, item, account)
        });
        for member in members {
            if let Some(identity) = all.get_mut(account) {
                let path = trust(member, role);
                if !identity.trust.contains(&path) {
                    identity.trust.push(path);
                }
                if !identity.locations.contains(&item.declared.location) {
                    identity.locations.push(item.declared.location.clone());
                }
            }
        }
    }
    let (scope, wide) = scope(item);
    let shown_role = clean(&shown(role));
    let tier = tables.cloud_roles.gcp(role, wide);
    for member in members {
        let Some(account) = member.strip_prefix("serviceAccount:") else {
            continue;
        };
        // Workloads of a cluster are told as trust of the account they become.
        if account.contains(".svc.id.goog[") {
            continue;
        }
        let identity = all.entry(account, || {
            named(unit, "gcp", IdentityKind::GcpServiceAccount, item, account)
        });
        if tier.is_none() {
            let text = format!("holds {shown_role} on {scope}: what that role allows is not known");
            identity.notes.push(Evidence::new(Grade::C, text));
        }
        let conditions = item.get("condition").items().unwrap_or_default();
        all.grant(
            unit,
            account,
            Right {
                role,
                tier: tier.unwrap_or(0),
                why: format!("code grants {shown_role} on {scope}"),
                scope: scope.clone(),
                location: &item.declared.location,
                address: &item.declared.address,
                conditions: conditions
                    .iter()
                    .filter_map(|condition| condition.get("expression").as_text())
                    .map(|text| clean(&shown(&text)))
                    .collect(),
            },
        );
        if let Some(identity) = all.get_mut(account)
            && role.contains("secretAccessor")
        {
            identity.privilege.secret_read = true;
        }
    }
}

/// What a binding is about, and whether that is a whole project or more.
pub(super) fn scope(item: &Item) -> (String, bool) {
    for (field, wide) in [
        ("org_id", true),
        ("folder", true),
        ("billing_account_id", true),
        ("service_account_id", false),
        ("bucket", false),
        ("secret_id", false),
        ("topic", false),
        ("subscription", false),
        ("dataset_id", false),
        ("crypto_key_id", false),
        ("key_ring_id", false),
        ("repository", false),
        ("instance", false),
        ("service", false),
        ("cloud_function", false),
        ("queue", false),
        ("project", true),
    ] {
        if let Some(text) = item.shown(field) {
            return (format!("{field} {text}"), wide);
        }
    }
    let wide = ["google_project_", "google_folder_", "google_organization_"]
        .iter()
        .any(|start| item.kind.starts_with(start));
    (
        if wide {
            "its project".to_owned()
        } else {
            clean(&item.declared.address)
        },
        wide,
    )
}

/// A member that may act as an account.
fn trust(member: &str, role: &str) -> TrustPath {
    let text = clean(&shown(member));
    let anyone = matches!(text.as_str(), "allUsers" | "allAuthenticatedUsers");
    let federated = text.starts_with("principal:")
        || text.starts_with("principalSet:")
        || text.contains(".svc.id.goog[");
    let subject = text
        .split_once("/subject/")
        .map(|(_, subject)| subject.to_owned());
    TrustPath {
        principal_kind: if anyone {
            PrincipalKind::Anyone
        } else if federated {
            PrincipalKind::Oidc
        } else {
            PrincipalKind::Principal
        },
        principal: text.clone(),
        external: anyone,
        action: clean(&shown(role)),
        subjects: subject.clone().into_iter().collect(),
        coverage: ConditionCoverage {
            subject: subject.is_some()
                || (!anyone && !text.contains("/*") && !text.starts_with("principalSet:")),
            ..ConditionCoverage::default()
        },
        ..TrustPath::default()
    }
}
