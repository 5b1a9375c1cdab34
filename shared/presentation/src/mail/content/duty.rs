//! What the reader must do, by when, and what happens if they do nothing.

use refresh_core::{
    base::instant::Slot,
    record::{
        delta::{Difference, DutyAction, Field},
        notice::{Consequence, LinkTo, Notice, NoticeKind, ReviewStanding, UnknownInvitation},
        view::Attendance,
    },
};

use super::{Todo, Told};
use crate::{moment, text::Url, wording::sentence};

/// What a mail asks of its reader. Subjects, first words and buttons tell the three apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum AskedDuty {
    Decision,
    Answer,
    Nothing,
}

impl AskedDuty {
    pub(super) fn of(notice: &Notice) -> Self {
        match notice.duty.as_ref().map(|duty| duty.action) {
            Some(DutyAction::Decide) => Self::Decision,
            Some(DutyAction::Answer) => Self::Answer,
            None => Self::Nothing,
        }
    }

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Decision => "For your decision",
            Self::Answer => "For your answer",
            Self::Nothing => "For information",
        }
    }
}

impl Told<'_> {
    pub(super) fn todo(&self, link: Option<Url>) -> Todo {
        let by = self.notice.duty.as_ref().map(|duty| moment::instant(duty.by, self.names.zone)).unwrap_or_default();
        // What is asked may be overdue by the time something else is told: "by" an instant that has passed asks nothing.
        let overdue = self.notice.duty.as_ref().is_some_and(|duty| duty.by <= self.notice.at);
        match self.ask {
            AskedDuty::Decision if overdue => Todo {
                text: format!("The time to decide ended {by}: the page says what becomes of the proposal."),
                button: "See what becomes of it",
                link,
                otherwise: None,
            },
            AskedDuty::Answer if overdue => Todo {
                text: format!("Your answer was due {by}. {}", self.to_answer()),
                button: "See your seat and answer",
                link,
                otherwise: self
                    .told_of_silence()
                    .map(|who| format!("{} told that your answer is missing.", sentence(who))),
            },
            AskedDuty::Decision => Todo {
                text: format!("Adopt the proposal, or decline it.{}", self.answer_besides()),
                button: "See the proposal and decide",
                link,
                otherwise: Some(self.undecided()),
            },
            AskedDuty::Answer => Todo {
                text: self.to_answer(),
                button: "See your seat and answer",
                link,
                otherwise: Some(self.without_an_answer()),
            },
            AskedDuty::Nothing => Todo {
                text: self.to_remove().unwrap_or_else(|| self.nothing_to_do().to_owned()),
                button: match self.notice.link {
                    Some(LinkTo::Acknowledge { .. }) if self.tells_of_a_proposal() => "Say whether you can attend",
                    Some(LinkTo::Acknowledge { .. }) => "See your seat",
                    Some(LinkTo::Adopt { .. }) => "See the expired proposal",
                    None => "See the review",
                },
                link,
                otherwise: None,
            },
        }
    }

    /// A mail has one link, and the link of this one is the proposal's.
    fn answer_besides(&self) -> String {
        let Some(due) = self.notice.answer_due else { return String::new() };
        let by = moment::instant(due, self.names.zone);
        let is = if due <= self.notice.at { "was due" } else { "is still due" };
        let slot = self.notice.authoritative_slot.map(|slot| moment::interval(&slot, self.names.zone));
        let meeting = slot.map_or("the present meeting".to_owned(), |slot| format!("the meeting of {slot}"));
        format!(" Your answer to {meeting} {is} {by}: its link is in the mail that asked you for it.")
    }

    /// What is owed is an answer to the seat that counts. While another is proposed, the two must not be confused.
    fn to_answer(&self) -> String {
        let slot = self.notice.authoritative_slot.filter(|_| self.is_pending());
        let Some(slot) = slot.map(|slot| moment::interval(&slot, self.names.zone)) else {
            return "Say that you attend, or report a conflict.".to_owned();
        };
        let until = match (self.attendance(), self.loses_role()) {
            (Some(Attendance::WouldBeReleased), _) => " You may be released, and are expected until then.",
            (_, true) => " You may be released from your role, and are expected in it until then.",
            _ => " What is proposed asks for no answer yet.",
        };
        format!("Say that you attend the meeting of {slot}, or report a conflict.{until}")
    }

    /// A proposal would take the reader's role, and leave them an optional attendee.
    fn loses_role(&self) -> bool {
        let lost = |change: &Difference| change.field == Field::Role && change.was.is_some() && change.now.is_none();
        self.tells_of_a_proposal() && self.notice.changes.iter().any(lost)
    }

    /// An answer that is due at the start itself is missed by nobody before: the review starts.
    fn without_an_answer(&self) -> String {
        let start = self.notice.authoritative_slot.map(|slot| slot.start);
        if self.notice.duty.as_ref().zip(start).is_some_and(|(duty, start)| duty.by >= start) {
            return "If you do nothing, the review starts without your answer.".to_owned();
        }
        let told = self.told_of_silence().map(|who| format!("{who} told that your answer is missing"));
        let follows = match (self.follows(Consequence::Reminded), told) {
            (true, Some(told)) => format!("you are reminded, and then {told}"),
            (true, None) => "you are reminded".to_owned(),
            (false, Some(told)) => told,
            (false, None) => "your answer counts as missing".to_owned(),
        };
        format!("If you do nothing, {follows}.")
    }

    /// Who beside the reader is told that the answer is missing.
    fn told_of_silence(&self) -> Option<&'static str> {
        if self.follows(Consequence::OwnerTold) {
            Some("the release owner is")
        } else {
            self.follows(Consequence::ContactsTold).then_some("the escalation contacts are")
        }
    }

    fn follows(&self, consequence: Consequence) -> bool {
        self.notice.otherwise.contains(&consequence)
    }

    fn undecided(&self) -> String {
        let cancels = self.attendance() == Some(Attendance::Cancellation);
        let nothing = if cancels { "nothing is cancelled" } else { "nothing is adopted" };
        let holds = if self.follows(Consequence::HoldsEnd) { ", its holds are withdrawn," } else { "," };
        let told = match self.follows(Consequence::ContactsTold) {
            true => "you and the escalation contacts are told",
            false => "you are told",
        };
        format!("If you do nothing, {nothing}: the proposal expires then{holds} and {told}.")
    }

    fn nothing_to_do(&self) -> &'static str {
        match (self.notice.kind, self.attendance(), self.notice.link) {
            // The owner of the change, and guests, are told too: they were expected in no seat.
            _ if self.notice.standing == ReviewStanding::Cancelled => {
                "You need do nothing: the review does not take place."
            }
            (_, _, Some(LinkTo::Adopt { .. })) => {
                "If the expired proposal is still wanted, you can ask for it again on its page. Nothing else is asked of you."
            }
            (NoticeKind::Released, ..) | (_, Some(Attendance::Released), _) => {
                "You need do nothing: you are no longer expected."
            }
            (_, Some(Attendance::WouldBeReleased), _) => {
                "You need do nothing now: please keep the present time free until you hear that it is final."
            }
            (_, _, Some(LinkTo::Acknowledge { .. })) if self.tells_of_a_proposal() => {
                match (self.slot(), self.present_entry()) {
                    (Some(slot), Some(entry)) if slot != entry => {
                        "You need do nothing now: please keep the proposed time free too. If you like, tell the release owner already whether you can attend."
                    }
                    (Some(_), None) => {
                        "You need do nothing now: please keep the proposed time free. If you like, tell the release owner already whether you can attend."
                    }
                    // The hour is in their calendar already.
                    _ => "You need do nothing now. If you like, tell the release owner already whether you can attend.",
                }
            }
            _ if self.loses_role() => {
                "You need do nothing now: you may be released from your role, and are expected in it until you hear that it is final."
            }
            _ if self.tells_of_a_proposal() => "You need do nothing now: you will be told what is decided.",
            (NoticeKind::Escalation, ..) if !self.is_over() => {
                "Nothing is asked of you through this mail; the exception is explained below."
            }
            _ if self.hears_of_a_conflict() => {
                "Nothing moves by this: a move is proposed once a calendar shows the conflict. Please speak with whoever reported it."
            }
            _ => "You need do nothing.",
        }
    }

    /// Somebody says that they cannot attend the meeting that counts, and no source says so.
    fn hears_of_a_conflict(&self) -> bool {
        let is_new = |change: &Difference| matches!(change.field, Field::Conflict(_)) && change.now.is_some();
        !self.is_over() && self.notice.changes.iter().any(is_new)
    }

    /// The hour of this review that is in the reader's calendar already, by whomever.
    fn present_entry(&self) -> Option<Slot> {
        let foreign = match self.notice.unknown_invitation {
            Some(UnknownInvitation::Stands(slot)) => Some(slot),
            Some(UnknownInvitation::Remove(_)) | None => None,
        };
        self.notice.meeting_entry.or(foreign)
    }

    /// The one thing that is left to do for somebody of whom nothing else is asked.
    fn to_remove(&self) -> Option<String> {
        let Some(UnknownInvitation::Remove(_)) = self.notice.unknown_invitation else { return None };
        let released = self.attendance() == Some(Attendance::Released);
        let why = if released { ": you are no longer expected" } else { "" };
        Some(format!("Please delete the first invitation to this review from your calendar yourself{why}."))
    }
}
