//! Which slots were this review's own, when, and who was invited. By these, our own meeting is not taken for a
//! conflict.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Instant, Person, base::instant::Slot, record::notice::CalendarObject};

/// A slot our meeting or hold had, from an instant until another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Booking {
    /// The slot.
    pub slot: Slot,
    /// Who was invited.
    pub people: BTreeSet<Person>,
    /// Whose slot it is. Stored as `hold: true`, or as nothing for the meeting.
    #[serde(rename = "hold", default = "meeting", with = "as_hold", skip_serializing_if = "is_meeting")]
    pub object: CalendarObject,
    /// Since when.
    pub from: Instant,
    /// `None` while it is so.
    pub until: Option<Instant>,
}

const fn meeting() -> CalendarObject {
    CalendarObject::Meeting
}

fn is_meeting(object: &CalendarObject) -> bool {
    *object == CalendarObject::Meeting
}

/// The stored form of a booking's object.
mod as_hold {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::record::notice::CalendarObject;

    pub fn serialize<S: Serializer>(object: &CalendarObject, serializer: S) -> Result<S::Ok, S::Error> {
        (*object == CalendarObject::Hold).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CalendarObject, D::Error> {
        let hold = bool::deserialize(deserializer)?;
        Ok(if hold { CalendarObject::Hold } else { CalendarObject::Meeting })
    }
}

/// Who is invited to a slot, by the meeting or by the hold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InvitedSlot {
    /// The slot.
    pub slot: Slot,
    /// Who is invited.
    pub people: BTreeSet<Person>,
}

/// The slots that our meeting or hold has now, or had when a calendar was accepted at `accepted_at`. A busy entry of
/// such a slot is this person's invitation from us. Each slot once.
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
/// The meeting is where it was decided to be. The hold is where it was last sent. A hold that nobody was told of is in
/// nobody's calendar. A hold whose end nobody was told of still is. Otherwise the order of arrival between two tellings
/// would decide whether a busy time is ours.
pub fn rebook(bookings: &mut Vec<Booking>, object: CalendarObject, current: Option<InvitedSlot>, now: Instant) {
    let is_open = |booking: &Booking| booking.object == object && booking.until.is_none();
    let same = |booking: &Booking| {
        current.as_ref().is_some_and(|now| booking.slot == now.slot && booking.people == now.people)
    };
    for booking in bookings.iter_mut().filter(|booking| is_open(booking) && !same(booking)) {
        booking.until = Some(now);
    }
    if !bookings.iter().any(|booking| is_open(booking) && same(booking))
        && let Some(InvitedSlot { slot, people }) = current
    {
        bookings.push(Booking { slot, people, object, from: now, until: None });
    }
    // No calendar ever saw a booking that began and ended at one instant.
    bookings.retain(|booking| booking.until.is_none_or(|until| booking.from < until));
    while bookings.len() > MOST_BOOKINGS {
        match bookings.iter().position(|booking| booking.until.is_some()) {
            Some(oldest) => drop(bookings.remove(oldest)),
            None => break,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An item from before the object had a name of its own is read as it was meant, and written the same.
    #[test]
    fn the_stored_form_of_a_booking_says_hold_or_nothing() {
        let slot = r#""slot":{"start":"2026-11-03T15:30:00Z","end":"2026-11-03T16:30:00Z"},"people":["a@example.com"]"#;
        let when = r#""from":"2026-11-01T00:00:00Z","until":null"#;
        for (object, stored) in [
            (CalendarObject::Meeting, format!("{{{slot},{when}}}")),
            (CalendarObject::Hold, format!("{{{slot},\"hold\":true,{when}}}")),
        ] {
            let booking: Booking = serde_json::from_str(&stored).expect("a stored booking");
            assert_eq!(booking.object, object);
            assert_eq!(serde_json::to_string(&booking).expect("JSON"), stored);
        }
    }
}
