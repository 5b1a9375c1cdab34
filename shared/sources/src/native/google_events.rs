//! Google Calendar's `events.list`: `{"request": {"calendarId", "timeMin", "timeMax", "singleEvents": true}, "response":
//! {"items": [...]}}`, since an answer says neither whose calendar it is nor what was asked. Occurrences come expanded.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use refresh_core::{Interval, Zone};
use serde_json::Value;

use super::{
    binding::{Poll, Says},
    input::Input,
    people::{self, PersonTime, TimeKind},
    zone::{self, Bound},
};
use crate::reader::{Node, Object};

const MOST_ENTRIES: usize = 10_000;
/// What leaves something out of an answer.
const FILTERS: [&str; 8] = [
    "q",
    "eventTypes",
    "iCalUID",
    "updatedMin",
    "privateExtendedProperty",
    "sharedExtendedProperty",
    "syncToken",
    "pageToken",
];

pub fn translate(input: &mut Input<'_>) -> Option<()> {
    let binding = input.binding(|binding| match &binding.says {
        Says::Calendar(poll) => Some(poll),
        _ => None,
    });
    let object = input.payload.object()?;
    let asked = object.must("request", |request| asked(&request.object()?));
    let poll = binding?;
    let answer = object.must("response", |response| answer(poll, &response.object()?));
    let revision = input.polled_revision(&poll.revision_header);
    let ((calendar, horizon), answer, revision) = (asked?, answer?, revision?);
    let Some(person) = input.person(poll, &calendar, "$.request.calendarId") else { return Some(()) };
    let ListedEvents { busy, mut unknown, readable } = answer;
    if !readable {
        unknown = vec![horizon];
    }
    let told = vec![PersonTime { person, revision, horizon, busy, unknown }];
    people::emit(input, poll, TimeKind::Entries, told, &BTreeSet::new());
    Some(())
}

fn asked(request: &Object<'_>) -> Option<(String, Interval)> {
    let whole = request.unfiltered(&FILTERS);
    // Without its token a page looks like the whole.
    let fields = request.may("fields", |node| {
        let tells = node.text()?.split([',', '(', ')', ' ']).any(|field| matches!(field, "*" | "nextPageToken"));
        if tells { Some(()) } else { node.wrong("nothing, or fields with `nextPageToken` among them") }
    });
    let whole = whole.and(fields.map(|_| ()));
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

fn answer(poll: &Poll, response: &Object<'_>) -> Option<ListedEvents> {
    let whole = response.may("nextPageToken", |node| {
        node.wrong_as::<()>("nothing (every page of the answer, put together)", "a token of the next page")
    });
    let role = response.may("accessRole", |node| node.text_owned());
    let zone = response.may("timeZone", |node| node.text_owned());
    let (role, zone) = (role?, zone?);
    let zone = zone.as_deref().and_then(zone::named).or(poll.time_zone);
    let items = response.must("items", |list| list.list(MOST_ENTRIES, |item| entry(poll, zone, item)));
    whole?;
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
fn entry(poll: &Poll, zone: Option<Zone>, node: &Node<'_>) -> Option<Vec<(Engaged, Interval)>> {
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
    let declined = attendees.is_some_and(|list| list.iter().any(declined));
    let start = entry.must("start", |node| bound(zone, node));
    let end = entry.must("end", |node| bound(zone, node));
    let open = entry.may("endTimeUnspecified", |node| node.flag());
    recurs?;
    let (start, end, open) = (start?, end?, open? == Some(true));
    if end.latest < start.earliest {
        return entry.must("end", |node| node.wrong("an end after the start"));
    }
    let free =
        transparency?.as_deref() == Some("transparent") || kind?.as_deref() == Some("workingLocation") || declined;
    let engaged = match status?.as_deref() {
        _ if free => return Some(Vec::new()),
        Some("tentative") if !poll.tentative_is_busy => return Some(Vec::new()),
        None | Some("confirmed" | "tentative") if start.sure && end.sure => Engaged::Busy,
        _ => Engaged::Unknown,
    };
    // The end that stands in an entry without one was made up: it may be any within a day.
    let day = Bound::at(start.latest.plus_minutes(24 * 60));
    let longer = zone::between(start, day).filter(|_| open).map(|interval| (Engaged::Unknown, interval));
    Some(zone::between(start, end).map(|interval| (engaged, interval)).into_iter().chain(longer).collect())
}

/// Whether this is the calendar's owner, and has declined.
fn declined(attendee: &Value) -> bool {
    attendee.get("self") == Some(&Value::Bool(true)) && attendee.get("responseStatus") == Some(&Value::from("declined"))
}

/// `{"dateTime": "2026-11-03T15:00:00+01:00"}`, or `{"date": "2026-11-03"}` in the calendar's zone.
fn bound(zone: Option<Zone>, node: &Node<'_>) -> Option<Bound> {
    let object = node.object()?;
    if object.has("date") {
        let date = object.must("date", |node| {
            let read = NaiveDate::parse_from_str(node.text()?, "%Y-%m-%d").ok();
            read.or_else(|| node.wrong("a date like 2026-11-03"))
        });
        return Some(zone::bound(date?.and_hms_opt(0, 0, 0)?, zone));
    }
    object.must("dateTime", |node| node.instant()).map(Bound::at)
}
