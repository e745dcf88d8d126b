//! Every wanted object of a pack, each made once: bases before what is made out of them, on all threads.
//!
//! A base is kept while something is still to be made out of it. Of what is made out of one base, that with the most
//! below it comes last, when the base can be let go: so no more bases are kept at a time than the logarithm of their
//! number, whatever the length of the chains. A thread that has nothing to do is given a part of what another still
//! has before it.

use super::bits::Bits;
use super::delta::Delta;
use super::entry::Kind;
use super::forest::{Nature, Pack};
use super::spare::Spare;
use crate::model::Copied;
use crate::sources::buffer::Buffer;
use crate::sources::limits::Limits;
use libdeflater::Decompressor;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Roots a thread takes at a time.
const ROOTS: usize = 16;
/// Bytes of entries a thread looks at before it tells the pack.
const TELL: usize = 1 << 20;
/// Fewer objects than this are not worth a second thread.
const WORTH_A_THREAD: u64 = if cfg!(test) { 8 } else { 2_000 };

/// One object on its way through a visitor.
pub(in crate::sources::git) struct Object<'a, K> {
    pub(in crate::sources::git) number: u32,
    pub(in crate::sources::git) kind: Kind,
    pub(in crate::sources::git) text: &'a [u8],
    /// What is kept of the object it was made out of, and what it has from there.
    pub(in crate::sources::git) base: Option<(&'a K, &'a [Copied])>,
    /// It was asked for, not only made for the sake of another.
    pub(in crate::sources::git) wanted: bool,
    /// Nothing is made out of it.
    pub(in crate::sources::git) leaf: bool,
}

/// Sees every object that is made.
pub(in crate::sources::git) trait Visitor: Sync {
    /// What is kept of an object until everything made out of it was seen.
    type Kept: Send + Sync;
    /// What one thread gathers.
    type Local: Send;

    /// For one more thread.
    fn local(&self) -> Self::Local;

    /// Takes an object.
    fn object(&self, local: &mut Self::Local, object: &Object<'_, Self::Kept>) -> Self::Kept;
}

/// What a traversal gave.
pub(in crate::sources::git) struct Traversed<L> {
    /// One for every thread that took part.
    pub(in crate::sources::git) locals: Vec<L>,
    /// Wanted objects that were not made: larger than the cap, damaged, or made out of what is not in their pack.
    pub(in crate::sources::git) left: Vec<u32>,
}

/// Makes all objects of one pack that `wanted` says are wanted, by entry.
pub(super) fn traverse<V: Visitor>(
    pack: &Pack,
    wanted: &Bits,
    limits: &Limits,
    visitor: &V,
    out: &mut Traversed<V::Local>,
) {
    let needed = needed(pack, wanted);
    let mut roots = Vec::new();
    let mut total = 0;
    for entry in 0..pack.len() as u32 {
        if needed[entry as usize] > 0 && pack.base(entry).is_none() {
            roots.push(entry);
            total += u64::from(needed[entry as usize]);
        }
    }
    let hidden = wanted
        .iter()
        .filter(|entry| pack.nature(*entry) == Nature::Endless)
        .map(|entry| pack.number(entry));
    out.left.extend(hidden);
    let threads = if total < WORTH_A_THREAD {
        1
    } else {
        rayon::current_num_threads().max(1)
    };
    let plan = Plan {
        pack,
        wanted,
        needed: &needed,
        limits,
        visitor,
        roots: &roots,
        next_root: AtomicUsize::new(0),
        hungry: AtomicUsize::new(0),
        shelf: Mutex::new(Shelf {
            tasks: Vec::new(),
            busy: threads,
        }),
        changed: Condvar::new(),
    };
    let gathered = Mutex::new(Vec::new());
    let run = || {
        let mut worker = Worker::new(&plan);
        worker.run();
        let mut gathered = gathered.lock().unwrap_or_else(PoisonError::into_inner);
        gathered.push((worker.local, worker.left));
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(run);
        }
        run();
    });
    for (local, left) in gathered
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
    {
        out.locals.push(local);
        out.left.extend(left);
    }
}

/// Of each entry, how many have to be made for what is wanted among it and everything made out of it.
fn needed(pack: &Pack, wanted: &Bits) -> Vec<u32> {
    let mut needed = vec![0_u32; pack.len()];
    for entry in pack.in_order().rev() {
        let at = entry as usize;
        if needed[at] > 0 || wanted.has(entry) {
            needed[at] += 1;
            if let Some(base) = pack.base(entry) {
                needed[base as usize] += needed[at];
            }
        }
    }
    needed
}

/// An object that others are made out of.
struct Base<K> {
    text: Buffer,
    kept: K,
}

/// Entries to be made out of one base.
struct Task<K> {
    base: Arc<Base<K>>,
    entries: Vec<u32>,
}

/// What is there for threads that have nothing to do.
struct Shelf<K> {
    tasks: Vec<Task<K>>,
    /// Threads that may still put something here.
    busy: usize,
}

struct Plan<'a, V: Visitor> {
    pack: &'a Pack,
    wanted: &'a Bits,
    needed: &'a [u32],
    limits: &'a Limits,
    visitor: &'a V,
    roots: &'a [u32],
    next_root: AtomicUsize,
    /// Threads that wait for a task.
    hungry: AtomicUsize,
    shelf: Mutex<Shelf<V::Kept>>,
    changed: Condvar,
}

impl<V: Visitor> Plan<'_, V> {
    fn shelf(&self) -> MutexGuard<'_, Shelf<V::Kept>> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn needed(&self, entry: u32) -> u32 {
        self.needed.get(entry as usize).copied().unwrap_or(0)
    }

    fn cap(&self, kind: Kind) -> u64 {
        match kind {
            Kind::Blob => self.limits.max_blob_bytes,
            Kind::Commit | Kind::Tree | Kind::Tag => self.limits.max_object_bytes,
        }
    }
}

/// Counts a thread as busy until it is dropped, so that the others do not wait for one that ended early.
struct Busy<'a, 'p, V: Visitor>(&'a Plan<'p, V>);

impl<V: Visitor> Drop for Busy<'_, '_, V> {
    fn drop(&mut self) {
        self.0.shelf().busy -= 1;
        self.0.changed.notify_all();
    }
}

struct Worker<'a, V: Visitor> {
    plan: &'a Plan<'a, V>,
    inflater: Decompressor,
    delta: Buffer,
    copied: Vec<Copied>,
    spare: Spare,
    /// Bytes of entries looked at and not yet told of.
    looked_at: usize,
    local: V::Local,
    left: Vec<u32>,
}

impl<'a, V: Visitor> Worker<'a, V> {
    fn new(plan: &'a Plan<'a, V>) -> Self {
        Self {
            plan,
            inflater: Decompressor::new(),
            delta: Buffer::default(),
            copied: Vec::new(),
            spare: Spare::default(),
            looked_at: 0,
            local: plan.visitor.local(),
            left: Vec::new(),
        }
    }

    fn run(&mut self) {
        let plan = self.plan;
        let mut busy = Busy(plan);
        loop {
            let at = plan.next_root.fetch_add(ROOTS, Ordering::Relaxed);
            let Some(roots) = plan.roots.get(at..) else {
                break;
            };
            for root in roots.iter().take(ROOTS) {
                self.below(*root, None);
            }
        }
        loop {
            drop(busy);
            let mut shelf = plan.shelf();
            let task = loop {
                if let Some(task) = shelf.tasks.pop() {
                    break task;
                }
                if shelf.busy == 0 {
                    return;
                }
                plan.hungry.fetch_add(1, Ordering::Relaxed);
                shelf = plan
                    .changed
                    .wait(shelf)
                    .unwrap_or_else(PoisonError::into_inner);
                plan.hungry.fetch_sub(1, Ordering::Relaxed);
            };
            shelf.busy += 1;
            drop(shelf);
            busy = Busy(plan);
            self.all(task.base, task.entries);
        }
    }

    /// Makes an entry, and everything that is made out of it.
    fn below(&mut self, mut entry: u32, mut base: Option<Arc<Base<V::Kept>>>) {
        loop {
            if self.plan.limits.halt.called() {
                return;
            }
            let made = self.make(entry, base.as_deref());
            if let Some(last) = base.take() {
                self.let_go(last);
            }
            let Some(this) = made else {
                return;
            };
            let this = Arc::new(this);
            let Some(heaviest) = self.but_the_heaviest(entry, &this) else {
                self.let_go(this);
                return;
            };
            entry = heaviest;
            base = Some(this);
        }
    }

    /// Makes several entries out of one base, and everything that is made out of them.
    fn all(&mut self, base: Arc<Base<V::Kept>>, entries: Vec<u32>) {
        let mut rest = entries;
        while let Some(entry) = rest.pop() {
            self.share(&base, &mut rest);
            self.below(entry, Some(Arc::clone(&base)));
        }
        self.let_go(base);
    }

    /// Makes what is made out of `entry`, whose object is `this`, all but the entry with the most below it.
    fn but_the_heaviest(&mut self, entry: u32, this: &Arc<Base<V::Kept>>) -> Option<u32> {
        let plan = self.plan;
        let children = plan.pack.children(entry);
        let heaviest = children
            .iter()
            .copied()
            .filter(|child| plan.needed(*child) > 0)
            .max_by_key(|child| plan.needed(*child))?;
        for (at, child) in children.iter().copied().enumerate() {
            if plan.needed(child) == 0 || child == heaviest {
                continue;
            }
            if plan.hungry.load(Ordering::Relaxed) > 0 {
                let mut rest: Vec<u32> = children[at..]
                    .iter()
                    .copied()
                    .filter(|child| *child != heaviest && plan.needed(*child) > 0)
                    .collect();
                self.share(this, &mut rest);
                while let Some(child) = rest.pop() {
                    self.share(this, &mut rest);
                    self.below(child, Some(Arc::clone(this)));
                }
                break;
            }
            self.below(child, Some(Arc::clone(this)));
        }
        Some(heaviest)
    }

    /// Gives half of `entries` away when somebody waits for work.
    fn share(&self, base: &Arc<Base<V::Kept>>, entries: &mut Vec<u32>) {
        if entries.is_empty() || self.plan.hungry.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut shelf = self.plan.shelf();
        if shelf.tasks.len() >= self.plan.hungry.load(Ordering::Relaxed) {
            return;
        }
        let given = entries.split_off(entries.len() / 2);
        shelf.tasks.push(Task {
            base: Arc::clone(base),
            entries: given,
        });
        self.plan.changed.notify_one();
    }

    /// Makes one object and shows it. `None` when that was the last of it: nothing is made out of it, or it cannot be
    /// made.
    fn make(&mut self, entry: u32, base: Option<&Base<V::Kept>>) -> Option<Base<V::Kept>> {
        let plan = self.plan;
        let leaf = plan.needed(entry) == 1;
        let Nature::Of(kind) = plan.pack.nature(entry) else {
            self.give_up(entry);
            return None;
        };
        let Some(text) = self.text_of(entry, kind, base) else {
            self.give_up(entry);
            return None;
        };
        let kept = plan.visitor.object(
            &mut self.local,
            &Object {
                number: plan.pack.number(entry),
                kind,
                text: &text,
                base: base.map(|base| (&base.kept, self.copied.as_slice())),
                wanted: plan.wanted.has(entry),
                leaf,
            },
        );
        if leaf {
            self.spare.put(text);
            None
        } else {
            Some(Base { text, kept })
        }
    }

    fn text_of(&mut self, entry: u32, kind: Kind, base: Option<&Base<V::Kept>>) -> Option<Buffer> {
        let cap = self.plan.cap(kind);
        let (header, deflated) = self.plan.pack.entry(entry)?;
        if header.size > cap {
            return None;
        }
        self.looked_at += header.length + deflated.len();
        if self.looked_at >= TELL {
            self.plan
                .pack
                .looked_at(std::mem::take(&mut self.looked_at));
        }
        let size = header.size as usize;
        let Some(base) = base else {
            let mut text = self.spare.take(size);
            inflate(&mut self.inflater, deflated, text.fit(size))?;
            return Some(text);
        };
        let raw = self.delta.fit(size);
        inflate(&mut self.inflater, deflated, raw)?;
        let delta = Delta::parse(raw)?;
        if delta.result > cap {
            return None;
        }
        let size = delta.result as usize;
        let mut text = self.spare.take(size);
        delta.apply(&base.text, text.fit(size), &mut self.copied)?;
        Some(text)
    }

    /// Names everything wanted that could not be made because `entry` could not.
    fn give_up(&mut self, entry: u32) {
        let mut pending = vec![entry];
        while let Some(entry) = pending.pop() {
            if self.plan.needed(entry) == 0 {
                continue;
            }
            if self.plan.wanted.has(entry) {
                self.left.push(self.plan.pack.number(entry));
            }
            pending.extend(self.plan.pack.children(entry));
        }
    }

    fn let_go(&mut self, base: Arc<Base<V::Kept>>) {
        if let Some(base) = Arc::into_inner(base) {
            self.spare.put(base.text);
        }
    }
}

/// Inflates exactly as much as `out` holds.
fn inflate(inflater: &mut Decompressor, deflated: &[u8], out: &mut [u8]) -> Option<()> {
    let made = inflater.zlib_decompress(deflated, out).ok()?;
    (made == out.len()).then_some(())
}
