//! What stays between runs: the run database, people's decisions, the fingerprint key, the lock; and the one way files
//! are written.

pub mod atomic;
pub mod attest;
pub mod change;
pub mod decisions;
pub mod folder;
pub mod key;
pub mod lock;
pub mod reach;
pub mod runs;
