//! `results.sarif` against the official schema, and against what the schema cannot say and readers demand.

use crate::sample;
use overstay::model::{Location, Report};
use overstay::report::sarif::Sarif;
use overstay::report::{Emitter as _, Format, Options};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn sarif(report: &Report) -> Value {
    let mut out = Vec::new();
    let emitter = Format::Sarif.emitter(Options::default());
    emitter.emit(report, &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

/// The schema OASIS publishes, as the crate `serde-sarif` carries it. The crate is downloaded like every other, into
/// cargo's own cache, and not compiled.
fn official_schema() -> Value {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sarif-schema");
    let manifest = "[package]\nname = \"sarif-schema\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
                    [dependencies]\nserde-sarif = { version = \"=0.8.0\", default-features = false }\n[workspace]\n";
    overstay::store::atomic::write(&scratch.join("Cargo.toml"), manifest.as_bytes()).unwrap();
    overstay::store::atomic::write(&scratch.join("src/lib.rs"), b"").unwrap();
    let metadata = |more: &[&str]| {
        #[expect(clippy::disallowed_methods, reason = "a test may start cargo")]
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["metadata", "--format-version", "1"])
            .args(more)
            .current_dir(&scratch)
            .output()
            .unwrap()
    };
    let mut output = metadata(&["--offline"]);
    if !output.status.success() {
        output = metadata(&[]);
    }
    assert!(
        output.status.success(),
        "the official schema cannot be had from the registry: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = found["packages"].as_array().unwrap();
    let package = packages
        .iter()
        .find(|each| each["name"] == "serde-sarif")
        .unwrap();
    let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
    let json = std::fs::read_to_string(manifest.with_file_name("src/schema.json")).unwrap();
    let mut schema: Value = serde_json::from_str(&json).unwrap();
    // As published, the pattern of a language has a bracket that closes nothing, which not every reader of schemas takes.
    for owner in ["run", "toolComponent"] {
        let language = &mut schema["definitions"][owner]["properties"]["language"];
        let published = language.as_object_mut().unwrap().remove("pattern").unwrap();
        assert!(text(&published).ends_with("]?$"), "{published}");
    }
    let id = schema["$id"].as_str().unwrap();
    assert!(
        id.contains("oasis-tcs/sarif-spec") && id.ends_with("sarif-schema-2.1.0.json"),
        "{id}"
    );
    schema
}

#[test]
fn it_follows_the_official_schema() {
    let schema = official_schema();
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap();
    let mut log = sarif(&sample::report());
    let errors: Vec<_> = validator
        .iter_errors(&log)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    log["runs"][0]["results"][0]["level"] = "medium".into();
    assert!(!validator.is_valid(&log), "the schema accepts anything");
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Every string of the document, with the name of its field.
fn strings<'a>(name: &'a str, value: &'a Value, into: &mut Vec<(&'a str, &'a str)>) {
    match value {
        Value::String(text) => into.push((name, text)),
        Value::Array(values) => values.iter().for_each(|value| strings(name, value, into)),
        Value::Object(map) => map
            .iter()
            .for_each(|(name, value)| strings(name, value, into)),
        _ => {}
    }
}

#[test]
fn it_says_what_readers_demand() {
    let log = sarif(&sample::report());
    let mut hashes = BTreeSet::new();
    for run in list(&log["runs"]) {
        let driver = &run["tool"]["driver"];
        let rules = list(&driver["rules"]);
        let ids: Vec<_> = rules.iter().map(|rule| text(&rule["id"])).collect();
        assert!(ids.is_sorted(), "{ids:?}");
        for rule in rules {
            for field in ["shortDescription", "fullDescription", "help"] {
                assert!(!text(&rule[field]["text"]).is_empty());
            }
            assert!(text(&rule["shortDescription"]["text"]).chars().count() <= 1024);
            assert!(text(&rule["fullDescription"]["text"]).chars().count() <= 1024);
            assert!(text(&rule["name"]).len() <= 255);
            let tags: Vec<_> = list(&rule["properties"]["tags"]).iter().map(text).collect();
            assert!(tags.len() <= 20 && tags[0] == "security", "{tags:?}");
            assert!(
                tags.iter().any(|tag| tag.starts_with("external/cwe/cwe-")),
                "{tags:?}"
            );
            let severity: f64 = text(&rule["properties"]["security-severity"])
                .parse()
                .unwrap();
            assert!(severity > 0.0 && severity <= 10.0);
            for relationship in list(&rule["relationships"]) {
                let target = &relationship["target"];
                let component = &target["toolComponent"];
                let taxonomy = &run["taxonomies"][component["index"].as_u64().unwrap() as usize];
                assert_eq!(taxonomy["name"], component["name"]);
                let taxon = &taxonomy["taxa"][target["index"].as_u64().unwrap() as usize];
                assert_eq!(taxon["id"], target["id"]);
            }
        }
        for (supported, taxonomy) in list(&driver["supportedTaxonomies"])
            .iter()
            .zip(list(&run["taxonomies"]))
        {
            assert_eq!(supported["name"], taxonomy["name"]);
        }
        for result in list(&run["results"]) {
            let rule = &rules[result["ruleIndex"].as_u64().unwrap() as usize];
            assert_eq!(rule["id"], result["ruleId"]);
            assert!(!text(&result["message"]["text"]).is_empty());
            let hash = text(&result["partialFingerprints"]["primaryLocationLineHash"]);
            assert!(hashes.insert(hash.to_owned()), "{hash} twice");
            for key in result["fingerprints"].as_object().unwrap().keys() {
                assert_eq!(
                    key, "overstay/v1",
                    "importers read the version behind the last slash"
                );
            }
            let locations = list(&result["locations"]);
            assert!(!locations.is_empty() && locations.len() <= 1000);
            for location in locations {
                let place = &location["physicalLocation"];
                let uri = text(&place["artifactLocation"]["uri"]);
                assert!(
                    !uri.is_empty() && !uri.starts_with('/') && !uri.contains("://"),
                    "{uri}"
                );
                assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
            }
        }
        let kinds = list(&driver["notifications"]);
        for kind in kinds {
            for field in ["shortDescription", "fullDescription", "help"] {
                assert!(!text(&kind[field]["text"]).is_empty());
            }
        }
        for notification in list(&run["invocations"][0]["toolExecutionNotifications"]) {
            let descriptor = &notification["descriptor"];
            let kind = &kinds[descriptor["index"].as_u64().unwrap() as usize];
            assert_eq!(kind["id"], descriptor["id"]);
        }
        assert_eq!(run["columnKind"], "unicodeCodePoints");
    }
    assert_eq!(
        hashes.len(),
        sample::report().findings.len() + 1,
        "and one that was fixed"
    );
    let mut found = Vec::new();
    strings("", &log, &mut found);
    for (name, text) in found {
        assert!(!text.is_empty(), "{name} is empty");
        let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!text.contains(acts), "{name}: {text:?}");
        assert!(
            name != "text" || !text.contains("]("),
            "a link from outside: {text}"
        );
    }
}

#[test]
fn files_and_accounts_are_separate_runs_with_their_own_gaps() {
    let log = sarif(&sample::report());
    let runs = list(&log["runs"]);
    let ids: Vec<_> = runs
        .iter()
        .map(|run| text(&run["automationDetails"]["id"]))
        .collect();
    assert_eq!(
        ids,
        [
            "overstay/source/r-0123456789abcdef",
            "overstay/cloud/r-0123456789abcdef"
        ]
    );
    let uris = |run: &Value| -> Vec<String> {
        let results = list(&run["results"]).iter();
        let first = results
            .map(|each| &each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]);
        first.map(|uri| text(uri).to_owned()).collect()
    };
    assert_eq!(
        uris(&runs[0]),
        [
            "shop/deploy/%20old.env",
            "desk/.mcp.json",
            "desk/.mcp.json",
            // Fixed since the run before.
            "shop/deploy/%20old.env"
        ]
    );
    assert_eq!(
        uris(&runs[1]),
        ["aws/111122223333/account-authorization-details.json"]
    );
    assert_eq!(
        runs[1]["results"][0]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"],
        "arn:aws:iam::111122223333:user/deployer"
    );
    assert_eq!(runs[0]["invocations"][0]["executionSuccessful"], false);
    assert_eq!(runs[1]["invocations"][0]["executionSuccessful"], true);
    let notice = &runs[1]["invocations"][0]["toolExecutionNotifications"][0];
    assert_eq!(notice["level"], "note");
    let accepted: Vec<_> = list(&runs[0]["results"])
        .iter()
        .filter(|result| result["suppressions"][0]["status"] == "accepted")
        .map(|result| text(&result["ruleId"]))
        .collect();
    assert_eq!(accepted, ["no-owner"]);
}

#[test]
fn a_result_has_its_risk_and_the_columns_of_the_csv() {
    let log = sarif(&sample::report());
    let result = &log["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "leaked-secret-history");
    assert_eq!(result["level"], "error");
    assert_eq!(result["rank"], 94.0);
    assert_eq!(
        result["message"]["text"],
        "Live key of deployer in history. Somebody who has it can act as deployer."
    );
    let properties = &result["properties"];
    assert_eq!(properties["risk"], 94);
    assert_eq!(properties["disposition"], "revoke-now");
    assert_eq!(properties["lifetime_ratio"], 39_552.0);
    assert_eq!(properties["admin"], Value::Null);
}

#[test]
fn one_repository_is_the_root_of_its_paths() {
    let mut report = sample::report();
    report.coverage.retain(|entry| entry.source != "git");
    for identity in &mut report.identities {
        identity.locations.clear();
    }
    for credential in &mut report.credentials {
        credential.sightings.clear();
    }
    report
        .findings
        .retain(|finding| finding.rule == "leaked-secret-history");
    let log = sarif(&report);
    let uri = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
        ["uri"];
    assert_eq!(uri, "deploy/%20old.env");
}

#[test]
fn what_a_reader_would_refuse_is_left_out_and_said() {
    let mut report = sample::report();
    let mut many = report.findings[0].clone();
    many.id = overstay::model::FindingId::of(&["many"]);
    many.locations = (1..=1_500)
        .map(|line| Location::file("shop", "a.env", line, 1))
        .collect();
    report.findings.push(many);
    report.findings.rotate_right(1);
    let emitter = Sarif { most_results: 2 };
    let mut out = Vec::new();
    emitter.emit(&report, &mut out).unwrap();
    let log: Value = serde_json::from_slice(&out).unwrap();
    let run = &log["runs"][0];
    let results = list(&run["results"]);
    assert_eq!(results.len(), 2);
    assert_eq!(results[0]["level"], "error", "the most severe are kept");
    let places: Vec<_> = results
        .iter()
        .map(|each| list(&each["locations"]).len())
        .collect();
    assert!(places.contains(&1_000), "{places:?}");
    let notices = list(&run["invocations"][0]["toolExecutionNotifications"]);
    let left_out = notices
        .iter()
        .find(|notice| notice["descriptor"]["id"] == "results-left-out");
    assert!(text(&left_out.unwrap()["message"]["text"]).starts_with("3 of 5 findings"));
    assert_eq!(Sarif::default().most_results, 25_000);
}
