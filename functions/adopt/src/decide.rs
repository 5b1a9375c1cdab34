//! The POST: the form is checked, the choice is computed again from the newest facts, and what comes of it is one
//! transaction.

use lambda_shell::{
    Doing, Failure,
    deadline::Deadline,
    form,
    queue::{LONGEST_DELAY_SECONDS, Outgoing},
    web::Request,
};
use packet_store::{Committed, KEPT_DAYS};
use presentation::{
    link::{self, Purpose, SealRefusal},
    page::{Choice, Hint, Page, failure::no_link},
    text::LONGEST_NOTE,
};
use refresh_core::{
    Instant,
    adoption::{self, Answered, Attempt, Wish},
    instant::DAY,
    lineage::AnswerResult,
    message::NoticesDue,
    review::{Head, Standing},
};

use crate::{
    Env,
    link::{Opened, Read, open, state},
    show,
};

pub(crate) async fn page(env: &Env, text: &str, request: &Request, deadline: Deadline) -> Result<Page, Failure> {
    let Some(opened) = open(env, text, Purpose::Adopt).await? else { return Ok(no_link()) };
    let (wish, reason) = match wished(env, &opened, text, request) {
        Ok(wished) => wished,
        Err(hint) => return show::present(env, &opened, Some(hint)).await,
    };
    let attempt = Attempt { by: opened.reader.clone(), proposal: opened.token.thing, wish, reason };
    loop {
        let Some((read, answered)) = decide(env, &opened, &attempt).await? else { return Ok(no_link()) };
        if let Some(commit) = &answered.commit {
            match env.store.commit(commit).await.doing("committing the decision")? {
                Committed::Written => follow_up(env, &commit.head, read.now).await?,
                Committed::Superseded | Committed::AlreadyWritten(_) if deadline.is_near() => {
                    return Err(Failure::new("deciding", "another decision was always quicker"));
                }
                Committed::Superseded | Committed::AlreadyWritten(_) => continue,
            }
        }
        tracing::info!(review_id = %opened.review, result = answered.result.word(), "answered");
        return receipt(env, &opened, answered).await;
    }
}

/// What the form says, if it is one of ours, sent from our page, and chosen by somebody.
fn wished(env: &Env, opened: &Opened, text: &str, request: &Request) -> Result<(Wish, Option<String>), Hint> {
    let fields = form::read(request).map_err(|_| Hint::SealRefused)?;
    if !request.is_from_own_page(&env.link_base) {
        return Err(Hint::SealRefused);
    }
    let now = Instant::from_millis(env.clock.now_millis());
    let seal = form::field(&fields, "seal").unwrap_or_default();
    match link::form_check(seal, &env.keys, text, &state(&opened.token), now) {
        // A form of another state was ours: what became of its proposal is for the rules to say.
        Ok(_) | Err(SealRefusal::OtherState { .. }) => {}
        Err(SealRefusal::Forged | SealRefusal::TooOld { .. }) => return Err(Hint::SealRefused),
    }
    let wish = match form::field(&fields, "choice").and_then(Choice::parse) {
        Some(Choice::Adopt) => Wish::Adopt,
        Some(Choice::DeclineOtherSlot) => Wish::DeclineOtherSlot,
        Some(Choice::DeclineStand) => Wish::DeclineStand,
        Some(Choice::AskAgain) => Wish::AskAgain,
        None => return Err(Hint::NothingChosen),
    };
    let reason = form::field(&fields, "reason").map(str::trim).filter(|reason| !reason.is_empty());
    if reason.is_some_and(|reason| reason.chars().count() > LONGEST_NOTE) {
        return Err(Hint::TooLong);
    }
    Ok((wish, reason.map(str::to_owned)))
}

/// HEAD first, then the facts; what is decided stands on both.
async fn decide(env: &Env, opened: &Opened, attempt: &Attempt) -> Result<Option<(Read, Answered)>, Failure> {
    let Some(review) = env.store.review(&opened.review).await.doing("reading the review")? else { return Ok(None) };
    let facts = env.store.facts_of(&opened.review, Some(&review), &env.deployment).await.doing("reading the facts")?;
    let Some(terms) = facts.terms(&opened.review) else { return Ok(None) };
    let policy = env.deployment.defaults.with(&terms.policy);
    let now = Instant::from_millis(env.clock.now_millis()).max(review.head.at);
    let answered = if opened.expired && attempt.wish != Wish::AskAgain {
        Answered { result: AnswerResult::Expired, before: None, commit: None }
    } else {
        adoption::decide(&review, &facts, &env.deployment, attempt, now)
    };
    Ok(Some((Read { review, facts, policy, now }, answered)))
}

/// The decision stands whether or not this gets through: if it does not, the next tick finds what is owed.
async fn follow_up(env: &Env, head: &Head, now: Instant) -> Result<(), Failure> {
    if let Some(at) = head.notices_at {
        let due = NoticesDue { review: head.review.clone(), at };
        if let Some(delay) = due.delay(now, LONGEST_DELAY_SECONDS) {
            let message = Outgoing::json(&due).doing("writing the notices message")?.delayed(delay);
            if let Err(error) = env.notices.send(message).await {
                tracing::error!(review_id = %head.review, error = %error, "the notices could not be asked for");
            }
        }
    }
    // An adopted cancellation ends the review: facts need not look it up for ever.
    if head.standing != Standing::Open {
        let expires = now.plus_millis(KEPT_DAYS * DAY);
        if let Err(error) = env.store.retire(&head.review, expires).await {
            tracing::error!(review_id = %head.review, error = %error, "the dependencies could not be retired");
        }
    }
    Ok(())
}

/// The page after it, from what is written now.
async fn receipt(env: &Env, opened: &Opened, answered: Answered) -> Result<Page, Failure> {
    let Some(read) = opened.read(env).await? else { return Ok(no_link()) };
    let decided = read.review.head.past.iter().rev().find(|past| past.id.short() == opened.token.thing).cloned();
    let before = answered.before.or(decided);
    show::render(env, opened, &read, (answered.result, before), None, true)
}
