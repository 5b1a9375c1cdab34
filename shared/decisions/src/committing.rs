//! One decision, committed whatever moves meanwhile.
//!
//! ```text
//!  load ── decide ── commit ──▶ written
//!   ▲                  │ another decision was quicker
//!   └──── a pause ─────┘ until the deadline is near: beaten
//! ```
//! Whoever decides gives one function that loads and decides. The loop is nobody's but this one's: where attempts are
//! spread, given up, or told what counted before is said once.

use std::time::Duration;

use lambda_shell::{Failure, deadline::Deadline, jitter::Jitter};
use packet_store::{Committed, Store};
use refresh_core::record::commit::{Cause, Commit};

use crate::Doing;

/// The first pause is at most twice this, each later one at most twice the one before.
const PAUSE: Duration = Duration::from_millis(5);
/// From here on pauses grow no more: 320 ms.
const LONGEST: u32 = 6;

/// What an attempt at a decision begins with.
#[derive(Clone, Debug, Default)]
pub struct Attempt {
    /// Counted from 0.
    pub number: u32,
    /// Causes that an earlier attempt found marked. Each counted before, so nothing is decided on it any more.
    pub counted: Vec<Cause>,
}

/// What an attempt decided. `T` is what the caller wants to keep of it.
#[derive(Debug)]
pub enum Decided<T> {
    /// There is nothing to write.
    Nothing(T),
    /// This commit is to be written.
    Write(Box<Commit>, T),
}

impl<T> Decided<T> {
    /// [`Decided::Write`] where there is a commit; [`Decided::Nothing`] otherwise.
    pub fn of(commit: Option<Commit>, kept: T) -> Self {
        match commit {
            None => Self::Nothing(kept),
            Some(commit) => Self::Write(Box::new(commit), kept),
        }
    }
}

/// How a decision ended.
#[derive(Debug)]
pub enum Ended<T> {
    /// There was nothing to write.
    Nothing(T),
    /// The commit is written.
    Written(Box<Commit>, T),
    /// Another decision was quicker each time until the deadline was near. Nothing of this one is written.
    Beaten,
}

impl<T> Ended<T> {
    /// For callers whose decision must not be left out: being beaten is a failure that passes.
    ///
    /// # Errors
    ///
    /// [`Ended::Beaten`].
    pub fn or_failure(self, doing: &str) -> Result<(Option<Box<Commit>>, T), Failure> {
        match self {
            Self::Nothing(kept) => Ok((None, kept)),
            Self::Written(commit, kept) => Ok((Some(commit), kept)),
            Self::Beaten => Err(Failure::passing(doing, "another decision was always quicker; the deadline is near")),
        }
    }
}

/// What decisions are committed with.
#[derive(Clone, Copy, Debug)]
pub struct Committing<'a> {
    /// Where the decision is written.
    pub store: &'a Store,
    /// Spreads the pauses between attempts.
    pub jitter: &'a Jitter,
    /// No attempt begins once the deadline is near.
    pub deadline: Deadline,
}

impl Committing<'_> {
    /// Loads, decides and commits. `attempt` must read HEAD anew each time, and HEAD before the facts.
    ///
    /// # Errors
    ///
    /// Those of `attempt`, and those of the store; another decision that was quicker is none.
    pub async fn decide<T, F>(&self, doing: &str, mut attempt: impl FnMut(Attempt) -> F) -> Result<Ended<T>, Failure>
    where
        F: Future<Output = Result<Decided<T>, Failure>>,
    {
        let mut begun = Attempt::default();
        loop {
            let (commit, kept) = match attempt(begun.clone()).await? {
                Decided::Nothing(kept) => return Ok(Ended::Nothing(kept)),
                Decided::Write(commit, kept) => (commit, kept),
            };
            match self.store.commit(&commit).await.doing(doing)? {
                Committed::Written => return Ok(Ended::Written(commit, kept)),
                Committed::AlreadyWritten(causes) => begun.counted.extend(causes),
                Committed::Superseded => {}
            }
            if !self.wait(begun.number).await {
                return Ok(Ended::Beaten);
            }
            begun.number += 1;
        }
    }

    /// Waits before the attempt after the one with that number: full jitter, so that two who met once do not meet again.
    /// `false`: the deadline is near, and no other attempt begins.
    pub async fn wait(&self, number: u32) -> bool {
        if self.deadline.is_near() {
            return false;
        }
        tokio::time::sleep(self.jitter.under(PAUSE * 2_u32.pow((number + 1).min(LONGEST)))).await;
        true
    }
}
