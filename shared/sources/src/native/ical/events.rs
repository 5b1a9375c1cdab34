//! Calendars of `VEVENT`: a file or a published feed, as text or as `{"request": {"person", "start", "end"}, "response":
//! text}`.
//!
//! A feed says neither whose it is nor how far ahead it is whole; the binding does. Recurrences are expanded inside the
//! horizon. What recurs, or is told, in a way that is not understood is unknown time.

use std::collections::BTreeSet;

use refresh_core::{Interval, Person, base::name::shorten};

use super::{
    DETAILS,
    clock::CalendarClocks,
    content::{Component, Mention},
    kept,
    own_zones::OwnZones,
    seen::{self, CalendarReading, SeenEvent},
    series,
};
use crate::{
    native::{
        binding::{Poll, Says},
        input::Input,
        people::{self, PersonTime, TimeKind},
    },
    reader::Node,
};

/// The properties that are read.
pub const KEPT: [&str; 25] = [
    "BEGIN",
    "END",
    "METHOD",
    "X-WR-TIMEZONE",
    "X-CLIPSTART",
    "X-CLIPEND",
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
    "X-MICROSOFT-RRULE",
    "X-APPLE-TRAVEL-DURATION",
    "TZID",
    "TZOFFSETFROM",
    "TZOFFSETTO",
];
const MOST_EVENTS: usize = 20_000;
/// Components that engage nobody, beside the details of RFC 9073: a zone has rules of its own, an alarm a duration.
const ENGAGE_NOBODY: [&str; 6] = ["VTIMEZONE", "STANDARD", "DAYLIGHT", "VALARM", "VTODO", "VJOURNAL"];

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
    input: &mut Input<'_>,
    poll: &Poll,
    person: &Person,
    horizon: Interval,
    node: &Node<'_>,
) -> Option<BusyAndUnknown> {
    let kept = kept(input, node, node.text()?, &KEPT)?;
    let objects = kept.calendars(node)?;
    // An invitation, an answer or a cancellation is one event's message, and no calendar.
    let mut methods = kept.values("METHOD");
    if let Some(method) = methods.find(|method| !method.eq_ignore_ascii_case("PUBLISH")) {
        return node.wrong_as("a calendar (METHOD:PUBLISH, or none)", format!("METHOD:{method}"));
    }
    let mut told = BusyAndUnknown::default();
    let mut reading = CalendarReading::new(poll, person, horizon);
    let mut strange = BTreeSet::new();
    for object in &objects {
        let (busy, unknown) = calendar(&mut reading, node, object, &mut strange)?;
        told.0.extend(busy);
        told.1.extend(unknown);
    }
    reading.unread.tell(input);
    for kind in strange {
        input.skip(format!(
            "a component that nobody here knows ({}): all time of its calendar is unknown",
            shorten(kind)
        ));
    }
    Some(told)
}

/// One calendar. `strange`: the components that may say more of somebody's time than events do.
fn calendar<'o>(
    reading: &mut CalendarReading<'_>,
    node: &Node<'_>,
    object: &'o Component<'_>,
    strange: &mut BTreeSet<&'o str>,
) -> Option<BusyAndUnknown> {
    let (mut events, mut others) = (Vec::new(), BTreeSet::new());
    object.parts.iter().for_each(|part| sorted(part, &mut events, &mut others));
    if events.len() > MOST_EVENTS {
        return node.wrong_as(format!("at most {MOST_EVENTS} events"), events.len().to_string());
    }
    let own = OwnZones::of(&object.parts, reading.horizon.end.plus_minutes(2 * 24 * 60));
    let clocks = CalendarClocks::new(&own, reading.poll.time_zone, object.said("X-WR-TIMEZONE"));
    let events: Vec<SeenEvent<'_>> = events.into_iter().map(|event| seen::seen(reading, &clocks, event)).collect();
    let (busy, mut unknown) = series::expanded(reading, &events);
    unknown.extend(clipped(reading, &clocks, object));
    if !others.is_empty() {
        unknown.push(reading.horizon);
    }
    strange.extend(others);
    Some((busy, unknown))
}

/// The time outside of what was exported, where the calendar says that it is an export of a part (`[MS-OXCICAL]` 2.1.3.1.1.6
/// and 2.1.3.1.1.7).
fn clipped(reading: &CalendarReading<'_>, clocks: &CalendarClocks<'_>, object: &Component<'_>) -> Vec<Interval> {
    let horizon = reading.horizon;
    let edge = |name: &'static str| match object.said(name) {
        Mention::Nothing => None,
        Mention::Once(line) => Some(clocks.time(line, line.value)),
        Mention::Twice => Some(None),
    };
    let from = edge("X-CLIPSTART").map(|at| at.map_or(horizon.end, |at| at.bound().latest));
    let until = edge("X-CLIPEND").map(|at| at.map_or(horizon.start, |at| at.bound().earliest));
    let before = from.and_then(|from| Interval::new(horizon.start, from.min(horizon.end)));
    let behind = until.and_then(|until| Interval::new(until.max(horizon.start), horizon.end));
    for (name, time) in [(".X-CLIPSTART", before), (".X-CLIPEND", behind)] {
        if time.is_some() {
            let why = format!("{name}: the calendar is an export of a part: time outside of that is unknown");
            reading.unread.note(|| "VCALENDAR".to_owned(), &why);
        }
    }
    before.into_iter().chain(behind).collect()
}

/// A component and those inside of it: events, wherever they stand, and what is neither an event nor known to engage
/// nobody.
fn sorted<'o, 'l>(part: &'o Component<'l>, events: &mut Vec<&'o Component<'l>>, others: &mut BTreeSet<&'o str>) {
    match part.kind.as_str() {
        "VEVENT" => events.push(part),
        kind if ENGAGE_NOBODY.contains(&kind) || DETAILS.contains(&kind) => {}
        kind => drop(others.insert(kind)),
    }
    part.parts.iter().for_each(|inner| sorted(inner, events, others));
}
