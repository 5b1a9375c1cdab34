//! iCalendar (RFC 5545, RFC 5546, RFC 7986, RFC 9073).
//!
//! Only the lines that say who is engaged from when to when are looked at; every other line is dropped before, so that
//! neither a comment nor a construct nobody asked for can reach anything behind. A value is read whole (`values`) or not
//! at all.

pub mod address;
pub mod caldav;
mod clock;
pub mod content;
pub mod events;
pub mod freebusy;
mod own_zones;
mod seen;
mod series;
mod unclear;
pub mod values;

use std::borrow::Cow;

use refresh_core::base::name::shorten;

use self::content::{CALENDAR, Component, ContentLine, Unpaired};
use super::input::Input;
use crate::reader::Node;

/// What RFC 9073 puts into an event or an answer: who takes part, where, with what. None of them engages anybody.
const DETAILS: [&str; 3] = ["PARTICIPANT", "VLOCATION", "VRESOURCE"];

/// The lines of a text that count, unfolded.
struct KeptLines(Vec<String>);

impl KeptLines {
    /// How many there are of a property.
    fn count(&self, property: &str) -> usize {
        self.0.iter().filter(|line| name(line) == property).count()
    }

    /// The values of a property, parameters left out.
    fn values<'k>(&'k self, property: &'k str) -> impl Iterator<Item = &'k str> {
        self.0.iter().filter(move |line| name(line) == property).map(|line| ContentLine::of(line).value)
    }

    /// The calendars of a text. A component that is not closed was cut off, and what was cut off may be busy time; so may
    /// what stands beside the calendars.
    fn calendars(&self, node: &Node<'_>) -> Option<Vec<Component<'_>>> {
        let calendars = |all: &[Component<'_>]| !all.is_empty() && all.iter().all(|one| one.kind == "VCALENDAR");
        match content::components(&self.0) {
            Ok(components) if calendars(&components) => Some(components),
            Ok(_) => node.wrong_as(CALENDAR, "something else"),
            Err(Unpaired { expected, found }) => node.wrong_as(expected, found),
        }
    }
}

/// The text of these bytes. A line of iCalendar may be folded inside of a character (RFC 5545, 3.1), which is one only once
/// the line is whole.
///
/// # Errors
///
/// Unfolded or not, the bytes are no UTF-8.
pub fn text_of(bytes: &[u8]) -> Result<Cow<'_, str>, std::str::Utf8Error> {
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return Ok(Cow::Borrowed(text)),
        Err(error) => error,
    };
    let mut whole: Vec<u8> = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_prefix(b" ").or_else(|| line.strip_prefix(b"\t")) {
            Some(rest) => {
                let end = whole.strip_suffix(b"\r\n").or_else(|| whole.strip_suffix(b"\n")).unwrap_or(&whole).len();
                whole.truncate(end);
                whole.extend(rest);
            }
            None => whole.extend(line),
        }
    }
    String::from_utf8(whole).map(Cow::Owned).map_err(|_| error)
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

/// Unfolds a text and keeps the lines of these properties.
fn kept(input: &Input<'_>, node: &Node<'_>, text: &str, properties: &[&str]) -> Option<KeptLines> {
    if text.trim().is_empty() || text.contains('\0') {
        return node.wrong_as("iCalendar text", "nothing of the kind");
    }
    let lines = read_or_marked(unfolded(text.trim_start_matches('\u{feff}')), properties);
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

/// The lines of these properties. In the place of a line that is no content line stands what it may have been.
fn read_or_marked(lines: Vec<String>, properties: &[&str]) -> Vec<String> {
    let mut before_is_read = false;
    let marked = lines.into_iter().filter_map(|line| {
        if line.trim().is_empty() {
            return None;
        }
        let is_read = properties.contains(&name(&line).as_str());
        if !is_read && !content::is_line(&line) {
            let mark = if before_is_read { content::REST_OF_READ } else { content::REST_OF_TEXT };
            return Some(mark.to_owned());
        }
        before_is_read = is_read;
        is_read.then_some(line)
    });
    marked.collect()
}

/// The name of a line, in upper case.
pub fn name(line: &str) -> String {
    line.split([':', ';']).next().unwrap_or_default().trim().to_ascii_uppercase()
}

/// The types that are a property's own beside those of times (RFC 5545, 3.8): to write one out is lawful.
fn own_types(property: &str) -> &'static [&'static str] {
    match property {
        "X-APPLE-TRAVEL-DURATION" | "X-CLIPSTART" | "X-CLIPEND" => &[],
        "METHOD" | "UID" | "STATUS" | "TRANSP" | "TZID" => &["TEXT"],
        name if name.starts_with("X-") => &["TEXT"],
        "ATTENDEE" | "ORGANIZER" => &["URI"],
        "SEQUENCE" => &["INTEGER"],
        "RRULE" => &["RECUR"],
        "TZOFFSETFROM" | "TZOFFSETTO" => &["UTC-OFFSET"],
        _ => &[],
    }
}

/// Only a property's own types are lawful here, and none is encoded. A line of another is refused, since dropping it would
/// make busy time free.
fn unlawful(line: &str) -> Option<&str> {
    let own = own_types(&name(line));
    let parameters = line.split_once(':').map_or(line, |(before, _)| before).split(';').skip(1);
    parameters.into_iter().find(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = value.trim_matches('"').to_ascii_uppercase();
        match name.trim().to_ascii_uppercase().as_str() {
            "VALUE" => {
                let of_times = matches!(value.as_str(), "PERIOD" | "DATE-TIME" | "DATE" | "CAL-ADDRESS" | "DURATION");
                !of_times && !own.contains(&value.as_str())
            }
            "ENCODING" | "CHARSET" => true,
            _ => false,
        }
    })
}
