//! Working hours in a person's own zone, by that zone's rule on that very day.

use chrono::{Datelike, Days, NaiveDate, NaiveTime, TimeDelta};

use crate::{
    Instant, Interval, Zone,
    base::instant::{DAY, MINUTE},
    facts::policy::WorkingHours,
};

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
        .filter_map(|day| {
            let working = Interval::new(local(day, hours.start, zone), local(day, hours.end, zone))?;
            // A day that the clock leaves out (Samoa, 30 December 2011) would be read as the next one, and count twice.
            (zone.local(working.start).date() == day).then_some(working)
        })
        .collect()
}

/// The working time of a deadline is looked for this far ahead. Nobody is given longer to decide.
const LONGEST_DAYS: i64 = 366;
/// How many days are looked at together.
const DAYS_AT_ONCE: i64 = 14;

/// The instant at which so many minutes of working time have passed since `from`; `until` where that comes first. Time
/// is what passes: an hour that the clock skips or repeats is none, or two.
pub fn deadline(hours: &WorkingHours, zone: Zone, from: Instant, minutes: i64, until: Instant) -> Instant {
    let until = until.min(from.plus_millis(LONGEST_DAYS * DAY));
    let (mut left, mut seen) = (minutes * MINUTE, from);
    while seen < until {
        let next = seen.plus_millis(DAYS_AT_ONCE * DAY).min(until);
        for day in days(hours, zone, Interval { start: seen, end: next }) {
            let (start, end) = (day.start.max(seen), day.end.min(next));
            let worked = end.since(start).max(0);
            if worked > 0 && left <= worked {
                return start.plus_millis(left);
            }
            left -= worked;
        }
        seen = next;
    }
    until
}

/// `minute` after local midnight, as RFC 5545 reads a local time that the clock repeats or skips.
fn local(day: NaiveDate, minute: u32, zone: Zone) -> Instant {
    zone.meaning(day.and_time(NaiveTime::MIN) + TimeDelta::minutes(i64::from(minute))).first()
}
