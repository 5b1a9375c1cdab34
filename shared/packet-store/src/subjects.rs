//! Which subjects a review depends on, and which reviews depend on a subject.
//!
//! ```text
//!  refresh:  register (SUBJECTS and DEPENDS) ───▶ read facts
//!  ingest:   write fact ───▶ look up DEPENDS
//! ```
//! Whatever the interleaving, one of the two sees the other: no change falls between them.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::TransactWriteItem;
use refresh_core::{Instant, ReviewId, facts::subject::Subject};

use crate::{
    Store,
    action::{action, if_absent, if_still},
    call::{MOST_ACTIONS, Transaction, Write},
    codec, contention,
    error::StoreError,
    item::{Item, number},
    key::Key,
    verdict::{ActionRole, NotWritten, judge},
};

fn depends(subject: &Subject, review: &ReviewId, expires: Option<Instant>) -> Item {
    let beside = expires.map(|at| ("expires_at", number(at.millis() / 1_000)));
    codec::seal(&Key::depends(subject, review), review, beside.as_slice())
}

impl Store {
    /// To be called before the facts of `subjects` are read. One that is registered costs nothing.
    ///
    /// SUBJECTS grows in the same transaction as its DEPENDS, so that a subject in it is registered for certain; were it
    /// written before, a process that died in between would leave one that is skipped for ever after.
    ///
    /// Registered is what a subject is looked up under ([`Subject::dependence`]): a calendar that nobody knows of yet
    /// stands under the person already.
    ///
    /// # Errors
    ///
    /// The table cannot be read or written, or SUBJECTS does not read as it was written.
    pub async fn register(&self, review: &ReviewId, subjects: &BTreeSet<Subject>) -> Result<(), StoreError> {
        let subjects = &subjects.iter().map(Subject::dependence).collect::<BTreeSet<Subject>>();
        if self.cache.unknown(review, subjects).is_empty() {
            return Ok(());
        }
        let doing = format!("registering what {review} depends on");
        let mut attempt = 0;
        loop {
            self.pause(attempt).await;
            let (item, mut known) = self.subjects_item(&doing, review).await?;
            let unknown: Vec<Subject> = subjects.difference(&known).take(MOST_ACTIONS - 1).cloned().collect();
            if unknown.is_empty() {
                self.cache.keep_registered(review, known);
                return Ok(());
            }
            known.extend(unknown.iter().cloned());
            let mut actions = vec![self.put_subjects(review, &known, item.as_ref())];
            let depends = |subject: &Subject| action(self.put_of(depends(subject, review, None)));
            actions.extend(unknown.iter().map(depends));
            let mut roles = vec![ActionRole::Head];
            roles.resize(actions.len(), ActionRole::StandsOn);
            attempt = match self.transact(&doing, actions).await? {
                Transaction::Done => 0,
                Transaction::Cancelled(reasons) => match judge(&roles, &reasons) {
                    NotWritten::Poison(what) => return Err(StoreError::poison(doing, what)),
                    // Somebody else registered, or is about to: read again what is left to do.
                    _ if attempt + 1 < contention::TRIES => attempt + 1,
                    _ => return Err(StoreError::contended(doing)),
                },
            };
        }
    }

    /// What a review depends on, as far as it was registered.
    ///
    /// # Errors
    ///
    /// The table cannot be read, or the item does not read as it was written.
    pub async fn subjects(&self, review: &ReviewId) -> Result<BTreeSet<Subject>, StoreError> {
        Ok(self.subjects_item(&format!("reading what {review} depends on"), review).await?.1)
    }

    /// The same from memory where this worker knows any: perhaps less than there is, never more.
    pub(crate) async fn registered(&self, review: &ReviewId) -> Result<BTreeSet<Subject>, StoreError> {
        if let Some(known) = self.cache.registered(review) {
            return Ok(known);
        }
        let known = self.subjects(review).await?;
        self.cache.keep_registered(review, known.clone());
        Ok(known)
    }

    /// Lets a review's DEPENDS expire: once it is closed or has started, no fact concerns it. Safe to repeat.
    ///
    /// # Errors
    ///
    /// The table cannot be read or written, or SUBJECTS does not read as it was written.
    pub async fn retire(&self, review: &ReviewId, expires: Instant) -> Result<(), StoreError> {
        let doing = format!("retiring what {review} depended on");
        for subject in self.subjects(review).await? {
            let item = depends(&subject, review, Some(expires));
            // Only what is still there: one that expired must not come back for another while.
            let request = self
                .client
                .put_item()
                .table_name(&*self.table)
                .set_item(Some(item))
                .condition_expression("attribute_exists(#pk) AND attribute_not_exists(#expires)")
                .expression_attribute_names("#pk", "pk")
                .expression_attribute_names("#expires", "expires_at");
            match self.put(&doing, request).await? {
                Write::Done | Write::Refused(_) => {}
            }
        }
        Ok(())
    }

    async fn subjects_item(
        &self,
        doing: &str,
        review: &ReviewId,
    ) -> Result<(Option<Item>, BTreeSet<Subject>), StoreError> {
        let item = self.get(doing, &Key::subjects(review)).await?;
        let known = item.as_ref().map(|item| codec::open(doing, item)).transpose()?.unwrap_or_default();
        Ok((item, known))
    }

    fn put_subjects(&self, review: &ReviewId, subjects: &BTreeSet<Subject>, read: Option<&Item>) -> TransactWriteItem {
        let item = codec::seal(&Key::subjects(review), subjects, &[]);
        let put = self.put_of(item);
        action(match read.and_then(|item| item.get("digest")) {
            None => if_absent(put),
            Some(digest) => if_still(put, "digest", digest.clone()),
        })
    }
}
