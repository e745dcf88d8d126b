//! Identities that can give themselves more privilege than they were given.

use super::rating::Rating;
use super::subject::{
    capitalised, full_name, identity_name, name_only, places, plural, provider_managed,
};
use super::{Check, CheckContext};
use crate::model::{
    BreakGlass, ConsumerClass, EscalationCertainty, EscalationGoal, EscalationPath, FindingBuilder,
    Grade, Identity, IdentityKind, Severity,
};
use crate::rules::posture::CheckMeta;

/// A way from an identity to full control of the account or to a stronger principal, step by step; else a permission that
/// would open one. The best way is told, the others are counted.
pub(super) struct PrivilegeEscalationPath;

/// Ids of further ways that a message names.
const MAX_IDS: usize = 6;

impl Check for PrivilegeEscalationPath {
    fn id(&self) -> &'static str {
        "privilege-escalation-path"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for identity in context.inventory.identities.values() {
            if identity.privilege.admin
                || identity.kind == IdentityKind::AwsRoot
                || name_only(identity)
                || provider_managed(identity)
            {
                continue;
            }
            if let Some((best, further)) = identity.privilege.escalation.split_first() {
                out.push(finding(context, meta, identity, best, further));
            }
        }
    }
}

fn finding(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    identity: &Identity,
    best: &EscalationPath,
    further: &[EscalationPath],
) -> FindingBuilder {
    let mut rating = Rating::of(meta);
    let grade = identity.grade;
    match best.reaches {
        EscalationGoal::Administrator => {}
        EscalationGoal::Principal => {
            rating.lower(grade, "it leads to more privilege, not to full control");
        }
        EscalationGoal::Peer => rating.at_most(
            Severity::Low,
            grade,
            "it leads to other access, not to more privilege on the whole",
        ),
        EscalationGoal::Nothing => rating.at_most(
            Severity::Low,
            grade,
            "the permission is held, and what it would take besides is not there today",
        ),
    }
    match best.certainty {
        _ if best.reaches == EscalationGoal::Nothing => {}
        EscalationCertainty::Open => {}
        EscalationCertainty::Conditional => {
            rating.lower(grade, "it hangs on what a scan cannot know");
        }
        EscalationCertainty::Unseen => rating.lower(
            grade,
            "it needs something to exist that the account's description does not show",
        ),
    }
    if identity.consumer_class == ConsumerClass::Agent {
        rating.raise(grade, "an AI agent uses it");
    }
    if identity.break_glass == Some(BreakGlass::Declared) {
        rating.at_most(
            Severity::Low,
            grade,
            "confirmed emergency access is isolated rather than narrowed",
        );
    }
    tell(&mut rating, best);
    let what = match best.reaches {
        EscalationGoal::Administrator => "can become administrator",
        EscalationGoal::Principal => "can reach more privilege than its own",
        EscalationGoal::Peer => "can become another that may do what it may not",
        EscalationGoal::Nothing => "holds a permission that leads to more privilege",
    };
    let also = if further.is_empty() {
        String::new()
    } else {
        let ids: Vec<&str> = further.iter().map(|path| path.id.as_str()).collect();
        let shown = ids.get(..MAX_IDS).unwrap_or(&ids).join(", ");
        let rest = if ids.len() > MAX_IDS { ", …" } else { "" };
        format!(
            " {} besides: {shown}{rest}.",
            plural(further.len() as i64, "further way")
        )
    };
    let depends = if best.depends_on.is_empty() {
        String::new()
    } else {
        format!(", if {}", best.depends_on.join(" and "))
    };
    context
        .finding(meta, rating, Some(identity), None)
        .text(
            format!(
                "{} {what} ({})",
                capitalised(&identity_name(identity)),
                best.id
            ),
            format!(
                "{} {what}: {} ({}){depends}.{also}",
                capitalised(&full_name(identity)),
                best.note,
                best.actions.join(" + "),
            ),
        )
        .locations(places(identity))
}

/// Each step with the statements behind it.
fn tell(rating: &mut Rating, path: &EscalationPath) {
    for (position, step) in path.steps.iter().enumerate() {
        let mut text = format!(
            "step {}, {}: {} → {}: {} ({})",
            position + 1,
            step.id,
            step.from,
            step.to,
            step.text,
            step.actions.join(" + ")
        );
        if !step.because.is_empty() {
            text.push_str("; ");
            text.push_str(&step.because.join("; "));
        }
        if !step.depends_on.is_empty() {
            text.push_str("; if ");
            text.push_str(&step.depends_on.join(" and "));
        }
        rating.note(Grade::A, text);
    }
    if path.reaches != EscalationGoal::Nothing {
        for unknown in &path.unknown {
            rating.note(
                Grade::D,
                format!("not shown by the account's description: {unknown}"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("privilege-escalation-path"), @r#"
        fires-by-goal
          high (high): IAM role chain can become administrator (sts-001)
            IAM role chain of account 111122223333 can become administrator: assumes a stronger role that trusts it: `next` (on the way to administrator); then as `next` writes an inline policy into itself (sts:AssumeRole). 1 further way besides: iam-004.
            at aws/111122223333/account-authorization-details.json:7
            A step 1, sts-001: arn:aws:iam::111122223333:role/chain → arn:aws:iam::111122223333:role/next: assumes a stronger role that trusts it: `next` (on the way to administrator) (sts:AssumeRole); trust policy of arn:aws:iam::111122223333:role/next, statement 1 lets it in
            A step 2, iam-005: arn:aws:iam::111122223333:role/next → arn:aws:iam::111122223333:role/next: writes an inline policy into itself (iam:PutRolePolicy); inline policy `p`, statement 1 allows iam:PutRolePolicy on arn:aws:iam::111122223333:role/next
          low (high): IAM user joiner holds a permission that leads to more privilege (iam-013)
            IAM user joiner of account 111122223333 holds a permission that leads to more privilege: joins a stronger group; no group gives more than it has today (iam:AddUserToGroup).
            at aws/111122223333/account-authorization-details.json:7
            A severity high → low: the permission is held, and what it would take besides is not there today
          medium (high): IAM user updater can reach more privilege than its own (lambda-004)
            IAM user updater of account 111122223333 can reach more privilege than its own: runs as the role of a function; `strong` (tier 3) could be it, the account details do not show whether it is (lambda:InvokeFunction + lambda:UpdateFunctionCode), if Bool aws:MultiFactorAuthPresent = true.
            at aws/111122223333/account-authorization-details.json:7
            A severity high → medium: it leads to more privilege, not to full control
            A severity medium → low: it needs something to exist that the account's description does not show
            A severity low → medium: an AI agent uses it
            D not shown by the account's description: a function that runs as `strong`
        "#);
    }
}
