//! Facts and rules as causes: why something changed, and why a start was not chosen.

use refresh_core::{
    facts::subject::{Diary, Subject},
    record::{
        packet::Standpoint,
        report::{Against, Because},
        review::PlaceElsewhere,
    },
};

use super::{Names, role};
use crate::{moment, text::one_line};

/// The causes of a change, each told once. Two calendars of one person read the same, and so do those of two people whom the
/// reader's view does not hold.
pub fn causes<'a>(standpoints: impl IntoIterator<Item = &'a Standpoint>, names: &Names<'_>) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for cause in standpoints.into_iter().map(|standpoint| why(standpoint, names)) {
        if !told.contains(&cause) {
            told.push(cause);
        }
    }
    told
}

/// A fact as the cause of a change: what, from where, which revision. Of people the reader's view does not hold, only
/// that somebody's fact changed, and of its source only the host: a source's path may carry a person's name.
fn why(standpoint: &Standpoint, names: &Names<'_>) -> String {
    let hidden = |text: &str| (text.to_owned(), false);
    let (what, open) = match &standpoint.subject {
        Subject::Review(_) => ("the review’s own terms".to_owned(), true),
        Subject::Closure(_) => ("the closing of the review".to_owned(), true),
        Subject::Decision(_) => ("an operator’s decision".to_owned(), true),
        Subject::Change(id) => (format!("change record {}", one_line(id.as_str(), 80)), true),
        Subject::Evidence(_, key) => (format!("evidence {}", one_line(key.as_str(), 80)), true),
        Subject::Freeze(calendar) => (format!("freeze calendar {}", one_line(calendar.as_str(), 80)), true),
        Subject::Delegation(_, whose) if names.holds_others() => {
            (format!("delegate mapping of the {}", role(whose)), true)
        }
        Subject::Delegation(..) => hidden("a delegate mapping"),
        Subject::Availability(person, diary, _) if names.may_name(person) => {
            let diary = if *diary == Diary::Oncall { "on-call duty" } else { "calendar" };
            (names.whose(diary, person), true)
        }
        Subject::Availability(..) => hidden("a participant’s availability"),
        Subject::Calendars(_) => hidden("a participant’s availability"),
        Subject::Person(person) if names.may_name(person) => (names.whose("record", person), true),
        Subject::Person(_) => hidden("a participant’s own record"),
        // Seats are no facts: no version stands on them.
        Subject::Seat(_) => hidden("a seat in another review"),
        // Nor are replies and mails that are asked for.
        Subject::Reply(_) => hidden("a reply by mail"),
        Subject::Resend(..) => hidden("a mail that was asked for once more"),
    };
    let source = standpoint.source.as_str();
    // The two slashes of a reference without a scheme tell a reader nothing.
    let source = if open { source.trim_start_matches("//") } else { host(source) };
    format!("{what} ({}, revision {})", one_line(source, 120), standpoint.revision)
}

/// A place in another review as the cause: `Sec A sits in review RR-2 then (Tue ...)`.
pub fn elsewhere(place: &PlaceElsewhere, names: &Names<'_>) -> String {
    let you = place.person == *names.reader;
    let who = if you { "you".to_owned() } else { names.short(&place.person) };
    let sits = match (you, place.proposed) {
        (true, false) => "sit in",
        (false, false) => "sits in",
        (true, true) => "are proposed for",
        (false, true) => "is proposed for",
    };
    let review = one_line(place.review.as_str(), 80);
    format!("{who} {sits} review {review} then ({})", moment::interval(&place.slot, names.zone))
}

/// The authority of a URI reference: of `//calendar.example.com/people/ada`, `calendar.example.com`.
fn host(source: &str) -> &str {
    match source.split_once("//") {
        Some((_, rest)) => {
            let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
            authority.rsplit('@').next().unwrap_or_default()
        }
        None => "its registered source",
    }
}

/// A fact's subject for those who see everything: the workspace.
pub fn subject(subject: &Subject, names: &Names<'_>) -> String {
    match subject {
        Subject::Review(_) => "terms of the review".to_owned(),
        Subject::Closure(_) => "closing of the review".to_owned(),
        Subject::Decision(_) => "operator’s decision".to_owned(),
        Subject::Change(id) => format!("change record {}", one_line(id.as_str(), 80)),
        Subject::Delegation(_, whose) => format!("delegate mapping of the {}", role(whose)),
        Subject::Availability(person, diary, name) => {
            let sort = if *diary == Diary::Oncall { "on-call duty" } else { "calendar" };
            let of_several = name.as_ref().map(|name| format!(" {}", one_line(name.as_str(), 80))).unwrap_or_default();
            format!("{sort}{of_several} of {}", names.full(person))
        }
        Subject::Calendars(person) => format!("list of calendars of {}", names.full(person)),
        Subject::Evidence(_, key) => format!("evidence {}", one_line(key.as_str(), 80)),
        Subject::Freeze(calendar) => format!("freeze calendar {}", one_line(calendar.as_str(), 80)),
        Subject::Person(person) => format!("record of {}", names.full(person)),
        Subject::Seat(person) => format!("seats of {}", names.full(person)),
        Subject::Reply(person) => format!("reply by mail of {}", names.full(person)),
        Subject::Resend(_, person) => format!("one more mail to {}", names.full(person)),
    }
}

/// Why a start was not chosen.
pub fn against(against: &Against, names: &Names<'_>) -> String {
    match against {
        Against::Evidence => "evidence not ready yet".to_owned(),
        Against::Unready => "evidence has no ready time".to_owned(),
        Against::Window => "outside the review window".to_owned(),
        Against::Cutover => "too close to the cutover".to_owned(),
        Against::Notice => "too short notice".to_owned(),
        Against::Freeze => "overlaps a protected freeze".to_owned(),
        Against::Declined => "declined before".to_owned(),
        Against::Shared => "one person would have to fill two roles".to_owned(),
        Against::Role { role: whose, people } => {
            let people: Vec<String> = people
                .iter()
                .map(|candidate| format!("{} {}", names.short(&candidate.person), because(candidate.because)))
                .collect();
            let nobody = format!("nobody free as {}", role(whose));
            if people.is_empty() { nobody } else { format!("{nobody} ({})", people.join(", ")) }
        }
    }
}

const fn because(because: Because) -> &'static str {
    match because {
        Because::Busy => "busy",
        Because::Unknown => "not known to be free",
        Because::Hours => "outside working hours",
        Because::NotValid => "not approved then",
    }
}
