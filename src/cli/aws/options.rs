//! Which accounts are read, as options.

use clap::Args;
use std::path::PathBuf;

/// Accounts that are read from AWS itself.
#[derive(Args, Clone, Debug, Default)]
pub struct Accounts {
    /// Read the account of the usual AWS credentials: environment, default profile, single sign-on, container or instance
    /// role
    #[arg(long, help_heading = "AWS")]
    pub aws: bool,
    /// Read the account of this profile (repeatable)
    #[arg(long, value_name = "NAME", help_heading = "AWS")]
    pub aws_profile: Vec<String>,
    /// Read the account of this role (repeatable), assumed with the usual credentials or those of the one --aws-profile;
    /// their own account is read only with --aws
    #[arg(long, value_name = "ARN", help_heading = "AWS")]
    pub aws_role_arn: Vec<String>,
    /// Read the accounts of the roles in a file, one ARN a line
    #[arg(long, value_name = "FILE", help_heading = "AWS")]
    pub aws_role_list: Option<PathBuf>,
    /// Read every account of the AWS organization, each through the role of this name; the account that lists them is read
    /// with its own credentials
    #[arg(long, value_name = "ROLE_NAME", help_heading = "AWS")]
    pub aws_organization: Option<String>,
    /// External id the roles ask for
    #[arg(long, value_name = "ID", help_heading = "AWS")]
    pub aws_external_id: Option<String>,
    /// Requests to AWS under way at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256), help_heading = "AWS")]
    pub aws_concurrency: u16,
    /// Address of a server that answers in AWS's place, for every service [default: AWS_ENDPOINT_URL, the profile's
    /// endpoint_url, else AWS]
    #[arg(long, value_name = "URL", help_heading = "AWS")]
    pub aws_endpoint_url: Option<String>,
}

impl Accounts {
    /// Whether any account was named.
    pub(in crate::cli) fn any(&self) -> bool {
        self.aws || !self.aws_profile.is_empty() || self.roles()
    }

    /// Whether roles are assumed.
    pub(super) fn roles(&self) -> bool {
        !self.aws_role_arn.is_empty()
            || self.aws_role_list.is_some()
            || self.aws_organization.is_some()
    }
}

/// `overstay aws`.
#[derive(Args, Debug)]
pub struct Aws {
    /// What to do.
    #[command(subcommand)]
    pub command: AwsCommand,
}

/// `overstay aws …`.
#[derive(Debug, clap::Subcommand)]
pub enum AwsCommand {
    /// Read AWS accounts into files that `overstay scan --aws-snapshot` reads; an interrupted snapshot is gone on with
    Snapshot(Snapshot),
}

/// `overstay aws snapshot`.
#[derive(Args, Debug)]
#[command(after_help = super::super::args::EXIT_CODES)]
pub struct Snapshot {
    /// Folder for the snapshot: new, empty, or of an earlier snapshot; every account gets its own folder in it
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Let go of what an earlier snapshot left in the folder, and read everything again
    #[arg(long)]
    pub fresh: bool,
    /// Accounts to read [default: that of the usual AWS credentials]
    #[command(flatten)]
    pub accounts: Accounts,
}
