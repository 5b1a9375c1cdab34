//! When nobody eligible is free for a role: not which slots cannot be covered, but the very time.

use crate::{
    Interval, Role,
    base::instant::Slot,
    choice::{availability::Time, candidates::Candidates, situation::Eligible, working_hours},
};

/// The time around `slot` in which nobody eligible is free for the role, as far as the search looks. It is the slot
/// itself where somebody is free for a part of the slot.
pub fn around(candidates: &Candidates<'_>, role: &Role, slot: Slot) -> Interval {
    let axis = &candidates.axis;
    let range = Interval { start: axis.start(0), end: axis.slot(axis.count() - 1).end };
    let mut gap = range;
    for eligible in candidates.situation.eligible(role) {
        // The common part of several intervals around one slot is again one interval around that slot.
        let around = taken(candidates, &eligible, range).into_iter().find(|taken| taken.contains(&slot));
        let Some(around) = around else { return slot };
        gap = Interval { start: gap.start.max(around.start), end: gap.end.min(around.end) };
    }
    gap
}

/// When this person cannot be had, in order and without overlaps.
fn taken(candidates: &Candidates<'_>, eligible: &Eligible<'_>, range: Interval) -> Vec<Interval> {
    let situation = candidates.situation;
    let time = Time::of(eligible.person, situation.silence.heard(situation.facts), &candidates.ours);
    let mut taken = time.busy;
    taken.extend(situation.taken_elsewhere(eligible.person).chain(situation.proposed_elsewhere(eligible.person)));
    taken.extend(time.unknown);
    taken.extend(time.maybe_ours);
    let mut outside = |inside: Vec<Interval>| {
        let mut from = range.start;
        for interval in inside {
            taken.extend(Interval::new(from, interval.start));
            from = from.max(interval.end);
        }
        taken.extend(Interval::new(from, range.end));
    };
    time.horizons.into_iter().for_each(|horizon| outside(vec![horizon]));
    if !time.calendar {
        outside(Vec::new());
    }
    let (from, until) = (eligible.valid_from.unwrap_or(range.start), eligible.valid_until.unwrap_or(range.end));
    outside(Interval::new(from, until).into_iter().collect());
    if let Some(hours) = &situation.policy.working_hours {
        outside(working_hours::days(hours, situation.zone(eligible.person), range));
    }
    merged(taken)
}

/// In order, those that touch or overlap made one.
fn merged(mut intervals: Vec<Interval>) -> Vec<Interval> {
    intervals.sort_unstable();
    let mut merged: Vec<Interval> = Vec::new();
    for interval in intervals {
        match merged.last_mut() {
            Some(last) if interval.start <= last.end => last.end = last.end.max(interval.end),
            _ => merged.push(interval),
        }
    }
    merged
}
