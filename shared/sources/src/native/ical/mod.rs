//! iCalendar (RFC 5545, RFC 5546, RFC 7986).
//!
//! Only the lines that say who is engaged from when to when are handed to the calendar parser; every other line is
//! dropped before it, so that neither a comment nor a construct nobody asked for can reach anything behind.

mod caldav;
pub mod events;
pub mod freebusy;
mod series;

use calcard::{
    common::PartialDateTime,
    icalendar::{
        ICalendar, ICalendarComponent, ICalendarEntry, ICalendarParameterName, ICalendarParameterValue,
        ICalendarProperty, ICalendarValue,
    },
};
use refresh_core::{Instant, base::name::shorten};

use super::input::Input;
use crate::reader::Node;

/// The lines of a text that count, unfolded.
struct KeptLines(Vec<String>);

impl KeptLines {
    fn text(&self) -> String {
        self.0.iter().fold(String::new(), |text, line| text + line + "\r\n")
    }

    /// How many there are of a property.
    fn count(&self, property: &str) -> usize {
        self.0.iter().filter(|line| name(line) == property).count()
    }

    /// The values of a property, parameters left out.
    fn values<'k>(&'k self, property: &'k str) -> impl Iterator<Item = &'k str> {
        self.0.iter().filter(move |line| name(line) == property).map(|line| value(line))
    }
}

/// Whole content lines (RFC 5545, 3.1): a line that begins with white space goes on where the one before it ended.
pub fn unfolded(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// Unfolds a text and keeps the lines of these properties. A component that is not closed was cut off, and what was cut
/// off may be busy time.
fn kept(input: &Input<'_>, node: &Node<'_>, text: &str, properties: &[&str]) -> Option<KeptLines> {
    if text.trim().is_empty() || text.contains('\0') {
        return node.wrong_as("iCalendar text", "nothing of the kind");
    }
    let mut lines = unfolded(text);
    lines.retain(|line| properties.contains(&name(line).as_str()));
    let mut good = Some(());
    for line in &lines {
        if let Some(parameter) = unlawful(line) {
            let expected = "a value of the property's own type, not encoded";
            good = input.wrong(&format!("{} line", name(line)), expected, &shorten(parameter));
        }
    }
    good?;
    Some(KeptLines(lines))
}

fn closed(node: &Node<'_>, lines: &[String]) -> Option<()> {
    let mut open: Vec<String> = Vec::new();
    for line in lines {
        match name(line).as_str() {
            "BEGIN" => open.push(value(line).to_ascii_uppercase()),
            "END" if open.pop().as_deref() != Some(value(line).to_ascii_uppercase().as_str()) => {
                return node.wrong_as("an END for each BEGIN", format!("END:{} without one", shorten(value(line))));
            }
            _ => {}
        }
    }
    match open.last() {
        Some(component) => node.wrong_as("an END for each BEGIN", format!("a {} cut off", shorten(component))),
        None => Some(()),
    }
}

fn parsed(node: &Node<'_>, kept: &KeptLines) -> Option<ICalendar> {
    match ICalendar::parse(kept.text()) {
        Ok(calendar) => closed(node, &kept.0).map(|()| calendar),
        Err(_) => node.wrong_as("iCalendar text (BEGIN:VCALENDAR ... END:VCALENDAR)", "something else"),
    }
}

fn name(line: &str) -> String {
    line.split([':', ';']).next().unwrap_or_default().trim().to_ascii_uppercase()
}

/// Name and parameters, and the value: what stands behind the first colon outside of quotes.
fn halves(line: &str) -> (&str, &str) {
    let mut quoted = false;
    let colon = line.char_indices().find(|(_, next)| {
        quoted ^= *next == '"';
        *next == ':' && !quoted
    });
    colon.map_or((line, ""), |(at, _)| (&line[..at], line[at + 1..].trim()))
}

fn value(line: &str) -> &str {
    halves(line).1
}

/// The parser reads a value as the type and the encoding that the line declares; only the property's own are lawful
/// here, and a line of another is refused, since dropping it would make busy time free.
fn unlawful(line: &str) -> Option<&str> {
    let parameters = line.split_once(':').map_or(line, |(before, _)| before).split(';').skip(1);
    parameters.into_iter().find(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = value.trim_matches('"').to_ascii_uppercase();
        match name.trim().to_ascii_uppercase().as_str() {
            "VALUE" => !matches!(value.as_str(), "PERIOD" | "DATE-TIME" | "DATE" | "CAL-ADDRESS" | "DURATION"),
            "ENCODING" | "CHARSET" => true,
            _ => false,
        }
    })
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

fn parameter<'e>(entry: &'e ICalendarEntry, name: &ICalendarParameterName) -> Option<&'e str> {
    only(entry, name).and_then(ICalendarParameterValue::as_text)
}

/// A parameter that says one thing. One that is there twice may say two.
fn only<'e>(entry: &'e ICalendarEntry, name: &ICalendarParameterName) -> Option<&'e ICalendarParameterValue> {
    let mut all = entry.parameters(name);
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

/// The names under which somebody may be bound: the address as it stands, and the e-mail address that RFC 7986 lets an
/// address of another kind carry.
fn names_of(entry: &ICalendarEntry) -> Vec<&str> {
    let address = entry.calendar_address();
    let mail = parameter(entry, &ICalendarParameterName::Email);
    address.into_iter().chain(mail).collect()
}

fn first<'c>(component: &'c ICalendarComponent, property: &ICalendarProperty) -> Option<&'c ICalendarEntry> {
    component.property(property)
}
