//! The review, driven by actions and drawn without a terminal.

use crate::samples::settle;
use overstay::model::Report;
use overstay::tui::action::Action;
use overstay::tui::reduce::reduce;
use overstay::tui::state::{Mode, State, View};
use overstay::tui::view;
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::path::Path;
use std::sync::LazyLock;

/// The demo's report. Its run id follows the digest of the rules, which is nothing to see here.
static REPORT: LazyLock<Report> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/demo/report.json");
    let mut report: Report = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    "20261101T000000Z-demo".clone_into(&mut report.run.id);
    report
});

fn frame(state: &mut State, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| view::draw(state, frame)).unwrap();
    let buffer = terminal.backend().buffer().clone();
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

#[test]
fn the_pictures_of_the_review_are_what_it_draws() {
    let mut stale = Vec::new();
    for (width, height) in [(80, 24), (120, 40), (200, 50)] {
        let mut state = State::new(REPORT.clone());
        settle(
            &format!("review-{width}x{height}.txt"),
            frame(&mut state, width, height).as_bytes(),
            &mut stale,
        );
        reduce(&mut state, &Action::Open);
        let detail = frame(&mut state, width, height);
        settle(
            &format!("review-detail-{width}x{height}.txt"),
            detail.as_bytes(),
            &mut stale,
        );
    }
    assert!(
        stale.is_empty(),
        "out of date: {stale:?}; look at the change, then UPDATE=1 cargo test --test it review"
    );
}

#[test]
fn a_filter_keeps_the_rows_that_hold_every_word() {
    let mut state = State::new(REPORT.clone());
    let all = state.visible.len();
    reduce(&mut state, &Action::Filter);
    for letter in "OWNER agent".chars() {
        reduce(&mut state, &Action::Type(letter));
    }
    assert!(!state.visible.is_empty() && state.visible.len() < all);
    assert!(
        state
            .visible
            .iter()
            .all(|at| state.rows[*at].text.contains("owner")
                && state.rows[*at].text.contains("agent"))
    );
    reduce(&mut state, &Action::Back);
    assert_eq!((state.visible.len(), state.mode), (all, Mode::List));
}

#[test]
fn every_row_of_every_view_opens_a_page() {
    for view in View::ALL {
        let mut state = State::new(REPORT.clone());
        state.show(view);
        for at in 0..state.visible.len() {
            state.selected = at;
            reduce(&mut state, &Action::Open);
            assert!(!state.detail.is_empty(), "{} {at}", view.title());
            reduce(&mut state, &Action::Back);
        }
    }
}

fn any_action() -> impl Strategy<Value = Action> {
    prop_oneof![
        Just(Action::Down),
        Just(Action::Up),
        Just(Action::PageDown),
        Just(Action::PageUp),
        Just(Action::First),
        Just(Action::Last),
        Just(Action::NextView),
        Just(Action::PreviousView),
        any::<u8>().prop_map(Action::View),
        Just(Action::Open),
        Just(Action::Back),
        Just(Action::Filter),
        any::<char>().prop_map(Action::Type),
        Just(Action::Erase),
        Just(Action::Accept),
        Just(Action::Help),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_sequence_of_actions_loses_the_selection(actions in proptest::collection::vec(any_action(), 0..40), width in 1_u16..130, height in 1_u16..50) {
        let mut state = State::new(REPORT.clone());
        for action in &actions {
            reduce(&mut state, action);
            prop_assert!(state.visible.is_empty() || state.selected < state.visible.len());
            prop_assert!(state.scroll == 0 || state.scroll < state.detail.len());
        }
        frame(&mut state, width, height);
    }
}
