//! Content lines: properties as the bytes of RFC 5545. The value types of the properties decide what is escaped.
//!
//! Why not the builder of the library that reads the lines back: that builder escapes `,` and `;` in URIs too. RFC 5545
//! has no escape in a URI (3.3.13), so who dials in by such an address would get another one.

use super::{CalendarObjectText, Property};

/// RFC 5545, 3.1: octets of a content line without its line end.
pub(super) const LONGEST_CONTENT_LINE: usize = 75;

/// The whole object.
pub(super) fn write(object: &CalendarObjectText) -> String {
    let mut text = String::new();
    let mut line = |property: &Property| text.push_str(&content_line(property));
    let boundary = |name, component: &str| Property { name, parameters: Vec::new(), value: component.to_owned() };
    line(&boundary("BEGIN", "VCALENDAR"));
    object.calendar.iter().for_each(&mut line);
    line(&boundary("BEGIN", "VEVENT"));
    object.event.iter().for_each(&mut line);
    if !object.alarm.is_empty() {
        line(&boundary("BEGIN", "VALARM"));
        object.alarm.iter().for_each(&mut line);
        line(&boundary("END", "VALARM"));
    }
    line(&boundary("END", "VEVENT"));
    line(&boundary("END", "VCALENDAR"));
    text
}

/// One property, folded, with its line end.
fn content_line(property: &Property) -> String {
    let mut folded = Folded::default();
    folded.push(property.name);
    for (name, value) in &property.parameters {
        folded.push(";");
        folded.push(name);
        folded.push("=");
        let quote = if value.contains([',', ':', ';', '=', ' ']) { "\"" } else { "" };
        folded.push(quote);
        folded.push_each(value);
        folded.push(quote);
    }
    folded.push(":");
    if !is_text(property.name) {
        folded.push_each(&property.value);
        return folded.end();
    }
    let mut buffer = [0; 4];
    for c in property.value.chars() {
        match c {
            '\n' => folded.push("\\n"),
            '\\' => folded.push("\\\\"),
            ';' => folded.push("\\;"),
            ',' => folded.push("\\,"),
            c => folded.push(c.encode_utf8(&mut buffer)),
        }
    }
    folded.end()
}

/// Whether a property's value is TEXT (RFC 5545, 3.3.11), which has escapes.
fn is_text(name: &str) -> bool {
    matches!(name, "PRODID" | "UID" | "SUMMARY" | "DESCRIPTION" | "LOCATION")
}

/// A line that goes on in the next one before it is too long. A character, or an escape, is never cut.
#[derive(Default)]
struct Folded {
    text: String,
    octets: usize,
}

impl Folded {
    fn push(&mut self, whole: &str) {
        if self.octets + whole.len() > LONGEST_CONTENT_LINE {
            self.text.push_str("\r\n ");
            self.octets = 1;
        }
        self.text.push_str(whole);
        self.octets += whole.len();
    }

    fn push_each(&mut self, text: &str) {
        let mut buffer = [0; 4];
        text.chars().for_each(|c| self.push(c.encode_utf8(&mut buffer)));
    }

    fn end(mut self) -> String {
        self.text.push_str("\r\n");
        self.text
    }
}
