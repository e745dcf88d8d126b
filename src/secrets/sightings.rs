//! From matches to what is told of them: one claim per text, masked, with line and column.

use super::context;
use super::echo::Echoes;
use super::engine::Engine;
use super::found::Found;
use super::ignores::{self, Marker};
use super::inside::Inside;
use super::lines::Lines;
use super::matching::MAX_MATCHES;
use crate::model::consumer::OTHER_STORE;
use crate::model::{
    Fingerprint, FingerprintKey, Ignored, IgnoredBy, Redacted, SeenCredential, Sighting, Trail,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Most places of one credential that are told of in one document: more say nothing new, and a hostile file could have
/// millions.
const MAX_PLACES: usize = 1_000;
/// Most sightings that are told of in one document. Each costs a judgement, a plan and its lines in every report, so that
/// a file of nothing but tokens could cost more memory than there is.
const MAX_SIGHTINGS: usize = 10_000;

/// What a document holds.
#[derive(Debug)]
pub struct Scanned {
    /// Each credential at every line it stands on, in order.
    pub seen: Vec<SeenCredential>,
    /// There is more than is told of in one document.
    pub more: bool,
}

impl Engine {
    pub(super) fn sightings(
        &self,
        text: &[u8],
        found: Vec<Found>,
        mut inside: Vec<Inside>,
        around: &[String],
        key: &FingerprintKey,
    ) -> Scanned {
        let more = found.len() >= MAX_MATCHES;
        let secrets = secrets_of(&found);
        let mut settled = self.settled(text, found);
        self.reconcile(&mut settled, &mut inside);
        let mut shown = Shown::new(text, secrets, &settled);
        for one in &inside {
            mask_inside(one, &mut |place| place, &mut shown.secrets);
        }
        shown.settle();
        let mut telling = Telling {
            engine: self,
            key,
            markers: ignores::markers(text),
            known: BTreeMap::new(),
            out: Vec::new(),
            more,
        };
        for place in places(text, &settled) {
            telling.tell(&place, &shown, around);
        }
        if !inside.is_empty() {
            let mut starts = BTreeMap::new();
            for one in &inside {
                starts_inside(one, &mut |place| place, &mut |start| {
                    starts.insert(start, (1, 1));
                });
            }
            let mut lines = Lines::new(text);
            for (start, at) in &mut starts {
                *at = lines.of(*start);
            }
            for one in inside {
                telling.tell_inside(one, &mut |place| place, &starts, around);
            }
            telling
                .out
                .sort_by_key(|seen| (seen.sighting.line, seen.sighting.column));
        }
        Scanned {
            seen: telling.out,
            more: telling.more,
        }
    }
}

/// Where a match is told to be: its secret, unless that stands apart from it. A match may begin a line earlier.
fn anchor(one: &Found) -> usize {
    let within = |secret: &&Range<usize>| one.span.contains(&secret.start);
    one.secret
        .as_ref()
        .filter(within)
        .unwrap_or(&one.span)
        .start
}

/// Where a credential is told to be.
struct Place<'f> {
    one: &'f Found,
    /// What is shown of it.
    focus: &'f Range<usize>,
    /// Line and column.
    at: (u32, u32),
    /// The line of its other half.
    other: Option<u32>,
}

/// Every place to tell of, in order. The secret of a pair that is on another line than its id is one of its own.
fn places<'f>(text: &[u8], settled: &'f [Found]) -> Vec<Place<'f>> {
    let mut starts: Vec<(usize, usize, &Range<usize>, &Found)> = Vec::with_capacity(settled.len());
    for (index, one) in settled.iter().enumerate() {
        let own = focus(one).unwrap_or(&one.span);
        starts.push((anchor(one), index, own, one));
        starts.extend(apart(one).map(|secret| (secret.start, index, secret, one)));
    }
    starts.sort_by_key(|(start, index, _, one)| (*start, one.span.start, *index));
    let mut lines = Lines::new(text);
    // The place that was told of a pair first.
    let mut first: BTreeMap<usize, usize> = BTreeMap::new();
    let mut out: Vec<Place<'_>> = Vec::with_capacity(starts.len());
    for (start, index, focus, one) in starts {
        let mut place = Place {
            one,
            focus,
            at: lines.of(start),
            other: None,
        };
        let half = first.get(&index).and_then(|at| out.get_mut(*at));
        if let Some(half) = half {
            // On the line of the other half it says nothing new.
            if half.at.0 == place.at.0 {
                continue;
            }
            half.other = Some(place.at.0);
            place.other = Some(half.at.0);
        } else if apart(one).is_some() {
            first.insert(index, out.len());
        }
        out.push(place);
    }
    out
}

/// The secret of a match that it stands within.
fn focus(one: &Found) -> Option<&Range<usize>> {
    one.secret
        .as_ref()
        .filter(|secret| secret.start >= one.span.start && secret.end <= one.span.end)
}

/// The secret of a match that it stands beside: that of a pair, which is found on both lines.
fn apart(one: &Found) -> Option<&Range<usize>> {
    one.secret
        .as_ref()
        .filter(|secret| secret.end <= one.span.start || secret.start >= one.span.end)
}

/// From a place in an inner text to that in the document.
type Outwards<'a> = &'a mut dyn FnMut(Range<usize>) -> Range<usize>;

/// A text whose lines are shown.
struct Shown<'a> {
    text: &'a [u8],
    /// Places of secrets; sorted and disjoint once settled.
    secrets: Vec<(Range<usize>, String)>,
    /// The same by value.
    every: Echoes,
    /// Only of what was settled on: a rule that took a public id for a secret must not hide it.
    kept: Echoes,
}

impl<'a> Shown<'a> {
    fn new(text: &'a [u8], mut secrets: Vec<(Range<usize>, String)>, settled: &[Found]) -> Self {
        secrets.sort_by_key(|(range, prefix)| (range.start, range.end, prefix.len()));
        Self {
            text,
            every: Echoes::new(text, &secrets),
            kept: Echoes::new(text, &secrets_of(settled)),
            secrets,
        }
    }

    fn settle(&mut self) {
        let mut secrets = std::mem::take(&mut self.secrets);
        secrets.sort_by_key(|(range, prefix)| (range.start, range.end, prefix.len()));
        self.secrets = disjoint(secrets);
    }
}

fn secrets_of(found: &[Found]) -> Vec<(Range<usize>, String)> {
    found
        .iter()
        .filter_map(|one| Some((one.secret.clone()?, one.prefix.clone())))
        .collect()
}

/// Masks what an encoded secret is written as.
fn mask_inside(one: &Inside, outwards: Outwards<'_>, secrets: &mut Vec<(Range<usize>, String)>) {
    for (place, _) in &one.secrets {
        secrets.push((outwards(one.way.place(place)), String::new()));
    }
    for deeper in &one.deeper {
        mask_inside(
            deeper,
            &mut |place| outwards(one.way.place(&place)),
            secrets,
        );
    }
}

fn starts_inside(one: &Inside, outwards: Outwards<'_>, visit: &mut dyn FnMut(usize)) {
    for found in &one.found {
        visit(outwards(one.way.place(&found.span)).start);
    }
    for deeper in &one.deeper {
        starts_inside(deeper, &mut |place| outwards(one.way.place(&place)), visit);
    }
}

/// Sightings as they are told.
struct Telling<'e> {
    engine: &'e Engine,
    key: &'e FingerprintKey,
    /// What comments say is to be ignored.
    markers: Vec<Marker>,
    /// The lines each credential was told of.
    known: BTreeMap<(String, Option<String>, Option<Fingerprint>), BTreeSet<u32>>,
    out: Vec<SeenCredential>,
    /// Something was left out.
    more: bool,
}

impl Telling<'_> {
    fn tell_inside(
        &mut self,
        one: Inside,
        outwards: Outwards<'_>,
        starts: &BTreeMap<usize, (u32, u32)>,
        around: &[String],
    ) {
        let layers: Vec<String> = around.iter().chain(&one.layers).cloned().collect();
        let mut shown = Shown::new(&one.text, one.secrets, &one.found);
        for deeper in &one.deeper {
            mask_inside(deeper, &mut |place| place, &mut shown.secrets);
        }
        shown.settle();
        for found in one.found {
            let start = outwards(one.way.place(&found.span)).start;
            let at = starts.get(&start).copied().unwrap_or((1, 1));
            let place = Place {
                one: &found,
                focus: focus(&found).unwrap_or(&found.span),
                at,
                other: None,
            };
            self.tell(&place, &shown, &layers);
        }
        for deeper in one.deeper {
            let way = &one.way;
            self.tell_inside(
                deeper,
                &mut |place| outwards(way.place(&place)),
                starts,
                &layers,
            );
        }
    }

    fn tell(&mut self, place: &Place<'_>, shown: &Shown<'_>, layers: &[String]) {
        let one = place.one;
        let Some(compiled) = self.engine.rules.get(one.rule) else {
            return;
        };
        let rule = &compiled.rule;
        let fingerprint = one
            .secret_bytes(shown.text)
            .map(|secret| self.key.fingerprint(&rule.credential_type, secret));
        let (line, column) = place.at;
        let credential = (
            rule.credential_type.clone(),
            one.public_id.clone(),
            fingerprint.clone(),
        );
        let on = self.known.entry(credential).or_default();
        if on.contains(&line) {
            return;
        }
        if on.len() >= MAX_PLACES || self.out.len() >= MAX_SIGHTINGS {
            self.more = true;
            return;
        }
        on.insert(line);
        let context = context::render(shown.text, place.focus, &shown.secrets, &shown.every);
        let mut at = [Some(line), place.other].into_iter().flatten();
        let ignored = at.find_map(|line| ignores::covering(&self.markers, line, &rule.id));
        let ignored = ignored.map(|marker| Ignored {
            by: IgnoredBy::Comment,
            reason: shown.every.mask(marker.reason.clone()),
        });
        self.out.push(SeenCredential {
            rule: rule.id.clone(),
            provider: rule.provider.clone(),
            kind: rule.credential_type.clone(),
            public_id: one.public_id.clone().map(|id| shown.kept.mask(id)),
            fingerprint,
            redacted: Redacted::new(&one.prefix),
            account: one.account.clone(),
            subject: one.subject.clone().map(|subject| shown.kept.mask(subject)),
            created_at: one.created_at,
            expires_at: one.expires_at,
            expires_by_nature: one.expires_by_nature.or(rule.expires_by_nature),
            default_tier: rule.default_tier,
            confidence: one.confidence,
            confidence_reason: reason(one.reasons.clone(), &shown.every),
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
                layers: layers.to_vec(),
                ignored,
                trail: Trail::default(),
            },
        });
    }
}

/// Why the confidence is what it is. Only the address of a store is of the text itself; the rest are words of this program,
/// in which a short secret may stand as well.
fn reason(mut reasons: Vec<String>, secrets: &Echoes) -> String {
    for one in &mut reasons {
        if one.starts_with(OTHER_STORE) {
            *one = secrets.mask(std::mem::take(one));
        }
    }
    reasons.join("; ")
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
