//! A text in blocks of 64 bytes, of which each byte is a bit of a number.

/// Bytes of a block.
pub(super) const BLOCK: usize = 64;
/// Blocks that are looked at together.
const TOGETHER: usize = 64;

/// Calls `visit(place, bits)` for each block of a text for which `bits` tells any, in order; one begins at `from`, and another at
/// every `step` bytes behind it. Where something is told of every other block, it would be dear to ask at each whether it is.
#[allow(
    clippy::inline_always,
    reason = "it has to become part of a function for a kind of processor"
)]
#[inline(always)]
pub(super) fn telling(
    text: &[u8],
    from: usize,
    step: usize,
    bits: impl Fn(&[u8; BLOCK]) -> u64,
    mut visit: impl FnMut(usize, u64),
) {
    let mut room = [0; BLOCK];
    let mut told = [(0, 0); TOGETHER];
    let mut at = from;
    while at < text.len() {
        let mut count = 0;
        let end = text.len().min(at + TOGETHER * step);
        while at < end {
            let bits = bits(block(text, at, 0, &mut room));
            if let Some(slot) = told.get_mut(count) {
                *slot = (at, bits);
            }
            count += usize::from(bits != 0);
            at += step;
        }
        for &(at, bits) in told.iter().take(count) {
            visit(at, bits);
        }
    }
}

/// The block that begins `lead` bytes before a place, with zeros where the text is not.
#[allow(
    clippy::inline_always,
    reason = "it has to become part of a function for a kind of processor"
)]
#[inline(always)]
pub(super) fn block<'b>(
    text: &'b [u8],
    at: usize,
    lead: usize,
    room: &'b mut [u8; BLOCK],
) -> &'b [u8; BLOCK] {
    let inside = at.checked_sub(lead).and_then(|from| text.get(from..));
    if let Some(block) = inside.and_then(<[u8]>::first_chunk) {
        block
    } else {
        *room = edge(text, at, lead);
        room
    }
}

/// The same near an end of a text.
#[cold]
fn edge(text: &[u8], at: usize, lead: usize) -> [u8; BLOCK] {
    let mut edge = [0; BLOCK];
    let known = lead.min(at);
    let rest = text.get(at - known..).unwrap_or_default();
    let inside = edge.get_mut(lead - known..).unwrap_or_default();
    let length = inside.len().min(rest.len());
    if let (Some(to), Some(from)) = (inside.get_mut(..length), rest.get(..length)) {
        to.copy_from_slice(from);
    }
    edge
}
