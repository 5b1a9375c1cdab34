//! Asks the systems that do not post by themselves, once a minute those that are due, and puts what they answer on the queue
//! as they gave it. Nothing is understood here: what an answer says is the translators' to read, as of every payload.

#![warn(missing_docs, clippy::missing_errors_doc)]

mod ask;
mod env;
mod token;
mod web;

use decisions::Doing;
use futures_util::{StreamExt, stream::FuturesUnordered};
use lambda_shell::{Failure, deadline::Deadline, metrics::Metrics};
use refresh_core::{Instant, record::poll::PollRecord};
use serde_json::Value;
use sources::native::NamedBinding;

pub use ask::{AskedBinding, ask};
pub use env::Env;
pub use web::{LONGEST, Web};

/// Systems that are asked at once. Each has its own time to answer, and most of it is waiting.
const AT_ONCE: usize = 8;

/// What a turn came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Polled {
    /// The bindings that were asked, in no order.
    pub asked: Vec<AskedBinding>,
    /// Those that the turn's time did not suffice for: the next turn's.
    pub left: usize,
}

/// One turn: asks every system that is due. The schedule's own event says nothing.
///
/// # Errors
///
/// What is kept of polled systems cannot be read. A system that cannot be asked is logged and keeps no other waiting.
pub async fn handle(env: &Env, _schedule: Value, deadline: Deadline) -> Result<Polled, Failure> {
    if env.policy.bindings.polled().next().is_none() {
        return Ok(Polled::default());
    }
    let now = Instant::from_millis(env.clock.now_millis());
    let polls = env.store.polls().await.doing("reading what is kept of polled systems")?;
    for one in &polls.unreadable {
        let error = one.error.to_string();
        match one.error.is_damage() {
            true => tracing::error!(error, "what is kept of a polled system cannot be read; it counts as never asked"),
            false => tracing::warn!(error, "what is kept of a polled system is of a newer version, which asks it"),
        }
    }
    let mut due: Vec<(&NamedBinding, Option<&PollRecord>)> = Vec::new();
    for bound in env.policy.bindings.polled() {
        let (Some(name), Some(target)) = (&bound.name, &bound.poll) else { continue };
        if polls.newer.contains(name) {
            continue;
        }
        let known = polls.records.get(name);
        let hinted = polls.hints.get(name).copied();
        if known.is_none_or(|known| known.is_due(hinted, target.every_minutes, now)) {
            due.push((bound, known));
        }
    }
    // The longest overdue first, so that whatever ends this turn leaves the others to the next one.
    due.sort_by_key(|(_, known)| known.map(|known| known.due_at));
    let mut polled = Polled::default();
    let mut due = due.into_iter();
    let mut asking = FuturesUnordered::new();
    loop {
        while asking.len() < AT_ONCE
            && let Some((bound, known)) = due.next()
        {
            asking.push(ask_in_time(env, bound, known, deadline));
        }
        match asking.next().await {
            None => break,
            Some(None) => polled.left += 1,
            Some(Some(Ok(None))) => {}
            Some(Some(Ok(Some(one)))) => polled.asked.push(one),
            // The others are asked all the same; this one's claim ends by itself.
            Some(Some(Err(failure))) => failure.log("a system could not be asked"),
        }
    }
    Metrics::new("Holdpoint")
        .count("PollsAsked", polled.asked.len())
        .count("PollsLeft", polled.left)
        .emit(now.millis());
    Ok(polled)
}

/// `None`: there is no time left to begin.
async fn ask_in_time(
    env: &Env,
    bound: &NamedBinding,
    known: Option<&PollRecord>,
    deadline: Deadline,
) -> Option<Result<Option<AskedBinding>, Failure>> {
    if deadline.is_near() { None } else { Some(ask(env, bound, known, deadline).await) }
}
