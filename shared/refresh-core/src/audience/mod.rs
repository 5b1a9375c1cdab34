//! Who sees what of a review, and until when do they owe an answer?

pub mod deadlines;
pub mod issued;
pub mod open;
pub mod reading;
pub mod roles;
