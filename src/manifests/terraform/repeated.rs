//! Keys that an object or a body has twice: the parser refuses the whole text for one, so that all but one of them are
//! given another name of the same length. Every byte keeps its place.

use hcl_edit::parser::Error;

/// Most keys renamed in one text.
const MAX_KEYS: usize = 60;

/// The text with the key at which parsing stopped, and those after it, made unique; `None` when it stopped for another reason.
pub(super) fn unrepeated(text: &str, error: &Error) -> Option<String> {
    let mut text = text.to_owned();
    let mut error = error.clone();
    for count in 0..MAX_KEYS {
        if !error.message().contains("redefined") {
            return None;
        }
        text = renamed(&text, error.location().offset(), count)?;
        match hcl_edit::parser::parse_body(&text) {
            Ok(_) => return Some(text),
            Err(next) => error = next,
        }
    }
    None
}

fn renamed(text: &str, at: usize, count: usize) -> Option<String> {
    let rest = text.get(at..)?;
    let quote = usize::from(rest.starts_with('"'));
    let rest = rest.get(quote..)?;
    let length = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':')))?;
    let key = rest.get(..length).filter(|key| !key.is_empty())?;
    // The last one counts, so the one before gets out of the way where it stands on a line of its own alike.
    let start = text.get(..at)?.rfind('\n').map_or(0, |end| end + 1);
    let margin = text.get(start..at)?;
    let alike = margin.trim().is_empty().then(|| {
        let mut end = start;
        text.get(..start)?
            .split_inclusive('\n')
            .rev()
            .find_map(|line| {
                end -= line.len();
                let after = line.strip_prefix(margin)?.get(quote..)?.strip_prefix(key)?;
                let after = after.get(quote..)?.trim_start();
                after
                    .starts_with(['=', ':'])
                    .then_some(end + margin.len() + quote)
            })
    });
    let place = alike.flatten().unwrap_or(at + quote);
    // Any name will do that is not there yet; one that is comes back here.
    let mut other = key.as_bytes().to_vec();
    let mut left = count;
    for byte in other.iter_mut().rev() {
        *byte = b"qxzjkvwyfbghmpuc"[left % 16];
        left /= 16;
        if left == 0 {
            break;
        }
    }
    let mut out = text.to_owned();
    out.replace_range(place..place + length, std::str::from_utf8(&other).ok()?);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::unrepeated;

    fn made(text: &str) -> Option<String> {
        unrepeated(text, &hcl_edit::parser::parse_body(text).unwrap_err())
    }

    #[test]
    fn the_last_of_equal_keys_counts() {
        let text = "a \"b\" {\n  tags = {\n    Owner = \"x\"\n    Owner = \"y\"\n    \"k8s/a\" = 1\n    \"k8s/a\" = 2\n    Owner = \"z\"\n  }\n  path = 1\n  path = 2\n}\n";
        let made = made(text).unwrap();
        assert_eq!(made.len(), text.len());
        assert!(
            made.contains("Owner = \"z\"")
                && made.contains("\"k8s/a\" = 2")
                && made.contains("path = 2")
        );
        assert_eq!(made.matches("Owner").count(), 1);
    }

    #[test]
    fn on_one_line_the_first_stays() {
        let made = made("t = { a = 1, a = 2 }\n").unwrap();
        assert!(made.starts_with("t = { a = 1, ") && !made.contains("a = 2"));
    }

    #[test]
    fn other_faults_stay_faults() {
        assert!(made("a = {\n").is_none());
        assert!(made("t = { (a) = 1, (a) = 2 }\nb = = 1\n").is_none());
    }
}
