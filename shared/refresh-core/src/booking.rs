//! Which slots were this review's own, when, and who was invited: so that our own meeting is not taken for a conflict.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Instant, Person, instant::Slot};

/// A slot our meeting or hold had, from an instant until another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Booking {
    pub slot: Slot,
    pub people: BTreeSet<Person>,
    pub from: Instant,
    /// `None` while it is so.
    pub until: Option<Instant>,
}

/// The slots whose busy entry in a calendar accepted at `accepted_at` is this person's invitation from us: what our
/// meeting or hold has now, or had then. Each slot once.
pub fn ours(bookings: &[Booking], person: &Person, accepted_at: Instant) -> Vec<Slot> {
    // At one instant facts are accepted before the decision that ends a booking: the calendar still showed it.
    let then =
        |booking: &Booking| booking.until.is_none_or(|until| booking.from <= accepted_at && accepted_at <= until);
    let slots: BTreeSet<Slot> = bookings
        .iter()
        .filter(|booking| then(booking) && booking.people.contains(person))
        .map(|booking| booking.slot)
        .collect();
    slots.into_iter().collect()
}

/// How many former bookings are remembered; the oldest go first.
pub const MOST_BOOKINGS: usize = 16;

/// Closes what no longer holds, opens what is new. `current`: the slots our meeting and hold have from `now` on.
pub fn rebook(bookings: &mut Vec<Booking>, current: &[(Slot, BTreeSet<Person>)], now: Instant) {
    let same = |booking: &Booking, (slot, people): &(Slot, BTreeSet<Person>)| {
        booking.until.is_none() && booking.slot == *slot && booking.people == *people
    };
    for booking in bookings.iter_mut().filter(|booking| booking.until.is_none()) {
        if !current.iter().any(|entry| same(booking, entry)) {
            booking.until = Some(now);
        }
    }
    for entry in current {
        if !bookings.iter().any(|booking| same(booking, entry)) {
            bookings.push(Booking { slot: entry.0, people: entry.1.clone(), from: now, until: None });
        }
    }
    // What began and ended at one instant was never seen by any calendar.
    bookings.retain(|booking| booking.until.is_none_or(|until| booking.from < until));
    while bookings.len() > MOST_BOOKINGS {
        match bookings.iter().position(|booking| booking.until.is_some()) {
            Some(oldest) => drop(bookings.remove(oldest)),
            None => break,
        }
    }
}
