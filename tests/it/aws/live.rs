//! What is read live is what a snapshot of it tells.

use super::moto::{ACCOUNT, MANY, moto};
use super::proxy::{Fate, Proxy};
use crate::support::{NOW, Workplace, aws_key_id, aws_secret, files_below};
use assert_cmd::Command;
use overstay::sources::aws::live::Call;
use std::collections::BTreeSet;
use std::fs;

/// The program with credentials, asking a server of the tests.
pub(super) fn asking(place: &Workplace, url: &str) -> Command {
    let mut command = place.overstay();
    command
        .env("AWS_ENDPOINT_URL", url)
        .env("AWS_ACCESS_KEY_ID", aws_key_id(77))
        .env("AWS_SECRET_ACCESS_KEY", aws_secret(77))
        .env("AWS_REGION", "eu-west-1");
    command
}

#[test]
fn a_live_scan_and_a_scan_of_its_snapshot_give_the_same_bytes() {
    let moto = moto();
    let proxy = Proxy::before(moto, |_| Fate::Pass);
    let place = Workplace::new();
    place.write("code/app.env", format!("KEY={}\n", aws_key_id(5)));
    asking(&place, &proxy.url)
        .args(["scan", "code", "--aws", "--out", "live", "--now", NOW])
        .assert()
        .code(0);
    let live = proxy.calls();
    asking(&place, &proxy.url)
        .args(["aws", "snapshot", "--out", "snapshot"])
        .assert()
        .code(0);
    let out = place.path("saved");
    place
        .overstay()
        .args([
            "scan",
            "code",
            "--aws-snapshot",
            "snapshot",
            "--now",
            NOW,
            "--state",
        ])
        .arg(place.path("other-state"))
        .arg("--out")
        .arg(&out)
        .assert()
        .code(0);
    let text = |folder: &str| fs::read_to_string(place.path(folder).join("report.json")).unwrap();
    assert!(text("live") == text("saved"), "the reports differ");
    // The same is asked either way.
    let twice = proxy.calls();
    // AWS makes a credential report once in four hours: only the first run may have to wait for it.
    for (action, count) in live
        .iter()
        .filter(|(action, _)| *action != "GenerateCredentialReport")
    {
        assert_eq!(twice.get(action), Some(&(2 * count)), "{action}");
    }
    assert_eq!(
        live.get("GetServiceLastAccessedDetails"),
        Some(&(2 * (2 * MANY + 2)))
    );

    let report = place.report("live");
    let names: BTreeSet<&str> = report["identities"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|identity| identity["name"].as_str())
        .collect();
    for name in ["service-000", "worker-000", "github", "ann+ops@example.com"] {
        assert!(names.contains(name), "{name} in {names:?}");
    }
    let coverage = report["coverage"].to_string();
    assert!(
        coverage.contains(&format!(
            "read with the credentials of arn:aws:sts::{ACCOUNT}:user/moto"
        )),
        "{coverage}"
    );
    assert_eq!(report["run"]["complete"], true, "{coverage}");
}

#[test]
fn a_snapshot_holds_everything_the_account_has() {
    let proxy = Proxy::before(moto(), |_| Fate::Pass);
    let place = Workplace::new();
    asking(&place, &proxy.url)
        .args(["aws", "snapshot", "--out", "snapshot"])
        .assert()
        .code(0);
    let snapshot = overstay::sources::aws::read_snapshot(&place.path("snapshot"));
    assert_eq!(snapshot.accounts.len(), 1);
    let account = &snapshot.accounts[0];
    assert_eq!(
        (account.account_id.as_str(), account.alias.as_deref()),
        (ACCOUNT, Some("orchard"))
    );
    assert_eq!(
        (account.users.len(), account.roles.len()),
        (MANY + 1, MANY + 1)
    );
    let parts = account.parts;
    assert!(parts.authorization_details && parts.credential_report && parts.roles);
    assert!(parts.access_keys && parts.key_last_used && parts.service_last_accessed);
    assert!(parts.oidc_providers && parts.saml_providers && parts.mfa_devices);
    assert!(parts.service_credentials && parts.ssh_keys && parts.signing_certificates);
    assert!(parts.server_certificates && !account.summary.is_empty());
    let ann = account
        .users
        .iter()
        .find(|user| user.name.starts_with("ann"))
        .unwrap();
    assert_eq!((ann.password, ann.mfa), (Some(true), Some(true)));
    assert_eq!(ann.groups, ["people"]);
    let first = account
        .users
        .iter()
        .find(|user| user.name == "service-000")
        .unwrap();
    assert_eq!(first.keys.len(), 2);
    assert_eq!(
        (first.password, first.path.as_str()),
        (Some(false), "/machines/")
    );
    assert_eq!(first.tags.get("owner").map(String::as_str), Some("team-a"));
    assert_eq!(first.services.as_ref().unwrap().actions, ["s3:GetObject"]);
    assert_eq!(account.user_credentials.len(), 2);
    assert!(
        account
            .user_credentials
            .iter()
            .any(|one| one.public.is_some())
    );
    let worker = account
        .roles
        .iter()
        .find(|role| role.name == "worker-000")
        .unwrap();
    assert_eq!(worker.max_session_seconds, Some(7200));
    assert_eq!(worker.instance_profiles, ["web"]);
    let github = account
        .roles
        .iter()
        .find(|role| role.name == "github")
        .unwrap();
    assert!(
        github
            .boundary
            .as_deref()
            .unwrap()
            .ends_with("policy/boundary")
    );
    assert!(github.trust["Statement"].is_array());
    let deploy = account
        .policies
        .iter()
        .find(|policy| policy.name == "deploy")
        .unwrap();
    assert_eq!((deploy.versions, deploy.others.len()), (2, 1));
    assert_eq!(account.oidc_providers[0].client_ids, ["sts.amazonaws.com"]);
    assert_eq!(
        account.saml_providers[0].issuer.as_deref(),
        Some("https://idp.example/saml")
    );
    assert_eq!(
        account.password_policy.as_ref().unwrap().minimum_length,
        Some(14)
    );
    let membership = account.membership.as_ref().unwrap();
    assert!(membership.management);

    // Nothing in it is readable for others.
    #[cfg(unix)]
    for file in files_below(&place.path("snapshot")) {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", file.display());
    }

    // Every call that was seen is one of the table, and every one of the table was seen but those for other cases.
    let known: BTreeSet<String> = Call::ALL
        .iter()
        .map(|call| call.permission().split_once(':').unwrap().1.to_owned())
        .collect();
    let seen: BTreeSet<String> = proxy.calls().into_keys().collect();
    let strange: Vec<_> = seen.difference(&known).collect();
    assert!(strange.is_empty(), "{strange:?}");
    let unseen: Vec<&str> = known.difference(&seen).map(String::as_str).collect();
    assert_eq!(
        unseen,
        [
            "AssumeRole",
            "GetServerCertificate",
            "ListAccounts",
            "ListUsers"
        ]
    );
}

#[test]
fn a_finished_snapshot_is_not_asked_for_again_unless_told_to() {
    let proxy = Proxy::before(moto(), |_| Fate::Pass);
    let place = Workplace::new();
    let snapshot = || {
        let mut command = asking(&place, &proxy.url);
        command.args(["aws", "snapshot", "--out", "snapshot"]);
        command
    };
    snapshot().assert().code(0);
    let once = proxy.calls()["ListAccessKeys"];
    let again = snapshot().assert().code(0).get_output().stdout.clone();
    assert_eq!(proxy.calls()["ListAccessKeys"], once);
    assert!(String::from_utf8_lossy(&again).contains("whole since"));
    let stale = place
        .path("snapshot")
        .join(ACCOUNT)
        .join("access-keys/gone.json");
    fs::write(&stale, "{}").unwrap();
    snapshot().arg("--fresh").assert().code(0);
    assert_eq!(proxy.calls()["ListAccessKeys"], 2 * once);
    assert!(!stale.exists());
}

#[test]
fn roles_of_a_list_and_of_the_organization_are_each_read_with_a_session_of_their_own() {
    let moto = moto();
    let proxy = Proxy::before(moto, |_| Fate::Pass);
    let place = Workplace::new();
    let role = format!("arn:aws:iam::{}:role/overstay", moto.member);
    place.write(
        "roles.txt",
        format!("# members\n\n{role}  # the one\n{role}\n"),
    );
    asking(&place, &proxy.url)
        .args([
            "scan",
            "--aws-role-list",
            "roles.txt",
            "--out",
            "list",
            "--now",
            NOW,
        ])
        .assert()
        .code(0);
    let accounts = |out: &str| -> BTreeSet<String> {
        let report = place.report(out);
        let identities = report["identities"].as_array().unwrap();
        identities
            .iter()
            .filter_map(|identity| Some(identity["account"].as_str()?.to_owned()))
            .collect()
    };
    assert_eq!(accounts("list"), BTreeSet::from([moto.member.clone()]));
    let coverage = place.report("list")["coverage"].to_string();
    assert!(
        coverage.contains("assumed-role/overstay/overstay"),
        "{coverage}"
    );

    asking(&place, &proxy.url)
        .args([
            "aws",
            "snapshot",
            "--aws-organization",
            "overstay",
            "--out",
            "all",
        ])
        .assert()
        .code(0);
    let snapshot = overstay::sources::aws::read_snapshot(&place.path("all"));
    let ids: Vec<&str> = snapshot
        .accounts
        .iter()
        .map(|account| account.account_id.as_str())
        .collect();
    let mut both = [ACCOUNT, moto.member.as_str()];
    both.sort_unstable();
    assert_eq!(ids, both);
    // The member stands below a unit with a policy of its own.
    let member = snapshot
        .accounts
        .iter()
        .find(|account| account.account_id == moto.member)
        .unwrap();
    let membership = member.membership.as_ref().unwrap();
    assert_eq!(membership.path.len(), 3);
    let policies = membership.service_control.as_ref().unwrap();
    assert!(policies.iter().any(|level| {
        level
            .policies
            .iter()
            .any(|policy| policy.name == "no-leaving")
    }));
}
