//! Arguments of scans that run by themselves, and of scans of many repositories.

use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// How a scan runs by itself.
#[derive(Args, Clone, Debug, Default)]
pub struct Nightly {
    /// For cron: print one line, and only if something changed since the run before or could not be read; -v prints what
    #[arg(long, help_heading = "Nightly runs")]
    pub cron: bool,
    /// Stop reading after this time, as in 90s, 45m or 2h, and report what was read until then (exit code 4)
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Nightly runs")]
    pub timeout: Option<Duration>,
    /// Shell command that is run when something changed, with the change summary on its standard input
    #[arg(long, value_name = "CMD", help_heading = "Nightly runs")]
    pub notify_command: Option<String>,
    /// Format of that summary
    #[arg(
        long,
        value_enum,
        default_value = "text",
        value_name = "FORMAT",
        help_heading = "Nightly runs"
    )]
    pub notify_format: NotifyFormat,
}

/// Formats of the change summary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum NotifyFormat {
    /// A page for people; its first line says it all.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

/// A scan of many repositories.
#[derive(Args, Clone, Debug, Default)]
pub struct Many {
    /// File that names what to scan, a path a line; `#` begins a comment, `-` is standard input
    #[arg(long, value_name = "FILE", help_heading = "Many repositories")]
    pub repos_from: Option<PathBuf>,
    /// Scan only part K of N of the repositories; `overstay merge` puts the parts together
    #[arg(long, value_name = "K/N", value_parser = parse_shard, help_heading = "Many repositories")]
    pub shard: Option<Shard>,
}

/// One part of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    /// Which, from 1.
    pub number: u32,
    /// Of how many.
    pub of: u32,
}

fn parse_shard(text: &str) -> Result<Shard, String> {
    let parts = text.split_once('/');
    let shard = parts.and_then(|(number, of)| {
        Some(Shard {
            number: number.trim().parse().ok()?,
            of: of.trim().parse().ok()?,
        })
    });
    shard
        .filter(|shard| (1..=shard.of).contains(&shard.number) && shard.of <= 10_000)
        .ok_or_else(|| "expected a part and the number of parts, such as 2/8".to_owned())
}

pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    const UNITS: [(char, u64); 4] = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
    let seconds = UNITS.iter().find_map(|(unit, seconds)| {
        let count: u64 = text.strip_suffix(*unit)?.parse().ok()?;
        count.checked_mul(*seconds)
    });
    seconds
        .or_else(|| text.parse().ok())
        .filter(|seconds| (1..=30 * 86_400).contains(seconds))
        .map(Duration::from_secs)
        .ok_or_else(|| "expected a time such as 90s, 45m or 2h".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_times_are_read() {
        assert_eq!(parse_shard("2/8"), Ok(Shard { number: 2, of: 8 }));
        for bad in ["0/8", "9/8", "1", "a/b", "1/0", "1/100000"] {
            assert!(parse_shard(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("45m"), Ok(Duration::from_mins(45)));
        for bad in ["0s", "x", "1w", "99999999999999999999h", "-1s"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
