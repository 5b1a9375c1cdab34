//! What is written and sent? Data alone.

pub mod answer;
pub mod booking;
pub mod claim;
pub mod comment;
pub mod commit;
pub mod decision;
pub mod delivery;
pub mod delta;
pub mod exception;
pub mod last_notified;
pub mod lineage;
pub mod mark;
pub mod message;
pub mod notice;
pub mod packet;
pub mod poll;
pub mod proposal;
pub mod reason_word;
pub mod report;
pub mod review;
pub mod rule;
pub mod seats;
pub mod seats_since;
pub mod view;
