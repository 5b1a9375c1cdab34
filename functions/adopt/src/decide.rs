//! The POST: the form is checked, the choice is computed again from the newest facts, and what comes of it is one
//! transaction.

use decisions::{Attempt, Committing, Decided};
use lambda_shell::{Failure, deadline::Deadline, web::Request};
use presentation::{
    link::Purpose,
    page::{AnswerTo, ChosenButton, Hint, Page, Returned, failure::no_link},
};
use refresh_core::{
    base::fingerprint::ProposalFingerprint,
    decide::{
        adopt::{self, Answered, DecisionAttempt, Wish},
        send_link,
    },
    record::lineage::AnswerResult,
};
use signed_pages::{Env, Opened, Posted, follow_up, open};

use crate::show;

pub(crate) async fn page(env: &Env, text: &str, request: &Request, deadline: Deadline) -> Result<Page, Failure> {
    let Some(opened) = open(env, text, Purpose::Adopt).await? else { return Ok(no_link()) };
    let Some(proposal) = opened.token.proposal() else { return Ok(no_link()) };
    let (wish, reason) = match wished(env, &opened, request) {
        Ok(wished) => wished,
        Err(returned) => return show::present(env, &opened, Some(returned)).await,
    };
    let attempt = DecisionAttempt {
        by: opened.reader.clone(),
        proposal,
        wish,
        reason,
        trace: opened.token.trace,
        as_operator: false,
    };
    let committing = Committing { store: &env.store, jitter: &env.jitter, deadline };
    let decided = committing.decide("committing the decision", |_: Attempt| decide(env, &opened, &attempt)).await?;
    let (commit, answered) = decided.or_failure("deciding")?;
    let Some(answered) = answered else { return Ok(no_link()) };
    if let Some(commit) = commit {
        follow_up(env, &commit, commit.head.at).await;
    }
    tracing::info!(result = answered.result.word(), "answered");
    if answered.result == AnswerResult::Shown {
        // Only an expired proposal can be asked for again. The reader asked for an open one, so the page shows the open proposal again.
        let returned = Returned { hint: Hint::StillOpen, written: attempt.reason.unwrap_or_default() };
        return show::present(env, &opened, Some(returned)).await;
    }
    receipt(env, &opened, proposal, answered).await
}

/// What the form says, if it is one of ours and chosen by somebody.
fn wished(env: &Env, opened: &Opened, request: &Request) -> Result<(Wish, Option<String>), Returned> {
    let posted = Posted::read(env, opened, request, "reason")?;
    let wish = match posted.chosen("choice", ChosenButton::parse)? {
        ChosenButton::Adopt => Wish::Adopt,
        ChosenButton::DeclineOtherSlot => Wish::DeclineOtherSlot,
        ChosenButton::DeclineStand => Wish::DeclineStand,
        ChosenButton::AskAgain => Wish::AskAgain,
        ChosenButton::SendLink => Wish::SendLink,
    };
    Ok((wish, posted.note()?))
}

/// HEAD first, then the facts; what is decided stands on both.
async fn decide(env: &Env, opened: &Opened, attempt: &DecisionAttempt) -> Result<Decided<Option<Answered>>, Failure> {
    let Some(read) = opened.read_to_decide(env).await? else { return Ok(Decided::Nothing(None)) };
    let answer = if attempt.wish == Wish::SendLink { send_link::send_link } else { adopt::decide };
    let mut answered = answer(&read.review, &read.facts, &env.deployment, attempt, read.now);
    Ok(Decided::of(answered.commit.take(), Some(answered)))
}

/// The page after it, from what is written now.
async fn receipt(
    env: &Env,
    opened: &Opened,
    proposal: ProposalFingerprint,
    answered: Answered,
) -> Result<Page, Failure> {
    let Some(read) = opened.read(env).await? else { return Ok(no_link()) };
    let decided = read.review.head.past.iter().rev().find(|past| past.fingerprint() == proposal).cloned();
    let before = answered.before.or(decided);
    show::render(env, opened, &read, (answered.result, before), None, AnswerTo::Post)
}
