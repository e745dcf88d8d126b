//! Planted secrets appear in no output, no log and no file of the state folder.

use crate::support::{Workplace, aws_key_id, aws_secret, files_below, password};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Secrets, and the text of a repository that holds them at HEAD, in history, in manifests and in broken files.
fn plant(place: &Workplace) -> Vec<String> {
    let github = format!("gh{}{}", "p_", password(11).repeat(2).get(..36).unwrap());
    let anthropic = format!(
        "sk-{}-{}{}",
        "ant-api03",
        password(12).repeat(4).get(..93).unwrap(),
        "AA"
    );
    let named = format!("gl{}-{}", "pat", password(16).repeat(2).get(..20).unwrap());
    let (aws, database, old) = (aws_secret(13), password(14), password(15));
    let mut repository = place.repository("repo");
    repository.write(
        "old.env",
        format!("DATABASE_URL=mysql://root:{old}@db.internal/x\n"),
    );
    repository.commit("with an old password");
    repository.remove("old.env");
    repository.write(
        "app.env",
        format!(
            "AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={aws}\n",
            aws_key_id(13)
        ),
    );
    repository.write(
        "minified.js",
        format!("var a=\"{github}\",b=\"postgres://app:{database}@db.internal/app\";\n"),
    );
    repository.write(".mcp.json", format!("{{\"mcpServers\":{{\"x\":{{\"command\":\"y\",\"env\":{{\"ANTHROPIC_API_KEY\":\"{anthropic}\"}}}}}}}}"));
    repository.write(
        "broken/.mcp.json",
        format!("{{\"mcpServers\": {{\"x\": {{\"env\": {{\"KEY\": \"{anthropic}\" "),
    );
    repository.write(
        ".github/workflows/x.yml",
        format!("jobs:\n  a:\n    env:\n      TOKEN: {github}\n   bad indent: [\n"),
    );
    repository.write(
        "k8s/secret.yaml",
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\ndata:\n  password: {}\n",
            STANDARD.encode(&database)
        ),
    );
    // Paths and owners are shown; a token in one of them is not.
    repository.write(
        &format!("k8s-{named}/.github/workflows/{named}.yml"),
        "jobs: [\n",
    );
    repository.write(&format!("dir-{named}/{named}.env"), format!("A={github}\n"));
    repository.write("CODEOWNERS", format!("* @{named}\n"));
    repository.commit(&format!("message with {github}"));
    vec![
        github,
        anthropic,
        aws,
        STANDARD.encode(&database),
        database,
        old,
        named,
    ]
}

fn assert_clean(secrets: &[String], what: &str, bytes: &[u8]) {
    for secret in secrets {
        let found = bytes
            .windows(secret.len())
            .any(|window| window == secret.as_bytes());
        assert!(!found, "a planted secret is in {what}");
    }
}

#[test]
fn no_output_holds_a_planted_secret() {
    let place = Workplace::new();
    let secrets = plant(&place);
    let state = place.path("state");
    for format in ["text", "json"] {
        let run = place
            .scan(&[&place.path("repo")], "out")
            .args(["-vv", "--log-format", format, "--state"])
            .arg(&state)
            .output()
            .unwrap();
        assert_clean(&secrets, "standard output", &run.stdout);
        assert_clean(&secrets, "standard error", &run.stderr);
    }
    let report = place.report("out");
    assert!(
        report["credentials"].as_array().unwrap().len() >= 4,
        "the planted secrets were not found at all"
    );
    for path in files_below(&place.path("out"))
        .into_iter()
        .chain(files_below(&state))
        .chain(files_below(&place.path("home")))
    {
        assert_clean(
            &secrets,
            &path.display().to_string(),
            &std::fs::read(&path).unwrap(),
        );
    }
    for credential in report["credentials"].as_array().unwrap() {
        let id = credential["id"].as_str().unwrap();
        let page = place
            .overstay()
            .args(["explain", id, "--state"])
            .arg(&state)
            .output()
            .unwrap();
        assert!(page.status.success());
        assert_clean(&secrets, "an explanation", &page.stdout);
    }
    for format in [
        "json",
        "findings-csv",
        "inventory-csv",
        "sarif",
        "markdown",
        "summary",
    ] {
        let page = place
            .overstay()
            .args(["report", "--format", format, "--state"])
            .arg(&state)
            .output()
            .unwrap();
        assert!(
            page.status.success(),
            "{format}: {}",
            String::from_utf8_lossy(&page.stderr)
        );
        assert_clean(&secrets, format, &page.stdout);
    }
}
