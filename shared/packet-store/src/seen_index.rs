//! The sparse index `seen`: the partition and the order of an item in it.

use aws_sdk_dynamodb::types::AttributeValue;
use refresh_core::{
    Instant,
    base::{digest::Digest, instant::DAY},
};

use crate::{
    codec,
    error::StoreError,
    item::{Item, text},
    key::Key,
};

/// How many partitions of the index one day has.
pub(crate) const SHARDS: u8 = 4;
pub(crate) const INDEX: &str = "seen";
pub(crate) const SEEN_SHARD: &str = "seen_shard";
pub(crate) const SEEN_AT: &str = "seen_at";

/// Where a page ended: everything newer has been looked at. The index's own sort key: an instant, and of one instant an
/// order that stays.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SeenMark(String);

impl SeenMark {
    /// As it was written by its `Display`.
    ///
    /// # Errors
    ///
    /// What was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let digits = |part: &str, length: usize| part.len() == length && part.bytes().all(|b| b.is_ascii_hexdigit());
        match text.split_once('-') {
            Some((at, rest)) if digits(at, 15) && at.parse::<i64>().is_ok() && digits(rest, 16) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err("the mark that the page before this one ended with".to_owned()),
        }
    }

    fn of(key: &Key, at: Instant) -> Self {
        let order = Digest::of_bytes("seen-order", key.to_string().as_bytes()).to_string();
        Self(format!("{}-{}", instant(at.millis()), &order[..16]))
    }

    pub(crate) fn millis(&self) -> i64 {
        self.0.split_once('-').and_then(|(at, _)| at.parse().ok()).unwrap_or(i64::MAX)
    }
}

impl std::fmt::Display for SeenMark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Fifteen digits, so that the order of texts is the order of instants.
pub(crate) fn instant(millis: i64) -> String {
    format!("{:015}", millis.max(0))
}

/// What the index needs to see of an item.
pub(crate) fn indexed(key: &Key, at: Instant) -> [(&'static str, AttributeValue); 2] {
    let shard = Digest::of_bytes("seen-shard", key.pk.as_bytes()).0[0] % SHARDS;
    [(SEEN_SHARD, text(partition(at.millis().div_euclid(DAY), shard))), (SEEN_AT, text(SeenMark::of(key, at).0))]
}

pub(crate) fn partition(day: i64, shard: u8) -> String {
    format!("{day}/{shard}")
}

pub(crate) fn mark_of(doing: &str, item: &Item) -> Result<SeenMark, StoreError> {
    let key = codec::key_of(doing, item)?;
    match item.get(SEEN_AT) {
        Some(AttributeValue::S(mark)) => Ok(SeenMark(mark.clone())),
        _ => Err(StoreError::damaged(doing, &key, "expected a string attribute seen_at")),
    }
}
