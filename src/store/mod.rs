//! Runs, history, locks and atomic writes.
