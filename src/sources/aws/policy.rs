//! Policy documents, which the raw API delivers URL-encoded and the command line decoded.

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// Decodes a policy document; `None` when it is neither an object nor text that holds one.
///
/// Some exporters encode twice, some write the JSON text unencoded: both are followed, to a depth of three.
pub(super) fn decode(document: Value) -> Option<Value> {
    let mut text = match document {
        Value::Object(_) => return Some(document),
        Value::String(text) => text,
        _ => return None,
    };
    for _ in 0..3 {
        match serde_json::from_str(&text) {
            Ok(Value::String(inner)) => text = inner,
            Ok(Value::Object(object)) => return Some(Value::Object(object)),
            Ok(_) => return None,
            Err(_) => {
                let decoded = percent_decode_str(&text).decode_utf8().ok()?.into_owned();
                if serde_json::from_str::<Value>(&decoded).is_err() && text.contains('+') {
                    // Form encoders write a blank as `+`; no JSON stands with `+` between its words.
                    let spaced = text.replace('+', "%20");
                    let spaced = percent_decode_str(&spaced).decode_utf8().ok()?.into_owned();
                    if serde_json::from_str::<Value>(&spaced).is_ok() {
                        text = spaced;
                        continue;
                    }
                }
                if decoded == text {
                    return None;
                }
                text = decoded;
            }
        }
    }
    match serde_json::from_str(&text) {
        Ok(Value::Object(object)) => Some(Value::Object(object)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn every_form_of_one_document_reads_alike() {
        let document =
            json!({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "a+b %41"}});
        let plain = document.to_string();
        let once = utf8_percent_encode(&plain, NON_ALPHANUMERIC).to_string();
        let twice = utf8_percent_encode(&once, NON_ALPHANUMERIC).to_string();
        let form_encoded = once.replace("%20", "+").replacen("%7B", "%7B+", 1);
        for form in [
            document.clone(),
            json!(form_encoded),
            json!(plain),
            json!(once),
            json!(twice),
            json!(json!(plain).to_string()),
        ] {
            assert_eq!(decode(form), Some(document.clone()));
        }
        for other in [
            json!(null),
            json!(3),
            json!("x"),
            json!(["{}"]),
            json!("%7B"),
        ] {
            assert_eq!(decode(other), None);
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,60}") {
            decode(Value::String(text));
        }
    }
}
