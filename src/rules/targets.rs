//! The target catalogue: `rules/targets/*.toml`.
