//! Documents that are a credential and nothing else: short key files, and binary files that hold keys.

use super::compile::Compiled;
use super::containers;
use super::engine::Engine;
use super::found::Found;
use super::matching::{judged, unjudged};

/// Longest document that a pattern is tried on, in bytes.
const MAX_DOCUMENT: usize = 512;

impl Engine {
    /// What the rules for whole documents find.
    pub(super) fn whole(&self, text: &[u8]) -> Vec<Found> {
        let matched = self.whole.iter().filter_map(|index| {
            let compiled = self.rules.get(*index)?;
            held(*index, compiled, text).or_else(|| written(*index, compiled, text))
        });
        matched.collect()
    }
}

/// A container with keys.
fn held(index: usize, compiled: &Compiled, text: &[u8]) -> Option<Found> {
    let contents = containers::read(compiled.rule.container?, text)?;
    let mut found = unjudged(index, &compiled.rule, 0..text.len());
    found.secret = Some(0..text.len());
    contents.tell(&mut found);
    Some(found)
}

/// A text that a pattern matches from its beginning to its end.
fn written(index: usize, compiled: &Compiled, text: &[u8]) -> Option<Found> {
    if !compiled.rule.whole || text.is_empty() || text.len() > MAX_DOCUMENT {
        return None;
    }
    let captures = compiled.pattern.get()?.captures_at(text, 0)?;
    if captures.whole() != (0..text.len()) {
        return None;
    }
    judged(index, compiled, text, &captures)
}
