//! Dead letters: what they hold and why, and how an operator sends them again. Who does so and why is kept in the record of
//! what came in, before a letter leaves its queue.

use std::collections::BTreeMap;

use packet_store::{Door, Receipt, Store, Unheard};
use refresh_core::{Instant, facts::event::Identity};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sources::Addressed;

use super::lines::with_causes;
use crate::{engine::Engine, queues::Stored};

/// SQS hands out so many messages of one group of a FIFO queue, and no more of the group until those are back.
pub const MOST_OF_A_GROUP: usize = 10;

/// Who sends dead letters again, and why.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Redrive {
    /// The operator's address or login. `None`: a command that does not know whose it is.
    pub by: Option<String>,
    /// Why, in the operator's words.
    pub reason: Option<String>,
}

impl Redrive {
    /// Keeps who sends what again, and why.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn keep(&self, store: &Store, known: &Known<'_>, now: Instant) -> Result<(), String> {
        let by = self.by.as_deref().unwrap_or("somebody who is not named");
        let why = self.reason.as_deref().map_or("; no reason was given".to_owned(), |reason| format!(": {reason}"));
        known.keep(store, Unheard::Redriven, &format!("by {by}{why}"), now).await
    }
}

/// What is known of a dead letter.
pub(super) struct Known<'a> {
    pub(super) body: &'a str,
    /// The source of its event, or of the binding of its payload, where the letter says so.
    pub(super) source: Option<String>,
    pub(super) door: Door,
    /// The queue of dead letters, by its name in the template.
    pub(super) queue: &'a str,
    /// Why the letter is dead.
    pub(super) why: Option<&'a str>,
}

impl<'a> Known<'a> {
    /// A letter of this machine's queues.
    pub(super) fn of(stored: &'a Stored, queue: &'a str, why: Option<&'a str>) -> Self {
        let attribute = |name: &str| stored.attributes.get(name).and_then(|attribute| attribute.string_value.clone());
        let (door, source) = (attribute("door"), attribute("source"));
        Self { body: &stored.body, source, door: Door::named(door.as_ref()), queue, why }
    }

    /// Keeps what became of the letter, by whom and why.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn keep(&self, store: &Store, became: Unheard, said: &str, now: Instant) -> Result<(), String> {
        let Addressed { format, binding } = Addressed::of(self.body);
        let (identity, event_type) = event_of(self.body);
        let receipt = Receipt {
            became,
            door: self.door,
            form: format.or(event_type),
            binding,
            source: identity
                .as_ref()
                .map(|identity| identity.source.as_str().to_owned())
                .or_else(|| self.source.clone()),
            id: identity.as_ref().map(|identity| identity.id.as_str().to_owned()),
            reasons: Vec::new(),
            count: 0,
            digest: Receipt::digest_of(self.body.as_bytes()),
            at: now,
        };
        let dead = self.why.map(|why| format!("it was dead in {}, since: {}", self.queue, why.replace('\n', "; ")));
        let dead = dead.unwrap_or_else(|| format!("it was dead in {}; no reason was kept", self.queue));
        store.keep(&receipt.because([said.to_owned(), dead])).await.map_err(with_causes)
    }
}

/// The event that a body is, as far as that can be read.
fn event_of(body: &str) -> (Option<Identity>, Option<String>) {
    match sources::read(body, &sources::Bindings::default()) {
        Ok(read) => {
            let first = read.events.into_iter().next();
            first.map(|event| (event.identity, event.event_type)).unzip()
        }
        Err(refused) => (refused.identity, refused.event_type.map(String::from)),
    }
}

/// A letter of this machine's queues, as it is listed.
pub(super) fn letter(stored: &Stored) -> Value {
    let attribute = |name: &str| stored.attributes.get(name).and_then(|attribute| attribute.string_value.clone());
    let why = stored.failure.clone().or_else(|| attribute("faults")).or_else(|| attribute("reason"));
    let mut line = json!({
        "sequence": stored.sequence,
        "message_id": stored.id,
        "sent_at": Instant::from_millis(stored.sent_at),
        "receives": stored.receives,
        "from": stored.moved_from,
        "why": why,
        "body": stored.body,
    });
    say_origin(&mut line, &stored.body, attribute);
    line
}

/// Where the payload of a letter is from: as the function said that put it here, else as its body says. A payload that nobody
/// could handle lies there as it came, and is shown without what is private in it.
pub(super) fn say_origin(line: &mut Value, body: &str, attribute: impl Fn(&str) -> Option<String>) {
    let Addressed { format, binding } = Addressed::of(body);
    let refused = attribute("reason").is_some();
    if format.is_some() && !refused {
        line["body"] = json!(sources::without_private(body, &sources::Bindings::default()));
    }
    line["format"] = json!(attribute("format").or(format));
    line["binding"] = json!(attribute("binding").or(binding));
    line["source"] = json!(attribute("source"));
    line["record"] = json!(sources::record_of(body));
}

/// Every dead letter of this machine. Nothing is hidden here: `not_shown` is a deployment's.
///
/// # Errors
/// A queue of the template is not there.
pub(super) fn dead_letters(engine: &Engine) -> Result<Value, String> {
    let mut queues = BTreeMap::new();
    for (dead, _) in engine.topology().dead_letter_queues() {
        let letters = engine.queues().look(&dead.name).map_err(with_causes)?;
        queues.insert(dead.name.clone(), letters.iter().map(letter).collect::<Vec<_>>());
    }
    Ok(json!({ "queues": queues, "not_shown": {} }))
}

/// Sends every dead letter of this machine again.
///
/// # Errors
/// What could not be written, and how many were sent until then.
pub(super) async fn redrive(engine: &Engine, asked: &Redrive) -> Result<Value, String> {
    let listed = dead_letters(engine)?;
    let mut sent = 0;
    for (dead, _) in engine.topology().dead_letter_queues() {
        for stored in engine.queues().look(&dead.name).map_err(with_causes)? {
            let stopped = |why: String| {
                format!("{sent} sent again; then {}: {why}; it and the rest stay where they are", stored.id)
            };
            let line = letter(&stored);
            let known = Known::of(&stored, &dead.name, line["why"].as_str());
            asked.keep(engine.store(), &known, engine.now()).await.map_err(&stopped)?;
            let moved = engine.queues().redrive(&dead.name, stored.sequence).await;
            sent += usize::from(moved.map_err(|why| stopped(why.to_string()))?);
        }
    }
    Ok(json!({ "queues": listed["queues"], "not_shown": {}, "sent_again": sent }))
}
