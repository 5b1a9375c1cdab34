//! Local times with a zone's name beside them, made instants; and what is left to say of those without one.

use chrono::NaiveDateTime;
use refresh_core::{Instant, Interval, Zone, base::zone::Meaning};

use super::windows_zones;

/// A zone by its IANA or its Windows name (calendars of one vendor use either).
pub fn named(name: &str) -> Option<Zone> {
    name.parse().ok().or_else(|| windows_zones::named(name))
}

/// UTC where the text carries no zone mark: `YYYY-MM-DD hh:mm:ss`, by the rule of the system that sends it.
pub fn utc(text: &str, format: &str) -> Option<Instant> {
    let local = NaiveDateTime::parse_from_str(text, format).ok()?;
    Some(Instant::from_millis(local.and_utc().timestamp_millis()))
}

/// Busy time of which an end is ambiguous is the longer of what it can be: free is only what is free either way.
pub fn widest(start: Meaning, end: Meaning) -> Option<Interval> {
    Interval::new(start.first(), end.last())
}

/// An end of an entry: the instants that it can be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bound {
    pub earliest: Instant,
    pub latest: Instant,
    /// Whether the zone is known. Without it the local time can be anywhere on earth.
    pub sure: bool,
}

/// Local time is at most so far ahead of UTC, and so far behind.
const FURTHEST_EAST_HOURS: i64 = 14;
const FURTHEST_WEST_HOURS: i64 = 12;

impl Bound {
    pub const fn at(instant: Instant) -> Self {
        Self { earliest: instant, latest: instant, sure: true }
    }
}

/// What a local time can be, by its zone or without one.
pub fn bound(local: NaiveDateTime, zone: Option<Zone>) -> Bound {
    if let Some(zone) = zone {
        let meaning = zone.meaning(local);
        return Bound { earliest: meaning.first(), latest: meaning.last(), sure: true };
    }
    let utc = Instant::from_millis(local.and_utc().timestamp_millis());
    Bound {
        earliest: utc.plus_minutes(-60 * FURTHEST_EAST_HOURS),
        latest: utc.plus_minutes(60 * FURTHEST_WEST_HOURS),
        sure: false,
    }
}

/// The longest time between two ends. `None`: no time at all.
pub fn between(start: Bound, end: Bound) -> Option<Interval> {
    Interval::new(start.earliest, end.latest)
}
