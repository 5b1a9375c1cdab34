//! Calendars of `VEVENT`: a file or a published feed, as text or as `{"request": {"person", "start", "end"}, "response":
//! text}`.
//!
//! A feed says neither whose it is nor how far ahead it is whole; the binding does. Recurrences are expanded inside the
//! horizon. What recurs, or is told, in a way that is not understood is unknown time.

use std::collections::BTreeSet;

use calcard::icalendar::{ICalendar, ICalendarComponent, ICalendarComponentType};
use refresh_core::{Interval, Person, Zone};

use super::{
    KeptLines, closed, halves, kept, name, parsed,
    series::{self, CalendarReading, PlainLines, SeenEvent},
    value,
};
use crate::{
    native::{
        binding::{Poll, Says},
        input::Input,
        people::{self, PersonTime, TimeKind},
        zone,
    },
    reader::Node,
};

const KEPT: [&str; 19] = [
    "BEGIN",
    "END",
    "METHOD",
    "X-WR-TIMEZONE",
    "UID",
    "SEQUENCE",
    "DTSTART",
    "DTEND",
    "DURATION",
    "RRULE",
    "RDATE",
    "EXDATE",
    "RECURRENCE-ID",
    "STATUS",
    "TRANSP",
    "ATTENDEE",
    "ORGANIZER",
    "X-MICROSOFT-CDO-BUSYSTATUS",
    "X-APPLE-TRAVEL-DURATION",
];
const MOST_EVENTS: usize = 20_000;
/// Components that engage nobody, with everything in them: a zone has rules of its own, an alarm a duration.
const LEFT_OUT: [&str; 4] = ["VTIMEZONE", "VALARM", "VTODO", "VJOURNAL"];

pub fn translate(input: &mut Input<'_>) -> Option<()> {
    let poll = input.binding(|binding| match &binding.says {
        Says::Calendar(poll) => Some(poll),
        _ => None,
    });
    let payload = input.payload;
    let asked = if payload.value().is_object() {
        payload.object()?.must("request", |node| {
            let request = node.object()?;
            let person = request.may("person", |node| node.text_owned());
            let horizon = request.interval("start", "end");
            Some((person?, Some(horizon?)))
        })
    } else {
        Some((None, None))
    };
    let poll = poll?;
    let revision = input.polled_revision(&poll.revision_header);
    let (name, horizon) = asked?;
    let horizon = horizon.or_else(|| ahead(input, poll))?;
    let person = match &name {
        Some(name) => input.person(poll, name, "$.request.person"),
        None => poll.person.clone(),
    };
    let Some(person) = person else {
        return payload.wrong_as("the binding's `person`, or one in `request`, whose calendar it is", "none");
    };
    // A binding whose feed this is has the one calendar, by whatever name somebody asked for it.
    let name = name.filter(|_| poll.person.as_ref() != Some(&person));
    let told = match payload.value().is_object() {
        true => payload.object()?.must("response", |node| calendars(input, poll, &person, horizon, node)),
        false => calendars(input, poll, &person, horizon, &payload),
    };
    let (busy, unknown) = told?;
    let told = vec![PersonTime { person, name, revision: revision?, horizon, busy, unknown: people::merged(unknown) }];
    people::emit(input, poll, TimeKind::Entries, told, &BTreeSet::new());
    Some(())
}

/// From a day before the answer to as far ahead as the binding says.
fn ahead(input: &Input<'_>, poll: &Poll) -> Option<Interval> {
    let Some(answered) = input.answered_at("date").or_else(|| input.answered_at(&poll.revision_header)) else {
        return input.wrong("header date", "the instant of the answer, from which the horizon is counted", "nothing");
    };
    Interval::new(answered.plus_minutes(-24 * 60), answered.plus_minutes(poll.horizon_days * 24 * 60))
}

type BusyAndUnknown = (Vec<Interval>, Vec<Interval>);

fn calendars(
    input: &Input<'_>,
    poll: &Poll,
    person: &Person,
    horizon: Interval,
    node: &Node<'_>,
) -> Option<BusyAndUnknown> {
    let whole = kept(input, node, node.text()?.trim_start_matches('\u{feff}'), &KEPT)?;
    closed(node, &whole.0)?;
    let kept = without(whole);
    // An invitation, an answer or a cancellation is one event's message, and no calendar.
    let mut methods = kept.values("METHOD");
    if let Some(method) = methods.find(|method| !method.eq_ignore_ascii_case("PUBLISH")) {
        return node.wrong_as("a calendar (METHOD:PUBLISH, or none)", format!("METHOD:{method}"));
    }
    let objects = objects(&kept);
    if objects.is_empty() {
        return node.wrong_as("iCalendar text (BEGIN:VCALENDAR ... END:VCALENDAR)", "something else");
    }
    let mut told = BusyAndUnknown::default();
    let mut reading = CalendarReading::new(poll, person, horizon);
    for object in &objects {
        let (busy, unknown) = calendar(&mut reading, node, object)?;
        told.0.extend(busy);
        told.1.extend(unknown);
    }
    Some(told)
}

fn calendar(reading: &mut CalendarReading<'_>, node: &Node<'_>, object: &KeptLines) -> Option<BusyAndUnknown> {
    let calendar: ICalendar = parsed(node, object)?;
    let parts = &calendar.components;
    let events: Vec<&ICalendarComponent> =
        parts.iter().filter(|part| part.component_type == ICalendarComponentType::VEvent).collect();
    let plain = plain_lines(object);
    if events.len() != plain.len() || events.len() > MOST_EVENTS {
        return node.wrong_as(format!("at most {MOST_EVENTS} events that can be read"), plain.len().to_string());
    }
    // What may say more of somebody's time than events do.
    let other = parts
        .iter()
        .any(|part| !matches!(part.component_type, ICalendarComponentType::VCalendar | ICalendarComponentType::VEvent));
    let zone: Option<Zone> = object.values("X-WR-TIMEZONE").find_map(zone::named);
    let zone = reading.poll.time_zone.or(zone);
    let events: Vec<SeenEvent> =
        events.into_iter().zip(plain).map(|(event, plain)| series::seen(reading, zone, event, plain)).collect();
    let (busy, mut unknown) = series::expanded(reading, &events);
    if other {
        unknown.push(reading.horizon);
    }
    Some((busy, unknown))
}

/// The lines outside of components that engage nobody.
fn without(lines: KeptLines) -> KeptLines {
    let mut depth = 0_usize;
    let outside = |line: &String| {
        let left_out = LEFT_OUT.iter().any(|component| value(line).eq_ignore_ascii_case(component));
        match name(line).as_str() {
            "BEGIN" if left_out || depth > 0 => {
                depth += 1;
                false
            }
            "END" if depth > 0 => {
                depth -= 1;
                false
            }
            _ => depth == 0,
        }
    };
    KeptLines(lines.0.into_iter().filter(outside).collect())
}

/// A stream may hold several calendars one after another; the parser reads one.
fn objects(lines: &KeptLines) -> Vec<KeptLines> {
    let mut objects: Vec<KeptLines> = Vec::new();
    for line in &lines.0 {
        let begins = name(line) == "BEGIN" && value(line).eq_ignore_ascii_case("VCALENDAR");
        if begins {
            objects.push(KeptLines(Vec::new()));
        }
        if let Some(object) = objects.last_mut() {
            object.0.push(line.clone());
        }
    }
    objects
}

/// What of each event is read as it stands: a part of a rule that the parser passes over would make the rule another, and
/// the parser drops the ranges that it does not know.
fn plain_lines(lines: &KeptLines) -> Vec<PlainLines> {
    let mut events: Vec<PlainLines> = Vec::new();
    for line in &lines.0 {
        let name = name(line);
        if name == "BEGIN" && value(line).eq_ignore_ascii_case("VEVENT") {
            events.push(PlainLines::default());
        }
        let Some(event) = events.last_mut() else { continue };
        match name.as_str() {
            "RRULE" => event.rules.push(value(line).to_owned()),
            "RECURRENCE-ID" => event.ranges.extend(ranges(line)),
            _ => {}
        }
    }
    events
}

/// The values of `RANGE`, in upper case.
fn ranges(line: &str) -> impl Iterator<Item = String> {
    let parameters = halves(line).0.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let ranges = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("RANGE"));
    ranges.map(|(_, range)| range.trim().trim_matches('"').to_ascii_uppercase())
}
