//! Recurrence rules of RFC 5545, expanded inside a horizon.
//!
//! The library counts on a wall clock and knows no zone: the zone's rules are the core's alone, and a second copy of
//! them would be the greatest thing in the program.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, Timelike};
use ical::recur::{IcalRecurDateTime, IcalRecurFreq, IcalRecurRule, expand::IcalRecurExpand};

use super::rule::RuleParts;

/// Occurrences of one payload, those before the horizon included: four people's dailies of ten years.
pub const MOST_OCCURRENCES: usize = 200_000;

/// What is left of [`MOST_OCCURRENCES`].
pub struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(MOST_OCCURRENCES)
    }
}

/// The local starts of a rule's occurrences, from the first one to `last`. `within` says whether a start on the rule's own
/// clock is within an `UNTIL` in UTC. `None`: the rule is not understood, or has more occurrences than may be looked at.
pub fn starts(
    rule: &str,
    first: NaiveDateTime,
    last: NaiveDateTime,
    within: impl Fn(NaiveDateTime, NaiveDateTime) -> bool,
    budget: &mut Budget,
) -> Option<Vec<NaiveDateTime>> {
    let in_utc = RuleParts::of(rule)?.ends_in_utc();
    let mut rule = IcalRecurRule::parse(rule).ok()?;
    // Nobody is engaged anew every minute; what would be looked at is out of all proportion.
    if matches!(rule.freq, IcalRecurFreq::Secondly | IcalRecurFreq::Minutely) {
        return None;
    }
    let mut end_in_utc = None;
    if in_utc && let Some(end) = rule.until {
        let end = naive(end)?;
        // No clock is a day ahead of UTC; occurrences behind the end are taken out below.
        rule.until = Some(civil(end.checked_add_days(Days::new(1))?));
        end_in_utc = Some(end);
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
        let start = naive(occurrence)?;
        if end_in_utc.is_none_or(|end| within(start, end)) {
            starts.push(start);
        }
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

#[cfg(test)]
mod tests {
    use calcard::{common::timezone::Tz, icalendar::ICalendar};

    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").expect("a local date-time")
    }

    fn ours(rule: &str, first: &str, last: &str) -> Option<Vec<String>> {
        let starts = starts(rule, at(first), at(last), |start, end| start <= end, &mut Budget::default())?;
        Some(starts.into_iter().map(|start| start.format("%Y%m%dT%H%M%S").to_string()).collect())
    }

    /// The calendar parser's own expansion, which is another library's: for one rule both must say the same.
    fn theirs(rule: &str, first: &str, last: &str) -> Vec<String> {
        let text = format!(
            "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:{first}\r\nDURATION:PT1H\r\nRRULE:{rule}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        let expanded = ICalendar::parse(&text).expect("a calendar").expand_dates(Tz::Floating, 1_200);
        let mut starts: Vec<NaiveDateTime> = expanded.events.iter().map(|event| event.start.naive_local()).collect();
        starts.retain(|start| *start <= at(last));
        starts.sort();
        let starts: Vec<String> = starts.iter().map(|start| start.format("%Y%m%dT%H%M%S").to_string()).collect();
        starts
    }

    #[test]
    fn two_libraries_expand_a_rule_alike() {
        let (first, last) = ("20260105T093000", "20261001T000000");
        let mut compared = 0;
        for freq in ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"] {
            for interval in ["1", "2", "3", "7"] {
                for part in [
                    "",
                    ";BYDAY=MO",
                    ";BYDAY=MO,WE,FR",
                    ";BYDAY=SU,SA;WKST=SU",
                    ";BYMONTHDAY=1,15",
                    ";BYMONTHDAY=-1",
                    ";BYMONTH=1,6,11",
                    ";BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
                    ";BYDAY=2TU",
                    ";BYDAY=-1FR",
                    ";BYHOUR=9,17;BYMINUTE=0,30",
                    ";COUNT=11",
                    ";UNTIL=20260401T093000",
                ] {
                    let ordinal = part.contains("2TU") || part.contains("-1FR");
                    let unlawful = ordinal && !matches!(freq, "MONTHLY" | "YEARLY")
                        || part.contains("MONTHDAY") && freq == "WEEKLY";
                    if unlawful {
                        continue;
                    }
                    let rule = format!("FREQ={freq};INTERVAL={interval}{part}");
                    let mut ours = ours(&rule, first, last).unwrap_or_else(|| panic!("{rule} is not understood"));
                    let theirs = theirs(&rule, first, last);
                    // The first is one here, whether or not the rule makes it.
                    if theirs.first().map(String::as_str) != Some(first) {
                        ours.remove(0);
                    }
                    assert_eq!(ours, theirs, "{rule}");
                    compared += 1;
                }
            }
        }
        assert!(compared > 150, "{compared}");
    }

    #[test]
    fn what_is_not_understood_is_nothing_at_all() {
        let (first, last) = ("20260105T093000", "20270601T000000");
        for rule in [
            "",
            "FREQ=FORTNIGHTLY",
            "INTERVAL=2",
            "FREQ=DAILY;RSCALE=HEBREW",
            "FREQ=DAILY;BYEASTER=0",
            "FREQ=DAILY;INTERVAL=0",
            "FREQ=DAILY;COUNT=0",
            "FREQ=DAILY;COUNT=-1",
            "FREQ=DAILY;COUNT=",
            "FREQ=DAILY;BYDAY=XX",
            "FREQ=SECONDLY",
            "FREQ=MINUTELY;COUNT=2",
            "FREQ=DAILY;UNTIL=tomorrow",
            "FREQ=MONTHLY;BYYEARDAY=307",
            "FREQ=YEARLY;BYWEEKNO=45;BYDAY=1TU",
            "FREQ=YEARLY;BYDAY=54TU",
            "FREQ",
        ] {
            assert_eq!(ours(rule, first, last), None, "{rule}");
        }
        assert_eq!(ours("FREQ=HOURLY", "19000101T000000", "20270101T000000"), None, "more than may be looked at");
    }

    #[test]
    fn bounds_are_part_of_a_rule() {
        assert_eq!(
            ours("FREQ=DAILY;UNTIL=20260107", "20260105T093000", "20270101T000000").map(|starts| starts.len()),
            Some(3),
            "a date alone is the whole of that day"
        );
        assert_eq!(ours("FREQ=DAILY", "20260105T093000", "20260104T000000"), Some(Vec::new()), "before the first");
        assert_eq!(
            ours("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "20260105T093000", "20990101T000000").map(|s| s.len()),
            Some(1)
        );
    }
}
