//! One round over a review's people: who is owed something is told, group by group, and then the review falls quiet. A
//! round that stops leaves what is owed due: the next tick goes on.

use std::{
    collections::BTreeMap,
    iter,
    sync::{Mutex, PoisonError},
};

use decisions::{Attempt, Committing, Decided, Doing, Ended};
use lambda_shell::{Failure, batch::Message, deadline::Deadline, log::NOTE, metrics::Metrics};
use refresh_core::{
    Person, ReviewId,
    record::message::NoticesDue,
    telling::sent::{self, RoundDone},
};

use crate::{Env, group, look::Look, mail::Wait, seats, under_way::Round};

/// What a round did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notified {
    /// The review whose people were looked at.
    pub review: ReviewId,
    /// Who was mailed, once a mail.
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
    // The sender's clock may be ahead: what was due by it is not left by a slower clock.
    let now = look.now(env).max(due.at);
    if look.review.head.notices_at.is_none_or(|at| now < at) {
        return Ok(notified);
    }
    let round = Round { env, review: &due.review, before: look.review.head.clone(), now, deadline };
    let end = round.serve_all(&mut look, &mut notified).await;
    // The first telling of a proposal changes its seats, so other reviews are asked after the mails; whatever stopped the
    // round, since they do not wait for a mailer that takes nothing.
    let asked = seats::ask(env, &look.review.head).await;
    let everybody = matches!(end, Ok(RoundEnd::Served { left: false }));
    let closed = round.close(look, RoundDone { asked: asked.is_ok(), told: everybody }).await;
    if let RoundEnd::Wait(wait) = end? {
        postpone(env, &due.review, wait, deadline).await?;
    }
    closed.and(asked).map(|()| notified)
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

/// How many mails one person gets in a round at most: what changed, and the end of their hold.
const MAILS_A_PERSON: usize = 2;

impl Round<'_> {
    /// Whoever is owed something is told, in groups. A mail carries one calendar object, so somebody may be owed a second
    /// mail: those are told once everybody had the first.
    async fn serve_all(&self, look: &mut Look, notified: &mut Notified) -> Result<RoundEnd, Failure> {
        let mut records = self.env.store.told(self.review).await.doing("reading what people were told")?;
        let Some(reading) = look.reading() else { return Ok(RoundEnd::Served { left: true }) };
        let (mut left, mut failed, mut owed) = (false, None, BTreeMap::new());
        for person in reading.audience(records.keys()) {
            let record = records.remove(&person).unwrap_or_default();
            if record.claim.as_ref().is_some_and(|claim| self.now < claim.until) {
                left = true;
            } else if group::is_owed(&reading, &person, &record, self.now) {
                owed.insert(person, record);
            }
        }
        for _ in 0..MAILS_A_PERSON {
            let mut again = BTreeMap::new();
            while !owed.is_empty() {
                if self.deadline.is_near() {
                    return Ok(RoundEnd::Late);
                }
                let people = iter::from_fn(|| owed.pop_first()).take(packet_store::MAILS_A_GROUP).collect();
                let ends = owed.is_empty() && again.is_empty() && !left && failed.is_none();
                match self.tell(look, people, ends).await {
                    Ok(told) => {
                        notified.sent.extend(told.sent);
                        again.extend(told.again);
                        left |= told.left;
                        failed = told.failed.or(failed);
                        if let Some(wait) = told.wait {
                            return Ok(RoundEnd::Wait(wait));
                        }
                    }
                    // A group that fails keeps nobody else waiting.
                    Err(failure) => failed = Some(failure),
                }
            }
            owed = again;
        }
        failed.map_or(Ok(RoundEnd::Served { left }), Err)
    }

    /// Writes what the round did. HEAD is what this round left it as, or is read anew. Where it moved, the mark of seats
    /// stays: what moved may be other seats. What moved since the round began keeps its own quiet period.
    async fn close(&self, left: Look, done: RoundDone) -> Result<(), Failure> {
        let committing = Committing { store: &self.env.store, jitter: &self.env.jitter, deadline: self.deadline };
        let left = Mutex::new(Some(left));
        let close = async |_: Attempt| {
            let known = left.lock().unwrap_or_else(PoisonError::into_inner).take();
            let asked = done.asked && known.is_some();
            let look = match known {
                Some(look) => Some(look),
                None if done.told => Look::at(self.env, self.review).await?,
                None => None,
            };
            let Some(Look { review, policy, .. }) = look else { return Ok(Decided::Nothing(())) };
            let told = done.told && !sent::decided_since(&self.before, &review.head);
            let now = self.now.max(review.head.at);
            Ok(Decided::of(sent::end_round(&review, &policy, RoundDone { asked, told }, now), ()))
        };
        match committing.decide("ending a round of notices", close).await? {
            Ended::Written(commit, ()) => self.measure_skipped(&commit),
            // It is still due, so the next tick looks again.
            Ended::Nothing(()) | Ended::Beaten => {}
        }
        Ok(())
    }
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
