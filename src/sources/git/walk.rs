//! The commits of a repository in topological order, and the distinct blobs their trees hold.

use super::graph::Graph;
use super::ids::bytes;
use super::object::{Objects, oid};
use super::open::Repo;
use super::pack::{Bits, NONE, SharedBits};
use super::parents::Parents;
use super::reach::Below;
use super::refs::{Name, Tips, Told, tips};
use super::report::Trouble;
use super::unreachable::Stored;
use crate::sources::limits::Limits;
use git2::Oid;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// One commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Commit {
    pub(super) id: Oid,
    /// Number of its root tree.
    pub(super) tree: u32,
    /// Committer time, seconds since 1970.
    pub(super) time: i64,
}

/// The history of one repository.
#[derive(Default)]
pub(in crate::sources) struct History {
    /// Commits, parents before children; ties by time, then id.
    pub(super) commits: Vec<Commit>,
    /// Positions of the parents of each commit.
    pub(super) parents: Parents,
    /// Trees that refs point at directly, and those that nothing leads to.
    pub(super) trees: BTreeMap<Oid, Name>,
    /// Blobs that refs point at directly, and those that nothing leads to.
    pub(super) blobs: BTreeMap<Oid, Name>,
    /// Annotated tags.
    pub(super) tags: BTreeMap<Oid, Name>,
    /// Positions of the commits that something leads to directly, with every name for them.
    pub(super) tips: Vec<(u32, Name)>,
    /// Position of HEAD's commit.
    pub(super) head: Option<usize>,
    /// Full name of the branch HEAD stands on.
    pub(super) head_branch: Option<String>,
    /// Every distinct blob to read, sorted.
    pub(in crate::sources) wanted: Vec<Oid>,
    /// Its commits and trees as they were read.
    pub(super) graph: Option<Graph>,
    /// Number of its commits, when only that is left of them.
    let_go: Option<u64>,
}

impl History {
    /// A history that an earlier run has walked.
    pub(in crate::sources) fn of(commits: u64, wanted: Vec<Oid>) -> Self {
        Self {
            let_go: Some(commits),
            wanted,
            ..Self::default()
        }
    }

    /// Number of commits.
    pub(in crate::sources) fn commits(&self) -> u64 {
        self.let_go.unwrap_or(self.commits.len() as u64)
    }

    /// About how many bytes it takes up.
    pub(in crate::sources) fn weight(&self) -> usize {
        let graph = self.graph.as_ref().map_or(0, Graph::weight);
        graph + self.commits.len() * (size_of::<Commit>() + 2 * size_of::<u32>())
    }

    /// Keeps no more than what there is to read, and the number of commits.
    pub(in crate::sources) fn let_go(&mut self) {
        *self = Self {
            let_go: Some(self.commits()),
            wanted: std::mem::take(&mut self.wanted),
            ..Self::default()
        };
    }

    /// Whether it would have to be walked again to say anything of its commits.
    pub(in crate::sources) fn is_let_go(&self) -> bool {
        self.let_go.is_some()
    }
}

/// Walks all refs. With `since`, only blobs that are not in the trees of earlier commits at the border are wanted; with
/// `unreachable`, also what nothing leads to. `told` is handed the message of every commit and annotated tag, and may be
/// handed messages of others in the same store.
pub(in crate::sources) fn walk(
    repo: &Repo,
    since: Option<i64>,
    unreachable: bool,
    limits: &Limits,
    trouble: &Trouble,
    told: Told<'_>,
) -> History {
    let Ok(lease) = repo.lease() else {
        trouble.note("the repository cannot be opened a second time: run the scan again");
        return History::default();
    };
    let Some(objects) = lease.objects() else {
        trouble.note("the object store cannot be opened: run `git fsck`");
        return History::default();
    };
    let cap = limits.max_object_bytes;
    let mut tips = tips(repo, &lease, cap, trouble, told);
    let mut graph = Graph::read(repo, limits, told);
    if limits.halt.called() {
        return History::default();
    }
    let mut line = Line::default();
    let reader = Reader {
        repo,
        objects: &objects,
        limits,
        told,
    };
    line.load(&mut graph, &tips, &reader, trouble);
    let ordinary = line.commits.len();
    let stored = unreachable.then(|| Stored::list(repo, &lease, trouble));
    // What nothing leads to may be half gone: git deletes it object by object.
    let quiet = Trouble::default();
    if let Some(stored) = &stored {
        stored.lost_tips(&mut tips, &lease, cap, &quiet, told, |id| {
            line.has_met(&graph, id)
        });
        line.load(&mut graph, &tips, &reader, &quiet);
    }
    if limits.halt.called() {
        return History::default();
    }
    graph.let_commits_go();
    line.by_position();
    let named: Vec<u32> = graph.numbers(tips.trees.keys());
    let roots = |commits: &[Commit], since: Option<i64>| {
        let chosen = |commit: &&Commit| since.is_none_or(|since| commit.time >= since);
        let of_commits = commits.iter().filter(chosen).map(|commit| commit.tree);
        of_commits
            .chain(named.iter().copied())
            .collect::<Vec<u32>>()
    };
    let (ordinary, all) = (line.commits.get(..ordinary), line.commits.as_slice());
    let ordinary = ordinary.unwrap_or(all);
    let mut below = Below::new(&objects, limits);
    let (mut old, mut new) = (SharedBits::default(), SharedBits::default());
    let mut order = Vec::new();
    rayon::in_place_scope(|scope| {
        scope.spawn(|_| order = line.topological());
        if let Some(since) = since {
            below.add(&mut graph, line.border(since), &mut old, trouble);
        }
        below.add(&mut graph, roots(ordinary, since), &mut new, trouble);
    });
    let mut history = line.history(&graph, &order, tips);
    history.wanted = new
        .into_bits()
        .iter()
        .filter(|number| !old.has(*number))
        .map(|number| oid(&graph.id(number)))
        .collect();
    if since.is_some() {
        // Who brought something in is asked of all commits, and in silence: what is old was not asked for.
        below.add(&mut graph, roots(ordinary, None), &mut old, &quiet);
    }
    if let Some(stored) = &stored {
        let mut more = SharedBits::default();
        below.add(&mut graph, roots(all, None), &mut more, &quiet);
        if since.is_none() {
            let trees = stored.lost_trees(&lease, cap, |id| {
                let number = graph.known(&bytes(id));
                number.is_some_and(|number| below.has_met(number))
            });
            let numbers = graph.numbers(&trees);
            below.add(&mut graph, numbers, &mut more, &quiet);
            let more = more.into_bits();
            let more = more.iter().map(|number| oid(&graph.id(number)));
            history
                .wanted
                .extend(more.filter(|id| stored.has_blob(*id)));
            history.wanted.sort_unstable();
            history.wanted.dedup();
            let blobs = stored.lost_blobs(&history.wanted);
            history.add_lost(trees, blobs);
        }
    }
    history.wanted.extend(history.blobs.keys());
    history.wanted.sort_unstable();
    history.wanted.dedup();
    history.graph = Some(graph);
    history
}

impl History {
    /// Adds trees and blobs that nothing leads to.
    fn add_lost(&mut self, trees: Vec<Oid>, blobs: Vec<Oid>) {
        for (list, ids) in [(&mut self.trees, trees), (&mut self.blobs, blobs)] {
            for id in ids {
                list.entry(id).or_insert_with(Name::none);
            }
        }
    }
}

/// How commits are read that no pack gave.
struct Reader<'a> {
    repo: &'a Repo,
    objects: &'a Objects<'a>,
    limits: &'a Limits,
    told: Told<'a>,
}

/// The commits as they were met, with their parents.
#[derive(Default)]
struct Line {
    commits: Vec<Commit>,
    /// Numbers, later positions, of their parents.
    parents: Parents,
    /// Numbers that were looked at.
    met: Bits,
    /// Of each number, the position of its commit.
    positions: Vec<u32>,
}

impl Line {
    /// Adds everything that the tips lead to.
    fn load(&mut self, graph: &mut Graph, tips: &Tips, reader: &Reader<'_>, trouble: &Trouble) {
        let tips = tips.commits.keys();
        let mut pending: Vec<u32> = graph.numbers(tips);
        while let Some(number) = pending.pop() {
            if reader.limits.halt.called() {
                return;
            }
            self.met.grow(graph.len());
            if !self.met.insert(number) {
                continue;
            }
            let id = oid(&graph.id(number));
            let read = graph.commit(number, reader.objects, reader.limits, reader.told);
            let mut fields = match read {
                Ok(fields) => fields,
                Err(fault) => {
                    trouble.fault(id, fault);
                    continue;
                }
            };
            if self.positions.len() < graph.len() {
                self.positions.resize(graph.len(), NONE);
            }
            self.positions[number as usize] = self.commits.len() as u32;
            self.commits.push(Commit {
                id,
                tree: fields.tree,
                time: fields.time,
            });
            if reader.repo.shallow.contains(&id) {
                fields.parents.clear();
            }
            pending.extend(&fields.parents);
            self.parents.add(fields.parents);
        }
    }

    fn has_met(&self, graph: &Graph, id: Oid) -> bool {
        let number = graph.known(&bytes(id));
        number.is_some_and(|number| self.met.has(number))
    }

    /// The position of a commit; `None` for one that cannot be read.
    fn at(&self, graph: &Graph, id: Oid) -> Option<u32> {
        let number = graph.known(&bytes(id))?;
        let at = self.positions.get(number as usize).copied();
        at.filter(|at| *at != NONE)
    }

    /// The history in this order.
    fn history(&self, graph: &Graph, order: &[usize], tips: Tips) -> History {
        let mut place = vec![0_u32; order.len()];
        for (to, &from) in order.iter().enumerate() {
            place[from] = to as u32;
        }
        let at = |id: Oid| Some(place[self.at(graph, id)? as usize]);
        let mut named: Vec<(u32, Name)> = tips
            .commits
            .iter()
            .filter_map(|(id, names)| Some((at(*id)?, names)))
            .flat_map(|(at, names)| names.iter().map(move |name| (at, name.clone())))
            .collect();
        named.sort();
        let mut parents = Parents::for_some(order.len(), self.parents.total());
        for &from in order {
            let of = self.parents.of(from).iter();
            parents.add(of.map(|&parent| place[parent as usize]));
        }
        History {
            commits: order.iter().map(|&from| self.commits[from]).collect(),
            parents,
            tips: named,
            head: tips.head.and_then(at).map(|at| at as usize),
            head_branch: tips.head_branch,
            trees: tips.trees,
            blobs: tips.blobs,
            tags: tips.tags,
            wanted: Vec::new(),
            graph: None,
            let_go: None,
        }
    }

    /// Turns the numbers of parents into positions. Those that could not be read are left out.
    fn by_position(&mut self) {
        let mut kept = Parents::for_some(self.commits.len(), self.parents.total());
        for parents in self.parents.iter() {
            let known = |number: &u32| self.positions.get(*number as usize).copied();
            let positions = parents.iter().filter_map(known);
            kept.add(positions.filter(|parent| *parent != NONE));
        }
        self.parents = kept;
    }

    /// Positions, parents before children; among those that are free to go, the earliest, then the smallest id.
    fn topological(&self) -> Vec<usize> {
        let mut waiting: Vec<u32> = Vec::with_capacity(self.commits.len());
        let mut starts = vec![0_u32; self.commits.len() + 2];
        for at in 0..self.commits.len() {
            waiting.push(self.parents.of(at).len() as u32);
            for &parent in self.parents.of(at) {
                starts[parent as usize + 2] += 1;
            }
        }
        let mut total = 0;
        for start in &mut starts {
            total += *start;
            *start = total;
        }
        // `children[starts[c]..starts[c + 1]]` are those of commit `c`, once all are in their places.
        let mut children = vec![0_u32; self.parents.total()];
        for at in 0..self.commits.len() {
            for &parent in self.parents.of(at) {
                let next = &mut starts[parent as usize + 1];
                children[*next as usize] = at as u32;
                *next += 1;
            }
        }
        let key = |at: usize| Reverse((self.commits[at].time, bytes(self.commits[at].id), at));
        let mut ready: BinaryHeap<_> = (0..self.commits.len())
            .filter(|&at| waiting[at] == 0)
            .map(key)
            .collect();
        let mut order = Vec::with_capacity(self.commits.len());
        while let Some(Reverse((_, _, at))) = ready.pop() {
            order.push(at);
            for &child in &children[starts[at] as usize..starts[at + 1] as usize] {
                let child = child as usize;
                waiting[child] -= 1;
                if waiting[child] == 0 {
                    ready.push(key(child));
                }
            }
        }
        order
    }

    /// The root trees of commits before `since` that have a child at or after it.
    fn border(&self, since: i64) -> Vec<u32> {
        let mut trees: Vec<u32> = (0..self.commits.len())
            .filter(|&at| self.commits[at].time >= since)
            .flat_map(|at| self.parents.of(at))
            .map(|&parent| &self.commits[parent as usize])
            .filter(|parent| parent.time < since)
            .map(|parent| parent.tree)
            .collect();
        trees.sort_unstable();
        trees.dedup();
        trees
    }
}
