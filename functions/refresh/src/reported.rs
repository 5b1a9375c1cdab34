//! The mailer's report on a message: kept beside what its reader was told, and a decision where it did not arrive.

use decisions::{Committing, Kept, Reported, ask, outcomes};
use lambda_shell::{Failure, deadline::Deadline, log::NOTE, metrics::Metrics};
use refresh_core::{
    Instant, ReviewId,
    record::{decision::Outcome, delivery::DeliveryReport},
};

use crate::Env;

pub(crate) async fn take(
    env: &Env,
    review: &ReviewId,
    report: &DeliveryReport,
    deadline: Deadline,
) -> Result<Vec<Outcome>, Failure> {
    if let Some(trace) = report.trace {
        tracing::info!(target: NOTE, trace_id = %trace, "");
    }
    let status = report.delivery.status.word();
    let committing = Committing { store: &env.store, jitter: &env.jitter, deadline };
    let reported = Reported { committing, deployment: &env.deployment, clock: &env.clock, review, report };
    match reported.keep().await? {
        Kept::Decided(commit) => {
            let head = &commit.head;
            decisions::measure(&commit);
            tracing::warn!(status, version = head.latest, "a mail did not reach its reader");
            Metrics::new("Holdpoint")
                .dimension("Status", status)
                .count("Undeliverable", 1)
                .property("review_id", review.as_str())
                .emit(head.at.millis());
            ask(&env.notices, head, head.at).await?;
            Ok(outcomes(&commit))
        }
        Kept::OfNobody => {
            tracing::warn!(status, "a report on a mail to nobody we ever told");
            Ok(Vec::new())
        }
        Kept::Known => {
            tracing::info!(status, "what became of a mail is known");
            Ok(Vec::new())
        }
        Kept::Before(head) => {
            tracing::info!(status, "what became of a mail is known");
            // Nothing to write, but an earlier delivery may have died before it asked for the notices.
            let now = Instant::from_millis(env.clock.now_millis()).max(head.at);
            ask(&env.notices, &head, now).await?;
            Ok(Vec::new())
        }
    }
}
