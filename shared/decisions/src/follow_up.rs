//! What follows a commit. It follows from HEAD alone, so whoever finds HEAD as it is does it again: a redelivery that has
//! nothing to decide, or the refresh that a tick asks for.

use lambda_shell::{
    Failure,
    queue::{LONGEST_DELAY_SECONDS, Outgoing, Queue},
};
use packet_store::{KEPT_DAYS, Store};
use refresh_core::{
    Instant,
    base::instant::DAY,
    record::{message::NoticesDue, review::Head},
};

use crate::Doing;

/// One message a review, delayed until somebody may be owed something. Where other reviews are to be asked about seats
/// that changed, another one comes at once. What is farther off than a message can be delayed is left to the tick, and so
/// is nothing at all.
///
/// # Errors
///
/// The queue did not take the message.
pub async fn ask(notices: &Queue, head: &Head, now: Instant) -> Result<(), Failure> {
    for due in NoticesDue::of(head).into_iter().chain(NoticesDue::after_quiet(head)) {
        let Some(delay) = due.delay(now, LONGEST_DELAY_SECONDS) else { continue };
        let message = Outgoing::json(&due).doing("writing the notices message")?.delayed(delay);
        notices.send(message).await.doing("asking for the notices")?;
    }
    Ok(())
}

/// Facts need not look up a review for ever that has ended. Nothing of one that is open.
///
/// # Errors
///
/// The store's.
pub async fn retire(store: &Store, head: &Head, now: Instant) -> Result<(), Failure> {
    if head.is_ended() {
        let expires = now.plus_millis(KEPT_DAYS * DAY);
        store.retire(&head.review, expires).await.doing("retiring the review's dependencies")?;
    }
    Ok(())
}
