//! Which slots were this review's own, when, and who was invited. By these, our own meeting is not taken for a
//! conflict.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    Instant, Person,
    base::instant::Slot,
    facts::seat::{InvitationTime, InvitedBy},
};

/// Which of the review's two calendar objects.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalendarObject {
    /// The authoritative meeting.
    Meeting,
    /// The tentative hold of a proposal's slot.
    Hold,
}

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
    /// Of the slot a review was issued with: the UID of the invitation that people had is not known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unknown_uid: bool,
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

    use crate::record::booking::CalendarObject;

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

/// What this person's calendar may show of the review.
pub fn invitations<'a>(bookings: &'a [Booking], person: &'a Person) -> impl Iterator<Item = InvitationTime> + 'a {
    bookings.iter().filter(|booking| booking.people.contains(person)).map(|booking| InvitationTime {
        by: match booking.object {
            CalendarObject::Hold => InvitedBy::Hold,
            // While the review stands where it was issued, that invitation is the meeting.
            CalendarObject::Meeting if booking.unknown_uid && booking.until.is_some() => InvitedBy::UnknownUid,
            CalendarObject::Meeting => InvitedBy::Meeting,
        },
        slot: booking.slot,
        from: booking.from,
        until: booking.until,
    })
}

/// How many bookings are remembered; of the former ones the oldest go first.
pub const MOST_BOOKINGS: usize = 24;

/// The meeting is where it was decided to be: closes what no longer holds, opens what is new. `current`: what it is from
/// `now` on.
pub fn rebook(bookings: &mut Vec<Booking>, current: Option<InvitedSlot>, now: Instant) {
    let is_open = |booking: &Booking| booking.object == CalendarObject::Meeting && booking.until.is_none();
    let same = |booking: &Booking| {
        current.as_ref().is_some_and(|now| booking.slot == now.slot && booking.people == now.people)
    };
    for booking in bookings.iter_mut().filter(|booking| is_open(booking) && !same(booking)) {
        booking.until = Some(now);
    }
    if !bookings.iter().any(|booking| is_open(booking) && same(booking))
        && let Some(InvitedSlot { slot, people }) = current
    {
        let object = CalendarObject::Meeting;
        bookings.push(Booking { slot, people, object, from: now, until: None, unknown_uid: false });
    }
    forget(bookings);
}

/// The hold is, for each person, where it was last sent: a hold that nobody was sent is in nobody's calendar, and a hold
/// whose end nobody was sent still is. Otherwise the order of arrival between two tellings would decide whether a busy
/// time is ours. `slot`: what the mail to this person carried; `None` where the mail carried the hold's end.
pub fn send_hold(bookings: &mut Vec<Booking>, person: &Person, slot: Option<Slot>, now: Instant) {
    let is_open = |booking: &Booking| booking.object == CalendarObject::Hold && booking.until.is_none();
    if bookings.iter().any(|booking| is_open(booking) && booking.people.contains(person) && slot == Some(booking.slot))
    {
        return;
    }
    let mut former: Vec<Booking> = Vec::new();
    for booking in bookings.iter_mut().filter(|booking| is_open(booking) && booking.people.contains(person)) {
        booking.people.remove(person);
        former.push(Booking { people: BTreeSet::from([person.clone()]), until: Some(now), ..booking.clone() });
    }
    for ended in former {
        // The mails of one round go out one after the other. What they end is one booking, over with the first of them.
        let same = |booking: &&mut Booking| {
            booking.object == CalendarObject::Hold
                && booking.until.is_some()
                && (booking.slot, booking.from) == (ended.slot, ended.from)
        };
        match bookings.iter_mut().find(same) {
            Some(booking) => booking.people.extend(ended.people),
            None => bookings.push(ended),
        }
    }
    if let Some(slot) = slot {
        match bookings.iter_mut().find(|booking| is_open(booking) && booking.slot == slot) {
            Some(booking) => drop(booking.people.insert(person.clone())),
            None => bookings.push(Booking {
                slot,
                people: BTreeSet::from([person.clone()]),
                object: CalendarObject::Hold,
                from: now,
                until: None,
                unknown_uid: false,
            }),
        }
    }
    forget(bookings);
}

fn forget(bookings: &mut Vec<Booking>) {
    // What began and ended at one instant was never seen by any calendar.
    bookings.retain(|booking| !booking.people.is_empty() && booking.until.is_none_or(|until| booking.from < until));
    while bookings.len() > MOST_BOOKINGS {
        // The invitation without a known UID stays in calendars whatever is mailed later.
        match bookings.iter().position(|booking| booking.until.is_some() && !booking.unknown_uid) {
            Some(oldest) => drop(bookings.remove(oldest)),
            None => break,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Older items have no name of the object. They are read as they were meant, and written the same.
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
