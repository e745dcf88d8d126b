use super::log::{LONGEST_LINE, recorded};
use super::*;
use crate::model::{Disposition, FindingId};
use crate::store::atomic;

fn event(decision: Decision) -> Event {
    Event {
        at: "2026-11-01T10:00:00Z".parse().unwrap(),
        actor: "dana".into(),
        scope: Scope::Finding(FindingId::of(&["x"])).into(),
        decision,
        reason: "rotated\nyesterday".into(),
        expires: Some("2027-01-31".parse().unwrap()),
        ticket: Some("SEC-12".into()),
        after: None,
        run: None,
        evidence: None,
        undoes: None,
    }
}

fn all() -> Vec<Event> {
    [
        Decision::AcceptRisk,
        Decision::FalsePositive,
        Decision::Remediate,
        Decision::Defer,
        Decision::Owner {
            owner: "platform".into(),
        },
        Decision::Purpose {
            purpose: "nightly export".into(),
        },
        Decision::BreakGlass { confirmed: true },
        Decision::Disposition {
            disposition: Disposition::KeepStanding,
        },
        Decision::Reopen,
    ]
    .map(event)
    .into()
}

#[test]
fn events_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/decisions.jsonl");
    assert_eq!(read(&path).unwrap(), Decisions::default());
    for event in all() {
        append(&path, &event).unwrap();
    }
    let found = read(&path).unwrap();
    assert_eq!(found.events.len(), all().len());
    for event in all() {
        assert!(found.events.iter().any(|one| one.event == event));
    }
    assert_eq!(found.bad, []);
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), all().len());
    insta::assert_snapshot!(text.lines().nth(4).unwrap(), @r#"{"at":"2026-11-01T10:00:00Z","actor":"dana","scope":{"finding":"f-62f927a1d3d0ff98"},"decision":"owner","owner":"platform","reason":"rotated\nyesterday","expires":"2027-01-31","ticket":"SEC-12"}"#);
}

#[test]
fn a_bad_line_is_numbered_and_the_rest_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let good = serde_json::to_string(&event(Decision::Defer)).unwrap();
    let long = "x".repeat(LONGEST_LINE + 10);
    let other = serde_json::to_string(&event(Decision::Remediate)).unwrap();
    let text = format!("{good}\nnonsense\n\n{long}\n\u{0}\n{other}\n{{\"at\":");
    atomic::write(&path, text.as_bytes()).unwrap();
    let found = read(&path).unwrap();
    assert_eq!(found.events.len(), 2);
    let lines: Vec<_> = found.bad.iter().map(|bad| bad.line).collect();
    assert_eq!(lines, [2, 4, 5, 7]);
    append(&path, &event(Decision::Reopen)).unwrap();
    assert_eq!(read(&path).unwrap().events.len(), 3);
}

#[test]
fn an_id_is_that_of_everything_an_event_says_in_any_order() {
    let one = br#"{"at":"2026-11-01T10:00:00Z","actor":"a","scope":{"finding":"f-1"},"decision":"defer","reason":"r"}"#;
    let other = br#"{"reason":"r", "decision":"defer","scope":{"finding":"f-1"},"actor":"a","at":"2026-11-01T10:00:00Z"}"#;
    let id = |line: &[u8]| recorded(line).unwrap().id;
    assert_eq!(id(one), id(other));
    let more = String::from_utf8_lossy(one).replace("\"r\"}", "\"r\",\"note\":1}");
    assert_ne!(
        id(one),
        id(more.as_bytes()),
        "also of what this version does not know"
    );
    let altered = String::from_utf8_lossy(one).replace("\"r\"", "\"s\"");
    assert_ne!(id(one), id(altered.as_bytes()));
}

fn many(count: usize) -> Vec<Scope> {
    (0..count)
        .map(|at| Scope::Finding(FindingId::of(&[&at.to_string()])))
        .collect()
}

fn about(subjects: Subjects, after: Vec<String>, second: i64) -> Recorded {
    Recorded::of(Event {
        at: jiff::Timestamp::from_second(second).unwrap(),
        scope: subjects,
        after: Some(after),
        ..event(Decision::FalsePositive)
    })
}

#[test]
fn many_that_are_decided_about_together_are_few_lines_and_each_is_decided() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let (mut log, _) = Log::open(&path).unwrap();
    let mut scopes = many(5000);
    scopes.push(Scope::Credential(crate::model::CredentialId::of(&["c"])));
    let shares = shares(scopes.clone(), |_| Vec::new());
    let events: Vec<Event> = shares
        .into_iter()
        .map(|share| about(share.subjects, share.after, 1).event)
        .collect();
    log.append(&events).unwrap();
    assert!(log.changed().unwrap().is_none());
    let found = read(&path).unwrap();
    assert_eq!((found.events.len(), found.bad.len()), (4, 0));
    let standing = Standing::of(found);
    for scope in &scopes {
        assert_eq!(standing.heads(scope, Topic::Verdict).len(), 1, "{scope}");
    }
    append(&path, &event(Decision::Reopen)).unwrap();
    assert_eq!(log.changed().unwrap().unwrap().events.len(), 5);
    assert!(log.changed().unwrap().is_none());
}

#[test]
fn what_is_known_of_many_takes_part_in_the_length_of_a_line() {
    let known = |scope: &Scope| vec![format!("e-{}", scope.id()), format!("x-{}", scope.id())];
    let shares = shares(many(3000), known);
    let longest = shares.into_iter().map(|share| {
        let one = about(share.subjects, share.after, 1);
        serde_json::to_string(&one.event).unwrap().len()
    });
    assert!(longest.max().unwrap() < LONGEST_LINE);
}

#[test]
fn a_decision_on_one_takes_it_out_of_many_and_those_who_did_not_know_disagree() {
    let scopes = many(3);
    let all = Subjects::Many(Many::Findings(
        (0..3).map(|at| FindingId::of(&[&at.to_string()])).collect(),
    ));
    let bulk = about(all, Vec::new(), 1);
    let one = Recorded::of(Event {
        at: jiff::Timestamp::from_second(2).unwrap(),
        scope: scopes[1].clone().into(),
        after: Some(vec![bulk.id.clone()]),
        ..event(Decision::Remediate)
    });
    let other = Recorded::of(Event {
        at: jiff::Timestamp::from_second(3).unwrap(),
        scope: scopes[2].clone().into(),
        after: Some(Vec::new()),
        ..event(Decision::Remediate)
    });
    let standing = Standing::of(Decisions {
        events: vec![bulk, one, other],
        bad: Vec::new(),
    });
    let told: Vec<String> = scopes
        .iter()
        .map(|scope| {
            let register = standing.register(scope, Topic::Verdict).unwrap();
            match register.held("2026-11-02".parse().unwrap()).unwrap() {
                Held::InForce(one, _) => one.event.decision.as_str().to_owned(),
                Held::Expired(_) => "expired".to_owned(),
                Held::Conflict(_) => "conflict".to_owned(),
            }
        })
        .collect();
    assert_eq!(told, ["false-positive", "remediate", "conflict"]);
    let renames = crate::model::Renames::default();
    let applied = Applied::new(&standing, "2027-02-02".parse().unwrap(), &renames);
    let notes = applied.coverage(&Decisions::default());
    assert!(notes.iter().all(|note| !note.unit.contains("more")));
}

#[test]
fn a_reason_too_long_to_be_read_again_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let long = Event {
        reason: "x".repeat(LONGEST_LINE),
        ..event(Decision::Defer)
    };
    assert!(matches!(append(&path, &long), Err(DecisionError::Long)));
    assert_eq!(read(&path).unwrap(), Decisions::default());
}

#[test]
fn what_is_told_of_many_is_told_once() {
    let standing = Standing::of(Decisions {
        events: vec![about(
            Subjects::Many(Many::Findings(
                (0..40)
                    .map(|at| FindingId::of(&[&at.to_string()]))
                    .collect(),
            )),
            Vec::new(),
            1,
        )],
        bad: Vec::new(),
    });
    let renames = crate::model::Renames::default();
    let applied = Applied::new(&standing, "2026-11-02".parse().unwrap(), &renames);
    let notes = applied.coverage(&Decisions::default());
    assert_eq!(notes.len(), 1);
    assert!(notes[0].unit.ends_with(" and 39 more"), "{}", notes[0].unit);
}
