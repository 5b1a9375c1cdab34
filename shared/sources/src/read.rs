//! Any body on the queue: the one function that ingest calls.

use std::collections::BTreeMap;

use refresh_core::facts::event::Event;
use serde_json::Value;

use crate::{
    contract, envelope,
    fault::Refused,
    json,
    mail::{self, MailReport},
    native::{self, Bindings},
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
    pub skipped: Vec<String>,
}

/// Reads a CloudEvent of the contract, a CDEvent, or a native payload (`{"format", "headers", "body", "binding"?}`, as in a
/// scenario's `send_native`), as it is or inside an SNS or EventBridge envelope; or a report of the mailer.
///
/// # Errors
/// [`Refused`] with every fault. A native payload is refused whole: half a snapshot is not one.
pub fn read(body: &str, bindings: &Bindings) -> Result<ReadBody, Refused> {
    let value = json::parse(body, "$")?;
    if mail::is_of_the_mailer(&value) {
        return mail::read(&value).map(|read| match read {
            mail::ReadReport::Report(report) => ReadBody { report: Some(report), ..ReadBody::default() },
            mail::ReadReport::Skipped(why) => ReadBody { skipped: vec![why], ..ReadBody::default() },
        });
    }
    let opened = envelope::open(value)?;
    let value = &opened.value;
    if value.get("specversion").is_none() && value.get("format").is_some() && value.get("body").is_some() {
        return read_native(value, &opened.root, bindings);
    }
    let cdevent = value.get("type").and_then(Value::as_str).is_some_and(|name| name.starts_with("dev.cdevents"));
    let bare_cdevent = value.get("context").is_some_and(|context| context.get("type").is_some());
    if cdevent || bare_cdevent {
        return translated(native::translate("cdevents", &BTreeMap::new(), value, None, bindings)?);
    }
    let event = contract::parse_value(value, &opened.root)?;
    Ok(ReadBody { events: vec![event], ..ReadBody::default() })
}

fn read_native(value: &Value, root: &str, bindings: &Bindings) -> Result<ReadBody, Refused> {
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
    translated(native::translate(&format, &headers, body, binding.as_deref(), bindings)?)
}

fn translated(translation: native::Translation) -> Result<ReadBody, Refused> {
    // A fault here (a list over its limit, an id that is no name) is of the event the payload came to.
    let judged = |event| contract::parse_value(event, "(translated) $");
    let events = translation.events.iter().map(judged).collect::<Result<_, _>>()?;
    Ok(ReadBody { events, skipped: translation.skipped, report: None })
}
