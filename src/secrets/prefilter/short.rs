//! Literals of three bytes: too short to be looked for in steps, and few.
//!
//! They are put into groups. Of each byte of a literal, its two halves have a mask of the groups in which a literal has
//! such a half there; where the masks of three neighbouring bytes have a group in common, a literal of it may stand.

use super::Literal;
use super::simd;

/// Bytes of these literals.
pub(super) const SHORT: usize = 3;
const GROUPS: usize = 8;

/// Of each place in a literal, the groups for each value of a byte's halves.
#[derive(Debug)]
pub(super) struct Masks {
    pub(super) low: [[u8; 16]; SHORT],
    pub(super) high: [[u8; 16]; SHORT],
    /// What both come to, for each byte.
    pub(super) both: [[u8; 256]; SHORT],
}

impl Default for Masks {
    fn default() -> Self {
        Self {
            low: [[0; 16]; SHORT],
            high: [[0; 16]; SHORT],
            both: [[0; 256]; SHORT],
        }
    }
}

impl Masks {
    /// Adds a literal to a group.
    pub(super) fn add(&mut self, group: usize, literal: [u8; SHORT], ignore_case: bool) {
        let group = 1 << (group % GROUPS);
        for (at, byte) in literal.into_iter().enumerate() {
            let cases = [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()];
            for byte in if ignore_case { cases } else { [byte; 2] } {
                self.low[at][(byte & 15) as usize] |= group;
                self.high[at][(byte >> 4) as usize] |= group;
            }
            for (byte, both) in self.both[at].iter_mut().enumerate() {
                *both = self.low[at][byte & 15] & self.high[at][byte >> 4];
            }
        }
    }
}

/// The bytes that stand somewhere in the literals of a group, of both halves of each place, one bit each.
#[derive(Clone, Copy, Default)]
struct Halves([(u16, u16); SHORT]);

impl Halves {
    fn of(literal: [u8; SHORT], ignore_case: bool) -> Self {
        Self(literal.map(|byte| {
            let cases = [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()];
            let cases = if ignore_case { cases } else { [byte; 2] };
            let (mut low, mut high) = (0, 0);
            for byte in cases {
                low |= 1 << (byte & 15);
                high |= 1 << (byte >> 4);
            }
            (low, high)
        }))
    }

    fn and(self, other: Self) -> Self {
        let mut all = self;
        for (one, more) in all.0.iter_mut().zip(other.0) {
            *one = (one.0 | more.0, one.1 | more.1);
        }
        all
    }

    /// How much of ordinary text would pass.
    fn cost(self) -> f32 {
        let each = self.0.map(|(low, high)| {
            let of_high = |high: u8| bits(low).map(|low| weight(high << 4 | low)).sum::<f32>();
            bits(high).map(of_high).sum::<f32>()
        });
        each.iter().product()
    }
}

/// The bits that are set, ascending.
fn bits(mut set: u16) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let bit = (set != 0).then(|| set.trailing_zeros() as u8)?;
        set &= set - 1;
        Some(bit)
    })
}

/// About which part of ordinary text a byte is.
fn weight(byte: u8) -> f32 {
    match byte {
        b' ' => 0.15,
        b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 0.05,
        b'a'..=b'z' => 0.015,
        b'0'..=b'9' | b'A'..=b'Z' | b'!'..=b'/' | b':'..=b'@' | b'_' | b'\n' => 0.005,
        _ => 0.001,
    }
}

/// Puts literals into groups so that little of ordinary text passes: of all groups the two that cost least together become
/// one, until there are few enough.
fn grouped(literals: &[([u8; SHORT], bool)]) -> Vec<Vec<usize>> {
    // A bound on what many would cost; there are some fifty.
    const MOST: usize = 64;
    struct Group {
        members: Vec<usize>,
        halves: Halves,
        cost: f32,
        /// What each group before this one would cost with it, over what both cost alone.
        with: Vec<f32>,
    }
    let join =
        |one: &Group, other: &Group| one.halves.and(other.halves).cost() - one.cost - other.cost;
    let mut groups: Vec<Group> = Vec::new();
    let some = literals.len().div_ceil(MOST).max(1);
    let numbers: Vec<usize> = (0..literals.len()).collect();
    for members in numbers.chunks(some) {
        let all = members.iter().filter_map(|at| literals.get(*at));
        let halves = all.fold(Halves::default(), |sum, (literal, ignore_case)| {
            sum.and(Halves::of(*literal, *ignore_case))
        });
        let mut group = Group {
            members: members.to_vec(),
            halves,
            cost: halves.cost(),
            with: Vec::new(),
        };
        group.with = groups.iter().map(|other| join(&group, other)).collect();
        groups.push(group);
    }
    while groups.len() > GROUPS {
        let pairs = groups.iter().enumerate().flat_map(|(one, group)| {
            let with = group.with.iter().enumerate();
            with.map(move |(other, cost)| (*cost, one, other))
        });
        let Some((_, one, other)) = pairs.min_by(|a, b| a.0.total_cmp(&b.0)) else {
            break;
        };
        let taken = groups.remove(one);
        for later in groups.iter_mut().skip(one) {
            later.with.remove(one);
        }
        let Some(into) = groups.get_mut(other) else {
            break;
        };
        into.members.extend(taken.members);
        into.halves = into.halves.and(taken.halves);
        into.cost = into.halves.cost();
        for at in 0..groups.len() {
            let (one, two) = (at.max(other), at.min(other));
            if let (Some(first), Some(second)) = (groups.get(one), groups.get(two))
                && one != two
            {
                let cost = join(first, second);
                if let Some(slot) = groups
                    .get_mut(one)
                    .and_then(|group| group.with.get_mut(two))
                {
                    *slot = cost;
                }
            }
        }
    }
    groups.into_iter().map(|group| group.members).collect()
}

/// The compiled literals.
pub(super) struct Short {
    masks: Masks,
    /// Of each, its bytes, folded, and which it is; sorted.
    known: Vec<(u32, u32)>,
}

impl Short {
    /// Of `literals`, those that are so short.
    pub(super) fn new(literals: &[Literal]) -> Self {
        let (mut short, mut known) = (Vec::new(), Vec::new());
        for (index, literal) in literals.iter().enumerate() {
            if let Ok(bytes) = <[u8; SHORT]>::try_from(literal.bytes.as_slice()) {
                short.push((bytes, literal.ignore_case));
                known.push((folded(bytes), index as u32));
            }
        }
        let mut masks = Masks::default();
        for (group, members) in grouped(&short).into_iter().enumerate() {
            for (bytes, ignore_case) in members.into_iter().filter_map(|at| short.get(at)) {
                masks.add(group, *bytes, *ignore_case);
            }
        }
        known.sort_unstable();
        Self { masks, known }
    }

    /// Calls `on(literal, at)` for every place in `text`, where some rounds are looked at, where a literal may stand.
    pub(super) fn find(&self, text: &[u8], places: &mut [u16], mut on: impl FnMut(usize, usize)) {
        let count = simd::threes(&self.masks, text, places);
        for at in places.iter().take(count) {
            let at = *at as usize;
            let Some(bytes) = text.get(at..).and_then(<[u8]>::first_chunk) else {
                continue;
            };
            let bytes = folded(*bytes);
            let first = self.known.partition_point(|(known, _)| *known < bytes);
            let rest = self.known.get(first..).unwrap_or_default();
            for (_, literal) in rest.iter().take_while(|(known, _)| *known == bytes) {
                on(*literal as usize, at);
            }
        }
    }
}

fn folded([a, b, c]: [u8; SHORT]) -> u32 {
    u32::from_le_bytes([a, b, c, 0]) | simd::FOLD
}
