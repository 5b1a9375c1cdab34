//! What a fact is about, as far as a change may follow from it: by the mark, and by what speaks against a slot.

use crate::{
    Checkpoint, Instant, Person, Role, Source,
    audience::reading::Reading,
    facts::subject::Subject,
    record::{
        delta::{Difference, Value},
        mark::{Mark, Remark, Violation},
        packet::Standpoint,
        report::{Against, Because, PassedOver},
    },
};

/// What a fact is about, as far as a change may follow from it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Bears {
    /// When a person is free.
    Time(Person),
    /// A person's name and zone.
    Profile(Person),
    /// Who holds a role, and who may stand in.
    Cover(Role),
    /// A checkpoint; `None`: any.
    Evidence(Option<Checkpoint>),
    Change,
    /// Window and cutover, as far as they are others than those that the reader was told.
    Schedule,
    Freeze,
    Terms,
    Decision,
    /// When anybody is free.
    AnyTime,
    /// Whatever this source says.
    Heard(Source),
}

impl Bears {
    pub(super) fn holds(&self, standpoint: &Standpoint) -> bool {
        match (self, &standpoint.subject) {
            (Self::Heard(source), _) => *source == standpoint.source,
            (Self::Time(whose), Subject::Availability(person, ..) | Subject::Calendars(person))
            | (Self::Profile(whose), Subject::Person(person)) => whose == person,
            (Self::Cover(covered), Subject::Delegation(_, role)) => covered == role,
            (Self::Evidence(of), Subject::Evidence(_, checkpoint)) => of.as_ref().is_none_or(|of| of == checkpoint),
            (Self::Change | Self::Schedule, Subject::Change(_))
            | (Self::AnyTime, Subject::Availability(..) | Subject::Calendars(_))
            | (Self::Freeze, Subject::Freeze(_))
            | (Self::Terms, Subject::Review(_))
            | (Self::Decision, Subject::Decision(_)) => true,
            _ => false,
        }
    }
}

/// What the marks are about that came or went.
pub(super) fn marks_that_differ(reading: &Reading<'_>, change: &Difference) -> Vec<Bears> {
    let marks = |value: &Option<Value>| match value {
        Some(Value::Marks(marks)) => marks.clone(),
        _ => Vec::new(),
    };
    let (was, now) = (marks(&change.was), marks(&change.now));
    let gone = was.iter().filter(|mark| !now.contains(mark));
    let new = now.iter().filter(|mark| !was.contains(mark));
    let gone = gone.flat_map(|mark| of_mark(reading, mark, false));
    gone.chain(new.flat_map(|mark| of_mark(reading, mark, true))).collect()
}

/// The checkpoints that keep a slot from starting then, by the times that HEAD keeps: a mail is made without the facts.
fn late(reading: &Reading<'_>, start: Instant) -> Vec<Bears> {
    let buffer = reading.policy.evidence_buffer_minutes;
    let is_late = |ready: &Option<Instant>| ready.is_none_or(|ready| ready.plus_minutes(buffer) > start);
    let checkpoints = reading.review.head.today.checkpoints.iter().filter(|(_, ready)| is_late(ready));
    checkpoints.map(|(key, _)| Bears::Evidence(Some(key.clone()))).chain([Bears::Terms]).collect()
}

/// `stands`: the mark is one of today's. Which fact took a mark away is not known.
pub(super) fn of_mark(reading: &Reading<'_>, mark: &Mark, stands: bool) -> Vec<Bears> {
    let attendees = &reading.review.authoritative.packet.attendees;
    let roles_of = |person: &Person| {
        let roles = attendees.iter().filter(move |(_, filled_by)| *filled_by == person);
        roles.map(|(role, _)| Bears::Cover(role.clone())).collect::<Vec<_>>()
    };
    match mark {
        Mark::Violation(Violation::Evidence) if stands => late(reading, reading.review.authoritative.packet.slot.start),
        Mark::Violation(Violation::Evidence) => vec![Bears::Evidence(None), Bears::Terms],
        Mark::Violation(Violation::Window | Violation::Cutover) => vec![Bears::Schedule],
        Mark::Violation(Violation::Cancelled) | Mark::Remark(Remark::OwnerUnconfirmed | Remark::ChangeInFlux) => {
            vec![Bears::Change]
        }
        Mark::Violation(Violation::Freeze) => vec![Bears::Freeze],
        Mark::Violation(Violation::Hours(person)) => vec![Bears::Profile(person.clone()), Bears::Terms],
        Mark::Violation(Violation::Busy(person)) | Mark::Remark(Remark::Unproven(person)) => {
            vec![Bears::Time(person.clone())]
        }
        Mark::Violation(Violation::Delegate(person)) => roles_of(person),
        Mark::Violation(Violation::Excluded(person) | Violation::Shared(person)) => {
            roles_of(person).into_iter().chain([Bears::Terms]).collect()
        }
        Mark::Violation(Violation::Uncovered(role)) => vec![Bears::Cover(role.clone())],
        // Seats in other reviews are no facts.
        Mark::Violation(Violation::Booked(_)) => Vec::new(),
        Mark::Remark(Remark::Overdue(key)) => vec![Bears::Evidence(Some(key.clone()))],
    }
}

/// `start`: when the slot begins that this speaks against.
pub(super) fn of_against(reading: &Reading<'_>, start: Instant, against: &Against) -> Vec<Bears> {
    match against {
        Against::Evidence | Against::Unready => late(reading, start),
        Against::Window | Against::Cutover => vec![Bears::Schedule],
        Against::Freeze => vec![Bears::Freeze],
        Against::Role { role, people } => {
            let of = |passed: &PassedOver| match passed.because {
                Because::Busy | Because::Unknown => Bears::Time(passed.person.clone()),
                Because::Hours => Bears::Profile(passed.person.clone()),
                Because::NotValid => Bears::Cover(role.clone()),
            };
            if people.is_empty() { vec![Bears::Cover(role.clone())] } else { people.iter().map(of).collect() }
        }
        // Time, a decision, and who else fills a role: no fact of their own.
        Against::Notice | Against::Declined | Against::Shared => Vec::new(),
    }
}
