//! Policy documents in code: what is unknown in them is widened where that allows more, and told.

use super::value::{self, Val, holed, is_open, labels, marked, shown, wholly_marked};
use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;

/// A document as far as code tells it.
pub(in crate::manifests) struct Document {
    /// The document; null when nothing of it is known.
    pub(in crate::manifests) json: Json,
    /// What is left open, in words.
    pub(in crate::manifests) unknown: BTreeSet<String>,
}

/// Reads the value of a policy attribute: JSON in a text, or the object itself.
pub(in crate::manifests) fn document(value: &Val) -> Document {
    let mut unknown = BTreeSet::new();
    let json = match value {
        Val::Null => Json::Null,
        Val::Text(text) if wholly_marked(text) => Json::Null,
        Val::Text(text) => {
            serde_json::from_str(&value::quoted_marks(text.trim())).unwrap_or(Json::Null)
        }
        other => other.to_json(),
    };
    let Json::Object(mut object) = json else {
        let what = value
            .as_text()
            .map(|text| labels(&text))
            .unwrap_or_default();
        unknown.insert(match what.first() {
            Some(label) => format!("the policy is {label}, which the code does not tell"),
            None => "the policy could not be read".to_owned(),
        });
        return Document {
            json: Json::Null,
            unknown,
        };
    };
    let statements = match object.remove("Statement") {
        Some(Json::Array(list)) => list,
        Some(single) => vec![single],
        None => Vec::new(),
    };
    let mut kept = Vec::new();
    for statement in statements {
        match statement {
            Json::Object(statement) => {
                kept.extend(clean(statement, &mut unknown).map(Json::Object));
            }
            Json::String(text) if marked(&text) => open_note(&mut unknown, "statements", &text),
            other => kept.push(other),
        }
    }
    object.insert("Statement".to_owned(), Json::Array(kept));
    for name in ["Version", "Id"] {
        if let Some(Json::String(text)) = object.get_mut(name) {
            *text = shown(text);
        }
    }
    // A date written without quotes in YAML, and what nobody told.
    match object.get("Version") {
        Some(Json::String(_)) => {}
        _ => {
            object.insert("Version".to_owned(), Json::String("2012-10-17".to_owned()));
        }
    }
    Document {
        json: Json::Object(object),
        unknown,
    }
}

fn open_note(unknown: &mut BTreeSet<String>, what: &str, text: &str) {
    for label in labels(text) {
        unknown.insert(format!(
            "{what} hang on {label}, which the code does not tell"
        ));
    }
}

fn clean(
    statement: Map<String, Json>,
    unknown: &mut BTreeSet<String>,
) -> Option<Map<String, Json>> {
    let allow = match statement.get("Effect") {
        Some(Json::String(text)) if marked(text) => {
            open_note(unknown, "effects of statements", text);
            return None;
        }
        Some(Json::String(text)) => text != "Deny",
        _ => true,
    };
    let mut out = Map::new();
    for (name, value) in statement {
        let kept = match name.as_str() {
            "Action" | "NotAction" => texts(&value, |text| {
                open_note(unknown, "actions", text);
                None
            }),
            // A Deny of what is not known must not take away what may stay; an exception from it may only grow.
            "Resource" | "NotResource" => {
                let widen = (name == "Resource") == allow;
                texts(&value, |text| {
                    if is_open(text) {
                        open_note(unknown, "resources", text);
                    }
                    (widen || !is_open(text)).then(|| resource(text))
                })
            }
            "Principal" | "NotPrincipal" => principals(&value, unknown),
            "Condition" => match condition(&value, allow, unknown) {
                Ok(kept) => kept,
                Err(()) => return None,
            },
            _ => Some(shown_all(&value)),
        };
        match kept {
            Some(kept) => {
                out.insert(name, kept);
            }
            None if matches!(name.as_str(), "NotAction" | "NotResource") => {
                out.insert(name, Json::Array(Vec::new()));
            }
            // Without what it is about, a statement says nothing.
            None if name == "Condition" => {}
            None => return None,
        }
    }
    Some(out)
}

/// A resource that may be unknown in part, as a pattern.
fn resource(text: &str) -> String {
    if !marked(text) {
        return text.to_owned();
    }
    if wholly_marked(text) {
        if !is_open(text) {
            return format!("arn:aws:*:*:*:{}", shown(text));
        }
        // What is called an ARN is one, or some; anything else may be a star as well.
        let label = labels(text).concat().to_ascii_lowercase();
        return if label.ends_with("arn") {
            text.to_owned()
        } else if label.ends_with("arns") {
            format!("{text}*")
        } else {
            "*".to_owned()
        };
    }
    let text = holed(text);
    if text.starts_with('<') {
        return format!("arn:aws:*:*:*:{text}");
    }
    text
}

/// Texts of a list or a single text, unknown ones handed to `unknown`; `None` when none is left.
fn texts(value: &Json, mut unknown: impl FnMut(&str) -> Option<String>) -> Option<Json> {
    let list: &[Json] = match value {
        Json::Array(list) => list,
        Json::Null => return None,
        single => std::slice::from_ref(single),
    };
    let mut flat = Vec::new();
    for item in list {
        match item {
            Json::Array(inner) => flat.extend(inner),
            item => flat.push(item),
        }
    }
    let mut out = Vec::new();
    for item in flat {
        match item {
            Json::String(text) if marked(text) => out.extend(unknown(text).map(Json::String)),
            Json::Null => {}
            other => out.push(other.clone()),
        }
    }
    (!out.is_empty()).then_some(Json::Array(out))
}

fn principals(value: &Json, unknown: &mut BTreeSet<String>) -> Option<Json> {
    let mut keep = |kind: &str, value: &Json| {
        texts(value, |text| {
            // A provider is a provider, whatever its name; an account nobody knows is nobody.
            let account = text.split(':').nth(4).unwrap_or(text);
            let certain = kind == "Federated"
                || kind == "Service"
                || (!wholly_marked(text) && !is_open(account));
            if is_open(text) {
                open_note(unknown, "principals", text);
            }
            if certain {
                return Some(shown(text));
            }
            // Whether it is one of those declared beside it is known once all are.
            section(text)
                .filter(|rest| kind == "AWS" && !marked(rest))
                .map(|_| holed(text))
        })
    };
    match value {
        Json::Object(kinds) => {
            let kept: Map<String, Json> = kinds
                .iter()
                .filter_map(|(kind, value)| Some((shown(kind), keep(kind, value)?)))
                .collect();
            (!kept.is_empty()).then_some(Json::Object(kept))
        }
        Json::String(text) if text == "*" => Some(value.clone()),
        other => keep("AWS", other)
            .map(|list| Json::Object(std::iter::once(("AWS".to_owned(), list)).collect())),
    }
}

/// `role/NAME` or `user/NAME` of an ARN.
fn section(arn: &str) -> Option<&str> {
    let rest = arn.rsplit(':').next()?;
    (rest.starts_with("role/") || rest.starts_with("user/")).then_some(rest)
}

/// Whom a trust policy names in an account that nobody told is who is declared beside it under that name, else nobody.
pub(in crate::manifests) fn settle(trust: &mut Json, declared: impl Fn(&str) -> Option<String>) {
    let Some(statements) = trust.get_mut("Statement").and_then(Json::as_array_mut) else {
        return;
    };
    statements.retain_mut(|statement| {
        let names = statement
            .get_mut("Principal")
            .and_then(|principal| principal.get_mut("AWS"))
            .and_then(Json::as_array_mut);
        let Some(names) = names else {
            return true;
        };
        let before = names.len();
        names.retain_mut(|name| match name {
            Json::String(text) if is_open(text) => match section(text).and_then(&declared) {
                Some(arn) => {
                    *text = arn;
                    true
                }
                None => false,
            },
            _ => true,
        });
        let none = names.is_empty() && before > 0;
        let Some(kinds) = statement.get_mut("Principal").and_then(Json::as_object_mut) else {
            return true;
        };
        if none {
            kinds.remove("AWS");
        }
        !kinds.is_empty()
    });
}

/// The conditions; an error when the statement must go.
fn condition(
    value: &Json,
    allow: bool,
    unknown: &mut BTreeSet<String>,
) -> Result<Option<Json>, ()> {
    let mut open = Vec::new();
    find_open(value, &mut open);
    for text in &open {
        open_note(unknown, "conditions", text);
    }
    if !allow && !open.is_empty() {
        return Err(());
    }
    match value {
        Json::Object(_) => Ok(Some(shown_all(value))),
        Json::Null => Ok(None),
        _ if !open.is_empty() => Ok(None),
        other => Ok(Some(other.clone())),
    }
}

fn find_open(value: &Json, out: &mut Vec<String>) {
    match value {
        Json::String(text) if is_open(text) => out.push(text.clone()),
        Json::Array(items) => items.iter().for_each(|item| find_open(item, out)),
        Json::Object(entries) => {
            for (key, value) in entries {
                if is_open(key) {
                    out.push(key.clone());
                }
                find_open(value, out);
            }
        }
        _ => {}
    }
}

fn shown_all(value: &Json) -> Json {
    match value {
        Json::String(text) => Json::String(shown(text)),
        Json::Array(items) => Json::Array(
            items
                .iter()
                .filter(|item| !item.is_null())
                .map(shown_all)
                .collect(),
        ),
        Json::Object(entries) => Json::Object(
            entries
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (shown(key), shown_all(value)))
                .collect(),
        ),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::value::{later, open};
    use super::*;
    use serde_json::json;

    fn read(json: &Json) -> (Json, Vec<String>) {
        let read = document(&Val::Text(json.to_string()));
        (
            read.json["Statement"].clone(),
            read.unknown.into_iter().collect(),
        )
    }

    #[test]
    fn an_open_resource_may_be_any_and_an_open_action_is_not_guessed() {
        let (statements, unknown) = read(&json!({"Statement": [
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{}/*", open("var.bucket"))},
            {"Effect": "Allow", "Action": open("var.actions"), "Resource": "*"},
            {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": later("aws_x.q.arn")},
        ]}));
        assert_eq!(statements, json!([
            {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [format!("arn:aws:s3:::{}/*", open("var.bucket"))]}
            , {"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": ["arn:aws:*:*:*:<aws_x.q.arn>"]}
        ]).as_array().map(|list| Json::Array(list.iter().map(|one| {
            let mut one = one.clone();
            // Single values stay as written when nothing in them is unknown.
            if let Some(object) = one.as_object_mut() {
                object.insert("Action".into(), one_or_list(&object["Action"]));
            }
            one
        }).collect())).unwrap());
        assert_eq!(
            unknown,
            [
                "actions hang on var.actions, which the code does not tell",
                "resources hang on var.bucket, which the code does not tell",
            ]
        );
    }

    fn one_or_list(value: &Json) -> Json {
        value.clone()
    }

    #[test]
    fn a_denial_of_the_unknown_denies_nothing_for_sure() {
        let (statements, _) = read(&json!({"Statement": [
            {"Effect": "Deny", "Action": "s3:*", "Resource": [open("var.a"), "arn:aws:s3:::b"]},
            {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"aws:x": open("var.c")}}},
        ]}));
        assert_eq!(
            statements,
            json!([{"Effect": "Deny", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::b"]}])
        );
    }

    #[test]
    fn principals_of_unknown_accounts_are_left_out() {
        let (statements, unknown) = read(&json!({"Statement": {
            "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"AWS": [format!("arn:aws:iam::{}:root", open("var.account")), "arn:aws:iam::123456789012:root"]},
        }}));
        assert_eq!(
            statements[0]["Principal"],
            json!({"AWS": ["arn:aws:iam::123456789012:root"]})
        );
        assert_eq!(unknown.len(), 1);
    }

    #[test]
    fn a_principal_of_an_unknown_account_may_be_the_one_declared_beside_it() {
        let arn = |name: &str| format!("arn:aws:iam::{}:{name}", open("var.account"));
        let mut trust = document(&Val::Text(
            json!({"Statement": [
                {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": [arn("role/ci"), arn("user/gone")]}},
                {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": arn("role/gone")}},
                {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}},
            ]})
            .to_string(),
        ))
        .json;
        settle(&mut trust, |section| {
            (section == "role/ci").then(|| "arn:aws:iam::1:role/ci".to_owned())
        });
        let left: Vec<&Json> = trust["Statement"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["Principal"])
            .collect();
        assert_eq!(
            json!(left),
            json!([{"AWS": ["arn:aws:iam::1:role/ci"]}, {"Service": ["ec2.amazonaws.com"]}])
        );
    }

    #[test]
    fn what_is_no_document_is_unknown() {
        let read = document(&Val::open("var.policy"));
        assert!(read.json.is_null());
        insta::assert_snapshot!(read.unknown.into_iter().collect::<String>(), @"the policy is var.policy, which the code does not tell");
    }
}
