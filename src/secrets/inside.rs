//! What the rules find in the texts inside a text.

use super::claims;
use super::engine::Engine;
use super::found::Found;
use super::layers::{self, Allowance, DEPTH, Inner, Way};
use super::login;
use super::text::Text;
use std::borrow::Cow;
use std::ops::Range;

/// A text inside another, with what was found in it.
pub(super) struct Inside {
    pub(super) layers: Vec<String>,
    pub(super) text: Vec<u8>,
    pub(super) way: Way,
    settles: bool,
    /// Every secret that a rule recognised, whether or not another claimed it: masked wherever it is shown.
    pub(super) secrets: Vec<(Range<usize>, String)>,
    /// What was settled on.
    pub(super) found: Vec<Found>,
    pub(super) deeper: Vec<Inside>,
}

impl Inside {
    fn is_empty(&self) -> bool {
        self.found.is_empty() && self.deeper.is_empty()
    }
}

impl Engine {
    /// The texts inside a text in which something is found.
    pub(super) fn inside(&self, text: &Text<'_>) -> Vec<Inside> {
        if text.binary {
            return Vec::new();
        }
        self.dig(&text.bytes, DEPTH, &Allowance::default())
    }

    fn dig(&self, text: &[u8], depth: usize, allowance: &Allowance) -> Vec<Inside> {
        let mut out = Vec::new();
        if depth == 0 {
            return out;
        }
        // What is part of a document that declares it comes first, and is not read again by how it is written.
        let mut declared: Vec<Range<usize>> = Vec::new();
        layers::each(text, allowance, &mut |inner| {
            if inner.settles {
                declared.extend(inner.way.stretches());
            } else if let Way::Run(run) = &inner.way
                && declared
                    .iter()
                    .any(|of| of.start <= run.start && run.end <= of.end)
            {
                return;
            }
            let mut one = self.look_at(inner);
            one.deeper = self.dig(&one.text, depth - 1, allowance);
            self.reconcile(&mut one.found, &mut one.deeper);
            if !one.is_empty() || one.settles {
                out.push(one);
            }
        });
        out
    }

    /// What the rules find in one inner text.
    fn look_at(&self, inner: Inner) -> Inside {
        let text = Text {
            bytes: Cow::Borrowed(&inner.text),
            binary: false,
        };
        let windows = self.windows(&text);
        let found = self.matches(&text.bytes, &windows);
        let secrets = found
            .iter()
            .filter_map(|one| Some((one.secret.clone()?, one.prefix.clone())))
            .collect();
        Inside {
            found: self.settled(&text.bytes, found),
            layers: inner.layers,
            text: inner.text,
            way: inner.way,
            settles: inner.settles,
            secrets,
            deeper: Vec::new(),
        }
    }

    /// One claim per piece of text.
    pub(super) fn settled(&self, text: &[u8], found: Vec<Found>) -> Vec<Found> {
        let Some(first) = self.rules.first() else {
            return Vec::new();
        };
        let found = claims::settle(found, |index| &self.rules.get(index).unwrap_or(first).rule);
        login::without_repeats(text, found, |one| self.is_generic(one))
    }

    fn is_generic(&self, found: &Found) -> bool {
        self.rules
            .get(found.rule)
            .is_none_or(|compiled| compiled.rule.generic)
    }

    /// Settles what a text and the texts inside it both claim. A rule that knows what it found wins over one that does
    /// not; of two alike the text itself wins, unless it is a run whose places mean nothing: then what is inside says
    /// more.
    pub(super) fn reconcile(&self, own: &mut Vec<Found>, inside: &mut Vec<Inside>) {
        if inside.is_empty() {
            return;
        }
        let mut dropped = vec![false; own.len()];
        let overlaps = |one: &Found, place: &Range<usize>| {
            let claim = claim(one);
            claim.start < place.end && place.start < claim.end
        };
        retain(inside, &mut |place, found, in_run| {
            let mut stays = true;
            for (one, dropped) in own.iter().zip(&mut dropped) {
                if !overlaps(one, &place) {
                    continue;
                }
                if self.is_generic(one) && (in_run || !self.is_generic(found)) {
                    *dropped = true;
                } else {
                    stays = false;
                }
            }
            stays
        });
        for place in inside
            .iter()
            .filter(|one| one.settles)
            .flat_map(|one| one.way.stretches())
        {
            for (own, dropped) in own.iter().zip(&mut dropped) {
                *dropped |= self.is_generic(own) && overlaps(own, &place);
            }
        }
        let mut dropped = dropped.into_iter();
        own.retain(|_| !dropped.next().unwrap_or(false));
        inside.retain(|one| !one.is_empty() || one.settles);
    }

    /// Whether something may be found in a text inside this one that touches the `dirty` ranges. What was found in texts
    /// that do not is remembered from before, and so is, in `declares`, whether the text may declare some anywhere.
    pub(super) fn may_hold_inside(
        &self,
        text: &[u8],
        dirty: &[Range<usize>],
        declares: bool,
    ) -> bool {
        if super::text::wide(text).is_some() {
            return true;
        }
        if super::text::is_binary(text) {
            return false;
        }
        let allowance = Allowance::default();
        let mut any = false;
        layers::touching(text, dirty, declares, &allowance, &mut |inner| {
            if !any {
                let inner = self.look_at(inner);
                let deeper = || self.dig(&inner.text, DEPTH - 1, &allowance);
                any = !inner.found.is_empty() || !deeper().iter().all(Inside::is_empty);
            }
        });
        any || allowance.is_spent()
    }
}

/// The bytes a match claims.
pub(super) fn claim(found: &Found) -> &Range<usize> {
    found.secret.as_ref().unwrap_or(&found.span)
}

/// Keeps what `keep` wants of everything found, by its place in the outermost text and whether that is a run.
fn retain(inside: &mut [Inside], keep: &mut dyn FnMut(Range<usize>, &Found, bool) -> bool) {
    for one in inside {
        let way = &one.way;
        one.found
            .retain(|found| keep(way.place(claim(found)), found, way.is_run()));
        retain(&mut one.deeper, &mut |place, found, in_run| {
            keep(way.place(&place), found, in_run || way.is_run())
        });
    }
}
