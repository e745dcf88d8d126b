//! One file per finding class, registered in one list. Pure.
