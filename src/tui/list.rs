//! The rows of one view: filtered, sorted, grouped, marked, with one of them selected.

use super::columns::{self, Order};
use super::data::{Data, Item};
use super::group::Grouping;
use super::ledger;
use super::mode::View;
use crate::model::{CredentialId, FindingId, IdentityId};
use crate::query::{Asked, Query, QueryError};
use crate::report::text::line;
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// What a row on the screen is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// The heading of a group, by its place.
    Group(usize),
    /// An item.
    Item(Item),
}

/// Rows under one heading.
#[derive(Clone, Debug)]
pub struct Group {
    /// What tells it from the others.
    pub key: String,
    /// Words of the heading.
    pub title: String,
    /// Its items, in order.
    pub items: Vec<Item>,
    /// Of these, those nobody decided about.
    pub undecided: usize,
    /// The worst of their levels, in a word.
    pub level: &'static str,
    /// Its rows are shown.
    pub open: bool,
}

/// What the selection stays with, whatever happens to the order.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Anchor {
    Group(String),
    Item(Item),
}

/// The rows of one view.
#[derive(Debug)]
pub struct List {
    /// The view.
    pub view: View,
    /// Filter as typed.
    pub filter: String,
    /// What is wrong with it.
    pub error: Option<QueryError>,
    /// Column and whether the order is turned round.
    pub sort: Option<(usize, bool)>,
    /// What rows are grouped by.
    pub grouping: Option<Grouping>,
    /// Marked items.
    pub marks: BTreeSet<Item>,
    /// Where a range of rows began.
    pub range: Option<usize>,
    /// Something was decided since it was read.
    pub stale: bool,
    /// Every item of the view.
    all: Vec<Item>,
    /// The filter, as far as it can be read.
    query: Query,
    /// What the filter lets through, in order.
    passing: Vec<Item>,
    /// Groups, in order.
    groups: Vec<Group>,
    /// Groups that were opened or closed by hand.
    turned: BTreeSet<String>,
    /// All groups are open but those turned.
    unfolded: bool,
    rows: Vec<Row>,
    selected: usize,
}

impl List {
    /// The rows of a view as it opens.
    pub fn new(view: View, data: &Data<'_>) -> Self {
        let mut list = Self {
            view,
            filter: String::new(),
            error: None,
            sort: None,
            grouping: Grouping::opening(view),
            marks: BTreeSet::new(),
            range: None,
            stale: false,
            all: data.items(view),
            query: Query::default(),
            passing: Vec::new(),
            groups: Vec::new(),
            turned: BTreeSet::new(),
            unfolded: view == View::Plan,
            rows: Vec::new(),
            selected: 0,
        };
        list.refresh(data);
        list
    }

    /// Rows as they are shown.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Place of the selected row.
    pub const fn selected(&self) -> usize {
        self.selected
    }

    /// Group of a heading.
    pub fn group(&self, at: usize) -> Option<&Group> {
        self.groups.get(at)
    }

    /// What the filter lets through, and how many there are.
    pub fn passing(&self) -> (&[Item], usize) {
        (&self.passing, self.all.len())
    }

    /// The selected row.
    pub fn row(&self) -> Option<Row> {
        self.rows.get(self.selected).copied()
    }

    /// The selected item; of a heading the first item of its group.
    pub fn item(&self) -> Option<Item> {
        match self.row()? {
            Row::Item(item) => Some(item),
            Row::Group(at) => self.group(at)?.items.first().copied(),
        }
    }

    /// What a decision is about: what is marked, else the range, else the selected row, with all of a group.
    pub fn chosen(&self) -> Vec<Item> {
        if !self.marks.is_empty() {
            let marked = self.passing.iter().filter(|item| self.marks.contains(item));
            return marked.copied().collect();
        }
        let mut chosen: Vec<Item> = Vec::new();
        let from = self.range.unwrap_or(self.selected).min(self.selected);
        let to = self.range.unwrap_or(self.selected).max(self.selected);
        for row in self.rows.get(from..=to).unwrap_or_default() {
            match row {
                Row::Item(item) => chosen.push(*item),
                Row::Group(at) => {
                    chosen.extend(self.group(*at).into_iter().flat_map(|group| &group.items));
                }
            }
        }
        let mut seen = BTreeSet::new();
        chosen.retain(|item| seen.insert(*item));
        chosen
    }

    /// Moves the selection.
    pub fn move_by(&mut self, by: isize) {
        let last = self.rows.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }

    /// Selects an item, opening its group; says whether the filter lets it through.
    pub fn select(&mut self, item: Item) -> bool {
        if !self.passing.contains(&item) {
            return false;
        }
        let closed = |group: &&mut Group| !group.open && group.items.contains(&item);
        if let Some(group) = self.groups.iter_mut().find(closed) {
            let key = group.key.clone();
            self.turn(&key);
        }
        self.lay_out();
        if let Some(at) = self.rows.iter().position(|row| *row == Row::Item(item)) {
            self.selected = at;
        }
        true
    }

    fn turn(&mut self, key: &str) {
        if !self.turned.remove(key) {
            self.turned.insert(key.to_owned());
        }
    }

    /// Opens or closes the selected group; says whether a group is selected.
    pub fn fold(&mut self) -> bool {
        let Some(Row::Group(at)) = self.row() else {
            return false;
        };
        if let Some(key) = self.group(at).map(|group| group.key.clone()) {
            self.turn(&key);
        }
        self.lay_out();
        true
    }

    /// Opens or closes every group.
    pub fn fold_all(&mut self) {
        self.unfolded = !self.unfolded;
        self.turned.clear();
        self.lay_out();
    }

    /// Groups by another property, or not at all.
    pub fn group_by(&mut self, data: &Data<'_>, grouping: Option<Grouping>) {
        self.grouping = grouping;
        self.turned.clear();
        self.refresh(data);
    }

    /// Sorts by another column, or turns the order of the same round.
    pub fn sort_by(&mut self, data: &Data<'_>, column: usize) {
        self.sort = match self.sort {
            Some((known, reversed)) if known == column => Some((column, !reversed)),
            _ => Some((column, false)),
        };
        self.refresh(data);
    }

    /// Turns the order round.
    pub fn reverse(&mut self, data: &Data<'_>) {
        let (column, reversed) = self.sort.unwrap_or((0, false));
        self.sort = Some((column, !reversed));
        self.refresh(data);
    }

    /// Uses a filter. Of one that cannot be read, what stands before the fault is used, and the fault is told of.
    pub fn set_filter(&mut self, data: &Data<'_>, filter: &str) {
        filter.clone_into(&mut self.filter);
        match Query::parse(filter) {
            Ok(query) => {
                self.query = query.renamed(data.ledger.renames());
                self.error = None;
                self.refresh(data);
            }
            Err(error) => {
                // While a word is typed, it is none yet: it must not take all rows away.
                let before: String = filter.chars().take(error.at).collect();
                let end = before.rfind(char::is_whitespace).unwrap_or(0);
                let readable = before.get(..end).map(Query::parse);
                if let Some(Ok(query)) = readable {
                    self.query = query.renamed(data.ledger.renames());
                    self.refresh(data);
                }
                self.error = Some(error);
            }
        }
    }

    /// Reads what is listed again, as after a decision.
    pub fn reread(&mut self, data: &Data<'_>) {
        self.stale = false;
        let owners = self.grouping == Some(Grouping::Owner);
        if self.view == View::Decisions || !self.query.is_empty() || self.sort.is_some() || owners {
            self.all = data.items(self.view);
            self.refresh(data);
            return;
        }
        // Which rows there are, and under which headings, does not depend on what was decided.
        for group in &mut self.groups {
            let open = group.items.iter().filter(|item| is_undecided(data, **item));
            group.undecided = open.count();
        }
    }

    /// The place of the next item that nobody decided about, from the selected row on in a direction, in closed groups too.
    pub fn undecided(&self, data: &Data<'_>, forward: bool) -> Option<Item> {
        let open = |item: &Item| is_undecided(data, *item);
        let (before, after) = match (self.row()?, self.item()?) {
            (Row::Item(_), item) => self.around(item)?,
            (Row::Group(_), item) => {
                let (before, _) = self.around(item)?;
                (before, self.ordered_from(item))
            }
        };
        let found = if forward {
            after.iter().chain(&before).find(|item| open(item))
        } else {
            before
                .iter()
                .rev()
                .chain(after.iter().rev())
                .find(|item| open(item))
        };
        found.copied()
    }

    /// Items in the order of the screen, closed groups included.
    fn ordered(&self) -> Vec<Item> {
        if self.groups.is_empty() {
            self.passing.clone()
        } else {
            let items = self.groups.iter().flat_map(|group| &group.items);
            items.copied().collect()
        }
    }

    fn ordered_from(&self, item: Item) -> Vec<Item> {
        let items = self.ordered();
        let at = items.iter().position(|each| *each == item).unwrap_or(0);
        items.get(at..).unwrap_or_default().to_vec()
    }

    fn around(&self, item: Item) -> Option<(Vec<Item>, Vec<Item>)> {
        let items = self.ordered();
        let at = items.iter().position(|each| *each == item)?;
        Some((items.get(..at)?.to_vec(), items.get(at + 1..)?.to_vec()))
    }

    fn anchor(&self) -> Option<Anchor> {
        Some(match self.row()? {
            Row::Group(at) => Anchor::Group(self.group(at)?.key.clone()),
            Row::Item(item) => Anchor::Item(item),
        })
    }

    /// Filters, sorts and groups anew; the selection stays with its row, or near its place.
    pub fn refresh(&mut self, data: &Data<'_>) {
        let anchor = self.anchor();
        self.passing = if self.query.is_empty() {
            self.all.clone()
        } else {
            let asked = self.query.ask(&data.brief);
            let all = self.all.par_iter().copied();
            all.filter(|item| passes(&self.query, &asked, data, *item))
                .collect()
        };
        self.sort(data);
        self.gather(data);
        self.place(anchor.as_ref());
    }

    fn sort(&mut self, data: &Data<'_>) {
        let Some((column, reversed)) = self.sort else {
            return;
        };
        let Some(column) = columns::of(self.view).get(column) else {
            return;
        };
        let mut keyed: Vec<(Order, Item)> = self
            .passing
            .par_iter()
            .map(|item| ((column.order)(data, *item), *item))
            .collect();
        // Stable, so that equal rows keep the order of the report in both directions.
        if reversed {
            keyed.sort_by(|one, other| other.0.cmp(&one.0));
        } else {
            keyed.sort_by(|one, other| one.0.cmp(&other.0));
        }
        self.passing = keyed.into_iter().map(|(_, item)| item).collect();
    }

    fn gather(&mut self, data: &Data<'_>) {
        self.groups.clear();
        let Some(grouping) = self.grouping else {
            return;
        };
        let keyed: Vec<(Cow<'_, str>, bool)> = self
            .passing
            .par_iter()
            .map(|item| (grouping.key(data, *item), is_undecided(data, *item)))
            .collect();
        let mut places: BTreeMap<Cow<'_, str>, usize> = BTreeMap::new();
        for (item, (key, undecided)) in self.passing.iter().zip(keyed) {
            let known = places.get(&key).copied();
            let at = known.unwrap_or_else(|| {
                self.groups.push(Group {
                    title: grouping.heading(data, *item, &key),
                    key: key.as_ref().to_owned(),
                    items: Vec::new(),
                    undecided: 0,
                    level: "",
                    open: false,
                });
                places.insert(key, self.groups.len() - 1);
                self.groups.len() - 1
            });
            if let Some(group) = self.groups.get_mut(at) {
                group.items.push(*item);
                group.undecided += usize::from(undecided);
                let level = columns::level(data, *item);
                if weight(level) > weight(group.level) {
                    group.level = level;
                }
            }
        }
        if grouping == Grouping::Wave {
            self.groups.sort_by(|one, other| one.key.cmp(&other.key));
        }
    }

    fn lay_out(&mut self) {
        let anchor = self.anchor();
        self.place(anchor.as_ref());
    }

    fn place(&mut self, anchor: Option<&Anchor>) {
        self.rows.clear();
        if self.grouping.is_none() {
            self.rows
                .extend(self.passing.iter().copied().map(Row::Item));
        }
        let alone = self.grouping == Some(Grouping::Subject);
        for (at, group) in self.groups.iter_mut().enumerate() {
            group.open = self.unfolded != self.turned.contains(&group.key);
            // One finding about one credential needs no heading.
            if let ([only], true) = (group.items.as_slice(), alone) {
                self.rows.push(Row::Item(*only));
                continue;
            }
            self.rows.push(Row::Group(at));
            if group.open {
                self.rows.extend(group.items.iter().copied().map(Row::Item));
            }
        }
        let is_anchor = |row: &Row| match (row, anchor) {
            (Row::Item(item), Some(Anchor::Item(kept))) => item == kept,
            (Row::Group(at), Some(Anchor::Group(key))) => {
                self.groups.get(*at).is_some_and(|group| group.key == *key)
            }
            // The row went under a heading that is closed.
            (Row::Group(at), Some(Anchor::Item(kept))) => self
                .groups
                .get(*at)
                .is_some_and(|group| !group.open && group.items.contains(kept)),
            _ => false,
        };
        let last = self.rows.len().saturating_sub(1);
        self.selected = self
            .rows
            .iter()
            .position(is_anchor)
            .unwrap_or_else(|| self.selected.min(last));
        self.range = None;
    }
}

fn weight(level: &str) -> usize {
    ["info", "low", "medium", "high", "critical"]
        .iter()
        .position(|known| *known == level)
        .map_or(0, |at| at + 1)
}

/// Whether an item passes a filter. What is no subject is judged by its words.
fn passes(query: &Query, asked: &Asked<'_>, data: &Data<'_>, item: Item) -> bool {
    if let Some(subject) = data.subject(item) {
        return asked.passes(&subject);
    }
    let cells = columns::of(item.view()).iter();
    let text: Vec<String> = cells.map(|column| (column.cell)(data, item)).collect();
    query.matches_text(&text.join(" "))
}

/// Whether somebody still has to say something about an item.
pub fn is_undecided(data: &Data<'_>, item: Item) -> bool {
    if let Item::Finding(at) = item {
        return data.ledger.is_undecided(at);
    }
    let mut findings = data.findings(item).iter();
    findings.any(|at| data.ledger.is_undecided(*at))
}

/// The subject a decision about an item is recorded for.
pub fn scope(data: &Data<'_>, item: Item) -> Option<crate::store::decisions::Scope> {
    use crate::store::decisions::Scope;
    let credential = || {
        let id = data.credential(item)?.id;
        Some(Scope::Credential(CredentialId::named(data.text(id))))
    };
    let identity = || {
        let id = data.identity(item)?.id;
        Some(Scope::Identity(IdentityId::named(data.text(id))))
    };
    match item {
        Item::Finding(_) => {
            let id = data.finding(item)?.id;
            Some(Scope::Finding(FindingId::named(data.text(id))))
        }
        Item::Identity(_) => identity(),
        Item::Credential(_) => credential(),
        Item::Plan(_) => credential().or_else(identity),
        Item::Decision(_) => data.event(item)?.scope.one().cloned(),
        Item::Coverage(_) => None,
    }
}

/// The words of an item that a list of many shows.
pub fn label(data: &Data<'_>, item: Item) -> String {
    let text = match item {
        Item::Decision(_) => data.event(item).map(ledger::about).unwrap_or_default(),
        _ => columns::title(data, item),
    };
    line(&text).into_owned()
}
