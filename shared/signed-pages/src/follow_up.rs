use lambda_shell::{
    Doing, Failure,
    queue::{LONGEST_DELAY_SECONDS, Outgoing},
};
use refresh_core::{Instant, message::NoticesDue, review::Head};

use crate::Env;

/// Asks for the notices that a written decision made due. The decision stands whether or not this gets through: if it
/// does not, the next tick finds what is owed.
pub async fn ask_for_notices(env: &Env, head: &Head, now: Instant) -> Result<(), Failure> {
    let Some(at) = head.notices_at else { return Ok(()) };
    let due = NoticesDue { review: head.review.clone(), at };
    let Some(delay) = due.delay(now, LONGEST_DELAY_SECONDS) else { return Ok(()) };
    let message = Outgoing::json(&due).doing("writing the notices message")?.delayed(delay);
    if let Err(error) = env.notices.send(message).await {
        tracing::error!(review_id = %head.review, error = %error, "the notices could not be asked for; a tick will");
    }
    Ok(())
}
