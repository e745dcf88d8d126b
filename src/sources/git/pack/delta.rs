//! Delta instructions: making an object out of another, and what the two share.

use crate::model::Copied;

/// The two sizes a delta begins with, and its instructions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delta<'a> {
    /// Size of the object it is to be applied to.
    pub(super) base: u64,
    /// Size of the object it makes.
    pub(super) result: u64,
    instructions: &'a [u8],
}

impl<'a> Delta<'a> {
    /// Parses the sizes.
    pub(super) fn parse(raw: &'a [u8]) -> Option<Self> {
        let (base, rest) = size(raw)?;
        let (result, instructions) = size(rest)?;
        Some(Self {
            base,
            result,
            instructions,
        })
    }

    /// Fills `out`, which is as long as the result, and lists what was copied, neighbouring stretches joined. `None`
    /// when an instruction reaches outside the base or the result, or not all of the result is made.
    pub(super) fn apply(
        &self,
        base: &[u8],
        out: &mut [u8],
        copied: &mut Vec<Copied>,
    ) -> Option<()> {
        copied.clear();
        if base.len() as u64 != self.base || out.len() as u64 != self.result {
            return None;
        }
        let mut rest = self.instructions;
        let mut at = 0;
        while let Some((&code, tail)) = rest.split_first() {
            if code & 0x80 == 0 {
                // Code zero is reserved.
                let (text, tail) = tail
                    .split_at_checked(usize::from(code))
                    .filter(|_| code != 0)?;
                out.get_mut(at..at + text.len())?.copy_from_slice(text);
                at += text.len();
                rest = tail;
            } else {
                let (from, len, tail) = copy(code, tail)?;
                let part = base.get(from..from.checked_add(len)?)?;
                out.get_mut(at..at.checked_add(len)?)?.copy_from_slice(part);
                match copied.last_mut() {
                    Some(last) if last.to + last.len == at && last.from + last.len == from => {
                        last.len += len;
                    }
                    _ => copied.push(Copied { to: at, from, len }),
                }
                at += len;
                rest = tail;
            }
        }
        (at == out.len()).then_some(())
    }
}

/// Offset and length of a copy instruction, whose bits tell which of their bytes follow.
fn copy(code: u8, mut rest: &[u8]) -> Option<(usize, usize, &[u8])> {
    let mut value = 0_u64;
    for bit in 0..7 {
        if code >> bit & 1 == 1 {
            let (&byte, tail) = rest.split_first()?;
            value |= u64::from(byte) << (8 * bit);
            rest = tail;
        }
    }
    let from = (value & 0xffff_ffff) as usize;
    let len = match (value >> 32) as usize {
        0 => 0x1_0000,
        len => len,
    };
    Some((from, len, rest))
}

fn size(raw: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    let mut shift = 0;
    let mut rest = raw;
    loop {
        let (&byte, tail) = rest.split_first()?;
        rest = tail;
        let part = u64::from(byte & 0x7f);
        if shift > 63 || part << shift >> shift != part {
            return None;
        }
        value |= part << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return Some((value, rest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written_size(mut value: usize) -> Vec<u8> {
        let mut out = Vec::new();
        while value >= 0x80 {
            out.push(value as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
        out
    }

    #[test]
    fn copies_join_and_inserts_part_them() {
        let base = b"0123456789";
        let mut raw = written_size(10);
        raw.extend(written_size(11));
        // Copy 2..5, copy 5..9, insert "xy", copy 0..2.
        raw.extend([0x91, 2, 3, 0x91, 5, 4, 2, b'x', b'y', 0x90, 2]);
        let delta = Delta::parse(&raw).unwrap();
        let mut out = vec![0; delta.result as usize];
        let mut copied = Vec::new();
        delta.apply(base, &mut out, &mut copied).unwrap();
        assert_eq!(out, b"2345678xy01");
        let stretch = |to, from, len| Copied { to, from, len };
        assert_eq!(copied, [stretch(0, 2, 7), stretch(9, 0, 2)]);
        // The same on a base, or for a result, of another size.
        assert!(delta.apply(b"012345678", &mut out, &mut copied).is_none());
        assert!(delta.apply(base, &mut out[..10], &mut copied).is_none());
    }

    #[test]
    fn a_length_of_zero_is_64_kib_and_code_zero_is_none() {
        let base = vec![b'z'; 0x1_0000];
        let mut raw = written_size(base.len());
        raw.extend(written_size(base.len()));
        raw.push(0x80);
        let delta = Delta::parse(&raw).unwrap();
        let mut out = vec![0; base.len()];
        delta.apply(&base, &mut out, &mut Vec::new()).unwrap();
        assert_eq!(out, base);
        raw.push(0);
        let delta = Delta::parse(&raw).unwrap();
        assert!(delta.apply(&base, &mut out, &mut Vec::new()).is_none());
    }

    proptest! {
        #[test]
        fn anything_is_applied_without_panic_and_never_beyond_its_bounds(
            base in proptest::collection::vec(any::<u8>(), 0..60),
            result in 0_usize..60,
            instructions in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut raw = written_size(base.len());
            raw.extend(written_size(result));
            raw.extend(instructions);
            let delta = Delta::parse(&raw).unwrap();
            let mut out = vec![0; result];
            let mut copied = Vec::new();
            if delta.apply(&base, &mut out, &mut copied).is_some() {
                for one in copied {
                    prop_assert_eq!(&out[one.to..one.to + one.len], &base[one.from..one.from + one.len]);
                }
            }
            let _ = Delta::parse(&out);
        }
    }
}
