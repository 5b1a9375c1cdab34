//! Mails each person the difference between what they were last told and what is so now. The difference is taken when the
//! mail is made, not when something changes: what changed and changed back is no mail.

#![warn(missing_docs, clippy::missing_errors_doc)]

mod env;
mod group;
mod look;
mod mail;
mod random;
mod refused;
mod round;
mod seats;
mod under_way;

use aws_lambda_events::sqs::SqsEvent;
use lambda_shell::{
    batch::{self, BatchReport},
    deadline::Deadline,
};

pub use env::{Env, Postage};
pub use round::Notified;

/// Takes one batch of notices messages: one round over the people of each review.
pub async fn handle(env: &Env, event: SqsEvent, deadline: Deadline) -> BatchReport<Notified> {
    batch::each(event, &deadline, |message| round::take(env, message, deadline)).await
}
