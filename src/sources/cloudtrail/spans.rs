//! Times of calls as spans, so that a year of calls takes little room and the order of reading does not matter.

/// Calls this close together are one span, in seconds.
pub(super) const NEAR: i64 = 120;
/// Spans kept; with more, what is close together is joined more coarsely.
const MAX_SPANS: usize = 20_000;

/// Spans of time, sorted, never closer to each other than `near`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spans {
    spans: Vec<(i64, i64)>,
    near: i64,
}

impl Default for Spans {
    fn default() -> Self {
        Self {
            spans: Vec::new(),
            near: NEAR,
        }
    }
}

impl Spans {
    /// Adds a time.
    pub(super) fn add(&mut self, at: i64) {
        self.insert((at, at));
        self.coarsen();
    }

    fn insert(&mut self, (mut from, mut to): (i64, i64)) {
        let near = self.near;
        // Logs are nearly in order: most of what comes belongs to the end.
        let first = match self.spans.last() {
            Some(last) if last.1 + near < from => self.spans.len(),
            _ => self.spans.partition_point(|span| span.1 + near < from),
        };
        let mut behind = first;
        while let Some(span) = self.spans.get(behind).filter(|span| span.0 <= to + near) {
            from = from.min(span.0);
            to = to.max(span.1);
            behind += 1;
        }
        if behind == first + 1
            && let Some(span) = self.spans.get_mut(first)
        {
            *span = (from, to);
        } else {
            self.spans.splice(first..behind, [(from, to)]);
        }
    }

    /// Adds everything of another.
    pub(super) fn join(&mut self, other: &Self) {
        if other.near > self.near {
            self.near = other.near;
            self.rejoin();
        }
        for span in &other.spans {
            self.insert(*span);
        }
        self.coarsen();
    }

    fn coarsen(&mut self) {
        while self.spans.len() > MAX_SPANS {
            self.near *= 2;
            self.rejoin();
        }
    }

    fn rejoin(&mut self) {
        let near = self.near;
        self.spans.dedup_by(|next, held| {
            let joins = next.0 <= held.1 + near;
            if joins {
                held.1 = held.1.max(next.1);
            }
            joins
        });
    }

    /// The spans.
    pub(super) fn list(&self) -> &[(i64, i64)] {
        &self.spans
    }
}

/// Joins spans that lie no further apart than a pause.
pub(super) fn sessions(spans: &[(i64, i64)], pause: i64) -> Vec<(i64, i64)> {
    let mut sessions: Vec<(i64, i64)> = Vec::new();
    for span in spans {
        match sessions.last_mut() {
            Some(last) if span.0 - last.1 <= pause => last.1 = last.1.max(span.1),
            _ => sessions.push(*span),
        }
    }
    sessions
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn order_does_not_matter(mut times in proptest::collection::vec(0i64..20_000, 0..60), cut in 0usize..60) {
            let mut one = Spans::default();
            for at in &times {
                one.add(*at);
            }
            let cut = cut.min(times.len());
            let (mut left, mut right) = (Spans::default(), Spans::default());
            times[..cut].iter().for_each(|at| left.add(*at));
            times[cut..].iter().for_each(|at| right.add(*at));
            right.join(&left);
            prop_assert_eq!(&one, &right);
            times.sort_unstable();
            let pairs: Vec<(i64, i64)> = times.iter().map(|at| (*at, *at)).collect();
            prop_assert_eq!(one.list(), &sessions(&pairs, NEAR)[..]);
        }
    }

    #[test]
    fn too_many_spans_are_joined_more_coarsely() {
        let mut spans = Spans::default();
        for step in 0..(MAX_SPANS as i64 + 5) {
            spans.add(step * 200);
        }
        assert!(spans.list().len() <= MAX_SPANS && spans.near > NEAR);
    }
}
