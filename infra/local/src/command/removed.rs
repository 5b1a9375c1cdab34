//! `holdpoint removed`: which reviews `compact` removed, when, in whose name and why.

use clap::Args;
use refresh_core::ReviewId;

use super::{Common, Deployment, Failed, ask};
use crate::{
    operator::{RemovalsAsked, Request},
    removals::A_PAGE,
};

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// List what is known of the review of this id alone.
    review: Option<ReviewId>,
    /// Print this many reviews at most.
    #[arg(long, value_name = "REVIEWS", default_value_t = A_PAGE)]
    limit: usize,
    /// Go on before the line of this number: what the page before printed last.
    #[arg(long, value_name = "NUMBER")]
    before: Option<i64>,
}

/// Lists them, the newest first.
///
/// # Errors
/// A limit out of bounds, as malformed input; what the store said.
pub async fn run(common: &Common, options: Options) -> Result<(), Failed> {
    let Options { review, limit, before } = options;
    let asked = RemovalsAsked { review, limit: Some(limit), before };
    asked.check().map_err(Failed::input)?;
    ask::ask(common, &Deployment { stack: None }, Request::Removed(asked)).await
}
