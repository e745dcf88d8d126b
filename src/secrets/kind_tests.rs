//! What the engine makes of single credential types.

use super::Engine;
use crate::model::{Confidence, FingerprintKey, SeenCredential};
use crate::rules::credentials::{CredentialRules, template};
use std::sync::LazyLock;

static ENGINE: LazyLock<Engine> =
    LazyLock::new(|| Engine::new(&CredentialRules::builtin().unwrap()).unwrap());

fn expand(text: &str) -> Result<String, String> {
    template::expand("test", text)
}

fn scan(template: &str) -> Vec<SeenCredential> {
    let text = expand(template).unwrap();
    ENGINE.scan(text.as_bytes(), &FingerprintKey::new([7; 32]))
}

/// The only credential of a text.
fn only(template: &str) -> SeenCredential {
    let mut seen = scan(template);
    // A pair is told on the lines of both its halves.
    seen.dedup_by_key(|one| (one.fingerprint.clone(), one.public_id.clone()));
    assert_eq!(seen.len(), 1, "{template}: {seen:#?}");
    seen.remove(0)
}

const LEGACY: &str = r#"{{jwt:"kubernetes.io/serviceaccount/namespace":"prod","kubernetes.io/serviceaccount/secret.name":"ci-token","kubernetes.io/serviceaccount/service-account.name":"ci"}}"#;

#[test]
fn a_service_account_key_is_one_credential_with_its_mail_address() {
    let seen = only(
        r#"{"type": "service_account", "project_id": "acme", "private_key_id": "{{hex:40:k}}",
        "private_key": "{{escape:{{pem:PRIVATE KEY:k}}}}\n", "client_email": "ci@acme.iam.gserviceaccount.com"}"#,
    );
    assert_eq!(seen.kind, "gcp-service-account-key");
    assert_eq!(
        seen.public_id.as_deref(),
        expand("{{hex:40:k}}").ok().as_deref()
    );
    assert_eq!(
        seen.subject.as_deref(),
        Some("ci@acme.iam.gserviceaccount.com")
    );
    assert_eq!(seen.account.as_deref(), Some("acme"));
    assert!(seen.fingerprint.is_some());
    assert_eq!(seen.confidence, Confidence::High);
}

#[test]
fn a_service_account_key_inside_a_string_is_the_same_credential() {
    let plain = r#"{"private_key_id": "{{hex:40:k}}", "private_key": "{{escape:{{pem:PRIVATE KEY:k}}}}", "client_email": "a@b.example"}"#;
    let text = expand(plain).unwrap();
    let nested = text.replace('\\', r"\\").replace('"', "\\\"");
    let key = FingerprintKey::new([7; 32]);
    let (plain, nested) = (
        ENGINE.scan(text.as_bytes(), &key),
        ENGINE.scan(nested.as_bytes(), &key),
    );
    assert_eq!(nested.len(), 1, "{nested:#?}");
    assert_eq!(plain[0].fingerprint, nested[0].fingerprint);
    assert_eq!(plain[0].public_id, nested[0].public_id);
}

#[test]
fn tokens_tell_their_times_and_subject() {
    let seen = only(r#"Bearer {{jwt:"sub":"svc-build","iat":1750000000,"exp":1750003600}}"#);
    assert_eq!(seen.rule, "json-web-token");
    assert_eq!(seen.subject.as_deref(), Some("svc-build"));
    assert_eq!(seen.created_at.unwrap().as_second(), 1_750_000_000);
    assert_eq!(seen.expires_at.unwrap().as_second(), 1_750_003_600);
    assert_eq!(seen.expires_by_nature, Some(true));
    let printed = only(r#"{{jwt:"sub":"1234567890","name":"John Doe"}}"#);
    assert_eq!(printed.confidence, Confidence::Low);
}

#[test]
fn kubernetes_tokens_name_their_account_plain_or_in_a_secret() {
    let plain = only(&format!("token: {LEGACY}"));
    assert_eq!(plain.rule, "kubernetes-service-account-token");
    assert_eq!(
        plain.subject.as_deref(),
        Some("system:serviceaccount:prod:ci")
    );
    assert_eq!(plain.public_id.as_deref(), Some("prod/ci-token"));
    assert_eq!(plain.expires_by_nature, Some(false));
    let wrapped = only(&format!("data:\n  token: {{{{encode:{LEGACY}}}}}"));
    assert_eq!(wrapped.rule, "kubernetes-secret-token");
    assert_eq!(wrapped.fingerprint, plain.fingerprint);
    let projected = only(
        r#"{{jwt:"exp":1750003600,"kubernetes.io":{"namespace":"prod","serviceaccount":{"name":"ci"} } }}"#,
    );
    assert_eq!(projected.expires_by_nature, Some(true));
    assert_eq!(projected.subject, plain.subject);
}

#[test]
fn an_azure_secret_knows_its_application_and_tenant() {
    let seen = only(
        "tenant_id = \"{{uuid:t}}\"\nclient_id = \"{{uuid:c}}\"\nclient_secret = \"{{alnum:3:s}}8Q~{{alnum:34:s}}\"",
    );
    assert_eq!(
        seen.public_id.as_deref(),
        expand("{{uuid:c}}").ok().as_deref()
    );
    assert_eq!(
        seen.account.as_deref(),
        expand("{{uuid:t}}").ok().as_deref()
    );
    assert_eq!(seen.rule, "azure-client-secret");
}

#[test]
fn passwords_are_judged_by_strength_and_host() {
    let of = |url: &str| {
        let seen = only(url);
        (seen.confidence, seen.subject.unwrap_or_default())
    };
    let strong = of("postgres://app:x7Kq{{alnum:12:d}}@db1.acme.io:5432/main");
    assert_eq!(strong, (Confidence::High, "app@db1.acme.io".to_owned()));
    assert_eq!(
        of("mysql://app:sunflower@db1.acme.io/main").0,
        Confidence::Medium
    );
    assert_eq!(of("mysql://root:toor@db1.acme.io/main").0, Confidence::Low);
    assert_eq!(
        of("redis://:x7Kq{{alnum:12:d}}@localhost:6379").0,
        Confidence::Medium
    );
    for url in [
        "postgres://user:password@db1.acme.io/main",
        "postgres://app:${PASSWORD}@db1.acme.io/main",
        "postgres://app:{{text:{}}}@db1.acme.io/main",
        "postgres://app:<secret>@db1.acme.io/main",
        "mongodb+srv://app:$DB_PASSWORD@cluster.acme.io",
        "amqp://app:%s@mq.acme.io",
        "redis://h:6379/0",
    ] {
        assert_eq!(scan(&format!("url: {url}")), Vec::new(), "{url}");
    }
}

#[test]
fn an_exact_rule_beats_a_general_one_on_the_same_text() {
    let seen = only("git clone https://ci:glpat-{{base64url:20:g}}@gitlab.acme.io/a/b.git");
    assert_eq!(seen.rule, "gitlab-personal-access-token");
    let seen = only("https://x-access-token:ghs_{{crc32:30:g}}@github.com/a/b");
    assert_eq!(seen.rule, "github-installation-token");
}

#[test]
fn encrypted_and_hollow_keys_are_told_apart() {
    assert_eq!(only("{{openssh:none:a}}").confidence, Confidence::High);
    let encrypted = only("{{openssh:aes256-ctr:a}}");
    assert_eq!(encrypted.confidence, Confidence::Low);
    assert!(encrypted.confidence_reason.contains("passphrase"));
    assert_eq!(
        only("{{pem:ENCRYPTED PRIVATE KEY:a}}").confidence,
        Confidence::Low
    );
    assert_eq!(scan("{{pem:CERTIFICATE:a}}"), Vec::new());
}

#[test]
fn binary_files_are_searched_for_tokens_that_name_themselves() {
    let token = scan("\0\u{1}npm_{{crc32:30:a}}\0");
    assert_eq!(token.len(), 1);
    let general = scan("\0https://ci:{{alnum:16:a}}@git.acme.io/");
    assert_eq!(general, Vec::new());
}

#[test]
fn a_test_key_of_a_payment_service_is_hardly_a_problem() {
    assert_eq!(only("sk_test_{{alnum:24:a}}").confidence, Confidence::Low);
    assert_eq!(only("sk_live_{{alnum:24:a}}").confidence, Confidence::High);
}

/// Which secret each key id got, for a text in which `I` and `S` stand for the ids and secrets in turn.
fn pairs(order: &str) -> String {
    let mut lines = Vec::new();
    let (mut ids, mut secrets) = (0, 0);
    let mut names = Vec::new();
    for part in order.chars() {
        if part == 'I' {
            ids += 1;
            let id = expand(&format!("AKIA{{{{base32upper:16:i{ids}}}}}")).unwrap();
            lines.push(format!("aws_access_key_id = {id}"));
        } else {
            secrets += 1;
            let secret = expand(&format!("{{{{base64:40:s{secrets}}}}}")).unwrap();
            lines.push(format!("aws_secret_access_key = {secret}"));
            names.push(
                FingerprintKey::new([7; 32]).fingerprint("aws-access-key", secret.as_bytes()),
            );
        }
    }
    let mut told = std::collections::BTreeSet::new();
    scan(&lines.join("\n"))
        .into_iter()
        .filter(|seen| seen.public_id.is_some() && told.insert(seen.public_id.clone()))
        .map(|seen| {
            let at = names
                .iter()
                .position(|name| Some(name) == seen.fingerprint.as_ref());
            at.map_or("-".to_owned(), |at| (at + 1).to_string())
        })
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn several_pairs_in_one_file_are_told_apart() {
    assert_eq!(pairs("ISISIS"), "1 2 3");
    assert_eq!(pairs("SISISI"), "1 2 3");
    assert_eq!(pairs("ISI"), "1 -");
    assert_eq!(pairs("IS"), "1");
    assert_eq!(pairs("SI"), "1");
    // All of one kind before all of the other.
    assert_eq!(pairs("IISS"), "1 2");
    assert_eq!(pairs("SSSIII"), "1 2 3");
    assert_eq!(pairs("IIIISSSS"), "1 2 3 4");
    assert_eq!(pairs("IIS"), "- 1");
}

#[test]
fn lists_of_ids_and_secrets_are_paired_in_their_order() {
    let id = |seed: u32| expand(&format!("AKIA{{{{base32upper:16:i{seed}}}}}")).unwrap();
    let secret = |seed: u32| expand(&format!("{{{{base64:40:s{seed}}}}}")).unwrap();
    let paired = |text: &str| {
        let fingerprint = |seed| {
            FingerprintKey::new([7; 32]).fingerprint("aws-access-key", secret(seed).as_bytes())
        };
        let all = scan(text);
        (0..12).all(|seed| {
            let mut own = all.iter().filter(|one| one.public_id == Some(id(seed)));
            own.all(|one| one.fingerprint == Some(fingerprint(seed)))
        })
    };
    let joined = |of: &dyn Fn(u32) -> String, between: &str| {
        let all: Vec<String> = (0..12).map(of).collect();
        all.join(between)
    };
    for between in ["\", \"", "\",\n    \"", "\"\n- \""] {
        let (ids, secrets) = (joined(&id, between), joined(&secret, between));
        let text = format!("ids: [\"{ids}\"]\nsecrets: [\"{secrets}\"]\n");
        assert!(paired(&text), "{text}");
        let text = format!("secrets: [\"{secrets}\"]\nids: [\"{ids}\"]\n");
        assert!(paired(&text), "{text}");
    }
}

#[test]
fn the_file_that_aws_hands_out_holds_a_password_and_a_pair() {
    let text = "User name,Password,Access key ID,Secret access key,Console login link\n\
        ada,{{alnum:14:p}}!,AKIA{{base32upper:16:i}},{{base64:40:s}},https://111122223333.signin.aws.amazon.com/console\n";
    let text = expand(text).unwrap();
    let kinds: Vec<String> = scan(&text).into_iter().map(|one| one.kind).collect();
    assert_eq!(kinds, ["password", "aws-access-key"]);
    let text =
        expand("Access key ID,Secret access key\nAKIA{{base32upper:16:i}},{{base64:40:s}}\n");
    let all = scan(&text.unwrap());
    assert_eq!(all.len(), 1);
    assert!(all[0].fingerprint.is_some() && all[0].public_id.is_some());
}

#[test]
fn a_credential_is_told_of_at_each_of_its_lines() {
    let text = "a = ghp_{{crc32:30:a}}\nb = 1\nc = ghp_{{crc32:30:a}}, ghp_{{crc32:30:a}}\n";
    let lines: Vec<u32> = scan(&expand(text).unwrap())
        .iter()
        .map(|seen| seen.sighting.line)
        .collect();
    assert_eq!(lines, [1, 3]);
}
