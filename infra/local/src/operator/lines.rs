//! What several answers say alike: an error with its causes, and the lines of a review that an operator reads.

use std::error::Error;

use packet_store::Record;
use refresh_core::{
    ReviewId,
    record::{delivery::Unreachable, review::Head},
};
use serde_json::{Value, json};

/// An error with its causes: the SDK's own text says "dispatch failure" and no more.
pub(super) fn with_causes(error: impl Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.ends_with(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    line
}

/// A review that cannot be read is a line of its own; the others are told of without it.
pub(super) fn unreadable(review: Option<&ReviewId>, because: impl ToString) -> Value {
    json!({ "review_id": review, "because": because.to_string() })
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
