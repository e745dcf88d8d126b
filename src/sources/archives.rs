//! Documents inside documents: what archives and compressed files hold is visited like any other document.

use super::files::count;
use super::place::{Located, Place};
use super::{Document, Origin};
use crate::model::{Coverage, CoverageStatus};
use crate::unpack::{self, Caps, Step, Unpacked};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Source word of this part of the coverage.
const SOURCE: &str = "archives";

/// What the visitor made of a document and of those inside it.
pub(super) struct Visited<T> {
    own: Option<T>,
    inside: Vec<(Vec<Step>, T)>,
}

/// Unpacks archives on their way to the visitor, and remembers what could not be unpacked.
pub(super) struct Archives {
    caps: Caps,
    max_notes: usize,
    tallies: Mutex<BTreeMap<String, Tally>>,
}

/// What was unpacked of one repository. Does not depend on the order of threads.
#[derive(Default)]
struct Tally {
    archives: u64,
    documents: u64,
    /// Unit and reason; of too many, the first by name.
    notes: BTreeSet<(String, &'static str)>,
    /// Notes beyond the cap.
    more: u64,
    /// Archives that only history holds, by what is wrong with them.
    past: BTreeMap<&'static str, u64>,
}

impl Archives {
    pub(super) const fn new(caps: Caps, max_notes: usize) -> Self {
        Self {
            caps,
            max_notes,
            tallies: Mutex::new(BTreeMap::new()),
        }
    }

    fn tallies(&self) -> MutexGuard<'_, BTreeMap<String, Tally>> {
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands `document` to `visit`, or, where it is an archive, the documents inside. One that cannot be unpacked whole
    /// is also visited as it is.
    pub(super) fn visit<T>(
        &self,
        document: &Document<'_>,
        visit: &impl Fn(&Document<'_>) -> Option<T>,
    ) -> Option<Visited<T>> {
        if unpack::recognise(document.bytes).is_none() {
            let own = visit(document)?;
            return Some(Visited {
                own: Some(own),
                inside: Vec::new(),
            });
        }
        let mut inside = Vec::new();
        let unpacked = unpack::unpack(document.bytes, &self.caps, &mut |steps, bytes| {
            let uri = document.uri.map(|uri| unpack::address(uri, steps));
            let value = visit(&Document {
                repository: document.repository,
                uri: uri.as_deref(),
                bytes,
                origin: Origin::Member,
            });
            inside.extend(value.map(|value| (steps.to_vec(), value)));
        });
        let whole = unpacked.documents > 0 && unpacked.notes.is_empty();
        self.remember(document, unpacked);
        let own = if whole { None } else { visit(document) };
        (own.is_some() || !inside.is_empty()).then_some(Visited { own, inside })
    }

    fn remember(&self, document: &Document<'_>, unpacked: Unpacked) {
        let mut tallies = self.tallies();
        let tally = tallies.entry(document.repository.to_owned()).or_default();
        tally.archives += 1;
        tally.documents += unpacked.documents;
        let Some(uri) = document.uri else {
            let reasons: BTreeSet<&str> = unpacked.notes.iter().map(|note| note.reason).collect();
            for reason in reasons {
                *tally.past.entry(reason).or_default() += 1;
            }
            return;
        };
        tally.more += unpacked.more;
        for note in unpacked.notes {
            let unit = format!(
                "{}/{}",
                document.repository,
                unpack::address(uri, &note.steps)
            );
            tally.notes.insert((unit, note.reason));
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
        for (repository, tally) in self.tallies().iter() {
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
                out.push(skipped(unit.clone(), (*reason).to_owned()));
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
