//! What ingest writes: an event's record and the fact it became, in one transaction.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use refresh_core::{
    Instant, ReviewId, TraceId, Uid,
    base::{digest::Digest, instant::DAY},
    facts::{
        authority::{Disposition, UntakenMember},
        event::{Event, Identity, Reset, Statement},
        fact::Fact,
        revision::Revision,
        subject::Subject,
    },
};
use serde::{Deserialize, Serialize};

use crate::{
    Store,
    action::{action, if_absent, if_still},
    calendar,
    call::{Transaction, Write},
    codec::{self, SCHEMA},
    contention,
    error::StoreError,
    item::{Item, number, text},
    key::{self, Key},
    seen_index,
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
    /// What FACT is from now on, where the event changes it.
    pub fact: Option<&'a Fact>,
    /// The fact as it was read before the event was judged: still that one, or nothing is written.
    pub replaces: Option<&'a Fact>,
    /// The other items of the same transaction.
    pub beside: Beside<'a>,
    /// When, by our clock.
    pub at: Instant,
}

/// The items that are written together with an event. Most events need none.
#[derive(Clone, Debug, Default)]
pub struct Beside<'a> {
    /// The list of a person's calendars with one more, and the list as it was read.
    pub calendars: Option<(&'a Fact, Option<&'a Fact>)>,
    /// The UID of the meeting that a review is issued with, and whose it was when that was read.
    pub uid: Option<UidClaim<'a>>,
    /// Whether the subject gets nothing but stale revisions.
    pub silenced: bool,
    /// Of a repeated `review.issued`: what counts for nothing.
    pub not_taken: &'a [UntakenMember],
    /// Of an ignored event: what would have been taken in its place.
    pub expected: Option<&'a str>,
}

/// A review's claim to its meeting's UID. Of two that claim one at an instant, one finds the other's.
#[derive(Clone, Copy, Debug)]
pub struct UidClaim<'a> {
    /// The UID.
    pub uid: &'a Uid,
    /// The review that is issued.
    pub review: &'a ReviewId,
    /// Whose it was, as it was read: a review that is closed or has started by now.
    pub replaces: Option<&'a ReviewId>,
}

/// What became of it. None of these is an error.
// One event at a time is in memory.
#[expect(clippy::large_enum_variant)]
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
    /// Of an operator's reset: who, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset: Option<Reset>,
    /// Of a repeated `review.issued`: the members that count for nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_taken: Vec<UntakenMember>,
    /// Of an ignored event: what would have been taken in its place, where the reason alone does not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The one the first delivery came with, if any: every later one goes on under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceId>,
}

impl EventRecord {
    fn of(event: &Event, disposition: Disposition, beside: &Beside<'_>, at: Instant) -> Self {
        let reset = match &event.statement {
            Statement::Reset(reset) => Some(reset.clone()),
            Statement::State { .. } | Statement::Reply(_) | Statement::Resend(_) => None,
        };
        Self {
            reset,
            not_taken: beside.not_taken.to_vec(),
            expected: beside.expected.map(str::to_owned),
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
        let mut beside = vec![("expires_at", number(expires))];
        beside.extend(seen_index::indexed(key, self.at));
        codec::seal(key, self, &beside)
    }
}

fn fact_item(fact: &Fact) -> Item {
    let mut beside = vec![("source", text(fact.source.as_str())), ("revision", number(fact.revision))];
    // Where revisions alone tell facts apart, as of nearly every subject, nothing more need stand there.
    beside.extend(ordered(fact).into_iter().filter(|(_, count)| *count > 0).map(|(name, count)| (name, number(count))));
    calendar::seal(fact, &beside)
}

/// What a fact is told apart by beside source and revision.
pub(crate) const EPOCH: &str = "epoch";
const REWRITES: &str = "rewrites";

fn ordered(fact: &Fact) -> [(&'static str, u32); 2] {
    [(EPOCH, fact.order.epoch), (REWRITES, fact.order.rewrites)]
}

impl Store {
    /// The newest accepted fact of a subject.
    ///
    /// # Errors
    ///
    /// The table cannot be read, or the item does not read as it was written.
    pub async fn fact(&self, subject: &Subject) -> Result<Option<Fact>, StoreError> {
        let doing = format!("reading the fact {}", spelled(subject));
        let item = self.get(&doing, &Key::fact(subject)).await?;
        item.map(|item| calendar::open(&doing, &item)).transpose()
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
    ///  FACT is another by now, the list of calendars, or the UID's holder
    ///                          -> Superseded   judge again
    ///  neither                 -> Written
    /// ```
    ///
    /// # Errors
    ///
    /// The table cannot be written, or what was in the way cannot be read.
    pub async fn accept(&self, acceptance: &Acceptance<'_>) -> Result<Accepted, StoreError> {
        let doing = "accepting an event";
        let key = Key::event(&acceptance.event.identity);
        let Acceptance { event, disposition, beside, at, .. } = acceptance;
        let event = EventRecord::of(event, *disposition, beside, *at).item(&key);
        let mut others: Vec<TransactWriteItem> = Vec::new();
        others.extend(acceptance.fact.map(|fact| self.put_fact(fact, acceptance.replaces)));
        others.extend(beside.calendars.map(|(list, replaces)| self.put_fact(list, replaces)));
        others.extend(beside.uid.as_ref().map(|claim| self.put_uid(claim)));
        others.extend(beside.silenced.then(|| self.put_silenced(&acceptance.event.subject, *at)));
        if others.is_empty() {
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
        }
        let mut roles = vec![ActionRole::Event];
        roles.resize(1 + others.len(), ActionRole::Fact);
        for attempt in 0..contention::TRIES {
            self.pause(attempt).await;
            let actions = std::iter::once(self.put_once(event.clone())).chain(others.clone()).collect();
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

    /// An event and the fact that it becomes whatever was said before ([`refresh_core::facts::authority::judge_unread`]),
    /// without a read. `false`: the event is recorded already, or the fact before bears on it, and nothing is written.
    ///
    /// # Errors
    ///
    /// The table cannot be written.
    pub async fn accept_unread(&self, event: &Event, fact: &Fact, at: Instant) -> Result<bool, StoreError> {
        let key = Key::event(&event.identity);
        let record = EventRecord::of(event, Disposition::Applied, &Beside::default(), at).item(&key);
        let actions = vec![self.put_once(record), self.put_fact_unread(fact)];
        Ok(matches!(self.transact("accepting an event unread", actions).await?, Transaction::Done))
    }

    /// Several events, each with its fact, together or not at all: `false`, where anything stands in the way of any of
    /// them. No two of them are about one subject or have one identity, and none has anything beside it.
    ///
    /// # Errors
    ///
    /// The table cannot be written.
    pub async fn accept_all(&self, all: &[Acceptance<'_>]) -> Result<bool, StoreError> {
        let put = |one: &Acceptance<'_>| {
            let key = Key::event(&one.event.identity);
            let event = EventRecord::of(one.event, one.disposition, &one.beside, one.at).item(&key);
            let fact = one.fact.map(|fact| self.put_fact(fact, one.replaces));
            [Some(self.put_once(event)), fact].into_iter().flatten().collect::<Vec<_>>()
        };
        let written = self.transact("accepting events together", all.iter().flat_map(put).collect()).await?;
        Ok(matches!(written, Transaction::Done))
    }

    /// Keeps that a fact's source said the same once more. `false`: the fact is another by now, or somebody is at it.
    ///
    /// # Errors
    ///
    /// The table cannot be written.
    pub async fn hear_again(&self, fact: &Fact, replaces: &Fact) -> Result<bool, StoreError> {
        let put = self.put_fact(fact, Some(replaces));
        let written = self.transact("keeping that a source said the same again", vec![put]).await?;
        Ok(matches!(written, Transaction::Done))
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
        let item = EventRecord::of(event, disposition, &Beside::default(), at).item(&key);
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

    /// A put whose item must not exist; the one in the way comes back with the refusal.
    pub(crate) fn put_once(&self, item: Item) -> TransactWriteItem {
        let all_old = ReturnValuesOnConditionCheckFailure::AllOld;
        action(if_absent(self.put_of(item)).return_values_on_condition_check_failure(all_old))
    }

    /// The review that holds a meeting's UID, whatever became of that review.
    ///
    /// # Errors
    ///
    /// The table cannot be read, or the item does not read as it was written.
    pub async fn uid_holder(&self, uid: &Uid) -> Result<Option<ReviewId>, StoreError> {
        let doing = "reading whose a meeting's UID is";
        let item = self.get(doing, &Key::uid(uid)).await?;
        item.map(|item| codec::open(doing, &item)).transpose()
    }

    /// Subjects whose last events were all `stale_revision`, by their facts: a wrong revision keeps everything out that
    /// comes after.
    ///
    /// # Errors
    ///
    /// The table cannot be read, or an item does not read as it was written.
    pub async fn silenced(&self) -> Result<Vec<Fact>, StoreError> {
        let doing = "reading the subjects that are silenced";
        let items = self.query(doing, key::SILENCED.to_owned(), None).await?;
        let subjects = items.iter().map(|item| codec::open(doing, item)).collect::<Result<_, _>>()?;
        // The mark only says where to look: what counts is the fact of now.
        let facts = self.facts(&subjects).await?;
        Ok(facts.iter().filter(|fact| fact.order.is_silenced()).cloned().collect())
    }

    fn put_fact(&self, fact: &Fact, replaces: Option<&Fact>) -> TransactWriteItem {
        let put = self.put_of(fact_item(fact));
        let Some(known) = replaces else { return action(if_absent(put)) };
        let mut condition = "#source = :source AND #revision = :revision".to_owned();
        let mut put = put
            .expression_attribute_names("#source", "source")
            .expression_attribute_names("#revision", "revision")
            .expression_attribute_values(":source", text(known.source.as_str()))
            .expression_attribute_values(":revision", number(known.revision));
        for (name, count) in ordered(known) {
            condition += &counted(name, count);
            put = put.expression_attribute_names(format!("#{name}"), name);
            if count > 0 {
                put = put.expression_attribute_values(format!(":{name}"), number(count));
            }
        }
        action(put.condition_expression(condition))
    }

    /// In the place of no fact, or of one of the same source with a lower revision, the order of whose revisions is plain. A
    /// fact of a newer schema stays: only who reads that schema knows what bears on the next fact.
    fn put_fact_unread(&self, fact: &Fact) -> TransactWriteItem {
        const CONDITION: &str = "attribute_not_exists(#pk) OR (#source = :source AND #revision < :revision \
                                 AND #schema <= :schema \
                                 AND attribute_not_exists(#epoch) AND attribute_not_exists(#rewrites))";
        let put = ["pk", "source", "revision", "schema", EPOCH, REWRITES]
            .into_iter()
            .fold(self.put_of(fact_item(fact)).condition_expression(CONDITION), |put, name| {
                put.expression_attribute_names(format!("#{name}"), name)
            });
        action(
            put.expression_attribute_values(":source", text(fact.source.as_str()))
                .expression_attribute_values(":revision", number(fact.revision))
                .expression_attribute_values(":schema", number(SCHEMA)),
        )
    }

    fn put_uid(&self, claim: &UidClaim<'_>) -> TransactWriteItem {
        let item = codec::seal(&Key::uid(claim.uid), claim.review, &[("review", text(claim.review.as_str()))]);
        let put = self.put_of(item);
        action(match claim.replaces {
            None => if_absent(put),
            Some(holder) => if_still(put, "review", text(holder.as_str())),
        })
    }

    /// Written again with each stale event, so that the mark stays while they come.
    fn put_silenced(&self, subject: &Subject, at: Instant) -> TransactWriteItem {
        let expires = at.plus_millis(KEPT_DAYS * DAY).millis() / 1_000;
        let item = codec::seal(&Key::silenced(subject), subject, &[("expires_at", number(expires))]);
        action(self.put_of(item))
    }
}

/// The part of a condition that a count is still as it was; at zero the attribute is not there.
pub(crate) fn counted(name: &str, count: u32) -> String {
    if count == 0 { format!(" AND attribute_not_exists(#{name})") } else { format!(" AND #{name} = :{name}") }
}

/// A subject as an operator names it: its kind, and its parts joined by `/`.
pub(crate) fn spelled(subject: &Subject) -> String {
    format!("{} {}", subject.word(), subject.names().join("/"))
}
