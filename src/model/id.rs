//! Stable identifiers: the same thing has the same id in every run, on every machine.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Hashes the parts of a natural key; parts are length-prefixed so that `["ab","c"]` and `["a","bc"]` differ.
fn digest(domain: &str, parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("overstay 2026 stable id");
    for part in std::iter::once(&domain).chain(parts) {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Derives the id from the natural key of the thing it names.
            pub fn of(parts: &[&str]) -> Self {
                Self(format!(concat!($prefix, "-{}"), digest($prefix, parts)))
            }
            /// The id of this text, as printed in reports.
            pub fn named(text: &str) -> Self {
                Self(text.to_owned())
            }
            /// The id as printed in reports.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

ids! {
    /// Id of an [`Identity`](super::Identity), from provider and native id.
    IdentityId = "i";
    /// Id of a [`Credential`](super::Credential), from type and public id, keyed fingerprint, or reference.
    CredentialId = "c";
    /// Id of a [`Grant`](super::Grant), from holder and what grants.
    GrantId = "g";
    /// Id of a [`Consumer`](super::Consumer), from runtime, repository and name.
    ConsumerId = "u";
    /// Id of a [`Finding`](super::Finding), from rule, subject and discriminator; never from line numbers.
    FindingId = "f";
    /// Id of an [`Assessment`](super::Assessment), from identity and credential.
    AssessmentId = "a";
    /// Id of a [`PlanItem`](super::PlanItem), from the assessment it settles.
    PlanItemId = "p";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(IdentityId::of(&["ab", "c"]), IdentityId::of(&["a", "bc"]));
        assert_eq!(IdentityId::of(&["a"]), IdentityId::of(&["a"]));
        assert!(CredentialId::of(&["x"]).as_str().starts_with("c-"));
    }
}
