//! Sixty people: their zones, how their calendars are asked and read, and how soon they decide.

use chrono::{Datelike, Duration, TimeZone, Timelike, Utc, Weekday};
use chrono_tz::Tz;
use fastrand::Rng;

use crate::{HOUR, MINUTE};

/// How the calendar service answers for somebody, and how often it is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Feed {
    pub every: i64,
    /// Runs of touching entries in the place of entries.
    pub merged: bool,
}

/// How soon somebody who is asked decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pace {
    /// Minutes.
    Prompt,
    /// Hours.
    Late,
    Never,
}

#[derive(Clone, Debug)]
pub struct Somebody {
    pub address: String,
    pub zone: Tz,
    pub feed: Feed,
    pub pace: Pace,
    /// Minutes until the calendar program takes what came by mail, at most.
    pub takes_within: i64,
}

/// Who can stand in for whom: people of one trade.
pub const TRADES: [(&str, usize); 7] =
    [("rm", 6), ("sec", 7), ("dba", 7), ("sre", 8), ("so", 12), ("deputy", 12), ("guest", 8)];

/// Where the people of a trade sit, in turn.
const ZONES: [Tz; 8] = [
    Tz::Europe__Berlin,
    Tz::America__New_York,
    Tz::Europe__Berlin,
    Tz::Europe__London,
    Tz::America__New_York,
    Tz::Europe__Berlin,
    Tz::Asia__Kolkata,
    Tz::Europe__Berlin,
];

pub fn everybody(rng: &mut Rng) -> Vec<Somebody> {
    let mut people = Vec::new();
    for (trade, count) in TRADES {
        for index in 0..count {
            let zone = ZONES[index % ZONES.len()];
            let feed = Feed { every: [15, 15, 15, 60][rng.usize(..4)] * MINUTE, merged: rng.bool() };
            let pace = match rng.u8(..10) {
                0..=5 => Pace::Prompt,
                6..=8 => Pace::Late,
                _ => Pace::Never,
            };
            let takes_within = [2, 2, 2, 2, 90, 90, 600][rng.usize(..7)];
            people.push(Somebody {
                address: format!("{trade}-{}@example.com", index + 1),
                zone,
                feed,
                pace,
                takes_within,
            });
        }
    }
    people
}

/// The people of a trade, by number.
pub fn of_trade(trade: &str) -> std::ops::Range<usize> {
    let mut first = 0;
    for (name, count) in TRADES {
        if name == trade {
            return first..first + count;
        }
        first += count;
    }
    0..0
}

impl Somebody {
    /// Whether the whole of it lies in one working day of theirs.
    pub fn at_work(&self, from: i64, to: i64, opens: u32, closes: u32) -> bool {
        let (from, to) = (local(self.zone, from), local(self.zone, to));
        let minute = |at: &chrono::DateTime<Tz>| at.hour() * 60 + at.minute();
        from.date_naive() == to.date_naive()
            && !matches!(from.weekday(), Weekday::Sat | Weekday::Sun)
            && minute(&from) >= opens * 60
            && minute(&to) <= closes * 60
    }

    /// `at`, or the next time at which they sit at their desk.
    pub fn next_at_desk(&self, at: i64) -> i64 {
        let mut at = at;
        while !self.at_work(at, at, 8, 18) {
            at += 10 * MINUTE;
        }
        at
    }

    /// Midnight of the local day of `at`.
    pub fn midnight(&self, at: i64) -> i64 {
        let day = local(self.zone, at).date_naive().and_hms_opt(0, 0, 0).expect("midnight");
        let utc = self.zone.from_local_datetime(&day).earliest();
        utc.map_or(at, |utc| (utc.with_timezone(&Utc) + Duration::zero()).timestamp_millis())
    }

    /// When they decide what they were asked at `asked`.
    pub fn decides_at(&self, asked: i64, rng: &mut Rng) -> Option<i64> {
        let wait = match self.pace {
            Pace::Prompt => rng.i64(3..35) * MINUTE,
            Pace::Late => rng.i64(2..6) * HOUR,
            Pace::Never => return None,
        };
        Some(self.next_at_desk(asked + wait))
    }
}

fn local(zone: Tz, at: i64) -> chrono::DateTime<Tz> {
    Utc.timestamp_millis_opt(at).single().expect("a time of this century").with_timezone(&zone)
}
