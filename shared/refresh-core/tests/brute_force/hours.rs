//! Local days, read off the clock on the wall: an instant is turned into local time, never the other way round.

use std::{cell::RefCell, collections::HashMap};

use chrono::{DateTime, Datelike, Timelike};
use chrono_tz::Tz;

use crate::case::{Case, DAY, Hours, MINUTE, Span, Time};

/// Every zone's clock is a multiple of this away from UTC, in this century.
const STEP: Time = 15 * MINUTE;

thread_local! {
    /// Looking at the clock a hundred times is slow, and the same days come again and again.
    static SEEN: RefCell<HashMap<(i64, Tz, i64), Time>> = RefCell::default();
}

/// What a clock on the wall shows, in seconds; a day has 86,400 of them, however long it lasts.
fn wall(midnight: i64, zone: Tz, at: Time) -> i64 {
    let utc = DateTime::from_timestamp(midnight + at, 0).expect("a time of this century");
    let local = utc.with_timezone(&zone);
    i64::from(local.num_days_from_ce()) * DAY + i64::from(local.num_seconds_from_midnight())
}

/// The first time the clock shows this; where it leaves it out, as long after the last time before as if it did not.
fn shows(midnight: i64, zone: Tz, wanted: i64) -> Time {
    if let Some(at) = SEEN.with_borrow(|seen| seen.get(&(midnight, zone, wanted)).copied()) {
        return at;
    }
    let mut at = (wanted - wall(midnight, Tz::UTC, 0) - 16 * 60 * MINUTE).div_euclid(STEP) * STEP;
    while wall(midnight, zone, at) < wanted && wall(midnight, zone, at + STEP) <= wanted {
        at += STEP;
    }
    at += wanted - wall(midnight, zone, at);
    SEEN.with_borrow_mut(|seen| seen.insert((midnight, zone, wanted), at));
    at
}

/// The working hours of the local days around a slot.
fn days<'a>(case: &'a Case, hours: &'a Hours, zone: Tz, slot: Span) -> impl Iterator<Item = Span> + 'a {
    days_from(case, hours, zone, slot.from - DAY).take_while(move |day| day.from < slot.to + DAY)
}

/// The working hours of the local days from the one before an instant on.
pub fn days_from<'a>(case: &'a Case, hours: &'a Hours, zone: Tz, from: Time) -> impl Iterator<Item = Span> + 'a {
    let today = wall(case.midnight, zone, from).div_euclid(DAY);
    let at = move |day: i64, minute: u32| shows(case.midnight, zone, day * DAY + i64::from(minute) * MINUTE);
    (today - 1..)
        // Day 1 of the common era was a Monday.
        .filter(|day| hours.days.contains(&u8::try_from((day - 1).rem_euclid(7)).expect("a weekday")))
        .map(move |day| Span { from: at(day, hours.opens), to: at(day, hours.closes) })
}

/// Start and end lie in the working hours of one local day.
pub fn inside(case: &Case, hours: &Hours, zone: Tz, slot: Span) -> bool {
    days(case, hours, zone, slot).any(|day| day.holds(slot))
}

/// How many seconds of the slot lie outside the working day it has most in common with.
pub fn outside(case: &Case, hours: &Hours, zone: Tz, slot: Span) -> Time {
    let common = |day: Span| (day.to.min(slot.to) - day.from.max(slot.from)).max(0);
    slot.to - slot.from - days(case, hours, zone, slot).map(common).max().unwrap_or(0)
}
