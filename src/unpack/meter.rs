//! Reading what unpacks to more than it should, and stopping there.

use std::cell::Cell;
use std::io::{self, Read};

/// Why reading ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Unpacks to more than the ratio allows.
    Ratio,
    /// The outer document has unpacked to as much as it may.
    Total,
}

/// What is left of the caps while something is unpacked. Shared by the readers stacked on one another.
#[derive(Debug)]
pub(super) struct Meter {
    /// Bytes that may still be unpacked out of the outer document.
    pub(super) left: Cell<u64>,
    pub(super) stop: Cell<Option<Stop>>,
}

impl Meter {
    pub(super) const fn new(total: u64) -> Self {
        Self {
            left: Cell::new(total),
            stop: Cell::new(None),
        }
    }
}

/// Hands bytes on until a cap is reached; then it fails, and the meter tells why.
pub(super) struct Metered<'m, R> {
    inner: R,
    meter: &'m Meter,
    allowed: u64,
}

impl<'m, R: Read> Metered<'m, R> {
    /// At most `allowed` bytes, and no more than the meter has left.
    pub(super) const fn new(inner: R, meter: &'m Meter, allowed: u64) -> Self {
        Self {
            inner,
            meter,
            allowed,
        }
    }
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let bytes = read as u64;
        let left = self.meter.left.get();
        if bytes > left {
            self.meter.left.set(0);
            self.meter.stop.set(Some(Stop::Total));
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if bytes > self.allowed {
            self.meter.stop.set(Some(Stop::Ratio));
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.meter.left.set(left - bytes);
        self.allowed -= bytes;
        Ok(read)
    }
}
