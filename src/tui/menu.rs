//! A menu: what can be chosen, narrowed by typing.

use super::action::Action;

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it says.
    pub label: String,
    /// What stands beside it: keys, counts.
    pub note: String,
    /// What choosing it does.
    pub action: Action,
}

/// A menu.
#[derive(Clone, Debug, Default)]
pub struct Menu {
    /// Heading.
    pub title: String,
    entries: Vec<Entry>,
    /// What is typed.
    pub typed: String,
    /// Entries that what is typed lets through, the best first.
    shown: Vec<usize>,
    /// The chosen one.
    pub at: usize,
}

impl Menu {
    /// A menu of entries.
    pub fn new(title: impl Into<String>, entries: Vec<Entry>) -> Self {
        let shown = (0..entries.len()).collect();
        Self {
            title: title.into(),
            entries,
            typed: String::new(),
            shown,
            at: 0,
        }
    }

    /// Entries as they are shown.
    pub fn shown(&self) -> impl Iterator<Item = &Entry> {
        self.shown.iter().filter_map(|at| self.entries.get(*at))
    }

    /// The chosen entry.
    pub fn chosen(&self) -> Option<&Entry> {
        self.entries.get(*self.shown.get(self.at)?)
    }

    /// The next or the previous entry.
    pub fn step(&mut self, forward: bool) {
        let count = self.shown.len().max(1);
        self.at = (self.at + if forward { 1 } else { count - 1 }) % count;
    }

    /// Types a letter.
    pub fn push(&mut self, letter: char) {
        if !letter.is_control() {
            self.typed.push(letter);
            self.narrow();
        }
    }

    /// Removes letters: the last, or all.
    pub fn erase(&mut self, all: bool) {
        if all {
            self.typed.clear();
        } else {
            self.typed.pop();
        }
        self.narrow();
    }

    fn narrow(&mut self) {
        let typed = self.typed.to_lowercase();
        let mut ranked: Vec<(usize, usize)> = self
            .entries
            .iter()
            .enumerate()
            .filter_map(|(at, entry)| Some((distance(&entry.label.to_lowercase(), &typed)?, at)))
            .collect();
        ranked.sort_unstable();
        self.shown = ranked.into_iter().map(|(_, at)| at).collect();
        self.at = 0;
    }
}

/// How far a text is from what is typed: the letters of each word are in it in their order, and the fewer stand between
/// them and the further in front they begin, the nearer it is.
fn distance(text: &str, typed: &str) -> Option<usize> {
    typed.split_whitespace().try_fold(0, |sum, word| {
        if let Some(at) = text.find(word) {
            return Some(sum + at);
        }
        let mut letters = text.chars().enumerate();
        let mut first = None;
        let mut last = 0;
        for wanted in word.chars() {
            let (at, _) = letters.find(|(_, letter)| *letter == wanted)?;
            first.get_or_insert(at);
            last = at;
        }
        let spread = last - first.unwrap_or(0) + 1;
        Some(sum + 100 + spread - word.chars().count())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_narrows_to_what_is_near() {
        let entry = |label: &str| Entry {
            label: label.into(),
            note: String::new(),
            action: Action::Quit,
        };
        let labels = ["next undecided", "undo", "mark a range", "unmark all"];
        let mut menu = Menu::new("all", labels.map(entry).into());
        for letter in "und".chars() {
            menu.push(letter);
        }
        let shown: Vec<_> = menu.shown().map(|entry| entry.label.as_str()).collect();
        assert_eq!(shown, ["undo", "next undecided"]);
        menu.step(true);
        assert_eq!(menu.chosen().unwrap().label, "next undecided");
        menu.step(true);
        assert_eq!(menu.chosen().unwrap().label, "undo");
        menu.erase(true);
        for letter in "mrk rng".chars() {
            menu.push(letter);
        }
        assert_eq!(menu.chosen().unwrap().label, "mark a range");
        menu.push('q');
        assert!(menu.chosen().is_none());
        menu.step(true);
    }
}
