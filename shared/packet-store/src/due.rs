//! What is due by time alone: the sparse index, in eight shards so that one minute's writes spread.

use aws_sdk_dynamodb::types::AttributeValue;
use refresh_core::{Instant, ReviewId, base::digest::Digest};

use crate::{
    Store, codec,
    error::StoreError,
    item::{Item, number, text},
    key,
    several::{KeyPart, Several},
};

/// How many partitions the due index has.
pub const SHARDS: u8 = 8;
const INDEX: &str = "due";

/// A review with something due. The index runs behind the table: a hint, and the tick's refresh decides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Due {
    /// The review.
    pub review: ReviewId,
    /// When something became due.
    pub due_at: Instant,
}

pub(crate) fn shard(review: &ReviewId) -> String {
    (Digest::of_bytes("due-shard", review.as_str().as_bytes()).0[0] % SHARDS).to_string()
}

impl Store {
    /// What was due by `until`, the longest overdue first.
    ///
    /// # Errors
    ///
    /// The index cannot be read.
    pub async fn due(&self, until: Instant) -> Result<Several<Due>, StoreError> {
        let doing = "reading what is due";
        let mut items = Vec::new();
        for shard in 0..SHARDS {
            let request = self
                .client
                .query()
                .table_name(&*self.table)
                .index_name(INDEX)
                .key_condition_expression("#shard = :shard AND #due <= :until")
                .expression_attribute_names("#shard", "due_shard")
                .expression_attribute_names("#due", "due_at")
                .expression_attribute_values(":shard", text(shard.to_string()))
                .expression_attribute_values(":until", number(until.millis()));
            items.extend(self.pages(doing, request).await?);
        }
        let mut due = Several::of(&items, KeyPart::Partition, |item| due_of(doing, item));
        due.read.sort_by(|a, b| (a.due_at, &a.review).cmp(&(b.due_at, &b.review)));
        Ok(due)
    }
}

fn due_of(doing: &str, item: &Item) -> Result<Due, StoreError> {
    let key = codec::key_of(doing, item)?;
    let damaged = |what: String| StoreError::damaged(doing, &key, what);
    let review = key::review_of(&key.pk).map_err(damaged)?;
    let due_at = match item.get("due_at") {
        Some(AttributeValue::N(millis)) => millis.parse().ok(),
        _ => None,
    };
    let due_at = due_at.ok_or_else(|| damaged("expected a numeric attribute due_at".to_owned()))?;
    Ok(Due { review, due_at: Instant::from_millis(due_at) })
}
