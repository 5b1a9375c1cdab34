//! The rules of a refresh, pure: facts in, decisions out. No I/O, no clock, no randomness, no environment.
//!
//! Each folder answers one question. A folder imports from the folders below it in this list and from no other:
//!
//! | folder | question |
//! |---|---|
//! | [`decide`] | What is decided? One file a decision. |
//! | [`telling`] | Who is told what, and what is remembered of it? |
//! | [`audience`] | Who sees what of a review, and until when? |
//! | [`choice`] | Is this slot viable, and which slot and people are chosen? |
//! | [`record`] | What is written and sent? Data alone. |
//! | [`facts`] | What do the sources say, and who may say it? |
//! | [`base`] | What are names, instants, zones, digests and traces? |
//!
//! A stranger starts at [`decide::refresh`]. An item has one path. The names below stand at the crate's root and are
//! imported from there; every other item is imported from its folder and file.

#![warn(missing_docs, clippy::missing_errors_doc)]

pub mod audience;
pub mod base;
pub mod choice;
pub mod decide;
pub mod facts;
pub mod record;
pub mod telling;

pub use base::{
    instant::{Instant, Interval},
    name::{Calendar, ChangeId, Checkpoint, DiaryName, EventId, Person, ReviewId, Role, Service, Source},
    trace::TraceId,
    uid::{LONGEST_UID, Uid},
    zone::Zone,
};
