//! The first line: what the mail is, whether that is final, and which meeting counts.

use refresh_core::{
    facts::reply::ReplyWord,
    record::{
        delta::DutyAction,
        exception::{ExceptionKind, Reason},
        notice::{NoticeKind, ReviewStanding},
        proposal::Fate,
        view::Attendance,
    },
};

use super::{Told, duty::AskedDuty};
use crate::{moment, wording};

const RELEASED: &str = "You are released from this review. This is final.";

impl Told<'_> {
    pub(super) fn standing(&self) -> String {
        self.asked_first() + &self.stands()
    }

    /// What is asked stands before everything else: on a small screen the first words are all there is.
    fn asked_first(&self) -> String {
        let Some(duty) = self.notice.duty.as_ref() else { return String::new() };
        let by = moment::instant(duty.by, self.names.zone);
        match (duty.action, duty.by <= self.notice.at) {
            (DutyAction::Decide, false) => format!("Decide by {by}. "),
            (DutyAction::Answer, false) if self.tells_of_a_proposal() => {
                format!("Answer by {by}, for the meeting that counts. ")
            }
            (DutyAction::Answer, false) => format!("Answer by {by}. "),
            (DutyAction::Answer, true) => "Answer now, please. ".to_owned(),
            // Nothing can be decided any more: what becomes of it is said below.
            (DutyAction::Decide, true) => String::new(),
        }
    }

    fn stands(&self) -> String {
        let counts = self.counts();
        match (self.notice.kind, self.notice.standing) {
            (NoticeKind::HoldEnded, _) => self.hold_ended(),
            (_, ReviewStanding::Cancelled) => "The review is cancelled. This is final.".to_owned(),
            (_, ReviewStanding::Closed) => "Coordination of this review has ended. This is final.".to_owned(),
            (_, ReviewStanding::Started) => format!("The review has started; nothing is changed any more: {counts}."),
            _ if self.asked_before() => {
                format!("A proposal still waits for you; it is not final. Until you decide, {counts}.")
            }
            (NoticeKind::AdoptionRequest | NoticeKind::Link, _) => {
                format!("A proposal waits for you; it is not final. Until you decide, {counts}.")
            }
            (NoticeKind::Reminder, _) if self.is_pending() => {
                format!("{}. {}; until it is adopted, {counts}.", self.still_missing(), self.waits())
            }
            (NoticeKind::Reminder, _) => format!("{}. This is final: {counts}.", self.still_missing()),
            (NoticeKind::Escalation, _) => {
                let open: Vec<_> = self.notice.exceptions.iter().map(|open| open.kind).collect();
                match self.is_pending() {
                    true => {
                        format!(
                            "An exception is open{}. {}; until it is adopted, {counts}.",
                            named(&open),
                            self.waits()
                        )
                    }
                    false => format!("An exception is open{}. Meanwhile {counts}.", named(&open)),
                }
            }
            (NoticeKind::TentativeChange | NoticeKind::Resent, _)
                if self.attendance() == Some(Attendance::Cancellation) =>
            {
                format!("Cancelling the review is proposed; it is not final. Until it is adopted, {counts}.")
            }
            (NoticeKind::Resent, _) if self.attendance() == Some(Attendance::Released) => RELEASED.to_owned(),
            (NoticeKind::TentativeChange, _)
            | (NoticeKind::Resent, ReviewStanding::ProposalPending | ReviewStanding::ProposalAndException) => {
                format!("A change is proposed; it is not final. Until it is adopted, {counts}.")
            }
            (NoticeKind::Released, _) => RELEASED.to_owned(),
            (NoticeKind::Withdrawn, _) => {
                format!("A proposal you were told of {} and nothing of it was adopted: {counts}.", self.end())
            }
            (NoticeKind::ExceptionClosed, ReviewStanding::ProposalPending | ReviewStanding::ProposalAndException) => {
                let closed = named(&self.closed());
                format!("An exception has closed{closed}. {}; until it is adopted, {counts}.", self.waits())
            }
            (NoticeKind::ExceptionClosed, _) => format!("An exception has closed{}: {counts}.", named(&self.closed())),
            (
                NoticeKind::AuthoritativeUpdate,
                ReviewStanding::ProposalPending | ReviewStanding::ProposalAndException,
            ) => {
                format!("What you know of the review has changed. {}; until it is adopted, {counts}.", self.waits())
            }
            (NoticeKind::AuthoritativeUpdate | NoticeKind::Resent, ReviewStanding::ExceptionOpen) => {
                format!("An exception is open; meanwhile {counts}.")
            }
            (NoticeKind::AuthoritativeUpdate | NoticeKind::Resent, _) => format!("This is final: {counts}."),
        }
    }

    /// What came of a proposal that is gone, and of which nothing was adopted.
    pub(super) const fn end(&self) -> &'static str {
        match self.notice.ended {
            Some(Fate::Expired) => "expired undecided",
            Some(Fate::DeclinedOtherSlot | Fate::DeclinedStand) => "was declined",
            Some(Fate::Adopted | Fate::Superseded | Fate::Withdrawn) | None => "is withdrawn",
        }
    }

    fn still_missing(&self) -> &'static str {
        match self.own_reply() {
            Some(_) => "Your reply by mail was neither yes nor no, so your answer is still missing",
            None => "Your answer is still missing",
        }
    }

    /// What the reader replied by mail, who owes an answer still.
    pub(super) fn own_reply(&self) -> Option<ReplyWord> {
        self.notice.replied.get(&self.notice.to).copied()
    }

    /// "The meeting of ... is the one that counts", with what it breaks where this reader is told so.
    fn counts(&self) -> String {
        let broken = wording::although(&self.notice.violated, &self.names);
        match &self.notice.authoritative_slot {
            Some(slot) => {
                let slot = moment::interval(slot, self.names.zone);
                format!("the meeting of {slot} is the one that counts{broken}")
            }
            None => format!("the present meeting is the one that counts{broken}"),
        }
    }

    fn hold_ended(&self) -> String {
        let slot =
            self.notice.calendar.as_ref().map(|part| format!(" of {}", moment::interval(&part.slot, self.names.zone)));
        let slot = slot.unwrap_or_default();
        let ended =
            format!("The tentative hold{slot} has ended and leaves your calendar; nothing else changes for you");
        // A hold and its meeting may have the same hour: nobody should read that the meeting is off.
        if self.is_over() { ended + "." } else { format!("{ended}: {}.", self.counts()) }
    }

    /// For whom a proposal waits. Whether owner or alternate owner decides is not told to everybody.
    fn waits(&self) -> &'static str {
        let mut reasons = self.notice.exceptions.iter().flat_map(|exception| &exception.reasons);
        match self.ask {
            AskedDuty::Decision => "A proposal waits for you",
            AskedDuty::Answer | AskedDuty::Nothing if reasons.any(|reason| *reason == Reason::AlternateOwner) => {
                "A proposal waits, and nobody may decide it"
            }
            AskedDuty::Answer | AskedDuty::Nothing => "A proposal waits for its decision",
        }
    }
}

/// ` (no viable slot and answers are missing)`; nothing where none is known.
fn named(kinds: &[ExceptionKind]) -> String {
    let titles: Vec<String> = kinds.iter().map(|kind| wording::exception(*kind).to_lowercase()).collect();
    if titles.is_empty() { String::new() } else { format!(" ({})", wording::list(&titles)) }
}
