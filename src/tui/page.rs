//! The page of one subject: everything `overstay explain` says, what was decided, and where to go from here.

use super::columns;
use super::data::{Data, File, Item};
use super::ledger::words;
use crate::model::{PlanItemId, Report};
use crate::report::Index;
use crate::report::explain::{self, Found};
use crate::report::text::line;
use std::collections::BTreeSet;

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// A heading.
    Heading,
    /// Text.
    Plain,
    /// Said by people.
    Said,
    /// A line of a file.
    File(Language),
}

/// What a line of a file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// No language.
    Plain,
    /// JSON, YAML, HCL or shell.
    Code,
    /// A patch.
    Patch,
    /// Markdown.
    Markdown,
}

impl Language {
    /// That of a file of this name.
    pub fn of(path: &str) -> Self {
        match path.rsplit('.').next().unwrap_or_default() {
            "json" | "yaml" | "yml" | "tf" | "sh" => Self::Code,
            "patch" | "diff" => Self::Patch,
            "md" => Self::Markdown,
            _ => Self::Plain,
        }
    }
}

/// A page.
#[derive(Clone, Debug)]
pub struct Page {
    /// What it is about.
    pub item: Item,
    /// How wide it is.
    pub columns: usize,
    /// Files made for it.
    files: Vec<File>,
    /// Its lines.
    pub lines: Vec<(Tone, String)>,
    /// First line on the screen.
    pub scroll: usize,
    /// What is looked for, in lower case.
    pub find: String,
}

impl Page {
    /// The page of an item; of one of the plan, with its files.
    pub fn new(data: &Data<'_>, item: Item, columns: usize) -> Self {
        Self::made(data, item, columns, files(data, item))
    }

    /// The page of an item without files, which take a moment.
    pub fn preview(data: &Data<'_>, item: Item, columns: usize) -> Self {
        Self::made(data, item, columns, Vec::new())
    }

    fn made(data: &Data<'_>, item: Item, columns: usize, files: Vec<File>) -> Self {
        let mut page = Self {
            item,
            columns,
            files,
            lines: Vec::new(),
            scroll: 0,
            find: String::new(),
        };
        page.write(data);
        page
    }

    /// Writes its lines anew, for other decisions or another width.
    pub fn write(&mut self, data: &Data<'_>) {
        self.lines = said(data, self.item);
        self.lines.extend(explained(data, self.item, self.columns));
        self.lines.extend(self.files.iter().flat_map(written));
        self.scroll = self.scroll.min(self.lines.len().saturating_sub(1));
    }

    /// Scrolls, but not beyond the last lines.
    pub fn move_by(&mut self, by: isize, height: usize) {
        let last = self.lines.len().saturating_sub(height / 2).max(1) - 1;
        self.scroll = self.scroll.saturating_add_signed(by).min(last);
    }

    /// Places of what is looked for.
    pub fn places(&self) -> Vec<usize> {
        if self.find.is_empty() {
            return Vec::new();
        }
        let holds = |(at, (_, text)): (usize, &(Tone, String))| {
            text.to_lowercase().contains(&self.find).then_some(at)
        };
        self.lines.iter().enumerate().filter_map(holds).collect()
    }

    /// Goes to the next or the previous place, round the end; `None` where there is none.
    pub fn find_next(&mut self, forward: bool) -> Option<(usize, usize)> {
        let places = self.places();
        let next = if forward {
            places.iter().position(|at| *at > self.scroll).unwrap_or(0)
        } else {
            let before = places.iter().rposition(|at| *at < self.scroll);
            before.unwrap_or(places.len().saturating_sub(1))
        };
        self.scroll = *places.get(next)?;
        Some((next + 1, places.len()))
    }
}

/// The files of an item of the plan.
fn files(data: &Data<'_>, item: Item) -> Vec<File> {
    let (Some(plan), Some(whole)) = (data.plan(item), data.whole) else {
        return Vec::new();
    };
    let id = PlanItemId::named(data.text(plan.id));
    let made = whole.files(&super::whole::wanted(data, item), &id);
    made.unwrap_or_else(|why| {
        vec![File {
            path: id.to_string(),
            about: "not made".to_owned(),
            text: why,
        }]
    })
}

/// The lines of a file, under its name.
fn written(file: &File) -> Vec<(Tone, String)> {
    let language = Language::of(&file.path);
    let head = line(&format!("{}: {}", file.path, file.about)).into_owned();
    let mut lines = vec![(Tone::Plain, String::new()), (Tone::Heading, head)];
    for text in file.text.lines() {
        lines.push((Tone::File(language), line(text).into_owned()));
    }
    lines
}

/// What people said about it.
fn said(data: &Data<'_>, item: Item) -> Vec<(Tone, String)> {
    let many = |item| data.event(item).filter(|event| event.scope.one().is_none());
    let events = match (data.finding(item), many(item)) {
        (Some(finding), _) => data.ledger.history(&data.brief, finding),
        (None, Some(event)) => vec![event],
        (None, None) => {
            super::list::scope(data, item).map_or_else(Vec::new, |scope| data.ledger.about(&scope))
        }
    };
    if events.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![(Tone::Heading, "Decided".to_owned())];
    for event in events.iter().rev() {
        let until = event.expires.map(|day| format!(", until {day}"));
        let reason = match event.reason.as_str() {
            "" => String::new(),
            reason => format!(". {reason}"),
        };
        let ticket = event.ticket.as_ref().map(|ticket| format!(" ({ticket})"));
        let text = format!(
            "  {} {}: {}{}{reason}{}",
            event.at.strftime("%Y-%m-%d %H:%M"),
            event.actor,
            words(&event.decision),
            until.unwrap_or_default(),
            ticket.unwrap_or_default()
        );
        lines.push((Tone::Said, line(&text).into_owned()));
    }
    lines.push((Tone::Plain, String::new()));
    lines
}

fn explained(data: &Data<'_>, item: Item, columns: usize) -> Vec<(Tone, String)> {
    let id = data.id(item);
    let mut page = None;
    let refused = match data.whole {
        // What was not read has a name, and other things may be called the same.
        _ if matches!(item, Item::Coverage(_)) => None,
        None => {
            page = text(data.index(), &id, columns);
            None
        }
        Some(whole) => {
            let mut read = |report: &Report| page = text(&Index::new(report), &id, columns);
            whole
                .with(&super::whole::wanted(data, item), &mut read)
                .err()
        }
    };
    if let Some(why) = refused {
        return vec![(Tone::Plain, why)];
    }
    if let Some(page) = page {
        let lines = page.lines();
        return lines.map(|text| (tone(text), text.to_owned())).collect();
    }
    let cells = columns::of(item.view()).iter().map(|column| {
        let cell = (column.cell)(data, item);
        (Tone::Plain, format!("{:<10} {cell}", column.title))
    });
    cells.chain(together(data, item)).collect()
}

/// What was decided about together with one decision.
fn together(data: &Data<'_>, item: Item) -> Vec<(Tone, String)> {
    let Some(event) = data.event(item).filter(|event| event.scope.one().is_none()) else {
        return Vec::new();
    };
    let mut lines = vec![
        (Tone::Plain, String::new()),
        (Tone::Heading, "About".to_owned()),
    ];
    for scope in event.scope.each() {
        let words = match data.find(scope.id()) {
            Some(item) => format!("  {} {}", scope.id(), columns::title(data, item)),
            None => format!("  {}, which this run does not have", scope.id()),
        };
        lines.push((Tone::Plain, line(&words).into_owned()));
    }
    lines
}

/// What `overstay explain` says.
fn text(index: &Index<'_>, id: &str, columns: usize) -> Option<String> {
    let Found::One(subject) = explain::find(index, id) else {
        return None;
    };
    let mut page = Vec::new();
    explain::page(index, subject, false, columns, &mut page).ok()?;
    Some(String::from_utf8_lossy(&page).into_owned())
}

fn tone(text: &str) -> Tone {
    if text.starts_with(' ') || text.is_empty() {
        Tone::Plain
    } else {
        Tone::Heading
    }
}

/// What is related to an item, each once and without itself: what it is about, its findings, the plan.
pub(super) fn related(data: &Data<'_>, item: Item) -> Vec<Item> {
    let brief = &data.brief;
    let (identity, credential) = (data.identity_at(item), data.credential_at(item));
    let mut found: Vec<Item> = Vec::new();
    found.extend(identity.map(Item::Identity));
    found.extend(credential.map(Item::Credential));
    if let Some(identity) = identity {
        let held = brief.credentials_with(identity).iter().copied();
        found.extend(held.map(Item::Credential));
    }
    let judged = data.assessment_at(item);
    found.extend(judged.and_then(|at| brief.plan_of(at)).map(Item::Plan));
    let about = credential
        .map(Item::Credential)
        .or(identity.map(Item::Identity));
    let findings = data.findings(about.unwrap_or(item)).iter().copied();
    found.extend(findings.map(Item::Finding));
    if let Some(event) = data.event(item) {
        let each = event.scope.each();
        found.extend(each.filter_map(|scope| data.find(scope.id())));
    }
    let mut seen = BTreeSet::from([item]);
    found.retain(|other| seen.insert(*other));
    found
}
