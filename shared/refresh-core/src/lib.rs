//! The rules of a refresh, pure: facts in, decisions out. No I/O, no clock, no randomness, no environment.
//!
//! Read in this order: [`fact`] and [`packet`] (what there is), [`refresh()`] (what happens), [`slot`] and [`coverage`]
//! (why that slot and those people), [`view`] and [`notice`] (who is told what), [`lineage`] (what is remembered).

pub mod acknowledgement;
pub mod adoption;
pub mod authority;
pub mod availability;
pub mod booking;
pub mod clockwork;
pub mod commit;
pub mod coverage;
pub mod decision;
pub mod delivery;
pub mod delta;
pub mod digest;
mod escalation;
pub mod event;
pub mod exception;
pub mod fact;
pub mod freeze;
mod gap;
pub mod grid;
pub mod instant;
mod issuance;
pub mod landscape;
pub mod lineage;
pub mod message;
pub mod name;
pub mod notice;
pub mod packet;
pub mod people;
pub mod policy;
pub mod refresh;
pub mod report;
pub mod review;
mod settlement;
pub mod situation;
pub mod slot;
pub mod telling;
pub mod trace;
pub mod turn;
pub mod view;
pub mod violation;
pub mod waiver;
pub mod working_hours;
pub mod zone;

pub use instant::{Instant, Interval};
pub use name::{Calendar, ChangeId, Checkpoint, EventId, Person, ReviewId, Role, Service, Source};
pub use trace::TraceId;
pub use zone::Zone;
