//! Who is told what, and what is remembered of it?

mod about;
pub mod again;
mod bears;
pub mod calendar;
pub mod carried;
mod causes;
mod outlook;
pub mod owed;
pub mod reach;
pub mod sent;
pub mod told;
mod why;
