//! What a refusal says of where its payload is from: format, binding, source, and the record in the source's own words.

mod common;

use common::{bindings, of, sample};
use serde_json::{Value, json};
use sources::read;

/// Whoever looks for what a source's payloads came to needs its name, and the source's own word for the record.
#[test]
fn a_refusal_says_where_its_payload_is_from() {
    let bindings = bindings(|native| {
        of(native, "roster.csv")["name"] = "staff".into();
        let mut second = of(native, "google.events").clone();
        second["name"] = "second".into();
        native.as_array_mut().expect("a list").push(second);
        of(native, "google.events")["name"] = "first".into();
        let other = native.as_array_mut().expect("a list").last_mut().expect("the second");
        other["calendar"] = "second".into();
    });
    let spoiled = |name: &str, place: &str, with: Value| {
        let mut payload = sample(name);
        *payload.pointer_mut(place).expect("a place") = with;
        payload
    };
    let start = "/body/response/value/0/scheduleItems/0/start/timeZone";
    let mut second = spoiled("native_google_events", "/body/response/items/0/start", json!({}));
    second["binding"] = "second".into();
    for (payload, source, binding, record) in [
        (
            spoiled("native_graph_get_schedule", start, json!("tzone://Microsoft/Custom")),
            "//availability.example.com",
            None,
            Some("security-reviewer@example.com"),
        ),
        (
            spoiled("native_graph_calendar_view", "/body/response/value/0/start", json!({})),
            "//availability.example.com",
            None,
            sample("native_graph_calendar_view")["body"]["request"]["user"].as_str(),
        ),
        (
            second,
            "//availability.example.com",
            Some("second"),
            sample("native_google_events")["body"]["request"]["calendarId"].as_str(),
        ),
        (
            spoiled("native_servicenow_change_request", "/body/result/state", json!("Scheduled")),
            "//change.example.com",
            None,
            Some("CHG0031337"),
        ),
        (spoiled("native_roster_csv", "/body", json!("service")), "//delegation.example.com", Some("staff"), None),
    ] {
        let body = payload.to_string();
        let read = read(&body, &bindings);
        let refused = match &read {
            Ok(reading) => &reading.refused.first().unwrap_or_else(|| panic!("{payload} is taken")).refused,
            Err(refused) => refused,
        };
        let origin = refused.origin.as_deref().unwrap_or_else(|| panic!("{refused}: of nowhere"));
        assert_eq!(origin.format, payload["format"].as_str(), "{refused}");
        assert_eq!(refused.source().map(refresh_core::Source::as_str), Some(source), "{refused}");
        assert_eq!((origin.binding.as_deref(), origin.record.as_deref()), (binding, record), "{refused}");
        let reasons = refused.reasons().join("\n");
        assert!(record.is_none_or(|record| reasons.starts_with(&format!("{record}: $"))), "{reasons}");
        assert!(!refused.outline().contains('@') && !refused.expectations().contains('@'), "{refused}");
    }
}

/// A letter says by itself which record it is about.
#[test]
fn a_body_of_one_record_names_it() {
    for (name, record) in [
        ("native_servicenow_change_request", Some("CHG0031337")),
        ("native_graph_get_schedule", None),
        ("native_ical_vevent_feed", None),
        ("evidence_ready", None),
    ] {
        assert_eq!(sources::record_of(&sample(name).to_string()).as_deref(), record, "{name}");
    }
    let of = |body: Value| sources::record_of(&json!({ "format": "x", "body": body }).to_string());
    for (body, record) in [
        (json!({ "request": { "schedules": ["a@example.com"] } }), Some("a@example.com")),
        (json!({ "request": { "schedules": ["a@example.com", "b@example.com"] } }), None),
        (json!({ "request": { "items": [{ "id": "room" }] } }), Some("room")),
        (json!({ "request": { "schedule_id": "S1" } }), Some("S1")),
        (json!({ "result": [{ "number": { "value": "CHG1", "display_value": "x" } }] }), Some("CHG1")),
        (json!({ "issues": [{ "key": "CHANGE-1" }] }), Some("CHANGE-1")),
        (json!("text"), None),
    ] {
        assert_eq!(of(body.clone()).as_deref(), record, "{body}");
    }
}
