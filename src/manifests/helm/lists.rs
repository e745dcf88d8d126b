//! Functions over lists and mappings.

use super::value::{MAX_DEPTH, Value};
use std::rc::Rc;

/// Most items a function makes.
const MAX_ITEMS: i64 = 10_000;

/// Most mappings one merge goes through.
const MAX_MERGED: usize = 20_000;

/// Calls a function over collections; `None` when there is none of this name.
pub(super) fn call(name: &str, arguments: &[Value]) -> Option<Value> {
    let name = name.strip_prefix("must").map_or_else(
        || name.to_owned(),
        |rest| {
            let mut letters = rest.chars();
            letters.next().map_or_else(String::new, |first| {
                first.to_lowercase().collect::<String>() + letters.as_str()
            })
        },
    );
    mappings(&name, arguments)
        .or_else(|| sequences(&name, arguments))
        .or_else(|| changed(&name, arguments))
}

fn mappings(name: &str, arguments: &[Value]) -> Option<Value> {
    Some(match (name, arguments) {
        ("dict", pairs) => Value::map(pairs.chunks(2).filter_map(|pair| {
            Some((
                pair.first()?.show(),
                pair.get(1).cloned().unwrap_or(Value::Nil),
            ))
        })),
        ("get", [map, key]) => match map.field(&key.show()) {
            Value::Nil => Value::text(""),
            value => value,
        },
        ("set", [Value::Map(map), key, value]) => {
            let inside = matches!(value, Value::Map(inner) if Rc::ptr_eq(inner, map));
            // Shown before the mapping is open: the key may be it.
            let key = key.show();
            if !inside {
                map.0.borrow_mut().insert(key, value.clone());
            }
            Value::Map(Rc::clone(map))
        }
        ("unset", [Value::Map(map), key]) => {
            let key = key.show();
            map.0.borrow_mut().remove(&key);
            Value::Map(Rc::clone(map))
        }
        ("hasKey", [Value::Map(map), key]) => Value::Bool(map.0.borrow().contains_key(&key.show())),
        ("hasKey", _) => Value::Bool(false),
        ("keys", maps) => Value::list(maps.iter().flat_map(|map| match map {
            Value::Map(map) => map.0.borrow().keys().map(Value::text).collect(),
            _ => Vec::new(),
        })),
        ("values", [Value::Map(map)]) => Value::list(map.0.borrow().values().cloned()),
        ("pluck", [key, maps @ ..]) => {
            let key = key.show();
            Value::list(
                maps.iter()
                    .map(|map| map.field(&key))
                    .filter(|value| !matches!(value, Value::Nil)),
            )
        }
        ("pick", [Value::Map(map), keys @ ..]) => {
            let keys = words(keys);
            let map = map.0.borrow();
            Value::map(
                map.iter()
                    .filter(|(key, _)| keys.contains(key))
                    .map(|(key, value)| (key.clone(), value.clone())),
            )
        }
        ("omit", [Value::Map(map), keys @ ..]) => {
            let keys = words(keys);
            let map = map.0.borrow();
            Value::map(
                map.iter()
                    .filter(|(key, _)| !keys.contains(key))
                    .map(|(key, value)| (key.clone(), value.clone())),
            )
        }
        ("merge", [first, rest @ ..]) => {
            for other in rest {
                merge(first, other, false);
            }
            first.clone()
        }
        ("mergeOverwrite", [first, rest @ ..]) => {
            for other in rest {
                merge(first, other, true);
            }
            first.clone()
        }
        ("deepCopy", [value]) => value.copy(),
        ("dig", [path @ .., fallback, map]) => {
            let mut value = map.clone();
            for key in path {
                value = value.field(&key.show());
            }
            if matches!(value, Value::Nil) {
                fallback.clone()
            } else {
                value
            }
        }
        ("index", [value, keys @ ..]) => {
            let mut value = value.clone();
            for key in keys {
                value = match &value {
                    Value::List(items) => usize::try_from(key.int())
                        .ok()
                        .and_then(|at| items.get(at))
                        .cloned()
                        .unwrap_or(Value::Nil),
                    other => other.field(&key.show()),
                };
            }
            value
        }
        _ => return None,
    })
}

fn words(values: &[Value]) -> Vec<String> {
    values
        .iter()
        .flat_map(|value| match value {
            Value::List(items) => items.iter().map(Value::show).collect(),
            value => vec![value.show()],
        })
        .collect()
}

/// Adds the entries of one mapping to another, in place.
pub(super) fn merge(into: &Value, from: &Value, overwrite: bool) {
    merge_at(into, from, overwrite, 0, &mut 0);
}

fn merge_at(into: &Value, from: &Value, overwrite: bool, depth: usize, seen: &mut usize) {
    let (Value::Map(to), Value::Map(other)) = (into, from) else {
        return;
    };
    *seen += 1;
    if depth > MAX_DEPTH || *seen > MAX_MERGED || Rc::ptr_eq(to, other) {
        return;
    }
    let entries: Vec<(String, Value)> = other
        .0
        .borrow()
        .iter()
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    for (key, value) in entries {
        let known = to.0.borrow().get(&key).cloned();
        match known {
            Some(known @ Value::Map(_)) if matches!(value, Value::Map(_)) => {
                merge_at(&known, &value, overwrite, depth + 1, seen);
            }
            // As Go's library has it: what is empty is taken from the other.
            Some(known) if !overwrite && known.truth() => {}
            Some(_) if overwrite && matches!(value, Value::Nil) => {}
            _ => {
                // Copied before the mapping is open: the value may hold it.
                let value = value.copy();
                to.0.borrow_mut().insert(key, value);
            }
        }
    }
}

fn sequences(name: &str, arguments: &[Value]) -> Option<Value> {
    Some(match (name, arguments) {
        ("list" | "tuple", items) => Value::list(items.iter().cloned()),
        ("len", [value]) => Value::Int(match value {
            Value::List(items) => items.len(),
            Value::Map(map) => map.0.borrow().len(),
            value => value.show().len(),
        } as i64),
        ("first", [Value::List(items)]) => items.first().cloned().unwrap_or(Value::Nil),
        ("last", [Value::List(items)]) => items.last().cloned().unwrap_or(Value::Nil),
        ("rest", [Value::List(items)]) => Value::list(items.iter().skip(1).cloned()),
        ("initial", [Value::List(items)]) => {
            Value::list(items.iter().take(items.len().saturating_sub(1)).cloned())
        }
        ("has", [item, Value::List(items)]) => {
            Value::Bool(items.iter().any(|known| known.same(item)))
        }
        ("has", _) => Value::Bool(false),
        ("first" | "last", _) => Value::Nil,
        ("until", [count]) => (0..count.int().clamp(0, MAX_ITEMS))
            .map(Value::Int)
            .collect::<Vec<_>>()
            .into(),
        ("untilStep", [from, to, step]) => {
            let (mut at, to, step) = (from.int(), to.int(), step.int());
            let mut items = Vec::new();
            while step != 0
                && (step > 0 && at < to || step < 0 && at > to)
                && (items.len() as i64) < MAX_ITEMS
            {
                items.push(Value::Int(at));
                at = at.saturating_add(step);
            }
            items.into()
        }
        ("seq", [.., to]) => {
            let from = if arguments.len() > 1 {
                arguments.first()?.int()
            } else {
                1
            };
            let shown: Vec<String> = (from..=to.int())
                .take(MAX_ITEMS as usize)
                .map(|at| at.to_string())
                .collect();
            Value::Text(shown.join(" "))
        }
        ("slice", [Value::List(items), bounds @ ..]) => {
            let bound = |at: usize| bounds.get(at).and_then(|b| usize::try_from(b.int()).ok());
            let from = bound(0).unwrap_or(0);
            let to = bound(1).unwrap_or(items.len());
            Value::list(items.iter().take(to).skip(from).cloned())
        }
        _ => return None,
    })
}

fn changed(name: &str, arguments: &[Value]) -> Option<Value> {
    Some(match (name, arguments) {
        ("append" | "push", [Value::List(items), item]) => {
            Value::list(items.iter().cloned().chain([item.clone()]))
        }
        ("append" | "push", [Value::Nil, item]) => Value::list([item.clone()]),
        ("prepend", [Value::List(items), item]) => {
            Value::list([item.clone()].into_iter().chain(items.iter().cloned()))
        }
        ("concat", lists) => Value::list(lists.iter().flat_map(|list| match list {
            Value::List(items) => items.iter().cloned().collect(),
            _ => Vec::new(),
        })),
        ("uniq", [Value::List(items)]) => {
            let mut kept: Vec<Value> = Vec::new();
            for item in items.iter().take(1_000) {
                if !kept.iter().any(|known| known.same(item)) {
                    kept.push(item.clone());
                }
            }
            kept.into()
        }
        ("without", [Value::List(items), gone @ ..]) => Value::list(
            items
                .iter()
                .filter(|item| !gone.iter().any(|other| other.same(item)))
                .cloned(),
        ),
        ("compact", [Value::List(items)]) => {
            Value::list(items.iter().filter(|item| item.truth()).cloned())
        }
        ("reverse", [Value::List(items)]) => Value::list(items.iter().rev().cloned()),
        ("sortAlpha", [Value::List(items)]) => {
            let mut texts: Vec<String> = items.iter().map(Value::show).collect();
            texts.sort();
            Value::list(texts.into_iter().map(Value::Text))
        }
        ("chunk", [size, Value::List(items)]) => {
            let size = usize::try_from(size.int()).unwrap_or(1).max(1);
            Value::list(
                items
                    .chunks(size)
                    .map(|part| Value::list(part.iter().cloned())),
            )
        }
        ("rest" | "initial" | "uniq" | "compact" | "reverse" | "sortAlpha" | "without", _) => {
            Value::list([])
        }
        _ => return None,
    })
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::list(items)
    }
}
