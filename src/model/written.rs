//! The entries of a report's long lists, each written as JSON once: its file and the state folder hold the same text.

use super::Report;
use rayon::prelude::*;
use serde::Serialize;

/// Most bytes that are held; of a larger report nothing is.
const MOST: usize = 64 << 20;

/// The entries of the long lists of a report as compact JSON, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Of identities.
    pub identities: Entries,
    /// Of credentials.
    pub credentials: Entries,
    /// Of grants.
    pub grants: Entries,
    /// Of consumers.
    pub consumers: Entries,
    /// Of findings.
    pub findings: Entries,
    /// Of assessments.
    pub assessments: Entries,
    /// Of items of the plan.
    pub plan: Entries,
}

impl Written {
    /// Writes the items of the plan again, once they have changed.
    ///
    /// # Errors
    /// When an item cannot be written as JSON.
    pub fn plan_again(&mut self, report: &Report) -> serde_json::Result<()> {
        let mut left = usize::MAX;
        self.plan = Entries::of(&report.plan, &mut left)?;
        Ok(())
    }

    /// Writes the entries of a report; `None` where they are too large to be held beside it.
    ///
    /// # Errors
    /// When an entry cannot be written as JSON.
    pub fn of(report: &Report) -> serde_json::Result<Option<Self>> {
        let mut left = MOST;
        let written = Self {
            identities: Entries::of(&report.identities, &mut left)?,
            credentials: Entries::of(&report.credentials, &mut left)?,
            grants: Entries::of(&report.grants, &mut left)?,
            consumers: Entries::of(&report.consumers, &mut left)?,
            findings: Entries::of(&report.findings, &mut left)?,
            assessments: Entries::of(&report.assessments, &mut left)?,
            plan: Entries::of(&report.plan, &mut left)?,
        };
        Ok((left > 0).then_some(written))
    }
}

/// The entries of one list, in parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entries(Vec<Part>);

impl Entries {
    /// Parts that are written side by side before their size is looked at.
    const BESIDE: usize = 32;

    /// Writes the entries of a list, and no more of them once no byte is left.
    fn of<T: Serialize + Sync>(entries: &[T], left: &mut usize) -> serde_json::Result<Self> {
        let mut parts = Vec::with_capacity(entries.len().div_ceil(Part::ENTRIES));
        for some in entries.chunks(Part::ENTRIES * Self::BESIDE) {
            if *left == 0 {
                break;
            }
            let some: Vec<Part> = some
                .par_chunks(Part::ENTRIES)
                .map(Part::of)
                .collect::<serde_json::Result<_>>()?;
            let length: usize = some.iter().map(|part| part.json.len()).sum();
            *left = left.saturating_sub(length);
            parts.extend(some);
        }
        Ok(Self(parts))
    }

    /// All entries, each as JSON.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().flat_map(Part::entries)
    }

    /// The parts.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Some entries that follow each other in a list, as one JSON array with a line for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    json: Vec<u8>,
    /// Where each entry ends.
    ends: Vec<usize>,
    digest: Digest,
}

/// Digest of a part.
pub type Digest = [u8; 16];

impl Part {
    /// Entries of a part that is not the last.
    pub const ENTRIES: usize = 64;
    /// What stands before each entry, as in the file of the report.
    pub const LINE: &str = "\n  ";

    /// Writes entries.
    ///
    /// # Errors
    /// When one of them cannot be written as JSON.
    pub fn of<T: Serialize>(entries: &[T]) -> serde_json::Result<Self> {
        let mut json = vec![b'['];
        let mut ends = Vec::with_capacity(entries.len());
        for entry in entries {
            if !ends.is_empty() {
                json.push(b',');
            }
            json.extend_from_slice(Self::LINE.as_bytes());
            serde_json::to_writer(&mut json, entry)?;
            if ends.is_empty() {
                // Entries of a list are of one size, by and large.
                json.reserve(json.len() * entries.len());
            }
            ends.push(json.len());
        }
        json.push(b']');
        Ok(Self {
            digest: Self::digest_of(&json),
            json,
            ends,
        })
    }

    /// The digest of a part of this text.
    pub fn digest_of(json: &[u8]) -> Digest {
        let mut hasher = blake3::Hasher::new_derive_key("overstay 2026 part of a report");
        let mut digest = Digest::default();
        hasher.update(json).finalize_xof().fill(&mut digest);
        digest
    }

    /// All of it.
    pub fn json(&self) -> &[u8] {
        &self.json
    }

    /// Its digest.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The lines of its entries, without the brackets around them.
    pub fn lines(&self) -> &[u8] {
        let to = self.json.len().saturating_sub(1);
        self.json.get(1..to).unwrap_or_default()
    }

    /// Its entries, each as JSON.
    fn entries(&self) -> impl Iterator<Item = &[u8]> {
        // A sign stands before each line: a bracket or a comma.
        let mut from = 0;
        self.ends.iter().map(move |end| {
            from += 1 + Self::LINE.len();
            let entry = self.json.get(from..*end).unwrap_or_default();
            from = *end;
            entry
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_the_same_as_a_whole_and_entry_by_entry() {
        for many in [0, 1, 63, 64, 65, 200] {
            let list: Vec<String> = (0..many).map(|number| format!("no. {number}")).collect();
            let mut left = MOST;
            let entries = Entries::of(&list, &mut left).unwrap();
            let one_by_one = entries
                .iter()
                .map(|one| serde_json::from_slice(one).unwrap());
            assert_eq!(one_by_one.collect::<Vec<String>>(), list);
            let parts = entries.parts().iter().flat_map(|part| {
                assert_eq!(part.digest(), Part::digest_of(part.json()));
                serde_json::from_slice::<Vec<String>>(part.json()).unwrap()
            });
            assert_eq!(parts.collect::<Vec<String>>(), list);
            assert_eq!(entries.is_empty(), list.is_empty());
        }
    }

    #[test]
    fn what_is_too_large_is_not_held() {
        let list = vec!["x".repeat(100); Part::ENTRIES * Entries::BESIDE + 1];
        let mut left = 1_000;
        let entries = Entries::of(&list, &mut left).unwrap();
        assert_eq!((left, entries.iter().count()), (0, list.len() - 1));
    }
}
