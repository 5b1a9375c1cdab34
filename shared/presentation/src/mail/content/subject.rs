//! A few words for the subject.

use refresh_core::record::{
    delta::{Difference, Field, Value},
    exception::ExceptionKind,
    mark::Mark,
    notice::{NoticeKind, ReviewStanding},
    view::{Attendance, Seating},
};

use super::{Told, duty::AskedDuty};
use crate::{
    moment,
    wording::{self, About, ChangeRow},
};

impl Told<'_> {
    /// A few words for the subject.
    pub(super) fn gist(&self) -> String {
        let what = self.news();
        // The reader knows what is to be decided: what is new comes first.
        if self.asks_anew() {
            return format!("{}; {what}", self.of_row(self.foremost()));
        }
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
        match (self.notice.kind, self.attendance()) {
            (NoticeKind::HoldEnded, _) => match &self.notice.calendar {
                Some(part) => format!("the hold of {} has ended", moment::brief(part.slot.start, zone)),
                None => "a hold has ended".to_owned(),
            },
            (_, _) if self.notice.standing == ReviewStanding::Cancelled => "review cancelled".to_owned(),
            (_, Some(Attendance::Cancellation)) => "cancellation proposed".to_owned(),
            (_, Some(Attendance::WouldBeReleased)) => "you may be released".to_owned(),
            (NoticeKind::Released, _) | (_, Some(Attendance::Released)) => "you are released".to_owned(),
            (NoticeKind::Escalation | NoticeKind::ExceptionClosed, _) if self.is_of_exceptions() => {
                self.of_exceptions()
            }
            (NoticeKind::Withdrawn, _) => match slot {
                Some(start) => format!("back to {start}, a proposal {}", self.end()),
                None => format!("nothing changes, a proposal {}", self.end()),
            },
            (NoticeKind::Link, _) => "a proposal waits".to_owned(),
            (NoticeKind::Resent, _) if self.ask == AskedDuty::Decision => "a proposal waits".to_owned(),
            (NoticeKind::Reminder, _) if self.ask == AskedDuty::Decision => "a proposal waits".to_owned(),
            (NoticeKind::Reminder, _) => "your answer is missing".to_owned(),
            (_, _) if self.asks_anew() => self.of_row(self.to_decide()),
            (_, _) => self.of_row(self.foremost()),
        }
    }

    /// What one row tells.
    fn of_row(&self, row: Option<&ChangeRow<'_>>) -> String {
        let zone = self.names.zone;
        let slot = self.slot().map(|slot| moment::brief(slot.start, zone));
        // Beside a proposal that the reader knows, what is new counts.
        let is_proposed = self.is_proposed() && !(self.asks_anew() && row == self.foremost());
        let proposed = |what: String| if is_proposed { format!("{what} proposed") } else { what };
        let field = row.and_then(|row| match row.about {
            About::Field(change) => Some(&change.field),
            About::Sight { .. } => None,
        });
        match (slot, field) {
            (Some(start), Some(Field::Slot)) if self.is_new_to_it() => match is_proposed {
                true => format!("you may be needed {start}"),
                false => format!("you are needed {start}"),
            },
            (Some(start), Some(Field::Slot)) => proposed(start),
            // What else attendance can become is told above: here a release that was proposed is not any more.
            (Some(start), Some(Field::Attendance)) if !self.asks_anew() => proposed(start),
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
            (_, Some(Field::Violated)) if !is_proposed => self.breaks(),
            (_, Some(Field::Operator)) if self.now(&Field::Operator).is_some() => {
                "decided in the owner’s place".to_owned()
            }
            (_, Some(Field::Exception)) if self.now(&Field::Exception).is_none() => {
                "its exceptions are told to you no more".to_owned()
            }
            (_, Some(Field::Exception)) if !is_proposed => self.of_exceptions(),
            (_, Some(field)) => {
                let field = wording::field(field).to_lowercase();
                match is_proposed {
                    true => format!("a change proposed, {field}"),
                    false => format!("{field} changed"),
                }
            }
            (_, None) => match row.map(|row| row.about) {
                Some(About::Sight { gained: true }) if !is_proposed => "you are told all of the review now".to_owned(),
                Some(About::Sight { gained: false }) => "the whole review is no longer told to you".to_owned(),
                _ => proposed("an update".to_owned()),
            },
        }
    }

    /// What became of the exceptions: one that is new before one that is settled, and that before one that is less.
    fn of_exceptions(&self) -> String {
        let title = |kind: ExceptionKind| wording::exception(kind).to_lowercase();
        if let Some(opened) = self.opened().next() {
            return title(opened);
        }
        match self.closed().first() {
            // An override ends where the meeting breaks something else by now: that settles nothing.
            Some(ExceptionKind::OwnerOverride) => {
                return format!("no longer so: {}", title(ExceptionKind::OwnerOverride));
            }
            Some(closed) => return format!("settled: {}", title(*closed)),
            None => {}
        }
        if let Some(eased) = self.eased().next() {
            return format!("fewer reasons: {}", title(eased));
        }
        match self.notice.exceptions.first() {
            Some(open) => title(open.kind),
            None => "an exception has closed".to_owned(),
        }
    }

    /// What became of the rules that the present meeting breaks, and of what is only to know of it.
    fn breaks(&self) -> String {
        let change = self.notice.changes.iter().find(|change| change.field == Field::Violated);
        let marks = |side: fn(&Difference) -> Option<&Value>| match change.and_then(side) {
            Some(Value::Marks(marks)) => marks.as_slice(),
            _ => &[],
        };
        let (was, now) = (marks(|change| change.was.as_ref()), marks(|change| change.now.as_ref()));
        let broken = |marks: &[Mark]| marks.iter().any(Mark::is_violation);
        let is_new = |mark: &&Mark| !was.contains(mark);
        match (broken(was), broken(now)) {
            (false, true) => "the meeting breaks a rule".to_owned(),
            (true, false) => "the meeting breaks no rule any more".to_owned(),
            (true, true) if now.iter().filter(is_new).any(Mark::is_violation) => {
                "the meeting breaks another rule".to_owned()
            }
            // What is only to know is told by its own words: no rule says more.
            _ => match now.iter().find(|mark| is_new(mark) && !mark.is_violation()) {
                Some(remark) => wording::mark(remark, &self.names),
                None if was.iter().any(|mark| mark.is_violation() && !now.contains(mark)) => {
                    "the meeting breaks fewer rules".to_owned()
                }
                None => "nothing more is to know of the meeting".to_owned(),
            },
        }
    }
}
