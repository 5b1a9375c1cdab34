//! Answers as the mail and calendar programs in use write them, and as mails become on their way: forwarded, signed, relayed,
//! sent by an assistant, forged. Only what is certain is an answer.

#[path = "common/mails.rs"]
mod mails;

use base64::{Engine, engine::general_purpose::STANDARD};
use mails::{PASS, SENDER, YES, accepted, calendar, came, crlf, event, mail, plain, said, taken, usual};

const ACCEPTED: &str = "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ada@example.com";

/// A mail of one part of this type.
fn of_type(headers: &str, kind: &str, body: &str) -> String {
    format!("{headers}From: {SENDER}\nMessage-ID: <m1@example.com>\nMIME-Version: 1.0\n{kind}\n\n{body}")
}

/// A mail of several parts, each with its headers.
fn of_parts(headers: &str, kind: &str, parts: &[&str]) -> String {
    let parts: String = parts.iter().map(|part| format!("--b\n{part}\n")).collect();
    of_type(headers, &format!("Content-Type: {kind}; boundary=b"), &format!("{parts}--b--\n"))
}

/// What clients write when somebody presses a button.
#[test]
fn an_answer_of_each_client_is_read() {
    let reply = |lines: &str| calendar("REPLY", &event(lines));
    let part = |body: &str| format!("Content-Type: text/calendar; charset=\"utf-8\"; method=REPLY\n\n{body}");
    let words = "Content-Type: text/plain; charset=\"utf-8\"\n\nAda Lovelace has accepted.\n";
    for (client, raw, expected) in [
        (
            "Google, whose service hands the mail over",
            of_parts(
                &format!("{PASS}Sender: Google Calendar <calendar-notification@google.com>\nReply-To: {SENDER}\nAuto-Submitted: auto-generated\n"),
                "multipart/mixed",
                &[
                    words,
                    &part(&reply("ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;CN=Ada;X-NUM-GUESTS=0:mailto:ada@example.com")),
                    &format!("Content-Type: application/ics; name=\"invite.ics\"\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=\"invite.ics\"\n\n{}", STANDARD.encode(crlf(&reply("ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;CN=Ada;X-NUM-GUESTS=0:mailto:ada@example.com")))),
                ],
            ),
            YES,
        ),
        (
            "Outlook, with a note in its own property and Windows zones",
            of_parts(
                &format!("{PASS}X-MS-Has-Attach: \nThread-Topic: x\nX-MS-Exchange-Organization-AuthAs: Internal\n"),
                "multipart/alternative",
                &[words, &part(&reply(&format!("{ACCEPTED}\nDTSTART;TZID=\"W. Europe Standard Time\":20261103T150000\nX-MICROSOFT-CDO-BUSYSTATUS:BUSY\nCLASS:PUBLIC")))],
            ),
            YES,
        ),
        (
            "Apple, as a file alone",
            of_parts(PASS, "multipart/mixed", &[words, &format!("Content-Type: text/calendar; name=iCal-20261103.ics\nContent-Disposition: attachment; filename=iCal-20261103.ics\nContent-Transfer-Encoding: quoted-printable\n\n{}", reply(ACCEPTED).replace('=', "=3D"))]),
            YES,
        ),
        (
            "Thunderbird, folded in the middle of a parameter",
            of_parts(PASS, "multipart/mixed", &[words, &part(&reply("ATTENDEE;CN=Ada Lovelace;PARTSTAT=ACCEP\n TED;ROLE=REQ-PARTICIPANT;RSVP=TRUE:mail\n to:ada@example.com"))]),
            YES,
        ),
        (
            "a byte order mark before the calendar",
            of_parts(PASS, "multipart/mixed", &[words, &part(&format!("\u{feff}{}", accepted()))]),
            YES,
        ),
        (
            "a byte order mark in a file",
            of_parts(PASS, "multipart/mixed", &[words, &format!("Content-Type: application/ics\nContent-Transfer-Encoding: base64\n\n{}", STANDARD.encode(crlf(&format!("\u{feff}{}", accepted()))))]),
            YES,
        ),
        (
            "Latin-1, in a name and a comment",
            of_type(PASS, "Content-Type: text/calendar; charset=iso-8859-1; method=REPLY\nContent-Transfer-Encoding: quoted-printable", &reply("ATTENDEE;CN=3DAd=E9;PARTSTAT=3DACCEPTED:mailto:ada@example.com\nCOMMENT:=E0 bient=F4t")),
            &format!("{YES} \"à bientôt\""),
        ),
        (
            "signed by S/MIME, in clear",
            of_parts(PASS, "multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256", &[&part(&accepted()), "Content-Type: application/pkcs7-signature; name=smime.p7s\nContent-Transfer-Encoding: base64\n\nMIIB"]),
            YES,
        ),
        (
            "nested four deep",
            of_parts(PASS, "multipart/mixed", &[&format!("Content-Type: multipart/related; boundary=r\n\n--r\nContent-Type: multipart/alternative; boundary=a\n\n--a\n{words}--a\n{}--a--\n--r--\n", part(&accepted()))]),
            YES,
        ),
        (
            "an encoded name that looks like another address",
            mail(PASS, &accepted()).replace(SENDER, "=?utf-8?Q?=22Eve=22_=3Ceve=40evil.example=3E?= <ada@example.com>"),
            YES,
        ),
        (
            "a quoted name that is another address",
            mail(PASS, &accepted()).replace(SENDER, "\"eve@evil.example\" <ada@example.com> (for eve@evil.example)"),
            YES,
        ),
        ("the own address as the name, without quotes", mail(PASS, &accepted()).replace(SENDER, "Ada@example.com <ada@example.com>"), YES),
        ("relayed once more by the person", mail(&format!("Resent-From: bob@example.com\nResent-Sender: bob@example.com\n{PASS}"), &accepted()), YES),
    ] {
        assert_eq!(said(&raw), expected, "{client}: {raw}");
    }
}

/// Somebody answers in the attendee's place, or it is not known who does.
#[test]
fn an_answer_in_somebody_s_place_is_said_to_be_one() {
    let of = |headers: &str, lines: &str| said(&mail(&format!("{PASS}{headers}"), &calendar("REPLY", &event(lines))));
    let own = "accepted rr-1@h.example#2 from ada@example.com passed";
    let at = "at 2026-11-03T09:15:00Z";
    for (headers, lines, expected) in [
        ("Sender: Ada Lovelace <ADA@example.com>\n", ACCEPTED.to_owned(), format!("{own} self {at}")),
        ("Sender: Assistant <assistant@example.com>\n", ACCEPTED.to_owned(), format!("{own} self by assistant@example.com {at}")),
        ("Sender: assistant@agency.example\n", ACCEPTED.to_owned(), format!("{own} self by assistant@agency.example {at}")),
        ("Sender: calendar-notification@google.com.evil.example\n", ACCEPTED.to_owned(), format!("{own} self by calendar-notification@google.com.evil.example {at}")),
        ("Sender: Assistant\n", ACCEPTED.to_owned(), format!("{own} {at}")),
        ("Sender: ada@example.com\nSender: assistant@example.com\n", ACCEPTED.to_owned(), format!("{own} {at}")),
        ("Sender: ada@example.com, assistant@example.com\n", ACCEPTED.to_owned(), format!("{own} {at}")),
        ("", ACCEPTED.replace("ATTENDEE;", "ATTENDEE;SENT-BY=\"mailto:ada@example.com\";"), format!("{own} self by ada@example.com {at}")),
        ("", ACCEPTED.replace("ATTENDEE;", "ATTENDEE;SENT-BY=Assistant;"), format!("{own} {at}")),
        (
            "",
            ACCEPTED.replace("ATTENDEE;", "ATTENDEE;SENT-BY=\"mailto:ada@example.com\";SENT-BY=\"mailto:b@example.com\";"),
            format!("{own} self by b@example.com {at}"),
        ),
        // an alias, a list and a member of a list are other addresses
        ("", ACCEPTED.replace("ada@", "ada.lovelace@"), format!("{own} for ada.lovelace@example.com {at}")),
        ("", ACCEPTED.replace("ada@", "ada+work@"), format!("{own} for ada+work@example.com {at}")),
        ("", "ATTENDEE;CUTYPE=GROUP;PARTSTAT=ACCEPTED:mailto:reviewers@example.com".to_owned(), format!("{own} for reviewers@example.com {at}")),
        ("", ACCEPTED.replace("ATTENDEE;", "ATTENDEE;MEMBER=\"mailto:reviewers@example.com\";"), format!("{own} self {at}")),
        // a delegate who answers, of whom the delegator is told beside
        (
            "",
            "ATTENDEE;PARTSTAT=ACCEPTED;DELEGATED-FROM=\"mailto:b@example.com\":mailto:ada@example.com\nATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO=\"mailto:ada@example.com\":mailto:b@example.com".to_owned(),
            format!("{own} self {at}"),
        ),
    ] {
        assert_eq!(of(headers, &lines), expected, "{headers}{lines}");
    }
}

/// What says two things, or is not an answer at all, answers nothing.
#[test]
fn what_is_not_certain_is_no_answer() {
    let no = "unanswered rr-1@h.example#2 from ada@example.com passed self at 2026-11-03T09:15:00Z";
    let reply = |lines: &str| calendar("REPLY", &event(lines));
    for (what, calendar) in [
        (
            "a word twice, the better one first",
            reply(&ACCEPTED.replace("PARTSTAT=ACCEPTED", "PARTSTAT=ACCEPTED;PARTSTAT=DECLINED")),
        ),
        (
            "a word twice, the better one last",
            reply(&ACCEPTED.replace("PARTSTAT=ACCEPTED", "PARTSTAT=DECLINED;PARTSTAT=ACCEPTED")),
        ),
        ("two words in one", reply(&ACCEPTED.replace("=ACCEPTED", "=ACCEPTED,DECLINED"))),
        ("two methods, REPLY first", accepted().replace("METHOD:REPLY", "METHOD:REPLY\nMETHOD:REQUEST")),
        (
            "two calendars, the second one an invitation",
            format!("{}{}", accepted(), calendar("REQUEST", &event(ACCEPTED))),
        ),
        ("an answer to an answer", accepted().replace("METHOD:REPLY", "METHOD:DECLINECOUNTER")),
        (
            "parts that end in another order",
            accepted().replace("END:VEVENT\nEND:VCALENDAR", "END:VCALENDAR\nEND:VEVENT"),
        ),
        ("a part that is open", accepted().replace("END:VEVENT", "BEGIN:VALARM\nEND:VEVENT")),
        (
            "of one occurrence, and of those after",
            reply(&format!("{ACCEPTED}\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261103T140000Z")),
        ),
        ("that was not delivered", reply(&format!("{ACCEPTED}\nREQUEST-STATUS:5.1;Could not deliver"))),
        ("COMPLETED is a word of tasks", reply(&ACCEPTED.replace("ACCEPTED", "COMPLETED"))),
    ] {
        let raw = mail(PASS, &calendar).replace("; method=REPLY", "");
        assert_eq!(said(&raw), no, "{what}: {raw}");
    }
    let invitation =
        |lines: &str| format!("Content-Type: text/calendar; method=REQUEST\n\n{}", calendar("REQUEST", &event(lines)));
    let answer = format!("Content-Type: text/calendar; method=REPLY\n\n{}", accepted());
    let beside = of_parts(PASS, "multipart/mixed", &[&answer, &invitation(ACCEPTED)]);
    assert_eq!(said(&beside), no, "the invitation beside its answer");
    let forwarded = of_parts(
        PASS,
        "multipart/mixed",
        &["Content-Type: text/plain\n\nfyi\n", &invitation("ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:ada@example.com")],
    );
    assert_eq!(said(&forwarded), no, "an invitation that is forwarded");
}

/// A program that answers by itself answers for nobody, wherever the mail says so.
#[test]
fn whatever_says_that_a_program_answered_counts() {
    let automatic = YES.replace("passed self", "passed automatic self");
    for headers in [
        "Auto-Submitted: no\nAuto-Submitted: auto-replied\n",
        "Auto-Submitted: Auto-Replied; owner-email=\"ada@example.com\"\n",
        "Auto-Submitted: (by rule) auto-replied\n",
        "X-Autoresponse: 1\n",
        "Precedence: first-class\nPrecedence: auto_reply\n",
        "X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent\n",
        "Mailing-List: list reviewers@example.com; contact owner@example.com\n",
    ] {
        assert_eq!(said(&mail(&format!("{PASS}{headers}"), &accepted())), automatic, "{headers}");
    }
    assert_eq!(said(&mail(&format!("Return-Path: <>\n{PASS}"), &accepted())), automatic);
}

/// The address that was judged is the one that is read, however `From` is written.
#[test]
fn of_a_from_that_may_be_read_in_two_ways_nothing_is_read() {
    let skipped = "skipped: a mail whose From is not one address";
    let of = |from: &str| said(&mail(PASS, &accepted()).replace(SENDER, from));
    for from in [
        "ada@example.com <eve@evil.example>",
        "eve@evil.example <ada@example.com>",
        "<eve@evil.example> <ada@example.com>",
        "eve@evil.example ada@example.com",
        "<@evil.example:ada@example.com>",
        "Team: ada@example.com;",
        "ada@example.com\nFROM: eve@evil.example",
        "Ada <ada@example.com> eve@evil.example",
        "\"Ada <ada@example.com>",
        "(Ada <ada@example.com>",
        "",
    ] {
        assert_eq!(of(from), skipped, "{from:?}");
    }
    for from in [
        "\"Ada\" <eve@evil.example>",
        "=?utf-8?Q?ada=40example.com?= <eve@evil.example>",
        "\"ada@example.com\" <eve@evil.example>",
    ] {
        let came = of(from);
        assert!(came.contains("from eve@evil.example failed for ada@example.com"), "{from:?}: {came}");
    }
}

/// What nobody here can read is skipped, and the reason says what it was.
#[test]
fn an_answer_that_cannot_be_read_is_said_to_be_there() {
    let unnamed = "skipped: a mail without an answer of a calendar program, to an address that names no review";
    for (kind, told) in [
        ("application/ms-tnef; name=winmail.dat", "winmail.dat (application/ms-tnef)"),
        (
            "application/pkcs7-mime; smime-type=signed-data; name=smime.p7m",
            "an S/MIME part that is signed or encrypted as a whole",
        ),
    ] {
        let raw = of_type(PASS, &format!("Content-Type: {kind}\nContent-Transfer-Encoding: base64"), "AAAA");
        assert_eq!(said(&raw), format!("{unnamed}; what it says is in {told}, which nobody here can read"), "{raw}");
        let parts = of_parts(
            PASS,
            "multipart/mixed",
            &["Content-Type: text/plain\n\nAccepted.\n", &format!("Content-Type: {kind}\n\nx")],
        );
        assert_eq!(
            said(&parts),
            format!("{unnamed}; what it says is in {told}, which nobody here can read"),
            "{parts}"
        );
    }
    // Of a review that the address names, what is written beside is a comment.
    let named = of_parts(
        PASS,
        "multipart/mixed",
        &["Content-Type: text/plain\n\nAccepted.\n", "Content-Type: application/ms-tnef\n\nx"],
    );
    let read = taken(crlf(&named).as_bytes(), "replies+00112233445566778899aabbccddeeff@h.example", &usual());
    assert!(came(&read).starts_with("unanswered review 0011"), "{}", came(&read));
    let away = plain(
        &format!("{PASS}Auto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\nSubject: Automatic reply: x\n"),
        "I am away.\n",
    );
    assert_eq!(said(&away), "skipped: an automatic reply: nobody wrote it");
}

/// Words of other servers, of servers before, and of the sender, however they are written.
#[test]
fn nothing_else_vouches_for_a_sender() {
    let of = |headers: &str| {
        let came = said(&mail(headers, &accepted()));
        ["passed", "failed", "missing", "no_policy", "unavailable"]
            .into_iter()
            .find(|word| came.contains(&format!("ada@example.com {word}")))
            .unwrap_or("skipped")
    };
    let ours = |text: &str| format!("Authentication-Results: mx.example.com; {text}\n");
    let sealed = "ARC-Seal: i=1; cv=none; d=evil.example\nARC-Authentication-Results: i=1; mx.example.com; dmarc=pass header.from=example.com\n";
    for (headers, expected) in [
        (format!("{sealed}{}", ours("arc=pass (i=1 dmarc=pass); dmarc=fail header.from=example.com")), "failed"),
        (sealed.to_owned(), "missing"),
        (format!("{}{sealed}", ours("dmarc=pass header.from=example.com")), "passed"),
        // two headers of the own server: the topmost is the newest
        (
            format!("{}{}", ours("dkim=pass header.d=example.com"), ours("dmarc=pass header.from=example.com")),
            "missing",
        ),
        (format!("{}{}", ours("dmarc=fail"), ours("dmarc=pass")), "failed"),
        (ours("dmarc=pass header.from=example.com header.from=evil.example"), "failed"),
        (ours("dmarc=pass header.from=mail.example.com"), "failed"),
        (ours("dmarc=pass polrec.domain=example.com header.from=example.com"), "passed"),
        (ours("dmarc=pass (p=none sp=none dis=none) header.from=example.com"), "passed"),
        (ours("dmarc=fail (p=none dis=none) header.from=example.com"), "failed"),
        (ours("dmarc=pass action=none header.from=Example.COM; compauth=fail reason=001"), "passed"),
        (ours("spf=pass smtp.mailfrom=dmarc=pass"), "missing"),
        (ours("auth=pass smtp.auth=ada@example.com"), "missing"),
        (
            "Received-SPF: pass\nX-MS-Exchange-Authentication-Results: mx.example.com; dmarc=pass\n".to_owned(),
            "missing",
        ),
        ("Authentication-Results: i=1; mx.example.com; dmarc=pass\n".to_owned(), "missing"),
        (
            "DKIM-Signature: v=1; d=example.com\nAuthentication-Results-Original: mx.example.com; dmarc=pass\n"
                .to_owned(),
            "missing",
        ),
    ] {
        assert_eq!(of(&headers), expected, "{headers}");
    }
}
