//! Who sees what of a review, and until when do they owe an answer?

#![warn(missing_docs)]

pub mod deadlines;
pub mod issued;
pub mod open;
pub mod reading;
pub mod roles;
