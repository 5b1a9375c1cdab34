//! ASKED: what a tick asked for and is not answered yet.
//!
//! ```text
//!  tick:  due ── HEAD at counter n, ASKED ── ask ── put ASKED { n, until when the message can live }
//!  tick:  due ── HEAD still at n, before that ──▶ not asked again: the message is on its queue, or comes again
//!  tick:  due ── HEAD at n + 1, or later than that ──▶ asked again
//! ```
//! Beside HEAD and not in it: a tick would stand in the way of every decision. Lost or damaged, ASKED costs one message
//! too many.

use std::collections::BTreeMap;

use refresh_core::{Instant, ReviewId, base::instant::DAY, record::review::Head};
use serde::{Deserialize, Serialize};

use crate::{
    Store,
    call::Write,
    codec,
    error::StoreError,
    item::number,
    key::{self, Key},
    several::Unreadable,
};

/// Until when each kind of message counts as on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct AlreadyAsked {
    /// HEAD's counter when it was asked: what moved HEAD since was an answer, or made something else due. `None` where
    /// HEAD could not be read.
    pub counter: Option<u64>,
    /// Until when a message that asks for a refresh counts as on its way; `None` where none was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_until: Option<Instant>,
    /// Until when a message that asks for notices counts as on its way; `None` where none was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notices_until: Option<Instant>,
}

/// What is known of reviews that are due.
#[derive(Debug, Default)]
pub struct Clocks {
    /// Those whose HEAD can be read.
    pub heads: BTreeMap<ReviewId, Head>,
    /// What was asked of each review already.
    pub asked: BTreeMap<ReviewId, AlreadyAsked>,
    /// The items that cannot be read.
    pub unreadable: Vec<Unreadable>,
}

impl Store {
    /// HEAD and ASKED of each review, strongly consistent.
    ///
    /// # Errors
    ///
    /// The table cannot be read. An item that does not read as it was written is among the unreadable.
    pub async fn clocks(&self, reviews: &[ReviewId]) -> Result<Clocks, StoreError> {
        let doing = "reading the reviews that are due";
        let keys = reviews.iter().flat_map(|review| [Key::head(review), Key::asked(review)]).collect();
        let mut clocks = Clocks::default();
        for item in self.get_all(doing, keys).await? {
            let key = codec::key_of(doing, &item)?;
            let is_head = key.sk == "HEAD";
            let review = if is_head { key::review_of(&key.pk) } else { key::asked_of(&key.pk) };
            // Both keys were asked for, so both name a review.
            let Ok(review) = review else { continue };
            let read = if is_head {
                codec::open(doing, &item).map(|head| drop(clocks.heads.insert(review.clone(), head)))
            } else {
                codec::open(doing, &item).map(|asked| {
                    clocks.asked.insert(review.clone(), asked);
                })
            };
            if let Err(error) = read {
                clocks.unreadable.push(Unreadable { review: Some(review), error });
            }
        }
        Ok(clocks)
    }

    /// To be called once the messages are on their queues: a process that dies in between asks again.
    ///
    /// # Errors
    ///
    /// The table cannot be written.
    pub async fn remember_asked(&self, review: &ReviewId, asked: &AlreadyAsked) -> Result<(), StoreError> {
        let doing = format!("remembering what {review} was asked for");
        let until = asked.refresh_until.max(asked.notices_until).unwrap_or(Instant::from_millis(0));
        let expires = until.plus_millis(DAY).millis() / 1_000;
        let item = codec::seal(&Key::asked(review), asked, &[("expires_at", number(expires))]);
        let request = self.client.put_item().table_name(&*self.table).set_item(Some(item));
        match self.put(&doing, request).await? {
            Write::Done | Write::Refused(_) => Ok(()),
        }
    }
}
