//! What do the sources say, and who may say it?

#![warn(missing_docs)]

pub mod authority;
pub mod event;
pub mod fact;
pub mod policy;
pub mod subject;
