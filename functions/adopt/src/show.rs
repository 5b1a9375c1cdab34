//! The page a link shows, by GET and after a POST.

use lambda_shell::Failure;
use presentation::{
    link::Purpose,
    page::{
        AnswerTo, Page, Returned,
        adoption::{AdoptionState, Again, adoption},
        failure::no_link,
    },
};
use refresh_core::{
    decide::adopt::{self, AskAgain},
    record::{
        lineage::AnswerResult,
        proposal::{PastProposal, Pending},
    },
};
use signed_pages::{Env, Opened, Read, open};

use crate::workspace;

pub(crate) async fn page(env: &Env, text: &str) -> Result<Page, Failure> {
    let Some(opened) = open(env, text, Purpose::Adopt).await? else { return Ok(no_link()) };
    present(env, &opened, None).await
}

/// The page as things stand now, whatever link it is. `returned`: the form that was sent before, if it comes back.
pub(crate) async fn present(env: &Env, opened: &Opened, returned: Option<Returned>) -> Result<Page, Failure> {
    let Some(proposal) = opened.token.proposal() else { return Ok(no_link()) };
    let Some(read) = opened.read(env).await? else { return Ok(no_link()) };
    let answer_to = if returned.is_some() { AnswerTo::Post } else { AnswerTo::Get };
    let (result, before) =
        adopt::link_status(&read.review, &read.facts, &env.deployment, &opened.reader, proposal, read.now);
    render(env, opened, &read, (result, before), returned.as_ref(), answer_to)
}

/// A result in its page.
pub(crate) fn render(
    env: &Env,
    opened: &Opened,
    read: &Read,
    (result, before): (AnswerResult, Option<PastProposal>),
    returned: Option<&Returned>,
    answer_to: AnswerTo,
) -> Result<Page, Failure> {
    let scene = read.scene(&opened.reader);
    let situation = match (result, &before) {
        (AnswerResult::Shown, _) => AdoptionState::Open(opened.form(returned)),
        (AnswerResult::FactsChanged, _) => AdoptionState::FactsChanged,
        (AnswerResult::Expired, _) => AdoptionState::Expired(again(env, opened, read, returned)),
        (AnswerResult::AskedAgain, _) => AdoptionState::AskedAgain {
            expires_at: read.review.head.pending.as_ref().map(|pending| pending.expires_at),
        },
        (AnswerResult::AlreadyDecided, Some(past)) => {
            AdoptionState::AlreadyDecided { fate: past.fate, by: past.by.as_ref(), at: past.at }
        }
        (AnswerResult::Adopted | AnswerResult::Declined, Some(past)) => {
            AdoptionState::Decided { fate: past.fate, by: past.by.as_ref().unwrap_or(&opened.reader), at: past.at }
        }
        (AnswerResult::NotTheOwner, _) => AdoptionState::NotTheOwner,
        (AnswerResult::SeparationOfDuty, _) => AdoptionState::SeparationOfDuty,
        (AnswerResult::LinkSent, _) => AdoptionState::LinkSent,
        (AnswerResult::NoLink, _) => AdoptionState::NoLink,
        (_, past) => {
            let form = sends_link(opened, read).then(|| opened.form(returned));
            AdoptionState::Superseded { form, past: past.as_ref() }
        }
    };
    let workspace = if situation.leads_on() { workspace::link(env, opened, read)? } else { None };
    Ok(adoption(&scene, &situation, answer_to, workspace.as_deref()))
}

/// Whether the page of a superseded proposal has a link to mail: another one waits for its reader.
fn sends_link(opened: &Opened, read: &Read) -> bool {
    let head = &read.review.head;
    let waits = |pending: &Pending| read.now < pending.expires_at && pending.adopter.as_ref() == Some(&opened.reader);
    head.pending.as_ref().is_some_and(waits) && !head.is_over(read.now) && !head.withholds(&opened.reader)
}

/// What the page of an expired proposal offers: nothing but to ask for that very proposal again.
fn again<'a>(env: &Env, opened: &'a Opened, read: &Read, returned: Option<&'a Returned>) -> Again<'a> {
    let Read { review, facts, now, .. } = read;
    let may = opened
        .token
        .proposal()
        .map(|proposal| adopt::ask_again_through(review, facts, &env.deployment, &opened.reader, proposal, *now));
    match may {
        Some(AskAgain::Yours) => Again::Yours(opened.form(returned)),
        Some(AskAgain::Others) => Again::Others,
        Some(AskAgain::Over) | None => Again::Over,
    }
}
