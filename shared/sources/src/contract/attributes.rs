//! CloudEvents 1.0: the attributes that count, and where the data is.

use base64::{Engine, engine::general_purpose::STANDARD};
use refresh_core::{EventId, Source, TraceId, base::name::shorten, facts::event::Identity};
use serde_json::Value;

use crate::{
    json,
    reader::{Faults, Node, Object},
};

pub struct Attributes {
    pub identity: Option<Identity>,
    pub event_type: Option<String>,
    /// Of the extension `traceparent` (CloudEvents distributed tracing). Anything else in it is no fault: an extension is
    /// its sender's own, and a fact is not refused for how it is followed.
    pub trace: Option<TraceId>,
    pub data: Option<Data>,
}

/// The member that carries the data. Never both.
pub enum Data {
    Json,
    Base64(Value),
}

impl Data {
    /// Hands the data object to its reader, wherever it was.
    pub fn read<T>(self, event: &Object<'_>, faults: &Faults, read: impl Fn(&Object<'_>) -> Option<T>) -> Option<T> {
        match self {
            Self::Json => event.must("data", |node| read(&data_object(node)?)),
            Self::Base64(value) => {
                let root = format!("{}.data_base64", event.path());
                read(&data_object(&Node::root(&value, &root, faults))?)
            }
        }
    }
}

/// The data as an object. A JSON string is data too, and is not parsed a second time.
fn data_object<'a>(node: &Node<'a>) -> Option<Object<'a>> {
    match node.value() {
        Value::String(text) if text.trim_start().starts_with('{') => {
            node.wrong_as("an object", "a string with JSON in it, which is not parsed a second time")
        }
        _ => node.object(),
    }
}

/// Reads every attribute, recording what is wrong. `null` equals absent; extensions are left alone, but the one that says what an event is part of.
pub fn read(event: &Object<'_>) -> Attributes {
    event.must("specversion", |node| match node.value().as_str() {
        Some("1.0") => Some(()),
        _ => node.wrong("\"1.0\""),
    });
    let source = event.must("source", |node| node.parsed(Source::parse));
    let id = event.must("id", |node| node.parsed(EventId::parse));
    let event_type = event.must("type", |node| node.text().map(str::to_owned));
    // When it happened orders nothing here (the revision does), but a bad instant tells of a broken sender.
    event.may("time", |node| node.instant());
    event.may("subject", |node| node.text_owned());
    event.may("dataschema", |node| node.text_owned());
    event.may("datacontenttype", json_media_type);
    let trace = event.may("traceparent", |node| node.value().as_str().and_then(TraceId::of_traceparent)).flatten();
    let data = data(event);
    let identity = source.zip(id).map(|(source, id)| Identity { source, id });
    Attributes { identity, event_type, trace, data }
}

/// No content type means JSON; a `+json` suffix is JSON as well.
fn json_media_type(node: &Node<'_>) -> Option<()> {
    let text = node.text()?;
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let json = essence.split_once('/').is_some_and(|(_, sub)| sub == "json" || sub.ends_with("+json"));
    if json { Some(()) } else { node.wrong("a JSON media type like application/json") }
}

fn data(event: &Object<'_>) -> Option<Data> {
    match (event.has("data"), event.has("data_base64")) {
        (true, true) => event.must("data_base64", |node| {
            node.wrong_as("nothing, since the event has `data`", "both `data` and `data_base64`")
        }),
        (_, true) => event.must("data_base64", |node| {
            let text = node.text()?;
            let Some(inner) = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok()) else {
                return node.wrong_as("Base64 of UTF-8 text", shorten(text));
            };
            match json::parse(&inner, "") {
                Ok(value) => Some(Data::Base64(value)),
                Err(fault) => node.wrong_as("Base64 of JSON", fault.found),
            }
        }),
        _ => Some(Data::Json),
    }
}
