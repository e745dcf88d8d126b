//! Documents inside documents: what archives and compressed files hold is visited like any other document.

use super::files::count;
use super::kept::Value;
use super::place::{Located, Place};
use super::{Document, Origin};
use crate::model::{Coverage, CoverageStatus};
use crate::unpack::{self, Caps, Step, Unpacked};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Source word of this part of the coverage.
const SOURCE: &str = "archives";

/// What the visitor made of a document and of those inside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Visited<T> {
    /// What became of it, of an archive.
    pub(super) unpacked: Option<Unpacked>,
    own: Option<T>,
    inside: Vec<(Vec<Step>, T)>,
}

impl<T> Visited<T> {
    /// Of a document that is no archive.
    #[cfg(test)]
    pub(super) const fn plain(value: T) -> Self {
        Self {
            unpacked: None,
            own: Some(value),
            inside: Vec::new(),
        }
    }

    /// Whether the visitor made anything of it.
    pub(super) fn any(&self) -> bool {
        self.own.is_some() || !self.inside.is_empty()
    }
}

impl<T: Value> Visited<T> {
    /// Whether it may be kept for the next run, and would come back as it is.
    pub(super) fn keepable(&self) -> bool {
        let own = self.own.iter();
        let mut all = own.chain(self.inside.iter().map(|(_, value)| value));
        all.all(Value::keepable)
            && serde_json::to_vec(self)
                .and_then(|json| serde_json::from_slice::<Self>(&json))
                .is_ok_and(|back| back == *self)
    }

    /// Whether it matters wherever else its content stands.
    pub(super) fn everywhere(&self) -> bool {
        let own = self.own.iter();
        own.chain(self.inside.iter().map(|(_, value)| value))
            .any(Value::everywhere)
    }
}

/// Hands `document` to `visit`, or, where it is an archive, the documents inside. One that cannot be unpacked whole is
/// also visited as it is. `None` for a document that is neither an archive nor of interest.
pub(super) fn visit<T>(
    document: &Document<'_>,
    caps: &Caps,
    visit: &impl Fn(&Document<'_>) -> Option<T>,
) -> Option<Visited<T>> {
    if unpack::recognise(document.bytes).is_none() {
        let own = visit(document)?;
        return Some(Visited {
            unpacked: None,
            own: Some(own),
            inside: Vec::new(),
        });
    }
    let mut inside = Vec::new();
    let unpacked = unpack::unpack(document.bytes, caps, &mut |steps, bytes| {
        let uri = document.uri.map(|uri| unpack::address(uri, steps));
        let value = visit(&Document {
            repository: document.repository,
            uri: uri.as_deref(),
            bytes,
            origin: Origin::Member,
            marks: None,
        });
        inside.extend(value.map(|value| (steps.to_vec(), value)));
    });
    let whole = unpacked.documents > 0 && unpacked.notes.is_empty();
    let own = if whole { None } else { visit(document) };
    Some(Visited {
        unpacked: Some(unpacked),
        own,
        inside,
    })
}

/// What was unpacked, by repository.
pub(super) struct Tallies {
    max_notes: usize,
    tallies: BTreeMap<String, Tally>,
}

/// What was unpacked of one repository. Does not depend on the order of documents.
#[derive(Default)]
struct Tally {
    archives: u64,
    documents: u64,
    /// Unit and reason; of too many, the first by name.
    notes: BTreeSet<(String, String)>,
    /// Notes beyond the cap.
    more: u64,
    /// Archives that only history holds, by what is wrong with them.
    past: BTreeMap<String, u64>,
}

impl Tallies {
    pub(super) const fn new(max_notes: usize) -> Self {
        Self {
            max_notes,
            tallies: BTreeMap::new(),
        }
    }

    /// Adds an archive; of one that only history holds there is no path.
    pub(super) fn remember(&mut self, repository: &str, uri: Option<&str>, unpacked: &Unpacked) {
        let tally = self.tallies.entry(repository.to_owned()).or_default();
        tally.archives += 1;
        tally.documents += unpacked.documents;
        let Some(uri) = uri else {
            let reasons: BTreeSet<&str> = unpacked.notes.iter().map(|note| &*note.reason).collect();
            for reason in reasons {
                *tally.past.entry(reason.to_owned()).or_default() += 1;
            }
            return;
        };
        tally.more += unpacked.more;
        for note in &unpacked.notes {
            let unit = format!("{repository}/{}", unpack::address(uri, &note.steps));
            tally.notes.insert((unit, note.reason.to_string()));
            if tally.notes.len() > self.max_notes {
                tally.notes.pop_last();
                tally.more += 1;
            }
        }
    }

    /// What was unpacked and what was not.
    pub(super) fn coverage(&self) -> Vec<Coverage> {
        let skipped = |unit, reason| Coverage::new(SOURCE, unit, CoverageStatus::Skipped, reason);
        let mut out = Vec::new();
        for (repository, tally) in &self.tallies {
            let counts = format!(
                "{}, {} inside",
                count(tally.archives, "archive"),
                count(tally.documents, "document")
            );
            out.push(Coverage::new(
                SOURCE,
                repository,
                CoverageStatus::Read,
                counts,
            ));
            for (unit, reason) in &tally.notes {
                out.push(skipped(unit.clone(), reason.clone()));
            }
            let rest = format!("{repository}/…");
            if tally.more > 0 {
                out.push(skipped(
                    rest.clone(),
                    format!("{} more skipped", tally.more),
                ));
            }
            for (reason, archives) in &tally.past {
                let archives = count(*archives, "archive");
                out.push(skipped(
                    rest.clone(),
                    format!("{archives} of the history: {reason}"),
                ));
            }
        }
        out
    }
}

/// Gives what was found inside an archive a place of its own for every place of the archive.
pub(super) fn flatten<T>(items: Vec<Located<Visited<T>>>) -> Vec<Located<T>> {
    let mut out = Vec::with_capacity(items.len());
    for Located { value, places } in items {
        for (steps, value) in value.inside {
            let places = places
                .iter()
                .map(|place| Place {
                    uri: unpack::address(&place.uri, &steps),
                    ..place.clone()
                })
                .collect();
            out.push(Located { value, places });
        }
        out.extend(value.own.map(|value| Located { value, places }));
    }
    out.sort_by(|a, b| a.places.cmp(&b.places));
    out
}

#[cfg(test)]
mod tests {
    use crate::sources::ReadOutcome;
    use crate::sources::testing::{Place, coverage, lines, put_bytes, scan};
    use crate::unpack::testing::{gzip, locked, tar, zip};
    use insta::assert_snapshot;

    fn told(outcome: &ReadOutcome<String>) -> String {
        let all = coverage(outcome);
        let archives: Vec<&str> = all
            .lines()
            .filter(|line| line.starts_with("archives"))
            .collect();
        archives.join("\n")
    }

    #[test]
    fn members_of_archives_are_documents() {
        let place = Place::new();
        let jar = zip(&[("conf/app.properties", b"SECRET jar"), ("x", b"no")]);
        put_bytes(&place.path("").join("w/lib/app.jar"), &jar);
        let tgz = gzip(&tar(&[("../up", b"SECRET up"), ("b.jar", &jar)]));
        put_bytes(&place.path("").join("w/a.tgz"), &tgz);
        put_bytes(
            &place.path("").join("w/locked.zip"),
            &locked(zip(&[("p.txt", b"SECRET")])),
        );
        let outcome = scan(&[place.path("w")]);
        assert_snapshot!(lines(&outcome.items, &[]), @r"
        SECRET jar | w/a.tgz!/b.jar!/conf/app.properties - -..- head
        SECRET up | w/a.tgz!/up - -..- head
        SECRET jar | w/lib/app.jar!/conf/app.properties - -..- head
        ");
        assert_snapshot!(told(&outcome), @r"
        archives w read: 3 archives, 5 documents inside
        archives w/locked.zip!/p.txt skipped: encrypted with a password
        ");
    }

    #[test]
    fn archives_of_the_history_are_unpacked_too() {
        let place = Place::new();
        let repo = place.repo("w");
        let jar = zip(&[("conf/a.env", b"SECRET old")]);
        let blob = repo.0.blob(&jar).unwrap();
        let bad = repo.0.blob(&locked(jar)).unwrap();
        let mut builder = repo.0.treebuilder(None).unwrap();
        builder.insert("a.jar", blob, 0o100_644).unwrap();
        builder.insert("b.jar", bad, 0o100_644).unwrap();
        let tree = builder.write().unwrap();
        let tree = repo.0.find_tree(tree).unwrap();
        let who = git2::Signature::new("Ada", "ada@example.com", &git2::Time::new(900, 0)).unwrap();
        let first = repo
            .0
            .commit(Some("refs/heads/main"), &who, &who, "jar", &tree, &[])
            .unwrap();
        let second = repo.commit("refs/heads/main", 1_000, &[first], &[("c", "gone")]);
        repo.check_out("refs/heads/main");
        let outcome = scan(&[place.path("w")]);
        assert_snapshot!(lines(&outcome.items, &[first, second]), @"SECRET old | w/a.jar!/conf/a.env c0 900..900 until c1 1000");
        assert_snapshot!(told(&outcome), @r"
        archives w read: 2 archives, 1 document inside
        archives w/… skipped: 1 archive of the history: encrypted with a password
        ");
    }
}
