//! Events put on the queue, and what became of each: its disposition, and which reviews were refreshed for it.

use std::collections::BTreeMap;

use ingest::Piece;
use packet_store::{Door, EventRecord, Receipt, Store, Unheard};
use refresh_core::{
    Instant, ReviewId,
    base::digest::Digest,
    facts::{
        authority::{Disposition, Ignored},
        event::{Event, Identity},
        subject::Subject,
    },
    record::{commit::Cause, decision::Outcome, lineage::Happening, review},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::lines::with_causes;
use crate::{
    engine::Engine,
    not_done::NotDone,
    queues::{Attribute, Outgoing},
};

/// Why no event of a request was taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotTaken {
    /// An event, by its place from 0, is more than a message may be.
    TooLarge { event: usize, why: String },
    /// As many events wait as may; the same request may be taken later.
    Full(String),
    /// The queue could not be written, or the store is damaged; the same request may be taken later.
    Unavailable(String),
}

impl std::fmt::Display for NotTaken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLarge { event, why } => write!(f, "event {}: {why}", event + 1),
            Self::Full(why) | Self::Unavailable(why) => f.write_str(why),
        }
    }
}

/// All become durable together before this answers, or none does. Answers how many. `door`: where they came in.
///
/// # Errors
/// [`NotTaken`]: not one of them is on the queue.
pub async fn enqueue(engine: &Engine, events: Vec<String>, door: Door) -> Result<usize, NotTaken> {
    if let Some(why) = engine.full() {
        return Err(NotTaken::Full(why));
    }
    let guard = engine.embedded().guard();
    // A backup that is restored then would lose the events that were taken after it.
    if let Some(why) = guard.trouble().filter(|_| guard.is_damaged()) {
        return Err(NotTaken::Unavailable(why));
    }
    let attributes = BTreeMap::from([("door".to_owned(), Attribute::text(door.word()))]);
    let outgoing =
        events.into_iter().map(|body| Outgoing { body, attributes: attributes.clone(), ..Outgoing::default() });
    let outgoing = outgoing.collect();
    let queue = engine.source_queue().map_err(NotTaken::Unavailable)?;
    engine.queues().send_together(&queue, outgoing).await.map_err(|(event, refusal)| match event {
        Some(event) => NotTaken::TooLarge { event, why: refusal.to_string() },
        None => NotTaken::Unavailable(refusal.to_string()),
    })
}

/// What is sent, judged before it is: a sender that sends nonsense is told at once, and nothing is sent.
///
/// # Errors
/// Every fault, by event; each refused event has its receipt. Or the queue took none.
pub async fn send(engine: &Engine, events: Vec<String>) -> Result<Value, NotDone> {
    let (mut faults, mut lines, mut apart) = (Vec::new(), Vec::new(), Vec::new());
    for (index, event) in events.iter().enumerate() {
        let policy = &engine.functions().ingest.policy;
        let read = sources::read(event, &policy.bindings);
        match read.and_then(|reading| policy.check(&reading).map(|()| reading)) {
            Ok(reading) => {
                for part in reading.skipped {
                    let became = if part.unbound { Unheard::Unbound } else { Unheard::Skipped };
                    apart.push(json!({ "disposition": became, "why": part.why }));
                }
                let records = reading.refused.iter().flat_map(|record| &record.refused.faults);
                apart.extend(records.map(|fault| json!({ "disposition": Unheard::Refused, "why": fault.to_string() })));
                for judged in reading.events {
                    lines.push(line(engine.store(), &judged, event).await?);
                }
            }
            Err(refused) => {
                let piece = Piece { body: event, door: Door::Send, at: engine.now() };
                piece.keep_refused(engine.store(), std::iter::once(&refused)).await.map_err(with_causes)?;
                faults.extend(refused.faults.iter().map(|fault| format!("event {}: {fault}", index + 1)));
            }
        }
    }
    if !faults.is_empty() {
        return Err(NotDone::Malformed(format!("nothing was sent:\n{}", faults.join("\n"))));
    }
    let sent_at = engine.now();
    let sent = enqueue(engine, events, Door::Send).await.map_err(|why| {
        let told = format!("nothing was sent: {why}");
        match why {
            NotTaken::TooLarge { .. } => NotDone::Malformed(told),
            NotTaken::Full(_) | NotTaken::Unavailable(_) => NotDone::Failed(told),
        }
    })?;
    Ok(json!({ "sent": sent, "sent_at": sent_at, "events": lines, "apart": apart }))
}

/// Of one event, what is known before it is sent: what is recorded by now is of an earlier delivery.
///
/// # Errors
/// Those of the store.
pub async fn line(store: &Store, event: &Event, body: &str) -> Result<Value, String> {
    let known = store.event(&event.identity).await.map_err(with_causes)?;
    let repeated = known.is_some_and(|record| record.digest == event.digest);
    Ok(json!({
        "source": event.identity.source, "id": event.identity.id, "repeated": repeated, "disposition": null,
        "digest": event.digest, "received": Receipt::digest_of(body.as_bytes()),
    }))
}

/// An event that was sent, as [`line`] wrote it.
#[derive(Deserialize)]
struct SentEvent {
    #[serde(flatten)]
    identity: Identity,
    digest: Digest,
    received: Digest,
    repeated: bool,
}

/// Adds what became of each event, as far as that is known by now: `disposition`, `reason`, and of an applied one the
/// `reviews` that it touches, each with `refreshed`. `open` counts the events of which something is not known yet.
///
/// # Errors
/// A list that is none of ours, or the store.
pub async fn became(store: &Store, now: Instant, mut sent: Value) -> Result<Value, String> {
    let sent_at: Instant =
        serde_json::from_value(sent["sent_at"].clone()).map_err(|error| format!("became: {error}"))?;
    let mut open = 0;
    for event in sent["events"].as_array_mut().into_iter().flatten() {
        if event["known"] == true {
            continue;
        }
        let known: SentEvent = serde_json::from_value(event.clone()).map_err(|error| format!("became: {error}"))?;
        let record = store.event(&known.identity).await.map_err(with_causes)?;
        let all = match record {
            None => refused(store, &known, sent_at, event).await?,
            Some(record) if record.digest != known.digest => {
                judged(event, Disposition::Ignored(Ignored::IdCollision));
                true
            }
            Some(record) => {
                judged(event, record.disposition);
                if let Some(expected) = record.expected.as_ref().filter(|_| !known.repeated) {
                    event["expected"] = json!(expected);
                }
                if !record.not_taken.is_empty() {
                    event["not_taken"] = json!(record.not_taken);
                }
                if record.disposition.is_applied() && !known.repeated {
                    let (reviews, ended) = refreshed(store, &record, now).await?;
                    // Ingest records that a moment after it recorded the event as applied.
                    if let Some(ended) = ended.filter(|_| reviews.is_empty()) {
                        judged(event, Disposition::Ignored(ended));
                    }
                    let all = reviews.iter().all(|review| review["refreshed"] == true);
                    event["reviews"] = reviews.into();
                    all
                } else {
                    true
                }
            }
        };
        event["known"] = all.into();
        open += usize::from(!all);
    }
    sent["open"] = open.into();
    Ok(sent)
}

fn judged(event: &mut Value, disposition: Disposition) {
    let judged = json!(disposition);
    event["disposition"] = judged["disposition"].clone();
    event["reason"] = judged["reason"].clone();
}

/// An event that ingest itself refuses has no record; its piece has a receipt, which is written after all other events of
/// the piece.
async fn refused(store: &Store, event: &SentEvent, sent_at: Instant, line: &mut Value) -> Result<bool, String> {
    let receipts = store.receipts(&event.received).await.map_err(with_causes)?;
    let of = receipts.into_iter().find(|receipt| receipt.became == Unheard::Refused && receipt.at >= sent_at);
    let Some(receipt) = of else { return barred(store, event, sent_at, line).await };
    line["disposition"] = json!(receipt.became);
    line["reason"] = receipt.reasons.join("; ").into();
    Ok(true)
}

/// Nor has an event whose sender may not speak for its source; its receipt is under its own digest.
async fn barred(store: &Store, event: &SentEvent, sent_at: Instant, line: &mut Value) -> Result<bool, String> {
    let receipts = store.receipts(&event.digest).await.map_err(with_causes)?;
    let barred = receipts.iter().any(|receipt| receipt.became == Unheard::Barred && receipt.at >= sent_at);
    if barred {
        judged(line, Disposition::Ignored(Ignored::NonAuthoritativeSource));
    }
    Ok(barred)
}

/// The reviews that an applied event touches. One that was issued after the event was recorded has read it already, and
/// one that is over reads nothing any more: beside them stands why, where all of them are.
async fn refreshed(store: &Store, record: &EventRecord, now: Instant) -> Result<(Vec<Value>, Option<Ignored>), String> {
    if record.reset.is_some() {
        // A reset changes no state, so nobody is asked.
        return Ok((Vec::new(), None));
    }
    let found = store.dependents(&record.subject).await.map_err(with_causes)?;
    let mut reviews: Vec<ReviewId> = found.read;
    reviews.extend(found.unreadable.into_iter().filter_map(|unreadable| unreadable.review));
    let own = match &record.subject {
        Subject::Review(review) | Subject::Resend(review, _) => Some(review),
        _ => None,
    };
    reviews.extend(own.cloned());
    reviews.sort();
    reviews.dedup();
    let heads = store.heads(&reviews).await.map_err(with_causes)?;
    let cause = Cause { identity: record.identity.clone(), collision: None };
    let mut lines = Vec::new();
    for review in reviews {
        if let Some(entry) = store.decided(&review, &cause).await.map_err(with_causes)? {
            let outcome = outcome(store, &review, entry).await?;
            let mut line = json!({ "review_id": review, "refreshed": true, "outcome": outcome });
            let ended = review::over(heads.read.iter().filter(|head| head.review == review), now);
            // A review that is issued with a slot of the past is history: its id is used, and nobody is ever told anything.
            if let Some(ended) = ended.filter(|_| own == Some(&review)) {
                line["ended"] = json!(ended);
            }
            lines.push(line);
            continue;
        }
        if closes(&record.subject, &review) && closed_since(store, &review, record.at).await? {
            lines.push(json!({ "review_id": review, "refreshed": true, "outcome": Outcome::Closed }));
            continue;
        }
        let expected = match heads.read.iter().find(|head| head.review == review) {
            None => own == Some(&review),
            Some(head) if head.is_over(now) => false,
            Some(head) => {
                let issued = store.version(&review, head.issued).await.map_err(with_causes)?;
                issued.is_none_or(|issued| issued.made_at < record.at)
            }
        };
        if expected {
            lines.push(json!({ "review_id": review, "refreshed": false, "outcome": null }));
        }
    }
    // What cannot be read may be open.
    let ended = if heads.unreadable.is_empty() { review::over(&heads.read, now) } else { None };
    Ok((lines, ended))
}

fn closes(subject: &Subject, review: &ReviewId) -> bool {
    matches!(subject, Subject::Closure(closed) if closed == review)
}

/// Whether the review was closed at `at` or later. A decision that another event asked for reads a closure and carries it out as
/// well; the closure's own message then finds nothing to do.
async fn closed_since(store: &Store, review: &ReviewId, at: Instant) -> Result<bool, String> {
    let closes = |happening: &Happening| matches!(happening, Happening::Decision(decision) if decision.outcome == Outcome::Closed);
    let entries = store.lineage(review, 1).await.map_err(with_causes)?;
    Ok(entries.iter().any(|entry| entry.at >= at && entry.happenings.iter().any(closes)))
}

async fn outcome(store: &Store, review: &ReviewId, entry: u64) -> Result<Value, String> {
    let entries = store.lineage(review, entry).await.map_err(with_causes)?;
    let of = |happening: &Happening| match happening {
        Happening::Decision(decision) => Some(json!(decision)["outcome"].clone()),
        _ => None,
    };
    Ok(entries.first().and_then(|entry| entry.happenings.iter().find_map(of)).unwrap_or_default())
}
