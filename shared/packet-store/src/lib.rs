//! Data at rest: one table, its keys and items, and the conditional transactions. The outcomes of a write have words
//! ([`Committed`], [`Accepted`]); an error is always something that an operator or a later delivery must look after.
//!
//! `DESIGN.md` beside this crate documents every item and attribute.

#![warn(missing_docs, clippy::missing_errors_doc)]

mod action;
mod asked;
mod cache;
mod calendar;
mod call;
mod codec;
mod commit;
mod contention;
mod dependents;
mod due;
mod error;
mod history;
mod ingest;
mod item;
pub mod key;
mod link;
mod load;
mod looked;
mod object;
mod pack;
mod polls;
mod record;
mod review;
mod seats;
mod seen;
mod seen_index;
mod several;
mod subjects;
mod telling;
mod verdict;
mod weight;

use std::sync::Arc;

use aws_sdk_dynamodb::Client;

pub use asked::{AlreadyAsked, Clocks};
pub use codec::SCHEMA;
pub use commit::{Committed, MAILS_A_GROUP, MOST_CAUSES};
pub use due::{Due, SHARDS};
pub use error::StoreError;
pub use history::Headless;
pub use ingest::{Acceptance, Accepted, Beside, EventRecord, KEPT_DAYS, UidClaim};
pub use load::FactsRead;
pub use looked::LookedAt;
pub use polls::Polls;
pub use record::Record;
pub use seen::{Door, MOST_LOOKED_AT, MOST_REASONS, Receipt, SeenEntry, SeenPage, SeenRange, Unheard};
pub use seen_index::SeenMark;
pub use several::{Several, Unreadable};
pub use telling::{TellingRead, TellingRecord};

/// The store of one table. Cheap to clone. Clones share their connections and what they remember: versions, registrations, and
/// what the last look at a review saw (`cache`).
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    table: Arc<str>,
    cache: Arc<cache::Cache>,
    chance: Arc<contention::Chance>,
}

impl Store {
    /// The store in this table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        let chance = Arc::new(contention::Chance::of_the_system());
        Self { client, table: Arc::from(table.into()), cache: Arc::default(), chance }
    }

    /// The same store, whose pauses follow from `seed`.
    pub fn seeded(self, seed: u64) -> Self {
        Self { chance: Arc::new(contention::Chance::seeded(seed)), ..self }
    }

    /// The same store, in a process of so much memory: a part of the memory holds what the store remembers of reviews.
    pub fn within(self, megabytes: usize) -> Self {
        Self { cache: Arc::new(cache::Cache::of(megabytes)), ..self }
    }

    /// Whose connection a function opens when it starts.
    pub const fn client(&self) -> &Client {
        &self.client
    }
}
