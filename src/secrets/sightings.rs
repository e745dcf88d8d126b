//! From matches to what is told of them: one claim per text, masked, with line and column.

use super::claims;
use super::context;
use super::echo::Echoes;
use super::engine::Engine;
use super::found::Found;
use super::lines::Lines;
use crate::model::{FingerprintKey, Redacted, SeenCredential, Sighting, Trail};
use std::collections::BTreeMap;
use std::ops::Range;

/// Most places of one credential that are told of in one document: more say nothing new, and a hostile file could have
/// millions.
const MAX_PLACES: usize = 1_000;

impl Engine {
    pub(super) fn sightings(
        &self,
        text: &[u8],
        found: Vec<Found>,
        key: &FingerprintKey,
    ) -> Vec<SeenCredential> {
        let mut secrets: Vec<(Range<usize>, String)> = found
            .iter()
            .filter_map(|one| Some((one.secret.clone()?, one.prefix.clone())))
            .collect();
        secrets.sort_by_key(|(range, prefix)| (range.start, range.end, prefix.len()));
        let every = Echoes::new(text, &secrets);
        secrets = disjoint(secrets);
        let mut lines = Lines::new(text);
        let mut known: BTreeMap<_, Vec<u32>> = BTreeMap::new();
        let mut out = Vec::new();
        let rule_of = |index: usize| self.rules.get(index).map(|compiled| &compiled.rule);
        let Some(first) = self.rules.first() else {
            return out;
        };
        let settled = claims::settle(found, |index| rule_of(index).unwrap_or(&first.rule));
        // Only of what was settled on: a rule that took a public id for a secret must not hide it.
        let kept: Vec<(Range<usize>, String)> = settled
            .iter()
            .filter_map(|one| Some((one.secret.clone()?, one.prefix.clone())))
            .collect();
        let kept = Echoes::new(text, &kept);
        for one in settled {
            let Some(rule) = rule_of(one.rule) else {
                continue;
            };
            let fingerprint = one
                .secret_bytes(text)
                .map(|secret| key.fingerprint(&rule.credential_type, secret));
            let (line, column) = lines.of(one.span.start);
            let credential = (
                rule.credential_type.clone(),
                one.public_id.clone(),
                fingerprint.clone(),
            );
            let on = known.entry(credential).or_default();
            if on.last() == Some(&line) || on.len() >= MAX_PLACES {
                continue;
            }
            on.push(line);
            let focus = one
                .secret
                .as_ref()
                .filter(|secret| secret.start >= one.span.start && secret.end <= one.span.end);
            let context = context::render(text, focus.unwrap_or(&one.span), &secrets, &every);
            out.push(SeenCredential {
                rule: rule.id.clone(),
                provider: rule.provider.clone(),
                kind: rule.credential_type.clone(),
                public_id: one.public_id.map(|id| kept.mask(id)),
                fingerprint,
                redacted: Redacted::new(&one.prefix),
                account: one.account,
                subject: one.subject.map(|subject| kept.mask(subject)),
                created_at: one.created_at,
                expires_at: one.expires_at,
                expires_by_nature: one.expires_by_nature.or(rule.expires_by_nature),
                default_tier: rule.default_tier,
                confidence: one.confidence,
                confidence_reason: one.reasons.join("; "),
                sighting: Sighting {
                    repository: String::new(),
                    uri: String::new(),
                    line,
                    column,
                    commit: None,
                    author: None,
                    first_seen: None,
                    last_seen: None,
                    at_head: false,
                    context: Some(context),
                    rule: rule.id.clone(),
                    public: false,
                    layers: Vec::new(),
                    trail: Trail::default(),
                },
            });
        }
        out
    }
}

/// Joins overlapping places, so that masks do not reveal what lies between them.
pub(super) fn disjoint(sorted: Vec<(Range<usize>, String)>) -> Vec<(Range<usize>, String)> {
    let mut out: Vec<(Range<usize>, String)> = Vec::with_capacity(sorted.len());
    for (range, prefix) in sorted {
        match out.last_mut() {
            Some((last, _)) if range.start < last.end => last.end = last.end.max(range.end),
            _ => out.push((range, prefix)),
        }
    }
    out
}
