//! The whole state of the review.

use super::action::Action;
use super::data::{Data, Item, Whole};
use super::form::{Form, Input};
use super::history::History;
use super::keymap::Keymap;
use super::ledger::Ledger;
use super::list::List;
use super::menu::Menu;
use super::mode::{Mode, View};
use super::page::Page;
use super::progress::Progress;
use super::verdict::{Draft, Verdict};
use crate::model::{Renames, Report};
use crate::store::decisions::{Decisions, Recorded, Standing};
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// What the review is opened with beside the run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The keys.
    pub keymap: Keymap,
    /// Nothing is decided.
    pub read_only: bool,
    /// Who decides.
    pub actor: String,
    /// Today.
    pub today: Date,
    /// Reasons to suggest, by the word of the decision.
    pub reasons: BTreeMap<String, Vec<String>>,
    /// Saved filters: name, view and filter.
    pub views: Vec<SavedView>,
    /// Standing risk of earlier runs, the oldest first.
    pub trend: Vec<u32>,
    /// Rules that had other names.
    pub renames: Renames,
    /// The time of the run that was reviewed last; `None` where none was.
    pub reviewed: Option<Timestamp>,
}

/// A saved filter.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedView {
    /// Its name.
    pub name: String,
    /// The number of the view, from 1.
    pub view: u8,
    /// The filter.
    pub filter: String,
}

/// What the state cannot do by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Record decisions, together.
    Record(Vec<Draft>),
    /// Copy a text.
    Copy(String),
    /// Open a place in an editor: repository, path, line.
    Edit(Option<String>, String, u32),
    /// Write rows to a file.
    Export {
        /// The file.
        file: String,
        /// Titles of the columns.
        titles: Vec<String>,
        /// Cells.
        rows: Vec<Vec<String>>,
    },
    /// Keep the saved filters.
    KeepViews(Vec<SavedView>),
    /// Back to the shell.
    Suspend,
}

/// What came of recording decisions.
#[derive(Debug, Default)]
pub struct Recording {
    /// Everything that was decided before them, where others wrote meanwhile.
    pub anew: Option<Standing>,
    /// The events.
    pub made: Vec<Recorded>,
}

/// Why the review ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The user leaves.
    Quit,
    /// Another run is to be read.
    Reload,
}

/// What is asked before it is done.
#[derive(Clone, Debug)]
pub struct Question {
    /// The question.
    pub text: String,
    /// What is recorded on a yes.
    pub drafts: Vec<Draft>,
    /// The mode to go back to.
    pub from: Mode,
}

/// State of the review.
#[derive(Debug)]
pub struct State<'r> {
    /// What is under review.
    pub data: Data<'r>,
    /// What it was opened with.
    pub settings: Settings,
    /// Mode.
    pub mode: Mode,
    /// View.
    pub view: View,
    /// Rows of each view, by its number; made when the view is first shown.
    lists: Vec<Option<List>>,
    /// How far the review is; counted again after decisions.
    progress: Option<Progress>,
    /// The page of a subject.
    pub page: Option<Page>,
    /// The page of the selected row, beside the rows of a wide screen.
    pub preview: Option<Page>,
    /// A line that is typed: filter, or what to look for.
    pub line: Input,
    /// A form that is filled in.
    pub form: Option<Form>,
    /// A menu.
    pub menu: Menu,
    /// A question.
    pub question: Option<Question>,
    /// The mode that a menu, form or the help goes back to.
    pub from: Mode,
    /// First line of the help on the screen.
    pub help: usize,
    /// Where jumps came from.
    pub trail: Vec<(Mode, View, Option<Item>)>,
    /// What the menu of related subjects offers.
    pub related: Vec<Item>,
    /// What the menu of facets offers.
    pub facets: Vec<String>,
    /// What was decided, for undo and redo.
    pub history: History,
    /// The last decision, to make again.
    pub last: Option<(Verdict, Draft)>,
    /// Told in the last line until the next key.
    pub notice: Option<String>,
    /// Id of a run that is newer than this one.
    pub newer: Option<String>,
    /// Every column is shown.
    pub wide: bool,
    /// Rows or lines the screen can show; the view sets it when it draws.
    pub height: usize,
    /// Columns of a page; the view sets it when it draws.
    pub columns: usize,
    /// First row on the screen; the view sets it when it draws.
    pub top: usize,
    /// The review ends.
    pub end: Option<End>,
}

impl<'r> State<'r> {
    /// Opens on the first page.
    pub fn new(
        report: &'r Report,
        whole: Option<&'r dyn Whole>,
        decisions: Decisions,
        settings: Settings,
    ) -> Self {
        let standing = Standing::of(decisions);
        let history = History::of(&standing, &settings.actor);
        Self {
            data: Data::new(
                report,
                whole,
                standing,
                settings.today,
                settings.renames.clone(),
            ),
            settings,
            mode: Mode::List,
            view: View::Start,
            lists: View::ALL.iter().map(|_| None).collect(),
            progress: None,
            page: None,
            preview: None,
            line: Input::default(),
            form: None,
            menu: Menu::default(),
            question: None,
            from: Mode::List,
            help: 0,
            trail: Vec::new(),
            related: Vec::new(),
            facets: Vec::new(),
            history,
            last: None,
            notice: None,
            newer: None,
            wide: false,
            height: 1,
            columns: 80,
            top: 0,
            end: None,
        }
    }

    /// How far the review is.
    pub(super) fn progress(&mut self) -> Progress {
        let (data, reviewed) = (&self.data, self.settings.reviewed);
        *self
            .progress
            .get_or_insert_with(|| Progress::of(data, reviewed))
    }

    /// Rows of the view.
    pub fn list(&self) -> Option<&List> {
        self.lists.get(self.view.number())?.as_ref()
    }

    /// Rows of the view, and what they are made from.
    pub fn list_and_data(&mut self) -> (Option<&mut List>, &Data<'r>) {
        let list = self
            .lists
            .get_mut(self.view.number())
            .and_then(Option::as_mut);
        (list, &self.data)
    }

    /// Does something to the rows of the view.
    pub fn with_list<T>(&mut self, change: impl FnOnce(&mut List, &Data<'r>) -> T) -> Option<T> {
        let (list, data) = self.list_and_data();
        list.map(|list| change(list, data))
    }

    /// Changes to a view.
    pub fn show(&mut self, view: View) {
        self.view = view;
        self.mode = Mode::List;
        if let Some(slot) = self.lists.get_mut(view.number())
            && slot.is_none()
            && view != View::Start
        {
            *slot = Some(List::new(view, &self.data));
        }
        self.with_list(|list, data| {
            if list.stale {
                list.reread(data);
            }
        });
    }

    /// The mode to return to from what is opened now. A menu and the help give their place to it: they would otherwise be
    /// what they themselves return to.
    pub(super) const fn beneath(&self) -> Mode {
        match self.mode {
            Mode::Menu | Mode::Help => self.from,
            mode => mode,
        }
    }

    /// What the page or the selected row is about.
    pub fn item(&self) -> Option<Item> {
        match (&self.page, self.mode) {
            (Some(page), Mode::Detail | Mode::Find) => Some(page.item),
            (Some(page), _) if self.from == Mode::Detail && self.mode != Mode::List => {
                Some(page.item)
            }
            _ => self.list()?.item(),
        }
    }

    /// What a decision made now is about.
    pub fn chosen(&self) -> Vec<Item> {
        let reading =
            self.mode == Mode::Detail || (self.mode != Mode::List && self.from == Mode::Detail);
        match (&self.page, reading) {
            (Some(page), true) => vec![page.item],
            _ => self.list().map_or_else(Vec::new, List::chosen),
        }
    }

    /// Decisions were recorded.
    pub fn recorded(&mut self, recording: Recording) {
        if let Some(standing) = recording.anew {
            self.history = History::of(&standing, &self.settings.actor);
            self.data.ledger = Ledger::new(
                standing,
                self.settings.today,
                self.settings.renames.clone(),
                &self.data.brief,
            );
            // Other decisions have its place now.
            if matches!(&self.page, Some(page) if page.item.view() == View::Decisions) {
                self.page = None;
                self.mode = Mode::List;
            }
        }
        let from = self.data.ledger.events().len();
        self.data.ledger.add(recording.made, &self.data.brief);
        let to = self.data.ledger.events().len();
        self.history.recorded(self.data.ledger.standing(), from..to);
        self.progress = None;
        self.preview = None;
        // The others are read again when they are shown.
        for list in self.lists.iter_mut().flatten() {
            list.stale = true;
        }
        self.with_list(List::reread);
        if let Some(page) = &mut self.page {
            page.write(&self.data);
        }
    }

    /// Decisions could not be recorded.
    pub fn refused(&mut self, why: String) {
        self.notice = Some(why);
    }

    /// Whether an action can be done here at all, so that help and menus offer nothing else.
    pub fn offers(&self, action: Action) -> bool {
        let on_list = self.view != View::Start;
        match action {
            _ if action.decides() && self.settings.read_only => false,
            Action::Undo => self.history.can_undo(),
            Action::Redo => self.history.can_redo(),
            Action::Repeat => self.last.is_some() && on_list,
            Action::Reload => self.newer.is_some(),
            Action::Return => !self.trail.is_empty(),
            Action::Views => !self.settings.views.is_empty() || on_list,
            Action::Group => on_list && self.view != View::Coverage,
            Action::Filter
            | Action::Facets
            | Action::FoldAll
            | Action::Sort
            | Action::Reverse
            | Action::Mark
            | Action::Range
            | Action::MarkAll
            | Action::Unmark
            | Action::Export
            | Action::Wide
            | Action::Open
            | Action::Related
            | Action::Copy
            | Action::CopyPath
            | Action::Edit => on_list,
            Action::Back => {
                let narrowed = self.list().is_some_and(|list| {
                    !list.filter.is_empty() || !list.marks.is_empty() || list.range.is_some()
                });
                let reading = self.mode == Mode::Detail || self.from == Mode::Detail;
                on_list && (narrowed || (reading && self.mode != Mode::List))
            }
            _ if action.decides() => on_list && self.view != View::Coverage,
            _ => true,
        }
    }
}
