//! Trails of CloudTrail, as the command line prints them.

use super::fields::{Object, take_objects, take_text, take_texts, text};
use crate::model::aws::{AwsTrail, AwsTrailEvents};

/// One export of these kinds.
pub(super) enum Other {
    /// `describe-trails` or `list-trails`, perhaps empty.
    Trails(Vec<AwsTrail>),
    /// `get-trail-status`: names that may be the trail's, nearest first, and whether it records.
    Status(Vec<String>, bool),
    /// `get-event-selectors`.
    Selectors(Vec<String>, AwsTrailEvents),
}

impl Other {
    /// ARNs it speaks of, to find its account by.
    pub(super) fn arns(&self) -> Vec<&str> {
        match self {
            Self::Trails(list) => list.iter().map(|one| one.arn.as_str()).collect(),
            Self::Status(names, _) | Self::Selectors(names, _) => {
                names.iter().map(String::as_str).collect()
            }
        }
    }
}

/// Takes everything of these kinds out of an object.
pub(super) fn take(object: &mut Object, names: &[String]) -> Vec<Other> {
    let mut found = Vec::new();
    for key in ["trailList", "Trails"] {
        if object.get(key).is_some_and(|list| {
            list.as_array().is_some_and(|items| {
                items.iter().all(|item| item.get("TrailARN").is_some())
                    && (key == "trailList" || !items.is_empty())
            })
        }) {
            let list = take_objects(object, key);
            // `list-trails` tells only names; what a trail records is then not known.
            if key == "trailList" {
                found.push(Other::Trails(list.into_iter().filter_map(trail).collect()));
            }
        }
    }
    if let Some(logging) = object.get("IsLogging").and_then(serde_json::Value::as_bool) {
        found.push(Other::Status(named(object, names), logging));
    }
    if object.contains_key("EventSelectors") || object.contains_key("AdvancedEventSelectors") {
        found.push(Other::Selectors(named(object, names), selectors(object)));
    }
    found
}

/// Names that may be the trail's: its own, then those around it.
fn named(object: &Object, names: &[String]) -> Vec<String> {
    ["TrailARN", "Name"]
        .iter()
        .filter_map(|key| text(object, key))
        .map(str::to_owned)
        .chain(names.iter().cloned())
        .collect()
}

fn trail(mut item: Object) -> Option<AwsTrail> {
    let flag = |key: &str| item.get(key).and_then(serde_json::Value::as_bool);
    let (multi_region, organization) = (
        flag("IsMultiRegionTrail").unwrap_or_default(),
        flag("IsOrganizationTrail").unwrap_or_default(),
    );
    Some(AwsTrail {
        arn: take_text(&mut item, "TrailARN")?,
        home_region: take_text(&mut item, "HomeRegion"),
        multi_region,
        organization,
        logging: None,
        management: None,
    })
}

/// What the selectors record of management events, over all of them.
fn selectors(object: &mut Object) -> AwsTrailEvents {
    let mut events = AwsTrailEvents {
        partial: true,
        ..AwsTrailEvents::default()
    };
    for mut selector in take_objects(object, "EventSelectors") {
        if selector
            .get("IncludeManagementEvents")
            .and_then(serde_json::Value::as_bool)
            == Some(false)
        {
            continue;
        }
        let kind = text(&selector, "ReadWriteType").unwrap_or("All").to_owned();
        events.read |= kind != "WriteOnly";
        events.write |= kind != "ReadOnly";
        events.partial &= !take_texts(&mut selector, "ExcludeManagementEventSources").is_empty();
    }
    for mut selector in take_objects(object, "AdvancedEventSelectors") {
        let fields = take_objects(&mut selector, "FieldSelectors");
        let of = |name: &str| {
            fields
                .iter()
                .filter(|field| text(field, "Field") == Some(name))
                .cloned()
                .collect::<Vec<Object>>()
        };
        let management = of("eventCategory").into_iter().any(|mut field| {
            take_texts(&mut field, "Equals")
                .iter()
                .any(|category| category == "Management")
        });
        if !management {
            continue;
        }
        let mut only = of("readOnly")
            .into_iter()
            .flat_map(|mut field| take_texts(&mut field, "Equals"));
        match only.next().as_deref() {
            Some("true") => events.read = true,
            Some("false") => events.write = true,
            _ => {
                events.read = true;
                events.write = true;
            }
        }
        let narrowed = fields.iter().any(|field| {
            !matches!(
                text(field, "Field"),
                Some("eventCategory" | "readOnly") | None
            )
        });
        events.partial &= narrowed;
    }
    events.partial &= events.read || events.write;
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn events(value: Value) -> (bool, bool, bool) {
        let Value::Object(mut object) = value else {
            panic!()
        };
        let found = selectors(&mut object);
        (found.read, found.write, found.partial)
    }

    #[test]
    fn what_a_trail_records_is_read_from_both_forms_of_selectors() {
        let plain = |kind: &str, management: bool, without: Value| {
            events(json!({"EventSelectors": [{"ReadWriteType": kind,
                "IncludeManagementEvents": management, "ExcludeManagementEventSources": without}]}))
        };
        assert_eq!(plain("All", true, json!([])), (true, true, false));
        assert_eq!(plain("WriteOnly", true, json!([])), (false, true, false));
        assert_eq!(plain("All", false, json!([])), (false, false, false));
        assert_eq!(
            plain("All", true, json!(["kms.amazonaws.com"])),
            (true, true, true)
        );
        let advanced =
            |fields: Value| events(json!({"AdvancedEventSelectors": [{"FieldSelectors": fields}]}));
        let management = json!({"Field": "eventCategory", "Equals": ["Management"]});
        assert_eq!(advanced(json!([management])), (true, true, false));
        assert_eq!(
            advanced(json!([management, {"Field": "readOnly", "Equals": ["false"]}])),
            (false, true, false)
        );
        assert_eq!(
            advanced(
                json!([management, {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}])
            ),
            (true, true, true)
        );
        assert_eq!(
            advanced(json!([{"Field": "eventCategory", "Equals": ["Data"]}])),
            (false, false, false)
        );
    }
}
