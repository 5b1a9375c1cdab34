//! The POST: the form is checked, the answer is recorded with the row it is to.

use lambda_shell::{
    Doing, Failure,
    deadline::Deadline,
    form,
    queue::{LONGEST_DELAY_SECONDS, Outgoing},
    web::Request,
};
use packet_store::Committed;
use presentation::{
    link::{self, SealRefusal},
    page::{Hint, Page, failure::no_link},
    text::LONGEST_NOTE,
};
use refresh_core::{Instant, ReviewId, acknowledgement, lineage::AnswerResult, message::NoticesDue, review::Reply};

use crate::{
    Env,
    link::{Opened, open, state},
    show,
};

pub(crate) async fn page(env: &Env, text: &str, request: &Request, deadline: Deadline) -> Result<Page, Failure> {
    let Some(opened) = open(env, text).await? else { return Ok(no_link()) };
    if opened.expired {
        return show::present(env, &opened, None).await;
    }
    let said = match said(env, &opened, text, request) {
        Ok(said) => said,
        Err(hint) => return show::present(env, &opened, Some(hint)).await,
    };
    let result = loop {
        let Some(review) = env.store.review(&opened.review).await.doing("reading the review")? else {
            return Ok(no_link());
        };
        let facts =
            env.store.facts_of(&opened.review, Some(&review), &env.deployment).await.doing("reading the facts")?;
        let now = Instant::from_millis(env.clock.now_millis()).max(review.head.at);
        let (by, row) = (&opened.reader, opened.token.thing);
        let answered = acknowledgement::answer(&review, &facts, &env.deployment, by, row, said.clone(), now);
        let Some(commit) = &answered.commit else { break answered.result };
        match env.store.commit(commit).await.doing("committing the answer")? {
            Committed::Written => {
                ask(env, &opened.review, commit.head.notices_at, now).await?;
                break answered.result;
            }
            Committed::Superseded | Committed::AlreadyWritten(_) if deadline.is_near() => {
                return Err(Failure::new("recording an answer", "another decision was always quicker"));
            }
            Committed::Superseded | Committed::AlreadyWritten(_) => {}
        }
    };
    tracing::info!(review_id = %opened.review, result = result.word(), "answered");
    receipt(env, &opened, result).await
}

/// What the form says, if it is one of ours, sent from our page, and chosen by somebody.
fn said(env: &Env, opened: &Opened, text: &str, request: &Request) -> Result<(Reply, Option<String>), Hint> {
    let fields = form::read(request).map_err(|_| Hint::SealRefused)?;
    if !request.is_from_own_page(&env.link_base) {
        return Err(Hint::SealRefused);
    }
    let now = Instant::from_millis(env.clock.now_millis());
    let seal = form::field(&fields, "seal").unwrap_or_default();
    match link::form_check(seal, &env.keys, text, &state(&opened.token), now) {
        Ok(_) | Err(SealRefusal::OtherState { .. }) => {}
        Err(SealRefusal::Forged | SealRefusal::TooOld { .. }) => return Err(Hint::SealRefused),
    }
    let reply = match form::field(&fields, "answer") {
        Some("acknowledged") => Reply::Acknowledged,
        Some("conflict") => Reply::Conflict,
        _ => return Err(Hint::NothingChosen),
    };
    let note = form::field(&fields, "note").map(str::trim).filter(|note| !note.is_empty());
    if note.is_some_and(|note| note.chars().count() > LONGEST_NOTE) {
        return Err(Hint::TooLong);
    }
    Ok((reply, note.map(str::to_owned)))
}

async fn ask(env: &Env, review: &ReviewId, at: Option<Instant>, now: Instant) -> Result<(), Failure> {
    let Some(due) = at.map(|at| NoticesDue { review: review.clone(), at }) else { return Ok(()) };
    let Some(delay) = due.delay(now, LONGEST_DELAY_SECONDS) else { return Ok(()) };
    let message = Outgoing::json(&due).doing("writing the notices message")?.delayed(delay);
    // The answer stands whether or not this gets through: if it does not, the next tick finds what is owed.
    if let Err(error) = env.notices.send(message).await {
        tracing::error!(review_id = %review, error = %error, "the notices could not be asked for; a tick will");
    }
    Ok(())
}

/// The page after it, from what is written now.
async fn receipt(env: &Env, opened: &Opened, result: AnswerResult) -> Result<Page, Failure> {
    let Some(read) = opened.read(env).await? else { return Ok(no_link()) };
    show::render(env, opened, &read, result, None, true).await
}
