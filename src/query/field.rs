//! The fields a filter can ask for.

use super::Subject;
use crate::model::brief::Text;

/// One value of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value {
    /// A text of the report.
    Text(Text),
    /// A word of the program's own.
    Word(&'static str),
    Number(i64),
}

/// How values are compared.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A whole word.
    Word,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Any part of a text.
    Text,
    /// A number.
    Number,
    /// A number of days.
    Days,
    /// A number, or the word for a range of them.
    NumberOrWord,
}

/// One field.
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// What it holds, for people.
    pub about: &'static str,
    pub(super) kind: Kind,
    pub(super) values: fn(&Subject<'_>) -> Vec<Value>,
}

impl std::fmt::Debug for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Field {
    /// The field of a name, in any case.
    pub fn named(name: &str) -> Option<&'static Self> {
        FIELDS.iter().find(|field| {
            field.name.eq_ignore_ascii_case(name)
                || field
                    .aliases
                    .iter()
                    .any(|alias| alias.eq_ignore_ascii_case(name))
        })
    }
}

const YES_NO: &[&str] = &["yes", "no"];
const BANDS: &[&str] = &["critical", "high", "medium", "low", "info"];

/// The values of a tag, whose key the filter names.
pub(super) const TAG: &Field = &Field {
    name: "tag",
    aliases: &[],
    about: "",
    kind: Kind::Word,
    values: |_| Vec::new(),
};

const fn field(
    name: &'static str,
    aliases: &'static [&'static str],
    about: &'static str,
    kind: Kind,
    values: fn(&Subject<'_>) -> Vec<Value>,
) -> Field {
    Field {
        name,
        aliases,
        about,
        kind,
        values,
    }
}

/// A text that may be none.
fn maybe(text: Option<Text>) -> Vec<Value> {
    texts(text.into_iter())
}

fn truth(value: Option<bool>) -> Vec<Value> {
    words(value.map(|yes| if yes { "yes" } else { "no" }).into_iter())
}

fn texts(values: impl Iterator<Item = Text>) -> Vec<Value> {
    let known = values.filter(|text| *text != Text::NONE);
    known.map(Value::Text).collect()
}

fn words(values: impl Iterator<Item = &'static str>) -> Vec<Value> {
    values.map(Value::Word).collect()
}

fn numbers<T: Into<i64>>(values: impl Iterator<Item = T>) -> Vec<Value> {
    values.map(|value| Value::Number(value.into())).collect()
}

/// Every field, in the order of the help.
pub static FIELDS: &[Field] = &[
    field(
        "name",
        &[],
        "name or native id, any part of it",
        Kind::Text,
        |s| texts(s.names()),
    ),
    field(
        "id",
        &[],
        "id of the identity, credential, finding or plan item",
        Kind::Word,
        |s| texts(s.ids()),
    ),
    field(
        "type",
        &["kind"],
        "identity type: iam-user, iam-role, ci-job, agent, mcp-server, …",
        Kind::Word,
        |s| maybe(s.who().map(|i| i.kind)),
    ),
    field(
        "provider",
        &[],
        "aws, github, gitlab, kubernetes, agent, stripe, …",
        Kind::Word,
        |s| {
            let mut all = maybe(s.who().map(|i| i.provider));
            if all.is_empty() {
                all = texts(s.credentials().map(|c| c.provider));
            }
            all
        },
    ),
    field(
        "account",
        &["acct"],
        "account, project, cluster or repository",
        Kind::Word,
        |s| maybe(s.who().map(|i| i.account)),
    ),
    field(
        "environment",
        &["env"],
        "production, staging, development",
        Kind::Word,
        |s| maybe(s.who().map(|i| i.environment)),
    ),
    field(
        "owner",
        &[],
        "owner, any part of it; none: nobody",
        Kind::Text,
        |s| maybe(s.who().map(|i| i.owner)),
    ),
    field(
        "owner-source",
        &["owner_source"],
        "annotation, tag, codeowners, catalog, iac-author, creator",
        Kind::Word,
        |s| maybe(s.who().map(|i| i.owner_source)),
    ),
    field(
        "purpose",
        &[],
        "what it is for, any part of it",
        Kind::Text,
        |s| maybe(s.who().map(|i| i.purpose)),
    ),
    field(
        "human",
        &[],
        "yes: a person signs in to it",
        Kind::Choice(YES_NO),
        |s| truth(s.who().map(|i| i.human)),
    ),
    field(
        "admin",
        &[],
        "yes: full control",
        Kind::Choice(YES_NO),
        |s| truth(s.who().map(|i| i.admin)),
    ),
    field(
        "tier",
        &["privilege"],
        "privilege, 0 to 5",
        Kind::Number,
        |s| numbers(s.who().map(|i| i.tier).into_iter()),
    ),
    field(
        "class",
        &["consumer-class"],
        "class of its consumers: ci, scheduled, agent, daemon, …",
        Kind::Word,
        |s| maybe(s.who().map(|i| i.class)),
    ),
    field(
        "consumer",
        &[],
        "name of what uses it, any part of it",
        Kind::Text,
        |s| texts(s.consumers().map(|c| c.name)),
    ),
    field(
        "runtime",
        &[],
        "where it runs: github-actions, eks, lambda, agent-host, …",
        Kind::Word,
        |s| texts(s.consumers().map(|c| c.runtime)),
    ),
    field(
        "repository",
        &["repo"],
        "repository that declares it or holds a copy of its secret",
        Kind::Word,
        |s| texts(s.repositories()),
    ),
    field(
        "path",
        &["file"],
        "file that declares it or holds a copy of its secret, any part of it",
        Kind::Text,
        |s| texts(s.paths()),
    ),
    field(
        "credential",
        &["credential-type", "secret"],
        "credential type: aws-access-key, github-pat, …",
        Kind::Word,
        |s| texts(s.credentials().map(|c| c.kind)),
    ),
    field(
        "storage",
        &["stored"],
        "where the secret is: vault, ci-store, plain-file, history, committed, public",
        Kind::Word,
        |s| texts(s.credentials().map(|c| c.storage)),
    ),
    field(
        "status",
        &["state"],
        "of findings: new, unchanged, fixed, accepted, …, and decided or undecided; of credentials: active, inactive, unknown",
        Kind::Word,
        |s| words(s.states()),
    ),
    field(
        "age",
        &[],
        "days since the oldest credential, else the identity, was made",
        Kind::Days,
        |s| numbers(s.age_days().into_iter()),
    ),
    field(
        "idle",
        &["unused"],
        "days without use, where telemetry proves it",
        Kind::Days,
        |s| numbers(s.idle_days().into_iter()),
    ),
    field(
        "expires",
        &["expiry"],
        "days until the last credential ends; none: none has an end",
        Kind::Days,
        |s| numbers(s.expires_days().into_iter()),
    ),
    field(
        "risk",
        &["band"],
        "risk, 0 to 100, or critical, high, medium, low, info",
        Kind::NumberOrWord,
        |s| {
            s.assessments()
                .flat_map(|a| [Value::Number(a.score.into()), Value::Word(a.band.as_str())])
                .collect()
        },
    ),
    field(
        "fit",
        &[],
        "how well just-in-time access fits, 0 to 100",
        Kind::Number,
        |s| numbers(s.assessments().map(|a| a.fit)),
    ),
    field(
        "disposition",
        &[],
        "what to do: revoke-now, migrate-now, hybrid, …",
        Kind::Word,
        |s| words(s.assessments().map(|a| a.disposition.as_str())),
    ),
    field("wave", &[], "wave of the plan", Kind::Number, |s| {
        numbers(s.plan().map(|item| item.wave))
    }),
    field(
        "finding",
        &["rule", "check"],
        "id of a finding's rule",
        Kind::Word,
        |s| texts(s.findings().map(|f| f.rule)),
    ),
    field(
        "severity",
        &["sev"],
        "severity of a finding",
        Kind::Choice(BANDS),
        |s| words(s.findings().map(|f| f.severity.as_str())),
    ),
    field(
        "control",
        &["framework"],
        "id of a framework that a finding bears on: NHI2:2025, CWE-798, …",
        Kind::Word,
        |s| {
            let controls = s.findings().flat_map(|f| s.brief.texts(f.controls));
            texts(controls.copied())
        },
    ),
    field(
        "grade",
        &["evidence"],
        "strength of the evidence: A, B, C, D",
        Kind::Word,
        |s| maybe(s.who().map(|i| i.grade)),
    ),
    field(
        "break-glass",
        &["break_glass"],
        "declared, suspected",
        Kind::Word,
        |s| maybe(s.who().map(|i| i.break_glass)),
    ),
    field(
        "declared",
        &[],
        "both, code-only, account-only: where code declares an account that was read, or a Terraform state lies beside code",
        Kind::Word,
        |s| maybe(s.who().map(|i| i.declared)),
    ),
    field(
        "note",
        &[],
        "a fact noted of it, any part of it",
        Kind::Text,
        |s| {
            let notes = s.who().map(|i| s.brief.texts(i.notes));
            texts(notes.unwrap_or_default().iter().copied())
        },
    ),
    field(
        "risky",
        &["run-risk"],
        "what weakens the run of its consumers: self-hosted runner, unpinned action, …",
        Kind::Text,
        |s| {
            let risks = s.consumers().flat_map(|c| s.brief.texts(c.risks));
            texts(risks.copied())
        },
    ),
];
