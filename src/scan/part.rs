//! What one program read of a scan, as a file that another one can take up.

use super::{Gathered, Inspected, RuleSet, ScanRequest};
use crate::model::{Coverage, FingerprintKey};
use crate::sources::{Parts, ReadOptions};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What the parts of one scan have in common, and which of them this is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartHead {
    /// Version of the program.
    pub program: String,
    /// Digest of the rules.
    pub rules: String,
    /// Rules that were left out.
    pub disabled: Vec<String>,
    /// History was read.
    pub history: bool,
    /// What nothing leads to was read as well.
    pub unreachable: bool,
    /// Of history, what came in since then was read.
    pub since: Option<Timestamp>,
    /// Repositories of other users were read.
    pub trust_repo_owner: bool,
    /// Stands for everything that was to be scanned, by all parts together.
    pub scope: String,
    /// Which part, from 1.
    pub number: u32,
    /// Of how many.
    pub of: u32,
    /// Time of the scan.
    pub now: Timestamp,
}

impl PartHead {
    /// The head of a part of this scan.
    pub fn new(request: &ScanRequest, rules: &RuleSet, scope: &str, number: u32, of: u32) -> Self {
        Self {
            program: env!("CARGO_PKG_VERSION").to_owned(),
            rules: rules.digest.clone(),
            disabled: rules.measures.config.rules.disable.clone(),
            history: request.read.history,
            unreachable: request.read.unreachable,
            since: request.read.since,
            trust_repo_owner: request.read.trust_repo_owner,
            scope: scope.to_owned(),
            number,
            of,
            now: request.now,
        }
    }

    /// What was read.
    pub fn options(&self) -> ReadOptions {
        ReadOptions {
            history: self.history,
            unreachable: self.unreachable,
            since: self.since,
            trust_repo_owner: self.trust_repo_owner,
            ..ReadOptions::default()
        }
    }
}

impl Gathered {
    /// Adds what another program read.
    pub fn merge(&mut self, other: Self) {
        self.parts.add(other.parts);
        self.coverage.extend(other.coverage);
        self.accounts.extend(other.accounts);
        self.origins.extend(other.origins);
    }

    /// Adds to what is told of the reading.
    pub fn tell(&mut self, entry: Coverage) {
        self.coverage.push(entry);
    }
}

/// A part as a file, sealed under the key of the fingerprints; `None` when something of it has no such form.
pub fn write_part(head: &PartHead, gathered: &Gathered, key: &FingerprintKey) -> Option<Vec<u8>> {
    let head_and_coverage =
        serde_json::to_vec(&(head, &gathered.coverage, &gathered.origins)).ok()?;
    let parts = gathered.parts.clone().pack(&head.options())?;
    let mut content = (head_and_coverage.len() as u64).to_le_bytes().to_vec();
    content.extend(head_and_coverage);
    content.extend(parts);
    Some(key.seal(content))
}

/// Reads a part; `None` when it is of another key or program, or not whole.
pub fn read_part(sealed: &[u8], key: &FingerprintKey) -> Option<(PartHead, Gathered)> {
    let content = key.unseal(sealed)?;
    let (length, rest) = content.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (json, parts) = rest.split_at_checked(length)?;
    let (head, coverage, origins): (PartHead, Vec<Coverage>, _) =
        serde_json::from_slice(json).ok()?;
    if head.program != env!("CARGO_PKG_VERSION") {
        return None;
    }
    let parts: Parts<Inspected> = Parts::unpack(parts, &head.options())?;
    let gathered = Gathered {
        parts,
        coverage,
        origins,
        ..Gathered::default()
    };
    Some((head, gathered))
}
