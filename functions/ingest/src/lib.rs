//! Source event -> fact. Writes EVENT and FACT first, looks up the reviews that depend on the subject second, and asks
//! for their refresh: always, whatever the write said, since an earlier delivery may have died before it asked.

mod door;
mod env;
mod no_fact;
mod receipt;
mod record;
mod take;
mod taken;

use aws_lambda_events::sqs::SqsEvent;
use lambda_shell::{
    batch::{self, BatchReport},
    deadline::Deadline,
};

pub use door::{HookRefused, post, proven};
pub use env::Env;
pub use receipt::{HourlyReceipts, Piece};
pub use taken::Taken;

/// One queue message may carry several events, where it is a native payload.
pub async fn handle(env: &Env, event: SqsEvent, deadline: Deadline) -> BatchReport<Vec<Taken>> {
    batch::each(event, &deadline, |message| take::message(env, message, deadline)).await
}
