//! The AWS policy language: parse, match, expand, evaluate, trust, escalate. Pure.
