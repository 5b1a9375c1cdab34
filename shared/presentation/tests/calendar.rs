//! Calendar parts, judged by readers that did not write them: a strict line checker of our own, and another parser.

mod common;

use icalendar::{Calendar, CalendarComponent, Component};
use presentation::calendar::{Invitation, write};
use proptest::prelude::*;
use refresh_core::{
    Person, ReviewId, Uid,
    record::booking::CalendarObject,
    record::notice::{CalendarPart, CalendarStatus, Method, Participation},
};

use common::{at, named, notices, person, review_id, slot};

fn invitation<'a>(organiser: &'a Person, attendee: &'a Person, title: &'a str, name: &'a str) -> Invitation<'a> {
    Invitation {
        review: Box::leak(Box::new(review_id())),
        title,
        organiser,
        attendee,
        attendee_name: name,
        at: at("09:02:00.250"),
        zone: named("Europe/Berlin"),
        meeting_entry: Some(slot("15:00:00", "16:00:00")),
    }
}

fn part(object: CalendarObject, method: Method, status: Option<CalendarStatus>) -> CalendarPart {
    let uid = if object == CalendarObject::Hold { "RR-1042-hold@example.com" } else { "RR-1042@example.com" };
    CalendarPart {
        method,
        object,
        uid: Uid::parse(uid).expect("a UID"),
        sequence: 3,
        status,
        slot: slot("15:30:00", "16:30:00"),
        participation: Participation::Required,
    }
}

fn every_part() -> Vec<(&'static str, CalendarPart)> {
    use CalendarObject::{Hold, Meeting};
    use Method::{Cancel, Request};
    vec![
        ("meeting_request", part(Meeting, Request, Some(CalendarStatus::Confirmed))),
        ("meeting_cancel_one_person", part(Meeting, Cancel, None)),
        ("meeting_cancel", part(Meeting, Cancel, Some(CalendarStatus::Cancelled))),
        ("hold_request", part(Hold, Request, Some(CalendarStatus::Tentative))),
        ("hold_cancel", part(Hold, Cancel, Some(CalendarStatus::Cancelled))),
    ]
}

fn written(part: &CalendarPart, title: &str, name: &str) -> String {
    let (organiser, attendee) = (notices::address("reviews@holdpoint.example.com"), person("sec-b"));
    write(part, &invitation(&organiser, &attendee, title, name)).expect("a calendar part")
}

/// RFC 5545 by the letter: CRLF, 75 octets, no control, each line a property of the list, in the right component, as
/// often as it may stand there.
fn strict(text: &str) -> Vec<(String, String)> {
    assert!(text.ends_with("\r\n"), "the last line ends");
    let mut unfolded: Vec<String> = Vec::new();
    for line in text.strip_suffix("\r\n").expect("a last line").split("\r\n") {
        assert!(line.len() <= 75, "{} octets: {line}", line.len());
        assert!(!line.contains(['\r', '\n']) && !line.chars().any(char::is_control), "a control in {line:?}");
        match line.strip_prefix(' ') {
            Some(more) => unfolded.last_mut().expect("a line to continue").push_str(more),
            None => unfolded.push(line.to_owned()),
        }
    }
    let parsed: Vec<(String, String)> = unfolded
        .iter()
        .map(|line| {
            let mut quoted = false;
            let colon = line.char_indices().find(|(_, c)| {
                quoted ^= *c == '"';
                *c == ':' && !quoted
            });
            let (at, _) = colon.unwrap_or_else(|| panic!("no value: {line}"));
            let head = &line[..at];
            (head.to_owned(), line[at + 1..].to_owned())
        })
        .collect();
    let names: Vec<&str> = parsed.iter().map(|(head, _)| head.split(';').next().unwrap_or_default()).collect();
    assert_eq!(names[..5], ["BEGIN", "PRODID", "VERSION", "METHOD", "BEGIN"]);
    assert_eq!(names[names.len() - 2..], ["END", "END"]);
    for once in ["UID", "SEQUENCE", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION", "ORGANIZER", "ATTENDEE"] {
        assert_eq!(names.iter().filter(|name| **name == once).count(), 1, "{once} in {names:?}");
    }
    parsed
}

fn value<'a>(parsed: &'a [(String, String)], name: &str) -> Option<&'a str> {
    parsed.iter().find(|(head, _)| head.split(';').next() == Some(name)).map(|(_, value)| value.as_str())
}

#[test]
fn each_part_by_the_letter() {
    for (name, part) in every_part() {
        let text = written(&part, "Release readiness: identity-service 4.2", "Seán Ó Briain");
        let parsed = strict(&text);
        let is = |property: &str| value(&parsed, property);
        assert_eq!(is("METHOD"), Some(presentation::calendar::method_word(&part)), "{name}");
        assert_eq!(is("UID"), Some(part.uid.as_str()), "{name}");
        assert_eq!(is("SEQUENCE"), Some("3"), "{name}");
        assert_eq!(is("DTSTAMP"), Some("20261103T090200Z"), "{name}: whole seconds, UTC");
        assert_eq!(is("DTSTART"), Some("20261103T153000Z"), "{name}");
        assert_eq!(is("DTEND"), Some("20261103T163000Z"), "{name}");
        assert_eq!(is("ORGANIZER"), Some("mailto:reviews@holdpoint.example.com"), "{name}");
        assert_eq!(is("ATTENDEE"), Some("mailto:sec-b@example.com"), "{name}");
        let status = part.status.map(|status| match status {
            CalendarStatus::Tentative => "TENTATIVE",
            CalendarStatus::Confirmed => "CONFIRMED",
            CalendarStatus::Cancelled => "CANCELLED",
        });
        assert_eq!(is("STATUS"), status, "{name}: none where one person is released from what lives on");
        let hold = part.object == CalendarObject::Hold && part.method == Method::Request;
        let tentative = hold.then_some("TENTATIVE");
        assert_eq!(is("X-MICROSOFT-CDO-BUSYSTATUS"), tentative, "{name}");
        assert_eq!(is("X-MICROSOFT-CDO-INTENDEDSTATUS"), tentative, "{name}");
        let opaque = (!hold && part.method == Method::Request).then_some("OPAQUE");
        assert_eq!(is("TRANSP"), opaque, "{name}: Outlook ignores STATUS beside TRANSP");
        let summary = is("SUMMARY").unwrap_or_default();
        assert_eq!(summary.starts_with("[Proposed] "), part.object == CalendarObject::Hold, "{name}");
        assert!(!text.contains("https://"), "{name}: a link in a calendar is seen by whoever sees the calendar");
    }
}

#[test]
fn another_parser_reads_the_same() {
    for (name, part) in every_part() {
        let calendar: Calendar = written(&part, "Release; readiness, \\ 4.2", "Seán Ó Briain").parse().expect(name);
        let [CalendarComponent::Event(event)] = calendar.components.as_slice() else { panic!("{name}: one event") };
        assert_eq!(event.get_uid(), Some(part.uid.as_str()));
        assert_eq!(event.get_sequence(), Some(3));
        assert_eq!(event.get_timestamp().map(|at| at.timestamp_millis()), Some(at("09:02:00").millis()));
        let summary = event.get_summary().unwrap_or_default();
        assert!(summary.ends_with("Release; readiness, \\ 4.2"), "{name}: {summary}");
        assert!(event.get_start().is_some() && event.get_end().is_some(), "{name}");
        let people = event.properties().get("ATTENDEE").is_some() as usize
            + event.multi_properties().get("ATTENDEE").map_or(0, Vec::len);
        assert_eq!(people, 1, "{name}");
    }
}

#[test]
fn hostile_words_add_no_property_and_no_person() {
    for hostile in HOSTILE {
        for (name, part) in every_part() {
            let parsed = strict(&written(&part, hostile, hostile));
            let plain = strict(&written(&part, "Title", "Name"));
            let heads = |parsed: &[(String, String)]| -> Vec<String> {
                parsed.iter().map(|(head, _)| head.split(';').next().unwrap_or_default().to_owned()).collect()
            };
            assert_eq!(heads(&parsed), heads(&plain), "{name} {hostile:?}");
            assert_eq!(value(&parsed, "ATTENDEE"), Some("mailto:sec-b@example.com"), "{name} {hostile:?}");
        }
    }
}

const HOSTILE: [&str; 10] = [
    "a\r\nATTENDEE:mailto:eve@example.com",
    "a\nMETHOD:CANCEL",
    "\"x\";SENT-BY=\"mailto:eve@example.com",
    "x:mailto:eve@example.com",
    "back\\slash\\n\\;,\\,",
    "^n^'^^",
    "\u{202e}drawkcab\u{202c}\u{200f}",
    "👩🏽‍💻🚀👩🏽‍💻🚀👩🏽‍💻🚀👩🏽‍💻🚀👩🏽‍💻🚀👩🏽‍💻🚀👩🏽‍💻🚀👩🏽‍💻🚀",
    "END:VEVENT\r\nBEGIN:VALARM\r\nACTION:EMAIL",
    "\u{0}\u{7}\u{1b}[31m\u{85}\u{2028}",
];

#[test]
fn what_cannot_be_cleaned_is_refused() {
    let attendee = person("sec-b");
    let part = part(CalendarObject::Meeting, Method::Request, Some(CalendarStatus::Confirmed));
    for uid in ["", "a b", "a\r\nATTENDEE:x", "ü@example.com", &"x".repeat(256)] {
        assert!(Uid::parse(uid).is_err(), "{uid:?}");
    }
    assert!(write(&part, &invitation(&attendee, &attendee, "T", "N")).is_err(), "the organiser is no recipient");
}

#[test]
fn parts_as_text() {
    for (name, part) in every_part() {
        let text = written(&part, "Release readiness: identity-service 4.2", "Seán Ó Briain");
        insta::assert_snapshot!(format!("calendar_{name}"), text.replace("\r\n", "\n"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever UID the contract takes: the writer's own proof has passed it, and unfolded and unescaped by hand it is the same.
    #[test]
    fn every_uid_reads_back(uid in "[!-~]{1,255}") {
        let mut part = part(CalendarObject::Meeting, Method::Request, Some(CalendarStatus::Confirmed));
        part.uid = Uid::parse(&uid).expect("a UID");
        let text = written(&part, "T", "N");
        let unfolded = text.replace("\r\n ", "");
        let line = unfolded.split("\r\n").find_map(|line| line.strip_prefix("UID:")).expect("a UID");
        let mut read = String::new();
        let mut letters = line.chars();
        while let Some(c) = letters.next() {
            read.push(if c == '\\' { letters.next().expect("a letter after the backslash") } else { c });
        }
        prop_assert_eq!(read, uid);
    }

    /// Whatever review id the contract takes: its meeting and its hold can be mailed, and are two objects.
    #[test]
    fn every_review_id_has_its_uids(id in any::<String>(), domain in "[a-z]{1,60}(\\.[a-z]{1,40}){1,3}") {
        let Ok(id) = ReviewId::parse(id.trim()) else { return Ok(()) };
        let both = [Uid::of_meeting(&id, &domain), Uid::of_hold(&id, &domain)];
        for uid in &both {
            prop_assert_eq!(Uid::parse(uid.as_str()), Ok(uid.clone()));
        }
        prop_assert_ne!(&both[0], &both[1]);
    }

    /// Whatever address the contract takes stands in its URI so that who decodes it reads that address.
    #[test]
    fn every_address_reads_back(local in "[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}(\\.[a-z0-9%?#]{1,20})?") {
        let Ok(attendee) = Person::parse(&format!("{local}@example.com")) else {
            prop_assert!(local.contains("=?"), "{} is an address", local);
            return Ok(());
        };
        let organiser = notices::address("reviews@holdpoint.example.com");
        let part = part(CalendarObject::Meeting, Method::Request, Some(CalendarStatus::Confirmed));
        let text = write(&part, &invitation(&organiser, &attendee, "T", "N")).expect("a calendar part");
        let unfolded = text.replace("\r\n ", "");
        let uri = unfolded.split("mailto:").nth(2).and_then(|rest| rest.split("\r\n").next()).expect("the attendee");
        prop_assert!(!uri.contains(['?', '#', '&']), "{}", uri);
        let mut parts = uri.split('%');
        let mut read = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            read.push(char::from(u8::from_str_radix(&part[..2], 16).expect("two digits")));
            read.push_str(&part[2..]);
        }
        prop_assert_eq!(read, attendee.to_string());
    }
}
