//! Whether letters look like words of a language or of source code.

use crate::rules::credentials::trigrams;
use std::sync::LazyLock;

const LETTERS: usize = 26;

/// Three neighbouring letters that are common in text.
static COMMON: LazyLock<Vec<bool>> = LazyLock::new(|| {
    let mut common = vec![false; LETTERS * LETTERS * LETTERS];
    for (three, _) in trigrams().unwrap_or_default() {
        if let Some(slot) = index(three).and_then(|index| common.get_mut(index)) {
            *slot = true;
        }
    }
    common
});

fn index(three: [u8; 3]) -> Option<usize> {
    three.iter().try_fold(0, |sum, byte| {
        let letter = byte.to_ascii_lowercase();
        letter
            .is_ascii_lowercase()
            .then(|| sum * LETTERS + usize::from(letter - b'a'))
    })
}

/// How much of a text is made of words.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wording {
    /// Share of its bytes that stand in runs of letters that look like words, 0 to 1.
    pub share: f64,
    /// Share of its trigrams of letters that are common, 0 to 1; 0 where it has none.
    pub common: f64,
    /// Runs of letters that look like words.
    pub words: u32,
    /// Runs of three and more letters that do not.
    pub riddles: u32,
}

/// Shortest text of hexadecimal digits whose letters are not read.
const HEXADECIMAL: usize = 12;

/// Reads the runs of letters of a text, cut at changes of case. Among hexadecimal digits there are no words: with six
/// letters, common ones follow each other by chance.
pub(super) fn wording(text: &[u8]) -> Wording {
    let mut found = Wording::default();
    if is_hexadecimal(text) {
        return found;
    }
    let (mut hits, mut total, mut covered) = (0_u32, 0_u32, 0_usize);
    each_run(text, |run| {
        if run.len() < 3 {
            return;
        }
        let (mut of_run, mut in_run) = (0_u32, 0_u32);
        for three in run.windows(3) {
            let &[a, b, c] = three else { continue };
            of_run += 1;
            let known = index([a, b, c]).and_then(|at| COMMON.get(at).copied());
            in_run += u32::from(known == Some(true));
        }
        hits += in_run;
        total += of_run;
        if in_run * 5 >= of_run * 2 {
            found.words += 1;
            covered += run.len();
        } else {
            found.riddles += 1;
        }
    });
    if total > 0 {
        found.common = f64::from(hits) / f64::from(total);
    }
    if !text.is_empty() {
        found.share = covered as f64 / text.len() as f64;
    }
    found
}

/// Digits of numbers or UUIDs, at least one of them decimal.
fn is_hexadecimal(text: &[u8]) -> bool {
    text.len() >= HEXADECIMAL
        && text
            .iter()
            .all(|byte| byte.is_ascii_hexdigit() || *byte == b'-')
        && text.iter().any(u8::is_ascii_digit)
}

/// Visits runs of letters: `camelCase` and `CamelCase` are cut, `UPPER` is one.
fn each_run(text: &[u8], mut visit: impl FnMut(&[u8])) {
    let mut start = 0;
    for at in 0..=text.len() {
        let letter = text.get(at).is_some_and(u8::is_ascii_alphabetic);
        let hump = letter
            && at > start
            && text.get(at).is_some_and(u8::is_ascii_uppercase)
            && text.get(at - 1).is_some_and(u8::is_ascii_lowercase);
        if !letter || hump {
            if at > start {
                visit(text.get(start..at).unwrap_or_default());
            }
            start = if hump { at } else { at + 1 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_from_random_letters() {
        for words in [
            "connectionString",
            "user_name",
            "default",
            "content-type",
            "AUTHENTICATION",
            "request",
        ] {
            assert!(wording(words.as_bytes()).share > 0.7, "{words}");
        }
        for riddle in ["hvdkwqzt", "Xk3vQ9zL2m", "qzpwxkjr", "aB3dEf9hJk"] {
            assert!(wording(riddle.as_bytes()).share < 0.4, "{riddle}");
        }
    }

    #[test]
    fn hexadecimal_digits_have_no_words() {
        for digits in ["60522779efeaac", "5adfacedbee0-4bad-8ace-00decade0000"] {
            let found = wording(digits.as_bytes());
            assert_eq!((found.words, found.riddles), (0, 0), "{digits}");
            assert!(found.share + found.common < 0.01, "{digits}");
        }
        assert_eq!(
            wording(b"deadbeefcafe").words + wording(b"face2face").words,
            2
        );
    }
}
