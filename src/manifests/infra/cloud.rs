//! Declared resources become accounts, identities, grants and credentials.

use super::super::capabilities;
use super::super::clean::clean;
use super::draft::Draft;
use super::item::Item;
use super::value::{labels, marked, shown};
use super::{aws, azure, bindings, code_hosts, google, hcp, kubernetes, placed, workloads};
use crate::model::{
    Declarations, Evidence, Grade, Grant, GrantId, GrantSource, Identity, IdentityKind, Location,
};
use crate::rules::manifests::ManifestTables;
use std::collections::BTreeMap;

/// Where resources are deployed as one.
pub(in crate::manifests) struct Unit<'u> {
    pub(in crate::manifests) repository: &'u str,
    pub(in crate::manifests) tool: &'u str,
    /// Folder or file.
    pub(in crate::manifests) name: &'u str,
}

impl Unit<'_> {
    /// What something is called that has no name of its provider yet.
    pub(in crate::manifests) fn native(&self, address: &str) -> String {
        let slash = if self.name.is_empty() { "" } else { "/" };
        format!(
            "{}:{}{slash}{}:{address}",
            self.tool, self.repository, self.name
        )
    }
}

/// Whether resources of a type are identities, credentials or rights.
pub(in crate::manifests) fn interesting(kind: &str) -> bool {
    kind.starts_with("aws_iam_")
        || google::interesting(kind)
        || azure::interesting(kind)
        || bindings::interesting(kind)
        || kubernetes::interesting(kind)
        || workloads::interesting(kind)
        || hcp::interesting(kind)
        || code_hosts::interesting(kind)
        || capabilities::resource_says(kind)
        || ManifestTables::builtin().is_ok_and(|tables| tables.secret_stores.knows(kind))
}

/// Declares everything the resources of one unit say.
pub(in crate::manifests) fn declare(
    unit: &Unit<'_>,
    tables: &ManifestTables,
    items: &[Item],
) -> Declarations {
    let mut out = Declarations::default();
    let mut drafts: BTreeMap<&str, Draft> = BTreeMap::new();
    for item in items.iter().filter(|item| item.kind.starts_with("aws_")) {
        let draft = drafts
            .entry(&item.account)
            .or_insert_with(|| Draft::new(&item.account));
        aws::add(draft, item);
    }
    for draft in drafts.into_values().filter(|draft| !draft.is_empty()) {
        let (stack, issued) = draft.finish(unit.repository, unit.tool, unit.name);
        out.stacks.push(stack);
        out.issued.extend(issued);
    }
    google::add(unit, tables, items, &mut out);
    azure::add(unit, tables, items, &mut out);
    bindings::add(unit, tables, items, &mut out);
    kubernetes::add(unit, tables, items, &mut out);
    code_hosts::add(items, &mut out);
    workloads::add(unit, tables, items, &mut out);
    hcp::add(unit, tables, items, &mut out);
    placed::add(unit, tables, items, &mut out);
    capabilities::of_resources(unit, tables, items, &mut out);
    out
}

/// Identities of a cloud while their rights are gathered, by what others call them.
#[derive(Default)]
pub(super) struct Gathered {
    by_name: BTreeMap<String, Identity>,
    grants: Vec<Grant>,
}

/// A right as declared.
pub(super) struct Right<'r> {
    pub(super) role: &'r str,
    pub(super) scope: String,
    pub(super) tier: u8,
    pub(super) why: String,
    pub(super) location: &'r Location,
    pub(super) address: &'r str,
    pub(super) conditions: Vec<String>,
}

impl Gathered {
    /// The identity of this name, made from `new` where there is none yet.
    pub(super) fn entry(&mut self, name: &str, new: impl FnOnce() -> Identity) -> &mut Identity {
        self.by_name.entry(name.to_owned()).or_insert_with(new)
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Identity> {
        self.by_name.get_mut(name)
    }

    /// Gives an identity a right.
    pub(super) fn grant(&mut self, unit: &Unit<'_>, name: &str, right: Right<'_>) {
        let Some(identity) = self.by_name.get_mut(name) else {
            return;
        };
        let role = clean(&shown(right.role));
        let native_id = format!("{role} on {}", right.scope);
        let id = GrantId::of(&[
            "code",
            unit.repository,
            unit.name,
            &identity.native_id,
            right.address,
            &native_id,
        ]);
        let evidence = vec![Evidence::new(Grade::B, right.why)];
        let privilege = &mut identity.privilege;
        if right.tier > privilege.tier || privilege.evidence.is_empty() {
            privilege.tier = right.tier;
            privilege.evidence.clone_from(&evidence);
        }
        privilege.upper_bound = true;
        privilege.admin |= right.tier == 5;
        privilege.permissions_management |= right.tier == 5;
        privilege.write |= right.tier >= 3;
        privilege.data_read |= right.tier >= 2;
        identity.grants.push(id.clone());
        if !identity.locations.contains(right.location) {
            identity.locations.push(right.location.clone());
        }
        self.grants.push(Grant {
            id,
            identity: identity.id.clone(),
            source: GrantSource::Binding,
            name: role,
            native_id,
            actions: Vec::new(),
            actions_total: 0,
            resources: vec![right.scope],
            conditions: right.conditions,
            tier: right.tier,
            evidence,
            location: Some(right.location.clone()),
        });
    }

    /// Hands everything over.
    pub(super) fn finish(self, out: &mut Declarations) {
        out.identities.extend(self.by_name.into_values());
        out.grants.extend(self.grants);
    }
}

/// A declared identity of a cloud.
pub(super) fn identity(
    unit: &Unit<'_>,
    provider: &str,
    kind: IdentityKind,
    item: &Item,
    name: &str,
    native: &str,
) -> Identity {
    let known = !native.is_empty() && !marked(native);
    let native = if known {
        clean(native)
    } else {
        unit.native(&item.declared.address)
    };
    let name = if name.is_empty() || super::value::wholly_marked(name) {
        clean(&item.declared.address)
    } else {
        clean(&shown(name))
    };
    let mut identity = Identity::named(provider, kind, &name, &native, Grade::B);
    identity.locations.push(item.declared.location.clone());
    identity.tags = item.tags();
    identity.notes.push(Evidence::new(
        Grade::B,
        format!(
            "declared in code as {} ({})",
            clean(&item.declared.address),
            unit.tool
        ),
    ));
    if let Some(open) = &item.declared.open {
        identity.notes.push(Evidence::new(
            Grade::C,
            format!(
                "open in code: whether and how often it is made hangs on {}",
                clean(open)
            ),
        ));
    }
    identity
}

/// An identity that code only names.
pub(super) fn named(
    unit: &Unit<'_>,
    provider: &str,
    kind: IdentityKind,
    item: &Item,
    native: &str,
) -> Identity {
    let text = clean(&shown(native));
    let name = text.split('@').next().unwrap_or(&text).to_owned();
    let native = if marked(native) {
        unit.native(&text)
    } else {
        text
    };
    let mut identity = Identity::named(provider, kind, &name, &native, Grade::C);
    identity.locations.push(item.declared.location.clone());
    identity.notes.push(Evidence::new(
        Grade::C,
        format!("named in code ({}), declared elsewhere", unit.tool),
    ));
    identity
}

/// The address a reference to an attribute of a resource begins with: `azuread_application.a` of
/// `azuread_application.a.client_id`.
pub(super) fn resource_in(text: &str) -> Option<String> {
    let label = labels(text).into_iter().next()?;
    Some(
        label
            .rsplit_once('.')
            .map_or(label.clone(), |(address, _)| address.to_owned()),
    )
}
