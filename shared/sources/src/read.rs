//! Any body on the queue: the one function that ingest calls.

use std::collections::BTreeMap;

use refresh_core::{Source, facts::event::Event};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    contract, envelope,
    fault::{Fault, PayloadOrigin, Refused},
    json,
    mail::{self, MailReport},
    native::{self, Bindings, Format, SkippedPart, Translation},
    reader::{Faults, Node},
};

/// What a body came to.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ReadBody {
    /// One of the contract's own; of a native payload as many as it has subjects, which may be none.
    pub events: Vec<Event>,
    /// What the mailer says became of a message.
    pub report: Option<MailReport>,
    /// Why parts of a native payload became no event, one line each. Names of things, never their content.
    pub skipped: Vec<SkippedPart>,
    /// Records of a native payload that are bad, where others of it are good: each goes to the dead letters by itself.
    pub refused: Vec<RefusedRecord>,
    /// Sources that should be asked before their next turn.
    pub hints: Vec<Source>,
}

/// A bad record of a payload whose records stand each for itself.
#[derive(Clone, PartialEq, Debug)]
pub struct RefusedRecord {
    /// A body for the queue that holds this record alone; the whole body where the record cannot be cut out.
    pub body: String,
    /// What is wrong with the record.
    pub refused: Refused,
}

/// What a body says of itself before anything in it is read: a native payload's format and the name of its binding.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
pub struct Addressed {
    /// The word of the format.
    #[serde(default)]
    pub format: Option<String>,
    /// The name of the binding.
    #[serde(default)]
    pub binding: Option<String>,
}

impl Addressed {
    /// Of a body; of one that is no native payload, nothing.
    pub fn of(body: &str) -> Self {
        serde_json::from_str(json::without_mark(body)).unwrap_or_default()
    }
}

/// What the system itself calls the record that a body of the queue is about, where it is one. Of a body that is no native
/// payload, nothing.
pub fn record_of(body: &str) -> Option<String> {
    let value: Value = serde_json::from_str(json::without_mark(body)).ok()?;
    value.get("format").and(value.get("body")).and_then(native::record_of)
}

/// Reads a CloudEvent of the contract, a CDEvent, or a native payload (`{"format", "headers", "body", "binding"?}`, as in a
/// scenario's `send_native`), as it is or inside an SNS or EventBridge envelope; or a report of the mailer.
///
/// # Errors
/// [`Refused`] with every fault. Half a snapshot is not one, so a native payload is refused whole, unless its records stand
/// each for itself: then only the bad ones are [`ReadBody::refused`].
pub fn read(body: &str, bindings: &Bindings) -> Result<ReadBody, Refused> {
    let value = json::parse(body, "$")?;
    if mail::is_of_the_mailer(&value) {
        return mail::read(&value).map(|read| match read {
            mail::ReadReport::Report(report) => ReadBody { report: Some(report), ..ReadBody::default() },
            mail::ReadReport::Skipped(why) => {
                ReadBody { skipped: vec![SkippedPart::because(why)], ..ReadBody::default() }
            }
        });
    }
    let opened = envelope::open(value)?;
    let value = &opened.value;
    if let Some(format) = native::format_on_the_bus(value) {
        let wrap = |alone: Option<&Value>| alone.map_or_else(|| body.to_owned(), Value::to_string);
        return translated(native::translate(format.word(), &BTreeMap::new(), value, None, bindings)?, wrap);
    }
    if value.get("specversion").is_none() && value.get("format").is_some() && value.get("body").is_some() {
        return read_native(body, value, &opened.root, bindings);
    }
    if native::reply::is_of_ses(value) {
        let whole = |_: Option<&Value>| body.to_owned();
        let format = Format::SesReceived.word();
        return translated(native::translate(format, &BTreeMap::new(), value, None, bindings)?, whole);
    }
    let cdevent = value.get("type").and_then(Value::as_str).is_some_and(|name| name.starts_with("dev.cdevents"));
    let bare_cdevent = value.get("context").is_some_and(|context| context.get("type").is_some());
    if cdevent || bare_cdevent {
        let whole = |_: Option<&Value>| body.to_owned();
        return translated(native::translate("cdevents", &BTreeMap::new(), value, None, bindings)?, whole);
    }
    let event = contract::parse_value(value, &opened.root).map_err(|refused| neither(refused, value, &opened.root))?;
    Ok(ReadBody { events: vec![event], ..ReadBody::default() })
}

/// What is neither a CloudEvent nor wrapped as a native payload is perhaps a payload as its system posts it: what is wrong
/// with it as a CloudEvent is then no help.
fn neither(mut refused: Refused, value: &Value, root: &str) -> Refused {
    if let Some(misfit) = native::misfit(value) {
        refused.faults.insert(0, misfit);
        return refused;
    }
    let looks_like_an_event = ["specversion", "type"].iter().any(|name| value.get(name).is_some());
    if value.is_object() && !looks_like_an_event {
        let expected = "a CloudEvent, or a native payload as {\"format\": ..., \"headers\": {...}, \"body\": ...}";
        refused.faults.insert(0, Fault::new(root, expected, "an object that is neither"));
    }
    refused
}

fn read_native(text: &str, value: &Value, root: &str, bindings: &Bindings) -> Result<ReadBody, Refused> {
    let faults = Faults::default();
    let node = Node::root(value, root, &faults);
    let parts = node.object().and_then(|object| {
        let format = object.must("format", |node| node.text_owned());
        let headers =
            object.may("headers", |node| node.object()?.each(|name, node| Some((name.to_owned(), node.text_owned()?))));
        let binding = object.may("binding", |node| node.text_owned());
        Some((format?, headers?.unwrap_or_default(), binding?))
    });
    let Some((format, headers, binding)) = parts else { return Err(Refused::unidentified(faults.into_vec())) };
    let headers = headers.into_iter().collect();
    let body = value.get("body").unwrap_or(&Value::Null);
    let alone = |record: Option<&Value>| match record {
        Some(record) => {
            let mut wrapped = value.clone();
            wrapped["body"] = record.clone();
            wrapped.to_string()
        }
        None => text.to_owned(),
    };
    translated(native::translate(&format, &headers, body, binding.as_deref(), bindings)?, alone)
}

/// `alone` writes a body for the queue that holds one record, or the whole.
fn translated(translation: Translation, alone: impl Fn(Option<&Value>) -> String) -> Result<ReadBody, Refused> {
    let mut read = ReadBody { skipped: translation.skipped, hints: translation.hints, ..ReadBody::default() };
    for event in &translation.events {
        // A fault here (a list over its limit, an id that is no name) is of the event the payload came to: that one alone
        // is refused.
        match contract::parse_value(event, "(translated) $") {
            Ok(event) => read.events.push(event),
            Err(mut refused) => {
                refused.origin = Some(Box::new(translation.origin.clone()));
                read.refused.push(RefusedRecord { body: event.to_string(), refused });
            }
        }
    }
    for part in translation.refused {
        let origin = PayloadOrigin { record: part.record, ..translation.origin.clone() };
        let event_type = origin.format.map(Box::from);
        let refused = Refused { event_type, origin: Some(Box::new(origin)), ..Refused::unidentified(part.faults) };
        read.refused.push(RefusedRecord { body: alone(part.body.as_ref()), refused });
    }
    let nothing = read.events.is_empty() && read.skipped.is_empty() && read.hints.is_empty();
    if nothing && !read.refused.is_empty() {
        // Nothing is taken: then it is the whole that is refused.
        let mut records = std::mem::take(&mut read.refused).into_iter();
        let Some(RefusedRecord { mut refused, .. }) = records.next() else { return Ok(read) };
        let others: Vec<Fault> = records.flat_map(|record| record.refused.faults).collect();
        if let Some(origin) = refused.origin.as_mut().filter(|_| !others.is_empty()) {
            origin.record = None;
        }
        refused.faults.extend(others);
        return Err(refused);
    }
    Ok(read)
}
