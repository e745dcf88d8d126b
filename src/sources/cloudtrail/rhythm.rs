//! Sessions and their rhythm, from the pauses between calls.

use super::Reading;
use super::spans::{NEAR, sessions};
use crate::model::{Rhythm, Sessions};

/// Shortest pause that may separate two sessions, in seconds.
const LEAST_PAUSE: i64 = 300;
/// Longest pause that is looked at as one within a session.
const MOST_PAUSE: i64 = 4 * 3600;

/// What the times of calls amount to.
pub(super) struct Found {
    pub(super) sessions: Sessions,
    pub(super) rhythm: Rhythm,
    pub(super) every: Option<u64>,
    pub(super) why: String,
}

/// Judges the times of one principal's calls; `apart` are those of each temporary credential, where all were followed.
pub(super) fn judge(
    spans: &[(i64, i64)],
    apart: Option<Vec<&[(i64, i64)]>>,
    reading: &Reading,
) -> Found {
    let pause = pause(spans, reading);
    let whole = sessions(spans, pause);
    let told_apart = apart.is_some();
    let each: Vec<(i64, i64)> = match apart {
        Some(lists) => lists
            .into_iter()
            .flat_map(|spans| sessions(spans, pause))
            .collect(),
        None => whole.clone(),
    };
    let mut lengths: Vec<u64> = each
        .iter()
        .map(|(from, to)| u64::try_from(to - from).unwrap_or(0))
        .collect();
    lengths.sort_unstable();
    let stats = Sessions {
        count: u32::try_from(each.len()).unwrap_or(u32::MAX),
        gap_seconds: u64::try_from(pause).unwrap_or(0),
        p50_seconds: quantile(&lengths, 50),
        p95_seconds: quantile(&lengths, 95),
        max_seconds: lengths.last().copied().unwrap_or(0),
        told_apart,
    };
    let (rhythm, every, why) = rhythm(&whole, reading);
    Found {
        sessions: stats,
        rhythm,
        every,
        why,
    }
}

/// Nearest rank: the shortest length that so many of a hundred do not exceed.
fn quantile(sorted: &[u64], of_hundred: usize) -> u64 {
    let rank = (sorted.len() * of_hundred).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0)
}

/// The pause from which a new session begins: between the pauses within runs and those between them, where the two are
/// far apart, else the default.
fn pause(spans: &[(i64, i64)], reading: &Reading) -> i64 {
    let mut pauses: Vec<i64> = spans
        .iter()
        .zip(spans.iter().skip(1))
        .map(|(a, b)| b.0 - a.1)
        .collect();
    pauses.sort_unstable();
    let jump = i64::try_from(reading.pause_jump).unwrap_or(3).max(2);
    let below = std::iter::once(NEAR).chain(pauses.iter().copied());
    let all = pauses.len();
    below
        .zip(pauses.iter().copied().enumerate())
        .take_while(|(below, _)| *below <= MOST_PAUSE)
        // A night or a weekend is longer than any pause, and rarer than those between sessions.
        .filter(|(below, (shorter, above))| {
            *above >= LEAST_PAUSE && *above >= below * jump && (all - shorter) * 10 >= all
        })
        .map(|(below, (_, above))| (above * 100 / below.max(1), below, above))
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map_or_else(
            || i64::try_from(reading.session_gap_seconds).unwrap_or(1800),
            |(_, below, above)| (below * above).isqrt().max(below),
        )
}

fn rhythm(whole: &[(i64, i64)], reading: &Reading) -> (Rhythm, Option<u64>, String) {
    let (Some(first), Some(last)) = (whole.first(), whole.last()) else {
        return (Rhythm::Unclear, None, "no call".to_owned());
    };
    let reach = (last.1 - first.0).max(1);
    let active: i64 = whole.iter().map(|(from, to)| to - from).sum();
    let share = active.saturating_mul(100) / reach;
    let days = reach / 86_400;
    if days >= 1 && share >= i64::from(reading.continuous_percent) {
        let why =
            format!("calls in {share} of 100 hours of the {days} d between the first and the last");
        return (Rhythm::Continuous, None, why);
    }
    if whole.len() < reading.least_sessions {
        let why = format!("{} sessions are too few to tell a rhythm from", whole.len());
        return (Rhythm::Unclear, None, why);
    }
    let mut distances: Vec<i64> = whole
        .iter()
        .zip(whole.iter().skip(1))
        .map(|(a, b)| b.0 - a.0)
        .collect();
    distances.sort_unstable();
    // The lower median: pauses at weekends and missed runs make distances longer, nothing makes them shorter.
    let usual = distances
        .get((distances.len() - 1) / 2)
        .copied()
        .unwrap_or(0)
        .max(1);
    let even = distances
        .iter()
        .filter(|distance| {
            let times = ((*distance + usual / 2) / usual).max(1);
            let off = (*distance - times * usual).abs();
            // Jitter does not add up over several runs.
            times <= 10 && off <= (usual / 10).max(180).min(usual / 3)
        })
        .count();
    let percent = even * 100 / distances.len().max(1);
    let every = u64::try_from(usual).ok();
    if percent >= 80 && distances.len() >= 3 {
        if usual < 900 && days >= 1 && reach / usual < 2 * i64::try_from(whole.len()).unwrap_or(1) {
            let why = format!(
                "{} runs, one every {}, around the clock",
                whole.len(),
                words(usual)
            );
            return (Rhythm::Continuous, every, why);
        }
        let why = format!(
            "{} runs; {percent} of 100 start {} after the one before, or a multiple of it",
            whole.len(),
            words(usual)
        );
        return (Rhythm::CronLike, every, why);
    }
    let why = format!(
        "{} sessions at uneven distances, active in {share} of 100 hours",
        whole.len()
    );
    (Rhythm::Bursty, None, why)
}

fn words(seconds: i64) -> String {
    match seconds {
        s if s >= 2 * 86_400 => format!("about {} d", (s + 43_200) / 86_400),
        s if s >= 5400 => format!("about {} h", (s + 1800) / 3600),
        s => format!("about {} min", ((s + 30) / 60).max(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(times: impl IntoIterator<Item = (i64, i64)>) -> Found {
        let spans: Vec<(i64, i64)> = times.into_iter().collect();
        judge(&spans, None, &Reading::default())
    }

    const HOUR: i64 = 3600;
    const DAY: i64 = 24 * HOUR;

    #[test]
    fn a_nightly_run_is_cron_like() {
        // Weekdays at three, twelve to seventeen minutes, each with a pause of six minutes inside.
        let nights = (0..60).filter(|day| day % 7 < 5).flat_map(|day| {
            let start = day * DAY + 3 * HOUR + (day * 37) % 50;
            let end = start + 720 + (day % 6) * 60;
            [(start, start + 120), (start + 480, end)]
        });
        let found = of(nights);
        assert_eq!(found.rhythm, Rhythm::CronLike, "{}", found.why);
        assert_eq!(found.sessions.count, 44);
        assert_eq!(found.sessions.max_seconds, 1020);
        assert!((960..=1020).contains(&found.sessions.p95_seconds));
        assert!((DAY - 100..=DAY + 100).contains(&(found.every.unwrap() as i64)));
    }

    #[test]
    fn a_quarter_hourly_run_stays_apart() {
        let found = of((0..300).map(|run| (run * 900, run * 900 + 40)));
        assert_eq!(found.rhythm, Rhythm::CronLike, "{}", found.why);
        assert_eq!(
            (found.sessions.count, found.sessions.p95_seconds),
            (300, 40)
        );
        let office = (0..28)
            .filter(|day| day % 7 < 5)
            .flat_map(|day| (0..32).map(move |run| day * DAY + 9 * HOUR + run * 900))
            .map(|start| (start, start + 60));
        assert_eq!(of(office).sessions.max_seconds, 60);
    }

    #[test]
    fn what_never_rests_is_continuous() {
        let busy = of((0..2000).map(|call| (call * 200, call * 200 + 20)));
        assert_eq!(busy.rhythm, Rhythm::Continuous, "{}", busy.why);
        let polling = of((0..2000).map(|call| (call * 420, call * 420)));
        assert_eq!(polling.rhythm, Rhythm::Continuous, "{}", polling.why);
    }

    #[test]
    fn deployments_are_bursty() {
        let starts = [0, 9, 11, 30, 31, 55, 80, 81, 83, 120].map(|hour| hour * HOUR);
        let found = of(starts
            .into_iter()
            .flat_map(|start| [(start, start + 60), (start + 400, start + 700)]));
        assert_eq!(found.rhythm, Rhythm::Bursty, "{}", found.why);
        assert_eq!(
            (found.sessions.count, found.sessions.p95_seconds),
            (10, 700)
        );
    }

    #[test]
    fn little_is_not_judged() {
        assert_eq!(of([(0, 60), (DAY, DAY + 60)]).rhythm, Rhythm::Unclear);
        assert_eq!(of([(0, 2 * HOUR)]).rhythm, Rhythm::Unclear);
        assert_eq!(of([]).sessions.count, 0);
    }

    #[test]
    fn runs_at_the_same_time_are_told_apart_by_their_credentials() {
        let one = [(0, 600)];
        let two = [(300, 900)];
        let found = judge(
            &[(0, 900)],
            Some(vec![&one[..], &two[..]]),
            &Reading::default(),
        );
        assert_eq!((found.sessions.count, found.sessions.max_seconds), (2, 600));
        assert!(found.sessions.told_apart);
    }
}
