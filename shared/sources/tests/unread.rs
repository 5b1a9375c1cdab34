//! Time that is unknown because a part could not be read has a reason that an operator can look up, and the reason holds
//! nothing of what stands in the part.

mod common;

use common::{bindings, hold, sample, skipped, told};
use serde_json::json;

/// A feed of some events, each with a meeting before it that can be read. `|` ends a line.
fn feed(events: &[&str]) -> serde_json::Value {
    let event = |lines: &str| {
        format!(
            "BEGIN:VEVENT|UID:secret|SUMMARY:secret|LOCATION:secret|{lines}|ATTENDEE:mailto:secret@example.com|END:VEVENT|"
        )
    };
    let good = "DTSTART:20261103T080000Z|DURATION:PT1H";
    let events: String = events.iter().map(|lines| event(good) + &event(lines)).collect();
    let mut payload = sample("native_ical_vevent");
    let text = format!("BEGIN:VCALENDAR|VERSION:2.0|{events}END:VCALENDAR|");
    payload["body"]["response"] = json!(text.replace('|', "\r\n"));
    payload
}

/// `lines => reason`, with `VEVENT[1]` before it.
const EVENTS: &str = r#"
DTSTART:20261104T080000Z|DURATION:PT1H|RRULE:FREQ=DAILY;INTERVAL=0 => .RRULE: recurs in a way that nobody here knows, or too often: time from the earliest instant that the event names on is unknown
DTSTART:20261104T080000Z|DURATION:PT1H|RRULE:FREQ=WEEKLY;BYDAY=XX => .RRULE: recurs in a way that nobody here knows, or too often: time from the earliest instant that the event names on is unknown
DTSTART:20261104T080000Z|DURATION:PT1H|RRULE:FREQ=SECONDLY => .RRULE: recurs in a way that nobody here knows, or too often: time from the earliest instant that the event names on is unknown
DTSTART;VALUE=DATE:20261104|RRULE:FREQ=DAILY;BYHOUR=9 => .RRULE: recurs in a way that nobody here knows, or too often: time from the earliest instant that the event names on is unknown
DTSTART:20261104T080000Z|DURATION:-PT1H => .DURATION: not understood, or not after the start: time from the earliest instant that the event names on is unknown
DTSTART:20261104T080000Z|DURATION:P1M => .DURATION: not understood, or not after the start: time from the earliest instant that the event names on is unknown
DTSTART:20261104T080000Z|DTEND:20261104T0900Z => .DTEND: not understood, or not after the start: time from the earliest instant that the event names on is unknown
DTSTART:20261104T080000Z|DTEND:20261104T070000Z => .DTEND: not understood, or not after the start: time from the earliest instant that the event names on is unknown
DTSTART:20261104T080000Z|DTEND:20261104T090000Z|DTEND:20261104T100000Z => .DTEND: there twice, and the two differ: time from the earliest instant that the event names on is unknown
DTSTART:20261104T080000Z|DTEND:20261104T090000Z|DURATION:PT1H => .DTEND: there beside DURATION: time from the earliest instant that the event names on is unknown
DURATION:PT1H => .DTSTART: missing: all time of its calendar is unknown
DTSTART:secret|DURATION:PT1H => .DTSTART: not understood: all time of its calendar is unknown
DTSTART:20261104T080000Z|DTSTART:20261105T080000Z|DURATION:PT1H => .DTSTART: there twice, and the two differ: all time of its calendar is unknown
DTSTART;TZID=GMT+0100:20261104T080000|DURATION:PT1H => .DTSTART: a zone that nobody here knows: all that its time can be is unknown
DTSTART;TZID=secret:20261104T080000|DURATION:PT1H => .DTSTART: a zone that nobody here knows: all that its time can be is unknown
DTSTART;TZID=Europe/Berlin;TZID=Asia/Tokyo:20261104T080000|DURATION:PT1H => .DTSTART: two zones that differ: all that its time can be is unknown
DTSTART;TZID=Asia/Tokyo:20261104T080000Z|DURATION:PT1H => .DTSTART: a zone that the calendar's own rules, or the mark of UTC, contradict: all that its time can be is unknown
DTSTART:20261104T080000Z|DTEND;TZID=secret:20261104T090000 => .DTEND: a zone that nobody here knows: all that its time can be is unknown
DTSTART:20261104T080000Z|DURATION:PT1H|RDATE;TZID=secret:20261105T080000 => .RDATE: a zone that nobody here knows: all that its time can be is unknown
DTSTART:20261104T080000Z|DURATION:PT1H|RDATE:secret => .RDATE: not understood: time from the earliest instant that the event names on is unknown
DTSTART:secret|DURATION:PT1H|RDATE:20261105T080000Z => .DTSTART: not understood: all time of its calendar is unknown
DTSTART:20261104T080000Z|DURATION:PT1H|RECURRENCE-ID:secret => .RECURRENCE-ID: not understood: time from the earliest instant that the event names on is unknown
DTSTART:20261104T080000Z|DURATION:PT1H|RECURRENCE-ID;RANGE=THISANDFUTURE:20261104T080000Z => .RECURRENCE-ID: stands for all later occurrences (RANGE): time from the earliest instant that the event names on is unknown
DTSTART:20261104T080000Z|DURATION:PT1H|RECURRENCE-ID;RANGE=THISANDPRIOR:20261104T080000Z => .RECURRENCE-ID: a RANGE that nobody here knows: all time of its calendar is unknown
DTSTART:20261104T080000Z|DURATION:PT1H|X-APPLE-TRAVEL-DURATION:PT1H => .X-APPLE-TRAVEL-DURATION: not understood: all that its time can be is unknown
"#;

#[test]
fn every_event_that_cannot_be_read_says_why() {
    let mut wrong = Vec::new();
    for row in EVENTS.lines().filter(|row| !row.is_empty()) {
        let (lines, expected) = row.split_once(" => ").expect("a reason");
        let payload = feed(&[lines]);
        let came = skipped(&payload).join("; ");
        assert!(told(&payload).contains('?'), "{lines}: {}", told(&payload));
        assert!(!came.contains("secret"), "{lines}: {came}");
        if came != format!("VEVENT[1]{expected}") {
            wrong.push(format!("{lines} => {}", came.trim_start_matches("VEVENT[1]")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What leaves its person free, or is past, makes no time unknown: then there is nothing to say.
#[test]
fn what_makes_no_time_unknown_is_not_told() {
    for lines in [
        "DTSTART:20261104T080000Z|DURATION:PT1H",
        "DTSTART:20261104T080000Z|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=2",
        "DTSTART:20261104T080000Z|DURATION:-PT1H|TRANSP:TRANSPARENT",
        "DTSTART:20261104T080000Z|DURATION:-PT1H|STATUS:CANCELLED",
        "DTSTART:20270104T080000Z|DURATION:-PT1H",
        "DTSTART;TZID=Nobody/Knows:20260104T080000|DURATION:PT1H",
        "DTSTART:20261104T080000Z|DURATION:PT1H|EXDATE:x",
    ] {
        let payload = feed(&[lines]);
        assert!(!told(&payload).contains('?'), "{lines}: {}", told(&payload));
        assert_eq!(skipped(&payload), Vec::<String>::new(), "{lines}");
    }
}

/// A feed of many events with one fault has one line of it.
#[test]
fn one_fault_is_one_line() {
    let rule = "DTSTART:20261104T080000Z|DURATION:PT1H|RRULE:FREQ=DAILY;INTERVAL=0";
    let end = "DTSTART:20261104T080000Z|DTEND:x";
    let came = skipped(&feed(&[rule, end, rule, rule]));
    let expected = [
        "VEVENT[1].RRULE: recurs in a way that nobody here knows, or too often: time from the earliest instant that the event names on is unknown \
         (and 2 more)",
        "VEVENT[3].DTEND: not understood, or not after the start: time from the earliest instant that the event names on is unknown",
    ];
    assert_eq!(came, expected);
}

/// A zone that the calendar defines otherwise than its name says.
#[test]
fn a_zone_of_the_files_own_is_named_as_the_fault() {
    let zone = |name: &str| {
        let rules = "BEGIN:STANDARD|TZOFFSETFROM:-0500|TZOFFSETTO:-0500|DTSTART:19700101T000000|END:STANDARD";
        let event = format!("BEGIN:VEVENT|UID:u|DTSTART;TZID={name}:20261104T080000|DURATION:PT1H|END:VEVENT");
        let text = format!("BEGIN:VCALENDAR|BEGIN:VTIMEZONE|TZID:{name}|{rules}|END:VTIMEZONE|{event}|END:VCALENDAR|");
        let mut payload = sample("native_ical_vevent");
        payload["body"]["response"] = json!(text.replace('|', "\r\n"));
        skipped(&payload)
    };
    let told = |fault: &str| vec![format!("VEVENT[0].DTSTART: {fault}: all that its time can be is unknown")];
    assert_eq!(zone("Customized Time Zone"), told("a zone that nobody here knows"));
    let contradicted = "a zone that the calendar's own rules, or the mark of UTC, contradict";
    assert_eq!(zone("Europe/Berlin"), told(contradicted));
}

/// `sample | pointer | with | becomes`
const ROWS: &str = r#"
ical_vfreebusy | ~/body | END:VFREEBUSY => REQUEST-STATUS:3.7;Invalid user;secret\nEND:VFREEBUSY | service-owner r1793696472000 busy 4 unknown 4320 min; skipped: VFREEBUSY[0].REQUEST-STATUS: no success (3.7): all time of the answer is unknown
ical_vfreebusy | ~/body | END:VFREEBUSY => REQUEST-STATUS:secret@example.com\nEND:VFREEBUSY | service-owner r1793696472000 busy 4 unknown 4320 min; skipped: VFREEBUSY[0].REQUEST-STATUS: no success: all time of the answer is unknown
graph_get_schedule | /body/response/value/1/error | {"message":"secret","responseCode":"secret person"} | security-reviewer r1793696472000 busy 3 unknown 60 min; gone r1793696472000 busy 0 unknown 4320 min; skipped: $.response.value[1].error: the mailbox could not be read: all of its time is unknown
graph_get_schedule | /body/response/value/0/availabilityView | - | security-reviewer r1793696472000 busy 3 unknown 60 min; gone r1793696472000 busy 0 unknown 4320 min; skipped: $.response.value[1].error: the mailbox could not be read (5009): all of its time is unknown
graph_get_schedule | /body/response/value/0/availabilityView | "" | security-reviewer r1793696472000 busy 3 unknown 4320 min; gone r1793696472000 busy 0 unknown 4320 min; skipped: $.response.value[0].availabilityView: not one digit for each slot: all of the mailbox's time is unknown; skipped: $.response.value[1].error: the mailbox could not be read (5009): all of its time is unknown
graph_get_schedule | /body/response/value/0/scheduleItems | - | security-reviewer r1793696472000 busy 0 unknown 4320 min; gone r1793696472000 busy 0 unknown 4320 min; skipped: $.response.value[0].scheduleItems: not told: all of the mailbox's time is unknown; skipped: $.response.value[1].error: the mailbox could not be read (5009): all of its time is unknown
graph_get_schedule | /body/response/value/0/scheduleItems/0/status | "secret" | security-reviewer r1793696472000 busy 2 unknown 150 min; gone r1793696472000 busy 0 unknown 4320 min; skipped: $.response.value[0].scheduleItems[0].status: a word that nobody here knows: the entry's time is unknown; skipped: $.response.value[1].error: the mailbox could not be read (5009): all of its time is unknown
graph_get_schedule | /body/response/value | [] | security-reviewer r1793696472000 busy 0 unknown 4320 min; gone r1793696472000 busy 0 unknown 4320 min; skipped: $.request.schedules[0]: not in the answer: all of its time is unknown (and 1 more)
graph_calendar_view | /body/response/value/0/showAs | "secret" | security-reviewer r1793696472000 busy 1 unknown 3150 min; skipped: $.response.value[0].showAs: a word that nobody here knows: the entry's time is unknown; skipped: $.response.value[2]: a day on nobody's clock (the binding has no `time_zone`): all that it can be is unknown
graph_calendar_view | /body/response/value/0/showAs | - | security-reviewer r1793696472000 busy 1 unknown 3150 min; skipped: $.response.value[0].showAs: not told: the entry's time is unknown; skipped: $.response.value[2]: a day on nobody's clock (the binding has no `time_zone`): all that it can be is unknown
google_free_busy | / |  | database-owner r1793696472000 busy 1 unknown 0 min; gone r1793696472000 busy 0 unknown 4320 min; skipped: $.calendars[1].errors: the calendar could not be read (notFound): all of its time is unknown
google_free_busy | /body/calendars/gone@example.com/errors | [{"reason":"secret@example.com"}] | database-owner r1793696472000 busy 1 unknown 0 min; gone r1793696472000 busy 0 unknown 4320 min; skipped: $.calendars[1].errors: the calendar could not be read: all of its time is unknown
google_free_busy | /body/calendars/gone@example.com | {} | database-owner r1793696472000 busy 1 unknown 0 min; gone r1793696472000 busy 0 unknown 4320 min; skipped: $.calendars[1].busy: not told: all of the calendar's time is unknown
google_events | /body/response/accessRole | "none" | database-owner r1793696472000 busy 2 unknown 4320 min; skipped: $.response.accessRole: may not see entries: all of the calendar's time is unknown
google_events | /body/response/items/0/status | "secret" | database-owner r1793696472000 busy 1 unknown 105 min; skipped: $.response.items[0].status: a word that nobody here knows: the entry's time is unknown
google_events | /body/response/timeZone | "secret" | database-owner r1793696472000 busy 1 unknown 3000 min; skipped: $.response.items[2]: a day on nobody's clock, or two ends that differ: its time is unknown
google_events | /body/response/items/0/endTimeUnspecified | true | database-owner r1793696472000 busy 2 unknown 1440 min; skipped: $.response.items[0].endTimeUnspecified: no end is told: the day that begins with it is unknown
opsgenie_timeline | /body/data/_parent/enabled | false | database-owner r1793696472000 busy 1 unknown 10080 min; skipped: $.data._parent.enabled: the schedule is switched off: all of its time is unknown; skipped: $.data.finalTimeline.rotations[0].periods[1]: names nobody whom a bound name can be compared with: its time is unknown
"#;

#[test]
fn every_part_that_cannot_be_read_says_why() {
    hold(&[ROWS], &bindings(|_| ()));
    // Reasons of an answer hold nothing that stands in it.
    for row in ROWS.lines() {
        let came = row.splitn(4, '|').nth(3).unwrap_or_default();
        assert!(!came.contains("secret"), "{row}");
    }
}
