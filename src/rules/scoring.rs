//! Thresholds and weights: `rules/scoring.toml`, overridable in `overstay.toml`.
