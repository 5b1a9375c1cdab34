//! A mail as a reader sees it: who sent it, what sort of mail it is, and its parts. Only what is named here leaves this
//! file.

use std::borrow::Cow;

use mail_parser::{
    Address, Header, HeaderName, HeaderValue, Message, MessageParser, MessagePart, MimeHeaders, PartType,
};
use refresh_core::Person;

/// Calendar parts of one mail. A program sends one, and perhaps the same again as a file.
const MOST_CALENDARS: usize = 10;
/// Header fields that are looked at. A mail that crossed many servers has a hundred.
const MOST_HEADERS: usize = 1_000;

/// One mail.
pub struct ReceivedMail {
    /// The one address of the one `From`.
    pub sender: Person,
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
}

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
        let sender = sender(&message)?;
        let headers = headers(&message, raw);
        let value = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| word(value));
        let has = |name: &str| headers.iter().any(|(known, _)| known == name);
        let submitted = value("auto-submitted").unwrap_or_default();
        let precedence = value("precedence").unwrap_or_default();
        let root = message.root_part().content_type();
        let report =
            root.is_some_and(|kind| kind.c_type.eq_ignore_ascii_case("multipart") && subtype(kind) == "report");
        let local = sender.as_str().split('@').next().unwrap_or_default();
        Ok(Self {
            message_id: message.message_id().map(str::to_owned),
            replied_by_itself: !matches!(submitted.as_str(), "" | "no" | "auto-generated")
                || has("x-autoreply")
                || has("x-autorespond")
                || precedence == "auto_reply",
            generated: submitted == "auto-generated",
            through_a_list: has("list-id")
                || has("list-post")
                || matches!(precedence.as_str(), "list" | "bulk" | "junk"),
            is_report: report,
            answers_to_nobody: headers.iter().any(|(name, value)| name == "return-path" && value.trim() == "<>")
                || local == "mailer-daemon",
            calendars: message.parts.iter().filter_map(calendar).take(MOST_CALENDARS).collect(),
            text: message.body_text(0).map(Cow::into_owned),
            headers,
            sender,
        })
    }
}

/// DMARC judges the `From`. Of several it judges one, and nobody knows which.
fn sender(message: &Message<'_>) -> Result<Person, &'static str> {
    const NOT_ONE: &str = "a mail whose From is not one address";
    let mut from = message.headers().iter().filter(|header| header.name == HeaderName::From);
    let (Some(Header { value: HeaderValue::Address(address), .. }), None) = (from.next(), from.next()) else {
        return Err(NOT_ONE);
    };
    let Address::List(list) = address else { return Err(NOT_ONE) };
    let [only] = list.as_slice() else { return Err(NOT_ONE) };
    only.address.as_deref().and_then(|address| Person::parse(address).ok()).ok_or(NOT_ONE)
}

fn headers(message: &Message<'_>, raw: &[u8]) -> Vec<(String, String)> {
    let value = |header: &Header<'_>| {
        let (start, end) = (header.offset_start as usize, header.offset_end as usize);
        raw.get(start..end).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
    };
    let named = message.headers().iter().take(MOST_HEADERS);
    named.map(|header| (header.name.as_str().to_ascii_lowercase(), value(header))).collect()
}

/// The first word of a structured header.
fn word(value: &str) -> String {
    let end = |c: char| c.is_whitespace() || matches!(c, ';' | '(');
    value.trim().split(end).next().unwrap_or_default().to_ascii_lowercase()
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
