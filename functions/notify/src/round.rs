//! One round over a review's people. Claim first, read HEAD second, render that, send, settle.
//!
//! ```text
//!  claim ── HEAD ── owed? ──no──▶ release
//!                    │yes
//!                    ▼
//!                  render ── send ── settle (HEAD read anew, until it is written)
//! ```
//! Whoever dies between send and settle leaves a claim: once its lease is over the person counts as owed, whatever the
//! views say, since that mail may or may not have gone out.

use std::collections::BTreeSet;

use lambda_shell::{Doing, Failure, batch::Message, deadline::Deadline, log::NOTE, metrics::Metrics};
use packet_store::{Committed, TellingRecord};
use refresh_core::{
    Instant, Person, ReviewId,
    audience::{deadlines, reading::Reading},
    base::instant::MINUTE,
    facts::{fact::Facts, policy::Policy, subject::Subject},
    record::{
        message::NoticesDue,
        notice::Notice,
        review::Review,
        told::{Claim, Told},
    },
    telling::{
        owed,
        settle::{self, Sent},
        told,
    },
};

use crate::{
    Env,
    mail::{self, Accepted, Wait},
    refused,
};

/// Longer than the function may run: a claim is never taken from somebody who may still be sending.
const LEASE: i64 = 5 * MINUTE;

/// What a round did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notified {
    pub review: ReviewId,
    pub sent: Vec<Person>,
}

/// A review and what is needed to read it.
struct Loaded {
    review: Review,
    facts: Facts,
    policy: Policy,
}

impl Loaded {
    fn reading(&self) -> Option<Reading<'_>> {
        let terms = self.facts.terms(&self.review.head.review)?;
        Some(Reading { review: &self.review, terms, policy: &self.policy })
    }
}

pub(crate) async fn take(env: &Env, message: Message, deadline: Deadline) -> Result<Notified, Failure> {
    let due: NoticesDue = message.json("reading a notices message", |body| serde_json::from_str(body))?;
    tracing::info!(target: NOTE, review_id = %due.review, "");
    if let Some(trace) = due.trace {
        tracing::info!(target: NOTE, trace_id = %trace, "");
    }
    let mut notified = Notified { review: due.review.clone(), sent: Vec::new() };
    let Some(loaded) = load(env, &due.review).await? else { return Ok(notified) };
    let now = clock(env, &loaded.review);
    if loaded.review.head.notices_at.is_none_or(|at| now < at) {
        return Ok(notified);
    }
    let records = env.store.told(&due.review).await.doing("reading what people were told")?;
    let Some(reading) = loaded.reading() else { return Ok(notified) };
    let mut people = reading.people();
    people.extend(reading.review.head.stirred.iter().cloned());
    people.extend(records.keys().cloned());
    let (mut held, mut refused, mut failed) = (false, false, None);
    for person in people {
        if deadline.is_near() {
            // What is left is still due: the next tick goes on.
            return Ok(notified);
        }
        let record = records.get(&person);
        match serve(env, &loaded, &person, record, now, deadline).await {
            Ok(Served::Sent) => notified.sent.push(person),
            Ok(Served::NotOwed) => {}
            Ok(Served::HeldByAnother) => held = true,
            Ok(Served::Refused) => refused = true,
            Ok(Served::Wait(wait)) => return postpone(env, &due.review, notified, wait).await,
            // One whose mail fails keeps nobody else waiting.
            Err(failure) => failed = Some(failure),
        }
    }
    if let Some(failure) = failed {
        return Err(failure);
    }
    // Who was looked at before a refusal opened an exception is looked at again: the next tick's round.
    if !held && !refused {
        fall_quiet(env, &loaded, now, deadline).await?;
    }
    Ok(notified)
}

fn clock(env: &Env, review: &Review) -> Instant {
    Instant::from_millis(env.clock.now_millis()).max(review.head.at)
}

async fn load(env: &Env, id: &ReviewId) -> Result<Option<Loaded>, Failure> {
    let Some(review) = env.store.review(id).await.doing("reading the review")? else { return Ok(None) };
    let terms = BTreeSet::from([Subject::Review(id.clone())]);
    let facts = env.store.facts(&terms).await.doing("reading the review's terms")?;
    let Some(policy) = facts.terms(id).map(|terms| env.deployment.defaults.with(&terms.policy)) else {
        return Ok(None);
    };
    Ok(Some(Loaded { review, facts, policy }))
}

enum Served {
    Sent,
    NotOwed,
    HeldByAnother,
    /// The mailer will not send this message.
    Refused,
    /// The mailer takes nothing now.
    Wait(Wait),
}

async fn serve(
    env: &Env,
    loaded: &Loaded,
    person: &Person,
    record: Option<&TellingRecord>,
    now: Instant,
    deadline: Deadline,
) -> Result<Served, Failure> {
    let claimed = record.and_then(|record| record.claim.as_ref());
    if claimed.is_some_and(|claim| now < claim.until) {
        return Ok(Served::HeldByAnother);
    }
    let owes = |loaded: &Loaded, record: Option<&TellingRecord>, in_doubt: bool| {
        let reading = loaded.reading()?;
        let (told, delivery) = record.map_or((None, None), |record| (record.told.clone(), record.delivery.as_ref()));
        let told = told::told(&reading, person, told, delivery);
        owed::owed(&reading, &told, in_doubt, &[], now).is_some().then_some(told)
    };
    if owes(loaded, record, claimed.is_some()).is_none() {
        return Ok(Served::NotOwed);
    }
    let review = &loaded.review.head.review;
    let claim = Claim { by: claimant()?, until: now.plus_millis(LEASE) };
    if !env.store.claim(review, person, &claim, now).await.doing("claiming a person")? {
        return Ok(Served::HeldByAnother);
    }
    // TOLD and HEAD are read after the claim: nobody else mails this person from here on, so what is rendered is what is
    // told. Another may have settled just before: then the mail in doubt is that one's, and it is in TOLD.
    let records = env.store.told(review).await.doing("reading what people were told")?;
    let newest = load(env, review).await?;
    let newest = newest.as_ref().unwrap_or(loaded);
    let settled = records.get(person).map(|now| &now.told) != record.map(|before| &before.told);
    let in_doubt = claimed.is_some() && !settled;
    let Some(told) = owes(newest, records.get(person), in_doubt) else {
        env.store.release(review, person, &claim.by).await.doing("releasing a claim")?;
        return Ok(Served::NotOwed);
    };
    let Some(notice) = owed(env, newest, &told, in_doubt, now).await? else { return Ok(Served::NotOwed) };
    match mail::send(env, &newest.review, &newest.facts, &newest.policy, &notice, &claim.by).await {
        Ok(Accepted::Message(id)) => {
            settle(env, newest, &told, &notice, (&id, &claim.by), deadline).await?;
            Ok(Served::Sent)
        }
        Ok(Accepted::Refused(reason)) => {
            refused::remember(env, review, &notice, &claim.by, &reason, deadline).await?;
            env.store.release(review, person, &claim.by).await.doing("releasing a claim")?;
            Ok(Served::Refused)
        }
        Ok(Accepted::Wait(wait)) => {
            env.store.release(review, person, &claim.by).await.doing("releasing a claim")?;
            Ok(Served::Wait(wait))
        }
        // The claim stays: whether this mail went out is not known.
        Err(failure) => Err(failure),
    }
}

async fn owed(
    env: &Env,
    loaded: &Loaded,
    told: &Told,
    in_doubt: bool,
    now: Instant,
) -> Result<Option<Notice>, Failure> {
    let Some(reading) = loaded.reading() else { return Ok(None) };
    let review = &loaded.review.head.review;
    let version = env.store.version(review, told.version).await.doing("reading the version that was told")?;
    let stood_on = version.map(|version| version.stands_on).unwrap_or_default();
    Ok(owed::owed(&reading, told, in_doubt, &stood_on, now))
}

/// One invocation, one person: nobody else has this name.
fn claimant() -> Result<String, Failure> {
    Ok(format!("{:032x}", u128::from_be_bytes(random()?)))
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).doing("asking the system for random bytes")?;
    Ok(bytes)
}

/// The mail is out, so this is written in the end, however often HEAD moves meanwhile. Where time runs out, or the lease
/// did and another took the claim over, the mail stays in doubt: that one tells the person again, with the same bytes.
async fn settle(
    env: &Env,
    sent_from: &Loaded,
    told: &Told,
    notice: &Notice,
    (message_id, claimed_by): (&str, &str),
    deadline: Deadline,
) -> Result<(), Failure> {
    let Some(reading) = sent_from.reading() else { return Ok(()) };
    let sent = Sent::of(&reading, told, notice, message_id, claimed_by);
    let review = &sent_from.review.head.review;
    let mut newest = None;
    let awaited = loop {
        let loaded: &Loaded = newest.as_ref().unwrap_or(sent_from);
        let Some(reading) = loaded.reading() else { return Ok(()) };
        let commit = settle::settle(&reading, told, &sent, clock(env, &loaded.review));
        match env.store.commit(&commit).await.doing("settling a mail")? {
            Committed::Written => break deadlines::awaited(&commit.head, commit.head.at),
            Committed::AlreadyWritten(_) | Committed::Superseded => {
                let records = env.store.told(review).await.doing("reading what people were told")?;
                let claim = records.get(&notice.to).and_then(|record| record.claim.as_ref());
                if claim.is_none_or(|claim| claim.by != claimed_by) || deadline.is_near() {
                    return Err(Failure::new("settling a mail", "the claim or the time was over; it is told again"));
                }
                newest = load(env, review).await?;
            }
        }
    };
    let trace = notice.trace.map(tracing::field::display);
    tracing::info!(trace_id = trace, version = notice.version, kind = notice.kind.word(), "told");
    Metrics::new("Holdpoint")
        .dimension("Kind", notice.kind.word())
        .count("NoticesSent", 1)
        .property("review_id", review.as_str())
        .emit(notice.at.millis());
    Metrics::new("Holdpoint")
        .count("AnswersOutstanding", awaited)
        .property("review_id", review.as_str())
        .emit(notice.at.millis());
    Ok(())
}

/// Nobody is owed anything more. HEAD is read anew, and what moved meanwhile keeps its own quiet period.
async fn fall_quiet(env: &Env, before: &Loaded, now: Instant, deadline: Deadline) -> Result<(), Failure> {
    let id = &before.review.head.review;
    let quiet_until = before.review.head.quiet_until;
    loop {
        let Some(loaded) = load(env, id).await? else { return Ok(()) };
        // Another decision began another quiet period: this round has not looked at what it changed.
        if loaded.review.head.quiet_until != quiet_until || decided_since(&before.review, &loaded.review) {
            return Ok(());
        }
        let Some(commit) = settle::fall_quiet(&loaded.review, &loaded.policy, now.max(loaded.review.head.at)) else {
            return Ok(());
        };
        let avoided = commit.head.stirred.len();
        match env.store.commit(&commit).await.doing("ending the quiet period")? {
            Committed::Written => {
                let skipped = loaded.review.head.stirred.len().saturating_sub(avoided);
                Metrics::new("Holdpoint").count("NoticesAvoided", skipped).emit(now.millis());
                return Ok(());
            }
            // Whatever moved HEAD, the next tick looks again.
            Committed::AlreadyWritten(_) | Committed::Superseded if deadline.is_near() => return Ok(()),
            Committed::AlreadyWritten(_) | Committed::Superseded => {}
        }
    }
}

/// Settling mails moves HEAD too; what matters here is whether views may have changed.
fn decided_since(before: &Review, now: &Review) -> bool {
    let (was, is) = (&before.head, &now.head);
    was.latest != is.latest
        || was.authoritative != is.authoritative
        || was.standing != is.standing
        || was.today != is.today
        || was.exceptions != is.exceptions
        || was.answers != is.answers
        || was.pending.as_ref().map(|pending| (pending.version, pending.adopter.clone()))
            != is.pending.as_ref().map(|pending| (pending.version, pending.adopter.clone()))
}

/// What is owed stays owed, a little later.
async fn postpone(env: &Env, id: &ReviewId, notified: Notified, wait: Wait) -> Result<Notified, Failure> {
    if wait == Wait::Stopped {
        tracing::error!(review_id = %id, "the mailer has stopped sending; nothing goes out until that is seen to");
        Metrics::new("Holdpoint").count("SendingStopped", 1).emit(env.clock.now_millis());
    }
    loop {
        let Some(loaded) = load(env, id).await? else { return Ok(notified) };
        let now = clock(env, &loaded.review);
        let commit = settle::postpone(&loaded.review, now.plus_millis(wait.millis()), now);
        match env.store.commit(&commit).await.doing("postponing notices")? {
            Committed::Written => return Ok(notified),
            Committed::AlreadyWritten(_) | Committed::Superseded => {}
        }
    }
}
