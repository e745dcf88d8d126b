//! Listings of IAM, all pages of them.

use super::asker::{Asker, Problem};
use super::call::Call;
use super::convert;
use serde_json::Value;

/// Entities asked for at once; AWS gives fewer if it likes.
const PAGE: i32 = 1000;
/// Most pages of one listing; a server that never ends is not believed.
const MAX_PAGES: usize = 10_000;

/// Asks for page after page: `$page` sees each answer, which says where the next one starts.
macro_rules! pages {
    ($asker:expr, $call:expr, $request:expr, $page:expr) => {{
        let mut marker: Option<String> = None;
        let mut see = $page;
        for _ in 0..MAX_PAGES {
            let page = $asker
                .ask($call, || {
                    $request.max_items(PAGE).set_marker(marker.clone()).send()
                })
                .await?;
            see(&page);
            let next = page.marker().map(str::to_owned);
            if !page.is_truncated() || next.is_none() || next == marker {
                break;
            }
            marker = next;
        }
    }};
}

/// `get-account-authorization-details`.
pub(super) async fn details(asker: &Asker<'_>) -> Result<Value, Problem> {
    let mut details = convert::Details::default();
    pages!(
        asker,
        Call::GetAccountAuthorizationDetails,
        asker.iam.get_account_authorization_details(),
        |page: &aws_sdk_iam::operation::get_account_authorization_details::GetAccountAuthorizationDetailsOutput| {
            details.add(
                page.user_detail_list(),
                page.group_detail_list(),
                page.role_detail_list(),
                page.policies(),
            );
        }
    );
    Ok(details.done())
}

/// One function for a listing whose answers hold one list.
macro_rules! listing {
    ($(#[$doc:meta])* $name:ident, $call:ident, $operation:ident, $output:path, $list:ident, $convert:ident $(, $user:ident)?) => {
        $(#[$doc])*
        pub(super) async fn $name(asker: &Asker<'_> $(, $user: &str)?) -> Result<Value, Problem> {
            let mut all = Vec::new();
            pages!(
                asker,
                Call::$call,
                asker.iam.$operation()$(.user_name($user))?,
                |page: &$output| all.extend_from_slice(page.$list())
            );
            Ok(convert::$convert($($user,)? &all))
        }
    };
}

use aws_sdk_iam::operation as op;

listing!(
    /// `list-roles`.
    roles, ListRoles, list_roles, op::list_roles::ListRolesOutput, roles, roles
);
listing!(
    /// `list-users`.
    users, ListUsers, list_users, op::list_users::ListUsersOutput, users, users
);
listing!(
    /// `list-account-aliases`.
    aliases, ListAccountAliases, list_account_aliases,
    op::list_account_aliases::ListAccountAliasesOutput, account_aliases, aliases
);
listing!(
    /// `list-virtual-mfa-devices`.
    virtual_devices, ListVirtualMfaDevices, list_virtual_mfa_devices,
    op::list_virtual_mfa_devices::ListVirtualMfaDevicesOutput, virtual_mfa_devices, virtual_devices
);
listing!(
    /// `list-server-certificates`.
    server_certificates, ListServerCertificates, list_server_certificates,
    op::list_server_certificates::ListServerCertificatesOutput, server_certificate_metadata_list, server_certificates
);
listing!(
    /// `list-access-keys`.
    access_keys, ListAccessKeys, list_access_keys,
    op::list_access_keys::ListAccessKeysOutput, access_key_metadata, access_keys, user
);
listing!(
    /// `list-mfa-devices`.
    mfa_devices, ListMfaDevices, list_mfa_devices,
    op::list_mfa_devices::ListMfaDevicesOutput, mfa_devices, mfa_devices, user
);
listing!(
    /// `list-service-specific-credentials`.
    service_credentials, ListServiceSpecificCredentials, list_service_specific_credentials,
    op::list_service_specific_credentials::ListServiceSpecificCredentialsOutput,
    service_specific_credentials, service_credentials, user
);
listing!(
    /// `list-ssh-public-keys`.
    ssh_keys, ListSshPublicKeys, list_ssh_public_keys,
    op::list_ssh_public_keys::ListSshPublicKeysOutput, ssh_public_keys, ssh_keys, user
);
listing!(
    /// `list-signing-certificates`.
    signing_certificates, ListSigningCertificates, list_signing_certificates,
    op::list_signing_certificates::ListSigningCertificatesOutput, certificates, signing_certificates, user
);
