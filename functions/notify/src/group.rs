//! Some people of a round, told together. Claim first, read second, render that, send, settle.
//!
//! ```text
//!  claim all ── TOLD of each, HEAD ── owed? ──no──▶ release
//!                                       │yes
//!                                       ▼
//!                        render ── send all ── settle together (HEAD read anew, until it is written)
//! ```
//! Whoever dies between send and settle leaves the claims. Once a lease is over the person counts as owed, whatever the
//! views say, since that mail may or may not have gone out. So at most the mails of one group are in doubt at once, and each
//! of them is made again to the byte.

use std::collections::{BTreeMap, BTreeSet};

use decisions::{Attempt, Committing, Decided, Doing};
use futures_util::future::join_all;
use lambda_shell::{Failure, metrics::Metrics};
use packet_store::TellingRecord;
use presentation::mail::Letter;
use refresh_core::{
    Instant, Person,
    audience::{deadlines, reading::Reading},
    base::instant::MINUTE,
    record::{
        claim::{Claim, Telling},
        commit::{Commit, ConfirmedMail},
        delivery::DeliveryStatus,
        last_notified::LastNotified,
        notice::Notice,
        packet::Version,
    },
    telling::{
        calendar,
        owed::{self, PriorMail},
        sent::{self, Confirmed, Sent},
        told,
    },
};

use crate::{
    look::Look,
    mail::{self, MailAccepted, Wait},
    random::random,
    refused,
    under_way::Round,
};

/// Longer than the function may run: a claim is never taken from somebody who may still be sending.
const LEASE: i64 = 5 * MINUTE;

/// What became of a group.
#[derive(Default)]
pub(crate) struct GroupTold {
    /// The people whose mails are out and settled.
    pub(crate) sent: Vec<Person>,
    /// The people of `sent` that are owed another mail at once, each with what they were told by now.
    pub(crate) again: BTreeMap<Person, TellingRecord>,
    /// Somebody is to be looked at again: another holds them, or the mailer refused their mail.
    pub(crate) left: bool,
    /// The mailer takes nothing now.
    pub(crate) wait: Option<Wait>,
    /// One person's mail that failed keeps nobody else waiting.
    pub(crate) failed: Option<Failure>,
}

impl GroupTold {
    /// Whether somebody of the group is still to be looked at or told.
    const fn is_open(&self) -> bool {
        self.left || self.wait.is_some() || self.failed.is_some()
    }
}

/// Somebody who is claimed, and what was known of them before.
struct Claimed {
    claim: Claim,
    telling: Telling,
    before: TellingRecord,
}

impl Claimed {
    /// The claim of a mail that is in doubt. If another process settled just before, `record` names that mail.
    fn left(&self, record: &TellingRecord) -> Option<&Claim> {
        self.before.claim.as_ref().filter(|_| self.before.told == record.told)
    }
}

/// A mail that a claimed person is owed.
struct Owed {
    told: LastNotified,
    notice: Notice,
    claim: Claim,
    prior: PriorMail,
}

/// The mails of a group.
#[derive(Default)]
struct Composed {
    letters: Vec<(Owed, Letter)>,
    /// What cannot be made into a mail, and why.
    unmailable: Vec<(Owed, DeliveryStatus)>,
}

/// A mail that the mailer did not take.
enum NotTaken {
    Never(DeliveryStatus),
    Now(Wait),
}

/// A mail that is out.
struct MailOut {
    owed: Owed,
    message_id: String,
}

impl MailOut {
    fn sent(&self, reading: &Reading<'_>) -> Sent<'_> {
        let Owed { told, notice, claim, .. } = &self.owed;
        Sent::of(reading, told, notice, &self.message_id, &claim.by)
    }
}

/// Whether somebody is owed anything as a round looks at them first. A claim that was left is taken over, whatever is
/// owed: either its mail is sent, or it is given back.
pub(crate) fn is_owed(reading: &Reading<'_>, person: &Person, record: &TellingRecord, now: Instant) -> bool {
    record.claim.is_some() || owed::is_owed(reading, &told(reading, person, record), PriorMail::Settled, now)
}

/// What they were told, as far as that arrived.
fn told(reading: &Reading<'_>, person: &Person, record: &TellingRecord) -> LastNotified {
    told::told(reading, person, record.told.clone(), record.delivery.as_ref())
}

impl Round<'_> {
    /// Tells these people what they are owed, each with what was known of them before any claim. `look` goes on to HEAD as
    /// the mails left it.
    pub(crate) async fn tell(
        &self,
        look: &mut Look,
        people: BTreeMap<Person, TellingRecord>,
        ends: bool,
    ) -> Result<GroupTold, Failure> {
        let mut group = GroupTold::default();
        let (mut claimed, known) = self.claim(look, people, &mut group).await?;
        let letters = loop {
            let owed = self.owed(look, &mut claimed, known.clone(), &mut group).await?;
            let Composed { letters, unmailable } = self.compose(look, owed);
            if unmailable.is_empty() {
                break letters;
            }
            // That a mail cannot be made is decided on before the others of the group are mailed. So they hear of it with what
            // they are owed, and not in a second mail.
            for (owed, status) in unmailable {
                claimed.remove(&owed.notice.to);
                self.refuse(&owed, status, &mut group).await?;
            }
        };
        let (mailed, not_taken) = self.send(letters, &mut group).await;
        let ends = ends && !group.is_open() && not_taken.is_empty();
        self.settle(look, &mailed, ends, &mut group).await;
        for (owed, why) in not_taken {
            match why {
                NotTaken::Never(status) => self.refuse(&owed, status, &mut group).await?,
                NotTaken::Now(wait) => {
                    group.wait = group.wait.max(Some(wait));
                    // The mail of a claim that was left is still in doubt: the claim stays until its lease is over.
                    if owed.prior == PriorMail::Settled {
                        self.release(&owed.notice.to, &owed.claim).await?;
                    }
                }
            }
        }
        Ok(group)
    }

    /// Who could be claimed, and whose profiles their mails need.
    async fn claim(
        &self,
        look: &Look,
        people: BTreeMap<Person, TellingRecord>,
        group: &mut GroupTold,
    ) -> Result<(BTreeMap<Person, Claimed>, BTreeSet<Person>), Failure> {
        let Some(reading) = look.reading() else { return Ok(Default::default()) };
        let (mut claims, mut tellings, mut known) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        for (person, record) in &people {
            let before = told(&reading, person, record);
            let telling = Telling::again(&reading, &before, record.claim.as_ref(), self.now);
            let doubted = record.claim.as_ref().map(Claim::objects_in_doubt).unwrap_or_default();
            let objects = calendar::in_doubt_after(&reading, &before, doubted);
            let until = self.now.plus_millis(LEASE);
            claims.insert(person.clone(), Claim::new(random()?, &telling, objects, until));
            tellings.insert(person.clone(), telling);
            known.extend(reading.known_to(person));
            known.extend(before.view.people().cloned());
        }
        let mut held = self.env.store.claim_all(self.review, &claims, self.now).await.doing("claiming people")?;
        group.left |= held.len() < people.len();
        let claimed = people.into_iter().filter_map(|(person, before)| {
            let (claim, telling) = (claims.remove(&person)?, tellings.remove(&person)?);
            held.remove(&person).then_some((person, Claimed { claim, telling, before }))
        });
        Ok((claimed.collect(), known))
    }

    /// The one look at what the claimed people are owed. TOLD and HEAD are read after the claims: nobody else mails these people
    /// from here on, so what is rendered is what is told. The claim of a person who is owed nothing is given back.
    async fn owed(
        &self,
        look: &mut Look,
        claimed: &mut BTreeMap<Person, Claimed>,
        known: BTreeSet<Person>,
        group: &mut GroupTold,
    ) -> Result<Vec<Owed>, Failure> {
        let mut all = Vec::with_capacity(claimed.len());
        if claimed.is_empty() {
            return Ok(all);
        }
        let people = claimed.keys().cloned().collect();
        let (newest, mut records) = Look::to_tell(self.env, self.review, &people, known).await?;
        let Some(newest) = newest else {
            for (person, claimed) in std::mem::take(claimed) {
                self.release(&person, &claimed.claim).await?;
            }
            return Ok(all);
        };
        *look = newest;
        let (mut known, mut owes_nothing) = (BTreeSet::new(), Vec::new());
        for (person, claimed) in &mut *claimed {
            let Some(reading) = look.reading() else { break };
            let record = records.remove(person).unwrap_or_default();
            if !self.rename(&reading, person, claimed, &record).await? {
                group.left = true;
                owes_nothing.push(person.clone());
                continue;
            }
            match self.owed_to(&reading, person, claimed, &record).await? {
                Some(owed) => {
                    known.extend(owed.notice.people());
                    all.push(owed);
                }
                None => {
                    self.release(person, &claimed.claim).await?;
                    owes_nothing.push(person.clone());
                }
            }
            known.extend(reading.known_to(person));
        }
        claimed.retain(|person, _| !owes_nothing.contains(person));
        look.add_profiles(self.env, known).await?;
        Ok(all)
    }

    /// Where a decision came between the look and the claim, it is another telling. The claim is renamed before anything goes
    /// out under it. `false`: another has the claim by now.
    async fn rename(
        &self,
        reading: &Reading<'_>,
        person: &Person,
        claimed: &mut Claimed,
        record: &TellingRecord,
    ) -> Result<bool, Failure> {
        let told = told(reading, person, record);
        let fresh = Telling::new(reading, &told, self.now);
        if fresh.basis == claimed.telling.basis {
            return Ok(true);
        }
        let doubted = claimed.left(record).map(Claim::objects_in_doubt).unwrap_or_default();
        let objects = calendar::in_doubt_after(reading, &told, doubted);
        let renamed = Claim::new(random()?, &fresh, objects, claimed.claim.until);
        let renaming = self.env.store.rename_claim(self.review, person, &claimed.claim.by, &renamed);
        let ours = renaming.await.doing("renaming a claim")?;
        (claimed.claim, claimed.telling) = (renamed, fresh);
        Ok(ours)
    }

    /// What a claimed person is owed as of the telling's instant.
    async fn owed_to(
        &self,
        reading: &Reading<'_>,
        person: &Person,
        claimed: &Claimed,
        record: &TellingRecord,
    ) -> Result<Option<Owed>, Failure> {
        let left = claimed.left(record);
        let prior = left.map_or(PriorMail::Settled, |left| PriorMail::of_claim_left(left, &claimed.telling));
        let told = calendar::with_doubt(reading, told(reading, person, record), prior.objects());
        let now = |before: Option<&Version>| owed::owed(reading, &told, prior, before, claimed.telling.at);
        // Nearly always HEAD still names the version that was told.
        let notice = match reading.review.version(told.version) {
            Some(version) => now(Some(version)),
            None => {
                let version = self.env.store.version(self.review, told.version).await;
                let version = version.doing("reading the version that was told")?;
                now(version.as_ref())
            }
        };
        Ok(notice.map(|notice| Owed { told, notice, claim: claimed.claim.clone(), prior }))
    }

    /// The mails of all of them.
    fn compose(&self, look: &Look, all: Vec<Owed>) -> Composed {
        let mut composed = Composed::default();
        let Some(reading) = look.reading() else { return composed };
        for owed in all {
            match mail::compose(self.env, &reading, &look.facts, &owed.notice) {
                Ok(letter) => composed.letters.push((owed, letter)),
                Err(status) => composed.unmailable.push((owed, status)),
            }
        }
        composed
    }

    /// All of them at once. Answers with those that are out, and those that the mailer did not take. A mail of which it is not
    /// known whether it went out keeps its claim.
    async fn send(&self, all: Vec<(Owed, Letter)>, group: &mut GroupTold) -> (Vec<MailOut>, Vec<(Owed, NotTaken)>) {
        let sent = all.into_iter().map(async |(owed, letter)| {
            let sent = mail::send(self.env, self.review, &owed.notice, letter, &owed.claim.by).await;
            (owed, sent)
        });
        let (mut mailed, mut not_taken) = (Vec::new(), Vec::new());
        for (owed, sent) in join_all(sent).await {
            match sent {
                Ok(MailAccepted::Message(message_id)) => mailed.push(MailOut { owed, message_id }),
                Ok(MailAccepted::Never(status)) => not_taken.push((owed, NotTaken::Never(status))),
                Ok(MailAccepted::Wait(wait)) => not_taken.push((owed, NotTaken::Now(wait))),
                Err(failure) => group.failed = Some(failure),
            }
        }
        (mailed, not_taken)
    }

    /// The mails are out, so this is written in the end, however often HEAD moves meanwhile. One commit goes on under one
    /// trace; hardly ever there are two. If time runs out, mails stay in doubt. The next claimant then tells these people
    /// again, with the same bytes as long as nothing has moved that the notices are decided from.
    async fn settle(&self, look: &mut Look, mailed: &[MailOut], ends: bool, group: &mut GroupTold) {
        let mut runs = mailed.chunk_by(|one, next| one.owed.notice.trace == next.owed.notice.trace).peekable();
        while let Some(run) = runs.next() {
            let ends = ends && runs.peek().is_none() && !group.is_open();
            if let Err(failure) = self.settle_run(look, run, ends, group).await {
                group.failed = Some(failure);
            }
        }
    }

    async fn settle_run(
        &self,
        look: &mut Look,
        run: &[MailOut],
        ends: bool,
        group: &mut GroupTold,
    ) -> Result<(), Failure> {
        let Some(reading) = look.reading() else { return Ok(()) };
        let all: Vec<Sent<'_>> = run.iter().map(|mail| mail.sent(&reading)).collect();
        let committing = Committing { store: &self.env.store, jitter: &self.env.jitter, deadline: self.deadline };
        let known = &*look;
        let settle = async |attempt: Attempt| {
            let (anew, ours) = if attempt.number == 0 { (None, all.clone()) } else { self.still_ours(&all).await? };
            let look = anew.as_ref().unwrap_or(known);
            let Some(reading) = look.reading() else { return Ok(Decided::Nothing(BTreeSet::new())) };
            let ends = ends && ours.len() == all.len() && !sent::decided_since(&self.before, &look.review.head);
            let Confirmed { commit, owed_again } = sent::confirm_sent(&reading, &ours, ends, look.now(self.env));
            Ok(Decided::of(Some(commit), owed_again))
        };
        let (commit, owed_again) = committing.decide("settling mails", settle).await?.or_failure("settling mails")?;
        let Some(commit) = commit else { return Ok(()) };
        self.measure(run, &commit);
        let Commit { head, told, .. } = *commit;
        if told.len() < run.len() {
            group.failed = Some(taken_over());
        }
        for ConfirmedMail { told, .. } in told {
            group.sent.push(told.person.clone());
            if owed_again.contains(&told.person) {
                let person = told.person.clone();
                group.again.insert(person, TellingRecord { told: Some(told), ..TellingRecord::default() });
            }
        }
        look.go_on(self.env, head).await
    }

    /// HEAD read anew, and those of the mails whose claims are ours still. Where a lease ran out, another process may have
    /// taken the claim over.
    async fn still_ours<'s>(&self, sent: &[Sent<'s>]) -> Result<(Option<Look>, Vec<Sent<'s>>), Failure> {
        let people = sent.iter().map(|sent| sent.notice.to.clone()).collect();
        let (anew, records) = Look::to_tell(self.env, self.review, &people, BTreeSet::new()).await?;
        let held = |sent: &&Sent<'_>| {
            let claim = records.get(&sent.notice.to).and_then(|record| record.claim.as_ref());
            claim.is_some_and(|claim| claim.by == sent.claimed_by)
        };
        let ours: Vec<Sent<'s>> = sent.iter().filter(held).cloned().collect();
        if ours.is_empty() { Err(taken_over()) } else { Ok((anew, ours)) }
    }

    /// Remembered before the claim is given back.
    async fn refuse(&self, owed: &Owed, status: DeliveryStatus, group: &mut GroupTold) -> Result<(), Failure> {
        // Who was looked at before a refusal opened an exception is looked at again: the next tick's round.
        group.left = true;
        let Owed { notice, claim, .. } = owed;
        refused::remember(self.env, self.review, notice, &claim.by, status, self.deadline).await?;
        self.release(&notice.to, claim).await
    }

    async fn release(&self, person: &Person, claim: &Claim) -> Result<(), Failure> {
        self.env.store.release(self.review, person, &claim.by).await.doing("releasing a claim")
    }

    fn measure(&self, run: &[MailOut], commit: &Commit) {
        for notice in run.iter().map(|mail| &mail.owed.notice) {
            let trace = notice.trace.map(tracing::field::display);
            tracing::info!(trace_id = trace, version = notice.version, kind = notice.kind.word(), "told");
            Metrics::new("Holdpoint")
                .dimension("Kind", notice.kind.word())
                .count("NoticesSent", 1)
                .property("review_id", self.review.as_str())
                .emit(notice.at.millis());
        }
        Metrics::new("Holdpoint")
            .count("AnswersOutstanding", deadlines::awaited(&commit.head, commit.head.at))
            .property("review_id", self.review.as_str())
            .emit(commit.head.at.millis());
        self.measure_skipped(commit);
    }
}

fn taken_over() -> Failure {
    Failure::passing("settling a mail", "expected our own claim, found it taken over: the person is told again")
}
