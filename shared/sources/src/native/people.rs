//! Free and busy time of people, put together from everything that one payload says of each.

use std::collections::BTreeSet;

use refresh_core::{DiaryName, Interval, Person, base::name::shorten};
use serde_json::{Value, json};

use super::{
    binding::{Poll, folded},
    input::Input,
};
use crate::fault::Fault;

/// What one calendar, or one on-call answer, says of one person.
pub struct PersonTime {
    pub person: Person,
    /// The source's own name of the calendar, where an answer says which of several it is.
    pub name: Option<String>,
    pub revision: u64,
    pub horizon: Interval,
    pub busy: Vec<Interval>,
    pub unknown: Vec<Interval>,
}

/// How a payload's people are told.
#[derive(Clone, Copy)]
pub enum TimeKind {
    /// A calendar whose entries are told one by one.
    Entries,
    /// A calendar whose touching entries the service has merged into runs.
    Runs,
    Oncall,
}

/// One event a person. Somebody with several calendars in one payload is busy when any is, unknown where any is, and
/// known of no longer than all are: two events of one subject and one revision would be one fact and one stale event.
/// Where a payload does not speak of all calendars that the binding knows of a person, each is told by itself: as the
/// person's one calendar, an answer about the one would erase the answer about the other.
/// Who is in `spoiled` had a record that could not be read: what the others say is not the whole.
pub fn emit(input: &mut Input<'_>, poll: &Poll, kind: TimeKind, told: Vec<PersonTime>, spoiled: &BTreeSet<Person>) {
    let mut people: Vec<(Option<DiaryName>, PersonTime)> = Vec::new();
    let mut apart = BTreeSet::new();
    for (calendar, one) in by_calendar(poll, told) {
        let known = people.iter_mut().find(|(of, known)| known.person == one.person && *of == calendar);
        match known.map(|(_, known)| known) {
            None => people.push((calendar, one)),
            Some(known) => match meeting(known.horizon, one.horizon) {
                None => drop(apart.insert(one.person)),
                Some(horizon) => {
                    known.horizon = horizon;
                    known.revision = known.revision.max(one.revision);
                    known.busy.extend(one.busy);
                    known.unknown.extend(one.unknown);
                }
            },
        }
    }
    for person in &apart {
        let expected = "calendars of one person that were all asked about one time";
        let fault = Fault::new("$", expected, format!("times of {} that do not meet", shorten(person.as_str())));
        input.refuse(None, None, vec![fault]);
    }
    for (calendar, one) in
        people.iter().filter(|(_, one)| !apart.contains(&one.person) && !spoiled.contains(&one.person))
    {
        emit_one(input, poll, kind, calendar.as_ref(), one);
    }
}

/// What was told, each with the calendar it is told as.
fn by_calendar(poll: &Poll, told: Vec<PersonTime>) -> Vec<(Option<DiaryName>, PersonTime)> {
    let named: BTreeSet<(Person, String)> =
        told.iter().filter_map(|one| Some((one.person.clone(), folded(one.name.as_ref()?)))).collect();
    let is_whole =
        |person: &Person| poll.people.names_of(person).all(|name| named.contains(&(person.clone(), name.to_owned())));
    let calendar = |one: &PersonTime| match &one.name {
        Some(name) if !is_whole(&one.person) => poll.calendar_of(&one.person, name),
        _ => poll.calendar.clone(),
    };
    told.into_iter().map(|one| (calendar(&one), one)).collect()
}

fn meeting(one: Interval, other: Interval) -> Option<Interval> {
    Interval::new(one.start.max(other.start), one.end.min(other.end))
}

fn emit_one(input: &mut Input<'_>, poll: &Poll, kind: TimeKind, calendar: Option<&DiaryName>, one: &PersonTime) {
    let mut data = json!({
        "person": one.person.as_str(),
        "kind": if matches!(kind, TimeKind::Oncall) { "oncall" } else { "calendar" },
        "revision": one.revision,
        "horizon": span(one.horizon),
        "busy": one.busy.iter().copied().map(span).collect::<Vec<_>>(),
        "unknown": one.unknown.iter().copied().map(span).collect::<Vec<_>>(),
    });
    if matches!(kind, TimeKind::Runs) {
        data["merged"] = json!(true);
    }
    if let Some(calendar) = calendar {
        data["calendar"] = json!(calendar.as_str());
    }
    input.emit(&poll.source, None, "dev.holdpoint.availability.updated.v1", data);
}

fn span(interval: Interval) -> Value {
    json!({ "start": interval.start.to_string(), "end": interval.end.to_string() })
}

/// Intervals as runs, where nothing rests on an entry's bounds.
pub fn merged(mut list: Vec<Interval>) -> Vec<Interval> {
    list.sort_unstable();
    let mut merged: Vec<Interval> = Vec::with_capacity(list.len());
    for next in list {
        match merged.last_mut() {
            Some(last) if next.start <= last.end => last.end = last.end.max(next.end),
            _ => merged.push(next),
        }
    }
    merged
}
