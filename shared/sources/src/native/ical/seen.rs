//! One event of a calendar: what it says, as far as it is understood.

use std::collections::BTreeSet;

use chrono::Duration;
use refresh_core::{
    Instant, Interval, Person,
    base::instant::{DAY, SECOND},
};

use super::{
    address::names_of,
    clock::{CalendarClocks, OnClock},
    content::{Component, ContentLine, Mention, REST_OF_READ, REST_OF_TEXT},
    values::{self, DurationValue, PeriodEnd, PeriodValue},
};
use crate::native::{binding::Poll, lasting::Lasting, recurrence::Budget, unread::Unread};

/// What all events of a payload are read with.
pub struct CalendarReading<'a> {
    pub poll: &'a Poll,
    pub person: &'a Person,
    pub horizon: Interval,
    /// What could not be read, so that time is unknown.
    pub unread: Unread,
    /// How many events were seen.
    seen: usize,
    pub budget: Budget,
}

impl<'a> CalendarReading<'a> {
    pub fn new(poll: &'a Poll, person: &'a Person, horizon: Interval) -> Self {
        Self { poll, person, horizon, unread: Unread::default(), seen: 0, budget: Budget::default() }
    }
}

/// How long an event lasts, and whether the clocks of its ends are known.
#[derive(Clone, Copy)]
pub struct Lasts {
    pub lasting: Lasting,
    pub sure: bool,
}

/// Which occurrences an event stands for, beside the one that it names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum RangeOfSeries {
    Later,
    /// The earlier ones, as RFC 2445 had it (`THISANDPRIOR`), or others that nobody here knows.
    Others,
}

/// What an event says, as far as it is understood.
pub struct SeenEvent<'z> {
    pub component: &'z Component<'z>,
    /// Which event of its file it is, from 0.
    pub number: usize,
    pub uid: String,
    /// `None`: the event's time is not understood.
    pub start: Option<OnClock<'z>>,
    pub lasts: Option<Lasts>,
    pub rules: Vec<String>,
    pub more: Vec<MoreStarts<'z>>,
    pub except: BTreeSet<Instant>,
    /// Which occurrence of its series the event stands for.
    pub instead_of: Option<OnClock<'z>>,
    pub more_than_one: Option<RangeOfSeries>,
    /// How long its person is on the way there before it starts, in milliseconds, as far as that is understood.
    pub way: i64,
    /// How long they may be beside that.
    pub perhaps_way: i64,
    pub free: bool,
    pub cancelled: bool,
    pub odd: bool,
    /// The earliest instant that the event names; `None`: an instant that it names is not understood.
    named_from: Option<Instant>,
    /// Whether the event would be free, or cancelled, but for a line that may make that word a part of a text.
    pub disbelieved: bool,
}

impl SeenEvent<'_> {
    /// The first instant of a horizon at which an event that is not understood may engage somebody.
    pub fn unclear_from(&self, horizon: Interval) -> Instant {
        self.named_from.map_or(horizon.start, |at| at.max(horizon.start))
    }

    /// The first instant of a horizon at which an event that makes its series another may say something: the occurrence that
    /// it stands for may have been moved to an earlier time.
    pub fn changes_from(&self, horizon: Interval) -> Instant {
        let named = self.named_from.filter(|_| self.more_than_one != Some(RangeOfSeries::Others));
        let named = named.map(|at| self.instead_of.map_or(at, |time| at.min(time.bound().earliest)));
        named.map_or(horizon.start, |at| at.max(horizon.start))
    }
}

/// What an `RDATE` adds: a start, and a length where it has one of its own.
pub type MoreStarts<'z> = (OnClock<'z>, Option<Lasts>);

pub fn seen<'z>(
    reading: &mut CalendarReading<'_>,
    clocks: &CalendarClocks<'z>,
    event: &'z Component<'z>,
) -> SeenEvent<'z> {
    let start = event.said("DTSTART").once().and_then(|line| clocks.time(line, line.value));
    let rid = event.said("RECURRENCE-ID");
    let instead_of = rid.once().and_then(|line| clocks.time(line, line.value));
    let more = event.lines("RDATE").map(|line| rdates(clocks, line, start));
    let more: Option<Vec<Vec<MoreStarts<'z>>>> = more.collect();
    let recurs = event.lines("RRULE").chain(event.lines("RDATE")).next().is_some();
    let way = way(event);
    reading.seen += 1;
    let (free, cancelled) = (is_free(reading, event), word(event, "STATUS").is_some_and(|word| word == "CANCELLED"));
    let broken = [REST_OF_READ, REST_OF_TEXT].iter().any(|mark| event.lacks(mark));
    SeenEvent {
        component: event,
        number: reading.seen - 1,
        more_than_one: range(event),
        uid: event.said("UID").once().map(|line| line.value.to_owned()).unwrap_or_default(),
        lasts: start.and_then(|start| length(clocks, event, start, recurs)),
        start,
        rules: event.lines("RRULE").map(|line| line.value.to_owned()).collect(),
        odd: more.is_none()
            || (rid != Mention::Nothing && instead_of.is_none())
            || event.lacks(REST_OF_READ)
            || event.lines("X-MICROSOFT-RRULE").next().is_some(),
        named_from: named_from(clocks, event, start),
        more: more.unwrap_or_default().concat(),
        except: event.lines("EXDATE").filter_map(|line| exceptions(clocks, line)).flatten().collect(),
        instead_of,
        way: way.0,
        perhaps_way: way.1,
        free: free && !broken,
        cancelled: cancelled && !broken,
        disbelieved: broken && (free || cancelled),
    }
}

/// The earliest instant that an event names: what is not understood of it may be about any time from then on. An end may
/// stand before its start, and an `RDATE` before both.
fn named_from(clocks: &CalendarClocks<'_>, event: &Component<'_>, start: Option<OnClock<'_>>) -> Option<Instant> {
    let start = start?.bound().earliest;
    let mut named = vec![start];
    for line in event.lines("DTEND") {
        named.extend(values::time(line.value).map(|at| clocks.on_clock(line, at).bound().earliest));
    }
    for line in event.lines("RDATE") {
        for item in values::items(line) {
            let times = match (values::time(item), values::period(item)) {
                (Some(at), _) => vec![at],
                (None, Some(PeriodValue { start, end: PeriodEnd::At(end) })) => vec![start, end],
                (None, Some(PeriodValue { start, end: PeriodEnd::After(_) })) => vec![start],
                (None, None) => return None,
            };
            named.extend(times.into_iter().map(|at| clocks.on_clock(line, at).bound().earliest));
        }
    }
    for line in event.lines("DURATION").filter(|line| line.value.starts_with('-')) {
        named.push(start.plus_millis(values::duration(line.value)?.as_seconds()?.saturating_mul(SECOND)));
    }
    if event.lacks(REST_OF_READ) && event.lines("RDATE").next().is_some() {
        return None;
    }
    named.into_iter().min()
}

/// Which other occurrences an event stands for.
fn range(event: &Component<'_>) -> Option<RangeOfSeries> {
    let mut ranges = event.lines("RECURRENCE-ID").flat_map(|line| line.parameters("RANGE")).peekable();
    ranges.peek()?;
    let later = ranges.all(|range| range.eq_ignore_ascii_case("THISANDFUTURE"));
    Some(if later { RangeOfSeries::Later } else { RangeOfSeries::Others })
}

/// What is not understood whole, or is on a clock that nobody knows, excepts nothing: the occurrence stays.
fn exceptions(clocks: &CalendarClocks<'_>, line: &ContentLine<'_>) -> Option<Vec<Instant>> {
    let times: Option<Vec<OnClock<'_>>> = values::items(line).map(|item| clocks.time(line, item)).collect();
    Some(times?.into_iter().filter(|time| time.clock().is_some()).map(OnClock::meant).collect())
}

/// Longer than anybody is under way.
const LONGEST_WAY_DAYS: i64 = 366;

/// How long its person is under way before, and may be beside that. Of several ways the longest counts; one that is not
/// understood is no longer than a day.
fn way(event: &Component<'_>) -> (i64, i64) {
    let mut ways = (0, 0);
    for line in event.lines("X-APPLE-TRAVEL-DURATION") {
        let declared = line.parameter("VALUE").is_some() && values::is_of_type(line, &["DURATION"]);
        let seconds = values::duration(line.value).filter(|_| declared).and_then(DurationValue::as_seconds);
        match seconds.filter(|seconds| (0..=LONGEST_WAY_DAYS * DAY / SECOND).contains(seconds)) {
            Some(seconds) => ways.0 = seconds.saturating_mul(SECOND).max(ways.0),
            None => ways.1 = DAY,
        }
    }
    ways
}

/// In upper case. Where it is said in two ways, a word that nobody knows.
fn word(event: &Component<'_>, name: &str) -> Option<String> {
    match event.said(name) {
        Mention::Nothing => None,
        // No word of the grammar, and perhaps a line of somebody's text.
        Mention::Once(line) if line.is_set_off => Some(String::new()),
        Mention::Once(line) => Some(line.value.to_ascii_uppercase()),
        Mention::Twice => Some(String::new()),
    }
}

/// What does not say that it leaves its person free engages them.
fn is_free(reading: &CalendarReading<'_>, event: &Component<'_>) -> bool {
    let shown = word(event, "X-MICROSOFT-CDO-BUSYSTATUS");
    let transparency = word(event, "TRANSP");
    let attendees = event.lines("ATTENDEE");
    let own =
        attendees.filter(|line| reading.poll.people.person_of_any(&names_of(line)).as_ref() == Some(reading.person));
    let mut answers = own.map(|line| line.said("PARTSTAT").once().map(str::to_ascii_uppercase));
    // Somebody who is invited under two addresses has declined where both answers say so.
    let first = answers.next().flatten();
    let answer = first.filter(|first| answers.all(|other| other.as_ref() == Some(first)));
    let transparent = match (transparency.as_deref(), shown.as_deref()) {
        (Some("TRANSPARENT") | None, Some("FREE" | "WORKINGELSEWHERE")) | (Some("TRANSPARENT"), None) => true,
        // Any other word contradicts the transparency, or is not known: then it is not known that anybody is free.
        _ => false,
    };
    // Outlook takes the state of the event only where it shows none of its own: whoever is away is not tentative.
    let tentative = match shown.as_deref() {
        None => [answer.as_deref(), word(event, "STATUS").as_deref()].contains(&Some("TENTATIVE")),
        Some(shown) => shown == "TENTATIVE",
    };
    transparent || answer.as_deref() == Some("DECLINED") || tentative && !reading.poll.tentative_is_busy
}

/// Weeks and days pass on the clock.
fn lasting(duration: DurationValue) -> Option<Lasting> {
    if duration.negative && !duration.is_zero() {
        return None;
    }
    Lasting::days_and_time(Duration::try_days(duration.days)?, Duration::try_seconds(duration.seconds)?)
}

/// RFC 5545, 3.6.1: what begins with a date lasts whole days. A length of no days, or of hours, was meant as the days that
/// it begins.
fn whole_days(duration: DurationValue) -> Option<Lasting> {
    let seconds = duration.as_seconds().filter(|seconds| *seconds >= 0)?;
    let begun = seconds.checked_add(DAY / SECOND - 1)? / (DAY / SECOND);
    Lasting::on_clock(Duration::try_days(begun.max(1))?)
}

/// How long an event lasts. `None`: not understood.
fn length(clocks: &CalendarClocks<'_>, event: &Component<'_>, start: OnClock<'_>, recurs: bool) -> Option<Lasts> {
    let sure = |lasting: Lasting| Lasts { lasting, sure: true };
    let duration = |line: &ContentLine<'_>| {
        let duration = values::duration(line.value).filter(|_| values::is_of_type(line, &["DURATION"]))?;
        if start.is_date { whole_days(duration) } else { lasting(duration) }
    };
    match (event.said("DTEND"), event.said("DURATION")) {
        (Mention::Nothing, Mention::Nothing) => {
            Lasting::on_clock(if start.is_date { Duration::days(1) } else { Duration::zero() }).map(sure)
        }
        (Mention::Nothing, Mention::Once(line)) => duration(line).map(sure),
        (Mention::Once(line), Mention::Nothing) => until(start, clocks.time(line, line.value)?, recurs),
        // RFC 5545 lets an event have one of the two, once.
        _ => None,
    }
}

/// How long something lasts from one time to another. `None`: not understood.
fn until(start: OnClock<'_>, end: OnClock<'_>, recurs: bool) -> Option<Lasts> {
    // RFC 5545 wants both of one type. Whether a date is the last day or the one behind it is then not known.
    if start.is_date != end.is_date {
        return None;
    }
    if end.zone() != start.zone() {
        let (from, to) = (start.bound(), end.bound());
        let lasting = Lasting::exactly(Duration::milliseconds(to.latest.since(from.earliest)))?;
        return Some(Lasts { lasting, sure: from.sure && to.sure });
    }
    let on_clock = end.local - start.local;
    // Some write the day itself as the end of a day; RFC 5545 wants the next one.
    let day = start.is_date && on_clock.is_zero();
    let lasting = Lasting::on_clock(if day { Duration::days(1) } else { on_clock })?;
    // Days are days of the clock, however often they recur.
    let exact = recurs && !start.is_date;
    let lasting = if exact { lasting.recurring((start.meant(), end.meant())) } else { lasting };
    Some(Lasts { lasting, sure: true })
}

/// The further starts of a line, each of the type that the line declares and of the event's own. `None`: not understood.
fn rdates<'z>(
    clocks: &CalendarClocks<'z>,
    line: &ContentLine<'_>,
    event: Option<OnClock<'z>>,
) -> Option<Vec<MoreStarts<'z>>> {
    let is_date = event?.is_date;
    let read = |item: &str| {
        let (start, lasts) = match line.said("VALUE") {
            Mention::Once(declared) if declared.eq_ignore_ascii_case("PERIOD") => {
                let period = values::period(item)?;
                let start = clocks.on_clock(line, period.start);
                let lasts = match period.end {
                    PeriodEnd::At(end) => until(start, clocks.on_clock(line, end), false)?,
                    PeriodEnd::After(duration) => Lasts { lasting: lasting(duration)?, sure: true },
                };
                (start, Some(lasts))
            }
            _ => (clocks.time(line, item)?, None),
        };
        (start.is_date == is_date).then_some((start, lasts))
    };
    values::items(line).map(read).collect()
}
