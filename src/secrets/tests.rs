//! The engine as a whole.

use super::matching::unjudged;
use super::*;
use crate::model::{Confidence, FingerprintKey, Moment, SeenCredential};
use crate::rules::credentials::{CredentialRules, Rule, compile, template};
use proptest::prelude::*;
use std::sync::LazyLock;

static RULES: LazyLock<CredentialRules> = LazyLock::new(|| CredentialRules::builtin().unwrap());
static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(&RULES).unwrap());

fn key() -> FingerprintKey {
    FingerprintKey::new([7; 32])
}

fn scan(text: &str) -> Vec<SeenCredential> {
    ENGINE.scan(text.as_bytes(), &key())
}

fn expand(text: &str) -> Result<String, String> {
    template::expand("test", text)
}

fn examples() -> Vec<(&'static Rule, String)> {
    RULES
        .rules()
        .iter()
        .flat_map(|rule| {
            rule.examples
                .iter()
                .map(move |text| (rule.as_ref(), template::expand(&rule.id, text).unwrap()))
        })
        .collect()
}

#[test]
fn the_embedded_rules_do_what_their_examples_say() {
    let problems: Vec<String> = check(&RULES).iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn no_other_rule_takes_an_example_away() {
    let mut taken = Vec::new();
    for (rule, text) in examples() {
        let kinds: Vec<String> = scan(&text).into_iter().map(|seen| seen.kind).collect();
        if !kinds.contains(&rule.credential_type) {
            taken.push(format!("{} found as {kinds:?} in {text}", rule.id));
        }
    }
    assert!(taken.is_empty(), "{}", taken.join("\n"));
}

#[test]
fn a_problem_of_an_example_is_told() {
    let mut rule = RULES.get("github-classic-token").unwrap().clone();
    rule.examples
        .push("ghp_{{text:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx}}".into());
    rule.negative_examples.push("ghp_{{crc32:30:q}}".into());
    let problems: Vec<String> = check(&CredentialRules::of(vec![rule]))
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].contains("no credential") && problems[1].contains("is found"));
}

#[test]
fn an_aws_key_id_and_its_secret_are_one_credential() {
    let id = expand("AKIA{{text:QNZGKIQY56}}{{base32upper:6:z}}").unwrap();
    let secret = expand("{{base64:40:z}}").unwrap();
    let text = format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    let seen = scan(&text);
    assert_eq!(seen.len(), 2, "{seen:#?}");
    for one in &seen {
        assert_eq!(one.public_id.as_deref(), Some(id.as_str()));
        assert_eq!(
            one.fingerprint,
            Some(key().fingerprint("aws-access-key", secret.as_bytes()))
        );
    }
    assert_eq!(seen[0].account.as_deref(), Some("029608264753"));
    assert_eq!((seen[0].sighting.line, seen[0].sighting.column), (2, 21));
    assert_eq!((seen[1].sighting.line, seen[1].sighting.column), (3, 25));
    let on_one_line = scan(&format!(
        "aws_access_key_id={id} aws_secret_access_key={secret}"
    ));
    assert_eq!(on_one_line.len(), 1);
    let ignored = text.replace(
        &id,
        &format!("{id} # overstay:ignore[aws-access-key] a test"),
    );
    assert!(
        scan(&ignored)
            .iter()
            .all(|one| one.sighting.ignored.is_some())
    );
    let alone = scan(&format!("id {id}"));
    assert_eq!(alone[0].fingerprint, None);
    assert_eq!(alone[0].confidence, Confidence::Medium);
}

#[test]
fn neighbouring_aws_keys_keep_their_own_secrets() {
    let pair = |seed: &str| {
        (
            expand(&format!("AKIA{{{{base32upper:16:{seed}}}}}")).unwrap(),
            expand(&format!("{{{{base64:40:{seed}}}}}")).unwrap(),
        )
    };
    let (one, two) = (pair("1"), pair("2"));
    let forward = format!(
        "[a]\nid={}\nkey={}\n[b]\nid={}\nkey={}\n",
        one.0, one.1, two.0, two.1
    );
    let backward = format!("key={}\nid={}\nkey={}\nid={}\n", one.1, one.0, two.1, two.0);
    let of = |secret: &str| Some(key().fingerprint("aws-access-key", secret.as_bytes()));
    for text in [forward, backward] {
        let seen = scan(&text).into_iter();
        let prints: Vec<_> = seen.map(|seen| seen.fingerprint).collect();
        // Each on the lines of both its halves.
        let (one, two) = (of(&one.1), of(&two.1));
        assert_eq!(prints, [one.clone(), one, two.clone(), two]);
    }
}

#[test]
fn every_secret_of_a_list_is_told() {
    let tokens: Vec<String> = (0..5)
        .map(|which| expand(&format!("glpat-{{{{alnum:20:{which}}}}}")).unwrap())
        .collect();
    let named: Vec<String> = (0..5)
        .map(|which| expand(&format!("linkedin_secret={{{{alnum:16:{which}}}}}")).unwrap())
        .collect();
    for (rows, between) in [
        (&tokens, "\n"),
        (&tokens, ","),
        (&tokens, " "),
        (&named, "\n"),
    ] {
        let text = rows.join(between);
        assert_eq!(scan(&text).len(), rows.len(), "{text}");
    }
}

#[test]
fn a_failed_checksum_lowers_the_confidence_and_hides_nothing() {
    let good = scan(&expand("ghp_{{crc32:30:a}}").unwrap());
    let bad = scan(&expand("ghp_{{alnum:36:a}}").unwrap());
    assert_eq!(good[0].confidence, Confidence::High);
    assert_eq!(bad[0].confidence, Confidence::Medium);
    insta::assert_snapshot!(bad[0].confidence_reason, @"matches the github-classic-token rule; its checksum does not hold");
    assert_eq!(good[0].redacted.as_str(), "ghp_********");
}

#[test]
fn every_secret_on_the_line_is_masked_and_nothing_steers_a_terminal() {
    let (one, two) = (
        expand("ghp_{{crc32:30:a}}").unwrap(),
        expand("ghp_{{crc32:30:b}}").unwrap(),
    );
    let text = format!("\u{1b}[31m a={one}\tb={two} password=hunter-two\u{202e}\r\nnext");
    let seen = scan(&text);
    assert_eq!(seen.len(), 2);
    for seen in &seen {
        let context = seen.sighting.context.as_deref().unwrap();
        assert_eq!(
            context,
            "\u{fffd}[31m a=ghp_******** b=ghp_******** password=********"
        );
    }
}

#[test]
fn a_secret_is_not_shown_in_a_second_place_either() {
    let password = expand("{{alnum:9:p}}").unwrap();
    let text = format!("url=mysql://app:{password}@db.corp.net/app # {password}, as ({password})");
    let seen = scan(&text);
    assert_eq!(
        seen[0].sighting.context.as_deref(),
        Some("url=mysql://app:********@db.corp.net/app # ********, as (********)")
    );
    let user = scan(&format!(
        "url=mysql://{password}:{password}@db.corp.net/app"
    ));
    assert!(!format!("{user:?}").contains(&password), "{user:?}");
    // An account id that repeats the token beside it, and another credential that is made of the same characters.
    let body = expand("{{hex:32:a}}").unwrap();
    let text = format!(
        "TWILIO_ACCOUNT_SID=AC{body}\nTWILIO_AUTH_TOKEN={body}\nMAILGUN_API_KEY=key-{body}\n"
    );
    let seen = scan(&text);
    assert!(!seen.is_empty());
    assert!(!format!("{seen:?}").contains(&body), "{seen:?}");
}

#[test]
fn utf16_files_are_seen() {
    let text = expand("x\r\nñ ghp_{{crc32:30:a}}").unwrap();
    let mut bytes = vec![0xff, 0xfe];
    bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    let seen = ENGINE.scan(&bytes, &key());
    assert_eq!((seen[0].sighting.line, seen[0].sighting.column), (2, 3));
    assert_eq!(seen[0].fingerprint, scan(&text)[0].fingerprint);
}

#[test]
fn places_and_expiry_lower_the_confidence_and_say_so() {
    let seen = &scan(&expand("ghp_{{crc32:30:a}}").unwrap())[0];
    assert_eq!(place(seen, "src/main.rs"), *seen);
    let test = place(seen, "pkg/TestData/config.yml");
    assert_eq!(test.confidence, Confidence::Medium);
    assert!(
        test.confidence_reason.ends_with("in a test"),
        "{}",
        test.confidence_reason
    );
    assert_eq!(
        place(seen, "node_modules/x/README.md").confidence,
        Confidence::Low
    );
    let mut old = seen.clone();
    old.expires_at = Some("2026-01-01T00:00:00Z".parse().unwrap());
    let now = Moment::new("2026-11-21T00:00:00Z".parse().unwrap());
    assert_eq!(expire(old, &now).confidence, Confidence::Low);
    assert_eq!(expire(seen.clone(), &now), *seen);
}

/// What the pattern of each rule matches in the whole text, as far as a literal has it inside its window.
fn whole_text(text: &[u8]) -> Vec<(String, usize, usize)> {
    let mut out = Vec::new();
    for rule in RULES.rules() {
        if rule.assignment.is_some() {
            continue;
        }
        let lower = text.to_ascii_lowercase();
        let hits: Vec<(usize, usize)> = rule
            .literals
            .iter()
            .flat_map(|literal| {
                let (text, literal) = if rule.ignore_case {
                    (lower.as_slice(), literal.to_lowercase())
                } else {
                    (text, literal.clone())
                };
                memchr::memmem::find_iter(text, literal.as_bytes())
                    .map(|at| (at, at + literal.len()))
                    .collect::<Vec<_>>()
            })
            .collect();
        let pattern = compile(&rule.pattern).unwrap();
        let mut at = 0;
        while let Some(found) = pattern.captures_at(text, at) {
            let whole = found.get(0).unwrap();
            let inside = hits.iter().any(|(start, end)| {
                whole.start() >= start.saturating_sub(rule.window.before)
                    && whole.end() <= end + rule.window.after
            });
            if inside {
                out.push((rule.id.clone(), whole.start(), whole.end()));
            }
            // One byte behind a secret may be the one before the next.
            let secret = found.name("secret").or_else(|| found.name("id"));
            at = secret
                .map(|secret| secret.end())
                .filter(|end| end + 1 == whole.end())
                .unwrap_or(whole.end())
                .max(at + 1);
        }
    }
    out.sort();
    out
}

/// Whether a match is none that can be told of: such ones need not be found.
pub(super) fn is_futile(rule: &Rule, text: &[u8], start: usize) -> bool {
    let Some(captures) = compile(&rule.pattern).unwrap().captures_at(text, start) else {
        return false;
    };
    let secret = captures.name("secret").map(|secret| secret.as_bytes());
    let mut found = unjudged(0, rule, start..start);
    found.gap = captures.name("gap").map(|gap| gap.range());
    rule.gap.is_some()
        && !secret.is_some_and(|secret| secret.iter().any(u8::is_ascii_digit))
        && !gap::announces(text, &found)
}

#[test]
fn windowed_and_whole_text_matching_agree() {
    let examples = examples();
    proptest!(ProptestConfig::with_cases(60), |(
        picks in proptest::collection::vec((0..examples.len(), "[ -~\n]{0,120}", any::<bool>()), 1..6),
    )| {
        let mut text = String::new();
        for (index, noise, newline) in &picks {
            text.push_str(noise);
            text.push(if *newline { '\n' } else { ' ' });
            text.push_str(&examples[*index].1);
            text.push('\n');
        }
        let text = text.as_bytes();
        let told = |(id, start, _): &(String, usize, usize)| {
            !is_futile(RULES.get(id).unwrap(), text, *start)
        };
        let (mut windowed, mut whole) = (ENGINE.raw_matches(text), whole_text(text));
        windowed.retain(told);
        whole.retain(told);
        prop_assert_eq!(windowed, whole);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn any_bytes_are_scanned(
        parts in proptest::collection::vec((any::<prop::sample::Index>(), proptest::collection::vec(any::<u8>(), 0..60), 0_usize..80), 0..6),
    ) {
        let literals: Vec<&String> = RULES.rules().iter().flat_map(|rule| &rule.literals).collect();
        let all = examples();
        let mut bytes = Vec::new();
        for (pick, noise, cut) in parts {
            bytes.extend_from_slice(pick.get(&literals).as_bytes());
            bytes.extend_from_slice(&noise);
            let example = pick.get(&all).1.as_bytes();
            bytes.extend_from_slice(&example[..example.len().saturating_sub(cut)]);
        }
        for seen in ENGINE.scan(&bytes, &key()) {
            prop_assert!(seen.sighting.line >= 1 && seen.sighting.column >= 1);
        }
    }

    #[test]
    fn no_secret_is_shown(
        picks in proptest::collection::vec(any::<prop::sample::Index>(), 1..4),
        between in prop::sample::select(vec![" ; ", "\n", "", "\"", "=", "/", ":"]),
        again in any::<bool>(),
    ) {
        let all = examples();
        let text: Vec<&str> = picks.iter().map(|pick| pick.get(&all).1.as_str()).collect();
        let mut text = text.join(between);
        if again {
            text = [text.as_str(), text.as_str()].join(between);
        }
        let found = ENGINE.secrets(text.as_bytes());
        let all = scan(&text);
        // What an exact rule knows to be public is no secret, whatever name it is assigned to.
        let is_public = |secret: &str| all.iter().any(|seen| seen.public_id.as_deref() == Some(secret));
        for seen in &all {
            let shown = format!("{seen:?}");
            for (secret, prefix) in &found {
                let secret = String::from_utf8_lossy(secret);
                if is_public(&secret) {
                    continue;
                }
                let body = secret.get(prefix.len()..).unwrap_or(&secret);
                prop_assert!(body.len() < 8 || !shown.contains(body), "{} in {}", body, shown);
            }
        }
    }
}

/// What one document may hold is told up to a number, and what is beyond it is not passed over in silence.
#[test]
fn more_than_is_told_of_is_said() {
    let one = |text: &str| ENGINE.scan_all(text.as_bytes(), &key());
    let tokens: String = (0..10_050)
        .map(|at| expand(&format!("ghp_{{{{crc32:30:{at}}}}}\n")).unwrap())
        .collect();
    let all = one(&tokens);
    assert!(all.more);
    assert_eq!(all.seen.len(), 10_000);
    let half = one(&tokens[..tokens.len() / 2]);
    assert!(!half.more);
    assert!((5_000..=5_025).contains(&half.seen.len()));
}
