//! Every row is chosen where it belongs, and its facts are marked.

use super::*;
use crate::rules::credentials::CredentialRules;

/// Types that nobody issues or that do not tell who did.
const WITHOUT_ISSUER: [&str; 8] = [
    "age-secret-key",
    "basic-auth",
    "generic-key",
    "generic-secret",
    "generic-token",
    "jwt",
    "password",
    "pgp-private-key",
];

fn pick(kind: &str, runtime: &str, situation: Situation) -> String {
    let targets = Targets::builtin().unwrap();
    let facts = Facts {
        situation,
        issuers: BTreeSet::new(),
        ..Facts::default()
    };
    targets
        .select(kind, runtime, &facts)
        .target
        .map_or_else(|| "-".into(), |target| target.id.clone())
}

#[test]
fn every_row_of_the_catalogue_is_reachable_where_it_belongs() {
    use Situation::{BreakGlass, Credential, Human, Identity, Root, Vendor};
    for (kind, runtime, situation, expected) in [
        (
            "aws-access-key",
            "github-actions",
            Credential,
            "aws-github-oidc",
        ),
        ("aws-access-key", "gitlab-ci", Credential, "aws-gitlab-oidc"),
        (
            "aws-access-key",
            "bitbucket-pipelines",
            Credential,
            "aws-bitbucket-oidc",
        ),
        (
            "aws-access-key",
            "circleci",
            Credential,
            "aws-circleci-oidc",
        ),
        (
            "aws-access-key",
            "buildkite",
            Credential,
            "aws-buildkite-oidc",
        ),
        (
            "aws-access-key",
            "terraform-cloud",
            Credential,
            "aws-hcp-terraform",
        ),
        ("aws-access-key", "server", Credential, "aws-roles-anywhere"),
        ("aws-access-key", "ec2", Credential, "aws-instance-profile"),
        ("aws-access-key", "eks", Credential, "aws-pod-identity"),
        ("aws-access-key", "lambda", Credential, "aws-lambda-role"),
        ("aws-access-key", "ecs", Credential, "aws-task-role"),
        ("aws-access-key", "laptop", Human, "aws-identity-center"),
        ("aws-access-key", "unknown", Vendor, "aws-vendor-role"),
        ("aws-access-key", "unknown", Credential, "aws-assumed-role"),
        ("aws-root-key", "unknown", Root, "root-removal"),
        ("iam-role", "unknown", BreakGlass, "break-glass-sealed"),
        (
            "iam-role",
            "github-actions",
            Identity,
            "aws-oidc-trust-tightened",
        ),
        (
            "iam-role",
            "lambda",
            Identity,
            "aws-service-trust-tightened",
        ),
        (
            "gcp-service-account-key",
            "github-actions",
            Credential,
            "gcp-workload-federation",
        ),
        (
            "gcp-service-account-key",
            "gke",
            Credential,
            "gcp-attached-account",
        ),
        (
            "azure-client-secret",
            "github-actions",
            Credential,
            "azure-federated-credential",
        ),
        (
            "azure-client-secret",
            "azure-vm",
            Credential,
            "azure-managed-identity",
        ),
        (
            "kubernetes-service-account-token",
            "kubernetes",
            Credential,
            "kubernetes-projected-token",
        ),
        (
            "kubernetes-service-account-token",
            "github-actions",
            Credential,
            "kubernetes-ci-federation",
        ),
        (
            "kubeconfig",
            "gitlab-ci",
            Credential,
            "kubernetes-ci-federation",
        ),
        (
            "postgres-url",
            "kubernetes",
            Credential,
            "database-dynamic-role",
        ),
        (
            "github-pat",
            "github-actions",
            Credential,
            "github-job-token",
        ),
        ("github-pat", "server", Credential, "github-app-token"),
        (
            "npm-token",
            "github-actions",
            Credential,
            "npm-trusted-publishing",
        ),
        (
            "pypi-token",
            "gitlab-ci",
            Credential,
            "registry-trusted-publishing",
        ),
        (
            "dockerhub-token",
            "github-actions",
            Credential,
            "dockerhub-oidc",
        ),
        ("ssh-private-key", "server", Credential, "ssh-certificates"),
        (
            "anthropic-api-key",
            "github-actions",
            Credential,
            "anthropic-federation",
        ),
        (
            "openai-api-key",
            "kubernetes",
            Credential,
            "openai-federation",
        ),
        (
            "openrouter-api-key",
            "github-actions",
            Credential,
            "openrouter-federation",
        ),
        (
            "snowflake-password",
            "github-actions",
            Credential,
            "snowflake-federation",
        ),
        (
            "databricks-token",
            "github-actions",
            Credential,
            "databricks-federation",
        ),
        (
            "slack-bot-token",
            "server",
            Credential,
            "slack-token-rotation",
        ),
        (
            "stripe-secret-key",
            "server",
            Credential,
            "stripe-restricted-key",
        ),
        (
            "twilio-auth-token",
            "server",
            Credential,
            "saas-scoped-token",
        ),
        (
            "tls-private-key",
            "kubernetes",
            Credential,
            "workload-certificates",
        ),
        (
            "anthropic-api-key",
            "agent-host",
            Credential,
            "agent-brokered-session",
        ),
        (
            "something-nobody-knows",
            "unknown",
            Credential,
            "unknown-issuer",
        ),
    ] {
        assert_eq!(
            pick(kind, runtime, situation),
            expected,
            "{kind} in {runtime}"
        );
    }
}

#[test]
fn every_type_that_can_be_targeted_can_be_switched_off() {
    let targets = Targets::builtin().unwrap();
    for target in targets.entries() {
        if target.situation == Situation::Credential {
            for kind in &target.replaces {
                assert!(
                    targets
                        .disabling(kind.trim_end_matches('*'), "unknown")
                        .is_some(),
                    "{kind}"
                );
            }
        }
    }
}

#[test]
fn what_detection_can_find_has_an_entry_beyond_the_last_resort() {
    for rule in CredentialRules::builtin().unwrap().rules() {
        let kind = rule.credential_type.as_str();
        let found = pick(kind, "unknown", Situation::Credential);
        let expected = WITHOUT_ISSUER.contains(&kind);
        assert_eq!(
            found == "unknown-issuer",
            expected,
            "{}: {kind} → {found}",
            rule.id
        );
    }
}

#[test]
fn what_manifests_can_name_has_an_entry_beyond_the_last_resort() {
    let text = crate::rules::text("manifests/secret-names.toml").unwrap();
    let kinds: BTreeSet<&str> = text
        .split("\"kind\":\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(kinds.len() > 20);
    for kind in kinds {
        let found = pick(kind, "unknown", Situation::Credential);
        let expected = WITHOUT_ISSUER.contains(&kind);
        assert_eq!(found == "unknown-issuer", expected, "{kind} → {found}");
    }
}

#[test]
fn facts_that_nobody_verified_are_marked() {
    let targets = Targets::builtin().unwrap();
    assert!(
        !targets
            .get("openai-federation")
            .unwrap()
            .unverified
            .is_empty()
    );
    assert!(
        targets
            .entries()
            .iter()
            .all(|target| target.as_of.len() == 10)
    );
    let dated = |kind| targets.disabling(kind, "").unwrap();
    assert!(dated("npm-token").source.is_some() && dated("pypi-token").source.is_none());
    let all = targets.disabling.iter();
    assert!(
        all.clone()
            .all(|one| one.source.is_some() == one.as_of.is_some())
    );
}

#[test]
fn patterns_name_ends_and_starts() {
    assert!(matches("a*", "abc") && matches("*c", "abc") && matches("*", "") && matches("a", "a"));
    assert!(!matches("a", "ab") && !matches("b*", "ab") && !matches("*a", "ab"));
}

#[test]
fn what_a_credential_rule_points_to_is_in_the_catalogue() {
    let targets = Targets::builtin().unwrap();
    let rules = CredentialRules::builtin().unwrap();
    let unknown: Vec<String> = rules
        .rules()
        .iter()
        .filter(|rule| targets.get(&rule.target).is_none())
        .map(|rule| format!("{}: {}", rule.id, rule.target))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
