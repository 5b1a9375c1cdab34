//! Reading what happened: for pages, the operator's commands and verification.

use refresh_core::{
    ReviewId,
    record::{lineage::Entry, packet::Version, review::Head},
};

use crate::{
    Store, codec,
    error::StoreError,
    item::text,
    key::{self, Key},
    several::{KeyPart, Several},
};

impl Store {
    /// One version of a review; `None` where that number was never minted.
    ///
    /// # Errors
    ///
    /// The table cannot be read, or the item does not read as it was written.
    pub async fn version(&self, review: &ReviewId, number: u32) -> Result<Option<Version>, StoreError> {
        if let Some(version) = self.cache.version(review, number) {
            return Ok(Some(version));
        }
        let doing = format!("reading version {number} of {review}");
        let item = self.get(&doing, &Key::version(review, number)).await?;
        let version: Option<Version> = item.map(|item| codec::open(&doing, &item)).transpose()?;
        if let Some(version) = &version {
            self.cache.keep_version(review, version.clone());
        }
        Ok(version)
    }

    /// In order of number.
    ///
    /// # Errors
    ///
    /// The table cannot be read, or an item does not read as it was written.
    pub async fn versions(&self, review: &ReviewId) -> Result<Vec<Version>, StoreError> {
        let doing = format!("reading the versions of {review}");
        let range = Some((key::VERSION.to_owned(), format!("{}9999999999", key::VERSION)));
        let items = self.query(&doing, key::review_partition(review), range).await?;
        items.iter().map(|item| codec::open(&doing, item)).collect()
    }

    /// In order of sequence, from that one on.
    ///
    /// # Errors
    ///
    /// The table cannot be read, or an item does not read as it was written.
    pub async fn lineage(&self, review: &ReviewId, from_sequence: u64) -> Result<Vec<Entry>, StoreError> {
        let doing = format!("reading the lineage of {review}");
        let range = Some((Key::lineage(review, from_sequence).sk, format!("{}9999999999", key::LINEAGE)));
        let items = self.query(&doing, key::review_partition(review), range).await?;
        items.iter().map(|item| codec::open(&doing, item)).collect()
    }

    /// Every review there is, by id. Reads the whole table: for an operator, never for a function.
    ///
    /// # Errors
    ///
    /// The table cannot be read. A HEAD that does not read as it was written is among the unreadable.
    pub async fn reviews(&self) -> Result<Several<Head>, StoreError> {
        let doing = "reading all reviews";
        let request = self
            .client
            .scan()
            .table_name(&*self.table)
            .consistent_read(true)
            .filter_expression("#sk = :head")
            .expression_attribute_names("#sk", "sk")
            .expression_attribute_values(":head", text("HEAD"));
        let items = request.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        let items = items.map_err(|error| StoreError::call(doing, error))?;
        let mut heads: Several<Head> = Several::of(&items, KeyPart::Partition, |item| codec::open(doing, item));
        heads.read.sort_by(|a, b| a.review.cmp(&b.review));
        heads.unreadable.sort_by(|a, b| a.review.cmp(&b.review));
        Ok(heads)
    }
}
