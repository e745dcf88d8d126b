//! Third parties that hold, or can read, a key that does not end.

use super::rating::Rating;
use super::subject::{capitalised, credential_name, full_name, list, may_be_live, places, power};
use super::{Check, CheckContext, consumers, naming};
use crate::model::{
    Confidence, Consumer, ConsumerClass, Credential, FindingBuilder, Grade, Identity, IdentityKind,
};
use crate::rules::posture::CheckMeta;
use std::collections::BTreeSet;

/// A user made for a vendor that has a live key, and a key in a CI job beside a third party's code that can change.
pub(super) struct ThirdPartyStaticCredential;

impl Check for ThirdPartyStaticCredential {
    fn id(&self) -> &'static str {
        "third-party-static-credential"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for credential in context.inventory.credentials.values() {
            if !may_be_live(credential, context.now) {
                continue;
            }
            let identity = context.inventory.identity_of(credential);
            let vendor = identity.and_then(|identity| vendor_of(meta, identity));
            if let (Some(identity), Some(vendor)) = (identity, vendor) {
                of_vendor(context, meta, (identity, credential), vendor, out);
            } else {
                beside_code(context, meta, credential, out);
            }
        }
    }
}

/// The vendor whose name a user has; words that are anything else too are not in the list.
fn vendor_of<'m>(meta: &'m CheckMeta, identity: &Identity) -> Option<&'m str> {
    if identity.kind != IdentityKind::IamUser {
        return None;
    }
    let words = naming::words_of(&identity.name);
    meta.words("vendors")
        .iter()
        .find(|vendor| words.iter().any(|word| word == *vendor))
        .map(String::as_str)
}

fn of_vendor(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    (identity, credential): (&Identity, &Credential),
    vendor: &str,
    out: &mut Vec<FindingBuilder>,
) {
    let mut rating = Rating::of(meta);
    rating.note(Grade::D, format!("its name says `{vendor}`"));
    rating.no_surer(Confidence::Medium);
    rate(&mut rating, Some(identity), credential);
    let name = capitalised(&credential_name(credential));
    let message = format!(
        "{} seems to be {}'s way in, and {name} works for as long as nobody revokes it, from wherever the \
         vendor keeps it. A role that the vendor assumes with an external id needs no key.",
        capitalised(&full_name(identity)),
        capitalised(vendor),
    );
    out.push(
        context
            .finding(meta, rating, Some(identity), Some(credential))
            .text(format!("{} holds {name}", capitalised(vendor)), message)
            .locations(places(identity)),
    );
}

fn beside_code(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    credential: &Credential,
    out: &mut Vec<FindingBuilder>,
) {
    if meta.words("harmless").contains(&credential.kind) {
        return;
    }
    let foreign = |consumer: &&Consumer| {
        consumer
            .risks
            .iter()
            .any(|risk| risk.starts_with("unpinned "))
    };
    let jobs: Vec<&Consumer> = consumers::of_class(context, credential, ConsumerClass::Ci)
        .into_iter()
        .filter(foreign)
        .collect();
    let at = consumers::places(&jobs);
    if at.is_empty() {
        return;
    }
    let code: BTreeSet<&str> = jobs
        .iter()
        .flat_map(|job| &job.risks)
        .filter_map(|risk| risk.strip_prefix("unpinned "))
        .collect();
    let code: Vec<&str> = code.into_iter().collect();
    let identity = context.inventory.identity_of(credential);
    let mut rating = Rating::of(meta);
    for each in &code {
        rating.note(Grade::B, format!("unpinned {each}"));
    }
    rate(&mut rating, identity, credential);
    let name = capitalised(&credential_name(credential));
    let message = format!(
        "{name} is in {}, which also run{} {}: whoever can move that tag or branch can read it. Pin the code to a \
         commit, or give the job a credential that ends with it.",
        list(&consumers::names(&jobs)),
        if jobs.len() == 1 { "s" } else { "" },
        list(&code),
    );
    out.push(
        context
            .finding(meta, rating, identity, Some(credential))
            .discriminator("code")
            .text(format!("{name} beside unpinned third-party code"), message)
            .locations(at),
    );
}

fn rate(rating: &mut Rating, identity: Option<&Identity>, credential: &Credential) {
    let power = power(identity, Some(credential));
    rating.weigh("the holder", &power);
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("third-party-static-credential"), @"
        fires-named-and-beside
          medium (medium): Datadog holds AWS access key AKIA-VENDOR
            IAM user datadog-integration of account 111122223333 seems to be Datadog's way in, and AWS access key AKIA-VENDOR works for as long as nobody revokes it, from wherever the vendor keeps it. A role that the vendor assumes with an external id needs no key.
            at aws/111122223333/account-authorization-details.json:7
            D its name says `datadog`
          high (high): Npm token NPM_TOKEN beside unpinned third-party code
            Npm token NPM_TOKEN is in release.yml/publish of site, which also runs action acme/publish@v1: whoever can move that tag or branch can read it. Pin the code to a commit, or give the job a credential that ends with it.
            at site/.github/workflows/deploy.yml:20
            B unpinned action acme/publish@v1
            D severity medium → high: the holder is able to escalate or to reach secret stores
        ");
    }
}
