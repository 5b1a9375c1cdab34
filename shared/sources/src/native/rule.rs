//! The parts of a recurrence rule, and what RFC 5545 (3.3.10) lets stand in them.
//!
//! The library that expands rules passes over unlawful parts, or finds no occurrence. The author of such a rule meant some
//! occurrence, so the rule is not understood.

use std::{collections::BTreeMap, ops::RangeInclusive};

use chrono::{NaiveDate, NaiveDateTime};

const FREQUENCIES: [&str; 7] = ["SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"];
const WEEKDAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

/// What a part may be.
enum Lawful {
    OneOf(&'static [&'static str]),
    End,
    /// One number.
    Number(RangeInclusive<u32>),
    /// Numbers, which may count from the end where `signed`.
    Numbers {
        range: RangeInclusive<u32>,
        signed: bool,
    },
    Weekdays,
}

/// The parts that are understood. A rule with another part recurs in another way than it would seem.
const PARTS: [(&str, Lawful); 14] = [
    ("FREQ", Lawful::OneOf(&FREQUENCIES)),
    ("UNTIL", Lawful::End),
    // A rule of no occurrence at all is no rule: its event would leave its person free for ever.
    ("COUNT", Lawful::Number(1..=u32::MAX)),
    ("INTERVAL", Lawful::Number(1..=u32::MAX)),
    ("BYSECOND", Lawful::Numbers { range: 0..=60, signed: false }),
    ("BYMINUTE", Lawful::Numbers { range: 0..=59, signed: false }),
    ("BYHOUR", Lawful::Numbers { range: 0..=23, signed: false }),
    ("BYDAY", Lawful::Weekdays),
    ("BYMONTHDAY", Lawful::Numbers { range: 1..=31, signed: true }),
    ("BYYEARDAY", Lawful::Numbers { range: 1..=366, signed: true }),
    ("BYWEEKNO", Lawful::Numbers { range: 1..=53, signed: true }),
    ("BYMONTH", Lawful::Numbers { range: 1..=12, signed: false }),
    ("BYSETPOS", Lawful::Numbers { range: 1..=366, signed: true }),
    ("WKST", Lawful::OneOf(&WEEKDAYS)),
];

/// The pairs that the table of RFC 5545 calls not applicable.
const NOT_APPLICABLE: [(&str, &[&str]); 3] = [
    ("BYWEEKNO", &["SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY"]),
    ("BYYEARDAY", &["DAILY", "WEEKLY", "MONTHLY"]),
    ("BYMONTHDAY", &["WEEKLY"]),
];

/// Which weeks of a year or of a month there are.
const WEEKS_OF_A_YEAR: u32 = 53;
const WEEKS_OF_A_MONTH: u32 = 5;

/// A lawful rule's parts, by their names in upper case.
pub struct RuleParts<'r>(BTreeMap<String, &'r str>);

impl<'r> RuleParts<'r> {
    /// `None`: the rule is not lawful, or has a part that nobody here knows.
    pub fn of(rule: &'r str) -> Option<Self> {
        let mut parts = BTreeMap::new();
        for part in rule.trim_end_matches(';').split(';') {
            let (name, value) = part.split_once('=')?;
            let name = name.to_ascii_uppercase();
            let (_, lawful) = PARTS.iter().find(|(known, _)| *known == name)?;
            // Said twice, it may be said in two ways.
            if !lawful.allows(value) || parts.insert(name, value).is_some() {
                return None;
            }
        }
        Some(Self(parts)).filter(Self::fit)
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether the rule ends at an instant, and not on somebody's clock.
    pub fn ends_in_utc(&self) -> bool {
        self.0.get("UNTIL").is_some_and(|end| end.ends_with(['Z', 'z']))
    }

    /// Whether the parts may stand beside each other.
    fn fit(&self) -> bool {
        let Some(frequency) = self.0.get("FREQ").map(|word| word.to_ascii_uppercase()) else { return false };
        let applies = NOT_APPLICABLE.iter().all(|(part, with)| !self.has(part) || !with.contains(&frequency.as_str()));
        // A rule may have one end: of two, nobody knows which was meant.
        let one_end = !(self.has("UNTIL") && self.has("COUNT"));
        let chosen_from = self.0.keys().any(|name| name.starts_with("BY") && name != "BYSETPOS");
        applies && one_end && (chosen_from || !self.has("BYSETPOS")) && self.weeks_fit(&frequency)
    }

    /// `2TU` is the second Tuesday of a month or a year, and of nothing else.
    fn weeks_fit(&self, frequency: &str) -> bool {
        let most = match frequency {
            "MONTHLY" => WEEKS_OF_A_MONTH,
            "YEARLY" if self.has("BYMONTH") => WEEKS_OF_A_MONTH,
            "YEARLY" if !self.has("BYWEEKNO") => WEEKS_OF_A_YEAR,
            _ => 0,
        };
        let days = self.0.get("BYDAY").into_iter().flat_map(|days| days.split(','));
        days.filter_map(weekday).flatten().all(|week| week <= most)
    }
}

impl Lawful {
    fn allows(&self, value: &str) -> bool {
        match self {
            Self::OneOf(words) => words.contains(&value.to_ascii_uppercase().as_str()),
            Self::End => is_end(value),
            Self::Number(range) => number(value).is_some_and(|number| range.contains(&number)),
            Self::Numbers { range, signed } => value.split(',').all(|item| {
                let bare = if *signed { unsigned(item) } else { item };
                number(bare).is_some_and(|number| range.contains(&number))
            }),
            Self::Weekdays => value.split(',').all(|day| weekday(day).is_some()),
        }
    }
}

fn unsigned(item: &str) -> &str {
    item.strip_prefix(['+', '-']).unwrap_or(item)
}

/// Digits alone: the parser of numbers takes a sign.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// `TU`, `2TU`, `-1TU`: the week that is named, if one is. `None`: no weekday.
fn weekday(item: &str) -> Option<Option<u32>> {
    let at = item.len().checked_sub(2).filter(|at| item.is_char_boundary(*at))?;
    let (week, day) = item.split_at(at);
    if !WEEKDAYS.contains(&day.to_ascii_uppercase().as_str()) {
        return None;
    }
    if week.is_empty() {
        return Some(None);
    }
    number(unsigned(week)).filter(|week| (1..=WEEKS_OF_A_YEAR).contains(week)).map(Some)
}

/// `20261103`, `20261103T093000`, `20261103T093000Z`. The parser of dates takes signs and blanks for digits.
fn is_end(value: &str) -> bool {
    let value = value.strip_suffix(['Z', 'z']).filter(|rest| rest.len() > 8).unwrap_or(value);
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match value.split_once(['T', 't']) {
        None => value.len() == 8 && digits(value) && NaiveDate::parse_from_str(value, "%Y%m%d").is_ok(),
        Some((day, time)) => {
            let whole = (day.len(), time.len()) == (8, 6) && digits(day) && digits(time);
            whole && NaiveDateTime::parse_from_str(&format!("{day}{time}"), "%Y%m%d%H%M%S").is_ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_is_not_applicable_makes_no_rule() {
        for frequency in FREQUENCIES {
            for (part, value) in [
                ("BYMONTH", "11"),
                ("BYWEEKNO", "45"),
                ("BYYEARDAY", "307"),
                ("BYMONTHDAY", "3"),
                ("BYDAY", "TU"),
                ("BYHOUR", "9"),
                ("BYMINUTE", "30"),
                ("BYSECOND", "0"),
            ] {
                // The table of RFC 5545, 3.3.10.
                let applies = match (part, frequency) {
                    ("BYWEEKNO", frequency) => frequency == "YEARLY",
                    ("BYYEARDAY", frequency) => !matches!(frequency, "DAILY" | "WEEKLY" | "MONTHLY"),
                    ("BYMONTHDAY", frequency) => frequency != "WEEKLY",
                    _ => true,
                };
                let rule = format!("FREQ={frequency};{part}={value}");
                assert_eq!(RuleParts::of(&rule).is_some(), applies, "{rule}");
            }
            let rule = format!("FREQ={frequency};BYDAY=2TU");
            assert_eq!(RuleParts::of(&rule).is_some(), matches!(frequency, "MONTHLY" | "YEARLY"), "{rule}");
        }
    }

    #[test]
    fn a_value_out_of_its_range_makes_no_rule() {
        for (part, good, bad) in [
            ("YEARLY;BYMONTH", "1,12", "0 13 -1 +1 1,13 x 1, ,1"),
            ("YEARLY;BYWEEKNO", "1,53,-53,+2", "0 54 -54 --1 1.5"),
            ("YEARLY;BYYEARDAY", "1,366,-366", "0 367 -367"),
            ("YEARLY;BYMONTHDAY", "1,31,-31", "0 32 -32"),
            ("YEARLY;BYDAY", "53TU,-53mo,+1WE", "54TU 0TU -54TU T TUE 1 1.TU ä"),
            ("YEARLY;BYMONTH=11;BYDAY", "5TU", "6TU -6TU"),
            ("YEARLY;BYWEEKNO=45;BYDAY", "TU", "1TU"),
            ("MONTHLY;BYDAY", "5TU,-5TU", "6TU 53TU"),
            ("DAILY;BYHOUR", "0,23", "24 25 -1"),
            ("DAILY;BYMINUTE", "0,59", "60 -1"),
            ("DAILY;BYSECOND", "0,60", "61 -1"),
            ("DAILY;BYHOUR=9;BYSETPOS", "1,366,-366", "0 367 -367"),
            ("DAILY;INTERVAL", "1", "0 -1 +1 1.0 99999999999"),
            ("DAILY;COUNT", "1", "0 -1 +1"),
            ("DAILY;WKST", "su", "XX 1MO MO,TU"),
            ("DAILY;UNTIL", "20261103", "20261131 2026110 20261103Z 20261103T093000ZZ tomorrow 2026-11-03"),
            (
                "DAILY;UNTIL",
                "20261103T093000Z",
                "20261103T250000 20261103T0930 20261103T093000+01 +0261103T093000Z 20261103T+93000",
            ),
        ] {
            assert!(RuleParts::of(&format!("FREQ={part}={good}")).is_some(), "{part}={good}");
            for bad in bad.split(' ').chain([""]) {
                assert!(RuleParts::of(&format!("FREQ={part}={bad}")).is_none(), "{part}={bad}");
            }
        }
        for rule in
            ["FREQ=DAILY;BYSETPOS=5", "BYDAY=TU", "FREQ=DAILY;; ;", "FREQ=DAILY; COUNT=2", "FREQ=DAILY;FREQ=DAILY"]
        {
            assert!(RuleParts::of(rule).is_none(), "{rule}");
        }
    }
}
