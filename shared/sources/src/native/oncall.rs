//! What every on-call system's translator does: from entries of one or several schedules to one snapshot a person.
//!
//! The binding says whom the snapshots are of. Each of them gets one, an empty one too: who has left the rota is in no
//! entry, and without it would stay engaged for ever. It also says of which schedules they are made: all must be there.

use std::collections::BTreeSet;

use refresh_core::{Instant, Interval, Person};

use super::{
    binding::{Oncall, Says},
    input::Input,
    people::{self, PersonTime, TimeKind},
};
use crate::reader::{Node, Object};

const MOST_ANSWERS: usize = 200;
pub const MOST_ENTRIES: usize = 10_000;

/// One entry that counts, from when to when (`None`: permanent on that side).
pub struct OncallEntry {
    /// The source's names for the person: the first that the binding knows counts. None at all: somebody is on call, and
    /// it is not told who.
    pub names: Vec<String>,
    pub start: Option<Instant>,
    pub end: Option<Instant>,
}

/// What one question came to.
pub struct ScheduleAnswer {
    pub schedule: String,
    pub horizon: Interval,
    pub entries: Vec<OncallEntry>,
    /// Whether the schedule answers at all: one that is switched off does not.
    pub known: bool,
}

/// The binding of an on-call system.
pub fn binding<'a>(input: &Input<'a>) -> Option<&'a Oncall> {
    input.binding(|binding| match &binding.says {
        Says::Oncall(oncall) => Some(oncall),
        _ => None,
    })
}

/// `{"request", "response"}`, or `{"answers": [{"request", "response"}, ...]}`: one question a schedule.
pub fn translate(input: &mut Input<'_>, read: impl Fn(&Object<'_>) -> Option<ScheduleAnswer>) -> Option<()> {
    let oncall = binding(input);
    let payload = input.payload;
    let object = payload.object()?;
    let answers = if object.has("answers") {
        object.must("answers", |list| list.list(MOST_ANSWERS, |item| read(&item.object()?)))
    } else {
        read(&object).map(|answer| vec![answer])
    };
    let oncall = oncall?;
    let revision = input.polled_revision(&oncall.poll.revision_header);
    let (answers, revision) = (answers?, revision?);
    whole(&payload, oncall, &answers)?;
    let Some(horizon) = common(&answers) else {
        return payload.wrong_as("answers about one time", "answers about times that do not meet");
    };
    let answers = answers.into_iter().filter(|answer| oncall.schedules.contains(&answer.schedule));
    let (mut entries, mut known) = (Vec::new(), true);
    for answer in answers {
        known &= answer.known;
        entries.extend(answer.entries);
    }
    let people = oncall.poll.people.everybody().into_iter().cloned().collect();
    tell(input, oncall, &people, horizon, entries, known, revision);
    Some(())
}

/// A schedule that is missing would be on-call time taken for free.
fn whole(payload: &Node<'_>, oncall: &Oncall, answers: &[ScheduleAnswer]) -> Option<()> {
    let missing: Vec<&str> = oncall
        .schedules
        .iter()
        .filter(|schedule| !answers.iter().any(|answer| answer.schedule == **schedule))
        .map(String::as_str)
        .collect();
    if missing.is_empty() {
        return Some(());
    }
    payload.wrong_as("an answer of every schedule that the binding names", format!("none of {}", missing.join(", ")))
}

fn common(answers: &[ScheduleAnswer]) -> Option<Interval> {
    let start = answers.iter().map(|answer| answer.horizon.start).max()?;
    let end = answers.iter().map(|answer| answer.horizon.end).min()?;
    Interval::new(start, end)
}

/// Every one of these people, with the time they are on call. Several rotas of one person become one: on-call time is
/// never our own meeting, so nothing rests on an entry's exact bounds, and the fact stays small.
pub fn tell(
    input: &mut Input<'_>,
    oncall: &Oncall,
    people: &BTreeSet<Person>,
    horizon: Interval,
    entries: Vec<OncallEntry>,
    known: bool,
    revision: u64,
) {
    let mut unknown: Vec<Interval> = if known { Vec::new() } else { vec![horizon] };
    let mut busy: Vec<(Option<Person>, Interval)> = Vec::new();
    for mut entry in entries {
        // A name of nothing names nobody.
        entry.names.retain(|name| !name.trim().is_empty());
        let start = entry.start.unwrap_or(horizon.start).max(horizon.start);
        let end = entry.end.unwrap_or(horizon.end).min(horizon.end);
        let Some(interval) = Interval::new(start, end) else { continue };
        if entry.names.is_empty() {
            unknown.push(interval);
        }
        busy.push((oncall.poll.people.person_of_any(&entry.names), interval));
    }
    let unknown = people::merged(unknown);
    let told = people.iter().map(|person| {
        let of = busy.iter().filter(|(of, _)| of.as_ref() == Some(person)).map(|(_, interval)| *interval);
        let (person, unknown) = (person.clone(), unknown.clone());
        PersonTime { person, name: None, revision, horizon, busy: people::merged(of.collect()), unknown }
    });
    people::emit(input, &oncall.poll, TimeKind::Oncall, told.collect(), &BTreeSet::new());
}

/// An entry's bounds, by the names of two members that may be null.
pub fn bounds(object: &Object<'_>, first: &str, last: &str) -> Option<(Option<Instant>, Option<Instant>)> {
    let start = object.may(first, |node| node.instant());
    let end = object.may(last, |node| node.instant());
    let (start, end) = (start?, end?);
    if let (Some(start), Some(end)) = (start, end)
        && start != end
    {
        object.ordered(first, start, last, end)?;
    }
    Some((start, end))
}

/// Two instants that an entry must have.
pub fn span(object: &Object<'_>, first: &str, last: &str) -> Option<(Option<Instant>, Option<Instant>)> {
    object.must(first, |node| node.instant().map(|_| ())).and(object.must(last, |node| node.instant().map(|_| ())))?;
    bounds(object, first, last)
}
