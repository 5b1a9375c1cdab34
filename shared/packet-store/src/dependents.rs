//! Who depends on a subject: the reviews that registered for it, and which of them may be over.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;
use refresh_core::{Instant, Person, ReviewId, facts::subject::Subject, record::review::Head};

use crate::{
    Store,
    call::AT_ONCE,
    codec,
    error::StoreError,
    ingest::spelled,
    key::{self, Key},
    several::{KeyPart, Several, named},
};

/// Set on a DEPENDS once its review has ended: DynamoDB removes the item then.
const EXPIRES: &str = "expires_at";

impl Store {
    /// The reviews that depend on a subject. Read after its fact was written: whoever registered later reads that fact.
    /// A review whose DEPENDS is damaged stands among the unreadable: the key still names it, and a refresh too many
    /// harms nobody, so the caller asks it as well.
    ///
    /// # Errors
    ///
    /// The table cannot be read. A DEPENDS that does not read as it was written is among the unreadable.
    pub async fn dependents(&self, subject: &Subject) -> Result<Several<ReviewId>, StoreError> {
        let doing = format!("reading who depends on {}", spelled(subject));
        let items = self.query(&doing, key::subject_partition(&subject.dependence()), None).await?;
        for ended in items.iter().filter(|item| item.contains_key(EXPIRES)) {
            named(ended, KeyPart::Sort).iter().for_each(|review| self.cache.keep_open(review, None));
        }
        Ok(Several::of(&items, KeyPart::Sort, |item| codec::open(&doing, item)))
    }

    /// The reviews that depend on the seats of any of these people, some named more than once.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub async fn sharing(&self, people: &BTreeSet<Person>) -> Result<Several<ReviewId>, StoreError> {
        let subjects: Vec<Subject> = people.iter().cloned().map(Subject::Seat).collect();
        let mut all = Several { read: Vec::new(), unreadable: Vec::new() };
        for some in subjects.chunks(AT_ONCE) {
            for one in try_join_all(some.iter().map(|subject| self.dependents(subject))).await? {
                all.read.extend(one.read);
                all.unreadable.extend(one.unreadable);
            }
        }
        Ok(all)
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

    /// The HEADs of those of these reviews that may be over: of all but those that this worker knows to be open, from the
    /// last HEAD that it read of a review ([`Head::open_until`]), and as long as no DEPENDS of the review is found to expire.
    ///
    /// # Errors
    ///
    /// The table cannot be read. A HEAD that does not read as it was written is among the unreadable.
    pub async fn heads_of_perhaps_over(&self, reviews: &[ReviewId], now: Instant) -> Result<Several<Head>, StoreError> {
        let unknown: Vec<ReviewId> =
            reviews.iter().filter(|review| !self.cache.is_open(review, now)).cloned().collect();
        let heads = self.heads(&unknown).await?;
        for head in &heads.read {
            self.cache.keep_open(&head.review, head.open_until(now));
        }
        Ok(heads)
    }
}
