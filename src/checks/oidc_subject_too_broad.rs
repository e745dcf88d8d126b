//! Roles that too many tokens of an OIDC issuer may assume.

use super::rating::Rating;
use super::subject::{
    capitalised, full_name, identity_name, list, places, power, provider_managed,
};
use super::trusted::{grouped, ways_in};
use super::{Check, CheckContext};
use crate::iam::{Breadth, subject_breadth};
use crate::model::{FindingBuilder, Identity, PrincipalKind, Severity, TrustPath};
use crate::rules::posture::CheckMeta;

/// A trust in an OIDC issuer that requires no subject, a subject more than one context has, or no audience.
///
/// At an issuer that many organisations share, a missing subject admits everybody; at an issuer of one's own (a
/// cluster, a tenant) it admits everything there. A trust that narrows the caller by another claim than the subject has
/// its subject question answered and is not reported for the missing `sub`.
pub(super) struct OidcSubjectTooBroad;

impl Check for OidcSubjectTooBroad {
    fn id(&self) -> &'static str {
        "oidc-subject-too-broad"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for identity in context.inventory.identities.values() {
            if provider_managed(identity) {
                continue;
            }
            let federated =
                ways_in(identity).filter(|path| path.principal_kind == PrincipalKind::Oidc);
            for (key, paths) in grouped(federated, key) {
                out.extend(finding(context, meta, identity, &key, &paths));
            }
        }
    }
}

fn issuer(path: &TrustPath) -> &str {
    path.issuer.as_deref().unwrap_or(&path.principal)
}

fn key(path: &TrustPath) -> String {
    let mut subjects = path.subjects.clone();
    subjects.sort();
    format!("{} {}", issuer(path), subjects.join(" "))
}

/// How much a path admits, and whether the issuer signs for many organisations.
fn breadth(meta: &CheckMeta, path: &TrustPath) -> (Breadth, bool) {
    let issuer = issuer(path).trim_end_matches('/');
    let named = |list: &str| meta.words(list).iter().any(|known| known == issuer);
    let shared = named("shared_issuers");
    let widest = path
        .subjects
        .iter()
        .map(|subject| subject_breadth(issuer, subject))
        .max();
    let breadth = match widest {
        // Another condition names the caller, whatever the subject pattern admits.
        _ if path.coverage.subject => Breadth::Exact,
        Some(breadth) => breadth,
        None if named("audience_only_issuers") => Breadth::Exact,
        None => Breadth::Anyone,
    };
    if breadth == Breadth::Anyone && !shared {
        return (Breadth::Organisation, shared);
    }
    (breadth, shared)
}

fn finding(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    identity: &Identity,
    key: &str,
    paths: &[&TrustPath],
) -> Option<FindingBuilder> {
    let first = paths.first()?;
    let issuer = issuer(first);
    let (widest, _) = paths.iter().map(|path| breadth(meta, path)).max()?;
    let no_audience = paths.iter().any(|path| path.audiences.is_empty());
    if widest == Breadth::Exact && !no_audience {
        return None;
    }
    let mut rating = Rating::of(meta);
    let grade = identity.grade;
    let who = match widest {
        Breadth::Anyone => {
            rating.at_least(
                Severity::Critical,
                grade,
                "everybody the issuer signs for gets in",
            );
            format!("anyone for whom {issuer} signs tokens")
        }
        Breadth::Organisation if first.subjects.is_empty() => {
            format!("everything for which {issuer} signs tokens")
        }
        Breadth::Organisation => "every job of a whole organisation or cluster".to_owned(),
        Breadth::Project => {
            rating.at_most(Severity::Medium, grade, "one project, but anything in it");
            "every job of one project: any branch, any pull request".to_owned()
        }
        Breadth::Exact => {
            rating.at_most(Severity::Low, grade, "only the audience is missing");
            "tokens that were issued for another audience".to_owned()
        }
    };
    let power = power(Some(identity), None);
    if power.tier >= Some(4) {
        rating.raise(
            power.grade,
            &format!("whoever assumes it is {}", power.words),
        );
    }
    let subjects = if first.subjects.is_empty() {
        "requires no subject".to_owned()
    } else {
        format!("requires the subject {}", list(&first.subjects))
    };
    let audience = if no_audience { " and no audience" } else { "" };
    let fault = if widest == Breadth::Exact {
        "requires no audience".to_owned()
    } else {
        format!("lets in {who}")
    };
    let title = format!("{} {fault}", capitalised(&identity_name(identity)));
    let message = format!(
        "{} trusts {issuer} and {subjects}{audience}: it lets in {who}, and whoever assumes it is {}.",
        capitalised(&full_name(identity)),
        power.words
    );
    Some(
        context
            .finding(meta, rating, Some(identity), None)
            .discriminator(key)
            .text(title, message)
            .locations(places(identity)),
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("oidc-subject-too-broad"), @r#"
        fires-by-breadth
          medium (high): IAM role project lets in every job of one project: any branch, any pull request
            IAM role project of account 111122223333 trusts token.actions.githubusercontent.com and requires the subject repo:example/site:*: it lets in every job of one project: any branch, any pull request, and whoever assumes it is able to write at service level.
            at aws/111122223333/account-authorization-details.json:7
            A severity high → medium: one project, but anything in it
          critical (high): IAM role organisation lets in every job of a whole organisation or cluster
            IAM role organisation of account 111122223333 trusts token.actions.githubusercontent.com and requires the subject repo:example/*: it lets in every job of a whole organisation or cluster, and whoever assumes it is an administrator.
            at aws/111122223333/account-authorization-details.json:7
            A severity high → critical: whoever assumes it is an administrator
          low (high): IAM role no-audience requires no audience
            IAM role no-audience of account 111122223333 trusts token.actions.githubusercontent.com and requires the subject repo:example/site:environment:production and no audience: it lets in tokens that were issued for another audience, and whoever assumes it is able to read or write one resource's data.
            at aws/111122223333/account-authorization-details.json:7
            A severity high → low: only the audience is missing
          critical (high): IAM role anyone lets in anyone for whom token.actions.githubusercontent.com signs tokens
            IAM role anyone of account 111122223333 trusts token.actions.githubusercontent.com and requires no subject: it lets in anyone for whom token.actions.githubusercontent.com signs tokens, and whoever assumes it is able to write at service level.
            at aws/111122223333/account-authorization-details.json:7
            A severity high → critical: everybody the issuer signs for gets in
          high (high): IAM role cluster lets in everything for which oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE signs tokens
            IAM role cluster of account 111122223333 trusts oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE and requires no subject: it lets in everything for which oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE signs tokens, and whoever assumes it is able to read or write one resource's data.
            at aws/111122223333/account-authorization-details.json:7
        "#);
    }
}
