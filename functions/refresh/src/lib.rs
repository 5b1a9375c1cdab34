//! Facts + packet -> next version and lineage. The messages of one review in a batch are one decision; what the mailer
//! reports of a mail follows it, one decision each.

#![warn(missing_docs, clippy::missing_errors_doc)]

mod env;
mod replied;
mod reported;
mod resend;
mod turn;

use aws_lambda_events::sqs::SqsEvent;
use lambda_shell::{
    batch::{self, BatchReport},
    deadline::Deadline,
};

pub use env::Env;
pub use turn::Refreshed;

/// Takes one batch of refresh requests, group by group. A group is a review.
pub async fn handle(env: &Env, event: SqsEvent, deadline: Deadline) -> BatchReport<Refreshed> {
    batch::by_group(event, &deadline, |messages| turn::take(env, messages, deadline)).await
}
