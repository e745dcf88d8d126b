//! Metadata of the coded checks: `rules/posture/*.toml`, and the frameworks they map to.
