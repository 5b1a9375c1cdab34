//! One person of a round. Claim first, read second, render that, send, settle.
//!
//! ```text
//!  claim ── TOLD, HEAD ── owed? ──no──▶ release
//!                          │yes
//!                          ▼
//!                        render ── send ── settle (HEAD read anew, until it is written)
//! ```
//! Whoever dies between send and settle leaves a claim: once its lease is over the person counts as owed, whatever the
//! views say, since that mail may or may not have gone out.

use decisions::{Attempt, Committing, Decided, Doing};
use lambda_shell::{Failure, deadline::Deadline, metrics::Metrics};
use packet_store::TellingRecord;
use refresh_core::{
    Instant, Person, ReviewId,
    audience::{deadlines, reading::Reading},
    base::instant::MINUTE,
    record::{
        claim::{Claim, ObjectsInDoubt, Telling},
        last_notified::LastNotified,
        notice::Notice,
        review::Head,
    },
    telling::{
        calendar,
        owed::{self, PriorMail},
        sent::{self, Sent},
        told,
    },
};

use crate::{
    Env,
    look::Look,
    mail::{self, MailAccepted, Wait},
    random::random,
    refused,
};

/// Longer than the function may run: a claim is never taken from somebody who may still be sending.
const LEASE: i64 = 5 * MINUTE;

/// What became of one person in a round.
pub(crate) enum Served {
    /// A mail went out: what they count as told now, and HEAD as that was written.
    Sent(Box<LastNotified>, Box<Head>),
    NotOwed,
    HeldByAnother,
    /// The mailer will not send this message.
    Refused,
    /// The mailer takes nothing now.
    Wait(Wait),
}

/// Somebody whom a round looks at, with what was known of them before any claim.
pub(crate) struct Addressee<'a> {
    pub(crate) env: &'a Env,
    pub(crate) person: &'a Person,
    pub(crate) record: &'a TellingRecord,
    pub(crate) now: Instant,
    pub(crate) deadline: Deadline,
}

/// What they were told, as far as that arrived.
fn told(reading: &Reading<'_>, person: &Person, record: &TellingRecord) -> LastNotified {
    told::told(reading, person, record.told.clone(), record.delivery.as_ref())
}

impl Addressee<'_> {
    pub(crate) async fn serve(&self, look: &Look) -> Result<Served, Failure> {
        let Self { env, person, record, now, .. } = *self;
        if record.claim.as_ref().is_some_and(|claim| now < claim.until) {
            return Ok(Served::HeldByAnother);
        }
        let Some(reading) = look.reading() else { return Ok(Served::NotOwed) };
        // A claim that was left is taken over, whatever is owed: either its mail is sent, or it is given back.
        let left = record.claim.is_some();
        let before = told(&reading, person, record);
        if !left && !owed::is_owed(&reading, &before, PriorMail::Settled, now) {
            return Ok(Served::NotOwed);
        }
        let telling = Telling::again(&reading, &before, record.claim.as_ref(), now);
        let review = &look.review.head.review;
        let doubted = record.claim.as_ref().map(Claim::objects_in_doubt).unwrap_or_default();
        let objects = calendar::in_doubt_after(&reading, &before, doubted);
        let mut claim = Claim::new(random()?, &telling, objects, now.plus_millis(LEASE));
        if !env.store.claim(review, person, &claim, now).await.doing("claiming a person")? {
            return Ok(Served::HeldByAnother);
        }
        // TOLD and HEAD are read after the claim: nobody else mails this person from here on, so what is rendered is what
        // is told. If another process settled just before, TOLD names the mail that was in doubt.
        let (look, newest) = Look::to_tell(env, review, person, reading.known_to(person)).await?;
        let in_doubt = left && newest.told == record.told;
        let Some(look) = look else {
            return self.release(review, &claim, Served::NotOwed).await;
        };
        let left = record.claim.as_ref().filter(|_| in_doubt);
        let doubted = left.map(Claim::objects_in_doubt).unwrap_or_default();
        let Some(telling) = self.still(&look, &newest, telling, doubted, &mut claim).await? else {
            return Ok(Served::HeldByAnother);
        };
        let prior = left.map_or(PriorMail::Settled, |left| PriorMail::of_claim_left(left, &telling));
        let Some(owed) = self.owed(&look, &newest, prior, telling.at).await? else {
            return self.release(review, &claim, Served::NotOwed).await;
        };
        self.send(&look, &owed, &claim).await
    }

    /// The telling that the claim is for. Where a decision came between the look and the claim, it is another telling, and
    /// the claim is renamed before anything goes out under it; `None` where another has the claim by now.
    async fn still(
        &self,
        look: &Look,
        record: &TellingRecord,
        telling: Telling,
        doubted: ObjectsInDoubt,
        claim: &mut Claim,
    ) -> Result<Option<Telling>, Failure> {
        let Some(reading) = look.reading() else { return Ok(Some(telling)) };
        let told = told(&reading, self.person, record);
        let fresh = Telling::new(&reading, &told, self.now);
        if fresh.basis == telling.basis {
            return Ok(Some(telling));
        }
        let objects = calendar::in_doubt_after(&reading, &told, doubted);
        let renamed = Claim::new(random()?, &fresh, objects, claim.until);
        let review = &look.review.head.review;
        if !self.env.store.rename_claim(review, self.person, &claim.by, &renamed).await.doing("renaming a claim")? {
            return Ok(None);
        }
        *claim = renamed;
        Ok(Some(fresh))
    }

    /// The one look at what is owed, under the claim, as of the telling's instant.
    async fn owed(
        &self,
        look: &Look,
        record: &TellingRecord,
        prior: PriorMail,
        at: Instant,
    ) -> Result<Option<Owed>, Failure> {
        let Some(reading) = look.reading() else { return Ok(None) };
        let told = calendar::with_doubt(&reading, told(&reading, self.person, record), prior.objects());
        let version = self.env.store.version(&look.review.head.review, told.version).await;
        let stood_on = version.doing("reading the version that was told")?.map(|version| version.stands_on);
        let notice = owed::owed(&reading, &told, prior, &stood_on.unwrap_or_default(), at);
        Ok(notice.map(|notice| Owed { told, notice }))
    }

    async fn send(&self, look: &Look, owed: &Owed, claim: &Claim) -> Result<Served, Failure> {
        let (env, review, notice) = (self.env, &look.review.head.review, &owed.notice);
        match mail::send(env, look, notice, &claim.by).await {
            Ok(MailAccepted::Message(id)) => {
                let settled = self.settle(look, owed, &id, claim).await?;
                Ok(settled.map_or(Served::NotOwed, |(told, head)| Served::Sent(Box::new(told), Box::new(head))))
            }
            Ok(MailAccepted::Never(status)) => {
                refused::remember(env, review, notice, &claim.by, status, self.deadline).await?;
                self.release(review, claim, Served::Refused).await
            }
            Ok(MailAccepted::Wait(wait)) => self.release(review, claim, Served::Wait(wait)).await,
            // The claim stays: whether this mail went out is not known.
            Err(failure) => Err(failure),
        }
    }

    async fn release(&self, review: &ReviewId, claim: &Claim, served: Served) -> Result<Served, Failure> {
        self.env.store.release(review, self.person, &claim.by).await.doing("releasing a claim")?;
        Ok(served)
    }

    /// The mail is out, so this is written in the end, however often HEAD moves meanwhile. If time runs out, or the lease ran
    /// out and another process took the claim over, the mail stays in doubt. The next claimant then tells the person again,
    /// with the same bytes as long as nothing has moved that the notice is decided from. Returns what they count as told, and
    /// HEAD as it was written.
    async fn settle(
        &self,
        look: &Look,
        owed: &Owed,
        message_id: &str,
        claim: &Claim,
    ) -> Result<Option<(LastNotified, Head)>, Failure> {
        let (env, notice) = (self.env, &owed.notice);
        let Some(reading) = look.reading() else { return Ok(None) };
        let sent = &Sent::of(&reading, &owed.told, notice, message_id, &claim.by);
        let committing = Committing { store: &env.store, jitter: &env.jitter, deadline: self.deadline };
        let review = &look.review.head.review;
        let settle = async |attempt: Attempt| {
            let anew = match attempt.number {
                0 => None,
                _ => {
                    let record = env.store.told_to(review, self.person).await.doing("reading a claim")?;
                    if record.claim.is_none_or(|held| held.by != claim.by) {
                        let found = "expected our own claim, found it taken over: the person is told again";
                        return Err(Failure::passing("settling a mail", found));
                    }
                    Look::at(env, review).await?
                }
            };
            let look = anew.as_ref().unwrap_or(look);
            let commit = look.reading().map(|reading| sent::confirm_sent(&reading, &owed.told, sent, look.now(env)));
            Ok(Decided::of(commit, ()))
        };
        let (commit, ()) = committing.decide("settling a mail", settle).await?.or_failure("settling a mail")?;
        if let Some(commit) = &commit {
            measure(notice, review, deadlines::awaited(&commit.head, commit.head.at));
        }
        Ok(commit.and_then(|commit| Some((commit.told?.told, commit.head))))
    }
}

/// What somebody was told, and what they are owed.
struct Owed {
    told: LastNotified,
    notice: Notice,
}

fn measure(notice: &Notice, review: &ReviewId, awaited: usize) {
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
}
