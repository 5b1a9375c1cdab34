//! Google Calendar's `events.list`: `{"request": {"calendarId", "timeMin", "timeMax", "singleEvents": true}, "response":
//! {"items": [...]}}`, since an answer says neither whose calendar it is nor what was asked. Occurrences come expanded.

use std::collections::BTreeSet;

use chrono::{NaiveDate, NaiveTime};
use refresh_core::{Instant, Interval, Zone};
use serde_json::Value;

use super::{
    binding::{Format, Poll, Says, system},
    input::Input,
    people::{self, PersonTime, TimeKind},
    unread::Unread,
    zone::{self, Bound},
};
use crate::reader::{Node, Object};

const MOST_ENTRIES: usize = 10_000;

pub fn translate(input: &mut Input<'_>) -> Option<()> {
    let binding = input.binding(|binding| match &binding.says {
        Says::Calendar(poll) => Some(poll),
        _ => None,
    });
    let object = input.payload.object()?;
    let asked = object.must("request", |request| asked(&request.object()?));
    let (poll, unread) = (binding?, Unread::default());
    let answer = object.must("response", |response| answer(poll, &unread, &response.object()?));
    let revision = input.polled_revision(&poll.revision_header);
    let ((calendar, horizon), answer, revision) = (asked?, answer?, revision?);
    let Some(person) = input.person(poll, &calendar, "$.request.calendarId") else { return Some(()) };
    let ListedEvents { busy, mut unknown, readable } = answer;
    if !readable {
        unread.note(
            || "$.response.accessRole".to_owned(),
            ": may not see entries: all of the calendar's time is unknown",
        );
        unknown = vec![horizon];
    }
    unread.tell(input);
    let told = vec![PersonTime { person, name: Some(calendar), revision, horizon, busy, unknown }];
    people::emit(input, poll, TimeKind::Entries, told, &BTreeSet::new());
    Some(())
}

fn asked(request: &Object<'_>) -> Option<(String, Interval)> {
    let whole = request.unfiltered(system::filters(Format::GoogleEventsList));
    // Without its token a page looks like the whole.
    let tells = |node: &Node<'_>| {
        let tells = node.text()?.split([',', '(', ')', ' ']).any(|field| matches!(field, "*" | "nextPageToken"));
        if tells { Some(()) } else { node.wrong("nothing, or fields with `nextPageToken` among them") }
    };
    let whole = request.spellings("fields").fold(whole, |whole, name| whole.and(request.may(name, tells).map(|_| ())));
    let calendar = request.must("calendarId", |node| node.text_owned());
    let horizon = request.interval("timeMin", "timeMax");
    let single = request.must("singleEvents", |node| match node.flag()? {
        true => Some(()),
        false => node.wrong("true: recurring events come once each without it"),
    });
    whole.and(single)?;
    Some((calendar?, horizon?))
}

struct ListedEvents {
    busy: Vec<Interval>,
    unknown: Vec<Interval>,
    /// Whether the reader may see the calendar's entries.
    readable: bool,
}

fn answer(poll: &Poll, unread: &Unread, response: &Object<'_>) -> Option<ListedEvents> {
    let role = response.may("accessRole", |node| node.text_owned());
    let zone = response.may("timeZone", |node| node.text_owned());
    let (role, zone) = (role?, zone?);
    let zone = zone.as_deref().and_then(zone::named).or(poll.time_zone);
    let items = response.must("items", |list| list.list(MOST_ENTRIES, |item| entry(poll, zone, unread, item)));
    let items = items?;
    let of = |wanted: Engaged| {
        let told = items.iter().flatten().filter(move |(engaged, _)| *engaged == wanted);
        told.map(|(_, interval)| *interval).collect::<Vec<Interval>>()
    };
    let readable = role.is_none_or(|role| matches!(role.as_str(), "freeBusyReader" | "reader" | "writer" | "owner"));
    Some(ListedEvents { busy: of(Engaged::Busy), unknown: of(Engaged::Unknown), readable })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Engaged {
    Busy,
    Unknown,
}

/// Nothing of an entry that engages nobody.
fn entry(poll: &Poll, zone: Option<Zone>, unread: &Unread, node: &Node<'_>) -> Option<Vec<(Engaged, Interval)>> {
    let entry = node.object()?;
    let status = entry.may("status", |node| node.text_owned());
    if status.as_ref()?.as_deref() == Some("cancelled") {
        // Of a cancelled occurrence little more than its id is told.
        return Some(Vec::new());
    }
    let recurs = entry.may("recurrence", |node| node.wrong_as::<()>("an expanded list (singleEvents=true)", "a rule"));
    let transparency = entry.may("transparency", |node| node.text_owned());
    let kind = entry.may("eventType", |node| node.text_owned());
    // Who answered what may not be told: then nobody has declined.
    let attendees = entry.peek("attendees").and_then(Value::as_array);
    let declined = attendees.is_some_and(|list| declined(list));
    let start = entry.must("start", told_end);
    let end = entry.must("end", told_end);
    let open = entry.may("endTimeUnspecified", |node| node.flag());
    recurs?;
    let (start, end, open) = (start?, end?, open? == Some(true));
    let (start, end) = (start.bound(zone), end.after(start)?.bound(zone));
    if end.latest < start.earliest {
        return entry.must("end", |node| node.wrong("an end after the start"));
    }
    // A working place that engages nobody says so by its transparency, as its reference asks; time that is kept free of
    // meetings is never transparent. Where the two contradict each other, somebody is engaged.
    let kept = matches!(kind?.as_deref(), Some("outOfOffice" | "focusTime"));
    let free = transparency?.as_deref() == Some("transparent") && !kept || declined;
    let engaged = match status?.as_deref() {
        _ if free => return Some(Vec::new()),
        Some("tentative") if !poll.tentative_is_busy => return Some(Vec::new()),
        None | Some("confirmed" | "tentative") if start.sure && end.sure => Engaged::Busy,
        None | Some("confirmed" | "tentative") => {
            unread.note(|| node.path(), ": a day on nobody's clock, or two ends that differ: its time is unknown");
            Engaged::Unknown
        }
        _ => {
            unread.note(|| node.path(), ".status: a word that nobody here knows: the entry's time is unknown");
            Engaged::Unknown
        }
    };
    if open {
        unread.note(|| node.path(), ".endTimeUnspecified: no end is told: the day that begins with it is unknown");
    }
    // The end that stands in an entry without one was made up: it may be any within a day.
    let day = Bound::at(start.latest.plus_minutes(24 * 60));
    let longer = zone::between(start, day).filter(|_| open).map(|interval| (Engaged::Unknown, interval));
    Some(zone::between(start, end).map(|interval| (engaged, interval)).into_iter().chain(longer).collect())
}

/// Whether the calendar's owner has declined: where the owner stands in the list several times, each time.
fn declined(attendees: &[Value]) -> bool {
    let mut own = attendees.iter().filter(|attendee| attendee.get("self") == Some(&Value::Bool(true)));
    let declined = |attendee: &Value| attendee.get("responseStatus") == Some(&Value::from("declined"));
    own.next().is_some_and(declined) && own.all(declined)
}

/// An end of an entry. The service gives one of the two; where both stand there, either may be meant.
#[derive(Clone, Copy)]
enum ToldEnd {
    Day(NaiveDate),
    At(Instant),
    Either(NaiveDate, Instant),
}

/// `{"dateTime": "2026-11-03T15:00:00+01:00"}`, or `{"date": "2026-11-03"}` in the calendar's zone.
fn told_end(node: &Node<'_>) -> Option<ToldEnd> {
    let object = node.object()?;
    let day = object.may("date", |node| {
        let read = NaiveDate::parse_from_str(node.text()?, "%Y-%m-%d").ok();
        read.or_else(|| node.wrong("a date like 2026-11-03"))
    });
    let at = object.may("dateTime", |node| node.instant());
    match (day?, at?) {
        (Some(day), Some(at)) => Some(ToldEnd::Either(day, at)),
        (Some(day), None) => Some(ToldEnd::Day(day)),
        (None, Some(at)) => Some(ToldEnd::At(at)),
        (None, None) => object.must("dateTime", |node| node.instant()).map(ToldEnd::At),
    }
}

impl ToldEnd {
    fn day(self) -> Option<NaiveDate> {
        match self {
            Self::Day(day) | Self::Either(day, _) => Some(day),
            Self::At(_) => None,
        }
    }

    /// Some write the day itself as the end of a day; the service wants the next one.
    fn after(self, start: Self) -> Option<Self> {
        Some(match self {
            Self::Day(day) if start.day() == Some(day) => Self::Day(day.succ_opt()?),
            Self::Either(day, at) if start.day() == Some(day) => Self::Either(day.succ_opt()?, at),
            other => other,
        })
    }

    fn bound(self, zone: Option<Zone>) -> Bound {
        let midnight = |day: NaiveDate| zone::bound(day.and_time(NaiveTime::MIN), zone);
        match self {
            Self::Day(day) => midnight(day),
            Self::At(at) => Bound::at(at),
            Self::Either(day, at) => midnight(day).or(Bound::at(at)),
        }
    }
}
