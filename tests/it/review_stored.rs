//! A stored run under review: rows and filters from what is read at once, pages from what is read when they are opened.

use crate::{sample, sample_seen};
use overstay::model::Report;
use overstay::query;
use overstay::store::change::{Asked, Left};
use overstay::store::decisions::Decisions;
use overstay::store::runs::{Runs, Wanted};
use overstay::tui::Whole;
use overstay::tui::action::Action;
use overstay::tui::data::Data;
use overstay::tui::mode::View;
use overstay::tui::reduce::reduce;
use overstay::tui::state::State;
use std::path::Path;
use std::sync::Mutex;

#[derive(Debug)]
struct Rest {
    folder: tempfile::TempDir,
    page: Mutex<Report>,
    asked: Mutex<Vec<Wanted>>,
}

impl Whole for Rest {
    fn with(&self, wanted: &Wanted, read: &mut dyn FnMut(&Report)) -> Result<(), String> {
        self.asked.lock().unwrap().push(wanted.clone());
        let runs = Runs::open(self.folder.path()).map_err(|error| error.to_string())?;
        let mut page = self.page.lock().unwrap();
        runs.pick(wanted, &mut page)
            .map_err(|error| error.to_string())?;
        read(&page);
        Ok(())
    }
}

fn reports() -> Vec<Report> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/demo/report.json");
    let demo = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    vec![demo, sample_seen::complete(sample::report())]
}

fn stored(report: &Report) -> (Report, Rest) {
    let folder = tempfile::tempdir().unwrap();
    let mut runs = Runs::open(folder.path()).unwrap();
    runs.save(report, &Asked::default(), &Left::default())
        .unwrap();
    assert_eq!(runs.latest().unwrap().as_ref(), Some(report));
    assert!(runs.in_parts(&report.run.id).unwrap());
    let light = runs.light(None).unwrap().unwrap();
    let rest = Rest {
        page: Mutex::new(light.head()),
        folder,
        asked: Mutex::default(),
    };
    (light, rest)
}

#[test]
fn filters_find_the_same_of_a_stored_run() {
    for whole in reports() {
        let (light, _) = stored(&whole);
        let today = jiff::civil::date(2026, 11, 1);
        let (whole, light) = (
            Data::new(&whole, None, Decisions::default(), today),
            Data::new(&light, None, Decisions::default(), today),
        );
        let mut told = 0;
        for view in [
            View::Findings,
            View::Identities,
            View::Credentials,
            View::Plan,
        ] {
            for item in whole.items(view) {
                let subjects = (whole.subject(item).unwrap(), light.subject(item).unwrap());
                for field in query::FIELDS {
                    let values = query::values(field.name, &subjects.0);
                    told += values.len();
                    assert_eq!(
                        values,
                        query::values(field.name, &subjects.1),
                        "{} of {item:?}",
                        field.name
                    );
                }
            }
        }
        assert!(told > 100, "{told}");
    }
}

#[test]
fn rows_and_pages_are_the_same_of_a_stored_run() {
    for report in reports() {
        let (light, rest) = stored(&report);
        let opened = |report, rest| {
            State::new(
                report,
                rest,
                Decisions::default(),
                crate::review::settings(),
            )
        };
        let mut whole = opened(&report, None);
        let mut lazy = opened(&light, Some(&rest as &dyn Whole));
        let mut same = |action: Action| {
            let drawn = |state: &mut State<'_>| {
                reduce(state, action);
                crate::review::frame(state, 240, 60)
            };
            assert_eq!(drawn(&mut whole), drawn(&mut lazy), "{action:?}");
        };
        same(Action::Wide);
        for view in 0..=6 {
            same(Action::View(view));
            same(Action::FoldAll);
            for _ in 0..12 {
                same(Action::Down);
                same(Action::Open);
                same(Action::PageDown);
                same(Action::Back);
            }
            same(Action::Reverse);
        }
        assert!(!rest.asked.lock().unwrap().is_empty());
    }
}
