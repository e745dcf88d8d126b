//! Resources whose own policy lets in anyone, or strangers.

use super::rating::Rating;
use super::subject::{list, plural};
use super::{Check, CheckContext};
use crate::model::{
    Confidence, ExposedTo, FindingBuilder, Grade, Location, ResourceExposure, Severity,
};
use crate::rules::posture::CheckMeta;
use std::collections::BTreeMap;

/// Anyone, or an account that is not one's own, is let in by the policy of a resource. One finding for each resource.
pub(super) struct PublicResource;

impl Check for PublicResource {
    fn id(&self) -> &'static str {
        "public-resource"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        let mut by_resource: BTreeMap<&str, Vec<&ResourceExposure>> = BTreeMap::new();
        for open in &context.inventory.exposures {
            if open.to != ExposedTo::Service {
                by_resource.entry(&open.arn).or_default().push(open);
            }
        }
        for (arn, ways) in by_resource {
            out.push(finding(context, meta, arn, &ways));
        }
    }
}

fn finding(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    arn: &str,
    ways: &[&ResourceExposure],
) -> FindingBuilder {
    let mut rating = Rating::of(meta);
    let anyone = ways.iter().any(|way| way.to == ExposedTo::Anyone);
    let writes = ways
        .iter()
        .any(|way| way.writes && (way.to == ExposedTo::Anyone || !anyone));
    if anyone && writes {
        rating.raise(Grade::A, "anyone may change it");
    } else if !anyone {
        rating.at_most(
            if writes {
                Severity::Medium
            } else {
                Severity::Low
            },
            Grade::A,
            "a certain account is let in, not everyone",
        );
        if ways.iter().all(|way| way.vendor.is_some()) {
            rating.lower(Grade::A, "the account belongs to a known vendor");
        }
    }
    if anyone
        && ways
            .iter()
            .filter(|way| way.to == ExposedTo::Anyone)
            .all(|way| !way.conditions.is_empty())
    {
        rating.lower(Grade::A, "conditions narrow from where or how");
    }
    let unblocked = ways.iter().all(|way| way.unblocked);
    if arn.starts_with("arn:aws:s3:::") && !unblocked {
        // Block of public access is not part of a bucket's policy.
        rating.no_surer(Confidence::Medium);
    }
    for way in ways {
        let conditions = if way.conditions.is_empty() {
            String::new()
        } else {
            format!(" (if {})", way.conditions.join(" and "))
        };
        rating.note(
            Grade::A,
            format!(
                "{} lets in {} for {}{conditions}",
                way.statement,
                way.principal,
                list(&way.actions)
            ),
        );
    }
    let who = if anyone {
        "anyone".to_owned()
    } else {
        let mut names: Vec<&str> = ways
            .iter()
            .map(|way| way.vendor.as_deref().unwrap_or(&way.principal))
            .collect();
        names.sort_unstable();
        names.dedup();
        list(&names)
    };
    let name = arn.splitn(6, ':').nth(5).unwrap_or(arn);
    let service = arn.split(':').nth(2).unwrap_or_default();
    let account = ways.first().map_or("", |way| way.account.as_str());
    let mut at: Vec<Location> = ways
        .iter()
        .map(|way| way.location.clone().naming(arn))
        .collect();
    at.sort();
    at.dedup();
    let block = if service == "s3" && anyone && unblocked {
        " Neither the bucket nor the account blocks public access."
    } else if service == "s3" && anyone {
        " A block of public access, of the bucket or the account, would keep them out; it is not in the input."
    } else {
        ""
    };
    context
        .finding(meta, rating, None, None)
        .discriminator(arn)
        .text(
            format!("{service} {name} lets in {who}"),
            format!(
                "The policy of {arn} in account {account} lets in {who}, by {}.{block}",
                plural(ways.len() as i64, "statement")
            ),
        )
        .locations(at)
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("public-resource"), @r#"
        fires-by-whom
          low (high): kms key/1 lets in arn:aws:iam::999988887777:root
            The policy of arn:aws:kms:eu-west-1:111122223333:key/1 in account 111122223333 lets in arn:aws:iam::999988887777:root, by 1 statement.
            at aws/111122223333/policies.json:3
            A severity high → low: a certain account is let in, not everyone
            A statement 1 lets in arn:aws:iam::999988887777:root for kms:Decrypt
          medium (medium): s3 public-site lets in anyone
            The policy of arn:aws:s3:::public-site in account 111122223333 lets in anyone, by 1 statement. A block of public access, of the bucket or the account, would keep them out; it is not in the input.
            at aws/111122223333/policies.json:3
            A severity high → medium: conditions narrow from where or how
            A statement 1 lets in * for s3:GetObject (if IpAddress aws:SourceIp = 198.51.100.0/24)
          low (high): sns events lets in Datadog
            The policy of arn:aws:sns:eu-west-1:111122223333:events in account 111122223333 lets in Datadog, by 1 statement.
            at aws/111122223333/policies.json:3
            A severity high → medium: a certain account is let in, not everyone
            A severity medium → low: the account belongs to a known vendor
            A statement 1 lets in arn:aws:iam::464622532012:root for sns:Publish
          critical (high): sqs jobs lets in anyone
            The policy of arn:aws:sqs:eu-west-1:111122223333:jobs in account 111122223333 lets in anyone, by 1 statement.
            at aws/111122223333/policies.json:3
            A severity high → critical: anyone may change it
            A statement 1 lets in * for sqs:*
        "#);
    }
}
