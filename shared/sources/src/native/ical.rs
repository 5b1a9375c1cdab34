//! iCalendar `VFREEBUSY` answers (RFC 5545, RFC 5546).
//!
//! Only the lines that say who is engaged from when to when are handed to the calendar parser; every other line is
//! dropped before it, so that neither a comment nor a construct nobody asked for can reach anything behind.

use calcard::{
    common::PartialDateTime,
    icalendar::{
        ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarEntry, ICalendarFreeBusyType, ICalendarMethod,
        ICalendarParameterName, ICalendarParameterValue, ICalendarPeriod, ICalendarProperty, ICalendarValue,
    },
};
use refresh_core::{Instant, Interval, base::name::shorten};

use super::{
    binding::{Binding, Poll},
    input::{Input, Snapshot},
};

const KEPT: [&str; 9] = ["BEGIN", "END", "METHOD", "DTSTAMP", "DTSTART", "DTEND", "FREEBUSY", "ATTENDEE", "ORGANIZER"];
const MOST_ANSWERS: usize = 100;

pub fn translate(input: &mut Input<'_>) -> Option<()> {
    let poll = input.binding(|binding| match binding {
        Binding::Calendar(_, poll) => Some(poll),
        _ => None,
    });
    let payload = input.payload;
    let text = payload.text()?;
    if text.trim().is_empty() || text.contains('\0') {
        return payload.wrong_as("iCalendar text", "nothing of the kind");
    }
    let kept = kept(input, text)?;
    let Ok(calendar) = ICalendar::parse(kept.text()) else {
        return payload.wrong_as("iCalendar text (BEGIN:VCALENDAR ... END:VCALENDAR)", "something else");
    };
    let method = calendar.components.iter().find_map(|part| part.property(&ICalendarProperty::Method));
    if method.is_some_and(|method| method.values == [ICalendarValue::Method(ICalendarMethod::Request)]) {
        input.skip("a VFREEBUSY that asks and does not answer");
        return Some(());
    }
    let answers: Vec<&ICalendarComponent> =
        calendar.components.iter().filter(|part| part.component_type == ICalendarComponentType::VFreebusy).collect();
    if answers.is_empty() || answers.len() > MOST_ANSWERS {
        return payload.wrong_as(format!("1 to {MOST_ANSWERS} VFREEBUSY components"), answers.len().to_string());
    }
    // A line that the parser passed over would be busy time taken for free.
    let understood = answers.iter().flat_map(|answer| busy_entries(answer)).count();
    if understood != kept.busy_lines {
        let found = format!("{understood} that can be read");
        return payload.wrong_as(format!("{} FREEBUSY lines inside of VFREEBUSY", kept.busy_lines), found);
    }
    let mut read = Some(());
    for (index, answer) in answers.into_iter().enumerate() {
        let path = format!("VFREEBUSY[{index}]");
        if answer_of(input, poll?, answer, &path).is_none() {
            read = None;
        }
    }
    read
}

/// The lines that count, unfolded.
struct KeptLine {
    lines: Vec<String>,
    busy_lines: usize,
}

impl KeptLine {
    fn text(&self) -> String {
        self.lines.iter().fold(String::new(), |text, line| text + line + "\r\n")
    }
}

fn kept(input: &Input<'_>, text: &str) -> Option<KeptLine> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            _ => lines.push(line.to_owned()),
        }
    }
    lines.retain(|line| KEPT.contains(&name(line).as_str()));
    let mut good = Some(());
    for line in &lines {
        if let Some(parameter) = unlawful(line) {
            let expected = "a value of the property's own type, not encoded";
            good = input.wrong(&format!("{} line", name(line)), expected, &shorten(parameter));
        }
    }
    good?;
    let busy_lines = lines.iter().filter(|line| name(line) == "FREEBUSY").count();
    Some(KeptLine { lines, busy_lines })
}

fn name(line: &str) -> String {
    line.split([':', ';']).next().unwrap_or_default().trim().to_ascii_uppercase()
}

/// The parser reads a value as the type and the encoding that the line declares; only the property's own are lawful
/// here, and a line of another is refused, since dropping it would make busy time free.
fn unlawful(line: &str) -> Option<&str> {
    let parameters = line.split_once(':').map_or(line, |(before, _)| before).split(';').skip(1);
    parameters.into_iter().find(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = value.trim_matches('"').to_ascii_uppercase();
        match name.trim().to_ascii_uppercase().as_str() {
            "VALUE" => !matches!(value.as_str(), "PERIOD" | "DATE-TIME" | "CAL-ADDRESS"),
            "ENCODING" | "CHARSET" => true,
            _ => false,
        }
    })
}

fn busy_entries(answer: &ICalendarComponent) -> impl Iterator<Item = &ICalendarEntry> {
    answer.entries.iter().filter(|entry| entry.name == ICalendarProperty::Freebusy && !entry.values.is_empty())
}

fn answer_of(input: &mut Input<'_>, poll: &Poll, answer: &ICalendarComponent, path: &str) -> Option<()> {
    let stamp = instant(input, answer, &ICalendarProperty::Dtstamp, path);
    let start = instant(input, answer, &ICalendarProperty::Dtstart, path);
    let end = instant(input, answer, &ICalendarProperty::Dtend, path);
    let mut busy = Some(Vec::new());
    for (index, entry) in busy_entries(answer).enumerate() {
        if !is_busy(poll, entry) {
            continue;
        }
        for value in &entry.values {
            match (period(value), &mut busy) {
                (Some(Some(interval)), Some(list)) => list.push(interval),
                (Some(_), _) => {}
                (None, _) => {
                    let expected = "UTC periods like 20261103T150000Z/20261103T160000Z or 20261103T150000Z/PT1H";
                    input.wrong::<()>(&format!("{path}.FREEBUSY[{index}]"), expected, &shown(value));
                    busy = None;
                }
            }
        }
    }
    let who = who(input, answer, path);
    let (stamp, start, end) = (stamp?, start?, end?);
    let Some(horizon) = Interval::new(start, end) else {
        return input.wrong(&format!("{path}.DTEND"), "an instant after DTSTART", &end.to_string());
    };
    let (busy, who) = (busy?, who?);
    let Some(person) = input.person(poll, &who, &format!("{path}.ATTENDEE")) else { return Some(()) };
    let revision = u64::try_from(stamp.millis()).unwrap_or(0);
    let snapshot = Snapshot { person: &person, kind: "calendar", revision, horizon, busy, unknown: Vec::new() };
    input.emit_availability(&poll.source, &snapshot);
    Some(())
}

/// Whose time it is: the attendee's who replies, the organizer's who publishes.
fn who(input: &Input<'_>, answer: &ICalendarComponent, path: &str) -> Option<String> {
    let entry =
        answer.property(&ICalendarProperty::Attendee).or_else(|| answer.property(&ICalendarProperty::Organizer));
    match entry.and_then(ICalendarEntry::calendar_address) {
        Some(address) => Some(address.to_owned()),
        None => input.wrong(&format!("{path}.ATTENDEE"), "a calendar address", "nothing"),
    }
}

/// `BUSY` is the default, and the meaning of every word that is not known.
fn is_busy(poll: &Poll, entry: &ICalendarEntry) -> bool {
    match entry.parameter(&ICalendarParameterName::Fbtype) {
        Some(ICalendarParameterValue::Fbtype(ICalendarFreeBusyType::Free)) => false,
        Some(ICalendarParameterValue::Fbtype(ICalendarFreeBusyType::BusyTentative)) => poll.tentative_is_busy,
        _ => true,
    }
}

/// `Some(None)`: a period that lasts no time.
fn period(value: &ICalendarValue) -> Option<Option<Interval>> {
    let ICalendarValue::Period(period) = value else { return None };
    let (start, end) = match period {
        ICalendarPeriod::Range { start, end } => (utc(start)?, utc(end)?),
        ICalendarPeriod::Duration { start, duration } => {
            let start = utc(start)?;
            (start, start.plus_seconds(duration.as_seconds()))
        }
    };
    if end < start { None } else { Some(Interval::new(start, end)) }
}

fn instant(input: &Input<'_>, answer: &ICalendarComponent, name: &ICalendarProperty, path: &str) -> Option<Instant> {
    let path = format!("{path}.{}", name.as_str());
    let expected = "a UTC date-time like 20261103T150000Z";
    let Some(value) = answer.property(name).and_then(|entry| entry.values.first()) else {
        return input.wrong(&path, expected, "nothing");
    };
    value.as_partial_date_time().and_then(utc).or_else(|| input.wrong(&path, expected, &shown(value)))
}

/// Local times have no meaning here without their zone's rules, and RFC 5545 asks for UTC.
fn utc(date_time: &PartialDateTime) -> Option<Instant> {
    let zero = date_time.tz_hour == Some(0) && date_time.tz_minute.unwrap_or(0) == 0;
    if !zero || date_time.hour.is_none() {
        return None;
    }
    Some(Instant::from_millis(date_time.to_date_time()?.date_time.and_utc().timestamp_millis()))
}

fn shown(value: &ICalendarValue) -> String {
    value.as_text().map_or_else(|| "a value of another type, or in local time".to_owned(), shorten)
}
