//! Around a decision that several functions make: committed whatever moves meanwhile, and what follows asked for.

mod notices;
mod pause;
mod undeliverable;

pub use notices::ask;
pub use pause::Pause;
pub use undeliverable::{Kept, Reported};
