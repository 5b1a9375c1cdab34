//! What do the sources say, and who may say it?

pub mod authority;
pub mod entries;
pub mod event;
pub mod evidence;
pub mod expected;
pub mod fact;
pub mod operator;
pub mod places;
pub mod policy;
pub mod reply;
pub mod revision;
pub mod seat;
pub mod subject;
