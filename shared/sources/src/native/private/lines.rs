//! iCalendar text without what is private in it: lines that no translator reads, and the names of whoever takes part.

use refresh_core::Person;

use super::known::WITHHELD;
use crate::native::ical::{
    address::names_of,
    caldav,
    content::{ContentLine, is_line},
    events, freebusy, name, unfolded,
};

/// Properties of RFC 5545, RFC 7986 and RFC 9073 that hold somebody's words. They keep their name, and no other line does:
/// of a broken text the words themselves may stand where the name should.
const PRIVATE: [&str; 13] = [
    "SUMMARY",
    "DESCRIPTION",
    "STYLED-DESCRIPTION",
    "LOCATION",
    "COMMENT",
    "CONTACT",
    "CATEGORIES",
    "RESOURCES",
    "ATTACH",
    "URL",
    "CONFERENCE",
    "IMAGE",
    "NAME",
];

/// Parameters that say how a value is read, and what somebody answered. A `CN` is none of them.
const PARAMETERS: [&str; 7] = ["TZID", "VALUE", "PARTSTAT", "RANGE", "FBTYPE", "ENCODING", "CHARSET"];

/// The people whose names are kept.
#[derive(Clone, Copy)]
pub enum KeptNames<'a> {
    /// Whoever the text is about.
    Everybody,
    /// These alone.
    These(&'a [Person]),
}

/// A whole text, or a schedule response of CalDAV with such texts in it.
pub fn text(text: &str, named: KeptNames<'_>) -> String {
    match named {
        KeptNames::Everybody if caldav::is_schedule_response(text) => {
            caldav::rewritten(text, |data| lines(data, named)).unwrap_or_else(|| format!("<{WITHHELD}/>"))
        }
        _ => lines(text, named),
    }
}

fn lines(text: &str, named: KeptNames<'_>) -> String {
    let nothing = text.trim().is_empty() || text.contains('\0');
    if nothing {
        // A text with a null byte is no calendar, whatever else stands in it.
        return text.chars().filter(|c| matches!(c, '\0' | '\r' | '\n')).collect();
    }
    let unfolded = unfolded(text.trim_start_matches('\u{feff}'));
    let last = unfolded.len() - 1;
    let lines = unfolded.into_iter().enumerate().filter(|(at, line)| *at < last || !line.is_empty());
    lines.map(|(_, line)| line_of(&line, named) + "\r\n").collect()
}

fn line_of(line: &str, named: KeptNames<'_>) -> String {
    if line.trim().is_empty() {
        return String::new();
    }
    let name = name(line);
    let known = match named {
        KeptNames::Everybody => freebusy::KEPT.contains(&name.as_str()),
        KeptNames::These(_) => events::KEPT.contains(&name.as_str()),
    };
    match name.as_str() {
        // What is no content line is none afterwards: it bears on what its event says.
        _ if !known && !is_line(line) => format!("?{WITHHELD}"),
        private if PRIVATE.contains(&private) => format!("{name}:{WITHHELD}"),
        _ if !known => format!("X-{WITHHELD}:{WITHHELD}"),
        "ATTENDEE" | "ORGANIZER" if !is_named(line, named) => without_words(line, Some("mailto:withheld")),
        "REQUEST-STATUS" => without_words(line, ContentLine::of(line).value.split(';').next()),
        _ => without_words(line, None),
    }
}

fn is_named(line: &str, named: KeptNames<'_>) -> bool {
    match named {
        KeptNames::Everybody => true,
        KeptNames::These(people) => {
            let names = names_of(&ContentLine::of(line));
            names.iter().any(|name| people.iter().any(|person| person.as_str().eq_ignore_ascii_case(name)))
        }
    }
}

/// A line with the parameters that are read, and with another value where one is given.
fn without_words(line: &str, other: Option<&str>) -> String {
    let (head, value) = parted(line);
    let mut parts = head.into_iter();
    let mut out = parts.next().unwrap_or_default().to_owned();
    let own = other.is_none();
    for part in parts {
        let key = part.split('=').next().unwrap_or_default().trim().to_ascii_uppercase();
        // The e-mail address of somebody whose address is of another kind.
        if PARAMETERS.contains(&key.as_str()) || own && key == "EMAIL" {
            out += ";";
            out += part;
        }
    }
    match (value, other) {
        (Some(_), Some(other)) => out + ":" + other,
        (Some(value), None) => out + ":" + value,
        (None, _) => out,
    }
}

/// The name and the parameters as they are written, and the value. `;` and `:` in quotation marks part nothing.
fn parted(line: &str) -> (Vec<&str>, Option<&str>) {
    let (mut parts, mut start, mut quoted) = (Vec::new(), 0, false);
    for (at, c) in line.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ';' | ':' if !quoted => {
                parts.push(&line[start..at]);
                start = at + 1;
                if c == ':' {
                    return (parts, Some(&line[start..]));
                }
            }
            _ => {}
        }
    }
    parts.push(&line[start..]);
    (parts, None)
}
