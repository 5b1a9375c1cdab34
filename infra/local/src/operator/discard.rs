//! A dead letter that will never be right is taken away by an operator. Who did so and why is kept in the record of what came
//! in, before the letter goes: whoever dies in between leaves the letter, and nothing goes without a word.

use packet_store::{Store, Unheard};
use refresh_core::{Instant, Person};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    letters::{Known, MOST_OF_A_GROUP, letter},
    lines::with_causes,
};
use crate::engine::Engine;

/// Which dead letter goes, who says so, and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Discard {
    /// The message id, as the list of dead letters shows it.
    pub letter: String,
    /// The operator.
    pub by: Person,
    /// Why, in the operator's words.
    pub reason: String,
}

impl Discard {
    /// Keeps who discards what, and why.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn keep(&self, store: &Store, known: &Known<'_>, now: Instant) -> Result<(), String> {
        known.keep(store, Unheard::Discarded, &format!("by {}: {}", self.by, self.reason), now).await
    }

    pub(super) fn not_there(&self) -> String {
        format!("{}: no dead letter has this message id; `holdpoint redrive --list` lists them", self.letter)
    }

    /// The letter may be one of those that a FIFO queue does not show yet.
    pub(super) fn not_shown(&self, queue: &str) -> String {
        format!(
            "{}: no letter that is shown has this message id; of one review {queue} shows {MOST_OF_A_GROUP} at a time, so \
             discard or redrive the first of them, and try again",
            self.letter
        )
    }

    /// What the command answers.
    pub(super) fn done(&self, now: Instant, queue: &str, letter: &Value) -> Value {
        json!({ "now": now, "discarded": letter, "queue": queue, "by": self.by, "reason": self.reason })
    }
}

/// # Errors
/// There is no such letter; or the store.
pub(super) async fn here(engine: &Engine, asked: &Discard) -> Result<Value, String> {
    for (dead, _) in engine.topology().dead_letter_queues() {
        let letters = engine.queues().look(&dead.name).map_err(with_causes)?;
        let Some(stored) = letters.iter().find(|stored| stored.id == asked.letter) else { continue };
        let line = letter(stored);
        asked.keep(engine.store(), &Known::of(stored, &dead.name, line["why"].as_str()), engine.now()).await?;
        if engine.queues().discard(&dead.name, stored.sequence).await.map_err(with_causes)? {
            return Ok(asked.done(engine.now(), &dead.name, &line));
        }
    }
    Err(asked.not_there())
}
