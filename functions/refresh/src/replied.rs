//! What somebody sent back by mail: an answer or a comment, recorded once.

use decisions::{Attempt, Committing, Decided, Doing, ask, outcomes};
use lambda_shell::{Failure, deadline::Deadline, log::NOTE, metrics::Metrics};
use refresh_core::{
    Instant,
    decide::reply,
    record::{
        commit::{Commit, cause},
        decision::Outcome,
        lineage::Happening,
        message::MailReplied,
        review::Head,
    },
};

use crate::Env;

pub(crate) async fn take(env: &Env, replied: &MailReplied, deadline: Deadline) -> Result<Vec<Outcome>, Failure> {
    tracing::info!(target: NOTE, trace_id = %replied.trigger.trace(), "");
    let committing = Committing { store: &env.store, jitter: &env.jitter, deadline };
    let ended = committing.decide("committing a reply by mail", |attempt| decide(env, replied, attempt)).await?;
    match ended.or_failure("recording a reply by mail")? {
        (Some(commit), _) => {
            measure(replied, &commit);
            ask(&env.notices, &commit.head, commit.head.at).await?;
            Ok(outcomes(&commit))
        }
        (None, head) => {
            tracing::info!("nothing is left to record of a reply by mail");
            // Nothing to write, but an earlier delivery may have died before it asked for the notices.
            if let Some(head) = head {
                let now = Instant::from_millis(env.clock.now_millis()).max(head.at);
                ask(&env.notices, &head, now).await?;
            }
            Ok(Vec::new())
        }
    }
}

async fn decide(env: &Env, replied: &MailReplied, attempt: Attempt) -> Result<Decided<Option<Box<Head>>>, Failure> {
    let id = &replied.review;
    let read = env.store.review(id).await.doing("reading the review")?;
    let Some(review) = read else { return Ok(Decided::Nothing(None)) };
    if attempt.counted.contains(&cause(&replied.trigger)) {
        return Ok(Decided::Nothing(Some(Box::new(review.head))));
    }
    // Nothing is registered: no version stands on a fact by an answer.
    let facts = env.store.facts_but_seats(id, Some(&review), &env.deployment).await.doing("reading the facts")?;
    let now = Instant::from_millis(env.clock.now_millis()).max(replied.arrived);
    let commit = reply::reply(&review, &facts, &env.deployment, replied, now);
    Ok(Decided::of(commit, Some(Box::new(review.head))))
}

/// One line and one figure a reply.
fn measure(replied: &MailReplied, commit: &Commit) {
    decisions::measure(commit);
    let happenings = commit.entry.iter().flat_map(|entry| &entry.happenings);
    let mut became = happenings.filter_map(|happening| match happening {
        Happening::Answer(_) => Some("answer"),
        Happening::Comment(comment) => Some(comment.why.word()),
        _ => None,
    });
    let became = became.next_back().unwrap_or("known");
    let authentication = replied.reply.authentication.word();
    tracing::info!(became, authentication, "a reply by mail was recorded");
    Metrics::new("Holdpoint")
        .dimension("Became", became)
        .count("MailReplies", 1)
        .property("review_id", replied.review.as_str())
        .emit(commit.head.at.millis());
}
