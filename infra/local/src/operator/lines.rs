//! What several answers say alike: an error with its causes, and the lines of a review that an operator reads.

use std::error::Error;

use packet_store::{Record, Several, Store};
use refresh_core::{
    ReviewId,
    record::{delivery::Unreachable, review::Head},
};
use serde_json::{Value, json};

use crate::{engine::Engine, roster::Roster};

/// An error with its causes: the SDK's own text says "dispatch failure" and no more.
pub(crate) fn with_causes(error: impl Error) -> String {
    let mut line = one_line(&error.to_string());
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = one_line(&error.to_string());
        if !line.ends_with(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    line
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A review that cannot be read is a line of its own; the others are told of without it.
pub(super) fn unreadable(review: Option<&ReviewId>, because: impl ToString) -> Value {
    json!({ "review_id": review, "because": because.to_string() })
}

/// Every HEAD there is, and a line of each that cannot be read.
pub(super) struct Heads {
    pub(super) read: Vec<Head>,
    pub(super) unreadable: Vec<Value>,
}

impl Heads {
    fn of(heads: Several<Head>, nameless: &[String]) -> Self {
        let named = heads.unreadable.iter().map(|one| unreadable(one.review.as_ref(), &one.error));
        let unreadable = nameless.iter().map(|why| unreadable(None, why)).chain(named).collect();
        Self { read: heads.read, unreadable }
    }

    /// Reads the whole table: nothing else knows which reviews a deployment has.
    pub(super) async fn of_table(store: &Store) -> Result<Self, String> {
        Ok(Self::of(store.reviews().await.map_err(with_causes)?, &[]))
    }

    /// The engine remembers which reviews there are, so their HEADs alone are read.
    pub(super) async fn of_engine(engine: &Engine) -> Result<Self, String> {
        let (reviews, nameless) = engine.concerns().roster(engine.store(), Roster::all).await.map_err(with_causes)?;
        Ok(Self::of(engine.store().heads(&reviews).await.map_err(with_causes)?, &nameless))
    }
}

pub(super) fn undeliverable(known: &Unreachable) -> Value {
    json!({ "person": known.person, "why": known.why })
}

pub(super) fn judged(record: &Record, head: &Head) -> Value {
    match &record.verified {
        Ok(entries) => json!({ "review_id": head.review, "verified": true, "entries": entries }),
        Err(misfit) => json!({
            "review_id": head.review, "verified": false, "entries": record.entries.len(),
            "misfit": { "sequence": misfit.sequence, "because": misfit.because },
        }),
    }
}
