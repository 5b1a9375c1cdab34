//! What stands in the way of the engine's work, and what somebody must see to.

use super::{Engine, Storage};
use crate::{doors::Public, limits::Room, roster::Concern};

impl Engine {
    /// The queue that ingest reads.
    pub fn source_queue(&self) -> Result<String, String> {
        let source = self.topology().functions.get("ingest").and_then(|function| function.source.as_ref());
        source.map(|source| source.queue.clone()).ok_or_else(|| "template.yaml: ingest reads no queue".to_owned())
    }

    /// Why no door takes events for now: as many wait as [`crate::limits::Limits`] allows. What was taken before stays.
    pub fn full(&self) -> Option<String> {
        let waiting = self.queues().held(&self.source_queue().ok()?).ok()?;
        let most = self.limits().waiting_events;
        (waiting >= most).then(|| {
            format!("nothing was taken: {waiting} events wait already, and [limits] waiting_events is {most}; send it again later")
        })
    }

    /// Says in the log what could not be done for a request. While the clock is in doubt or the store in trouble, the log has one
    /// line at the beginning and one at the end, however many requests fail in between.
    pub fn complain(&self, error: &dyn std::fmt::Display, what: &str) {
        if self.obstacle().is_some() {
            tracing::debug!(%error, "{what}");
        } else {
            tracing::error!(%error, "{what}");
        }
    }

    /// What somebody must see to, as counts: `/health` is open to whoever reaches the machine, so it names no review and nobody.
    pub async fn wrong(&self) -> Vec<String> {
        let mut wrong = self.halts();
        let dead: usize = self.topology().dead_letter_queues().map(|(queue, _)| self.letters(&queue.name)).sum();
        if dead > 0 {
            wrong.push(format!("{dead} messages are in dead-letter queues"));
        }
        match self.concerns().look(self.store()).await {
            Ok(Concern { unreadable, unreached }) => {
                if unreadable > 0 {
                    wrong.push(format!("{unreadable} reviews cannot be read"));
                }
                if unreached > 0 {
                    wrong.push(format!("{unreached} people of open reviews cannot be told"));
                }
            }
            Err(error) => {
                self.complain(&error, "the reviews could not be read");
                wrong.push("the reviews could not be read".to_owned());
            }
        }
        wrong.extend(self.relay().and_then(|relay| relay.wrong(self.clock().now_millis())));
        match self.store().silenced().await {
            Ok(subjects) if subjects.is_empty() => {}
            Ok(subjects) => wrong.push(format!("{} subjects get nothing but stale revisions", subjects.len())),
            Err(error) => {
                self.complain(&error, "the silenced subjects could not be read");
                wrong.push("the silenced subjects could not be read".to_owned());
            }
        }
        match self.store().polls().await {
            Ok(polls) => {
                let failing = polls.records.iter().filter(|(_, record)| record.failing.is_some());
                let names: Vec<&str> = failing.map(|(name, _)| name.as_str()).collect();
                if !names.is_empty() {
                    wrong.push(format!("polled systems do not answer: {}", names.join(", ")));
                }
            }
            Err(error) => {
                self.complain(&error, "what is kept of polled systems could not be read");
                wrong.push("what is kept of polled systems could not be read".to_owned());
            }
        }
        wrong
    }

    /// What stands in the way of the engine as a whole, and of no review or mail by its name.
    pub fn halts(&self) -> Vec<String> {
        let mut wrong: Vec<String> = self.obstacle().into_iter().collect();
        if self.full().is_some() {
            wrong.push("as many events wait as [limits] waiting_events allows; no more are taken".to_owned());
        }
        match self.room() {
            Some(Ok(room)) => wrong.extend(room.wrong(&self.limits())),
            Some(Err(why)) => wrong.push(why),
            None => {}
        }
        let certificates = self.settings().certificates.as_ref();
        wrong.extend(certificates.into_iter().flat_map(|certificates| certificates.wrong(self.now().millis())));
        wrong.extend(self.settings().public.as_ref().and_then(Public::wrong));
        if self.mailbox().count().is_err() {
            wrong.push("the mailbox could not be read".to_owned());
        }
        wrong.extend(self.door_troubles().wrong());
        wrong
    }

    /// The room of the store's files; `None`: the store is in memory.
    pub fn room(&self) -> Option<Result<Room, String>> {
        match &self.settings().storage {
            Storage::File(store) => Some(Room::of(store)),
            Storage::Memory => None,
        }
    }

    fn letters(&self, queue: &str) -> usize {
        self.queues().counts(queue).map_or(1, |counts| counts.visible + counts.in_flight + counts.delayed)
    }
}
