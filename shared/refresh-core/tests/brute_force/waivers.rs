//! Where nothing is viable: each rule waived alone, over every slot it would open.

use std::cmp::Reverse;

use crate::{
    case::{Case, DAY, Span, Time},
    hours,
    judge::{self, Waive},
};

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Waived {
    pub rule: &'static str,
    pub role: Option<usize>,
    pub person: Option<usize>,
    pub slot: Option<Span>,
    /// Whole minutes, rounded up.
    pub missed_by: Option<i64>,
}

/// Every rule whose waiver alone would give a slot.
pub fn all(case: &Case) -> Vec<Waived> {
    let mut waivers = vec![
        ("freeze_crossing", Waive::Freeze),
        ("outside_window", Waive::Window),
        ("cutover_lead", Waive::Lead),
        ("before_evidence", Waive::Evidence),
        ("evidence_overdue", Waive::Overdue),
        ("short_notice", Waive::Notice),
        ("shared_person", Waive::Distinct),
        ("outside_hours", Waive::Hours),
    ];
    waivers.extend((0..case.review.seats.len()).map(|role| ("role_uncovered", Waive::Role(role))));
    waivers.extend((0..case.facts.people.len()).map(|person| ("availability_unknown", Waive::Unknown(person))));
    let mut found: Vec<Waived> = waivers.into_iter().filter_map(|(rule, waive)| waived(case, rule, waive)).collect();
    if found.is_empty() {
        found.push(Waived { rule: "no_common_slot", role: None, person: None, slot: None, missed_by: None });
    }
    found
}

fn waived(case: &Case, rule: &'static str, waive: Waive) -> Option<Waived> {
    let window = case.facts.change?.window;
    let home = case.review.slot.from;
    let week = Span { from: home - 7 * DAY, to: home + 7 * DAY };
    let around = if waive == Waive::Window { week } else { window };
    let mut slots: Vec<Span> = judge::starts(case, around)
        .into_iter()
        .map(|start| judge::slot_at(case, start))
        .filter(|slot| slot.from >= case.now)
        .collect();
    slots.sort_by_key(|slot| ((slot.from - home).abs(), Reverse(slot.from)));
    let nearest = slots
        .into_iter()
        .find(|slot| judge::is_timely(case, *slot, waive) && !judge::assignments(case, *slot, waive).is_empty())?;
    let of_a_person = matches!(waive, Waive::Role(_) | Waive::Distinct | Waive::Unknown(_));
    Some(Waived {
        rule,
        role: if let Waive::Role(role) = waive { Some(role) } else { None },
        person: if let Waive::Unknown(person) = waive { Some(person) } else { None },
        slot: Some(nearest),
        missed_by: if of_a_person { None } else { missed_by(case, nearest, waive).map(minutes_up) },
    })
}

fn minutes_up(seconds: Time) -> i64 {
    (seconds + 59).div_euclid(60)
}

fn missed_by(case: &Case, slot: Span, waive: Waive) -> Option<Time> {
    let change = case.facts.change?;
    match waive {
        // The seconds of the meeting that would lie inside some protected freeze.
        Waive::Freeze => {
            let frozen = |at: &Time| {
                case.facts.freezes.iter().any(|(freeze, hard)| *hard && freeze.from <= *at && *at < freeze.to)
            };
            Some(Time::try_from((slot.from..slot.to).filter(frozen).count()).expect("a short meeting"))
        }
        Waive::Window => Some((change.window.from - slot.from).max(slot.to - change.window.to)),
        Waive::Lead => Some(slot.to - (change.cutover - case.rules.lead)),
        Waive::Evidence => {
            // What was never announced is missed by nobody knows how much.
            let mut missed = 0;
            for at in 0..case.facts.evidence.len() {
                // What is late and need not be there yet is missed by nothing.
                if judge::overdue(case, at).is_none() {
                    missed = missed.max(judge::ready(case, at)? + case.rules.buffer - slot.from);
                }
            }
            Some(missed)
        }
        Waive::Notice => Some(case.now + case.rules.notice + case.rules.decision - slot.from),
        // By how much it is too near; where no slot is far enough, how long the latest of those that were expected has
        // been missing.
        Waive::Overdue => {
            let decision = if slot == case.review.slot { 0 } else { case.rules.decision };
            let too_near = case.rules.overdue_lead.map(|lead| case.now + lead + decision - slot.from);
            too_near.or((0..case.facts.evidence.len())
                .filter_map(|at| judge::overdue(case, at))
                .map(|at| case.now - at)
                .max())
        }
        // The attendees who would sit there with the fewest substitutions; the one who is farthest out counts.
        Waive::Hours => {
            let all = judge::assignments(case, slot, waive);
            let seats = all.iter().min_by_key(|seats| judge::seat_order(case, slot, seats))?;
            let hours = case.rules.hours.as_ref()?;
            let out = |person: &usize| {
                let zone = case.facts.people[*person].zone.unwrap_or(case.review.zone);
                hours::outside(case, hours, zone, slot)
            };
            seats.iter().map(out).max()
        }
        _ => None,
    }
}
