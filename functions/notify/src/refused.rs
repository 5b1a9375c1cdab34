//! The mailer will not send a message, or there is none to send: kept as what is known of it, and decided on like any
//! mail that did not arrive.

use decisions::{Committing, Kept, Reported};
use lambda_shell::{Failure, deadline::Deadline, metrics::Metrics};
use refresh_core::{
    Instant, ReviewId,
    record::{
        delivery::{Delivery, DeliveryReport, DeliveryStatus, Undeliverable},
        notice::Notice,
    },
};

use crate::Env;

/// Before the claim is given back: whoever dies in here leaves the mail in doubt, it is refused again, and comes here.
/// The message never got an id of the mailer's, so it is known by its claim. One that could not be made costs the mailer
/// nothing, and is tried again when something of it may be another. The round goes on, and what the decision
/// makes due is found by it or by the next tick.
pub(crate) async fn remember(
    env: &Env,
    review: &ReviewId,
    notice: &Notice,
    claimed_by: &str,
    status: DeliveryStatus,
    deadline: Deadline,
) -> Result<(), Failure> {
    let at = Instant::from_millis(env.clock.now_millis());
    let delivery = Delivery { message_id: claimed_by.to_owned(), mailed_at: at, at, status };
    let made = delivery.status.undeliverable() != Some(Undeliverable::Unmailable);
    let report = &DeliveryReport { to: notice.to.clone(), delivery, trace: notice.trace };
    let committing = Committing { store: &env.store, jitter: &env.jitter, deadline };
    let reported = Reported { committing, deployment: &env.deployment, clock: &env.clock, review, report };
    if let Kept::Decided(commit) = reported.keep().await? {
        decisions::measure(&commit);
    }
    let trace = notice.trace.map(tracing::field::display);
    if made {
        tracing::error!(review_id = %review, trace_id = trace, "the mailer refused a mail; it is not tried again");
    } else {
        tracing::error!(review_id = %review, trace_id = trace, "a mail cannot be made; it is tried again within the hour");
    }
    let metrics = Metrics::new("Holdpoint").property("review_id", review.as_str());
    // Each under its own name: the names of figures are read from the sources, to be held against alarms and dashboard.
    let metrics = if made { metrics.count("MailsRefused", 1) } else { metrics.count("MailsUnmailable", 1) };
    metrics.emit(at.millis());
    Ok(())
}
