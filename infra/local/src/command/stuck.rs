//! `holdpoint stuck`: what does not go on.

use std::path::PathBuf;

use clap::Args;

use super::{Common, Deployment, Failed, ask, policy};
use crate::operator::{Request, StuckAsked};

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Judge by the promises of this policy which sources are silent. Without it, by the engine's own; a deployment's policy is
    /// in its functions alone, so without this file only what its reviews miss is known of it.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    deployment: Deployment,
}

/// Lists it.
///
/// # Errors
/// A policy with faults, as malformed input; what the store or the queues said.
pub async fn run(common: &Common, options: &Options) -> Result<(), Failed> {
    let policy = options.policy.as_deref().map(policy::read).transpose()?;
    ask::ask(common, &options.deployment, Request::Stuck(StuckAsked { policy })).await
}
