//! Is this slot viable, and which slot and people are chosen?

pub mod assignment;
pub mod availability;
pub mod candidates;
pub mod elsewhere;
mod excuse;
pub mod explanation;
pub mod freeze;
mod gap;
pub mod grid;
pub mod ours;
pub mod search;
pub mod seating;
pub mod silence;
pub mod situation;
pub mod starts;
pub mod today;
pub mod violation;
pub mod waiver;
pub mod working_hours;
