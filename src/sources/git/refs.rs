//! Where a history begins: every ref, HEAD, the HEADs of linked work trees, the stash, the reflogs.

use super::ids::bytes;
use super::object::{self, message, tag_target};
use super::open::{Lease, Repo, small_file};
use super::pack::Kind;
use super::reflogs::reflogs;
use super::report::{Fault, Trouble};
use crate::model::Reach;
use git2::{ErrorCode, ObjectType, Oid};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// Deepest chain of tags that point at tags.
const MAX_TAG_CHAIN: usize = 32;
/// Most unreadable refs that are skipped before the rest is given up.
const MAX_BAD_REFS: usize = 10_000;

/// What leads to an object, the most public way first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    Branch,
    Tag,
    Ref,
    /// A ref below `refs/notes/`: what its trees name are not files but objects.
    Note,
    Stash,
    Reflog,
    Nothing,
}

impl Way {
    fn of(name: &str) -> Self {
        let below = |folder: &str| name.starts_with(folder);
        if name == "refs/stash" {
            Self::Stash
        } else if below("refs/heads/") || below("refs/remotes/") || !below("refs/") {
            Self::Branch
        } else if below("refs/tags/") {
            Self::Tag
        } else if below("refs/notes/") {
            Self::Note
        } else {
            Self::Ref
        }
    }

    /// The word for it in reports.
    pub(super) const fn reach(self) -> Reach {
        match self {
            Self::Branch => Reach::Branch,
            Self::Tag => Reach::Tag,
            Self::Ref | Self::Note => Reach::Ref,
            Self::Stash => Reach::Stash,
            Self::Reflog => Reach::Reflog,
            Self::Nothing => Reach::Unreachable,
        }
    }

    /// Nobody who fetches gets it.
    pub(super) fn hidden(self) -> bool {
        self >= Self::Stash
    }
}

/// A ref, or what stands for one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    pub(super) way: Way,
    /// Full name; empty where nothing has a name for it.
    pub(super) name: String,
}

impl Name {
    /// For what nothing leads to.
    pub(super) const fn none() -> Self {
        Self {
            way: Way::Nothing,
            name: String::new(),
        }
    }
}

/// What the refs point at, tags resolved.
#[derive(Debug, Default)]
pub(super) struct Tips {
    /// Commits with every name that leads to them.
    pub(super) commits: BTreeMap<Oid, BTreeSet<Name>>,
    /// Trees that a ref points at directly, by the first such ref.
    pub(super) trees: BTreeMap<Oid, Name>,
    /// Blobs that a ref points at directly, by the first such ref.
    pub(super) blobs: BTreeMap<Oid, Name>,
    /// Annotated tags, by the first ref that leads to them.
    pub(super) tags: BTreeMap<Oid, Name>,
    /// The commit of HEAD.
    pub(super) head: Option<Oid>,
    /// Full name of the branch HEAD stands on.
    pub(super) head_branch: Option<String>,
}

/// Takes the message of a commit or an annotated tag, with its id.
pub(in crate::sources) type Told<'a> = &'a (dyn Fn(Oid, &[u8]) + Sync);

/// Gathers all tips. `told` is handed the message of every annotated tag.
pub(super) fn tips(
    repo: &Repo,
    lease: &Lease<'_>,
    cap: u64,
    trouble: &Trouble,
    told: Told<'_>,
) -> Tips {
    let mut named: BTreeMap<Oid, BTreeSet<Name>> = BTreeMap::new();
    let mut add = |id: Oid, way: Way, name: &str| {
        named.entry(id).or_default().insert(Name {
            way,
            name: name.to_owned(),
        });
    };
    let head = head(lease, trouble);
    let head_branch = lease
        .repository()
        .and_then(|repository| repository.find_reference("HEAD").ok())
        .and_then(|head| head.symbolic_target().ok().flatten().map(ToOwned::to_owned));
    if let Some(id) = head {
        // A branch has a name of its own.
        let name = head_branch.as_deref().unwrap_or("HEAD");
        add(id, Way::Branch, name);
    }
    all_refs(repo, lease, trouble, &mut |id, name| {
        add(id, Way::of(name), name);
    });
    for id in linked_heads(repo) {
        add(id, Way::Branch, "HEAD of a linked work tree");
    }
    let mut tips = Tips {
        head,
        head_branch,
        ..Tips::default()
    };
    for (id, names) in named {
        tips.resolve(lease, id, &names, cap, trouble, told);
    }
    // What a reflog names may have been pruned: that loses nothing of the history.
    if let Some(objects) = lease.objects() {
        for (id, way) in reflogs(&repo.common) {
            if !tips.commits.contains_key(&id) && objects.odb.exists(id) {
                let name = String::new();
                tips.resolve(lease, id, &[Name { way, name }].into(), cap, trouble, told);
            }
        }
    }
    tips
}

impl Tips {
    /// Follows tags from `id` to what they mean in the end.
    pub(super) fn resolve(
        &mut self,
        lease: &Lease<'_>,
        id: Oid,
        names: &BTreeSet<Name>,
        cap: u64,
        trouble: &Trouble,
        told: Told<'_>,
    ) {
        let (Some(objects), Some(first)) = (lease.objects(), names.first()) else {
            trouble.note("the object store cannot be opened: run `git fsck`");
            return;
        };
        if objects.packs.kind_of(&bytes(id)) == Some(Kind::Commit) {
            let known = self.commits.entry(id).or_default();
            known.extend(names.iter().cloned());
            return;
        }
        let mut target = id;
        for _ in 0..MAX_TAG_CHAIN {
            let found = match object::read(&objects, target, cap) {
                Ok(found) => found,
                Err(fault) => {
                    trouble.fault(target, fault);
                    break;
                }
            };
            match found.kind() {
                ObjectType::Commit => {
                    self.commits
                        .entry(target)
                        .or_default()
                        .extend(names.iter().cloned());
                }
                ObjectType::Tree => least(&mut self.trees, target, first),
                ObjectType::Blob => least(&mut self.blobs, target, first),
                _ => {
                    if !self.tags.contains_key(&target) {
                        told(target, message(found.data()));
                    }
                    least(&mut self.tags, target, first);
                    if let Some(next) = tag_target(found.data()) {
                        target = next;
                        continue;
                    }
                    trouble.fault(target, Fault::Corrupt);
                }
            }
            break;
        }
    }
}

fn least(names: &mut BTreeMap<Oid, Name>, id: Oid, name: &Name) {
    names
        .entry(id)
        .and_modify(|known| {
            if name < known {
                known.clone_from(name);
            }
        })
        .or_insert_with(|| name.clone());
}

/// The commit HEAD names, through its branch or directly.
pub(super) fn head(lease: &Lease<'_>, trouble: &Trouble) -> Option<Oid> {
    match lease.repository()?.head() {
        Ok(head) => head.target(),
        // A branch without a commit yet.
        Err(error) if error.code() == ErrorCode::UnbornBranch => None,
        Err(_) => {
            trouble
                .note("HEAD cannot be resolved: point it at a branch with `git symbolic-ref HEAD`");
            None
        }
    }
}

fn all_refs(repo: &Repo, lease: &Lease<'_>, trouble: &Trouble, add: &mut impl FnMut(Oid, &str)) {
    let mut bad = 0;
    if let Some(repository) = lease.repository() {
        match repository.references() {
            Ok(references) => {
                for reference in references {
                    match reference {
                        // A symbolic ref has no target of its own; what it names is listed itself.
                        Ok(reference) => {
                            if let Some(id) = reference.target() {
                                add(id, &String::from_utf8_lossy(reference.name_bytes()));
                            }
                        }
                        Err(_) => bad += 1,
                    }
                    if bad >= MAX_BAD_REFS {
                        break;
                    }
                }
            }
            Err(_) => bad += 1,
        }
    }
    if bad + bad_loose_refs(repo) > 0 {
        trouble.note("some refs cannot be read: `git show-ref` shows them; delete or restore them");
    }
}

/// Number of ref files that are neither an id nor the name of another ref; libgit2 passes over them in silence.
fn bad_loose_refs(repo: &Repo) -> usize {
    walkdir::WalkDir::new(repo.common.join("refs"))
        .into_iter()
        .flatten()
        .filter(|entry| entry.file_type().is_file())
        .filter(|entry| entry.path().extension().is_none_or(|end| end != "lock"))
        .filter(|entry| {
            small_file(entry.path())
                .is_none_or(|text| !text.starts_with("ref:") && Oid::from_str(text.trim()).is_err())
        })
        .count()
}

/// The detached HEADs of linked work trees.
fn linked_heads(repo: &Repo) -> Vec<Oid> {
    let Ok(folders) = fs::read_dir(repo.common.join("worktrees")) else {
        return Vec::new();
    };
    folders
        .flatten()
        .filter_map(|folder| small_file(&folder.path().join("HEAD")))
        .filter_map(|text| Oid::from_str(text.trim()).ok())
        .collect()
}
