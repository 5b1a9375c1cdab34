//! A dead letter that will never be right is taken away by an operator. Who did so and why is kept in the record of what came
//! in, before the letter goes: whoever dies in between leaves the letter, and nothing goes without a word.

use packet_store::{Door, Receipt, Store, Unheard};
use refresh_core::{Instant, Person, facts::event::Identity};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sources::Addressed;

use super::{letter, with_causes};
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

/// What is known of the letter.
pub(super) struct Known<'a> {
    pub(super) body: &'a str,
    pub(super) door: Door,
    /// The queue of dead letters, by its name in the template.
    pub(super) queue: &'a str,
    /// Why the letter is dead.
    pub(super) why: Option<&'a str>,
}

impl Discard {
    /// Keeps who discards what, and why.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn keep(&self, store: &Store, known: &Known<'_>, now: Instant) -> Result<(), String> {
        let Addressed { format, binding } = Addressed::of(known.body);
        let (identity, event_type) = event_of(known.body);
        let receipt = Receipt {
            became: Unheard::Discarded,
            door: known.door,
            form: format.or(event_type),
            binding,
            source: identity.as_ref().map(|identity| identity.source.as_str().to_owned()),
            id: identity.as_ref().map(|identity| identity.id.as_str().to_owned()),
            reasons: Vec::new(),
            count: 0,
            digest: Receipt::digest_of(known.body.as_bytes()),
            at: now,
        };
        let dead = known.why.map(|why| format!("it was dead in {}, since: {}", known.queue, why.replace('\n', "; ")));
        let dead = dead.unwrap_or_else(|| format!("it was dead in {}; no reason was kept", known.queue));
        store.keep(&receipt.because([format!("by {}: {}", self.by, self.reason), dead])).await.map_err(with_causes)
    }

    pub(super) fn not_there(&self) -> String {
        format!("{}: no dead letter has this message id; `holdpoint redrive --list` lists them", self.letter)
    }

    /// What the command answers.
    pub(super) fn done(&self, now: Instant, queue: &str, letter: &Value) -> Value {
        json!({ "now": now, "discarded": letter, "queue": queue, "by": self.by, "reason": self.reason })
    }
}

/// The event that a body is, as far as that can be read.
fn event_of(body: &str) -> (Option<Identity>, Option<String>) {
    match sources::read(body, &sources::Bindings::default()) {
        Ok(read) => {
            let first = read.events.into_iter().next();
            first.map(|event| (event.identity, event.event_type)).unzip()
        }
        Err(refused) => (refused.identity, refused.event_type),
    }
}

/// # Errors
/// There is no such letter; or the store.
pub(super) async fn here(engine: &Engine, asked: &Discard) -> Result<Value, String> {
    for (dead, _) in engine.topology().dead_letter_queues() {
        let letters = engine.queues().look(&dead.name).map_err(with_causes)?;
        let Some(stored) = letters.iter().find(|stored| stored.id == asked.letter) else { continue };
        let line = letter(stored);
        let door = stored.attributes.get("door").and_then(|attribute| attribute.string_value.clone());
        let known = Known {
            body: &stored.body,
            door: Door::named(door.as_ref()),
            queue: &dead.name,
            why: line["why"].as_str(),
        };
        asked.keep(engine.store(), &known, engine.now()).await?;
        if engine.queues().discard(&dead.name, stored.sequence).await.map_err(with_causes)? {
            return Ok(asked.done(engine.now(), &dead.name, &line));
        }
    }
    Err(asked.not_there())
}
