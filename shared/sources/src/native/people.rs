//! Free and busy time of people, put together from everything that one payload says of each.

use std::collections::BTreeSet;

use refresh_core::{Interval, Person, base::name::shorten};
use serde_json::{Value, json};

use super::{binding::Poll, input::Input};
use crate::fault::Fault;

/// What one calendar, or one on-call answer, says of one person.
pub struct PersonTime {
    pub person: Person,
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
/// Who is in `spoiled` had a record that could not be read: what the others say is not the whole.
pub fn emit(input: &mut Input<'_>, poll: &Poll, kind: TimeKind, told: Vec<PersonTime>, spoiled: &BTreeSet<Person>) {
    let mut people: Vec<PersonTime> = Vec::new();
    let mut apart = BTreeSet::new();
    for one in told {
        match people.iter_mut().find(|known| known.person == one.person) {
            None => people.push(one),
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
    for one in people.iter().filter(|one| !apart.contains(&one.person) && !spoiled.contains(&one.person)) {
        emit_one(input, poll, kind, one);
    }
}

fn meeting(one: Interval, other: Interval) -> Option<Interval> {
    Interval::new(one.start.max(other.start), one.end.min(other.end))
}

fn emit_one(input: &mut Input<'_>, poll: &Poll, kind: TimeKind, one: &PersonTime) {
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
    if let Some(calendar) = &poll.calendar {
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
