//! Reviews as they are: what is open in each, one whole, and whether their lineages verify.

use std::collections::BTreeSet;

use packet_store::Store;
use refresh_core::{
    Instant, ReviewId,
    audience::open::Open,
    facts::fact::Fact,
    record::{
        answer::Answer,
        lineage::Entry,
        poll::PollRecord,
        review::{Head, Review},
    },
};
use serde_json::{Value, json};

use super::{
    lines::{judged, undeliverable, unreadable, with_causes},
    names,
};
use crate::{headless::Lost, replay, roster::RosterPage};

/// What is open in each review of a page, as the core says it: pending adoption, exceptions, broken rules, conflicts,
/// outstanding answers, people whose mail does not arrive. Read is what the page shows, and no lineage.
pub(super) async fn reviews(store: &Store, now: Instant, page: RosterPage) -> Result<Value, String> {
    let RosterPage { reviews, next, counts, nameless } = page;
    let heads = store.heads(&reviews).await.map_err(with_causes)?;
    let unfolded = store.unfold_all(heads.read).await.map_err(with_causes)?;
    let named = heads.unreadable.iter().chain(&unfolded.unreadable);
    let broken: Vec<Value> = nameless
        .iter()
        .map(|why| unreadable(None, why))
        .chain(named.map(|one| unreadable(one.review.as_ref(), &one.error)))
        .collect();
    let list: Vec<Value> = unfolded.read.iter().map(|review| listed(review, now)).collect();
    let (silenced, polls) = (silenced(store).await?, failing_polls(store).await?);
    Ok(json!({
        "now": now, "reviews": list, "unreadable": broken, "in_all": counts.reviews, "open": counts.anything,
        "next": next, "silenced": silenced, "polls": polls,
    }))
}

fn listed(review: &Review, now: Instant) -> Value {
    let (head, open) = (&review.head, Open::of(&review.head, now));
    let (authoritative, pending) = replay::listed(review);
    json!({
        "review_id": head.review,
        "standing": head.standing,
        "authoritative": authoritative,
        "pending": open.proposal.and(pending),
        "exceptions": replay::open(&head.exceptions),
        "violated": open.violated,
        "silent": open.silent.iter().filter_map(|silent| silent.source).collect::<BTreeSet<_>>(),
        "conflicts": open.conflicts.iter().map(|answer| conflict(answer)).collect::<Vec<_>>(),
        "outstanding": outstanding(&open),
        "undeliverable": open.undeliverable.iter().map(|known| undeliverable(known)).collect::<Vec<_>>(),
        "nothing_open": open.is_nothing(),
    })
}

/// Systems that are polled and do not answer: what they said before is what is known, until it is too old.
pub(super) async fn failing_polls(store: &Store) -> Result<Vec<Value>, String> {
    let polls = store.polls().await.map_err(with_causes)?;
    let line = |(binding, record): (String, PollRecord)| {
        let failing = record.failing?;
        Some(json!({
            "binding": binding, "reason": failing.why, "failures": failing.times, "since": failing.since,
            "answered_at": record.answered_at, "due_at": record.due_at, "not_before": record.not_before,
        }))
    };
    Ok(polls.records.into_iter().filter_map(line).collect())
}

/// Subjects that get nothing but stale revisions: a wrong one keeps out what is true by now, until an operator resets the
/// subject.
pub(super) async fn silenced(store: &Store) -> Result<Vec<Value>, String> {
    let facts = store.silenced().await.map_err(with_causes)?;
    let line = |fact: Fact| {
        json!({
            "kind": fact.subject.kind(), "subject": fact.subject.names().join("/"), "source": fact.source,
            "revision": fact.revision, "accepted_at": fact.accepted_at, "reset": fact.order.reset,
        })
    };
    Ok(facts.into_iter().map(line).collect())
}

/// One review: packet, versions, answers, lineage.
pub(crate) async fn show(store: &Store, now: Instant, review: &ReviewId) -> Result<Value, String> {
    let head = names::head(store, review).await?;
    let state = replay::state_of(store, &head).await?;
    let record = store.record(&head).await.map_err(with_causes)?;
    let versions: Vec<Value> = record
        .versions
        .iter()
        .map(|version| {
            json!({
                "version": version.number, "made_at": version.made_at, "parent": version.parent,
                "digest": version.packet.digest(), "packet": version.packet, "violated": version.violated,
                "stands_on": version.stands_on,
                "report": version.report.spelled(),
            })
        })
        .collect();
    Ok(json!({
        "now": now,
        "review_id": review,
        "standing": head.standing,
        "state": state,
        "answers": head.answers,
        "deliveries": deliveries(store, &head).await?,
        "outstanding": outstanding(&Open::of(&head, now)),
        "versions": versions,
        "lineage": record.entries.iter().map(with_hash).collect::<Vec<_>>(),
        "verified": judged(&record, &head),
    }))
}

/// What became of each person's newest mail, and who is mailed nothing.
async fn deliveries(store: &Store, head: &Head) -> Result<Vec<Value>, String> {
    let records = store.told(&head.review).await.map_err(with_causes)?;
    let known = records.into_iter().map(|(person, record)| {
        let mut line = json!({ "person": person, "withheld": head.withholds(&person) });
        let newest = record.told.and_then(|told| told.message_id);
        line["newest_message_id"] = json!(newest);
        line["last"] = json!(record.delivery);
        line
    });
    Ok(known.filter(|line| !line["newest_message_id"].is_null() || !line["last"].is_null()).collect())
}

fn with_hash(entry: &Entry) -> Value {
    let mut value = json!(entry);
    value["hash"] = json!(entry.hash());
    value
}

fn outstanding(open: &Open<'_>) -> Vec<Value> {
    open.outstanding.iter().map(|duty| json!({ "person": duty.person, "due_at": duty.due_at })).collect()
}

fn conflict(answer: &Answer) -> Value {
    json!({ "person": answer.person, "at": answer.at, "note": answer.note })
}

/// What cannot be read is not verified.
fn not_verified(review: Option<&ReviewId>, because: impl ToString) -> Value {
    json!({ "review_id": review, "verified": false, "misfit": { "because": because.to_string() } })
}

/// `lost`: the reviews without HEAD, of which nothing can be verified.
pub(super) async fn verified(store: &Store, only: Option<&ReviewId>, lost: &[Lost]) -> Result<Value, String> {
    let mut lines = Vec::new();
    let lost = lost.iter().filter(|lost| only.is_none() || lost.review() == only);
    lines.extend(lost.map(|lost| not_verified(lost.review(), lost.because())));
    let heads = match only {
        Some(review) => match store.head(review).await {
            Ok(Some(head)) => vec![head],
            Ok(None) if !lines.is_empty() => Vec::new(),
            Ok(None) => return Err(names::no_review(store, review).await),
            Err(error) => {
                lines.push(not_verified(Some(review), error));
                Vec::new()
            }
        },
        None => {
            let heads = store.reviews().await.map_err(with_causes)?;
            lines.extend(heads.unreadable.iter().map(|one| not_verified(one.review.as_ref(), &one.error)));
            heads.read
        }
    };
    for head in heads {
        lines.push(match store.record(&head).await {
            Ok(record) => judged(&record, &head),
            Err(error) => not_verified(Some(&head.review), error),
        });
    }
    Ok(json!({ "reviews": lines }))
}
