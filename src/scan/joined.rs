//! What was read, joined; and how that outlasts the run: of an unchanged disk, under the same rules and settings, it is
//! the same until a time comes that it rests on.

use super::masks::{mask_in_place, masked};
use super::{RuleSet, ScanError};
use crate::checks::ignores::Comment;
use crate::model::{Coverage, FingerprintKey, Inventory, Moment};
use crate::secrets::Engine;
use crate::sources::{Facts, Kind, Memory, unpacked};
use jiff::Timestamp;
use libdeflater::{CompressionLvl, Compressor};
use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Everything that was read, joined into one inventory, before anybody's word on it is heard.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Joined {
    pub(super) inventory: Inventory,
    /// What was read and what was not.
    pub(super) coverage: Vec<Coverage>,
    /// Comments that say what is to be ignored.
    pub(super) comments: Vec<Comment>,
    /// Names of the roots.
    pub(super) names: Vec<String>,
    /// Documents there are.
    pub(super) documents: u64,
    /// No name in all of it holds a token.
    pub(super) plain: bool,
}

impl Joined {
    /// Masks every token in a name, so that none is in what is made of it.
    pub(super) fn mask(mut self, engine: &Engine, key: &FingerprintKey) -> Result<Self, ScanError> {
        let inventory = &mut self.inventory;
        each_masked(&mut inventory.identities, engine, key)?;
        each_masked(&mut inventory.credentials, engine, key)?;
        each_masked(&mut inventory.consumers, engine, key)?;
        each_masked(&mut inventory.grants, engine, key)?;
        let lists = (
            std::mem::take(&mut inventory.identities),
            std::mem::take(&mut inventory.credentials),
            std::mem::take(&mut inventory.consumers),
            std::mem::take(&mut inventory.grants),
        );
        let mut joined = masked(self, engine, key)?;
        let inventory = &mut joined.inventory;
        (
            inventory.identities,
            inventory.credentials,
            inventory.consumers,
            inventory.grants,
        ) = lists;
        joined.plain = true;
        Ok(joined)
    }
}

fn each_masked<K: Ord + Send, T: Serialize + DeserializeOwned + Send + Sync>(
    all: &mut BTreeMap<K, T>,
    engine: &Engine,
    key: &FingerprintKey,
) -> Result<(), ScanError> {
    let mut values: Vec<&mut T> = all.values_mut().collect();
    values
        .par_iter_mut()
        .try_for_each(|one| mask_in_place(&mut **one, engine, key))
}

/// What it was made with.
#[derive(PartialEq, Serialize, Deserialize)]
struct Made {
    /// State of the disk.
    state: String,
    /// Digest of the settings.
    settings: String,
}

/// The fastest level that compresses.
const LEVEL: i32 = 1;

/// What is kept of this kind stands for all paths together.
fn place(paths: &[PathBuf]) -> PathBuf {
    let mut hasher = blake3::Hasher::new_derive_key("overstay 2026 paths of a scan");
    for path in paths {
        hasher.update(path.as_os_str().as_encoded_bytes());
        hasher.update(b"\0");
    }
    PathBuf::from(hasher.finalize().to_hex().as_str())
}

pub(super) fn settings(rules: &RuleSet) -> String {
    let all = format!("{}\n{:?}", rules.digest, rules.measures.config);
    blake3::hash(all.as_bytes()).to_hex().to_string()
}

/// Keeps what was joined of this state of the disk, for as long as it holds.
pub(super) fn keep(
    joined: &Joined,
    state: &str,
    paths: &[PathBuf],
    rules: &RuleSet,
    moment: &Moment,
    memory: &dyn Memory,
) {
    let incomplete = |entry: &Coverage| entry.status.incomplete();
    let Some(span) = moment.span() else { return };
    if joined.documents == 0 || joined.coverage.iter().any(incomplete) {
        return;
    }
    let made = Made {
        state: state.to_owned(),
        settings: settings(rules),
    };
    let facts = Facts {
        documents: joined.documents,
        of_interest: joined.inventory.credentials.len() as u64,
        commits: 0,
    };
    if let Some(packed) = pack(&made, span, joined) {
        memory.keep(Kind::Joined, &place(paths), facts, packed);
    }
}

fn pack(made: &Made, span: (Timestamp, Timestamp), joined: &Joined) -> Option<Vec<u8>> {
    let head = serde_json::to_vec(&(made, span)).ok()?;
    let json = serde_json::to_vec(joined).ok()?;
    let mut packed = Vec::new();
    for length in [head.len(), json.len()] {
        packed.extend((length as u64).to_le_bytes());
    }
    packed.extend(head);
    let at = packed.len();
    let mut packer = Compressor::new(CompressionLvl::new(LEVEL).unwrap_or_default());
    packed.resize(at + packer.deflate_compress_bound(json.len()), 0);
    let length = packer.deflate_compress(&json, packed.get_mut(at..)?).ok()?;
    packed.truncate(at + length);
    Some(packed)
}

fn unpack(packed: &[u8], wanted: &Made, now: Timestamp) -> Option<Joined> {
    let (head_length, rest) = packed.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first_chunk::<8>()?;
    let head_length = usize::try_from(u64::from_le_bytes(*head_length)).ok()?;
    let length = u64::from_le_bytes(*length);
    let (head, packed) = rest.split_at_checked(head_length)?;
    let (made, (since, until)): (Made, (Timestamp, Timestamp)) =
        serde_json::from_slice(head).ok()?;
    if made != *wanted || now < since || now >= until {
        return None;
    }
    unpacked(packed, length)
}

/// What an earlier run joined of these paths.
pub(super) struct Before {
    packed: Option<Vec<u8>>,
    settings: String,
    now: Timestamp,
}

impl Before {
    pub(super) fn recall(
        memory: &dyn Memory,
        paths: &[PathBuf],
        rules: &RuleSet,
        now: Timestamp,
    ) -> Self {
        let place = place(paths);
        Self {
            packed: memory.recall(Kind::Joined, Path::new(&place)),
            settings: settings(rules),
            now,
        }
    }

    /// What it came to, if the disk is in the state it was in then.
    pub(super) fn of(self, state: &str) -> Option<Joined> {
        let wanted = Made {
            state: state.to_owned(),
            settings: self.settings,
        };
        unpack(&self.packed?, &wanted, self.now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_joined_comes_back_for_its_state_and_its_time_only() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let made = |state: &str| Made {
            state: state.to_owned(),
            settings: "s".to_owned(),
        };
        let joined = Joined {
            inventory: Inventory::default(),
            coverage: Vec::new(),
            comments: Vec::new(),
            names: vec!["app".to_owned()],
            documents: 3,
            plain: true,
        };
        let packed = pack(&made("a"), (at(10), at(20)), &joined).unwrap();
        assert_eq!(unpack(&packed, &made("a"), at(10)).as_ref(), Some(&joined));
        assert_eq!(unpack(&packed, &made("a"), at(19)).as_ref(), Some(&joined));
        assert_eq!(unpack(&packed, &made("a"), at(9)), None);
        assert_eq!(unpack(&packed, &made("a"), at(20)), None);
        assert_eq!(unpack(&packed, &made("b"), at(10)), None);
        for end in 0..packed.len() {
            assert_eq!(unpack(&packed[..end], &made("a"), at(10)), None, "{end}");
        }
        let always = pack(&made("a"), (Timestamp::MIN, Timestamp::MAX), &joined).unwrap();
        assert_eq!(unpack(&always, &made("a"), at(9)).as_ref(), Some(&joined));
    }
}
