//! Around a decision that several functions make: committed whatever moves meanwhile, counted, and
//! what follows asked for.

mod notices;
mod outcomes;
mod pause;
mod undeliverable;

pub use notices::ask;
pub use outcomes::{measure, outcomes};
pub use pause::Pause;
pub use undeliverable::{Kept, Reported};
