//! Recurrence rules of RFC 5545, expanded inside a horizon.
//!
//! The library counts on a wall clock and knows no zone: the zone's rules are the core's alone, and a second copy of
//! them would be the greatest thing in the program.

use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};
use ical::recur::{IcalRecurDateTime, IcalRecurFreq, IcalRecurRule, expand::IcalRecurExpand};

/// Occurrences of one payload, those before the horizon included: four people's dailies of ten years.
pub const MOST_OCCURRENCES: usize = 200_000;

/// The parts of a rule that are understood. A rule with another part recurs in another way than it would seem.
const PARTS: [&str; 14] = [
    "FREQ",
    "UNTIL",
    "COUNT",
    "INTERVAL",
    "BYSECOND",
    "BYMINUTE",
    "BYHOUR",
    "BYDAY",
    "BYMONTHDAY",
    "BYYEARDAY",
    "BYWEEKNO",
    "BYMONTH",
    "BYSETPOS",
    "WKST",
];

/// What is left of [`MOST_OCCURRENCES`].
pub struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(MOST_OCCURRENCES)
    }
}

/// The local starts of a rule's occurrences, from the first one to `last`. `until` says what an `UNTIL` in UTC is on the
/// rule's own clock. `None`: the rule is not understood, or has more occurrences than may be looked at.
pub fn starts(
    rule: &str,
    first: NaiveDateTime,
    last: NaiveDateTime,
    until: impl Fn(NaiveDateTime) -> NaiveDateTime,
    budget: &mut Budget,
) -> Option<Vec<NaiveDateTime>> {
    let mut in_utc = false;
    for part in rule.trim_end_matches(';').split(';') {
        let (name, value) = part.split_once('=')?;
        let name = name.trim().to_ascii_uppercase();
        if !PARTS.contains(&name.as_str()) {
            return None;
        }
        in_utc |= name == "UNTIL" && value.trim().ends_with(['Z', 'z']);
    }
    let mut rule = IcalRecurRule::parse(rule).ok()?;
    // Nobody is engaged anew every minute; what would be looked at is out of all proportion.
    if matches!(rule.freq, IcalRecurFreq::Secondly | IcalRecurFreq::Minutely) {
        return None;
    }
    if in_utc && let Some(end) = rule.until {
        rule.until = Some(civil(until(naive(end)?)));
    }
    // A date alone is the whole of that day.
    if let Some(end) = &mut rule.until
        && (end.hour, end.minute, end.second) == (0, 0, 0)
        && !in_utc
    {
        (end.hour, end.minute, end.second) = (23, 59, 59);
    }
    let last = civil(last);
    rule.until = Some(rule.until.map_or(last, |until| until.min(last)));
    let mut starts = Vec::new();
    for occurrence in IcalRecurExpand::new(rule, civil(first)) {
        budget.0 = budget.0.checked_sub(1)?;
        starts.push(naive(occurrence)?);
    }
    // The first is one whether or not the rule makes it.
    if starts.first() != Some(&first) && first <= naive(last)? {
        starts.insert(0, first);
    }
    Some(starts)
}

fn civil(at: NaiveDateTime) -> IcalRecurDateTime {
    let small = |number: u32| u8::try_from(number).unwrap_or(0);
    IcalRecurDateTime {
        year: at.year(),
        month: small(at.month()),
        day: small(at.day()),
        hour: small(at.hour()),
        minute: small(at.minute()),
        second: small(at.second()),
    }
}

fn naive(at: IcalRecurDateTime) -> Option<NaiveDateTime> {
    let date = NaiveDate::from_ymd_opt(at.year, u32::from(at.month), u32::from(at.day))?;
    date.and_hms_opt(u32::from(at.hour), u32::from(at.minute), u32::from(at.second.min(59)))
}
