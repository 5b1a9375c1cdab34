//! Seats: a person's places in the packets of every review of the deployment. No source states a seat: each review
//! writes the seats that it gives, and reads those that others give.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Instant, Person, ReviewId, base::instant::Slot};

/// What shows a person's place in the person's calendar.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvitedBy {
    /// The calendar object of the review's meeting.
    Meeting,
    /// The tentative calendar object of a proposal.
    Hold,
    /// The invitation from before the hand-over, whose UID is not known. Once the review has moved, the invitation is none
    /// of the meeting's: nothing that is mailed later changes the invitation.
    UnknownUid,
}

/// A slot that a calendar object of a review has or had for one person.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InvitationTime {
    /// Which object.
    pub by: InvitedBy,
    /// The slot.
    pub slot: Slot,
    /// Since when.
    pub from: Instant,
    /// `None` while it is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
}

/// A place in an authoritative packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AuthoritativeSeat {
    /// The slot.
    pub slot: Slot,
    /// When the seat in that slot became authoritative. Kept while person and slot stay.
    pub claim: Instant,
}

/// A place in a proposal, where the proposal gives another slot or a first seat.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TentativeSeat {
    /// The slot.
    pub slot: Slot,
    /// When the proposal was first made.
    pub made_at: Instant,
    /// Whether anybody was told of the proposal.
    pub told: bool,
    /// When the proposal is over, decided or not. Past it a reader ignores the seat.
    pub expires_at: Instant,
}

/// One person's places in one review.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Seat {
    /// The review.
    pub review: ReviewId,
    /// The person.
    pub person: Person,
    /// The place that counts. A review that was closed or has started keeps the place, a cancelled one does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authoritative: Option<AuthoritativeSeat>,
    /// The place that is proposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tentative: Option<TentativeSeat>,
    /// What the person's calendar may show of the review.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invitations: Vec<InvitationTime>,
}

/// The decision that last gave a person an authoritative place: what an adoption is conditional on, so that two owners do
/// not adopt one hour of one person. No two decisions have the same review and number.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SeatedBy {
    /// The review.
    pub review: ReviewId,
    /// HEAD's counter.
    pub decision: u64,
}

/// All places of one person, as they were read together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PersonSeats {
    /// Read before the seats. `None` where nobody ever gave the person an authoritative place.
    pub seated_by: Option<SeatedBy>,
    /// One a review, by review.
    pub seats: Vec<Seat>,
    /// The reviews whose entry of the person does not read as it was written: when the person sits there is not known.
    pub unreadable: BTreeSet<ReviewId>,
    /// Whether `seated_by` does not read as it was written.
    pub mark_unreadable: bool,
}

impl PersonSeats {
    /// Whether another review than `id` has an entry of the person, or had one.
    pub fn is_of_another(&self, id: &ReviewId) -> bool {
        self.seats.iter().any(|seat| seat.review != *id)
            || self.seated_by.as_ref().is_some_and(|by| by.review != *id)
            || self.are_unknown_to(id)
            || self.mark_unreadable
    }

    /// Whether another review than `id` may seat the person at any hour, since its entry cannot be read.
    pub fn are_unknown_to(&self, id: &ReviewId) -> bool {
        self.unreadable.iter().any(|review| review != id)
    }
}
