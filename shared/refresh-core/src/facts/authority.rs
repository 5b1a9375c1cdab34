//! Whether an event becomes the newest fact of its subject, and if not, why.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    Instant, Person, Role,
    base::{
        digest::Digest,
        instant::{MINUTE, Slot},
    },
    facts::{
        event::{Event, Reset, Statement},
        evidence::{Evidence, EvidenceStatus},
        fact::{Body, Change, ChangeState, Fact, Terms},
        policy::Deployment,
        revision::{OpenReset, RevisionOrder},
        subject::Subject,
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
    /// The source is registered, but the subject is another source's.
    HeldByAnotherSource,
    /// The event closes a review that was never issued, or resets a subject that nobody ever spoke of.
    UnknownSubject,
    /// The meeting's UID is that of another review, which is neither closed nor started.
    UidInUse,
    /// The event says that evidence was ready at an instant that has not come.
    InTheFuture,
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
    /// Every reason, in the order in which they are tried.
    pub const ALL: [Self; 12] = [
        Self::Invalid,
        Self::Duplicate,
        Self::IdCollision,
        Self::NonAuthoritativeSource,
        Self::HeldByAnotherSource,
        Self::UnknownSubject,
        Self::UidInUse,
        Self::InTheFuture,
        Self::NotInForce,
        Self::StaleRevision,
        Self::ReviewStarted,
        Self::ReviewClosed,
    ];

    /// The word of the contract.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Duplicate => "duplicate",
            Self::IdCollision => "id_collision",
            Self::NonAuthoritativeSource => "non_authoritative_source",
            Self::HeldByAnotherSource => "held_by_another_source",
            Self::UnknownSubject => "unknown_subject",
            Self::UidInUse => "uid_in_use",
            Self::InTheFuture => "in_the_future",
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

/// Why an event is ignored whose source and id were used before. `first`: the digest of the event that used them first.
pub fn of_used_id(first: &Digest, event: &Event) -> Ignored {
    if *first == event.digest { Ignored::Duplicate } else { Ignored::IdCollision }
}

/// Clocks differ by seconds, and a message travels; more than this is a mistaken time zone.
const EARLY_READY_MINUTES: i64 = 5;
/// The most calendars of one person beside the one without a name. Each is a read of every decision that concerns them.
pub const MOST_CALENDARS: usize = 20;

/// What the store holds that bears on an event, read consistently before it is judged.
#[derive(Clone, Copy, Debug)]
pub struct StoredContext<'a> {
    /// The newest accepted fact of the event's subject.
    pub fact: Option<&'a Fact>,
    /// Whether the review that a closure names was ever issued.
    pub review_issued: bool,
    /// Whether the meeting of an issued review has the UID of another that is neither closed nor started.
    pub uid_in_use: bool,
    /// When the event arrived: it may have waited since.
    pub arrived: Instant,
    /// Who put the event on the queue, where the queue says.
    pub sender: Option<&'a str>,
}

/// The fact an event would become, or why it does not. Identity (`duplicate`, `id_collision`) was judged before, by
/// the store's own condition; `review_started` and `review_closed` are judged after, from the dependents.
///
/// # Errors
///
/// Why the event is ignored: the first reason that fits, in the order of the rules.
pub fn judge(event: &Event, known: &StoredContext<'_>, deployment: &Deployment, now: Instant) -> Result<Fact, Ignored> {
    let source = &event.identity.source;
    if !deployment.lets_in(event.kind(), source, known.sender) {
        return Err(Ignored::NonAuthoritativeSource);
    }
    let (revision, body) = match &event.statement {
        Statement::State { revision, body } => (*revision, body),
        Statement::Reset(reset) => return reset_of(known.fact, reset, now).ok_or(Ignored::UnknownSubject),
        // Neither is a fact: `decide::no_fact` says what becomes of them.
        Statement::Reply(_) | Statement::Resend(_) => return Err(Ignored::UnknownSubject),
    };
    if known.fact.is_some_and(|held| !deployment.may_speak_after(event.kind(), &held.source, source)) {
        return Err(Ignored::HeldByAnotherSource);
    }
    if matches!(body, Body::Closure { .. } | Body::Decision(_)) && !known.review_issued {
        return Err(Ignored::UnknownSubject);
    }
    if known.uid_in_use {
        return Err(Ignored::UidInUse);
    }
    if is_ready_after(body, latest_ready(known.arrived)) {
        return Err(Ignored::InTheFuture);
    }
    let body = succeed(known.fact.map(|fact| &fact.body), body).ok_or(Ignored::NotInForce)?;
    let order = known.fact.map(|fact| fact.order_after(source)).unwrap_or_default();
    let fact = Fact { subject: event.subject.clone(), source: source.clone(), revision, accepted_at: now, body, order };
    if known.fact.is_some_and(|held| fact.stamp() <= held.stamp()) {
        return Err(Ignored::StaleRevision);
    }
    // Runs may overlap: what an older one comes to is older, whenever it ends. A reset lets that in as well.
    let reset = known.fact.is_some_and(|held| held.order.reset.is_some());
    let body = match (known.fact.map(|held| &held.body), fact.body) {
        (Some(Body::Evidence(held)), Body::Evidence(evidence)) if !reset => {
            Body::Evidence(evidence.following(held).ok_or(Ignored::StaleRevision)?)
        }
        (_, body) => body,
    };
    Ok(Fact { body, ..fact })
}

/// Whether nothing that is stored bears on an event but its subject's own fact.
pub const fn is_plain(event: &Event) -> bool {
    let alone = matches!(
        event.subject,
        Subject::Change(_)
            | Subject::Delegation(..)
            | Subject::Availability(_, _, None)
            | Subject::Evidence(..)
            | Subject::Freeze(_)
            | Subject::Person(_)
    );
    alone && matches!(event.statement, Statement::State { .. })
}

/// The fact that an event becomes whatever its source said before. `None`: what was said before bears on the event, or the
/// event is ignored. The fact may be written unread in the place of none, or of one that has a lower revision of the same
/// source, in an order of revisions that is plain ([`RevisionOrder::is_plain`]).
pub fn judge_unread(event: &Event, known: &StoredContext<'_>, deployment: &Deployment, now: Instant) -> Option<Fact> {
    let keeps_some_of_it = match event.body() {
        Some(Body::Change(change)) => change.in_force.is_none(),
        Some(Body::Evidence(_)) => true,
        _ => false,
    };
    if keeps_some_of_it || !is_plain(event) {
        return None;
    }
    judge(event, &StoredContext { fact: None, ..*known }, deployment, now).ok()
}

/// The same fact, open for the holder's next word at whatever revision. `None`: nobody ever spoke of the subject.
fn reset_of(held: Option<&Fact>, reset: &Reset, now: Instant) -> Option<Fact> {
    let mut fact = held?.clone();
    fact.order.rewrites += 1;
    fact.order.reset = Some(OpenReset { by: reset.by.clone(), reason: reset.reason.clone(), at: now });
    Some(fact)
}

/// The same fact with one more stale event counted. `None`: as many as matter are counted.
pub fn count_stale(held: &Fact) -> Option<Fact> {
    if held.order.is_silenced() {
        return None;
    }
    let mut fact = held.clone();
    fact.order.rewrites += 1;
    fact.order.stale += 1;
    Some(fact)
}

/// The same fact, heard once more: its source said the very same again, and arrived later than it was last heard. `None`:
/// the event says something else, or nobody promised to speak again, so that nothing would come of it. Told apart by whole
/// minutes, since a promise is, and each is a write.
pub fn hear_again(held: &Fact, event: &Event, arrived: Instant, deployment: &Deployment) -> Option<Fact> {
    let Statement::State { revision, body } = &event.statement else { return None };
    let same = held.source == event.identity.source && held.revision == *revision && held.order.reset.is_none();
    // Revisions that began anew may come again for another state.
    let says_so = match (succeed(Some(&held.body), body), &held.body) {
        // The fact knows of other runs as well, the event of its own alone.
        (Some(Body::Evidence(said)), Body::Evidence(held)) => {
            let run = |evidence: &Evidence| evidence.run.as_ref().map(|run| run.id.clone());
            (said.status, said.ready_at, run(&said)) == (held.status, held.ready_at, run(held))
        }
        (said, held) => said.as_ref() == Some(held),
    };
    let promised = deployment.promise(event.kind(), &held.source).is_some();
    if !same || !says_so || !promised || arrived.since(held.heard_at()) < MINUTE {
        return None;
    }
    let mut fact = held.clone();
    fact.order.rewrites += 1;
    fact.order.stale = 0;
    fact.order.heard_at = Some(arrived);
    Some(fact)
}

/// The latest instant at which evidence may have become ready that came at `arrived`.
pub(super) const fn latest_ready(arrived: Instant) -> Instant {
    arrived.plus_minutes(EARLY_READY_MINUTES)
}

/// "Ready" of what has not come contradicts itself.
fn is_ready_after(body: &Body, latest: Instant) -> bool {
    matches!(body, Body::Evidence(Evidence { status: EvidenceStatus::Ready, ready_at: Some(at), .. }) if *at > latest)
}

/// The list of a person's calendars, where a fact is of one that is not in the list. `known`: the list as it is.
///
/// # Errors
/// The list is full: a person has no more than [`MOST_CALENDARS`].
pub fn list_calendar(known: Option<&Fact>, fact: &Fact) -> Result<Option<Fact>, TooManyCalendars> {
    let Subject::Availability(person, diary, Some(name)) = &fact.subject else { return Ok(None) };
    let mut names = match known.map(|known| &known.body) {
        Some(Body::Calendars(names)) => names.clone(),
        _ => BTreeSet::new(),
    };
    if !names.insert((*diary, name.clone())) {
        return Ok(None);
    }
    if names.len() > MOST_CALENDARS {
        return Err(TooManyCalendars);
    }
    Ok(Some(Fact {
        subject: Subject::Calendars(person.clone()),
        source: fact.source.clone(),
        // Names are only added, so their number is the number of the list's states.
        revision: names.len() as u64,
        accepted_at: fact.accepted_at,
        body: Body::Calendars(names),
        order: RevisionOrder::default(),
    }))
}

/// A person would have more calendars than [`MOST_CALENDARS`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooManyCalendars;

/// A member of a repeated `review.issued` that counts for nothing: what is no term of the review is the first issue's, or
/// what was adopted since.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UntakenMember {
    /// The slot.
    Slot,
    /// The required attendees.
    Roles,
    /// The optional attendees.
    Optional,
    /// The service whose delegations count.
    Service,
    /// The change record that governs the review.
    ChangeId,
    /// The zone of people who have none of their own.
    TimeZone,
    /// The calendar object, recreated or otherwise another than the meeting was issued with.
    Meeting,
}

impl UntakenMember {
    /// The word of the contract.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Slot => "slot",
            Self::Roles => "roles",
            Self::Optional => "optional",
            Self::Service => "service",
            Self::ChangeId => "change_id",
            Self::TimeZone => "time_zone",
            Self::Meeting => "meeting",
        }
    }
}

/// What a repeated issue names otherwise than what counts: `slot` and `attendees` of the authoritative packet, all else of
/// the first issue. A repeated issue without a meeting names none.
pub fn not_taken(
    repeated: &Terms,
    first: &Terms,
    slot: Slot,
    attendees: &BTreeMap<Role, Person>,
) -> Vec<UntakenMember> {
    let differs = [
        (UntakenMember::Slot, repeated.slot != slot),
        (UntakenMember::Roles, repeated.attendees != *attendees),
        (UntakenMember::Optional, repeated.optional != first.optional),
        (UntakenMember::Service, repeated.service != first.service),
        (UntakenMember::ChangeId, repeated.change != first.change),
        (UntakenMember::TimeZone, repeated.time_zone != first.time_zone),
        (UntakenMember::Meeting, repeated.meeting.is_some() && repeated.meeting != first.meeting),
    ];
    differs.into_iter().filter_map(|(member, differs)| differs.then_some(member)).collect()
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
