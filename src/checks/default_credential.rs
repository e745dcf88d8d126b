//! Logins that a product comes with, left as they were.

use super::rating::Rating;
use super::subject::{capitalised, list};
use super::{Check, CheckContext, consumers};
use crate::model::{Confidence, Consumer, FindingBuilder, Severity};
use crate::rules::posture::CheckMeta;

/// A setting that holds the name and password its product is published with.
pub(super) struct DefaultCredential;

impl Check for DefaultCredential {
    fn id(&self) -> &'static str {
        "default-credential"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        let readers = meta.words("readers");
        for credential in context.inventory.credentials.values() {
            let found = credential
                .sightings
                .iter()
                .any(|seen| seen.at_head && readers.contains(&seen.rule));
            if !found {
                continue;
            }
            let users: Vec<&Consumer> = context
                .inventory
                .consumers_of(&credential.consumers)
                .collect();
            let identity = context.inventory.identity_of(credential);
            let mut rating = Rating::of(meta);
            rating.no_surer(credential.confidence);
            rating.note(credential.grade, credential.confidence_reason.as_str());
            if credential.confidence == Confidence::Low {
                rating.at_most(
                    Severity::Low,
                    credential.grade,
                    "the place is no deployment of its own",
                );
            } else if let Some(tier @ 4..) = credential.default_tier {
                rating.raise(
                    credential.grade,
                    &format!("who signs in with it has tier {tier} in the product"),
                );
            }
            let whose = if users.is_empty() {
                String::new()
            } else {
                format!(" {} takes it.", list(&consumers::names(&users)))
            };
            let reason = capitalised(&credential.confidence_reason);
            let message = format!(
                "{reason}: nobody has to find it, whoever reaches the port is in.{whose} Set one of your own, that \
                 comes from a store, before the product is reachable.",
            );
            out.push(
                context
                    .finding(meta, rating, identity, Some(credential))
                    .text(title(&credential.provider), message)
                    .locations(consumers::all_places(credential, &[])),
            );
        }
    }
}

fn title(provider: &str) -> String {
    if provider == "generic" {
        "Default login in settings".to_owned()
    } else {
        format!("Default login of {provider}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("default-credential"), @"
        fires-default
          low (low): Default login of rancher
            The login that Rancher is published with, in a test: nobody has to find it, whoever reaches the port is in. Set one of your own, that comes from a store, before the product is reachable.
            at site/tests/values.yaml:9
            B the login that Rancher is published with, in a test
            B severity medium → low: the place is no deployment of its own
          medium (high): Default login of postgresql
            The login of postgres that PostgreSQL is published with: nobody has to find it, whoever reaches the port is in. db of site takes it. Set one of your own, that comes from a store, before the product is reachable.
            at site/deploy/docker-compose.yml:6
            B the login of postgres that PostgreSQL is published with
          high (high): Default login of rancher
            The login that Rancher is published with: nobody has to find it, whoever reaches the port is in. Set one of your own, that comes from a store, before the product is reachable.
            at site/chart/values.yaml:9
            B the login that Rancher is published with
            B severity medium → high: who signs in with it has tier 5 in the product
        ");
    }
}
