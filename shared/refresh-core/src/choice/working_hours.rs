//! Working hours in a person's own zone, by that zone's rule on that very day.

use chrono::{Datelike, Days, NaiveDate, NaiveTime, TimeDelta};

use crate::{Instant, Interval, Zone, facts::policy::WorkingHours};

/// The working time of each local day that meets `range`, as UTC intervals in order. A slot lies inside working hours
/// when its start and end lie in the hours of one local day.
pub fn days(hours: &WorkingHours, zone: Zone, range: Interval) -> Vec<Interval> {
    let first = zone.local(range.start).date().checked_sub_days(Days::new(1));
    let last = zone.local(range.end).date();
    let Some(first) = first else { return Vec::new() };
    first
        .iter_days()
        .take_while(|day| *day <= last)
        .filter(|day| hours.days.contains(&(day.weekday().num_days_from_monday() as u8)))
        .filter_map(|day| Interval::new(local(day, hours.start, zone), local(day, hours.end, zone)))
        .collect()
}

/// `minute` after local midnight, as RFC 5545 reads a local time that the clock repeats or skips.
fn local(day: NaiveDate, minute: u32, zone: Zone) -> Instant {
    zone.meaning(day.and_time(NaiveTime::MIN) + TimeDelta::minutes(i64::from(minute))).first()
}
