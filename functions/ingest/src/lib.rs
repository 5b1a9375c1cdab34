//! Source event -> fact. Writes EVENT and FACT first, looks up the reviews that depend on the subject second, and asks
//! for their refresh: always, whatever the write said, since an earlier delivery may have died before it asked.

#![warn(missing_docs, clippy::missing_errors_doc)]

mod door;
mod env;
mod no_fact;
mod receipt;
mod record;
mod take;
mod taken;
mod together;

use aws_lambda_events::sqs::SqsEvent;
use lambda_shell::{
    batch::{self, BatchReport},
    deadline::Deadline,
};

pub use door::{HookRefused, post, proven};
pub use env::Env;
pub use receipt::{HourlyReceipts, Piece};
pub use taken::Taken;
use together::Together;

/// Takes one batch of source events. One queue message may carry several events, where it is a native payload. What the
/// events of a batch need alike is read and written together; each is judged, recorded and answered by itself. What they ask
/// for is sent last.
pub async fn handle(env: &Env, event: SqsEvent, deadline: Deadline) -> BatchReport<Vec<Taken>> {
    let messages = match batch::read(event) {
        Ok(messages) => messages,
        Err(failure) => return batch::refuse(failure),
    };
    let together = &batch::before_each(&deadline, || Together::take(env, &messages)).await;
    let mut report =
        batch::each_of(messages, &deadline, |message| take::message(env, together, message, deadline)).await;
    if let Err(failure) = together.ask(env).await {
        report.fail(&failure);
    }
    report
}
