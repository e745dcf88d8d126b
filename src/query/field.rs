//! The fields a filter can ask for.

use super::Subject;
use crate::model::{Evidence, evidence::days_between};

/// One value of a field.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Text(&'a str),
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
    pub(super) values: for<'a> fn(&Subject<'a>) -> Vec<Value<'a>>,
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
    values: for<'a> fn(&Subject<'a>) -> Vec<Value<'a>>,
) -> Field {
    Field {
        name,
        aliases,
        about,
        kind,
        values,
    }
}

fn maybe(value: Option<&str>) -> Vec<Value<'_>> {
    value
        .filter(|text| !text.is_empty())
        .map(Value::Text)
        .into_iter()
        .collect()
}

fn truth(value: Option<bool>) -> Vec<Value<'static>> {
    maybe(value.map(|yes| if yes { "yes" } else { "no" }))
}

fn words<'a>(values: impl Iterator<Item = &'a str>) -> Vec<Value<'a>> {
    values.map(Value::Text).collect()
}

/// Every field, in the order of the help.
pub static FIELDS: &[Field] = &[
    field(
        "name",
        &[],
        "name or native id, any part of it",
        Kind::Text,
        |s| words(s.names().into_iter()),
    ),
    field(
        "id",
        &[],
        "id of the identity, credential, finding or plan item",
        Kind::Word,
        |s| words(s.ids().into_iter()),
    ),
    field(
        "type",
        &["kind"],
        "identity type: iam-user, iam-role, ci-job, agent, mcp-server, …",
        Kind::Word,
        |s| maybe(s.identity.map(|i| i.kind.as_str())),
    ),
    field(
        "provider",
        &[],
        "aws, github, gitlab, kubernetes, agent, stripe, …",
        Kind::Word,
        |s| {
            let mut all = maybe(s.identity.map(|i| i.provider.as_str()));
            if all.is_empty() {
                all = words(s.credentials.iter().map(|c| c.provider.as_str()));
            }
            all
        },
    ),
    field(
        "account",
        &["acct"],
        "account, project, cluster or repository",
        Kind::Word,
        |s| maybe(s.identity.and_then(|i| i.account.as_deref())),
    ),
    field(
        "environment",
        &["env"],
        "production, staging, development",
        Kind::Word,
        |s| {
            maybe(
                s.identity
                    .map(|i| i.environment.as_str())
                    .filter(|word| *word != "unknown"),
            )
        },
    ),
    field(
        "owner",
        &[],
        "owner, any part of it; none: nobody",
        Kind::Text,
        |s| maybe(s.identity.and_then(|i| i.owner.as_deref())),
    ),
    field(
        "owner-source",
        &["owner_source"],
        "annotation, tag, codeowners, catalog, iac-author, creator",
        Kind::Word,
        |s| {
            maybe(
                s.identity
                    .map(|i| i.owner_source.as_str())
                    .filter(|word| *word != "none"),
            )
        },
    ),
    field(
        "purpose",
        &[],
        "what it is for, any part of it",
        Kind::Text,
        |s| maybe(s.identity.and_then(|i| i.purpose.as_deref())),
    ),
    field(
        "human",
        &[],
        "yes: a person signs in to it",
        Kind::Choice(YES_NO),
        |s| truth(s.identity.map(|i| i.human)),
    ),
    field(
        "admin",
        &[],
        "yes: full control",
        Kind::Choice(YES_NO),
        |s| truth(s.identity.map(|i| i.privilege.admin)),
    ),
    field(
        "tier",
        &["privilege"],
        "privilege, 0 to 5",
        Kind::Number,
        |s| {
            s.identity
                .map(|i| Value::Number(i.privilege.tier.into()))
                .into_iter()
                .collect()
        },
    ),
    field(
        "class",
        &["consumer-class"],
        "class of its consumers: ci, scheduled, agent, daemon, …",
        Kind::Word,
        |s| {
            maybe(
                s.identity
                    .map(|i| i.consumer_class.as_str())
                    .filter(|word| *word != "unknown"),
            )
        },
    ),
    field(
        "consumer",
        &[],
        "name of what uses it, any part of it",
        Kind::Text,
        |s| words(s.consumers.iter().map(|c| c.name.as_str())),
    ),
    field(
        "runtime",
        &[],
        "where it runs: github-actions, eks, lambda, agent-host, …",
        Kind::Word,
        |s| words(s.consumers.iter().map(|c| c.runtime.as_str())),
    ),
    field(
        "repository",
        &["repo"],
        "repository that declares it or holds a copy of its secret",
        Kind::Word,
        |s| words(s.repositories().into_iter()),
    ),
    field(
        "path",
        &["file"],
        "file that declares it or holds a copy of its secret, any part of it",
        Kind::Text,
        |s| words(s.paths().into_iter()),
    ),
    field(
        "credential",
        &["credential-type", "secret"],
        "credential type: aws-access-key, github-pat, …",
        Kind::Word,
        |s| words(s.credentials.iter().map(|c| c.kind.as_str())),
    ),
    field(
        "storage",
        &["stored"],
        "where the secret is: vault, ci-store, plain-file, history, committed, public",
        Kind::Word,
        |s| words(s.credentials.iter().map(|c| c.storage.as_str())),
    ),
    field(
        "status",
        &["state"],
        "of findings: new, unchanged, fixed, accepted, …, and decided or undecided; of credentials: active, inactive, unknown",
        Kind::Word,
        |s| words(s.states().into_iter()),
    ),
    field(
        "age",
        &[],
        "days since the oldest credential, else the identity, was made",
        Kind::Days,
        |s| {
            s.created()
                .map(|at| Value::Number(days_between(at, s.now)))
                .into_iter()
                .collect()
        },
    ),
    field(
        "idle",
        &["unused"],
        "days without use, where telemetry proves it",
        Kind::Days,
        |s| s.idle_days().map(Value::Number).into_iter().collect(),
    ),
    field(
        "expires",
        &["expiry"],
        "days until the last credential ends; none: none has an end",
        Kind::Days,
        |s| {
            s.expires()
                .map(|at| Value::Number(days_between(s.now, at)))
                .into_iter()
                .collect()
        },
    ),
    field(
        "risk",
        &["band"],
        "risk, 0 to 100, or critical, high, medium, low, info",
        Kind::NumberOrWord,
        |s| {
            s.assessments
                .iter()
                .flat_map(|a| {
                    [
                        Value::Number(a.risk.score.into()),
                        Value::Text(a.risk.band.as_str()),
                    ]
                })
                .collect()
        },
    ),
    field(
        "fit",
        &[],
        "how well just-in-time access fits, 0 to 100",
        Kind::Number,
        |s| {
            s.assessments
                .iter()
                .map(|a| Value::Number(a.fit.score.into()))
                .collect()
        },
    ),
    field(
        "disposition",
        &[],
        "what to do: revoke-now, migrate-now, hybrid, …",
        Kind::Word,
        |s| words(s.assessments.iter().map(|a| a.disposition.as_str())),
    ),
    field("wave", &[], "wave of the plan", Kind::Number, |s| {
        s.plan
            .iter()
            .map(|item| Value::Number(item.wave.into()))
            .collect()
    }),
    field(
        "finding",
        &["rule", "check"],
        "id of a finding's rule",
        Kind::Word,
        |s| words(s.findings.iter().map(|f| f.rule.as_str())),
    ),
    field(
        "severity",
        &["sev"],
        "severity of a finding",
        Kind::Choice(BANDS),
        |s| words(s.findings.iter().map(|f| f.severity.as_str())),
    ),
    field(
        "control",
        &["framework"],
        "id of a framework that a finding bears on: NHI2:2025, CWE-798, …",
        Kind::Word,
        |s| {
            words(
                s.findings
                    .iter()
                    .flat_map(|f| f.frameworks.values().flatten())
                    .map(String::as_str),
            )
        },
    ),
    field(
        "grade",
        &["evidence"],
        "strength of the evidence: A, B, C, D",
        Kind::Word,
        |s| maybe(s.identity.map(|i| i.grade.as_str())),
    ),
    field(
        "break-glass",
        &["break_glass"],
        "declared, suspected",
        Kind::Word,
        |s| {
            maybe(s.identity.and_then(|i| i.break_glass).map(|it| match it {
                crate::model::BreakGlass::Declared => "declared",
                crate::model::BreakGlass::Suspected => "suspected",
            }))
        },
    ),
    field(
        "declared",
        &[],
        "both, code-only, account-only: where code declares an account that was read",
        Kind::Word,
        |s| {
            maybe(
                s.identity
                    .and_then(|i| i.declared)
                    .map(crate::model::Declared::as_str),
            )
        },
    ),
    field(
        "note",
        &[],
        "a fact noted of it, any part of it",
        Kind::Text,
        |s| {
            words(
                s.identity
                    .iter()
                    .flat_map(|i| &i.notes)
                    .map(|note: &Evidence| note.text.as_str()),
            )
        },
    ),
    field(
        "risky",
        &["run-risk"],
        "what weakens the run of its consumers: self-hosted runner, unpinned action, …",
        Kind::Text,
        |s| {
            words(
                s.consumers
                    .iter()
                    .flat_map(|c| &c.risks)
                    .map(String::as_str),
            )
        },
    ),
];
