//! Text written as hexadecimal digits.

use super::prose::is_text;
use std::ops::Range;

/// Fewest digits that are looked into.
const SHORTEST: usize = 32;
/// Pairs that are looked at before anything is decoded.
const PAIRS: usize = 16;

/// Decodes the run when it is nothing but digits that stand for text.
pub(super) fn read(
    text: &[u8],
    run: &Range<usize>,
    most: usize,
) -> Option<(Vec<u8>, Range<usize>)> {
    let mut start = run.start;
    let whole = text.get(run.clone())?;
    if whole.starts_with(b"0x") || whole.starts_with(b"0X") {
        start += 2;
    }
    let digits = text.get(start..run.end)?;
    if digits.len() < SHORTEST || digits.len() % 2 != 0 || digits.len() / 2 > most {
        return None;
    }
    // Printable ASCII begins with 2 to 7, line ends and tabulators with 0.
    let likely = |pair: &[u8]| matches!(pair.first(), Some(b'0' | b'2'..=b'7'));
    if !digits.chunks_exact(2).take(PAIRS).all(likely) {
        return None;
    }
    let decoded: Vec<u8> = digits
        .chunks_exact(2)
        .map_while(|pair| pair_value(*pair.first()?, *pair.get(1)?))
        .collect();
    (decoded.len() * 2 == digits.len() && is_text(&decoded)).then_some((decoded, start..run.end))
}

/// The byte that two digits stand for.
pub(super) fn pair_value(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_decoded_and_digests_are_not() {
        let text = "password=none-of-it";
        let digits: String = text
            .bytes()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .filter_map(|digit| char::from_digit(digit.into(), 16))
            .collect();
        let of = |digits: &str| read(digits.as_bytes(), &(0..digits.len()), 1000);
        assert_eq!(of(&digits).unwrap().0, text.as_bytes());
        assert_eq!(of(&format!("0x{digits}")).unwrap().1.start, 2);
        assert!(of(&"2f".repeat(10)).is_none());
        assert!(of("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08").is_none());
        assert!(of(&format!("{digits}7")).is_none());
    }
}
