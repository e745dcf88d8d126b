//! Resources that let in a service of AWS on behalf of anybody.

use super::rating::Rating;
use super::subject::list;
use super::{Check, CheckContext};
use crate::model::{ExposedTo, FindingBuilder, Grade};
use crate::rules::posture::CheckMeta;

/// A policy of a resource names a service that says for whom it works, and does not ask.
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
    }
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
        "#);
    }
}
