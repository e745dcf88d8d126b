//! Trust policies: who may become a role, and what the conditions ask of them.

use super::compile;
use super::condition::{Comparison, Operator, Quantifier};
use super::policy::{
    Condition, Effect, Policy, PrincipalName, PrincipalType, Selection, Statement,
};
use super::subject::{Breadth, subject_breadth};
use crate::model::{ConditionCoverage, PrincipalKind, TrustPath};
use crate::rules::aws::AwsTables;
use std::collections::BTreeSet;

/// Ways to take on a role, with the kind of principal each is for.
const ASSUME: [&str; 3] = [
    "sts:AssumeRole",
    "sts:AssumeRoleWithSAML",
    "sts:AssumeRoleWithWebIdentity",
];

/// What the trust of one role is judged against.
pub(super) struct TrustScope<'a> {
    /// Account of the role.
    pub account: &'a str,
    /// Every account of the scan, and those declared own.
    pub own_accounts: &'a BTreeSet<String>,
    /// Known accounts.
    pub tables: &'a AwsTables,
    /// The role's permissions name their resources.
    pub resource: bool,
}

/// Every way into a role, sorted.
pub(super) fn paths(policy: &Policy, scope: &TrustScope<'_>) -> Vec<TrustPath> {
    let denies: Vec<&Statement> = policy
        .statements
        .iter()
        .filter(|statement| statement.effect == Effect::Deny)
        .collect();
    let mut out = Vec::new();
    for statement in &policy.statements {
        if statement.effect != Effect::Allow {
            continue;
        }
        let everyone_else;
        let principals: &[PrincipalName] = match &statement.principals {
            Selection::Absent => &[],
            Selection::Only(list) => list,
            Selection::Except(_) => {
                everyone_else = [PrincipalName {
                    kind: PrincipalType::Anyone,
                    value: "*".to_owned(),
                }];
                &everyone_else
            }
        };
        for principal in principals {
            for action in ASSUME {
                if names(statement, action) && fits(principal, action) {
                    out.extend(path(statement, principal, action, &denies, scope));
                }
            }
        }
    }
    out.sort_by(|a, b| {
        (&a.principal, &a.action, &a.subjects, &a.conditions).cmp(&(
            &b.principal,
            &b.action,
            &b.subjects,
            &b.conditions,
        ))
    });
    out.dedup();
    out
}

fn names(statement: &Statement, action: &str) -> bool {
    let hit = statement
        .actions
        .values()
        .iter()
        .any(|pattern| compile::action_matches(pattern, action));
    match statement.actions {
        Selection::Absent => false,
        Selection::Only(_) => hit,
        Selection::Except(_) => !hit,
    }
}

/// Whether this kind of principal can use this way in.
fn fits(principal: &PrincipalName, action: &str) -> bool {
    match principal.kind {
        PrincipalType::Anyone => true,
        PrincipalType::Federated if principal.value.contains(":saml-provider/") => {
            action == "sts:AssumeRoleWithSAML"
        }
        PrincipalType::Federated => action == "sts:AssumeRoleWithWebIdentity",
        _ => action == "sts:AssumeRole",
    }
}

fn path(
    statement: &Statement,
    principal: &PrincipalName,
    action: &str,
    denies: &[&Statement],
    scope: &TrustScope<'_>,
) -> Option<TrustPath> {
    let kind = kind_of(principal);
    let account = account_of(&principal.value, kind);
    let issuer = (kind == PrincipalKind::Oidc).then(|| issuer_of(&principal.value));
    let mut asked = Asked::default();
    let mut words: Vec<String> = Vec::new();
    if let Selection::Except(spared) = &statement.principals {
        let names: Vec<&str> = spared.iter().map(|name| name.value.as_str()).collect();
        words.push(format!("anyone but {}", names.join(", ")));
    }
    for condition in &statement.conditions {
        words.push(condition.words());
        if let Some(operator) = condition.operator {
            asked.read(condition, operator, operator.negated);
        }
    }
    for deny in denies {
        if !names(deny, action) || !concerns(deny, principal) {
            continue;
        }
        if deny.conditions.is_empty() {
            return None;
        }
        let denied: Vec<String> = deny.conditions.iter().map(Condition::words).collect();
        words.push(format!("not when {}", denied.join(" and ")));
        // Denied unless it matches: the same as asking for it. With several conditions only all of them together deny.
        if let [condition] = deny.conditions.as_slice()
            && let Some(operator) = condition.operator
        {
            asked.read_denied(condition, operator);
        }
    }
    words.sort();
    words.dedup();
    let exact = asked.subject
        || match kind {
            PrincipalKind::Principal | PrincipalKind::Service => true,
            PrincipalKind::Oidc => asked.subject_sets.iter().any(|set| {
                !set.is_empty()
                    && set.iter().all(|subject| {
                        subject_breadth(issuer.as_deref().unwrap_or_default(), subject)
                            == Breadth::Exact
                    })
            }),
            _ => false,
        };
    let external = match kind {
        PrincipalKind::Anyone => true,
        PrincipalKind::Account | PrincipalKind::Principal => account
            .as_deref()
            .is_none_or(|id| id != scope.account && !scope.own_accounts.contains(id)),
        _ => false,
    };
    let vendor = account
        .as_deref()
        .filter(|_| external)
        .and_then(|id| scope.tables.known_account(id))
        .map(|known| known.name.to_owned());
    let mut subjects: Vec<String> = asked.subject_sets.into_iter().flatten().collect();
    subjects.sort();
    subjects.dedup();
    asked.audiences.sort();
    asked.audiences.dedup();
    Some(TrustPath {
        principal_kind: kind,
        principal: principal.value.clone(),
        account,
        external,
        vendor,
        action: action.to_owned(),
        issuer,
        subjects,
        audiences: asked.audiences,
        external_id: asked.external_id,
        mfa: asked.mfa,
        coverage: ConditionCoverage {
            subject: exact,
            origin: asked.origin,
            session: asked.session,
            resource: scope.resource,
            time: asked.time,
            environment: asked.environment,
        },
        conditions: words,
    })
}

/// Whether a deny statement speaks of this principal for certain.
fn concerns(deny: &Statement, principal: &PrincipalName) -> bool {
    match &deny.principals {
        Selection::Absent => false,
        Selection::Only(list) => list
            .iter()
            .any(|denied| denied.kind == PrincipalType::Anyone || denied == principal),
        Selection::Except(list) => !list.contains(principal),
    }
}

fn kind_of(principal: &PrincipalName) -> PrincipalKind {
    let value = principal.value.as_str();
    match principal.kind {
        PrincipalType::Anyone => PrincipalKind::Anyone,
        PrincipalType::Service => PrincipalKind::Service,
        PrincipalType::CanonicalUser => PrincipalKind::Principal,
        PrincipalType::Federated if value.contains(":saml-provider/") => PrincipalKind::Saml,
        PrincipalType::Federated => PrincipalKind::Oidc,
        PrincipalType::Aws => {
            if is_account(value) || value.ends_with(":root") {
                PrincipalKind::Account
            } else if value.starts_with("AROA") || value.starts_with("AIDA") {
                PrincipalKind::Dangling
            } else {
                PrincipalKind::Principal
            }
        }
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn account_of(value: &str, kind: PrincipalKind) -> Option<String> {
    if kind == PrincipalKind::Service {
        return None;
    }
    if is_account(value) {
        return Some(value.to_owned());
    }
    let account = value.strip_prefix("arn:")?.split(':').nth(3)?;
    is_account(account).then(|| account.to_owned())
}

/// Issuer host and path of a federated principal.
fn issuer_of(value: &str) -> String {
    value
        .split_once(":oidc-provider/")
        .map_or(value, |(_, issuer)| issuer)
        .to_owned()
}

/// What conditions ask of who comes in.
#[derive(Default)]
struct Asked {
    subject: bool,
    /// One set for each condition on the subject; each must be met.
    subject_sets: Vec<Vec<String>>,
    audiences: Vec<String>,
    external_id: bool,
    mfa: bool,
    origin: bool,
    session: bool,
    time: bool,
    environment: bool,
}

impl Asked {
    /// Reads a condition of an allow statement.
    fn read(&mut self, condition: &Condition, operator: Operator, negated: bool) {
        // Negated, a condition lets in everyone but a few; `ForAllValues` and `IfExists` let in who brings no such key.
        if negated
            || operator.if_exists
            || operator.quantifier == Quantifier::All
            || operator.comparison == Comparison::Null
        {
            return;
        }
        self.take(condition, operator);
    }

    /// Reads the only condition of a deny statement.
    fn read_denied(&mut self, condition: &Condition, operator: Operator) {
        let key = condition.key.to_ascii_lowercase();
        if operator.comparison == Comparison::Bool {
            // `Bool` alone does not deny who brings no such key.
            let denies_absence = operator.if_exists && condition.values == ["false"];
            if key == "aws:multifactorauthpresent" && denies_absence {
                self.mfa = true;
                self.session = true;
            }
            return;
        }
        let clock = matches!(key.as_str(), "aws:currenttime" | "aws:epochtime");
        if clock
            && matches!(
                operator.comparison,
                Comparison::DateGreater
                    | Comparison::DateGreaterOrEqual
                    | Comparison::NumericGreater
                    | Comparison::NumericGreaterOrEqual
            )
        {
            self.time |= !condition.values.is_empty();
            return;
        }
        if operator.negated && !operator.if_exists && operator.quantifier == Quantifier::One {
            self.take(condition, operator);
        }
    }

    fn take(&mut self, condition: &Condition, operator: Operator) {
        let values = &condition.values;
        let patterns = matches!(
            operator.comparison,
            Comparison::StringLike | Comparison::Arn
        );
        let open = values.is_empty()
            || values.iter().any(|value| {
                (patterns && value.bytes().all(|byte| byte == b'*' || byte == b'?'))
                    || matches!(value.as_str(), "0.0.0.0/0" | "::/0")
            });
        let wild = patterns && values.iter().any(|value| value.contains(['*', '?']));
        let exact = !open && !wild;
        let key = condition.key.to_ascii_lowercase();
        let claim = key.rsplit(':').next().unwrap_or_default();
        match key.as_str() {
            "sts:externalid" => self.external_id |= !open,
            "aws:multifactorauthpresent" => {
                let asked = values
                    .iter()
                    .all(|value| value.eq_ignore_ascii_case("true"));
                self.mfa |= asked && !open;
                self.session |= asked && !open;
            }
            "aws:multifactorauthage" => {
                self.mfa |= !open;
                self.session |= !open;
            }
            "aws:sourceip" | "aws:vpcsourceip" | "aws:sourcevpc" | "aws:sourcevpce"
            | "aws:sourcearn" | "aws:sourceaccount" | "aws:sourceorgid" | "aws:sourceorgpaths"
            | "aws:principalorgid" => self.origin |= !open,
            "aws:principalorgpaths" => {
                self.origin |= !open;
                self.environment |= !open;
            }
            "aws:principalarn" | "aws:userid" | "aws:username" => self.subject |= exact,
            "sts:rolesessionname"
            | "sts:sourceidentity"
            | "aws:sourceidentity"
            | "aws:tokenissuetime" => self.session |= !open,
            // Only an end is one: a time before which nobody gets in leaves the door open after it.
            "aws:currenttime" | "aws:epochtime" => self.time |= !open && ends(operator.comparison),
            _ if key.starts_with("aws:principaltag/") => {
                self.subject |= exact;
                self.environment |= exact && names_environment(&key);
            }
            _ if key.starts_with("aws:requesttag/") => self.session |= !open,
            _ if key.starts_with("saml:") => match claim {
                "aud" => self.audiences.extend(values.iter().cloned()),
                "sub" | "namequalifier" => self.subject |= exact,
                _ => {}
            },
            // Claims of an OIDC token: `<issuer>:<claim>`.
            _ => match claim {
                "sub" if open => self.subject_sets.push(vec!["*".to_owned()]),
                "sub" => {
                    self.environment |= values.iter().all(|value| in_environment(value));
                    self.subject_sets.push(values.clone());
                }
                "aud" if !open => self.audiences.extend(values.iter().cloned()),
                "job_workflow_ref" | "repository_id" | "repository" => self.subject |= exact,
                "runner_environment" => self.origin |= exact,
                "environment" | "deployment_tier" => self.environment |= exact,
                _ => {}
            },
        }
    }
}

/// Whether a comparison of the time holds only up to one.
const fn ends(comparison: Comparison) -> bool {
    matches!(
        comparison,
        Comparison::DateLess
            | Comparison::DateLessOrEqual
            | Comparison::DateEquals
            | Comparison::NumericLess
            | Comparison::NumericLessOrEqual
    )
}

/// Whether the name of a tag's key is one of an environment.
fn names_environment(key: &str) -> bool {
    let tag = key.rsplit('/').next().unwrap_or_default();
    tag.split(|c: char| !c.is_ascii_alphanumeric())
        .any(|word| matches!(word, "env" | "environment" | "stage" | "tier"))
}

/// Whether a subject names one deployment environment.
fn in_environment(subject: &str) -> bool {
    let mut parts = subject.split(':');
    parts.any(|part| matches!(part, "environment" | "deployment_tier"))
        && parts
            .next()
            .is_some_and(|name| !name.is_empty() && !name.contains(['*', '?']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(statements: &Value) -> Vec<TrustPath> {
        let tables = AwsTables::builtin().unwrap();
        let own: BTreeSet<String> = ["111122223333".to_owned()].into();
        paths(
            &Policy::parse(&json!({"Version": "2012-10-17", "Statement": statements})),
            &TrustScope {
                account: "111122223333",
                own_accounts: &own,
                tables: &tables,
                resource: false,
            },
        )
    }

    fn github(condition: &Value) -> TrustPath {
        read(&json!({"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
            "Condition": condition}))
        .remove(0)
    }

    const SUB: &str = "token.actions.githubusercontent.com:sub";

    #[test]
    fn every_form_of_principal() {
        let found = read(
            &json!({"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Principal": {
            "AWS": ["111122223333", "arn:aws:iam::464622532012:root", "AROAEXAMPLEEXAMPLE12", "*",
                    "arn:aws:iam::999988887777:role/r", "arn:aws:iam::111122223333:user/u"],
            "Service": "ec2.amazonaws.com"}}),
        );
        let list: Vec<(PrincipalKind, &str, bool, Option<&str>)> = found
            .iter()
            .map(|p| {
                (
                    p.principal_kind,
                    p.principal.as_str(),
                    p.external,
                    p.vendor.as_deref(),
                )
            })
            .filter(|p| p.0 != PrincipalKind::Anyone)
            .collect();
        assert_eq!(
            list,
            [
                (PrincipalKind::Account, "111122223333", false, None),
                (PrincipalKind::Dangling, "AROAEXAMPLEEXAMPLE12", false, None),
                (
                    PrincipalKind::Principal,
                    "arn:aws:iam::111122223333:user/u",
                    false,
                    None
                ),
                (
                    PrincipalKind::Account,
                    "arn:aws:iam::464622532012:root",
                    true,
                    Some("Datadog")
                ),
                (
                    PrincipalKind::Principal,
                    "arn:aws:iam::999988887777:role/r",
                    true,
                    None
                ),
                (PrincipalKind::Service, "ec2.amazonaws.com", false, None),
            ]
        );
        let open = found
            .iter()
            .find(|p| p.principal_kind == PrincipalKind::Anyone)
            .unwrap();
        assert!(open.external && open.coverage.count() == 0);
    }

    #[test]
    fn subjects_count_only_when_exact() {
        for (condition, subjects, exact) in [
            (json!({}), 0, false),
            (
                json!({"StringEquals": {SUB: "repo:acme/site:environment:prod"}}),
                1,
                true,
            ),
            (json!({"StringLike": {SUB: "repo:acme/*"}}), 1, false),
            (
                json!({"StringLike": {SUB: ["repo:acme/site:ref:refs/heads/main", "repo:acme/site:*"]}}),
                2,
                false,
            ),
            (
                json!({"ForAllValues:StringEquals": {SUB: "repo:acme/site:environment:prod"}}),
                0,
                false,
            ),
            (
                json!({"ForAnyValue:StringEquals": {SUB: "repo:acme/site:environment:prod"}}),
                1,
                true,
            ),
            (
                json!({"StringEqualsIfExists": {SUB: "repo:acme/site:environment:prod"}}),
                0,
                false,
            ),
            (
                json!({"StringNotEquals": {SUB: "repo:acme/site:environment:prod"}}),
                0,
                false,
            ),
        ] {
            let path = github(&condition);
            assert_eq!(path.subjects.len(), subjects, "{condition}");
            assert_eq!(path.coverage.subject, exact, "{condition}");
            assert_eq!(
                path.issuer.as_deref(),
                Some("token.actions.githubusercontent.com")
            );
        }
    }

    #[test]
    fn origin_session_and_external_id() {
        let path = &read(&json!({"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"AWS": "arn:aws:iam::999988887777:root"},
            "Condition": {"StringEquals": {"sts:ExternalId": "x"}, "Bool": {"aws:MultiFactorAuthPresent": "true"},
                          "IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}))[0];
        assert!(path.external_id && path.mfa && path.coverage.origin && path.coverage.session);
        assert!(!path.coverage.subject);
        let weak = &read(
            &json!({"Effect": "Allow", "Action": "sts:*", "Principal": {"AWS": "111122223333"},
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"},
                          "IpAddress": {"aws:SourceIp": "0.0.0.0/0"}, "StringLike": {"sts:ExternalId": "*"}}}),
        )[0];
        assert!(!weak.external_id && !weak.mfa && weak.coverage.count() == 0);
    }

    #[test]
    fn denies_take_paths_away_or_ask_for_something() {
        let allow = json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "999988887777"}});
        assert!(
            read(&json!([allow, {"Effect": "Deny", "Action": "sts:*", "Principal": "*"}]))
                .is_empty()
        );
        let found = read(
            &json!([allow, {"Effect": "Deny", "Action": "sts:*", "Principal": "*",
            "Condition": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}]),
        );
        assert!(found[0].coverage.origin);
        assert_eq!(
            found[0].conditions,
            ["not when NotIpAddress aws:SourceIp = 203.0.113.0/24"]
        );
    }

    #[test]
    fn one_way_in_for_each_principal_even_under_a_wildcard_action() {
        let found = read(&json!({"Effect": "Allow", "Action": "*", "Principal": {
            "Federated": ["arn:aws:iam::111122223333:saml-provider/idp", "accounts.google.com"]}}));
        let kinds: Vec<_> = found
            .iter()
            .map(|p| (p.principal_kind, p.action.as_str()))
            .collect();
        assert_eq!(
            kinds,
            [
                (PrincipalKind::Oidc, "sts:AssumeRoleWithWebIdentity"),
                (PrincipalKind::Saml, "sts:AssumeRoleWithSAML")
            ]
        );
    }
}
