//! An operator asks that somebody is mailed once more: recorded once, with what comes of it.

use decisions::{Attempt, Committing, Decided, Doing, ask, outcomes};
use lambda_shell::{Failure, deadline::Deadline, log::NOTE};
use refresh_core::{
    Instant,
    decide::resend::{self, Mailed},
    record::{
        commit::{Commit, cause},
        decision::Outcome,
        lineage::Happening,
        message::ResendRequested,
        review::Head,
    },
};

use crate::Env;

pub(crate) async fn take(env: &Env, asked: &ResendRequested, deadline: Deadline) -> Result<Vec<Outcome>, Failure> {
    tracing::info!(target: NOTE, trace_id = %asked.trigger.trace(), "");
    let committing = Committing { store: &env.store, jitter: &env.jitter, deadline };
    let ended = committing.decide("committing a mail to send again", |attempt| decide(env, asked, attempt)).await?;
    match ended.or_failure("recording a mail to send again")? {
        (Some(commit), _) => {
            decisions::measure(&commit);
            say(&commit);
            ask(&env.notices, &commit.head, commit.head.at).await?;
            Ok(outcomes(&commit))
        }
        (None, head) => {
            tracing::info!("nothing is left to record of a mail to send again");
            // Nothing to write, but an earlier delivery may have died before it asked for the notices.
            if let Some(head) = head {
                let now = Instant::from_millis(env.clock.now_millis()).max(head.at);
                ask(&env.notices, &head, now).await?;
            }
            Ok(Vec::new())
        }
    }
}

async fn decide(env: &Env, asked: &ResendRequested, attempt: Attempt) -> Result<Decided<Option<Box<Head>>>, Failure> {
    let id = &asked.review;
    let read = env.store.review(id).await.doing("reading the review")?;
    let Some(review) = read else { return Ok(Decided::Nothing(None)) };
    if attempt.counted.contains(&cause(&asked.trigger)) {
        return Ok(Decided::Nothing(Some(Box::new(review.head))));
    }
    // Nothing is registered: no version stands on a fact by it.
    let facts = env.store.facts_but_seats(id, Some(&review), &env.deployment).await.doing("reading the facts")?;
    let record = env.store.told_to(id, &asked.resend.person).await.doing("reading what one person was told")?;
    let mailed = Mailed { told: record.told.as_ref(), delivery: record.delivery.as_ref() };
    let now = Instant::from_millis(env.clock.now_millis()).max(asked.arrived);
    let commit = resend::resend(&review, &facts, &env.deployment, asked, mailed, now);
    Ok(Decided::of(commit, Some(Box::new(review.head))))
}

fn say(commit: &Commit) {
    let happenings = commit.entry.iter().flat_map(|entry| &entry.happenings);
    let mut results = happenings.filter_map(|happening| match happening {
        Happening::Answer(line) => Some(line.result.word()),
        _ => None,
    });
    let result = results.next_back().unwrap_or("known");
    tracing::info!(result, "a mail to send again was recorded");
}
