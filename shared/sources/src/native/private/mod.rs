//! What a dead letter holds of a payload that was refused. A queue keeps a letter for days and a list of letters prints it,
//! so nothing private of a calendar, of an on-call system or of an incident may stand in it. What its translator reads stays:
//! a letter that is sent again reads to the same faults, or to the same event.
//!
//! The table of each format says what is known (`known`), and all else is taken away: a member that a system adds one day
//! is private until somebody says otherwise.

mod known;
mod lines;

use serde_json::{Map, Value, json};

use super::{
    binding::{Binding, Bindings, Format, Says},
    whole,
};
use crate::{envelope, json as strict, mail};
use known::KnownMembers;
pub use known::WITHHELD;
use lines::KeptNames;

/// Headers that translators read, beside the one that numbers answers.
const HEADERS: [&str; 3] = ["date", "link", "x-total-count"];

/// A body of the queue, without what is private in it. Covered is what says that it is a native payload; all else goes to the
/// dead letters whole, as the contract has it, and so do CDEvents, mails, and payloads of CI systems and rosters.
pub fn without_private(body: &str, bindings: &Bindings) -> String {
    let value = strict::parse(body, "$").ok().filter(|value| !mail::is_of_the_mailer(value));
    let opened = value.and_then(|value| envelope::open(value).ok()).filter(|opened| is_native(&opened.value));
    match opened.and_then(|opened| native(opened.value, bindings)) {
        Some(covered) => covered.to_string(),
        None => body.to_owned(),
    }
}

/// Nobody can say what of it is private. It stays unreadable, so that it is refused as before.
fn unreadable(text: &str) -> String {
    if text.trim().is_empty() {
        text.to_owned()
    } else {
        format!("{WITHHELD}: {} bytes that cannot be read", text.len())
    }
}

fn is_native(value: &Value) -> bool {
    value.get("specversion").is_none() && value.get("format").is_some() && value.get("body").is_some()
}

/// `None`: the payload stays as it is.
fn native(value: Value, bindings: &Bindings) -> Option<Value> {
    let format = value["format"].as_str().and_then(Format::of);
    let name = value.get("binding").and_then(Value::as_str);
    let bound = format.and_then(|format| bindings.candidates(format, name).ok()).unwrap_or_default();
    let known = match format {
        Some(format) => KnownMembers::of(format, &bound)?,
        None => KnownMembers::none(),
    };
    let Value::Object(members) = value else { return None };
    let person = members["body"].pointer("/request/person").cloned();
    let member = |(name, value): (String, Value)| {
        let value = match name.as_str() {
            "format" | "binding" => value,
            "headers" => headers(value, &bound),
            "body" => payload(value, format, &known, &named(&bound, person.as_ref())),
            _ => blank(value),
        };
        (name, value)
    };
    Some(Value::Object(members.into_iter().map(member).collect()))
}

/// Whom a feed is about.
fn named(bound: &[&Binding], asked: Option<&Value>) -> Vec<refresh_core::Person> {
    let asked = asked.and_then(Value::as_str);
    let polls = bound.iter().filter_map(|binding| match &binding.says {
        Says::Calendar(poll) => Some(poll),
        _ => None,
    });
    polls
        .flat_map(|poll| poll.person.clone().into_iter().chain(asked.and_then(|name| poll.people.person_of(name))))
        .collect()
}

fn headers(value: Value, bound: &[&Binding]) -> Value {
    let numbers = |name: &str| bound.iter().any(|binding| binding.revision_header() == Some(name));
    let Value::Object(headers) = value else { return blank(value) };
    let header = |(name, value): (String, Value)| {
        let folded = name.to_ascii_lowercase();
        let read = HEADERS.contains(&folded.as_str()) || numbers(&folded);
        (name, if read { value } else { blank(value) })
    };
    Value::Object(headers.into_iter().map(header).collect())
}

fn payload(body: Value, format: Option<Format>, known: &KnownMembers, people: &[refresh_core::Person]) -> Value {
    match (body, format) {
        (Value::String(text), Some(format)) if format.is_json() => match strict::parse(&text, "$") {
            Ok(value) => Value::from(kept(value, known, "").to_string()),
            Err(_) => Value::from(unreadable(&text)),
        },
        (body, Some(format @ (Format::IcalVevent | Format::IcalVfreebusy))) => calendar(body, format, known, people),
        (body, Some(_)) => kept(body, known, ""),
        (body, None) => blank(body),
    }
}

/// The text of a calendar, alone or as the answer to a question.
fn calendar(mut body: Value, format: Format, known: &KnownMembers, people: &[refresh_core::Person]) -> Value {
    let named = if format == Format::IcalVfreebusy { KeptNames::Everybody } else { KeptNames::These(people) };
    if let Value::String(text) = &body {
        return Value::from(lines::text(text, named));
    }
    let answer = body.get_mut("response").map(Value::take);
    let mut kept = kept(body, known, "");
    match answer {
        Some(Value::String(text)) => kept["response"] = Value::from(lines::text(&text, named)),
        Some(other) => kept["response"] = blank(other),
        None => {}
    }
    kept
}

/// The members that are known, with what stands in them; of all others that they are there.
fn kept(value: Value, known: &KnownMembers, over: &str) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(|item| kept(item, known, over)).collect(),
        Value::Object(members) => {
            let member = |(name, value): (String, Value)| {
                if known.has(over, &name) || known.lists(over) && value.is_object() {
                    let value = kept(value, known, &name);
                    return (name, value);
                }
                beside(name, value)
            };
            Value::Object(members.into_iter().map(member).collect())
        }
        other => other,
    }
}

/// A member that is not known: what it says of pages, or that it is there.
fn beside(name: String, value: Value) -> (String, Value) {
    if whole::only_pages(&name) {
        return (name, pages(value));
    }
    let name = if is_plain(&name) { name } else { WITHHELD.to_owned() };
    (name, blank(value))
}

/// Whether a name is one of a system's own members; a map of somebody's words has words for names.
fn is_plain(name: &str) -> bool {
    name.len() <= 60 && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.@$[]".contains(c))
}

/// What a member says of pages: numbers and flags. A link to another page is there, and leads nowhere.
fn pages(value: Value) -> Value {
    match value {
        Value::Object(members) => members.into_iter().map(|(name, value)| beside(name, value)).collect(),
        Value::String(text) if text.trim().parse::<u64>().is_ok() => Value::String(text),
        Value::Number(_) => value,
        other => blank(other),
    }
}

/// A value of the same type that says as much as whether there is one.
fn blank(value: Value) -> Value {
    match value {
        Value::Number(_) => json!(0),
        Value::String(text) if !text.is_empty() => Value::from(WITHHELD),
        Value::Array(items) if !items.is_empty() => json!([WITHHELD]),
        Value::Object(members) if !members.is_empty() => {
            Value::Object(Map::from_iter([(WITHHELD.to_owned(), Value::from(WITHHELD))]))
        }
        other => other,
    }
}
