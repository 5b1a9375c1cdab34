//! The contract's own events: structured-mode CloudEvents 1.0 whose data is one fact of one subject.
//!
//! [`parse`] is the door of every body on the queue: it takes the envelopes off, reads the attributes, and hands the
//! data to the file of its type. What a type has no place for is dropped here and nowhere later.

mod attributes;
mod change;
mod coordination;
mod operator;
mod people;
mod reply;
mod said;
mod schedule;

use refresh_core::{
    base::digest::Digest,
    facts::{
        event::{Event, Statement},
        subject::Subject,
    },
};
use serde_json::Value;

use crate::{
    envelope,
    fault::Refused,
    json,
    reader::{Faults, Node, Object},
};
use attributes::Attributes;
pub(crate) use reply::TYPE as REPLY_RECEIVED;
use said::Said;

/// One event type: its name on the wire and the reader of its data.
struct EventType {
    name: &'static str,
    read: fn(&Object<'_>) -> Option<Said>,
}

/// Every type the product takes. The version is part of the name; a v2 is another line beside its v1.
const TYPES: [EventType; 12] = [
    EventType { name: "dev.holdpoint.review.issued.v1", read: coordination::issued },
    EventType { name: "dev.holdpoint.review.closed.v1", read: coordination::closed },
    EventType { name: "dev.holdpoint.change.updated.v1", read: change::updated },
    EventType { name: "dev.holdpoint.evidence.updated.v1", read: change::evidence },
    EventType { name: "dev.holdpoint.delegation.updated.v1", read: people::delegation },
    EventType { name: "dev.holdpoint.person.updated.v1", read: people::person },
    EventType { name: "dev.holdpoint.availability.updated.v1", read: schedule::availability },
    EventType { name: "dev.holdpoint.freeze.updated.v1", read: schedule::freeze },
    EventType { name: "dev.holdpoint.subject.reset.v1", read: operator::reset },
    EventType { name: "dev.holdpoint.proposal.decided.v1", read: operator::decided },
    EventType { name: "dev.holdpoint.resend.requested.v1", read: operator::resend },
    EventType { name: reply::TYPE, read: reply::received },
];

/// The names of all event types of the contract.
pub fn event_types() -> impl Iterator<Item = &'static str> {
    TYPES.iter().map(|of| of.name)
}

/// Reads one body: a CloudEvent of the contract, as it is or inside an SNS or EventBridge envelope.
///
/// # Errors
/// [`Refused`] with every fault there is, and the identity where that much could be read.
pub fn parse(body: &str) -> Result<Event, Refused> {
    let value = json::parse(body, "$")?;
    let opened = envelope::open(value)?;
    parse_value(&opened.value, &opened.root)
}

/// The same for a value that is already out of its envelope; `root` is what its paths start with.
///
/// # Errors
///
/// [`Refused`] with every fault there is, and the identity where that much could be read.
pub fn parse_value(value: &Value, root: &str) -> Result<Event, Refused> {
    let faults = Faults::default();
    let node = Node::root(value, root, &faults);
    let Some(event) = node.object() else {
        return Err(Refused::unidentified(faults.into_vec()));
    };
    let attributes = attributes::read(&event);
    let Attributes { identity, event_type, trace, data } = attributes;
    let known = event_type.as_deref().and_then(|name| TYPES.iter().find(|known| known.name == name));
    if event_type.is_some() && known.is_none() {
        event.must("type", |node| node.wrong::<()>(format!("one of {}", type_names())));
    }
    let said = match (known, data) {
        (Some(known), Some(data)) => data.read(&event, &faults, |object| (known.read)(object)),
        _ => None,
    };
    match (identity, event_type, said) {
        (Some(identity), Some(event_type), Some((subject, statement))) if faults.is_empty() => {
            let digest = digest(&event_type, &subject, &statement);
            Ok(Event { identity, event_type, trace, digest, subject, statement })
        }
        (identity, event_type, _) => {
            let event_type = event_type.map(String::into_boxed_str);
            Err(Refused { identity, event_type, trace, origin: None, faults: faults.into_vec() })
        }
    }
}

/// Of what an event says, however it was written.
fn digest(event_type: &str, subject: &Subject, statement: &Statement) -> Digest {
    const NAME: &str = "holdpoint.event.v1";
    match statement {
        Statement::State { revision, body } => Digest::of(NAME, &(event_type, subject, revision, body)),
        Statement::Reset(reset) => Digest::of(NAME, &(event_type, subject, reset)),
        Statement::Reply(reply) => Digest::of(NAME, &(event_type, subject, reply)),
        Statement::Resend(asked) => Digest::of(NAME, &(event_type, subject, asked)),
    }
}

fn type_names() -> String {
    TYPES.map(|known| known.name).join(", ")
}
