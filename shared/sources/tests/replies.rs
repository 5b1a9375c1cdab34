//! Mails that people send back, as their programs write them, and what each comes to. A mail is outside text: it is read
//! or skipped by name, and whatever is not certain is no answer.

#[path = "common/mails.rs"]
mod mails;

use base64::{Engine, engine::general_purpose::STANDARD};
use mails::{PASS, SENDER, YES, accepted, bindings, calendar, came, crlf, event, mail, plain, said, taken, usual};
use refresh_core::facts::event::Statement;
use serde_json::{Value, json};
use sources::{ReadBody, policy, read};

/// What stands in the event of a calendar, and what comes of it.
#[test]
fn what_calendar_programs_answer() {
    let of = |method: &str, lines: &str| {
        said(&mail(PASS, &calendar(method, &event(lines))).replace("method=REPLY", &format!("method={method}")))
    };
    let own = "rr-1@h.example#2 from ada@example.com passed self at 2026-11-03T09:15:00Z";
    for (method, lines, expected) in [
        ("REPLY", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ada@example.com", format!("accepted {own}")),
        ("REPLY", "ATTENDEE;PARTSTAT=DECLINED:mailto:ada@example.com", format!("declined {own}")),
        ("reply", "ATTENDEE;PARTSTAT=tentative:MAILTO:ADA@EXAMPLE.COM", format!("tentative {own}")),
        ("REPLY", "ATTENDEE;CN=\"Lovelace; Ada: x\";PARTSTAT=ACCEPTED:mailto:Ada%40example.com", format!("accepted {own}")),
        ("REPLY", "ATTENDEE;EMAIL=ada@example.com;PARTSTAT=ACCEPTED:urn:uuid:1", format!("accepted {own}")),
        // no answer, or a word that nobody knows
        ("REPLY", "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:ada@example.com", format!("unanswered {own}")),
        ("REPLY", "ATTENDEE:mailto:ada@example.com", format!("unanswered {own}")),
        ("REPLY", "ATTENDEE;PARTSTAT=X-YES:mailto:ada@example.com", format!("unanswered {own}")),
        ("REQUEST", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ada@example.com", format!("unanswered {own}")),
        ("REFRESH", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ada@example.com", format!("unanswered {own}")),
        // delegation is an act of the mapping, not of an attendee
        ("REPLY", "ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO=\"mailto:b@example.com\":mailto:ada@example.com", format!("delegated {own}")),
        ("REPLY", "ATTENDEE;PARTSTAT=ACCEPTED;DELEGATED-TO=\"mailto:b@example.com\":mailto:ada@example.com", format!("delegated {own}")),
        // a request that failed, one occurrence of a series
        ("REPLY", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ada@example.com\nREQUEST-STATUS:2.0;Success", format!("accepted {own}")),
        ("REPLY", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ada@example.com\nREQUEST-STATUS:3.7;Invalid user", format!("unanswered {own}")),
        ("REPLY", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ada@example.com\nRECURRENCE-ID:20261103T140000Z", format!("unanswered {own}")),
        // the sender's own line among others; twice; only somebody else's
        ("REPLY", "ATTENDEE;PARTSTAT=DECLINED:mailto:b@example.com\nATTENDEE;PARTSTAT=ACCEPTED:mailto:ada@example.com", format!("accepted {own}")),
        ("REPLY", "ATTENDEE;PARTSTAT=DECLINED:mailto:ada@example.com\nATTENDEE;PARTSTAT=ACCEPTED:mailto:ada@example.com", format!("unanswered {own}")),
        (
            "REPLY",
            "ATTENDEE;PARTSTAT=ACCEPTED:mailto:b@example.com",
            "accepted rr-1@h.example#2 from ada@example.com passed for b@example.com at 2026-11-03T09:15:00Z".to_owned(),
        ),
        (
            "REPLY",
            "ATTENDEE;PARTSTAT=ACCEPTED:mailto:b@example.com\nATTENDEE;PARTSTAT=ACCEPTED:mailto:c@example.com",
            "unanswered rr-1@h.example#2 from ada@example.com passed at 2026-11-03T09:15:00Z".to_owned(),
        ),
        // somebody answers in the attendee's place
        (
            "REPLY",
            "ATTENDEE;PARTSTAT=ACCEPTED;SENT-BY=\"mailto:assistant@example.com\":mailto:ada@example.com",
            "accepted rr-1@h.example#2 from ada@example.com passed self by assistant@example.com at 2026-11-03T09:15:00Z".to_owned(),
        ),
        // a proposed time, in UTC, in a Windows zone, in no zone, of no length
        (
            "COUNTER",
            "ATTENDEE;PARTSTAT=TENTATIVE:mailto:ada@example.com\nDTSTART:20261103T160000Z\nDTEND:20261103T170000Z\nCOMMENT:Later\\, please\\nAda",
            format!("countered {own} asks 2026-11-03T16:00:00Z/2026-11-03T17:00:00Z \"Later, please Ada\""),
        ),
        (
            "COUNTER",
            "ATTENDEE:mailto:ada@example.com\nDTSTART;TZID=\"W. Europe Standard Time\":20261103T160000\nDTEND;TZID=\"W. Europe Standard Time\":20261103T170000",
            format!("countered {own} asks 2026-11-03T15:00:00Z/2026-11-03T16:00:00Z"),
        ),
        ("COUNTER", "ATTENDEE:mailto:ada@example.com\nDTSTART:20261103T160000\nDTEND:20261103T170000", format!("countered {own}")),
        ("COUNTER", "ATTENDEE:mailto:ada@example.com\nDTSTART:20261103T160000Z\nDTEND:20261103T160000Z", format!("countered {own}")),
        ("COUNTER", "ATTENDEE:mailto:ada@example.com\nDTSTART:20261103T160000Z\nDTEND:20271103T160000Z", format!("countered {own}")),
        // an alarm's lines are not the event's
        ("REPLY", "BEGIN:VALARM\nATTENDEE;PARTSTAT=DECLINED:mailto:ada@example.com\nUID:x\nEND:VALARM\nATTENDEE;PARTSTAT=ACCEPTED:mailto:ada@example.com", format!("accepted {own}")),
        ("REPLY", "ATTENDEE;PARTSTAT=ACCEPTED;X-RESPONSE-COMMENT=\"see you\":mailto:ada@example.com", format!("accepted {own} \"see you\"")),
    ] {
        assert_eq!(of(method, lines), expected, "{method} {lines}");
    }
}

/// What stands around the event.
#[test]
fn what_stands_around_the_answer() {
    let own = event("ATTENDEE;PARTSTAT=ACCEPTED:mailto:ada@example.com");
    let no = |text: &str| format!("unanswered {text}");
    let about = "rr-1@h.example#2 from ada@example.com passed self at 2026-11-03T09:15:00Z";
    for (calendar, expected) in [
        (accepted(), YES.to_owned()),
        // the method of the content type counts where the calendar says none, and never against it
        (accepted().replace("METHOD:REPLY\n", ""), YES.to_owned()),
        (accepted().replace("METHOD:REPLY", "METHOD:REQUEST"), no(about)),
        // a calendar that is cut off
        (accepted().replace("END:VCALENDAR\n", ""), no(about)),
        (accepted().replace("END:VEVENT\nEND:VCALENDAR\n", ""), no(about)),
        // several events: of several objects each counts, of one object none
        (
            calendar("REPLY", &format!("{own}{}", own.replace("rr-1@", "rr-2@"))),
            format!("{YES}; {}", YES.replace("rr-1@", "rr-2@")),
        ),
        (calendar("REPLY", &format!("{own}{own}")), YES.to_owned()),
        (calendar("REPLY", &format!("{own}{}", own.replace("ACCEPTED", "DECLINED"))), no(about)),
        // numbers
        (accepted().replace("SEQUENCE:2\n", ""), YES.replace("#2", "#0")),
        (accepted().replace("SEQUENCE:2\n", "SEQUENCE:two\n"), no(&about.replace("#2", "#0"))),
        (accepted().replace("SEQUENCE:2\n", "SEQUENCE:1\nSEQUENCE:2\n"), no(&about.replace("#2", "#0"))),
        (accepted().replace("DTSTAMP:20261103T091500Z\n", ""), YES.replace(" at 2026-11-03T09:15:00Z", "")),
        (accepted().replace("20261103T091500Z", "00010101T000000Z"), YES.replace(" at 2026-11-03T09:15:00Z", "")),
        // a UID that is none of ours, or none
        (
            accepted().replace("UID:rr-1@h.example\n", ""),
            "skipped: a mail without an answer of a calendar program, to an address that names no review".to_owned(),
        ),
        (
            accepted().replace("UID:rr-1@h.example", "UID:größe"),
            "skipped: a mail without an answer of a calendar program, to an address that names no review".to_owned(),
        ),
        (accepted().replace("UID:rr-1@h", "UID:rr\\,1@h"), YES.replace("rr-1@h", "rr,1@h")),
        // folded in the middle of a word
        (accepted().replace("PARTSTAT=ACCEPTED", "PARTS\n TAT=ACCE\n\tPTED"), YES.to_owned()),
    ] {
        assert_eq!(said(&mail(PASS, &calendar)), expected, "{calendar}");
    }
}

/// The same answer in every MIME clothing.
#[test]
fn an_answer_is_found_wherever_it_stands() {
    let encoded = STANDARD.encode(crlf(&accepted()));
    let quoted = accepted().replace('=', "=3D").replace("mailto:", "mail=\nto:");
    let alternative = |part: &str| {
        format!(
            "{PASS}From: {SENDER}\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n\
             Ada has accepted.\n--b\nContent-Type: text/html\n\n<p>Ada has accepted.</p>\n{part}\n--b--\n"
        )
    };
    let part = |headers: &str, body: &str| format!("--b\n{headers}\n\n{body}");
    let kind = "Content-Type: text/calendar; charset=\"UTF-8\"; method=REPLY";
    for raw in [
        mail(PASS, &accepted()),
        alternative(&part(kind, &accepted())),
        alternative(&part(&format!("{kind}\nContent-Transfer-Encoding: base64"), &encoded)),
        alternative(&part(&format!("{kind}\nContent-Transfer-Encoding: quoted-printable"), &quoted)),
        alternative(&part(
            "Content-Type: application/ics; name=\"invite.ics\"\nContent-Disposition: attachment; filename=\"invite.ics\"\nContent-Transfer-Encoding: base64",
            &encoded,
        )),
        alternative(&part(
            "Content-Type: application/octet-stream; name=invite.ics\nContent-Transfer-Encoding: base64",
            &encoded,
        )),
        // the same once more as a file
        alternative(&format!(
            "{}\n{}",
            part(kind, &accepted()),
            part("Content-Type: application/ics; name=invite.ics", &accepted())
        )),
        // a mixed mail around the alternative one
        format!(
            "{PASS}From: {SENDER}\nContent-Type: multipart/mixed; boundary=o\n\n--o\n{}\n--o--\n",
            alternative(&part(kind, &accepted())).replace(PASS, "").replace(&format!("From: {SENDER}\n"), "")
        ),
    ] {
        assert_eq!(said(&raw), YES, "{raw}");
    }
    let two = alternative(&format!(
        "{}\n{}",
        part(kind, &accepted()),
        part(kind, &accepted().replace("ACCEPTED", "DECLINED"))
    ));
    assert!(said(&two).starts_with("unanswered "), "two parts that contradict each other: {}", said(&two));
    // What somebody else wrote, and this sender only passes on.
    let inside = format!(
        "{PASS}From: {SENDER}\nContent-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: text/plain\n\nsee below\n\
        --o\nContent-Type: message/rfc822\n\n{}\n--o--\n",
        mail("", &accepted())
    );
    assert!(said(&inside).starts_with("skipped: "), "{}", said(&inside));
}

/// Only the topmost word of the deployment's own server counts. Every other way of not knowing vouches for nobody.
#[test]
fn only_the_receiving_server_vouches_for_a_sender() {
    let results = |text: &str| format!("Authentication-Results: {text}\n");
    let forged = results("mx.example.com; dmarc=pass header.from=example.com");
    let received = "Received: from x by mx.example.com; Tue, 3 Nov 2026 09:15:04 +0000\n";
    let of = |headers: &str, bindings: &sources::Bindings| {
        let read = taken(crlf(&mail(headers, &accepted())).as_bytes(), "r@h.example", bindings);
        let [event] = read.events.as_slice() else { panic!("{headers}: {read:?}") };
        let Statement::Reply(reply) = &event.statement else { panic!("{event:?}") };
        reply.authentication.word()
    };
    for (headers, expected) in [
        (forged.clone(), "passed"),
        (results("mx.example.com 1; dmarc = pass"), "passed"),
        (
            results(
                "\"MX.example.com\" (our server; dmarc=fail); spf=fail; dmarc/1=PASS (p=none;) header.from=\"EXAMPLE.com\"",
            ),
            "passed",
        ),
        (results("mx.example.com;\n spf=pass\n smtp.mailfrom=example.com;\n\tdmarc=pass"), "passed"),
        (results("mx.example.com; dmarc=fail header.from=example.com"), "failed"),
        (results("mx.example.com; dmarc=none header.from=example.com"), "no_policy"),
        (results("mx.example.com; dmarc=bestguesspass"), "no_policy"),
        (results("mx.example.com; dmarc=temperror"), "unavailable"),
        (results("mx.example.com; dmarc=permerror"), "unavailable"),
        (results("mx.example.com; dmarc=splendid"), "missing"),
        (results("mx.example.com; none"), "missing"),
        // other methods are no DMARC
        (results("mx.example.com; spf=pass smtp.mailfrom=example.com; dkim=pass header.d=example.com"), "missing"),
        (results("mx.example.com; x-dmarc=pass; arc=pass (dmarc=pass)"), "missing"),
        (results("mx.example.com; spf=pass reason=\"; dmarc=pass\""), "missing"),
        (results("mx.example.com; spf=pass (; dmarc=pass"), "missing"),
        // of another domain than the one that the mail is from
        (results("mx.example.com; dmarc=pass header.from=evil.example"), "failed"),
        // two words: the worse one
        (results("mx.example.com; dmarc=pass; dmarc=fail"), "failed"),
        // of another server, of a name that only begins so, of nobody
        (results("mx.evil.example; dmarc=pass header.from=example.com"), "missing"),
        (results("mx.example.com.evil.example; dmarc=pass"), "missing"),
        (String::new(), "missing"),
        // a sender's own below what the server put on top
        (format!("{}{forged}", results("mx.example.com; dmarc=fail")), "failed"),
        (format!("{}{forged}", results("other.example.com; dmarc=pass")), "missing"),
        // below the server's own `Received` a sender can write what they like
        (format!("{received}{forged}"), "missing"),
        (format!("{forged}{received}"), "passed"),
        (forged.replace("Authentication-Results", "X-Authentication-Results"), "missing"),
        (forged.replace("Authentication-Results", "ARC-Authentication-Results"), "missing"),
    ] {
        assert_eq!(of(&headers, &usual()), expected, "{headers}");
    }
    let relayed = bindings(json!({"authserv_id": "mx.example.com", "relays": 1}));
    assert_eq!(of(&format!("{received}{forged}"), &relayed), "passed", "one server of the deployment stands behind");
    assert_eq!(of(&format!("{received}{received}{forged}"), &relayed), "missing");
    assert_eq!(of(&forged, &bindings(json!({}))), "missing", "no server is named");
}

fn ses(dmarc: Value, others: Value, raw: &str) -> ReadBody {
    let mut receipt = json!({
        "recipients": ["replies+00112233445566778899aabbccddeeff@holdpoint.example.com"],
        "spamVerdict": {"status": "PASS"}, "virusVerdict": {"status": "PASS"}, "dmarcVerdict": dmarc,
        "action": {"type": "SNS", "encoding": "BASE64"},
    });
    for (name, value) in others.as_object().into_iter().flatten() {
        receipt[name] = value.clone();
    }
    let notification = json!({"notificationType": "Received", "mail": {}, "receipt": receipt,
        "content": STANDARD.encode(crlf(raw))});
    let envelope = json!({"Type": "Notification", "TopicArn": "arn:aws:sns:eu-central-1:111122223333:x",
        "MessageId": "1", "Message": notification.to_string()});
    read(&envelope.to_string(), &usual()).unwrap_or_else(|refused| panic!("{refused}"))
}

/// Beside a mail SES says whether its sender is proven. What the mail says of itself does not count then.
#[test]
fn verdicts_of_ses_vouch_for_a_sender() {
    for (status, expected) in [
        (json!({"status": "PASS"}), "passed"),
        (json!({"status": "FAIL"}), "failed"),
        (json!({"status": "GRAY"}), "no_policy"),
        (json!({"status": "PROCESSING_FAILED"}), "unavailable"),
        (json!({"status": "DISABLED"}), "missing"),
        (json!({"status": "PASSED"}), "missing"),
        (json!({"status": null}), "missing"),
        (json!({}), "missing"),
        (json!("PASS"), "missing"),
        (Value::Null, "missing"),
    ] {
        let read = ses(
            status.clone(),
            json!({"spfVerdict": {"status": "PASS"}, "dkimVerdict": {"status": "PASS"}}),
            &mail(PASS, &accepted()),
        );
        assert_eq!(came(&read), YES.replace("passed", expected), "{status}");
    }
    let fail = json!({"status": "FAIL"});
    let spam = json!({"spamVerdict": {"status": "FAIL"}});
    assert_eq!(
        came(&ses(fail.clone(), spam.clone(), &mail("", &accepted()))),
        "skipped: a mail that SES takes for spam, of a sender that nothing vouches for"
    );
    assert_eq!(came(&ses(json!({"status": "PASS"}), spam, &mail("", &accepted()))), YES);
    let virus = json!({"virusVerdict": {"status": "FAIL"}});
    assert_eq!(
        came(&ses(json!({"status": "PASS"}), virus, &mail("", &accepted()))),
        "skipped: a mail in which SES found a virus"
    );
    let plain = ses(fail, json!({}), &plain("", "I cannot come.\n"));
    assert_eq!(
        came(&plain),
        "unanswered review 00112233445566778899aabbccddeeff from ada@example.com failed \"I cannot come.\""
    );
}

/// A mail without an answer of a calendar program.
#[test]
fn what_people_and_programs_write() {
    let to = "Replies+00112233445566778899AABBCCDDEEFF@holdpoint.example.com";
    let of = |raw: &str| came(&taken(crlf(raw).as_bytes(), to, &usual()));
    let wrote =
        |text: &str| format!("unanswered review 00112233445566778899aabbccddeeff from ada@example.com passed {text:?}");
    let long = "word ".repeat(200);
    for (text, expected) in [
        ("I cannot come at 14:00.\n\nAda\n", "I cannot come at 14:00. Ada".to_owned()),
        ("No.\n\nOn Tue, Nov 3, 2026 at 9:02 Holdpoint <h@example.com> wrote:\n> secret link\n", "No.".to_owned()),
        ("No.\n> secret link\nStill no.\n", "No. Still no.".to_owned()),
        ("No.\n-----Original Message-----\nsecret link", "No.".to_owned()),
        ("No.\n________________________________\nFrom: Holdpoint\nsecret", "No.".to_owned()),
        (
            "Nein.\nAm 3.11.2026 um 09:02 schrieb Holdpoint:\nAm 3.11.2026 schrieb:\nsecret",
            "Nein. Am 3.11.2026 um 09:02 schrieb Holdpoint:".to_owned(),
        ),
        ("No.\n-- \nAda Lovelace, private number", "No.".to_owned()),
        ("a\u{202e}b\u{200b}\tc\u{7}", "ab c".to_owned()),
        (&long, format!("{}…", long[..299].trim_end())),
    ] {
        assert_eq!(of(&plain(PASS, text)), wrote(&expected), "{text:?}");
    }
    let attribution = "On Tue, Nov 3, 2026 at 9:02 Review coordination &lt;h@example.com&gt; wrote:";
    for html in [
        "<div>No.</div><br><blockquote type=cite><html><body><p>secret link</p></body></html></blockquote>".to_owned(),
        format!("<div dir=ltr>No.</div><br><div class=gmail_quote><div>{attribution}</div>secret link</div>"),
        format!("<div>No.</div><div>{attribution}</div><blockquote>secret link</blockquote>"),
        format!("<div>No.</div><div>{attribution}</div><div>secret link</div>"),
        "<div>No.</div><div id=\"appendonsend\"></div><hr><div id=\"divRplyFwdMsg\">From: h</div>secret link"
            .to_owned(),
        "<p>No.<o:p></o:p></p><div style='border:none;border-top:solid #E1E1E1 1.0pt'>Von: h</div>secret link"
            .to_owned(),
    ] {
        let typed = plain(PASS, &html).replace("text/plain", "text/html");
        assert_eq!(of(&typed), wrote("No."), "{html:?}");
        // A program that puts an empty text beside the HTML.
        let both = plain(
            PASS,
            &format!(
                "--b\nContent-Type: text/plain\n\n \n--b\nContent-Type: text/html; charset=utf-8\n\n{html}\n--b--\n"
            ),
        );
        let both = both.replace("text/plain; charset=utf-8", "multipart/alternative; boundary=b");
        assert_eq!(of(&both), wrote("No."), "{html:?}");
    }
    for (raw, expected) in [
        (plain(PASS, "> all of it is quoted\n"), "skipped: a mail in which nothing is written"),
        (plain(PASS, ""), "skipped: a mail in which nothing is written"),
        (
            plain(&format!("{PASS}Auto-Submitted: auto-replied\n"), "I am away"),
            "skipped: an automatic reply: nobody wrote it",
        ),
        (
            plain(&format!("{PASS}Auto-Submitted: auto-generated (rule 7)\n"), "Ticket 7"),
            "skipped: an automatic reply: nobody wrote it",
        ),
        (plain(&format!("{PASS}X-Autoreply: yes\n"), "I am away"), "skipped: an automatic reply: nobody wrote it"),
        (
            plain(&format!("{PASS}Precedence: auto_reply\n"), "I am away"),
            "skipped: an automatic reply: nobody wrote it",
        ),
        (
            plain(&format!("{PASS}List-Id: <all.example.com>\n"), "Hello all"),
            "skipped: a mail through a list, without an answer of a calendar program",
        ),
        (
            plain(&format!("{PASS}Precedence: bulk\n"), "Buy"),
            "skipped: a mail through a list, without an answer of a calendar program",
        ),
        (
            plain(&format!("Return-Path: <>\n{PASS}"), "could not deliver"),
            "skipped: a mail that nobody may answer: a bounce or a notification",
        ),
        (
            format!(
                "{PASS}From: MAILER-DAEMON@example.com\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: text/plain\n\nbounced\n--b\nContent-Type: text/calendar; method=REPLY\n\n{}--b--\n",
                accepted()
            ),
            "skipped: a report on the way of another mail: a bounce or a receipt",
        ),
        (
            plain(PASS, "x").replace(SENDER, "Ada <ada@example.com>, Eve <eve@example.com>"),
            "skipped: a mail whose From is not one address",
        ),
        (plain(PASS, "x").replace(SENDER, "undisclosed-recipients:;"), "skipped: a mail whose From is not one address"),
        (plain(&format!("{PASS}From: eve@evil.example\n"), "x"), "skipped: a mail whose From is not one address"),
        ("no header at all".to_owned(), "skipped: a mail whose From is not one address"),
        (String::new(), "skipped: a mail that cannot be read"),
    ] {
        assert_eq!(of(&raw), expected, "{raw}");
    }
    let unnamed = taken(plain(PASS, "hello").as_bytes(), "replies+nothing@holdpoint.example.com", &usual());
    assert_eq!(
        came(&unnamed),
        "skipped: a mail without an answer of a calendar program, to an address that names no review"
    );
}

/// A press of a button in a calendar makes a program send a mail; a program that answers by itself answers for nobody.
#[test]
fn what_a_program_answers_by_itself_is_marked() {
    let of = |header: &str| said(&mail(&format!("{PASS}{header}"), &accepted()));
    assert_eq!(of("Auto-Submitted: auto-generated\n"), YES);
    assert_eq!(of("Auto-Submitted: no\n"), YES);
    for header in [
        "Auto-Submitted: auto-replied\n",
        "Auto-Submitted: auto-notified\n",
        "List-Id: <x.example.com>\n",
        "Precedence: list\n",
    ] {
        assert_eq!(of(header), YES.replace("passed self", "passed automatic self"), "{header}");
    }
}

/// A mail twice is one event, another mail of the same content another.
#[test]
fn a_redelivery_is_the_same_event() {
    let ids = |raw: &str| -> Vec<String> {
        let read = taken(crlf(raw).as_bytes(), "r@h.example", &usual());
        read.events.iter().map(|event| event.identity.id.to_string()).collect()
    };
    let raw = mail(PASS, &accepted());
    assert_eq!(ids(&raw), ids(&format!("X-Hop: 7\n{raw}")));
    assert!(ids(&raw)[0].starts_with("m1@example.com/"), "{:?}", ids(&raw));
    for other in [raw.replace("<m1@", "<m2@"), raw.replace("ACCEPTED", "DECLINED"), raw.replace(PASS, "")] {
        assert_ne!(ids(&raw), ids(&other), "{other}");
    }
}

/// Of all that a mail holds, only what the contract names goes on.
#[test]
fn the_rest_of_a_mail_has_no_place_to_go() {
    let lines = "ATTENDEE;CN=MARKER;X-NOTE=MARKER;PARTSTAT=ACCEPTED:mailto:ada@example.com\nLOCATION:MARKER\nDESCRIPTION:MARKER\n\
        ORGANIZER;CN=MARKER:mailto:marker@example.com\nATTACH:https://MARKER\nX-MS-OLK-SENDER;CN=MARKER:mailto:MARKER@x.example\nCONTACT:MARK\n ER";
    let calendar =
        calendar("REPLY", &event(lines)).replace("-//x//EN", "MARKER").replace("SUMMARY:", "SUMMARY:MARKER ");
    let headers = format!(
        "{PASS}Subject: MARKER\nReply-To: MARKER@example.com\nX-Originating-IP: MARKER\nReceived: from MARKER\nCc: MARKER@example.com\n"
    );
    let raw = format!(
        "{headers}From: MARKER <ada@example.com>\nMessage-ID: <m1@example.com>\nContent-Type: multipart/mixed; boundary=b\n\nMARKER\n\
         --b\nContent-Type: text/plain\n\nMARKER\n--b\nContent-Type: text/calendar; method=REPLY; name=MARKER\n\n{calendar}\n\
         --b\nContent-Type: application/pdf; name=MARKER.pdf\n\nMARKER\n--b--\nMARKER\n"
    );
    let read = taken(crlf(&raw).as_bytes(), "marker+MARKER@h.example", &usual());
    assert_eq!(came(&read), YES);
    assert!(!format!("{read:?}").contains("MARKER"), "{read:?}");
    for skipped in [
        plain(&format!("{headers}Auto-Submitted: auto-replied\n"), "MARKER"),
        plain(&headers, "MARKER").replace(SENDER, "MARKER"),
    ] {
        let read = taken(crlf(&skipped).as_bytes(), "MARKER@h.example", &usual());
        assert!(read.events.is_empty() && !format!("{read:?}").contains("MARKER"), "{read:?}");
    }
}

#[test]
fn a_mail_without_a_binding_is_skipped_and_not_kept() {
    let policy =
        json!({"sources": [{"kind": "reply", "source": "//mail.example.com", "governed_by": "it@example.com"}]});
    let bindings = policy::read_file(&policy.to_string()).expect("a policy").bindings;
    let read = taken(mail(PASS, &accepted()).as_bytes(), "r@h.example", &bindings);
    assert_eq!(came(&read), "skipped: a mail, and no binding for mail.received in the policy's `native` list");
}
