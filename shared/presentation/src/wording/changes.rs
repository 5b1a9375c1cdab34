//! The rows of a delta: what differs, what was so before, and what is so now.

use refresh_core::{
    Person,
    base::name::LONGEST_ADDRESS,
    record::{
        delta::{Difference, DutyAction, Field, Value},
        view::{Attendance, Seating},
    },
};

use super::{Names, exceptions::exception_line, marks::violated, role, sentence, uncapitalised, words};
use crate::{
    moment,
    text::{LONGEST_NOTE, one_line},
};

const THE_REVIEW: &str = "The review";
const PLANNED: &str = "planned";
const CANCELLED: &str = "cancelled";

/// What differs, as the head of a row.
pub fn field(field: &Field) -> String {
    match field {
        Field::Attendance => "Your attendance".to_owned(),
        Field::Slot => "Time".to_owned(),
        Field::Role => "Your role".to_owned(),
        Field::Standing => "Status".to_owned(),
        Field::Duty => "To do".to_owned(),
        Field::Roster(whose) => sentence(&role(whose)),
        Field::Checkpoint(key) => format!("Evidence {}", one_line(key.as_str(), 80)),
        Field::Window => "Review window".to_owned(),
        Field::Cutover => "Cutover".to_owned(),
        // Whether the meeting lies there is another matter: it may, and its edge be accepted by nobody.
        Field::FreezeEdge => "Freeze edge accepted".to_owned(),
        Field::Violated => "Rules, for the present meeting".to_owned(),
        Field::Exception => "Exceptions".to_owned(),
        Field::Conflict(whose) => format!("Conflict with the present meeting, {}", role(whose)),
        Field::ConflictProposed(whose) => format!("Conflict with the proposal, {}", role(whose)),
        Field::Operator => "Decided in the owner’s place".to_owned(),
    }
}

/// Where a seat stands.
pub const fn seating(seating: Seating) -> &'static str {
    match seating {
        Seating::Tentative => "proposed, not final",
        Seating::Authoritative => "final",
    }
}

/// Whether the reader attends.
pub const fn attendance(attendance: Attendance) -> &'static str {
    match attendance {
        Attendance::WouldBeReleased => "still expected, with your release proposed",
        Attendance::Released => "released, no longer needed",
        Attendance::Cancellation => "cancelling the review is proposed",
    }
}

/// What a field holds, or that it holds nothing.
pub fn value(of: &Field, value: Option<&Value>, names: &Names<'_>) -> String {
    let Some(value) = value else {
        return match of {
            Field::Roster(_) | Field::Conflict(_) | Field::ConflictProposed(_) => "nobody",
            Field::Checkpoint(_) => "no ready time",
            Field::Violated => return violated(&[], names),
            Field::Exception | Field::Operator => "none",
            Field::FreezeEdge => "no",
            Field::Role | Field::Slot | Field::Standing => "none",
            Field::Attendance => "expected",
            Field::Duty => "nothing",
            Field::Window | Field::Cutover => "not set",
        }
        .to_owned();
    };
    match value {
        Value::Flag(true) => "yes".to_owned(),
        Value::Flag(false) => "no".to_owned(),
        Value::Interval(interval) => moment::interval(interval, names.zone),
        Value::Duty(duty) => format!("{} by {}", duty_action(duty.action), moment::instant(duty.by, names.zone)),
        Value::Marks(all) => violated(all, names),
        Value::Exceptions(all) => {
            let lines: Vec<String> = all.iter().map(|line| exception_line(line, names)).collect();
            // It stands after "now", or in a cell, like any other value.
            if lines.is_empty() { "none".to_owned() } else { uncapitalised(&lines.join(". ")) }
        }
        Value::Instant(at) => moment::instant(*at, names.zone),
        Value::Seating(word) => seating(*word).to_owned(),
        Value::Attendance(word) => attendance(*word).to_owned(),
        Value::Text(text) => match of {
            field if field.names_a_person() => match Person::parse(text) {
                Ok(person) => names.full(&person),
                Err(_) => one_line(text, 200),
            },
            // The operator's address and reason, as they were written.
            Field::Operator => one_line(text, LONGEST_ADDRESS + LONGEST_NOTE),
            _ => words(text),
        },
    }
}

/// What the reader must do.
pub const fn duty_action(action: DutyAction) -> &'static str {
    match action {
        DutyAction::Decide => "decide",
        DutyAction::Answer => "answer",
    }
}

/// One row of a delta in words: its head, was and now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChangeRow<'a> {
    /// What the row is about.
    pub about: About<'a>,
    /// The head of the row.
    pub what: String,
    /// What was so before.
    pub was: String,
    /// What is so now.
    pub now: String,
}

/// What a row is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum About<'a> {
    /// A member of the reader's view.
    Field(&'a Difference),
    /// Whether its reader sees the whole packet: every whole view has a freeze edge, and no other view has one.
    Sight {
        /// Whether the reader sees the whole packet from now on, or no more.
        gained: bool,
    },
}

/// The rows of a delta. A row whose two sides read the same is not a row. Who sees the whole packet for the first time, or
/// no longer, is told that once; what they are shown of it now was not nothing before, they were not told.
pub fn changes<'a>(all: &'a [Difference], names: &Names<'_>) -> Vec<ChangeRow<'a>> {
    let sight = all.iter().find_map(|change| match change {
        Difference { field: Field::FreezeEdge, was: None, now: Some(_), .. } => Some(true),
        Difference { field: Field::FreezeEdge, was: Some(_), now: None, .. } => Some(false),
        // A required role is never without anybody: who reads of one for the first time was not told before.
        Difference { field: Field::Roster(_), was: None, now: Some(_), .. } => Some(true),
        _ => None,
    });
    let mut sees_anew = sight == Some(true);
    let mut rows = Vec::new();
    for change in all {
        if sight == Some(false) && change.field == Field::FreezeEdge {
            rows.push(sees(false));
            continue;
        }
        // Once, before the first of what they are shown for the first time.
        if sees_anew && change.was.is_none() && of_the_whole(&change.field) {
            rows.push(sees(true));
            sees_anew = false;
        }
        let (what, was, mut now) = sides(change, names);
        // Who hears of exceptions no longer is not told that they have closed, nor that nobody decided.
        if matches!(change.field, Field::Exception | Field::Operator) && change.was.is_some() && change.now.is_none() {
            now = "told to you no more".to_owned();
        }
        // Whoever reported the conflict may have taken nothing back: the seat that they spoke of may be gone.
        if matches!(change.field, Field::Conflict(_) | Field::ConflictProposed(_))
            && change.was.is_some()
            && change.now.is_none()
        {
            now = "nobody, for the seat as it is now".to_owned();
        }
        let of_packet = of_the_whole(&change.field) || change.field == Field::Standing;
        let untold = sight == Some(true) && change.was.is_none() && of_packet;
        let was = if untold { "not told to you".to_owned() } else { was };
        rows.push(ChangeRow { about: About::Field(change), what, was, now });
    }
    rows.retain(|row| row.was != row.now);
    rows
}

/// Of a review that is cancelled everybody is released who was told of it, with a seat or without. So the review is what the
/// row is about.
pub fn say_cancelled(rows: &mut [ChangeRow<'_>]) {
    for row in rows {
        if let About::Field(Difference { field: Field::Attendance, was, now, .. }) = row.about
            && *now == Some(Value::Attendance(Attendance::Released))
            && *was != Some(Value::Attendance(Attendance::Cancellation))
        {
            (row.what, row.was, row.now) = (THE_REVIEW.to_owned(), PLANNED.to_owned(), CANCELLED.to_owned());
        }
    }
}

fn sees(gained: bool) -> ChangeRow<'static> {
    let (all, part) = ("all of it".to_owned(), "your own part, if you have one".to_owned());
    let (was, now) = if gained { (part, all) } else { (all, part) };
    ChangeRow { about: About::Sight { gained }, what: "What you are told of the review".to_owned(), was, now }
}

/// Whether only those who see the whole packet are told this field.
const fn of_the_whole(field: &Field) -> bool {
    match field {
        Field::Roster(_)
        | Field::Checkpoint(_)
        | Field::Window
        | Field::Cutover
        | Field::FreezeEdge
        | Field::Violated
        | Field::Exception
        | Field::Conflict(_)
        | Field::ConflictProposed(_)
        | Field::Operator => true,
        Field::Attendance | Field::Slot | Field::Role | Field::Standing | Field::Duty => false,
    }
}

fn sides(change: &Difference, names: &Names<'_>) -> (String, String, String) {
    let of = &change.field;
    // Of a cancellation that is proposed, or proposed no more, the review is what it is about: the owner may have no seat.
    let is_of_cancelling = [&change.was, &change.now].contains(&&Some(Value::Attendance(Attendance::Cancellation)));
    if *of == Field::Attendance && change.was != change.now && is_of_cancelling {
        let stands = |value: &Option<Value>| match value {
            Some(Value::Attendance(Attendance::Cancellation)) => "proposed for cancellation",
            Some(Value::Attendance(Attendance::Released)) => CANCELLED,
            _ => PLANNED,
        };
        return (THE_REVIEW.to_owned(), stands(&change.was).to_owned(), stands(&change.now).to_owned());
    }
    let side = |side: &Option<Value>, required: bool| match (change.required, side) {
        (Some(now), _) if now != required => "not required".to_owned(),
        (Some(_), None) => "required, without a ready time".to_owned(),
        _ => value(of, side.as_ref(), names),
    };
    (field(of), side(&change.was, false), side(&change.now, true))
}
