//! What came in, newest first: EVENT, COLLISION and RECEIPT by the sparse index `seen`, a day and a shard a partition.
//!
//! A receipt is what remains of a payload, or of a part of one, that became no event: what became of it and why, never what
//! stood in it.

use std::collections::{HashMap, VecDeque};

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::try_join_all;
use refresh_core::{
    Instant,
    base::{digest::Digest, instant::DAY},
};
use serde::{Deserialize, Serialize};

use crate::{
    EventRecord, KEPT_DAYS, Store, codec,
    error::StoreError,
    item::{Item, number, text},
    key::Key,
    seen_index::{INDEX, SEEN_AT, SEEN_SHARD, SHARDS, SeenMark, indexed, instant, mark_of, partition},
};

/// Items of one call of one partition.
const AT_ONCE: i32 = 100;
/// Items that one page looks at, at most: whoever filters for what is rare asks again from where the page ended.
pub const MOST_LOOKED_AT: usize = 20_000;
/// Reasons that a receipt keeps of a payload with more, and how long each may be.
pub const MOST_REASONS: usize = 10;
const LONGEST_REASON: usize = 300;

/// What became of a payload, or of a part of one, that became no event.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unheard {
    /// The payload says nothing that is a fact.
    Skipped,
    /// The policy binds nothing to the payload.
    Unbound,
    /// The payload is malformed, breaks the contract, or nobody proved who sent it.
    Refused,
    /// The event came before.
    Duplicate,
    /// The policy binds the event's source to another sender. Nothing of the event is recorded: who may not speak for a source
    /// uses up none of its ids.
    Barred,
    /// An operator took it out of the dead letters.
    Discarded,
    /// An operator sent it again out of the dead letters; what became of it then is a line of its own.
    Redriven,
}

impl Unheard {
    /// The word of the contract.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Unbound => "unbound",
            Self::Refused => "refused",
            Self::Duplicate => "duplicate",
            Self::Barred => "barred",
            Self::Discarded => "discarded",
            Self::Redriven => "redriven",
        }
    }
}

/// Where something came in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// The queue of source events.
    Queue,
    /// `POST /events`.
    Events,
    /// `POST /hooks/<binding>`.
    Hook,
    /// The operator's command `send`.
    Send,
}

impl Door {
    /// Every door, once.
    pub const ALL: [Self; 4] = [Self::Queue, Self::Events, Self::Hook, Self::Send];

    /// The word of the contract.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Events => "events",
            Self::Hook => "hook",
            Self::Send => "send",
        }
    }

    /// The door that a message names as its own; what names none came by the queue itself.
    pub fn named(word: Option<&String>) -> Self {
        Self::ALL.into_iter().find(|door| word.is_some_and(|word| word == door.word())).unwrap_or(Self::Queue)
    }
}

/// What remains of something that became no event.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Receipt {
    /// What became of it.
    pub became: Unheard,
    /// Where it came in.
    pub door: Door,
    /// The format of a native payload, or the `type` of an event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// The name of the binding that it was for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding: Option<String>,
    /// The CloudEvents `source`, where it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The CloudEvents `id`, where it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The first reasons, one line each: paths and expectations, never what was found.
    pub reasons: Vec<String>,
    /// How many reasons there were.
    pub count: usize,
    /// Of all that was received in one piece.
    pub digest: Digest,
    /// When it came in.
    pub at: Instant,
}

impl Receipt {
    /// The same receipt with these reasons, shortened and bounded.
    pub fn because(mut self, reasons: impl IntoIterator<Item = String>) -> Self {
        for reason in reasons {
            self.count += 1;
            if self.reasons.len() < MOST_REASONS {
                self.reasons.push(reason.chars().filter(|c| !c.is_control()).take(LONGEST_REASON).collect());
            }
        }
        self
    }

    /// The digest of a body, as receipts hold it.
    pub fn digest_of(body: &[u8]) -> Digest {
        Digest::of_bytes("received", body)
    }

    fn item(&self) -> Item {
        let key = Key::receipt(&self.digest, self.became.word(), self.at);
        let expires = self.at.plus_millis(KEPT_DAYS * DAY).millis() / 1_000;
        let mut beside = vec![("expires_at", number(expires))];
        beside.extend(indexed(&key, self.at));
        codec::seal(&key, self, &beside)
    }
}

/// One line of what came in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SeenEntry {
    /// An event that was judged.
    Event(EventRecord),
    /// What became no event.
    Receipt(Receipt),
}

impl SeenEntry {
    /// When it came in, or was recorded.
    pub fn at(&self) -> Instant {
        match self {
            Self::Event(record) => record.at,
            Self::Receipt(receipt) => receipt.at,
        }
    }
}

/// What to look for. The newest come first.
#[derive(Clone, Debug)]
pub struct SeenRange {
    /// Nothing older.
    pub since: Instant,
    /// Nothing newer.
    pub until: Instant,
    /// Where the page before this one ended.
    pub after: Option<SeenMark>,
    /// Lines of one page.
    pub most: usize,
}

/// A page of what came in.
#[derive(Debug)]
pub struct SeenPage {
    /// The newest first.
    pub seen: Vec<SeenEntry>,
    /// How many items were looked at for them.
    pub looked_at: usize,
    /// Where to go on; `None`: there is nothing more.
    pub next: Option<SeenMark>,
    /// Items that do not read as they were written.
    pub unreadable: Vec<StoreError>,
}

/// One partition of a day, read as far as somebody looked.
struct Shard {
    name: String,
    read: VecDeque<(SeenMark, Item)>,
    from: Option<HashMap<String, AttributeValue>>,
    ended: bool,
}

impl Store {
    /// Keeps a receipt. The same piece at the same instant is the same receipt.
    ///
    /// # Errors
    ///
    /// The table cannot be written.
    pub async fn keep(&self, receipt: &Receipt) -> Result<(), StoreError> {
        let request = self.client.put_item().table_name(&*self.table).set_item(Some(receipt.item()));
        self.put("keeping a receipt", request).await.map(drop)
    }

    /// The receipts of one piece, the oldest first, read consistently.
    ///
    /// # Errors
    ///
    /// The table cannot be read, or an item does not read as it was written.
    pub async fn receipts(&self, digest: &Digest) -> Result<Vec<Receipt>, StoreError> {
        let doing = "reading the receipts of a payload";
        let items = self.query(doing, Key::receipts(digest), None).await?;
        let mut receipts: Vec<Receipt> = items.iter().map(|item| codec::open(doing, item)).collect::<Result<_, _>>()?;
        receipts.sort_by_key(|receipt| receipt.at);
        Ok(receipts)
    }

    /// What came in and is wanted, the newest first. The index runs a moment behind the table.
    ///
    /// # Errors
    ///
    /// The index cannot be read.
    pub async fn seen(&self, range: &SeenRange, wanted: impl Fn(&SeenEntry) -> bool) -> Result<SeenPage, StoreError> {
        let mut page = SeenPage { seen: Vec::new(), looked_at: 0, next: None, unreadable: Vec::new() };
        let newest = range.after.as_ref().map_or(range.until.millis(), |mark| mark.millis().min(range.until.millis()));
        let (first, last) = (range.since.millis().div_euclid(DAY), newest.div_euclid(DAY));
        for day in (first..=last).rev() {
            let mut shards: Vec<Shard> = (0..SHARDS)
                .map(|shard| Shard { name: partition(day, shard), read: VecDeque::new(), from: None, ended: false })
                .collect();
            loop {
                let empty = shards.iter_mut().filter(|shard| shard.read.is_empty() && !shard.ended);
                try_join_all(empty.map(|shard| self.fill(shard, range.since.millis(), newest))).await?;
                let newest_of = |shard: &&mut Shard| shard.read.front().map(|(mark, _)| mark.clone());
                let Some((mark, item)) = shards.iter_mut().max_by_key(newest_of).and_then(|s| s.read.pop_front())
                else {
                    break;
                };
                if range.after.as_ref().is_some_and(|after| mark >= *after) {
                    continue;
                }
                page.looked_at += 1;
                match opened(&item) {
                    Ok(seen) if wanted(&seen) => page.seen.push(seen),
                    Ok(_) => {}
                    Err(error) => page.unreadable.push(error),
                }
                if page.seen.len() >= range.most || page.looked_at >= MOST_LOOKED_AT {
                    page.next = Some(mark);
                    return Ok(page);
                }
            }
        }
        Ok(page)
    }

    /// The next items of a partition; an empty answer may still not be the last.
    async fn fill(&self, shard: &mut Shard, since: i64, until: i64) -> Result<(), StoreError> {
        let doing = "reading what came in";
        while shard.read.is_empty() && !shard.ended {
            let request = self
                .client
                .query()
                .table_name(&*self.table)
                .index_name(INDEX)
                .key_condition_expression("#shard = :shard AND #at BETWEEN :since AND :until")
                .expression_attribute_names("#shard", SEEN_SHARD)
                .expression_attribute_names("#at", SEEN_AT)
                .expression_attribute_values(":shard", text(shard.name.clone()))
                .expression_attribute_values(":since", text(instant(since)))
                // Behind every mark of that instant.
                .expression_attribute_values(":until", text(format!("{}~", instant(until))))
                .scan_index_forward(false)
                .limit(AT_ONCE)
                .set_exclusive_start_key(shard.from.take());
            let answer = request.send().await.map_err(|error| StoreError::call(doing, error))?;
            for item in answer.items.unwrap_or_default() {
                shard.read.push_back((mark_of(doing, &item)?, item));
            }
            shard.from = answer.last_evaluated_key.filter(|key| !key.is_empty());
            shard.ended = shard.from.is_none();
        }
        Ok(())
    }
}

fn opened(item: &Item) -> Result<SeenEntry, StoreError> {
    let doing = "reading what came in";
    if codec::key_of(doing, item)?.pk.starts_with(crate::key::RECEIPT) {
        return codec::open(doing, item).map(SeenEntry::Receipt);
    }
    codec::open(doing, item).map(SeenEntry::Event)
}
