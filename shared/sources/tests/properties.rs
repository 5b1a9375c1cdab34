//! For all inputs: nothing panics, nothing that has no place in a type gets through.

use std::fs;

use proptest::prelude::*;
use serde_json::{Map, Value};
use sources::{policy, read};

fn samples() -> Vec<Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/ingest");
    let mut paths: Vec<_> = fs::read_dir(folder).expect("samples").map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    let samples = paths.iter().map(|path| fs::read_to_string(path).expect("text"));
    samples.filter_map(|text| serde_json::from_str(&text).ok()).collect()
}

fn vfreebusy() -> Value {
    let good = |sample: &Value| sample["format"] == "ical.vfreebusy" && read(&sample.to_string(), bindings()).is_ok();
    samples().into_iter().find(good).expect("a good VFREEBUSY sample")
}

fn bindings() -> &'static sources::Bindings {
    static BINDINGS: std::sync::LazyLock<sources::Bindings> = std::sync::LazyLock::new(|| {
        policy::read_file(include_str!("../../../infra/policy.json")).expect("a good policy").bindings
    });
    &BINDINGS
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(Value::from("2026-11-03T14:00:00Z")),
        Just(Value::from("a@example.com")),
        Just(Value::from("9999-12-31T23:59:60Z")),
        Just(Value::from("1.0")),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((".{0,8}", inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Every place in a value, as a JSON pointer.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                places(member, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| places(item, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

/// Plants a marked member into every object, however deep, text that is JSON again included.
fn plant(value: &mut Value, depth: usize) {
    match value {
        Value::Object(members) => {
            members.iter_mut().for_each(|(_, member)| plant(member, depth + 1));
            let marker = Value::from(format!("MARKER-{depth}"));
            for name in ["summary", "subject_line", "attendees", "description", "x-marked"] {
                members.entry(name).or_insert_with(|| marker.clone());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| plant(item, depth + 1)),
        Value::String(text) => {
            if let Ok(mut inner @ Value::Object(_)) = serde_json::from_str::<Value>(text) {
                plant(&mut inner, depth + 1);
                *text = inner.to_string();
            }
        }
        _ => {}
    }
}

/// Members whose keys are data (calendars by address) or whose objects are read strictly cannot be planted into.
fn is_closed(value: &Value) -> bool {
    let native = value.get("format").and_then(Value::as_str);
    value.pointer("/data/policy").is_some() || native == Some("google.free_busy")
}

#[test]
fn what_no_type_has_a_place_for_never_gets_through() {
    let mut planted = 0;
    for mut sample in samples().into_iter().filter(|sample| !is_closed(sample)) {
        let Ok(before) = read(&sample.to_string(), bindings()) else { continue };
        plant(&mut sample, 0);
        let after = read(&sample.to_string(), bindings()).unwrap_or_else(|refused| panic!("{refused}\n{sample}"));
        assert!(!format!("{after:?}").contains("MARKER"), "{after:#?}");
        // And what was dropped was not even noticed: the same events, with the same digests.
        assert_eq!(before, after);
        planted += 1;
    }
    assert!(planted >= 25, "{planted} samples were planted into");
}

/// The two whose shape forbids planting everywhere.
#[test]
fn nor_out_of_a_google_calendar_or_a_review() {
    for mut sample in samples().into_iter().filter(is_closed) {
        let Ok(before) = read(&sample.to_string(), bindings()) else { continue };
        let inside =
            ["/data/slot", "/data/roles/0", "/data/meeting", "/body", "/body/calendars/database-owner@example.com"];
        for place in inside {
            if let Some(part @ Value::Object(_)) = sample.pointer_mut(place) {
                part["x-marked"] = Value::from("MARKER");
            }
        }
        let after = read(&sample.to_string(), bindings()).unwrap_or_else(|refused| panic!("{refused}\n{sample}"));
        assert!(!format!("{after:?}").contains("MARKER"));
        assert_eq!(before, after);
    }
}

/// iCalendar has its own lines to plant into.
#[test]
fn nor_out_of_a_calendar_text() {
    let sample = vfreebusy();
    let text = sample["body"].as_str().expect("text");
    let marked = text
        .replace("BEGIN:VFREEBUSY\r\n", "BEGIN:VFREEBUSY\r\nSUMMARY:MARKER\r\nX-NOTE:MARK\r\n ER\r\nCONTACT:MARKER\r\n")
        .replace("ATTENDEE;", "ATTENDEE;X-NOTE=MARKER;");
    let read = |text: &str| {
        let body = serde_json::json!({"format": "ical.vfreebusy", "headers": {}, "body": text});
        read(&body.to_string(), bindings()).unwrap_or_else(|refused| panic!("{refused}"))
    };
    assert_eq!(read(text), read(&marked));
    assert!(!format!("{:?}", read(&marked)).contains("MARKER"));
}

/// Other texts have their own places to plant into: another event's lines, another column, other elements.
#[test]
fn nor_out_of_any_other_text() {
    let named = |name: &str| {
        let path = format!("{}/../../events/ingest/native_{name}.json", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_str::<Value>(&fs::read_to_string(path).expect("a sample")).expect("JSON")
    };
    for (name, pointer, plants) in [
        (
            "ical_vevent_feed",
            "/body",
            &[(
                "BEGIN:VEVENT\r\n",
                "BEGIN:VEVENT\r\nLOCATION:MARKER\r\nDESCRIPTION:MARK\r\n ER\r\nX-A;X-B=MARKER:MARKER\r\n",
            )][..],
        ),
        ("ical_vevent", "/body/response", &[("BEGIN:VALARM\r\n", "BEGIN:VALARM\r\nSUMMARY:MARKER\r\n")]),
        (
            "roster_csv",
            "/body",
            &[
                ("valid_until\r\n", "valid_until,note\r\n"),
                (",,\r\n", ",,,MARKER\r\n"),
                (",2026-11-30\r\n", ",2026-11-30,MARKER\r\n"),
            ],
        ),
        (
            "ical_vfreebusy_schedule_response",
            "/body",
            &[("<C:response>", "<C:response><!-- MARKER --><D:responsedescription>MARKER</D:responsedescription>")],
        ),
        ("ical_vfreebusy_query", "/body/response", &[("BEGIN:VFREEBUSY\r\n", "BEGIN:VFREEBUSY\r\nCOMMENT:MARKER\r\n")]),
    ] {
        let sample = named(name);
        let before = read(&sample.to_string(), bindings()).unwrap_or_else(|refused| panic!("{name}: {refused}"));
        let mut marked = sample.clone();
        let spot = marked.pointer_mut(pointer).expect("a text");
        let mut text = spot.as_str().expect("text").to_owned();
        for (place, with) in plants {
            assert!(text.contains(place), "{name}: {place}");
            text = text.replace(place, with);
        }
        assert!(text.contains("MARK"), "{name}");
        *spot = Value::from(text);
        let after = read(&marked.to_string(), bindings()).unwrap_or_else(|refused| panic!("{name}: {refused}"));
        assert!(!format!("{after:?}").contains("MARKER"), "{name}");
        assert_eq!(before, after, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        let _ = read(&text, bindings());
        let _ = sources::parse(&text);
        let _ = policy::read_file(&text);
        for content_type in ["", "application/cloudevents+json", "application/cloudevents-batch+json"] {
            let headers = [("content-type".to_owned(), content_type.to_owned())].into();
            let _ = sources::parse_batch(&headers, &bytes);
        }
        let headers = [("ce-specversion".to_owned(), "1.0".to_owned()), ("ce-id".to_owned(), text.into_owned())].into();
        let _ = sources::parse_batch(&headers, &bytes);
    }

    #[test]
    fn arbitrary_json_never_panics(value in any_json()) {
        let _ = read(&value.to_string(), bindings());
        let _ = policy::read_file(&value.to_string());
    }

    /// A good sample with anything at any one place: an answer, and a refusal always says something.
    #[test]
    fn a_spoilt_sample_is_read_or_refused_with_a_reason(
        value in any_json(), which in any::<proptest::sample::Index>(), place in any::<proptest::sample::Index>()
    ) {
        let mut samples = samples();
        let index = which.index(samples.len());
        let sample = &mut samples[index];
        let mut found = Vec::new();
        places(sample, "", &mut found);
        let pointer = place.get(&found).clone();
        if let Some(spot) = sample.pointer_mut(&pointer) {
            *spot = value;
        }
        match read(&sample.to_string(), bindings()) {
            Ok(_) => {}
            Err(refused) => {
                prop_assert!(!refused.faults.is_empty());
                prop_assert_eq!(refused.to_string().lines().count(), refused.faults.len());
            }
        }
    }

    /// The policy file, spoilt in one place.
    #[test]
    fn a_spoilt_policy_is_read_or_refused_with_a_reason(value in any_json(), place in any::<proptest::sample::Index>()) {
        let mut policy: Value = serde_json::from_str(include_str!("../../../infra/policy.json")).expect("JSON");
        let mut found = Vec::new();
        places(&policy, "", &mut found);
        let pointer = place.get(&found).clone();
        if let Some(spot) = policy.pointer_mut(&pointer) {
            *spot = value;
        }
        if let Err(faults) = policy::read_file(&policy.to_string()) {
            prop_assert!(!faults.is_empty());
        }
    }

    /// Calendar text: the sample with any line replaced, cut or doubled, and anything among the lines.
    #[test]
    fn calendar_text_never_panics(
        at in any::<proptest::sample::Index>(),
        line in prop_oneof![
            "\\PC{0,40}",
            "(FREEBUSY|DTSTART|DTEND|DTSTAMP|ATTENDEE|ORGANIZER|METHOD)(;(VALUE|ENCODING|FBTYPE|TZID|VALUE )=(PERIOD|RECUR|DATE|QUOTED-PRINTABLE|\"x\"|BINARY|\"RECUR\"))?:[0-9TZP/,;=A-Za-z+-]{0,30}",
            "(BEGIN|END):(VCALENDAR|VFREEBUSY|VEVENT|VCARD|X)",
        ],
        keep in any::<bool>(),
    ) {
        let sample = vfreebusy();
        let mut lines: Vec<&str> = sample["body"].as_str().expect("text").split("\r\n").collect();
        let index = at.index(lines.len());
        if keep { lines.insert(index, &line) } else { lines[index] = &line }
        let body = serde_json::json!({"format": "ical.vfreebusy", "headers": {}, "body": lines.join("\r\n")});
        let _ = read(&body.to_string(), bindings());
    }
}
