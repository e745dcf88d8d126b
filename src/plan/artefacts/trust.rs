//! Trust policies of an item.

use super::Made;
use super::facts::Facts;
use super::text::fill;
use crate::model::ArtefactKind;
use crate::rules::artefacts::{Conditions, Trust};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The trust of an item, in every form.
pub(super) struct Documents {
    /// Name of the form, what it is, and the policy; the first has no name.
    pub(super) forms: Vec<(String, String, Value)>,
    /// Requests that must be refused.
    pub(super) refuse: Vec<Wrong>,
    /// The requests that must get in by each form: principal, action and keys.
    pub(super) rights: Vec<Vec<Right>>,
    /// Host and path of the OIDC issuer, and audience.
    pub(super) issuer: Option<(String, String)>,
}

/// The request that must get in.
#[derive(Clone)]
pub(super) struct Right {
    pub(super) principal: String,
    pub(super) action: String,
    pub(super) keys: BTreeMap<String, String>,
}

/// A request that must be refused.
pub(super) struct Wrong {
    pub(super) what: String,
    pub(super) principal: Option<String>,
    pub(super) keys: BTreeMap<String, String>,
}

/// The trust policies of an item; `None` where its target has none.
pub(super) fn documents(facts: &Facts<'_>) -> Option<Documents> {
    let trust = facts.trust?;
    let text = |template: &str| facts.fill(template, str::to_owned);
    let issuer = trust.issuer.as_deref().map(text);
    let principals = principals(facts, trust);
    let mut forms = vec![(
        String::new(),
        "who may become the role".to_owned(),
        policy(facts, trust, issuer.as_deref(), &principals, &trust.when),
    )];
    for form in &trust.form {
        let issuer = form.issuer.as_deref().map(text).or_else(|| issuer.clone());
        forms.push((
            form.name.clone(),
            form.description.clone(),
            policy(facts, trust, issuer.as_deref(), &principals, &form.when),
        ));
    }
    let mut rights = vec![requests(
        facts,
        trust,
        issuer.as_deref(),
        &principals,
        &trust.when,
    )];
    for form in &trust.form {
        let issuer = form.issuer.as_deref().map(text).or_else(|| issuer.clone());
        rights.push(requests(
            facts,
            trust,
            issuer.as_deref(),
            &principals,
            &form.when,
        ));
    }
    Some(Documents {
        forms,
        refuse: trust
            .refuse
            .iter()
            .map(|wrong| Wrong {
                what: wrong.what.clone(),
                principal: wrong.principal.as_deref().map(text),
                keys: wrong
                    .keys
                    .iter()
                    .map(|(key, value)| (text(key), facts.each(value).pop().unwrap_or_default()))
                    .collect(),
            })
            .collect(),
        rights,
        issuer: issuer.map(|issuer| {
            let audience = trust.audience.as_deref().unwrap_or("sts.amazonaws.com");
            (issuer, text(audience))
        }),
    })
}

/// Most requests that one form is tried with: one for each ref or repository that may have the role.
const MOST_REQUESTS: usize = 6;

/// The requests that conditions are made for, one for each value of the key that has most.
fn requests(
    facts: &Facts<'_>,
    trust: &Trust,
    issuer: Option<&str>,
    principals: &[String],
    when: &Conditions,
) -> Vec<Right> {
    let text = |template: &str| facts.fill(template, str::to_owned);
    let keys: Vec<(String, Vec<String>)> = when
        .iter()
        .flat_map(|(operator, pairs)| {
            pairs.iter().map(move |(key, value)| {
                let values = values(facts, trust, value);
                let shown = values.iter().map(|value| example(operator, value));
                (text(key), shown.collect())
            })
        })
        .collect();
    let principal = match (issuer, &trust.service) {
        (Some(issuer), _) => provider_arn(facts, issuer),
        (None, Some(service)) => text(service),
        (None, None) => principals.first().cloned().unwrap_or_default(),
    };
    let most = keys.iter().map(|(_, values)| values.len()).max();
    (0..most.unwrap_or(1).clamp(1, MOST_REQUESTS))
        .map(|at| Right {
            principal: principal.clone(),
            action: action(trust, issuer.is_some()).to_owned(),
            keys: keys
                .iter()
                .filter_map(|(key, values)| {
                    let value = values.get(at).or_else(|| values.first())?;
                    Some((key.clone(), value.clone()))
                })
                .collect(),
        })
        .collect()
}

fn action(trust: &Trust, federated: bool) -> &str {
    if federated {
        "sts:AssumeRoleWithWebIdentity"
    } else {
        trust
            .actions
            .first()
            .map_or("sts:AssumeRole", String::as_str)
    }
}

fn provider_arn(facts: &Facts<'_>, issuer: &str) -> String {
    let account = facts.values.get("account").map_or("__ACCOUNT__", |id| id);
    format!("arn:aws:iam::{account}:oidc-provider/{issuer}")
}

/// Principals of AWS: those that were seen, else the placeholder of the data.
fn principals(facts: &Facts<'_>, trust: &Trust) -> Vec<String> {
    match trust.aws.as_deref() {
        Some("⟦caller_arn⟧") if !facts.callers.is_empty() => facts.callers.clone(),
        Some(template) => vec![facts.fill(template, str::to_owned)],
        None => Vec::new(),
    }
}

/// Values of a condition: one for each consumer, or those that the role has today where nothing uses it.
fn values(facts: &Facts<'_>, trust: &Trust, template: &str) -> Vec<String> {
    let subject = template.contains("⟦context⟧") || template.contains("⟦project⟧");
    if subject && trust.like.is_some() && facts.consumers.is_empty() && !template.contains("_id⟧")
    {
        let known: Vec<String> = facts
            .subjects
            .iter()
            .filter(|(issuer, _)| trust.when_issuer.as_deref() == Some(issuer))
            .map(|(_, subject)| subject.clone())
            .collect();
        if !known.is_empty() {
            return known;
        }
    }
    // A subject is known as a whole for each consumer, or not at all.
    facts
        .each(template)
        .into_iter()
        .map(|value| value.replace("__CONTEXT__", "environment:__ENVIRONMENT__"))
        .collect()
}

fn policy(
    facts: &Facts<'_>,
    trust: &Trust,
    issuer: Option<&str>,
    principals: &[String],
    when: &Conditions,
) -> Value {
    let one_or_all = |list: &[String]| match list {
        [only] => Value::from(only.as_str()),
        _ => Value::from(list.to_vec()),
    };
    let principal = match (issuer, &trust.service) {
        (Some(issuer), _) => json!({ "Federated": provider_arn(facts, issuer) }),
        (None, Some(service)) => json!({ "Service": facts.fill(service, str::to_owned) }),
        (None, None) => json!({ "AWS": one_or_all(principals) }),
    };
    let actions = if issuer.is_some() {
        vec!["sts:AssumeRoleWithWebIdentity".to_owned()]
    } else {
        trust.actions.clone()
    };
    let mut condition = Map::new();
    for (operator, pairs) in when {
        let mut block = Map::new();
        for (key, value) in pairs {
            let values = values(facts, trust, value);
            block.insert(facts.fill(key, str::to_owned), one_or_all(&values));
        }
        condition.insert(operator.clone(), Value::Object(block));
    }
    let mut statement = json!({
        "Sid": "OnlyThisTask",
        "Effect": "Allow",
        "Principal": principal,
        "Action": one_or_all(&actions),
    });
    if let (false, Some(object)) = (condition.is_empty(), statement.as_object_mut()) {
        object.insert("Condition".to_owned(), Value::Object(condition));
    }
    json!({ "Version": "2012-10-17", "Statement": [statement] })
}

/// A value that a condition accepts.
fn example(operator: &str, value: &str) -> String {
    match operator {
        "NumericLessThan" => "60".to_owned(),
        operator if operator.contains("Like") || operator.starts_with("Arn") => {
            value.replace(['*', '?'], "x")
        }
        _ => value.to_owned(),
    }
}

impl Documents {
    /// Name of the file of a form.
    pub(super) fn path(name: &str) -> String {
        if name.is_empty() {
            "trust-policy.json".to_owned()
        } else {
            format!("trust-policy-{name}.json")
        }
    }

    /// The files.
    pub(super) fn files(&self) -> Vec<Made> {
        self.forms
            .iter()
            .map(|(name, description, document)| {
                Made::new(
                    Self::path(name),
                    ArtefactKind::TrustPolicy,
                    description.clone(),
                    pretty(document),
                )
            })
            .collect()
    }
}

/// Keys of policies in the order in which people write them.
const ORDER: &[&str] = &[
    "Version",
    "Statement",
    "Sid",
    "Effect",
    "Principal",
    "Action",
    "NotAction",
    "Resource",
    "Condition",
];

/// A document as a file.
pub(super) fn pretty(document: &Value) -> String {
    let mut text = String::new();
    write(document, 0, &mut text);
    text.push('\n');
    text
}

fn write(value: &Value, depth: usize, out: &mut String) {
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    };
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            let mut keys: Vec<&String> = entries.keys().collect();
            keys.sort_by_key(|key| {
                let rank = ORDER.iter().position(|known| known == key);
                (rank.unwrap_or(ORDER.len()), key.as_str())
            });
            out.push('{');
            for (at, key) in keys.into_iter().enumerate() {
                out.push_str(if at == 0 { "" } else { "," });
                line(out, depth + 1);
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push_str(": ");
                write(entries.get(key).unwrap_or(&Value::Null), depth + 1, out);
            }
            line(out, depth);
            out.push('}');
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { "," });
                line(out, depth + 1);
                write(item, depth + 1, out);
            }
            line(out, depth);
            out.push(']');
        }
        other => out.push_str(&other.to_string()),
    }
}

/// Whether AWS takes it as a principal of a trust: an ARN of IAM or STS, or the number of an account. Everybody (`*`) is none.
pub(super) fn is_principal(text: &str) -> bool {
    let account = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    if account(text) {
        return true;
    }
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [
        "arn",
        partition,
        service @ ("iam" | "sts"),
        "",
        number,
        resource,
    ] = parts.as_slice()
    else {
        return false;
    };
    let kinds: &[&str] = match *service {
        "iam" => &["user", "role"],
        _ => &["assumed-role", "federated-user"],
    };
    let named = resource.split_once('/').is_some_and(|(kind, name)| {
        kinds.contains(&kind)
            && !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_+=,.@-/".contains(c))
    });
    partition.starts_with("aws")
        && account(number)
        && (named || *service == "iam" && *resource == "root")
}

/// Principals of AWS that a document names.
pub(super) fn named_principals(document: &Value) -> Vec<&str> {
    let statements = document.get("Statement").and_then(Value::as_array);
    statements
        .into_iter()
        .flatten()
        .filter_map(|statement| statement.get("Principal")?.get("AWS"))
        .flat_map(|named| match named {
            Value::Array(list) => list.iter().collect(),
            one => vec![one],
        })
        .map(|named| named.as_str().unwrap_or_default())
        .collect()
}

/// Why an item has no trust policy.
pub(super) fn why_none(facts: &Facts<'_>) -> String {
    let values = BTreeMap::new();
    let why = match facts.item.mechanism.as_str() {
        id if id.starts_with("aws-oidc-trust") => {
            "no issuer of the role's trust is known to the catalogue: narrow its subjects by hand"
        }
        id if id.starts_with("aws-") => "the mechanism is set up outside of roles",
        _ => {
            "the mechanism is not a role of AWS: what lets the consumer in is set up as the steps say"
        }
    };
    fill(why, &values, str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals_are_what_aws_takes() {
        for right in [
            "111122223333",
            "arn:aws:iam::111122223333:root",
            "arn:aws:iam::111122223333:user/jump",
            "arn:aws-cn:iam::111122223333:role/team/deploy.prod",
            "arn:aws:sts::111122223333:assumed-role/deploy/session@x",
        ] {
            assert!(is_principal(right), "{right}");
        }
        for wrong in [
            "*",
            "",
            "1111",
            "arn:aws:iam::111122223333:user/jump with KEY",
            "arn:aws:iam::111122223333:user/",
            "arn:aws:iam::111122223333:user/*",
            "arn:aws:iam::*:user/jump",
            "arn:aws:s3:::bucket/key",
        ] {
            assert!(!is_principal(wrong), "{wrong}");
        }
        let document = json!({"Statement": [{"Principal": {"AWS": ["a", "b"]}}, {"Principal": {"AWS": "c"}}, {"Principal": "*"}]});
        assert_eq!(named_principals(&document), ["a", "b", "c"]);
    }
}
