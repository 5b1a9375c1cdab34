//! What follows a decision that was made on a page.

use lambda_shell::metrics::Metrics;
use refresh_core::{Instant, audience::deadlines, record::commit::Commit};

use crate::Env;

/// Counts what was decided, and asks for the notices that a written decision made due. The decision stands whether or not this gets through: if it
/// does not, the next tick finds what is owed.
pub async fn follow_up(env: &Env, commit: &Commit, now: Instant) {
    let head = &commit.head;
    decisions::measure(commit);
    Metrics::new("Holdpoint")
        .count("AnswersOutstanding", deadlines::awaited(head, now))
        .property("review_id", head.review.as_str())
        .emit(now.millis());
    if let Err(failure) = decisions::ask(&env.notices, head, now).await {
        failure.log("the notices could not be asked for; a tick will");
    }
}
