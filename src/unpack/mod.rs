//! Archives and compressed files: bytes in, the documents inside out, with the way to each.
//!
//! Recognised by what they begin with, never by their name. Members are read one at a time into a buffer; what an archive
//! may cost is capped by depth, number, size and ratio ([`Caps`]), and what was left out is told in [`Note`]s.

mod caps;
mod format;
mod meter;
mod name;
mod tar;
mod walk;
mod zip;

pub use caps::Caps;
pub use format::{Format, recognise};
pub use name::{SEPARATOR, Step, address};
pub use walk::{Note, Unpacked, unpack};

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
