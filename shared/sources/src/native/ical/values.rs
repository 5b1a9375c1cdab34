//! Values of iCalendar as RFC 5545 (3.3.4 to 3.3.9, 3.3.14) writes them, read whole.
//!
//! Calendar parsers take the beginning of a value that they understand and drop the rest: a second period behind a wrong
//! separator, the minutes of an hour, the mark of UTC behind a fraction. What is dropped is busy time. So a value is one
//! of the grammar's from its first character to its last, or none.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use super::content::{ContentLine, Mention};

/// A `DATE` or a `DATE-TIME`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeValue {
    Date(NaiveDate),
    /// On a clock that the value does not name.
    Local(NaiveDateTime),
    Utc(NaiveDateTime),
}

/// A `DURATION`. Weeks and days pass on the clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DurationValue {
    pub negative: bool,
    pub days: i64,
    pub seconds: i64,
}

/// A `PERIOD`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PeriodValue {
    pub start: TimeValue,
    pub end: PeriodEnd,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PeriodEnd {
    At(TimeValue),
    After(DurationValue),
}

impl DurationValue {
    pub const fn is_zero(self) -> bool {
        self.days == 0 && self.seconds == 0
    }

    /// Exact time, a day of 24 hours. `None`: more than can be counted.
    pub fn as_seconds(self) -> Option<i64> {
        let seconds = self.days.checked_mul(24 * 60 * 60)?.checked_add(self.seconds)?;
        Some(if self.negative { -seconds } else { seconds })
    }
}

/// So many digits and nothing else.
fn digits(text: &str, length: usize) -> Option<u32> {
    let whole = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| whole)
}

fn date(text: &str) -> Option<NaiveDate> {
    digits(text, 8)?;
    NaiveDate::from_ymd_opt(text[..4].parse().ok()?, digits(&text[4..6], 2)?, digits(&text[6..], 2)?)
}

/// `HHMMSS`. A leap second is the one before it.
fn time_of_day(text: &str) -> Option<NaiveTime> {
    digits(text, 6)?;
    let second = digits(&text[4..], 2).filter(|second| *second <= 60)?;
    NaiveTime::from_hms_opt(digits(&text[..2], 2)?, digits(&text[2..4], 2)?, second.min(59))
}

/// A date, or a date-time. Letters are of either case (RFC 5234).
pub fn time(text: &str) -> Option<TimeValue> {
    let Some((day, rest)) = text.split_once(['T', 't']) else { return date(text).map(TimeValue::Date) };
    let utc = rest.strip_suffix(['Z', 'z']);
    let local = date(day)?.and_time(time_of_day(utc.unwrap_or(rest))?);
    Some(if utc.is_some() { TimeValue::Utc(local) } else { TimeValue::Local(local) })
}

/// Weeks alone; or days, hours, minutes and seconds in this order, each once.
pub fn duration(text: &str) -> Option<DurationValue> {
    let negative = text.starts_with('-');
    let text = text.strip_prefix(['+', '-']).unwrap_or(text).to_ascii_uppercase();
    let text = text.strip_prefix('P')?;
    let (days, time) = text.split_once('T').map_or((text, None), |(days, time)| (days, Some(time)));
    let mut value = DurationValue { negative, days: 0, seconds: 0 };
    match (days, time) {
        ("", None) => return None,
        ("", Some(_)) => {}
        (weeks, None) if weeks.ends_with('W') => {
            value.days = counted(weeks.strip_suffix('W')?)?.checked_mul(7)?;
        }
        (days, _) => value.days = counted(days.strip_suffix('D')?)?,
    }
    if let Some(time) = time {
        value.seconds = time_of_duration(time)?;
    }
    Some(value)
}

fn time_of_duration(text: &str) -> Option<i64> {
    let (mut rest, mut seconds) = (text, 0_i64);
    for (unit, length) in [('H', 3_600), ('M', 60), ('S', 1)] {
        if let Some((number, behind)) = rest.split_once(unit) {
            seconds = counted(number)?.checked_mul(length)?.checked_add(seconds)?;
            rest = behind;
        }
    }
    (rest.is_empty() && !text.is_empty()).then_some(seconds)
}

fn counted(text: &str) -> Option<i64> {
    let whole = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| whole)
}

/// Two date-times, or a date-time and a duration that is not negative.
pub fn period(text: &str) -> Option<PeriodValue> {
    let (start, end) = text.split_once('/')?;
    let of_day = |value: TimeValue| !matches!(value, TimeValue::Date(_));
    let start = time(start).filter(|start| of_day(*start))?;
    let after = || duration(end).filter(|duration| !duration.negative).map(PeriodEnd::After);
    let at = time(end).filter(|end| of_day(*end)).map(PeriodEnd::At);
    Some(PeriodValue { start, end: at.or_else(after)? })
}

/// `+0100` or `-023000`, in seconds.
pub fn offset(text: &str) -> Option<i32> {
    let (sign, number) = match text.split_at_checked(1)? {
        ("+", number) => (1, number),
        ("-", number) => (-1, number),
        _ => return None,
    };
    let seconds = if number.len() == 6 { digits(&number[4..], 2)? } else { 0 };
    let (hours, minutes) = (digits(number.get(..2)?, 2)?, digits(number.get(2..4)?, 2)?);
    let lawful = matches!(number.len(), 4 | 6) && hours < 24 && minutes < 60 && seconds < 60;
    i32::try_from(hours * 3_600 + minutes * 60 + seconds).ok().filter(|_| lawful).map(|offset| sign * offset)
}

/// The items of a list. Any other separator than `,` is a part of an item, which then is none of the grammar's.
pub fn items<'a>(line: &ContentLine<'a>) -> impl Iterator<Item = &'a str> + use<'a> {
    line.value.split(',').map(str::trim)
}

/// Whether a line declares one of these types, or none.
pub fn is_of_type(line: &ContentLine<'_>, types: &[&str]) -> bool {
    match line.said("VALUE") {
        Mention::Nothing => true,
        Mention::Once(declared) => types.iter().any(|known| declared.eq_ignore_ascii_case(known)),
        Mention::Twice => false,
    }
}

/// A date or a date-time of a line that declares the type that it is. A date without its declaration is one all the same.
pub fn time_of(line: &ContentLine<'_>, item: &str) -> Option<TimeValue> {
    let value = time(item)?;
    let types: &[&str] = match value {
        TimeValue::Date(_) => &["DATE"],
        TimeValue::Local(_) | TimeValue::Utc(_) => &["DATE-TIME"],
    };
    is_of_type(line, types).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_whole_or_not_at_all() {
        for (text, is) in [
            ("20261104", true),
            ("20261104T080000", true),
            ("20261104T080000Z", true),
            ("20261104t080000z", true),
            ("20261231T235960Z", true),
            ("", false),
            ("2026110", false),
            ("202611040", false),
            ("20261131", false),
            ("2026-11-04", false),
            ("20261104T", false),
            ("20261104TZ", false),
            ("20261104Z", false),
            ("20261104T08Z", false),
            ("20261104T0800Z", false),
            ("20261104T080000.000Z", false),
            ("20261104T080000,000Z", false),
            ("20261104T080000000Z", false),
            ("20261104T080000ZZ", false),
            ("20261104T080000UTC", false),
            ("20261104T080000EST", false),
            ("20261104T080000+0100", false),
            ("20261104T080000 Z", false),
            ("20261104T240000Z", false),
            ("20261104T086000Z", false),
            ("20261104T080061Z", false),
            ("20261104 080000Z", false),
            ("20261104T080000Z/PT1H", false),
            ("+0261104T080000Z", false),
            ("２０２６1104", false),
        ] {
            assert_eq!(time(text).is_some(), is, "{text}");
        }
        assert_eq!(time("20261104T080000Z"), time("20261104t080000z"));
    }

    #[test]
    fn a_duration_is_what_the_grammar_makes_of_all_of_it() {
        for (text, seconds) in [
            ("PT1H", Some(3_600)),
            ("pt1h", Some(3_600)),
            ("+PT15M", Some(900)),
            ("-PT15M", Some(-900)),
            ("P1W", Some(604_800)),
            ("P1DT2H3M4S", Some(93_784)),
            ("P0D", Some(0)),
            ("PT0S", Some(0)),
            ("PT1H30S", Some(3_630)),
            ("PT36H", Some(129_600)),
            ("", None),
            ("P", None),
            ("PT", None),
            ("P1DT", None),
            ("P1", None),
            ("1H", None),
            ("P1H", None),
            ("P1M", None),
            ("P1Y", None),
            ("P3M", None),
            ("PT1D", None),
            ("P1W2D", None),
            ("P2DT1W", None),
            ("PT1H30", None),
            ("PT30M1H", None),
            ("PT1H1H", None),
            ("P1MT5H", None),
            ("PT1.5H", None),
            ("PT1H ", None),
            ("P1D1D", None),
            ("P-1D", None),
            ("PTH", None),
            ("PT1H;PT1H", None),
            ("P99999999999999999999D", None),
        ] {
            assert_eq!(duration(text).and_then(DurationValue::as_seconds), seconds, "{text}");
        }
    }

    #[test]
    fn a_period_has_two_ends_and_no_third() {
        for (text, is) in [
            ("20261104T080000Z/PT1H", true),
            ("20261104T080000Z/20261104T090000Z", true),
            ("20261104T080000/20261104T090000", true),
            ("20261104T080000Z", false),
            ("20261104T080000Z/", false),
            ("20261104T080000Z/-PT1H", false),
            ("20261104/P1D", false),
            ("20261104T080000Z/20261104", false),
            ("20261104T080000Z/20261104T090000Z/20261104T130000Z", false),
            ("20261104T080000Z/PT1H;20261104T100000Z/PT3H", false),
            ("20261104T080000Z/PT1H|20261104T100000Z/PT3H", false),
            ("20261104T080000Z/PT1H\\", false),
        ] {
            assert_eq!(period(text).is_some(), is, "{text}");
        }
    }

    #[test]
    fn an_offset_has_a_sign_hours_and_minutes() {
        for (text, seconds) in [
            ("+0100", Some(3_600)),
            ("-0330", Some(-12_600)),
            ("+005328", Some(3_208)),
            ("-0000", Some(0)),
            ("0100", None),
            ("+1", None),
            ("+01:00", None),
            ("+01000", None),
            ("+2500", None),
            ("+0160", None),
            ("", None),
            ("é100", None),
        ] {
            assert_eq!(offset(text), seconds, "{text}");
        }
    }
}
