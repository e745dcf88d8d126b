//! Every byte that comes in: file trees, git objects, AWS snapshots. Knows limits, hostility and coverage; knows no rule.
pub mod aws;
