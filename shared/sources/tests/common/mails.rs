//! Mails as programs write them, and what they come to on one line.
#![allow(dead_code, reason = "each test file compiles this module, and needs a part of it")]

use base64::{Engine, engine::general_purpose::STANDARD};
use refresh_core::facts::{
    event::{Event, Statement},
    reply::ReplyAbout,
};
use serde_json::{Value, json};
use sources::{ReadBody, policy, read};

pub const SENDER: &str = "Ada Lovelace <Ada@Example.com>";
/// What the deployment's own server says of a proven sender.
pub const PASS: &str = "Authentication-Results: mx.example.com; spf=pass smtp.mailfrom=example.com; dmarc=pass (p=reject dis=none) header.from=example.com\n";

pub fn bindings(authserv: Value) -> sources::Bindings {
    let mut binding = json!({"format": "mail.received", "source": "//mail.example.com"});
    for (name, value) in authserv.as_object().into_iter().flatten() {
        binding[name] = value.clone();
    }
    let policy = json!({
        "sources": [{"kind": "reply", "source": "//mail.example.com", "governed_by": "it@example.com"}],
        "native": [binding, {"format": "ses.received", "source": "//mail.example.com"}],
    });
    policy::read_file(&policy.to_string()).unwrap_or_else(|faults| panic!("{faults:?}")).bindings
}

pub fn usual() -> sources::Bindings {
    bindings(json!({"authserv_id": "mx.example.com"}))
}

pub fn crlf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}

pub fn taken(raw: &[u8], recipient: &str, bindings: &sources::Bindings) -> ReadBody {
    let body = json!({"format": "mail.received", "headers": {},
        "body": {"mail": STANDARD.encode(raw), "recipients": [recipient]}});
    read(&body.to_string(), bindings).unwrap_or_else(|refused| panic!("a mail is never refused: {refused}"))
}

pub fn told(event: &Event) -> String {
    let Statement::Reply(reply) = &event.statement else { panic!("{event:?}") };
    let about = match &reply.about {
        ReplyAbout::Object { uid, sequence } => format!("{uid}#{sequence}"),
        ReplyAbout::Review(review) => format!("review {review}"),
    };
    let mut told = format!("{} {about} from {} {}", reply.word.word(), reply.sender, reply.authentication.word());
    let flag = |told: &mut String, text: String| {
        told.push(' ');
        told.push_str(&text);
    };
    if reply.automatic {
        flag(&mut told, "automatic".to_owned());
    }
    match &reply.attendee {
        Some(attendee) if *attendee == reply.sender => flag(&mut told, "self".to_owned()),
        Some(attendee) => flag(&mut told, format!("for {attendee}")),
        None => {}
    }
    reply.sent_by.iter().for_each(|by| flag(&mut told, format!("by {by}")));
    reply.stamped_at.iter().for_each(|at| flag(&mut told, format!("at {at}")));
    reply.proposed.iter().for_each(|slot| flag(&mut told, format!("asks {}/{}", slot.start, slot.end)));
    reply.text.iter().for_each(|text| flag(&mut told, format!("{text:?}")));
    told
}

pub fn came(read: &ReadBody) -> String {
    assert!(read.refused.is_empty(), "{:?}", read.refused);
    let skipped = read.skipped.iter().map(|why| format!("skipped: {why}"));
    read.events.iter().map(told).chain(skipped).collect::<Vec<_>>().join("; ")
}

pub fn said(raw: &str) -> String {
    came(&taken(crlf(raw).as_bytes(), "replies@holdpoint.example.com", &usual()))
}

pub fn event(lines: &str) -> String {
    format!(
        "BEGIN:VEVENT\nUID:rr-1@h.example\nSEQUENCE:2\nDTSTAMP:20261103T091500Z\n{lines}\nSUMMARY:Accepted: x\nEND:VEVENT\n"
    )
}

pub fn calendar(method: &str, events: &str) -> String {
    format!("BEGIN:VCALENDAR\nPRODID:-//x//EN\nVERSION:2.0\nMETHOD:{method}\n{events}END:VCALENDAR\n")
}

pub fn accepted() -> String {
    calendar("REPLY", &event("ATTENDEE;PARTSTAT=ACCEPTED:mailto:ada@example.com"))
}

/// A mail whose one part is a calendar.
pub fn mail(headers: &str, calendar: &str) -> String {
    format!(
        "{headers}From: {SENDER}\nTo: replies@holdpoint.example.com\nMessage-ID: <m1@example.com>\nMIME-Version: 1.0\n\
         Content-Type: text/calendar; charset=utf-8; method=REPLY\n\n{calendar}"
    )
}

/// A mail whose one part is plain text.
pub fn plain(headers: &str, text: &str) -> String {
    format!("{headers}From: {SENDER}\nMessage-ID: <m2@example.com>\nContent-Type: text/plain; charset=utf-8\n\n{text}")
}

pub const YES: &str = "accepted rr-1@h.example#2 from ada@example.com passed self at 2026-11-03T09:15:00Z";
