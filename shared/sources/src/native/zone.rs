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

/// An end of an entry: the instants that it can be. Busy time of which an end is open is the longest that it can be: free
/// is only what is free either way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bound {
    pub earliest: Instant,
    pub latest: Instant,
    /// Whether the zone is known. Without it the local time can be anywhere on earth.
    pub sure: bool,
    /// Whether the clock never shows the local time, since it is set forward over it.
    pub skipped: bool,
}

/// Local time is at most so far ahead of UTC, and so far behind.
const FURTHEST_EAST_HOURS: i64 = 14;
const FURTHEST_WEST_HOURS: i64 = 12;

impl Bound {
    pub const fn at(instant: Instant) -> Self {
        Self { earliest: instant, latest: instant, sure: true, skipped: false }
    }

    /// One of two, and nobody knows which.
    pub fn or(self, other: Self) -> Self {
        let (earliest, latest) = (self.earliest.min(other.earliest), self.latest.max(other.latest));
        Self { earliest, latest, sure: false, skipped: false }
    }
}

/// What a local time can be, by its zone or without one.
///
/// A time that the clock shows twice is read with the offset before it is set back, or with the one after. So is a time
/// that the clock never shows: RFC 5545 (3.3.5) takes the offset before it is set forward, other systems the one after.
pub fn bound(local: NaiveDateTime, zone: Option<Zone>) -> Bound {
    let utc = Instant::from_millis(local.and_utc().timestamp_millis());
    let Some(zone) = zone else {
        let (earliest, latest) =
            (utc.plus_minutes(-60 * FURTHEST_EAST_HOURS), utc.plus_minutes(60 * FURTHEST_WEST_HOURS));
        return Bound { earliest, latest, sure: false, skipped: false };
    };
    match zone.meaning(local) {
        Meaning::Once(at) => Bound::at(at),
        Meaning::Twice(first, second) => Bound { earliest: first, latest: second, ..Bound::at(first) },
        Meaning::Skipped(at) => {
            // `at` is behind the gap, so the offset of `at` is the one after.
            let after = utc.plus_seconds(-i64::from(zone.offset(at)));
            Bound { earliest: after, latest: at, sure: true, skipped: true }
        }
    }
}

/// The longest time between two ends. `None`: no time at all.
pub fn between(start: Bound, end: Bound) -> Option<Interval> {
    // An entry that starts in a gap may be moved whole to behind the gap: then the end is later than the clock shows.
    let moved = start.latest.plus_millis(end.earliest.since(start.earliest));
    let latest = if start.skipped { end.latest.max(moved) } else { end.latest };
    Interval::new(start.earliest, latest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").expect("a local date-time")
    }

    fn busy(start: &str, end: &str, zone: &str) -> String {
        let zone: Zone = zone.parse().expect("a zone");
        let time = between(bound(local(start), Some(zone)), bound(local(end), Some(zone)));
        time.map_or_else(|| "none".to_owned(), |time| format!("{time:?}").replace(":00Z", "Z"))
    }

    #[test]
    fn time_at_a_set_clock_is_the_longest_that_it_can_be() {
        for (start, end, zone, expected) in [
            // Set forward from 02:00 to 03:00 at 01:00Z.
            ("2026-03-29T02:30", "2026-03-29T03:30", "Europe/Berlin", "2026-03-29T00:30Z/2026-03-29T02:30Z"),
            ("2026-03-29T02:00", "2026-03-29T03:00", "Europe/Berlin", "2026-03-29T00:00Z/2026-03-29T02:00Z"),
            ("2026-03-29T02:30", "2026-03-29T03:00", "Europe/Berlin", "2026-03-29T00:30Z/2026-03-29T02:00Z"),
            ("2026-03-29T02:15", "2026-03-29T02:45", "Europe/Berlin", "2026-03-29T00:15Z/2026-03-29T01:45Z"),
            ("2026-03-29T01:30", "2026-03-29T02:30", "Europe/Berlin", "2026-03-29T00:30Z/2026-03-29T01:30Z"),
            ("2026-03-29T01:00", "2026-03-29T03:00", "Europe/Berlin", "2026-03-29T00:00Z/2026-03-29T01:00Z"),
            ("2026-03-29T03:00", "2026-03-29T03:00", "Europe/Berlin", "none"),
            // Set back from 03:00 to 02:00 at 01:00Z.
            ("2026-10-25T02:30", "2026-10-25T02:45", "Europe/Berlin", "2026-10-25T00:30Z/2026-10-25T01:45Z"),
            ("2026-10-25T01:00", "2026-10-25T03:00", "Europe/Berlin", "2026-10-24T23:00Z/2026-10-25T02:00Z"),
            // A whole day that was left out.
            ("2011-12-30T09:00", "2011-12-30T10:00", "Pacific/Apia", "2011-12-29T19:00Z/2011-12-30T20:00Z"),
            // Half an hour.
            ("2026-10-04T02:00", "2026-10-04T02:30", "Australia/Lord_Howe", "2026-10-03T15:00Z/2026-10-03T16:00Z"),
        ] {
            assert_eq!(busy(start, end, zone), expected, "{start} {end} {zone}");
        }
    }
}
