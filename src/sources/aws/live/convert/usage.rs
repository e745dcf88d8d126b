//! Who asked, the credential report, and what was used.

use super::{Fields, sorted};
use aws_sdk_iam::operation::get_credential_report::GetCredentialReportOutput;
use aws_sdk_iam::types::{
    AccessKeyLastUsed, ReportFormatType, ServiceLastAccessed, TrackedActionLastAccessed,
};
use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityOutput;
use aws_smithy_types::DateTime;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// `get-caller-identity`.
pub(in super::super) fn caller(caller: &GetCallerIdentityOutput) -> Value {
    Fields::default()
        .maybe("UserId", caller.user_id())
        .maybe("Account", caller.account())
        .maybe("Arn", caller.arn())
        .done()
}

/// `get-credential-report`.
pub(in super::super) fn credential_report(report: &GetCredentialReportOutput) -> Value {
    Fields::default()
        .maybe(
            "Content",
            report
                .content()
                .map(|content| STANDARD.encode(content.as_ref()))
                .as_deref(),
        )
        .maybe(
            "ReportFormat",
            report.report_format().map(ReportFormatType::as_str),
        )
        .time("GeneratedTime", report.generated_time())
        .done()
}

/// `get-access-key-last-used`, with the key it is about.
pub(in super::super) fn key_last_used(
    key: &str,
    user: &str,
    used: Option<&AccessKeyLastUsed>,
) -> Value {
    let inside = match used {
        Some(used) => Fields::default()
            .time("LastUsedDate", used.last_used_date())
            .text("ServiceName", used.service_name())
            .text("Region", used.region()),
        None => Fields::default(),
    };
    Fields::default()
        .text("AccessKeyId", key)
        .text("UserName", user)
        .value("AccessKeyLastUsed", inside.done())
        .done()
}

/// `get-service-last-accessed-details`, all pages, with the principal it is about.
pub(in super::super) fn last_accessed(
    arn: &str,
    completed: Option<&DateTime>,
    services: &[ServiceLastAccessed],
) -> Value {
    let services = services
        .iter()
        .map(|one| {
            let fields = Fields::default()
                .text("ServiceName", one.service_name())
                .text("ServiceNamespace", one.service_namespace())
                .time("LastAuthenticated", one.last_authenticated())
                .maybe("LastAuthenticatedEntity", one.last_authenticated_entity())
                .maybe("LastAuthenticatedRegion", one.last_authenticated_region())
                .number(
                    "TotalAuthenticatedEntities",
                    one.total_authenticated_entities(),
                );
            match one.tracked_actions_last_accessed.as_deref() {
                Some(actions) => fields
                    .list("TrackedActionsLastAccessed", actions, action)
                    .done(),
                None => fields.done(),
            }
        })
        .collect();
    Fields::default()
        .text("PrincipalArn", arn)
        .text("JobStatus", "COMPLETED")
        .text("JobType", "ACTION_LEVEL")
        .time("JobCompletionDate", completed)
        .value("ServicesLastAccessed", sorted(services, "ServiceNamespace"))
        .value("IsTruncated", false)
        .done()
}

fn action(action: &TrackedActionLastAccessed) -> Value {
    Fields::default()
        .maybe("ActionName", action.action_name())
        .maybe("LastAccessedEntity", action.last_accessed_entity())
        .time("LastAccessedTime", action.last_accessed_time())
        .maybe("LastAccessedRegion", action.last_accessed_region())
        .done()
}
