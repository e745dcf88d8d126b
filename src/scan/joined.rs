//! What was read, joined; and how that outlasts the run: of an unchanged disk, under the same rules and settings, it is
//! the same until a time comes that it rests on.

use super::masks::{mask_in_place, masked};
use super::{RuleSet, ScanError};
use crate::checks::ignores::Comment;
use crate::model::{
    Consumer, ConsumerId, Coverage, Credential, CredentialId, FingerprintKey, Grant, GrantId,
    Identity, IdentityId, Inventory, Moment,
};
use crate::secrets::Engine;
use crate::sources::{Facts, Kind, Memory, Reader, Writer};
use jiff::Timestamp;
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

/// The long lists of an inventory, which are dealt with entry by entry.
type Lists = (
    BTreeMap<IdentityId, Identity>,
    BTreeMap<CredentialId, Credential>,
    BTreeMap<ConsumerId, Consumer>,
    BTreeMap<GrantId, Grant>,
);

impl Joined {
    /// Masks every token in a name, so that none is in what is made of it.
    pub(super) fn mask(mut self, engine: &Engine, key: &FingerprintKey) -> Result<Self, ScanError> {
        let inventory = &mut self.inventory;
        each_masked(&mut inventory.identities, engine, key)?;
        each_masked(&mut inventory.credentials, engine, key)?;
        each_masked(&mut inventory.consumers, engine, key)?;
        each_masked(&mut inventory.grants, engine, key)?;
        let lists = self.take_lists();
        let mut joined = masked(self, engine, key)?;
        joined.put_lists(lists);
        joined.plain = true;
        Ok(joined)
    }

    fn take_lists(&mut self) -> Lists {
        let inventory = &mut self.inventory;
        (
            std::mem::take(&mut inventory.identities),
            std::mem::take(&mut inventory.credentials),
            std::mem::take(&mut inventory.consumers),
            std::mem::take(&mut inventory.grants),
        )
    }

    fn put_lists(&mut self, lists: Lists) {
        let inventory = &mut self.inventory;
        (
            inventory.identities,
            inventory.credentials,
            inventory.consumers,
            inventory.grants,
        ) = lists;
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

/// Entries that are packed together: of a large inventory only so much is unpacked at a time.
const TOGETHER: usize = 64;

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
    joined: &mut Joined,
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

fn pack(made: &Made, span: (Timestamp, Timestamp), joined: &mut Joined) -> Option<Vec<u8>> {
    let mut writer = Writer::default();
    writer.json(&(made, span))?;
    let lists = joined.take_lists();
    let written = writer.json(&joined);
    joined.put_lists(lists);
    written?;
    let inventory = &joined.inventory;
    pack_list(&mut writer, &inventory.identities)?;
    pack_list(&mut writer, &inventory.credentials)?;
    pack_list(&mut writer, &inventory.consumers)?;
    pack_list(&mut writer, &inventory.grants)?;
    Some(writer.done())
}

fn pack_list<K: Serialize, T: Serialize>(writer: &mut Writer, all: &BTreeMap<K, T>) -> Option<()> {
    let all: Vec<(&K, &T)> = all.iter().collect();
    writer.json(&all.len())?;
    all.chunks(TOGETHER).try_for_each(|some| writer.json(&some))
}

fn unpack(packed: &[u8], wanted: &Made, now: Timestamp) -> Option<Joined> {
    let mut reader = Reader(packed);
    let (made, (since, until)): (Made, (Timestamp, Timestamp)) = reader.json()?;
    if made != *wanted || now < since || now >= until {
        return None;
    }
    let mut joined: Joined = reader.json()?;
    let inventory = &mut joined.inventory;
    inventory.identities = unpack_list(&mut reader)?;
    inventory.credentials = unpack_list(&mut reader)?;
    inventory.consumers = unpack_list(&mut reader)?;
    inventory.grants = unpack_list(&mut reader)?;
    Some(joined)
}

fn unpack_list<K: Ord + DeserializeOwned, T: DeserializeOwned>(
    reader: &mut Reader<'_>,
) -> Option<BTreeMap<K, T>> {
    let length: usize = reader.json()?;
    let mut all: Vec<(K, T)> = Vec::new();
    while all.len() < length {
        let some: Vec<_> = reader.json()?;
        (!some.is_empty()).then_some(())?;
        all.extend(some);
    }
    Some(all.into_iter().collect())
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

    /// Whether there is any.
    pub(super) const fn any(&self) -> bool {
        self.packed.is_some()
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
    use crate::jit::fixtures::user;

    #[test]
    fn what_was_joined_comes_back_for_its_state_and_its_time_only() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut inventory = Inventory::default();
        for number in 0..=TOGETHER {
            let user = user(&format!("user-{number}"));
            inventory.identities.insert(user.id.clone(), user);
        }
        let made = |state: &str| Made {
            state: state.to_owned(),
            settings: "s".to_owned(),
        };
        let mut joined = Joined {
            inventory,
            coverage: Vec::new(),
            comments: Vec::new(),
            names: vec!["app".to_owned()],
            documents: 3,
            plain: true,
        };
        let packed = pack(&made("a"), (at(10), at(20)), &mut joined).unwrap();
        assert_eq!(unpack(&packed, &made("a"), at(10)).as_ref(), Some(&joined));
        assert_eq!(unpack(&packed, &made("a"), at(19)).as_ref(), Some(&joined));
        assert_eq!(unpack(&packed, &made("a"), at(9)), None);
        assert_eq!(unpack(&packed, &made("a"), at(20)), None);
        assert_eq!(unpack(&packed, &made("b"), at(10)), None);
        for end in (0..packed.len()).step_by(13) {
            assert_eq!(unpack(&packed[..end], &made("a"), at(10)), None, "{end}");
        }
        let always = pack(&made("a"), (Timestamp::MIN, Timestamp::MAX), &mut joined).unwrap();
        assert_eq!(unpack(&always, &made("a"), at(9)).as_ref(), Some(&joined));
    }
}
