//! What texts of a repository say of how credentials are replaced or taken back.

use super::Location;
use serde::{Deserialize, Serialize};

/// Who does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoutineBy {
    /// A person, who has to think of it.
    Person,
    /// A machine.
    Machine,
}

/// One place that says how.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Routine {
    /// Who.
    pub by: RoutineBy,
    /// The words of ours that it says so with.
    pub words: String,
    /// Names it calls: of secrets, variables, users, roles.
    pub names: Vec<String>,
    /// Issuers it names, each with what is replaced: `npm token`.
    pub providers: Vec<String>,
    /// Repository that says it.
    pub repository: String,
    /// Where.
    pub location: Location,
}
