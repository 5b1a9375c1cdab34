//! The mailer's report on a message: kept beside what its reader was told, and a decision where it did not arrive.

use lambda_shell::{Doing, Failure, deadline::Deadline, metrics::Metrics};
use packet_store::Committed;
use refresh_core::{
    Instant, ReviewId,
    decision::Outcome,
    delivery::{self, Report},
    message::NoticesDue,
};

use crate::{
    Env,
    turn::{Pause, ask, outcomes},
};

/// Known first, decided second: whoever dies in between gets the message again, and neither is done twice.
pub(crate) async fn take(
    env: &Env,
    id: &ReviewId,
    report: &Report,
    deadline: Deadline,
) -> Result<Vec<Outcome>, Failure> {
    let status = &report.delivery.status;
    if !env.store.report(id, report).await.doing("recording what became of a mail")? {
        tracing::warn!(status = status.word(), "a report on a mail to nobody we ever told");
        return Ok(Vec::new());
    }
    if status.undeliverable().is_none() {
        return Ok(Vec::new());
    }
    let mut pause = Pause::default();
    loop {
        let Some(review) = env.store.review(id).await.doing("reading the review")? else { return Ok(Vec::new()) };
        let facts = env.store.facts_of(id, Some(&review), &env.deployment).await.doing("reading the facts")?;
        let now = Instant::from_millis(env.clock.now_millis()).max(review.head.at);
        let Some(commit) = delivery::undeliverable(&review, &facts, &env.deployment, report, now) else {
            // Nothing to write, but an earlier delivery may have died before it asked for the notices.
            if let Some(due) = NoticesDue::of(&review.head) {
                ask(env, due, now).await?;
            }
            return Ok(Vec::new());
        };
        match env.store.commit(&commit).await.doing("committing that a mail did not arrive")? {
            Committed::Written => {}
            Committed::AlreadyWritten(_) | Committed::Superseded if deadline.is_near() => {
                return Err(Failure::new("deciding", "another decision was always quicker; the deadline is near"));
            }
            Committed::AlreadyWritten(_) | Committed::Superseded => {
                pause.wait(&env.clock).await;
                continue;
            }
        }
        if let Some(due) = NoticesDue::of(&commit.head) {
            ask(env, due, now).await?;
        }
        tracing::warn!(status = status.word(), "a mail did not reach its reader");
        Metrics::new("Holdpoint")
            .dimension("Status", status.word())
            .count("Undeliverable", 1)
            .property("review_id", id.as_str())
            .emit(now.millis());
        return Ok(outcomes(&commit));
    }
}
