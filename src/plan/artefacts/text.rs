//! Text of artefacts: templates are filled, and values are escaped for the language they come into.

use std::collections::BTreeMap;

/// Longest value.
const MAX_VALUE: usize = 512;

/// Without control characters, marks that turn text around, and the signs that mark placeholders.
pub(super) fn tame(value: &str) -> String {
    seen(value).take(MAX_VALUE).collect()
}

/// The same of a whole command, which is of no use if its end is cut off.
pub(super) fn whole(command: &str) -> String {
    seen(command).collect()
}

fn seen(value: &str) -> impl Iterator<Item = char> {
    value
        .chars()
        .filter(|c| !c.is_control() && !unseen(*c) && !matches!(c, '⟦' | '⟧'))
}

/// Takes no room, or turns the text around it.
const fn unseen(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{e0000}'..='\u{e007f}')
}

/// What stands for a value that nobody knows.
pub(super) fn placeholder(name: &str) -> String {
    format!("__{}__", name.to_ascii_uppercase())
}

/// A template with its values; what is not known is a placeholder.
pub(super) fn fill(
    template: &str,
    values: &BTreeMap<&str, String>,
    show: impl Fn(&str) -> String,
) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, from)) = rest.split_once('⟦') {
        out.push_str(before);
        let Some((name, after)) = from.split_once('⟧') else {
            out.push('⟦');
            rest = from;
            continue;
        };
        match values.get(name) {
            Some(value) => out.push_str(&show(value)),
            None => out.push_str(&placeholder(name)),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// For a POSIX shell.
pub(super) fn shell(value: &str) -> String {
    let plain = !value.is_empty()
        && !value.starts_with('-')
        && value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-./:@+=,%".contains(c));
    if plain {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', r"'\''"))
    }
}

/// Inside the quotes of a string of Terraform.
pub(super) fn hcl(value: &str) -> String {
    json(value).replace("${", "$${").replace("%{", "%%{")
}

/// Inside the quotes of a string of JSON or YAML.
pub(super) fn json(value: &str) -> String {
    let quoted = serde_json::Value::from(value).to_string();
    quoted
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or_default()
        .to_owned()
}

/// Inside the quotes of a string of SQL.
pub(super) fn sql(value: &str) -> String {
    value.replace('\'', "''")
}

/// Inside the double quotes of a string of KQL.
pub(super) fn kql(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"")
}

/// How values come into a file of this name.
pub(super) fn escape_for(path: &str) -> fn(&str) -> String {
    match path.rsplit('.').next() {
        Some("sh") => shell,
        Some("tf") => hcl,
        Some("sql") => sql,
        Some("kql") => kql,
        Some("md") => markdown,
        _ => json,
    }
}

/// In Markdown.
pub(super) fn markdown(value: &str) -> String {
    crate::report::text::markdown(value)
}

/// A comment of a script: one line.
pub(super) fn comment(value: &str) -> String {
    format!("# {}", tame(value))
}

/// Lines of comments no longer than people like to read.
pub(super) fn comments(value: &str) -> String {
    let mut out = String::new();
    let mut line = String::from("#");
    for word in tame(value).split_whitespace() {
        if line.len() > 1 && line.chars().count() + word.chars().count() > 110 {
            out.push_str(&line);
            out.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    out.push_str(&line);
    out.push('\n');
    out
}

/// Placeholders that stand in a text, without their marks.
pub(super) fn placeholders(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, from)) = rest.split_once("__") {
        let name: String = from
            .chars()
            .take_while(|c| c.is_ascii_uppercase() || *c == '_')
            .collect();
        let end = name.find("__").filter(|at| *at > 0);
        match end {
            Some(at) => {
                found.push(name.get(..at).unwrap_or_default().to_owned());
                rest = from.get(at + 2..).unwrap_or_default();
            }
            None => rest = from,
        }
    }
    found.sort();
    found.dedup();
    found
}

/// A name that every provider accepts.
pub(super) fn slug(name: &str, most: usize) -> String {
    let words: Vec<String> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let cut: String = words.join("-").chars().take(most).collect();
    let cut = cut.trim_matches('-');
    if cut.is_empty() {
        "task".to_owned()
    } else {
        cut.to_owned()
    }
}
