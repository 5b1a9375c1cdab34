//! What functions do around a decision: load, decide and commit until the decision is written or the deadline is near; count
//! the decision; ask for what follows.

#![warn(missing_docs, clippy::missing_errors_doc)]

mod committing;
mod doing;
mod follow_up;
mod outcomes;
mod undeliverable;
mod unreadable;

pub use committing::{Attempt, Committing, Decided, Ended};
pub use doing::Doing;
pub use follow_up::{ask, retire};
pub use outcomes::{measure, outcomes};
pub use undeliverable::{Kept, Reported};
pub use unreadable::{readable_facts, unreadable};
