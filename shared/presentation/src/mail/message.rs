//! The MIME message, in the one shape that mail clients agree on (RFC 6047 and what they really take).
//!
//! ```text
//! multipart/mixed
//!  ├─ multipart/alternative            the first child: Outlook looks nowhere else
//!  │   ├─ text/plain
//!  │   ├─ text/html
//!  │   └─ text/calendar; method=...    no disposition, or it becomes a file
//!  └─ application/ics                  the same bytes, for clients that want a file
//! ```
//!
//! One mail, one calendar object: clients look at the first calendar part alone.

use std::cell::OnceCell;

use base64::{Engine, engine::general_purpose::STANDARD};
use mail_builder::{
    MessageBuilder,
    headers::{
        HeaderType, address::Address, content_type::ContentType, date::Date, message_id::MessageId, raw::Raw,
        text::Text,
    },
    mime::{BodyPart, MimePart},
};
use refresh_core::{base::digest::Digest, record::notice::Notice};

use super::Letterhead;
use crate::{
    Unsafe, calendar,
    text::{HeaderText, one_line},
};

/// A calendar object as it goes into the message.
pub(super) struct Ics {
    pub method: &'static str,
    pub text: String,
}

/// Everything that must come back when the finished message is read.
pub(super) struct MessageDraft<'a> {
    pub notice: &'a Notice,
    pub letterhead: &'a Letterhead,
    pub subject: &'a str,
    pub text: String,
    pub html: String,
    pub calendar: Option<Ics>,
    /// Over all that is said and to whom. Taken once: it is asked for while the message is written and while it is proved.
    pub digest: OnceCell<Digest>,
}

impl MessageDraft<'_> {
    /// What message id and boundaries come from.
    fn digest(&self) -> &Digest {
        self.digest.get_or_init(|| self.computed_digest())
    }

    fn computed_digest(&self) -> Digest {
        let at = self.notice.at.millis().to_be_bytes();
        let mut parts: Vec<&[u8]> = vec![
            self.notice.to.as_str().as_bytes(),
            self.letterhead.from.as_str().as_bytes(),
            &at,
            self.subject.as_bytes(),
            self.text.as_bytes(),
            self.html.as_bytes(),
        ];
        parts.extend(self.calendar.iter().map(|ics| ics.text.as_bytes()));
        let reply_to = self.letterhead.reply_to();
        parts.extend(reply_to.iter().map(|address| address.as_bytes()));
        Digest::of_parts("mail", &parts)
    }

    /// Named by content. The mailer may put its own in its place.
    pub(super) fn message_id(&self) -> String {
        format!("{}@{}", &self.digest().to_string()[..32], self.letterhead.mail_domain)
    }

    pub(super) fn reader_name(&self) -> HeaderText {
        HeaderText::of(&one_line(&self.letterhead.reader_name, 64))
    }

    /// Our own headers, to find and sort mail by: names and numbers that everybody knows, no secret.
    pub(super) fn own_headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("Auto-Submitted", "auto-generated".to_owned()),
            ("X-Holdpoint-Review", HeaderText::of(self.letterhead.review.as_str()).to_string()),
            ("X-Holdpoint-Kind", self.notice.kind.word().to_owned()),
            ("X-Holdpoint-Version", self.notice.version.to_string()),
        ];
        headers.extend(self.notice.trace.map(|trace| ("X-Holdpoint-Trace", trace.to_string())));
        headers
    }
}

pub(super) const CALENDAR_FILE: &str = "invite.ics";

pub(super) fn write(draft: &MessageDraft<'_>) -> Result<Vec<u8>, Unsafe> {
    let domain = &draft.letterhead.mail_domain;
    if domain.is_empty() || !domain.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.') {
        return Err(Unsafe::new("the mail domain", "a host name", domain));
    }
    let digest = draft.digest().to_string();
    let boundary = |which: &str| format!("hp-{which}-{}", &digest[32..]);

    let mut alternative = vec![
        MimePart::new("text/plain", BodyPart::Text(draft.text.as_str().into())),
        MimePart::new("text/html", BodyPart::Text(draft.html.as_str().into())),
    ];
    let mut mixed = Vec::new();
    if let Some(ics) = &draft.calendar {
        let file = ContentType::new("application/ics").attribute("name", CALENDAR_FILE);
        alternative.push(part(itip(ics), &ics.text));
        mixed.push(part(file, &ics.text).attachment(CALENDAR_FILE));
    }
    let container = |kind: &'static str, which: &str| ContentType::new(kind).attribute("boundary", boundary(which));
    mixed.insert(0, MimePart::new(container("multipart/alternative", "alternative"), alternative));

    let name = draft.reader_name();
    let to = draft.notice.to.as_str();
    let to = if name.as_str().is_empty() { Address::from(to) } else { Address::from((name.as_str(), to)) };
    let mut message = MessageBuilder::new()
        .header("From", Address::from((calendar::ORGANIZER, draft.letterhead.from.as_str())))
        .header("To", to);
    if let Some(address) = draft.letterhead.reply_to() {
        message = message.header("Reply-To", Address::from((calendar::ORGANIZER.to_owned(), address)));
    }
    message = message
        .header("Subject", Text::new(draft.subject))
        .header("Date", Date::new(draft.notice.at.millis().div_euclid(1000)))
        .header("Message-ID", MessageId::new(draft.message_id()))
        .header("MIME-Version", Raw::new("1.0"));
    for (name, value) in draft.own_headers() {
        message = message.header(name, HeaderType::Text(Text::new(value)));
    }
    let body = MimePart::new(container("multipart/mixed", "mixed"), mixed);
    message.body(body).write_to_vec().map_err(|error| Unsafe::new("the message", "to be written", &error.to_string()))
}

fn itip(ics: &Ics) -> ContentType<'static> {
    ContentType::new("text/calendar")
        .attribute("charset", "utf-8")
        .attribute("method", ics.method)
        .attribute("component", "VEVENT")
}

/// Base64, always: a transport may rewrap or re-end lines of text, and a calendar part must arrive to the byte.
fn part<'a>(kind: ContentType<'a>, ics: &str) -> MimePart<'a> {
    let encoded = STANDARD.encode(ics);
    let lines: Vec<&str> =
        encoded.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
    MimePart::new(kind, BodyPart::Binary(lines.join("\r\n").into_bytes().into())).transfer_encoding("base64")
}
