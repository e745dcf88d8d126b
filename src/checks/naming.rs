//! Reads the words and dates that people put into names.

use jiff::civil::Date;

/// The words of a name, in lower case: split at everything that is not a letter or digit, where lower case meets upper
/// case, and where letters meet digits. `tmpDeployRole-v2` → `tmp`, `deploy`, `role`, `v`, `2`.
///
/// Whole words only: `latest`, `attempt` and `template` stay what they are.
pub(super) fn words_of(name: &str) -> Vec<String> {
    #[derive(Clone, Copy, PartialEq)]
    enum Kind {
        Lower,
        Upper,
        Digit,
        Other,
    }
    let kind = |letter: char| {
        if letter.is_numeric() {
            Kind::Digit
        } else if letter.is_uppercase() {
            Kind::Upper
        } else if letter.is_alphabetic() {
            Kind::Lower
        } else {
            Kind::Other
        }
    };
    let letters: Vec<char> = name.chars().collect();
    let mut words = Vec::new();
    let mut word = String::new();
    let mut before = Kind::Other;
    for (at, &letter) in letters.iter().enumerate() {
        let this = kind(letter);
        let next = letters.get(at + 1).map(|&next| kind(next));
        let starts = match (before, this) {
            // The last capital of a run begins the next word: `HTTPTemp`.
            (Kind::Upper, Kind::Upper) => next == Some(Kind::Lower),
            (_, Kind::Other)
            | (Kind::Lower, Kind::Upper | Kind::Digit)
            | (Kind::Upper, Kind::Digit)
            | (Kind::Digit, Kind::Lower | Kind::Upper) => true,
            _ => false,
        };
        if starts && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if this != Kind::Other {
            word.extend(letter.to_lowercase());
        }
        before = this;
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The date at the front of `words`: `2024 06 30`, `20240630`, or a month alone, which ends with its last day.
pub(super) fn leading_date(words: &[String]) -> Option<Date> {
    let first = words.first()?;
    if !first.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match first.len() {
        8 => date(first.get(0..4)?, first.get(4..6)?, Some(first.get(6..8)?)),
        4 => {
            let day = words.get(2).filter(|day| day.len() == 2);
            let month = words.get(1).filter(|month| month.len() == 2)?;
            date(first, month, day.map(String::as_str)).or_else(|| date(first, month, None))
        }
        _ => None,
    }
}

fn date(year: &str, month: &str, day: Option<&str>) -> Option<Date> {
    let year: i16 = year
        .parse()
        .ok()
        .filter(|year| (2000..2100).contains(year))?;
    let month: i8 = month.parse().ok()?;
    match day {
        Some(day) => Date::new(year, month, day.parse().ok()?).ok(),
        None => Some(Date::new(year, month, 1).ok()?.last_of_month()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn joined(name: &str) -> String {
        words_of(name).join(" ")
    }

    #[test]
    fn names_fall_into_words() {
        assert_eq!(joined("tmpDeployRole-v2"), "tmp deploy role v 2");
        assert_eq!(joined("HTTPTempAccess"), "http temp access");
        assert_eq!(joined("until_2024-06-30"), "until 2024 06 30");
        assert_eq!(joined("latest-template.attempt"), "latest template attempt");
        assert_eq!(joined("TEMP1"), "temp 1");
        assert_eq!(joined("--"), "");
    }

    #[test]
    fn dates_are_read_in_three_forms() {
        let read = |text: &str| leading_date(&words_of(text)).map(|date| date.to_string());
        assert_eq!(read("2024-06-30").as_deref(), Some("2024-06-30"));
        assert_eq!(read("20240630").as_deref(), Some("2024-06-30"));
        assert_eq!(read("2024-02").as_deref(), Some("2024-02-29"));
        assert_eq!(read("2024-02-30").as_deref(), Some("2024-02-29"));
        assert_eq!(read("2024-06-30T10:00:00Z").as_deref(), Some("2024-06-30"));
        assert_eq!(read("2024-13-01"), None);
        assert_eq!(read("1.2.3"), None);
    }

    proptest! {
        #[test]
        fn any_text_has_words(text in any::<String>()) {
            let words = words_of(&text);
            prop_assert!(words.iter().all(|word| !word.is_empty()));
            let _ = leading_date(&words);
        }
    }
}
