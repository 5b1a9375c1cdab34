//! The outside of a function: batches, URL events, queues, settings, logs, metrics. It knows no word of the domain.
//!
//! A function's `main.rs` is [`start`]; what a handler is given is [`batch`] or [`web`] and a [`deadline`]; what it
//! reaches out with is [`queue`] and the clients of [`aws`].

#![warn(missing_docs, clippy::missing_errors_doc)]

pub mod aws;
pub mod batch;
pub mod clock;
pub mod connections;
pub mod deadline;
pub mod failure;
pub mod form;
pub mod jitter;
pub mod log;
pub mod metrics;
pub mod queue;
pub mod settings;
pub mod start;
pub mod web;

pub use failure::Failure;
