//! Names and native ids in the texts of jobs: variables of shells, role ARNs, cloud service accounts.

use super::super::clean::clean;

/// Variables a text names, with their byte offsets: `$NAME`, `${NAME…}`, `$(NAME)`, `$env:NAME`, `$$NAME`.
pub(in crate::manifests) fn variables(source: &str) -> Vec<(usize, &str)> {
    let mut out = Vec::new();
    for (at, _) in source.match_indices('$') {
        let rest = source.get(at + 1..).unwrap_or_default();
        let (rest, dots) = match rest.as_bytes().first() {
            Some(b'{') => (rest.get(1..).unwrap_or_default(), false),
            // Azure's macros name variables with dots; a command in a shell's `$(…)` has a blank or an end behind it.
            Some(b'(') => (rest.get(1..).unwrap_or_default(), true),
            _ => (rest, false),
        };
        let lower = rest
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("env:"));
        let rest = if lower {
            rest.get(4..).unwrap_or_default()
        } else {
            rest
        };
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || (dots && c == '.')))
            .unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or_default();
        let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let closed = !dots || rest.get(end..).is_some_and(|after| after.starts_with(')'));
        if begins && closed {
            out.push((at, name));
        }
    }
    out
}

/// The variable that what stands at `at` is assigned to: `export NAME="$OTHER"`.
pub(in crate::manifests) fn assigned(source: &str, at: usize) -> Option<&str> {
    let before = source.get(..at)?.trim_end_matches(['"', '\'']);
    let before = before.strip_suffix('=')?;
    let start = before
        .rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .map_or(0, |last| last + 1);
    before.get(start..).filter(|name| !name.is_empty())
}

/// Role ARNs, Google service accounts and workload identity providers in a text.
pub(in crate::manifests) fn native_ids(text: &str) -> Vec<String> {
    let mut out = role_arns(text);
    const ACCOUNT: &str = ".iam.gserviceaccount.com";
    for (at, _) in text.match_indices(ACCOUNT) {
        let before = text.get(..at).unwrap_or_default();
        let start = before
            .rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '@')))
            .map_or(0, |last| {
                last + before
                    .get(last..)
                    .and_then(|c| c.chars().next())
                    .map_or(1, char::len_utf8)
            });
        let name = text.get(start..at + ACCOUNT.len()).unwrap_or_default();
        if name.split('@').filter(|part| !part.is_empty()).count() == 2 {
            out.push(clean(name));
        }
    }
    out
}

fn role_arns(text: &str) -> Vec<String> {
    text.match_indices("arn:aws")
        .filter_map(|(at, _)| {
            let rest = text.get(at..)?;
            let end = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || ":/_+=,.@-".contains(c)))
                .unwrap_or(rest.len());
            let arn = rest.get(..end)?.trim_end_matches(['.', ',', ':']);
            let mut parts = arn.split(':').skip(2);
            let iam = parts.next() == Some("iam");
            let account = parts.nth(1)?;
            let role = parts.next()?.starts_with("role/");
            (iam && role && account.len() == 12).then(|| clean(arn))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_variable_is_assigned_to_tells_what_it_is() {
        for (text, name) in [
            (
                "export AWS_SECRET_ACCESS_KEY=$X",
                Some("AWS_SECRET_ACCESS_KEY"),
            ),
            ("A=\"$X\" run", Some("A")),
            ("run $X", None),
            ("=$X", None),
            ("$X", None),
        ] {
            let at = text.find('$').unwrap_or_default();
            assert_eq!(assigned(text, at), name, "{text}");
        }
    }
    use proptest::prelude::*;

    #[test]
    fn every_spelling_of_a_variable_is_read() {
        let text = "a $A ${B:-x} $(C.D) $(date +%s) $env:E $$F $1 ${env:G} $";
        let names: Vec<&str> = variables(text).into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["A", "B", "C.D", "E", "F", "G"]);
    }

    #[test]
    fn native_ids_are_read_out_of_any_text() {
        let text = "x --role arn:aws:iam::123456789012:role/ci/deploy, as é<deploy@shop-1.iam.gserviceaccount.com>";
        assert_eq!(
            native_ids(text),
            [
                "arn:aws:iam::123456789012:role/ci/deploy",
                "deploy@shop-1.iam.gserviceaccount.com"
            ]
        );
        assert!(native_ids("arn:aws:iam::x:role/a @.iam.gserviceaccount.com").is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "(\\$|\\{|\\(|\\)|env:|[a-zé.@]|arn:aws|\\.iam\\.gserviceaccount\\.com){0,40}") {
            for (at, _) in variables(&text) {
                prop_assert!(text[at..].starts_with('$'));
            }
            let _ = native_ids(&text);
        }
    }
}
