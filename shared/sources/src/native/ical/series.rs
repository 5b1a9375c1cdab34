//! One event of a calendar: what it says, and when it and its recurrences are.

use std::collections::{BTreeMap, BTreeSet};

use calcard::{
    common::PartialDateTime,
    icalendar::{
        ICalendarComponent, ICalendarDuration, ICalendarEntry, ICalendarParameterName, ICalendarPeriod,
        ICalendarProperty, ICalendarValue,
    },
};
use chrono::{Duration, NaiveDateTime};
use refresh_core::{
    Instant, Interval, Person, Zone,
    base::instant::{DAY, SECOND},
};

use super::{names_of, parameter};
use crate::native::{
    binding::Poll,
    lasting::Lasting,
    recurrence::{self, Budget},
    rule::RuleParts,
    zone::{self, Bound},
};

const TIMED: [&str; 3] = ["BYHOUR", "BYMINUTE", "BYSECOND"];

/// What all events of a payload are read with.
pub struct CalendarReading<'a> {
    pub poll: &'a Poll,
    pub person: &'a Person,
    pub horizon: Interval,
    budget: Budget,
}

impl<'a> CalendarReading<'a> {
    pub fn new(poll: &'a Poll, person: &'a Person, horizon: Interval) -> Self {
        Self { poll, person, horizon, budget: Budget::default() }
    }
}

/// A time on some clock.
#[derive(Clone, Copy, PartialEq, Eq)]
struct OnClock {
    local: NaiveDateTime,
    /// `None`: nobody says which clock.
    zone: Option<Zone>,
    is_date: bool,
}

impl OnClock {
    fn bound(self) -> Bound {
        zone::bound(self.local, self.zone)
    }

    /// The one instant that RFC 5545 gives a local time (3.3.5): two entries of a calendar speak of the same occurrence.
    fn meant(self) -> Instant {
        self.zone.map_or_else(|| self.bound().earliest, |zone| zone.meaning(self.local).first())
    }

    /// Whether something starts here within an `UNTIL` in UTC.
    fn within(self, until: NaiveDateTime) -> bool {
        let instant = Instant::from_millis(until.and_utc().timestamp_millis());
        // RFC 5545 wants a date for days. Some write the last day as midnight in UTC, others its midnight on the clock.
        self.bound().earliest <= instant || self.is_date && self.local.date() <= until.date()
    }
}

/// How long an event lasts, and whether the clocks of its ends are known.
#[derive(Clone, Copy)]
struct Lasts {
    lasting: Lasting,
    sure: bool,
}

/// Which occurrences an event stands for, beside the one that it names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RangeOfSeries {
    Later,
    /// The earlier ones, as RFC 2445 had it (`THISANDPRIOR`), or others that nobody here knows.
    Others,
}

/// The lines of an event that are read as they stand.
#[derive(Default)]
pub struct PlainLines {
    pub rules: Vec<String>,
    /// In upper case.
    pub ranges: Vec<String>,
}

impl PlainLines {
    fn range(&self) -> Option<RangeOfSeries> {
        let later = self.ranges.iter().all(|range| range == "THISANDFUTURE");
        (!self.ranges.is_empty()).then_some(if later { RangeOfSeries::Later } else { RangeOfSeries::Others })
    }
}

/// What an event says, as far as it is understood.
pub struct SeenEvent {
    uid: String,
    /// `None`: the event's time is not understood.
    start: Option<OnClock>,
    lasts: Option<Lasts>,
    rules: Vec<String>,
    more: Vec<(OnClock, Option<Lasts>)>,
    except: BTreeSet<Instant>,
    /// Which occurrence of its series the event stands for.
    instead_of: Option<OnClock>,
    more_than_one: Option<RangeOfSeries>,
    /// How long its person is on the way there before it starts, in milliseconds, and whether that is understood.
    way: Option<(i64, bool)>,
    free: bool,
    cancelled: bool,
    odd: bool,
}

impl SeenEvent {
    /// The first instant of a horizon at which an event that is not understood may say something.
    fn changes_from(&self, horizon: Interval) -> Instant {
        let named = match (self.more_than_one, self.start) {
            (Some(RangeOfSeries::Others), _) | (_, None) => None,
            // The occurrence that it stands for may have been moved to an earlier time.
            (_, Some(start)) => {
                [Some(start), self.instead_of].into_iter().flatten().map(|time| time.bound().earliest).min()
            }
        };
        named.map_or(horizon.start, |at| at.max(horizon.start))
    }
}

pub fn seen(
    reading: &CalendarReading<'_>,
    zone: Option<Zone>,
    event: &ICalendarComponent,
    plain: PlainLines,
) -> SeenEvent {
    let property = |name: ICalendarProperty| event.property(&name);
    let twice = [
        ICalendarProperty::Dtstart,
        ICalendarProperty::Dtend,
        ICalendarProperty::Duration,
        ICalendarProperty::RecurrenceId,
    ];
    let twice = twice.iter().any(|name| contradicts_itself(event, name));
    let times = |name: ICalendarProperty| event.entries.iter().filter(move |entry| entry.name == name);
    let start = property(ICalendarProperty::Dtstart).and_then(|entry| on_clock(entry, zone));
    let end = property(ICalendarProperty::Dtend).map(|entry| on_clock(entry, zone));
    let duration = property(ICalendarProperty::Duration).map(|entry| match entry.values.first() {
        Some(ICalendarValue::Duration(duration)) => lasting(duration),
        _ => None,
    });
    let more: Vec<_> = times(ICalendarProperty::Rdate)
        .flat_map(|entry| entry.values.iter().map(|value| rdate(entry, value, zone)))
        .collect();
    // An exception on a clock that nobody knows excepts nothing: the occurrence stays.
    let except = times(ICalendarProperty::Exdate)
        .flat_map(|entry| entry.values.iter().filter_map(|value| clock_of(entry, value.as_partial_date_time()?, zone)));
    let except = except.filter(|time| time.zone.is_some());
    let rid = property(ICalendarProperty::RecurrenceId);
    let instead_of = rid.and_then(|entry| on_clock(entry, zone));
    let recurs = !plain.rules.is_empty() || !more.is_empty();
    let odd = more.iter().any(Option::is_none) || (rid.is_some() && instead_of.is_none());
    SeenEvent {
        more_than_one: plain.range(),
        uid: text(event, &ICalendarProperty::Uid).unwrap_or_default(),
        lasts: start.filter(|_| !twice).and_then(|start| lasts(start, end, duration, recurs)),
        start,
        rules: plain.rules,
        more: more.into_iter().flatten().collect(),
        except: except.map(OnClock::meant).collect(),
        instead_of,
        way: property(ICalendarProperty::Other("X-APPLE-TRAVEL-DURATION".to_owned())).map(way),
        free: is_free(reading, event),
        cancelled: word(event, &ICalendarProperty::Status).is_some_and(|word| word == "CANCELLED"),
        odd,
    }
}

/// Of a way that is not understood it is not known how long it takes; no longer than a day.
fn way(entry: &ICalendarEntry) -> (i64, bool) {
    match entry.values.first() {
        Some(ICalendarValue::Duration(way)) if (0..=DAY / SECOND).contains(&way.as_seconds()) => {
            (way.as_seconds() * SECOND, true)
        }
        _ => (DAY, false),
    }
}

fn text(event: &ICalendarComponent, name: &ICalendarProperty) -> Option<String> {
    event.property(name)?.values.first()?.as_text().map(str::to_owned)
}

/// Whether an event says a thing that it may say once in two ways.
fn contradicts_itself(event: &ICalendarComponent, name: &ICalendarProperty) -> bool {
    let mut all = event.entries.iter().filter(|entry| entry.name == *name);
    all.next().is_some_and(|first| all.any(|other| (&other.values, &other.params) != (&first.values, &first.params)))
}

/// In upper case. Where it is said in two ways, a word that nobody knows.
fn word(event: &ICalendarComponent, name: &ICalendarProperty) -> Option<String> {
    if contradicts_itself(event, name) {
        return Some(String::new());
    }
    text(event, name).map(|word| word.to_ascii_uppercase())
}

/// What does not say that it leaves its person free engages them.
fn is_free(reading: &CalendarReading<'_>, event: &ICalendarComponent) -> bool {
    let shown = word(event, &ICalendarProperty::Other("X-MICROSOFT-CDO-BUSYSTATUS".to_owned()));
    let transparency = word(event, &ICalendarProperty::Transp);
    let attendees = event.entries.iter().filter(|entry| entry.name == ICalendarProperty::Attendee);
    let own =
        attendees.filter(|entry| reading.poll.people.person_of_any(&names_of(entry)).as_ref() == Some(reading.person));
    let mut answers = own.map(|entry| parameter(entry, &ICalendarParameterName::Partstat).map(str::to_ascii_uppercase));
    // Somebody who is invited under two addresses has declined where both answers say so.
    let first = answers.next().flatten();
    let answer = first.filter(|first| answers.all(|other| other.as_ref() == Some(first)));
    let transparent = match (transparency.as_deref(), shown.as_deref()) {
        (Some("TRANSPARENT") | None, Some("FREE" | "WORKINGELSEWHERE")) | (Some("TRANSPARENT"), None) => true,
        // Any other word contradicts the transparency, or is not known: then it is not known that anybody is free.
        _ => false,
    };
    let tentative = [shown.as_deref(), answer.as_deref(), word(event, &ICalendarProperty::Status).as_deref()]
        .contains(&Some("TENTATIVE"));
    transparent || answer.as_deref() == Some("DECLINED") || tentative && !reading.poll.tentative_is_busy
}

fn on_clock(entry: &ICalendarEntry, zone: Option<Zone>) -> Option<OnClock> {
    clock_of(entry, entry.values.first()?.as_partial_date_time()?, zone)
}

/// UTC by its mark, the zone that the line names, or the calendar's own.
fn clock_of(entry: &ICalendarEntry, time: &PartialDateTime, zone: Option<Zone>) -> Option<OnClock> {
    let local = chrono::NaiveDate::from_ymd_opt(i32::from(time.year?), u32::from(time.month?), u32::from(time.day?))?;
    let is_date = time.hour.is_none();
    let (hour, minute, second) = (time.hour.unwrap_or(0), time.minute.unwrap_or(0), time.second.unwrap_or(0).min(59));
    let local = local.and_hms_opt(u32::from(hour), u32::from(minute), u32::from(second))?;
    let named = parameter(entry, &ICalendarParameterName::Tzid);
    let zone = match (time.tz_hour, named) {
        (Some(0), _) => Some(Zone::UTC),
        (Some(_), _) => return None,
        // A zone of the calendar's own making has rules that nobody here can vouch for.
        (None, Some(named)) => zone_of(named),
        (None, None) => zone,
    };
    Some(OnClock { local, zone, is_date })
}

/// By its name; or by the end of a longer one (`/example.org/Europe/Berlin`).
fn zone_of(named: &str) -> Option<Zone> {
    let ends = named.match_indices('/').map(|(at, _)| &named[at + 1..]);
    std::iter::once(named).chain(ends).find_map(zone::named)
}

/// Weeks and days pass on the clock.
fn lasting(duration: &ICalendarDuration) -> Option<Lasting> {
    let days = Duration::try_days(i64::from(duration.weeks) * 7 + i64::from(duration.days))?;
    let time = ICalendarDuration { weeks: 0, days: 0, ..duration.clone() };
    let negative = duration.neg && !duration.is_empty();
    if negative { None } else { Lasting::days_and_time(days, Duration::seconds(time.as_seconds().abs())) }
}

/// `None`: not understood.
fn lasts(
    start: OnClock,
    end: Option<Option<OnClock>>,
    duration: Option<Option<Lasting>>,
    recurs: bool,
) -> Option<Lasts> {
    let sure = |lasting: Lasting| Lasts { lasting, sure: true };
    let until = match (end, duration) {
        // RFC 5545 lets an event have one of the two.
        (Some(_), Some(_)) => return None,
        (None, Some(duration)) => return duration.map(sure),
        (None, None) => {
            return Lasting::on_clock(if start.is_date { Duration::days(1) } else { Duration::zero() }).map(sure);
        }
        (Some(end), None) => end?,
    };
    if until.zone != start.zone {
        let (from, to) = (start.bound(), until.bound());
        let lasting = Lasting::exactly(Duration::milliseconds(to.latest.since(from.earliest)))?;
        return Some(Lasts { lasting, sure: from.sure && to.sure });
    }
    let on_clock = until.local - start.local;
    // Some write the day itself as the end of a day; RFC 5545 wants the next one.
    let day = start.is_date && on_clock.is_zero();
    let lasting = Lasting::on_clock(if day { Duration::days(1) } else { on_clock })?;
    // Days are days of the clock, however often they recur.
    let exact = recurs && !start.is_date;
    Some(sure(if exact { lasting.recurring((start.meant(), until.meant())) } else { lasting }))
}

fn rdate(entry: &ICalendarEntry, value: &ICalendarValue, zone: Option<Zone>) -> Option<(OnClock, Option<Lasts>)> {
    match value {
        ICalendarValue::PartialDateTime(time) => Some((clock_of(entry, time, zone)?, None)),
        ICalendarValue::Period(ICalendarPeriod::Range { start, end }) => {
            let start = clock_of(entry, start, zone)?;
            Some((start, Some(lasts(start, Some(clock_of(entry, end, zone)), None, false)?)))
        }
        ICalendarValue::Period(ICalendarPeriod::Duration { start, duration }) => {
            let start = clock_of(entry, start, zone)?;
            Some((start, Some(lasts(start, None, Some(lasting(duration)), false)?)))
        }
        _ => None,
    }
}

/// Busy and unknown time of a calendar's events.
pub fn expanded(reading: &mut CalendarReading<'_>, events: &[SeenEvent]) -> (Vec<Interval>, Vec<Interval>) {
    let mut replaced: BTreeMap<&str, BTreeSet<Instant>> = BTreeMap::new();
    for event in events {
        // Without a name of the series, or on a clock that nobody knows, it stands for no occurrence in particular.
        if let Some(time) = event.instead_of.filter(|time| time.zone.is_some() && !event.uid.is_empty()) {
            replaced.entry(&event.uid).or_default().insert(time.meant());
        }
    }
    let (mut busy, mut unknown) = (Vec::new(), Vec::new());
    for event in events {
        if event.more_than_one.is_some() || event.odd && !event.free {
            // From then on the series is another, or it is not known which: nobody knows when.
            unknown.extend(Interval::new(event.changes_from(reading.horizon), reading.horizon.end));
            continue;
        }
        if event.free || event.cancelled {
            continue;
        }
        let none = BTreeSet::new();
        let replaced =
            if event.instead_of.is_some() { &none } else { replaced.get(event.uid.as_str()).unwrap_or(&none) };
        match occurrences(reading, event, replaced) {
            Some(times) => {
                for (interval, sure) in times {
                    if sure { busy.push(interval) } else { unknown.push(interval) }
                }
            }
            None => {
                let start = event.start.map_or(reading.horizon.start, |time| time.bound().earliest);
                unknown.extend(Interval::new(start.max(reading.horizon.start), reading.horizon.end));
            }
        }
    }
    (busy, unknown)
}

/// Those inside the horizon, and whether their clock is known. `None`: not understood, or more than may be looked at.
fn occurrences(
    reading: &mut CalendarReading<'_>,
    event: &SeenEvent,
    replaced: &BTreeSet<Instant>,
) -> Option<Vec<(Interval, bool)>> {
    let (start, lasts) = (event.start?, event.lasts?);
    // RFC 5545 has such parts ignored for days; others have days begin at that hour.
    let timed = |rule: &String| RuleParts::of(rule).is_some_and(|parts| TIMED.iter().any(|name| parts.has(name)));
    if start.is_date && event.rules.iter().any(timed) {
        return None;
    }
    // A day more, since the clock may be behind.
    let last = reading.horizon.end.plus_minutes(24 * 60).to_utc().naive_utc();
    let mut starts: Vec<(OnClock, Lasts)> = Vec::new();
    if event.rules.is_empty() {
        starts.push((start, lasts));
    }
    for rule in &event.rules {
        let within = |local: NaiveDateTime, until: NaiveDateTime| OnClock { local, ..start }.within(until);
        let locals = recurrence::starts(rule, start.local, last, within, &mut reading.budget)?;
        starts.extend(locals.into_iter().map(|local| (OnClock { local, ..start }, lasts)));
    }
    starts.extend(event.more.iter().map(|(start, own)| (*start, own.unwrap_or(lasts))));
    let inside = |interval: &Interval| interval.start < reading.horizon.end && reading.horizon.start < interval.end;
    let times = starts.into_iter().filter_map(|(start, lasts)| {
        if event.except.contains(&start.meant()) || replaced.contains(&start.meant()) {
            return None;
        }
        let from = start.bound();
        let time = lasts.lasting.from(start.local, start.zone);
        let engaged = time.map(|interval| (interval, from.sure && lasts.sure));
        let way = event.way.and_then(|(way, understood)| {
            let from = Interval::new(from.earliest.plus_millis(-way), from.earliest)?;
            Some((from, understood))
        });
        Some([engaged, way])
    });
    Some(times.flatten().flatten().filter(|(interval, _)| inside(interval)).collect())
}
