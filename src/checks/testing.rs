//! Turns the cases under `fixtures/checks/` into inventories and runs one check on each.
//!
//! A case says only what matters to it: every table is laid over an otherwise unknown identity, credential, grant,
//! consumer, trust path or sighting. Names join them: `of` on a credential or grant names an identity, `runs_as` and
//! `holds` on a consumer name identities and credentials.

use super::{CHECKS, Check, CheckContext, findings_of};
use crate::model::aws::AwsTrail;
use crate::model::{
    AgentReach, Capability, CapabilityKind, ConditionCoverage, Confidence, Consumer, ConsumerClass,
    ConsumerId, Credential, CredentialId, CredentialStatus, ExposedTo, Federation, Finding,
    FingerprintKey, Grade, Grant, GrantId, GrantSource, Identity, IdentityId, IdentityKind,
    Inventory, LastUse, Location, PrincipalKind, RbacBinding, RbacRole, RbacRule, ResourceExposure,
    Routine, RoutineBy, Sighting, Storage, Trail, TrustPath, Uses,
};
use crate::rules::config::Config;
use crate::rules::posture::Posture;
use crate::rules::scoring::{Scoring, Thresholds};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The time every case is judged at.
pub(super) fn now() -> Timestamp {
    "2026-11-01T12:00:00Z".parse().unwrap()
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Case {
    about: String,
    identity: Vec<Value>,
    credential: Vec<Value>,
    grant: Vec<Value>,
    consumer: Vec<Value>,
    role: Vec<Value>,
    binding: Vec<Value>,
    capability: Vec<Value>,
    routine: Vec<Value>,
    exposure: Vec<Value>,
    trails: BTreeMap<String, Vec<Value>>,
    config: toml::Table,
}

/// Lays `patch` over `base`, object by object.
fn lay(base: &mut Value, patch: Value) {
    match (base, patch) {
        (Value::Object(base), Value::Object(patch)) => {
            for (key, value) in patch {
                lay(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, patch) => *base = patch,
    }
}

/// `base` with what the case says laid over it; a key that the type does not have is a mistake of the case.
fn over<T: Serialize + DeserializeOwned>(base: &T, patch: &Value) -> T {
    let mut value = serde_json::to_value(base).unwrap();
    lay(&mut value, patch.clone());
    let out: T = serde_json::from_value(value).unwrap_or_else(|error| panic!("{error}: {patch}"));
    let kept = serde_json::to_value(&out).unwrap();
    for key in patch.as_object().unwrap().keys() {
        assert!(
            kept.get(key).is_some(),
            "no such key or an empty value: {key}"
        );
    }
    out
}

fn take(table: &mut Map<String, Value>, key: &str) -> Option<Value> {
    table.remove(key)
}

fn names(value: Option<Value>) -> Vec<String> {
    value.map_or_else(Vec::new, |value| serde_json::from_value(value).unwrap())
}

fn patches(table: &mut Map<String, Value>, key: &str, base: &impl Serialize) {
    if let Some(Value::Array(list)) = table.get_mut(key) {
        for item in list {
            let mut value = serde_json::to_value(base).unwrap();
            lay(&mut value, item.take());
            *item = value;
        }
    }
}

/// TOML cannot say that there is no commit; `untracked = true` does.
fn uncommit(table: &mut Map<String, Value>) {
    let Some(Value::Array(sightings)) = table.get_mut("sightings") else {
        return;
    };
    for sighting in sightings {
        let fields = sighting.as_object_mut().unwrap();
        if fields.remove("untracked") == Some(Value::Bool(true)) {
            fields.insert("commit".into(), Value::Null);
        }
    }
}

fn base_trust() -> TrustPath {
    TrustPath {
        principal_kind: PrincipalKind::Principal,
        principal: String::new(),
        account: None,
        external: false,
        vendor: None,
        action: "sts:AssumeRole".into(),
        issuer: None,
        subjects: Vec::new(),
        audiences: Vec::new(),
        external_id: false,
        mfa: false,
        coverage: ConditionCoverage::default(),
        conditions: Vec::new(),
    }
}

fn base_sighting() -> Sighting {
    Sighting {
        repository: "site".into(),
        uri: "deploy.sh".into(),
        line: 3,
        column: 1,
        commit: Some("c".repeat(40)),
        author: None,
        first_seen: None,
        last_seen: None,
        at_head: true,
        context: None,
        layers: Vec::new(),
        ignored: None,
        trail: Trail::default(),
        rule: "case".into(),
        public: false,
    }
}

fn base_credential() -> Credential {
    Credential {
        id: CredentialId::of(&["case"]),
        provider: "aws".into(),
        kind: "aws-access-key".into(),
        public_id: None,
        fingerprint: None,
        redacted: None,
        reference: None,
        identity: None,
        join: None,
        account: None,
        status: CredentialStatus::Unknown,
        created_at: None,
        last_use: LastUse::Unknown,
        last_used_at: None,
        last_used_service: None,
        expires_at: None,
        expires_by_nature: None,
        storage: Storage::NotSeen,
        consumers: Vec::new(),
        default_tier: None,
        confidence: Confidence::High,
        confidence_reason: "the structure is that of the type".into(),
        grade: Grade::A,
        sightings: Vec::new(),
        trail: None,
    }
}

fn base_grant(identity: &Identity) -> Grant {
    Grant {
        id: GrantId::of(&["case"]),
        identity: identity.id.clone(),
        source: GrantSource::Managed,
        name: String::new(),
        native_id: String::new(),
        actions: Vec::new(),
        actions_total: 0,
        resources: Vec::new(),
        conditions: Vec::new(),
        tier: 0,
        evidence: Vec::new(),
        location: None,
    }
}

fn base_exposure() -> ResourceExposure {
    ResourceExposure {
        arn: "arn:aws:sqs:eu-west-1:111122223333:jobs".into(),
        account: "111122223333".into(),
        to: ExposedTo::Anyone,
        principal: "*".into(),
        vendor: None,
        statement: "statement 1".into(),
        actions: vec!["sqs:ReceiveMessage".into()],
        writes: false,
        conditions: Vec::new(),
        unblocked: false,
        location: Location::file("aws/111122223333", "policies.json", 3, 1),
    }
}

fn base_consumer() -> Consumer {
    Consumer {
        id: ConsumerId::of(&["case"]),
        name: "deploy.yml/deploy".into(),
        class: ConsumerClass::Unknown,
        runtime: "github-actions".into(),
        repository: Some("site".into()),
        identity: None,
        schedule: None,
        timeout_seconds: None,
        evidence: Vec::new(),
        federation: Federation::Unknown,
        uses: Uses::default(),
        risks: Vec::new(),
        location: None,
        environment: None,
    }
}

fn base_role() -> RbacRole {
    RbacRole {
        repository: "site".into(),
        provider: "kubernetes".into(),
        switched_off: false,
        namespace: None,
        name: "role".into(),
        labels: BTreeMap::new(),
        aggregates: Vec::new(),
        rules: Vec::new(),
        tier: 0,
        evidence: Vec::new(),
        location: Location::file("site", "k8s/role.yml", 2, 1),
    }
}

fn base_binding() -> RbacBinding {
    RbacBinding {
        repository: "site".into(),
        provider: "kubernetes".into(),
        switched_off: false,
        namespace: None,
        name: "binding".into(),
        cluster_role: true,
        role: "role".into(),
        subjects: Vec::new(),
        people: Vec::new(),
        tier: 0,
        location: Location::file("site", "k8s/binding.yml", 2, 1),
    }
}

fn base_routine() -> Routine {
    Routine {
        by: RoutineBy::Person,
        words: "manually".into(),
        names: Vec::new(),
        providers: Vec::new(),
        repository: "site".into(),
        location: Location::file("site", "docs/runbook.md", 12, 1),
    }
}

fn base_capability() -> Capability {
    Capability {
        kind: CapabilityKind::DynamicSecrets,
        product: "vault".into(),
        name: "role".into(),
        says: "issues credentials".into(),
        repository: "site".into(),
        namespace: None,
        subjects: Vec::new(),
        ttl_seconds: None,
        max_ttl_seconds: None,
        ttl_assumed: false,
        location: Location::file("site", "vault/role.hcl", 1, 1),
    }
}

/// A rule as a case writes it, over one that allows nothing.
fn fill_rules(table: &mut Map<String, Value>) {
    patches(table, "rules", &RbacRule::default());
}

fn identity(mut patch: Value) -> Identity {
    let table = patch.as_object_mut().unwrap();
    let text = |key: &str, otherwise: &str| {
        table
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or(otherwise)
            .to_owned()
    };
    let name = text("name", "deployer");
    let kind: IdentityKind = serde_json::from_value(
        table
            .get("type")
            .cloned()
            .unwrap_or_else(|| "iam-user".into()),
    )
    .unwrap();
    let noun = if kind == IdentityKind::IamUser {
        "user"
    } else {
        "role"
    };
    let arn = format!("arn:aws:iam::111122223333:{noun}/{name}");
    let (provider, native_id) = (text("provider", "aws"), text("native_id", &arn));
    let mut base = Identity::named(&provider, kind, &name, &native_id, Grade::A);
    base.account = Some("111122223333".into());
    base.agent = table.contains_key("agent").then(AgentReach::default);
    if !table.contains_key("locations") && provider == "aws" {
        base.locations = vec![
            Location::file(
                "aws/111122223333",
                "account-authorization-details.json",
                7,
                1,
            )
            .naming(&native_id),
        ];
    }
    patches(table, "trust", &base_trust());
    over(&base, &patch)
}

fn position(inventory: &Inventory, name: &str) -> IdentityId {
    let mut named = inventory.identities.values().filter(|i| i.name == name);
    named
        .next()
        .unwrap_or_else(|| panic!("the case has no identity {name}"))
        .id
        .clone()
}

/// The inventory and configuration one case describes.
fn build(text: &str) -> (Inventory, Config) {
    let case: Case = toml::from_str(text).unwrap_or_else(|error| panic!("{error}"));
    assert!(!case.about.is_empty(), "a case says what it is about");
    let exposures = case.exposure.iter();
    let mut inventory = Inventory {
        exposures: exposures
            .map(|patch| over(&base_exposure(), patch))
            .collect(),
        ..Inventory::default()
    };
    for patch in case.identity {
        let identity = identity(patch);
        inventory.identities.insert(identity.id.clone(), identity);
    }
    let key = FingerprintKey::new([7; 32]);
    for (number, mut patch) in case.credential.into_iter().enumerate() {
        let table = patch.as_object_mut().unwrap();
        let of = take(table, "of");
        let material = take(table, "material") == Some(Value::Bool(true));
        patches(table, "sightings", &base_sighting());
        uncommit(table);
        let mut credential = over(&base_credential(), &patch);
        credential.id = CredentialId::of(&["case", &number.to_string()]);
        credential.last_used_at = credential.last_use.at();
        if material {
            credential.fingerprint = Some(key.fingerprint(&credential.kind, &[number as u8]));
        }
        if let Some(of) = of {
            let id = position(&inventory, of.as_str().unwrap());
            let holder = inventory.identities.get_mut(&id).unwrap();
            holder.credentials.push(credential.id.clone());
            credential.identity = Some(id);
        }
        inventory
            .credentials
            .insert(credential.id.clone(), credential);
    }
    for (number, mut patch) in case.grant.into_iter().enumerate() {
        let table = patch.as_object_mut().unwrap();
        let of = take(table, "of").unwrap();
        let id = position(&inventory, of.as_str().unwrap());
        let holder = inventory.identities.get_mut(&id).unwrap();
        let mut grant = over(&base_grant(holder), &patch);
        grant.id = GrantId::of(&["case", &number.to_string()]);
        holder.grants.push(grant.id.clone());
        inventory.grants.insert(grant.id.clone(), grant);
    }
    for (number, mut patch) in case.consumer.into_iter().enumerate() {
        let table = patch.as_object_mut().unwrap();
        let runs_as = names(take(table, "runs_as"));
        let holds = names(take(table, "holds"));
        let mut consumer = over(&base_consumer(), &patch);
        consumer.id = ConsumerId::of(&["case", &number.to_string()]);
        for name in runs_as {
            let id = position(&inventory, &name);
            let holder = inventory.identities.get_mut(&id).unwrap();
            holder.consumers.push(consumer.id.clone());
            consumer.uses.identities.push(id);
        }
        for public_id in holds {
            let credential = inventory
                .credentials
                .values_mut()
                .find(|c| c.public_id.as_ref() == Some(&public_id))
                .unwrap_or_else(|| panic!("the case has no credential {public_id}"));
            credential.consumers.push(consumer.id.clone());
            consumer.uses.credentials.push(credential.id.clone());
        }
        inventory.consumers.insert(consumer.id.clone(), consumer);
    }
    inventory.roles = case
        .role
        .into_iter()
        .map(|mut patch| {
            fill_rules(patch.as_object_mut().unwrap());
            over(&base_role(), &patch)
        })
        .collect();
    inventory.bindings = case
        .binding
        .iter()
        .map(|patch| over(&base_binding(), patch))
        .collect();
    inventory.capabilities = case
        .capability
        .iter()
        .map(|patch| over(&base_capability(), patch))
        .collect();
    inventory.routines = case
        .routine
        .iter()
        .map(|patch| over(&base_routine(), patch))
        .collect();
    for (account, trails) in case.trails {
        let trails = trails.iter().map(|patch| over(&AwsTrail::default(), patch));
        inventory.trails.insert(account, trails.collect());
    }
    let config = Config::parse(&case.config.to_string()).unwrap();
    (inventory, config)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/checks")
}

/// Every case of one check: `(name, text)`, by name.
pub(super) fn cases(id: &str) -> Vec<(String, String)> {
    let mut cases: Vec<(String, String)> = std::fs::read_dir(folder().join(id))
        .unwrap_or_else(|_| panic!("fixtures/checks/{id} is missing"))
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    cases.sort();
    cases
}

fn check(id: &str) -> &'static dyn Check {
    *CHECKS.iter().find(|check| check.id() == id).unwrap()
}

/// Gives `judge` the context of a case.
pub(super) fn in_case<T>(text: &str, judge: impl FnOnce(&CheckContext<'_>) -> T) -> T {
    let (inventory, config) = build(text);
    let posture = Posture::builtin().unwrap();
    let thresholds: Thresholds = Scoring::builtin().unwrap().thresholds;
    judge(&CheckContext {
        inventory: &inventory,
        posture: &posture,
        thresholds: &thresholds,
        config: &config,
        now: now(),
    })
}

/// What the check `id` finds in a case.
pub(super) fn findings(id: &str, text: &str) -> Vec<Finding> {
    in_case(text, |context| findings_of(check(id), context).unwrap())
}

/// What a check says to each of its cases, as text to compare. Cases named `quiet-…` must have no finding and all
/// others must have one.
pub(super) fn report(id: &str) -> String {
    let mut out = String::new();
    for (name, text) in cases(id) {
        let findings = findings(id, &text);
        assert_eq!(
            findings.is_empty(),
            name.starts_with("quiet-"),
            "{id}/{name}"
        );
        if findings.is_empty() {
            continue;
        }
        let _ = writeln!(out, "{name}");
        for finding in findings {
            let (severity, confidence) = (finding.severity, finding.confidence.as_str());
            let _ = writeln!(out, "  {severity} ({confidence}): {}", finding.title);
            let _ = writeln!(out, "    {}", finding.message);
            let places: Vec<String> = finding.locations.iter().map(Location::display).collect();
            let _ = writeln!(out, "    at {}", places.join(", "));
            for evidence in finding.evidence {
                let _ = writeln!(out, "    {} {}", evidence.grade.as_str(), evidence.text);
            }
        }
    }
    out
}
