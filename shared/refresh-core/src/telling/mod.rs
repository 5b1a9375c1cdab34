//! Who is told what, and what is remembered of it?

pub mod again;
pub mod calendar;
pub mod carried;
mod outlook;
pub mod owed;
pub mod reach;
pub mod sent;
pub mod told;
mod why;
