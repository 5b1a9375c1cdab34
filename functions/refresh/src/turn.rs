//! Load, decide, commit, pass on; once more where another decision was quicker.

use std::collections::BTreeSet;

use decisions::{Attempt, Committing, Decided, Doing, ask, outcomes, readable_facts, retire};
use lambda_shell::{
    Failure,
    batch::Message,
    deadline::Deadline,
    log::NOTE,
    metrics::{Metrics, Unit},
};
use packet_store::LookedAt;
use refresh_core::{
    Instant, ReviewId, Uid,
    audience::{deadlines, open::Open},
    base::fingerprint::ReviewFingerprint,
    decide::refresh,
    facts::{fact::Facts, subject::Subject},
    record::{
        commit::{Cause, Commit, cause},
        decision::Outcome,
        lineage::{Happening, Trigger},
        message::{RefreshRequested, ToRefresh},
        review::{Head, Review},
    },
};

use crate::{Env, replied, reported, resend};

/// What one group of messages came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refreshed {
    /// The review that the messages are about.
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
        return Err(Failure::lasting("reading the batch", format!("{review} and {} share a group", other.review())));
    }
    let (mut requests, mut reports, mut replies, mut resends) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for message in read {
        match message {
            ToRefresh::Requested(request) => requests.push(request),
            ToRefresh::Reported(report) => reports.push(report.reported),
            ToRefresh::Replied(replied) => replies.push(replied),
            ToRefresh::Resend(asked) => resends.push(asked),
        }
    }
    let mut outcomes = Vec::new();
    if !requests.is_empty() {
        outcomes = RefreshTask::of(env, &review, requests).decide(deadline).await?;
    }
    for report in &reports {
        outcomes.extend(reported::take(env, &review, report, deadline).await?);
    }
    for replied in &replies {
        outcomes.extend(replied::take(env, replied, deadline).await?);
    }
    for asked in &resends {
        outcomes.extend(resend::take(env, asked, deadline).await?);
    }
    Ok(Refreshed { review, outcomes })
}

/// Everything that was asked for of one review: one decision.
struct RefreshTask<'a> {
    env: &'a Env,
    review: &'a ReviewId,
    requests: Vec<RefreshRequested>,
    /// When the newest of the messages was made.
    sent: Instant,
}

/// What an attempt read and when it looked.
struct Seen {
    review: Option<Review>,
    now: Instant,
    facts: Facts,
    /// What was asked for. `None` where something could not be read: the next look tries again.
    subjects: Option<BTreeSet<Subject>>,
}

impl Seen {
    /// The next look need not read again what this one saw. `head`: as this one left it.
    fn remember(self, env: &Env, head: &Head) {
        if let Some(subjects) = self.subjects {
            env.store.remember(head, self.facts, subjects);
        }
    }
}

impl<'a> RefreshTask<'a> {
    fn of(env: &'a Env, review: &'a ReviewId, requests: Vec<RefreshRequested>) -> Self {
        let sent = requests.iter().map(|request| request.at).max().unwrap_or(Instant::from_millis(0));
        Self { env, review, requests, sent }
    }

    /// What is decided on now: each trigger once, without those that counted before.
    fn triggers(&self, counted: &[Cause], review: Option<&Review>) -> Vec<Trigger> {
        let mut triggers: Vec<Trigger> = Vec::new();
        for trigger in self.requests.iter().filter_map(|request| request.counts_for(review)) {
            let this = cause(trigger);
            if !counted.contains(&this) && !triggers.iter().any(|known| cause(known) == this) {
                triggers.push(trigger.clone());
            }
        }
        triggers
    }

    /// What the messages say has changed. `None` where one of them asks for a look at everything.
    fn said(&self) -> Option<BTreeSet<Subject>> {
        self.requests.iter().map(|request| request.trigger.as_ref().map(|trigger| trigger.subject.clone())).collect()
    }

    fn asked_by_seats(&self) -> bool {
        self.requests.iter().any(|request| request.seats)
    }

    async fn decide(&self, deadline: Deadline) -> Result<Vec<Outcome>, Failure> {
        let env = self.env;
        let committing = Committing { store: &env.store, jitter: &env.jitter, deadline };
        let ended = committing.decide("committing the decision", |attempt| self.attempt(attempt)).await?;
        match ended.or_failure("deciding")? {
            (Some(commit), seen) => {
                measure(seen.review.as_ref(), &commit, self.sent);
                let now = seen.now;
                seen.remember(env, &commit.head);
                follow_up(env, &commit.head, now).await?;
                Ok(outcomes(&commit))
            }
            (None, mut seen) => {
                // Nothing to write, but an earlier delivery may have died before it did what follows.
                if let Some(review) = seen.review.take() {
                    let now = seen.now;
                    seen.remember(env, &review.head);
                    follow_up(env, &review.head, now).await?;
                }
                Ok(Vec::new())
            }
        }
    }

    async fn attempt(&self, attempt: Attempt) -> Result<Decided<Seen>, Failure> {
        let Self { env, review: id, .. } = *self;
        let now = self.sent.max(Instant::from_millis(env.clock.now_millis()));
        let look = env.store.look(id, &env.deployment, self.said().as_ref(), now).await;
        let LookedAt { review, mut read } = look.doing("reading the review and its facts")?;
        let subjects = read.unreadable.is_empty().then(|| std::mem::take(&mut read.subjects));
        let facts = readable_facts(read);
        let triggers = self.triggers(&attempt.counted, review.as_ref());
        let commit = match &review {
            Some(review) => {
                // Before HEAD says that nothing is left to do for a review that ended.
                retire(&env.store, &review.head, now).await?;
                let commit = refresh::refresh(review, &facts, &env.deployment, triggers, now);
                // Whoever read these seats before and is still deciding must not commit after.
                commit.or_else(|| refresh::looked_at(review, now).filter(|_| self.asked_by_seats()))
            }
            None => {
                let fingerprint = ReviewFingerprint::of(id);
                env.store.register_link(fingerprint, id).await.doing("registering the review's links")?;
                self.register_objects().await?;
                refresh::issue(id, &env.mail_domain, &facts, &env.deployment, triggers, now)
            }
        };
        Ok(Decided::of(commit, Seen { review, now, facts, subjects }))
    }
}

impl RefreshTask<'_> {
    /// A reply by mail names a calendar object. Most of them show the review's id.
    async fn register_objects(&self) -> Result<(), Failure> {
        let (env, id) = (self.env, self.review);
        for uid in [Uid::of_meeting(id, &env.mail_domain), Uid::of_hold(id, &env.mail_domain)] {
            if uid.is_digested() {
                env.store.register_object(&uid, id).await.doing("registering the review's calendar objects")?;
            }
        }
        Ok(())
    }
}

/// What follows a decision, from HEAD alone: safe to repeat, and repeated by every later delivery.
async fn follow_up(env: &Env, head: &Head, now: Instant) -> Result<(), Failure> {
    ask(&env.notices, head, now).await?;
    retire(&env.store, head, now).await
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
        .count("SourcesSilent", Open::of(head, head.at).silent.len())
        .count("AnswersOutstanding", deadlines::awaited(head, head.at))
        .property("review_id", head.review.as_str())
        .property("first", before.is_none())
        .emit(head.at.millis());
}
