//! What the authoritative slot and attendees break under today's facts, in words.

use std::collections::BTreeSet;

use crate::{
    Person, Role,
    base::instant::Slot,
    choice::{
        availability::{Known, known_in_slot},
        ours::Ours,
        situation::Situation,
        working_hours,
    },
    record::{
        mark::{Mark, Remark, Violation},
        packet::Packet,
    },
};

/// The rules that a packet's slot and attendees break under today's facts, then the marks, in the order they are told.
pub fn marks(situation: &Situation<'_>, packet: &Packet, ours: &Ours<'_>) -> Vec<Mark> {
    // A meeting that is cancelled breaks nothing any more.
    if packet.cancelled {
        return Vec::new();
    }
    let slot = &packet.slot;
    let mut marks = BTreeSet::new();
    if situation.evidence_start().is_none_or(|start| slot.start < start) {
        marks.insert(Violation::Evidence.into());
    }
    if situation.in_force().is_some_and(|change| !change.window.contains(slot)) {
        marks.insert(Violation::Window.into());
    }
    if situation.cutover_end().is_some_and(|end| slot.end > end) {
        marks.insert(Violation::Cutover.into());
    }
    if situation.freezes.crosses(slot) {
        marks.insert(Violation::Freeze.into());
    }
    if situation.is_cancelled() {
        marks.insert(Violation::Cancelled.into());
    }
    marks.extend(situation.overdue().map(|checkpoint| Remark::Overdue(checkpoint.clone()).into()));
    if situation.in_flux() {
        marks.insert(Remark::ChangeInFlux.into());
    }
    let mut seated = BTreeSet::new();
    for (role, person) in &packet.attendees {
        if situation.policy.distinct_people && !seated.insert(person) {
            marks.insert(Violation::Shared(person.clone()).into());
        }
        seat_marks(situation, slot, role, person, &mut marks);
        if ours.claims.get(person).is_some_and(|claim| situation.booked(person, slot, *claim).is_some()) {
            marks.insert(Violation::Booked(person.clone()).into());
        }
        match known_in_slot(person, situation.silence.heard(situation.facts), ours, slot) {
            Known::Free => {}
            Known::Busy => drop(marks.insert(Violation::Busy(person.clone()).into())),
            Known::Unknown => drop(marks.insert(Remark::Unproven(person.clone()).into())),
        }
    }
    marks.into_iter().collect()
}

fn seat_marks(situation: &Situation<'_>, slot: &Slot, role: &Role, person: &Person, marks: &mut BTreeSet<Mark>) {
    if situation.policy.excludes(role, person) {
        marks.insert(Violation::Excluded(person.clone()).into());
    }
    // Two rules, each broken or not: who is excluded may have lost the delegation too.
    if !situation.appointed(role).any(|appointed| appointed.person == person && appointed.covers(slot)) {
        marks.insert(Violation::Delegate(person.clone()).into());
    }
    if !situation.eligible(role).any(|eligible| eligible.covers(slot)) {
        marks.insert(Violation::Uncovered(role.clone()).into());
    }
    if let Some(hours) = &situation.policy.working_hours {
        let days = working_hours::days(hours, situation.zone(person), *slot);
        if !days.iter().any(|day| day.contains(slot)) {
            marks.insert(Violation::Hours(person.clone()).into());
        }
    }
}
