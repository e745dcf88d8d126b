//! What every output promises, checked on a report that fills every field.

use crate::sample;
use overstay::model::Report;
use overstay::report::explain::{Found, find, page};
use overstay::report::{Format, Index, Options, findings_csv, inventory_csv};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn emit(format: Format, options: Options, report: &Report) -> String {
    let mut out = Vec::new();
    format.emitter(options).emit(report, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn plain(format: Format) -> String {
    emit(format, Options::default(), &sample::report())
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Compares a checked-in file with what the program makes; with `UPDATE=1` in the environment it is rewritten instead.
fn checked_in(path: &str, made: &str) {
    let file = repository(path);
    #[expect(clippy::disallowed_methods, reason = "tests may ask the environment")]
    let update = std::env::var_os("UPDATE").is_some();
    if update {
        overstay::store::atomic::write(&file, made.as_bytes()).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == made,
        "{path} is out of date; run `UPDATE=1 cargo test --test it formats`"
    );
}

fn schema() -> Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<Report>();
    schema.insert("title".into(), "overstay report, version 1".into());
    schema.to_value()
}

#[test]
fn the_schema_is_the_one_the_program_has() {
    let text = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    checked_in("reports/schema/report.v1.schema.json", &text);
}

#[test]
fn the_report_follows_its_schema_and_fills_every_field() {
    let schema = schema();
    let validator = jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap();
    let text = plain(Format::Json);
    assert!(text.ends_with("}\n"));
    let report: Value = serde_json::from_str(&text).unwrap();
    let errors: Vec<_> = validator
        .iter_errors(&report)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");

    let mut described = BTreeSet::new();
    properties(&schema, &mut described);
    let mut filled = BTreeSet::new();
    keys(&report, &mut filled);
    let missing: Vec<_> = described.difference(&filled).collect();
    assert!(missing.is_empty(), "the sample leaves out {missing:?}");

    let mut broken = report;
    broken["findings"][0]["severity"] = "medium-rare".into();
    assert!(!validator.is_valid(&broken), "the schema accepts anything");
}

fn properties(schema: &Value, into: &mut BTreeSet<String>) {
    if let Some(found) = schema.get("properties").and_then(Value::as_object) {
        into.extend(found.keys().cloned());
    }
    match schema {
        Value::Object(map) => map.values().for_each(|value| properties(value, into)),
        Value::Array(list) => list.iter().for_each(|value| properties(value, into)),
        _ => {}
    }
}

fn keys(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if !value.is_null() {
                    into.insert(key.clone());
                }
                keys(value, into);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| keys(value, into)),
        _ => {}
    }
}

#[test]
fn the_report_reads_back_as_it_was() {
    let report = sample::report();
    let back: Report = serde_json::from_str(&plain(Format::Json)).unwrap();
    assert_eq!(back, report);
}

#[test]
fn the_order_of_the_parts_does_not_matter() {
    let mut parts = sample::parts();
    parts.findings.reverse();
    parts.assessments.reverse();
    parts.coverage.reverse();
    parts.coverage.extend_from_within(..1);
    parts.run.inputs.reverse();
    let other = crate::sample_seen::complete(overstay::report::assemble(parts));
    let same = Report {
        changes: None,
        ..sample::report()
    };
    assert_eq!(other, same);
    assert!(
        !other.run.complete,
        "a failed source makes the run incomplete"
    );
}

#[test]
fn csv_has_one_row_for_each_and_the_same_cells_in_all() {
    let report = sample::report();
    for (format, rows, columns) in [
        (
            Format::FindingsCsv,
            // And one that was fixed.
            report.findings.len() + 1,
            findings_csv::columns().len(),
        ),
        (
            Format::InventoryCsv,
            report.identities.len(),
            inventory_csv::columns().len(),
        ),
    ] {
        let text = plain(format);
        assert_eq!(text.matches("\r\n").count(), rows + 1);
        assert_eq!(text.matches('\n').count(), rows + 1);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        assert_eq!(reader.headers().unwrap().len(), columns);
        for record in reader.records() {
            let record = record.unwrap();
            assert_eq!(&record[0], "1");
            for cell in &record {
                assert!(!cell.starts_with(['=', '+', '-', '@']), "{cell}");
                assert!(!cell.contains(char::is_control), "{cell:?}");
            }
        }
        let marked = emit(
            format,
            Options {
                csv_bom: true,
                ..Options::default()
            },
            &report,
        );
        assert_eq!(marked.strip_prefix('\u{feff}'), Some(text.as_str()));
    }
}

fn row(format: Format, column: &str, value: &str) -> Vec<(String, String)> {
    let text = plain(format);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headers = reader.headers().unwrap().clone();
    let at = headers.iter().position(|name| name == column).unwrap();
    let mut rows = reader.records().map(Result::unwrap);
    let found = rows.find(|record| &record[at] == value).unwrap();
    let cells = headers.iter().zip(&found);
    cells
        .map(|(name, cell)| (name.to_owned(), cell.to_owned()))
        .collect()
}

/// Snapshots are committed, and no committed file holds what looks like a key.
fn without_key(text: &str) -> String {
    text.replace(&sample::key_id(), "<key id>")
}

fn shown(cells: &[(String, String)]) -> String {
    let mut out = String::new();
    for (name, cell) in cells.iter().filter(|(_, cell)| !cell.is_empty()) {
        writeln!(out, "{name}: {cell}").unwrap();
    }
    without_key(&out)
}

#[test]
fn a_finding_carries_its_identity_assessment_and_plan() {
    let cells = row(Format::FindingsCsv, "class", "leaked-secret-history");
    insta::assert_snapshot!(shown(&cells), @"
schema_version: 1
finding_id: f-0fd17a42911ceee6
class: leaked-secret-history
severity: critical
severity_rank: 4
finding_status: new
title: Live key of deployer in history
identity_id: i-e5ac29813165ba13
identity_name: deployer
identity_type: iam-user
provider: aws
account: 111122223333
environment: production
consumer: deploy.yml/deploy
consumer_class: ci
owner: platform
owner_source: tag
purpose: deploys the shop
credential_id: c-1043ff7e24e82fb8
credential_type: aws-access-key
credential_public_id: <key id>
fingerprint: ad30cdbaa401dbafdd9e6e6abbebe686
credential_status: active
storage: history
created_at: 2025-09-15T00:00:00Z
age_days: 412
last_used_at: 2026-10-30T06:00:00Z
lifetime_ratio: 39552
risk: 94
band: critical
vector: NHI:1/E4/T3*/H0/P5/S2/B1
likelihood: 9
impact: 10
fit: 82
priority: 77
blockers: shared_path
disposition: revoke-now
follow_up: migrate-now
mitigation_claim: full
confidence: high
evidence_grade: A
target_mechanism: github-actions-oidc-aws
ttl_before: never
ttl_recommended: 900
ttl_evidence: the job may run 15 min
exposure_before: 412 d, no expiry
exposure_after: 15 min
revocation_triggers: ttl_expiry;pipeline_end
condition_coverage: 1
readiness_issue: yes
readiness_revoke: no
prerequisites: an OIDC provider in the account
open_questions: '=cmd|' /C calc'!A0 �[2J[x](https://e.example) <img src=x> `a` @all �
effort: S
risk_after: 12
risk_removed: 82
wave: 1
plan_item_id: p-29e86ecb7f645a66
approval_system: AWS account 111122223333
approval_reason: deploy the shop
approval_duration: 15 min
approval_approver: platform
review_status: approved
reviewer: platform
reviewed_at: 2026-11-01T09:00:00Z
exception_expires: 2027-02-01T00:00:00Z
compensating_controls: alert on use from elsewhere (unknown)
nhi_ids: NHI2:2025
cwe: CWE-540;CWE-527
cis: 2.12
catalogue_as_of: 2026-11-01
rules_digest: aaaaaaaaaaaaaaaa
policy_digest: bbbbbbbbbbbbbbbb
message: Live key of deployer in history. Somebody who has it can act as deployer.
repository: shop
uri: deploy/%20old.env
line: 4
column: 12
resource: arn:aws:iam::111122223333:user/deployer
places: 1
commit: 0123456789abcdef0123456789abcdef01234567
first_seen: 2025-09-15T10:00:00Z
last_seen: 2025-10-01T10:00:00Z
at_head: false
layers: base64 > gzip
reached_by: branch
introduced_in: 0123456789abcdef0123456789abcdef01234567
introduced_by: '=cmd|' /C calc'!A0 �[2J[x](https://e.example) <img src=x> `a` @all �
introduced_at: 2025-09-15T10:00:00Z
last_commit: 89abcdef0123456789abcdef0123456789abcdef
held_today: false
removed_in: fedcba9876543210fedcba9876543210fedcba98
removed_at: 2025-10-02T10:00:00Z
branches: main
branches_total: 1
clones_total: 2
sightings: 1
");
}

#[test]
fn a_role_carries_its_trust_and_its_use() {
    let cells = row(Format::InventoryCsv, "name", "timer");
    insta::assert_snapshot!(shown(&cells), @r#"
    schema_version: 1
    identity_id: i-8e999359855e4c42
    provider: aws
    identity_type: iam-role
    name: timer
    native_id: arn:aws:iam::111122223333:role/timer
    account: 111122223333
    human: false
    owner_source: none
    tier: 0
    admin: false
    tier_assumed: false
    jit_required: false
    write: false
    permissions_management: false
    secret_read: false
    cross_account: false
    services_granted: 0
    grants: 0
    trusts: 1
    external_trusts: 1
    condition_coverage: 1
    session_max: 43200
    credentials: 0
    credentials_live: 0
    credentials_seen: 0
    last_used_at: never since 2026-03-01
    idle_days: 245
    break_glass: suspected
    findings: 1
    worst_severity: medium
    risk: 41
    band: medium
    vector: NHI:1/E4/T3*/H0/P5/S2/B1
    fit: 82
    blockers: shared_path
    disposition: review
    target_mechanism: github-actions-oidc-aws
    ttl_recommended: 900
    risk_after: 12
    evidence_grade: A
    declared_at: aws/111122223333/account-authorization-details.json:12
    policy_digest: bbbbbbbbbbbbbbbb
    session_limit: 43200
    trust_until: false
    trust_environment: false
    "#);
}

#[test]
fn the_plan_reads_as_a_checklist() {
    insta::assert_snapshot!(without_key(&plain(Format::Markdown)), @r#"
    # Migration plan

    Run `r-0123456789abcdef`, ages measured to 2026-11-01T12:00:00Z. Made by overstay 0\.1.0 with rules `aaaaaaaaaaaaaaaa` and policy `bbbbbbbbbbbbbbbb`.

    ## Summary

    | | |
    |---|---|
    | Machine identities | 3 |
    | People | 1 |
    | Credentials | 2, 1 of them long-lived |
    | Findings | 1 critical, 1 high, 1 medium, 1 low |
    | Dispositions | 1 revoke now, 1 hybrid, 1 review: insufficient evidence |
    | Standing risk | 201 today, 36 after the plan |
    | Mechanisms to operate | 1 |

    ## Standing risk by wave

    ```text
    today   201  ████████████████████████████████████████  100 %
    wave 1  119  ███████████████████████                    59 %  −82 by 1 item
    ```

    ![Standing risk by wave](plan-risk.svg)

    ## Since earlier plans

    1 old and new way both work; 1 new standing access since.

    | Item | State | Planned | What was seen |
    |---|---|---|---|
    | Move deployer to OIDC (`p-29e86ecb7f645a66`) | dual-path since 2026-10-31 | 2026-10-30 | no: deploy.yml/deploy still names it |

    **Standing access that came since the plan**

    - \=cmd\|' /C calc'!A0 �\[2J\[x\](https&#58;//e.example) &lt;img src=x&gt; \`a\` &#64;all �: risk 40, was 20

    ## What this plan does not know

    - aws/111122223333 (aws-snapshot, absent): no credential report; add \`credential-report.csv\`
    - \=cmd\|' /C calc'!A0 �\[2J\[x\](https&#58;//e.example) &lt;img src=x&gt; \`a\` &#64;all � (git, failed): a pack file is damaged; run \`git fsck\` in it

    ## Wave 1

    | # | What | Disposition | Mechanism | Owner | Effort | Risk |
    |---|---|---|---|---|---|---|
    | 1.1 | Move deployer to OIDC | Revoke now | GitHub Actions OIDC to an AWS role | platform | S | 94 → 12 |

    ### 1.1 Move deployer to OIDC

    - Plan item: `p-29e86ecb7f645a66`
    - State: dual-path since 2026-10-31, planned on 2026-10-30: no: deploy.yml/deploy still names it
    - Identity: `arn:aws:iam::111122223333:user/deployer`
    - Owner: platform (from tag)
    - Credential: aws-access-key `<key id>`
    - Disposition: Revoke now
    - Mechanism: GitHub Actions OIDC to an AWS role (`github-actions-oidc-aws`, catalogue of 2026-11-01)
    - Lifetime: 15 min: the job may run 15 min
    - Subject: repo:shop/site:ref:refs/heads/main
    - Task: deploy
    - Proof it is needed now: the job's OIDC token
    - Resources: `arn:aws:s3:::shop-site/*`
    - Actions: `s3:PutObject`
    - Approval: system AWS account 111122223333; reason deploy the shop; duration 15 min; approver platform; strict, approved
    - Ends on: `ttl_expiry`, `pipeline_end`
    - Issued, observed, revoked by machines: yes, unknown, no
    - Risk: 94 → 12 (removes 82; mitigation claimed: full)
    - Effort: S: one workflow
    - Exception ends: 2027-02-01T00:00:00Z

    **Before it starts**

    - an OIDC provider in the account

    **Questions only the owner can answer**

    - \=cmd\|' /C calc'!A0 �\[2J\[x\](https&#58;//e.example) &lt;img src=x&gt; \`a\` &#64;all �

    **Compensating controls**

    - alert on use from elsewhere (present: unknown)

    **For an agent**

    - log the intent of every call

    **May stay (seen in use: CloudTrail, 2026-08-01 to 2026-10-30)**

    - ecs:DescribeServices on resources that no event names

    **Asked for when needed**

    - ecs:UpdateService on arn:aws:ecs:eu-west-1:111122223333:service/site/web

    **What this cannot show**

    - calls on data of s3 are not in the logs

    **Steps**

    - [ ] 0. **Name the owner** (owner: platform). Ask the team that deploys.
    - [ ] 1. **Make the role** (owner: platform). With the trust policy of this item.

      ```sh
      aws iam create-role \
        --role-name deploy
      ```

    - [ ] **Verify** (must work): the job deploys with no stored secret
    - [ ] **Prove the end** (must fail): the old key is refused
    - [ ] **Roll back if needed** (until the old access is gone): activate the key again within 7 d

    To revoke at once:

    ```sh
    aws iam delete-access-key --access-key-id <key id>
    ```

    **Made ready in `plan/wave-01/p-sample/`**

    - `trust-policy.json` (who may become the new identity)

    Done when: the account no longer lists the key

    **Facts of the catalogue nobody has verified**

    - the longest session of the runner

    ## Not in the plan

    | Subject | Disposition | Risk | Why |
    |---|---|---|---|
    | \=cmd\|' /C calc'!A0 �\[2J\[x\](https&#58;//e.example) &lt;img src=x&gt; \`a\` &#64;all � | Hybrid | 66 | the runtime offers OIDC |
    | timer | Review: insufficient evidence | 41 | the runtime offers OIDC |
    "#);
}

#[test]
fn the_summary_fits_a_screen() {
    let text = plain(Format::Summary);
    insta::assert_snapshot!(without_key(&text), @"
    3 machine identities, 1 person (3.0 machines a person); 2 credentials, 1 long-lived.
    2 of the machine identities have no owner.
    Code and account: 1 in both, 0 in code only, 0 in the account only (`declared:any`).

    Findings       1 critical · 1 high · 1 medium · 1 low
    What to do     1 revoke now · 1 hybrid · 1 review: insufficient evidence
    Standing risk  201 today, 36 after the plan

    Start here
      94  Revoke now: live aws-access-key <key id> in the history of shop, opens
          administrator iam-user deployer, used by deploy.yml/deploy → GitHub Actions OIDC to an AWS
          role
      66  Hybrid: github-pat AKIA******** committed in shop, opens agent =cmd|' /C calc'!A0
          �[2J[x](https://e.example) <img src=x> `a` @all �
      41  Review: insufficient evidence: iam-role timer

    Not read whole (the scan is incomplete)
      =cmd|' /C calc'!A0 �[2J[x](https://e.example) <img src=x> `a` @all �: a pack file is damaged;
        run `git fsck` in it

    Not given (unknown stays unknown)
      aws/111122223333: no credential report; add `credential-report.csv`

    Next
      overstay explain c-1043ff7e24e82fb8   every reason behind the first line
      overstay review                       go through all of it and decide
    ");
    for line in text.lines() {
        assert!(overstay::report::text::width(line) <= 100, "{line}");
    }
    let coloured = emit(
        Format::Summary,
        Options {
            colour: true,
            ..Options::default()
        },
        &sample::report(),
    );
    assert!(coloured.contains("\u{1b}[1mNext\u{1b}[0m") && !text.contains('\u{1b}'));
}

fn explained(query: &str) -> String {
    let report = sample::report();
    let index = Index::new(&report);
    let Found::One(subject) = find(&index, query) else {
        panic!("{query} is not one thing");
    };
    let mut out = Vec::new();
    page(&index, subject, false, 100, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn explain_shows_the_whole_reasoning() {
    insta::assert_snapshot!(without_key(&explained(&sample::key_id())), @r#"
Credential aws-access-key <key id>
  id              c-1043ff7e24e82fb8
  shown as        AKIA********
  fingerprint     ad30cdbaa401dbafdd9e6e6abbebe686
  account         111122223333
  status          active
  issued          2025-09-15 (412 days ago)
  last used       2026-10-30 (2 days ago), for s3
  expires         never
  real            high confidence: the account lists this key id
  belongs to      [A] the account lists this key id
  kept            in git history
  brought in      commit 0123456789ab of shop, 2025-09-15 (412 days ago), by =cmd|' /C calc'!A0
                  �[2J[x](https://e.example) <img src=x> `a` @all �
  gone            since 2025-10-02 (395 days ago), by commit fedcba987654
  last commit     89abcdef0123
  on branches     main
  in              1 place, 2 repositories and clones
  seen at shop/deploy/%20old.env:4, inside base64 > gzip, in the message of a commit, removed by
    commit fedcba987654 on 2025-10-02 (395 days ago), on main, in the clones shop, shop-mirror,
    commit 0123456789ab by =cmd|' /C calc'!A0 �[2J[x](https://e.example) <img src=x> `a` @all �,
    since 2025-09-15 (412 days ago) (rule aws-access-key)
      AWS_ACCESS_KEY_ID=AKIA********

Identity deployer (machine, iam-user)
  id              i-e5ac29813165ba13
  called          arn:aws:iam::111122223333:user/deployer
  account         111122223333
  environment     production
  owner           platform (from tag)
  purpose         deploys the shop
  judged          no console password
  created         2024-01-01 (1,035 days ago)
  last used       2026-10-30 (2 days ago)
  boundary        arn:aws:iam::111122223333:policy/edge
  [B] named in one workflow

What it can do: tier 5 of 5, administrator
  [A] AdministratorAccess is attached
  An upper bound: rules outside this scan may take some of it away.
  A way to administrator (iam-001, open under conditions): iam:CreatePolicyVersion
      rewrites its own policy
      ● user/deployer
        │ rewrites its own policy [iam:CreatePolicyVersion]
        │   by policy `p`, statement 1 allows it
        ▼
      ● user/deployer
      if a policy it holds can be edited
      not seen: that the policy has fewer than five versions
  managed grant AdministratorAccess (tier 5): * on *
      if from the office network

Who uses it
  deploy.yml/deploy (ci, github-actions), schedule 0 4 * * *, at most 15 min, declared at
    shop/.github/workflows/deploy.yml:9
      unpinned action shop/setup@v1

What cloudtrail shows with <key id>
  calls           12, 1 failed, from 2026-10-02 (30 days ago) to 2026-10-31 (1 day ago)
  sessions        30 sessions; half last up to 4 min, 95 of 100 up to 5 min, the longest 7 min; a
                  new one begins after 15 min of silence
  rhythm          cron-like: 30 sessions a day apart
  hours, UTC      0 │████████████████████████│ 23
  days            Mon │███████│ Sun
  networks        192.0.2.0/24 (12)
  regions         eu-north-1 (12)
  programs        aws-cli/2 (12)
  started by      role ci (12)
  actions         █ worked  ░ failed
    ██████████████████████░░      12 s3:PutObject on over 1 resource
  errors          AccessDenied (12)
  [C] once from a browser
  not told        user agents after the first twenty

Findings
  critical leaked-secret-history f-0fd17a42911ceee6
    Live key of deployer in history. Somebody who has it can act as deployer.
      [A] the account lists this key id
      at shop/deploy/%20old.env:4
      cis-aws 2.12; cwe CWE-540, CWE-527; owasp-nhi NHI2:2025

Risk of deployer: 94 critical (NHI:1/E4/T3*/H0/P5/S2/B1; likelihood 9 × impact 10)
  E4 exposure
      [A] seen in the account
  T3* standing time
      [A] seen in the account
  raised: an administrator's key in history is at least critical

Fit for just-in-time access: 82 of 100
  F1 25 of 25 mechanism available
      [B] the runtime offers OIDC
  blocked by shared_path: [C] two jobs name the same secret

Disposition: Revoke now (weakest evidence: A)
  yes Revoke now
        yes exposure is at least 4: it is 4
  then            Migrate now
  target          github-actions-oidc-aws
  because         the runtime offers OIDC
  lifetime        15 min: the job may run 15 min
  a stolen copy   works today: 412 d, no expiry; after: 15 min
  outlives task   39552 times
  by machines     issued yes, observed unknown, revoked no
  may be claimed  full mitigation
  risk after      12 info (NHI:1/E0/T0/H0/P3/S2/B1)
      no secret is stored any more

Plan, wave 1: Move deployer to OIDC
  id              p-29e86ecb7f645a66
  mechanism       GitHub Actions OIDC to an AWS role (as of 2026-11-01)
  state           dual-path since 2026-10-31
  seen            no: deploy.yml/deploy still names it
  approval        AWS account 111122223333 for 15 min, by platform (strict): deploy the shop
  ends on         ttl_expiry, pipeline_end
  effort          S: one workflow
  needs first     an OIDC provider in the account
  ask the owner   =cmd|' /C calc'!A0 �[2J[x](https://e.example) <img src=x> `a` @all �
  controls        alert on use from elsewhere: unknown
  of an agent     log the intent of every call
  seen in use     CloudTrail, 2026-08-01 to 2026-10-30
  may stay        ecs:DescribeServices on resources that no event names
  on demand       ecs:UpdateService on arn:aws:ecs:eu-west-1:111122223333:service/site/web
  not shown       calls on data of s3 are not in the logs
  0. Name the owner. Ask the team that deploys.
  1. Make the role. With the trust policy of this item.
       aws iam create-role \
         --role-name deploy
  must work       the job deploys with no stored secret
  must fail       the old key is refused
  roll back       activate the key again within 7 d
  made ready      plan/wave-01/p-sample/: trust-policy
  done when       the account no longer lists the key
  exception       ends on 2027-02-01
  not verified    the longest session of the runner
"#);
}

#[test]
fn explain_finds_things_by_every_name() {
    let report = sample::report();
    let plan = report.plan[0].id.to_string();
    let assessment = report.assessments[0].id.to_string();
    let finding = report.findings[0].id.to_string();
    for query in [
        "arn:aws:iam::111122223333:user/deployer",
        "deployer",
        "role/timer",
        "TIMER",
        plan.as_str(),
        assessment.as_str(),
        finding.as_str(),
        &finding[..8],
    ] {
        let text = explained(query);
        assert!(text.contains("Disposition: "), "{query}: {text}");
        for line in text.lines() {
            assert!(overstay::report::text::width(line) <= 100, "{line}");
        }
    }
    let index = Index::new(&report);
    let Found::Several(candidates) = find(&index, "user/d") else {
        panic!("ambiguous names are offered");
    };
    assert_eq!(candidates.len(), 2);
    assert_eq!(find(&index, "no such thing"), Found::Nothing);
    assert_eq!(find(&index, " "), Found::Nothing);
}

#[test]
fn no_page_shows_what_a_terminal_or_viewer_acts_on() {
    let mut pages = vec![plain(Format::Markdown), plain(Format::Summary)];
    for identity in sample::report().identities {
        pages.push(explained(identity.id.as_str()));
    }
    for text in pages {
        let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!text.contains(acts), "{text}");
    }
    let plan = plain(Format::Markdown);
    assert!(
        !plan.contains("](https://e.example)") && !plan.contains("<img") && !plan.contains("@all")
    );
}

/// The documented names of the table under a heading of `reports/FORMATS.md`.
fn documented(columns: impl Iterator<Item = (&'static str, &'static str)>) -> String {
    let mut out = String::from("| Column | Content |\n|---|---|\n");
    for (name, doc) in columns {
        writeln!(out, "| `{name}` | {doc} |").unwrap();
    }
    out
}

#[test]
fn every_column_is_documented() {
    let path = "reports/FORMATS.md";
    let mut text = std::fs::read_to_string(repository(path)).unwrap();
    for (name, table) in [
        (
            "findings.csv",
            documented(
                findings_csv::columns()
                    .iter()
                    .map(|each| (each.name, each.doc)),
            ),
        ),
        (
            "inventory.csv",
            documented(
                inventory_csv::columns()
                    .iter()
                    .map(|each| (each.name, each.doc)),
            ),
        ),
    ] {
        let (begin, end) = (
            format!("<!-- columns of {name} -->\n"),
            format!("<!-- end of {name} -->"),
        );
        let from = text.find(&begin).unwrap() + begin.len();
        let to = text.find(&end).unwrap();
        text.replace_range(from..to, &table);
    }
    checked_in(path, &text);
}
