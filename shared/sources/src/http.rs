//! The CloudEvents HTTP binding: structured, batched and binary mode, made into structured JSON texts.
//!
//! A text, not an [`Event`]: what goes on the queue is what the source said, and it is judged again where it is
//! handled, by the rules of that moment.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;
use refresh_core::facts::event::Event;
use serde_json::{Map, Value};

use crate::{
    contract,
    fault::{Fault, Refused, describe},
    json,
};

/// Events of one request. More is a mistake of the sender's, and each would cost an answer.
pub const MOST_EVENTS: usize = 1_000;
/// Bytes of one event on the queue, which are a message's of SQS.
pub const LARGEST_EVENT: usize = 1_048_576;

/// Why a request was not taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unsplit {
    /// Its media type is none of the binding's.
    MediaType(Fault),
    /// Too many events, or one that is too large.
    TooLarge(Fault),
    /// What the request holds cannot be read.
    Invalid(Refused),
}

impl From<Fault> for Unsplit {
    fn from(fault: Fault) -> Self {
        Self::Invalid(fault.into())
    }
}

impl From<Refused> for Unsplit {
    fn from(refused: Refused) -> Self {
        Self::Invalid(refused)
    }
}

impl From<Unsplit> for Refused {
    fn from(unsplit: Unsplit) -> Self {
        match unsplit {
            Unsplit::MediaType(fault) | Unsplit::TooLarge(fault) => fault.into(),
            Unsplit::Invalid(refused) => refused,
        }
    }
}

impl std::fmt::Display for Unsplit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::MediaType(fault) | Self::TooLarge(fault) => fault.fmt(f),
            Self::Invalid(refused) => refused.fmt(f),
        }
    }
}

impl std::error::Error for Unsplit {}

/// One event of a request.
#[derive(Clone, PartialEq, Debug)]
pub struct Received {
    /// Structured-mode JSON, ready for the queue.
    pub body: String,
    /// The event, or every fault in it.
    pub event: Result<Event, Refused>,
}

/// Takes a request apart and judges each event by the contract.
///
/// # Errors
/// [`Refused`] if the request itself is none of the binding's three modes. A bad event among good ones is no error of
/// the request: its own entry says what is wrong.
pub fn parse_batch(headers: &BTreeMap<String, String>, body: &[u8]) -> Result<Vec<Received>, Refused> {
    Ok(split(headers, body)?
        .into_iter()
        .map(|body| {
            let event = contract::parse(&body);
            Received { body, event }
        })
        .collect())
}

/// Takes a request apart without judging its events, for a door that takes native CloudEvents (CDEvents) as well.
/// Header names are compared without regard to case.
///
/// # Errors
/// [`Unsplit`] if the request is none of the binding's three modes, holds more than [`MOST_EVENTS`], or one event of more
/// than [`LARGEST_EVENT`] bytes, white space between its members not counted.
pub fn split(headers: &BTreeMap<String, String>, body: &[u8]) -> Result<Vec<String>, Unsplit> {
    let headers: BTreeMap<String, &str> =
        headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.trim())).collect();
    let content_type = headers.get("content-type").copied().unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/cloudevents-batch+json" => batch(utf8(body)?),
        "application/cloudevents+json" => Ok(vec![event(utf8(body)?, "$")?]),
        _ if headers.contains_key("ce-specversion") => Ok(vec![fitting(binary(&headers, content_type, body)?, "$")?]),
        // A sender that forgot the media type: the shape of the body tells the two JSON modes apart.
        "" | "application/json" => match utf8(body)? {
            list if list.trim_start().starts_with('[') => batch(list),
            one => Ok(vec![event(one, "$")?]),
        },
        _ => Err(Unsplit::MediaType(Fault::new(
            "header content-type",
            "application/cloudevents+json, application/cloudevents-batch+json, or ce- headers with any JSON type",
            describe(&Value::from(content_type)),
        ))),
    }
}

fn utf8(body: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(body)
        .map_err(|error| Fault::new("$", "UTF-8 text", format!("other bytes after byte {}", error.valid_up_to())))
}

/// One event's text as it goes on the queue.
fn event(text: &str, root: &str) -> Result<String, Unsplit> {
    // Measured before it is parsed: a value takes many times the room of its text.
    let bytes = json::compact_bytes(text);
    if bytes > LARGEST_EVENT {
        return Err(too_large(root, bytes));
    }
    fitting(json::parse(text, root)?.to_string(), root)
}

/// Written anew it may be longer than it came: `1e9` is `1000000000.0`.
fn fitting(text: String, root: &str) -> Result<String, Unsplit> {
    if text.len() > LARGEST_EVENT { Err(too_large(root, text.len())) } else { Ok(text) }
}

fn too_large(root: &str, bytes: usize) -> Unsplit {
    let expected = format!("an event of at most {LARGEST_EVENT} bytes");
    Unsplit::TooLarge(Fault::new(root, expected, format!("{bytes} bytes")))
}

/// Taken apart as text, and no further than there may be events: a list of a million numbers is refused at its
/// thousandth.
fn batch(text: &str) -> Result<Vec<String>, Unsplit> {
    let mut events = Vec::new();
    for item in json::items(text) {
        let (index, item) = (events.len(), item?);
        if index == MOST_EVENTS {
            let expected = format!("at most {MOST_EVENTS} events in one request");
            return Err(Unsplit::TooLarge(Fault::new("$", expected, "more")));
        }
        events.push(event(item, &format!("$[{index}]"))?);
    }
    Ok(events)
}

/// Binary mode: attributes are `ce-` headers, percent-encoded; the body is the data, its type the content type.
fn binary(headers: &BTreeMap<String, &str>, content_type: &str, body: &[u8]) -> Result<String, Unsplit> {
    let mut event = Map::new();
    let mut faults = Vec::new();
    for (name, value) in headers {
        let Some(attribute) = name.strip_prefix("ce-") else { continue };
        if attribute.starts_with("data") && attribute != "dataschema" {
            faults.push(Fault::new(
                format!("header {name}"),
                "an attribute (the data is the body)",
                describe(&Value::from(*value)),
            ));
            continue;
        }
        match percent_decoded(value) {
            Some(text) => drop(event.insert(attribute.to_owned(), Value::String(text))),
            None => {
                faults.push(Fault::new(
                    format!("header {name}"),
                    "percent-encoded UTF-8",
                    describe(&Value::from(*value)),
                ));
            }
        }
    }
    if !content_type.is_empty() {
        event.insert("datacontenttype".to_owned(), Value::from(content_type));
    }
    if body.len() > LARGEST_EVENT && std::str::from_utf8(body).map_or(body.len(), json::compact_bytes) > LARGEST_EVENT {
        return Err(too_large("$.data", body.len()));
    }
    if !body.is_empty() {
        match utf8(body).and_then(|text| json::parse(text, "$.data")) {
            Ok(data) => drop(event.insert("data".to_owned(), data)),
            // Not ours to judge here: the contract says what is wrong with data that is no JSON.
            Err(_) => drop(event.insert("data_base64".to_owned(), Value::from(STANDARD.encode(body)))),
        }
    }
    if faults.is_empty() { Ok(Value::Object(event).to_string()) } else { Err(Refused::unidentified(faults).into()) }
}

/// Undoes the quoting and percent-encoding of a header value, as the binding asks: quotes first, then `%XX`.
fn percent_decoded(value: &str) -> Option<String> {
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let text = inner.map_or_else(|| value.to_owned(), |quoted| quoted.replace("\\\"", "\"").replace("\\\\", "\\"));
    // The library leaves a percent sign as it is that begins no escape; here that is a fault of the sender's.
    let escapes = text.split('%').skip(1);
    let whole =
        escapes.map(str::as_bytes).all(|after| after.get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit)));
    whole.then(|| percent_decode_str(&text).decode_utf8().ok()).flatten().map(std::borrow::Cow::into_owned)
}
