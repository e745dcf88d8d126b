//! CI jobs that sign in to a cloud with a stored key.

use super::rating::Rating;
use super::subject::{capitalised, credential_name, full_name, list, may_be_live, power};
use super::{Check, CheckContext, consumers};
use crate::model::{
    Confidence, ConsumerClass, Credential, Environment, Federation, FindingBuilder, Grade, Storage,
};
use crate::rules::posture::CheckMeta;

/// A static credential of a cloud that a CI job uses, one finding a credential. Keys that stand in a file belong to
/// `leaked-secret` as well: there the copy is the fault, here that there is a key at all.
pub(super) struct CiStaticCloudCredential;

impl Check for CiStaticCloudCredential {
    fn id(&self) -> &'static str {
        "ci-static-cloud-credential"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for credential in context.inventory.credentials.values() {
            if !is_static(meta, credential) || !may_be_live(credential, context.now) {
                continue;
            }
            let jobs = consumers::of_class(context, credential, ConsumerClass::Ci);
            let at = consumers::places(&jobs);
            if at.is_empty() {
                continue;
            }
            let identity = context.inventory.identity_of(credential);
            let mut rating = Rating::of(meta);
            rating.note(credential.grade, credential.confidence_reason.as_str());
            if let Some(join) = consumers::join(credential) {
                rating.cite(std::slice::from_ref(join));
            }
            if credential.reference.is_some() && identity.is_none() {
                rating.no_surer(Confidence::Medium);
            }
            let power = power(identity, Some(credential));
            rating.weigh("the holder", &power);
            let production = identity.is_some_and(|i| i.environment == Environment::Production)
                || jobs.iter().any(|job| {
                    job.identity
                        .as_ref()
                        .and_then(|id| context.inventory.identities.get(id))
                        .is_some_and(|job| job.environment == Environment::Production)
                });
            if production && power.tier.is_none_or(|tier| tier < 4) {
                rating.raise(Grade::B, "it is used in production");
            }
            let federated = jobs
                .iter()
                .any(|job| job.federation == Federation::Configured);
            if federated {
                rating.note(
                    Grade::B,
                    "a job that uses it can already prove what it is: the key may be left over",
                );
            }
            let forks: Vec<&str> = jobs
                .iter()
                .flat_map(|job| &job.risks)
                .filter(|risk| risk.starts_with("pull_request_target"))
                .map(String::as_str)
                .collect();
            if !forks.is_empty() {
                rating.raise(
                    Grade::B,
                    "a job that uses it runs for pull requests of forks",
                );
            }
            let name = capitalised(&credential_name(credential));
            let whose = identity.map_or_else(
                || "no inventory of this scan says whom it lets in as".to_owned(),
                |identity| format!("it lets in as {}, {}", full_name(identity), power.words),
            );
            let kept = match credential.storage {
                Storage::CiStore => "kept in the CI system's store",
                Storage::Vault => "kept in a vault",
                Storage::Environment => "kept where this scan cannot see",
                Storage::NotSeen => "of which no copy was seen",
                _ => "which stands in a file",
            };
            let message = format!(
                "{} with {name}, {kept}; {whose}. The platform can prove to the cloud which job runs, so no \
                 key is needed.",
                signs_in(&consumers::names(&jobs)),
            );
            out.push(
                context
                    .finding(meta, rating, identity, Some(credential))
                    .text(format!("CI signs in with {name}"), message)
                    .locations(at),
            );
        }
    }
}

fn signs_in(names: &[String]) -> String {
    if names.len() == 1 {
        format!("CI job {} signs in", list(names))
    } else {
        format!("CI jobs {} sign in", list(names))
    }
}

fn is_static(meta: &CheckMeta, credential: &Credential) -> bool {
    meta.words("kinds").contains(&credential.kind)
        && !credential
            .public_id
            .as_deref()
            .is_some_and(|id| id.starts_with("ASIA"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("ci-static-cloud-credential"), @"
        fires-by-holder
          high (medium): CI signs in with GCP service account key GCP_SA_KEY
            CI job deploy.yml/preview of site signs in with GCP service account key GCP_SA_KEY, kept in the CI system's store; no inventory of this scan says whom it lets in as. The platform can prove to the cloud which job runs, so no key is needed.
            at site/.github/workflows/deploy.yml:40
            C named in github-actions; its value was not seen
            B severity medium → high: a job that uses it runs for pull requests of forks
          high (high): CI signs in with AWS access key AKIA-DEPLOYER
            CI job deploy.yml/deploy of site signs in with AWS access key AKIA-DEPLOYER, kept in the CI system's store; it lets in as IAM user deployer of account 111122223333, an administrator. The platform can prove to the cloud which job runs, so no key is needed.
            at site/.github/workflows/deploy.yml:20
            A the structure is that of the type
            C user deployer is tagged repository = site
            A severity medium → high: the holder is an administrator
            B a job that uses it can already prove what it is: the key may be left over
          low (high): CI signs in with AWS access key AKIA-READER
            CI job deploy.yml/deploy of site signs in with AWS access key AKIA-READER, of which no copy was seen; it lets in as IAM user reader of account 111122223333, able to list and to read metadata. The platform can prove to the cloud which job runs, so no key is needed.
            at site/.github/workflows/deploy.yml:20
            A the structure is that of the type
            A severity medium → low: the holder is able to list and to read metadata
            B a job that uses it can already prove what it is: the key may be left over
        ");
    }
}
