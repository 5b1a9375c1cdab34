//! Google Calendar's `freeBusy` answer, as it is or as `{"request": {...}, "response": {...}}`. Errors beside a calendar
//! make its time unknown; busy that is listed counts anyway. The service merges what touches.

use std::collections::BTreeSet;

use refresh_core::Interval;
use serde_json::{Value, json};

use super::{
    binding::{Format, Says, folded, system},
    input::Input,
    people::{self, PersonTime, TimeKind},
    unread::{self, Unread},
};
use crate::reader::{Node, Object, ReadAlone};

/// The service expands at most 50 calendars a request.
const MOST_CALENDARS: usize = 50;
const MOST_INTERVALS: usize = 4_000;

pub fn translate(input: &mut Input<'_>) -> Option<()> {
    let binding = input.binding(|binding| match &binding.says {
        Says::Calendar(poll) => Some(poll),
        _ => None,
    });
    let payload = input.payload;
    let object = payload.object()?;
    let asked = object.may("request", |request| asked(&request.object()?));
    let wrapped = object.has("response");
    let answer = if wrapped { object.must("response", |node| answer(&node.object()?)) } else { answer(&object) };
    let poll = binding?;
    let revision = input.polled_revision(&poll.revision_header);
    if asked.is_none() || revision.is_none() {
        input.spill(answer.into_iter().flat_map(|(_, calendars)| calendars).filter_map(|(_, read)| read.err()));
        return None;
    }
    let (asked, (horizon, calendars), revision) = (asked?.unwrap_or_default(), answer?, revision?);
    let (mut told, unread) = (Vec::new(), Unread::default());
    let (mut answered, mut spoiled) = (BTreeSet::new(), BTreeSet::new());
    for (index, (name, read)) in calendars.into_iter().enumerate() {
        answered.insert(folded(&name));
        match read {
            Ok(BusyCalendar { path, busy, fault }) => {
                let Some(person) = input.person(poll, &name, &path) else { continue };
                let unknown = if fault.is_none() { Vec::new() } else { vec![horizon] };
                if let Some(fault) = fault {
                    // By its number: a calendar's name is an address.
                    unread.note(|| format!("$.calendars[{index}]"), &fault);
                }
                told.push(PersonTime { person, name: Some(name), revision, horizon, busy, unknown });
            }
            Err(faults) => {
                spoiled.extend(poll.people.person_of(&name));
                let mut alone = payload.value().clone();
                let part = if wrapped { &mut alone["response"] } else { &mut alone };
                let record = part["calendars"][&name].take();
                part["calendars"] = json!({ name.as_str(): record });
                if wrapped {
                    alone["request"]["items"] = json!([{ "id": name }]);
                }
                input.refuse_of(Some(&name), Some(alone), faults);
            }
        }
    }
    let missing = asked.into_iter().enumerate().filter(|(_, name)| !answered.contains(&folded(name)));
    let unknown = |(index, name): (usize, String)| {
        let (person, name) = (poll.people.person_of(&name)?, Some(name));
        unread.note(|| format!("$.request.items[{index}]"), ": not in the answer: all of its time is unknown");
        Some(PersonTime { person, name, revision, horizon, busy: Vec::new(), unknown: vec![horizon] })
    };
    told.extend(missing.filter_map(unknown));
    unread.tell(input);
    people::emit(input, poll, TimeKind::Runs, told, &spoiled);
    Some(())
}

/// The calendars that were asked for.
fn asked(request: &Object<'_>) -> Option<Vec<String>> {
    let whole = request.unfiltered(system::filters(Format::GoogleFreeBusy));
    let items =
        request.may("items", |list| list.list(1_000, |item| item.object()?.must("id", |node| node.text_owned())));
    whole?;
    Some(items?.unwrap_or_default())
}

type FreeBusyAnswer = (Interval, Vec<(String, ReadAlone<BusyCalendar>)>);

fn answer(answer: &Object<'_>) -> Option<FreeBusyAnswer> {
    let horizon = answer.interval("timeMin", "timeMax");
    let calendars = answer.must("calendars", |node| {
        let calendars = node.object()?.each_alone(|_, node| calendar(node));
        if calendars.len() > MOST_CALENDARS {
            node.wrong(format!("at most {MOST_CALENDARS} calendars"))
        } else {
            Some(calendars)
        }
    });
    Some((horizon?, calendars?))
}

struct BusyCalendar {
    path: String,
    busy: Vec<Interval>,
    /// Why its time is unknown.
    fault: Option<String>,
}

fn calendar(node: &Node<'_>) -> Option<BusyCalendar> {
    let object = node.object()?;
    let errors = object.may("errors", |list| list.list(MOST_INTERVALS, |item| Some(reason(item.value()))));
    let busy = object.may("busy", |list| list.list(MOST_INTERVALS, period));
    let (errors, busy) = (errors?.unwrap_or_default(), busy?);
    let fault = match errors.first() {
        Some(reason) => Some(format!(".errors: the calendar could not be read{reason}: all of its time is unknown")),
        None if busy.is_none() => Some(".busy: not told: all of the calendar's time is unknown".to_owned()),
        None => None,
    };
    Some(BusyCalendar { path: node.path(), busy: busy.unwrap_or_default().into_iter().flatten().collect(), fault })
}

fn reason(error: &Value) -> String {
    unread::code(error.get("reason").and_then(Value::as_str))
}

/// `None` inside: a period that lasts no time engages nobody.
fn period(node: &Node<'_>) -> Option<Option<Interval>> {
    let object = node.object()?;
    let start = object.must("start", |node| node.instant());
    let end = object.must("end", |node| node.instant());
    let (start, end) = (start?, end?);
    if start == end { Some(None) } else { object.ordered("start", start, "end", end).map(Some) }
}
