//! Plans over several runs with one state folder: items close by what proves them done, come back, and are overtaken.

use crate::support::{Workplace, aws_key_id, password};
use serde_json::{Value, json};

const ACCOUNT: &str = "111122223333";
const STATIC: &str = "on: push\njobs:\n  deploy:\n    runs-on: ubuntu-latest\n    timeout-minutes: 15\n    env:\n      AWS_ACCESS_KEY_ID: ${{ secrets.DEPLOY_KEY_ID }}\n      AWS_SECRET_ACCESS_KEY: ${{ secrets.DEPLOY_KEY }}\n    steps: [{run: aws s3 sync . s3://site}]\n";
const FEDERATED: &str = "on: push\npermissions: {id-token: write, contents: read}\njobs:\n  deploy:\n    runs-on: ubuntu-latest\n    timeout-minutes: 15\n    steps:\n      - uses: aws-actions/configure-aws-credentials@v4\n        with: {role-to-assume: 'arn:aws:iam::111122223333:role/site-deploy', aws-region: eu-west-1}\n      - run: aws s3 sync . s3://site\n";

/// An account whose users have an active key each.
fn account(place: &Workplace, users: &[&str]) {
    let _ = std::fs::remove_dir_all(place.path("aws"));
    let policy = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow",
        "Action": ["s3:PutObject", "s3:DeleteObject"], "Resource": "*"}});
    let list: Vec<Value> = users
        .iter()
        .map(|name| {
            json!({"Path": "/", "UserName": name, "UserId": format!("AIDA{name}"),
                "CreateDate": "2024-01-01T00:00:00Z", "GroupList": [], "AttachedManagedPolicies": [],
                "Arn": format!("arn:aws:iam::{ACCOUNT}:user/{name}"),
                "UserPolicyList": [{"PolicyName": "work", "PolicyDocument": policy}],
                "Tags": [{"Key": "Owner", "Value": "web@example.org"}]})
        })
        .collect();
    place.write(
        "aws/account.json",
        json!({"UserDetailList": list, "GroupDetailList": [], "RoleDetailList": [], "Policies": []})
            .to_string(),
    );
    for (seed, name) in users.iter().enumerate() {
        place.write(
            &format!("aws/keys/{name}.json"),
            json!({"AccessKeyMetadata": [{"UserName": name, "AccessKeyId": aws_key_id(seed as u64 + 70),
                "Status": "Active", "CreateDate": "2024-01-01T00:00:00Z"}]})
            .to_string(),
        );
    }
}

fn workflow(place: &Workplace, text: &str) {
    place.write("code/site/.github/workflows/deploy.yml", text);
}

/// The scan of a day; its report.
fn scan(place: &Workplace, day: u8) -> Value {
    place
        .overstay()
        .arg("scan")
        .arg(place.path("code"))
        .arg("--aws-snapshot")
        .arg(place.path("aws"))
        .arg("--out")
        .arg(place.path("out"))
        .arg("--state")
        .arg(place.path("state"))
        .args(["--now", &format!("2026-11-{day:02}T00:00:00Z")])
        .assert()
        .success();
    place.report("out")
}

/// State and evidence of the item whose title has these words.
fn state(report: &Value, words: &str) -> (String, String) {
    let all = report["changes"]["plan"].as_array().unwrap();
    let mut found = all
        .iter()
        .filter(|one| one["title"].as_str().unwrap().contains(words));
    let one = found
        .next()
        .unwrap_or_else(|| panic!("no item of {words}: {all:#?}"));
    (
        one["state"].as_str().unwrap().to_owned(),
        one["evidence"].to_string(),
    )
}

/// What a command prints about the stored runs.
fn told(place: &Workplace, arguments: &[&str]) -> String {
    let output = place
        .overstay()
        .args(arguments)
        .arg("--state")
        .arg(place.path("state"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn items_close_come_back_and_are_overtaken() {
    let place = Workplace::new();
    account(&place, &["deployer"]);
    workflow(&place, STATIC);
    let first = scan(&place, 1);
    assert!(first["plan"].as_array().unwrap().len() >= 2, "{first:#}");
    assert!(first["changes"]["plan"].is_null(), "planned just now");

    // The job proves what it is; the key is still there.
    workflow(&place, FEDERATED);
    let second = scan(&place, 2);
    let (word, evidence) = state(&second, "DEPLOY_KEY_ID");
    assert_eq!(word, "done", "{evidence}");
    assert!(
        evidence.contains("no longer in the inventory"),
        "{evidence}"
    );
    let (word, evidence) = state(&second, "deployer");
    assert_eq!(word, "open", "{evidence}");
    assert!(evidence.contains("the plan still has it"), "{evidence}");
    let plan = std::fs::read_to_string(place.path("out/plan.md")).unwrap();
    assert!(plan.contains("## Since earlier plans"), "{plan}");
    assert!(told(&place, &["plan"]).contains("Since the plan of 2026-11-01"));
    assert!(told(&place, &["diff"]).contains("of the plan done"));

    // The key goes, and somebody makes another one.
    account(&place, &["newcomer"]);
    std::fs::remove_file(place.path("aws/keys/newcomer.json")).unwrap();
    place.write(
        "aws/keys/newcomer.json",
        json!({"AccessKeyMetadata": [{"UserName": "newcomer", "AccessKeyId": aws_key_id(99),
            "Status": "Active", "CreateDate": "2026-11-02T00:00:00Z"}]})
        .to_string(),
    );
    let third = scan(&place, 3);
    let (word, evidence) = state(&third, "deployer");
    assert_eq!(word, "done", "{evidence}");
    let standing = third["changes"]["standing"].as_array().unwrap();
    assert_eq!(standing.len(), 1, "{standing:#?}");
    assert!(
        standing[0]["subject"]
            .as_str()
            .unwrap()
            .contains("newcomer")
    );
    let history = told(&place, &["history", "--format", "csv"]);
    let done: Vec<&str> = history
        .lines()
        .skip(1)
        .filter_map(|line| line.rsplit(',').next())
        .collect();
    assert_eq!(done.first(), Some(&"0"), "{history}");
    assert!(
        done.last().unwrap().parse::<u32>().unwrap() >= 2,
        "{history}"
    );

    // The old way is back.
    workflow(&place, STATIC);
    let fourth = scan(&place, 4);
    let (word, evidence) = state(&fourth, "DEPLOY_KEY_ID");
    assert_eq!(word, "reopened", "{evidence}");
    let page = told(&place, &["plan"]);
    assert!(page.contains("reopened since 2026-11-04"), "{page}");
    let diff = told(&place, &["diff", "--format", "json"]);
    let diff: Value = serde_json::from_str(&diff).unwrap();
    assert!(diff["plan"].to_string().contains("reopened"), "{diff:#}");
    // The same run again tells the same.
    assert_eq!(scan(&place, 4)["changes"], fourth["changes"]);
}

#[test]
fn old_and_new_way_at_once_are_no_end() {
    let place = Workplace::new();
    account(&place, &[]);
    workflow(&place, STATIC);
    scan(&place, 1);
    let both = STATIC.replace(
        "on: push\n",
        "on: push\npermissions: {id-token: write, contents: read}\n",
    );
    workflow(&place, &both);
    let second = scan(&place, 2);
    let (word, evidence) = state(&second, "DEPLOY_KEY_ID");
    assert_eq!(word, "dual-path", "{evidence}");
    // Somewhere else nothing is told of it.
    place.write("other/readme.txt", "nothing");
    place
        .overstay()
        .arg("scan")
        .arg(place.path("other"))
        .arg("--out")
        .arg(place.path("out"))
        .arg("--state")
        .arg(place.path("state"))
        .args(["--now", "2026-11-03T00:00:00Z"])
        .assert()
        .success();
    assert!(place.report("out")["changes"]["plan"].is_null());
    let (word, _) = state(&scan(&place, 4), "DEPLOY_KEY_ID");
    assert_eq!(word, "dual-path");
}

/// A repository with a workflow that is given a payment provider's key, and nothing that tells whether the key works.
fn given_a_key(place: &Workplace, named: bool) {
    let given = if named {
        "    env:\n      STRIPE_SECRET_KEY: ${{ secrets.STRIPE_KEY }}\n"
    } else {
        ""
    };
    place.write(
        "code/pay/.github/workflows/bill.yml",
        format!("on: push\njobs:\n  bill:\n    runs-on: ubuntu-latest\n{given}    steps: [{{run: ./bill}}]\n"),
    );
}

/// The scan of a day with a configuration.
fn scan_with(place: &Workplace, day: u8, config: &str) -> Value {
    place.write("overstay.toml", config);
    place
        .overstay()
        .arg("scan")
        .arg(place.path("code"))
        .arg("--config")
        .arg(place.path("overstay.toml"))
        .arg("--out")
        .arg(place.path("out"))
        .arg("--state")
        .arg(place.path("state"))
        .args(["--now", &format!("2026-11-{day:02}T00:00:00Z")])
        .assert()
        .success();
    place.report("out")
}

#[test]
fn a_credential_that_other_rules_no_longer_find_is_not_done() {
    let place = Workplace::new();
    let token = ["gl", "pat-", &password(20)[..20]].concat();
    place.write("code/app/config.ini", format!("[api]\ntoken = {token}\n"));
    let first = scan_with(&place, 1, "");
    let planned = first["plan"].as_array().unwrap();
    assert!(
        planned
            .iter()
            .any(|item| item["title"].as_str().unwrap().contains("gitlab-pat")),
        "{planned:#?}"
    );
    let rules = told(&place, &["rules", "list"]);
    let disabled: Vec<&str> = rules
        .lines()
        .flat_map(str::split_whitespace)
        .filter(|word| word.starts_with("gitlab-") || word.starts_with("generic-"))
        .collect();
    let config = format!("[rules]\ndisable = {disabled:?}\n");
    let second = scan_with(&place, 2, &config);
    assert!(!second["credentials"].to_string().contains("gitlab-pat"));
    let (word, evidence) = state(&second, "gitlab-pat");
    assert_eq!(word, "not-seen", "{evidence}");
    assert!(
        evidence.contains("detection rules are not those"),
        "{evidence}"
    );
    // Where the file is without it and the rules are the same, it is over.
    place.write("code/app/config.ini", "[api]\n");
    let (word, evidence) = state(&scan_with(&place, 3, ""), "gitlab-pat");
    assert_eq!(word, "done", "{evidence}");
}

#[test]
fn what_a_person_revoked_closes_its_item() {
    let place = Workplace::new();
    given_a_key(&place, true);
    scan_with(&place, 1, "");
    let note = "[[identity]]\nmatch = \"STRIPE_KEY\"\nrevoked = 2026-11-02\n";
    // Revoked, and still named: the job would fail, and the item says so.
    let (word, evidence) = state(&scan_with(&place, 2, note), "STRIPE_KEY");
    assert_ne!(word, "done", "{evidence}");
    given_a_key(&place, false);
    let (word, evidence) = state(&scan_with(&place, 3, note), "STRIPE_KEY");
    assert_eq!(word, "done", "{evidence}");
}

/// The cells of a CSV by the names of its columns.
fn table(place: &Workplace, name: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(false)
        .from_path(place.path(name))
        .unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

#[test]
fn tickets_are_read_by_the_importers_of_jira_and_github() {
    let place = Workplace::new();
    account(&place, &["deployer", "observer"]);
    workflow(&place, STATIC);
    let report = scan(&place, 1);
    let items = report["plan"].as_array().unwrap();
    for (format, file) in [("tickets", "jira.csv"), ("tickets-github", "github.csv")] {
        place.write(file, told(&place, &["plan", "--format", format]));
    }
    let policy = report["run"]["policy_digest"].as_str().unwrap();
    let (jira, github) = (table(&place, "jira.csv"), table(&place, "github.csv"));
    assert_eq!((jira.len(), github.len()), (items.len(), items.len()));
    for ((item, jira), github) in items.iter().zip(&jira).zip(&github) {
        let id = item["id"].as_str().unwrap();
        let title = item["title"].as_str().unwrap();
        // Jira: a summary on one line within its limit, a type every project has, a default priority, labels without blanks.
        assert!(jira["Summary"].ends_with(title) && jira["Summary"].len() <= 255);
        assert_eq!(jira["Issue Type"], "Task");
        assert!(["Highest", "High", "Medium", "Low"].contains(&jira["Priority"].as_str()));
        assert!(jira["Labels"].split(' ').all(|label| !label.is_empty()));
        assert_eq!(jira["External ID"], id);
        // GitHub: titles to 256 characters, bodies to 65,536, labels to 50 each.
        assert!(github["title"].ends_with(title) && github["title"].chars().count() <= 256);
        assert!(github["body"].chars().count() <= 65_536 && github["body"].contains(id));
        assert!(github["labels"].split(',').all(|label| label.len() <= 50));
        for cell in jira.values().chain(github.values()) {
            assert!(!cell.contains(['\n', '\r']), "{cell}");
        }
        assert!(jira["Description"].contains(policy) && github["body"].contains(policy));
    }
}
