//! What does not go on: what failed, is dead or about to be, is silent or overdue.

use std::collections::{BTreeMap, BTreeSet};

use packet_store::Store;
use refresh_core::{
    Instant, ReviewId,
    audience::open::{Open, SilentSource},
    base::instant::MINUTE,
    facts::fact::Fact,
    record::{poll::PollRecord, review::Head},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sources::policy::PolicyFile;

use super::{
    letters::{dead_letters, letter},
    lines::{Heads, undeliverable, unreadable, with_causes},
    review::{failing_polls, silenced},
};
use crate::engine::Engine;

/// What is due is worked off within a minute or two. Later than that, whoever should do so does not.
const LATE: i64 = 5 * MINUTE;
/// A delivery more than the first is one that failed.
const FAILED_ONCE: u32 = 2;

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StuckAsked {
    /// The policy by whose promises sources count as silent. `None`: the engine's own; a deployment's is not asked.
    pub policy: Option<String>,
}

impl StuckAsked {
    /// The policy that was given, read.
    ///
    /// # Errors
    /// Every fault of the policy.
    pub fn policy(&self) -> Result<Option<PolicyFile>, String> {
        let read = self.policy.as_deref().map(sources::policy::read_file).transpose();
        read.map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }
}

/// Of the engine in this process: its queues say how often a message was tried, and its policy who promised what.
///
/// # Errors
/// Those of the store, and of a policy with faults.
pub async fn here(engine: &Engine, asked: &StuckAsked) -> Result<Value, String> {
    let functions = engine.functions();
    let given = asked.policy()?;
    let policy = given.as_ref().unwrap_or(&functions.ingest.policy);
    let heads = Heads::of_engine(engine).await?;
    let mut answer = gathered(engine.store(), heads, engine.now(), dead_letters(engine), Some(policy)).await?;
    answer["engine"] = json!(engine.halts());
    answer["failed"] = json!(failed(engine)?);
    answer["mail"] = json!(engine.relay().and_then(|relay| relay.wrong(engine.clock().now_millis())));
    Ok(answer)
}

/// Of a deployment. SQS shows no message without counting that as a delivery, so nothing is said of those that failed and
/// are not dead; reviews that wait for them are overdue. `dead`: the dead letters, as they are listed.
///
/// # Errors
/// Those of the store, and of a policy with faults.
pub async fn of(store: &Store, now: Instant, dead: Result<Value, String>, asked: &StuckAsked) -> Result<Value, String> {
    let policy = asked.policy()?;
    gathered(store, Heads::of_table(store).await?, now, dead, policy.as_ref()).await
}

async fn gathered(
    store: &Store,
    heads: Heads,
    now: Instant,
    dead: Result<Value, String>,
    policy: Option<&PolicyFile>,
) -> Result<Value, String> {
    let mut broken = heads.unreadable;
    let mut silent = Silent::default();
    let (mut overdue_lines, mut unreached) = (Vec::new(), Vec::new());
    for head in &heads.read {
        let open = Open::of(head, now);
        overdue_lines.extend(overdue(head, &open, now));
        silent.of_head(&head.review, &open);
        unreached.extend(open.undeliverable.iter().map(|known| {
            let mut line = undeliverable(known);
            line["review_id"] = json!(head.review);
            line
        }));
        if let Some(policy) = policy.filter(|_| !head.is_over(now))
            && let Err(why) = silent.of_facts(store, head, policy, now).await
        {
            broken.push(unreadable(Some(&head.review), why));
        }
    }
    let dead = dead.unwrap_or_else(|why| {
        broken.push(unreadable(None, format!("the dead-letter queues: {why}")));
        Value::Null
    });
    overdue_lines.sort_by(|a, b| a["due_at"].as_str().cmp(&b["due_at"].as_str()));
    Ok(json!({
        "now": now, "dead": dead["queues"], "dead_not_shown": dead["not_shown"], "engine": [], "failed": null, "silenced": silenced(store).await?,
        "polls": failing_polls(store).await?, "stale_polls": stale_polls(store, policy, now).await?,
        "silent": silent.lines(), "overdue": overdue_lines, "undeliverable": unreached, "mail": null,
        "unreadable": broken,
    }))
}

/// Messages that were tried before and not done: of each how often, and after how many times it is dead.
fn failed(engine: &Engine) -> Result<Vec<Value>, String> {
    let mut all = Vec::new();
    for (_, source) in engine.topology().dead_letter_queues() {
        let most = source.redrive.as_ref().map(|redrive| redrive.after_receives);
        for stored in engine.queues().look(&source.name).map_err(with_causes)? {
            if stored.receives < FAILED_ONCE && stored.failure.is_none() {
                continue;
            }
            let mut line = letter(&stored);
            line["queue"] = json!(source.name);
            line["dead_after"] = json!(most);
            all.push(line);
        }
    }
    Ok(all)
}

/// What a review should have done, asked or told by now.
fn overdue(head: &Head, open: &Open<'_>, now: Instant) -> Vec<Value> {
    let line = |what: &str, person: Option<&refresh_core::Person>, due_at: Instant| json!({ "review_id": head.review, "what": what, "person": person, "due_at": due_at });
    let late = |at: &Instant| at.plus_millis(LATE) <= now;
    let mut all = Vec::new();
    if let Some(pending) = open.proposal.filter(|pending| pending.expires_at <= now) {
        all.push(line("decision", pending.adopter.as_ref(), pending.expires_at));
    }
    let answers = open.outstanding.iter().filter(|duty| duty.due_at <= now);
    all.extend(answers.map(|duty| line("answer", Some(&duty.person), duty.due_at)));
    all.extend(head.check_at.filter(late).map(|at| line("refresh", None, at)));
    all.extend(head.notices_at.filter(late).map(|at| line("mail", None, at)));
    all
}

/// Polls that nobody asks any more. With a policy, of its bindings alone: a binding that is gone is asked by nobody.
async fn stale_polls(store: &Store, policy: Option<&PolicyFile>, now: Instant) -> Result<Vec<Value>, String> {
    let polls = store.polls().await.map_err(with_causes)?;
    let bound: Option<BTreeSet<&str>> =
        policy.map(|policy| policy.bindings.polled().filter_map(|bound| bound.name.as_deref()).collect());
    let stale = |(binding, record): &(String, PollRecord)| {
        let due = record.not_before.map_or(record.due_at, |not_before| not_before.max(record.due_at));
        bound.as_ref().is_none_or(|bound| bound.contains(binding.as_str())) && due.plus_millis(LATE) <= now
    };
    let line = |(binding, record): (String, PollRecord)| json!({ "binding": binding, "due_at": record.due_at, "asked_at": record.asked_at, "answered_at": record.answered_at });
    let mut lines: Vec<Value> = polls.records.into_iter().filter(stale).map(line).collect();
    let unreadable = polls.unreadable.iter().map(|one| json!({ "binding": null, "why": one.error.to_string() }));
    lines.extend(unreadable);
    Ok(lines)
}

/// Who promised to speak again and did not: by source, with what is missing and which reviews miss it.
#[derive(Default)]
struct Silent {
    by_subject: BTreeMap<(String, String, String), Unheard>,
}

#[derive(Default)]
struct Unheard {
    heard_at: Option<Instant>,
    promised_minutes: Option<i64>,
    reviews: BTreeSet<ReviewId>,
}

impl Silent {
    /// What the review itself knows.
    fn of_head(&mut self, review: &ReviewId, open: &Open<'_>) {
        for SilentSource { source, calendar } in &open.silent {
            let kind = calendar.map_or("", |_| "freeze");
            let key = (
                source.map_or(String::new(), ToString::to_string),
                kind.to_owned(),
                calendar.unwrap_or_default().to_owned(),
            );
            self.by_subject.entry(key).or_default().reviews.insert(review.clone());
        }
    }

    /// What the policy's promises say of each fact that the review depends on.
    async fn of_facts(&mut self, store: &Store, head: &Head, policy: &PolicyFile, now: Instant) -> Result<(), String> {
        let deployment = &policy.deployment;
        if deployment.sources.iter().all(|registration| registration.max_age_minutes.is_none()) {
            return Ok(());
        }
        let review = store.review(&head.review).await.map_err(with_causes)?;
        let facts = store.facts_but_seats(&head.review, review.as_ref(), deployment).await.map_err(with_causes)?;
        let promised = |fact: &Fact| deployment.promise(fact.subject.kind(), &fact.source);
        for fact in facts.iter() {
            let Some(minutes) = promised(fact).filter(|minutes| fact.heard_at().plus_minutes(*minutes) <= now) else {
                continue;
            };
            let kind = fact.subject.kind().word().to_owned();
            let key = (fact.source.to_string(), kind, fact.subject.names().join("/"));
            let unheard = self.by_subject.entry(key).or_default();
            unheard.heard_at = Some(fact.heard_at());
            unheard.promised_minutes = Some(minutes);
            unheard.reviews.insert(head.review.clone());
        }
        Ok(())
    }

    /// A source that is named by its subjects is not named once more by the exception alone.
    fn lines(&self) -> Vec<Value> {
        let named: BTreeSet<&str> = self
            .by_subject
            .keys()
            .filter(|(_, kind, _)| !kind.is_empty())
            .map(|(source, ..)| source.as_str())
            .collect();
        let lines = self
            .by_subject
            .iter()
            .filter(|((source, kind, _), _)| !kind.is_empty() || !named.contains(source.as_str()));
        let text = |part: &String| (!part.is_empty()).then(|| part.clone());
        lines
            .map(|((source, kind, subject), unheard)| {
                json!({
                    "source": text(source), "kind": text(kind), "subject": text(subject), "heard_at": unheard.heard_at,
                    "promised_minutes": unheard.promised_minutes, "reviews": unheard.reviews,
                })
            })
            .collect()
    }
}
