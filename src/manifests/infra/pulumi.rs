//! Pulumi programs in YAML: resources whose types and properties are those of Terraform's providers, spelled another way, or of
//! Kubernetes' own objects.

use super::super::context::Context;
use super::super::kubernetes;
use super::super::node::{Key, Node, Value};
use super::cloud::{self, Unit, interesting};
use super::draft::Declared;
use super::item::Item;
use super::names::{CREATED, filled, iam_arn, iam_section};
use super::value::{Val, later, open, shown, unmarked};
use crate::model::{Declarations, UNKNOWN_ACCOUNT};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Deepest value read.
const MAX_DEPTH: usize = 40;

/// Whether a name is that of a program.
pub(in super::super) fn is_program(name: &str) -> bool {
    matches!(
        name,
        "Pulumi.yaml" | "Pulumi.yml" | "Main.yaml" | "Main.yml"
    )
}

/// Reads a program.
pub(in super::super) fn read(context: &Context<'_>, root: &Node, out: &mut Declarations) {
    let program = Program { root };
    let mut items = Vec::new();
    let mut objects = Vec::new();
    for (key, resource) in root.get("resources").into_iter().flat_map(Node::entries) {
        let kind = resource.text_at(&["type"]);
        objects.extend(kind.and_then(|kind| program.object(kind, key, resource)));
        let Some(kind) = kind.and_then(terraform_type) else {
            continue;
        };
        if !interesting(&kind) {
            continue;
        }
        let mut attributes = match resource.get("properties") {
            Some(properties) => program.value(properties, 0),
            None => Val::map(BTreeMap::new()),
        };
        if let Val::Map(map) = &mut attributes
            && iam_section(&kind).is_some()
            && map.get("name").is_none_or(Val::is_null)
        {
            Rc::make_mut(map).insert("name".to_owned(), Val::later(&key.text));
        }
        items.push(Item {
            kind,
            declared: Declared {
                address: key.text.clone(),
                location: context.location(key.line, key.column),
                open: None,
            },
            attributes,
            account: UNKNOWN_ACCOUNT.to_owned(),
        });
    }
    let unit = Unit {
        repository: context.repository,
        tool: "pulumi",
        name: context.uri,
    };
    super::super::terraform::absorb(out, cloud::declare(&unit, context.tables, &items));
    kubernetes::read(context, &objects, out);
}

/// `aws:iam:Role` and `aws:iam/role:Role` as `aws_iam_role`.
fn terraform_type(kind: &str) -> Option<String> {
    let mut parts = kind.split(':');
    let (package, module, name) = (parts.next()?, parts.next()?, parts.next()?);
    let module = module.split('/').next().unwrap_or(module);
    let snake = snake(name);
    Some(match (package, module) {
        ("aws", "iam") => format!(
            "aws_iam_{}",
            match snake.as_str() {
                "open_id_connect_provider" => "openid_connect_provider",
                other => other,
            }
        ),
        ("gcp", "serviceaccount") => match snake.as_str() {
            "account" => "google_service_account".to_owned(),
            "key" => "google_service_account_key".to_owned(),
            other => format!("google_service_account_{}", iam(other)),
        },
        ("gcp", "projects" | "organizations" | "folder") => {
            format!("google_{}_{}", module.trim_end_matches('s'), iam(&snake))
        }
        ("gcp", module) if snake.contains("iam") => format!("google_{module}_{}", iam(&snake)),
        ("azuread", _) => format!("azuread_{snake}"),
        ("azure", "authorization") => match snake.as_str() {
            "assignment" => "azurerm_role_assignment".to_owned(),
            other => format!("azurerm_{other}"),
        },
        ("azure-native", "authorization") if snake == "role_assignment" => {
            "azurerm_role_assignment".to_owned()
        }
        ("azure-native", "managedidentity") => match snake.as_str() {
            "user_assigned_identity" => "azurerm_user_assigned_identity".to_owned(),
            "federated_identity_credential" => "azurerm_federated_identity_credential".to_owned(),
            _ => return None,
        },
        _ => return None,
    })
}

/// `i_a_m_member` is how `IAMMember` comes out.
fn iam(snake: &str) -> String {
    snake.replace("i_a_m_", "iam_")
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    for c in name.chars() {
        if c.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit()) {
            out.push('_');
        }
        // `IAMMember`: a run of capitals is one word, its last letter begins the next.
        out.extend(c.to_lowercase());
        before = c;
    }
    out.replace("iammember", "iam_member")
        .replace("iambinding", "iam_binding")
        .replace("iampolicy", "iam_policy")
}

struct Program<'n> {
    root: &'n Node,
}

impl Program<'_> {
    /// An object of Kubernetes: `kubernetes:apps/v1:Deployment` with the properties of its manifest.
    fn object(&self, kind: &str, key: &Key, resource: &Node) -> Option<Node> {
        let (group, kind) = kind.strip_prefix("kubernetes:")?.split_once(':')?;
        let version = group.strip_prefix("core/").unwrap_or(group);
        // Charts and files of manifests are resources of this package too.
        if !version.contains('v') || group.starts_with("helm") {
            return None;
        }
        let own = |name: &str, text: &str| {
            let named = Key {
                text: name.to_owned(),
                ..key.clone()
            };
            let value = Value::Scalar {
                text: text.to_owned(),
                plain: false,
            };
            (
                named,
                Node {
                    value,
                    line: key.line,
                    column: key.column,
                    span: resource.span,
                    tag: None,
                },
            )
        };
        let mut entries = vec![own("apiVersion", version), own("kind", kind)];
        let properties = resource
            .get("properties")
            .into_iter()
            .flat_map(Node::entries);
        entries.extend(
            properties
                .filter(|(key, _)| !matches!(key.text.as_str(), "apiVersion" | "kind"))
                .map(|(key, node)| (key.clone(), self.filled(node, 0))),
        );
        let named = entries
            .iter()
            .any(|(key, node)| key.text == "metadata" && node.text_at(&["name"]).is_some());
        if !named {
            let mut metadata = own("metadata", "");
            let held = entries.iter().position(|(key, _)| key.text == "metadata");
            let mut inner = held.map_or_else(Vec::new, |at| match entries.remove(at).1.value {
                Value::Map(inner) => inner,
                _ => Vec::new(),
            });
            inner.push(own("name", &key.text));
            metadata.1.value = Value::Map(inner);
            entries.push(metadata);
        }
        let mut node = resource.clone();
        (node.line, node.column) = (key.line, key.column);
        node.value = Value::Map(entries);
        Some(node)
    }

    /// A value of a manifest with the names of other resources in it.
    fn filled(&self, node: &Node, depth: usize) -> Node {
        if depth > MAX_DEPTH {
            return node.clone();
        }
        let value = match &node.value {
            Value::Scalar { text, plain } if text.contains("${") => Value::Scalar {
                text: shown(&self.text(text, depth).as_text().unwrap_or_default()),
                plain: *plain,
            },
            Value::List(items) => Value::List(
                items
                    .iter()
                    .map(|item| self.filled(item, depth + 1))
                    .collect(),
            ),
            Value::Map(entries) => Value::Map(
                entries
                    .iter()
                    .map(|(key, node)| (key.clone(), self.filled(node, depth + 1)))
                    .collect(),
            ),
            other => other.clone(),
        };
        Node {
            value,
            ..node.clone()
        }
    }

    fn value(&self, node: &Node, depth: usize) -> Val {
        if depth > MAX_DEPTH {
            return Val::open("a value too deep to evaluate");
        }
        match &node.value {
            Value::Null => Val::Null,
            Value::Scalar { text, plain: true } if text == "true" || text == "false" => {
                Val::Bool(text == "true")
            }
            Value::Scalar { text, .. } => self.text(text, depth),
            Value::List(items) => Val::list(
                items
                    .iter()
                    .map(|item| self.value(item, depth + 1))
                    .collect(),
            ),
            Value::Map(entries) => {
                if let [(key, argument)] = entries.as_slice()
                    && let Some(function) = key.text.strip_prefix("fn::")
                {
                    return self.function(function, argument, depth);
                }
                let document = entries
                    .iter()
                    .any(|(key, _)| key.text == "Statement" || key.text == "Effect");
                Val::map(
                    entries
                        .iter()
                        .map(|(key, value)| {
                            // Names of properties are changed, those in documents are not.
                            let name = if document
                                || key.text.starts_with(char::is_uppercase)
                                || key.text.contains(':')
                            {
                                unmarked(&key.text)
                            } else {
                                snake(&unmarked(&key.text))
                            };
                            (name, self.value(value, depth + 1))
                        })
                        .collect(),
                )
            }
        }
    }

    fn function(&self, name: &str, argument: &Node, depth: usize) -> Val {
        let value = self.value(argument, depth + 1);
        match name {
            "toJSON" => Val::Text(value.to_json().to_string()),
            "secret" => value,
            "join" => {
                let list = value.items().unwrap_or_default();
                let separator = list.first().and_then(Val::as_text).unwrap_or_default();
                let texts: Vec<String> = list
                    .get(1)
                    .and_then(Val::items)
                    .unwrap_or_default()
                    .iter()
                    .filter_map(Val::as_text)
                    .collect();
                Val::Text(texts.join(&separator))
            }
            other => Val::open(format!("fn::{other}")),
        }
    }

    fn text(&self, text: &str, depth: usize) -> Val {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(&unmarked(before));
            let Some((path, tail)) = after.split_once('}') else {
                out.push_str("${");
                rest = after;
                continue;
            };
            // A variable of a policy is written with two dollars.
            if out.ends_with('$') {
                out.push('{');
                out.push_str(path);
                out.push('}');
            } else {
                out.push_str(
                    &self
                        .reference(path, depth)
                        .as_text()
                        .unwrap_or_else(|| open(path)),
                );
            }
            rest = tail;
        }
        out.push_str(&unmarked(rest));
        Val::Text(out)
    }

    /// A property of an object as it is declared: `metadata.name`, `metadata["name"]`.
    fn given(&self, resource: &Node, path: &str, depth: usize) -> Option<Val> {
        let plain = path.replace("[\"", ".").replace("\"]", "");
        let node = plain
            .split('.')
            .try_fold(resource.get("properties")?, |node, part| node.get(part))?;
        node.as_str()?;
        Some(self.value(node, depth + 1))
    }

    fn reference(&self, path: &str, depth: usize) -> Val {
        let (name, attribute) = path.split_once('.').unwrap_or((path, "id"));
        if let Some(variable) = self.root.path(&["variables", name]) {
            return self.value(variable, depth + 1).get(attribute);
        }
        let resource = self.root.path(&["resources", name]);
        let kind = resource
            .and_then(|resource| resource.text_at(&["type"]))
            .and_then(terraform_type);
        let (Some(resource), Some(kind)) = (resource, kind) else {
            return if let Some(resource) = resource {
                self.given(resource, attribute, depth)
                    .unwrap_or_else(|| Val::later(path))
            } else {
                Val::open(path)
            };
        };
        let property = |field: &str| {
            let properties = resource.get("properties")?;
            let (_, node) = properties
                .entries()
                .find(|(key, _)| snake(&key.text) == field)?;
            self.value(node, depth + 1).as_text()
        };
        let given = property("name").unwrap_or_else(|| later(name));
        match (iam_section(&kind), attribute) {
            (Some(section), "arn") => {
                let path = property("path").unwrap_or_else(|| "/".to_owned());
                Val::Text(iam_arn(UNKNOWN_ACCOUNT, section, &path, &given))
            }
            (Some(section), "id") if section == "policy" => {
                Val::Text(iam_arn(UNKNOWN_ACCOUNT, section, "/", &given))
            }
            (Some(_), "name" | "id") => Val::Text(given),
            _ => match CREATED
                .iter()
                .find(|known| known.0 == kind && known.1 == attribute)
            {
                Some((_, _, form)) => Val::Text(filled(form, UNKNOWN_ACCOUNT, |field| {
                    property(field).unwrap_or_else(|| later(name))
                })),
                None => Val::later(path),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::declared;

    #[test]
    fn resources_are_those_of_terraform() {
        let out = declared(
            "Pulumi.yaml",
            "name: x\nruntime: yaml\nresources:\n  deploy:\n    type: aws:iam:Role\n    properties:\n      name: deploy\n      assumeRolePolicy:\n        fn::toJSON:\n          Version: 2012-10-17\n          Statement: [{Effect: Allow, Action: 'sts:AssumeRole', Principal: {Service: ec2.amazonaws.com}}]\n  attach:\n    type: aws:iam/rolePolicyAttachment:RolePolicyAttachment\n    properties: {role: '${deploy.name}', policyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess'}\n  robot:\n    type: gcp:serviceaccount:Account\n    properties: {accountId: robot, project: shop}\n",
        );
        let role = &out.stacks[0].account.roles[0];
        assert_eq!(
            (role.name.as_str(), role.attached[0].name.as_str()),
            ("deploy", "ReadOnlyAccess")
        );
        assert_eq!(role.location.line, Some(4));
        assert_eq!(
            role.trust["Statement"][0]["Principal"]["Service"][0],
            "ec2.amazonaws.com"
        );
        assert_eq!(out.identities[0].kind.as_str(), "gcp-service-account");
    }

    #[test]
    fn objects_of_kubernetes_are_read_as_their_manifests() {
        let out = declared(
            "Pulumi.yaml",
            "name: x\nruntime: yaml\nresources:\n  ns:\n    type: kubernetes:core/v1:Namespace\n    properties: {metadata: {name: pay}}\n  robot:\n    type: kubernetes:core/v1:ServiceAccount\n    properties: {metadata: {name: robot, namespace: '${ns.metadata.name}'}}\n  app:\n    type: kubernetes:apps/v1:Deployment\n    properties:\n      metadata: {namespace: '${ns.metadata[\"name\"]}'}\n      spec: {template: {spec: {serviceAccountName: '${robot.metadata.name}', containers: [{name: c, image: x}]}}}\n",
        );
        let names: Vec<&str> = out
            .identities
            .iter()
            .map(|identity| identity.native_id.as_str())
            .collect();
        assert_eq!(
            names.first(),
            Some(&"system:serviceaccount:pay:robot"),
            "{names:?}"
        );
        assert_eq!(out.consumers[0].name, "Deployment pay/app");
        assert!(
            out.consumers[0]
                .uses
                .native_ids
                .contains(&"system:serviceaccount:pay:robot".to_owned())
                || out.consumers[0].identity.is_some()
        );
    }
}
