use super::*;

fn event(decision: Decision) -> Event {
    Event {
        at: "2026-11-01T10:00:00Z".parse().unwrap(),
        actor: "dana".into(),
        scope: Scope::Finding(FindingId::of(&["x"])),
        decision,
        reason: "rotated\nyesterday".into(),
        expires: Some("2027-01-31".parse().unwrap()),
        ticket: Some("SEC-12".into()),
        after: None,
        run: None,
        evidence: None,
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
