//! What a later scan looks at to tell that a move is finished.

use serde::Deserialize;

/// One of the things that have to hold for `detect_done`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// The credential is gone from the issuer's inventory, or past its expiry.
    Gone,
    /// The issuer shows it inactive, or it is gone.
    Ended,
    /// No current file holds it.
    NotHeld,
    /// No consumer names it.
    NotNamed,
    /// Its consumers can prove what they are without it.
    Federated,
    /// It ends by itself within 90 days, or is gone.
    Expires,
    /// It was issued after the plan was made, or is gone.
    Renewed,
    /// The identity has no other active credential.
    NoOtherKey,
    /// The identity has no console password.
    NoPassword,
    /// The identity is gone.
    IdentityGone,
    /// Every way to become the identity names who may.
    TrustExact,
    /// Every way to become the identity asks for its session or its origin.
    TrustConditioned,
    /// Every outside party has to show an external id.
    ExternalId,
    /// Every way to become the identity asks for a second factor.
    Mfa,
    /// Its longest session is an hour.
    SessionShort,
    /// It is no administrator and holds no blanket policy and no whole service.
    NoBlanket,
    /// No tool of the agent runs unasked whatever it is.
    ToolsBounded,
    /// No two repositories use it.
    NotShared,
    /// Its risk is what the plan said it would be.
    RiskAsPlanned,
}
