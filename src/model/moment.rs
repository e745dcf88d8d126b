//! The time of a scan, which knows how long what was made of it holds.

use jiff::Timestamp;
use std::cell::Cell;

/// The time of a scan. Remembers between which times every question it answered has the same answer, so that what rests
/// on these answers alone need not be made again before then.
#[derive(Clone, Debug)]
pub struct Moment {
    now: Timestamp,
    since: Cell<Timestamp>,
    until: Cell<Timestamp>,
    exact: Cell<bool>,
}

impl Moment {
    /// This time, of which nothing was asked.
    pub const fn new(now: Timestamp) -> Self {
        Self {
            now,
            since: Cell::new(Timestamp::MIN),
            until: Cell::new(Timestamp::MAX),
            exact: Cell::new(false),
        }
    }

    /// Whether a time has come.
    pub fn reached(&self, at: Timestamp) -> bool {
        let reached = at <= self.now;
        if reached {
            self.since.set(self.since.get().max(at));
        } else {
            self.until.set(self.until.get().min(at));
        }
        reached
    }

    /// The time itself: what is made of it holds at no other.
    pub fn exactly(&self) -> Timestamp {
        self.exact.set(true);
        self.now
    }

    /// From which time, and before which, every answer is the same; `None` where the time itself was asked for.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        (!self.exact.get()).then(|| (self.since.get(), self.until.get()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_hold_until_the_next_time_that_was_asked_for() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let moment = Moment::new(at(100));
        assert_eq!(moment.span(), Some((Timestamp::MIN, Timestamp::MAX)));
        assert!(moment.reached(at(100)) && moment.reached(at(40)));
        assert!(!moment.reached(at(300)) && !moment.reached(at(200)));
        assert_eq!(moment.span(), Some((at(100), at(200))));
        for now in [100, 199] {
            let then = Moment::new(at(now));
            assert!(then.reached(at(100)) && !then.reached(at(200)));
        }
        assert_eq!(moment.exactly(), at(100));
        assert_eq!(moment.span(), None);
    }
}
