//! An event judged and written: EVENT, the fact it became, and what belongs to that, in one transaction.

use decisions::{Committing, Doing};
use lambda_shell::{Failure, batch::Message, deadline::Deadline, metrics::Metrics};
use packet_store::{Acceptance, Accepted, Beside, EventRecord, UidClaim};
use refresh_core::{
    Instant, ReviewId, TraceId, Uid,
    base::digest::Digest,
    facts::{
        authority::{self, Disposition, Ignored, MOST_CALENDARS, StoredContext, UntakenMember},
        event::{Event, Statement},
        expected::expected,
        fact::{Body, Fact, Terms},
        subject::Subject,
    },
};
use sources::fault::{Fault, Refused};

use crate::{Env, receipt::Piece};

/// When a message is handled, what it is and when it came to the queue, and from whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival<'a> {
    pub(crate) now: Instant,
    pub(crate) piece: Piece<'a>,
    pub(crate) sender: Option<&'a str>,
}

/// When a message is handled, and when it arrived.
pub(crate) fn times(env: &Env, message: &Message) -> (Instant, Instant) {
    let sent = message.sent_at_millis.unwrap_or(0);
    let now = Instant::from_millis(env.clock.now_millis().max(sent));
    // A message that waited, or that comes again, arrived when it was sent to the queue.
    (now, message.sent_at_millis.map_or(now, Instant::from_millis))
}

/// What EVENT holds, and what this delivery was.
pub(crate) struct Recorded {
    /// Of the event as it was first seen: what its trigger says in every lineage.
    pub(crate) disposition: Disposition,
    /// `duplicate` or `id_collision`, where the id was recorded before.
    pub(crate) repeated: Option<Disposition>,
    pub(crate) collision: Option<Digest>,
    /// Of a repeated `review.issued`: the members that count for nothing.
    pub(crate) not_taken: Vec<UntakenMember>,
    /// The one the first delivery came with, if any.
    pub(crate) trace: Option<TraceId>,
    /// Of a duplicate: when it was first accepted.
    pub(crate) first_accepted: Option<Instant>,
}

impl Recorded {
    /// Of an event that became a fact, with nothing beside it.
    pub(crate) fn applied(event: &Event) -> Self {
        Self {
            disposition: Disposition::Applied,
            repeated: None,
            collision: None,
            not_taken: Vec::new(),
            trace: event.trace,
            first_accepted: None,
        }
    }

    /// Of an event that came again. `record`: what its first delivery came to.
    fn duplicate(record: EventRecord) -> Self {
        Self {
            disposition: record.disposition,
            repeated: Some(Disposition::Ignored(Ignored::Duplicate)),
            collision: None,
            not_taken: record.not_taken,
            trace: record.trace,
            first_accepted: Some(record.at),
        }
    }

    /// Of an event whose id another event has. `trace`: that of the other event.
    fn collided(event: &Event, trace: Option<TraceId>) -> Self {
        let collided = Disposition::Ignored(Ignored::IdCollision);
        Self {
            disposition: collided,
            repeated: Some(collided),
            collision: Some(event.digest),
            trace,
            ..Self::applied(event)
        }
    }
}

/// What was read of the store that bears on one event.
struct StoredBearing {
    fact: Option<Fact>,
    review_issued: bool,
    /// The list of the person's calendars, where the event is of one that has a name.
    calendars: Option<Fact>,
    /// The UID that the event claims for its review's meeting.
    uid: Option<ClaimedUid>,
    /// A calendar object of this review would have a UID that another review has, which is neither closed nor started.
    uid_in_use: bool,
}

struct ClaimedUid {
    uid: Uid,
    review: ReviewId,
    /// Which review claimed it before, whatever became of that review.
    holder: Option<ReviewId>,
}

/// Judges an event against what is known now and writes what comes of it; again where another was quicker.
///
/// # Errors
///
/// Those of the store. The inner error: the event breaks a limit that only what is stored can tell.
pub(crate) async fn record(
    env: &Env,
    event: &Event,
    arrival: Arrival<'_>,
    deadline: Deadline,
) -> Result<Result<Recorded, Refused>, Failure> {
    if let Some(fact) = judge_unread(env, event, arrival)
        && env.store.accept_unread(event, &fact, arrival.now).await.doing("accepting the event")?
    {
        return Ok(Ok(Recorded::applied(event)));
    }
    let committing = Committing { store: &env.store, jitter: &env.jitter, deadline };
    let mut attempt = 0;
    loop {
        let known = known(env, event, arrival.now).await?;
        let judged = match judge(env, event, &known, arrival) {
            Ok(judged) => judged,
            Err(refused) => return Ok(Err(refused)),
        };
        let applied = judged.disposition.is_applied();
        let not_taken = if applied { not_taken(env, event, known.fact.as_ref()).await? } else { Vec::new() };
        let acceptance = Acceptance {
            event,
            disposition: judged.disposition,
            fact: judged.fact.as_ref(),
            replaces: known.fact.as_ref(),
            beside: Beside {
                calendars: judged.calendars.as_ref().map(|list| (list, known.calendars.as_ref())),
                uid: known.uid.as_ref().filter(|_| applied).map(ClaimedUid::claim),
                silenced: judged.silenced,
                not_taken: &not_taken,
                expected: judged.expected.as_deref(),
            },
            at: arrival.now,
        };
        match env.store.accept(&acceptance).await.doing("accepting the event")? {
            Accepted::Written => {
                if judged.silenced {
                    tell_of_silence(event, arrival.now);
                }
                return Ok(Ok(Recorded { disposition: judged.disposition, not_taken, ..Recorded::applied(event) }));
            }
            Accepted::Superseded if committing.wait(attempt).await => attempt += 1,
            Accepted::Superseded => {
                return Err(Failure::passing(
                    "accepting the event",
                    "another fact was always quicker; the deadline is near",
                ));
            }
            Accepted::Known(record) if authority::of_used_id(&record.digest, event) == Ignored::Duplicate => {
                if let (Some(again), Some(held)) = (&judged.again, &known.fact) {
                    // Whoever was quicker has heard of the source as well.
                    env.store.hear_again(again, held).await.doing("keeping that a source said the same again")?;
                }
                return Ok(Ok(Recorded::duplicate(record)));
            }
            Accepted::Known(record) => {
                env.store.collide(event, arrival.now).await.doing("recording an id collision")?;
                // The source's mistake and not this deployment's: a figure with an alarm of its own counts it.
                tracing::warn!("another event came with an id that was used before");
                return Ok(Ok(Recorded::collided(event, record.trace)));
            }
        }
    }
}

/// What an event comes to by what was read.
struct Judged {
    disposition: Disposition,
    /// What FACT is from now on. Of a stale event: the fact that counts it, or that was said once more.
    fact: Option<Fact>,
    /// The list of the person's calendars, where the event adds one.
    calendars: Option<Fact>,
    /// The fact that is held, said once more.
    again: Option<Fact>,
    /// Whether the subject gets nothing but stale revisions.
    silenced: bool,
    /// Of an ignored event: what would have been taken in its place.
    expected: Option<String>,
}

/// The fact of an event on which nothing bears that is stored. Most events are such, and each spares a read.
fn judge_unread(env: &Env, event: &Event, arrival: Arrival<'_>) -> Option<Fact> {
    let context = StoredContext {
        fact: None,
        review_issued: false,
        uid_in_use: false,
        arrived: arrival.piece.at,
        sender: arrival.sender,
    };
    authority::judge_unread(event, &context, &env.policy.deployment, arrival.now)
}

/// The error: the person would have too many calendars.
fn judge(env: &Env, event: &Event, known: &StoredBearing, arrival: Arrival<'_>) -> Result<Judged, Refused> {
    let held = known.fact.as_ref();
    let context = StoredContext {
        fact: held,
        review_issued: known.review_issued,
        uid_in_use: known.uid_in_use,
        arrived: arrival.piece.at,
        sender: arrival.sender,
    };
    let deployment = &env.policy.deployment;
    let again = held.and_then(|fact| authority::hear_again(fact, event, arrival.piece.at, deployment));
    match authority::judge(event, &context, deployment, arrival.now) {
        Ok(fact) => {
            let calendars = authority::list_calendar(known.calendars.as_ref(), &fact);
            let calendars = calendars.map_err(|_| too_many_calendars(event))?;
            let fact = Some(fact);
            Ok(Judged { disposition: Disposition::Applied, fact, calendars, again, silenced: false, expected: None })
        }
        Err(ignored) => {
            let stale = ignored == Ignored::StaleRevision;
            // A source that says the same again is heard, and is not stale.
            let fact = held.filter(|_| stale).and_then(|held| again.clone().or_else(|| authority::count_stale(held)));
            let silenced = stale && fact.as_ref().or(held).is_some_and(|fact| fact.order.is_silenced());
            let expected = expected(ignored, event, held, arrival.piece.at, deployment);
            Ok(Judged { disposition: Disposition::Ignored(ignored), fact, calendars: None, again, silenced, expected })
        }
    }
}

async fn known(env: &Env, event: &Event, now: Instant) -> Result<StoredBearing, Failure> {
    let fact = env.store.fact(&event.subject).await.doing("reading the subject's fact")?;
    let mut known = StoredBearing { fact, review_issued: true, calendars: None, uid: None, uid_in_use: false };
    match (&event.subject, event.body()) {
        (Subject::Closure(review) | Subject::Decision(review), Some(_)) => {
            let terms = env.store.fact(&Subject::Review(review.clone())).await;
            known.review_issued = terms.doing("reading the review that is closed")?.is_some();
        }
        (Subject::Availability(person, _, Some(_)), _) => {
            let list = Subject::Calendars(person.clone());
            known.calendars = env.store.fact(&list).await.doing("reading the list of the person's calendars")?;
        }
        _ => {}
    }
    if let Some((meeting, hold, review)) = objects(env, event, known.fact.as_ref()) {
        // The holder is read first. A review that claims the UID after that stands in the way of this claim; a review that
        // claimed the UID before is found by the next question.
        let holder = env.store.uid_holder(&meeting).await.doing("reading whose the meeting's UID is")?;
        known.uid_in_use = is_in_use(env, &meeting, review, now).await? || is_in_use(env, &hold, review, now).await?;
        known.uid = Some(ClaimedUid { uid: meeting, review: review.clone(), holder });
    }
    Ok(known)
}

impl ClaimedUid {
    const fn claim(&self) -> UidClaim<'_> {
        UidClaim { uid: &self.uid, review: &self.review, replaces: self.holder.as_ref() }
    }
}

/// The UIDs of meeting and hold of a review that is issued for the first time. A repeated issue changes no object.
fn objects<'a>(env: &Env, event: &'a Event, known: Option<&Fact>) -> Option<(Uid, Uid, &'a ReviewId)> {
    match (&event.subject, event.body(), known) {
        (Subject::Review(review), Some(Body::Review(terms)), None) => {
            Some((meeting_uid(env, review, terms), Uid::of_hold(review, &env.mail_domain), review))
        }
        _ => None,
    }
}

/// The UID that a review's meeting is issued with, or is given here.
fn meeting_uid(env: &Env, review: &ReviewId, terms: &Terms) -> Uid {
    let issued = terms.meeting.as_ref().map(|meeting| meeting.uid.clone());
    issued.unwrap_or_else(|| Uid::of_meeting(review, &env.mail_domain))
}

/// Whether another review that is neither closed nor started has an object of that UID, whoever made the UID. Each of
/// the two would change and cancel what the other has in people's calendars.
async fn is_in_use(env: &Env, uid: &Uid, issued: &ReviewId, now: Instant) -> Result<bool, Failure> {
    let known = env.store.reviews_of_object(uid, &env.mail_domain).await.doing("reading whose a UID is")?;
    for review in known.into_iter().filter(|review| review != issued) {
        if has_object(env, &review, uid, now).await? {
            tracing::warn!(review_id = %review, "the UID is that of another review, which is not over");
            return Ok(true);
        }
    }
    Ok(false)
}

/// A review without a HEAD was issued a moment ago: its terms say what it will have, and when it starts.
async fn has_object(env: &Env, review: &ReviewId, uid: &Uid, now: Instant) -> Result<bool, Failure> {
    let closure = env.store.fact(&Subject::Closure(review.clone())).await;
    if closure.doing("reading whether the UID's holder is closed")?.is_some() {
        return Ok(false);
    }
    if let Some(head) = env.store.head(review).await.doing("reading the UID's holder")? {
        return Ok(!head.is_over(now) && [&head.meeting.uid, &head.hold.uid].contains(&uid));
    }
    let terms = env.store.fact(&Subject::Review(review.clone())).await;
    let terms = terms.doing("reading the terms of the UID's holder")?;
    let Some(Body::Review(terms)) = terms.map(|fact| fact.body) else { return Ok(false) };
    let own = [meeting_uid(env, review, &terms), Uid::of_hold(review, &env.mail_domain)];
    Ok(now < terms.slot.start && own.contains(uid))
}

/// What a repeated issue names that counts for nothing, against what is authoritative now.
async fn not_taken(env: &Env, event: &Event, known: Option<&Fact>) -> Result<Vec<UntakenMember>, Failure> {
    let (Subject::Review(id), Some(Body::Review(repeated)), Some(Body::Review(first))) =
        (&event.subject, event.body(), known.map(|fact| &fact.body))
    else {
        return Ok(Vec::new());
    };
    let review = env.store.review(id).await.doing("reading the review that is issued again")?;
    let (slot, attendees) = review.as_ref().map_or((first.slot, &first.attendees), |review| {
        (review.authoritative.packet.slot, &review.authoritative.packet.attendees)
    });
    Ok(authority::not_taken(repeated, first, slot, attendees))
}

/// A limit that no schema can tell: how many calendars the person has already.
fn too_many_calendars(event: &Event) -> Refused {
    let fault = Fault::new(
        "$.data.calendar",
        format!("one of at most {MOST_CALENDARS} calendars of a person"),
        "one more than that",
    );
    Refused {
        identity: Some(event.identity.clone()),
        event_type: Some(event.event_type.as_str().into()),
        trace: event.trace,
        origin: None,
        faults: vec![fault],
    }
}

/// An operator must look: a wrong revision keeps out whatever the source says of the subject.
fn tell_of_silence(event: &Event, now: Instant) {
    debug_assert!(matches!(event.statement, Statement::State { .. }));
    tracing::warn!(
        kind = event.kind().word(),
        revision = event.revision(),
        "the last events of a subject were all stale_revision; `holdpoint reviews` names the subject"
    );
    Metrics::new("Holdpoint").count("SilencedSubjects", 1).emit(now.millis());
}
