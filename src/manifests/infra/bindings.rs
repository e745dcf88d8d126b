//! Roles that infrastructure code makes in Google Cloud and Azure, and what gives roles to their members: each as declared,
//! whether its members are known or not.

use super::super::clean::clean;
use super::cloud::Unit;
use super::item::Item;
use super::value::{Val, quoted_marks, shown};
use super::{azure, google};
use crate::model::{Declarations, Evidence, Grade, RbacBinding, RbacRole, RbacRule};
use crate::rules::manifests::ManifestTables;
use std::collections::BTreeMap;

/// Most members and permissions listed of one resource.
const MAX_ITEMS: usize = 500;

/// Whether a type is read here and nowhere else.
pub(super) fn interesting(kind: &str) -> bool {
    is_role(kind)
}

fn is_role(kind: &str) -> bool {
    kind.ends_with("_iam_custom_role") && kind.starts_with("google_")
        || kind == "azurerm_role_definition"
        || kind == "azuread_custom_directory_role"
}

/// Lists them.
pub(super) fn add(
    unit: &Unit<'_>,
    tables: &ManifestTables,
    items: &[Item],
    out: &mut Declarations,
) {
    for item in items {
        if is_role(&item.kind) {
            out.roles.push(role(unit, item));
        } else if google::is_binding(&item.kind) {
            google_bindings(unit, tables, item, out);
        } else if azure::is_assignment(&item.kind) {
            out.bindings.push(assignment(unit, tables, item));
        }
    }
}

fn provider(kind: &str) -> String {
    if kind.starts_with("google_") {
        "gcp".to_owned()
    } else {
        "azure".to_owned()
    }
}

fn role(unit: &Unit<'_>, item: &Item) -> RbacRole {
    let mut permissions = item.texts("permissions");
    for block in item
        .get("permissions")
        .items()
        .unwrap_or_default()
        .iter()
        .filter(|block| matches!(block, Val::Map(_)))
    {
        for field in ["actions", "data_actions", "allowed_resource_actions"] {
            let listed = block.get(field);
            match listed.items() {
                Some(texts) => permissions.extend(texts.iter().filter_map(Val::as_text)),
                None => permissions.extend(listed.as_text()),
            }
        }
    }
    let mut verbs: Vec<String> = permissions
        .iter()
        .map(|text| clean(&shown(text)))
        .filter(|text| !text.is_empty())
        .collect();
    verbs.sort();
    verbs.dedup();
    verbs.truncate(MAX_ITEMS);
    let (tier, why) = tier(&verbs);
    RbacRole {
        repository: unit.repository.to_owned(),
        provider: provider(&item.kind),
        switched_off: false,
        namespace: None,
        name: ["title", "name", "display_name", "role_id"]
            .iter()
            .find_map(|field| item.shown(field))
            .unwrap_or_else(|| clean(&item.declared.address)),
        labels: BTreeMap::new(),
        aggregates: Vec::new(),
        rules: vec![RbacRule {
            verbs,
            ..RbacRule::default()
        }],
        tier,
        evidence: vec![Evidence::new(Grade::B, why)],
        location: item.declared.location.clone(),
    }
}

/// What permissions of a cloud amount to, by the words they end in.
fn tier(permissions: &[String]) -> (u8, String) {
    let mut best = (0, "it allows nothing that code tells".to_owned());
    for permission in permissions {
        let lower = permission.to_ascii_lowercase();
        let last = lower.rsplit(['/', '.']).next().unwrap_or(&lower);
        let tier = if lower == "*" {
            5
        } else if lower.contains("setiampolicy")
            || lower.contains("roleassignments/")
            || lower.contains("roledefinitions/")
            || lower.contains("authorization/*")
            || lower.starts_with("iam.roles.")
            || lower.contains("serviceaccountkeys.create")
            || [
                "actas",
                "getaccesstoken",
                "signjwt",
                "signblob",
                "implicitdelegation",
            ]
            .contains(&last)
            || lower.contains("secrets/getsecret")
            || lower.contains("secretmanager.versions.access")
            || lower.contains("listkeys")
        {
            4
        } else if ["list", "getiampolicy", "search"].contains(&last) {
            1
        } else if ["get", "read", "view"].contains(&last) {
            2
        } else {
            3
        };
        if tier > best.0 {
            best = (tier, format!("it allows {permission}"));
        }
    }
    best
}

fn google_bindings(unit: &Unit<'_>, tables: &ManifestTables, item: &Item, out: &mut Declarations) {
    let text_or_open = |role: &Val| role.as_text().unwrap_or_default();
    if item.kind.ends_with("_iam_policy") {
        let policy = item
            .text("policy_data")
            .and_then(|text| serde_json::from_str(&quoted_marks(&text)).ok());
        let policy = policy.map(|json| Val::from_json(&json));
        let listed = policy
            .and_then(|policy| policy.get("bindings").items())
            .unwrap_or_default();
        if listed.is_empty() {
            out.bindings
                .push(google_binding(unit, tables, item, "", &Val::Null));
        }
        for binding in listed.iter().take(MAX_ITEMS) {
            let role = text_or_open(&binding.get("role"));
            out.bindings.push(google_binding(
                unit,
                tables,
                item,
                &role,
                &binding.get("members"),
            ));
        }
        return;
    }
    let role = item.text("role").unwrap_or_default();
    let members = match item.get("members") {
        Val::Null => item.get("member"),
        members => members,
    };
    out.bindings
        .push(google_binding(unit, tables, item, &role, &members));
}

fn google_binding(
    unit: &Unit<'_>,
    tables: &ManifestTables,
    item: &Item,
    role: &str,
    members: &Val,
) -> RbacBinding {
    let members: Vec<String> = match members.items() {
        Some(items) => items.iter().filter_map(Val::as_text).collect(),
        None => members.as_text().into_iter().collect(),
    };
    let (mut subjects, mut people) = (Vec::new(), Vec::new());
    for member in members.iter().take(MAX_ITEMS) {
        let member = clean(&shown(member));
        let human = [
            "user:",
            "group:",
            "domain:",
            "allUsers",
            "allAuthenticatedUsers",
        ]
        .iter()
        .any(|start| member.starts_with(start));
        if human {
            people.push(member);
        } else if !member.is_empty() {
            subjects.push(member);
        }
    }
    let (scope, wide) = google::scope(item);
    binding(
        unit,
        item,
        scope,
        role,
        (subjects, people),
        tables.cloud_roles.gcp(role, wide),
    )
}

fn assignment(unit: &Unit<'_>, tables: &ManifestTables, item: &Item) -> RbacBinding {
    let role = azure::role_of(item, tables);
    let (scope, wide) = azure::scope(item);
    let member = azure::HOLDERS
        .iter()
        .find_map(|field| item.shown(field))
        .into_iter()
        .collect();
    let kind = item.text("principal_type");
    let members = match kind.as_deref() {
        Some("User" | "Group") => (Vec::new(), member),
        _ => (member, Vec::new()),
    };
    let tier = tables.cloud_roles.azure(&role, wide);
    binding(unit, item, scope, &role, members, tier)
}

fn binding(
    unit: &Unit<'_>,
    item: &Item,
    scope: String,
    role: &str,
    members: (Vec<String>, Vec<String>),
    tier: Option<u8>,
) -> RbacBinding {
    let (mut subjects, mut people) = members;
    for list in [&mut subjects, &mut people] {
        list.sort();
        list.dedup();
    }
    RbacBinding {
        repository: unit.repository.to_owned(),
        provider: provider(&item.kind),
        switched_off: false,
        namespace: Some(scope),
        name: clean(&item.declared.address),
        cluster_role: false,
        role: clean(&shown(role)),
        subjects,
        people,
        tier: tier.unwrap_or(0),
        location: item.declared.location.clone(),
    }
}

#[cfg(test)]
mod tests {
    use crate::manifests::{assemble, link, read};
    use crate::model::{Declarations, FingerprintKey};

    const CODE: &str = r#"
variable "who" { type = list(string) }
variable "on" { default = false }
resource "google_service_account" "a" { account_id = "a" }
resource "google_project_iam_binding" "all" {
  project = "p"
  role    = "roles/owner"
  members = var.who
}
resource "google_folder_iam_member" "off" {
  count  = var.on ? 1 : 0
  folder = "f"
  role   = "roles/viewer"
  member = "serviceAccount:${var.who[0]}"
}
resource "google_storage_bucket_iam_member" "read" {
  for_each = toset(["group:x@example.com", "serviceAccount:b@p.iam.gserviceaccount.com"])
  bucket   = "b"
  role     = "roles/storage.objectViewer"
  member   = each.value
}
resource "google_project_iam_custom_role" "own" {
  role_id     = "own"
  title       = "Own"
  permissions = ["storage.objects.get", "resourcemanager.projects.setIamPolicy"]
}
resource "azurerm_role_definition" "r" {
  name  = "reader"
  scope = var.who
  permissions {
    actions      = ["Microsoft.Storage/*/read"]
    data_actions = []
  }
}
resource "azurerm_role_assignment" "a" {
  scope                = "/subscriptions/1"
  role_definition_name = "Owner"
  principal_id         = var.who
}
"#;

    #[test]
    fn roles_and_bindings_are_listed_whoever_they_are_for() {
        let key = FingerprintKey::new([7; 32]);
        let mut files: Vec<Declarations> = read("shop", "main.tf", CODE.as_bytes(), &key)
            .into_iter()
            .collect();
        assemble(&mut files, &key);
        link(&mut files);
        let mut shown: Vec<String> = Vec::new();
        for file in &files {
            shown.extend(file.roles.iter().map(|role| {
                let line = role.location.line.unwrap();
                format!("{line} {} {} tier {}", role.provider, role.name, role.tier)
            }));
            shown.extend(file.bindings.iter().map(|one| {
                format!(
                    "{} {} {} {} on {}: {:?} {:?} tier {} off {}",
                    one.location.line.unwrap(),
                    one.provider,
                    one.name,
                    one.role,
                    one.namespace.as_deref().unwrap_or("-"),
                    one.subjects,
                    one.people,
                    one.tier,
                    one.switched_off
                )
            }));
        }
        shown.sort_by_key(|line| line.split(' ').next().and_then(|n| n.parse::<u32>().ok()));
        insta::assert_snapshot!(shown.join("\n"), @r#"
        5 gcp google_project_iam_binding.all roles/owner on project p: ["<var.who>"] [] tier 5 off false
        10 gcp google_folder_iam_member.off roles/viewer on folder f: ["serviceAccount:<var.who.0>"] [] tier 2 off true
        16 gcp google_storage_bucket_iam_member.read["group:x@example.com"] roles/storage.objectViewer on bucket b: [] ["group:x@example.com"] tier 2 off false
        16 gcp google_storage_bucket_iam_member.read["serviceAccount:b@p.iam.gserviceaccount.com"] roles/storage.objectViewer on bucket b: ["serviceAccount:b@p.iam.gserviceaccount.com"] [] tier 2 off false
        22 gcp Own tier 4
        27 azure reader tier 2
        35 azure azurerm_role_assignment.a Owner on /subscriptions/1: ["<var.who>"] [] tier 5 off false
        "#);
        let accounts: Vec<&str> = files
            .iter()
            .flat_map(|file| &file.identities)
            .map(|identity| identity.name.as_str())
            .collect();
        assert!(
            !accounts.iter().any(|name| name.contains('[')),
            "{accounts:?}"
        );
    }
}
