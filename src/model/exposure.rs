//! Resources whose own policy lets in others than the account they belong to.

use super::Location;
use serde::{Deserialize, Serialize};

/// Who is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExposedTo {
    /// Anyone.
    Anyone,
    /// Another account, or somebody in it.
    Account,
    /// A service of the cloud provider, on behalf of whomever it works for.
    Service,
}

/// One way in that the policy of a resource leaves open.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ResourceExposure {
    /// ARN of the resource.
    pub arn: String,
    /// Account it belongs to.
    pub account: String,
    /// Who is let in.
    pub to: ExposedTo,
    /// As written: `*`, an ARN, an account, a service.
    pub principal: String,
    /// Vendor the account belongs to, if known.
    pub vendor: Option<String>,
    /// The statement that lets them in.
    pub statement: String,
    /// Actions, as written.
    pub actions: Vec<String>,
    /// They change something.
    pub writes: bool,
    /// Conditions in words.
    pub conditions: Vec<String>,
    /// It is known that no block of public access stands before it.
    #[serde(default)]
    pub unblocked: bool,
    /// Where the policy is described.
    pub location: Location,
}
