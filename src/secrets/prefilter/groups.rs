//! Which bytes of each literal are looked for, and which literals are looked for together, where a processor looks up 64
//! bytes at a time.
//!
//! Each literal is in one of some groups. Of each place among the bytes it is looked for by it is known which groups have
//! which bytes there, so that a place in a text passes where one group has them all. A literal is put into the group, and
//! looked for by the bytes, with which the least of ordinary text passes.

use super::Literal;
use std::collections::BTreeMap;

/// Most bytes of a literal that are looked for.
pub(super) const WINDOW: usize = 4;
/// Groups, one bit each.
pub(super) const GROUPS: usize = 16;
/// How much it counts how common a window itself is, beside what else its bytes let pass.
const CERTAIN: f32 = 2.0;
/// How much it counts that a window is that of another literal already: all of them are compared where it stands.
const CROWDED: f32 = 0.2;
/// About how common a window is that was not counted.
const RARE: f32 = 5e-6;

/// Of each place in a window, the groups that have a byte there, for every ASCII byte.
pub(super) type Masks = [[u16; 128]; WINDOW];

/// How common some windows are, as a part of ordinary text, letters in either case together; sorted.
pub(super) struct Common(Vec<(u32, f32)>);

impl Common {
    /// `frequencies` are per million.
    pub(super) fn new<const N: usize>(frequencies: Vec<([u8; N], u32)>) -> Self {
        let each = frequencies.into_iter();
        let mut common: Vec<(u32, f32)> = each
            .map(|(window, count)| (folded(&window), count as f32 * 1e-6))
            .collect();
        common.sort_unstable_by_key(|(window, _)| *window);
        Self(common)
    }

    fn of(&self, window: u32) -> f32 {
        let at = self.0.binary_search_by_key(&window, |(window, _)| *window);
        let known = at.ok().and_then(|at| self.0.get(at));
        known.map_or(RARE, |(_, share)| *share)
    }
}

/// A window as a number, letters in either case together.
fn folded(window: &[u8]) -> u32 {
    let fold = |sum: u32, byte: &u8| sum << 8 | u32::from(byte | 0x20);
    window.iter().fold(0, fold)
}

/// Puts literals, all of them of at least `width` bytes, into the first `groups` groups. Of each it also tells where the
/// bytes begin that it is looked for by.
pub(super) fn choose(
    literals: &[&Literal],
    width: usize,
    groups: usize,
    common: &Common,
) -> (Box<Masks>, Vec<usize>) {
    let mut used: BTreeMap<u32, f32> = BTreeMap::new();
    let mut all = Groups::new(width);
    let mut chosen = vec![0; literals.len()];
    // Those that leave the least choice come first.
    let mut order: Vec<(&Literal, &mut usize)> =
        literals.iter().copied().zip(&mut chosen).collect();
    order.sort_by_key(|(literal, _)| (!literal.ignore_case, literal.bytes.len()));
    for (Literal { bytes, ignore_case }, chosen) in order {
        let mut least = f32::INFINITY;
        let mut best = None;
        for (at, window) in bytes.windows(width).enumerate() {
            let folded = folded(window);
            let crowd = used.get(&folded).copied().unwrap_or_default();
            let own = common.of(folded) * (CERTAIN + CROWDED * crowd);
            for (group, cost) in all
                .costs(window, *ignore_case)
                .into_iter()
                .enumerate()
                .take(groups)
            {
                if cost + own < least {
                    (least, best) = (cost + own, Some((at, window, folded, group)));
                }
            }
        }
        if let Some((at, window, folded, group)) = best {
            all.add(window, *ignore_case, group);
            *used.entry(folded).or_default() += 1.0;
            *chosen = at;
        }
    }
    (all.masks, chosen)
}

/// A number for each group.
type Each = [f32; GROUPS];

/// The bytes at the places of the windows of all groups.
struct Groups {
    masks: Box<Masks>,
    /// Of each place and byte, what the byte would add to the shares of the place.
    missing: Vec<[Each; 128]>,
    /// Of each place, about which part of ordinary text its bytes are.
    shares: Vec<Each>,
}

impl Groups {
    fn new(width: usize) -> Self {
        let mut masks = Box::new([[0; 128]; WINDOW]);
        // Any byte will do at the places that a window does not have.
        masks
            .iter_mut()
            .skip(width)
            .for_each(|place| place.fill(!0));
        let missing = std::array::from_fn(|byte| [share(byte as u8); GROUPS]);
        Self {
            masks,
            missing: vec![missing; width],
            shares: vec![[0.0; GROUPS]; width],
        }
    }

    /// How much more of ordinary text passes once a window is added to each group.
    fn costs(&self, window: &[u8], ignore_case: bool) -> Each {
        let (mut before, mut after) = ([1.0; GROUPS], [1.0; GROUPS]);
        for ((shares, missing), byte) in self.shares.iter().zip(&self.missing).zip(window) {
            let [one, other] = cases(*byte, ignore_case);
            let nothing = [0.0; GROUPS];
            let one = missing.get(one as usize).unwrap_or(&nothing);
            let other = missing.get(other as usize).unwrap_or(&nothing);
            for group in 0..GROUPS {
                before[group] *= shares[group];
                after[group] *= shares[group] + one[group] + other[group];
            }
        }
        let mut costs = [0.0; GROUPS];
        for group in 0..GROUPS {
            costs[group] = after[group] - before[group];
        }
        costs
    }

    fn add(&mut self, window: &[u8], ignore_case: bool, group: usize) {
        let places = self
            .masks
            .iter_mut()
            .zip(&mut self.missing)
            .zip(&mut self.shares);
        for (((masks, missing), shares), byte) in places.zip(window) {
            for byte in cases(*byte, ignore_case) {
                if let Some(missing) = missing.get_mut(byte as usize)
                    && let Some(mask) = masks.get_mut(byte as usize)
                {
                    *mask |= 1 << group;
                    shares[group] += missing[group];
                    missing[group] = 0.0;
                }
            }
        }
    }
}

/// The bytes that a byte of a literal matches.
const fn cases(byte: u8, ignore_case: bool) -> [u8; 2] {
    if ignore_case {
        [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()]
    } else {
        [byte; 2]
    }
}

/// About which part of ordinary text a byte is.
fn share(byte: u8) -> f32 {
    SHARES
        .get(byte as usize)
        .map_or(1e-5, |share| f32::from(*share) * 1e-5)
}

/// How often each byte occurs in 100,000 of source text. Source: counted over 96 MB of seven public projects in Java, Go, Ruby,
/// PHP, Python and configuration files. `as_of` 2026-11-23
#[rustfmt::skip]
const SHARES: [u16; 128] = [
    1, 1, 1, 1, 1, 1, 1, 1, 1, 674, 2357, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    18666, 33, 1016, 114, 105, 44, 32, 2434, 479, 479, 230, 39, 1132, 370, 889, 371,
    237, 188, 156, 112, 104, 98, 97, 68, 73, 66, 1085, 173, 114, 890, 717, 25,
    71, 223, 92, 225, 142, 198, 108, 48, 68, 206, 29, 41, 138, 125, 157, 147,
    154, 14, 174, 278, 250, 70, 67, 55, 16, 30, 13, 104, 91, 104, 5, 462,
    100, 3709, 694, 1682, 1634, 5512, 930, 953, 1069, 3361, 180, 540, 2006, 1303, 3240, 3177,
    1453, 118, 3245, 2891, 4057, 1497, 465, 429, 251, 595, 102, 208, 54, 208, 2, 1,
];
