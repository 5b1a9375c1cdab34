//! What a person's calendar must learn: what we put there against what is.
//!
//! A mail carries one object at most. The meeting comes first: the mail that tells of an adoption carries the meeting.
//! The end of the hold follows in a mail of its own. A part that was not carried stays owed, since TOLD says which
//! parts were.

use crate::{
    audience::{reading::Reading, roles},
    record::{
        booking::CalendarObject,
        claim::ObjectsInDoubt,
        last_notified::{HoldSent, LastNotified},
        notice::{CalendarPart, CalendarStatus, Method, Participation, UnknownInvitation},
        review::Standing,
    },
};

/// The object that the mail of a change carries: the meeting where the meeting differs, or is in doubt, otherwise the hold.
pub(crate) fn part(reading: &Reading<'_>, told: &LastNotified, in_doubt: ObjectsInDoubt) -> Option<CalendarPart> {
    meeting(reading, told, in_doubt).or_else(|| hold(reading, told))
}

/// What is in doubt if the mail that is owed now is never settled: its own object, and what was in doubt `before`.
pub fn in_doubt_after(reading: &Reading<'_>, told: &LastNotified, before: ObjectsInDoubt) -> ObjectsInDoubt {
    let told = &with_doubt(reading, told.clone(), before);
    let mut after = before;
    if let Some(part) = part(reading, told, before) {
        match part.object {
            CalendarObject::Meeting => after.meeting = Some(part.slot),
            CalendarObject::Hold => after.hold = Some(part.slot),
        }
    }
    after
}

/// What somebody counts as told while the hold in their calendar is in doubt: something else than the hold is now. So the
/// hold is owed until a mail of this or the next telling has said it.
pub fn with_doubt(reading: &Reading<'_>, told: LastNotified, in_doubt: ObjectsInDoubt) -> LastNotified {
    let Some(slot) = in_doubt.hold else { return told };
    let hold = &reading.review.head.hold;
    let is_on_it = hold.entry.as_ref().is_some_and(|entry| entry.people.contains(&told.person));
    let may_have = told.hold.unwrap_or(HoldSent { slot, sequence: hold.sequence });
    LastNotified { hold: (!is_on_it).then_some(may_have), ..told }
}

/// The object that a mail brings which an operator asked for once more: what our mails put into the reader's calendar, at
/// the SEQUENCE that it has. A proposal's hold comes before the meeting, as what the mail is about.
pub(crate) fn again(reading: &Reading<'_>, told: &LastNotified) -> Option<CalendarPart> {
    let without = LastNotified { meeting: None, invited_as: None, hold: None, ..told.clone() };
    let hold = told.hold.and_then(|_| hold(reading, &without));
    let sent = told.meeting.filter(|_| reading.review.head.adoptions > 0);
    hold.or_else(|| sent.and_then(|_| meeting(reading, &without, ObjectsInDoubt::default())))
}

fn meeting(reading: &Reading<'_>, told: &LastNotified, in_doubt: ObjectsInDoubt) -> Option<CalendarPart> {
    let head = &reading.review.head;
    let over = head.standing == Standing::Cancelled;
    let part = |method, status, slot, participation| CalendarPart {
        method,
        object: CalendarObject::Meeting,
        uid: head.meeting.uid.clone(),
        sequence: head.meeting.sequence,
        status,
        slot,
        participation,
    };
    let unknown = unknown_invitation(reading, told).map(|invitation| (invitation.slot(), issued_as(reading, told)));
    let unsure = in_doubt.meeting.is_some();
    let was = told.meeting.or(in_doubt.meeting).map(|slot| (slot, invited_as(reading, told))).or(unknown);
    let now = invited(reading, told).map(|participation| (reading.review.authoritative.packet.slot, participation));
    match (was, now) {
        (was, Some((slot, participation))) if was != now || unsure => {
            Some(part(Method::Request, Some(CalendarStatus::Confirmed), slot, participation))
        }
        // What nobody knows the UID of, no CANCEL takes out of a calendar.
        (Some((slot, participation)), None) if unknown.is_none() || unsure => {
            Some(part(Method::Cancel, over.then_some(CalendarStatus::Cancelled), slot, participation))
        }
        _ => None,
    }
}

/// The invitation of an unknown UID that this person has, as far as is known. A person who was told of their release, or
/// has the new meeting, was asked to remove it.
pub(crate) fn unknown_invitation(reading: &Reading<'_>, told: &LastNotified) -> Option<UnknownInvitation> {
    let head = &reading.review.head;
    let invitation = head.unknown_invitation().filter(|invitation| invitation.people.contains(&told.person))?;
    // A guest without a role counts as released too, and keeps what they have.
    let was_released = told.released && !reading.terms.optional.contains(&told.person);
    if told.meeting.is_some() || was_released {
        return None;
    }
    let stays =
        head.standing != Standing::Cancelled && roles::invited(reading.review, reading.terms).contains(&told.person);
    let slot = invitation.slot;
    Some(if stays { UnknownInvitation::Stands(slot) } else { UnknownInvitation::Remove(slot) })
}

/// As what the meeting invites this person now; `None` where it does not.
fn invited(reading: &Reading<'_>, told: &LastNotified) -> Option<Participation> {
    if reading.review.head.standing == Standing::Cancelled {
        return None;
    }
    let guest = reading.terms.optional.contains(&told.person);
    match reading.authoritative_row(&told.person) {
        Some(_) => Some(Participation::Required),
        None => guest.then_some(Participation::Optional),
    }
}

/// As what the meeting in their calendar invites them. An item of an earlier release says nothing of it: that release
/// wrote everybody on the list of optional attendees as optional.
fn invited_as(reading: &Reading<'_>, told: &LastNotified) -> Participation {
    let guest = reading.terms.optional.contains(&told.person);
    told.invited_as.unwrap_or(if guest { Participation::Optional } else { Participation::Required })
}

/// As what the review was issued with invites them.
fn issued_as(reading: &Reading<'_>, told: &LastNotified) -> Participation {
    let seated = reading.review.issued.packet.people().contains(&&told.person);
    if seated { Participation::Required } else { Participation::Optional }
}

/// What the hold in their calendar must learn.
pub(crate) fn hold(reading: &Reading<'_>, told: &LastNotified) -> Option<CalendarPart> {
    let head = &reading.review.head;
    let packets = reading.review.pending.iter().chain([&reading.review.authoritative]);
    let seated = packets.flat_map(|version| version.packet.people()).any(|seated| *seated == told.person);
    let guest = !seated && reading.terms.optional.contains(&told.person);
    let part = |method, status, slot| CalendarPart {
        method,
        object: CalendarObject::Hold,
        uid: head.hold.uid.clone(),
        sequence: head.hold.sequence,
        status,
        slot,
        participation: if guest { Participation::Optional } else { Participation::Required },
    };
    let now = head.hold.entry.as_ref().filter(|hold| hold.people.contains(&told.person)).map(|hold| hold.slot);
    match (told.hold.map(|sent| sent.slot), now) {
        (was, Some(slot)) if was != Some(slot) => Some(part(Method::Request, Some(CalendarStatus::Tentative), slot)),
        (Some(was), None) => {
            // The object lives on for others: then it is this person alone who is taken off it.
            let ended = head.hold.entry.is_none().then_some(CalendarStatus::Cancelled);
            Some(part(Method::Cancel, ended, was))
        }
        _ => None,
    }
}
