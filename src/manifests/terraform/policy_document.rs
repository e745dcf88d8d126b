//! `aws_iam_policy_document`: the document that a data source makes.

use super::super::infra::value::{Val, marked, open};
use super::scope::Resource;
use serde_json::{Map, Value as Json};

/// The document as JSON text; what is unknown is marked in it.
pub(super) fn json(resource: &Resource) -> Val {
    let mut statements: Vec<Json> = Vec::new();
    for name in ["source_json", "source_policy_documents"] {
        take_over(&resource.set(name), &mut statements);
    }
    for statement in resource.set("statement").items().unwrap_or_default() {
        put(as_json(&statement), &mut statements);
    }
    for name in ["override_json", "override_policy_documents"] {
        take_over(&resource.set(name), &mut statements);
    }
    let mut document = Map::new();
    let version = resource.set("version").known_text();
    let version = version.unwrap_or_else(|| "2012-10-17".to_owned());
    document.insert("Version".to_owned(), Json::String(version));
    document.insert("Statement".to_owned(), Json::Array(statements));
    Val::Text(Json::Object(document).to_string())
}

/// Adds the statements of other documents.
fn take_over(value: &Val, statements: &mut Vec<Json>) {
    let Some(documents) = value.items() else {
        put(value.to_json(), statements);
        return;
    };
    for document in documents {
        let Some(text) = document.as_text() else {
            continue;
        };
        let quoted = super::super::infra::value::quoted_marks(&text);
        match serde_json::from_str::<Json>(&quoted) {
            Ok(Json::Object(object)) => match object.get("Statement") {
                Some(Json::Array(list)) => list.iter().for_each(|one| put(one.clone(), statements)),
                Some(one) => put(one.clone(), statements),
                None => {}
            },
            _ if marked(&text) => put(Json::String(text), statements),
            _ if text.trim().is_empty() => {}
            _ => put(Json::String(open("a document that is no JSON")), statements),
        }
    }
}

/// A statement takes the place of one with the same Sid.
fn put(statement: Json, statements: &mut Vec<Json>) {
    let sid = statement
        .get("Sid")
        .and_then(Json::as_str)
        .filter(|sid| !sid.is_empty())
        .map(str::to_owned);
    let known = sid.and_then(|sid| {
        statements
            .iter_mut()
            .find(|one| one.get("Sid").and_then(Json::as_str) == Some(sid.as_str()))
    });
    match known {
        Some(known) => *known = statement,
        None => statements.push(statement),
    }
}

fn as_json(statement: &Val) -> Json {
    let mut out = Map::new();
    let text = |name: &str| statement.get(name).as_text();
    if let Some(sid) = text("sid") {
        out.insert("Sid".to_owned(), Json::String(sid));
    }
    let effect = text("effect").unwrap_or_else(|| "Allow".to_owned());
    out.insert("Effect".to_owned(), Json::String(effect));
    for (name, element) in [
        ("actions", "Action"),
        ("not_actions", "NotAction"),
        ("resources", "Resource"),
        ("not_resources", "NotResource"),
    ] {
        let list = statement.get(name);
        if !matches!(&list, Val::Null) && !matches!(&list, Val::List(items) if items.is_empty()) {
            out.insert(element.to_owned(), variables(list.to_json()));
        }
    }
    for (name, element) in [
        ("principals", "Principal"),
        ("not_principals", "NotPrincipal"),
    ] {
        let principals = statement.get(name);
        match principals.items() {
            Some(list) if list.is_empty() => {}
            Some(list) => {
                out.insert(element.to_owned(), named(&list));
            }
            None => {
                out.insert(element.to_owned(), principals.to_json());
            }
        }
    }
    let conditions = statement.get("condition").items();
    if let Some(list) = conditions.filter(|list| !list.is_empty()) {
        out.insert("Condition".to_owned(), asked(&list));
    }
    Json::Object(out)
}

/// `&{…}` stands for `${…}`, which the language would replace itself.
fn variables(value: Json) -> Json {
    match value {
        Json::String(text) => Json::String(text.replace("&{", "${")),
        Json::Array(items) => Json::Array(items.into_iter().map(variables).collect()),
        other => other,
    }
}

fn named(principals: &[Val]) -> Json {
    let mut kinds: Map<String, Json> = Map::new();
    for principal in principals {
        let kind = principal.get("type").as_text().unwrap_or_default();
        let who = variables(principal.get("identifiers").to_json());
        if kind == "*" {
            return Json::String("*".to_owned());
        }
        let list = kinds.entry(kind).or_insert_with(|| Json::Array(Vec::new()));
        if let Json::Array(list) = list {
            match who {
                Json::Array(more) => list.extend(more),
                one => list.push(one),
            }
        }
    }
    Json::Object(kinds)
}

fn asked(conditions: &[Val]) -> Json {
    let mut operators: Map<String, Json> = Map::new();
    for condition in conditions {
        let test = condition.get("test").as_text().unwrap_or_default();
        let key = condition.get("variable").as_text().unwrap_or_default();
        let values = variables(condition.get("values").to_json());
        let keys = operators
            .entry(test)
            .or_insert_with(|| Json::Object(Map::new()));
        if let Json::Object(keys) = keys {
            match keys.get_mut(&key) {
                Some(Json::Array(known)) => match values {
                    Json::Array(more) => known.extend(more),
                    one => known.push(one),
                },
                _ => {
                    keys.insert(key, values);
                }
            }
        }
    }
    Json::Object(operators)
}
