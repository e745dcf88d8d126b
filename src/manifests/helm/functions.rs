//! Functions of templates: Go's own, and what Helm and its libraries add.

use super::eval::Fault;
use super::lists;
use super::texts;
use super::value::Value;

/// Names of the groups of APIs that every cluster has, beside those of `k8s.io`.
const BUILTIN_GROUPS: [&str; 5] = ["apps", "autoscaling", "batch", "policy", "extensions"];
/// Version of the cluster that templates are told of.
pub(super) const CLUSTER_VERSION: (u64, u64, u64) = (1, 34, 0);

/// Calls a function.
pub(super) fn call(name: &str, arguments: &[Value]) -> Result<Value, Fault> {
    if let Some(value) = logic(name, arguments)
        .or_else(|| numbers(name, arguments))
        .or_else(|| texts::call(name, arguments))
        .or_else(|| lists::call(name, arguments))
    {
        return Ok(value);
    }
    match (name, arguments) {
        ("required", [_, value]) => {
            if matches!(value, Value::Nil) || matches!(value, Value::Text(text) if text.is_empty())
            {
                Err("a value that the chart requires is not given".to_owned())
            } else {
                Ok(value.clone())
            }
        }
        ("fail", _) => Err("the chart refuses these values".to_owned()),
        _ => Err(format!(
            "function `{}` is not one this program knows",
            super::super::clean::clean(name)
        )),
    }
}

/// Calls a method of the context.
pub(super) fn method(name: &str, arguments: &[Value]) -> Value {
    match (name, arguments) {
        // Of APIs that an operator brings, nothing is known: as in an empty cluster they are not there.
        ("has-api", [Value::Text(api)]) => {
            let group = api.split('/').next().unwrap_or_default();
            let versioned = api.contains('/');
            Value::Bool(
                !versioned
                    || group.ends_with("k8s.io") && !group.contains(".x-")
                    || BUILTIN_GROUPS.contains(&group),
            )
        }
        ("files-map", _) => Value::map([]),
        ("files-list", _) => Value::list([]),
        _ => Value::text(""),
    }
}

fn logic(name: &str, arguments: &[Value]) -> Option<Value> {
    Some(match (name, arguments) {
        ("default", [fallback, value]) => {
            if value.truth() {
                value.clone()
            } else {
                fallback.clone()
            }
        }
        ("default", [fallback]) => fallback.clone(),
        ("not" | "empty", [value]) => Value::Bool(!value.truth()),
        ("empty", []) => Value::Bool(true),
        ("coalesce", values) => values
            .iter()
            .find(|value| value.truth())
            .cloned()
            .unwrap_or(Value::Nil),
        ("all", values) => Value::Bool(values.iter().all(Value::truth)),
        ("any", values) => Value::Bool(values.iter().any(Value::truth)),
        ("ternary", [yes, no, test]) => {
            if test.truth() {
                yes.clone()
            } else {
                no.clone()
            }
        }
        ("eq", [first, rest @ ..]) => Value::Bool(rest.iter().any(|other| first.same(other))),
        ("ne", [a, b]) => Value::Bool(!a.same(b)),
        ("lt", [a, b]) => Value::Bool(order(a, b)?.is_lt()),
        ("le", [a, b]) => Value::Bool(order(a, b)?.is_le()),
        ("gt", [a, b]) => Value::Bool(order(a, b)?.is_gt()),
        ("ge", [a, b]) => Value::Bool(order(a, b)?.is_ge()),
        ("deepEqual", [a, b]) => Value::Bool(a.same(b)),
        ("kindIs", [kind, value]) => Value::Bool(kind_is(&kind.show(), value)),
        ("kindOf", [value]) => Value::text(value.kind()),
        ("typeIs", [kind, value]) => {
            Value::Bool(type_of(value) == kind.show() || kind_is(&kind.show(), value))
        }
        ("typeOf", [value]) => Value::text(type_of(value)),
        ("typeIsLike", [kind, value]) => {
            Value::Bool(type_of(value) == kind.show().trim_start_matches('*'))
        }
        // What is in the cluster is not known here, as when a chart is rendered without one.
        ("lookup", _) => Value::map([]),
        ("semverCompare", [constraint, version]) => {
            Value::Bool(compare(&constraint.show(), &version.show()))
        }
        ("semver", [version]) => semver(&version.show()),
        ("now", []) => Value::text(""),
        ("genCA" | "genSelfSignedCert" | "genSignedCert" | "genCAWithKey", _) => Value::map([
            ("Cert".to_owned(), Value::text("")),
            ("Key".to_owned(), Value::text("")),
        ]),
        _ => return None,
    })
}

fn kind_is(kind: &str, value: &Value) -> bool {
    value.kind() == kind
        || matches!(
            (kind, value),
            ("int" | "float64", Value::Int(_)) | ("nil", Value::Nil)
        )
}

const fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Nil => "<nil>",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int64",
        Value::Float(_) => "float64",
        Value::Text(_) => "string",
        Value::List(_) => "[]interface {}",
        Value::Map(_) => "map[string]interface {}",
        Value::Method(_) => "func",
    }
}

fn order(a: &Value, b: &Value) -> Option<std::cmp::Ordering> {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        _ => a.float().partial_cmp(&b.float()),
    }
}

fn numbers(name: &str, arguments: &[Value]) -> Option<Value> {
    let ints = || arguments.iter().map(Value::int);
    Some(match (name, arguments) {
        ("int" | "int64" | "atoi" | "toDecimal", [value]) => Value::Int(value.int()),
        ("float64" | "toFloat64", [value]) => Value::Float(value.float()),
        ("add", _) => Value::Int(ints().fold(0, i64::wrapping_add)),
        ("add1", [value]) => Value::Int(value.int().wrapping_add(1)),
        ("sub", [a, b]) => Value::Int(a.int().wrapping_sub(b.int())),
        ("mul", _) => Value::Int(ints().fold(1, i64::wrapping_mul)),
        ("div", [a, b]) => Value::Int(a.int().checked_div(b.int()).unwrap_or(0)),
        ("mod", [a, b]) => Value::Int(a.int().checked_rem(b.int()).unwrap_or(0)),
        ("max", _) => Value::Int(ints().max()?),
        ("min", _) => Value::Int(ints().min()?),
        ("addf", _) => Value::Float(arguments.iter().map(Value::float).sum()),
        ("mulf", _) => Value::Float(arguments.iter().map(Value::float).product()),
        ("subf", [a, b]) => Value::Float(a.float() - b.float()),
        ("divf", [a, b]) if b.float() != 0.0 => Value::Float(a.float() / b.float()),
        ("floor", [value]) => Value::Float(value.float().floor()),
        ("ceil", [value]) => Value::Float(value.float().ceil()),
        ("round", [value, ..]) => Value::Float(value.float().round()),
        _ => return None,
    })
}

/// The numbers of a version, and whether it is a pre-release.
fn version(text: &str) -> Option<((u64, u64, u64), bool)> {
    let text = text.trim().trim_start_matches(['v', 'V']);
    let core = text.split(['-', '+']).next()?;
    let mut parts = core.split('.').map(str::parse::<u64>);
    let major = parts.next()?.ok()?;
    let mut next = || match parts.next() {
        None => Some(0),
        Some(part) => part.ok(),
    };
    Some(((major, next()?, next()?), text.contains('-')))
}

fn semver(text: &str) -> Value {
    let Some(((major, minor, patch), _)) = version(text) else {
        return Value::map([]);
    };
    let number = |value: u64| Value::Int(i64::try_from(value).unwrap_or(i64::MAX));
    Value::map([
        ("Major".to_owned(), number(major)),
        ("Minor".to_owned(), number(minor)),
        ("Patch".to_owned(), number(patch)),
        ("Original".to_owned(), Value::text(text)),
    ])
}

/// Whether a version meets a constraint such as `>=1.19-0, <2 || ^3`.
fn compare(constraint: &str, given: &str) -> bool {
    let Some((given, pre)) = version(given) else {
        return false;
    };
    constraint.split("||").any(|all| {
        let all = all.replace(',', " ");
        let words: Vec<&str> = all.split_whitespace().collect();
        let mut joined: Vec<String> = Vec::new();
        for word in words {
            // `>= 1.19` is one condition.
            match joined.last_mut() {
                Some(last) if last.chars().all(|c| "<>=!~^".contains(c)) => last.push_str(word),
                _ => joined.push(word.to_owned()),
            }
        }
        !joined.is_empty()
            && joined.iter().all(|condition| {
                let number = condition.trim_start_matches(['<', '>', '=', '!', '~', '^']);
                let operator = condition
                    .get(..condition.len() - number.len())
                    .unwrap_or_default();
                if matches!(number, "*" | "x") {
                    return true;
                }
                let plain = number.replace(".x", "").replace(".*", "");
                let Some((wanted, wanted_pre)) = version(&plain) else {
                    return false;
                };
                if pre && !wanted_pre {
                    return false;
                }
                let parts = plain
                    .split(['-', '+'])
                    .next()
                    .map_or(0, |core| core.split('.').count());
                let same_minor = given.0 == wanted.0 && given.1 == wanted.1;
                match operator {
                    ">" => given > wanted,
                    ">=" | "=>" => given >= wanted,
                    "<" => given < wanted,
                    "<=" | "=<" => given <= wanted,
                    "!=" => given != wanted,
                    "^" => {
                        given.0 == wanted.0
                            && given >= wanted
                            && (wanted.0 > 0 || given.1 == wanted.1)
                    }
                    "~" => {
                        given >= wanted
                            && if parts > 1 {
                                same_minor
                            } else {
                                given.0 == wanted.0
                            }
                    }
                    _ => match parts {
                        1 => given.0 == wanted.0,
                        2 => same_minor,
                        _ => given == wanted,
                    },
                }
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_meet_constraints() {
        for (constraint, version, met) in [
            (">=1.19-0", "v1.34.0", true),
            ("<1.14-0", "1.34.0", false),
            (">= 1.21.0, < 2", "1.34.0", true),
            ("^1.20", "1.34.0", true),
            ("~1.20", "1.34.0", false),
            ("1.34.x", "1.34.7", true),
            (">1.2 || ^0.1", "0.1.4", true),
        ] {
            assert_eq!(compare(constraint, version), met, "{constraint} {version}");
        }
    }

    #[test]
    fn apis_of_operators_are_not_there() {
        let has = |api: &str| method("has-api", &[Value::text(api)]).truth();
        assert!(has("rbac.authorization.k8s.io/v1") && has("batch/v1") && has("v1"));
        assert!(!has("monitoring.coreos.com/v1"));
    }
}
