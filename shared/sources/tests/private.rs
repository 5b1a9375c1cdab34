//! What a dead letter holds of a refused payload: nothing private, and all that a redrive needs. Each sample of a calendar, of an
//! on-call system and of a change system gets words that nobody may keep into every object and every calendar text of it, and
//! each of its members is spoiled once.

mod common;

use common::{bindings, natives, sample};
use serde_json::{Value, json};
use sources::{Bindings, Format, read, without_private};

const SECRET: &str = "Layoffs of the Hamburg office";

/// Formats whose payloads have nothing of a calendar, of an on-call system or of an incident in them.
const WHOLE: [Format; 12] = [
    Format::CdEvents,
    Format::GithubWorkflowRun,
    Format::GithubCheckSuite,
    Format::GitlabPipeline,
    Format::JenkinsNotification,
    Format::AzureBuildComplete,
    Format::AwsCodepipeline,
    Format::AwsCodebuild,
    Format::RosterCsv,
    Format::RosterJson,
    Format::SesReceived,
    Format::MailReceived,
];

fn format_of(sample: &Value) -> Option<Format> {
    sample["format"].as_str().and_then(Format::of)
}

fn covered() -> Vec<(String, Value)> {
    let covered = |sample: &Value| format_of(sample).is_some_and(|format| !WHOLE.contains(&format));
    let samples: Vec<_> = natives().into_iter().filter(|(_, sample)| covered(sample)).collect();
    let all = Format::ALL.into_iter().filter(|format| !WHOLE.contains(format));
    for format in all {
        assert!(samples.iter().any(|(_, sample)| format_of(sample) == Some(format)), "{format:?} has no sample");
    }
    samples
}

/// What a body comes to, found values left out: those of a dead letter are ours.
fn comes_to(body: &str, bindings: &Bindings) -> Vec<String> {
    let faults = |faults: &[sources::Fault]| {
        faults.iter().map(|fault| format!("{}: expected {}", fault.path, fault.expected)).collect::<Vec<_>>()
    };
    match read(body, bindings) {
        Ok(reading) => {
            let events = reading.events.iter().map(|event| format!("{event:?}"));
            let skipped = reading.skipped.iter().map(|part| format!("skipped: {part}"));
            let refused = reading.refused.iter().flat_map(|record| faults(&record.refused.faults));
            let hints = reading.hints.iter().map(|source| format!("hint: {source}"));
            events.chain(skipped).chain(refused).chain(hints).collect()
        }
        Err(refused) => faults(&refused.faults),
    }
}

/// Words in every object, under names that systems use and under one that nobody uses yet, and in every calendar text.
fn planted(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(planted);
            for name in [
                "subject",
                "summary",
                "title",
                "description",
                "bodyPreview",
                "comment",
                "comments",
                "short_description",
                "work_notes",
                "display_value",
                "joinUrl",
                "html_url",
                "added_one_day",
            ] {
                members.entry(name).or_insert_with(|| json!(SECRET));
            }
            for name in ["body", "location", "organizer", "conferenceData"] {
                members.entry(name).or_insert_with(|| json!({ SECRET: [SECRET], "id": SECRET }));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(planted),
        Value::String(text) if text.contains("BEGIN:V") => {
            let begin = if text.contains("BEGIN:VEVENT") { "BEGIN:VEVENT\r\n" } else { "BEGIN:VFREEBUSY\r\n" };
            let lines = format!(
                "{begin}SUMMARY;LANGUAGE=en:{SECRET}\r\nX-ALT-DESC:{SECRET}\r\nDESCRIPTION:see\r\n  {SECRET}\r\n\
                 {SECRET}: as said\r\nURL:https://meet.example/{SECRET}\r\n"
            );
            *text = text.replace(begin, &lines);
        }
        _ => {}
    }
}

#[test]
fn nothing_private_is_kept_and_a_redrive_comes_to_the_same() {
    let bindings = bindings(|_| ());
    for (name, sample) in covered() {
        let mut payload = sample.clone();
        planted(&mut payload["body"]);
        let body = payload.to_string();
        assert!(body.contains(SECRET), "{name}");
        let letter = without_private(&body, &bindings);
        assert!(!letter.contains(SECRET) && !letter.contains("Layoffs"), "{name}: {letter}");
        assert_eq!(comes_to(&letter, &bindings), comes_to(&body, &bindings), "{name}: {letter}");
        let text = Value::from(payload["body"].to_string());
        if format_of(&sample).is_some_and(Format::is_json) {
            let packed = json!({ "format": sample["format"], "headers": sample["headers"], "body": text }).to_string();
            let letter = without_private(&packed, &bindings);
            assert!(!letter.contains(SECRET), "{name}: {letter}");
            assert_eq!(comes_to(&letter, &bindings), comes_to(&packed, &bindings), "{name}: {letter}");
        }
        let letter = without_private(&sample.to_string(), &bindings);
        assert_eq!(without_private(&letter, &bindings), letter, "{name}: a letter of a letter");
    }
}

/// Every place in a payload, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    let mut inside = |name: &str, value: &Value| {
        let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        found.push(at.clone());
        places(value, &at, found);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| inside(name, value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(at, value)| inside(&at.to_string(), value)),
        _ => {}
    }
}

#[test]
fn whatever_is_wrong_with_a_payload_is_wrong_with_its_letter() {
    let bindings = bindings(|_| ());
    let mut refused = 0;
    for (name, sample) in covered() {
        let mut all = Vec::new();
        places(&sample["body"], "/body", &mut all);
        for place in all {
            for with in [Value::Null, json!("tzone://Microsoft/Custom"), json!(7), json!([]), json!({ "x": SECRET })] {
                let mut payload = sample.clone();
                *payload.pointer_mut(&place).expect("a place") = with.clone();
                let body = payload.to_string();
                let letter = without_private(&body, &bindings);
                assert!(!letter.contains(SECRET), "{name} {place}: {letter}");
                assert_eq!(comes_to(&letter, &bindings), comes_to(&body, &bindings), "{name} {place} {with}: {letter}");
                refused += usize::from(read(&body, &bindings).is_err());
            }
        }
    }
    assert!(refused > 500, "{refused}");
}

/// A record that was cut out is sent again by itself.
#[test]
fn a_record_of_several_is_refused_alone_and_again_for_the_same() {
    let bindings = bindings(|_| ());
    let mut payload = sample("native_graph_get_schedule");
    planted(&mut payload["body"]);
    payload["body"]["response"]["value"][0]["scheduleItems"][0]["start"]["timeZone"] =
        json!("tzone://Microsoft/Custom");
    let reading = read(&payload.to_string(), &bindings).expect("others of it are good");
    assert_eq!(reading.refused.len(), 1);
    let letter = without_private(&reading.refused[0].body, &bindings);
    assert!(!letter.contains(SECRET), "{letter}");
    let expected =
        "$.response.value[0].scheduleItems[0].start.timeZone: expected a time zone by its IANA or Windows name";
    assert_eq!(comes_to(&letter, &bindings), [expected]);
    let mended: String = letter.replace("tzone://Microsoft/Custom", "Europe/Berlin");
    let told = read(&mended, &bindings).expect("good").events;
    assert_eq!(told.len(), 1, "{mended}");
}

/// Others of a meeting are nobody's business; whose calendar it is stays, since their answer decides.
#[test]
fn of_those_who_take_part_in_a_meeting_only_the_person_of_the_feed_is_named() {
    let bindings = bindings(|_| ());
    let mut payload = sample("native_ical_vevent");
    let person = payload["body"]["request"]["person"].as_str().expect("a person").to_owned();
    let feed = payload["body"]["response"].as_str().expect("a feed").replacen(
        "BEGIN:VEVENT\r\n",
        &format!(
            "BEGIN:VEVENT\r\nATTENDEE;CN=\"Doe: Jane\";PARTSTAT=DECLINED:mailto:{person}\r\n\
             ATTENDEE;CN=Roe;EMAIL=roe@elsewhere.example;PARTSTAT=ACCEPTED:mailto:r.roe@elsewhere.example\r\n\
             ORGANIZER;CN=Boss;SENT-BY=\"mailto:aide@elsewhere.example\":mailto:boss@elsewhere.example\r\n"
        ),
        1,
    );
    assert!(feed.contains("Roe"), "{feed}");
    payload["body"]["response"] = json!(feed);
    let letter = without_private(&payload.to_string(), &bindings);
    assert!(letter.contains(&format!("ATTENDEE;PARTSTAT=DECLINED:mailto:{person}")), "{letter}");
    assert!(letter.contains("ATTENDEE;PARTSTAT=ACCEPTED:mailto:withheld"), "{letter}");
    for word in ["Roe", "roe", "Doe", "Boss", "boss", "aide", "elsewhere"] {
        assert!(!letter.contains(word), "{word}: {letter}");
    }
    assert_eq!(comes_to(&letter, &bindings), comes_to(&payload.to_string(), &bindings));
}

/// What nobody can read nobody can cover. How long it was is said, and the payload is refused as before.
#[test]
fn of_a_native_payload_that_cannot_be_read_nothing_is_kept() {
    let bindings = bindings(|_| ());
    let wrapped = |format: &str, text: String| json!({ "format": format, "headers": {}, "body": text }).to_string();
    for body in [
        wrapped("google.events", format!("{{\"summary\": \"{SECRET}\"")),
        wrapped("google.events", format!("{{\"summary\": \"{SECRET}\", \"summary\": 1}}")),
        wrapped("ical.vfreebusy", format!("<a>{SECRET}")),
        wrapped("ical.vfreebusy", format!("<a>{SECRET}</a>")),
        wrapped("ical.vevent", format!("{SECRET}\0")),
        wrapped("ical.vevent", format!("BEGIN:VCALENDAR\r\n{SECRET}\r\n")),
        wrapped("ical.calendar", SECRET.to_owned()),
        json!({ "format": "graph.get_schedule", "headers": { "Authorization": SECRET }, "body": 1, "beside": SECRET })
            .to_string(),
        json!({ "format": ["graph.get_schedule"], "body": { "subject": SECRET } }).to_string(),
    ] {
        let letter = without_private(&body, &bindings);
        assert!(!letter.contains(SECRET) && !letter.contains("Layoffs"), "{letter}");
        let again = read(&letter, &bindings).expect_err("refused as well");
        assert_eq!(again.identity, read(&body, &bindings).expect_err("refused").identity, "{letter}");
    }
    let cut_off = wrapped("google.events", "{\"items\": [".to_owned());
    let letter: Value = serde_json::from_str(&without_private(&cut_off, &bindings)).expect("JSON");
    assert_eq!(letter["body"], "withheld: 11 bytes that cannot be read");
}

/// An envelope is taken off: what a bus adds beside the payload is no part of it.
#[test]
fn a_payload_in_an_envelope_is_covered_as_one_without() {
    let bindings = bindings(|_| ());
    let mut payload = sample("native_google_events");
    planted(&mut payload["body"]);
    let bare = without_private(&payload.to_string(), &bindings);
    let topic =
        json!({ "Type": "Notification", "TopicArn": "arn:aws:sns:eu-west-1:1:t", "Message": payload.to_string() });
    let bus = json!({ "detail-type": SECRET, "source": "own", "detail": payload });
    for wrapped in [topic, bus] {
        assert_eq!(without_private(&wrapped.to_string(), &bindings), bare);
    }
}

/// What holds nothing of a calendar goes to the dead letters whole, cut off or not.
#[test]
fn events_of_the_contract_and_payloads_of_other_systems_stay_as_they_are() {
    let bindings = bindings(|_| ());
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/ingest");
    let mut whole = 0;
    for file in std::fs::read_dir(folder).expect("samples") {
        let text = std::fs::read_to_string(file.expect("a file").path()).expect("text");
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        let ours = value["type"].as_str().is_some_and(|name| name.starts_with("dev.holdpoint."));
        if ours || format_of(&value).is_some_and(|format| WHOLE.contains(&format)) {
            assert_eq!(without_private(&text, &bindings), text);
            whole += 1;
        }
        if ours {
            let cut_off = &text.trim_end()[..text.trim_end().len() - 1];
            assert_eq!(without_private(cut_off, &bindings), cut_off);
        }
    }
    assert!(whole > 40, "{whole}");
}

/// What does not say that it is a native payload is refused as an event, and the contract has events kept whole.
#[test]
fn what_is_no_native_payload_stays_as_it_is() {
    let bindings = bindings(|_| ());
    for body in [
        "BEGIN:VCALENDAR".to_owned(),
        "{\"format\": \"google.events\", \"body\": {".to_owned(),
        json!({ "value": [{ "subject": "x" }] }).to_string(),
        json!({ "specversion": "1.0", "type": "com.example.x", "id": "1", "source": "//s", "data": { "a": 1 } })
            .to_string(),
        json!({ "Type": "Notification", "TopicArn": "arn", "Message": "{" }).to_string(),
    ] {
        assert_eq!(without_private(&body, &bindings), body);
    }
}
