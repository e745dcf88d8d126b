//! Terraform state: what was deployed, and the secrets that lie in it in plain text.

use super::super::clean::clean;
use super::super::context::Context;
use super::super::infra::cloud::{self, Unit, interesting};
use super::super::infra::draft::Declared;
use super::super::infra::item::Item;
use super::super::infra::names::iam_arn;
use super::super::jsonc;
use super::super::node::{Node, Value};
use super::super::tokens::{self, Told};
use super::functions::node_value;
use crate::model::{Confidence, CoverageStatus, Declarations, UNKNOWN_ACCOUNT};

/// Id under which sightings of this reader are known.
pub(in super::super) const RULE: &str = "terraform-state-secret";
/// Most resources of one state.
const MAX_RESOURCES: usize = 20_000;
/// Most secrets told of one state.
const MAX_SECRETS: usize = 2_000;

/// Attributes that hold a secret: type of the resource (`*` for any), attribute, and the type and issuer of what it holds.
/// Known from the providers' documentation of sensitive attributes, 2026-11-22.
const SECRETS: [(&str, &str, &str, &str); 12] = [
    ("aws_iam_access_key", "secret", "aws-access-key", "aws"),
    (
        "aws_iam_access_key",
        "ses_smtp_password_v4",
        "password",
        "aws",
    ),
    ("aws_iam_user_login_profile", "password", "password", "aws"),
    (
        "azuread_application_password",
        "value",
        "azure-client-secret",
        "azure",
    ),
    (
        "azuread_service_principal_password",
        "value",
        "azure-client-secret",
        "azure",
    ),
    (
        "azurerm_storage_account",
        "primary_access_key",
        "azure-account-key",
        "azure",
    ),
    (
        "azurerm_storage_account",
        "secondary_access_key",
        "azure-account-key",
        "azure",
    ),
    ("random_password", "result", "password", "generic"),
    (
        "aws_secretsmanager_secret_version",
        "secret_string",
        "password",
        "generic",
    ),
    ("*", "password", "database-password", "database"),
    ("*", "master_password", "database-password", "database"),
    (
        "*",
        "administrator_login_password",
        "database-password",
        "database",
    ),
];

/// Whether a path is a state.
pub(in super::super) fn is_state(name: &str) -> bool {
    name.ends_with(".tfstate")
        || name.ends_with(".tfstate.backup")
        || name.ends_with(".tfstate.json")
}

/// One instance of a resource in a state.
struct Instance<'n> {
    kind: &'n str,
    address: String,
    place: (u32, u32),
    attributes: &'n Node,
    sensitive: Vec<&'n str>,
}

/// Reads a state.
pub(in super::super) fn read(context: &Context<'_>, out: &mut Declarations) {
    let parsed = jsonc::parse(context.text);
    if let Some(problem) = parsed.problems.first() {
        let reason = format!(
            "{} at line {}; what is behind it was left out",
            problem.kind, problem.line
        );
        out.notices
            .push(context.notice(CoverageStatus::Partial, &reason));
    }
    let Some(root) = parsed.documents.first() else {
        return;
    };
    let all = instances(root);
    let all = context.first(&all, MAX_RESOURCES, "resources", &mut out.notices);
    let own = all
        .iter()
        .find_map(|instance| account_of(instance.attributes));
    for instance in all {
        secrets(context, instance, own.as_deref(), out);
    }
    outputs(context, root, out);
    let items: Vec<Item> = all
        .iter()
        .filter(|instance| interesting(instance.kind))
        .filter(|instance| {
            instance.kind != "aws_iam_access_key" || instance.attributes.get("secret").is_none()
        })
        .map(|instance| Item {
            kind: instance.kind.to_owned(),
            declared: Declared {
                address: instance.address.clone(),
                location: context.location(instance.place.0, instance.place.1),
                open: None,
            },
            attributes: node_value(instance.attributes),
            account: account_of(instance.attributes)
                .or_else(|| own.clone())
                .unwrap_or_else(|| UNKNOWN_ACCOUNT.to_owned()),
        })
        .collect();
    let unit = Unit {
        repository: context.repository,
        tool: "terraform-state",
        name: context.uri,
    };
    super::absorb(out, cloud::declare(&unit, context.tables, &items));
}

fn account_of(attributes: &Node) -> Option<String> {
    let arn = attributes.text_at(&["arn"])?;
    let account = arn.split(':').nth(4)?;
    let digits = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| account.to_owned())
}

/// Instances of version 4, and of version 3 and before.
fn instances(root: &Node) -> Vec<Instance<'_>> {
    let mut out = Vec::new();
    for resource in root.get("resources").map(Node::items).unwrap_or_default() {
        if resource.text_at(&["mode"]) == Some("data") {
            continue;
        }
        let (Some(kind), Some(name)) = (resource.text_at(&["type"]), resource.text_at(&["name"]))
        else {
            continue;
        };
        let module = resource
            .text_at(&["module"])
            .map_or_else(String::new, |module| format!("{module}."));
        for instance in resource
            .get("instances")
            .map(Node::items)
            .unwrap_or_default()
        {
            let Some(attributes) = instance.get("attributes") else {
                continue;
            };
            let index = match instance.get("index_key").map(|key| &key.value) {
                Some(Value::Scalar { text, plain: true }) => format!("[{text}]"),
                Some(Value::Scalar { text, .. }) => format!("[\"{text}\"]"),
                _ => String::new(),
            };
            out.push(Instance {
                kind,
                address: format!("{module}{kind}.{name}{index}"),
                place: (resource.line, resource.column),
                attributes,
                sensitive: sensitive(instance),
            });
        }
    }
    for module in root.get("modules").map(Node::items).unwrap_or_default() {
        for (key, resource) in module.get("resources").into_iter().flat_map(Node::entries) {
            if let (Some(kind), Some(attributes)) = (
                resource.text_at(&["type"]),
                resource.path(&["primary", "attributes"]),
            ) && !key.text.starts_with("data.")
            {
                out.push(Instance {
                    kind,
                    address: key.text.clone(),
                    place: (key.line, key.column),
                    attributes,
                    sensitive: Vec::new(),
                });
            }
        }
    }
    out
}

/// Names of the attributes that the state itself calls sensitive.
fn sensitive(instance: &Node) -> Vec<&str> {
    let paths = instance
        .get("sensitive_attributes")
        .map(Node::items)
        .unwrap_or_default();
    paths
        .iter()
        .filter_map(|path| path.items().first().unwrap_or(path).text_at(&["value"]))
        .collect()
}

fn secrets(
    context: &Context<'_>,
    instance: &Instance<'_>,
    account: Option<&str>,
    out: &mut Declarations,
) {
    for (key, node) in instance.attributes.entries() {
        let Some(value) = node.as_str() else {
            continue;
        };
        let known = SECRETS.iter().find(|(kind, attribute, ..)| {
            (*kind == "*" || *kind == instance.kind) && *attribute == key.text
        });
        let told = instance.sensitive.contains(&key.text.as_str());
        let kind = match known {
            Some((_, _, kind, provider)) => Some((*kind, *provider)),
            None if told => Some(named(context, &key.text)),
            None => None,
        };
        let Some((kind, provider)) = kind else {
            continue;
        };
        let public_id = (kind == "aws-access-key")
            .then(|| instance.attributes.text_at(&["id"]))
            .flatten();
        let before = out.credentials.len();
        sighting(context, node, value, kind, provider, &instance.address, out);
        if let Some(seen) = out.credentials.get_mut(before)
            && seen.kind == kind
        {
            seen.public_id = public_id.map(str::to_owned);
            seen.expires_by_nature = public_id.map(|_| false);
            if let (Some(user), Some(account), Some(_)) =
                (instance.attributes.text_at(&["user"]), account, public_id)
            {
                seen.subject = Some(clean(&iam_arn(account, "user", "/", user)));
                seen.account = Some(account.to_owned());
            }
        }
    }
}

/// What a name tells of the secret under it.
fn named<'c>(context: &Context<'c>, name: &str) -> (&'c str, &'c str) {
    context
        .tables
        .names
        .lookup(name)
        .map_or(("password", "generic"), |rule| {
            (rule.kind.as_str(), rule.provider.as_str())
        })
}

fn outputs(context: &Context<'_>, root: &Node, out: &mut Declarations) {
    let top = root.get("outputs").into_iter();
    let modules = root.get("modules").map(Node::items).unwrap_or_default();
    let all = top.chain(modules.iter().filter_map(|module| module.get("outputs")));
    for (key, output) in all.flat_map(Node::entries) {
        let secret = output.get("sensitive").and_then(Node::as_bool) == Some(true);
        if let (true, Some(node)) = (secret, output.get("value"))
            && let Some(value) = node.as_str()
        {
            let (kind, provider) = named(context, &key.text);
            let what = format!("output {}", clean(&key.text));
            sighting(context, node, value, kind, provider, &what, out);
        }
    }
}

/// Whether a value is an address or a connection string with a password in it.
fn has_login(value: &str) -> bool {
    let authority = value
        .split_once("://")
        .and_then(|(_, rest)| rest.split(['/', '?', '#', ' ']).next());
    let is_address = authority
        .and_then(|authority| authority.rsplit_once('@'))
        .is_some_and(|(login, _)| {
            login
                .split_once(':')
                .is_some_and(|(_, word)| !word.is_empty())
        });
    let lower = value.to_ascii_lowercase();
    is_address
        || [";password=", ";pwd="]
            .iter()
            .any(|part| lower.contains(part))
}

fn sighting(
    context: &Context<'_>,
    node: &Node,
    value: &str,
    kind: &str,
    provider: &str,
    what: &str,
    out: &mut Declarations,
) {
    // Keys in PEM, addresses with a login and the like are told by the text engine, which knows more of them.
    if out.credentials.len() >= MAX_SECRETS
        || !tokens::plausible(value)
        || value.starts_with("-----")
        || has_login(value)
    {
        return;
    }
    let reason = format!("the state holds it in plain text, in {}", clean(what));
    let told = tokens::recognise(context, value, "form of the token, in a Terraform state")
        .unwrap_or(Told {
            rule: RULE,
            kind,
            provider,
            prefix: "",
            default_tier: None,
            expires_by_nature: None,
            confidence: Confidence::High,
            reason: &reason,
        });
    out.credentials
        .push(tokens::seen(context, node, value, &told));
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::declared;

    fn state(secret: &str, key: &str) -> String {
        format!(
            r#"{{"version": 4, "outputs": {{"token": {{"value": "{secret}x1", "type": "string", "sensitive": true}}}},
"resources": [
  {{"mode": "managed", "type": "aws_iam_user", "name": "ci", "instances": [{{"attributes": {{"name": "ci", "arn": "arn:aws:iam::111122223333:user/ci"}}}}]}},
  {{"mode": "managed", "type": "aws_iam_access_key", "name": "ci", "instances": [{{"index_key": 0,
     "attributes": {{"id": "{key}", "user": "ci", "secret": "{secret}"}}}}]}},
  {{"mode": "managed", "type": "random_password", "name": "db", "instances": [{{"attributes": {{"result": "{secret}z9"}}}}]}}
]}}"#
        )
    }

    #[test]
    fn what_was_deployed_is_declared_and_secrets_are_seen() {
        let secret = ["wJalr", "XUtnFEMIK7MDENGbPxRfiCY", "q7Zw2Lp9Kd3s"].concat();
        let key = ["AKIA", "Q3EGRIU7PLMN5XYZ"].concat();
        let out = declared("terraform.tfstate", &state(&secret, &key));
        let user = &out.stacks[0].account.users[0];
        assert_eq!(user.arn, "arn:aws:iam::111122223333:user/ci");
        assert_eq!(
            (user.location.line, user.location.column),
            (Some(3), Some(3))
        );
        let mut kinds: Vec<(&str, u32)> = out
            .credentials
            .iter()
            .map(|seen| (seen.kind.as_str(), seen.sighting.line))
            .collect();
        kinds.sort_unstable();
        assert_eq!(
            kinds,
            [("aws-access-key", 5), ("password", 1), ("password", 6)]
        );
        let access = out
            .credentials
            .iter()
            .find(|seen| seen.kind == "aws-access-key")
            .unwrap();
        assert_eq!(access.public_id.as_deref(), Some(key.as_str()));
        assert!(!format!("{out:?}").contains(&secret));
        assert!(out.issued.is_empty());
    }

    #[test]
    fn made_up_passwords_hold_any_mark() {
        for (marks, seen) in [("%<]#{k}>x", 1), ("<your password>", 0)] {
            let value = if seen == 1 {
                ["hX9cRO72", marks].concat()
            } else {
                marks.to_owned()
            };
            let state = format!(
                r#"{{"version": 4, "resources": [{{"mode": "managed", "type": "random_password", "name": "db", "instances": [{{"attributes": {{"result": "{value}"}}}}]}}]}}"#
            );
            let out = declared("terraform.tfstate", &state);
            assert_eq!(out.credentials.len(), seen, "{state}");
        }
    }

    #[test]
    fn a_login_in_an_address_is_left_to_the_text_engine() {
        let password = ["hX9cRO72", "kqLw"].concat();
        for (value, seen) in [
            (format!("postgres://app:{password}@db.acme.io/app"), 0),
            (format!("Server=db;User ID=sa;Password={password};"), 0),
            (format!("{password}://@x"), 1),
            (password.clone(), 1),
        ] {
            let state = format!(
                r#"{{"version": 4, "outputs": {{"db": {{"value": "{value}", "type": "string", "sensitive": true}}}}}}"#
            );
            let out = declared("terraform.tfstate", &state);
            assert_eq!(out.credentials.len(), seen, "{value}");
        }
    }

    #[test]
    fn older_states_are_read_as_well() {
        let out = declared(
            "old.tfstate",
            r#"{"version": 3, "modules": [{"path": ["root"], "resources": {"aws_iam_role.a": {"type": "aws_iam_role",
              "primary": {"attributes": {"name": "a", "arn": "arn:aws:iam::111122223333:role/a", "assume_role_policy": "{}"}}}}}]}"#,
        );
        assert_eq!(out.stacks[0].account.roles[0].name, "a");
    }
}
