//! From a calendar object's UID back to the review.

use refresh_core::{ReviewId, Uid};

use crate::{
    Store, codec,
    error::StoreError,
    key::{self, Key},
};

impl Store {
    /// Written when a review is issued whose UIDs do not show its id; again is harmless, its content follows from its key.
    ///
    /// # Errors
    ///
    /// The table cannot be written.
    pub async fn register_object(&self, uid: &Uid, review: &ReviewId) -> Result<(), StoreError> {
        let item = codec::seal(&Key::object(uid, review), review, &[]);
        let request = self.client.put_item().table_name(&*self.table).set_item(Some(item));
        self.put("registering a calendar object", request).await.map(drop)
    }

    /// The reviews one of which may have a calendar object of that UID; HEAD says which has. A UID that was given comes
    /// from its holder, any other from the review's id, which stands in it or was registered.
    ///
    /// # Errors
    ///
    /// The table cannot be read, or an item does not read as it was written.
    pub async fn reviews_of_object(&self, uid: &Uid, mail_domain: &str) -> Result<Vec<ReviewId>, StoreError> {
        let mut reviews: Vec<ReviewId> = self.uid_holder(uid).await?.into_iter().collect();
        if uid.is_digested() {
            let doing = "finding a calendar object's review";
            for item in self.query(doing, key::object_partition(uid), None).await? {
                reviews.push(codec::open(doing, &item)?);
            }
        } else {
            reviews.extend(uid.shown_review(mail_domain));
        }
        reviews.dedup();
        Ok(reviews)
    }
}
