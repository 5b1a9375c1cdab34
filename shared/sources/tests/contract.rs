//! The contract's rules, one row a case: a good event, one member of it replaced (or taken out with `-`), and what is
//! said of it. `ok` in the last column: it is still good.

use refresh_core::facts::fact::Body;
use serde_json::{Value, json};

fn good(short: &str) -> Value {
    let data = match short {
        "review.issued" => json!({
            "review_id": "RR-1", "revision": 1, "title": "Release", "service": "identity", "change_id": "CHG1", "version": 7,
            "slot": {"start": "2026-11-03T15:00:00Z", "end": "2026-11-03T16:00:00Z"}, "time_zone": "Europe/Berlin",
            "roles": [{"role": "release_manager", "attendee": "rm-a@example.com"}],
            "optional": [], "checkpoints": ["tests"], "meeting": {"uid": "rr-1@example.com", "sequence": 0}, "policy": {}
        }),
        "review.closed" => json!({"review_id": "RR-1", "revision": 1, "reason": "done"}),
        "change.updated" => json!({
            "change_id": "CHG1", "revision": 1, "state": "approved",
            "review_window": {"opens": "2026-11-03T13:00:00Z", "closes": "2026-11-03T21:00:00Z"},
            "cutover": {"starts": "2026-11-03T22:00:00Z", "ends": "2026-11-03T23:00:00Z"},
            "owner": "rm-a@example.com", "owner_confirmation": "confirmed"
        }),
        "evidence.updated" => json!({
            "change_id": "CHG1", "checkpoint": "tests", "revision": 1, "status": "ready", "ready_at": "2026-11-03T14:00:00Z"
        }),
        "delegation.updated" => json!({
            "service": "identity", "role": "sre", "revision": 1, "holder": "a@example.com",
            "delegates": [{"person": "b@example.com", "status": "approved", "valid_from": "2026-11-01T00:00:00Z",
                           "valid_until": "2026-12-01T00:00:00Z"}, {"person": "c@example.com", "status": "proposed"}]
        }),
        "availability.updated" => json!({
            "person": "a@example.com", "kind": "calendar", "revision": 1,
            "horizon": {"start": "2026-11-03T00:00:00Z", "end": "2026-11-04T00:00:00Z"},
            "busy": [{"start": "2026-11-03T10:00:00Z", "end": "2026-11-03T11:00:00Z", "own": true}],
            "unknown": [{"start": "2026-11-03T20:00:00Z", "end": "2026-11-03T21:00:00Z"}]
        }),
        "freeze.updated" => json!({
            "calendar": "prod", "revision": 1,
            "freezes": [{"id": "f1", "start": "2026-11-03T20:00:00Z", "end": "2026-11-03T23:00:00Z", "protected": true}]
        }),
        "person.updated" => json!({"person": "a@example.com", "revision": 1, "name": "A", "time_zone": "UTC"}),
        other => panic!("no good event of type {other}"),
    };
    json!({
        "specversion": "1.0", "id": "e1", "source": "//s.example.com", "type": format!("dev.holdpoint.{short}.v1"),
        "time": "2026-11-03T09:00:00Z", "datacontenttype": "application/json", "data": data
    })
}

fn replaced(mut event: Value, pointer: &str, with: &str) -> Value {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    let parent = event.pointer_mut(parent).unwrap_or_else(|| panic!("nothing at {pointer}"));
    match (parent, with) {
        (Value::Object(members), "-") => drop(members.remove(name)),
        (Value::Object(members), text) => {
            let value = serde_json::from_str(text).unwrap_or_else(|_| panic!("no JSON: {text}"));
            members.insert(name.to_owned(), value);
        }
        (Value::Array(items), text) => {
            let index: usize = name.parse().expect("an index");
            items[index] = serde_json::from_str(text).unwrap_or_else(|_| panic!("no JSON: {text}"));
        }
        _ => panic!("nothing to replace at {pointer}"),
    }
    event
}

const ROWS: &str = r#"
review.issued        | /id                        | null                        | $.id: expected a string of 1 to 400 bytes without control characters; found null
review.issued        | /source                    | ""                          | $.source: expected a string of 1 to 400 bytes without control characters; found ""
review.issued        | /specversion               | -                           | $.specversion: expected "1.0"; found nothing
review.issued        | /specversion               | 1.0                         | $.specversion: expected "1.0"; found 1.0
review.issued        | /type                      | 7                           | $.type: expected a string; found 7
review.issued        | /time                      | null                        | ok
review.issued        | /time                      | "2026-11-03T09:00:00"       | $.time: expected an RFC 3339 instant with an offset, like 2026-11-03T15:30:00Z; found "2026-11-03T09:00:00"
review.issued        | /datacontenttype           | "application/x+json; a=b"   | ok
review.issued        | /datacontenttype           | "text/plain"                | $.datacontenttype: expected a JSON media type like application/json; found "text/plain"
review.issued        | /data_base64               | null                        | ok
review.issued        | /data                      | null                        | $.data: expected an object; found null
review.issued        | /data                      | []                          | $.data: expected an object; found a list of 0
review.issued        | /data/version              | -                           | ok
review.issued        | /data/version              | 1.5                         | $.data.version: expected a whole number from 1 to 1000000000; found 1.5
review.issued        | /data/optional             | -                           | ok
review.issued        | /data/optional             | ["A@example.com","a@example.com"] | ok
review.issued        | /data/checkpoints          | null                        | ok
review.issued        | /data/meeting              | null                        | ok
review.issued        | /data/meeting              | {"uid":"u"}                 | ok
review.issued        | /data/meeting              | {}                          | $.data.meeting.uid: expected a calendar UID of 1 to 255 visible ASCII characters; found nothing
review.issued        | /data/meeting              | {"uid":"u","organizer":"B@Example.com","location":"Room 4","conference":"https://meet.example.com/x","description":"a\r\nb","alarm_minutes":15} | ok
review.issued        | /data/meeting              | {"uid":"u","location":"\u200b","description":""} | ok
review.issued        | /data/meeting              | {"uid":"u","organizer":"board"} | $.data.meeting.organizer: expected an e-mail address like name@example.com; found "board"
review.issued        | /data/meeting              | {"uid":"u","conference":["https://meet.example.com/x","tel:+49-30-1234"]} | ok
review.issued        | /data/meeting              | {"uid":"u","conference":[]} | ok
review.issued        | /data/meeting              | {"uid":"u","conference":["https://meet.example.com/x","a b"]} | $.data.meeting.conference[1]: expected an address like https://meet.example.com/x or tel:+49-30-1234; found "a b"
review.issued        | /data/meeting              | {"uid":"u","conference":"JavaScript:alert(1)"} | $.data.meeting.conference: expected an address like https://meet.example.com/x or tel:+49-30-1234; found "JavaScript:alert(1)"
review.issued        | /data/meeting              | {"uid":"u","conference":"a b"} | $.data.meeting.conference: expected an address like https://meet.example.com/x or tel:+49-30-1234; found "a b"
review.issued        | /data/policy               | -                           | ok
review.issued        | /data/policy               | {"working_hours":null}      | ok
review.issued        | /data/policy               | {"grid_minutes":null}       | $.data.policy.grid_minutes: expected a whole number from 5 to 1440; found null
review.issued        | /data/policy               | {"grid_minute":30}          | $.data.policy.grid_minute: expected no such member (is `grid_minutes` meant?); found "grid_minute"
review.issued        | /data/slot/end             | "2026-11-04T15:00:00Z"      | ok
review.issued        | /data/slot/end             | "2026-11-04T15:00:01Z"      | $.data.slot.end: expected an instant within 24 hours of `start`; found "2026-11-04T15:00:01Z"
review.issued        | /data/slot/end             | "2026-11-03T15:00:00Z"      | $.data.slot.end: expected an instant after `start` (2026-11-03T15:00:00Z); found 2026-11-03T15:00:00Z
review.issued        | /data/slot/end             | "2026-11-03T17:00:00+01:00" | ok
review.issued        | /data/roles                | {}                          | $.data.roles: expected a list; found an object
review.issued        | /data/roles                | []                          | $.data.roles: expected a list of at least one role; found a list of 0
review.issued        | /data/time_zone            | "Berlin"                    | $.data.time_zone: expected an IANA time zone like Europe/Berlin; found "Berlin"
review.issued        | /data/title                | " "                         | $.data.title: expected text of 1 to 200 characters on one line; found " "
review.closed        | /data/reason               | "a\tb"                      | $.data.reason: expected text of 1 to 1000 characters on one line; found "a\tb"
change.updated       | /data/owner                | null                        | ok
change.updated       | /data/owner                | -                           | $.data.owner: expected an e-mail address like name@example.com, or null; found nothing
change.updated       | /data/owner_confirmation   | null                        | $.data.owner_confirmation: expected text of 1 to 100 characters on one line; found null
change.updated       | /data/owner_confirmation   | "asked"                     | ok
change.updated       | /data/state                | "draft"                     | ok
change.updated       | /data/state                | "Approved"                  | $.data.state: expected one of draft, approved, on_hold, implementing, closed, cancelled; found "Approved"
change.updated       | /data/review_window/closes | "2027-11-04T13:00:00Z"      | ok
change.updated       | /data/review_window/closes | "2027-11-04T13:00:01Z"      | $.data.review_window.closes: expected an instant within 366 days of `opens`; found "2027-11-04T13:00:01Z"
change.updated       | /data/cutover/starts       | -                           | $.data.cutover.starts: expected an RFC 3339 instant with an offset, like 2026-11-03T15:30:00Z; found nothing
evidence.updated     | /data/ready_at             | null                        | $.data.ready_at: expected an RFC 3339 instant with an offset, like 2026-11-03T15:30:00Z; found null
evidence.updated     | /data/ready_at             | "1969-12-31T23:59:59Z"      | $.data.ready_at: expected an instant between the years 1970 and 9999; found "1969-12-31T23:59:59Z"
evidence.updated     | /data/status               | "withdrawn"                 | ok
evidence.updated     | /data/status               | "failed"                    | $.data.status: expected one of expected, ready, withdrawn; found "failed"
evidence.updated     | /data/revision             | "7"                         | $.data.revision: expected a whole number, 0 or more; found "7"
evidence.updated     | /data/revision             | 18446744073709551615        | ok
evidence.updated     | /data/revision             | 18446744073709551616        | $.data.revision: expected a whole number, 0 or more; found 1.8446744073709552e+19
delegation.updated   | /data/holder               | null                        | ok
delegation.updated   | /data/holder_valid_from    | null                        | ok
delegation.updated   | /data/holder_valid_until   | "2026-12-01T00:00:00Z"      | ok
delegation.updated   | /data/holder_valid_until   | "soon"                      | $.data.holder_valid_until: expected an RFC 3339 instant with an offset, like 2026-11-03T15:30:00Z; found "soon"
delegation.updated   | /data/delegates            | null                        | ok
delegation.updated   | /data/delegates            | -                           | $.data.delegates: expected a list, or null; found nothing
delegation.updated   | /data/delegates/1/person   | "B@EXAMPLE.com"             | $.data.delegates[1].person: expected each delegate once; found "B@EXAMPLE.com"
delegation.updated   | /data/delegates/0/valid_from | null                      | ok
delegation.updated   | /data/delegates/0/valid_until | "2026-11-01T00:00:00Z"   | $.data.delegates[0].valid_until: expected an instant after `valid_from` (2026-11-01T00:00:00Z); found 2026-11-01T00:00:00Z
delegation.updated   | /data/delegates/1          | "c@example.com"             | $.data.delegates[1]: expected an object; found "c@example.com"
delegation.updated   | /data/delegates            | [{"person":"b@example.com","status":"approved"},{"person":"B@EXAMPLE.com","status":"approved"}] | ok
delegation.updated   | /data/delegates            | [{"person":"b@example.com","status":"approved"},{"person":"B@EXAMPLE.com","status":"revoked"}] | $.data.delegates[1].person: expected each delegate once; found "B@EXAMPLE.com"
delegation.updated   | /data/delegates            | [{"person":"b@example.com","status":"approved"},{"person":"b@example.com","status":"approved"}] | $.data.delegates[1].person: expected each delegate once; found "b@example.com"
availability.updated | /data/calendar             | "work"                      | ok
availability.updated | /data/calendar             | null                        | ok
availability.updated | /data/calendar             | ""                          | $.data.calendar: expected a name of 1 to 200 characters; found ""
availability.updated | /data/merged               | "yes"                       | $.data.merged: expected true or false; found "yes"
availability.updated | /data/busy/0/end           | "2026-11-03T10:00:00Z"      | ok
availability.updated | /data/kind                 | "holiday"                   | $.data.kind: expected one of calendar, oncall; found "holiday"
availability.updated | /data/unknown              | null                        | ok
availability.updated | /data/busy                 | null                        | $.data.busy: expected a list; found null
availability.updated | /data/busy/0/own           | null                        | ok
availability.updated | /data/busy/0/own           | "yes"                       | $.data.busy[0].own: expected true or false; found "yes"
availability.updated | /data/busy/0/end           | "2026-11-03T09:00:00Z"      | $.data.busy[0].end: expected an instant after `start` (2026-11-03T10:00:00Z); found 2026-11-03T09:00:00Z
availability.updated | /data/person               | "a@example.com,b@example.com" | $.data.person: expected an e-mail address like name@example.com; found "a@example.com,b@example.com"
freeze.updated       | /data/freezes              | []                          | ok
freeze.updated       | /data/freezes/0/protected  | -                           | $.data.freezes[0].protected: expected true or false; found nothing
freeze.updated       | /data/calendar             | ""                          | $.data.calendar: expected a name of 1 to 200 characters; found ""
person.updated       | /data/name                 | 7                           | $.data.name: expected text of 1 to 200 characters on one line; found 7
"#;

#[test]
fn one_member_at_a_time() {
    for row in ROWS.lines().filter(|row| !row.is_empty()) {
        let mut columns = row.splitn(4, '|').map(str::trim);
        let mut column = || columns.next().unwrap_or_else(|| panic!("four columns: {row}"));
        let (short, pointer, with, expected) = (column(), column(), column(), column());
        let body = replaced(good(short), pointer, with).to_string();
        let said = sources::parse(&body).map_or_else(|refused| refused.to_string(), |_| "ok".to_owned());
        assert_eq!(said, expected, "{short} with {with} at {pointer}");
    }
}

#[test]
fn every_good_event_is_good() {
    for short in [
        "review.issued",
        "review.closed",
        "change.updated",
        "evidence.updated",
        "delegation.updated",
        "availability.updated",
        "freeze.updated",
        "person.updated",
    ] {
        let event = sources::parse(&good(short).to_string()).unwrap_or_else(|refused| panic!("{short}: {refused}"));
        assert_eq!(event.event_type, format!("dev.holdpoint.{short}.v1"));
        assert_eq!(event.revision(), 1);
    }
}

/// The nth item of a list.
type Item = fn(usize) -> Value;

/// Limits: the greatest number is taken, one more is refused as one fault.
#[test]
fn lists_have_limits() {
    let cases: [(&str, &str, usize, Item); 7] = [
        (
            "review.issued",
            "/data/roles",
            30,
            |i| json!({"role": format!("r{i}"), "attendee": format!("p{i}@example.com")}),
        ),
        ("review.issued", "/data/checkpoints", 50, |i| json!(format!("c{i}"))),
        ("review.issued", "/data/optional", 99, |i| json!(format!("p{i}@example.com"))),
        (
            "delegation.updated",
            "/data/delegates",
            30,
            |i| json!({"person": format!("p{i}@example.com"), "status": "approved"}),
        ),
        (
            "availability.updated",
            "/data/busy",
            4_000,
            |_| json!({"start": "2026-11-03T10:00:00Z", "end": "2026-11-03T11:00:00Z"}),
        ),
        (
            "availability.updated",
            "/data/unknown",
            4_000,
            |_| json!({"start": "2026-11-03T10:00:00Z", "end": "2026-11-03T11:00:00Z"}),
        ),
        (
            "freeze.updated",
            "/data/freezes",
            500,
            |i| json!({"id": format!("f{i}"), "start": "2026-11-03T10:00:00Z", "end": "2026-11-03T11:00:00Z", "protected": false}),
        ),
    ];
    for (short, pointer, most, item) in cases {
        let with = |count: usize| {
            let list = Value::from((0..count).map(item).collect::<Vec<_>>()).to_string();
            sources::parse(&replaced(good(short), pointer, &list).to_string())
        };
        assert!(with(most).is_ok(), "{pointer} of {most}: {:?}", with(most));
        let refused = with(most + 1).expect_err(&format!("{pointer} of {}", most + 1));
        assert_eq!(refused.faults.len(), 1, "{refused}");
    }
}

/// Order says nothing in a list of intervals, and equal entries stay two.
#[test]
fn intervals_are_sorted_and_never_merged() {
    let busy = |list: &str| {
        let event = replaced(good("availability.updated"), "/data/busy", list);
        sources::parse(&event.to_string()).unwrap_or_else(|refused| panic!("{refused}"))
    };
    let a = r#"{"start":"2026-11-03T10:00:00Z","end":"2026-11-03T11:00:00Z"}"#;
    let b = r#"{"start":"2026-11-03T12:00:00+02:00","end":"2026-11-03T12:30:00+02:00"}"#;
    let one = busy(&format!("[{a},{b},{a}]"));
    let other = busy(&format!("[{b},{a},{a}]"));
    assert_eq!(one, other);
    let Some(Body::Availability(availability)) = one.body() else { panic!("availability") };
    assert_eq!(availability.busy.len(), 3);
    assert!(availability.busy.iter().is_sorted_by_key(|entry| (entry.start, entry.end)));
}

/// States that set nothing drop whatever else the record carries, good or bad.
#[test]
fn a_draft_sets_nothing() {
    for state in ["draft", "on_hold", "closed", "cancelled"] {
        let event = replaced(good("change.updated"), "/data/state", &format!("{state:?}"));
        let event = replaced(event, "/data/review_window", "\"to be agreed\"");
        let event = sources::parse(&event.to_string()).unwrap_or_else(|refused| panic!("{refused}"));
        let Some(Body::Change(change)) = event.body() else { panic!("change") };
        assert_eq!(change.in_force, None, "{state}");
    }
}

/// What is refused still says whose it is, as far as that could be read; a log line carries no value of it.
#[test]
fn a_refusal_names_its_event_and_its_outline_tells_no_value() {
    let event = replaced(good("person.updated"), "/data/person", "\"somebody at example\"");
    let refused = sources::parse(&event.to_string()).expect_err("a bad address");
    assert_eq!(refused.identity.as_ref().map(|known| known.id.as_str()), Some("e1"));
    assert_eq!(refused.event_type.as_deref(), Some("dev.holdpoint.person.updated.v1"));
    assert_eq!(refused.outline(), "$.data.person");
}

/// An interval of no length says nothing, and a delegate in two letter cases is one.
#[test]
fn what_says_nothing_is_dropped() {
    let span = |start: &str, end: &str| json!({"start": start, "end": end});
    let nothing = span("2026-11-03T10:00:00Z", "2026-11-03T11:00:00+01:00");
    let hour = span("2026-11-03T12:00:00Z", "2026-11-03T13:00:00Z");
    let mut event = good("availability.updated");
    event["data"]["busy"] = json!([nothing, hour]);
    event["data"]["unknown"] = json!([hour, nothing]);
    let event = sources::parse(&event.to_string()).unwrap_or_else(|refused| panic!("{refused}"));
    let Some(Body::Availability(availability)) = event.body() else { panic!("availability") };
    assert_eq!((availability.busy.len(), availability.unknown.len()), (1, 1));
    assert_eq!(availability.busy.get(0).interval(), availability.unknown[0]);

    let mut event = good("delegation.updated");
    let delegate = |person: &str| json!({"person": person, "status": "approved"});
    event["data"]["delegates"] =
        json!([delegate("b@example.com"), delegate("c@example.com"), delegate("B@example.COM")]);
    let event = sources::parse(&event.to_string()).unwrap_or_else(|refused| panic!("{refused}"));
    let Some(Body::Delegation(mapping)) = event.body() else { panic!("a mapping") };
    let people: Vec<&str> = mapping.delegates.iter().flatten().map(|delegate| delegate.person.as_str()).collect();
    assert_eq!(people, ["b@example.com", "c@example.com"]);
}

/// Every subject that a fact can have can be named in a reset.
#[test]
fn a_reset_names_any_subject() {
    let subject = |kind: &str, subject: &str| {
        let event = json!({
            "specversion": "1.0", "id": "r", "source": "//o", "type": "dev.holdpoint.subject.reset.v1",
            "data": {"kind": kind, "subject": subject, "by": "ops@example.com", "reason": "a stamp in nanoseconds"},
        });
        sources::parse(&event.to_string()).map(|event| event.subject).map_err(|refused| refused.faults.len())
    };
    for event in [
        "review.issued",
        "change.updated",
        "delegation.updated",
        "availability.updated",
        "evidence.updated",
        "freeze.updated",
        "person.updated",
    ] {
        let named = sources::parse(&good(event).to_string()).expect("a good event").subject;
        assert_eq!(subject(named.kind().word(), &named.names().join("/")), Ok(named), "{event}");
    }
    let work = subject("availability", "Ada@example.com/oncall/rota/2").expect("a named calendar");
    assert_eq!(work.names(), ["ada@example.com", "oncall", "rota/2"]);
    for (kind, bad) in [
        ("operator", "x"),
        ("closure", "x"),
        ("availability", "ada@example.com"),
        ("delegation", "a"),
        ("evidence", "/k"),
        ("person", "ada"),
        ("availability", "ada@example.com/holiday"),
    ] {
        assert_eq!(subject(kind, bad), Err(1), "{kind} {bad}");
    }
}

/// A CloudEvent is one whatever its extensions are called; half of an envelope is none.
#[test]
fn an_envelope_is_known_by_all_of_its_members() {
    let event = |extensions: Value| {
        let mut event = json!({
            "specversion": "1.0", "id": "p1", "source": "//people.example.com", "type": "dev.holdpoint.person.updated.v1",
            "data": { "person": "a@example.com", "revision": 1, "name": "A", "time_zone": "UTC" },
        });
        event.as_object_mut().unwrap().extend(extensions.as_object().unwrap().clone());
        event.to_string()
    };
    for extensions in [
        json!({}),
        json!({ "Type": "Notification", "TopicArn": "arn:aws:sns:eu-central-1:1:t", "Message": "{}" }),
        json!({ "detail-type": "x", "detail": {} }),
        json!({ "detail-type": "x", "detail": {}, "Type": "Notification", "TopicArn": "t", "Message": "{}" }),
    ] {
        assert!(sources::parse(&event(extensions.clone())).is_ok(), "{extensions}");
    }
    for half in [
        json!({ "Type": "Notification", "Message": event(json!({})) }),
        json!({ "TopicArn": "t", "Message": event(json!({})) }),
        json!({ "detail-type": "x" }),
        json!({ "detail": { "specversion": "1.0" } }),
    ] {
        let refused = sources::parse(&half.to_string()).unwrap_err().to_string();
        assert!(refused.contains("$.specversion"), "{half}: {refused}");
    }
}
