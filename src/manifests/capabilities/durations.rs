//! Lifetimes as configuration writes them.

/// Seconds of a lifetime: `3600`, `1h30m`, `32d`; `None` for anything else.
pub(in super::super) fn seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let mut total: f64 = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let number: f64 = rest.get(..end)?.parse().ok()?;
        rest = rest.get(end..)?;
        let unit = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        total += number
            * match rest.get(..unit)?.trim() {
                "ms" => 0.001,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3_600.0,
                "d" => 86_400.0,
                "w" => 604_800.0,
                "y" => 31_536_000.0,
                _ => return None,
            };
        rest = rest.get(unit..)?;
    }
    (total > 0.0).then_some(total as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_have_units_or_are_seconds() {
        for (text, expected) in [
            ("768h", Some(2_764_800)),
            ("2160h0m0s", Some(7_776_000)),
            ("1h30m", Some(5_400)),
            ("32d", Some(2_764_800)),
            ("3600", Some(3_600)),
            ("soon", None),
            ("", None),
            ("1", Some(1)),
            ("h", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
