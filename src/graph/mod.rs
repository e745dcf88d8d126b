//! Joins everything seen into one inventory.
