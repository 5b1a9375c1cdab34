//! One round over a review's people: who is owed something is served, one after the other, and then the review falls
//! quiet. A round that stops leaves what is owed due: the next tick goes on.

use std::sync::{Mutex, PoisonError};

use decisions::{Attempt, Committing, Decided, Doing, Ended};
use lambda_shell::{Failure, batch::Message, deadline::Deadline, log::NOTE, metrics::Metrics};
use packet_store::TellingRecord;
use refresh_core::{
    Instant, Person, ReviewId,
    record::{message::NoticesDue, review::Head},
    telling::{
        owed::{self, PriorMail},
        sent,
    },
};

use crate::{
    Env,
    look::Look,
    mail::Wait,
    person::{Addressee, Served},
    seats,
};

/// What a round did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notified {
    pub review: ReviewId,
    pub sent: Vec<Person>,
}

pub(crate) async fn take(env: &Env, message: Message, deadline: Deadline) -> Result<Notified, Failure> {
    let due: NoticesDue = message.json("reading a notices message", |body| serde_json::from_str(body))?;
    tracing::info!(target: NOTE, review_id = %due.review, "");
    if let Some(trace) = due.trace {
        tracing::info!(target: NOTE, trace_id = %trace, "");
    }
    let mut notified = Notified { review: due.review.clone(), sent: Vec::new() };
    let Some(mut look) = Look::at(env, &due.review).await? else { return Ok(notified) };
    let before = look.review.head.clone();
    // The sender's clock may be ahead: what was due by it is not left by a slower clock.
    let now = look.now(env).max(due.at);
    if look.review.head.notices_at.is_none_or(|at| now < at) {
        return Ok(notified);
    }
    // Other reviews do not wait for the mail, and the mail does not wait for them.
    let asked = seats::ask(env, &mut look).await;
    let end = serve_all(env, &mut look, now, deadline, &mut notified).await;
    if !notified.sent.is_empty() {
        // The first telling of a proposal changes its seats. Before the round stops, whatever stops it.
        seats::ask(env, &mut look).await?;
    }
    match end? {
        RoundEnd::Late => {}
        RoundEnd::Wait(wait) => postpone(env, &due.review, wait, deadline).await?,
        RoundEnd::Served { left: true } => {}
        RoundEnd::Served { left: false } => fall_quiet(env, look, &before, now, deadline).await?,
    }
    asked.map(|()| notified)
}

/// How a round over a review's people ended.
enum RoundEnd {
    /// The time was over.
    Late,
    /// The mailer takes nothing now.
    Wait(Wait),
    /// Everybody was looked at. `left`: somebody is to be looked at again.
    Served { left: bool },
}

async fn serve_all(
    env: &Env,
    look: &mut Look,
    now: Instant,
    deadline: Deadline,
    notified: &mut Notified,
) -> Result<RoundEnd, Failure> {
    let records = env.store.told(&notified.review).await.doing("reading what people were told")?;
    let Some(reading) = look.reading() else { return Ok(RoundEnd::Served { left: true }) };
    let audience = reading.audience(records.keys());
    let (mut left, mut failed) = (false, None);
    for person in &audience {
        if deadline.is_near() {
            return Ok(RoundEnd::Late);
        }
        let record = records.get(person).cloned().unwrap_or_default();
        match serve(env, look, person, record, now, deadline, notified).await {
            Ok(Served::Sent(..) | Served::NotOwed) => {}
            // Who was looked at before a refusal opened an exception is looked at again: the next tick's round.
            Ok(Served::HeldByAnother | Served::Refused) => left = true,
            Ok(Served::Wait(wait)) => return Ok(RoundEnd::Wait(wait)),
            // One whose mail fails keeps nobody else waiting.
            Err(failure) => failed = Some(failure),
        }
    }
    failed.map_or(Ok(RoundEnd::Served { left }), Err)
}

/// How many mails one person gets in a round at most: what changed, and the end of their hold.
const MOST_MAILS: usize = 2;

/// One person, until they are owed nothing more. A mail carries one calendar object, so a second may be owed.
async fn serve(
    env: &Env,
    look: &mut Look,
    person: &Person,
    mut record: TellingRecord,
    now: Instant,
    deadline: Deadline,
    notified: &mut Notified,
) -> Result<Served, Failure> {
    for _ in 0..MOST_MAILS {
        let served = (Addressee { env, person, record: &record, now, deadline }).serve(look).await?;
        let Served::Sent(told, head) = served else { return Ok(served) };
        notified.sent.push(person.clone());
        // That mail moved HEAD. A claim made from the look before would be of a telling that nobody finds again.
        look.go_on(env, *head).await?;
        if !look.reading().is_some_and(|reading| owed::is_owed(&reading, &told, PriorMail::Settled, now)) {
            break;
        }
        record = TellingRecord { told: Some(*told), claim: None, ..record };
    }
    Ok(Served::NotOwed)
}

/// Nobody is owed anything more. HEAD is what this round left it as, or is read anew; what moved since `before`, which the
/// round began with, keeps its own quiet period.
async fn fall_quiet(env: &Env, left: Look, before: &Head, now: Instant, deadline: Deadline) -> Result<(), Failure> {
    let committing = Committing { store: &env.store, jitter: &env.jitter, deadline };
    let left = Mutex::new(Some(left));
    let fall_quiet = async |_: Attempt| {
        let known = left.lock().unwrap_or_else(PoisonError::into_inner).take();
        let look = match known {
            Some(look) => Some(look),
            None => Look::at(env, &before.review).await?,
        };
        let Some(look) = look else { return Ok(Decided::Nothing(0)) };
        let head = &look.review.head;
        if sent::decided_since(before, head) {
            return Ok(Decided::Nothing(0));
        }
        let commit = sent::fall_quiet(&look.review, &look.policy, now.max(head.at));
        let left = commit.as_ref().map_or(0, |commit| commit.head.affected.len());
        Ok(Decided::of(commit, head.affected.len().saturating_sub(left)))
    };
    match committing.decide("ending the quiet period", fall_quiet).await? {
        Ended::Written(_, avoided) => Metrics::new("Holdpoint").count("NoticesAvoided", avoided).emit(now.millis()),
        // It is still due, so the next tick looks again.
        Ended::Nothing(_) | Ended::Beaten => {}
    }
    Ok(())
}

/// What is owed stays owed, a little later.
async fn postpone(env: &Env, id: &ReviewId, wait: Wait, deadline: Deadline) -> Result<(), Failure> {
    if wait == Wait::Stopped {
        tracing::error!(review_id = %id, "the mailer has stopped sending; nothing goes out until that is seen to");
        Metrics::new("Holdpoint").count("SendingStopped", 1).emit(env.clock.now_millis());
    }
    let committing = Committing { store: &env.store, jitter: &env.jitter, deadline };
    let postpone = async |_: Attempt| {
        let Some(look) = Look::at(env, id).await? else { return Ok(Decided::Nothing(())) };
        let now = look.now(env);
        Ok(Decided::of(Some(sent::postpone(&look.review, now.plus_millis(wait.millis()), now)), ()))
    };
    // Beaten, it is still due, and the next tick tries the mailer a little early.
    committing.decide("postponing notices", postpone).await.map(drop)
}
