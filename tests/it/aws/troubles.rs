//! What AWS refuses, delays or breaks off costs only itself.

use super::live::asking;
use super::moto::{ACCOUNT, MANY, moto};
use super::proxy::{Fate, Proxy};
use crate::support::{NOW, Workplace, aws_key_id, aws_secret};
use serde_json::Value;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn entries<'r>(report: &'r Value, unit: &str) -> Vec<&'r str> {
    report["coverage"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["unit"] == unit)
        .filter_map(|entry| entry["reason"].as_str())
        .collect()
}

#[test]
fn what_is_denied_is_a_gap_with_the_permission_named() {
    let denied = [
        "GetCredentialReport",
        "GenerateCredentialReport",
        "GetLoginProfile",
        "GenerateServiceLastAccessedDetails",
        "ListOpenIDConnectProviders",
    ];
    let proxy = Proxy::before(moto(), move |seen| {
        if denied.contains(&seen.action) {
            Fate::Error(403, "AccessDenied")
        } else if seen.action == "DescribeOrganization" {
            Fate::Error(400, "AccessDeniedException")
        } else {
            Fate::Pass
        }
    });
    let place = Workplace::new();
    place.write(
        "code/app.env",
        format!(
            "AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n",
            aws_key_id(5),
            aws_secret(5)
        ),
    );
    asking(&place, &proxy.url)
        .args(["scan", "code", "--aws", "--out", "live", "--now", NOW])
        .assert()
        .code(4);
    let report = place.report("live");
    for permission in denied {
        let unit = format!("aws/{ACCOUNT}/iam:{permission}");
        let said = entries(&report, &unit);
        assert!(
            said.iter().any(|reason| reason.contains("not permitted")
                && reason.contains(&format!("iam:{permission}"))),
            "{unit}: {said:?}"
        );
    }
    let unit = format!("aws/{ACCOUNT}/organizations:DescribeOrganization");
    assert_eq!(entries(&report, &unit).len(), 1);
    // The rest is there, and so is what the code holds.
    let count = report["identities"].as_array().unwrap().len();
    assert!(count > 2 * MANY, "{count}");
    assert!(!report["credentials"].as_array().unwrap().is_empty());
}

#[test]
fn an_account_without_its_details_is_still_listed() {
    let proxy = Proxy::before(moto(), |seen| match seen.action {
        "GetAccountAuthorizationDetails" | "GetCallerIdentity" => Fate::Error(403, "AccessDenied"),
        _ => Fate::Pass,
    });
    let place = Workplace::new();
    let assert = asking(&place, &proxy.url)
        .args(["aws", "snapshot", "--out", "snapshot"])
        .assert()
        .code(4);
    // Refusals of this server name nobody, so that the account is not known.
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(
        said.contains("sts:GetCallerIdentity is not permitted"),
        "{said}"
    );
    let proxy = Proxy::before(moto(), |seen| match seen.action {
        "GetAccountAuthorizationDetails" => Fate::Error(403, "AccessDenied"),
        _ => Fate::Pass,
    });
    asking(&place, &proxy.url)
        .args(["scan", "--aws", "--out", "live", "--now", NOW])
        .assert()
        .code(4);
    let report = place.report("live");
    assert!(report["identities"].as_array().unwrap().len() >= 2 * MANY);
    assert!(proxy.calls().contains_key("ListUsers"));
}

#[test]
fn throttled_and_broken_calls_are_made_again() {
    let place = Workplace::new();
    let calm = Proxy::before(moto(), |_| Fate::Pass);
    asking(&place, &calm.url)
        .args(["scan", "--aws", "--out", "calm", "--now", NOW])
        .assert()
        .code(0);
    let rough = Proxy::before(moto(), |seen| match (seen.action, seen.before) {
        ("GetAccountAuthorizationDetails", 0) | ("ListAccessKeys", 2) => {
            Fate::Error(400, "Throttling")
        }
        ("ListRoles" | "GetLoginProfile", 0) => Fate::Cut,
        ("ListMFADevices", 1) => Fate::Error(503, "ServiceUnavailable"),
        ("GetCredentialReport", 0) => Fate::Error(429, "TooManyRequestsException"),
        _ => Fate::Pass,
    });
    asking(&place, &rough.url)
        .args(["scan", "--aws", "--out", "rough", "--now", NOW])
        .assert()
        .code(0);
    let identities = |out: &str| place.report(out)["identities"].clone();
    assert!(identities("calm") == identities("rough"));
    assert_eq!(
        place.report("calm")["coverage"],
        place.report("rough")["coverage"]
    );
}

#[test]
fn a_server_that_goes_away_leaves_what_it_gave_and_a_second_run_gets_the_rest() {
    let place = Workplace::new();
    let leaves = Proxy::before(moto(), |seen| match seen.action {
        "GetAccessKeyLastUsed"
        | "GetLoginProfile"
        | "ListMFADevices"
        | "ListSSHPublicKeys"
        | "ListSigningCertificates"
        | "ListServiceSpecificCredentials"
        | "GenerateServiceLastAccessedDetails" => Fate::Cut,
        _ => Fate::Pass,
    });
    let assert = asking(&place, &leaves.url)
        .env("AWS_MAX_ATTEMPTS", "2")
        .args(["aws", "snapshot", "--out", "snapshot"])
        .assert()
        .code(4);
    let said = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
    assert!(said.contains("the connection was lost"), "{said}");
    place
        .overstay()
        .args([
            "scan",
            "--aws-snapshot",
            "snapshot",
            "--now",
            NOW,
            "--out",
            "first",
        ])
        .assert()
        .code(4);
    assert!(
        place.report("first")["identities"]
            .as_array()
            .unwrap()
            .len()
            > 2 * MANY
    );

    let calm = Proxy::before(moto(), |_| Fate::Pass);
    asking(&place, &calm.url)
        .args(["aws", "snapshot", "--out", "snapshot"])
        .assert()
        .code(0);
    let calls = calm.calls();
    assert!(
        !calls.contains_key("GetAccountAuthorizationDetails"),
        "{calls:?}"
    );
    assert_eq!(calls.get("GetLoginProfile"), Some(&(MANY + 1)));
    place
        .overstay()
        .args([
            "scan",
            "--aws-snapshot",
            "snapshot",
            "--now",
            NOW,
            "--out",
            "second",
        ])
        .assert()
        .code(0);
}

#[cfg(unix)]
#[test]
fn an_interrupted_snapshot_goes_on_where_it_stopped() {
    let place = Workplace::new();
    let slow = Proxy::before(moto(), |seen| match seen.action {
        "ListSigningCertificates" | "ListMFADevices" => Fate::Late(Duration::from_secs(2)),
        _ => Fate::Pass,
    });
    let program = assert_cmd::cargo::cargo_bin("overstay");
    let child = Command::new(program)
        .env_clear()
        .env("HOME", place.path("home"))
        .env("AWS_ENDPOINT_URL", &slow.url)
        .env("AWS_ACCESS_KEY_ID", aws_key_id(77))
        .env("AWS_SECRET_ACCESS_KEY", aws_secret(77))
        .args(["aws", "snapshot", "--aws-concurrency", "2", "--out"])
        .arg(place.path("snapshot"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while slow.calls().get("ListMFADevices").copied().unwrap_or(0) < 2 {
        assert!(
            begun.elapsed() < Duration::from_mins(2),
            "{:?}",
            slow.calls()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    let interrupt = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupt.unwrap().success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("the same command goes on"), "{said}");
    // It says of itself that it is not whole.
    place
        .overstay()
        .args([
            "scan",
            "--aws-snapshot",
            "snapshot",
            "--now",
            NOW,
            "--out",
            "part",
        ])
        .assert()
        .code(4);
    let part = place.report("part")["coverage"].to_string();
    assert!(part.contains("the collection was interrupted"), "{part}");

    let calm = Proxy::before(moto(), |_| Fate::Pass);
    let snapshot = |out: &str| {
        asking(&place, &calm.url)
            .args(["aws", "snapshot", "--out", out])
            .assert()
            .code(0);
        calm.calls()
    };
    let resumed = snapshot("snapshot");
    assert!(
        !resumed.contains_key("GetAccountAuthorizationDetails"),
        "{resumed:?}"
    );
    snapshot("whole");
    for file in [
        "account-authorization-details.json",
        "list-roles.json",
        "mfa-devices/service-000.json",
    ] {
        let read = |folder: &str| fs::read(place.path(folder).join(ACCOUNT).join(file)).unwrap();
        assert!(read("snapshot") == read("whole"), "{file}");
    }
}

#[test]
fn expired_credentials_stop_one_account_and_not_the_scan() {
    let place = Workplace::new();
    place.write(
        "code/app.env",
        format!(
            "AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n",
            aws_key_id(5),
            aws_secret(5)
        ),
    );
    for (action, words) in [
        ("GetCallerIdentity", "have expired"),
        ("ListAccessKeys", "they have expired"),
    ] {
        let proxy = Proxy::before(moto(), move |seen| {
            if seen.action == action {
                Fate::Error(403, "ExpiredToken")
            } else {
                Fate::Pass
            }
        });
        asking(&place, &proxy.url)
            .args(["scan", "code", "--aws", "--out", "live", "--now", NOW])
            .assert()
            .code(4);
        let report = place.report("live");
        assert!(report["coverage"].to_string().contains(words), "{words}");
        assert!(!report["credentials"].as_array().unwrap().is_empty());
    }
}
