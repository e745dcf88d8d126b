//! Says which exports an account lacks, what adds them, and what the report loses without them.

use super::SOURCE;
use crate::model::aws::AwsAccount;
use crate::model::{Coverage, CoverageStatus};

/// Adds one entry for the account as a whole and one for every missing part.
pub(super) fn note(account: &AwsAccount, coverage: &mut Vec<Coverage>) {
    let unit = format!("aws/{}", account.account_id);
    let parts = account.parts;
    let mut add = |status, reason: String| {
        coverage.push(Coverage::new(SOURCE, unit.as_str(), status, reason));
    };
    add(
        CoverageStatus::Read,
        format!(
            "{} users, {} groups, {} roles, {} managed policies",
            account.users.len(),
            account.groups.len(),
            account.roles.len(),
            account.policies.len()
        ),
    );
    if let Some(caller) = &account.caller {
        add(
            CoverageStatus::Read,
            format!("read with the credentials of {caller}"),
        );
    }
    if account.account_id.starts_with("unknown") {
        add(
            CoverageStatus::Absent,
            "no ARN names the account: add the output of `aws sts get-caller-identity`, or name the folder by the account id; without it, keys found in code cannot be joined to this account".to_owned(),
        );
    }
    if !parts.authorization_details {
        add(
            CoverageStatus::Partial,
            "no account authorization details: what these principals may do is unknown; add the output of `aws iam get-account-authorization-details`".to_owned(),
        );
        return;
    }
    let untold = account
        .users
        .iter()
        .filter(|user| {
            user.unique_id.is_empty() && user.inline.is_empty() && user.attached.is_empty()
        })
        .count()
        + account
            .roles
            .iter()
            .filter(|role| {
                role.unique_id.is_empty() && role.inline.is_empty() && role.attached.is_empty()
            })
            .count();
    if untold > 0 {
        add(
            CoverageStatus::Absent,
            format!(
                "{untold} principals are listed but not described by the account authorization details: what they may do is unknown; make all exports at one time, without `--filter`"
            ),
        );
    }
    if !parts.credential_report {
        add(
            CoverageStatus::Absent,
            "no credential report: console passwords, MFA and the root user are unknown; `aws iam generate-credential-report`, then `aws iam get-credential-report`".to_owned(),
        );
    }
    if !parts.access_keys {
        let some = account
            .users
            .iter()
            .flat_map(|user| &user.keys)
            .any(|key| key.key_id.is_some());
        add(
            CoverageStatus::Absent,
            if some {
                "access keys of some users only: a key found in code may belong to this account without being joined; `aws iam list-access-keys --user-name` for every user"
            } else {
                "no access key ids: keys found in code cannot be joined to their user; `aws iam list-access-keys --user-name` for every user"
            }
            .to_owned(),
        );
    }
    if !parts.key_last_used && !account.users.is_empty() {
        add(
            CoverageStatus::Absent,
            "no last use of access keys: unused keys cannot be proved; `aws iam get-access-key-last-used --access-key-id` for every key, or the credential report".to_owned(),
        );
    }
    if !parts.roles && !account.roles.is_empty() {
        add(
            CoverageStatus::Absent,
            "no role listing: how long sessions may last is unknown; `aws iam list-roles`"
                .to_owned(),
        );
    }
    let asked = account
        .users
        .iter()
        .filter(|user| user.services.is_some())
        .count()
        + account
            .roles
            .iter()
            .filter(|role| role.services.is_some())
            .count();
    let principals = account.users.len() + account.roles.len();
    if asked == 0 && principals > 0 {
        add(
            CoverageStatus::Absent,
            "no service-last-accessed details: services granted but never used are unknown; `aws iam generate-service-last-accessed-details`, then `get-service-last-accessed-details`, for every principal".to_owned(),
        );
    } else if asked < principals {
        add(
            CoverageStatus::Absent,
            format!(
                "service-last-accessed details of {asked} of {principals} principals: for the others, services granted but never used are unknown"
            ),
        );
    }
    let beside: Vec<&str> = [
        (parts.mfa_devices, "MFA devices"),
        (parts.service_credentials, "service-specific credentials"),
        (parts.ssh_keys, "SSH public keys"),
        (parts.signing_certificates, "signing certificates"),
        (parts.server_certificates, "server certificates"),
        (parts.saml_providers, "SAML providers"),
        (!account.summary.is_empty(), "the account summary"),
        (account.password_policy.is_some(), "the password policy"),
    ]
    .into_iter()
    .filter(|(delivered, _)| !delivered)
    .map(|(_, name)| name)
    .collect();
    if !beside.is_empty() {
        add(
            CoverageStatus::Absent,
            format!(
                "not delivered: {}; `overstay aws snapshot` reads them, docs/aws-snapshot.md has the commands",
                beside.join(", ")
            ),
        );
    }
    if !parts.trails {
        add(
            CoverageStatus::Absent,
            "no trails of CloudTrail: whether what privileged identities do is recorded is unknown; `aws cloudtrail describe-trails`, and `get-trail-status` and `get-event-selectors` for each".to_owned(),
        );
    }
    if !parts.oidc_providers {
        add(
            CoverageStatus::Absent,
            "no OIDC providers: whether a CI system can already sign in without a key is unknown; `aws iam list-open-id-connect-providers`, then `get-open-id-connect-provider` for each".to_owned(),
        );
    }
}
