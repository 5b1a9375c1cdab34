//! Local times with a zone's name beside them, made instants.

use chrono::{Duration, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;
use refresh_core::{Instant, Interval};

/// A zone by its IANA or its Windows name (calendars of one vendor use either).
pub fn named(name: &str) -> Option<Tz> {
    match name.parse::<calcard::common::timezone::Tz>() {
        Ok(calcard::common::timezone::Tz::Tz(zone)) => Some(zone),
        _ => None,
    }
}

/// UTC where the text carries no zone mark: `YYYY-MM-DD hh:mm:ss`, by the rule of the system that sends it.
pub fn utc(text: &str, format: &str) -> Option<Instant> {
    let local = NaiveDateTime::parse_from_str(text, format).ok()?;
    Some(Instant::from_millis(local.and_utc().timestamp_millis()))
}

/// The earliest and the latest instant that a local time can mean: two in the hour that a clock repeats. A local time
/// that a clock skips is read with the offset before the gap, as RFC 5545 has it.
pub fn instants(local: NaiveDateTime, zone: Tz) -> Option<(Instant, Instant)> {
    let found = zone.from_local_datetime(&local);
    if let (Some(earliest), Some(latest)) = (found.earliest(), found.latest()) {
        let millis = |at: chrono::DateTime<Tz>| Instant::from_millis(at.timestamp_millis());
        let (a, b) = (millis(earliest), millis(latest));
        return Some((a.min(b), a.max(b)));
    }
    let before = local.checked_sub_signed(Duration::hours(3))?;
    let offset = zone.offset_from_local_datetime(&before).earliest()?.fix().local_minus_utc();
    let at = Instant::from_millis(local.and_utc().timestamp_millis()).plus_seconds(-i64::from(offset));
    Some((at, at))
}

/// Busy time of which an end is ambiguous is the longer of what it can be: free is only what is free either way.
pub fn widest(start: (Instant, Instant), end: (Instant, Instant)) -> Option<Interval> {
    Interval::new(start.0, end.1)
}
