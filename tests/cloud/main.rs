//! What is deployed: the template held against the code, and the binaries as the cloud runs them.

// The layouts of nested SDK futures go deeper than the default of 128.
#![recursion_limit = "256"]

mod deployed;
mod graph;
mod lifecycle;
mod operated;
mod permissions;
mod replies;
mod reports;
mod rollout;
mod shell;
mod template;
mod transformed;
mod wire;
