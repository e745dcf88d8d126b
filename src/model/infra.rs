//! What infrastructure code declares before the join.

use super::Location;
use super::aws::AwsAccount;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Stands for the number of an account that code does not tell, in ARNs of a [`DeclaredStack`].
pub const UNKNOWN_ACCOUNT: &str = "000000000000";

/// Text of a file that says something only together with other files of its repository.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptText {
    /// Repository by its name in this scan.
    pub repository: String,
    /// Path, percent-encoded.
    pub uri: String,
    /// Its text, which may hold secrets: it is written to nothing that is not sealed.
    #[serde(serialize_with = "as_text", deserialize_with = "of_text")]
    pub text: Arc<str>,
}

fn as_text<S: Serializer>(text: &Arc<str>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(text)
}

fn of_text<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<str>, D::Error> {
    String::deserialize(from).map(Into::into)
}

impl fmt::Debug for KeptText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeptText({}/{})", self.repository, self.uri)
    }
}

/// Part of an AWS account as code declares it: what one root module, template or state creates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeclaredStack {
    /// Repository by its name in this scan.
    pub repository: String,
    /// What reads the code: `terraform`, `cloudformation`, `pulumi`, `serverless`.
    pub tool: String,
    /// Folder or file that is deployed as one.
    pub unit: String,
    /// What it declares, as an account; its id is [`UNKNOWN_ACCOUNT`] where code does not tell it.
    pub account: AwsAccount,
    /// What else code tells of a principal, by its ARN in `account`.
    pub principals: BTreeMap<String, DeclaredPrincipal>,
}

/// What code tells of one principal beyond what an account's inventory would.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeclaredPrincipal {
    /// Address in the code: `module.ci.aws_iam_role.deploy`.
    pub address: String,
    /// What is only named, not declared here: a policy is attached to it.
    pub named_only: bool,
    /// Its name is as deployed, not made up of its address.
    pub name_known: bool,
    /// What of it code leaves open, in words: its permissions are an upper bound of what is known.
    pub unknown: Vec<String>,
    /// Further places that declare part of it: policies, attachments, memberships.
    pub also: Vec<Location>,
}

impl DeclaredStack {
    /// What a principal is called in an inventory: its ARN, or its place in the code while the account is not known.
    pub fn native_id(&self, arn: &str) -> String {
        if self.account.account_id != UNKNOWN_ACCOUNT {
            return arn.to_owned();
        }
        let address = self
            .principals
            .get(arn)
            .map_or(arn, |principal| principal.address.as_str());
        let slash = if self.unit.is_empty() { "" } else { "/" };
        format!(
            "{}:{}{slash}{}:{address}",
            self.tool, self.repository, self.unit
        )
    }
}
