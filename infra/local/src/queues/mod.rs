//! A small SQS in this process: standard and FIFO queues with delay, visibility, deduplication and redrive.
//!
//! What is accepted is in the journal first, so it survives the end of the process; what is in flight when the process
//! ends is visible again when it starts. All time is the engine's clock, so the same queues run on a virtual one.
//! Not there, because nothing of ours asks for it: long polling, message move tasks, MD5 sums.

mod journal;
mod message;
mod queue;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use lambda_shell::clock::Clock;
use tokio::sync::watch;

pub use journal::Journal;
pub use message::{Attribute, Delivery, Outgoing, Receipt, Refusal, Stored};
pub use queue::{Accepted, Counts, MOST_AT_ONCE, Queue};

use crate::topology::Topology;
use journal::Changes;
use queue::{Prepared, Received};

/// All queues of the bundle. Cloning shares them.
#[derive(Clone)]
pub struct Queues {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<BTreeMap<String, Queue>>,
    journal: Journal,
    clock: Clock,
    /// One message at a time moves from queue to queue: it is on both of them until it is written down.
    moving: tokio::sync::Mutex<()>,
    /// Counts up when something may have become visible earlier than it was before.
    bell: watch::Sender<u64>,
}

/// What a queue's URL looks like here. Only the name at its end is read.
const URL: &str = "https://sqs.holdpoint.invalid/000000000000/";

pub fn url(name: &str) -> String {
    format!("{URL}{name}")
}

pub fn name_of(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or(url)
}

impl Queues {
    /// Makes the topology's queues and fills them from the journal.
    pub async fn open(topology: &Topology, journal: Journal, clock: Clock) -> Result<Self, Refusal> {
        let now = clock.now_millis();
        let mut state: BTreeMap<String, Queue> =
            topology.queues.values().map(|queue| (queue.name.clone(), Queue::new(queue.clone()))).collect();
        for (name, mut message) in journal.read().await? {
            // A message of a queue that the template no longer has stays in the journal for the operator.
            let Some(queue) = state.get_mut(&name) else { continue };
            if message.receives > 0 {
                // Whoever held it is gone with the process that it ran in.
                message.visible_at = message.visible_at.min(now);
            }
            queue.remember(&message, now);
            queue.add(message);
        }
        state.values_mut().for_each(|queue| queue.bring_forward(now));
        let (state, moving, bell) = (Mutex::new(state), tokio::sync::Mutex::new(()), watch::Sender::new(0));
        Ok(Self { shared: Arc::new(Shared { state, journal, clock, moving, bell }) })
    }

    fn state(&self) -> MutexGuard<'_, BTreeMap<String, Queue>> {
        // A panic elsewhere leaves the maps whole: every change to them is finished before anything can panic.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, name: &str, act: impl FnOnce(&mut Queue, i64) -> T) -> Result<T, Refusal> {
        let now = self.shared.clock.now_millis();
        let mut state = self.state();
        let queue = state.get_mut(name).ok_or_else(|| Refusal::NoSuchQueue(name.to_owned()))?;
        Ok(act(queue, now))
    }

    pub fn names(&self) -> Vec<String> {
        self.state().keys().cloned().collect()
    }

    /// Answers once the message is durable.
    pub async fn send(&self, name: &str, outgoing: Outgoing) -> Result<Accepted, Refusal> {
        let mut outcomes = self.send_all(name, vec![outgoing]).await?;
        outcomes.pop().unwrap_or_else(|| Err(Refusal::Unavailable("no outcome".to_owned())))
    }

    /// One outcome a message, in order, as SQS's batches have it. All that are accepted become durable together.
    pub async fn send_all(
        &self,
        name: &str,
        outgoing: Vec<Outgoing>,
    ) -> Result<Vec<Result<Accepted, Refusal>>, Refusal> {
        let prepared: Vec<Result<Prepared, Refusal>> =
            self.with(name, |queue, now| outgoing.into_iter().map(|one| queue.prepare(one, now)).collect())?;
        self.accept(name, prepared).await
    }

    /// All of them or none. The answer is how many.
    ///
    /// # Errors
    /// The first message that the queue refuses, by its place from 0, or a journal that could not be written.
    pub async fn send_together(&self, name: &str, outgoing: Vec<Outgoing>) -> Result<usize, (Option<usize>, Refusal)> {
        let prepared = self.with(name, |queue, now| {
            // Each is judged before the first is numbered.
            for (place, one) in outgoing.iter().enumerate() {
                queue.check(one).map_err(|refusal| (Some(place), refusal))?;
            }
            Ok(outgoing.into_iter().map(|one| queue.prepare(one, now)).collect::<Vec<_>>())
        });
        let prepared = prepared.map_err(|refusal| (None, refusal))??;
        let outcomes = self.accept(name, prepared).await.map_err(|refusal| (None, refusal))?;
        let accepted: Result<Vec<Accepted>, Refusal> = outcomes.into_iter().collect();
        accepted.map(|accepted| accepted.len()).map_err(|refusal| (None, refusal))
    }

    async fn accept(
        &self,
        name: &str,
        prepared: Vec<Result<Prepared, Refusal>>,
    ) -> Result<Vec<Result<Accepted, Refusal>>, Refusal> {
        let new: Vec<Stored> = prepared
            .iter()
            .filter_map(|one| match one {
                Ok(Prepared::New(message)) => Some(message.clone()),
                _ => None,
            })
            .collect();
        if let Err(refusal) = self.put(name, new.clone()).await {
            self.with(name, |queue, _| new.iter().for_each(|message| queue.abandon(message)))?;
            return Err(refusal);
        }
        let outcomes = self.with(name, |queue, _| {
            prepared
                .into_iter()
                .map(|one| {
                    Ok(match one? {
                        Prepared::Duplicate(accepted) => accepted,
                        Prepared::New(message) => {
                            let (id, sequence) = (message.id.clone(), message.sequence);
                            queue.add(message);
                            Accepted { id, sequence, duplicate: false }
                        }
                    })
                })
                .collect()
        })?;
        self.ring();
        Ok(outcomes)
    }

    async fn put(&self, name: &str, messages: Vec<Stored>) -> Result<(), Refusal> {
        let put = messages.into_iter().map(|message| (name.to_owned(), message)).collect();
        self.shared.journal.write(Changes { put, delete: Vec::new() }).await
    }

    /// Hands out what is visible. `visibility`: seconds; `None`: the queue's own.
    ///
    /// # Errors
    /// Where the journal cannot be written, the queue is as if nobody had asked.
    pub async fn receive(&self, name: &str, most: usize, visibility: Option<u32>) -> Result<Vec<Delivery>, Refusal> {
        let (received, redrive) = self.with(name, |queue, now| {
            let visibility = i64::from(visibility.unwrap_or(queue.wiring.visibility_seconds)) * 1_000;
            (queue.receive(most.min(MOST_AT_ONCE), visibility, now), queue.wiring.redrive.clone())
        })?;
        let to = redrive.map_or_else(String::new, |redrive| redrive.to);
        match self.write_down(name, &to, &received).await {
            Ok(moved) if moved.is_empty() => Ok(received.deliveries),
            Ok(moved) => {
                self.with(&to, |queue, _| moved.into_iter().for_each(|message| queue.add(message)))?;
                self.ring();
                Ok(received.deliveries)
            }
            Err(refusal) => {
                self.with(name, |queue, now| queue.take_back(received, now))?;
                Err(refusal)
            }
        }
    }

    /// Answers with the messages as they stand on the dead-letter queue now.
    async fn write_down(&self, from: &str, to: &str, received: &Received) -> Result<Vec<Stored>, Refusal> {
        let mut changes = Changes::default();
        let mut moved = Vec::new();
        for message in &received.moved {
            moved.push(self.with(to, |queue, now| queue.adopt(message.clone(), from, now))?);
        }
        changes.put.extend(moved.iter().map(|message| (to.to_owned(), message.clone())));
        let gone = received.moved.iter().chain(&received.expired).map(|message| (from.to_owned(), message.sequence));
        changes.delete.extend(gone);
        // The first hand-out is not written down: a message that ends the process at once is rare, a write for every
        // hand-out is not. From the second on the count is durable, so that such a message ends dead-lettered too.
        let again = received.deliveries.iter().map(|one| &one.message).filter(|one| one.receives > 1);
        changes.put.extend(again.map(|message| (from.to_owned(), message.clone())));
        self.shared.journal.write(changes).await?;
        Ok(moved)
    }

    pub async fn delete(&self, name: &str, receipt: Receipt) -> Result<(), Refusal> {
        let mut outcomes = self.delete_all(name, &[receipt]).await?;
        outcomes.pop().unwrap_or(Ok(()))
    }

    /// # Errors
    /// Where the journal cannot be written, nothing is deleted: the messages come again when their visibility ends.
    pub async fn delete_all(&self, name: &str, receipts: &[Receipt]) -> Result<Vec<Result<(), Refusal>>, Refusal> {
        let outcomes: Vec<Result<Option<Stored>, Refusal>> =
            self.with(name, |queue, now| receipts.iter().map(|receipt| queue.delete(*receipt, now)).collect())?;
        let gone: Vec<Stored> = outcomes.iter().filter_map(|one| one.as_ref().ok()?.clone()).collect();
        let delete = gone.iter().map(|message| (name.to_owned(), message.sequence)).collect();
        if let Err(refusal) = self.shared.journal.write(Changes { put: Vec::new(), delete }).await {
            self.with(name, |queue, _| gone.into_iter().for_each(|message| queue.put_back(message)))?;
            return Err(refusal);
        }
        // The next of a FIFO group may go out now.
        self.ring();
        Ok(outcomes.into_iter().map(|one| one.map(|_| ())).collect())
    }

    /// Takes back a hand-out that came to nothing by no fault of the message: visible in a moment, and not counted.
    pub fn give_back(&self, name: &str, receipt: Receipt) {
        if self.with(name, |queue, now| queue.give_back(receipt, now)).is_ok() {
            self.ring();
        }
    }

    /// Removes what its queue has kept to the end of its retention: of dead letters, which nobody receives. Answers how many.
    ///
    /// # Errors
    /// Where the journal cannot be written, nothing is removed.
    pub async fn expire(&self, name: &str, now: i64) -> Result<usize, Refusal> {
        let _turn = self.shared.moving.lock().await;
        let is_over = |queue: &Queue, message: &Stored| {
            now - message.sent_at >= i64::from(queue.wiring.retention_seconds) * 1_000
        };
        let over: Vec<u64> = self.with(name, |queue, _| {
            queue.messages().filter(|message| is_over(queue, message)).map(|message| message.sequence).collect()
        })?;
        let delete = over.iter().map(|sequence| (name.to_owned(), *sequence)).collect();
        self.shared.journal.write(Changes { put: Vec::new(), delete }).await?;
        self.with(name, |queue, _| over.iter().for_each(|sequence| drop(queue.take(*sequence))))?;
        Ok(over.len())
    }

    /// What waits longer than anything of its queue can wait was sent by a clock that was ahead, and is due.
    pub fn bring_forward(&self, now: i64) {
        self.state().values_mut().for_each(|queue| queue.bring_forward(now));
        self.ring();
    }

    pub fn change_visibility(&self, name: &str, receipt: Receipt, seconds: u32) -> Result<(), Refusal> {
        self.with(name, |queue, now| queue.change_visibility(receipt, seconds, now))??;
        self.ring();
        Ok(())
    }

    /// Keeps beside a message why its handling failed, for whoever looks into the dead-letter queue.
    pub async fn note_failure(&self, name: &str, receipt: Receipt, failure: &str) -> Result<(), Refusal> {
        let noted = self.with(name, |queue, _| queue.note_failure(receipt, failure))?;
        self.put(name, noted.into_iter().collect()).await
    }

    /// When something of this queue can next be handed out.
    pub fn next_at(&self, name: &str) -> Option<i64> {
        self.state().get(name)?.next_at()
    }

    /// How many messages a queue holds, without counting each by what becomes of it.
    pub fn held(&self, name: &str) -> Result<usize, Refusal> {
        self.with(name, |queue, _| queue.held())
    }

    pub fn counts(&self, name: &str) -> Result<Counts, Refusal> {
        self.with(name, |queue, now| queue.counts(now))
    }

    pub fn wiring(&self, name: &str) -> Result<crate::topology::Queue, Refusal> {
        self.with(name, |queue, _| queue.wiring.clone())
    }

    /// Everything on a queue in the order of sending, without receiving it.
    pub fn look(&self, name: &str) -> Result<Vec<Stored>, Refusal> {
        self.with(name, |queue, _| queue.messages().cloned().collect())
    }

    /// Sends a dead-lettered message back to where it came from, its receives counted anew. Answers whether it was there.
    ///
    /// # Errors
    /// Where the journal cannot be written, the letter stays where it is.
    pub async fn redrive(&self, dead_letters: &str, sequence: u64) -> Result<bool, Refusal> {
        let _turn = self.shared.moving.lock().await;
        let Some(mut message) = self.with(dead_letters, |queue, _| queue.message(sequence).cloned())? else {
            return Ok(false);
        };
        let to = match message.moved_from.take() {
            Some(to) => to,
            // Put there by a function rather than by redrive: it belongs to the one queue that redrives here.
            None => self.source_of(dead_letters)?,
        };
        message.receives = 0;
        message.failure = None;
        message.first_received_at = None;
        let moved = self.with(&to, |queue, now| {
            let mut moved = queue.adopt(message, dead_letters, now);
            moved.moved_from = None;
            moved
        })?;
        let put = vec![(to.clone(), moved.clone())];
        self.shared.journal.write(Changes { put, delete: vec![(dead_letters.to_owned(), sequence)] }).await?;
        self.with(dead_letters, |queue, _| queue.take(sequence))?;
        self.with(&to, |queue, _| queue.add(moved))?;
        self.ring();
        Ok(true)
    }

    /// Removes one message of a queue that nobody receives: a dead letter. Answers whether it was there.
    ///
    /// # Errors
    /// Where the journal cannot be written, the letter stays where it is.
    pub async fn discard(&self, dead_letters: &str, sequence: u64) -> Result<bool, Refusal> {
        let _turn = self.shared.moving.lock().await;
        if self.with(dead_letters, |queue, _| queue.message(sequence).is_none())? {
            return Ok(false);
        }
        let delete = vec![(dead_letters.to_owned(), sequence)];
        self.shared.journal.write(Changes { put: Vec::new(), delete }).await?;
        self.with(dead_letters, |queue, _| queue.take(sequence))?;
        Ok(true)
    }

    fn source_of(&self, dead_letters: &str) -> Result<String, Refusal> {
        let state = self.state();
        let source = state
            .values()
            .find(|queue| queue.wiring.redrive.as_ref().is_some_and(|redrive| redrive.to == dead_letters))
            .map(|queue| queue.wiring.name.clone());
        source.ok_or_else(|| Refusal::InvalidParameter(format!("no queue redrives to {dead_letters}")))
    }

    /// Tells of every sending, moving and freeing from now on: subscribe first, look second.
    pub fn listen(&self) -> watch::Receiver<u64> {
        self.shared.bell.subscribe()
    }

    fn ring(&self) {
        self.shared.bell.send_modify(|count| *count += 1);
    }
}
