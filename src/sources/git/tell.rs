//! What is said of what was found: positions become ids, authors and times, and what has no path gets one that no file
//! can have.

use super::attribute::Attribution;
use super::object::{self, author, tag_fields};
use super::open::{Lease, Repo};
use super::refs::{Name, Way};
use super::report::Trouble;
use super::states::{Paths, ways};
use super::trails;
use super::walk::{Commit, History};
use crate::model::{Medium, Trail};
use crate::sources::limits::Limits;
use git2::{ObjectType, Oid};
use jiff::Timestamp;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Length of an id in hexadecimal digits.
const HEX: usize = 40;

/// Fewest commits that are read by one thread.
const TOGETHER: usize = 128;

/// Says of commits what a report needs.
pub(super) struct Teller<'a> {
    repo: &'a Repo,
    lease: Option<Lease<'a>>,
    history: &'a History,
    limits: &'a Limits,
    trouble: &'a Trouble,
    authors: BTreeMap<u32, Option<String>>,
}

impl<'a> Teller<'a> {
    pub(super) fn new(
        repo: &'a Repo,
        history: &'a History,
        limits: &'a Limits,
        trouble: &'a Trouble,
    ) -> Self {
        Self {
            repo,
            lease: repo.lease().ok(),
            history,
            limits,
            trouble,
            authors: BTreeMap::new(),
        }
    }

    /// The attributions of each of `wanted`: its paths in `found`, whose trails follow in the same order.
    pub(super) fn tell(
        mut self,
        wanted: &[Oid],
        found: &[Paths],
        trails: Vec<trails::Trail>,
    ) -> BTreeMap<Oid, Vec<Attribution>> {
        self.know(trails.iter().filter_map(|trail| trail.first).collect());
        let mut trails = trails.into_iter();
        let mut out = BTreeMap::new();
        for (id, places) in wanted.iter().zip(found) {
            let mut attributions: Vec<Attribution> = places
                .iter()
                .zip(&mut trails)
                .map(|((path, _), trail)| self.file(path, trail))
                .collect();
            if !attributions.is_empty() {
                attributions.sort();
                out.insert(*id, attributions);
            }
        }
        out
    }

    fn file(&mut self, path: &[u8], trail: trails::Trail) -> Attribution {
        let first = trail.first.and_then(|at| self.commit(at));
        let last = trail.last.and_then(|at| self.commit(at));
        let removed = trail.removed.and_then(|at| self.commit(at));
        let note = (trail.way == Way::Note)
            .then(|| note(path, &trail.branches))
            .flatten();
        let medium = if note.is_some() {
            Medium::Note
        } else {
            Medium::File
        };
        Attribution {
            path: note.unwrap_or_else(|| path.to_vec()),
            commit: first.map(|commit| commit.id),
            author: trail.first.and_then(|at| self.author(at)),
            first_seen: first.map(|commit| commit.time),
            // Clocks differ: a later commit can carry an earlier time.
            last_seen: first
                .map(|commit| commit.time)
                .max(last.map(|commit| commit.time)),
            at_head: trail.at_head,
            trail: Trail {
                medium,
                reached_by: Some(trail.way.reach()),
                last_commit: last.map(|commit| commit.id.to_string()),
                removed_in: removed.map(|commit| commit.id.to_string()),
                removed_at: removed.and_then(|commit| Timestamp::from_second(commit.time).ok()),
                branches: trail.branches,
                branches_total: trail.branches_total,
                ..Trail::default()
            },
        }
    }

    fn commit(&self, at: u32) -> Option<Commit> {
        self.history.commits.get(at as usize).copied()
    }

    /// Reads the authors of many commits at once.
    fn know(&mut self, commits: BTreeSet<u32>) {
        let commits: Vec<u32> = commits.into_iter().collect();
        let (repo, history) = (self.repo, self.history);
        let (limits, trouble) = (self.limits, self.trouble);
        let read = commits.par_iter().with_min_len(TOGETHER).map_init(
            || repo.lease().ok(),
            |lease, at| {
                let id = history.commits.get(*at as usize)?.id;
                Some((*at, read(lease.as_ref()?, id, limits, trouble, author)))
            },
        );
        let read: Vec<_> = read.flatten().collect();
        self.authors.extend(read);
    }

    fn author(&mut self, at: u32) -> Option<String> {
        if let Some(known) = self.authors.get(&at) {
            return known.clone();
        }
        let id = self.commit(at)?.id;
        let author = read(self.lease.as_ref()?, id, self.limits, self.trouble, author);
        self.authors.insert(at, author.clone());
        author
    }
}

fn read<T>(
    lease: &Lease<'_>,
    id: Oid,
    limits: &Limits,
    trouble: &Trouble,
    fields: impl FnOnce(&[u8]) -> Option<T>,
) -> Option<T> {
    let objects = lease.objects()?;
    match object::read(&objects, id, limits.max_object_bytes) {
        Ok(found) => fields(found.data()),
        Err(fault) => {
            trouble.fault(id, fault);
            None
        }
    }
}

/// The path of a note: which ref holds it, and what it annotates. Git spreads the digits of that id over folders.
fn note(path: &[u8], refs: &[String]) -> Option<Vec<u8>> {
    let hex: Vec<u8> = path.iter().filter(|&&byte| byte != b'/').copied().collect();
    let is_id = hex.len() == HEX && hex.iter().all(u8::is_ascii_hexdigit);
    let name = refs
        .iter()
        .find_map(|name| name.strip_prefix("refs/notes/"))?;
    is_id.then(|| [b".git/notes/", name.as_bytes(), b"/", &hex].concat())
}

/// A blob that no tree holds.
pub(super) fn nameless(id: Oid, name: &Name) -> Attribution {
    let path = if name.name.is_empty() {
        format!(".git/blob/{id}")
    } else {
        name.name.clone()
    };
    Attribution {
        path: path.into_bytes(),
        commit: None,
        author: None,
        first_seen: None,
        last_seen: None,
        at_head: false,
        trail: Trail {
            medium: Medium::Blob,
            reached_by: Some(name.way.reach()),
            branches: Some(name.name.clone())
                .filter(|name| !name.is_empty())
                .into_iter()
                .collect(),
            branches_total: u32::from(!name.name.is_empty()),
            ..Trail::default()
        },
    }
}

/// Says of messages whose they are. What is not in this history is left out.
pub(in crate::sources) fn attribute_messages(
    repo: &Repo,
    history: &History,
    ids: &[Oid],
    limits: &Limits,
    trouble: &Trouble,
) -> BTreeMap<Oid, Attribution> {
    let mut out = BTreeMap::new();
    if ids.is_empty() {
        return out;
    }
    let mut teller = Teller::new(repo, history, limits, trouble);
    for id in ids {
        if let Some(name) = history.tags.get(id)
            && let Some(found) = teller.tag(*id, name)
        {
            out.insert(*id, found);
        }
    }
    let at: Vec<u32> = (0_u32..)
        .zip(&history.commits)
        .filter(|(_, commit)| ids.binary_search(&commit.id).is_ok())
        .map(|(at, _)| at)
        .collect();
    let refs = trails::holders(history, &at);
    let ways = ways(history);
    for (at, (branches, branches_total)) in at.into_iter().zip(refs) {
        let Some(commit) = teller.commit(at) else {
            continue;
        };
        let way = ways.get(at as usize).copied();
        out.insert(
            commit.id,
            Attribution {
                path: format!(".git/commit/{}", commit.id).into_bytes(),
                commit: Some(commit.id),
                author: teller.author(at),
                first_seen: Some(commit.time),
                last_seen: Some(commit.time),
                at_head: false,
                trail: Trail {
                    medium: Medium::CommitMessage,
                    reached_by: way.map(Way::reach),
                    last_commit: Some(commit.id.to_string()),
                    branches,
                    branches_total,
                    ..Trail::default()
                },
            },
        );
    }
    out
}

impl Teller<'_> {
    fn tag(&self, id: Oid, name: &Name) -> Option<Attribution> {
        let objects = self.lease.as_ref().and_then(Lease::objects)?;
        let found = object::read(&objects, id, self.limits.max_object_bytes).ok()?;
        if found.kind() != ObjectType::Tag {
            return None;
        }
        let (title, tagger, time) = tag_fields(found.data());
        let short = name.name.strip_prefix("refs/tags/");
        let title = short.map_or(title, str::as_bytes);
        Some(Attribution {
            path: [b".git/tag/", title].concat(),
            commit: object::tag_target(found.data()),
            author: tagger,
            first_seen: time,
            last_seen: time,
            at_head: false,
            trail: Trail {
                medium: Medium::TagMessage,
                ..nameless(id, name).trail
            },
        })
    }
}
