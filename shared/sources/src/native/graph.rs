//! Microsoft Graph's `getSchedule`: `{"request": {...}, "response": {...}}`, since an answer does not say what was asked.
//!
//! The items decide; `availabilityView`, which is quantised, is held against them, since a calendar of which only the
//! merged view may be seen comes without items. An unknown mailbox is an `error` inside a 200, and that is unknown time,
//! not free time. `subject` and `location` have no place here.

use std::collections::BTreeSet;

use chrono::NaiveDateTime;
use refresh_core::{Instant, Interval, Person};
use serde_json::{Value, json};

use super::{
    binding::{Format, Poll, Says, folded, system},
    input::Input,
    people::{self, PersonTime, TimeKind},
    unread::{self, Unread},
    zone::{self, Bound},
};
use crate::reader::{Node, Object};

/// The service takes 100 mailboxes a request, and refuses more than 1,000 items for one.
const MOST_SCHEDULES: usize = 100;
const MOST_ITEMS: usize = 4_000;

/// What was asked.
struct AskedTime {
    horizon: Interval,
    /// Empty where the request does not say.
    schedules: Vec<String>,
    /// Minutes of one digit of the view.
    step: i64,
}

pub fn translate(input: &mut Input<'_>) -> Option<()> {
    let binding = input.binding(|binding| match &binding.says {
        Says::Calendar(poll) => Some(poll),
        _ => None,
    });
    let payload = input.payload;
    let object = payload.object()?;
    let asked = object.must("request", |request| asked(&request.object()?));
    let (poll, unread) = (binding?, Unread::default());
    let answers = object.must("response", |response| {
        let response = response.object()?;
        response
            .must("value", |list| list.each_alone(MOST_SCHEDULES, |item| schedule(poll, asked.as_ref(), &unread, item)))
    });
    let revision = input.polled_revision(&poll.revision_header);
    if asked.is_none() || revision.is_none() {
        input.spill(answers.into_iter().flatten().filter_map(Result::err));
        return None;
    }
    let (asked, answers, revision) = (asked?, answers?, revision?);
    let records = payload.value().pointer("/response/value").and_then(Value::as_array);
    let mut told = Vec::new();
    let (mut answered, mut spoiled) = (BTreeSet::new(), BTreeSet::new());
    for (record, read) in records.into_iter().flatten().zip(answers) {
        match read {
            Ok(schedule) => {
                answered.insert(folded(&schedule.name));
                let Some(person) = input.person(poll, &schedule.name, &schedule.path) else { continue };
                let Schedule { name, busy, unknown, .. } = schedule;
                told.push(PersonTime { person, name: Some(name), revision, horizon: asked.horizon, busy, unknown });
            }
            Err(faults) => {
                let name = record.get("scheduleId").and_then(Value::as_str);
                answered.extend(name.map(folded));
                spoiled.extend(name.and_then(|name| poll.people.person_of(name)));
                let mut alone = payload.value().clone();
                alone["request"]["schedules"] = json!(name.as_slice());
                alone["response"]["value"] = json!([record]);
                input.refuse_of(name, Some(alone), faults);
            }
        }
    }
    told.extend(unanswered(poll, &asked, &answered, &unread, revision));
    unread.tell(input);
    people::emit(input, poll, TimeKind::Entries, told, &spoiled);
    Some(())
}

/// Who was asked for and is not in the answer: nothing is known of them.
fn unanswered(
    poll: &Poll,
    asked: &AskedTime,
    answered: &BTreeSet<String>,
    unread: &Unread,
    revision: u64,
) -> Vec<PersonTime> {
    let missing = asked.schedules.iter().enumerate().filter(|(_, name)| !answered.contains(&folded(name)));
    let people = missing.filter_map(|(index, name)| Some((index, name, poll.people.person_of(name)?)));
    let unknown = |(index, name, person): (usize, &String, Person)| {
        unread.note(|| format!("$.request.schedules[{index}]"), ": not in the answer: all of its time is unknown");
        PersonTime {
            person,
            name: Some(name.clone()),
            revision,
            horizon: asked.horizon,
            busy: Vec::new(),
            unknown: vec![asked.horizon],
        }
    };
    people.map(unknown).collect()
}

fn asked(request: &Object<'_>) -> Option<AskedTime> {
    let whole = request.unfiltered(system::filters(Format::GraphGetSchedule));
    let schedules = request.may("schedules", |node| node.list(MOST_SCHEDULES, |item| item.text_owned()));
    let start = request.must("startTime", local);
    let end = request.must("endTime", local);
    let step = request.may("availabilityViewInterval", |node| node.whole(5..=1_440));
    let (start, end) = (start?.latest, end?.earliest);
    let horizon = request.ordered("startTime", start, "endTime", end);
    whole?;
    Some(AskedTime { horizon: horizon?, schedules: schedules?.unwrap_or_default(), step: step?.unwrap_or(30) })
}

struct Schedule {
    name: String,
    path: String,
    busy: Vec<Interval>,
    unknown: Vec<Interval>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ShowAs {
    Free,
    Busy,
    Unknown,
}

/// Every word that is not known is unknown time. A person who works elsewhere is at work, and can join a meeting by its dial-in.
fn show_as(poll: &Poll, word: &str) -> ShowAs {
    match word {
        "free" | "workingElsewhere" => ShowAs::Free,
        "busy" | "oof" => ShowAs::Busy,
        "tentative" if poll.tentative_is_busy => ShowAs::Busy,
        "tentative" => ShowAs::Free,
        _ => ShowAs::Unknown,
    }
}

fn schedule(poll: &Poll, asked: Option<&AskedTime>, unread: &Unread, node: &Node<'_>) -> Option<Schedule> {
    let object = node.object()?;
    let name = object.must("scheduleId", |node| node.text_owned());
    let path = format!("{}.scheduleId", node.path());
    let view = object.may("availabilityView", |node| node.text_owned());
    let items = object.may("scheduleItems", |list| list.list(MOST_ITEMS, |item| entry(poll, unread, item)));
    let (name, view, items, asked) = (name?, view?, items?, asked?);
    let note = |fault: &str| unread.note(|| node.path(), fault);
    if let Some(error) = object.peek("error").filter(|error| !error.is_null()) {
        let code = unread::code(error.get("responseCode").and_then(Value::as_str));
        note(&format!(".error: the mailbox could not be read{code}: all of its time is unknown"));
    } else if items.is_none() {
        note(".scheduleItems: not told: all of the mailbox's time is unknown");
    }
    // Without items, or with an error beside them, nothing is known of that mailbox.
    let known = !object.has("error") && items.is_some();
    let mut schedule = Schedule { name, path, busy: Vec::new(), unknown: Vec::new() };
    for (status, interval) in items.unwrap_or_default() {
        match (status, interval) {
            (ShowAs::Busy, Some(interval)) => schedule.busy.push(interval),
            (ShowAs::Unknown, Some(interval)) => schedule.unknown.push(interval),
            _ => {}
        }
    }
    if !known {
        schedule.unknown = vec![asked.horizon];
        return Some(schedule);
    }
    // The items decide. Without a view there is nothing to hold them against.
    match view.map_or(Some(Vec::new()), |view| unexplained(poll, asked, &view, &schedule)) {
        Some(slots) => {
            if !slots.is_empty() {
                note(".availabilityView: somebody engaged, and no item says by what: that time is unknown");
            }
            schedule.unknown.extend(slots);
        }
        None => {
            note(".availabilityView: not one digit for each slot: all of the mailbox's time is unknown");
            schedule.unknown = vec![asked.horizon];
        }
    }
    Some(schedule)
}

/// Where the merged view shows somebody engaged and no item says by what. `None`: the view is not of this time at all.
fn unexplained(poll: &Poll, asked: &AskedTime, view: &str, schedule: &Schedule) -> Option<Vec<Interval>> {
    let length = asked.horizon.end.since(asked.horizon.start);
    let slots = length.div_euclid(asked.step * 60_000) + i64::from(length % (asked.step * 60_000) != 0);
    if usize::try_from(slots).ok()? != view.chars().count() {
        return None;
    }
    let mut unknown = Vec::new();
    let mut start = asked.horizon.start;
    for digit in view.chars() {
        let end = start.plus_minutes(asked.step);
        let free = matches!(digit, '0' | '4') || digit == '1' && !poll.tentative_is_busy;
        let slot = Interval::new(start, end.min(asked.horizon.end))?;
        let overlaps = |one: &Interval| one.start < slot.end && slot.start < one.end;
        if !free && !schedule.busy.iter().chain(&schedule.unknown).any(overlaps) {
            unknown.push(slot);
        }
        start = end;
    }
    Some(people::merged(unknown))
}

/// An entry that lasts no time engages nobody: its interval is `None`.
fn entry(poll: &Poll, unread: &Unread, node: &Node<'_>) -> Option<(ShowAs, Option<Interval>)> {
    let object = node.object()?;
    let status = object.must("status", |node| shown(poll, unread, node));
    let interval = times(&object)?;
    Some((status?, interval))
}

/// How an entry shows its person, with a note of a word that nobody here knows. `unknown` is the service's own.
pub fn shown(poll: &Poll, unread: &Unread, node: &Node<'_>) -> Option<ShowAs> {
    let word = node.text()?;
    let shown = show_as(poll, word);
    if shown == ShowAs::Unknown && word != "unknown" {
        unread.note(|| node.path(), ": a word that nobody here knows: the entry's time is unknown");
    }
    Some(shown)
}

/// `start` and `end` of an entry, the longer of what they can be. `Some(None)`: no time at all.
pub fn times(object: &Object<'_>) -> Option<Option<Interval>> {
    let start = object.must("start", local);
    let end = object.must("end", local);
    let (start, end) = (start?, end?);
    if end.latest < start.earliest {
        return wrong_end(object, start.earliest, end.latest);
    }
    Some(zone::between(start, end))
}

fn wrong_end<T>(object: &Object<'_>, start: Instant, end: Instant) -> Option<T> {
    object.must("end", |node| node.wrong_as(format!("an instant not before `start` ({start})"), end.to_string()))
}

/// `{"dateTime": "2026-11-03T15:00:00.0000000", "timeZone": "UTC"}`.
pub fn local(node: &Node<'_>) -> Option<Bound> {
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
    Some(zone::bound(local, Some(zone)))
}
