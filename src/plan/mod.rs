//! Target mechanisms, waves and steps. Pure.
