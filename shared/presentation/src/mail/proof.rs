//! The finished message, read by another parser than the one that wrote it, and compared with what was meant.

use mail_parser::{HeaderForm, Message, MessageParser, MimeHeaders, PartType};

use super::message::{CALENDAR_FILE, MessageDraft};
use crate::{Unsafe, calendar};

/// RFC 5322, 2.1.1.
const LONGEST_LINE: usize = 998;

fn fault(what: &str, expected: &str, found: &str) -> Unsafe {
    Unsafe::new(what, expected, found)
}

pub(super) fn prove(bytes: &[u8], draft: &MessageDraft<'_>) -> Result<(), Unsafe> {
    lines(bytes)?;
    let message = MessageParser::default()
        .parse(bytes)
        .ok_or_else(|| fault("the message", "a message", "something unreadable"))?;
    headers(&message, draft)?;
    tree(&message, draft)
}

/// CRLF alone ends a line, no line is too long, and there is nothing but ASCII on the wire.
fn lines(bytes: &[u8]) -> Result<(), Unsafe> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.is_ascii());
    let text = text.ok_or_else(|| fault("the message", "ASCII", "other bytes"))?;
    for line in text.split("\r\n") {
        if line.len() > LONGEST_LINE {
            return Err(fault("a line", "at most 998 octets", line));
        }
        if line.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
            return Err(fault("a line", "no control characters", line));
        }
    }
    Ok(())
}

fn headers(message: &Message<'_>, draft: &MessageDraft<'_>) -> Result<(), Unsafe> {
    let own = draft.own_headers();
    let reply_to = draft.letterhead.reply_to();
    let allowed: Vec<&str> = ["From", "To"]
        .into_iter()
        .chain(reply_to.as_ref().map(|_| "Reply-To"))
        .chain(["Subject", "Date", "Message-ID", "MIME-Version"])
        .chain(own.iter().map(|(name, _)| *name))
        .chain(["Content-Type"])
        .collect();
    let found: Vec<&str> = message.headers().iter().map(|header| header.name()).collect();
    if found != allowed {
        return Err(fault("the headers", &allowed.join(" "), &found.join(" ")));
    }
    let one = |what: &str, found: Option<&mail_parser::Address<'_>>, name: &str, address: &str| {
        let all: Vec<(String, String)> = found.map_or_else(Vec::new, |found| {
            let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
            found.iter().map(|each| (text(each.name()), text(each.address()))).collect()
        });
        if all == [(name.to_owned(), address.to_owned())] {
            Ok(())
        } else {
            Err(fault(what, &format!("{name} {address} alone"), &format!("{all:?}")))
        }
    };
    one("From", message.from(), calendar::ORGANIZER, draft.letterhead.from.as_str())?;
    if let Some(address) = &reply_to {
        one("Reply-To", message.reply_to(), calendar::ORGANIZER, address)?;
    }
    one("To", message.to(), draft.reader_name().as_str(), draft.notice.to.as_str())?;
    let same = |what: &str, expected: &str, found: Option<&str>| {
        if found == Some(expected) { Ok(()) } else { Err(fault(what, expected, found.unwrap_or("nothing"))) }
    };
    same("Subject", draft.subject, message.subject())?;
    same("Message-ID", &draft.message_id(), message.message_id())?;
    let seconds = draft.notice.at.millis().div_euclid(1000).to_string();
    same("Date", &seconds, message.date().map(|date| date.to_timestamp().to_string()).as_deref())?;
    for (name, value) in &own {
        let all = message.header_as(*name, HeaderForm::Text);
        same(name, value, all.first().and_then(|header| header.as_text()))?;
    }
    Ok(())
}

/// One part as it must be found: its type, whether it is a file, what it holds.
struct Expected<'a> {
    kind: String,
    method: Option<&'a str>,
    file: Option<&'a str>,
    content: ReadContent<'a>,
}

enum ReadContent<'a> {
    Parts(Vec<Expected<'a>>),
    Text(&'a str),
}

fn leaf<'a>(kind: &str, method: Option<&'a str>, file: Option<&'a str>, text: &'a str) -> Expected<'a> {
    Expected { kind: kind.to_owned(), method, file, content: ReadContent::Text(text) }
}

fn expected<'a>(draft: &'a MessageDraft<'_>) -> Expected<'a> {
    let mut alternative = vec![leaf("text/plain", None, None, &draft.text), leaf("text/html", None, None, &draft.html)];
    let mut mixed = Vec::new();
    if let Some(ics) = &draft.calendar {
        alternative.push(leaf("text/calendar", Some(ics.method), None, &ics.text));
        mixed.push(leaf("application/ics", None, Some(CALENDAR_FILE), &ics.text));
    }
    let node = |kind: &str, parts| Expected {
        kind: kind.to_owned(),
        method: None,
        file: None,
        content: ReadContent::Parts(parts),
    };
    mixed.insert(0, node("multipart/alternative", alternative));
    node("multipart/mixed", mixed)
}

fn tree(message: &Message<'_>, draft: &MessageDraft<'_>) -> Result<(), Unsafe> {
    let mut seen = 0;
    part(message, 0, &expected(draft), &mut seen)?;
    if seen == message.parts.len() {
        Ok(())
    } else {
        Err(fault("the message's parts", &seen.to_string(), &message.parts.len().to_string()))
    }
}

fn part(message: &Message<'_>, id: u32, expected: &Expected<'_>, seen: &mut usize) -> Result<(), Unsafe> {
    *seen += 1;
    let what = expected.kind.as_str();
    let found = message.part(id).ok_or_else(|| fault("a part", what, "nothing"))?;
    let kind = found.content_type().ok_or_else(|| fault("a part's type", what, "nothing"))?;
    let name = format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default());
    if name != expected.kind || kind.attribute("method") != expected.method {
        return Err(fault("a part's type", what, &name));
    }
    let disposition = found.content_disposition();
    let file = disposition.filter(|disposition| disposition.is_attachment()).and_then(|it| it.attribute("filename"));
    if file != expected.file || disposition.is_some() != expected.file.is_some() {
        return Err(fault("a part's disposition", expected.file.unwrap_or("none"), file.unwrap_or("none")));
    }
    let allowed = ["content-type", "content-transfer-encoding", "content-disposition"];
    if id != 0 && found.headers.iter().any(|header| !allowed.contains(&header.name().to_ascii_lowercase().as_str())) {
        return Err(fault("a part's headers", "none but its type, encoding and disposition", what));
    }
    match (&found.body, &expected.content) {
        (PartType::Multipart(ids), ReadContent::Parts(parts)) if ids.len() == parts.len() => {
            ids.iter().zip(parts).try_for_each(|(id, expected)| part(message, *id, expected, seen))
        }
        (PartType::Text(text) | PartType::Html(text), ReadContent::Text(meant)) => same_text(text, meant, what),
        (PartType::Binary(bytes) | PartType::InlineBinary(bytes), ReadContent::Text(meant)) => {
            if bytes.as_ref() == meant.as_bytes() { Ok(()) } else { Err(fault("a file", "the same bytes", what)) }
        }
        _ => Err(fault("a part", what, "another shape")),
    }
}

/// Calendar text to the byte; of prose the line ends are the transport's.
fn same_text(found: &str, meant: &str, what: &str) -> Result<(), Unsafe> {
    let plain = |text: &str| text.replace("\r\n", "\n").trim_end().to_owned();
    let same = if what == "text/calendar" { found == meant } else { plain(found) == plain(meant) };
    if same { Ok(()) } else { Err(fault("a text", "the same text", what)) }
}

#[cfg(test)]
mod tests {
    use refresh_core::{
        Instant, Person, ReviewId,
        record::notice::{Notice, NoticeKind, ReviewStanding},
    };

    use super::{super::Letterhead, super::message::Ics, *};

    fn with_draft(check: impl Fn(&MessageDraft<'_>)) {
        let address = |text: &str| Person::parse(text).expect("an address");
        let notice = Notice {
            to: address("sec-b@example.com"),
            kind: NoticeKind::TentativeChange,
            version: 8,
            at: Instant::from_millis(1_793_696_520_000),
            changes: Vec::new(),
            calendar: None,
            duty: None,
            link: None,
            why: Vec::new(),
            besides: Vec::new(),
            standing: ReviewStanding::ProposalPending,
            authoritative_slot: None,
            violated: Vec::new(),
            meeting_entry: None,
            unknown_invitation: None,
            exceptions: Vec::new(),
            ended: None,
            proposed: [].into(),
            proposed_before: [].into(),
            repeated: [].into(),
            answer_due: None,
            replied: [].into(),
            otherwise: [].into(),
            elsewhere: Vec::new(),
            trace: None,
        };
        let letterhead = Letterhead {
            review: ReviewId::parse("RR-1042").expect("an id"),
            title: String::new(),
            reader_name: "Seán".to_owned(),
            reader_zone: refresh_core::Zone::UTC,
            from: address("reviews@holdpoint.example.com"),
            replies: None,
            mail_domain: "holdpoint.example.com".to_owned(),
            meeting: None,
            link: None,
            names: std::collections::BTreeMap::default(),
        };
        let ics = |method, text: &str| Ics { method, text: text.to_owned() };
        check(&MessageDraft {
            notice: &notice,
            letterhead: &letterhead,
            subject: "For information",
            text: "A text.".to_owned(),
            html: "<p>A text.</p>".to_owned(),
            calendar: Some(ics("REQUEST", "BEGIN:VCALENDAR\r\n")),
            digest: std::cell::OnceCell::new(),
        });
    }

    #[test]
    fn what_was_written_reads_back() {
        with_draft(|draft| {
            let bytes = super::super::message::write(draft).expect("a message");
            prove(&bytes, draft).expect("as it was meant");
        });
    }

    /// Whatever a builder, a bug or an attacker might slip in: each of these is told from what was meant.
    #[test]
    fn every_tampering_is_found() {
        let rows = [
            ("a hidden recipient", "Subject: ", "Bcc: eve@example.com\r\nSubject: "),
            ("a second To", "Subject: ", "To: eve@example.com\r\nSubject: "),
            ("a second address in To", "<sec-b@example.com>", "<sec-b@example.com>, <eve@example.com>"),
            ("another recipient", "<sec-b@example.com>", "<sec-a@example.com>"),
            ("another sender", "<reviews@holdpoint.example.com>", "<eve@example.com>"),
            ("another header", "Auto-Submitted: ", "X-Evil: yes\r\nAuto-Submitted: "),
            ("a header of ours gone", "Auto-Submitted: auto-generated\r\n", ""),
            ("another subject", "For information", "For your decision"),
            ("another date", "Date: ", "Date: Mon, 2 Nov 2026 09:02:00 +0000\r\nX-Old: "),
            ("another kind", "tentative_change", "adoption_request"),
            ("another text", "\r\n\r\nA text.", "\r\n\r\nA test."),
            ("other HTML", "<p>A text.</p>", "<b>A text.</b>"),
            ("another method", "method=\"REQUEST\"", "method=\"CANCEL\""),
            (
                "a file where a part was",
                "Content-Type: text/html",
                "Content-Disposition: attachment\r\nContent-Type: text/html",
            ),
            ("another file name", "filename=\"invite.ics\"", "filename=\"evil.exe\""),
            ("another container", "multipart/alternative", "multipart/mixed"),
            ("other bytes in the calendar", "QkVHSU46VkNBTEVOREFSDQo=", "QkVHSU46VkNBTEVOREFTDQo="),
            ("a bare line feed", "A text.", "A text.\nmore"),
            ("a control character", "A text.", "A\u{7}text."),
        ];
        with_draft(|draft| {
            let bytes = super::super::message::write(draft).expect("a message");
            let text = String::from_utf8(bytes).expect("ASCII");
            for (what, from, to) in rows {
                assert!(text.contains(from), "{what}: nothing to bend in\n{text}");
                let bent = text.replacen(from, to, 1);
                assert!(prove(bent.as_bytes(), draft).is_err(), "{what} was not found");
            }
            let boundary = "\r\n--hp-mixed-";
            let at = text.rfind(boundary).expect("the last boundary");
            let line = text[at + 2..].trim_end().trim_end_matches('-');
            let added =
                format!("{}\r\n{line}\r\nContent-Type: text/plain\r\n\r\nmore\r\n{}", &text[..at], &text[at + 2..]);
            assert!(prove(added.as_bytes(), draft).is_err(), "an added part was not found");
            let long = text.replacen("A text.", &"x".repeat(999), 1);
            assert!(prove(long.as_bytes(), draft).is_err(), "a line too long was not found");
            assert!(
                prove(text.replacen("A text.", "Ä text.", 1).as_bytes(), draft).is_err(),
                "8-bit text was not found"
            );
            assert!(prove(b"", draft).is_err());
        });
    }
}
