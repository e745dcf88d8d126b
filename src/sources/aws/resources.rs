//! Policies of resources, as each service's own call prints them, and which resource they stand at.

use super::fields::{Object, text};
use super::policy;
use serde_json::Value;

/// Keys under which an answer names its resource.
pub(super) const NAMES: [&str; 12] = [
    "ResourceArn",
    "ResourceARN",
    "resourceArn",
    "ARN",
    "QueueArn",
    "TopicArn",
    "FunctionArn",
    "KeyArn",
    "RepositoryArn",
    "repositoryArn",
    "EventBusArn",
    "TableArn",
];

/// Takes the policy of a resource out of an object; `null`: the resource has none.
///
/// Recognised are `Policy` (S3, KMS, Lambda, DynamoDB, EventBridge …), `ResourcePolicy` (Secrets Manager), `policyText`
/// (ECR), and `Policy` among the `Attributes` of a queue or topic.
pub(super) fn take(object: &mut Object) -> Option<(Option<String>, Value)> {
    let named = NAMES
        .iter()
        .chain(&["Arn"])
        .find_map(|key| text(object, key).filter(|arn| is_resource(arn)))
        .map(str::to_owned);
    if let Some(Value::Object(attributes)) = object.get("Attributes") {
        let arn = ["QueueArn", "TopicArn"]
            .iter()
            .find_map(|key| text(attributes, key))?
            .to_owned();
        let document = match attributes.get("Policy") {
            None => Value::Null,
            Some(document) => policy::decode(document.clone()).filter(is_policy)?,
        };
        object.remove("Attributes");
        return Some((Some(arn), document));
    }
    for key in ["Policy", "ResourcePolicy", "policyText"] {
        match object.get(key) {
            Some(Value::Null) if named.is_some() => {
                object.remove(key);
                return Some((named, Value::Null));
            }
            Some(document @ (Value::String(_) | Value::Object(_))) => {
                if let Some(document) = policy::decode(document.clone()).filter(is_policy) {
                    object.remove(key);
                    return Some((named, document));
                }
            }
            _ => {}
        }
    }
    None
}

fn is_policy(document: &Value) -> bool {
    document.get("Statement").is_some()
}

/// Whether an ARN is one of a resource with a policy of its own, not of a principal.
fn is_resource(arn: &str) -> bool {
    arn.starts_with("arn:")
        && !matches!(arn.split(':').nth(2), Some("iam" | "sts" | "organizations"))
}

/// The resource a policy stands at: one of the names around it, the file's name, or the only one its statements name.
pub(super) fn place(
    named: Option<String>,
    names: &[String],
    folder: Option<&str>,
    stem: &str,
    document: &Value,
) -> Option<String> {
    named
        .or_else(|| names.iter().find(|name| is_resource(name)).cloned())
        .or_else(|| from_file(folder, stem))
        .or_else(|| only_named(document))
}

/// The ARN a file is named after, with any character in place of `:` and `/`; in a folder `s3` the name is a bucket.
fn from_file(folder: Option<&str>, stem: &str) -> Option<String> {
    if folder.is_some_and(|folder| folder.eq_ignore_ascii_case("s3")) && !stem.starts_with("arn") {
        return Some(format!("arn:aws:s3:::{stem}"));
    }
    let rest = stem.strip_prefix("arn")?;
    let mark = rest.chars().next().filter(|c| !c.is_alphanumeric())?;
    let mut arn = String::from("arn");
    for (at, part) in rest.split(mark).skip(1).enumerate() {
        arn.push(if at < 5 { ':' } else { '/' });
        arn.push_str(part);
    }
    (arn.matches(':').count() == 5 && is_resource(&arn)).then_some(arn)
}

/// The one resource all statements name.
fn only_named(document: &Value) -> Option<String> {
    let one;
    let statements: &[Value] = match document.get("Statement")? {
        Value::Array(list) => list,
        single => {
            one = [single.clone()];
            &one
        }
    };
    let mut only: Option<String> = None;
    for statement in statements {
        let list = match statement.get("Resource")? {
            Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
            single => vec![single.as_str()?],
        };
        for arn in list {
            let arn = if arn.starts_with("arn:aws:s3:::") {
                arn.split('/').next().unwrap_or(arn)
            } else {
                arn
            };
            if arn.contains(['*', '?']) || !is_resource(arn) {
                return None;
            }
            match &only {
                Some(known) if known != arn => return None,
                _ => only = Some(arn.to_owned()),
            }
        }
    }
    only
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> Option<(Option<String>, Value)> {
        let Value::Object(mut object) = value else {
            return None;
        };
        take(&mut object)
    }

    #[test]
    fn every_service_prints_it_differently() {
        let document = json!({"Statement": []});
        let text = document.to_string();
        for (answer, arn) in [
            (json!({"Policy": text}), None),
            (
                json!({"Attributes": {"Policy": text, "QueueArn": "arn:aws:sqs:eu-west-1:1:q"}}),
                Some("arn:aws:sqs:eu-west-1:1:q"),
            ),
            (
                json!({"ARN": "arn:aws:secretsmanager:eu-west-1:1:secret:s", "Name": "s", "ResourcePolicy": text}),
                Some("arn:aws:secretsmanager:eu-west-1:1:secret:s"),
            ),
            (
                json!({"repositoryName": "r", "policyText": text, "repositoryArn": "arn:aws:ecr:eu-west-1:1:repository/r"}),
                Some("arn:aws:ecr:eu-west-1:1:repository/r"),
            ),
            (
                json!({"ResourceArn": "arn:aws:s3:::b", "Policy": document}),
                Some("arn:aws:s3:::b"),
            ),
        ] {
            let (named, found) = read(answer.clone()).unwrap();
            assert_eq!(named.as_deref(), arn, "{answer}");
            assert_eq!(found, document);
        }
        assert_eq!(
            read(json!({"ResourceArn": "arn:aws:s3:::b", "Policy": null})),
            Some((Some("arn:aws:s3:::b".into()), Value::Null))
        );
        for other in [
            json!({"Policy": {"PolicyName": "x"}}),
            json!({"Policy": "text"}),
            json!({"Policy": null}),
        ] {
            assert_eq!(read(other), None);
        }
    }

    #[test]
    fn a_policy_is_placed_by_what_stands_around_it() {
        let bucket = json!({"Statement": {"Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]}});
        let none = json!({"Statement": {"Resource": "*"}});
        let placed = |folder, stem, document: &Value| place(None, &[], folder, stem, document);
        assert_eq!(
            placed(None, "x", &bucket).as_deref(),
            Some("arn:aws:s3:::b")
        );
        assert_eq!(
            placed(Some("s3"), "logs", &none).as_deref(),
            Some("arn:aws:s3:::logs")
        );
        assert_eq!(
            placed(None, "arn_aws_kms_eu-west-1_111122223333_key_12-34", &none).as_deref(),
            Some("arn:aws:kms:eu-west-1:111122223333:key/12-34")
        );
        assert_eq!(placed(None, "policy", &none), None);
    }
}
