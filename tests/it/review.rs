//! The review, driven by actions and drawn without a terminal.

use crate::samples::settle;
use overstay::model::{Renames, Report};
use overstay::store::decisions::{Decision, Decisions, Event, Recorded, shares};
use overstay::tui::action::Action;
use overstay::tui::data::Item;
use overstay::tui::keymap::Keymap;
use overstay::tui::list;
use overstay::tui::mode::{Mode, View};
use overstay::tui::reduce::reduce;
use overstay::tui::state::{Effect, Settings, State};
use overstay::tui::view;
use overstay::tui::{Draft, Recording};
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

/// The demo's report. Its run id follows the digest of the rules, which is nothing to see here.
static REPORT: LazyLock<Report> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/demo/report.json");
    let mut report: Report = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    "20261101T000000Z-demo".clone_into(&mut report.run.id);
    report
});

pub(crate) fn settings() -> Settings {
    Settings {
        keymap: Keymap::default(),
        read_only: false,
        actor: "dana".into(),
        today: jiff::civil::date(2026, 11, 1),
        reasons: BTreeMap::from([("false-positive".into(), vec!["test data".into()])]),
        views: Vec::new(),
        trend: vec![900, 860, 870, 640],
        renames: Renames::default(),
        reviewed: None,
    }
}

fn opened() -> State<'static> {
    State::new(&REPORT, None, Decisions::default(), settings())
}

/// Does an action and everything it asks to be done, as the terminal does.
fn act(state: &mut State<'_>, action: Action) -> Vec<Effect> {
    let effects = reduce(state, action);
    for effect in &effects {
        if let Effect::Record(drafts) = effect {
            let second = state.data.ledger.events().len();
            state.recorded(Recording {
                anew: None,
                made: stamped(drafts, second),
            });
        }
    }
    effects
}

fn stamped(drafts: &[Draft], second: usize) -> Vec<Recorded> {
    let at = jiff::Timestamp::from_second(1_793_000_000 + second as i64).unwrap();
    let events = drafts.iter().flat_map(|draft| {
        let shares = shares(draft.scopes.clone(), |_| Vec::new());
        shares.into_iter().map(|share| {
            Recorded::of(Event {
                at,
                actor: "dana".into(),
                scope: share.subjects,
                decision: draft.decision.clone(),
                reason: draft.reason.clone(),
                expires: draft.expires,
                ticket: draft.ticket.clone(),
                after: None,
                run: None,
                evidence: None,
                undoes: draft.undoes.clone(),
            })
        })
    });
    events.collect()
}

fn type_in(state: &mut State<'_>, text: &str) {
    for letter in text.chars() {
        act(state, Action::Type(letter));
    }
}

fn drawn(state: &mut State<'_>, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| view::draw(state, frame)).unwrap();
    terminal.backend().buffer().clone()
}

pub(crate) fn frame(state: &mut State<'_>, width: u16, height: u16) -> String {
    let buffer = drawn(state, width, height);
    let mut text = String::new();
    for row in 0..height {
        let line: String = (0..width)
            .map(|column| buffer[(column, row)].symbol())
            .collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn rows(state: &State<'_>) -> usize {
    state.list().map_or(0, |list| list.passing().0.len())
}

#[test]
fn the_pictures_of_the_review_are_what_it_draws() {
    let mut stale = Vec::new();
    for (width, height) in [(80, 24), (120, 40), (200, 50)] {
        let mut state = opened();
        let mut picture = |state: &mut State<'_>, name: &str| {
            let text = frame(state, width, height);
            let file = format!("review-{name}{width}x{height}.txt");
            settle(&file, text.as_bytes(), &mut stale);
        };
        picture(&mut state, "start-");
        act(&mut state, Action::View(1));
        picture(&mut state, "");
        act(&mut state, Action::NextUndecided);
        act(&mut state, Action::Open);
        picture(&mut state, "detail-");
        act(&mut state, Action::AcceptRisk);
        picture(&mut state, "decide-");
    }
    let mut state = opened();
    act(&mut state, Action::View(1));
    act(&mut state, Action::Down);
    let svg = crate::picture::svg(&drawn(&mut state, 180, 40), "overstay review");
    settle("review.svg", svg.as_bytes(), &mut stale);
    assert!(
        stale.is_empty(),
        "out of date: {stale:?}; look at the change, then UPDATE=1 cargo test --test it review"
    );
}

#[test]
fn a_filter_narrows_the_rows_and_says_what_is_wrong_with_it() {
    let mut state = opened();
    act(&mut state, Action::View(1));
    let all = rows(&state);
    act(&mut state, Action::Filter);
    type_in(&mut state, "severity:critical -owner:none");
    let some = rows(&state);
    assert!(some > 0 && some < all, "{some} of {all}");
    type_in(&mut state, " age:");
    let kept = rows(&state);
    type_in(&mut state, "soon");
    assert_eq!(rows(&state), kept);
    assert!(frame(&mut state, 100, 24).contains("age"));
    act(&mut state, Action::Accept);
    assert_eq!(
        state.mode,
        Mode::Filter,
        "a filter that cannot be read is not kept"
    );
    act(&mut state, Action::Cancel);
    assert_eq!((rows(&state), state.mode), (all, Mode::List));
}

#[test]
fn filters_are_completed() {
    let mut state = opened();
    act(&mut state, Action::View(1));
    act(&mut state, Action::Filter);
    type_in(&mut state, "sever");
    act(&mut state, Action::Complete);
    assert_eq!(state.line.text, "severity:");
    type_in(&mut state, "cr");
    act(&mut state, Action::Complete);
    assert_eq!(state.line.text, "severity:critical");
    assert!(rows(&state) > 0);
}

#[test]
fn every_row_of_every_view_opens_a_page_and_leads_on_and_back() {
    for (number, view) in (0_u8..).zip(View::ALL).skip(1) {
        let mut state = opened();
        act(&mut state, Action::View(number));
        act(&mut state, Action::GroupBy(0));
        let count = state.list().unwrap().rows().len();
        for at in 0..count {
            act(&mut state, Action::Open);
            let page = state.page.as_ref().unwrap();
            assert!(!page.lines.is_empty(), "{} {at}", view.title());
            let item = page.item;
            act(&mut state, Action::Related);
            if state.mode == Mode::Menu {
                act(&mut state, Action::Accept);
                assert_ne!(state.page.as_ref().unwrap().item, item);
                act(&mut state, Action::Return);
                assert_eq!(state.page.as_ref().unwrap().item, item);
            }
            act(&mut state, Action::Back);
            act(&mut state, Action::Down);
        }
    }
}

#[test]
fn a_risk_is_accepted_with_a_reason_and_a_day_and_taken_back() {
    let mut state = opened();
    act(&mut state, Action::NextUndecided);
    let item = state.item().unwrap();
    act(&mut state, Action::AcceptRisk);
    act(&mut state, Action::Accept);
    assert!(frame(&mut state, 80, 24).contains("reason is needed"));
    type_in(&mut state, "behind the bastion");
    act(&mut state, Action::NextField);
    act(&mut state, Action::EraseWord);
    type_in(&mut state, "yesterday");
    act(&mut state, Action::Accept);
    assert!(frame(&mut state, 80, 24).contains("a day is"));
    act(&mut state, Action::EraseWord);
    type_in(&mut state, "30d");
    let effects = act(&mut state, Action::Accept);
    let [Effect::Record(drafts)] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    assert_eq!(drafts[0].decision, Decision::AcceptRisk);
    assert_eq!(drafts[0].expires.unwrap().to_string(), "2026-12-01");
    let undecided = |state: &State<'_>| list::is_undecided(&state.data, item);
    assert!(!undecided(&state));
    act(&mut state, Action::Undo);
    assert!(undecided(&state));
    act(&mut state, Action::Redo);
    let finding = state.data.finding(item).unwrap();
    let said = state.data.ledger.history(&state.data.brief, finding);
    assert_eq!(said.last().unwrap().reason, "behind the bastion");
}

#[test]
fn many_are_decided_at_once_after_a_question_and_undone_at_once() {
    let mut state = opened();
    act(&mut state, Action::View(1));
    act(&mut state, Action::MarkAll);
    let all = rows(&state);
    act(&mut state, Action::FalsePositive);
    act(&mut state, Action::Complete);
    act(&mut state, Action::Accept);
    assert_eq!(state.mode, Mode::Confirm);
    assert!(frame(&mut state, 100, 24).contains(&format!("{all} findings?")));
    act(&mut state, Action::Cancel);
    assert_eq!(state.data.ledger.events().len(), 0);
    act(&mut state, Action::Repeat);
    act(&mut state, Action::Accept);
    let events = state.data.ledger.events();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].event.scope.count(), all);
    assert_eq!(events[0].event.reason, "test data");
    act(&mut state, Action::NextUndecided);
    assert!(frame(&mut state, 100, 24).contains("nothing in these rows is undecided"));
    act(&mut state, Action::Undo);
    assert!(all_undecided(&state));
}

fn all_undecided(state: &State<'_>) -> bool {
    let mut findings = state.data.items(View::Findings).into_iter();
    findings.all(|item| match item {
        Item::Finding(at) => state.data.ledger.is_undecided(at),
        _ => false,
    })
}

#[test]
fn what_is_decided_has_a_sign_beside_its_colour() {
    let mut state = opened();
    act(&mut state, Action::View(1));
    let signs = |state: &mut State<'_>| frame(state, 80, 24).matches('✓').count();
    assert_eq!(signs(&mut state), 0);
    act(&mut state, Action::FoldAll);
    act(&mut state, Action::Down);
    act(&mut state, Action::FalsePositive);
    act(&mut state, Action::Complete);
    act(&mut state, Action::Accept);
    assert_eq!(signs(&mut state), 1);
}

#[test]
fn a_word_that_is_not_typed_out_takes_no_rows_away() {
    let mut state = opened();
    act(&mut state, Action::View(1));
    let all = rows(&state);
    act(&mut state, Action::Filter);
    type_in(&mut state, "sev:crit");
    assert_eq!(rows(&state), all);
    type_in(&mut state, "ical");
    let critical = rows(&state);
    assert!(critical > 0 && critical < all);
    type_in(&mut state, " age:>");
    assert_eq!(rows(&state), critical);
}

#[test]
fn undo_goes_on_where_the_last_review_ended() {
    let mut first = opened();
    act(&mut first, Action::NextUndecided);
    act(&mut first, Action::Remediate);
    type_in(&mut first, "rotating");
    act(&mut first, Action::Accept);
    let decisions = Decisions {
        events: first.data.ledger.events().to_vec(),
        bad: Vec::new(),
    };
    let mut second = State::new(&REPORT, None, decisions, settings());
    act(&mut second, Action::Undo);
    assert!(!all_undecided(&first) && all_undecided(&second));
}

#[test]
fn undo_and_redo_go_on_across_reviews_and_give_back_what_stood() {
    let again = |state: &State<'_>| {
        let decisions = Decisions {
            events: state.data.ledger.events().to_vec(),
            bad: Vec::new(),
        };
        State::new(&REPORT, None, decisions, settings())
    };
    let said = |state: &State<'_>| -> Vec<&'static str> {
        let said = state.data.ledger.said().iter();
        said.map(|said| said.word).collect()
    };
    let mut state = opened();
    act(&mut state, Action::NextUndecided);
    act(&mut state, Action::Remediate);
    type_in(&mut state, "rotating");
    act(&mut state, Action::Accept);
    let first = said(&state);
    act(&mut state, Action::MarkAll);
    act(&mut state, Action::FalsePositive);
    type_in(&mut state, "test data");
    act(&mut state, Action::Accept);
    act(&mut state, Action::Accept);
    let second = said(&state);
    assert!(second.iter().all(|word| *word == "false-positive"));
    let mut state = again(&state);
    act(&mut state, Action::Undo);
    assert_eq!(said(&state), first);
    // What was undone is not undone again, and can be done again.
    let mut state = again(&state);
    act(&mut state, Action::Redo);
    assert_eq!(said(&state), second);
    let mut state = again(&state);
    act(&mut state, Action::Undo);
    act(&mut state, Action::Undo);
    assert!(all_undecided(&state));
    let mut state = again(&state);
    assert!(act(&mut state, Action::Undo).is_empty());
    act(&mut state, Action::Redo);
    assert_eq!(said(&state), first);
    act(&mut state, Action::Redo);
    assert_eq!(said(&state), second);
}

#[test]
fn a_review_that_is_only_read_decides_nothing() {
    let settings = Settings {
        read_only: true,
        ..settings()
    };
    let mut state = State::new(&REPORT, None, Decisions::default(), settings);
    act(&mut state, Action::View(1));
    for action in [
        Action::AcceptRisk,
        Action::Undo,
        Action::Repeat,
        Action::Owner,
    ] {
        assert_eq!(act(&mut state, action), []);
        assert_eq!(state.mode, Mode::List);
    }
    act(&mut state, Action::Help);
    assert!(!frame(&mut state, 100, 60).contains("accept the risk"));
}

#[test]
fn the_table_of_keys_is_the_one_in_the_documentation() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/review.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once("<!-- keys -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- /keys -->").unwrap();
    let table = Keymap::default().markdown();
    let wanted = format!("{before}<!-- keys -->\n{table}<!-- /keys -->{after}");
    #[expect(clippy::disallowed_methods, reason = "tests may ask the environment")]
    let update = std::env::var_os("UPDATE").is_some();
    if update {
        std::fs::write(&path, &wanted).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(kept == wanted, "UPDATE=1 cargo test --test it review");
}

#[test]
fn a_menu_that_is_opened_from_a_menu_takes_its_place() {
    for row in 0..80 {
        let mut state = opened();
        act(&mut state, Action::Palette);
        act(&mut state, Action::Palette);
        for _ in 0..row {
            act(&mut state, Action::Down);
        }
        act(&mut state, Action::Accept);
        frame(&mut state, 80, 24);
    }
    for over in [Action::Palette, Action::Help] {
        let mut state = opened();
        let before = state.mode;
        for action in [Action::Palette, over, Action::Palette, Action::Cancel] {
            act(&mut state, action);
        }
        assert_eq!(state.mode, before);
    }
}

fn any_action() -> impl Strategy<Value = Action> {
    let plain: Vec<Action> = Keymap::default()
        .bindings
        .iter()
        .map(|binding| binding.action)
        .filter(|action| *action != Action::Quit)
        .collect();
    prop_oneof![
        8 => prop::sample::select(plain),
        2 => prop::sample::select(vec!['a', '1', ':', '"', ' ', 's', '9', 'd', 'é', '(']).prop_map(Action::Type),
        1 => (0_u16..200, 0_u16..60).prop_map(|(column, row)| Action::Click(column, row)),
        1 => any::<bool>().prop_map(Action::Wheel),
        1 => (0_u8..9).prop_map(Action::SortBy),
        1 => (0_u8..9).prop_map(Action::GroupBy),
        1 => (0_u16..9).prop_map(Action::Facet),
        1 => (0_u16..9).prop_map(Action::Jump),
        1 => (0_u16..3).prop_map(Action::SavedView),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_sequence_of_actions_loses_the_selection(actions in proptest::collection::vec(any_action(), 0..60), width in 1_u16..130, height in 1_u16..50) {
        let mut state = opened();
        for action in &actions {
            act(&mut state, *action);
            if let Some(list) = state.list() {
                prop_assert!(list.rows().is_empty() || list.selected() < list.rows().len());
            }
            if let Some(page) = &state.page {
                prop_assert!(page.scroll == 0 || page.scroll < page.lines.len());
            }
            frame(&mut state, width, height);
        }
        // Whatever was decided can be taken back, one after the other.
        state.mode = Mode::List;
        for _ in 0..200 {
            act(&mut state, Action::Undo);
        }
        prop_assert!(all_undecided(&state));
    }
}
