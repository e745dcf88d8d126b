//! Stores that speak the language of S3 and are not AWS's: keys beside their address belong to whoever runs them.

use super::clean::clean;
use super::node::{Node, Value};
use crate::model::consumer::{OTHER_STORE, other_store};
use crate::model::{Evidence, Grade};

/// Names of variables and inputs that hold the address of a store, in upper case.
const NAMES: [&str; 9] = [
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_S3_ENDPOINT",
    "AWS_S3_ENDPOINT_URL",
    "AWS_ENDPOINT",
    "S3_ENDPOINT",
    "S3_ENDPOINT_URL",
    "ENDPOINT_URL",
    "ENDPOINT-URL",
];

/// What a name and its value say: the host of another store than AWS's.
pub(super) fn named(name: &str, value: &str) -> Option<String> {
    let upper = name.to_ascii_uppercase();
    NAMES
        .contains(&upper.as_str())
        .then(|| host(value))
        .flatten()
}

/// What the nodes of a consumer say.
pub(super) fn of<'n>(nodes: impl IntoIterator<Item = &'n Node>) -> Option<Evidence> {
    nodes
        .into_iter()
        .find_map(|node| find(node, 0))
        .map(|host| says(&host))
}

/// The same as evidence.
pub(super) fn says(host: &str) -> Evidence {
    Evidence::new(Grade::B, format!("{OTHER_STORE}{host}"))
}

/// Deepest level looked at.
const DEPTH: usize = 24;

fn find(node: &Node, depth: usize) -> Option<String> {
    if depth > DEPTH {
        return None;
    }
    match &node.value {
        Value::Map(entries) => {
            // A variable of Kubernetes is a mapping of its name and its value.
            let listed = node
                .text_at(&["name"])
                .zip(node.text_at(&["value"]))
                .and_then(|(name, value)| named(name, value));
            listed.or_else(|| {
                entries.iter().find_map(|(key, value)| {
                    value
                        .as_str()
                        .and_then(|text| named(&key.text, text))
                        .or_else(|| find(value, depth + 1))
                })
            })
        }
        Value::List(items) => items.iter().find_map(|item| find(item, depth + 1)),
        _ => node.as_str().and_then(in_command),
    }
}

/// `--endpoint-url ADDRESS` of a command, or `AWS_ENDPOINT_URL=ADDRESS` in one.
fn in_command(text: &str) -> Option<String> {
    let after = |marker: &'static str| {
        text.match_indices(marker)
            .filter_map(move |(at, _)| text.get(at + marker.len()..))
    };
    [
        "--endpoint-url ",
        "--endpoint-url=",
        "AWS_ENDPOINT_URL=",
        "AWS_ENDPOINT_URL_S3=",
    ]
    .into_iter()
    .flat_map(after)
    .find_map(|rest| host(rest.split_whitespace().next().unwrap_or_default()))
}

/// The host of an address, unless it is one of AWS; the name of the variable where one stands for it.
fn host(value: &str) -> Option<String> {
    let value = value.trim().trim_matches(['"', '\'']);
    if value.is_empty() {
        return None;
    }
    if value.starts_with('$') {
        return Some("an address that a variable holds".to_owned());
    }
    other_store(value).map(|host| clean(&host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifests::testing::declared;

    #[test]
    fn an_address_of_aws_is_no_other_store() {
        for (value, found) in [
            (
                "https://x.r2.cloudflarestorage.com",
                Some("x.r2.cloudflarestorage.com"),
            ),
            ("http://minio:9000/", Some("minio")),
            ("https://s3.eu-west-1.amazonaws.com", None),
            ("https://vpce-1.s3.eu-west-1.vpce.amazonaws.com", None),
            (
                "${{ vars.R2_ENDPOINT }}",
                Some("an address that a variable holds"),
            ),
            ("", None),
        ] {
            assert_eq!(
                named("AWS_ENDPOINT_URL", value).as_deref(),
                found,
                "{value}"
            );
        }
        assert_eq!(named("API_ENDPOINT", "https://x.example"), None);
        assert_eq!(
            in_command("aws --endpoint-url https://minio.example:9000 s3 ls").as_deref(),
            Some("minio.example")
        );
        assert_eq!(in_command("aws s3 ls"), None);
    }

    #[test]
    fn whoever_names_another_store_says_so() {
        let keys = "AWS_ACCESS_KEY_ID: ${{ secrets.AWS_ACCESS_KEY_ID }}";
        for (path, text) in [
            (
                ".github/workflows/a.yml",
                format!("on: push\njobs:\n  up:\n    runs-on: x\n    env:\n      {keys}\n      AWS_ENDPOINT_URL: https://x.r2.cloudflarestorage.com\n    steps: [{{run: aws s3 cp a s3://b}}]\n"),
            ),
            (
                ".github/workflows/a.yml",
                format!("on: push\njobs:\n  up:\n    runs-on: x\n    env:\n      {keys}\n    steps: [{{run: aws s3 cp a s3://b --endpoint-url https://s3.example}}]\n"),
            ),
            (
                ".gitlab-ci.yml",
                "up:\n  variables: {AWS_ENDPOINT_URL: 'https://minio.example'}\n  script: [aws s3 ls $AWS_ACCESS_KEY_ID]\n".to_owned(),
            ),
            (
                "docker-compose.yml",
                "services:\n  api:\n    environment:\n      AWS_ACCESS_KEY_ID: ${AWS_ACCESS_KEY_ID}\n      S3_ENDPOINT: http://minio:9000\n".to_owned(),
            ),
            (
                "k8s/a.yaml",
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  template:\n    spec:\n      containers:\n      - name: a\n        env: [{name: AWS_ENDPOINT_URL, value: 'http://minio:9000'}]\n".to_owned(),
            ),
        ] {
            let out = declared(path, &text);
            let told = out.consumers.iter().flat_map(|one| &one.evidence);
            let count = told.filter(|one| one.text.starts_with(OTHER_STORE)).count();
            assert_eq!(count, 1, "{path}: {:?}", out.consumers);
        }
    }
}
