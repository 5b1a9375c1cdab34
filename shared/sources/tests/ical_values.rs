//! Values of iCalendar that are not whole, that contradict what is declared of them, or that stand on a clock which the
//! file defines otherwise. A parser that reads the beginning of such a value leaves somebody free who is not.

mod common;

use common::{bindings, of, said, sample, told};
use serde_json::json;

/// What a calendar comes to from the 3rd to the 8th of November 2026. `|` ends a line.
fn calendar(lines: &str) -> String {
    let mut payload = sample("native_ical_vevent");
    let text = format!("BEGIN:VCALENDAR|VERSION:2.0|{lines}|END:VCALENDAR|");
    payload["body"]["response"] = json!(text.replace('|', "\r\n"));
    told(&payload)
}

fn event(lines: &str) -> String {
    calendar(&format!("BEGIN:VEVENT|UID:u|{lines}|END:VEVENT"))
}

/// All of the horizon.
const ALL: &str = "03 00:00-08 00:00?";
/// From the start of an event on the 4th at 08:00.
const FROM_THE_START: &str = "04 08:00-08 00:00?";

#[test]
fn a_time_that_is_not_whole_is_no_time() {
    for start in [
        "20261104T080000.000Z",
        "20261104T080000,000Z",
        "20261104T0800Z",
        "20261104T08Z",
        "20261104T080000UTC",
        "20261104T080000EST",
        "20261104T080000+0000",
        "20261104T080000ZZ",
        "20261104T080000Z/PT5H",
        "20261104T080000Z,20261104T100000Z",
        "20261104T080000Z;20261104T100000Z",
        "20261104T080000",
        "2026-11-04T08:00:00Z",
        "20261131T080000Z",
        "",
    ] {
        let came = event(&format!("DTSTART;TZID=Nobody/Knows:{start}|DURATION:PT1H"));
        let named = event(&format!("DTSTART:{start}|DURATION:PT1H"));
        match start {
            // Whole, on a clock that nobody knows; or on the binding's.
            "20261104T080000" => {
                assert_eq!((came.as_str(), named.as_str()), ("03 18:00-04 21:00?", "04 07:00-04 08:00"))
            }
            _ => assert_eq!((came.as_str(), named.as_str()), (ALL, ALL), "{start}"),
        }
    }
    assert_eq!(event("DTSTART;VALUE=DATE:20261104T080000Z|DURATION:PT1H"), ALL);
    assert_eq!(event("DTSTART;VALUE=PERIOD:20261104T080000Z/PT1H"), ALL);
    assert_eq!(event("DTSTART;VALUE=DATE;VALUE=DATE-TIME:20261104|DURATION:P1D"), ALL);
    assert_eq!(event("DTSTART:20261105T080000Z|DTSTART:20261104T080000Z|DURATION:PT1H"), ALL);
    assert_eq!(event("DTSTART:20261104T080000Z|DTEND:20261104T0900Z"), FROM_THE_START);
    assert_eq!(event("DTSTART:20261104t080000z|DTEND:20261104T090000Z"), "04 08:00-04 09:00");
}

/// An exception that is not understood takes no occurrence out, and a change of nobody knows which leaves the series.
#[test]
fn an_exception_that_is_not_whole_excepts_nothing() {
    let daily = "DTSTART:20261103T080000Z|DTEND:20261103T090000Z|RRULE:FREQ=DAILY;COUNT=3";
    let all = "03 08:00-03 09:00, 04 08:00-04 09:00, 05 08:00-05 09:00";
    let without = "03 08:00-03 09:00, 05 08:00-05 09:00";
    for (exception, expected) in [
        ("EXDATE:20261104T080000Z", without),
        ("EXDATE;TZID=Europe/Berlin:20261104T090000", without),
        ("EXDATE;TZID=Europe/Berlin;TZID=europe/berlin:20261104T090000", without),
        ("EXDATE;TZID=UTC:20261104T080000Z", without),
        ("EXDATE:20261104T0800Z", all),
        ("EXDATE:20261104T090000.000Z", all),
        ("EXDATE:20261104T080000Z/PT1H", all),
        ("EXDATE:20261104/P1D", all),
        ("EXDATE:20261104T080000Z;20261105T080000Z", all),
        ("EXDATE:20261104T080000Z\\,20261105T080000Z", all),
        ("EXDATE:20261104T080000Z,tomorrow", all),
        ("EXDATE;TZID=Asia/Tokyo;TZID=Europe/Berlin:20261104T090000", all),
        ("EXDATE;TZID=Asia/Tokyo,Europe/Berlin:20261104T090000", all),
        ("EXDATE;TZID=America/New_York:20261104T080000Z", all),
    ] {
        assert_eq!(event(&format!("{daily}|{exception}")), expected, "{exception}");
    }
    for rid in ["20261104T0800Z", "20261104T080000Z,20261105T080000Z", "20261104T090000.000Z"] {
        let changed = "DTSTART:20261107T080000Z|DURATION:PT1H";
        let came = calendar(&format!(
            "BEGIN:VEVENT|UID:u|{daily}|END:VEVENT|BEGIN:VEVENT|UID:u|RECURRENCE-ID:{rid}|{changed}|END:VEVENT"
        ));
        assert_eq!(came, format!("{all}, 07 08:00-08 00:00?"), "{rid}");
    }
    let came = calendar(&format!(
        "BEGIN:VEVENT|UID:u|{daily}|END:VEVENT|BEGIN:VEVENT|UID:u|RECURRENCE-ID:20261104T080000Z|\
         RECURRENCE-ID:20261105T080000Z|DTSTART:20261107T080000Z|DURATION:PT1H|END:VEVENT"
    ));
    assert_eq!(came, format!("{all}, 07 08:00-08 00:00?"));
}

#[test]
fn a_zone_that_is_said_twice_is_not_left_out() {
    for (zone, expected) in [
        ("", "04 07:00-04 08:00"),
        (";TZID=Europe/Berlin", "04 07:00-04 08:00"),
        (";TZID=Europe/Berlin;TZID=Europe/Berlin", "04 07:00-04 08:00"),
        (";TZID=America/New_York", "04 13:00-04 14:00"),
        (";TZID=/example.org/America/New_York", "04 13:00-04 14:00"),
        (";TZID=America/New_York;TZID=Asia/Tokyo", "03 18:00-04 21:00?"),
        (";TZID=America/New_York,Etc/GMT", "03 18:00-04 21:00?"),
        (";TZID=", "03 18:00-04 21:00?"),
    ] {
        let came = event(&format!("DTSTART{zone}:20261104T080000|DTEND{zone}:20261104T090000"));
        assert_eq!(came, expected, "{zone}");
    }
    let twice = "X-WR-TIMEZONE:Europe/Berlin|X-WR-TIMEZONE:Asia/Tokyo";
    let lines = format!("{twice}|BEGIN:VEVENT|UID:u|DTSTART:20261104T080000|DURATION:PT1H|END:VEVENT");
    let mut payload = sample("native_ical_vevent");
    payload["body"]["response"] = json!(format!("BEGIN:VCALENDAR|{lines}|END:VCALENDAR|").replace('|', "\r\n"));
    let zoneless = bindings(|native| drop(of(native, "ical.vevent").as_object_mut().expect("it").remove("time_zone")));
    assert!(
        said(&payload, &zoneless).contains(" busy 0 unknown 1620 min; skipped: VEVENT[0].DTSTART: "),
        "{}",
        said(&payload, &zoneless)
    );
}

#[test]
fn a_duration_that_is_not_whole_lasts_nobody_knows_how_long() {
    for (duration, expected) in [
        ("PT1H", "04 08:00-04 09:00"),
        ("pt1h30m", "04 08:00-04 09:30"),
        ("P1M", FROM_THE_START),
        ("P1Y", FROM_THE_START),
        ("PT1H30", FROM_THE_START),
        ("PT1H1H", FROM_THE_START),
        ("P1MT5H", FROM_THE_START),
        ("PT30M1H", FROM_THE_START),
        ("PT1H;PT3H", FROM_THE_START),
        ("PT1H,PT3H", FROM_THE_START),
        ("PT", FROM_THE_START),
        ("", FROM_THE_START),
    ] {
        assert_eq!(event(&format!("DTSTART:20261104T080000Z|DURATION:{duration}")), expected, "{duration}");
    }
    for (ways, expected) in [
        (&[";VALUE=DURATION:PT1H"][..], "04 07:00-04 08:00, 04 08:00-04 09:00"),
        (&[";VALUE=DURATION:PT1M", ";VALUE=DURATION:PT3H"], "04 05:00-04 08:00, 04 08:00-04 09:00"),
        (&[";VALUE=DURATION:PT3H", ";VALUE=DURATION:PT1M"], "04 05:00-04 08:00, 04 08:00-04 09:00"),
        (&[";VALUE=DURATION:PT30H"], "03 02:00-04 08:00, 04 08:00-04 09:00"),
        (&[";VALUE=DURATION:P3M"], "04 08:00-04 09:00, 03 08:00-04 08:00?"),
        (&[";VALUE=DURATION:PT1H", ";VALUE=DURATION:P3M"], "04 07:00-04 08:00, 04 08:00-04 09:00, 03 08:00-04 08:00?"),
        (&[";VALUE=DURATION:-PT1H"], "04 08:00-04 09:00, 03 08:00-04 08:00?"),
    ] {
        let ways: String = ways.iter().map(|way| format!("|X-APPLE-TRAVEL-DURATION{way}")).collect();
        assert_eq!(event(&format!("DTSTART:20261104T080000Z|DURATION:PT1H{ways}")), expected, "{ways}");
    }
}

/// RFC 5545, 3.6.1: what begins with a date lasts whole days.
#[test]
fn an_event_of_a_day_lasts_days() {
    let (one, two) = ("03 23:00-04 23:00", "03 23:00-05 23:00");
    let from_the_start = "03 23:00-08 00:00?";
    for (lines, expected) in [
        ("", one),
        ("|DURATION:P1D", one),
        ("|DURATION:P2D", two),
        ("|DURATION:P0D", one),
        ("|DURATION:PT0S", one),
        ("|DURATION:PT8H", one),
        ("|DURATION:PT24H", one),
        ("|DURATION:PT25H", two),
        ("|DURATION:P1DT1S", two),
        ("|DURATION:-P1D", ALL),
        ("|DURATION:P1M", from_the_start),
        ("|DTEND;VALUE=DATE:20261104", one),
        ("|DTEND;VALUE=DATE:20261105", one),
        ("|DTEND;VALUE=DATE:20261103", ALL),
        ("|DTEND:20261104T120000Z", from_the_start),
    ] {
        assert_eq!(event(&format!("DTSTART;VALUE=DATE:20261104{lines}")), expected, "{lines}");
    }
    assert_eq!(event("DTSTART:20261104T080000Z|DTEND;VALUE=DATE:20261104"), "03 23:00-08 00:00?");
    assert_eq!(event("DTSTART:20261104T080000Z|DTEND;VALUE=DATE:20261105"), FROM_THE_START);
}

#[test]
fn a_further_start_that_is_not_whole_is_somewhere() {
    let (first, once) = ("DTSTART:20261104T080000Z|DTEND:20261104T090000Z", "04 08:00-04 09:00");
    for (more, expected) in [
        ("RDATE:20261104T100000Z", "04 08:00-04 09:00, 04 10:00-04 11:00".to_owned()),
        (
            "RDATE:20261104T100000Z,20261104T120000Z",
            "04 08:00-04 09:00, 04 10:00-04 11:00, 04 12:00-04 13:00".to_owned(),
        ),
        ("RDATE;VALUE=PERIOD:20261104T100000Z/PT3H", "04 08:00-04 09:00, 04 10:00-04 13:00".to_owned()),
        ("RDATE:20261104T100000Z;20261104T120000Z", ALL.to_owned()),
        ("RDATE:20261104T100000Z\\,20261104T120000Z", ALL.to_owned()),
        ("RDATE:20261104T100000Z/PT3H", FROM_THE_START.to_owned()),
        ("RDATE;VALUE=PERIOD:20261104T100000Z", FROM_THE_START.to_owned()),
        ("RDATE;VALUE=PERIOD:20261104T100000Z/PT3H;20261104T140000Z/PT1H", ALL.to_owned()),
        ("RDATE;VALUE=PERIOD:20261104T100000Z/P1M", ALL.to_owned()),
        ("RDATE;VALUE=DATE:20261105", FROM_THE_START.to_owned()),
        ("RDATE:20261105", FROM_THE_START.to_owned()),
        ("RDATE:", ALL.to_owned()),
        // A date before the event's own, of whatever type.
        ("RDATE;VALUE=DATE:20261103", "03 00:00-08 00:00?".to_owned()),
        ("RDATE:20261103T120000Z", "03 12:00-03 13:00, 04 08:00-04 09:00".to_owned()),
        ("EXDATE:", once.to_owned()),
    ] {
        assert_eq!(event(&format!("{first}|{more}")), expected, "{more}");
    }
    let days = "DTSTART;VALUE=DATE:20261104|RDATE";
    assert_eq!(event(&format!("{days};VALUE=DATE:20261106")), "03 23:00-04 23:00, 05 23:00-06 23:00");
    assert_eq!(event(&format!("{days}:20261106T080000Z")), "03 23:00-08 00:00?");
}

/// A free/busy answer with a line that is not whole is refused, by its own number.
#[test]
fn a_period_that_is_not_whole_refuses_the_answer() {
    let with = |line: &str| {
        let mut payload = sample("native_ical_vfreebusy");
        let text = payload["body"]
            .as_str()
            .expect("text")
            .replace("FREEBUSY;FBTYPE=BUSY-TENTATIVE:20261104T090000Z/PT1H", line);
        payload["body"] = json!(text);
        said(&payload, &bindings(|_| ()))
    };
    for (line, busy) in [
        ("FREEBUSY:20261104T080000Z/PT1H,20261104T100000Z/PT3H", Some(5)),
        ("FREEBUSY:20261104T080000Z/PT1H,\r\n 20261104T100000Z/PT3H", Some(5)),
        ("FREEBUSY:20261104T080000Z/PT1H;20261104T100000Z/PT3H", None),
        ("FREEBUSY:20261104T080000Z/PT1H\\,20261104T100000Z/PT3H", None),
        ("FREEBUSY:20261104T080000Z/PT1H|20261104T100000Z/PT3H", None),
        ("FREEBUSY:20261104T080000Z/PT1H 20261104T100000Z/PT3H", None),
        ("FREEBUSY:20261104T080000Z/20261104T090000Z/20261104T130000Z", None),
        ("FREEBUSY:20261104T080000Z/P1M", None),
        ("FREEBUSY:20261104T080000Z/PT1H30", None),
        ("FREEBUSY:20261104T080000Z/PT1H,", None),
        ("FREEBUSY:20261104T080000.000Z/PT1H", None),
        ("FREEBUSY:20261104/P1D", None),
        ("FREEBUSY;VALUE=DATE-TIME:20261104T080000Z/PT1H", None),
        ("FREEBUSY:", None),
    ] {
        let came = with(line);
        match busy {
            Some(busy) => assert!(came.contains(&format!(" busy {busy} ")), "{line}: {came}"),
            None => assert!(came.starts_with("VFREEBUSY[0].FREEBUSY[1]: expected UTC periods"), "{line}: {came}"),
        }
    }
    for (line, fault) in [
        ("DTSTAMP:20261103T090112.000Z", "VFREEBUSY[0].DTSTAMP: expected a UTC date-time"),
        ("DTSTAMP:20261103T0901Z", "VFREEBUSY[0].DTSTAMP: expected a UTC date-time"),
        ("DTSTAMP:20261103T090112Z\r\nDTSTAMP:20261104T090112Z", "VFREEBUSY[0].DTSTAMP: expected a UTC date-time"),
        ("DTSTAMP:20261103T090112Z\r\nDTSTART:20261101T000000Z", "VFREEBUSY[0].DTSTART: expected a UTC date-time"),
    ] {
        let mut payload = sample("native_ical_vfreebusy");
        payload["body"] = json!(payload["body"].as_str().expect("text").replace("DTSTAMP:20261103T090112Z", line));
        assert!(said(&payload, &bindings(|_| ())).starts_with(fault), "{line}");
    }
}

/// One address, however it is written.
#[test]
fn an_address_is_decoded_wherever_it_stands() {
    for address in [
        "mailto:service-owner@example.com",
        "MAILTO:service%2Downer@example.com",
        "mailto:service-owner%40example.com",
        "mailto:service-owner@example.com?subject=free%20busy",
    ] {
        let mut payload = sample("native_ical_vfreebusy");
        payload["body"] =
            json!(payload["body"].as_str().expect("text").replace("mailto:service-owner@example.com", address));
        assert!(said(&payload, &bindings(|_| ())).starts_with("service-owner r1793696472000 busy 4 "), "{address}");
        let mut payload = sample("native_ical_vfreebusy_schedule_response");
        let text = payload["body"].as_str().expect("text").replace("mailto:service-owner@example.com", address);
        payload["body"] = json!(text);
        assert!(said(&payload, &bindings(|_| ())).starts_with("service-owner r1793696472000 busy 1 "), "{address}");
        let declined = format!("DTSTART:20261104T080000Z|DURATION:PT1H|ATTENDEE;PARTSTAT=DECLINED:{address}");
        assert_eq!(event(&declined), "", "{address}");
    }
}

/// Details of RFC 9073 engage nobody. What nobody here knows may, and an operator can look up what it was.
#[test]
fn a_component_that_is_not_known_is_named() {
    let with = |component: &str| event(&format!("DTSTART:20261104T080000Z|DURATION:PT1H|{component}"));
    for kind in ["VLOCATION", "PARTICIPANT", "VRESOURCE", "VALARM", "vlocation"] {
        assert_eq!(with(&format!("BEGIN:{kind}|UID:x|DURATION:PT5H|END:{kind}")), "04 08:00-04 09:00", "{kind}");
    }
    assert_eq!(
        with("BEGIN:PARTICIPANT|UID:x|BEGIN:VLOCATION|UID:y|END:VLOCATION|END:PARTICIPANT"),
        "04 08:00-04 09:00"
    );
    for component in ["BEGIN:X-SHIFT|UID:x|END:X-SHIFT", "BEGIN:VALARM|BEGIN:X-SHIFT|END:X-SHIFT|END:VALARM"] {
        assert_eq!(with(component), format!("04 08:00-04 09:00, {ALL}"));
    }
    // An event counts wherever it stands; beside a calendar nothing may stand.
    let inside =
        calendar("BEGIN:VALARM|BEGIN:VEVENT|UID:u|DTSTART:20261104T080000Z|DURATION:PT1H|END:VEVENT|END:VALARM");
    assert_eq!(inside, "04 08:00-04 09:00");
    let mut payload = sample("native_ical_vevent");
    let stray = "BEGIN:VEVENT\r\nUID:u\r\nDTSTART:20261104T080000Z\r\nDURATION:PT1H\r\nEND:VEVENT\r\n";
    let text = payload["body"]["response"].as_str().expect("text");
    for text in [format!("{stray}{text}"), format!("{text}{stray}"), format!("DTSTART:20261104T080000Z\r\n{text}")] {
        payload["body"]["response"] = json!(text);
        let came = said(&payload, &bindings(|_| ()));
        assert!(came.starts_with("$.response: expected iCalendar text"), "{came}");
    }
    let mut payload = sample("native_ical_vfreebusy");
    let detail = "BEGIN:PARTICIPANT\r\nUID:x\r\nEND:PARTICIPANT\r\nEND:VFREEBUSY";
    payload["body"] = json!(payload["body"].as_str().expect("text").replace("END:VFREEBUSY", detail));
    assert!(said(&payload, &bindings(|_| ())).starts_with("service-owner r1793696472000 busy 4 "));
}
