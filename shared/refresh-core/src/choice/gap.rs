//! When nobody eligible is free for a role: not which slots cannot be covered, but the very time.

use crate::{
    Interval, Role,
    base::instant::Slot,
    choice::{availability::Time, candidates::Landscape, situation::Eligible, working_hours},
};

/// The time around `slot` in which nobody eligible is free for the role, as far as the search looks; the slot itself
/// where somebody is free for a part of it.
pub fn around(landscape: &Landscape<'_>, role: &Role, slot: Slot) -> Interval {
    let starts = &landscape.axis.starts;
    let (Some(first), Some(last)) = (starts.first(), starts.len().checked_sub(1)) else { return slot };
    let range = Interval { start: *first, end: landscape.axis.slot(last).end };
    let mut uncovered = vec![range];
    for eligible in landscape.situation.eligible(role) {
        uncovered = common(&uncovered, &taken(landscape, &eligible, range));
    }
    uncovered.into_iter().find(|gap| gap.contains(&slot)).unwrap_or(slot)
}

/// When this person cannot be had, in order and without overlaps.
fn taken(landscape: &Landscape<'_>, eligible: &Eligible<'_>, range: Interval) -> Vec<Interval> {
    let situation = landscape.situation;
    let time = Time::of(eligible.person, situation.facts, landscape.bookings);
    let mut taken = time.busy;
    taken.extend(time.unknown);
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

/// What two ordered lists have in common.
fn common(one: &[Interval], other: &[Interval]) -> Vec<Interval> {
    let both = |a: &Interval| {
        let a = *a;
        other.iter().filter_map(move |b| Interval::new(a.start.max(b.start), a.end.min(b.end)))
    };
    one.iter().flat_map(both).collect()
}
