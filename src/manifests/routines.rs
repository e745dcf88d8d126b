//! Runbooks and automation: what a repository's texts say of how its credentials are replaced or taken back.
//!
//! Of texts for people each section is read for itself: it speaks of a credential that somebody is to rotate, and says how.
//! Of code it is the commands and resources that do it. Kept are words of our own lists, and names that look like names.

use super::clean::clean;
use super::context::Context;
use super::words::Words;
use crate::model::{Declarations, Routine, RoutineBy};
use crate::rules::manifests::ManifestTables;
use crate::rules::routines::Routines;
use aho_corasick::{AhoCorasick, Input};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Largest file read, in bytes.
const MAX_BYTES: usize = 1 << 20;
/// Most lines of one section.
const MAX_LINES: usize = 80;
/// Most places of one file.
const MAX_FOUND: usize = 50;
/// Most names of one place.
const MAX_NAMES: usize = 60;
/// Lines of code around a command in which names are looked for.
const AROUND: usize = 15;
/// Endings of code in which rotation is written.
const CODE: [&str; 14] = [
    ".sh",
    ".bash",
    ".py",
    ".js",
    ".mjs",
    ".ts",
    ".go",
    ".rb",
    ".ps1",
    ".tf",
    ".yml",
    ".yaml",
    ".json",
    "Jenkinsfile",
];

/// What a path says a file is.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// For people.
    Text,
    /// For machines.
    Code,
}

impl Kind {
    /// `None` of a file that is not read here.
    pub(super) fn of(uri: &str) -> Option<Self> {
        if is_text(uri) {
            return Some(Self::Text);
        }
        let code = CODE.iter().any(|ending| uri.ends_with(ending));
        code.then_some(Self::Code)
    }

    /// Whether a text may say anything of it: cheap.
    pub(super) fn says(self, bytes: &[u8]) -> bool {
        let words = match self {
            Self::Text => &STEMS,
            Self::Code => &COMMANDS,
        };
        bytes.len() <= MAX_BYTES && words.as_ref().is_some_and(|words| words.any_in(bytes))
    }
}

fn is_text(uri: &str) -> bool {
    let name = uri.rsplit('/').next().unwrap_or(uri);
    let begins = |word: &str| {
        name.get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    ManifestTables::builtin().is_ok_and(|tables| {
        tables.routines.texts.iter().any(|ending| {
            let at = name.len().checked_sub(ending.len());
            at.and_then(|at| name.get(at..))
                .is_some_and(|end| end.eq_ignore_ascii_case(ending))
        })
    }) && !begins("changelog")
        && !begins("license")
}

/// What texts for people that say anything of it have.
static STEMS: LazyLock<Option<Words>> =
    LazyLock::new(|| Words::new(["otat", "evok", "egenerat", "enew", "eplac", "eissue"]));
/// What code that does it has.
static COMMANDS: LazyLock<Option<Words>> = LazyLock::new(|| {
    let table = &ManifestTables::builtin().ok()?.routines;
    Words::new(table.makes.iter().chain(&table.resources))
});
/// What a line that says anything of it has.
static VERBS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let table = &ManifestTables::builtin().ok()?.routines;
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(table.verbs.iter().map(|verb| verb.trim_end()))
        .ok()
});

/// Reads a text.
pub(super) fn texts(context: &Context<'_>, out: &mut Declarations) {
    let table = &context.tables.routines;
    let text = context.text.as_str();
    if !any_line_speaks(table, text) {
        return;
    }
    let lines: Vec<&str> = text.lines().collect();
    let mut from = 0;
    while from < lines.len() && out.routines.len() < MAX_FOUND {
        let rest = lines.get(from + 1..).unwrap_or_default();
        let next = rest
            .iter()
            .take(MAX_LINES)
            .position(|line| is_heading(line));
        let to = next.map_or((from + MAX_LINES).min(lines.len()), |at| from + 1 + at);
        let section = lines.get(from..to).unwrap_or_default();
        out.routines
            .extend(of_section(context, table, section, from));
        from = to;
    }
}

fn is_heading(line: &str) -> bool {
    line.starts_with('#') || line.starts_with("== ") || line.starts_with("=== ")
}

/// Whether any line speaks of a credential that is replaced or taken back: of most texts none does.
fn any_line_speaks(table: &Routines, text: &str) -> bool {
    let Some(verbs) = VERBS.as_ref() else {
        return false;
    };
    let mut from = 0;
    while let Some(verb) = verbs.find(Input::new(text).range(from..)) {
        let (before, after) = text.split_at(verb.start());
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let end = after.find('\n').map_or(text.len(), |at| verb.start() + at);
        let line = text.get(start..end).unwrap_or_default();
        if speaks(table, &line.to_lowercase()) {
            return true;
        }
        from = end;
    }
    false
}

/// What a section says, at the line that speaks of the credential.
fn of_section(
    context: &Context<'_>,
    table: &Routines,
    section: &[&str],
    from: usize,
) -> Option<Routine> {
    let mut candidates = section.iter().enumerate();
    let verbs = VERBS.as_ref()?;
    let (at, _) =
        candidates.find(|(_, line)| verbs.is_match(line) && speaks(table, &line.to_lowercase()))?;
    let lower: Vec<String> = section.iter().map(|line| line.to_lowercase()).collect();
    let says = |list: &[String]| {
        lower.iter().find_map(|line| {
            let word = list.iter().find(|word| line.contains(word.as_str()))?;
            let (before, _) = line.split_once(word.as_str())?;
            let denied = table.not.iter().any(|not| before.contains(not.as_str()));
            (!denied).then(|| word.trim().to_owned())
        })
    };
    let (by, words) = match says(&table.by_machine) {
        Some(words) => (RoutineBy::Machine, words),
        None => (RoutineBy::Person, says(&table.by_hand)?),
    };
    Some(routine(context, by, words, section, from + at, ""))
}

/// Whether a line speaks of a credential that is replaced or taken back.
fn speaks(table: &Routines, line: &str) -> bool {
    let words: Vec<&str> = line
        .split(|c: char| !c.is_alphanumeric() && c != '-')
        .collect();
    let mut verbs = table.verbs.iter();
    let verb = verbs.any(|verb| match verb.strip_suffix(' ') {
        Some(whole) => words.contains(&whole),
        None => words.iter().any(|word| word.starts_with(verb.as_str())),
    });
    let ends = |word: &str| table.nouns.iter().any(|noun| noun == word);
    verb && (words
        .iter()
        .any(|word| word.rsplit(['-', '_']).next().is_some_and(ends))
        || line
            .split_whitespace()
            .any(|word| is_variable(word.trim_matches(is_mark))))
}

const fn is_mark(c: char) -> bool {
    matches!(
        c,
        '`' | '"' | '\'' | '*' | ',' | '.' | ':' | ';' | '(' | ')' | '[' | ']'
    )
}

/// Reads code.
pub(super) fn code(context: &Context<'_>, out: &mut Declarations) {
    let table = &context.tables.routines;
    let text = context.text.as_str();
    let scheduled = table
        .schedules
        .iter()
        .any(|word| text.contains(word.as_str()));
    let ended = table.ends.iter().any(|word| text.contains(word.as_str()));
    let lines: Vec<&str> = text.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        if trimmed.starts_with('#') || trimmed.starts_with("//") {
            continue;
        }
        let of = |list: &'_ [String]| {
            list.iter()
                .find(|word| line.contains(word.as_str()))
                .cloned()
        };
        let word = of(&table.resources).or_else(|| of(&table.makes).filter(|_| scheduled || ended));
        let Some(word) = word else { continue };
        let around = lines
            .get(at.saturating_sub(AROUND)..(at + AROUND + 1).min(lines.len()))
            .unwrap_or_default();
        let words = word.trim_end_matches('(').trim().to_owned();
        out.routines.push(routine(
            context,
            RoutineBy::Machine,
            words,
            around,
            at,
            line,
        ));
        if out.routines.len() >= MAX_FOUND {
            return;
        }
    }
}

fn routine(
    context: &Context<'_>,
    by: RoutineBy,
    words: String,
    lines: &[&str],
    at: usize,
    command: &str,
) -> Routine {
    let mut names = BTreeSet::new();
    let mut providers = BTreeSet::new();
    let tables = context.tables;
    for line in lines.iter().copied().chain([command]) {
        for word in line.split(|c: char| {
            !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/' | '.' | '@'))
        }) {
            let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
            if names.len() < MAX_NAMES && is_name(word) {
                names.insert(clean(word));
            }
        }
        let lower = line.to_lowercase();
        if speaks(&tables.routines, &lower) {
            providers.extend(issued(tables, &lower));
        }
    }
    Routine {
        by,
        words,
        names: names.into_iter().collect(),
        providers: providers.into_iter().collect(),
        repository: context.repository.to_owned(),
        location: context.location(u32::try_from(at + 1).unwrap_or(u32::MAX), 1),
    }
}

/// Issuers that a line speaks of, each with what they issue: `npm token`.
fn issued(tables: &ManifestTables, line: &str) -> BTreeSet<String> {
    let words = || {
        line.split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
    };
    let nouns = &tables.routines.nouns;
    let of = |provider: &str| {
        // What stands between the two is little: `the npm publish token`.
        let mut after = words().skip_while(|word| *word != provider).skip(1).take(4);
        let noun = after.find(|word| nouns.iter().any(|noun| noun == word))?;
        Some(format!("{provider} {}", noun.trim_end_matches('s')))
    };
    tables.names.providers().filter_map(of).collect()
}

/// `PAYMENTS_API_KEY`.
fn is_variable(word: &str) -> bool {
    word.contains('_')
        && word.len() >= 6
        && word
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        && plain_parts(word)
}

/// Whether a word is what people call something, and cannot be a secret: short parts of letters, hardly any digit.
fn is_name(word: &str) -> bool {
    let key_id = word.len() == 20
        && (word.starts_with("AKIA") || word.starts_with("ASIA"))
        && word
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    key_id
        || is_variable(word)
        || (word.len() >= 4
            && word.len() <= 80
            && word.contains(['-', '_', '/', '.', '@'])
            && plain_parts(word))
}

fn plain_parts(word: &str) -> bool {
    word.split(['-', '_', '/', '.', '@']).all(|part| {
        let digits = part.bytes().filter(u8::is_ascii_digit).count();
        let lower = part.bytes().filter(u8::is_ascii_lowercase).count();
        let upper = part.bytes().filter(u8::is_ascii_uppercase).count();
        part.len() <= 20 && digits <= 4 && (lower == 0 || upper <= 3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifests::read;
    use crate::model::FingerprintKey;

    fn shown(uri: &str, text: &str) -> String {
        let key = FingerprintKey::new([7; 32]);
        let out = read("shop", uri, text.as_bytes(), &key).unwrap_or_default();
        let line = |one: &Routine| {
            format!(
                "{:?} `{}` {} | {} | {}",
                one.by,
                one.words,
                one.names.join(" "),
                one.providers.join(" "),
                one.location.display()
            )
        };
        out.routines.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn runbooks_say_who_rotates_what() {
        let text = "# Shop\n\nSee `GRAFANA_TOKEN`.\n\n## Rotating the deploy key\n\n1. Log in to the AWS console, user `ci-deployer`.\n2. Create a new key, put it into `AWS_ACCESS_KEY_ID`.\n\n## Database\n\nThe password is rotated automatically by `rotate-db`.\n\n## Builds\n\nDelete the old image manually.\n\n## npm\n\nThe npm token NPM_TOKEN need not be rotated manually: it is no longer used.\n";
        insta::assert_snapshot!(shown("docs/runbook.md", text), @"
        Person `log in to` AWS_ACCESS_KEY_ID ci-deployer |  | shop/docs/runbook.md:5
        Machine `rotated automatically` rotate-db |  | shop/docs/runbook.md:12
        ");
    }

    #[test]
    fn code_rotates_where_something_runs_it_or_ends_the_old() {
        let job = "on:\n  schedule:\n    - cron: '0 3 * * 1'\njobs:\n  rotate:\n    runs-on: ubuntu-latest\n    steps:\n      - run: aws iam create-access-key --user-name ci-deployer\n";
        let lambda = "def rotate(user):\n    new = iam.create_access_key(UserName='ci-deployer')\n    iam.delete_access_key(UserName='ci-deployer', AccessKeyId=old)\n";
        let once = "aws iam create-access-key --user-name ci-deployer\n";
        let terraform = "resource \"aws_secretsmanager_secret_rotation\" \"db\" {\n  secret_id = aws_secretsmanager_secret.shop-db.id\n}\n";
        let all = [
            shown(".github/workflows/rotate.yml", job),
            shown("lambda/rotate.py", lambda),
            shown("setup.sh", once),
            shown("rotation.tf", terraform),
        ];
        insta::assert_snapshot!(all.join("\n"), @"
        Machine `iam create-access-key` ci-deployer create-access-key runs-on ubuntu-latest user-name |  | shop/.github/workflows/rotate.yml:8
        Machine `create_access_key` ci-deployer iam.create_access_key iam.delete_access_key |  | shop/lambda/rotate.py:2

        Machine `aws_secretsmanager_secret_rotation` aws_secretsmanager_secret.shop-db.id aws_secretsmanager_secret_rotation secret_id | aws secret | shop/rotation.tf:1
        ");
    }

    #[test]
    fn what_may_be_a_secret_is_no_name() {
        let hex = "0f1e2d3c".repeat(4);
        let mixed = ["Xy", "Zq", "Kw", "Pt", "Rn"].concat();
        for word in [hex.as_str(), mixed.as_str(), "word"] {
            assert!(!is_name(word), "{word}");
            assert!(!is_name(&format!("x-{hex}")));
        }
        for word in [
            "ci-deployer",
            "AWS_ACCESS_KEY_ID",
            "shop/db.password",
            "svc@corp.example",
        ] {
            assert!(is_name(word), "{word}");
        }
    }
}
