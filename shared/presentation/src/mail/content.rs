//! What a mail says, in words: one view model for the text and the HTML of it.
//!
//! Three lines first. One: by when something is asked, what this is, and whether it is final. Two: what changed for you, was, now and why. Three: what
//! you must do, with the link. The whole delta follows for who wants it.

mod calendar;
mod duty;
mod news;
mod standing;
mod subject;

use refresh_core::{
    base::instant::Slot,
    facts::fact::Meeting,
    record::{
        delta::{Difference, Field, Value},
        exception::{Exception, ExceptionKind},
        notice::{LinkTo, Notice, NoticeKind, ReviewStanding},
        review::PlaceElsewhere,
        view::Attendance,
    },
};

use duty::AskedDuty;

use super::Letterhead;
use crate::{
    moment,
    text::{HeaderText, Line, Url},
    wording::{self, About, ChangeRow, Names, ended},
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
    /// Every cause; the headline names those of what it says, where there are two at most, else the first.
    pub why: Vec<String>,
    /// Whether the headline leaves causes to be told below.
    pub why_below: bool,
    /// The open exceptions of the reader's view.
    pub exceptions: Vec<ExceptionText>,
    /// What becomes of the entries in the reader's calendar.
    pub calendar: Vec<String>,
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

/// Everything the sentences are made from.
struct Told<'a> {
    notice: &'a Notice,
    names: Names<'a>,
    rows: Vec<ChangeRow<'a>>,
    ask: AskedDuty,
    /// Whether the reader is the organizer whom the meeting was issued with.
    organizes: bool,
    /// The meeting as it was issued.
    issued: Option<&'a Meeting>,
}

pub(super) fn of(notice: &Notice, letterhead: &Letterhead, link: Option<Url>) -> Content {
    let names = Names { known: &letterhead.names, reader: &notice.to, zone: letterhead.reader_zone };
    let mut rows = wording::changes(&notice.changes, &names);
    if notice.standing == ReviewStanding::Cancelled {
        wording::say_cancelled(&mut rows);
    }
    let organizer = letterhead.meeting.as_ref().and_then(|meeting| meeting.organizer.as_ref());
    let organizes = organizer.is_some_and(|organizer| organizer.is(&notice.to));
    let issued = letterhead.meeting.as_ref();
    let told = Told { notice, names, rows, ask: AskedDuty::of(notice), organizes, issued };
    let (besides, own): (Vec<_>, Vec<_>) = notice.why.iter().partition(|cause| notice.besides.contains(cause));
    let mut own = wording::causes(own, &told.names);
    own.extend(told.taken_elsewhere());
    let besides = wording::causes(besides, &told.names);
    let besides: Vec<String> = besides.iter().map(|cause| format!("of what else changed: {cause}")).collect();
    let title = Line::of(&crate::text::title(&letterhead.title, letterhead.review.as_str()));
    Content {
        subject: HeaderText::of(&format!(
            "{}{}: {} – {} [{}]",
            match notice.kind {
                NoticeKind::Reminder => "Reminder – ",
                NoticeKind::Resent => "Once more – ",
                _ => "",
            },
            told.ask.label(),
            told.gist(),
            crate::text::one_line(title.as_str(), 80),
            crate::text::one_line(letterhead.review.as_str(), 40),
        )),
        label: told.ask.label(),
        standing: told.standing(),
        headline: (!told.is_one_line()).then(|| told.headline(&own)),
        todo: (!told.is_one_line()).then(|| told.todo(link)),
        changes: told.by_weight().into_iter().map(|row| told.line(row)).collect(),
        why_below: own.len() > 2 || !besides.is_empty(),
        why: own.into_iter().chain(besides).collect(),
        exceptions: notice
            .exceptions
            .iter()
            .map(|exception| ExceptionText {
                title: wording::exception(exception.kind),
                remedy: told.remedy(exception),
                reasons: told.reasons(exception),
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

    /// The time that somebody hears of who had none before.
    fn is_new_to_it(&self) -> bool {
        self.notice.changes.iter().any(|change| change.field == Field::Slot && change.was.is_none())
            && self.now(&Field::Role).is_some()
    }

    fn slot(&self) -> Option<Slot> {
        match self.now(&Field::Slot) {
            Some(Value::Interval(slot)) => Some(*slot),
            _ => None,
        }
    }

    /// The end of a hold is told beside what changed, and is one line.
    fn is_one_line(&self) -> bool {
        self.notice.kind == NoticeKind::HoldEnded
    }

    const fn is_proposed(&self) -> bool {
        matches!(self.notice.kind, NoticeKind::AdoptionRequest | NoticeKind::TentativeChange)
            || self.is_told_again_of_a_proposal()
    }

    /// An operator asked for this mail, and it is of what is proposed.
    const fn is_told_again_of_a_proposal(&self) -> bool {
        matches!(self.notice.kind, NoticeKind::Resent) && self.is_pending()
    }

    /// A proposal touches the reader's seat, or is in the reader's view, and is not theirs to decide.
    fn tells_of_a_proposal(&self) -> bool {
        let again = self.is_told_again_of_a_proposal() && self.ask != AskedDuty::Decision;
        self.notice.kind == NoticeKind::TentativeChange || again
    }

    fn remedy(&self, exception: &Exception) -> &'static str {
        // The mail has the link for that.
        if exception.kind == ExceptionKind::Undecided && matches!(self.notice.link, Some(LinkTo::Adopt { .. })) {
            return "The same proposal is not made again by itself. You can ask for the proposal again on its page.";
        }
        wording::remedy(exception, self.is_over())
    }

    /// Another review that has somebody in the present hour is why another person, or hour, is proposed.
    fn taken_elsewhere(&self) -> impl Iterator<Item = String> {
        let proposes = matches!(self.notice.kind, NoticeKind::AdoptionRequest | NoticeKind::TentativeChange);
        let present = self.notice.authoritative_slot.filter(|_| proposes);
        let bears = move |place: &&PlaceElsewhere| present.is_some_and(|slot| slot.overlaps(&place.slot));
        self.notice.elsewhere.iter().filter(bears).map(|place| wording::elsewhere(place, &self.names))
    }

    /// A sentence for each reason. Somebody who covers a role no more may be known to sit in another review.
    fn reasons(&self, exception: &Exception) -> Vec<String> {
        let mut reasons = wording::reasons(exception, &self.notice.replied, &self.names);
        if exception.kind == ExceptionKind::NoViableSlot {
            let places = self.notice.elsewhere.iter().map(|place| wording::elsewhere(place, &self.names));
            reasons.extend(places.map(|place| wording::sentence(&place) + "."));
        }
        reasons
    }

    fn line(&self, row: &ChangeRow<'_>) -> ChangeLine {
        ChangeLine { what: row.what.clone(), was: self.was_of(row), now: self.now_of(row) }
    }

    fn headline(&self, why: &[String]) -> String {
        match self.notice.kind {
            NoticeKind::Resent => format!("An operator asked that you are told this once more. {}", self.change(why)),
            _ => self.change(why),
        }
    }

    fn change(&self, why: &[String]) -> String {
        let because = match why {
            [] => String::new(),
            // Two lines of causes would push what there is to do off a small screen.
            [first, rest @ ..] if rest.len() > 1 => format!(" Why: {first}, and {} more causes below.", rest.len()),
            few => format!(" Why: {}.", wording::list(few)),
        };
        let Some(foremost) = self.foremost() else {
            return match self.notice.kind {
                NoticeKind::Reminder | NoticeKind::Resent => match self.own_reply() {
                    Some(word) => format!("{} Nothing has changed since you were told.", wording::no_answer(word)),
                    None => "Nothing has changed since you were told.".to_owned(),
                },
                NoticeKind::Link => {
                    "You asked for this link on the page of an earlier proposal. Nothing has changed since you were told.".to_owned()
                }
                // It went and came back: to be decided anew, though it says the same.
                NoticeKind::AdoptionRequest => format!("The proposal is as you were told, and is made anew.{because}"),
                _ => format!("Nothing else changed for you.{because}"),
            };
        };
        let what = &foremost.what;
        let (was, now) = (self.was_of(foremost), self.now_of(foremost));
        let more = match self.rows.len() - 1 {
            0 => String::new(),
            1 => " One more change is below.".to_owned(),
            more => format!(" {more} more changes are below."),
        };
        let told = match foremost.about {
            // There was no such decision before, and that is no news.
            About::Field(Difference { field: Field::Operator, was: None, .. }) => format!("{what}: {now}"),
            _ => format!("{what}: was {was}; now {now}"),
        };
        format!("{}{because}{more}", ended(told))
    }
}
