//! References to the `secrets` context in expressions.

/// What an expression says about secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reference<'a> {
    /// `secrets.NAME` or `secrets['NAME']`.
    Named(&'a str),
    /// `toJSON(secrets)`: all of them.
    All,
    /// `secrets[…]` with a name made at run time.
    Computed,
}

/// References in a piece of source, with their byte offsets. Expressions stand between `${{` and `}}`; where `bare` is
/// true (`if:`) the whole text is one.
pub(super) fn references(source: &str, bare: bool) -> Vec<(usize, Reference<'_>)> {
    let mut out = Vec::new();
    if bare && !source.contains("${{") {
        scan(source, 0, &mut out);
        return out;
    }
    let mut from = 0;
    while let Some(start) = source
        .get(from..)
        .and_then(|rest| rest.find("${{"))
        .map(|at| from + at + 3)
    {
        let rest = source.get(start..).unwrap_or_default();
        let length = rest.find("}}").unwrap_or(rest.len());
        scan(rest.get(..length).unwrap_or_default(), start, &mut out);
        from = start + length;
    }
    out
}

fn scan<'a>(expression: &'a str, base: usize, out: &mut Vec<(usize, Reference<'a>)>) {
    const WORD: &str = "secrets";
    let lower = expression.to_ascii_lowercase();
    let mut quoted = QuoteState::default();
    for (at, _) in lower.match_indices(WORD) {
        let before = expression.get(..at).unwrap_or_default();
        let after = expression.get(at + WORD.len()..).unwrap_or_default();
        if quoted.inside(before)
            || before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
            || after.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-'))
        {
            continue;
        }
        out.push((base + at, target(after)));
    }
}

/// Whether a position lies in a quoted string, asked for growing positions.
#[derive(Default)]
struct QuoteState {
    read: usize,
    open: bool,
}

impl QuoteState {
    fn inside(&mut self, before: &str) -> bool {
        let quotes = before
            .get(self.read..)
            .unwrap_or_default()
            .matches('\'')
            .count();
        self.open ^= quotes % 2 == 1;
        self.read = before.len();
        self.open
    }
}

/// What follows the word `secrets`.
fn target(after: &str) -> Reference<'_> {
    let after = after.trim_start();
    if let Some(rest) = after.strip_prefix('.') {
        let rest = rest.trim_start();
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))
            .unwrap_or(rest.len());
        return match rest.get(..end) {
            Some(name) if !name.is_empty() => Reference::Named(name),
            _ => Reference::All,
        };
    }
    let Some(rest) = after.strip_prefix('[') else {
        return Reference::All;
    };
    // In a double-quoted scalar the source may hold `\"` for a quote.
    let rest = rest.trim_start().trim_start_matches('\\');
    let name = rest
        .strip_prefix(['\'', '"'])
        .and_then(|rest| rest.split_once(['\'', '"', '\\']))
        .map(|(name, rest)| {
            (
                name,
                rest.trim_start_matches(['\'', '"', '\\']).trim_start(),
            )
        });
    match name {
        Some((name, rest))
            if rest.starts_with(']')
                && !name.is_empty()
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) =>
        {
            Reference::Named(name)
        }
        _ => Reference::Computed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_way_to_name_a_secret_is_read() {
        let source = "a ${{ secrets.A }} ${{ Secrets['B'] || secrets[\\\"C\\\"] }} secrets.NOT ${{ toJSON(secrets) }} \
                      ${{ secrets[format('X{0}', 1)] }} ${{ needs.secrets.x }} ${{ 'secrets.D' }}";
        let found: Vec<_> = references(source, false)
            .into_iter()
            .map(|(_, r)| r)
            .collect();
        assert_eq!(
            found,
            [
                Reference::Named("A"),
                Reference::Named("B"),
                Reference::Named("C"),
                Reference::All,
                Reference::Computed,
            ]
        );
        assert_eq!(
            references("secrets.E != ''", true),
            [(0, Reference::Named("E"))]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "(\\$\\{\\{|\\}\\}|secrets|[\\[\\].'\"\\\\ aé_-]){0,40}") {
            for (at, _) in references(&text, text.len() % 2 == 0) {
                prop_assert!(text[at..].to_ascii_lowercase().starts_with("secrets"));
            }
        }
    }
}
