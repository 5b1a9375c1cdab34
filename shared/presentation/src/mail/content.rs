//! What a mail says, in words: one view model for the text and the HTML of it.
//!
//! Three lines first. One: what this is, and whether it is final. Two: what changed for you, was, now and why. Three: what
//! you must do, by when, with the link. The whole delta follows for who wants it.

use refresh_core::{
    base::instant::Slot,
    record::{
        booking::CalendarObject,
        delta::{Difference, DutyAction, Field, Value},
        notice::{LinkTo, Method, Notice, NoticeKind, Participation, ReviewStanding},
        view::{Attendance, Seating},
    },
};

use super::Letterhead;
use crate::{
    moment,
    text::{HeaderText, Line, Url},
    wording::{self, About, ChangeRow, Names},
};

/// A mail in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Content {
    /// The subject.
    pub subject: HeaderText,
    /// `For your decision`, `For your answer` or `For information`.
    pub label: &'static str,
    /// The first line: what it is, whether it is final, which meeting counts.
    pub standing: String,
    /// The second: the change that matters most. `None` where the first line says it all.
    pub headline: Option<String>,
    /// The third: what to do. `None` where the first line says it all.
    pub todo: Option<Todo>,
    /// Every change; the headline says it all where there is one.
    pub changes: Vec<ChangeLine>,
    /// Every cause; the headline names them all where there are two at most, else the first.
    pub why: Vec<String>,
    /// The open exceptions of the reader's view.
    pub exceptions: Vec<ExceptionText>,
    /// What the calendar part does, where there is one.
    pub calendar: Option<String>,
    /// The review's title.
    pub title: Line,
    /// The review's id.
    pub review: Line,
    /// The version that the mail is about.
    pub version: u32,
    /// When the mail was made, in the reader's zone and in UTC.
    pub at: String,
    /// The reader's name.
    pub reader: Line,
}

impl Content {
    /// Whether the mail carries its reader's own link.
    pub fn has_link(&self) -> bool {
        self.todo.as_ref().is_some_and(|todo| todo.link.is_some())
    }
}

/// One change in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChangeLine {
    /// What changed.
    pub what: String,
    /// What was so before.
    pub was: String,
    /// What is so now.
    pub now: String,
}

/// One open exception in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExceptionText {
    /// The heading.
    pub title: &'static str,
    /// What the exception asks of the reader.
    pub remedy: &'static str,
    /// A sentence for each reason.
    pub reasons: Vec<String>,
}

/// What the reader must do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Todo {
    /// What to do, in a sentence.
    pub text: String,
    /// The words on the link.
    pub button: &'static str,
    /// The reader's own link; `None` where nothing is done by a link.
    pub link: Option<Url>,
    /// What happens if they do nothing.
    pub otherwise: Option<String>,
}

/// What a mail asks of its reader. Subjects, first words and buttons tell the three apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AskedDuty {
    Decision,
    Answer,
    Nothing,
}

impl AskedDuty {
    fn of(notice: &Notice) -> Self {
        match notice.duty.as_ref().map(|duty| duty.action) {
            Some(DutyAction::Decide) => Self::Decision,
            Some(DutyAction::Answer) => Self::Answer,
            None => Self::Nothing,
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Decision => "For your decision",
            Self::Answer => "For your answer",
            Self::Nothing => "For information",
        }
    }
}

/// Everything the sentences are made from.
struct Told<'a> {
    notice: &'a Notice,
    names: Names<'a>,
    rows: Vec<ChangeRow<'a>>,
    ask: AskedDuty,
}

pub(super) fn of(notice: &Notice, letterhead: &Letterhead, link: Option<Url>) -> Content {
    let names = Names { known: &letterhead.names, reader: &notice.to, zone: letterhead.reader_zone };
    let rows = wording::changes(&notice.changes, &names);
    let told = Told { notice, names, rows, ask: AskedDuty::of(notice) };
    let why: Vec<String> = notice.why.iter().map(|standpoint| wording::why(standpoint, &told.names)).collect();
    let title = Line::of(&crate::text::title(&letterhead.title, letterhead.review.as_str()));
    Content {
        subject: HeaderText::of(&format!(
            "{}{}: {} – {} [{}]",
            if notice.kind == NoticeKind::Reminder { "Reminder – " } else { "" },
            told.ask.label(),
            told.gist(),
            crate::text::one_line(title.as_str(), 80),
            crate::text::one_line(letterhead.review.as_str(), 40),
        )),
        label: told.ask.label(),
        standing: told.standing(),
        headline: (!told.is_one_line()).then(|| told.headline(&why)),
        todo: (!told.is_one_line()).then(|| told.todo(link)),
        changes: told
            .rows
            .iter()
            .map(|row| ChangeLine { what: row.what.clone(), was: row.was.clone(), now: row.now.clone() })
            .collect(),
        why,
        exceptions: notice
            .exceptions
            .iter()
            .map(|exception| ExceptionText {
                title: wording::exception(exception.kind),
                remedy: wording::remedy(exception.kind),
                reasons: wording::reasons(exception, &told.names),
            })
            .collect(),
        calendar: told.calendar(),
        title,
        review: Line::of(letterhead.review.as_str()),
        version: notice.version,
        at: moment::instant(notice.at, letterhead.reader_zone),
        reader: Line::of(&letterhead.reader_name),
    }
}

impl Told<'_> {
    fn now(&self, field: &Field) -> Option<&Value> {
        self.notice.changes.iter().find(|change| change.field == *field).and_then(|change| change.now.as_ref())
    }

    fn attendance(&self) -> Option<Attendance> {
        match self.now(&Field::Attendance) {
            Some(Value::Attendance(attendance)) => Some(*attendance),
            _ => None,
        }
    }

    fn slot(&self) -> Option<Slot> {
        match self.now(&Field::Slot) {
            Some(Value::Interval(slot)) => Some(*slot),
            _ => None,
        }
    }

    /// "The meeting of ... is the one that counts", with what it breaks where this reader is told so.
    fn counts(&self) -> String {
        let broken = match self.now(&Field::Violated) {
            Some(Value::Marks(marks)) if marks.iter().any(|mark| mark.is_violation()) => {
                let broken: Vec<_> = marks.iter().filter(|mark| mark.is_violation()).cloned().collect();
                format!(", although it breaks a rule ({})", wording::marks(&broken, &self.names))
            }
            _ => String::new(),
        };
        match &self.notice.authoritative_slot {
            Some(slot) => {
                let slot = moment::interval(slot, self.names.zone);
                format!("the meeting of {slot} is the one that counts{broken}")
            }
            None => format!("the present meeting is the one that counts{broken}"),
        }
    }

    /// The end of a hold is told beside what changed, and is one line.
    fn is_one_line(&self) -> bool {
        self.notice.kind == NoticeKind::HoldEnded
    }

    const fn is_proposed(&self) -> bool {
        matches!(self.notice.kind, NoticeKind::AdoptionRequest | NoticeKind::TentativeChange)
    }

    const fn waits(&self) -> &'static str {
        match self.ask {
            AskedDuty::Decision => "A proposal waits for you",
            AskedDuty::Answer | AskedDuty::Nothing => "A proposal waits for the release owner",
        }
    }

    fn standing(&self) -> String {
        let counts = self.counts();
        match (self.notice.kind, self.notice.standing) {
            (NoticeKind::HoldEnded, _) => self.hold_ended(),
            (_, ReviewStanding::Cancelled) => "The review is cancelled. This is final.".to_owned(),
            (_, ReviewStanding::Closed) => "Coordination of this review has ended. This is final.".to_owned(),
            (_, ReviewStanding::Started) => "The review has started; nothing is changed any more.".to_owned(),
            (NoticeKind::AdoptionRequest, _) => {
                format!("A proposal waits for you; it is not final. Until you decide, {counts}.")
            }
            (NoticeKind::Link, _) => {
                format!("A proposal waits for you; it is not final. Until you decide, {counts}.")
            }
            (NoticeKind::Reminder, _) if self.ask == AskedDuty::Decision => {
                format!("A proposal still waits for you; it is not final. Until you decide, {counts}.")
            }
            (NoticeKind::Reminder, _) => format!("Your answer is still missing. This is final: {counts}."),
            (NoticeKind::Escalation, _) => {
                format!("An exception is open and nothing is decided. Meanwhile {counts}.")
            }
            (NoticeKind::TentativeChange, _) if self.attendance() == Some(Attendance::Cancellation) => {
                format!("Cancelling the review is proposed; it is not final. Until it is adopted, {counts}.")
            }
            (NoticeKind::TentativeChange, _) => {
                format!("A change is proposed; it is not final. Until the release owner adopts it, {counts}.")
            }
            (NoticeKind::Released, _) => "You are released from this review. This is final.".to_owned(),
            (NoticeKind::Withdrawn, _) => {
                format!("A proposal you were told of is gone and nothing of it was adopted: {counts}.")
            }
            (NoticeKind::ExceptionClosed, ReviewStanding::ProposalPending | ReviewStanding::ProposalAndException) => {
                format!("An exception has closed. {}; until it is adopted, {counts}.", self.waits())
            }
            (NoticeKind::ExceptionClosed, _) => format!("An exception has closed: {counts}."),
            (
                NoticeKind::AuthoritativeUpdate,
                ReviewStanding::ProposalPending | ReviewStanding::ProposalAndException,
            ) => {
                format!("What you know of the review has changed. {}; until it is adopted, {counts}.", self.waits())
            }
            (NoticeKind::AuthoritativeUpdate, ReviewStanding::ExceptionOpen) => {
                format!("This is authoritative. An exception is open; meanwhile {counts}.")
            }
            (NoticeKind::AuthoritativeUpdate, ReviewStanding::Settled) => format!("This is authoritative: {counts}."),
        }
    }

    fn hold_ended(&self) -> String {
        let slot =
            self.notice.calendar.as_ref().map(|part| format!(" of {}", moment::interval(&part.slot, self.names.zone)));
        let slot = slot.unwrap_or_default();
        format!("The tentative hold{slot} has ended and leaves your calendar; nothing else changes for you.")
    }

    /// The change that matters most to a reader, in the order in which it would.
    fn foremost(&self) -> Option<&ChangeRow<'_>> {
        let rank = |row: &ChangeRow<'_>| match row.about {
            About::Sight { .. } => 3,
            About::Field(change) => match change.field {
                Field::Attendance => 0,
                Field::Slot => 1,
                Field::Role => 2,
                Field::Roster(_) => 4,
                Field::FreezeEdge => 5,
                Field::Exception => 6,
                Field::Conflict(_) | Field::Operator => 7,
                // What was told as a proposal counts now: of that, what it no longer breaks is the lesser news.
                Field::Standing => 8,
                Field::Checkpoint(_) => 9,
                Field::Window => 10,
                Field::Cutover => 11,
                Field::Violated => 12,
                Field::Duty => 13,
            },
        };
        let exceptional = matches!(self.notice.kind, NoticeKind::Escalation | NoticeKind::ExceptionClosed);
        self.rows.iter().min_by_key(|row| match row.about {
            About::Field(Difference { field: Field::Exception, .. }) if exceptional => 0,
            _ => rank(row) + 1,
        })
    }

    /// The field of the change that matters most; `None` where that is none of a field.
    fn foremost_field(&self) -> Option<&Field> {
        match self.foremost()?.about {
            About::Field(change) => Some(&change.field),
            About::Sight { .. } => None,
        }
    }

    fn headline(&self, why: &[String]) -> String {
        let because = match why {
            [] => String::new(),
            // Two lines of causes would push what there is to do off a small screen.
            [first, rest @ ..] if rest.len() > 1 => format!(" Why: {first}, and {} more causes below.", rest.len()),
            few => format!(" Why: {}.", wording::list(few)),
        };
        let Some(foremost) = self.foremost() else {
            return match self.notice.kind {
                NoticeKind::Reminder => "Nothing has changed since you were told.".to_owned(),
                NoticeKind::Link => {
                    "You asked for this link on the page of an earlier proposal. Nothing has changed since you were told.".to_owned()
                }
                // It went and came back: to be decided anew, though it says the same.
                NoticeKind::AdoptionRequest => format!("The proposal is as you were told, and is made anew.{because}"),
                _ => format!("Nothing else changed for you.{because}"),
            };
        };
        let ChangeRow { what, was, now, .. } = foremost;
        let more = match self.rows.len() - 1 {
            0 => String::new(),
            1 => " One more change is below.".to_owned(),
            more => format!(" {more} more changes are below."),
        };
        // "Now" alone would send somebody to a time that nobody has adopted.
        let proposed = matches!(self.foremost_field(), Some(Field::Slot | Field::Role | Field::Roster(_)));
        let now = if proposed && self.is_proposed() { format!("now proposed {now}") } else { format!("now {now}") };
        format!("{what}: was {was}; {now}.{because}{more}")
    }

    fn todo(&self, link: Option<Url>) -> Todo {
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
                text: format!("Answer now, please: your answer was due {by}. Acknowledge your seat, or report a conflict."),
                button: "See your seat and answer",
                link,
                otherwise: Some("The release owner is told that your answer is missing.".to_owned()),
            },
            AskedDuty::Decision => Todo {
                text: format!("Decide by {by}: adopt the proposal, or decline it."),
                button: "See the proposal and decide",
                link,
                otherwise: Some(
                    "If you do nothing, nothing is adopted: the proposal expires then, its holds are withdrawn, and you and the escalation contacts are told."
                        .to_owned(),
                ),
            },
            AskedDuty::Answer => Todo {
                text: format!("Answer by {by}: acknowledge your seat, or report a conflict."),
                button: "See your seat and answer",
                link,
                otherwise: Some("If you do nothing, you are reminded, and then the release owner is told that your answer is missing.".to_owned()),
            },
            AskedDuty::Nothing => Todo {
                text: self.nothing_to_do().to_owned(),
                button: match self.notice.link {
                    Some(LinkTo::Acknowledge { .. }) if self.notice.kind == NoticeKind::TentativeChange => {
                        "Say whether you can attend"
                    }
                    Some(LinkTo::Acknowledge { .. }) => "See your seat",
                    Some(LinkTo::Adopt { .. }) => "See the proposal",
                    None => "See the review",
                },
                link,
                otherwise: None,
            },
        }
    }

    fn nothing_to_do(&self) -> &'static str {
        match (self.notice.kind, self.attendance(), self.notice.link) {
            (NoticeKind::Released, ..) | (_, Some(Attendance::Released), _) => {
                "You need do nothing: you are no longer expected."
            }
            (_, Some(Attendance::WouldBeReleased), _) => {
                "You need do nothing now: please keep the present time free until you hear that it is final."
            }
            (NoticeKind::TentativeChange, _, Some(LinkTo::Acknowledge { .. })) => {
                match (self.slot(), self.notice.meeting_entry) {
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
            (NoticeKind::TentativeChange, ..) => "You need do nothing now: you will be told what is decided.",
            (NoticeKind::Escalation, ..) => "Nothing is asked of you through this mail; what would help stands below.",
            _ => "You need do nothing.",
        }
    }

    /// A few words for the subject.
    fn gist(&self) -> String {
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
            (NoticeKind::Escalation, _) => match self.notice.exceptions.first() {
                Some(exception) => wording::exception(exception.kind).to_lowercase(),
                None => "an exception is open".to_owned(),
            },
            (NoticeKind::ExceptionClosed, _) => "an exception has closed".to_owned(),
            (NoticeKind::Withdrawn, _) => "a proposal is withdrawn".to_owned(),
            (NoticeKind::Link, _) => "a proposal waits".to_owned(),
            (NoticeKind::Reminder, _) if self.ask == AskedDuty::Decision => "a proposal waits".to_owned(),
            (NoticeKind::Reminder, _) => "your answer is missing".to_owned(),
            (_, _) => match (slot, self.foremost_field()) {
                (Some(start), Some(Field::Slot)) => proposed(start),
                // What else attendance can become is told above: here a release that was proposed is not any more.
                (Some(start), Some(Field::Attendance)) => proposed(start),
                (_, Some(Field::Attendance)) => "you stay expected".to_owned(),
                (_, Some(Field::Role)) => proposed("your role".to_owned()),
                (_, Some(Field::Roster(role))) => proposed(format!("another {}", wording::role(role))),
                (_, Some(Field::FreezeEdge)) => proposed("meeting at the edge of a freeze".to_owned()),
                (_, Some(Field::Conflict(role))) => format!("conflict reported by the {}", wording::role(role)),
                (_, Some(Field::Standing)) => match self.now(&Field::Standing) {
                    Some(Value::Seating(Seating::Authoritative)) if self.ask == AskedDuty::Answer => {
                        "your seat is final".to_owned()
                    }
                    Some(Value::Seating(Seating::Authoritative)) => "the change is final".to_owned(),
                    _ => proposed("a change".to_owned()),
                },
                (_, Some(Field::Violated)) if !self.is_proposed() => self.breaks().to_owned(),
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

    fn calendar(&self) -> Option<String> {
        let part = self.notice.calendar.as_ref().filter(|_| !self.is_one_line())?;
        let slot = moment::interval(&part.slot, self.names.zone);
        let guest = part.participation == Participation::Optional;
        Some(match (part.object, part.method) {
            (CalendarObject::Meeting, Method::Request) if guest => {
                format!("The meeting in your calendar is {slot}, with you as an optional attendee.")
            }
            (CalendarObject::Meeting, Method::Request) => {
                format!("The meeting in your calendar is {slot}, with you as a required attendee.")
            }
            (CalendarObject::Meeting, Method::Cancel) => format!("The meeting of {slot} leaves your calendar."),
            (CalendarObject::Hold, Method::Request) => match self.notice.meeting_entry {
                Some(_) => {
                    format!("A tentative hold, marked [Proposed], for {slot}; the meeting’s own entry stays as it is.")
                }
                None => format!("A tentative hold, marked [Proposed], for {slot}."),
            },
            (CalendarObject::Hold, Method::Cancel) => format!("The tentative hold of {slot} leaves your calendar."),
        })
    }
}
