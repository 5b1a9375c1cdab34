//! Asking notify for a round.

use lambda_shell::{
    Doing, Failure,
    queue::{LONGEST_DELAY_SECONDS, Outgoing, Queue},
};
use refresh_core::{
    Instant,
    record::{message::NoticesDue, review::Head},
};

/// One message a review, delayed until somebody may be owed something. What is farther off than a message can be delayed
/// is left to the tick, and so is nothing at all.
pub async fn ask(notices: &Queue, head: &Head, now: Instant) -> Result<(), Failure> {
    let Some(due) = NoticesDue::of(head) else { return Ok(()) };
    let Some(delay) = due.delay(now, LONGEST_DELAY_SECONDS) else { return Ok(()) };
    let message = Outgoing::json(&due).doing("writing the notices message")?.delayed(delay);
    notices.send(message).await.doing("asking for the notices")
}
