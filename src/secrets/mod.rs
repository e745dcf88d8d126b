//! Text engine: bytes to sightings of credentials.
//!
//! ```text
//! bytes ─► UTF-16 to UTF-8 ─► literals ─► windows ─► patterns ─► checks ─► one claim per text ─► masked sightings
//!                 ▲   └─► texts inside, encoded ──┐
//!                 └──────────────────────────────┘
//! ```
//!
//! One pass over the bytes finds the literals of all rules ([`prefilter`]), but for names that say nothing unless a row of
//! letters and digits follows: those are looked for before such rows alone ([`announce`]). A rule's pattern sees only the
//! windows it declares around its literals; what matched is judged by its structure. Raw secrets do not leave this room: a
//! [`SeenCredential`] holds a keyed fingerprint, a mask and what is public.

mod announce;
mod assignment;
mod aws;
mod blocks;
mod certificate;
mod claims;
mod companions;
mod compile;
mod containers;
mod context;
mod der;
mod echo;
mod engine;
mod entropy;
mod found;
mod gap;
mod gcp;
pub mod ignores;
mod inside;
mod json;
mod jwt;
mod layers;
mod lines;
mod login;
mod marks;
mod matching;
mod names;
mod needs;
mod openssh;
mod pem;
mod place;
mod placeholder;
mod ppk;
mod prefilter;
mod rows;
mod screen;
mod searcher;
mod sightings;
mod stores;
mod structure;
mod text;
#[cfg(target_arch = "x86_64")]
mod vectors;
mod verify;
mod whole;
mod windows;

pub use engine::Engine;
pub use marks::Marks;
pub use place::{expire, place};
pub use sightings::Scanned;
pub use verify::check;

#[cfg(test)]
mod kind_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tree_tests;
