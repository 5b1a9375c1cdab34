//! A mail as a reader sees it: who sent it, what sort of mail it is, and its parts. Only what is named here leaves this
//! file.

use mail_parser::{
    Address, Header, HeaderName, HeaderValue, Message, MessageParser, MessagePart, MimeHeaders, PartType,
};
use refresh_core::Person;

use super::html;

/// Calendar parts of one mail. A program sends one, and perhaps the same again as a file.
const MOST_CALENDARS: usize = 10;
/// Header fields that are looked at. A mail that crossed many servers has a hundred.
const MOST_HEADERS: usize = 1_000;

/// One mail.
pub struct ReceivedMail {
    /// The one address of the one `From`.
    pub sender: Person,
    /// Who handed the mail over in the sender's place, if anybody.
    pub handed_over: HandedOver,
    pub message_id: Option<String>,
    /// Names in lower case and raw values, the topmost first.
    pub headers: Vec<(String, String)>,
    /// An automatic process answered (RFC 3834), like an absence note.
    pub replied_by_itself: bool,
    /// The mail says that a program made it. So does the mail that a calendar program sends for a person.
    pub generated: bool,
    pub through_a_list: bool,
    /// A delivery report or a receipt (RFC 6522).
    pub is_report: bool,
    /// The mail has no address to answer to, as a bounce has none.
    pub answers_to_nobody: bool,
    /// Each with the `method` of its content type.
    pub calendars: Vec<CalendarText>,
    /// The plain text, or that of the HTML where there is no other.
    pub text: Option<String>,
    /// A part that may hold an answer and that nobody here can read, as its type is called.
    pub sealed: Option<&'static str>,
}

/// Who handed a mail over (`Sender`, RFC 5322 3.6.2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HandedOver {
    /// The person in `From`, or a calendar service on which that person pressed a button.
    BySender,
    /// Somebody else, as an assistant does.
    By(Person),
    /// Somebody of whom the header says no one address.
    Unknown,
}

/// Services that send what a person answers in their calendar, in the name of that person.
const CALENDAR_SERVICES: [&str; 1] = ["calendar-notification@google.com"];
/// Parts in which an answer may be, and which are not taken apart here.
const SEALED: [(&str, &str); 5] = [
    ("application/ms-tnef", "winmail.dat (application/ms-tnef)"),
    ("application/vnd.ms-tnef", "winmail.dat (application/vnd.ms-tnef)"),
    ("application/pkcs7-mime", "an S/MIME part that is signed or encrypted as a whole"),
    ("application/x-pkcs7-mime", "an S/MIME part that is signed or encrypted as a whole"),
    ("multipart/encrypted", "an encrypted part"),
];
/// Headers that only mails have which a program answered with.
const OF_AUTOMATIC_REPLIES: [&str; 4] = ["x-autoreply", "x-autorespond", "x-autoresponse", "x-mail-autoreply"];
/// Headers that a list puts on what goes through it.
const OF_LISTS: [&str; 4] = ["list-id", "list-post", "mailing-list", "x-mailing-list"];

/// A calendar part as it stands in the mail, decoded.
pub struct CalendarText {
    pub text: String,
    pub method: Option<String>,
}

impl ReceivedMail {
    /// # Errors
    /// Why there is nothing to read, without a word of the mail.
    pub fn read(raw: &[u8]) -> Result<Self, String> {
        let message = MessageParser::default().parse(raw).ok_or("a mail that cannot be read")?;
        let headers = headers(&message, raw);
        let sender = sender(&message, &headers)?;
        // A header that is there twice may say two things; either counts.
        let says = |name: &str, is: &dyn Fn(&str) -> bool| {
            headers.iter().any(|(known, value)| known == name && is(&word(value)))
        };
        let has = |names: &[&str]| headers.iter().any(|(known, _)| names.contains(&known.as_str()));
        let root = message.root_part().content_type();
        let report =
            root.is_some_and(|kind| kind.c_type.eq_ignore_ascii_case("multipart") && subtype(kind) == "report");
        let local = sender.as_str().split('@').next().unwrap_or_default();
        Ok(Self {
            message_id: message.message_id().map(str::to_owned),
            handed_over: handed_over(&message, &sender),
            replied_by_itself: says("auto-submitted", &|word| !matches!(word, "" | "no" | "auto-generated"))
                || has(&OF_AUTOMATIC_REPLIES)
                || says("precedence", &|word| matches!(word, "auto_reply" | "auto-reply"))
                // Exchange, of what a rule of the mailbox answers.
                || says("x-ms-exchange-generated-message-source", &|word| word == "mailbox"),
            generated: says("auto-submitted", &|word| word == "auto-generated"),
            through_a_list: has(&OF_LISTS) || says("precedence", &|word| matches!(word, "list" | "bulk" | "junk")),
            is_report: report,
            answers_to_nobody: headers.iter().any(|(name, value)| name == "return-path" && value.trim() == "<>")
                || local == "mailer-daemon",
            calendars: message.parts.iter().filter_map(calendar).take(MOST_CALENDARS).collect(),
            text: text(&message),
            sealed: message.parts.iter().find_map(sealed),
            headers,
            sender,
        })
    }
}

/// What is written. Some programs put an empty text beside the HTML.
fn text(message: &Message<'_>) -> Option<String> {
    let of = |part: Option<&MessagePart<'_>>| match &part?.body {
        PartType::Text(text) => Some(text.clone().into_owned()),
        PartType::Html(text) => Some(html::text(text)),
        _ => None,
    };
    let is_said = |text: &String| !text.trim().is_empty();
    of(message.text_part(0)).filter(is_said).or_else(|| of(message.html_part(0)))
}

/// DMARC judges the `From`. Of several addresses it judges one, and nobody knows which. An address that stands beside the
/// one in brackets may be the one that was judged.
fn sender(message: &Message<'_>, headers: &[(String, String)]) -> Result<Person, &'static str> {
    const NOT_ONE: &str = "a mail whose From is not one address";
    let mut from = message.headers().iter().filter(|header| header.name == HeaderName::From);
    let (Some(Header { value: HeaderValue::Address(address), .. }), None) = (from.next(), from.next()) else {
        return Err(NOT_ONE);
    };
    let Address::List(list) = address else { return Err(NOT_ONE) };
    let [only] = list.as_slice() else { return Err(NOT_ONE) };
    let sender = only.address.as_deref().and_then(|address| Person::parse(address).ok()).ok_or(NOT_ONE)?;
    let raw = headers.iter().find(|(name, _)| name == "from").map_or("", |(_, value)| value);
    if names_no_other(raw, &sender) { Ok(sender) } else { Err(NOT_ONE) }
}

/// Whether nothing in a raw header looks like another address, outside of quotations, comments and encoded words.
fn names_no_other(raw: &str, sender: &Person) -> bool {
    let (mut plain, mut depth, mut quoted) = (String::new(), 0_usize, false);
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if quoted || depth > 0 => drop(chars.next()),
            '"' if depth == 0 => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted && depth > 0 => depth -= 1,
            _ if quoted || depth > 0 => {}
            c => plain.push(c),
        }
    }
    let words = plain.split(|c: char| c.is_whitespace() || "<>,;:[]".contains(c));
    let encoded = |word: &&str| word.starts_with("=?") && word.ends_with("?=");
    let mut addresses = words.filter(|word| !encoded(word) && word.contains('@'));
    depth == 0 && !quoted && addresses.all(|word| Person::parse(word).is_ok_and(|person| person == *sender))
}

fn handed_over(message: &Message<'_>, sender: &Person) -> HandedOver {
    let mut named = message.headers().iter().filter(|header| header.name == HeaderName::Sender);
    let by = match (named.next().map(|header| &header.value), named.next()) {
        (None, _) => return HandedOver::BySender,
        (Some(HeaderValue::Address(Address::List(list))), None) => match list.as_slice() {
            [only] => only.address.as_deref().and_then(|address| Person::parse(address).ok()),
            _ => None,
        },
        _ => None,
    };
    match by {
        Some(by) if by == *sender || CALENDAR_SERVICES.contains(&by.as_str()) => HandedOver::BySender,
        Some(by) => HandedOver::By(by),
        None => HandedOver::Unknown,
    }
}

fn sealed(part: &MessagePart<'_>) -> Option<&'static str> {
    let kind = part.content_type()?;
    let kind = format!("{}/{}", kind.c_type.to_ascii_lowercase(), subtype(kind));
    SEALED.iter().find(|(known, _)| *known == kind).map(|(_, told)| *told)
}

fn headers(message: &Message<'_>, raw: &[u8]) -> Vec<(String, String)> {
    let value = |header: &Header<'_>| {
        let (start, end) = (header.offset_start as usize, header.offset_end as usize);
        raw.get(start..end).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
    };
    let named = message.headers().iter().take(MOST_HEADERS);
    named.map(|header| (header.name.as_str().to_ascii_lowercase(), value(header))).collect()
}

/// The first word of a structured header. A comment may stand before it.
fn word(value: &str) -> String {
    let mut depth = 0_usize;
    let commented = |c: char| {
        depth = if c == '(' { depth + 1 } else { depth - usize::from(c == ')' && depth > 0) };
        depth > 0 || c == ')' || c.is_whitespace()
    };
    let end = |c: char| c.is_whitespace() || matches!(c, ';' | '(');
    value.trim_start_matches(commented).split(end).next().unwrap_or_default().to_ascii_lowercase()
}

fn subtype(kind: &mail_parser::ContentType<'_>) -> String {
    kind.c_subtype.as_deref().unwrap_or_default().to_ascii_lowercase()
}

/// A calendar part: by its type, or by its name where a program gives a file no type. What a mail inside this mail holds
/// is somebody else's.
fn calendar(part: &MessagePart<'_>) -> Option<CalendarText> {
    let kind = part.content_type();
    let main = kind.map(|kind| kind.c_type.to_ascii_lowercase()).unwrap_or_default();
    let sub = kind.map(subtype).unwrap_or_default();
    let named = part.attachment_name().is_some_and(|name| name.to_ascii_lowercase().ends_with(".ics"));
    let calendar = matches!((main.as_str(), sub.as_str()), ("text", "calendar") | ("application", "ics"))
        || (named && main == "application" && sub == "octet-stream");
    if !calendar {
        return None;
    }
    let text = match &part.body {
        PartType::Text(text) | PartType::Html(text) => text.clone().into_owned(),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        PartType::Message(_) | PartType::Multipart(_) => return None,
    };
    let method = kind.and_then(|kind| kind.attribute("method")).map(str::to_ascii_uppercase);
    Some(CalendarText { text, method })
}
