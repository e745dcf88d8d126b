//! Intrinsic functions, in their short and their long form, as far as the template tells.

use super::super::infra::names::{iam_arn, oidc_arn};
use super::super::infra::value::{Val, later, open, unmarked};
use super::super::node::{Node, Value};
use crate::model::UNKNOWN_ACCOUNT;
use std::cell::Cell;
use std::collections::BTreeMap;

/// Deepest nesting evaluated.
const MAX_DEPTH: usize = 48;
/// Most values of one template.
const MAX_STEPS: u32 = 400_000;

/// A template whose values can be asked for.
pub(super) struct Template<'n> {
    root: &'n Node,
    steps: Cell<u32>,
    depth: Cell<usize>,
}

impl<'n> Template<'n> {
    pub(super) const fn new(root: &'n Node) -> Self {
        Self {
            root,
            steps: Cell::new(MAX_STEPS),
            depth: Cell::new(0),
        }
    }

    /// `Globals` of SAM.
    pub(super) fn globals(&self, section: &str) -> Val {
        self.root
            .path(&["Globals", section])
            .map_or(Val::Null, |node| self.value(node))
    }

    /// A value with its functions evaluated.
    pub(super) fn value(&self, node: &Node) -> Val {
        let depth = self.depth.get();
        let left = self.steps.get();
        if depth > MAX_DEPTH || left == 0 {
            return Val::open("a value too deep to evaluate");
        }
        self.steps.set(left - 1);
        self.depth.set(depth + 1);
        let value = self.evaluated(node);
        self.depth.set(depth);
        value
    }

    fn evaluated(&self, node: &Node) -> Val {
        if let Some(tag) = node.tag.as_deref() {
            let name = tag.trim_start_matches('!');
            if let Some(value) = self.function(name, node) {
                return value;
            }
        }
        match &node.value {
            Value::Null => Val::Null,
            Value::Scalar { text, plain: true } => match text.as_str() {
                "true" => Val::Bool(true),
                "false" => Val::Bool(false),
                text => Val::text(unmarked(text)),
            },
            Value::Scalar { text, .. } => Val::text(unmarked(text)),
            Value::List(items) => Val::list(
                items
                    .iter()
                    .map(|item| self.value(item))
                    .filter(|value| !value.is_null())
                    .collect(),
            ),
            Value::Map(entries) => {
                if let [(key, argument)] = entries.as_slice() {
                    let name = key.text.strip_prefix("Fn::").unwrap_or(&key.text);
                    if (key.text.starts_with("Fn::") || matches!(name, "Ref" | "Condition"))
                        && let Some(value) = self.function(name, argument)
                    {
                        return value;
                    }
                }
                Val::map(
                    entries
                        .iter()
                        .map(|(key, value)| (unmarked(&key.text), self.value(value)))
                        .filter(|(_, value)| !value.is_null())
                        .collect(),
                )
            }
        }
    }

    fn function(&self, name: &str, argument: &Node) -> Option<Val> {
        let plain = || argument.as_str().map(str::to_owned);
        let items = argument.items();
        Some(match name {
            "Ref" => self.reference(&plain()?),
            "GetAtt" => {
                let path = match plain() {
                    Some(text) => text,
                    None => items
                        .iter()
                        .map(|item| self.value(item).as_text())
                        .collect::<Option<Vec<String>>>()?
                        .join("."),
                };
                self.attribute(&path)
            }
            "Sub" => {
                if let Some(text) = plain() {
                    return Some(self.substituted(&text, &BTreeMap::new()));
                }
                let Val::Map(names) = self.value(items.get(1)?) else {
                    return None;
                };
                self.substituted(items.first()?.as_str()?, &names)
            }
            "Join" => {
                let separator = items.first()?.as_str()?;
                let list = self.value(items.get(1)?);
                match list.items() {
                    Some(list) => {
                        let texts: Vec<String> = list.iter().filter_map(Val::as_text).collect();
                        Val::Text(texts.join(separator))
                    }
                    None => list,
                }
            }
            "If" => {
                let (yes, no) = (items.get(1)?, items.get(2)?);
                match self.condition(items.first()?.as_str()?) {
                    Some(true) => self.value(yes),
                    Some(false) => self.value(no),
                    None => {
                        let (yes, no) = (self.value(yes), self.value(no));
                        match (yes.same(&no), &yes, &no) {
                            (Some(true), ..) => yes,
                            // Of two that may be, the one that is there at all is the upper bound.
                            (_, Val::Null, _) => no,
                            (_, _, Val::Null) => yes,
                            _ => Val::open(format!("the condition {}", items.first()?.as_str()?)),
                        }
                    }
                }
            }
            "Select" => {
                let at: usize = self.value(items.first()?).as_text()?.parse().ok()?;
                let list = self.value(items.get(1)?);
                match list.items() {
                    Some(list) => list.get(at).cloned().unwrap_or(Val::Null),
                    None => list,
                }
            }
            "Split" => {
                let separator = items.first()?.as_str()?;
                let whole = self.value(items.get(1)?).as_text()?;
                Val::list(whole.split(separator).take(1_000).map(Val::text).collect())
            }
            "FindInMap" => {
                let keys: Option<Vec<String>> = items
                    .iter()
                    .take(3)
                    .map(|item| self.value(item).known_text())
                    .collect();
                match keys.as_deref() {
                    Some([map, first, second]) => self
                        .root
                        .path(&["Mappings", map, first, second])
                        .map_or_else(
                            || Val::open(format!("the mapping {map}")),
                            |node| self.value(node),
                        ),
                    _ => Val::open("a mapping"),
                }
            }
            "Base64" => self.value(argument),
            "ImportValue" => Val::open(format!(
                "the import {}",
                self.value(argument).as_text().unwrap_or_default()
            )),
            "GetAZs" | "Cidr" | "Transform" | "ForEach" | "Length" | "ToJsonString" => {
                Val::open(format!("Fn::{name}"))
            }
            _ => return None,
        })
    }

    fn resource(&self, name: &str) -> Option<&'n Node> {
        self.root.path(&["Resources", name])
    }

    fn property(&self, resource: &Node, name: &str) -> Option<String> {
        let property = resource.path(&["Properties", name])?;
        self.value(property)
            .as_text()
            .filter(|text| !text.is_empty())
    }

    /// `Ref`.
    fn reference(&self, name: &str) -> Val {
        match name {
            "AWS::AccountId" => return Val::text(UNKNOWN_ACCOUNT),
            "AWS::Partition" => return Val::text("aws"),
            "AWS::URLSuffix" => return Val::text("amazonaws.com"),
            "AWS::Region" => return Val::text("*"),
            "AWS::NoValue" => return Val::Null,
            "AWS::StackName" | "AWS::StackId" => return Val::later(name),
            _ => {}
        }
        if let Some(parameter) = self.root.path(&["Parameters", name]) {
            let kind = parameter.text_at(&["Type"]).unwrap_or_default();
            let Some(default) = parameter.get("Default").and_then(Node::as_str) else {
                return Val::open(format!("the parameter {name}"));
            };
            // What is kept elsewhere is only named by its default.
            if kind.starts_with("AWS::SSM::") {
                return Val::open(format!("the parameter {name}"));
            }
            return if kind == "CommaDelimitedList" || kind.starts_with("List<") {
                Val::list(
                    default
                        .split(',')
                        .map(|part| Val::text(unmarked(part.trim())))
                        .collect(),
                )
            } else {
                Val::text(unmarked(default))
            };
        }
        let Some(resource) = self.resource(name) else {
            return Val::open(name);
        };
        let kind = resource.text_at(&["Type"]).unwrap_or_default();
        match kind {
            "AWS::IAM::ManagedPolicy" | "AWS::IAM::OIDCProvider" | "AWS::IAM::SAMLProvider" => {
                self.attribute(&format!("{name}.Arn"))
            }
            "AWS::SNS::Topic"
            | "AWS::SecretsManager::Secret"
            | "AWS::StepFunctions::StateMachine" => self.attribute(&format!("{name}.Arn")),
            _ => Val::Text(self.name_of(name, resource)),
        }
    }

    /// The physical name of a resource, or the mark that stands for it.
    pub(super) fn name_of(&self, name: &str, resource: &Node) -> String {
        let kind = resource.text_at(&["Type"]).unwrap_or_default();
        let field = match kind {
            "AWS::IAM::Role" => "RoleName",
            "AWS::IAM::User" => "UserName",
            "AWS::IAM::Group" => "GroupName",
            "AWS::IAM::ManagedPolicy" => "ManagedPolicyName",
            "AWS::IAM::InstanceProfile" => "InstanceProfileName",
            "AWS::S3::Bucket" => "BucketName",
            "AWS::DynamoDB::Table" | "AWS::Serverless::SimpleTable" => "TableName",
            "AWS::SQS::Queue" => "QueueName",
            "AWS::SNS::Topic" => "TopicName",
            "AWS::Lambda::Function" | "AWS::Serverless::Function" => "FunctionName",
            "AWS::Logs::LogGroup" => "LogGroupName",
            "AWS::ECR::Repository" => "RepositoryName",
            _ => "Name",
        };
        self.property(resource, field)
            .unwrap_or_else(|| later(name))
    }

    /// `Fn::GetAtt`.
    fn attribute(&self, path: &str) -> Val {
        let (name, attribute) = path.split_once('.').unwrap_or((path, ""));
        let unknown = || Val::later(path);
        let Some(resource) = self.resource(name) else {
            // SAM makes a role for each function that has none.
            if attribute == "Arn"
                && let Some(function) = name.strip_suffix("Role")
                && self.resource(function).is_some()
            {
                return Val::Text(iam_arn(UNKNOWN_ACCOUNT, "role", "/", &later(name)));
            }
            return unknown();
        };
        if attribute != "Arn" && !attribute.ends_with("Arn") {
            return unknown();
        }
        let physical = self.name_of(name, resource);
        let path = self
            .property(resource, "Path")
            .unwrap_or_else(|| "/".to_owned());
        let arn = |form: String| Val::Text(form);
        match resource.text_at(&["Type"]).unwrap_or_default() {
            "AWS::IAM::Role" => arn(iam_arn(UNKNOWN_ACCOUNT, "role", &path, &physical)),
            "AWS::IAM::User" => arn(iam_arn(UNKNOWN_ACCOUNT, "user", &path, &physical)),
            "AWS::IAM::Group" => arn(iam_arn(UNKNOWN_ACCOUNT, "group", &path, &physical)),
            "AWS::IAM::ManagedPolicy" => arn(iam_arn(UNKNOWN_ACCOUNT, "policy", &path, &physical)),
            "AWS::IAM::InstanceProfile" => arn(iam_arn(
                UNKNOWN_ACCOUNT,
                "instance-profile",
                &path,
                &physical,
            )),
            "AWS::IAM::OIDCProvider" => {
                let url = self
                    .property(resource, "Url")
                    .unwrap_or_else(|| later(name));
                arn(oidc_arn(UNKNOWN_ACCOUNT, &url))
            }
            "AWS::S3::Bucket" => arn(format!("arn:aws:s3:::{physical}")),
            "AWS::DynamoDB::Table" | "AWS::Serverless::SimpleTable" => arn(format!(
                "arn:aws:dynamodb:*:{UNKNOWN_ACCOUNT}:table/{physical}"
            )),
            "AWS::SQS::Queue" => arn(format!("arn:aws:sqs:*:{UNKNOWN_ACCOUNT}:{physical}")),
            "AWS::SNS::Topic" => arn(format!("arn:aws:sns:*:{UNKNOWN_ACCOUNT}:{physical}")),
            "AWS::Lambda::Function" | "AWS::Serverless::Function" => arn(format!(
                "arn:aws:lambda:*:{UNKNOWN_ACCOUNT}:function:{physical}"
            )),
            "AWS::Logs::LogGroup" => arn(format!(
                "arn:aws:logs:*:{UNKNOWN_ACCOUNT}:log-group:{physical}:*"
            )),
            "AWS::SecretsManager::Secret" => arn(format!(
                "arn:aws:secretsmanager:*:{UNKNOWN_ACCOUNT}:secret:{physical}-{}",
                later(name)
            )),
            "AWS::KMS::Key" => arn(format!("arn:aws:kms:*:{UNKNOWN_ACCOUNT}:key/{physical}")),
            "AWS::ECR::Repository" => arn(format!(
                "arn:aws:ecr:*:{UNKNOWN_ACCOUNT}:repository/{physical}"
            )),
            "AWS::StepFunctions::StateMachine" => arn(format!(
                "arn:aws:states:*:{UNKNOWN_ACCOUNT}:stateMachine:{physical}"
            )),
            "AWS::CodeBuild::Project" => arn(format!(
                "arn:aws:codebuild:*:{UNKNOWN_ACCOUNT}:project/{physical}"
            )),
            _ => unknown(),
        }
    }

    /// `${Name}`, `${Name.Attribute}` and `${!literal}`.
    fn substituted(&self, text: &str, names: &BTreeMap<String, Val>) -> Val {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(&unmarked(before));
            let Some((name, tail)) = after.split_once('}') else {
                out.push_str("${");
                rest = after;
                continue;
            };
            if let Some(literal) = name.strip_prefix('!') {
                out.push_str("${");
                out.push_str(literal);
                out.push('}');
            } else {
                let name = name.trim();
                let value = match names.get(name) {
                    Some(value) => value.clone(),
                    None if name.contains('.') => self.attribute(name),
                    None => self.reference(name),
                };
                out.push_str(&value.as_text().unwrap_or_else(|| open(name)));
            }
            rest = tail;
            if out.len() > 1 << 18 {
                return Val::open("a text too long to evaluate");
            }
        }
        out.push_str(&unmarked(rest));
        Val::Text(out)
    }

    /// Whether a condition holds with the defaults of the parameters; `None` when that is unknown.
    pub(super) fn condition(&self, name: &str) -> Option<bool> {
        self.test(self.root.path(&["Conditions", name])?, 0)
    }

    fn test(&self, node: &Node, depth: usize) -> Option<bool> {
        if depth > 16 {
            return None;
        }
        let (name, argument) = match (&node.tag, &node.value) {
            (Some(tag), _) => (tag.trim_start_matches('!'), node),
            (None, Value::Map(entries)) => {
                let (key, argument) = entries.first()?;
                (key.text.strip_prefix("Fn::").unwrap_or(&key.text), argument)
            }
            _ => return node.as_bool(),
        };
        let all = || {
            argument
                .items()
                .iter()
                .map(|item| self.test(item, depth + 1))
        };
        match name {
            "Equals" => {
                let (left, right) = (argument.items().first()?, argument.items().get(1)?);
                self.value(left).same(&self.value(right))
            }
            "Not" => all().next()?.map(|held| !held),
            "And" => {
                let held: Vec<Option<bool>> = all().collect();
                if held.contains(&Some(false)) {
                    Some(false)
                } else {
                    held.iter().all(Option::is_some).then_some(true)
                }
            }
            "Or" => {
                let held: Vec<Option<bool>> = all().collect();
                if held.contains(&Some(true)) {
                    Some(true)
                } else {
                    held.iter().all(Option::is_some).then_some(false)
                }
            }
            "Condition" => self.test(
                self.root.path(&["Conditions", argument.as_str()?])?,
                depth + 1,
            ),
            _ => None,
        }
    }
}
