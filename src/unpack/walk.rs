//! Going through archives inside archives.

use super::caps::Caps;
use super::format::{Format, TAR_BLOCK, is_tar, recognise};
use super::meter::{Meter, Metered, Stop};
use super::name::Step;
use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::StreamingDecoder;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io::{Cursor, Read};

/// Most memory the dictionary of an xz or LZMA stream may ask for, in KiB.
pub(super) const STREAM_MEMORY_KB: u32 = 64 << 10;
/// Largest window of a Zstandard stream.
pub(super) const ZSTD_WINDOW: u64 = 64 << 20;

/// Something inside that was not read, or not whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Note {
    /// The way to it; empty for the outer document itself.
    pub steps: Vec<Step>,
    /// Why, for people.
    pub reason: Cow<'static, str>,
}

/// What became of an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unpacked {
    /// Documents that were handed out.
    pub documents: u64,
    /// What was left out, up to the cap.
    pub notes: Vec<Note>,
    /// Notes beyond the cap.
    pub more: u64,
}

pub(super) const DAMAGED: &str = "the archive is damaged or of a kind that is not read";
pub(super) const ENCRYPTED: &str = "encrypted with a password";
pub(super) const METHOD: &str = "compressed in a way that is not read";
pub(super) const MEMBERS: &str = "the archive has more members than are read";
const DEPTH: &str = "archives are nested deeper than is read";
const SIZE: &str = "larger than is read of one member: the rest was left out";
const RATIO: &str = "unpacks to far more than its size, as an archive bomb does";
const TOTAL: &str = "the archive unpacks to more than is read";

/// Hands every document inside `bytes` to `visit`, archives inside archives unpacked in turn. Nothing is handed out when
/// `bytes` are no archive.
pub fn unpack(bytes: &[u8], caps: &Caps, visit: &mut dyn FnMut(&[Step], &[u8])) -> Unpacked {
    let meter = Meter::new(caps.total_bytes);
    let mut walk = Walk {
        caps,
        meter: &meter,
        members: 0,
        steps: Vec::new(),
        out: Unpacked::default(),
        visit,
    };
    if let Some(format) = recognise(bytes) {
        walk.archive(format, bytes);
    }
    walk.out
}

pub(super) struct Walk<'a> {
    pub(super) caps: &'a Caps,
    pub(super) meter: &'a Meter,
    pub(super) members: usize,
    steps: Vec<Step>,
    out: Unpacked,
    visit: &'a mut dyn FnMut(&[Step], &[u8]),
}

impl Walk<'_> {
    pub(super) fn note(&mut self, reason: &'static str) {
        let note = Note {
            steps: self.steps.clone(),
            reason: Cow::Borrowed(reason),
        };
        if self.out.notes.contains(&note) {
            return;
        }
        if self.out.notes.len() < self.caps.notes {
            self.out.notes.push(note);
        } else {
            self.out.more += 1;
        }
    }

    /// Nothing more may be unpacked.
    pub(super) fn is_spent(&self) -> bool {
        self.meter.left.get() == 0
    }

    /// Goes one step further in, and back again.
    pub(super) fn inside<R>(&mut self, step: Step, then: impl FnOnce(&mut Self) -> R) -> R {
        self.steps.push(step);
        let result = then(self);
        self.steps.pop();
        result
    }

    fn archive(&mut self, format: Format, bytes: &[u8]) {
        match format {
            Format::Zip => self.zip(bytes),
            Format::Tar => self.tar(Cursor::new(bytes)),
            Format::Gzip => self.stream(MultiGzDecoder::new(bytes), bytes.len()),
            Format::Bzip2 => self.stream(MultiBzDecoder::new(bytes), bytes.len()),
            Format::Xz => self.stream(
                XzReader::new_mem_limit(Cursor::new(bytes), true, STREAM_MEMORY_KB),
                bytes.len(),
            ),
            Format::Zstd => match StreamingDecoder::new_with_max_window_size(bytes, ZSTD_WINDOW) {
                Ok(reader) => self.stream(reader, bytes.len()),
                Err(_) => self.note(DAMAGED),
            },
        }
    }

    /// A compressed stream: a tape archive member by member, anything else as one document.
    fn stream(&mut self, reader: impl Read, packed: usize) {
        let meter = self.meter;
        let mut reader = Metered::new(reader, meter, self.allowed(packed as u64));
        let mut head = Vec::with_capacity(TAR_BLOCK);
        let begun = (&mut reader).take(TAR_BLOCK as u64).read_to_end(&mut head);
        if begun.is_ok() && is_tar(&head) {
            self.tar(Cursor::new(head).chain(reader));
            return;
        }
        let rest = Cursor::new(head).chain(reader);
        self.inside(Step::Content, |walk| {
            walk.member(rest);
            if begun.is_err() {
                walk.trouble();
            }
        });
    }

    /// Bytes that so many packed ones may unpack to.
    pub(super) fn allowed(&self, packed: u64) -> u64 {
        packed
            .saturating_mul(self.caps.ratio)
            .max(self.caps.ratio_from)
    }

    /// Notes why reading failed.
    pub(super) fn trouble(&mut self) {
        self.note(match self.meter.stop.take() {
            Some(Stop::Ratio) => RATIO,
            Some(Stop::Total) => TOTAL,
            None => DAMAGED,
        });
    }

    /// Reads one member, as far as the cap goes, and looks into it, and tells whether its end was reached. What could be read of a damaged one
    /// counts.
    pub(super) fn member(&mut self, reader: impl Read) -> bool {
        let mut bytes = Vec::new();
        let read = reader
            .take(self.caps.member_bytes.saturating_add(1))
            .read_to_end(&mut bytes);
        if read.is_err() {
            self.trouble();
        } else if bytes.len() as u64 > self.caps.member_bytes {
            self.note(SIZE);
            bytes.truncate(self.caps.member_bytes as usize);
        }
        match recognise(&bytes) {
            Some(_) if self.depth() >= self.caps.depth => self.note(DEPTH),
            Some(format) => {
                let before = self.out.documents;
                self.archive(format, &bytes);
                if self.out.documents > before {
                    return read.is_ok();
                }
            }
            None => {}
        }
        if !bytes.is_empty() {
            self.out.documents += 1;
            (self.visit)(&self.steps, &bytes);
        }
        read.is_ok()
    }

    /// Archives around this place.
    fn depth(&self) -> usize {
        self.steps.len()
    }
}
