//! The page a link shows, by GET and after a POST.

use lambda_shell::Failure;
use presentation::{
    link::{Purpose, Token},
    page::{
        Hint, Page,
        adoption::{AdoptionState, adoption},
        failure::no_link,
    },
};
use refresh_core::{
    decide::adopt,
    record::{
        lineage::AnswerResult,
        review::{Fate, PastProposal},
    },
    telling::owed,
};
use signed_pages::{Env, Opened, Read, open, signed};

use crate::workspace;

pub(crate) async fn page(env: &Env, text: &str) -> Result<Page, Failure> {
    let Some(opened) = open(env, text, Purpose::Adopt).await? else { return Ok(no_link()) };
    present(env, &opened, None).await
}

/// The page as things stand now, whatever link it is. `hint`: why a form sent before came back.
pub(crate) async fn present(env: &Env, opened: &Opened, hint: Option<Hint>) -> Result<Page, Failure> {
    let Some(read) = opened.read(env).await? else { return Ok(no_link()) };
    let (result, before) =
        adopt::link_status(&read.review, &read.facts, &env.deployment, &opened.reader, opened.token.thing, read.now);
    let result = if opened.expired && result == AnswerResult::Shown { AnswerResult::Expired } else { result };
    render(env, opened, &read, (result, before), hint, hint.is_some())
}

/// A result in its page.
pub(crate) fn render(
    env: &Env,
    opened: &Opened,
    read: &Read,
    (result, before): (AnswerResult, Option<PastProposal>),
    hint: Option<Hint>,
    posted: bool,
) -> Result<Page, Failure> {
    let fresh = fresh(env, opened, read)?;
    let scene = read.scene(&opened.reader);
    let situation = match (result, &before) {
        (AnswerResult::Shown, _) => AdoptionState::Open(opened.form(hint)),
        (AnswerResult::FactsChanged, _) => AdoptionState::FactsChanged { fresh: fresh.as_deref() },
        (AnswerResult::Expired, _) => {
            let again = may_ask_again(opened, read, before.as_ref());
            AdoptionState::Expired { ask_again: again.then(|| opened.form(hint)) }
        }
        (AnswerResult::AskedAgain, _) => {
            let expires_at = read.review.head.pending.as_ref().map_or(read.now, |pending| pending.expires_at);
            AdoptionState::AskedAgain { expires_at }
        }
        (AnswerResult::AlreadyDecided, Some(past)) => {
            AdoptionState::AlreadyDecided { fate: past.fate, by: past.by.as_ref(), at: past.at }
        }
        (AnswerResult::Adopted | AnswerResult::Declined, Some(past)) => {
            AdoptionState::Decided { fate: past.fate, by: past.by.as_ref().unwrap_or(&opened.reader), at: past.at }
        }
        (AnswerResult::NotTheOwner, _) => AdoptionState::NotTheOwner,
        (AnswerResult::SeparationOfDuty, _) => AdoptionState::SeparationOfDuty,
        _ => AdoptionState::Superseded { fresh: fresh.as_deref() },
    };
    let workspace = workspace::link(env, opened, read)?;
    Ok(adoption(&scene, &situation, posted, workspace.as_deref()))
}

/// The expired proposal is still the choice, and the reader may decide it.
fn may_ask_again(opened: &Opened, read: &Read, before: Option<&PastProposal>) -> bool {
    let head = &read.review.head;
    let owner = head.today.owner.as_ref() == Some(&opened.reader)
        || read.policy.alternate_owner.as_ref() == Some(&opened.reader);
    owner && !head.is_over(read.now) && head.undecided.is_some() && before.is_none_or(|past| past.fate == Fate::Expired)
}

/// The reader's own link to the proposal that waits now, if they are to decide it and it is another than this link's.
fn fresh(env: &Env, opened: &Opened, read: &Read) -> Result<Option<String>, Failure> {
    let Some(pending) = &read.review.head.pending else { return Ok(None) };
    if pending.adopter.as_ref() != Some(&opened.reader) || pending.id().short() == opened.token.thing {
        return Ok(None);
    }
    let expires_at = owed::proposal_readable_until(&read.review.head, pending);
    let token = Token { thing: pending.id().short(), expires_at, ..opened.token };
    signed(env, &token).map(Some)
}
