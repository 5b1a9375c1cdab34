//! iCalendar `VFREEBUSY` answers: a reply, a publication, what CalDAV answers to a `free-busy-query` (`{"request":
//! {"person"}, "response": text}`, since the answer does not say whose time it is), and its schedule responses.
//!
//! The service merges what touches. A question is no answer, and an answer that reports a failure says nothing of
//! anybody's time.

use std::collections::BTreeSet;

use chrono::NaiveDateTime;
use refresh_core::{Instant, Interval, Person, base::name::shorten};

use super::{
    DETAILS,
    address::names_of,
    caldav,
    content::{Component, ContentLine, Mention, REST_OF_READ},
    kept,
    values::{self, PeriodEnd, TimeValue},
};
use crate::{
    native::{
        binding::{Poll, Says},
        input::Input,
        people::{self, PersonTime, TimeKind},
        unread::{self, Unread},
    },
    reader::Node,
};

/// The properties that are read.
pub const KEPT: [&str; 10] =
    ["BEGIN", "END", "METHOD", "DTSTAMP", "DTSTART", "DTEND", "FREEBUSY", "ATTENDEE", "ORGANIZER", "REQUEST-STATUS"];
/// What may stand in an answer: the answers themselves, and the rules of zones, which no time here is in.
const LAWFUL: [&str; 5] = ["VCALENDAR", "VFREEBUSY", "VTIMEZONE", "STANDARD", "DAYLIGHT"];
const MOST_ANSWERS: usize = 100;
/// Seconds of a period: a century, which is beyond every horizon.
const LONGEST: i64 = 100 * 366 * 24 * 60 * 60;

pub fn translate(input: &mut Input<'_>) -> Option<()> {
    let poll = input.binding(|binding| match &binding.says {
        Says::Calendar(poll) => Some(poll),
        _ => None,
    });
    let payload = input.payload;
    let mut answers = Answers::default();
    if payload.value().is_object() {
        let object = payload.object()?;
        let asked = object.must("request", |node| {
            let request = node.object()?;
            request.must("person", |node| node.text_owned())
        });
        let poll = poll?;
        let asked = asked?;
        object.must("response", |node| text(input, poll, node, node.text()?, Some(&asked), &mut answers))?;
    } else {
        let body = payload.text()?;
        match caldav::is_schedule_response(body) {
            true => {
                for answer in caldav::responses(&payload, body)? {
                    responded(input, poll?, &payload, &answer, &mut answers)?;
                }
            }
            false => text(input, poll?, &payload, body, None, &mut answers)?,
        }
    }
    answers.unread.tell(input);
    people::emit(input, poll?, TimeKind::Runs, answers.told, &answers.spoiled);
    Some(())
}

#[derive(Default)]
struct Answers {
    told: Vec<PersonTime>,
    spoiled: BTreeSet<Person>,
    unread: Unread,
}

/// One response of a schedule response: of a recipient who could not be asked there is no calendar at all.
fn responded(
    input: &mut Input<'_>,
    poll: &Poll,
    node: &Node<'_>,
    answer: &caldav::ScheduleResponse,
    answers: &mut Answers,
) -> Option<()> {
    match (&answer.data, is_success(&answer.status)) {
        (Some(data), true) => text(input, poll, node, data, Some(&answer.recipient), answers),
        _ => {
            answers.spoiled.extend(poll.people.person_of(&answer.recipient));
            input.skip("a recipient of a schedule response whose calendar did not answer");
            Some(())
        }
    }
}

/// One calendar text. `asked`: whose time was asked for, where the answer does not say.
fn text(
    input: &mut Input<'_>,
    poll: &Poll,
    node: &Node<'_>,
    text: &str,
    asked: Option<&str>,
    answers: &mut Answers,
) -> Option<()> {
    let kept = kept(input, node, text, &KEPT)?;
    let calendars = kept.calendars(node)?;
    let [calendar] = calendars.as_slice() else {
        return node.wrong_as("one VCALENDAR", calendars.len().to_string());
    };
    // Whatever is no publication and no reply is a question, or speaks of one.
    let mut methods = kept.values("METHOD");
    if methods.any(|method| !matches!(method.to_ascii_uppercase().as_str(), "PUBLISH" | "REPLY")) {
        input.skip("a VFREEBUSY that asks and does not answer");
        return Some(());
    }
    // An event or an availability beside the answer says more of somebody's time than the answer does.
    let other = |name: &&str| !LAWFUL.iter().chain(&DETAILS).any(|known| name.eq_ignore_ascii_case(known));
    if let Some(other) = kept.values("BEGIN").find(other) {
        return node.wrong_as("VFREEBUSY alone (a calendar of VEVENT is bound by ical.vevent)", shorten(other));
    }
    let components: Vec<&Component<'_>> = calendar.parts.iter().filter(|part| part.kind == "VFREEBUSY").collect();
    if components.is_empty() || components.len() > MOST_ANSWERS {
        return node.wrong_as(format!("1 to {MOST_ANSWERS} VFREEBUSY components"), components.len().to_string());
    }
    // What is broken off a line would be so too.
    if components.iter().any(|answer| answer.lacks(REST_OF_READ)) {
        return node.wrong_as("content lines (RFC 5545, 3.1) in each VFREEBUSY", "a line that is none");
    }
    // A line that stands elsewhere would be busy time taken for free.
    let (inside, lines) =
        (components.iter().flat_map(|answer| answer.lines("FREEBUSY")).count(), kept.count("FREEBUSY"));
    if inside != lines {
        return node.wrong_as(format!("{lines} FREEBUSY lines inside of VFREEBUSY"), inside.to_string());
    }
    let mut read = Some(());
    for (index, component) in components.into_iter().enumerate() {
        if answer_of(input, poll, component, &format!("VFREEBUSY[{index}]"), asked, answers, kept.count("METHOD"))
            .is_none()
        {
            read = None;
        }
    }
    read
}

fn answer_of(
    input: &mut Input<'_>,
    poll: &Poll,
    answer: &Component<'_>,
    path: &str,
    asked: Option<&str>,
    answers: &mut Answers,
    methods: usize,
) -> Option<()> {
    let attendee = answer.lines("ATTENDEE").next();
    let organizer = answer.lines("ORGANIZER").next();
    // Without a METHOD a question looks like the answer of somebody who is free all the time.
    let asks = methods == 0 && asked.is_none() && attendee.is_some() && organizer.is_some();
    if asks && answer.lines("FREEBUSY").next().is_none() {
        input.skip("a VFREEBUSY without METHOD and without FREEBUSY, to an attendee: a question");
        return Some(());
    }
    let stamp = instant(input, answer, "DTSTAMP", path);
    let start = instant(input, answer, "DTSTART", path);
    let end = instant(input, answer, "DTEND", path);
    let busy = busy_of(input, poll, answer, path);
    // Whose time it is: the attendee's who replies, the organizer's who publishes, else whom the question was about.
    let whose = if attendee.is_some() { "ATTENDEE" } else { "ORGANIZER" };
    if answer.lines(whose).count() > 1 {
        return input.wrong(&format!("{path}.{whose}"), "one attendee, whose time it is", "several");
    }
    let mut names = attendee.or(organizer).map(names_of).unwrap_or_default();
    if names.is_empty() {
        names.extend(asked.map(str::to_owned));
    }
    if names.is_empty() {
        return input.wrong(&format!("{path}.ATTENDEE"), "a calendar address", "nothing");
    }
    let (stamp, start, end) = (stamp?, start?, end?);
    let Some(horizon) = Interval::new(start, end) else {
        return input.wrong(&format!("{path}.DTEND"), "an instant after DTSTART", &end.to_string());
    };
    let busy = busy?;
    let Some((person, name)) = poll.people.who(&names) else {
        input.unbound(format!("{path}.ATTENDEE is bound to no person"));
        return Some(());
    };
    let failure = failure(answer);
    if let Some(status) = failure {
        let code = unread::code(status.split(';').next());
        let fault = format!(".REQUEST-STATUS: no success{code}: all time of the answer is unknown");
        answers.unread.note(|| path.to_owned(), &fault);
    }
    let unknown = if failure.is_some() { vec![horizon] } else { Vec::new() };
    let revision = u64::try_from(stamp.millis()).unwrap_or(0);
    answers.told.push(PersonTime { person, name: Some(name.to_owned()), revision, horizon, busy, unknown });
    Some(())
}

fn busy_of(input: &Input<'_>, poll: &Poll, answer: &Component<'_>, path: &str) -> Option<Vec<Interval>> {
    let mut busy = Some(Vec::new());
    for (index, line) in answer.lines("FREEBUSY").enumerate().filter(|(_, line)| is_busy(poll, line)) {
        let periods = values::items(line).map(|item| values::period(item).and_then(period));
        match periods.collect::<Option<Vec<_>>>().filter(|_| values::is_of_type(line, &["PERIOD"])) {
            Some(periods) => busy.iter_mut().for_each(|busy| busy.extend(periods.iter().flatten())),
            None => {
                let expected = "UTC periods like 20261103T150000Z/20261103T160000Z or 20261103T150000Z/PT1H, with `,` between them";
                busy = input.wrong(&format!("{path}.FREEBUSY[{index}]"), expected, &shorten(line.value));
            }
        }
    }
    busy
}

/// What the answer reports beside success.
fn failure<'a>(answer: &Component<'a>) -> Option<&'a str> {
    answer.lines("REQUEST-STATUS").map(|line| line.value).find(|status| !is_success(status))
}

/// RFC 5546 3.6: class 2 is success. Class 1 is no end yet; from 2.6 on a success says that something was left out
/// (a component, what repeats, a time) or sent on, but for tasks that repeat (2.10).
fn is_success(status: &str) -> bool {
    let code = status.trim().split(';').next().unwrap_or_default();
    let mut numbers = code.trim().split('.');
    let (class, kind) = (numbers.next(), numbers.next().unwrap_or("0"));
    class == Some("2") && matches!(kind, "0" | "1" | "2" | "3" | "4" | "5" | "10")
}

/// `BUSY` is the default, and the meaning of every word that is not known.
fn is_busy(poll: &Poll, line: &ContentLine<'_>) -> bool {
    match line.said("FBTYPE") {
        Mention::Once(word) if word.eq_ignore_ascii_case("FREE") => false,
        Mention::Once(word) if word.eq_ignore_ascii_case("BUSY-TENTATIVE") => poll.tentative_is_busy,
        _ => true,
    }
}

/// `Some(None)`: a period that lasts no time. Local times have no meaning here without their zone's rules, and RFC 5545
/// asks for UTC.
fn period(period: values::PeriodValue) -> Option<Option<Interval>> {
    let start = utc(period.start)?;
    let end = match period.end {
        PeriodEnd::At(end) => utc(end)?,
        PeriodEnd::After(duration) => start.plus_seconds(duration.as_seconds().filter(|long| *long < LONGEST)?),
    };
    if end < start { None } else { Some(Interval::new(start, end)) }
}

fn utc(value: TimeValue) -> Option<Instant> {
    let instant = |utc: NaiveDateTime| Instant::from_millis(utc.and_utc().timestamp_millis());
    match value {
        TimeValue::Utc(utc) => Some(instant(utc)),
        TimeValue::Local(_) | TimeValue::Date(_) => None,
    }
}

fn instant(input: &Input<'_>, answer: &Component<'_>, name: &str, path: &str) -> Option<Instant> {
    let path = format!("{path}.{name}");
    let expected = "a UTC date-time like 20261103T150000Z";
    match answer.said(name) {
        Mention::Nothing => input.wrong(&path, expected, "nothing"),
        Mention::Twice => input.wrong(&path, expected, "two that differ"),
        Mention::Once(line) => {
            let value = values::time_of(line, line.value).and_then(utc);
            value.or_else(|| input.wrong(&path, expected, &shorten(line.value)))
        }
    }
}
