//! The cloud stand-in and what is needed to talk to it: for the suites that meet the bundle over real HTTP.

pub mod binaries;
pub mod browser;
pub mod http;
pub mod ministack;
pub mod runtime;
pub mod stack;
pub mod tools;
