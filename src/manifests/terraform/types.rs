//! Types of variables: they fill in what an object leaves out.

use super::super::infra::value::Val;
use super::evaluate::At;
use hcl_edit::expr::{Expression, ObjectKey};
use std::rc::Rc;

/// Deepest type looked at.
const MAX_DEPTH: usize = 12;

/// A value with the optional attributes of its type filled in.
pub(super) fn complete(at: At<'_>, value: Val, kind: &Expression) -> Val {
    fill(at, value, kind, 0)
}

fn fill(at: At<'_>, value: Val, kind: &Expression, depth: usize) -> Val {
    let Expression::FuncCall(call) = kind else {
        return value;
    };
    let Some(inner) = call.args.iter().next().filter(|_| depth < MAX_DEPTH) else {
        return value;
    };
    match (call.name.name.as_str(), value) {
        ("optional", value) => fill(at, value, inner, depth + 1),
        ("list" | "set", Val::List(items)) => Val::list(
            Rc::unwrap_or_clone(items)
                .into_iter()
                .map(|item| fill(at, item, inner, depth + 1))
                .collect(),
        ),
        ("map", Val::Map(map)) => Val::map(
            Rc::unwrap_or_clone(map)
                .into_iter()
                .map(|(key, item)| (key, fill(at, item, inner, depth + 1)))
                .collect(),
        ),
        ("object", Val::Map(map)) => {
            let Expression::Object(fields) = inner else {
                return Val::Map(map);
            };
            let mut map = Rc::unwrap_or_clone(map);
            for (key, field) in fields {
                let name = match key {
                    ObjectKey::Ident(name) => name.as_str().to_owned(),
                    ObjectKey::Expression(expr) => at.eval(expr).as_text().unwrap_or_default(),
                };
                let kind = field.expr();
                let value = match map.remove(&name) {
                    None | Some(Val::Null) => default(at, kind).unwrap_or(Val::Null),
                    Some(value) => value,
                };
                map.insert(name, fill(at, value, kind, depth + 1));
            }
            Val::map(map)
        }
        (_, value) => value,
    }
}

/// The second argument of `optional(type, default)`.
fn default(at: At<'_>, kind: &Expression) -> Option<Val> {
    let Expression::FuncCall(call) = kind else {
        return None;
    };
    let optional = call.name.name.as_str() == "optional";
    call.args
        .iter()
        .nth(1)
        .filter(|_| optional)
        .map(|default| at.eval(default))
}
