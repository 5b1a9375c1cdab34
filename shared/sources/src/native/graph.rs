//! Microsoft Graph's `getSchedule`: `{"request": {...}, "response": {...}}`, since an answer does not say what was asked.
//!
//! The items decide, never `availabilityView`, which is quantised. An unknown mailbox is an `error` inside a 200, and
//! that is unknown time, not free time. `subject` and `location` have no place here.

use chrono::NaiveDateTime;
use refresh_core::{Instant, Interval, base::zone::Meaning};

use super::{
    binding::{Binding, Poll},
    input::{Input, Snapshot},
    zone,
};
use crate::reader::{Node, Object};

/// The service takes 100 mailboxes a request, and refuses more than 1,000 items for one.
const MOST_SCHEDULES: usize = 100;
const MOST_ITEMS: usize = 4_000;

pub fn translate(input: &mut Input<'_>) -> Option<()> {
    let binding = input.binding(|binding| match binding {
        Binding::Calendar(_, poll) => Some(poll),
        _ => None,
    });
    let payload = input.payload;
    let object = payload.object()?;
    let horizon = object.must("request", |request| {
        let request = request.object()?;
        let start = request.must("startTime", local);
        let end = request.must("endTime", local);
        let (start, end) = (start?.last(), end?.first());
        request.ordered("startTime", start, "endTime", end)
    });
    let poll = binding?;
    let schedules = object.must("response", |response| {
        response.object()?.must("value", |list| list.list(MOST_SCHEDULES, |item| schedule(poll, item)))
    });
    let revision = input.polled_revision(poll);
    let (horizon, schedules, revision) = (horizon?, schedules?, revision?);
    for schedule in schedules {
        let Some(person) = input.person(poll, &schedule.name, &schedule.path) else { continue };
        let Schedule { busy, known, mut unknown, .. } = schedule;
        if !known {
            unknown = vec![horizon];
        }
        let snapshot = Snapshot { person: &person, kind: "calendar", revision, horizon, busy, unknown };
        input.emit_availability(&poll.source, &snapshot);
    }
    Some(())
}

struct Schedule {
    name: String,
    path: String,
    known: bool,
    busy: Vec<Interval>,
    unknown: Vec<Interval>,
}

#[derive(Clone, Copy)]
enum Status {
    Free,
    Busy,
    Unknown,
}

fn schedule(poll: &Poll, node: &Node<'_>) -> Option<Schedule> {
    let object = node.object()?;
    let name = object.must("scheduleId", |node| node.text_owned());
    let path = format!("{}.scheduleId", node.path());
    let items = object.may("scheduleItems", |list| list.list(MOST_ITEMS, |item| entry(poll, item)));
    let (name, items) = (name?, items?);
    // Without items, or with an error beside them, nothing is known of that mailbox.
    let known = !object.has("error") && items.is_some();
    let mut schedule = Schedule { name, path, known, busy: Vec::new(), unknown: Vec::new() };
    for (status, interval) in items.unwrap_or_default() {
        match (status, interval) {
            (Status::Busy, Some(interval)) => schedule.busy.push(interval),
            (Status::Unknown, Some(interval)) => schedule.unknown.push(interval),
            _ => {}
        }
    }
    Some(schedule)
}

/// An entry that lasts no time engages nobody: its interval is `None`.
fn entry(poll: &Poll, node: &Node<'_>) -> Option<(Status, Option<Interval>)> {
    let object = node.object()?;
    let status = object.must("status", |node| {
        Some(match node.text()? {
            "free" | "workingElsewhere" => Status::Free,
            "busy" | "oof" => Status::Busy,
            "tentative" if poll.tentative_is_busy => Status::Busy,
            "tentative" => Status::Free,
            // `unknown`, and every word that is added one day.
            _ => Status::Unknown,
        })
    });
    let start = object.must("start", local);
    let end = object.must("end", local);
    let (start, end) = (start?, end?);
    if end.last() < start.first() {
        return wrong_end(&object, start.first(), end.last());
    }
    Some((status?, zone::widest(start, end)))
}

fn wrong_end<T>(object: &Object<'_>, start: Instant, end: Instant) -> Option<T> {
    object.must("end", |node| node.wrong_as(format!("an instant not before `start` ({start})"), end.to_string()))
}

/// `{"dateTime": "2026-11-03T15:00:00.0000000", "timeZone": "UTC"}`.
fn local(node: &Node<'_>) -> Option<Meaning> {
    let object = node.object()?;
    let local = object.must("dateTime", |node| {
        let text = node.text()?;
        NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f")
            .ok()
            .or_else(|| node.wrong("a local date-time like 2026-11-03T15:00:00.0000000, without an offset"))
    });
    let zone = object.must("timeZone", |node| {
        zone::named(node.text()?).or_else(|| node.wrong("a time zone by its IANA or Windows name"))
    });
    let (local, zone) = (local?, zone?);
    Some(zone.meaning(local))
}
