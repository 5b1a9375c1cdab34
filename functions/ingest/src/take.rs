//! One message: read it, judge its events, keep what is a fact, and ask for what follows.

use std::collections::BTreeSet;

use decisions::Doing;
use lambda_shell::{
    Failure,
    batch::Message,
    deadline::Deadline,
    log::{NOTE, masked},
    metrics::Metrics,
    queue::Outgoing,
};
use packet_store::Door;
use refresh_core::{
    Instant, ReviewId, Source,
    facts::{
        authority::{Disposition, Ignored},
        event::{Event, Statement},
        subject::Subject,
    },
    record::{
        commit::Cause,
        lineage::Trigger,
        message::{MailReported, RefreshRequested},
        review,
    },
};
use sources::{MailReport, SkippedPart, fault::Refused, policy, without_private};

use crate::{
    Env,
    no_fact::{self, NoFact},
    receipt::Piece,
    record::{Arrival, Recorded, record, times},
    taken::{Taken, identity_of, measure, reason, say},
    together::{Depending, Together},
};

pub(crate) async fn message(
    env: &Env,
    together: &Together,
    message: Message,
    deadline: Deadline,
) -> Result<Vec<Taken>, Failure> {
    let (now, arrived) = times(env, &message);
    let piece = Piece { body: &message.body, door: Door::named(message.attributes.get("door")), at: arrived };
    let reading = match together.reading(&message.id) {
        Some(reading) => Ok(reading),
        None => sources::read(&message.body, &env.policy.bindings),
    };
    let reading = match reading {
        Ok(reading) => reading,
        Err(refused) => return refuse_all(env, &piece, vec![(message.body.clone(), refused)], now).await,
    };
    skipped(&reading.skipped);
    hinted(env, &reading.hints, arrived).await?;
    piece.keep_skipped(&env.store, &reading.skipped).await?;
    let (mut taken, mut bad) = (Vec::with_capacity(reading.events.len()), Vec::new());
    for event in &reading.events {
        let arrival = Arrival { now, piece, sender: message.sender.as_deref() };
        match take(env, together, event, arrival, deadline).await? {
            Ok(became) => taken.push(became),
            Err(refused) => bad.push((message.body.clone(), refused)),
        }
    }
    if let Some(report) = &reading.report {
        taken.push(reported(env, report, now).await?);
    }
    // Records that stand each for itself: a bad one goes by itself, and holds up no other.
    bad.extend(reading.refused.into_iter().map(|record| (record.body, record.refused)));
    taken.extend(refuse_all(env, &piece, bad, now).await?);
    Ok(taken)
}

/// What cannot be read, or breaks a limit: first the receipt, which is the same however often the message comes, then the
/// dead letters.
async fn refuse_all(
    env: &Env,
    piece: &Piece<'_>,
    bad: Vec<(String, Refused)>,
    now: Instant,
) -> Result<Vec<Taken>, Failure> {
    piece.keep_refused(&env.store, bad.iter().map(|(_, refused)| refused)).await?;
    let mut taken = Vec::with_capacity(bad.len());
    for (body, refused) in bad {
        taken.push(refuse(env, &body, refused, now).await?);
    }
    Ok(taken)
}

/// The mailer's report on a mail goes to its review's own queue, where it is kept and decided on. It is no fact, and
/// nothing of it is recorded here: refresh makes the same of it however often it comes.
async fn reported(env: &Env, report: &MailReport, now: Instant) -> Result<Taken, Failure> {
    tracing::info!(target: NOTE, event_id = report.identity.id.as_str(), "");
    if let Some(trace) = report.report.trace {
        tracing::info!(target: NOTE, trace_id = %trace, "");
    }
    let review = env.store.find_link(report.review).await.doing("finding the review of a mail")?;
    let mut taken = Taken::of(&report.identity, &report.event_type, Disposition::Applied);
    taken.reviews.extend(review.clone());
    let status = report.report.delivery.status.word();
    match review {
        Some(review) => {
            tracing::info!(target: NOTE, review_id = %review, "");
            let message = MailReported { review: review.clone(), reported: report.report.clone() };
            let message = Outgoing::json(&message).doing("writing a mail report")?.in_group(review.as_str());
            env.refresh.send(message).await.doing("passing on a mail report")?;
        }
        None => taken.disposition = Disposition::Ignored(Ignored::UnknownSubject),
    }
    match reason(taken.disposition) {
        None => tracing::info!(status, "a report of the mailer was taken"),
        Some(reason) => tracing::warn!(status, reason, "a report of the mailer was ignored"),
    }
    Metrics::new("Holdpoint").dimension("Status", status).count("MailReports", 1).emit(now.millis());
    Ok(taken)
}

/// An invalid event goes to the dead-letter queue at once: no later delivery could read it better. Nothing private of a calendar,
/// of an on-call system or of an incident goes with it.
async fn refuse(env: &Env, body: &str, refused: Refused, now: Instant) -> Result<Taken, Failure> {
    if let Some(identity) = &refused.identity {
        let trace = refused.trace.unwrap_or_else(|| identity.trace());
        tracing::info!(target: NOTE, event_id = identity.id.as_str(), trace_id = %trace, "");
    }
    let (id, _) = identity_of(refused.identity.as_ref());
    let source = refused.source().map(|source| masked(source.as_str()));
    let origin = refused.origin.as_deref();
    let (format, binding) =
        (origin.and_then(|origin| origin.format), origin.and_then(|origin| origin.binding.as_deref()));
    tracing::warn!(event_id = id, source, format, binding, paths = refused.outline(), "the event is invalid");
    let attributes = [
        ("reason", Some("invalid".to_owned())),
        ("faults", Some(shortened(&refused.expectations()))),
        ("format", format.map(str::to_owned)),
        ("binding", binding.map(str::to_owned)),
        ("source", source),
    ];
    let attributes = attributes.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?))).collect();
    let letter = Outgoing { body: without_private(body, &env.policy.bindings), attributes, ..Outgoing::default() };
    env.dead_letters.send(letter).await.doing("sending an invalid event to the dead-letter queue")?;
    measure(Disposition::Ignored(Ignored::Invalid), now);
    Ok(Taken {
        identity: refused.identity,
        event_type: refused.event_type.map(String::from),
        disposition: Disposition::Ignored(Ignored::Invalid),
        reviews: Vec::new(),
        not_taken: Vec::new(),
        faults: refused.faults,
    })
}

/// What fits beside a body of any size. What was found stands in the body alone: an attribute is shown in lists.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 8_000;
    text.chars().filter(|c| !c.is_control() || *c == '\n').take(LONGEST).collect()
}

/// What becomes of one event. The inner error: what no schema can see is wrong with the event, so nothing is recorded.
async fn take(
    env: &Env,
    together: &Together,
    event: &Event,
    arrival: Arrival<'_>,
    deadline: Deadline,
) -> Result<Result<Taken, Refused>, Failure> {
    tracing::info!(target: NOTE, event_id = event.identity.id.as_str(), trace_id = %event.trace(), "");
    let now = arrival.now;
    if let Some(sender) = env.policy.deployment.barred(event.kind(), &event.identity.source, arrival.sender) {
        return barred(env, event, sender, arrival).await.map(Ok);
    }
    let no_fact = match (&event.statement, &event.subject) {
        (Statement::Reply(said), _) => Some(NoFact::Reply(said)),
        (Statement::Resend(said), Subject::Resend(review, _)) => Some(NoFact::Resend(review, said)),
        _ => None,
    };
    if let Some(said) = no_fact {
        return no_fact::take(env, event, said, arrival).await.map(Ok);
    }
    if let Err(refused) = policy::check_issued(event, &env.policy.deployment.defaults) {
        return Ok(Err(refused));
    }
    let (recorded, depending) = match together.recorded(event) {
        Some(depending) => (Recorded::applied(event), depending),
        None => match record(env, event, arrival, deadline).await? {
            Ok(recorded) => (recorded, None),
            Err(refused) => return Ok(Err(refused)),
        },
    };
    // The first delivery's, whatever this one says: one event is one trace.
    tracing::info!(target: NOTE, trace_id = %recorded.trace.unwrap_or_else(|| event.identity.trace()), "");
    // First the fact, second its dependents: a review that registers in between reads the new fact itself. A reset
    // changes no state, so nobody is asked.
    let Depending { reviews: dependents, heads } = match (depending, &event.statement) {
        (Some(depending), _) => depending,
        (None, Statement::State { .. }) => Depending::of(env, dependents(env, &event.subject).await?, now).await?,
        (None, Statement::Reset(_) | Statement::Reply(_) | Statement::Resend(_)) => Depending::default(),
    };
    let over: BTreeSet<&ReviewId> = heads.iter().filter(|head| head.is_over(now)).map(|head| &head.review).collect();
    let reviews: Vec<ReviewId> = dependents.iter().filter(|review| !over.contains(review)).cloned().collect();
    let mut disposition = recorded.disposition;
    if let Some(ended) = review::over(&heads, now).filter(|_| disposition.is_applied() && reviews.is_empty())
        && !was_decided(env, event, &recorded, &over).await?
    {
        disposition = Disposition::Ignored(ended);
        env.store.amend(&event.identity, disposition).await.doing("recording that the review is over")?;
    }
    ask(together, event, &recorded, &reviews, now)?;
    if let Some(first) = recorded.first_accepted {
        arrival.piece.keep_duplicate(&env.store, event, first).await?;
    }
    let became = recorded.repeated.unwrap_or(disposition);
    say(event, became, reviews.len(), &recorded.not_taken);
    measure(became, now);
    // What was not taken was answered to the first delivery.
    let not_taken = if recorded.repeated.is_some() { Vec::new() } else { recorded.not_taken };
    Ok(Ok(Taken { reviews, not_taken, ..Taken::of(&event.identity, &event.event_type, became) }))
}

/// An event of somebody who may not speak for its source leaves a receipt alone: no record that would use up the id, and no
/// line in a review's record.
async fn barred(env: &Env, event: &Event, sender: &str, arrival: Arrival<'_>) -> Result<Taken, Failure> {
    let disposition = Disposition::Ignored(Ignored::NonAuthoritativeSource);
    arrival.piece.keep_barred(&env.store, event, sender).await?;
    tracing::info!(target: NOTE, sender, "");
    say(event, disposition, 0, &[]);
    measure(disposition, arrival.now);
    Ok(Taken::of(&event.identity, &event.event_type, disposition))
}

/// Whether an earlier delivery was decided on by a review that has ended since. What the event came to then stays so: a
/// closure, said again, meets the very review that it closed.
async fn was_decided(
    env: &Env,
    event: &Event,
    recorded: &Recorded,
    over: &BTreeSet<&ReviewId>,
) -> Result<bool, Failure> {
    if recorded.repeated.is_none() {
        return Ok(false);
    }
    let cause = Cause { identity: event.identity.clone(), collision: recorded.collision };
    for review in over {
        if env.store.cause_exists(review, &cause).await.doing("reading whether the event was decided on")? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// One line a payload, as an ignored event has one: whoever sent the payload may expect a fact of every part. A payload
/// may have thousands of parts, so the line names the first and says how many there are.
fn skipped(parts: &[SkippedPart]) {
    if let Some(first) = parts.first() {
        let (skipped, parts) = (masked(&first.why), parts.len());
        tracing::warn!(reason = "no_event", skipped, parts, "parts of a payload became no event or could not be read");
    }
}

/// Systems that are polled and have news: each is asked at the poller's next turn.
async fn hinted(env: &Env, hints: &[Source], at: Instant) -> Result<(), Failure> {
    for bound in env.policy.bindings.polled().filter(|bound| hints.contains(&bound.binding.source)) {
        let binding = bound.name.as_deref().unwrap_or_default();
        env.store.hint_poll(binding, at).await.doing("keeping that a polled system has news")?;
        tracing::info!(binding, "a system has news and is asked");
    }
    Ok(())
}

/// The reviews that depend on a subject; a review depends on its own terms before it is registered anywhere.
async fn dependents(env: &Env, subject: &Subject) -> Result<Vec<ReviewId>, Failure> {
    let found = env.store.dependents(subject).await.doing("looking up the dependent reviews")?;
    decisions::unreadable(&found.unreadable);
    let mut reviews = found.read;
    // The key still names it, and a refresh too many harms nobody.
    reviews.extend(found.unreadable.into_iter().filter_map(|unreadable| unreadable.review));
    if let Subject::Review(review) = subject
        && !reviews.contains(review)
        && env.store.fact(subject).await.doing("reading the review's terms")?.is_some()
    {
        reviews.push(review.clone());
    }
    reviews.sort();
    Ok(reviews)
}

/// The refresh of these reviews; asked for once the whole batch is handled.
fn ask(
    together: &Together,
    event: &Event,
    recorded: &Recorded,
    reviews: &[ReviewId],
    now: Instant,
) -> Result<(), Failure> {
    let trigger = Trigger {
        identity: event.identity.clone(),
        event_type: event.event_type.clone(),
        subject: event.subject.clone(),
        revision: event.revision(),
        disposition: recorded.disposition,
        not_taken: recorded.not_taken.clone(),
        collision: recorded.collision,
        trace: recorded.trace,
    };
    let message = |review: &ReviewId| {
        let (trigger, first_accepted) = (Some(trigger.clone()), recorded.first_accepted);
        let request = RefreshRequested { review: review.clone(), trigger, at: now, first_accepted, seats: false };
        Ok(Outgoing::json(&request).doing("writing a refresh request")?.in_group(review.as_str()))
    };
    together.add(reviews.iter().map(message).collect::<Result<Vec<_>, Failure>>()?);
    Ok(())
}
