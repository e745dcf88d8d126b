//! Short documents that are a secret and nothing else: key files.

use super::engine::Engine;
use super::found::Found;
use super::matching::judged;

/// Longest document that is tried, in bytes.
const MAX_DOCUMENT: usize = 512;

impl Engine {
    /// What the rules for whole documents find.
    pub(super) fn whole(&self, text: &[u8]) -> Vec<Found> {
        if text.is_empty() || text.len() > MAX_DOCUMENT {
            return Vec::new();
        }
        let matched = self.whole.iter().filter_map(|index| {
            let compiled = self.rules.get(*index)?;
            let captures = compiled.pattern.get()?.captures(text)?;
            let all = captures.get(0)?;
            if all.start() > 0 || all.end() < text.len() {
                return None;
            }
            judged(*index, compiled, text, &captures)
        });
        matched.collect()
    }
}
