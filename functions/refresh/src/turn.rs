//! Load, decide, commit, pass on; once more where another decision was quicker.

use decisions::{Pause, ask, outcomes};
use lambda_shell::{
    Doing, Failure,
    batch::Message,
    deadline::Deadline,
    log::NOTE,
    metrics::{Metrics, Unit},
};
use packet_store::{Committed, KEPT_DAYS};
use refresh_core::{
    Instant, ReviewId,
    audience::deadlines,
    base::instant::DAY,
    decide::refresh,
    record::{
        commit::{Cause, Commit, cause},
        decision::Outcome,
        lineage::{Happening, Trigger},
        message::{RefreshRequested, ToRefresh},
        review::{Review, Standing},
    },
};

use crate::{Env, reported};

/// What one group of messages came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refreshed {
    pub review: ReviewId,
    /// In order; empty where nothing had to be decided.
    pub outcomes: Vec<Outcome>,
}

pub(crate) async fn take(env: &Env, messages: Vec<Message>, deadline: Deadline) -> Result<Refreshed, Failure> {
    let read = messages
        .iter()
        .map(|message| message.json("reading a refresh message", ToRefresh::read))
        .collect::<Result<Vec<ToRefresh>, Failure>>()?;
    let first = read.first().ok_or_else(|| Failure::new("reading the batch", "expected a message, found none"))?;
    let review = first.review().clone();
    tracing::info!(target: NOTE, review_id = %review, "");
    // Messages without a group come one by one, so all of a group are about one review.
    if let Some(other) = read.iter().find(|message| *message.review() != review) {
        return Err(Failure::new("reading the batch", format!("{review} and {} share a group", other.review())));
    }
    let (mut requests, mut reports) = (Vec::new(), Vec::new());
    for message in read {
        match message {
            ToRefresh::Requested(request) => requests.push(request),
            ToRefresh::Reported(report) => reports.push(report.reported),
        }
    }
    let mut refreshed = Refreshed { review, outcomes: Vec::new() };
    if !requests.is_empty() {
        refreshed = refresh_once(env, &refreshed.review, requests, deadline).await?;
    }
    for report in &reports {
        refreshed.outcomes.extend(reported::take(env, &refreshed.review, report, deadline).await?);
    }
    Ok(refreshed)
}

/// One decision on everything that was asked for.
async fn refresh_once(
    env: &Env,
    review: &ReviewId,
    requests: Vec<RefreshRequested>,
    deadline: Deadline,
) -> Result<Refreshed, Failure> {
    let sent = requests.iter().map(|request| request.at).max().unwrap_or(Instant::from_millis(0));
    let mut triggers: Vec<Trigger> = Vec::new();
    for trigger in requests.into_iter().filter_map(|request| request.trigger) {
        if !triggers.iter().any(|known| cause(known) == cause(&trigger)) {
            triggers.push(trigger);
        }
    }
    let mut pause = Pause::default();
    loop {
        match attempt(env, review, &triggers, sent).await? {
            Attempt::Done(refreshed) => return Ok(refreshed),
            Attempt::Known(causes) => triggers.retain(|trigger| !causes.contains(&cause(trigger))),
            Attempt::Superseded if deadline.is_near() => {
                return Err(Failure::new("deciding", "another decision was always quicker; the deadline is near"));
            }
            Attempt::Superseded => pause.wait(&env.clock).await,
        }
    }
}

enum Attempt {
    Done(Refreshed),
    /// These triggers were decided on before.
    Known(Vec<Cause>),
    Superseded,
}

async fn attempt(env: &Env, id: &ReviewId, triggers: &[Trigger], sent: Instant) -> Result<Attempt, Failure> {
    // HEAD first, then the facts: a fact that comes in between is the next message's business, never a lost one.
    let review = env.store.review(id).await.doing("reading the review")?;
    let facts = env.store.facts_of(id, review.as_ref(), &env.deployment).await.doing("reading the facts")?;
    let now = sent.max(Instant::from_millis(env.clock.now_millis()));
    let commit = match &review {
        Some(review) => refresh::refresh(review, &facts, &env.deployment, triggers.to_vec(), now),
        None => {
            let hash = refresh_core::base::digest::short(id.as_str());
            env.store.register_link(hash, id).await.doing("registering the review's links")?;
            refresh::issue(id, &env.mail_domain, &facts, &env.deployment, triggers.to_vec(), now)
        }
    };
    let Some(commit) = commit else {
        // Nothing to write, but an earlier delivery may have died before it asked for the notices.
        if let Some(review) = review {
            ask(&env.notices, &review.head, now).await?;
        }
        return Ok(Attempt::Done(Refreshed { review: id.clone(), outcomes: Vec::new() }));
    };
    match env.store.commit(&commit).await.doing("committing the decision")? {
        Committed::AlreadyWritten(causes) => return Ok(Attempt::Known(causes)),
        Committed::Superseded => return Ok(Attempt::Superseded),
        Committed::Written => {}
    }
    ask(&env.notices, &commit.head, now).await?;
    if commit.head.standing != Standing::Open {
        let expires = now.plus_millis(KEPT_DAYS * DAY);
        env.store.retire(id, expires).await.doing("retiring the review's dependencies")?;
    }
    measure(review.as_ref(), &commit, sent);
    Ok(Attempt::Done(Refreshed { review: id.clone(), outcomes: outcomes(&commit) }))
}

fn triggers(commit: &Commit) -> impl Iterator<Item = &Trigger> {
    let happenings = commit.entry.iter().flat_map(|entry| &entry.happenings);
    happenings.filter_map(|happening| match happening {
        Happening::Trigger(trigger) => Some(trigger),
        _ => None,
    })
}

fn measure(before: Option<&Review>, commit: &Commit, sent: Instant) {
    let head = &commit.head;
    let trace = commit.entry.as_ref().and_then(|entry| entry.trace);
    for trigger in triggers(commit) {
        let (own, event_id) = (trigger.trace(), trigger.identity.id.as_str());
        // Of a batch one trace goes on; the line of every other event says which.
        let continued_as = trace.filter(|trace| *trace != own).map(tracing::field::display);
        tracing::info!(event_id, trace_id = %own, continued_as, version = head.latest, "counted");
    }
    decisions::measure(commit);
    Metrics::new("Holdpoint")
        .put("ChangeToPacket", Unit::Milliseconds, head.at.since(sent).max(0) as f64)
        .count("OpenExceptions", head.exceptions.len())
        .count("AnswersOutstanding", deadlines::awaited(head, head.at))
        .property("review_id", head.review.as_str())
        .property("first", before.is_none())
        .emit(head.at.millis());
}
