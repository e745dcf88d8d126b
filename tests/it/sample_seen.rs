//! What the sample report has of Kubernetes, of runtime identity, of use and of logs, in the form `report.json` has it.

use overstay::model::Report;
use serde_json::{Value, json};

/// The sample with these parts.
pub(crate) fn complete(report: Report) -> Report {
    let mut value = serde_json::to_value(report).unwrap();
    let identity = value["identities"][0]["id"].clone();
    let credential = value["credentials"][0]["id"].clone();
    value["roles"] = json!([role()]);
    value["bindings"] = json!([binding()]);
    value["capabilities"] = json!([capability()]);
    value["assessments"][0]["task"]["window_seconds"] = json!(300);
    value["assessments"][0]["task"]["rhythm"] = json!("cron-like");
    value["observed"] = observed(&identity, &credential);
    value["identities"][0]["privilege"]["usage"] = usage();
    for one in value["identities"].as_array_mut().unwrap() {
        if let Some(reach) = one.get_mut("agent").filter(|reach| !reach.is_null()) {
            reach["tools"] = json!(["tickets:close"]);
            reach["credentials"] = json!(["environment TICKETS_TOKEN"]);
        }
    }
    serde_json::from_value(value).unwrap()
}

fn place(line: u32) -> Value {
    json!({"repository": "shop", "uri": "k8s/shop.yaml", "line": line, "column": 1})
}

fn role() -> Value {
    json!({
        "repository": "shop", "namespace": "shop", "name": "reader", "labels": {"team": "shop"},
        "aggregates": [{"rbac": "reader"}],
        "rules": [{"api_groups": [""], "resources": ["pods"], "verbs": ["get"], "resource_names": ["web"],
            "non_resource_urls": ["/metrics"]}],
        "tier": 1, "evidence": [{"grade": "B", "text": "reads pods"}], "location": place(4)
    })
}

fn binding() -> Value {
    json!({
        "repository": "shop", "namespace": "shop", "name": "readers", "cluster_role": false, "role": "reader",
        "subjects": ["system:serviceaccount:shop:web"], "people": ["dana"], "tier": 1, "location": place(19)
    })
}

fn capability() -> Value {
    json!({
        "kind": "dynamic-secrets", "product": "Vault", "name": "shop-db", "says": "database credentials for an hour",
        "repository": "shop", "namespace": "shop", "subjects": ["system:serviceaccount:shop:web"],
        "ttl_seconds": 3600, "max_ttl_seconds": 86400, "ttl_assumed": false, "location": place(40)
    })
}

fn observed(identity: &Value, credential: &Value) -> Value {
    let named = |name: &str| json!([{"name": name, "count": 12}]);
    json!({
        "windows": [{"account": "111122223333", "from": "2026-10-01T00:00:00Z", "to": "2026-11-01T00:00:00Z",
            "events": 40, "data_events": 2, "data_services": ["s3"], "regions": ["eu-north-1"]}],
        "activity": [{
            "source": "cloudtrail", "principal": "arn:aws:iam::111122223333:user/deploy", "account": "111122223333",
            "identity": identity, "access_key": crate::sample::key_id(), "credential": credential,
            "events": 12, "failed": 1, "first": "2026-10-02T02:00:00Z", "last": "2026-10-31T02:04:00Z",
            "sessions": {"count": 30, "gap_seconds": 900, "p50_seconds": 240, "p95_seconds": 300, "max_seconds": 420,
                "told_apart": true},
            "rhythm": "cron-like", "every_seconds": 86400, "rhythm_evidence": "30 sessions a day apart",
            "hours": vec![1; 24], "weekdays": vec![1; 7],
            "networks": named("192.0.2.0/24"), "overlap_hours": 2, "regions": named("eu-north-1"), "user_agents": named("aws-cli/2"),
            "actions": [{"action": "s3:PutObject", "kind": "write", "count": 12, "failed": 1,
                "last": "2026-10-31T02:04:00Z", "resources": ["arn:aws:s3:::shop/*"], "more_resources": true}],
            "errors": named("AccessDenied"),
            "callers": [{"kind": "role", "name": "ci", "count": 12}],
            "by_hand": [{"grade": "C", "text": "once from a browser"}],
            "left_out": ["user agents after the first twenty"]
        }]
    })
}

fn usage() -> Value {
    json!({
        "since": "2026-08-01T00:00:00Z", "until": "2026-11-01T00:00:00Z", "too_early": "made 3 days ago",
        "services_used": ["s3"], "services_unused": ["ec2"], "services_untracked": ["sts"],
        "services_without_actions": ["s3"],
        "actions_granted": 40, "actions_used": 2, "actions_unused": 30, "actions_unknown": 8,
        "unused_by_level": {"write": 30},
        "statements": [{"policy": "deploy", "statement": "1", "granted": 40, "unused": 30, "unknown": 8}],
        "smaller": [{
            "policy": "deploy", "replaces": "deploy", "form": "inline",
            "documents": [{"Version": "2012-10-17", "Statement": []}], "sizes": [40],
            "removed_services": ["ec2"], "removed_actions": {"ec2": ["ec2:RunInstances"]},
            "removed_by_level": {"write": 30}, "notes": ["S3 is known by service only"]
        }]
    })
}
