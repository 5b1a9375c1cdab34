//! Reviews that lost their HEAD. What finds reviews by HEAD does not see them, so whoever vouches for a whole store looks for them.

use packet_store::{Headless, Store};
use refresh_core::ReviewId;

use crate::{engine::Engine, removals};

/// What is left of such a review.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lost {
    pub left: Headless,
    /// The hash of the last entry that is left; `None`: none is left, or it cannot be read.
    pub lineage_end: Option<String>,
}

impl Lost {
    /// Every one of a table.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn of_table(store: &Store) -> Result<Vec<Self>, String> {
        let mut all = Vec::new();
        for left in store.headless().await.map_err(|error| error.to_string())? {
            let lineage_end = match &left.review {
                // What cannot be read is the end of no removal that was begun.
                Some(review) if left.entries > 0 => store.lineage(review, 0).await.ok(),
                _ => None,
            };
            let lineage_end = lineage_end.and_then(|entries| entries.last().map(|entry| entry.hash().to_string()));
            all.push(Self { left, lineage_end });
        }
        Ok(all)
    }

    /// Those of the engine's store, by whether their removal was begun: HEAD goes first then, and the last entry of the lineage
    /// at the end, whose hash was written down before.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn of_engine(engine: &Engine) -> Result<(Vec<Self>, Vec<Self>), String> {
        let (mut begun, mut lost) = (Vec::new(), Vec::new());
        for one in Self::of_table(engine.store()).await? {
            let is_begun = match (&one.left.review, &one.lineage_end) {
                (Some(review), Some(end)) => removals::was_begun(engine, review, end)?,
                _ => false,
            };
            if is_begun { begun.push(one) } else { lost.push(one) }
        }
        Ok((begun, lost))
    }

    pub fn review(&self) -> Option<&ReviewId> {
        self.left.review.as_ref()
    }

    /// What is wrong, for a person.
    pub fn because(&self) -> String {
        let Headless { partition, versions, entries, .. } = &self.left;
        format!(
            "the item {partition} / HEAD is gone; {entries} entries of the lineage and {versions} versions are left"
        )
    }
}
