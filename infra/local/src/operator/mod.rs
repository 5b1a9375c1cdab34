//! What an operator asks and gets done, as JSON in and JSON out: the same whether the engine runs in this process or is
//! reached over loopback.

mod discard;
mod events;
#[cfg(test)]
mod events_tests;
mod letters;
mod lines;
mod mailbox;
mod names;
#[cfg(test)]
mod night_tests;
mod plan;
#[cfg(test)]
mod plan_tests;
#[cfg(test)]
pub(crate) mod published;
mod request;
pub(crate) mod review;
mod send;
mod shell;
mod signed;
mod stack;
mod stack_letters;
mod stuck;
#[cfg(test)]
mod tests;
mod told;
mod waiting;
mod why;

use lines::Heads;
pub(crate) use lines::with_causes;
use serde_json::{Value, json};

pub use discard::Discard;
pub use events::EventsAsked;
pub use letters::Redrive;
pub use mailbox::{A_PAGE as MAILS_OF_A_PAGE, MailsAsked};
pub use plan::{Act, Planned};
pub use request::Request;
pub use send::{NotTaken, enqueue};
pub use stack::Stack;
pub use stuck::StuckAsked;

pub use crate::{
    removals::{Compacting, RemovalsAsked},
    roster::ReviewsAsked,
};

use crate::{engine::Engine, headless::Lost, keep, not_done::NotDone, removals, timekeeper::Timekeeper};

/// Does it. An error is a reason for a person.
///
/// # Errors
/// [`NotDone::Malformed`] for events that are refused, and for a call of a function that is none; else [`NotDone::Failed`].
pub async fn perform(engine: &Engine, request: Request) -> Result<Value, NotDone> {
    let named = match &request {
        Request::Show(review) | Request::Why(review) | Request::Verify(Some(review)) => Some(review.clone()),
        _ => None,
    };
    let done = match request {
        Request::Reviews(asked) => {
            asked.check().map_err(NotDone::Malformed)?;
            let now = engine.now();
            let page = engine.concerns().roster(engine.store(), |roster| roster.page(&asked, now)).await;
            match page {
                Ok(page) => review::reviews(engine.store(), now, page).await,
                Err(error) => Err(lines::with_causes(error)),
            }
        }
        Request::Show(review) => review::show(engine.store(), engine.now(), &review).await,
        Request::Verify(review) => {
            let (_, lost) = Lost::of_engine(engine).await?;
            review::verified(engine.store(), review.as_ref(), &lost).await
        }
        Request::Why(review) => why::why(engine.store(), engine.now(), &review).await,
        Request::Waiting(person) => {
            let heads = Heads::of_engine(engine).await?;
            let waiting = waiting::waiting(engine.store(), heads, engine.now(), person.as_ref()).await?;
            waiting::on_the_way(engine, waiting).await
        }
        Request::Told(person) => {
            let heads = Heads::of_engine(engine).await?;
            let told = told::told(engine.store(), heads, engine.now(), &person).await?;
            told::numbered(engine.mailbox(), &person, told)
        }
        Request::Stuck(asked) => stuck::here(engine, &asked).await,
        Request::Plan(planned) => {
            let functions = engine.functions();
            let deployment = &functions.ingest.policy.deployment;
            return plan::plan(engine.store(), engine.now(), Some(deployment), &planned).await;
        }
        Request::Send(events) => return send::send(engine, events).await,
        Request::Became(sent) => send::became(engine.store(), engine.now(), sent).await,
        Request::Events(asked) => events::events(engine.store(), engine.now(), &asked).await,
        Request::DeadLetters => letters::dead_letters(engine),
        Request::Redrive(asked) => letters::redrive(engine, &asked).await,
        Request::Discard(asked) => discard::here(engine, &asked).await,
        Request::Clock { accept } => clock(engine, accept).await,
        Request::Kept => Ok(keep::kept(engine)),
        Request::Compact(compacting) => keep::compact(engine, &compacting).await,
        Request::Removed(asked) => {
            asked.check().map_err(NotDone::Malformed)?;
            removals::list(engine, &asked)
                .map(|removals| json!({ "now": engine.now(), "removed": removals.removed, "next": removals.next }))
        }
        Request::Mails(asked) => {
            asked.check().map_err(NotDone::Malformed)?;
            mailbox::page(engine, &asked)
        }
        Request::Mail(number) => mailbox::mail(engine, number),
        Request::Invoke { function, event } => return engine.functions().invoke(&function, event).await,
    };
    done.map_err(|why| {
        let gone = named.as_ref().filter(|review| why.starts_with(&names::none(review)));
        NotDone::from(gone.and_then(|review| removals::why_gone(engine, review)).unwrap_or(why))
    })
}

/// The engine's time, and how far the machine's clock is from it.
async fn clock(engine: &Engine, accept: bool) -> Result<Value, String> {
    let moved = if accept { Some(engine.accept_clock().await?) } else { None };
    let timekeeper = engine.settings().timekeeper.as_ref();
    let doubt = timekeeper.and_then(Timekeeper::doubt).map(|doubt| doubt.to_string());
    let ahead = timekeeper.map_or(0, Timekeeper::ahead);
    Ok(json!({ "now": engine.now(), "ahead_milliseconds": ahead, "doubt": doubt, "moved_milliseconds": moved }))
}
