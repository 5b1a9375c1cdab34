//! Zones that a calendar defines itself (`VTIMEZONE`), as programs export them: whole, cut off behind the years of the
//! export, or under a name that another zone has.

mod common;

use common::{sample, told};
use serde_json::json;

/// What an event on that local time comes to. `|` ends a line.
fn at(zone: &str, name: &str, local: &str) -> String {
    let mut payload = sample("native_ical_vevent");
    let day = &local[..8];
    let day = format!("{}-{}-{}", &day[..4], &day[4..6], &day[6..]);
    payload["body"]["request"]["start"] = json!(format!("{day}T00:00:00Z"));
    payload["body"]["request"]["end"] =
        json!(format!("{}-{:02}T12:00:00Z", &day[..7], day[8..].parse::<u8>().expect("a day") + 2));
    let event = format!("BEGIN:VEVENT|UID:u|DTSTART;TZID={name}:{local}|DURATION:PT1H|END:VEVENT");
    let text =
        format!("BEGIN:VCALENDAR|VERSION:2.0|BEGIN:VTIMEZONE|TZID:{name}|{zone}|END:VTIMEZONE|{event}|END:VCALENDAR|");
    payload["body"]["response"] = json!(text.replace('|', "\r\n"));
    told(&payload)
}

fn rule(kind: &str, start: &str, from: &str, to: &str, more: &str) -> String {
    format!("BEGIN:{kind}|TZOFFSETFROM:{from}|TZOFFSETTO:{to}|DTSTART:{start}{more}|END:{kind}")
}

fn yearly(month: u32, day: &str) -> String {
    format!("|RRULE:FREQ=YEARLY;BYMONTH={month};BYDAY={day}")
}

/// Google Calendar's export.
fn google() -> String {
    let summer = rule("DAYLIGHT", "19700329T020000", "+0100", "+0200", &yearly(3, "-1SU"));
    let winter = rule("STANDARD", "19701025T030000", "+0200", "+0100", &yearly(10, "-1SU"));
    format!("X-LIC-LOCATION:Europe/Berlin|{summer}|{winter}")
}

/// Outlook's and Exchange's.
fn exchange() -> String {
    let winter =
        rule("STANDARD", "16010101T030000", "+0200", "+0100", "|RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10");
    let summer =
        rule("DAYLIGHT", "16010101T020000", "+0100", "+0200", "|RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3");
    format!("{winter}|{summer}")
}

/// Apple's Calendar.
fn apple() -> String {
    let summer = rule("DAYLIGHT", "20070311T020000", "-0500", "-0400", &yearly(3, "2SU"));
    let winter = rule("STANDARD", "20071104T020000", "-0400", "-0500", &yearly(11, "1SU"));
    format!("{summer}|{winter}")
}

/// The whole history, with rules that ended (libical, Evolution).
fn historic() -> String {
    let old = rule(
        "STANDARD",
        "19671029T020000",
        "-0400",
        "-0500",
        "|RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;UNTIL=20061029T060000Z",
    );
    let dates = rule("DAYLIGHT", "19740106T020000", "-0500", "-0400", "|RDATE:19740106T020000,19750223T020000");
    format!("{old}|{dates}|{}", apple())
}

/// The transitions of the export's own year and no others.
fn cut_off() -> String {
    let summer = rule("DAYLIGHT", "20260329T020000", "+0100", "+0200", "");
    let winter = rule("STANDARD", "20261025T030000", "+0200", "+0100", "");
    format!("{summer}|{winter}")
}

#[test]
fn a_zone_that_is_defined_as_it_is_named_is_certain() {
    let winter_alone =
        rule("STANDARD", "16010101T030000", "+0200", "+0100", "|RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10");
    let no_summer = rule("STANDARD", "16010101T000000", "+0530", "+0530", "");
    for (zone, name, local, expected) in [
        (google(), "Europe/Berlin", "20261104T080000", "04 07:00-04 08:00"),
        (google(), "Europe/Berlin", "20260704T080000", "04 06:00-04 07:00"),
        // The hour that comes twice, and the one that never comes.
        (google(), "Europe/Berlin", "20261025T023000", "25 00:30-25 02:30"),
        (google(), "Europe/Berlin", "20260329T023000", "29 00:30-29 02:30"),
        (google(), "Europe/Berlin", "20261024T233000", "24 21:30-24 22:30"),
        (exchange(), "W. Europe Standard Time", "20261104T080000", "04 07:00-04 08:00"),
        (exchange(), "W. Europe Standard Time", "20260704T080000", "04 06:00-04 07:00"),
        (apple(), "America/New_York", "20261101T090000", "01 14:00-01 15:00"),
        (apple(), "America/New_York", "20260704T090000", "04 13:00-04 14:00"),
        (historic(), "America/New_York", "20260704T090000", "04 13:00-04 14:00"),
        (historic(), "America/New_York", "20261104T090000", "04 14:00-04 15:00"),
        (no_summer, "India Standard Time", "20260704T120000", "04 06:30-04 07:30"),
        (cut_off(), "Europe/Berlin", "20260210T080000", "10 07:00-10 08:00"),
        (cut_off(), "Europe/Berlin", "20260704T080000", "04 06:00-04 07:00"),
        (cut_off(), "Europe/Berlin", "20261104T080000", "04 07:00-04 08:00"),
        (cut_off(), "Europe/Berlin", "20270704T080000", "04 06:00-04 07:00"),
        (winter_alone, "W. Europe Standard Time", "20261104T080000", "04 07:00-04 08:00"),
        ("X-LIC-LOCATION:Europe/Berlin".to_owned(), "Europe/Berlin", "20260704T080000", "04 06:00-04 07:00"),
    ] {
        assert_eq!(at(&zone, name, local), expected, "{name} {local}");
    }
}

#[test]
fn a_zone_that_is_defined_otherwise_is_on_nobody_knows_which_clock() {
    let australia = format!(
        "{}|{}",
        rule("STANDARD", "20080406T030000", "+1100", "+1000", &yearly(4, "1SU")),
        rule("DAYLIGHT", "20081005T020000", "+1000", "+1100", &yearly(10, "1SU"))
    );
    let fixed = rule("STANDARD", "19700101T000000", "+0100", "+0100", "");
    let american = format!(
        "{}|{}",
        rule("DAYLIGHT", "20070311T020000", "+0100", "+0200", &yearly(3, "2SU")),
        rule("STANDARD", "20071104T020000", "+0200", "+0100", &yearly(11, "1SU"))
    );
    let unread = rule("STANDARD", "19701025T030000", "+0200", "+01:00", &yearly(10, "-1SU"));
    let hourly = rule("STANDARD", "16010101T000000", "+0100", "+0100", "|RRULE:FREQ=HOURLY");
    let twice = format!("{}|{}", google(), "TZID:Europe/Paris");
    for (zone, name, local, known) in [
        (australia.clone(), "EST", "20261104T180000", false),
        (australia, "EST", "20260704T180000", false),
        // Of the half of a year in which both say one offset, the time is certain.
        (fixed.clone(), "Europe/London", "20261104T080000", false),
        (fixed, "Europe/London", "20260704T080000", true),
        (american.clone(), "Europe/Berlin", "20260320T080000", false),
        (american.clone(), "Europe/Berlin", "20260704T080000", true),
        (american.clone(), "Europe/Berlin", "20261027T080000", false),
        // Its end is on the other side.
        (american, "Europe/Berlin", "20261025T013000", false),
        (unread, "Europe/Berlin", "20261104T080000", false),
        (hourly, "Europe/Berlin", "20261104T080000", false),
        (twice, "Europe/Berlin", "20261104T080000", true),
    ] {
        let came = at(&zone, name, local);
        assert_eq!(!came.contains('?'), known, "{name} {local}: {came}");
        assert!(!came.is_empty());
    }
}

/// An exception on such a clock excepts nothing, and each occurrence of a series is judged by itself.
#[test]
fn occurrences_are_judged_one_by_one() {
    let american = format!(
        "{}|{}",
        rule("DAYLIGHT", "20070311T020000", "+0100", "+0200", &yearly(3, "2SU")),
        rule("STANDARD", "20071104T020000", "+0200", "+0100", &yearly(11, "1SU"))
    );
    let mut payload = sample("native_ical_vevent");
    payload["body"]["request"]["start"] = json!("2026-10-20T00:00:00Z");
    payload["body"]["request"]["end"] = json!("2026-11-05T00:00:00Z");
    let event = "DTSTART;TZID=Europe/Berlin:20261020T080000|DURATION:PT1H|RRULE:FREQ=WEEKLY|EXDATE;TZID=Europe/Berlin:20261020T080000,20261027T080000";
    let text = format!(
        "BEGIN:VCALENDAR|BEGIN:VTIMEZONE|TZID:Europe/Berlin|{american}|END:VTIMEZONE|BEGIN:VEVENT|UID:u|{event}|END:VEVENT|END:VCALENDAR|"
    );
    payload["body"]["response"] = json!(text.replace('|', "\r\n"));
    assert_eq!(told(&payload), "03 07:00-03 08:00, 26 18:00-27 21:00?");
}

/// A name is one in letters of either case, and with the escapes of a text.
#[test]
fn a_definition_is_found_by_its_name() {
    let fixed = rule("STANDARD", "19700101T000000", "+0100", "+0100", "");
    for (defined, known) in [("Europe/London", false), ("EUROPE/LONDON", false), ("Europe/Paris", true)] {
        let other = format!("X-LIC-LOCATION:x|END:VTIMEZONE|BEGIN:VTIMEZONE|TZID:{defined}|{fixed}");
        let came = at(&other, "Europe/London", "20261104T080000");
        assert_eq!(!came.contains('?'), known, "{defined}: {came}");
    }
}
