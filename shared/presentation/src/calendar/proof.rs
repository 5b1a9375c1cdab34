//! The finished object, read back: strict about every line, then property by property.

use calcard::{
    Entry, Parser,
    common::IanaString,
    icalendar::{
        ICalendarComponentType, ICalendarEntry, ICalendarParameterValue, ICalendarValue, ICalendarValueType, Uri,
    },
};

use super::{CalendarObjectText, Property, lines::LONGEST_CONTENT_LINE};
use crate::Unsafe;

pub(super) fn prove(text: &str, object: &CalendarObjectText) -> Result<(), Unsafe> {
    lines(text)?;
    names(text, object)?;
    let fault = |expected: &str, found: String| Unsafe::new("the calendar part", expected, &found);
    // The parser's strict mode refuses every BEGIN (0.3.14), so it skips what it cannot read: `names` does not.
    let mut parser = Parser::new(text);
    let parsed = match parser.entry() {
        Entry::ICalendar(parsed) => parsed,
        _ => return Err(fault("one calendar", "something unreadable".to_owned())),
    };
    if !matches!(parser.entry(), Entry::Eof) {
        return Err(fault("nothing after the calendar", "more".to_owned()));
    }
    let components: Vec<_> =
        parsed.components.iter().map(|each| (&each.component_type, &*each.component_ids)).collect();
    let (calendar, event) = (&ICalendarComponentType::VCalendar, &ICalendarComponentType::VEvent);
    let expected: &[(_, &[u32])] = match object.alarm.is_empty() {
        true => &[(calendar, &[1]), (event, &[])],
        false => &[(calendar, &[1]), (event, &[2]), (&ICalendarComponentType::VAlarm, &[])],
    };
    if components != expected {
        return Err(fault("one event in one calendar", format!("{components:?}")));
    }
    let properties = [&object.calendar, &object.event, &object.alarm];
    parsed.components.iter().zip(properties).try_for_each(|(found, meant)| compare(&found.entries, meant))
}

/// CRLF and nothing else ends a line; no line is longer than 75 octets; no other control is in it.
fn lines(text: &str) -> Result<(), Unsafe> {
    let fault = |expected: &str, line: &str| Unsafe::new("a calendar line", expected, line);
    let body = text.strip_suffix("\r\n").ok_or_else(|| fault("a line end at the end", ""))?;
    for line in body.split("\r\n") {
        if line.len() > LONGEST_CONTENT_LINE {
            return Err(fault("at most 75 octets", line));
        }
        if line.is_empty() || line.chars().any(|c| c.is_control()) {
            return Err(fault("a line without controls, not empty", line));
        }
    }
    Ok(())
}

/// Unfolded, the lines begin with the properties we meant, in their order, and there is no line beside them.
fn names(text: &str, object: &CalendarObjectText) -> Result<(), Unsafe> {
    let unfolded = text.replace("\r\n ", "");
    let found: Vec<&str> = unfolded.split_terminator("\r\n").collect();
    let mut expected = vec!["BEGIN:VCALENDAR"];
    expected.extend(object.calendar.iter().map(|property| property.name));
    expected.push("BEGIN:VEVENT");
    expected.extend(object.event.iter().map(|property| property.name));
    if !object.alarm.is_empty() {
        expected.push("BEGIN:VALARM");
        expected.extend(object.alarm.iter().map(|property| property.name));
        expected.push("END:VALARM");
    }
    expected.extend(["END:VEVENT", "END:VCALENDAR"]);
    let begins = |line: &str, name: &str| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with([':', ';']) || name.contains(':') && rest.is_empty())
    };
    match found.iter().zip(&expected).find(|(line, name)| !begins(line, name)) {
        Some((line, name)) => Err(Unsafe::new("a calendar line", name, line)),
        None if found.len() == expected.len() => Ok(()),
        None => Err(Unsafe::new("the calendar's lines", &expected.len().to_string(), &found.len().to_string())),
    }
}

fn compare(found: &[ICalendarEntry], expected: &[Property]) -> Result<(), Unsafe> {
    let names = |entries: &mut dyn Iterator<Item = &str>| entries.collect::<Vec<_>>().join(" ");
    if found.len() != expected.len() {
        let expected = names(&mut expected.iter().map(|property| property.name));
        let found = names(&mut found.iter().map(|entry| entry.name.as_str()));
        return Err(Unsafe::new("the calendar's properties", &expected, &found));
    }
    for (entry, property) in found.iter().zip(expected) {
        let (name, parameters, value) = flatten(entry);
        let wanted: Vec<(String, String)> =
            property.parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        if name != property.name || parameters != wanted || value.as_deref() != Some(&property.value) {
            let found = format!("{name} {parameters:?} {value:?}");
            return Err(Unsafe::new("a calendar property", &format!("{property:?}"), &found));
        }
    }
    Ok(())
}

/// A parsed property in the words it was written in; `None` where its value is of no kind we write.
fn flatten(entry: &ICalendarEntry) -> (String, Vec<(String, String)>, Option<String>) {
    let parameter = |value: &ICalendarParameterValue| match value {
        ICalendarParameterValue::Text(text) => text.clone(),
        ICalendarParameterValue::Bool(true) => "TRUE".to_owned(),
        ICalendarParameterValue::Bool(false) => "FALSE".to_owned(),
        ICalendarParameterValue::Partstat(word) => word.as_str().to_owned(),
        ICalendarParameterValue::Role(word) => word.as_str().to_owned(),
        ICalendarParameterValue::Value(word) => word.as_str().to_owned(),
        ICalendarParameterValue::Uri(Uri::Location(address)) => address.clone(),
        other => format!("{other:?}"),
    };
    let parameters = entry.params.iter().map(|each| (each.name.as_str().to_owned(), parameter(&each.value))).collect();
    let value = match entry.values.as_slice() {
        [ICalendarValue::Text(text)] | [ICalendarValue::Uri(Uri::Location(text))] => Some(text.clone()),
        [ICalendarValue::Integer(number)] => Some(number.to_string()),
        [ICalendarValue::Method(word)] => Some(word.as_str().to_owned()),
        [ICalendarValue::Status(word)] => Some(word.as_str().to_owned()),
        [ICalendarValue::Transparency(word)] => Some(word.as_str().to_owned()),
        [ICalendarValue::Action(word)] => Some(word.as_str().to_owned()),
        [ICalendarValue::Duration(before)] => Some(before.to_string()),
        [ICalendarValue::PartialDateTime(at)] => {
            let mut text = String::new();
            at.format_as_ical(&mut text, &ICalendarValueType::DateTime).ok().map(|()| text)
        }
        _ => None,
    };
    (entry.name.as_str().to_owned(), parameters, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant() -> CalendarObjectText {
        let plain =
            |name: &'static str, value: &str| Property { name, parameters: Vec::new(), value: value.to_owned() };
        let attendee = Property {
            name: "ATTENDEE",
            parameters: vec![("CN", "Seán".to_owned())],
            value: "mailto:sec-b@example.com".to_owned(),
        };
        let calendar = vec![plain("VERSION", "2.0"), plain("METHOD", "REQUEST")];
        let event =
            vec![plain("UID", "RR-1@x"), plain("SEQUENCE", "1"), plain("DTSTART", "20261103T153000Z"), attendee];
        CalendarObjectText { calendar, event, alarm: Vec::new() }
    }

    const GOOD: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:RR-1@x\r\nSEQUENCE:1\r\n\
                        DTSTART:20261103T153000Z\r\nATTENDEE;CN=Seán:mailto:sec-b@example.com\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    #[test]
    fn every_tampering_is_found() {
        let object = meant();
        prove(GOOD, &object).expect("as it was meant");
        let rows = [
            ("another person", "UID:", "ATTENDEE:mailto:eve@example.com\r\nUID:"),
            ("another address", "sec-b@", "eve@"),
            ("an added parameter", ";CN=Seán", ";CN=Seán;SENT-BY=\"mailto:eve@example.com\""),
            ("a lost parameter", ";CN=Seán", ""),
            ("another method", "METHOD:REQUEST", "METHOD:CANCEL"),
            ("a line that is no property", "UID:", "junk\r\nUID:"),
            ("a bare line feed", "VERSION:2.0\r\n", "VERSION:2.0\n"),
            ("an empty line", "UID:", "\r\nUID:"),
            (
                "a line too long",
                "UID:",
                "X-LONG:0123456789012345678901234567890123456789012345678901234567890123456789\r\nUID:",
            ),
            ("an alarm", "END:VEVENT", "BEGIN:VALARM\r\nEND:VALARM\r\nEND:VEVENT"),
            ("a second event", "END:VEVENT", "END:VEVENT\r\nBEGIN:VEVENT\r\nEND:VEVENT"),
            ("a second calendar", "END:VCALENDAR\r\n", "END:VCALENDAR\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"),
            ("local time", "153000Z", "153000"),
            ("another order", "UID:RR-1@x\r\nSEQUENCE:1", "SEQUENCE:1\r\nUID:RR-1@x"),
            ("no end", "END:VCALENDAR\r\n", ""),
        ];
        for (what, from, to) in rows {
            assert!(GOOD.contains(from), "{what}");
            assert!(prove(&GOOD.replacen(from, to, 1), &object).is_err(), "{what} was not found");
        }
    }
}
