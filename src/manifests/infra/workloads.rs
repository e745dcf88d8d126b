//! What infrastructure code runs: functions, tasks, instances, jobs and services, as whom, and what they are given.

use super::super::clean::clean;
use super::cloud::Unit;
use super::item::Item;
use super::names::iam_arn;
use super::placed;
use super::value::{Val, labels, marked, shown};
use crate::model::{
    Consumer, ConsumerClass, ConsumerId, Declarations, Evidence, Federation, Grade, PlacedSecret,
    SecretReference, UNKNOWN_ACCOUNT, Uses,
};
use crate::rules::manifests::ManifestTables;
use crate::rules::workloads::Workload;
use std::collections::BTreeMap;

/// Whether a type is read here.
pub(super) fn interesting(kind: &str) -> bool {
    ManifestTables::builtin().is_ok_and(|tables| tables.workloads.interesting(kind))
}

/// Reads them.
pub(super) fn add(
    unit: &Unit<'_>,
    tables: &ManifestTables,
    items: &[Item],
    out: &mut Declarations,
) {
    if !items
        .iter()
        .any(|item| tables.workloads.of(&item.kind).is_some())
    {
        return;
    }
    let known = Known::of(unit, items);
    for item in items {
        if let Some(kind) = tables.workloads.of(&item.kind) {
            one(unit, tables, item, kind, &known, out);
        }
    }
}

/// What references in the code lead to.
#[derive(Default)]
struct Known {
    /// ARN, name or address of an identity, as the code refers to it, to what the inventory calls it.
    identities: BTreeMap<String, String>,
    /// Task definitions that a service keeps running.
    kept_running: Vec<String>,
    /// Schedules by what they start.
    schedules: BTreeMap<String, String>,
}

impl Known {
    fn of(unit: &Unit<'_>, items: &[Item]) -> Self {
        let mut known = Self::default();
        let mut roles: BTreeMap<String, String> = BTreeMap::new();
        for item in items.iter().filter(|item| item.kind == "aws_iam_role") {
            let path = item.text("path").unwrap_or_else(|| "/".to_owned());
            let arn = iam_arn(&item.account, "role", &path, &item.name());
            let native = if item.account == UNKNOWN_ACCOUNT {
                unit.native(&item.declared.address)
            } else {
                clean(&shown(&arn))
            };
            roles.insert(item.name(), native.clone());
            known.identities.insert(arn, native.clone());
            known.identities.insert(item.name(), native);
        }
        for item in items {
            match item.kind.as_str() {
                "aws_iam_instance_profile" => {
                    let role = item.text("role").and_then(|role| roles.get(&role));
                    if let Some(native) = role {
                        let arn = iam_arn(&item.account, "instance-profile", "/", &item.name());
                        known.identities.insert(arn, native.clone());
                        known.identities.insert(item.name(), native.clone());
                    }
                }
                "google_service_account" => {
                    let email = item.text("email").unwrap_or_default();
                    let native = if email.is_empty() || marked(&email) {
                        unit.native(&item.declared.address)
                    } else {
                        clean(&email)
                    };
                    known.identities.insert(email, native);
                }
                "azurerm_user_assigned_identity" => {
                    let native = unit.native(&item.declared.address);
                    known
                        .identities
                        .insert(item.declared.address.clone(), native);
                }
                "aws_ecs_service" => {
                    known.kept_running.extend(item.text("task_definition"));
                }
                _ => {}
            }
        }
        let rules: BTreeMap<String, String> = items
            .iter()
            .filter(|item| item.kind == "aws_cloudwatch_event_rule")
            .filter_map(|item| Some((item.name(), item.shown("schedule_expression")?)))
            .collect();
        for item in items
            .iter()
            .filter(|item| item.kind == "aws_cloudwatch_event_target")
        {
            let rule = item.text("rule").and_then(|rule| rules.get(&rule));
            if let (Some(schedule), Some(arn)) = (rule, item.text("arn")) {
                known.schedules.insert(arn, schedule.clone());
            }
        }
        known
    }

    fn native(&self, reference: &str) -> Option<String> {
        if let Some(native) = self.identities.get(reference) {
            return Some(native.clone());
        }
        // `azurerm_user_assigned_identity.x.id` and the like are marked by the address.
        let address = labels(reference).into_iter().find_map(|label| {
            let address = label
                .rsplit_once('.')
                .map(|(address, _)| address.to_owned());
            address
                .filter(|address| self.identities.contains_key(address))
                .or_else(|| self.identities.contains_key(&label).then(|| label.clone()))
        });
        if let Some(address) = address {
            return self.identities.get(&address).cloned();
        }
        let account = reference.contains(UNKNOWN_ACCOUNT);
        let told = (reference.starts_with("arn:") && !account)
            || reference.ends_with(".gserviceaccount.com");
        (told && !marked(reference)).then(|| clean(reference))
    }
}

/// The value at a dotted path; of lists the first item, and of a text in JSON what is in it.
fn at(value: &Val, path: &str) -> Val {
    path.split('.').fold(value.clone(), |value, key| {
        let mut value = opened(value);
        if let Val::List(items) = &value {
            value = items.first().cloned().unwrap_or(Val::Null);
        }
        value.get(key)
    })
}

fn opened(value: Val) -> Val {
    match &value {
        Val::Text(text) if text.trim_start().starts_with(['{', '[']) => {
            serde_json::from_str(text).map_or(value, |json| Val::from_json(&json))
        }
        _ => value,
    }
}

fn one(
    unit: &Unit<'_>,
    tables: &ManifestTables,
    item: &Item,
    kind: &Workload,
    known: &Known,
    out: &mut Declarations,
) {
    let address = clean(&item.declared.address);
    let id = ConsumerId::of(&[&kind.runtime, unit.repository, unit.name, &address]);
    let mut evidence = vec![Evidence::new(
        Grade::B,
        format!("{address} is declared in {}", unit.tool),
    )];
    if let Some(open) = &item.declared.open {
        evidence.push(Evidence::new(
            Grade::C,
            format!("whether it is made hangs on {}", clean(open)),
        ));
    }
    let mut native_ids = Vec::new();
    for path in &kind.runs_as {
        let value = at(&item.attributes, path);
        for reference in value.items().unwrap_or_else(|| vec![value.clone()]) {
            let Some(text) = reference.as_text().filter(|text| !text.is_empty()) else {
                continue;
            };
            match known.native(&text) {
                Some(native) => native_ids.push(native),
                None => evidence.push(Evidence::new(
                    Grade::C,
                    format!(
                        "runs as {}, which the code does not tell",
                        clean(&shown(&text))
                    ),
                )),
            }
        }
    }
    native_ids.sort();
    native_ids.dedup();
    let (class, schedule) = class(item, kind, known, &mut evidence);
    let limit = kind.limit.as_ref().and_then(|limit| {
        let number = at(&item.attributes, &limit.path).as_number()?;
        (number > 0.0).then(|| (number as u64).saturating_mul(limit.seconds))
    });
    let risks = open_metadata(item, kind, &mut evidence);
    for path in &kind.given {
        given(unit, tables, item, path, &id, out);
    }
    out.consumers.push(Consumer {
        id,
        name: address,
        class,
        runtime: kind.runtime.clone(),
        repository: Some(unit.repository.to_owned()),
        identity: None,
        schedule,
        timeout_seconds: limit,
        federation: if native_ids.is_empty() {
            Federation::Supported
        } else {
            Federation::Configured
        },
        evidence,
        uses: Uses {
            native_ids,
            ..Uses::default()
        },
        risks,
        location: Some(item.declared.location.clone()),
        environment: None,
    });
}

/// Whether the keys of its role are handed to any request it can be made to send.
fn open_metadata(item: &Item, kind: &Workload, evidence: &mut Vec<Evidence>) -> Vec<String> {
    let Some(path) = &kind.metadata_tokens else {
        return Vec::new();
    };
    match at(&item.attributes, path).known_text().as_deref() {
        Some("optional") => {
            evidence.push(Evidence::new(Grade::B, format!("{path} is optional")));
            vec![Consumer::OPEN_METADATA.to_owned()]
        }
        _ => Vec::new(),
    }
}

fn class(
    item: &Item,
    kind: &Workload,
    known: &Known,
    evidence: &mut Vec<Evidence>,
) -> (ConsumerClass, Option<String>) {
    if let Some(path) = &kind.schedule {
        let schedule = at(&item.attributes, path).known_text();
        return (kind.class, schedule.map(|text| clean(&text)));
    }
    let name = item.text("function_name").unwrap_or_else(|| item.name());
    let started = known.schedules.iter().find(|(arn, _)| {
        arn.ends_with(&format!(":{name}")) || arn.contains(&item.declared.address)
    });
    if let Some((_, schedule)) = started {
        return (ConsumerClass::Scheduled, Some(schedule.clone()));
    }
    if item.kind == "aws_ecs_task_definition" {
        let kept = known
            .kept_running
            .iter()
            .any(|reference| reference.contains(&item.declared.address));
        if kept {
            evidence.push(Evidence::new(Grade::B, "a service keeps it running"));
            return (ConsumerClass::Daemon, None);
        }
    }
    (kind.class, None)
}

/// Notes the secrets among what it is given that the code does not hold: names of a store, variables without a value.
fn given(
    unit: &Unit<'_>,
    tables: &ManifestTables,
    item: &Item,
    path: &str,
    consumer: &ConsumerId,
    out: &mut Declarations,
) {
    let mut entries: Vec<(String, Val, bool)> = Vec::new();
    variables(&opened(at(&item.attributes, path)), &mut entries);
    for (name, value, stored) in entries {
        let secret = tables.names.secret_like(&name) || tables.names.lookup(&name).is_some();
        if !secret && !stored {
            continue;
        }
        let Some(text) = value.as_text() else {
            continue;
        };
        let named = labels(&text).first().cloned();
        let store = if stored
            || [
                "secretsmanager",
                "ssm_parameter",
                "secret_manager",
                "key_vault",
            ]
            .iter()
            .any(|store| text.contains(store) || named.as_ref().is_some_and(|n| n.contains(store)))
        {
            "secrets-manager"
        } else if marked(&text) {
            "environment"
        } else {
            continue;
        };
        // What the same code issues is known by more than the name it is given under.
        if let Some((credential, holder)) = placed::issued(&value, out) {
            out.placed.push(PlacedSecret {
                target: Some(unit.repository.to_owned()),
                store: store.to_owned(),
                name: clean(&name),
                credential,
                holder,
                location: item.declared.location.clone(),
            });
        }
        let told = tables.names.lookup(&name);
        out.references.push(SecretReference {
            name: clean(&name),
            store: store.to_owned(),
            kind: told.map(|rule| rule.kind.clone()),
            provider: told.map(|rule| rule.provider.clone()),
            repository: unit.repository.to_owned(),
            consumer: Some(consumer.clone()),
            location: item.declared.location.clone(),
        });
    }
}

/// Variables of a mapping, of a list of names and values, or of the containers of a document.
fn variables(value: &Val, out: &mut Vec<(String, Val, bool)>) {
    match value {
        Val::Map(map) => {
            let container = ["environment", "secrets", "image"];
            if container.iter().any(|key| map.contains_key(*key)) {
                for key in ["environment", "secrets"] {
                    variables(&opened(value.get(key)), out);
                }
                return;
            }
            let name = value.get("name").known_text();
            let from = ["value_source", "value_from", "valueFrom", "secret_name"]
                .iter()
                .map(|key| value.get(key))
                .find(|value| !value.is_null());
            match (name, from, map.contains_key("value")) {
                (Some(name), Some(from), _) => {
                    let from = from.as_text().unwrap_or_default();
                    out.push((name, Val::text(from), true));
                }
                (Some(name), None, true) => {
                    let stored = value.get("type").known_text();
                    let stored = stored.is_some_and(|kind| {
                        matches!(kind.as_str(), "SECRETS_MANAGER" | "PARAMETER_STORE")
                    });
                    out.push((name, value.get("value"), stored));
                }
                _ => out.extend(
                    map.iter()
                        .map(|(name, value)| (shown(name), value.clone(), false)),
                ),
            }
        }
        Val::List(items) => items.iter().for_each(|item| variables(item, out)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::manifests::testing::shown;
    use crate::manifests::{link, read};
    use crate::model::{Declarations, FingerprintKey};

    const CODE: &str = r#"
resource "aws_iam_role" "fn" {
  name               = "fn-role"
  assume_role_policy = "{}"
}
resource "aws_iam_instance_profile" "p" {
  name = "p"
  role = aws_iam_role.fn.name
}
resource "aws_lambda_function" "fn" {
  function_name = "fn"
  role          = aws_iam_role.fn.arn
  timeout       = 30
  environment {
    variables = { DB_PASSWORD = var.pw, LEVEL = "debug" }
  }
}
resource "aws_cloudwatch_event_rule" "nightly" {
  name                = "nightly"
  schedule_expression = "rate(1 day)"
}
resource "aws_cloudwatch_event_target" "nightly" {
  rule = aws_cloudwatch_event_rule.nightly.name
  arn  = aws_lambda_function.fn.arn
}
resource "aws_ecs_task_definition" "t" {
  family                = "t"
  task_role_arn         = aws_iam_role.fn.arn
  execution_role_arn    = var.execution
  container_definitions = jsonencode([{
    name    = "a"
    secrets = [{ name = "NPM_TOKEN", valueFrom = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:npm" }]
  }])
}
resource "aws_ecs_service" "t" {
  task_definition = aws_ecs_task_definition.t.arn
}
resource "aws_instance" "i" {
  iam_instance_profile = aws_iam_instance_profile.p.name
  metadata_options {
    http_tokens = "optional"
  }
}
resource "google_service_account" "run" {
  account_id = "run"
  project    = "p"
}
resource "google_cloud_run_v2_service" "r" {
  name = "r"
  template {
    service_account = google_service_account.run.email
    containers {
      env {
        name = "API_TOKEN"
        value_source {
          secret_key_ref { secret = "api" }
        }
      }
    }
  }
}
variable "pw" {}
variable "execution" {}
"#;

    #[test]
    fn what_runs_is_a_consumer_with_whom_it_runs_as_and_what_it_is_given() {
        let key = FingerprintKey::new([7; 32]);
        let mut all: Vec<Declarations> = read("shop", "tf/main.tf", CODE.as_bytes(), &key)
            .into_iter()
            .collect();
        link(&mut all);
        insta::assert_snapshot!(shown(&all[0]), @"
        26:1 aws_ecs_task_definition.t | - - - | configured
            as terraform:shop/tf:aws_iam_role.fn
            26:1 secrets-manager NPM_TOKEN (npm-token)
            B aws_ecs_task_definition.t is declared in terraform
            C runs as <var.execution>, which the code does not tell
            B a service keeps it running
        38:1 aws_instance.i | - - - | configured
            as terraform:shop/tf:aws_iam_role.fn
            risk: instance metadata without a token (IMDSv1)
            B aws_instance.i is declared in terraform
            B metadata_options.http_tokens is optional
        10:1 aws_lambda_function.fn | - 30 s rate(1 day) | configured
            as terraform:shop/tf:aws_iam_role.fn
            10:1 environment DB_PASSWORD (database-password)
            B aws_lambda_function.fn is declared in terraform
        48:1 google_cloud_run_v2_service.r | - - - | configured
            as run@p.iam.gserviceaccount.com
            48:1 secrets-manager API_TOKEN (?)
            B google_cloud_run_v2_service.r is declared in terraform
        ");
    }
}
