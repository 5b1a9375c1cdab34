//! What a notice says beside its difference: which of it is proposed alone, what became of a proposal, and what follows if
//! its reader does nothing.

use std::collections::BTreeSet;

use crate::{
    Instant, Person,
    audience::{deadlines, reading::Reading},
    record::{
        answer::Duty,
        delta::{self, Difference, DutyAction, DutyLine, Field, Value},
        exception::{ExceptionKind, Reason},
        last_notified::LastNotified,
        notice::{Consequence, Notice},
        proposal::Fate,
        view::{Attendance, View},
    },
    telling::about::{arises, is_about_proposal},
};

/// The notice with all of that.
pub(super) fn complete(reading: &Reading<'_>, told: &LastNotified, notice: Notice) -> Notice {
    let view = reading.view(&told.person, told.seat.as_ref());
    let mut proposed = proposed(reading, &told.person, &view);
    proposed.retain(|field| notice.changes.iter().any(|change| change.field == *field));
    let missing = |reason: &Reason| reason.kind() == ExceptionKind::Unanswered;
    let reasons = notice.exceptions.iter().flat_map(|exception| &exception.reasons).filter(|reason| missing(reason));
    let read_of: BTreeSet<&Person> = reasons.filter_map(Reason::person).chain([&told.person]).collect();
    let owed = deadlines::outstanding(&reading.review.head).filter(|duty| read_of.contains(&duty.person));
    let replied = owed.filter_map(|duty| Some((duty.person.clone(), duty.replied?))).collect();
    let otherwise = notice.duty.as_ref().map(|duty| consequences(reading, told, &view, &notice, duty));
    Notice {
        proposed_before: proposed_before(reading, told, &notice),
        proposed,
        replied,
        ended: ended(reading, told),
        otherwise: otherwise.unwrap_or_default(),
        answer_due: answer_due(reading, &notice),
        ..notice
    }
}

/// The fields that a proposal would change, as far as this person is told of it.
fn proposed(reading: &Reading<'_>, person: &Person, view: &View) -> BTreeSet<Field> {
    let mut fields = BTreeSet::new();
    if !is_about_proposal(reading, person, view) {
        return fields;
    }
    let counts = &reading.review.authoritative.packet;
    let roles = reading.authoritative_row(person).map(|row| row.roles).unwrap_or_default();
    // Who is released reads of the seat that they had.
    if view.attendance != Some(Attendance::Released) {
        fields.extend(view.slot.filter(|slot| *slot != counts.slot).map(|_| Field::Slot));
        fields.extend((view.roles != roles).then_some(Field::Role));
    }
    let others = view.roster.iter().filter(|(role, who)| counts.attendees.get(role) != Some(who));
    fields.extend(others.map(|(role, _)| Field::Roster(role.clone())));
    fields.extend(view.freeze_edge.filter(|edge| *edge != counts.freeze_edge).map(|_| Field::FreezeEdge));
    fields
}

/// The fields of the notice whose earlier value is one that a proposal had, and never counted. A mail that asks for a
/// decision, or tells something once more, may compare with what counts.
fn proposed_before(reading: &Reading<'_>, told: &LastNotified, notice: &Notice) -> BTreeSet<Field> {
    if told.proposal.is_none() || told.adoptions != reading.review.head.adoptions {
        return BTreeSet::new();
    }
    let counts = as_it_counts(reading, &told.person, &told.view);
    let counted = |field: &Field| match field {
        Field::Slot => counts.slot.map(Value::Interval),
        Field::Role => delta::roles(&counts),
        Field::Roster(role) => counts.roster.get(role).map(|person| Value::Text(person.to_string())),
        Field::FreezeEdge => counts.freeze_edge.map(Value::Flag),
        _ => None,
    };
    let of_seats = |field: &Field| matches!(field, Field::Slot | Field::Role | Field::Roster(_) | Field::FreezeEdge);
    let never_counted =
        |change: &&Difference| of_seats(&change.field) && change.was.is_some() && change.was != counted(&change.field);
    notice.changes.iter().filter(never_counted).map(|change| change.field.clone()).collect()
}

/// The view with slot, roles, roster and freeze edge as the authoritative packet has them.
pub(super) fn as_it_counts(reading: &Reading<'_>, person: &Person, view: &View) -> View {
    let counts = &reading.review.authoritative.packet;
    let roles = reading.authoritative_row(person).map(|row| row.roles).unwrap_or_default();
    let (slot, roster, freeze_edge) = (Some(counts.slot), counts.attendees.clone(), Some(counts.freeze_edge));
    View { slot, roles, attendance: None, roster, freeze_edge, ..view.clone() }
}

/// When the answer is due that is owed beside a decision.
fn answer_due(reading: &Reading<'_>, notice: &Notice) -> Option<Instant> {
    notice.duty.as_ref().filter(|duty| duty.action == DutyAction::Decide)?;
    deadlines::outstanding(&reading.review.head).find(|owed| owed.person == notice.to).map(|owed| owed.due_at)
}

/// What became of the proposal that the reader was told of.
fn ended(reading: &Reading<'_>, told: &LastNotified) -> Option<Fate> {
    let known = told.proposal?;
    reading.review.head.past.iter().find(|past| past.id == known).map(|past| past.fate)
}

fn consequences(
    reading: &Reading<'_>,
    told: &LastNotified,
    view: &View,
    notice: &Notice,
    duty: &DutyLine,
) -> BTreeSet<Consequence> {
    let head = &reading.review.head;
    let others = |person: &&Person| **person != told.person;
    let contacts = reading.policy.escalation_contacts.iter().any(|contact| *contact != told.person);
    let mut all: BTreeSet<Consequence> = contacts.then_some(Consequence::ContactsTold).into_iter().collect();
    all.extend(head.today.owner.as_ref().filter(others).map(|_| Consequence::OwnerTold));
    match duty.action {
        DutyAction::Decide => all.extend(head.hold.entry.as_ref().map(|_| Consequence::HoldsEnd)),
        DutyAction::Answer => {
            let row = reading.authoritative_row(&told.person);
            let arises = !notice.kind.repeats() && arises(told, view, row.as_ref());
            let known = deadlines::outstanding(head).find(|known| known.person == told.person).filter(|_| !arises);
            let next = next_reminder(reading, known, notice.at);
            all.extend(next.filter(|next| *next < duty.by.min(head.starts_at)).map(|_| Consequence::Reminded));
        }
    }
    all
}

/// The reminder of an answer that comes after a mail of now. `known`: the duty, if it is not this mail that tells it.
fn next_reminder(reading: &Reading<'_>, known: Option<&Duty>, now: Instant) -> Option<Instant> {
    let told_at = known.map_or(now, |duty| duty.told_at);
    deadlines::nth_reminder(told_at, deadlines::reminders_due(told_at, now, reading.policy), reading.policy)
}
