//! What is read of several reviews at once. A review that cannot be read is named and holds up no other.

use refresh_core::ReviewId;

use crate::{codec, error::StoreError, item::Item, key};

/// What could be read, and what could not.
#[derive(Debug)]
#[must_use = "what is unreadable must be reported"]
pub struct Several<T> {
    /// What could be read.
    pub read: Vec<T>,
    /// What could not be read.
    pub unreadable: Vec<Unreadable>,
}

/// One item that does not read as it was written, or that a newer version of the product wrote.
#[derive(Debug)]
pub struct Unreadable {
    /// The review that the item's key names; `None` where the key itself cannot be read.
    pub review: Option<ReviewId>,
    /// Why not.
    pub error: StoreError,
}

impl<T> Several<T> {
    /// For whoever needs all of them.
    ///
    /// # Errors
    ///
    /// The first item that cannot be read.
    pub fn whole(self) -> Result<Vec<T>, StoreError> {
        match self.unreadable.into_iter().next() {
            Some(unreadable) => Err(unreadable.error),
            None => Ok(self.read),
        }
    }

    /// Opens each item by itself. `part` is the attribute of the key that names the review.
    pub(crate) fn of(items: &[Item], part: KeyPart, open: impl Fn(&Item) -> Result<T, StoreError>) -> Self {
        let mut several = Self { read: Vec::with_capacity(items.len()), unreadable: Vec::new() };
        for item in items {
            match open(item) {
                Ok(one) => several.read.push(one),
                Err(error) => several.unreadable.push(Unreadable { review: named(item, part), error }),
            }
        }
        several
    }
}

/// The attribute of a key that holds `REVIEW#id`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum KeyPart {
    Partition,
    Sort,
}

/// The review that an item's key names, whatever else of the item is damaged.
pub(crate) fn named(item: &Item, part: KeyPart) -> Option<ReviewId> {
    let key = codec::key_of("reading a key", item).ok()?;
    let text = match part {
        KeyPart::Partition => &key.pk,
        KeyPart::Sort => &key.sk,
    };
    key::review_of(text).ok()
}
