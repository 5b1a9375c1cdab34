//! How long something lasts that starts on a clock, while clocks are set forward and back.

use chrono::{Duration, NaiveDateTime};
use refresh_core::{Instant, Interval, Zone};

use super::zone::{self, Bound};

/// Longer than from the first to the last day of any calendar here. A longer time has no end that can be reckoned.
const LONGEST_DAYS: i64 = 10_000 * 366;

/// How long something lasts. Where systems differ in how they read an end, the latest end counts: free is only what is
/// free either way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lasting([EndReading; 2]);

/// First the clock shows so much more, then so much time passes, whatever the clock does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct EndReading {
    on_clock: Duration,
    exact: Duration,
}

impl Lasting {
    /// To where the clock of the start shows the end.
    pub fn on_clock(on_clock: Duration) -> Option<Self> {
        lawful(on_clock)?;
        Some(Self([EndReading { on_clock, exact: Duration::zero() }; 2]))
    }

    /// So much time, whatever the clock does.
    pub fn exactly(exact: Duration) -> Option<Self> {
        lawful(exact)?;
        Some(Self([EndReading { on_clock: Duration::zero(), exact }; 2]))
    }

    /// RFC 5545, 3.3.6: days pass on the clock, hours are exact time. Some programs write a day as `PT24H`, so all of
    /// it may be meant on the clock as well.
    pub fn days_and_time(days: Duration, time: Duration) -> Option<Self> {
        let whole = days.checked_add(&time)?;
        lawful(whole)?;
        Some(Self([
            EndReading { on_clock: days, exact: time },
            EndReading { on_clock: whole, exact: Duration::zero() },
        ]))
    }

    /// Each recurrence of something that once lasted from one instant to another. RFC 5545, 3.8.5.3, gives each the
    /// same exact time; systems that keep a pattern (Outlook) let each end at the same time of the clock.
    pub fn recurring(self, first: (Instant, Instant)) -> Self {
        let exact = Duration::milliseconds(first.1.since(first.0));
        match lawful(exact) {
            Some(()) => Self([self.0[0], EndReading { on_clock: Duration::zero(), exact }]),
            None => self,
        }
    }

    /// The time that begins then. `None`: no time at all.
    pub fn from(self, start: NaiveDateTime, zone: Option<Zone>) -> Option<Interval> {
        let begins = zone::bound(start, zone);
        let ends = self.0.map(|reading| reading.end(start, zone));
        ends.into_iter().filter_map(|end| zone::between(begins, end)).max_by_key(|time| time.end)
    }
}

impl EndReading {
    fn end(self, start: NaiveDateTime, zone: Option<Zone>) -> Bound {
        let Bound { earliest, latest, .. } = zone::bound(start + self.on_clock, zone);
        let later = |at: Instant| at.plus_millis(self.exact.num_milliseconds());
        Bound { earliest: later(earliest), latest: later(latest), sure: true, skipped: false }
    }
}

/// An end before the start is no time at all, and so might be free; nobody meant that.
fn lawful(length: Duration) -> Option<()> {
    (Duration::zero()..=Duration::days(LONGEST_DAYS)).contains(&length).then_some(())
}
