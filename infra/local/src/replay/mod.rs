//! The product as a function of its inputs: a recorded history through the very handlers that production runs, on a
//! store in memory and a virtual clock.

mod answer;
mod player;
mod records;
pub mod scenario;
mod told;

pub use player::{Player, replay};
pub use records::{Record, Records};
pub use scenario::{Malformed, Scenario};
pub use told::in_words;
