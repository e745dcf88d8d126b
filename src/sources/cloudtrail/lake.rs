//! Nested columns of query results, which are written `{type=IAMUser, arn=arn:aws:…, sessioncontext={…}}`.

use serde_json::{Map, Value};

/// Most levels that are opened.
const MAX_DEPTH: usize = 6;

/// Reads a nested column; `None` when it is none.
pub(super) fn value(text: &str) -> Option<Value> {
    let (value, rest) = object(text.trim(), 0)?;
    rest.trim().is_empty().then_some(value)
}

fn object(text: &str, depth: usize) -> Option<(Value, &str)> {
    if depth > MAX_DEPTH {
        return None;
    }
    let mut rest = text.strip_prefix('{')?;
    let mut map = Map::new();
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('}') {
            return Some((Value::Object(map), after));
        }
        let (name, after) = rest.split_once('=')?;
        let (value, after) = if after.starts_with('{') {
            object(after, depth + 1)?
        } else {
            scalar(after)
        };
        map.insert(spelled(name.trim()), value);
        rest = after.strip_prefix(',').unwrap_or(after);
        if rest.is_empty() {
            return None;
        }
    }
}

/// Up to the next comma that begins a new name, or the end of the object.
fn scalar(text: &str) -> (Value, &str) {
    let mut from = 0;
    let end = loop {
        let Some(found) = text.get(from..).and_then(|rest| rest.find([',', '}'])) else {
            break text.len();
        };
        let at = from + found;
        let ends = text.get(at..).is_some_and(|rest| {
            rest.starts_with('}')
                || rest.strip_prefix(", ").is_some_and(|next| {
                    let name = next.split(['=', ',', '}', ' ']).next().unwrap_or_default();
                    !name.is_empty() && next.get(name.len()..).is_some_and(|r| r.starts_with('='))
                })
        });
        if ends {
            break at;
        }
        from = at + 1;
    };
    let (value, rest) = text.split_at(end);
    let value = match value.trim() {
        "null" | "" => Value::Null,
        other => Value::String(other.to_owned()),
    };
    (value, rest)
}

/// Names as events spell them.
fn spelled(name: &str) -> String {
    match name.to_ascii_lowercase().as_str() {
        "principalid" => "principalId",
        "accountid" => "accountId",
        "accesskeyid" => "accessKeyId",
        "username" => "userName",
        "invokedby" => "invokedBy",
        "identityprovider" => "identityProvider",
        "sessioncontext" => "sessionContext",
        "sessionissuer" => "sessionIssuer",
        "sourceidentity" => "sourceIdentity",
        "webidfederationdata" => "webIdFederationData",
        "federatedprovider" => "federatedProvider",
        _ => name,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn structs_become_objects() {
        let text = "{type=AssumedRole, principalid=AROA1:run, arn=arn:aws:sts::1:assumed-role/r/a=b, sessioncontext={attributes=null, sessionissuer={arn=arn:aws:iam::1:role/r, username=r}}, invokedby=null}";
        assert_eq!(
            value(text).unwrap(),
            serde_json::json!({
                "type": "AssumedRole",
                "principalId": "AROA1:run",
                "arn": "arn:aws:sts::1:assumed-role/r/a=b",
                "sessionContext": {
                    "attributes": null,
                    "sessionIssuer": {"arn": "arn:aws:iam::1:role/r", "userName": "r"}
                },
                "invokedBy": null
            })
        );
        assert_eq!(value("{a=b"), None);
    }

    proptest! {
        #[test]
        fn anything_is_read_or_refused(text in "[{}=, a-z]{0,64}") {
            let _ = value(&text);
        }
    }
}
