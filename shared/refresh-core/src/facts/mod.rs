//! What do the sources say, and who may say it?

pub mod authority;
pub mod event;
pub mod fact;
pub mod policy;
pub mod subject;
