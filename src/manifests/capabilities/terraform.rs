//! Resources of the Terraform providers of secrets engines and brokers.

use super::super::clean::clean;
use super::super::infra::cloud::Unit;
use super::super::infra::item::Item;
use super::super::infra::value::{Val, labels};
use super::super::words::Words;
use super::durations::seconds;
use super::vault::accounts;
use crate::model::{Capability, Declarations};
use crate::rules::capabilities::TerraformForm;
use crate::rules::manifests::ManifestTables;
use std::sync::LazyLock;

/// What a lease of Vault lasts where neither role nor mount nor server says anything, in seconds.
const DEFAULT_LEASE: u64 = 2_764_800;

/// Whether resources of a type issue, broker or prove, or say how long what others issue lasts.
pub(in super::super) fn interesting(kind: &str) -> bool {
    is_mount(kind)
        || ManifestTables::builtin()
            .is_ok_and(|tables| tables.capabilities.terraform(kind).is_some())
}

/// How the types of all of them begin.
static KINDS: LazyLock<Option<Words>> = LazyLock::new(|| {
    let tables = ManifestTables::builtin().ok()?;
    let kinds = tables.capabilities.terraform_kinds();
    Words::new(kinds.filter(|kind| !kind.is_empty()))
});

/// Whether a text may hold any of them: cheap.
pub(in super::super) fn mentioned(text: &str) -> bool {
    KINDS
        .as_ref()
        .is_some_and(|kinds| kinds.any_in(text.as_bytes()))
}

/// Whether resources of a type are engines or methods that roles are made in.
fn is_mount(kind: &str) -> bool {
    let Some(what) = kind.strip_prefix("vault_") else {
        return false;
    };
    matches!(what, "mount" | "database_secrets_mount")
        || what.ends_with("_secret_backend")
        || what.ends_with("auth_backend")
}

/// Adds what the resources of one unit set up.
pub(in super::super) fn add(
    unit: &Unit<'_>,
    tables: &ManifestTables,
    items: &[Item],
    out: &mut Declarations,
) {
    let mounts: Vec<&Item> = items.iter().filter(|item| is_mount(&item.kind)).collect();
    for item in items {
        if let Some(form) = tables.capabilities.terraform(&item.kind) {
            out.capabilities.push(capability(unit, item, form, &mounts));
        }
    }
}

fn capability(unit: &Unit<'_>, item: &Item, form: &TerraformForm, mounts: &[&Item]) -> Capability {
    let ttl = lifetime(item, &form.ttl, form.minutes);
    let longest = lifetime(item, &form.max_ttl, form.minutes);
    let written = ttl != Lifetime::Absent || longest != Lifetime::Absent;
    let leased = leased(item);
    let mount = leased.then(|| mount_of(item, mounts)).flatten();
    let of_mount = |names: [&str; 2]| {
        let names = names.map(str::to_owned);
        mount.and_then(|mount| lifetime(mount, &names, false).known())
    };
    let by_mount = of_mount(["default_lease_ttl_seconds", "tune.default_lease_ttl"])
        .filter(|_| ttl == Lifetime::Absent);
    let longest_by_mount = of_mount(["max_lease_ttl_seconds", "tune.max_lease_ttl"]);
    // An expression that nothing tells is a lifetime that is not known, not one that is not written.
    let default = form
        .default_seconds
        .or_else(|| (leased && item.kind == AWS_ROLE).then_some(DEFAULT_LEASE))
        .filter(|_| !written && by_mount.is_none())
        .map(|default| longest_by_mount.map_or(default, |longest| default.min(longest)));
    let names = known(item, "bound_service_account_names");
    let spaces = known(item, "bound_service_account_namespaces");
    let (names, spaces): (Vec<&str>, Vec<&str>) = (
        names.iter().map(String::as_str).collect(),
        spaces.iter().map(String::as_str).collect(),
    );
    let address = clean(&item.declared.address);
    Capability {
        kind: form.capability,
        product: form.product.clone(),
        says: form.says.clone(),
        repository: unit.repository.to_owned(),
        namespace: None,
        subjects: accounts(&names, &spaces),
        ttl_seconds: ttl.known().or(by_mount).or(default),
        max_ttl_seconds: longest.known().or(longest_by_mount),
        ttl_assumed: default.is_some(),
        location: item.declared.location.clone().naming(address.clone()),
        name: address,
    }
}

/// A lifetime as code gives it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lifetime {
    /// Nothing is written, or that it is the default.
    Absent,
    /// Something is written that the code does not tell.
    Open,
    /// In seconds.
    Known(u64),
}

impl Lifetime {
    const fn known(self) -> Option<u64> {
        match self {
            Self::Known(seconds) => Some(seconds),
            Self::Absent | Self::Open => None,
        }
    }
}

/// The first of several attributes that is written; dotted ones stand in blocks or objects.
fn lifetime(item: &Item, paths: &[String], minutes: bool) -> Lifetime {
    let unit = if minutes { 60 } else { 1 };
    for path in paths {
        let value = path.split('.').fold(item.attributes.clone(), below);
        match value {
            Val::Number(number) if number >= 1.0 => {
                return Lifetime::Known((number as u64).saturating_mul(unit));
            }
            Val::Null | Val::Number(_) => {}
            other => {
                let text = other.known_text();
                if text.as_deref() == Some("") {
                    continue;
                }
                return text
                    .and_then(|text| seconds(&text))
                    .map_or(Lifetime::Open, Lifetime::Known);
            }
        }
    }
    Lifetime::Absent
}

/// One step of a dotted path; of blocks, the first.
fn below(value: Val, name: &str) -> Val {
    match value {
        Val::List(items) => items.first().map_or(Val::Null, |first| first.get(name)),
        other => other.get(name),
    }
}

/// Role of the engine that makes users and sessions of AWS.
const AWS_ROLE: &str = "vault_aws_secret_backend_role";

/// Whether what a role issues lasts as long as its mount says: sessions of AWS last as long as AWS says.
fn leased(item: &Item) -> bool {
    item.kind.starts_with("vault_")
        && !is_mount(&item.kind)
        && (item.kind != AWS_ROLE
            || item.get("credential_type").known_text().as_deref() == Some("iam_user"))
}

/// The engine or method that a role is made in: by its path, or as the code refers to it.
fn mount_of<'i>(item: &Item, mounts: &[&'i Item]) -> Option<&'i Item> {
    let named = item.text("backend").or_else(|| item.text("mount"))?;
    let plain = |path: &str| path.trim_matches('/').to_owned();
    let of_code = labels(&named);
    mounts.iter().copied().find(|mount| {
        let referred = of_code
            .iter()
            .any(|label| within(label, &mount.declared.address));
        let default = || {
            let what = mount.kind.strip_prefix("vault_")?;
            what.strip_suffix("_secret_backend")
                .or_else(|| what.strip_suffix("_auth_backend"))
                .map(str::to_owned)
                .or_else(|| mount.text("type"))
        };
        let path = mount.get("path").known_text().or_else(default);
        referred || path.is_some_and(|path| plain(&path) == plain(&named))
    })
}

/// Whether a label is an attribute of what stands at an address.
fn within(label: &str, address: &str) -> bool {
    label
        .strip_prefix(address)
        .is_some_and(|rest| rest.starts_with('.'))
}

/// Texts of a list that are known.
fn known(item: &Item, name: &str) -> Vec<String> {
    let value = item.get(name);
    let items = value.items().unwrap_or_default();
    items.iter().filter_map(Val::known_text).collect()
}

#[cfg(test)]
mod tests {
    use crate::manifests::{assemble, link, read};
    use crate::model::FingerprintKey;

    #[test]
    fn roles_last_as_long_as_they_or_their_mounts_say() {
        let text = r#"
variable "weeks" { default = "768h" }
variable "open" { type = string }
locals { day = 86400 }
resource "vault_aws_secret_backend" "aws" { default_lease_ttl_seconds = 2764800 }
resource "vault_aws_secret_backend_role" "users" {
  backend         = vault_aws_secret_backend.aws.path
  credential_type = "iam_user"
}
resource "vault_aws_secret_backend_role" "sessions" {
  backend         = "aws"
  credential_type = "assumed_role"
}
resource "vault_mount" "db" {
  path                      = "db/"
  default_lease_ttl_seconds = 3600
  max_lease_ttl_seconds     = 7200
}
resource "vault_database_secret_backend_role" "of_mount" { backend = vault_mount.db.path }
resource "vault_database_secret_backend_role" "own" {
  backend     = "db"
  default_ttl = local.day
}
resource "vault_database_secret_backend_role" "open" { default_ttl = var.open }
resource "vault_database_secret_backend_role" "nothing" { default_ttl = 0 }
resource "vault_kubernetes_auth_backend_role" "k" {
  for_each                         = toset(["a", "b"])
  bound_service_account_names      = [each.key]
  bound_service_account_namespaces = ["shop"]
  token_ttl                        = var.weeks
}
"#;
        let key = FingerprintKey::new([7; 32]);
        let mut all: Vec<_> = read("shop", "main.tf", text.as_bytes(), &key)
            .into_iter()
            .collect();
        assemble(&mut all, &key);
        link(&mut all);
        let lines: Vec<String> = all
            .iter()
            .flat_map(|file| &file.capabilities)
            .filter(|one| one.name.contains("role"))
            .map(|one| {
                format!(
                    "{} {:?} {:?} {} {}",
                    one.name,
                    one.ttl_seconds,
                    one.max_ttl_seconds,
                    one.ttl_assumed,
                    one.subjects.join(" ")
                )
                .trim_end()
                .to_owned()
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        vault_aws_secret_backend_role.sessions None None false
        vault_aws_secret_backend_role.users Some(2764800) None false
        vault_database_secret_backend_role.nothing Some(2764800) None true
        vault_database_secret_backend_role.of_mount Some(3600) Some(7200) false
        vault_database_secret_backend_role.open None None false
        vault_database_secret_backend_role.own Some(86400) Some(7200) false
        vault_kubernetes_auth_backend_role.k["a"] Some(2764800) None false system:serviceaccount:shop:a
        vault_kubernetes_auth_backend_role.k["b"] Some(2764800) None false system:serviceaccount:shop:b
        "#);
    }
}
