//! From the fingerprint in a signed link back to the review.

use refresh_core::{ReviewId, base::fingerprint::ReviewFingerprint};

use crate::{
    Store, codec,
    error::StoreError,
    key::{self, Key},
};

impl Store {
    /// Written when a review's first link is signed; again is harmless, its content follows from its key.
    ///
    /// # Errors
    ///
    /// The table cannot be written.
    pub async fn register_link(&self, fingerprint: ReviewFingerprint, review: &ReviewId) -> Result<(), StoreError> {
        let item = codec::seal(&Key::link(fingerprint, review), review, &[]);
        let request = self.client.put_item().table_name(&*self.table).set_item(Some(item));
        self.put("registering a link", request).await.map(drop)
    }

    /// `None`: a link we did not sign. Two reviews of one fingerprint would be a collision of 128 bits; then nobody's.
    ///
    /// # Errors
    ///
    /// The table cannot be read, or an item does not read as it was written.
    pub async fn find_link(&self, fingerprint: ReviewFingerprint) -> Result<Option<ReviewId>, StoreError> {
        let doing = "finding a link's review";
        let items = self.query(doing, key::link_partition(fingerprint), None).await?;
        match items.as_slice() {
            [item] => codec::open(doing, item).map(Some),
            _ => Ok(None),
        }
    }
}
