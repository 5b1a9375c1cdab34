//! What a review itself has in calendars and in seats, as HEAD says.

use std::collections::BTreeMap;

use crate::{
    Instant, Person, ReviewId,
    record::{booking::Booking, review::Head},
};

/// A review's own entries in calendars, and its claims to seats.
#[derive(Clone, Copy, Debug)]
pub struct Ours<'a> {
    /// The review.
    pub review: &'a ReviewId,
    /// Which slots were ours, when, and for whom.
    pub bookings: &'a [Booking],
    /// By person, for the authoritative slot.
    pub claims: &'a BTreeMap<Person, Instant>,
}

impl<'a> Ours<'a> {
    /// What HEAD says of both.
    pub fn of(head: &'a Head) -> Self {
        Self { review: &head.review, bookings: &head.bookings, claims: &head.claims }
    }
}
