//! What follows a decision that was made on a page.

use lambda_shell::{
    Doing, Failure,
    metrics::Metrics,
    queue::{LONGEST_DELAY_SECONDS, Outgoing},
};
use refresh_core::{Instant, clockwork, message::NoticesDue, review::Head};

use crate::Env;

/// Asks for the notices that a written decision made due. The decision stands whether or not this gets through: if it
/// does not, the next tick finds what is owed.
pub async fn follow_up(env: &Env, head: &Head, now: Instant) -> Result<(), Failure> {
    Metrics::new("Holdpoint")
        .count("AnswersOutstanding", clockwork::awaited(head, now))
        .property("review_id", head.review.as_str())
        .emit(now.millis());
    let Some(due) = NoticesDue::of(head) else { return Ok(()) };
    let Some(delay) = due.delay(now, LONGEST_DELAY_SECONDS) else { return Ok(()) };
    let message = Outgoing::json(&due).doing("writing the notices message")?.delayed(delay);
    if let Err(error) = env.notices.send(message).await {
        tracing::error!(error = %error, "the notices could not be asked for; a tick will");
    }
    Ok(())
}
