//! What a review writes of the places it gives: one entry a person, a function of the review alone. So an entry is
//! written in the very transaction that takes, changes or frees the seat, and never beside it.

use std::collections::BTreeSet;

use crate::{
    Person,
    facts::seat::{AuthoritativeSeat, Seat, SeatedBy, TentativeSeat},
    record::{
        booking,
        review::{Proposal, Review, Standing},
    },
};

/// A decision gives a person an authoritative place, and the person's mark says so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeatGiven {
    /// Whom.
    pub person: Person,
    /// By which decision.
    pub by: SeatedBy,
    /// What the mark must be until then.
    pub condition: SeatCondition,
}

/// What a person's mark must be where a place is given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SeatCondition {
    /// Whatever the mark is. An issued review states what is so.
    Any,
    /// Still what the decision read: of an adoption.
    Still(Option<SeatedBy>),
}

/// What a decision changes of people's places.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SeatChanges {
    /// The entries that are another now, whole.
    pub entries: Vec<Seat>,
    /// Whose place is another now: the reviews that share these people must look.
    pub moved: BTreeSet<Person>,
    /// Who gains an authoritative place.
    pub gained: BTreeSet<Person>,
}

/// The person's entry as the review stands.
pub fn entry(review: &Review, person: &Person) -> Seat {
    let head = &review.head;
    let packet = &review.authoritative.packet;
    let seated =
        |attendees: &std::collections::BTreeMap<crate::Role, Person>| attendees.values().any(|one| one == person);
    let claim = head.claims.get(person).filter(|_| head.standing != Standing::Cancelled && seated(&packet.attendees));
    let authoritative = claim.map(|claim| AuthoritativeSeat { slot: packet.slot, claim: *claim });
    let tentative = review.proposal().and_then(|Proposal { pending, version }| {
        let proposed = &version.packet;
        let another = proposed.slot != packet.slot || !seated(&packet.attendees);
        (!proposed.cancelled && another && seated(&proposed.attendees)).then(|| TentativeSeat {
            slot: proposed.slot,
            made_at: pending.made_at,
            told: pending.is_told(),
            expires_at: pending.expires_at,
        })
    });
    let invitations = booking::invitations(&head.bookings, person).collect();
    Seat { review: head.review.clone(), person: person.clone(), authoritative, tentative, invitations }
}

/// Everybody whom the review gives a place, or proposes one.
pub fn people(review: &Review) -> BTreeSet<&Person> {
    let versions = std::iter::once(&review.authoritative).chain(&review.pending);
    versions.flat_map(|version| version.packet.attendees.values()).collect()
}

/// What is another after a decision. A review that was issued before seats were written has no claims: all its entries are
/// new with its next decision.
pub fn changes(before: Option<&Review>, after: &Review) -> SeatChanges {
    let mut changes = SeatChanges::default();
    if after.head.claims.is_empty() {
        return changes;
    }
    let before = before.filter(|before| !before.head.claims.is_empty());
    let mut all = people(after);
    all.extend(before.into_iter().flat_map(people));
    for person in all {
        let now = entry(after, person);
        let was = before.map(|before| entry(before, person));
        let slot = |seat: &Seat| seat.authoritative.map(|seat| seat.slot);
        let places = |seat: &Seat| (seat.authoritative, seat.tentative);
        if was.as_ref() == Some(&now) {
            continue;
        }
        if was.as_ref().map(places) != Some(places(&now)) {
            changes.moved.insert(person.clone());
        }
        if slot(&now).is_some() && was.as_ref().and_then(slot) != slot(&now) {
            changes.gained.insert(person.clone());
        }
        changes.entries.push(now);
    }
    changes
}
