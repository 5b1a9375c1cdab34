//! Local times with a zone's name beside them, made instants.

use calcard::common::timezone::Tz;
use chrono::NaiveDateTime;
use refresh_core::{Instant, Interval, Zone, base::zone::Meaning};

/// A zone by its IANA or its Windows name (calendars of one vendor use either).
pub fn named(name: &str) -> Option<Zone> {
    if let Ok(zone) = name.parse() {
        return Some(zone);
    }
    // Of the library's zone only the name: its rules are another copy of the whole database.
    match name.parse::<Tz>() {
        Ok(Tz::Tz(zone)) => zone.name().parse().ok(),
        _ => None,
    }
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
