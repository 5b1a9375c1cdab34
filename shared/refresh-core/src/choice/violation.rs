//! What the authoritative slot and attendees break under today's facts, in words.

use std::collections::BTreeSet;

use crate::{
    Person, Role,
    base::instant::Slot,
    choice::{
        availability::{Known, Time},
        situation::Situation,
        working_hours,
    },
    record::{booking::Booking, mark::Mark, packet::Packet},
};

/// The rules that a packet's slot and attendees break under today's facts, then the marks, in the order they are told.
pub fn marks(situation: &Situation<'_>, packet: &Packet, bookings: &[Booking]) -> Vec<Mark> {
    // A meeting that is cancelled breaks nothing any more.
    if packet.cancelled {
        return Vec::new();
    }
    let slot = &packet.slot;
    let mut marks = BTreeSet::new();
    if situation.evidence_start().is_none_or(|start| slot.start < start) {
        marks.insert(Mark::Evidence);
    }
    if situation.in_force().is_some_and(|change| !change.window.contains(slot)) {
        marks.insert(Mark::Window);
    }
    if situation.cutover_end().is_some_and(|end| slot.end > end) {
        marks.insert(Mark::Cutover);
    }
    if situation.freezes.crosses(slot) {
        marks.insert(Mark::Freeze);
    }
    if situation.is_cancelled() {
        marks.insert(Mark::Cancelled);
    }
    if situation.in_flux() {
        marks.insert(Mark::ChangeInFlux);
    }
    let mut seated = BTreeSet::new();
    for (role, person) in &packet.attendees {
        if situation.policy.distinct_people && !seated.insert(person) {
            marks.insert(Mark::Shared(person.clone()));
        }
        seat_marks(situation, slot, role, person, &mut marks);
        match Time::of(person, situation.facts, bookings).in_slot(slot) {
            Known::Free => {}
            Known::Busy => drop(marks.insert(Mark::Busy(person.clone()))),
            Known::Unknown => drop(marks.insert(Mark::Unproven(person.clone()))),
        }
    }
    marks.into_iter().collect()
}

fn seat_marks(situation: &Situation<'_>, slot: &Slot, role: &Role, person: &Person, marks: &mut BTreeSet<Mark>) {
    if situation.policy.excludes(role, person) {
        marks.insert(Mark::Excluded(person.clone()));
    }
    // Two rules, each broken or not: who is excluded may have lost the delegation too.
    if !situation.appointed(role).any(|appointed| appointed.person == person && appointed.covers(slot)) {
        marks.insert(Mark::Delegate(person.clone()));
    }
    if !situation.eligible(role).iter().any(|eligible| eligible.covers(slot)) {
        marks.insert(Mark::Uncovered(role.clone()));
    }
    if let Some(hours) = &situation.policy.working_hours {
        let days = working_hours::days(hours, situation.zone(person), *slot);
        if !days.iter().any(|day| day.contains(slot)) {
            marks.insert(Mark::Hours(person.clone()));
        }
    }
}
