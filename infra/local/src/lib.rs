//! The whole bundle in one process, and the operator's commands.
//!
//! [`topology`] reads what there is from `infra/template.yaml`; [`connector`] answers the SDK's own HTTP port in process;
//! [`queues`] and [`mailbox`] are the services that the embedded store is not.

pub mod connector;
pub mod embedded;
pub mod mailbox;
pub mod queues;
pub mod topology;
