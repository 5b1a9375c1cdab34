//! What a calendar program answers: `REPLY` and `COUNTER` of RFC 5546, as Outlook, Google, Apple and Thunderbird send
//! them. Of a calendar only the lines are read that say who answers what to which object.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Datelike;
use refresh_core::{
    Instant, Interval, Person, Uid, Zone,
    base::instant::{HOUR, Slot},
    facts::{fact::LONGEST_SLOT_HOURS, reply::ReplyWord},
};

use super::{letter::CalendarText, words};
use crate::native::{
    ical::{
        address::person,
        content::ContentLine,
        unfolded,
        values::{self, TimeValue},
    },
    zone,
};

/// Objects that one mail answers. Ours are never in one mail.
const MOST_OBJECTS: usize = 10;
/// Characters of one calendar part that are read.
const LONGEST_CALENDAR: usize = 200_000;

/// What a calendar program says of one object.
#[derive(Clone, PartialEq, Debug)]
pub struct CalendarReply {
    pub uid: Uid,
    pub sequence: u32,
    pub word: ReplyWord,
    pub attendee: Option<Person>,
    pub sent_by: Option<Person>,
    pub stamped_at: Option<Instant>,
    pub proposed: Option<Slot>,
    pub text: Option<String>,
}

/// The replies of all calendar parts, one an object. Two parts that say the same are one (a program sends the same as a
/// file beside); two that say different things of one object answer nothing.
pub fn read(calendars: &[CalendarText], sender: &Person) -> Vec<CalendarReply> {
    let mut replies: BTreeMap<Uid, CalendarReply> = BTreeMap::new();
    for calendar in calendars {
        for reply in of_calendar(calendar, sender) {
            if replies.len() >= MOST_OBJECTS && !replies.contains_key(&reply.uid) {
                continue;
            }
            match replies.get_mut(&reply.uid) {
                None => drop(replies.insert(reply.uid.clone(), reply)),
                Some(known) if *known == reply => {}
                Some(known) => known.word = ReplyWord::Unanswered,
            }
        }
    }
    replies.into_values().collect()
}

fn of_calendar(calendar: &CalendarText, sender: &Person) -> Vec<CalendarReply> {
    let text: String = calendar.text.chars().take(LONGEST_CALENDAR).collect();
    let lines = lines(text.trim_start_matches('\u{feff}'));
    let mut open: Vec<String> = Vec::new();
    let (mut method, mut contradicts) = (None::<String>, false);
    let mut closed = true;
    let mut events: Vec<Vec<ContentLine<'_>>> = Vec::new();
    for line in lines.iter().map(|line| ContentLine::of(line)) {
        let value = line.value.to_ascii_uppercase();
        match line.name.as_str() {
            "BEGIN" => {
                if value == "VEVENT" {
                    events.push(Vec::new());
                }
                open.push(value);
            }
            "END" => closed &= open.pop() == Some(value),
            "METHOD" if open == ["VCALENDAR"] => {
                contradicts |= method.as_ref().is_some_and(|known| *known != value);
                method = method.or(Some(value));
            }
            // An alarm inside an event has lines of the same names.
            _ if open == ["VCALENDAR", "VEVENT"] => {
                events.last_mut().into_iter().for_each(|event| event.push(line.clone()))
            }
            _ => {}
        }
    }
    // A calendar that is cut off may lack the line that says otherwise.
    let whole = closed && open.is_empty();
    // The calendar's own word counts; where a gateway took it out, the content type says the method.
    let contradicts = contradicts || matches!((&method, &calendar.method), (Some(own), Some(outer)) if own != outer);
    let method = method.or_else(|| calendar.method.clone()).filter(|_| whole && !contradicts);
    events.iter().filter_map(|event| reply(method.as_deref(), event, sender)).collect()
}

/// `None`: the event has no UID that could be one of ours.
fn reply(method: Option<&str>, event: &[ContentLine<'_>], sender: &Person) -> Option<CalendarReply> {
    let all = |name: &'static str| event.iter().filter(move |line| line.name == name);
    let one = |name: &'static str| {
        let mut lines = all(name);
        lines.next().filter(|_| lines.next().is_none())
    };
    let uid = Uid::parse(unescaped(one("UID")?.value).trim()).ok()?;
    let attendees: Vec<&ContentLine<'_>> = all("ATTENDEE").collect();
    // RFC 5546 asks for the one who answers alone. Some programs list everybody; only the sender's own line is theirs.
    let own = attendees.iter().find(|line| address(line).as_ref() == Some(sender));
    let line = own.or_else(|| attendees.first().filter(|_| attendees.len() == 1)).copied();
    let sequence = match all("SEQUENCE").count() {
        // RFC 5546: a request without a number has number 0, and so has its reply.
        0 => Some(0),
        _ => one("SEQUENCE").and_then(|line| line.value.trim().parse::<u32>().ok()),
    };
    let failed = all("REQUEST-STATUS").any(|line| !line.value.trim_start().starts_with(['1', '2']));
    let several = all("ATTENDEE").filter(|line| address(line).as_ref() == Some(sender)).count() > 1;
    // One occurrence of a series: nothing of ours recurs.
    let odd = all("RECURRENCE-ID").next().is_some() || failed || several || sequence.is_none();
    let start = one("DTSTART").and_then(instant);
    let end = one("DTEND").and_then(instant);
    let counter = method == Some("COUNTER");
    let word = match (method, line) {
        (Some("COUNTER"), _) if !odd => ReplyWord::Countered,
        (Some("REPLY"), Some(line)) if !odd => participation(line),
        _ => ReplyWord::Unanswered,
    };
    let note = all("COMMENT").next().map(|line| unescaped(line.value));
    let note = note.or_else(|| line.and_then(|line| line.parameter("X-RESPONSE-COMMENT")).map(str::to_owned));
    let sent_by: Vec<Option<Person>> =
        line.map(|line| line.parameters("SENT-BY").map(person).collect()).unwrap_or_default();
    // Somebody answers in the attendee's place, and it is not known who: then it is not known that the attendee does.
    let attendee = line.filter(|_| sent_by.iter().all(Option::is_some)).and_then(address);
    let another = sent_by.iter().flatten().find(|by| *by != sender);
    Some(CalendarReply {
        uid,
        sequence: sequence.unwrap_or(0).min(i32::MAX as u32),
        word,
        attendee,
        sent_by: another.or_else(|| sent_by.iter().flatten().next()).cloned(),
        stamped_at: one("DTSTAMP").and_then(instant),
        proposed: start.zip(end).filter(|_| counter).and_then(slot),
        text: note.as_deref().and_then(words::bounded),
    })
}

/// An unknown or missing `PARTSTAT` is no answer, and neither are two that differ.
fn participation(line: &ContentLine<'_>) -> ReplyWord {
    if line.parameter("DELEGATED-TO").is_some() {
        return ReplyWord::Delegated;
    }
    let said: BTreeSet<String> = line.parameters("PARTSTAT").map(str::to_ascii_uppercase).collect();
    match said.first().filter(|_| said.len() == 1).map(String::as_str).unwrap_or_default() {
        "ACCEPTED" => ReplyWord::Accepted,
        "DECLINED" => ReplyWord::Declined,
        "TENTATIVE" => ReplyWord::Tentative,
        "DELEGATED" => ReplyWord::Delegated,
        _ => ReplyWord::Unanswered,
    }
}

fn slot((start, end): (Instant, Instant)) -> Option<Slot> {
    Interval::new(start, end).filter(|slot| slot.length() <= LONGEST_SLOT_HOURS * HOUR)
}

/// UTC, or a local time in a zone that is known by an IANA or a Windows name. Without one nobody knows the instant.
fn instant(line: &ContentLine<'_>) -> Option<Instant> {
    let (local, zone) = match values::time_of(line, line.value)? {
        TimeValue::Utc(utc) => (utc, Zone::UTC),
        TimeValue::Local(local) => (local, zone::named(line.said("TZID").once()?.trim_start_matches('/'))?),
        TimeValue::Date(_) => return None,
    };
    if !(1970..=9998).contains(&local.year()) {
        return None;
    }
    let instant = zone.meaning(local).first();
    (instant.millis() >= 0).then_some(instant)
}

/// The address as it stands, or the one that RFC 7986 lets an address of another kind carry.
fn address(line: &ContentLine<'_>) -> Option<Person> {
    person(line.value).or_else(|| line.parameter("EMAIL").and_then(person))
}

fn lines(text: &str) -> Vec<String> {
    let mut lines = unfolded(text);
    lines.retain(|line| !line.trim().is_empty());
    lines
}

/// The text type of RFC 5545.
fn unescaped(value: &str) -> String {
    let (mut text, mut chars) = (String::new(), value.chars());
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => text.push('\n'),
                Some(other) => text.push(other),
                None => {}
            },
            c => text.push(c),
        }
    }
    text
}
