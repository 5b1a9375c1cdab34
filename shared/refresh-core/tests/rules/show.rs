//! How the tables write what was found: the words that outcomes are compared in.

use refresh_core::{
    Person,
    facts::subject::Subject,
    record::{
        booking::CalendarObject,
        delta::{Difference, DutyAction, DutyLine, Value},
        exception::{Exception, Reason},
        mark::{Mark, Violation},
        notice::CalendarPart,
        packet::Standpoint,
    },
};
use serde_json::json;

use crate::{
    clock::Day,
    fixture::{short, short_role},
};

/// The contract's own word of a plain enum.
pub fn word<T: serde::Serialize>(value: &T) -> String {
    json!(value).as_str().unwrap_or_default().to_owned()
}

pub fn mark(mark: &Mark) -> String {
    match mark {
        Mark::Violation(Violation::Uncovered(role)) => format!("uncovered:{}", short_role(role)),
        other => other.to_string().replace("@example.com", ""),
    }
}

pub fn marks(marks: &[Mark]) -> String {
    if marks.is_empty() { "nothing".to_owned() } else { marks.iter().map(mark).collect::<Vec<_>>().join(", ") }
}

/// `freeze_crossing 19:30-20:30 missed 30`
pub fn reason(day: Day, reason: &Reason) -> String {
    let mut said = vec![reason.word().word()];
    said.extend(reason.role().map(|role| short_role(role).to_owned()));
    said.extend(reason.person().map(|person| short(person).to_owned()));
    said.extend(reason.slot().map(|slot| day.show_interval(&slot)));
    said.extend(reason.missed_by_minutes().map(|minutes| format!("missed {minutes}")));
    if let Some((gap, last)) = reason.gap() {
        said.push(format!("gap {}", day.show_interval(&gap)));
        said.push(format!("last {}", short(last)));
    }
    said.extend(reason.source().map(ToString::to_string));
    said.extend(reason.subject().map(str::to_owned));
    said.join(" ")
}

pub fn reasons(day: Day, exception: &Exception) -> Vec<String> {
    exception.reasons.iter().map(|found| reason(day, found)).collect()
}

pub fn duty(day: Day, duty: &DutyLine) -> String {
    let action = match duty.action {
        DutyAction::Decide => "decide",
        DutyAction::Answer => "answer",
    };
    format!("{action} by {}", day.show(duty.by))
}

pub fn value(day: Day, found: Option<&Value>) -> String {
    match found {
        None => "nothing".to_owned(),
        Some(Value::Flag(flag)) => flag.to_string(),
        Some(Value::Interval(interval)) => day.show_interval(interval),
        Some(Value::Duty(line)) => duty(day, line),
        Some(Value::Marks(found)) => {
            if found.is_empty() {
                "none".to_owned()
            } else {
                marks(found).replace(", ", "+")
            }
        }
        Some(Value::Exceptions(lines)) if lines.is_empty() => "none".to_owned(),
        Some(Value::Exceptions(lines)) => lines.iter().map(|line| line.kind.word()).collect::<Vec<_>>().join("+"),
        Some(Value::Instant(instant)) => day.show(*instant),
        Some(Value::Seating(seating)) => word(seating),
        Some(Value::Attendance(attendance)) => word(attendance),
        Some(Value::Text(text)) => text.replace("@example.com", ""),
    }
}

pub fn change(day: Day, change: &Difference) -> String {
    let (was, now) = (value(day, change.was.as_ref()), value(day, change.now.as_ref()));
    match change.required {
        None => format!("{} {was} > {now}", field(change)),
        Some(true) => format!("{} not required > {now}", field(change)),
        Some(false) => format!("{} {was} > not required", field(change)),
    }
}

/// `roster.sec`, `slot`
pub fn field(change: &Difference) -> String {
    let name = change.field.to_string();
    match name.split_once('.') {
        Some((head, role)) if head != "checkpoint" => match refresh_core::Role::parse(role) {
            Ok(role) => format!("{head}.{}", short_role(&role)),
            Err(_) => name,
        },
        _ => name,
    }
}

/// `hold REQUEST 0 TENTATIVE 15:30-16:30`; `optional` after it for an optional attendee.
pub fn part(day: Day, part: &CalendarPart) -> String {
    let object = match part.object {
        CalendarObject::Meeting => "meeting",
        CalendarObject::Hold => "hold",
    };
    let status = part.status.as_ref().map_or_else(|| "-".to_owned(), word);
    let guest = if part.participation.is_required() { "" } else { " optional" };
    format!("{object} {} {} {status} {}{guest}", word(&part.method), part.sequence, day.show_interval(&part.slot))
}

/// `evidence:2`, `availability:sec-a:2`: whose fact, and its revision.
pub fn standpoint(found: &Standpoint) -> String {
    let about = match &found.subject {
        Subject::Availability(person, ..) | Subject::Calendars(person) | Subject::Person(person) => {
            format!(":{}", short(person))
        }
        Subject::Delegation(_, role) => format!(":{}", short_role(role)),
        _ => String::new(),
    };
    format!("{}{about}:{}", found.subject.word(), found.revision)
}

pub fn people<'a>(people: impl IntoIterator<Item = &'a Person>) -> String {
    let names: Vec<&str> = people.into_iter().map(short).collect();
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}
