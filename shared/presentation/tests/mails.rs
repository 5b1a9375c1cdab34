//! Does the person understand it? Every mail as a reviewed file; and nothing in it but what is theirs.

mod common;

use mail_parser::{Message, MessageParser, MimeHeaders, PartType};
use presentation::mail::{self, Letter};
use refresh_core::{
    DiaryName, Source, Uid,
    base::text::{ConferenceUri, OneLine},
    facts::{fact::Meeting, subject::Subject},
    record::{
        booking::CalendarObject,
        notice::{CalendarPart, CalendarStatus, Method, Notice},
        packet::Standpoint,
    },
};

use common::notices;

fn compose(name: &str) -> Letter {
    let (notice, letterhead) = notices::named(name);
    mail::compose(&notice, &letterhead).unwrap_or_else(|fault| panic!("{name}: {fault:?}"))
}

/// The message with its parts decoded, in the order they stand in.
fn shown(bytes: &[u8]) -> String {
    let message = MessageParser::default().parse(bytes).expect("a message");
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    let mut shown = text.split("\n\n").next().unwrap_or_default().to_owned() + "\n";
    part(&message, 0, 0, &mut shown);
    shown
}

fn part(message: &Message<'_>, id: u32, depth: usize, shown: &mut String) {
    let part = message.part(id).expect("a part");
    let kind = part.content_type().expect("a type");
    let file = part
        .content_disposition()
        .map_or(String::new(), |it| format!(" {} {}", it.ctype(), it.attribute("filename").unwrap_or_default()));
    let method = kind.attribute("method").map(|method| format!(" method={method}")).unwrap_or_default();
    let name = format!("{}/{}{method}{file}", kind.ctype(), kind.subtype().unwrap_or_default());
    shown.push_str(&format!("\n{} {name}\n", "=".repeat(depth + 1)));
    match &part.body {
        PartType::Multipart(parts) => parts.iter().for_each(|id| self::part(message, *id, depth + 1, shown)),
        PartType::Text(text) | PartType::Html(text) => shown.push_str(&text.replace("\r\n", "\n")),
        _ => shown.push_str(&format!("({} bytes, as above)\n", part.contents().len())),
    }
}

#[test]
fn every_kind_as_it_is_read() {
    for (name, notice, letterhead) in notices::all() {
        let letter = mail::compose(&notice, &letterhead).unwrap_or_else(|fault| panic!("{name}: {fault:?}"));
        insta::assert_snapshot!(format!("mail_{name}"), shown(&letter.bytes));
    }
}

#[test]
fn the_same_notice_is_the_same_bytes() {
    for (name, notice, letterhead) in notices::all() {
        let again = || mail::compose(&notice, &letterhead).expect(name);
        assert_eq!(again(), again(), "{name}");
    }
}

#[test]
fn subjects_tell_the_three_apart() {
    for (name, notice, letterhead) in notices::all() {
        let subject = mail::compose(&notice, &letterhead).expect(name).subject;
        let first = subject.trim_start_matches("Reminder – ").trim_start_matches("Once more – ");
        let expected = match name {
            "adoption_request"
            | "adoption_request_cancellation"
            | "adoption_request_anew"
            | "reminder_decide"
            | "resent_request" => "For your decision: ",
            "authoritative_update"
            | "authoritative_update_new_meeting"
            | "authoritative_update_organizer"
            | "authoritative_update_operator_owner"
            | "reminder_answer"
            | "resent_unchanged"
            | "tentative_change_answer_owed"
            | "tentative_change_may_be_released_answer_owed"
            | "tentative_change_role_may_end_answer_owed"
            | "reminder_answer_carries" => "For your answer: ",
            _ => "For information: ",
        };
        assert!(first.starts_with(expected), "{name}: {subject}");
        assert_eq!(subject.starts_with("Reminder – "), name.starts_with("reminder"), "{name}: {subject}");
        assert_eq!(subject.starts_with("Once more – "), name.starts_with("resent"), "{name}: {subject}");
    }
}

/// What it is and whether it is final; what changed, was and now, with why; what to do, by when, with the link.
#[test]
fn three_lines_say_it() {
    let (notice, letterhead) = notices::named("adoption_request");
    let content = mail::content(&notice, &letterhead);
    assert_eq!(
        content.standing,
        "Decide by Tue 3 Nov 2026, 14:00 CET (13:00 UTC). A proposal waits for you; it is not final. Until you decide, the meeting of Tue 3 Nov 2026, 16:00–17:00 CET \
         (15:00–16:00 UTC) is the one that counts, although it breaks rules (required evidence is not ready before it \
         starts; Aiko Tanaka is busy then)."
    );
    assert_eq!(
        content.headline.as_deref().unwrap_or_default(),
        "Time: was Tue 3 Nov 2026, 16:00–17:00 CET (15:00–16:00 UTC); now proposed Tue 3 Nov 2026, 16:30–17:30 CET (15:30–16:30 \
         UTC). Why: evidence integration-tests (ci.example.com/identity, revision 2) and the calendar of Aiko Tanaka \
         (calendar.example.com/people/sec-a, revision 5). 5 more changes are below."
    );
    let todo = content.todo.expect("what to do");
    assert_eq!(todo.text, "Adopt the proposal, or decline it.");
    assert_eq!(todo.link.map(|link| link.to_string()), Some(notices::LINK.to_owned()));
}

/// However many causes there are, what to do is not pushed off a small screen: the rest of them stand below.
#[test]
fn of_many_causes_the_second_line_names_the_first() {
    let (mut notice, letterhead) = notices::named("adoption_request");
    let mut third = notice.why[0].clone();
    third.revision = 9;
    notice.why.push(third);
    let content = mail::content(&notice, &letterhead);
    let second = "Why: evidence integration-tests (ci.example.com/identity, revision 2), and 2 more causes below.";
    let headline = content.headline.expect("the change that matters most");
    assert!(headline.contains(second), "{headline}");
    let letter = shown(&mail::compose(&notice, &letterhead).expect("a letter").bytes);
    assert_eq!(letter.matches("(ci.example.com/identity, revision 9)").count(), 2, "once in the text, once in HTML");
}

/// Two people of whom the reader must not know, and two calendars of one person: what would read the same stands once.
#[test]
fn causes_that_read_the_same_are_told_once() {
    let (mut notice, letterhead) = notices::named("tentative_change");
    let two_people = ["dbm-a", "so-a"].map(|name| Standpoint {
        source: Source::parse("//calendar.example.com/all").expect("a source"),
        ..notices::somebody_busy(name)
    });
    let on_call = notices::somebody_busy(notice.to.as_str().split('@').next().unwrap_or_default());
    let mut named = on_call.clone();
    let Subject::Availability(.., diary_name) = &mut named.subject else { panic!("a calendar") };
    *diary_name = Some(DiaryName::parse("team").expect("a name"));
    notice.why = two_people.into_iter().chain([on_call, named]).collect();
    let content = mail::content(&notice, &letterhead);
    let of_the_reader = content.why.iter().filter(|cause| cause.contains("your calendar")).count();
    assert_eq!((content.why.len(), of_the_reader), (2, 1), "{:?}", content.why);
}

/// Of other participants nothing that their view does not hold: no name, no address, not even as a cause.
#[test]
fn a_participants_mail_names_nobody_else() {
    for name in [
        "tentative_change",
        "tentative_change_needed",
        "released",
        "withdrawn",
        "authoritative_update",
        "reminder_answer",
    ] {
        let (notice, _) = notices::named(name);
        let letter = shown(&compose(name).bytes);
        for other in
            ["rm-a", "so-a", "sec-a", "sec-b", "dbm-a", "sre-a", "Tanaka", "Briain", "Marques", "Müller", "Reyes"]
        {
            let own = notice.to.as_str().starts_with(other)
                || (notice.to.as_str().starts_with("sre-a") && other == "Reyes")
                || (notice.to.as_str().starts_with("sec-a") && other == "Tanaka")
                || (notice.to.as_str().starts_with("sec-b") && other == "Briain");
            assert_eq!(letter.contains(other), own, "{name}: {other}\n{letter}");
        }
    }
    assert!(
        shown(&compose("tentative_change").bytes)
            .contains("a participant’s availability (calendar.example.com, revision 5)")
    );
}

#[test]
fn nothing_is_loaded_and_nothing_tracks() {
    for (name, notice, letterhead) in notices::all() {
        let letter = mail::compose(&notice, &letterhead).expect(name);
        let message = MessageParser::default().parse(&letter.bytes).expect(name);
        let html = message.body_html(0).expect(name).to_lowercase();
        for active in
            ["<img", "<script", "<iframe", "<object", "<form", "<link", "<svg", "url(", "src=", " on", "@import"]
        {
            // " on" catches event attributes: they stand inside a tag.
            let found = match active {
                " on" => html.split('<').any(|tag| tag.split('>').next().is_some_and(|tag| tag.contains(" on"))),
                active => html.contains(active),
            };
            assert!(!found, "{name}: {active}");
        }
        let links = usize::from(letterhead.link.is_some());
        assert_eq!(html.matches("href=").count(), links, "{name}: one link at most, and it is the signed one");
        // Where to dial in is text; what a client makes of that is the client's.
        let dials = html.matches("dial in: http").count();
        assert_eq!(html.matches("http").count(), links + dials, "{name}: no other address");
    }
}

/// Who is invited, or whose meeting has moved, reads where to go; of a hold, or of what leaves a calendar, nobody is told that.
#[test]
fn a_mail_that_brings_the_meeting_says_where_it_is() {
    let conference = |text: &str| ConferenceUri::parse(text).expect("where to dial in");
    let dials = ["https://meet.example.com/j/9?pwd=a&b=%20", "tel:+49-30-1234,,77"].map(conference);
    for (location, conference, said) in [
        (None, &dials[..0], None),
        (Some("Room 4"), &dials[..0], Some("Where: Room 4")),
        (None, &dials[..1], Some("Dial in: https://meet.example.com/j/9?pwd=a&b=%20")),
        (Some("Room 4"), &dials[1..], Some("Where: Room 4; dial in: tel:+49-30-1234,,77")),
        (
            Some("Raum <4> & Flur"),
            &dials[..],
            Some("Where: Raum <4> & Flur; dial in: https://meet.example.com/j/9?pwd=a&b=%20 (1 more in the entry)"),
        ),
    ] {
        for (name, notice, mut letterhead) in notices::all() {
            letterhead.meeting = Some(Meeting {
                location: location.and_then(OneLine::of),
                conference: conference.to_vec(),
                ..Meeting::bare(Uid::parse("RR-1042@example.com").expect("a UID"), 0)
            });
            let brings = notice
                .calendar
                .as_ref()
                .is_some_and(|part| part.object == CalendarObject::Meeting && part.method == Method::Request);
            let content = mail::content(&notice, &letterhead);
            let found = content.calendar.iter().find(|line| line.contains("here: ") || line.contains("ial in: "));
            assert_eq!(found.map(String::as_str), said.filter(|_| brings), "{name}");
            let letter = mail::compose(&notice, &letterhead).expect(name);
            let message = MessageParser::default().parse(&letter.bytes).expect(name);
            let text = message.body_text(0).expect(name);
            assert!(!brings || said.is_none_or(|said| text.contains(said)), "{name}: {text}");
        }
    }
}

#[test]
fn headers_say_that_a_machine_wrote_it_and_nothing_secret() {
    for (name, notice, letterhead) in notices::all() {
        let letter = mail::compose(&notice, &letterhead).expect(name);
        let text = String::from_utf8(letter.bytes).expect("ASCII");
        let head = text.split("\r\n\r\n").next().unwrap_or_default();
        assert!(head.contains("\r\nAuto-Submitted: auto-generated\r\n"), "{name}");
        assert!(head.contains(&format!("\r\nX-Holdpoint-Kind: {}\r\n", notice.kind.word())), "{name}");
        assert!(!head.contains("AQEB3q2"), "{name}: a token in a header");
        assert!(text.lines().all(|line| line.len() <= 998), "{name}");
    }
}

/// The address names the review, since a mail that somebody writes has no UID; the organizer is the same for all.
#[test]
fn where_replies_are_read_mails_are_answered_to_that_address() {
    let replies = refresh_core::Person::parse("replies@holdpoint.example.com").expect("an address");
    for (name, notice, letterhead) in notices::all() {
        let read = mail::Letterhead { replies: Some(replies.clone()), ..letterhead.clone() };
        let bytes = mail::compose(&notice, &read).unwrap_or_else(|fault| panic!("{name}: {fault:?}")).bytes;
        let review = refresh_core::base::fingerprint::ReviewFingerprint::of(&letterhead.review);
        let head = shown(&bytes).replace("\n ", " ");
        assert!(head.contains(&format!("<replies+{review}@holdpoint.example.com>")), "{name}: {head}");
        if notice.calendar.is_some() && head.contains(":mailto:reviews@holdpoint.example.com") {
            panic!("{name}: the organizer reads no replies: {head}");
        }
        let own = mail::Letterhead { replies: Some(notice.to.clone()), ..letterhead };
        assert!(mail::compose(&notice, &own).is_err(), "{name}: a mail to where replies are read");
    }
}

#[test]
fn a_mail_to_our_own_address_or_with_a_bad_link_or_host_is_not_made() {
    let (notice, letterhead) = notices::named("adoption_request");
    let own = mail::Letterhead { from: notice.to.clone(), ..letterhead.clone() };
    assert!(mail::compose(&notice, &own).is_err());
    for link in [
        "javascript:alert(1)",
        "/adopt/x",
        "https://",
        "https://a b",
        "https://a\"b",
        "https://a\r\nBcc: x",
        "https://ü",
        "https://a'b",
    ] {
        let bad = mail::Letterhead { link: Some(link.to_owned()), ..letterhead.clone() };
        assert!(mail::compose(&notice, &bad).is_err(), "{link:?}");
    }
    for domain in ["", "a b", "x>\r\nBcc: eve@example.com", "ü.example"] {
        let bad = mail::Letterhead { mail_domain: domain.to_owned(), ..letterhead.clone() };
        let fault = mail::compose(&notice, &bad).expect_err(domain);
        assert!(!fault.to_string().contains("eve"), "the message for the log quotes nothing");
    }
}

/// What is asked may be overdue by the time something else is told.
#[test]
fn nothing_is_asked_for_by_an_instant_that_has_passed() {
    let mut asked = 0;
    for (name, notice, letterhead) in notices::all() {
        let Some(by) = notice.duty.as_ref().map(|duty| duty.by) else { continue };
        asked += 1;
        for (at, overdue) in [(by.plus_minutes(-1), false), (by, true), (by.plus_minutes(2), true)] {
            let content = mail::content(&refresh_core::record::notice::Notice { at, ..notice.clone() }, &letterhead);
            // The first words say by when, where something can still be done in time.
            let by = ["Decide by ", "Answer by "].iter().any(|ask| content.standing.starts_with(ask));
            assert_eq!(by, !overdue, "{name}: {}", content.standing);
        }
    }
    assert!(asked >= 4, "found {asked} notices that ask for something");
}

/// The end of a hold comes beside the mail that said why, so it says that one thing: whatever else the notice holds.
#[test]
fn the_end_of_a_hold_is_one_line() {
    let (notice, letterhead) = notices::named("hold_ended");
    let content = mail::content(&notice, &letterhead);
    assert_eq!((content.headline, content.todo, content.calendar), (None, None, Vec::new()));
    let letter = shown(&mail::compose(&notice, &letterhead).expect("a letter").bytes);
    assert!(letter.contains("BEGIN:VEVENT") && letter.contains("METHOD:CANCEL"), "{letter}");
    for kind in refresh_core::record::notice::NoticeKind::ALL {
        let one_line = mail::content(&refresh_core::record::notice::Notice { kind, ..notice.clone() }, &letterhead);
        assert_eq!(one_line.headline.is_none(), kind == notice.kind, "{}", kind.word());
    }
}

/// Nobody is asked to keep an hour free that is in their calendar already.
#[test]
fn another_time_is_to_be_kept_free_only_where_there_is_another() {
    for (name, expected) in [
        ("tentative_change", Some("keep the proposed time free too")),
        ("tentative_change_needed", Some("keep the proposed time free.")),
        ("tentative_change_role_alone", None),
    ] {
        let (notice, letterhead) = notices::named(name);
        let todo = mail::content(&notice, &letterhead).todo.expect("what to do").text;
        match expected {
            Some(expected) => assert!(todo.contains(expected), "{name}: {todo}"),
            None => assert!(!todo.contains("free"), "{name}: {todo}"),
        }
    }
}

/// An invitation of another system is not claimed to be ours, and its reader is asked in words to remove it.
#[test]
fn an_unknown_invitation_is_removed_by_its_reader() {
    for name in ["authoritative_update_new_meeting", "released_unknown_invitation"] {
        let (notice, letterhead) = notices::named(name);
        let content = mail::content(&notice, &letterhead);
        let asked = content.calendar.last().expect("what to remove");
        assert!(
            asked.contains("Please delete the first invitation, of ") && asked.contains("Tue 3 Nov 2026, "),
            "{name}: {asked}"
        );
        let released = content.todo.expect("what to do");
        assert_eq!(released.text.contains("delete"), released.link.is_none(), "{name}: {}", released.text);
    }
    let (notice, letterhead) = notices::named("released_unknown_invitation");
    assert!(!shown(&mail::compose(&notice, &letterhead).expect("a letter").bytes).contains("BEGIN:VEVENT"));
}

/// Many calendars take no update of a meeting from anybody but its organizer, and the reader is that.
#[test]
fn the_organizer_is_told_that_their_calendar_may_not_follow() {
    let (notice, letterhead) = notices::named("authoritative_update_organizer");
    let last = |notice: &Notice| mail::content(notice, &letterhead).calendar.pop().expect("of the calendar");
    assert!(last(&notice).contains("please move the meeting there yourself"), "{}", last(&notice));
    let part = notice.calendar.clone().expect("the meeting");
    for (status, expected) in [
        (Some(CalendarStatus::Cancelled), "please cancel it there yourself"),
        (None, "please do not cancel it for the others"),
    ] {
        let calendar = Some(CalendarPart { method: Method::Cancel, status, ..part.clone() });
        let said = last(&Notice { calendar, ..notice.clone() });
        assert!(said.contains(expected), "{said}");
    }
    let (others, letterhead) = notices::named("authoritative_update");
    assert_eq!(mail::content(&others, &letterhead).calendar.len(), 1);
}

/// Only who has the meeting in their calendar is told of its entry there.
#[test]
fn an_entry_that_is_not_there_is_not_spoken_of() {
    for (name, notice, letterhead) in notices::all() {
        let without = refresh_core::record::notice::Notice { meeting_entry: None, ..notice };
        let letter = mail::compose(&without, &letterhead).unwrap_or_else(|fault| panic!("{name}: {fault:?}"));
        let shown = shown(&letter.bytes).replace("\n ", "");
        assert!(!shown.contains("own entry"), "{name}: {shown}");
    }
}
