//! The shipped values hold together, and mistakes in overrides are named.

use super::*;

fn overridden(text: &str) -> Result<Scoring, String> {
    Scoring::with_overrides(&text.parse().unwrap()).map_err(|error| error.to_string())
}

#[test]
fn shipped_values_are_valid_and_fit_adds_up_to_100() {
    let scoring = Scoring::builtin().unwrap();
    let best: u32 = scoring
        .fit_tables()
        .iter()
        .map(|(_, levels, _)| u32::from(*levels.values().max().unwrap()))
        .sum();
    assert_eq!(best, 100);
    assert_eq!(scoring.thresholds.long_lived_days, 90);
    assert_eq!(scoring.band(64), RiskBand::Critical);
    assert_eq!(scoring.band(63), RiskBand::High);
    assert_eq!(scoring.band(3), RiskBand::Info);
}

#[test]
fn overrides_reach_one_value_and_change_the_digest() {
    let base = Scoring::builtin().unwrap();
    assert_eq!(overridden("").unwrap().digest(), base.digest());
    let changed = overridden("[thresholds]\nunused_days = 30\n").unwrap();
    assert_eq!(changed.thresholds.unused_days, 30);
    assert_eq!(changed.thresholds.quiet_days, base.thresholds.quiet_days);
    assert_ne!(changed.digest(), base.digest());
    let typed = overridden("[sensitivity.types]\nour-token = 3\n").unwrap();
    assert_eq!(typed.sensitivity.types["our-token"], 3);
}

#[test]
fn mistakes_name_the_key() {
    for (text, needle) in [
        (
            "[thresholds]\nunusd_days = 30",
            "`thresholds.unusd_days` is not a known key",
        ),
        (
            "[thresholds]\nunused_days = 0",
            "`thresholds.unused_days` is 0",
        ),
        (
            "[thresholds]\nunused_days = \"x\"",
            "`thresholds.unused_days` must be of type integer",
        ),
        ("[bands]\nhigh = 70", "`bands.critical` is 64"),
        (
            "[fit.mechanism]\nambient = 26",
            "`fit.mechanism.ambient` is 26",
        ),
        (
            "[fit.mechanism]\nmagic = 2",
            "`fit.mechanism.magic` is not a known key",
        ),
        (
            "[ttl]\nallowed_seconds = [900, 600]",
            "`ttl.allowed_seconds`",
        ),
        ("[sensitivity.types]\nx = 9", "`sensitivity.types.x` is 9"),
    ] {
        let error = overridden(text).unwrap_err();
        assert!(error.contains(needle), "{text}: {error}");
    }
}
