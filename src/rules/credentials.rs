//! Detection rules: `rules/credentials/*.toml`.
