//! A deadline in working hours, beside a count of the minutes that a clock on the wall shows: another reader of the zones,
//! and no arithmetic on days.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Timelike};
use chrono_tz::Tz;
use proptest::{
    prelude::*,
    sample::select,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner},
};
use refresh_core::{
    Instant, Zone,
    base::instant::{DAY, MINUTE},
    choice::working_hours,
    facts::policy::WorkingHours,
};

/// Midnights around which some of the zones change their clocks, and one around which none does.
const DAYS: [&str; 7] =
    ["2026-03-06", "2026-03-27", "2026-10-23", "2026-10-30", "2026-04-03", "2026-04-23", "2026-07-14"];
const ZONES: [Tz; 7] = [
    Tz::UTC,
    Tz::Europe__Berlin,
    Tz::America__New_York,
    Tz::Australia__Lord_Howe,
    Tz::Africa__Cairo,
    Tz::Asia__Kathmandu,
    Tz::Pacific__Auckland,
];

#[derive(Clone, Debug)]
struct Asked {
    from: Instant,
    zone: Tz,
    hours: WorkingHours,
    minutes: i64,
}

impl Asked {
    fn deadline(&self, until: Instant) -> Instant {
        let zone: Zone = self.zone.name().parse().expect("a zone");
        working_hours::deadline(&self.hours, zone, self.from, self.minutes, until)
    }

    /// Whether the minute that begins then is one of work.
    fn works(&self, at: Instant) -> bool {
        let local =
            DateTime::from_timestamp_millis(at.millis()).expect("a time of this century").with_timezone(&self.zone);
        let day = u8::try_from(local.weekday().num_days_from_monday()).expect("a weekday");
        let minute = local.hour() * 60 + local.minute();
        self.hours.days.contains(&day) && (self.hours.start..self.hours.end).contains(&minute)
    }
}

fn asked() -> impl Strategy<Value = Asked> {
    let from = (select(&DAYS[..]), 0..4 * 24 * 60_i64).prop_map(|(day, minute)| {
        let midnight = Instant::parse(&format!("{day}T00:00:00Z")).expect("a day");
        midnight.plus_minutes(minute)
    });
    // No hours begin or end while a clock changes: what a time means then is another file's subject.
    let hours = prop_oneof![(0..1_u32, 18..=96_u32), (18..60_u32, 61..=96_u32)];
    let days = prop_oneof![
        Just((0..7).collect::<BTreeSet<u8>>()),
        Just((0..5).collect()),
        proptest::collection::btree_set(0..7_u8, 1..4),
    ];
    (from, select(&ZONES[..]), hours, days, 1..3_000_i64).prop_map(|(from, zone, (start, end), days, minutes)| Asked {
        from,
        zone,
        hours: WorkingHours { start: start * 15, end: end * 15, days },
        minutes,
    })
}

fn holds(number: u8, property: impl Fn(Asked) -> Result<(), String>) {
    let config = Config { cases: 400, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[number; 32]));
    let result = runner.run(&asked(), |asked| property(asked).map_err(TestCaseError::fail));
    if let Err(error) = result {
        panic!("{error}");
    }
}

fn far(from: Instant) -> Instant {
    from.plus_millis(300 * DAY)
}

#[test]
fn exactly_the_minutes_of_work_pass_until_the_deadline() {
    holds(1, |asked| {
        let deadline = asked.deadline(far(asked.from));
        let mut at = asked.from;
        let mut worked = 0;
        while at < deadline {
            worked += i64::from(asked.works(at));
            at = at.plus_minutes(1);
        }
        if worked != asked.minutes {
            return Err(format!("{worked} minutes of work until {deadline}"));
        }
        // The last minute before it is one of work: nobody's deadline is in their night.
        if asked.works(deadline.plus_minutes(-1)) { Ok(()) } else { Err(format!("{deadline} is no time of work")) }
    });
}

#[test]
fn who_is_asked_later_never_has_to_decide_earlier() {
    holds(2, |asked| {
        let later = Asked { from: asked.from.plus_minutes(asked.minutes % 700), ..asked.clone() };
        let until = far(later.from);
        if asked.deadline(until) <= later.deadline(until) { Ok(()) } else { Err("an earlier deadline".to_owned()) }
    });
}

#[test]
fn more_time_is_never_less() {
    holds(3, |asked| {
        let longer = Asked { minutes: asked.minutes + 1, ..asked.clone() };
        let until = far(asked.from);
        if asked.deadline(until) < longer.deadline(until) { Ok(()) } else { Err("no later deadline".to_owned()) }
    });
}

#[test]
fn who_works_always_has_the_minutes_themselves() {
    holds(4, |asked| {
        let hours = WorkingHours { start: 0, end: 24 * 60, days: (0..7).collect() };
        let always = Asked { hours, ..asked };
        let deadline = always.deadline(far(always.from));
        let passed = deadline.since(always.from);
        if passed == always.minutes * MINUTE { Ok(()) } else { Err(format!("{passed} ms passed until {deadline}")) }
    });
}

#[test]
fn it_never_lies_beyond_what_ends_the_time_to_decide_anyway() {
    holds(5, |asked| {
        let whole = asked.deadline(far(asked.from));
        for minutes in [0, 1, 500, 5_000] {
            let until = asked.from.plus_minutes(minutes);
            if asked.deadline(until) != whole.min(until) {
                return Err(format!("{} with {until} as its end", asked.deadline(until)));
            }
        }
        Ok(())
    });
}
