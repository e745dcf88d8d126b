//! Documents that were handed over instead of being looked for: standard input, what is staged for a commit.

use super::archives::{self, Tallies, flatten};
use super::place::{Located, Place};
use super::{Document, Limits, Origin, ReadOutcome};
use crate::model::{Coverage, CoverageStatus, Trail};
use rayon::prelude::*;

/// A document that was handed over.
#[derive(Clone, Debug)]
pub struct Given {
    /// Name of what it belongs to.
    pub repository: String,
    /// Path below that, percent-encoded.
    pub uri: String,
    /// Content, whole.
    pub bytes: Vec<u8>,
}

/// Hands the documents to `visit`, and what is inside those that are archives.
pub fn read_given<T, F>(given: &[Given], limits: &Limits, visit: F) -> ReadOutcome<T>
where
    T: Send,
    F: Fn(&Document<'_>) -> Option<T> + Sync,
{
    let located: Vec<_> = given
        .par_iter()
        .filter_map(|one| {
            let document = Document {
                repository: &one.repository,
                uri: Some(&one.uri),
                bytes: &one.bytes,
                origin: Origin::Current,
                marks: None,
            };
            Some(Located {
                value: archives::visit(&document, &limits.archives, &visit)?,
                places: vec![one.place()],
            })
        })
        .collect();
    let mut tallies = Tallies::new(limits.max_notes);
    for one in &located {
        if let (Some(unpacked), Some(place)) = (&one.value.unpacked, one.places.first()) {
            tallies.remember(&place.repository, Some(&place.uri), unpacked);
        }
    }
    let mut coverage = tallies.coverage();
    if let Some(first) = given.first() {
        let bytes: usize = given.iter().map(|one| one.bytes.len()).sum();
        let many = given.len();
        let counts = format!(
            "{many} document{}, {bytes} bytes",
            if many == 1 { "" } else { "s" }
        );
        coverage.push(Coverage::new(
            "given",
            &first.repository,
            CoverageStatus::Read,
            counts,
        ));
    }
    coverage.sort();
    ReadOutcome {
        items: flatten(located),
        coverage,
        documents: given.len() as u64,
    }
}

impl Given {
    fn place(&self) -> Place {
        Place {
            repository: self.repository.clone(),
            uri: self.uri.clone(),
            commit: None,
            author: None,
            first_seen: None,
            last_seen: None,
            at_head: true,
            trail: Trail::default(),
        }
    }
}
