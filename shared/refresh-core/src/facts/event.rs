//! What a source system reports: one parsed, valid event. Its making from JSON is the `sources` crate's business.

use serde::{Deserialize, Serialize};

use crate::{
    EventId, Person, Source, TraceId,
    base::digest::Digest,
    facts::{
        fact::Body,
        operator::ResendRequest,
        reply::ReceivedReply,
        revision::Revision,
        subject::{Kind, Subject},
    },
};

/// A valid event: what it would make of one subject.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// What the event is known by.
    pub identity: Identity,
    /// The CloudEvents `type`, for the record.
    pub event_type: String,
    /// The one its sender gave, if any. Not part of the digest: a redelivery may come with another.
    pub trace: Option<TraceId>,
    /// Of the event's own members and data, so that the same id with other content is noticed.
    pub digest: Digest,
    /// What the event is about.
    pub subject: Subject,
    /// What the event says.
    pub statement: Statement,
}

/// What an event says of its subject.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Statement {
    /// The subject's state, whole.
    State {
        /// The source's number for that state of the subject.
        revision: Revision,
        /// The state.
        body: Body,
    },
    /// An operator lets the holder's next fact in at any revision.
    Reset(Reset),
    /// Somebody sent something back by mail.
    Reply(ReceivedReply),
    /// An operator asks that somebody is mailed once more.
    Resend(ResendRequest),
}

/// An operator's reset of a subject: who did so, and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reset {
    /// The operator.
    pub by: Person,
    /// Why, in the operator's words.
    pub reason: String,
}

impl Event {
    /// The kind that the event's source must be registered for.
    pub const fn kind(&self) -> Kind {
        match self.statement {
            Statement::Reset(_) | Statement::State { body: Body::Closure { by: Some(_), .. }, .. } => Kind::Operator,
            Statement::State { .. } | Statement::Reply(_) | Statement::Resend(_) => self.subject.kind(),
        }
    }

    /// The source's own number; zero for what is no state.
    pub const fn revision(&self) -> Revision {
        match self.statement {
            Statement::State { revision, .. } => revision,
            Statement::Reset(_) | Statement::Reply(_) | Statement::Resend(_) => 0,
        }
    }

    /// The state that the event states, if any.
    pub const fn body(&self) -> Option<&Body> {
        match &self.statement {
            Statement::State { body, .. } => Some(body),
            Statement::Reset(_) | Statement::Reply(_) | Statement::Resend(_) => None,
        }
    }

    /// The sender's trace, otherwise the trace that the identity gives.
    pub fn trace(&self) -> TraceId {
        self.trace.unwrap_or_else(|| self.identity.trace())
    }
}

/// CloudEvents `source` + `id`: the identity of a distinct event.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Identity {
    /// The CloudEvents `source`.
    pub source: Source,
    /// The CloudEvents `id`, unique within the source.
    pub id: EventId,
}

impl Identity {
    /// The trace of an event whose sender gave none. Every delivery of the event has the same.
    pub fn trace(&self) -> TraceId {
        let parts = [self.source.as_str().as_bytes(), self.id.as_str().as_bytes()];
        TraceId::of_digest(&Digest::of_parts("trace", &parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_one_the_identity_is_enough() {
        let identity = |source: &str, id: &str| Identity {
            source: Source::parse(source).expect("a source"),
            id: EventId::parse(id).expect("an id"),
        };
        let one = identity("//ci.example.com", "e1").trace();
        assert_eq!(one, identity("//ci.example.com", "e1").trace());
        assert_ne!(one, identity("//ci.example.com", "e2").trace());
        assert_ne!(identity("//a", "bc").trace(), identity("//ab", "c").trace());
    }
}
