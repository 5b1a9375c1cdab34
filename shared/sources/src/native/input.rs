//! What every adapter works with: the payload, its headers, the bindings, and the events made so far.

use std::collections::BTreeMap;

use chrono::DateTime;
use refresh_core::{
    Interval, Person, Source,
    base::{digest::Digest, name::shorten},
};
use serde_json::{Value, json};

use super::{
    Translation,
    binding::{Binding, Format, NamedBinding, Poll},
};
use crate::{
    fault::Fault,
    reader::{Faults, Node},
};

pub struct Input<'a> {
    pub format: Format,
    pub payload: Node<'a>,
    headers: BTreeMap<String, &'a str>,
    bindings: &'a [NamedBinding],
    faults: &'a Faults,
    translation: Translation,
}

impl<'a> Input<'a> {
    pub fn new(
        format: Format,
        headers: &'a BTreeMap<String, String>,
        payload: Node<'a>,
        bindings: &'a [NamedBinding],
        faults: &'a Faults,
    ) -> Self {
        let headers = headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.trim())).collect();
        Self { format, payload, headers, bindings, faults, translation: Translation::default() }
    }

    pub fn done(self) -> Translation {
        self.translation
    }

    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name).copied()
    }

    /// Records a fault that stands in no JSON value: in a header, in iCalendar text.
    pub fn wrong<T>(&self, path: &str, expected: &str, found: &str) -> Option<T> {
        self.faults.push(Fault::new(path, expected, found));
        None
    }

    pub fn skip(&mut self, why: impl Into<String>) {
        self.translation.skipped.push(why.into());
    }

    pub fn bindings(&self) -> impl Iterator<Item = &'a Binding> + use<'a> {
        let format = self.format;
        self.bindings.iter().map(|bound| &bound.binding).filter(move |binding| binding.format() == format)
    }

    /// The one binding of a format that has at most one.
    pub fn binding<T>(&self, pick: impl Fn(&'a Binding) -> Option<&'a T>) -> Option<&'a T> {
        let found = self.bindings().find_map(pick);
        if found.is_none() {
            let expected = format!("a binding for {} in the policy's `native` list", self.format.word());
            self.faults.push(Fault::new("$", expected, "none"));
        }
        found
    }

    /// Adds an event. Its id is derived from its content, so that the same payload handed over twice is one event;
    /// `hint` leads an operator back to the delivery.
    pub fn emit(&mut self, source: &Source, hint: Option<&str>, event_type: &str, data: Value) {
        let content = Digest::of("holdpoint.native.v1", &(event_type, &data)).to_string();
        let hint: String =
            hint.unwrap_or(self.format.word()).chars().filter(char::is_ascii_graphic).take(100).collect();
        self.translation.events.push(json!({
            "specversion": "1.0",
            "id": format!("{hint}/{}", &content[..16]),
            "source": source.as_str(),
            "type": event_type,
            "datacontenttype": "application/json",
            "data": data,
        }));
    }

    /// One person's busy snapshot.
    pub fn emit_availability(&mut self, source: &Source, snapshot: &Snapshot<'_>) {
        let intervals = |list: &[Interval]| -> Vec<Value> {
            list.iter().map(|one| json!({ "start": one.start.to_string(), "end": one.end.to_string() })).collect()
        };
        let data = json!({
            "person": snapshot.person.as_str(),
            "kind": snapshot.kind,
            "revision": snapshot.revision,
            "horizon": { "start": snapshot.horizon.start.to_string(), "end": snapshot.horizon.end.to_string() },
            "busy": intervals(&snapshot.busy),
            "unknown": intervals(&snapshot.unknown),
        });
        self.emit(source, None, "dev.holdpoint.availability.updated.v1", data);
    }

    /// A polled answer has no revision of its own: the header that the binding names gives it, as a whole number, or
    /// as the instant of the answer (RFC 3339, or an HTTP date like the `Date` of the response itself).
    pub fn polled_revision(&self, poll: &Poll) -> Option<u64> {
        let name = poll.revision_header.as_str();
        let path = format!("header {name}");
        let expected = "a whole number that rises, or the instant of the answer";
        let Some(text) = self.header(name) else { return self.wrong(&path, expected, "nothing") };
        let number = text.parse::<u64>().ok();
        let instant = || DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc2822(text)).ok();
        let millis = || u64::try_from(instant()?.timestamp_millis()).ok();
        number.or_else(millis).or_else(|| self.wrong(&path, expected, &shorten(text)))
    }

    /// The person that a source's own name for somebody stands for: as bound, or an address as it is.
    pub fn person(&mut self, poll: &Poll, name: &str, path: &str) -> Option<Person> {
        let person = poll.people.get(name).cloned().or_else(|| Person::parse(name).ok());
        if person.is_none() {
            self.skip(format!("{path} is bound to no person"));
        }
        person
    }
}

/// What a calendar or an on-call system says of one person.
pub struct Snapshot<'a> {
    pub person: &'a Person,
    pub kind: &'static str,
    pub revision: u64,
    pub horizon: Interval,
    pub busy: Vec<Interval>,
    pub unknown: Vec<Interval>,
}
