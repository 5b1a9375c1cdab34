//! The product as a function of its inputs: a recorded history through the very handlers that production runs, on a
//! store in memory and a virtual clock.

mod answer;
pub(crate) mod mailed;
mod player;
mod polled;
mod records;
pub mod scenario;
mod told;

pub use answer::adoption_path;
pub use player::{Played, Player, play, replay};
pub use records::{Record, Records, What, listed, open};
pub use scenario::{Malformed, Scenario};
pub use told::in_words;

/// How a review stands, as the contract's `state` record has it.
pub async fn state_of(
    store: &packet_store::Store,
    head: &refresh_core::record::review::Head,
) -> Result<records::StateRecord, String> {
    records::state(store, head).await.map_err(|why| why.to_string())
}
