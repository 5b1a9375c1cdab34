//! What is decided? One file a decision.

pub mod acknowledge;
pub mod adopt;
pub mod draft;
mod escalate;
mod expiry;
mod follow;
mod issue;
pub mod no_fact;
mod operator;
mod quiet;
pub mod refresh;
pub mod reply;
pub mod resend;
pub mod send_link;
pub mod undeliverable;
