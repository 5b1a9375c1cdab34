//! What the store's tests stand on.

pub mod engine;
pub mod samples;
