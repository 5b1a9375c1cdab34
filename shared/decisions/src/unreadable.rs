//! Saying that a review cannot be read, wherever several are read.

use packet_store::{FactsRead, Unreadable};
use refresh_core::facts::fact::Facts;

/// One line each. Damage is an error, which its alarm counts. A newer schema is a warning: during a deployment it is
/// what a worker of the release before finds.
pub fn unreadable(all: &[Unreadable]) {
    for one in all {
        let review_id = one.review.as_ref().map(tracing::field::display);
        let error = one.error.to_string();
        if one.error.is_damage() {
            tracing::error!(review_id, error, "a review cannot be read; the others go on without it");
        } else {
            tracing::warn!(review_id, error, "a review cannot be read yet; the others go on without it");
        }
    }
}

/// The facts that were read, and a line for each seat that could not be: the person counts as free at no time, and an
/// operator must hear why.
pub fn readable_facts(read: FactsRead) -> Facts {
    for one in &read.unreadable {
        let review_id = one.review.as_ref().map(tracing::field::display);
        let error = one.error.to_string();
        if one.error.is_damage() {
            tracing::error!(review_id, error, "a seat cannot be read; whoever has it counts as unknown");
        } else {
            tracing::warn!(review_id, error, "a seat cannot be read yet; whoever has it counts as unknown");
        }
    }
    read.facts
}
