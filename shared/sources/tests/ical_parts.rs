//! Calendars that say a part: exports of some weeks, series by another calendar, texts that were broken without being
//! folded. What is not there is unknown, and each says so.

mod common;

use common::{bindings, of, said, sample, skipped, told};
use serde_json::{Value, json};

fn of_lines(lines: &str) -> Value {
    let mut payload = sample("native_ical_vevent");
    let text = format!("BEGIN:VCALENDAR|VERSION:2.0|{lines}|END:VCALENDAR|");
    payload["body"]["response"] = json!(text.replace('|', "\r\n"));
    payload
}

const ALL: &str = "03 00:00-08 00:00?";
const EVENT: &str = "BEGIN:VEVENT|UID:u|DTSTART:20261104T080000Z|DTEND:20261104T090000Z|END:VEVENT";
const BUSY: &str = "04 08:00-04 09:00";

/// [MS-OXCICAL] 2.1.3.1.1.6 and 2.1.3.1.1.7: what was exported lies between the two.
#[test]
fn outside_of_what_was_exported_nobody_is_free() {
    for (lines, expected) in [
        ("X-CLIPEND:20261106T000000Z", format!("{BUSY}, 06 00:00-08 00:00?")),
        ("X-CLIPSTART:20261103T120000Z", format!("{BUSY}, 03 00:00-03 12:00?")),
        (
            "X-CLIPSTART:20261103T120000Z|X-CLIPEND:20261106T000000Z",
            format!("{BUSY}, 03 00:00-03 12:00?, 06 00:00-08 00:00?"),
        ),
        ("X-CLIPSTART:20261001T000000Z|X-CLIPEND:20261201T000000Z", BUSY.to_owned()),
        ("X-CLIPSTART:20261201T000000Z", format!("{BUSY}, {ALL}")),
        ("X-CLIPEND:20261001T000000Z", format!("{BUSY}, {ALL}")),
        ("X-CLIPEND:yesterday", format!("{BUSY}, {ALL}")),
        ("X-CLIPEND:20261106T000000Z|X-CLIPEND:20261107T000000Z", format!("{BUSY}, {ALL}")),
    ] {
        let payload = of_lines(&format!("{lines}|{EVENT}"));
        assert_eq!(told(&payload), expected, "{lines}");
        let notes = skipped(&payload).join("; ");
        assert_eq!(notes.contains("the calendar is an export of a part"), expected != BUSY, "{lines}: {notes}");
    }
}

/// [MS-OXCICAL] 2.1.3.2.2.1: Outlook writes it in the place of `RRULE` where the series is no Gregorian one.
#[test]
fn a_series_by_another_calendar_is_unknown_from_its_start_on() {
    let series =
        "BEGIN:VEVENT|UID:u|DTSTART:20261104T080000Z|DTEND:20261104T090000Z|X-MICROSOFT-RRULE:FREQ=DAILY;COUNT=20";
    let payload = of_lines(&format!("X-MICROSOFT-CALSCALE:Hebrew|{series}|END:VEVENT"));
    assert_eq!(told(&payload), "04 08:00-08 00:00?");
    assert!(skipped(&payload)[0].contains(".X-MICROSOFT-RRULE: recurs by another calendar"), "{:?}", skipped(&payload));
    assert_eq!(told(&of_lines(&format!("{series}|X-MICROSOFT-CDO-BUSYSTATUS:FREE|END:VEVENT"))), "");
}

#[test]
fn what_is_not_understood_is_unknown_from_the_earliest_instant_that_is_named() {
    for (lines, expected) in [
        ("DTSTART:20261105T090000Z|DTEND:20261105T080000Z", "05 08:00-08 00:00?"),
        ("DTSTART:20261106T090000Z|DTEND:20261106T100000Z|RDATE;VALUE=DATE:20261104", "03 23:00-08 00:00?"),
        ("DTSTART:20261105T090000Z|DURATION:-PT1H", "05 08:00-08 00:00?"),
        ("DTSTART:20261105T090000Z|DURATION:-P1M", ALL),
        ("DTSTART:20261105T090000Z|DURATION:PT1H|RDATE:nonsense", ALL),
        ("DTSTART:20261105T090000Z|DTEND:nonsense", "05 09:00-08 00:00?"),
    ] {
        let payload = of_lines(&format!("BEGIN:VEVENT|UID:u|{lines}|END:VEVENT"));
        assert_eq!(told(&payload), expected, "{lines}");
        assert!(!skipped(&payload).is_empty(), "{lines}: nothing says why");
    }
}

/// A text with a raw line break in it ends in lines that are no content lines, or look like some.
#[test]
fn a_broken_text_frees_nobody() {
    let event = |lines: &str| {
        of_lines(&format!("BEGIN:VEVENT|UID:u|DTSTART:20261104T080000Z|DTEND:20261104T090000Z|{lines}|END:VEVENT"))
    };
    for (lines, expected, note) in [
        ("DESCRIPTION:Ticket 4711|Status: Cancelled", BUSY, ""),
        ("DESCRIPTION:Ticket 4711|Transp: transparent", BUSY, ""),
        ("STATUS: CANCELLED", BUSY, ""),
        ("STATUS:CANCELLED", "", ""),
        ("Status:cancelled ", "", ""),
        ("TRANSP:TRANSPARENT", "", ""),
        ("DESCRIPTION:Ticket 4711|see the wiki|STATUS:CANCELLED", BUSY, "count for nothing"),
        ("DESCRIPTION:Ticket 4711|see the wiki", BUSY, ""),
        ("DESCRIPTION:a||b: c|TRANSP:TRANSPARENT", "", ""),
        ("RDATE:20261105T080000Z|,20261106T080000Z", ALL, "behind one that is read"),
        ("RDATE:20261105T080000Z,|20261106T080000Z", ALL, "behind one that is read"),
        ("STATUS:CANCELLED|see the wiki", "04 08:00-08 00:00?", "behind one that is read"),
        ("BEGIN:VALARM|DESCRIPTION:a|b c|END:VALARM|TRANSP:TRANSPARENT", "", ""),
    ] {
        let payload = event(lines);
        let notes = skipped(&payload).join("; ");
        assert_eq!(told(&payload), expected, "{lines}: {notes}");
        assert!(notes.contains(note) && note.is_empty() == notes.is_empty(), "{lines}: {notes}");
        // A letter that is sent again comes to the same.
        let again = sources::without_private(&payload.to_string(), &bindings(|_| ()));
        let again: Value = serde_json::from_str(&again).expect("JSON");
        assert_eq!(told(&again), expected, "{lines}, without what is private: {again}");
    }
    let mut broken = sample("native_ical_vfreebusy");
    let text = broken["body"].as_str().expect("text").replacen(
        "END:VFREEBUSY",
        "FREEBUSY:20261103T080000Z/PT1H\r\n,20261103T120000Z/PT1H\r\nEND:VFREEBUSY",
        1,
    );
    broken["body"] = text.into();
    let came = said(&broken, &bindings(|_| ()));
    assert_eq!(came, "$: expected content lines (RFC 5545, 3.1) in each VFREEBUSY; found a line that is none");
}

/// Outlook shows a state of its own; only where it shows none does the event's count.
#[test]
fn whoever_is_shown_as_away_is_not_free_where_tentative_time_is() {
    let free = bindings(|native| of(native, "ical.vevent")["tentative"] = json!("free"));
    let person = "ATTENDEE;PARTSTAT=TENTATIVE:mailto:service-owner@example.com";
    for (lines, busy) in [
        ("STATUS:TENTATIVE", 0),
        ("X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE", 0),
        (person, 0),
        ("X-MICROSOFT-CDO-BUSYSTATUS:OOF|STATUS:TENTATIVE", 1),
        ("X-MICROSOFT-CDO-BUSYSTATUS:BUSY|STATUS:TENTATIVE", 1),
        (&format!("X-MICROSOFT-CDO-BUSYSTATUS:OOF|{person}"), 1),
        ("X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE|STATUS:CONFIRMED", 0),
    ] {
        let event = EVENT.replace("|END:VEVENT", &format!("|{lines}|END:VEVENT"));
        let came = said(&of_lines(&event), &free);
        assert!(came.contains(&format!("busy {busy} ")), "{lines}: {came}");
    }
}

/// A property's own type may be written out.
#[test]
fn a_type_that_is_the_propertys_own_refuses_nothing() {
    let lines = "X-WR-TIMEZONE;VALUE=TEXT:Europe/Berlin|BEGIN:VEVENT|UID;VALUE=TEXT:u|STATUS;VALUE=TEXT:CONFIRMED|\
                 ATTENDEE;VALUE=URI:mailto:a@example.com|SEQUENCE;VALUE=INTEGER:1|DTSTART:20261104T080000Z|\
                 DTEND:20261104T090000Z|RRULE;VALUE=RECUR:FREQ=DAILY;COUNT=2|END:VEVENT";
    assert_eq!(told(&of_lines(lines)), "04 08:00-04 09:00, 05 08:00-05 09:00");
    for lines in
        ["DTSTART;VALUE=TEXT:20261104T080000Z", "DTEND;VALUE=URI:20261104T080000Z", "RRULE;VALUE=TEXT:FREQ=DAILY"]
    {
        let came = said(&of_lines(&format!("BEGIN:VEVENT|UID:u|{lines}|END:VEVENT")), &bindings(|_| ()));
        assert!(came.contains("expected a value of the property's own type"), "{lines}: {came}");
    }
}
