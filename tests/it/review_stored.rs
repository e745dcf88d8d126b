//! A stored run under review: rows and filters from what is read at once, pages from what is read when they are opened.

use crate::{sample, sample_seen};
use overstay::model::brief::Brief;
use overstay::model::{PlanItemId, Renames, Report};
use overstay::query;
use overstay::rules::config::Config;
use overstay::scan::{self, Measures};
use overstay::sources::Halt;
use overstay::store::change::{Asked, Left};
use overstay::store::decisions::{Decisions, Standing};
use overstay::store::runs::{Runs, Wanted};
use overstay::tui::action::Action;
use overstay::tui::data::{Data, Item};
use overstay::tui::mode::View;
use overstay::tui::reduce::reduce;
use overstay::tui::state::State;
use overstay::tui::{File, Whole};
use std::convert::Infallible;
use std::path::Path;
use std::sync::Mutex;

#[derive(Debug)]
struct Rest {
    brief: Brief,
    folder: tempfile::TempDir,
    page: Mutex<Report>,
    asked: Mutex<Vec<Wanted>>,
}

impl Whole for Rest {
    fn brief(&self) -> &Brief {
        &self.brief
    }

    fn with(&self, wanted: &Wanted, read: &mut dyn FnMut(&Report)) -> Result<(), String> {
        self.asked.lock().unwrap().push(wanted.clone());
        let runs = Runs::open(self.folder.path()).map_err(|error| error.to_string())?;
        let mut page = self.page.lock().unwrap();
        runs.pick(wanted, &mut page)
            .map_err(|error| error.to_string())?;
        read(&page);
        Ok(())
    }

    fn files(&self, wanted: &Wanted, id: &PlanItemId) -> Result<Vec<File>, String> {
        let mut files = Vec::new();
        self.with(wanted, &mut |page| files = made(page, id))?;
        Ok(files)
    }
}

/// The files of an item, made from a report.
fn made(report: &Report, id: &PlanItemId) -> Vec<File> {
    let measures = Measures::load(Config::default()).unwrap();
    let mut report = report.clone();
    report.plan.retain(|item| item.id == *id);
    let files = Mutex::new(Vec::new());
    scan::make_artefacts(
        &mut report,
        &[],
        &measures,
        &Halt::default(),
        |item, made| {
            files
                .lock()
                .unwrap()
                .extend(made.into_iter().map(|one| File {
                    path: format!("{}/{}", item.folder, one.path),
                    about: one.description,
                    text: one.text,
                }));
            Ok::<_, Infallible>(())
        },
    )
    .unwrap();
    files.into_inner().unwrap()
}

#[test]
fn the_files_of_a_plan_are_the_same_on_any_day() {
    for report in reports() {
        let mut later = report.clone();
        later.run.now = "2031-03-03T03:03:03Z".parse().unwrap();
        assert!(!report.plan.is_empty());
        for item in &report.plan {
            assert!(
                made(&report, &item.id) == made(&later, &item.id),
                "{}",
                item.id
            );
        }
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
    let (head, brief) = runs.brief(None).unwrap().unwrap();
    let rest = Rest {
        brief,
        page: Mutex::new(head.clone()),
        folder,
        asked: Mutex::default(),
    };
    (head, rest)
}

#[test]
fn filters_find_the_same_of_a_stored_run() {
    for whole in reports() {
        let (head, rest) = stored(&whole);
        let today = jiff::civil::date(2026, 11, 1);
        let (whole, light) = (
            Data::new(&whole, None, Standing::default(), today, Renames::default()),
            Data::new(
                &head,
                Some(&rest),
                Standing::default(),
                today,
                Renames::default(),
            ),
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
        let (head, rest) = stored(&report);
        let opened = |report, rest| {
            State::new(
                report,
                rest,
                Decisions::default(),
                crate::review::settings(),
            )
        };
        let mut whole = opened(&report, None);
        let mut lazy = opened(&head, Some(&rest as &dyn Whole));
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

#[test]
fn the_page_of_an_item_has_its_files_as_the_scan_wrote_them() {
    let mut seen = 0;
    for report in reports() {
        let (head, rest) = stored(&report);
        let mut state = State::new(
            &head,
            Some(&rest as &dyn Whole),
            Decisions::default(),
            crate::review::settings(),
        );
        reduce(&mut state, Action::View(4));
        for (place, item) in (0..).zip(&report.plan) {
            let files = made(&report, &item.id);
            seen += files.len();
            if files.is_empty() {
                continue;
            }
            reduce(&mut state, Action::View(4));
            state.with_list(|list, _| list.select(Item::Plan(place)));
            reduce(&mut state, Action::Open);
            let page = state.page.as_ref().unwrap();
            let shown: Vec<&str> = page.lines.iter().map(|(_, text)| text.as_str()).collect();
            let wanted: Vec<&str> = files.iter().flat_map(|file| file.text.lines()).collect();
            assert!(wanted.len() > 10);
            let shown: Vec<&str> = shown
                .iter()
                .skip_while(|text| !text.starts_with(&files[0].path))
                .copied()
                .collect();
            for file in &files {
                let head = format!("{}: {}", file.path, file.about);
                let at = shown.iter().position(|text| *text == head);
                let at = at.unwrap_or_else(|| panic!("{head} in {shown:#?}"));
                let text: Vec<&str> = file.text.lines().collect();
                assert_eq!(shown[at + 1..at + 1 + text.len()], text, "{head}");
            }
            reduce(&mut state, Action::Back);
        }
    }
    assert!(seen > 20, "{seen}");
}
