//! Packs written by libgit2 and by hand, whole and damaged, against what libgit2 reads.

use super::super::ids::{Id, bytes};
use super::*;
use crate::sources::testing::{Place as Folder, put_bytes};
use git2::{ObjectType, Oid, Repository};
use libdeflater::{CompressionLvl, Compressor};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Keeps every text, and checks what is said of its base.
struct Collect;

impl Visitor for Collect {
    type Kept = Vec<u8>;
    type Local = Vec<(u32, Kind, Vec<u8>)>;

    fn local(&self) -> Self::Local {
        Vec::new()
    }

    fn object(&self, local: &mut Self::Local, object: &Object<'_, Vec<u8>>) -> Vec<u8> {
        let mut end = 0;
        for one in object.base.iter().flat_map(|(_, copied)| *copied) {
            assert!(one.to >= end && one.len > 0);
            end = one.to + one.len;
            let base = object.base.unwrap().0;
            assert_eq!(object.text[one.to..end], base[one.from..one.from + one.len]);
        }
        if object.wanted {
            local.push((object.number, object.kind, object.text.to_vec()));
        }
        object.text.to_vec()
    }
}

/// Kind and text by id.
type Made = BTreeMap<Id, (Kind, Vec<u8>)>;

/// All objects by id, and the ids of those that could not be made.
fn all(packs: &Packs, keep: impl Fn(u32) -> bool) -> (Made, Vec<Id>) {
    let mut wanted = Bits::new(packs.len());
    for number in (0..packs.len() as u32).filter(|number| keep(*number)) {
        wanted.insert(number);
    }
    let read = packs.traverse(&wanted, &Limits::default(), &Collect);
    let mut made = BTreeMap::new();
    for (number, kind, text) in read.locals.into_iter().flatten() {
        assert!(wanted.has(number));
        let id = packs.ids()[number as usize];
        assert!(made.insert(id, (kind, text)).is_none(), "made twice");
    }
    let left = read.left.iter().map(|at| packs.ids()[*at as usize]);
    (made, left.collect())
}

/// Packs these blobs, in several packs if told so.
fn packed(texts: &[Vec<u8>], packs: usize) -> (Folder, Packs, Repository) {
    let place = Folder::new();
    let repo = place.repo("r").0;
    let folder = repo.path().join("objects/pack");
    std::fs::create_dir_all(&folder).unwrap();
    for part in texts.chunks(texts.len().div_ceil(packs).max(1)) {
        let mut builder = repo.packbuilder().unwrap();
        for text in part {
            builder
                .insert_object(repo.blob(text).unwrap(), Some("name"))
                .unwrap();
        }
        // Each pack has the first blob, too: what several hold is made once.
        let first = repo.blob(&texts[0]).unwrap();
        builder.insert_object(first, Some("name")).unwrap();
        builder.write(&folder, 0).unwrap();
    }
    let packs = Packs::open(&[repo.path().join("objects")]);
    (place, packs, repo)
}

fn lines(of: &[u16]) -> Vec<u8> {
    let line = |n: &u16| format!("line number {n} of something that repeats itself {n}\n");
    of.iter().map(line).collect::<String>().into_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn what_is_made_is_what_libgit2_reads(
        start in proptest::collection::vec(any::<u16>(), 1..60),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u16>(), any::<bool>()), 0..60),
        packs in 1_usize..4,
        every in 1_u32..4,
    ) {
        let mut texts = vec![lines(&start)];
        let mut now = start;
        for (at, value, insert) in edits {
            let at = at.index(now.len());
            if insert { now.insert(at, value) } else { now[at] = value }
            texts.push(lines(&now));
        }
        let (_place, packs, repo) = packed(&texts, packs);
        let (made, left) = all(&packs, |number| number % every == 0);
        prop_assert_eq!(left, Vec::<Id>::new());
        prop_assert_eq!(made.len(), packs.len().div_ceil(every as usize));
        let odb = repo.odb().unwrap();
        for (id, (kind, text)) in made {
            let found = odb.read(Oid::from_bytes(&id).unwrap()).unwrap();
            prop_assert_eq!(kind, Kind::Blob);
            prop_assert_eq!(found.data(), text);
        }
    }
}

/// One entry of a pack written by hand.
enum Entry {
    Whole(Vec<u8>),
    /// A change of the entry so many places before.
    Behind(usize, Vec<u8>),
    /// A change of the object of this id.
    Named(Id, Vec<u8>),
}

/// Instructions that copy the first `keep` bytes of a base and add `more`.
fn change(base: usize, keep: u8, more: &[u8]) -> Vec<u8> {
    assert!(base < 128 && usize::from(keep) + more.len() < 128);
    let mut out = vec![base as u8, keep + more.len() as u8, 0x90, keep];
    out.push(more.len() as u8);
    out.extend(more);
    out
}

/// Writes a pack with these entries under these ids; where each begins.
fn write(folder: &Path, entries: &[(Id, Entry)]) -> Vec<usize> {
    let mut pack = b"PACK\0\0\0\x02".to_vec();
    pack.extend((entries.len() as u32).to_be_bytes());
    let mut offsets = Vec::new();
    for (at, (_, entry)) in entries.iter().enumerate() {
        offsets.push(pack.len());
        let (kind, text) = match entry {
            Entry::Whole(text) => (3, text),
            Entry::Behind(_, text) => (6, text),
            Entry::Named(_, text) => (7, text),
        };
        assert!(text.len() < 1 << 11);
        pack.push(0x80 | kind << 4 | (text.len() & 15) as u8);
        pack.push((text.len() >> 4) as u8);
        match entry {
            Entry::Whole(_) => {}
            Entry::Behind(places, _) => {
                let distance = offsets[at] - offsets[at - places];
                assert!((0x80..0x80 + 0x4000).contains(&distance) || distance < 0x80);
                if distance >= 0x80 {
                    pack.push(0x80 | ((distance - 0x80) >> 7) as u8);
                }
                pack.push((distance & 0x7f) as u8);
            }
            Entry::Named(id, _) => pack.extend(id),
        }
        let mut deflated = vec![0; text.len() + 64];
        let mut compressor = Compressor::new(CompressionLvl::default());
        let size = compressor.zlib_compress(text, &mut deflated).unwrap();
        pack.extend(&deflated[..size]);
    }
    let checksum = [0xcc; 20];
    pack.extend(checksum);
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|at| entries[*at].0);
    let mut index = b"\xfftOc\0\0\0\x02".to_vec();
    for first in 0..=255_u8 {
        let below = entries.iter().filter(|(id, _)| id[0] <= first).count();
        index.extend((below as u32).to_be_bytes());
    }
    index.extend(order.iter().flat_map(|at| entries[*at].0));
    index.extend(vec![0; entries.len() * 4]);
    index.extend(
        order
            .iter()
            .flat_map(|at| (offsets[*at] as u32).to_be_bytes()),
    );
    index.extend(checksum);
    index.extend([0; 20]);
    put_bytes(&folder.join("pack/pack-x.pack"), &pack);
    put_bytes(&folder.join("pack/pack-x.idx"), &index);
    offsets
}

fn id(text: &[u8]) -> Id {
    bytes(Oid::hash_object(ObjectType::Blob, text).unwrap())
}

fn open(folder: &Path) -> Packs {
    Packs::open(&[folder.to_path_buf()])
}

#[test]
fn a_chain_by_distance_and_by_name() {
    let place = Folder::new();
    let folder = place.path("o");
    let (a, b, c): (&[u8], &[u8], &[u8]) = (b"the first text", b"the second", b"the second one");
    let entries = [
        // Out of one that lies behind it.
        (id(c), Entry::Named(id(b), change(b.len(), 10, b" one"))),
        (id(a), Entry::Whole(a.to_vec())),
        (id(b), Entry::Behind(1, change(a.len(), 4, b"second"))),
        (id(b""), Entry::Whole(Vec::new())),
    ];
    write(&folder, &entries);
    let (made, left) = all(&open(&folder), |_| true);
    assert_eq!(left, Vec::<Id>::new());
    for text in [a, b, c, b""] {
        assert_eq!(made[&id(text)], (Kind::Blob, text.to_vec()));
    }
}

#[test]
fn what_is_made_out_of_itself_or_of_what_is_not_there() {
    let place = Folder::new();
    let folder = place.path("o");
    let ids = [[1; 20], [2; 20], [3; 20], [4; 20], [5; 20]];
    let [x, y, behind, absent, after] = ids;
    let more = || change(3, 3, b"x");
    let entries = [
        (x, Entry::Named(y, more())),
        (y, Entry::Named(x, more())),
        (behind, Entry::Named(x, more())),
        (absent, Entry::Named([9; 20], more())),
        (after, Entry::Named(absent, more())),
        (id(b"sound"), Entry::Whole(b"sound".to_vec())),
    ];
    write(&folder, &entries);
    let packs = open(&folder);
    let (made, mut left) = all(&packs, |_| true);
    left.sort_unstable();
    assert_eq!(left, ids);
    assert_eq!(made.keys().collect::<Vec<_>>(), [&id(b"sound")]);
    assert_eq!(
        ids.map(|id| packs.is_endless(&id)),
        [true, true, true, false, false]
    );
    assert_eq!(packs.kind_of(&after), None);
}

/// Whatever byte is turned over, what is made is what was written, and the rest is named.
#[test]
fn damage_loses_what_it_hits() {
    let place = Folder::new();
    let folder = place.path("o");
    let texts: Vec<Vec<u8>> = (0..4_u8).map(|n| vec![b'a' + n; 30]).collect();
    let mut entries: Vec<(Id, Entry)> = Vec::new();
    for text in &texts {
        entries.push((id(text), Entry::Whole(text.clone())));
        let more = [&text[..20], b"more"].concat();
        entries.push((id(&more), Entry::Behind(1, change(30, 20, b"more"))));
    }
    write(&folder, &entries);
    let (whole, left) = all(&open(&folder), |_| true);
    assert_eq!((whole.len(), left.len()), (8, 0));
    let path = folder.join("pack/pack-x.pack");
    let pack = std::fs::read(&path).unwrap();
    for at in 0..pack.len() {
        let mut damaged = pack.clone();
        damaged[at] ^= 0x55;
        put_bytes(&path, &damaged);
        let packs = open(&folder);
        let (made, left) = all(&packs, |_| true);
        let known = made.iter().filter(|(id, one)| whole.get(*id) == Some(one));
        // A copy of the right length from the wrong place, or another kind, is not for this reader to see.
        assert!(known.count() + 2 >= made.len(), "byte {at}");
        assert_eq!(made.len() + left.len(), packs.len(), "byte {at}");
    }
    for cut in [0, 5, 12, 40, pack.len() - 1] {
        put_bytes(&path, &pack[..cut]);
        assert_eq!(open(&folder).len(), 0, "cut at {cut}");
    }
}

/// A base is let go before the chain goes on, and no size is believed beyond the cap.
#[test]
fn sizes_beyond_the_cap_are_left() {
    let place = Folder::new();
    let folder = place.path("o");
    let long = vec![b'l'; 100];
    let entries = [
        (id(&long), Entry::Whole(long.clone())),
        (id(b"lll!"), Entry::Behind(1, change(100, 3, b"!"))),
        (id(b"short"), Entry::Whole(b"short".to_vec())),
    ];
    write(&folder, &entries);
    let packs = open(&folder);
    let mut wanted = Bits::new(packs.len());
    (0..packs.len() as u32).for_each(|number| _ = wanted.insert(number));
    let limits = Limits {
        max_blob_bytes: 50,
        ..Limits::default()
    };
    let read = packs.traverse(&wanted, &limits, &Collect);
    assert_eq!(read.left.len(), 2);
    assert_eq!(read.locals.into_iter().flatten().count(), 1);
}

/// A tree as wide as it is deep, on many threads: everything once, whoever makes it.
#[test]
fn on_many_threads() {
    let mut texts = vec![lines(&[1; 40])];
    for at in 0..2_500_u16 {
        let mut now = vec![1; 40];
        now[usize::from(at % 40)] = at;
        now[usize::from(at / 40 % 40)] = at / 7;
        texts.push(lines(&now));
    }
    let (_place, packs, _repo) = packed(&texts, 1);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| all(&packs, |_| true))
    };
    let one = on(1);
    assert_eq!(one.0.len(), packs.len());
    assert_eq!(one, on(7));
}
