//! Which slots were this review's own, when, and who was invited: so that our own meeting is not taken for a conflict.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Instant, Person, base::instant::Slot};

/// A slot our meeting or hold had, from an instant until another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Booking {
    pub slot: Slot,
    pub people: BTreeSet<Person>,
    /// The hold's, not the meeting's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hold: bool,
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

/// Closes what no longer holds of the meeting or of the hold, opens what is new. `current`: what it is from `now` on.
///
/// The meeting is where it was decided to be. The hold is where it was last sent: one that nobody was told of is in
/// nobody's calendar, and one whose end nobody was told of still is. Otherwise the order of arrival between two
/// tellings would decide whether a busy time is ours.
pub fn rebook(bookings: &mut Vec<Booking>, hold: bool, current: Option<(Slot, BTreeSet<Person>)>, now: Instant) {
    let is_open = |booking: &Booking| booking.hold == hold && booking.until.is_none();
    let same = |booking: &Booking| {
        current.as_ref().is_some_and(|(slot, people)| booking.slot == *slot && booking.people == *people)
    };
    for booking in bookings.iter_mut().filter(|booking| is_open(booking) && !same(booking)) {
        booking.until = Some(now);
    }
    if !bookings.iter().any(|booking| is_open(booking) && same(booking))
        && let Some((slot, people)) = current
    {
        bookings.push(Booking { slot, people, hold, from: now, until: None });
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
