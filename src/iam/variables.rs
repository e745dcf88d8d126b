//! Policy variables: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`, and the escapes `${*}`, `${?}`, `${$}`.

use super::context::{Context, Known};

/// A text with its variables replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// Every variable has one known value.
    Text(String),
    /// A variable depends on what a scan cannot know; in the text it stands as `*`.
    Unknown(String),
    /// A variable has no value: the element can never match.
    Never,
}

/// Whether the text holds a variable.
pub fn has_variable(text: &str) -> bool {
    text.contains("${")
}

/// Replaces the variables of a text.
///
/// Values are put in as they are: a `*` inside a value would be a wildcard, which AWS rules out by the characters it
/// allows in names; in tags it is treated as unknown.
pub fn resolve(text: &str, context: &Context) -> Resolved {
    let mut out = String::with_capacity(text.len());
    let mut unknown = false;
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let Some((inside, tail)) = after.split_once('}') else {
            // An unclosed variable is plain text.
            out.push_str("${");
            rest = after;
            continue;
        };
        rest = tail;
        match inside {
            "$" => out.push('$'),
            // The character itself, not the wildcard. No name of a resource holds it, so a private character that
            // equals nothing stands for it.
            "*" => out.push('\u{E000}'),
            "?" => out.push('\u{E001}'),
            _ => {
                let (key, default) = match inside.split_once(',') {
                    Some((key, default)) => (
                        key.trim(),
                        Some(default.trim().trim_matches('\'').to_owned()),
                    ),
                    None => (inside.trim(), None),
                };
                match (context.get(key), default) {
                    (Known::Value([value]), _) if !value.contains(['*', '?']) => {
                        out.push_str(value);
                    }
                    (Known::Absent, Some(default)) => out.push_str(&default),
                    (Known::Absent, None) => return Resolved::Never,
                    _ => {
                        unknown = true;
                        out.push('*');
                    }
                }
            }
        }
    }
    out.push_str(rest);
    if unknown {
        Resolved::Unknown(out)
    } else {
        Resolved::Text(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_absent_and_unknown_variables() {
        let mut context = Context::default();
        context.set("aws:username", "ana");
        context.set_absent("aws:PrincipalTag/team");
        let text = |t: &str| resolve(t, &context);
        assert_eq!(
            text("user/${aws:UserName}"),
            Resolved::Text("user/ana".into())
        );
        assert_eq!(text("a/${aws:PrincipalTag/team}"), Resolved::Never);
        assert_eq!(
            text("a/${aws:PrincipalTag/team, 'none'}/x"),
            Resolved::Text("a/none/x".into())
        );
        assert_eq!(text("${aws:SourceIp}/x"), Resolved::Unknown("*/x".into()));
        assert_eq!(text("a${b"), Resolved::Text("a${b".into()));
    }
}
