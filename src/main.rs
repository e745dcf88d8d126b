//! Parses the command line, runs it, turns an error into a message and an exit code.

fn main() {}
