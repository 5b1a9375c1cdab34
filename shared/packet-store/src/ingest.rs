//! What ingest writes: an event's record and the fact it became, in one transaction.

use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use refresh_core::{
    Instant, ReviewId, TraceId,
    base::{digest::Digest, instant::DAY},
    facts::{
        authority::Disposition,
        event::{Event, Identity},
        fact::{Fact, Revision, Stamp},
        subject::Subject,
    },
    record::review::Head,
};
use serde::{Deserialize, Serialize};

use crate::{
    Store,
    call::{Transaction, Write},
    codec, contention,
    error::StoreError,
    item::{Item, number, text},
    key::{self, Key},
    several::{KeyPart, Several},
    verdict::{ActionRole, NotWritten, judge},
};

/// How long an event's id is remembered. Queues keep a message for 14 days, and a dead letter may be sent again after
/// that. DynamoDB removes an expired item some days later; until then it still counts, which is harmless.
pub const KEPT_DAYS: i64 = 35;

/// What an event became, to be written.
#[derive(Clone, Debug)]
pub struct Acceptance<'a> {
    /// The event.
    pub event: &'a Event,
    /// What became of the event.
    pub disposition: Disposition,
    /// The fact, where the event was applied.
    pub fact: Option<&'a Fact>,
    /// The fact as it was read before the event was judged: still that one, or nothing is written.
    pub replaces: Option<Stamp>,
    /// When, by our clock.
    pub at: Instant,
}

/// What became of it. None of these is an error.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Accepted {
    /// The event is recorded, and its fact with it.
    Written,
    /// The id was recorded before. Whether it is a duplicate or a collision is in the digest.
    Known(EventRecord),
    /// Another fact of the subject was accepted meanwhile: read it and judge again.
    Superseded,
}

/// EVENT: what became of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EventRecord {
    /// What became of the event.
    #[serde(flatten)]
    pub disposition: Disposition,
    /// The digest of the event's content.
    pub digest: Digest,
    /// The event's source and id.
    #[serde(flatten)]
    pub identity: Identity,
    /// The event's CloudEvents `type`.
    pub event_type: String,
    /// The subject that the event is about.
    pub subject: Subject,
    /// The source's number for what the event says.
    pub revision: Revision,
    /// When the event was recorded.
    pub at: Instant,
    /// The one the first delivery came with, if any: every later one goes on under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceId>,
}

impl EventRecord {
    fn of(event: &Event, disposition: Disposition, at: Instant) -> Self {
        Self {
            disposition,
            digest: event.digest,
            identity: event.identity.clone(),
            event_type: event.event_type.clone(),
            subject: event.subject.clone(),
            revision: event.revision(),
            at,
            trace: event.trace,
        }
    }

    fn item(&self, key: &Key) -> Item {
        let expires = self.at.plus_millis(KEPT_DAYS * DAY).millis() / 1_000;
        codec::seal(key, self, &[("expires_at", number(expires))])
    }
}

fn fact_item(fact: &Fact) -> Item {
    let beside = [("source", text(fact.source.as_str())), ("revision", number(fact.revision))];
    codec::seal(&Key::fact(&fact.subject), fact, &beside)
}

impl Store {
    /// The newest accepted fact of a subject.
    ///
    /// # Errors
    ///
    /// The table cannot be read, or the item does not read as it was written.
    pub async fn fact(&self, subject: &Subject) -> Result<Option<Fact>, StoreError> {
        let doing = format!("reading the fact {subject:?}");
        let item = self.get(&doing, &Key::fact(subject)).await?;
        item.map(|item| codec::open(&doing, &item)).transpose()
    }

    /// What became of an event that was seen before.
    ///
    /// # Errors
    ///
    /// The table cannot be read, or the item does not read as it was written.
    pub async fn event(&self, identity: &Identity) -> Result<Option<EventRecord>, StoreError> {
        let doing = "reading an event's record";
        let item = self.get(doing, &Key::event(identity)).await?;
        item.map(|item| codec::open(doing, &item)).transpose()
    }

    /// An event and its fact together or not at all; an ignored event writes its record alone.
    ///
    /// ```text
    ///  EVENT exists            -> Known        its record decides, whatever else was read
    ///  FACT is another by now  -> Superseded   judge again
    ///  neither                 -> Written
    /// ```
    ///
    /// # Errors
    ///
    /// The table cannot be written, or what was in the way cannot be read.
    pub async fn accept(&self, acceptance: &Acceptance<'_>) -> Result<Accepted, StoreError> {
        let doing = "accepting an event";
        let key = Key::event(&acceptance.event.identity);
        let event = EventRecord::of(acceptance.event, acceptance.disposition, acceptance.at).item(&key);
        let Some(fact) = acceptance.fact else {
            let request = self
                .client
                .put_item()
                .table_name(&*self.table)
                .set_item(Some(event))
                .condition_expression("attribute_not_exists(#pk)")
                .expression_attribute_names("#pk", "pk")
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            return match self.put(doing, request).await? {
                Write::Done => Ok(Accepted::Written),
                Write::Refused(found) => self.known(doing, &acceptance.event.identity, found).await,
            };
        };
        let roles = [ActionRole::Event, ActionRole::Fact];
        for attempt in 0..contention::TRIES {
            self.pause(attempt).await;
            let actions =
                vec![self.put_once(event.clone()), self.put_fact(fact_item(fact), acceptance.replaces.as_ref())];
            let reasons = match self.transact(doing, actions).await? {
                Transaction::Done => return Ok(Accepted::Written),
                Transaction::Cancelled(reasons) => reasons,
            };
            match judge(&roles, &reasons) {
                NotWritten::Exists(_) => {
                    let found = reasons.into_iter().next().and_then(|reason| reason.item);
                    return self.known(doing, &acceptance.event.identity, found).await;
                }
                NotWritten::Superseded => return Ok(Accepted::Superseded),
                NotWritten::Poison(what) => return Err(StoreError::poison(doing, what)),
                NotWritten::Contended => {}
            }
        }
        Err(StoreError::contended(doing))
    }

    /// The record that was in the way comes with the refusal; an engine that leaves it out is asked.
    async fn known(&self, doing: &str, identity: &Identity, found: Option<Item>) -> Result<Accepted, StoreError> {
        let record = match found.filter(|item| !item.is_empty()) {
            Some(item) => Some(codec::open(doing, &item)?),
            None => self.event(identity).await?,
        };
        // Gone between refusal and reading: it expired just now. Another try writes it.
        record.map(Accepted::Known).ok_or_else(|| StoreError::contended(doing))
    }

    /// Records that an id was used again with other content, beside the event and without touching it.
    ///
    /// # Errors
    ///
    /// The table cannot be written.
    pub async fn collide(&self, event: &Event, at: Instant) -> Result<(), StoreError> {
        let disposition = Disposition::Ignored(refresh_core::facts::authority::Ignored::IdCollision);
        let key = Key::collision(&event.identity, &event.digest);
        let item = EventRecord::of(event, disposition, at).item(&key);
        let request = self
            .client
            .put_item()
            .table_name(&*self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", "pk");
        // The same collision again: recorded already.
        self.put("recording an id collision", request).await.map(drop)
    }

    /// Sets the disposition of a recorded event afterwards; safe to repeat. `false` where there is no such event.
    ///
    /// # Errors
    ///
    /// The table cannot be read or written, or the record does not read as it was written.
    pub async fn amend(&self, identity: &Identity, disposition: Disposition) -> Result<bool, StoreError> {
        let doing = "amending an event's disposition";
        let key = Key::event(identity);
        for attempt in 0..contention::TRIES {
            self.pause(attempt).await;
            let Some(item) = self.get(doing, &key).await? else { return Ok(false) };
            let mut record: EventRecord = codec::open(doing, &item)?;
            if record.disposition == disposition {
                return Ok(true);
            }
            record.disposition = disposition;
            if self.replace(doing, &item, record.item(&key)).await? {
                return Ok(true);
            }
        }
        Err(StoreError::contended(doing))
    }

    /// Puts an item in the place of one that was read, if that is still the same.
    pub(crate) async fn replace(&self, doing: &str, read: &Item, item: Item) -> Result<bool, StoreError> {
        let digest = read.get("digest").cloned().unwrap_or(AttributeValue::Null(true));
        let request = self
            .client
            .put_item()
            .table_name(&*self.table)
            .set_item(Some(item))
            .condition_expression("#digest = :digest")
            .expression_attribute_names("#digest", "digest")
            .expression_attribute_values(":digest", digest);
        Ok(matches!(self.put(doing, request).await?, Write::Done))
    }

    /// The reviews that depend on a subject. Read after its fact was written: whoever registered later reads that fact.
    /// A review whose DEPENDS is damaged stands among the unreadable: the key still names it, and a refresh too many
    /// harms nobody, so the caller asks it as well.
    ///
    /// # Errors
    ///
    /// The table cannot be read. A DEPENDS that does not read as it was written is among the unreadable.
    pub async fn dependents(&self, subject: &Subject) -> Result<Several<ReviewId>, StoreError> {
        let doing = format!("reading who depends on {subject:?}");
        let items = self.query(&doing, key::subject_partition(subject), None).await?;
        Ok(Several::of(&items, KeyPart::Sort, |item| codec::open(&doing, item)))
    }

    /// The HEADs of those reviews that have one.
    ///
    /// # Errors
    ///
    /// The table cannot be read. A HEAD that does not read as it was written is among the unreadable.
    pub async fn heads(&self, reviews: &[ReviewId]) -> Result<Several<Head>, StoreError> {
        let doing = "reading the HEADs of dependent reviews";
        let items = self.get_all(doing, reviews.iter().map(Key::head).collect()).await?;
        let mut heads: Several<Head> = Several::of(&items, KeyPart::Partition, |item| codec::open(doing, item));
        heads.read.sort_by(|a, b| a.review.cmp(&b.review));
        Ok(heads)
    }

    /// A put whose item must not exist; the one in the way comes back with the refusal.
    pub(crate) fn put_once(&self, item: Item) -> TransactWriteItem {
        let put = Put::builder()
            .table_name(&*self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", "pk")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        TransactWriteItem::builder().put(put.build().expect("item and table are set")).build()
    }

    fn put_fact(&self, item: Item, replaces: Option<&Stamp>) -> TransactWriteItem {
        let put = Put::builder().table_name(&*self.table).set_item(Some(item));
        let put = match replaces {
            None => put.condition_expression("attribute_not_exists(#pk)").expression_attribute_names("#pk", "pk"),
            Some(Stamp { source, revision }) => put
                .condition_expression("#source = :source AND #revision = :revision")
                .expression_attribute_names("#source", "source")
                .expression_attribute_names("#revision", "revision")
                .expression_attribute_values(":source", text(source.as_str()))
                .expression_attribute_values(":revision", number(revision)),
        };
        TransactWriteItem::builder().put(put.build().expect("item and table are set")).build()
    }
}
