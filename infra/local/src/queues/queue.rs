//! One queue as a state machine: no I/O, no clock. Time is a parameter, in milliseconds since 1970.
//!
//! ```text
//!  sent ──delay──▶ visible ──receive──▶ in flight ──delete──▶ gone
//!                     ▲                     │
//!                     └──visibility ends────┤
//!                                           └─ received too often ──▶ dead-letter queue
//! ```
//! A FIFO queue hands out a group's messages in the order of sending, and none of a group while one of it is in flight.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::message::{Delivery, Outgoing, Receipt, Refusal, Stored};
use crate::topology;

/// SQS: a deduplication id counts for five minutes from its first sending.
pub const DEDUPLICATION_MILLIS: i64 = 5 * 60_000;
/// SQS: 900 seconds.
pub const LONGEST_DELAY_SECONDS: u32 = 900;
/// SQS: 12 hours.
pub const LONGEST_VISIBILITY_SECONDS: u32 = 43_200;
/// SQS: one MiB, attributes included.
pub const LARGEST_MESSAGE: usize = 1_048_576;
/// How long a message that was given back waits, so that a store in trouble is not asked in a circle.
const GIVEN_BACK_MILLIS: i64 = 1_000;
/// SQS: ten.
pub const MOST_AT_ONCE: usize = 10;

pub struct Queue {
    pub wiring: topology::Queue,
    messages: BTreeMap<u64, Stored>,
    /// When a message, or a whole group, can next be handed out; by time, then by order of sending.
    agenda: BTreeSet<(i64, u64)>,
    groups: BTreeMap<String, Group>,
    deduplicated: BTreeMap<String, Seen>,
    /// Keys of `deduplicated` in the order in which they end.
    ending: VecDeque<(i64, String)>,
    next_sequence: u64,
}

/// A message group of a FIFO queue. On the agenda with the sequence of its first message.
#[derive(Default)]
struct Group {
    waiting: VecDeque<u64>,
    in_flight: BTreeSet<u64>,
    agenda: Option<(i64, u64)>,
}

#[derive(Clone)]
struct Seen {
    until: i64,
    sequence: u64,
    id: String,
}

/// What became of a message that was sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Accepted {
    pub id: String,
    pub sequence: u64,
    /// Accepted before, within the deduplication window: nothing was added.
    pub duplicate: bool,
}

/// What a receive did beside handing out.
#[derive(Default)]
pub struct Received {
    pub deliveries: Vec<Delivery>,
    /// Received too often; to be put on the dead-letter queue.
    pub moved: Vec<Stored>,
    /// Kept too long.
    pub expired: Vec<Stored>,
}

impl Queue {
    pub fn new(wiring: topology::Queue) -> Self {
        Self {
            wiring,
            messages: BTreeMap::new(),
            agenda: BTreeSet::new(),
            groups: BTreeMap::new(),
            deduplicated: BTreeMap::new(),
            ending: VecDeque::new(),
            next_sequence: 1,
        }
    }

    /// Checks and numbers a message without adding it yet: it is added once it is durable.
    pub fn prepare(&mut self, outgoing: Outgoing, now: i64) -> Result<Prepared, Refusal> {
        self.check(&outgoing)?;
        self.forget(now);
        let key = self.deduplication_key(outgoing.group.as_deref(), outgoing.deduplication.as_deref());
        if let Some(seen) = key.as_ref().and_then(|key| self.deduplicated.get(key)) {
            return Ok(Prepared::Duplicate(Accepted { id: seen.id.clone(), sequence: seen.sequence, duplicate: true }));
        }
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let delay = outgoing.delay_seconds.unwrap_or(self.wiring.delay_seconds);
        let message = Stored {
            sequence,
            // From the queue and the number alone: the same history gives the same ids.
            id: format!("{}-{sequence:020}", self.wiring.name),
            body: outgoing.body,
            attributes: outgoing.attributes,
            group: outgoing.group,
            deduplication: outgoing.deduplication,
            sent_at: now,
            visible_at: now + i64::from(delay) * 1_000,
            receives: 0,
            first_received_at: None,
            moved_from: None,
            failure: None,
        };
        if let Some(key) = key {
            let seen = Seen { until: now + DEDUPLICATION_MILLIS, sequence, id: message.id.clone() };
            self.ending.push_back((seen.until, key.clone()));
            self.deduplicated.insert(key, seen);
        }
        Ok(Prepared::New(message))
    }

    fn forget(&mut self, now: i64) {
        while self.ending.front().is_some_and(|(until, _)| *until <= now) {
            let Some((_, key)) = self.ending.pop_front() else { break };
            if self.deduplicated.get(&key).is_some_and(|seen| seen.until <= now) {
                self.deduplicated.remove(&key);
            }
        }
    }

    /// What SQS would refuse.
    pub fn check(&self, outgoing: &Outgoing) -> Result<(), Refusal> {
        let attributes = outgoing.attributes.iter();
        let value = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let size: usize = outgoing.body.len()
            + attributes.map(|(name, a)| name.len() + value(&a.string_value) + value(&a.binary_value)).sum::<usize>();
        if outgoing.body.is_empty() {
            return Err(Refusal::MissingParameter("MessageBody"));
        }
        if size > LARGEST_MESSAGE {
            return Err(Refusal::InvalidParameter(format!(
                "{size} bytes: more than the {LARGEST_MESSAGE} of a message"
            )));
        }
        if outgoing.attributes.len() > 10 {
            return Err(Refusal::InvalidParameter("more than 10 message attributes".to_owned()));
        }
        if self.wiring.fifo {
            if outgoing.group.is_none() {
                return Err(Refusal::MissingParameter("MessageGroupId"));
            }
            if outgoing.deduplication.is_none() {
                return Err(Refusal::InvalidParameter("a FIFO queue needs a MessageDeduplicationId".to_owned()));
            }
            if outgoing.delay_seconds.is_some_and(|delay| delay > 0) {
                return Err(Refusal::InvalidParameter("a FIFO queue takes no DelaySeconds for one message".to_owned()));
            }
        } else if outgoing.deduplication.is_some() {
            return Err(Refusal::InvalidParameter("only a FIFO queue takes a MessageDeduplicationId".to_owned()));
        }
        match outgoing.delay_seconds {
            Some(delay) if delay > LONGEST_DELAY_SECONDS => {
                Err(Refusal::InvalidParameter(format!("DelaySeconds {delay}: at most {LONGEST_DELAY_SECONDS}")))
            }
            _ => Ok(()),
        }
    }

    fn deduplication_key(&self, group: Option<&str>, id: Option<&str>) -> Option<String> {
        let id = id.filter(|_| self.wiring.fifo)?;
        let scope = group.filter(|_| self.wiring.deduplicates_by_group).unwrap_or_default();
        Some(format!("{}:{scope}{id}", scope.len()))
    }

    /// Takes back a prepared message that could not be made durable.
    pub fn abandon(&mut self, message: &Stored) {
        if let Some(key) = self.deduplication_key(message.group.as_deref(), message.deduplication.as_deref()) {
            self.deduplicated.remove(&key);
        }
    }

    /// Adds a message: prepared and durable now, moved here, or read back from the journal.
    pub fn add(&mut self, message: Stored) {
        self.next_sequence = self.next_sequence.max(message.sequence + 1);
        let (sequence, visible_at) = (message.sequence, message.visible_at);
        let group = message.group.clone().filter(|_| self.wiring.fifo);
        self.messages.insert(sequence, message);
        match group {
            None => {
                self.agenda.insert((visible_at, sequence));
            }
            Some(name) => {
                let group = self.groups.entry(name.clone()).or_default();
                // Senders that overlap may finish in another order than they were numbered in.
                let place = group.waiting.partition_point(|waiting| *waiting < sequence);
                group.waiting.insert(place, sequence);
                self.plan(&name);
            }
        }
    }

    /// A journal's message keeps its deduplication id known for the rest of the window.
    pub fn remember(&mut self, message: &Stored, now: i64) {
        let until = message.sent_at + DEDUPLICATION_MILLIS;
        if until > now
            && let Some(key) = self.deduplication_key(message.group.as_deref(), message.deduplication.as_deref())
        {
            // The journal is read back in the order of sending, so the ends are in order too.
            self.ending.push_back((until, key.clone()));
            self.deduplicated.insert(key, Seen { until, sequence: message.sequence, id: message.id.clone() });
        }
    }

    /// A message from another queue, numbered anew.
    pub fn adopt(&mut self, mut message: Stored, from: &str, now: i64) -> Stored {
        message.sequence = self.next_sequence;
        self.next_sequence += 1;
        message.visible_at = now;
        message.moved_from = Some(from.to_owned());
        message
    }

    /// Hands out at most `most` messages and hides them for `visibility` milliseconds.
    pub fn receive(&mut self, most: usize, visibility: i64, now: i64) -> Received {
        let mut received = Received::default();
        while received.deliveries.len() < most {
            let Some(&(at, sequence)) = self.agenda.first() else { break };
            if at > now {
                break;
            }
            let group = self.messages.get(&sequence).and_then(|message| message.group.clone());
            match group.filter(|_| self.wiring.fifo) {
                None => self.hand_out(sequence, visibility, now, &mut received),
                // As many of the group as fit, in order: none of it may go out again before these are done.
                Some(name) => {
                    let room = most - received.deliveries.len();
                    let group = self.groups.get(&name);
                    let waiting = group.into_iter().flat_map(|group| group.waiting.iter().copied());
                    for sequence in waiting.take(room).collect::<Vec<_>>() {
                        if self.messages.get(&sequence).is_none_or(|message| message.visible_at > now) {
                            break;
                        }
                        self.hand_out(sequence, visibility, now, &mut received);
                    }
                    self.plan(&name);
                }
            }
        }
        received
    }

    fn hand_out(&mut self, sequence: u64, visibility: i64, now: i64, received: &mut Received) {
        let Some(message) = self.messages.get_mut(&sequence) else { return };
        let too_often = self.wiring.redrive.as_ref().is_some_and(|redrive| message.receives >= redrive.after_receives);
        let too_old = now - message.sent_at >= i64::from(self.wiring.retention_seconds) * 1_000;
        if too_often || too_old {
            if let Some(message) = self.remove(sequence) {
                if too_old { received.expired.push(message) } else { received.moved.push(message) }
            }
            return;
        }
        let before = message.visible_at;
        message.receives += 1;
        message.first_received_at.get_or_insert(now);
        // Even with no visibility at all a message goes out once in one receive.
        message.visible_at = now + visibility.max(1);
        let receipt = Receipt { sequence, receive: message.receives };
        received.deliveries.push(Delivery { message: message.clone(), receipt });
        let (group, until) = (message.group.clone(), message.visible_at);
        match group.filter(|_| self.wiring.fifo) {
            None => {
                self.agenda.remove(&(before, sequence));
                self.agenda.insert((until, sequence));
            }
            Some(name) => {
                if let Some(group) = self.groups.get_mut(&name) {
                    group.in_flight.insert(sequence);
                }
            }
        }
    }

    fn remove(&mut self, sequence: u64) -> Option<Stored> {
        let message = self.messages.remove(&sequence)?;
        match message.group.clone().filter(|_| self.wiring.fifo) {
            None => {
                self.agenda.remove(&(message.visible_at, sequence));
            }
            Some(name) => {
                if let Some(group) = self.groups.get_mut(&name) {
                    group.waiting.retain(|waiting| *waiting != sequence);
                    group.in_flight.remove(&sequence);
                }
                self.plan(&name);
            }
        }
        Some(message)
    }

    /// Undoes a receive that could not be written down: what it handed out is visible and was not handed out, what it
    /// removed is there again.
    pub fn take_back(&mut self, received: Received, now: i64) {
        for message in received.moved.into_iter().chain(received.expired) {
            self.add(message);
        }
        for Delivery { mut message, receipt } in received.deliveries {
            // Somebody else's by now, or gone.
            if self.messages.get(&receipt.sequence).is_none_or(|found| found.receives != receipt.receive) {
                continue;
            }
            self.remove(receipt.sequence);
            message.receives -= 1;
            message.visible_at = now;
            if message.receives == 0 {
                message.first_received_at = None;
            }
            self.add(message);
        }
    }

    /// Undoes one hand-out that came to nothing, unless the message is somebody else's by now, or gone.
    pub fn give_back(&mut self, receipt: Receipt, now: i64) {
        if self.messages.get(&receipt.sequence).is_none_or(|found| found.receives != receipt.receive) {
            return;
        }
        let Some(mut message) = self.remove(receipt.sequence) else { return };
        message.receives -= 1;
        message.visible_at = now + GIVEN_BACK_MILLIS;
        self.add(message);
    }

    /// Lets nothing wait longer than a message of this queue can wait: beyond that, the clock was ahead when it was sent.
    pub fn bring_forward(&mut self, now: i64) {
        let longest =
            i64::from(LONGEST_DELAY_SECONDS.max(self.wiring.delay_seconds).max(self.wiring.visibility_seconds));
        let late = |message: &&Stored| message.visible_at > now + longest * 1_000;
        let late: Vec<u64> = self.messages.values().filter(late).map(|message| message.sequence).collect();
        for sequence in late {
            if let Some(mut message) = self.remove(sequence) {
                message.visible_at = now;
                self.add(message);
            }
        }
    }

    /// Puts back a message that was deleted while it was in flight; it still is.
    pub fn put_back(&mut self, message: Stored) {
        let (sequence, group) = (message.sequence, message.group.clone().filter(|_| self.wiring.fifo));
        self.add(message);
        if let Some(name) = group {
            if let Some(group) = self.groups.get_mut(&name) {
                group.in_flight.insert(sequence);
            }
            self.plan(&name);
        }
    }

    /// Puts a group on the agenda for when its first message can go out: once no message of it is in flight.
    fn plan(&mut self, name: &str) {
        let Some(group) = self.groups.get_mut(name) else { return };
        if let Some(old) = group.agenda.take() {
            self.agenda.remove(&old);
        }
        let Some(first) = group.waiting.front().copied() else {
            self.groups.remove(name);
            return;
        };
        let visible_at = |sequence: &u64| self.messages.get(sequence).map_or(0, |message| message.visible_at);
        let blocked_until = group.in_flight.iter().map(visible_at).max().unwrap_or(i64::MIN);
        let entry = (visible_at(&first).max(blocked_until), first);
        group.agenda = Some(entry);
        self.agenda.insert(entry);
    }

    /// Once every hand-out of the group has ended, by whatever way, none of it is in flight.
    fn land(&mut self, sequence: u64) {
        let group = self.messages.get(&sequence).and_then(|message| message.group.clone());
        if let Some(name) = group.filter(|_| self.wiring.fifo) {
            if let Some(group) = self.groups.get_mut(&name) {
                group.in_flight.remove(&sequence);
            }
            self.plan(&name);
        }
    }

    /// `Ok(None)`: gone already, or received again since; AWS calls that a success too. On a FIFO queue a receipt
    /// whose visibility has ended is refused.
    pub fn delete(&mut self, receipt: Receipt, now: i64) -> Result<Option<Stored>, Refusal> {
        let Some(message) = self.messages.get(&receipt.sequence) else { return Ok(None) };
        if message.receives != receipt.receive {
            return Ok(None);
        }
        if self.wiring.fifo && message.visible_at <= now {
            return Err(Refusal::ReceiptHandleIsInvalid(receipt.handle()));
        }
        Ok(self.remove(receipt.sequence))
    }

    /// Zero makes it visible at once.
    pub fn change_visibility(&mut self, receipt: Receipt, seconds: u32, now: i64) -> Result<(), Refusal> {
        if seconds > LONGEST_VISIBILITY_SECONDS {
            let longest = LONGEST_VISIBILITY_SECONDS;
            return Err(Refusal::InvalidParameter(format!("VisibilityTimeout {seconds}: at most {longest}")));
        }
        let invalid = || Refusal::ReceiptHandleIsInvalid(receipt.handle());
        let message = self.messages.get_mut(&receipt.sequence).ok_or_else(invalid)?;
        if message.receives != receipt.receive || message.visible_at <= now {
            return Err(invalid());
        }
        let before = message.visible_at;
        message.visible_at = now + i64::from(seconds) * 1_000;
        let after = message.visible_at;
        if message.group.is_none() || !self.wiring.fifo {
            self.agenda.remove(&(before, receipt.sequence));
            self.agenda.insert((after, receipt.sequence));
        } else if seconds == 0 {
            self.land(receipt.sequence);
        } else if let Some(name) = message.group.clone() {
            self.plan(&name);
        }
        Ok(())
    }

    /// Says beside a message what its handling said when it failed.
    pub fn note_failure(&mut self, receipt: Receipt, failure: &str) -> Option<Stored> {
        let message = self.messages.get_mut(&receipt.sequence)?;
        if message.receives != receipt.receive {
            return None;
        }
        message.failure = Some(failure.to_owned());
        Some(message.clone())
    }

    /// When something can next be handed out; now or earlier: at once.
    pub fn next_at(&self) -> Option<i64> {
        self.agenda.first().map(|(at, _)| *at)
    }

    pub fn message(&self, sequence: u64) -> Option<&Stored> {
        self.messages.get(&sequence)
    }

    pub fn messages(&self) -> impl Iterator<Item = &Stored> {
        self.messages.values()
    }

    pub fn take(&mut self, sequence: u64) -> Option<Stored> {
        self.remove(sequence)
    }

    /// How many messages there are, whatever becomes of each.
    pub fn held(&self) -> usize {
        self.messages.len()
    }

    pub fn counts(&self, now: i64) -> Counts {
        let mut counts = Counts::default();
        for message in self.messages.values() {
            if message.visible_at <= now {
                counts.visible += 1;
            } else if message.receives > 0 {
                counts.in_flight += 1;
            } else {
                counts.delayed += 1;
            }
        }
        counts
    }
}

/// A message that may be added, or one that was before.
pub enum Prepared {
    New(Stored),
    Duplicate(Accepted),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    pub visible: usize,
    pub in_flight: usize,
    pub delayed: usize,
}
