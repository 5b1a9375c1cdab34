//! What every on-call system's translator does: from entries of one or several schedules to one snapshot a person.
//!
//! The binding says whom the snapshots are of. Each of them gets one, an empty one too: who has left the rota is in no
//! entry, and without it would stay engaged for ever. It also says of which schedules they are made: all must be there.

use std::collections::BTreeSet;

use refresh_core::{Instant, Interval, Person};

use super::{
    binding::{Oncall, People, Says},
    input::Input,
    people::{self, PersonTime, TimeKind},
    unread::Unread,
};
use crate::reader::{Node, Object};

const MOST_ANSWERS: usize = 200;
pub const MOST_ENTRIES: usize = 10_000;

/// One entry that counts, from when to when (`None`: permanent on that side).
pub struct OncallEntry {
    pub who: OncallNames,
    /// Where it stands in the payload.
    pub path: String,
    pub start: Option<Instant>,
    pub end: Option<Instant>,
}

/// What a source's member for a person holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum NameKind {
    /// A name of the system's own.
    Id,
    Address,
    /// Either of the two: a user name.
    Any,
}

/// The source's names for whoever is on call: every member that a bound name may be the value of, whether or not it says
/// anything.
#[derive(Default)]
pub struct OncallNames(Vec<(NameKind, Option<String>)>);

impl OncallNames {
    pub fn of(members: impl IntoIterator<Item = (NameKind, Option<String>)>) -> Self {
        // A name of nothing names nobody.
        let said = |name: Option<String>| name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        Self(members.into_iter().map(|(kind, name)| (kind, said(name))).collect())
    }

    fn said(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|(_, name)| name.as_deref())
    }

    pub fn is_nobody(&self) -> bool {
        self.said().next().is_none()
    }

    /// The bound people whom it names: of an entry that contradicts itself, each.
    fn people(&self, bound: &People) -> BTreeSet<Person> {
        self.said().filter_map(|name| bound.person_of(name)).collect()
    }

    /// Whether somebody of another name is certainly somebody else. A name can be compared only where the entry has all
    /// that such a name may be the value of: an address with addresses, any other name with names of that kind.
    fn compares_with(&self, bound: BoundNames) -> bool {
        let all_but = |other: NameKind| self.0.iter().all(|(kind, name)| *kind == other || name.is_some());
        !self.is_nobody()
            && (!bound.ids || all_but(NameKind::Address))
            && (!bound.addresses || all_but(NameKind::Id) && self.said().any(is_address))
    }
}

fn is_address(name: &str) -> bool {
    name.contains('@')
}

/// Which kinds of names a binding has.
#[derive(Clone, Copy)]
struct BoundNames {
    ids: bool,
    addresses: bool,
}

impl BoundNames {
    fn of(bound: &People) -> Self {
        let names = bound.names().concat();
        Self { ids: names.iter().any(|name| !is_address(name)), addresses: names.iter().any(|name| is_address(name)) }
    }
}

/// What one question came to.
pub struct ScheduleAnswer {
    pub schedule: String,
    pub horizon: Interval,
    pub entries: Vec<OncallEntry>,
    /// Where the schedule says that it is switched off: then it does not answer at all.
    pub off: Option<String>,
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
    let (mut entries, unread, mut known) = (Vec::new(), Unread::default(), true);
    for answer in answers {
        if let Some(path) = answer.off {
            known = false;
            unread.note(|| path, ": the schedule is switched off: all of its time is unknown");
        }
        entries.extend(answer.entries);
    }
    unread.tell(input);
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
    let mut busy: Vec<(BTreeSet<Person>, Interval)> = Vec::new();
    let (bound, unread) = (&oncall.poll.people, Unread::default());
    let (everybody, kinds) = (bound.everybody(), BoundNames::of(bound));
    for entry in entries {
        let start = entry.start.unwrap_or(horizon.start).max(horizon.start);
        let end = entry.end.unwrap_or(horizon.end).min(horizon.end);
        let Some(interval) = Interval::new(start, end) else { continue };
        let named = entry.who.people(bound);
        // Nobody bound is named. Nor is it known that somebody else is: a bound name has nothing to compare with.
        if !named.iter().any(|person| everybody.contains(person)) && !entry.who.compares_with(kinds) {
            unread.note(|| entry.path, ": names nobody whom a bound name can be compared with: its time is unknown");
            unknown.push(interval);
        }
        busy.push((named, interval));
    }
    unread.tell(input);
    let unknown = people::merged(unknown);
    let told = people.iter().map(|person| {
        let of = busy.iter().filter(|(of, _)| of.contains(person)).map(|(_, interval)| *interval);
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
