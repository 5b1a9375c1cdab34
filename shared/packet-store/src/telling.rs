//! Who was told what, and who is about to tell them.
//!
//! ```text
//!  claim(by A) ── read HEAD ── render ── send ── commit with `told`: settles and frees the claims
//!       │ B claims while A's lease runs: refused
//!       │ A dies: the lease ends, B claims; a claim that was never settled counts as owed
//! ```
//! People who are told together are claimed together, in one transaction. Who is held by another is left out of it.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use refresh_core::{
    Instant, Person, ReviewId,
    base::digest::canonical,
    facts::{fact::Facts, subject::Subject},
    record::{
        claim::Claim,
        delivery::{Delivery, DeliveryReport},
        last_notified::LastNotified,
        review::Review,
    },
};

use crate::{
    Store, calendar,
    call::{Transaction, Write},
    codec::{
        self, CLAIM_BY, CLAIM_DIGEST, CLAIM_UNTIL, DELIVERY, DELIVERY_DIGEST, PLAIN, claim_digest, delivery_digest,
    },
    contention,
    error::StoreError,
    item::{Item, number, text},
    key::{self, Key},
    several::{KeyPart, Several},
    verdict::{ActionRole, CONDITION_FAILED, NotWritten, judge},
};

/// What a notice is made from, read in one call.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TellingRead {
    /// HEAD with its versions; `None` where no such review was issued.
    pub review: Option<Review>,
    /// Of the subjects that were asked for, those of which there is a fact.
    pub facts: Facts,
    /// Of the people who were asked about, those of whom there is such an item.
    pub told: BTreeMap<Person, TellingRecord>,
}

/// TOLD. Without `told`, the person was told what the first version says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TellingRecord {
    /// What the person was last told; `None` where they were told what the first version says.
    pub told: Option<LastNotified>,
    /// Still there: never settled and never released, whether or not its lease is over.
    pub claim: Option<Claim>,
    /// What the mailer reported of their newest mail.
    pub delivery: Option<Delivery>,
}

impl Store {
    /// Everyone of whom the review has such an item.
    ///
    /// # Errors
    ///
    /// The table cannot be read, or an item does not read as it was written.
    pub async fn told(&self, review: &ReviewId) -> Result<BTreeMap<Person, TellingRecord>, StoreError> {
        let doing = format!("reading who was told what of {review}");
        let range = Some((key::TOLD.to_owned(), format!("{}\u{10ffff}", key::TOLD)));
        let items = self.query(&doing, key::review_partition(review), range).await?;
        items.iter().map(|item| read(&doing, item)).collect()
    }

    /// HEAD, facts, and what these people were told, together. Nothing is decided here that a newer fact could make wrong:
    /// which of the items is read first is no matter.
    ///
    /// # Errors
    ///
    /// The table cannot be read, or an item does not read as it was written.
    pub async fn telling(
        &self,
        review: &ReviewId,
        subjects: &BTreeSet<Subject>,
        people: &BTreeSet<Person>,
    ) -> Result<TellingRead, StoreError> {
        let doing = format!("reading what notices of {review} are made from");
        let of_head = Key::head(review);
        let of_told: BTreeSet<Key> = people.iter().map(|person| Key::told(review, person)).collect();
        let keys = subjects.iter().map(Key::fact).chain([of_head.clone()]).chain(of_told.iter().cloned()).collect();
        let (mut head, mut telling) = (None, TellingRead::default());
        for item in self.get_all(&doing, keys).await? {
            let key = codec::key_of(&doing, &item)?;
            if key == of_head {
                head = Some(codec::open(&doing, &item)?);
            } else if of_told.contains(&key) {
                telling.told.extend([read(&doing, &item)?]);
            } else {
                telling.facts.insert(calendar::open(&doing, &item)?);
            }
        }
        if let Some(head) = head {
            telling.review = Some(self.unfold(head).await?);
        }
        Ok(telling)
    }

    /// The same of one person; nothing where there is no such item.
    ///
    /// # Errors
    ///
    /// The table cannot be read, or the item does not read as it was written.
    pub async fn told_to(&self, review: &ReviewId, person: &Person) -> Result<TellingRecord, StoreError> {
        let doing = format!("reading what one person was told of {review}");
        let item = self.get(&doing, &Key::told(review, person)).await?;
        let record = item.map(|item| read(&doing, &item)).transpose()?;
        Ok(record.map(|(_, record)| record).unwrap_or_default())
    }

    /// The same of one person in each of these reviews that has such an item, in no particular order. The others never mailed
    /// the person.
    ///
    /// # Errors
    ///
    /// The table cannot be read. An item that does not read as it was written is among the unreadable.
    pub async fn told_by_each(
        &self,
        reviews: &[ReviewId],
        person: &Person,
    ) -> Result<Several<(ReviewId, TellingRecord)>, StoreError> {
        let doing = "reading what one person was told";
        let keys = reviews.iter().map(|review| Key::told(review, person)).collect();
        let items = self.get_all(doing, keys).await?;
        Ok(Several::of(&items, KeyPart::Partition, |item| {
            let key = codec::key_of(doing, item)?;
            let review = key::review_of(&key.pk).map_err(|expected| StoreError::damaged(doing, &key, expected))?;
            read(doing, item).map(|(_, record)| (review, record))
        }))
    }

    /// Whether the person is now `claim.by`'s to tell: nobody else's, or that one's lease is over at `now`.
    ///
    /// # Errors
    ///
    /// The table cannot be written.
    pub async fn claim(
        &self,
        review: &ReviewId,
        person: &Person,
        claim: &Claim,
        now: Instant,
    ) -> Result<bool, StoreError> {
        let update = self.claiming(review, person, claim, now);
        let request = self
            .client
            .update_item()
            .table_name(update.table_name)
            .set_key(Some(update.key))
            .update_expression(update.update_expression)
            .set_condition_expression(update.condition_expression)
            .set_expression_attribute_names(update.expression_attribute_names)
            .set_expression_attribute_values(update.expression_attribute_values);
        Ok(matches!(self.update(&format!("claiming a notice of {review}"), request).await?, Write::Done))
    }

    /// The same of several people at once, in one transaction. Returns those whose claims hold now. A single claim is no
    /// transaction: that costs half as much.
    ///
    /// # Errors
    ///
    /// The table cannot be written.
    pub async fn claim_all(
        &self,
        review: &ReviewId,
        claims: &BTreeMap<Person, Claim>,
        now: Instant,
    ) -> Result<BTreeSet<Person>, StoreError> {
        let doing = format!("claiming notices of {review}");
        let mut left: Vec<(&Person, &Claim)> = claims.iter().collect();
        let mut attempt = 0;
        while left.len() > 1 {
            self.pause(attempt).await;
            let claim = |(person, claim): &(&Person, &Claim)| {
                let update = self.claiming(review, person, claim, now);
                TransactWriteItem::builder().update(update).build()
            };
            let reasons = match self.transact(&doing, left.iter().map(claim).collect()).await? {
                Transaction::Done => return Ok(left.into_iter().map(|(person, _)| person.clone()).collect()),
                Transaction::Cancelled(reasons) => reasons,
            };
            match judge(&vec![ActionRole::Told; left.len()], &reasons) {
                NotWritten::Poison(what) => return Err(StoreError::poison(doing, what)),
                // Who is held by another is left out of the next try.
                NotWritten::Superseded => {
                    let mut refused = reasons.iter().map(|reason| reason.code() == Some(CONDITION_FAILED));
                    left.retain(|_| refused.next() == Some(false));
                    attempt = 0;
                }
                NotWritten::Exists(_) | NotWritten::Contended => attempt += 1,
            }
            if attempt == contention::TRIES {
                return Err(StoreError::contended(doing));
            }
        }
        let Some((person, claim)) = left.pop() else { return Ok(BTreeSet::new()) };
        let held = self.claim(review, person, claim, now).await?;
        Ok(held.then(|| person.clone()).into_iter().collect())
    }

    fn claiming(&self, review: &ReviewId, person: &Person, claim: &Claim, now: Instant) -> Update {
        let key = Key::told(review, person);
        let until = claim.until.millis().to_string();
        let digest = claim_digest(&key, &claim.by, &until);
        let update = Update::builder()
            .table_name(&*self.table)
            .set_key(Some(key.attributes()))
            .update_expression(
                "SET #by = :by, #until = :until, #claim = :claim, #schema = if_not_exists(#schema, :schema)",
            )
            // `#by = :by`: our own claim whose answer was lost, or one that is prolonged.
            .condition_expression("attribute_not_exists(#by) OR #until <= :now OR #by = :by")
            .expression_attribute_names("#by", CLAIM_BY)
            .expression_attribute_names("#until", CLAIM_UNTIL)
            .expression_attribute_names("#claim", CLAIM_DIGEST)
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":by", text(&claim.by))
            .expression_attribute_values(":until", number(until))
            .expression_attribute_values(":claim", AttributeValue::B(digest.0.to_vec().into()))
            .expression_attribute_values(":schema", number(PLAIN))
            .expression_attribute_values(":now", number(now.millis()));
        update.build().expect("key, table and expression are set")
    }

    /// The holder `from` goes on under another name, within the same lease. `false`: the claim is another's by now.
    ///
    /// # Errors
    ///
    /// The table cannot be written.
    pub async fn rename_claim(
        &self,
        review: &ReviewId,
        person: &Person,
        from: &str,
        to: &Claim,
    ) -> Result<bool, StoreError> {
        let doing = format!("renaming a claim of {review}");
        let key = Key::told(review, person);
        let until = to.until.millis().to_string();
        let digest = claim_digest(&key, &to.by, &until);
        let request = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(key.attributes()))
            .update_expression("SET #by = :by, #until = :until, #claim = :claim")
            // `#by = :by`: the answer was lost, and this is the SDK's next attempt.
            .condition_expression("#by = :from OR #by = :by")
            .expression_attribute_names("#by", CLAIM_BY)
            .expression_attribute_names("#until", CLAIM_UNTIL)
            .expression_attribute_names("#claim", CLAIM_DIGEST)
            .expression_attribute_values(":by", text(&to.by))
            .expression_attribute_values(":from", text(from))
            .expression_attribute_values(":until", number(until))
            .expression_attribute_values(":claim", AttributeValue::B(digest.0.to_vec().into()));
        Ok(matches!(self.update(&doing, request).await?, Write::Done))
    }

    /// Gives a claim back unused. Somebody else's stays, and so does nothing at all.
    ///
    /// # Errors
    ///
    /// The table cannot be written.
    pub async fn release(&self, review: &ReviewId, person: &Person, by: &str) -> Result<(), StoreError> {
        let doing = format!("releasing a notice of {review}");
        let request = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(Key::told(review, person).attributes()))
            .update_expression("REMOVE #by, #until, #claim")
            .condition_expression("#by = :by")
            .expression_attribute_names("#by", CLAIM_BY)
            .expression_attribute_names("#until", CLAIM_UNTIL)
            .expression_attribute_names("#claim", CLAIM_DIGEST)
            .expression_attribute_values(":by", text(by));
        self.update(&doing, request).await.map(drop)
    }

    /// Keeps what the mailer reported, unless what is known already counts for more. `false`: nobody of that review was
    /// ever about to be mailed at that address, so the report is none of ours and nothing is kept.
    ///
    /// ```text
    ///  read TOLD ── Delivery::after ── write if `delivery` is still as it was read
    ///        │ another report was written in between: read again
    /// ```
    ///
    /// # Errors
    ///
    /// The table cannot be read or written, or TOLD does not read as it was written.
    pub async fn report(&self, review: &ReviewId, report: &DeliveryReport) -> Result<bool, StoreError> {
        let doing = format!("recording what became of a notice of {review}");
        let key = Key::told(review, &report.to);
        for attempt in 0..contention::TRIES {
            self.pause(attempt).await;
            let Some(item) = self.get(&doing, &key).await? else { return Ok(false) };
            let known = delivery(&doing, &key, &item)?;
            let Some(newest) = Delivery::after(known.as_ref(), &report.delivery) else { return Ok(true) };
            let body = String::from_utf8_lossy(&canonical(&newest)).into_owned();
            let request = self
                .client
                .update_item()
                .table_name(&*self.table)
                .set_key(Some(key.attributes()))
                .update_expression("SET #delivery = :delivery, #digest = :digest")
                .expression_attribute_names("#delivery", DELIVERY)
                .expression_attribute_names("#digest", DELIVERY_DIGEST)
                .expression_attribute_values(
                    ":digest",
                    AttributeValue::B(delivery_digest(&key, &body).0.to_vec().into()),
                )
                .expression_attribute_values(":delivery", text(body));
            let request = match item.get(DELIVERY) {
                // The person's item is never removed, and one that is not there must not be made by a report.
                None => request
                    .condition_expression("attribute_exists(#pk) AND attribute_not_exists(#delivery)")
                    .expression_attribute_names("#pk", "pk"),
                Some(before) => request
                    .condition_expression("#delivery = :before")
                    .expression_attribute_values(":before", before.clone()),
            };
            if let Write::Done = self.update(&doing, request).await? {
                return Ok(true);
            }
        }
        Err(StoreError::contended(doing))
    }
}

/// Whether a TOLD reads as it was written, its claim and report included.
pub(crate) fn check(doing: &str, item: &Item) -> Result<(), StoreError> {
    read(doing, item).map(drop)
}

fn read(doing: &str, item: &Item) -> Result<(Person, TellingRecord), StoreError> {
    let key = codec::key_of(doing, item)?;
    let person = key::person_of(&key.sk).map_err(|expected| StoreError::damaged(doing, &key, expected))?;
    codec::check_schema(doing, &key, item)?;
    // A claim on somebody who was told nothing yet stands alone.
    let told = if item.contains_key("body") || item.contains_key("digest") {
        let told: LastNotified = codec::open(doing, item)?;
        if told.person != person {
            return Err(StoreError::damaged(doing, &key, "it is about another person than its key"));
        }
        Some(told)
    } else {
        None
    };
    Ok((person, TellingRecord { told, claim: claim(doing, &key, item)?, delivery: delivery(doing, &key, item)? }))
}

fn claim(doing: &str, key: &Key, item: &Item) -> Result<Option<Claim>, StoreError> {
    match (item.get(CLAIM_BY), item.get(CLAIM_UNTIL), item.get(CLAIM_DIGEST)) {
        (None, None, None) => Ok(None),
        (Some(AttributeValue::S(by)), Some(AttributeValue::N(until)), Some(AttributeValue::B(digest)))
            if digest.as_ref() == claim_digest(key, by, until).0 =>
        {
            let until = until.parse().map_err(|_| StoreError::damaged(doing, key, "claim_until: expected a number"))?;
            Ok(Some(Claim { by: by.clone(), until: Instant::from_millis(until) }))
        }
        _ => Err(StoreError::damaged(doing, key, "its claim does not fit its digest")),
    }
}

fn delivery(doing: &str, key: &Key, item: &Item) -> Result<Option<Delivery>, StoreError> {
    match (item.get(DELIVERY), item.get(DELIVERY_DIGEST)) {
        (None, None) => Ok(None),
        (Some(AttributeValue::S(body)), Some(AttributeValue::B(digest)))
            if digest.as_ref() == delivery_digest(key, body).0 =>
        {
            let delivery = serde_json::from_str(body);
            delivery.map(Some).map_err(|error| StoreError::damaged(doing, key, format!("delivery: {error}")))
        }
        _ => Err(StoreError::damaged(doing, key, "its delivery does not fit its digest")),
    }
}
