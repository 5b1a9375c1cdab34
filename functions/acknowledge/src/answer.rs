//! The POST: the form is checked, the answer is recorded with the row it is to.

use decisions::{Attempt, Committing, Decided};
use lambda_shell::{Failure, deadline::Deadline, web::Request};
use presentation::{
    link::Purpose,
    page::{AnswerTo, Page, Returned, failure::no_link},
};
use refresh_core::{
    decide::acknowledge::{self, AnswerAttempt},
    record::{answer::Reply, lineage::AnswerResult},
};
use signed_pages::{Env, Opened, Posted, follow_up, open};

use crate::show;

pub(crate) async fn page(env: &Env, text: &str, request: &Request, deadline: Deadline) -> Result<Page, Failure> {
    let Some(opened) = open(env, text, Purpose::Acknowledge).await? else { return Ok(no_link()) };
    let Some(row) = opened.token.row() else { return Ok(no_link()) };
    let (reply, note) = match said(env, &opened, request) {
        Ok(said) => said,
        Err(returned) => return show::present(env, &opened, Some(returned)).await,
    };
    let Opened { token, reader, .. } = &opened;
    let attempt = AnswerAttempt { by: reader.clone(), row, reply, note, trace: token.trace };
    let committing = Committing { store: &env.store, jitter: &env.jitter, deadline };
    let decided = committing.decide("committing the answer", |_: Attempt| decide(env, &opened, &attempt)).await?;
    let (commit, result) = decided.or_failure("recording an answer")?;
    let Some(result) = result else { return Ok(no_link()) };
    if let Some(commit) = commit {
        follow_up(env, &commit, commit.head.at).await;
    }
    tracing::info!(result = result.word(), "answered");
    receipt(env, &opened, result).await
}

async fn decide(env: &Env, opened: &Opened, attempt: &AnswerAttempt) -> Result<Decided<Option<AnswerResult>>, Failure> {
    // An answer is about the row somebody was told, whatever newer facts say: it depends on none of them.
    let Some(read) = opened.read(env).await? else { return Ok(Decided::Nothing(None)) };
    let answered = acknowledge::answer(&read.review, &read.facts, &env.deployment, attempt, read.now);
    Ok(Decided::of(answered.commit, Some(answered.result)))
}

/// What the form says, if it is one of ours and chosen by somebody.
fn said(env: &Env, opened: &Opened, request: &Request) -> Result<(Reply, Option<String>), Returned> {
    let posted = Posted::read(env, opened, request, "note")?;
    let reply = posted.chosen("answer", |word| match word {
        "acknowledged" => Some(Reply::Acknowledged),
        "conflict" => Some(Reply::Conflict),
        _ => None,
    })?;
    Ok((reply, posted.note()?))
}

/// The page after it, from what is written now.
async fn receipt(env: &Env, opened: &Opened, result: AnswerResult) -> Result<Page, Failure> {
    let Some(read) = opened.read(env).await? else { return Ok(no_link()) };
    show::render(env, opened, &read, result, None, AnswerTo::Post).await
}
