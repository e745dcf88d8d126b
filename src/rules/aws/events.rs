//! What CloudTrail events mean in the language of policies.

use super::actions::ActionTable;
use crate::rules::{self, RuleError};
use serde::Deserialize;
use std::collections::BTreeMap;

const FILE: &str = "aws/events.toml";

/// `rules/aws/events.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventTable {
    /// Date of the facts.
    pub as_of: String,
    /// Where they come from.
    pub source: String,
    services: BTreeMap<String, String>,
    ungoverned: Ungoverned,
    actions: BTreeMap<String, Vec<String>>,
    resources: BTreeMap<String, Vec<String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ungoverned {
    sources: Vec<String>,
}

impl EventTable {
    /// The table as shipped.
    ///
    /// # Errors
    /// When the embedded data is not valid.
    pub fn builtin() -> Result<Self, RuleError> {
        rules::read(FILE)
    }

    /// Actions a call needs, from the first label of its event source and its name; none for what no policy governs.
    pub fn actions(&self, source: &str, name: &str, table: &ActionTable) -> Vec<String> {
        if self.ungoverned.sources.iter().any(|known| known == source) {
            return Vec::new();
        }
        let service = self.services.get(source).map_or(source, String::as_str);
        let name = undated(name);
        let action = format!("{service}:{name}");
        if let Some(actions) = self.actions.get(&action) {
            return actions.clone();
        }
        if service == "apigateway" && table.index_of(&action).is_none() {
            return vec![format!("apigateway:{}", verb(name))];
        }
        match table.index_of(&action) {
            // Names are told as the reference writes them.
            Some(index) => vec![table.name_of(index).unwrap_or(action)],
            None => vec![action],
        }
    }

    /// ARNs a request names, from the first label of its event source.
    pub fn resources(
        &self,
        source: &str,
        parameters: &BTreeMap<String, String>,
        place: &dyn Fn(&str) -> Option<String>,
    ) -> Vec<String> {
        let named: Vec<String> = parameters
            .values()
            .filter(|value| value.starts_with("arn:"))
            .cloned()
            .collect();
        if !named.is_empty() {
            return named;
        }
        let service = self.services.get(source).map_or(source, String::as_str);
        self.resources
            .get(service)
            .into_iter()
            .flatten()
            .find_map(|template| fill(template, parameters, place))
            .into_iter()
            .collect()
    }

    /// Services for which requests tell resources.
    pub fn names_resources(&self, service: &str) -> bool {
        self.resources.contains_key(service)
    }
}

/// A template with every word in braces replaced; `None` when one has no value.
fn fill(
    template: &str,
    parameters: &BTreeMap<String, String>,
    place: &dyn Fn(&str) -> Option<String>,
) -> Option<String> {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (word, behind) = after.split_once('}')?;
        out.push_str(before);
        let value = place(word).or_else(|| parameters.get(word).cloned())?;
        let value = value.trim_start_matches('/');
        if value.is_empty() && word != "account" && word != "region" {
            return None;
        }
        out.push_str(value);
        rest = behind;
    }
    out.push_str(rest);
    Some(out)
}

/// A name without the date of the interface's version: `CreateFunction20150331v2`, `GetDistribution2020_05_31`.
fn undated(name: &str) -> &str {
    let without_version = match name.rsplit_once('v') {
        Some((stem, version))
            if !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit()) =>
        {
            stem
        }
        _ => name,
    };
    let stem = without_version.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
    let dropped = without_version.len() - stem.len();
    let digits = without_version
        .get(stem.len()..)
        .unwrap_or_default()
        .bytes()
        .filter(u8::is_ascii_digit)
        .count();
    if digits == 8 && dropped <= 10 && !stem.is_empty() {
        stem
    } else {
        name
    }
}

/// API Gateway's actions are the verbs of its interface.
fn verb(name: &str) -> &'static str {
    match name {
        name if name.starts_with("Get") => "GET",
        name if name.starts_with("Delete") => "DELETE",
        name if name.starts_with("Update") => "PATCH",
        name if name.starts_with("Put") || name.starts_with("Tag") => "PUT",
        _ => "POST",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::aws::AwsTables;

    #[test]
    fn every_name_in_the_table_is_an_action() {
        let (table, events) = (
            AwsTables::builtin().unwrap().actions,
            EventTable::builtin().unwrap(),
        );
        for action in events.actions.values().flatten() {
            assert!(table.index_of(action).is_some(), "{action}");
        }
        for service in events.services.values().chain(events.resources.keys()) {
            assert!(table.service(service).is_some(), "{service}");
        }
    }

    #[test]
    fn events_become_actions() {
        let (table, events) = (
            AwsTables::builtin().unwrap().actions,
            EventTable::builtin().unwrap(),
        );
        for (source, name, actions) in [
            ("s3", "ListObjectsV2", &["s3:ListBucket"][..]),
            ("s3", "CopyObject", &["s3:PutObject", "s3:GetObject"]),
            (
                "lambda",
                "UpdateFunctionCode20150331v2",
                &["lambda:UpdateFunctionCode"],
            ),
            (
                "cloudfront",
                "GetDistribution2020_05_31",
                &["cloudfront:GetDistribution"],
            ),
            (
                "monitoring",
                "DescribeAlarms",
                &["cloudwatch:DescribeAlarms"],
            ),
            ("apigateway", "CreateRestApi", &["apigateway:POST"]),
            ("signin", "ConsoleLogin", &[]),
            ("newservice", "DoThings", &["newservice:DoThings"]),
        ] {
            assert_eq!(
                events.actions(source, name, &table),
                actions,
                "{source} {name}"
            );
        }
        let parameters = BTreeMap::from([
            ("bucketName".to_owned(), "site".to_owned()),
            ("key".to_owned(), "/a/b".to_owned()),
        ]);
        let place = |word: &str| (word == "partition").then(|| "aws".to_owned());
        assert_eq!(
            events.resources("s3", &parameters, &place),
            ["arn:aws:s3:::site/a/b"]
        );
    }
}
