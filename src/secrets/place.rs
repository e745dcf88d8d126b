//! What a file's path and the clock say of a sighting. Both lower the confidence, say why, and hide nothing.

use super::found::lower;
use crate::model::{Confidence, Moment, SeenCredential};
use crate::rules::credentials::context;

/// The sighting at a path: less sure in tests, fixtures, examples, documentation, vendored and generated code and lock
/// files. The repository and other fields of the sighting stay as they are.
#[must_use]
pub fn place(seen: &SeenCredential, at_uri: &str) -> SeenCredential {
    let mut placed = seen.clone();
    let path = at_uri.to_lowercase();
    for place in context().places.iter().filter(|place| place.holds(&path)) {
        placed.confidence = lower(placed.confidence);
        add_reason(&mut placed, &place.reason);
    }
    placed
}

/// The sighting at a time: hardly a live problem once the material itself says that it has expired.
#[must_use]
pub fn expire(seen: SeenCredential, now: &Moment) -> SeenCredential {
    let mut judged = seen;
    if judged.expires_at.is_some_and(|expiry| now.reached(expiry)) {
        judged.confidence = Confidence::Low;
        add_reason(&mut judged, "it has expired");
    }
    judged
}

fn add_reason(seen: &mut SeenCredential, reason: &str) {
    if !seen.confidence_reason.is_empty() {
        seen.confidence_reason.push_str("; ");
    }
    seen.confidence_reason.push_str(reason);
}
