//! The POST: the form is checked, the answer is recorded with the row it is to.

use lambda_shell::{Doing, Failure, deadline::Deadline, web::Request};
use packet_store::Committed;
use presentation::{
    link::Purpose,
    page::{Hint, Page, failure::no_link},
};
use refresh_core::{
    decide::acknowledge::{self, Attempt},
    record::{lineage::AnswerResult, review::Reply},
};
use signed_pages::{Env, Opened, Posted, follow_up, open};

use crate::show;

pub(crate) async fn page(env: &Env, text: &str, request: &Request, deadline: Deadline) -> Result<Page, Failure> {
    let Some(opened) = open(env, text, Purpose::Acknowledge).await? else { return Ok(no_link()) };
    if opened.expired {
        return show::present(env, &opened, None).await;
    }
    let (reply, note) = match said(env, &opened, request) {
        Ok(said) => said,
        Err(hint) => return show::present(env, &opened, Some(hint)).await,
    };
    let Opened { token, reader, .. } = &opened;
    let attempt = Attempt { by: reader.clone(), row: token.thing, reply, note, trace: token.trace };
    let result = loop {
        let Some(read) = opened.read_to_decide(env).await? else { return Ok(no_link()) };
        let answered = acknowledge::answer(&read.review, &read.facts, &env.deployment, &attempt, read.now);
        let Some(commit) = &answered.commit else { break answered.result };
        match env.store.commit(commit).await.doing("committing the answer")? {
            Committed::Written => {
                follow_up(env, commit, read.now).await;
                break answered.result;
            }
            Committed::Superseded | Committed::AlreadyWritten(_) if deadline.is_near() => {
                return Err(Failure::new("recording an answer", "another decision was always quicker"));
            }
            Committed::Superseded | Committed::AlreadyWritten(_) => {}
        }
    };
    tracing::info!(result = result.word(), "answered");
    receipt(env, &opened, result).await
}

/// What the form says, if it is one of ours and chosen by somebody.
fn said(env: &Env, opened: &Opened, request: &Request) -> Result<(Reply, Option<String>), Hint> {
    let posted = Posted::read(env, opened, request)?;
    let reply = posted.chosen("answer", |word| match word {
        "acknowledged" => Some(Reply::Acknowledged),
        "conflict" => Some(Reply::Conflict),
        _ => None,
    })?;
    Ok((reply, posted.note("note")?))
}

/// The page after it, from what is written now.
async fn receipt(env: &Env, opened: &Opened, result: AnswerResult) -> Result<Page, Failure> {
    let Some(read) = opened.read(env).await? else { return Ok(no_link()) };
    show::render(env, opened, &read, result, None, true).await
}
