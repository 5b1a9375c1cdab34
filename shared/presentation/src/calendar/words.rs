//! What stands in a calendar entry to be read: its summary and its description.

use refresh_core::{
    facts::fact::Meeting,
    record::{
        booking::CalendarObject,
        notice::{CalendarPart, Method, Participation, UnknownInvitation},
    },
};

use super::{Invitation, is_answered_by_calendar};
use crate::{
    moment,
    text::{CalText, Line, title},
};

/// What an answer to a hold is good for.
const EARLY_ANSWER: &str = "You may accept or decline this hold already. That answers the proposal alone: once the proposal is adopted, you are asked once more.";

/// The review's title; a hold says that it is one.
pub(super) fn summary(part: &CalendarPart, invitation: &Invitation<'_>) -> String {
    let title = CalText::of(&title(invitation.title, invitation.review.as_str()));
    match part.object {
        CalendarObject::Hold => format!("[Proposed] {title}"),
        CalendarObject::Meeting => title.as_str().to_owned(),
    }
}

/// The description that the meeting was issued with, as it was issued: a `REQUEST` replaces the whole entry (RFC 5546).
/// Everything else is described in our words.
pub(super) fn description(part: &CalendarPart, invitation: &Invitation<'_>) -> String {
    let issued = invitation.issued.and_then(|meeting: &Meeting| meeting.description.as_ref());
    if let (CalendarObject::Meeting, Method::Request, Some(issued)) = (part.object, part.method, issued) {
        return issued.as_str().to_owned();
    }
    let mut lines: Vec<String> = match (part.object, part.method) {
        (CalendarObject::Hold, Method::Request) => {
            let hold = "This is a hold for a proposed time, not a meeting. It is final only once the release owner has adopted it.";
            let early = is_answered_by_calendar(part, invitation).then(|| EARLY_ANSWER.to_owned());
            [hold.to_owned(), until_then(invitation)].into_iter().chain(early).collect()
        }
        (CalendarObject::Hold, Method::Cancel) => vec![after_all(invitation)],
        (CalendarObject::Meeting, Method::Request) => vec![
            "This time is authoritative. A proposed change would come as a separate hold, marked [Proposed], and leave this entry as it is until it is adopted.".to_owned(),
            answer(part, invitation).to_owned(),
        ],
        (CalendarObject::Meeting, Method::Cancel) => vec!["You are no longer expected at this meeting.".to_owned()],
    };
    lines.push(format!("Review {}.", Line::of(invitation.review.as_str())));
    let text = CalText::lines(lines.iter().map(String::as_str));
    text.as_str().to_owned()
}

/// How the reader answers for the meeting.
fn answer(part: &CalendarPart, invitation: &Invitation<'_>) -> &'static str {
    match part.participation {
        Participation::Optional => "You are an optional attendee: no answer is asked of you.",
        Participation::Required if is_answered_by_calendar(part, invitation) => {
            "Answer through the link in the mail that came with this, or accept or decline this invitation."
        }
        Participation::Required => {
            "Please answer through the link in the mail that came with this: accepting in the calendar is not an acknowledgement."
        }
    }
}

/// What counts while a hold stands. An entry that we did not put there is not spoken of.
fn until_then(invitation: &Invitation<'_>) -> String {
    let slot = |slot| moment::interval(slot, invitation.zone);
    match (&invitation.meeting_entry, &invitation.unknown_invitation) {
        (Some(entry), _) => format!(
            "Until then the review’s own entry in your calendar, the meeting of {}, is the one that counts.",
            slot(entry)
        ),
        (None, Some(UnknownInvitation::Stands(at))) => {
            format!("Until then the meeting of {} is the one that counts.", slot(at))
        }
        (None, _) => "Until then you are not expected, and have no other entry of this review.".to_owned(),
    }
}

/// What counts once a hold has ended.
fn after_all(invitation: &Invitation<'_>) -> String {
    let slot = |slot| moment::interval(slot, invitation.zone);
    match (&invitation.meeting_entry, &invitation.unknown_invitation) {
        (Some(entry), _) => format!(
            "This hold has ended. What counts is the review’s own entry in your calendar, the meeting of {}.",
            slot(entry)
        ),
        (None, Some(UnknownInvitation::Stands(at))) => {
            format!("This hold has ended. What counts is the meeting of {}.", slot(at))
        }
        (None, Some(UnknownInvitation::Remove(_))) => "This hold has ended.".to_owned(),
        (None, None) => "This hold has ended, and no entry of this review is left in your calendar.".to_owned(),
    }
}
