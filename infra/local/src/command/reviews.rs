//! `holdpoint reviews`: what is open in each review, a page at a time.

use clap::Args;
use refresh_core::ReviewId;

use super::{Common, Deployment, Failed, ask};
use crate::{
    operator::{Request, ReviewsAsked},
    roster::A_PAGE,
};

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// List only reviews in which something is open, or that cannot be read.
    #[arg(long)]
    open: bool,
    /// Print this many reviews at most.
    #[arg(long, value_name = "REVIEWS", default_value_t = A_PAGE)]
    limit: usize,
    /// Go on after the review of this id: the last one of the page before.
    #[arg(long, value_name = "REVIEW")]
    after: Option<ReviewId>,
    #[command(flatten)]
    deployment: Deployment,
}

/// Lists them.
///
/// # Errors
/// A limit out of bounds, as malformed input; what the store said.
pub async fn run(common: &Common, options: Options) -> Result<(), Failed> {
    let Options { open, limit, after, deployment } = options;
    let asked = ReviewsAsked { after, open, limit: Some(limit) };
    asked.check().map_err(Failed::input)?;
    ask::ask(common, &deployment, Request::Reviews(asked)).await
}
