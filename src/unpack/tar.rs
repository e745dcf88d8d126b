//! Tape archives.

use super::meter::Metered;
use super::name::Step;
use super::walk::{MEMBERS, Walk};
use ::tar::{Archive, EntryType};
use std::io::Read;

impl Walk<'_> {
    /// The files of a tape archive, read in one pass.
    pub(super) fn tar(&mut self, reader: impl Read) {
        let mut archive = Archive::new(reader);
        let Ok(entries) = archive.entries() else {
            self.trouble();
            return;
        };
        for entry in entries {
            let Ok(mut entry) = entry else {
                self.trouble();
                return;
            };
            if self.members >= self.caps.members {
                self.note(MEMBERS);
                return;
            }
            self.members += 1;
            let kind = entry.header().entry_type();
            let stored = entry.header().entry_size().unwrap_or(0);
            let name = Step::Member(entry.path_bytes().into_owned());
            let meter = self.meter;
            let whole = match kind {
                EntryType::Regular | EntryType::Continuous => {
                    self.inside(name, |walk| walk.member(&mut entry))
                }
                // Holes take no room in the archive.
                EntryType::GNUSparse => self.inside(name, |walk| {
                    let allowed = walk.allowed(stored);
                    walk.member(Metered::new(&mut entry, meter, allowed))
                }),
                _ => true,
            };
            if !whole || self.is_spent() {
                return;
            }
        }
    }
}
