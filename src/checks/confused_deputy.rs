//! Resources and roles that let in a service of AWS on behalf of anybody.

use super::rating::Rating;
use super::subject::{
    capitalised, full_name, identity_name, list, places, power, provider_managed,
};
use super::trusted::{grouped, ways_in};
use super::{Check, CheckContext};
use crate::model::{ExposedTo, FindingBuilder, Grade, Identity, PrincipalKind, TrustPath};
use crate::rules::posture::CheckMeta;

/// A policy of a resource, or of who may assume a role, names a service that says for whom it works, and does not ask.
pub(super) struct ConfusedDeputy;

impl Check for ConfusedDeputy {
    fn id(&self) -> &'static str {
        "confused-deputy"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        let open = context.inventory.exposures.iter();
        for way in open.filter(|way| way.to == ExposedTo::Service) {
            let mut rating = Rating::of(meta);
            if !way.writes {
                rating.lower(Grade::A, "the service may only read");
            }
            rating.note(
                Grade::A,
                format!(
                    "{} lets in {} for {}",
                    way.statement,
                    way.principal,
                    list(&way.actions)
                ),
            );
            let name = way.arn.splitn(6, ':').nth(5).unwrap_or(&way.arn);
            out.push(
                context
                    .finding(meta, rating, None, None)
                    .discriminator(format!("{} {} {}", way.arn, way.principal, way.statement))
                    .text(
                        format!("{name} trusts {} whoever it works for", way.principal),
                        format!(
                            "The policy of {} in account {} lets in {} without asking for which account or resource: \
                             anyone who can point that service at it uses it.",
                            way.arn, way.account, way.principal
                        ),
                    )
                    .locations(vec![way.location.clone().naming(&way.arn)]),
            );
        }
        for identity in context.inventory.identities.values() {
            if provider_managed(identity) {
                continue;
            }
            let unasked = ways_in(identity).filter(|path| {
                path.principal_kind == PrincipalKind::Service
                    && meta.words("roles").contains(&path.principal)
                    && !asks(path)
            });
            for (service, _) in grouped(unasked, |path| path.principal.clone()) {
                out.push(of_role(context, meta, identity, &service));
            }
        }
    }
}

/// Whether a statement asks for whom the service works.
fn asks(path: &TrustPath) -> bool {
    path.external_id
        || path.conditions.iter().any(|words| {
            let words = words.to_ascii_lowercase();
            ["aws:sourcearn", "aws:sourceaccount", "aws:sourceorg"]
                .iter()
                .any(|key| words.contains(key))
        })
}

fn of_role(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    identity: &Identity,
    service: &str,
) -> FindingBuilder {
    let mut rating = Rating::of(meta);
    let power = power(Some(identity), None);
    if power.tier < Some(4) {
        rating.lower(
            power.grade,
            "a role is handed to services of its own account only, and this one is no administrator's",
        );
    }
    rating.note(
        identity.grade,
        format!("its trust policy lets in {service} without aws:SourceArn or aws:SourceAccount"),
    );
    context
        .finding(meta, rating, Some(identity), None)
        .discriminator(service)
        .text(
            format!(
                "{} trusts {service} whoever it works for",
                capitalised(&identity_name(identity))
            ),
            format!(
                "{} lets in {service} without asking for which account or resource it works.",
                capitalised(&full_name(identity))
            ),
        )
        .locations(places(identity))
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("confused-deputy"), @r#"
        fires-by-access
          medium (high): jobs trusts s3.amazonaws.com whoever it works for
            The policy of arn:aws:sqs:eu-west-1:111122223333:jobs in account 111122223333 lets in s3.amazonaws.com without asking for which account or resource: anyone who can point that service at it uses it.
            at aws/111122223333/policies.json:3
            A statement 1 lets in s3.amazonaws.com for sqs:SendMessage
          low (high): logs trusts config.amazonaws.com whoever it works for
            The policy of arn:aws:s3:::logs in account 111122223333 lets in config.amazonaws.com without asking for which account or resource: anyone who can point that service at it uses it.
            at aws/111122223333/policies.json:3
            A severity medium → low: the service may only read
            A statement 1 lets in config.amazonaws.com for s3:GetBucketAcl
        fires-by-role
          medium (high): IAM role builder trusts codebuild.amazonaws.com whoever it works for
            IAM role builder of account 111122223333 lets in codebuild.amazonaws.com without asking for which account or resource it works.
            at aws/111122223333/account-authorization-details.json:7
            A its trust policy lets in codebuild.amazonaws.com without aws:SourceArn or aws:SourceAccount
          low (high): IAM role nightly trusts scheduler.amazonaws.com whoever it works for
            IAM role nightly of account 111122223333 lets in scheduler.amazonaws.com without asking for which account or resource it works.
            at aws/111122223333/account-authorization-details.json:7
            A severity medium → low: a role is handed to services of its own account only, and this one is no administrator's
            A its trust policy lets in scheduler.amazonaws.com without aws:SourceArn or aws:SourceAccount
        "#);
    }
}
