//! The whole bundle in one process, and the operator's commands.
//!
//! [`topology`] reads what there is from `infra/template.yaml`; [`connector`] answers the SDK's own HTTP port in process;
//! [`queues`] and [`mailbox`] are the services that the embedded store is not; [`engine`] runs the handlers of production
//! around them; [`replay`] plays a recorded history through it.

// The layouts of nested SDK futures go deeper than the default of 128.
#![recursion_limit = "256"]

pub mod archive;
pub mod command;
pub mod concerns;
pub mod connector;
pub mod door_troubles;
pub mod doors;
pub mod embedded;
pub mod engine;
pub mod figures;
pub mod headless;
pub mod inbound;
pub mod keep;
#[cfg(test)]
mod keep_tests;
pub mod limits;
mod lines_asked;
pub mod mailbox;
pub mod not_done;
pub mod operator;
pub mod private;
pub mod queues;
pub mod relay;
pub mod removals;
pub mod replay;
pub mod retention;
pub mod roster;
pub mod server;
pub mod sqlite;
pub mod store_guard;
pub mod timekeeper;
pub mod tls;
pub mod topology;
pub mod written;
