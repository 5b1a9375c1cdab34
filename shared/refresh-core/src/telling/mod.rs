//! Who is told what, and what is remembered of it?

#![warn(missing_docs)]

pub mod again;
mod calendar;
pub mod owed;
pub mod reach;
pub mod sent;
pub mod told;
