//! Rules of another scanner as rules of this one: gitleaks' TOML (version 8).
//!
//! What has no counterpart is told of, never dropped silently.

mod path;
mod pattern;
mod sample;

use jiff::civil::Date;
use pattern::Rewritten;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use thiserror::Error;

/// Shortest literal the engine searches for.
const MIN_LITERAL: usize = 3;
/// Bytes between a literal and a match that does not hold it.
const REACH: usize = 40;
/// What is put behind an id that another rule has.
const RENAMED: &str = "-imported";

/// Why a configuration cannot be converted at all.
#[derive(Debug, Error)]
pub enum ImportError {
    /// Not TOML of that shape.
    #[error("it is not a gitleaks configuration: {0}")]
    Shape(String),
    /// No rule could be converted.
    #[error("it holds no rule that can be converted")]
    Empty,
}

/// The outcome of an import.
#[derive(Debug)]
pub struct Imported {
    /// Rules in the format of `docs/credential-rules.md`.
    pub text: String,
    /// Number of rules in it.
    pub rules: usize,
    /// What could not be converted, with the reason, in file order.
    pub notes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    rules: Vec<Foreign>,
    allowlist: Option<Allow>,
    #[serde(default)]
    allowlists: Vec<Allow>,
    extend: Option<toml::Table>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Foreign {
    /// The only one that gitleaks wants too; a rule without it is left out, and the others are not.
    #[serde(default)]
    id: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    regex: String,
    #[serde(default)]
    secret_group: usize,
    entropy: Option<f64>,
    #[serde(default)]
    keywords: Vec<String>,
    path: Option<String>,
    allowlist: Option<Allow>,
    #[serde(default)]
    allowlists: Vec<Allow>,
    #[serde(default)]
    required: Vec<toml::Table>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Allow {
    paths: Vec<String>,
    regexes: Vec<String>,
    regex_target: String,
    stopwords: Vec<String>,
    commits: Vec<String>,
    condition: String,
    target_rules: Vec<String>,
}

/// Converts a configuration. `as_of` is the day the rules are taken over, `taken` are ids that other rules have: a rule
/// with one of them is renamed.
///
/// # Errors
/// When the text is not such a configuration, or nothing in it can be converted.
pub fn gitleaks(text: &str, as_of: Date, taken: &BTreeSet<&str>) -> Result<Imported, ImportError> {
    let file: File =
        toml::from_str(text).map_err(|error| ImportError::Shape(error.message().to_owned()))?;
    let mut out = Imported {
        text: "# Rules converted from a gitleaks configuration. docs/credential-rules.md describes the format.\n"
            .to_owned(),
        rules: 0,
        notes: Vec::new(),
    };
    if file.extend.is_some() {
        out.notes.push(
            "`extend`: the built-in rules are always there; other files are imported by themselves"
                .to_owned(),
        );
    }
    let global: Vec<Allow> = file.allowlist.into_iter().chain(file.allowlists).collect();
    for allow in &global {
        if !allow.paths.is_empty() {
            out.notes.push(format!(
                "the allow list of {} paths: write them as [[ignore]] entries of overstay.toml; what stands in \
                 vendored files, tests and lock files is less sure by itself",
                allow.paths.len()
            ));
        }
    }
    let mut ids: BTreeSet<String> = taken.iter().map(|&id| id.to_owned()).collect();
    let mut renamed = 0;
    for (number, rule) in file.rules.iter().enumerate() {
        let of_all = global
            .iter()
            .filter(|allow| allow.target_rules.is_empty() || allow.target_rules.contains(&rule.id));
        let name = kebab(&rule.id);
        let id = free(&name, &ids);
        match convert(rule, &id, of_all, as_of, &mut out.notes) {
            Ok(text) => {
                renamed += usize::from(id != name);
                ids.insert(id);
                out.text.push('\n');
                out.text.push_str(&text);
                out.rules += 1;
            }
            Err(reason) if rule.id.is_empty() => out
                .notes
                .push(format!("rule number {} is left out: {reason}", number + 1)),
            Err(reason) => out
                .notes
                .push(format!("rule `{}` is left out: {reason}", rule.id)),
        }
    }
    if renamed > 0 {
        out.notes.push(format!(
            "{renamed} of the rules have the id of another rule, built in or before them, and are renamed to \
             `…{RENAMED}`; `disable` in overstay.toml takes the ids of built-in rules that are not wanted beside them"
        ));
    }
    if out.rules == 0 {
        return Err(ImportError::Empty);
    }
    Ok(out)
}

/// The id, or one made from it that no rule has.
fn free(id: &str, ids: &BTreeSet<String>) -> String {
    let mut free = id.to_owned();
    let mut number = 1;
    while ids.contains(&free) {
        free = match number {
            1 => format!("{id}{RENAMED}"),
            _ => format!("{id}{RENAMED}-{number}"),
        };
        number += 1;
    }
    free
}

fn convert<'a>(
    rule: &'a Foreign,
    id: &str,
    global: impl Iterator<Item = &'a Allow>,
    as_of: Date,
    notes: &mut Vec<String>,
) -> Result<String, String> {
    if rule.id.is_empty() {
        return Err("it has no id".to_owned());
    }
    if rule.regex.is_empty() {
        return Err("it has no pattern, only a path".to_owned());
    }
    let kind = kebab(&rule.id);
    if kind.is_empty() {
        return Err("its id has neither letters nor digits".to_owned());
    }
    let Rewritten {
        pattern,
        longest,
        bounded,
    } = pattern::rewrite(&rule.regex, rule.secret_group)?;
    let (literals, ignore_case) = literals(rule, &pattern)?;
    let example = sample::of(&pattern, &literals, rule.entropy.unwrap_or(0.0))
        .ok_or("no text could be made that its pattern matches")?;
    let mut note = |what: &str| notes.push(format!("rule `{}`: {what}", rule.id));
    let paths = rule.path.as_deref().map(path::globs);
    match &paths {
        Some(None) => note("its condition on the path is left out: globs cannot say it"),
        Some(Some(paths)) if !paths.exact => note(&format!(
            "its condition on the path is wider now: {}",
            paths.globs.join(", ")
        )),
        _ => {}
    }
    if !rule.required.is_empty() {
        note("its required other rules are left out; `companions` take patterns");
    }
    let mut not = Vec::new();
    let own = rule.allowlist.iter().chain(&rule.allowlists);
    let own = own.map(|allow| (allow, true));
    let global = global.map(|allow| (allow, !allow.target_rules.is_empty()));
    for (allow, of_rule) in own.chain(global) {
        if of_rule && !allow.paths.is_empty() {
            note("the allowed paths are left out; write them as [[ignore]] entries");
        }
        allowed(allow, &mut not, &mut note);
    }
    let mut text = format!("[[rule]]\nid = {}\n", quoted(id));
    let mut line = |key: &str, value: String| {
        let _ = writeln!(text, "{key} = {value}");
    };
    let title = if rule.description.trim().is_empty() {
        &rule.id
    } else {
        &rule.description
    };
    line("title", quoted(title));
    line("provider", quoted(kind.split('-').next().unwrap_or(&kind)));
    line("credential_type", quoted(&kind));
    line("literals", list(&literals));
    if ignore_case {
        line("ignore_case", "true".to_owned());
    }
    if bounded {
        let _ = writeln!(text, "# Repetitions without an upper limit were given one.");
    }
    let mut line = |key: &str, value: String| {
        let _ = writeln!(text, "{key} = {value}");
    };
    line("pattern", quoted(&pattern));
    let reach = longest + REACH;
    line("window", format!("{{ before = {reach}, after = {reach} }}"));
    if let Some(Some(paths)) = &paths {
        line("paths", list(&paths.globs));
    }
    line("confidence", quoted("medium"));
    if let Some(entropy) = rule.entropy.filter(|least| *least > 0.0) {
        line("checks", format!("[{{ entropy = {entropy:?} }}]"));
    }
    if !not.is_empty() {
        line("not", list(&not));
    }
    line("target", quoted("unknown-issuer"));
    line("source", quoted("converted from a gitleaks configuration"));
    line("as_of", quoted(&as_of.to_string()));
    line("examples", list(&[example]));
    Ok(text)
}

/// The literals of a rule, and whether they match in any letter case.
fn literals(rule: &Foreign, pattern: &str) -> Result<(Vec<String>, bool), String> {
    let usable = |word: &String| word.len() >= MIN_LITERAL && word.is_ascii();
    if !rule.keywords.is_empty() && rule.keywords.iter().all(usable) {
        let mut words: Vec<String> = rule
            .keywords
            .iter()
            .map(|word| word.to_ascii_lowercase())
            .collect();
        words.sort();
        words.dedup();
        return Ok((words, true));
    }
    let exact = pattern::literals(pattern, MIN_LITERAL);
    let folded = pattern::folded(pattern, MIN_LITERAL);
    // One long text in any letter case is rarer than many short ones.
    let shortest = exact.iter().flatten().map(String::len).min().unwrap_or(0);
    if let Some(word) = folded.filter(|word| word.len() > shortest) {
        return Ok((vec![word], true));
    }
    exact.map(|words| (words, false)).ok_or_else(|| {
        "it has no keyword of three characters, and its pattern holds none".to_owned()
    })
}

fn allowed(allow: &Allow, not: &mut Vec<String>, note: &mut impl FnMut(&str)) {
    if allow.condition.eq_ignore_ascii_case("and") {
        return note("an allow list whose conditions must all hold is left out");
    }
    if !allow.commits.is_empty() {
        note("allowed commits are left out; an [[ignore]] names a fingerprint instead");
    }
    if !allow.stopwords.is_empty() {
        let words: Vec<String> = allow
            .stopwords
            .iter()
            .map(|word| regex_syntax::escape(word))
            .collect();
        not.push(format!("(?i:{})", words.join("|")));
    }
    if !matches!(allow.regex_target.as_str(), "" | "secret") && !allow.regexes.is_empty() {
        return note(
            "an allow list over the match or the line is left out; `not` looks at the secret",
        );
    }
    for regex in &allow.regexes {
        let plain = pattern::literal_braces(regex);
        let usable = [regex, &plain]
            .into_iter()
            .find(|regex| super::credentials::compile(regex).is_ok());
        match usable {
            Some(regex) => not.push(regex.clone()),
            None => note("an allowed pattern is left out: it cannot be compiled"),
        }
    }
}

fn kebab(id: &str) -> String {
    let lower = id.to_ascii_lowercase();
    let parts = lower
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-")
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn list(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", quoted.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::credentials::CredentialRules;

    fn import(text: &str) -> Imported {
        let taken = BTreeSet::from(["taken-token"]);
        gitleaks(text, jiff::civil::date(2026, 11, 22), &taken).unwrap()
    }

    #[test]
    fn a_rule_is_converted_whole() {
        let imported = import(
            r#"
[[rules]]
id = "Acme_Key"
description = "Acme key"
regex = '''(?i)acme(?:[0-9a-z\-_\t .]{0,20})(?:=|:)\s*['"]?([a-z0-9]{20,})['"]?'''
entropy = 3.2
keywords = ["ACME"]
[[rules.allowlists]]
stopwords = ["sample"]
regexes = ['^0+$', '^\$(?:\d+|{\d+})$']
"#,
        );
        assert_eq!(imported.notes, Vec::<String>::new());
        let rules = CredentialRules::load([("imported.toml", &imported.text)]).unwrap();
        assert_eq!(rules.check(), [], "{}", imported.text);
        let rule = &rules.rules()[0];
        assert_eq!(
            (rule.id.as_str(), rule.literals.as_slice()),
            ("acme-key", ["acme".to_owned()].as_slice())
        );
        assert_eq!(rule.not, ["(?i:sample)", "^0+$", r"^\$(?:\d+|\{\d+})$"]);
        assert!(rule.pattern.contains("(?P<secret>"), "{}", rule.pattern);
    }

    #[test]
    fn conditions_on_paths_are_globs_and_classes_end_short_literals() {
        let imported = import(
            r#"
[[rules]]
id = "short"
regex = '''SK[0-9a-fA-F]{32}'''
path = '''(?i)\.(?:tf|hcl)$'''
keywords = ["sk"]
"#,
        );
        assert_eq!(imported.notes, Vec::<String>::new());
        let rules = CredentialRules::load([("imported.toml", &imported.text)]).unwrap();
        assert_eq!(rules.check(), [], "{}", imported.text);
        let rule = &rules.rules()[0];
        assert_eq!(rule.paths, ["*.hcl", "*.tf"]);
        assert_eq!(rule.literals.len(), 22, "{:?}", rule.literals);
    }

    #[test]
    fn what_has_no_counterpart_is_told() {
        let imported = import(
            r#"
[extend]
useDefault = true
[allowlist]
paths = ['go\.sum']
[[rules]]
id = "by-path"
path = '''\.p12$'''
[[rules]]
id = "words"
regex = '''[a-z]{3,9}'''
[[rules]]
id = "good"
regex = '''tok_[a-z0-9]{24}'''
path = '''^setup\.py$'''
"#,
        );
        assert_eq!(imported.rules, 1);
        insta::assert_snapshot!(imported.notes.join("\n"), @r"
        `extend`: the built-in rules are always there; other files are imported by themselves
        the allow list of 1 paths: write them as [[ignore]] entries of overstay.toml; what stands in vendored files, tests and lock files is less sure by itself
        rule `by-path` is left out: it has no pattern, only a path
        rule `words` is left out: it has no keyword of three characters, and its pattern holds none
        rule `good`: its condition on the path is left out: globs cannot say it
        ");
        assert!(
            gitleaks(
                "[[rules]]\nid = 1",
                jiff::civil::date(2026, 1, 1),
                &BTreeSet::new()
            )
            .is_err()
        );
    }

    #[test]
    fn a_rule_without_an_id_does_not_take_the_others_along() {
        let imported = import(
            "[[rules]]\nid = \"one\"\nregex = \"one_[a-z0-9]{24}\"\n\n[[rules]]\nregex = \"two_[a-z0-9]{24}\"\n",
        );
        assert_eq!(imported.rules, 1);
        assert_eq!(imported.notes, ["rule number 2 is left out: it has no id"]);
    }

    #[test]
    fn ids_that_are_taken_are_changed_and_allowed_paths_are_told() {
        let imported = import(
            r#"
[[rules]]
id = "Taken_Token"
regex = "tak_[a-z0-9]{24}"
[rules.allowlist]
paths = ["test/"]
[[rules]]
id = "new token"
regex = "new_[a-z0-9]{24}"
[[rules]]
id = "new-token"
regex = "nuw_[a-z0-9]{24}"
"#,
        );
        let rules = CredentialRules::load([("imported.toml", &imported.text)]).unwrap();
        let ids = rules
            .rules()
            .iter()
            .map(|rule| (&*rule.id, &*rule.credential_type));
        assert_eq!(
            ids.collect::<Vec<_>>(),
            [
                ("taken-token-imported", "taken-token"),
                ("new-token", "new-token"),
                ("new-token-imported", "new-token")
            ]
        );
        insta::assert_snapshot!(imported.notes.join("\n"), @"
        rule `Taken_Token`: the allowed paths are left out; write them as [[ignore]] entries
        2 of the rules have the id of another rule, built in or before them, and are renamed to `…-imported`; `disable` in overstay.toml takes the ids of built-in rules that are not wanted beside them
        ");
    }
}
