//! Whether an event becomes the newest fact of its subject, and if not, why.

use serde::{Deserialize, Serialize};

use crate::{
    Instant,
    facts::{
        event::{Event, Statement},
        fact::{Body, Change, ChangeState, Fact, Stamp},
        policy::Deployment,
    },
};

/// Why an event changed nothing. Tried in this order; the first that fits is recorded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ignored {
    /// The event is malformed or breaks the contract.
    Invalid,
    /// The event came before.
    Duplicate,
    /// Another event had the same id.
    IdCollision,
    /// The source is not registered for the subject.
    NonAuthoritativeSource,
    /// The event closes a review that was never issued.
    UnknownSubject,
    /// An unapproved change record came before any approved one.
    NotInForce,
    /// A newer or equal revision was accepted before.
    StaleRevision,
    /// Every review that depends on it had started, and some of them are not closed.
    ReviewStarted,
    /// Every review that depends on it was closed or cancelled.
    ReviewClosed,
}

impl Ignored {
    /// The word of the contract.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Duplicate => "duplicate",
            Self::IdCollision => "id_collision",
            Self::NonAuthoritativeSource => "non_authoritative_source",
            Self::UnknownSubject => "unknown_subject",
            Self::NotInForce => "not_in_force",
            Self::StaleRevision => "stale_revision",
            Self::ReviewStarted => "review_started",
            Self::ReviewClosed => "review_closed",
        }
    }
}

/// What became of an event.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(tag = "disposition", content = "reason", rename_all = "snake_case")]
pub enum Disposition {
    /// The event became the newest fact of its subject.
    Applied,
    /// The event changed nothing, for this reason.
    Ignored(Ignored),
}

impl Disposition {
    /// Whether the event became a fact.
    pub const fn is_applied(self) -> bool {
        matches!(self, Self::Applied)
    }
}

/// What the store holds that bears on an event, read consistently before it is judged.
#[derive(Clone, Copy, Debug)]
pub struct StoredContext<'a> {
    /// The newest accepted fact of the event's subject.
    pub fact: Option<&'a Fact>,
    /// Whether the review that a closure names was ever issued.
    pub review_issued: bool,
}

/// The fact an event would become, or why it does not. Identity (`duplicate`, `id_collision`) was judged before, by
/// the store's own condition; `review_started` and `review_closed` are judged after, from the dependents.
///
/// # Errors
///
/// Why the event is ignored: the first reason that fits, in the order of the rules.
pub fn judge(event: &Event, known: &StoredContext<'_>, deployment: &Deployment, now: Instant) -> Result<Fact, Ignored> {
    let kind = event.kind();
    let source = &event.identity.source;
    if !deployment.registers(kind, source) {
        return Err(Ignored::NonAuthoritativeSource);
    }
    let Statement::State { revision, body } = &event.statement else { return Err(Ignored::UnknownSubject) };
    let stamp = Stamp { source: source.clone(), revision: *revision };
    // Revisions compare only within one source. Another registered source may take a subject over once the operator has
    // removed the registration of the source that holds the subject.
    let holder = known.fact.map(|fact| &fact.source).filter(|holder| *holder != source);
    if holder.is_some_and(|holder| deployment.registers(kind, holder)) {
        return Err(Ignored::NonAuthoritativeSource);
    }
    if matches!(body, Body::Closure { .. }) && !known.review_issued {
        return Err(Ignored::UnknownSubject);
    }
    let body = succeed(known.fact.map(|fact| &fact.body), body).ok_or(Ignored::NotInForce)?;
    if known.fact.is_some_and(|fact| stamp <= fact.stamp()) {
        return Err(Ignored::StaleRevision);
    }
    // Runs may overlap: what an older one comes to is older, whenever it ends.
    let body = match (known.fact.map(|fact| &fact.body), body) {
        (Some(Body::Evidence(known)), Body::Evidence(evidence)) => {
            Body::Evidence(evidence.following(known).ok_or(Ignored::StaleRevision)?)
        }
        (_, body) => body,
    };
    Ok(Fact { subject: event.subject.clone(), source: source.clone(), revision: *revision, accepted_at: now, body })
}

/// A fact is a snapshot. Two kinds keep something of the fact before: a change record's unapproved states are applied
/// as state alone, and a review is issued once. `None`: not in force.
fn succeed(before: Option<&Body>, event: &Body) -> Option<Body> {
    Some(match (before, event) {
        (before, Body::Change(Change { state, in_force: None })) => {
            let in_force = match before {
                Some(Body::Change(change)) => change.in_force.clone(),
                _ => None,
            };
            if in_force.is_none() && matches!(state, ChangeState::Draft | ChangeState::OnHold) {
                return None;
            }
            Body::Change(Change { state: *state, in_force })
        }
        (Some(Body::Review(first)), Body::Review(newer)) => {
            let mut terms = first.clone();
            terms.title = newer.title.clone();
            terms.checkpoints = newer.checkpoints.clone();
            terms.policy = newer.policy.clone();
            Body::Review(terms)
        }
        (_, body) => body.clone(),
    })
}
