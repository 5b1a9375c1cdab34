//! The mailer will not send a message: kept as what is known of it, and decided on like any mail that did not arrive.

use lambda_shell::{Doing, Failure, deadline::Deadline, metrics::Metrics};
use packet_store::Committed;
use refresh_core::{
    Instant, Person, ReviewId,
    delivery::{self, Delivery, Report, Status},
};

use crate::Env;

/// Before the claim is given back: whoever dies in here leaves the mail in doubt, it is refused again, and comes here.
/// The message never got an id of the mailer's, so it is known by its claim.
pub(crate) async fn remember(
    env: &Env,
    id: &ReviewId,
    to: &Person,
    claimed_by: &str,
    reason: &str,
    deadline: Deadline,
) -> Result<(), Failure> {
    let at = Instant::from_millis(env.clock.now_millis());
    let delivery = Delivery { message_id: claimed_by.to_owned(), mailed_at: at, at, status: Status::rejected(reason) };
    let report = Report { to: to.clone(), delivery };
    env.store.report(id, &report).await.doing("recording that a mail was refused")?;
    loop {
        let Some(review) = env.store.review(id).await.doing("reading the review")? else { return Ok(()) };
        let facts = env.store.facts_seen(id, Some(&review), &env.deployment).await.doing("reading the facts")?;
        let now = at.max(review.head.at);
        let Some(commit) = delivery::undeliverable(&review, &facts, &env.deployment, &report, now) else { break };
        match env.store.commit(&commit).await.doing("committing that a mail was refused")? {
            Committed::Written => break,
            Committed::AlreadyWritten(_) | Committed::Superseded if deadline.is_near() => {
                return Err(Failure::new("deciding", "another decision was always quicker; the deadline is near"));
            }
            Committed::AlreadyWritten(_) | Committed::Superseded => {}
        }
    }
    tracing::error!(review_id = %id, "the mailer refused a mail; it is not tried again");
    Metrics::new("Holdpoint").count("MailsRefused", 1).property("review_id", id.as_str()).emit(at.millis());
    Ok(())
}
