//! When no slot is viable: every rule whose waiver alone would give one, with the nearest such slot and the miss.

use crate::{
    Person,
    base::instant::{Slot, minutes_up},
    choice::{assignment::Assignment, candidates::Landscape, gap, search::Waiver, situation::Ready, working_hours},
    record::exception::{Reason, Rule},
};

/// The rules about time and place, in the order they are told.
const RULES: [Rule; 8] = [
    Rule::FreezeCrossing,
    Rule::OutsideWindow,
    Rule::CutoverLead,
    Rule::BeforeEvidence,
    Rule::EvidenceOverdue,
    Rule::ShortNotice,
    Rule::SharedPerson,
    Rule::OutsideHours,
];

/// `landscape` must reach as far as waivers lead.
pub fn reasons(landscape: &Landscape<'_>) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for rule in RULES {
        if let Some((index, seats)) = landscape.nearest(Waiver::Rule(rule)) {
            reasons.push(by_rule(landscape, rule, index, &seats));
        }
    }
    for role in 0..landscape.roles.len() {
        if let Some((index, _)) = landscape.nearest(Waiver::Role(role)) {
            reasons.push(by_role(landscape, role, index));
        }
    }
    for person in 0..landscape.people.len() {
        if let Some((index, _)) = landscape.nearest(Waiver::Unknown(person)) {
            let seat = &landscape.people[person];
            let slot = landscape.axis.slot(index);
            reasons.push(Reason::new(Rule::AvailabilityUnknown).person(seat.person).slot(slot));
        }
    }
    if reasons.is_empty() {
        reasons.push(Reason::new(Rule::NoCommonSlot));
    }
    reasons.sort_by(|a, b| a.identity().cmp(&b.identity()));
    reasons
}

fn by_rule(landscape: &Landscape<'_>, rule: Rule, index: usize, seats: &Assignment) -> Reason {
    let slot = landscape.axis.slot(index);
    let mut reason = Reason::new(rule).slot(slot);
    reason.missed_by_minutes = missed_by(landscape, rule, &slot, seats).map(minutes_up);
    if rule == Rule::SharedPerson {
        reason.person = twice_seated(landscape, seats).cloned();
    }
    reason
}

/// By how much the slot breaks the rule, in milliseconds. `None` for waivers of people, and where nothing says when.
fn missed_by(landscape: &Landscape<'_>, rule: Rule, slot: &Slot, seats: &Assignment) -> Option<i64> {
    let situation = landscape.situation;
    let buffer = situation.policy.evidence_buffer_minutes * crate::base::instant::MINUTE;
    let ready = || situation.terms.checkpoints.iter().map(|checkpoint| situation.ready(checkpoint));
    match rule {
        Rule::FreezeCrossing => Some(situation.freezes.crossing(slot)),
        Rule::OutsideWindow => {
            let window = situation.in_force()?.window;
            Some(window.start.since(slot.start).max(slot.end.since(window.end)))
        }
        Rule::CutoverLead => Some(slot.end.since(situation.cutover_end()?)),
        Rule::BeforeEvidence => ready()
            .map(|ready| match ready {
                Ready::At(at) => Some(at.plus_millis(buffer).since(slot.start)),
                Ready::Overdue(_) | Ready::Never => None,
            })
            .try_fold(0, |most, missed| Some(most.max(missed?))),
        Rule::EvidenceOverdue => ready()
            .filter_map(|ready| match ready {
                Ready::Overdue(expected) => Some(situation.now.since(expected)),
                Ready::At(_) | Ready::Never => None,
            })
            .max(),
        Rule::ShortNotice => Some(situation.notice_start().since(slot.start)),
        Rule::OutsideHours => {
            seats.people.iter().map(|person| outside_hours(landscape, landscape.people[*person].person, slot)).max()
        }
        _ => None,
    }
}

/// How much of the slot lies outside the working day it has most in common with.
fn outside_hours(landscape: &Landscape<'_>, person: &Person, slot: &Slot) -> i64 {
    let Some(hours) = &landscape.situation.policy.working_hours else { return 0 };
    let days = working_hours::days(hours, landscape.situation.zone(person), *slot);
    slot.length() - days.iter().map(|day| day.overlap(slot)).max().unwrap_or(0)
}

fn twice_seated<'a>(landscape: &Landscape<'a>, seats: &Assignment) -> Option<&'a Person> {
    let twice = |person: &&usize| seats.people.iter().filter(|other| other == person).count() > 1;
    seats.people.iter().filter(twice).map(|person| landscape.people[*person].person).min()
}

/// The time around the nearest slot in which nobody eligible is free for the role, and who covered it last.
fn by_role(landscape: &Landscape<'_>, role: usize, index: usize) -> Reason {
    let seats = &landscape.roles[role];
    let slot = landscape.axis.slot(index);
    let mut reason = Reason::new(Rule::RoleUncovered).role(seats.role).slot(slot);
    reason.gap = Some(gap::around(landscape, seats.role, slot));
    let sitting = |index: usize| {
        landscape.seatable(index, Waiver::Nothing)[role]
            .iter()
            .min_by_key(|seat| (seat.substitution, seat.rank))
            .map(|seat| landscape.people[seat.person].person)
    };
    let before = (0..index).rev().find_map(sitting);
    reason.last_cover = Some(before.unwrap_or(landscape.people[seats.incumbent].person).clone());
    reason
}
