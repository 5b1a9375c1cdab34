//! A calendar's button in a replay: the newest invitation of that person is answered by mail, as a calendar program does,
//! and the mail goes through the door that received mails have.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mail_parser::{MessageParser, MimeHeaders};
use refresh_core::{Instant, Interval, Person, ReviewId, base::fingerprint::ReviewFingerprint};
use serde_json::{Value, json};
use sources::native::{Format, binding::Says};

use crate::engine::Engine;

/// Somebody answers by mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReplyByMail {
    /// From whose address.
    pub person: Person,
    /// For whom: the attendee of the invitation that is answered.
    pub attendee: Person,
    /// Of which review; otherwise of the newest invitation.
    pub review: Option<ReviewId>,
    /// The button that was pressed.
    pub button: CalendarButton,
    /// Whether the hold is answered and not the meeting; otherwise the newest of both.
    pub hold: Option<bool>,
    /// What was written.
    pub text: Option<String>,
    /// What the deployment's mail server says of the sender, in the words of RFC 8601.
    pub dmarc: String,
}

/// What a calendar program offers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CalendarButton {
    /// `ACCEPTED` and the like.
    Answer(String),
    /// Another time is proposed.
    Propose(Interval),
    /// No button: a mail is written.
    Write,
}

/// What a calendar program knows of an invitation.
struct MailedInvitation {
    uid: String,
    sequence: String,
}

/// The message for the queue. `None`: no invitation was mailed to that person, so there is nothing to answer.
///
/// # Errors
/// The policy has no binding for received mails.
pub fn message(engine: &Engine, reply: &ReplyByMail, now: Instant) -> Result<Option<Value>, String> {
    let format = Format::MailReceived;
    let bindings = &engine.functions().ingest.policy.bindings;
    let bound = bindings.0.iter().find(|bound| bound.binding.format == format);
    let Some((bound, Says::Reply(says))) = bound.map(|bound| (bound, &bound.binding.says)) else {
        return Err(format!("reply: expected a binding for {} in the policy, found none", format.word()));
    };
    let id = says.authserv.as_ref().map_or("nobody", |authserv| authserv.id.as_str());
    let domain = reply.person.as_str().rsplit('@').next().unwrap_or_default();
    let top = format!(
        "Authentication-Results: {id}; dmarc={} header.from={domain}\r\nFrom: <{}>\r\nMessage-ID: <{}@{domain}>\r\n",
        reply.dmarc,
        reply.person,
        now.millis()
    );
    let text = reply.text.as_deref().unwrap_or_default();
    let (raw, recipient) = if reply.button == CalendarButton::Write {
        let review = reply.review.as_ref().map(ReviewFingerprint::of);
        let review = review.map(|review| review.to_string()).unwrap_or_default();
        (
            format!("{top}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"),
            format!("replies+{review}@holdpoint.example"),
        )
    } else {
        let Some(invitation) = invitation(engine, reply) else { return Ok(None) };
        (format!("{top}{}", calendar(reply, &invitation, now, text)), "replies@holdpoint.example".to_owned())
    };
    let body = json!({ "mail": STANDARD.encode(raw), "recipients": [recipient] });
    Ok(Some(json!({ "format": format.word(), "binding": bound.name, "headers": {}, "body": body })))
}

fn calendar(reply: &ReplyByMail, invitation: &MailedInvitation, now: Instant, text: &str) -> String {
    let compact = |at: Instant| at.to_string().split('.').next().unwrap_or_default().replace(['-', ':', 'Z'], "") + "Z";
    let (method, partstat, times) = match &reply.button {
        CalendarButton::Propose(slot) => {
            let times = format!("DTSTART:{}\r\nDTEND:{}\r\n", compact(slot.start), compact(slot.end));
            ("COUNTER", "TENTATIVE", times)
        }
        CalendarButton::Answer(partstat) => ("REPLY", partstat.as_str(), String::new()),
        CalendarButton::Write => ("REPLY", "NEEDS-ACTION", String::new()),
    };
    let comment = if text.is_empty() { String::new() } else { format!("COMMENT:{}\r\n", text.replace(',', "\\,")) };
    let MailedInvitation { uid, sequence } = invitation;
    format!(
        "Content-Type: text/calendar; charset=utf-8; method={method}\r\n\r\nBEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:{method}\r\n\
         BEGIN:VEVENT\r\nUID:{uid}\r\nSEQUENCE:{sequence}\r\nDTSTAMP:{}\r\n{times}{comment}\
         ATTENDEE;PARTSTAT={partstat}:mailto:{}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        compact(now),
        reply.attendee
    )
}

/// The newest calendar object that asks that person to come.
fn invitation(engine: &Engine, reply: &ReplyByMail) -> Option<MailedInvitation> {
    let tag = reply.review.as_ref().map(|review| sources::mail::review_tag(ReviewFingerprint::of(review)));
    let mails = engine.mailbox().to(reply.attendee.as_str());
    let of_review =
        |tags: &[(String, String)]| tag.as_ref().is_none_or(|tag| tags.iter().any(|(_, value)| value == tag));
    mails.iter().filter(|mail| of_review(&mail.tags)).find_map(|mail| {
        let message = MessageParser::default().parse(&mail.raw)?;
        let part = message.parts.iter().find(|part| {
            part.content_type()
                .is_some_and(|kind| kind.c_type == "text" && kind.c_subtype.as_deref() == Some("calendar"))
        })?;
        let text = part.text_contents()?.replace("\r\n ", "");
        let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        let hold = value("STATUS:").as_deref() == Some("TENTATIVE");
        if value("METHOD:").as_deref() != Some("REQUEST") || reply.hold.is_some_and(|wanted| wanted != hold) {
            return None;
        }
        Some(MailedInvitation { uid: value("UID:")?, sequence: value("SEQUENCE:").unwrap_or_else(|| "0".to_owned()) })
    })
}
