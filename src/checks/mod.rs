//! One file per finding class, registered in one list. Pure: an inventory, data and a time in, findings out.
//!
//! A check reads the joined [`Inventory`] and its own metadata ([`CheckMeta`]: texts, first severity, framework ids,
//! word lists) and says what is wrong. It never treats missing data as bad: what is unknown raises nothing.
//!
//! To add one: a file here with its tests, its line in [`CHECKS`], `rules/posture/<id>.toml`, and cases under
//! `fixtures/checks/<id>/`. Tests hold the four together.

mod admin_or_wildcard;
mod agent_no_owner;
mod agent_shared_identity;
mod agent_standing_credential;
mod agent_unbounded_tools;
mod agents;
mod break_glass_not_isolated;
mod ci_static_cloud_credential;
mod compute_static_key;
mod confused_deputy;
mod consumers;
mod cross_environment_reuse;
mod default_credential;
mod direct_user_policy;
mod dual_path;
mod dynamic_not_short;
mod expired_or_weak_cert;
mod exposure;
mod human_use_of_nhi;
pub mod ignores;
mod insecure_auth_method;
mod jit_without_context;
mod k8s_default_sa;
mod k8s_legacy_sa_token;
mod k8s_wildcard_rbac;
mod leaked_secret;
mod leaked_secret_history;
mod long_lived_key;
mod long_session;
mod manual_revocation;
mod mcp_config_static_token;
mod multiple_active_keys;
mod naming;
mod no_expiry_credential;
mod no_owner;
mod no_rotation_evidence;
mod oidc_subject_too_broad;
mod owner_departed;
mod private_key_exposed;
mod privilege_escalation_path;
mod privileged_unlogged;
mod public_resource;
mod rating;
mod root_access_key;
mod routines;
mod secret_in_env_or_config;
mod secret_in_iac_state;
mod sensitivity_privilege_mismatch;
mod shared_credential;
mod subject;
mod temporary_that_isnt;
#[cfg(test)]
mod testing;
mod third_party_static_credential;
mod third_party_trust_no_externalid;
mod trusted;
mod unused_identity;
mod unused_permissions;
mod uses;
mod wildcard_trust;

use crate::model::{
    ConsumerClass, Coverage, Credential, Finding, FindingBuilder, FindingError, Identity, Inventory,
};
use crate::rules::config::Config;
use crate::rules::posture::{CheckMeta, Posture};
use crate::rules::scoring::Thresholds;
use jiff::Timestamp;
use rating::Rating;
use rayon::prelude::*;
use std::cmp::Reverse;

/// What every check reads.
#[derive(Clone, Copy)]
pub struct CheckContext<'a> {
    /// What was seen.
    pub inventory: &'a Inventory,
    /// What is said about the checks.
    pub posture: &'a Posture,
    /// Ages and lengths that count as long.
    pub thresholds: &'a Thresholds,
    /// What the user says about their organisation.
    pub config: &'a Config,
    /// The time every age is measured to.
    pub now: Timestamp,
}

impl CheckContext<'_> {
    /// A finding about an identity, a credential, or both, with everything but its text and place.
    fn finding(
        &self,
        meta: &CheckMeta,
        rating: Rating,
        identity: Option<&Identity>,
        credential: Option<&Credential>,
    ) -> FindingBuilder {
        let provider = identity
            .map(|identity| identity.provider.as_str())
            .or(credential.map(|credential| credential.provider.as_str()));
        let agent = identity.is_some_and(|i| i.consumer_class == ConsumerClass::Agent)
            || credential.is_some_and(|credential| {
                self.inventory
                    .consumers_of(&credential.consumers)
                    .any(|consumer| consumer.class == ConsumerClass::Agent)
            });
        let class = if agent {
            ConsumerClass::Agent
        } else {
            ConsumerClass::Unknown
        };
        let (severity, confidence, evidence) = rating.into_parts();
        FindingBuilder::new(&meta.id, severity)
            .first_called(self.posture.renames().first(&meta.id))
            .confidence(confidence)
            .identity(identity.map(|identity| &identity.id))
            .credential(credential.map(|credential| &credential.id))
            .evidence(evidence)
            .frameworks(self.posture.frameworks_for(meta, provider, class))
    }
}

/// One finding class.
pub trait Check: Sync {
    /// Kebab-case id: the rule id of its findings, the name of its metadata and of its fixtures.
    fn id(&self) -> &'static str;

    /// Adds a finding for everything that is wrong.
    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>);
}

/// Every check, by id.
pub const CHECKS: &[&dyn Check] = &[
    &admin_or_wildcard::AdminOrWildcard,
    &agent_no_owner::AgentNoOwner,
    &agent_shared_identity::AgentSharedIdentity,
    &agent_standing_credential::AgentStandingCredential,
    &agent_unbounded_tools::AgentUnboundedTools,
    &break_glass_not_isolated::BreakGlassNotIsolated,
    &ci_static_cloud_credential::CiStaticCloudCredential,
    &compute_static_key::ComputeStaticKey,
    &confused_deputy::ConfusedDeputy,
    &cross_environment_reuse::CrossEnvironmentReuse,
    &default_credential::DefaultCredential,
    &direct_user_policy::DirectUserPolicy,
    &dual_path::DualPath,
    &dynamic_not_short::DynamicNotShort,
    &expired_or_weak_cert::ExpiredOrWeakCert,
    &human_use_of_nhi::HumanUseOfNhi,
    &insecure_auth_method::InsecureAuthMethod,
    &jit_without_context::JitWithoutContext,
    &k8s_default_sa::KubernetesDefaultAccount,
    &k8s_legacy_sa_token::KubernetesLegacyToken,
    &k8s_wildcard_rbac::KubernetesWildcard,
    &leaked_secret::LeakedSecret,
    &leaked_secret_history::LeakedSecretHistory,
    &long_lived_key::LongLivedKey,
    &long_session::LongSession,
    &manual_revocation::ManualRevocation,
    &mcp_config_static_token::McpConfigStaticToken,
    &multiple_active_keys::MultipleActiveKeys,
    &no_expiry_credential::NoExpiryCredential,
    &no_owner::NoOwner,
    &no_rotation_evidence::NoRotationEvidence,
    &oidc_subject_too_broad::OidcSubjectTooBroad,
    &owner_departed::OwnerDeparted,
    &private_key_exposed::PrivateKeyExposed,
    &privilege_escalation_path::PrivilegeEscalationPath,
    &privileged_unlogged::PrivilegedUnlogged,
    &public_resource::PublicResource,
    &root_access_key::RootAccessKey,
    &secret_in_env_or_config::SecretInEnvOrConfig,
    &secret_in_iac_state::SecretInIacState,
    &sensitivity_privilege_mismatch::SensitivityPrivilegeMismatch,
    &shared_credential::SharedCredential,
    &temporary_that_isnt::TemporaryThatIsnt,
    &third_party_static_credential::ThirdPartyStaticCredential,
    &third_party_trust_no_externalid::ThirdPartyTrustNoExternalId,
    &unused_identity::UnusedIdentity,
    &unused_permissions::UnusedPermissions,
    &wildcard_trust::WildcardTrust,
];

/// Runs every check: findings most severe first, then by rule and id.
///
/// # Errors
/// When a check has no metadata or builds a finding without text or place: faults of the program, not of the input.
pub fn run(context: &CheckContext<'_>) -> Result<Vec<Finding>, FindingError> {
    let lists: Vec<Vec<Finding>> = CHECKS
        .par_iter()
        .map(|check| findings_of(*check, context))
        .collect::<Result<_, _>>()?;
    let mut findings: Vec<Finding> = lists.into_iter().flatten().collect();
    findings.sort_by(|a, b| {
        (Reverse(a.severity), &a.rule, &a.id).cmp(&(Reverse(b.severity), &b.rule, &b.id))
    });
    Ok(findings)
}

/// What could not be judged for want of something a scan may be given besides its sources.
pub fn not_judged(context: &CheckContext<'_>) -> Vec<Coverage> {
    owner_departed::not_judged(context).into_iter().collect()
}

fn findings_of(
    check: &dyn Check,
    context: &CheckContext<'_>,
) -> Result<Vec<Finding>, FindingError> {
    let meta = context
        .posture
        .check(check.id())
        .ok_or_else(|| FindingError::NoMetadata(check.id().to_owned()))?;
    let mut built = Vec::new();
    check.run(context, meta, &mut built);
    built.into_iter().map(FindingBuilder::build).collect()
}

#[cfg(test)]
mod tests {
    use super::testing::{cases, in_case};
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn checks_stand_in_order_of_their_ids() {
        assert!(CHECKS.is_sorted_by(|a, b| a.id() < b.id()));
    }

    #[test]
    fn every_check_has_a_case_that_fires_and_one_that_does_not() {
        for check in CHECKS {
            let quiet: BTreeSet<bool> = cases(check.id())
                .iter()
                .map(|(name, _)| name.starts_with("quiet-"))
                .collect();
            assert_eq!(quiet.len(), 2, "{}", check.id());
        }
    }

    #[test]
    fn findings_are_ordered_and_their_ids_unique_over_all_cases() {
        for check in CHECKS {
            for (name, text) in cases(check.id()) {
                let findings = in_case(&text, |context| run(context).unwrap());
                let ids: BTreeSet<_> = findings.iter().map(|finding| &finding.id).collect();
                assert_eq!(ids.len(), findings.len(), "{}/{name}", check.id());
                let ordered = findings.is_sorted_by(|a, b| {
                    (Reverse(a.severity), &a.rule, &a.id) < (Reverse(b.severity), &b.rule, &b.id)
                });
                assert!(ordered, "{}/{name}", check.id());
            }
        }
    }

    #[test]
    fn an_empty_inventory_has_no_findings() {
        let findings = in_case("about = \"nothing\"", |context| run(context).unwrap());
        assert_eq!(findings, []);
    }

    #[test]
    fn agents_cite_the_frameworks_for_agents_and_others_do_not() {
        let case = |class: &str| {
            let text = format!(
                "about = \"one administrator\"\n[[identity]]\nconsumer_class = \"{class}\"\n\
                 privilege = {{ tier = 5, admin = true }}\n"
            );
            let findings = in_case(&text, |context| run(context).unwrap());
            let admin = findings.into_iter().find(|f| f.rule == "admin-or-wildcard");
            admin.unwrap().frameworks
        };
        assert_eq!(case("agent")["owasp-asi"], ["ASI03", "ASI02"]);
        assert!(!case("ci").contains_key("owasp-asi"));
        assert_eq!(case("ci")["cis-aws"], ["2.14"]);
        assert!(!case("ci").contains_key("cis-kubernetes"));
    }

    #[test]
    fn a_check_without_metadata_is_a_fault() {
        let posture = Posture::of(Vec::new(), Vec::new()).unwrap();
        let error = in_case("about = \"nothing\"", |context| {
            run(&CheckContext {
                posture: &posture,
                ..*context
            })
        });
        assert!(matches!(error, Err(FindingError::NoMetadata(_))));
    }
}
