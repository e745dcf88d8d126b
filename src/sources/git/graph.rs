//! The commits and trees of a repository by number, and what can be reached from where.

use super::census::{Census, CommitNote, Edge, Notes, OUTSIDE, TreeNote};
use super::ids::Id;
use super::names::Names;
use super::object::{self, EntryKind, Objects, commit_fields, entries, message, oid};
use super::open::Repo;
use super::pack::{Bits, Kind, NONE, Packs};
use super::refs::Told;
use super::report::{Fault, Trouble};
use crate::sources::limits::Limits;
use git2::{ObjectType, Oid};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

/// A commit: its tree, its parents, its committer's time.
pub(super) struct CommitOf {
    pub(super) tree: u32,
    pub(super) parents: Vec<u32>,
    pub(super) time: i64,
}

/// Edges that a thread numbers anew before it asks for more.
const EDGES_AT_ONCE: usize = 1 << 14;

/// Commits and trees, from the packs at once and from elsewhere as they are asked for.
pub(super) struct Graph {
    packs: Arc<Packs>,
    /// Ids of the objects that no pack has; their numbers go on behind those of the packs.
    outside: Vec<Id>,
    outside_numbers: BTreeMap<Id, u32>,
    names: Names,
    /// Edges as the threads noted them; last, those from outside the packs.
    edges: Vec<Vec<Edge>>,
    trees: Vec<(u32, TreeNote)>,
    commits: Vec<(u32, CommitNote)>,
    parents: Vec<Vec<u32>>,
    /// Of each number, where its commit or tree is in those lists.
    notes: Vec<u32>,
}

impl Graph {
    /// Goes through the packs of a repository. `told` is handed the message of every commit in them.
    pub(super) fn read(repo: &Repo, limits: &Limits, told: Told<'_>) -> Self {
        let packs = repo.packs();
        let mut wanted = Bits::new(packs.len());
        for number in 0..packs.len() as u32 {
            if matches!(packs.kind(number), Some(Kind::Commit | Kind::Tree)) {
                wanted.insert(number);
            }
        }
        let census = Census {
            packs: &packs,
            told,
            owners: AtomicU32::new(0),
        };
        let read = packs.traverse(&wanted, limits, &census);
        drop(wanted);
        let mut graph = Self {
            outside: Vec::new(),
            outside_numbers: BTreeMap::new(),
            names: Names::default(),
            edges: Vec::new(),
            trees: Vec::new(),
            commits: Vec::new(),
            parents: Vec::new(),
            notes: vec![NONE; packs.len()],
            packs,
        };
        for notes in read.locals {
            graph.take(notes);
        }
        graph.edges.push(Vec::new());
        graph
    }

    /// Takes over what one thread noted.
    fn take(&mut self, mut notes: Notes) {
        let mut outside = vec![NONE; notes.outside.len()];
        for (id, at) in std::mem::take(&mut notes.outside) {
            outside[at as usize] = self.number(&id);
        }
        let child = |child: u32| {
            if child == NONE || child & OUTSIDE == 0 {
                child
            } else {
                outside[(child & !OUTSIDE) as usize]
            }
        };
        let mut names: Vec<u32> = Vec::new();
        if self.names.len() == 0 {
            self.names = std::mem::take(&mut notes.names);
        } else {
            let of_notes = (0..notes.names.len() as u32).map(|name| notes.names.get(name));
            names.extend(of_notes.map(|name| self.names.number(name)));
        }
        if !names.is_empty() || !outside.is_empty() {
            let name = |name: u32| names.get(name as usize).copied().unwrap_or(name);
            let edges = notes.edges.par_iter_mut().with_min_len(EDGES_AT_ONCE);
            edges.for_each(|edge| *edge = edge.renumbered(name, child));
        }
        for parent in &mut notes.parents {
            *parent = child(*parent);
        }
        let list = self.edges.len() as u32;
        self.trees.reserve_exact(notes.trees.len());
        self.commits.reserve_exact(notes.commits.len());
        for tree in notes.trees {
            self.notes[tree.number as usize] = self.trees.len() as u32;
            self.trees.push((list, tree));
        }
        for mut commit in notes.commits {
            commit.tree = child(commit.tree);
            self.notes[commit.number as usize] = self.commits.len() as u32;
            self.commits.push((list, commit));
        }
        self.edges.push(notes.edges);
        self.parents.push(notes.parents);
    }

    /// Lets go of the commits, when all were asked for.
    pub(super) fn let_commits_go(&mut self) {
        self.commits = Vec::new();
        self.parents = Vec::new();
    }

    /// About how many bytes it takes up, the tables of the packs included.
    pub(super) fn weight(&self) -> usize {
        let edges: usize = self.edges.iter().map(Vec::len).sum();
        let parents: usize = self.parents.iter().map(Vec::len).sum();
        self.packs.weight()
            + size_of_val(self.outside.as_slice())
            + edges * size_of::<Edge>()
            + parents * size_of::<u32>()
            + size_of_val(self.trees.as_slice())
            + size_of_val(self.commits.as_slice())
            + size_of_val(self.notes.as_slice())
    }

    /// How many numbers there are.
    pub(super) fn len(&self) -> usize {
        self.packs.len() + self.outside.len()
    }

    /// The number of an id, a new one if need be.
    pub(super) fn number(&mut self, id: &Id) -> u32 {
        self.known(id).unwrap_or_else(|| {
            let number = self.len() as u32;
            self.outside.push(*id);
            self.outside_numbers.insert(*id, number);
            number
        })
    }

    /// The same of many.
    pub(super) fn numbers<'a>(&mut self, ids: impl IntoIterator<Item = &'a Oid>) -> Vec<u32> {
        ids.into_iter()
            .map(|id| self.number(&super::ids::bytes(*id)))
            .collect()
    }

    /// The number of an id that a pack, a commit or a tree has named.
    pub(super) fn known(&self, id: &Id) -> Option<u32> {
        self.packs
            .number(id)
            .or_else(|| self.outside_numbers.get(id).copied())
    }

    /// The id of a number.
    pub(super) fn id(&self, number: u32) -> Id {
        let at = number as usize;
        let packed = self.packs.ids();
        packed
            .get(at)
            .or_else(|| self.outside.get(at.checked_sub(packed.len())?))
            .copied()
            .unwrap_or_default()
    }

    /// Of each tree that was noted, the place of the one that it is relative to, or `NONE`.
    pub(super) fn bases(&self) -> Vec<u32> {
        let places = (0..self.trees.len() as u32).into_par_iter();
        places.map(|at| self.base(at).unwrap_or(NONE)).collect()
    }

    /// The places of the trees that each thread noted: a tree is relative to one of the same thread.
    pub(super) fn threads(&self) -> Vec<Range<u32>> {
        let mut places = 0..0;
        let threads = self.trees.chunk_by(|(one, _), (other, _)| one == other);
        threads
            .map(|trees| {
                places = places.end..places.end + trees.len() as u32;
                places.clone()
            })
            .collect()
    }

    /// The number of the tree that was noted at a place.
    pub(super) fn noted(&self, at: u32) -> Option<u32> {
        self.trees.get(at as usize).map(|(_, note)| note.number)
    }

    /// A noted tree, and its place in the order in which they were noted.
    pub(super) fn tree(&self, number: u32) -> Option<(u32, &TreeNote)> {
        let at = *self.notes.get(number as usize)?;
        let (_, note) = self.trees.get(at as usize)?;
        (note.number == number).then_some((at, note))
    }

    /// What a tree has beside its base.
    pub(super) fn added(&self, at: u32) -> &[Edge] {
        self.change(at, |note| {
            let start = note.at as usize;
            start..start + note.added as usize
        })
    }

    /// What its base has and it has not.
    pub(super) fn removed(&self, at: u32) -> &[Edge] {
        self.change(at, |note| {
            let start = note.at as usize + note.added as usize;
            start..start + note.removed as usize
        })
    }

    fn change(&self, at: u32, range: impl FnOnce(&TreeNote) -> Range<usize>) -> &[Edge] {
        let found = self
            .trees
            .get(at as usize)
            .and_then(|(list, note)| self.edges.get(*list as usize)?.get(range(note)));
        found.unwrap_or_default()
    }

    /// The bytes of a name.
    pub(super) fn name(&self, name: u32) -> &[u8] {
        self.names.get(name)
    }

    /// All entries of a tree of which `keep` says so, those of its bases included.
    pub(super) fn whole(&self, at: u32, keep: impl Fn(Edge) -> bool) -> Vec<Edge> {
        let mut chain = vec![at];
        let mut base = self.base(at);
        while let Some(next) = base {
            chain.push(next);
            base = self.base(next);
        }
        let mut out: Vec<Edge> = Vec::new();
        for at in chain.into_iter().rev() {
            self.apply(at, &mut out, &keep);
        }
        out
    }

    /// Turns the entries of a tree's base into its own; both in ascending order.
    pub(super) fn apply(&self, at: u32, entries: &mut Vec<Edge>, keep: impl Fn(Edge) -> bool) {
        for edge in self.removed(at).iter().filter(|edge| keep(**edge)) {
            if let Ok(place) = entries.binary_search(edge) {
                entries.remove(place);
            }
        }
        entries.extend(self.added(at).iter().copied().filter(|edge| keep(*edge)));
        entries.sort_unstable();
    }

    /// The place of the tree that another is relative to.
    pub(super) fn base(&self, at: u32) -> Option<u32> {
        let (_, note) = self.trees.get(at as usize)?;
        if note.base == NONE {
            return None;
        }
        self.tree(note.base).map(|(at, _)| at)
    }

    /// A commit, from the packs or else as libgit2 reads it; then `told` is handed its message.
    pub(super) fn commit(
        &mut self,
        number: u32,
        objects: &Objects<'_>,
        limits: &Limits,
        told: Told<'_>,
    ) -> Result<CommitOf, Fault> {
        let noted = self.notes.get(number as usize);
        if let Some((list, note)) = noted.and_then(|at| self.commits.get(*at as usize))
            && note.number == number
        {
            let start = note.at as usize;
            let parents = self
                .parents
                .get(*list as usize)
                .and_then(|list| list.get(start..start + note.parents as usize));
            return Ok(CommitOf {
                tree: note.tree,
                parents: parents.unwrap_or_default().to_vec(),
                time: note.time,
            });
        }
        let id = oid(&self.id(number));
        let found = object::read(objects, id, limits.max_object_bytes)?;
        if found.kind() != ObjectType::Commit {
            return Err(Fault::Corrupt);
        }
        told(id, message(found.data()));
        let fields = commit_fields(found.data()).ok_or(Fault::Corrupt)?;
        Ok(CommitOf {
            tree: self.number(&super::ids::bytes(fields.tree)),
            parents: fields
                .parents
                .iter()
                .map(|id| self.number(&super::ids::bytes(*id)))
                .collect(),
            time: fields.time,
        })
    }

    /// Notes a tree that the packs did not give. `None` when it cannot be read, which is reported.
    pub(super) fn fetch(
        &mut self,
        number: u32,
        objects: &Objects<'_>,
        limits: &Limits,
        trouble: &Trouble,
    ) -> Option<u32> {
        let id: Oid = oid(&self.id(number));
        let found = match object::read(objects, id, limits.max_object_bytes) {
            Ok(found) if found.kind() == ObjectType::Tree => found,
            Ok(_) => {
                trouble.fault(id, Fault::Corrupt);
                return None;
            }
            Err(fault) => {
                trouble.fault(id, fault);
                return None;
            }
        };
        let list = self.edges.len().checked_sub(1)?;
        let begin = self.edges.get(list)?.len();
        let mut all = entries(found.data());
        for entry in all.by_ref() {
            let child = match entry.kind {
                EntryKind::Submodule => NONE,
                EntryKind::Tree | EntryKind::File | EntryKind::Link => self.number(&entry.id),
            };
            let name = self.names.number(entry.name);
            let edge = Edge::new(name, child, entry.kind == EntryKind::Tree);
            self.edges.get_mut(list)?.push(edge);
        }
        let note = TreeNote {
            number,
            base: NONE,
            at: begin as u32,
            added: (self.edges.get(list)?.len() - begin) as u32,
            removed: 0,
            intact: all.intact(),
        };
        let at = self.trees.len() as u32;
        self.trees.push((list as u32, note));
        if self.notes.len() <= number as usize {
            self.notes.resize(self.len(), NONE);
        }
        *self.notes.get_mut(number as usize)? = at;
        Some(at)
    }
}
