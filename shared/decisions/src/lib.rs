//! Around a decision that several functions make: committed whatever moves meanwhile, counted, and what follows done.

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
