//! Words of names.

/// The words of a name in lower case: split at separators, where lower case meets upper case, and where letters meet
/// digits, except in `k8s` and `s3`-like words, which stay whole too.
pub(super) fn of(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for part in name.split(|c: char| !c.is_alphanumeric()) {
        if part.is_empty() {
            continue;
        }
        let mut word = String::new();
        let mut before: Option<char> = None;
        for letter in part.chars() {
            let starts = before.is_some_and(|before| {
                (before.is_lowercase() && letter.is_uppercase())
                    || before.is_numeric() != letter.is_numeric()
            });
            if starts && !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            word.extend(letter.to_lowercase());
            before = Some(letter);
        }
        words.push(word);
        let whole = part.to_lowercase();
        if words.last() != Some(&whole) {
            words.push(whole);
        }
    }
    words
}

/// Whether a run of words occurs.
pub(super) fn has_run(words: &[String], run: &[String]) -> bool {
    !run.is_empty() && words.windows(run.len()).any(|window| window == run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole() {
        assert_eq!(
            of("ciDeploy_k8s-prod2"),
            [
                "ci", "deploy", "cideploy", "k", "8", "s", "k8s", "prod", "2", "prod2"
            ]
        );
        assert!(of("latest").iter().all(|word| word != "test"));
        let run = ["break".to_owned(), "glass".to_owned()];
        assert!(has_run(&of("Break-Glass-Admin"), &run));
        assert!(has_run(&of("breakGlass"), &run));
        assert!(!has_run(&of("glass-break"), &run));
        assert!(!has_run(&[], &[]));
    }
}
