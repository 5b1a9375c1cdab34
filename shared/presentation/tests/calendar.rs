//! Calendar parts, judged by readers that did not write them: a strict line checker of our own, and another parser.

mod common;

use icalendar::{Calendar, CalendarComponent, Component, EventLike};
use presentation::calendar::{Invitation, write};
use proptest::prelude::*;
use refresh_core::{
    Person, ReviewId, Uid,
    base::text::{ConferenceUri, OneLine, OrganizerAddress, Paragraphs},
    facts::fact::Meeting,
    record::booking::CalendarObject,
    record::notice::{CalendarPart, CalendarStatus, Method, Participation, UnknownInvitation},
};

use common::{at, named, notices, person, review_id, slot};

fn invitation<'a>(organizer: &'a Person, attendee: &'a Person, title: &'a str, name: &'a str) -> Invitation<'a> {
    Invitation {
        review: Box::leak(Box::new(review_id())),
        title,
        organizer,
        sender: organizer,
        replies_are_read: false,
        answer_is_awaited: true,
        attendee,
        attendee_name: name,
        at: at("09:02:00.250"),
        zone: named("Europe/Berlin"),
        meeting_entry: Some(slot("15:00:00", "16:00:00")),
        unknown_invitation: None,
        issued: None,
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

/// A meeting that was issued with everything.
fn issued(description: &str, location: &str) -> Meeting {
    let conference = |text| ConferenceUri::parse(text).expect("where to dial in");
    Meeting {
        organizer: Some(OrganizerAddress::parse("Release.Desk@Example.com").expect("an organizer")),
        location: OneLine::of(location),
        conference: vec![conference("https://meet.example.com/j/9?pwd=a,b;c%20d"), conference("tel:+49-30-1234")],
        description: Paragraphs::of(description),
        alarm_minutes: Some(15),
        ..Meeting::bare(Uid::parse("RR-1042@example.com").expect("a UID"), 3)
    }
}

fn as_issued(part: &CalendarPart, issued: &Meeting, attendee: &str) -> String {
    let (organizer, attendee) = (notices::address("reviews@holdpoint.example.com"), notices::address(attendee));
    let invitation = Invitation { issued: Some(issued), ..invitation(&organizer, &attendee, "Title", "Name") };
    write(part, &invitation).expect("a calendar part")
}

fn written(part: &CalendarPart, title: &str, name: &str) -> String {
    let (organizer, attendee) = (notices::address("reviews@holdpoint.example.com"), person("sec-b"));
    write(part, &invitation(&organizer, &attendee, title, name)).expect("a calendar part")
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

/// A REQUEST replaces the whole entry (RFC 5546), so an update carries all that the meeting was issued with.
#[test]
fn a_meeting_keeps_what_it_was_issued_with() {
    let description = "Bring the test report.\n\nDial in: https://meet.example.com/j/9; PIN 12,34\\5\nGrüße 👋";
    let meeting = issued(description, "Room 4.2; Berlin, 3rd floor");
    let text = as_issued(&every_part()[0].1, &meeting, "sec-b@example.com");
    strict(
        &text.replace("BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nDESCRIPTION:Title\r\nEND:VALARM\r\n", ""),
    );
    let unfolded = text.replace("\r\n ", "");
    for line in [
        "ORGANIZER;SENT-BY=\"mailto:reviews@holdpoint.example.com\":mailto:Release.Desk@Example.com",
        "LOCATION:Room 4.2\\; Berlin\\, 3rd floor",
        // A URI has no escapes.
        "CONFERENCE;VALUE=URI:https://meet.example.com/j/9?pwd=a,b;c%20d",
        "CONFERENCE;VALUE=URI:tel:+49-30-1234",
        "TRIGGER:-PT15M",
        r"DESCRIPTION:Bring the test report.\n\nDial in: https://meet.example.com/j/9\; PIN 12\,34\\5\nGrüße 👋",
    ] {
        assert_eq!(unfolded.lines().filter(|found| *found == line).count(), 1, "{line}\n{text}");
    }
    let calendar: Calendar = text.parse().expect("another parser");
    let [CalendarComponent::Event(event)] = calendar.components.as_slice() else { panic!("one event") };
    assert_eq!(event.get_description(), Some(description));
    assert_eq!(event.get_location(), Some("Room 4.2; Berlin, 3rd floor"));
}

/// A hold is no meeting: where to dial in would bring people together at a time that nobody adopted. A CANCEL ends the
/// meeting in its organizer's name, or calendars do not take it, and has nothing else of it.
#[test]
fn nothing_but_the_meeting_itself_carries_where_it_takes_place() {
    let meeting = issued("The plan", "Room 4");
    for (name, part) in every_part() {
        let text = as_issued(&part, &meeting, "sec-b@example.com").replace("\r\n ", "");
        let is_meeting = part.object == CalendarObject::Meeting;
        let carries = is_meeting && part.method == Method::Request;
        for property in ["LOCATION:", "CONFERENCE;", "BEGIN:VALARM", "The plan"] {
            assert_eq!(text.contains(property), carries, "{name}: {property}\n{text}");
        }
        assert_eq!(text.contains("Release.Desk@Example.com"), is_meeting, "{name}: {text}");
    }
}

/// Whoever the organizer is, the part can be made: an update that could not be mailed to the organizer would make them
/// unreachable.
#[test]
fn the_organizer_may_be_anybody() {
    let service = "ORGANIZER;CN=\"Review coordination\":mailto:reviews@holdpoint.example.com";
    let of = |organizer: &str| format!("ORGANIZER;SENT-BY=\"mailto:reviews@holdpoint.example.com\":mailto:{organizer}");
    for (organizer, expected) in [
        // The reader, and the reader in another letter case.
        ("sec-b@example.com", of("sec-b@example.com")),
        ("Sec-B@example.COM", of("Sec-B@example.COM")),
        // Another attendee.
        ("sec-a@example.com", of("sec-a@example.com")),
        // The service itself speaks on nobody's behalf.
        ("reviews@holdpoint.example.com", service.to_owned()),
        ("Reviews@Holdpoint.example.com", service.replace("reviews@holdpoint", "Reviews@Holdpoint")),
    ] {
        let kept = OrganizerAddress::parse(organizer).expect("an organizer");
        let meeting = Meeting { organizer: Some(kept), ..issued("d", "l") };
        for (name, part) in every_part().into_iter().filter(|(_, part)| part.object == CalendarObject::Meeting) {
            let text = as_issued(&part, &meeting, "sec-b@example.com").replace("\r\n ", "");
            assert!(text.lines().any(|line| line == expected), "{name}: {expected}\n{text}");
            assert!(text.contains(":mailto:sec-b@example.com\r\n"), "{name}: the reader is the attendee\n{text}");
        }
    }
}

/// RFC 6047, 2.2.1: a mail comes from its object's organizer, or says by `SENT-BY` on whose behalf it comes. Replies go to
/// the organizer, whoever sends.
#[test]
fn the_mails_sender_is_the_organizer_or_acts_for_the_organizer() {
    let [sender, replies, attendee] =
        ["holdpoint@hp.example.org", "answers@hp.example.org", "sec-b@example.com"].map(notices::address);
    const OURS: &str = "CN=\"Review coordination\";";
    const BEHALF: &str = "SENT-BY=\"mailto:holdpoint@hp.example.org\"";
    for (issued_with, expected) in [
        (None, format!("ORGANIZER;{OURS}{BEHALF}:mailto:answers@hp.example.org")),
        // In the spelling that it was issued with.
        (Some("Answers@HP.Example.org"), format!("ORGANIZER;{OURS}{BEHALF}:mailto:Answers@HP.Example.org")),
        // The sender is the organizer.
        (
            Some("Holdpoint@hp.example.org"),
            "ORGANIZER;CN=\"Review coordination\":mailto:Holdpoint@hp.example.org".to_owned(),
        ),
        (Some("Desk@example.com"), format!("ORGANIZER;{BEHALF}:mailto:Desk@example.com")),
    ] {
        let organizer = issued_with.map(|text| OrganizerAddress::parse(text).expect("an organizer"));
        let meeting = Meeting { organizer, ..issued("d", "l") };
        for (name, part) in every_part() {
            let plain = invitation(&replies, &attendee, "T", "N");
            let sent = Invitation { sender: &sender, replies_are_read: true, issued: Some(&meeting), ..plain };
            let text = write(&part, &sent).expect(name).replace("\r\n ", "");
            let meant = match part.object {
                CalendarObject::Meeting => expected.clone(),
                CalendarObject::Hold => format!("ORGANIZER;{OURS}{BEHALF}:mailto:answers@hp.example.org"),
            };
            assert!(text.lines().any(|line| line == meant), "{name}, {issued_with:?}: expected {meant}\n{text}");
        }
    }
}

#[test]
fn an_alarm_at_the_start_or_days_before_is_kept() {
    for (minutes, expected) in [(0, "TRIGGER:PT0S"), (1, "TRIGGER:-PT1M"), (527_040, "TRIGGER:-PT527040M")] {
        let meeting = Meeting { alarm_minutes: Some(minutes), ..issued("d", "l") };
        let text = as_issued(&every_part()[0].1, &meeting, "sec-b@example.com");
        assert!(text.contains(expected), "{text}");
    }
    let none = Meeting { alarm_minutes: None, ..issued("d", "l") };
    assert!(!as_issued(&every_part()[0].1, &none, "sec-b@example.com").contains("VALARM"));
}

/// Of an invitation that we did not send a hold says neither that it is ours nor that it is not there.
#[test]
fn a_hold_does_not_speak_of_an_entry_that_is_not_ours() {
    let (organizer, attendee) = (notices::address("reviews@holdpoint.example.com"), person("sec-b"));
    for (name, part) in every_part().into_iter().filter(|(_, part)| part.object == CalendarObject::Hold) {
        for unknown in [UnknownInvitation::Stands, UnknownInvitation::Remove] {
            let unknown_invitation = Some(unknown(slot("15:00:00", "16:00:00")));
            let plain = invitation(&organizer, &attendee, "T", "N");
            let text = write(&part, &Invitation { meeting_entry: None, unknown_invitation, ..plain }).expect(name);
            let text = text.replace("\r\n ", "");
            assert!(!text.contains("own entry") && !text.contains("no entry"), "{name}: {text}");
        }
    }
}

/// What the reader's calendar offers, and what the entry says of it, is what becomes of it: an answer where replies are read,
/// the object's organizer is the service, and the reader has a required seat.
#[test]
fn an_entry_asks_for_the_answers_that_count() {
    use {
        CalendarObject::{Hold, Meeting},
        Participation::{Optional, Required},
    };
    const NO: &str = "accepting in the calendar is not an acknowledgement";
    const YES: &str = "or accept or decline this invitation";
    const EARLY: &str = "That answers the proposal alone";
    const NONE: &str = "no answer is asked of you";
    let (organizer, attendee) = (notices::address("reviews@holdpoint.example.com"), person("sec-b"));
    let kept = Some(OrganizerAddress::parse("desk@example.com").expect("an organizer"));
    let bare = refresh_core::facts::fact::Meeting { organizer: kept, description: None, ..issued("", "") };
    for (object, participation, replies_are_read, answer_is_awaited, kept, rsvp, said) in [
        (Meeting, Required, true, true, false, "TRUE", Some(YES)),
        (Meeting, Required, true, false, false, "FALSE", Some(YES)),
        (Meeting, Required, true, true, true, "FALSE", Some(NO)),
        (Meeting, Required, false, true, false, "FALSE", Some(NO)),
        (Meeting, Optional, true, false, false, "FALSE", Some(NONE)),
        (Meeting, Optional, false, false, false, "FALSE", Some(NONE)),
        (Hold, Required, true, true, false, "FALSE", Some(EARLY)),
        (Hold, Required, true, false, true, "FALSE", Some(EARLY)),
        (Hold, Required, false, false, false, "FALSE", None),
        (Hold, Optional, true, false, false, "FALSE", None),
    ] {
        let status = if object == Hold { CalendarStatus::Tentative } else { CalendarStatus::Confirmed };
        let part = CalendarPart { participation, ..part(object, Method::Request, Some(status)) };
        let plain = invitation(&organizer, &attendee, "T", "N");
        let issued = kept.then_some(&bare);
        let text = write(&part, &Invitation { replies_are_read, answer_is_awaited, issued, ..plain });
        let text = text.expect("a calendar part").replace("\r\n ", "");
        let of = format!("{object:?} {participation:?}, read {replies_are_read}, kept {kept}: {text}");
        assert!(text.contains(&format!("RSVP={rsvp}")), "{of}");
        for sentence in [YES, NO, EARLY, NONE] {
            assert_eq!(text.contains(sentence), said == Some(sentence), "{sentence}: {of}");
        }
    }
}

#[test]
fn what_cannot_be_cleaned_is_refused() {
    let attendee = person("sec-b");
    let part = part(CalendarObject::Meeting, Method::Request, Some(CalendarStatus::Confirmed));
    for uid in ["", "a b", "a\r\nATTENDEE:x", "ü@example.com", &"x".repeat(256)] {
        assert!(Uid::parse(uid).is_err(), "{uid:?}");
    }
    assert!(write(&part, &invitation(&attendee, &attendee, "T", "N")).is_err(), "the organizer is no recipient");
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

    /// Whatever texts the contract takes: the writer's own proof has passed them, and another parser reads the same.
    #[test]
    fn every_meeting_reads_back(
        description in any::<String>(),
        location in any::<String>(),
        long in "\\PC{0,3000}",
        uris in proptest::collection::vec("[a-z]{2,8}:[!-~]{1,300}", 0..4),
    ) {
        let conference: Vec<ConferenceUri> = uris.iter().filter_map(|uri| ConferenceUri::parse(uri).ok()).collect();
        for description in [description, long] {
            let meeting = Meeting { conference: conference.clone(), ..issued(&description, &location) };
            let text = as_issued(&every_part()[0].1, &meeting, "sec-b@example.com");
            let calendar: Calendar = text.parse().expect("another parser");
            let [CalendarComponent::Event(event)] = calendar.components.as_slice() else { panic!("one event") };
            let kept = Paragraphs::of(&description);
            if let Some(kept) = &kept {
                prop_assert_eq!(event.get_description(), Some(kept.as_str()));
            }
            prop_assert_eq!(event.get_location(), meeting.location.as_ref().map(OneLine::as_str));
            let unfolded = text.replace("\r\n ", "");
            let found: Vec<&str> =
                unfolded.lines().filter_map(|line| line.strip_prefix("CONFERENCE;VALUE=URI:")).collect();
            let meant: Vec<&str> = conference.iter().map(ConferenceUri::as_str).collect();
            prop_assert_eq!(found, meant);
        }
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
        let organizer = notices::address("reviews@holdpoint.example.com");
        let part = part(CalendarObject::Meeting, Method::Request, Some(CalendarStatus::Confirmed));
        let text = write(&part, &invitation(&organizer, &attendee, "T", "N")).expect("a calendar part");
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
