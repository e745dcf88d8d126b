//! Standard input, what is staged, exceptions, rules of one's own.

use crate::support::{NOW, Workplace, aws_key_id, aws_secret};
use std::path::Path;

fn leak(seed: u64) -> String {
    format!(
        "AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n",
        aws_key_id(seed),
        aws_secret(seed)
    )
}

fn stdout(command: &mut assert_cmd::Command, code: i32) -> String {
    let output = command.assert().code(code).get_output().clone();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn standard_input_is_scanned_and_nothing_is_kept() {
    let place = Workplace::new();
    let mut scan = place.overstay();
    scan.args(["scan", "-", "--format", "json", "--now", NOW]);
    let text = stdout(scan.write_stdin(leak(1)), 0);
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let sighting = &report["credentials"][0]["sightings"][0];
    assert_eq!(
        (&sighting["uri"], &sighting["line"]),
        (&"stdin".into(), &1.into())
    );
    assert!(!place.path("overstay-report").exists());
    assert!(!place.path("home/.local/state/overstay").exists());
    let gate = ["scan", "-", "--fail-on", "low", "-q"];
    stdout(place.overstay().args(gate).write_stdin(leak(1)), 1);
    stdout(place.overstay().args(gate).write_stdin("nothing\n"), 0);
}

#[test]
fn a_staged_credential_keeps_the_commit_back_once() {
    let place = Workplace::new();
    let mut repo = place.repository("app");
    repo.write("old.env", leak(2));
    repo.commit("old");
    let staged = |code| {
        let mut command = place.overstay();
        command.args(["scan", "--staged"]).arg(place.path("app"));
        stdout(&mut command, code)
    };
    let stage = |name: &str, text: &str| {
        place.write(&format!("app/{name}"), text);
        let repository = git2::Repository::open(place.path("app")).unwrap();
        let mut index = repository.index().unwrap();
        index.add_path(Path::new(name)).unwrap();
        index.write().unwrap();
    };
    assert_eq!(staged(0), "");
    // What HEAD holds is no news, and what is not staged is not looked at.
    stage("old.env", &format!("# moved\n{}", leak(2)));
    place.write("app/unstaged.env", leak(3));
    assert_eq!(staged(0), "");
    stage("new.env", &leak(4));
    let told = staged(1);
    // A key and its secret are one.
    assert!(told.contains("\n1 new credential is staged."), "{told}");
    assert!(told.contains("new.env:1:19  aws-access-key"), "{told}");
    assert!(!told.contains(&aws_secret(4)), "{told}");
    let noted = leak(4).replace('\n', " # overstay:ignore[aws-access-key] honeypot\n");
    stage("new.env", &noted);
    assert_eq!(staged(0), "");
    // What else is told of a key is told because of the same place.
    stage(
        "new.env",
        &leak(4).replace('\n', " # overstay:ignore[leaked-secret] honeypot\n"),
    );
    assert_eq!(staged(0), "");
    stage(
        "new.env",
        &leak(4).replace('\n', " # overstay:ignore[no-expiry-credential] honeypot\n"),
    );
    assert!(staged(1).contains("new.env:1:19"));
    let mut outside = place.overstay();
    outside.args(["scan", "--staged"]).arg(place.path("home"));
    stdout(&mut outside, 2);
}

#[test]
fn exceptions_stay_in_the_report_and_are_told_of_once_they_match_nothing() {
    let place = Workplace::new();
    place.write("src/a.env", leak(5));
    place.write(
        "src/b.py",
        format!(
            "# overstay:ignore[aws-access-key] sample\nK = \"{}\"\n",
            aws_key_id(6)
        ),
    );
    place.write(
        "src/c.py",
        "x = 1  # overstay:ignore[aws-access-key] long gone\n",
    );
    let config = place.write(
        "overstay.toml",
        "[[ignore]]\npath = \"*a.env\"\nreason = \"honeypot\"\n\
         [[ignore]]\nrule = \"no-such\"\nreason = \"old\"\n\
         [[ignore]]\npath = \"*a.env\"\nreason = \"was\"\nexpires = 2026-01-01\n",
    );
    let mut scan = place.scan(&[&place.path("src")], "out");
    scan.arg("--config").arg(config).args(["--fail-on", "low"]);
    let _ = scan.assert();
    let report = place.report("out");
    let ignored: Vec<String> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["rule"] == "leaked-secret")
        .map(|finding| format!("{} {}", finding["status"], finding["ignored"]["reason"]))
        .collect();
    assert!(!ignored.is_empty());
    assert!(
        ignored.iter().all(|one| one.starts_with("\"ignored\"")),
        "{ignored:?}"
    );
    let noted: Vec<&str> = report["coverage"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["status"] == "noted")
        .map(|entry| entry["unit"].as_str().unwrap())
        .collect();
    assert_eq!(noted, ["path *a.env", "rule no-such", "src/c.py:1"]);
}

#[test]
fn a_comment_that_names_another_rule_is_told_which_it_is() {
    let place = Workplace::new();
    let text = format!(
        "# overstay:ignore[aws-key] sample\nK = \"{}\"\n",
        aws_key_id(6)
    );
    place.write("src/b.py", text);
    let _ = place.scan(&[&place.path("src")], "out").assert();
    let report = place.report("out");
    let coverage = report["coverage"].as_array().unwrap();
    let told = coverage.iter().find(|entry| entry["unit"] == "src/b.py:1");
    let reason = told.unwrap()["reason"].as_str().unwrap();
    assert!(reason.contains("found by aws-access-key"), "{reason}");
}

#[test]
fn rules_of_ones_own_stand_beside_the_built_in_ones() {
    let place = Workplace::new();
    let rule = |id: &str| {
        format!(
            "[[rule]]\nid = \"{id}\"\ntitle = \"Acme\"\nprovider = \"acme\"\ncredential_type = \"acme\"\n\
             literals = [\"acmetok_\"]\npattern = 'acmetok_(?P<secret>[a-z0-9]{{20}})'\n\
             window = {{ before = 0, after = 20 }}\nconfidence = \"high\"\ntarget = \"saas-scoped-token\"\n\
             source = \"acme\"\nas_of = \"2026-11-22\"\nexamples = [\"acmetok_{{{{loweralnum:20:a}}}}\"]\n"
        )
    };
    let own = place.write("own.toml", rule("acme-own"));
    place.write(
        "src/a.txt",
        ["acme", "tok_", "h3k9x2m7q4w8z1v6b5n0"].concat(),
    );
    let mut scan = place.scan(&[&place.path("src")], "out");
    scan.arg("--rules").arg(&own).assert().code(0);
    assert_eq!(
        place.report("out")["credentials"][0]["sightings"][0]["rule"],
        "acme-own"
    );
    place.write("own.toml", rule("npm-token"));
    let mut taken = place.scan(&[&place.path("src")], "out");
    let output = taken
        .arg("--rules")
        .arg(&own)
        .assert()
        .code(2)
        .get_output()
        .clone();
    assert!(String::from_utf8_lossy(&output.stderr).contains("disable"));
}
