//! On which clock a time of a calendar stands.

use chrono::NaiveDateTime;
use refresh_core::{Instant, Zone};

use super::{
    content::{ContentLine, Mention},
    own_zones::{OwnZone, OwnZones},
    values::{self, TimeValue},
};
use crate::native::zone::{self, Bound};

/// The clocks of one calendar.
pub struct CalendarClocks<'z> {
    own: &'z OwnZones,
    /// The one of dates, and of times without a zone's name.
    usual: Option<NamedZone<'z>>,
}

/// A zone with what the calendar itself says under its name.
#[derive(Clone, Copy)]
struct NamedZone<'z> {
    zone: Zone,
    own: Option<&'z OwnZone>,
}

impl<'z> CalendarClocks<'z> {
    /// `bound`: the binding's zone, which counts before the one that the calendar names for itself.
    pub fn new(own: &'z OwnZones, bound: Option<Zone>, named: Mention<&ContentLine<'_>>) -> Self {
        let mut clocks = Self { own, usual: None };
        let bound = bound.map(|zone| NamedZone { zone, own: None });
        clocks.usual = bound.or_else(|| clocks.named(named.once()?.value));
        clocks
    }

    fn named(&self, name: &str) -> Option<NamedZone<'z>> {
        Some(NamedZone { zone: zone_of(name)?, own: self.own.named(name) })
    }

    /// A date or a date-time of a line. `None`: none that is whole and of the declared type.
    pub fn time(&self, line: &ContentLine<'_>, item: &str) -> Option<OnClock<'z>> {
        Some(self.on_clock(line, values::time_of(line, item)?))
    }

    /// UTC by its mark, the zone that the line names, or the calendar's own.
    pub fn on_clock(&self, line: &ContentLine<'_>, value: TimeValue) -> OnClock<'z> {
        // A name that is said in two ways is not one that is left out, and a zone of the calendar's own making has rules that
        // nobody here can vouch for: in both cases nobody says which clock.
        let named = match line.said("TZID") {
            Mention::Nothing => self.usual,
            Mention::Once(name) => self.named(name),
            Mention::Twice => None,
        };
        match value {
            TimeValue::Date(day) => OnClock::of(day.and_time(chrono::NaiveTime::MIN), true, named),
            TimeValue::Local(local) => OnClock::of(local, false, named),
            TimeValue::Utc(utc) => {
                let in_utc = NamedZone { zone: Zone::UTC, own: None };
                let at = Instant::from_millis(utc.and_utc().timestamp_millis());
                // RFC 5545 forbids the name beside the mark. Of another zone's name nobody knows which of the two counts.
                let agrees =
                    line.said("TZID") == Mention::Nothing || named.is_some_and(|named| named.zone.offset(at) == 0);
                OnClock::of(utc, false, Some(in_utc).filter(|_| agrees))
            }
        }
    }
}

/// By its name; or by the end of a longer one (`/example.org/Europe/Berlin`).
pub fn zone_of(named: &str) -> Option<Zone> {
    let ends = named.match_indices('/').map(|(at, _)| &named[at + 1..]).filter(|_| !named.contains(','));
    std::iter::once(named).chain(ends).find_map(zone::named)
}

/// A time on some clock.
#[derive(Clone, Copy)]
pub struct OnClock<'z> {
    pub local: NaiveDateTime,
    pub is_date: bool,
    /// `None`: nobody says which clock.
    named: Option<NamedZone<'z>>,
}

impl<'z> OnClock<'z> {
    const fn of(local: NaiveDateTime, is_date: bool, named: Option<NamedZone<'z>>) -> Self {
        Self { local, is_date, named }
    }

    /// When the same clock shows another time.
    pub const fn shown(self, local: NaiveDateTime) -> Self {
        Self { local, ..self }
    }

    /// The zone by its name, whether or not the calendar defines it otherwise.
    pub fn zone(self) -> Option<Zone> {
        self.named.map(|named| named.zone)
    }

    /// The zone, where its name and the calendar's own rules say the same then.
    pub fn clock(self) -> Option<Zone> {
        let named = self.named?;
        let Bound { earliest, latest, .. } = zone::bound(self.local, Some(named.zone));
        Some(named.zone).filter(|_| self.agrees_at(earliest) && self.agrees_at(latest))
    }

    /// Whether the calendar's own rules say nothing else at another instant of the same clock.
    pub fn agrees_at(self, at: Instant) -> bool {
        self.named.is_none_or(|named| named.own.is_none_or(|own| own.agrees(named.zone, at)))
    }

    pub fn bound(self) -> Bound {
        zone::bound(self.local, self.clock())
    }

    /// The one instant that RFC 5545 gives a local time (3.3.5): two entries of a calendar speak of the same occurrence.
    pub fn meant(self) -> Instant {
        self.clock().map_or_else(|| self.bound().earliest, |zone| zone.meaning(self.local).first())
    }

    /// Whether something starts here within an `UNTIL` in UTC.
    pub fn within(self, until: NaiveDateTime) -> bool {
        let instant = Instant::from_millis(until.and_utc().timestamp_millis());
        // RFC 5545 wants a date for days. Some write the last day as midnight in UTC, others its midnight on the clock.
        self.bound().earliest <= instant || self.is_date && self.local.date() <= until.date()
    }
}
