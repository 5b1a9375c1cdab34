//! Working hours in a person's own zone, by that zone's rule on that very day.

use chrono::{Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use crate::{Instant, Interval, policy::WorkingHours};

/// The working time of each local day that meets `range`, as UTC intervals in order. A slot is inside working hours
/// when it lies inside one of them: start and end in the hours of one local day.
pub fn days(hours: &WorkingHours, zone: Tz, range: Interval) -> Vec<Interval> {
    let first = range.start.to_utc().with_timezone(&zone).date_naive().checked_sub_days(Days::new(1));
    let last = range.end.to_utc().with_timezone(&zone).date_naive();
    let Some(first) = first else { return Vec::new() };
    first
        .iter_days()
        .take_while(|day| *day <= last)
        .filter(|day| hours.days.contains(&(day.weekday().num_days_from_monday() as u8)))
        .filter_map(|day| Interval::new(local(day, hours.start, zone)?, local(day, hours.end, zone)?))
        .collect()
}

/// `minute` after local midnight. RFC 5545: a local time that occurs twice means the first, one that does not exist is
/// read with the offset before the gap.
fn local(day: NaiveDate, minute: u32, zone: Tz) -> Option<Instant> {
    let naive: NaiveDateTime = day.and_time(NaiveTime::MIN) + TimeDelta::minutes(i64::from(minute));
    let utc = match zone.from_local_datetime(&naive) {
        LocalResult::Single(time) => time.with_timezone(&Utc),
        LocalResult::Ambiguous(first, _) => first.with_timezone(&Utc),
        LocalResult::None => {
            // No gap is longer than a day; the offset in force a day before is the one before the gap.
            let before = zone.from_local_datetime(&(naive - TimeDelta::days(1))).earliest()?;
            before.with_timezone(&Utc) + TimeDelta::days(1)
        }
    };
    Some(Instant::from_millis(utc.timestamp_millis()))
}
