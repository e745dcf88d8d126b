//! Applications, service principals and managed identities of Azure, their secrets, and who may do what.

use super::super::clean::clean;
use super::cloud::{Gathered, Right, Unit, identity, named, resource_in};
use super::issued::{self, Issued};
use super::item::Item;
use super::value::{marked, shown};
use crate::model::{
    ConditionCoverage, CredentialStatus, Declarations, Evidence, Grade, IdentityKind,
    PrincipalKind, TrustPath,
};
use crate::rules::manifests::ManifestTables;
use std::collections::BTreeMap;

/// Types read here.
const KINDS: [&str; 16] = [
    "azuread_application",
    "azuread_application_registration",
    "azuread_service_principal",
    "azurerm_user_assigned_identity",
    "azuread_application_password",
    "azuread_service_principal_password",
    "azuread_application_certificate",
    "azuread_service_principal_certificate",
    "azuread_application_federated_identity_credential",
    "azurerm_federated_identity_credential",
    "azurerm_role_assignment",
    "azuread_directory_role_assignment",
    "azuread_app_role_assignment",
    "azuread_application_flexible_federated_identity_credential",
    "azuread_directory_role_member",
    "azurerm_pim_active_role_assignment",
];

/// Whether a type is read here.
pub(super) fn interesting(kind: &str) -> bool {
    KINDS.contains(&kind)
}

/// Attributes that name whom a secret, a credential or a role belongs to.
pub(super) const HOLDERS: [&str; 8] = [
    "application_id",
    "application_object_id",
    "service_principal_id",
    "parent_id",
    "user_assigned_identity_id",
    "principal_id",
    "principal_object_id",
    "member_object_id",
];

/// Whether a type gives roles to principals.
pub(super) fn is_assignment(kind: &str) -> bool {
    matches!(
        kind,
        "azurerm_role_assignment"
            | "azurerm_pim_active_role_assignment"
            | "azuread_directory_role_assignment"
            | "azuread_directory_role_member"
            | "azuread_app_role_assignment"
    )
}

/// The role that is given.
pub(super) fn role_of(item: &Item, tables: &ManifestTables) -> String {
    let role = [
        "role_definition_name",
        "role_definition_id",
        "role_id",
        "app_role_id",
        "role_object_id",
    ]
    .iter()
    .find_map(|field| item.text(field))
    .unwrap_or_default();
    let known = tables.cloud_roles.azure_name(&role);
    known.map_or_else(|| role.clone(), str::to_owned)
}

/// What a role is given on, and whether that is a resource group or more.
pub(super) fn scope(item: &Item) -> (String, bool) {
    let scope = item
        .shown("scope")
        .or_else(|| item.shown("directory_scope_id"))
        .unwrap_or_else(|| "the directory".to_owned());
    // Down to a resource group a scope has at most four parts.
    let narrow =
        scope.contains("/providers/") || scope.starts_with('<') && !scope.contains("subscription");
    (scope, !narrow)
}

/// Reads them.
pub(super) fn add(
    unit: &Unit<'_>,
    tables: &ManifestTables,
    items: &[Item],
    out: &mut Declarations,
) {
    let mut all = Gathered::default();
    // What references lead to: addresses, object ids and client ids, to the name an identity is kept under.
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    let own = |kind: &str| {
        matches!(
            kind,
            "azuread_application"
                | "azuread_application_registration"
                | "azurerm_user_assigned_identity"
        )
    };
    for item in items.iter().filter(|item| own(&item.kind)) {
        principal(unit, item, &item.declared.address, &mut all, &mut known);
    }
    for item in items
        .iter()
        .filter(|item| item.kind == "azuread_service_principal")
    {
        let application = ["client_id", "application_id"]
            .iter()
            .find_map(|field| item.text(field))
            .and_then(|text| lookup(&known, &text));
        match application {
            // An application and its principal are one identity.
            Some(key) => {
                if let Some(identity) = all.get_mut(&key) {
                    identity.locations.push(item.declared.location.clone());
                }
                remember(item, &key, &mut known);
            }
            None => principal(unit, item, &item.declared.address, &mut all, &mut known),
        }
    }
    for item in items {
        match item.kind.as_str() {
            "azuread_application_password" | "azuread_service_principal_password" => {
                secret(unit, item, "azure-client-secret", &mut all, &known, out);
            }
            "azuread_application_certificate" | "azuread_service_principal_certificate" => {
                secret(
                    unit,
                    item,
                    "azure-client-certificate",
                    &mut all,
                    &known,
                    out,
                );
            }
            "azuread_application_federated_identity_credential"
            | "azuread_application_flexible_federated_identity_credential"
            | "azurerm_federated_identity_credential" => {
                let key = holder(unit, item, &mut all, &known);
                if let Some(identity) = all.get_mut(&key) {
                    identity.trust.push(federated(item));
                    identity.locations.push(item.declared.location.clone());
                }
            }
            kind if is_assignment(kind) => assignment(unit, tables, item, &mut all, &known),
            _ => {}
        }
    }
    all.finish(out);
}

fn principal(
    unit: &Unit<'_>,
    item: &Item,
    key: &str,
    all: &mut Gathered,
    known: &mut BTreeMap<String, String>,
) {
    let name = item
        .text("display_name")
        .or_else(|| item.text("name"))
        .or_else(|| item.text("resource_name"))
        .unwrap_or_default();
    let native = item.text("client_id").unwrap_or_default();
    let mut made = identity(
        unit,
        "azure",
        IdentityKind::AzureServicePrincipal,
        item,
        &name,
        &native,
    );
    made.purpose = item.shown("description").or_else(|| item.shown("notes"));
    all.entry(key, || made);
    remember(item, key, known);
}

fn remember(item: &Item, key: &str, known: &mut BTreeMap<String, String>) {
    known.insert(item.declared.address.clone(), key.to_owned());
    for field in [
        "id",
        "object_id",
        "client_id",
        "application_id",
        "principal_id",
    ] {
        if let Some(id) = item.text(field).filter(|id| !marked(id)) {
            known.insert(id, key.to_owned());
        }
    }
}

fn lookup(known: &BTreeMap<String, String>, reference: &str) -> Option<String> {
    if let Some(key) = known.get(reference) {
        return Some(key.clone());
    }
    let last = reference.rsplit('/').next().unwrap_or(reference);
    known
        .get(last)
        .or_else(|| known.get(&resource_in(reference)?))
        .cloned()
}

/// The identity a resource belongs to; one that is only named where the code does not declare it.
fn holder(
    unit: &Unit<'_>,
    item: &Item,
    all: &mut Gathered,
    known: &BTreeMap<String, String>,
) -> String {
    let reference = HOLDERS.iter().find_map(|field| item.text(field));
    if let Some(key) = reference.as_deref().and_then(|text| lookup(known, text)) {
        return key;
    }
    let name = reference.unwrap_or_else(|| super::value::later(&item.declared.address));
    all.entry(&name, || {
        named(
            unit,
            "azure",
            IdentityKind::AzureServicePrincipal,
            item,
            &name,
        )
    });
    name
}

fn secret(
    unit: &Unit<'_>,
    item: &Item,
    kind: &str,
    all: &mut Gathered,
    known: &BTreeMap<String, String>,
    out: &mut Declarations,
) {
    let key = holder(unit, item, all, known);
    let holder = all.get_mut(&key).map(|identity| identity.native_id.clone());
    let expires_at = item
        .get("end_date")
        .known_text()
        .and_then(|text| text.parse().ok());
    let limited = ["end_date", "end_date_relative", "rotate_when_changed"]
        .iter()
        .any(|field| item.text(field).is_some());
    let credential = issued::credential(&Issued {
        kind,
        provider: "azure",
        address: &item.declared.address,
        location: &item.declared.location,
        expires_at,
        // Without an end in the code it lives for what the platform gives at most, and nobody renews it.
        expires_by_nature: Some(limited),
        status: CredentialStatus::Unknown,
    });
    out.issued.push((credential, holder));
}

fn federated(item: &Item) -> TrustPath {
    let issuer = item.shown("issuer").unwrap_or_default();
    let subject = item.shown("subject");
    let exact = subject
        .as_deref()
        .is_some_and(|subject| !subject.contains('*'));
    let audiences: Vec<String> = ["audiences", "audience"]
        .iter()
        .flat_map(|field| item.texts(field))
        .map(|text| clean(&shown(&text)))
        .collect();
    TrustPath {
        principal_kind: PrincipalKind::Oidc,
        principal: issuer.clone(),
        action: "federated credential".to_owned(),
        issuer: Some(issuer.trim_start_matches("https://").to_owned()),
        subjects: subject.into_iter().collect(),
        audiences,
        coverage: ConditionCoverage {
            subject: exact,
            ..ConditionCoverage::default()
        },
        ..TrustPath::default()
    }
}

fn assignment(
    unit: &Unit<'_>,
    tables: &ManifestTables,
    item: &Item,
    all: &mut Gathered,
    known: &BTreeMap<String, String>,
) {
    if matches!(
        item.text("principal_type").as_deref(),
        Some("User" | "Group")
    ) {
        return;
    }
    let key = holder(unit, item, all, known);
    let role = role_of(item, tables);
    let (scope, wide) = scope(item);
    let tier = tables.cloud_roles.azure(&role, wide);
    let role_shown = clean(&shown(&role));
    if let Some(identity) = all.get_mut(&key)
        && tier.is_none()
    {
        let text = format!("holds {role_shown} on {scope}: what that role allows is not known");
        identity.notes.push(Evidence::new(Grade::C, text));
    }
    all.grant(
        unit,
        &key,
        Right {
            role: &role,
            tier: tier.unwrap_or(0),
            why: format!("code grants {role_shown} on {scope}"),
            scope,
            location: &item.declared.location,
            address: &item.declared.address,
            conditions: item.shown("condition").into_iter().collect(),
        },
    );
}
