//! Local times where a clock is set forward or back, rules that are not lawful, and ends that are said in two ways. Time is
//! free only where every reading leaves it free.

mod common;

use common::{bindings, of, said, sample, told};
use refresh_core::facts::fact::Body;
use serde_json::{Value, json};

fn feed(day: (&str, &str), lines: &str) -> String {
    let mut payload = sample("native_ical_vevent");
    payload["body"]["request"]["start"] = json!(day.0);
    payload["body"]["request"]["end"] = json!(day.1);
    let lines = lines.replace(' ', "\r\n").replace("@", ";TZID=Europe/Berlin:");
    let text = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:u\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    payload["body"]["response"] = json!(text);
    told(&payload)
}

/// Set forward from 02:00 to 03:00 at 01:00Z.
const SPRING: (&str, &str) = ("2026-03-28T00:00:00Z", "2026-03-30T22:00:00Z");
/// Set back from 03:00 to 02:00 at 01:00Z.
const AUTUMN: (&str, &str) = ("2026-10-24T00:00:00Z", "2026-10-26T23:00:00Z");

#[test]
fn an_event_lasts_as_long_as_any_reading_of_its_end() {
    for (day, lines, expected) in [
        // A recurring end is exact time (RFC 5545, 3.8.5.3), or stands on the clock (Outlook).
        (SPRING, "DTSTART@20260322T010000 DTEND@20260322T030000 RRULE:FREQ=WEEKLY", "29 00:00-29 02:00"),
        (AUTUMN, "DTSTART@20261018T010000 DTEND@20261018T030000 RRULE:FREQ=WEEKLY", "24 23:00-25 02:00"),
        // An event that happens once ends where it says.
        (SPRING, "DTSTART@20260329T010000 DTEND@20260329T040000", "29 00:00-29 02:00"),
        (AUTUMN, "DTSTART@20261025T010000 DTEND@20261025T040000", "24 23:00-25 03:00"),
        // Hours are exact time (RFC 5545, 3.3.6).
        (SPRING, "DTSTART@20260329T010000 DURATION:PT2H", "29 00:00-29 02:00"),
        (SPRING, "DTSTART@20260328T120000 DURATION:PT24H", "28 11:00-29 11:00"),
        (SPRING, "DTSTART@20260301T220000 DURATION:PT8H RRULE:FREQ=WEEKLY;BYDAY=SA", "28 21:00-29 05:00"),
        (AUTUMN, "DTSTART@20261025T010000 DURATION:PT1H30M", "24 23:00-25 01:30"),
        (AUTUMN, "DTSTART@20261024T120000 DURATION:PT24H", "24 10:00-25 11:00"),
        // Days are days of the clock.
        (SPRING, "DTSTART@20260328T120000 DURATION:P1D", "28 11:00-29 10:00"),
        (SPRING, "DTSTART@20260328T120000 DURATION:P1DT1H", "28 11:00-29 11:00"),
        (AUTUMN, "DTSTART@20261024T120000 DURATION:P1D", "24 10:00-25 11:00"),
        (SPRING, "DTSTART;VALUE=DATE:20260301 RRULE:FREQ=WEEKLY", "28 23:00-29 22:00"),
        // In a gap: the offset before it, or after it, and never shorter than it says.
        (SPRING, "DTSTART@20260329T023000 DTEND@20260329T033000", "29 00:30-29 02:30"),
        (SPRING, "DTSTART@20260329T021500 DTEND@20260329T024500", "29 00:15-29 01:45"),
        (SPRING, "DTSTART@20260320T023000 DTEND@20260320T030000 RRULE:FREQ=WEEKLY;BYDAY=SU", "29 00:30-29 02:00"),
        (SPRING, "DTSTART@20260301T010000 DTEND@20260301T013000 RDATE@20260329T023000", "29 00:30-29 02:00"),
        // An exception names the occurrence by its local time, or by the instant that RFC 5545 gives that.
        (SPRING, "DTSTART@20260322T023000 DURATION:PT30M RRULE:FREQ=WEEKLY EXDATE@20260329T023000", ""),
        (SPRING, "DTSTART@20260322T023000 DURATION:PT30M RRULE:FREQ=WEEKLY EXDATE:20260329T013000Z", ""),
        // In the hour that comes twice.
        (AUTUMN, "DTSTART@20261018T023000 DTEND@20261018T024500 RRULE:FREQ=WEEKLY", "25 00:30-25 01:45"),
        // 01:15Z is 02:15 on the clock, and the occurrence at 02:30 came at 00:30Z.
        (
            AUTUMN,
            "DTSTART@20261018T023000 DURATION:PT15M RRULE:FREQ=WEEKLY;UNTIL=20261025T011500Z",
            "25 00:30-25 01:45",
        ),
        (AUTUMN, "DTSTART@20261018T023000 DURATION:PT15M RRULE:FREQ=WEEKLY;UNTIL=20261025T001500Z", ""),
        (AUTUMN, "DTSTART@20261025T023000 DURATION:P4294967295W", "25 00:30-26 23:00?"),
    ] {
        assert_eq!(feed(day, lines), expected, "{lines}");
    }
}

#[test]
fn the_last_day_of_a_series_of_days_is_the_date_that_stands_there() {
    for (zone, until, days) in [
        ("America/New_York", "20260330T000000Z", 3),
        ("America/New_York", "20260330T040000Z", 3),
        ("America/New_York", "20260330", 3),
        ("Europe/Berlin", "20260329T220000Z", 3),
        ("Asia/Tokyo", "20260329T150000Z", 3),
        ("Asia/Tokyo", "20260330T000000Z", 3),
        ("Asia/Tokyo", "20260329T140000Z", 2),
    ] {
        let mut payload = sample("native_ical_vevent");
        payload["body"]["request"]["start"] = json!("2026-03-20T00:00:00Z");
        payload["body"]["request"]["end"] = json!("2026-04-20T00:00:00Z");
        let lines = format!("DTSTART;VALUE=DATE:20260328\r\nRRULE:FREQ=DAILY;UNTIL={until}");
        payload["body"]["response"] =
            json!(format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:u\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"));
        let bindings = bindings(|native| of(native, "ical.vevent")["time_zone"] = json!(zone));
        let came = said(&payload, &bindings);
        assert!(came.contains(&format!("busy {days} unknown 0 min")), "{zone} {until}: {came}");
    }
}

/// What RFC 5545 forbids was meant as some recurrence.
#[test]
fn a_rule_that_is_not_lawful_is_unknown_time() {
    for rule in [
        "FREQ=MONTHLY;BYYEARDAY=88",
        "FREQ=YEARLY;BYWEEKNO=13;BYDAY=1SU",
        "FREQ=YEARLY;BYDAY=54SU",
        "FREQ=WEEKLY;BYMONTHDAY=29",
        "FREQ=DAILY;BYDAY=5SU",
        "FREQ=MONTHLY;BYDAY=6SU",
        "FREQ=DAILY;BYHOUR=24",
        "FREQ=DAILY;BYSETPOS=1",
    ] {
        let came = feed(SPRING, &format!("DTSTART@20260301T010000 DTEND@20260301T020000 RRULE:{rule}"));
        assert_eq!(came, "28 00:00-30 22:00?", "{rule}");
    }
    // Hours of a day that has none.
    let came = feed(SPRING, "DTSTART;VALUE=DATE:20260301 RRULE:FREQ=DAILY;BYHOUR=9");
    assert_eq!(came, "28 00:00-30 22:00?");
}

/// An event that stands for other occurrences too leaves nothing of its series known that it may have changed.
#[test]
fn a_range_of_a_series_is_unknown_time() {
    let with = |range: &str, start: &str| {
        let mut payload = sample("native_ical_vevent");
        payload["body"]["request"] = json!({
            "person": payload["body"]["request"]["person"], "start": "2026-11-02T00:00:00Z", "end": "2026-11-07T00:00:00Z" });
        let text = format!(
            "BEGIN:VCALENDAR|BEGIN:VEVENT|UID:u|DTSTART:20261101T100000Z|DURATION:PT1H|RRULE:FREQ=DAILY|END:VEVENT|\
             BEGIN:VEVENT|UID:u|RECURRENCE-ID{range}:20261105T100000Z|DTSTART:{start}|DURATION:PT1H|END:VEVENT|END:VCALENDAR|"
        );
        payload["body"]["response"] = json!(text.replace('|', "\r\n"));
        let came = told(&payload);
        came.split(", ").filter(|time| time.ends_with('?')).collect::<Vec<_>>().join(", ")
    };
    let later = "20261105T120000Z";
    assert_eq!(with("", later), "");
    assert_eq!(with(";RANGE=THISANDFUTURE", later), "05 10:00-07 00:00?");
    assert_eq!(with(";RANGE=\"thisandfuture\"", later), "05 10:00-07 00:00?");
    // Moved to an earlier time, and all later ones with it.
    assert_eq!(with(";RANGE=THISANDFUTURE", "20261105T080000Z"), "05 08:00-07 00:00?");
    for range in [";RANGE=THISANDPRIOR", ";RANGE=ALL", ";X=\"a:b\";RANGE=THISANDPRIOR"] {
        assert_eq!(with(range, later), "02 00:00-07 00:00?", "{range}");
    }
}

/// Two ends that contradict each other, an owner who answered twice, a day that ends where it begins.
#[test]
fn an_entry_of_google_that_contradicts_itself_is_not_free() {
    let with = |start: Value, end: Value, attendees: Value| {
        let mut payload = sample("native_google_events");
        payload["body"]["response"]["timeZone"] = json!("UTC");
        payload["body"]["response"]["items"] =
            json!([{ "status": "confirmed", "start": start, "end": end, "attendees": attendees }]);
        told(&payload)
    };
    let (day, next) = (json!({ "date": "2026-11-04" }), json!({ "date": "2026-11-05" }));
    assert_eq!(with(day.clone(), next.clone(), json!([])), "04 00:00-05 00:00");
    assert_eq!(with(day.clone(), day.clone(), json!([])), "04 00:00-05 00:00");
    let both = |day: &str, hour: &str| json!({ "date": day, "dateTime": format!("2026-11-04T{hour}:00:00Z") });
    assert_eq!(with(both("2026-11-04", "10"), both("2026-11-04", "12"), json!([])), "04 00:00-05 00:00?");
    assert_eq!(with(both("2026-11-05", "10"), both("2026-11-05", "12"), json!([])), "04 10:00-06 00:00?");
    let own = |answer: &str| json!({ "self": true, "responseStatus": answer });
    let other = json!({ "responseStatus": "accepted" });
    for (attendees, free) in [
        (json!([own("declined")]), true),
        (json!([own("declined"), other]), true),
        (json!([own("declined"), own("declined")]), true),
        (json!([own("declined"), own("accepted")]), false),
        (json!([own("accepted"), own("declined")]), false),
        (json!([own("declined"), { "self": true }]), false),
        (json!([{ "responseStatus": "declined" }]), false),
        (json!([]), false),
    ] {
        let came = with(day.clone(), next.clone(), attendees.clone());
        assert_eq!(came.is_empty(), free, "{attendees}: {came}");
    }
}

/// A whole day of Outlook that ends where it begins is that day.
#[test]
fn a_whole_day_of_graph_without_a_length_is_a_day() {
    let mut payload = sample("native_graph_calendar_view");
    let midnight = json!({ "dateTime": "2026-11-04T00:00:00.0000000", "timeZone": "UTC" });
    payload["body"]["response"]["value"] =
        json!([{ "showAs": "busy", "isAllDay": true, "isCancelled": false, "start": midnight, "end": midnight }]);
    let bindings = bindings(|native| of(native, "graph.calendar_view")["time_zone"] = json!("UTC"));
    assert!(said(&payload, &bindings).contains("busy 1 "), "{}", said(&payload, &bindings));
    assert!(told(&payload).ends_with('?'), "on a clock that nobody names: {}", told(&payload));
}

/// The freezes of one schedule, `S1`: rows of each table.
fn frozen(schedules: Value, spans: Value, children: Value) -> String {
    let mut payload = sample("native_servicenow_schedules");
    payload["body"] = json!({ "schedules": { "result": schedules }, "spans": { "result": spans }, "children": { "result": children } });
    payload["headers"]["Date"] = json!("Sat, 24 Oct 2026 00:00:00 GMT");
    let bindings = bindings(|native| {
        of(native, "servicenow.schedules")["schedules"] = json!({ "S1": { "calendar": "prod", "protected": true } });
    });
    let reading = sources::read(&payload.to_string(), &bindings).unwrap_or_else(|refused| panic!("{refused}"));
    let freezes = reading.events.iter().flat_map(|event| match event.body() {
        Some(Body::Freeze(freezes)) => freezes.iter().map(|one| format!("{}/{}", one.start, one.end)).collect(),
        _ => Vec::new(),
    });
    let skipped = reading.skipped.iter().map(ToString::to_string);
    freezes.chain(skipped).collect::<Vec<_>>().join(", ").replace(":00Z", "Z")
}

fn span(id: &str, schedule: &str, start: &str, end: &str) -> Value {
    json!({ "sys_id": id, "schedule": { "value": schedule }, "type": "", "start_date_time": start, "end_date_time": end,
        "all_day": "false", "repeat_type": "", "repeat_count": "1", "repeat_until": "", "days_of_week": "" })
}

fn row(id: &str, zone: &str, parent: &str) -> Value {
    json!({ "sys_id": id, "time_zone": zone, "parent": parent })
}

/// What a parent or a child freezes is frozen; and where one of them is not told, nothing is told.
#[test]
fn a_schedule_is_frozen_with_its_parents_and_children() {
    let berlin = "Europe/Berlin";
    let own = span("own", "S1", "20261103T180000", "20261103T200000");
    let theirs = |schedule: &str| span("theirs", schedule, "20261104T180000", "20261104T200000");
    let (own_time, their_time) = ("2026-11-03T17:00Z/2026-11-03T19:00Z", "2026-11-04T17:00Z/2026-11-04T19:00Z");
    let both = format!("{own_time}, {their_time}");
    let none = json!([]);
    let child = |kind: &str| json!([{ "schedule": "S1", "child_schedule": { "value": "S2" }, "type": kind }]);
    for (schedules, spans, children, expected) in [
        (json!([row("S1", berlin, "")]), json!([own]), none.clone(), own_time.to_owned()),
        (
            json!([row("S1", berlin, "S2"), row("S2", berlin, "")]),
            json!([own, theirs("S2")]),
            none.clone(),
            both.clone(),
        ),
        (
            json!([row("S1", berlin, "S2"), row("S2", berlin, "")]),
            json!([theirs("S2")]),
            none.clone(),
            their_time.to_owned(),
        ),
        // A parent's parent, and a circle.
        (
            json!([row("S1", berlin, "S2"), row("S2", berlin, "S3"), row("S3", berlin, "S1")]),
            json!([own, theirs("S3")]),
            none.clone(),
            both.clone(),
        ),
        (
            json!([row("S1", berlin, ""), row("S2", berlin, "")]),
            json!([own, theirs("S2")]),
            child("include"),
            both.clone(),
        ),
        (json!([row("S1", berlin, ""), row("S2", berlin, "")]), json!([own, theirs("S2")]), child(""), both.clone()),
        // Time that a child takes out is frozen all the same; another schedule's parent is none of this one's.
        (
            json!([row("S1", berlin, ""), row("S2", berlin, "")]),
            json!([own, theirs("S2")]),
            child("exclude"),
            own_time.to_owned(),
        ),
        (
            json!([row("S1", berlin, ""), row("S2", berlin, "S1")]),
            json!([own, theirs("S2")]),
            none.clone(),
            own_time.to_owned(),
        ),
        // On the clock of either schedule.
        (
            json!([row("S1", "UTC", "S2"), row("S2", berlin, "")]),
            json!([theirs("S2")]),
            none.clone(),
            format!("{their_time}, 2026-11-04T18:00Z/2026-11-04T20:00Z"),
        ),
        (
            json!([row("S1", "floating", "S2"), row("S2", berlin, "")]),
            json!([theirs("S2")]),
            none.clone(),
            their_time.to_owned(),
        ),
        (
            json!([row("S1", berlin, "S2")]),
            json!([own]),
            none.clone(),
            "freeze calendar prod: schedule \"S2\", which applies to \"S1\", is not told whole".to_owned(),
        ),
        (
            json!([row("S1", berlin, "")]),
            json!([own]),
            child("include"),
            "freeze calendar prod: schedule \"S2\", which applies to \"S1\", is not told whole".to_owned(),
        ),
        (
            json!([row("S1", berlin, "S2"), row("S2", berlin, "")]),
            json!([own, { "sys_id": "x", "schedule": "S2" }]),
            none,
            "freeze calendar prod: schedule \"S2\", which applies to \"S1\", is not told whole".to_owned(),
        ),
    ] {
        let case = format!("{schedules} {children}");
        assert_eq!(frozen(schedules, spans, children), expected, "{case}");
    }
}

#[test]
fn a_freeze_lasts_as_long_as_any_reading_of_its_ends() {
    let once = |start: &str, end: &str| {
        frozen(json!([row("S1", "Europe/Berlin", "")]), json!([span("s", "S1", start, end)]), json!([]))
    };
    for (start, end, expected) in [
        ("20261103T180000", "20261103T200000", "2026-11-03T17:00Z/2026-11-03T19:00Z"),
        // Each end on its own clock.
        ("20261103T180000", "20261103T200000Z", "2026-11-03T17:00Z/2026-11-03T20:00Z"),
        ("20261103T180000Z", "20261103T200000", "2026-11-03T18:00Z/2026-11-03T19:00Z"),
        ("20261103T180000", "20261103T173000Z", "2026-11-03T17:00Z/2026-11-03T17:30Z"),
        ("20261025T023000", "20261025T024500", "2026-10-25T00:30Z/2026-10-25T01:45Z"),
    ] {
        assert_eq!(once(start, end), expected, "{start} {end}");
    }
    let reversed = once("20261103T180000", "20261103T160000Z");
    assert!(reversed.starts_with("freeze calendar prod: span \"s\" does not end after it starts"), "{reversed}");
    let nightly = |kind: &str, days: &str, start: &str, end: &str| {
        let mut span = span("s", "S1", start, end);
        span["repeat_type"] = json!(kind);
        span["days_of_week"] = json!(days);
        span["repeat_until"] = json!("20261026");
        frozen(json!([row("S1", "Europe/Berlin", "")]), json!([span]), json!([]))
    };
    assert_eq!(
        nightly("daily", "", "20261024T010000", "20261024T030000"),
        "2026-10-23T23:00Z/2026-10-24T01:00Z, 2026-10-24T23:00Z/2026-10-25T02:00Z, 2026-10-26T00:00Z/2026-10-26T02:00Z"
    );
    assert_eq!(nightly("weekly", "1", "20261024T010000", "20261024T030000").matches('/').count(), 2);
    // No day is no repetition that anybody knows.
    let without = nightly("weekly", "", "20261024T010000", "20261024T030000");
    assert_eq!(without, "freeze calendar prod: schedule \"S1\" is not told whole");
}

/// A freeze in the hour that a clock skips.
#[test]
fn a_freeze_in_a_gap_does_not_vanish() {
    let mut payload = sample("native_servicenow_schedules");
    payload["headers"]["Date"] = json!("Sat, 28 Mar 2026 00:00:00 GMT");
    payload["body"]["spans"]["result"].as_array_mut().expect("spans").truncate(1);
    for (repeat, expected) in [("", "29 00:30-29 02:30"), ("daily", "29 00:30-29 02:30")] {
        let span = &mut payload["body"]["spans"]["result"][0];
        span["start_date_time"] = json!("20260329T023000");
        span["end_date_time"] = json!("20260329T033000");
        span["repeat_type"] = json!(repeat);
        span["repeat_until"] = json!("20260329");
        assert_eq!(told(&payload), expected, "{repeat}");
    }
}
