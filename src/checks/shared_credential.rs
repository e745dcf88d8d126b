//! One credential that several consumers use.

use super::rating::Rating;
use super::subject::{capitalised, credential_name, list, may_be_live, power};
use super::uses::{consumers, path_of, places, repositories_with_copy};
use super::{Check, CheckContext};
use crate::model::{
    Confidence, ConsumerClass, Credential, CredentialStatus, FindingBuilder, Grade,
};
use crate::rules::posture::CheckMeta;
use std::collections::BTreeSet;

/// Type of what is named without telling what it is.
const UNTOLD: &str = "secret";

/// A credential behind several pipelines or workloads, or with copies in several repositories.
pub(super) struct SharedCredential;

impl Check for SharedCredential {
    fn id(&self) -> &'static str {
        "shared-credential"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for credential in context.inventory.credentials.values() {
            if credential.status == CredentialStatus::Inactive
                || !may_be_live(credential, context.now)
                || credential.confidence == Confidence::Low
            {
                continue;
            }
            let mut users = consumers(context, credential);
            // What another of them runs as part of itself is no second user.
            let run: BTreeSet<&String> = users.iter().flat_map(|one| &one.uses.runs).collect();
            let mut alone = users.clone();
            alone.retain(|one| {
                let file = one.location.as_ref().map(|location| {
                    format!(
                        "{}/{}",
                        location.repository.as_deref().unwrap_or_default(),
                        location.uri
                    )
                });
                !file.is_some_and(|file| run.contains(&file))
            });
            if !alone.is_empty() {
                users = alone;
            }
            // A bundle that parts of one application mount may hold anything, such as the key of the peer they talk to.
            let bundle = credential.kind == UNTOLD
                && credential.fingerprint.is_none()
                && !users.iter().any(|one| one.class == ConsumerClass::Ci);
            if bundle {
                continue;
            }
            let paths: BTreeSet<String> = users.iter().map(|one| path_of(one)).collect();
            let copies = repositories_with_copy(credential);
            if paths.len() < context.thresholds.shared_consumers && copies.len() < 2 {
                continue;
            }
            let repositories: BTreeSet<&str> = users
                .iter()
                .filter_map(|one| one.repository.as_deref())
                .chain(copies.iter().copied())
                .collect();
            let runtimes: BTreeSet<&str> = users.iter().map(|one| one.runtime.as_str()).collect();
            let wide = repositories.len() > 1 || runtimes.len() > 1;
            out.extend(finding(context, meta, credential, &paths, &copies, wide));
        }
    }
}

fn finding(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    credential: &Credential,
    paths: &BTreeSet<String>,
    copies: &BTreeSet<&str>,
    wide: bool,
) -> Option<FindingBuilder> {
    let holder = context.inventory.identity_of(credential);
    let mut rating = Rating::of(meta);
    let paths: Vec<&String> = paths.iter().collect();
    let copies: Vec<&str> = copies.iter().copied().collect();
    if !paths.is_empty() {
        rating.note(Grade::B, format!("used by {}", list(&paths)));
    }
    if copies.len() > 1 {
        rating.note(
            credential.grade,
            format!(
                "the same secret, by its fingerprint, stands in {}",
                list(&copies)
            ),
        );
    }
    if wide {
        rating.raise(Grade::B, "they are of several repositories or platforms");
    }
    let power = power(holder, Some(credential));
    rating.raise_for("the holder", &power);
    if credential.confidence != Confidence::High {
        rating.no_surer(Confidence::Medium);
    }
    let name = credential_name(credential);
    let who = if paths.len() >= context.thresholds.shared_consumers {
        list(&paths)
    } else {
        format!("the repositories {}", list(&copies))
    };
    let title = format!("{} is shared", capitalised(&name));
    let message = format!(
        "{} is one credential for {who}. Nobody can tell which of them acted, and none can be moved or revoked alone.",
        capitalised(&name)
    );
    let places = places(context, credential);
    (!places.is_empty()).then(|| {
        context
            .finding(meta, rating, holder, Some(credential))
            .text(title, message)
            .locations(places)
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("shared-credential"), @r#"
        fires-several-consumers
          medium (high): Stripe secret key is shared
            Stripe secret key is one credential for the repositories shop and site. Nobody can tell which of them acted, and none can be moved or revoked alone.
            at shop/b.env:1, site/a.env:1
            A the same secret, by its fingerprint, stands in shop and site
            B severity low → medium: they are of several repositories or platforms
          high (high): AWS access key AKIA-CI is shared
            AWS access key AKIA-CI is one credential for shop: deploy.yml and site: deploy.yml. Nobody can tell which of them acted, and none can be moved or revoked alone.
            at shop/.github/workflows/deploy.yml:8, site/.github/workflows/deploy.yml:20
            B used by shop: deploy.yml and site: deploy.yml
            B severity low → medium: they are of several repositories or platforms
            A severity medium → high: the holder is able to escalate or to reach secret stores
          low (high): Npm token npm is shared
            Npm token npm is one credential for site: a.yml and site: b.yml. Nobody can tell which of them acted, and none can be moved or revoked alone.
            at site/.github/workflows/a.yml:3, site/.github/workflows/b.yml:3
            B used by site: a.yml and site: b.yml
        "#);
    }
}
