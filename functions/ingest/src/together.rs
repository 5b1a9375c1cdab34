//! What the events of a batch need alike, done together: their facts read in one call, those that simply become facts
//! written in one transaction, their dependents looked up, the refreshes asked for in as few calls as can be.
//!
//! ```text
//!  read facts ── judge each ── write all ──▶ written: who depends on each subject? HEADs, where not known ──▶ each by itself ──▶ ask
//!                   ▲               │ │ anything in the way of any: each is read, judged and written by itself
//!                   └───────────────┘ what is said of the same subjects again, judged against what was just written
//! ```
//! Each event still has its own judgement, record, line and figure, and its message its own outcome. What is asked for is sent
//! last: a process that ends before is delivered the batch again, and asks then.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use decisions::Doing;
use futures_util::future::try_join_all;
use lambda_shell::{Failure, batch::Message, queue::Outgoing};
use packet_store::{Acceptance, Beside};
use refresh_core::{
    Instant, ReviewId,
    facts::{
        authority::{self, Disposition, StoredContext},
        event::{Event, Identity},
        fact::{Fact, Facts},
        subject::Subject,
    },
    record::review::Head,
};
use sources::ReadBody;

use crate::{Env, record::times};

/// Events of one transaction: an event and its fact each, far from its limits.
const MOST_TOGETHER: usize = 20;
/// Events of one batch that are taken together: a list of thousands is taken one by one, under the batch's deadline.
const MOST_OF_A_BATCH: usize = 100;

/// What was done for a batch so far.
#[derive(Debug, Default)]
pub(crate) struct Together {
    /// What the messages say, by message.
    readings: Mutex<BTreeMap<String, ReadBody>>,
    /// Recorded already, each once: what comes under the same identity in the same batch came again.
    recorded: Mutex<BTreeMap<Identity, Option<Depending>>>,
    asked: Mutex<Vec<Outgoing>>,
}

/// The reviews that depend on a subject, and the HEADs of those that may be over.
#[derive(Clone, Debug, Default)]
pub(crate) struct Depending {
    pub(crate) reviews: Vec<ReviewId>,
    pub(crate) heads: Vec<Head>,
}

impl Depending {
    /// A review whose HEAD cannot be read is asked like an open one: its own refresh fails, and says so.
    pub(crate) async fn of(env: &Env, reviews: Vec<ReviewId>, now: Instant) -> Result<Self, Failure> {
        let heads = env.store.heads_of_perhaps_over(&reviews, now).await.doing("reading the dependent reviews")?;
        decisions::unreadable(&heads.unreadable);
        Ok(Self { reviews, heads: heads.read })
    }
}

/// An event, and when it is handled and arrived, and from whom.
struct Arriving<'a> {
    event: &'a Event,
    now: Instant,
    arrived: Instant,
    sender: Option<&'a str>,
}

fn hold<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Together {
    /// # Errors
    ///
    /// The store's. What was written by then is found by each message for itself.
    pub(crate) async fn take(env: &Env, messages: &[Message]) -> Result<Self, Failure> {
        let together = Self::default();
        // A message that cannot be read says so when it is handled.
        let read =
            |message: &Message| Some((message.id.clone(), sources::read(&message.body, &env.policy.bindings).ok()?));
        let readings: BTreeMap<String, ReadBody> = messages.iter().filter_map(read).collect();
        let recorded = Self::record(env, messages, &readings).await?;
        *hold(&together.readings) = readings;
        *hold(&together.recorded) = recorded;
        Ok(together)
    }

    async fn record(
        env: &Env,
        messages: &[Message],
        readings: &BTreeMap<String, ReadBody>,
    ) -> Result<BTreeMap<Identity, Option<Depending>>, Failure> {
        let incoming = incoming(env, messages, readings);
        if incoming.len() < 2 {
            return Ok(BTreeMap::new());
        }
        let subjects = incoming.iter().map(|one| one.event.subject.clone()).collect();
        let mut known = env.store.facts(&subjects).await.doing("reading the facts of a batch")?;
        let mut recorded: Vec<&Arriving<'_>> = Vec::new();
        let mut alone = BTreeSet::new();
        for some in runs(&incoming) {
            let written = write(env, &some, &known, &alone).await?;
            // A later event of a subject waits for the earlier one.
            alone.extend(some.iter().map(|one| &one.event.subject));
            for (one, fact) in written {
                alone.remove(&one.event.subject);
                known.insert(fact);
                recorded.push(one);
            }
        }
        let subjects: BTreeSet<&Subject> = recorded.iter().map(|one| &one.event.subject).collect();
        let now = recorded.iter().map(|one| one.now).max().unwrap_or(Instant::from_millis(0));
        // Where they cannot be looked up now, each event looks for itself, and says why not.
        let depending = depending(env, &subjects, now).await.unwrap_or_default();
        let of = |one: &Arriving<'_>| depending.get(&one.event.subject).cloned();
        Ok(recorded.into_iter().map(|one| (one.event.identity.clone(), of(one))).collect())
    }

    /// What a message says, where it was read already.
    pub(crate) fn reading(&self, message: &str) -> Option<ReadBody> {
        hold(&self.readings).remove(message)
    }

    /// Whether the event is recorded, and become a fact, already; then who depends on it, where that is known.
    pub(crate) fn recorded(&self, event: &Event) -> Option<Option<Depending>> {
        hold(&self.recorded).remove(&event.identity)
    }

    pub(crate) fn add(&self, messages: Vec<Outgoing>) {
        hold(&self.asked).extend(messages);
    }

    /// Sends what was asked for.
    ///
    /// # Errors
    ///
    /// The queue did not take all of it.
    pub(crate) async fn ask(&self, env: &Env) -> Result<(), Failure> {
        let messages = std::mem::take(&mut *hold(&self.asked));
        env.refresh.send_all(messages).await.doing("asking for the refresh")
    }
}

/// The events that may become facts with nothing beside them: the first of each identity, in their order. An event that
/// follows a reset of its subject waits for the reset.
fn incoming<'a>(env: &Env, messages: &'a [Message], readings: &'a BTreeMap<String, ReadBody>) -> Vec<Arriving<'a>> {
    let (mut identities, mut later) = (BTreeSet::new(), BTreeSet::new());
    let mut all = Vec::new();
    for message in messages {
        let (now, arrived) = times(env, message);
        for event in readings.get(&message.id).into_iter().flat_map(|reading| &reading.events) {
            if !authority::is_plain(event) {
                later.insert(&event.subject);
            } else if identities.insert(&event.identity) && !later.contains(&event.subject) {
                all.push(Arriving { event, now, arrived, sender: message.sender.as_deref() });
            }
        }
    }
    all.truncate(MOST_OF_A_BATCH);
    all
}

/// The events by transaction. A transaction takes no item twice: first comes the first event of each subject, then the second
/// of those that have one, and so on.
fn runs<'i, 'a>(incoming: &'i [Arriving<'a>]) -> Vec<Vec<&'i Arriving<'a>>> {
    let (mut said, mut rounds) = (BTreeMap::new(), Vec::<Vec<&Arriving<'a>>>::new());
    for one in incoming {
        let nth = said.entry(&one.event.subject).or_insert(0_usize);
        if *nth == rounds.len() {
            rounds.push(Vec::new());
        }
        rounds[*nth].push(one);
        *nth += 1;
    }
    rounds.iter().flat_map(|round| round.chunks(MOST_TOGETHER)).map(<[_]>::to_vec).collect()
}

/// Those of the events that are facts now, each with its fact; none, where anything stands in the way of any of them. The
/// subjects of `alone` have an earlier event that is none yet.
async fn write<'i, 'a>(
    env: &Env,
    some: &[&'i Arriving<'a>],
    known: &Facts,
    alone: &BTreeSet<&Subject>,
) -> Result<Vec<(&'i Arriving<'a>, Fact)>, Failure> {
    let judged = some.iter().filter(|one| !alone.contains(&one.event.subject)).filter_map(|one| {
        let context = StoredContext {
            fact: known.get(&one.event.subject),
            review_issued: true,
            uid_in_use: false,
            arrived: one.arrived,
            sender: one.sender,
        };
        // What is ignored has its own record, and its own count of what was stale.
        let fact = authority::judge(one.event, &context, &env.policy.deployment, one.now).ok()?;
        Some((*one, fact))
    });
    let judged: Vec<(&Arriving<'_>, Fact)> = judged.collect();
    let acceptances: Vec<Acceptance<'_>> = judged
        .iter()
        .map(|(one, fact)| Acceptance {
            event: one.event,
            disposition: Disposition::Applied,
            fact: Some(fact),
            replaces: known.get(&one.event.subject),
            beside: Beside::default(),
            at: one.now,
        })
        .collect();
    let written =
        !acceptances.is_empty() && env.store.accept_all(&acceptances).await.doing("accepting the events of a batch")?;
    Ok(if written { judged } else { Vec::new() })
}

/// Who depends on each of these subjects. Looked up once all of their facts are written. `None` where something of it cannot
/// be read.
async fn depending<'s>(
    env: &Env,
    subjects: &BTreeSet<&'s Subject>,
    now: Instant,
) -> Option<BTreeMap<&'s Subject, Depending>> {
    let found = try_join_all(subjects.iter().map(|subject| env.store.dependents(subject))).await.ok()?;
    let mut found = found.into_iter().map(|several| several.whole().ok()).collect::<Option<Vec<_>>>()?;
    let all: BTreeSet<&ReviewId> = found.iter().flatten().collect();
    let all: Vec<ReviewId> = all.into_iter().cloned().collect();
    let heads = env.store.heads_of_perhaps_over(&all, now).await.ok()?.whole().ok()?;
    found.iter_mut().for_each(|reviews| reviews.sort());
    let heads_of = |reviews: &[ReviewId]| heads.iter().filter(|head| reviews.contains(&head.review)).cloned().collect();
    let depending = found.into_iter().map(|reviews| Depending { heads: heads_of(&reviews), reviews });
    Some(subjects.iter().copied().zip(depending).collect())
}
