//! When the events of a calendar and their recurrences are.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDateTime;
use refresh_core::{Instant, Interval};

use super::{
    clock::OnClock,
    seen::{CalendarReading, Lasts, SeenEvent},
    unclear,
};
use crate::native::{recurrence, rule::RuleParts};

const TIMED: [&str; 3] = ["BYHOUR", "BYMINUTE", "BYSECOND"];

/// Busy and unknown time of a calendar's events.
pub fn expanded(reading: &mut CalendarReading<'_>, events: &[SeenEvent<'_>]) -> (Vec<Interval>, Vec<Interval>) {
    let mut replaced: BTreeMap<&str, BTreeSet<Instant>> = BTreeMap::new();
    for event in events {
        // Without a name of the series, or on a clock that nobody knows, it stands for no occurrence in particular.
        if let Some(time) = event.instead_of.filter(|time| time.clock().is_some() && !event.uid.is_empty()) {
            replaced.entry(&event.uid).or_default().insert(time.meant());
        }
    }
    let (mut busy, mut unknown) = (Vec::new(), Vec::new());
    for event in events {
        let place = || format!("VEVENT[{}]", event.number);
        if event.more_than_one.is_some() || event.odd && !event.free {
            // From then on the series is another, or it is not known which: nobody knows when.
            if let Some(time) = Interval::new(event.changes_from(reading.horizon), reading.horizon.end) {
                reading.unread.note(place, &unclear::of_series(event));
                unknown.push(time);
            }
            continue;
        }
        if event.free || event.cancelled {
            continue;
        }
        if event.disbelieved {
            reading.unread.note(place, unclear::DISBELIEVED);
        }
        let none = BTreeSet::new();
        let replaced =
            if event.instead_of.is_some() { &none } else { replaced.get(event.uid.as_str()).unwrap_or(&none) };
        match occurrences(reading, event, replaced) {
            Some(times) => {
                if times.iter().any(|(_, sure)| !sure) {
                    unclear::of_clock(event).iter().for_each(|fault| reading.unread.note(place, fault));
                }
                for (interval, sure) in times {
                    if sure { busy.push(interval) } else { unknown.push(interval) }
                }
            }
            None => {
                if let Some(time) = Interval::new(event.unclear_from(reading.horizon), reading.horizon.end) {
                    reading.unread.note(place, &unclear::of_event(event));
                    unknown.push(time);
                }
            }
        }
    }
    (busy, unknown)
}

/// Those inside the horizon, and whether their clock is known. `None`: not understood, or more than may be looked at.
fn occurrences(
    reading: &mut CalendarReading<'_>,
    event: &SeenEvent<'_>,
    replaced: &BTreeSet<Instant>,
) -> Option<Vec<(Interval, bool)>> {
    let (start, lasts) = (event.start?, event.lasts?);
    // RFC 5545 has such parts ignored for days; others have days begin at that hour.
    let timed = |rule: &String| RuleParts::of(rule).is_some_and(|parts| TIMED.iter().any(|name| parts.has(name)));
    if start.is_date && event.rules.iter().any(timed) {
        return None;
    }
    // A day more, since the clock may be behind.
    let last = reading.horizon.end.plus_minutes(24 * 60).to_utc().naive_utc();
    let mut starts: Vec<(OnClock<'_>, Lasts)> = Vec::new();
    if event.rules.is_empty() {
        starts.push((start, lasts));
    }
    for rule in &event.rules {
        let within = |local: NaiveDateTime, until: NaiveDateTime| start.shown(local).within(until);
        let locals = recurrence::starts(rule, start.local, last, within, &mut reading.budget)?;
        starts.extend(locals.into_iter().map(|local| (start.shown(local), lasts)));
    }
    starts.extend(event.more.iter().map(|(start, own)| (*start, own.unwrap_or(lasts))));
    let inside = |interval: &Interval| interval.start < reading.horizon.end && reading.horizon.start < interval.end;
    let times = starts.into_iter().filter_map(|(start, lasts)| {
        if event.except.contains(&start.meant()) || replaced.contains(&start.meant()) {
            return None;
        }
        let from = start.bound();
        let (time, known) = engaged(start, lasts);
        let before = |way: i64| Interval::new(from.earliest.plus_millis(-way), from.earliest);
        let ways = [(before(event.way), true), (before(event.perhaps_way), false)];
        let ways = ways.map(|(way, understood)| way.map(|way| (way, understood && from.sure)));
        Some([time.map(|interval| (interval, known)), ways[0], ways[1]])
    });
    Some(times.flatten().flatten().filter(|(interval, _)| inside(interval)).collect())
}

/// When an occurrence is, and whether the clocks of its ends are known.
fn engaged(start: OnClock<'_>, lasts: Lasts) -> (Option<Interval>, bool) {
    let clock = start.clock();
    let time = lasts.lasting.from(start.local, clock);
    let known = clock.is_some() && lasts.sure;
    match time {
        // Up to its end the calendar's own rules may part from those of the name.
        Some(interval) if clock.is_some() && !start.agrees_at(interval.end) => {
            (lasts.lasting.from(start.local, None), false)
        }
        _ => (time, known),
    }
}
