//! The functions of the language that matter to names and policies; every other one is unknown.

use super::super::infra::value::{Val, append, marked, wholly_marked};
use super::super::{node, text::Text, yaml};
use super::evaluate::{At, Env, unknown_of};
use super::project::join;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Most items a list becomes.
const MAX_ITEMS: usize = 10_000;

/// Calls a function.
pub(super) fn call(at: At<'_>, name: &str, arguments: &[Val]) -> Val {
    evaluated(at, name, arguments).unwrap_or_else(|| {
        let all: Vec<&Val> = arguments.iter().collect();
        match unknown_of(&all) {
            Val::Unknown(label) if label != "an expression" => Val::Unknown(label),
            _ => Val::open(format!("{name}()")),
        }
    })
}

/// The result; `None` when it is unknown.
fn evaluated(at: At<'_>, name: &str, arguments: &[Val]) -> Option<Val> {
    let first = arguments.first();
    let text = |index: usize| arguments.get(index).and_then(Val::as_text);
    let number = |index: usize| arguments.get(index).and_then(Val::as_number);
    match name {
        // JSON is YAML.
        "jsonencode" | "yamlencode" => Some(Val::Text(first?.to_json().to_string())),
        "jsondecode" => Some(Val::from_json(&serde_json::from_str(&known(first?)?).ok()?)),
        "yamldecode" => from_yaml(&known(first?)?),
        "tostring" | "nonsensitive" | "sensitive" | "tolist" | "tomap" | "tonumber" | "tobool"
        | "ephemeralasnull" => first.cloned(),
        "toset" | "distinct" => Some(distinct(&items(first?)?)),
        "merge" => merge(arguments),
        "concat" => {
            let mut out = Vec::new();
            for argument in arguments {
                // What cannot be known of one list leaves the others as they are.
                match items(argument) {
                    Some(items) => out.extend(items),
                    None => out.push(argument.clone()),
                }
            }
            Some(Val::list(out))
        }
        "flatten" => {
            let mut out = Vec::new();
            flatten(first?, &mut out, 0);
            Some(Val::list(out))
        }
        "compact" => Some(Val::list(
            items(first?)?
                .into_iter()
                .filter(|item| !item.is_null() && item.as_text().as_deref() != Some(""))
                .collect(),
        )),
        "join" => {
            let separator = text(0)?;
            let mut out = String::new();
            for (index, item) in arguments.iter().skip(1).flat_map(spread).enumerate() {
                if index > 0 && !append(&mut out, &separator) {
                    return None;
                }
                if !append(&mut out, &item.as_text()?) {
                    return None;
                }
            }
            Some(Val::Text(out))
        }
        "split" => {
            let (separator, whole) = (known(first?)?, text(1)?);
            let parts = whole
                .split(separator.as_str())
                .filter(|_| !separator.is_empty());
            Some(Val::list(parts.take(MAX_ITEMS).map(Val::text).collect()))
        }
        "format" => format_text(&text(0)?, arguments.get(1..)?),
        "formatlist" => format_list(&text(0)?, arguments.get(1..)?),
        "lower" => Some(cased(&text(0)?, |c| c.to_lowercase().collect())),
        "upper" => Some(cased(&text(0)?, |c| c.to_uppercase().collect())),
        "title" => {
            let mut start = true;
            Some(cased(&text(0)?, move |c| {
                let out = if start {
                    c.to_uppercase().collect()
                } else {
                    c.to_string()
                };
                start = !c.is_alphanumeric();
                out
            }))
        }
        "replace" => {
            let (whole, what, with) = (text(0)?, known(arguments.get(1)?)?, text(2)?);
            if what.len() > 1 && what.starts_with('/') && what.ends_with('/') {
                let pattern = regex::RegexBuilder::new(what.get(1..what.len() - 1)?)
                    .size_limit(1 << 18)
                    .build()
                    .ok()?;
                return Some(Val::Text(
                    pattern.replace_all(&whole, with.as_str()).into_owned(),
                ));
            }
            (whole.len().saturating_mul(with.len() + 1) < 1 << 22 && !what.is_empty())
                .then(|| Val::Text(whole.replace(&what, &with)))
        }
        "trimspace" | "chomp" => Some(Val::text(text(0)?.trim())),
        "trim" => {
            let (whole, set) = (text(0)?, known(arguments.get(1)?)?);
            Some(Val::text(whole.trim_matches(|c| set.contains(c))))
        }
        "trimprefix" => {
            let (whole, start) = (text(0)?, text(1)?);
            Some(Val::text(whole.strip_prefix(&start).unwrap_or(&whole)))
        }
        "trimsuffix" => {
            let (whole, end) = (text(0)?, text(1)?);
            Some(Val::text(whole.strip_suffix(&end).unwrap_or(&whole)))
        }
        "startswith" => Some(Val::Bool(known(first?)?.starts_with(&text(1)?))),
        "endswith" => Some(Val::Bool(known(first?)?.ends_with(&text(1)?))),
        "strcontains" => Some(Val::Bool(known(first?)?.contains(&text(1)?))),
        "substr" => substring(&known(first?)?, number(1)?, number(2)?),
        "indent" => text(1).map(Val::Text),
        "length" => match first? {
            Val::Map(map) => Some(Val::Number(map.len() as f64)),
            Val::List(list) => Some(Val::Number(list.len() as f64)),
            Val::Text(text) if !marked(text) => Some(Val::Number(text.chars().count() as f64)),
            _ => None,
        },
        "lookup" => {
            let (map, key) = (first?, known(arguments.get(1)?)?);
            let found = match map {
                Val::Map(_) | Val::Object(_) => map.get(&key),
                _ => return None,
            };
            Some(if found.is_null() {
                arguments.get(2).cloned().unwrap_or(Val::Null)
            } else {
                found
            })
        }
        "element" => {
            let list = items(first?)?;
            let at = number(1)?;
            (!list.is_empty() && at >= 0.0)
                .then(|| list.get(at as usize % list.len()).cloned())
                .flatten()
        }
        "contains" => {
            let (list, wanted) = (items(first?)?, arguments.get(1)?);
            let same: Vec<Option<bool>> = list.iter().map(|item| item.same(wanted)).collect();
            if same.contains(&Some(true)) {
                Some(Val::Bool(true))
            } else {
                same.iter().all(Option::is_some).then_some(Val::Bool(false))
            }
        }
        "keys" => match first? {
            Val::Map(map) => Some(Val::list(map.keys().map(Val::text).collect())),
            _ => None,
        },
        "values" => match first? {
            Val::Map(map) => Some(Val::list(map.values().cloned().collect())),
            _ => None,
        },
        "zipmap" => {
            let (keys, values) = (items(first?)?, items(arguments.get(1)?)?);
            let pairs = keys.into_iter().zip(values);
            Some(Val::map(
                pairs
                    .filter_map(|(key, value)| Some((key.as_text()?, value)))
                    .collect(),
            ))
        }
        "coalesce" => {
            for argument in arguments {
                match argument {
                    Val::Null => {}
                    Val::Text(text) if text.is_empty() => {}
                    Val::Unknown(_) => return None,
                    value => return Some(value.clone()),
                }
            }
            Some(Val::Null)
        }
        "coalescelist" => {
            for argument in arguments {
                if !items(argument)?.is_empty() {
                    return Some(argument.clone());
                }
            }
            Some(Val::list(Vec::new()))
        }
        "one" => match items(first?)?.as_slice() {
            [] => Some(Val::Null),
            [only] => Some(only.clone()),
            _ => None,
        },
        "sort" => {
            let mut list = items(first?)?;
            if !list.iter().all(Val::known) {
                return Some(Val::list(list));
            }
            list.sort_by_cached_key(Val::as_text);
            Some(Val::list(list))
        }
        "reverse" => items(first?).map(|list| Val::list(list.into_iter().rev().collect())),
        "slice" => {
            let list = items(first?)?;
            let (from, to) = (number(1)? as usize, number(2)? as usize);
            list.get(from..to.min(list.len()))
                .map(|part| Val::list(part.to_vec()))
        }
        "range" => range(arguments),
        "setunion" => {
            let mut all = Vec::new();
            for argument in arguments {
                all.extend(items(argument)?);
            }
            Some(distinct(&all))
        }
        "setintersection" | "setsubtract" => {
            let keep = name == "setintersection";
            let other = items(arguments.get(1)?)?;
            let has = |item: &Val| other.iter().any(|one| one.same(item) == Some(true));
            let list = items(first?)?;
            Some(Val::list(
                list.into_iter().filter(|item| has(item) == keep).collect(),
            ))
        }
        "setproduct" => product(arguments),
        "alltrue" => all_of(first?, true),
        "anytrue" => all_of(first?, false),
        "sum" => {
            let mut sum = 0.0;
            for item in items(first?)? {
                sum += item.as_number()?;
            }
            Some(Val::Number(sum))
        }
        "max" | "min" => {
            let mut numbers = arguments.iter().map(Val::as_number);
            let start = numbers.next()??;
            numbers
                .try_fold(start, |best, next| {
                    let next = next?;
                    Some(if name == "max" {
                        best.max(next)
                    } else {
                        best.min(next)
                    })
                })
                .map(Val::Number)
        }
        "abs" => number(0).map(|n| Val::Number(n.abs())),
        "ceil" => number(0).map(|n| Val::Number(n.ceil())),
        "floor" => number(0).map(|n| Val::Number(n.floor())),
        "parseint" => i64::from_str_radix(&known(first?)?, number(1)? as u32)
            .ok()
            .filter(|_| (2.0..=36.0).contains(&number(1).unwrap_or(0.0)))
            .map(|n| Val::Number(n as f64)),
        "basename" => Some(Val::text(text(0)?.rsplit('/').next().unwrap_or_default())),
        "dirname" => Some(Val::text(
            text(0)?.rsplit_once('/').map_or(".", |(head, _)| head),
        )),
        "abspath" | "pathexpand" => text(0).map(Val::Text),
        "base64encode" => Some(Val::Text(STANDARD.encode(known(first?)?))),
        "base64decode" => {
            let bytes = STANDARD.decode(known(first?)?).ok()?;
            String::from_utf8(bytes).ok().map(Val::Text)
        }
        "file" => read(at, &known(first?)?).map(Val::text),
        "fileexists" => read(at, &known(first?)?).map(|_| Val::Bool(true)),
        "fileset" => files(at, &known(first?)?, &known(arguments.get(1)?)?),
        "templatefile" => {
            let source = read(at, &known(first?)?)?;
            render(at, source, arguments.get(1)?)
        }
        _ => None,
    }
}

fn known(value: &Val) -> Option<String> {
    value.known_text()
}

/// Items of a list, and values of a mapping; `None` when unknown.
fn items(value: &Val) -> Option<Vec<Val>> {
    match value {
        Val::Text(text) if wholly_marked(text) => None,
        Val::Map(map) => Some(map.values().cloned().collect()),
        value => value.items(),
    }
}

fn spread(value: &Val) -> Vec<Val> {
    match value {
        Val::List(items) => items.as_ref().clone(),
        Val::Null => Vec::new(),
        value => vec![value.clone()],
    }
}

fn distinct(list: &[Val]) -> Val {
    let mut seen = BTreeSet::new();
    let kept = list
        .iter()
        .filter(|item| seen.insert(item.to_json().to_string()));
    Val::list(kept.cloned().collect())
}

fn merge(arguments: &[Val]) -> Option<Val> {
    let mut out = BTreeMap::new();
    let mut any = false;
    for argument in arguments.iter().flat_map(spread) {
        match argument {
            Val::Map(map) => {
                any = true;
                out.extend(Rc::unwrap_or_clone(map));
            }
            Val::Null => any = true,
            _ => {}
        }
    }
    any.then_some(Val::map(out))
}

fn flatten(value: &Val, out: &mut Vec<Val>, depth: usize) {
    match value {
        Val::List(items) if depth < 16 => {
            for item in items.iter() {
                if out.len() < MAX_ITEMS {
                    flatten(item, out, depth + 1);
                }
            }
        }
        Val::Null if depth == 0 => {}
        value => out.push(value.clone()),
    }
}

/// Changes letters, leaving marks of unknown parts as they are.
fn cased(text: &str, mut change: impl FnMut(char) -> String) -> Val {
    if !marked(text) {
        return Val::Text(text.chars().map(change).collect());
    }
    let mut inside = false;
    let mut out = String::new();
    for c in text.chars() {
        if marked(c.encode_utf8(&mut [0; 4])) {
            inside = !inside;
            out.push(c);
        } else if inside {
            out.push(c);
        } else {
            out.push_str(&change(c));
        }
    }
    Val::Text(out)
}

fn substring(text: &str, from: f64, count: f64) -> Option<Val> {
    let total = text.chars().count();
    let from = if from < 0.0 {
        total.checked_sub(-from as usize)?
    } else {
        from as usize
    };
    let count = if count < 0.0 { total } else { count as usize };
    Some(Val::Text(text.chars().skip(from).take(count).collect()))
}

/// `%s`, `%d`, `%v`, `%q` and padded numbers.
fn format_text(pattern: &str, arguments: &[Val]) -> Option<Val> {
    let mut out = String::new();
    let mut rest = arguments.iter();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        if chars.peek() == Some(&'%') {
            chars.next();
            out.push('%');
            continue;
        }
        let mut spec = String::new();
        for next in chars.by_ref() {
            if next.is_ascii_alphabetic() {
                let value = rest.next()?;
                let text = match value {
                    Val::Null => "null".to_owned(),
                    value => value
                        .as_text()
                        .unwrap_or_else(|| value.to_json().to_string()),
                };
                let width: usize = spec
                    .trim_start_matches(['0', '-', '+'])
                    .parse()
                    .unwrap_or(0);
                let text = match (next, spec.starts_with('0')) {
                    ('q', _) => format!("\"{text}\""),
                    (_, true) if width < 64 => format!("{text:0>width$}"),
                    _ => text,
                };
                if !append(&mut out, &text) {
                    return None;
                }
                break;
            }
            spec.push(next);
        }
    }
    Some(Val::Text(out))
}

fn format_list(pattern: &str, arguments: &[Val]) -> Option<Val> {
    let longest = arguments
        .iter()
        .filter_map(|argument| match argument {
            Val::List(items) => Some(items.len()),
            _ => None,
        })
        .max()?;
    if arguments
        .iter()
        .any(|argument| matches!(argument, Val::Unknown(_)))
    {
        return None;
    }
    let mut out = Vec::new();
    for at in 0..longest.min(MAX_ITEMS) {
        let row: Vec<Val> = arguments
            .iter()
            .map(|argument| match argument {
                Val::List(items) => items.get(at).cloned().unwrap_or(Val::Null),
                other => other.clone(),
            })
            .collect();
        out.push(format_text(pattern, &row)?);
    }
    Some(Val::list(out))
}

fn range(arguments: &[Val]) -> Option<Val> {
    let numbers: Option<Vec<f64>> = arguments.iter().map(Val::as_number).collect();
    let (from, to, step) = match numbers?.as_slice() {
        [to] => (0.0, *to, 1.0),
        [from, to] => (*from, *to, 1.0),
        [from, to, step] => (*from, *to, *step),
        _ => return None,
    };
    if step == 0.0 {
        return None;
    }
    let mut out = Vec::new();
    let mut at = from;
    while out.len() < MAX_ITEMS && ((step > 0.0 && at < to) || (step < 0.0 && at > to)) {
        out.push(Val::Number(at));
        at += step;
    }
    Some(Val::list(out))
}

fn product(arguments: &[Val]) -> Option<Val> {
    let mut rows: Vec<Vec<Val>> = vec![Vec::new()];
    for argument in arguments {
        let list = items(argument)?;
        if rows.len().saturating_mul(list.len()) > MAX_ITEMS {
            return None;
        }
        rows = rows
            .iter()
            .flat_map(|row| {
                list.iter().map(move |item| {
                    let mut row = row.clone();
                    row.push(item.clone());
                    row
                })
            })
            .collect();
    }
    Some(Val::list(rows.into_iter().map(Val::list).collect()))
}

fn all_of(list: &Val, all: bool) -> Option<Val> {
    let flags: Vec<Option<bool>> = items(list)?.iter().map(Val::as_bool).collect();
    if flags.contains(&Some(!all)) {
        return Some(Val::Bool(!all));
    }
    flags.iter().all(Option::is_some).then_some(Val::Bool(all))
}

/// Text of another file of the repository.
fn read<'a>(at: At<'a>, path: &str) -> Option<&'a str> {
    let scope = at.scope;
    // What stands on `path.module` begins at the repository; anything else begins where the code is run.
    let from_top = join("", path).and_then(|uri| scope.project.text(&uri));
    from_top
        .or_else(|| join(&scope.root, path).and_then(|uri| scope.project.text(&uri)))
        .or_else(|| join(&scope.folder, path).and_then(|uri| scope.project.text(&uri)))
}

fn files(at: At<'_>, folder: &str, pattern: &str) -> Option<Val> {
    let matcher = globset::GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()
        .ok()?
        .compile_matcher();
    let folder = join("", folder)?;
    let found: Vec<Val> = at
        .scope
        .project
        .texts_in(&folder)
        .filter(|path| matcher.is_match(path))
        .take(MAX_ITEMS)
        .map(Val::text)
        .collect();
    // Of other files nothing is known here.
    (!found.is_empty()).then_some(Val::list(found))
}

/// Renders the text of a template with the given variables.
pub(super) fn render(at: At<'_>, source: &str, variables: &Val) -> Option<Val> {
    let template = hcl_edit::parser::parse_template(source).ok()?;
    let names: Vec<(String, Val)> = match variables {
        Val::Map(map) => map
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        _ => Vec::new(),
    };
    bind(at, &names, &template)
}

fn bind(
    at: At<'_>,
    names: &[(String, Val)],
    template: &hcl_edit::template::Template,
) -> Option<Val> {
    match names.split_first() {
        None => Some(at.template(template)),
        Some(((name, value), rest)) if rest.len() < 64 => {
            let env = Env {
                name,
                value,
                outer: at.env,
            };
            bind(
                At {
                    env: Some(&env),
                    ..at
                },
                rest,
                template,
            )
        }
        Some(_) => None,
    }
}

fn from_yaml(source: &str) -> Option<Val> {
    let text = Text::new(source.as_bytes());
    let parsed = yaml::parse(&text);
    parsed.documents.first().map(node_value)
}

/// A located tree as a value.
pub(in super::super) fn node_value(node: &node::Node) -> Val {
    match &node.value {
        node::Value::Null => Val::Null,
        node::Value::Scalar { text, plain: true } => match (text.as_str(), text.parse::<f64>()) {
            ("true", _) => Val::Bool(true),
            ("false", _) => Val::Bool(false),
            // Numbers with leading zeros, such as account ids, are texts to everybody.
            (_, Ok(number))
                if number.is_finite() && (!text.starts_with('0') || text.len() == 1) =>
            {
                Val::Number(number)
            }
            _ => Val::text(super::super::infra::value::unmarked(text)),
        },
        node::Value::Scalar { text, .. } => Val::text(super::super::infra::value::unmarked(text)),
        node::Value::List(items) => Val::list(items.iter().map(node_value).collect()),
        node::Value::Map(entries) => Val::map(
            entries
                .iter()
                .map(|(key, value)| {
                    (
                        super::super::infra::value::unmarked(&key.text),
                        node_value(value),
                    )
                })
                .collect(),
        ),
    }
}
