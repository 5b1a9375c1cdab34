//! Working hours on days on which a clock changes, whenever that is: at night, at midnight, by half an hour, or by a whole
//! day. Beside another reader of the zones, and beside a clock on the wall that is looked at every minute.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Timelike};
use chrono_tz::Tz;
use proptest::{
    prelude::*,
    sample::select,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner},
};
use refresh_core::{
    Instant, Interval, Zone,
    base::instant::{DAY, MINUTE},
    choice::working_hours,
    facts::policy::WorkingHours,
};

/// A zone, and days on which its clock changes.
const CHANGES: [(Tz, &[&str]); 10] = [
    (Tz::Europe__Berlin, &["2026-03-29", "2026-10-25"]),
    // In summer its standard time, in winter less.
    (Tz::Europe__Dublin, &["2026-03-29", "2026-10-25"]),
    (Tz::America__New_York, &["2026-03-08", "2026-11-01"]),
    // By half an hour.
    (Tz::Australia__Lord_Howe, &["2026-04-05", "2026-10-04"]),
    // At midnight: a day that begins at one o'clock, and one whose last hour comes twice.
    (Tz::America__Santiago, &["2026-04-04", "2026-09-06"]),
    (Tz::Africa__Cairo, &["2026-04-24", "2026-10-29"]),
    (Tz::Asia__Beirut, &["2026-03-29", "2026-10-24"]),
    // The first hour of a day comes twice.
    (Tz::Atlantic__Azores, &["2026-03-29", "2026-10-25"]),
    // A day that there was not.
    (Tz::Pacific__Apia, &["2011-12-30", "2011-09-24"]),
    (Tz::Asia__Kathmandu, &["2026-07-14"]),
];

#[derive(Clone, Debug)]
struct LocalDays {
    zone: Tz,
    hours: WorkingHours,
    range: Interval,
    minutes: i64,
}

impl LocalDays {
    fn ours(&self) -> Vec<Interval> {
        working_hours::days(&self.hours, zone(self.zone), self.range)
    }

    /// The local time of a minute of a day; minute 1,440 is the next day's first.
    fn wall(day: NaiveDate, minute: u32) -> NaiveDateTime {
        day.and_time(chrono::NaiveTime::MIN) + TimeDelta::minutes(i64::from(minute))
    }

    /// The working time of a local day by the other reader: RFC 5545 takes the first of two, and reads a time that is left
    /// out with the offset before.
    fn expected(&self, day: NaiveDate) -> Option<Interval> {
        let at = |minute| meant(self.zone, Self::wall(day, minute));
        let works = self.hours.days.contains(&(day.weekday().num_days_from_monday() as u8));
        let exists = |working: &Interval| local(self.zone, working.start).date() == day;
        Interval::new(at(self.hours.start), at(self.hours.end)).filter(|working| works && exists(working))
    }

    fn local_days(&self) -> impl Iterator<Item = NaiveDate> {
        let last = local(self.zone, self.range.end).date();
        let first = local(self.zone, self.range.start).date().checked_sub_days(Days::new(1)).expect("a day before");
        first.iter_days().take_while(move |day| *day <= last)
    }
}

fn zone(of: Tz) -> Zone {
    of.name().parse().expect("a zone")
}

fn local(zone: Tz, at: Instant) -> NaiveDateTime {
    DateTime::from_timestamp_millis(at.millis()).expect("a time of this century").with_timezone(&zone).naive_local()
}

fn meant(zone: Tz, wall: NaiveDateTime) -> Instant {
    let instant = |at: DateTime<Tz>| Instant::from_millis(at.timestamp_millis());
    match zone.from_local_datetime(&wall) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => instant(at),
        // No gap is longer than a day.
        LocalResult::None => {
            let before = zone.from_local_datetime(&(wall - TimeDelta::days(1))).earliest().expect("the day before");
            instant(before).plus_millis(DAY)
        }
    }
}

fn days() -> impl Strategy<Value = LocalDays> {
    let place = select(&CHANGES[..]).prop_flat_map(|(zone, days)| (Just(zone), select(days)));
    let hours = prop_oneof![
        Just((0_u32, 96_u32)),
        (0..8_u32, 1..=16_u32).prop_map(|(start, length)| (start, start + length)),
        (84..96_u32, 1..=12_u32).prop_map(|(start, length)| (start, (start + length).min(96))),
        (32..40_u32, 60..76_u32),
    ];
    let working = prop_oneof![Just((0..7).collect::<BTreeSet<u8>>()), proptest::collection::btree_set(0..7_u8, 1..6)];
    (place, hours, working, -1_440..1_440_i64, 1..4_000_i64, 1..900_i64).prop_map(
        |((zone, day), (start, end), days, before, length, minutes)| {
            let noon = Instant::parse(&format!("{day}T12:00:00Z")).expect("a day");
            let from = noon.plus_minutes(before);
            let hours = WorkingHours { start: start * 15, end: end * 15, days };
            let range = Interval { start: from, end: from.plus_minutes(length) };
            LocalDays { zone, hours, range, minutes }
        },
    )
}

fn holds(number: u8, property: impl Fn(&LocalDays) -> Result<(), String>) {
    let config = Config { cases: 300, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[number; 32]));
    let result = runner.run(&days(), |days| property(&days).map_err(TestCaseError::fail));
    if let Err(error) = result {
        panic!("{error}");
    }
}

#[test]
fn each_local_day_has_its_hours_by_that_days_clock() {
    holds(1, |days| {
        let expected: Vec<Interval> = days.local_days().filter_map(|day| days.expected(day)).collect();
        let ours = days.ours();
        if ours != expected {
            return Err(format!("{ours:?}; by the other reader {expected:?}"));
        }
        let apart = ours.windows(2).all(|pair| pair[0].end <= pair[1].start);
        if apart { Ok(()) } else { Err(format!("days that overlap: {ours:?}")) }
    });
}

/// Where the hours themselves begin and end at times that the clock shows once, every minute is one of work exactly if the
/// clock on the wall says so: an hour that comes twice is worked twice, and one that is left out is none.
#[test]
fn every_minute_is_what_the_clock_on_the_wall_says() {
    holds(2, |days| {
        let (ours, hours) = (days.ours(), &days.hours);
        let mut at = Instant::from_millis(days.range.start.millis().div_euclid(MINUTE) * MINUTE);
        while at < days.range.end {
            let shown = local(days.zone, at);
            let once = |minute| {
                let wall = LocalDays::wall(shown.date(), minute);
                matches!(days.zone.from_local_datetime(&wall), LocalResult::Single(_))
            };
            if once(hours.start) && once(hours.end) {
                let minute = shown.hour() * 60 + shown.minute();
                let day = shown.date().weekday().num_days_from_monday() as u8;
                let works = hours.days.contains(&day) && (hours.start..hours.end).contains(&minute);
                let found = ours.iter().any(|day| day.start <= at && at < day.end);
                if works != found {
                    return Err(format!("at {at} the clock shows {shown}: work {works}, found {found}"));
                }
            }
            at = at.plus_minutes(1);
        }
        Ok(())
    });
}

/// The deadline counts what passes of those days, and ends in one of them.
#[test]
fn a_deadline_counts_the_minutes_of_those_days() {
    holds(3, |days| {
        let from = days.range.start;
        let far = from.plus_millis(60 * DAY);
        let deadline = working_hours::deadline(&days.hours, zone(days.zone), from, days.minutes, far);
        let whole = LocalDays { range: Interval { start: from, end: far }, ..days.clone() };
        let passed = |until: Instant| -> i64 {
            let parts = whole.local_days().filter_map(|day| whole.expected(day));
            parts.map(|day| day.end.min(until).since(day.start.max(from)).max(0)).sum::<i64>() / MINUTE
        };
        let (then, before) = (passed(deadline), passed(deadline.plus_minutes(-1)));
        if deadline == far && then < days.minutes || then == days.minutes && before == days.minutes - 1 {
            return Ok(());
        }
        Err(format!("{then} minutes of work until {deadline}, {before} a minute before"))
    });
}

/// The generator is worth nothing where the clocks do not change on the days that it draws.
#[test]
fn on_those_days_the_clocks_do_change() {
    for (zone, days) in &CHANGES[..CHANGES.len() - 1] {
        for day in *days {
            let noon = Instant::parse(&format!("{day}T12:00:00Z")).expect("a day");
            let offset = |at: Instant| local(*zone, at).and_utc().timestamp_millis() - at.millis();
            let [before, after] = [-1, 1].map(|days| offset(noon.plus_millis(days * DAY)));
            assert_ne!(before, after, "{zone} {day}");
        }
    }
}
