//! The decision table on the judge's side: what the choice makes of the review, and what must be recorded of it.

use std::collections::BTreeSet;

use crate::{
    case::{Booking, Case, DAY, Declined, Object, Pending, Proposal, Span, Time},
    hours,
    judge::{self, Choice},
    waivers::Waived,
};

/// What is expected to be recorded of one step. Words are those of the contract.
#[derive(Debug)]
pub struct Expected {
    pub outcome: &'static str,
    /// What became of an earlier proposal.
    pub earlier: Option<&'static str>,
    pub exception: Option<Exception>,
}

#[derive(Debug)]
pub enum Exception {
    Undecided,
    OwnerOverride,
    DeclinedOnly,
    Incomplete(BTreeSet<String>),
    NoViableSlot(Vec<Waived>),
}

impl Expected {
    const fn of(outcome: &'static str, earlier: Option<&'static str>, exception: Option<Exception>) -> Self {
        Self { outcome, earlier, exception }
    }
}

/// A refresh.
pub fn follow(case: &mut Case) -> Expected {
    let choice = judge::choose(case);
    let today = judge::content(case, case.review.slot);
    if case.review.pending.as_ref().is_some_and(|pending| is_expired(case, pending)) {
        case.review.undecided = case.review.pending.take().map(|pending| pending.proposal);
    }
    if choice != Choice::Stand {
        case.review.stands_by = None;
    }
    if let Choice::Propose(proposal) = choice {
        return propose(case, proposal);
    }
    let review = &mut case.review;
    let withdrawn = review.pending.take().map(|_| "withdrawn");
    if choice == Choice::Stand {
        return Expected::of("unchanged", withdrawn, Some(Exception::OwnerOverride));
    }
    review.undecided = None;
    match choice {
        Choice::Keep => {
            let outcome = if today == review.content { "unchanged" } else { "refreshed" };
            review.content = today;
            Expected::of(outcome, withdrawn, None)
        }
        Choice::Incomplete(missing) => Expected::of("escalated", withdrawn, Some(Exception::Incomplete(missing))),
        Choice::Wait => Expected::of("escalated", withdrawn, None),
        Choice::DeclinedOnly => Expected::of("escalated", withdrawn, Some(Exception::DeclinedOnly)),
        Choice::Nothing(waived) => Expected::of("escalated", withdrawn, Some(Exception::NoViableSlot(waived))),
        Choice::Stand | Choice::Propose(_) => unreachable!("handled above"),
    }
}

fn propose(case: &mut Case, proposal: Proposal) -> Expected {
    let content = judge::content(case, proposal.slot);
    let review = &mut case.review;
    if let Some(pending) = review.pending.as_mut().filter(|pending| pending.proposal == proposal) {
        let outcome = if pending.content == content { "unchanged" } else { "held" };
        pending.content = content;
        return Expected::of(outcome, None, None);
    }
    if review.undecided.as_ref() == Some(&proposal) {
        return Expected::of("unchanged", None, Some(Exception::Undecided));
    }
    review.undecided = None;
    let earlier = review.pending.take();
    let superseded = earlier.as_ref().map(|_| "superseded");
    // Where only the freeze edge is another, people were told of the slot and the attendees already.
    let told = earlier.is_some_and(|earlier| {
        earlier.told && earlier.proposal == Proposal { edge: earlier.proposal.edge, ..proposal.clone() }
    });
    // While evidence is overdue, a slot that moves ends with the lead.
    let overdue = (0..case.facts.evidence.len()).any(|at| judge::overdue(case, at).is_some());
    let near = case.rules.overdue_lead.filter(|_| overdue && proposal.slot != case.review.slot);
    let near = near.map_or(Time::MAX, |lead| proposal.slot.from - lead);
    let deadline = deadline(case, &proposal).min(near);
    case.review.pending = Some(Pending { proposal, content, deadline, made: case.now * 1_000, told });
    Expected::of("held", superseded, None)
}

/// Whether the proposal is still the choice, by somebody who looks at it.
pub fn may_be_adopted(case: &Case, pending: &Pending) -> bool {
    let mut told = case.clone();
    told.review.pending = Some(Pending { told: true, ..pending.clone() });
    let moved = pending.proposal.slot != case.review.slot;
    let in_flux = case.facts.change.is_some_and(|change| change.flux);
    judge::choose(&told) == Choice::Propose(pending.proposal.clone()) && !(moved && in_flux)
}

/// The owner adopted. False where that was the end of the review.
pub fn adopt(case: &mut Case, pending: Pending) -> bool {
    let kept = case.review.slot;
    let review = &mut case.review;
    review.slot = pending.proposal.slot;
    review.seats = pending.proposal.seats;
    review.content = pending.content;
    review.pending = None;
    review.undecided = None;
    review.declined.clear();
    review.stands_by = None;
    claim(case, Some(kept));
    !pending.proposal.cancelled
}

/// The owner declined: another slot is looked for, or the present one stands. There is no other slot for a cancellation.
pub fn decline(case: &mut Case, pending: Pending, stand: bool) -> Expected {
    let stand = stand || pending.proposal.cancelled;
    let Proposal { slot, seats, cancelled, .. } = pending.proposal;
    let edge = slot == case.review.slot && seats == case.review.seats;
    case.review.pending = None;
    if !cancelled {
        case.review.declined.push(Declined { slot, seats: stand.then_some(seats), edge });
    }
    if !stand {
        return follow(case);
    }
    case.review.stands_by = Some((judge::broken(case), judge::is_edge(case, case.review.slot)));
    let faults = judge::has_faults(case);
    Expected::of("declined", None, faults.then_some(Exception::OwnerOverride))
}

/// The meeting's slot is ours from the decision on. Where no UID is known, the first adoption of another slot or
/// attendee leaves people with two invitations: the one they had, and a new one.
pub fn rebook(case: &mut Case, optional: Option<usize>) {
    let review = &case.review;
    let slot = review.slot;
    let people: BTreeSet<usize> = review.seats.iter().copied().chain(optional).collect();
    let of_meeting = |booking: &&Booking| booking.object == Object::Meeting && booking.until.is_none();
    let stands: BTreeSet<(Span, usize)> =
        review.bookings.iter().filter(of_meeting).map(|booking| (booking.slot, booking.person)).collect();
    let moves = stands != people.iter().map(|person| (slot, *person)).collect();
    let nameless = review.bookings.iter().any(|booking| booking.object == Object::Nameless);
    if moves && !review.uid && !nameless {
        for booking in &mut case.review.bookings {
            if booking.object == Object::Meeting && booking.until.is_none() {
                (booking.object, booking.until) = (Object::Nameless, Some(case.now));
            }
        }
    }
    book(case, Object::Meeting, people.into_iter().map(|person| (slot, person)).collect());
}

/// The hold's slot is ours from when the hold was sent. A hold is for those who would sit at another time, and for those
/// whom nothing invites now.
pub fn send_hold(case: &mut Case, optional: Option<usize>) {
    let review = &case.review;
    let mut ours: Vec<(Span, usize)> = Vec::new();
    if let Some(Proposal { slot, seats, cancelled: false, .. }) =
        review.pending.as_ref().map(|pending| &pending.proposal)
    {
        let moved = *slot != review.slot;
        let mut people: BTreeSet<usize> = seats
            .iter()
            .copied()
            .filter(|person| moved || !review.seats.contains(person) && optional != Some(*person))
            .collect();
        people.extend(optional.filter(|_| moved));
        ours.extend(people.into_iter().map(|person| (*slot, person)));
    }
    book(case, Object::Hold, ours);
}

fn book(case: &mut Case, object: Object, ours: Vec<(Span, usize)>) {
    let now: Time = case.now;
    let review = &mut case.review;
    for booking in review.bookings.iter_mut().filter(|booking| booking.object == object && booking.until.is_none()) {
        if !ours.contains(&(booking.slot, booking.person)) {
            booking.until = Some(now);
        }
    }
    for (slot, person) in ours {
        let open = |booking: &Booking| {
            booking.object == object && booking.until.is_none() && (booking.slot, booking.person) == (slot, person)
        };
        if !review.bookings.iter().any(open) {
            review.bookings.push(Booking { object, slot, person, from: now, until: None });
        }
    }
}

/// Since when each seat in the authoritative slot is had: after every claim that is known of the same hour.
pub fn claim(case: &mut Case, kept: Option<Span>) {
    let slot = case.review.slot;
    let before = std::mem::take(&mut case.review.claims);
    for person in case.review.seats.clone() {
        let mut claim = case.now * 1_000;
        for other in &case.facts.people[person].elsewhere {
            let seated = other.seated.iter().map(|(taken, at)| (*taken, *at));
            for (taken, at) in seated.chain(other.proposed.iter().map(|theirs| (theirs.slot, theirs.made))) {
                if taken.meets(slot) {
                    claim = claim.max(at + 1);
                }
            }
        }
        let earlier = before.get(&person).copied().filter(|_| kept == Some(slot));
        case.review.claims.insert(person, earlier.unwrap_or(claim));
    }
}

/// Who may decide: the owner, or the alternate where the owner's own seat is given or taken.
pub fn adopter(case: &Case, proposal: &Proposal) -> Option<usize> {
    let owner = case.facts.change?.owner?;
    let apart = |person: &usize| {
        let touched = |(old, new): (&usize, &usize)| old != new && (old == person || new == person);
        !case.review.seats.iter().zip(&proposal.seats).any(touched)
    };
    Some(owner).filter(apart).or(case.rules.alternate.filter(apart))
}

/// Counted from now, in the working time of whoever decides. What is not over a year from now is over then.
fn deadline(case: &Case, proposal: &Proposal) -> Time {
    let zone = adopter(case, proposal).and_then(|person| case.facts.people[person].zone).unwrap_or(case.review.zone);
    deadline_in(case, zone, case.now)
}

/// The same for somebody who lives there and was asked then.
pub fn deadline_in(case: &Case, zone: chrono_tz::Tz, asked: Time) -> Time {
    let Some(hours) = &case.rules.hours else { return asked + case.rules.deadline };
    let mut left = case.rules.deadline;
    for day in hours::days_from(case, hours, zone, asked).take_while(|day| day.from < asked + 366 * DAY) {
        let begins = day.from.max(asked);
        let lasts = (day.to - begins).max(0);
        if left <= lasts && lasts > 0 {
            return begins + left;
        }
        left -= lasts;
    }
    asked + 366 * DAY
}

/// The earliest of the deadline, the authoritative start and, if it moves the slot, its own start less the notice.
pub fn expiry(case: &Case, pending: &Pending) -> Time {
    let mut expiry = pending.deadline.min(case.review.slot.from);
    if pending.proposal.slot != case.review.slot {
        expiry = expiry.min(pending.proposal.slot.from - case.rules.notice);
    }
    expiry
}

/// At its expiry instant a proposal no longer waits.
pub fn is_expired(case: &Case, pending: &Pending) -> bool {
    expiry(case, pending) <= case.now
}
