//! What becomes of the entries in the reader's calendar: those that the mail changes, and one that no mail of ours can.

use refresh_core::record::{
    booking::CalendarObject,
    notice::{CalendarPart, CalendarStatus, Method, Participation, UnknownInvitation},
};

use super::Told;
use crate::{moment, text::one_line};

impl Told<'_> {
    pub(super) fn calendar(&self) -> Vec<String> {
        if self.is_one_line() {
            return Vec::new();
        }
        let part = self.notice.calendar.as_ref();
        let mut lines: Vec<String> = part.map(|part| self.entry(part)).into_iter().collect();
        lines.extend(part.filter(|part| is_invitation(part)).and_then(|_| self.place()));
        lines.extend(part.filter(|part| part.object == CalendarObject::Meeting && self.organizes).map(own_meeting));
        lines.extend(self.old_invitation());
        lines
    }

    fn entry(&self, part: &CalendarPart) -> String {
        let slot = moment::interval(&part.slot, self.names.zone);
        let attendee = if part.participation == Participation::Optional { "an optional" } else { "a required" };
        match (part.object, part.method) {
            (CalendarObject::Meeting, Method::Request) => {
                format!("The meeting in your calendar is {slot}, with you as {attendee} attendee.")
            }
            (CalendarObject::Meeting, Method::Cancel) => format!("The meeting of {slot} leaves your calendar."),
            (CalendarObject::Hold, Method::Request) => match self.notice.meeting_entry {
                Some(_) => {
                    format!("A tentative hold, marked [Proposed], for {slot}; the meeting’s own entry stays as it is.")
                }
                None => format!("A tentative hold, marked [Proposed], for {slot}."),
            },
            (CalendarObject::Hold, Method::Cancel) => format!("The tentative hold of {slot} leaves your calendar."),
        }
    }

    /// Where the meeting is, and how to dial in: what somebody needs who was invited just now, or whose meeting has moved.
    fn place(&self) -> Option<String> {
        let issued = self.issued?;
        let location = issued.location.as_ref().map(|location| format!("where: {}", one_line(location.as_str(), 160)));
        let conference = issued.conference.first().map(|conference| match issued.conference.len() - 1 {
            0 => format!("dial in: {}", conference.as_str()),
            more => format!("dial in: {} ({more} more in the entry)", conference.as_str()),
        });
        let parts: Vec<String> = location.into_iter().chain(conference).collect();
        let sentence = parts.join("; ");
        // Without a full stop: it would be taken for a part of the address.
        (!sentence.is_empty()).then(|| format!("{}{}", sentence[..1].to_uppercase(), &sentence[1..]))
    }

    /// The invitation that the reader must remove. Where nothing else is asked of them, the third line asks for that.
    fn old_invitation(&self) -> Option<String> {
        let Some(UnknownInvitation::Remove(slot)) = self.notice.unknown_invitation else { return None };
        let slot = moment::interval(&slot, self.names.zone);
        let new = match &self.notice.calendar {
            Some(part) if part.object == CalendarObject::Meeting => "This is a new entry. ",
            _ => "",
        };
        Some(format!(
            "{new}Please delete the first invitation, of {slot}, from your calendar yourself: another system sent it, and this mail cannot remove it."
        ))
    }
}

/// Whether the part puts the meeting into a calendar, or moves the meeting there.
fn is_invitation(part: &CalendarPart) -> bool {
    (part.object, part.method) == (CalendarObject::Meeting, Method::Request)
}

/// Many calendars take no update of a meeting from anybody but its organizer, and the reader is that.
fn own_meeting(part: &CalendarPart) -> String {
    let what = match (part.method, part.status) {
        (Method::Request, _) => "if your calendar still shows another time, please move the meeting there yourself",
        (Method::Cancel, Some(CalendarStatus::Cancelled)) => {
            "if your calendar still shows the meeting, please cancel it there yourself"
        }
        // The others still meet: in an organizer's calendar, to cancel is to cancel for everybody.
        (Method::Cancel, _) => "it goes on without you, so please do not cancel it for the others",
    };
    format!("You are the meeting’s organizer: {what}.")
}
