//! What source systems say, read: native payloads and envelopes become events of the contract. Pure: no I/O, no clock.
//!
//! | module | takes | gives |
//! |---|---|---|
//! | [`contract`] | a CloudEvent of the contract | [`refresh_core::facts::event::Event`], or every fault in it |
//! | [`envelope`] | an SNS or EventBridge envelope | what is inside |
//! | [`http`] | a request of the CloudEvents HTTP binding | the events in it, one JSON text each |
//! | [`hook`] | a webhook as its system posts it | whether the system sent the webhook, and the message for the queue |
//! | [`native`] | what a source system sends by itself | CloudEvents of the contract |
//! | [`mail`] | the mailer's report on a message of ours | what became of it |
//! | [`poll`] | a system's answers, page by page | the questions, and the messages for the queue |
//! | [`policy`] | `infra/policy.json` | the deployment's policy and the bindings of native payloads |
//! | [`reader`] | a JSON value | its members, with every fault in them by path |
//! | [`read`](fn@read) | any body on the queue | all of the above, in that order |
//!
//! Two rules hold throughout. Everything wrong with an input is said at once ([`Fault`], by JSON path). And what the
//! product has no use for is dropped here, by types that have no place for it: nothing behind this crate can store,
//! log or mail what it never got. Why it is as it is: `DESIGN.md` beside this crate's manifest.

#![warn(missing_docs, clippy::missing_errors_doc)]

pub mod contract;
pub mod envelope;
pub mod fault;
pub mod hook;
pub mod http;
pub mod json;
pub mod mail;
pub mod native;
pub mod policy;
pub mod poll;
pub mod read;
pub mod reader;
mod rules;

pub use contract::parse;
pub use fault::{Fault, PayloadOrigin, Refused};
pub use http::parse_batch;
pub use mail::MailReport;
pub use native::{Bindings, Format, LARGEST_MAIL, SkippedPart, WITHHELD, translate, without_private};
pub use read::{Addressed, ReadBody, RefusedRecord, read, record_of};
