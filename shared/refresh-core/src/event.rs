//! What a source system reports: one parsed, valid event. Its making from JSON is the `sources` crate's business.

use serde::{Deserialize, Serialize};

use crate::{
    EventId, Source, TraceId,
    digest::Digest,
    fact::{Body, Revision, Subject},
};

/// A valid event: what it would make of one subject.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    pub identity: Identity,
    /// The CloudEvents `type`, for the record.
    pub event_type: String,
    /// The one its sender gave, if any. Not part of the digest: a redelivery may come with another.
    pub trace: Option<TraceId>,
    /// Of the event's own members and data, so that the same id with other content is noticed.
    pub digest: Digest,
    pub subject: Subject,
    pub revision: Revision,
    pub body: Body,
}

impl Event {
    pub fn trace(&self) -> TraceId {
        self.trace.unwrap_or_else(|| TraceId::of(&self.identity))
    }
}

/// CloudEvents `source` + `id`: the identity of a distinct event.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Identity {
    pub source: Source,
    pub id: EventId,
}
