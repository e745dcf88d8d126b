//! A text that a pattern matches, as the example that every rule has.

use crate::rules::credentials::{self, parsed};
use regex_syntax::hir::{Class, Hir, HirKind};

/// Texts made before giving up.
const TRIES: u64 = 60;
/// Longest repetition that is written out.
const MAX_REPEAT: u32 = 80;

/// A text that matches, with one of the literals in it and a secret of at least so many bits per character.
pub(super) fn of(pattern: &str, literals: &[String], entropy: f64) -> Option<String> {
    let hir = parsed(pattern)?;
    let regex = credentials::compile(pattern).ok()?;
    let mut fallback = None;
    for seed in 0..TRIES {
        let mut maker = Maker { state: seed };
        let mut out = Vec::new();
        maker.make(&hir, &mut out);
        let Ok(text) = String::from_utf8(out) else {
            continue;
        };
        if text.contains("{{") || text.contains("}}") {
            continue;
        }
        let Some(captures) = regex.captures(text.as_bytes()) else {
            continue;
        };
        let secret = captures
            .name("secret")
            .map(|secret| bits(secret.as_bytes()));
        let holds = |text: &str| {
            let lower = text.to_ascii_lowercase();
            literals
                .iter()
                .any(|literal| lower.contains(&literal.to_ascii_lowercase()))
        };
        // A keyword that is not part of the match stands before it.
        let text = match literals.first() {
            Some(first) if !holds(&text) => format!("{first} {text}"),
            _ => text,
        };
        if secret.is_some_and(|bits| bits >= entropy) {
            return Some(text);
        }
        fallback = fallback.or(Some(text));
    }
    fallback
}

struct Maker {
    state: u64,
}

impl Maker {
    fn below(&mut self, limit: usize) -> usize {
        // Numbers spread well enough to give a value its entropy (Steele, Lea, Flood: SplitMix).
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as usize % limit.max(1)
    }

    fn make(&mut self, hir: &Hir, out: &mut Vec<u8>) {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => out.extend_from_slice(&literal.0),
            HirKind::Class(class) => out.extend(self.pick(class)),
            HirKind::Repetition(repetition) => {
                let least = repetition.min;
                let most = repetition
                    .max
                    .unwrap_or(least + 8)
                    .min(least.max(MAX_REPEAT));
                let few = least.max(most.min(least + 4));
                let spread = (few - least) as usize + 1;
                let count = least + self.below(spread) as u32;
                for _ in 0..count {
                    self.make(&repetition.sub, out);
                }
            }
            HirKind::Capture(capture) => self.make(&capture.sub, out),
            HirKind::Concat(all) => all.iter().for_each(|one| self.make(one, out)),
            HirKind::Alternation(all) => {
                let at = self.below(all.len());
                if let Some(one) = all.get(at) {
                    self.make(one, out);
                }
            }
        }
    }

    /// A byte of a class, a letter or digit where it has one.
    fn pick(&mut self, class: &Class) -> Option<u8> {
        let ranges: Vec<(u32, u32)> = match class {
            Class::Bytes(bytes) => bytes
                .iter()
                .map(|range| (range.start().into(), range.end().into()))
                .collect(),
            Class::Unicode(all) => all
                .iter()
                .map(|range| (range.start().into(), range.end().into()))
                .collect(),
        };
        let of = |plain: fn(&u8) -> bool| -> Vec<u8> {
            (0x09..=0x7e_u8)
                .filter(|byte| {
                    ranges
                        .iter()
                        .any(|(from, to)| (*from..=*to).contains(&u32::from(*byte)))
                })
                .filter(plain)
                .collect()
        };
        let mut choice = of(u8::is_ascii_alphanumeric);
        if choice.is_empty() {
            choice = of(u8::is_ascii_graphic);
        }
        if choice.is_empty() {
            choice = of(|_| true);
        }
        let at = self.below(choice.len());
        choice.get(at).copied()
    }
}

/// Shannon entropy in bits per byte.
fn bits(bytes: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let total = bytes.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / total)
        .map(|share| -share * share.log2())
        .sum()
}
