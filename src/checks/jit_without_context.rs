//! Temporary access that asks for nothing but the time.

use super::rating::Rating;
use super::subject::{
    capitalised, duration, full_name, identity_name, list, places, power, provider_managed,
};
use super::trusted::ways_in_for_callers;
use super::{Check, CheckContext};
use crate::model::{
    ConditionCoverage, FindingBuilder, Identity, IdentityKind, PrincipalKind, TrustPath,
};
use crate::rules::posture::CheckMeta;

/// A role with access that must not stand permanently, whose ways in answer fewer than two of the four questions of
/// context. A question counts only if every way in answers it. Ways in for the provider's services are left out.
pub(super) struct JitWithoutContext;

impl Check for JitWithoutContext {
    fn id(&self) -> &'static str {
        "jit-without-context"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        let needed = meta.number("questions_needed").unwrap_or_default();
        for identity in context.inventory.identities.values() {
            if identity.kind != IdentityKind::IamRole
                || provider_managed(identity)
                || identity.privilege.assumed
                || !identity.privilege.jit_required()
            {
                continue;
            }
            let paths: Vec<&TrustPath> = ways_in_for_callers(identity).collect();
            if paths.is_empty() {
                continue;
            }
            let coverage = answered_by_all(&paths);
            if i64::from(coverage.count()) < needed {
                out.push(finding(context, meta, identity, &paths, coverage));
            }
        }
    }
}

fn answered_by_all(paths: &[&TrustPath]) -> ConditionCoverage {
    let all = |answered: fn(&ConditionCoverage) -> bool| {
        paths.iter().all(|path| answered(&path.coverage))
    };
    ConditionCoverage {
        subject: all(|coverage| coverage.subject),
        origin: all(|coverage| coverage.origin),
        session: all(|coverage| coverage.session),
        resource: all(|coverage| coverage.resource),
        time: all(|coverage| coverage.time),
        environment: all(|coverage| coverage.environment),
    }
}

fn finding(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    identity: &Identity,
    paths: &[&TrustPath],
    coverage: ConditionCoverage,
) -> FindingBuilder {
    let mut rating = Rating::of(meta);
    let power = power(Some(identity), None);
    if power.tier >= Some(4) {
        rating.raise(
            power.grade,
            &format!("whoever assumes it is {}", power.words),
        );
    }
    let people = identity.human
        || paths
            .iter()
            .all(|path| path.principal_kind == PrincipalKind::Saml);
    if people {
        rating.lower(identity.grade, "people sign in through it");
    }
    let questions = [
        (coverage.subject, "which subject"),
        (coverage.origin, "from where"),
        (coverage.session, "under what session"),
        (coverage.resource, "for which resource"),
    ];
    let pick = |answered: bool| -> Vec<&str> {
        let with = questions.iter().filter(|question| question.0 == answered);
        with.map(|question| question.1).collect()
    };
    rating.note(
        identity.grade,
        format!("context questions answered: {} of 4", coverage.count()),
    );
    let asked = match pick(true).as_slice() {
        [] => "The time limit is all it asks for".to_owned(),
        asked => format!("Beside the time limit it asks only {}", list(asked)),
    };
    let mut principals: Vec<&str> = paths.iter().map(|path| path.principal.as_str()).collect();
    principals.sort_unstable();
    principals.dedup();
    let length = identity.max_session_seconds.map_or_else(
        || "for sessions of unknown length".to_owned(),
        |seconds| format!("for up to {}", duration(seconds)),
    );
    let title = format!("{} is only a timer", capitalised(&identity_name(identity)));
    let message = format!(
        "{} can be assumed by {} {length}, and whoever does is {}. {asked}: not {}.",
        capitalised(&full_name(identity)),
        list(&principals),
        power.words,
        list(&pick(false)),
    );
    context
        .finding(meta, rating, Some(identity), None)
        .text(title, message)
        .locations(places(identity))
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("jit-without-context"), @r#"
        fires-timer
          low (high): IAM role people is only a timer
            IAM role people of account 111122223333 can be assumed by arn:aws:iam::111122223333:saml-provider/sso for sessions of unknown length, and whoever does is able to write at service level. The time limit is all it asks for: not which subject, from where, under what session and for which resource.
            at aws/111122223333/account-authorization-details.json:7
            A severity medium → low: people sign in through it
            A context questions answered: 0 of 4
          medium (high): IAM role writer is only a timer
            IAM role writer of account 111122223333 can be assumed by arn:aws:iam::111122223333:role/ci and arn:aws:iam::111122223333:role/ops for sessions of unknown length, and whoever does is able to write at service level. Beside the time limit it asks only which subject: not from where, under what session and for which resource.
            at aws/111122223333/account-authorization-details.json:7
            A context questions answered: 1 of 4
          high (high): IAM role admin is only a timer
            IAM role admin of account 111122223333 can be assumed by arn:aws:iam::111122223333:root for up to 1 h, and whoever does is an administrator. The time limit is all it asks for: not which subject, from where, under what session and for which resource.
            at aws/111122223333/account-authorization-details.json:7
            A severity medium → high: whoever assumes it is an administrator
            A context questions answered: 0 of 4
        "#);
    }
}
