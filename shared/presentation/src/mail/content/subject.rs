//! A few words for the subject.

use refresh_core::record::{
    delta::{Field, Value},
    notice::{NoticeKind, ReviewStanding},
    view::{Attendance, Seating},
};

use super::{Told, duty::AskedDuty};
use crate::{
    moment,
    wording::{self, About},
};

impl Told<'_> {
    /// A few words for the subject.
    pub(super) fn gist(&self) -> String {
        let what = self.news();
        match &self.notice.authoritative_slot {
            // The answer that is asked for is to the meeting that counts, and the rest is of what is proposed.
            Some(slot) if self.ask == AskedDuty::Answer && self.tells_of_a_proposal() => {
                format!("meeting of {}; {what}", moment::brief(slot.start, self.names.zone))
            }
            _ => what,
        }
    }

    fn news(&self) -> String {
        let zone = self.names.zone;
        let slot = self.slot().map(|slot| moment::brief(slot.start, zone));
        let proposed = |what: String| if self.is_proposed() { format!("{what} proposed") } else { what };
        match (self.notice.kind, self.attendance()) {
            (NoticeKind::HoldEnded, _) => match &self.notice.calendar {
                Some(part) => format!("the hold of {} has ended", moment::brief(part.slot.start, zone)),
                None => "a hold has ended".to_owned(),
            },
            (_, _) if self.notice.standing == ReviewStanding::Cancelled => "review cancelled".to_owned(),
            (_, Some(Attendance::Cancellation)) => "cancellation proposed".to_owned(),
            (_, Some(Attendance::WouldBeReleased)) => "you may be released".to_owned(),
            (NoticeKind::Released, _) | (_, Some(Attendance::Released)) => "you are released".to_owned(),
            (NoticeKind::Escalation, _) if self.is_of_exceptions() => {
                let open = self.notice.exceptions.iter().map(|open| open.kind);
                match self.opened().chain(open).next() {
                    Some(kind) => wording::exception(kind).to_lowercase(),
                    None => "an exception is open".to_owned(),
                }
            }
            (NoticeKind::ExceptionClosed, _) if self.is_of_exceptions() => match self.closed().first() {
                Some(kind) => format!("settled: {}", wording::exception(*kind).to_lowercase()),
                None => "an exception has closed".to_owned(),
            },
            (NoticeKind::Withdrawn, _) => match slot {
                Some(start) => format!("back to {start}, a proposal {}", self.end()),
                None => format!("nothing changes, a proposal {}", self.end()),
            },
            (NoticeKind::Link, _) => "a proposal waits".to_owned(),
            (NoticeKind::Resent, _) if self.ask == AskedDuty::Decision => "a proposal waits".to_owned(),
            (NoticeKind::Reminder, _) if self.ask == AskedDuty::Decision => "a proposal waits".to_owned(),
            (NoticeKind::Reminder, _) => "your answer is missing".to_owned(),
            (_, _) => match (slot, self.foremost_field()) {
                (Some(start), Some(Field::Slot)) if self.is_new_to_it() => match self.is_proposed() {
                    true => format!("you may be needed {start}"),
                    false => format!("you are needed {start}"),
                },
                (Some(start), Some(Field::Slot)) => proposed(start),
                // What else attendance can become is told above: here a release that was proposed is not any more.
                (Some(start), Some(Field::Attendance)) => proposed(start),
                (_, Some(Field::Attendance)) => "you stay expected".to_owned(),
                (_, Some(Field::Role)) => match self.now(&Field::Role) {
                    Some(Value::Text(role)) => proposed(format!("you as {}", wording::words(role))),
                    _ => proposed("the end of your role".to_owned()),
                },
                (_, Some(Field::Roster(role))) => proposed(format!("another {}", wording::role(role))),
                (_, Some(Field::FreezeEdge)) => proposed("meeting at the edge of a freeze".to_owned()),
                (_, Some(field @ Field::ConflictProposed(role))) => match self.now(field) {
                    Some(_) => format!("conflict with the proposal reported by the {}", wording::role(role)),
                    None => format!("no conflict with a proposal any more of the {}", wording::role(role)),
                },
                (_, Some(field @ Field::Conflict(role))) => match self.now(field) {
                    Some(_) => format!("conflict reported by the {}", wording::role(role)),
                    None => format!("no conflict any more of the {}", wording::role(role)),
                },
                (_, Some(Field::Standing)) => match self.now(&Field::Standing) {
                    Some(Value::Seating(Seating::Authoritative)) if self.ask == AskedDuty::Answer => {
                        match &self.notice.authoritative_slot {
                            Some(slot) => format!("{} is final", moment::brief(slot.start, zone)),
                            None => "the meeting is final".to_owned(),
                        }
                    }
                    Some(Value::Seating(Seating::Authoritative)) => "the change is final".to_owned(),
                    _ => proposed("a change".to_owned()),
                },
                (_, Some(Field::Violated)) if !self.is_proposed() => self.breaks().to_owned(),
                (_, Some(Field::Operator)) if self.now(&Field::Operator).is_some() => {
                    "decided in the owner’s place".to_owned()
                }
                (_, Some(Field::Exception)) if self.now(&Field::Exception).is_none() => {
                    "its exceptions are told to you no more".to_owned()
                }
                (_, Some(field)) => {
                    let field = wording::field(field).to_lowercase();
                    match self.is_proposed() {
                        true => format!("a change proposed, {field}"),
                        false => format!("{field} changed"),
                    }
                }
                (_, None) => match self.foremost().map(|row| row.about) {
                    Some(About::Sight { gained: true }) if !self.is_proposed() => {
                        "you are told all of the review now".to_owned()
                    }
                    Some(About::Sight { gained: false }) => "the whole review is no longer told to you".to_owned(),
                    _ => proposed("an update".to_owned()),
                },
            },
        }
    }

    /// What became of the rules that the present meeting breaks.
    fn breaks(&self) -> &'static str {
        let change = self.notice.changes.iter().find(|change| change.field == Field::Violated);
        let broken = |value: Option<&Value>| match value {
            Some(Value::Marks(marks)) => marks.iter().any(|mark| mark.is_violation()),
            _ => false,
        };
        let was = change.is_some_and(|change| broken(change.was.as_ref()));
        let now = change.is_some_and(|change| broken(change.now.as_ref()));
        match (was, now) {
            (_, true) => "the meeting breaks a rule",
            (true, false) => "the meeting breaks no rule any more",
            (false, false) => "there is something to know of the meeting",
        }
    }
}
