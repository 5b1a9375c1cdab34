//! What every adapter works with: the payload, its headers, the bindings, and the events made so far.

use std::collections::BTreeMap;

use chrono::DateTime;
use refresh_core::{
    Instant, Person, Source,
    base::{digest::Digest, name::shorten},
};
use serde_json::{Value, json};

use super::{
    binding::{Binding, Format, Poll},
    translation::{RefusedPart, SkippedPart, Translation},
};
use crate::{
    fault::Fault,
    reader::{Faults, Node},
};

pub struct Input<'a> {
    pub format: Format,
    pub payload: Node<'a>,
    headers: BTreeMap<String, &'a str>,
    bindings: Vec<&'a Binding>,
    faults: &'a Faults,
    translation: Translation,
}

impl<'a> Input<'a> {
    pub fn new(
        format: Format,
        headers: &'a BTreeMap<String, String>,
        payload: Node<'a>,
        bindings: Vec<&'a Binding>,
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

    /// Records' own faults, where the payload is refused as a whole: everything wrong is said at once.
    pub fn spill(&self, records: impl IntoIterator<Item = Vec<Fault>>) {
        records.into_iter().flatten().for_each(|fault| self.faults.push(fault));
    }

    pub fn skip(&mut self, why: impl Into<String>) {
        self.translation.skipped.push(SkippedPart::because(why));
    }

    /// Skips a part that the policy binds nothing to.
    pub fn unbound(&mut self, why: impl Into<String>) {
        self.translation.skipped.push(SkippedPart { why: why.into(), unbound: true });
    }

    /// Something changed at a source: only an answer to a question says what.
    pub fn hint(&mut self, source: &Source) {
        if !self.translation.hints.contains(source) {
            self.translation.hints.push(source.clone());
        }
    }

    /// A bad record among good ones, said by the source's own word for the record. `body` is the payload with that
    /// record alone.
    pub fn refuse(&mut self, label: Option<&str>, body: Option<Value>, mut faults: Vec<Fault>) {
        if let Some(label) = label {
            for fault in &mut faults {
                fault.path = format!("{}: {}", shorten(label).trim_matches('"'), fault.path);
            }
        }
        self.refuse_of(label, body, faults);
    }

    /// The same, where the paths say enough to the sender: only an operator needs the word.
    pub fn refuse_of(&mut self, record: Option<&str>, body: Option<Value>, faults: Vec<Fault>) {
        self.translation.refused.push(RefusedPart { body, record: record.map(str::to_owned), faults });
    }

    pub fn bindings(&self) -> impl Iterator<Item = &'a Binding> + use<'a> {
        self.bindings.clone().into_iter()
    }

    /// The one binding of a format whose payloads do not say where they are from.
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

    /// A polled answer has no revision of its own: the header that the binding names gives it, as a whole number, or
    /// as the instant of the answer (RFC 3339, or an HTTP date like the `Date` of the response itself).
    pub fn polled_revision(&self, header: &str) -> Option<u64> {
        let path = format!("header {header}");
        let expected = "a whole number that rises, or the instant of the answer";
        let Some(text) = self.header(header) else { return self.wrong(&path, expected, "nothing") };
        let number = text.parse::<u64>().ok();
        let millis = || u64::try_from(instant(text)?.millis()).ok();
        number.or_else(millis).or_else(|| self.wrong(&path, expected, &shorten(text)))
    }

    /// When the answer was given, where the header says.
    pub fn answered_at(&self, header: &str) -> Option<Instant> {
        self.header(header).and_then(instant)
    }

    /// The person that a source's own name for somebody stands for: as bound, or an address as it is.
    pub fn person(&mut self, poll: &Poll, name: &str, path: &str) -> Option<Person> {
        let person = poll.people.person_of(name);
        if person.is_none() {
            self.unbound(format!("{path} is bound to no person"));
        }
        person
    }
}

/// Whether a member that may be left out says anything.
pub fn says_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(list) => !list.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}

/// RFC 3339, or an HTTP date.
fn instant(text: &str) -> Option<Instant> {
    let read = DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc2822(text)).ok()?;
    Some(Instant::from_millis(read.timestamp_millis()))
}
