//! Who is here and who has left, by a list of people.
//!
//! A list is CSV with a header (`email`, `name`, `login` … for who; `left`, `end_date`, `status` … for whether), or plain
//! text with one person a line, who have all left.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Longest list read.
const MAX_PEOPLE: usize = 500_000;
/// Columns that say who somebody is.
const WHO: [&str; 14] = [
    "email",
    "mail",
    "emailaddress",
    "workemail",
    "name",
    "fullname",
    "displayname",
    "login",
    "user",
    "username",
    "handle",
    "github",
    "gitlab",
    "employee",
];
/// Columns that say when somebody left, or will.
const WHEN: [&str; 9] = [
    "left",
    "lefton",
    "leftat",
    "enddate",
    "end",
    "departed",
    "departedon",
    "terminationdate",
    "lastday",
];
/// Columns that say whether somebody is still here.
const STATUS: [&str; 4] = ["status", "state", "active", "employmentstatus"];
/// Words of such a column for somebody who is not.
const GONE: [&str; 14] = [
    "left",
    "departed",
    "terminated",
    "inactive",
    "former",
    "alumni",
    "leaver",
    "offboarded",
    "disabled",
    "deactivated",
    "suspended",
    "no",
    "false",
    "0",
];

/// Whether somebody is still here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// On the list, and here.
    Here,
    /// Left, on that day where it is known.
    Left(Option<Timestamp>),
    /// An address of the organisation on no complete list.
    Unlisted,
    /// Nothing tells.
    Unknown,
}

/// One person of the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Addresses, names and handles the person goes by.
    pub names: Vec<String>,
    /// Day the person left or leaves; none for somebody who is here.
    #[serde(default, deserialize_with = "super::config::date")]
    pub left: Option<Date>,
}

/// People by the names they go by.
#[derive(Clone, Debug, Default)]
pub struct People {
    /// Here or gone, by name in lower case.
    known: BTreeMap<String, Standing>,
    /// Domains of the addresses on the list.
    domains: BTreeSet<String>,
    complete: bool,
}

impl People {
    /// Whether there is no list.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Says that everybody who is here is on the list.
    pub fn complete(&mut self, complete: bool) {
        self.complete |= complete;
    }

    /// Adds a person of the configuration.
    pub fn add(&mut self, person: &Person) {
        let left = person
            .left
            .map_or(Standing::Here, |day| Standing::Left(instant(day.into())));
        for name in &person.names {
            self.put(name, left);
        }
    }

    fn put(&mut self, name: &str, standing: Standing) {
        let name = plain(name);
        if name.is_empty() || self.known.len() >= MAX_PEOPLE {
            return;
        }
        if let Some((_, domain)) = name.split_once('@') {
            self.domains.insert(domain.to_owned());
        }
        // Somebody who is both is here: people come back.
        let known = self.known.entry(name).or_insert(standing);
        if standing == Standing::Here {
            *known = standing;
        }
    }

    /// Reads a list.
    ///
    /// # Errors
    /// When it names nobody.
    pub fn read(&mut self, text: &str) -> Result<(), String> {
        let text = text.trim_start_matches('\u{feff}');
        let header: Vec<String> = text
            .lines()
            .next()
            .unwrap_or_default()
            .split([',', ';', '\t'])
            .map(column)
            .collect();
        let before = self.known.len();
        if header.iter().any(|name| WHO.contains(&name.as_str())) {
            self.read_table(text, &header);
        } else {
            for line in text.lines() {
                let line = line.split('#').next().unwrap_or_default();
                self.put(line, Standing::Left(None));
            }
        }
        if self.known.len() == before {
            return Err(
                "it names nobody: give CSV with a header such as `email,left`, or one person who has left a line"
                    .to_owned(),
            );
        }
        Ok(())
    }

    fn read_table(&mut self, text: &str, header: &[String]) {
        let first = text.lines().next().unwrap_or_default();
        let delimiter = if first.contains('\t') {
            b'\t'
        } else if first.contains(';') && !first.contains(',') {
            b';'
        } else {
            b','
        };
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(text.as_bytes());
        for record in reader.records().filter_map(Result::ok) {
            let field = |names: &[&str]| -> Vec<&str> {
                header
                    .iter()
                    .zip(record.iter())
                    .filter(|(name, value)| {
                        names.contains(&name.as_str()) && !value.trim().is_empty()
                    })
                    .map(|(_, value)| value.trim())
                    .collect()
            };
            let when = field(&WHEN).into_iter().next();
            let status = field(&STATUS).into_iter().next();
            let gone_by_status =
                status.is_some_and(|word| GONE.contains(&word.to_ascii_lowercase().as_str()));
            let gone = match when.map(|text| (text, parse(text))) {
                Some((_, Some(at))) => Some(Standing::Left(Some(at))),
                // `left: yes` says that, not when.
                Some((text, None)) => {
                    let no = ["no", "false", "0", "-", "n/a", "none"];
                    (!no.contains(&text.to_ascii_lowercase().as_str()) || gone_by_status)
                        .then_some(Standing::Left(None))
                }
                None => gone_by_status.then_some(Standing::Left(None)),
            };
            for name in field(&WHO) {
                self.put(name, gone.unwrap_or(Standing::Here));
            }
        }
    }

    /// Whether an owner as written is a person, and still here. Of several named, one who is here is enough.
    pub fn standing(&self, owner: &str, now: Timestamp) -> Standing {
        let mut best = Standing::Unknown;
        for name in names_in(owner) {
            let found = match self.known.get(&name) {
                Some(Standing::Left(Some(at))) if *at > now => Standing::Here,
                Some(standing) => *standing,
                None if self.complete
                    && name
                        .split_once('@')
                        .is_some_and(|(_, domain)| self.domains.contains(domain)) =>
                {
                    Standing::Unlisted
                }
                None => Standing::Unknown,
            };
            best = match (best, found) {
                (Standing::Here, _) | (_, Standing::Here) => Standing::Here,
                (left @ Standing::Left(_), _) => left,
                (_, found @ Standing::Left(_)) => found,
                (Standing::Unlisted, _) => Standing::Unlisted,
                (_, found) => found,
            };
        }
        best
    }
}

/// The names an owner's text holds: itself, and its parts where it lists several.
fn names_in(owner: &str) -> Vec<String> {
    let mut out = vec![plain(owner)];
    for part in owner.split([',', ';', '<', '>', '(', ')', '|']) {
        let part = plain(part);
        if !part.is_empty() && !out.contains(&part) {
            out.push(part);
        }
    }
    out
}

fn plain(name: &str) -> String {
    name.trim()
        .trim_start_matches("mailto:")
        .trim_start_matches('@')
        .to_lowercase()
}

fn column(name: &str) -> String {
    name.trim()
        .trim_matches('"')
        .to_lowercase()
        .replace([' ', '_', '-'], "")
}

fn parse(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    if let Ok(at) = text.parse::<DateTime>() {
        return instant(at);
    }
    text.parse::<Date>()
        .ok()
        .and_then(|day| instant(day.into()))
}

fn instant(at: DateTime) -> Option<Timestamp> {
    at.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn now() -> Timestamp {
        "2026-11-01T00:00:00Z".parse().unwrap()
    }

    fn people(text: &str) -> People {
        let mut people = People::default();
        people.read(text).unwrap();
        people
    }

    #[test]
    fn tables_of_any_make_say_who_left() {
        let list = people(
            "Email;Full Name;End Date;Status\nann@example.org;Ann Doe;2026-03-31;\nbob@example.org;Bob Roe;;active\ncid@example.org;Cid Poe;2027-01-01;active\ndot@example.org;;;Terminated\n",
        );
        let left = |name: &str| matches!(list.standing(name, now()), Standing::Left(_));
        assert!(left("ann@example.org") && left("Ann Doe") && left("Ann Doe <ANN@example.org>"));
        assert!(left("dot@example.org"));
        assert_eq!(list.standing("bob@example.org", now()), Standing::Here);
        assert_eq!(list.standing("cid@example.org", now()), Standing::Here);
        assert_eq!(list.standing("platform", now()), Standing::Unknown);
        assert_eq!(list.standing("eve@example.org", now()), Standing::Unknown);
        assert_eq!(
            list.standing("ann@example.org, bob@example.org", now()),
            Standing::Here
        );
    }

    #[test]
    fn a_plain_list_is_of_people_who_left_and_a_complete_one_leaves_nobody_out() {
        let mut list = people("# left in 2026\n@ann\ncid@example.org\n");
        assert_eq!(list.standing("@Ann", now()), Standing::Left(None));
        list.complete(true);
        assert_eq!(list.standing("eve@example.org", now()), Standing::Unlisted);
        assert_eq!(list.standing("eve@elsewhere.org", now()), Standing::Unknown);
        assert!(People::default().read("\n\n").is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,80}", owner in "\\PC{0,30}") {
            let mut list = People::default();
            let _ = list.read(&text);
            list.standing(&owner, now());
        }
    }
}
