//! Reading what happened: for pages, the operator's commands and verification.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
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

/// A review of which versions or lineage are there, and no HEAD. All of it is committed together, so HEAD was there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Headless {
    /// The partition in which that stands.
    pub partition: String,
    /// `None`: the partition names no review as it is written.
    pub review: Option<ReviewId>,
    /// How many versions are left.
    pub versions: usize,
    /// How many entries of the lineage are left.
    pub entries: usize,
}

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

    /// Every review that lost its HEAD, by its partition. Reads the whole table: for an operator, never for a function.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub async fn headless(&self) -> Result<Vec<Headless>, StoreError> {
        let doing = "looking for reviews without HEAD";
        let request = self
            .client
            .scan()
            .table_name(&*self.table)
            .consistent_read(true)
            .projection_expression("#pk, #sk")
            .filter_expression("#sk = :head OR begins_with(#sk, :version) OR begins_with(#sk, :lineage)")
            .expression_attribute_names("#pk", "pk")
            .expression_attribute_names("#sk", "sk")
            .expression_attribute_values(":head", text("HEAD"))
            .expression_attribute_values(":version", text(key::VERSION))
            .expression_attribute_values(":lineage", text(key::LINEAGE));
        let mut pages = request.into_paginator().items().send();
        let mut partitions: BTreeMap<String, (bool, Headless)> = BTreeMap::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| StoreError::call(doing, error))?;
            let part = |name: &str| match item.get(name) {
                Some(AttributeValue::S(text)) => Some(text.clone()),
                _ => None,
            };
            let (Some(partition), Some(sk)) = (part("pk"), part("sk")) else { continue };
            let review = key::review_of(&partition).ok();
            let nothing = Headless { partition: partition.clone(), review, versions: 0, entries: 0 };
            let (has_head, left) = partitions.entry(partition).or_insert((false, nothing));
            *has_head |= sk == "HEAD";
            left.versions += usize::from(sk.starts_with(key::VERSION));
            left.entries += usize::from(sk.starts_with(key::LINEAGE));
        }
        let mut lost = Vec::new();
        for (has_head, left) in partitions.into_values() {
            // A review that was issued while the table was read has its HEAD by now.
            let is_there = match &left.review {
                Some(review) if !has_head => self.get(doing, &Key::head(review)).await?.is_some(),
                _ => has_head,
            };
            if !is_there {
                lost.push(left);
            }
        }
        Ok(lost)
    }
}
