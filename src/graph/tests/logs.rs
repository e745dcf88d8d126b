//! What logs name and the account no longer has.

use super::*;
use crate::model::Activity;

/// Calls with a key, from the first of a month to the last.
fn calls(principal: &str, key: Option<&str>, from: &str, to: &str) -> Activity {
    serde_json::from_value(json!({
        "source": "cloudtrail", "principal": arn(principal), "account": ACCOUNT, "identity": null,
        "access_key": key, "credential": null, "events": 9, "failed": 0, "first": from, "last": to,
        "sessions": {"count": 1, "gap_seconds": 1, "p50_seconds": 1, "p95_seconds": 1, "max_seconds": 1, "told_apart": false},
        "rhythm": "unclear", "every_seconds": null, "rhythm_evidence": "as seen", "hours": [], "weekdays": [],
        "networks": [], "regions": [], "user_agents": [], "actions": [], "errors": [], "callers": [], "by_hand": [],
        "left_out": [],
    }))
    .unwrap()
}

fn with_logs(account: AwsAccount, activity: Vec<Activity>) -> Inventory {
    let config = Config::parse("").unwrap();
    let tables = AwsTables::builtin().unwrap();
    join(JoinInput {
        accounts: &[account],
        declarations: Vec::new(),
        seen: Vec::new(),
        observed: Observed {
            windows: Vec::new(),
            activity,
        },
        config: &config,
        tables: Some(&tables),
        owner_of: &|_, _| None,
        purpose_of: &|_, _| None,
        now: &Moment::new(now()),
    })
    .inventory
}

#[test]
fn a_key_that_only_logs_name_is_gone_where_its_account_was_read_after_them() {
    let before = ("2026-10-01T00:00:00Z", "2026-10-20T00:00:00Z");
    let of = |account: AwsAccount, (from, to): (&str, &str)| {
        let used = calls("user/ci-deployer", Some(&key_id(7)), from, to);
        let inventory = with_logs(account, vec![used]);
        let key = aws_key(&inventory, 7);
        let user = identity(&inventory, &arn("user/ci-deployer"));
        assert_eq!(key.identity.as_ref(), Some(&user.id));
        assert_eq!(
            user.credentials.contains(&key.id),
            key.status != CredentialStatus::Inactive
        );
        key.status
    };
    assert_eq!(of(account(), before), CredentialStatus::Inactive);
    // A call after the snapshot, or a snapshot without keys, says nothing.
    let after = ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z");
    assert_eq!(of(account(), after), CredentialStatus::Unknown);
    let mut partial = account();
    partial.parts.access_keys = false;
    assert_eq!(of(partial, before), CredentialStatus::Unknown);
    // It is no key of root, so what the snapshot tells of root does not matter.
    let mut rootless = account();
    rootless.root = None;
    assert_eq!(of(rootless, before), CredentialStatus::Inactive);
}

#[test]
fn who_is_in_logs_and_no_longer_in_the_account_is_deleted() {
    let deleted = |account: AwsAccount, to: &str| {
        let used = calls("user/gone", None, "2026-10-01T00:00:00Z", to);
        let inventory = with_logs(account, vec![used]);
        identity(&inventory, &arn("user/gone")).is_deleted()
    };
    assert!(deleted(account(), "2026-10-20T00:00:00Z"));
    assert!(!deleted(account(), "2026-11-01T00:00:00Z"));
    let mut partial = account();
    partial.parts.authorization_details = false;
    assert!(!deleted(partial, "2026-10-20T00:00:00Z"));
}
