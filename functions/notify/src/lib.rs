//! LastNotified against now -> mail. What a person is owed is the difference between what they were told and what is: looked at
//! when the mail is made, not when something changed.

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

pub async fn handle(env: &Env, event: SqsEvent, deadline: Deadline) -> BatchReport<Notified> {
    batch::each(event, &deadline, |message| round::take(env, message, deadline)).await
}
