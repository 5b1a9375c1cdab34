//! The POST: the form is checked, the choice is computed again from the newest facts, and what comes of it is one
//! transaction.

use lambda_shell::{Doing, Failure, deadline::Deadline, web::Request};
use packet_store::{Committed, KEPT_DAYS};
use presentation::{
    link::Purpose,
    page::{Choice, Hint, Page, failure::no_link},
};
use refresh_core::{
    Instant,
    base::instant::DAY,
    decide::adopt::{self, Answered, Attempt, Wish},
    record::{commit::Commit, lineage::AnswerResult, review::Standing},
};
use signed_pages::{Env, Opened, Posted, Read, open};

use crate::show;

pub(crate) async fn page(env: &Env, text: &str, request: &Request, deadline: Deadline) -> Result<Page, Failure> {
    let Some(opened) = open(env, text, Purpose::Adopt).await? else { return Ok(no_link()) };
    let (wish, reason) = match wished(env, &opened, request) {
        Ok(wished) => wished,
        Err(hint) => return show::present(env, &opened, Some(hint)).await,
    };
    let attempt =
        Attempt { by: opened.reader.clone(), proposal: opened.token.thing, wish, reason, trace: opened.token.trace };
    loop {
        let Some((read, answered)) = decide(env, &opened, &attempt).await? else { return Ok(no_link()) };
        if let Some(commit) = &answered.commit {
            match env.store.commit(commit).await.doing("committing the decision")? {
                Committed::Written => follow_up(env, commit, read.now).await,
                Committed::Superseded | Committed::AlreadyWritten(_) if deadline.is_near() => {
                    return Err(Failure::new("deciding", "another decision was always quicker"));
                }
                Committed::Superseded | Committed::AlreadyWritten(_) => continue,
            }
        }
        tracing::info!(result = answered.result.word(), "answered");
        return receipt(env, &opened, answered).await;
    }
}

/// What the form says, if it is one of ours and chosen by somebody.
fn wished(env: &Env, opened: &Opened, request: &Request) -> Result<(Wish, Option<String>), Hint> {
    let posted = Posted::read(env, opened, request)?;
    let wish = match posted.chosen("choice", Choice::parse)? {
        Choice::Adopt => Wish::Adopt,
        Choice::DeclineOtherSlot => Wish::DeclineOtherSlot,
        Choice::DeclineStand => Wish::DeclineStand,
        Choice::AskAgain => Wish::AskAgain,
    };
    Ok((wish, posted.note("reason")?))
}

/// HEAD first, then the facts; what is decided stands on both.
async fn decide(env: &Env, opened: &Opened, attempt: &Attempt) -> Result<Option<(Read, Answered)>, Failure> {
    let Some(read) = opened.read_to_decide(env).await? else { return Ok(None) };
    let answered = if opened.expired && attempt.wish != Wish::AskAgain {
        Answered { result: AnswerResult::Expired, before: None, commit: None }
    } else {
        adopt::decide(&read.review, &read.facts, &env.deployment, attempt, read.now)
    };
    Ok(Some((read, answered)))
}

async fn follow_up(env: &Env, commit: &Commit, now: Instant) {
    signed_pages::follow_up(env, commit, now).await;
    let head = &commit.head;
    // An adopted cancellation ends the review: facts need not look it up for ever.
    if head.standing != Standing::Open {
        let expires = now.plus_millis(KEPT_DAYS * DAY);
        if let Err(error) = env.store.retire(&head.review, expires).await {
            tracing::error!(error = %error, "the dependencies could not be retired");
        }
    }
}

/// The page after it, from what is written now.
async fn receipt(env: &Env, opened: &Opened, answered: Answered) -> Result<Page, Failure> {
    let Some(read) = opened.read(env).await? else { return Ok(no_link()) };
    let decided = read.review.head.past.iter().rev().find(|past| past.id.short() == opened.token.thing).cloned();
    let before = answered.before.or(decided);
    show::render(env, opened, &read, (answered.result, before), None, true)
}
