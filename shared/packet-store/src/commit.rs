//! One decision, one transaction: HEAD, versions, lineage, causes, and what was told, together or not at all.

use aws_sdk_dynamodb::types::{ConditionCheck, TransactWriteItem, Update};
use refresh_core::{
    Instant,
    decide::refresh::MOST_ROLES_AT_ONCE,
    facts::fact::MOST_ROLES,
    record::{
        commit::{Cause, Commit, ConfirmedMail},
        review::Head,
        seats::MOST_MENDED,
    },
};

use crate::{
    Store,
    action::{action, if_absent, if_still},
    call::{MOST_ACTIONS, Transaction},
    codec::{self, CLAIM_BY, CLAIM_DIGEST, CLAIM_UNTIL},
    contention, due,
    error::StoreError,
    ingest::{EPOCH, counted},
    item::{Item, number, text},
    key::Key,
    verdict::{ActionRole, NotWritten, judge},
};

/// The most triggers of one commit: a batch of the refresh queue has as many messages.
pub const MOST_CAUSES: usize = 10;
/// HEAD, lineage, the fact it stands on, and the versions of one decision; one is the rule, two leave room.
const OTHER_ACTIONS: usize = 5;
/// How many mails are settled together at most: those of one group of people.
pub const MAILS_A_GROUP: usize = 8;
/// The entries of a decision: of whoever sat in what was, and of whoever sits in what is.
const MOST_ENTRIES: usize = 2 * MOST_ROLES;
// The two greatest cases: an adoption, which has no causes, and a proposal in another's place.
const _: () = assert!(MOST_ENTRIES + MOST_ROLES + MOST_MENDED + OTHER_ACTIONS <= MOST_ACTIONS);
const _: () = assert!(MOST_ENTRIES + MOST_MENDED + OTHER_ACTIONS + MOST_CAUSES <= MOST_ACTIONS);
// An issue that a proposal follows at once; with more roles than that the proposal is the next decision's.
const _: () = assert!(3 * MOST_ROLES_AT_ONCE + OTHER_ACTIONS + MOST_CAUSES <= MOST_ACTIONS);
// The first telling of a proposal changes the entries of everybody who sits in what is, or in what is proposed.
const _: () = assert!(MOST_ENTRIES + MAILS_A_GROUP + OTHER_ACTIONS <= MOST_ACTIONS);

/// What became of a commit. None of these is an error.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Committed {
    /// All of the commit is written.
    Written,
    /// Nothing was written: these triggers counted before. Drop them and decide again on what is left.
    AlreadyWritten(Vec<Cause>),
    /// Nothing was written: HEAD, the claim, the fact it stands on or somebody's last seat is another by now. Load and decide
    /// again.
    Superseded,
}

impl Store {
    /// ```text
    ///  read HEAD (counter n) ── decide ── commit if HEAD's counter is still n
    ///                   │ another commit of this review makes it n + 1:  Superseded
    ///                   │ one of the triggers was marked by it:          AlreadyWritten
    /// ```
    ///
    /// # Errors
    ///
    /// The table cannot be written, or what was in the way cannot be read.
    pub async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        let doing = format!("committing decision {} on {}", commit.head.counter, commit.head.review);
        // A trigger delivered twice in one batch is one cause; DynamoDB takes no item twice in a transaction.
        let mut causes: Vec<&Cause> = commit.causes.iter().collect();
        causes.sort_unstable();
        causes.dedup();
        if causes.len() > MOST_CAUSES {
            let found = format!("expected at most {MOST_CAUSES} causes in one commit, found {}", causes.len());
            return Err(StoreError::poison(doing, found));
        }
        // A mail gives nobody a first seat: the entries that it changes are there.
        if commit.told.is_empty() {
            self.mark_any(&commit.seats).await?;
        }
        for attempt in 0..contention::TRIES {
            self.pause(attempt).await;
            let (roles, actions) = self.actions(commit, &causes);
            let reasons = match self.transact(&doing, actions).await? {
                Transaction::Done => {
                    for version in &commit.versions {
                        self.cache.keep_version(&commit.head.review, version.clone());
                    }
                    return Ok(Committed::Written);
                }
                Transaction::Cancelled(reasons) => reasons,
            };
            match judge(&roles, &reasons) {
                NotWritten::Exists(positions) => {
                    let counted = positions.into_iter().filter_map(|position| match roles[position] {
                        ActionRole::Cause(index) => Some(causes[index].clone()),
                        _ => None,
                    });
                    return Ok(Committed::AlreadyWritten(counted.collect()));
                }
                NotWritten::Superseded => return Ok(Committed::Superseded),
                NotWritten::Poison(what) => return Err(StoreError::poison(doing, what)),
                NotWritten::Contended => {}
            }
        }
        Err(StoreError::contended(doing))
    }

    /// Each action with what it is there for, at the same position.
    fn actions(&self, commit: &Commit, causes: &[&Cause]) -> (Vec<ActionRole>, Vec<TransactWriteItem>) {
        let review = &commit.head.review;
        let mut all = vec![(ActionRole::Head, self.put_head(&commit.head))];
        if let Some(entry) = &commit.entry {
            let key = Key::lineage(review, entry.sequence);
            all.push((ActionRole::Lineage, self.put_once(codec::seal(&key, entry, &[]))));
        }
        for version in &commit.versions {
            let key = Key::version(review, version.number);
            all.push((ActionRole::Version, self.put_once(codec::seal(&key, version, &[]))));
        }
        for (index, cause) in causes.iter().enumerate() {
            all.push((ActionRole::Cause(index), self.put_once(cause_item(commit, cause))));
        }
        all.extend(commit.told.iter().map(|settled| (ActionRole::Told, self.settle(commit, settled))));
        if let Some(fact) = &commit.stands_on {
            // The revision of another source is another fact, whatever its number.
            let mut check = ConditionCheck::builder()
                .table_name(&*self.table)
                .set_key(Some(Key::fact(&fact.subject).attributes()))
                .condition_expression(format!(
                    "#source = :source AND #revision = :revision{}",
                    counted(EPOCH, fact.epoch)
                ))
                .expression_attribute_names("#epoch", EPOCH)
                .expression_attribute_names("#source", "source")
                .expression_attribute_names("#revision", "revision")
                .expression_attribute_values(":source", text(fact.source.as_str()))
                .expression_attribute_values(":revision", number(fact.revision));
            if fact.epoch > 0 {
                check = check.expression_attribute_values(":epoch", number(fact.epoch));
            }
            let check = check.build().expect("key, table and condition are set");
            all.push((ActionRole::StandsOn, TransactWriteItem::builder().condition_check(check).build()));
        }
        all.extend(commit.seats.iter().map(|seat| (ActionRole::Seat, self.put_seat(seat))));
        all.extend(commit.seats_given.iter().map(|given| (ActionRole::SeatGiven, self.give_seat(given))));
        all.into_iter().unzip()
    }

    fn put_head(&self, head: &Head) -> TransactWriteItem {
        let put = self.put_of(head_item(head));
        action(match head.counter {
            0 | 1 => if_absent(put),
            counter => if_still(put, "counter", number(counter - 1)),
        })
    }

    /// By attribute, never whole: the same item holds the claim, and somebody may be reading it.
    fn settle(&self, commit: &Commit, settled: &ConfirmedMail) -> TransactWriteItem {
        let key = Key::told(&commit.head.review, &settled.told.person);
        let mut item = codec::seal(&key, &settled.told, &[]);
        let mut part = |name: &str| item.remove(name).expect("a sealed item has it");
        let update = Update::builder()
            .table_name(&*self.table)
            .set_key(Some(key.attributes()))
            .update_expression("SET #schema = :schema, #body = :body, #digest = :digest REMOVE #by, #until, #claim")
            .condition_expression("#by = :by")
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_names("#body", "body")
            .expression_attribute_names("#digest", "digest")
            .expression_attribute_names("#by", CLAIM_BY)
            .expression_attribute_names("#until", CLAIM_UNTIL)
            .expression_attribute_names("#claim", CLAIM_DIGEST)
            .expression_attribute_values(":schema", part("schema"))
            .expression_attribute_values(":body", part("body"))
            .expression_attribute_values(":digest", part("digest"))
            .expression_attribute_values(":by", text(&settled.claimed_by));
        TransactWriteItem::builder().update(update.build().expect("key, table and expression are set")).build()
    }
}

/// HEAD with what its condition and the due index need to see beside the body.
fn head_item(head: &Head) -> Item {
    let mut beside = vec![("counter", number(head.counter))];
    if let Some(due_at) = due_at(head) {
        // Both or neither: an item without the index's keys is not in it.
        beside.push(("due_shard", text(due::shard(&head.review))));
        beside.push(("due_at", number(due_at.millis())));
    }
    codec::seal(&Key::head(&head.review), head, &beside)
}

/// The lesser of the two times; nothing is due where both are absent.
fn due_at(head: &Head) -> Option<Instant> {
    [head.check_at, head.notices_at].into_iter().flatten().min()
}

fn cause_item(commit: &Commit, cause: &Cause) -> Item {
    #[derive(serde::Serialize)]
    struct Existing<'a> {
        identity: &'a refresh_core::facts::event::Identity,
        #[serde(skip_serializing_if = "Option::is_none")]
        collision: Option<refresh_core::base::digest::Digest>,
        /// Where lineage tells what came of it.
        entry: Option<u64>,
    }
    let entry = commit.entry.as_ref().map(|entry| entry.sequence);
    let mark = Existing { identity: &cause.identity, collision: cause.collision, entry };
    codec::seal(&Key::cause(&commit.head.review, cause), &mark, &[])
}
