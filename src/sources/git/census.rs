//! What is noted of every commit and tree while the packs are gone through, so that none is read again.
//!
//! Of a tree that is stored as a change of another, only the change is noted: what it has that the other has not, and
//! the reverse.

use super::ids::Id;
use super::names::Names;
use super::object::{EntryKind, commit_ids, entries, message, oid};
use super::pack::{Kind, NONE, Object, Packs, Visitor};
use super::refs::Told;
use crate::model::Copied;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

/// Set in the number of an object that no pack has: the rest is its position among such objects.
pub(super) const OUTSIDE: u32 = 1 << 31;
/// Set in the name of an entry that is a tree.
const FOLDER: u32 = 1 << 31;

/// An entry of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    name: u32,
    /// Number of what it names; `NONE` for what is in another repository.
    pub(super) child: u32,
}

impl Edge {
    pub(super) fn new(name: u32, child: u32, tree: bool) -> Self {
        Self {
            name: name | if tree { FOLDER } else { 0 },
            child,
        }
    }

    pub(super) fn is_tree(self) -> bool {
        self.name & FOLDER != 0
    }

    /// Number of its name.
    pub(super) fn name(self) -> u32 {
        self.name & !FOLDER
    }

    /// The entry as bytes, for [`Edge::of_bytes`].
    pub(super) fn to_bytes(self) -> [u8; 8] {
        (u64::from(self.child) << 32 | u64::from(self.name)).to_le_bytes()
    }

    pub(super) fn of_bytes(bytes: [u8; 8]) -> Self {
        let both = u64::from_le_bytes(bytes);
        Self {
            name: both as u32,
            child: (both >> 32) as u32,
        }
    }

    /// The same entry, its name and its child numbered anew.
    pub(super) fn renumbered(self, name: impl Fn(u32) -> u32, child: impl Fn(u32) -> u32) -> Self {
        Self {
            name: name(self.name()) | self.name & FOLDER,
            child: child(self.child),
        }
    }
}

/// A tree as it was noted.
#[derive(Clone, Copy, Debug)]
pub(super) struct TreeNote {
    pub(super) number: u32,
    /// The tree that the rest is relative to, or `NONE`.
    pub(super) base: u32,
    /// First of its edges: those it has beside its base's, then those of its base that it has not.
    pub(super) at: u32,
    pub(super) added: u32,
    pub(super) removed: u32,
    /// All of it could be parsed.
    pub(super) intact: bool,
}

/// A commit as it was noted.
#[derive(Clone, Copy, Debug)]
pub(super) struct CommitNote {
    pub(super) number: u32,
    pub(super) tree: u32,
    /// First of its parents.
    pub(super) at: u32,
    pub(super) parents: u32,
    /// Committer time, seconds since 1970.
    pub(super) time: i64,
}

/// What one thread noted.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) trees: Vec<TreeNote>,
    pub(super) edges: Vec<Edge>,
    pub(super) commits: Vec<CommitNote>,
    pub(super) parents: Vec<u32>,
    pub(super) names: Names,
    /// Objects that are named and in no pack, by the order in which they were met.
    pub(super) outside: BTreeMap<Id, u32>,
    /// Tells these notes, and the numbers of names and outside objects in them, from those of other threads.
    owner: u32,
    removed: Vec<Edge>,
}

/// The entries of a tree, kept while others are made out of it.
#[derive(Default)]
pub(super) struct Layout {
    /// Whose numbers its edges have.
    owner: u32,
    /// Its number, when others may be noted relative to it.
    number: Option<u32>,
    /// Where each entry begins, and where the last one ends.
    starts: Vec<u32>,
    edges: Vec<Edge>,
}

/// Takes commits and trees.
pub(super) struct Census<'a> {
    pub(super) packs: &'a Packs,
    /// Handed the message of every commit.
    pub(super) told: Told<'a>,
    /// Threads that take notes.
    pub(super) owners: AtomicU32,
}

impl Visitor for Census<'_> {
    type Kept = Layout;
    type Local = Notes;

    fn local(&self) -> Notes {
        Notes {
            owner: self.owners.fetch_add(1, Ordering::Relaxed),
            ..Notes::default()
        }
    }

    fn object(&self, notes: &mut Notes, object: &Object<'_, Layout>) -> Layout {
        match object.kind {
            Kind::Tree => self.tree(notes, object),
            Kind::Commit if object.wanted => {
                self.commit(notes, object.number, object.text);
                Layout::default()
            }
            Kind::Commit | Kind::Blob | Kind::Tag => Layout::default(),
        }
    }
}

impl Census<'_> {
    fn number(&self, notes: &mut Notes, id: &Id) -> u32 {
        self.packs.number(id).unwrap_or_else(|| {
            let next = notes.outside.len() as u32;
            OUTSIDE | *notes.outside.entry(*id).or_insert(next)
        })
    }

    /// Notes a commit; one that cannot be parsed is not noted.
    fn commit(&self, notes: &mut Notes, number: u32, text: &[u8]) {
        let id = self.packs.ids().get(number as usize);
        (self.told)(oid(&id.copied().unwrap_or_default()), message(text));
        let at = notes.parents.len();
        let fields = commit_ids(text, |parent| {
            let parent = self.number(notes, &parent);
            notes.parents.push(parent);
        });
        let Some((tree, time)) = fields else {
            notes.parents.truncate(at);
            return;
        };
        let tree = self.number(notes, &tree);
        notes.commits.push(CommitNote {
            number,
            tree,
            at: at as u32,
            parents: (notes.parents.len() - at) as u32,
            time,
        });
    }

    fn tree(&self, notes: &mut Notes, object: &Object<'_, Layout>) -> Layout {
        let begin = notes.edges.len();
        // What another thread made has that thread's numbers: a tree made out of it is noted whole.
        let base = object
            .base
            .filter(|(layout, _)| layout.owner == notes.owner);
        self.relative(notes, object, base, true)
            .or_else(|| {
                notes.edges.truncate(begin);
                notes.removed.clear();
                self.relative(notes, object, None, false)
            })
            .unwrap_or_default()
    }

    /// Notes a tree relative to its base. `None` when `ordered` and the entries are not in the order that git asks for:
    /// one that is there twice could not be told from one that is there once, so such a tree is noted whole, and so is
    /// what is made out of it.
    fn relative(
        &self,
        notes: &mut Notes,
        object: &Object<'_, Layout>,
        base: Option<(&Layout, &[Copied])>,
        ordered: bool,
    ) -> Option<Layout> {
        let nothing = Layout::default();
        let (base, copied) = base.unwrap_or((&nothing, &[]));
        let relative = object.wanted && base.number.is_some();
        let begin = notes.edges.len();
        let mut out = Layout {
            owner: notes.owner,
            number: (object.wanted && ordered).then_some(object.number),
            ..Layout::default()
        };
        let mut intact = true;
        let mut stretches = copied.iter().peekable();
        // The next entry of the base that may be taken over, the next byte of the text, the entry before that.
        let (mut next, mut at, mut last) = (0, 0, None);
        while at < object.text.len() {
            while stretches.next_if(|one| one.to + one.len <= at).is_some() {}
            let same = stretches
                .peek()
                .and_then(|stretch| base.shared(stretch, at, next));
            if let Some((from, to)) = same {
                let edges = base.edges.get(from..to)?;
                let starts = base.starts.get(from..=to)?;
                let (start, end) = (starts.first()?, starts.last()?);
                if ordered && !notes.ascend(last, *edges.first()?) {
                    return None;
                }
                last = edges.last().copied();
                if relative {
                    let passed = base.edges.get(next..from).unwrap_or_default();
                    notes.removed.extend_from_slice(passed);
                } else if object.wanted {
                    notes.edges.extend_from_slice(edges);
                }
                if !object.leaf {
                    out.edges.extend_from_slice(edges);
                    let ours = starts.iter().map(|one| one - start + at as u32);
                    out.starts.extend(ours.take(edges.len()));
                }
                at += (end - start) as usize;
                next = to;
                continue;
            }
            let mut one = entries(object.text.get(at..).unwrap_or_default());
            let Some(entry) = one.next() else {
                intact = false;
                break;
            };
            let child = match entry.kind {
                EntryKind::Submodule => NONE,
                EntryKind::Tree | EntryKind::File | EntryKind::Link => {
                    self.number(notes, &entry.id)
                }
            };
            let name = notes.names.number(entry.name);
            let edge = Edge::new(name, child, entry.kind == EntryKind::Tree);
            if ordered && !notes.ascend(last, edge) {
                return None;
            }
            last = Some(edge);
            if object.wanted {
                notes.edges.push(edge);
            }
            if !object.leaf {
                out.edges.push(edge);
                out.starts.push(at as u32);
            }
            at = object.text.len() - one.left();
        }
        if !object.leaf {
            out.starts.push(at as u32);
        }
        if object.wanted {
            let added = notes.edges.len() - begin;
            if relative {
                let passed = base.edges.get(next..).unwrap_or_default();
                notes.removed.extend_from_slice(passed);
                notes.edges.append(&mut notes.removed);
            }
            notes.trees.push(TreeNote {
                number: object.number,
                base: base.number.filter(|_| relative).unwrap_or(NONE),
                at: begin as u32,
                added: added as u32,
                removed: (notes.edges.len() - begin - added) as u32,
                intact,
            });
        }
        Some(out)
    }
}

impl Notes {
    /// Whether two entries may follow one another: by name, with that of a folder ending in a slash.
    fn ascend(&self, before: Option<Edge>, after: Edge) -> bool {
        let key = |edge: Edge| {
            let slash: &[u8] = if edge.is_tree() { b"/" } else { b"" };
            self.names.get(edge.name()).iter().chain(slash)
        };
        before.is_none_or(|before| key(before).lt(key(after)))
    }
}

impl Layout {
    /// The entries, from `next` on, that a text has at `at` because they lie in this stretch.
    fn shared(&self, stretch: &Copied, at: usize, next: usize) -> Option<(usize, usize)> {
        let source = at.checked_sub(stretch.to)? + stretch.from;
        let end = stretch.from + stretch.len;
        let starts = self.starts.get(next..)?;
        let from = starts.binary_search(&u32::try_from(source).ok()?).ok()?;
        let inside = starts.partition_point(|start| *start as usize <= end);
        let to = inside.checked_sub(1)?;
        (to > from).then_some((next + from, next + to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, id: u8) -> Vec<u8> {
        [format!("100644 {name}\0").as_bytes(), &[id; 20]].concat()
    }

    fn names<'a>(notes: &'a Notes, edges: &[Edge]) -> Vec<&'a [u8]> {
        let name = |edge: &Edge| notes.names.get(edge.name());
        edges.iter().map(name).collect()
    }

    #[test]
    fn a_tree_is_noted_as_what_it_changes_unless_another_thread_noted_its_base() {
        let packs = Packs::default();
        let census = Census {
            packs: &packs,
            told: &|_, _| {},
            owners: AtomicU32::new(0),
        };
        let base = [entry("a", 1), entry("b", 2), entry("d", 4)].concat();
        let text = [entry("b", 2), entry("c", 3), entry("d", 4)].concat();
        let each = entry("a", 1).len();
        let stretch = |to: usize, from: usize| Copied {
            to: to * each,
            from: from * each,
            len: each,
        };
        let copied = [stretch(0, 1), stretch(2, 2)];
        let whole = Object {
            number: 0,
            kind: Kind::Tree,
            text: &base,
            base: None,
            wanted: true,
            leaf: false,
        };
        let mut notes = census.local();
        let layout = census.object(&mut notes, &whole);
        let derived = Object {
            number: 1,
            text: &text,
            base: Some((&layout, copied.as_slice())),
            ..whole
        };
        let here = census.object(&mut notes, &derived);
        let note = notes.trees[1];
        assert_eq!((note.base, note.added, note.removed), (0, 1, 1));
        let at = note.at as usize;
        assert_eq!(names(&notes, &notes.edges[at..at + 2]), [b"c", b"a"]);
        assert_eq!(names(&notes, &here.edges), [b"b", b"c", b"d"]);

        let mut notes = census.local();
        let there = census.object(&mut notes, &derived);
        let note = notes.trees[0];
        assert_eq!((note.base, note.added, note.removed), (NONE, 3, 0));
        assert_eq!(names(&notes, &there.edges), [b"b", b"c", b"d"]);
    }
}
