use super::*;
use crate::model::{Grade, Identity, IdentityKind, Observed, Report, Run, Summary, Tool};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn identity() -> Identity {
    let mut identity = Identity::named(
        "aws",
        IdentityKind::IamUser,
        "ci-Deploy",
        "arn:aws:iam::111122223333:user/ci-Deploy",
        Grade::A,
    );
    identity.account = Some("111122223333".into());
    identity.created_at = Some("2025-01-01T00:00:00Z".parse().unwrap());
    identity.privilege.tier = 4;
    identity
        .tags
        .insert("Team".into(), "payments platform".into());
    identity
}

fn passes(filter: &str) -> bool {
    let brief = brief(identity());
    let query = Query::parse(filter).unwrap_or_else(|error| panic!("{error}"));
    query
        .ask(&brief)
        .passes(&Subject::identity(&brief, None, 0))
}

fn brief(identity: Identity) -> Brief {
    Brief::of(&Report {
        schema: String::new(),
        tool: Tool {
            name: String::new(),
            version: String::new(),
        },
        run: Run {
            id: String::new(),
            now: "2026-11-01T00:00:00Z".parse().unwrap(),
            inputs: Vec::new(),
            rules_digest: String::new(),
            policy_digest: String::new(),
            fingerprint_key: String::new(),
            complete: true,
        },
        coverage: Vec::new(),
        summary: Summary::default(),
        identities: vec![identity],
        credentials: Vec::new(),
        grants: Vec::new(),
        consumers: Vec::new(),
        roles: Vec::new(),
        bindings: Vec::new(),
        capabilities: Vec::new(),
        observed: Observed::default(),
        edits: Vec::new(),
        origins: BTreeMap::new(),
        findings: Vec::new(),
        assessments: Vec::new(),
        plan: Vec::new(),
        changes: None,
    })
}

#[test]
fn conditions_hold_together() {
    for filter in [
        "",
        "  ",
        "owner:none type:iam-user age:>365 provider:aws",
        "deploy",
        "name:ci-*",
        "NAME:*DEPLOY",
        "type:iam-*",
        "type:iam-role,iam-user",
        "account:any",
        "age:>1y age:<3y",
        "age:>=669d age:<=669",
        "tier:4",
        "tier:>=4 -tier:5",
        "-owner:any",
        "!owner:any",
        "not owner:any and human:no",
        "(type:iam-role or type:iam-user) tier:>3",
        "type:iam-role | tier:4",
        "tag:team=\"payments platform\"",
        "tag:TEAM=pay*",
        "tag:team",
        "risk:none",
        "\"ci-deploy\"",
    ] {
        assert!(passes(filter), "{filter}");
    }
    for filter in [
        "owner:x",
        "owner:any",
        "type:iam",
        "age:<365",
        "tier:>4",
        "tag:team=payments",
        "tag:other",
        "tag:other=any",
        "risk:critical",
        "risk:>1",
        "expires:<10",
        "not (tier:4 or tier:5)",
        "type:iam-user type:iam-role",
        "name:[ci]*",
    ] {
        assert!(!passes(filter), "{filter}");
    }
}

#[test]
fn errors_point_at_the_place() {
    let shown: Vec<String> = [
        "type:iam-user ownr:none",
        "owner:none colour:red",
        "age:old",
        "age:>ten",
        "owner:>3",
        "severity:terrible",
        "type:",
        "(type:x",
        "type:x)",
        "type:x or",
        "or type:x",
        "name:\"x",
        "type:iam-user,,iam-role",
        "é owner:",
        "tag:=x",
        "not",
    ]
    .into_iter()
    .map(|filter| Query::parse(filter).unwrap_err().to_string())
    .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    there is no field `ownr`; did you mean `owner`?
      type:iam-user ownr:none
                    ^^^^
    there is no field `colour`; there are name, id, type, provider, account, environment, owner, owner-source, purpose, human, admin, tier, class, consumer, runtime, repository, path, credential, storage, status, age, idle, expires, risk, fit, disposition, wave, finding, severity, control, grade, break-glass, declared, note, risky and tag
      owner:none colour:red
                 ^^^^^^
    `age` is compared with a number, such as age:>90
      age:old
          ^^^
    `ten` is no number of days; 90, 12w and 1y are
      age:>ten
          ^^^^
    `owner` holds words, which `>` cannot compare
      owner:>3
            ^^
    `severity` is one of critical, high, medium, low, info
      severity:terrible
               ^^^^^^^^
    `type:` needs a value; none and any are values too
      type:
           ^
    this bracket was never closed
      (type:x
      ^
    this bracket was never opened
      type:x)
            ^
    a condition is missing here, such as owner:none
      type:x or
               ^
    a condition is missing here, such as owner:none
      or type:x
      ^^
    this quote was never closed
      name:"x
           ^^
    `type:` needs a value; none and any are values too
      type:iam-user,,iam-role
                    ^
    `owner:` needs a value; none and any are values too
      é owner:
              ^
    a tag needs a key: tag:team or tag:team=payments
      tag:=x
      ^^^
    a condition is missing here, such as owner:none
      not
         ^
    "#);
}

#[test]
fn every_field_has_a_name_of_its_own_and_is_explained() {
    let mut names: Vec<&str> = FIELDS
        .iter()
        .flat_map(|field| std::iter::once(&field.name).chain(field.aliases))
        .copied()
        .collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(FIELDS.iter().all(|field| !field.about.is_empty()));
    let page = include_str!("../../docs/inventory.md");
    for line in help().lines() {
        let (name, about) = line.trim().split_once(' ').unwrap();
        let row = format!("| `{name}` | {} |", about.trim());
        assert!(page.contains(&row), "docs/inventory.md lacks {row}");
    }
}

fn condition() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("owner:none".to_owned()),
        Just("tier:>=4".to_owned()),
        Just("type:iam-role".to_owned()),
        Just("deploy".to_owned()),
        Just("age:<10".to_owned()),
    ]
}

proptest! {
    #[test]
    fn any_text_is_a_filter_or_an_error_with_a_place(text in "([a-z]{1,6}|:|,|\"|\\(|\\)|\\||or|not|-|>|<|=|[0-9]|\\*|\\[|\\\\|é| ){0,24}") {
        if let Err(error) = Query::parse(&text) {
            prop_assert!(error.at <= text.chars().count());
            prop_assert!(!error.message.is_empty());
        }
    }

    #[test]
    fn order_and_brackets_change_nothing(left in condition(), right in condition()) {
        prop_assert_eq!(passes(&format!("{left} {right}")), passes(&format!("{right} and ({left})")));
        prop_assert_eq!(passes(&format!("{left} or {right}")), passes(&format!("({right}) | {left}")));
    }

    #[test]
    fn a_condition_turned_twice_is_itself(left in condition(), right in condition()) {
        prop_assert_eq!(passes(&left), passes(&format!("not not {left}")));
        prop_assert_eq!(passes(&left), !passes(&format!("-{left}")));
        prop_assert_eq!(
            passes(&format!("not ({left} or {right})")),
            passes(&format!("-{left} -{right}"))
        );
    }

    #[test]
    fn numbers_are_ordered(bound in -2000i64..2000) {
        let above = passes(&format!("age:>{bound}"));
        prop_assert_eq!(above, !passes(&format!("age:<={bound}")));
        prop_assert_eq!(above, bound < 669);
    }
}

proptest! {
    #[test]
    fn words_are_found_in_any_case(text in "[a-cA-CÄäİßé]{0,8}", part in "[a-cA-CÄäß]{0,3}") {
        let part = part.to_lowercase();
        prop_assert_eq!(part_of(&part, &text), text.to_lowercase().contains(&part));
        prop_assert_eq!(is_word(&part, &text), text.to_lowercase() == part);
    }
}
