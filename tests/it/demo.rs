//! The demo tells the product's story, found by a real scan.

use crate::support::{NOW, Workplace};
use serde_json::Value;

fn assessment<'a>(report: &'a Value, named: &str) -> &'a Value {
    let subject = |item: &Value| {
        let identity = report["identities"]
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["id"] == item["identity"]);
        identity.is_some_and(|it| it["native_id"].as_str().unwrap().ends_with(named))
    };
    let all = report["assessments"].as_array().unwrap();
    all.iter()
        .find(|item| subject(item))
        .unwrap_or_else(|| panic!("nothing was judged about {named}"))
}

#[test]
fn the_story_comes_out_as_told() {
    let place = Workplace::new();
    let output = place
        .overstay()
        .args(["demo", "--out", "demo", "--now", NOW])
        .assert()
        .code(0)
        .get_output()
        .clone();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("deploy-bot"), "{text}");
    let report = place.report("demo/overstay-report");

    // A key in history joined to a live administrator.
    let leaked = assessment(&report, ":user/deploy-bot");
    assert_eq!(leaked["disposition"], "revoke-now");
    let key = report["credentials"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["id"] == leaked["credential"])
        .unwrap();
    assert_eq!(key["status"], "active");
    assert_eq!(key["sightings"][0]["at_head"], false);
    // A CI job that can go to OIDC.
    assert_eq!(
        assessment(&report, ":user/web-deployer")["disposition"],
        "migrate-now"
    );
    // A role that is only a timer.
    let rules: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["rule"].as_str().unwrap())
        .collect();
    assert!(
        rules.contains(&"jit-without-context") && rules.contains(&"oidc-subject-too-broad"),
        "{rules:?}"
    );
    // A service that should keep its standing access.
    assert_eq!(
        assessment(&report, ":status:status-reader")["disposition"],
        "keep-standing"
    );
    // One workload and the trust that lets it in are one path, not two that have to be split.
    let service = assessment(&report, ":role/payments-api-runtime");
    assert_eq!(service["disposition"], "hybrid");
    assert_eq!(service["blockers"], serde_json::json!([]));
    // An agent with a standing key.
    let agent = report["identities"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["type"] == "agent")
        .unwrap();
    assert_eq!(agent["agent"]["static_credentials"], 1);

    // The review opens on what the demo left; without a terminal it says so.
    place
        .overstay()
        .current_dir(place.path("demo"))
        .arg("review")
        .assert()
        .code(2);
    place
        .overstay()
        .current_dir(place.path("demo"))
        .args(["explain", "deploy-bot"])
        .assert()
        .code(0);
}
