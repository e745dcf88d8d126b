//! Every call a collection makes, as data: the same list is what the documented policy is held against.

/// One operation of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// Who is asking.
    GetCallerIdentity,
    /// Becoming a role of another account.
    AssumeRole,
    /// Principals and policies.
    GetAccountAuthorizationDetails,
    /// Names of users, where the details are not permitted.
    ListUsers,
    /// How long sessions may last.
    ListRoles,
    /// Makes AWS compile the credential report.
    GenerateCredentialReport,
    /// The credential report.
    GetCredentialReport,
    /// The account's name.
    ListAccountAliases,
    /// Counts and quotas.
    GetAccountSummary,
    /// Rules for console passwords.
    GetAccountPasswordPolicy,
    /// OIDC providers.
    ListOpenIdConnectProviders,
    /// One OIDC provider.
    GetOpenIdConnectProvider,
    /// SAML providers.
    ListSamlProviders,
    /// One SAML provider.
    GetSamlProvider,
    /// Server certificates.
    ListServerCertificates,
    /// One server certificate; its private key never leaves AWS.
    GetServerCertificate,
    /// Virtual MFA devices.
    ListVirtualMfaDevices,
    /// Access keys of a user.
    ListAccessKeys,
    /// Last use of an access key.
    GetAccessKeyLastUsed,
    /// Whether a user has a console password.
    GetLoginProfile,
    /// MFA devices of a user.
    ListMfaDevices,
    /// Service-specific credentials of a user.
    ListServiceSpecificCredentials,
    /// SSH public keys of a user.
    ListSshPublicKeys,
    /// One SSH public key.
    GetSshPublicKey,
    /// Signing certificates of a user.
    ListSigningCertificates,
    /// Starts the job that tells what a principal used.
    GenerateServiceLastAccessedDetails,
    /// What a principal used.
    GetServiceLastAccessedDetails,
    /// The organization an account belongs to.
    DescribeOrganization,
    /// Roots.
    ListRoots,
    /// Accounts of the organization.
    ListAccounts,
    /// Units below a root or unit.
    ListOrganizationalUnitsForParent,
    /// Accounts below a root or unit.
    ListAccountsForParent,
    /// Control policies.
    ListPolicies,
    /// One control policy.
    DescribePolicy,
    /// Where a control policy is attached.
    ListTargetsForPolicy,
}

impl Call {
    /// All of them.
    pub const ALL: [Self; 35] = [
        Self::GetCallerIdentity,
        Self::AssumeRole,
        Self::GetAccountAuthorizationDetails,
        Self::ListUsers,
        Self::ListRoles,
        Self::GenerateCredentialReport,
        Self::GetCredentialReport,
        Self::ListAccountAliases,
        Self::GetAccountSummary,
        Self::GetAccountPasswordPolicy,
        Self::ListOpenIdConnectProviders,
        Self::GetOpenIdConnectProvider,
        Self::ListSamlProviders,
        Self::GetSamlProvider,
        Self::ListServerCertificates,
        Self::GetServerCertificate,
        Self::ListVirtualMfaDevices,
        Self::ListAccessKeys,
        Self::GetAccessKeyLastUsed,
        Self::GetLoginProfile,
        Self::ListMfaDevices,
        Self::ListServiceSpecificCredentials,
        Self::ListSshPublicKeys,
        Self::GetSshPublicKey,
        Self::ListSigningCertificates,
        Self::GenerateServiceLastAccessedDetails,
        Self::GetServiceLastAccessedDetails,
        Self::DescribeOrganization,
        Self::ListRoots,
        Self::ListAccounts,
        Self::ListOrganizationalUnitsForParent,
        Self::ListAccountsForParent,
        Self::ListPolicies,
        Self::DescribePolicy,
        Self::ListTargetsForPolicy,
    ];

    /// The permission it needs.
    pub const fn permission(self) -> &'static str {
        match self {
            Self::GetCallerIdentity => "sts:GetCallerIdentity",
            Self::AssumeRole => "sts:AssumeRole",
            Self::GetAccountAuthorizationDetails => "iam:GetAccountAuthorizationDetails",
            Self::ListUsers => "iam:ListUsers",
            Self::ListRoles => "iam:ListRoles",
            Self::GenerateCredentialReport => "iam:GenerateCredentialReport",
            Self::GetCredentialReport => "iam:GetCredentialReport",
            Self::ListAccountAliases => "iam:ListAccountAliases",
            Self::GetAccountSummary => "iam:GetAccountSummary",
            Self::GetAccountPasswordPolicy => "iam:GetAccountPasswordPolicy",
            Self::ListOpenIdConnectProviders => "iam:ListOpenIDConnectProviders",
            Self::GetOpenIdConnectProvider => "iam:GetOpenIDConnectProvider",
            Self::ListSamlProviders => "iam:ListSAMLProviders",
            Self::GetSamlProvider => "iam:GetSAMLProvider",
            Self::ListServerCertificates => "iam:ListServerCertificates",
            Self::GetServerCertificate => "iam:GetServerCertificate",
            Self::ListVirtualMfaDevices => "iam:ListVirtualMFADevices",
            Self::ListAccessKeys => "iam:ListAccessKeys",
            Self::GetAccessKeyLastUsed => "iam:GetAccessKeyLastUsed",
            Self::GetLoginProfile => "iam:GetLoginProfile",
            Self::ListMfaDevices => "iam:ListMFADevices",
            Self::ListServiceSpecificCredentials => "iam:ListServiceSpecificCredentials",
            Self::ListSshPublicKeys => "iam:ListSSHPublicKeys",
            Self::GetSshPublicKey => "iam:GetSSHPublicKey",
            Self::ListSigningCertificates => "iam:ListSigningCertificates",
            Self::GenerateServiceLastAccessedDetails => "iam:GenerateServiceLastAccessedDetails",
            Self::GetServiceLastAccessedDetails => "iam:GetServiceLastAccessedDetails",
            Self::DescribeOrganization => "organizations:DescribeOrganization",
            Self::ListRoots => "organizations:ListRoots",
            Self::ListAccounts => "organizations:ListAccounts",
            Self::ListOrganizationalUnitsForParent => {
                "organizations:ListOrganizationalUnitsForParent"
            }
            Self::ListAccountsForParent => "organizations:ListAccountsForParent",
            Self::ListPolicies => "organizations:ListPolicies",
            Self::DescribePolicy => "organizations:DescribePolicy",
            Self::ListTargetsForPolicy => "organizations:ListTargetsForPolicy",
        }
    }

    /// What the report loses without it.
    pub const fn without(self) -> &'static str {
        match self {
            Self::GetCallerIdentity | Self::AssumeRole => "the account is not read",
            Self::GetAccountAuthorizationDetails => "what the principals may do is unknown",
            Self::ListUsers => "users are unknown",
            Self::ListRoles => "how long sessions may last is unknown",
            Self::GenerateCredentialReport | Self::GetCredentialReport => {
                "console passwords, MFA and the root user are unknown"
            }
            Self::ListAccountAliases => "the account's name is unknown",
            Self::GetAccountSummary => "the account's counts are unknown",
            Self::GetAccountPasswordPolicy => "the rules for passwords are unknown",
            Self::ListOpenIdConnectProviders | Self::GetOpenIdConnectProvider => {
                "whether a CI system can sign in without a key is unknown"
            }
            Self::ListSamlProviders | Self::GetSamlProvider => {
                "where people sign in from is unknown"
            }
            Self::ListServerCertificates | Self::GetServerCertificate => {
                "when certificates expire is unknown"
            }
            Self::ListVirtualMfaDevices | Self::ListMfaDevices => "who has MFA is unknown",
            Self::ListAccessKeys => "keys found in code cannot be joined to their user",
            Self::GetAccessKeyLastUsed => "unused keys cannot be proved",
            Self::GetLoginProfile => "who has a console password is unknown",
            Self::ListServiceSpecificCredentials => "passwords for single services are unknown",
            Self::ListSshPublicKeys | Self::GetSshPublicKey => "SSH keys of users are unknown",
            Self::ListSigningCertificates => "signing certificates of users are unknown",
            Self::GenerateServiceLastAccessedDetails | Self::GetServiceLastAccessedDetails => {
                "what was granted and never used is unknown"
            }
            Self::DescribeOrganization
            | Self::ListRoots
            | Self::ListAccounts
            | Self::ListOrganizationalUnitsForParent
            | Self::ListAccountsForParent
            | Self::ListPolicies
            | Self::DescribePolicy
            | Self::ListTargetsForPolicy => {
                "what control policies of the organization forbid is unknown"
            }
        }
    }

    /// It is made of the organization, mostly with rights that only its management account has.
    pub const fn of_organization(self) -> bool {
        matches!(
            self,
            Self::DescribeOrganization
                | Self::ListRoots
                | Self::ListAccounts
                | Self::ListOrganizationalUnitsForParent
                | Self::ListAccountsForParent
                | Self::ListPolicies
                | Self::DescribePolicy
                | Self::ListTargetsForPolicy
        )
    }
}
